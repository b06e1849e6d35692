/* SPDX-License-Identifier: MIT
 * jit/cost.h - what a trace costs on a profile: a roofline over the trace's own operations and memory, and the limits a
 * fused trace must keep. Everything is derived from the trace; no operator is known here.
 *
 * Cycles are of one core. The profile's peak and bandwidth are of the whole machine, in 10^9 per second; where they are
 * unknown, two FMAs a cycle at 3 GHz and 8 bytes a cycle are taken. */
#ifndef GLLM_JIT_COST_H
#define GLLM_JIT_COST_H
#include "gllm/profile.h"
#include "jit/compose.h"

enum {
	GLLM_L1_PERCENT = 75,     /* of the L1 data cache that a group may count on */
	GLLM_GROUP_DEPTH = 16,    /* maps spliced into one anchor */
	GLLM_TILE_VALUES = 6000,  /* computed behind the sums of a tile, of all its vectors: twice as many, where tiles that are
	                           * cut short are code of their own, and what a kernel has beside them stay below what it can
	                           * have (compile.c) */
};

struct gllm_cost {
	double flops, bytes;
	double compute, memory;   /* cycles, if only that were needed */
};

/* Of one run of the trace with its parameters from `source`, with `rows` rows. */
struct gllm_cost gllm_cost_of(const struct gllm_composed *c, const struct gllm_source *source, uint64_t rows,
                              const struct gllm_profile *p);
/* The greater of the two; work of a split loop is shared by the machine's cores, its bandwidth is shared anyway. */
double gllm_cost_cycles(struct gllm_cost c, const struct gllm_profile *p, bool split);

/* Bytes of L1 that a group may count on. */
uint64_t gllm_l1_budget(const struct gllm_profile *p);
/* Whether lines `pitch` bytes apart fall into few sets of L1: it is a multiple of a quarter of a way. */
bool gllm_l1_crowds(const struct gllm_profile *p, int64_t pitch);

/* Vector registers the trace needs at once, for one copy of each of its maps beside the accumulators of its sums; four
 * accumulators each for products, so that their latency is hidden. `arena` is workspace. Fails: OUT_OF_MEMORY. */
enum gllm_status gllm_registers_of(const struct gllm_composed *c, struct gllm_arena arena, unsigned *n);

/* Whether a fused trace keeps its limits; `registers`: that what it was made from needs already.
 * Fails: OUT_OF_MEMORY; UNSUPPORTED: *why is static text that names the limit broken. */
enum gllm_status gllm_keeps_limits(const struct gllm_composed *c, const struct gllm_profile *p, unsigned registers,
                                   struct gllm_arena arena, const char **why);
#endif
