/* SPDX-License-Identifier: MIT
 * tests/check_gguf.c - GGUF and hyper-parameters: files built here, right and wrong, and the model that was given. */
#include "tests/check.h"
#include "tests/gguf_build.h"

/* The parts of the memory these tests use. */
enum { FILE_BYTES = 8192, INDEX_BYTES = 16384, SPACE_BYTES = 65536 };

struct bench {
	struct check *t;
	unsigned char *file, *index, *space;
	struct build b;
};

/* Everything that reads a file, until something fails. */
static enum gllm_status read_all(const struct bench *x, const void *file, size_t size, struct gllm_error *e)
{
	struct gllm_gguf g;
	struct gllm_llama_config c;
	struct gllm_tokenizer tok;
	size_t need = 0;
	*e = (struct gllm_error){ 0 };
	enum gllm_status s = gllm_gguf_workspace(file, size, &need, e);
	if (s == GLLM_OK)
		s = need > INDEX_BYTES ? GLLM_INVALID_ARGUMENT : gllm_gguf_open(&g, file, size, x->index, need, e);
	if (s == GLLM_OK)
		s = gllm_llama_config(&c, &g, e);
	for (unsigned w = 0; s == GLLM_OK && w < GLLM_LLAMA_TENSOR_COUNT; w++) {
		const void *data;
		enum gllm_type type;
		s = gllm_llama_weights(&g, &c, (enum gllm_llama_tensor)w, 0, &data, &type, e);
	}
	if (s == GLLM_OK)
		s = gllm_tokenizer_workspace(&g, &need, e);
	if (s == GLLM_OK)
		s = need > SPACE_BYTES ? GLLM_INVALID_ARGUMENT : gllm_tokenizer_init(&tok, &g, x->space, need, e);
	return s;
}

static void right_file(struct bench *x)
{
	struct check *t = x->t;
	struct gllm_gguf g;
	struct gllm_llama_config c;
	struct gllm_error e = { 0 };
	size_t need = 0;
	build_llama(&x->b, x->file, FILE_BYTES, (struct lie){ 0 });
	CHECK(t, x->b.n < FILE_BYTES);
	CHECK_STATUS(t, gllm_gguf_workspace(x->file, x->b.n, &need, &e), GLLM_OK);
	CHECK(t, need <= INDEX_BYTES);
	x->index[need] = 0xa5;
	CHECK_STATUS(t, gllm_gguf_open(&g, x->file, x->b.n, x->index, need, &e), GLLM_OK);
	CHECK_EQ(t, x->index[need], 0xa5);
	CHECK_EQ(t, g.version, 3);
	CHECK_EQ(t, g.value_count, x->b.keys);
	CHECK_EQ(t, g.tensor_count, x->b.tensors);
	CHECK_STATUS(t, gllm_llama_config(&c, &g, &e), GLLM_OK);
	CHECK_EQ(t, c.context, 64);
	CHECK_EQ(t, c.embedding, 8);
	CHECK_EQ(t, c.layers, 1);
	CHECK_EQ(t, c.heads, 2);
	CHECK_EQ(t, c.kv_heads, 1);
	CHECK_EQ(t, c.head_dim, 4);
	CHECK_EQ(t, c.ffn, 12);
	CHECK_EQ(t, c.vocab, 7);
	CHECK_EQ(t, c.rope_dims, 4);
	CHECK(t, c.rope_theta == 10000.0f);
	CHECK(t, c.rms_eps == 1e-5f);
	CHECK(t, !c.tied_output);
	const struct gllm_gguf_tensor *down = gllm_gguf_tensor(&g, "blk.0.ffn_down.weight");
	CHECK(t, down && down->dims[0] == 12 && down->dims[1] == 8 && down->dims[2] == 1 && down->bytes == 384);
	CHECK(t, down && down->data + down->bytes == x->file + x->b.n);
	CHECK(t, gllm_gguf_tensor(&g, "blk.0.ffn_down") == NULL);
	CHECK(t, gllm_gguf_value(&g, "") == NULL);
	const void *data = NULL;
	enum gllm_type type = GLLM_I8;
	CHECK_STATUS(t, gllm_llama_weights(&g, &c, GLLM_LLAMA_FFN_DOWN, 0, &data, &type, &e), GLLM_OK);
	CHECK(t, down && data == down->data && type == GLLM_F32);
	CHECK_STATUS(t, gllm_llama_weights(&g, &c, GLLM_LLAMA_OUTPUT, 9, &data, &type, &e), GLLM_OK);
	CHECK_EQ(t, type, GLLM_F16);
	CHECK_STATUS(t, gllm_llama_weights(&g, &c, GLLM_LLAMA_ATTN_V, 0, &data, &type, &e), GLLM_OK);
	CHECK_EQ(t, type, GLLM_BF16);
	CHECK_STATUS(t, gllm_llama_weights(&g, &c, GLLM_LLAMA_ATTN_V, 1, &data, &type, NULL), GLLM_INVALID_ARGUMENT);
	CHECK_EQ(t, e.status, GLLM_OK);
	CHECK_STATUS(t, gllm_gguf_open(&g, x->file, x->b.n, x->index, need - 1, &e), GLLM_OUT_OF_MEMORY);
	CHECK_EQ(t, e.expected, need);
	CHECK_EQ(t, e.actual, need - 1);
	CHECK_STATUS(t, gllm_gguf_open(&g, x->file, x->b.n, x->index + 1, need, NULL), GLLM_INVALID_ARGUMENT);
	CHECK_STATUS(t, gllm_gguf_open(&g, NULL, x->b.n, x->index, need, NULL), GLLM_INVALID_ARGUMENT);
	CHECK_STATUS(t, gllm_gguf_workspace(x->file, x->b.n, NULL, NULL), GLLM_INVALID_ARGUMENT);
}

