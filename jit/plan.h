/* SPDX-License-Identifier: MIT
 * jit/plan.h - the insides of a plan: one block of the context's heap, so that freeing it is one call.
 *
 * A step is a range of emitted code (compiled plans) or one node's scalar definition (scalar plans); steps run in order,
 * ranges of them several times (struct gllm_repeat), and are barriers. Both kinds read their actual parameters from slots,
 * filled at every run from the slot list. */
#ifndef GLLM_JIT_PLAN_H
#define GLLM_JIT_PLAN_H
#include "core/bits.h"
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
	struct gllm_linear at;
	int64_t move[GLLM_REPEAT_LEVELS]; /* added per trip of the repeats around the step; scalar steps: [0] per batch step */
};

struct gllm_step {
	struct gllm_step_info info; /* code_offset: in the plan's blob, as if its kernels lay one behind the other */
	struct gllm_piece *piece;   /* of executable memory; NULL: scalar */
	gllm_kernel_fn *kernel;     /* NULL: scalar */
	gllm_any_fn *scalar;        /* this and the next two: scalar steps alone have them */
	gllm_call_fn *call;
	struct gllm_linear batch;   /* calls */
	struct gllm_linear trip;    /* of the parallel loop */
	uint64_t tile;              /* iterations per unit of work; 0: sequential */
	bool beside;                /* needs nothing of the step before it: the two may run together */
	bool small;                 /* handing it out costs more than it takes */
	unsigned first_slot, nslots;
};

struct gllm_plan_tensor {
	struct gllm_tensor_info info;
	uint8_t align;
	struct gllm_linear bytes;   /* reached, for bound tensors */
};

/* What a blob holds of a plan (jit/blob.c): N are numbers, T are texts. A member that is added above needs a row here. */
#define GLLM_LINEAR_FIELDS(N, m) N(m.fixed) N(m.per_row) N(m.block) N(m.rest)
#define GLLM_TENSOR_FIELDS(N, T) \
	N(info.kind) T(info.name) N(info.type) N(info.rows) N(info.cols) N(info.packing.type) \
	N(info.packing.lanes) N(info.packing.n) N(info.packing.k) N(align) GLLM_LINEAR_FIELDS(N, bytes)
#define GLLM_STEP_FIELDS(N, T) \
	N(beside) T(info.name) N(info.group) N(info.mode) N(info.pattern) T(info.strategy) N(info.times) N(info.code_offset) \
	N(info.code_bytes) \
	N(info.bytes_saved) N(info.bytes_moved) N(info.cycles) GLLM_LINEAR_FIELDS(N, trip) N(tile) N(small) \
	N(first_slot) N(nslots)
#define GLLM_SLOT_FIELDS(N, T) N(kind) N(value) GLLM_LINEAR_FIELDS(N, at) N(move[0]) N(move[1]) N(move[2])
#define GLLM_REPEAT_FIELDS(N, T) N(first) N(end) N(level) GLLM_LINEAR_FIELDS(N, trips)
#define GLLM_NOTE_FIELDS(N, T) N(producer) N(consumer) N(tensor) N(accepted) T(why) N(bytes)
#define GLLM_NODE_FIELDS(N, T) T(name) N(group)
#define GLLM_EDGE_FIELDS(N, T) N(producer) N(consumer) N(tensor) N(bytes)
#define GLLM_BUFFER_FIELDS(N, T) N(tensor) N(first_group) N(last_group) N(offset) N(bytes)
#define GLLM_PLAN_FIELDS(N, T) \
	T(name) N(max_rows) N(workspace) N(worker_begin) N(worker_bytes) N(workers) N(ntensors) N(nsteps) N(nslots) N(nrepeats) \
	N(nnotes) N(nnodes) N(nedges) N(nbuffers) N(pool_bytes) N(graph_key)

/* THE list of a plan's arrays: member, its number, element, fields. They lie in one block with the plan (gllm_plan_new). */
#define GLLM_PLAN_ARRAYS(A)                              \
	A(tensor, ntensors, struct gllm_plan_tensor, GLLM_TENSOR_FIELDS) \
	A(step,   nsteps,   struct gllm_step, GLLM_STEP_FIELDS) \
	A(slot,   nslots,   struct gllm_slot, GLLM_SLOT_FIELDS) \
	A(repeat, nrepeats, struct gllm_repeat, GLLM_REPEAT_FIELDS) \
	A(note,   nnotes,   struct gllm_note, GLLM_NOTE_FIELDS) \
	A(node,   nnodes,   struct gllm_node_info, GLLM_NODE_FIELDS) \
	A(edge,   nedges,   struct gllm_edge_info, GLLM_EDGE_FIELDS) \
	A(buffer, nbuffers, struct gllm_buffer_info, GLLM_BUFFER_FIELDS)

