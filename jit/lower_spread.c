/* SPDX-License-Identifier: MIT
 * jit/lower_spread.c - accesses of every second, fourth or eighth element, such as the pairs of complex numbers.
 *
 * Accesses of one induction whose displacements lie within one step form a *group*. Loads of a group are whole vectors of
 * all elements in between, dealt out to lanes of their own by log2(step) levels; stores take the same way back, so a group
 * of them must have every element. What the lanes of a group's last vector do not need may lie behind the memory that is
 * granted: it is masked off unless another access of the group's induction reaches as far. */
#include "core/bits.h"
#include "jit/lower_state.h"

enum { MOST = 8 };

struct group {
	unsigned step;          /* elements from one lane's to the next one's */
	int64_t bytes, disp;    /* of an element; of the group's first */
	unsigned missing;       /* last elements that nothing is known to touch */
	gllm_ref member[MOST];  /* NO_NODE: no access of this element */
	gllm_ref first, last;
	bool whole;             /* of whole elements, each stored but once */
};

static inline const struct gllm_access *access_of(const struct lower *l, gllm_ref n)
{
	return &l->t->access[l->t->node[n].imm];
}

static inline bool is_access(const struct lower *l, gllm_ref n)
{
	return l->t->node[n].op == GLLM_N_LOAD || l->t->node[n].op == GLLM_N_STORE;
}

/* Accesses of one kind that differ in nothing but their displacements. */
static inline bool same_series(const struct lower *l, gllm_ref a, gllm_ref b)
{
	const struct gllm_node *x = &l->t->node[a], *y = &l->t->node[b];

	return x->op == y->op && x->loop == y->loop && access_of(l, a)->type == access_of(l, b)->type &&
	       access_of(l, b)->index == GLLM_NO_NODE && l->access[x->imm].ind == l->access[y->imm].ind;
}

/* 0: the node's addresses are not those of a group. */
static unsigned step_of(const struct lower *l, gllm_ref n, unsigned v)
{
	const struct gllm_node *x = &l->t->node[n];
	const struct gllm_access *a = access_of(l, n);
	unsigned bytes = gllm_type_bytes((enum gllm_type)a->type);
	struct lin s = l->ind[l->access[x->imm].ind].stride[v];

	if (a->index != GLLM_NO_NODE || bytes > 4 || s.sym != NO_SYM)
		return 0;
	return s.c == 2 * bytes || s.c == 4 * bytes || s.c == 8 * bytes ? (unsigned)s.c / bytes : 0;
}

/* Which of the group's elements access `i` is; -1: none. */
static inline int64_t element(const struct lower *l, const struct group *g, gllm_ref n, gllm_ref i)
{
	int64_t at = is_access(l, i) && same_series(l, n, i) ? l->access[l->t->node[i].imm].disp - g->disp : -1;

	return at >= 0 && at < g->bytes * g->step ? at / g->bytes : -1;
}

static struct group group_of(const struct lower *l, gllm_ref n, unsigned step)
{
	const struct gllm_loop *loop = &l->t->loop[l->t->node[n].loop];
	struct group g = { .step = step, .bytes = gllm_type_bytes((enum gllm_type)access_of(l, n)->type), .whole = true,
	                   .first = GLLM_NO_NODE };
	int64_t disp = l->access[l->t->node[n].imm].disp, least = disp, most = disp;

	for (gllm_ref i = loop->first; i < loop->end; i++) {
		int64_t at = is_access(l, i) && same_series(l, n, i) ? l->access[l->t->node[i].imm].disp : disp;
		least = at < least ? at : least;
		most = at > most ? at : most;
		g.whole = g.whole && (at - disp) % g.bytes == 0;
	}
	g.disp = disp - (disp - least) % (g.bytes * step);
	g.missing = most - g.disp >= g.bytes * step ? 0 : step - 1 - (unsigned)((most - g.disp) / g.bytes);
	for (unsigned k = 0; k < MOST; k++)
		g.member[k] = GLLM_NO_NODE;
	for (gllm_ref i = loop->first; i < loop->end; i++) {
		int64_t at = element(l, &g, n, i);
		if (at < 0)
			continue;
		g.whole = g.whole && (g.member[at] == GLLM_NO_NODE || l->t->node[n].op == GLLM_N_LOAD);
		g.member[at] = i;
		g.first = g.first == GLLM_NO_NODE ? i : g.first;
		g.last = i;
	}
	return g;
}

