/* SPDX-License-Identifier: MIT
 * jit/memo.h - what fusing composed, for the graphs that a context fuses next.
 *
 * Graphs that differ in their greatest row count alone, as the plans of a model do, compose the same traces of the same ones. What is
 * kept is found by a hash of all it is a function of, and lies behind the lifted traces, in memory that nothing else uses until
 * another operator is lifted: then all of it goes, as it does at the beginning of a plan when little room is left. So what is found,
 * or kept, stays until the plan is made. */
#ifndef GLLM_JIT_MEMO_H
#define GLLM_JIT_MEMO_H
#include <stdbool.h>
#include "core/arena.h"
#include "gllm/status.h"

struct gllm_context;
struct gllm_composed;

struct gllm_composition {
	uint64_t key;                     /* 0: none */
	const struct gllm_composed *code; /* NULL: it cannot be, because of: */
	const char *why;                  /* static; NULL: `status` says it */
	enum gllm_status status;
};

enum { GLLM_MEMO_PLACES = 256 };

struct gllm_memo {
	struct gllm_arena arena;          /* base NULL: nothing is kept */
	uint64_t machine;                 /* whose limits compositions keep */
	unsigned n;
	struct gllm_composition place[GLLM_MEMO_PLACES]; /* from that which the key says on */
};

/* Before the first composition of a plan, all of whose operators are lifted. */
void gllm_memo_begin(struct gllm_context *c);
/* Before an operator is lifted. */
void gllm_memo_drop(struct gllm_memo *m);

/* NULL if nothing is kept of this key. */
const struct gllm_composition *gllm_memo_find(const struct gllm_memo *m, uint64_t key);
/* The arena for what will be kept; `other` if there is no room to keep more. */
struct gllm_arena *gllm_memo_room(struct gllm_memo *m, struct gllm_arena *other);
/* Nothing is done with what lies elsewhere than in the arena that gllm_memo_room returned for it. */
void gllm_memo_keep(struct gllm_memo *m, const struct gllm_arena *arena, struct gllm_composition made);
#endif
