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

/* x / (1 + e^-v) = 2^n x / (2^n + e^-r), v = n ln 2 + r, shifted = n + EXPONENT_MAGIC, n <= 127, e^-r = 1 + q r. The 1
 * is added last: 2^n + e^-r would be rounded twice where they differ by 2^24. Below 2^-126 the power does not matter.
 * (It stands behind q: before it, compilers would compute q once more for arguments whose power is known.) */
static inline float over(float x, float q, float r, float shifted)
{
	const float least = EXPONENT_MAGIC - 126.0f;
	float power = gllm_bits_f32(gllm_f32_bits(shifted > least ? shifted : least) << 23);
	return gllm_ldexpf(x / (1.0f + (q * r + power)), (int)(shifted - EXPONENT_MAGIC));
}

/* 1 / (1 + e^-x) */
static inline float sigmoid(float x)
{
	float d = x < -110.0f ? -110.0f : x; /* the result is 0 from there; NaN passes */
	float c = d > 80.0f ? 80.0f : d;     /* 1 */
	float shifted = (d < 80.0f ? d : 80.0f) * LOG2_E + EXPONENT_MAGIC, n = shifted - EXPONENT_MAGIC; /* numbers always */
	float r = (c - n * LN2_HIGH) - n * LN2_LOW;
	return over(1.0f, gllm_exp_slope(r), r, shifted);
}

/* x * sigmoid(x) */
static inline float silu(float x)
{
	float d = x < -110.0f ? -110.0f : x; /* the result is 0 from there; NaN passes */
	float c = d < 80.0f ? d : 80.0f;     /* x; here NaN does not pass */
	float shifted = c * LOG2_E + EXPONENT_MAGIC, n = shifted - EXPONENT_MAGIC;
	float r = (c - n * LN2_HIGH) - n * LN2_LOW;
	return over(d, gllm_exp_slope(r), r, shifted);
}

/* x/2 * (1 + tanh u) = x * sigmoid(2u), u = sqrt(2/pi) * (x + 0.044715 x^3)   (Hendrycks, Gimpel 2016).
 *
 * An error of 2u becomes one of e^2u that is as many times greater as 2u is. Hence 2u is made of exact parts: in units of
 * 2 sqrt(2/pi) * 2^13 / 200000 it is x * (200000 + 8943 x^2) / 2^13, where 8943 has 14 bits and x^2, rounded to eighths, 10. */
static inline float gelu(float x)
{
	const float unit = 1.0f / 8192.0f;
	float d = x < -11.0f ? -11.0f : x; /* the result is 0 from there; NaN passes */
	float c = d < 8.0f ? d : 8.0f;     /* x; here NaN does not pass */
	float square = (c * c + 0x1.8p20f) - 0x1.8p20f, excess = gllm_fmaf(-c, c, square);
	float h = square * (8943.0f * unit) + 200000.0f * unit; /* exact */
	float v = c * h, excess_v = c * (8943.0f * unit) * excess + gllm_fmaf(-c, h, v);
	float shifted = v * 0x1.823f16p-4f + EXPONENT_MAGIC, n = shifted - EXPONENT_MAGIC; /* 1 / ln 2 in these units */
	float r = (v - n * 0x1.535ap+3f) - (excess_v + n * -0x1.c4935p-14f);               /* ln 2 in two parts */
	float q = 0x1.df6d72p-34f; /* e^-r = 1 + q r to 2^-28.2 of e^-r */
	q = q * r + -0x1.5786a4p-27f;
	q = q * r + 0x1.984a8ep-21f;
	q = q * r + -0x1.8668d0p-15f;
	q = q * r + 0x1.17fd04p-9f;
	q = q * r + -0x1.0bb9c4p-4f;
	return over(d, q, r, shifted);
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
	float c = t > -14.5f ? t : -14.5f; /* the result is 0 from there */
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
