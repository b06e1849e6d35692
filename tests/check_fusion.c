/* SPDX-License-Identifier: MIT
 * tests/check_fusion.c - pairs of operators that look as if they could become one loop and must not, and what a plan
 * promises beside: every graph is compiled scalar, unfused and fused, the steps are named, and the three agree. */
#include "check.h"
#include "check_plain.h"

#if GLLM_JIT
#include "core/arena.h"
#include "core/bits.h"
#include "gllm/graph.h"

enum { N = 40, TENSORS = 8, ROOM = 1024 }; /* N is even: neighbours swap */

/* --- operators ------------------------------------------------------------------------------------------------------ */

static PLAIN void reversed(float *restrict y, const float *restrict x, size_t n)
{
	LOOP for (size_t i = 0; i < n; i++)
		y[i] = x[n - 1 - i] + 1.0f;
}

static PLAIN void running(float *restrict y, const float *restrict x, size_t n)
{
	float s = 0.5f;
	LOOP for (size_t i = 0; i < n; i++) {
		s += x[i];
		y[i] = s;
	}
}

static PLAIN void put_at(float *restrict y, const float *restrict x, const int32_t *restrict at, size_t n)
{
	LOOP for (size_t i = 0; i < n; i++)
		y[(ptrdiff_t)i + at[i]] = x[i];
}

static PLAIN void take_at(float *restrict y, const float *restrict x, const int32_t *restrict at, size_t n)
{
	LOOP for (size_t i = 0; i < n; i++)
		y[i] = x[(ptrdiff_t)i + at[i]];
}

static PLAIN void map_and_total(float *restrict y, float *restrict total, const float *restrict x, size_t n)
{
	LOOP for (size_t i = 0; i < n; i++)
		y[i] = x[i] * 3.0f;
	float s = 0.0f;
	LOOP for (size_t i = 0; i < n; i++)
		s += y[i];
	total[0] = s;
}

static PLAIN void twice(float *restrict y, const float *restrict x, size_t n)
{
	LOOP for (size_t i = 0; i < n; i++)
		y[n - 1 - i] = x[i];
	LOOP for (size_t i = 0; i < n; i++)
		y[i] = x[i] * 2.0f;
}

/* Lifts, but no lane holds its sums: compiling it fails. */
static PLAIN void saturating(int32_t *restrict y, const int32_t *restrict x, size_t n)
{
	LOOP for (size_t i = 0; i < n; i++) {
		int64_t sum = (int64_t)x[i] * 3;
		y[i] = sum > INT32_MAX ? INT32_MAX : sum < INT32_MIN ? INT32_MIN : (int32_t)sum;
	}
}

static PLAIN void from_half(float *restrict y, const uint16_t *restrict x, size_t n)
{
	LOOP for (size_t i = 0; i < n; i++)
		y[i] = gllm_f16_to_f32(x[i]);
}

static PLAIN void times(float *restrict y, const float *restrict x, size_t n, float a)
{
	LOOP for (size_t i = 0; i < n; i++)
		y[i] = x[i] * a;
}

#define P(name, kind, type) { name, GLLM_##kind, GLLM_##type }
static const struct gllm_param map[] = { P("y", OUT, F32), P("x", IN, F32), P("n", DIM, I64) };
static const struct gllm_param indexed[] = { P("y", OUT, F32), P("x", IN, F32), P("at", IN, I32), P("n", DIM, I64) };
static const struct gllm_param two[] = { P("y", OUT, F32), P("total", OUT, F32), P("x", IN, F32), P("n", DIM, I64) };
static const struct gllm_param word[] = { P("y", OUT, I32), P("x", IN, I32), P("n", DIM, I64) };
static const struct gllm_param half[] = { P("y", OUT, F32), P("x", IN, F16), P("n", DIM, I64) };

static const struct gllm_param scaled[] = { P("y", OUT, F32), P("x", IN, F32), P("n", DIM, I64), P("a", SCALAR, F32) };

