/* SPDX-License-Identifier: MIT
 * ops/dequant_iq.c - formats of codebooks: a code names a number, or a whole octet (quad) of numbers of ops/codebooks.c. */
#include "ops/block.h"

/* 32 elements, 18 bytes: f16 d; nibbles, two elements 16 apart in a byte. d * value[n] */
void gllm_ref_dequant_iq4_nl(float *restrict y, const uint8_t *restrict x, size_t blocks)
{
	for (size_t b = 0; b < blocks; b++) {
		float d = gllm_block_f16(x + b * 18);
		for (size_t i = 0; i < 16; i++) {
			uint8_t v = x[b * 18 + 2 + i];
			y[b * 32 + i] = d * (float)gllm_iq4nl_values[v & 15];
			y[b * 32 + 16 + i] = d * (float)gllm_iq4nl_values[v >> 4];
		}
	}
}

/* 256 elements, 136 bytes: f16 d; 16 bits of upper and 4 bytes of lower scale bits; nibbles as IQ4_NL for each 32 elements.
 * d * (scale - 32) * value[n] */
static inline void iq4_xs(float *y, const uint8_t *v, float d, int low, int high)
{
	float scale = d * (float)(low + high * 16 - 32);
	for (size_t i = 0; i < 16; i++) {
		y[i] = scale * (float)gllm_iq4nl_values[v[i] & 15];
		y[16 + i] = scale * (float)gllm_iq4nl_values[v[i] >> 4];
	}
}

void gllm_ref_dequant_iq4_xs(float *restrict y, const uint8_t *restrict x, size_t blocks)
{
	for (size_t b = 0; b < blocks; b++) {
		float d = gllm_block_f16(x + b * 136);
		for (size_t k = 0; k < 2; k++) {
			const uint8_t *low = x + b * 136 + 4 + k * 2, *v = x + b * 136 + 8 + k * 64;
			uint8_t high = x[b * 136 + 2 + k];
			float *to = y + b * 256 + k * 128;
			iq4_xs(to, v, d, gllm_block_low(low[0]), gllm_block_2(high, 0));
			iq4_xs(to + 32, v + 16, d, gllm_block_high(low[0]), gllm_block_2(high, 2));
			iq4_xs(to + 64, v + 32, d, gllm_block_low(low[1]), gllm_block_2(high, 4));
			iq4_xs(to + 96, v + 48, d, gllm_block_high(low[1]), gllm_block_2(high, 6));
		}
	}
}

/* --- octets and quads ----------------------------------------------------------------------------------------------- */

/* The value, negative where the bit of the sign byte is set. */
static inline float with_sign(float value, unsigned signs, unsigned j)
{
	return value * (float)(1 - (int)(signs >> j & 1) * 2);
}

/* Element j of an octet of IQ2: 8, 25 or 43. */
static inline float iq2(float d, unsigned grid, unsigned signs, unsigned j)
{
	unsigned c = grid >> (j * 2) & 3;
	return with_sign(d * (float)(int)(8 + c * 17 + (c >> 1)), signs, j);
}

static inline void iq2_octet(float *y, float d, unsigned grid, unsigned signs)
{
	y[0] = iq2(d, grid, signs, 0), y[1] = iq2(d, grid, signs, 1);
	y[2] = iq2(d, grid, signs, 2), y[3] = iq2(d, grid, signs, 3);
	y[4] = iq2(d, grid, signs, 4), y[5] = iq2(d, grid, signs, 5);
	y[6] = iq2(d, grid, signs, 6), y[7] = iq2(d, grid, signs, 7);
}

/* A sign byte from its seven low bits: the eighth makes the number of set bits even. */
static inline unsigned even_signs(unsigned low)
{
	unsigned p = low ^ low >> 4;
	p ^= p >> 2;
	p ^= p >> 1;
	return low | (p & 1) << 7;
}

static inline float iq2_scale(float d, unsigned scale)
{
	return d * (0.5f + (float)(int)scale) * 0.25f;
}

