/* SPDX-License-Identifier: MIT
 * infer/llama.c - the Llama decoder: graphs of a layer, their plans, the key/value cache, evaluation.
 *
 * Keys and values of new tokens are computed straight into the cache: the plan's k and v outputs are bound there. The
 * tail of the cache is padded by one token, because a head's rows are bound from inside a token. */
#include "gllm/llama.h"
#include "core/bits.h"
#include "gllm/layers.h"
#include "infer/rope.h"

enum { PLAN_QKV, PLAN_FFN, PLAN_HEAD, PLAN_ATTEND, PLAN_COUNT };
enum { DEFAULT_CHUNK = 16, MAX_CHUNK = 512 };

struct layer {
	const void *weight[GLLM_LLAMA_TENSOR_COUNT];
};

struct gllm_llama {
	struct gllm_context *context;
	struct gllm_llama_config config;
	uint32_t capacity, chunk, position;
	struct gllm_plan *plan[2][PLAN_COUNT]; /* [0] one row, [1] up to `chunk` rows */
	struct gllm_llama_layer tensor[PLAN_COUNT]; /* by which plans are bound */
	struct gllm_attention attention;
	const void *embedding, *output_norm, *output;
	enum gllm_type embedding_type;
	struct layer *layer;
	float *keys, *values;          /* [layer][capacity + 1][kv_heads * head_dim] */
	float *x[2], *q, *attended;    /* [chunk][...] */
	float *cos, *sin;              /* [chunk][head_dim / 2] */
	float *logits;
	void *workspace;
};

static uint64_t query_width(const struct gllm_llama_config *c) { return (uint64_t)c->heads * c->head_dim; }
static uint64_t key_width(const struct gllm_llama_config *c) { return (uint64_t)c->kv_heads * c->head_dim; }

/* --- graphs --------------------------------------------------------------------------------------------------------- */

/* The types of a layer's matrices; all layers agree (checked), since they share one plan. */
static struct gllm_llama_shape shape_of(const struct gllm_llama_config *c)
{
	return (struct gllm_llama_shape){ .rows = GLLM_ROWS, .embedding = c->embedding, .heads = c->heads, .kv_heads = c->kv_heads,
		.head_dim = c->head_dim, .ffn = c->ffn, .vocab = c->vocab, .rms_eps = c->rms_eps };
}

struct maker {
	struct gllm_llama *m;
	const struct gllm_llama_shape *shape;
	struct gllm_plan_options options;
	struct gllm_error *e;
};

static enum gllm_status make_plan(struct maker *k, unsigned which, uint64_t rows, struct gllm_plan **out)
{
	static enum gllm_status (*const build[PLAN_COUNT])(struct gllm_graph *, const struct gllm_llama_shape *,
	                                                   struct gllm_llama_layer *) = {
		[PLAN_QKV] = gllm_llama_projections, [PLAN_FFN] = gllm_llama_feed_forward, [PLAN_HEAD] = gllm_llama_logits,
	};
	static const char *const name[PLAN_COUNT] = { "projections", "feed_forward", "logits", "attention" };
	struct gllm_context *c = k->m->context;
	struct gllm_graph *g;
	enum gllm_status s = gllm_graph_create(c, name[which], rows, GLLM_LLAMA_LAYER_GRAPH_TENSORS,
	                                       GLLM_LLAMA_LAYER_GRAPH_NODES, &g, k->e);
	if (s != GLLM_OK)
		return s;
	if (build[which])
		build[which](g, k->shape, &k->m->tensor[which]);
	else
		gllm_llama_attention(g, k->shape, &k->m->attention);
	s = gllm_graph_status(g, k->e);
	if (s == GLLM_OK)
		s = gllm_compile(c, g, &k->options, out, k->e);
	gllm_graph_free(c, g);
	return s;
}

/* --- creation ------------------------------------------------------------------------------------------------------- */

struct need { /* offsets in the session's memory */
	size_t layers, keys, values, x0, x1, q, attended, cos, sin, logits, workspace, total;
};

static void reserve(size_t *at, size_t *offset, uint64_t n, uint64_t bytes, bool *ok)
{
	uint64_t size, next;
	*offset = *at;
	if (!gllm_mul_ok(n, bytes, &size) || size > SIZE_MAX / 2 || !gllm_add_ok(*at, gllm_round_up(size, 64), &next))
		*ok = false;
	else
		*at = (size_t)next;
}

enum { PACKED_PANELS = 3 << 20, PACKED_ROW = 4096 };

