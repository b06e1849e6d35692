/* SPDX-License-Identifier: MIT
 * jit/pipeline.c - loads of a loop run ahead of what reads them, round the loop.
 *
 * A row is an instruction that computes (or an access that must keep its place), together with loads that become its memory
 * operands. Rows keep their order. Turns follow one another, so rows stand on a circle; a load that moves lies on it from
 * the row before which it stands (`at`; below 0: in the turn before) to the last row that reads it. At every row no more
 * loads lie than there are registers for; within that limit all move up evenly until each is as far ahead as its latency
 * asks. They keep the order in which they are first read: then loads of the next turn stand behind all of this one, and
 * pointers move on between the two, a little earlier than before. */
#include "jit/pipeline_state.h"

enum { MAX_BODY = 512, DISTANCES = 5, SPARE = 2, TURNS = 4 };

static unsigned file_of(const struct pipeline *p, gllm_vreg r)
{
	return p->m->class_file[p->v->reg_class[r]];
}

static bool counts(const struct gllm_vi *i) /* a register goes on by the same amount in each turn */
{
	return (i->op == GLLM_V_GADDI || i->op == GLLM_V_GADD) && i->d == i->a && i->b != i->d;
}

/* --- the loop ------------------------------------------------------------------------------------------------------- */

/* A label, a straight line, pointers and counter, and the branch back while the counter has not come to its end. */
static bool is_simple(struct pipeline *p, unsigned begin)
{
	struct loop *l = &p->in;
	const struct gllm_vi *ins = p->v->ins, *back;
	unsigned end = p->close[begin];

	*l = (struct loop){ .begin = begin, .first = begin + 2 };
	if (end < begin + 5 || ins[begin + 1].op != GLLM_V_LABEL || end - l->first > MAX_BODY)
		return false;
	back = &ins[end - 1];
	l->n = end - l->first;
	if (back->op != GLLM_V_BRANCHI || back->imm != ins[begin + 1].imm || (back->cc != GLLM_VCC_NE && back->cc != GLLM_VCC_GE))
		return false;
	for (unsigned i = l->first; i + 1 < end; i++)
		if (gllm_vi_is_flow(&ins[i]))
			return false;
	for (l->tail = l->n - 1; l->tail > 0 && counts(at(p, l->tail - 1));)
		l->tail--;
	for (unsigned i = l->tail; i + 1 < l->n; i++)
		if (at(p, i)->d == back->a && at(p, i)->op == GLLM_V_GADDI && at(p, i)->imm < 0)
			l->counter = i;
	return l->counter > 0;
}

static void note_registers(struct pipeline *p)
{
	gllm_vreg r[4];

	for (unsigned i = 0; i < p->in.n; i++) {
		for (unsigned n = gllm_vi_uses(at(p, i), r); n-- > 0;)
			p->reg[r[n]] = (struct vreg){ .load = NONE, .name = r[n] };
		if (at(p, i)->d != GLLM_NO_VREG)
			p->reg[at(p, i)->d] = (struct vreg){ .load = NONE, .name = at(p, i)->d };
	}
	for (unsigned i = 0; i < p->in.n; i++)
		if (at(p, i)->d != GLLM_NO_VREG) {
			struct vreg *x = &p->reg[at(p, i)->d];
			const struct gllm_vir_span *span = &p->span[at(p, i)->d];
			x->writes++;
			x->write = (uint16_t)i;
			x->local = span->first >= p->in.first && span->last < p->in.first + p->in.tail;
		}
}

/* --- which loads move ----------------------------------------------------------------------------------------------- */

/* A load that the machine makes its reader's memory operand is no instruction of its own. */
static bool is_operand(const struct pipeline *p, unsigned i)
{
	const struct gllm_vi *load = at(p, i);
	unsigned user = i + 1;

	if (!p->m->takes)
		return false;
	if (gllm_vi_loads_vector(at(p, user)))
		user++;
	return user < p->in.tail && p->span[load->d].last == p->in.first + user && p->m->takes(load, at(p, user));
}

static bool may_move(const struct pipeline *p, unsigned i)
{
	const struct gllm_vi *x = at(p, i);
	unsigned by;

	return gllm_vi_loads_vector(x) && p->reg[x->d].writes == 1 &&
	       p->span[x->d].first == p->in.first + i && p->span[x->d].last < p->in.first + p->in.tail &&
	       p->span[x->d].last > p->in.first + i && moves_on(p, x->a, &by) && is_invariant(p, x->b) && is_invariant(p, x->m) &&
	       !is_operand(p, i);
}

