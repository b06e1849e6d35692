/* SPDX-License-Identifier: MIT
 * tests/check_graph.c - graphs, fusion and plans: what fuses and what must not, fused against unfused against scalar,
 * shape errors by name, overlapping bindings, no growth over many plans. */
#include "check.h"
#include "check_plain.h"
#include "core/arena.h"
#include "core/bits.h"
#include "gllm/graph.h"

enum { ROWS = 5, COLS = 21, INNER = 19 };

struct bench {
	struct check *t;
	struct gllm_arena arena;
	struct gllm_context *c;
	struct gllm_error e;
};

static bool start(struct bench *b, struct check *t)
{
	size_t size;
	*b = (struct bench){ .t = t };
	unsigned char *all = check_memory(t, &size);
	gllm_arena_init(&b->arena, all, size);
	struct gllm_config config = { .target = check_target(t), .profile = *check_profile(t) };
	if (check_image(t))
		config.image = *check_image(t);
	if (check_exec(t))
		config.host.code = *check_exec(t);
	size_t need = gllm_context_quote(&config);
	void *memory = gllm_alloc(&b->arena, need, 64);
	CHECK_STATUS(t, gllm_context_create(memory, need - 1, &config, &b->c, NULL), GLLM_OUT_OF_MEMORY);
	return CHECK_STATUS(t, gllm_context_create(memory, need, &config, &b->c, &b->e), GLLM_OK);
}

static bool can_compile(const struct check *t)
{
	return check_target(t) && check_image(t) && check_exec(t) && check_profile(t)->vector_bytes;
}

/* --- a small feed-forward block ------------------------------------------------------------------------------------- */

enum { X, NORM, GATE, UP, DOWN, Y, EXTERNAL };

static struct gllm_graph *block(struct bench *b, uint64_t rows)
{
	struct gllm_graph *g = NULL;
	if (!CHECK_STATUS(b->t, gllm_graph_create(b->c, "block", rows, 16, 16, &g, &b->e), GLLM_OK))
		return NULL;
	gllm_tensor x = gllm_graph_tensor(g, GLLM_TENSOR_INPUT, GLLM_F32, GLLM_ROWS, INNER, "x");
	gllm_tensor w = gllm_graph_tensor(g, GLLM_TENSOR_WEIGHT, GLLM_F32, 1, INNER, "norm");
	gllm_tensor gate = gllm_graph_tensor(g, GLLM_TENSOR_WEIGHT, GLLM_F32, COLS, INNER, "gate");
	gllm_tensor up = gllm_graph_tensor(g, GLLM_TENSOR_WEIGHT, GLLM_F32, COLS, INNER, "up");
	gllm_tensor down = gllm_graph_tensor(g, GLLM_TENSOR_WEIGHT, GLLM_F32, INNER, COLS, "down");
	gllm_tensor y = gllm_graph_tensor(g, GLLM_TENSOR_OUTPUT, GLLM_F32, GLLM_ROWS, INNER, "y");
	gllm_tensor n = gllm_graph_tensor(g, GLLM_TENSOR_VALUE, GLLM_F32, GLLM_ROWS, INNER, "n");
	gllm_tensor p = gllm_graph_tensor(g, GLLM_TENSOR_VALUE, GLLM_F32, GLLM_ROWS, COLS, "p");
	gllm_tensor q = gllm_graph_tensor(g, GLLM_TENSOR_VALUE, GLLM_F32, GLLM_ROWS, COLS, "q");
	gllm_tensor h = gllm_graph_tensor(g, GLLM_TENSOR_VALUE, GLLM_F32, GLLM_ROWS, COLS, "h");
	gllm_tensor d = gllm_graph_tensor(g, GLLM_TENSOR_VALUE, GLLM_F32, GLLM_ROWS, INNER, "d");
	gllm_tensor r = gllm_graph_tensor(g, GLLM_TENSOR_VALUE, GLLM_F32, GLLM_ROWS, INNER, "r");
	gllm_graph_node(g, GLLM_OP_rms_norm, GLLM_ROWS, (struct gllm_actual[]){ GLLM_T(n), GLLM_T(x), GLLM_T(w),
	                GLLM_D(INNER), GLLM_S(1e-5f) }, 5);
	gllm_graph_node(g, GLLM_OP_gemm_bt, 1, (struct gllm_actual[]){ GLLM_T(p), GLLM_T(n), GLLM_T(gate), GLLM_D(GLLM_ROWS),
	                GLLM_D(COLS), GLLM_D(INNER) }, 6);
	gllm_graph_node(g, GLLM_OP_gemm_bt, 1, (struct gllm_actual[]){ GLLM_T(q), GLLM_T(n), GLLM_T(up), GLLM_D(GLLM_ROWS),
	                GLLM_D(COLS), GLLM_D(INNER) }, 6);
	gllm_graph_node(g, GLLM_OP_swiglu, GLLM_ROWS, (struct gllm_actual[]){ GLLM_T(h), GLLM_T(p), GLLM_T(q), GLLM_D(COLS) }, 4);
	gllm_graph_node(g, GLLM_OP_gemm_bt, 1, (struct gllm_actual[]){ GLLM_T(d), GLLM_T(h), GLLM_T(down), GLLM_D(GLLM_ROWS),
	                GLLM_D(INNER), GLLM_D(COLS) }, 6);
	gllm_graph_node(g, GLLM_OP_add, GLLM_ROWS, (struct gllm_actual[]){ GLLM_T(r), GLLM_T(d), GLLM_T(x), GLLM_D(INNER) }, 4);
	gllm_graph_node(g, GLLM_OP_silu, GLLM_ROWS, (struct gllm_actual[]){ GLLM_T(y), GLLM_T(r), GLLM_D(INNER) }, 3);
	if (!CHECK_STATUS(b->t, gllm_graph_status(g, &b->e), GLLM_OK)) {
		check_print(b->t, "     %s: %s\n", b->e.what, b->e.name);
		return NULL;
	}
	return g;
}

