/* SPDX-License-Identifier: MIT
 * jit/block_form.h - whether a trace is a product of matrices: parallel loops i, j around sums of products over k, each of a
 * value that varies along i with one that varies along j, and what follows the sums. Known by its structure alone. One row is
 * a product, too: its loop i runs once. */
#ifndef GLLM_JIT_BLOCK_FORM_H
#define GLLM_JIT_BLOCK_FORM_H
#include "jit/graph.h"
#include "jit/strip.h"

enum { I, J, K, MAX_SUMS = 4 }; /* loops by number; sums in one nest */

struct sum {
	gllm_ref carry, last, value[2]; /* factors, by the loop they vary along */
	enum gllm_type type;            /* F32 or I32 */
};

struct product { /* a trace that has the form */
	const struct gllm_composed *c;
	struct gllm_affine *affine;         /* by access */
	int64_t stride[GLLM_TRACE_PARAMS][3];
	struct gllm_linear m;               /* trip of i */
	uint64_t most;                      /* of it */
	int64_t n, k;
	unsigned nsums;
	struct sum sum[MAX_SUMS];
	gllm_ref result;                    /* the one STORE, if it may be the place of partial sums; else NO_NODE */
	uint32_t lanes;                     /* columns of a panel, if any of its weights is packed already; else 0 */
	bool packed[GLLM_TRACE_PARAMS];     /* such weights: along J they move by panels, as if each column lay apart, but by
	                                     * elements along lanes (gllm_affine); along K by the lanes of a panel */
};

/* Fills `p` if the trace has the form; what it keeps lies in `arena`, without room in which *s is OUT_OF_MEMORY. `g` says how many rows
 * there may be, and how weights are packed. */
bool gllm_block_form(struct gllm_arena *arena, const struct gllm_composed *c, const struct gllm_graph *g, struct product *p,
                     enum gllm_status *s);
/* Panels that are read next are so wide: the last one is narrower than the others. */
void gllm_block_lanes(const struct product *p, int64_t lanes);
/* Bytes by which parameter q moves along K in panels so wide. */
int64_t gllm_block_step(const struct product *p, unsigned q, int64_t lanes);
#endif