static void absent_keys(struct bench *x)
{
	struct check *t = x->t;
	static const struct { const char *key; } row[] = {
		{ "general.alignment" }, { "llama.attention.head_count_kv" }, { "llama.rope.dimension_count" },
		{ "llama.vocab_size" }, { "tokenizer.ggml.token_type" }, { "output.weight" },
	};
	struct gllm_error e;
	for (unsigned i = 0; i < GLLM_COUNT(row); i++) {
		build_llama(&x->b, x->file, FILE_BYTES, (struct lie){ row[i].key, LIE_SKIP, 0 });
		/* without the key there are as many key/value heads as heads: the tensors then disagree */
		bool kv = i == 1;
		CHECK_STATUS(t, read_all(x, x->file, x->b.n, &e), kv ? GLLM_SHAPE_MISMATCH : GLLM_OK);
		if (kv)
			CHECK_TEXT(t, e.name, "blk.0.attn_k.weight");
	}
	struct gllm_gguf g;
	struct gllm_llama_config c = { 0 };
	build_llama(&x->b, x->file, FILE_BYTES, (struct lie){ "output.weight", LIE_SKIP, 0 });
	CHECK_STATUS(t, gllm_gguf_open(&g, x->file, x->b.n, x->index, INDEX_BYTES, &e), GLLM_OK);
	CHECK_STATUS(t, gllm_llama_config(&c, &g, &e), GLLM_OK);
	const void *data = NULL;
	enum gllm_type type = GLLM_I8;
	CHECK(t, c.tied_output);
	CHECK_STATUS(t, gllm_llama_weights(&g, &c, GLLM_LLAMA_OUTPUT, 0, &data, &type, &e), GLLM_OK);
	CHECK(t, data == gllm_gguf_tensor(&g, "token_embd.weight")->data && type == GLLM_F32);
}

