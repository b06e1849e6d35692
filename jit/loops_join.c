/* SPDX-License-Identifier: MIT
 * jit/loops_join.c - values where paths meet, and what runs on every path. */
#include "core/bits.h"
#include "jit/loops_parts.h"

struct gate {
	int level;              /* the loop whose blocks are walked; loops inside are passed as a whole */
	uint16_t last;          /* an edge into this block ends the walk; those behind it do not count */
	uint16_t phi;           /* with its raw value of this PHI for the edge; 0: true */
	const uint16_t *target; /* or, if not NULL: values of the blocks where it ends; ABSENT elsewhere */
	int around;             /* for guards: the innermost of the loops that may run 0 times */
	bool partial;           /* out: some path ends elsewhere, and not because of a guard */
};

static bool walked(const struct lifting *l, uint16_t b, int level)
{
	int loop = block_loop(l, b);
	return GLLM_MOSTLY(loop == level) || (l->f->block[b].header && loop >= 0 && l->f->loop[loop].parent == level);
}

static uint16_t phi_input(struct lifting *l, uint16_t phi, uint16_t pred, int level)
{
	const struct raw *r = &l->s->raw[phi];
	const struct flow_block *b = &l->f->block[r->block];
	for (unsigned p = 0; p < b->npreds; p++)
		if (l->f->pred[b->pred + p] == pred)
			return get(l, l->s->input[(size_t)r->imm + p], level);
	return POISON;
}

static uint16_t along(struct lifting *l, const struct gate *g, const uint16_t *at, uint16_t from, uint16_t to)
{
	if (to == g->last)
		return g->phi ? phi_input(l, g->phi, from, g->level) : TRUE_VALUE;
	if (to <= from || to > g->last || !walked(l, to, g->level))
		return ABSENT;
	return at[to];
}

/* A branch avoids a target on one side: only a guard if some loop around the target then runs 0 times. It mostly is the
 * outermost. */
static bool is_guard(struct lifting *l, const struct gate *g, cond_t c, bool avoiding)
{
	for (uint64_t inside = l->around[g->around + 1] & ~l->around[g->level + 1]; inside; inside &= inside - 1) {
		const struct loop_facts *k = &l->loop[__builtin_ctzll(inside) - 1];
		if (k->known && gllm_loops_no_iteration(l, c, avoiding, k->trip))
			return true;
	}
	return false;
}

/* The same from the end of block b of this level. */
static uint16_t onward(struct lifting *l, struct gate *g, const uint16_t *at, uint16_t b)
{
	const struct flow_block *x = &l->f->block[b];
	uint16_t f = x->nsucc ? along(l, g, at, b, x->succ[0]) : ABSENT;
	if (GLLM_MOSTLY(x->nsucc < 2))
		return f;
	uint16_t t = along(l, g, at, b, x->succ[1]);
	cond_t c = l->branch[b];
	if (g->level >= 0 && b == l->f->loop[g->level].exit) /* of an iteration that counts, this goes on */
		return x->succ[1] == l->f->loop[g->level].target ? f : t;
	if (c == COND_TRUE || c == COND_FALSE)
		return c == COND_TRUE ? t : f;
	if (t != ABSENT && f != ABSENT)
		return gllm_loops_choose(l, c, t, f);
	if (t != f && !g->phi && !is_guard(l, g, c, t == ABSENT))
		g->partial = true;
	return t == ABSENT ? f : t;
}

/* The value where the walk from `start` ends, as selects over the conditions passed; ABSENT if it never does. Of several targets on
 * one path it is the last one's. */
static uint16_t walk(struct lifting *l, struct gate *g, uint16_t start)
{
	uint16_t at[FLOW_BLOCKS];
	g->partial = false;
	for (unsigned i = g->last; i-- > start; ) {
		uint16_t b = (uint16_t)i;
		at[b] = ABSENT;
		if (GLLM_RARELY(!walked(l, b, g->level)))
			continue;
		if (GLLM_RARELY(l->f->block[b].loop != g->level)) {
			const struct flow_loop *inner = &l->f->loop[l->f->block[b].loop];
			at[b] = along(l, g, at, inner->exit, inner->target);
			continue;
		}
		at[b] = onward(l, g, at, b);
		if (g->target && g->target[b] != ABSENT && at[b] == ABSENT)
			at[b] = g->target[b];
	}
	return at[start];
}

uint16_t gllm_loops_join(struct lifting *l, uint16_t phi)
{
	uint16_t b = l->s->raw[phi].block;
	struct gate g = { .level = block_loop(l, b), .last = b, .phi = phi, .around = -1 };
	uint16_t start = l->f->block[b].idom;
	while (!walked(l, start, g.level)) { /* the exit of an inner loop: walk from that loop's header */
		int inner = block_loop(l, start);
		while (inner >= 0 && l->f->loop[inner].parent != g.level)
			inner = l->f->loop[inner].parent;
		if (inner < 0)
			return POISON;
		start = l->f->loop[inner].header;
	}
	uint16_t v = walk(l, &g, start);
	return v == ABSENT ? POISON : v;
}

/* Every path through loop `level` (or the function) from its beginning meets a block of target[], but for guards of
 * that loop. */
bool gllm_loops_covers(struct lifting *l, int level, const uint16_t *target, uint16_t *value)
{
	struct gate g = { .level = level, .last = level < 0 ? (uint16_t)l->f->nblocks : l->f->loop[level].end, .target = target,
	                  .around = level };
	*value = walk(l, &g, level < 0 ? 0 : l->f->loop[level].header);
	return *value != ABSENT && !g.partial;
}

static bool dominates(const struct flow *f, uint16_t a, uint16_t b)
{
	while (b > a)
		b = f->block[b].idom;
	return a == b;
}

/* The same of one block, but for guards of the loops from `around` out to that one. */
bool gllm_loops_runs_in(struct lifting *l, int around, uint16_t at, int level)
{
	struct gate g = { .level = level, .last = at, .around = around };
	uint16_t start = level < 0 ? 0 : l->f->loop[level].header;
	return at == start || (level >= 0 && dominates(l->f, at, l->f->loop[level].latch)) ||
	       (walk(l, &g, start) != ABSENT && !g.partial);
}

bool gllm_always_runs(struct lifting *l, uint16_t block)
{
	if (l->runs[block] == UNASKED)
		l->runs[block] = gllm_runs_with(l, block, block_loop(l, block));
	return l->runs[block];
}

bool gllm_runs_with(struct lifting *l, uint16_t block, int around)
{
	uint16_t at = block;
	for (int level = block_loop(l, block); ; level = l->f->loop[level].parent) {
		if (!gllm_loops_runs_in(l, around, at, level))
			return false;
		if (level < 0)
			return true;
		at = l->f->loop[level].header;
	}
}