struct data {
	float x[ROWS * INNER], norm[INNER], gate[COLS * INNER], up[COLS * INNER], down[INNER * COLS], y[ROWS * INNER];
};

static bool run(struct bench *b, const struct gllm_plan *p, struct data *d, uint64_t rows)
{
	void *bind[EXTERNAL] = { [X] = d->x, [NORM] = d->norm, [GATE] = d->gate, [UP] = d->up, [DOWN] = d->down, [Y] = d->y };
	struct gllm_arena mark = b->arena;
	void *workspace = gllm_alloc(&b->arena, gllm_plan_workspace(p) + 64, 64);
	b->arena = mark;
	return CHECK(b->t, workspace != NULL) &&
	       CHECK_STATUS(b->t, gllm_plan_run(p, bind, rows, workspace, &b->e), GLLM_OK);
}

static void expect_steps(struct bench *b, const struct gllm_plan *p)
{
	static const struct { const char *name; enum gllm_mode mode; } want[] = {
		{ "rms_norm", GLLM_MODE_ROOT }, { "gemm_bt+gemm_bt+swiglu", GLLM_MODE_EPILOGUE },
		{ "gemm_bt+add+silu", GLLM_MODE_EPILOGUE },
	};
	if (!CHECK_EQ(b->t, gllm_plan_steps(p), GLLM_COUNT(want)))
		return;
	for (unsigned i = 0; i < GLLM_COUNT(want); i++) {
		struct gllm_step_info info;
		gllm_plan_step(p, i, &info);
		CHECK_TEXT(b->t, info.name, want[i].name);
		CHECK_EQ(b->t, info.mode, want[i].mode);
		CHECK(b->t, info.bytes_moved > 0 && info.cycles > 0);
	}
}

/* What the plan tells of itself is of one piece: edges join nodes in order, fused ones within a group, and places in the
 * workspace that live at the same time are apart. */
static void tells(struct bench *b, const struct gllm_plan *p)
{
	struct gllm_buffer_info a, other;
	struct gllm_edge_info edge;
	struct gllm_node_info from, to;
	struct gllm_tensor_info tensor;
	unsigned fused = 0, decided = 0;
	CHECK_EQ(b->t, gllm_plan_nodes(p), 7);
	CHECK_EQ(b->t, gllm_plan_tensors(p), 12);
	CHECK_EQ(b->t, gllm_plan_edges(p), 13);
	for (unsigned i = 0; i < gllm_plan_edges(p); i++) {
		CHECK_STATUS(b->t, gllm_plan_edge(p, i, &edge), GLLM_OK);
		CHECK_STATUS(b->t, gllm_plan_tensor(p, edge.tensor, &tensor), GLLM_OK);
		CHECK_EQ(b->t, edge.producer == 0xffff, tensor.kind != GLLM_TENSOR_VALUE);
		decided += edge.why != NULL;
		fused += edge.fused;
		if (edge.producer == 0xffff || !CHECK(b->t, edge.producer < edge.consumer))
			continue;
		gllm_plan_node(p, edge.producer, &from);
		gllm_plan_node(p, edge.consumer, &to);
		CHECK(b->t, !edge.fused || from.group == to.group);
		CHECK(b->t, from.group <= to.group);
	}
	CHECK_EQ(b->t, fused, 4);
	CHECK(b->t, decided >= 4);
	for (unsigned i = 0; i < gllm_plan_buffers(p); i++) {
		gllm_plan_buffer(p, i, &a);
		CHECK(b->t, a.first_group <= a.last_group && a.offset % 64 == 0 && a.offset + a.bytes <= gllm_plan_workspace(p));
		for (unsigned k = 0; k < i; k++) {
			gllm_plan_buffer(p, k, &other);
			bool together = a.first_group <= other.last_group && other.first_group <= a.last_group;
			bool shared = a.offset < other.offset + other.bytes && other.offset < a.offset + a.bytes;
			CHECK(b->t, !(together && shared));
		}
	}
	CHECK_STATUS(b->t, gllm_plan_node(p, 7, &from), GLLM_INVALID_ARGUMENT);
	CHECK_STATUS(b->t, gllm_plan_tensor(p, 12, &tensor), GLLM_INVALID_ARGUMENT);
	CHECK_STATUS(b->t, gllm_plan_edge(p, 13, &edge), GLLM_INVALID_ARGUMENT);
	CHECK_STATUS(b->t, gllm_plan_buffer(p, gllm_plan_buffers(p), &a), GLLM_INVALID_ARGUMENT);
}