static void typed_access(struct bench *x)
{
	struct check *t = x->t;
	struct gllm_gguf g;
	struct gllm_error e = { 0 };
	struct build *b = &x->b;
	build_start(b, x->file, FILE_BYTES, (struct lie){ 0 });
	build_scalar(b, "i8", GLLM_GGUF_I8, 0x80, 1);
	build_scalar(b, "u16", GLLM_GGUF_U16, 0xffff, 2);
	build_scalar(b, "i64", GLLM_GGUF_I64, (uint64_t)-5, 8);
	build_scalar(b, "u64", GLLM_GGUF_U64, UINT64_MAX, 8);
	build_scalar(b, "f64", GLLM_GGUF_F64, gllm_f64_bits(0.5), 8);
	build_f32(b, "f32", -2.5f);
	build_bool(b, "no", false);
	build_string(b, "s", "text");
	build_array(b, "list", GLLM_GGUF_U16, 3);
	build_number(b, 0xffff00020001, 6);
	build_array(b, "none", GLLM_GGUF_STRING, 0);
	build_finish(b);
	CHECK_STATUS(t, gllm_gguf_open(&g, b->bytes, b->n, x->index, INDEX_BYTES, &e), GLLM_OK);
	uint32_t u = 7;
	int32_t i = 7;
	uint64_t w = 7;
	float f = 7.0f;
	bool yes = true;
	struct gllm_text s = { 0 };
	const struct gllm_gguf_value *v = NULL;
	CHECK_STATUS(t, gllm_gguf_i32(&g, "i8", &i, &e), GLLM_OK);
	CHECK_EQ(t, (int64_t)i, -128);
	CHECK_STATUS(t, gllm_gguf_u32(&g, "u16", &u, &e), GLLM_OK);
	CHECK_EQ(t, u, 65535);
	CHECK_STATUS(t, gllm_gguf_i32(&g, "i64", &i, &e), GLLM_OK);
	CHECK_EQ(t, (int64_t)i, -5);
	CHECK_STATUS(t, gllm_gguf_u64(&g, "u64", &w, &e), GLLM_OK);
	CHECK_EQ(t, w, UINT64_MAX);
	CHECK_STATUS(t, gllm_gguf_u32(&g, "i64", &u, NULL), GLLM_BAD_VALUE);
	CHECK_STATUS(t, gllm_gguf_u64(&g, "i8", &w, NULL), GLLM_BAD_VALUE);
	CHECK_STATUS(t, gllm_gguf_i32(&g, "u64", &i, NULL), GLLM_BAD_VALUE);
	CHECK_EQ(t, u, 65535);
	CHECK_STATUS(t, gllm_gguf_f32(&g, "f64", &f, &e), GLLM_OK);
	CHECK(t, f == 0.5f);
	CHECK_STATUS(t, gllm_gguf_f32(&g, "f32", &f, &e), GLLM_OK);
	CHECK(t, f == -2.5f);
	CHECK_STATUS(t, gllm_gguf_bool(&g, "no", &yes, &e), GLLM_OK);
	CHECK(t, !yes);
	CHECK_STATUS(t, gllm_gguf_string(&g, "s", &s, &e), GLLM_OK);
	CHECK(t, s.n == 4 && s.at[0] == 't' && s.at[3] == 't');
	CHECK_STATUS(t, gllm_gguf_array(&g, "list", GLLM_GGUF_I64, &v, &e), GLLM_OK);
	CHECK(t, v->count == 3 && gllm_gguf_integer_at(v, 0) == 1 && gllm_gguf_integer_at(v, 2) == 65535);
	CHECK_STATUS(t, gllm_gguf_array(&g, "none", GLLM_GGUF_STRING, &v, &e), GLLM_OK);
	CHECK_EQ(t, v->count, 0);
	CHECK_EQ(t, e.status, GLLM_OK);
	CHECK_STATUS(t, gllm_gguf_array(&g, "list", GLLM_GGUF_F32, &v, &e), GLLM_WRONG_TYPE);
	CHECK_TEXT(t, e.name, "list");
	CHECK_STATUS(t, gllm_gguf_array(&g, "s", GLLM_GGUF_STRING, &v, NULL), GLLM_WRONG_TYPE);
	CHECK_STATUS(t, gllm_gguf_u32(&g, "list", &u, NULL), GLLM_WRONG_TYPE);
	CHECK_STATUS(t, gllm_gguf_u32(&g, "f32", &u, NULL), GLLM_WRONG_TYPE);
	CHECK_STATUS(t, gllm_gguf_f32(&g, "u16", &f, NULL), GLLM_WRONG_TYPE);
	CHECK_STATUS(t, gllm_gguf_bool(&g, "i8", &yes, NULL), GLLM_WRONG_TYPE);
	CHECK_STATUS(t, gllm_gguf_u32(&g, "nothing", &u, NULL), GLLM_MISSING_KEY);
	CHECK_STATUS(t, gllm_gguf_u32(&g, "u16", NULL, NULL), GLLM_INVALID_ARGUMENT);
}

