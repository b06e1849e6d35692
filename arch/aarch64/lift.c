/* SPDX-License-Identifier: MIT
 * arch/aarch64/lift.c - what an instruction means, in the micro-operations of core/sem.h.
 *
 * The sem column of insn.def names a shape; each shape is one short function here. Vector registers are followed as
 * the low lane of scalar code: bitwise operations and constants of vectors are said as patterns of the whole register,
 * everything else on vectors, and every 16-bit float, is GLLM_NOT_LIFTED. A pattern that is `imm` and 128 bits wide is
 * the 64-bit pattern in both halves.
 *
 * A micro-operation may overwrite a register that a later one of the same instruction reads only where the machine does
 * too; hence results go through temporaries until the last one. */
#include "arch/aarch64/form.h"

enum { T0 = GLLM_LOC_T0, T1, T2, NIL = GLLM_LOC_NONE };

struct lift {
	const struct gllm_insn *in;
	struct gllm_sem *out;
	unsigned p, q, r;  /* parameters of the sem column */
	bool refused;
};

static struct gllm_sem_op_rec *emit(struct lift *l, unsigned op, unsigned w, unsigned d, unsigned a, unsigned b)
{
	struct gllm_sem_op_rec *m = &l->out->op[l->out->n++]; /* no shape emits more than GLLM_SEM_MAX */
	*m = (struct gllm_sem_op_rec){ .op = (uint8_t)op, .w = (uint8_t)w, .cc = GLLM_CC_ALWAYS, .fcc = GLLM_CC_ALWAYS,
	                               .d = (uint8_t)d, .a = (uint8_t)a, .b = (uint8_t)b, .c = NIL };
	return m;
}

static void emit_imm(struct lift *l, unsigned op, unsigned w, unsigned d, unsigned a, int64_t imm)
{
	emit(l, op, w, d, a, NIL)->imm = imm;
}

static unsigned loc_of(const struct gllm_operand *o)
{
	if (o->cls == GLLM_R_VEC)
		return GLLM_LOC_V0 + o->reg;
	return o->reg == A64_ZR ? GLLM_LOC_ZERO : GLLM_LOC_R0 + o->reg;
}

static unsigned loc(const struct lift *l, unsigned i) { return loc_of(&l->in->op[i]); }
static unsigned width(const struct lift *l, unsigned i) { return l->in->op[i].size; }
static int64_t imm(const struct lift *l, unsigned i) { return l->in->op[i].imm; }

static uint64_t ones(unsigned n) { return n >= 64 ? ~UINT64_C(0) : (UINT64_C(1) << n) - 1; }

/* --- integers ------------------------------------------------------------------------------------------------------- */

/* The last source operand: a register, shifted or extended into a temporary if need be, or a constant. */
struct source { unsigned loc; int64_t imm; };

static unsigned rotate(struct lift *l, unsigned w, unsigned a, unsigned by)
{
	emit_imm(l, GLLM_S_SHR, w, T0, a, by);
	emit_imm(l, GLLM_S_SHL, w, T1, a, w - by);
	emit(l, GLLM_S_OR, w, T0, T0, T1);
	return T0;
}

static unsigned shifted(struct lift *l, const struct gllm_operand *o, unsigned w)
{
	static const uint8_t op[] = { GLLM_S_SHL, GLLM_S_SHR, GLLM_S_SAR };
	static const uint8_t extended_bits[] = { 8, 16, 32, 64 };
	unsigned r = loc_of(o);
	if (o->shift >= A64_UXTB) {
		unsigned bits = extended_bits[(o->shift - A64_UXTB) & 3];
		if (bits < w) {
			emit(l, o->shift >= A64_SXTB ? GLLM_S_SEXT : GLLM_S_ZEXT, bits, T0, r, NIL);
			r = T0;
		}
		if (o->amount) {
			emit_imm(l, GLLM_S_SHL, w, T0, r, o->amount);
			r = T0;
		}
		return r;
	}
	if (o->amount == 0)
		return r;
	if (o->shift == A64_ROR)
		return rotate(l, w, r, o->amount);
	emit_imm(l, op[o->shift], w, T0, r, o->amount);
	return T0;
}