/* What plans may take to pack weights and rows of a chunk: panels of the widest product, or of a few MiB of it. */
static uint64_t pack_bytes(const struct gllm_llama_config *c, uint64_t chunk)
{
	uint64_t panels = 4 * ((uint64_t)c->ffn + c->embedding + 256) * ((uint64_t)c->ffn > c->embedding ? c->ffn : c->embedding);
	return chunk <= 1 ? 64 : (panels < PACKED_PANELS ? panels : PACKED_PANELS) + chunk * (PACKED_ROW + 8 * (uint64_t)c->ffn);
}

/* Workspace is the greatest any plan can need; it is computed without plans so that a quote needs no compiler: every
 * internal tensor at full size, and what packing is allowed. */
static uint64_t workspace_bytes(const struct gllm_llama_config *c, uint64_t chunk, uint64_t capacity)
{
	uint64_t d = c->embedding, qkv = d + query_width(c) + key_width(c), ffn = 4 * d + 3 * (uint64_t)c->ffn;
	uint64_t floats = chunk * (qkv > ffn ? qkv : ffn);
	return (floats > capacity ? floats : capacity) * 4 + pack_bytes(c, chunk) + 16 * 64;
}

static bool layout(const struct gllm_llama_config *c, uint64_t capacity, uint64_t chunk, struct need *n)
{
	bool ok = true;
	uint64_t tokens, cache;
	size_t at = (size_t)gllm_round_up(sizeof(struct gllm_llama), 64);
	reserve(&at, &n->layers, c->layers, sizeof(struct layer), &ok);
	ok = ok && gllm_mul_ok(c->layers, capacity + 1, &tokens) && gllm_mul_ok(tokens, key_width(c), &cache);
	if (!ok)
		return false;
	reserve(&at, &n->keys, cache, 4, &ok);
	reserve(&at, &n->values, cache, 4, &ok);
	reserve(&at, &n->x0, chunk * c->embedding, 4, &ok);
	reserve(&at, &n->x1, chunk * c->embedding, 4, &ok);
	reserve(&at, &n->q, chunk * query_width(c), 4, &ok);
	reserve(&at, &n->attended, chunk * query_width(c), 4, &ok);
	reserve(&at, &n->cos, chunk * c->head_dim, 2, &ok);
	reserve(&at, &n->sin, chunk * c->head_dim, 2, &ok);
	reserve(&at, &n->logits, c->vocab, 4, &ok);
	reserve(&at, &n->workspace, workspace_bytes(c, chunk, capacity), 1, &ok);
	n->total = at;
	return ok;
}

static enum gllm_status read_options(const struct gllm_gguf *g, const struct gllm_llama_options *o,
                                     struct gllm_llama_config *c, uint32_t *capacity, uint32_t *chunk, struct need *n,
                                     struct gllm_error *e)
{
	enum gllm_status s = gllm_llama_config(c, g, e);
	if (s != GLLM_OK)
		return s;
	if (c->rope_dims != c->head_dim || c->head_dim % 2)
		return gllm_fail(e, GLLM_UNSUPPORTED, "partial rotation: rope dimensions differ from the head size",
		                 "llama.rope.dimension_count", 0, c->head_dim, c->rope_dims);
	*capacity = o->context ? o->context : c->context;
	*chunk = o->chunk ? o->chunk : DEFAULT_CHUNK;
	if (*capacity > c->context || *chunk > MAX_CHUNK)
		return gllm_fail(e, GLLM_INVALID_ARGUMENT, "more context than the model was made for, or a chunk above 512",
		                 NULL, 0, c->context, *capacity);
	if (*chunk > *capacity)
		*chunk = *capacity;
	if (!layout(c, *capacity, *chunk, n))
		return gllm_fail(e, GLLM_OUT_OF_MEMORY, "the session would exceed the address space", NULL, 0, 0, 0);
	return GLLM_OK;
}

enum gllm_status gllm_llama_quote(const struct gllm_gguf *g, const struct gllm_llama_options *o, size_t *bytes,
                                  struct gllm_error *e)
{
	struct gllm_llama_config c;
	uint32_t capacity, chunk;
	struct need n;
	enum gllm_status s = read_options(g, o, &c, &capacity, &chunk, &n, e);
	if (s == GLLM_OK)
		*bytes = n.total;
	return s;
}

static bool is_norm(unsigned which)
{
	return which == GLLM_LLAMA_ATTN_NORM || which == GLLM_LLAMA_FFN_NORM || which == GLLM_LLAMA_OUTPUT_NORM;
}

