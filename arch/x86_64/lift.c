/* SPDX-License-Identifier: MIT
 * arch/x86_64/lift.c - the meaning of a decoded instruction in micro-operations (core/sem.h).
 *
 * One small evaluator per word of the `sem` column. Rules they keep:
 *   - a write of 8 or 16 bits keeps the rest of the register (INSERT), one of 32 bits clears the upper half
 *   - a vector register stands for lane 0 of the operation that wrote it; lanes above are unknown
 *   - FLAGS are left by ADD as FLAGSOF, because carry after ADD is not the borrow that ULT reads; where no condition can
 *     be said of the flags, they become a plain number (MOV), which no condition is defined on
 *   - MXCSR rounds to nearest even, as the ABI says
 *   - CALL and RET do not move the stack pointer here */
#include "arch/x86_64/form.h"

enum { NONE = GLLM_LOC_NONE, FLAGS = GLLM_LOC_FLAGS, R_RAX = GLLM_LOC_R0 + X86_RAX, R_RDX = GLLM_LOC_R0 + X86_RDX,
       R_RCX = GLLM_LOC_R0 + X86_RCX, R_RSP = GLLM_LOC_R0 + X86_RSP, R_RBP = GLLM_LOC_R0 + X86_RBP };

struct lift {
	const struct gllm_insn *in;
	const struct gllm_x86_form *f;
	struct gllm_sem_op_rec *next, *end; /* where the next operation goes, and where there is no more room */
	unsigned temps;
	bool refused;
};

typedef struct gllm_sem_op_rec rec;

__attribute__((cold)) static void refuse(struct lift *l)
{
	l->refused = true;
}

static rec *emit(struct lift *l, unsigned op, unsigned w, unsigned d, unsigned a, unsigned b)
{
	if (l->next == l->end) {
		refuse(l);
		l->next--;
	}
	rec *r = l->next++;
	*r = (rec){ .op = (uint8_t)op, .w = (uint8_t)w, .d = (uint8_t)d, .a = (uint8_t)a, .b = (uint8_t)b, .c = NONE };
	return r;
}

static void emit_imm(struct lift *l, unsigned op, unsigned w, unsigned d, unsigned a, int64_t imm)
{
	emit(l, op, w, d, a, NONE)->imm = imm;
}

static void unknown_flags(struct lift *l)
{
	emit_imm(l, GLLM_S_MOV, 64, FLAGS, NONE, 0);
}

static unsigned temp(struct lift *l)
{
	return GLLM_LOC_T0 + l->temps++;
}

static const struct gllm_operand *operand(const struct lift *l, unsigned i)
{
	return &l->in->op[i];
}

static const struct gllm_operand *last(const struct lift *l)
{
	return &l->in->op[l->in->n - 1];
}

/* --- operands ------------------------------------------------------------------------------------------------------- */

/* Emits an operation on the address of m: [a + (b << scale) + imm]; the absolute form has no a. */
static rec *access(struct lift *l, unsigned op, unsigned w, unsigned d, const struct gllm_operand *m)
{
	unsigned a = m->base < 16 ? GLLM_LOC_R0 + m->base : (unsigned)NONE;
	unsigned b = m->index < 16 ? GLLM_LOC_R0 + m->index : (unsigned)NONE;
	uint8_t scale = m->scale;
	if (a == NONE && b != NONE) { /* [4*index + disp]: the index becomes the base */
		a = temp(l);
		emit_imm(l, GLLM_S_SHL, 64, a, b, scale);
		b = NONE;
		scale = 0;
	}
	rec *r = emit(l, op, w, d, a, b);
	r->scale = scale;
	r->imm = m->imm;
	return r;
}

static void load(struct lift *l, unsigned d, const struct gllm_operand *m, unsigned w)
{
	access(l, GLLM_S_LOAD, w, d, m);
}

static void store(struct lift *l, const struct gllm_operand *m, unsigned source, unsigned w)
{
	access(l, GLLM_S_STORE, w, NONE, m)->c = (uint8_t)source;
}

static unsigned loc(const struct gllm_operand *o)
{
	_Static_assert(GLLM_LOC_R0 == 0 && GLLM_R_GPR == 0 && GLLM_R_VEC == 1, "vector registers are behind the others");
	return GLLM_LOC_V0 * (unsigned)o->cls + o->reg;
}

