/* SPDX-License-Identifier: MIT
 * jit/live.h - which registers matter where: of blocks that meet, only those can differ that somebody still reads.
 *
 * Registers are the R and V locations of core/sem.h, a bit each. What is said is never too little: a register that an
 * operation may read counts as read, one that it may write as written. */
#ifndef GLLM_LIVE_H
#define GLLM_LIVE_H
#include "jit/flow.h"

struct live {
	uint64_t read, written; /* read: before the block itself writes it */
	uint64_t in;            /* read by the block or behind it, as it is at the block's start */
	bool spills;            /* stores at the stack pointer plus a constant */
};

/* A bit for every register, none for other locations. */
_Static_assert(GLLM_LOC_FLAGS == 64, "a bit for every register");
extern const uint64_t gllm_live_bit[256];
static inline uint64_t live_bit(uint8_t loc)
{
	return gllm_live_bit[loc];
}

/* Without branches: which of the three is another one nothing could predict. */
static inline bool live_is_spill(const struct gllm_sem_op_rec *s, const struct gllm_abi *abi)
{
	return (s->op == GLLM_S_STORE) & (s->a == abi->stack_pointer) & (s->b == GLLM_LOC_NONE);
}

/* One row for every block. */
void gllm_live_find(struct live *of, const struct flow *f, const struct gllm_abi *abi);
#endif