/* One lie a row. `name` is what the error must name. */
static const struct {
	const char *at;
	enum lie_kind kind;
	uint64_t value;
	enum gllm_status want;
	const char *name;
} lie[] = {
	{ "magic", LIE_VALUE, 0x46554748, GLLM_BAD_MAGIC, "" },
	{ "version", LIE_VALUE, 1, GLLM_BAD_VERSION, "" },
	{ "version", LIE_VALUE, 4, GLLM_BAD_VERSION, "" },
	{ "version", LIE_VALUE, 0x03000000, GLLM_BAD_VERSION, "" },
	{ "version", LIE_VALUE, 2, GLLM_OK, "" },
	{ "keys", LIE_VALUE, UINT64_MAX, GLLM_TRUNCATED, "" },
	{ "keys", LIE_VALUE, 1u << 31, GLLM_TRUNCATED, "" },
	{ "tensors", LIE_VALUE, UINT64_MAX / 80, GLLM_TRUNCATED, "" },
	{ "tensors", LIE_VALUE, UINT64_MAX, GLLM_TRUNCATED, "" },
	{ "llama.context_length", LIE_LENGTH, 0, GLLM_BAD_VALUE, "" },
	{ "llama.context_length", LIE_LENGTH, 65536, GLLM_BAD_VALUE, "" },
	{ "llama.context_length", LIE_LENGTH, UINT64_MAX, GLLM_BAD_VALUE, "" },
	{ "llama.context_length", LIE_LENGTH, 65535, GLLM_TRUNCATED, "" },
	{ "llama.context_length", LIE_TYPE, 13, GLLM_BAD_VALUE, "llama.context_length" },
	{ "llama.context_length", LIE_TYPE, UINT32_MAX, GLLM_BAD_VALUE, "llama.context_length" },
	{ "llama.context_length", LIE_TYPE, GLLM_GGUF_F32, GLLM_WRONG_TYPE, "llama.context_length" },
	{ "llama.context_length", LIE_TYPE, GLLM_GGUF_I32, GLLM_OK, "" },
	{ "llama.context_length", LIE_VALUE, 0, GLLM_BAD_VALUE, "llama.context_length" },
	{ "llama.context_length", LIE_VALUE, 0x80000000, GLLM_BAD_VALUE, "llama.context_length" },
	{ "llama.context_length", LIE_SKIP, 0, GLLM_MISSING_KEY, "llama.context_length" },
	{ "llama.context_length", LIE_TWICE, 0, GLLM_DUPLICATE, "llama.context_length" },
	{ "general.architecture", LIE_SKIP, 0, GLLM_MISSING_KEY, "general.architecture" },
	{ "general.architecture", LIE_VALUE, UINT64_MAX, GLLM_TRUNCATED, "general.architecture" },
	{ "general.architecture", LIE_VALUE, 1 << 20, GLLM_TRUNCATED, "general.architecture" },
	{ "general.alignment", LIE_VALUE, 0, GLLM_BAD_VALUE, "general.alignment" },
	{ "general.alignment", LIE_VALUE, 48, GLLM_BAD_VALUE, "general.alignment" },
	{ "general.alignment", LIE_VALUE, 131072, GLLM_BAD_VALUE, "general.alignment" },
	{ "general.alignment", LIE_TYPE, GLLM_GGUF_F32, GLLM_WRONG_TYPE, "general.alignment" },
	{ "general.alignment", LIE_VALUE, 65536, GLLM_TRUNCATED, "token_embd.weight" },
	{ "tokenizer.ggml.add_bos_token", LIE_VALUE, 2, GLLM_BAD_VALUE, "tokenizer.ggml.add_bos_token" },
	{ "tokenizer.ggml.tokens", LIE_ELEMENT, GLLM_GGUF_ARRAY, GLLM_UNSUPPORTED, "tokenizer.ggml.tokens" },
	{ "tokenizer.ggml.tokens", LIE_ELEMENT, 77, GLLM_BAD_VALUE, "tokenizer.ggml.tokens" },
	{ "tokenizer.ggml.tokens", LIE_COUNT, UINT64_MAX, GLLM_TRUNCATED, "tokenizer.ggml.tokens" },
	{ "tokenizer.ggml.tokens", LIE_COUNT, UINT64_MAX / 8 + 2, GLLM_TRUNCATED, "tokenizer.ggml.tokens" },
	{ "tokenizer.ggml.scores", LIE_COUNT, UINT64_MAX / 4 + 2, GLLM_TRUNCATED, "tokenizer.ggml.scores" },
	{ "tokenizer.ggml.scores", LIE_VALUE, 0x7fc00000, GLLM_BAD_VALUE, "tokenizer.ggml.scores" },
	{ "tokenizer.ggml.scores", LIE_SKIP, 0, GLLM_MISSING_KEY, "tokenizer.ggml.scores" },
	{ "tokenizer.ggml.scores", LIE_ELEMENT, GLLM_GGUF_I32, GLLM_WRONG_TYPE, "tokenizer.ggml.scores" },
	{ "tokenizer.ggml.token_type", LIE_VALUE, 7, GLLM_BAD_VALUE, "tokenizer.ggml.token_type" },
	{ "tokenizer.ggml.token_type", LIE_VALUE, 6, GLLM_BAD_VALUE, "\?\?\?" },
	{ "tokenizer.ggml.bos_token_id", LIE_VALUE, 7, GLLM_BAD_VALUE, "tokenizer.ggml.bos_token_id" },
	{ "tokenizer.ggml.model", LIE_SKIP, 0, GLLM_MISSING_KEY, "tokenizer.ggml.model" },
	{ "llama.embedding_length", LIE_VALUE, 10, GLLM_SHAPE_MISMATCH, "token_embd.weight" },
	{ "llama.embedding_length", LIE_VALUE, 16, GLLM_SHAPE_MISMATCH, "token_embd.weight" },
	{ "llama.embedding_length", LIE_VALUE, 7, GLLM_SHAPE_MISMATCH, "llama.attention.head_count" },
	{ "llama.block_count", LIE_VALUE, 2, GLLM_MISSING_KEY, "blk.1.attn_norm.weight" },
	{ "llama.block_count", LIE_VALUE, 0x7fffffff, GLLM_MISSING_KEY, "blk.1.attn_norm.weight" },
	{ "llama.block_count", LIE_VALUE, 1ull << 40, GLLM_BAD_VALUE, "llama.block_count" },
	{ "llama.feed_forward_length", LIE_VALUE, 0xffff, GLLM_BAD_VALUE, "llama.feed_forward_length" },
	{ "llama.feed_forward_length", LIE_VALUE, 13, GLLM_SHAPE_MISMATCH, "blk.0.ffn_gate.weight" },
	{ "llama.attention.head_count_kv", LIE_VALUE, 3, GLLM_SHAPE_MISMATCH, "llama.attention.head_count_kv" },
	{ "llama.attention.head_count_kv", LIE_VALUE, 0, GLLM_BAD_VALUE, "llama.attention.head_count_kv" },
	{ "llama.rope.dimension_count", LIE_VALUE, 3, GLLM_SHAPE_MISMATCH, "llama.rope.dimension_count" },
	{ "llama.rope.dimension_count", LIE_VALUE, 6, GLLM_SHAPE_MISMATCH, "llama.rope.dimension_count" },
	{ "llama.attention.layer_norm_rms_epsilon", LIE_SKIP, 0, GLLM_MISSING_KEY, "llama.attention.layer_norm_rms_epsilon" },
	{ "llama.attention.layer_norm_rms_epsilon", LIE_VALUE, 0x7f800000, GLLM_BAD_VALUE,
	  "llama.attention.layer_norm_rms_epsilon" },
	{ "llama.attention.layer_norm_rms_epsilon", LIE_VALUE, 0x7fc00000, GLLM_BAD_VALUE,
	  "llama.attention.layer_norm_rms_epsilon" },
	{ "llama.expert_count", LIE_VALUE, 8, GLLM_UNSUPPORTED, "llama.expert_count" },
	{ "llama.vocab_size", LIE_VALUE, 8, GLLM_SHAPE_MISMATCH, "tokenizer.ggml.tokens" },
	{ "output_norm.weight", LIE_SKIP, 0, GLLM_MISSING_KEY, "output_norm.weight" },
	{ "output_norm.weight", LIE_TWICE, 0, GLLM_DUPLICATE, "output_norm.weight" },
	{ "output_norm.weight", LIE_LENGTH, 65, GLLM_BAD_VALUE, "" },
	{ "output_norm.weight", LIE_LENGTH, 0, GLLM_BAD_VALUE, "" },
	{ "output_norm.weight", LIE_NDIMS, 5, GLLM_BAD_VALUE, "output_norm.weight" },
	{ "output_norm.weight", LIE_NDIMS, UINT32_MAX, GLLM_BAD_VALUE, "output_norm.weight" },
	{ "output_norm.weight", LIE_DIM, 0, GLLM_BAD_VALUE, "output_norm.weight" },
	{ "output_norm.weight", LIE_DIM, 4, GLLM_SHAPE_MISMATCH, "output_norm.weight" },
	{ "output_norm.weight", LIE_DIM, 9, GLLM_OVERLAP, "output.weight" },
	{ "output_norm.weight", LIE_DIM, INT64_MAX, GLLM_BAD_VALUE, "output_norm.weight" },
	{ "output_norm.weight", LIE_DIM, UINT64_MAX, GLLM_BAD_VALUE, "output_norm.weight" },
	{ "output_norm.weight", LIE_DIM, 1ull << 61, GLLM_TRUNCATED, "output_norm.weight" },
	{ "output.weight", LIE_DIM, 1ull << 62, GLLM_BAD_VALUE, "output.weight" },
	{ "output_norm.weight", LIE_TYPE, 4, GLLM_UNSUPPORTED, "output_norm.weight" },
	{ "output_norm.weight", LIE_TYPE, 43, GLLM_UNSUPPORTED, "output_norm.weight" },
	{ "output_norm.weight", LIE_TYPE, UINT32_MAX, GLLM_UNSUPPORTED, "output_norm.weight" },
	{ "output_norm.weight", LIE_TYPE, GLLM_GGML_Q4_0, GLLM_BAD_VALUE, "output_norm.weight" },
	{ "output_norm.weight", LIE_TYPE, GLLM_GGML_I8, GLLM_UNSUPPORTED, "output_norm.weight" },
	{ "output_norm.weight", LIE_OFFSET, 4, GLLM_BAD_VALUE, "output_norm.weight" },
	{ "output_norm.weight", LIE_OFFSET, 0, GLLM_OVERLAP, "output_norm.weight" },
	{ "output_norm.weight", LIE_OFFSET, 1 << 20, GLLM_TRUNCATED, "output_norm.weight" },
	{ "output_norm.weight", LIE_OFFSET, UINT64_MAX - 31, GLLM_TRUNCATED, "output_norm.weight" },
	{ "attn_norm.weight", LIE_STRANGER, 0, GLLM_UNSUPPORTED, "attn_norm.weight" },
	{ "blk.0.output_norm.weight", LIE_STRANGER, 0, GLLM_UNSUPPORTED, "blk.0.output_norm.weight" },
	{ "blk.0.attn_norm.weights", LIE_STRANGER, 0, GLLM_UNSUPPORTED, "blk.0.attn_norm.weights" },
	{ "blk.1.attn_norm.weight", LIE_STRANGER, 0, GLLM_UNSUPPORTED, "blk.1.attn_norm.weight" },
	{ "blk.00.attn_norm.weight", LIE_STRANGER, 0, GLLM_UNSUPPORTED, "blk.00.attn_norm.weight" },
	{ "blk.4294967296.attn_norm.weight", LIE_STRANGER, 0, GLLM_UNSUPPORTED, "blk.4294967296.attn_norm.weight" },
	{ "blk..attn_norm.weight", LIE_STRANGER, 0, GLLM_UNSUPPORTED, "blk..attn_norm.weight" },
	{ "blk.0attn_norm.weight", LIE_STRANGER, 0, GLLM_UNSUPPORTED, "blk.0attn_norm.weight" },
	{ "blk.0", LIE_STRANGER, 0, GLLM_UNSUPPORTED, "blk.0" },
	{ "bl", LIE_STRANGER, 0, GLLM_UNSUPPORTED, "bl" },
};

