/* SPDX-License-Identifier: MIT
 * tests/check_pack.c - what products of one input share: one pack of its rows, counted in steps and told by the plan, with
 * the results of the scalar plan for any number of rows and workers; and what happens where memory for it is short. */
#include "check.h"
#include "core/arena.h"
#include "core/bits.h"
#include "gllm/graph.h"
#include "gllm/ops.h"

enum { K = 512, N = 96, MOST = 45, PRODUCTS = 3, TENSORS = 2 + 2 * PRODUCTS };

struct fixture {
	struct check *t;
	struct gllm_arena arena;
	struct gllm_context *c;
	struct gllm_error e;
	unsigned workers;
	float *data[TENSORS], *want[TENSORS];
};

/* Shares in turn, last first, as `workers` would take them. */
static void in_shares(void *user, gllm_task_fn *fn, void *task, uint64_t units, uint64_t grain)
{
	const struct fixture *f = user;
	(void)grain;
	for (unsigned w = f->workers; w-- > 0;) {
		uint64_t begin = units * w / f->workers, end = units * (w + 1) / f->workers;
		if (begin < end)
			fn(task, begin, end, w);
	}
}

/* Tensors 0 x, then a weight and an output for each product. */
static struct gllm_graph *graph_of(struct fixture *f, unsigned products)
{
	struct gllm_graph *g = NULL;
	if (!CHECK_STATUS(f->t, gllm_graph_create(f->c, "shared", MOST, TENSORS, PRODUCTS, &g, &f->e), GLLM_OK))
		return NULL;
	gllm_tensor x = gllm_graph_tensor(g, GLLM_TENSOR_INPUT, GLLM_F32, GLLM_ROWS, K, "x");
	for (unsigned i = 0; i < products; i++) {
		gllm_tensor w = gllm_graph_tensor(g, GLLM_TENSOR_WEIGHT, GLLM_F32, N, K, "w"),
		            y = gllm_graph_tensor(g, GLLM_TENSOR_OUTPUT, GLLM_F32, GLLM_ROWS, N, "y");
		gllm_graph_node(g, GLLM_OP_gemm_bt, 1, (struct gllm_actual[]){ GLLM_T(y), GLLM_T(x), GLLM_T(w), GLLM_D(GLLM_ROWS),
		                GLLM_D(N), GLLM_D(K) }, 6);
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

/* Outputs have every second place from 2 on. */
static bool agree(const struct fixture *f, unsigned products, uint64_t rows)
{
	for (unsigned i = 0; i < products; i++)
		for (uint64_t k = 0; k < rows * N; k++)
			if (gllm_f32_bits(f->data[2 + 2 * i][k]) != gllm_f32_bits(f->want[2 + 2 * i][k]))
				return false;
	return true;
}

/* The plan's results are those of the scalar plan, and it says `shared` times that a pack is shared. Returns its steps. */
static unsigned try_plan(struct fixture *f, unsigned products, const struct gllm_plan_options *o, unsigned shared)
{
	static const uint64_t rows[] = { MOST, 29, 1, 0 };
	struct gllm_graph *g = graph_of(f, products);
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
				ok = run(f, p, f->data, rows[i]) && CHECK(f->t, agree(f, products, rows[i]));
			}
		}
		gllm_plan_free(f->c, scalar);
	}
	steps = gllm_plan_steps(p);
	gllm_plan_free(f->c, p);
	gllm_graph_free(f->c, g);
	return steps;
}

/* Numbers whose sums are exact in any order. */
static void fill(struct fixture *f)
{
	for (unsigned i = 0; i < TENSORS; i++) {
		f->data[i] = gllm_alloc_array(&f->arena, (i ? N : MOST) * K, sizeof(float), 64);
		f->want[i] = i >= 2 && i % 2 == 0 ? gllm_alloc_array(&f->arena, MOST * N, sizeof(float), 64) : f->data[i];
		for (unsigned k = 0; f->data[i] && k < (i ? N : MOST) * K; k++)
			f->data[i][k] = (float)((int)check_below(f->t, 17) - 8) * 0.125f;
	}
}

void check_pack(struct check *t)
{
	struct fixture f = { .t = t, .workers = 1 };
	struct gllm_config config = { .target = check_target(t), .profile = *check_profile(t) };
	size_t size;
	unsigned char *memory = check_memory(t, &size);
	if (!check_target(t) || !check_image(t) || !check_exec(t) || !check_profile(t)->vector_bytes) {
		check_skip(t, "packing needs a back end, vector units and executable memory");
		return;
	}
	config.image = *check_image(t);
	config.host.code = *check_exec(t);
	config.host.parallel_for = in_shares;
	config.host.user = &f;
	config.host.workers = 3;
	gllm_arena_init(&f.arena, memory, size);
	void *p = gllm_alloc(&f.arena, gllm_context_quote(&config), 64);
	if (!CHECK_STATUS(t, gllm_context_create(p, gllm_context_quote(&config), &config, &f.c, &f.e), GLLM_OK))
		return;
	fill(&f);
	const struct gllm_plan_options plain = { .readback = true }, apart = { .no_fusion = true },
	                               short_of = { .pack_bytes = MOST * K * 4 };
	unsigned one = try_plan(&f, 1, &plain, 0);
	CHECK(t, one >= 3); /* rows, panels, the product */
	CHECK_EQ(t, try_plan(&f, PRODUCTS, &plain, PRODUCTS - 1), PRODUCTS * one - (PRODUCTS - 1));
	CHECK_EQ(t, try_plan(&f, PRODUCTS, &apart, 0), PRODUCTS * one);
	try_plan(&f, PRODUCTS, &short_of, 0);
}
