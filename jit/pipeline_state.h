/* SPDX-License-Identifier: MIT
 * jit/pipeline_state.h - what the parts of software pipelining share.
 *
 *   pipeline.c       which loads of a loop move, where to, in which registers, whether it pays
 *   pipeline_emit.c  the loop anew */
#ifndef GLLM_PIPELINE_STATE_H
#define GLLM_PIPELINE_STATE_H
#include "jit/pipeline.h"
#include "jit/vir.h"
#include "jit/vir_span.h"

enum { MAX_RING = 32, NONE = 0xffff, NEXT = 0x8000 };

struct load {
	uint16_t from;        /* instruction of the body */
	int16_t at, least;    /* row before which it stands; and the first that it may */
	int16_t first, last;  /* rows that read it */
	uint8_t color;        /* of the ring */
	bool multiplies;      /* a VBCAST that is only a factor (core/vir.h) */
};

struct vreg { /* in the loop at hand */
	uint16_t writes, write; /* how many, and the last one */
	uint16_t load;        /* that writes it and moves, NONE */
	uint32_t ready;       /* cycle in which it is there */
	gllm_vreg name;       /* in the turn that is emitted now */
	bool local;           /* lives within one turn */
	bool fixed;           /* reads it otherwise than as a base, by something that keeps its place */
	bool accessed;        /* something that keeps its place accesses memory with this base */
};

struct loop {
	unsigned begin, first, tail, n; /* LOOP_BEGIN; instructions of the body; pointers move on from `tail`, the branch is last */
	unsigned counter;     /* the instruction of the tail that counts turns */
};

struct pipeline {
	struct gllm_vir *v;
	const struct gllm_machine *m;
	struct gllm_vir_span *span; uint32_t *close;
	unsigned nregs;     /* of the program as it was: what loops emitted anew have besides lives in them alone */
	struct vreg *reg;
	struct loop in;
	struct load *load;  unsigned nloads;
	bool *moves;        /* instruction of the body -> it is one of these */
	uint16_t *turn;     /* instructions of the body in their new order; with NEXT: of the next turn */
	uint16_t *row;      /* instruction of the body -> row */
	unsigned nrows;
	uint16_t *busy;     /* row -> loads that lie there */
	uint16_t *live;     /* instruction -> registers that others hold */
	unsigned ring, most, ahead; /* registers; of them those for loads that rise; rows by which these do */
	gllm_vreg color[MAX_RING];
	uint16_t *step_at;  /* instruction of the tail -> place in the turn, NONE: where it was */
	struct gllm_vi *out; unsigned nout, max_out;
};

static inline const struct gllm_vi *at(const struct pipeline *p, unsigned i)
{
	return &p->v->ins[p->in.first + i];
}

static inline bool is_based(const struct gllm_vi *i) /* reads `a` as the base of an address */
{
	return gllm_vi_accesses(i) || i->op == GLLM_V_PREFETCH;
}

static inline bool is_invariant(const struct pipeline *p, gllm_vreg r)
{
	return r == GLLM_NO_VREG || p->reg[r].writes == 0;
}

/* The instruction that moves the base on, NONE if it stays; false if it is written in another way. */
static inline bool moves_on(const struct pipeline *p, gllm_vreg base, unsigned *by)
{
	*by = NONE;
	if (p->reg[base].writes == 0)
		return true;
	*by = p->reg[base].write;
	return p->reg[base].writes == 1 && *by >= p->in.tail && is_invariant(p, at(p, *by)->b);
}

/* pipeline_emit.c: the loop with loads where they are planned, and its last turn behind it. */
void gllm_pipeline_emit(struct pipeline *p, struct gllm_vi i);
void gllm_pipeline_emit_loop(struct pipeline *p);
#endif