/* Of what is no whole register. */
static unsigned part_value(struct lift *l, const struct gllm_operand *o, unsigned w)
{
	unsigned t = temp(l);

	if (o->kind == GLLM_O_REG) /* ah .. bh */
		emit_imm(l, GLLM_S_SHR, 64, t, GLLM_LOC_R0 + (o->reg & 3u), 8);
	else if (o->kind == GLLM_O_MEM)
		load(l, t, o, w);
	else
		emit_imm(l, GLLM_S_MOV, w < 64 ? w : 64, t, NONE, o->imm);
	return t;
}

/* The location that holds an operand; only its low w bits count. */
static inline unsigned value(struct lift *l, const struct gllm_operand *o, unsigned w)
{
	return o->kind == GLLM_O_REG && (o->cls == GLLM_R_VEC || o->reg < 16) ? loc(o) : part_value(l, o, w);
}

/* d = a op operand: an immediate goes into the operation itself. */
static inline void binary(struct lift *l, unsigned op, unsigned w, unsigned d, unsigned a, const struct gllm_operand *o)
{
	if (o->kind == GLLM_O_IMM)
		emit_imm(l, op, w, d, a, o->imm);
	else
		emit(l, op, w, d, a, value(l, o, w));
}

/* Where a result of the destination's width is computed: the register itself if it is written whole. */
static unsigned result(struct lift *l, const struct gllm_operand *o)
{
	return o->kind == GLLM_O_REG && o->size >= 32 ? loc(o) : temp(l);
}

static void write_high(struct lift *l, unsigned d, unsigned v) /* ah .. bh are bits 15:8 of d */
{
	unsigned t = temp(l), rest = temp(l);

	emit_imm(l, GLLM_S_AND, 64, t, v, 0xff);
	emit_imm(l, GLLM_S_SHL, 64, t, t, 8);
	emit_imm(l, GLLM_S_AND, 64, rest, d, ~INT64_C(0xff00));
	emit(l, GLLM_S_OR, 64, d, rest, t);
}

static void write_part(struct lift *l, const struct gllm_operand *o, unsigned v)
{
	if (o->kind == GLLM_O_MEM)
		store(l, o, v, o->size);
	else if (o->reg >= 16)
		write_high(l, GLLM_LOC_R0 + (o->reg & 3u), v);
	else if (o->size < 32)
		emit(l, GLLM_S_INSERT, o->size, loc(o), v, loc(o));
	else
		emit(l, GLLM_S_MOV, o->size, loc(o), v, NONE);
}

static inline void write_back(struct lift *l, const struct gllm_operand *o, unsigned v)
{
	if (v != loc(o) || o->kind != GLLM_O_REG || o->size < 32)
		write_part(l, o, v);
}

static unsigned width(const struct lift *l)
{
	return operand(l, 0)->size;
}

/* --- general registers ---------------------------------------------------------------------------------------------- */

static void sem_none(struct lift *l) { refuse(l); }
static void sem_nop(struct lift *l) { emit(l, GLLM_S_NOP, 0, NONE, NONE, NONE); }
static void sem_trap(struct lift *l) { emit(l, GLLM_S_TRAP, 0, NONE, NONE, NONE); }

static void sem_move(struct lift *l)
{
	const struct gllm_operand *d = operand(l, 0), *s = operand(l, 1);

	if (d->kind == GLLM_O_REG && d->size >= 32 && s->kind == GLLM_O_MEM)
		load(l, loc(d), s, d->size);
	else if (d->kind == GLLM_O_REG && d->size >= 32 && s->kind == GLLM_O_IMM)
		emit_imm(l, GLLM_S_MOV, d->size, loc(d), NONE, s->imm);
	else if (d->kind == GLLM_O_REG && d->size >= 32)
		emit(l, GLLM_S_MOV, d->size, loc(d), loc(s), NONE);
	else
		write_back(l, d, value(l, s, d->size));
}

static void sem_extend(struct lift *l, unsigned op, unsigned from, const struct gllm_operand *d, unsigned s)
{
	unsigned r = result(l, d);

	emit_imm(l, op, from, r, s, d->size == 32 ? 32 : 64);
	write_back(l, d, r);
}

static void sem_zx(struct lift *l)
{
	sem_extend(l, GLLM_S_ZEXT, operand(l, 1)->size, operand(l, 0), value(l, operand(l, 1), operand(l, 1)->size));
}

static void sem_sx(struct lift *l)
{
	sem_extend(l, GLLM_S_SEXT, operand(l, 1)->size, operand(l, 0), value(l, operand(l, 1), operand(l, 1)->size));
}

static void sem_sxacc(struct lift *l)
{
	struct gllm_operand d = x86_gpr(X86_RAX, l->f->width * 2u);

	sem_extend(l, GLLM_S_SEXT, l->f->width, &d, R_RAX);
}