static void call_scaled(gllm_any_fn *f, const union gllm_arg *a)
{
	((void (*)(float *, const float *, size_t, float))f)(a[0].ptr, a[1].cptr, a[2].dim, a[3].scalar);
}
static void call_map(gllm_any_fn *f, const union gllm_arg *a)
{
	((void (*)(float *, const float *, size_t))f)(a[0].ptr, a[1].cptr, a[2].dim);
}
static void call_indexed(gllm_any_fn *f, const union gllm_arg *a)
{
	((void (*)(float *, const float *, const int32_t *, size_t))f)(a[0].ptr, a[1].cptr, a[2].cptr, a[3].dim);
}
static void call_two(gllm_any_fn *f, const union gllm_arg *a)
{
	((void (*)(float *, float *, const float *, size_t))f)(a[0].ptr, a[1].ptr, a[2].cptr, a[3].dim);
}
static void call_word(gllm_any_fn *f, const union gllm_arg *a)
{
	((void (*)(int32_t *, const int32_t *, size_t))f)(a[0].ptr, a[1].cptr, a[2].dim);
}
static void call_half(gllm_any_fn *f, const union gllm_arg *a)
{
	((void (*)(float *, const uint16_t *, size_t))f)(a[0].ptr, a[1].cptr, a[2].dim);
}

enum own { REVERSED, RUNNING, PUT_AT, TAKE_AT, MAP_AND_TOTAL, TWICE, SATURATING, FROM_HALF, TIMES, OWN };

static const struct {
	const char *name;
	gllm_any_fn *fn;
	gllm_call_fn *call;
	const struct gllm_param *param;
	unsigned nparams;
} own[OWN] = {
#define ROW(id, sig, fn) [id] = { #fn, (gllm_any_fn *)fn, call_##sig, sig, GLLM_COUNT(sig) }
	ROW(REVERSED, map, reversed), ROW(RUNNING, map, running), ROW(PUT_AT, indexed, put_at), ROW(TAKE_AT, indexed, take_at),
	ROW(MAP_AND_TOTAL, two, map_and_total), ROW(TWICE, map, twice), ROW(SATURATING, word, saturating), ROW(FROM_HALF, half, from_half),
	ROW(TIMES, scaled, times),
};

/* --- graphs --------------------------------------------------------------------------------------------------------- */

struct bench {
	struct check *t;
	struct gllm_arena arena;
	struct gllm_context *c;
	struct gllm_graph *g;
	struct gllm_error e;
	unsigned op[OWN];
	unsigned ntensors;
	struct { enum gllm_tensor_kind kind; enum gllm_type type; uint64_t n; uint32_t *data, *want; } tensor[TENSORS];
};

static bool open_graph(struct bench *b, const char *name, uint64_t max_rows)
{
	b->ntensors = 0;
	b->e = (struct gllm_error){ .status = GLLM_OK };
	return CHECK_STATUS(b->t, gllm_graph_create(b->c, name, max_rows, TENSORS, 8, &b->g, &b->e), GLLM_OK);
}

static gllm_tensor shaped(struct bench *b, enum gllm_tensor_kind kind, enum gllm_type type, uint64_t rows, uint64_t cols,
                          const char *name)
{
	b->tensor[b->ntensors].kind = kind;
	b->tensor[b->ntensors].type = type;
	b->tensor[b->ntensors++].n = rows * cols;
	return gllm_graph_tensor(b->g, kind, type, rows, cols, name);
}

static gllm_tensor tensor(struct bench *b, enum gllm_tensor_kind kind, enum gllm_type type, uint64_t n, const char *name)
{
	return shaped(b, kind, type, 1, n, name);
}

static gllm_tensor input(struct bench *b, uint64_t n)  { return tensor(b, GLLM_TENSOR_INPUT, GLLM_F32, n, "input"); }
static gllm_tensor output(struct bench *b, uint64_t n) { return tensor(b, GLLM_TENSOR_OUTPUT, GLLM_F32, n, "output"); }
static gllm_tensor value(struct bench *b, uint64_t n)  { return tensor(b, GLLM_TENSOR_VALUE, GLLM_F32, n, "value"); }

#define NODE(b, op, ...) BATCH(b, op, 1, __VA_ARGS__)
#define BATCH(b, op, batch, ...) gllm_graph_node((b)->g, op, batch, (struct gllm_actual[]){ __VA_ARGS__ }, \
                                                 sizeof (struct gllm_actual[]){ __VA_ARGS__ } / sizeof(struct gllm_actual))

