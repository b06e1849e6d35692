/* SPDX-License-Identifier: MIT
 * jit/loops_count.c - what an iteration changes: induction variables, carries; and how many there are. */
#include "jit/loops_parts.h"

/* ---- induction variables and carries --------------------------------------------------------------------------------- */

static bool integer_op(unsigned op)
{
	return op == GLLM_S_ADD || op == GLLM_S_SUB || op == GLLM_S_SHL || op == GLLM_S_MUL || op == GLLM_S_NEG ||
	       op == GLLM_S_ZEXT || op == GLLM_S_SEXT;
}

/* Gives `raw` its value ahead of its turn if it is made of known ones; how an invariant step inside a loop is seen. */
static bool known_early(struct lifting *l, uint16_t raw)
{
	uint16_t stack[STEPS];
	unsigned depth = 0;
	stack[depth++] = raw;
	while (depth) {
		uint16_t r = stack[depth - 1];
		const struct raw *x = &l->s->raw[r];
		if (l->value[r] != VAL_NONE) {
			depth--;
			continue;
		}
		if (!integer_op(x->op))
			return false;
		uint16_t a = x->a, b = x->b;
		uint16_t missing = l->value[a] == VAL_NONE ? a : l->value[b] == VAL_NONE ? b : VAL_NONE;
		if (missing == VAL_NONE) {
			l->value[r] = gllm_loops_evaluate(l, r, block_loop(l, x->block));
			continue;
		}
		if (depth == STEPS)
			return false;
		stack[depth++] = missing;
	}
	return true;
}

/* The value of raw if it does not vary in `loop`. */
static bool invariant_poly(struct lifting *l, uint16_t raw, int loop, uint16_t *poly)
{
	if (!known_early(l, raw))
		return false;
	uint16_t v = get(l, raw, loop);
	if (v == POISON || (l->c.v[v].loop >= 0 && within(l, l->c.v[v].loop, loop)))
		return false;
	return gllm_canon_as_poly(&l->c, v, poly);
}

/* back = phi + step, the step unchanging: collects the step. */
static bool find_step(struct lifting *l, uint16_t phi, uint16_t back, int loop, uint16_t *step, bool *narrow)
{
	uint16_t r = back, p;
	*step = 0;
	*narrow = false;
	for (unsigned i = 0; i < STEPS; i++) {
		const struct raw *x = &l->s->raw[r];
		if (r == phi)
			return true;
		uint16_t a = x->a, b = x->b;
		*narrow = *narrow || x->w == 32;
		if (x->op == GLLM_S_ZEXT && x->w == 32) {
			r = a;
		} else if ((x->op == GLLM_S_ADD || x->op == GLLM_S_SUB) && invariant_poly(l, b, loop, &p)) {
			*step = gllm_poly_add(&l->c.p, *step, p, x->op == GLLM_S_ADD ? 1 : -1);
			r = a;
		} else if (x->op == GLLM_S_ADD && invariant_poly(l, a, loop, &p)) {
			*step = gllm_poly_add(&l->c.p, *step, p, 1);
			r = b;
		} else {
			return false;
		}
	}
	return false;
}

static uint16_t induction(struct lifting *l, uint16_t init, uint16_t step, bool narrow, int loop)
{
	struct canon *c = &l->c;
	const unsigned iv = GLLM_SYM_LOOP + (unsigned)loop;
	const struct val *x = &c->v[init];
	uint16_t p;
	if (x->op == VAL_PTR)
		return narrow ? POISON : gllm_canon_ptr(c, x->aux, gllm_poly_along(&c->p, (uint16_t)x->imm, step, iv), x->a, val_index_bytes(x));
	if (!narrow)
		return gllm_canon_as_poly(c, init, &p) ? gllm_canon_poly(c, gllm_poly_along(&c->p, p, step, iv)) : POISON;
	init = gllm_canon_as(c, init, GLLM_I32);
	return gllm_canon_int(c, GLLM_N_ADD, 32, init, gllm_canon_as(c, gllm_canon_poly(c, gllm_poly_along(&c->p, 0, step, iv)), GLLM_I32));
}