static void sem_sign(struct lift *l)
{
	emit_imm(l, GLLM_S_SAR, l->f->width, R_RDX, R_RAX, l->f->width - 1);
}

static void sem_lea(struct lift *l)
{
	const struct gllm_operand *d = operand(l, 0);

	if (d->size < 32)
		refuse(l);
	access(l, GLLM_S_ADDR, d->size, loc(d), operand(l, 1));
}

static void sem_xchg(struct lift *l)
{
	const struct gllm_operand *a = operand(l, 0), *b = operand(l, 1);
	unsigned t = temp(l);

	if (a->kind != GLLM_O_REG || a->size < 32) {
		refuse(l);
		return;
	}
	emit(l, GLLM_S_MOV, 64, t, loc(a), NONE);
	emit(l, GLLM_S_MOV, a->size, loc(a), loc(b), NONE);
	emit(l, GLLM_S_MOV, a->size, loc(b), t, NONE);
}

static void sem_alu(struct lift *l)
{
	const struct gllm_operand *d = operand(l, 0), *s = operand(l, 1);
	unsigned op = l->f->arg, w = width(l), a = value(l, d, w), r = result(l, d);
	unsigned b = s->kind == GLLM_O_IMM ? (unsigned)NONE : value(l, s, w);
	int64_t imm = s->kind == GLLM_O_IMM ? s->imm : 0;

	if (op == GLLM_S_ADD) {
		emit(l, op, w, r, a, b)->imm = imm;
		emit(l, GLLM_S_FLAGSOF, w, FLAGS, r, NONE);
	} else if (op == GLLM_S_SUB || op == GLLM_S_AND) { /* before the operands are overwritten */
		emit(l, op == GLLM_S_SUB ? GLLM_S_CMP : GLLM_S_TEST, w, FLAGS, a, b)->imm = imm;
		emit(l, op, w, r, a, b)->imm = imm;
	} else {
		emit(l, op, w, r, a, b)->imm = imm;
		emit(l, GLLM_S_TEST, w, FLAGS, r, r);
	}
	write_back(l, d, r);
}

static void sem_carry(struct lift *l) /* the carry is what a CMP left */
{
	const struct gllm_operand *d = operand(l, 0), *s = operand(l, 1);
	unsigned w = width(l), c = temp(l), a = value(l, d, w), t = temp(l), r;
	rec *cc = emit(l, GLLM_S_SETCC, 64, c, NONE, NONE);

	cc->cc = GLLM_CC_ULT;
	cc->fcc = GLLM_CC_FULT;
	binary(l, l->f->arg, w, t, a, s);
	r = result(l, d);
	emit(l, l->f->arg, w, r, t, c);
	unknown_flags(l);
	write_back(l, d, r);
}

static void sem_cmp(struct lift *l)
{
	binary(l, GLLM_S_CMP, width(l), FLAGS, value(l, operand(l, 0), width(l)), operand(l, 1));
}

static void sem_test(struct lift *l)
{
	binary(l, GLLM_S_TEST, width(l), FLAGS, value(l, operand(l, 0), width(l)), operand(l, 1));
}

static void sem_not(struct lift *l)
{
	const struct gllm_operand *d = operand(l, 0);
	unsigned a = value(l, d, width(l)), r = result(l, d);

	emit(l, GLLM_S_NOT, width(l), r, a, NONE);
	write_back(l, d, r);
}

static void sem_neg(struct lift *l)
{
	const struct gllm_operand *d = operand(l, 0);
	unsigned a = value(l, d, width(l)), r = result(l, d);

	emit(l, GLLM_S_CMP, width(l), FLAGS, GLLM_LOC_ZERO, a);
	emit(l, GLLM_S_NEG, width(l), r, a, NONE);
	write_back(l, d, r);
}

static void sem_step(struct lift *l)
{
	const struct gllm_operand *d = operand(l, 0);
	unsigned a = value(l, d, width(l)), r = result(l, d);

	emit_imm(l, l->f->arg, width(l), r, a, 1);
	emit(l, GLLM_S_FLAGSOF, width(l), FLAGS, r, NONE);
	write_back(l, d, r);
}

static void sem_imul(struct lift *l)
{
	const struct gllm_operand *d = operand(l, 0);
	unsigned w = width(l), a = l->in->n == 3 ? value(l, operand(l, 1), w) : loc(d), r = result(l, d);

	binary(l, GLLM_S_MUL, w, r, a, last(l));
	unknown_flags(l);
	write_back(l, d, r);
}