static enum gllm_status weight(const struct gllm_gguf *g, const struct gllm_llama_config *c, unsigned which,
                               uint32_t layer, const void **data, enum gllm_type *types, bool first, struct gllm_error *e)
{
	enum gllm_type type;
	enum gllm_status s = gllm_llama_weights(g, c, (enum gllm_llama_tensor)which, layer, data, &type, e);
	if (s != GLLM_OK)
		return s;
	if (type != GLLM_F32 && (type != GLLM_F16 || is_norm(which)))
		return gllm_fail(e, GLLM_UNSUPPORTED, "weights of this type cannot be multiplied", gllm_type_name(type), which,
		                 GLLM_F32, type);
	if (first)
		types[which] = type;
	else if (types[which] != type)
		return gllm_fail(e, GLLM_UNSUPPORTED, "layers with different weight types", gllm_type_name(type), layer,
		                 types[which], type);
	return GLLM_OK;
}

static enum gllm_status collect(struct gllm_llama *m, const struct gllm_gguf *g, enum gllm_type *t, struct gllm_error *e)
{
	enum gllm_status s = weight(g, &m->config, GLLM_LLAMA_TOKEN_EMBD, 0, &m->embedding, t, true, e);
	m->embedding_type = t[GLLM_LLAMA_TOKEN_EMBD];
	if (s == GLLM_OK)
		s = weight(g, &m->config, GLLM_LLAMA_OUTPUT_NORM, 0, &m->output_norm, t, true, e);
	if (s == GLLM_OK)
		s = weight(g, &m->config, GLLM_LLAMA_OUTPUT, 0, &m->output, t, true, e);
	for (uint32_t l = 0; l < m->config.layers && s == GLLM_OK; l++)
		for (unsigned w = GLLM_LLAMA_ATTN_NORM; w < GLLM_LLAMA_TENSOR_COUNT && s == GLLM_OK; w++)
			s = weight(g, &m->config, w, l, &m->layer[l].weight[w], t, l == 0, e);
	return s;
}

static enum gllm_status compile_plans(struct gllm_llama *m, const struct gllm_llama_shape *shape,
                                      const struct gllm_llama_options *o, struct gllm_error *e)
{
	struct maker k = { m, shape, { .scalar = o->scalar, .no_fusion = o->no_fusion, .readback = o->readback,
	                                   .pack_bytes = pack_bytes(&m->config, m->chunk) }, e };
	enum gllm_status s = GLLM_OK;
	for (unsigned which = 0; which < PLAN_COUNT && s == GLLM_OK; which++) {
		uint64_t rows = which == PLAN_ATTEND ? m->capacity : 1;
		s = make_plan(&k, which, rows, &m->plan[0][which]);
		m->plan[1][which] = m->plan[0][which];
		if (s == GLLM_OK && m->chunk > 1 && (which == PLAN_QKV || which == PLAN_FFN)) {
			m->plan[1][which] = NULL;
			s = make_plan(&k, which, m->chunk, &m->plan[1][which]);
		}
	}
	for (unsigned i = 0; i < 2 && s == GLLM_OK; i++)
		for (unsigned which = 0; which < PLAN_COUNT && s == GLLM_OK; which++)
			if (gllm_plan_workspace(m->plan[i][which]) > workspace_bytes(&m->config, m->chunk, m->capacity))
				s = gllm_fail(e, GLLM_OUT_OF_MEMORY, "a plan needs more workspace than was quoted", NULL, which,
				              workspace_bytes(&m->config, m->chunk, m->capacity),
				              gllm_plan_workspace(m->plan[i][which]));
	return s;
}

enum gllm_status gllm_llama_create(struct gllm_context *c, const struct gllm_gguf *g, const struct gllm_llama_options *o,
                                   void *memory, size_t size, struct gllm_llama **out, struct gllm_error *e)
{
	struct gllm_llama_config config;
	uint32_t capacity, chunk;
	struct need n;
	struct gllm_llama_shape shape;
	enum gllm_status s = read_options(g, o, &config, &capacity, &chunk, &n, e);
	if (s != GLLM_OK)
		return s;
	if (!memory || ((uintptr_t)memory & 63))
		return gllm_fail(e, GLLM_INVALID_ARGUMENT, "session memory is NULL or not aligned to 64 bytes", NULL, 0, 64, 0);
	if (size < n.total)
		return gllm_fail(e, GLLM_OUT_OF_MEMORY, "session memory is smaller than gllm_llama_quote", NULL, 0, n.total, size);
	unsigned char *p = memory;
	struct gllm_llama *m = memory;
	*m = (struct gllm_llama){ .context = c, .config = config, .capacity = capacity, .chunk = chunk };
	m->layer = (struct layer *)(void *)(p + n.layers);
	m->keys = (float *)(void *)(p + n.keys);
	m->values = (float *)(void *)(p + n.values);
	m->x[0] = (float *)(void *)(p + n.x0);
	m->x[1] = (float *)(void *)(p + n.x1);
	m->q = (float *)(void *)(p + n.q);
	m->attended = (float *)(void *)(p + n.attended);
	m->cos = (float *)(void *)(p + n.cos);
	m->sin = (float *)(void *)(p + n.sin);
	m->logits = (float *)(void *)(p + n.logits);
	m->workspace = p + n.workspace;
	shape = shape_of(&config);
	s = collect(m, g, shape.type, e);
	if (s == GLLM_OK)
		s = compile_plans(m, &shape, o, e);
	if (s != GLLM_OK)
		gllm_llama_free(m);
	else
		*out = m;
	return s;
}

