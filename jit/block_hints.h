/* SPDX-License-Identifier: MIT
 * jit/block_hints.h - what the product of one block fetches for those that come after it.
 *
 * Hints are accesses behind all others of a trace (jit/lower.h): each body of the loop over k fetches some lines. */
#ifndef GLLM_JIT_BLOCK_HINTS_H
#define GLLM_JIT_BLOCK_HINTS_H
#include "jit/block_state.h"

/* Loops of a product's trace: blocks of columns and of k where one kernel has them all, panels, rows, lanes, k. */
struct nest {
	int8_t jb, kb, p, r, v, kk;
};

static inline struct gllm_term along(int8_t loop, int64_t coef) /* loop -1: none */
{
	if (loop < 0)
		return (struct gllm_term){ .coef = 0 };
	return (struct gllm_term){ .coef = coef, .sym = { (uint8_t)(GLLM_SYM_LOOP + loop) } };
}

/* Whether the value is a factor of those sums on that side. */
static inline bool takes(const struct blocker *x, const struct macro *m, unsigned side, gllm_ref value)
{
	unsigned i = m->sum;
	while (i < m->end && x->p->sum[i].value[side] != value)
		i++;
	return i < m->end;
}

/* Adds the hints of this kernel, whose loops are written, as its way and x->ahead want them. */
void gllm_block_hints(struct blocker *x, struct gllm_strip *s, struct kernel *k, const struct macro *m, const struct nest *n);
#endif
