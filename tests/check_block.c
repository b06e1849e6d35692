/* SPDX-License-Identifier: MIT
 * tests/check_block.c - products of matrices that the plan packs and blocks, against the scalar plan: sizes around every
 * edge of tiny blocks and of the profile's own, weights either way round and of either float type, maps behind the sums,
 * symbolic rows, any number of workers, caches that few rows' weights exceed; and that every number of the tuning changes the code. */
#include "check.h"
#include "core/arena.h"
#include "core/bits.h"
#include "core/target.h"
#include "core/vir.h"
#include "gllm/graph.h"
#include "gllm/ops.h"

enum { TENSORS = 5 }; /* of inputs, outputs and weights: 0 result, 1 a, 2 b, 3 more, 4 b of a pair */

struct shape {
	unsigned op;
	uint64_t m, n, k;
	uint64_t max_rows; /* 0: rows are fixed */
	unsigned behind;   /* GLLM_OP_COUNT: nothing; a map over the product otherwise */
	bool residual;     /* another matrix is added at last */
	bool pair;         /* swiglu of two products of `a` in place of one */
};

struct fixture {
	struct check *t;
	struct gllm_arena arena;
	struct gllm_context *c;
	struct gllm_error e;
	unsigned workers;
};

static bool weights_transposed(unsigned op)
{
	return op == GLLM_OP_gemm_bt || op == GLLM_OP_gemm_bt_f16 || op == GLLM_OP_gemm_bt_bias;
}

/* Tensors 0 result, 1 a, 2 b, 3 what else the operator or the map reads. */
static struct gllm_graph *graph_of(struct fixture *f, const struct shape *s)
{
	struct gllm_graph *g = NULL;
	uint64_t rows = s->max_rows ? GLLM_ROWS : s->m;
	bool turned = weights_transposed(s->op), bias = s->op == GLLM_OP_gemm_bias || s->op == GLLM_OP_gemm_bt_bias;
	enum gllm_type type = s->op == GLLM_OP_gemm_bt_f16 ? GLLM_F16 : GLLM_F32;
	if (!CHECK_STATUS(f->t, gllm_graph_create(f->c, "product", s->max_rows ? s->max_rows : 1, 10, 5, &g, &f->e), GLLM_OK))
		return NULL;
	gllm_tensor y = gllm_graph_tensor(g, GLLM_TENSOR_OUTPUT, GLLM_F32, rows, s->n, "y"),
	            a = gllm_graph_tensor(g, GLLM_TENSOR_INPUT, GLLM_F32, rows, s->k, "a"),
	            b = gllm_graph_tensor(g, GLLM_TENSOR_WEIGHT, type, turned ? s->n : s->k, turned ? s->k : s->n, "b"),
	            more = gllm_graph_tensor(g, GLLM_TENSOR_INPUT, GLLM_F32, bias ? 1 : rows, s->n, "more");
	gllm_tensor p = y, q = y, part[2];
	gllm_tensor other = s->pair ? gllm_graph_tensor(g, GLLM_TENSOR_WEIGHT, type, turned ? s->n : s->k, turned ? s->k : s->n, "b2") : b;
	if (s->behind != GLLM_OP_COUNT)
		p = q = gllm_graph_tensor(g, GLLM_TENSOR_VALUE, GLLM_F32, rows, s->n, "product");
	if (s->behind != GLLM_OP_COUNT && s->residual)
		q = gllm_graph_tensor(g, GLLM_TENSOR_VALUE, GLLM_F32, rows, s->n, "mapped");
	struct gllm_actual actual[] = { GLLM_T(p), GLLM_T(a), GLLM_T(b), GLLM_T(more), GLLM_D(rows), GLLM_D(s->n), GLLM_D(s->k) };
	if (!bias)
		for (unsigned i = 3; i < 6; i++)
			actual[i] = actual[i + 1];
	for (unsigned i = 0; i < 2 && s->pair; i++)
		part[i] = gllm_graph_tensor(g, GLLM_TENSOR_VALUE, GLLM_F32, rows, s->n, i ? "up" : "gate");
	for (unsigned i = 0; i < (s->pair ? 2u : 1u); i++) {
		actual[0].tensor = s->pair ? part[i] : p;
		actual[2].tensor = i ? other : b;
		gllm_graph_node(g, s->op, 1, actual, bias ? 7 : 6);
	}
	if (s->pair)
		gllm_graph_node(g, GLLM_OP_swiglu, rows, (struct gllm_actual[]){ GLLM_T(p), GLLM_T(part[0]), GLLM_T(part[1]), GLLM_D(s->n) }, 4);
	if (s->behind != GLLM_OP_COUNT)
		gllm_graph_node(g, s->behind, rows, (struct gllm_actual[]){ GLLM_T(s->residual ? q : y), GLLM_T(p), GLLM_D(s->n) }, 3);
	if (s->behind != GLLM_OP_COUNT && s->residual)
		gllm_graph_node(g, GLLM_OP_add, rows, (struct gllm_actual[]){ GLLM_T(y), GLLM_T(q), GLLM_T(more), GLLM_D(s->n) }, 4);
	CHECK_STATUS(f->t, gllm_graph_status(g, &f->e), GLLM_OK);
	return g;
}

/* Inputs with exact sums: small integers over a power of two, so any order of adding gives the same bits. */
static void fill(struct fixture *f, float *x, uint64_t n, enum gllm_type type)
{
	uint64_t r = 0;
	for (uint64_t i = 0; i < n; i++, r >>= 4) {
		if (i % 16 == 0)
			r = check_random(f->t);
		int v = (int)(r & 15) - 8;
		static const uint16_t half[] = { 0xb800, 0xb700, 0xb600, 0xb500, 0xb400, 0xb200, 0xb000, 0xac00, 0, 0x2c00, 0x3000,
		                                 0x3200, 0x3400, 0x3500, 0x3600, 0x3700 };
		if (type == GLLM_F16)
			((uint16_t *)(void *)x)[i] = half[v + 8];
		else
			x[i] = (float)v * 0.0625f;
	}
}