void gllm_llama_free(struct gllm_llama *m)
{
	for (unsigned which = PLAN_COUNT; which-- > 0;) { /* the last made first, so that code memory is given back */
		if (m->plan[1][which] && m->plan[1][which] != m->plan[0][which])
			gllm_plan_free(m->context, m->plan[1][which]);
		if (m->plan[0][which])
			gllm_plan_free(m->context, m->plan[0][which]);
		m->plan[0][which] = m->plan[1][which] = NULL;
	}
}

/* --- evaluation ----------------------------------------------------------------------------------------------------- */

static void embed(const struct gllm_llama *m, int32_t token, float *x)
{
	uint32_t d = m->config.embedding;
	uint64_t at = (uint64_t)(uint32_t)token * d;
	for (uint32_t i = 0; i < d; i++)
		x[i] = m->embedding_type == GLLM_F16 ? gllm_f16_to_f32(((const uint16_t *)m->embedding)[at + i])
		                                     : ((const float *)m->embedding)[at + i];
}

static float *cache(const struct gllm_llama *m, float *base, uint32_t layer, uint64_t token)
{
	return base + ((uint64_t)layer * (m->capacity + 1u) + token) * key_width(&m->config);
}

static enum gllm_status attend(struct gllm_llama *m, uint32_t layer, uint32_t rows, struct gllm_error *e)
{
	const struct gllm_llama_config *c = &m->config;
	uint32_t group = c->heads / c->kv_heads;
	for (uint32_t r = 0; r < rows; r++) {
		for (uint32_t h = 0; h < c->heads; h++) {
			uint64_t at = r * query_width(c) + (uint64_t)h * c->head_dim, kv = (uint64_t)(h / group) * c->head_dim;
			void *bind[GLLM_LLAMA_LAYER_GRAPH_TENSORS];
			bind[m->attention.q] = m->q + at;
			bind[m->attention.k] = cache(m, m->keys, layer, 0) + kv;
			bind[m->attention.v] = cache(m, m->values, layer, 0) + kv;
			bind[m->attention.out] = m->attended + at;
			enum gllm_status s = gllm_plan_run(m->plan[0][PLAN_ATTEND], bind, m->position + r + 1u, m->workspace, e);
			if (s != GLLM_OK)
				return s;
		}
	}
	return GLLM_OK;
}

/* Bindings are void * for all kinds; what a plan reads only is never written through them. */
static void *read_only(const void *p)
{
	union { const void *from; void *to; } u = { p };
	return u.to;
}

static void bind_weights(void **bind, const struct gllm_llama_layer *l, const void *const *weights)
{
	for (unsigned w = 0; w < GLLM_LLAMA_TENSOR_COUNT; w++)
		if (l->weight[w] != GLLM_NO_TENSOR)
			bind[l->weight[w]] = read_only(weights[w]);
}

static enum gllm_status run_layer(struct gllm_llama *m, uint32_t l, uint32_t rows, const float *x, float *y,
                                  struct gllm_error *e)
{
	const struct gllm_llama_layer *before = &m->tensor[PLAN_QKV], *behind = &m->tensor[PLAN_FFN];
	void *qkv[GLLM_LLAMA_LAYER_GRAPH_TENSORS], *ffn[GLLM_LLAMA_LAYER_GRAPH_TENSORS];
	bind_weights(qkv, before, m->layer[l].weight);
	bind_weights(ffn, behind, m->layer[l].weight);
	qkv[before->x] = ffn[behind->x] = read_only(x);
	qkv[before->cos] = m->cos;
	qkv[before->sin] = m->sin;
	qkv[before->q] = m->q;
	qkv[before->k] = cache(m, m->keys, l, m->position);
	qkv[before->v] = cache(m, m->values, l, m->position);
	ffn[behind->attended] = m->attended;
	ffn[behind->y] = y;
	bool chunk = rows > 1;
	enum gllm_status s = gllm_plan_run(m->plan[chunk][PLAN_QKV], qkv, rows, m->workspace, e);
	if (s == GLLM_OK)
		s = attend(m, l, rows, e);
	if (s == GLLM_OK)
		s = gllm_plan_run(m->plan[chunk][PLAN_FFN], ffn, rows, m->workspace, e);
	return s;
}

