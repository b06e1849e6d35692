/* SPDX-License-Identifier: MIT
 * jit/compose_build.h - a trace under construction, for the files that compose traces (jit/compose*.c) only.
 *
 * A builder keeps its first failure and goes quiet. Its arrays lie at the end of the arena it was begun with, at their
 * greatest size; gllm_build_finish moves them together, so nothing else may be allocated from that arena meanwhile. */
#ifndef GLLM_JIT_COMPOSE_BUILD_H
#define GLLM_JIT_COMPOSE_BUILD_H
#include "jit/compose.h"

enum { GLLM_BUILD_NODES = 2048 };

struct builder {
	struct gllm_composed *out;
	struct gllm_arena *arena;
	size_t begin;         /* of the arrays in the arena */
	struct gllm_node *node;
	struct gllm_loop *loop;
	struct gllm_access *access;
	struct gllm_poly *poly;
	struct gllm_term *term;
	struct gllm_reduction *reduction;
	unsigned nnodes, nloops, naccesses, npolys, nterms, nreductions, nparams, ntables;
	gllm_ref *map[2];     /* nodes of up to two traces being imported -> node here */
	enum gllm_status status;
};

/* How one trace's symbols read in the trace under construction. */
struct mapping {
	const struct gllm_trace *from;
	gllm_ref *node;                     /* builder's map */
	uint8_t param[GLLM_TRACE_PARAMS];
	bool fixed[GLLM_TRACE_PARAMS];      /* a DIM with the value `value` */
	int64_t value[GLLM_TRACE_PARAMS];
	int8_t loop[GLLM_TRACE_LOOPS];      /* -1: removed, its variable is 0 */
	int batch_loop;                     /* loop whose variable times stride is added to offsets; -1 none */
	const uint64_t *stride;
	int tiled;                          /* loop that reads as itself + tile * tile_loop; -1 none */
	int8_t tile_loop;
	int64_t tile;
	uint32_t untiled;                   /* parameters whose offsets ignore the tile: memory of one tile */
};

void gllm_build_begin(struct builder *b, struct gllm_arena *arena, struct gllm_composed *out);
void gllm_build_fail(struct builder *b, enum gllm_status s);
enum gllm_status gllm_build_finish(struct builder *b, const char *name, unsigned depth, enum gllm_pattern pattern);
/* A mapping of `from` whose nodes are numbered by map `which` of the builder. */
struct mapping gllm_build_mapping(struct builder *b, const struct gllm_trace *from, unsigned which);

/* The parameter that stands for `source`, added if there is none yet. Equal scalars and tensors share one. */
uint8_t gllm_build_param(struct builder *b, const struct gllm_param *p, const struct gllm_source *source);
/* All parameters of `from` but those in `except`. */
void gllm_build_params(struct builder *b, struct mapping *m, const struct gllm_composed *from, uint32_t except);

void gllm_build_term(struct builder *b, struct gllm_poly *p, struct gllm_term t);
struct gllm_poly gllm_build_poly(struct builder *b, const struct mapping *m, struct gllm_poly p);
/* Whether two polynomials of two traces are one in the trace under construction. */
bool gllm_build_same(struct builder *b, const struct mapping *m, struct gllm_poly p, const struct mapping *n, struct gllm_poly q);

/* Every loop of m->from, in its order; the ranges are set while its nodes are added. */
void gllm_build_loops(struct builder *b, struct mapping *m);
/* Sets the ends and beginnings of loops that stand before node `at` of m->from. */
void gllm_build_bounds(struct builder *b, const struct mapping *m, unsigned at);
/* Node `index` of m->from, its operands mapped, put into loop `loop`. The `b` of a CARRY is mapped by gllm_build_close. */
gllm_ref gllm_build_node(struct builder *b, struct mapping *m, unsigned index, int8_t loop);
/* The same where two traces meet: F32 that one rounds to half precision and the other widens again stays what it was. */
void gllm_build_value(struct builder *b, struct mapping *m, unsigned index, int8_t loop);
/* When all nodes are there: carries and reductions. */
void gllm_build_close(struct builder *b, const struct mapping *m);

/* A loop-independent pure node: stands outside all loops, as the canonical form wants. */
bool gllm_build_constant(const struct gllm_node *n);
void gllm_build_constants(struct builder *b, struct mapping *m);

/* A chain: each loop holds the next one. A map: a chain without carries whose stores all stand in the innermost loop. */
bool gllm_is_chain(const struct gllm_trace *t);
bool gllm_is_map(const struct gllm_trace *t);
/* The parameter that is `tensor`; nparams if there is none. */
unsigned gllm_param_of(const struct gllm_composed *c, uint16_t tensor);
/* The one node that stores to `param`; GLLM_NO_NODE if several do or something reads it back. */
gllm_ref gllm_only_store(const struct gllm_trace *t, unsigned param);
/* Whether the loops of n->from around and with `loop` are as many as those of m->from, a chain, and as long: then m->loop
 * names them, in the trace under construction; else *why says what differs. */
bool gllm_match_loops(struct builder *b, struct mapping *m, const struct mapping *n, int8_t loop, const char **why);
#endif
