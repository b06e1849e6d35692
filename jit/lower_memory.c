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

/* In an innermost loop: what the same load reads some iterations of the loop asked for later. */
static void fetch_ahead(struct lower *l, gllm_ref n)
{
	const struct induction *x = &l->ind[l->access[node(l, n)->imm].ind];
	int loop = l->o->fetch_loop - 1, top = l->frame[l->depth - 1].loop;

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

	if (a->type == GLLM_I64) {
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
