/* SPDX-License-Identifier: MIT
 * jit/memo.c - see memo.h. */
#include "jit/memo.h"
#include "jit/compose_build.h"
#include "jit/context.h"
#include "jit/plan.h"

enum { ROOM = GLLM_COMPOSE_ROOM, MOST = GLLM_MEMO_PLACES * 3 / 4 };
_Static_assert((GLLM_MEMO_PLACES & (GLLM_MEMO_PLACES - 1)) == 0, "places are found by masks");

void gllm_memo_drop(struct gllm_memo *m)
{
	m->arena.base = NULL;
}

void gllm_memo_begin(struct gllm_context *c)
{
	struct gllm_memo *m = &c->memo;
	uint64_t machine = gllm_machine_key(c);
	size_t left = m->arena.size - m->arena.used;

	if (m->arena.base && m->machine == machine && m->n < MOST / 2 && left / 2 >= ROOM)
		return;
	m->arena = c->traces;
	m->machine = machine;
	m->n = 0;
	for (unsigned i = 0; i < GLLM_MEMO_PLACES; i++)
		m->place[i].key = 0;
}

/* The place of the key, or that where it would be. */
static unsigned place_of(const struct gllm_memo *m, uint64_t key)
{
	unsigned i = (unsigned)key % GLLM_MEMO_PLACES;
	while (m->place[i].key && m->place[i].key != key)
		i = (i + 1) % GLLM_MEMO_PLACES;
	return i;
}

const struct gllm_composition *gllm_memo_find(const struct gllm_memo *m, uint64_t key)
{
	const struct gllm_composition *p = &m->place[place_of(m, key)];
	return m->arena.base && p->key ? p : NULL;
}

struct gllm_arena *gllm_memo_room(struct gllm_memo *m, struct gllm_arena *other)
{
	return m->arena.base && m->n < MOST && m->arena.size - m->arena.used >= ROOM ? &m->arena : other;
}

void gllm_memo_keep(struct gllm_memo *m, const struct gllm_arena *arena, struct gllm_composition made)
{
	if (arena != &m->arena || made.key == 0)
		return;
	m->place[place_of(m, made.key)] = made;
	m->n++;
}
