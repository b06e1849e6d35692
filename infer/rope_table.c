/* SPDX-License-Identifier: MIT
 * infer/rope_table.c - cosines and sines of a position, in double precision.
 *
 * What must stay true: no statement holds both a product and a sum, so no compiler may fuse them and every machine gets
 * the same bits. Errors below are of the truncated series; rounding adds a few units of 2^-53. */
#include "infer/rope.h"
#include "core/bits.h"

/* a * b + c, rounded twice. */
static inline double mul_add(double a, double b, double c)
{
	double p = a * b;
	return p + c;
}

static double polynomial(const double *coefficient, unsigned n, double x)
{
	double sum = coefficient[0]; /* of the highest power */
	for (unsigned i = 1; i < n; i++)
		sum = mul_add(sum, x, coefficient[i]);
	return sum;
}

/* To the nearest integer; |x| < 2^51. */
static double nearest(double x)
{
	const double shift = 0x1.8p52;
	double y = x + shift;
	return y - shift;
}

/* log2 of a positive normal number: exponent plus ln(m) / ln 2 with m in [sqrt(1/2), sqrt(2)); ln(m) = 2 atanh(s),
 * s = (m - 1) / (m + 1), |s| < 0.172: error < 2e-18. */
static double log2_of(double x)
{
	static const double odd[] = { /* 2 / 21 .. 2 / 1 */
		2.0 / 21, 2.0 / 19, 2.0 / 17, 2.0 / 15, 2.0 / 13, 2.0 / 11, 2.0 / 9, 2.0 / 7, 2.0 / 5, 2.0 / 3, 2.0,
	};
	uint64_t bits = gllm_f64_bits(x);
	int exponent = (int)(bits >> 52 & 0x7ff) - 1023;
	double m = gllm_bits_f64((bits & 0xfffffffffffff) | 0x3ff0000000000000);
	if (m >= 0x1.6a09e667f3bcdp+0) {
		m *= 0.5;
		exponent++;
	}
	double s = (m - 1.0) / (m + 1.0), square = s * s;
	double ln = s * polynomial(odd, GLLM_COUNT(odd), square);
	return mul_add(ln, 0x1.71547652b82fep+0, (double)exponent);
}

/* 2^x for x <= 0; 0 below -1000. The series of exp on |f| <= ln 2 / 2: error < 2e-17. */
static double exp2_of(double x)
{
	static const double inverse_factorial[] = {
		1.0 / 87178291200, 1.0 / 6227020800, 1.0 / 479001600, 1.0 / 39916800, 1.0 / 3628800, 1.0 / 362880, 1.0 / 40320,
		1.0 / 5040, 1.0 / 720, 1.0 / 120, 1.0 / 24, 1.0 / 6, 0.5, 1.0, 1.0,
	};
	if (!(x > -1000.0))
		return 0.0;
	double whole = nearest(x), rest = x - whole;
	double f = rest * 0x1.62e42fefa39efp-1;
	double power = gllm_bits_f64((uint64_t)((int64_t)whole + 1023) << 52);
	return power * polynomial(inverse_factorial, GLLM_COUNT(inverse_factorial), f);
}

/* sin and cos of r, |r| <= pi / 4 and a little: errors < 1e-17 of the series. */
static double sin_near_0(double r)
{
	static const double c[] = {
		1.0 / 355687428096000, -1.0 / 1307674368000, 1.0 / 6227020800, -1.0 / 39916800, 1.0 / 362880, -1.0 / 5040,
		1.0 / 120, -1.0 / 6, 1.0,
	};
	double square = r * r;
	return r * polynomial(c, GLLM_COUNT(c), square);
}

static double cos_near_0(double r)
{
	static const double c[] = {
		1.0 / 20922789888000, -1.0 / 87178291200, 1.0 / 479001600, -1.0 / 3628800, 1.0 / 40320, -1.0 / 720, 1.0 / 24,
		-0.5, 1.0,
	};
	double square = r * r;
	return polynomial(c, GLLM_COUNT(c), square);
}

/* x >= 0. pi / 2 in pieces of 21 bits: the products with a quadrant number below 2^31 are exact, and so are the
 * differences, but the last. */
static void sin_cos(double x, float *sin, float *cos)
{
	static const double half_pi[] = { 0x1.921fbp+0, 0x1.5110bp-22, 0x1.18469p-44, 0x1.13198a2e03707p-65 };
	double quadrant = x < 0x1p31 ? nearest(x * 0x1.45f306dc9c883p-1) : 0.0, r = x < 0x1p31 ? x : 0.0;
	for (unsigned i = 0; i < GLLM_COUNT(half_pi); i++) {
		double part = quadrant * half_pi[i];
		r -= part;
	}
	double s = sin_near_0(r), c = cos_near_0(r);
	unsigned q = (unsigned)(uint64_t)quadrant & 3;
	*sin = (float)(q == 0 ? s : q == 1 ? c : q == 2 ? -s : -c);
	*cos = (float)(q == 0 ? c : q == 1 ? -s : q == 2 ? -c : s);
}

void gllm_rope_table(float *cos, float *sin, uint64_t position, unsigned half, double theta_base, unsigned rope_dims)
{
	double octaves = theta_base >= 1.0 && theta_base <= 1e30 ? log2_of(theta_base) : 0.0;
	double dims = rope_dims ? (double)rope_dims : 2.0 * (double)half;
	for (unsigned i = 0; i < half; i++) {
		double turn = 2.0 * (double)i / dims;
		double exponent = -turn * octaves;
		sin_cos((double)position * exp2_of(exponent), &sin[i], &cos[i]);
	}
}
