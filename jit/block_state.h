/* SPDX-License-Identifier: MIT
 * jit/block_state.h - what the files of blocking share: block.c chooses the way of a product, block_parts.c lists its parts,
 * block_kernel.c writes their traces, block_hints.c what they fetch ahead.
 *
 * Words: the *lane side* is the one whose values are vectors (packed as panels), the *row side* the one whose values are
 * broadcast. Loop numbers 0, 1, 2 are i, j, k of the old trace. */
#ifndef GLLM_JIT_BLOCK_STATE_H
#define GLLM_JIT_BLOCK_STATE_H
#include "jit/block.h"
#include "jit/block_rows.h"
#include "jit/block_sizes.h"
#include "jit/block_stage.h"

/* A composed trace of the new nest, and how far its parameters move per step of the old loops and of the panels. */
struct kernel {
	const struct gllm_composed *c;
	uint8_t from[GLLM_TRACE_PARAMS]; /* parameter of the product, plus one; 0: none of its */
	uint8_t count;            /* the parameter that is the number of panels, by part; NO_NUMBER: the trace says it */
	uint8_t rows, depth;      /* the same for rows and steps of k */
	uint8_t begun;            /* the parameter whose bits are the steps of k of the sums to add to, by part; NO_NUMBER: the trace says */
	struct { uint8_t at, pitch, row, columns; } next[MAX_SUMS]; /* parameters, by part: where the next block begins; the bytes from
	                                                             * column to column there; those for each row of a tile, which goes
	                                                             * on by so many columns */
	unsigned nnext;
	int64_t move[GLLM_TRACE_PARAMS][4];
};
enum { NO_NUMBER = 0xff };
enum { GLLM_BLOCK_MOST = INT32_MAX / 4 }; /* steps of floats in a row that lowering can count */
enum { PANEL = 3 }; /* fourth column of move: lanes from the beginning of the block of j */

struct at { /* where a part begins */
	struct gllm_linear i;
	int64_t j, k, lane;
};

struct made;
struct blocker {
	const struct gllm_tuning *tuning;
	const struct gllm_profile *profile;
	const struct gllm_graph *g;
	unsigned workers, tiles;            /* VTILE of these (core/vir.h) */
	struct gllm_arena *arena;
	struct gllm_fusion *f;
	struct gllm_part *part;
	const struct gllm_part *old;        /* that is being replaced */
	unsigned nparts, max_parts, group;
	struct gllm_repeat *repeat;
	unsigned nrepeats, max_repeats, open; /* repeats around the next part: */
	struct at step[GLLM_REPEAT_LEVELS];   /* how far a trip moves it */
	uint16_t pool[3 * MAX_SUMS];        /* scratch of this group, used by one product after another */
	unsigned npool, used;
	struct gllm_packed_rows packed;     /* scratch of this group that later products may read */
	uint64_t limit;                     /* bytes of scratch of a group; 0: none */
	/* of the product at hand */
	const struct product *p;
	int64_t lanes;                      /* of the panels that the kernel at hand reads */
	struct made *made;
	enum gllm_block_way way;            /* that they were made for, with sums that wait apart or not */
	const struct gllm_part *last;       /* the part of this group that was the product before */
	bool alike;                         /* it differs from this one in its tensors alone: their kernels are the same */
	struct gllm_blocking b;
	uint8_t unroll, fetch;
	int64_t spread;                     /* STREAM: steps of k between those of a block; 0: they are next to each other */
	int64_t row_pitch;                  /* bytes of a packed row of the row side; 0: read where it lies */
	bool tile;                          /* words are packed in pairs, for products of tiles: block_kernel.c */
	unsigned steps;                     /* TURNED: of k, side by side in the lanes of each row; their sums are joined before what follows */
	bool by_tile;                       /* the first tile of rows reads the lane side where it lies and packs it for the others */
	bool ahead;                         /* blocks fetch what the next reads: block_sizes.h */
	bool idle;                          /* or one line of it again and again, which costs nothing: any number of rows has one kernel */
	bool whole;                         /* packed rows hold all of k; else one block of it at a time */
	bool any_depth;                     /* and parts say how many steps of k they take, multiples of: */
	int64_t deep_unit;
	bool apart;                         /* sums wait in scratch, one after another, for a kernel of what follows them */
	bool later;                         /* or where the results will be, block by block, for a long map */
	bool plain;                         /* unless nothing does: then they are the result */
	const struct kernel *pack[MAX_SUMS];/* the kernels of whole rows, by row side; NULL: packed already */
	int64_t panel_pitch;                /* one step of k more than a panel has: panels do not fall into the same sets */
	unsigned wide;                      /* columns of a panel of what follows sums that wait apart */
	int64_t sum_pitch;                  /* of a row of partial sums; rows do not fall into the same sets of a cache */
	unsigned columns;                   /* of a block at most, of products whose sums wait apart; 0: any number */
	uint16_t panel[MAX_SUMS], rows[MAX_SUMS], partial[MAX_SUMS]; /* scratch */
	unsigned npanels, nrows;
	gllm_ref panel_of[MAX_SUMS], rows_of[MAX_SUMS]; /* the values that are packed */
	enum gllm_status status;
};

enum kind { PACK_PANELS, PACK_ROWS, FILL_ROWS, MACRO, JOIN, BEHIND };

struct macro { /* one product part */
	struct gllm_linear panels, rows;
	int64_t lanes, depth;
	int64_t wide, deep;       /* STREAM: blocks of nc columns, and of kc within each; TURNED: tiles, and panels that each passes; 0: no such loop */
	bool first, last;         /* block of k */
	bool packs;               /* it reads the lane side where it lies, and stores the panels */
	bool either;              /* it may be the first one or not: the part says */
	unsigned sum, end;        /* the sums that it takes */
	enum gllm_block_way way;
};

static inline struct gllm_linear gllm_block_fixed(int64_t n)
{
	return (struct gllm_linear){ .fixed = n };
}

/* NULL and x->status if there is no room. The second: zeroed. */
void *gllm_block_room(struct blocker *x, size_t n, size_t size);
void *gllm_block_take(struct blocker *x, size_t n, size_t size);
/* The kernel of one part, each made once: NULL and x->status if it could not be. Packing reads of `m` what it needs. */
const struct kernel *gllm_block_kernel(struct blocker *x, enum kind kind, unsigned which, struct macro m);
#endif
