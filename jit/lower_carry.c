/* SPDX-License-Identifier: MIT
 * jit/lower_carry.c - accumulators: how they start, what a body leaves in them, how lanes and copies become one result. */
#include "core/bits.h"
#include "jit/lower_state.h"

enum { UNDER_WAY = 4 }; /* registers of values that an expression holds at once, about */

static const struct gllm_reduction *reduction_of(const struct lower *l, gllm_ref carry)
{
	return l->reduction[carry] == 0xffff ? NULL : &l->t->reduction[l->reduction[carry]];
}

static bool is_pair(const struct gllm_reduction *r)
{
	return r && (r->kind == GLLM_REDUCE_ARGMAX || r->kind == GLLM_REDUCE_ARGMIN);
}

static uint32_t identity(const struct gllm_reduction *r, unsigned type)
{
	if (type != GLLM_F32)
		return 0; /* only sums */
	switch ((enum gllm_reduce_kind)r->kind) {
	case GLLM_REDUCE_PRODUCT: return gllm_f32_bits(1.0f);
	case GLLM_REDUCE_MAX: return UINT32_C(0xff800000);
	case GLLM_REDUCE_MIN: return UINT32_C(0x7f800000);
	case GLLM_REDUCE_SUM: case GLLM_REDUCE_AND: case GLLM_REDUCE_OR: case GLLM_REDUCE_ARGMAX: case GLLM_REDUCE_ARGMIN:
	case GLLM_REDUCE_OTHER:
		break;
	}
	return 0;
}

/* The INDEX that a pair keeps, if lanes hold consecutive ones and it is nothing but the number of the iteration; else NO_NODE.
 * Accumulator u holds it less u times the lanes: all copies of a body then keep one vector, and what is lacking is added last. */
static gllm_ref kept_index(const struct lower *l, const struct gllm_reduction *r)
{
	const struct gllm_trace *t = l->t;
	gllm_ref n = t->node[t->node[r->pair].b].b;

	if (t->node[n].op == GLLM_N_CVT && (t->node[n].type == GLLM_I32 || t->node[n].type == GLLM_U32) && l->uses[n] == 1)
		n = t->node[n].a;
	if (t->node[n].op != GLLM_N_INDEX || t->node[n].loop != r->loop || l->uses[n] != 1 || !l->loop[r->loop].partial)
		return GLLM_NO_NODE;
	struct place p = l->index[t->node[n].imm];
	const struct induction *x = &l->ind[p.ind];
	bool counts = x->loops == UINT32_C(1) << r->loop && x->base == NO_SYM && p.disp == 0 && x->stride[r->loop].sym == NO_SYM;
	return counts && x->stride[r->loop].c == 1 ? n : GLLM_NO_NODE;
}

unsigned gllm_lower_later(const struct lower *l, gllm_ref n)
{
	int loop = l->t->node[n].loop;

	for (unsigned i = 0; i < l->t->nreductions; i++)
		if (is_pair(&l->t->reduction[i]) && l->t->reduction[i].loop == loop && kept_index(l, &l->t->reduction[i]) == n)
			return gllm_lower_own_copy(l, loop) % l->loop[loop].accumulators * l->lanes;
	return 0;
}

/* --- sums through several loops ---------------------------------------------------------------------------------------- */

static unsigned lasts(const struct lower *l, gllm_ref carry)
{
	unsigned n = 0;

	for (gllm_ref k = l->t->loop[l->t->node[carry].loop].end; k < l->t->nnodes; k++)
		n += l->t->node[k].op == GLLM_N_LAST && l->t->node[k].a == carry;
	return n;
}

/* The carry around `carry` that does nothing but begin with it and end with its result; NO_NODE if there is none. */
static gllm_ref around(const struct lower *l, gllm_ref carry)
{
	const struct gllm_trace *t = l->t;
	gllm_ref outer = t->node[carry].a, end;

	if (t->node[outer].op != GLLM_N_CARRY || t->node[outer].loop != t->loop[t->node[carry].loop].parent)
		return GLLM_NO_NODE;
	const struct loop_plan *p = &l->loop[t->node[outer].loop];
	end = t->node[outer].b;
	bool passes = t->node[end].op == GLLM_N_LAST && t->node[end].a == carry && l->uses[end] == 1 &&
	              l->uses[outer] == 1 + lasts(l, outer);
	bool plain = !p->vector && !p->paired && p->copies == 1 && p->copies_alone == 1;
	return passes && plain && lasts(l, carry) == 1 ? outer : GLLM_NO_NODE;
}

