/* SPDX-License-Identifier: MIT
 * jit/lower_order.c - which loops may be reordered: their carries are reductions that nothing else reads, their accesses independent.
 *
 * Whatever is not proved is not reordered: a wrong proof here would be wrong code, a missing one only slow code. */
#include "jit/lower_state.h"

static bool reduction_shape(const struct lower *l, const struct gllm_reduction *r, gllm_ref carry)
{
	const struct gllm_node *n = &l->t->node[carry], *u = &l->t->node[n->b];
	bool touches = u->a == carry || u->b == carry || u->c == carry;
	bool f32 = n->type == GLLM_F32, word = n->type == GLLM_I32 || n->type == GLLM_U32 || n->type == GLLM_I64;

	if (!touches || u->loop != n->loop || (!f32 && !word))
		return false;
	switch ((enum gllm_reduce_kind)r->kind) {
	case GLLM_REDUCE_SUM: return u->op == GLLM_N_ADD && u->a != u->b;
	case GLLM_REDUCE_PRODUCT: return f32 && u->op == GLLM_N_MUL && u->a != u->b;
	case GLLM_REDUCE_MAX: case GLLM_REDUCE_MIN: return f32 && u->op == GLLM_N_SELECT;
	case GLLM_REDUCE_ARGMAX: case GLLM_REDUCE_ARGMIN:
		return u->op == GLLM_N_SELECT && r->pair != GLLM_NO_NODE && f32 == (carry == r->carry);
	case GLLM_REDUCE_AND: case GLLM_REDUCE_OR: case GLLM_REDUCE_OTHER: break;
	}
	return false;
}

/* The carry may reach nothing in the loop but its own update (and its pair's). */
static bool carry_is_free(struct lower *l, gllm_ref carry, const struct gllm_reduction *r, uint8_t *taint)
{
	const struct gllm_trace *t = l->t;
	const struct gllm_loop *loop = &t->loop[t->node[carry].loop];

	for (gllm_ref i = loop->first; i < loop->end; i++) {
		const struct gllm_node *n = &t->node[i];
		gllm_ref from[4];
		unsigned k = gllm_lower_sources(t, i, from);
		taint[i] = i == carry;
		if (n->op == GLLM_N_CARRY && i != carry) {
			bool initial = n->loop != t->node[carry].loop && n->a < i && taint[n->a] && n->a >= loop->first;
			if (initial)
				return false;
			continue;
		}
		while (i != carry && k-- > 0)
			if (from[k] >= loop->first && from[k] < i && taint[from[k]])
				taint[i] = 1;
		if (taint[i] && (n->op == GLLM_N_STORE || n->op == GLLM_N_LOAD))
			return false;
	}
	for (gllm_ref i = loop->first; i < loop->end; i++) {
		const struct gllm_node *n = &t->node[i];
		if (n->op == GLLM_N_CARRY && i != r->carry && i != r->pair && n->b >= loop->first && n->b < loop->end &&
		    taint[n->b])
			return false;
	}
	return r->value == GLLM_NO_NODE || r->value < loop->first || r->value >= loop->end || !taint[r->value];
}

static bool carries_reorder(struct lower *l, unsigned loop, uint8_t *taint)
{
	const struct gllm_trace *t = l->t;

	for (gllm_ref i = t->loop[loop].first; i < t->loop[loop].end; i++) {
		if (t->node[i].op != GLLM_N_CARRY || t->node[i].loop != (int)loop)
			continue;
		if (l->reduction[i] == 0xffff)
			return false;
		const struct gllm_reduction *r = &t->reduction[l->reduction[i]];
		if (!reduction_shape(l, r, i) || !carry_is_free(l, i, r, taint))
			return false;
	}
	return true;
}

/* Bytes from an access's own address to the end of what loops inside `loop` make it reach. */
static bool extent(struct lower *l, gllm_ref node, unsigned loop, struct poly *out)
{
	const struct gllm_trace *t = l->t;
	const struct induction *x = &l->ind[l->access[t->node[node].imm].ind];
	bool ok = true;

	out->n = 0;
	gllm_terms_add_term(out, (struct gllm_term){ .coef = gllm_type_bytes((enum gllm_type)t->access[t->node[node].imm].type) });
	for (unsigned i = loop + 1; i < t->nloops; i++) {
		struct poly trip, stride, product;
		if (!(x->loops >> i & 1) || !gllm_lower_in_loop(l, t->loop[i].first, loop))
			continue;
		stride = gllm_lower_lin_poly(l, x->stride[i]);
		if (l->ind[l->trip[i].ind].loops != 0 || !gllm_lower_poly(l, t->loop[i].trip, &trip))
			return false;
		ok = ok && gllm_terms_not_negative(&stride) && gllm_terms_add_term(&trip, (struct gllm_term){ .coef = -1 }) &&
		     gllm_terms_mul(&product, &trip, &stride) && gllm_terms_add(out, &product, 1);
	}
	return ok;
}