/* Scalar, unfused and fused plans of one graph agree; fused plans need no more memory. */
static void agree(struct bench *b, uint64_t max_rows)
{
	static const struct gllm_plan_options scalar = { .scalar = true }, plain = { .no_fusion = true, .readback = true },
	                                      fused = { .readback = true };
	struct gllm_arena mark = b->arena;
	struct gllm_plan *p = NULL, *q = NULL, *r = NULL;
	struct data *d = gllm_alloc(&b->arena, sizeof *d, 64), *e = gllm_alloc(&b->arena, sizeof *e, 64);
	struct gllm_graph *g = block(b, max_rows);
	if (!g || !CHECK_STATUS(b->t, gllm_compile(b->c, g, &scalar, &p, &b->e), GLLM_OK))
		return;
	if (!can_compile(b->t)) {
		check_skip(b->t, "fusion needs a back end, vector units and executable memory");
		return;
	}
	if (!CHECK_STATUS(b->t, gllm_compile(b->c, g, &plain, &q, &b->e), GLLM_OK) ||
	    !CHECK_STATUS(b->t, gllm_compile(b->c, g, &fused, &r, &b->e), GLLM_OK)) {
		check_print(b->t, "     %s: %s\n", b->e.what, b->e.name);
		return;
	}
	expect_steps(b, r);
	tells(b, r);
	CHECK_EQ(b->t, gllm_plan_steps(q), 7);
	CHECK(b->t, gllm_plan_workspace(r) <= gllm_plan_workspace(q));
	float *all = (float *)d;
	for (size_t i = 0; i < sizeof *d / sizeof(float); i++)
		all[i] = check_float(b->t, -1.0f, 1.0f);
	for (uint64_t rows = max_rows == 1; rows <= max_rows; rows++) {
		*e = *d;
		if (!run(b, p, d, rows))
			return;
		const struct gllm_plan *other[] = { q, r };
		for (unsigned k = 0; k < 2; k++) {
			double worst = 0;
			run(b, other[k], e, rows);
			for (unsigned i = 0; i < ROWS * INNER; i++) {
				double x = (double)d->y[i] - (double)e->y[i];
				worst = x > worst ? x : -x > worst ? -x : worst;
			}
			if (!CHECK(b->t, worst <= 1e-5))
				check_print(b->t, "     %s, %llu rows: off by %f\n", k ? "fused" : "unfused",
				            (unsigned long long)rows, worst);
		}
	}
	gllm_plan_free(b->c, r);
	gllm_plan_free(b->c, q);
	gllm_plan_free(b->c, p);
	gllm_graph_free(b->c, g);
	b->arena = mark;
}

/* --- any number of workers ------------------------------------------------------------------------------------------- */

