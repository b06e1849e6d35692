/* SPDX-License-Identifier: MIT
 * jit/canon_float.c - arithmetic of F32; every rewrite is exact for all bit patterns but the sign and payload of NaN. */
#include "jit/canon_parts.h"

#define QUIET_NAN 0x7fc00000u
#define ONE  0x3f800000u
#define TWO  0x40000000u

uint16_t gllm_canon_negate(struct canon *c, uint16_t v)
{
	if (is(c, v, GLLM_N_NEG))
		return c->v[v].a;
	if (is_const(c, v))
		return gllm_canon_const(c, GLLM_F32, c->v[v].imm ^ SIGN);
	return gllm_canon_node(c, GLLM_N_NEG, GLLM_F32, v, VAL_NONE, VAL_NONE, 0);
}

/* Takes the sign off a factor: a negation or a negative constant. */
static uint16_t factor(struct canon *c, uint16_t v, bool *negative)
{
	bool minus = is(c, v, GLLM_N_NEG) || (is_const(c, v) && c->v[v].imm & SIGN);
	*negative = *negative != minus;
	return minus ? gllm_canon_negate(c, v) : v;
}

/* The power of two whose product is the quotient by k, if there is one and both are normal; 0 otherwise. */
static uint32_t reciprocal(uint64_t k)
{
	uint32_t exponent = (uint32_t)k >> 23 & 0xff;
	return k & 0x7fffff || exponent < 1 || exponent > 253 ? 0 : (254 - exponent) << 23;
}

/* a, which is not negative, times or by a constant: 1 and 2 need none, and powers of two multiply. */
static uint16_t scaled(struct canon *c, unsigned *op, uint16_t a, uint16_t *b)
{
	uint32_t inverse = *op == GLLM_N_DIV ? reciprocal(c->v[*b].imm) : 0;
	if (inverse) {
		*op = GLLM_N_MUL;
		*b = gllm_canon_const(c, GLLM_F32, inverse);
	}
	if (c->v[*b].imm == ONE)
		return a;
	return *op == GLLM_N_MUL && c->v[*b].imm == TWO ? gllm_canon_node(c, GLLM_N_ADD, GLLM_F32, a, a, VAL_NONE, 0) : VAL_NONE;
}

/* (i ? 1 : s) * x  is  i ? x : s * x */
static uint16_t distributed(struct canon *c, uint16_t pick, uint16_t x)
{
	const struct val *s = &c->v[pick];
	bool first = s->op == GLLM_N_SELECT && is_const(c, s->b) && c->v[s->b].imm == ONE;
	bool second = s->op == GLLM_N_SELECT && is_const(c, s->c) && c->v[s->c].imm == ONE;
	if (first == second)
		return VAL_NONE;
	uint16_t p = first ? s->c : s->b, q = x;
	if (is_const(c, p) || is(c, p, GLLM_N_NEG))
		return VAL_NONE;
	order(&p, &q);
	uint16_t v = gllm_canon_node(c, GLLM_N_MUL, GLLM_F32, p, q, VAL_NONE, 0);
	return gllm_canon_select(c, (cond_t)s->a << 1, first ? x : v, first ? v : x);
}

uint16_t gllm_canon_product(struct canon *c, unsigned op, uint16_t a, uint16_t b)
{
	a = gllm_canon_as(c, a, GLLM_F32);
	b = gllm_canon_as(c, b, GLLM_F32);
	if (a == POISON || b == POISON)
		return POISON;
	if (op == GLLM_N_DIV && is_const(c, a) && is_const(c, b) && !(c->v[a].imm << 33) && !(c->v[b].imm << 33))
		return gllm_canon_const(c, GLLM_F32, QUIET_NAN);
	uint16_t picked = op == GLLM_N_MUL ? distributed(c, a, b) : VAL_NONE;
	if (op == GLLM_N_MUL && picked == VAL_NONE)
		picked = distributed(c, b, a);
	if (picked != VAL_NONE)
		return picked;
	bool negative = false;
	a = factor(c, a, &negative);
	b = factor(c, b, &negative);
	if (op == GLLM_N_MUL && is_const(c, a)) {
		uint16_t t = a;
		a = b;
		b = t;
	}
	uint16_t v = is_const(c, b) ? scaled(c, &op, a, &b) : VAL_NONE;
	if (op == GLLM_N_MUL)
		order(&a, &b);
	if (v == VAL_NONE)
		v = gllm_canon_node(c, op, GLLM_F32, a, b, VAL_NONE, 0);
	return negative ? gllm_canon_negate(c, v) : v;
}

