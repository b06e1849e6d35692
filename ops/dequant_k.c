/* SPDX-License-Identifier: MIT
 * ops/dequant_k.c - formats of 256 elements with scales of two levels: f16 for the block, small integers for its parts. */
#include "ops/block.h"

/* 84 bytes: 16 bytes of 4-bit scale and minimum; 64 bytes of 2-bit codes, four elements 32 apart in a byte; f16 d, dmin.
 * d * scale * q - dmin * minimum */
static inline void q2_k(float *y, const uint8_t *x, size_t k, size_t l, float d, float dmin, unsigned h, unsigned j)
{
	uint8_t s = x[h * 8 + j * 2 + k], v = x[16 + h * 32 + k * 16 + l];
	y[h * 128 + j * 32 + k * 16 + l] = d * (float)gllm_block_low(s) * (float)gllm_block_2(v, j * 2) -
	                                   dmin * (float)gllm_block_high(s);
}

void gllm_ref_dequant_q2_k(float *restrict y, const uint8_t *restrict x, size_t blocks)
{
	for (size_t b = 0; b < blocks; b++) {
		float d = gllm_block_f16(x + b * 84 + 80), dmin = gllm_block_f16(x + b * 84 + 82);
		for (size_t k = 0; k < 2; k++) {
			for (size_t l = 0; l < 16; l++) {
				const uint8_t *from = x + b * 84;
				float *to = y + b * 256;
				q2_k(to, from, k, l, d, dmin, 0, 0), q2_k(to, from, k, l, d, dmin, 0, 1);
				q2_k(to, from, k, l, d, dmin, 0, 2), q2_k(to, from, k, l, d, dmin, 0, 3);
				q2_k(to, from, k, l, d, dmin, 1, 0), q2_k(to, from, k, l, d, dmin, 1, 1);
				q2_k(to, from, k, l, d, dmin, 1, 2), q2_k(to, from, k, l, d, dmin, 1, 3);
			}
		}
	}
}

/* 110 bytes: 32 bytes of third bits; 64 bytes of 2-bit codes as in Q2_K; 12 bytes of 6-bit scales; f16 d. A third bit that
 * is clear subtracts 4. d * (scale - 32) * q */
static inline void q3_k(float *y, const uint8_t *x, size_t k, size_t l, float d, unsigned h, unsigned j)
{
	const uint8_t *scale = x + 96;
	uint8_t low = scale[j * 2 + k], top = scale[8 + (j & 1) * 2 + k], v = x[32 + h * 32 + k * 16 + l];
	int c = (h == 0 ? gllm_block_low(low) : gllm_block_high(low)) + gllm_block_2(top, h * 4 + j / 2 * 2) * 16;
	int q = gllm_block_2(v, j * 2) + (x[k * 16 + l] >> (h * 4 + j) & 1) * 4 - 4;
	y[h * 128 + j * 32 + k * 16 + l] = d * (float)(c - 32) * (float)q;
}

void gllm_ref_dequant_q3_k(float *restrict y, const uint8_t *restrict x, size_t blocks)
{
	for (size_t b = 0; b < blocks; b++) {
		float d = gllm_block_f16(x + b * 110 + 108);
		for (size_t k = 0; k < 2; k++) {
			for (size_t l = 0; l < 16; l++) {
				const uint8_t *from = x + b * 110;
				float *to = y + b * 256;
				q3_k(to, from, k, l, d, 0, 0), q3_k(to, from, k, l, d, 0, 1);
				q3_k(to, from, k, l, d, 0, 2), q3_k(to, from, k, l, d, 0, 3);
				q3_k(to, from, k, l, d, 1, 0), q3_k(to, from, k, l, d, 1, 1);
				q3_k(to, from, k, l, d, 1, 2), q3_k(to, from, k, l, d, 1, 3);
			}
		}
	}
}

/* The 6-bit scales and minimums of Q4_K and Q5_K: part s of the lower four in p[s] and p[s + 4]; part s + 4 in the nibbles
 * of p[s + 8] and the top bits of these. */
static inline float lower(float d, uint8_t p)
{
	return d * (float)(p & 63);
}

static inline float upper(float d, int nibble, uint8_t p)
{
	return d * (float)(nibble + (p >> 6) * 16);
}

/* 144 bytes: f16 d, dmin; 12 bytes of scales; 128 bytes of nibbles, two elements 32 apart in a byte.
 * d * scale * n - dmin * minimum */