static void same_bits(struct bench *b)
{
	struct gllm_arena mark = b->arena;
	struct data *first = gllm_alloc(&b->arena, sizeof *first, 64), *again = gllm_alloc(&b->arena, sizeof *again, 64);
	struct gllm_context *c = b->c;
	struct gllm_config config = { .target = check_target(b->t), .profile = *check_profile(b->t) };
	unsigned workers = 1;
	if (!can_compile(b->t) || !CHECK(b->t, first && again))
		return;
	config.image = *check_image(b->t);
	config.host.code = *check_exec_fresh(b->t);
	config.host.parallel_for = check_in_shares;
	config.host.user = &workers;
	config.host.workers = 2; /* more than one: so the hook is used */
	config.profile.cores = 0; /* unknown: then no step is too small to share */
	void *memory = gllm_alloc(&b->arena, gllm_context_quote(&config), 64);
	struct gllm_plan *p;
	if (!CHECK_STATUS(b->t, gllm_context_create(memory, gllm_context_quote(&config), &config, &b->c, &b->e), GLLM_OK))
		return;
	struct gllm_graph *g = block(b, ROWS);
	if (g && CHECK_STATUS(b->t, gllm_compile(b->c, g, NULL, &p, &b->e), GLLM_OK)) {
		float *all = (float *)first;
		for (size_t i = 0; i < sizeof *first / sizeof(float); i++)
			all[i] = check_float(b->t, -1.0f, 1.0f);
		*again = *first;
		run(b, p, first, ROWS);
		for (workers = 2; workers <= 9; workers++) {
			bool same = true;
			run(b, p, again, ROWS);
			for (unsigned i = 0; i < ROWS * INNER; i++) {
				same = same && gllm_f32_bits(first->y[i]) == gllm_f32_bits(again->y[i]);
				again->y[i] = 0;
			}
			CHECK(b->t, same);
		}
	}
	b->c = c;
	b->arena = mark;
}

static void count_shares(void *user, gllm_task_fn *fn, void *task, uint64_t n, uint64_t grain)
{
	(void)grain;
	++*(unsigned *)user;
	fn(task, 0, n, 0);
}

/* What takes less than handing it out is not handed out: of two cores, a map of 4,096 elements is not, one of 262,144 is. */
static void small_steps(struct bench *b)
{
	enum { SMALL = 1 << 12, LARGE = 1 << 18 };
	struct gllm_arena mark = b->arena;
	struct gllm_context *c;
	struct gllm_config config = { .target = check_target(b->t), .profile = *check_profile(b->t) };
	unsigned shares = 0;
	float *x = gllm_alloc(&b->arena, LARGE * sizeof *x, 64), *y = gllm_alloc(&b->arena, LARGE * sizeof *y, 64);
	if (!can_compile(b->t) || !CHECK(b->t, x && y))
		return;
	config.image = *check_image(b->t);
	config.host.code = *check_exec_fresh(b->t);
	config.host.parallel_for = count_shares;
	config.host.user = &shares;
	config.host.workers = config.profile.cores = 2;
	void *memory = gllm_alloc(&b->arena, gllm_context_quote(&config), 64);
	if (!CHECK_STATUS(b->t, gllm_context_create(memory, gllm_context_quote(&config), &config, &c, &b->e), GLLM_OK))
		return;
	for (unsigned i = 0; i < LARGE; i++)
		x[i] = 1.0f;
	for (unsigned k = 0; k < 2; k++) {
		unsigned n = k ? LARGE : SMALL;
		struct gllm_graph *g;
		struct gllm_plan *p;
		struct gllm_step_info info;
		if (!CHECK_STATUS(b->t, gllm_graph_create(c, "one map", 1, 2, 1, &g, &b->e), GLLM_OK))
			return;
		gllm_tensor tx = gllm_graph_tensor(g, GLLM_TENSOR_INPUT, GLLM_F32, 1, n, "x");
		gllm_tensor ty = gllm_graph_tensor(g, GLLM_TENSOR_OUTPUT, GLLM_F32, 1, n, "y");
		gllm_graph_node(g, GLLM_OP_relu, 1, (struct gllm_actual[]){ GLLM_T(ty), GLLM_T(tx), GLLM_D(n) }, 3);
		if (!CHECK_STATUS(b->t, gllm_compile(c, g, NULL, &p, &b->e), GLLM_OK))
			return;
		CHECK_STATUS(b->t, gllm_plan_step(p, 0, &info), GLLM_OK);
		CHECK_TEXT(b->t, info.strategy, k ? "elements" : "sequential");
		CHECK_STATUS(b->t, gllm_plan_run(p, (void *[]){ x, y }, 1, gllm_alloc(&b->arena, gllm_plan_workspace(p) + 64, 64), &b->e), GLLM_OK);
		CHECK_EQ(b->t, shares, k);
		gllm_plan_free(c, p);
		gllm_graph_free(c, g);
	}
	b->arena = mark;
}

/* --- values with two readers --------------------------------------------------------------------------------------------- */

