/* SPDX-License-Identifier: MIT
 * tests/check_store.c - stores of compiled plans: equal graphs are loaded, what is damaged or missing is compiled and kept
 * again; the cache in bounded memory gives up what was used least recently, and no more than it must. */
#include "check.h"
#include "core/arena.h"
#include "gllm/blob.h"
#include "gllm/graph_text.h"

#define EXAMPLE(name) extern const char gllm_example_##name[], gllm_example_##name##_end[];
#include "examples/examples.def"
#undef EXAMPLE

enum { CACHE = 64 << 10 };

struct shelf { /* a store of one blob */
	struct gllm_plan_key key;
	unsigned char blob[32 << 10];
	size_t n;
	unsigned asked, given;
};

static const void *shelf_find(void *user, const struct gllm_plan_key *key, size_t *n)
{
	struct shelf *s = user;
	s->asked++;
	*n = s->n;
	return s->n && key->graph == s->key.graph ? s->blob : NULL;
}

static void shelf_keep(void *user, const struct gllm_plan_key *key, const void *blob, size_t n)
{
	struct shelf *s = user;
	s->given++;
	s->key = *key;
	s->n = n <= sizeof s->blob ? n : 0;
	for (size_t i = 0; i < s->n; i++)
		s->blob[i] = ((const unsigned char *)blob)[i];
}

/* --- the cache alone ------------------------------------------------------------------------------------------------ */

static const unsigned char *ask(struct gllm_store s, uint64_t graph, size_t *n)
{
	return s.find(s.user, &(struct gllm_plan_key){ graph, 2, 3 }, n);
}

static void give(struct gllm_store s, uint64_t graph, unsigned char byte, size_t n)
{
	static const unsigned char zeros[4096];
	unsigned char blob[1024] = { byte };
	s.keep(s.user, &(struct gllm_plan_key){ graph, 2, 3 }, n > sizeof blob ? zeros : blob, n);
}

static void check_cache(struct check *t, unsigned char *memory, struct shelf *shelf)
{
	struct gllm_plan_cache *c;
	struct gllm_plan_cache_stats stats;
	size_t n = 0;
	CHECK_STATUS(t, gllm_plan_cache_create(memory + 8, 4096, NULL, &c, NULL), GLLM_INVALID_ARGUMENT);
	CHECK_STATUS(t, gllm_plan_cache_create(NULL, 4096, NULL, &c, NULL), GLLM_INVALID_ARGUMENT);
	CHECK_STATUS(t, gllm_plan_cache_create(memory, 1023, NULL, &c, NULL), GLLM_OUT_OF_MEMORY);
	if (!CHECK_STATUS(t, gllm_plan_cache_create(memory, 2944, NULL, &c, NULL), GLLM_OK))
		return;
	memory[2944] = 77; /* what follows is not the cache's */
	struct gllm_store s = gllm_plan_cache_store(c);
	CHECK(t, ask(s, 1, &n) == NULL);
	give(s, 1, 11, 1000);
	give(s, 2, 12, 1000);
	const unsigned char *one = ask(s, 1, &n);
	CHECK(t, one && one[0] == 11 && n == 1000);
	give(s, 3, 13, 1000); /* 2 goes: 1 was asked for since */
	CHECK(t, ask(s, 2, &n) == NULL);
	CHECK(t, ask(s, 1, &n) != NULL && ask(s, 3, &n) != NULL);
	give(s, 3, 23, 500);  /* in place of the other 3 */
	const unsigned char *three = ask(s, 3, &n);
	CHECK(t, three && three[0] == 23 && n == 500);
	give(s, 4, 0, 4096);  /* larger than all: nothing has to go for it */
	CHECK(t, ask(s, 4, &n) == NULL && ask(s, 1, &n) != NULL && ask(s, 3, &n) != NULL);
	CHECK(t, s.find(s.user, &(struct gllm_plan_key){ 1, 9, 3 }, &n) == NULL);
	CHECK(t, s.find(s.user, &(struct gllm_plan_key){ 1, 2, 9 }, &n) == NULL);
	gllm_plan_cache_stats(c, &stats);
	CHECK_EQ(t, stats.plans, 2);
	CHECK_EQ(t, stats.evicted, 1);
	CHECK_EQ(t, stats.found, 6);
	CHECK_EQ(t, stats.missed, 5);
	CHECK(t, stats.used <= stats.size && stats.size < 2944);
	for (unsigned i = 0; i < 3000; i++) { /* whatever comes, what is found is what was given last */
		uint64_t key = check_below(t, 6);
		if (check_below(t, 2)) {
			give(s, key, (unsigned char)(key + 100), 8 * (1 + check_below(t, 120)));
		} else {
			const unsigned char *x = ask(s, key, &n);
			bool same = !x || n == 0 || x[0] == (unsigned char)(key + 100) || i < 200;
			if (!same)
				CHECK(t, same);
		}
	}
	CHECK_EQ(t, memory[2944], 77);

	*shelf = (struct shelf){ .n = 0 };
	const struct gllm_store behind = { shelf_find, shelf_keep, shelf };
	CHECK_STATUS(t, gllm_plan_cache_create(memory, 4096, &behind, &c, NULL), GLLM_OK);
	s = gllm_plan_cache_store(c);
	CHECK(t, ask(s, 5, &n) == NULL);
	give(s, 5, 55, 800);
	CHECK(t, shelf->given == 1 && shelf->asked == 1 && ask(s, 5, &n) != NULL && shelf->asked == 1);
	CHECK_STATUS(t, gllm_plan_cache_create(memory, 4096, &behind, &c, NULL), GLLM_OK); /* empty again */
	s = gllm_plan_cache_store(c);
	CHECK(t, ask(s, 5, &n) != NULL && shelf->asked == 2 && ask(s, 5, &n) != NULL && shelf->asked == 2);
}

