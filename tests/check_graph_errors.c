/* SPDX-License-Identifier: MIT
 * tests/check_graph_errors.c - everything a graph refuses: status, which check, and the name of the tensor, node or operand
 * concerned; the first failure sticks, and what came before it stays as it was. */
#include "check.h"
#include "core/arena.h"
#include "core/bits.h"
#include "gllm/graph.h"

enum { R = 5, C = 8 };

/* Tensors of every graph here, by number. */
enum { X, Y, Z, W, NUMBERS, BYTES, HALVES, FIXED, LONGER, MADE, TENSORS };

struct desk {
	struct check *t;
	struct gllm_context *c;
	struct gllm_graph *g;
};

static void in_place(float *y, size_t n)
{
	for (size_t i = 0; i < n; i++)
		y[i] = 1.0f;
}

static const struct gllm_param in_place_params[] = { { "y", GLLM_INOUT, GLLM_F32 }, { "n", GLLM_DIM, GLLM_I64 } };

/* A graph with those tensors and one node: made = neg(x). */
static bool begin(struct desk *d)
{
	static const struct { enum gllm_tensor_kind kind; enum gllm_type type; uint64_t rows, cols; const char *name; } tensor[TENSORS] = {
		[X] = { GLLM_TENSOR_INPUT, GLLM_F32, GLLM_ROWS, C, "x" }, [Y] = { GLLM_TENSOR_OUTPUT, GLLM_F32, GLLM_ROWS, C, "y" },
		[Z] = { GLLM_TENSOR_VALUE, GLLM_F32, GLLM_ROWS, C, "z" }, [W] = { GLLM_TENSOR_WEIGHT, GLLM_F32, C, C, "w" },
		[NUMBERS] = { GLLM_TENSOR_INPUT, GLLM_U32, GLLM_ROWS, 1, "numbers" },
		[BYTES] = { GLLM_TENSOR_WEIGHT, GLLM_U8, 1, C * C, "bytes" },
		[HALVES] = { GLLM_TENSOR_WEIGHT, GLLM_F16, C, C, "halves" }, [FIXED] = { GLLM_TENSOR_VALUE, GLLM_F32, R, C, "fixed" },
		[LONGER] = { GLLM_TENSOR_OUTPUT, GLLM_F32, GLLM_ROWS, C + 1, "longer" },
		[MADE] = { GLLM_TENSOR_VALUE, GLLM_F32, GLLM_ROWS, C, "made" },
	};
	if (!CHECK_STATUS(d->t, gllm_graph_create(d->c, "errors", R, TENSORS, 2, &d->g, NULL), GLLM_OK))
		return false;
	for (unsigned i = 0; i < TENSORS; i++)
		CHECK_EQ(d->t, gllm_graph_tensor(d->g, tensor[i].kind, tensor[i].type, tensor[i].rows, tensor[i].cols, tensor[i].name), i);
	return CHECK_STATUS(d->t, gllm_graph_node(d->g, GLLM_OP_neg, GLLM_ROWS,
	                                          (struct gllm_actual[]){ GLLM_T(MADE), GLLM_T(X), GLLM_D(C) }, 3), GLLM_OK);
}

static void expect(struct desk *d, enum gllm_status got, enum gllm_status want, const char *what, const char *name)
{
	struct gllm_error e = { .status = GLLM_OK };
	CHECK_STATUS(d->t, got, want);
	CHECK_STATUS(d->t, gllm_graph_status(d->g, &e), want);
	if (want == GLLM_OK)
		return;
	CHECK_TEXT(d->t, e.what ? e.what : "", what);
	CHECK_TEXT(d->t, e.name, name);
	struct gllm_plan *p;
	CHECK_STATUS(d->t, gllm_compile(d->c, d->g, NULL, &p, NULL), want); /* it sticks */
	CHECK_EQ(d->t, gllm_graph_tensor(d->g, GLLM_TENSOR_INPUT, GLLM_F32, 1, 1, "late"), GLLM_NO_TENSOR);
}

