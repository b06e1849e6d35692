/* SPDX-License-Identifier: MIT
 * tests/gguf_build.h - writes small GGUF files into memory, honestly or with one lie.
 *
 * A lie names a key or tensor (or "magic", "version", "keys", "tensors" of the header) and says what is written there
 * instead. So each hostile test is a row: a file that is right in everything but one thing. */
#ifndef GGUF_BUILD_H
#define GGUF_BUILD_H
#include "core/bits.h"
#include "gllm/model.h"

enum lie_kind { LIE_NONE, LIE_SKIP, LIE_TWICE, LIE_LENGTH, LIE_TYPE, LIE_ELEMENT, LIE_COUNT, LIE_VALUE, LIE_NDIMS, LIE_DIM,
                LIE_OFFSET, LIE_STRANGER /* a tensor of that name more */ };

struct lie {
	const char *at;
	enum lie_kind kind;
	uint64_t value;
};

struct build {
	unsigned char *bytes;
	size_t n, capacity;
	struct lie lie;
	uint64_t keys, tensors, offset;
	uint32_t alignment;
};

static inline bool build_same(const char *a, const char *b)
{
	while (*a && *a == *b)
		a++, b++;
	return *a == *b;
}

static inline uint64_t build_lie(const struct build *b, const char *at, enum lie_kind kind, uint64_t truth)
{
	return b->lie.kind == kind && build_same(b->lie.at, at) ? b->lie.value : truth;
}

static inline unsigned build_times(const struct build *b, const char *at)
{
	if (b->lie.kind == LIE_NONE || !build_same(b->lie.at, at))
		return 1;
	return b->lie.kind == LIE_SKIP ? 0 : b->lie.kind == LIE_TWICE ? 2 : 1;
}

static inline void build_byte(struct build *b, unsigned value)
{
	if (b->n < b->capacity)
		b->bytes[b->n++] = (unsigned char)value;
}

static inline void build_number(struct build *b, uint64_t value, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		build_byte(b, (unsigned)(value >> 8 * i & 0xff));
}

static inline void build_bytes(struct build *b, const char *p, size_t n)
{
	build_number(b, n, 8);
	for (size_t i = 0; i < n; i++)
		build_byte(b, (unsigned char)p[i]);
}

static inline size_t build_length(const char *s)
{
	size_t n = 0;
	while (s[n])
		n++;
	return n;
}

static inline void build_name(struct build *b, const char *name)
{
	size_t n = build_length(name);
	build_number(b, build_lie(b, name, LIE_LENGTH, n), 8);
	for (size_t i = 0; i < n; i++)
		build_byte(b, (unsigned char)name[i]);
}

static inline void build_start(struct build *b, unsigned char *memory, size_t capacity, struct lie lie)
{
	*b = (struct build){ .bytes = memory, .capacity = capacity, .lie = lie, .alignment = 32 };
	for (unsigned i = 0; i < 3; i++)
		build_number(b, 0, 8); /* the header: filled at the end, when the counts are known */
}

static inline void build_key(struct build *b, const char *key, enum gllm_gguf_type type)
{
	b->keys++;
	build_name(b, key);
	build_number(b, build_lie(b, key, LIE_TYPE, (uint64_t)type), 4);
}

static inline void build_scalar(struct build *b, const char *key, enum gllm_gguf_type type, uint64_t value, unsigned bytes)
{
	for (unsigned i = build_times(b, key); i; i--) {
		build_key(b, key, type);
		build_number(b, build_lie(b, key, LIE_VALUE, value), bytes);
	}
}

static inline void build_u32(struct build *b, const char *key, uint32_t value)
{
	build_scalar(b, key, GLLM_GGUF_U32, value, 4);
}

static inline void build_f32(struct build *b, const char *key, float value)
{
	build_scalar(b, key, GLLM_GGUF_F32, gllm_f32_bits(value), 4);
}

static inline void build_bool(struct build *b, const char *key, bool value)
{
	build_scalar(b, key, GLLM_GGUF_BOOL, value, 1);
}

static inline void build_string(struct build *b, const char *key, const char *value)
{
	for (unsigned i = build_times(b, key); i; i--) {
		size_t n = build_length(value);
		build_key(b, key, GLLM_GGUF_STRING);
		build_number(b, build_lie(b, key, LIE_VALUE, n), 8);
		for (size_t k = 0; k < n; k++)
			build_byte(b, (unsigned char)value[k]);
	}
}

/* The elements follow by build_number or build_bytes. */
static inline void build_array(struct build *b, const char *key, enum gllm_gguf_type type, uint64_t count)
{
	build_key(b, key, GLLM_GGUF_ARRAY);
	build_number(b, build_lie(b, key, LIE_ELEMENT, (uint64_t)type), 4);
	build_number(b, build_lie(b, key, LIE_COUNT, count), 8);
}

/* Tensors of one or two dimensions; d1 0 means one. */
static inline void build_tensor(struct build *b, const char *name, enum gllm_ggml_type type, uint64_t d0, uint64_t d1)
{
	uint64_t bytes = d0 * (d1 ? d1 : 1) / gllm_ggml_type_info(type)->block * gllm_ggml_type_info(type)->bytes;
	for (unsigned i = build_times(b, name); i; i--) {
		b->tensors++;
		build_name(b, name);
		build_number(b, build_lie(b, name, LIE_NDIMS, d1 ? 2 : 1), 4);
		build_number(b, build_lie(b, name, LIE_DIM, d0), 8);
		if (d1)
			build_number(b, d1, 8);
		build_number(b, build_lie(b, name, LIE_TYPE, (uint64_t)type), 4);
		build_number(b, build_lie(b, name, LIE_OFFSET, b->offset), 8);
		b->offset += gllm_round_up(bytes, b->alignment);
	}
}