/* 66 bytes: f16 d; for each 32 elements four grid indices and a word of four 7-bit signs and a 4-bit scale. */
void gllm_ref_dequant_iq2_xxs(float *restrict y, const uint8_t *restrict x, size_t blocks)
{
	for (size_t b = 0; b < blocks; b++) {
		float d = gllm_block_f16(x + b * 66);
		for (size_t s = 0; s < 8; s++) {
			const uint8_t *index = x + b * 66 + 2 + s * 8;
			uint32_t word = gllm_le32(index + 4);
			float scale = iq2_scale(d, word >> 28);
			float *to = y + b * 256 + s * 32;
			iq2_octet(to, scale, gllm_iq2xxs_grid[index[0]], even_signs(word & 127));
			iq2_octet(to + 8, scale, gllm_iq2xxs_grid[index[1]], even_signs(word >> 7 & 127));
			iq2_octet(to + 16, scale, gllm_iq2xxs_grid[index[2]], even_signs(word >> 14 & 127));
			iq2_octet(to + 24, scale, gllm_iq2xxs_grid[index[3]], even_signs(word >> 21 & 127));
		}
	}
}

/* 74 bytes: f16 d; for each octet 9 bits of index and 7 of signs; a 4-bit scale for each 16 elements. */
static inline void iq2_xs(float *y, const uint8_t *x, float scale)
{
	unsigned word = x[0] | (unsigned)x[1] << 8;
	iq2_octet(y, scale, gllm_iq2xs_grid[word & 511], even_signs(word >> 9));
}

void gllm_ref_dequant_iq2_xs(float *restrict y, const uint8_t *restrict x, size_t blocks)
{
	for (size_t b = 0; b < blocks; b++) {
		float d = gllm_block_f16(x + b * 74);
		for (size_t s = 0; s < 8; s++) {
			const uint8_t *v = x + b * 74 + 2 + s * 8;
			uint8_t scales = x[b * 74 + 66 + s];
			float low = iq2_scale(d, scales & 15), high = iq2_scale(d, scales >> 4);
			float *to = y + b * 256 + s * 32;
			iq2_xs(to, v, low), iq2_xs(to + 8, v + 2, low);
			iq2_xs(to + 16, v + 4, high), iq2_xs(to + 24, v + 6, high);
		}
	}
}

/* 82 bytes: f16 d; 32 index bytes; 32 sign bytes; 8 bytes of upper index bits; a 4-bit scale for each 16 elements. */
void gllm_ref_dequant_iq2_s(float *restrict y, const uint8_t *restrict x, size_t blocks)
{
	for (size_t b = 0; b < blocks; b++) {
		float d = gllm_block_f16(x + b * 82);
		for (size_t s = 0; s < 8; s++) {
			const uint8_t *index = x + b * 82 + 2 + s * 4, *signs = x + b * 82 + 34 + s * 4;
			unsigned upper = x[b * 82 + 66 + s];
			uint8_t scales = x[b * 82 + 74 + s];
			float low = iq2_scale(d, scales & 15), high = iq2_scale(d, scales >> 4);
			float *to = y + b * 256 + s * 32;
			iq2_octet(to, low, gllm_iq2s_grid[index[0] | (upper & 3) << 8], signs[0]);
			iq2_octet(to + 8, low, gllm_iq2s_grid[index[1] | (upper >> 2 & 3) << 8], signs[1]);
			iq2_octet(to + 16, high, gllm_iq2s_grid[index[2] | (upper >> 4 & 3) << 8], signs[2]);
			iq2_octet(to + 24, high, gllm_iq2s_grid[index[3] | (upper >> 6) << 8], signs[3]);
		}
	}
}

/* Element j of a quad of IQ3_XXS: 4, 12, 20, 28, 36, 44, 52 or 62. */
static inline float iq3_xxs(float d, unsigned grid, unsigned signs, unsigned j)
{
	unsigned c = grid >> (j % 4 * 3) & 7;
	return with_sign(d * (float)(int)(4 + c * 8 + (c & c >> 1 & c >> 2) * 2), signs, j);
}