/* First row before which load i may stand, as far as stores decide it: those of this turn before it, and of the turn before. */
static int first_row(const struct pipeline *p, unsigned i)
{
	const struct gllm_vi *x = at(p, i);
	bool any_order = p->v->ins[p->in.begin].aux == GLLM_VIR_ANY_ORDER && x->segment;
	int least = -(int)p->nrows;

	for (unsigned k = 0; k < p->in.tail; k++) {
		const struct gllm_vi *s = at(p, k);
		if (!gllm_vi_stores(s))
			continue;
		bool same = x->segment && s->segment == x->segment;
		if (k < i && !(same && s->copy != x->copy))
			least = p->row[k] + 1;
		else if (!(same && any_order) && least < 0)
			least = 0;
	}
	return least;
}

/* What keeps its place, with the loads that are its operands, makes a row. */
static void find_rows(struct pipeline *p)
{
	p->nrows = p->nloads = 0;
	for (unsigned i = 0; i < p->in.tail; i++) {
		p->row[i] = (uint16_t)p->nrows;
		p->moves[i] = may_move(p, i);
		if (p->moves[i])
			continue;
		bool open = gllm_vi_loads_vector(at(p, i)) && is_operand(p, i);
		p->nrows += !open;
	}
	for (unsigned i = p->in.tail; i < p->in.n; i++)
		p->moves[i] = false;
}

static bool is_factor(const struct pipeline *p, const struct gllm_vi *x, gllm_vreg r)
{
	gllm_vreg other = x->a == r ? x->b : x->a;

	return ((x->type == GLLM_F32 && (x->op == GLLM_V_VFMA || x->op == GLLM_V_VFNMA)) || x->op == GLLM_V_VDOT) && r != x->c &&
	       r != other && p->reg[other].writes == 1 && at(p, p->reg[other].write)->op != GLLM_V_VBCAST;
}

static void note_reader(struct pipeline *p, unsigned i)
{
	const struct gllm_vi *x = at(p, i);
	gllm_vreg r[4];

	for (unsigned n = gllm_vi_uses(x, r); n-- > 0;) {
		struct vreg *reg = &p->reg[r[n]];
		bool base = is_based(x) && r[n] == x->a && r[n] != x->b && r[n] != x->c;
		if (!p->moves[i] && base)
			reg->accessed = true;
		else if (!p->moves[i] && r[n] != x->d)
			reg->fixed = true;
		if (reg->load == NONE)
			continue;
		struct load *l = &p->load[reg->load];
		l->multiplies = l->multiplies && is_factor(p, x, r[n]);
		if (l->first < 0)
			l->first = (int16_t)p->row[i];
		l->last = (int16_t)p->row[i];
	}
}

/* A base that is moved on earlier must not be read as a number behind that, nor be a base there if by how much is unknown. */
static bool base_stays(const struct pipeline *p, gllm_vreg base)
{
	unsigned by;

	if (!moves_on(p, base, &by) || by == NONE)
		return false;
	return p->reg[base].fixed || (at(p, by)->op == GLLM_V_GADD && p->reg[base].accessed);
}

static void find_loads(struct pipeline *p)
{
	find_rows(p);
	for (unsigned i = 0; i < p->in.tail; i++)
		if (p->moves[i]) {
			p->reg[at(p, i)->d].load = (uint16_t)p->nloads;
			p->load[p->nloads++] = (struct load){ .from = (uint16_t)i, .first = -1, .multiplies = at(p, i)->op == GLLM_V_VBCAST };
		}
	for (unsigned i = 0; i < p->in.n; i++)
		note_reader(p, i);
	for (unsigned k = 0; k < p->nloads; k++) {
		struct load *l = &p->load[k];
		l->least = (int16_t)first_row(p, l->from);
		if (l->least < 0 && base_stays(p, at(p, l->from)->a))
			l->least = 0;
		if (l->least < l->last - (int)p->nrows + 1) /* else it would meet itself */
			l->least = (int16_t)(l->last - (int)p->nrows + 1);
		if (l->least > l->first)
			l->least = l->first;
	}
	for (unsigned k = 1; k < p->nloads; k++) /* by the row that reads it first */
		for (unsigned j = k; j > 0 && p->load[j - 1].first > p->load[j].first; j--) {
			struct load swap = p->load[j];
			p->load[j] = p->load[j - 1];
			p->load[j - 1] = swap;
		}
	for (unsigned k = 0; k < p->nloads; k++)
		p->reg[at(p, p->load[k].from)->d].load = (uint16_t)k;
}

