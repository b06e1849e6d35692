/* SPDX-License-Identifier: MIT
 * tests/check_memo.c - what a context keeps of graphs that it fused is used for the next, gives the plans that a context without any
 * makes, and goes when its memory or its machine is another. */
#include "check.h"
#include "core/arena.h"
#include "core/hash.h"
#include "gllm/blob.h"
#include "gllm/graph_text.h"
#include "gllm/layers.h"
#include "gllm/ops.h"
#include "jit/compose.h"
#include "jit/context.h"

enum { CODE = 1 << 20, SHAPES = 24 };

struct lab {
	struct check *t;
	struct gllm_arena arena;
	struct gllm_config config;
	struct gllm_error e;
};

static struct gllm_context *open_context(struct lab *l, size_t trace_bytes)
{
	l->config.trace_bytes = trace_bytes;
	size_t n = gllm_context_quote(&l->config);
	void *memory = gllm_alloc(&l->arena, n, 64);
	struct gllm_context *c = NULL;
	if (CHECK(l->t, memory))
		CHECK_STATUS(l->t, gllm_context_create(memory, n, &l->config, &c, &l->e), GLLM_OK);
	return c;
}

/* The blob of the graph's plan, as a hash; neither is kept. */
static uint64_t plan_of(struct lab *l, struct gllm_context *c, struct gllm_graph *g, const struct gllm_plan_options *o)
{
	struct gllm_arena mark = l->arena;
	struct gllm_plan *p;
	if (!CHECK_STATUS(l->t, gllm_compile(c, g, o, &p, &l->e), GLLM_OK))
		return 0;
	size_t n = gllm_plan_blob(p);
	unsigned char *blob = gllm_alloc(&mark, n, 8);
	bool saved = CHECK(l->t, blob) && CHECK_STATUS(l->t, gllm_plan_save(p, blob, n, &l->e), GLLM_OK);
	gllm_plan_free(c, p);
	gllm_graph_free(c, g);
	return saved ? gllm_hash_block(blob, n) : 0;
}

static uint64_t layer_as(struct lab *l, struct gllm_context *c, uint64_t width, uint64_t rows, const struct gllm_plan_options *o)
{
	const struct gllm_llama_shape s = { .rows = GLLM_ROWS, .embedding = width, .heads = 4, .kv_heads = 2, .head_dim = width / 4,
	                                    .ffn = 3 * width, .vocab = 100, .rms_eps = 1e-5f };
	struct gllm_graph *g;
	struct gllm_llama_layer out;
	if (!CHECK_STATUS(l->t, gllm_graph_create(c, "layer", rows, GLLM_LLAMA_LAYER_GRAPH_TENSORS, GLLM_LLAMA_LAYER_GRAPH_NODES, &g, &l->e), GLLM_OK))
		return 0;
	gllm_llama_layer(g, &s, &out);
	return plan_of(l, c, g, o);
}

static uint64_t layer(struct lab *l, struct gllm_context *c, uint64_t width, uint64_t rows)
{
	return layer_as(l, c, width, rows, NULL);
}

/* The same in a context that has fused nothing before. */
static uint64_t alone(struct lab *l, uint64_t width, uint64_t rows)
{
	struct gllm_arena mark = l->arena;
	struct gllm_context *c = open_context(l, 0);
	uint64_t h = c ? layer(l, c, width, rows) : 0;
	l->arena = mark;
	return h;
}

static void rows_share(struct lab *l, struct gllm_context *c)
{
	static const uint64_t rows[] = { 8, 3, 200, 8 };
	layer_as(l, c, 64, 8, &(struct gllm_plan_options){ .no_fusion = true });
	unsigned n = c->memo.n;
	CHECK(l->t, n > 0);
	CHECK_EQ(l->t, layer(l, c, 64, 8), alone(l, 64, 8));
	CHECK(l->t, c->memo.n > n); /* what units are made of, and what was made of them */
	n = c->memo.n;
	for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++)
		CHECK_EQ(l->t, layer(l, c, 64, rows[i]), alone(l, 64, rows[i]));
	CHECK_EQ(l->t, c->memo.n, n); /* all there was to compose was kept */
	CHECK_EQ(l->t, layer(l, c, 64, 1), alone(l, 64, 1));
	CHECK(l->t, c->memo.n > n); /* a single row is another trace */
}

static uint64_t read_graph(struct lab *l, struct gllm_context *c, const char *text, size_t n)
{
	struct gllm_arena mark = l->arena;
	struct gllm_graph *g;
	size_t size = gllm_graph_text_workspace(text, n);
	void *names = gllm_alloc(&l->arena, size, 8);
	uint64_t h = 0;
	if (CHECK_STATUS(l->t, gllm_graph_read(c, text, n, 0, names, size, &g, &l->e), GLLM_OK))
		h = plan_of(l, c, g, NULL);
	l->arena = mark;
	return h;
}

