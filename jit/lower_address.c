/* SPDX-License-Identifier: MIT
 * jit/lower_address.c - memory operands and integers of the tuple of copies that is emitted now.
 *
 * An induction holds base + stride * loop for copy 0; what a copy adds is a displacement where the machine can encode it,
 * else an index register that serves until its frame's phase ends. */
#include "core/bits.h"
#include "jit/lower_state.h"

/* The frame along whose loop lanes differ, for the node being emitted; 0 none. */
unsigned gllm_lower_lane_frame(const struct lower *l)
{
	const struct frame *top = &l->frame[l->depth - 1], *f = &l->frame[top->across];

	return f->ph[f->phase].paired && (f != top || l->split_form) ? 0 : top->across;
}

/* mult times a stride, in a register that serves until its frame's phase ends. */
static gllm_vreg offset_reg(struct lower *l, int16_t sym, int64_t mult)
{
	gllm_vreg r;

	for (unsigned i = 0; i < l->noffsets; i++)
		if (l->offset[i].sym == sym && l->offset[i].mult == mult)
			return l->offset[i].reg;
	if (sym == NO_SYM)
		r = gllm_lower_g(l, GLLM_V_GCONST, GLLM_NO_VREG, GLLM_NO_VREG, mult);
	else if (mult == 1)
		return l->sym_reg[sym];
	else
		r = gllm_lower_g(l, GLLM_V_GMULI, l->sym_reg[sym], GLLM_NO_VREG, mult);
	if (l->noffsets < GLLM_COUNT(l->offset))
		l->offset[l->noffsets++] = (struct offset_reg){ .mult = mult, .sym = sym, .reg = r };
	return r;
}

static void add_offset(struct lower *l, struct gllm_vi *i, int16_t sym, int64_t mult)
{
	unsigned scale = 0;
	gllm_vreg r;

	while (sym != NO_SYM && scale < 3 && (mult & 1) == 0 && i->b == GLLM_NO_VREG) {
		mult /= 2;
		scale++;
	}
	r = offset_reg(l, sym, mult);
	if (i->b == GLLM_NO_VREG) {
		i->b = r;
		i->scale = (uint8_t)scale;
		return;
	}
	if (i->scale)
		i->b = gllm_lower_g(l, GLLM_V_GSHLI, i->b, GLLM_NO_VREG, i->scale);
	i->b = gllm_lower_g(l, GLLM_V_GADD, i->b, r, 0);
	i->scale = 0;
}

/* Fills the memory operand of `i`, an access of `bytes`, for the current tuple; bytes 0: of a number, for which all displacements
 * are as cheap. */
static void address(struct lower *l, struct place p, unsigned bytes, struct gllm_vi *i)
{
	const struct induction *x = &l->ind[p.ind];
	int64_t jam = 0;

	i->a = x->reg;
	i->imm = p.disp;
	for (uint64_t frames = l->copied; frames; frames &= frames - 1) {
		unsigned f = (unsigned)__builtin_ctzll(frames);
		int64_t u = l->tuple[f];
		if (u == 0 || !(x->loops & l->present[f].loop))
			continue;
		struct lin s = x->stride[__builtin_ctz(l->present[f].loop)];
		if (l->present[f].vector)
			i->imm += u * (int64_t)l->lanes * s.c;
		else if (s.sym == NO_SYM)
			jam += u * s.c;
		else
			add_offset(l, i, s.sym, u);
	}
	if (jam != 0 && bytes && l->m->disp_ok && !l->m->disp_ok(i->imm + jam, bytes)) {
		add_offset(l, i, NO_SYM, jam);
		l->irregular++;
	} else {
		i->imm += jam;
	}
}

/* Of one instruction: a vector where the access moves along the lanes, else an element for all of them. */
static unsigned access_bytes(const struct lower *l, const struct gllm_access *a, struct place p)
{
	unsigned f = gllm_lower_lane_frame(l), bytes = gllm_type_bytes((enum gllm_type)a->type);

	return f && (l->ind[p.ind].loops >> l->frame[f].loop & 1) ? l->lanes * bytes : bytes;
}

void gllm_lower_address(struct lower *l, struct place p, int64_t by, unsigned bytes, struct gllm_vi *i)
{
	address(l, p, bytes, i);
	if (by != 0 && l->m->disp_ok && !l->m->disp_ok(i->imm + by, bytes)) {
		add_offset(l, i, NO_SYM, by);
		l->irregular++;
	} else {
		i->imm += by;
	}
}

/* The same, `times` strides further. */
void gllm_lower_address_by(struct lower *l, struct place p, struct lin stride, int64_t times, unsigned bytes, struct gllm_vi *i)
{
	gllm_lower_address(l, p, stride.sym == NO_SYM ? times * stride.c : 0, bytes, i);
	if (stride.sym == NO_SYM || times == 0)
		return;
	add_offset(l, i, stride.sym, times);
	l->irregular = true;
}

