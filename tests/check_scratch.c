/* SPDX-License-Identifier: MIT
 * tests/check_scratch.c - compiling with too little scratch says so, whichever of its parts is the first that does not fit, and
 * leaves the context as it was; and no plan is another one because scratch was short. */
#include "check.h"
#include "core/arena.h"
#include "core/hash.h"
#include "gllm/blob.h"
#include "gllm/graph_text.h"
#include "gllm/layers.h"
#include "jit/compose.h"
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

/* The plan's blob as a hash; the plan is given back. */
static uint64_t hash_of(struct check *t, struct gllm_context *c, struct gllm_plan *p, struct gllm_arena arena)
{
	size_t n = gllm_plan_blob(p);
	unsigned char *blob = gllm_alloc(&arena, n, 8);
	bool saved = CHECK(t, blob) && CHECK_STATUS(t, gllm_plan_save(p, blob, n, NULL), GLLM_OK);
	gllm_plan_free(c, p);
	return saved ? gllm_hash_block(blob, n) : 0;
}

/* Where kernels are those of plans that live, fused and not, so that little scratch does: all decisions before them are those of plenty. */
static void decisions(struct check *t, struct gllm_context *c, const struct gllm_graph *g, struct gllm_arena arena)
{
	enum { FEW = 96 << 10, MANY = 400 << 10, FINE = 40 };
	const size_t all = c->scratch.size;
	struct gllm_error e = { .status = GLLM_OK };
	struct gllm_plan *fused, *plain, *p;
	unsigned made = 0, refused = 0, others = 0;
	if (!CHECK_STATUS(t, gllm_compile(c, g, &(struct gllm_plan_options){ .no_fusion = true }, &plain, &e), GLLM_OK) ||
	    !CHECK_STATUS(t, gllm_compile(c, g, NULL, &fused, &e), GLLM_OK) || !CHECK_STATUS(t, gllm_compile(c, g, NULL, &p, &e), GLLM_OK))
		return;
	const uint64_t plenty = hash_of(t, c, p, arena);
	for (size_t size = 0; size < MANY; size += size < FEW ? FINE : STEP) {
		c->scratch.size = size;
		gllm_memo_drop(&c->memo);
		enum gllm_status s = gllm_compile(c, g, NULL, &p, &e);
		made += s == GLLM_OK;
		refused += s == GLLM_OUT_OF_MEMORY;
		if (s == GLLM_OK)
			others += hash_of(t, c, p, arena) != plenty;
		else if (!CHECK_STATUS(t, s, GLLM_OUT_OF_MEMORY))
			break;
	}
	c->scratch.size = all;
	gllm_plan_free(c, fused);
	gllm_plan_free(c, plain);
	CHECK(t, made > 0 && refused > 0);
	CHECK_EQ(t, others, 0);
}

/* Products of several and of one row, of weights packed beforehand, and a norm of tiles of rows before them. */
static void products(struct check *t, struct gllm_context *c, struct gllm_arena arena)
{
#define PRODUCT(rows, packed) "graph g rows " rows "\ninput x [rows, 64]\nweight w [64, 64] " packed "\nvalue h [rows, 64]\noutput y [rows, 64]\n" \
	"h = gemm_bt(x, w, rows, 64, 64)\ny = relu(h, 64) per rows\n"
	static const char *const text[] = {
		PRODUCT("64", ""), PRODUCT("1", ""), PRODUCT("64", "packed 64"),
		("graph g rows 64\ninput x [rows, 512]\nweight g [1, 512]\nweight w [64, 512]\nvalue h [rows, 512]\noutput y [rows, 64]\n"
		 "h = rms_norm(x, g, 512, 0.5) per rows\ny = gemm_bt(h, w, rows, 64, 512)\n"),
	};
	for (unsigned i = 0; i < sizeof text / sizeof text[0]; i++) {
		struct gllm_arena mark = arena;
		struct gllm_error e = { .status = GLLM_OK };
		struct gllm_graph *g;
		size_t n = 0;
		while (text[i][n])
			n++;
		size_t size = gllm_graph_text_workspace(text[i], n);
		void *names = gllm_alloc(&mark, size, 8);
		if (!CHECK_STATUS(t, gllm_graph_read(c, text[i], n, 0, names, size, &g, &e), GLLM_OK))
			continue;
		decisions(t, c, g, mark);
		gllm_graph_free(c, g);
	}
}

static struct gllm_context *context(struct check *t, const struct gllm_config *config, struct gllm_arena *arena)
{
	struct gllm_context *c = NULL;
	size_t need = gllm_context_quote(config);
	void *room = gllm_alloc(arena, need, 64);
	if (CHECK(t, room))
		CHECK_STATUS(t, gllm_context_create(room, need, config, &c, NULL), GLLM_OK);
	return c;
}

void check_scratch(struct check *t)
{
	struct gllm_config config;
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
	const struct gllm_arena mark = arena;
	struct gllm_context *c = context(t, &config, &arena);
	struct gllm_graph *g = CHECK(t, code) && c ? layer(t, c, &e) : NULL;
	if (!g)
		return;
	sizes(t, c, g);
	decisions(t, c, g, arena);
	products(t, c, arena);
	config.trace_bytes = c->traces.used + GLLM_COMPOSE_ROOM / 2; /* what is composed takes scratch */
	arena = mark;
	c = context(t, &config, &arena);
	if (c)
		products(t, c, arena);
}
