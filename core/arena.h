/* SPDX-License-Identifier: MIT
 * core/arena.h - memory the caller granted, handed out in order.
 *
 * Save: copy the struct. Release: assign the copy back (keep `high`). Nothing is zeroed. A pass takes a copy, works, and
 * drops the copy, so scratch costs nothing afterwards. gllm_alloc returns NULL when the arena is exhausted and leaves it
 * unchanged. An arena with base NULL counts: allocations return NULL but `used` grows - never dereference there. */
#ifndef GLLM_ARENA_H
#define GLLM_ARENA_H
#include <stddef.h>
#include <stdint.h>

struct gllm_arena {
	unsigned char *base;
	size_t used, size, high; /* bytes; high = greatest `used` ever */
};

void gllm_arena_init(struct gllm_arena *a, void *memory, size_t size);
void *gllm_alloc(struct gllm_arena *a, size_t size, size_t align); /* align a power of two <= 4096 */
void *gllm_alloc_array(struct gllm_arena *a, size_t n, size_t size, size_t align); /* NULL when n * size overflows */

/* A free list over one block, for what lives and dies (tensors, sessions, plans). First fit, coalescing; 64-byte
 * aligned; bookkeeping lies in the block. free(NULL) is nothing; a foreign pointer is GLLM_INVALID_ARGUMENT. */
struct gllm_heap {
	unsigned char *base;
	size_t size;
	size_t used, high;
};
#include "gllm/status.h"
enum gllm_status gllm_heap_init(struct gllm_heap *h, void *memory, size_t size);
void *gllm_heap_alloc(struct gllm_heap *h, size_t size);
enum gllm_status gllm_heap_free(struct gllm_heap *h, void *p);
size_t gllm_heap_overhead(void); /* bytes of bookkeeping per block */
#endif
