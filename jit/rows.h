/* SPDX-License-Identifier: MIT
 * jit/rows.h - a pass over the parts of groups: a value that one kernel stores and reads again, row by row, and that nothing
 * else needs, lies in memory of the worker that is as long as one row.
 *
 * Taken are values of which an iteration of the loop over the rows, which is around everything, reaches its own row only:
 * what it reads it has then written before. They leave the workspace, and neither memory nor outer caches see them. Values
 * that are no larger than half of the L2 cache stay where they are: rows of their own may be computed several at a time.
 *
 * An output that a kernel stores, reads again and stores once more, as softmax does, can so be written once: past.h. */
#ifndef GLLM_JIT_ROWS_H
#define GLLM_JIT_ROWS_H
#include "gllm/profile.h"
#include "jit/fuse.h"

/* What is written lies in `arena`. Fails: OUT_OF_MEMORY. */
enum gllm_status gllm_keep_rows(const struct gllm_profile *p, const struct gllm_graph *g, struct gllm_fusion *f,
                                struct gllm_arena *arena);

/* Whether what the worker keeps for a row is accessed by one pass over it, or two right after one another, element by element: then
 * the next row's may take its place as soon as the later pass has gone over it. */
bool gllm_passes_share_places(const struct gllm_composed *c);

/* What a part stores to output `param` but for its last store, and reads of it, goes to a row in the worker's memory, if the last
 * store writes the same elements again, row by row; else the part stays as it is. Fails: OUT_OF_MEMORY. */
enum gllm_status gllm_row_apart(const struct gllm_profile *p, struct gllm_part *part, unsigned param, struct gllm_fusion *f,
                                struct gllm_arena *arena);
#endif
