/* SPDX-License-Identifier: MIT
 * jit/canon_select.c - values that a condition chooses. */
#include "jit/canon_bits.h"
#include "jit/canon_parts.h"

/* The type both arms of a select can have. */
static unsigned common_type(const struct canon *c, uint16_t t, uint16_t f)
{
	unsigned x = c->v[t].type, y = c->v[f].type;
	if (is_const(c, t) && is_const(c, f))
		return x == GLLM_F32 || y == GLLM_F32 ? GLLM_F32 : c->v[t].imm >> 32 || c->v[f].imm >> 32 ? GLLM_I64 : GLLM_I32;
	if (is_const(c, f) && x != GLLM_I64)
		return c->v[f].imm >> 32 ? GLLM_I64 : x;
	if (is_const(c, t) && y != GLLM_I64)
		return c->v[t].imm >> 32 ? GLLM_I64 : y;
	if (x == y)
		return x;
	if (x == GLLM_F32 || y == GLLM_F32)
		return GLLM_F32;
	return x == GLLM_I64 || y == GLLM_I64 ? GLLM_I64 : GLLM_I32;
}

/* What a tree of selects over one pair of floats yields for one outcome of comparing them. */
static uint16_t leaf(const struct canon *c, uint16_t v, const struct val *pair, unsigned outcome)
{
	while (is(c, v, GLLM_N_SELECT)) {
		const struct val *i = &c->v[c->v[v].a];
		if (i->op != VAL_FCMP || i->a != pair->a || i->b != pair->b)
			break;
		v = i->aux & outcome ? c->v[v].b : c->v[v].c;
	}
	return v;
}

/* Joins nested selects over one pair into one select if two values remain. */
static bool flatten(struct canon *c, const struct val *pair, uint16_t t, uint16_t f, cond_t *i, uint16_t *rt, uint16_t *rf)
{
	uint16_t v[4], other = VAL_NONE;
	unsigned truth = 0;
	for (unsigned k = 0; k < 4; k++) {
		v[k] = leaf(c, pair->aux >> k & 1 ? t : f, pair, 1u << k);
		if (pair->a == pair->b && (k == 0 || k == 2))
			v[k] = leaf(c, pair->aux >> 1 & 1 ? t : f, pair, OUT_EQUAL); /* x compared with itself */
		if (v[k] == v[0])
			truth |= 1u << k;
		else if (other == VAL_NONE || other == v[k])
			other = v[k];
		else
			return false;
	}
	*rt = v[0];
	*rf = other == VAL_NONE ? v[0] : other;
	*i = gllm_canon_fcmp(c, pair->a, pair->b, truth);
	return true;
}

static void turn(cond_t *i, uint16_t *t, uint16_t *f)
{
	if (*i & 1) {
		uint16_t swap = *t;
		*t = *f;
		*f = swap;
		*i ^= 1;
	}
}

/* i(x) ? k : j(x) ? m : x  becomes  j(y) ? m : y  with y = i(x) ? k : x, where j(k) is false: the form of nested min
 * and max, which some compilers take apart. i is not negated. */
static void clamp(struct canon *c, cond_t *i, uint16_t *t, uint16_t *f)
{
	const struct val *p = &c->v[cond_value(*i)], *s = &c->v[*f];
	if (p->op != VAL_FCMP || !is_const(c, *t) || s->op != GLLM_N_SELECT || c->v[s->a].op != VAL_FCMP)
		return;
	const struct val *q = &c->v[s->a];
	bool inner_true = is_const(c, s->b);          /* which arm of the inner select is m */
	uint16_t m = inner_true ? s->b : s->c, x = inner_true ? s->c : s->b;
	if (!is_const(c, m) || is_const(c, x))
		return;
	unsigned truth = inner_true ? q->aux : OUT_ALL & ~(unsigned)q->aux;
	uint16_t of = x, with = m; /* the comparison of x and m may be written as one of -x and -m */
	if (is(c, x, GLLM_N_NEG) && q->a != x && q->b != x) {
		of = c->v[x].a;
		with = gllm_canon_negate(c, m);
		truth = swap_outcomes(truth);
	}
	if (p->a != of && p->b != of)
		return;
	if (q->a == with && q->b == of)
		truth = swap_outcomes(truth);
	else if (q->a != of || q->b != with)
		return;
	if (gllm_canon_fcmp(c, *t, m, truth) != COND_FALSE)
		return;
	uint16_t y = gllm_canon_node(c, GLLM_N_SELECT, GLLM_F32, cond_value(*i), *t, x, 0);
	*i = gllm_canon_fcmp(c, y, m, truth);
	*t = m;
	*f = y;
	turn(i, t, f);
}

