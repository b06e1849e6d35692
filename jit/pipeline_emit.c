/* SPDX-License-Identifier: MIT
 * jit/pipeline_emit.c - a loop as planned (pipeline.c): what it loads before it begins, its turns, its last one.
 *
 * The step of a base stands where the most is between it and the next access; accesses of this turn behind it and of the
 * next one before it are shifted by as much. */
#include "jit/pipeline_state.h"

void gllm_pipeline_emit(struct pipeline *p, struct gllm_vi i)
{
	p->out[p->nout++] = i; /* there is room: max_out */
}

static gllm_vreg renamed(const struct pipeline *p, gllm_vreg r)
{
	return r == GLLM_NO_VREG ? r : p->reg[r].load != NONE ? p->color[p->load[p->reg[r].load].color] : p->reg[r].name;
}

/* By how much the step of its base, standing at `place`, changes the access at place k of the turn. */
static int64_t shift_at(const struct pipeline *p, unsigned k, const struct gllm_vi *step, unsigned place)
{
	bool next = p->turn[k] & NEXT;

	return next && k < place ? step->imm : !next && k >= place ? -step->imm : 0;
}

static bool reads_base(const struct pipeline *p, unsigned k, gllm_vreg base)
{
	const struct gllm_vi *x = at(p, p->turn[k] & (NEXT - 1));

	return is_based(x) && x->a == base;
}

static bool may_step_at(const struct pipeline *p, const struct gllm_vi *step, unsigned place)
{
	for (unsigned k = 0; k < p->in.tail; k++) {
		const struct gllm_vi *x = at(p, p->turn[k] & (NEXT - 1));
		bool early = (p->turn[k] & NEXT) && k < place, late = !(p->turn[k] & NEXT) && k >= place;
		if (reads_base(p, k, step->d) && (early || late) &&
		    (step->op != GLLM_V_GADDI || x->b != GLLM_NO_VREG ||
		     !p->m->disp_ok(x->imm + shift_at(p, k, step, place), p->m->vector_bytes)))
			return false;
	}
	return true;
}

/* Where the most stands between a base's step and the next access, which otherwise waits for it; between the accesses of this
 * turn and those of the next it always may. */
static unsigned step_place(const struct pipeline *p, const struct gllm_vi *step)
{
	unsigned best = 0, most = 0, first = 0, always = 0;

	while (!reads_base(p, first, step->d))
		first++;
	for (unsigned k = first, gap; k < p->in.tail; k += gap + 1) {
		for (gap = 0; k + gap + 1 < p->in.tail && !reads_base(p, k + gap + 1, step->d);)
			gap++;
		if (!(p->turn[k] & NEXT))
			always = k + 1;
		unsigned round = k + gap + 1 < p->in.tail ? gap : gap + first + p->in.n - p->in.tail;
		if (round > most && may_step_at(p, step, k + 1)) {
			most = round;
			best = k + 1;
		}
	}
	return best ? best : always;
}

/* Steps of the bases that loads of the next turn have. */
static void place_steps(struct pipeline *p)
{
	for (unsigned i = p->in.tail; i < p->in.n; i++)
		p->step_at[i] = NONE;
	for (unsigned k = 0; k < p->in.tail; k++) {
		unsigned by;
		if (p->turn[k] & NEXT && moves_on(p, at(p, p->turn[k] & (NEXT - 1))->a, &by) && by != NONE && p->step_at[by] == NONE)
			p->step_at[by] = (uint16_t)step_place(p, at(p, by));
	}
}

static void emit_at(struct pipeline *p, unsigned i, int64_t shift)
{
	struct gllm_vi x = *at(p, i);

	x.imm += shift;
	x.d = renamed(p, x.d);
	x.a = renamed(p, x.a);
	x.b = renamed(p, x.b);
	x.c = renamed(p, x.c);
	x.m = renamed(p, x.m);
	if (i < p->in.tail && p->moves[i])
		x.aux = p->load[p->reg[at(p, i)->d].load].multiplies ? GLLM_VIR_FACTOR : 0;
	gllm_pipeline_emit(p, x);
}

