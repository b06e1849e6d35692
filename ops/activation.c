/* SPDX-License-Identifier: MIT
 * ops/activation.c - smooth activations, each right at its limits: silu and the gelus go to -0 at -inf. By the rules of
 * ops/math.c.
 *
 * Greatest error in units in the last place over all arguments (tests/diff/math_ulp.c -a), denormal results included:
 *              separate  fused  bound
 *   sigmoid      2.00     2.00     2
 *   silu         2.00     2.00     2
 *   gelu         1.99     1.99     2
 *   gelu_erf     1.98     1.92     2 */
#include "ops/exp.h"

/* 2^n for shifted = n + EXPONENT_MAGIC, n <= 127. Below 2^-126 the power does not matter. */
static inline float power_of(float shifted)
{
	const float least = EXPONENT_MAGIC - 126.0f;
	return gllm_bits_f32(gllm_f32_bits(shifted > least ? shifted : least) << 23);
}

/* x / (1 + e^-v) = 2^n x / (2^n + e^-r), v = n ln 2 + r, e^-r = 1 + q r, sum = q r + 2^n. The 1 is added last: 2^n + e^-r would be
 * rounded twice where they differ by 2^24. (The power stands behind q: before it, compilers would compute q once more for
 * arguments whose power is known.) */
static inline float over(float x, float sum, float shifted)
{
	return gllm_ldexpf(x / (1.0f + sum), (int)(shifted - EXPONENT_MAGIC));
}

/* 1 / (1 + e^-x) */
static inline float sigmoid(float x)
{
	float d = x < -117.0f ? -117.0f : x; /* the result is 0 from there; NaN passes */
	float c = d > 80.0f ? 80.0f : d;     /* 1 */
	float shifted = (d < 80.0f ? d : 80.0f) * LOG2_E + EXPONENT_MAGIC, n = shifted - EXPONENT_MAGIC; /* numbers always */
	float r = (c - n * LN2_HIGH) - n * LN2_LOW;
	float q = gllm_exp_slope(r);
	return over(1.0f, q * r + power_of(shifted), shifted);
}

/* x * sigmoid(x) */
static inline float silu(float x)
{
	float d = x < -117.0f ? -117.0f : x; /* the result is 0 from there; NaN passes */
	float c = d < 80.0f ? d : 80.0f;     /* x; here NaN does not pass */
	float shifted = c * LOG2_E + EXPONENT_MAGIC, n = shifted - EXPONENT_MAGIC;
	float r = (c - n * LN2_HIGH) - n * LN2_LOW;
	float q = gllm_exp_slope(r);
	return over(d, q * r + power_of(shifted), shifted);
}

/* x/2 * (1 + tanh u) = x * sigmoid(2u), u = sqrt(2/pi) * (x + 0.044715 x^3)   (Hendrycks, Gimpel 2016).
 *
 * An error of 2u becomes one of e^2u that is as many times greater as 2u is. Hence 2u / ln 2 = x * (h + low) with an exact h
 * of 24 bits: of x^2, rounded to 1/32, times a factor of 12 bits. low makes up for what was rounded there and in h's constants.
 * Fused where a rounding more would be seen. */
static inline float gelu(float x)
{
	const float cubic = 0x1.a5a7d0p-4f, cubic_high = 0x1.a5ap-4f, cubic_low = 0x1.f3dd5cp-18f;
	float d = x < -10.8f ? -0.0f : x; /* the result is -0 from there; NaN passes */
	float c = d < 8.0f ? d : 8.0f;     /* x; here NaN does not pass */
	float square = (c * c + 0x1.8p18f) - 0x1.8p18f, excess = gllm_fmaf(-c, c, square);
	float h = square * cubic_high + 0x1.26983p+1f;
	float low = (square * cubic_low + 0x1.6921bcp-11f) - excess * cubic;
	float shifted = c * h + EXPONENT_MAGIC, n = shifted - EXPONENT_MAGIC;
	float r = gllm_fmaf(-c, low, gllm_fmaf(-c, h, n));
	float q = 0x1.3fe86ap-13f; /* 2^r = 1 + q r to 2^-27.7 of 2^r */
	q = q * r + 0x1.5f27e8p-10f;
	q = q * r + 0x1.3b30dcp-7f;
	q = q * r + 0x1.c6af58p-5f;
	q = q * r + 0x1.ebfbd8p-3f;
	q = gllm_fmaf(q, r, 0x1.62e430p-1f);
	return over(d, gllm_fmaf(q, r, power_of(shifted)), shifted);
}