/* The parameter an address is made from, GLLM_MAX_PARAMS if that is not plain to see. */
static unsigned root_param(const struct lifting *l, uint16_t raw)
{
	for (unsigned i = 0; i < STEPS; i++) {
		const struct raw *x = &l->s->raw[raw];
		if (x->op == RAW_PARAM)
			return l->param[x->imm].kind <= GLLM_WEIGHT ? (unsigned)x->imm : GLLM_MAX_PARAMS;
		if (x->op == RAW_PHI) {
			raw = l->s->input[x->imm];
			continue;
		}
		if (x->op != GLLM_S_ADD && x->op != GLLM_S_SUB)
			break;
		uint16_t a = x->a, v = l->value[a];
		bool plain = l->s->raw[a].op == RAW_CONST || l->s->raw[a].op == GLLM_S_SHL || l->s->raw[a].op == GLLM_S_MUL ||
		             (v != VAL_NONE && l->c.v[v].op != VAL_PTR && v != POISON);
		raw = plain ? x->b : x->a;
	}
	return GLLM_MAX_PARAMS;
}

/* The type of a value carried around a loop, from the operations that make it. */
static unsigned carried_type(struct lifting *l, uint16_t phi, uint16_t back)
{
	uint16_t stack[STEPS], seen[STEPS];
	unsigned depth = 0, nseen = 0, type = GLLM_TYPE_COUNT;
	stack[depth++] = back;
	while (depth) {
		uint16_t r = stack[--depth];
		const struct raw *x = &l->s->raw[r];
		bool again = r == phi;
		for (unsigned i = 0; i < nseen; i++)
			again = again || seen[i] == r;
		if (again || nseen == STEPS)
			continue;
		seen[nseen++] = r;
		if (l->value[r] != VAL_NONE && l->value[r] != POISON && l->c.v[l->value[r]].op != GLLM_N_CONST) {
			type = l->c.v[l->value[r]].type;
			if (type == GLLM_F32)
				return type;
			continue;
		}
		unsigned inputs = x->op == RAW_PHI ? l->f->block[x->block].npreds : x->op == GLLM_S_SELECT ? 2 : 0;
		for (unsigned i = 0; i < inputs && depth < STEPS; i++)
			stack[depth++] = x->op == RAW_PHI ? l->s->input[(size_t)x->imm + i] : i ? x->b : x->a;
		if (inputs || x->op == RAW_CONST || x->op == RAW_UNDEF)
			continue;
		unsigned p = x->op == GLLM_S_LOAD ? root_param(l, x->a) : GLLM_MAX_PARAMS;
		if ((x->op >= GLLM_S_FADD && x->op <= GLLM_S_FNMS) || x->op == GLLM_S_I2F || x->op == GLLM_S_U2F ||
		    x->op == GLLM_S_F2F || (x->op == RAW_PRIM && x->w == 32) ||
		    (p < GLLM_MAX_PARAMS && l->param[p].type == GLLM_F32))
			return GLLM_F32;
		type = x->w <= 32 ? GLLM_I32 : GLLM_I64;
	}
	bool narrow = l->s->raw[back].op != RAW_PHI && l->s->raw[back].w <= 32;
	return type == GLLM_TYPE_COUNT || (type == GLLM_I64 && narrow) ? GLLM_I32 : type;
}

uint16_t gllm_loops_header(struct lifting *l, uint16_t phi)
{
	const struct raw *x = &l->s->raw[phi];
	int loop = block_loop(l, x->block);
	uint16_t init = get(l, l->s->input[x->imm], l->f->loop[loop].parent);
	uint16_t back = l->s->input[(size_t)x->imm + 1], step;
	bool narrow;
	if (init == POISON || l->s->raw[back].op == RAW_UNDEF)
		return POISON;
	if (find_step(l, phi, back, loop, &step, &narrow)) {
		uint16_t v = induction(l, init, step, narrow, loop);
		if (v != POISON)
			return v;
	}
	unsigned type = carried_type(l, phi, back);
	uint16_t a = gllm_canon_as(&l->c, init, type);
	if (a == POISON || l->ncarries == LOOPS_CARRIES)
		return POISON;
	uint16_t v = gllm_canon_fresh(&l->c, GLLM_N_CARRY, type, loop);
	l->c.v[v].a = a;
	l->carry[l->ncarries++] = (struct carry){ v, back, (int8_t)loop };
	return v;
}

/* ---- trip counts ----------------------------------------------------------------------------------------------------- */

static bool has_store(const struct lifting *l, uint16_t from, uint16_t to) /* blocks [from, to) */
{
	for (unsigned i = 0; i < l->nstores; i++)
		if (l->store[i].block >= from && l->store[i].block < to)
			return true;
	return false;
}

