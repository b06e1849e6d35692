/* SPDX-License-Identifier: MIT
 * infer/config.c - the hyper-parameters of a Llama, and its tensors by role.
 *
 * What must stay true: whatever a file contains that would change the result and is not computed here is refused by
 * name. So optional keys with a neutral value pass only with that value, and every tensor of the file must be expected. */
#include "infer/gguf.h"

enum extent { ONE, EMBEDDING, QUERY, KEY, FFN, VOCAB };

struct role {
	const char *name;
	enum extent row, rows;
};

static const struct role roles[GLLM_LLAMA_TENSOR_COUNT] = {
#define T(id, name, row, rows) [GLLM_LLAMA_##id] = { name, row, rows },
	GLLM_LLAMA_MODEL_TENSORS(T)
	GLLM_LLAMA_LAYER_TENSORS(T)
#undef T
};

static const enum gllm_llama_tensor first_layer_role = GLLM_LLAMA_ATTN_NORM;

static uint64_t extent(const struct gllm_llama_config *c, enum extent e)
{
	switch (e) {
	case ONE:       return 1;
	case EMBEDDING: return c->embedding;
	case QUERY:     return (uint64_t)c->heads * c->head_dim;
	case KEY:       return (uint64_t)c->kv_heads * c->head_dim;
	case FFN:       return c->ffn;
	case VOCAB:     return c->vocab;
	}
	return 0;
}

/* "blk.<layer>.<name>" or the name alone. The longest name of the list and ten digits leave room. */
static void role_name(char out[64], enum gllm_llama_tensor which, uint32_t layer)
{
	size_t n = 0;
	if (which >= first_layer_role) {
		char digit[10];
		size_t digits = 0;
		do {
			digit[digits++] = (char)('0' + layer % 10);
			layer /= 10;
		} while (layer);
		for (const char *p = "blk."; *p; p++)
			out[n++] = *p;
		while (digits)
			out[n++] = digit[--digits];
		out[n++] = '.';
	}
	for (const char *p = roles[which].name; *p; p++)
		out[n++] = *p;
	out[n] = 0;
}

static enum gllm_status find_tensor(const struct gllm_gguf *g, const struct gllm_llama_config *c,
                                    enum gllm_llama_tensor which, uint32_t layer, const struct gllm_gguf_tensor **out,
                                    struct gllm_error *e)
{
	char name[64];
	role_name(name, which, layer);
	const struct gllm_gguf_tensor *t = gllm_gguf_tensor(g, name);
	if (!t)
		return gllm_fail(e, GLLM_MISSING_KEY, "a required tensor is missing", name, g->size, 1, 0);
	uint64_t want[4] = { extent(c, roles[which].row), extent(c, roles[which].rows), 1, 1 };
	for (unsigned i = 0; i < 4; i++)
		if (t->dims[i] != want[i])
			return gllm_fail(e, GLLM_SHAPE_MISMATCH, "a tensor's dimension disagrees with the hyper-parameters", name,
			                 t->where, want[i], t->dims[i]);
	*out = t;
	return GLLM_OK;
}

static uint64_t where_is(const struct gllm_gguf *g, const char *key)
{
	const struct gllm_gguf_value *v = gllm_gguf_value(g, key);
	return v ? v->where : g->size;
}

/* ---- keys ---- */

/* Reads keys in a row; the first failure sticks. */
struct reader {
	const struct gllm_gguf *g;
	struct gllm_error *error;
	enum gllm_status status;
};

static void refuse(struct reader *r, enum gllm_status s, const char *what, const char *key, uint64_t expected,
                   uint64_t actual)
{
	if (r->status == GLLM_OK)
		r->status = gllm_fail(r->error, s, what, key, where_is(r->g, key), expected, actual);
}

static uint32_t required(struct reader *r, const char *key)
{
	uint32_t x = 0;
	if (r->status == GLLM_OK)
		r->status = gllm_gguf_u32(r->g, key, &x, r->error);
	if (r->status == GLLM_OK && (x == 0 || x > INT32_MAX))
		refuse(r, GLLM_BAD_VALUE, "a hyper-parameter is zero or too large", key, INT32_MAX, x);
	return x;
}

static uint32_t optional(struct reader *r, const char *key, uint64_t absent)
{
	if (gllm_gguf_value(r->g, key))
		return required(r, key);
	if (r->status == GLLM_OK && (absent == 0 || absent > INT32_MAX))
		refuse(r, GLLM_MISSING_KEY, "a key is missing and cannot be derived", key, 1, absent);
	return (uint32_t)absent;
}

static float read_float(struct reader *r, const char *key, float least)
{
	float x = 0.0f;
	if (r->status == GLLM_OK)
		r->status = gllm_gguf_f32(r->g, key, &x, r->error);
	if (r->status == GLLM_OK && !(x >= least && x < 1e30f))
		refuse(r, GLLM_BAD_VALUE, "a hyper-parameter is negative, too large or no number", key, 0, 0);
	return x;
}