static bool run(struct bench *b, const struct gllm_plan *p, bool want)
{
	void *bind[TENSORS];
	struct gllm_arena mark = b->arena;
	void *workspace = gllm_alloc(&b->arena, gllm_plan_workspace(p) + 64, 64);
	b->arena = mark;
	for (unsigned i = 0; i < b->ntensors; i++)
		bind[i] = want ? b->tensor[i].want : b->tensor[i].data;
	return CHECK(b->t, workspace != NULL) && CHECK_STATUS(b->t, gllm_plan_run(p, bind, 1, workspace, &b->e), GLLM_OK);
}

static bool near(uint32_t got, uint32_t want)
{
	float x = gllm_bits_f32(got), y = gllm_bits_f32(want), d = x - y, size = y < 0 ? -y : y;
	if (got == want || (x == y && x != 0.0f)) /* zeros have signs */
		return true;
	return (d < 0 ? -d : d) <= 1e-5f * (size > 1 ? size : 1) && x != 0.0f;
}

static bool outputs_agree(const struct bench *b)
{
	for (unsigned i = 0; i < b->ntensors; i++)
		for (uint64_t k = 0; k < b->tensor[i].n && b->tensor[i].kind == GLLM_TENSOR_OUTPUT; k++)
			if (!near(b->tensor[i].data[k], b->tensor[i].want[k]))
				return false;
	return true;
}

/* Inputs: floats in -2 .. 2, offsets that swap neighbours. */
static void fill(struct bench *b)
{
	for (unsigned i = 0; i < b->ntensors; i++)
		for (unsigned k = 0; k < ROOM; k++) {
			uint32_t x = b->tensor[i].type == GLLM_I32 ? (k % 2 ? UINT32_MAX : 1)
			                                           : gllm_f32_bits(check_float(b->t, -2.0f, 2.0f));
			b->tensor[i].data[k] = b->tensor[i].want[k] = x;
		}
}

/* The graph, compiled fused, has exactly these steps, separated by blanks, and gives what its scalar plan gives. */
static void expect(struct bench *b, const char *steps)
{
	static const struct gllm_plan_options option[] = { { .scalar = true }, { .no_fusion = true, .readback = true },
	                                                   { .readback = true } };
	struct gllm_plan *p[3];
	char got[256];
	size_t at = 0;
	CHECK_STATUS(b->t, gllm_graph_status(b->g, &b->e), GLLM_OK);
	for (unsigned i = 0; i < 3; i++) {
		if (!CHECK_STATUS(b->t, gllm_compile(b->c, b->g, &option[i], &p[i], &b->e), GLLM_OK)) {
			check_print(b->t, "     %s: %s %s\n", steps, b->e.what, b->e.name);
			return;
		}
	}
	for (unsigned i = 0; i < gllm_plan_steps(p[2]); i++) {
		struct gllm_step_info info;
		gllm_plan_step(p[2], i, &info);
		if (i && at < sizeof got - 1)
			got[at++] = ' ';
		for (const char *s = info.name; *s && at < sizeof got - 1; s++)
			got[at++] = *s;
	}
	got[at] = '\0';
	CHECK_TEXT(b->t, got, steps);
	fill(b);
	if (run(b, p[0], true))
		for (unsigned i = 1; i < 3; i++)
			if (run(b, p[i], false) && !CHECK(b->t, outputs_agree(b)))
				check_print(b->t, "     %s, %s: not what the scalar plan gives\n", steps, i == 1 ? "unfused" : "fused");
	for (unsigned i = 3; i-- > 0;)
		gllm_plan_free(b->c, p[i]);
	gllm_graph_free(b->c, b->g);
}

/* --- what stays apart ----------------------------------------------------------------------------------------------- */

