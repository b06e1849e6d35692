/* SPDX-License-Identifier: MIT
 * jit/loops_guard.c - values where a loop ran, ran to its end, or ran 0 times. */
#include "jit/loops_parts.h"

/* ---- values seen from outside their loop ----------------------------------------------------------------------------- */

static uint16_t last_poly(struct lifting *l, uint16_t poly, int loop)
{
	const struct loop_facts *x = &l->loop[loop];
	uint16_t last = x->bottom ? gllm_poly_plus(&l->c.p, x->trip, -1) : x->trip;
	return gllm_poly_put(&l->c.p, poly, GLLM_SYM_LOOP + (unsigned)loop, last);
}

/* The value v, which varies in `loop`, after the loop has ended. */
static uint16_t leave(struct lifting *l, uint16_t v, int loop)
{
	struct canon *c = &l->c;
	const struct val *x = &c->v[v];
	const struct loop_facts *facts = &l->loop[loop];
	if (!facts->known || (facts->negative && x->op != GLLM_N_CARRY))
		return POISON;
	if (x->op == GLLM_N_INDEX)
		return gllm_canon_poly(c, last_poly(l, (uint16_t)x->imm, loop));
	if (x->op == VAL_PTR && (x->a == VAL_NONE || c->v[x->a].loop != loop))
		return gllm_canon_ptr(c, x->aux, last_poly(l, (uint16_t)x->imm, loop), x->a, val_index_bytes(x));
	if (x->op == GLLM_N_CVT && c->v[x->a].op == GLLM_N_INDEX)
		return gllm_canon_as(c, gllm_canon_poly(c, last_poly(l, (uint16_t)c->v[x->a].imm, loop)), x->type);
	for (unsigned i = 0; i < l->ncarries; i++) {
		const struct carry *k = &l->carry[i];
		if (k->loop == loop && (facts->bottom ? c->v[k->value].b == v : k->value == v))
			return gllm_canon_last(c, k->value, l->f->loop[loop].parent);
	}
	return POISON;
}

uint16_t gllm_loops_outside(struct lifting *l, uint16_t v, int loop)
{
	while (v != POISON && l->c.v[v].loop >= 0 && !within(l, loop, l->c.v[v].loop)) {
		int from = l->c.v[v].loop;
		v = leave(l, v, from);
		if (l->c.v[v].loop == from)
			return POISON;
	}
	return v;
}

/* ---- guards ---------------------------------------------------------------------------------------------------------- */

/* p <= 0 makes t <= 0. */
static bool zero_makes_zero(struct lifting *l, uint16_t p, uint16_t t)
{
	struct polys *ps = &l->c.p;
	uint16_t q;
	if (p == t)
		return true;
	if (gllm_poly_range_of_difference(ps, t, p).high <= 0)
		return true;
	if (ps->poly[p].count != 1 || ps->term[ps->poly[p].first].coef <= 0)
		return false;
	uint16_t one = gllm_poly_constant(ps, ps->term[ps->poly[p].first].coef), mono;
	if (!gllm_poly_divide(ps, p, one, &mono) || !gllm_poly_divide(ps, t, mono, &q))
		return false;
	return gllm_poly_range(ps, q).low >= 0;
}

/* The polynomials that are <= 0 when the branch condition has the given outcome; returns how many (0, 1, 2). */
static unsigned nonpositive_when(struct lifting *l, cond_t c, bool outcome, uint16_t p[2])
{
	struct polys *ps = &l->c.p;
	const struct val *v = &l->c.v[cond_value(c)];
	bool holds = outcome != (c & 1);
	if (v->op != VAL_PCOND || (!v->aux && !holds))
		return 0;
	p[0] = (uint16_t)v->imm;
	if (v->aux) {
		if (holds) /* P >= 1 is 1 - P <= 0 */
			p[0] = gllm_poly_plus(ps, gllm_poly_add(ps, 0, p[0], -1), 1);
		return 1;
	}
	p[1] = gllm_poly_add(ps, 0, p[0], -1);
	return 2;
}

