/* SPDX-License-Identifier: MIT
 * jit/lower.c - walks the loop tree and emits loops, phases, bodies and pointers.
 *
 * Frames stand for the open loops, outermost first; frame 0 is the function. Registers of values lie in blocks on one
 * stack (`slot`) that is cut back when a body or loop ends. Pointers are strength-reduced: each induction has a register
 * that moves with every loop it strides along, and is put back (or was a copy) when the loop ends. */
#include "jit/lower_state.h"
#include "jit/vir_overlap.h"

enum { SLOTS = 1 << 15 };

bool gllm_lower_fail(struct lower *l, enum gllm_status s, const char *what, uint64_t where)
{
	if (l->status == GLLM_OK)
		l->status = gllm_fail(l->e, s, what, l->t->name, where, 0, 0);
	return false;
}

void *gllm_lower_room(struct lower *l, size_t n, size_t size)
{
	void *p = gllm_alloc_array(l->arena, n, size, 16);

	if (!p)
		gllm_lower_fail(l, GLLM_OUT_OF_MEMORY, "the arena is too small to lower a trace", n);
	return p;
}

void *gllm_lower_alloc(struct lower *l, size_t n, size_t size)
{
	void *p = gllm_lower_room(l, n, size);

	if (p)
		__builtin_memset(p, 0, n * size);
	return p;
}

/* --- tuples of copies ------------------------------------------------------------------------------------------------ */

/* The innermost loop's own copies are slowest; of the others, those with fewer copies are faster, so that few shared
 * operands are live at a time. */
void gllm_lower_walk(struct lower *l, struct walk *w, uint32_t dep, int node_loop, bool split)
{
	w->n = 0;
	w->moved = UINT32_MAX;
	for (uint64_t frames = l->copied; frames; frames &= frames - 1) {
		unsigned f = (unsigned)__builtin_ctzll(frames), k = w->n;
		unsigned r = dep & l->present[f].loop ? gllm_lower_radix(l, f, node_loop, split) : 1;
		l->tuple[f] = 0;
		if (r <= 1)
			continue;
		while (k > 0 && (w->radix[k - 1] < r || (f == l->depth - 1 && l->frame[f].loop == node_loop))) {
			w->radix[k] = w->radix[k - 1];
			w->frame[k] = w->frame[k - 1];
			k--;
		}
		w->radix[k] = r;
		w->frame[k] = f;
		w->n++;
	}
}

void gllm_lower_walk_past(struct lower *l, const struct walk *w, unsigned k)
{
	for (; k < w->n; k++)
		l->tuple[w->frame[k]] = w->radix[k] - 1;
}

bool gllm_lower_walk_next(struct lower *l, struct walk *w)
{
	for (unsigned k = w->n; k-- > 0;) {
		w->moved = l->present[w->frame[k]].loop;
		if (++l->tuple[w->frame[k]] < w->radix[k])
			return true;
		l->tuple[w->frame[k]] = 0;
	}
	return false;
}

/* --- small emitters -------------------------------------------------------------------------------------------------- */

static void label(struct lower *l, unsigned n)
{
	struct gllm_vi i = gllm_vi(GLLM_V_LABEL);
	i.imm = n;
	gllm_vir_emit(l->v, i);
}

static void branch_imm(struct lower *l, gllm_vreg a, enum gllm_vcc cc, int64_t imm, unsigned to)
{
	struct gllm_vi i = gllm_vi(GLLM_V_BRANCHI);
	i.a = a;
	i.cc = (uint8_t)cc;
	i.aux = (int32_t)imm;
	i.imm = to;
	gllm_vir_emit(l->v, i);
}

static void bump(struct lower *l, gllm_vreg r, int64_t by)
{
	struct gllm_vi i = gllm_vi(GLLM_V_GADDI);
	i.d = i.a = r;
	i.imm = by;
	gllm_vir_emit(l->v, i);
}

void gllm_lower_move(struct lower *l, gllm_vreg d, gllm_vreg a)
{
	struct gllm_vi i = gllm_vi(GLLM_V_VMOV);
	i.type = i.mem = GLLM_F32;
	i.d = d;
	i.a = a;
	gllm_vir_emit(l->v, i);
}

