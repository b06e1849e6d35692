/* SPDX-License-Identifier: MIT
 * tests/check_pack.c - what products of one input share: one pack of its rows, counted in steps and told by the plan, with
 * the results of the scalar plan for any number of rows and workers; that a norm before them stores the packed rows itself,
 * where its value goes nowhere else; and what happens where memory for a pack is short. */
#include "check.h"
#include "core/arena.h"
#include "core/bits.h"
#include "gllm/graph.h"
#include "gllm/ops.h"

enum { K = 512, N = 48, MOST = 33, PRODUCTS = 3, TENSORS = 10 };

struct input { /* of the products */
	unsigned norm;     /* GLLM_OP_COUNT: none */
	bool leaves;       /* its value is an output as well */
	bool narrow;       /* the last product has few columns, and reads rows where they lie */
};

struct fixture {
	struct check *t;
	struct gllm_arena arena;
	struct gllm_context *c;
	struct gllm_error e;
	unsigned workers;
	float *data[TENSORS], *want[TENSORS];
};

static unsigned columns_of(struct input in, unsigned product)
{
	return in.narrow && product == PRODUCTS - 1 ? N / 4 : N;
}

/* Tensors 0 x, then a weight and an output for each product, the weights of the norm, its value. */
static struct gllm_graph *graph_of(struct fixture *f, struct input in, unsigned products)
{
	struct gllm_graph *g = NULL;
	if (!CHECK_STATUS(f->t, gllm_graph_create(f->c, "shared", MOST, TENSORS, PRODUCTS + 1, &g, &f->e), GLLM_OK))
		return NULL;
	gllm_tensor x = gllm_graph_tensor(g, GLLM_TENSOR_INPUT, GLLM_F32, GLLM_ROWS, K, "x");
	gllm_tensor weight[PRODUCTS], result[PRODUCTS], from = x;
	for (unsigned i = 0; i < PRODUCTS; i++) { /* all of them, so that numbers stay */
		weight[i] = gllm_graph_tensor(g, GLLM_TENSOR_WEIGHT, GLLM_F32, columns_of(in, i), K, "w");
		result[i] = gllm_graph_tensor(g, i < products ? GLLM_TENSOR_OUTPUT : GLLM_TENSOR_VALUE, GLLM_F32, GLLM_ROWS, columns_of(in, i), "y");
	}
	if (in.norm != GLLM_OP_COUNT) {
		gllm_tensor gain = gllm_graph_tensor(g, GLLM_TENSOR_WEIGHT, GLLM_F32, 1, K, "gain"), shift = gain;
		gllm_tensor value = gllm_graph_tensor(g, in.leaves ? GLLM_TENSOR_OUTPUT : GLLM_TENSOR_VALUE, GLLM_F32, GLLM_ROWS, K, "value");
		bool rms = in.norm == GLLM_OP_rms_norm;
		struct gllm_actual actual[] = { GLLM_T(value), GLLM_T(x), GLLM_T(gain), GLLM_T(shift), GLLM_D(K), GLLM_S(1e-3f) };
		for (unsigned i = 3; i < 5 && rms; i++)
			actual[i] = actual[i + 1];
		gllm_graph_node(g, in.norm, GLLM_ROWS, actual, rms ? 5 : 6);
		from = value;
	}
	for (unsigned i = 0; i < products; i++) {
		gllm_graph_node(g, GLLM_OP_gemm_bt, 1, (struct gllm_actual[]){ GLLM_T(result[i]), GLLM_T(from), GLLM_T(weight[i]), GLLM_D(GLLM_ROWS),
		                GLLM_D(columns_of(in, i)), GLLM_D(K) }, 6);
	}
	CHECK_STATUS(f->t, gllm_graph_status(g, &f->e), GLLM_OK);
	return g;
}

struct told {
	const char *phrase;
	unsigned at, times;
};

static void count_phrase(void *user, const char *text, size_t n)
{
	struct told *t = user;
	for (size_t i = 0; i < n; i++) {
		t->at = text[i] == t->phrase[t->at] ? t->at + 1 : text[i] == t->phrase[0];
		if (t->phrase[t->at] == '\0') {
			t->times++;
			t->at = 0;
		}
	}
}

static unsigned times_told(const struct gllm_plan *p, const char *phrase)
{
	struct told t = { .phrase = phrase };
	gllm_plan_explain(p, count_phrase, &t);
	return t.times;
}

static bool run(struct fixture *f, const struct gllm_plan *p, float *const *data, uint64_t rows)
{
	void *bind[TENSORS];
	struct gllm_arena mark = f->arena;
	void *workspace = gllm_alloc(&f->arena, gllm_plan_workspace(p) + 64, 64);
	for (unsigned i = 0; i < TENSORS; i++)
		bind[i] = data[i];
	bool ok = CHECK(f->t, workspace != NULL) && CHECK_STATUS(f->t, gllm_plan_run(p, bind, rows, workspace, &f->e), GLLM_OK);
	f->arena = mark;
	return ok;
}

/* Outputs have every second place from 2 on. A norm's sums and those of its products of some 100 in all are rounded in
 * another order: 512 * 2^-24 * 100 is 3e-3, twenty times what is allowed here. */
static bool agree(const struct fixture *f, struct input in, unsigned products, uint64_t rows)
{
	bool exact = in.norm == GLLM_OP_COUNT;
	for (unsigned i = 0; i < products; i++)
		for (uint64_t k = 0; k < rows * columns_of(in, i); k++) {
			float got = f->data[2 + 2 * i][k], want = f->want[2 + 2 * i][k], d = got - want, size = want < 0 ? -want : want;
			if (gllm_f32_bits(got) != gllm_f32_bits(want) && (exact || !((d < 0 ? -d : d) <= 1e-4f + 1e-5f * size)))
				return false;
		}
	return true;
}

