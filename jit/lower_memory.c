/* SPDX-License-Identifier: MIT
 * jit/lower_memory.c - nodes that access memory, and what is fetched ahead of them. */
#include "jit/lower_state.h"

enum { FETCH_LINE = 64 };

/* As many copies along the loop that the load lies along as there are lanes are there at once; the others' places are filled beside. */
static gllm_vreg turned_node(struct lower *l, gllm_ref n, unsigned f)
{
	gllm_vreg out[GLLM_VIR_LANES];
	unsigned fw = l->frame_of[l->turned[n] - 1], mine = l->tuple[fw], first;
	unsigned copies = gllm_lower_turned(l, n, f, fw, &first, out);

	for (unsigned c = 0; c < copies && l->status == GLLM_OK; c++) {
		l->tuple[fw] = first + c;
		*gllm_lower_place(l, n) = out[c];
	}
	l->tuple[fw] = mine;
	return out[mine - first];
}

void gllm_lower_note_copy(const struct lower *l, gllm_ref n, struct gllm_vi *i)
{
	bool shared = false;

	for (uint64_t frames = l->copied; frames && !shared; frames &= frames - 1) {
		unsigned f = (unsigned)__builtin_ctzll(frames);
		shared = !(l->dep[n] & l->present[f].loop) && gllm_lower_radix(l, f, node(l, n)->loop, l->split_form) > 1;
	}
	i->segment = shared ? 0 : l->segment;
	i->copy = l->copy;
}

/* Vectors of one line do so once. */
void gllm_lower_fetch(struct lower *l, gllm_ref n, int64_t by)
{
	const struct gllm_access *a = &l->t->access[node(l, n)->imm];
	unsigned f = gllm_lower_lane_frame(l), bytes = (f ? l->lanes : 1) * gllm_type_bytes((enum gllm_type)a->type);
	struct gllm_vi i = gllm_vi(GLLM_V_PREFETCH);

	l->irregular += bytes % FETCH_LINE != 0;
	if (a->index != GLLM_NO_NODE || l->turned[n] || l->spread[n] || !f || l->tuple[f] * bytes % FETCH_LINE != 0)
		return;
	gllm_lower_address(l, l->access[node(l, n)->imm], by, bytes, &i);
	i.type = i.mem = a->type;
	i.aux = by != 0 && l->o->fetch_far;
	gllm_vir_emit(l->v, i);
}

/* Iterations of the loop asked for by which loads are fetched ahead: where one loop alone does so, the next bodies'. */
static unsigned iterations_ahead(const struct lower *l, int loop)
{
	const struct frame *f = &l->frame[l->frame_of[loop]];

	return l->o->fetch_in ? f->ph[f->phase].copies : l->o->fetch;
}

enum { NUMBERS = 8, LEAST_ROW = 2048 /* bytes */ };

/* The integers that the index of load `n` is computed from, in loop `around` and the one inside it: how many; 0 if one of them cannot be
 * had an iteration of `around` earlier, or there are too many. */
static unsigned numbers_of(const struct lower *l, gllm_ref n, int around, gllm_ref *out)
{
	const struct gllm_trace *t = l->t;
	unsigned count = 0;

	for (gllm_ref k = t->loop[around].first; k < n; k++) {
		const struct gllm_node *x = node(l, k);
		if (!l->integer[k] || x->op == GLLM_N_CONST || x->op == GLLM_N_SCALAR)
			continue;
		bool load = x->op == GLLM_N_LOAD, moves = l->dep[k] >> around & 1;
		bool fits = (x->loop == around || x->loop == node(l, n)->loop) && !(l->dep[k] & ~l->loop[around].inside) &&
		            (x->op != GLLM_N_INDEX || !moves) &&
		            (!load || (t->access[x->imm].index == GLLM_NO_NODE && l->ind[l->access[x->imm].ind].stride[around].sym == NO_SYM));
		if (!fits || count == NUMBERS)
			return 0;
		out[count++] = k;
	}
	return count;
}