static inline void iq3_xxs_octet(float *y, float d, const uint8_t *index, unsigned signs)
{
	unsigned first = gllm_iq3xxs_grid[index[0]], second = gllm_iq3xxs_grid[index[1]];
	y[0] = iq3_xxs(d, first, signs, 0), y[1] = iq3_xxs(d, first, signs, 1);
	y[2] = iq3_xxs(d, first, signs, 2), y[3] = iq3_xxs(d, first, signs, 3);
	y[4] = iq3_xxs(d, second, signs, 4), y[5] = iq3_xxs(d, second, signs, 5);
	y[6] = iq3_xxs(d, second, signs, 6), y[7] = iq3_xxs(d, second, signs, 7);
}

/* 98 bytes: f16 d; 64 index bytes, one for a quad; for each 32 elements a word as in IQ2_XXS. */
void gllm_ref_dequant_iq3_xxs(float *restrict y, const uint8_t *restrict x, size_t blocks)
{
	for (size_t b = 0; b < blocks; b++) {
		float d = gllm_block_f16(x + b * 98);
		for (size_t s = 0; s < 8; s++) {
			const uint8_t *index = x + b * 98 + 2 + s * 8;
			uint32_t word = gllm_le32(x + b * 98 + 66 + s * 4);
			float scale = d * (0.5f + (float)(int)(word >> 28)) * 0.5f;
			float *to = y + b * 256 + s * 32;
			iq3_xxs_octet(to, scale, index, even_signs(word & 127));
			iq3_xxs_octet(to + 8, scale, index + 2, even_signs(word >> 7 & 127));
			iq3_xxs_octet(to + 16, scale, index + 4, even_signs(word >> 14 & 127));
			iq3_xxs_octet(to + 24, scale, index + 6, even_signs(word >> 21 & 127));
		}
	}
}

/* Element j of an octet of IQ3_S: an odd number from 1 to 15. */
static inline float iq3_s(float d, unsigned grid, unsigned signs, unsigned j)
{
	return with_sign(d * (float)(int)((grid >> (j % 4 * 3) & 7) * 2 + 1), signs, j);
}

/* `upper`: the ninth bits of the two quads' indices, lowest first. */
static inline void iq3_s_octet(float *y, float d, const uint8_t *index, unsigned upper, unsigned signs)
{
	unsigned first = gllm_iq3s_grid[index[0] | (upper & 1) << 8], second = gllm_iq3s_grid[index[1] | (upper >> 1 & 1) << 8];
	y[0] = iq3_s(d, first, signs, 0), y[1] = iq3_s(d, first, signs, 1);
	y[2] = iq3_s(d, first, signs, 2), y[3] = iq3_s(d, first, signs, 3);
	y[4] = iq3_s(d, second, signs, 4), y[5] = iq3_s(d, second, signs, 5);
	y[6] = iq3_s(d, second, signs, 6), y[7] = iq3_s(d, second, signs, 7);
}

/* 110 bytes: f16 d; 64 index bytes, one for a quad; 8 bytes of ninth index bits; 32 sign bytes; a 4-bit scale for each 32. */
static inline void iq3_s_part(float *y, const uint8_t *index, unsigned upper, const uint8_t *signs, float scale)
{
	iq3_s_octet(y, scale, index, upper, signs[0]);
	iq3_s_octet(y + 8, scale, index + 2, upper >> 2, signs[1]);
	iq3_s_octet(y + 16, scale, index + 4, upper >> 4, signs[2]);
	iq3_s_octet(y + 24, scale, index + 6, upper >> 6, signs[3]);
}

void gllm_ref_dequant_iq3_s(float *restrict y, const uint8_t *restrict x, size_t blocks)
{
	for (size_t b = 0; b < blocks; b++) {
		float d = gllm_block_f16(x + b * 110);
		for (size_t k = 0; k < 4; k++) {
			const uint8_t *index = x + b * 110 + 2 + k * 16, *upper = x + b * 110 + 66 + k * 2;
			const uint8_t *signs = x + b * 110 + 74 + k * 8;
			uint8_t scales = x[b * 110 + 106 + k];
			float *to = y + b * 256 + k * 64;
			iq3_s_part(to, index, upper[0], signs, d * (float)(1 + (scales & 15) * 2));
			iq3_s_part(to + 32, index + 8, upper[1], signs + 4, d * (float)(1 + (scales >> 4) * 2));
		}
	}
}

