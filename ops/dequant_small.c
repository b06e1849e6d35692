/* SPDX-License-Identifier: MIT
 * ops/dequant_small.c - ternary numbers, 4-bit floats, and the linear 3- and 4-bit blocks that importers build. */
#include "ops/block.h"

/* Digit k of five base-3 digits held as a fraction of 256; `power` is 3^k. -1, 0, 1 */
static inline float digit(uint8_t v, unsigned power, float d)
{
	return (float)((int)((v * power & 255) * 3 >> 8) - 1) * d;
}

/* 256 elements, 54 bytes: 48 bytes of five digits, 4 bytes of four; f16 d */
void gllm_ref_dequant_tq1_0(float *restrict y, const uint8_t *restrict x, size_t blocks)
{
	for (size_t b = 0; b < blocks; b++) {
		float d = gllm_block_f16(x + b * 54 + 52);
		for (size_t i = 0; i < 32; i++) {
			uint8_t v = x[b * 54 + i];
			float *to = y + b * 256 + i;
			to[0] = digit(v, 1, d), to[32] = digit(v, 3, d), to[64] = digit(v, 9, d), to[96] = digit(v, 27, d);
			to[128] = digit(v, 81, d);
		}
		for (size_t i = 0; i < 16; i++) {
			uint8_t v = x[b * 54 + 32 + i];
			float *to = y + b * 256 + 160 + i;
			to[0] = digit(v, 1, d), to[16] = digit(v, 3, d), to[32] = digit(v, 9, d), to[48] = digit(v, 27, d);
			to[64] = digit(v, 81, d);
		}
		for (size_t i = 0; i < 4; i++) {
			uint8_t v = x[b * 54 + 48 + i];
			float *to = y + b * 256 + 240 + i;
			to[0] = digit(v, 1, d), to[4] = digit(v, 3, d), to[8] = digit(v, 9, d), to[12] = digit(v, 27, d);
		}
	}
}

/* 256 elements, 66 bytes: 2-bit codes, four elements 32 apart in a byte; f16 d. (q - 1) * d */
void gllm_ref_dequant_tq2_0(float *restrict y, const uint8_t *restrict x, size_t blocks)
{
	for (size_t b = 0; b < blocks; b++) {
		float d = gllm_block_f16(x + b * 66 + 64);
		for (size_t h = 0; h < 2; h++) {
			for (size_t l = 0; l < 32; l++) {
				uint8_t v = x[b * 66 + h * 32 + l];
				float *to = y + b * 256 + h * 128 + l;
				to[0] = (float)(gllm_block_2(v, 0) - 1) * d;
				to[32] = (float)(gllm_block_2(v, 2) - 1) * d;
				to[64] = (float)(gllm_block_2(v, 4) - 1) * d;
				to[96] = (float)(gllm_block_2(v, 6) - 1) * d;
			}
		}
	}
}

/* Twice the value of a 4-bit float (sign, two bits of exponent, one of mantissa): 0 1 2 3 4 6 8 12 and their negatives. */
static inline float e2m1_twice(int n)
{
	int t = n & 7, high = t >> 2;
	int v = t + high * (t & 3) + (high & t >> 1 & t) * 2;
	return (float)(v * (1 - (n >> 3) * 2));
}

/* 32 elements, 17 bytes: an exponent; nibbles, two elements 16 apart in a byte. Half of 2^(E - 127) times twice the value;
 * E = 255 is no special case. */
void gllm_ref_dequant_mxfp4(float *restrict y, const uint8_t *restrict x, size_t blocks)
{
	for (size_t b = 0; b < blocks; b++) {
		float scale = gllm_ldexpf(1.0f, (int)x[b * 17] - 128);
		for (size_t i = 0; i < 16; i++) {
			uint8_t v = x[b * 17 + 1 + i];
			y[b * 32 + i] = e2m1_twice(gllm_block_low(v)) * scale;
			y[b * 32 + 16 + i] = e2m1_twice(gllm_block_high(v)) * scale;
		}
	}
}

/* 64 elements, 36 bytes: four scales (8-bit floats without sign: four bits of exponent, three of mantissa; 127 gives 0); 8
 * bytes of nibbles for each 16 elements, two elements 8 apart in a byte. */
void gllm_ref_dequant_nvfp4(float *restrict y, const uint8_t *restrict x, size_t blocks)
{
	for (size_t b = 0; b < blocks; b++) {
		for (size_t s = 0; s < 4; s++) {
			uint32_t u = x[b * 36 + s];
			/* As bits of a float the fields stand 2^120 too low; half is wanted. Exact, denormals included. */
			float scale = gllm_bits_f32((u & 127) << 20) * 0x1p119f;
			scale = u == 127 ? 0.0f : scale;
			for (size_t i = 0; i < 8; i++) {
				uint8_t v = x[b * 36 + 4 + s * 8 + i];
				y[b * 64 + s * 16 + i] = e2m1_twice(gllm_block_low(v)) * scale;
				y[b * 64 + s * 16 + 8 + i] = e2m1_twice(gllm_block_high(v)) * scale;
			}
		}
	}
}

/* 128 elements, 72 bytes: f16 scale, 2 bytes unused, f16 zero, 2 bytes unused; 64 bytes of two neighbours, low nibble
 * first. (q - zero) * scale. Importers of AWQ and GPTQ weights build this block. */
void gllm_ref_dequant_group4(float *restrict y, const uint8_t *restrict x, size_t blocks)
{
	for (size_t b = 0; b < blocks; b++) {
		float scale = gllm_block_f16(x + b * 72), zero = gllm_block_f16(x + b * 72 + 4);
		for (size_t i = 0; i < 64; i++) {
			uint8_t v = x[b * 72 + 8 + i];
			y[b * 128 + i * 2] = ((float)gllm_block_low(v) - zero) * scale;
			y[b * 128 + i * 2 + 1] = ((float)gllm_block_high(v) - zero) * scale;
		}
	}
}

/* 256 elements, 130 bytes: f16 d; 96 bytes of 3-bit codes, lowest bit first; 32 bytes unused. d * (q - 4). The linear form:
 * tables of centroids are not this block. */
void gllm_ref_dequant_squeeze(float *restrict y, const uint8_t *restrict x, size_t blocks)
{
	for (size_t b = 0; b < blocks; b++) {
		float d = gllm_block_f16(x + b * 130);
		for (size_t i = 0; i < 32; i++) {
			const uint8_t *v = x + b * 130 + 2 + i * 3;
			float *to = y + b * 256 + i * 8;
			to[0] = d * (float)((v[0] & 7) - 4);
			to[1] = d * (float)((v[0] >> 3 & 7) - 4);
			to[2] = d * (float)((v[0] >> 6) + (v[1] & 1) * 4 - 4);
			to[3] = d * (float)((v[1] >> 1 & 7) - 4);
			to[4] = d * (float)((v[1] >> 4 & 7) - 4);
			to[5] = d * (float)((v[1] >> 7) + (v[2] & 3) * 2 - 4);
			to[6] = d * (float)((v[2] >> 2 & 7) - 4);
			to[7] = d * (float)((v[2] >> 5) - 4);
		}
	}
}
