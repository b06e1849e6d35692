/* SPDX-License-Identifier: MIT
 * ops/rope.c - rotary position embedding (Su et al. 2021): pairs of elements of each head turn by an angle whose cosine
 * and sine are tables of the position. The two functions differ in which elements form a pair. */
#include "gllm/ops.h"

/* Pairs are neighbours (2i, 2i+1): the layout of GGUF Llama files. */
void gllm_ref_rope_adjacent(float *restrict y, const float *restrict x, const float *restrict cos,
                            const float *restrict sin, size_t heads, size_t half)
{
	for (size_t h = 0; h < heads; h++) {
		for (size_t i = 0; i < half; i++) {
			float a = x[(h * half + i) * 2], b = x[(h * half + i) * 2 + 1];
			y[(h * half + i) * 2] = a * cos[i] - b * sin[i];
			y[(h * half + i) * 2 + 1] = a * sin[i] + b * cos[i];
		}
	}
}

/* Pairs are (i, i + half): the layout of Hugging Face checkpoints. */
void gllm_ref_rope_halves(float *restrict y, const float *restrict x, const float *restrict cos,
                          const float *restrict sin, size_t heads, size_t half)
{
	for (size_t h = 0; h < heads; h++) {
		for (size_t i = 0; i < half; i++) {
			float a = x[h * half * 2 + i], b = x[h * half * 2 + half + i];
			y[h * half * 2 + i] = a * cos[i] - b * sin[i];
			y[h * half * 2 + half + i] = a * sin[i] + b * cos[i];
		}
	}
}

/* Partial rotation: of each head of 2 * half + rest elements the first 2 * half turn, the rest stays. */
void gllm_ref_rope_adjacent_part(float *restrict y, const float *restrict x, const float *restrict cos,
                                 const float *restrict sin, size_t heads, size_t half, size_t rest)
{
	for (size_t h = 0; h < heads; h++) {
		for (size_t i = 0; i < half; i++) {
			float a = x[h * (half * 2 + rest) + i * 2], b = x[h * (half * 2 + rest) + i * 2 + 1];
			y[h * (half * 2 + rest) + i * 2] = a * cos[i] - b * sin[i];
			y[h * (half * 2 + rest) + i * 2 + 1] = a * sin[i] + b * cos[i];
		}
		for (size_t i = 0; i < rest; i++)
			y[h * (half * 2 + rest) + half * 2 + i] = x[h * (half * 2 + rest) + half * 2 + i];
	}
}

void gllm_ref_rope_halves_part(float *restrict y, const float *restrict x, const float *restrict cos,
                               const float *restrict sin, size_t heads, size_t half, size_t rest)
{
	for (size_t h = 0; h < heads; h++) {
		for (size_t i = 0; i < half; i++) {
			float a = x[h * (half * 2 + rest) + i], b = x[h * (half * 2 + rest) + half + i];
			y[h * (half * 2 + rest) + i] = a * cos[i] - b * sin[i];
			y[h * (half * 2 + rest) + half + i] = a * sin[i] + b * cos[i];
		}
		for (size_t i = 0; i < rest; i++)
			y[h * (half * 2 + rest) + half * 2 + i] = x[h * (half * 2 + rest) + half * 2 + i];
	}
}