static bool same(struct check *t, const float *got, const float *want, uint64_t n, bool exact)
{
	for (uint64_t i = 0; i < n; i++) {
		float d = got[i] - want[i], size = want[i] < 0 ? -want[i] : want[i];
		if (gllm_f32_bits(got[i]) == gllm_f32_bits(want[i]) || (got[i] == 0 && want[i] == 0))
			continue;
		if (exact || !((d < 0 ? -d : d) <= 1e-5f * (size > 1 ? size : 1))) {
			check_print(t, "     element %llu\n", (unsigned long long)i);
			return false;
		}
	}
	return true;
}

/* The plan under `tuning` gives what the scalar plan gives, for every number of workers; a product that an emulator takes
 * seconds for is done by the most workers only. */
static void compare(struct fixture *f, const struct shape *s, const struct gllm_tuning *tuning)
{
	struct gllm_graph *g = graph_of(f, s);
	struct gllm_plan_options scalar = { .scalar = true }, options = { .readback = true, .tuning = tuning };
	struct gllm_plan *want = NULL, *got = NULL;
	struct gllm_arena mark = f->arena;
	if (!g)
		return;
	bool ok = CHECK_STATUS(f->t, gllm_compile(f->c, g, &scalar, &want, &f->e), GLLM_OK) &&
	          CHECK_STATUS(f->t, gllm_compile(f->c, g, &options, &got, &f->e), GLLM_OK);
	if (!ok)
		check_print(f->t, "     %s: %s\n", f->e.what, f->e.name);
	const uint64_t m = s->m, size[TENSORS] = { m * s->n, m * s->k, s->n * s->k, m * s->n, s->n * s->k };
	const bool large = m * s->n * s->k > 1 << 20;
	float *memory[TENSORS + 1];
	void *workspace = ok ? gllm_alloc(&f->arena, gllm_plan_workspace(got) + gllm_plan_workspace(want) + 64, 64) : NULL;
	for (unsigned i = 0; i <= TENSORS; i++)
		memory[i] = gllm_alloc_array(&f->arena, size[i % TENSORS] + 1, sizeof(float), 64);
	if (ok && CHECK(f->t, workspace && memory[TENSORS])) {
		for (unsigned i = 1; i < TENSORS; i++)
			fill(f, memory[i], size[i], i % 2 == 0 && s->op == GLLM_OP_gemm_bt_f16 ? GLLM_F16 : GLLM_F32);
		void *bind[] = { memory[0], memory[1], memory[2], memory[3], NULL, NULL, NULL, NULL, NULL, NULL };
		for (unsigned i = 4; i < 10 && s->pair; i++) /* where the second matrix is depends on the values before it */
			bind[i] = memory[4];
		uint64_t rows = s->max_rows ? m : 1;
		ok = CHECK_STATUS(f->t, gllm_plan_run(want, bind, rows, workspace, &f->e), GLLM_OK);
		bind[0] = memory[TENSORS];
		for (f->workers = large ? 3 : 1; f->workers <= 3 && ok; f->workers++) {
			for (uint64_t i = 0; i <= size[0]; i++)
				memory[TENSORS][i] = -123.0f;
			ok = CHECK_STATUS(f->t, gllm_plan_run(got, bind, rows, workspace, &f->e), GLLM_OK) &&
			     CHECK(f->t, same(f->t, memory[TENSORS], memory[0], size[0], s->behind == GLLM_OP_COUNT && !s->pair)) &&
			     CHECK(f->t, memory[TENSORS][size[0]] == -123.0f);
			if (!ok)
				check_print(f->t, "     %s %llu x %llu x %llu, rows to %llu, %u workers, map %u, pair %u\n", gllm_op_info[s->op].name,
				            (unsigned long long)m, (unsigned long long)s->n, (unsigned long long)s->k,
				            (unsigned long long)s->max_rows, f->workers, s->behind, s->pair);
		}
	}
	f->arena = mark;
	if (got)
		gllm_plan_free(f->c, got);
	if (want)
		gllm_plan_free(f->c, want);
	gllm_graph_free(f->c, g);
}

/* --- sizes ---------------------------------------------------------------------------------------------------------- */

static uint64_t near(struct check *t, uint64_t edge)
{
	uint64_t x = edge * (1 + check_below(t, 3)) + check_below(t, 3);
	return x > 1 ? x - 1 : 1;
}

static void tiny_blocks(struct fixture *f, uint16_t lanes)
{
	static const unsigned op[] = { GLLM_OP_gemm, GLLM_OP_gemm_bt, GLLM_OP_gemm_bias, GLLM_OP_gemm_bt_bias, GLLM_OP_gemm_bt_f16 };
	static const unsigned map[] = { GLLM_OP_COUNT, GLLM_OP_silu, GLLM_OP_relu };
	for (unsigned round = 0; round < 60; round++) {
		uint16_t vectors = (uint16_t)(1 + check_below(f->t, 3));
		struct gllm_tuning tuning = { .mc = 1 + check_below(f->t, 12), .kc = 1 + check_below(f->t, 12),
			.nc = vectors * lanes * (1 + check_below(f->t, 3)), .mr = (uint16_t)(1 + check_below(f->t, 7)),
			.nr = (uint16_t)(vectors * lanes), .unroll = (uint8_t)(1 + check_below(f->t, 5)), .fetch = (uint8_t)check_below(f->t, 4),
			.stages = (uint8_t)check_below(f->t, 3) };
		struct shape s = { op[check_below(f->t, GLLM_COUNT(op))], near(f->t, tuning.mc), near(f->t, tuning.nr),
			near(f->t, tuning.kc), 0, map[check_below(f->t, GLLM_COUNT(map))], check_below(f->t, 2),
			check_below(f->t, 3) == 0 };
		if (check_below(f->t, 2))
			s.max_rows = s.m + check_below(f->t, 9) + 1;
		compare(f, &s, &tuning);
	}
}

