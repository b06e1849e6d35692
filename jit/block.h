/* SPDX-License-Identifier: MIT
 * jit/block.h - large products of matrices become packed and blocked: a pass over the parts of groups.
 *
 * A part is taken if its trace is parallel loops i, j around one or several sums of products over k, each of a value that
 * varies along i with one that varies along j; what the values are (an element, a converted one, an expression) does not
 * matter, nor what follows the sums. It becomes, in the order of the five loops of BLIS:
 *   for blocks of j, of k:      repeats (fuse.h) around the parts of one block; a rest of j has parts of its own, and the last
 *                               block of k. A block is
 *     panels [j / NR][k][NR] of one side, each value stored once, in vectors along the register tile;
 *     rows [i][k] of the other side, unless they already lie well: all of them once for all products of the group that read
 *     them, before the blocks (block_rows.h); a block's, where scratch is short;
 *     the product, repeated for blocks of rows: panels p (shared by the workers), rows s, the tile's columns v, k.
 * Where k is one block, what follows the sums is done where they are. Where it is several, sums wait in scratch between them, one
 * product after another, and what follows them is a kernel of its own behind the last: all such products have one kernel. Sums that
 * do not begin with zero are kept where the result goes, and what follows them is done in the last block.
 * Where the machine multiplies two rows and columns of words (jit/dot.h) at once, words are packed in pairs: panels
 * [j / NR][k / 2][NR][2], and a block's rows [k / 2][i][2], anew for each block of rows, before its product.
 * Known rows by a lane side that lies along the lanes, few or by one block of k: the first tile of rows reads it where it lies and stores the
 * panels, beside its products, for the tiles behind it, which fetch what the next block's first tiles read; no part packs it.
 * A side that the caller has packed (gllm/pack.h) is read as it lies, or, if its elements are narrow and rows are many, widened
 * into panels of a block; such products are never left as they are. While the tiles of one of its panels pass, the next is fetched.
 * Few rows by a side that lies along the lanes: that side is read where it lies, once (jit/block_sizes.h).
 * Where packing does not pay and a long map follows, a tile of rows leaves its sums to a loop behind it (jit/block_stage.h).
 * Rows that are few, known and fill vectors, by a side from memory that lies along k: the rows are packed as one or some panels instead, that
 * side is broadcast where it lies, a tile by all panels, and the sums, which wait with rows along the lanes, are turned by what follows them.
 * Rows that fill half of a long vector have two steps of k side by side in it, [k / 2][i][2], which are broadcast as one: then rows of that side
 * lie far apart in a tile, as streams that go on in the next, and a kernel of its own adds the two sums of each row.
 * Few rows of operands that lie along k are not packed either: all rows for a few columns at a time. Products side by side
 * share the register tile by columns, or their sums are taken one after another (jit/block_stage.h). Where one side comes from memory,
 * their sums wait in scratch as well, those of one row, too, so that all of them have one kernel, and k is cut into blocks of which a tile's
 * rows stay in L1. What follows has the kernels of packed products.
 * Everything is a trace, so the lowering makes them vector code like any other; sizes come from gllm_blocking and
 * gllm_tuning. A part that does not gain stays as it is. */
#ifndef GLLM_JIT_BLOCK_H
#define GLLM_JIT_BLOCK_H
#include "gllm/graph.h"
#include "jit/fuse.h"
#include "jit/graph.h"

/* Parts are made such that `workers` can share them. No group gets more than `scratch_limit` bytes of scratch (0: any
 * number): what would need more stays as it is. `tiles` are the machine's (core/vir.h).
 * Fails: OUT_OF_MEMORY, COMPILE_ERROR, UNSUPPORTED (what reads a packed weight is no product of it). `tuning` may be NULL. */
enum gllm_status gllm_block(const struct gllm_profile *p, const struct gllm_tuning *tuning, const struct gllm_graph *g,
                            unsigned workers, unsigned tiles, uint64_t scratch_limit, struct gllm_arena *arena, struct gllm_fusion *f,
                            struct gllm_error *e);
#endif
