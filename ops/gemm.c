/* SPDX-License-Identifier: MIT
 * ops/gemm.c - products of matrices and vectors, row-major and dense. */
#include "gllm/ops.h"

void gllm_ref_gemv(float *restrict y, const float *restrict a, const float *restrict x, size_t m, size_t n)
{
	for (size_t i = 0; i < m; i++) {
		float sum = 0.0f;
		for (size_t j = 0; j < n; j++)
			sum += a[i * n + j] * x[j];
		y[i] = sum;
	}
}

void gllm_ref_gemm(float *restrict c, const float *restrict a, const float *restrict b, size_t m, size_t n, size_t k)
{
	for (size_t i = 0; i < m; i++) {
		for (size_t j = 0; j < n; j++) {
			float sum = 0.0f;
			for (size_t p = 0; p < k; p++)
				sum += a[i * k + p] * b[p * n + j];
			c[i * n + j] = sum;
		}
	}
}

void gllm_ref_gemm_bt(float *restrict c, const float *restrict a, const float *restrict w, size_t m, size_t n, size_t k)
{
	for (size_t i = 0; i < m; i++) {
		for (size_t j = 0; j < n; j++) {
			float sum = 0.0f;
			for (size_t p = 0; p < k; p++)
				sum += a[i * k + p] * w[j * k + p];
			c[i * n + j] = sum;
		}
	}
}

void gllm_ref_gemm_bt_f16(float *restrict c, const float *restrict a, const uint16_t *restrict w, size_t m, size_t n,
                          size_t k)
{
	for (size_t i = 0; i < m; i++) {
		for (size_t j = 0; j < n; j++) {
			float sum = 0.0f;
			for (size_t p = 0; p < k; p++)
				sum += a[i * k + p] * gllm_f16_to_f32(w[j * k + p]);
			c[i * n + j] = sum;
		}
	}
}

/* c = a * b + bias, the bias added to the finished sum of every row */
void gllm_ref_gemm_bias(float *restrict c, const float *restrict a, const float *restrict b, const float *restrict bias,
                        size_t m, size_t n, size_t k)
{
	for (size_t i = 0; i < m; i++) {
		for (size_t j = 0; j < n; j++) {
			float sum = 0.0f;
			for (size_t p = 0; p < k; p++)
				sum += a[i * k + p] * b[p * n + j];
			c[i * n + j] = sum + bias[j];
		}
	}
}

void gllm_ref_gemm_bt_bias(float *restrict c, const float *restrict a, const float *restrict w, const float *restrict bias,
                           size_t m, size_t n, size_t k)
{
	for (size_t i = 0; i < m; i++) {
		for (size_t j = 0; j < n; j++) {
			float sum = 0.0f;
			for (size_t p = 0; p < k; p++)
				sum += a[i * k + p] * w[j * k + p];
			c[i * n + j] = sum + bias[j];
		}
	}
}

/* c = c0 + a * b: c0 is the old c, since every tensor of a graph has one producer */
void gllm_ref_gemm_acc(float *restrict c, const float *restrict c0, const float *restrict a, const float *restrict b,
                       size_t m, size_t n, size_t k)
{
	for (size_t i = 0; i < m; i++) {
		for (size_t j = 0; j < n; j++) {
			float sum = c0[i * n + j];
			for (size_t p = 0; p < k; p++)
				sum += a[i * k + p] * b[p * n + j];
			c[i * n + j] = sum;
		}
	}
}
