/* SPDX-License-Identifier: MIT
 * tests/diff/x86_random.h - random instructions of the x86-64 table, for the round-trip suite and for the comparison with
 * an assembler. Operands are drawn from what a row's columns allow, edge values often. */
#ifndef X86_RANDOM_H
#define X86_RANDOM_H
#include "arch/x86_64/form.h"

typedef uint64_t x86_draw_fn(void *user); /* 64 random bits */

struct x86_draw {
	x86_draw_fn *draw;
	void *user;
};

static inline unsigned x86_below(const struct x86_draw *r, unsigned n)
{
	return (unsigned)(r->draw(r->user) >> 16) % n;
}

static inline unsigned x86_one_of(const struct x86_draw *r, unsigned set) /* a set bit's number; set != 0 */
{
	unsigned n;

	do
		n = x86_below(r, 8);
	while (!(set >> n & 1));
	return n;
}

static inline int64_t x86_signed(const struct x86_draw *r, unsigned bits)
{
	switch (x86_below(r, 6)) {
	case 0: return 0;
	case 1: return (int64_t)(~UINT64_C(0) << (bits - 1));
	case 2: return (int64_t)~(~UINT64_C(0) << (bits - 1));
	case 3: return -1;
	default: return (int64_t)(r->draw(r->user) << (64 - bits)) >> (64 - bits);
	}
}

static inline unsigned x86_register(const struct x86_draw *r, const struct gllm_x86_form *f, uint32_t op, unsigned bits)
{
	switch (gllm_x86_class(op)) {
	case GLLM_R_VEC: return x86_below(r, f->enc == EVEX ? 32 : 16);
	case GLLM_R_MASK: return x86_below(r, 8);
	default: return x86_below(r, bits == 8 && f->enc == LEG && x86_below(r, 4) == 0 ? 20 : 16);
	}
}

static inline struct gllm_operand x86_random_memory(const struct x86_draw *r, const struct gllm_x86_form *f,
                                                    const struct gllm_insn *in, bool vsib, unsigned bits)
{
	unsigned unit = f->enc == EVEX ? bits / 8 : 1, kind = x86_below(r, 8);
	struct gllm_operand m = x86_mem(x86_below(r, 16), GLLM_NO_REG, 0, x86_signed(r, 8), bits);

	if (kind == 0 && !vsib)
		return x86_mem(GLLM_REG_PC, GLLM_NO_REG, 0, (int64_t)in->addr + x86_signed(r, 31), bits);
	if (kind == 1)
		m.base = GLLM_NO_REG;
	if (x86_below(r, 3) == 0)
		m.imm = x86_signed(r, 32);
	else if (x86_below(r, 2))
		m.imm *= unit ? unit : 1;
	if (vsib || x86_below(r, 2)) {
		m.index = (uint8_t)x86_below(r, vsib ? f->enc == EVEX ? 32 : 16 : 16);
		m.scale = (uint8_t)x86_below(r, 4);
		m.index_vec = vsib;
		if (!vsib && m.index == X86_RSP) {
			m.index = GLLM_NO_REG;
			m.scale = 0;
		}
	}
	return m;
}

