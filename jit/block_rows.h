/* SPDX-License-Identifier: MIT
 * jit/block_rows.h - row sides that are packed whole, before their group multiplies anything: products that read one value
 * share one pack of it. */
#ifndef GLLM_JIT_BLOCK_ROWS_H
#define GLLM_JIT_BLOCK_ROWS_H
#include "jit/fuse.h"

enum { GLLM_PACKED_ROWS = 8 }; /* values of a group of which it is known where they are packed */

struct gllm_packed_rows {
	struct { const struct gllm_composed *code; uint16_t scratch, node; } at[GLLM_PACKED_ROWS]; /* node: that packed it first */
	unsigned n;
	uint64_t bytes; /* of all, these and others */
};

/* The number of an equal pack, or n: `code` packs the same value into rows of the same pitch; where to does not count. */
unsigned gllm_packed_find(const struct gllm_packed_rows *p, const struct gllm_composed *code);

/* Says that `node` uses the pack of number `at`; `bytes` are not copied again. */
void gllm_packed_tell(const struct gllm_packed_rows *p, unsigned at, uint16_t node, uint64_t bytes, struct gllm_fusion *f);

/* Where one pack is all that reads the group's `rooted` value and it is no more than a copy, the norm stores the rows of
 * the pack itself: the value and its copying are gone (NormIntoGemm). Otherwise the group is left as it is (ComputeRoot).
 * Fails: OUT_OF_MEMORY. */
enum gllm_status gllm_packed_norm(struct gllm_group *g, struct gllm_arena *arena, struct gllm_fusion *f);
#endif
