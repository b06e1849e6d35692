/* SPDX-License-Identifier: MIT
 * jit/eval.h - the value of a single node (all of a trace: gllm_trace_eval). */
#ifndef GLLM_JIT_EVAL_H
#define GLLM_JIT_EVAL_H
#include "gllm/trace.h"

/* value[n] from those of the nodes that n reads, by number; false if it reads anything else. */
bool gllm_trace_value(const struct gllm_trace *t, gllm_ref n, uint64_t *value);
#endif