/* A product of bytes is ax; of words, dx and ax are its halves. */
static void mul_narrow(struct lift *l, unsigned w)
{
	unsigned extend = l->f->arg == GLLM_S_MULHS ? GLLM_S_SEXT : GLLM_S_ZEXT, a = temp(l), b = temp(l);

	emit_imm(l, extend, w, b, value(l, operand(l, 0), w), 32);
	emit_imm(l, extend, w, a, R_RAX, 32);
	emit(l, GLLM_S_MUL, 32, a, a, b);
	emit(l, GLLM_S_INSERT, 16, R_RAX, a, R_RAX);
	if (w == 16) {
		emit_imm(l, GLLM_S_SHR, 32, a, a, 16);
		emit(l, GLLM_S_INSERT, 16, R_RDX, a, R_RDX);
	}
	unknown_flags(l);
}

static void sem_mulhi(struct lift *l)
{
	unsigned w = width(l), t = temp(l), s;

	if (w < 32) {
		mul_narrow(l, w);
		return;
	}
	s = value(l, operand(l, 0), w);
	emit(l, l->f->arg, w, t, R_RAX, s);
	emit(l, GLLM_S_MUL, w, R_RAX, R_RAX, s);
	emit(l, GLLM_S_MOV, w, R_RDX, t, NONE);
	unknown_flags(l);
}

/* A dividend of 64 bits divides exactly; one of 128 cannot be said. */
static void sem_div(struct lift *l)
{
	unsigned n = temp(l), lo = temp(l), s = temp(l), q = temp(l), p = temp(l);

	if (width(l) != 32) {
		refuse(l);
		return;
	}
	emit_imm(l, l->f->arg == GLLM_S_SDIV ? GLLM_S_SEXT : GLLM_S_ZEXT, 32, s, value(l, operand(l, 0), 32), 64);
	emit_imm(l, GLLM_S_SHL, 64, n, R_RDX, 32);
	emit_imm(l, GLLM_S_ZEXT, 32, lo, R_RAX, 64);
	emit(l, GLLM_S_OR, 64, n, n, lo);
	emit(l, l->f->arg, 64, q, n, s);
	emit(l, GLLM_S_MUL, 64, p, q, s);
	emit(l, GLLM_S_MOV, 32, R_RAX, q, NONE);
	emit(l, GLLM_S_SUB, 32, R_RDX, n, p);
	unknown_flags(l);
}

static void sem_shift(struct lift *l)
{
	const struct gllm_operand *d = operand(l, 0), *c = operand(l, 1);
	unsigned w = width(l), a, r;
	int64_t count = c->imm & (w == 64 ? 63 : 31);

	if (w < 32 && (c->kind != GLLM_O_IMM || count >= (int64_t)w)) { /* counts are taken modulo 32, not modulo w */
		refuse(l);
		return;
	}
	a = value(l, d, w);
	r = result(l, d);
	if (c->kind == GLLM_O_IMM && count == 0) {
		emit(l, GLLM_S_MOV, w < 32 ? 64 : w, r, a, NONE);
	} else if (c->kind == GLLM_O_IMM) {
		emit_imm(l, l->f->arg, w, r, a, count);
		emit(l, GLLM_S_FLAGSOF, w, FLAGS, r, NONE);
	} else {
		emit(l, l->f->arg, w, r, a, R_RCX);
		unknown_flags(l); /* a count of zero leaves them */
	}
	write_back(l, d, r);
}

static void sem_shiftx(struct lift *l)
{
	unsigned w = width(l), a = value(l, operand(l, 1), w);

	emit(l, l->f->arg, w, loc(operand(l, 0)), a, loc(operand(l, 2)));
}

static void sem_rotate(struct lift *l)
{
	const struct gllm_operand *d = operand(l, 0), *c = operand(l, 1);
	unsigned w = width(l), a, t = temp(l), u = temp(l), r;
	int64_t count = c->imm & (int64_t)(w - 1);

	if (c->kind != GLLM_O_IMM || count == 0) {
		refuse(l);
		return;
	}
	a = value(l, d, w);
	r = result(l, d);
	emit_imm(l, l->f->arg, w, t, a, count);
	emit_imm(l, l->f->arg == GLLM_S_SHL ? GLLM_S_SHR : GLLM_S_SHL, w, u, a, (int64_t)w - count);
	emit(l, GLLM_S_OR, w, r, t, u);
	unknown_flags(l);
	write_back(l, d, r);
}

static void sem_rorx(struct lift *l) /* flags stay */
{
	unsigned w = width(l), a, t = temp(l), u = temp(l);
	int64_t count = operand(l, 2)->imm & (int64_t)(w - 1);

	if (count == 0) {
		refuse(l);
		return;
	}
	a = value(l, operand(l, 1), w);
	emit_imm(l, GLLM_S_SHR, w, t, a, count);
	emit_imm(l, GLLM_S_SHL, w, u, a, (int64_t)w - count);
	emit(l, GLLM_S_OR, w, loc(operand(l, 0)), t, u);
}

