/* SPDX-License-Identifier: MIT
 * jit/lift.h - recover what a compiled scalar function computes.
 *
 * In:     the machine code of a function at `addr` (read through `img` only) and the op's parameters.
 * Out:    a trace in `keep`. `param` and `name` are kept as pointers and must outlive the trace.
 * Never:  executes the code, keeps a pointer into it, guesses: what is not understood is GLLM_NOT_LIFTED, and
 *         error.where is the offset of the instruction concerned from `addr`.
 * Fails:  GLLM_NOT_LIFTED, GLLM_BAD_INSN, GLLM_OUT_OF_MEMORY, GLLM_INVALID_ARGUMENT. On failure `keep` is unchanged.
 *
 * What is assumed of every caller of the function, and written nowhere in its code: dims are 0 .. 2^40 and so small that
 * the byte offsets they give are below 2^63; pointer parameters are disjoint; buffers have the extents that the loops
 * reach.
 *
 * The work is done in four passes, each with a header of its own:
 *   flow.h    bytes -> blocks of micro-operations, calls inlined, dominators, loops
 *   sym.h     blocks -> raw SSA values; registers and stack slots are gone
 *   canon.h   raw values -> canonical values: polynomials, typed arithmetic, selects, counted loops
 *   trace.c   canonical values -> the trace: order, reductions, pattern, hash */
#ifndef GLLM_LIFT_H
#define GLLM_LIFT_H
#include "core/arena.h"
#include "core/target.h"
#include "gllm/image.h"
#include "gllm/trace.h"

/* Scratch that suffices for every function within the limits of the passes; it is given back on return. */
enum { GLLM_LIFT_SCRATCH = 2 << 20 };

enum gllm_status gllm_lift(const struct gllm_target *t, const struct gllm_image *img, uint64_t addr, const char *name,
                           const struct gllm_param *param, unsigned nparams, struct gllm_arena *scratch,
                           struct gllm_arena *keep, const struct gllm_trace **out, struct gllm_error *e);

/* The same, and what of the image was read (jit/record.h); fails too when that does not fit. */
struct gllm_reads;
enum gllm_status gllm_lift_reads(const struct gllm_target *t, const struct gllm_image *img, uint64_t addr, const char *name,
                                 const struct gllm_param *param, unsigned nparams, struct gllm_arena *scratch,
                                 struct gllm_arena *keep, struct gllm_reads *reads, const struct gllm_trace **out,
                                 struct gllm_error *e);
#endif
