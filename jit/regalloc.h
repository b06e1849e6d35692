/* SPDX-License-Identifier: MIT
 * jit/regalloc.h - physical registers for VIR.
 *
 * In:    VIR whose backward branches all lie inside LOOP_BEGIN / LOOP_END brackets, and the machine.
 * Out:   `out` for target->select. When registers do not suffice `v` is rewritten with spill code. Its arrays then
 *        lie in `arena`, as do out's: they live as long as what the caller keeps of the arena.
 * Never: fails for lack of registers. Errors: GLLM_OUT_OF_MEMORY, GLLM_INVALID_ARGUMENT (malformed VIR). */
#ifndef GLLM_REGALLOC_H
#define GLLM_REGALLOC_H
#include "core/arena.h"
#include "core/vir.h"

enum gllm_status gllm_regalloc(struct gllm_vir *v, const struct gllm_machine *m, struct gllm_arena *arena,
                               struct gllm_allocation *out);

/* Replays the allocation over the flow graph, independent of how it was found: every register read must hold the value
 * that was last written to that virtual register on every path. GLLM_COMPILE_ERROR and *at = the first wrong reader. */
enum gllm_status gllm_regalloc_check(const struct gllm_vir *v, const struct gllm_machine *m,
                                     const struct gllm_allocation *a, struct gllm_arena scratch, unsigned *at);
#endif
