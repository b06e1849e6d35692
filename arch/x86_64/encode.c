/* SPDX-License-Identifier: MIT
 * arch/x86_64/encode.c - the table, and its reading from operands to bytes.
 *
 * An instruction is encoded in the row it names; if several operand sizes or vector lengths are in the row's columns, the
 * operands decide. Nothing is written unless every operand fits, and every field has its one canonical value: a decoded
 * instruction encodes to the shortest bytes of its row. */
#include "arch/x86_64/form.h"
#include "core/bits.h"

#define HAS_MODRM(n) ((n) <= NR || (n) == CM || (n) >= FIX ? MODRM : 0)
#define MODRM_OF(n) ((n) < 8 ? ((n) & 7) << 3 : (n) >= FIX ? (n) & 255 : 0)
#define MODRM_MASK(n) ((n) < 8 ? 7 << 3 : (n) >= FIX ? 255 : 0)
const struct gllm_x86_form gllm_x86_forms[X86_ROWS] = {
#define X(id, text, enc, pp, map, w, l, opc, n, ops, dec, isa, sem, arg, width) \
	{ text, enc, pp, MAP_##map, opc, w, l, n, (dec) | HAS_MODRM(n), MODRM_OF(n), MODRM_MASK(n), ops, isa, sem, (uint8_t)(arg), \
	  width },
#include "arch/x86_64/insn.def"
#undef X
};

struct fields { /* operands, sorted by place */
	uint8_t field[P_OPR + 1];      /* register numbers by place */
	uint8_t cc;
	bool vsib, rex;                /* rex: spl.. need the prefix even if its bits are 0 */
	bool no_rex;                   /* ah..bh cannot be named with it */
	unsigned unit;                 /* of disp8 */
	const struct gllm_operand *rm; /* NULL: none */
	const struct gllm_operand *rel;
	uint64_t imm;
	unsigned imm_bytes;
};

static inline bool in_range(int64_t v, int64_t least, int64_t greatest)
{
	return v >= least && v <= greatest;
}

#define ALL(bits) { bits, bits, bits }
#define FIXED_SIZES [S8] = ALL(8), [S16] = ALL(16), [S32] = ALL(32), [S64] = ALL(64), [S128] = ALL(128), [S256] = ALL(256), \
	[S512] = ALL(512), [SX] = { 128, 256, 512 }, [SDUP] = { 64, 256, 512 }
const uint16_t gllm_x86_register_sizes[SDUP + 1][3] = {
	FIXED_SIZES, [SXH] = { 128, 128, 256 }, [SXQ] = ALL(128), [SXE] = ALL(128)
};
const uint16_t gllm_x86_memory_sizes[SDUP + 1][3] = {
	FIXED_SIZES, [SXH] = { 64, 128, 256 }, [SXQ] = { 32, 64, 128 }, [SXE] = { 16, 32, 64 }
};

static inline bool register_fits(const struct gllm_x86_form *f, uint32_t op, const struct gllm_operand *o, unsigned os, unsigned vl)
{
	unsigned size = gllm_x86_rsize(op);

	if (o->kind != GLLM_O_REG || o->cls != gllm_x86_class(op))
		return false;
	if (o->cls == GLLM_R_VEC)
		return o->size == gllm_x86_bits(size, os, vl, true) && o->reg < (f->enc == EVEX ? 32 : 16);
	if (o->cls == GLLM_R_MASK)
		return o->reg < 8;
	return o->size == gllm_x86_bits(size, os, vl, true) && o->reg < (o->size == 8 && f->enc == LEG ? 20 : 16);
}

static bool memory_fits(const struct gllm_operand *o, unsigned bits, bool vsib, bool evex)
{
	if (o->kind != GLLM_O_MEM || (o->size != bits && o->size != 0) || o->scale > 3)
		return false;
	if ((o->index_vec != 0) != vsib)
		return false;
	if (vsib)
		return o->index < (evex ? 32 : 16) && (o->base < 16 || o->base == GLLM_NO_REG) &&
		       in_range(o->imm, INT32_MIN, INT32_MAX);
	if (o->base == GLLM_REG_PC)
		return o->index == GLLM_NO_REG;
	return (o->base < 16 || o->base == GLLM_NO_REG) && (o->index < 16 || o->index == GLLM_NO_REG) &&
	       o->index != X86_RSP && in_range(o->imm, INT32_MIN, INT32_MAX);
}

/* The number of a register as its field has it. */
static inline unsigned register_number(struct fields *p, const struct gllm_operand *o)
{
	unsigned n = o->reg;
	if (o->size == 8 && o->cls == GLLM_R_GPR) {
		p->rex |= n >= 4 && n < 8;
		p->no_rex |= n >= 16;
		n = n >= 16 ? n - 12 : n;
	}
	return n;
}