static void own_blocks(struct fixture *f, uint64_t nr)
{
	const struct shape shape[] = {
		{ GLLM_OP_gemm, 61, 2 * nr + 5, 301, 0, GLLM_OP_COUNT, false, false },
		{ GLLM_OP_gemm_bt, 61, 2 * nr + 5, 301, 0, GLLM_OP_gelu, true, false },
		{ GLLM_OP_gemm_bt, 29, 3 * nr, 512, 40, GLLM_OP_COUNT, false, false },
		{ GLLM_OP_gemm_bt_f16, 33, 3 * nr + 1, 270, 0, GLLM_OP_silu, false, false },
		{ GLLM_OP_gemm_bias, 48, 4 * nr, 64, 0, GLLM_OP_COUNT, false, false },
		{ GLLM_OP_gemm, 0, 2 * nr, 64, 60, GLLM_OP_COUNT, false, false },
		{ GLLM_OP_gemm_bt, 2, 67, 256, 0, GLLM_OP_COUNT, false, false }, /* few rows */
		{ GLLM_OP_gemm_bt, 8, 50, 261, 0, GLLM_OP_silu, true, false },
		{ GLLM_OP_gemm_bt_bias, 13, 71, 300, 0, GLLM_OP_COUNT, false, false },
		{ GLLM_OP_gemm_bt_f16, 5, 48, 272, 23, GLLM_OP_relu, false, false },
		{ GLLM_OP_gemm_bt, 0, 64, 260, 9, GLLM_OP_COUNT, false, false },
		{ GLLM_OP_gemm_bt, 61, 2 * nr + 5, 301, 0, GLLM_OP_COUNT, false, true }, /* side by side */
		{ GLLM_OP_gemm_bt_f16, 33, 700, 1100, 40, GLLM_OP_COUNT, true, true },
		{ GLLM_OP_gemm_bt, 1, 131, 260, 0, GLLM_OP_COUNT, false, true }, /* sums wait in the worker's memory */
		{ GLLM_OP_gemm_bt_f16, 1, 64, 301, 0, GLLM_OP_relu, true, true },
		{ GLLM_OP_gemm_bt, 7, 192, 270, 0, GLLM_OP_COUNT, true, true },
		{ GLLM_OP_gemm_bt_f16, 5, 147, 272, 23, GLLM_OP_COUNT, false, true },
		{ GLLM_OP_gemm_bt, 3, 55, 280, 0, GLLM_OP_gelu, true, false },
		{ GLLM_OP_gemm, 61, 2 * nr, 40, 0, GLLM_OP_gelu, true, false }, /* not packed, a tile's sums wait for what follows them */
		{ GLLM_OP_gemm, 28, nr, 64, 0, GLLM_OP_silu, false, false },
		{ GLLM_OP_gemm_bias, 9, 5 * nr + 3, 33, 0, GLLM_OP_gelu, false, false },
		{ GLLM_OP_gemm, 17, 16 * nr, 40, 0, GLLM_OP_gelu, true, false },
		{ GLLM_OP_gemm_bt, 8, 257, 261, 0, GLLM_OP_COUNT, false, false }, /* the last columns are computed twice */
		{ GLLM_OP_gemm_bt, 6, 641, 260, 9, GLLM_OP_silu, true, false },   /* not where more is read than sums are of */
		{ GLLM_OP_gemm_bt, 8, 3103, 260, 11, GLLM_OP_COUNT, false, true },
		{ GLLM_OP_gemm_bt_f16, 7, 3239, 258, 0, GLLM_OP_relu, false, true },
		{ GLLM_OP_gemm_bt, 6, 403, 320, 9, GLLM_OP_silu, true, false }, /* sums wait apart where weights exceed the caches stated */
		{ GLLM_OP_gemm_bt, 3, 517, 256, 0, GLLM_OP_COUNT, true, true },
		{ GLLM_OP_gemm_bt_f16, 1, 301, 512, 7, GLLM_OP_COUNT, false, true },
		{ GLLM_OP_gemm_bt, 1, 336, 261, 0, GLLM_OP_COUNT, false, false }, /* one row, columns are a number */
		{ GLLM_OP_gemm_bt, 1, 488, 256, 0, GLLM_OP_silu, true, false },
		{ GLLM_OP_gemm_bt, 1, 1027, 256, 0, GLLM_OP_COUNT, false, false },
	};
	for (unsigned i = 0; i < GLLM_COUNT(shape); i++)
		compare(f, &shape[i], NULL);
}

/* Few rows by weights that lie along the lanes, larger than the caches stated: streamed. */
static void streams(struct fixture *f, uint64_t lanes)
{
	const struct shape shape[] = {
		{ GLLM_OP_gemm, 1, 16 * lanes, 128, 0, GLLM_OP_COUNT, false, false },
		{ GLLM_OP_gemm, 1, 1163, 65, 0, GLLM_OP_silu, true, false },
		{ GLLM_OP_gemm, 1, 128, 97, 0, GLLM_OP_relu, false, false },
		{ GLLM_OP_gemm, 2, 131, 96, 0, GLLM_OP_COUNT, false, false },
		{ GLLM_OP_gemm_bias, 3, 12 * lanes + 1, 161, 0, GLLM_OP_COUNT, false, false },
		{ GLLM_OP_gemm, 8, 3 * 1024, 64, 0, GLLM_OP_gelu, true, false },
		{ GLLM_OP_gemm_bias, 13, 211, 100, 0, GLLM_OP_silu, false, false },
		{ GLLM_OP_gemm, 17, 6 * lanes + 3, 256, 0, GLLM_OP_COUNT, false, false },
		{ GLLM_OP_gemm, 32, 1025, 129, 0, GLLM_OP_relu, true, false },
		{ GLLM_OP_gemm, 0, 256, 64, 7, GLLM_OP_COUNT, false, false },
		{ GLLM_OP_gemm, 1, 256, 64, 20, GLLM_OP_COUNT, false, false },
		{ GLLM_OP_gemm, 29, 16 * lanes + 7, 131, 31, GLLM_OP_silu, true, false },
		{ GLLM_OP_gemm_bias, 61, 1025, 70, 0, GLLM_OP_relu, true, false },
		{ GLLM_OP_gemm, 128, 513, 67, 0, GLLM_OP_COUNT, false, false },
		{ GLLM_OP_gemm, 70, 24 * lanes + 5, 130, 77, GLLM_OP_silu, false, false },
	};
	for (unsigned i = 0; i < GLLM_COUNT(shape); i++)
		compare(f, &shape[i], NULL);
}

