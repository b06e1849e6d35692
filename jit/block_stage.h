/* SPDX-License-Identifier: MIT
 * jit/block_stage.h - a product whose sums wait in the worker's memory for what follows them.
 *
 * Tiles of few rows are few columns wide, and where sums run over k in the lanes, what follows a tile has no more lanes in
 * use than that. A map of many operations, or products side by side, which would share the tile's registers, are better
 * apart from the sums:
 *   for panels of columns:
 *     for each sum: for tiles of columns, for rows, for k, stored to the worker's memory;
 *     for rows, for columns: what follows, in whole vectors.
 * Tiles of many rows leave a long map few registers, and it would be written for each of their vectors: for tiles of rows, all of that,
 * with the rows of a tile. */
#ifndef GLLM_JIT_BLOCK_STAGE_H
#define GLLM_JIT_BLOCK_STAGE_H
#include "jit/block_form.h"

struct gllm_stage {
	int64_t tiles;        /* of `rows` each, outside all else, which may be shared; 0: there are no other rows */
	struct gllm_linear panels, rows;
	uint64_t most;        /* of rows */
	int64_t width, tile;  /* columns of a panel, and of them together; panels no multiple of a tile are one run */
	uint8_t memory;       /* filled in: the parameter that is the worker's memory */
	uint8_t count;        /* and the one that is the number of panels */
};

/* Whether what follows one sum is a long map. */
bool gllm_stage_maps(const struct product *p);
/* Whether what follows the sums is better done apart from them. */
bool gllm_stage_pays(const struct product *p);
/* Columns of a panel, of `n` in all: whole tiles and whole vectors. */
int64_t gllm_stage_width(int64_t tile, int64_t lanes, int64_t n);
/* Writes the nest into `s`, which has just begun; `needed` is workspace, by node, zeroed. Returns the worker's bytes. */
uint64_t gllm_stage_write(struct gllm_strip *s, const struct product *p, struct gllm_stage *g, uint8_t *needed);
#endif