/* Where lanes hold partial results, accumulators of the innermost of several loops that are one reduction begin with the
 * outermost one and are reduced behind it. */
void gllm_lower_mark_through(struct lower *l)
{
	for (gllm_ref n = 0; n < l->t->nnodes; n++) {
		const struct gllm_reduction *r = l->t->node[n].op == GLLM_N_CARRY ? reduction_of(l, n) : NULL;
		const struct loop_plan *p = r ? &l->loop[l->t->node[n].loop] : NULL;
		if (!r || is_pair(r) || !p->vector || p->tiled)
			continue;
		for (gllm_ref k = around(l, n); k != GLLM_NO_NODE; k = around(l, k))
			l->through[k] = l->through[n] = n;
	}
}

/* The outermost carry of such a reduction. */
static bool is_outermost(const struct lower *l, gllm_ref carry)
{
	gllm_ref outer = l->t->node[carry].a;

	return l->t->node[outer].op != GLLM_N_CARRY || l->through[outer] != l->through[carry];
}

/* --- begin and end ------------------------------------------------------------------------------------------------------ */

/* The carry's initial value is what an empty reduction gives, so it need not be combined in. */
static bool starts_neutral(const struct lower *l, gllm_ref carry, const struct gllm_reduction *r)
{
	const struct gllm_node *n = &l->t->node[l->t->node[carry].a];
	return n->op == GLLM_N_CONST && (uint32_t)n->imm == identity(r, l->t->node[carry].type);
}

static void load_initial(struct lower *l, gllm_ref carry, gllm_vreg d)
{
	gllm_ref a = l->t->node[carry].a;

	if (l->t->node[a].op == GLLM_N_CONST)
		gllm_lower_word(l, (uint32_t)l->t->node[a].imm, d);
	else
		gllm_lower_move(l, d, gllm_lower_value(l, a));
}

/* i + by, lanes of integers */
static gllm_vreg moved_index(struct lower *l, gllm_vreg i, uint32_t by)
{
	return by ? gllm_lower_emit(l, GLLM_V_VADD, GLLM_I32, i, gllm_lower_word(l, by, GLLM_NO_VREG), GLLM_NO_VREG) : i;
}

/* Accumulators: the first starts from the initial value unless lanes are partial results, the others from the identity.
 * Pairs start everywhere from the initial value, which only strictly better elements replace. */
static void start_accumulators(struct lower *l, gllm_ref carry)
{
	const struct gllm_node *n = &l->t->node[carry];
	const struct loop_plan *p = &l->loop[n->loop];
	const struct gllm_reduction *r = reduction_of(l, carry);
	uint32_t outer = l->dep[carry] & ~(UINT32_C(1) << n->loop);
	bool less = is_pair(r) && carry == r->pair && kept_index(l, r) != GLLM_NO_NODE;
	struct walk w;

	l->val[carry] = gllm_lower_block(l, outer, n->loop, false, p->accumulators);
	gllm_lower_walk(l, &w, outer, n->loop, false);
	do {
		for (unsigned u = 0; u < p->accumulators && l->status == GLLM_OK; u++) {
			gllm_vreg *at = &l->slot[gllm_lower_carry_index(l, carry, u)], acc;
			if (less && u > 0) {
				*at = moved_index(l, l->slot[gllm_lower_carry_index(l, carry, 0)], 0u - u * l->lanes);
				continue;
			}
			*at = acc = gllm_vir_reg(l->v, GLLM_CLASS_V);
			if (is_pair(r) || (u == 0 && !p->partial && !p->tiled))
				load_initial(l, carry, acc);
			else
				gllm_lower_word(l, identity(r, n->type), acc);
		}
	} while (gllm_lower_walk_next(l, &w));
}

void gllm_lower_start_carry(struct lower *l, gllm_ref carry)
{
	gllm_ref inner = l->through[carry];

	if (inner == GLLM_NO_NODE) {
		start_accumulators(l, carry);
	} else if (is_outermost(l, carry)) {
		struct frame f = { .loop = l->t->node[inner].loop };
		gllm_lower_plan_phases(l, &f);
		l->loop[f.loop].accumulators = (uint8_t)gllm_lower_accumulators(l, &f); /* as when it begins */
		start_accumulators(l, inner);
	}
}

static gllm_vreg reduce_lanes(struct lower *l, enum gllm_vred how, unsigned type, gllm_vreg a)
{
	struct gllm_vi i = gllm_vi(GLLM_V_VREDUCE);
	i.type = i.mem = (uint8_t)type;
	i.d = gllm_vir_reg(l->v, GLLM_CLASS_V);
	i.a = a;
	i.aux = (int32_t)how;
	return gllm_vir_emit(l->v, i);
}