static bool put_imm(struct fields *p, uint64_t value, unsigned bytes)
{
	p->imm |= value << 8 * p->imm_bytes;
	p->imm_bytes += bytes;
	return true;
}

static bool immediate(struct fields *p, unsigned place, int64_t v, unsigned os)
{
	switch (place) {
	case P_ONE: return v == 1;
	case P_IB:  return in_range(v, 0, 255) && put_imm(p, (uint64_t)v, 1);
	case P_IS:  return in_range(v, -128, 127) && put_imm(p, (uint64_t)v & 0xff, 1);
	case P_IW:  return in_range(v, 0, 65535) && put_imm(p, (uint64_t)v, 2);
	case P_IQ:  return put_imm(p, (uint64_t)v, 8);
	default:
		if (os == 16)
			return in_range(v, INT16_MIN, INT16_MAX) && put_imm(p, (uint64_t)v & 0xffff, 2);
		return in_range(v, INT32_MIN, os == 32 ? (int64_t)UINT32_MAX : INT32_MAX) &&
		       put_imm(p, (uint64_t)v & 0xffffffff, 4);
	}
}

/* Puts a register or memory operand into ModRM.rm. */
static bool put_rm(struct fields *p, const struct gllm_x86_form *f, const struct gllm_insn *in, uint32_t op,
                   const struct gllm_operand *o, unsigned os, unsigned vl)
{
	unsigned place = gllm_x86_place(op), size = gllm_x86_msize(op), bits;

	p->rm = o;
	if (o->kind == GLLM_O_REG) {
		if (place > P_RMR || in->broadcast || !register_fits(f, op, o, os, vl))
			return false;
		p->field[P_RM] = (uint8_t)register_number(p, o);
		return true;
	}
	bits = in->broadcast ? gllm_x86_element(f) * 8 : gllm_x86_bits(size, os, vl, false);
	p->vsib = place == P_VSIB;
	p->unit = f->enc != EVEX ? 1 : f->dec & E4 ? 4 : f->dec & E8 ? 8 : bits / 8;
	return place != P_RMR && memory_fits(o, bits, p->vsib, f->enc == EVEX);
}

/* Puts operand `o` where `op` says; false if it does not fit for this os and vl. */
static bool put_operand(struct fields *p, const struct gllm_x86_form *f, const struct gllm_insn *in, uint32_t op,
                        const struct gllm_operand *o, unsigned os, unsigned vl)
{
	enum gllm_x86_place place = (enum gllm_x86_place)gllm_x86_place(op);

	switch (place) {
	case P_REG: case P_VVV: case P_OPR: case P_IS4:
		if (!register_fits(f, op, o, os, vl))
			return false;
		p->field[place] = (uint8_t)register_number(p, o);
		return place == P_IS4 ? put_imm(p, (uint64_t)p->field[P_IS4] << 4, 1) : !gllm_x86_is_nop(f, p->field[P_OPR]);
	case P_RM: case P_RMR: case P_MEM: case P_VSIB:
		return put_rm(p, f, in, op, o, os, vl);
	case P_ACC:
		return register_fits(f, op, o, os, vl) && o->reg == X86_RAX;
	case P_X0:
		return register_fits(f, op, o, os, vl) && o->reg == 0;
	case P_CL:
		register_number(p, o);
		return register_fits(f, op, o, os, vl) && o->reg == X86_RCX;
	case P_CC:
		p->cc = (uint8_t)(o->imm & 15);
		return o->kind == GLLM_O_COND && in_range(o->imm, 0, 15);
	case P_JB: case P_JZ:
		p->rel = o;
		return o->kind == GLLM_O_REL && put_imm(p, 0, place == P_JB ? 1 : 4);
	case P_ONE: case P_IB: case P_IS: case P_IW: case P_IZ: case P_IQ:
		return o->kind == GLLM_O_IMM && immediate(p, place, o->imm, os);
	case P_NONE:
		break;
	}
	return false;
}

static bool put_operands(struct fields *p, const struct gllm_x86_form *f, const struct gllm_insn *in, unsigned os,
                         unsigned vl)
{
	unsigned n = 0;

	*p = (struct fields){ .unit = 1 };
	for (; n < 4 && f->op[n] != 0; n++)
		if (n >= in->n || !put_operand(p, f, in, f->op[n], &in->op[n], os, vl))
			return false;
	return n == in->n;
}

