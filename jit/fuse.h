/* SPDX-License-Identifier: MIT
 * jit/fuse.h - which nodes of a graph become one kernel, and which kernels one group.
 *
 * Two steps, each a table of rules (fuse.c). First traces are fused with traces (compose.h): every node begins as a unit of
 * its own; maps go behind what they read or before the reduction that reads them, two products of one input go side by side
 * under the map in which they meet. Then units become groups: products that share an input, and the norm that feeds them.
 * A group ends as parts, kernel calls in order.
 *
 * What must stay true: every node is in exactly one group, a value with another reader is never lost, groups have an order
 * in which every operand exists before it is read. Each decision leaves a note, accepted or not; a candidate that breaks a
 * limit (cost.h) is refused, which leaves the group one step smaller and its nodes in groups of their own. */
#ifndef GLLM_FUSE_H
#define GLLM_FUSE_H
#include "jit/compose.h"
#include "jit/dag.h"
#include "jit/graph.h"

enum { GLLM_PACK_ROWS = 32 }; /* products of more rows are blocked */
enum { GLLM_REPEAT_LEVELS = 3 };

/* One kernel call of a group. The parts of a group run in order, each a step of the plan and a barrier. */
struct gllm_part {
	const struct gllm_composed *code;             /* parts with one `code` share its compiled bytes */
	struct gllm_source *source;                   /* of this call, code->trace.nparams of them, of the kinds of code->source */
	const uint16_t *node;                         /* whose work this is, in graph order */
	unsigned n;
	enum gllm_mode mode;
	bool chunks;                                  /* leaves partial results of chunks of one reduction (chunks.h) */
	bool beside;                                  /* needs nothing of the part before it: no barrier between the two */
	const int64_t (*move)[GLLM_REPEAT_LEVELS];    /* by operand: added to it per trip of the repeats around it; NULL: none */
};

/* Parts [first, end), steps in a plan, run `trips` times in turn. Those of level 0 lie apart, those of a level above apart
 * inside one of the level below; they stand in the order in which they begin, outer ones first. What stands first in one,
 * or right behind one, is beside nothing. */
struct gllm_repeat {
	uint32_t first, end, level;
	struct gllm_linear trips;
};

struct gllm_group {
	const uint16_t *node;      /* in graph order */
	unsigned n;
	enum gllm_mode mode;       /* of its products, else of the whole */
	struct gllm_part *part;    /* none in a scalar plan */
	unsigned nparts;
	struct gllm_repeat *repeat;
	unsigned nrepeats;
	uint64_t bytes_saved;
	uint16_t rooted;           /* the value of a norm done for all rows before the products, in part 0, that nothing outside of
	                            * the group reads; GLLM_NO_TENSOR: there is none */
};

struct gllm_note {
	uint16_t producer, consumer; /* nodes */
	uint16_t tensor;
	bool accepted;
	const char *why;             /* static */
	uint64_t bytes;              /* of memory traffic that it saves, or would have saved, at the greatest row count */
};

struct gllm_scratch { /* memory that lives as long as its group runs: GLLM_FROM_SCRATCH */
	uint16_t group;
	uint64_t bytes;
};

struct gllm_fusion {
	struct gllm_group *group;  /* in an order that can run */
	unsigned ngroups;
	uint16_t *group_of;        /* by node */
	struct gllm_note *note;
	unsigned nnotes, max_notes;
	struct gllm_scratch *scratch;
	unsigned nscratch;
	uint64_t worker_bytes;     /* of GLLM_FROM_WORKER memory that any part needs */
	struct gllm_dag dag;       /* not in a scalar plan */
};

/* Everything is allocated from `arena`. With `fuse` false groups are single nodes; with `scalar` they have no trace. */
enum gllm_status gllm_fuse(struct gllm_context *c, const struct gllm_graph *g, bool fuse, bool scalar,
                           struct gllm_arena *arena, struct gllm_fusion *out, struct gllm_error *e);

/* One more piece of scratch of the group, whose number is its place in `scratch`. Fails: OUT_OF_MEMORY. */
enum gllm_status gllm_fusion_scratch(struct gllm_fusion *f, unsigned group, uint64_t bytes, struct gllm_arena *arena,
                                     uint16_t *number);
#endif
