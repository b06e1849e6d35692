/* SPDX-License-Identifier: MIT
 * arch/x86_64/encode.c - the table, and its reading from operands to bytes.
 *
 * An instruction is encoded in the row it names; if several operand sizes or vector lengths are in the row's columns, the
 * operands decide. Nothing is written unless every operand fits, and every field has its one canonical value: a decoded
 * instruction encodes to the shortest bytes of its row. */
#include "arch/x86_64/bytes.h"

#define HAS_MODRM(n) ((n) <= NR || (n) == CM || (n) >= FIX ? MODRM : 0)
#define MODRM_OF(n) ((n) < 8 ? ((n) & 7) << 3 : (n) >= FIX ? (n) & 255 : 0)
#define MODRM_MASK(n) ((n) < 8 ? 7 << 3 : (n) >= FIX ? 255 : 0)
#define SOME(place, a, b, c, d, ...) (((a) & 31) == (place) || ((b) & 31) == (place) || ((c) & 31) == (place) || ((d) & 31) == (place))
#define RM_OF(...) (SOME(P_RMR, __VA_ARGS__) ? X86_REGISTER : 0)
#define RM_MASK(...) (SOME(P_RMR, __VA_ARGS__) || SOME(P_MEM, __VA_ARGS__) || SOME(P_VSIB, __VA_ARGS__) ? X86_REGISTER : 0)
#define PREFIX(enc, pp, map) ((enc) == EVEX ? 0x62 | (0xf0u | (map)) << 8 | (0x7cu | (pp)) << 16 | 8u << 24 \
	: (enc) == VEX ? 0xc4 | (0xe0u | (map)) << 8 | (0x78u | (pp)) << 16 : 0)

/* What rows without exceptions of their own are put by: see form.h. */
#define IS_WHOLE(op, place) (((op) & O_(31, 7, 31, 0)) == O_(place, GLLM_R_VEC, SX, 0))
#define IS_RM(op) (IS_WHOLE(op, P_RM) || ((op) & 31) == P_MEM || ((op) & (O_(31, 7, 0, 0))) == O_(P_RM, GLLM_R_VEC, 0, 0))
#define IS_LAST(op) ((op) == 0 || (op) == Ib)
#define VECTORS(rm) (IS_WHOLE(rm, P_RM) ? X86_VECTORS : X86_VECTORS_AT)
#define VECTOR_SHAPE(a, b, c, d, ...) \
	(IS_WHOLE(a, P_REG) && IS_WHOLE(b, P_VVV) && IS_RM(c) && IS_LAST(d) ? VECTORS(c) \
	 : (d) != 0 || !IS_LAST(c) ? X86_OTHER \
	 : IS_WHOLE(a, P_REG) && IS_RM(b) ? VECTORS(b) : IS_RM(a) && IS_WHOLE(b, P_REG) ? VECTORS(a) : X86_OTHER)
#define IS_GENERAL_OF(op, place, size) (((op) & O_(31, 7, 31, 0)) == O_(place, GLLM_R_GPR, size, 0))
#define IS_GENERAL(op, place) (IS_GENERAL_OF(op, place, SV) || IS_GENERAL_OF(op, place, S32) || IS_GENERAL_OF(op, place, S64))
#define IS_NUMBER(op) ((op) == Ib || (op) == Is || (op) == Iz)
#define IS_GENERAL_RM(op) (((op) & 31) == P_MEM || ((op) & O_(31, 7, 0, 0)) == O_(P_RM, GLLM_R_GPR, 0, 0))
#define GENERAL(rm) (IS_GENERAL(rm, P_RM) ? X86_GENERAL : X86_GENERAL_AT)
#define GENERAL_SHAPE(a, b, c, d, ...) \
	((d) != 0 ? X86_OTHER : IS_GENERAL(a, P_REG) && IS_GENERAL_RM(b) && ((c) == 0 || IS_NUMBER(c)) ? GENERAL(b) \
	 : (c) != 0 || !IS_GENERAL_RM(a) ? X86_OTHER : IS_GENERAL(b, P_REG) || IS_NUMBER(b) || (b) == 0 ? GENERAL(a) : X86_OTHER)