bool gllm_loops_no_iteration(struct lifting *l, cond_t c, bool outcome, uint16_t trip)
{
	uint16_t p[2];
	unsigned n = nonpositive_when(l, c, outcome, p);
	for (unsigned i = 0; i < n; i++)
		if (p[i] != POLY_NONE && zero_makes_zero(l, p[i], trip))
			return true;
	return false;
}

static bool runs_0_times(struct lifting *l, int loop, cond_t cond, bool outcome)
{
	return l->loop[loop].known && gllm_loops_no_iteration(l, cond, outcome, l->loop[loop].trip);
}

/* v if the condition has the given outcome: loops that then run 0 times yield what they began with. POISON if unclear. */
static uint16_t value_when(struct lifting *l, uint16_t v, cond_t cond, bool outcome)
{
	struct canon *c = &l->c;
	uint16_t *now = l->scratch, p[2];
	unsigned n = nonpositive_when(l, cond, outcome, p);
	if (!n || v == POISON || c->v[v].op == GLLM_N_CONST)
		return v;
	if (c->v[v].op == GLLM_N_LAST && c->v[c->v[c->v[v].a].a].op == GLLM_N_CONST) /* as most sums begin */
		return runs_0_times(l, c->v[c->v[v].a].loop, cond, outcome) ? c->v[c->v[v].a].a : v;
	const uint32_t syms = c->p.term[c->p.poly[p[0]].first].syms;
	unsigned zero_sym = c->p.poly[p[0]].count == 1 && !poly_sym(syms, 1) ? poly_sym(syms, 0) : 0;
	for (unsigned i = 0; i <= v; i++)
		now[i] = ABSENT;
	now[v] = v; /* wanted */
	for (unsigned i = v + 1u; i-- > 2; ) {
		const struct val *x = &c->v[i];
		if (now[i] == ABSENT || x->op == GLLM_N_CARRY)
			continue;
		if (x->op == GLLM_N_LAST) {
			uint16_t init = c->v[x->a].a;
			now[init] = init;
			continue;
		}
		if (x->op == VAL_FCMP || x->op == VAL_ICMP || x->op == VAL_PCOND || x->op == VAL_MSEL || x->op == GLLM_N_LOAD)
			continue;
		const uint16_t operand[3] = { x->a, x->b, x->c };
		for (unsigned k = 0; k < 3; k++)
			if (operand[k] != VAL_NONE)
				now[operand[k]] = operand[k];
	}
	for (unsigned i = 2; i <= v; i++) {
		if (now[i] == ABSENT)
			continue;
		const struct val *x = &c->v[i];
		uint16_t a = x->a < i ? now[x->a] : VAL_NONE, b = x->b < i ? now[x->b] : VAL_NONE, d = x->c < i ? now[x->c] : VAL_NONE;
		switch (x->op) {
		case GLLM_N_LAST: {
			const struct val *k = &c->v[x->a];
			now[i] = runs_0_times(l, k->loop, cond, outcome) ? now[k->a] : (uint16_t)i;
			break;
		}
		case GLLM_N_INDEX:
			if (zero_sym)
				now[i] = gllm_canon_poly(c, gllm_poly_put(&c->p, (uint16_t)x->imm, zero_sym, 0));
			break;
		case VAL_PTR:
			if (zero_sym && x->a == VAL_NONE)
				now[i] = gllm_canon_ptr(c, x->aux, gllm_poly_put(&c->p, (uint16_t)x->imm, zero_sym, 0), VAL_NONE, val_index_bytes(x));
			break;
		case GLLM_N_ADD: case GLLM_N_SUB: case GLLM_N_MUL: case GLLM_N_DIV: case GLLM_N_NEG: case GLLM_N_ABS:
		case GLLM_N_SQRT:
			if (x->type == GLLM_F32 && (a != x->a || b != x->b))
				now[i] = gllm_canon_float(c, x->op, a, b, d);
			break;
		case GLLM_N_CVT: case GLLM_N_BITS:
			if (a != x->a)
				now[i] = a == POISON ? POISON : gllm_canon_node(c, x->op, x->type, a, VAL_NONE, VAL_NONE, 0);
			break;
		default: break; /* the same value: nothing in it is known to change */
		}
	}
	return now[v];
}