static void two_readers(struct bench *b)
{
	/* s = a + b; y = silu(s); z = s * y: s has two readers, and the second needs y. All three are one loop. */
	struct gllm_graph *g;
	struct gllm_plan *p;
	struct gllm_step_info info;
	if (!can_compile(b->t) || !CHECK_STATUS(b->t, gllm_graph_create(b->c, "two readers", 1, 8, 8, &g, &b->e), GLLM_OK))
		return;
	gllm_tensor x = gllm_graph_tensor(g, GLLM_TENSOR_INPUT, GLLM_F32, 1, 40, "x");
	gllm_tensor z = gllm_graph_tensor(g, GLLM_TENSOR_OUTPUT, GLLM_F32, 1, 40, "z");
	gllm_tensor s = gllm_graph_tensor(g, GLLM_TENSOR_VALUE, GLLM_F32, 1, 40, "s");
	gllm_tensor y = gllm_graph_tensor(g, GLLM_TENSOR_VALUE, GLLM_F32, 1, 40, "y");
	gllm_graph_node(g, GLLM_OP_add, 1, (struct gllm_actual[]){ GLLM_T(s), GLLM_T(x), GLLM_T(x), GLLM_D(40) }, 4);
	gllm_graph_node(g, GLLM_OP_silu, 1, (struct gllm_actual[]){ GLLM_T(y), GLLM_T(s), GLLM_D(40) }, 3);
	gllm_graph_node(g, GLLM_OP_mul, 1, (struct gllm_actual[]){ GLLM_T(z), GLLM_T(s), GLLM_T(y), GLLM_D(40) }, 4);
	if (CHECK_STATUS(b->t, gllm_compile(b->c, g, NULL, &p, &b->e), GLLM_OK)) {
		CHECK_EQ(b->t, gllm_plan_steps(p), 1);
		gllm_plan_step(p, 0, &info);
		CHECK_TEXT(b->t, info.name, "add+silu+mul");
		CHECK_EQ(b->t, gllm_plan_buffers(p), 0);
		float in[40], out[40];
		void *bind[] = { in, out };
		struct gllm_arena mark = b->arena;
		void *workspace = gllm_alloc(&b->arena, gllm_plan_workspace(p), 64);
		b->arena = mark;
		for (unsigned i = 0; i < 40; i++)
			in[i] = check_float(b->t, -4.0f, 4.0f);
		CHECK_STATUS(b->t, gllm_plan_run(p, bind, 1, workspace, &b->e), GLLM_OK);
		for (unsigned i = 0; i < 40; i++) {
			float sum = in[i] + in[i];
			CHECK(b->t, check_ulp(out[i], sum * (sum / (1.0f + gllm_expf(-sum)))) <= 6);
		}
		gllm_plan_free(b->c, p);
	}
	gllm_graph_free(b->c, g);
}

/* --- the vector IR, listed ------------------------------------------------------------------------------------------- */

struct listing {
	unsigned lines, stores;
	char title[32];
};

static void listen(void *user, const char *text, size_t n)
{
	static const char store[] = "VSTORE";
	struct listing *l = user;
	for (size_t i = 0; l->lines == 0 && i < n && i + 1 < sizeof l->title; i++)
		l->title[i] = text[i] == '\n' ? 0 : text[i];
	l->lines += text[n - 1] == '\n';
	for (size_t i = 0, k = 0; i < n; i++) {
		k = text[i] == store[k] ? k + 1 : text[i] == store[0];
		if (k == sizeof store - 1) {
			l->stores++;
			k = 0;
		}
	}
}

/* Each compile tells all kernels, though the context has them already, and makes the same code. */
static void listed(struct bench *b)
{
	struct listing l[2] = { { .lines = 0 }, { .lines = 0 } };
	struct gllm_step_info info[3];
	struct gllm_graph *g;
	struct gllm_plan *p[3];
	if (!can_compile(b->t) || !CHECK_STATUS(b->t, gllm_graph_create(b->c, "listed", 1, 8, 8, &g, &b->e), GLLM_OK))
		return;
	gllm_tensor x = gllm_graph_tensor(g, GLLM_TENSOR_INPUT, GLLM_F32, 1, 40, "x");
	gllm_tensor y = gllm_graph_tensor(g, GLLM_TENSOR_OUTPUT, GLLM_F32, 1, 40, "y");
	gllm_graph_node(g, GLLM_OP_neg, 1, (struct gllm_actual[]){ GLLM_T(y), GLLM_T(x), GLLM_D(40) }, 3);
	for (unsigned k = 0; k < 3; k++) {
		struct gllm_plan_options o = { .listing = k ? listen : NULL, .listing_user = k ? &l[k - 1] : NULL };
		if (!CHECK_STATUS(b->t, gllm_compile(b->c, g, &o, &p[k], &b->e), GLLM_OK))
			return;
		CHECK_STATUS(b->t, gllm_plan_step(p[k], 0, &info[k]), GLLM_OK);
		CHECK_EQ(b->t, info[k].code_bytes, info[0].code_bytes);
	}
	CHECK_TEXT(b->t, l[0].title, "neg:");
	CHECK(b->t, l[0].lines > 10 && l[0].stores >= 2);
	CHECK(b->t, l[1].lines == l[0].lines && l[1].stores == l[0].stores);
	for (unsigned k = 3; k-- > 0; )
		gllm_plan_free(b->c, p[k]);
	gllm_graph_free(b->c, g);
}