static enum gllm_vred how_to_reduce(const struct gllm_reduction *r)
{
	switch ((enum gllm_reduce_kind)r->kind) {
	case GLLM_REDUCE_PRODUCT: return GLLM_VRED_MUL;
	case GLLM_REDUCE_MAX: case GLLM_REDUCE_ARGMAX: return GLLM_VRED_MAX;
	case GLLM_REDUCE_MIN: case GLLM_REDUCE_ARGMIN: return GLLM_VRED_MIN;
	case GLLM_REDUCE_SUM: case GLLM_REDUCE_AND: case GLLM_REDUCE_OR: case GLLM_REDUCE_OTHER: break;
	}
	return GLLM_VRED_ADD;
}

/* Lane i of the result = vector i reduced; missing vectors repeat the last, so lanes >= n hold copies. */
static gllm_vreg reduce_together(struct lower *l, const struct gllm_reduction *r, gllm_vreg *x, unsigned n)
{
	unsigned level = 0;

	for (unsigned width = l->lanes; width > 1; width /= 2, level++) {
		unsigned m = 0;
		for (unsigned k = 0; k < n; k += 2) {
			struct gllm_vi i = gllm_vi(GLLM_V_VHPAIR);
			i.type = i.mem = GLLM_F32;
			i.a = x[k];
			i.b = k + 1 < n ? x[k + 1] : x[k];
			i.imm = level;
			i.aux = (int32_t)how_to_reduce(r);
			i.d = gllm_vir_reg(l->v, GLLM_CLASS_V);
			x[m++] = gllm_vir_emit(l->v, i);
		}
		n = m;
	}
	return x[0];
}

/* All copies of one accumulator as one vector. */
static gllm_vreg join_copies(struct lower *l, gllm_ref carry)
{
	unsigned n = l->loop[l->t->node[carry].loop].accumulators;
	gllm_vreg x[MAX_COPIES];

	for (unsigned u = 0; u < n; u++)
		x[u] = l->slot[gllm_lower_carry_index(l, carry, u)];
	for (unsigned step = 1; step < n; step *= 2)
		for (unsigned u = 0; u + step < n; u += 2 * step)
			x[u] = gllm_lower_combine(l, carry, x[u + step], x[u], GLLM_NO_VREG);
	return x[0];
}

/* Whether what follows the loop needs more registers than its sums leave: then they are better in memory there, but not
 * in the loop, where the same registers would be. */
static bool crowded(const struct lower *l, unsigned loop)
{
	const struct gllm_trace *t = l->t;
	unsigned sums = 0, most = 0;

	for (gllm_ref n = t->loop[loop].first; n < t->loop[loop].end; n++)
		sums += t->node[n].op == GLLM_N_CARRY && t->node[n].loop == (int)loop;
	for (unsigned f = 1; f < l->depth; f++)
		sums *= gllm_lower_phase(&l->frame[f])->copies;
	for (gllm_ref n = t->loop[loop].end; n < t->nnodes && t->node[n].loop == t->loop[loop].parent; n++) {
		unsigned temps = gllm_lower_temporaries(l, n);
		most = temps > most ? temps : most;
	}
	return most > 0 && sums + most + UNDER_WAY > l->vregs;
}

static gllm_vreg finish_carry(struct lower *l, gllm_ref last, bool moves)
{
	gllm_ref carry = l->through[last] != GLLM_NO_NODE ? l->through[last] : last;
	const struct loop_plan *p = &l->loop[l->t->node[carry].loop];
	const struct gllm_reduction *r = reduction_of(l, carry);
	struct frame *outer = gllm_lower_top(l);
	gllm_vreg x[GLLM_VIR_LANES], v;
	unsigned f = l->depth - 1;

	if (l->through[last] != GLLM_NO_NODE && !is_outermost(l, last))
		return GLLM_NO_VREG; /* it goes on, and nobody else reads it */
	if (p->tiled) {
		v = gllm_lower_tile_row(l, carry);
	} else if (!p->partial) {
		v = p->accumulators == 1 ? l->slot[gllm_lower_carry_index(l, carry, 0)] : join_copies(l, carry);
		if (l->t->node[carry].type != GLLM_F32 || !moves)
			return v;
		return gllm_lower_emit(l, GLLM_V_VMOV, GLLM_F32, v, GLLM_NO_VREG, GLLM_NO_VREG);
	} else if (outer->loop >= 0 && gllm_lower_phase(outer)->paired) {
		for (unsigned k = 0; k < gllm_lower_phase(outer)->copies; k++) {
			l->tuple[f] = k;
			x[k] = join_copies(l, carry);
		}
		l->tuple[f] = 0;
		v = reduce_together(l, r, x, gllm_lower_phase(outer)->copies);
	} else {
		v = reduce_lanes(l, how_to_reduce(r), l->t->node[carry].type == GLLM_F32 ? GLLM_F32 : GLLM_I32,
		                 join_copies(l, carry));
	}
	if (starts_neutral(l, last, r))
		return v;
	return gllm_lower_combine(l, carry, v, gllm_lower_value(l, l->t->node[last].a), GLLM_NO_VREG);
}

