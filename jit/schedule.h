/* SPDX-License-Identifier: MIT
 * jit/schedule.h - the order of instructions within the bodies of innermost loops, before registers are allocated.
 *
 * In:    VIR as lowering leaves it, the machine with its timing.
 * Out:   the same instructions; only straight lines inside innermost loops are reordered, and only those whose longest chain
 *        of dependent instructions is more than the machine's own window hides (schedule.c: latency_bound). What reads a register still
 *        reads the same write of it, and accesses of memory keep their order unless both say that they belong to different
 *        copies of one segment, or one that nobody writes there (core/vir.h): results are bit for bit the same.
 * Never: takes more registers than the machine has, or than the line took before. Looks at addresses, keeps anything of
 *        the arena.
 * Fails: GLLM_OUT_OF_MEMORY; `v` is then unchanged or partly reordered, right in either case. */
#ifndef GLLM_SCHEDULE_H
#define GLLM_SCHEDULE_H
#include "core/arena.h"
#include "core/vir.h"

enum gllm_status gllm_schedule(struct gllm_vir *v, const struct gllm_machine *m, struct gllm_arena *arena);
#endif
