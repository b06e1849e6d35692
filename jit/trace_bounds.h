/* SPDX-License-Identifier: MIT
 * jit/trace_bounds.h - how great the integers of a trace can be, from the trace alone. */
#ifndef GLLM_TRACE_BOUNDS_H
#define GLLM_TRACE_BOUNDS_H
#include "gllm/trace.h"

/* An integer node is from 0 to this, whatever the inputs hold; GLLM_UNBOUNDED if that cannot be said. */
#define GLLM_UNBOUNDED UINT64_MAX
uint64_t gllm_trace_most(const struct gllm_trace *t, gllm_ref n);
/* What holds for every access to a table: a load, at no more than a loaded index that stays inside. */
bool gllm_table_access(const struct gllm_trace *t, const struct gllm_access *a);
#endif
