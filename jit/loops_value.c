/* SPDX-License-Identifier: MIT
 * jit/loops_value.c - the canonical value of one raw value whose operands have theirs. */
#include "jit/loops_parts.h"

/* ---- conditions ------------------------------------------------------------------------------------------------------ */

static cond_t literal(unsigned cc, unsigned nzcv)
{
	bool n = nzcv >> 3 & 1, z = nzcv >> 2 & 1, c = nzcv >> 1 & 1, v = nzcv & 1, r;
	switch (cc) {
	case GLLM_CC_EQ: r = z; break;
	case GLLM_CC_NE: r = !z; break;
	case GLLM_CC_ULT: r = !c; break;
	case GLLM_CC_ULE: r = !c || z; break;
	case GLLM_CC_UGT: r = c && !z; break;
	case GLLM_CC_UGE: r = c; break;
	case GLLM_CC_SLT: r = n != v; break;
	case GLLM_CC_SLE: r = z || n != v; break;
	case GLLM_CC_SGT: r = !z && n == v; break;
	case GLLM_CC_SGE: r = n == v; break;
	case GLLM_CC_SNEG: r = n; break;
	case GLLM_CC_SPOS: r = !n; break;
	case GLLM_CC_OVF: r = v; break;
	case GLLM_CC_NOVF: r = !v; break;
	default: return COND_POISON;
	}
	return r ? COND_TRUE : COND_FALSE;
}

static cond_t test_bits(struct lifting *l, const struct raw *flags, unsigned cc, int loop)
{
	struct canon *c = &l->c;
	uint16_t a = get(l, flags->a, loop), b = get(l, flags->b, loop), zero = gllm_canon_const(c, GLLM_I64, 0);
	unsigned w = flags->w;
	if (cc == GLLM_CC_ULT || cc == GLLM_CC_UGE) /* no carry comes of an and */
		return cc == GLLM_CC_UGE ? COND_TRUE : COND_FALSE;
	cc = cc == GLLM_CC_ULE ? GLLM_CC_EQ : cc == GLLM_CC_UGT ? GLLM_CC_NE : cc;
	if (a == POISON || b == POISON)
		return COND_POISON;
	if (a == b)
		return gllm_canon_icmp(c, a, zero, w, cc);
	bool bit = c->v[b].op == GLLM_N_CONST && (cc == GLLM_CC_EQ || cc == GLLM_CC_NE);
	unsigned sign = bit && c->v[b].imm == UINT64_C(1) << 63 ? 64 : bit && c->v[b].imm == UINT64_C(1) << 31 ? 32 : 0;
	if (sign && (sign == 64 || gllm_type_bytes((enum gllm_type)c->v[a].type) == 4))
		return gllm_canon_icmp(c, a, zero, sign, cc == GLLM_CC_EQ ? GLLM_CC_SPOS : GLLM_CC_SNEG);
	if (bit && !(c->v[b].imm >> 32) && w == 64)
		w = 32;
	bool equality = cc == GLLM_CC_EQ || cc == GLLM_CC_NE; /* of what has zeros above w */
	return gllm_canon_icmp(c, gllm_canon_int(c, GLLM_N_AND, w, a, b), zero, w < 32 && equality ? 32 : w, cc);
}

static cond_t compare_with_0(struct lifting *l, uint16_t a, unsigned w, unsigned cc)
{
	if (cc != GLLM_CC_EQ && cc != GLLM_CC_NE && cc != GLLM_CC_SNEG && cc != GLLM_CC_SPOS)
		return COND_POISON;
	return gllm_canon_icmp(&l->c, a, gllm_canon_const(&l->c, GLLM_I64, 0), w, cc);
}

static cond_t flags_condition(struct lifting *l, const struct raw *flags, unsigned cc, unsigned fcc, int loop)
{
	struct canon *c = &l->c;
	uint16_t a = get(l, flags->a, loop), b = get(l, flags->b, loop);
	switch (flags->op) {
	case GLLM_S_FCMP: case GLLM_S_FCCMP: return flags->w == 32 ? gllm_canon_fcmp(c, a, b, gllm_canon_truth(fcc)) : COND_POISON;
	case GLLM_S_CMP: case GLLM_S_CCMP: return gllm_canon_icmp(c, a, b, flags->w, cc);
	case GLLM_S_TEST: return test_bits(l, flags, cc, loop);
	case GLLM_S_CMN:
		if ((cc == GLLM_CC_UGE || cc == GLLM_CC_ULT) && c->v[b].op == GLLM_N_CONST && c->v[b].imm == 1)
			cc = cc == GLLM_CC_UGE ? GLLM_CC_EQ : GLLM_CC_NE; /* adding 1 carries when the sum is 0 */
		if (cc == GLLM_CC_EQ || cc == GLLM_CC_NE)
			return gllm_canon_icmp(c, gllm_canon_int(c, GLLM_N_ADD, flags->w, a, b), gllm_canon_const(c, GLLM_I64, 0), flags->w, cc);
		if (c->v[b].op != GLLM_N_CONST || !(c->v[b].imm << (65 - flags->w))) /* 0, or a number that is its own negative */
			return COND_POISON;
		return gllm_canon_icmp(c, a, gllm_canon_const(c, GLLM_I64, 0 - c->v[b].imm), flags->w, cc);
	case GLLM_S_FLAGSOF: return compare_with_0(l, a, flags->w, cc);
	default: return COND_POISON;
	}
}

