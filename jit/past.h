/* SPDX-License-Identifier: MIT
 * jit/past.h - which outputs are stored past the caches: those too large to be found there by whoever reads them; and which
 * loops fetch ahead, because what they read is as large. */
#ifndef GLLM_JIT_PAST_H
#define GLLM_JIT_PAST_H
#include "gllm/graph.h"
#include "jit/fuse.h"
#include "jit/graph.h"

/* Marks parameters of parts, whose kernels then differ from those of smaller tensors: outputs that no node reads, of at least
 * tuning's `past` bytes, or what the profile's caches say, stored once, by one loop, and not by a product of matrices, whose tiles are
 * too narrow. Where the machine has such stores (`past`), outputs that a kernel stores, rereads and stores again row by row are
 * stored once: until then the row lies in the worker's memory. Parts that read tensors of as many bytes fetch them ahead, a row ahead
 * if they read each row more than once, but for products of matrices, what follows their sums and reductions of short rows; other
 * reductions then go over one row at a time. Passes over rows that come from memory and go past the caches run at once where that
 * keeps memory busier. Fails: OUT_OF_MEMORY. `tuning` may be NULL. */
enum gllm_status gllm_store_past(const struct gllm_profile *p, bool past, const struct gllm_tuning *tuning,
                                 const struct gllm_graph *g, struct gllm_arena *arena, struct gllm_fusion *f);
#endif