/* shld, shrd: what is shifted out of the second comes into the first. */
static void sem_shift2(struct lift *l)
{
	const struct gllm_operand *d = operand(l, 0);
	unsigned w = width(l), a, t = temp(l), u = temp(l), r;
	int64_t count = operand(l, 2)->imm & (int64_t)(w - 1);

	if (w < 32 || count == 0) {
		refuse(l);
		return;
	}
	a = value(l, d, w);
	emit_imm(l, l->f->arg, w, t, a, count);
	emit_imm(l, l->f->arg == GLLM_S_SHL ? GLLM_S_SHR : GLLM_S_SHL, w, u, loc(operand(l, 1)), (int64_t)w - count);
	r = result(l, d);
	emit(l, GLLM_S_OR, w, r, t, u);
	emit(l, GLLM_S_FLAGSOF, w, FLAGS, r, NONE);
	write_back(l, d, r);
}

/* blsr a & (a - 1), blsmsk a ^ (a - 1), blsi a & -a. */
static void sem_lowbit(struct lift *l)
{
	unsigned w = width(l), t = temp(l), a = value(l, operand(l, 1), w), d = loc(operand(l, 0));

	if (l->f->arg == GLLM_S_NEG)
		emit(l, GLLM_S_NEG, w, t, a, NONE);
	else
		emit_imm(l, GLLM_S_SUB, w, t, a, 1);
	emit(l, l->f->arg == GLLM_S_XOR ? GLLM_S_XOR : GLLM_S_AND, w, d, a, t);
	emit(l, GLLM_S_FLAGSOF, w, FLAGS, d, NONE);
}

static void sem_mulx(struct lift *l) /* high half first: it stays where both are one register */
{
	unsigned w = width(l), t = temp(l), s = value(l, operand(l, 2), w);

	emit(l, GLLM_S_MULHU, w, t, R_RDX, s);
	emit(l, GLLM_S_MUL, w, loc(operand(l, 1)), R_RDX, s);
	emit(l, GLLM_S_MOV, w, loc(operand(l, 0)), t, NONE);
}

/* Carry = the bit, said as the borrow of 0 - bit. BT leaves no other flag defined, so nothing else is asked of it. */
static void sem_bt(struct lift *l)
{
	const struct gllm_operand *d = operand(l, 0), *s = operand(l, 1);
	unsigned w = width(l), t = temp(l);

	if (d->kind != GLLM_O_REG || w < 32) {
		refuse(l);
		return;
	}
	if (s->kind == GLLM_O_IMM)
		emit_imm(l, GLLM_S_SHR, w, t, loc(d), s->imm & (int64_t)(w - 1));
	else
		emit(l, GLLM_S_SHR, w, t, loc(d), loc(s));
	emit_imm(l, GLLM_S_AND, w, t, t, 1);
	emit(l, GLLM_S_CMP, w, FLAGS, GLLM_LOC_ZERO, t);
}

static void sem_andn(struct lift *l)
{
	unsigned w = width(l), t = temp(l), b = value(l, operand(l, 2), w);

	emit(l, GLLM_S_NOT, w, t, loc(operand(l, 1)), NONE);
	emit(l, GLLM_S_TEST, w, FLAGS, t, b);
	emit(l, GLLM_S_AND, w, loc(operand(l, 0)), t, b);
}

/* --- conditions and control flow ------------------------------------------------------------------------------------ */

/* After UCOMISS, OF and SF are 0, CF is "less or unordered", ZF "equal or unordered", PF "unordered". Parity after an
 * integer compare has no reading: the float word in the integer place says so. */
