/* SPDX-License-Identifier: MIT
 * core/heap.c - a free list over one block of the caller's memory.
 *
 * The block is a row of cells without gaps; each begins with a header of one unit and has a whole number of units.
 * No two neighbours are both free. A pointer is given back only if the walk from the base meets its header, so foreign
 * pointers and second frees are found without reading memory outside the block. */
#include "core/arena.h"
#include "core/bits.h"

enum { UNIT = 64 };

struct cell {
	uint64_t size; /* bytes, header included; a multiple of UNIT */
	uint64_t live;
};

static struct cell *cell_at(const struct gllm_heap *h, size_t at)
{
	return (struct cell *)(void *)(h->base + at);
}

size_t gllm_heap_overhead(void)
{
	return UNIT;
}

enum gllm_status gllm_heap_init(struct gllm_heap *h, void *memory, size_t size)
{
	size_t pad = -(uintptr_t)memory & (UNIT - 1);
	if (!h)
		return GLLM_INVALID_ARGUMENT;
	*h = (struct gllm_heap){ .base = NULL };
	if (!memory)
		return GLLM_INVALID_ARGUMENT;
	if (size < pad || size - pad < 2 * UNIT)
		return GLLM_OUT_OF_MEMORY;
	h->base = (unsigned char *)memory + pad;
	h->size = (size - pad) & ~(size_t)(UNIT - 1);
	*cell_at(h, 0) = (struct cell){ .size = h->size, .live = 0 };
	return GLLM_OK;
}

void *gllm_heap_alloc(struct gllm_heap *h, size_t size)
{
	if (size > h->size)
		return NULL;
	size_t need = (size_t)gllm_round_up(size ? size : 1, UNIT) + UNIT;
	for (size_t at = 0; at < h->size; at += cell_at(h, at)->size) {
		struct cell *c = cell_at(h, at);
		if (c->live || c->size < need)
			continue;
		if (c->size - need >= 2 * UNIT) {
			*cell_at(h, at + need) = (struct cell){ .size = c->size - need, .live = 0 };
			c->size = need;
		}
		c->live = 1;
		h->used += c->size;
		if (h->used > h->high)
			h->high = h->used;
		return h->base + at + UNIT;
	}
	return NULL;
}

static void join_next(struct gllm_heap *h, size_t at)
{
	struct cell *c = cell_at(h, at);
	size_t next = at + c->size;
	if (next < h->size && !cell_at(h, next)->live)
		c->size += cell_at(h, next)->size;
}

enum gllm_status gllm_heap_free(struct gllm_heap *h, void *p)
{
	if (!p)
		return GLLM_OK;
	size_t before = 0;
	for (size_t at = 0; at < h->size; before = at, at += cell_at(h, at)->size) {
		struct cell *c = cell_at(h, at);
		if (h->base + at + UNIT != (unsigned char *)p)
			continue;
		if (!c->live)
			return GLLM_INVALID_ARGUMENT;
		c->live = 0;
		h->used -= c->size;
		join_next(h, at);
		if (before != at && !cell_at(h, before)->live)
			join_next(h, before);
		return GLLM_OK;
	}
	return GLLM_INVALID_ARGUMENT;
}