static void consumers(struct bench *b)
{
	static const struct { enum own op; const char *steps; } after_add[] = {
		{ REVERSED, "add reversed" }, { RUNNING, "add running" },
	};
	for (unsigned i = 0; i < GLLM_COUNT(after_add); i++) {
		if (!open_graph(b, "consumer", 1))
			return;
		gllm_tensor x = input(b, N), y = output(b, N), v = value(b, N);
		NODE(b, GLLM_OP_add, GLLM_T(v), GLLM_T(x), GLLM_T(x), GLLM_D(N));
		NODE(b, b->op[after_add[i].op], GLLM_T(y), GLLM_T(v), GLLM_D(N));
		expect(b, after_add[i].steps);
	}
	if (open_graph(b, "row of a product, reversed", 1)) {
		gllm_tensor x = input(b, 7), w = input(b, N * 7), y = output(b, N), v = value(b, N);
		NODE(b, GLLM_OP_gemm_bt, GLLM_T(v), GLLM_T(x), GLLM_T(w), GLLM_D(1), GLLM_D(N), GLLM_D(7));
		NODE(b, b->op[REVERSED], GLLM_T(y), GLLM_T(v), GLLM_D(N));
		expect(b, "gemm_bt reversed");
	}
	if (open_graph(b, "half as long", 1)) {
		gllm_tensor x = input(b, N), y = output(b, N / 2), v = value(b, N);
		NODE(b, GLLM_OP_add, GLLM_T(v), GLLM_T(x), GLLM_T(x), GLLM_D(N));
		NODE(b, GLLM_OP_silu, GLLM_T(y), GLLM_T(v), GLLM_D(N / 2));
		expect(b, "add silu");
	}
	const struct { unsigned op; const char *steps; } after_product[] = {
		{ GLLM_OP_silu, "gemm_bt+silu" }, { b->op[REVERSED], "gemm_bt reversed" }, { b->op[RUNNING], "gemm_bt running" },
	};
	for (unsigned i = 0; i < GLLM_COUNT(after_product); i++) {
		if (!open_graph(b, "all elements in one loop", 1))
			return;
		gllm_tensor x = input(b, 3 * 4), w = input(b, 5 * 4), y = output(b, 15), v = value(b, 15);
		NODE(b, GLLM_OP_gemm_bt, GLLM_T(v), GLLM_T(x), GLLM_T(w), GLLM_D(3), GLLM_D(5), GLLM_D(4));
		NODE(b, after_product[i].op, GLLM_T(y), GLLM_T(v), GLLM_D(15));
		expect(b, after_product[i].steps);
	}
	if (open_graph(b, "takes at an index", 1)) {
		gllm_tensor x = input(b, N), at = tensor(b, GLLM_TENSOR_INPUT, GLLM_I32, N, "at"), y = output(b, N), v = value(b, N);
		NODE(b, GLLM_OP_add, GLLM_T(v), GLLM_T(x), GLLM_T(x), GLLM_D(N));
		NODE(b, b->op[TAKE_AT], GLLM_T(y), GLLM_T(v), GLLM_T(at), GLLM_D(N));
		expect(b, "add take_at");
	}
	if (open_graph(b, "takes beside its row", 1)) { /* the place in the row is the same, the index is not */
		gllm_tensor x = shaped(b, GLLM_TENSOR_INPUT, GLLM_F32, N, 1, "x"), at = shaped(b, GLLM_TENSOR_INPUT, GLLM_I32, N, 1, "at"),
		            y = shaped(b, GLLM_TENSOR_OUTPUT, GLLM_F32, N, 1, "y"), v = shaped(b, GLLM_TENSOR_VALUE, GLLM_F32, N, 1, "v");
		BATCH(b, GLLM_OP_add, N, GLLM_T(v), GLLM_T(x), GLLM_T(x), GLLM_D(1));
		BATCH(b, b->op[TAKE_AT], N, GLLM_T(y), GLLM_T(v), GLLM_T(at), GLLM_D(1));
		expect(b, "add take_at");
	}
}

