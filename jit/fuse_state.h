/* SPDX-License-Identifier: MIT
 * jit/fuse_state.h - what the steps of fusion share.
 *
 *   fuse.c         the driver: nodes to units, the two tables of rules, order, notes
 *   fuse_traces.c  rules that make one trace of two
 *   fuse_groups.c  rules that gather units into groups, and the groups' parts */
#ifndef GLLM_JIT_FUSE_STATE_H
#define GLLM_JIT_FUSE_STATE_H
#include "jit/fuse.h"

struct unit { /* nodes that are one trace; its number is that of its anchor, the node whose class it has */
	const struct gllm_composed *code; /* NULL: joined to another */
	uint64_t key;                /* of what it is made of (memo.h) */
	uint8_t mode;
	uint16_t group;              /* a unit of it; in the second step */
	uint64_t chain_bytes;        /* of all values its nodes compute in one step of their outermost loop */
	uint64_t saved;
	uint16_t norm;               /* of a group's name: the unit that its products read, or GLLM_NO_PRODUCER */
	uint64_t tile;               /* of a group's name: rows of a tile, 0: no TileLevelFusion */
};

struct fuser {
	struct gllm_context *c;
	const struct gllm_graph *g;
	struct gllm_arena *arena;
	struct gllm_fusion *f;
	struct gllm_dag *dag;
	struct unit *unit;           /* by anchor */
	uint16_t *unit_of;           /* by node */
	bool *keep;                  /* by tensor: workspace of compositions */
	bool common;                 /* rows are a number of the run, if it is one alone, too */
	bool *reached;               /* by unit: workspace of gllm_fuse_circular */
	enum gllm_status status;     /* OUT_OF_MEMORY: something was refused for want of it */
	struct gllm_error *e;
};

/* A rule of the first step: `other` is offered to `anchor`, both units. */
struct offer {
	uint16_t anchor, other;      /* units; the result is a unit `anchor` */
	uint16_t third;              /* another unit, or GLLM_NO_PRODUCER */
	uint16_t tensor;             /* that flows between them */
	uint16_t reader;             /* node, for the note */
	uint64_t bytes;              /* saved */
};

struct rule {
	uint8_t anchor, other;       /* sets of classes */
	enum { READS_ANCHOR, READ_BY_ANCHOR, MEETS } relation;
	const char *(*refuses)(struct fuser *x, struct offer *o);   /* what can be told without composing */
	enum gllm_status (*compose)(struct fuser *x, const struct offer *o, struct gllm_arena *arena, struct gllm_composed *out,
	                            const char **why);
	enum gllm_mode mode;
	const char *why;             /* it was done */
};

void gllm_fuse_note(struct fuser *x, const struct offer *o, bool accepted, const char *why);
/* Whether some other unit (second step: group) needs one of these and is needed by one of them. */
bool gllm_fuse_circular(struct fuser *x, uint16_t a, uint16_t b, uint16_t c, bool groups);
/* Whether unit `b` reads a value of unit `a`. */
bool gllm_fuse_reads(const struct fuser *x, uint16_t a, uint16_t b);

/* fuse_traces.c */
void gllm_fuse_traces(struct fuser *x);
/* fuse_groups.c */
void gllm_fuse_groups(struct fuser *x);
enum gllm_status gllm_fuse_parts(struct fuser *x, unsigned group); /* when groups are in order */
#endif