/* Decorations that the row does not carry, or that contradict each other. */
static bool decoration_fits(const struct gllm_x86_form *f, const struct gllm_insn *in, const struct fields *p, unsigned vl)
{
	bool memory = p->rm != NULL && p->rm->kind == GLLM_O_MEM;

	if (!(in->mask | in->zeroing | in->broadcast | in->rounding | in->rep))
		return !(f->dec & KREQ);
	if (in->mask > 7 || (in->mask && !(f->dec & K)) || (in->zeroing && (!(f->dec & Z) || !in->mask)))
		return false;
	if ((f->dec & KREQ) && !in->mask)
		return false;
	if (in->broadcast && (!memory || gllm_x86_element(f) == 0))
		return false;
	if (in->rounding) {
		if (memory || !(f->dec & (ER | SAE)) || in->rounding > (f->dec & ER ? 4 : 1))
			return false;
		if (!(f->l & LIG) && vl != 2)
			return false;
	}
	switch (in->rep) {
	case 0: return true;
	case 0xf3: return (f->dec & REP) != 0;
	case 0x2e: return (f->dec & PAD) != 0;
	case 0x3e: return (f->dec & NOTRACK) != 0;
	default: return false;
	}
}

/* NULL: the operands need REX and forbid it. */
static unsigned char *put_prefixes(unsigned char *o, const struct gllm_x86_form *f, const struct gllm_insn *in,
                                   const struct fields *p, unsigned os, unsigned vl)
{
	static const unsigned char byte[4] = { 0, 0x66, 0xf3, 0xf2 };
	bool memory = p->rm && p->rm->kind == GLLM_O_MEM;
	unsigned base = p->rm ? p->field[P_RM] : p->field[P_OPR], index = 0, reg = p->field[P_REG], vvv = p->field[P_VVV];
	unsigned w = !(f->w & WIG) && os == 64, b, x = base >> 4, r = reg >> 3 & 1;

	if (memory) {
		base = p->rm->base < 16 ? p->rm->base : 0;
		index = p->rm->index < 32 ? p->rm->index : 0;
		x = index >> 3 & 1;
	}
	b = base >> 3 & 1;
	switch (f->enc) {
	case LEG:
		if (in->rep)
			*o++ = in->rep;
		if (os == 16 && !(f->w & WIG))
			*o++ = 0x66;
		if (f->pp)
			*o++ = byte[f->pp];
		if (p->no_rex && (w | r | x | b || p->rex))
			return NULL;
		if (w | r | x | b || p->rex)
			*o++ = (unsigned char)(0x40 | w << 3 | r << 2 | x << 1 | b);
		if (f->map != MAP_1B)
			*o++ = 0x0f;
		if (f->map == MAP_0F38 || f->map == MAP_0F3A)
			*o++ = f->map == MAP_0F38 ? 0x38 : 0x3a;
		return o;
	case VEX: {
		unsigned low = (~vvv & 15) << 3 | (vl & 1) << 2 | f->pp;
		if (f->map == MAP_0F && !(w | x | b)) {
			*o++ = 0xc5;
			*o++ = (unsigned char)((r ^ 1) << 7 | low);
		} else {
			*o++ = 0xc4;
			*o++ = (unsigned char)((r ^ 1) << 7 | (x ^ 1) << 6 | (b ^ 1) << 5 | f->map);
			*o++ = (unsigned char)(w << 7 | low);
		}
		return o;
	}
	default: {
		unsigned v2 = p->vsib ? index >> 4 : vvv >> 4;
		unsigned ll = in->rounding ? in->rounding - 1u : vl;
		*o++ = 0x62;
		*o++ = (unsigned char)((r ^ 1) << 7 | (x ^ 1) << 6 | (b ^ 1) << 5 | (reg >> 4 ^ 1) << 4 | f->map);
		*o++ = (unsigned char)(w << 7 | (~vvv & 15) << 3 | 4 | f->pp);
		*o++ = (unsigned char)((unsigned)in->zeroing << 7 | ll << 5 | (unsigned)(in->broadcast || in->rounding) << 4 |
		                       (v2 ^ 1) << 3 | in->mask);
		return o;
	}
	}
}

/* ModRM, SIB and displacement. *fixup: where a pc-relative displacement lies. */
static unsigned char *put_memory(unsigned char *o, unsigned reg, const struct fields *p, unsigned char **fixup)
{
	const struct gllm_operand *m = p->rm;
	unsigned base = m->base < 16 ? m->base & 7u : 5, mod, r = (reg & 7) << 3;
	bool sib = p->vsib || m->index != GLLM_NO_REG || m->base == GLLM_NO_REG || base == 4;
	int64_t d = m->imm, unit = (int64_t)p->unit;

	if (m->base == GLLM_REG_PC) {
		*o++ = (unsigned char)(r | 5);
		*fixup = o;
		return o + 4;
	}
	if (m->base == GLLM_NO_REG || (d == 0 && base != 5))
		mod = 0;
	else
		mod = in_range(d, -128 * unit, 127 * unit) && d % unit == 0 ? 1 : 2;
	*o++ = (unsigned char)(mod << 6 | r | (sib ? 4 : base));
	if (sib)
		*o++ = (unsigned char)((unsigned)m->scale << 6 | (m->index == GLLM_NO_REG ? 4 : m->index & 7u) << 3 | base);
	if (mod == 1) {
		*o++ = (unsigned char)(d / unit);
	} else if (mod == 2 || m->base == GLLM_NO_REG) {
		gllm_put_le32(o, (uint32_t)d);
		o += 4;
	}
	return o;
}

