/* SPDX-License-Identifier: MIT
 * jit/canon_cond.c - conditions: comparisons of floats, polynomials and other integers. */
#include "core/sem.h"
#include "jit/canon_parts.h"

unsigned gllm_canon_truth(unsigned fcc)
{
	static const uint8_t truth[] = {
		[GLLM_CC_NEVER] = 0, [GLLM_CC_ALWAYS] = 15,
		[GLLM_CC_FOEQ] = 2, [GLLM_CC_FUEQ] = 10, [GLLM_CC_FONE] = 5, [GLLM_CC_FUNE] = 13,
		[GLLM_CC_FOLT] = 1, [GLLM_CC_FULT] = 9, [GLLM_CC_FOLE] = 3, [GLLM_CC_FULE] = 11,
		[GLLM_CC_FOGT] = 4, [GLLM_CC_FUGT] = 12, [GLLM_CC_FOGE] = 6, [GLLM_CC_FUGE] = 14,
		[GLLM_CC_FORD] = 7, [GLLM_CC_FUNO] = 8,
	};
	return fcc < sizeof truth && (fcc <= GLLM_CC_ALWAYS || fcc >= GLLM_CC_FOEQ) ? truth[fcc] : 255;
}

static uint16_t strip_sign(const struct canon *c, uint16_t v)
{
	while (is(c, v, GLLM_N_NEG) || is(c, v, GLLM_N_ABS))
		v = c->v[v].a;
	return v;
}

/* Of two float patterns, compared without a floating-point unit. */
static unsigned outcome(uint64_t a, uint64_t b)
{
	int64_t x = (int64_t)(a & 0x7fffffff), y = (int64_t)(b & 0x7fffffff);
	if (x > 0x7f800000 || y > 0x7f800000)
		return OUT_UNORDERED;
	x = a & SIGN ? -x : x;
	y = b & SIGN ? -y : y;
	return x < y ? OUT_LESS : x == y ? OUT_EQUAL : OUT_GREATER;
}

/* x <= greatest finite number is x < inf, and so for the least; what is beyond inf counts as equal to it. */
static void edge(struct canon *c, uint16_t x, uint16_t *k, unsigned *truth)
{
	uint64_t bits = is_const(c, *k) && !is_const(c, x) ? c->v[*k].imm : 0, size = bits & 0x7fffffff;
	unsigned inner = bits & SIGN ? OUT_GREATER : OUT_LESS, outer = bits & SIGN ? OUT_LESS : OUT_GREATER;
	if (size == 0x7f7fffff && !(*truth & inner) == !(*truth & OUT_EQUAL)) {
		*k = gllm_canon_const(c, GLLM_F32, bits + 1);
		*truth = (*truth & (inner | outer | OUT_UNORDERED)) | (*truth & outer ? OUT_EQUAL : 0u);
	} else if (size == 0x7f800000) {
		*truth = (*truth & ~outer) | (*truth & OUT_EQUAL ? outer : 0u);
	}
}

