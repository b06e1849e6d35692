/* SPDX-License-Identifier: MIT
 * jit/context.h - the insides of a context, for the passes of jit/. */
#ifndef GLLM_JIT_CONTEXT_H
#define GLLM_JIT_CONTEXT_H
#include "core/arena.h"
#include "gllm/context.h"
#include "jit/memo.h"

struct gllm_op_entry {
	const char *name;
	gllm_any_fn *fn;
	const struct gllm_param *param;
	unsigned nparams;
	gllm_call_fn *call;
	const struct gllm_trace *trace; /* NULL until lifted */
};

struct gllm_kernel_range { /* for gllm_where; offsets in the executable memory */
	uint32_t offset, bytes;
	char name[40];
};

enum { GLLM_KERNEL_RANGES = 256 };

struct gllm_context {
	const struct gllm_target *target;
	struct gllm_profile profile;
	struct gllm_host host;
	struct gllm_image image;
	const struct gllm_trace_record *recorded;
	unsigned nrecorded;
	struct gllm_op_entry *op;
	unsigned nops, max_ops;
	struct gllm_arena traces;  /* only grows */
	struct gllm_arena scratch; /* passes copy it, work, and drop the copy; `high` is put back */
	struct gllm_memo memo;     /* in the room behind `traces` */
	struct gllm_heap heap;
	size_t code_used;
	struct gllm_piece *pieces; /* the topmost (pieces.h) */
	struct gllm_kernel_range kernel[GLLM_KERNEL_RANGES];
	unsigned nkernels;
	struct gllm_stats stats;
};

/* Calls built-in operator `op` with actual parameters. */
gllm_call_fn *gllm_builtin_call(unsigned op);

static inline uint64_t gllm_now(const struct gllm_context *c)
{
	return c->host.clock_ns ? c->host.clock_ns(c->host.user) : 0;
}
#endif
