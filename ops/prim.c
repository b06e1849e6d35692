/* SPDX-License-Identifier: MIT
 * ops/prim.c - primitives: the functions the lifter knows by address and never reads.
 *
 * These are their scalar definitions, correctly rounded for every input. They are compiled like the operators
 * (-ffp-contract=off -fno-math-errno): the exact sums below must not be contracted. NaN in gives a quiet NaN out. */
#include "core/bits.h"
#include "gllm/ops.h"

enum { F16_QUIET = 0x200, BF16_QUIET = 0x40 };
#define F32_QUIET 0x00400000u
#define F32_INF   0x7f800000u

float gllm_sqrtf(float x)
{
	return __builtin_sqrtf(x);
}

float gllm_rintf(float x)
{
	const float unit = 0x1p23f; /* from here on every float is whole */
	float a = gllm_bits_f32(gllm_f32_bits(x) & 0x7fffffffu);
	if (!(a < unit))
		return x + 0.0f; /* quiets NaN */
	float r = (a + unit) - unit;
	return gllm_bits_f32(gllm_f32_bits(r) | (gllm_f32_bits(x) & 0x80000000u));
}

float gllm_ldexpf(float x, int n)
{
	/* The product is exact in double (|n| <= 400 keeps it normal, and decides every result); one rounding follows. */
	int k = n < -400 ? -400 : n > 400 ? 400 : n;
	return (float)((double)x * gllm_bits_f64((uint64_t)(1023 + k) << 52));
}

float gllm_fmaf(float a, float b, float c)
{
	double p = (double)a * (double)b; /* exact: 48 bits */
	double s = p + (double)c;
	double cc = s - p;
	double err = (p - (s - cc)) + ((double)c - cc); /* s + err is the exact sum */
	uint64_t u = gllm_f64_bits(s);
	if ((u >> 52 & 0x7ff) == 0x7ff)
		return (float)s;
	/* Rounding to odd in double makes the second rounding see that the sum was inexact. */
	if (err != 0 && !(u & 1))
		u = (err > 0) == (s > 0) ? u + 1 : u - 1;
	return (float)gllm_bits_f64(u);
}

float gllm_f16_to_f32(uint16_t h)
{
	uint32_t sign = (uint32_t)(h & 0x8000) << 16, mant = h & 0x3ff, exp = h >> 10 & 0x1f;
	if (exp == 31)
		return gllm_bits_f32(sign | F32_INF | (mant ? (mant | F16_QUIET) << 13 : 0));
	if (exp == 0) /* mant * 2^-24, exact */
		return gllm_bits_f32(sign | gllm_f32_bits((float)mant * 0x1p-24f));
	return gllm_bits_f32(sign | (exp + 112) << 23 | mant << 13);
}

uint16_t gllm_f32_to_f16(float x)
{
	uint32_t u = gllm_f32_bits(x), sign = u >> 16 & 0x8000, a = u & 0x7fffffff;
	if (a > F32_INF)
		return (uint16_t)(sign | 0x7c00 | F16_QUIET | (a >> 13 & 0x3ff));
	if (a >= 0x47800000) /* 65536; values from 65520 on round up into infinity below */
		return (uint16_t)(sign | 0x7c00);
	if (a < 0x38800000) { /* below 2^-14: adding 0.5 puts the rounding at the last place of a denormal */
		uint32_t r = gllm_f32_bits(gllm_bits_f32(a) + 0.5f) - 0x3f000000;
		return (uint16_t)(sign | r);
	}
	return (uint16_t)(sign | (a - 0x38000000 + 0xfff + (a >> 13 & 1)) >> 13);
}

float gllm_bf16_to_f32(uint16_t h)
{
	uint32_t u = (uint32_t)h << 16;
	return gllm_bits_f32((u & 0x7fffffff) > F32_INF ? u | F32_QUIET : u);
}

uint16_t gllm_f32_to_bf16(float x)
{
	uint32_t u = gllm_f32_bits(x);
	if ((u & 0x7fffffff) > F32_INF)
		return (uint16_t)(u >> 16 | BF16_QUIET);
	return (uint16_t)((u + 0x7fff + (u >> 16 & 1)) >> 16);
}
