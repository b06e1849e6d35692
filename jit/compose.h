/* SPDX-License-Identifier: MIT
 * jit/compose.h - traces made from traces: dims fixed, a batch loop put around, a map spliced behind the place where its
 * producer stores or before the place where its consumer loads, two products side by side. What is fused becomes one trace,
 * so lowering knows nothing of fusion.
 *
 * What must stay true: program order of each part is kept; a value goes from one part to the other in a register only if
 * the element read is exactly the one stored, which is decided by equality of polynomials. */
#ifndef GLLM_COMPOSE_H
#define GLLM_COMPOSE_H
#include "jit/lower.h"

/* A number that depends on the row count of a run: fixed + per_row * u; as a count, 0 if negative. u: the rows; with `block`,
 * the whole blocks of that many rows among them, or, with `rest`, the rows behind the last whole block. */
struct gllm_linear {
	int64_t fixed, per_row;
	uint32_t block;
	bool rest;
};
#define GLLM_ALL_ROWS ((struct gllm_linear){ .per_row = 1 })

/* In line: every run reads it for every slot of every step, and most are plain numbers. */
static inline uint64_t gllm_at_rows(const struct gllm_linear *l, uint64_t rows)
{
	int64_t v = l->fixed;
	if (l->per_row)
		v += l->per_row * (int64_t)(l->block == 0 ? rows : l->rest ? rows % l->block : rows / l->block);
	return v > 0 ? (uint64_t)v : 0;
}

/* What a parameter of a composed trace stands for. */
enum gllm_operand_source {
	GLLM_FROM_TENSOR,  /* `tensor`'s memory, `at` bytes from its beginning */
	GLLM_FROM_SCALAR,
	GLLM_FROM_ROWS,    /* the number `at` */
	GLLM_FROM_SCRATCH, /* memory of the group, shared by its parts: number `tensor`, `at` bytes from its beginning */
	GLLM_FROM_WORKER,  /* memory of the worker that runs the kernel, from `at` bytes on; nothing is kept between kernels */
};

struct gllm_source {
	uint8_t kind;     /* enum gllm_operand_source */
	uint16_t tensor;
	uint16_t lanes;   /* of a tensor that is packed (gllm/pack.h): columns of a panel; 0: none */
	float scalar;
	struct gllm_linear at;
};

struct gllm_composed {
	struct gllm_trace trace;
	struct gllm_param param[GLLM_TRACE_PARAMS];
	struct gllm_source source[GLLM_TRACE_PARAMS];
	struct gllm_table table[GLLM_TRACE_TABLES];
	unsigned depth; /* traces spliced into the first */
	struct gllm_lower_options how;
};

/* How one operator's trace is applied by a graph node. */
struct gllm_applied {
	const struct gllm_trace *trace;
	struct gllm_source source[GLLM_TRACE_PARAMS]; /* of pointers and scalars; a DIM is FROM_ROWS or in `dim` */
	int64_t dim[GLLM_TRACE_PARAMS];               /* value of a DIM that is not FROM_ROWS */
	int64_t batch;                                /* trip of the loop put around: 1 none, -1 the symbolic rows */
	uint64_t stride[GLLM_TRACE_PARAMS];           /* bytes a pointer advances per batch step */
};

enum { GLLM_COMPOSE_ROOM = 128 << 10 }; /* bytes of an arena that writing a trace may take for a while */

/* Writes `a` as a trace of its own into `out`; arrays come from `arena`.
 * Fails: OUT_OF_MEMORY, COMPILE_ERROR (a limit of the trace format). */
enum gllm_status gllm_compose_one(const struct gllm_applied *a, struct gllm_arena *arena, struct gllm_composed *out);

/* The next three write one trace that does the work of two, each for some way in which one reads what the other stores.
 * `keep`, by tensor: the value has other readers or leaves the graph, so its store stays. *why is static text when the two
 * do not fit (GLLM_UNSUPPORTED); nothing is lost then. All expect that neither needs the other by another way. */

/* The map `consumer` goes where `producer` stores what it reads, behind the last of those stores; a map of one loop over all elements
 * may follow what stores them by rows and columns. */
enum gllm_status gllm_compose_splice(const struct gllm_composed *producer, const struct gllm_composed *consumer,
                                     const bool *keep, struct gllm_arena *arena, struct gllm_composed *out,
                                     const char **why);

/* The map `producer` goes where `consumer` first loads what it stores. What is loaded again by a later loop is stored at
 * that place and reread. */
enum gllm_status gllm_compose_prepend(const struct gllm_composed *producer, const struct gllm_composed *consumer,
                                      const bool *keep, struct gllm_arena *arena, struct gllm_composed *out,
                                      const char **why);

/* Two chains of equal loops that read nothing of each other run as one: products of one operand share its loads. */
enum gllm_status gllm_compose_join(const struct gllm_composed *a, const struct gllm_composed *b,
                                   struct gllm_arena *arena, struct gllm_composed *out, const char **why);

/* `first` for a tile of `tile` rows at a time, its value `tensor` in memory of the worker, and then each of `then`, which
 * read it, for the same rows. All have one loop over the same rows around everything; only whole tiles are
 * done, and `tile` must divide a fixed number of rows. */
enum gllm_status gllm_compose_rows(const struct gllm_composed *first, const struct gllm_composed *const *then, unsigned n,
                                   uint16_t tensor, uint64_t tile, struct gllm_arena *arena, struct gllm_composed *out,
                                   const char **why);
/* NULL if one loop, number 0, is around all that is done, its iterations apart; else what is otherwise. */
const char *gllm_no_row_loop(const struct gllm_trace *t);
/* Bytes by which the places that parameter `param` reaches move with each row; false if they do so in no even way. */
bool gllm_row_stride(const struct gllm_composed *c, unsigned param, int64_t *bytes);
#endif