static void set_condition(rec *r, int64_t cc)
{
	static const struct { uint8_t i, f; } reading[16] = {
		[X86_O] = { GLLM_CC_OVF, GLLM_CC_NEVER },   [X86_NO] = { GLLM_CC_NOVF, GLLM_CC_ALWAYS },
		[X86_B] = { GLLM_CC_ULT, GLLM_CC_FULT },    [X86_AE] = { GLLM_CC_UGE, GLLM_CC_FOGE },
		[X86_E] = { GLLM_CC_EQ, GLLM_CC_FUEQ },     [X86_NE] = { GLLM_CC_NE, GLLM_CC_FONE },
		[X86_BE] = { GLLM_CC_ULE, GLLM_CC_FULE },   [X86_A] = { GLLM_CC_UGT, GLLM_CC_FOGT },
		[X86_S] = { GLLM_CC_SNEG, GLLM_CC_NEVER },  [X86_NS] = { GLLM_CC_SPOS, GLLM_CC_ALWAYS },
		[X86_P] = { GLLM_CC_FUNO, GLLM_CC_FUNO },   [X86_NP] = { GLLM_CC_FORD, GLLM_CC_FORD },
		[X86_L] = { GLLM_CC_SLT, GLLM_CC_NEVER },   [X86_GE] = { GLLM_CC_SGE, GLLM_CC_ALWAYS },
		[X86_LE] = { GLLM_CC_SLE, GLLM_CC_FUEQ },   [X86_G] = { GLLM_CC_SGT, GLLM_CC_FONE },
	};

	r->cc = reading[cc & 15].i;
	r->fcc = reading[cc & 15].f;
}

static void sem_setcc(struct lift *l)
{
	unsigned t = temp(l);

	set_condition(emit(l, GLLM_S_SETCC, 8, t, NONE, NONE), operand(l, 1)->imm);
	write_back(l, operand(l, 0), t);
}

static void sem_cmov(struct lift *l)
{
	const struct gllm_operand *d = operand(l, 0);
	unsigned w = width(l), s = value(l, operand(l, 1), w), r = result(l, d);

	set_condition(emit(l, GLLM_S_SELECT, w, r, s, loc(d)), operand(l, 2)->imm);
	write_back(l, d, r);
}

static void sem_jcc(struct lift *l)
{
	rec *r = emit(l, GLLM_S_BRANCH, 0, NONE, NONE, NONE);

	r->imm = operand(l, 1)->imm;
	set_condition(r, operand(l, 0)->imm);
}

static void jump(struct lift *l, unsigned op)
{
	const struct gllm_operand *o = operand(l, 0);

	if (o->kind == GLLM_O_REL)
		emit_imm(l, op, 64, NONE, NONE, o->imm);
	else
		emit(l, op, 64, NONE, value(l, o, 64), NONE);
}

static void sem_jmp(struct lift *l) { jump(l, GLLM_S_JUMP); }
static void sem_call(struct lift *l) { jump(l, GLLM_S_CALL); }
static void sem_ret(struct lift *l) { emit(l, GLLM_S_RET, 64, NONE, NONE, NONE); }

static void sem_push(struct lift *l)
{
	const struct gllm_operand top = x86_mem(X86_RSP, GLLM_NO_REG, 0, 0, 64);
	unsigned v = value(l, operand(l, 0), 64);

	if (v == R_RSP)
		refuse(l);
	emit_imm(l, GLLM_S_SUB, 64, R_RSP, R_RSP, 8);
	store(l, &top, v, 64);
}

static void sem_pop(struct lift *l)
{
	const struct gllm_operand *d = operand(l, 0), top = x86_mem(X86_RSP, GLLM_NO_REG, 0, 0, 64);

	if (d->kind != GLLM_O_REG || d->reg == X86_RSP) {
		refuse(l);
		return;
	}
	load(l, loc(d), &top, 64);
	emit_imm(l, GLLM_S_ADD, 64, R_RSP, R_RSP, 8);
}

static void sem_leave(struct lift *l)
{
	const struct gllm_operand top = x86_mem(X86_RSP, GLLM_NO_REG, 0, 0, 64);

	emit(l, GLLM_S_MOV, 64, R_RSP, R_RBP, NONE);
	load(l, R_RBP, &top, 64);
	emit_imm(l, GLLM_S_ADD, 64, R_RSP, R_RSP, 8);
}

/* --- lane 0 of vector registers ------------------------------------------------------------------------------------- */

static void sem_vmove(struct lift *l)
{
	const struct gllm_operand *d = operand(l, 0), *s = operand(l, 1);
	unsigned w = l->f->width ? l->f->width : d->size;

	if (w > 128)
		refuse(l);
	else if (s->kind == GLLM_O_MEM)
		load(l, loc(d), s, w);
	else if (d->kind == GLLM_O_MEM)
		store(l, d, loc(s), w);
	else
		emit(l, GLLM_S_MOV, w, loc(d), loc(s), NONE);
}

static void sem_vmoves(struct lift *l)
{
	emit(l, GLLM_S_INSERT, l->f->width, loc(operand(l, 0)), loc(last(l)), loc(operand(l, l->in->n - 2u)));
}

/* First source: the destination itself in the two-operand forms. */
static unsigned first(struct lift *l)
{
	return loc(operand(l, gllm_x86_place(l->f->op[1]) == P_VVV));
}

