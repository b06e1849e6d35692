/* SPDX-License-Identifier: MIT
 * tests/diff/math_ulp.c - greatest error of the functions of ops/math.c, ops/erf.c and ops/prim.c, against the C library's double
 * functions (error below 1e-9 of a float's last place, so a measured figure is good to that).
 *
 * Usage: math_ulp [-a | -s STEP] [NAME..]     -a all 2^32 arguments, else every STEP-th bit pattern (1009)
 * Prints one line per function and range; exit code 1 if one is above its stated bound. Link with these files
 * compiled as the library compiles them, and once more with -mfma -ffp-contract=fast for ops/math.c and ops/erf.c. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "core/bits.h"
#include "gllm/ops.h"

static double sqrt_(double x) { return sqrt(x); }
static double rint_(double x) { return nearbyint(x); }

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

int main(int argc, char **argv)
{
	uint64_t step = 1009;
	int i = 1, failed = 0;
	for (; i < argc && argv[i][0] == '-'; i++) {
		if (!strcmp(argv[i], "-a"))
			step = 1;
		else if (!strcmp(argv[i], "-s") && i + 1 < argc && atoi(argv[i + 1]) > 0)
			step = (uint64_t)atoi(argv[++i]);
		else
			return fprintf(stderr, "usage: math_ulp [-a | -s STEP] [NAME..]\n"), 2;
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