/* --- registers ------------------------------------------------------------------------------------------------------ */

/* Registers of the vectors' file that nothing but the moving loads needs anywhere in the loop. */
static unsigned free_registers(struct pipeline *p)
{
	unsigned file = p->m->class_file[GLLM_CLASS_V], end = p->in.n, most = 0, live = 0;

	for (unsigned i = 0; i <= end; i++)
		p->live[i] = 0;
	for (unsigned r = 0; r < p->nregs; r++) {
		const struct gllm_vir_span *x = &p->span[r];
		if (x->first == UINT32_MAX || file_of(p, (gllm_vreg)r) != file || x->last < p->in.first || x->first >= p->in.first + end)
			continue;
		unsigned first = x->first < p->in.first ? 0 : x->first - p->in.first, last = x->last - p->in.first;
		if (last >= p->in.tail)
			last = end - 1;
		if (p->moves[first] && at(p, first)->d == r)
			continue;
		for (unsigned i = first; i <= last; i++)
			p->live[i]++;
	}
	for (unsigned i = 0; i < end; i++) {
		struct gllm_need need = p->m->need(at(p, i));
		gllm_vreg r[4];
		unsigned dying = 0;
		if (need.v == 0 && at(p, i)->d != GLLM_NO_VREG && p->span[at(p, i)->d].first == p->in.first + i) /* takes one's place */
			for (unsigned n = gllm_vi_uses(at(p, i), r); n-- > 0;)
				dying |= p->span[r[n]].last == p->in.first + i && file_of(p, r[n]) == file_of(p, at(p, i)->d) &&
				         p->reg[r[n]].load == NONE;
		live = p->live[i] + need.v - dying;
		most = live > most ? live : most;
	}
	unsigned all = p->m->norder[file];
	return most >= all ? 0 : all - most < MAX_RING ? all - most : MAX_RING;
}

static unsigned wrap(const struct pipeline *p, int row)
{
	return (unsigned)(row < 0 ? row + (int)p->nrows : row);
}

static bool may_rise(const struct pipeline *p, unsigned k)
{
	const struct load *l = &p->load[k];
	int to = l->at - 1, before = k ? p->load[k - 1].at : p->load[p->nloads - 1].at - (int)p->nrows;

	return to >= l->least && to >= before && l->first - to <= (int)p->ahead && p->busy[wrap(p, to)] < p->most;
}

/* False if the registers do not suffice even where every load stands right before its reader. */
static bool place_loads(struct pipeline *p)
{
	for (unsigned r = 0; r < p->nrows; r++)
		p->busy[r] = 0;
	for (unsigned k = 0; k < p->nloads; k++) {
		p->load[k].at = p->load[k].first;
		for (int r = p->load[k].first; r <= p->load[k].last; r++)
			if (++p->busy[r] > p->ring)
				return false;
	}
	for (bool more = true; more;) {
		more = false;
		for (unsigned k = 0; k < p->nloads; k++)
			if (may_rise(p, k)) {
				p->busy[wrap(p, --p->load[k].at)]++;
				more = true;
			}
	}
	return true;
}

/* A register of the ring for loads of this turn: the one that a load of the next takes soonest after the last reader. */
static bool choose_color(const struct pipeline *p, struct load *l, const int *free_from, const int *taken_at)
{
	unsigned best = MAX_RING;

	for (unsigned c = 0; c < p->ring; c++)
		if (free_from[c] <= l->at && taken_at[c] > l->last && (best == MAX_RING || taken_at[c] < taken_at[best]))
			best = c;
	l->color = (uint8_t)best;
	return best < MAX_RING;
}

/* Loads of the next turn come first; false, and *k, if load *k finds none. */
static bool try_colors(struct pipeline *p, unsigned *k, int *free_from, int *taken_at)
{
	unsigned n = 0;

	for (unsigned c = 0; c < MAX_RING; c++) {
		free_from[c] = 0;
		taken_at[c] = 2 * MAX_BODY;
	}
	for (*k = 0; *k < p->nloads && p->load[*k].at < 0; ++*k) {
		if (n == p->ring)
			return false;
		free_from[n] = p->load[*k].last + 1;
		taken_at[n] = p->load[*k].at + (int)p->nrows;
		p->load[*k].color = (uint8_t)n++;
	}
	for (; *k < p->nloads; ++*k) {
		if (!choose_color(p, &p->load[*k], free_from, taken_at))
			return false;
		free_from[p->load[*k].color] = p->load[*k].last + 1;
	}
	return true;
}

