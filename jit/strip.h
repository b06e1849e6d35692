/* SPDX-License-Identifier: MIT
 * jit/strip.h - writes a trace whose loops are strips of another trace's loops, out of that trace's nodes.
 *
 * In:    a composed trace without loaded indices, offsets affine in its loops with fixed coefficients; for each of its
 *        loops what its variable is in the new nest: a sum of coefficient times new loop.
 * Out:   a composed trace; its arrays lie in the arena. Parameters are the old ones that are still touched, and new ones.
 * What the writer of a nest must keep: operands are written before their users, loops are opened and closed like brackets.
 * The first failure sticks in `status`; later calls do nothing. */
#ifndef GLLM_JIT_STRIP_H
#define GLLM_JIT_STRIP_H
#include "jit/compose.h"

enum { GLLM_STRIP_LOOPS = 3, GLLM_STRIP_PARTS = 3 };

struct gllm_affine { /* bytes from a parameter's address */
	int64_t base, loop[GLLM_STRIP_LOOPS]; /* per iteration of the old trace's loops */
	int64_t lane;                         /* if not 0: instead of that, along a part that is `lane` */
};

struct gllm_strip {
	const struct gllm_composed *from;
	struct gllm_composed *to;
	const struct gllm_affine *affine; /* per access of `from` */
	struct { int64_t coef; int8_t loop; bool lane; } sub[GLLM_STRIP_LOOPS][GLLM_STRIP_PARTS]; /* old variable; coef 0: unused */
	int64_t shift[GLLM_STRIP_LOOPS];  /* added to the old variables */
	gllm_ref *map;                    /* node of `from` -> node here, or GLLM_NO_NODE */
	uint8_t param[GLLM_TRACE_PARAMS]; /* parameter of `from` -> parameter here, or 0xff */
	int64_t pitch[GLLM_TRACE_PARAMS]; /* parameter of `from` -> bytes from row to row that each part says; 0: the trace says them */
	struct { int64_t bytes; uint8_t param; } paced[GLLM_TRACE_PARAMS + 1]; /* the same by parameter here, and the parameter that says */
	struct gllm_node *node;
	struct gllm_loop *loop;
	struct gllm_access *access;
	struct gllm_term *term;
	struct gllm_poly *poly;
	struct gllm_reduction *reduction;
	unsigned nnodes, nloops, naccesses, npolys, nterms, nreductions, nparams, max_nodes, max_accesses, max_polys, max_terms;
	int8_t open;                      /* innermost open loop, -1 none */
	uint32_t pitches;                 /* set of parameters that say pitches */
	enum gllm_status status;
};

/* Offsets of all accesses. False if one is not of the form that is required. */
bool gllm_strip_affine(const struct gllm_trace *t, struct gllm_affine *out);

void gllm_strip_begin(struct gllm_strip *s, const struct gllm_composed *from, const struct gllm_affine *affine,
                      struct gllm_arena *arena);
/* Multiples of `bytes` in offsets of `param`, which are written from here on, are by a number that each part says: traces that differ
 * in it are one. It must be more than all other steps reach together (struct gllm_lower_options). */
void gllm_strip_pace(struct gllm_strip *s, uint8_t param, int64_t bytes);
uint8_t gllm_strip_param(struct gllm_strip *s, const char *name, enum gllm_param_kind kind, enum gllm_type type,
                         struct gllm_source source);
/* Opens a loop inside the open one; a trip that depends on rows becomes a parameter. Returns its number. */
int8_t gllm_strip_open(struct gllm_strip *s, struct gllm_linear trip);
/* The same with a trip that is a parameter in any case, so that parts which differ in it have one kernel. */
int8_t gllm_strip_open_counted(struct gllm_strip *s, struct gllm_linear trip, uint8_t *param);
void gllm_strip_close(struct gllm_strip *s);

/* A load (value NO_NODE) or store at base + sum of coef * loop of a parameter of the new trace. */
gllm_ref gllm_strip_access(struct gllm_strip *s, uint8_t param, enum gllm_type type, const struct gllm_term *offset,
                           unsigned terms, gllm_ref value);
/* What load `of` reaches with `more` added to its offset: an access that no node makes. It must be among the last (lower.h). */
void gllm_strip_hint(struct gllm_strip *s, gllm_ref of, const struct gllm_term *more, unsigned terms);
/* The same at base + sum of coef * loop of a parameter of the new trace. */
void gllm_strip_hint_at(struct gllm_strip *s, uint8_t param, const struct gllm_term *offset, unsigned terms);
/* Node `old` in the open loop, its operands already written; CARRY's second operand by gllm_strip_finish. */
gllm_ref gllm_strip_node(struct gllm_strip *s, gllm_ref old);
/* Marks all that the marked nodes of `t` are computed from, up to those that `map` has already. */
void gllm_strip_need(const struct gllm_trace *t, uint8_t *needed, const gllm_ref *map);
/* The marked nodes in [first, end) of old loop `loop` (-2: of any) that are not written yet. */
void gllm_strip_write(struct gllm_strip *s, const uint8_t *needed, int loop, unsigned first, unsigned end);
/* A node of its own. */
gllm_ref gllm_strip_append(struct gllm_strip *s, struct gllm_node n);

enum gllm_status gllm_strip_finish(struct gllm_strip *s, enum gllm_pattern pattern);
#endif