/* Element j of an octet of IQ1: -1, 0 or 1, shifted. */
static inline float iq1(float scale, float shift, unsigned grid, unsigned j)
{
	return scale * ((float)((int)(grid >> (j * 2) & 3) - 1) + shift);
}

/* `negative`: 1 for a shift of -1/8, 0 for 1/8. */
static inline void iq1_octet(float *y, float scale, unsigned index, unsigned negative)
{
	unsigned grid = gllm_iq1s_grid[index];
	float shift = 0.125f - (float)(int)negative * 0.25f;
	y[0] = iq1(scale, shift, grid, 0), y[1] = iq1(scale, shift, grid, 1);
	y[2] = iq1(scale, shift, grid, 2), y[3] = iq1(scale, shift, grid, 3);
	y[4] = iq1(scale, shift, grid, 4), y[5] = iq1(scale, shift, grid, 5);
	y[6] = iq1(scale, shift, grid, 6), y[7] = iq1(scale, shift, grid, 7);
}

/* 50 bytes: f16 d; 32 index bytes; for each 32 elements 16 bits: four times three index bits, a 3-bit scale, the shift. */
void gllm_ref_dequant_iq1_s(float *restrict y, const uint8_t *restrict x, size_t blocks)
{
	for (size_t b = 0; b < blocks; b++) {
		float d = gllm_block_f16(x + b * 50);
		for (size_t s = 0; s < 8; s++) {
			const uint8_t *index = x + b * 50 + 2 + s * 4;
			unsigned word = x[b * 50 + 34 + s * 2] | (unsigned)x[b * 50 + 35 + s * 2] << 8;
			float scale = d * (float)(int)((word >> 12 & 7) * 2 + 1);
			float *to = y + b * 256 + s * 32;
			iq1_octet(to, scale, index[0] | (word & 7) << 8, word >> 15);
			iq1_octet(to + 8, scale, index[1] | (word >> 3 & 7) << 8, word >> 15);
			iq1_octet(to + 16, scale, index[2] | (word >> 6 & 7) << 8, word >> 15);
			iq1_octet(to + 24, scale, index[3] | (word >> 9 & 7) << 8, word >> 15);
		}
	}
}

/* 56 bytes: 32 index bytes; a nibble for each octet: three index bits and the shift; four 16-bit words of four 3-bit scales,
 * one for 16 elements, and in the top nibbles, lowest first, the f16 d. */
static inline void iq1_m_part(float *y, const uint8_t *index, uint8_t upper, float scale)
{
	iq1_octet(y, scale, index[0] | (upper & 7u) << 8, upper >> 3 & 1);
	iq1_octet(y + 8, scale, index[1] | (upper >> 4 & 7u) << 8, upper >> 7);
}

void gllm_ref_dequant_iq1_m(float *restrict y, const uint8_t *restrict x, size_t blocks)
{
	for (size_t b = 0; b < blocks; b++) {
		const uint8_t *tail = x + b * 56 + 48;
		const uint8_t half[2] = { (uint8_t)(tail[1] >> 4 | tail[3] >> 4 << 4), (uint8_t)(tail[5] >> 4 | tail[7] >> 4 << 4) };
		float d = gllm_block_f16(half);
		for (size_t k = 0; k < 4; k++) {
			const uint8_t *index = x + b * 56 + k * 8, *upper = x + b * 56 + 32 + k * 4;
			unsigned word = tail[k * 2] | (unsigned)tail[k * 2 + 1] << 8;
			float *to = y + b * 256 + k * 64;
			iq1_m_part(to, index, upper[0], d * (float)(int)((word & 7) * 2 + 1));
			iq1_m_part(to + 16, index + 2, upper[1], d * (float)(int)((word >> 3 & 7) * 2 + 1));
			iq1_m_part(to + 32, index + 4, upper[2], d * (float)(int)((word >> 6 & 7) * 2 + 1));
			iq1_m_part(to + 48, index + 6, upper[3], d * (float)(int)((word >> 9 & 7) * 2 + 1));
		}
	}
}