cond_t gllm_canon_fcmp(struct canon *c, uint16_t a, uint16_t b, unsigned truth)
{
	a = gllm_canon_as(c, a, GLLM_F32);
	b = gllm_canon_as(c, b, GLLM_F32);
	if (a == POISON || b == POISON || truth > OUT_ALL)
		return COND_POISON;
	bool neg = is(c, a, GLLM_N_NEG) && (is(c, b, GLLM_N_NEG) || is_const(c, b));
	neg = neg || (is_const(c, a) && is(c, b, GLLM_N_NEG));
	if (neg) {
		a = gllm_canon_negate(c, a);
		b = gllm_canon_negate(c, b);
		truth = swap_outcomes(truth);
	}
	if (truth == OUT_UNORDERED || truth == (OUT_ALL & ~OUT_UNORDERED)) {
		a = strip_sign(c, a);
		b = strip_sign(c, b);
		a = plain_number(c, a) ? b : a;
		b = plain_number(c, b) ? a : b;
	}
	if (a == b)
		truth = (truth & OUT_EQUAL ? OUT_EQUAL | OUT_LESS | OUT_GREATER : 0u) | (truth & OUT_UNORDERED);
	edge(c, a, &b, &truth);
	truth = swap_outcomes(truth);
	edge(c, b, &a, &truth);
	truth = swap_outcomes(truth);
	if (is_const(c, a) && is_const(c, b))
		truth = truth & outcome(c->v[a].imm, c->v[b].imm) ? OUT_ALL : 0;
	if (truth == 0 || truth == OUT_ALL)
		return truth ? COND_TRUE : COND_FALSE;
	if (a > b) {
		order(&a, &b);
		truth = swap_outcomes(truth);
	}
	/* of each table and its complement, the one that is a comparison */
	const unsigned direct = 1u << 1 | 1u << 4 | 1u << 3 | 1u << 6 | 1u << 2 | 1u << 8 | 1u << 5;
	bool inverted = !(direct >> truth & 1);
	uint16_t v = gllm_canon_make(c, VAL_FCMP, GLLM_MASK, inverted ? OUT_ALL & ~truth : truth, a, b, VAL_NONE, 0);
	return (cond_t)v << 1 | inverted;
}

static cond_t pcond(struct canon *c, uint16_t poly, bool positive)
{
	if (poly == POLY_NONE)
		return COND_POISON;
	bool inverted = false;
	struct poly_range r = gllm_poly_range(&c->p, poly);
	if (!positive && (r.low == 0 || r.high == 0)) { /* p == 0 is not p >= 1, or not -p >= 1 */
		poly = r.low == 0 ? poly : gllm_poly_add(&c->p, 0, poly, -1);
		r = gllm_poly_range(&c->p, poly);
		positive = inverted = true;
	}
	bool always = positive ? r.low >= 1 : r.low == 0 && r.high == 0;
	bool never = positive ? r.high <= 0 : r.low >= 1 || r.high < 0;
	if (always || never)
		return (always ? COND_TRUE : COND_FALSE) ^ inverted;
	return (cond_t)gllm_canon_pcond(c, poly, positive) << 1 | inverted;
}

/* Compares polynomials x and y, as numbers. Unsigned comparisons need both to be non-negative. */
static cond_t poly_compare(struct canon *c, uint16_t x, uint16_t y, unsigned cc)
{
	enum { KNOWN = 1, EQUAL = 2, LESS = 4, NOT = 8, UNSIGNED = 16 }; /* x == y or x < y; else x > y */
	static const uint8_t way[] = {
		[GLLM_CC_EQ] = KNOWN | EQUAL, [GLLM_CC_NE] = KNOWN | EQUAL | NOT,
		[GLLM_CC_ULT] = KNOWN | LESS | UNSIGNED, [GLLM_CC_ULE] = KNOWN | NOT | UNSIGNED,
		[GLLM_CC_UGT] = KNOWN | UNSIGNED, [GLLM_CC_UGE] = KNOWN | LESS | NOT | UNSIGNED,
		[GLLM_CC_SLT] = KNOWN | LESS, [GLLM_CC_SLE] = KNOWN | NOT, [GLLM_CC_SGT] = KNOWN, [GLLM_CC_SGE] = KNOWN | LESS | NOT,
		[GLLM_CC_SNEG] = KNOWN | LESS, [GLLM_CC_SPOS] = KNOWN | LESS | NOT,
	};
	const unsigned how = cc < sizeof way ? way[cc] : 0;
	if (cc == GLLM_CC_OVF || cc == GLLM_CC_NOVF)
		return cc == GLLM_CC_NOVF ? COND_TRUE : COND_FALSE;
	if (!how || (how & UNSIGNED && (gllm_poly_range(&c->p, x).low < 0 || gllm_poly_range(&c->p, y).low < 0)))
		return COND_POISON;
	const cond_t r = pcond(c, how & LESS ? gllm_poly_add(&c->p, y, x, -1) : gllm_poly_add(&c->p, x, y, -1), !(how & EQUAL));
	return r == COND_POISON || !(how & NOT) ? r : r ^ 1;
}