/* The same of weights that lie along k: sums in the lanes, in blocks of k, and columns over that run again. */
static void dots_from_afar(struct fixture *f, uint64_t lanes)
{
	const struct shape shape[] = {
		{ GLLM_OP_gemm_bt, 2, 24 * lanes + 1, 64 * lanes, 0, GLLM_OP_COUNT, false, false },
		{ GLLM_OP_gemm_bt, 5, 1163, 257, 0, GLLM_OP_silu, true, false },
		{ GLLM_OP_gemm_bt, 8, 601, 512, 0, GLLM_OP_COUNT, false, false },
		{ GLLM_OP_gemm_bt_bias, 13, 512, 448, 0, GLLM_OP_relu, false, false },
		{ GLLM_OP_gemm_bt_f16, 16, 301, 1000, 0, GLLM_OP_COUNT, false, false },
		{ GLLM_OP_gemm_bt, 9, 337, 384, 0, GLLM_OP_COUNT, false, true },
		{ GLLM_OP_gemm_bt_f16, 0, 640, 320, 21, GLLM_OP_COUNT, true, false },
		{ GLLM_OP_gemm_bt, 6, 515, 640, 32, GLLM_OP_gelu, false, false },
		{ GLLM_OP_gemm_bt, 32, 480, 321, 0, GLLM_OP_COUNT, false, false },
		{ GLLM_OP_gemm_bt, 290, 160, 128, 0, GLLM_OP_COUNT, false, false }, /* packed, and too many rows to fetch for */
	};
	for (unsigned i = 0; i < GLLM_COUNT(shape); i++)
		compare(f, &shape[i], NULL);
}

struct counted { /* how often a word stands in a listing */
	const char *word;
	unsigned times;
};

static void count(void *user, const char *text, size_t n)
{
	struct counted *x = user;
	size_t length = 0;
	while (x->word[length])
		length++;
	for (size_t i = 0; i + length <= n; i++)
		x->times += __builtin_memcmp(text + i, x->word, length) == 0;
}

/* What became of a shape: its first and last step, and how many; how often `word` stands in its listing. */
struct made {
	struct gllm_step_info first, last;
	unsigned steps, times;
};

static bool make(struct fixture *f, const struct shape *s, const char *word, struct made *out)
{
	struct counted counted = { .word = word };
	const struct gllm_plan_options options = { .listing = word ? count : NULL, .listing_user = &counted };
	struct gllm_graph *g = graph_of(f, s);
	struct gllm_plan *p = NULL;
	bool ok = g && CHECK_STATUS(f->t, gllm_compile(f->c, g, &options, &p, &f->e), GLLM_OK) &&
	          CHECK_STATUS(f->t, gllm_plan_step(p, 0, &out->first), GLLM_OK) &&
	          CHECK_STATUS(f->t, gllm_plan_step(p, gllm_plan_steps(p) - 1, &out->last), GLLM_OK);
	out->steps = ok ? (unsigned)gllm_plan_steps(p) : 0;
	out->times = counted.times;
	gllm_plan_free(f->c, p);
	gllm_graph_free(f->c, g);
	return ok;
}

/* Rows that fill vectors, by weights along k from memory: rows along the lanes. */
static void rows_are_turned(struct fixture *f, uint64_t lanes)
{
	const struct shape shape[] = {
		{ GLLM_OP_gemm_bt, 2 * lanes, 2560, 128, 0, GLLM_OP_COUNT, false, false },
		{ GLLM_OP_gemm_bt, 2 * lanes, 1223, 272, 0, GLLM_OP_silu, true, false },
		{ GLLM_OP_gemm_bt_bias, 2 * lanes - 1, 1037, 257, 0, GLLM_OP_relu, false, false },
		{ GLLM_OP_gemm_bt, 2 * lanes - lanes / 4, 1024, 261, 0, GLLM_OP_COUNT, false, false },
		{ GLLM_OP_gemm_bt, 2 * lanes, 1100, 300, 0, GLLM_OP_COUNT, false, true },
		{ GLLM_OP_gemm_bt, 2 * lanes, 512, 24576 / lanes, 0, GLLM_OP_COUNT, false, false }, /* blocks of k */
		{ GLLM_OP_gemm_bt_bias, 2 * lanes, 500, 24571 / lanes, 0, GLLM_OP_silu, true, false },
		{ GLLM_OP_gemm_bt, lanes, 1280, 256, 0, GLLM_OP_COUNT, false, false },             /* short vectors are not, */
		{ GLLM_OP_gemm_bt_bias, lanes - 1, 1021, 260, 0, GLLM_OP_relu, true, false },
		{ GLLM_OP_gemm_bt, lanes - lanes / 4, 1280, 256, 0, GLLM_OP_COUNT, false, false }, /* nor those with more lanes empty */
		{ GLLM_OP_gemm_bt, lanes + 1, 1280, 256, 0, GLLM_OP_COUNT, false, false },
		{ GLLM_OP_gemm_bt, lanes / 2, 1280, 256, 0, GLLM_OP_COUNT, false, false },         /* two steps of k in a line */
		{ GLLM_OP_gemm_bt, lanes / 2, 1223, 272, 0, GLLM_OP_silu, true, false },
		{ GLLM_OP_gemm_bt, lanes / 2, 260, 49152 / lanes - 2, 0, GLLM_OP_COUNT, false, true }, /* blocks of k */
		{ GLLM_OP_gemm_bt, lanes / 2, 1280, 257, 0, GLLM_OP_COUNT, false, false },         /* not turned, as what follows */
		{ GLLM_OP_gemm_bt_bias, lanes / 2 - 1, 1027, 262, 0, GLLM_OP_relu, true, false },
		{ GLLM_OP_gemm_bt, 2 * lanes, 1280, 256, 2 * lanes, GLLM_OP_COUNT, false, false },
		{ GLLM_OP_gemm_bt_f16, 2 * lanes, 1280, 256, 0, GLLM_OP_COUNT, false, false },
	};
	const bool full = lanes >= 8, line = lanes >= 16;
	const bool turned[] = { true, true, true, true, true, true, true, full, full, line, false, line, line, line, false };
	for (unsigned i = 0; i < GLLM_COUNT(shape); i++) {
		struct made m;
		if (!make(f, &shape[i], " VHPAIR", &m))
			return;
		/* No sum is left in lanes but by rows that are not turned, which are packed if they are many. */
		if (i < GLLM_COUNT(turned) && !CHECK_EQ(f->t, m.times != 0, !turned[i] && shape[i].m <= 32))
			check_print(f->t, "     shape %u\n", i);
		compare(f, &shape[i], NULL);
	}
	const struct shape uneven[] = {
		{ GLLM_OP_gemm_bt, 2 * lanes, 2560, 128, 0, GLLM_OP_COUNT, false, false },
		{ GLLM_OP_gemm_bt, 2 * lanes, 2560, 130, 0, GLLM_OP_COUNT, false, false },
	};
	struct made even = { .steps = 0 }, odd = { .steps = 0 };
	if (make(f, &uneven[0], NULL, &even) && make(f, &uneven[1], NULL, &odd))
		CHECK_EQ(f->t, odd.steps, even.steps); /* a block ends with k */
	const struct shape panels[] = {
		{ GLLM_OP_gemm_bt, 8 * lanes, 1280, 256, 0, GLLM_OP_COUNT, false, false },
		{ GLLM_OP_gemm_bt, 8 * lanes - lanes / 4, 1223, 272, 0, GLLM_OP_silu, true, false },
		{ GLLM_OP_gemm_bt, 8 * lanes, 701, 388, 0, GLLM_OP_COUNT, false, true },
	};
	for (unsigned i = 0; i < GLLM_COUNT(panels) && 8 * lanes <= 256; i++) {
		struct made m;
		if (!make(f, &panels[i], NULL, &m))
			return;
		CHECK(f->t, m.first.bytes_moved < 4 * panels[i].n * panels[i].k); /* rows are packed, and no weights */
		compare(f, &panels[i], NULL);
	}
}

