/* SPDX-License-Identifier: MIT
 * arch/x86_64/put.c - appends instructions to the code buffer.
 *
 * Most instructions that select writes have nothing but whole vectors, general registers and memory operands: they are put from
 * the numbers of their registers, as bytes.h says, and what their rows do not allow is an error of select's. All others go through
 * the encoder, which finds out. */
#include "arch/x86_64/bytes.h"
#include "arch/x86_64/gen.h"

typedef struct gllm_x86_gen gen;
typedef struct gllm_operand operand;

/* What stands for a VEX instruction where registers are of 512 bits or numbered above 15; row + 1, 0: itself. */
#define SAME(row) [X86_V##row] = X86_EV##row + 1
#define AS(row, with) [X86_V##row] = X86_EV##with + 1
static const uint16_t evex[] = {
	SAME(ADDPS), SAME(SUBPS), SAME(MULPS), SAME(DIVPS), SAME(MINPS), SAME(MAXPS), SAME(SQRTPS),
	SAME(ANDPS), SAME(ANDNPS), SAME(ORPS), SAME(XORPS), AS(PAND, PANDD), AS(PANDN, PANDND), AS(POR, PORD),
	AS(PXOR, PXORD), SAME(PADDD), SAME(PSUBD), SAME(PMULLD), SAME(PMINSD), SAME(PMAXSD), SAME(PMINUD), SAME(PMAXUD),
	SAME(PABSD), SAME(PSLLD_I), SAME(PSRLD_I), SAME(PSRAD_I), AS(ROUNDPS, RNDSCALEPS),
	SAME(FMADD231PS), SAME(FMADD213PS), SAME(FNMADD231PS), SAME(FNMADD213PS),
	SAME(CVTDQ2PS), SAME(CVTPS2DQ), SAME(CVTTPS2DQ), SAME(CVTPH2PS), SAME(CVTPS2PH),
	SAME(PMOVZXWD), SAME(PMOVSXWD), SAME(PMOVZXBD), SAME(PMOVSXBD),
	SAME(MOVAPS_RM), SAME(MOVUPS_RM), SAME(MOVUPS_MR), SAME(MOVSS_RM), SAME(MOVSS_MR), SAME(MOVD_RM), SAME(MOVD_MR),
	SAME(PSHUFD), SAME(SHUFPS), SAME(UNPCKLPS), SAME(UNPCKHPS), AS(EXTRACTF128, EXTRACTF32X4),
	SAME(BROADCASTSS), SAME(BROADCASTSD), AS(BROADCASTSS_R, BROADCASTSS), SAME(PBROADCASTB), SAME(PBROADCASTW), SAME(PBROADCASTD),
};

static inline unsigned stands_for(unsigned row)
{
	return row < GLLM_COUNT(evex) && evex[row] ? evex[row] - 1u : row;
}

/* --- by the encoder ------------------------------------------------------------------------------------------------- */

static inline void take(struct gllm_code *c, const unsigned char *bytes, size_t n)
{
	if (n > c->size - c->used) {
		c->status = GLLM_NO_SPACE;
		return;
	}
	for (size_t k = 0; k < n; k++)
		c->base[c->used++] = bytes[k];
}

void gllm_x86_put(gen *g, unsigned row, struct gllm_insn *in, unsigned operands)
{
	unsigned char bytes[X86_ROOM];
	unsigned sizes = 0, regs = 0; /* of vectors, as sets of bits */

	if (g->code->status != GLLM_OK)
		return;
	for (unsigned k = 0; k < operands; k++)
		if (in->op[k].kind == GLLM_O_REG && in->op[k].cls == GLLM_R_VEC) {
			sizes |= in->op[k].size;
			regs |= in->op[k].reg;
		}
	in->addr = 0;
	in->row = (uint16_t)((sizes & 512) || regs > 15 ? stands_for(row) : row);
	in->n = (uint8_t)operands;
	in->vl = sizes & 512 ? 2 : sizes & 256 ? 1 : 0;
	in->rounding = in->rep = 0;
	in->mask = g->decoration >> X86_DECORATION_MASK & 7;
	in->zeroing = (uint8_t)(g->decoration >> X86_DECORATION_Z);
	in->broadcast = g->decoration >> X86_DECORATION_B & 1;
	g->decoration = 0;
	size_t n = gllm_x86_encode_into(in, bytes);
	if (n == 0)
		gllm_x86_quit(g, GLLM_COMPILE_ERROR);
	else
		take(g->code, bytes, n);
}

/* --- by numbers ----------------------------------------------------------------------------------------------------- */

/* Where the next instruction is written: in place while there is room for the longest, else aside. */
static inline unsigned char *begin(const gen *g, unsigned char aside[X86_ROOM])
{
	return g->code->size - g->code->used >= X86_ROOM ? g->code->base + g->code->used : aside;
}

static inline void end(gen *g, const unsigned char *from, const unsigned char *aside, const unsigned char *to)
{
	if (from != aside)
		g->code->used += (size_t)(to - from);
	else
		take(g->code, from, (size_t)(to - from));
}

/* May the row's instruction be put so? */
static inline bool allowed(gen *g, bool fits)
{
	if (g->code->status == GLLM_OK && fits)
		return true;
	gllm_x86_quit(g, GLLM_COMPILE_ERROR);
	return false;
}

static const struct gllm_x86_form *vector_form(unsigned row, unsigned vl, unsigned regs)
{
	return &gllm_x86_forms[vl == 2 || regs > 15 ? stands_for(row) : row];
}

