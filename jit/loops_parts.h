/* SPDX-License-Identifier: MIT
 * jit/loops_parts.h - what the parts of the walk of loops.h ask of each other. */
#ifndef GLLM_LOOPS_PARTS_H
#define GLLM_LOOPS_PARTS_H
#include "jit/loops.h"

enum { ABSENT = VAL_NONE, STEPS = 24, UNASKED = 2 };

static inline uint16_t block_raw(const struct lifting *l, uint16_t block) /* some raw value of a block, for messages */
{
	uint16_t first = l->s->first[block];
	return first < l->s->first[block + 1] ? first : 0;
}

static inline int block_loop(const struct lifting *l, uint16_t block)
{
	return l->f->block[block].loop;
}

static inline bool within(const struct lifting *l, int inner, int outer)
{
	return l->around[inner + 1] >> (outer + 1) & 1;
}

/* loops_guard.c */
uint16_t gllm_loops_outside(struct lifting *l, uint16_t v, int loop); /* v as it is seen in a loop that it may vary outside of */
uint16_t gllm_loops_choose(struct lifting *l, cond_t i, uint16_t t, uint16_t f);
bool gllm_loops_no_iteration(struct lifting *l, cond_t c, bool outcome, uint16_t trip); /* then the count is 0 or less */
bool gllm_loops_positive(struct lifting *l, uint16_t block, uint16_t p);

/* loops_join.c */
uint16_t gllm_loops_join(struct lifting *l, uint16_t phi);
bool gllm_loops_covers(struct lifting *l, int level, const uint16_t *target, uint16_t *value);
bool gllm_loops_runs_in(struct lifting *l, int around, uint16_t at, int level);

/* loops_count.c */
uint16_t gllm_loops_header(struct lifting *l, uint16_t phi);
void gllm_loops_finish(struct lifting *l, int loop); /* after its last block: the number of iterations, the ends of CARRYs */

/* loops_memory.c */
void gllm_loops_forget(struct lifting *l); /* what was loaded and stored so far may have changed */
uint16_t gllm_loops_load(struct lifting *l, uint16_t raw, int loop);
void gllm_loops_store(struct lifting *l, uint16_t raw, int loop);
void gllm_loops_settle_stores(struct lifting *l);

/* loops_value.c */
uint16_t gllm_loops_evaluate(struct lifting *l, uint16_t raw, int loop);

/* The value of raw as it is seen in a loop. */
static inline uint16_t get(struct lifting *l, uint16_t raw, int loop)
{
	uint16_t v = l->value[raw];
	if (v == VAL_NONE)
		return POISON;
	return l->around[loop + 1] >> (l->c.v[v].loop + 1) & 1 ? v : gllm_loops_outside(l, v, loop);
}
#endif