#define T(t) GLLM_T(t)
#define D(n) GLLM_D(n)
#define S(x) GLLM_S(x)
#define ROWS GLLM_ROWS
enum { NEEDS_TRACES = 1 };

static const struct mistake {
	unsigned op;
	uint64_t batch;
	struct gllm_actual actual[8];
	unsigned n;
	enum gllm_status status;
	const char *what, *name;
	unsigned traces;
} mistake[] = {
	/* what is right */
	{ GLLM_OP_relu, ROWS, { T(Y), T(X), D(C) }, 3, GLLM_OK, "", "", 0 },
	{ GLLM_OP_add, ROWS, { T(Y), T(MADE), T(X), D(C) }, 4, GLLM_OK, "", "", 0 },
	{ GLLM_OP_gemm_bt, 1, { T(Y), T(X), T(W), D(ROWS), D(C), D(C) }, 6, GLLM_OK, "", "", 0 },
	{ GLLM_OP_gemm_bt, 1, { T(Y), T(X), T(HALVES), D(ROWS), D(C), D(C) }, 6, GLLM_OK, "", "", 0 },
	{ GLLM_OP_gather, 1, { T(Y), T(W), T(NUMBERS), D(ROWS), D(C) }, 5, GLLM_OK, "", "", 0 },
	/* the call itself */
	{ GLLM_OP_COUNT + 1, 1, { T(Y), T(X), D(C) }, 3, GLLM_INVALID_ARGUMENT, "no such operator", "errors", 0 },
	{ 4095, 1, { T(Y), T(X), D(C) }, 3, GLLM_INVALID_ARGUMENT, "no such operator", "errors", 0 },
	{ GLLM_OP_relu, ROWS, { T(Y), T(X) }, 2, GLLM_INVALID_ARGUMENT, "not as many parameters as the operator has", "relu", 0 },
	{ GLLM_OP_relu, ROWS, { T(Y), T(X), D(C), D(C) }, 4, GLLM_INVALID_ARGUMENT, "not as many parameters as the operator has", "relu", 0 },
	{ GLLM_OP_relu, 0, { T(Y), T(X), D(C) }, 3, GLLM_INVALID_ARGUMENT, "a batch of no steps, or of more than 2^40", "relu", 0 },
	{ GLLM_OP_relu, (UINT64_C(1) << 40) + 1, { T(Y), T(X), D(C) }, 3, GLLM_INVALID_ARGUMENT,
	  "a batch of no steps, or of more than 2^40", "relu", 0 },
	{ GLLM_OP_relu, ROWS, { T(Y), T(X), D((UINT64_C(1) << 40) + 1) }, 3, GLLM_INVALID_ARGUMENT, "a dimension is beyond 2^40, or the product of all beyond 2^52",
	  "y = relu: n", 0 },
	{ GLLM_OP_gemm_bt, 1, { T(Y), T(X), T(W), D(UINT64_C(1) << 30), D(UINT64_C(1) << 20), D(5) }, 6, GLLM_INVALID_ARGUMENT,
	  "a dimension is beyond 2^40, or the product of all beyond 2^52", "y = gemm_bt: k", 0 },
	/* operands */
	{ GLLM_OP_relu, ROWS, { T(Y), T(TENSORS), D(C) }, 3, GLLM_INVALID_ARGUMENT, "operand is no tensor of this graph", "y = relu: x", 0 },
	{ GLLM_OP_relu, ROWS, { T(TENSORS), T(X), D(C) }, 3, GLLM_INVALID_ARGUMENT, "operand is no tensor of this graph", "? = relu: y", 0 },
	{ GLLM_OP_add, ROWS, { T(Y), T(X), T(GLLM_NO_TENSOR), D(C) }, 4, GLLM_INVALID_ARGUMENT, "operand is no tensor of this graph",
	  "y = add: b", 0 },
	{ GLLM_OP_relu, ROWS, { T(Y), T(NUMBERS), D(1) }, 3, GLLM_WRONG_TYPE, "operand has another element type", "y = relu: numbers", 0 },
	{ GLLM_OP_argmax, ROWS, { T(Z), T(X), D(C) }, 3, GLLM_WRONG_TYPE, "operand has another element type", "z = argmax: z", 0 },
	{ GLLM_OP_gemm_bt, 1, { T(Y), T(X), T(BYTES), D(ROWS), D(C), D(C) }, 6, GLLM_WRONG_TYPE, "operand has another element type",
	  "y = gemm_bt: bytes", 0 },
	{ GLLM_OP_gemm_bt_f16, 1, { T(Y), T(X), T(W), D(ROWS), D(C), D(C) }, 6, GLLM_WRONG_TYPE, "operand has another element type",
	  "y = gemm_bt_f16: w", 0 },
	{ GLLM_OP_gather, 1, { T(Y), T(W), T(X), D(ROWS), D(C) }, 5, GLLM_WRONG_TYPE, "operand has another element type", "y = gather: x", 0 },
	{ GLLM_OP_relu, ROWS, { T(X), T(X), D(C) }, 3, GLLM_DUPLICATE, "output is an input, a weight, or already produced", "x = relu: x", 0 },
	{ GLLM_OP_relu, C, { T(W), T(X), D(C) }, 3, GLLM_DUPLICATE, "output is an input, a weight, or already produced", "w = relu: w", 0 },
	{ GLLM_OP_relu, ROWS, { T(MADE), T(X), D(C) }, 3, GLLM_DUPLICATE, "output is an input, a weight, or already produced",
	  "made = relu: made", 0 },
	{ GLLM_OP_relu, ROWS, { T(Y), T(Z), D(C) }, 3, GLLM_INVALID_ARGUMENT, "operand is read before any node produces it", "y = relu: z", 0 },
	{ GLLM_OP_relu, ROWS, { T(Y), T(Y), D(C) }, 3, GLLM_INVALID_ARGUMENT, "operand is read before any node produces it", "y = relu: y", 0 },
	{ GLLM_OP_attend, 1, { T(Y), T(Y), T(X), T(X), T(X), D(ROWS), D(C), D(C) }, 9, GLLM_OVERLAP,
	  "a tensor is output and another operand of one node", "y = attend: y", 0 },
	{ GLLM_OP_COUNT, 1, { T(Y), D(C) }, 2, GLLM_UNSUPPORTED, "operators that update in place have no place in an SSA graph",
	  "? = in_place: y", 0 },
	/* shapes */
	{ GLLM_OP_relu, R, { T(Y), T(X), D(C) }, 3, GLLM_SHAPE_MISMATCH, "every step of the batch would write the same row", "y = relu: y", 0 },
	{ GLLM_OP_relu, ROWS, { T(FIXED), T(X), D(C) }, 3, GLLM_SHAPE_MISMATCH, "every step of the batch would write the same row",
	  "fixed = relu: fixed", 0 },
	{ GLLM_OP_relu, ROWS, { T(LONGER), T(X), D(C) }, 3, GLLM_SHAPE_MISMATCH, "output is not exactly what the operator writes",
	  "longer = relu: longer", NEEDS_TRACES },
	{ GLLM_OP_relu, ROWS, { T(Y), T(X), D(C - 1) }, 3, GLLM_SHAPE_MISMATCH, "output is not exactly what the operator writes",
	  "y = relu: y", NEEDS_TRACES },
	{ GLLM_OP_relu, ROWS, { T(Y), T(X), D(ROWS) }, 3, GLLM_SHAPE_MISMATCH, "output is not exactly what the operator writes",
	  "y = relu: y", NEEDS_TRACES },
	{ GLLM_OP_relu, 1, { T(FIXED), T(X), D(R * C) }, 3, GLLM_SHAPE_MISMATCH, "operand is too small", "fixed = relu: x", NEEDS_TRACES },
	{ GLLM_OP_relu, ROWS, { T(LONGER), T(X), D(C + 1) }, 3, GLLM_SHAPE_MISMATCH, "operand is too small", "longer = relu: x", NEEDS_TRACES },
	{ GLLM_OP_gemm_bt, 1, { T(Y), T(X), T(W), D(ROWS), D(C), D(C + 1) }, 6, GLLM_SHAPE_MISMATCH, "operand is too small",
	  "y = gemm_bt: x", NEEDS_TRACES },
	{ GLLM_OP_gemm_bt, 1, { T(LONGER), T(X), T(W), D(ROWS), D(C + 1), D(C) }, 6, GLLM_SHAPE_MISMATCH, "operand is too small",
	  "longer = gemm_bt: w", NEEDS_TRACES },
	{ GLLM_OP_gemm_bt, 1, { T(Y), T(X), T(W), D(R), D(C), D(C) }, 6, GLLM_SHAPE_MISMATCH, "output is not exactly what the operator writes",
	  "y = gemm_bt: y", NEEDS_TRACES },
	{ GLLM_OP_gather, 1, { T(FIXED), T(W), T(NUMBERS), D(R), D(C) }, 5, GLLM_SHAPE_MISMATCH, "operand is too small",
	  "fixed = gather: numbers", NEEDS_TRACES },
	{ GLLM_OP_dequant_q8_0, 1, { T(Y), T(BYTES), D(2) }, 3, GLLM_SHAPE_MISMATCH, "output is not exactly what the operator writes",
	  "y = dequant_q8_0: y", NEEDS_TRACES },
};