/* The source in ModRM.rm. */
static unsigned second(struct lift *l, unsigned w)
{
	if (l->f->below && l->f->rm > 0)
		return value(l, operand(l, l->f->rm), w);
	refuse(l);
	return NONE;
}

static unsigned target(struct lift *l)
{
	return loc(operand(l, 0));
}

static void sem_vlogic(struct lift *l)
{
	unsigned b;

	if (l->in->vl > 0) {
		refuse(l);
		return;
	}
	b = second(l, 128);
	emit(l, l->f->arg, 128, target(l), first(l), b);
}

static void sem_vandn(struct lift *l)
{
	unsigned t = temp(l), b;

	if (l->in->vl > 0) {
		refuse(l);
		return;
	}
	b = second(l, 128);
	emit(l, GLLM_S_NOT, 128, t, first(l), NONE);
	emit(l, GLLM_S_AND, 128, target(l), t, b);
}

static void sem_vint(struct lift *l)
{
	unsigned op = l->f->arg & 63, w = l->f->arg & 128 ? 64 : 32;

	if (l->in->vl > 0) {
		refuse(l);
	} else if (last(l)->kind == GLLM_O_IMM) { /* shifts; counts are not taken modulo w */
		if (last(l)->imm >= (int64_t)w)
			refuse(l);
		emit_imm(l, op, w, target(l), loc(operand(l, l->in->n - 2u)), last(l)->imm);
	} else {
		unsigned b = second(l, w);
		emit(l, op, w, target(l), first(l), b);
	}
}

static void sem_fbin(struct lift *l)
{
	unsigned b = second(l, l->f->width);

	emit(l, l->f->arg, l->f->width, target(l), first(l), b);
}

static void sem_fsqrt(struct lift *l)
{
	emit(l, GLLM_S_FSQRT, l->f->width, target(l), second(l, l->f->width), NONE);
}

static void sem_frint(struct lift *l)
{
	int64_t mode = last(l)->imm & 4 ? 0 : last(l)->imm & 3;

	emit_imm(l, GLLM_S_FRINT, l->f->width, target(l), second(l, l->f->width), mode);
}

static void sem_fcmp(struct lift *l)
{
	unsigned b = second(l, l->f->width);

	emit(l, GLLM_S_FCMP, l->f->width, FLAGS, loc(operand(l, 0)), b);
}

static void sem_fmask(struct lift *l)
{
	static const uint8_t reading[16] = {
		GLLM_CC_FOEQ, GLLM_CC_FOLT, GLLM_CC_FOLE, GLLM_CC_FUNO, GLLM_CC_FUNE, GLLM_CC_FUGE, GLLM_CC_FUGT, GLLM_CC_FORD,
		GLLM_CC_FUEQ, GLLM_CC_FULT, GLLM_CC_FULE, GLLM_CC_NEVER, GLLM_CC_FONE, GLLM_CC_FOGE, GLLM_CC_FOGT, GLLM_CC_ALWAYS,
	};
	unsigned b = second(l, l->f->width);
	rec *r = emit(l, GLLM_S_FMASK, l->f->width, target(l), first(l), b);

	if (last(l)->imm >= (l->f->enc == LEG ? 8 : 32))
		refuse(l);
	r->cc = r->fcc = reading[last(l)->imm & 15];
}

static void sem_blend(struct lift *l) /* the mask is the last operand */
{
	unsigned b = second(l, l->f->width);
	rec *r = emit(l, GLLM_S_BLEND, l->f->width, target(l), b, first(l));

	r->c = (uint8_t)loc(last(l));
	if (l->in->vl > 0)
		refuse(l);
}

static void sem_fma(struct lift *l) /* operands 1 2 3 are destination, vvvv, rm; the name says which multiply */
{
	unsigned w = l->f->width, three = value(l, operand(l, 2), w), two = loc(operand(l, 1)), one = target(l);
	unsigned op = GLLM_S_FMA + (l->f->arg & 63u);
	rec *r;

	switch (l->f->arg >> 6) {
	case 0:  r = emit(l, op, w, one, one, three); r->c = (uint8_t)two; break;
	case 1:  r = emit(l, op, w, one, two, one); r->c = (uint8_t)three; break;
	default: r = emit(l, op, w, one, two, three); r->c = (uint8_t)one; break;
	}
}

static void sem_i2f(struct lift *l)
{
	unsigned from = l->f->arg ? l->f->arg : last(l)->size;

	if (l->in->vl > 0) {
		refuse(l);
		return;
	}
	emit_imm(l, GLLM_S_I2F, l->f->width, target(l), value(l, last(l), from), from);
}

