/* SPDX-License-Identifier: MIT
 * jit/sym_copies.c - which PHIs are copies of other values. */
#include "jit/sym.h"

enum { UNKNOWN = 0xffff };

static uint16_t find(const uint16_t *same, uint16_t v)
{
	while (same[v] != UNKNOWN && same[v] != v)
		v = same[v];
	return v;
}

static bool same_constant(const struct sym *s, uint16_t a, uint16_t b)
{
	return a == b || (s->raw[a].op == RAW_CONST && s->raw[b].op == RAW_CONST && s->raw[a].imm == s->raw[b].imm);
}

/* Optimistic: a PHI is UNKNOWN until an input is known, then a copy of it, then itself for good. */
void gllm_sym_find_copies(struct sym *s, const uint16_t *phi, unsigned n)
{
	for (unsigned v = 0; v < s->n; v++)
		s->same[v] = (uint16_t)v;
	for (unsigned i = 0; i < n; i++)
		s->same[phi[i]] = UNKNOWN;
	for (bool changed = true; changed; ) {
		changed = false;
		for (unsigned k = 0; k < n; k++) {
			uint16_t i = phi[k], only = UNKNOWN;
			bool several = false;
			if (s->same[i] == i)
				continue;
			for (unsigned p = 0; p < s->f->block[s->raw[i].block].npreds; p++) {
				uint16_t v = find(s->same, s->input[(size_t)s->raw[i].imm + p]);
				if (s->same[v] == UNKNOWN || v == i)
					continue;
				if (only == UNKNOWN)
					only = v;
				else
					several = several || !same_constant(s, only, v);
			}
			uint16_t now = several ? i : only;
			if (now != s->same[i] && now != UNKNOWN) {
				/* a copy of something else than before: the assumption it rested on has gone */
				s->same[i] = s->same[i] == UNKNOWN || several ? now : find(s->same, s->same[i]) == now ? s->same[i] : now;
				changed = true;
			}
		}
	}
	for (unsigned i = 0; i < n; i++)
		s->same[phi[i]] = find(s->same, phi[i]);
}