static inline void put_whole(gen *g, unsigned row, unsigned vl, unsigned mask, unsigned reg, unsigned vvv, unsigned rm, int imm)
{
	const struct gllm_x86_form *f = vector_form(row, vl, reg | vvv | rm);
	unsigned char aside[X86_ROOM], *from = begin(g, aside), *o;

	if (!allowed(g, f->shape == X86_VECTORS && (f->l >> vl & 1) && (!mask || f->enc == EVEX)))
		return;
	o = gllm_x86_put_vectors(from, f, vl, gllm_x86_decoration(mask, 0, false), reg, vvv, rm);
	if (imm >= 0)
		*o++ = (unsigned char)imm;
	end(g, from, aside, o);
}

void gllm_x86_v(gen *g, unsigned row, unsigned reg, unsigned vvv, unsigned rm)
{
	put_whole(g, row, g->vl, 0, reg, vvv, rm, -1);
}

void gllm_x86_vi(gen *g, unsigned row, unsigned reg, unsigned vvv, unsigned rm, uint8_t imm)
{
	put_whole(g, row, g->vl, 0, reg, vvv, rm, imm);
}

void gllm_x86_vk(gen *g, unsigned row, unsigned mask, unsigned reg, unsigned vvv, unsigned rm)
{
	put_whole(g, row, g->vl, mask, reg, vvv, rm, -1);
}

void gllm_x86_v128(gen *g, unsigned row, unsigned reg, unsigned vvv, unsigned rm)
{
	put_whole(g, row, 0, 0, reg, vvv, rm, -1);
}

void gllm_x86_vm(gen *g, unsigned row, unsigned reg, unsigned vvv, const operand *m)
{
	const struct gllm_x86_form *f = vector_form(row, g->vl, reg | vvv);
	unsigned char aside[X86_ROOM], *from = begin(g, aside);
	uint32_t decoration = g->decoration;
	bool fits = (f->shape == X86_VECTORS || f->shape == X86_VECTORS_AT) && (f->l >> g->vl & 1) &&
	            (decoration == 0 || (f->enc == EVEX && (!(decoration >> X86_DECORATION_B & 1) || gllm_x86_element(f) != 0)));

	g->decoration = 0;
	if (allowed(g, fits))
		end(g, from, aside, gllm_x86_put_vectors_at(from, f, g->vl, decoration, reg, vvv, m));
}

void gllm_x86_g(gen *g, unsigned row, unsigned bits, unsigned reg, unsigned rm)
{
	const struct gllm_x86_form *f = &gllm_x86_forms[row];
	unsigned char aside[X86_ROOM], *from = begin(g, aside);

	if (allowed(g, f->shape == X86_GENERAL))
		end(g, from, aside, gllm_x86_put_general(from, f, bits == 64, reg, rm));
}

void gllm_x86_gm(gen *g, unsigned row, unsigned bits, unsigned reg, const operand *m)
{
	const struct gllm_x86_form *f = &gllm_x86_forms[row];
	unsigned char aside[X86_ROOM], *from = begin(g, aside);

	if (allowed(g, f->shape == X86_GENERAL || f->shape == X86_GENERAL_AT))
		end(g, from, aside, gllm_x86_put_general_at(from, f, bits == 64, reg, m));
}

void gllm_x86_gi(gen *g, unsigned row, unsigned bits, unsigned reg, unsigned rm, int32_t imm)
{
	const struct gllm_x86_form *f = &gllm_x86_forms[row];
	unsigned char aside[X86_ROOM], *from = begin(g, aside), *o;

	if (!allowed(g, f->shape == X86_GENERAL))
		return;
	o = gllm_x86_put_general(from, f, bits == 64, reg, rm);
	if (gllm_x86_place(f->op[f->n < 8 ? 1 : 2]) == P_IZ) {
		gllm_put_le32(o, (uint32_t)imm);
		o += 4;
	} else {
		*o++ = (unsigned char)imm;
	}
	end(g, from, aside, o);
}

void gllm_x86_state(gen *g, unsigned row, const operand *m)
{
	const struct gllm_x86_form *f = &gllm_x86_forms[row];
	unsigned char aside[X86_ROOM], *from = begin(g, aside);

	if (allowed(g, f->enc == VEX && f->n < 8 && f->access == S32))
		end(g, from, aside, gllm_x86_put_vectors_at(from, f, 0, 0, f->n, 0, m));
}

void gllm_x86_stack(gen *g, unsigned row, unsigned reg)
{
	unsigned char aside[X86_ROOM], *from = begin(g, aside);

	if (allowed(g, gllm_x86_forms[row].n == PR))
		end(g, from, aside, gllm_x86_put_opcode_register(from, &gllm_x86_forms[row], reg));
}

void gllm_x86_word_constant(gen *g, unsigned reg, uint32_t v)
{
	unsigned char aside[X86_ROOM], *from = begin(g, aside), *o;

	if (!allowed(g, true))
		return;
	o = gllm_x86_put_opcode_register(from, &gllm_x86_forms[X86_MOV_RI], reg);
	gllm_put_le32(o, v);
	end(g, from, aside, o + 4);
}

void gllm_x86_jump(gen *g, unsigned cond, bool near, int32_t by)
{
	unsigned char aside[X86_ROOM], *from = begin(g, aside);

	if (allowed(g, true))
		end(g, from, aside, gllm_x86_put_jump(from, cond, near, by));
}