static void producers(struct bench *b)
{
	if (open_graph(b, "puts at an index", 1)) { /* rows of one element, each stored a row further or back */
		gllm_tensor x = shaped(b, GLLM_TENSOR_INPUT, GLLM_F32, N, 1, "x"), at = shaped(b, GLLM_TENSOR_INPUT, GLLM_I32, N, 1, "at"),
		            y = shaped(b, GLLM_TENSOR_OUTPUT, GLLM_F32, N, 1, "y"), v = shaped(b, GLLM_TENSOR_VALUE, GLLM_F32, N, 1, "v");
		BATCH(b, b->op[PUT_AT], N, GLLM_T(v), GLLM_T(x), GLLM_T(at), GLLM_D(1));
		BATCH(b, GLLM_OP_mul, N, GLLM_T(y), GLLM_T(v), GLLM_T(x), GLLM_D(1));
		expect(b, "put_at mul");
	}
	if (open_graph(b, "reads its output back", 1)) {
		gllm_tensor x = input(b, N), y = output(b, N), total = output(b, 1), v = value(b, N);
		NODE(b, b->op[MAP_AND_TOTAL], GLLM_T(v), GLLM_T(total), GLLM_T(x), GLLM_D(N));
		NODE(b, GLLM_OP_mul, GLLM_T(y), GLLM_T(v), GLLM_T(x), GLLM_D(N));
		expect(b, "map_and_total mul");
	}
	if (open_graph(b, "stores in several places", 1)) {
		gllm_tensor x = input(b, N), y = output(b, N), v = value(b, N);
		NODE(b, GLLM_OP_softmax, GLLM_T(v), GLLM_T(x), GLLM_D(N));
		NODE(b, GLLM_OP_mul, GLLM_T(y), GLLM_T(v), GLLM_T(x), GLLM_D(N));
		expect(b, "softmax mul");
	}
	if (open_graph(b, "stores everything twice", 1)) {
		gllm_tensor x = input(b, N), y = output(b, N), v = value(b, N);
		NODE(b, b->op[TWICE], GLLM_T(v), GLLM_T(x), GLLM_D(N));
		NODE(b, GLLM_OP_mul, GLLM_T(y), GLLM_T(v), GLLM_T(x), GLLM_D(N));
		expect(b, "twice mul");
	}
	if (open_graph(b, "an output with a reader", 1)) {
		gllm_tensor x = input(b, N), y = output(b, N), v = output(b, N);
		NODE(b, GLLM_OP_add, GLLM_T(v), GLLM_T(x), GLLM_T(x), GLLM_D(N));
		NODE(b, GLLM_OP_silu, GLLM_T(y), GLLM_T(v), GLLM_D(N));
		expect(b, "add+silu"); /* and stored */
	}
	/* add reads attend's result and the softmax of its scores: it can run only after both. */
	if (open_graph(b, "diamond", 1)) {
		enum { D = 6 };
		gllm_tensor q = input(b, D), k = input(b, D * D), v = input(b, D * D), y = output(b, D), out = value(b, D),
		            score = value(b, D), z = value(b, D);
		NODE(b, GLLM_OP_attend, GLLM_T(out), GLLM_T(score), GLLM_T(q), GLLM_T(k), GLLM_T(v), GLLM_D(D), GLLM_D(D), GLLM_D(D),
		     GLLM_S(0.5f));
		NODE(b, GLLM_OP_softmax, GLLM_T(z), GLLM_T(score), GLLM_D(D));
		NODE(b, GLLM_OP_add, GLLM_T(y), GLLM_T(out), GLLM_T(z), GLLM_D(D));
		expect(b, "attend softmax add");
	}
}

/* --- what fuses ------------------------------------------------------------------------------------------------------ */

static void scalars(struct bench *b)
{
	static const float pair[][2] = { { 2.0f, -3.0f }, { 0.0f, -0.0f }, { -0.0f, 0.0f }, { 1.5f, 1.5f } };
	for (unsigned i = 0; i < GLLM_COUNT(pair); i++) {
		if (!open_graph(b, "two scalars", 1))
			return;
		gllm_tensor x = input(b, N), y = output(b, N), v = value(b, N);
		NODE(b, b->op[TIMES], GLLM_T(v), GLLM_T(x), GLLM_D(N), GLLM_S(pair[i][0]));
		NODE(b, b->op[TIMES], GLLM_T(y), GLLM_T(v), GLLM_D(N), GLLM_S(pair[i][1]));
		expect(b, "times+times");
	}
	if (open_graph(b, "norm and scale", 1)) {
		gllm_tensor x = input(b, N), w = input(b, N), y = output(b, N), v = value(b, N);
		NODE(b, GLLM_OP_rms_norm, GLLM_T(v), GLLM_T(x), GLLM_T(w), GLLM_D(N), GLLM_S(1e-5f));
		NODE(b, b->op[TIMES], GLLM_T(y), GLLM_T(v), GLLM_D(N), GLLM_S(2.0f));
		expect(b, "rms_norm+times");
	}
}