/* The index of load `n` in the next iteration of the loop of frame f; in the last one its own. */
static gllm_vreg next_index(struct lower *l, gllm_ref n, const struct frame *f, const gllm_ref *number, unsigned count)
{
	gllm_vreg kept[NUMBERS], value, left = gllm_lower_g(l, GLLM_V_GADDI, f->count, GLLM_NO_VREG, -1);
	gllm_vreg step = gllm_lower_g(l, GLLM_V_GMIN, left, gllm_lower_integer(l, 1), 0);

	for (unsigned i = 0; i < count; i++) {
		kept[i] = *gllm_lower_integer_place(l, number[i]);
		l->ahead = step;
		l->ahead_loop = f->loop;
		*gllm_lower_integer_place(l, number[i]) = gllm_lower_integer_node(l, number[i]);
	}
	l->ahead = GLLM_NO_VREG;
	value = gllm_lower_integer_value(l, l->t->access[node(l, n)->imm].index);
	for (unsigned i = 0; i < count; i++)
		*gllm_lower_integer_place(l, number[i]) = kept[i];
	return value;
}

/* Rows that an index names lie anywhere: while one is read, the next one's lines at the same place are fetched, all of a body at once;
 * but several short ones are within the machine's window anyway. From 128 MiB, AVX-512, rows of 16 KiB 1.2 times as fast, 4 KiB 1.35, 2 KiB
 * 1.1, 1 KiB 1.0, 256 bytes 0.8. */
static void fetch_next_row(struct lower *l, gllm_ref n)
{
	const struct gllm_access *a = &l->t->access[node(l, n)->imm];
	struct place p = l->access[node(l, n)->imm];
	unsigned top = l->depth - 1, bytes = l->lanes * gllm_type_bytes((enum gllm_type)a->type);
	int around = l->t->loop[l->frame[top].loop].parent;
	const struct frame *f = around < 0 ? NULL : &l->frame[l->frame_of[around]];
	gllm_ref number[NUMBERS];
	gllm_vreg row = GLLM_NO_VREG;

	if (!f || l->o->fetch_loop - 1 != l->frame[top].loop || l->tuple[top] != 0 || (l->copied & ~(UINT64_C(1) << top)) || !f->in_loop ||
	    f->ph[f->phase].vector || f->ph[f->phase].step != 1 || f->count == GLLM_NO_VREG || (l->ind[p.ind].loops >> around & 1))
		return;
	unsigned count = l->loop[l->frame[top].loop].trip * (bytes / l->lanes) < LEAST_ROW ? 0 : numbers_of(l, n, around, number);
	if (count == 0)
		return;
	gllm_vreg offset = gllm_lower_g(l, GLLM_V_GMULI, next_index(l, n, f, number, count), GLLM_NO_VREG, a->index_bytes);
	for (unsigned c = 0; c < gllm_lower_phase(&l->frame[top])->copies; c++) {
		struct gllm_vi i = gllm_vi(GLLM_V_PREFETCH);
		l->tuple[top] = c;
		gllm_lower_address(l, p, 0, bytes, &i);
		row = row == GLLM_NO_VREG ? gllm_lower_g(l, GLLM_V_GADD, i.a, offset, 0) : row;
		i.a = row;
		i.type = i.mem = a->type;
		if (c * bytes % FETCH_LINE == 0)
			gllm_vir_emit(l->v, i);
	}
	l->tuple[top] = 0;
}