static bool at_least(const struct poly *big, const struct poly *small)
{
	struct poly d = *big;
	return gllm_terms_add(&d, small, -1) && gllm_terms_not_negative(&d);
}

static bool lin_equal(struct lin a, struct lin b)
{
	return a.c == b.c && a.sym == b.sym;
}

/* The most trips minus one times a fixed stride that is not negative; -1 if it is not that. */
static int64_t reach(const struct lower *l, const struct induction *x, unsigned loop)
{
	int64_t s = x->stride[loop].c, t = l->loop[loop].trip, r;

	if (t < 0 && (int)loop == l->o->split - 1 && l->o->most)
		t = l->o->most;
	if (t < 0 && (int)loop == l->o->whole - 1)
		t = l->o->bound;
	if (x->stride[loop].sym != NO_SYM || s < 0 || t < 0)
		return -1;
	return __builtin_mul_overflow(t > 0 ? t - 1 : 0, s, &r) ? -1 : r;
}

/* Whether a stride is a pitch: a parameter of which the options say that all fixed strides stay below it. */
static bool is_pitch(const struct lower *l, struct lin x)
{
	const struct poly *p = x.sym == NO_SYM ? NULL : &l->sym[x.sym];
	return p && p->n == 1 && p->t[0].coef == 1 && p->t[0].sym[1] == 0 && p->t[0].sym[0] < GLLM_SYM_LOOP &&
	       (l->o->pitches >> (p->t[0].sym[0] - GLLM_SYM_PARAM) & 1);
}

/* Both accesses move alike by strides that are places of one number: what loops with lesser strides reach together
 * is less than each greater one, of which one may be a pitch. Then equal addresses are of equal iterations. */
static bool digits(const struct lower *l, gllm_ref s, gllm_ref a, unsigned loop)
{
	const struct gllm_trace *t = l->t;
	const struct place *ps = &l->access[t->node[s].imm], *pa = &l->access[t->node[a].imm];
	const struct induction *is = &l->ind[ps->ind], *ia = &l->ind[pa->ind];
	int64_t bytes = gllm_type_bytes((enum gllm_type)t->access[t->node[s].imm].type), below = 0;
	uint32_t left = 0;
	unsigned pitches = 0;

	if (is->base != ia->base || ps->disp != pa->disp || t->access[t->node[a].imm].type != t->access[t->node[s].imm].type)
		return false;
	for (unsigned i = 0; i < t->nloops; i++) {
		if (!gllm_lower_in_loop(l, t->loop[i].first, loop) && !gllm_lower_in_loop(l, s, i) && !gllm_lower_in_loop(l, a, i))
			continue;
		if (!lin_equal(is->stride[i], ia->stride[i]))
			return false;
		/* Loops around stand still: only those inside are digits. */
		if (!(is->loops >> i & 1) || !gllm_lower_in_loop(l, t->loop[i].first, loop))
			continue;
		if (is->stride[i].sym == NO_SYM)
			left |= UINT32_C(1) << i;
		else if (pitches++ || !is_pitch(l, is->stride[i]))
			return false;
	}
	if (!(is->loops >> loop & 1) || (is->loops & ~ia->loops) != 0)
		return false;
	while (left) {
		unsigned least = 32;
		for (unsigned i = 0; i < t->nloops; i++)
			if ((left >> i & 1) && (least == 32 || is->stride[i].c < is->stride[least].c))
				least = i;
		left &= ~(UINT32_C(1) << least);
		if (is->stride[least].c < below + bytes)
			return false;
		int64_t r = left ? reach(l, is, least) : 0;
		if (r < 0 || __builtin_add_overflow(below, r, &below))
			return false;
	}
	return true;
}