static bool same_result(const struct lifting *l, uint16_t a, uint16_t b)
{
	const struct val *x = &l->c.v[a], *y = &l->c.v[b];
	bool nans = x->op == GLLM_N_CONST && y->op == GLLM_N_CONST && x->type == GLLM_F32 && y->type == GLLM_F32 &&
	            (x->imm & 0x7fffffff) > 0x7f800000 && (y->imm & 0x7fffffff) > 0x7f800000;
	return a == b || nans;
}

/* i ? t : f, where a guard of loops that run 0 times when it fails is no select at all. */
uint16_t gllm_loops_choose(struct lifting *l, cond_t i, uint16_t t, uint16_t f)
{
	if (i == COND_TRUE || i == COND_FALSE || t == f)
		return i == COND_FALSE ? f : t;
	if (l->c.v[cond_value(i)].op == VAL_PCOND && t != POISON && f != POISON) {
		if (l->c.v[f].op == GLLM_N_CONST) /* constants come without a type */
			f = gllm_canon_as(&l->c, f, l->c.v[t].type);
		else if (l->c.v[t].op == GLLM_N_CONST)
			t = gllm_canon_as(&l->c, t, l->c.v[f].type);
		if (f != POISON && same_result(l, value_when(l, t, i, false), f))
			return t;
		if (t != POISON && same_result(l, value_when(l, f, i, true), t))
			return f;
	}
	return gllm_canon_select(&l->c, i, t, f);
}

/* p >= 1 is known where `block` is entered, from the branches that lead there. */
bool gllm_loops_positive(struct lifting *l, uint16_t block, uint16_t p)
{
	struct polys *ps = &l->c.p;
	if (p == POLY_NONE)
		return false;
	if (gllm_poly_range(ps, p).low >= 1)
		return true;
	const struct poly_term *const t = &ps->term[ps->poly[p].first];
	bool monomial = ps->poly[p].count == 1;
	uint32_t left = monomial ? t->syms : 0; /* factors not known to be positive, in their places */
	for (uint16_t b = block; l->f->block[b].idom != FLOW_NONE; b = l->f->block[b].idom) {
		const struct flow_block *x = &l->f->block[b];
		uint16_t d = x->idom, np[2];
		/* the edge d -> b is the only way in (a header's first predecessor is the one from outside) */
		if ((x->npreds != 1 && !x->header) || l->f->pred[x->pred] != d || l->f->block[d].nsucc != 2)
			continue;
		cond_t c = l->branch[d];
		bool outcome = l->f->block[d].succ[1] == b;
		/* here the condition has this outcome: what is not positive under the other is positive under this one */
		if (nonpositive_when(l, c, !outcome, np) != 1)
			continue;
		uint16_t q = np[0];
		if (q == p || gllm_poly_range_of_difference(ps, p, q).low >= 0)
			return true;
		if (!monomial || ps->poly[q].count != 1 || t->coef <= 0)
			continue;
		const struct poly_term *u = &ps->term[ps->poly[q].first];
		for (unsigned i = 0; i < GLLM_TERM_SYMS && u->coef > 0; i++) /* a positive product has positive factors */
			for (unsigned k = 0; k < GLLM_TERM_SYMS; k++)
				if (poly_sym(left, k) == poly_sym(u->syms, i))
					left &= ~(UINT32_C(0xff000000) >> 8 * k);
		if (!left)
			return true;
	}
	return false;
}