static cond_t condition(struct lifting *l, uint16_t raw, int loop)
{
	const struct raw *x = &l->s->raw[raw], *flags = &l->s->raw[x->a];
	if (sym_integer(flags))
		return compare_with_0(l, get(l, x->a, loop), flags->w, x->cc);
	cond_t now = flags_condition(l, flags, x->cc, x->fcc, loop);
	if (flags->op != GLLM_S_CCMP && flags->op != GLLM_S_FCCMP)
		return now;
	return gllm_canon_cond_select(&l->c, l->condition[flags->c], now, literal(x->cc, flags->scale));
}

/* ---- operations ------------------------------------------------------------------------------------------------------ */

static uint16_t primitive(struct lifting *l, const struct raw *x, uint16_t a, uint16_t b, uint16_t d)
{
	struct canon *c = &l->c;
	unsigned from = x->imm == GLLM_PRIM_F16_TO_F32 ? GLLM_F16 : GLLM_BF16;
	unsigned to = x->imm == GLLM_PRIM_F32_TO_F16 ? GLLM_F16 : GLLM_BF16;
	switch (x->imm) {
	case GLLM_PRIM_SQRTF: return gllm_canon_float(c, GLLM_N_SQRT, a, VAL_NONE, VAL_NONE);
	case GLLM_PRIM_RINTF: return gllm_canon_float(c, GLLM_N_RINT, a, VAL_NONE, VAL_NONE);
	case GLLM_PRIM_LDEXPF: return gllm_canon_float(c, GLLM_N_LDEXP, a, gllm_canon_as(c, b, GLLM_I32), VAL_NONE);
	case GLLM_PRIM_FMAF: return gllm_canon_float(c, GLLM_N_FMA, a, b, d);
	case GLLM_PRIM_F16_TO_F32: case GLLM_PRIM_BF16_TO_F32:
		return gllm_canon_node(c, GLLM_N_CVT, GLLM_F32, gllm_canon_as(c, a, from), VAL_NONE, VAL_NONE, 0);
	case GLLM_PRIM_F32_TO_F16: case GLLM_PRIM_F32_TO_BF16:
		return gllm_canon_node(c, GLLM_N_CVT, to, gllm_canon_as(c, a, GLLM_F32), VAL_NONE, VAL_NONE, 0);
	default: return POISON;
	}
}

/* A sum with a constant other than 0 is -0 for no operand, and an absolute value is not either. */
static bool never_minus_zero(const struct canon *c, uint16_t v)
{
	const struct val *x = &c->v[v];
	if (x->op == GLLM_N_ADD || x->op == GLLM_N_SUB)
		return (c->v[x->a].op == GLLM_N_CONST && c->v[x->a].imm << 33) || (c->v[x->b].op == GLLM_N_CONST && c->v[x->b].imm << 33);
	return x->op == GLLM_N_ABS;
}

/* fmin and fmax of AArch64 against a constant number k: -0 is below +0; a NaN gives a NaN, or with `number` gives k. */
static uint16_t min_max(struct lifting *l, bool max, bool number, uint16_t a, uint16_t b)
{
	struct canon *c = &l->c;
	a = gllm_canon_as(c, a, GLLM_F32);
	b = gllm_canon_as(c, b, GLLM_F32);
	if (c->v[a].op == GLLM_N_CONST) {
		uint16_t t = a;
		a = b;
		b = t;
	}
	uint64_t k = c->v[b].imm;
	if (a == POISON || b == POISON || c->v[b].op != GLLM_N_CONST || (k & 0x7fffffff) > 0x7f800000)
		return POISON;
	/* Where both are zeros, k must be taken only if it is the zero that is asked for. Other equals have equal bits: taken
	 * as a < k ? a : k says it, which gives k for NaN as well. */
	bool equal = k << 33 ? number : (k == 0) == max && !never_minus_zero(c, a);
	unsigned truth = (max ? OUT_LESS : OUT_GREATER) | (number ? OUT_UNORDERED : 0u) | (equal ? OUT_EQUAL : 0u);
	return gllm_canon_select(c, gllm_canon_fcmp(c, a, b, truth), b, a);
}

