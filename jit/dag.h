/* SPDX-License-Identifier: MIT
 * jit/dag.h - what a graph means to fusion: the class of each node, derived from its trace; the values that flow between
 * nodes; where paths meet again.
 *
 * Nodes stand in an order that can run (a graph is built in one), so every pass over them is a single one. Everything is
 * allocated from the caller's arena and only read afterwards. */
#ifndef GLLM_JIT_DAG_H
#define GLLM_JIT_DAG_H
#include "core/arena.h"
#include "jit/cost.h"
#include "jit/graph.h"

enum gllm_opclass { /* of a node, from its trace's pattern */
	GLLM_OPCLASS_ELEMENTWISE, GLLM_OPCLASS_INJECTIVE, GLLM_OPCLASS_REDUCTION, GLLM_OPCLASS_GEMM, GLLM_OPCLASS_OPAQUE,
};

enum { GLLM_EXIT = 0xffff, GLLM_NO_PRODUCER = 0xffff };

struct gllm_dag_node {
	uint8_t class;        /* enum gllm_opclass */
	uint16_t meet;        /* immediate post-dominator: the first node on every path from here to an output, or GLLM_EXIT */
};

struct gllm_dag_edge {    /* `to` reads `tensor`, which `from` stores; whether it can in a register is for compose.h to say */
	uint16_t from, to, tensor;
	uint64_t bytes;       /* at the greatest row count */
};

struct gllm_dag {
	struct gllm_dag_node *node;
	struct gllm_dag_edge *edge; /* by reader, then by its operands */
	unsigned nnodes, nedges;
	uint16_t *readers;          /* edges, by tensor: those of tensor t from first_reader[t] up to first_reader[t + 1] */
	uint16_t *first_reader;
};

/* `own` holds each node's trace. Fails: OUT_OF_MEMORY. */
enum gllm_status gllm_dag_build(const struct gllm_context *c, const struct gllm_graph *g, const struct gllm_composed *const *own,
                                struct gllm_arena *arena, struct gllm_dag *out);

uint64_t gllm_tensor_bytes(const struct gllm_graph *g, unsigned tensor); /* at the greatest row count */

/* The parameter of a product of matrices that stays when the innermost loop around its sums moves on: the input that
 * products share. nparams if the trace is none or none such exists. */
unsigned gllm_shared_operand(const struct gllm_trace *t);
#endif
