/* SPDX-License-Identifier: MIT
 * ops/quant.c - products with weights in simple quantised form: numbers and scales in tensors of their own. */
#include "ops/block.h"

/* Numbers already widened to float, a scale for each block of them. */
void gllm_ref_dequantize(float *restrict y, const float *restrict q, const float *restrict scale, size_t blocks, size_t block)
{
	for (size_t b = 0; b < blocks; b++)
		for (size_t i = 0; i < block; i++)
			y[b * block + i] = q[b * block + i] * scale[b];
}

/* c = a * transpose(dequantize(q, scale)); k = blocks * block */
void gllm_ref_quant_gemm(float *restrict c, const float *restrict a, const float *restrict q, const float *restrict scale,
                         size_t m, size_t n, size_t blocks, size_t block)
{
	for (size_t i = 0; i < m; i++) {
		for (size_t j = 0; j < n; j++) {
			float sum = 0.0f;
			for (size_t b = 0; b < blocks; b++)
				for (size_t p = 0; p < block; p++)
					sum += a[(i * blocks + b) * block + p] * (q[(j * blocks + b) * block + p] * scale[j * blocks + b]);
			c[i * n + j] = sum;
		}
	}
}

/* One signed byte a weight, one scale. */
void gllm_ref_gemv_q8(float *restrict y, const int8_t *restrict w, const float *restrict x, size_t m, size_t n, float scale)
{
	for (size_t i = 0; i < m; i++) {
		float sum = 0.0f;
		for (size_t j = 0; j < n; j++)
			sum += (float)w[i * n + j] * x[j];
		y[i] = sum * scale;
	}
}

/* One signed byte a weight, a scale for each row of w. */
void gllm_ref_gemm_q8(float *restrict c, const float *restrict a, const int8_t *restrict w, const float *restrict scale,
                      size_t m, size_t n, size_t k)
{
	for (size_t i = 0; i < m; i++) {
		for (size_t j = 0; j < n; j++) {
			float sum = 0.0f;
			for (size_t p = 0; p < k; p++)
				sum += a[i * k + p] * (float)w[j * k + p];
			c[i * n + j] = sum * scale[j];
		}
	}
}

/* --- codes packed into bytes, lowest bits first ---------------------------------------------------------------------
 * A row of weights is `bytes` whole bytes. Where its number of elements does not fill the last one, x (a) is as long as if
 * it did, with zeros there. The products of a byte are added before the sum takes them up. */

/* Two to a byte: n - 8. */
void gllm_ref_gemv_q4(float *restrict y, const uint8_t *restrict w, const float *restrict x, size_t m, size_t bytes, float scale)
{
	for (size_t i = 0; i < m; i++) {
		float sum = 0.0f;
		for (size_t j = 0; j < bytes; j++) {
			uint8_t v = w[i * bytes + j];
			sum += (float)(gllm_block_low(v) - 8) * x[j * 2] + (float)(gllm_block_high(v) - 8) * x[j * 2 + 1];
		}
		y[i] = sum * scale;
	}
}

/* Four to a byte: q - 2. */
void gllm_ref_gemv_q2(float *restrict y, const uint8_t *restrict w, const float *restrict x, size_t m, size_t bytes, float scale)
{
	for (size_t i = 0; i < m; i++) {
		float sum = 0.0f;
		for (size_t j = 0; j < bytes; j++) {
			uint8_t v = w[i * bytes + j];
			const float *of = x + j * 4;
			sum += (float)(gllm_block_2(v, 0) - 2) * of[0] + (float)(gllm_block_2(v, 2) - 2) * of[1] +
			       (float)(gllm_block_2(v, 4) - 2) * of[2] + (float)(gllm_block_2(v, 6) - 2) * of[3];
		}
		y[i] = sum * scale;
	}
}

static inline float sign_of(uint8_t v, unsigned shift)
{
	return (float)((v >> shift & 1) * 2 - 1);
}

/* Eight to a byte: 1 or -1. */
void gllm_ref_gemv_q1(float *restrict y, const uint8_t *restrict w, const float *restrict x, size_t m, size_t bytes, float scale)
{
	for (size_t i = 0; i < m; i++) {
		float sum = 0.0f;
		for (size_t j = 0; j < bytes; j++) {
			uint8_t v = w[i * bytes + j];
			const float *of = x + j * 8;
			sum += sign_of(v, 0) * of[0] + sign_of(v, 1) * of[1] + sign_of(v, 2) * of[2] + sign_of(v, 3) * of[3] +
			       sign_of(v, 4) * of[4] + sign_of(v, 5) * of[5] + sign_of(v, 6) * of[6] + sign_of(v, 7) * of[7];
		}
		y[i] = sum * scale;
	}
}

/* Two to a byte: q - 8; a scale for each row of w. */
void gllm_ref_gemm_q4(float *restrict c, const float *restrict a, const uint8_t *restrict w, const float *restrict scale,
                      size_t m, size_t n, size_t bytes)
{
	for (size_t i = 0; i < m; i++) {
		for (size_t j = 0; j < n; j++) {
			float sum = 0.0f;
			for (size_t p = 0; p < bytes; p++) {
				uint8_t v = w[j * bytes + p];
				sum += a[(i * bytes + p) * 2] * (float)(gllm_block_low(v) - 8) +
				       a[(i * bytes + p) * 2 + 1] * (float)(gllm_block_high(v) - 8);
			}
			c[i * n + j] = sum * scale[j];
		}
	}
}