/* Elements between the lanes of access `n` in vectorised loop `v`; 0 if it is not of a group that can be made. */
unsigned gllm_lower_spreads(const struct lower *l, gllm_ref n, unsigned v)
{
	const struct gllm_node *x = &l->t->node[n];
	unsigned step = l->loop[v].leaf && x->loop == (int)v && !l->halves && (l->m->zips || l->m->picks) ? step_of(l, n, v) : 0;

	if (!step)
		return 0;
	struct group g = group_of(l, n, step);
	bool store = x->op == GLLM_N_STORE;
	if (!g.whole || (g.missing && (store || !l->m->has_mask)))
		return 0;
	for (unsigned k = 0; k < step; k++)
		if (store && g.member[k] == GLLM_NO_NODE)
			return 0;
	/* The accesses happen at the first load's or last store's place: none in between may see a difference. Parameters
	 * share memory only where one store of each iteration follows all loads (jit/buffers.c); that is no group. */
	for (gllm_ref i = g.first; i <= g.last; i++)
		if (is_access(l, i) && access_of(l, i)->param == access_of(l, n)->param && !same_series(l, n, i) &&
		    (store || l->t->node[i].op == GLLM_N_STORE))
			return 0;
	return step;
}

/* --- lanes ----------------------------------------------------------------------------------------------------------- */

static unsigned way_numbers(const struct lower *l, unsigned way, unsigned lane)
{
	return way < 2 ? (lane & 1 ? l->lanes : 0) + lane / 2 + way * l->lanes / 2 : 2 * lane + (way & 1);
}

/* Machines that move lanes by numbers get these in registers, once for the function. */
void gllm_lower_spread_numbers(struct lower *l)
{
	bool need[4] = { false };

	for (unsigned n = 0; n < l->t->nnodes && l->m->picks; n++)
		if (l->spread[n]) {
			unsigned way = l->t->node[n].op == GLLM_N_STORE ? 0 : 2;
			need[way] = need[way + 1] = true;
		}
	for (unsigned way = 0; way < 4; way++) {
		struct gllm_vi i = gllm_vi(GLLM_V_VLOAD);
		if (!need[way])
			continue;
		i.type = i.mem = GLLM_I32;
		i.a = l->pool_reg;
		i.imm = 4 * (int64_t)l->npool;
		i.d = l->number[way] = gllm_vir_reg(l->v, GLLM_CLASS_V);
		gllm_vir_emit(l->v, i);
		for (unsigned lane = 0; lane < l->lanes; lane++)
			l->pool[l->npool++] = way_numbers(l, way, lane);
		l->vregs--;
	}
}

/* 0, 1: lower, upper halves by turns; 2, 3: even, odd lanes. */
static gllm_vreg move(struct lower *l, gllm_vreg a, gllm_vreg b, unsigned way)
{
	struct gllm_vi i = gllm_vi(l->m->picks ? GLLM_V_VPICK : GLLM_V_VZIP);

	i.type = i.mem = GLLM_F32;
	i.a = a;
	i.b = b;
	if (l->m->picks)
		i.c = l->number[way];
	else
		i.imm = 4 + way;
	i.d = gllm_vir_reg(l->v, GLLM_CLASS_V);
	return gllm_vir_emit(l->v, i);
}

/* x[]: vectors of neighbouring elements become one vector per element of the step, in the order of reversed bits. */
static void deal(struct lower *l, gllm_vreg *x, unsigned n)
{
	gllm_vreg y[MOST];

	for (unsigned part = n; part > 1; part /= 2) {
		for (unsigned k = 0; k < n; k += 2) {
			unsigned to = k / part * part + k % part / 2;
			y[to] = move(l, x[k], x[k + 1], 2);
			y[to + part / 2] = move(l, x[k], x[k + 1], 3);
		}
		for (unsigned k = 0; k < n; k++)
			x[k] = y[k];
	}
}

static void gather(struct lower *l, gllm_vreg *x, unsigned n)
{
	gllm_vreg y[MOST];

	for (unsigned part = 2; part <= n; part *= 2) {
		for (unsigned k = 0; k < n; k += 2) {
			unsigned from = k / part * part + k % part / 2;
			y[k] = move(l, x[from], x[from + part / 2], 0);
			y[k + 1] = move(l, x[from], x[from + part / 2], 1);
		}
		for (unsigned k = 0; k < n; k++)
			x[k] = y[k];
	}
}