/* The plan's results are those of the scalar plan, and it says `shared` times that a pack is shared. Returns its steps, and
 * the mode of the first in *mode. */
static unsigned try_plan(struct fixture *f, struct input in, unsigned products, const struct gllm_plan_options *o, unsigned shared,
                         enum gllm_mode *mode)
{
	struct gllm_step_info first;
	static const uint64_t rows[] = { MOST, 1, 0 };
	struct gllm_graph *g = graph_of(f, in, products);
	struct gllm_plan *p, *scalar;
	unsigned steps = 0;
	if (!g || !CHECK_STATUS(f->t, gllm_compile(f->c, g, o, &p, &f->e), GLLM_OK))
		return 0;
	CHECK_EQ(f->t, times_told(p, "share one pack"), shared);
	if (CHECK_STATUS(f->t, gllm_compile(f->c, g, &(struct gllm_plan_options){ .scalar = true }, &scalar, &f->e), GLLM_OK)) {
		for (unsigned i = 0; i < GLLM_COUNT(rows); i++) {
			bool ok = run(f, scalar, f->want, rows[i]);
			for (f->workers = 1; f->workers <= 3 && ok; f->workers++) {
				for (unsigned k = 0; k < products; k++)
					for (unsigned j = 0; j < MOST * N; j++)
						f->data[2 + 2 * k][j] = -77.0f;
				ok = run(f, p, f->data, rows[i]) && CHECK(f->t, agree(f, in, products, rows[i]));
			}
		}
		gllm_plan_free(f->c, scalar);
	}
	steps = gllm_plan_steps(p);
	gllm_plan_step(p, 0, &first);
	*mode = first.mode;
	gllm_plan_free(f->c, p);
	gllm_graph_free(f->c, g);
	return steps;
}

/* Numbers whose sums are exact in any order. */
static void fill(struct fixture *f)
{
	for (unsigned i = 0; i < TENSORS; i++) {
		f->data[i] = gllm_alloc_array(&f->arena, N * K, sizeof(float), 64);
		f->want[i] = i >= 2 && i % 2 == 0 ? gllm_alloc_array(&f->arena, MOST * N, sizeof(float), 64) : f->data[i];
		for (unsigned k = 0; f->data[i] && k < N * K; k++)
			f->data[i][k] = (float)((int)check_below(f->t, 17) - 8) * 0.125f;
	}
}

void check_pack(struct check *t)
{
	struct fixture f = { .t = t, .workers = 1 };
	struct gllm_config config;
	size_t size;
	unsigned char *memory = check_memory(t, &size);
	if (!check_compiler(t, &f.workers, &config))
		return;
	config.profile.cache[0].ways = 2; /* rows that begin in the same sets do not lie well */
	gllm_arena_init(&f.arena, memory, size);
	void *p = gllm_alloc(&f.arena, gllm_context_quote(&config), 64);
	if (!CHECK_STATUS(t, gllm_context_create(p, gllm_context_quote(&config), &config, &f.c, &f.e), GLLM_OK))
		return;
	fill(&f);
	const struct gllm_plan_options plain = { .readback = true }, apart = { .no_fusion = true },
	                               short_of = { .pack_bytes = MOST * K * 4 };
	enum gllm_mode mode;
	struct input in = { GLLM_OP_COUNT, false, false };
	unsigned one = try_plan(&f, in, 1, &plain, 0, &mode);
	CHECK(t, one >= 3); /* rows, panels, the product */
	CHECK_EQ(t, try_plan(&f, in, PRODUCTS, &plain, PRODUCTS - 1, &mode), PRODUCTS * one - (PRODUCTS - 1));
	CHECK_EQ(t, try_plan(&f, in, PRODUCTS, &apart, 0, &mode), PRODUCTS * one);
	try_plan(&f, in, PRODUCTS, &short_of, 0, &mode);
	static const unsigned norm[] = { GLLM_OP_rms_norm, GLLM_OP_layer_norm };
	for (unsigned i = 0; i < GLLM_COUNT(norm); i++) {
		in = (struct input){ norm[i], false, false };
		CHECK_EQ(t, try_plan(&f, in, 1, &plain, 0, &mode), one); /* the norm in place of the copy */
		CHECK_EQ(t, mode, GLLM_MODE_NORM_INTO_GEMM);
		CHECK_EQ(t, try_plan(&f, in, PRODUCTS, &plain, PRODUCTS - 1, &mode), PRODUCTS * one - (PRODUCTS - 1));
		CHECK_EQ(t, mode, GLLM_MODE_NORM_INTO_GEMM);
		try_plan(&f, in, PRODUCTS, &short_of, 0, &mode);
		CHECK_EQ(t, mode, GLLM_MODE_ROOT);
		in.narrow = true;
		try_plan(&f, in, PRODUCTS, &plain, PRODUCTS - 2, &mode);
		CHECK_EQ(t, mode, GLLM_MODE_ROOT);
		in = (struct input){ norm[i], true, false };
		CHECK_EQ(t, try_plan(&f, in, PRODUCTS, &plain, PRODUCTS - 1, &mode), PRODUCTS * one - (PRODUCTS - 1) + 1);
		CHECK_EQ(t, mode, GLLM_MODE_ROOT);
	}
}