gllm_vreg gllm_lower_slot(struct lower *l, unsigned slot)
{
	struct gllm_vi i = gllm_vi(GLLM_V_GLOAD);
	i.d = gllm_vir_reg(l->v, GLLM_CLASS_G);
	i.type = i.mem = GLLM_I64;
	i.a = GLLM_VIR_ARGS;
	i.imm = 8 * (int64_t)slot;
	return gllm_vir_emit(l->v, i);
}

static gllm_vreg tail_mask(struct lower *l, gllm_vreg n)
{
	struct gllm_vi i = gllm_vi(GLLM_V_MTAIL);
	i.d = gllm_vir_reg(l->v, GLLM_CLASS_M);
	i.type = i.mem = GLLM_F32;
	i.a = n;
	return gllm_vir_emit(l->v, i);
}

gllm_vreg gllm_lower_integer(struct lower *l, int64_t x)
{
	return gllm_lower_g(l, GLLM_V_GCONST, GLLM_NO_VREG, GLLM_NO_VREG, x);
}

/* --- bodies ---------------------------------------------------------------------------------------------------------- */

static void drop_constants(struct lower *l, unsigned mark)
{
	while (l->nconst > mark)
		l->constant[l->const_list[--l->nconst]] = GLLM_NO_VREG;
}

/* Those of the nodes [from, to) of the top frame's loop that are emitted, in the form that is emitted now. */
static unsigned nodes_between(const struct lower *l, gllm_ref from, gllm_ref to, gllm_ref *out)
{
	int loop = l->frame[l->depth - 1].loop;
	unsigned n = 0;

	for (gllm_ref k = from; k < to; k++) {
		uint8_t op = l->t->node[k].op;
		if (l->t->node[k].loop == loop && (!l->split_form || l->split[k]) && l->fused[k] != k && !l->idle[k] && op != GLLM_N_CONST &&
		    op != GLLM_N_SCALAR && op != GLLM_N_CARRY)
			out[n++] = k;
	}
	return n;
}

/* Nodes [from, to) that belong to the top frame's loop, for all copies: iterations that may run in any order. The next
 * tuple has other values of the nodes that vary along what moved; those of all others are there. */
static void emit_segment(struct lower *l, gllm_ref from, gllm_ref to)
{
	const struct frame *f = gllm_lower_top(l);
	bool ends = f->loop >= 0 && to == l->t->loop[f->loop].end; /* nothing behind reads what the nodes compute */
	unsigned mark = l->nconst;
	struct repeat own, around;
	struct walk w;

	for (unsigned form = 0; form < 2; form++) {
		if (form == 1 && (f->loop < 0 || !f->ph[f->phase].paired))
			break;
		l->split_form = form == 1;
		l->segment = ++l->nsegments;
		l->copy = 0;
		gllm_lower_walk(l, &w, UINT32_MAX, f->loop, l->split_form);
		unsigned n = nodes_between(l, from, to, l->line);
		unsigned outer = w.n && w.frame[0] == l->depth - 1;
		bool repeats = outer && ends && gllm_lower_may_repeat(l, &w, 0, l->line, n, &own);
		bool repeats_around = ends && gllm_lower_may_repeat(l, &w, outer, l->line, n, &around);
		if (repeats)
			gllm_lower_repeat_from(l, &own);
		do {
			if (repeats && l->tuple[own.frame] > 0) {
				repeats = false;
				if (gllm_lower_repeat(l, &own))
					break;
			}
			if (repeats_around && l->tuple[around.frame] == around.first && !around.begins)
				gllm_lower_repeat_from(l, &around);
			if (repeats_around && l->tuple[around.frame] > around.first) {
				repeats_around = gllm_lower_repeat(l, &around);
				if (repeats_around) {
					around.begins = false; /* again in the next copy of the loop itself */
					gllm_lower_walk_past(l, &w, outer);
					continue;
				}
			}
			l->copy++;
			for (unsigned k = 0; k < n && l->status == GLLM_OK; k++)
				if (l->copy == 1 || (l->dep[l->line[k]] & w.moved))
					gllm_lower_node(l, l->line[k]);
		} while (gllm_lower_walk_next(l, &w));
		l->tuple[l->depth - 1] = 0;
		l->split_form = false;
		l->segment = 0;
	}
	drop_constants(l, mark);
}

