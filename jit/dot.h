/* SPDX-License-Identifier: MIT
 * jit/dot.h - a pass over the parts of groups, for machines that multiply and add several narrow elements at once: sums of
 * products of elements become sums over words of elements (DOT).
 *
 * Taken is a loop of a fixed number of iterations, a multiple of the elements in a word, that does nothing but such sums:
 * carry + widen(x) * widen(y), both elements of memory that move with the loop; F32 sums of two BF16, I32 sums of 8-bit
 * integers. It runs as much less often: a word is read where its elements lie side by side, else put together. All else
 * stays as it is; what is blocked, packed or kept in lanes afterwards is words, not elements. Found in the trace, whatever
 * operator it came from. */
#ifndef GLLM_DOT_H
#define GLLM_DOT_H
#include "jit/fuse.h"

/* Rewrites such loops of all parts of groups, for `dots` (core/vir.h) of the machine. What is written lies in `arena`.
 * Fails: OUT_OF_MEMORY. */
enum gllm_status gllm_dot_products(struct gllm_fusion *f, unsigned dots, struct gllm_arena *arena);
#endif