/* ARGMAX: the best value over all copies and lanes, then the least index among those that hold it. Indices are below
 * 2^31. A NaN as initial value is in all lanes and keeps the initial index, as in the scalar code. */
static void finish_pair(struct lower *l, const struct gllm_reduction *r, gllm_vreg *value, gllm_vreg *index)
{
	unsigned n = l->loop[l->t->node[r->carry].loop].accumulators;
	bool lanes = l->loop[l->t->node[r->carry].loop].partial, max = r->kind == GLLM_REDUCE_ARGMAX;
	bool less = kept_index(l, r) != GLLM_NO_NODE;
	gllm_vreg best = join_copies(l, r->carry), least = GLLM_NO_VREG, far;

	if (lanes)
		best = reduce_lanes(l, how_to_reduce(r), GLLM_F32, best);
	far = gllm_lower_word(l, 0x7fffffff, GLLM_NO_VREG);
	for (unsigned u = 0; u < n; u++) {
		gllm_vreg v = l->slot[gllm_lower_carry_index(l, r->carry, u)], m;
		m = gllm_lower_emit(l, GLLM_V_VLT, GLLM_F32, max ? v : best, max ? best : v, GLLM_NO_VREG);
		gllm_vreg i = moved_index(l, l->slot[gllm_lower_carry_index(l, r->pair, u)], less ? u * l->lanes : 0);
		v = gllm_lower_emit(l, GLLM_V_VSEL, GLLM_I32, m, far, i);
		least = least == GLLM_NO_VREG ? v : gllm_lower_emit(l, GLLM_V_VMIN, GLLM_I32, v, least, GLLM_NO_VREG);
	}
	*value = best;
	*index = lanes ? reduce_lanes(l, GLLM_VRED_MIN, GLLM_I32, least) : least;
}

/* After the loop's frame is gone: LAST of every carry. */
void gllm_lower_finish_carries(struct lower *l, unsigned loop)
{
	const struct gllm_trace *t = l->t;
	int parent = t->loop[loop].parent;
	bool moves = l->loop[loop].carries && !l->loop[loop].partial && crowded(l, loop);

	for (gllm_ref n = t->loop[loop].first; n < t->loop[loop].end && l->status == GLLM_OK; n++) {
		const struct gllm_reduction *r = reduction_of(l, n);
		uint32_t dep = l->dep[n] & ~(UINT32_C(1) << loop);
		bool reorder = l->loop[loop].partial || l->loop[loop].accumulators > 1;
		struct walk w;
		if (t->node[n].op != GLLM_N_CARRY || t->node[n].loop != (int)loop)
			continue;
		gllm_lower_walk(l, &w, dep, parent, false);
		do {
			gllm_vreg *at = &l->slot[l->result[n] + gllm_lower_index(l, dep, parent, false)];
			if (!is_pair(r) || !reorder) {
				*at = finish_carry(l, n, moves);
			} else if (n == r->carry) {
				uint32_t other = l->dep[r->pair] & ~(UINT32_C(1) << loop);
				finish_pair(l, r, at, &l->slot[l->result[r->pair] + gllm_lower_index(l, other, parent, false)]);
			}
		} while (gllm_lower_walk_next(l, &w));
	}
}

/* Masked-off lanes of the update change nothing: a sum of products of zero-filled loads. */
static bool zero_filled(const struct lower *l, gllm_ref n, unsigned loop)
{
	const struct gllm_node *x = &l->t->node[n];

	if (x->op == GLLM_N_CVT && x->type == GLLM_F32)
		x = &l->t->node[x->a];
	return x->op == GLLM_N_LOAD && (l->ind[l->access[x->imm].ind].loops >> loop & 1);
}

