/* SPDX-License-Identifier: MIT
 * jit/graph.c - building a graph and checking every operand against what its operator reaches. */
#include "jit/graph.h"
#include "core/bits.h"
#include "core/fmt.h"
#include "jit/context.h"

enum { NO_NODE = 0xffff };
static const uint64_t max_dim = UINT64_C(1) << 40, max_work = UINT64_C(1) << 52;

enum gllm_status gllm_graph_create(struct gllm_context *c, const char *name, uint64_t max_rows, unsigned max_tensors,
                                   unsigned max_nodes, struct gllm_graph **out, struct gllm_error *e)
{
	if (!name || max_rows == 0 || max_rows > INT32_MAX || max_tensors > 4096 || max_nodes > 4096)
		return gllm_fail(e, GLLM_INVALID_ARGUMENT, "a graph needs a name, 1..2^31-1 rows, at most 4096 tensors and nodes",
		                 name, 0, INT32_MAX, max_rows);
	size_t head = (size_t)gllm_round_up(sizeof(struct gllm_graph), 64);
	size_t tensors = (size_t)gllm_round_up(max_tensors * sizeof(struct gllm_graph_tensor_entry), 64);
	unsigned char *p = gllm_heap_alloc(&c->heap, head + tensors + max_nodes * sizeof(struct gllm_graph_node_entry));
	if (!p)
		return gllm_fail(e, GLLM_OUT_OF_MEMORY, "the context's heap cannot hold the graph", name, 0, 0, 0);
	struct gllm_graph *g = (struct gllm_graph *)(void *)p;
	*g = (struct gllm_graph){ .name = name, .context = c, .max_rows = max_rows, .max_tensors = max_tensors,
	                          .max_nodes = max_nodes };
	g->tensor = (struct gllm_graph_tensor_entry *)(void *)(p + head);
	g->node = (struct gllm_graph_node_entry *)(void *)(p + head + tensors);
	*out = g;
	return GLLM_OK;
}

enum gllm_status gllm_graph_free(struct gllm_context *c, struct gllm_graph *g)
{
	return gllm_heap_free(&c->heap, g);
}

enum gllm_status gllm_graph_status(const struct gllm_graph *g, struct gllm_error *e)
{
	if (g->error.status != GLLM_OK && e && e->status == GLLM_OK)
		*e = g->error;
	return g->error.status;
}

gllm_tensor gllm_graph_tensor(struct gllm_graph *g, enum gllm_tensor_kind kind, enum gllm_type type, uint64_t rows,
                              uint64_t cols, const char *name)
{
	if (g->error.status != GLLM_OK)
		return GLLM_NO_TENSOR;
	uint64_t n = gllm_dim_value(rows, g->max_rows);
	if (type >= GLLM_MASK || kind > GLLM_TENSOR_VALUE || !name || n > max_dim || cols > max_dim || (n && cols > max_dim / n)) {
		gllm_fail(&g->error, GLLM_INVALID_ARGUMENT, "tensor without a name, of no kind or memory type, or beyond 2^40 elements",
		          name, g->ntensors, max_dim, cols);
		return GLLM_NO_TENSOR;
	}
	if (g->ntensors == g->max_tensors) {
		gllm_fail(&g->error, GLLM_OUT_OF_MEMORY, "more tensors than the graph was made for", name, g->ntensors,
		          g->max_tensors, g->ntensors + 1);
		return GLLM_NO_TENSOR;
	}
	g->tensor[g->ntensors] = (struct gllm_graph_tensor_entry){ .name = name, .kind = (uint8_t)kind,
		.type = (uint8_t)type, .rows = rows, .cols = cols, .producer = NO_NODE };
	return (gllm_tensor)g->ntensors++;
}

enum gllm_status gllm_graph_packed(struct gllm_graph *g, gllm_tensor weight, const struct gllm_packing *p)
{
	if (g->error.status != GLLM_OK)
		return g->error.status;
	struct gllm_graph_tensor_entry *t = weight < g->ntensors ? &g->tensor[weight] : NULL;
	bool fits = t && gllm_packed_bytes(p) && t->kind == GLLM_TENSOR_WEIGHT && t->type == p->type &&
	            ((t->rows == p->k && t->cols == p->n) || (t->rows == p->n && t->cols == p->k));
	if (!fits)
		return gllm_fail(&g->error, GLLM_INVALID_ARGUMENT, "packed is a weight of the packing's type, rows and columns",
		                 t ? t->name : g->name, weight, p->n, p->k);
	t->packing = *p;
	return GLLM_OK;
}

unsigned gllm_graph_tensors(const struct gllm_graph *g)
{
	return g->ntensors;
}

enum gllm_status gllm_graph_tensor_info(const struct gllm_graph *g, unsigned tensor, struct gllm_tensor_info *out)
{
	if (tensor >= g->ntensors)
		return GLLM_INVALID_ARGUMENT;
	const struct gllm_graph_tensor_entry *t = &g->tensor[tensor];
	*out = (struct gllm_tensor_info){ t->name, (enum gllm_tensor_kind)t->kind, (enum gllm_type)t->type, t->rows, t->cols, t->packing };
	return GLLM_OK;
}

