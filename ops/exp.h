/* SPDX-License-Identifier: MIT
 * ops/exp.h - pieces of e^x for ops/math.c and ops/activation.c, by the rules at the head of ops/math.c. */
#ifndef GLLM_OPS_EXP_H
#define GLLM_OPS_EXP_H
#include "core/bits.h"
#include "gllm/ops.h"

/* v + ROUND_MAGIC holds v rounded to nearest even in its low bits, for |v| <= 2^22. */
#define ROUND_MAGIC 0x1.8p23f

#define LOG2_E 0x1.715476p+0f

/* ln 2 in two parts: products of the first with |n| < 2^15 are exact. */
#define LN2_HIGH 0x1.63p-1f
#define LN2_LOW -0x1.bd0106p-13f

/* v rounded to a whole number. */
static inline float gllm_round_near(float v)
{
	return (v + ROUND_MAGIC) - ROUND_MAGIC;
}

/* 1.5 * 2^23 + 127: v + EXPONENT_MAGIC, shifted left by 23, is 2^n for n = v rounded, -126 <= n <= 127. */
#define EXPONENT_MAGIC 12583039.0f

/* e^r - 1, |r| <= ln(2)/2. The error of the polynomial, less than 2^-27.5 of e^r, is least where r is near its low end: there
 * roundings weigh most. */
static inline float gllm_expm1_reduced(float r)
{
	float q = 0x1.609d36p-10f;
	q = q * r + 0x1.123618p-7f;
	q = q * r + 0x1.5565dcp-5f;
	q = q * r + 0x1.555498p-3f;
	q = q * r + 0x1.ffffecp-2f;
	return q * (r * r) + r;
}

/* (e^-r - 1) / r, the same polynomial. */
static inline float gllm_exp_slope(float r)
{
	float q = 0x1.609d36p-10f;
	q = q * r + -0x1.123618p-7f;
	q = q * r + 0x1.5565dcp-5f;
	q = q * r + -0x1.555498p-3f;
	q = q * r + 0x1.ffffecp-2f;
	return q * r + -1.0f;
}
#endif
