/* SPDX-License-Identifier: MIT
 * jit/lower_scale.c - products with powers of two where the machine scales by floats, and under a mask.
 *
 * Definitions put a constant in the place of arguments beyond some bound: choice = x < C ? K : x, so that what follows stays in
 * range. All that follows from the choice alone then has one value, known here, in lanes that take the constant. Where that
 * ends in a product with a power of two which is 0 there, the choice need not be made: everything is computed from x, and
 * the last instruction leaves those lanes out, which costs nothing. More than that, no lane underflows on the way to 0: x86 CPUs
 * spend a hundred cycles and more on a vector in which one does. */
#include "jit/eval.h"
#include "jit/lower_state.h"

/* A constant that is near 1.5 * 2^23: added to v, it leaves v rounded to an integer in the low bits wherever v is below 2^21
 * in magnitude. */
static bool is_magic(const struct lower *l, gllm_ref n)
{
	return n != GLLM_NO_NODE && node(l, n)->op == GLLM_N_CONST && node(l, n)->imm >> 16 == 0x4b40;
}

/* M + v or M - v */
static bool is_shifted(const struct lower *l, gllm_ref n)
{
	const struct gllm_node *s = node(l, n);

	switch (s->op) {
	case GLLM_N_ADD: return s->type == GLLM_F32 && (is_magic(l, s->a) || is_magic(l, s->b));
	case GLLM_N_SUB: return s->type == GLLM_F32 && is_magic(l, s->a);
	case GLLM_N_FMA: return is_magic(l, s->c);
	default: return false;
	}
}

/* Integers: (v + M) - M', and the lesser of v + M and M', less v + M. */
static bool is_rounded(const struct lower *l, gllm_ref n)
{
	const struct gllm_node *d = node(l, n), *s;

	if (d->op != GLLM_N_SUB || d->type != GLLM_F32)
		return false;
	if (is_shifted(l, d->a))
		return is_magic(l, d->b);
	s = node(l, d->a);
	return s->op == GLLM_N_SELECT && is_shifted(l, d->b) &&
	       ((s->b == d->b && is_magic(l, s->c)) || (s->c == d->b && is_magic(l, s->b)));
}

/* Either it is below 2^22 in magnitude and an integer, or the result is 0, infinite or not a number whatever it is. */
gllm_ref gllm_lower_float_exponent(const struct lower *l, gllm_ref n)
{
	const struct gllm_node *x = node(l, n);

	if (!l->m->has_scale || x->op != GLLM_N_LDEXP)
		return GLLM_NO_NODE;
	const struct gllm_node *b = node(l, x->b);
	return b->op == GLLM_N_CVT && b->type == GLLM_I32 && is_rounded(l, b->a) ? b->a : GLLM_NO_NODE;
}

/* --- lanes whose result is known ------------------------------------------------------------------------------------- */

static bool is_const(const struct lower *l, gllm_ref n)
{
	return node(l, n)->op == GLLM_N_CONST;
}

/* A choice of floats between a constant and something else, by a comparison that serves nothing else. */
static bool is_choice(const struct lower *l, gllm_ref n, struct known *k)
{
	const struct gllm_node *x = node(l, n), *c;

	if (x->op != GLLM_N_SELECT || x->type != GLLM_F32 || is_const(l, x->b) == is_const(l, x->c) || l->uses[x->a] != 1)
		return false;
	c = node(l, x->a);
	*k = (struct known){ .choice = n, .condition = x->a, .negated = is_const(l, x->b) };
	k->other = k->negated ? x->c : x->b;
	k->constant = k->negated ? x->b : x->c;
	/* An idle one is computed with the choice: lower_idiom.c. */
	return !l->idle[k->other] && c->loop == x->loop && (c->op == GLLM_N_LT || c->op == GLLM_N_LE || c->op == GLLM_N_EQ || c->op == GLLM_N_UNORD) &&
	       node(l, c->a)->type == GLLM_F32;
}

/* Node n follows from the choice alone: value[n]. */
static bool follows(const struct lower *l, gllm_ref n, gllm_ref choice, const uint8_t *known, uint64_t *value)
{
	const struct gllm_node *x = node(l, n);
	const gllm_ref from[3] = { x->a, x->b, x->c };
	bool any = false;

	for (unsigned k = 0; k < 3 && from[k] != GLLM_NO_NODE; k++) {
		if (!known[from[k]] && !is_const(l, from[k]))
			return false;
		any = any || known[from[k]];
		if (!known[from[k]])
			value[from[k]] = node(l, from[k])->imm;
	}
	return any && x->loop == node(l, choice)->loop && gllm_trace_value(l->t, n, value);
}

/* The one node following from the choice alone that others read; NO_NODE if there are several. */
static gllm_ref only_result(const struct lower *l, const uint8_t *known)
{
	gllm_ref result = GLLM_NO_NODE;

	for (gllm_ref n = 0; n < l->t->nnodes; n++) {
		const struct gllm_node *x = node(l, n);
		bool access = x->op == GLLM_N_LOAD || x->op == GLLM_N_STORE;
		const gllm_ref from[4] = { x->a, x->b, x->c, access ? l->t->access[x->imm].index : GLLM_NO_NODE };
		for (unsigned k = 0; k < 4 && !known[n]; k++) {
			if (from[k] == GLLM_NO_NODE || !known[from[k]] || from[k] == result)
				continue;
			if (result != GLLM_NO_NODE)
				return GLLM_NO_NODE;
			result = from[k];
		}
	}
	return result;
}

static bool scales(const struct lower *l)
{
	for (gllm_ref n = 0; n < l->t->nnodes && l->m->has_scale && !l->halves; n++)
		if (gllm_lower_float_exponent(l, n) != GLLM_NO_NODE)
			return true;
	return false;
}

void gllm_lower_mark_known(struct lower *l)
{
	struct gllm_arena kept = *l->arena;
	uint8_t *known = NULL;
	uint64_t *value = NULL;
	struct known k;

	for (gllm_ref c = 0, end = scales(l) ? (gllm_ref)l->t->nnodes : 0; c < end && l->nknown < MAX_KNOWN; c++) {
		if (!is_choice(l, c, &k))
			continue;
		if (!value) {
			known = gllm_lower_room(l, l->t->nnodes, sizeof *known);
			value = gllm_lower_room(l, l->t->nnodes, sizeof *value);
		}
		if (l->status != GLLM_OK)
			return;
		for (gllm_ref n = 0; n < l->t->nnodes; n++)
			known[n] = n == c;
		value[c] = node(l, k.constant)->imm;
		for (gllm_ref n = (gllm_ref)(c + 1); n < l->t->nnodes; n++)
			known[n] = follows(l, n, c, known, value);
		k.result = only_result(l, known);
		if (k.result == GLLM_NO_NODE || gllm_lower_float_exponent(l, k.result) == GLLM_NO_NODE || gllm_lower_known(l, k.result))
			continue;
		k.bits = (uint32_t)value[k.result];
		if ((k.bits & UINT32_C(0x7fffffff)) == 0)
			l->known[l->nknown++] = k;
	}
	*l->arena = kept;
}

const struct known *gllm_lower_known(const struct lower *l, gllm_ref n)
{
	for (unsigned i = 0; i < l->nknown; i++)
		if (l->known[i].condition == n || l->known[i].choice == n || l->known[i].result == n)
			return &l->known[i];
	return NULL;
}
