/* SPDX-License-Identifier: MIT
 * jit/plan.h - the insides of a plan: one block of the context's heap, so that freeing it is one call.
 *
 * A step is a range of emitted code (compiled plans) or one node's scalar definition (scalar plans); steps run in order
 * and are barriers. Both kinds read their actual parameters from slots, filled at every run from the slot list. */
#ifndef GLLM_JIT_PLAN_H
#define GLLM_JIT_PLAN_H
#include "gllm/graph.h"
#include "jit/fuse.h"

typedef void gllm_kernel_fn(const uint64_t *args, void *shared, void *worker, uint64_t begin, uint64_t end);

enum gllm_slot_kind {
	GLLM_SLOT_BIND,   /* value = tensor: address the caller bound, plus `at` */
	GLLM_SLOT_WORK,   /* value = offset in the workspace, plus `at` */
	GLLM_SLOT_CONST,  /* value = bits of a dim or scalar */
	GLLM_SLOT_ROWS,   /* the number `at` */
	GLLM_SLOT_POOL,   /* value = offset in the plan's constants */
	GLLM_SLOT_WORKER, /* the running worker's memory, plus `at` */
};

struct gllm_slot {
	uint8_t kind;
	uint64_t value;
	uint64_t stride; /* scalar steps: bytes per batch step */
	struct gllm_linear at;
};

struct gllm_step {
	struct gllm_step_info info;
	gllm_kernel_fn *kernel;     /* NULL: scalar */
	gllm_any_fn *scalar;
	gllm_call_fn *call;
	struct gllm_linear batch;   /* scalar steps: calls */
	struct gllm_linear trip;    /* of the parallel loop */
	uint64_t tile;              /* iterations per unit of work; 0: sequential */
	bool beside;                /* needs nothing of the step before it: the two may run together */
	unsigned first_slot, nslots;
};

struct gllm_plan_tensor {
	struct gllm_tensor_info info;
	uint8_t align;
	struct gllm_linear bytes;   /* reached, for bound tensors */
};

/* THE list of a plan's arrays: member, its number, element. They lie in one block with the plan (gllm_plan_new). */
#define GLLM_PLAN_ARRAYS(A)                              \
	A(tensor, ntensors, struct gllm_plan_tensor)     \
	A(step,   nsteps,   struct gllm_step)            \
	A(slot,   nslots,   struct gllm_slot)            \
	A(note,   nnotes,   struct gllm_note)            \
	A(node,   nnodes,   struct gllm_node_info)       \
	A(edge,   nedges,   struct gllm_edge_info)       \
	A(buffer, nbuffers, struct gllm_buffer_info)

struct gllm_plan {
	struct gllm_context *context;
	const char *name;
	uint64_t max_rows;
	size_t workspace;               /* of which every worker's own memory is the end: */
	size_t worker_begin, worker_bytes;
	unsigned workers;
#define A(member, count, type) type *member; unsigned count;
	GLLM_PLAN_ARRAYS(A)
#undef A
	unsigned char *pool;             size_t pool_bytes; /* constants, 64-byte aligned */
	char *text;                      size_t text_bytes; /* names that are the plan's own */
	size_t code_begin, code_end;     /* in the executable memory */
	bool scalar;
};

/* A plan with the numbers of elements and bytes that `like` states and room for them, zeroed, in the context's heap; all
 * else is a copy of `like`. NULL if the heap cannot hold it. */
struct gllm_plan *gllm_plan_new(struct gllm_context *c, const struct gllm_plan *like);

/* A compiled group before it is copied into a plan. */
struct gllm_kernel {
	uint32_t offset, bytes;          /* in the executable memory */
	const unsigned char *pool;
	size_t pool_bytes;
	struct gllm_poly trip;           /* of the split loop, of the trace */
	uint64_t tile;                   /* 0: sequential */
	unsigned same;                   /* part whose code this is */
	size_t pool_at;                  /* of its constants in the plan's */
};

/* The trip of a split loop as a function of the row count, where parameters come from `source`; composed traces have no
 * other dims left than FROM_ROWS ones, COMPILE_ERROR otherwise. */
enum gllm_status gllm_trip_of(const struct gllm_composed *t, const struct gllm_source *source, struct gllm_poly trip,
                              struct gllm_linear *out);

uint64_t gllm_at_rows(struct gllm_linear l, uint64_t rows);

/* Compiles one trace: lower, allocate, select, copy, publish. `arena` is scratch that outlives the call. */
enum gllm_status gllm_compile_trace(struct gllm_context *c, const struct gllm_composed *t, const char *name,
                                    bool readback, struct gllm_arena *arena, struct gllm_kernel *out,
                                    struct gllm_error *e);
#endif