static void nodes(struct desk *d)
{
	struct gllm_stats s;
	gllm_context_stats(d->c, &s);
	for (unsigned i = 0; i < GLLM_COUNT(mistake); i++) {
		const struct mistake *m = &mistake[i];
		struct gllm_actual actual[9] = { [8] = GLLM_S(1) };
		unsigned failed = d->t->failed;
		for (unsigned k = 0; k < 8; k++)
			actual[k] = m->actual[k];
		if (m->traces && (!check_target(d->t) || !check_image(d->t)))
			continue; /* without traces, extents are not known */
		if (!begin(d))
			return;
		expect(d, gllm_graph_node(d->g, m->op, m->batch, actual, m->n), m->status, m->what, m->name);
		if (d->t->failed != failed)
			check_print(d->t, "     mistake %u, %s\n", i, m->name);
		gllm_graph_free(d->c, d->g);
	}
	if (!begin(d))
		return;
	const struct gllm_actual relu[] = { T(Y), T(X), D(C) }, more[] = { T(Z), T(X), D(C) };
	CHECK_STATUS(d->t, gllm_graph_node(d->g, GLLM_OP_relu, ROWS, relu, 3), GLLM_OK);
	expect(d, gllm_graph_node(d->g, GLLM_OP_relu, ROWS, more, 3), GLLM_OUT_OF_MEMORY, "more nodes than the graph was made for", "relu");
	gllm_graph_free(d->c, d->g);
}

