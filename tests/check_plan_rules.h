/* SPDX-License-Identifier: MIT
 * tests/check_plan_rules.h - what must be true of every plan, read off its own structures. */
#ifndef CHECK_PLAN_RULES_H
#define CHECK_PLAN_RULES_H
#include "core/arena.h"
#include "jit/plan.h"

/* `p` was compiled from `g` with these options, in context `c`. NULL, or which rule does not hold (static text). */
const char *plan_breaks(struct gllm_context *c, const struct gllm_graph *g, const struct gllm_plan_options *o,
                        const struct gllm_plan *p, struct gllm_arena arena);
#endif
