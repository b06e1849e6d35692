/* SPDX-License-Identifier: MIT
 * jit/lower_poly.c - polynomials with the fixed dims put in, and addresses as base + stride per loop.
 *
 * Accesses of one parameter that differ by a fixed displacement share an induction, so one pointer serves them all. */
#include "core/bits.h"
#include "jit/lower_state.h"

static int compare_symbols(const uint8_t *a, const uint8_t *b)
{
	for (unsigned i = 0; i < GLLM_TERM_SYMS; i++)
		if (a[i] != b[i])
			return a[i] < b[i] ? -1 : 1;
	return 0;
}

bool gllm_terms_add_term(struct poly *p, struct gllm_term t)
{
	unsigned i = 0;

	if (t.coef == 0)
		return true;
	while (i < p->n && compare_symbols(p->t[i].sym, t.sym) < 0)
		i++;
	if (i < p->n && compare_symbols(p->t[i].sym, t.sym) == 0) {
		p->t[i].coef = (int64_t)((uint64_t)p->t[i].coef + (uint64_t)t.coef);
		if (p->t[i].coef != 0)
			return true;
		for (p->n--; i < p->n; i++)
			p->t[i] = p->t[i + 1];
		return true;
	}
	if (p->n == POLY_TERMS)
		return false;
	for (unsigned k = p->n++; k > i; k--)
		p->t[k] = p->t[k - 1];
	p->t[i] = t;
	return true;
}

bool gllm_terms_add(struct poly *p, const struct poly *q, int64_t factor)
{
	bool ok = true;

	for (unsigned i = 0; i < q->n; i++) {
		struct gllm_term t = q->t[i];
		t.coef = (int64_t)((uint64_t)t.coef * (uint64_t)factor);
		ok = gllm_terms_add_term(p, t) && ok;
	}
	return ok;
}

static inline bool add_symbol(struct gllm_term *t, uint8_t s)
{
	unsigned i = GLLM_TERM_SYMS - 1;

	if (t->sym[i] != 0)
		return false;
	/* Ascending, with the unused places behind. */
	for (; i > 0 && (t->sym[i - 1] == 0 || t->sym[i - 1] > s); i--)
		t->sym[i] = t->sym[i - 1];
	t->sym[i] = s;
	return true;
}

bool gllm_terms_mul(struct poly *r, const struct poly *p, const struct poly *q)
{
	bool ok = true;

	r->n = 0;
	for (unsigned i = 0; i < p->n; i++) {
		for (unsigned k = 0; k < q->n; k++) {
			struct gllm_term t = p->t[i];
			t.coef = (int64_t)((uint64_t)t.coef * (uint64_t)q->t[k].coef);
			for (unsigned s = 0; s < GLLM_TERM_SYMS && q->t[k].sym[s] != 0; s++)
				ok = add_symbol(&t, q->t[k].sym[s]) && ok;
			ok = ok && gllm_terms_add_term(r, t);
		}
	}
	return ok;
}

bool gllm_terms_fixed(const struct poly *p, int64_t *value)
{
	*value = p->n == 0 ? 0 : p->t[0].coef;
	return p->n == 0 || (p->n == 1 && p->t[0].sym[0] == 0);
}

/* Symbols stand for dims, which are not negative. */
bool gllm_terms_not_negative(const struct poly *p)
{
	for (unsigned i = 0; i < p->n; i++)
		if (p->t[i].coef < 0)
			return false;
	return true;
}

bool gllm_lower_poly(struct lower *l, struct gllm_poly p, struct poly *out)
{
	out->n = 0;
	for (unsigned i = 0; i < p.count; i++) {
		const struct gllm_term *from = &l->t->term[p.first + i];
		struct gllm_term t = { .coef = from->coef };
		for (unsigned s = 0; s < GLLM_TERM_SYMS && from->sym[s] != 0; s++) {
			unsigned param = from->sym[s] - (unsigned)GLLM_SYM_PARAM;
			int64_t fixed = from->sym[s] < GLLM_SYM_LOOP && l->o->dim ? l->o->dim[param] : -1;
			if (fixed >= 0)
				t.coef = (int64_t)((uint64_t)t.coef * (uint64_t)fixed);
			else
				add_symbol(&t, from->sym[s]);
		}
		if (!gllm_terms_add_term(out, t))
			return gllm_lower_fail(l, GLLM_COMPILE_ERROR, "an address has too many terms", i);
	}
	return true;
}

static int find_sym(struct lower *l, const struct poly *p)
{
	for (unsigned i = 0; i < l->nsyms; i++) {
		unsigned k = 0;
		if (l->sym[i].n != p->n)
			continue;
		while (k < p->n && p->t[k].coef == l->sym[i].t[k].coef &&
		       compare_symbols(p->t[k].sym, l->sym[i].t[k].sym) == 0)
			k++;
		if (k == p->n)
			return (int)i;
	}
	if (l->nsyms == l->max_syms) {
		gllm_lower_fail(l, GLLM_COMPILE_ERROR, "too many different strides", l->nsyms);
		return 0;
	}
	l->sym[l->nsyms] = *p;
	return (int)l->nsyms++;
}

static struct lin to_lin(struct lower *l, const struct poly *p)
{
	struct lin x = { 0, NO_SYM };

	if (!gllm_terms_fixed(p, &x.c)) {
		x.c = 0;
		x.sym = (int16_t)find_sym(l, p);
	}
	return x;
}

struct poly gllm_lower_lin_poly(const struct lower *l, struct lin x)
{
	struct poly p = { 0 };

	if (x.sym != NO_SYM)
		return l->sym[x.sym];
	gllm_terms_add_term(&p, (struct gllm_term){ .coef = x.c });
	return p;
}

