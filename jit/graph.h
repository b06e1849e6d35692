/* SPDX-License-Identifier: MIT
 * jit/graph.h - the insides of a graph. */
#ifndef GLLM_JIT_GRAPH_H
#define GLLM_JIT_GRAPH_H
#include "gllm/graph.h"

struct gllm_graph_tensor_entry {
	const char *name;
	uint8_t kind, type;
	uint64_t rows, cols;    /* rows may be GLLM_ROWS */
	uint16_t producer;      /* node, 0xffff for none */
	uint16_t consumers;     /* nodes that read it */
	struct gllm_packing packing; /* lanes 0: none */
};

struct gllm_graph_node_entry {
	uint16_t op;
	uint64_t batch;         /* 1, n or GLLM_ROWS */
	struct gllm_actual actual[GLLM_MAX_PARAMS];
};

struct gllm_graph {
	const char *name;
	struct gllm_context *context;
	uint64_t max_rows;
	struct gllm_graph_tensor_entry *tensor;
	struct gllm_graph_node_entry *node;
	unsigned ntensors, max_tensors, nnodes, max_nodes;
	struct gllm_error error;
};

/* gllm_packed_check, whose errors name the tensor. */
enum gllm_status gllm_packed_named(const struct gllm_packing *p, const void *packed, const char *name, struct gllm_error *e);

static inline uint64_t gllm_dim_value(uint64_t dim, uint64_t rows)
{
	return dim == GLLM_ROWS ? rows : dim;
}
#endif