static cond_t data_compare(struct canon *c, uint16_t a, uint16_t b, unsigned w, unsigned cc)
{
	bool is_unsigned = cc == GLLM_CC_ULT || cc == GLLM_CC_ULE || cc == GLLM_CC_UGT || cc == GLLM_CC_UGE;
	unsigned type = w == 64 ? GLLM_I64 : is_unsigned ? GLLM_U32 : GLLM_I32;
	if ((w != 32 && w != 64) || (w == 64 && is_unsigned))
		return COND_POISON;
	a = gllm_canon_as(c, a, type);
	b = gllm_canon_as(c, b, type);
	bool less = true, swap = false, inverted = false;
	switch (cc) {
	case GLLM_CC_EQ: less = false; break;
	case GLLM_CC_NE: less = false; inverted = true; break;
	case GLLM_CC_ULT: case GLLM_CC_SLT: case GLLM_CC_SNEG: break;
	case GLLM_CC_UGE: case GLLM_CC_SGE: case GLLM_CC_SPOS: inverted = true; break;
	case GLLM_CC_UGT: case GLLM_CC_SGT: swap = true; break;
	case GLLM_CC_ULE: case GLLM_CC_SLE: swap = inverted = true; break;
	default: return COND_POISON;
	}
	if ((swap && less) || (!less && a > b)) {
		uint16_t t = a;
		a = b;
		b = t;
	}
	uint16_t r = gllm_canon_make(c, VAL_ICMP, GLLM_MASK, less ? 0 : 1, a, b, VAL_NONE, 0);
	return (cond_t)r << 1 | (r != POISON && inverted);
}

static bool const_compare(const struct canon *c, uint16_t a, uint16_t b, unsigned w, unsigned cc, cond_t *r)
{
	if (!is_const(c, a) || !is_const(c, b) || w > 64)
		return false;
	uint64_t x = low(c->v[a].imm, w), y = low(c->v[b].imm, w), flip = UINT64_C(1) << (w - 1);
	bool ult = x < y, slt = (x ^ flip) < (y ^ flip), eq = x == y, truth;
	switch (cc) {
	case GLLM_CC_EQ: truth = eq; break;
	case GLLM_CC_NE: truth = !eq; break;
	case GLLM_CC_ULT: truth = ult; break;
	case GLLM_CC_ULE: truth = ult || eq; break;
	case GLLM_CC_UGT: truth = !ult && !eq; break;
	case GLLM_CC_UGE: truth = !ult; break;
	case GLLM_CC_SLT: truth = slt; break;
	case GLLM_CC_SLE: truth = slt || eq; break;
	case GLLM_CC_SGT: truth = !slt && !eq; break;
	case GLLM_CC_SGE: truth = !slt; break;
	case GLLM_CC_SNEG: truth = (low(x - y, w) & flip) != 0; break;
	case GLLM_CC_SPOS: truth = (low(x - y, w) & flip) == 0; break;
	default: return false;
	}
	*r = truth ? COND_TRUE : COND_FALSE;
	return true;
}

/* (i ? k : l) compared with a constant: decided per arm. */
static cond_t arms_compare(struct canon *c, uint16_t a, uint16_t b, unsigned w, unsigned cc)
{
	const struct val *s = &c->v[a];
	cond_t t, f;
	if (!const_compare(c, s->b, b, w, cc, &t) || !const_compare(c, s->c, b, w, cc, &f))
		return COND_POISON;
	return gllm_canon_cond_select(c, (cond_t)s->a << 1, t, f);
}