/* Blocks for the values of the top frame's own nodes. */
static void open_body(struct lower *l)
{
	struct frame *f = gllm_lower_top(l);
	gllm_ref first = f->loop < 0 ? 0 : l->t->loop[f->loop].first;
	gllm_ref end = f->loop < 0 ? (gllm_ref)l->t->nnodes : l->t->loop[f->loop].end;
	bool paired = f->loop >= 0 && gllm_lower_phase(f)->paired;

	f->body_mark = l->nslots;
	f->counted = GLLM_NO_VREG;
	f->at = first;
	for (gllm_ref n = first; n < end && l->status == GLLM_OK; n++) {
		uint8_t op = l->t->node[n].op;
		if (l->t->node[n].loop != f->loop || op == GLLM_N_CARRY || op == GLLM_N_CONST || op == GLLM_N_SCALAR)
			continue;
		l->val[n] = gllm_lower_block(l, l->dep[n], f->loop, false, op == GLLM_N_LOAD && l->fused[n] == n ? 2 : 1);
		if (paired && l->split[n])
			l->sval[n] = gllm_lower_block(l, l->dep[n], f->loop, true, 1);
		if (l->integer[n])
			l->gval[n] = gllm_lower_block(l, l->dep[n], f->loop, true, 1);
	}
}

static int next_child(const struct lower *l, const struct frame *f)
{
	for (unsigned i = (unsigned)(f->loop + 1); i < l->t->nloops; i++)
		if (l->t->loop[i].parent == f->loop && l->t->loop[i].first >= f->at)
			return (int)i;
	return -1;
}

/* --- phases ---------------------------------------------------------------------------------------------------------- */

static void set_mask(struct lower *l, struct frame *f)
{
	const struct phase *p = gllm_lower_phase(f);

	f->mask = GLLM_NO_VREG;
	if (p->masked && p->vector)
		f->mask = tail_mask(l, p->count == -2 ? f->count : gllm_lower_integer(l, p->step));
	else if (p->masked)
		f->mask = tail_mask(l, gllm_lower_integer(l, p->copies));
	else if (gllm_lower_needs_select(l, (unsigned)f->loop, p))
		f->mask = tail_mask(l, gllm_lower_integer(l, 1));
}

/* What is kept of the top frame's phase, so that nobody need look through all frames. */
static void note_phase(struct lower *l)
{
	unsigned at = l->depth - 1;
	struct frame *f = &l->frame[at];
	const struct phase *p = gllm_lower_phase(f);
	uint32_t loop = UINT32_C(1) << f->loop;

	l->copied = (l->copied & ~(UINT64_C(1) << at)) | (uint64_t)(p->copies > 1) << at;
	l->paired = p->paired ? l->paired | loop : l->paired & ~loop;
	f->across = (uint8_t)(p->vector || p->paired ? at : l->frame[at - 1].across);
	l->present[at].loop = loop;
	l->present[at].copies = p->copies;
	l->present[at].vector = p->vector;
	l->frame_of[f->loop] = (uint8_t)at;
}

static void begin_phase(struct lower *l)
{
	struct frame *f = gllm_lower_top(l);
	const struct phase *p = gllm_lower_phase(f);

	f->in_loop = p->count == -1 || p->count > 1;
	f->offset_mark = l->noffsets;
	if (p->count < 0) {
		f->skip = gllm_vir_label(l->v);
		branch_imm(l, f->count, p->count == -1 ? GLLM_VCC_LT : GLLM_VCC_LE, p->count == -1 ? p->step : 0, f->skip);
	} else if (p->count > 1) {
		f->count = gllm_lower_integer(l, p->count);
	}
	set_mask(l, f);
	if (l->loop[f->loop].leaf)
		gllm_lower_hoist_all_offsets(l, (unsigned)f->loop);
	if (f->in_loop) {
		struct gllm_vi begin = gllm_vi(GLLM_V_LOOP_BEGIN);
		begin.aux = l->loop[f->loop].reorderable ? GLLM_VIR_ANY_ORDER : 0;
		gllm_vir_emit(l->v, begin);
		f->head = gllm_vir_label(l->v);
		label(l, f->head);
	}
	open_body(l);
}

/* Pointers move on by one body. */
static void advance(struct lower *l, struct frame *f, int64_t step)
{
	for (unsigned i = 0; i < l->ninds; i++) {
		struct induction *x = &l->ind[i];
		if (!(x->loops >> f->loop & 1))
			continue;
		struct lin s = x->stride[f->loop];
		if (s.sym == NO_SYM) {
			bump(l, x->reg, step * s.c);
		} else {
			struct gllm_vi a = gllm_vi(GLLM_V_GADD);
			a.d = a.a = x->reg;
			a.b = step == 1 ? l->sym_reg[s.sym] : gllm_lower_g(l, GLLM_V_GMULI, l->sym_reg[s.sym], GLLM_NO_VREG, step);
			gllm_vir_emit(l->v, a);
		}
	}
}

