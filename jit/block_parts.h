/* SPDX-License-Identifier: MIT
 * jit/block_parts.h - the parts of a blocked product in the order in which they run, and the repeats around them.
 *
 * Nothing is added once x->status is not GLLM_OK. `beside`: the part may run beside the one before it. */
#ifndef GLLM_JIT_BLOCK_PARTS_H
#define GLLM_JIT_BLOCK_PARTS_H
#include "jit/block_state.h"

/* A part that runs `k` from `at` on; k NULL: none. The second: the numbers that the kernel of the part that was added last asks for. */
void gllm_block_add(struct blocker *x, const struct kernel *k, struct at at, bool beside);
void gllm_block_numbers(struct blocker *x, const struct kernel *k, const struct macro *m, struct gllm_linear rows);

/* All sums of a block, one kernel for them, or each its own where they wait apart; what follows those that do. */
void gllm_block_add_product(struct blocker *x, const struct macro *m, struct at at, bool beside, struct gllm_linear rows);
void gllm_block_add_behind(struct blocker *x, struct gllm_linear of, struct at at, int64_t columns, struct gllm_linear rows);

/* What is added until the matching close runs `trips` times. Returns whether it is a repeat at all. */
bool gllm_block_open_repeat(struct blocker *x, struct gllm_linear trips, struct at step);
void gllm_block_close_repeat(struct blocker *x, bool opened);

/* The product of `m`, of all blocks of k. */
void gllm_block_add_depths(struct blocker *x, struct macro m, struct at at, struct gllm_linear rows);

/* Whether the sums are what the product stores. */
bool gllm_block_sums_are_result(const struct product *p);

/* Blocks of columns, of k in each, of rows in each of those: packing, products, what follows them. */
void gllm_block_nest(struct blocker *x);
#endif
