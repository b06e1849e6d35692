/* SPDX-License-Identifier: MIT
 * jit/lower_repeat.c - copies of what stands between two loops, or in an innermost one, from one of them: of the loop's own
 * iterations from the first, of a loop's around it from the second, since the first also computes what they share.
 *
 * All copies along a loop differ from that one in the same ways: memory operands lie further on by the loop's stride, what was
 * computed before for each copy, accumulators among that, is the copy's, and values that a copy computes have registers of their
 * own. So where nothing else depends on the number of the copy, its instructions are written again instead of lowered again. */
#include "jit/lower_state.h"

/* Does a copy of node n differ from the first in nothing but registers and displacements? */
static bool is_regular(const struct lower *l, gllm_ref n, int loop)
{
	const struct gllm_node *x = node(l, n);

	if (!(l->dep[n] >> loop & 1) || l->integer[n] || x->op == GLLM_N_INDEX)
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

bool gllm_lower_may_repeat(struct lower *l, const struct walk *w, unsigned k, const gllm_ref *line, unsigned n, struct repeat *r)
{
	struct frame *f = gllm_lower_top(l);
	unsigned top = l->depth - 1;

	if (f->loop < 0 || k >= w->n || l->loop[f->loop].tiled || f->mask != GLLM_NO_VREG || gllm_lower_phase(f)->paired ||
	    (l->loop[f->loop].carries && !sums_in_place(l, f->loop)))
		return false;
	*r = (struct repeat){ .frame = w->frame[k], .first = w->frame[k] != top, .copies = w->radix[k], .line = line, .n = n };
	r->loop = l->frame[r->frame].loop;
	if (r->copies <= r->first + 1)
		return false;
	for (unsigned i = 0; i < k; i++)
		r->outer |= l->present[w->frame[i]].loop;
	for (unsigned i = 0; i < n; i++)
		if ((!r->first || (l->dep[line[i]] >> r->loop & 1)) && !is_regular(l, line[i], r->loop))
			return false;
	return true;
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

/* --- what is a copy's own -------------------------------------------------------------------------------------------- */

struct place_of { /* a value that each copy has of its own: where copy k behind the first has it */
	gllm_vreg of;          /* the first copy's */
	uint32_t at, by, wrap; /* slot at + k * by % wrap */
};

struct values {
	struct place_of *list;
	unsigned n, max;
};

struct copying {
	struct repeat *r;
	struct values before;   /* computed before: other copies read others */
	struct values shared;   /* computed here, and read where loops around the repeated one are at other copies */
	const unsigned *tuple;  /* that is emitted now */
	uint8_t *needed;        /* per node */
	gllm_vreg *map;         /* register of the first copy from before -> of the copy that is written */
	int64_t *step;          /* per instruction */
	bool fits;
};

static gllm_vreg *value_at(const struct lower *l, const struct place_of *x, unsigned more)
{
	return &l->slot[x->at + more * x->by % x->wrap];
}

static bool same_values(const struct lower *l, const struct place_of *a, const struct place_of *b, unsigned copies)
{
	for (unsigned k = 0; k < copies; k++)
		if (*value_at(l, a, k) != *value_at(l, b, k))
			return false;
	return true;
}

static void add_place(struct copying *c, struct values *v, const struct place_of *x)
{
	c->fits = c->fits && v->n < v->max;
	if (c->fits)
		v->list[v->n++] = *x;
}

/* Two values in one register of the first copy must be in one of each copy. */
static void add_before(struct lower *l, struct copying *c, const struct place_of *x)
{
	unsigned copies = c->r->copies - c->r->first, k = 0;

	for (unsigned i = 0; i < copies; i++)
		c->fits = c->fits && *value_at(l, x, i) < c->r->regs;
	if (c->fits && c->map[x->of] == x->of) {
		c->map[x->of] = GLLM_NO_VREG;
		add_place(c, &c->before, x);
		return;
	}
	while (c->fits && k < c->before.n && c->before.list[k].of != x->of)
		k++;
	c->fits = c->fits && same_values(l, &c->before.list[k], x, copies);
}

/* The slot of node n's value for the tuple that is set; NO_BLOCK if it has none. */
static uint32_t slot_of(struct lower *l, gllm_ref n)
{
	const struct gllm_node *x = node(l, n);

	if (x->op == GLLM_N_CARRY)
		return gllm_lower_carry_index(l, n, gllm_lower_own_copy(l, x->loop));
	if (x->op == GLLM_N_LAST)
		return l->result[x->a] + gllm_lower_index(l, l->dep[n], x->loop, false);
	return l->val[n] == NO_BLOCK ? NO_BLOCK : l->val[n] + gllm_lower_index(l, l->dep[n], x->loop, false);
}

/* Node n's value along the repeated loop, for every tuple of the loops that are copied inside of it. */
static void add_node(struct lower *l, struct copying *c, gllm_ref n)
{
	const struct gllm_node *x = node(l, n);
	const struct repeat *r = c->r;
	bool own = x->op == GLLM_N_CARRY && x->loop == r->loop; /* copies take turns on its accumulators */
	uint32_t moves = l->dep[n] & ~(UINT32_C(1) << r->loop) & ~r->outer;
	struct walk w;

	if (x->op == GLLM_N_CARRY)
		moves &= ~(UINT32_C(1) << x->loop);
	gllm_lower_walk(l, &w, moves, x->loop, false);
	for (uint64_t frames = l->copied; frames; frames &= frames - 1) {
		unsigned f = (unsigned)__builtin_ctzll(frames);
		if (l->present[f].loop & r->outer)
			l->tuple[f] = c->tuple[f];
	}
	do {
		l->tuple[r->frame] = r->first;
		struct place_of p = { .at = slot_of(l, n), .by = 1, .wrap = own ? l->loop[r->loop].accumulators : UINT32_MAX };
		l->tuple[r->frame] = r->first + 1;
		if (p.at == NO_BLOCK || l->slot[p.at] == GLLM_NO_VREG)
			return; /* nobody can have read it */
		p.by = own ? 1 : slot_of(l, n) - p.at;
		p.of = l->slot[p.at];
		if (p.of < r->regs)
			add_before(l, c, &p);
		else
			add_place(c, &c->shared, &p);
	} while (c->fits && gllm_lower_walk_next(l, &w));
}

/* What is read of a node outside of the line may be anything that it was computed from. */
static void find_needed(const struct lower *l, struct copying *c)
{
	const struct gllm_trace *t = l->t;
	gllm_ref end = c->r->n ? c->r->line[c->r->n - 1] + 1u : 0;

	for (gllm_ref n = 0; n < end; n++)
		c->needed[n] = 0;
	for (unsigned i = 0; i < c->r->n; i++)
		c->needed[c->r->line[i]] = 1;
	for (gllm_ref n = end; n-- > 0;) {
		const struct gllm_node *x = &t->node[n];
		const gllm_ref from[3] = { x->a, x->b, x->c };
		if (!c->needed[n] || x->op == GLLM_N_LAST || x->op == GLLM_N_CARRY)
			continue;
		for (unsigned k = 0; k < 3; k++)
			if (from[k] != GLLM_NO_NODE && (l->dep[from[k]] >> c->r->loop & 1) && !c->needed[from[k]])
				c->needed[from[k]] = 2;
	}
}

static void find_values(struct lower *l, struct copying *c)
{
	const struct gllm_trace *t = l->t;
	const struct repeat *r = c->r;
	int top = gllm_lower_top(l)->loop;

	for (gllm_ref n = t->loop[top].first; n < t->loop[top].end && l->loop[top].carries && c->fits; n++)
		if (t->node[n].op == GLLM_N_CARRY && t->node[n].loop == top)
			add_node(l, c, n);
	find_needed(l, c);
	for (gllm_ref n = 0; r->n && n <= r->line[r->n - 1] && c->fits; n++) {
		uint8_t op = t->node[n].op;
		if (!c->needed[n] || l->idle[n] || op == GLLM_N_STORE || op == GLLM_N_CONST || op == GLLM_N_SCALAR || (op == GLLM_N_CARRY && t->node[n].loop == top))
			continue;
		bool here = c->needed[n] == 1 && op != GLLM_N_LAST;
		if (!here)
			c->fits = c->fits && !l->paired; /* there nodes have two forms */
		if (!here || (l->dep[n] & r->outer) != r->outer)
			add_node(l, c, n);
	}
}

/* --- writing ---------------------------------------------------------------------------------------------------------- */

static inline gllm_vreg renamed(const gllm_vreg *map, const struct repeat *r, unsigned offset, gllm_vreg x)
{
	return x < r->regs ? map[x] : x == GLLM_NO_VREG ? x : (gllm_vreg)(x + offset);
}

/* There is room. */
static void write_copy(struct lower *l, const struct copying *c, unsigned more)
{
	const struct repeat *r = c->r;
	struct gllm_vir *v = l->v;
	struct gllm_vi *to = v->ins + v->n;
	unsigned offset = more * r->each;

	for (unsigned k = 0; k < r->each; k++)
		v->reg_class[v->nregs + k] = v->reg_class[r->regs + k];
	for (unsigned k = r->begin; k < r->end; k++, to++) {
		*to = v->ins[k];
		to->imm += more * c->step[k - r->begin];
		to->copy = (uint16_t)(to->copy ? to->copy + more * r->tuples : 0);
		to->d = renamed(c->map, r, offset, to->d);
		to->a = renamed(c->map, r, offset, to->a);
		to->b = renamed(c->map, r, offset, to->b);
		to->c = renamed(c->map, r, offset, to->c);
		to->m = renamed(c->map, r, offset, to->m);
	}
	v->nregs += r->each;
	v->n += r->end - r->begin;
}

static bool has_room(const struct gllm_vir *v, const struct repeat *r)
{
	unsigned more = r->copies - 1 - r->first;

	return v->n + more * (r->end - r->begin) <= v->max && v->nregs + more * r->each <= v->max_regs &&
	       v->nregs + more * r->each < GLLM_NO_VREG;
}

static void write_copies(struct lower *l, struct copying *c)
{
	struct repeat *r = c->r;

	for (unsigned more = 1; more < r->copies - r->first; more++) {
		for (unsigned k = 0; k < c->before.n; k++)
			c->map[c->before.list[k].of] = *value_at(l, &c->before.list[k], more);
		for (unsigned k = 0; k < c->shared.n; k++)
			*value_at(l, &c->shared.list[k], more) = renamed(c->map, r, more * r->each, c->shared.list[k].of);
		write_copy(l, c, more);
		l->copy = (uint16_t)(l->copy + r->tuples);
	}
}

bool gllm_lower_repeat(struct lower *l, struct repeat *r)
{
	enum { MOST = 256 };
	struct gllm_arena scratch = *l->arena;
	struct copying c = { .r = r, .before.max = MOST, .shared.max = MOST, .fits = true };
	unsigned tuple[OPEN_LOOPS];

	r->end = l->v->n;
	r->each = l->v->nregs - r->regs;
	r->tuples = l->copy - r->tuples;
	c.map = gllm_alloc_array(&scratch, r->regs, sizeof *c.map, 2);
	c.step = gllm_alloc_array(&scratch, r->end - r->begin + 1u, sizeof *c.step, 8);
	c.needed = gllm_alloc(&scratch, l->t->nnodes + 1u, 1);
	c.before.list = gllm_alloc_array(&scratch, MOST, sizeof *c.before.list, 4);
	c.shared.list = gllm_alloc_array(&scratch, MOST, sizeof *c.shared.list, 4);
	if (!c.map || !c.step || !c.needed || !c.before.list || !c.shared.list || l->irregular != r->irregular ||
	    l->nconst != r->constants || l->noffsets != r->offsets || l->status != GLLM_OK || !has_room(l->v, r) || !find_steps(l, r, c.step))
		return false;
	for (unsigned k = 0; k < r->regs; k++)
		c.map[k] = (gllm_vreg)k;
	for (unsigned f = 0; f < l->depth; f++)
		tuple[f] = l->tuple[f];
	c.tuple = tuple;
	find_values(l, &c);
	for (unsigned f = 0; f < l->depth; f++)
		l->tuple[f] = tuple[f];
	if (c.fits)
		write_copies(l, &c);
	return c.fits;
}