static struct source last_source(struct lift *l, unsigned w)
{
	const struct gllm_operand *o = &l->in->op[l->in->n - 1];
	if (o->kind == GLLM_O_IMM)
		return (struct source){ NIL, (int64_t)((uint64_t)o->imm << o->amount) };
	return (struct source){ shifted(l, o, w), 0 };
}

static struct source inverted(struct lift *l, struct source s, unsigned w)
{
	emit(l, GLLM_S_NOT, w, T0, s.loc, NIL);
	return (struct source){ T0, 0 };
}

static void binary(struct lift *l, unsigned op, unsigned w, unsigned d, unsigned a, struct source b)
{
	bool neutral = b.loc == NIL && b.imm == 0 && (op == GLLM_S_ADD || op == GLLM_S_SUB);
	if (a == GLLM_LOC_ZERO && (op == GLLM_S_OR || op == GLLM_S_ADD || op == GLLM_S_XOR))
		emit_imm(l, GLLM_S_MOV, w, d, b.loc, b.imm);
	else if (a == GLLM_LOC_ZERO && op == GLLM_S_SUB && b.loc != NIL)
		emit(l, GLLM_S_NEG, w, d, b.loc, NIL);
	else if (neutral)
		emit(l, GLLM_S_MOV, w, d, a, NIL);
	else
		emit(l, op, w, d, a, b.loc)->imm = b.imm;
}

static void lift_alu(struct lift *l, bool invert, bool flags)
{
	unsigned w = width(l, 0), d = loc(l, 0), a = loc(l, 1);
	struct source b = last_source(l, w);
	if (invert)
		b = inverted(l, b, w);
	if (flags)
		emit(l, l->q, w, GLLM_LOC_FLAGS, a, b.loc)->imm = b.imm;
	if (!flags || d != GLLM_LOC_ZERO)
		binary(l, l->p, w, d, a, b);
}

static void lift_movewide(struct lift *l)
{
	unsigned w = width(l, 0), d = loc(l, 0);
	uint64_t shift = l->in->op[1].amount, v = (uint64_t)imm(l, 1) << shift;
	if (l->p == A64_MOVK) {
		emit_imm(l, GLLM_S_AND, w, T0, d, (int64_t)~(UINT64_C(0xffff) << shift));
		emit_imm(l, GLLM_S_OR, w, d, T0, (int64_t)v);
	} else {
		emit_imm(l, GLLM_S_MOV, w, d, NIL, (int64_t)((l->p == A64_MOVN ? ~v : v) & ones(w)));
	}
}

/* bfm: the field of `bits` bits at `from` replaces the one at `to` in d. */
static void insert_field(struct lift *l, unsigned w, unsigned from, unsigned to, unsigned bits)
{
	unsigned d = loc(l, 0), a = loc(l, 1);
	uint64_t field = ones(bits) << to;
	emit_imm(l, GLLM_S_AND, w, T0, d, (int64_t)(~field & ones(w)));
	if (a != GLLM_LOC_ZERO) {
		unsigned by = from ? from : to;
		if (by)
			emit_imm(l, from ? GLLM_S_SHR : GLLM_S_SHL, w, T1, a, by);
		emit_imm(l, GLLM_S_AND, w, T1, by ? T1 : a, (int64_t)field);
		emit(l, GLLM_S_OR, w, d, T0, T1);
	} else {
		emit(l, GLLM_S_MOV, w, d, T0, NIL);
	}
}

static void unsigned_field(struct lift *l, unsigned w, unsigned from, unsigned to, unsigned bits)
{
	unsigned d = loc(l, 0), a = loc(l, 1);
	if (from + bits == w && !to) {
		emit_imm(l, GLLM_S_SHR, w, d, a, from);
	} else if (to && to + bits == w) {
		emit_imm(l, GLLM_S_SHL, w, d, a, to);
	} else if (!from && !to && (bits == 8 || bits == 16 || bits == 32)) {
		emit(l, GLLM_S_ZEXT, bits, d, a, NIL);
	} else {
		if (from)
			emit_imm(l, GLLM_S_SHR, w, T0, a, from);
		emit_imm(l, GLLM_S_AND, w, to ? T0 : d, from ? T0 : a, (int64_t)ones(bits));
		if (to)
			emit_imm(l, GLLM_S_SHL, w, d, T0, to);
	}
}

