/* SPDX-License-Identifier: MIT
 * jit/block_sizes.h - which way a product of matrices is computed, and in which sizes.
 *
 * GLLM_BLOCK_NOT      as it is
 * GLLM_BLOCK_DIRECT   as it is, tiles of rows sharing what they load: the lane side lies well and is small
 * GLLM_BLOCK_PACKED   five loops around packed panels
 * GLLM_BLOCK_DOTS     few rows, both sides lie along k: sums run over k in the lanes, so the lane side is read once
 * GLLM_BLOCK_STAGED   the same with the sums apart from what follows them (block_stage.h)
 * GLLM_BLOCK_STREAM   few rows, the lane side lies along the lanes: it is read once, many rows of it side by side, and
 *                     partial sums wait in the nearest cache; or all of few of its rows, and partial sums pass by
 * GLLM_BLOCK_TURNED   few rows, which fill the lanes of some vectors: they are packed as panels, and the other side, which lies
 *                     along k, is broadcast where it lies, from end to end; sums wait with rows along the lanes */
#ifndef GLLM_JIT_BLOCK_SIZES_H
#define GLLM_JIT_BLOCK_SIZES_H
#include "gllm/graph.h"
#include "jit/block_form.h"

enum gllm_block_way { GLLM_BLOCK_NOT, GLLM_BLOCK_DIRECT, GLLM_BLOCK_PACKED, GLLM_BLOCK_DOTS, GLLM_BLOCK_STAGED,
                      GLLM_BLOCK_STREAM, GLLM_BLOCK_TURNED };

struct gllm_block_choice {
	enum gllm_block_way way, other; /* the other: if the first would take too much scratch */
	uint8_t fetch;                  /* steps of k by which panels are fetched ahead */
};

struct gllm_block_choice gllm_block_choose(const struct gllm_profile *p, const struct gllm_tuning *t, const struct product *q);
/* The sizes for one of the ways; those that it does not use are what they are. */
struct gllm_blocking gllm_block_sizes(const struct gllm_profile *p, const struct gllm_tuning *t, const struct product *q,
                                      unsigned workers, enum gllm_block_way way, bool apart);
/* Rows of a tile of the direct way, at most `mr`: workers share whole tiles, and who has one more keeps the others waiting (256^3, two
 * workers: 14 rows 5 % over 13). */
unsigned gllm_block_direct_rows(const struct product *q, unsigned workers, unsigned mr);
/* Steps of k in the innermost body, of a whole tile; 0: lowering chooses. */
uint8_t gllm_block_unroll(const struct gllm_profile *p, const struct gllm_tuning *t, const struct product *q,
                          const struct gllm_blocking *b, enum gllm_block_way way, bool apart);

/* Of streams: whether blocks have rows of the lane side that lie evenly far apart; */
bool gllm_block_spread(const struct gllm_profile *p, const struct gllm_tuning *t, const struct product *q, unsigned workers);
/* then panels by which rows are fetched ahead: they stay in L1 until they are read. */
/* Of rows that fill half of a long vector: steps of k side by side in it; else 1. */
unsigned gllm_turned_steps(const struct gllm_profile *p, const struct product *q);
unsigned gllm_spread_fetch(const struct gllm_profile *p, const struct gllm_blocking *b);

/* Whether the sums of a product wait for what follows them: packed, k has several blocks, each of which adds to them, so that what
 * follows is as well done where they lie by then; dot products, the lane side comes from memory, beside which the few sums are nothing.
 * Then products have one kernel, whatever follows them and however many stand side by side. */
bool gllm_block_apart(const struct gllm_profile *p, const struct gllm_tuning *t, const struct product *q, enum gllm_block_way way);

/* Columns of a panel of what follows such sums. */
unsigned gllm_block_wide(const struct gllm_profile *p, const struct gllm_tuning *t, const struct product *q);

/* The most columns of a block of so many steps of k, on this machine: of all products that have more. */
unsigned gllm_block_columns(const struct gllm_profile *p, const struct product *q, const struct gllm_blocking *b, unsigned workers);

/* Whether the sums of packed blocks wait where their results will be, for a long map of a block. */
bool gllm_block_later(const struct gllm_profile *p, const struct product *q, const struct gllm_blocking *b, unsigned workers);

/* Whether each block, while it is multiplied, fetches what the next is packed from, or otherwise reads; */
bool gllm_block_ahead(const struct gllm_profile *p, const struct gllm_tuning *t, const struct product *q, enum gllm_block_way way);
/* of packed ones, whether rows are so few that this pays: their blocks are narrow, so that both stay in L2. */
bool gllm_block_narrow(const struct product *q);

/* Whether rows that are read where they lie come from beyond L2 for each block of columns: those of a block of k are more than it holds,
 * and known: any number of rows has one kernel. */
bool gllm_block_rows_afar(const struct gllm_profile *p, const struct product *q, const struct gllm_blocking *b);

/* Whether `value` lies in memory along the lanes: then whole lines of many panels are read one after another. */
bool gllm_along_lanes(const struct product *q, gllm_ref value);

/* Whether a packed product has panels of the lane side packed by the first tile of rows, which reads that side where it lies. */
bool gllm_block_by_tile(const struct gllm_profile *p, const struct gllm_tuning *t, const struct product *q);

static inline int64_t gllm_ceil_div(int64_t a, int64_t b)
{
	return (a + b - 1) / b;
}
#endif
