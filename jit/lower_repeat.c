/* SPDX-License-Identifier: MIT
 * jit/lower_repeat.c - copies in an innermost loop's body, from one of them: of the loop's own iterations from the first, of a
 * loop's around it from the second, since the first also computes what they share.
 *
 * All copies along a loop differ from that one in the same ways: memory operands lie further on by the loop's stride,
 * accumulators are those of the copy, and values that a copy computes have registers of their own. So where nothing else depends
 * on the number of the copy, its instructions are written again instead of lowered again. */
#include "jit/lower_state.h"

/* Does a copy of node n differ from the first in nothing but registers and displacements? */
static bool is_regular(const struct lower *l, gllm_ref n, int loop)
{
	const struct gllm_node *x = node(l, n);

	if (!(l->dep[n] >> loop & 1) || l->integer[n] || x->op == GLLM_N_INDEX || x->op == GLLM_N_LAST)
		return false;
	if (x->op != GLLM_N_LOAD && x->op != GLLM_N_STORE)
		return true;
	const struct induction *at = &l->ind[l->access[x->imm].ind];
	return !l->turned[n] && !l->spread[n] && l->t->access[x->imm].index == GLLM_NO_NODE &&
	       (!(at->loops >> loop & 1) || at->stride[loop].sym == NO_SYM);
}

/* Carries whose copies write their accumulators at once. */
static bool sums_in_place(const struct lower *l, int loop)
{
	const struct gllm_trace *t = l->t;

	for (gllm_ref n = t->loop[loop].first; n < t->loop[loop].end; n++)
		if (t->node[n].op == GLLM_N_CARRY && t->node[n].loop == loop && l->direct[t->node[n].b] != n)
			return false;
	return true;
}

/* Does the innermost loop read values from outside that each copy along the other loop has of its own? */
static bool reads_copies(const struct lower *l, int loop, int copied)
{
	const struct gllm_trace *t = l->t;
	gllm_ref first = t->loop[loop].first;

	for (gllm_ref n = first; n < t->loop[loop].end; n++) {
		const gllm_ref from[3] = { t->node[n].a, t->node[n].b, t->node[n].c };
		for (unsigned k = 0; k < 3 && t->node[n].op != GLLM_N_CARRY; k++)
			if (from[k] != GLLM_NO_NODE && from[k] < first && (l->dep[from[k]] >> copied & 1))
				return true;
	}
	return false;
}

bool gllm_lower_may_repeat(struct lower *l, const struct walk *w, unsigned k, const gllm_ref *line, unsigned n, struct repeat *r)
{
	struct frame *f = gllm_lower_top(l);
	unsigned top = l->depth - 1;

	if (f->loop < 0 || k >= w->n || !l->loop[f->loop].leaf || l->loop[f->loop].tiled || f->mask != GLLM_NO_VREG ||
	    gllm_lower_phase(f)->paired || (l->loop[f->loop].carries && !sums_in_place(l, f->loop)))
		return false;
	*r = (struct repeat){ .frame = w->frame[k], .first = w->frame[k] != top, .copies = w->radix[k] };
	r->loop = l->frame[r->frame].loop;
	for (unsigned i = 0; i < n; i++)
		if ((!r->first || (l->dep[line[i]] >> r->loop & 1)) && !is_regular(l, line[i], r->loop))
			return false;
	return r->copies > r->first + 1 && !(r->first && reads_copies(l, f->loop, r->loop));
}

void gllm_lower_repeat_from(const struct lower *l, struct repeat *r)
{
	r->begins = true;
	r->begin = l->v->n;
	r->regs = l->v->nregs;
	r->constants = l->nconst;
	r->offsets = l->noffsets;
	r->irregular = l->irregular;
	r->tuples = l->copy;
}

/* Bytes by which the memory operand of one copy lies behind that of the copy before. */
static int64_t step_of(const struct lower *l, const struct gllm_vi *i, const struct repeat *r)
{
	if (!gllm_vi_accesses(i) && i->op != GLLM_V_PREFETCH)
		return 0;
	for (unsigned k = 0; k < l->ninds; k++)
		if (l->ind[k].reg == i->a && (l->ind[k].loops >> r->loop & 1))
			return l->ind[k].stride[r->loop].c * (l->present[r->frame].vector ? (int64_t)l->lanes : 1);
	return 0;
}