static void lies(struct bench *x)
{
	struct gllm_error e;
	for (unsigned i = 0; i < GLLM_COUNT(lie); i++) {
		build_llama(&x->b, x->file, FILE_BYTES, (struct lie){ lie[i].at, lie[i].kind, lie[i].value });
		unsigned failed = x->t->failed;
		CHECK_STATUS(x->t, read_all(x, x->file, x->b.n, &e), lie[i].want);
		CHECK_TEXT(x->t, e.name, lie[i].name);
		CHECK(x->t, e.status == lie[i].want && e.where <= x->b.n && (lie[i].want == GLLM_OK) == !e.what);
		if (x->t->failed > failed)
			check_print(x->t, "    row %u: %s, %s\n", i, lie[i].at, e.what ? e.what : "no error");
	}
}

/* Tensors of single bytes, placed without padding: the second may begin where the first ends, and not a byte before. */
static void neighbours(struct bench *x)
{
	for (unsigned at = 0; at <= 6; at++) {
		struct gllm_error e = { .status = GLLM_OK };
		struct gllm_gguf g;
		size_t need;
		build_start(&x->b, x->file, FILE_BYTES, (struct lie){ "second", LIE_OFFSET, at });
		x->b.alignment = 1;
		build_u32(&x->b, "general.alignment", 1);
		build_tensor(&x->b, "first", GLLM_GGML_I8, 5, 0);
		build_tensor(&x->b, "second", GLLM_GGML_I8, 5, 0);
		build_finish(&x->b);
		CHECK_STATUS(x->t, gllm_gguf_workspace(x->file, x->b.n + 1, &need, &e), GLLM_OK);
		CHECK(x->t, need <= SPACE_BYTES);
		CHECK_STATUS(x->t, gllm_gguf_open(&g, x->file, x->b.n + 1, x->space, need, &e), at < 5 ? GLLM_OVERLAP : GLLM_OK);
		CHECK_TEXT(x->t, e.name, at < 5 ? "second" : "");
	}
}