cond_t gllm_canon_icmp(struct canon *c, uint16_t a, uint16_t b, unsigned w, unsigned cc)
{
	uint16_t p, q;
	cond_t r;
	if (a == POISON || b == POISON)
		return COND_POISON;
	if (cc == GLLM_CC_NEVER || cc == GLLM_CC_ALWAYS)
		return cc == GLLM_CC_ALWAYS ? COND_TRUE : COND_FALSE;
	if (const_compare(c, a, b, w, cc, &r))
		return r;
	if (w == 8 || w == 16) { /* as numbers with a sign or without */
		bool difference = (cc == GLLM_CC_SNEG || cc == GLLM_CC_SPOS) && !zero_const(c, b), is_signed = cc > GLLM_CC_UGE;
		a = difference ? gllm_canon_int(c, GLLM_N_SUB, w, a, b) : a;
		b = difference ? gllm_canon_const(c, GLLM_I64, 0) : b;
		a = is_signed ? gllm_canon_sext(c, a, w, 32) : gllm_canon_zext(c, a, w);
		b = is_signed ? gllm_canon_sext(c, b, w, 32) : gllm_canon_zext(c, b, w);
		w = 32;
		if (cc > GLLM_CC_SPOS || a == POISON || b == POISON)
			return COND_POISON;
	}
	if (const_arms(c, a) && is_const(c, b))
		return arms_compare(c, a, b, w, cc);
	if ((cc == GLLM_CC_SNEG || cc == GLLM_CC_SPOS) && !zero_const(c, b)) { /* the sign of a - b */
		a = gllm_canon_int(c, GLLM_N_SUB, w, a, b);
		b = gllm_canon_const(c, GLLM_I64, 0);
		if (a == POISON)
			return COND_POISON;
	}
	if (is(c, a, VAL_PTR) || is(c, b, VAL_PTR)) /* addresses of one buffer compare as offsets do */
		return w == 64 && val_same_base(&c->v[a], &c->v[b])
		       ? poly_compare(c, (uint16_t)c->v[a].imm, (uint16_t)c->v[b].imm, cc) : COND_POISON;
	if (w == 64 && gllm_canon_as_poly(c, a, &p) && gllm_canon_as_poly(c, b, &q))
		return poly_compare(c, p, q, cc);
	if (w == 32 && gllm_canon_poly32(c, a, &p) && gllm_canon_poly32(c, b, &q)) {
		bool is_signed = cc >= GLLM_CC_SLT && cc <= GLLM_CC_SPOS;
		gllm_canon_duty(c, p, is_signed ? INT32_MIN : 0, is_signed ? INT32_MAX : UINT32_MAX);
		gllm_canon_duty(c, q, is_signed ? INT32_MIN : 0, is_signed ? INT32_MAX : UINT32_MAX);
		return poly_compare(c, p, q, cc);
	}
	return data_compare(c, a, b, w, cc);
}

cond_t gllm_canon_cond_select(struct canon *c, cond_t i, cond_t t, cond_t f)
{
	if (i == COND_TRUE || i == COND_FALSE)
		return i == COND_TRUE ? t : f;
	if (t == f)
		return t;
	if (i == COND_POISON || t == COND_POISON || f == COND_POISON)
		return COND_POISON;
	if (i & 1) {
		cond_t swap = t;
		t = f;
		f = swap;
		i ^= 1;
	}
	if (t == COND_TRUE && f == COND_FALSE)
		return i;
	if (t == COND_FALSE && f == COND_TRUE)
		return i ^ 1;
	i = gllm_canon_chooses(c, i);
	t = gllm_canon_chooses(c, t);
	f = gllm_canon_chooses(c, f);
	uint16_t v = gllm_canon_make(c, VAL_MSEL, GLLM_MASK, (t & 1) << 1 | (f & 1) << 2, cond_value(i), cond_value(t), cond_value(f), 0);
	return (cond_t)v << 1;
}
