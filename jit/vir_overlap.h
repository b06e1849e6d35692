/* SPDX-License-Identifier: MIT
 * jit/vir_overlap.h - loops that pass over each row one after another become one loop that makes all passes at once, each over
 * another row: the last over the first of these rows, the first over the last.
 *
 * Worth it where rows come from memory and go there: what a pass waits for and what it stores then comes evenly, beside the
 * arithmetic of all passes, and memory is never idle. */
#ifndef GLLM_VIR_OVERLAP_H
#define GLLM_VIR_OVERLAP_H
#include "core/arena.h"
#include "core/vir.h"

/* In:    `v` in the order in which it was lowered. A loop (over rows) in which others without loops within follow one another: of
 *        fixed numbers of turns of which one divides the next one's, straight and counted down to 0. Rows are independent, but that what one
 *        pass leaves in memory for the next, element by element, may lie where the last row's did.
 * Out:   the same work; each sum adds the same in the same order. Each loop stands once more before the loop over rows, for the first
 *        rows, or behind it, for the last ones.
 * A loop that is none of these, or for which `v` has no room, is left as it is. Fails: GLLM_OUT_OF_MEMORY. */
enum gllm_status gllm_vir_overlap(struct gllm_vir *v, struct gllm_arena scratch);
#endif