/* Weights from memory that lie along the lanes: the first tile of known rows packs them, and no step does so before the products. */
static void first_tiles_pack(struct fixture *f, unsigned rows, unsigned columns, unsigned lanes)
{
	const struct shape shape[] = {
		{ GLLM_OP_gemm, 150, 1030, 264, 0, GLLM_OP_COUNT, false, false },
		{ GLLM_OP_gemm, 140, 800, 393, 0, GLLM_OP_silu, true, false },
		{ GLLM_OP_gemm, 131, 1024, 272, 0, GLLM_OP_COUNT, false, false }, /* lines that fall into few sets */
		{ GLLM_OP_gemm_bias, 133, 300, 1000, 0, GLLM_OP_relu, false, false }, /* blocks of k */
		{ GLLM_OP_gemm, 135, 560, 480, 0, GLLM_OP_COUNT, false, true },
		{ GLLM_OP_gemm, 131, 300, 1024, 0, GLLM_OP_COUNT, false, false }, /* whose rows are packed before, as they fall into few sets */
		{ GLLM_OP_gemm, 150, 1030, 264, 150, GLLM_OP_COUNT, false, false }, /* and where the weights are: rows that are not known */
		{ GLLM_OP_gemm, 150, 200, 792, 0, GLLM_OP_COUNT, false, false }, /* weights that are near, but beyond L2: blocks of k */
		{ GLLM_OP_gemm, 260, 1001, 48, 0, GLLM_OP_COUNT, false, false }, /* and one block of it */
		{ GLLM_OP_gemm_bias, 520, 401, 49, 0, GLLM_OP_silu, false, false },
	};
	for (unsigned i = 0; i < GLLM_COUNT(shape); i++) {
		struct made m;
		if (!make(f, &shape[i], NULL, &m))
			return;
		if (i != 5 && !CHECK_EQ(f->t, m.first.pattern == GLLM_PATTERN_GEMM, (i < 5 || i > 7) && columns * 4 % 64 == 0)) /* a panel's rows are lines */
			check_print(f->t, "     shape %u\n", i);
		compare(f, &shape[i], NULL);
	}
	const struct shape whole = { GLLM_OP_gemm, 30 * rows, 32 * columns, 8192 / columns + 8, 0, GLLM_OP_COUNT, false, false };
	struct made m;
	if (columns * 4 % 64 == 0 && make(f, &whole, NULL, &m)) /* rows of the first tile share what it loads: there is code for each */
		CHECK(f->t, m.first.code_bytes >= 64 * rows * columns / lanes);
}

/* What comes next is fetched, but where rows are so few that they wait for memory anyway. */
static void blocks_fetch(struct fixture *f, uint64_t lanes)
{
	for (uint64_t i = 0; i < 4; i++) {
		uint64_t rows = i % 2 ? 4 : 1 + i / 2;
		const struct shape s = { i < 2 ? GLLM_OP_gemm : GLLM_OP_gemm_bt, rows, 64 * lanes, 2048, 0, GLLM_OP_COUNT, false, false };
		struct made m;
		if (!make(f, &s, "PREFETCH", &m))
			return;
		CHECK_EQ(f->t, m.times != 0, rows == 4);
		CHECK(f->t, i != 3 || m.first.times > 1); /* blocks of k whose rows stay in L1 */
	}
}

/* While a block of rows is multiplied, the next is fetched into the second cache, if that does not hold them all. */
static void rows_fetch(struct fixture *f)
{
	for (uint64_t rows = 50; rows <= 1250; rows += 1200) {
		const struct shape s = { GLLM_OP_gemm_bt, rows, 64, 128, 0, GLLM_OP_COUNT, false, false };
		struct made m;
		if (!make(f, &s, "] aux 1", &m))
			return;
		CHECK_EQ(f->t, m.times != 0, rows > 50);
	}
}

