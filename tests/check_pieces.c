/* SPDX-License-Identifier: MIT
 * tests/check_pieces.c - plans of one context share kernels of equal code: one that is compiled second adds none, runs on
 * after the first is freed, and saves to the same blob as if it were alone; short norms of one row are those of several; memory comes back
 * in whatever order plans go. */
#include "check.h"
#include "core/arena.h"
#include "core/bits.h"
#include "core/hash.h"
#include "gllm/blob.h"
#include "gllm/graph.h"
#include "gllm/ops.h"
#include "jit/context.h"
#include "jit/pieces.h"

enum { ROWS = 9, COLS = 70 };

struct lab {
	struct check *t;
	struct gllm_arena arena;
	struct gllm_config config;
	struct gllm_context *c;
	struct gllm_error e;
};

static bool open_context(struct lab *l, bool once)
{
	l->config.host.code.once = once;
	size_t n = gllm_context_quote(&l->config);
	void *memory = gllm_alloc(&l->arena, n, 64);
	return CHECK(l->t, memory) && CHECK_STATUS(l->t, gllm_context_create(memory, n, &l->config, &l->c, &l->e), GLLM_OK);
}

/* y = silu(x) by rows, z = gelu or relu of y: a graph of two kernels, of which the first is that of all others. */
static struct gllm_plan *make(struct lab *l, unsigned second, uint64_t max_rows, bool readback)
{
	const struct gllm_plan_options o = { .no_fusion = true, .readback = readback };
	struct gllm_graph *g = NULL;
	struct gllm_plan *p = NULL;
	if (!CHECK_STATUS(l->t, gllm_graph_create(l->c, "maps", max_rows, 4, 4, &g, &l->e), GLLM_OK))
		return NULL;
	gllm_tensor x = gllm_graph_tensor(g, GLLM_TENSOR_INPUT, GLLM_F32, GLLM_ROWS, COLS, "x"),
	            y = gllm_graph_tensor(g, GLLM_TENSOR_VALUE, GLLM_F32, GLLM_ROWS, COLS, "y"),
	            z = gllm_graph_tensor(g, GLLM_TENSOR_OUTPUT, GLLM_F32, GLLM_ROWS, COLS, "z");
	gllm_graph_node(g, GLLM_OP_silu, GLLM_ROWS, (struct gllm_actual[]){ GLLM_T(y), GLLM_T(x), GLLM_D(COLS) }, 3);
	gllm_graph_node(g, second, GLLM_ROWS, (struct gllm_actual[]){ GLLM_T(z), GLLM_T(y), GLLM_D(COLS) }, 3);
	CHECK_STATUS(l->t, gllm_compile(l->c, g, &o, &p, &l->e), GLLM_OK);
	gllm_graph_free(l->c, g);
	return p;
}

static struct gllm_stats stats(const struct lab *l)
{
	struct gllm_stats s;
	gllm_context_stats(l->c, &s);
	return s;
}

/* The plan's result on fixed numbers, as a sum of its bits. */
static uint64_t run(struct lab *l, const struct gllm_plan *p)
{
	float x[ROWS * COLS], z[ROWS * COLS];
	void *bind[] = { x, NULL, z, NULL };
	struct gllm_arena mark = l->arena;
	uint64_t sum = 0;
	void *workspace = gllm_alloc(&mark, gllm_plan_workspace(p) + 64, 64);
	for (unsigned i = 0; i < ROWS * COLS; i++) {
		x[i] = (float)((int)(i * 37 % 101) - 50) * 0.11f;
		z[i] = 0;
	}
	CHECK_STATUS(l->t, gllm_plan_run(p, bind, ROWS, workspace, &l->e), GLLM_OK);
	for (unsigned i = 0; i < ROWS * COLS; i++)
		sum = sum * 31 + gllm_f32_bits(z[i]);
	return sum;
}

static uint64_t blob_of(struct lab *l, const struct gllm_plan *p, size_t *n)
{
	struct gllm_arena mark = l->arena;
	*n = gllm_plan_blob(p);
	unsigned char *blob = gllm_alloc(&mark, *n, 8);
	if (!CHECK(l->t, blob) || !CHECK_STATUS(l->t, gllm_plan_save(p, blob, *n, &l->e), GLLM_OK))
		return 0;
	return gllm_hash_block(blob, *n);
}