static void signed_field(struct lift *l, unsigned w, unsigned from, unsigned to, unsigned bits)
{
	unsigned d = loc(l, 0), a = loc(l, 1), up = w - from - bits;
	if (!from && !to && (bits == 8 || bits == 16 || bits == 32) && bits < w) {
		emit_imm(l, GLLM_S_SEXT, bits, d, a, w == 32 ? 32 : 0);
		return;
	}
	if (up)
		emit_imm(l, GLLM_S_SHL, w, T0, a, up);
	emit_imm(l, GLLM_S_SAR, w, d, up ? T0 : a, up + from - to);
}

static void lift_bitfield(struct lift *l)
{
	unsigned w = width(l, 0), r = (unsigned)imm(l, 2), s = (unsigned)imm(l, 3);
	unsigned from = s >= r ? r : 0, to = s >= r ? 0 : w - r, bits = s >= r ? s - r + 1 : s + 1;
	if (l->p == A64_BFM)
		insert_field(l, w, from, to, bits);
	else if (l->p == A64_UBFM)
		unsigned_field(l, w, from, to, bits);
	else
		signed_field(l, w, from, to, bits);
}

static void lift_extract(struct lift *l)
{
	unsigned w = width(l, 0), by = (unsigned)imm(l, 3);
	if (by == 0) {
		emit(l, GLLM_S_MOV, w, loc(l, 0), loc(l, 2), NIL);
		return;
	}
	emit_imm(l, GLLM_S_SHR, w, T0, loc(l, 2), by);
	emit_imm(l, GLLM_S_SHL, w, T1, loc(l, 1), w - by);
	emit(l, GLLM_S_OR, w, loc(l, 0), T0, T1);
}

static void lift_rotate(struct lift *l) /* by a register: shift counts are taken modulo w, so -n serves for w - n */
{
	unsigned w = width(l, 0);
	emit(l, GLLM_S_SHR, w, T0, loc(l, 1), loc(l, 2));
	emit(l, GLLM_S_NEG, w, T1, loc(l, 2), NIL);
	emit(l, GLLM_S_SHL, w, T1, loc(l, 1), T1);
	emit(l, GLLM_S_OR, w, loc(l, 0), T0, T1);
}

static void lift_muladd(struct lift *l, unsigned w, unsigned n, unsigned m)
{
	unsigned d = loc(l, 0), a = loc(l, 3);
	bool plain = a == GLLM_LOC_ZERO && l->p == GLLM_S_ADD;
	emit(l, GLLM_S_MUL, w, plain ? d : T0, n, m);
	if (!plain)
		binary(l, l->p, w, d, a, (struct source){ T0, 0 });
}

static void lift_mullong(struct lift *l)
{
	emit(l, l->q, 32, T0, loc(l, 1), NIL);
	emit(l, l->q, 32, T1, loc(l, 2), NIL);
	lift_muladd(l, 64, T0, T1);
}

/* --- conditions and control flow ------------------------------------------------------------------------------------ */

/* After fcmp: less N, equal Z and C, greater C, unordered C and V. */
static const struct { uint8_t cc, fcc; } conditions[16] = {
	[A64_EQ] = { GLLM_CC_EQ, GLLM_CC_FOEQ },     [A64_NE] = { GLLM_CC_NE, GLLM_CC_FUNE },
	[A64_HS] = { GLLM_CC_UGE, GLLM_CC_FUGE },    [A64_LO] = { GLLM_CC_ULT, GLLM_CC_FOLT },
	[A64_MI] = { GLLM_CC_SNEG, GLLM_CC_FOLT },   [A64_PL] = { GLLM_CC_SPOS, GLLM_CC_FUGE },
	[A64_VS] = { GLLM_CC_OVF, GLLM_CC_FUNO },    [A64_VC] = { GLLM_CC_NOVF, GLLM_CC_FORD },
	[A64_HI] = { GLLM_CC_UGT, GLLM_CC_FUGT },    [A64_LS] = { GLLM_CC_ULE, GLLM_CC_FOLE },
	[A64_GE] = { GLLM_CC_SGE, GLLM_CC_FOGE },    [A64_LT] = { GLLM_CC_SLT, GLLM_CC_FULT },
	[A64_GT] = { GLLM_CC_SGT, GLLM_CC_FOGT },    [A64_LE] = { GLLM_CC_SLE, GLLM_CC_FULE },
	[A64_AL] = { GLLM_CC_ALWAYS, GLLM_CC_ALWAYS }, [A64_NV] = { GLLM_CC_ALWAYS, GLLM_CC_ALWAYS },
};

