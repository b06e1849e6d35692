/* SPDX-License-Identifier: MIT
 * jit/compose.h - traces made from traces: dims fixed, a batch loop put around, a consumer's map spliced into the place
 * where its producer stores. One fused group is one trace, so lowering knows nothing of fusion.
 *
 * What must stay true: program order of each part is kept; a splice happens only if every element the consumer reads of
 * the intermediate is exactly the one being stored at that place, which is decided by equality of polynomials. */
#ifndef GLLM_COMPOSE_H
#define GLLM_COMPOSE_H
#include "core/arena.h"
#include "gllm/trace.h"

/* What a parameter of a composed trace stands for. */
enum gllm_operand_source { GLLM_FROM_TENSOR, GLLM_FROM_SCALAR, GLLM_FROM_ROWS };

struct gllm_source {
	uint8_t kind;     /* enum gllm_operand_source */
	uint16_t tensor;
	float scalar;
};

struct gllm_composed {
	struct gllm_trace trace;
	struct gllm_param param[GLLM_TRACE_PARAMS];
	struct gllm_source source[GLLM_TRACE_PARAMS];
	unsigned depth; /* traces spliced into the first */
};

/* How one operator's trace is applied by a graph node. */
struct gllm_applied {
	const struct gllm_trace *trace;
	struct gllm_source source[GLLM_TRACE_PARAMS]; /* of pointers and scalars; a DIM is FROM_ROWS or in `dim` */
	int64_t dim[GLLM_TRACE_PARAMS];               /* value of a DIM that is not FROM_ROWS */
	int64_t batch;                                /* trip of the loop put around: 1 none, -1 the symbolic rows */
	uint64_t stride[GLLM_TRACE_PARAMS];           /* bytes a pointer advances per batch step */
};

/* Writes `a` as a trace of its own into `out`; arrays come from `arena`.
 * Fails: OUT_OF_MEMORY, COMPILE_ERROR (a limit of the trace format). */
enum gllm_status gllm_compose_one(const struct gllm_applied *a, struct gllm_arena *arena, struct gllm_composed *out);

/* Writes `producer` with the map `consumer` spliced in where `tensor` is stored; the store itself stays if `keep`.
 * *why is static text when the two do not fit (GLLM_UNSUPPORTED); nothing is lost then. */
enum gllm_status gllm_compose_splice(const struct gllm_composed *producer, const struct gllm_composed *consumer,
                                     uint16_t tensor, bool keep, struct gllm_arena *arena, struct gllm_composed *out,
                                     const char **why);
#endif
