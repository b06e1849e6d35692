/* SPDX-License-Identifier: MIT
 * ops/norm.c - reductions over a row, then a map over the same row. */
#include "gllm/ops.h"

/* y = w * x / sqrt(mean(x^2) + eps)   (Zhang, Sennrich 2019) */
void gllm_ref_rms_norm(float *restrict y, const float *restrict x, const float *restrict w, size_t n, float eps)
{
	float sum = 0.0f;
	for (size_t i = 0; i < n; i++)
		sum += x[i] * x[i];
	float scale = 1.0f / gllm_sqrtf(sum / (float)n + eps);
	for (size_t i = 0; i < n; i++)
		y[i] = w[i] * (x[i] * scale);
}

/* Three passes; the maximum is subtracted so that no exponential overflows. A row of -inf alone gives NaN. */
void gllm_ref_softmax(float *restrict y, const float *restrict x, size_t n)
{
	float max = -__builtin_inff();
	for (size_t i = 0; i < n; i++)
		max = x[i] > max ? x[i] : max;
	float sum = 0.0f;
	for (size_t i = 0; i < n; i++) {
		float e = gllm_expf(x[i] - max);
		y[i] = e;
		sum += e;
	}
	float scale = 1.0f / sum;
	for (size_t i = 0; i < n; i++)
		y[i] = y[i] * scale;
}

void gllm_ref_argmax(uint32_t *restrict y, const float *restrict x, size_t n)
{
	float max = -__builtin_inff();
	uint32_t best = 0;
	for (size_t i = 0; i < n; i++) {
		if (x[i] > max) {
			max = x[i];
			best = (uint32_t)i;
		}
	}
	y[0] = best;
}

/* y = x / sqrt(sum(x^2) + eps) */
void gllm_ref_l2_norm(float *restrict y, const float *restrict x, size_t n, float eps)
{
	float sum = 0.0f;
	for (size_t i = 0; i < n; i++)
		sum += x[i] * x[i];
	float scale = 1.0f / gllm_sqrtf(sum + eps);
	for (size_t i = 0; i < n; i++)
		y[i] = x[i] * scale;
}

/* y = w * (x - mean) / sqrt(variance + eps) + b   (Ba, Kiros, Hinton 2016) */
void gllm_ref_layer_norm(float *restrict y, const float *restrict x, const float *restrict w, const float *restrict b,
                         size_t n, float eps)
{
	float sum = 0.0f, squares = 0.0f;
	for (size_t i = 0; i < n; i++)
		sum += x[i];
	float mean = sum / (float)n;
	for (size_t i = 0; i < n; i++)
		squares += (x[i] - mean) * (x[i] - mean);
	float scale = 1.0f / gllm_sqrtf(squares / (float)n + eps);
	for (size_t i = 0; i < n; i++)
		y[i] = w[i] * ((x[i] - mean) * scale) + b[i];
}