/* Keys that ask for a computation that does not exist here, unless they hold the value that asks for nothing. */
static void neutral_keys(struct reader *r, const struct gllm_llama_config *c)
{
	struct gllm_text s;
	if (r->status == GLLM_OK && gllm_gguf_value(r->g, "llama.rope.scaling.type")) {
		r->status = gllm_gguf_string(r->g, "llama.rope.scaling.type", &s, r->error);
		if (r->status == GLLM_OK && !gllm_text_equal(s, gllm_text("none")))
			refuse(r, GLLM_UNSUPPORTED, "rope scaling", "llama.rope.scaling.type", 0, 1);
	}
	if (r->status == GLLM_OK && gllm_gguf_value(r->g, "llama.rope.scale_linear") &&
	    read_float(r, "llama.rope.scale_linear", 0.0f) != 1.0f)
		refuse(r, GLLM_UNSUPPORTED, "rope scaling", "llama.rope.scale_linear", 1, 0);
	if (r->status == GLLM_OK && gllm_gguf_value(r->g, "llama.expert_count")) {
		uint32_t n = 0;
		r->status = gllm_gguf_u32(r->g, "llama.expert_count", &n, r->error);
		if (r->status == GLLM_OK && n)
			refuse(r, GLLM_UNSUPPORTED, "mixture of experts", "llama.expert_count", 0, n);
	}
	uint32_t value_length = optional(r, "llama.attention.value_length", c->head_dim);
	if (r->status == GLLM_OK && value_length != c->head_dim)
		refuse(r, GLLM_UNSUPPORTED, "values of another length than keys", "llama.attention.value_length", c->head_dim,
		       value_length);
}

static void read_heads(struct reader *r, struct gllm_llama_config *c)
{
	static const char count[] = "llama.attention.head_count", kv[] = "llama.attention.head_count_kv";
	static const char length[] = "llama.attention.key_length", rope[] = "llama.rope.dimension_count";
	c->heads = required(r, count);
	c->kv_heads = optional(r, kv, c->heads);
	if (r->status != GLLM_OK)
		return;
	if (c->heads % c->kv_heads)
		refuse(r, GLLM_SHAPE_MISMATCH, "heads are not a multiple of key/value heads", kv, c->heads, c->kv_heads);
	if (!gllm_gguf_value(r->g, length) && c->embedding % c->heads)
		refuse(r, GLLM_SHAPE_MISMATCH, "embedding is not a multiple of heads", count, c->embedding, c->heads);
	c->head_dim = optional(r, length, c->embedding / c->heads);
	c->rope_dims = optional(r, rope, c->head_dim);
	if (r->status == GLLM_OK && (c->rope_dims > c->head_dim || c->rope_dims % 2))
		refuse(r, GLLM_SHAPE_MISMATCH, "rotated dimensions are odd or more than a head has", rope, c->head_dim,
		       c->rope_dims);
}

static void read_vocab(struct reader *r, struct gllm_llama_config *c)
{
	static const char tokens[] = "tokenizer.ggml.tokens";
	const struct gllm_gguf_value *v = gllm_gguf_value(r->g, tokens);
	if (r->status == GLLM_OK && v)
		r->status = gllm_gguf_array(r->g, tokens, GLLM_GGUF_STRING, &v, r->error);
	c->vocab = optional(r, "llama.vocab_size", v && r->status == GLLM_OK ? v->count : 0);
	if (r->status == GLLM_OK && v && v->count != c->vocab)
		refuse(r, GLLM_SHAPE_MISMATCH, "number of tokens and vocabulary", tokens, c->vocab, v->count);
}

/* ---- tensors ---- */

static bool expected_name(const struct gllm_llama_config *c, struct gllm_text name)
{
	static const char prefix[] = "blk.";
	size_t i = 0;
	while (i < sizeof prefix - 1 && i < name.n && name.at[i] == prefix[i])
		i++;
	enum gllm_llama_tensor from = GLLM_LLAMA_TOKEN_EMBD, to = first_layer_role;
	if (i == sizeof prefix - 1) {
		uint64_t layer = 0;
		size_t digits = i;
		while (i < name.n && i - digits < 10 && name.at[i] >= '0' && name.at[i] <= '9')
			layer = layer * 10 + (uint64_t)(name.at[i++] - '0');
		bool canonical = i > digits && (i - digits == 1 || name.at[digits] != '0');
		if (!canonical || layer >= c->layers || i == name.n || name.at[i] != '.')
			return false;
		name = (struct gllm_text){ name.at + i + 1, name.n - i - 1 };
		from = first_layer_role;
		to = GLLM_LLAMA_TENSOR_COUNT;
	}
	for (unsigned w = (unsigned)from; w < (unsigned)to; w++)
		if (gllm_text_equal(name, gllm_text(roles[w].name)))
			return true;
	return false;
}

