/* SPDX-License-Identifier: MIT
 * ops/attend.c - attention of one query over the tokens of one head: softmax(q k^T * scale) v.
 *
 * The caller walks rows and heads; grouped queries are heads that pass the same k and v. Rows of k and v
 * lie `stride` floats apart, so that a cache of all heads of a token needs no copy. `score` is workspace of t
 * floats and holds exp(score - max) afterwards. No cached token (t == 0) gives zeros. */
#include "gllm/ops.h"

void gllm_ref_attend(float *restrict out, float *restrict score, const float *restrict q, const float *restrict k,
                     const float *restrict v, size_t t, size_t d, size_t stride, float scale)
{
	for (size_t i = 0; i < t; i++) {
		float dot = 0.0f;
		for (size_t j = 0; j < d; j++)
			dot += k[i * stride + j] * q[j];
		score[i] = dot * scale;
	}
	float max = -__builtin_inff();
	for (size_t i = 0; i < t; i++)
		max = score[i] > max ? score[i] : max;
	float sum = 0.0f;
	for (size_t i = 0; i < t; i++) {
		float e = gllm_expf(score[i] - max);
		score[i] = e;
		sum += e;
	}
	float inverse = t == 0 ? 0.0f : 1.0f / sum;
	for (size_t j = 0; j < d; j++) {
		float acc = 0.0f;
		for (size_t i = 0; i < t; i++)
			acc += score[i] * v[i * stride + j];
		out[j] = acc * inverse;
	}
}
