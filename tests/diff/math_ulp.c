/* SPDX-License-Identifier: MIT
 * tests/diff/math_ulp.c - greatest error of the functions of ops/math.c, ops/erf.c, ops/prim.c and of some activations.
 *
 * What is measured with is double precision first (math_wanted.c). Where the error by that comes within MARGIN of the greatest so
 * far, or is above it, MPFR decides; and for every SAMPLE-th argument, where the two must agree to half of MARGIN. The double
 * functions are right to 2^-19 of a float's last place. So no argument escapes whose error is the greatest, and that is exact.
 *
 * Usage: math_ulp [-a | -s STEP] [NAME..]     -a all 2^32 arguments, else every STEP-th bit pattern (1009)
 * Prints one line per function and range; exit code 1 if one is above its stated bound. Link with these files compiled as the
 * library compiles them, and once more with -mfma -ffp-contract=fast for all but ops/prim.c. Without -DWITH_MPFR all is measured
 * in double precision. */
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "core/bits.h"
#include "gllm/ops.h"
#include "tests/diff/math_wanted.h"

#ifdef WITH_MPFR
#include <mpfr.h>
#else
typedef int mpfr_t[1];
typedef int mpfr_rnd_t;
#define mpfr_exp NULL
#define mpfr_log NULL
#define mpfr_tanh NULL
#define mpfr_erf NULL
#define mpfr_sin NULL
#define mpfr_cos NULL
#define mpfr_sqrt NULL
#endif

enum { CHUNK = 4096, SAMPLE = 65537 };
#define MARGIN 0x1p-16

/* As loops over arrays. */
#define EACH(name, fn)                                                            \
	static void name(float *restrict y, const float *restrict x, size_t n)     \
	{                                                                          \
		for (size_t i = 0; i < n; i++)                                     \
			y[i] = fn(x[i]);                                           \
	}
EACH(each_exp, gllm_expf)
EACH(each_log, gllm_logf)
EACH(each_tanh, gllm_tanhf)
EACH(each_erf, gllm_erff)
EACH(each_sin, gllm_sinf)
EACH(each_cos, gllm_cosf)
EACH(each_sqrt, gllm_sqrtf)
EACH(each_rint, gllm_rintf)

static void wanted_rint(double *y, const float *x, size_t n)
{
	for (size_t i = 0; i < n; i++)
		y[i] = nearbyint(x[i]);
}

/* --- exactly -------------------------------------------------------------------------------------------------------- */

#ifdef WITH_MPFR
static int exact_rint(mpfr_t y, const mpfr_t x, mpfr_rnd_t r)
{
	(void)r;
	return mpfr_rint(y, x, MPFR_RNDN);
}

static int exact_sigmoid(mpfr_t y, const mpfr_t x, mpfr_rnd_t r)
{
	mpfr_neg(y, x, r);
	mpfr_exp(y, y, r);
	mpfr_add_ui(y, y, 1, r);
	return mpfr_ui_div(y, 1, y, r);
}

static int exact_silu(mpfr_t y, const mpfr_t x, mpfr_rnd_t r)
{
	exact_sigmoid(y, x, r);
	return mpfr_mul(y, y, x, r);
}

static int exact_gelu(mpfr_t y, const mpfr_t x, mpfr_rnd_t r)
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
	exact_sigmoid(y, u, r);
	mpfr_clear(u);
	return mpfr_mul(y, y, x, r);
}

static int exact_gelu_erf(mpfr_t y, const mpfr_t x, mpfr_rnd_t r)
{
	mpfr_sqrt_ui(y, 2, r);
	mpfr_div(y, x, y, r);
	mpfr_neg(y, y, r);
	mpfr_erfc(y, y, r);
	mpfr_mul(y, y, x, r);
	return mpfr_div_2ui(y, y, 1, r);
}
#else
#define exact_rint NULL
#define exact_sigmoid NULL
#define exact_silu NULL
#define exact_gelu NULL
#define exact_gelu_erf NULL
#endif