static void set_condition(struct gllm_sem_op_rec *m, int64_t cond)
{
	m->cc = conditions[cond & 15].cc;
	m->fcc = conditions[cond & 15].fcc;
}

static void select_between(struct lift *l, unsigned w, unsigned a, unsigned b, int64_t cond)
{
	if ((cond & 15) >= A64_AL)
		emit(l, GLLM_S_MOV, w, loc(l, 0), a, NIL);
	else
		set_condition(emit(l, GLLM_S_SELECT, w, loc(l, 0), a, b), cond);
}

/* p: what happens to the second source before it is chosen */
static void lift_csel(struct lift *l)
{
	unsigned w = width(l, 0), n = loc(l, 1), m = loc(l, 2);
	int64_t cond = imm(l, 3);
	if (l->p == GLLM_S_ADD && n == GLLM_LOC_ZERO && m == GLLM_LOC_ZERO && cond < A64_AL) {
		set_condition(emit(l, GLLM_S_SETCC, w, loc(l, 0), NIL, NIL), cond ^ 1);
		return;
	}
	if (l->p == GLLM_S_ADD)
		emit_imm(l, GLLM_S_ADD, w, T0, m, 1);
	else if (l->p != GLLM_S_MOV)
		emit(l, l->p, w, T0, m, NIL);
	select_between(l, w, n, l->p == GLLM_S_MOV ? m : T0, cond);
}

static void lift_ccmp(struct lift *l, bool negate)
{
	const struct gllm_operand *b = &l->in->op[1];
	int64_t cond = imm(l, 3), value = b->kind == GLLM_O_IMM ? b->imm : 0;
	if (width(l, 0) == 16 || cond >= A64_AL || (negate && value == 0)) { /* adding 0 never carries, subtracting it does */
		l->refused = true;
		return;
	}
	struct gllm_sem_op_rec *m = emit(l, negate ? GLLM_S_CCMP : l->p, width(l, 0), GLLM_LOC_FLAGS, loc(l, 0),
	                                 b->kind == GLLM_O_IMM ? NIL : loc_of(b));
	m->imm = negate ? -value : value;
	m->scale = (uint8_t)imm(l, 2);
	set_condition(m, cond);
}

static void lift_branch(struct lift *l)
{
	int64_t cond = imm(l, 0);
	struct gllm_sem_op_rec *m = emit(l, cond < A64_AL ? GLLM_S_BRANCH : GLLM_S_JUMP, 64, NIL, NIL, NIL);
	m->imm = imm(l, 1);
	set_condition(m, cond);
}

static void lift_brbit(struct lift *l)
{
	struct gllm_sem_op_rec *m = emit(l, GLLM_S_BRBIT, 64, NIL, loc(l, 0), (unsigned)imm(l, 1));
	m->imm = imm(l, 2);
	m->scale = (uint8_t)l->p;
}

static void lift_ret(struct lift *l)
{
	if (l->in->op[0].reg == 30)
		emit(l, GLLM_S_RET, 64, NIL, NIL, NIL);
	else
		emit(l, GLLM_S_JUMP, 64, NIL, loc(l, 0), NIL);
}

/* Hints change nothing but timing and control-flow checks. paciasp and autiasp are each other's inverse around a body, so
 * x30 may be followed as if unsigned; those that sign x17 or strip x30 alone are refused. */
static void lift_hint(struct lift *l)
{
	int64_t v = l->in->row == A64_HINT ? imm(l, 0) : 0;
	if (v == 7 || v == 8 || v == 10 || v == 12 || v == 14)
		l->refused = true;
	else
		emit(l, GLLM_S_NOP, 64, NIL, NIL, NIL);
}

/* --- memory --------------------------------------------------------------------------------------------------------- */