static void tensors(struct desk *d)
{
	static const struct { unsigned kind, type; uint64_t rows, cols; const char *name; } bad[] = {
		{ GLLM_TENSOR_VALUE + 1, GLLM_F32, 1, 1, "kind" }, { GLLM_TENSOR_VALUE, GLLM_MASK, 1, 1, "mask" },
		{ GLLM_TENSOR_VALUE, GLLM_TYPE_COUNT, 1, 1, "type" }, { GLLM_TENSOR_VALUE, GLLM_F32, 1, 1, NULL },
		{ GLLM_TENSOR_VALUE, GLLM_F32, (UINT64_C(1) << 40) + 1, 1, "rows" }, { GLLM_TENSOR_VALUE, GLLM_F32, 1, UINT64_MAX, "cols" },
		{ GLLM_TENSOR_VALUE, GLLM_F32, UINT64_C(1) << 21, UINT64_C(1) << 20, "product" },
		{ GLLM_TENSOR_VALUE, GLLM_F32, GLLM_ROWS, UINT64_C(1) << 39, "all rows" },
	};
	for (unsigned i = 0; i < GLLM_COUNT(bad); i++) {
		struct gllm_error e = { .status = GLLM_OK };
		if (!CHECK_STATUS(d->t, gllm_graph_create(d->c, "errors", R, 4, 4, &d->g, NULL), GLLM_OK))
			return;
		CHECK_EQ(d->t, gllm_graph_tensor(d->g, (enum gllm_tensor_kind)bad[i].kind, (enum gllm_type)bad[i].type, bad[i].rows,
		                                 bad[i].cols, bad[i].name), GLLM_NO_TENSOR);
		CHECK_STATUS(d->t, gllm_graph_status(d->g, &e), GLLM_INVALID_ARGUMENT);
		CHECK_TEXT(d->t, e.name, bad[i].name ? bad[i].name : "");
		gllm_graph_free(d->c, d->g);
	}
	if (!CHECK_STATUS(d->t, gllm_graph_create(d->c, "errors", R, 1, 1, &d->g, NULL), GLLM_OK))
		return;
	CHECK_EQ(d->t, gllm_graph_tensor(d->g, GLLM_TENSOR_INPUT, GLLM_F32, 1, 1, "first"), 0);
	CHECK_EQ(d->t, gllm_graph_tensor(d->g, GLLM_TENSOR_INPUT, GLLM_F32, 1, 1, "second"), GLLM_NO_TENSOR);
	expect(d, GLLM_OUT_OF_MEMORY, GLLM_OUT_OF_MEMORY, "more tensors than the graph was made for", "second");
	gllm_graph_free(d->c, d->g);
	static const struct { const char *name; uint64_t rows; unsigned tensors, nodes; enum gllm_status want; } graph[] = {
		{ NULL, 1, 1, 1, GLLM_INVALID_ARGUMENT }, { "g", 0, 1, 1, GLLM_INVALID_ARGUMENT },
		{ "g", UINT64_C(1) << 31, 1, 1, GLLM_INVALID_ARGUMENT }, { "g", 1, 4097, 1, GLLM_INVALID_ARGUMENT },
		{ "g", 1, 1, 4097, GLLM_INVALID_ARGUMENT }, { "g", INT32_MAX, 0, 0, GLLM_OK },
	};
	for (unsigned i = 0; i < GLLM_COUNT(graph); i++) {
		enum gllm_status s = gllm_graph_create(d->c, graph[i].name, graph[i].rows, graph[i].tensors, graph[i].nodes, &d->g, NULL);
		CHECK_STATUS(d->t, s, graph[i].want);
		if (s == GLLM_OK)
			gllm_graph_free(d->c, d->g);
	}
	if (!begin(d))
		return; /* y is an output, and no node writes it */
	struct gllm_error e = { .status = GLLM_OK };
	struct gllm_plan *p;
	CHECK_STATUS(d->t, gllm_compile(d->c, d->g, &(struct gllm_plan_options){ .scalar = true }, &p, &e), GLLM_INVALID_ARGUMENT);
	CHECK_TEXT(d->t, e.what, "an output that no node produces");
	CHECK_TEXT(d->t, e.name, "y");
	gllm_graph_free(d->c, d->g);
}