/* Long maps before the sums of several rows are fused into one kernel of reasonable size. */
static void long_maps(struct bench *b)
{
	enum { ROWS = 4, COLS = 16 };
	if (!open_graph(b, "sums behind long maps", 1))
		return;
	gllm_tensor x = shaped(b, GLLM_TENSOR_INPUT, GLLM_F32, ROWS, COLS, "x"), y = shaped(b, GLLM_TENSOR_OUTPUT, GLLM_F32, ROWS, 1, "y"), v[6];
	static const unsigned op[] = { GLLM_OP_gelu_erf, GLLM_OP_tanh, GLLM_OP_exp, GLLM_OP_sigmoid, GLLM_OP_gelu_erf };
	v[0] = x;
	for (unsigned i = 0; i < GLLM_COUNT(op); i++) {
		v[i + 1] = shaped(b, GLLM_TENSOR_VALUE, GLLM_F32, ROWS, COLS, "v");
		BATCH(b, op[i], ROWS, GLLM_T(v[i + 1]), GLLM_T(v[i]), GLLM_D(COLS));
	}
	BATCH(b, GLLM_OP_sum, ROWS, GLLM_T(y), GLLM_T(v[5]), GLLM_D(COLS));
	struct gllm_plan *p;
	struct gllm_step_info s;
	if (CHECK_STATUS(b->t, gllm_compile(b->c, b->g, NULL, &p, &b->e), GLLM_OK)) {
		CHECK_EQ(b->t, gllm_plan_steps(p), 1);
		gllm_plan_step(p, 0, &s);
		CHECK(b->t, s.code_bytes < 12000);
		gllm_plan_free(b->c, p);
	}
	expect(b, "gelu_erf+tanh+exp+sigmoid+gelu_erf+sum");
}

/* --- refusals ------------------------------------------------------------------------------------------------------- */

static void refusals(struct bench *b)
{
	enum { D = 8 };
	for (unsigned cols = D - 1; cols <= D; cols++) {
		enum gllm_status want = cols < D ? GLLM_SHAPE_MISMATCH : GLLM_OK;
		if (!open_graph(b, "small", 1))
			return;
		gllm_tensor x = input(b, cols), y = output(b, D);
		CHECK_STATUS(b->t, NODE(b, GLLM_OP_silu, GLLM_T(y), GLLM_T(x), GLLM_D(D)), want);
		CHECK_STATUS(b->t, gllm_graph_status(b->g, &b->e), want);
		if (cols < D)
			CHECK_TEXT(b->t, b->e.name, "output = silu: input");
		gllm_graph_free(b->c, b->g);
	}
	if (!open_graph(b, "one tensor for two outputs", 1))
		return;
	gllm_tensor q = input(b, D), k = input(b, D * D), v = input(b, D * D), out = value(b, D);
	CHECK_STATUS(b->t, NODE(b, GLLM_OP_attend, GLLM_T(out), GLLM_T(out), GLLM_T(q), GLLM_T(k), GLLM_T(v), GLLM_D(D),
	                        GLLM_D(D), GLLM_D(D), GLLM_S(0.5f)), GLLM_OVERLAP);
	gllm_graph_free(b->c, b->g);
	if (!open_graph(b, "onto itself", 1))
		return;
	out = value(b, D);
	CHECK(b->t, NODE(b, GLLM_OP_silu, GLLM_T(out), GLLM_T(out), GLLM_D(D)) != GLLM_OK);
	gllm_graph_free(b->c, b->g);
}

/* A compile that fails late leaves no code behind, and the next one works. */
static void failed_compile(struct bench *b)
{
	struct gllm_stats before, after;
	struct gllm_plan *p;
	for (unsigned i = 0; i < 2; i++) {
		if (!open_graph(b, "fails late", 1))
			return;
		gllm_tensor x = input(b, N), a = tensor(b, GLLM_TENSOR_INPUT, GLLM_I32, N, "a"), y = output(b, N),
		            z = tensor(b, GLLM_TENSOR_OUTPUT, GLLM_I32, N, "z");
		NODE(b, GLLM_OP_silu, GLLM_T(y), GLLM_T(x), GLLM_D(N));
		NODE(b, b->op[SATURATING], GLLM_T(z), GLLM_T(a), GLLM_D(N));
		CHECK_STATUS(b->t, gllm_graph_status(b->g, &b->e), GLLM_OK);
		gllm_context_stats(b->c, &before);
		enum gllm_status s = gllm_compile(b->c, b->g, NULL, &p, NULL);
		CHECK(b->t, s == GLLM_COMPILE_ERROR || s == GLLM_NOT_LIFTED);
		gllm_context_stats(b->c, &after);
		CHECK_EQ(b->t, after.code_bytes, before.code_bytes);
		CHECK_EQ(b->t, after.kernels, before.kernels);
		gllm_graph_free(b->c, b->g);
	}
}