struct address { unsigned base, index, scale; int64_t disp; };

/* The address of an access; writeback before it is emitted here, after it by finish_writeback. */
static struct address address_of(struct lift *l, const struct gllm_operand *o)
{
	struct address at = { GLLM_LOC_R0 + o->base, NIL, o->scale, o->imm };
	if (o->base == GLLM_REG_PC)
		return (struct address){ NIL, NIL, 0, o->imm };
	if (o->index != GLLM_NO_REG) {
		at.index = o->index == A64_ZR ? GLLM_LOC_ZERO : GLLM_LOC_R0 + o->index;
		if (o->shift == A64_UXTW || o->shift == A64_SXTW) {
			emit(l, o->shift == A64_UXTW ? GLLM_S_ZEXT : GLLM_S_SEXT, 32, T2, at.index, NIL);
			at.index = T2;
		}
	}
	if (o->amount == A64_PRE)
		emit_imm(l, GLLM_S_ADD, 64, at.base, at.base, o->imm);
	if (o->amount != A64_OFFSET)
		at.disp = 0;
	return at;
}

static void finish_writeback(struct lift *l, const struct gllm_operand *o)
{
	if (o->amount == A64_POST)
		emit_imm(l, GLLM_S_ADD, 64, GLLM_LOC_R0 + o->base, GLLM_LOC_R0 + o->base, o->imm);
}

static void access(struct lift *l, unsigned op, unsigned bits, unsigned value, struct address at)
{
	struct gllm_sem_op_rec *m = emit(l, op, bits, op == GLLM_S_LOAD ? value : NIL, at.base, at.index);
	if (op == GLLM_S_STORE)
		m->c = (uint8_t)value;
	m->scale = (uint8_t)at.scale;
	m->imm = at.disp;
}

static void load(struct lift *l, unsigned d, struct address at)
{
	access(l, GLLM_S_LOAD, l->p, d, at);
	if (l->q)
		emit_imm(l, GLLM_S_SEXT, l->p, d, d, l->q == 32 ? 32 : 0);
}

static void lift_access(struct lift *l, bool store)
{
	const struct gllm_operand *o = &l->in->op[1];
	struct address at = address_of(l, o);
	if (store)
		access(l, GLLM_S_STORE, l->p, loc(l, 0), at);
	else
		load(l, loc(l, 0), at);
	finish_writeback(l, o);
}

static void lift_pair(struct lift *l, bool store)
{
	const struct gllm_operand *o = &l->in->op[2];
	struct address at = address_of(l, o), next = at;
	next.disp += (int64_t)(l->p / 8);
	if (store) {
		access(l, GLLM_S_STORE, l->p, loc(l, 0), at);
		access(l, GLLM_S_STORE, l->p, loc(l, 1), next);
	} else {
		bool clobbers = loc(l, 0) == at.base; /* both addresses are formed before the first register changes */
		load(l, clobbers ? T0 : loc(l, 0), at);
		load(l, loc(l, 1), next);
		if (clobbers)
			emit(l, GLLM_S_MOV, 64, loc(l, 0), T0, NIL);
	}
	finish_writeback(l, o);
}

/* --- floats --------------------------------------------------------------------------------------------------------- */

static bool float_width(struct lift *l, unsigned w)
{
	l->refused |= w != 32 && w != 64;
	return !l->refused;
}

static void lift_float_move(struct lift *l)
{
	const struct gllm_operand *s = &l->in->op[1];
	if (!float_width(l, width(l, 0)))
		return;
	emit_imm(l, GLLM_S_MOV, width(l, 0), loc(l, 0), s->kind == GLLM_O_IMM ? NIL : loc_of(s),
	         s->kind == GLLM_O_IMM ? s->imm : 0);
}

static void lift_float_compare(struct lift *l)
{
	if (float_width(l, width(l, 0)))
		emit(l, GLLM_S_FCMP, width(l, 0), GLLM_LOC_FLAGS, loc(l, 0),
		     l->in->op[1].kind == GLLM_O_IMM ? NIL : loc(l, 1));
}

