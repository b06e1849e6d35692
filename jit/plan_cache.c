/* SPDX-License-Identifier: MIT
 * jit/plan_cache.c - see gllm/store.h. Entries lie in a heap over the caller's memory, in a list from the one used last to
 * the one that goes first. */
#include "core/arena.h"
#include "core/bits.h"
#include "gllm/store.h"

enum { LEAST = 1024 };

struct entry {
	struct gllm_plan_key key;
	struct entry *next;
	size_t n; /* bytes of the blob, which follows at 64 */
};
enum { BLOB_AT = 64 };
_Static_assert(sizeof(struct entry) <= BLOB_AT, "an entry's head has grown");

struct gllm_plan_cache {
	struct gllm_heap heap;
	struct gllm_store behind;
	struct entry *first;
	struct gllm_plan_cache_stats stats;
};

enum gllm_status gllm_plan_cache_create(void *memory, size_t size, const struct gllm_store *behind,
                                        struct gllm_plan_cache **out, struct gllm_error *e)
{
	size_t head = (size_t)gllm_round_up(sizeof(struct gllm_plan_cache), 64);
	if (!memory || ((uintptr_t)memory & 63))
		return gllm_fail(e, GLLM_INVALID_ARGUMENT, "cache memory is NULL or not aligned to 64 bytes", NULL, 0, 64, 0);
	if (size < LEAST)
		return gllm_fail(e, GLLM_OUT_OF_MEMORY, "memory is too small for a cache", NULL, 0, LEAST, size);
	struct gllm_plan_cache *c = memory;
	*c = (struct gllm_plan_cache){ .behind = behind ? *behind : (struct gllm_store){ .find = NULL } };
	enum gllm_status s = gllm_heap_init(&c->heap, (unsigned char *)memory + head, size - head);
	c->stats.size = c->heap.size;
	*out = c;
	return s;
}

static bool same_key(const struct gllm_plan_key *a, const struct gllm_plan_key *b)
{
	return a->graph == b->graph && a->machine == b->machine && a->emitter == b->emitter;
}

/* The link that points to the key's entry, or to NULL at the end. */
static struct entry **link_of(struct gllm_plan_cache *c, const struct gllm_plan_key *key)
{
	struct entry **at = &c->first;
	while (*at && !same_key(&(*at)->key, key))
		at = &(*at)->next;
	return at;
}

static void remove_at(struct gllm_plan_cache *c, struct entry **at)
{
	struct entry *gone = *at;
	*at = gone->next;
	c->stats.plans--;
	gllm_heap_free(&c->heap, gone);
}

static void evict_last(struct gllm_plan_cache *c)
{
	struct entry **at = &c->first;
	while ((*at)->next)
		at = &(*at)->next;
	remove_at(c, at);
	c->stats.evicted++;
}

static void insert(struct gllm_plan_cache *c, const struct gllm_plan_key *key, const void *blob, size_t n)
{
	const unsigned char *from = blob;
	struct entry **old = link_of(c, key), *x;
	if (*old)
		remove_at(c, old);
	if (n > c->heap.size || n + BLOB_AT + gllm_heap_overhead() > c->heap.size)
		return; /* it would not fit alone; the others stay */
	while (!(x = gllm_heap_alloc(&c->heap, BLOB_AT + n)) && c->first)
		evict_last(c);
	if (!x)
		return;
	*x = (struct entry){ .key = *key, .next = c->first, .n = n };
	c->first = x;
	c->stats.plans++;
	unsigned char *to = (unsigned char *)x + BLOB_AT;
	for (size_t i = 0; i < n; i++)
		to[i] = from[i];
}

static const void *find(void *user, const struct gllm_plan_key *key, size_t *n)
{
	struct gllm_plan_cache *c = user;
	struct entry **at = link_of(c, key), *x = *at;
	if (x) {
		*at = x->next;
		x->next = c->first;
		c->first = x;
		c->stats.found++;
		*n = x->n;
		return (unsigned char *)x + BLOB_AT;
	}
	const void *blob = c->behind.find ? c->behind.find(c->behind.user, key, n) : NULL;
	if (blob) {
		c->stats.behind++;
		insert(c, key, blob, *n);
	} else {
		c->stats.missed++;
	}
	return blob;
}

static void keep(void *user, const struct gllm_plan_key *key, const void *blob, size_t n)
{
	struct gllm_plan_cache *c = user;
	insert(c, key, blob, n);
	if (c->behind.keep)
		c->behind.keep(c->behind.user, key, blob, n);
}

struct gllm_store gllm_plan_cache_store(struct gllm_plan_cache *c)
{
	return (struct gllm_store){ find, keep, c };
}

void gllm_plan_cache_stats(const struct gllm_plan_cache *c, struct gllm_plan_cache_stats *out)
{
	*out = c->stats;
	out->used = c->heap.used;
}