/* Texts of keys that lies cannot reach: replaced in place, length unchanged. */
static void other_words(struct bench *x)
{
	static const struct { const char *from, *to; enum gllm_status want; const char *name; } row[] = {
		{ "llama\x10", "gemma\x10", GLLM_OK, "" }, /* nowhere: nothing is replaced */
		{ "architecture\x08\0\0\0\5\0\0\0\0\0\0\0llama", "architecture\x08\0\0\0\5\0\0\0\0\0\0\0gemma", GLLM_UNSUPPORTED,
		  "gemma" },
		{ "ggml.model\x08\0\0\0\5\0\0\0\0\0\0\0llama", "ggml.model\x08\0\0\0\5\0\0\0\0\0\0\0gpt-2", GLLM_UNSUPPORTED, "gpt-2" },
		{ "scaling.type\x08\0\0\0\4\0\0\0\0\0\0\0none", "scaling.type\x08\0\0\0\4\0\0\0\0\0\0\0yarn", GLLM_UNSUPPORTED,
		  "llama.rope.scaling.type" },
		{ "blk.0.ffn_norm", "blk.7.ffn_norm", GLLM_MISSING_KEY, "blk.0.ffn_norm.weight" },
		{ "\x0d\0\0\0\0\0\0\0output.weight", "\x0d\0\0\0\0\0\0\0output.slopes", GLLM_UNSUPPORTED, "output.slopes" },
	};
	static const size_t length[] = { 6, 29, 27, 28, 14, 21 };
	struct gllm_error e;
	for (unsigned i = 0; i < GLLM_COUNT(row); i++) {
		build_llama(&x->b, x->file, FILE_BYTES, (struct lie){ 0 });
		for (size_t at = 0; at + length[i] <= x->b.n; at++) {
			size_t same = 0;
			while (same < length[i] && x->file[at + same] == (unsigned char)row[i].from[same])
				same++;
			for (size_t k = 0; same == length[i] && k < length[i]; k++)
				x->file[at + k] = (unsigned char)row[i].to[k];
		}
		CHECK_STATUS(x->t, read_all(x, x->file, x->b.n, &e), row[i].want);
		CHECK_TEXT(x->t, e.name, row[i].name);
	}
}

