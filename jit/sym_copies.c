/* SPDX-License-Identifier: MIT
 * jit/sym_copies.c - PHIs that are copies of other values go: what is made of them is made of those. */
#include "jit/sym.h"

enum { UNKNOWN = 0xffff };

static uint16_t find(const struct sym *s, const uint16_t *same, uint16_t v)
{
	while (s->raw[v].op == RAW_PHI && same[v] != UNKNOWN && same[v] != v)
		v = same[v];
	return v;
}

static bool unknown(const struct sym *s, const uint16_t *same, uint16_t v)
{
	return s->raw[v].op == RAW_PHI && same[v] == UNKNOWN;
}

static bool same_constant(const struct sym *s, uint16_t a, uint16_t b)
{
	return a == b || (s->raw[a].op == RAW_CONST && s->raw[b].op == RAW_CONST && s->raw[a].imm == s->raw[b].imm);
}

/* What a PHI is according to what is known of its inputs: one of them, itself, or UNKNOWN. */
static uint16_t equals(const struct sym *s, const uint16_t *same, uint16_t phi)
{
	const uint16_t *input = &s->input[s->raw[phi].imm];
	uint16_t only = UNKNOWN;
	for (unsigned p = 0; p < s->f->block[s->raw[phi].block].npreds; p++) {
		uint16_t v = find(s, same, input[p]);
		if (unknown(s, same, v) || v == phi)
			continue;
		if (only != UNKNOWN && !same_constant(s, only, v))
			return phi;
		only = only == UNKNOWN ? v : only;
	}
	return only;
}

static void replace(struct sym *s, const uint16_t *same)
{
	for (unsigned v = 1; v < s->n; v++) {
		struct raw *x = &s->raw[v];
		x->a = find(s, same, x->a);
		x->b = find(s, same, x->b);
		x->c = find(s, same, x->c);
		if (x->op == RAW_PHI)
			x->scale = find(s, same, (uint16_t)v) != v;
	}
	for (unsigned i = 0; i < s->ninputs; i++)
		s->input[i] = find(s, same, s->input[i]);
}

/* Notes the inputs of a PHI in it. Returns true if it is no copy for sure: that of a header is none if something is made for it
 * in the loop, as what comes from before the loop is something else, nor is one of two values that are no PHIs or constants.
 * (The kinds of values cannot be predicted: no branches.) */
static bool take_inputs(struct sym *s, uint16_t phi)
{
	struct raw *const x = &s->raw[phi];
	const struct flow_block *const block = &s->f->block[x->block];
	const uint16_t one = s->input[(size_t)x->imm], other = s->input[(size_t)x->imm + 1];
	const uint8_t a = s->raw[one].op, b = s->raw[other].op;
	const bool anew = block->header & (other > phi);
	x->a = one;
	x->b = block->header ? 0 : other;
	x->fcc = !block->header & (block->npreds > 2);
	return (b != RAW_PHI) & (b != RAW_CONST) & (anew | ((a != RAW_PHI) & (a != RAW_CONST) & (one != other)));
}

/* Optimistic: a PHI is UNKNOWN until an input is known, then a copy of it, then itself for good. */
void gllm_sym_drop_copies(struct sym *s, uint16_t *same, const uint16_t *phi, unsigned n)
{
	unsigned copies = n;
	for (unsigned i = 0; i < n; i++) {
		const bool no = take_inputs(s, phi[i]);
		same[phi[i]] = no ? phi[i] : (uint16_t)UNKNOWN;
		copies -= no;
	}
	for (bool changed = true; changed && copies; ) {
		changed = false;
		for (unsigned k = 0; k < n; k++) {
			const uint16_t i = phi[k], before = same[i];
			if (before == i)
				continue;
			const uint16_t now = equals(s, same, i);
			if (now == before || now == UNKNOWN)
				continue;
			/* a copy of something else than before: the assumption it rested on has gone */
			same[i] = before == UNKNOWN || now == i || find(s, same, before) != now ? now : before;
			copies -= now == i;
			changed = true;
		}
	}
	if (copies)
		replace(s, same);
}
