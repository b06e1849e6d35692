/* SPDX-License-Identifier: MIT
 * ops/dequant.c - block formats of one level: a scale, sometimes an offset, and small integers. */
#include "ops/block.h"

/* 32 elements, 18 bytes: f16 d; 16 bytes of two elements 16 apart. (n - 8) * d */
void gllm_ref_dequant_q4_0(float *restrict y, const uint8_t *restrict x, size_t blocks)
{
	for (size_t b = 0; b < blocks; b++) {
		float d = gllm_block_f16(x + b * 18);
		for (size_t i = 0; i < 16; i++) {
			uint8_t v = x[b * 18 + 2 + i];
			y[b * 32 + i] = (float)(gllm_block_low(v) - 8) * d;
			y[b * 32 + 16 + i] = (float)(gllm_block_high(v) - 8) * d;
		}
	}
}

/* 32 elements, 20 bytes: f16 d, f16 m; nibbles as in Q4_0. n * d + m */
void gllm_ref_dequant_q4_1(float *restrict y, const uint8_t *restrict x, size_t blocks)
{
	for (size_t b = 0; b < blocks; b++) {
		float d = gllm_block_f16(x + b * 20), m = gllm_block_f16(x + b * 20 + 2);
		for (size_t i = 0; i < 16; i++) {
			uint8_t v = x[b * 20 + 4 + i];
			y[b * 32 + i] = (float)gllm_block_low(v) * d + m;
			y[b * 32 + 16 + i] = (float)gllm_block_high(v) * d + m;
		}
	}
}

/* Elements j and j + 16 of a block whose fifth bits stand in bit j % 8 of `fifth` and of the byte two further on. */
static inline int five_low(const uint8_t *nibbles, const uint8_t *fifth, unsigned j)
{
	return gllm_block_low(nibbles[j]) + (fifth[0] >> j & 1) * 16;
}

static inline int five_high(const uint8_t *nibbles, const uint8_t *fifth, unsigned j)
{
	return gllm_block_high(nibbles[j]) + (fifth[2] >> j & 1) * 16;
}

/* 32 elements, 22 bytes: f16 d; 32 fifth bits; nibbles as in Q4_0. (q - 16) * d */
static inline void q5_0(float *y, const uint8_t *nibbles, const uint8_t *fifth, float d, unsigned j)
{
	y[j] = (float)(five_low(nibbles, fifth, j) - 16) * d;
	y[j + 16] = (float)(five_high(nibbles, fifth, j) - 16) * d;
}

void gllm_ref_dequant_q5_0(float *restrict y, const uint8_t *restrict x, size_t blocks)
{
	for (size_t b = 0; b < blocks; b++) {
		float d = gllm_block_f16(x + b * 22);
		for (size_t k = 0; k < 2; k++) {
			const uint8_t *nibbles = x + b * 22 + 6 + k * 8, *fifth = x + b * 22 + 2 + k;
			float *to = y + b * 32 + k * 8;
			q5_0(to, nibbles, fifth, d, 0), q5_0(to, nibbles, fifth, d, 1);
			q5_0(to, nibbles, fifth, d, 2), q5_0(to, nibbles, fifth, d, 3);
			q5_0(to, nibbles, fifth, d, 4), q5_0(to, nibbles, fifth, d, 5);
			q5_0(to, nibbles, fifth, d, 6), q5_0(to, nibbles, fifth, d, 7);
		}
	}
}

/* 32 elements, 24 bytes: f16 d, f16 m; fifth bits and nibbles as in Q5_0. q * d + m */
static inline void q5_1(float *y, const uint8_t *nibbles, const uint8_t *fifth, float d, float m, unsigned j)
{
	y[j] = (float)five_low(nibbles, fifth, j) * d + m;
	y[j + 16] = (float)five_high(nibbles, fifth, j) * d + m;
}

void gllm_ref_dequant_q5_1(float *restrict y, const uint8_t *restrict x, size_t blocks)
{
	for (size_t b = 0; b < blocks; b++) {
		float d = gllm_block_f16(x + b * 24), m = gllm_block_f16(x + b * 24 + 2);
		for (size_t k = 0; k < 2; k++) {
			const uint8_t *nibbles = x + b * 24 + 8 + k * 8, *fifth = x + b * 24 + 4 + k;
			float *to = y + b * 32 + k * 8;
			q5_1(to, nibbles, fifth, d, m, 0), q5_1(to, nibbles, fifth, d, m, 1);
			q5_1(to, nibbles, fifth, d, m, 2), q5_1(to, nibbles, fifth, d, m, 3);
			q5_1(to, nibbles, fifth, d, m, 4), q5_1(to, nibbles, fifth, d, m, 5);
			q5_1(to, nibbles, fifth, d, m, 6), q5_1(to, nibbles, fifth, d, m, 7);
		}
	}
}

/* 32 elements, 34 bytes: f16 d; signed bytes. q * d */
void gllm_ref_dequant_q8_0(float *restrict y, const uint8_t *restrict x, size_t blocks)
{
	for (size_t b = 0; b < blocks; b++) {
		float d = gllm_block_f16(x + b * 34);
		for (size_t i = 0; i < 32; i++)
			y[b * 32 + i] = (float)gllm_block_signed(x[b * 34 + 2 + i]) * d;
	}
}

/* 32 elements, 36 bytes: f16 d, f16 d * (sum of the q); signed bytes. q * d */
void gllm_ref_dequant_q8_1(float *restrict y, const uint8_t *restrict x, size_t blocks)
{
	for (size_t b = 0; b < blocks; b++) {
		float d = gllm_block_f16(x + b * 36);
		for (size_t i = 0; i < 32; i++)
			y[b * 32 + i] = (float)gllm_block_signed(x[b * 36 + 4 + i]) * d;
	}
}

/* 128 elements, 18 bytes: f16 d; a bit each, lowest first. d when set, else -d */
static inline float q1_0(uint8_t v, unsigned shift, float d)
{
	return (float)((v >> shift & 1) * 2 - 1) * d;
}

void gllm_ref_dequant_q1_0(float *restrict y, const uint8_t *restrict x, size_t blocks)
{
	for (size_t b = 0; b < blocks; b++) {
		float d = gllm_block_f16(x + b * 18);
		for (size_t i = 0; i < 16; i++) {
			uint8_t v = x[b * 18 + 2 + i];
			float *to = y + b * 128 + i * 8;
			to[0] = q1_0(v, 0, d), to[1] = q1_0(v, 1, d), to[2] = q1_0(v, 2, d), to[3] = q1_0(v, 3, d);
			to[4] = q1_0(v, 4, d), to[5] = q1_0(v, 5, d), to[6] = q1_0(v, 6, d), to[7] = q1_0(v, 7, d);
		}
	}
}

/* 64 elements, 18 bytes: f16 d; 2 bits each, lowest first. (q - 1) * d */
void gllm_ref_dequant_q2_0(float *restrict y, const uint8_t *restrict x, size_t blocks)
{
	for (size_t b = 0; b < blocks; b++) {
		float d = gllm_block_f16(x + b * 18);
		for (size_t i = 0; i < 16; i++) {
			uint8_t v = x[b * 18 + 2 + i];
			y[b * 64 + i * 4] = (float)(gllm_block_2(v, 0) - 1) * d;
			y[b * 64 + i * 4 + 1] = (float)(gllm_block_2(v, 2) - 1) * d;
			y[b * 64 + i * 4 + 2] = (float)(gllm_block_2(v, 4) - 1) * d;
			y[b * 64 + i * 4 + 3] = (float)(gllm_block_2(v, 6) - 1) * d;
		}
	}
}
