/* SPDX-License-Identifier: MIT
 * tests/diff/math_ulp.c - greatest error of the functions of ops/math.c, ops/erf.c, ops/prim.c and of some activations, against the C library's double
 * functions (error below 1e-9 of a float's last place, so a measured figure is good to that).
 *
 * Usage: math_ulp [-a | -s STEP | -o] [NAME..]     -a all 2^32 arguments, else every STEP-th bit pattern (1009); -o the double
 * functions themselves against MPFR (built with -DWITH_MPFR)
 * Prints one line per function and range; exit code 1 if one is above its stated bound. Link with these files
 * compiled as the library compiles them, and once more with -mfma -ffp-contract=fast for all but ops/prim.c. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "core/bits.h"
#include "gllm/ops.h"

static double sqrt_(double x) { return sqrt(x); }
static double rint_(double x) { return nearbyint(x); }

/* Operators that are one function. */
static float sigmoid(float x)
{
	float y;
	gllm_ref_sigmoid(&y, &x, 1);
	return y;
}
static double sigmoid_(double x) { return 1 / (1 + exp(-x)); }
static float silu(float x)
{
	float y;
	gllm_ref_silu(&y, &x, 1);
	return y;
}
static double silu_(double x) { return x == -INFINITY ? -0.0 : x / (1 + exp(-x)); }
static float gelu(float x)
{
	float y;
	gllm_ref_gelu(&y, &x, 1);
	return y;
}
/* Tails of e^-v and erfc lose as many digits as v has: long double has some to lose. */
static double gelu_(double x)
{
	long double v = -2 * sqrtl(2 / 3.14159265358979323846264338327950288L) * (x + 0.044715L * ((long double)x * x * x));
	return x == -INFINITY ? -0.0 : (double)(x / (1 + expl(v)));
}

static float gelu_erf(float x)
{
	float y;
	gllm_ref_gelu_erf(&y, &x, 1);
	return y;
}
static double gelu_erf_(double x)
{
	return x == -INFINITY ? -0.0 : (double)(0.5L * x * erfcl(-x * 0.70710678118654752440084436210484903928L));
}

/*  name     range of |x|      bound in ULP */
static const struct row {
	const char *name;
	float (*got)(float);
	double (*want)(double);
	double low, high, ulp, abs; /* passes if within ulp units in the last place or, where abs > 0, within abs */
} row[] = {
	{ "exp",  gllm_expf,  exp,   0, INFINITY, 1.0, 0 },
	{ "log",  gllm_logf,  log,   0, INFINITY, 1.0, 0 },
	{ "tanh", gllm_tanhf, tanh,  0, INFINITY, 2.0, 0 },
	{ "erf",  gllm_erff,  erf,   0, INFINITY, 2.0, 0 },
	{ "sin",  gllm_sinf,  sin,   0, 1e4,      2.0, 0 },
	{ "cos",  gllm_cosf,  cos,   0, 1e4,      2.0, 0 },
	{ "sin",  gllm_sinf,  sin,   1e4, 1e5,    0, 0x1p-19 },
	{ "cos",  gllm_cosf,  cos,   1e4, 1e5,    0, 0x1p-19 },
	{ "sigmoid", sigmoid, sigmoid_, 0, INFINITY, 2.0, 0 },
	{ "silu", silu,       silu_, 0, INFINITY, 2.0, 0 },
	{ "gelu", gelu,       gelu_, 0, INFINITY, 2.0, 0 },
	{ "gelu_erf", gelu_erf, gelu_erf_, 0, INFINITY, 2.0, 0 },
	{ "sqrt", gllm_sqrtf, sqrt_, 0, INFINITY, 0.5, 0 },
	{ "rint", gllm_rintf, rint_, 0, INFINITY, 0, 0 },
};

/* Error of `got` in units of the float format's last place at `want`; inf counts as the float after the greatest. */
static double error(float got, double want)
{
	if (isnan(want) || isnan(got))
		return isnan(want) && isnan(got) ? 0 : INFINITY;
	if (want == 0 || got == 0)
		if (want == got)
			return !signbit(want) == !signbit(got) ? 0 : INFINITY;
	if (isinf(want))
		return (double)got == want ? 0 : INFINITY;
	int exp;
	frexp(want, &exp);
	double ulp = ldexp(1, exp < -125 ? -149 : exp > 128 ? 104 : exp - 24);
	double g = isinf(got) ? copysign(0x1p128, got) : got;
	double w = fabs(want) > 0x1p128 ? copysign(0x1p128, want) : want;
	return fabs(g - w) / ulp;
}

static int run(const struct row *r, uint64_t step)
{
	double most = 0, most_abs = 0;
	float at = 0;
	uint64_t n = 0;
	for (uint64_t u = 0; u < UINT64_C(1) << 32; u += step) {
		float x = gllm_bits_f32((uint32_t)u);
		double a = fabs((double)x);
		if (!(isnan(a) ? isinf(r->high) : a >= r->low && a <= r->high))
			continue;
		float got = r->got(x);
		double want = r->want(x), e = error(got, want);
		n++;
		if (e > most) {
			most = e;
			at = x;
		}
		if (fabs(got - want) > most_abs)
			most_abs = fabs(got - want);
	}
	int ok = n > 0 && (r->abs > 0 ? most_abs <= r->abs : most <= r->ulp);
	printf("%-5s %s |x| in [%g, %g]: %llu arguments, most %.4f ULP at %.9g (%a), absolute %.3g; bound %g %s\n", r->name,
	       ok ? "ok  " : "FAIL", r->low, r->high, (unsigned long long)n, most, (double)at, (double)at, most_abs,
	       r->abs > 0 ? r->abs : r->ulp, r->abs > 0 ? "absolute" : "ULP");
	return ok;
}