static bool written(enum gllm_param_kind k)
{
	return k == GLLM_OUT || k == GLLM_INOUT;
}

/* Whether a tensor has a row for every step of the batch. */
static bool advances(const struct gllm_graph *g, const struct gllm_graph_node_entry *n, const struct gllm_graph_tensor_entry *x)
{
	return gllm_dim_value(n->batch, g->max_rows) == 1 || x->rows == n->batch;
}

/* Bytes parameter p reaches when the symbolic row count is `rows`, batch steps included. */
static uint64_t reach(const struct gllm_graph *g, const struct gllm_trace *t, const struct gllm_graph_node_entry *n,
                      unsigned p, uint64_t rows)
{
	union gllm_arg arg[GLLM_MAX_PARAMS] = { { .bits = 0 } };
	for (unsigned i = 0; i < t->nparams; i++)
		if (t->param[i].kind == GLLM_DIM)
			arg[i].dim = gllm_dim_value(n->actual[i].dim, rows);
	const struct gllm_graph_tensor_entry *x = &g->tensor[n->actual[p].tensor];
	uint64_t bytes = gllm_trace_extent(t, p, arg);
	if (x->type != t->param[p].type)
		bytes = bytes / gllm_type_bytes(t->param[p].type) * gllm_type_bytes(x->type);
	uint64_t batch = gllm_dim_value(n->batch, rows);
	if (batch == 0)
		return 0;
	if (n->batch != 1 && x->rows == n->batch && bytes)
		bytes += (batch - 1) * x->cols * gllm_type_bytes(x->type);
	return bytes;
}

/* A node is named by what it makes: "y = relu", with the operand or parameter concerned behind a colon. */
static enum gllm_status refuse(struct gllm_graph *g, const struct gllm_op_entry *o, const struct gllm_graph_node_entry *n,
                               unsigned p, const char *subject, enum gllm_status s, const char *what, uint64_t expected,
                               uint64_t actual)
{
	char name[sizeof g->error.name];
	gllm_tensor y = n->actual[0].tensor;
	gllm_format(name, sizeof name, subject ? "%.20s = %.20s: %.18s" : "%.20s = %.20s%s",
	            o->param[0].kind == GLLM_OUT && y < g->ntensors ? g->tensor[y].name : "?", o->name, subject ? subject : "");
	return gllm_fail(&g->error, s, what, name, p, expected, actual);
}

static enum gllm_status check_pointer(struct gllm_graph *g, const struct gllm_op_entry *o,
                                      const struct gllm_graph_node_entry *n, unsigned p)
{
	gllm_tensor id = n->actual[p].tensor;
	if (id >= g->ntensors)
		return refuse(g, o, n, p, o->param[p].name, GLLM_INVALID_ARGUMENT, "operand is no tensor of this graph", g->ntensors, id);
	const struct gllm_graph_tensor_entry *x = &g->tensor[id];
	enum gllm_param_kind kind = o->param[p].kind;
	bool half = o->param[p].type == GLLM_F32 && (x->type == GLLM_F16 || x->type == GLLM_BF16);
	if (x->type != o->param[p].type && !half)
		return refuse(g, o, n, p, x->name, GLLM_WRONG_TYPE, "operand has another element type", o->param[p].type, x->type);
	if (kind == GLLM_INOUT)
		return refuse(g, o, n, p, o->param[p].name, GLLM_UNSUPPORTED,
		              "operators that update in place have no place in an SSA graph", 0, 0);
	bool value = x->kind == GLLM_TENSOR_VALUE || x->kind == GLLM_TENSOR_OUTPUT;
	if (written(kind) && (!value || x->producer != NO_NODE))
		return refuse(g, o, n, p, x->name, GLLM_DUPLICATE, "output is an input, a weight, or already produced", 0, 0);
	if (!written(kind) && value && x->producer == NO_NODE)
		return refuse(g, o, n, p, x->name, GLLM_INVALID_ARGUMENT, "operand is read before any node produces it", 0, 0);
	if (written(kind) && !advances(g, n, x))
		return refuse(g, o, n, p, x->name, GLLM_SHAPE_MISMATCH, "every step of the batch would write the same row",
		              gllm_dim_value(n->batch, g->max_rows), gllm_dim_value(x->rows, g->max_rows));
	return GLLM_OK;
}