/* Moves the term's loop variable out of it: -1 none, -2 more than one. */
static int take_loop(struct gllm_term *t)
{
	int loop = -1;
	unsigned n = 0;
	uint8_t kept[GLLM_TERM_SYMS] = { 0 };

	for (unsigned s = 0; s < GLLM_TERM_SYMS && t->sym[s] != 0; s++) {
		if (t->sym[s] < GLLM_SYM_LOOP)
			kept[n++] = t->sym[s];
		else
			loop = loop == -1 ? t->sym[s] - GLLM_SYM_LOOP : -2;
	}
	for (unsigned s = 0; s < GLLM_TERM_SYMS; s++)
		t->sym[s] = kept[s];
	return loop;
}

static bool same_induction(const struct lower *l, const struct induction *a, const struct induction *b)
{
	if (a->param != b->param || a->base != b->base || a->loops != b->loops)
		return false;
	for (unsigned i = 0; i < l->t->nloops; i++)
		if (a->stride[i].c != b->stride[i].c || a->stride[i].sym != b->stride[i].sym)
			return false;
	return true;
}

/* The terms of `loop`, which they have lost: no two are alike. A constant goes to `disp` if that is asked for. */
static inline struct poly terms_of(const struct poly *whole, const int *of, int loop, int64_t *disp)
{
	struct poly part;

	part.n = 0;
	for (unsigned i = 0; i < whole->n; i++)
		if (of[i] == loop && disp && whole->t[i].sym[0] == 0)
			*disp += whole->t[i].coef;
		else if (of[i] == loop)
			gllm_terms_add_term(&part, whole->t[i]);
	return part;
}

/* Splits `p` into an induction and a displacement; hints, whose `use` is no node, share inductions whatever they begin with. */
static bool split(struct lower *l, struct gllm_poly trace_poly, int param, gllm_ref use, struct place *out)
{
	struct induction *x = &l->ind[l->ninds];
	struct poly whole, part;
	int of[POLY_TERMS];

	if (!gllm_lower_poly(l, trace_poly, &whole))
		return false;
	*x = (struct induction){ .param = param, .base = NO_SYM, .last_use = use, .reg = GLLM_NO_VREG,
	                         .stride = gllm_lower_room(l, l->t->nloops + 1u, sizeof *x->stride) };
	if (!x->stride)
		return false;
	for (unsigned i = 0; i < whole.n; i++) {
		of[i] = take_loop(&whole.t[i]);
		if (of[i] == -2)
			return gllm_lower_fail(l, GLLM_COMPILE_ERROR, "an address multiplies loop variables", use);
		if (of[i] >= 0)
			x->loops |= UINT32_C(1) << of[i];
	}
	out->disp = 0;
	out->base.sym = NO_SYM;
	part = terms_of(&whole, of, -1, &out->disp);
	if (use == l->t->nnodes && part.n == 1) {
		out->base.times = part.t[0].coef;
		part.t[0].coef = 1;
		out->base.sym = (int16_t)find_sym(l, &part);
	} else if (part.n) {
		x->base = (int16_t)find_sym(l, &part);
	}
	for (unsigned loop = 0; loop < l->t->nloops; loop++) {
		x->stride[loop] = (struct lin){ 0, NO_SYM };
		if (!(x->loops >> loop & 1))
			continue;
		part = terms_of(&whole, of, (int)loop, NULL);
		x->stride[loop] = to_lin(l, &part);
	}
	for (unsigned i = 0; i < l->ninds; i++) {
		if (same_induction(l, &l->ind[i], x)) {
			if (l->ind[i].last_use < use)
				l->ind[i].last_use = use;
			out->ind = (uint16_t)i;
			return l->status == GLLM_OK;
		}
	}
	out->ind = (uint16_t)l->ninds++;
	return l->status == GLLM_OK;
}

bool gllm_lower_places(struct lower *l)
{
	const struct gllm_trace *t = l->t;
	unsigned most = t->naccesses + t->npolys + t->nloops + 1;

	l->max_syms = most * 2 + 8;
	l->ind = gllm_lower_room(l, most, sizeof *l->ind);
	l->access = gllm_lower_alloc(l, t->naccesses + 1u, sizeof *l->access);
	l->index = gllm_lower_alloc(l, t->npolys + 1u, sizeof *l->index);
	l->trip = gllm_lower_room(l, t->nloops + 1u, sizeof *l->trip);
	l->sym = gllm_lower_room(l, l->max_syms, sizeof *l->sym);
	l->sym_reg = gllm_lower_room(l, l->max_syms, sizeof *l->sym_reg);
	if (l->status != GLLM_OK)
		return false;
	for (unsigned i = 0; i < t->nnodes; i++) {
		const struct gllm_node *n = &t->node[i];
		if (n->op == GLLM_N_LOAD || n->op == GLLM_N_STORE) {
			if (!split(l, t->access[n->imm].offset, t->access[n->imm].param, (gllm_ref)i, &l->access[n->imm]))
				return false;
		} else if (n->op == GLLM_N_INDEX) {
			if (!split(l, t->poly[n->imm], -1, (gllm_ref)i, &l->index[n->imm]))
				return false;
		}
	}
	for (unsigned i = t->naccesses - l->o->hints; i < t->naccesses; i++)
		if (!split(l, t->access[i].offset, t->access[i].param, (gllm_ref)t->nnodes, &l->access[i]))
			return false;
	for (unsigned i = 0; i < t->nloops; i++)
		if (!split(l, t->loop[i].trip, -1, t->loop[i].first, &l->trip[i]))
			return false;
	return true;
}