/* The first iteration at whose test the loop is left. */
static bool first_exit(struct lifting *l, int loop, uint16_t *first, bool *exact)
{
	struct polys *ps = &l->c.p;
	const struct flow_loop *x = &l->f->loop[loop];
	const struct flow_block *e = &l->f->block[x->exit];
	unsigned iv = GLLM_SYM_LOOP + (unsigned)loop;
	cond_t c = l->branch[x->exit];
	const struct val *v = &l->c.v[cond_value(c)];
	if (v->op != VAL_PCOND || e->nsucc != 2)
		return false;
	bool stays = (e->succ[1] != x->target) != (c & 1); /* the loop goes on when the condition on v->imm has this outcome */
	struct poly_linear p;
	if (!gllm_poly_linear(ps, (uint16_t)v->imm, iv, &p))
		return false;
	*exact = v->aux == 0;
	if (*exact) /* leaves when slope * iv + rest is 0 */
		return !stays && gllm_poly_root(ps, (uint16_t)v->imm, iv, &p.slope, 0, first);
	/* goes on while slope * iv + rest >= 1, or else while it is <= 0; towards the other side it leaves */
	const int64_t k = stays ? p.slope.coef : (int64_t)(0 - (uint64_t)p.slope.coef);
	if (p.slope.syms || k >= 0 || k == INT64_MIN)
		return false;
	if (p.plain) { /* at ceil(r / -k) */
		const int64_t r = stays ? p.rest : (int64_t)(1 - (uint64_t)p.rest);
		*first = gllm_poly_constant(ps, r <= 0 ? 0 : (r - k - 1) / -k);
		return true;
	}
	return gllm_poly_root(ps, (uint16_t)v->imm, iv, &p.slope, stays ? 0 : 1, first);
}

static bool is_last_work(const struct lifting *l, const struct flow_loop *x)
{
	for (unsigned b = x->exit + 1u; b < x->end; b++)
		if (l->f->block[b].n)
			return false;
	return true;
}

static void end_carry(struct lifting *l, const struct carry *k)
{
	const uint16_t block = l->s->raw[k->back].block;
	if (l->value[k->back] == VAL_NONE && l->alive[block]) /* it was taken for an induction variable */
		l->value[k->back] = gllm_loops_evaluate(l, k->back, block_loop(l, block));
	l->c.v[k->value].b = gllm_canon_as(&l->c, get(l, k->back, k->loop), l->c.v[k->value].type);
}

void gllm_loops_finish(struct lifting *l, int loop)
{
	const struct flow_loop *x = &l->f->loop[loop];
	struct loop_facts *facts = &l->loop[loop];
	struct polys *ps = &l->c.p;
	uint16_t first, at = block_raw(l, x->exit);
	bool exact, before = has_store(l, x->header, (uint16_t)(x->exit + 1)), after = has_store(l, (uint16_t)(x->exit + 1), x->end);
	if (!facts->alive)
		return;
	if (before && after) {
		gllm_lift_refuse(l, "a loop that stores both before and after its test", at);
		return;
	}
	facts->bottom = before || (!after && is_last_work(l, x));
	if (!gllm_loops_runs_in(l, loop, x->exit, loop) || !first_exit(l, loop, &first, &exact)) {
		gllm_lift_refuse(l, "a loop whose number of iterations is not a polynomial of dims", at);
		return;
	}
	facts->trip = facts->bottom ? gllm_poly_plus(ps, first, 1) : first;
	bool sound = !facts->bottom && !exact ? true : facts->bottom ? gllm_loops_positive(l, x->header, facts->trip)
	             : gllm_poly_range(ps, first).low >= 0 || gllm_loops_positive(l, x->header, gllm_poly_plus(ps, first, 1));
	if (!sound) {
		gllm_lift_refuse(l, "a loop that may run once where its count says 0 times", at);
		return;
	}
	facts->known = true;
	struct poly_range r = gllm_poly_range(ps, facts->trip);
	facts->negative = r.low < 0 && !gllm_loops_positive(l, x->header, gllm_poly_plus(ps, facts->trip, 1));
	ps->greatest[loop] = r.high == INT64_MAX ? INT64_MAX : r.high > 0 ? r.high - 1 : 0;
	for (unsigned i = 0; i < l->ncarries; i++)
		if (l->carry[i].loop == loop)
			end_carry(l, &l->carry[i]);
	gllm_loops_forget(l);
}
