/* SPDX-License-Identifier: MIT
 * jit/lower_range.c - what stands before the loops: how the work may be split, tables of constants, dims and pointers. */
#include "core/bits.h"
#include "jit/lower_state.h"

enum { MAX_TILE = 1 << 24 };

/* Loop whose iterations are independent and hold all stores: workers share it. */
static int range_loop(const struct lower *l)
{
	const struct gllm_trace *t = l->t;
	int loop = -1, child = -1;

	for (unsigned i = 0; i < t->nloops; i++) {
		if (t->loop[i].parent != -1)
			continue;
		if (child >= 0)
			return -1;
		child = (int)i;
	}
	while (child >= 0) {
		for (unsigned n = 0; n < t->nnodes; n++)
			if (t->node[n].loop == loop && (t->node[n].op == GLLM_N_STORE || t->node[n].op == GLLM_N_CARRY))
				return -1;
		loop = child;
		if (l->loop[loop].trip != 1)
			break;
		child = l->loop[loop].only_child;
	}
	if (loop < 0 || l->loop[loop].trip == 1 || l->loop[loop].trip == 0)
		return -1;
	return l->loop[loop].shared && !l->loop[loop].carries ? loop : -1;
}

static bool has_carry(const struct lower *l, int loop)
{
	for (unsigned n = 0; n < l->t->nnodes; n++)
		if (l->t->node[n].op == GLLM_N_CARRY && l->t->node[n].loop == loop)
			return true;
	return false;
}

/* The loop that the options ask for, if all around it may run in any order and does nothing itself. */
static int asked_loop(const struct lower *l)
{
	int loop = l->o->split - 1;

	if (loop >= (int)l->t->nloops)
		return -1;
	for (int i = loop; i >= 0; i = l->t->loop[i].parent) {
		int parent = l->t->loop[i].parent;
		if (!l->loop[i].shared || l->loop[i].carries || (parent >= 0 && l->loop[parent].only_child != i))
			return -1;
	}
	for (unsigned n = 0; n < l->t->nnodes; n++)
		if (l->t->node[n].op == GLLM_N_STORE && (n < l->t->loop[loop].first || n >= l->t->loop[loop].end))
			return -1;
	return loop;
}

void gllm_lower_choose_range(struct lower *l)
{
	int loop = l->o->split ? asked_loop(l) : range_loop(l);
	const struct loop_plan *p;
	uint64_t step, least;

	l->info->range = -1;
	l->info->tile = 1;
	if (loop < 0 || has_carry(l, loop))
		return;
	p = &l->loop[loop];
	step = p->paired ? p->columns_alone : p->vector ? (uint64_t)p->copies_alone * l->lanes : p->copies_alone;
	least = l->o->tile ? l->o->tile : p->leaf ? 256 : 1;
	least = least > MAX_TILE ? MAX_TILE : least;
	l->info->range = (int8_t)loop;
	l->info->tile = (uint32_t)((least + step - 1) / step * step);
	l->info->trip = l->t->loop[loop].trip;
}

/* A runtime polynomial over dims in a register; `dim` are those that are in registers already. */
static gllm_vreg evaluate(struct lower *l, const struct poly *p, gllm_vreg *dim)
{
	gllm_vreg sum = GLLM_NO_VREG;

	for (unsigned i = 0; i < p->n; i++) {
		gllm_vreg x = GLLM_NO_VREG;
		for (unsigned s = 0; s < GLLM_TERM_SYMS && p->t[i].sym[s] != 0; s++) {
			unsigned param = p->t[i].sym[s] - (unsigned)GLLM_SYM_PARAM;
			if (dim[param] == GLLM_NO_VREG)
				dim[param] = gllm_lower_slot(l, param);
			x = x == GLLM_NO_VREG ? dim[param] : gllm_lower_g(l, GLLM_V_GMUL, x, dim[param], 0);
		}
		if (x == GLLM_NO_VREG)
			x = gllm_lower_integer(l, p->t[i].coef);
		else if (p->t[i].coef != 1)
			x = gllm_lower_g(l, GLLM_V_GMULI, x, GLLM_NO_VREG, p->t[i].coef);
		sum = sum == GLLM_NO_VREG ? x : gllm_lower_g(l, GLLM_V_GADD, sum, x, 0);
	}
	return sum == GLLM_NO_VREG ? gllm_lower_integer(l, 0) : sum;
}

/* Words of the tables before table `n`. */
static unsigned words_before(const struct gllm_trace *t, unsigned n)
{
	unsigned words = 0;

	for (unsigned i = 0; i < n; i++)
		words += (unsigned)(gllm_round_up(t->table[i].bytes, 8) / 4);
	return words;
}

unsigned gllm_lower_pool_words(const struct gllm_trace *t)
{
	return words_before(t, t->ntables) + MAX_POOL;
}

void gllm_lower_place_tables(struct lower *l)
{
	for (unsigned i = 0; i < l->t->ntables; i++) {
		uint32_t *to = l->pool + words_before(l->t, i);
		for (unsigned k = words_before(l->t, i); k < words_before(l->t, i + 1); k++)
			l->pool[k] = 0;
		for (uint32_t k = 0; k < l->t->table[i].bytes; k++)
			to[k / 4] |= (uint32_t)l->t->table[i].data[k] << (k % 4 * 8);
	}
	l->npool = l->first_word = words_before(l->t, l->t->ntables);
}

void gllm_lower_prologue(struct lower *l)
{
	gllm_vreg dim[GLLM_TRACE_PARAMS];

	for (unsigned i = 0; i < l->t->nparams; i++)
		dim[i] = GLLM_NO_VREG;
	l->pool_reg = gllm_lower_slot(l, l->t->nparams);
	gllm_lower_spread_numbers(l);
	if (l->t->npolys) { /* swept away if no lanes are numbered */
		struct gllm_vi i = gllm_vi(GLLM_V_VINDEX);
		i.type = i.mem = GLLM_I32;
		i.a = gllm_lower_g(l, GLLM_V_GCONST, GLLM_NO_VREG, GLLM_NO_VREG, 0);
		i.d = l->lane_numbers = gllm_vir_reg(l->v, GLLM_CLASS_V);
		gllm_vir_emit(l->v, i);
	}
	for (unsigned i = 0; i < l->nsyms; i++)
		l->sym_reg[i] = evaluate(l, &l->sym[i], dim);
	for (unsigned i = 0; i < l->ninds; i++) {
		struct induction *x = &l->ind[i];
		gllm_vreg base = x->base == NO_SYM ? GLLM_NO_VREG : l->sym_reg[x->base];
		if (x->param >= 0) {
			if (x->param < GLLM_TRACE_PARAMS)
				x->reg = gllm_lower_slot(l, (unsigned)x->param);
			else
				x->reg = gllm_lower_g(l, GLLM_V_GADDI, l->pool_reg, GLLM_NO_VREG,
				                      4 * (int64_t)words_before(l->t, (unsigned)x->param - GLLM_TRACE_PARAMS));
			if (base != GLLM_NO_VREG)
				x->reg = gllm_lower_g(l, GLLM_V_GADD, x->reg, base, 0);
		} else if (base != GLLM_NO_VREG) {
			x->reg = gllm_lower_g(l, GLLM_V_GMOV, base, GLLM_NO_VREG, 0);
		} else if (x->loops) {
			x->reg = gllm_lower_integer(l, 0);
		}
	}
}