/*  name     range of |x|      bound in ULP */
static const struct row {
	const char *name;
	void (*got)(float *restrict y, const float *restrict x, size_t n);
	wanted_fn *want;
	int (*exact)(mpfr_t y, const mpfr_t x, mpfr_rnd_t r);
	double low, high, ulp, abs; /* passes if within ulp units in the last place or, where abs > 0, within abs */
	float limit[3]; /* at -inf, below 0 if that is NaN, at inf */
} row[] = {
#define OF(name) #name, each_##name, wanted_##name
	{ OF(exp),  mpfr_exp,  0, INFINITY, 1.0, 0, { 0, 0, INFINITY } },
	{ OF(log),  mpfr_log,  0, INFINITY, 1.0, 0, { NAN, NAN, INFINITY } },
	{ OF(tanh), mpfr_tanh, 0, INFINITY, 2.0, 0, { -1, 0, 1 } },
	{ OF(erf),  mpfr_erf,  0, INFINITY, 2.0, 0, { -1, 0, 1 } },
	{ OF(sin),  mpfr_sin,  0, 1e4,      2.0, 0, { NAN, 0, NAN } },
	{ OF(cos),  mpfr_cos,  0, 1e4,      2.0, 0, { NAN, 0, NAN } },
	{ OF(sin),  mpfr_sin,  1e4, 1e5,    0, 0x1p-19, { NAN, 0, NAN } },
	{ OF(cos),  mpfr_cos,  1e4, 1e5,    0, 0x1p-19, { NAN, 0, NAN } },
	{ "sigmoid", gllm_ref_sigmoid, wanted_sigmoid, exact_sigmoid, 0, INFINITY, 2.0, 0, { 0, 0, 1 } },
	{ "silu", gllm_ref_silu, wanted_silu, exact_silu, 0, INFINITY, 2.0, 0, { -0.0f, 0, INFINITY } },
	{ "gelu", gllm_ref_gelu, wanted_gelu, exact_gelu, 0, INFINITY, 2.0, 0, { -0.0f, 0, INFINITY } },
	{ "gelu_erf", gllm_ref_gelu_erf, wanted_gelu_erf, exact_gelu_erf, 0, INFINITY, 2.0, 0, { -0.0f, 0, INFINITY } },
	{ OF(sqrt), mpfr_sqrt, 0, INFINITY, 0.5, 0, { NAN, NAN, INFINITY } },
	{ OF(rint), exact_rint, 0, INFINITY, 0, 0, { -INFINITY, 0, INFINITY } },
#undef OF
};

/* --- measuring ------------------------------------------------------------------------------------------------------ */

struct measure {
	const struct row *row;
	double most, most_abs, apart; /* apart: between the double functions and MPFR */
	float at;
	uint64_t decided;
	int bad;                      /* NaN, inf or a sign where there should be none, or the other way round */
};

/* The last place of a float that lies where `want` does, inverted. */
static inline double places(double want)
{
	int e = (int)(gllm_f64_bits(want) >> 52 & 0x7ff) - 1023;
	int q = e < -126 ? -149 : e > 127 ? 104 : e - 23;
	return gllm_bits_f64((uint64_t)(1023 - q) << 52);
}

/* inf counts as the float after the greatest. */
static inline double within(double v)
{
	return v > 0x1p128 ? 0x1p128 : v < -0x1p128 ? -0x1p128 : v;
}

#ifdef WITH_MPFR
static double decide(struct measure *m, float x, float got, double want)
{
	static mpfr_t from, to;
	static int ready;
	if (!ready) {
		mpfr_init2(from, 24);
		mpfr_init2(to, 120);
		ready = 1;
	}
	mpfr_set_flt(from, x, MPFR_RNDN);
	m->row->exact(to, from, MPFR_RNDN);
	if (mpfr_cmp_abs(to, (mpfr_set_d(from, 0x1p127, MPFR_RNDN), from)) >= 0) /* may be no float */
		return fabs(within(got) - within(want)) * places(want);
	double p = places(mpfr_get_d(to, MPFR_RNDN)), apart;
	mpfr_sub_d(to, to, want, MPFR_RNDN);
	apart = mpfr_get_d(to, MPFR_RNDN);
	m->apart = fabs(apart) * p > m->apart ? fabs(apart) * p : m->apart;
	m->decided++;
	return fabs(((double)got - want) - apart) * p;
}
#else
static double decide(struct measure *m, float x, float got, double want)
{
	(void)m;
	(void)x;
	return fabs(within(got) - within(want)) * places(want);
}
#endif