/* What stands at place k of the turn, among steps of bases. */
static void emit_place(struct pipeline *p, unsigned k)
{
	unsigned i = p->turn[k] & (NEXT - 1), by;
	bool stepped = is_based(at(p, i)) && moves_on(p, at(p, i)->a, &by) && by != NONE && p->step_at[by] != NONE;

	for (unsigned t = p->in.tail; t < p->in.n; t++)
		if (p->step_at[t] == k)
			gllm_pipeline_emit(p, *at(p, t));
	if (i < p->in.tail || p->step_at[i] == NONE)
		emit_at(p, i, stepped ? shift_at(p, k, at(p, by), p->step_at[by]) : 0);
}

static void emit_turn(struct pipeline *p)
{
	place_steps(p);
	for (unsigned k = 0; k + 1 < p->in.n; k++)
		emit_place(p, k);
}

/* What lives within a turn has other names in the last one, so that nothing is held from one to the other. */
static void rename_locals(struct pipeline *p)
{
	for (unsigned i = 0; i < p->in.tail; i++)
		if (at(p, i)->d != GLLM_NO_VREG && p->reg[at(p, i)->d].local && p->reg[at(p, i)->d].write == i &&
		    p->reg[at(p, i)->d].load == NONE)
			p->reg[at(p, i)->d].name = gllm_vir_reg(p->v, (enum gllm_class)p->v->reg_class[at(p, i)->d]);
}

/* Without loads of the next one; the counter has gone down already. */
static void emit_last_turn(struct pipeline *p)
{
	rename_locals(p);
	for (unsigned k = 0; k + 1 < p->in.n; k++)
		if (!(p->turn[k] & NEXT) && p->turn[k] != p->in.counter)
			emit_at(p, p->turn[k], 0);
}

/* The counter is a constant that says that there are two turns at least. */
static bool runs_twice(const struct pipeline *p)
{
	const struct gllm_vi *back = at(p, p->in.n - 1), *set;

	for (unsigned i = p->in.begin; i-- > 0 && !gllm_vi_is_flow(set = &p->v->ins[i]);)
		if (set->d == back->a) {
			int64_t left = set->imm + at(p, p->in.counter)->imm;
			return set->op == GLLM_V_GCONST && (back->cc == GLLM_VCC_GE ? left >= back->aux : left != back->aux);
		}
	return false;
}

/* The counter loses what the last turn would take from it before the loop, so that the branch back stays what it was. */
void gllm_pipeline_emit_loop(struct pipeline *p)
{
	const struct gllm_vi *back = at(p, p->in.n - 1);
	struct gllm_vi around = *back, label = p->v->ins[p->in.begin + 1];

	for (unsigned c = 0; c < p->ring; c++)
		p->color[c] = gllm_vir_reg(p->v, GLLM_CLASS_V);
	for (unsigned k = 0; k < p->nloads && p->load[k].at < 0; k++)
		emit_at(p, p->load[k].from, 0);
	gllm_pipeline_emit(p, *at(p, p->in.counter));
	around.imm = gllm_vir_label(p->v);
	around.cc = back->cc == GLLM_VCC_GE ? GLLM_VCC_LT : GLLM_VCC_EQ;
	if (!runs_twice(p))
		gllm_pipeline_emit(p, around);
	gllm_pipeline_emit(p, p->v->ins[p->in.begin]);
	gllm_pipeline_emit(p, label);
	emit_turn(p);
	gllm_pipeline_emit(p, *back);
	gllm_pipeline_emit(p, p->v->ins[p->in.first + p->in.n]);
	label.imm = around.imm;
	gllm_pipeline_emit(p, label);
	emit_last_turn(p);
}
