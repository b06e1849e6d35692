/* SPDX-License-Identifier: MIT
 * jit/regalloc_state.h - what the parts of register allocation share.
 *
 *   regalloc.c        intervals, the scan, rounds
 *   regalloc_spill.c  which registers live in the frame, and the program with accesses to it
 *   regalloc_check.c  whether an allocation is right */
#ifndef GLLM_REGALLOC_STATE_H
#define GLLM_REGALLOC_STATE_H
#include "core/arena.h"
#include "core/vir.h"

enum { FILES = 3, REGS = 32, NOWHERE = FILES * REGS };
#define NONE GLLM_NO_VREG
#define TEMP ((gllm_vreg)0xfffe) /* owner of a register granted as temporary */

enum { SHORT = 1, SPILL = 2, CONSTANT = 4 }; /* what is known of a register */

struct weight { /* of a virtual register, once it is asked which to spill */
	uint64_t cost;         /* accesses, weighted by loop depth */
	uint32_t accesses;
	uint32_t def;          /* the writing instruction where CONSTANT */
	uint32_t slot;         /* frame offset where SPILL */
	uint8_t depth;         /* of the innermost loop with an access */
};

/* A place is REGS * file + rank, a rank the number of a register in the machine's order; arguments outside of it have ranks behind.
 * NOWHERE is a place in a file of its own. */
static inline uint32_t gllm_place_bit(unsigned place)
{
	return UINT32_C(1) << place % REGS;
}

struct scan {
	struct gllm_vir *v;
	const struct gllm_machine *m;
	struct gllm_arena *arena;
	gllm_vreg frame;       /* NONE until something is spilled */
	uint32_t frame_bytes;
	struct gllm_interval *reg; /* with one to spare; next: see struct sweep */
	uint8_t *where;        /* physical registers */
	struct weight *weight; /* NULL until registers are chosen to be spilled in this round */
	uint8_t (*temp)[2][GLLM_VIR_TEMPS];
	uint32_t *offset;      /* room for select */
	uint32_t *label;       /* where labels stand */
	gllm_vreg owner[NOWHERE + 1]; /* by place; of one that is vacant, the last */
	uint8_t phys[NOWHERE + 1];    /* by place */
	uint32_t vacant[FILES + 1]; /* ranks that have no owner */
	uint32_t used[FILES + 1], ranks[FILES]; /* that were handed out; that may be: the first of the order */
	gllm_vreg *spilled; unsigned nspilled; /* chosen to live in the frame from the next round on */
	unsigned others;       /* operations from this one on access none of these */
	unsigned lacks;        /* the file that did not suffice */
	bool began;            /* not the first round */
	bool known;            /* intervals and labels are those of the program */
};

static inline bool gllm_vi_writes(const struct gllm_vi *i)
{
	return i->d != NONE;
}

static inline void gllm_regalloc_spill(struct scan *s, gllm_vreg r)
{
	s->reg[r].flags |= SPILL;
	s->spilled[s->nspilled++] = r;
}

/* regalloc_spill.c */
/* All of this file that is to be spilled, so that there is a register for whatever else is live. COMPILE_ERROR if nothing can be. */
enum gllm_status gllm_regalloc_choose(struct scan *s, unsigned file);
/* The program anew, with accesses to the frame for what is to be spilled; intervals and labels, if known, with it. */
enum gllm_status gllm_regalloc_rewrite(struct scan *s);
#endif
