/* SPDX-License-Identifier: MIT
 * ops/map.c - one output element per input element. */
#include "gllm/ops.h"

void gllm_ref_add(float *restrict y, const float *restrict a, const float *restrict b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		y[i] = a[i] + b[i];
}

void gllm_ref_mul(float *restrict y, const float *restrict a, const float *restrict b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		y[i] = a[i] * b[i];
}

void gllm_ref_exp(float *restrict y, const float *restrict x, size_t n)
{
	for (size_t i = 0; i < n; i++)
		y[i] = gllm_expf(x[i]);
}

void gllm_ref_tanh(float *restrict y, const float *restrict x, size_t n)
{
	for (size_t i = 0; i < n; i++)
		y[i] = gllm_tanhf(x[i]);
}