static unsigned reversed(unsigned k, unsigned step)
{
	unsigned r = 0;

	for (unsigned bit = 1; bit < step; bit *= 2)
		r = r * 2 + (k & bit ? 1 : 0);
	return r;
}

/* --- memory ---------------------------------------------------------------------------------------------------------- */

/* Of the group's vector `k`, the lanes that are touched in this phase: NO_VREG all. */
static gllm_vreg touched(struct lower *l, const struct group *g, const struct frame *f, unsigned k)
{
	const struct phase *p = &f->ph[f->phase];
	struct gllm_vi i = gllm_vi(GLLM_V_MTAIL);
	int64_t before = (int64_t)k * l->lanes + g->missing, all = p->masked ? p->step : (int64_t)l->lanes;

	if (!p->masked && (int64_t)g->step * all - before >= (int64_t)l->lanes)
		return GLLM_NO_VREG;
	if (p->masked && p->count == -2) {
		gllm_vreg left = gllm_lower_g(l, GLLM_V_GMULI, f->count, GLLM_NO_VREG, g->step);
		left = gllm_lower_g(l, GLLM_V_GADDI, left, GLLM_NO_VREG, -before);
		i.a = gllm_lower_g(l, GLLM_V_GMAX, left, gllm_lower_g(l, GLLM_V_GCONST, GLLM_NO_VREG, GLLM_NO_VREG, 0), 0);
	} else {
		int64_t left = (int64_t)g->step * all - before;
		i.a = gllm_lower_g(l, GLLM_V_GCONST, GLLM_NO_VREG, GLLM_NO_VREG, left < 0 ? 0 : left);
	}
	i.type = i.mem = GLLM_F32;
	i.d = gllm_vir_reg(l->v, GLLM_CLASS_M);
	return gllm_vir_emit(l->v, i);
}

static struct gllm_vi group_access(struct lower *l, const struct group *g, gllm_ref n, const struct frame *f, unsigned k)
{
	const struct place *p = &l->access[l->t->node[n].imm];
	struct gllm_vi i = gllm_vi(l->t->node[n].op == GLLM_N_STORE ? GLLM_V_VSTORE : GLLM_V_VLOAD);
	int64_t bytes = g->bytes * l->lanes;

	i.m = touched(l, g, f, k);
	gllm_lower_address(l, *p, g->disp - p->disp + k * bytes, (unsigned)bytes, &i);
	i.mem = access_of(l, n)->type;
	return i;
}

/* Fills the places of all loads of the group. */
gllm_vreg gllm_lower_spread_load(struct lower *l, gllm_ref n, const struct frame *f, enum gllm_type type)
{
	struct group g = group_of(l, n, l->spread[n]);
	gllm_vreg x[MOST];

	for (unsigned k = 0; k < g.step; k++) {
		struct gllm_vi i = group_access(l, &g, n, f, k);
		i.type = (uint8_t)type;
		i.d = gllm_vir_reg(l->v, GLLM_CLASS_V);
		x[k] = gllm_vir_emit(l->v, i);
	}
	deal(l, x, g.step);
	for (gllm_ref i = g.first; i <= g.last && l->status == GLLM_OK; i++) {
		int64_t at = element(l, &g, n, i);
		if (at >= 0)
			*gllm_lower_place(l, i) = x[reversed((unsigned)at, g.step)];
	}
	return *gllm_lower_place(l, n);
}

/* Only the group's last store does anything. */
void gllm_lower_spread_store(struct lower *l, gllm_ref n, const struct frame *f, enum gllm_type type)
{
	struct group g = group_of(l, n, l->spread[n]);
	gllm_vreg x[MOST];

	if (n != g.last)
		return;
	for (unsigned k = 0; k < g.step; k++)
		x[reversed(k, g.step)] = gllm_lower_value(l, l->t->node[g.member[k]].a);
	gather(l, x, g.step);
	for (unsigned k = 0; k < g.step; k++) {
		struct gllm_vi i = group_access(l, &g, n, f, k);
		i.type = (uint8_t)type;
		i.c = x[k];
		gllm_lower_note_past(l, l->t->access[node(l, n)->imm].param, &i);
		gllm_vir_emit(l->v, i);
	}
}