static void shared(struct lab *l, bool first_goes_first)
{
	size_t alone_bytes, bytes;
	struct gllm_plan *a = make(l, GLLM_OP_relu, 16, false);
	struct gllm_stats before = stats(l);
	if (!a)
		return;
	uint64_t want_a = run(l, a), alone = blob_of(l, a, &alone_bytes);
	struct gllm_plan *b = make(l, GLLM_OP_relu, 32, false), *c = make(l, GLLM_OP_gelu, 16, false), *d = make(l, GLLM_OP_relu, 16, true);
	if (!b || !c || !d)
		return;
	struct gllm_stats after = stats(l);
	CHECK_EQ(l->t, after.kernels - before.kernels, 3); /* the other map of c, and both kernels of d, which are read back */
	CHECK(l->t, after.code_bytes > before.code_bytes);
	uint64_t want_c = run(l, c);
	CHECK_EQ(l->t, run(l, b), want_a);
	CHECK_EQ(l->t, run(l, d), want_a);
	CHECK(l->t, want_c != want_a);
	CHECK_EQ(l->t, blob_of(l, d, &bytes), alone);
	CHECK_EQ(l->t, bytes, alone_bytes);
	struct gllm_plan *order[] = { a, b, c, d }, *other = NULL;
	for (unsigned i = 0; i < 4; i++) {
		struct gllm_plan *next = order[first_goes_first ? i : 3 - i];
		CHECK_EQ(l->t, run(l, next), next == c ? want_c : want_a);
		CHECK_STATUS(l->t, gllm_plan_free(l->c, next), GLLM_OK);
		CHECK_STATUS(l->t, gllm_plan_free(l->c, next), GLLM_INVALID_ARGUMENT); /* and nobody's count is wrong */
		gllm_plan_free(l->c, other);
		other = make(l, GLLM_OP_tanh, 16, true); /* where memory is free now */
	}
	CHECK_STATUS(l->t, gllm_plan_free(l->c, other), GLLM_OK);
}

/* Kernels that norms of rows of `cols` elements need for graphs of one row and then of several: one for both. */
static unsigned norms(struct lab *l, uint64_t cols)
{
	struct gllm_stats before = stats(l);
	struct gllm_plan *p[2] = { NULL, NULL };
	for (unsigned i = 0; i < 2; i++) {
		struct gllm_graph *g = NULL;
		if (!CHECK_STATUS(l->t, gllm_graph_create(l->c, "norms", i ? ROWS : 1, 4, 2, &g, &l->e), GLLM_OK))
			return 0;
		gllm_tensor x = gllm_graph_tensor(g, GLLM_TENSOR_INPUT, GLLM_F32, GLLM_ROWS, cols, "x"),
		            w = gllm_graph_tensor(g, GLLM_TENSOR_WEIGHT, GLLM_F32, 1, cols, "w"),
		            y = gllm_graph_tensor(g, GLLM_TENSOR_OUTPUT, GLLM_F32, GLLM_ROWS, cols, "y");
		gllm_graph_node(g, GLLM_OP_rms_norm, GLLM_ROWS, (struct gllm_actual[]){ GLLM_T(y), GLLM_T(x), GLLM_T(w), GLLM_D(cols), GLLM_S(1e-5f) }, 5);
		CHECK_STATUS(l->t, gllm_compile(l->c, g, NULL, &p[i], &l->e), GLLM_OK);
		gllm_graph_free(l->c, g);
	}
	gllm_plan_free(l->c, p[1]);
	gllm_plan_free(l->c, p[0]);
	return stats(l).kernels - before.kernels;
}

void check_pieces(struct check *t)
{
	struct lab l = { .t = t, .config = { .target = check_target(t), .profile = *check_profile(t) } };
	size_t size;
	unsigned char *memory = check_memory(t, &size);
	if (!check_target(t) || !check_image(t) || !check_exec(t) || !check_profile(t)->vector_bytes) {
		check_skip(t, "compiled plans need a back end, vector units and executable memory");
		return;
	}
	l.config.image = *check_image(t);
	l.config.host.code = *check_exec(t);
	gllm_arena_init(&l.arena, memory, size);
	bool once = l.config.host.code.once;
	if (!open_context(&l, once))
		return;
	size_t heap = l.c->heap.used;
	for (unsigned i = 0; i < 2; i++) {
		shared(&l, i);
		CHECK(t, l.c->pieces == NULL && l.c->heap.used == heap);
		CHECK(t, once || stats(&l).code_bytes == 0);
	}
	CHECK_EQ(t, norms(&l, 2048), 1);
	CHECK(t, norms(&l, COLS) > 1);               /* a row beside which a loop is seen */
	CHECK(t, norms(&l, UINT64_C(1) << 22) > 1);  /* one that workers share */
}