/* Kernels that the second shape has and the first has not; both have some. */
static unsigned more_kernels(struct fixture *f, const struct shape *first, const struct shape *second)
{
	struct gllm_plan *p[2] = { NULL, NULL };
	struct gllm_stats stats[2] = { { .kernels = 0 } };
	for (unsigned i = 0; i < 2; i++) {
		struct gllm_graph *g = graph_of(f, i ? second : first);
		if (g && CHECK_STATUS(f->t, gllm_compile(f->c, g, NULL, &p[i], &f->e), GLLM_OK))
			CHECK(f->t, gllm_plan_steps(p[i]) > 1);
		gllm_context_stats(f->c, &stats[i]);
		gllm_graph_free(f->c, g);
	}
	gllm_plan_free(f->c, p[1]);
	gllm_plan_free(f->c, p[0]);
	return stats[1].kernels - stats[0].kernels;
}

/* What differs in sizes alone has one set of kernels. */
static void shapes_share_kernels(struct fixture *f)
{
	const struct {
		struct shape first, second;
		unsigned more;
	} pair[] = {
		/* few rows, which fetch the next block, and many, whose time is not memory's */
		{ { GLLM_OP_gemm_bt, 100, 512, 2048, 100, GLLM_OP_COUNT, true, true }, { GLLM_OP_gemm_bt, 600, 512, 2048, 600, GLLM_OP_COUNT, true, true }, 0 },
		/* one row by weights from memory, whatever their shape */
		{ { GLLM_OP_gemm_bt, 1, 640, 512, 0, GLLM_OP_silu, true, false }, { GLLM_OP_gemm_bt, 1, 1024, 1024, 0, GLLM_OP_silu, true, false }, 0 },
		/* what follows the sums of one row, whose product is not that of several */
		{ { GLLM_OP_gemm_bt, 6, 640, 512, 6, GLLM_OP_silu, true, false }, { GLLM_OP_gemm_bt, 1, 640, 512, 0, GLLM_OP_silu, true, false }, 1 },
		{ { GLLM_OP_gemm_bt, 7, 640, 512, 7, GLLM_OP_COUNT, false, true }, { GLLM_OP_gemm_bt, 1, 640, 512, 0, GLLM_OP_COUNT, false, true }, 1 },
	};
	for (unsigned i = 0; i < GLLM_COUNT(pair); i++)
		if (!CHECK_EQ(f->t, more_kernels(f, &pair[i].first, &pair[i].second), pair[i].more))
			check_print(f->t, "     pair %u of shapes\n", i);
}

/* Of columns from memory that fall into the same sets of L1, fewer are read at once where its ways are less than a vector has lanes. */
static void columns_share_sets(struct fixture *f, unsigned ways, uint64_t lanes, uint64_t n)
{
	struct made m[2];
	for (unsigned i = 0; i < 2; i++) {
		const struct shape s = { GLLM_OP_gemm_bt, 1, n, 1024 + i * 64, 0, GLLM_OP_COUNT, false, false };
		if (!make(f, &s, NULL, &m[i]))
			return;
	}
	CHECK_EQ(f->t, m[0].first.code_bytes < m[1].first.code_bytes, ways * 2 / 3 < lanes);
}

/* The code that follows sums which wait apart. */
static uint32_t bytes_behind(struct fixture *f)
{
	const struct shape s = { GLLM_OP_gemm_bt, 6, 768, 512, 0, GLLM_OP_silu, true, false };
	struct made m;
	return make(f, &s, NULL, &m) ? m.last.code_bytes : 0;
}

/* Blocks of k that may be the first add to what there is under a condition: one instruction where the machine has it. */
static void sums_go_on(struct fixture *f, const struct gllm_profile *profile, uint64_t lanes)
{
	struct gllm_machine m;
	for (unsigned i = 0; i < 2 && CHECK_STATUS(f->t, check_target(f->t)->machine(profile, &m), GLLM_OK); i++) {
		const struct shape s = { GLLM_OP_gemm_bt, 4, 64 * lanes, 2048, 0, GLLM_OP_COUNT, false, false };
		struct made sums;
		if (!make(f, &s, i ? " VADDM" : " VSEL", &sums))
			return;
		CHECK_EQ(f->t, sums.times != 0, m.has_addm == i);
	}
}

/* Blocks of k that are spread take four rows, as few ways let them, a quarter of k from each other: but for one row, where such rows leave
 * something over, and where sums of many rows would not stay in L2. */
static void streams_are_spread(struct fixture *f)
{
	const struct { uint64_t m, k; bool spread; } row[] = { { 1, 240, false }, { 2, 240, true }, { 16, 240, true }, { 8, 242, false }, { 17, 240, false } };
	for (unsigned i = 0; i < GLLM_COUNT(row); i++) {
		const struct shape s = { GLLM_OP_gemm, row[i].m, 4096, row[i].k, 0, GLLM_OP_COUNT, false, false };
		struct made m;
		if (make(f, &s, "983040", &m)) /* bytes of 60 rows */
			CHECK_EQ(f->t, m.times != 0, row[i].spread);
	}
}

/* Several workers share the columns of all blocks of k in turn; one takes all of k of a block of columns after another, as it fetches them. */
static void streams_in_turn(struct fixture *f, bool alone)
{
	const struct shape s = { GLLM_OP_gemm, 8, 4096, 254, 0, GLLM_OP_COUNT, false, false };
	struct made m;
	if (make(f, &s, NULL, &m))
		CHECK_EQ(f->t, m.first.times > 1, alone);
}

/* One worker leaves a long map of packed sums to a kernel behind each block of them; several, which would wait there for each other, do not. */
static void maps_come_later(struct fixture *f, uint64_t lanes, bool alone)
{
	const struct shape shape[] = {
		{ GLLM_OP_gemm_bt_bias, 4 * lanes + 26, 131, 128, 0, GLLM_OP_silu, false, false },
		{ GLLM_OP_gemm_bt, 4 * lanes + 11, 133, 120, 4 * lanes + 26, GLLM_OP_gelu, true, false },
		{ GLLM_OP_gemm_bt_f16, 4 * lanes + 16, 160, 112, 0, GLLM_OP_gelu, false, false },
		{ GLLM_OP_gemm_bt_bias, 4 * lanes + 26, 131, 128, 0, GLLM_OP_relu, false, false }, /* a short one */
		{ GLLM_OP_gemm_bt, 4 * lanes + 11, 133, 120, 0, GLLM_OP_COUNT, false, true },   /* two sums */
	};
	for (unsigned i = 0; i < GLLM_COUNT(shape); i++) {
		struct made m;
		if (!make(f, &shape[i], NULL, &m))
			return;
		bool whole = lanes <= 32; /* panels of longer vectors are so wide that k is several blocks: sums wait apart */
		if (whole && !CHECK_EQ(f->t, m.last.pattern == GLLM_PATTERN_INJECTIVE, alone && i < 3))
			check_print(f->t, "     shape %u\n", i);
		compare(f, &shape[i], NULL);
	}
}