static void lift_float_mask(struct lift *l)
{
	unsigned w = width(l, 0), b = T0;
	if (!float_width(l, w))
		return;
	if (l->in->op[2].kind == GLLM_O_IMM)
		emit_imm(l, GLLM_S_MOV, w, T0, NIL, 0);
	else
		b = loc(l, 2);
	unsigned a = loc(l, 1);
	if (l->q) {
		emit(l, GLLM_S_FABS, w, T1, a, NIL);
		emit(l, GLLM_S_FABS, w, T0, b, NIL);
		a = T1, b = T0;
	}
	struct gllm_sem_op_rec *m = emit(l, GLLM_S_FMASK, w, loc(l, 0), a, b);
	m->cc = m->fcc = (uint8_t)l->p;
}

static void lift_float3(struct lift *l)
{
	if (float_width(l, width(l, 0)))
		emit(l, l->p, width(l, 0), loc(l, 0), loc(l, 1), loc(l, 2))->c = (uint8_t)loc(l, 3);
}

/* fmla s0, s1, v2.s[0]: with lane 0 it is scalar code */
static void lift_float_lane(struct lift *l)
{
	l->refused = l->in->op[2].lane_index != 0;
	if (float_width(l, width(l, 0))) {
		struct gllm_sem_op_rec *m = emit(l, l->p, width(l, 0), loc(l, 0), loc(l, 1), loc(l, 2));
		if (l->p != GLLM_S_FMUL)
			m->c = (uint8_t)loc(l, 0);
	}
}

static void lift_convert(struct lift *l)
{
	unsigned to = width(l, 0), from = width(l, 1);
	switch (l->p) {
	case GLLM_S_F2F:
		emit_imm(l, GLLM_S_F2F, to, loc(l, 0), loc(l, 1), from);
		break;
	case GLLM_S_I2F:
	case GLLM_S_U2F:
		if (float_width(l, to))
			emit_imm(l, l->p, to, loc(l, 0), loc(l, 1), from);
		break;
	default:
		if (float_width(l, from))
			emit_imm(l, l->p, from, loc(l, 0), loc(l, 1), to);
		break;
	}
}

static void lift_rounded(struct lift *l)
{
	if (float_width(l, width(l, 1))) {
		emit_imm(l, GLLM_S_FRINT, width(l, 1), T0, loc(l, 1), l->q);
		emit_imm(l, l->p, width(l, 1), loc(l, 0), T0, width(l, 0));
	}
}

/* Scaling by a power of two is exact between these widths, so it may stand on either side of the one rounding. */
static void lift_fixed(struct lift *l)
{
	bool to_float = l->p == GLLM_S_I2F || l->p == GLLM_S_U2F;
	unsigned w = width(l, to_float ? 0 : 1);
	uint64_t power = (uint64_t)(to_float ? -imm(l, 2) : imm(l, 2));
	if (!float_width(l, w))
		return;
	emit_imm(l, GLLM_S_MOV, w, T1, NIL, (int64_t)(w == 32 ? (power + 127) << 23 : (power + 1023) << 52));
	if (to_float) {
		emit_imm(l, l->p, w, T0, loc(l, 1), width(l, 1));
		emit(l, GLLM_S_FMUL, w, loc(l, 0), T0, T1);
	} else {
		emit(l, GLLM_S_FMUL, w, T0, loc(l, 1), T1);
		emit_imm(l, l->p, w, loc(l, 0), T0, width(l, 0));
	}
}

/* --- patterns of vector registers ----------------------------------------------------------------------------------- */

static uint64_t repeat(uint64_t v, unsigned bits)
{
	v &= ones(bits);
	for (; bits < 64; bits *= 2)
		v |= v << bits;
	return v;
}

/* A shift of whole 32-bit lanes, told of lane 0 alone. */
static void lift_lane0(struct lift *l)
{
	l->refused = l->in->op[2].imm >= 32; /* a count modulo 32 cannot say that nothing is left */
	if (!l->refused)
		emit(l, l->p, 32, loc(l, 0), loc(l, 1), NIL)->imm = l->in->op[2].imm;
}