/* Where a load of the next turn takes a register too soon, it and those behind it wait. */
static bool color_loads(struct pipeline *p)
{
	int free_from[MAX_RING], taken_at[MAX_RING];
	unsigned k;

	while (!try_colors(p, &k, free_from, taken_at)) {
		unsigned latest = MAX_RING, next = 0;
		for (unsigned c = 0; c < p->ring; c++)
			if (free_from[c] <= p->load[k].at && (latest == MAX_RING || taken_at[c] > taken_at[latest]))
				latest = c;
		while (next < p->nloads && p->load[next].at < 0 && p->load[next].color != latest)
			next++;
		int to = p->load[k].last + 1 - (int)p->nrows;
		if (latest == MAX_RING || next == p->nloads || p->load[next].at >= to)
			return false;
		for (; next < p->nloads && p->load[next].at < to; next++) {
			if (p->load[next].first < to)
				return false;
			p->load[next].at = (int16_t)to;
		}
	}
	return true;
}

/* --- whether it pays ------------------------------------------------------------------------------------------------ */

/* The order of a turn's instructions: as they stand, or as planned. */
static void list_turn(struct pipeline *p, bool planned)
{
	unsigned n = 0, i = 0, ahead = 0, here = 0;

	while (planned && here < p->nloads && p->load[here].at < 0)
		here++;
	for (unsigned row = 0, moved = here; row < p->nrows && planned; row++) {
		for (; here < p->nloads && p->load[here].at == (int)row; here++)
			p->turn[n++] = p->load[here].from;
		for (; ahead < moved && p->load[ahead].at + (int)p->nrows == (int)row; ahead++)
			p->turn[n++] = (uint16_t)(p->load[ahead].from | NEXT);
		for (; i < p->in.tail && p->row[i] <= row; i++)
			if (!p->moves[i])
				p->turn[n++] = (uint16_t)i;
	}
	for (i = planned ? p->in.tail : 0; i < p->in.n; i++)
		p->turn[n++] = (uint16_t)i;
}

