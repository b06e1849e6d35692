/* SPDX-License-Identifier: MIT
 * ops/quant.c - products with weights in simple quantised form: numbers and scales in tensors of their own. */
#include "gllm/ops.h"

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
