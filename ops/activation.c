/* SPDX-License-Identifier: MIT
 * ops/activation.c - smooth activations, each right at its limits: silu and the gelus go to -0 at -inf. By the rules of
 * ops/math.c.
 *
 * Greatest error in units in the last place over all arguments (tests/diff/math_ulp.c -a), denormal results included:
 *              separate  fused  bound
 *   sigmoid      1.72     1.69     2
 *   silu         1.95     1.95     2
 *   gelu         1.95     1.95     2
 *   gelu_erf     1.98     1.98     2 */
#include "ops/exp.h"

static inline float minus_abs(float x)
{
	return gllm_bits_f32(gllm_f32_bits(x) | 0x80000000u);
}

/* 1 + e with e = 2^n g <= 1, and what that sum lost as a part of g. */
static inline float denominator(float g, int n, float *lost)
{
	float e = gllm_ldexpf(g, n), d = 1.0f + e;
	*lost = (e - (d - 1.0f)) * g; /* the difference is exact; divided by d it would be a little closer */
	return d;
}

/* 1 / (1 + e^-x), below zero e^x / (1 + e^x). */
static inline float sigmoid(float x)
{
	float t = minus_abs(x), lost;
	float c = t < -105.0f ? -105.0f : t; /* the result is 0 from there; NaN passes */
	float n = gllm_round_near((t > -105.0f ? t : -105.0f) * LOG2_E); /* a number always */
	float p = gllm_expm1_reduced((c - n * LN2_HIGH) - n * LN2_LOW);
	float d = denominator(p + 1.0f, (int)n, &lost);
	float m = gllm_ldexpf((p - lost) + 1.0f, (int)n);
	return (x > 0.0f ? 1.0f : m) / d;
}

/* x / d for x > 0, else 2^n k / d, d = 1 + e^t, t = -|x|, where 2^n k = t e^t, which is less than x above zero and more
 * below. NaN passes, and so does -0. */
static inline float gate(float x, float k, int n, float d)
{
	float m = gllm_ldexpf(k, n);
	return (m > x ? m : x) / d;
}

/* x * sigmoid(x) */
static inline float silu(float x)
{
	float t = minus_abs(x), lost;
	float c = t > -110.0f ? t : -110.0f; /* the result is 0 from there */
	float n = gllm_round_near(c * LOG2_E);
	float p = gllm_expm1_reduced((c - n * LN2_HIGH) - n * LN2_LOW);
	float d = denominator(p + 1.0f, (int)n, &lost);
	return gate(x, gllm_fmaf(c, p - lost, c), (int)n, d);
}

/* x/2 * (1 + tanh u) = x * sigmoid(2u), u = sqrt(2/pi) * (x + 0.044715 x^3)   (Hendrycks, Gimpel 2016).
 *
 * An error of 2u becomes one of e^2u that is as many times greater as 2u is. Hence 2u is made of exact parts: in units of
 * 2 sqrt(2/pi) * 2^13 / 200000 it is x * (200000 + 8943 x^2) / 2^13, where 8943 has 14 bits and x^2, rounded to eighths, 10. */
static inline float gelu(float x)
{
	const float unit = 1.0f / 8192.0f;
	float t = minus_abs(x), lost;
	float c = t > -11.0f ? t : -11.0f; /* the result is 0 from there */
	float square = (c * c + 0x1.8p20f) - 0x1.8p20f, excess = gllm_fmaf(-c, c, square);
	float h = square * (8943.0f * unit) + 200000.0f * unit; /* exact */
	float v = c * h;
	float n = gllm_round_near(v * 0x1.823f16p-4f); /* 1 / ln 2 in these units; then ln 2 in two parts */
	float excess_v = c * (8943.0f * unit) * excess + gllm_fmaf(-c, h, v);
	float r = (v - n * 0x1.535ap+3f) - (excess_v + n * -0x1.c4935p-14f);
	const float linear = 0x1.0bb9c4p-4f; /* e^r - 1 = (linear + q) r to 2^-28.2 of e^r; what q rounds off is kept out of p */
	float q = 0x1.df6d72p-34f;
	q = q * r + 0x1.5786a4p-27f;
	q = q * r + 0x1.984a8ep-21f;
	q = q * r + 0x1.8668d0p-15f;
	q = q * r + 0x1.17fd04p-9f;
	q = q * r;
	float d = denominator(gllm_fmaf(q + linear, r, 1.0f), (int)n, &lost);
	float minus_p = gllm_fmaf(-linear, r, gllm_fmaf(-q, r, lost));
	return gate(x, gllm_fmaf(-c, minus_p, c), (int)n, d);
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
	float t = minus_abs(x), lost;
	float c = t > -14.5f ? t : -14.5f; /* the result is 0 from there */
	float square = c * c, rest = gllm_fmaf(c, c, -square);
	float n = gllm_round_near(square * (-0.5f * LOG2_E));
	float p = gllm_expm1_reduced((square * -0.5f - n * LN2_HIGH) - (rest * 0.5f + n * LN2_LOW));
	float h = mills(-c, &lost), inverse = 1.0f / h;
	float k = c * inverse, error = gllm_fmaf(-inverse, h, 1.0f) - inverse * lost;
	float low = k * error - gllm_fmaf(-c, inverse, k); /* in this order -0 stays -0 */
	float m = gllm_ldexpf(k + gllm_fmaf(k, p, low * p + low), (int)n), above = x + m;
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
