/* SPDX-License-Identifier: MIT
 * tests/check_underflow.c - maps with powers of two, compiled, where their results end: masked attention asks for e^x of -inf,
 * -1e9 and all else far below zero, padding for what follows from it. Zeros must have the definition's sign. */
#include "check.h"
#include "core/arena.h"
#include "core/bits.h"
#include "gllm/calls.h"

enum { NEIGHBOURS = 24, MOST = 1024 };

struct lab {
	struct check *t;
	struct gllm_calls calls;
	float x[MOST], got[MOST], want[MOST];
	unsigned n;
};

/* Around each: the floats next to it. */
static const float center[] = {
	0.0f, -0x1p-126f, -5.0f, -10.8f, -14.5f, -14.9f, -80.0f, -87.33654f, -87.68f, -92.0f, -103.27893f, -103.97208f, -105.0f, -108.0f,
	-111.0f, -113.0f, -117.0f, 80.0f, 88.72284f, 89.0f,
};
static const float far[] = { -150.0f, -200.0f, -354.0f, -360.0f, -1e3f, -65504.0f, -1e9f, -1e13f, -1e30f, -3.4028235e38f, -__builtin_inff(),
	                     __builtin_inff(), __builtin_nanf(""), 200.0f };

static void fill(struct lab *l)
{
	l->n = 0;
	for (unsigned c = 0; c < GLLM_COUNT(center); c++)
		for (uint32_t k = 0; k < 2 * NEIGHBOURS + 1; k++)
			l->x[l->n++] = gllm_bits_f32(gllm_f32_bits(center[c]) + (center[c] == 0.0f ? k : k - NEIGHBOURS));
	for (unsigned k = 0; k < GLLM_COUNT(far); k++)
		l->x[l->n++] = far[k];
	for (unsigned k = l->n; k-- > 1;) { /* what is fast and what is slow share vectors */
		unsigned other = check_below(l->t, k + 1);
		float x = l->x[k];
		l->x[k] = l->x[other];
		l->x[other] = x;
	}
}

/* Both are within two units of what is right. */
static bool agrees(float got, float want)
{
	uint32_t g = gllm_f32_bits(got), w = gllm_f32_bits(want);

	return want == 0.0f ? g == w : check_ulp(got, want) <= 4.0;
}

static void map(struct lab *l, const char *name, gllm_unary_fn *fn, gllm_unary_fn *definition)
{
	static const unsigned size[] = { MOST, 1, 3, 17, 31, 97, 200 };

	if (!CHECK(l->t, fn != NULL))
		return;
	for (unsigned s = 0; s < GLLM_COUNT(size); s++) {
		unsigned n = size[s] < l->n ? size[s] : l->n, bad = 0;
		fn(l->got, l->x + l->n - n, n);
		definition(l->want, l->x + l->n - n, n);
		for (unsigned i = 0; i < n; i++) {
			const float *x = l->x + l->n - n;
			if (!agrees(l->got[i], l->want[i]) && bad++ < 4)
				check_print(l->t, "     %s of %08x is %08x, not %08x\n", name, gllm_f32_bits(x[i]), gllm_f32_bits(l->got[i]),
				            gllm_f32_bits(l->want[i]));
		}
		CHECK_EQ(l->t, bad, 0);
	}
}

/* Rows of which some is masked, and one that is masked all over. */
static void masked_rows(struct lab *l)
{
	static const float mask[] = { -__builtin_inff(), -1e9f, -200.0f };

	for (unsigned k = 0; k < 4 * GLLM_COUNT(mask); k++) {
		unsigned n = 1 + check_below(l->t, 300);
		bool right = true;
		for (unsigned i = 0; i < n; i++)
			l->x[i] = i > 0 && (k % 4 == 0 ? i >= n / 2 : k % 4 == 1 ? i % 2 : k % 4 == 2 ? check_below(l->t, 2) : i == n - 1)
			          ? mask[k / 4] : check_float(l->t, -8.0f, 8.0f);
		l->calls.f32.softmax(l->got, l->x, n);
		gllm_ref_softmax(l->want, l->x, n);
		for (unsigned i = 0; i < n; i++)
			right = right && (l->want[i] == 0.0f ? gllm_f32_bits(l->got[i]) == 0 : check_ulp(l->got[i], l->want[i]) <= 40.0);
		CHECK(l->t, right);
	}
	for (unsigned i = 0; i < 77; i++)
		l->x[i] = -__builtin_inff();
	l->calls.f32.softmax(l->got, l->x, 77);
	CHECK(l->t, l->got[0] != l->got[0] && l->got[76] != l->got[76]);
}

void check_underflow(struct check *t)
{
	unsigned workers = 1;
	struct gllm_config config;
	struct gllm_context *c;
	struct gllm_error e = { .status = GLLM_OK };
	struct gllm_arena a;
	size_t size;
	unsigned char *memory = check_memory(t, &size);

	if (!check_compiler(t, &workers, &config))
		return;
	gllm_arena_init(&a, memory, size);
	size_t need = gllm_context_quote(&config);
	void *p = gllm_alloc(&a, need, 64);
	struct lab *l = gllm_alloc(&a, sizeof *l, 64);
	if (!CHECK(t, p && l) || !CHECK_STATUS(t, gllm_context_create(p, need, &config, &c, &e), GLLM_OK))
		return;
	l->t = t;
	if (!CHECK_STATUS(t, gllm_calls_fill(c, GLLM_CALLS_F32, &l->calls, &e), GLLM_OK))
		return;
	fill(l);
	map(l, "exp", l->calls.f32.exp, gllm_ref_exp);
	map(l, "sigmoid", l->calls.f32.sigmoid, gllm_ref_sigmoid);
	map(l, "silu", l->calls.f32.silu, gllm_ref_silu);
	map(l, "gelu", l->calls.f32.gelu, gllm_ref_gelu);
	map(l, "gelu_erf", l->calls.f32.gelu_erf, gllm_ref_gelu_erf);
	masked_rows(l);
}