/* --- values of other types ---------------------------------------------------------------------------------------- */

static PLAIN void next_word(uint32_t *restrict y, const uint32_t *restrict x, size_t n)
{
	LOOP for (size_t i = 0; i < n; i++)
		y[i] = x[i] + 1;
}

static PLAIN void small_word(uint32_t *restrict y, const uint32_t *restrict x, size_t n)
{
	LOOP for (size_t i = 0; i < n; i++)
		y[i] = x[i] < 5 ? x[i] : 7;
}

/* Lifts, but compares 64-bit sums: no lane holds them. */
static PLAIN void saturating_add(int32_t *restrict y, const int32_t *restrict a, const int32_t *restrict b, size_t n)
{
	LOOP for (size_t i = 0; i < n; i++) {
		int64_t sum = (int64_t)a[i] + b[i];
		y[i] = sum > INT32_MAX ? INT32_MAX : sum < INT32_MIN ? INT32_MIN : (int32_t)sum;
	}
}

static void words(struct bench *b)
{
	static const struct gllm_param unary[] = { { "y", GLLM_OUT, GLLM_U32 }, { "x", GLLM_IN, GLLM_U32 },
	                                           { "n", GLLM_DIM, GLLM_I64 } };
	static const struct gllm_param binary[] = { { "y", GLLM_OUT, GLLM_I32 }, { "a", GLLM_IN, GLLM_I32 },
	                                            { "b", GLLM_IN, GLLM_I32 }, { "n", GLLM_DIM, GLLM_I64 } };
	enum { N = 37 };
	unsigned next, small, saturating;
	struct gllm_graph *g;
	struct gllm_plan *p;
	if (!can_compile(b->t) ||
	    !CHECK_STATUS(b->t, gllm_register(b->c, "next_word", (gllm_any_fn *)next_word, unary, 3, NULL, &next, &b->e), GLLM_OK) ||
	    !CHECK_STATUS(b->t, gllm_register(b->c, "small_word", (gllm_any_fn *)small_word, unary, 3, NULL, &small, &b->e), GLLM_OK) ||
	    !CHECK_STATUS(b->t, gllm_register(b->c, "saturating", (gllm_any_fn *)saturating_add, binary, 4, NULL, &saturating,
	                                      &b->e), GLLM_OK) ||
	    !CHECK_STATUS(b->t, gllm_graph_create(b->c, "words", 1, 4, 4, &g, &b->e), GLLM_OK))
		return;
	gllm_tensor x = gllm_graph_tensor(g, GLLM_TENSOR_INPUT, GLLM_U32, 1, N, "x");
	gllm_tensor y = gllm_graph_tensor(g, GLLM_TENSOR_OUTPUT, GLLM_U32, 1, N, "y");
	gllm_tensor v = gllm_graph_tensor(g, GLLM_TENSOR_VALUE, GLLM_U32, 1, N, "v");
	gllm_graph_node(g, next, 1, (struct gllm_actual[]){ GLLM_T(v), GLLM_T(x), GLLM_D(N) }, 3);
	gllm_graph_node(g, small, 1, (struct gllm_actual[]){ GLLM_T(y), GLLM_T(v), GLLM_D(N) }, 3);
	if (CHECK_STATUS(b->t, gllm_compile(b->c, g, NULL, &p, &b->e), GLLM_OK)) {
		uint32_t in[N], out[N];
		struct gllm_arena mark = b->arena;
		void *workspace = gllm_alloc(&b->arena, gllm_plan_workspace(p) + 64, 64);
		b->arena = mark;
		for (unsigned i = 0; i < N; i++)
			in[i] = i % 3 ? i % 8 - 1u : (uint32_t)check_random(b->t);
		CHECK_STATUS(b->t, gllm_plan_run(p, (void *[]){ in, out }, 1, workspace, &b->e), GLLM_OK);
		for (unsigned i = 0; i < N; i++)
			CHECK_EQ(b->t, out[i], in[i] + 1 < 5 ? in[i] + 1 : 7);
		gllm_plan_free(b->c, p);
	}
	gllm_graph_free(b->c, g);

	if (!CHECK_STATUS(b->t, gllm_graph_create(b->c, "wide", 1, 4, 4, &g, &b->e), GLLM_OK))
		return;
	x = gllm_graph_tensor(g, GLLM_TENSOR_INPUT, GLLM_I32, 1, N, "x");
	y = gllm_graph_tensor(g, GLLM_TENSOR_OUTPUT, GLLM_I32, 1, N, "y");
	gllm_graph_node(g, saturating, 1, (struct gllm_actual[]){ GLLM_T(y), GLLM_T(x), GLLM_T(x), GLLM_D(N) }, 4);
	CHECK_STATUS(b->t, gllm_graph_status(g, &b->e), GLLM_OK);
	enum gllm_status s = gllm_compile(b->c, g, NULL, &p, NULL);
	CHECK(b->t, s == GLLM_COMPILE_ERROR || s == GLLM_NOT_LIFTED); /* refused, never wrong */
	gllm_graph_free(b->c, g);
}