/* a * b + d, of which the product and the sum may be negated. */
static uint16_t fused(struct canon *c, const struct raw *x, uint16_t a, uint16_t b, uint16_t d)
{
	if (x->op == GLLM_S_FNMA || x->op == GLLM_S_FNMS)
		a = gllm_canon_float(c, GLLM_N_NEG, a, VAL_NONE, VAL_NONE);
	if (x->op == GLLM_S_FMS || x->op == GLLM_S_FNMS)
		d = gllm_canon_float(c, GLLM_N_NEG, d, VAL_NONE, VAL_NONE);
	return gllm_canon_float(c, GLLM_N_FMA, a, b, d);
}

static uint16_t convert(struct lifting *l, const struct raw *x, uint16_t a)
{
	struct canon *c = &l->c;
	switch (x->op) {
	case GLLM_S_I2F: case GLLM_S_U2F:
		if (x->w != 32 || (x->imm != 32 && x->imm != 64))
			return POISON;
		return gllm_canon_int_to_float(c, a, (unsigned)x->imm, x->op == GLLM_S_I2F);
	case GLLM_S_F2I: case GLLM_S_F2IN:
		if (x->scale != 32 || x->w != 32)
			return POISON;
		return gllm_canon_node(c, x->op == GLLM_S_F2I ? GLLM_N_CVT : GLLM_N_CVTN, GLLM_I32, gllm_canon_as(c, a, GLLM_F32), VAL_NONE, VAL_NONE, 0);
	case GLLM_S_F2F:
		if (x->w == 32 && x->imm == 16)
			return gllm_canon_node(c, GLLM_N_CVT, GLLM_F32, gllm_canon_as(c, a, GLLM_F16), VAL_NONE, VAL_NONE, 0);
		if (x->w == 16 && x->imm == 32)
			return gllm_canon_node(c, GLLM_N_CVT, GLLM_F16, gllm_canon_as(c, a, GLLM_F32), VAL_NONE, VAL_NONE, 0);
		return POISON;
	default: return POISON;
	}
}

static uint16_t parameter(struct lifting *l, const struct raw *x)
{
	struct canon *c = &l->c;
	unsigned p = (unsigned)x->imm;
	switch (l->param[p].kind) {
	case GLLM_DIM: return gllm_canon_poly(c, gllm_poly_symbol(&c->p, GLLM_SYM_PARAM + p));
	case GLLM_SCALAR: return gllm_canon_node(c, GLLM_N_SCALAR, GLLM_F32, VAL_NONE, VAL_NONE, VAL_NONE, p);
	case GLLM_IN: case GLLM_OUT: case GLLM_INOUT: case GLLM_WEIGHT: return gllm_canon_ptr(c, p, 0, VAL_NONE, 0);
	default: return POISON;
	}
}

static uint16_t phi_value(struct lifting *l, uint16_t raw)
{
	const struct flow_block *b = &l->f->block[l->s->raw[raw].block];
	return b->header ? gllm_loops_header(l, raw) : gllm_loops_join(l, raw);
}