/* Every shorter file fails, and nothing behind its end is read where the platform can tell. */
static void truncated(struct bench *x)
{
	const struct check_host *h = x->t->host;
	struct gllm_error e;
	build_llama(&x->b, x->file, FILE_BYTES, (struct lie){ 0 });
	size_t n = x->b.n;
	unsigned char *room = h->guarded ? h->guarded(h->user, n, true) : x->space;
	unsigned char *end = room + n, *copy = room;
	unsigned wrong = 0;
	if (room == x->space)
		check_skip(x->t, "no guard pages behind a truncated file");
	for (size_t i = 0; i < n; i++) {
		copy = end - i;
		for (size_t k = 0; k < i; k++)
			copy[k] = x->file[k];
		size_t need = 0;
		struct gllm_gguf g;
		e = (struct gllm_error){ 0 };
		enum gllm_status s = gllm_gguf_workspace(copy, i, &need, &e);
		if (s == GLLM_OK && need <= INDEX_BYTES)
			s = gllm_gguf_open(&g, copy, i, x->index, need, &e);
		wrong += s != GLLM_TRUNCATED || e.where > i || e.status != s;
	}
	CHECK_EQ(x->t, wrong, 0);
	if (room != x->space)
		h->guarded_free(h->user, room, n, true);
}