void gllm_lower_hints(struct lower *l)
{
	for (unsigned f = 1; f < l->depth; f++)
		l->tuple[f] = 0;
	for (unsigned k = l->t->naccesses - l->o->hints; k < l->t->naccesses; k++) {
		struct gllm_vi i = gllm_vi(GLLM_V_PREFETCH);
		gllm_lower_address(l, l->access[k], 0, 1, &i);
		if (l->access[k].base.sym != NO_SYM)
			add_offset(l, &i, l->access[k].base.sym, l->access[k].base.times);
		i.type = i.mem = GLLM_U8;
		i.aux = 1;
		gllm_vir_emit(l->v, i);
	}
}

/* Do displacements reach what the copies of access n are at? */
static bool within_reach(const struct lower *l, gllm_ref n)
{
	struct place p = l->access[node(l, n)->imm];
	const struct induction *x = &l->ind[p.ind];
	int64_t most = p.disp < 0 ? -p.disp : p.disp;

	for (uint64_t frames = l->copied; frames; frames &= frames - 1) {
		unsigned f = (unsigned)__builtin_ctzll(frames);
		if (!(x->loops & l->present[f].loop))
			continue;
		struct lin s = x->stride[__builtin_ctz(l->present[f].loop)];
		if (s.sym != NO_SYM)
			return false;
		most += (s.c < 0 ? -s.c : s.c) * (l->present[f].copies - 1) * (l->present[f].vector ? (int64_t)l->lanes : 1);
	}
	return most <= l->m->disp_reach;
}

bool gllm_lower_has_offsets(const struct lower *l, gllm_ref n)
{
	uint8_t op = node(l, n)->op;

	return (op == GLLM_N_LOAD || op == GLLM_N_STORE) && l->t->access[node(l, n)->imm].index == GLLM_NO_NODE && !l->turned[n] &&
	       l->fused[n] != n && !within_reach(l, n);
}

void gllm_lower_hoist_offsets(struct lower *l, gllm_ref n)
{
	const struct gllm_access *a = &l->t->access[node(l, n)->imm];
	struct place p = l->access[node(l, n)->imm];
	struct gllm_vi i = gllm_vi(GLLM_V_VLOAD);

	if (gllm_lower_has_offsets(l, n))
		address(l, p, access_bytes(l, a, p), &i);
}

gllm_vreg *gllm_lower_integer_place(struct lower *l, gllm_ref n)
{
	if (l->gval[n] == NO_BLOCK) {
		gllm_lower_fail(l, GLLM_COMPILE_ERROR, "an index is computed in a way that is not supported", n);
		return l->slot;
	}
	return &l->slot[l->gval[n] + gllm_lower_index(l, l->dep[n], node(l, n)->loop, true)];
}

gllm_vreg gllm_lower_integer_value(struct lower *l, gllm_ref n)
{
	gllm_vreg r;

	if (node(l, n)->op == GLLM_N_CONST)
		return gllm_lower_g(l, GLLM_V_GCONST, GLLM_NO_VREG, GLLM_NO_VREG, (int64_t)node(l, n)->imm);
	r = *gllm_lower_integer_place(l, n);
	if (r == GLLM_NO_VREG)
		gllm_lower_fail(l, GLLM_COMPILE_ERROR, "an index is computed in a way that is not supported", n);
	return r;
}

/* `base` and so many bytes for each of `value`: what the copies of one access share. Within a segment no pointer moves. */
static gllm_vreg indexed(struct lower *l, gllm_vreg base, gllm_vreg value, uint32_t bytes)
{
	struct indexed *x = &l->indexed;

	if (l->segment == 0 || x->segment != l->segment || x->base != base || x->value != value || x->bytes != bytes) {
		gllm_vreg offset = gllm_lower_g(l, GLLM_V_GMULI, value, GLLM_NO_VREG, bytes);
		*x = (struct indexed){ .segment = l->segment, .base = base, .value = value, .bytes = bytes,
		                       .address = gllm_lower_g(l, GLLM_V_GADD, base, offset, 0) };
	}
	return x->address;
}

void gllm_lower_access_address(struct lower *l, const struct gllm_access *a, struct place p, struct gllm_vi *i)
{
	address(l, p, access_bytes(l, a, p), i);
	if (a->index != GLLM_NO_NODE)
		i->a = indexed(l, i->a, gllm_lower_integer_value(l, a->index), a->index_bytes);
}

/* The integer at `p` for the current tuple, in a register that may be the induction's own: read it, never write it. */
gllm_vreg gllm_lower_integer_at(struct lower *l, struct place p)
{
	const struct induction *x = &l->ind[p.ind];
	struct gllm_vi i = gllm_vi(GLLM_V_VLOAD);

	address(l, p, 0, &i);
	if (x->reg == GLLM_NO_VREG)
		return gllm_lower_g(l, GLLM_V_GCONST, GLLM_NO_VREG, GLLM_NO_VREG, i.imm);
	if (i.b != GLLM_NO_VREG) {
		if (i.scale)
			i.b = gllm_lower_g(l, GLLM_V_GSHLI, i.b, GLLM_NO_VREG, i.scale);
		i.a = gllm_lower_g(l, GLLM_V_GADD, i.a, i.b, 0);
	}
	return i.imm ? gllm_lower_g(l, GLLM_V_GADDI, i.a, GLLM_NO_VREG, i.imm) : i.a;
}