#ifdef WITH_MPFR
#include <mpfr.h>

static int mpfr_error(const struct row *r, int (*exact)(mpfr_t, const mpfr_t, mpfr_rnd_t), uint64_t step)
{
	double most = 0;
	mpfr_t x, y;
	mpfr_init2(x, 24);
	mpfr_init2(y, 120);
	for (uint64_t u = 0; u < UINT64_C(1) << 32; u += step) {
		float f = gllm_bits_f32((uint32_t)u);
		double want = r->want(f);
		if (isnan(f) || isnan(want) || isinf(want) || fabs(want) < 0x1p-149)
			continue;
		int exp;
		frexp(want, &exp);
		mpfr_set_flt(x, f, MPFR_RNDN);
		exact(y, x, MPFR_RNDN);
		mpfr_sub_d(y, y, want, MPFR_RNDN);
		double e = fabs(mpfr_get_d(y, MPFR_RNDN)) / ldexp(1, exp < -125 ? -149 : exp - 24);
		most = e > most ? e : most;
	}
	mpfr_clears(x, y, (mpfr_ptr)0);
	printf("%-5s %s the double function against MPFR, every %llu-th argument: at most %.3g of a float's ULP\n", r->name,
	       most < 1e-7 ? "ok  " : "FAIL", (unsigned long long)step, most);
	return most < 1e-7;
}

static int mpfr_sigmoid(mpfr_t y, const mpfr_t x, mpfr_rnd_t r)
{
	mpfr_neg(y, x, r);
	mpfr_exp(y, y, r);
	mpfr_add_ui(y, y, 1, r);
	return mpfr_ui_div(y, 1, y, r);
}

static int mpfr_silu(mpfr_t y, const mpfr_t x, mpfr_rnd_t r)
{
	mpfr_sigmoid(y, x, r);
	return mpfr_mul(y, y, x, r);
}

static int mpfr_gelu(mpfr_t y, const mpfr_t x, mpfr_rnd_t r)
{
	mpfr_t u;
	mpfr_init2(u, mpfr_get_prec(y));
	mpfr_sqr(u, x, r);
	mpfr_mul_ui(u, u, 44715, r);
	mpfr_div_ui(u, u, 1000000, r);
	mpfr_add_ui(u, u, 1, r);
	mpfr_mul(u, u, x, r);
	mpfr_const_pi(y, r);
	mpfr_ui_div(y, 8, y, r); /* 2 sqrt(2 / pi) */
	mpfr_sqrt(y, y, r);
	mpfr_mul(u, u, y, r);
	mpfr_sigmoid(y, u, r);
	mpfr_clear(u);
	return mpfr_mul(y, y, x, r);
}

static int mpfr_gelu_erf(mpfr_t y, const mpfr_t x, mpfr_rnd_t r)
{
	mpfr_sqrt_ui(y, 2, r);
	mpfr_div(y, x, y, r);
	mpfr_neg(y, y, r);
	mpfr_erfc(y, y, r);
	mpfr_mul(y, y, x, r);
	return mpfr_div_2ui(y, y, 1, r);
}

/* What the functions are measured with is itself right. */
static int check_oracle(uint64_t step)
{
	static const struct { const char *name; int (*exact)(mpfr_t, const mpfr_t, mpfr_rnd_t); } of[] = {
		{ "exp", mpfr_exp }, { "log", mpfr_log }, { "tanh", mpfr_tanh }, { "erf", mpfr_erf },
		{ "sigmoid", mpfr_sigmoid }, { "silu", mpfr_silu }, { "gelu", mpfr_gelu }, { "gelu_erf", mpfr_gelu_erf },
	};
	int ok = 1;
	for (size_t i = 0; i < GLLM_COUNT(of); i++)
		for (size_t k = 0; k < GLLM_COUNT(row); k++)
			if (!strcmp(row[k].name, of[i].name))
				ok &= mpfr_error(&row[k], of[i].exact, step);
	return ok;
}
#else
static int check_oracle(uint64_t step)
{
	(void)step;
	printf("skip the double functions against MPFR: built without it\n");
	return 1;
}
#endif

int main(int argc, char **argv)
{
	uint64_t step = 1009;
	int i = 1, failed = 0;
	for (; i < argc && argv[i][0] == '-'; i++) {
		if (!strcmp(argv[i], "-a"))
			step = 1;
		else if (!strcmp(argv[i], "-o"))
			return !check_oracle(10007);
		else if (!strcmp(argv[i], "-s") && i + 1 < argc && atoi(argv[i + 1]) > 0)
			step = (uint64_t)atoi(argv[++i]);
		else
			return fprintf(stderr, "usage: math_ulp [-a | -s STEP | -o] [NAME..]\n"), 2;
	}
	for (size_t k = 0; k < GLLM_COUNT(row); k++) {
		int wanted = i >= argc;
		for (int j = i; j < argc; j++)
			wanted |= !strcmp(argv[j], row[k].name);
		if (wanted)
			failed += !run(&row[k], step);
	}
	return failed != 0;
}
