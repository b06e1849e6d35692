/* SPDX-License-Identifier: MIT
 * ops/math.c - exp, log, tanh, sin, cos as plain scalar code that is lifted, inlined and vectorised like an operator.
 *
 * Rules of this file: straight-line float arithmetic, integer adds and shifts of bit patterns, primitives, and selects
 * so small that no compiler moves the computation of an arm into a branch; never a select of two constants but 0 (it
 * becomes a table). No loops, tables or double, so the vector form is the same polynomial. The stated errors hold with
 * every product and sum rounded and also where they are joined into fused multiply-adds. Polynomials are minimax fits
 * (Remez) of relative error, coefficients rounded to float.
 *
 * Greatest error in units in the last place over all arguments (tests/diff/math_ulp.c -a), bound, conditions:
 *          separate  fused  bound
 *   exp      0.96     0.99    1     results round to 0, denormals and inf as they should
 *   log      0.87     0.87    1     denormals included; zeros give -inf, what is below gives NaN
 *   tanh     1.91     1.91    2
 *   sin      1.58     1.56    2     |x| <= 10^4; to 10^5 the absolute error is below 10^-6; further on it grows with the
 *   cos      1.56     1.57    2     distance between neighbouring floats; beyond 2^22 the result means nothing
 * Zeros keep their sign, infinities give the limit or NaN, NaN gives NaN. */
#include "ops/exp.h"

static const float inf = __builtin_inff();

/* e^x = 2^n * e^r. */
float gllm_expf(float x)
{
	/* From -104 down the result is 0 all the same. Above 89 it is inf: n stays 128, e^r only grows. NaN passes by way of r;
	 * n is a number always. (A product below 2^-160 is 0 at once, while x86 CPUs spend a hundred cycles on those that come nearer
	 * to the least denormal; this goes for the like bounds of ops/activation.c as well.) */
	float d = x < -111.0f ? -111.0f : x;
	float c = d < 89.0f ? d : 89.0f;
	float n = gllm_round_near(c * LOG2_E);
	float r = (d - n * LN2_HIGH) - n * LN2_LOW;
	return gllm_ldexpf(gllm_expm1_reduced(r) + 1.0f, (int)n);
}

/* log x = e * ln 2 + log(1 + f), 1 + f in [sqrt(1/2), sqrt(2)). */
float gllm_logf(float x)
{
	/* Zeros and denormals are scaled by 2^32 (+ 1 is lost there) first. What no logarithm exists for is garbage of
	 * finite value until the last line. */
	float small = x < 0x1p-126f ? 0x1p32f : 0.0f;
	uint32_t u = gllm_f32_bits(x * (small + 1.0f));
	uint32_t e = (uint32_t)((int32_t)(u - 0x3f3504f3u) >> 23);
	float f = gllm_bits_f32(u - (e << 23)) - 1.0f;
	float n = (float)(int32_t)e - small * 0x1p-27f;
	float z = f * f;
	float q = -0x1.38b608p-4f;
	q = q * f + 0x1.055ba6p-3f;
	q = q * f + -0x1.0d8544p-3f;
	q = q * f + 0x1.22da14p-3f;
	q = q * f + -0x1.547244p-3f;
	q = q * f + 0x1.99a008p-3f;
	q = q * f + -0x1.000228p-2f;
	q = q * f + 0x1.555554p-2f;
	float tail = (q * (f * z) + n * LN2_LOW) - 0.5f * z;
	float y = (f + tail) + n * LN2_HIGH;
	float below = -inf - (x < 0.0f ? x * inf : 0.0f); /* NaN below zero, else -inf */
	float special = x > 0.0f ? 0.0f : below;
	special = x < inf ? special : x;
	return y + special;
}

/* tanh a = h / (h + 1), h = (e^2a - 1) / 2 = 2^n * (e^2r - 1) / 2 + (2^n - 1) / 2, a = |x|: near 0 n is 0 and h as exact as
 * the polynomial. Beyond 10 the result is 1. NaN passes. What is computed is -h: there the last lines are fewest. Fused where
 * a rounding more would be seen: the float next to ln(2)/2 is so near that n * ln(2)/2, not rounded, is exact enough. */
float gllm_tanhf(float x)
{
	float a = gllm_bits_f32(gllm_f32_bits(x) & 0x7fffffffu);
	float c = a > 10.0f ? 10.0f : a;
	float shifted = c * 0x1.715476p+1f + EXPONENT_MAGIC;
	float n = shifted - EXPONENT_MAGIC;
	float r = gllm_fmaf(n, -0x1.62e430p-2f, c), z = r * r; /* |r| <= ln(2)/4 */
	float q = (0x1.686d24p-5f * z + (0x1.12473ep-3f * r + 0x1.5558aap-2f)) * z + (0x1.555482p-1f * r + 1.0f);
	float p = gllm_fmaf(q, z, r); /* (e^2r - 1) / 2, to 2^-26.2 of itself; the sum of pairs shortens the chain */
	float power = gllm_bits_f32(gllm_f32_bits(shifted) << 23);
	float h = gllm_fmaf(-p, power, 0.5f - power * 0.5f);
	/* -h / (h + 1) written so that the rounding of the quotient weighs little: h * h / (h + 1) - h or 1 / (h + 1) - 1. */
	float u = h < -1.0f ? -1.0f : h;
	float y = gllm_fmaf(u, u / (1.0f - h), u);
	return gllm_bits_f32((gllm_f32_bits(y) & 0x7fffffffu) | (gllm_f32_bits(x) & 0x80000000u));
}

/* sin or cos of x = n * pi/2 + r, |r| <= pi/4: quarter turns `ahead` of the sine. */
static inline float circle(float x, uint32_t ahead)
{
	float shifted = x * 0x1.45f306p-1f + ROUND_MAGIC;
	float n = shifted - ROUND_MAGIC;
	float r = x - n * 0x1.92p+0f; /* pi/2 in parts whose products with n are exact, but for the last */
	r = r - n * 0x1.fb4p-12f;
	float d = r - n * 0x1.444p-24f; /* what this rounding loses comes back with the last part */
	float lost = (r - d) - n * 0x1.444p-24f;
	r = d - (n * 0x1.68c234p-39f - lost); /* in this order -0 stays -0 */
	uint32_t quarter = gllm_f32_bits(shifted) + ahead;
	float z = r * r;
	float s = -0x1.9951eap-13f;
	s = s * z + 0x1.110774p-7f;
	s = s * z + -0x1.555546p-3f;
	s = (s * z + 0.0f) * r + r; /* + 0: a product of -0 would turn the sum for r = -0 into +0 */
	float c = 0x1.99e80cp-16f;
	c = c * z + -0x1.6c0c28p-10f;
	c = c * z + 0x1.55554ap-5f;
	c = c * (z * z) + (1.0f - 0.5f * z);
	/* Odd quarters swap the two, the second half of the turn is negative. */
	uint32_t swap = 0u - (quarter & 1), sb = gllm_f32_bits(s);
	return gllm_bits_f32(sb ^ ((sb ^ gllm_f32_bits(c)) & swap) ^ (quarter << 30 & 0x80000000u));
}

float gllm_sinf(float x)
{
	return circle(x, 0);
}

float gllm_cosf(float x)
{
	return circle(x, 1);
}
