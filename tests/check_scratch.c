/* SPDX-License-Identifier: MIT
 * tests/check_scratch.c - compiling with too little scratch says so, whichever of its parts is the first that does not fit, and
 * leaves the context as it was. */
#include "check.h"
#include "core/arena.h"
#include "gllm/layers.h"
#include "jit/context.h"

enum { CODE = 1 << 20, ROWS = 12, D = 64, STEP = 500 };

static struct gllm_graph *layer(struct check *t, struct gllm_context *c, struct gllm_error *e)
{
	const struct gllm_llama_shape shape = { .rows = GLLM_ROWS, .embedding = D, .heads = 4, .kv_heads = 2, .head_dim = D / 4, .ffn = 3 * D,
	                                        .vocab = 10, .rms_eps = 1e-5f };
	struct gllm_graph *g;
	struct gllm_llama_layer out;
	if (!CHECK_STATUS(t, gllm_graph_create(c, "layer", ROWS, GLLM_LLAMA_LAYER_GRAPH_TENSORS, GLLM_LLAMA_LAYER_GRAPH_NODES, &g, e), GLLM_OK))
		return NULL;
	return CHECK_STATUS(t, gllm_llama_layer(g, &shape, &out), GLLM_OK) ? g : NULL;
}

/* Every size of scratch either suffices or is refused. */
static void sizes(struct check *t, struct gllm_context *c, const struct gllm_graph *g)
{
	const struct gllm_plan_options o = { .readback = true };
	const size_t all = c->scratch.size, heap = c->heap.used, code = c->code_used;
	struct gllm_plan *p = NULL;
	unsigned refused = 0;
	bool enough = false;
	for (size_t size = 0; size <= all && !enough; size += STEP) {
		struct gllm_error e = { .status = GLLM_OK };
		c->scratch.size = size;
		enum gllm_status s = gllm_compile(c, g, &o, &p, &e);
		enough = s == GLLM_OK;
		refused += !enough;
		if (!enough && (!CHECK_STATUS(t, s, GLLM_OUT_OF_MEMORY) || !CHECK_STATUS(t, e.status, GLLM_OUT_OF_MEMORY))) {
			check_print(t, "     %zu bytes: %s: %s\n", size, e.what, e.name);
			break;
		}
		CHECK(t, enough || (c->heap.used == heap && c->code_used == code && c->scratch.used == 0));
	}
	c->scratch.size = all;
	if (enough)
		gllm_plan_free(c, p);
	CHECK(t, enough && refused > 50);
}

void check_scratch(struct check *t)
{
	struct gllm_config config;
	struct gllm_context *c;
	struct gllm_error e = { .status = GLLM_OK };
	struct gllm_arena arena;
	unsigned workers = 1;
	size_t size;
	unsigned char *memory = check_memory(t, &size);
	if (!check_compiler(t, &workers, &config))
		return;
	gllm_arena_init(&arena, memory, size);
	unsigned char *code = gllm_alloc(&arena, CODE, 64);
	config.host = (struct gllm_host){ .code = { .write = code, .exec = code, .size = CODE } }; /* nothing runs */
	size_t need = gllm_context_quote(&config);
	void *room = gllm_alloc(&arena, need, 64);
	if (!CHECK(t, code && room) || !CHECK_STATUS(t, gllm_context_create(room, need, &config, &c, &e), GLLM_OK))
		return;
	struct gllm_graph *g = layer(t, c, &e);
	if (g)
		sizes(t, c, g);
}
