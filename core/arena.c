/* SPDX-License-Identifier: MIT
 * core/arena.c - allocation in order from the caller's memory.
 *
 * Addresses are aligned, not offsets, so any memory works. An arena without memory counts as if its base were aligned to
 * 4096: its figure is exact for memory that is aligned to the greatest alignment asked for. A count that would overflow
 * stays at SIZE_MAX, which no memory satisfies. */
#include "core/arena.h"
#include "core/bits.h"

void gllm_arena_init(struct gllm_arena *a, void *memory, size_t size)
{
	*a = (struct gllm_arena){ .base = memory, .size = memory ? size : 0 };
}

void *gllm_alloc(struct gllm_arena *a, size_t size, size_t align)
{
	uint64_t pad = -((uintptr_t)a->base + a->used) & (align - 1);
	uint64_t end;
	bool fits = gllm_add_ok(a->used, pad, &end) && gllm_add_ok(end, size, &end);
	if (!a->base)
		a->used = fits ? (size_t)end : SIZE_MAX;
	else if (fits && end <= a->size)
		a->used = (size_t)end;
	else
		return NULL;
	if (a->used > a->high)
		a->high = a->used;
	return a->base ? a->base + (end - size) : NULL;
}

void *gllm_alloc_array(struct gllm_arena *a, size_t n, size_t size, size_t align)
{
	uint64_t bytes;
	if (gllm_mul_ok(n, size, &bytes))
		return gllm_alloc(a, (size_t)bytes, align);
	if (!a->base)
		a->used = a->high = SIZE_MAX;
	return NULL;
}