static bool is_fixed(const struct lower *l, const struct frame *f)
{
	return l->loop[f->loop].trip >= 0 && !f->ranged;
}

/* Ends the body of a phase; true if another phase follows. */
static bool end_phase(struct lower *l)
{
	struct frame *f = gllm_lower_top(l);
	struct phase *p = gllm_lower_phase(f);
	bool more = f->phase + 1 < f->nphases;

	gllm_lower_commit_carries(l);
	if (f->in_loop || (p->count == 1 && more)) {
		advance(l, f, p->step);
		f->advanced += p->step * (p->count > 0 ? p->count : 0);
	}
	if (p->count > 1) {
		bump(l, f->count, -1);
		branch_imm(l, f->count, GLLM_VCC_NE, 0, f->head);
	} else if (p->count == -1) {
		bump(l, f->count, -p->step);
		branch_imm(l, f->count, GLLM_VCC_GE, p->step, f->head);
	}
	if (f->in_loop)
		gllm_vir_emit(l->v, gllm_vi(GLLM_V_LOOP_END));
	if (p->count < 0)
		label(l, f->skip);
	l->nslots = f->body_mark;
	l->noffsets = f->offset_mark;
	l->tuple[l->depth - 1] = 0;
	if (more) {
		f->phase++;
		note_phase(l);
	}
	return more;
}

/* --- loops ----------------------------------------------------------------------------------------------------------- */

/* Of the split loop, before that unit. */
static gllm_vreg iterations(struct lower *l, gllm_vreg unit)
{
	return l->info->tile == 1 ? unit : gllm_lower_g(l, GLLM_V_GMULI, unit, GLLM_NO_VREG, l->info->tile);
}

static void set_count(struct lower *l, struct frame *f)
{
	struct gllm_vi i = gllm_vi(GLLM_V_GMIN);
	gllm_vreg trip, start, by = GLLM_NO_VREG;
	struct lin last = { 0, NO_SYM }; /* `by` is its multiple */

	f->count = GLLM_NO_VREG;
	if (is_fixed(l, f))
		return;
	trip = l->loop[f->loop].trip >= 0 ? gllm_lower_integer(l, l->loop[f->loop].trip)
	                                  : gllm_lower_integer_at(l, l->trip[f->loop]);
	f->count = gllm_vir_reg(l->v, GLLM_CLASS_G);
	if (!f->ranged) {
		i.op = GLLM_V_GMOV;
		i.a = trip;
		i.d = f->count;
		gllm_vir_emit(l->v, i);
		return;
	}
	i.a = iterations(l, GLLM_VIR_RANGE_END);
	i.b = trip;
	i.d = gllm_vir_reg(l->v, GLLM_CLASS_G);
	gllm_vir_emit(l->v, i);
	start = iterations(l, GLLM_VIR_BEGIN);
	i.op = GLLM_V_GSUB;
	i.a = i.d;
	i.b = start;
	i.d = f->count;
	gllm_vir_emit(l->v, i);
	for (unsigned k = 0; k < l->ninds; k++) {
		struct induction *x = &l->ind[k];
		struct lin s = x->stride[f->loop];
		if (!(x->loops >> f->loop & 1))
			continue;
		if (by == GLLM_NO_VREG || s.sym != last.sym || s.c != last.c)
			by = s.sym == NO_SYM ? gllm_lower_g(l, GLLM_V_GMULI, start, GLLM_NO_VREG, s.c)
			                     : gllm_lower_g(l, GLLM_V_GMUL, start, l->sym_reg[s.sym], 0);
		last = s;
		x->reg = gllm_lower_g(l, GLLM_V_GADD, x->reg, by, 0);
	}
}

/* Pointers that the loop cannot put back by a fixed amount work on a copy. */
static void copy_pointers(struct lower *l, struct frame *f)
{
	for (unsigned i = 0; i < l->ninds && !f->ranged; i++) {
		struct induction *x = &l->ind[i];
		if ((x->loops >> f->loop & 1) && !(is_fixed(l, f) && x->stride[f->loop].sym == NO_SYM))
			x->reg = gllm_lower_g(l, GLLM_V_GMOV, x->reg, GLLM_NO_VREG, 0);
	}
}