/* v where condition i has the given outcome, one select deep. */
static uint16_t given(struct canon *c, uint16_t v, uint16_t i, bool outcome)
{
	if (!is(c, v, GLLM_N_SELECT))
		return v;
	if (c->v[v].a == i)
		return outcome ? c->v[v].b : c->v[v].c;
	uint16_t arm[2] = { c->v[v].b, c->v[v].c };
	bool changed = false;
	for (unsigned k = 0; k < 2; k++) {
		if (!is(c, arm[k], GLLM_N_SELECT) || c->v[arm[k]].a != i)
			continue;
		arm[k] = outcome ? c->v[arm[k]].b : c->v[arm[k]].c;
		changed = true;
	}
	if (!changed)
		return v;
	return arm[0] == arm[1] ? arm[0] : gllm_canon_node(c, GLLM_N_SELECT, c->v[v].type, c->v[v].a, arm[0], arm[1], 0);
}

/* Of x and a number other than 0, where both are equal it does not matter which is chosen. */
static void choose_on_equality(struct canon *c, cond_t *i, uint16_t *t, uint16_t *f)
{
	const struct val *pair = &c->v[cond_value(*i)];
	uint16_t k = is_const(c, *t) ? *t : *f;
	bool arms = pair->op == VAL_FCMP && ((pair->a == *t && pair->b == *f) || (pair->a == *f && pair->b == *t));
	if (!arms || !(pair->aux & OUT_EQUAL) || !plain_number(c, k) || !(c->v[k].imm << 33))
		return;
	*i = gllm_canon_fcmp(c, pair->a, pair->b, pair->aux & ~(unsigned)OUT_EQUAL);
	turn(i, t, f);
}

/* A select of a condition that is a value; t and f have one type. */
static uint16_t plain_select(struct canon *c, cond_t i, uint16_t t, uint16_t f)
{
	unsigned type = c->v[t].type;
	turn(&i, &t, &f);
	if (c->v[cond_value(i)].op == VAL_FCMP) {
		const struct val *pair = &c->v[cond_value(i)];
		if (flatten(c, pair, t, f, &i, &t, &f))
			turn(&i, &t, &f);
	}
	choose_on_equality(c, &i, &t, &f);
	t = given(c, t, cond_value(i), true);
	f = given(c, f, cond_value(i), false);
	if (t == f || i == COND_TRUE || i == COND_FALSE)
		return i == COND_FALSE ? f : t;
	clamp(c, &i, &t, &f);
	return gllm_canon_node(c, GLLM_N_SELECT, type, cond_value(i), t, f, 0);
}

static uint16_t any_select(struct canon *c, cond_t i, uint16_t t, uint16_t f)
{
	if (t == f || i == COND_TRUE || i == COND_FALSE)
		return i == COND_FALSE ? f : t;
	if (i == COND_POISON || t == POISON || f == POISON)
		return POISON;
	return plain_select(c, i, t, f);
}

static uint16_t select_understood(struct canon *c, cond_t i, uint16_t t, uint16_t f)
{
	unsigned type = common_type(c, t, f);
	t = gllm_canon_as(c, t, type);
	f = gllm_canon_as(c, f, type);
	i = gllm_canon_chooses(c, i);
	const struct val *m = &c->v[cond_value(i)];
	if (m->op != VAL_MSEL)
		return any_select(c, i, t, f);
	turn(&i, &t, &f);
	cond_t x = (cond_t)m->b << 1 | (m->aux >> 1 & 1), y = (cond_t)m->c << 1 | (m->aux >> 2 & 1);
	if (c->v[m->b].op == VAL_MSEL || c->v[m->c].op == VAL_MSEL || c->v[m->a].op == VAL_MSEL)
		return POISON;
	return any_select(c, (cond_t)m->a << 1, any_select(c, x, t, f), any_select(c, y, t, f));
}

/* Of what is understood in both. */
static uint16_t select_vague(struct canon *c, cond_t i, uint16_t t, uint16_t f)
{
	unsigned m = gllm_bits_known(c, t), n = gllm_bits_known(c, f), w = c->v[t].type == GLLM_I64 || c->v[f].type == GLLM_I64 ? 64 : 32;
	n = n < m ? n : m;
	t = n ? gllm_bits_understood(c, t, n) : POISON;
	f = n ? gllm_bits_understood(c, f, n) : POISON;
	return t == POISON || f == POISON ? POISON : gllm_bits_vague(c, select_understood(c, i, t, f), n, w);
}

uint16_t gllm_canon_select(struct canon *c, cond_t i, uint16_t t, uint16_t f)
{
	if (t == f || i == COND_TRUE || i == COND_FALSE)
		return i == COND_FALSE ? f : t;
	if (i == COND_POISON || t == POISON || f == POISON)
		return POISON;
	if (GLLM_RARELY(is(c, t, VAL_POISON) || is(c, f, VAL_POISON)))
		return select_vague(c, i, t, f);
	return select_understood(c, i, t, f);
}
