/* SPDX-License-Identifier: MIT
 * jit/chunks.h - a pass over the parts of groups: one long reduction, which no loop around it lets workers share, becomes
 * partial results of chunks, combined in order.
 *
 * Taken are traces of one to three loops one after another, without a loop around them, of fixed lengths, whose reductions
 * (sums, products, greatest and least elements) run over LONG elements or more: dot products, sums, norms and softmax of one
 * row. Each loop becomes a part of its own, shared by the workers: a reduction leaves a partial result of each chunk, and
 * whoever needs the result combines all of them, the same way everywhere. How long chunks are depends on the loop's length
 * alone, so results have the same bits for any number of workers, one too. */
#ifndef GLLM_JIT_CHUNKS_H
#define GLLM_JIT_CHUNKS_H
#include "jit/fuse.h"

/* What is written lies in `arena`. Fails: OUT_OF_MEMORY, COMPILE_ERROR. */
enum gllm_status gllm_chunks(struct gllm_arena *arena, struct gllm_fusion *f);
#endif
