/* SPDX-License-Identifier: MIT
 * arch/x86_64/gen.h - shared by abi.c and select.c: putting instructions into the code buffer. Private to this folder.
 *
 * rax is never allocated: it carries constants, far addresses and lane bits within one VIR instruction. Nor is k7. */
#ifndef GLLM_X86_GEN_H
#define GLLM_X86_GEN_H
#include "arch/x86_64/insn.h"
#include "core/bits.h"
#include "core/target.h"

struct gllm_x86_gen {
	const struct gllm_vir *v;
	const struct gllm_machine *m;
	const struct gllm_allocation *a;
	struct gllm_code *code;
	uint32_t *at;
	unsigned i;      /* VIR instruction being emitted */
	unsigned bits;   /* of a vector */
	unsigned lanes;  /* of 32 bits */
	bool wide;       /* 512 bits: AVX-512 */
	uint8_t mask, zeroing, broadcast; /* decorate the next instruction put */
	const struct gllm_vi *folded; /* a load that is the memory operand of the instruction being emitted */
};

enum gllm_status gllm_x86_machine(const struct gllm_profile *p, struct gllm_machine *out);
struct gllm_need gllm_x86_need(const struct gllm_vi *i);
struct gllm_need gllm_x86_need_wide(const struct gllm_vi *i);
uint8_t gllm_x86_latency(enum gllm_vir_op op);
void gllm_x86_select(const struct gllm_vir *v, const struct gllm_machine *m, const struct gllm_allocation *a,
                     struct gllm_code *code, uint32_t *at);
void gllm_x86_entry(const struct gllm_entry *in, struct gllm_code *code);
void gllm_x86_prologue(struct gllm_x86_gen *g);
void gllm_x86_epilogue(struct gllm_x86_gen *g);
/* Words in memory of only the sign bit and of all other bits; there where the program has VNEG or VABS and the width is
 * 512 bits. */
struct gllm_operand gllm_x86_sign(const struct gllm_x86_gen *g);
struct gllm_operand gllm_x86_size(const struct gllm_x86_gen *g);
/* Bytes in memory of which each is its own place; there where the program has VINDEX, or MTAIL at 8 lanes. */
struct gllm_operand gllm_x86_count(const struct gllm_x86_gen *g);

static inline void gllm_x86_quit(struct gllm_x86_gen *g, enum gllm_status s)
{
	if (g->code->status == GLLM_OK)
		g->code->status = s;
}

/* Appends one instruction of `n` operands. */
void gllm_x86_put(struct gllm_x86_gen *g, unsigned row, const struct gllm_operand *op, unsigned n);

static inline void x0(struct gllm_x86_gen *g, unsigned row)
{
	gllm_x86_put(g, row, NULL, 0);
}
static inline void x1(struct gllm_x86_gen *g, unsigned row, struct gllm_operand a)
{
	gllm_x86_put(g, row, &a, 1);
}
static inline void x2(struct gllm_x86_gen *g, unsigned row, struct gllm_operand a, struct gllm_operand b)
{
	const struct gllm_operand op[] = { a, b };
	gllm_x86_put(g, row, op, 2);
}
static inline void x3(struct gllm_x86_gen *g, unsigned row, struct gllm_operand a, struct gllm_operand b,
                      struct gllm_operand c)
{
	const struct gllm_operand op[] = { a, b, c };
	gllm_x86_put(g, row, op, 3);
}
static inline void x4(struct gllm_x86_gen *g, unsigned row, struct gllm_operand a, struct gllm_operand b,
                      struct gllm_operand c, struct gllm_operand d)
{
	const struct gllm_operand op[] = { a, b, c, d };
	gllm_x86_put(g, row, op, 4);
}
#endif