/* Of rows that fall into the same sets of L1, few are read at once; of others, more. */
static void streams_share_sets(struct fixture *f)
{
	uint64_t moved[2] = { 0 };
	for (unsigned i = 0; i < 2; i++) {
		const struct shape s = { GLLM_OP_gemm, 1, 4096 + i * 64, 256, 0, GLLM_OP_COUNT, false, false };
		struct made m;
		if (!make(f, &s, NULL, &m))
			return;
		moved[i] = m.first.bytes_moved / m.first.times;
	}
	CHECK(f->t, moved[0] && moved[0] * 3 < moved[1]);
}

/* --- the tuning reaches the code ------------------------------------------------------------------------------------ */

static uint64_t plan_hash(struct fixture *f, const struct shape *s, const struct gllm_tuning *tuning)
{
	const struct gllm_exec_memory *x = check_exec(f->t);
	struct gllm_graph *g = graph_of(f, s);
	struct gllm_plan_options options = { .tuning = tuning };
	struct gllm_plan *p;
	uint64_t h = 14695981039346656037u;
	if (!g || !CHECK_STATUS(f->t, gllm_compile(f->c, g, &options, &p, &f->e), GLLM_OK))
		return 0;
	for (unsigned i = 0; i < gllm_plan_steps(p); i++) {
		struct gllm_step_info info;
		gllm_plan_step(p, i, &info);
		for (uint32_t k = 0; k < info.code_bytes; k++)
			h = (h ^ ((const unsigned char *)x->exec)[info.code_offset + k]) * 1099511628211u;
		h = (h ^ info.times) * 1099511628211u; /* the number of steps counts as well, and how often each runs */
	}
	gllm_plan_free(f->c, p);
	gllm_graph_free(f->c, g);
	return h;
}

/* However much caches are said to hold, the workspace holds no more than twice what the product reads and stores. */
static void workspace_is_bounded(struct fixture *f)
{
	const struct shape s = { GLLM_OP_gemm_bt, 2048, 11008, 4096, 0, GLLM_OP_silu, true, true };
	struct gllm_graph *g = graph_of(f, &s);
	struct gllm_plan *p = NULL;
	if (g && CHECK_STATUS(f->t, gllm_compile(f->c, g, NULL, &p, &f->e), GLLM_OK))
		CHECK(f->t, gllm_plan_workspace(p) <= 2 * 4 * (2 * s.n * s.k + s.m * s.k + 2 * s.m * s.n));
	gllm_plan_free(f->c, p);
	gllm_graph_free(f->c, g);
}

/* Caches of no such sizes as there are, and blocks that nothing holds, still give sizes to compile: nothing runs. */
static void odd_caches(struct fixture *f, struct gllm_config *config)
{
	const struct gllm_tuning tile = { .mr = (uint16_t)gllm_blocking(&config->profile, 48, 96, 2048, 4).mr };
	static const struct odd { struct gllm_cache l1; uint32_t l2; uint64_t k; struct gllm_tuning tuning; } odd[] = {
		{ { .bytes = 1 }, 1, 512, { 0 } },                                          /* no step of k fits */
		{ { .bytes = 64, .ways = 12 }, 1000, 1, { .mr = 7, .nc = 32, .nr = 32 } },
		{ { .bytes = 8 << 10, .ways = 1 }, 32 << 10, 2048, { 0 } },                 /* all rows fall into one line */
		{ { .bytes = 8 << 10, .ways = 2 }, 32 << 10, 2048, { 0 } },
		{ { .bytes = 8 << 10, .ways = UINT32_MAX }, 32 << 10, 2048, { 0 } },
		{ { .bytes = UINT32_MAX, .ways = 3 }, UINT32_MAX, 1 << 20, { 0 } },
		{ { .bytes = 48 << 10, .ways = 12 }, 1 << 20, 1 << 30, { .kc = 1 << 30 } }, /* four bytes of each are 2^32 */
	};
	const struct gllm_arena before = f->arena;
	for (unsigned i = 0; i < GLLM_COUNT(odd); i++) {
		config->profile.cache[0] = odd[i].l1;
		config->profile.cache[1].bytes = odd[i].l2;
		f->arena = before;
		void *p = gllm_alloc(&f->arena, gllm_context_quote(config), 64);
		if (!CHECK_STATUS(f->t, gllm_context_create(p, gllm_context_quote(config), config, &f->c, &f->e), GLLM_OK))
			return;
		for (unsigned transposed = 0; transposed < 2; transposed++) {
			const struct shape s = { transposed ? GLLM_OP_gemm_bt : GLLM_OP_gemm, 48, 96, odd[i].k, 0, GLLM_OP_COUNT, false, false };
			const struct gllm_tuning *tuning = odd[i].tuning.kc || odd[i].tuning.nc ? &odd[i].tuning : NULL;
			uint64_t h = plan_hash(f, &s, tuning);
			CHECK(f->t, h != 0);
			CHECK(f->t, odd[i].k != 2048 || h == plan_hash(f, &s, &tile)); /* ways say nothing of rows */
		}
		workspace_is_bounded(f);
	}
	f->arena = before;
}