static void lift_vector_logic(struct lift *l, bool invert)
{
	unsigned w = width(l, 0), m = loc(l, 2);
	struct source b = { m, 0 };
	if (l->in->op[2].kind == GLLM_O_IMM) {
		b = (struct source){ NIL, l->in->op[2].imm };
	} else if (l->p == GLLM_S_OR && !invert && loc(l, 1) == m) {
		emit(l, GLLM_S_MOV, w, loc(l, 0), m, NIL);
		return;
	}
	/* A right shift by the whole width leaves nothing, which a count modulo w cannot say. */
	if (b.loc == NIL && b.imm >= (int64_t)w) {
		l->refused = true;
		return;
	}
	if (invert)
		b = inverted(l, b, w);
	emit(l, l->p, w, loc(l, 0), loc(l, 1), b.loc)->imm = b.imm;
}

static void lift_vector_select(struct lift *l)
{
	unsigned w = width(l, 0), selector = loc(l, l->p);
	emit(l, GLLM_S_AND, w, T0, loc(l, l->q), selector);
	emit(l, GLLM_S_NOT, w, T1, selector, NIL);
	emit(l, GLLM_S_AND, w, T1, loc(l, l->r), T1);
	emit(l, GLLM_S_OR, w, loc(l, 0), T0, T1);
}

static void lift_vector_imm(struct lift *l)
{
	const struct gllm_operand *o = &l->in->op[1];
	unsigned how = a64_a(gllm_a64_info[l->in->row].op[1]), lane = l->in->op[0].lane;
	uint64_t v = (uint64_t)o->imm << o->amount;
	if (how == A64_I8_MSL)
		v |= ones(o->amount);
	if (how != A64_I8_BYTES)
		v = repeat(v, 1u << lane);
	if (l->p == GLLM_S_NOT || l->p == GLLM_S_AND)
		v = ~v;
	unsigned op = l->p == GLLM_S_NOT ? GLLM_S_MOV : l->p, d = loc(l, 0);
	emit_imm(l, op, width(l, 0), d, op == GLLM_S_MOV ? NIL : d, (int64_t)v);
}

static void lift_float_vector(struct lift *l) /* fneg flips the sign of every lane: a pattern */
{
	unsigned lane = l->in->op[0].lane;
	emit_imm(l, GLLM_S_XOR, width(l, 0), loc(l, 0), loc(l, 1), (int64_t)repeat(UINT64_C(1) << ((1u << lane) - 1), 1u << lane));
}

static void lift_lane_out(struct lift *l) /* only the low 64 bits of a register are followed */
{
	unsigned bits = 1u << (l->in->op[1].lane & 15), from = bits * l->in->op[1].lane_index;
	if (from >= 64)
		l->refused = true;
	else if (from)
		emit_imm(l, GLLM_S_SHR, 64, loc(l, 0), loc(l, 1), from);
	else
		emit(l, GLLM_S_MOV, bits, loc(l, 0), loc(l, 1), NIL);
}

/* --- one function a shape ------------------------------------------------------------------------------------------- */