static void restore_pointers(struct lower *l, const struct frame *f)
{
	gllm_ref end = l->t->loop[f->loop].end;
	bool once = true;

	for (unsigned k = 1; k < l->depth; k++)
		once = once && !l->frame[k].in_loop && l->frame[k].nphases == 1;
	for (unsigned i = 0; i < l->ninds; i++) {
		struct induction *x = &l->ind[i];
		if (!(x->loops >> f->loop & 1))
			continue;
		if (x->reg == f->saved[i] && f->advanced && !(once && x->last_use < end))
			bump(l, x->reg, -f->advanced * x->stride[f->loop].c);
		x->reg = f->saved[i];
	}
}

static void end_loop(struct lower *l)
{
	struct frame *f = gllm_lower_top(l);

	l->depth--;
	l->copied &= ~(UINT64_C(1) << l->depth);
	l->paired &= ~(UINT32_C(1) << f->loop);
	gllm_lower_finish_carries(l, (unsigned)f->loop);
	restore_pointers(l, f);
	drop_constants(l, f->const_mark);
	l->nslots = f->slot_mark;
}

/* Lines that the loop around a reduction stores to are fetched while it runs. */
static void fetch_stores(struct lower *l, unsigned loop)
{
	const struct gllm_trace *t = l->t;
	int around = t->loop[loop].parent;
	struct walk w;

	if (!l->o->fetch_stores || !l->loop[loop].carries || !l->loop[loop].leaf || around < 0)
		return;
	gllm_lower_walk(l, &w, UINT32_MAX, around, false);
	do {
		for (gllm_ref n = t->loop[loop].end; n < t->loop[around].end && l->status == GLLM_OK; n++)
			if (t->node[n].op == GLLM_N_STORE && t->node[n].loop == around)
				gllm_lower_fetch(l, n, 0);
	} while (gllm_lower_walk_next(l, &w));
}

static void begin_loop(struct lower *l, unsigned loop)
{
	const struct gllm_trace *t = l->t;
	struct loop_plan *p = &l->loop[loop];
	struct frame *f = &l->frame[l->depth];
	gllm_vreg *saved = f->saved;

	for (gllm_ref n = t->loop[loop].first; n < t->loop[loop].end; n++)
		if (t->node[n].op == GLLM_N_CARRY && t->node[n].loop == (int)loop)
			l->result[n] = gllm_lower_block(l, l->dep[n] & ~(UINT32_C(1) << loop), t->loop[loop].parent, false, 1);
	*f = (struct frame){ .loop = (int)loop, .saved = saved, .mask = GLLM_NO_VREG, .slot_mark = l->nslots,
	                     .const_mark = l->nconst, .ranged = l->info->range == (int)loop };
	for (unsigned i = 0; i < l->ninds; i++)
		saved[i] = l->ind[i].reg;
	for (unsigned i = 1; i <= l->depth; i++)
		l->tuple[i] = 0;
	fetch_stores(l, loop);
	set_count(l, f);
	copy_pointers(l, f);
	gllm_lower_plan_phases(l, f);
	p->accumulators = (uint8_t)gllm_lower_accumulators(l, f);
	if (f->nphases == 0)
		f->ph[0] = (struct phase){ .copies = 1 };
	l->depth++;
	note_phase(l);
	for (gllm_ref n = t->loop[loop].first; n < t->loop[loop].end && l->status == GLLM_OK; n++)
		if (t->node[n].op == GLLM_N_CARRY && t->node[n].loop == (int)loop)
			gllm_lower_start_carry(l, n);
	if (p->leaf)
		gllm_lower_hoist_constants(l, loop);
	if (f->nphases == 0)
		end_loop(l);
	else
		begin_phase(l);
}

/* --- the function ---------------------------------------------------------------------------------------------------- */

static void walk_tree(struct lower *l)
{
	l->depth = 1;
	l->frame[0] = (struct frame){ .loop = -1, .nphases = 1, .saved = l->frame[0].saved, .mask = GLLM_NO_VREG,
	                              .ph[0] = { .copies = 1, .count = 1 } };
	open_body(l);
	while (l->status == GLLM_OK && l->v->status == GLLM_OK) {
		struct frame *f = gllm_lower_top(l);
		int child = next_child(l, f);
		gllm_ref end = f->loop < 0 ? (gllm_ref)l->t->nnodes : l->t->loop[f->loop].end;
		if (f->loop >= 0 && l->loop[f->loop].leaf && l->loop[f->loop].carries)
			gllm_lower_hints(l);
		emit_segment(l, f->at, child >= 0 ? l->t->loop[child].first : end);
		if (child >= 0) {
			f->at = l->t->loop[child].end;
			begin_loop(l, (unsigned)child);
		} else if (f->loop < 0) {
			break;
		} else if (end_phase(l)) {
			begin_phase(l);
		} else {
			end_loop(l);
		}
	}
}

