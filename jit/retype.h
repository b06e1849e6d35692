/* SPDX-License-Identifier: MIT
 * jit/retype.h - an operator over half-precision tensors, from its definition over F32.
 *
 * Where a pointer parameter of F32 elements gets F16 or BF16 ones, each load widens and each store rounds to nearest
 * even; all arithmetic stays F32. So one scalar definition serves every element type. (Lowering may compute in halves where
 * no result changes: lower_half.c.) */
#ifndef GLLM_RETYPE_H
#define GLLM_RETYPE_H
#include "core/arena.h"
#include "gllm/trace.h"

/* `type` holds the element type of each parameter; those that differ from the trace's must be F16 or BF16 in place of
 * F32. Returns the trace itself in *out if none differs, else a new one in `arena`. Fails: OUT_OF_MEMORY, UNSUPPORTED
 * (*why, static: the trace reaches the parameter otherwise than in whole F32 elements). */
enum gllm_status gllm_retype(const struct gllm_trace *t, const uint8_t *type, struct gllm_arena *arena,
                             const struct gllm_trace **out, const char **why);
#endif