void check_graph_errors(struct check *t)
{
	struct desk d = { .t = t };
	struct gllm_arena a;
	struct gllm_error e = { .status = GLLM_OK };
	size_t size;
	unsigned op;
	unsigned char *all = check_memory(t, &size);
	gllm_arena_init(&a, all, size);
	struct gllm_config config = { .target = check_target(t), .profile = *check_profile(t), .recorded = t->host->recorded,
	                              .nrecorded = t->host->nrecorded };
	if (check_image(t))
		config.image = *check_image(t);
	if (check_exec(t))
		config.host.code = *check_exec(t);
	size_t need = gllm_context_quote(&config);
	void *memory = gllm_alloc(&a, need, 64);
	if (!CHECK_STATUS(t, gllm_context_create(memory, need, &config, &d.c, &e), GLLM_OK) ||
	    !CHECK_STATUS(t, gllm_register(d.c, "in_place", (gllm_any_fn *)in_place, in_place_params, 2, NULL, &op, &e), GLLM_OK) ||
	    !CHECK_EQ(t, op, GLLM_OP_COUNT))
		return;
	struct gllm_stats before, after;
	gllm_context_stats(d.c, &before);
	nodes(&d);
	tensors(&d);
	gllm_context_stats(d.c, &after);
	CHECK_EQ(t, after.heap_high < (1u << 20), 1);
}