/* Rows of two-byte elements, one call for each. */
static void half_rows(struct bench *b)
{
	enum { ROWS = 5, COLS = 9 };
	static const struct gllm_plan_options option[] = { { .scalar = true }, { .scalar = false } };
	uint16_t in[ROWS * COLS];
	float out[ROWS * COLS];
	struct gllm_plan *p;
	if (!open_graph(b, "half", ROWS))
		return;
	gllm_tensor x = gllm_graph_tensor(b->g, GLLM_TENSOR_INPUT, GLLM_F16, GLLM_ROWS, COLS, "x");
	gllm_tensor y = gllm_graph_tensor(b->g, GLLM_TENSOR_OUTPUT, GLLM_F32, GLLM_ROWS, COLS, "y");
	CHECK_STATUS(b->t, gllm_graph_node(b->g, b->op[FROM_HALF], GLLM_ROWS, (struct gllm_actual[]){ GLLM_T(y), GLLM_T(x),
	                                   GLLM_D(COLS) }, 3), GLLM_OK);
	for (unsigned i = 0; i < ROWS * COLS; i++)
		in[i] = gllm_f32_to_f16(check_float(b->t, -2.0f, 2.0f));
	for (unsigned i = 0; i < GLLM_COUNT(option); i++) {
		if (!CHECK_STATUS(b->t, gllm_compile(b->c, b->g, &option[i], &p, &b->e), GLLM_OK))
			break;
		for (uint64_t rows = 0; rows <= ROWS; rows++) {
			bool same = true;
			for (unsigned k = 0; k < ROWS * COLS; k++)
				out[k] = 77.0f;
			CHECK_STATUS(b->t, gllm_plan_run(p, (void *[]){ in, out }, rows, b->tensor[0].data, &b->e), GLLM_OK);
			for (unsigned k = 0; k < ROWS * COLS; k++)
				same = same && out[k] == (k < rows * COLS ? gllm_f16_to_f32(in[k]) : 77.0f);
			CHECK(b->t, same);
		}
		gllm_plan_free(b->c, p);
	}
	gllm_graph_free(b->c, b->g);
}

void check_fusion(struct check *t)
{
	struct bench b = { .t = t };
	struct gllm_config config = { .target = check_target(t), .profile = *check_profile(t) };
	size_t size;
	unsigned char *memory = check_memory(t, &size);
	if (!check_target(t) || !check_image(t) || !check_exec(t) || !check_profile(t)->vector_bytes) {
		check_skip(t, "fusion needs a back end, vector units and executable memory");
		return;
	}
	config.image = *check_image(t);
	config.host.code = *check_exec(t);
	gllm_arena_init(&b.arena, memory, size);
	void *p = gllm_alloc(&b.arena, gllm_context_quote(&config), 64);
	if (!CHECK_STATUS(t, gllm_context_create(p, gllm_context_quote(&config), &config, &b.c, &b.e), GLLM_OK))
		return;
	for (unsigned i = 0; i < TENSORS; i++) {
		b.tensor[i].data = gllm_alloc_array(&b.arena, ROOM, sizeof(uint32_t), 64);
		b.tensor[i].want = gllm_alloc_array(&b.arena, ROOM, sizeof(uint32_t), 64);
	}
	if (!CHECK(t, b.tensor[TENSORS - 1].want != NULL))
		return;
	for (unsigned i = 0; i < OWN; i++)
		if (!CHECK_STATUS(t, gllm_register(b.c, own[i].name, own[i].fn, own[i].param, own[i].nparams, own[i].call, &b.op[i],
		                                   &b.e), GLLM_OK))
			return;
	consumers(&b);
	producers(&b);
	scalars(&b);
	long_maps(&b);
	refusals(&b);
	failed_compile(&b);
	half_rows(&b);
}
#endif
