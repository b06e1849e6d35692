/* SPDX-License-Identifier: MIT
 * ops/reduce.c - one number out of a vector. */
#include "gllm/ops.h"

void gllm_ref_sum(float *restrict y, const float *restrict x, size_t n)
{
	float sum = 0.0f;
	for (size_t i = 0; i < n; i++)
		sum += x[i];
	y[0] = sum;
}

/* -inf when n is 0; a NaN is never the greatest. */
void gllm_ref_max(float *restrict y, const float *restrict x, size_t n)
{
	float max = -__builtin_inff();
	for (size_t i = 0; i < n; i++)
		max = x[i] > max ? x[i] : max;
	y[0] = max;
}

void gllm_ref_sum_squares(float *restrict y, const float *restrict x, size_t n)
{
	float sum = 0.0f;
	for (size_t i = 0; i < n; i++)
		sum += x[i] * x[i];
	y[0] = sum;
}

/* NaN when n is 0 */
void gllm_ref_mean(float *restrict y, const float *restrict x, size_t n)
{
	float sum = 0.0f;
	for (size_t i = 0; i < n; i++)
		sum += x[i];
	y[0] = sum / (float)n;
}

/* Of the whole population, in two passes: mean((x - mean)^2). NaN when n is 0. */
void gllm_ref_variance(float *restrict y, const float *restrict x, size_t n)
{
	float count = (float)n, sum = 0.0f, squares = 0.0f;
	for (size_t i = 0; i < n; i++)
		sum += x[i];
	float mean = sum / count;
	for (size_t i = 0; i < n; i++)
		squares += (x[i] - mean) * (x[i] - mean);
	y[0] = squares / count;
}

void gllm_ref_dot(float *restrict y, const float *restrict a, const float *restrict b, size_t n)
{
	float sum = 0.0f;
	for (size_t i = 0; i < n; i++)
		sum += a[i] * b[i];
	y[0] = sum;
}
