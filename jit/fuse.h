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

struct gllm_group {
	uint16_t node[GLLM_GROUP_DEPTH + 1];
	unsigned n;
	enum gllm_mode mode;
	struct gllm_composed *composed; /* NULL in a scalar plan */
	uint64_t bytes_saved;
};

struct gllm_note {
	uint16_t producer, consumer; /* nodes */
	uint16_t tensor;
	bool accepted;
	const char *why;             /* static */
};

struct gllm_fusion {
	struct gllm_group *group;  /* in an order that can run */
	unsigned ngroups;
	uint16_t *group_of;        /* by node */
	struct gllm_note *note;
	unsigned nnotes, max_notes;
};

/* Everything is allocated from `arena`. With `fuse` false groups are single nodes; with `scalar` they have no trace. */
enum gllm_status gllm_fuse(struct gllm_context *c, const struct gllm_graph *g, bool fuse, bool scalar,
                           struct gllm_arena *arena, struct gllm_fusion *out, struct gllm_error *e);
#endif