/* k + (i ? v : 0)  is  i ? k + v : k  for a constant k other than 0, and so for a difference. */
static uint16_t shared(struct canon *c, bool minus, uint16_t k, uint16_t pick)
{
	const struct val *s = &c->v[pick];
	if (!is_const(c, k) || !(c->v[k].imm << 33) || s->op != GLLM_N_SELECT || is_const(c, s->b) == is_const(c, s->c))
		return VAL_NONE;
	bool first = is_const(c, s->c); /* the arm that is not constant */
	uint16_t v = first ? s->b : s->c, p = k;
	if (c->v[first ? s->c : s->b].imm << 33 || is(c, v, GLLM_N_NEG))
		return VAL_NONE;
	if (!minus && c->v[k].imm & SIGN) { /* as a sum with -k is written */
		v = gllm_canon_node(c, GLLM_N_SUB, GLLM_F32, v, gllm_canon_negate(c, k), VAL_NONE, 0);
	} else {
		if (!minus)
			order(&p, &v);
		v = gllm_canon_node(c, minus ? GLLM_N_SUB : GLLM_N_ADD, GLLM_F32, p, v, VAL_NONE, 0);
	}
	return gllm_canon_select(c, (cond_t)s->a << 1, first ? v : k, first ? k : v);
}

uint16_t gllm_canon_sum(struct canon *c, bool minus, uint16_t a, uint16_t b)
{
	a = gllm_canon_as(c, a, GLLM_F32);
	b = gllm_canon_as(c, b, GLLM_F32);
	if (a == POISON || b == POISON)
		return POISON;
	uint16_t split = shared(c, minus, a, b);
	if (split == VAL_NONE && !minus)
		split = shared(c, false, b, a);
	if (split != VAL_NONE)
		return split;
	if (is_const(c, a) && !minus) {
		uint16_t t = a;
		a = b;
		b = t;
	}
	if (is_const(c, b) && c->v[b].imm & SIGN) { /* x - -k is x + k, and x + -k is x - k */
		b = gllm_canon_negate(c, b);
		minus = !minus;
	}
	if (is(c, b, GLLM_N_NEG)) {
		b = c->v[b].a;
		minus = !minus;
	}
	if (is(c, a, GLLM_N_NEG) && !minus) { /* -a + b is b - a */
		uint16_t t = c->v[a].a;
		a = b;
		b = t;
		minus = true;
	} else if (is(c, a, GLLM_N_NEG)) {    /* -a - b is -b - a */
		uint16_t t = c->v[a].a;
		order(&t, &b);
		if (is_const(c, b)) { /* -x - k is -k - x */
			uint16_t k = b;
			b = t;
			t = k;
		}
		a = gllm_canon_negate(c, t);
	}
	if (!minus)
		order(&a, &b);
	return gllm_canon_node(c, minus ? GLLM_N_SUB : GLLM_N_ADD, GLLM_F32, a, b, VAL_NONE, 0);
}

uint16_t gllm_canon_float(struct canon *c, unsigned op, uint16_t a, uint16_t b, uint16_t d)
{
	a = gllm_canon_as(c, a, GLLM_F32);
	b = b == VAL_NONE || op == GLLM_N_LDEXP ? b : gllm_canon_as(c, b, GLLM_F32);
	d = d == VAL_NONE ? d : gllm_canon_as(c, d, GLLM_F32);
	if (a == POISON || b == POISON || d == POISON)
		return POISON;
	switch (op) {
	case GLLM_N_ADD: case GLLM_N_SUB: return gllm_canon_sum(c, op == GLLM_N_SUB, a, b);
	case GLLM_N_MUL: case GLLM_N_DIV: return gllm_canon_product(c, op, a, b);
	case GLLM_N_NEG: return gllm_canon_negate(c, a);
	case GLLM_N_ABS:
		if (is(c, a, GLLM_N_NEG) || is(c, a, GLLM_N_ABS))
			a = c->v[a].a;
		if (is_const(c, a))
			return gllm_canon_const(c, GLLM_F32, c->v[a].imm & ~(uint64_t)SIGN);
		break;
	case GLLM_N_FMA: order(&a, &b); break;
	default: break;
	}
	return gllm_canon_node(c, op, GLLM_F32, a, b, d, 0);
}
