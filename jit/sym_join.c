/* SPDX-License-Identifier: MIT
 * jit/sym_join.c - registers and stack slots where paths meet and where loops begin and end: PHIs. */
#include "jit/sym_exec.h"

static void phi(struct exec *x, unsigned loc, unsigned npreds)
{
	if (x->s->ninputs + npreds > RAW_INPUTS) {
		refuse(x, "too many joins");
		return;
	}
	uint16_t v = make(x, RAW_PHI, 64, 0, 0, (int64_t)x->s->ninputs);
	x->s->raw[v].loc = (uint8_t)loc;
	x->s->ninputs += npreds;
	x->st[loc] = v;
	if (!x->status)
		x->phi[x->nphis++] = v;
}

static bool same_stack(const struct exec *x, uint16_t a, uint16_t b)
{
	return is(x, a, RAW_SP) && is(x, b, RAW_SP) && x->s->raw[a].imm == x->s->raw[b].imm;
}

/* A location in which the predecessors of a block differ; the first one's value is in the state. */
static void join_loc(struct exec *x, const struct flow_block *b, unsigned loc)
{
	const uint16_t *pred = &x->f->pred[b->pred];
	uint16_t first = x->st[loc];
	bool stack = true, nothing = false;
	for (unsigned p = 0; p < b->npreds; p++) {
		uint16_t v = x->out[pred[p] * STATE + loc];
		nothing = nothing || v == NOTHING;
		stack = stack && !nothing && same_stack(x, v, first);
	}
	if (nothing)
		x->st[loc] = NOTHING;
	if (nothing || stack)
		return;
	phi(x, loc, b->npreds);
	for (unsigned p = 0; x->st[loc] != first && p < b->npreds; p++)
		x->s->input[(size_t)x->s->raw[x->st[loc]].imm + p] = x->out[pred[p] * STATE + loc];
}

/* The first number of a set, which is taken out of it. */
static unsigned next_one(uint64_t *set)
{
	unsigned first = (unsigned)__builtin_ctzll(*set);
	*set &= *set - 1;
	return first;
}

void gllm_sym_join(struct exec *x, const struct flow_block *b)
{
	const uint64_t in = x->live[x->block].in;
	uint64_t registers = 0, slots = 0; /* in which some predecessor differs from the first */
	for (unsigned p = 1; p < b->npreds; p++) {
		const uint16_t *other = &x->out[x->f->pred[b->pred + p] * STATE];
		for (uint64_t set = in & ~registers; set; set &= set - 1) {
			unsigned loc = (unsigned)__builtin_ctzll(set);
			registers |= (uint64_t)(other[loc] != x->st[loc]) << loc;
		}
		for (unsigned i = 0; i < x->nslots; i++)
			slots |= (uint64_t)(other[SLOT0 + i] != x->st[SLOT0 + i]) << i;
		if (other[GLLM_LOC_FLAGS] != x->st[GLLM_LOC_FLAGS])
			x->st[GLLM_LOC_FLAGS] = UNDEF;
	}
	while (registers)
		join_loc(x, b, next_one(&registers));
	while (slots)
		join_loc(x, b, SLOT0 + next_one(&slots));
}

/* Marks the slots that a loop plainly stores to, the stack pointer being what it is before. */
static void mark_spills(struct exec *x, const struct flow_loop *l, const struct raw *sp)
{
	const uint64_t spill = live_spill(x->abi);
	for (unsigned b = l->header; b < l->end && sp->op == RAW_SP; b++) {
		for (unsigned i = 0; i < x->f->block[b].n && x->live[b].spills; i++) {
			const struct gllm_sem_op_rec *s = &x->f->op[x->f->block[b].first + i];
			for (unsigned k = 0; k < x->nslots && live_is_spill(s, spill); k++)
				x->varying |= (uint64_t)overlaps(&x->slot[k], sp->imm + s->imm, s->w / 8u) << k;
		}
	}
}

/* The registers that a loop may change and that are read in it or behind it; slots that vary in it are marked. */
static uint64_t changed(struct exec *x, const struct flow_loop *l)
{
	uint64_t written = 0;
	bool spills = false;
	for (const struct live *b = &x->live[l->header], *end = &x->live[l->end]; b < end; b++) {
		written |= b->written;
		spills |= b->spills;
	}
	if (spills && x->nslots)
		mark_spills(x, l, &x->s->raw[x->st[x->abi->stack_pointer]]);
	return written & x->live[l->header].in;
}

static inline void begin_phi(struct exec *x, unsigned loc)
{
	uint16_t first = x->st[loc];
	phi(x, loc, 2);
	if (x->st[loc] != first)
		x->s->input[(size_t)x->s->raw[x->st[loc]].imm] = first;
}

/* At a header every register the loop may change becomes a PHI, if it is defined, and every slot of which that is known;
 * but copies of the stack pointer and other slots are taken to stay, and end_loop sees to it. */
void gllm_sym_begin_loop(struct exec *x, const struct flow_loop *l)
{
	uint64_t stays = 0;
	x->st[GLLM_LOC_FLAGS] = UNDEF;
	for (uint64_t set = changed(x, l); set; ) {
		const unsigned loc = next_one(&set);
		const uint16_t v = x->st[loc];
		stays |= (uint64_t)is(x, v, RAW_SP) << loc;
		if (v != UNDEF && !is(x, v, RAW_SP))
			begin_phi(x, loc);
	}
	x->stays[l - x->f->loop] = stays;
	for (uint64_t set = x->varying; set; ) {
		const unsigned loc = SLOT0 + next_one(&set);
		if (x->st[loc] != NOTHING && !is(x, x->st[loc], RAW_SP))
			begin_phi(x, loc);
	}
}

/* A copy of the stack pointer must be the same after an iteration, or not be known any more. */
static void check_stack(struct exec *x, unsigned loc, uint16_t before, uint16_t after)
{
	if (!(after != NOTHING && same_stack(x, before, after)) && (loc == x->abi->stack_pointer || after != UNDEF))
		refuse(x, "the stack pointer in a loop");
}

void gllm_sym_end_loop(struct exec *x, const struct flow_loop *l)
{
	const uint16_t *before = &x->out[l->before * STATE], *back = &x->out[l->latch * STATE];
	uint64_t joined = 0, differs = 0; /* slots */
	for (unsigned v = x->s->first[l->header]; sym_header_phi(x->s, v, l->header); v++) {
		uint16_t after = back[x->s->raw[v].loc];
		x->s->input[(size_t)x->s->raw[v].imm + 1] = after == NOTHING ? UNDEF : after;
		if (x->s->raw[v].loc >= SLOT0)
			joined |= UINT64_C(1) << (x->s->raw[v].loc - SLOT0);
	}
	for (uint64_t set = x->stays[l - x->f->loop]; set; ) {
		const unsigned loc = next_one(&set);
		check_stack(x, loc, before[loc], back[loc]);
	}
	for (unsigned i = 0; i < x->nslots; i++)
		differs |= (uint64_t)((before[SLOT0 + i] != back[SLOT0 + i]) & (before[SLOT0 + i] != NOTHING)) << i;
	for (uint64_t set = differs & ~joined; set; ) {
		const unsigned i = next_one(&set);
		if (is(x, before[SLOT0 + i], RAW_SP)) {
			check_stack(x, SLOT0 + i, before[SLOT0 + i], back[SLOT0 + i]);
		} else {
			x->varying |= UINT64_C(1) << i;
			x->again = true;
		}
	}
}