/* --- what comes and goes --------------------------------------------------------------------------------------------- */

static void cycles(struct bench *b)
{
	struct gllm_graph *g;
	struct gllm_plan *p;
	struct gllm_stats first, s;
	if (check_exec(b->t) && check_exec(b->t)->once) {
		check_skip(b->t, "this emulator runs on with code that was replaced");
		return;
	}
	if (!can_compile(b->t) || !CHECK_STATUS(b->t, gllm_graph_create(b->c, "cycle", 1, 4, 4, &g, &b->e), GLLM_OK))
		return;
	gllm_tensor x = gllm_graph_tensor(g, GLLM_TENSOR_INPUT, GLLM_F32, 1, 8, "x");
	gllm_tensor y = gllm_graph_tensor(g, GLLM_TENSOR_OUTPUT, GLLM_F32, 1, 8, "y");
	gllm_graph_node(g, GLLM_OP_add, 1, (struct gllm_actual[]){ GLLM_T(y), GLLM_T(x), GLLM_T(x), GLLM_D(8) }, 4);
	gllm_context_stats(b->c, &first);
	for (unsigned i = 0; i < 300; i++) {
		float in[8], out[8];
		if (gllm_compile(b->c, g, NULL, &p, &b->e) != GLLM_OK) {
			CHECK(b->t, false);
			break;
		}
		for (unsigned k = 0; k < 8; k++)
			in[k] = (float)(i + k);
		gllm_plan_run(p, (void *[]){ in, out }, 1, NULL, &b->e);
		if (out[7] != in[7] + in[7])
			CHECK(b->t, false);
		gllm_plan_free(b->c, p);
	}
	gllm_context_stats(b->c, &s);
	CHECK_EQ(b->t, s.code_bytes, first.code_bytes);
	gllm_graph_free(b->c, g);
}

/* --- errors --------------------------------------------------------------------------------------------------------- */

static void refusals(struct bench *b)
{
	struct gllm_graph *g;
	struct gllm_error e = { .status = GLLM_OK };
	CHECK_STATUS(b->t, gllm_graph_create(b->c, "bad", 0, 4, 4, &g, NULL), GLLM_INVALID_ARGUMENT);
	CHECK_STATUS(b->t, gllm_graph_create(b->c, "bad", 1, 4096, 4096, &g, NULL), GLLM_OUT_OF_MEMORY);
	if (!CHECK_STATUS(b->t, gllm_graph_create(b->c, "bad", 1, 4, 4, &g, &e), GLLM_OK))
		return;
	gllm_tensor x = gllm_graph_tensor(g, GLLM_TENSOR_INPUT, GLLM_F32, 1, 8, "x");
	gllm_tensor y = gllm_graph_tensor(g, GLLM_TENSOR_OUTPUT, GLLM_F32, 1, 8, "y");
	CHECK_STATUS(b->t, gllm_graph_node(g, GLLM_OP_silu, 1, (struct gllm_actual[]){ GLLM_T(x), GLLM_T(x), GLLM_D(8) }, 3),
	             GLLM_DUPLICATE);
	CHECK_STATUS(b->t, gllm_graph_status(g, &e), GLLM_DUPLICATE);
	CHECK_TEXT(b->t, e.name, "x = silu: x");
	gllm_graph_free(b->c, g);

	gllm_graph_create(b->c, "bad", 1, 4, 4, &g, NULL);
	x = gllm_graph_tensor(g, GLLM_TENSOR_INPUT, GLLM_F32, 1, 8, "x");
	y = gllm_graph_tensor(g, GLLM_TENSOR_OUTPUT, GLLM_F32, 1, 8, "y");
	CHECK_STATUS(b->t, gllm_graph_node(g, GLLM_OP_silu, 1, (struct gllm_actual[]){ GLLM_T(y), GLLM_T(x) }, 2),
	             GLLM_INVALID_ARGUMENT);
	gllm_graph_free(b->c, g);
	if (!check_target(b->t))
		return; /* without traces, extents are not known */
	static const struct { unsigned dim; const char *name; } wrong[] = { { 9, "y = silu: y" }, { 7, "y = silu: y" } };
	for (unsigned i = 0; i < GLLM_COUNT(wrong); i++) {
		e = (struct gllm_error){ .status = GLLM_OK };
		gllm_graph_create(b->c, "bad", 1, 4, 4, &g, NULL);
		x = gllm_graph_tensor(g, GLLM_TENSOR_INPUT, GLLM_F32, 1, 8, "x");
		y = gllm_graph_tensor(g, GLLM_TENSOR_OUTPUT, GLLM_F32, 1, 8, "y");
		gllm_graph_node(g, GLLM_OP_silu, 1, (struct gllm_actual[]){ GLLM_T(y), GLLM_T(x), GLLM_D(wrong[i].dim) }, 3);
		CHECK_STATUS(b->t, gllm_graph_status(g, &e), GLLM_SHAPE_MISMATCH);
		CHECK_TEXT(b->t, e.name, wrong[i].name);
		gllm_graph_free(b->c, g);
	}
}