static enum gllm_status check_tensors(const struct gllm_gguf *g, const struct gllm_llama_config *c, struct gllm_error *e)
{
	const struct gllm_gguf_tensor *t;
	enum gllm_status s = GLLM_OK;
	for (unsigned w = 0; w < (unsigned)first_layer_role && s == GLLM_OK; w++)
		if (w != GLLM_LLAMA_OUTPUT || !c->tied_output)
			s = find_tensor(g, c, (enum gllm_llama_tensor)w, 0, &t, e);
	for (uint32_t layer = 0; layer < c->layers && s == GLLM_OK; layer++) /* ends at the first layer that is missing */
		for (unsigned w = (unsigned)first_layer_role; w < GLLM_LLAMA_TENSOR_COUNT && s == GLLM_OK; w++)
			s = find_tensor(g, c, (enum gllm_llama_tensor)w, layer, &t, e);
	for (uint64_t i = 0; i < g->tensor_count && s == GLLM_OK; i++)
		if (!expected_name(c, g->tensors[i].name))
			s = gllm_fail(e, GLLM_UNSUPPORTED, "a tensor that is not part of this architecture",
			              gllm_name(g->tensors[i].name).text, g->tensors[i].where, 0, 1);
	return s;
}

enum gllm_status gllm_llama_config(struct gllm_llama_config *c, const struct gllm_gguf *g, struct gllm_error *error)
{
	static const char architecture[] = "general.architecture", theta[] = "llama.rope.freq_base";
	if (!c || !g)
		return gllm_fail(error, GLLM_INVALID_ARGUMENT, "null argument", NULL, 0, 1, 0);
	struct gllm_text name;
	enum gllm_status s = gllm_gguf_string(g, architecture, &name, error);
	if (s != GLLM_OK)
		return s;
	if (!gllm_text_equal(name, gllm_text("llama")))
		return gllm_fail(error, GLLM_UNSUPPORTED, "general.architecture is not llama but this", gllm_name(name).text,
		                 where_is(g, architecture), 0, 1);
	struct reader r = { .g = g, .error = error };
	struct gllm_llama_config x = { 0 };
	x.context = required(&r, "llama.context_length");
	x.embedding = required(&r, "llama.embedding_length");
	x.layers = required(&r, "llama.block_count");
	x.ffn = required(&r, "llama.feed_forward_length");
	read_heads(&r, &x);
	x.rms_eps = read_float(&r, "llama.attention.layer_norm_rms_epsilon", 0.0f);
	x.rope_theta = gllm_gguf_value(g, theta) ? read_float(&r, theta, 1.0f) : 10000.0f;
	read_vocab(&r, &x);
	neutral_keys(&r, &x);
	x.tied_output = !gllm_gguf_tensor(g, roles[GLLM_LLAMA_OUTPUT].name);
	if (r.status == GLLM_OK)
		r.status = check_tensors(g, &x, error);
	if (r.status == GLLM_OK)
		*c = x;
	return r.status;
}

enum gllm_status gllm_llama_weights(const struct gllm_gguf *g, const struct gllm_llama_config *c,
                                    enum gllm_llama_tensor which, uint32_t layer, const void **data,
                                    enum gllm_type *type, struct gllm_error *error)
{
	if (!g || !c || !data || !type || (unsigned)which >= GLLM_LLAMA_TENSOR_COUNT ||
	    (which >= first_layer_role && layer >= c->layers))
		return gllm_fail(error, GLLM_INVALID_ARGUMENT, "null argument, or no such tensor", NULL, (uint64_t)which,
		                 GLLM_LLAMA_TENSOR_COUNT, layer);
	const struct gllm_gguf_tensor *t = NULL;
	if (which == GLLM_LLAMA_OUTPUT && c->tied_output)
		which = GLLM_LLAMA_TOKEN_EMBD;
	enum gllm_status s = find_tensor(g, c, which, layer, &t, error);
	if (s != GLLM_OK)
		return s;
	static const struct { enum gllm_ggml_type file; enum gllm_type here; } usable[] = {
		{ GLLM_GGML_F32, GLLM_F32 }, { GLLM_GGML_F16, GLLM_F16 }, { GLLM_GGML_BF16, GLLM_BF16 },
	};
	for (size_t i = 0; i < sizeof usable / sizeof usable[0]; i++) {
		if (t->type != usable[i].file)
			continue;
		size_t align = gllm_ggml_type_info(t->type)->bytes;
		if ((uintptr_t)t->data % align)
			return gllm_fail(error, GLLM_INVALID_ARGUMENT, "address of a tensor is not aligned to its elements",
			                 gllm_name(t->name).text, t->where, align, (uintptr_t)t->data % align);
		*data = t->data;
		*type = usable[i].here;
		return GLLM_OK;
	}
	return gllm_fail(error, GLLM_UNSUPPORTED, "a tensor type that cannot be computed with", gllm_name(t->name).text,
	                 t->where, GLLM_GGML_F32, t->type);
}