static bool prepare(struct lower *l)
{
	size_t n = l->t->nnodes + 1u;

	l->dep = gllm_lower_alloc(l, n, sizeof *l->dep);
	l->uses = gllm_lower_alloc(l, n, sizeof *l->uses);
	l->fused = gllm_lower_room(l, n, sizeof *l->fused);
	l->direct = gllm_lower_room(l, n, sizeof *l->direct);
	l->split = gllm_lower_alloc(l, n, 1);
	l->integer = gllm_lower_alloc(l, n, 1);
	l->loaded = gllm_lower_alloc(l, n, 1);
	l->idle = gllm_lower_alloc(l, n, 1);
	l->half = gllm_lower_alloc(l, n, sizeof *l->half);
	l->signed_load = gllm_lower_alloc(l, n, sizeof *l->signed_load);
	l->turned = gllm_lower_alloc(l, n, 1);
	l->spread = gllm_lower_alloc(l, n, 1);
	l->reduction = gllm_lower_room(l, n, sizeof *l->reduction);
	l->through = gllm_lower_room(l, n, sizeof *l->through);
	l->loop = gllm_lower_alloc(l, l->t->nloops + 1u, sizeof *l->loop);
	l->frame = gllm_lower_room(l, l->t->nloops + 2u, sizeof *l->frame);
	l->val = gllm_lower_room(l, n, sizeof *l->val);
	l->sval = gllm_lower_room(l, n, sizeof *l->sval);
	l->gval = gllm_lower_room(l, n, sizeof *l->gval);
	l->result = gllm_lower_room(l, n, sizeof *l->result);
	l->slot = gllm_lower_room(l, SLOTS, sizeof *l->slot);
	l->line = gllm_lower_room(l, n, sizeof *l->line);
	l->constant = gllm_lower_room(l, 2 * n, sizeof *l->constant);
	l->const_list = gllm_lower_room(l, 2 * n, sizeof *l->const_list);
	l->same = gllm_lower_room(l, 2 * n, sizeof *l->same);
	l->max_slots = SLOTS;
	if (l->status != GLLM_OK)
		return false;
	for (size_t i = 0; i < n; i++) {
		l->fused[i] = l->direct[i] = l->through[i] = GLLM_NO_NODE;
		l->reduction[i] = 0xffff;
		l->val[i] = l->sval[i] = l->gval[i] = l->result[i] = NO_BLOCK;
		l->constant[i] = GLLM_NO_VREG;
		l->same[i] = (gllm_ref)i;
		for (size_t k = 0; i < l->t->nnodes && l->t->node[i].op == GLLM_N_CONST && k < i && l->same[i] == i; k++)
			if (l->t->node[k].op == GLLM_N_CONST && (uint32_t)l->t->node[k].imm == (uint32_t)l->t->node[i].imm)
				l->same[i] = (gllm_ref)k;
		l->constant[i + n] = GLLM_NO_VREG;
		l->same[i + n] = (gllm_ref)(l->same[i] + n);
	}
	return gllm_lower_places(l);
}

static unsigned count_bits(uint32_t x)
{
	unsigned n = 0;

	for (; x; x &= x - 1)
		n++;
	return n;
}

static bool check_input(struct lower *l)
{
	const struct gllm_trace *t = l->t;

	if (t->nloops > 32 || t->nparams > GLLM_TRACE_PARAMS || t->nnodes >= GLLM_NO_NODE)
		return gllm_lower_fail(l, GLLM_INVALID_ARGUMENT, "a trace beyond its own limits", t->nloops);
	if (l->lanes < 2 || l->lanes > GLLM_VIR_LANES || (l->lanes & (l->lanes - 1)))
		return gllm_lower_fail(l, GLLM_NO_FEATURE, "the machine has no vectors", l->lanes);
	for (unsigned i = 0; i < t->nnodes; i++)
		if (t->node[i].op == GLLM_N_LAST && t->node[i].loop != t->loop[t->node[t->node[i].a].loop].parent)
			return gllm_lower_fail(l, GLLM_COMPILE_ERROR, "a loop's result is used elsewhere than beside the loop", i);
	return true;
}

