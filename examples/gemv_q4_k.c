/* SPDX-License-Identifier: MIT
 * examples/gemv_q4_k.c - an operator of one's own over weights in Q4_K blocks (256 elements in 144 bytes: f16 d, dmin; 12 bytes
 * of scales; 128 bytes of nibbles, two elements 32 apart in a byte), compiled as ops/ is.
 *
 * y[r] = sum over the blocks of row r of (d * scale * n - dmin * minimum) * x. Byte by byte, since blocks are not aligned. */
#include "gllm/ops.h"

void my_gemv_q4_k(float *restrict y, const uint8_t *restrict w, const float *restrict x, size_t rows, size_t blocks);

static inline float size_of_half(const uint8_t *p)
{
	const union { uint32_t bits; float value; } a = { (uint32_t)p[0] << 13 | (uint32_t)(p[1] & 127) << 21 };
	return a.value * 0x1p112f; /* the bits are of a float 2^112 too low; scales are finite */
}

/* Scales and minimums have 6 bits: those of the first four parts lie in a byte each, those of the last four in nibbles of p[8],
 * p[9] and the top bits of the others. */
static inline float early(float d, uint8_t p)
{
	return d * (float)(p & 63);
}

static inline float late(float d, int nibble, uint8_t p)
{
	return d * (float)(nibble + (p >> 6) * 16);
}

void my_gemv_q4_k(float *restrict y, const uint8_t *restrict w, const float *restrict x, size_t rows, size_t blocks)
{
	for (size_t r = 0; r < rows; r++) {
		float sum = 0.0f;
		for (size_t b = 0; b < blocks; b++) {
			const uint8_t *q = w + (r * blocks + b) * 144;
			float d = size_of_half(q) * (float)(1 - (q[1] >> 7) * 2), low = size_of_half(q + 2) * (float)((q[3] >> 7) * 2 - 1); /* -dmin */
			for (size_t g = 0; g < 2; g++) { /* parts 2g and 2g + 1 of each half */
				const uint8_t *p = q + 4 + g * 2;
				float s0 = early(d, p[0]), s1 = early(d, p[1]), s2 = late(d, p[8] & 15, p[0]), s3 = late(d, p[9] & 15, p[1]);
				float m0 = early(low, p[4]), m1 = early(low, p[5]), m2 = late(low, p[8] >> 4, p[4]), m3 = late(low, p[9] >> 4, p[5]);
				for (size_t l = 0; l < 32; l++) {
					uint8_t v = q[16 + g * 32 + l], u = q[80 + g * 32 + l];
					const float *t = x + b * 256 + g * 64 + l;
					float first = t[0] * gllm_fmaf((float)(v & 15), s0, m0), second = t[128] * gllm_fmaf((float)(u & 15), s2, m2);
					first = gllm_fmaf(t[32], gllm_fmaf((float)(v >> 4), s1, m1), first);
					second = gllm_fmaf(t[160], gllm_fmaf((float)(u >> 4), s3, m3), second);
					sum += first + second;
				}
			}
		}
		y[r] = sum;
	}
}