/* No iteration of `loop` touches what `s` stores in another one, through access `a`. */
static bool independent(struct lower *l, gllm_ref s, gllm_ref a, unsigned loop)
{
	const struct gllm_trace *t = l->t;
	const struct place *ps = &l->access[t->node[s].imm], *pa = &l->access[t->node[a].imm];
	const struct induction *is = &l->ind[ps->ind], *ia = &l->ind[pa->ind];
	struct poly stride, base = { 0 }, es, ea, trip, span, negative = { 0 }, sum;
	bool ok;

	if (t->access[t->node[s].imm].index != GLLM_NO_NODE || t->access[t->node[a].imm].index != GLLM_NO_NODE)
		return false;
	if (!lin_equal(is->stride[loop], ia->stride[loop]) || !(is->loops >> loop & 1))
		return false;
	if (digits(l, s, a, loop))
		return true;
	/* Enclosing loops stand still only if both move alike along them. */
	for (unsigned i = 0; i < loop; i++)
		if (gllm_lower_in_loop(l, t->loop[loop].first, i) && !lin_equal(is->stride[i], ia->stride[i]))
			return false;
	stride = gllm_lower_lin_poly(l, is->stride[loop]);
	if (!gllm_terms_not_negative(&stride) || !extent(l, s, loop, &es) || !extent(l, a, loop, &ea))
		return false;
	ok = gllm_terms_add_term(&base, (struct gllm_term){ .coef = pa->disp - ps->disp });
	if (ia->base != NO_SYM)
		ok = ok && gllm_terms_add(&base, &l->sym[ia->base], 1);
	if (is->base != NO_SYM)
		ok = ok && gllm_terms_add(&base, &l->sym[is->base], -1);
	ok = ok && gllm_terms_add(&negative, &base, -1);
	if (!ok)
		return false;
	/* Both stay within one stride ... */
	sum = base;
	ok = gllm_terms_add(&sum, &ea, 1);
	span = stride;
	ok = ok && gllm_terms_add(&span, &base, 1);
	if (ok && at_least(&stride, &sum) && at_least(&span, &es))
		return true;
	/* ... or one begins behind the other's last iteration. */
	if (l->ind[l->trip[loop].ind].loops != 0 || !gllm_lower_poly(l, t->loop[loop].trip, &trip))
		return false;
	if (!gllm_terms_add_term(&trip, (struct gllm_term){ .coef = -1 }) || !gllm_terms_mul(&span, &trip, &stride))
		return false;
	sum = span;
	if (gllm_terms_add(&sum, &es, 1) && at_least(&base, &sum))
		return true;
	sum = span;
	return gllm_terms_add(&sum, &ea, 1) && at_least(&negative, &sum);
}

/* Parameters in `own` are left out: memory that is another one in each place where an iteration may run. So are, if `again`, stores that do not
 * vary with the loop: each iteration stores the same to the same places. */
static bool memory_reorders(struct lower *l, unsigned loop, uint32_t own, bool again)
{
	const struct gllm_trace *t = l->t;

	for (gllm_ref s = t->loop[loop].first; s < t->loop[loop].end; s++) {
		if (t->node[s].op != GLLM_N_STORE || (own >> t->access[t->node[s].imm].param & 1))
			continue;
		for (gllm_ref a = t->loop[loop].first; a < t->loop[loop].end; a++) {
			if (!gllm_lower_is_access(&t->node[a]) || t->access[t->node[a].imm].param != t->access[t->node[s].imm].param)
				continue;
			if (again && a == s && !(l->dep[s] >> loop & 1))
				continue;
			if (!independent(l, s, a, loop))
				return false;
		}
	}
	return true;
}

bool gllm_lower_rectangular(const struct lower *l, unsigned loop)
{
	for (unsigned i = 0; i < l->t->nloops; i++)
		if (i != loop && gllm_lower_in_loop(l, l->t->loop[i].first, loop) && l->ind[l->trip[i].ind].loops >> loop & 1)
			return false;
	return true;
}

void gllm_lower_mark_order(struct lower *l)
{
	uint8_t *taint = gllm_lower_alloc(l, l->t->nnodes + 1u, 1);

	for (unsigned i = 0; i < l->t->nloops && taint; i++) {
		bool carried = carries_reorder(l, i, taint);
		l->loop[i].reorderable = carried && memory_reorders(l, i, 0, false);
		l->loop[i].together = l->loop[i].reorderable || (carried && memory_reorders(l, i, 0, true));
		l->loop[i].shared = l->loop[i].reorderable || (l->o->own && carried && memory_reorders(l, i, l->o->own, false));
	}
}
