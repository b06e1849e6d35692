/* SPDX-License-Identifier: MIT
 * jit/sym_exec.h - the state of symbolic execution, which sym.c and sym_join.c share. */
#ifndef GLLM_SYM_EXEC_H
#define GLLM_SYM_EXEC_H
#include "core/bits.h"
#include "jit/live.h"
#include "jit/sym.h"

/* A state: the registers and FLAGS of core/sem.h, slots, and what is not handed on to other blocks. */
enum {
	SLOT0 = GLLM_LOC_FLAGS + 1,
	TEMPORARY0 = SLOT0 + RAW_SLOTS, /* no more slots than sets of 64 can hold */
	NOWHERE = TEMPORARY0 + GLLM_LOC_COUNT - GLLM_LOC_T0, /* always undefined */
	ZERO, VANISHES,                /* always 0; what is written but not read */
	STATE,
	HANDED_ON = SLOT0 + 15,        /* that much of a state at once, other slots one by one */
	RECENT = 16,                   /* constants that are looked for among those there are */
	NOTHING = 0xffff,              /* of a slot: no value known */
	UNDEF = 0,                     /* value 0 is the undefined one */
};

struct slot {
	int64_t offset;
	uint32_t bytes;
	bool lane;                     /* written from a vector register: above 32 bits nothing is known */
};

struct exec {
	struct sym *s;
	const struct flow *f;
	const struct gllm_abi *abi;
	const struct gllm_image *img;
	const struct live *live;       /* per block */
	uint16_t *out;                 /* per block: state at its end */
	uint16_t *st;                  /* of the block being executed */
	uint16_t *phi; unsigned nphis; /* all PHIs */
	struct slot slot[RAW_SLOTS];
	unsigned nslots;
	uint64_t varying;              /* slots, a bit each, that in some loop do not keep the value they had before */
	uint64_t stays[FLOW_LOOPS];    /* registers that a loop may change and that hold copies of the stack pointer before it */
	bool again;                    /* a slot was taken to stay that varies */
	union {
		struct { uint16_t none, block, at; };
		uint64_t tail;             /* raw.tail of what is made */
	};
	uint16_t zero;                 /* the constant 0 */
	uint16_t recent[RECENT];       /* constants; UNDEF: none yet */
	enum gllm_status status;
};

__attribute__((cold, noinline)) static void refuse(struct exec *x, const char *what)
{
	if (!x->status)
		x->status = gllm_fail(x->s->error, GLLM_NOT_LIFTED, what, NULL, x->f->place[x->at].addr - x->f->entry, 0, 0);
}

/* ---- values ---------------------------------------------------------------------------------------------------- */

/* The table is full: what would be made is one beyond it, for which there is room, and undefined. */
__attribute__((cold, noinline)) static uint16_t too_many(struct exec *x)
{
	refuse(x, "too many values");
	x->s->raw[RAW_VALUES] = x->s->raw[UNDEF];
	return RAW_VALUES;
}

static inline uint16_t make(struct exec *x, unsigned op, unsigned w, unsigned a, unsigned b, int64_t imm)
{
	struct sym *s = x->s;
	const unsigned v = s->n;
	if (GLLM_RARELY(v == RAW_VALUES))
		return too_many(x);
	s->n = v + 1;
	_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the first field is lowest");
	s->raw[v].head = (uint64_t)(op | w << 8) | (uint64_t)(uint16_t)a << 32 | (uint64_t)b << 48;
	s->raw[v].tail = x->tail;
	s->raw[v].imm = imm;
	return (uint16_t)v;
}

static inline uint16_t make3(struct exec *x, unsigned op, unsigned w, unsigned a, unsigned b, unsigned c, int64_t imm)
{
	const uint16_t v = make(x, op, w, a, b, imm);
	x->s->raw[v].c = (uint16_t)c;
	return v;
}

static inline bool is(const struct exec *x, uint16_t v, unsigned op)
{
	return x->s->raw[v].op == op;
}

static inline bool overlaps(const struct slot *s, int64_t offset, uint32_t bytes)
{
	return s->offset < offset + (int64_t)bytes && offset < s->offset + (int64_t)s->bytes;
}

/* What a block begins with where several lead to it, and at the header of a loop; what the end of one must leave. */
void gllm_sym_join(struct exec *x, const struct flow_block *b);
void gllm_sym_begin_loop(struct exec *x, const struct flow_loop *l);
void gllm_sym_end_loop(struct exec *x, const struct flow_loop *l);
#endif
