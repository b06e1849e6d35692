/* SPDX-License-Identifier: MIT
 * gllm/store.h - where compiled plans are kept, so that gllm_compile of an equal graph loads instead of compiling.
 *
 * A store is two hooks of the embedder (struct gllm_host): memory, files, ROM. What it hands out need not be trusted to be
 * whole or to fit, only not to be forged: every blob is checked as gllm_plan_load does, and one that is refused is compiled anew
 * and kept again. The cache below is such a store in memory of bounded size, and may stand before another one. */
#ifndef GLLM_STORE_H
#define GLLM_STORE_H
#include "gllm/status.h"
#include "gllm/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What a compiled plan is a function of (gllm/blob.h). */
struct gllm_plan_key {
	uint64_t graph;   /* names, shapes, nodes, traces of the operators; options */
	uint64_t machine; /* ISA, features, vectors, caches, cores, measured facts; workers */
	uint64_t emitter; /* sources of the compiler */
};

struct gllm_store {
	/* The blob of a key, valid until either hook is called again; NULL if there is none. */
	const void *(*find)(void *user, const struct gllm_plan_key *key, size_t *n);
	/* Keeps a copy of a blob, or not; takes the place of one with the same key. */
	void (*keep)(void *user, const struct gllm_plan_key *key, const void *blob, size_t n);
	void *user;
};

/* A store in `memory`, aligned to 64 bytes, which the least recently used blob leaves when another needs the room. What it
 * does not hold is asked of `behind`, and what it is given is given on; NULL: nothing stands behind it. It is used by one
 * thread at a time and is forgotten with its memory. Fails: INVALID_ARGUMENT, OUT_OF_MEMORY (fewer than 1024 bytes). */
struct gllm_plan_cache;
enum gllm_status gllm_plan_cache_create(void *memory, size_t size, const struct gllm_store *behind,
                                        struct gllm_plan_cache **out, struct gllm_error *e);
struct gllm_store gllm_plan_cache_store(struct gllm_plan_cache *cache);

struct gllm_plan_cache_stats {
	uint64_t found, behind, missed; /* requests answered from here, from behind, by nobody */
	uint64_t evicted;
	unsigned plans;                 /* held */
	size_t used, size;              /* bytes */
};
void gllm_plan_cache_stats(const struct gllm_plan_cache *cache, struct gllm_plan_cache_stats *out);

#ifdef __cplusplus
}
#endif
#endif
