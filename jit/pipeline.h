/* SPDX-License-Identifier: MIT
 * jit/pipeline.h - software pipelining: innermost loops load for the next turn while this one computes.
 *
 * In:    VIR in the order in which it shall run (jit/schedule.h), the machine, the number of stages: 1 nothing is done;
 *        2 loads of a turn may stand in the turn before.
 * Out:   of each innermost loop that is one straight line: what computes keeps its order; loads whose addresses only count
 *        on move up, over the loop's beginning into the turn before where they reach it. The loads so moved of the first turn
 *        stand before the loop, and its last turn behind it without them, so that no address is loaded from that was not
 *        loaded from before. Results are bit for bit the same. The loop's loads share a ring of registers that what computes
 *        leaves free, so no value is ever copied: copies of the loop's body (unrolling) use them in turn.
 * Never: takes more registers than the machine has. Moves a load over a store unless both say that their order does not
 *        matter (core/vir.h: segment, LOOP_BEGIN). Keeps anything of the arena.
 * Fails: GLLM_OUT_OF_MEMORY; `v` is then unchanged. A loop that would not fit into v->ins stays as it is. */
#ifndef GLLM_PIPELINE_H
#define GLLM_PIPELINE_H
#include "core/arena.h"
#include "core/vir.h"

/* Stages that pay on this machine: cores that start instructions in order wait for a load that stands before its reader. For
 * others nothing changes (Sapphire Rapids, products in L1 and in L2, AVX2 and AVX-512: 0.99 to 1.00 of the time of one stage). */
static inline unsigned gllm_pipeline_stages(const struct gllm_machine *m)
{
	return m->timing && m->window == 0 ? 2 : 1;
}

enum gllm_status gllm_pipeline(struct gllm_vir *v, const struct gllm_machine *m, unsigned stages, struct gllm_arena *arena);
#endif
