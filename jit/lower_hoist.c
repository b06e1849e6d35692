/* SPDX-License-Identifier: MIT
 * jit/lower_hoist.c - what stands before an innermost loop, so that its bodies find it in registers: constants and offsets. */
#include "jit/lower_state.h"

/* Registers that the loop's own nodes need besides constants: accumulators, values from outside, what is under way. */
static unsigned registers_used(const struct lower *l, unsigned loop)
{
	const struct gllm_trace *t = l->t;
	unsigned sums = l->loop[loop].accumulators, outside = 0, most = 0;

	for (unsigned f = 1; f < l->depth - 1; f++)
		sums *= l->frame[f].ph[l->frame[f].phase].copies;
	for (gllm_ref n = t->loop[loop].first; n < t->loop[loop].end; n++) {
		const gllm_ref from[3] = { t->node[n].a, t->node[n].b, t->node[n].c };
		unsigned temps = gllm_lower_temporaries(l, n);
		most = temps > most ? temps : most;
		for (unsigned k = 0; k < 3 && t->node[n].op != GLLM_N_CARRY; k++)
			outside += from[k] != GLLM_NO_NODE && from[k] < t->loop[loop].first &&
			           t->node[from[k]].op != GLLM_N_CONST && t->node[from[k]].op != GLLM_N_SCALAR;
	}
	return (l->loop[loop].carries ? sums : 0) + outside + most + 4;
}

/* The constant that is operand k of node n, of an innermost loop, and better in a register than read from memory; else NO_NODE. */
static gllm_ref to_hoist(const struct lower *l, gllm_ref n, unsigned k)
{
	const struct gllm_node *x = node(l, n);
	const gllm_ref from[3] = { x->a, x->b, x->c };
	bool is = x->op != GLLM_N_CARRY && from[k] != GLLM_NO_NODE &&
	          (node(l, from[k])->op == GLLM_N_CONST || node(l, from[k])->op == GLLM_N_SCALAR) &&
	          x->op != GLLM_N_SHL && x->op != GLLM_N_SHR && x->op != GLLM_N_SAR;
	gllm_ref which = is ? l->same[k == 1 && gllm_lower_subtracts(l, n) ? gllm_lower_negated(l, from[k]) : from[k]] : GLLM_NO_NODE;

	return is && which != gllm_lower_read_addend(l, n) ? which : GLLM_NO_NODE;
}

/* The constants that a node of the loop reads from memory, so that the others can; NULL without memory. */
static const uint8_t *read_anyway(struct lower *l, unsigned loop)
{
	uint8_t *read = gllm_lower_alloc(l, 2 * (l->t->nnodes + 1u), 1);

	for (gllm_ref n = l->t->loop[loop].first; read && n < l->t->loop[loop].end && l->m->loads_addends; n++) {
		gllm_ref c = gllm_lower_read_addend(l, n);
		if (c != GLLM_NO_NODE)
			read[c] = 1;
	}
	return read;
}

void gllm_lower_hoist_constants(struct lower *l, unsigned loop)
{
	const struct gllm_loop *x = &l->t->loop[loop];
	unsigned used = registers_used(l, loop), room = l->vregs > used ? l->vregs - used : 0, before = l->nconst;
	const uint8_t *late = room ? read_anyway(l, loop) : NULL;

	for (unsigned last = 0; last < 2 && late; last++)
		for (gllm_ref n = x->first; n < x->end; n++)
			for (unsigned k = 0; k < 3; k++) {
				gllm_ref c = to_hoist(l, n, k);
				if (c == GLLM_NO_NODE || late[c] != last || room == 0 || l->constant[c] != GLLM_NO_VREG)
					continue;
				if (last && l->nconst - before >= l->vregs * 3 / 8)
					continue;
				gllm_lower_constant(l, c);
				room--;
			}
}

void gllm_lower_hoist_all_offsets(struct lower *l, unsigned loop)
{
	struct walk w;
	bool any = false;

	for (gllm_ref n = l->t->loop[loop].first; n < l->t->loop[loop].end && !any; n++)
		any = gllm_lower_has_offsets(l, n);
	if (!any)
		return;
	gllm_lower_walk(l, &w, UINT32_MAX, (int)loop, false);
	do {
		for (gllm_ref n = l->t->loop[loop].first; n < l->t->loop[loop].end; n++)
			if ((l->t->node[n].op == GLLM_N_LOAD || l->t->node[n].op == GLLM_N_STORE) &&
			    (l->ind[l->access[l->t->node[n].imm].ind].loops & w.moved))
				gllm_lower_hoist_offsets(l, n);
	} while (gllm_lower_walk_next(l, &w));
}