static bool tail_is_neutral(const struct lower *l, gllm_ref carry)
{
	const struct gllm_reduction *r = reduction_of(l, carry);
	const struct gllm_node *n = &l->t->node[carry], *v;

	if (!r || r->kind != GLLM_REDUCE_SUM || r->value == GLLM_NO_NODE || l->t->node[r->value].loop != n->loop)
		return false;
	v = &l->t->node[r->value];
	if (v->op == GLLM_N_MUL || v->op == GLLM_N_DOT)
		return zero_filled(l, v->a, (unsigned)n->loop) && zero_filled(l, v->b, (unsigned)n->loop);
	return zero_filled(l, r->value, (unsigned)n->loop);
}

/* Whether this phase must keep the accumulators' other lanes by a select. */
bool gllm_lower_needs_select(const struct lower *l, unsigned loop, const struct phase *p)
{
	if (!l->loop[loop].carries || !l->loop[loop].partial || (!p->masked && (p->vector || p->paired)))
		return false;
	if (p->masked && p->vector) {
		for (gllm_ref n = l->t->loop[loop].first; n < l->t->loop[loop].end; n++)
			if (l->t->node[n].op == GLLM_N_CARRY && l->t->node[n].loop == (int)loop && !tail_is_neutral(l, n))
				return true;
		return false;
	}
	return true;
}

static bool rotates(const struct lower *l, unsigned loop)
{
	for (gllm_ref n = l->t->loop[loop].first; n < l->t->loop[loop].end; n++)
		if (l->t->node[n].op == GLLM_N_CARRY && l->t->node[n].loop == (int)loop &&
		    l->t->node[l->t->node[n].b].op == GLLM_N_CARRY)
			return true;
	return false;
}

static void keep_lanes(struct lower *l, gllm_vreg acc, gllm_vreg mask, gllm_vreg value)
{
	struct gllm_vi i = gllm_vi(GLLM_V_VSEL);
	i.type = i.mem = GLLM_F32;
	i.d = i.c = acc;
	i.a = mask;
	i.b = value;
	gllm_vir_emit(l->v, i);
}

/* Writes the carries' new values. With `through` set, into fresh registers on the slot stack, or (second pass) from
 * there: needed when one carry's next value is another one's present value. */
static void commit_carry(struct lower *l, gllm_ref n, unsigned pass, uint32_t *through)
{
	struct frame *f = gllm_lower_top(l);
	bool select = gllm_lower_needs_select(l, (unsigned)f->loop, gllm_lower_phase(f));
	gllm_ref b = l->t->node[n].b;
	struct walk w;

	if (l->through[n] != GLLM_NO_NODE && l->through[n] != n)
		return; /* its accumulators are another one's */
	if (pass == 0 && l->direct[b] == n && f->mask == GLLM_NO_VREG)
		return; /* it was computed there */
	gllm_lower_walk(l, &w, l->dep[n], f->loop, false);
	do {
		gllm_vreg acc = l->slot[gllm_lower_carry_index(l, n, gllm_lower_phase(f)->paired ? 0 : l->tuple[l->depth - 1])];
		if (pass == 1) {
			gllm_vreg held = gllm_vir_reg(l->v, GLLM_CLASS_V);
			gllm_lower_move(l, held, gllm_lower_value(l, b));
			if (*through == l->max_slots) {
				gllm_lower_fail(l, GLLM_COMPILE_ERROR, "too many copies of values", n);
				return;
			}
			l->slot[(*through)++] = held;
			continue;
		}
		gllm_vreg value = pass == 2 ? l->slot[(*through)++] : gllm_lower_value(l, b);
		if (value == acc)
			continue;
		if (select)
			keep_lanes(l, acc, f->mask, value);
		else
			gllm_lower_move(l, acc, value);
	} while (gllm_lower_walk_next(l, &w));
}

void gllm_lower_commit_carries(struct lower *l)
{
	const struct gllm_loop *loop = &l->t->loop[gllm_lower_top(l)->loop];
	if (l->loop[gllm_lower_top(l)->loop].tiled)
		return; /* all are in place */
	bool twice = rotates(l, (unsigned)gllm_lower_top(l)->loop);

	for (unsigned pass = twice ? 1 : 0; pass <= (twice ? 2u : 0u); pass++) {
		uint32_t through = l->nslots;
		for (gllm_ref n = loop->first; n < loop->end && l->status == GLLM_OK; n++)
			if (l->t->node[n].op == GLLM_N_CARRY && l->t->node[n].loop == gllm_lower_top(l)->loop)
				commit_carry(l, n, pass, &through);
	}
}
