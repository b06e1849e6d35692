/* SPDX-License-Identifier: MIT
 * jit/fuse.h - which nodes of a graph become one kernel.
 *
 * Every node begins as a group of its own. In graph order each node that is a map is offered to the groups that produce
 * its operands, latest first; it joins the first whose trace it can be spliced into. What must stay true afterwards:
 * every node is in exactly one group, a value with another reader is never lost, groups have an order in which every
 * operand exists before it is read. Each decision leaves a note, accepted or not. */
#ifndef GLLM_FUSE_H
#define GLLM_FUSE_H
#include "jit/compose.h"
#include "jit/graph.h"

enum { GLLM_GROUP_DEPTH = 16 }; /* maps spliced into one anchor */

/* One kernel call of a group. The parts of a group run in order, each a step of the plan and a barrier. */
struct gllm_part {
	const struct gllm_composed *code;             /* parts with one `code` share its compiled bytes */
	struct gllm_source source[GLLM_TRACE_PARAMS]; /* of this call, in place of code->source; of the same kinds */
	bool beside;                                  /* needs nothing of the part before it: no barrier between the two */
};

struct gllm_group {
	uint16_t node[GLLM_GROUP_DEPTH + 1];
	unsigned n;
	enum gllm_mode mode;
	struct gllm_composed *composed; /* NULL in a scalar plan */
	struct gllm_part *part;         /* set when all groups are settled; none in a scalar plan */
	unsigned nparts;
	uint64_t bytes_saved;
};

struct gllm_note {
	uint16_t producer, consumer; /* nodes */
	uint16_t tensor;
	bool accepted;
	const char *why;             /* static */
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
};

/* Everything is allocated from `arena`. With `fuse` false groups are single nodes; with `scalar` they have no trace. */
enum gllm_status gllm_fuse(struct gllm_context *c, const struct gllm_graph *g, bool fuse, bool scalar,
                           struct gllm_arena *arena, struct gllm_fusion *out, struct gllm_error *e);
#endif