/* Whatever the bits, there is a status, and what opens can be read. */
static void flipped(struct bench *x)
{
	enum { ROUNDS = 100000 };
	struct gllm_error e;
	unsigned opened = 0, refused = 0, wrong = 0;
	build_llama(&x->b, x->file, FILE_BYTES, (struct lie){ 0 });
	size_t described = x->b.n - (size_t)x->b.offset;
	for (unsigned i = 0; i < ROUNDS; i++) {
		size_t at[3];
		unsigned bit[3], flips = 1 + check_below(x->t, 3);
		for (unsigned k = 0; k < flips; k++) {
			at[k] = check_below(x->t, (uint32_t)described);
			bit[k] = check_below(x->t, 8);
			x->file[at[k]] ^= (unsigned char)(1u << bit[k]);
		}
		enum gllm_status s = read_all(x, x->file, x->b.n, &e);
		opened += s == GLLM_OK;
		refused += s != GLLM_OK;
		wrong += s > GLLM_OK || s <= GLLM_STATUS_LEAST || s != e.status || e.where > x->b.n;
		while (flips--)
			x->file[at[flips]] ^= (unsigned char)(1u << bit[flips]);
	}
	CHECK_EQ(x->t, wrong, 0);
	CHECK(x->t, opened > ROUNDS / 100 && refused > ROUNDS / 2);
	CHECK_STATUS(x->t, read_all(x, x->file, x->b.n, &e), GLLM_OK);
}

static void type_list(struct bench *x)
{
	struct check *t = x->t;
	CHECK_TEXT(t, gllm_ggml_type_info(GLLM_GGML_Q4_K)->name, "Q4_K");
	CHECK_EQ(t, gllm_ggml_type_info(14)->bytes, 210);
	CHECK_EQ(t, gllm_ggml_type_info(42)->block, 64);
	CHECK(t, !gllm_ggml_type_info(31)->name && !gllm_ggml_type_info(GLLM_GGML_TYPE_COUNT)->name);
	CHECK(t, !gllm_ggml_type_info(UINT32_MAX)->name);
	for (uint32_t id = 0; id < GLLM_GGML_TYPE_COUNT; id++) {
		const struct gllm_ggml_type_info *i = gllm_ggml_type_info(id);
		CHECK(t, i->name ? i->block && i->bytes : !i->block && !i->bytes);
	}
}

static void given_model(struct bench *x)
{
	const struct check_host *h = x->t->host;
	struct check *t = x->t;
	struct gllm_gguf g;
	struct gllm_llama_config c;
	struct gllm_error e = { 0 };
	size_t need = 0;
	if (!h->model) {
		check_skip(t, "no model given");
		return;
	}
	CHECK_STATUS(t, gllm_gguf_workspace(h->model, h->model_size, &need, &e), GLLM_OK);
	if (!CHECK(t, need <= SPACE_BYTES))
		return;
	CHECK_STATUS(t, gllm_gguf_open(&g, h->model, h->model_size, x->space, need, &e), GLLM_OK);
	CHECK_STATUS(t, gllm_llama_config(&c, &g, &e), GLLM_OK);
	CHECK_EQ(t, e.status, GLLM_OK);
}

void check_gguf(struct check *t);
void check_gguf(struct check *t)
{
	size_t size = 0;
	unsigned char *memory = check_memory(t, &size);
	memory += (8 - (uintptr_t)memory % 8) % 8;
	if (!CHECK(t, size >= FILE_BYTES + INDEX_BYTES + SPACE_BYTES + 64))
		return;
	struct bench x = { .t = t, .file = memory + SPACE_BYTES + INDEX_BYTES + 32, .index = memory + SPACE_BYTES, .space = memory };
	x.file += (32 - (uintptr_t)x.file % 32) % 32;
	type_list(&x);
	right_file(&x);
	absent_keys(&x);
	typed_access(&x);
	lies(&x);
	neighbours(&x);
	other_words(&x);
	truncated(&x);
	flipped(&x);
	given_model(&x);
}
