/* SPDX-License-Identifier: MIT
 * jit/block_behind.h - sums that wait for what follows them: where they are, and the kernels behind the products. */
#ifndef GLLM_JIT_BLOCK_BEHIND_H
#define GLLM_JIT_BLOCK_BEHIND_H
#include "jit/block_state.h"

static inline struct gllm_source in_scratch(uint16_t number)
{
	return (struct gllm_source){ .kind = GLLM_FROM_SCRATCH, .tensor = number };
}

static inline gllm_ref node(struct gllm_strip *s, enum gllm_node_op op, enum gllm_type type, gllm_ref a, gllm_ref b, gllm_ref c)
{
	return gllm_strip_append(s, (struct gllm_node){ .op = (uint8_t)op, .type = (uint8_t)type, .a = a, .b = b, .c = c });
}

/* Begins a kernel's trace, and ends it: what differs from one product to the other of those whose sums wait apart, each part says. NULL and
 * x->status: there is no memory. */
struct kernel *gllm_block_begin(struct blocker *x, struct gllm_strip *s);
struct kernel *gllm_block_finish(struct blocker *x, struct gllm_strip *s, struct kernel *k, enum gllm_pattern pattern);
int8_t gllm_block_open_rows(struct gllm_strip *s, struct kernel *k, struct gllm_linear rows);
int8_t gllm_block_open_panels(const struct blocker *x, struct gllm_strip *s, struct kernel *k, struct gllm_linear panels);

/* Where the partial sums of sum `which` are, as an access of the old loops' variables. `paced`: each part says how long their rows are. */
gllm_ref gllm_block_partial(struct blocker *x, struct gllm_strip *s, struct kernel *k, unsigned which, uint8_t *param, gllm_ref value, bool paced);
/* Sums of all columns, in which steps of k have lanes of their own, become one for each row. */
struct kernel *gllm_block_join(struct blocker *x, unsigned which, int64_t columns);
/* What follows sums that wait in scratch: for s, for panels, for v. */
struct kernel *gllm_block_behind(struct blocker *x, const struct macro *m);
#endif
