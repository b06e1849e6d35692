/* SPDX-License-Identifier: MIT
 * gllm/measure.h - what no register of a CPU tells, found out by running a few microseconds of generated code. */
#ifndef GLLM_MEASURE_H
#define GLLM_MEASURE_H
#include "gllm/host.h"
#include "gllm/profile.h"
#include "gllm/target.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Bytes of scratch for gllm_measure, aligned to 64. */
size_t gllm_measure_scratch(void);

/* Takes the widest vectors off the profile if the next narrower ones are clearly faster per lane at loading, multiplying
 * and adding: emulators may pay more for wide vectors than they hold, and so may CPUs that lower their clock.
 * Sets p->slow_fma: on this CPU (or its emulator) a fused multiply-add takes longer than a product and a sum. Some
 * emulators pay many times more for it than for the two; code without it is then several times faster. Sets p->slow_bf16:
 * instructions for products of pairs of BF16 are no faster than those for floats (some CPUs have one unit for the former and
 * two for the latter). Compile with
 * the profile it returns. Takes the last 4 KiB of `code` for good (code->size shrinks). Runs some 200 us of code.
 * Fails, leaving the profile as it was: NO_BACK_END (no target), NO_FEATURE (no vectors or no FMA), NO_EXEC_MEMORY,
 * INVALID_ARGUMENT (no clock), OUT_OF_MEMORY (scratch). */
enum gllm_status gllm_measure(const struct gllm_target *t, struct gllm_profile *p, struct gllm_exec_memory *code,
                              uint64_t (*clock_ns)(void *user), void *user, void *scratch, size_t scratch_size,
                              struct gllm_error *e);

#ifdef __cplusplus
}
#endif
#endif