#define SHAPE(enc, pp, map, n, dec, ...) \
	((enc) != LEG ? ((dec) & KREQ ? X86_OTHER : VECTOR_SHAPE(__VA_ARGS__, 0, 0, 0, 0)) \
	 : (pp) || (map) > MAP_0F || (n) > NR ? X86_OTHER : GENERAL_SHAPE(__VA_ARGS__, 0, 0, 0, 0))
#define ACCESS_OF(op) (((op) & 31) == P_RM || ((op) & 31) == P_MEM ? (op) >> 16 & 31 : 0)
#define ACCESS(a, b, c, ...) (ACCESS_OF(a) | ACCESS_OF(b) | ACCESS_OF(c))

/* Where the decoder finds the operands; as many as are said. */
#define IN_RM(op) (((op) & 31) >= P_RM && ((op) & 31) <= P_VSIB)
#define IN_BYTES(op) (((op) & 31) == P_IS4 || (((op) & 31) > P_ONE && ((op) & 31) < P_CC))
#define OPERANDS(a, b, c, d, ...) (((a) != 0) + ((b) != 0) + ((c) != 0) + ((d) != 0))
#define WHICH(IS, a, b, c, d, ...) (IS(a) ? 1 : IS(b) ? 2 : IS(c) ? 3 : IS(d) ? 4 : 0)
#define IS_BYTE(op) (((op) & 31) < P_ONE && ((op) & O_(0, 7, 31, 0)) == O_(0, GLLM_R_GPR, S8, 0))
#define HAS_BYTES(...) (WHICH(IS_BYTE, __VA_ARGS__) ? BYTES : 0)
#define IS_FIXED(op) ((op) == Cc || (op) == ONE)
#define RM(...) WHICH(IN_RM, __VA_ARGS__)
#define FIXED(...) WHICH(IS_FIXED, __VA_ARGS__)
#define NUMBER(...) WHICH(IN_BYTES, __VA_ARGS__)
const struct gllm_x86_form gllm_x86_forms[X86_ROWS] = {
#define X(id, text, enc, pp, map, w, l, opc, n, ops, dec, isa, sem, arg, width) \
	{ text, enc, pp, MAP_##map, opc, w, l, n, (dec) | HAS_MODRM(n) | HAS_BYTES(ops, 0, 0, 0, 0), MODRM_OF(n) | RM_OF(ops, 0, 0, 0, 0), \
	  MODRM_MASK(n) | RM_MASK(ops, 0, 0, 0, 0), sem, (uint8_t)(arg), { ops }, isa, PREFIX(enc, pp, MAP_##map), width, \
	  SHAPE(enc, pp, MAP_##map, n, dec, ops), ACCESS(ops, 0, 0, 0), OPERANDS(ops, 0, 0, 0, 0), (RM(ops, 0, 0, 0, 0) - 1) & 3, \
	  RM(ops, 0, 0, 0, 0) ? 0xc0 : 0, NUMBER(ops, 0, 0, 0, 0), FIXED(ops, 0, 0, 0, 0) },
#include "arch/x86_64/insn.def"
#undef X
};

struct fields { /* operands of a legacy form, sorted by place */
	uint8_t field[P_OPR + 1];      /* register numbers by place */
	uint8_t cc;
	bool rex;                      /* spl.. need the prefix even if its bits are 0 */
	bool no_rex;                   /* ah..bh cannot be named with it */
	const struct gllm_operand *rm; /* NULL: none */
	const struct gllm_operand *rel;
	uint64_t imm;
	unsigned imm_bytes;
};

static inline bool in_range(int64_t v, int64_t least, int64_t greatest)
{
	return v >= least && v <= greatest;
}

#define SIZES(os, vl, h, q, e) { [S8] = 8, [S16] = 16, [S32] = 32, [S64] = 64, [S128] = 128, [S256] = 256, [S512] = 512, \
	[SV] = os, [SX] = 128 << (vl), [SXH] = h, [SXQ] = q, [SXE] = e, [SDUP] = (vl) ? 128 << (vl) : 64 }
#define REGISTER_SIZES(os) { SIZES(os, 0, 128, 128, 128), SIZES(os, 1, 128, 128, 128), SIZES(os, 2, 256, 128, 128) }
#define MEMORY_SIZES(os) { SIZES(os, 0, 64, 32, 16), SIZES(os, 1, 128, 64, 32), SIZES(os, 2, 256, 128, 64) }
const uint16_t gllm_x86_register_sizes[3][3][16] = { REGISTER_SIZES(16), REGISTER_SIZES(32), REGISTER_SIZES(64) };
const uint16_t gllm_x86_memory_sizes[3][3][16] = { MEMORY_SIZES(16), MEMORY_SIZES(32), MEMORY_SIZES(64) };

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

static inline bool memory_fits(const struct gllm_operand *o, unsigned bits, bool vsib, bool evex)
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

/* The displacement that stands `tail` bytes before the end of the instruction, which is `o`. False if it is out of reach. */
static bool put_pc_relative(unsigned char *o, unsigned tail, const struct gllm_operand *m, uint64_t end)
{
	int64_t d = (int64_t)((uint64_t)m->imm - end);

	gllm_put_le32(o - tail - 4, (uint32_t)d);
	return in_range(d, INT32_MIN, INT32_MAX);
}

/* Decorations that the row does not carry, or that contradict each other. */
static inline bool decoration_fits(const struct gllm_x86_form *f, const struct gllm_insn *in, const struct gllm_operand *memory,
                                   unsigned vl)
{
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

/* --- legacy forms --------------------------------------------------------------------------------------------------- */

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
static bool put_rm(struct fields *p, const struct gllm_x86_form *f, uint32_t op, const struct gllm_operand *o, unsigned os)
{
	unsigned place = gllm_x86_place(op);

	p->rm = o;
	if (o->kind != GLLM_O_REG)
		return place != P_RMR && memory_fits(o, gllm_x86_bits(gllm_x86_msize(op), os, 0, false), false, false);
	if (place > P_RMR || !register_fits(f, op, o, os, 0))
		return false;
	p->field[P_RM] = (uint8_t)register_number(p, o);
	return true;
}

/* Puts operand `o` where `op` says; false if it does not fit for this os. */
static bool put_operand(struct fields *p, const struct gllm_x86_form *f, uint32_t op, const struct gllm_operand *o, unsigned os)
{
	enum gllm_x86_place place = (enum gllm_x86_place)gllm_x86_place(op);

	switch (place) {
	case P_REG: case P_OPR:
		if (!register_fits(f, op, o, os, 0))
			return false;
		p->field[place] = (uint8_t)register_number(p, o);
		return !gllm_x86_is_nop(f, p->field[P_OPR]);
	case P_RM: case P_RMR: case P_MEM:
		return put_rm(p, f, op, o, os);
	case P_ACC:
		return register_fits(f, op, o, os, 0) && o->reg == X86_RAX;
	case P_X0:
		return register_fits(f, op, o, os, 0) && o->reg == 0;
	case P_CL:
		register_number(p, o);
		return register_fits(f, op, o, os, 0) && o->reg == X86_RCX;
	case P_CC:
		p->cc = (uint8_t)(o->imm & 15);
		return o->kind == GLLM_O_COND && in_range(o->imm, 0, 15);
	case P_JB: case P_JZ:
		p->rel = o;
		return o->kind == GLLM_O_REL && put_imm(p, 0, place == P_JB ? 1 : 4);
	case P_ONE: case P_IB: case P_IS: case P_IW: case P_IZ: case P_IQ:
		return o->kind == GLLM_O_IMM && immediate(p, place, o->imm, os);
	case P_VVV: case P_IS4: case P_VSIB: case P_NONE:
		break;
	}
	return false;
}

static bool put_operands(struct fields *p, const struct gllm_x86_form *f, const struct gllm_insn *in, unsigned os)
{
	unsigned n = 0;

	*p = (struct fields){ .rm = NULL };
	for (; n < 4 && f->op[n] != 0; n++)
		if (n >= in->n || !put_operand(p, f, f->op[n], &in->op[n], os))
			return false;
	return n == in->n;
}

/* NULL: the operands need REX and forbid it. */
static unsigned char *put_prefixes(unsigned char *o, const struct gllm_x86_form *f, const struct gllm_insn *in,
                                   const struct fields *p, unsigned os)
{
	static const unsigned char byte[4] = { 0, 0x66, 0xf3, 0xf2 };
	unsigned base = p->rm ? p->field[P_RM] : p->field[P_OPR], index = 0, w = !(f->w & WIG) && os == 64;

	if (p->rm && p->rm->kind == GLLM_O_MEM) {
		base = p->rm->base < 16 ? p->rm->base : 0;
		index = p->rm->index < 16 ? p->rm->index : 0;
	}
	unsigned r = p->field[P_REG] >> 3, rex = w << 3 | r << 2 | (index >> 3) << 1 | base >> 3;
	if (in->rep)
		*o++ = in->rep;
	if (os == 16 && !(f->w & WIG))
		*o++ = 0x66;
	if (f->pp)
		*o++ = byte[f->pp];
	if (rex || p->rex) {
		if (p->no_rex)
			return NULL;
		*o++ = (unsigned char)(0x40 | rex);
	}
	if (f->map != MAP_1B)
		*o++ = 0x0f;
	if (f->map == MAP_0F38 || f->map == MAP_0F3A)
		*o++ = f->map == MAP_0F38 ? 0x38 : 0x3a;
	return o;
}

static unsigned char *put_opcode(unsigned char *o, const struct gllm_x86_form *f, const struct fields *p)
{
	unsigned reg = f->n < 8 ? f->n : p->field[P_REG];

	*o++ = (unsigned char)(f->opcode | p->cc | (f->n == PR ? p->field[P_OPR] & 7 : 0));
	if (f->n >= FIX)
		*o++ = (unsigned char)f->n;
	else if (p->rm && p->rm->kind == GLLM_O_MEM)
		return gllm_x86_put_memory(o, reg, p->rm, 0);
	else if (p->rm)
		*o++ = (unsigned char)(0xc0 | (reg & 7) << 3 | (p->field[P_RM] & 7));
	return o;
}

/* Writes the immediate; displacements are counted from the instruction's end. False if one is out of reach. */
static bool put_tail(unsigned char **at, unsigned char *out, const struct gllm_insn *in, const struct fields *p)
{
	unsigned char *o = *at;
	uint64_t end;

	if (p->imm_bytes)
		gllm_put_le64(o, p->imm);
	o += p->imm_bytes;
	*at = o;
	end = in->addr + (uint64_t)(o - out);
	if (p->rel) {
		int64_t d = (int64_t)((uint64_t)p->rel->imm - end);
		if (p->imm_bytes == 1 ? !in_range(d, -128, 127) : !in_range(d, INT32_MIN, INT32_MAX))
			return false;
		for (unsigned i = 0; i < p->imm_bytes; i++)
			o[(int)i - (int)p->imm_bytes] = (unsigned char)((uint64_t)d >> 8 * i);
	}
	return !p->rm || p->rm->kind != GLLM_O_MEM || p->rm->base != GLLM_REG_PC || put_pc_relative(o, p->imm_bytes, p->rm, end);
}

static size_t encode_legacy(const struct gllm_x86_form *f, const struct gllm_insn *in, unsigned os, unsigned char *out)
{
	struct fields p;
	unsigned char *o;

	if (!put_operands(&p, f, in, os) || !decoration_fits(f, in, p.rm && p.rm->kind == GLLM_O_MEM ? p.rm : NULL, 0))
		return 0;
	o = put_prefixes(out, f, in, &p, os);
	if (o == NULL)
		return 0;
	o = put_opcode(o, f, &p);
	if (!put_tail(&o, out, in, &p) || o - out > 15)
		return 0;
	return (size_t)(o - out);
}

/* --- VEX and EVEX --------------------------------------------------------------------------------------------------- */

#define PLACE(p) UINT32_C(1) << P_##p
enum {
	REGISTERS = PLACE(REG) | PLACE(RM) | PLACE(RMR) | PLACE(VVV) | PLACE(IS4),
	ADDRESSES = PLACE(RM) | PLACE(MEM) | PLACE(VSIB),
};

struct vector_fields { /* operands of a form with VEX or EVEX */
	uint8_t number[P_IS4 + 1];     /* of registers, by place */
	uint8_t imm, imm_bytes;
	const struct gllm_operand *m;  /* NULL: none */
	uint32_t address;              /* what the row says of m */
};

static inline bool put_vector_operands(struct vector_fields *p, const struct gllm_x86_form *f, const struct gllm_insn *in,
                                       unsigned os, unsigned vl)
{
	unsigned n = 0;

	*p = (struct vector_fields){ .m = NULL };
	for (; n < in->n && n < 4; n++) {
		const struct gllm_operand *o = &in->op[n];
		uint32_t op = f->op[n], place = gllm_x86_place(op);

		if (o->kind == GLLM_O_REG && (REGISTERS >> place & 1) && register_fits(f, op, o, os, vl)) {
			p->number[place] = o->reg;
			p->imm_bytes |= place == P_IS4;
		} else if (o->kind == GLLM_O_MEM && (ADDRESSES >> place & 1)) {
			p->m = o;
			p->address = op;
		} else if (o->kind == GLLM_O_IMM && place == P_IB && in_range(o->imm, 0, 255)) {
			p->imm = (uint8_t)o->imm;
			p->imm_bytes = 1;
		} else {
			return false;
		}
	}
	return n == in->n && (n == 4 || f->op[n] == 0);
}

static size_t encode_vector(const struct gllm_x86_form *f, const struct gllm_insn *in, unsigned os, unsigned vl,
                            unsigned char *out)
{
	struct vector_fields p;
	unsigned shift = 0;

	if (!put_vector_operands(&p, f, in, os, vl) || !decoration_fits(f, in, p.m, vl))
		return 0;
	uint32_t reg = p.number[P_REG], rm = p.number[P_RM] | p.number[P_RMR], vvv = p.number[P_VVV];
	if (p.m) {
		unsigned bits = in->broadcast ? gllm_x86_element(f) * 8 : gllm_x86_bits(gllm_x86_msize(p.address), os, vl, false);

		if (!memory_fits(p.m, bits, gllm_x86_place(p.address) == P_VSIB, f->enc == EVEX))
			return 0;
		shift = gllm_x86_disp_shift(f, bits);
		rm = gllm_x86_address_bits(p.m);
		vvv |= p.m->index_vec ? p.m->index & 16u : 0;
	}
	vl = in->rounding ? in->rounding - 1u : vl;
	uint32_t decoration = gllm_x86_decoration(in->mask, in->zeroing, in->broadcast | (in->rounding != 0));
	unsigned char *o = gllm_x86_put_prefix(out, f, decoration, reg, rm, vvv, os == 64 && !(f->w & WIG), vl);
	*o++ = f->opcode;
	reg = f->n < 8 ? f->n : reg;
	if (p.m)
		o = gllm_x86_put_memory(o, reg, p.m, shift);
	else if (f->dec & MODRM)
		*o++ = (unsigned char)(f->n >= FIX ? (unsigned)f->n : 0xc0 | (reg & 7) << 3 | (rm & 7));
	if (p.imm_bytes)
		*o++ = (unsigned char)(p.imm | p.number[P_IS4] << 4);
	if (p.m && p.m->base == GLLM_REG_PC && !put_pc_relative(o, p.imm_bytes, p.m, in->addr + (uint64_t)(o - out)))
		return 0;
	return (size_t)(o - out);
}

/* Operands that leave the vector length open (a broadcast operand, a narrowed result) mean in->vl. */
static size_t encode_length(const struct gllm_x86_form *f, const struct gllm_insn *in, unsigned os, unsigned char *out)
{
	unsigned vl = f->l & LIG || in->vl > 2 ? 0 : in->vl;
	size_t n = f->l & (LIG | 1u << vl) ? encode_vector(f, in, os, vl, out) : 0;

	for (unsigned more = 0; more < 3 && n == 0 && !(f->l & LIG); more++)
		if (f->l >> more & 1)
			n = encode_vector(f, in, os, more, out);
	return n;
}

/* --- either --------------------------------------------------------------------------------------------------------- */

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
	unsigned sizes = f->w & WIG ? W1 : f->w;
	if (sizes & (sizes - 1)) {
		unsigned os = settled_size(f, in);
		sizes &= os ? os >> 4 : sizes;
	}
	for (; sizes && n == 0; sizes &= sizes - 1) {
		unsigned os = 16 * (sizes & -sizes);
		n = f->enc == LEG ? encode_legacy(f, in, os, out) : encode_length(f, in, os, out);
	}
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