static bool planned(struct lower *l)
{
	return prepare(l) && gllm_lower_plan(l);
}

/* All that is stored is stored by vectors: of words it could be no better. */
static bool stores_vectors(const struct lower *l)
{
	const struct gllm_trace *t = l->t;

	for (unsigned i = 0; i < t->nnodes; i++) {
		bool in_vector = false;
		for (unsigned v = 0; v < t->nloops && t->node[i].loop >= 0; v++)
			in_vector |= l->loop[v].vector && (l->loop[t->node[i].loop].inside >> v & 1);
		if (t->node[i].op == GLLM_N_STORE && !in_vector)
			return false;
	}
	return true;
}

/* Twice as many lanes, where that changes no result and loses no vector. */
static bool planned_as_halves(struct lower *l)
{
	struct gllm_arena mark = *l->arena;
	struct lower words = *l;

	if (!gllm_lower_fits_halves(l))
		return false;
	l->halves = l->v->halves = true;
	l->lanes *= 2;
	if (planned(l) && stores_vectors(l))
		return true;
	if (l->status == GLLM_OK) {
		*l->arena = mark;
		*l = words;
		l->v->halves = false;
	}
	return false;
}

/* Passes over the program as it was written. */
static enum gllm_status rework(struct lower *l)
{
	enum gllm_status s = gllm_vir_tidy(l->v, *l->arena);

	if (s == GLLM_OK && l->o->overlap && l->loop[0].shared)
		s = gllm_vir_overlap(l->v, *l->arena);
	if (s == GLLM_OK && l->m->widens && !l->halves)
		s = gllm_vir_widen_late(l->v, *l->arena);
	if (s == GLLM_OK && l->m->has_widen && !l->halves)
		s = gllm_vir_pair_loads(l->v, l->lanes, *l->arena);
	return s == GLLM_OK ? gllm_vir_keep_addends(l->v, l->m, *l->arena) : s;
}

enum gllm_status gllm_lower(const struct gllm_trace *t, const struct gllm_lower_options *o, const struct gllm_machine *m,
                            struct gllm_arena *arena, struct gllm_vir *out, struct gllm_kernel_info *info,
                            struct gllm_error *e)
{
	static const struct gllm_lower_options defaults = { 0 };
	struct lower *l = gllm_alloc(arena, sizeof *l, 16);
	uint32_t *pool = gllm_alloc_array(arena, gllm_lower_pool_words(t), sizeof *pool, 16);

	if (!l || !pool)
		return gllm_fail(e, GLLM_OUT_OF_MEMORY, "the arena is too small to lower a trace", t->name, 0, sizeof *l, 0);
	*l = (struct lower){ .t = t, .o = o ? o : &defaults, .m = m, .v = out, .info = info, .arena = arena, .e = e,
	                     .lanes = m->vector_bytes / 4u, .pool = pool, .ahead = GLLM_NO_VREG,
	                     .vregs = count_bits(m->allocatable[m->class_file[GLLM_CLASS_V]]) };
	*info = (struct gllm_kernel_info){ .pool = pool, .range = -1, .tile = 1 };
	if (!check_input(l) || !(planned_as_halves(l) || planned(l)))
		return l->status;
	for (unsigned i = 0; i < t->nloops + 2; i++)
		l->frame[i].saved = gllm_lower_alloc(l, l->ninds + 1u, sizeof(gllm_vreg));
	if (l->status != GLLM_OK)
		return l->status;
	gllm_lower_choose_range(l);
	gllm_lower_place_tables(l);
	gllm_lower_prologue(l);
	walk_tree(l);
	if (l->past)
		gllm_vir_emit(out, gllm_vi(GLLM_V_FENCE));
	gllm_vir_emit(out, gllm_vi(GLLM_V_RET));
	info->pool_bytes = l->npool * 4;
	if (l->status == GLLM_OK && out->status != GLLM_OK)
		gllm_lower_fail(l, GLLM_COMPILE_ERROR, "the code is longer than its buffer", out->max);
	if (l->status == GLLM_OK && rework(l) != GLLM_OK)
		gllm_lower_fail(l, GLLM_OUT_OF_MEMORY, "the arena is too small to lower a trace", out->n);
	return l->status;
}