static void bad_bindings(struct bench *b)
{
	static const struct gllm_plan_options scalar = { .scalar = true };
	struct gllm_graph *g;
	struct gllm_plan *p;
	float x[16] = { 0 }, y[16];
	if (!CHECK_STATUS(b->t, gllm_graph_create(b->c, "one", 2, 4, 4, &g, &b->e), GLLM_OK))
		return;
	gllm_tensor in = gllm_graph_tensor(g, GLLM_TENSOR_INPUT, GLLM_F32, GLLM_ROWS, 8, "x");
	gllm_tensor out = gllm_graph_tensor(g, GLLM_TENSOR_OUTPUT, GLLM_F32, GLLM_ROWS, 8, "y");
	gllm_graph_node(g, GLLM_OP_silu, GLLM_ROWS, (struct gllm_actual[]){ GLLM_T(out), GLLM_T(in), GLLM_D(8) }, 3);
	if (!CHECK_STATUS(b->t, gllm_compile(b->c, g, &scalar, &p, &b->e), GLLM_OK))
		return;
	CHECK_STATUS(b->t, gllm_plan_run(p, (void *[]){ x, y }, 2, NULL, NULL), GLLM_OK);
	CHECK_STATUS(b->t, gllm_plan_run(p, (void *[]){ x, y }, 0, NULL, NULL), GLLM_OK);
	CHECK_STATUS(b->t, gllm_plan_run(p, (void *[]){ x, y }, 3, NULL, NULL), GLLM_INVALID_ARGUMENT);
	CHECK_STATUS(b->t, gllm_plan_run(p, (void *[]){ x, NULL }, 1, NULL, NULL), GLLM_INVALID_ARGUMENT);
	CHECK_STATUS(b->t, gllm_plan_run(p, (void *[]){ x, (char *)y + 1 }, 1, NULL, NULL), GLLM_INVALID_ARGUMENT);
	CHECK_STATUS(b->t, gllm_plan_run(p, (void *[]){ x, x + 8 }, 1, NULL, NULL), GLLM_OK);
	CHECK_STATUS(b->t, gllm_plan_run(p, (void *[]){ x, x + 8 }, 2, NULL, NULL), GLLM_OVERLAP);
	size_t high = 0;
	gllm_plan_free(b->c, p);
	for (unsigned i = 0; i < 1000; i++) { /* plans come and go without growth */
		struct gllm_stats s;
		if (gllm_compile(b->c, g, &scalar, &p, &b->e) != GLLM_OK || gllm_plan_free(b->c, p) != GLLM_OK)
			CHECK(b->t, false);
		gllm_context_stats(b->c, &s);
		if (i == 1)
			high = s.heap_high;
		if (i == 999)
			CHECK_EQ(b->t, s.heap_high, high);
	}
	CHECK_STATUS(b->t, gllm_plan_free(b->c, p), GLLM_INVALID_ARGUMENT);
	gllm_graph_free(b->c, g);
}

void check_graph(struct check *t)
{
	struct bench b;
	if (!start(&b, t))
		return;
	agree(&b, 1);
	agree(&b, ROWS);
	two_readers(&b);
	same_bits(&b);
	small_steps(&b);
	listed(&b);
	words(&b);
	cycles(&b);
	refusals(&b);
	bad_bindings(&b);
}
