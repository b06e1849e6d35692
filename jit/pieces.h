/* SPDX-License-Identifier: MIT
 * jit/pieces.h - the executable memory as a stack of pieces, most of them kernels, which the plans of a context share.
 *
 * A piece is used by steps of plans, or for good. When the last plan that uses a piece is freed, and all above it, its
 * memory is taken back, unless the host says that no byte of it may serve twice; a piece below one in use stays, and serves
 * the next plan that wants the same code. */
#ifndef GLLM_JIT_PIECES_H
#define GLLM_JIT_PIECES_H
#include "jit/plan.h"

struct gllm_piece {
	struct gllm_piece *below;
	struct gllm_kernel kernel;      /* the pool lies behind this struct */
	unsigned users;
	bool shared;                    /* it is a kernel, of: */
	uint64_t machine, hash;         /* what else code depends on; the trace's */
	unsigned nnodes, nterms, nparams;
	struct gllm_lower_options how;
	uint8_t source[GLLM_TRACE_PARAMS]; /* kinds */
};

/* The piece with the code that the trace becomes on a machine of this key, from offset `from` of the memory on; or NULL. */
struct gllm_piece *gllm_piece_find(const struct gllm_context *c, const struct gllm_composed *t, uint64_t machine, size_t from);

/* The topmost piece from here on, used by nobody yet; `t` NULL: not to be found. NULL if the heap is full. */
struct gllm_piece *gllm_piece_add(struct gllm_context *c, const struct gllm_composed *t, uint64_t machine,
                                  const struct gllm_kernel *k);

/* Takes back what lies on top and nobody uses. */
void gllm_pieces_drop(struct gllm_context *c);
/* Nothing that was added since `used` bytes were has run or will: its memory is as good as new. */
void gllm_pieces_undo(struct gllm_context *c, size_t used);
#endif