struct gllm_plan {
	struct gllm_context *context;
	const char *name;
	uint64_t max_rows;
	size_t workspace;               /* of which every worker's own memory is the end: */
	size_t worker_begin, worker_bytes;
	unsigned workers;
#define A(member, count, type, fields) type *member; unsigned count;
	GLLM_PLAN_ARRAYS(A)
#undef A
	unsigned char *pool;             size_t pool_bytes; /* constants, 64-byte aligned */
	char *text;                      size_t text_bytes; /* names that are the plan's own */
	size_t code_bytes;               /* of all kernels in a blob */
	uint64_t graph_key;              /* struct gllm_plan_key; 0 in scalar plans */
	unsigned vector_bytes;           /* that the code counts on, where a CPU's may change; else 0 */
	bool scalar;
};

/* A plan with the numbers of elements and bytes that `like` states and room for them in the context's heap; of that only
 * the constants are zeroed. All else is a copy of `like`. NULL if the heap cannot hold it. */
struct gllm_plan *gllm_plan_new(struct gllm_context *c, const struct gllm_plan *like);

/* A compiled trace. */
struct gllm_kernel {
	uint32_t offset, bytes;          /* in the executable memory */
	const unsigned char *pool;
	size_t pool_bytes;
	struct gllm_poly trip;           /* of the split loop, of the trace */
	uint64_t tile;                   /* 0: sequential */
	int8_t loop;                     /* the split one, -1 none */
};

/* The trip of a split loop as a function of the row count, where parameters come from `source`; composed traces have no
 * other dims left than FROM_ROWS ones, COMPILE_ERROR otherwise. */
enum gllm_status gllm_trip_of(const struct gllm_composed *t, const struct gllm_source *source, struct gllm_poly trip,
                              struct gllm_linear *out);

/* What struct gllm_plan_key holds of the graph; of the machine; of the compiler, as the Makefile counts its sources. */
enum gllm_status gllm_graph_key(struct gllm_context *c, const struct gllm_graph *g, const struct gllm_plan_options *o,
                                uint64_t *key, struct gllm_error *e);
uint64_t gllm_machine_key(const struct gllm_context *c);
uint64_t gllm_emitter_key(void);

/* A plan of this key from the host's store: NULL if there is none, or none that fits. And the other way; `arena` is scratch. */
struct gllm_plan *gllm_plan_recall(struct gllm_context *c, const struct gllm_plan_key *key);
void gllm_plan_remember(struct gllm_context *c, const struct gllm_plan_key *key, const struct gllm_plan *p,
                        struct gllm_arena arena);

/* For struct gllm_plan. */
unsigned gllm_vector_bytes(const struct gllm_context *c);
/* VECTOR_LENGTH if code for vectors of `bytes` (0: of any) would run wrong now. */
enum gllm_status gllm_check_vectors(const struct gllm_context *c, unsigned bytes, const char *name, struct gllm_error *e);

/* Workers that plans of this context count on. */
unsigned gllm_workers(const struct gllm_context *c);

/* Lets gllm_where find a kernel. */
void gllm_keep_range(struct gllm_context *c, uint32_t offset, uint32_t bytes, const char *name);

enum { GLLM_MAX_SLOTS = GLLM_TRACE_PARAMS + 1 }; /* of a step */
enum { GLLM_CODE_ALIGN = 64 }; /* of kernels, from the beginning of the executable memory or of a blob's code */

/* Compiles one trace: lower, schedule, pipeline (`stages`: jit/pipeline.h; 0 chosen), allocate, select,
 * copy, publish. `o`: what to read back and to list; NULL nothing. `arena` is scratch that outlives the call. */
enum gllm_status gllm_compile_trace(struct gllm_context *c, const struct gllm_composed *t, const char *name,
                                    unsigned stages, const struct gllm_plan_options *o, struct gllm_arena *arena,
                                    struct gllm_kernel *out, struct gllm_error *e);
#endif