/* Operations that are less common. */
static uint16_t other_operation(struct lifting *l, const struct raw *x, uint16_t a, uint16_t b, int loop)
{
	struct canon *c = &l->c;
	if (x->op >= GLLM_S_FADD && x->op <= GLLM_S_FNMS && x->w != 32)
		return POISON;
	switch (x->op) {
	case GLLM_S_NEG: return gllm_canon_int(c, GLLM_N_SUB, x->w, gllm_canon_const(c, GLLM_I64, 0), a);
	case GLLM_S_NOT: return gllm_canon_int(c, GLLM_N_XOR, x->w, a, gllm_canon_const(c, GLLM_I64, ~UINT64_C(0)));
	case GLLM_S_SEXT: return gllm_canon_sext(c, a, x->scale, x->w);
	case GLLM_S_FMIN: case GLLM_S_FMAX:
		return gllm_canon_select(c, gllm_canon_fcmp(c, a, b, x->op == GLLM_S_FMIN ? OUT_LESS : OUT_GREATER),
		                         gllm_canon_as(c, a, GLLM_F32), gllm_canon_as(c, b, GLLM_F32));
	case GLLM_S_FMINN: case GLLM_S_FMINNM: return min_max(l, false, x->op == GLLM_S_FMINNM, a, b);
	case GLLM_S_FMAXN: case GLLM_S_FMAXNM: return min_max(l, true, x->op == GLLM_S_FMAXNM, a, b);
	case GLLM_S_FRINT: return x->imm == 0 ? gllm_canon_float(c, GLLM_N_RINT, a, VAL_NONE, VAL_NONE) : POISON;
	case GLLM_S_FSQRT: return gllm_canon_float(c, GLLM_N_SQRT, a, VAL_NONE, VAL_NONE);
	case GLLM_S_FNEG: return gllm_canon_float(c, GLLM_N_NEG, a, VAL_NONE, VAL_NONE);
	case GLLM_S_FABS: return gllm_canon_float(c, GLLM_N_ABS, a, VAL_NONE, VAL_NONE);
	case GLLM_S_FMA: case GLLM_S_FMS: case GLLM_S_FNMA: case GLLM_S_FNMS: return fused(c, x, a, b, get(l, x->c, loop));
	case GLLM_S_I2F: case GLLM_S_U2F: case GLLM_S_F2I: case GLLM_S_F2IN: case GLLM_S_F2F: return convert(l, x, a);
	case RAW_PRIM: return primitive(l, x, a, b, get(l, x->c, loop));
	case GLLM_S_SELECT: {
		bool whole = x->w == 64;
		return gllm_loops_choose(l, l->condition[x->c], whole ? a : gllm_canon_zext(c, a, x->w), whole ? b : gllm_canon_zext(c, b, x->w));
	}
	case GLLM_S_BLEND: {
		uint16_t sign = x->w == 32 ? gllm_canon_zext(c, get(l, x->c, loop), 32) : POISON, zero = gllm_canon_const(c, GLLM_I64, 0);
		if (sign == POISON)
			return POISON;
		return gllm_loops_choose(l, gllm_canon_icmp(c, sign, zero, 32, GLLM_CC_SNEG), gllm_canon_zext(c, a, 32), gllm_canon_zext(c, b, 32));
	}
	case GLLM_S_SETCC:
		return gllm_canon_select(c, l->condition[x->c], gllm_canon_const(c, GLLM_I32, 1), gllm_canon_const(c, GLLM_I32, 0));
	case GLLM_S_FMASK:
		if (x->w != 32)
			return POISON;
		return gllm_canon_select(c, gllm_canon_fcmp(c, a, b, gllm_canon_truth(x->fcc)), gllm_canon_const(c, GLLM_I32, 0xffffffff),
		                         gllm_canon_const(c, GLLM_I32, 0));
	default: return POISON;
	}
}

/* The value of raw, which is no constant; of a condition, beside it. */
uint16_t gllm_loops_evaluate(struct lifting *l, uint16_t raw, int loop)
{
	static const uint8_t node[] = {
		[GLLM_S_ADD] = GLLM_N_ADD, [GLLM_S_SUB] = GLLM_N_SUB, [GLLM_S_MUL] = GLLM_N_MUL, [GLLM_S_AND] = GLLM_N_AND,
		[GLLM_S_OR] = GLLM_N_OR, [GLLM_S_XOR] = GLLM_N_XOR, [GLLM_S_SHL] = GLLM_N_SHL, [GLLM_S_SHR] = GLLM_N_SHR,
		[GLLM_S_SAR] = GLLM_N_SAR, [GLLM_S_FMUL] = GLLM_N_MUL, [GLLM_S_FDIV] = GLLM_N_DIV,
	};
	struct canon *c = &l->c;
	const struct raw *x = &l->s->raw[raw];
	uint16_t a, b;
	switch (x->op) {
	case RAW_PARAM: return parameter(l, x);
	case RAW_PHI: return phi_value(l, raw);
	case RAW_COND: l->condition[raw] = condition(l, raw, loop); return POISON;
	case GLLM_S_LOAD: return gllm_loops_load(l, raw, loop);
	case GLLM_S_STORE: gllm_loops_store(l, raw, loop); return POISON;
	case GLLM_S_ADD: case GLLM_S_SUB: case GLLM_S_MUL: case GLLM_S_AND: case GLLM_S_OR: case GLLM_S_XOR: case GLLM_S_SHL:
	case GLLM_S_SHR: case GLLM_S_SAR:
		a = get(l, x->a, loop);
		b = get(l, x->b, loop);
		return gllm_canon_int(c, node[x->op], x->w, a, b);
	case GLLM_S_ZEXT: return gllm_canon_zext(c, get(l, x->a, loop), x->w);
	case GLLM_S_FADD: case GLLM_S_FSUB:
		if (x->w != 32)
			return POISON;
		a = get(l, x->a, loop);
		b = get(l, x->b, loop);
		return gllm_canon_sum(c, x->op == GLLM_S_FSUB, a, b);
	case GLLM_S_FMUL: case GLLM_S_FDIV:
		if (x->w != 32)
			return POISON;
		a = get(l, x->a, loop);
		b = get(l, x->b, loop);
		return gllm_canon_product(c, node[x->op], a, b);
	default:
		a = get(l, x->a, loop);
		b = get(l, x->b, loop);
		return other_operation(l, x, a, b, loop);
	}
}
