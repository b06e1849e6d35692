/* SPDX-License-Identifier: MIT
 * jit/lower_rows.c - rows over which several loops pass one after another, such as norms: some rows side by side.
 *
 * What a pass ends with, a sum over lanes, then a quotient or a root, is a chain during which the vector units idle; the chains of
 * several rows run at once, and what all rows read, such as weights, is loaded once for them. They must stay in the nearest cache
 * between passes. Times as fast, AVX-512, 48 KiB of L1, two rows, then as many as fit: LayerNorm of 64 x 128 1.24, 1.39; 64 x 64 1.3, 1.7;
 * 6 x 2048 1.1, 1.35; 2 x 4096 1.25. RMSNorm of 64 x 128 0.95; 6 x 1024 1.2, 1.27; 2 x 4096 1.12. Softmax of 64 x 128 1.14, 1.25. RMSNorm
 * of 8 x 8192, of which no two rows fit, 0.8. */
#include "jit/cost.h"
#include "jit/lower_state.h"

enum { MOST_ROWS = 4 };

unsigned gllm_lower_carries(const struct lower *l, unsigned loop)
{
	unsigned n = 0;

	for (gllm_ref i = l->t->loop[loop].first; i < l->t->loop[loop].end; i++)
		n += l->t->node[i].op == GLLM_N_CARRY;
	return n;
}

/* Of how many rows registers hold the sums, if the loops within `rows` are two or more, each innermost and vectorised, and one at least
 * sums up; else 1. */
static unsigned rows_in_registers(const struct lower *l, unsigned rows)
{
	unsigned passes = 0, most = 0;

	for (unsigned i = rows + 1; i < l->t->nloops; i++) {
		if (!(l->loop[i].inside >> rows & 1))
			continue;
		if (!l->loop[i].vector || !l->loop[i].leaf)
			return 1;
		unsigned sums = gllm_lower_carries(l, i) * (l->loop[i].sums < l->loop[i].copies ? l->loop[i].sums : l->loop[i].copies);
		passes++;
		most = sums > most ? sums : most;
	}
	return passes > 1 && most > 0 ? l->vregs * 3 / 4 / most : 1;
}

/* Bytes of parameter `param` that several passes over one row reach, INT64_MAX if that is not known. */
static int64_t held(const struct lower *l, unsigned rows, unsigned param)
{
	const struct gllm_trace *t = l->t;
	uint32_t passes = 0;
	int64_t most = 0;

	for (gllm_ref n = t->loop[rows].first; n < t->loop[rows].end; n++) {
		const struct gllm_node *x = &t->node[n];
		if ((x->op != GLLM_N_LOAD && x->op != GLLM_N_STORE) || t->access[x->imm].param != param || x->loop == (int)rows)
			continue;
		const struct induction *at = &l->ind[l->access[x->imm].ind];
		struct lin stride = at->stride[x->loop];
		int64_t bytes;
		if (!(at->loops >> rows & 1))
			continue;
		if (stride.sym != NO_SYM || stride.c < 0 || l->loop[x->loop].trip < 0 ||
		    __builtin_mul_overflow(stride.c, l->loop[x->loop].trip, &bytes))
			return INT64_MAX;
		most = bytes > most ? bytes : most;
		passes |= UINT32_C(1) << x->loop;
	}
	return passes & (passes - 1) ? most : 0;
}

static unsigned rows_in_cache(const struct lower *l, unsigned rows)
{
	int64_t row = 1, budget = (int64_t)gllm_l1_budget(l->m->profile);

	for (unsigned p = 0; p < l->t->nparams; p++)
		if (__builtin_add_overflow(row, held(l, rows, p), &row))
			return 1;
	return budget / row < MOST_ROWS ? (unsigned)(budget / row) : MOST_ROWS;
}

unsigned gllm_lower_side_by_side(const struct lower *l, unsigned rows)
{
	const struct loop_plan *p = &l->loop[rows];
	unsigned n = !p->vector && p->reorderable && p->trip != 0 && p->trip != 1 ? rows_in_registers(l, rows) : 1;
	unsigned cached = n > 1 ? rows_in_cache(l, rows) : 1;

	n = cached < n ? cached : n;
	if (n < 2)
		return 1;
	return p->trip < 0 ? 2 : n; /* few rows may come, and code for each number of them left over would be long */
}