/* In an innermost loop: what the same load reads some iterations of the loop asked for later. */
static void fetch_ahead(struct lower *l, gllm_ref n)
{
	const struct induction *x = &l->ind[l->access[node(l, n)->imm].ind];
	int loop = l->o->fetch_loop - 1, top = l->frame[l->depth - 1].loop;

	if (l->t->access[node(l, n)->imm].index != GLLM_NO_NODE) {
		fetch_next_row(l, n);
		return;
	}
	if (l->o->fetch_in && top != l->o->fetch_in - 1)
		return;
	if (loop < 0 || loop >= (int)l->t->nloops || !l->loop[top].leaf || !(l->loop[top].inside >> loop & 1) ||
	    x->stride[loop].sym != NO_SYM || x->stride[loop].c == 0)
		return;
	gllm_lower_fetch(l, n, x->stride[loop].c * iterations_ahead(l, loop));
	if (l->o->fetch_again)
		gllm_lower_fetch(l, n, x->stride[loop].c * (iterations_ahead(l, loop) / 2));
}

void gllm_lower_note_past(struct lower *l, unsigned param, struct gllm_vi *i)
{
	if (i->m == GLLM_NO_VREG && i->type == i->mem && l->m->past && (l->o->past >> param & 1))
		i->aux = l->past = true;
}

gllm_vreg gllm_lower_memory_node(struct lower *l, gllm_ref n)
{
	const struct gllm_access *a = &l->t->access[node(l, n)->imm];
	struct place p = l->access[node(l, n)->imm];
	bool store = node(l, n)->op == GLLM_N_STORE;
	unsigned f = gllm_lower_lane_frame(l);
	bool lanes = f && (l->ind[p.ind].loops >> l->frame[f].loop & 1);
	struct gllm_vi i = gllm_vi(store ? GLLM_V_VSTORE : lanes ? GLLM_V_VLOAD : GLLM_V_VBCAST);

	bool pair = a->type == GLLM_I64 && !store && !lanes && node(l, n)->type == GLLM_F32;

	if (a->type == GLLM_I64 && !pair) {
		if (store || !l->integer[n])
			gllm_lower_fail(l, GLLM_COMPILE_ERROR, "64-bit elements have no lanes", n);
		return GLLM_NO_VREG;
	}
	if (lanes && l->turned[n])
		return turned_node(l, n, f);
	if (lanes && l->spread[n] && !store)
		return gllm_lower_spread_load(l, n, &l->frame[f], gllm_lower_lane_type(l, a->type));
	if (lanes && l->spread[n]) {
		gllm_lower_spread_store(l, n, &l->frame[f], gllm_lower_lane_type(l, a->type));
		return GLLM_NO_VREG;
	}
	gllm_lower_access_address(l, a, p, &i);
	i.type = (uint8_t)gllm_lower_lane_type(l, a->type);
	i.mem = store ? a->type : l->loaded[n];
	if (pair) {
		i.op = GLLM_V_VPAIR;
		i.mem = i.type = GLLM_F32;
	}
	i.lanes = store && !lanes;
	if (lanes && l->frame[f].ph[l->frame[f].phase].masked)
		i.m = l->frame[f].mask;
	if (store && lanes)
		gllm_lower_note_past(l, a->param, &i);
	if (store)
		i.c = gllm_lower_value(l, node(l, n)->a);
	else
		i.d = gllm_vir_reg(l->v, GLLM_CLASS_V);
	gllm_lower_note_copy(l, n, &i);
	gllm_vir_emit(l->v, i);
	if (lanes && !store && l->o->fetch)
		fetch_ahead(l, n);
	return i.d;
}

gllm_vreg gllm_lower_half_node(struct lower *l, gllm_ref load)
{
	const struct gllm_access *a = &l->t->access[node(l, load)->imm];
	struct gllm_vi i = gllm_vi(GLLM_V_VBCAST);

	gllm_lower_access_address(l, a, l->access[node(l, load)->imm], &i);
	i.type = GLLM_F32;
	i.mem = GLLM_F16;
	i.d = gllm_vir_reg(l->v, GLLM_CLASS_V);
	gllm_lower_note_copy(l, load, &i);
	return gllm_vir_emit(l->v, i);
}