/* Data that differ from byte to byte, and the header. */
static inline void build_finish(struct build *b)
{
	size_t data = b->tensors ? gllm_round_up(b->n, b->alignment) : b->n;
	while (b->n < data + b->offset && b->n < b->capacity)
		build_byte(b, b->n < data ? 0xee : (unsigned)(b->n * 37 % 64));
	uint64_t header[4] = { build_lie(b, "magic", LIE_VALUE, 0x46554747), build_lie(b, "version", LIE_VALUE, 3),
		build_lie(b, "tensors", LIE_VALUE, b->tensors), build_lie(b, "keys", LIE_VALUE, b->keys) };
	size_t end = b->n;
	b->n = 0;
	for (unsigned i = 0; i < 4; i++)
		build_number(b, header[i], i < 2 ? 4 : 8);
	b->n = end;
}

/* A Llama of one layer: embedding 8, 2 heads of 4, 1 key/value head, ffn 12, 7 tokens; some 4 KiB. */
static inline void build_llama(struct build *b, unsigned char *memory, size_t capacity, struct lie lie)
{
	static const char *const token[] = { "<unk>", "<s>", "</s>", "\xe2\x96\x81", "a", ("\xe2\x96\x81" "a"), "b" };
	static const char tokens[] = "tokenizer.ggml.tokens", scores[] = "tokenizer.ggml.scores";
	static const char types[] = "tokenizer.ggml.token_type";
	build_start(b, memory, capacity, lie);
	build_string(b, "general.architecture", "llama");
	build_u32(b, "general.alignment", 32);
	build_u32(b, "llama.context_length", 64);
	build_u32(b, "llama.embedding_length", 8);
	build_scalar(b, "llama.block_count", GLLM_GGUF_U64, 1, 8);
	build_scalar(b, "llama.feed_forward_length", GLLM_GGUF_I16, 12, 2);
	build_u32(b, "llama.attention.head_count", 2);
	build_u32(b, "llama.attention.head_count_kv", 1);
	build_u32(b, "llama.rope.dimension_count", 4);
	build_f32(b, "llama.attention.layer_norm_rms_epsilon", 1e-5f);
	build_u32(b, "llama.expert_count", 0);
	build_string(b, "llama.rope.scaling.type", "none");
	build_u32(b, "llama.vocab_size", GLLM_COUNT(token));
	build_string(b, "tokenizer.ggml.model", "llama");
	build_bool(b, "tokenizer.ggml.add_bos_token", true);
	build_u32(b, "tokenizer.ggml.bos_token_id", 1);
	for (unsigned k = build_times(b, tokens); k; k--) {
		build_array(b, tokens, GLLM_GGUF_STRING, GLLM_COUNT(token));
		for (unsigned i = 0; i < GLLM_COUNT(token); i++)
			build_bytes(b, token[i], build_length(token[i]));
	}
	for (unsigned k = build_times(b, scores); k; k--) {
		build_array(b, scores, GLLM_GGUF_F32, GLLM_COUNT(token));
		for (unsigned i = 0; i < GLLM_COUNT(token); i++)
			build_number(b, build_lie(b, scores, LIE_VALUE, gllm_f32_bits(-(float)i)), 4);
	}
	for (unsigned k = build_times(b, types); k; k--) {
		build_array(b, types, GLLM_GGUF_I32, GLLM_COUNT(token));
		for (unsigned i = 0; i < GLLM_COUNT(token); i++)
			build_number(b, build_lie(b, types, LIE_VALUE, i == 0 ? 2 : i < 3 ? 3 : 1), 4);
	}
	build_tensor(b, "token_embd.weight", GLLM_GGML_F32, 8, GLLM_COUNT(token));
	build_tensor(b, "output_norm.weight", GLLM_GGML_F32, 8, 0);
	build_tensor(b, "output.weight", GLLM_GGML_F16, 8, GLLM_COUNT(token));
	build_tensor(b, "blk.0.attn_norm.weight", GLLM_GGML_F32, 8, 0);
	build_tensor(b, "blk.0.attn_q.weight", GLLM_GGML_F32, 8, 8);
	build_tensor(b, "blk.0.attn_k.weight", GLLM_GGML_F32, 8, 4);
	build_tensor(b, "blk.0.attn_v.weight", GLLM_GGML_BF16, 8, 4);
	build_tensor(b, "blk.0.attn_output.weight", GLLM_GGML_F32, 8, 8);
	build_tensor(b, "blk.0.ffn_norm.weight", GLLM_GGML_F32, 8, 0);
	build_tensor(b, "blk.0.ffn_gate.weight", GLLM_GGML_F32, 8, 12);
	build_tensor(b, "blk.0.ffn_up.weight", GLLM_GGML_F32, 8, 12);
	build_tensor(b, "blk.0.ffn_down.weight", GLLM_GGML_F32, 12, 8);
	if (lie.kind == LIE_STRANGER)
		build_tensor(b, lie.at, GLLM_GGML_F32, 8, 0);
	build_finish(b);
}
#endif
