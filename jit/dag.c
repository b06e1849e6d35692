/* SPDX-License-Identifier: MIT
 * jit/dag.c - see dag.h. */
#include "jit/dag.h"
#include "jit/context.h"

static enum gllm_opclass class_of(enum gllm_pattern p)
{
	switch (p) {
	case GLLM_PATTERN_ELEMENTWISE: case GLLM_PATTERN_BINARY: return GLLM_OPCLASS_ELEMENTWISE;
	case GLLM_PATTERN_INJECTIVE: return GLLM_OPCLASS_INJECTIVE;
	case GLLM_PATTERN_REDUCTION: case GLLM_PATTERN_NORM: case GLLM_PATTERN_SOFTMAX: return GLLM_OPCLASS_REDUCTION;
	case GLLM_PATTERN_GEMM: return GLLM_OPCLASS_GEMM;
	case GLLM_PATTERN_QUANT_DECODE: case GLLM_PATTERN_OPAQUE: break;
	}
	return GLLM_OPCLASS_OPAQUE;
}

uint64_t gllm_tensor_bytes(const struct gllm_graph *g, unsigned tensor)
{
	const struct gllm_graph_tensor_entry *t = &g->tensor[tensor];
	return gllm_dim_value(t->rows, g->max_rows) * t->cols * gllm_type_bytes(t->type);
}

static bool read_only(const struct gllm_param *p)
{
	return p->kind == GLLM_IN || p->kind == GLLM_WEIGHT;
}

static void find_edges(const struct gllm_context *c, const struct gllm_graph *g, struct gllm_dag *d)
{
	for (unsigned i = 0; i < g->nnodes; i++) {
		const struct gllm_op_entry *o = &c->op[g->node[i].op];
		for (unsigned p = 0; p < o->nparams; p++) {
			uint16_t t = g->node[i].actual[p].tensor;
			if (!read_only(&o->param[p]) || g->tensor[t].producer == GLLM_NO_PRODUCER)
				continue;
			d->edge[d->nedges++] = (struct gllm_dag_edge){ .from = g->tensor[t].producer, .to = (uint16_t)i, .tensor = t,
				.bytes = gllm_tensor_bytes(g, t) };
		}
	}
}

/* Counting sort of the edges by tensor. */
static void find_readers(const struct gllm_graph *g, struct gllm_dag *d)
{
	for (unsigned t = 0; t <= g->ntensors; t++)
		d->first_reader[t] = 0;
	for (unsigned i = 0; i < d->nedges; i++)
		d->first_reader[d->edge[i].tensor]++;
	for (unsigned t = 0, sum = 0; t <= g->ntensors; t++) {
		sum += d->first_reader[t];
		d->first_reader[t] = (uint16_t)sum;
	}
	for (unsigned i = d->nedges; i-- > 0;)
		d->readers[--d->first_reader[d->edge[i].tensor]] = (uint16_t)i;
}

/* The first node on the paths from both `a` and `b`; nodes' own successors' meets are known already. */
static uint16_t meet(const struct gllm_dag *d, uint16_t a, uint16_t b)
{
	while (a != b) {
		if (a == GLLM_EXIT || b == GLLM_EXIT)
			return GLLM_EXIT;
		if (a < b)
			a = d->node[a].meet;
		else
			b = d->node[b].meet;
	}
	return a;
}

/* A node whose value leaves the graph, or that nobody reads, has an edge to the exit. */
static void find_meets(const struct gllm_context *c, const struct gllm_graph *g, struct gllm_dag *d)
{
	for (unsigned i = g->nnodes; i-- > 0;) {
		const struct gllm_op_entry *o = &c->op[g->node[i].op];
		bool any = false;
		uint16_t at = GLLM_EXIT;
		for (unsigned p = 0; p < o->nparams; p++) {
			uint16_t t = g->node[i].actual[p].tensor;
			if (o->param[p].kind != GLLM_OUT)
				continue;
			if (g->tensor[t].kind == GLLM_TENSOR_OUTPUT) {
				any = true;
				at = GLLM_EXIT;
				break;
			}
			for (unsigned r = d->first_reader[t]; r < d->first_reader[t + 1]; r++) {
				uint16_t to = d->edge[d->readers[r]].to;
				at = any ? meet(d, at, to) : to;
				any = true;
			}
		}
		d->node[i].meet = any ? at : GLLM_EXIT;
	}
}

enum gllm_status gllm_dag_build(const struct gllm_context *c, const struct gllm_graph *g, const struct gllm_composed *const *own,
                                struct gllm_arena *arena, struct gllm_dag *out)
{
	unsigned edges = 1;
	for (unsigned i = 0; i < g->ntensors; i++)
		edges += g->tensor[i].consumers;
	if (edges >= UINT16_MAX)
		return GLLM_OUT_OF_MEMORY;
	*out = (struct gllm_dag){ .nnodes = g->nnodes };
	out->node = gllm_alloc_array(arena, g->nnodes + 1u, sizeof *out->node, 8);
	out->edge = gllm_alloc_array(arena, edges, sizeof *out->edge, 8);
	out->readers = gllm_alloc_array(arena, edges, sizeof *out->readers, 8);
	out->first_reader = gllm_alloc_array(arena, g->ntensors + 1u, sizeof *out->first_reader, 8);
	if (!out->node || !out->edge || !out->readers || !out->first_reader)
		return GLLM_OUT_OF_MEMORY;
	for (unsigned i = 0; i < g->nnodes; i++)
		out->node[i] = (struct gllm_dag_node){ .class = (uint8_t)class_of(own[i]->trace.pattern) };
	find_edges(c, g, out);
	find_readers(g, out);
	find_meets(c, g, out);
	return GLLM_OK;
}

/* --- products ---------------------------------------------------------------------------------------------------------- */

static bool moves_along(const struct gllm_trace *t, const struct gllm_access *a, int8_t loop)
{
	for (unsigned i = 0; i < a->offset.count; i++)
		for (unsigned s = 0; s < GLLM_TERM_SYMS; s++)
			if (t->term[a->offset.first + i].sym[s] == GLLM_SYM_LOOP + loop)
				return true;
	return false;
}

unsigned gllm_shared_operand(const struct gllm_trace *t)
{
	if (t->pattern != GLLM_PATTERN_GEMM)
		return t->nparams;
	int8_t sum = t->reduction[0].loop, around = t->loop[sum].parent;
	for (unsigned i = 0; i < t->nnodes; i++) {
		const struct gllm_node *n = &t->node[i];
		const struct gllm_access *a = n->op == GLLM_N_LOAD ? &t->access[n->imm] : NULL;
		if (a && n->loop == sum && a->index == GLLM_NO_NODE && moves_along(t, a, sum) && !moves_along(t, a, around))
			return a->param;
	}
	return t->nparams;
}