/* 1 / (R e^(a^2/2)) for R the integral of the normal density from a >= 0 on, and what its rounding lost: it grows from 2 like
 * sqrt(2 pi) a, less a rational function of a (2^-27.1 of the whole) that never is more than a fifth of it. */
static inline float mills(float a, float *lost)
{
	const float slope = 0x1.40d932p+1f;
	float q = 0x1.05ccd6p-22f;
	q = q * a + 0x1.0b52e8p-6f;
	q = q * a + 0x1.21de2ap-3f;
	q = q * a + 0x1.0c36dap-1f;
	q = q * a + 0x1.d25c10p-1f;
	float d = 0x1.0b89eep-7f;
	d = d * a + 0x1.4b2884p-4f;
	d = d * a + 0x1.760f5ap-2f;
	d = d * a + 0x1.c00c7ap-1f;
	d = d * a + 1.0f;
	float less = a * q / d;
	float high = gllm_fmaf(a, slope, 2.0f), low = gllm_fmaf(a, slope, 2.0f - high);
	float h = high - less;
	*lost = ((high - h) - less) + low;
	return h;
}

/* x/2 * (1 + erf(x / sqrt 2)): below zero -a e^(-a^2/2) / h, a = |x|, h = mills(a); above zero x less the same. a^2 is the sum of
 * two floats, the quotient -a / h of k and what k lost. */
static inline float gelu_erf(float x)
{
	float t = gllm_bits_f32(gllm_f32_bits(x) | 0x80000000u), lost; /* -|x| */
	float c = t > -14.9f ? t : -14.9f; /* the result is 0 from there */
	float square = c * c, rest = gllm_fmaf(c, c, -square);
	float n = gllm_round_near(square * (-0.5f * LOG2_E));
	float p = gllm_expm1_reduced((square * -0.5f - n * LN2_HIGH) - (rest * 0.5f + n * LN2_LOW));
	float h = mills(-c, &lost), inverse = 1.0f / h;
	float k = c * inverse, error = gllm_fmaf(-inverse, h, 1.0f) - inverse * lost;
	float high = gllm_fmaf(-c, inverse, k) - k * error; /* so much is k above; by this sign zeros below 0 are -0 */
	float m = gllm_ldexpf(k + gllm_fmaf(k, p, -(high * p + high)), (int)n), above = x + m;
	return m > above ? m : above;
}

void gllm_ref_sigmoid(float *restrict y, const float *restrict x, size_t n)
{
	for (size_t i = 0; i < n; i++)
		y[i] = sigmoid(x[i]);
}

void gllm_ref_silu(float *restrict y, const float *restrict x, size_t n)
{
	for (size_t i = 0; i < n; i++)
		y[i] = silu(x[i]);
}

/* silu(a) * b: a is the gate, b the up projection */
void gllm_ref_swiglu(float *restrict y, const float *restrict a, const float *restrict b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		y[i] = silu(a[i]) * b[i];
}

void gllm_ref_gelu(float *restrict y, const float *restrict x, size_t n)
{
	for (size_t i = 0; i < n; i++)
		y[i] = gelu(x[i]);
}

/* gelu(a) * b: a is the gate, b the up projection */
void gllm_ref_geglu(float *restrict y, const float *restrict a, const float *restrict b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		y[i] = gelu(a[i]) * b[i];
}

void gllm_ref_gelu_erf(float *restrict y, const float *restrict x, size_t n)
{
	for (size_t i = 0; i < n; i++)
		y[i] = gelu_erf(x[i]);
}
