/* SPDX-License-Identifier: MIT
 * ops/arith.c - arithmetic and comparisons, element by element. NaN goes through all of them. */
#include "gllm/ops.h"

void gllm_ref_sub(float *restrict y, const float *restrict a, const float *restrict b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		y[i] = a[i] - b[i];
}

void gllm_ref_div(float *restrict y, const float *restrict a, const float *restrict b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		y[i] = a[i] / b[i];
}

void gllm_ref_scale(float *restrict y, const float *restrict x, size_t n, float a)
{
	for (size_t i = 0; i < n; i++)
		y[i] = a * x[i];
}

/* Not in place: y0 is the old y, since every tensor of a graph has one producer. */
void gllm_ref_axpy(float *restrict y, const float *restrict y0, const float *restrict x, size_t n, float a)
{
	for (size_t i = 0; i < n; i++)
		y[i] = y0[i] + a * x[i];
}

void gllm_ref_neg(float *restrict y, const float *restrict x, size_t n)
{
	for (size_t i = 0; i < n; i++)
		y[i] = -x[i];
}

void gllm_ref_abs(float *restrict y, const float *restrict x, size_t n)
{
	for (size_t i = 0; i < n; i++)
		y[i] = __builtin_fabsf(x[i]);
}

/* -0 becomes 0. */
void gllm_ref_relu(float *restrict y, const float *restrict x, size_t n)
{
	for (size_t i = 0; i < n; i++)
		y[i] = x[i] <= 0.0f ? 0.0f : x[i];
}

/* low wins where low > high */
void gllm_ref_clamp(float *restrict y, const float *restrict x, size_t n, float low, float high)
{
	for (size_t i = 0; i < n; i++) {
		float c = x[i] > high ? high : x[i];
		y[i] = c < low ? low : c;
	}
}
