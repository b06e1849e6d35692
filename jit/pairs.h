/* SPDX-License-Identifier: MIT
 * jit/pairs.h - a pass over the parts of groups: sums of products of two BF16 elements become sums over pairs of elements (DOT2), for machines that multiply
 * and add pairs at once.
 *
 * Taken is a loop of an even, fixed number of iterations that does nothing but such sums: carry + widen(x) * widen(y), where
 * both are elements of BF16 memory that move with the loop. It runs half as often: a pair is one word where its elements
 * lie side by side, else two halves put together. Everything else stays as it is; so what is blocked, packed or kept in
 * lanes afterwards is words, not elements. Found in the trace, whatever operator it came from. */
#ifndef GLLM_PAIRS_H
#define GLLM_PAIRS_H
#include "jit/fuse.h"

/* Rewrites such loops of all parts of groups. What is written lies in `arena`. Fails: OUT_OF_MEMORY. */
enum gllm_status gllm_pair_products(struct gllm_fusion *f, struct gllm_arena *arena);
#endif