/* Can all displacements be encoded, so that lowering would have written no other address? */
static bool reaches(const struct lower *l, const struct gllm_vi *i, int64_t step, unsigned more)
{
	bool lanes = i->op != GLLM_V_VBCAST && !i->lanes;
	unsigned bytes = (lanes ? l->lanes : 1) * gllm_type_bytes((enum gllm_type)i->mem);

	for (unsigned k = 1; k <= more && step != 0 && l->m->disp_ok; k++)
		if (!l->m->disp_ok(i->imm + k * step, bytes))
			return false;
	return true;
}

static bool find_steps(const struct lower *l, const struct repeat *r, int64_t *step)
{
	for (unsigned k = r->begin; k < r->end; k++) {
		step[k - r->begin] = step_of(l, &l->v->ins[k], r);
		if (!reaches(l, &l->v->ins[k], step[k - r->begin], r->copies - 1 - r->first))
			return false;
	}
	return true;
}

/* Accumulators of the copy that is there -> those of copy `copy`, of all other frames' copies. */
static void map_sums(struct lower *l, gllm_vreg *map, const struct repeat *r, unsigned copy)
{
	const struct gllm_trace *t = l->t;
	int loop = gllm_lower_top(l)->loop;
	struct walk w;

	if (!l->loop[loop].carries || (r->loop == loop && l->loop[loop].accumulators == 1))
		return;
	for (gllm_ref n = t->loop[loop].first; n < t->loop[loop].end; n++) {
		if (t->node[n].op != GLLM_N_CARRY || t->node[n].loop != loop)
			continue;
		gllm_lower_walk(l, &w, l->dep[n] & ~(UINT32_C(1) << loop) & ~(UINT32_C(1) << r->loop), loop, false);
		do {
			l->tuple[r->frame] = r->first;
			gllm_vreg of = l->slot[gllm_lower_carry_index(l, n, gllm_lower_own_copy(l, loop))];
			l->tuple[r->frame] = copy;
			map[of] = l->slot[gllm_lower_carry_index(l, n, gllm_lower_own_copy(l, loop))];
		} while (gllm_lower_walk_next(l, &w));
	}
}

static gllm_vreg renamed(const gllm_vreg *map, const struct repeat *r, unsigned more, gllm_vreg x)
{
	return x == GLLM_NO_VREG ? x : x < r->regs ? map[x] : (gllm_vreg)(x + more * r->each);
}

static void write_copy(struct lower *l, const struct repeat *r, const gllm_vreg *map, const int64_t *step, unsigned more)
{
	for (unsigned k = 0; k < r->each; k++)
		gllm_vir_reg(l->v, (enum gllm_class)l->v->reg_class[r->regs + k]);
	for (unsigned k = r->begin; k < r->end && l->v->status == GLLM_OK; k++) {
		struct gllm_vi i = l->v->ins[k];
		i.imm += more * step[k - r->begin];
		i.copy = (uint16_t)(i.copy ? i.copy + more * r->tuples : 0);
		i.d = renamed(map, r, more, i.d);
		i.a = renamed(map, r, more, i.a);
		i.b = renamed(map, r, more, i.b);
		i.c = renamed(map, r, more, i.c);
		i.m = renamed(map, r, more, i.m);
		gllm_vir_emit(l->v, i);
	}
}

bool gllm_lower_repeat(struct lower *l, struct repeat *r)
{
	struct gllm_arena scratch = *l->arena;
	gllm_vreg *map = gllm_alloc_array(&scratch, r->regs, sizeof *map, 2);
	int64_t *step = gllm_alloc_array(&scratch, l->v->n - r->begin + 1u, sizeof *step, 8);

	r->end = l->v->n;
	r->each = l->v->nregs - r->regs;
	r->tuples = l->copy - r->tuples;
	if (!map || !step || l->irregular != r->irregular || l->nconst != r->constants || l->noffsets != r->offsets ||
	    l->status != GLLM_OK || !find_steps(l, r, step))
		return false;
	for (unsigned k = 0; k < r->regs; k++)
		map[k] = (gllm_vreg)k;
	for (unsigned copy = r->first + 1; copy < r->copies; copy++) {
		map_sums(l, map, r, copy);
		write_copy(l, r, map, step, copy - r->first);
		l->copy = (uint16_t)(l->copy + r->tuples);
	}
	return true;
}