static void tuning_counts(struct fixture *f, uint16_t lanes)
{
	const struct gllm_tuning base = { .mc = 24, .kc = 64, .nc = 8u * lanes, .mr = 4, .nr = (uint16_t)(2 * lanes), .unroll = 2 };
	const struct shape s = { GLLM_OP_gemm, 48, 16u * lanes, 192, 0, GLLM_OP_COUNT, false, false };
	struct gllm_tuning other[8] = { base, base, base, base, base, base, base, base };
	other[0].mc = 12;
	other[1].kc = 96;
	other[2].nc = 16u * lanes;
	other[3].mr = 3;
	other[4].nr = lanes;
	other[5].unroll = 4;
	other[6].fetch = 4;
	other[7].stages = check_profile(f->t)->in_order ? 1 : 2;
	uint64_t h = plan_hash(f, &s, &base);
	CHECK_EQ(f->t, h, plan_hash(f, &s, &base));
	for (unsigned i = 0; i < GLLM_COUNT(other); i++)
		if (!CHECK(f->t, plan_hash(f, &s, &other[i]) != h))
			check_print(f->t, "     number %u of the tuning changes nothing\n", i);
}

/* All of k is one block if two would be little less deep, and rows that fall into one set of L1 are no more than it has ways. The context's
 * L1 has one way more than a tile has rows otherwise. */
static void blocks_fit(struct fixture *f, uint16_t tile, uint64_t panel)
{
	const struct shape s = { GLLM_OP_gemm, 300, 8 * panel, 1024, 0, GLLM_OP_COUNT, false, false };
	const uint16_t rows = (uint16_t)(tile - 1);
	uint64_t h = plan_hash(f, &s, NULL);
	CHECK_EQ(f->t, h, plan_hash(f, &s, &(struct gllm_tuning){ .mr = rows, .kc = 1024 }));
	CHECK(f->t, h != plan_hash(f, &s, &(struct gllm_tuning){ .mr = tile, .kc = 1024 }));
	CHECK(f->t, h != plan_hash(f, &s, &(struct gllm_tuning){ .mr = rows, .kc = 512 }));
}

void check_block(struct check *t)
{
	struct fixture f = { .t = t, .workers = 1 };
	struct gllm_config config;
	size_t size;
	unsigned char *memory = check_memory(t, &size);
	if (!check_compiler(t, &f.workers, &config))
		return;
	gllm_arena_init(&f.arena, memory, size);
	struct gllm_arena empty = f.arena;
	void *p = gllm_alloc(&f.arena, gllm_context_quote(&config), 64);
	if (!CHECK_STATUS(t, gllm_context_create(p, gllm_context_quote(&config), &config, &f.c, &f.e), GLLM_OK))
		return;
	uint16_t lanes = (uint16_t)(config.profile.vector_bytes / 4);
	tiny_blocks(&f, lanes);
	own_blocks(&f, 2u * lanes);
	tuning_counts(&f, lanes);
	f.arena = empty;
	config.host.code = *check_exec_fresh(t);
	struct gllm_blocking b = gllm_blocking(&config.profile, 300, 512, 1024, 4);
	uint16_t tile = (uint16_t)b.mr;
	config.profile.cache[0] = (struct gllm_cache){ .bytes = 4096 * (tile + 1u), .ways = tile + 1u, .line = 64 };
	config.profile.cache[1].bytes = 512 * 64 * b.nr; /* half of k */
	p = gllm_alloc(&f.arena, gllm_context_quote(&config), 64);
	if (!CHECK_STATUS(t, gllm_context_create(p, gllm_context_quote(&config), &config, &f.c, &f.e), GLLM_OK))
		return;
	blocks_fit(&f, tile, b.nr);
	columns_share_sets(&f, tile + 1u, lanes, 65 * (uint64_t)b.nr);
	f.arena = empty;
	config.host.code = *check_exec_fresh(t);
	odd_caches(&f, &config);
	config.host.code = *check_exec_fresh(t);
	config.profile.cache[0] = (struct gllm_cache){ .bytes = 8 << 10, .ways = 4, .line = 64 };
	config.profile.cache[1].bytes = 32 << 10;
	p = gllm_alloc(&f.arena, gllm_context_quote(&config), 64);
	if (!CHECK_STATUS(t, gllm_context_create(p, gllm_context_quote(&config), &config, &f.c, &f.e), GLLM_OK))
		return;
	own_blocks(&f, 2u * lanes);
	streams(&f, lanes);
	dots_from_afar(&f, lanes);
	blocks_fetch(&f, lanes);
	rows_fetch(&f);
	shapes_share_kernels(&f);
	sums_go_on(&f, &config.profile, lanes);
	streams_share_sets(&f);
	streams_are_spread(&f);
	streams_in_turn(&f, false);
	uint32_t bytes = bytes_behind(&f);
	f.arena = empty;
	config.host.code = *check_exec_fresh(t);
	config.profile.in_order = !config.profile.in_order;
	p = gllm_alloc(&f.arena, gllm_context_quote(&config), 64);
	if (!CHECK_STATUS(t, gllm_context_create(p, gllm_context_quote(&config), &config, &f.c, &f.e), GLLM_OK))
		return;
	CHECK_EQ(t, bytes < bytes_behind(&f), config.profile.in_order); /* several vectors side by side */
	f.arena = empty;
	config.host.code = *check_exec_fresh(t);
	config.profile.in_order = !config.profile.in_order;
	config.profile.cache[0] = (struct gllm_cache){ .bytes = 48 << 10, .ways = 12, .line = 64 };
	config.profile.cache[1].bytes = 128 << 10;
	p = gllm_alloc(&f.arena, gllm_context_quote(&config), 64);
	if (!CHECK_STATUS(t, gllm_context_create(p, gllm_context_quote(&config), &config, &f.c, &f.e), GLLM_OK))
		return;
	rows_are_turned(&f, lanes);
	first_tiles_pack(&f, b.mr, b.nr, lanes);
	maps_come_later(&f, lanes, false);
	f.arena = empty;
	config.host.code = *check_exec_fresh(t);
	config.host.parallel_for = NULL;
	config.host.workers = 1;
	p = gllm_alloc(&f.arena, gllm_context_quote(&config), 64);
	if (!CHECK_STATUS(t, gllm_context_create(p, gllm_context_quote(&config), &config, &f.c, &f.e), GLLM_OK))
		return;
	streams(&f, lanes);
	streams_in_turn(&f, true);
	maps_come_later(&f, lanes, true);
	tiny_blocks(&f, lanes);
}