static inline struct gllm_operand x86_random_operand(const struct x86_draw *r, const struct gllm_x86_form *f,
                                                     const struct gllm_insn *in, uint32_t op, unsigned os, bool memory)
{
	unsigned place = gllm_x86_place(op);
	unsigned rbits = gllm_x86_bits(gllm_x86_rsize(op), os, in->vl, gllm_x86_class(op) == GLLM_R_VEC);
	unsigned mbits = in->broadcast ? gllm_x86_element(f) * 8 : gllm_x86_bits(gllm_x86_msize(op), os, in->vl, false);
	struct gllm_operand reg = { .kind = GLLM_O_REG, .cls = (uint8_t)gllm_x86_class(op),
	                            .reg = (uint8_t)x86_register(r, f, op, rbits), .size = (uint16_t)rbits };

	switch ((enum gllm_x86_place)place) {
	case P_RM: case P_MEM: case P_VSIB:
		return memory ? x86_random_memory(r, f, in, place == P_VSIB, mbits) : reg;
	case P_ACC: reg.reg = X86_RAX; return reg;
	case P_X0: reg.reg = 0; return reg;
	case P_CL: reg.reg = X86_RCX; return reg;
	case P_ONE: return x86_imm(1);
	case P_IB: return x86_imm(x86_below(r, 256));
	case P_IS: return x86_imm(x86_signed(r, 8));
	case P_IW: return x86_imm(x86_below(r, 65536));
	case P_IZ: return x86_imm(x86_signed(r, os == 16 ? 16 : 32));
	case P_IQ: return x86_imm((int64_t)r->draw(r->user));
	case P_JB: return x86_rel((int64_t)in->addr + 16 + x86_signed(r, 7));
	case P_JZ: return x86_rel((int64_t)in->addr + x86_signed(r, 31));
	case P_CC: return x86_cond(x86_below(r, 16));
	case P_OPR:
		if (gllm_x86_is_nop(f, reg.reg))
			reg.reg = X86_RCX;
		return reg;
	case P_REG: case P_RMR: case P_VVV: case P_IS4: case P_NONE:
		break;
	}
	return reg;
}

static inline void x86_random_insn(const struct x86_draw *r, unsigned row, struct gllm_insn *in)
{
	const struct gllm_x86_form *f = &gllm_x86_forms[row];
	unsigned os = f->w & WIG ? 64 : 16u << x86_one_of(r, f->w & 7u);
	bool memory = false, reg = false;

	*in = (struct gllm_insn){ .row = (uint16_t)row, .addr = r->draw(r->user) >> 17 };
	in->vl = (uint8_t)(f->l & LIG ? 0 : x86_one_of(r, f->l & 7u));
	for (unsigned i = 0; i < 4; i++) {
		memory |= gllm_x86_place(f->op[i]) == P_MEM || gllm_x86_place(f->op[i]) == P_VSIB;
		reg |= gllm_x86_place(f->op[i]) == P_RM;
	}
	memory |= reg && x86_below(r, 2);
	if ((f->dec & K) && (x86_below(r, 2) || (f->dec & KREQ)))
		in->mask = (uint8_t)(1 + x86_below(r, 7));
	if (in->mask && (f->dec & Z))
		in->zeroing = (uint8_t)x86_below(r, 2);
	if (memory && gllm_x86_element(f))
		in->broadcast = (uint8_t)x86_below(r, 2);
	if (!memory && (f->dec & (ER | SAE)) && (f->l & LIG || in->vl == 2) && x86_below(r, 2))
		in->rounding = (uint8_t)(f->dec & ER ? 1 + x86_below(r, 4) : 1);
	for (; in->n < 4 && f->op[in->n]; in->n++)
		in->op[in->n] = x86_random_operand(r, f, in, f->op[in->n], os, memory);
}

/* What decode gives back and what was asked for, accesses aside. */
static inline bool x86_same(const struct gllm_insn *a, const struct gllm_insn *b)
{
	if (a->row != b->row || a->n != b->n || a->mask != b->mask || a->zeroing != b->zeroing ||
	    a->broadcast != b->broadcast || a->rounding != b->rounding || a->vl != b->vl || a->rep != b->rep)
		return false;
	for (unsigned i = 0; i < a->n; i++) {
		const struct gllm_operand *x = &a->op[i], *y = &b->op[i];
		if (x->kind != y->kind || x->cls != y->cls || x->reg != y->reg || x->imm != y->imm)
			return false;
		if (x->cls != GLLM_R_MASK && x->size != y->size)
			return false;
		if (x->kind == GLLM_O_MEM && (x->base != y->base || x->index != y->index || x->scale != y->scale ||
		                              x->index_vec != y->index_vec))
			return false;
	}
	return true;
}

/* ah .. bh cannot meet anything that needs REX: such a draw has no encoding. */
static inline bool x86_has_high_byte(const struct gllm_insn *in)
{
	for (unsigned i = 0; i < in->n; i++)
		if (in->op[i].kind == GLLM_O_REG && in->op[i].cls == GLLM_R_GPR && in->op[i].reg >= 16)
			return true;
	return false;
}
#endif