void gllm_ref_dequant_q4_k(float *restrict y, const uint8_t *restrict x, size_t blocks)
{
	for (size_t b = 0; b < blocks; b++) {
		float d = gllm_block_f16(x + b * 144), dmin = gllm_block_f16(x + b * 144 + 2);
		for (size_t g = 0; g < 2; g++) {
			const uint8_t *p = x + b * 144 + 4 + g * 2;
			for (size_t l = 0; l < 32; l++) {
				uint8_t v = x[b * 144 + 16 + g * 32 + l], u = x[b * 144 + 80 + g * 32 + l];
				float *to = y + b * 256 + g * 64 + l;
				to[0] = lower(d, p[0]) * (float)gllm_block_low(v) - lower(dmin, p[4]);
				to[32] = lower(d, p[1]) * (float)gllm_block_high(v) - lower(dmin, p[5]);
				to[128] = upper(d, p[8] & 15, p[0]) * (float)gllm_block_low(u) - upper(dmin, p[8] >> 4, p[4]);
				to[160] = upper(d, p[9] & 15, p[1]) * (float)gllm_block_high(u) - upper(dmin, p[9] >> 4, p[5]);
			}
		}
	}
}

/* 176 bytes: as Q4_K with 32 bytes of fifth bits before the nibbles: bit s of byte l for element l of part s. */
static inline void q5_k(float *y, const uint8_t *p, const uint8_t *v, uint8_t fifth, float d, float dmin, unsigned s)
{
	uint8_t n = v[s / 2 * 32];
	int q = (s % 2 ? gllm_block_high(n) : gllm_block_low(n)) + (fifth >> s & 1) * 16;
	float scale = s < 4 ? lower(d, p[s]) : upper(d, p[s + 4] & 15, p[s - 4]);
	y[s * 32] = scale * (float)q - (s < 4 ? lower(dmin, p[s + 4]) : upper(dmin, p[s + 4] >> 4, p[s]));
}

void gllm_ref_dequant_q5_k(float *restrict y, const uint8_t *restrict x, size_t blocks)
{
	for (size_t b = 0; b < blocks; b++) {
		float d = gllm_block_f16(x + b * 176), dmin = gllm_block_f16(x + b * 176 + 2);
		const uint8_t *p = x + b * 176 + 4;
		for (size_t l = 0; l < 32; l++) {
			const uint8_t *v = x + b * 176 + 48 + l;
			uint8_t fifth = x[b * 176 + 16 + l];
			float *to = y + b * 256 + l;
			q5_k(to, p, v, fifth, d, dmin, 0), q5_k(to, p, v, fifth, d, dmin, 1);
			q5_k(to, p, v, fifth, d, dmin, 2), q5_k(to, p, v, fifth, d, dmin, 3);
			q5_k(to, p, v, fifth, d, dmin, 4), q5_k(to, p, v, fifth, d, dmin, 5);
			q5_k(to, p, v, fifth, d, dmin, 6), q5_k(to, p, v, fifth, d, dmin, 7);
		}
	}
}

/* 210 bytes: 128 bytes of nibbles; 64 bytes of two top bits; 16 signed scales; f16 d. d * scale * (q - 32) */
static inline void q6_k(float *y, const uint8_t *scale, int nibble, uint8_t top, float d, unsigned g)
{
	y[g * 32] = d * (float)gllm_block_signed(scale[g * 2]) * (float)(nibble + gllm_block_2(top, g * 2) * 16 - 32);
}

void gllm_ref_dequant_q6_k(float *restrict y, const uint8_t *restrict x, size_t blocks)
{
	for (size_t b = 0; b < blocks; b++) {
		float d = gllm_block_f16(x + b * 210 + 208);
		for (size_t h = 0; h < 2; h++) {
			for (size_t k = 0; k < 2; k++) {
				for (size_t l = 0; l < 16; l++) {
					const uint8_t *v = x + b * 210 + h * 64 + k * 16 + l;
					const uint8_t *scale = x + b * 210 + 192 + h * 8 + k;
					uint8_t top = x[b * 210 + 128 + h * 32 + k * 16 + l];
					float *to = y + b * 256 + h * 128 + k * 16 + l;
					q6_k(to, scale, gllm_block_low(v[0]), top, d, 0);
					q6_k(to, scale, gllm_block_low(v[32]), top, d, 1);
					q6_k(to, scale, gllm_block_high(v[0]), top, d, 2);
					q6_k(to, scale, gllm_block_high(v[32]), top, d, 3);
				}
			}
		}
	}
}

/* 292 bytes: f32 d; signed bytes; 16 sums of 16 that decoding does not need. d * q */
void gllm_ref_dequant_q8_k(float *restrict y, const uint8_t *restrict x, size_t blocks)
{
	for (size_t b = 0; b < blocks; b++) {
		float d = gllm_bits_f32(gllm_le32(x + b * 292));
		for (size_t i = 0; i < 256; i++)
			y[b * 256 + i] = d * (float)gllm_block_signed(x[b * 292 + 4 + i]);
	}
}