static uint32_t later(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

/* Cycles of a turn on a machine that starts instructions in order, once turns repeat. */
static uint32_t cycles(struct pipeline *p)
{
	uint32_t busy[GLLM_UNITS] = { 0 }, issued = 0, begin = 0;
	gllm_vreg r[4];

	for (unsigned i = 0; i < p->in.n; i++) {
		for (unsigned n = gllm_vi_uses(at(p, i), r); n-- > 0;)
			p->reg[r[n]].ready = 0;
		if (at(p, i)->d != GLLM_NO_VREG)
			p->reg[at(p, i)->d].ready = 0;
	}
	for (unsigned k = 0; k < TURNS * p->in.n; k++) {
		const struct gllm_vi *x = at(p, p->turn[k % p->in.n] & (NEXT - 1));
		const struct gllm_timing *t = gllm_timing_of(p->m, x);
		unsigned units = p->m->units[t->unit] ? p->m->units[t->unit] : 1;
		uint32_t start = later(issued / p->m->width, busy[t->unit] / units);
		if (k == (TURNS - 1) * p->in.n)
			begin = issued;
		for (unsigned n = gllm_vi_uses(x, r); n-- > 0;)
			start = later(start, p->reg[r[n]].ready);
		issued = later(issued, start * p->m->width) + 1;
		busy[t->unit] = later(busy[t->unit], start * units) + t->slots;
		if (x->d != GLLM_NO_VREG)
			p->reg[x->d].ready = start + t->latency;
	}
	return issued - begin;
}

/* How many rows start while a load takes place. */
static unsigned rows_ahead(const struct pipeline *p)
{
	unsigned latency = 0;

	for (unsigned k = 0; k < p->nloads; k++) {
		const struct gllm_timing *t = gllm_timing_of(p->m, at(p, p->load[k].from));
		latency = t->latency > latency ? t->latency : latency;
	}
	return latency * p->m->width;
}

/* Plan k of those that are tried: how far loads rise, and how many registers of the ring they leave to each other. */
static bool try_plan(struct pipeline *p, unsigned k)
{
	unsigned most = rows_ahead(p), spare = k % (SPARE + 1);

	p->ahead = most - k / (SPARE + 1) * most / DISTANCES;
	p->most = p->ring > spare ? p->ring - spare : 0;
	return p->ahead && place_loads(p) && color_loads(p) && p->load[0].at < 0;
}

/* The plan with the shortest turn, if that is shorter than what there is by as much as a model of a core is worth. */
static bool plan_loads(struct pipeline *p)
{
	unsigned best = NONE;

	p->ring = free_registers(p);
	list_turn(p, false);
	for (uint32_t k = 0, now, least = cycles(p) * 15 / 16; k < DISTANCES * (SPARE + 1); k++) {
		if (!try_plan(p, k))
			continue;
		list_turn(p, true);
		now = cycles(p);
		if (now < least) {
			least = now;
			best = k;
		}
	}
	if (best == NONE || !try_plan(p, best))
		return false;
	list_turn(p, true);
	return true;
}

/* --- the function --------------------------------------------------------------------------------------------------- */

static enum gllm_status prepare(struct pipeline *p, struct gllm_arena *arena)
{
	unsigned n = p->v->n;

	p->max_out = 3 * n < p->v->max ? 3 * n : p->v->max;
	p->span = gllm_alloc_array(arena, p->v->nregs + 1u, sizeof *p->span, 4);
	p->close = gllm_alloc_array(arena, n + 1u, sizeof *p->close, 4);
	p->reg = gllm_alloc_array(arena, p->v->nregs + 1u, sizeof *p->reg, 2);
	p->load = gllm_alloc_array(arena, MAX_BODY, sizeof *p->load, 2);
	p->moves = gllm_alloc_array(arena, MAX_BODY, sizeof *p->moves, 1);
	p->step_at = gllm_alloc_array(arena, MAX_BODY, sizeof *p->step_at, 2);
	p->turn = gllm_alloc_array(arena, MAX_BODY, sizeof *p->turn, 2);
	p->row = gllm_alloc_array(arena, MAX_BODY, sizeof *p->row, 2);
	p->busy = gllm_alloc_array(arena, MAX_BODY + 1, sizeof *p->busy, 2);
	p->live = gllm_alloc_array(arena, MAX_BODY + 1, sizeof *p->live, 2);
	p->out = gllm_alloc_array(arena, p->max_out, sizeof *p->out, 8);
	return p->span && p->close && p->reg && p->load && p->moves && p->step_at && p->turn && p->row && p->busy && p->live && p->out
	               ? GLLM_OK : GLLM_OUT_OF_MEMORY;
}

/* Whether the loop that begins at instruction i was emitted anew. */
static bool pipeline_loop(struct pipeline *p, unsigned i)
{
	if (!is_simple(p, i))
		return false;
	note_registers(p);
	if (p->reg[at(p, p->in.n - 1)->a].writes != 1)
		return false;
	find_loads(p);
	if (p->nloads == 0 || !plan_loads(p))
		return false;
	unsigned rest = p->v->n - i, more = p->in.n + 2 * p->nloads + 4;
	if (p->nout + rest + more > p->max_out || p->v->nregs + p->ring + p->in.n > p->v->max_regs)
		return false;
	gllm_pipeline_emit_loop(p);
	return true;
}

enum gllm_status gllm_pipeline(struct gllm_vir *v, const struct gllm_machine *m, unsigned stages, struct gllm_arena *arena)
{
	struct pipeline p = { .v = v, .m = m, .nregs = v->nregs };
	size_t used = arena->used;
	unsigned changed = 0;

	if (v->status != GLLM_OK || !m->timing || stages < 2)
		return v->status;
	if (prepare(&p, arena) != GLLM_OK)
		return GLLM_OUT_OF_MEMORY;
	gllm_vir_spans(v, p.span, p.close);
	for (unsigned i = 0; i < v->n; i++) {
		if (v->ins[i].op == GLLM_V_LOOP_BEGIN && pipeline_loop(&p, i)) {
			i = p.close[i];
			changed++;
		} else if (p.nout < p.max_out) {
			gllm_pipeline_emit(&p, v->ins[i]);
		}
	}
	for (unsigned i = 0; i < p.nout && changed; i++)
		v->ins[i] = p.out[i];
	v->n = changed ? p.nout : v->n;
	arena->used = used;
	return GLLM_OK;
}