/* Extents grow with the rows, tensors in proportion: what holds for none and for all holds between. */
static enum gllm_status check_extent(struct gllm_graph *g, const struct gllm_op_entry *o, const struct gllm_trace *t,
                                     const struct gllm_graph_node_entry *n, unsigned p, uint64_t rows)
{
	const struct gllm_graph_tensor_entry *x = &g->tensor[n->actual[p].tensor];
	bool output = written(o->param[p].kind);
	uint64_t need = reach(g, t, n, p, rows), have = gllm_dim_value(x->rows, rows) * x->cols * gllm_type_bytes(x->type);
	if (need <= have && (!output || need == have))
		return GLLM_OK;
	return refuse(g, o, n, p, x->name, GLLM_SHAPE_MISMATCH,
	              output ? "output is not exactly what the operator writes" : "operand is too small", need, have);
}

/* No extent overflows: each is a sum of products of some of the dimensions. */
static enum gllm_status check_dims(struct gllm_graph *g, const struct gllm_op_entry *o, const struct gllm_graph_node_entry *n)
{
	uint64_t all = gllm_dim_value(n->batch, g->max_rows);
	for (unsigned i = 0; i < o->nparams; i++) {
		uint64_t dim = gllm_dim_value(n->actual[i].dim, g->max_rows);
		if (o->param[i].kind != GLLM_DIM || dim == 0)
			continue;
		if (dim > max_dim || !gllm_mul_ok(all, dim, &all) || all > max_work)
			return refuse(g, o, n, i, o->param[i].name, GLLM_INVALID_ARGUMENT,
			              "a dimension is beyond 2^40, or the product of all beyond 2^52", max_dim, dim);
	}
	return GLLM_OK;
}

/* Distinct operands only: an output must not be one of its own inputs, nor stand twice. */
static enum gllm_status check_alias(struct gllm_graph *g, const struct gllm_op_entry *o,
                                    const struct gllm_graph_node_entry *n)
{
	for (unsigned i = 0; i < o->nparams; i++)
		for (unsigned j = 0; j < o->nparams; j++)
			if (i != j && o->param[i].kind == GLLM_OUT && o->param[j].kind < GLLM_DIM &&
			    n->actual[i].tensor == n->actual[j].tensor)
				return refuse(g, o, n, i, g->tensor[n->actual[i].tensor].name, GLLM_OVERLAP,
				              "a tensor is output and another operand of one node", i, j);
	return GLLM_OK;
}

enum gllm_status gllm_graph_node(struct gllm_graph *g, unsigned op, uint64_t batch, const struct gllm_actual *actual, unsigned n)
{
	if (g->error.status != GLLM_OK)
		return g->error.status;
	struct gllm_context *c = g->context;
	if (op >= c->nops)
		return gllm_fail(&g->error, GLLM_INVALID_ARGUMENT, "no such operator", g->name, g->nnodes, c->nops, op);
	const struct gllm_op_entry *o = &c->op[op];
	if (n != o->nparams)
		return gllm_fail(&g->error, GLLM_INVALID_ARGUMENT, "not as many parameters as the operator has", o->name, g->nnodes,
		                 o->nparams, n);
	if (batch == 0 || (batch != GLLM_ROWS && batch > max_dim))
		return gllm_fail(&g->error, GLLM_INVALID_ARGUMENT, "a batch of no steps, or of more than 2^40", o->name, g->nnodes,
		                 max_dim, batch);
	if (g->nnodes == g->max_nodes)
		return gllm_fail(&g->error, GLLM_OUT_OF_MEMORY, "more nodes than the graph was made for", o->name, g->nnodes,
		                 g->max_nodes, g->nnodes + 1);
	struct gllm_graph_node_entry *x = &g->node[g->nnodes];
	*x = (struct gllm_graph_node_entry){ .op = (uint16_t)op, .batch = batch };
	for (unsigned i = 0; i < n; i++)
		x->actual[i] = actual[i];

	/* Extents come from the trace. Without one (no target, or not lifted: compiling will say so) the caller's shapes are
	 * taken as they are, and only the scalar definitions can run. */
	const struct gllm_trace *t = NULL;
	if (!c->target || gllm_op_trace(c, op, &t, NULL) != GLLM_OK)
		t = NULL;
	if (check_dims(g, o, x) != GLLM_OK)
		return g->error.status;
	for (unsigned i = 0; i < n; i++)
		if (o->param[i].kind < GLLM_DIM && check_pointer(g, o, x, i) != GLLM_OK)
			return g->error.status;
	if (check_alias(g, o, x) != GLLM_OK)
		return g->error.status;
	for (unsigned i = 0; i < n && t; i++)
		if (o->param[i].kind < GLLM_DIM && (check_extent(g, o, t, x, i, g->max_rows) != GLLM_OK ||
		                                    (g->max_rows > 1 && check_extent(g, o, t, x, i, 0) != GLLM_OK)))
			return g->error.status;
	for (unsigned i = 0; i < n; i++) {
		if (o->param[i].kind == GLLM_OUT)
			g->tensor[x->actual[i].tensor].producer = (uint16_t)g->nnodes;
		else if (o->param[i].kind < GLLM_DIM)
			g->tensor[x->actual[i].tensor].consumers++;
	}
	g->nnodes++;
	return GLLM_OK;
}
