/* SPDX-License-Identifier: MIT
 * jit/flow.h - the flow graph of a function: blocks of micro-operations, calls inlined, dominators, loops.
 *
 * After gllm_flow_build:
 *   - Blocks are numbered in an order in which every block follows all its predecessors (back edges apart) and the blocks
 *     of a loop are contiguous, its header first.
 *   - A header has exactly two predecessors: the block before the loop, then the latch. Both are made up where needed.
 *   - A loop has one exit edge, and it starts in a block of the loop itself, not of a nested one.
 *   - A call to a function that is not a primitive is an edge into that function's blocks, which exist once per call
 *     (context) and share their operations; its RET is an edge back. */
#ifndef GLLM_FLOW_H
#define GLLM_FLOW_H
#include "core/arena.h"
#include "core/target.h"
#include "gllm/image.h"

enum {
	FLOW_BLOCKS = 256, FLOW_OPS = 6000, FLOW_LOOPS = 32, FLOW_CONTEXTS = 64, FLOW_DEPTH = 8,
	FLOW_NONE = 0xffff,
};

/* An operation is a record of core/sem.h. CALL: imm is the target; `scale` is the enum gllm_primitive of a primitive. */
struct flow_place {
	uint64_t addr, next;      /* of the instruction, and of the one behind it (the return address of a CALL) */
};

struct flow_block {
	uint64_t addr;
	uint32_t bytes;                  /* of its instructions; 0: not read yet */
	uint16_t context, first, n;      /* operations */
	uint16_t succ[2], nsucc;         /* with two: succ[1] is taken when the last operation's condition holds */
	uint16_t pred, npreds;           /* in flow.pred; ascending, but for a header: outside first, then latch */
	uint16_t idom;                   /* FLOW_NONE for block 0 */
	int8_t loop;                     /* innermost; -1 none */
	bool header;
};

struct flow_loop {
	uint16_t header, end;            /* blocks [header, end) */
	uint16_t before, latch;          /* the two predecessors of the header */
	uint16_t exit, target;           /* the exit edge */
	int8_t parent;
};

struct flow {
	struct gllm_sem_op_rec *op; unsigned nops;
	struct flow_place *place; /* per operation */
	struct flow_block *block; unsigned nblocks;
	uint16_t *pred;
	struct flow_loop *loop;   unsigned nloops; /* in order of headers */
	uint64_t entry;
	struct gllm_error *error;
};

enum gllm_status gllm_flow_build(struct flow *f, const struct gllm_target *t, const struct gllm_image *img,
                                 uint64_t addr, struct gllm_arena *a, struct gllm_error *e);

/* Its second half: order, dominators, loops of what was discovered. */
enum gllm_status gllm_flow_arrange(struct flow *f, struct gllm_arena *a);
__attribute__((cold)) enum gllm_status gllm_flow_refuse(struct flow *f, const char *what, uint64_t addr);

/* Bytes at `addr` if the image has `size` of them (from an immutable range if `immutable`); NULL otherwise. */
const unsigned char *gllm_image_at(const struct gllm_image *img, uint64_t addr, uint64_t size, bool immutable);

static inline unsigned flow_primitive(const struct gllm_sem_op_rec *s)
{
	return s->op == GLLM_S_CALL ? s->scale : (unsigned)GLLM_PRIM_NONE;
}

static inline bool flow_in_loop(const struct flow *f, int inner, int outer)
{
	while (inner > outer)
		inner = f->loop[inner].parent;
	return inner == outer;
}
#endif