/* What no arithmetic tells. */
static int is_special(const struct measure *m, float x)
{
	return x != x || x - x != 0 || x == 0 || (x < 0 && isnan(m->row->limit[1]));
}

static int special_is_right(const struct measure *m, float x, float got)
{
	const float *limit = m->row->limit;
	double y;
	if (x != x)
		return got != got;
	if (x == 0) {
		if (m->row->got == each_log)
			return got == -INFINITY;
		m->row->want(&y, &x, 1);
		return got == (float)y && (y != 0 || !signbit(got) == !signbit(x));
	}
	float want = isinf(x) ? limit[x < 0 ? 0 : 2] : limit[1];
	return isnan(want) ? isnan(got) : got == want && !signbit(got) == !signbit(want);
}

static void measure_chunk(struct measure *m, const float *x, size_t n, uint64_t before)
{
	static float got[CHUNK];
	static double want[CHUNK];
	if (!signbit(x[0]) == !signbit(x[n - 1]) && (fabs((double)x[0]) > m->row->high || fabs((double)x[n - 1]) < m->row->low))
		return; /* all of them are out of range */
	m->row->got(got, x, n);
	m->row->want(want, x, n);
	bool below = isnan(m->row->limit[1]); /* zero there are no results */
	for (size_t i = 0; i < n; i++) {
		double a = fabs((double)x[i]), off = within(got[i]) - within(want[i]), e = fabs(off) * places(want[i]);
		bool sample = (before + i) % SAMPLE == 0;
		if (a < m->row->low || (isnan(a) ? !isinf(m->row->high) : a > m->row->high))
			continue;
		if (e + MARGIN <= m->most && fabs(off) <= m->most_abs && got[i] != 0 && a < INFINITY && !(below && x[i] < 0) && !sample)
			continue; /* most arguments */
		if (is_special(m, x[i])) {
			m->bad += !special_is_right(m, x[i], got[i]);
			continue;
		}
		if (got[i] != got[i] || (got[i] == 0 && !signbit(got[i]) != !signbit(want[i]) && want[i] != 0))
			m->bad++;
		m->most_abs = fabs(off) > m->most_abs ? fabs(off) : m->most_abs;
		if ((sample || e + MARGIN > m->most) && e > 0) {
			e = decide(m, x[i], got[i], want[i]);
			m->at = e > m->most ? x[i] : m->at;
			m->most = e > m->most ? e : m->most;
		}
	}
}

static void measure(struct measure *m, uint64_t step)
{
	static float x[CHUNK];
	for (uint64_t u = 0; u < UINT64_C(1) << 32;) {
		size_t n = 0;
		uint64_t before = u / step;
		for (; n < CHUNK && u < UINT64_C(1) << 32; u += step)
			x[n++] = gllm_bits_f32((uint32_t)u);
		measure_chunk(m, x, n, before);
	}
}

static int run(const struct row *r, uint64_t step)
{
	struct measure m = { .row = r };
	if (step == 1)
		measure(&m, 1009); /* the greatest is nearly known then */
	measure(&m, step);
	int ok = !m.bad && m.apart <= MARGIN / 2 && (r->abs > 0 ? m.most_abs <= r->abs : m.most <= r->ulp);
	printf("%-8s %s |x| in [%g, %g]: most %.4f ULP at %.9g (%a), absolute %.3g; bound %g %s; %llu by MPFR, apart %.2g, %d wrong\n",
	       r->name, ok ? "ok  " : "FAIL", r->low, r->high, m.most, (double)m.at, (double)m.at, m.most_abs,
	       r->abs > 0 ? r->abs : r->ulp, r->abs > 0 ? "absolute" : "ULP", (unsigned long long)m.decided, m.apart, m.bad);
	fflush(stdout);
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