static void lift(struct lift *l, enum a64_sem_shape shape)
{
	switch (shape) {
	case A64_SEM_NONE: l->refused = true; break;
	case A64_SEM_ALU: lift_alu(l, false, false); break;
	case A64_SEM_ALUN: lift_alu(l, true, false); break;
	case A64_SEM_ALUS: lift_alu(l, false, true); break;
	case A64_SEM_ALUNS: lift_alu(l, true, true); break;
	case A64_SEM_MOVWIDE: lift_movewide(l); break;
	case A64_SEM_BITFIELD: lift_bitfield(l); break;
	case A64_SEM_EXTRACT: lift_extract(l); break;
	case A64_SEM_ROTATE: lift_rotate(l); break;
	case A64_SEM_ADDRESS: emit_imm(l, GLLM_S_ADDR, 64, loc(l, 0), NIL, imm(l, 1)); break;
	case A64_SEM_JUMP: emit_imm(l, GLLM_S_JUMP, 64, NIL, NIL, imm(l, 0)); break;
	case A64_SEM_CALL: emit_imm(l, GLLM_S_CALL, 64, NIL, NIL, imm(l, 0)); break;
	case A64_SEM_BRANCH: lift_branch(l); break;
	case A64_SEM_BRZERO: emit_imm(l, l->p, width(l, 0), NIL, loc(l, 0), imm(l, 1)); break;
	case A64_SEM_BRBIT: lift_brbit(l); break;
	case A64_SEM_JUMPREG: emit(l, l->p, 64, NIL, loc(l, 0), NIL); break;
	case A64_SEM_RET: lift_ret(l); break;
	case A64_SEM_TRAP: emit(l, GLLM_S_TRAP, 64, NIL, NIL, NIL); break;
	case A64_SEM_HINT: lift_hint(l); break;
	case A64_SEM_LOAD: lift_access(l, false); break;
	case A64_SEM_STORE: lift_access(l, true); break;
	case A64_SEM_LOADPAIR: lift_pair(l, false); break;
	case A64_SEM_STOREPAIR: lift_pair(l, true); break;
	case A64_SEM_MULADD: lift_muladd(l, width(l, 0), loc(l, 1), loc(l, 2)); break;
	case A64_SEM_MULLONG: lift_mullong(l); break;
	case A64_SEM_CSEL: lift_csel(l); break;
	case A64_SEM_CCMP: lift_ccmp(l, false); break;
	case A64_SEM_CCMN: lift_ccmp(l, true); break;
	case A64_SEM_FLT1:
		if (float_width(l, width(l, 0)))
			emit_imm(l, l->p, width(l, 0), loc(l, 0), loc(l, 1), l->q);
		break;
	case A64_SEM_FLT2:
		if (float_width(l, width(l, 0)))
			emit(l, l->p, width(l, 0), loc(l, 0), loc(l, 1), loc(l, 2));
		break;
	case A64_SEM_FLT3: lift_float3(l); break;
	case A64_SEM_FLTNEG:
		if (float_width(l, width(l, 0))) {
			emit(l, l->p, width(l, 0), T0, loc(l, 1), loc(l, 2));
			emit(l, GLLM_S_FNEG, width(l, 0), loc(l, 0), T0, NIL);
		}
		break;
	case A64_SEM_FLTABD:
		if (float_width(l, width(l, 0))) {
			emit(l, GLLM_S_FSUB, width(l, 0), T0, loc(l, 1), loc(l, 2));
			emit(l, GLLM_S_FABS, width(l, 0), loc(l, 0), T0, NIL);
		}
		break;
	case A64_SEM_FLTMOV: lift_float_move(l); break;
	case A64_SEM_FLTCMP: lift_float_compare(l); break;
	case A64_SEM_FLTSEL:
		if (float_width(l, width(l, 0)))
			select_between(l, width(l, 0), loc(l, 1), loc(l, 2), imm(l, 3));
		break;
	case A64_SEM_FLTMASK: lift_float_mask(l); break;
	case A64_SEM_FLTLANE: lift_float_lane(l); break;
	case A64_SEM_FLTVEC: lift_float_vector(l); break;
	case A64_SEM_CONVERT: lift_convert(l); break;
	case A64_SEM_ROUNDED: lift_rounded(l); break;
	case A64_SEM_FIXED: lift_fixed(l); break;
	case A64_SEM_VECALU: lift_vector_logic(l, false); break;
	case A64_SEM_VECALUN: lift_vector_logic(l, true); break;
	case A64_SEM_VECALU1: emit(l, l->p, width(l, 0), loc(l, 0), loc(l, 1), NIL); break;
	case A64_SEM_LANE0: lift_lane0(l); break;
	case A64_SEM_VECSEL: lift_vector_select(l); break;
	case A64_SEM_VECIMM: lift_vector_imm(l); break;
	case A64_SEM_LANEOUT: lift_lane_out(l); break;
	case A64_SEM_COUNT: l->refused = true; break;
	}
}

enum gllm_status gllm_a64_meaning(const struct gllm_insn *in, struct gllm_sem *out)
{
	out->n = 0;
	if (in->row >= A64_ROW_COUNT)
		return GLLM_NOT_LIFTED;
	uint32_t sem = gllm_a64_info[in->row].sem;
	struct lift l = { in, out, sem >> 8 & 0xff, sem >> 16 & 0xff, sem >> 24, false };
	lift(&l, (enum a64_sem_shape)(sem & 0xff));
	if (l.refused)
		out->n = 0;
	return l.refused ? GLLM_NOT_LIFTED : GLLM_OK;
}
