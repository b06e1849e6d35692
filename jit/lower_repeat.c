/* SPDX-License-Identifier: MIT
 * jit/lower_repeat.c - copies of an innermost loop's own iterations, from the first of them.
 *
 * All copies along the loop differ from the first in the same ways: memory operands lie further on by the loop's stride,
 * accumulators are those of the copy, and values that a copy computes have registers of their own. So where nothing else depends
 * on the number of the copy, the first one's instructions are written again instead of lowered again. */
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

bool gllm_lower_may_repeat(struct lower *l, const struct walk *w, const gllm_ref *line, unsigned n, struct repeat *r)
{
	struct frame *f = gllm_lower_top(l);
	unsigned top = l->depth - 1;

	if (f->loop < 0 || w->n == 0 || w->frame[0] != top || !l->loop[f->loop].leaf || l->loop[f->loop].tiled ||
	    f->mask != GLLM_NO_VREG || gllm_lower_phase(f)->paired || (l->loop[f->loop].carries && !sums_in_place(l, f->loop)))
		return false;
	for (unsigned k = 0; k < n; k++)
		if (!is_regular(l, line[k], f->loop))
			return false;
	l->irregular = false;
	*r = (struct repeat){ .begin = l->v->n, .regs = l->v->nregs, .constants = l->nconst, .offsets = l->noffsets };
	return true;
}

/* Bytes by which the memory operand of one copy lies behind that of the copy before. */
static int64_t step_of(const struct lower *l, const struct gllm_vi *i, int loop)
{
	if (!gllm_vi_accesses(i) && i->op != GLLM_V_PREFETCH)
		return 0;
	for (unsigned k = 0; k < l->ninds; k++)
		if (l->ind[k].reg == i->a && (l->ind[k].loops >> loop & 1))
			return l->ind[k].stride[loop].c * (l->present[l->depth - 1].vector ? (int64_t)l->lanes : 1);
	return 0;
}

/* Can all displacements be encoded, so that lowering would have written no other address? */
static bool reaches(const struct lower *l, const struct gllm_vi *i, int64_t step, unsigned copies)
{
	bool lanes = (i->op != GLLM_V_VBCAST && !i->lanes);
	unsigned bytes = (lanes ? l->lanes : 1) * gllm_type_bytes((enum gllm_type)i->mem);

	for (unsigned k = 1; k < copies && step != 0 && l->m->disp_ok; k++)
		if (!l->m->disp_ok(i->imm + k * step, bytes))
			return false;
	return true;
}

static bool find_steps(const struct lower *l, const struct repeat *r, unsigned copies, int64_t *step)
{
	for (unsigned k = r->begin; k < r->end; k++) {
		step[k - r->begin] = step_of(l, &l->v->ins[k], l->frame[l->depth - 1].loop);
		if (!reaches(l, &l->v->ins[k], step[k - r->begin], copies))
			return false;
	}
	return true;
}

/* Accumulators of the first copy -> those of copy `copy`. */
static void map_sums(const struct lower *l, gllm_vreg *map, int loop, unsigned copy)
{
	const struct gllm_trace *t = l->t;
	unsigned each = l->loop[loop].accumulators;

	for (gllm_ref n = t->loop[loop].first; n < t->loop[loop].end && l->loop[loop].carries; n++)
		if (t->node[n].op == GLLM_N_CARRY && t->node[n].loop == loop) {
			uint32_t count = gllm_lower_places_of(l, l->dep[n] & ~(UINT32_C(1) << loop), loop, false);
			for (uint32_t at = l->val[n]; at < l->val[n] + count * each; at += each)
				map[l->slot[at]] = l->slot[at + copy % each];
		}
}

static gllm_vreg renamed(const gllm_vreg *map, const struct repeat *r, unsigned copy, gllm_vreg x)
{
	return x == GLLM_NO_VREG ? x : x < r->regs ? map[x] : (gllm_vreg)(x + copy * r->each);
}

static void write_copy(struct lower *l, const struct repeat *r, const gllm_vreg *map, const int64_t *step, unsigned copy)
{
	for (unsigned k = 0; k < r->each; k++)
		gllm_vir_reg(l->v, (enum gllm_class)l->v->reg_class[r->regs + k]);
	for (unsigned k = r->begin; k < r->end && l->v->status == GLLM_OK; k++) {
		struct gllm_vi i = l->v->ins[k];
		i.imm += copy * step[k - r->begin];
		i.copy = (uint16_t)(i.copy ? i.copy + copy * r->copies : 0);
		i.d = renamed(map, r, copy, i.d);
		i.a = renamed(map, r, copy, i.a);
		i.b = renamed(map, r, copy, i.b);
		i.c = renamed(map, r, copy, i.c);
		i.m = renamed(map, r, copy, i.m);
		gllm_vir_emit(l->v, i);
	}
}

bool gllm_lower_repeat(struct lower *l, struct repeat *r)
{
	const struct frame *f = gllm_lower_top(l);
	unsigned copies = gllm_lower_phase(gllm_lower_top(l))->copies;
	struct gllm_arena scratch = *l->arena;
	gllm_vreg *map = gllm_alloc_array(&scratch, r->regs, sizeof *map, 2);
	int64_t *step = gllm_alloc_array(&scratch, l->v->n - r->begin + 1u, sizeof *step, 8);

	r->end = l->v->n;
	r->each = l->v->nregs - r->regs;
	r->copies = l->copy;
	if (!map || !step || l->irregular || l->nconst != r->constants || l->noffsets != r->offsets || l->status != GLLM_OK ||
	    !find_steps(l, r, copies, step))
		return false;
	for (unsigned k = 0; k < r->regs; k++)
		map[k] = (gllm_vreg)k;
	for (unsigned copy = 1; copy < copies; copy++) {
		map_sums(l, map, f->loop, copy);
		write_copy(l, r, map, step, copy);
	}
	return true;
}
