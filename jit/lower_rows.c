/* SPDX-License-Identifier: MIT
 * jit/lower_rows.c - rows over which several loops pass one after another, such as norms: some rows side by side.
 *
 * What a pass ends with, a sum over lanes, then a quotient or a root, is a chain during which the vector units idle; the chains of
 * several rows run at once, and what all rows read, such as weights, is loaded once for them. They must stay in the nearest cache
 * between passes. From the second cache several rows come slower than one after another: that is only done where little comes from
 * there, or chains are most of a short row. Times as fast, AVX-512, 48 KiB of L1, rows x columns: RMSNorm 8 x 512 1.4, 8 x 1024 1.25,
 * 2 x 4096 1.12; LayerNorm 64 x 128 1.4, 512 x 128 1.5, 8 x 1024 1.2, 2 x 4096 1.25; softmax 512 x 64 1.35, 256 x 256 1.15, 8 x 1024 1.2.
 * Else it would be: RMSNorm 512 x 128 0.93, 64 x 1024 0.9, 8 x 4096 0.83; LayerNorm 8 x 4096 0.92; softmax 128 x 512 0.9. */
#include "jit/cost.h"
#include "jit/lower_state.h"

enum { MOST_ROWS = 4, NEAR = 2 /* times the nearest cache */, SHORT_ROW = 2048 /* bytes */, SEVERAL = 2 };

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

/* Bytes of parameter `param` that passes over one row reach, and in `passes` which loops; those that move on with the rows, or all.
 * INT64_MAX if that is not known. */
static int64_t reached(const struct lower *l, unsigned rows, unsigned param, bool moving, uint32_t *passes)
{
	const struct gllm_trace *t = l->t;
	int64_t most = 0;

	*passes = 0;
	for (gllm_ref n = t->loop[rows].first; n < t->loop[rows].end; n++) {
		const struct gllm_node *x = &t->node[n];
		if ((x->op != GLLM_N_LOAD && x->op != GLLM_N_STORE) || t->access[x->imm].param != param || x->loop == (int)rows)
			continue;
		const struct induction *at = &l->ind[l->access[x->imm].ind];
		struct lin stride = at->stride[x->loop];
		int64_t bytes;
		if (moving && !(at->loops >> rows & 1))
			continue;
		if (stride.sym != NO_SYM || stride.c < 0 || l->loop[x->loop].trip < 0 ||
		    __builtin_mul_overflow(stride.c, l->loop[x->loop].trip, &bytes))
			return INT64_MAX;
		most = bytes > most ? bytes : most;
		*passes |= UINT32_C(1) << x->loop;
	}
	return most;
}

/* Of these, what several passes reach, of all parameters. */
static int64_t held(const struct lower *l, unsigned rows)
{
	int64_t row = 0;
	uint32_t passes;

	for (unsigned p = 0; p < l->t->nparams; p++) {
		int64_t bytes = reached(l, rows, p, true, &passes);
		if ((passes & (passes - 1)) && __builtin_add_overflow(row, bytes, &row))
			return INT64_MAX;
	}
	return row;
}

/* All rows and what they share lie in the nearest cache, or what does not is as little. */
static bool is_near(const struct lower *l, unsigned rows)
{
	int64_t left = (int64_t)(gllm_l1_budget(l->m->profile) * 100 / GLLM_L1_PERCENT) * NEAR;
	uint32_t passes;

	for (unsigned p = 0; p < l->t->nparams && left >= 0; p++) {
		int64_t moves = reached(l, rows, p, true, &passes), bytes;
		if (__builtin_mul_overflow(moves, l->loop[rows].trip, &bytes))
			return false;
		left -= bytes > left ? left + 1 : bytes;
		bytes = moves ? 0 : reached(l, rows, p, false, &passes);
		left -= bytes > left ? left + 1 : bytes;
	}
	return l->loop[rows].trip > 0 && left >= 0;
}

static unsigned summing(const struct lower *l, unsigned rows)
{
	unsigned n = 0;

	for (unsigned i = rows + 1; i < l->t->nloops; i++)
		n += (l->loop[i].inside >> rows & 1) && l->loop[i].carries;
	return n;
}

static unsigned rows_in_cache(const struct lower *l, unsigned rows)
{
	int64_t row = held(l, rows), most = (int64_t)gllm_l1_budget(l->m->profile) / (row ? row : 1);
	bool chains = summing(l, rows) >= SEVERAL && (row <= SHORT_ROW || l->o->fetch_in); /* fetch_in: rows from memory, ahead of time */

	if (!chains && !is_near(l, rows))
		return 1;
	return most < MOST_ROWS ? (unsigned)most : MOST_ROWS;
}

unsigned gllm_lower_side_by_side(const struct lower *l, unsigned rows)
{
	const struct loop_plan *p = &l->loop[rows];
	unsigned n = !l->o->overlap && !p->vector && p->reorderable && p->trip != 0 && p->trip != 1 ? rows_in_registers(l, rows) : 1;
	unsigned cached = n > 1 ? rows_in_cache(l, rows) : 1;

	n = cached < n ? cached : n;
	if (n < 2)
		return 1;
	return p->trip < 0 ? 2 : n; /* few rows may come, and code for each number of them left over would be long */
}
