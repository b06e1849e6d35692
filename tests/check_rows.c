/* SPDX-License-Identifier: MIT
 * tests/check_rows.c - rows that several passes go over run several at a time where registers and the nearest cache hold them and that pays, and each
 * row's bits are those of a row that runs alone. */
#include "check.h"
#include "core/arena.h"
#include "core/bits.h"
#include "core/target.h"
#include "gllm/ops.h"
#include "jit/plan.h"

enum { ROWS = 5, FULL = 300, MOST = 2000 }; /* FULL: columns that fill all sums of a row, of any machine's vectors */

struct lab {
	struct check *t;
	struct gllm_context *c;
	struct gllm_arena arena;
	struct gllm_error e;
	unsigned workers;
	float *x, *w, *got, *alone;
};

static const struct kind {
	unsigned op;
	uint8_t weights;
	bool scalar, chains;   /* so many sums that short rows of any number run side by side, from wherever they come */
} kind[] = { { GLLM_OP_softmax, 0, false, false }, { GLLM_OP_rms_norm, 1, true, false }, { GLLM_OP_l2_norm, 0, true, false },
	     { GLLM_OP_layer_norm, 2, true, true } };

static struct gllm_plan *plan_of(struct lab *l, const struct kind *k, uint64_t rows, uint64_t n)
{
	struct gllm_graph *g = NULL;
	struct gllm_plan *p = NULL;
	CHECK_STATUS(l->t, gllm_graph_create(l->c, "rows", ROWS, 4, 1, &g, &l->e), GLLM_OK);
	gllm_tensor x = gllm_graph_tensor(g, GLLM_TENSOR_INPUT, GLLM_F32, rows, n, "x"),
	            w = gllm_graph_tensor(g, GLLM_TENSOR_WEIGHT, GLLM_F32, 1, n, "w"),
	            y = gllm_graph_tensor(g, GLLM_TENSOR_OUTPUT, GLLM_F32, rows, n, "y");
	struct gllm_actual a[6] = { GLLM_T(y), GLLM_T(x) };
	unsigned m = 2;
	for (unsigned i = 0; i < k->weights; i++)
		a[m++] = GLLM_T(w);
	a[m++] = GLLM_D(n);
	if (k->scalar)
		a[m++] = GLLM_S(0.125f);
	gllm_graph_node(g, k->op, rows, a, m);
	if (CHECK_STATUS(l->t, gllm_graph_status(g, &l->e), GLLM_OK))
		CHECK_STATUS(l->t, gllm_compile(l->c, g, &(struct gllm_plan_options){ .readback = true }, &p, &l->e), GLLM_OK);
	gllm_graph_free(l->c, g);
	return p;
}

static void run(struct lab *l, const struct gllm_plan *p, float *x, float *y, uint64_t rows)
{
	void *bind[] = { x, l->w, y };
	struct gllm_arena mark = l->arena;
	void *workspace = gllm_alloc(&l->arena, gllm_plan_workspace(p) + 64, 64);
	CHECK_STATUS(l->t, gllm_plan_run(p, bind, rows, workspace, &l->e), GLLM_OK);
	l->arena = mark;
}

/* Elements of the first rows that differ from those of rows that ran alone, and those behind that were touched. */
static unsigned differences(struct lab *l, const struct gllm_plan *p, uint64_t count, uint64_t rows, uint64_t n)
{
	unsigned different = 0;
	for (uint64_t i = 0; i < ROWS * n; i++)
		l->got[i] = -123.0f;
	l->workers = 1 + (unsigned)rows % 3;
	run(l, p, l->x, l->got, count);
	for (uint64_t i = 0; i < ROWS * n; i++)
		different += gllm_f32_bits(l->got[i]) != gllm_f32_bits(i < rows * n ? l->alone[i] : -123.0f);
	return different;
}

/* `fit`: several rows do; where their number is open, two of many sums. */
static void check_one(struct lab *l, const struct kind *k, uint64_t n, bool fit)
{
	struct gllm_plan *open = plan_of(l, k, GLLM_ROWS, n), *fixed = plan_of(l, k, ROWS, n);
	if (!open || !fixed)
		return;
	bool ok = n < FULL || (CHECK_EQ(l->t, open->step[0].tile, fit && k->chains ? 2 : 1) && CHECK_EQ(l->t, fixed->step[0].tile, fit ? 3 : 1));
	for (uint64_t r = 0; r < ROWS; r++)
		run(l, open, l->x + r * n, l->alone + r * n, 1);
	for (uint64_t rows = 1; rows <= ROWS; rows++)
		ok = CHECK_EQ(l->t, differences(l, open, rows, rows, n), 0) && ok;
	if (!(CHECK_EQ(l->t, differences(l, fixed, 1, ROWS, n), 0) && ok))
		check_print(l->t, "     %s of %llu\n", gllm_op_info[k->op].name, (unsigned long long)n);
	gllm_plan_free(l->c, fixed);
	gllm_plan_free(l->c, open);
}

void check_rows(struct check *t)
{
	static const uint64_t columns[] = { 1, 15, 64, FULL + 1, MOST };
	struct lab l = { .t = t, .workers = 1 };
	struct gllm_config config;
	struct gllm_machine m;
	size_t size;
	unsigned char *memory = check_memory(t, &size);
	if (!check_compiler(t, &l.workers, &config) || !CHECK_STATUS(t, config.target->machine(&config.profile, &m), GLLM_OK))
		return;
	config.profile.cores = 0; /* no step is too small to share */
	config.profile.cache[0].bytes = 16 << 10;
	gllm_arena_init(&l.arena, memory, size);
	size_t need = gllm_context_quote(&config);
	CHECK_STATUS(t, gllm_context_create(gllm_alloc(&l.arena, need, 64), need, &config, &l.c, &l.e), GLLM_OK);
	float **array[] = { &l.x, &l.w, &l.got, &l.alone };
	for (unsigned i = 0; i < GLLM_COUNT(array); i++)
		*array[i] = gllm_alloc(&l.arena, ROWS * MOST * sizeof(float), 64);
	if (!CHECK(t, l.c && l.alone))
		return;
	for (unsigned i = 0; i < ROWS * MOST; i++) {
		l.x[i] = check_float(t, -3.0f, 3.0f);
		l.w[i] = check_float(t, -1.0f, 1.0f);
	}
	for (unsigned k = 0; k < GLLM_COUNT(kind); k++)
		for (unsigned i = 0; i < GLLM_COUNT(columns); i++)
			check_one(&l, &kind[k], columns[i], m.norder[1] >= 32 && columns[i] < MOST);
}