/* Graphs whose tensors have the same numbers, each like the one before but for one thing that compositions are functions of. */
static void alike(struct lab *l, struct gllm_context *c)
{
#define TEXT(s) { s, sizeof(s) - 1 }
#define NORM(h, v, eps, up, other) \
	TEXT("graph alike rows 8\ninput x [rows, 64]\nweight w [64, 64]\nweight v " v " [64, 64]\nweight u [64, 64]\n" h " h [rows, 64]\n" \
	     "value i [rows, 64]\nvalue j [rows, 64]\noutput k [rows, 64]\nweight g [1, 64]\noutput y [rows, 64]\n" \
	     "h = rms_norm(x, g, 64, " eps ") per rows\ni = gemm_bt(h, w, rows, 64, 64)\nj = gemm_bt(h, " up ", rows, 64, 64)\n" \
	     "k = gemm_bt(h, " other ", rows, 64, 64)\ny = swiglu(i, j, 64) per rows\n")
#define MAP(h, w) \
	TEXT("graph alike rows 8\ninput x [rows, 64]\nweight w " w " [64, 64]\n" h " h [rows, 64]\noutput y [rows, 64]\n" \
	     "h = gemm_bt(x, w, rows, 64, 64)\ny = relu(h, 64) per rows\n")
	static const struct { const char *text; size_t n; } graph[] = {
		NORM("value", "", "0.25", "u", "v"),   NORM("value", "", "0.5", "u", "v"), NORM("value", "f16", "0.5", "u", "v"),
		NORM("value", "f16", "0.5", "v", "u"), NORM("output", "f16", "0.5", "v", "u"),
		MAP("value", ""), MAP("output", ""), MAP("output", "f16"),
	};
#undef MAP
#undef NORM
#undef TEXT
	for (unsigned i = 0; i < sizeof graph / sizeof graph[0]; i++) {
		struct gllm_arena mark = l->arena;
		struct gllm_context *fresh = open_context(l, 0);
		if (fresh)
			CHECK_EQ(l->t, read_graph(l, c, graph[i].text, graph[i].n), read_graph(l, fresh, graph[i].text, graph[i].n));
		l->arena = mark;
	}
}

/* Lifting writes where compositions lie. */
static void lifted_over(struct lab *l, struct gllm_context *c)
{
	const struct gllm_trace *t;
	layer(l, c, 64, 8);
	CHECK(l->t, c->memo.arena.base != NULL);
	if (gllm_op_trace(c, GLLM_OP_layer_norm, &t, &l->e) != GLLM_OK) /* it was not recorded, and its text is withheld */
		return;
	CHECK(l->t, c->memo.arena.base == NULL);
	CHECK_EQ(l->t, layer(l, c, 64, 8), alone(l, 64, 8));
}

/* What was refused for want of registers may fit another machine, and the other way round. */
static void other_machine(struct lab *l, struct gllm_context *c)
{
	layer(l, c, 64, 8);
	uint64_t before = c->memo.machine;
	l->config.profile.cores = c->profile.cores = c->profile.cores + 1;
	CHECK_EQ(l->t, layer(l, c, 64, 8), alone(l, 64, 8));
	CHECK(l->t, c->memo.machine != before);
}

/* Many graphs: the room is bounded. */
static void many(struct lab *l, struct gllm_context *c)
{
	unsigned drops = 0;
	for (uint64_t i = 1, last = 0; i <= SHAPES; i++) {
		uint64_t h = layer(l, c, 16 * i, 4);
		drops += c->memo.n < last;
		last = c->memo.n;
		CHECK(l->t, c->memo.n < GLLM_MEMO_PLACES && c->memo.arena.used <= c->traces.size);
		if (i % 8 == 0)
			CHECK_EQ(l->t, h, alone(l, 16 * i, 4));
	}
	CHECK(l->t, drops > 0);
}

/* Where lifted traces leave no room nothing is kept. */
static void no_room(struct lab *l, struct gllm_context *c)
{
	struct gllm_arena mark = l->arena;
	struct gllm_context *tight = open_context(l, c->traces.used + GLLM_COMPOSE_ROOM / 2);
	if (tight) {
		CHECK_EQ(l->t, layer(l, tight, 64, 8), alone(l, 64, 8));
		CHECK_EQ(l->t, tight->memo.n, 0);
	}
	l->arena = mark;
}

void check_memo(struct check *t)
{
	struct lab l = { .t = t };
	unsigned workers = 1;
	size_t size;
	unsigned char *memory = check_memory(t, &size);
	if (!check_compiler(t, &workers, &l.config))
		return;
	gllm_arena_init(&l.arena, memory, size);
	unsigned char *code = gllm_alloc(&l.arena, CODE, 64);
	l.config.host = (struct gllm_host){ .code = { .write = code, .exec = code, .size = CODE } }; /* nothing runs */
	l.config.recorded = t->host->recorded;
	l.config.nrecorded = t->host->nrecorded;
	struct gllm_context *c = open_context(&l, 0);
	if (!c || !CHECK(t, code))
		return;
	rows_share(&l, c);
	alike(&l, c);
	lifted_over(&l, c);
	other_machine(&l, c);
	many(&l, c);
	no_room(&l, c);
}