static void f2i(struct lift *l, unsigned op)
{
	unsigned to = l->f->arg ? l->f->arg : width(l);

	if (l->in->vl > 0)
		refuse(l);
	emit_imm(l, op, l->f->width, target(l), value(l, last(l), l->f->width), to);
}

static void sem_f2i(struct lift *l) { f2i(l, GLLM_S_F2I); }
static void sem_f2in(struct lift *l) { f2i(l, GLLM_S_F2IN); }

static void sem_f2f(struct lift *l)
{
	emit_imm(l, GLLM_S_F2F, l->f->width, target(l), value(l, last(l), l->f->arg), l->f->arg);
}

static void sem_lane0(struct lift *l)
{
	if (last(l)->imm & 3)
		refuse(l);
	else
		emit(l, GLLM_S_INSERT, 32, target(l), value(l, operand(l, 1), 32), target(l));
}

static void sem_bcast(struct lift *l)
{
	if (l->in->vl > 0)
		refuse(l);
	else
		emit(l, GLLM_S_INSERT, l->f->width, target(l), value(l, operand(l, 1), l->f->width), target(l));
}

static void sem_unpck(struct lift *l)
{
	if (l->in->vl > 0)
		refuse(l);
	else
		emit(l, GLLM_S_INSERT, l->f->width ? l->f->width : 32, target(l), first(l), target(l));
}

enum gllm_status gllm_x86_meaning(const struct gllm_insn *in, struct gllm_sem *out)
{
	static void (*const evaluator[SEM_COUNT])(struct lift *) = {
		[SEM_NONE] = sem_none, [SEM_NOP] = sem_nop, [SEM_TRAP] = sem_trap, [SEM_MOVE] = sem_move,
		[SEM_ZX] = sem_zx, [SEM_SX] = sem_sx, [SEM_SXACC] = sem_sxacc, [SEM_SIGN] = sem_sign, [SEM_LEA] = sem_lea,
		[SEM_XCHG] = sem_xchg, [SEM_ALU] = sem_alu, [SEM_CARRY] = sem_carry, [SEM_CMP] = sem_cmp,
		[SEM_TEST] = sem_test, [SEM_NOT] = sem_not, [SEM_NEG] = sem_neg, [SEM_STEP] = sem_step,
		[SEM_IMUL] = sem_imul, [SEM_MULHI] = sem_mulhi, [SEM_DIV] = sem_div, [SEM_SHIFT] = sem_shift,
		[SEM_SHIFTX] = sem_shiftx, [SEM_ROTATE] = sem_rotate, [SEM_BT] = sem_bt, [SEM_ANDN] = sem_andn,
		[SEM_SHIFT2] = sem_shift2, [SEM_RORX] = sem_rorx, [SEM_LOWBIT] = sem_lowbit, [SEM_MULX] = sem_mulx,
		[SEM_SETCC] = sem_setcc, [SEM_CMOV] = sem_cmov, [SEM_JCC] = sem_jcc, [SEM_JMP] = sem_jmp,
		[SEM_CALL] = sem_call, [SEM_RET] = sem_ret, [SEM_PUSH] = sem_push, [SEM_POP] = sem_pop,
		[SEM_LEAVE] = sem_leave, [SEM_VMOVE] = sem_vmove, [SEM_VMOVES] = sem_vmoves, [SEM_VLOGIC] = sem_vlogic,
		[SEM_VANDN] = sem_vandn, [SEM_VINT] = sem_vint, [SEM_FBIN] = sem_fbin, [SEM_FSQRT] = sem_fsqrt,
		[SEM_FRINT] = sem_frint, [SEM_FCMP] = sem_fcmp, [SEM_FMASK] = sem_fmask, [SEM_BLEND] = sem_blend, [SEM_FMA] = sem_fma,
		[SEM_I2F] = sem_i2f, [SEM_F2I] = sem_f2i, [SEM_F2IN] = sem_f2in, [SEM_F2F] = sem_f2f,
		[SEM_BCAST] = sem_bcast, [SEM_LANE0] = sem_lane0, [SEM_UNPCK] = sem_unpck,
	};
	out->n = 0;
	if (in->row >= X86_ROWS)
		return GLLM_INVALID_ARGUMENT;
	struct lift l = { .in = in, .f = &gllm_x86_forms[in->row], .next = out->op, .end = out->op + GLLM_SEM_MAX };
	evaluator[l.f->sem](&l);
	if (l.refused)
		return GLLM_NOT_LIFTED;
	out->n = (unsigned)(l.next - out->op);
	return GLLM_OK;
}
