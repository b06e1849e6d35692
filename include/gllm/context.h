/* SPDX-License-Identifier: MIT
 * gllm/context.h - one instance of the library in memory its embedder granted.
 *
 * A context holds the operator table, the lifted traces, a heap for graphs, plans and sessions, and compile scratch. Its
 * size is fixed by gllm_config, so gllm_context_quote names the exact bytes; one byte less is GLLM_OUT_OF_MEMORY and
 * nothing is written. Nothing is allocated elsewhere, nothing outlives the memory, there is no destructor: forget it.
 * Pointers other than `e` must not be NULL unless stated.
 * A context is used by one thread at a time; running one plan from several threads is the plan's own business. */
#ifndef GLLM_CONTEXT_H
#define GLLM_CONTEXT_H
#include "gllm/host.h"
#include "gllm/image.h"
#include "gllm/ops.h"
#include "gllm/profile.h"
#include "gllm/record.h"
#include "gllm/target.h"
#include "gllm/trace.h"

#ifdef __cplusplus
extern "C" {
#endif

struct gllm_context;

struct gllm_config {
	const struct gllm_target *target; /* of the CPU that runs; NULL: no JIT, scalar definitions only */
	struct gllm_profile profile;
	struct gllm_host host;
	struct gllm_image image;          /* where operators are read from; ranges and names must outlive the context */
	const struct gllm_trace_record *recorded; /* traces recorded at build time (gllm/record.h); must outlive the context */
	unsigned nrecorded;
	unsigned max_ops;                 /* registrable beyond the built-in ones; 0: 32 */
	size_t trace_bytes;               /* lifted traces, and behind them what fusing composed of them; 0: 1 MiB */
	size_t heap_bytes;                /* graphs, plans, sessions; 0: 1 MiB */
	size_t scratch_bytes;             /* lifting and compiling; 0: 12 MiB */
};

/* SIZE_MAX for sizes beyond 2^40 or more than 4096 operators, which create refuses. */
size_t gllm_context_quote(const struct gllm_config *c);

/* `memory` is aligned to 64 bytes. Fails: GLLM_INVALID_ARGUMENT, GLLM_OUT_OF_MEMORY. */
enum gllm_status gllm_context_create(void *memory, size_t size, const struct gllm_config *c,
                                     struct gllm_context **out, struct gllm_error *e);

/* Calls a scalar definition with actual parameters: what a context needs to run an operator without compiling it. */
typedef void gllm_call_fn(gllm_any_fn *fn, const union gllm_arg *arg);

/* Adds a user's operator; *op is its number, used like enum gllm_op. `param` and `name` must outlive the context. `call`
 * may be NULL: then the operator runs only compiled. Fails: INVALID_ARGUMENT, OUT_OF_MEMORY (max_ops), DUPLICATE (name). */
enum gllm_status gllm_register(struct gllm_context *c, const char *name, gllm_any_fn *fn, const struct gllm_param *param,
                               unsigned nparams, gllm_call_fn *call, unsigned *op, struct gllm_error *e);

/* The operator's trace, once per context: at the first call it is taken from the recorded ones or else lifted. Fails:
 * NO_BACK_END without a target, NOT_LIFTED with e->where = offset in the function, OUT_OF_MEMORY; where the function's
 * text cannot be read: NOT_LIFTED without a fitting record, BAD_VALUE with a corrupt one. */
enum gllm_status gllm_op_trace(struct gllm_context *c, unsigned op, const struct gllm_trace **out, struct gllm_error *e);

unsigned gllm_op_count(const struct gllm_context *c);
const char *gllm_op_name(const struct gllm_context *c, unsigned op); /* NULL if there is no such operator */
/* Number of the operator of that name, or gllm_op_count() if there is none. */
unsigned gllm_op_find(const struct gllm_context *c, const char *name);

struct gllm_stats {
	unsigned lifted, injected;      /* traces from machine code; traces that no code or record backs (always 0) */
	unsigned recorded;              /* traces from config.recorded, checked against the text where it can be read */
	unsigned kernels;               /* compiled */
	unsigned loaded;                /* plans from blobs (gllm/blob.h) */
	size_t code_bytes;              /* used of the executable memory */
	uint64_t lift_ns, compile_ns;   /* 0 without a clock */
	size_t trace_high, heap_high, scratch_high; /* bytes */
};
void gllm_context_stats(const struct gllm_context *c, struct gllm_stats *out);

/* Name of the kernel whose code holds `address` of the exec view, e.g. "gemm_bt+swiglu"; NULL if none does. */
const char *gllm_where(const struct gllm_context *c, uint64_t address);

#ifdef __cplusplus
}
#endif
#endif
