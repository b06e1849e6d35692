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

/* The bytes before the scale of an operation, and those of a store at the stack pointer plus a constant, of which three say
 * so: one comparison, as nothing could predict which of them is another one. */
static inline uint64_t live_word(struct gllm_sem_op_rec s)
{
	uint64_t word;
	_Static_assert(offsetof(struct gllm_sem_op_rec, scale) == sizeof word, "of one word");
	__builtin_memcpy(&word, &s, sizeof word);
	return word;
}

static inline uint64_t live_spill(const struct gllm_abi *abi)
{
	return live_word((struct gllm_sem_op_rec){ .op = GLLM_S_STORE, .a = abi->stack_pointer, .b = GLLM_LOC_NONE });
}

static inline bool live_is_spill(const struct gllm_sem_op_rec *s, uint64_t spill)
{
	return (live_word(*s) & live_word((struct gllm_sem_op_rec){ .op = 255, .a = 255, .b = 255 })) == spill;
}

/* One row for every block. */
void gllm_live_find(struct live *of, const struct flow *f, const struct gllm_abi *abi);
#endif