/* Runs `rows` tokens through all layers; *last is the final hidden state of the last of them. */
static enum gllm_status run_chunk(struct gllm_llama *m, const int32_t *tokens, uint32_t rows, const float **last,
                                  struct gllm_error *e)
{
	const struct gllm_llama_config *c = &m->config;
	float *x = m->x[0], *y = m->x[1];
	for (uint32_t r = 0; r < rows; r++) {
		embed(m, tokens[r], x + (uint64_t)r * c->embedding);
		gllm_rope_table(m->cos + (uint64_t)r * (c->head_dim / 2), m->sin + (uint64_t)r * (c->head_dim / 2),
		                m->position + r, c->head_dim / 2, (double)c->rope_theta, c->rope_dims);
	}
	for (uint32_t l = 0; l < c->layers; l++) {
		enum gllm_status s = run_layer(m, l, rows, x, y, e);
		if (s != GLLM_OK)
			return s;
		float *t = x;
		x = y;
		y = t;
	}
	*last = x + (uint64_t)(rows - 1) * c->embedding;
	return GLLM_OK;
}

static enum gllm_status run_head(struct gllm_llama *m, const float *x, struct gllm_error *e)
{
	const struct gllm_llama_layer *l = &m->tensor[PLAN_HEAD];
	const void *weights[GLLM_LLAMA_TENSOR_COUNT] = { [GLLM_LLAMA_OUTPUT_NORM] = m->output_norm, [GLLM_LLAMA_OUTPUT] = m->output };
	void *bind[GLLM_LLAMA_LAYER_GRAPH_TENSORS];
	bind_weights(bind, l, weights);
	bind[l->x] = read_only(x);
	bind[l->y] = m->logits;
	return gllm_plan_run(m->plan[0][PLAN_HEAD], bind, 1, m->workspace, e);
}

enum gllm_status gllm_llama_eval(struct gllm_llama *m, const int32_t *tokens, size_t n, const float **logits,
                                 struct gllm_error *e)
{
	uint32_t start = m->position;
	if (n == 0 || !tokens)
		return gllm_fail(e, GLLM_INVALID_ARGUMENT, "no tokens to evaluate", NULL, 0, 1, n);
	if (n > m->capacity - m->position)
		return gllm_fail(e, GLLM_CONTEXT_FULL, "the tokens do not fit into what is left of the context", NULL, 0,
		                 m->capacity - m->position, n);
	for (size_t i = 0; i < n; i++)
		if (tokens[i] < 0 || (uint32_t)tokens[i] >= m->config.vocab)
			return gllm_fail(e, GLLM_INVALID_ARGUMENT, "token outside the vocabulary", NULL, i, m->config.vocab,
			                 (uint64_t)(int64_t)tokens[i]);
	const float *last = NULL;
	enum gllm_status s = GLLM_OK;
	while (n && s == GLLM_OK) {
		uint32_t rows = n < m->chunk ? (uint32_t)n : m->chunk;
		s = run_chunk(m, tokens, rows, &last, e);
		m->position += rows;
		tokens += rows;
		n -= rows;
	}
	if (s == GLLM_OK)
		s = run_head(m, last, e);
	if (s != GLLM_OK)
		m->position = start;
	else if (logits)
		*logits = m->logits;
	return s;
}

uint32_t gllm_llama_position(const struct gllm_llama *m)
{
	return m->position;
}

enum gllm_status gllm_llama_rewind(struct gllm_llama *m, uint32_t position)
{
	if (position > m->position)
		return GLLM_INVALID_ARGUMENT;
	m->position = position;
	return GLLM_OK;
}

const struct gllm_llama_config *gllm_llama_parameters(const struct gllm_llama *m)
{
	return &m->config;
}

const struct gllm_plan *gllm_llama_plan(const struct gllm_llama *m, unsigned which, bool chunk)
{
	return which < PLAN_COUNT ? m->plan[chunk][which] : NULL;
}