static unsigned char *put_opcode(unsigned char *o, const struct gllm_x86_form *f, const struct fields *p,
                                 unsigned char **fixup)
{
	unsigned reg = f->n < 8 ? f->n : p->field[P_REG];

	*o++ = (unsigned char)(f->opcode | p->cc | (f->n == PR ? p->field[P_OPR] & 7 : 0));
	if (f->n >= FIX)
		*o++ = (unsigned char)f->n;
	else if (p->rm && p->rm->kind == GLLM_O_MEM)
		return put_memory(o, reg, p, fixup);
	else if (p->rm)
		*o++ = (unsigned char)(0xc0 | (reg & 7) << 3 | (p->field[P_RM] & 7));
	return o;
}

/* Writes the immediate; displacements are counted from the instruction's end. False if one is out of reach. */
static bool put_tail(unsigned char **at, unsigned char *out, const struct gllm_insn *in, const struct fields *p,
                     unsigned char *fixup)
{
	unsigned char *o = *at;
	uint64_t end;

	if (p->imm_bytes)
		gllm_put_le64(o, p->imm);
	o += p->imm_bytes;
	end = in->addr + (uint64_t)(o - out);
	if (p->rel) {
		int64_t d = (int64_t)((uint64_t)p->rel->imm - end);
		if (p->imm_bytes == 1 ? !in_range(d, -128, 127) : !in_range(d, INT32_MIN, INT32_MAX))
			return false;
		for (unsigned i = 0; i < p->imm_bytes; i++)
			o[(int)i - (int)p->imm_bytes] = (unsigned char)((uint64_t)d >> 8 * i);
	}
	if (fixup) {
		int64_t d = (int64_t)((uint64_t)p->rm->imm - end);
		if (!in_range(d, INT32_MIN, INT32_MAX))
			return false;
		gllm_put_le32(fixup, (uint32_t)d);
	}
	*at = o;
	return true;
}

static size_t encode_as(const struct gllm_x86_form *f, const struct gllm_insn *in, unsigned os, unsigned vl,
                        unsigned char *out)
{
	struct fields p;
	unsigned char *o, *fixup = NULL;

	if (!put_operands(&p, f, in, os, vl) || !decoration_fits(f, in, &p, vl))
		return 0;
	o = put_prefixes(out, f, in, &p, os, vl);
	if (o == NULL)
		return 0;
	o = put_opcode(o, f, &p, &fixup);
	if (!put_tail(&o, out, in, &p, fixup) || o - out > 15)
		return 0;
	return (size_t)(o - out);
}

/* Operands that leave the vector length open (a broadcast operand, a narrowed result) mean in->vl. */
static size_t encode_length(const struct gllm_x86_form *f, const struct gllm_insn *in, unsigned os, unsigned char *out)
{
	unsigned vl = f->l & LIG || in->vl > 2 ? 0 : in->vl;
	size_t n = f->l & LIG || f->l >> vl & 1 ? encode_as(f, in, os, vl, out) : 0;

	for (unsigned i = 0; i < 2 && n == 0 && !(f->l & LIG); i++) {
		vl = vl == 2 ? 0 : vl + 1;
		if (f->l >> vl & 1)
			n = encode_as(f, in, os, vl, out);
	}
	return n;
}

/* The operand size where a register settles it, 0 where none does. */
static unsigned settled_size(const struct gllm_x86_form *f, const struct gllm_insn *in)
{
	for (unsigned k = 0; k < 4 && k < in->n; k++)
		if (gllm_x86_rsize(f->op[k]) == SV && in->op[k].kind == GLLM_O_REG)
			return in->op[k].size;
	return 0;
}

size_t gllm_x86_encode_into(const struct gllm_insn *in, unsigned char out[X86_ROOM])
{
	const struct gllm_x86_form *f;
	size_t n = 0;

	if (in->row >= X86_ROWS)
		return 0;
	f = &gllm_x86_forms[in->row];
	if (f->w & WIG)
		return encode_length(f, in, 64, out);
	unsigned os = settled_size(f, in);
	for (unsigned w = 0; w < 3 && n == 0; w++)
		if ((f->w >> w & 1) && (os == 0 || os == 16u << w))
			n = encode_length(f, in, 16u << w, out);
	return n;
}

size_t gllm_x86_encode(const struct gllm_insn *in, unsigned char *out)
{
	unsigned char bytes[X86_ROOM];
	size_t n = gllm_x86_encode_into(in, bytes);

	for (size_t i = 0; i < n; i++)
		out[i] = bytes[i];
	return n;
}
