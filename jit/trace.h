/* SPDX-License-Identifier: MIT
 * jit/trace.h - from canonical values to a trace, and what is derived from a trace alone. */
#ifndef GLLM_JIT_TRACE_H
#define GLLM_JIT_TRACE_H
#include "jit/loops.h"

/* Chooses what is kept, numbers it in an order that does not depend on the compiler, and writes it to `keep`. */
enum gllm_status gllm_trace_build(struct lifting *l, const char *name, struct gllm_arena *scratch, struct gllm_arena *keep,
                                  const struct gllm_trace **out);

/* Of a trace under construction: fills reduction[] (room for one per CARRY) and returns how many. */
unsigned gllm_trace_reductions(const struct gllm_trace *t, struct gllm_reduction *reduction);
enum gllm_pattern gllm_trace_pattern(const struct gllm_trace *t);
uint64_t gllm_trace_hash(const struct gllm_trace *t);

unsigned gllm_node_operands(enum gllm_node_op op);
#endif