/* --- compiling ------------------------------------------------------------------------------------------------------ */

static struct gllm_context *context(struct check *t, struct gllm_arena *a, const struct gllm_store *store)
{
	struct gllm_config config = { .target = check_target(t), .profile = *check_profile(t), .image = *check_image(t),
		.recorded = t->host->recorded, .nrecorded = t->host->nrecorded };
	struct gllm_context *c = NULL;
	config.host.code = *check_exec_fresh(t);
	config.host.store = *store;
	size_t need = gllm_context_quote(&config);
	CHECK_STATUS(t, gllm_context_create(gllm_alloc(a, need, 64), need, &config, &c, NULL), GLLM_OK);
	return c;
}

/* Compiles the example; kernels compiled and plans loaded by that. */
static void compile(struct check *t, struct gllm_context *c, struct gllm_arena a, const struct gllm_plan_options *o,
                    unsigned *kernels, unsigned *loaded)
{
	struct gllm_stats before, after;
	struct gllm_plan *p;
	struct gllm_graph *g;
	size_t n = (size_t)(gllm_example_swiglu_end - gllm_example_swiglu), need = gllm_graph_text_workspace(gllm_example_swiglu, n);
	*kernels = *loaded = 99;
	if (!CHECK_STATUS(t, gllm_graph_read(c, gllm_example_swiglu, n, 0, gllm_alloc(&a, need, 8), need, &g, NULL), GLLM_OK))
		return;
	gllm_context_stats(c, &before);
	if (CHECK_STATUS(t, gllm_compile(c, g, o, &p, NULL), GLLM_OK)) {
		gllm_context_stats(c, &after);
		*kernels = after.kernels - before.kernels;
		*loaded = after.loaded - before.loaded;
		CHECK_STATUS(t, gllm_plan_free(c, p), GLLM_OK);
	}
	gllm_graph_free(c, g);
}

static void check_compile(struct check *t, struct gllm_arena *a, unsigned char *memory, struct shelf *shelf)
{
	static const struct gllm_plan_options readback = { .readback = true }, scalar = { .scalar = true };
	struct gllm_plan_cache *cache;
	unsigned kernels, loaded;
	*shelf = (struct shelf){ .n = 0 };
	const struct gllm_store behind = { shelf_find, shelf_keep, shelf };
	CHECK_STATUS(t, gllm_plan_cache_create(memory, CACHE, &behind, &cache, NULL), GLLM_OK);
	const struct gllm_store store = gllm_plan_cache_store(cache);
	struct gllm_arena mark = *a;
	struct gllm_context *c = context(t, a, &store);
	compile(t, c, *a, &scalar, &kernels, &loaded);
	CHECK(t, kernels == 0 && loaded == 0 && shelf->asked == 0 && shelf->given == 0);
	compile(t, c, *a, NULL, &kernels, &loaded);
	CHECK(t, kernels >= 1 && loaded == 0 && shelf->given == 1);
	compile(t, c, *a, NULL, &kernels, &loaded);
	CHECK(t, kernels == 0 && loaded == 1 && shelf->asked == 1);
	compile(t, c, *a, &readback, &kernels, &loaded);
	CHECK(t, kernels >= 1 && loaded == 0);

	*a = mark; /* another context, as after a restart: only the shelf is left */
	c = context(t, a, &behind);
	compile(t, c, *a, NULL, &kernels, &loaded);
	CHECK(t, kernels == 0 && loaded == 1);
	unsigned given = shelf->given;
	shelf->blob[shelf->n / 2] ^= 4; /* a damaged one is replaced */
	compile(t, c, *a, NULL, &kernels, &loaded);
	CHECK(t, kernels >= 1 && loaded == 0 && shelf->given == given + 1);
	compile(t, c, *a, NULL, &kernels, &loaded);
	CHECK(t, kernels == 0 && loaded == 1);
	shelf->n -= 8; /* and one that is cut */
	compile(t, c, *a, NULL, &kernels, &loaded);
	CHECK(t, kernels >= 1 && loaded == 0 && shelf->given == given + 2);
	*a = mark;
}

void check_store(struct check *t)
{
	struct gllm_arena a;
	size_t size;
	unsigned char *all = check_memory(t, &size);
	gllm_arena_init(&a, all, size);
	unsigned char *memory = gllm_alloc(&a, CACHE, 64);
	struct shelf *shelf = gllm_alloc(&a, sizeof *shelf, 64);
	if (!CHECK(t, memory && shelf))
		return;
	check_cache(t, memory, shelf);
	if (check_target(t) && check_image(t) && check_exec(t) && check_profile(t)->vector_bytes)
		check_compile(t, &a, memory, shelf);
	else
		check_skip(t, "compiled plans need a back end, vector units and executable memory");
}
