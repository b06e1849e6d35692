/* SPDX-License-Identifier: MIT
 * jit/block_form.h - whether a trace is a product of matrices: parallel loops i, j around sums of products over k, each of a
 * value that varies along i with one that varies along j, and what follows the sums. Known by its structure alone. One row is
 * a product, too: its loop i runs once. */
#ifndef GLLM_JIT_BLOCK_FORM_H
#define GLLM_JIT_BLOCK_FORM_H
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
};

/* Fills `p` if the trace has the form; what it keeps lies in `arena`. Traces with symbolic rows run up to `max_rows`. */
bool gllm_block_form(struct gllm_arena *arena, const struct gllm_composed *c, uint64_t max_rows, struct product *p);
#endif
