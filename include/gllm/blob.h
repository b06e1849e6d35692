/* SPDX-License-Identifier: MIT
 * gllm/blob.h - compiled plans as bytes: to keep in a cache, to put into ROM, to compile ahead of time on another machine.
 *
 * A blob holds all of a compiled plan: position-independent code, constants, steps, buffers, notes and names. It is made for
 * one machine (profile and number of workers) and by one version of the compiler; another refuses it. The same graph,
 * options, machine and version give the same bytes, whatever host computes them.
 * Loading reads nothing outside the blob, checks all of it before any code is published, and finds damage by a checksum; what
 * fails leaves nothing allocated. That is no signature: a blob holds machine code, so where it came from must be trusted. */
#ifndef GLLM_BLOB_H
#define GLLM_BLOB_H
#include "gllm/graph.h"
#include "gllm/store.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The key of what gllm_compile would make. Fails as gllm_op_trace; UNSUPPORTED for scalar plans, which hold no code. */
enum gllm_status gllm_plan_key(struct gllm_context *c, const struct gllm_graph *g, const struct gllm_plan_options *o,
                               struct gllm_plan_key *out, struct gllm_error *e);

/* Bytes of the plan's blob; 0 for a scalar plan. */
size_t gllm_plan_blob(const struct gllm_plan *p);

/* Writes exactly gllm_plan_blob bytes. The plan's code is read through the host's write view.
 * Fails: UNSUPPORTED (a scalar plan), OUT_OF_MEMORY (fewer bytes than that: nothing is written). */
enum gllm_status gllm_plan_save(const struct gllm_plan *p, void *out, size_t size, struct gllm_error *e);

/* A plan from a blob at any address, which need not outlive the call. `want` may be NULL: a plan of any graph, for this
 * machine and compiler. Fails, with nothing changed: TRUNCATED, BAD_MAGIC, BAD_VERSION (of the format), VECTOR_LENGTH (made for
 * SVE vectors of another length, or the CPU's are no longer as the profile says), FOREIGN (another graph, machine or compiler:
 * e->what says which), BAD_VALUE (damage: e->where is the offset), NO_BACK_END, NO_EXEC_MEMORY,
 * NO_SPACE, OUT_OF_MEMORY. */
enum gllm_status gllm_plan_load(struct gllm_context *c, const struct gllm_plan_key *want, const void *blob, size_t n,
                                struct gllm_plan **out, struct gllm_error *e);

#ifdef __cplusplus
}
#endif
#endif
