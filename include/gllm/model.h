/* SPDX-License-Identifier: MIT
 * gllm/model.h - reading a model: GGUF in memory, the hyper-parameters of a Llama, its tokenizer.
 *
 * Nothing is copied out of the file and nothing is allocated: every view points into the caller's bytes, every index
 * lies in a workspace whose exact size a query tells beforehand. Bytes and workspace must stay unchanged and in place
 * while the views are used. One byte of workspace less gives GLLM_OUT_OF_MEMORY. A workspace is aligned to 8 bytes
 * (GLLM_INVALID_ARGUMENT otherwise); NULL where a pointer is required is GLLM_INVALID_ARGUMENT too, `error` alone may
 * always be NULL. All functions but the init functions only read, so threads may share what was opened.
 *
 * A file is hostile until proven otherwise: gllm_gguf_open checks the whole structure with overflow-safe arithmetic
 * before it hands out anything. A failure is recorded in struct gllm_error as
 *     what     which check failed           where     byte offset in the file of the culprit
 *     name     the key or tensor concerned  expected, actual     the limit or requirement, and what was found
 * Statuses: GLLM_BAD_MAGIC, GLLM_BAD_VERSION, GLLM_TRUNCATED (something reaches beyond the end of the bytes),
 * GLLM_BAD_VALUE, GLLM_WRONG_TYPE, GLLM_OVERLAP, GLLM_DUPLICATE, GLLM_MISSING_KEY, GLLM_SHAPE_MISMATCH,
 * GLLM_UNSUPPORTED (well formed, but not read here; the name says what), GLLM_OUT_OF_MEMORY (actual: bytes given,
 * expected: bytes needed). */
#ifndef GLLM_MODEL_H
#define GLLM_MODEL_H
#include "gllm/status.h"
#include "gllm/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Bytes that lie elsewhere; not terminated, any contents. */
struct gllm_text {
	const char *at;
	size_t n;
};

/* ---- GGUF, versions 2 and 3, little-endian ---- */

/* Value types of the metadata: name, id in the file, bytes (0: not of fixed size). */
#define GLLM_GGUF_TYPES(T) \
	T(U8, 0, 1) T(I8, 1, 1) T(U16, 2, 2) T(I16, 3, 2) T(U32, 4, 4) T(I32, 5, 4) T(F32, 6, 4) T(BOOL, 7, 1) \
	T(STRING, 8, 0) T(ARRAY, 9, 0) T(U64, 10, 8) T(I64, 11, 8) T(F64, 12, 8)

enum gllm_gguf_type {
#define T(name, id, bytes) GLLM_GGUF_##name = id,
	GLLM_GGUF_TYPES(T)
#undef T
	GLLM_GGUF_TYPE_COUNT
};

/* Tensor types: name, id in the file, elements and bytes of a block. Ids 4, 5, 31-33 and 36-38 were withdrawn from the
 * format; a tensor of such a type or of an id above the list makes the file GLLM_UNSUPPORTED, for its size is unknown. */
#define GLLM_GGML_TYPES(T) \
	T(F32, 0, 1, 4) T(F16, 1, 1, 2) T(Q4_0, 2, 32, 18) T(Q4_1, 3, 32, 20) T(Q5_0, 6, 32, 22) T(Q5_1, 7, 32, 24) \
	T(Q8_0, 8, 32, 34) T(Q8_1, 9, 32, 36) T(Q2_K, 10, 256, 84) T(Q3_K, 11, 256, 110) T(Q4_K, 12, 256, 144) \
	T(Q5_K, 13, 256, 176) T(Q6_K, 14, 256, 210) T(Q8_K, 15, 256, 292) T(IQ2_XXS, 16, 256, 66) \
	T(IQ2_XS, 17, 256, 74) T(IQ3_XXS, 18, 256, 98) T(IQ1_S, 19, 256, 50) T(IQ4_NL, 20, 32, 18) \
	T(IQ3_S, 21, 256, 110) T(IQ2_S, 22, 256, 82) T(IQ4_XS, 23, 256, 136) T(I8, 24, 1, 1) T(I16, 25, 1, 2) \
	T(I32, 26, 1, 4) T(I64, 27, 1, 8) T(F64, 28, 1, 8) T(IQ1_M, 29, 256, 56) T(BF16, 30, 1, 2) \
	T(TQ1_0, 34, 256, 54) T(TQ2_0, 35, 256, 66) T(MXFP4, 39, 32, 17) T(NVFP4, 40, 64, 36) T(Q1_0, 41, 128, 18) \
	T(Q2_0, 42, 64, 18)

enum gllm_ggml_type {
#define T(name, id, block, bytes) GLLM_GGML_##name = id,
	GLLM_GGML_TYPES(T)
#undef T
	GLLM_GGML_TYPE_COUNT
};

struct gllm_ggml_type_info {
	const char *name; /* "Q4_K"; NULL for an id that is not in the list */
	uint32_t block;   /* elements */
	uint32_t bytes;   /* of a block */
};

/* The row of any id; never NULL. */
const struct gllm_ggml_type_info *gllm_ggml_type_info(uint32_t id);

struct gllm_gguf_value {
	struct gllm_text key;
	enum gllm_gguf_type type;  /* of the value, or of the elements of an array; never ARRAY */
	bool array;
	uint64_t count;            /* elements; 1 for a scalar */
	const unsigned char *data; /* the first element, little-endian, of any alignment */
	uint64_t where;            /* its offset in the file */
};

struct gllm_gguf_tensor {
	struct gllm_text name;     /* 1 .. 64 bytes */
	enum gllm_ggml_type type;
	uint32_t ndims;            /* 0 .. 4 */
	uint64_t dims[4];          /* dims[0] is contiguous; all at least 1, those from ndims on are 1 */
	const unsigned char *data; /* rows of dims[0] elements, without padding between them */
	uint64_t bytes;
	uint64_t where;            /* offset of the tensor's description in the file */
};

struct gllm_gguf {
	const unsigned char *bytes;
	uint64_t size;
	uint32_t version;
	uint64_t alignment;        /* of the tensors' offsets */
	uint64_t data_at;          /* offset that tensor offsets count from */
	uint64_t value_count, tensor_count;
	const struct gllm_gguf_value *values;    /* in file order */
	const struct gllm_gguf_tensor *tensors;  /* in file order */
	const uint32_t *values_by_key, *tensors_by_name; /* indices, sorted by name */
};

/* Bytes of workspace for gllm_gguf_open. Looks at the first 24 bytes of the file and at its size only: a file cannot
 * make this larger than four times its own size. */
enum gllm_status gllm_gguf_workspace(const void *bytes, uint64_t size, size_t *need, struct gllm_error *error);

/* Checks the file and fills `g` and the workspace; on failure `g` is unchanged. Checked are: magic and version; counts
 * against the bytes that are left; every string, value and array; types (arrays of arrays are GLLM_UNSUPPORTED); bools
 * being 0 or 1; keys of 1 .. 65535 bytes; names of 1 .. 64 bytes; dimensions and their product; whole blocks per row;
 * general.alignment a power of two up to 65536 (32 if absent); offsets aligned, inside the bytes and disjoint;
 * duplicate keys and names. Padding between tensors is not read and may hold anything. */
enum gllm_status gllm_gguf_open(struct gllm_gguf *g, const void *bytes, uint64_t size, void *workspace,
                                size_t workspace_size, struct gllm_error *error);

/* NULL if there is none. */
const struct gllm_gguf_value *gllm_gguf_value(const struct gllm_gguf *g, const char *key);
const struct gllm_gguf_tensor *gllm_gguf_tensor(const struct gllm_gguf *g, const char *name);

/* Typed access by key: GLLM_MISSING_KEY, GLLM_WRONG_TYPE (expected: the type asked for, actual: the type found, or
 * GLLM_GGUF_ARRAY), GLLM_BAD_VALUE if an integer does not fit. Integers may be stored with any width and sign, floats
 * as F32 or F64. *out is written on success only. */
enum gllm_status gllm_gguf_u32(const struct gllm_gguf *g, const char *key, uint32_t *out, struct gllm_error *error);
enum gllm_status gllm_gguf_i32(const struct gllm_gguf *g, const char *key, int32_t *out, struct gllm_error *error);
enum gllm_status gllm_gguf_u64(const struct gllm_gguf *g, const char *key, uint64_t *out, struct gllm_error *error);
enum gllm_status gllm_gguf_f32(const struct gllm_gguf *g, const char *key, float *out, struct gllm_error *error);
enum gllm_status gllm_gguf_bool(const struct gllm_gguf *g, const char *key, bool *out, struct gllm_error *error);
enum gllm_status gllm_gguf_string(const struct gllm_gguf *g, const char *key, struct gllm_text *out,
                                  struct gllm_error *error);

/* An array whose elements are of `type`; for GLLM_GGUF_I64 of any integer type. */
enum gllm_status gllm_gguf_array(const struct gllm_gguf *g, const char *key, enum gllm_gguf_type type,
                                 const struct gllm_gguf_value **out, struct gllm_error *error);

/* Elements of a value (scalars have one). i < count; the value's type must be an integer (U64 above INT64_MAX reads as
 * INT64_MAX), respectively F32 or F64; 0 otherwise. */
int64_t gllm_gguf_integer_at(const struct gllm_gguf_value *v, uint64_t i);
float gllm_gguf_float_at(const struct gllm_gguf_value *v, uint64_t i);

/* Strings have different lengths, so they are walked: start with *at = 0; each call moves it to the next string. */
struct gllm_text gllm_gguf_next_string(const struct gllm_gguf_value *v, uint64_t *at);

/* ---- Llama ---- */

struct gllm_llama_config {
	uint32_t context;    /* llama.context_length */
	uint32_t embedding;  /* llama.embedding_length */
	uint32_t layers;     /* llama.block_count */
	uint32_t heads;      /* llama.attention.head_count */
	uint32_t kv_heads;   /* llama.attention.head_count_kv; absent: heads */
	uint32_t head_dim;   /* llama.attention.key_length; absent: embedding / heads */
	uint32_t ffn;        /* llama.feed_forward_length */
	uint32_t vocab;      /* llama.vocab_size; absent: the number of tokenizer.ggml.tokens */
	uint32_t rope_dims;  /* llama.rope.dimension_count; absent: head_dim. Pairs are adjacent elements */
	float rope_theta;    /* llama.rope.freq_base; absent: 10000, as the format documents */
	float rms_eps;       /* llama.attention.layer_norm_rms_epsilon */
	bool tied_output;    /* there is no output.weight: token_embd.weight serves as both */
};

/* The tensors of the architecture: id, name (per layer: after "blk.<layer>."), elements of a row, rows (ONE: a vector) */
#define GLLM_LLAMA_MODEL_TENSORS(T) \
	T(TOKEN_EMBD,  "token_embd.weight",  EMBEDDING, VOCAB) \
	T(OUTPUT_NORM, "output_norm.weight", EMBEDDING, ONE) \
	T(OUTPUT,      "output.weight",      EMBEDDING, VOCAB)
#define GLLM_LLAMA_LAYER_TENSORS(T) \
	T(ATTN_NORM,   "attn_norm.weight",   EMBEDDING, ONE) \
	T(ATTN_Q,      "attn_q.weight",      EMBEDDING, QUERY) \
	T(ATTN_K,      "attn_k.weight",      EMBEDDING, KEY) \
	T(ATTN_V,      "attn_v.weight",      EMBEDDING, KEY) \
	T(ATTN_OUTPUT, "attn_output.weight", QUERY,     EMBEDDING) \
	T(FFN_NORM,    "ffn_norm.weight",    EMBEDDING, ONE) \
	T(FFN_GATE,    "ffn_gate.weight",    EMBEDDING, FFN) \
	T(FFN_UP,      "ffn_up.weight",      EMBEDDING, FFN) \
	T(FFN_DOWN,    "ffn_down.weight",    FFN,       EMBEDDING)

enum gllm_llama_tensor {
#define T(id, name, row, rows) GLLM_LLAMA_##id,
	GLLM_LLAMA_MODEL_TENSORS(T)
	GLLM_LLAMA_LAYER_TENSORS(T)
#undef T
	GLLM_LLAMA_TENSOR_COUNT
};

/* Reads the hyper-parameters and checks them against each other and against every tensor of the file. Integers are
 * 1 .. INT32_MAX. GLLM_MISSING_KEY names the key or tensor that is not there; GLLM_SHAPE_MISMATCH the tensor (or key)
 * that disagrees, expected and actual being the first differing dimension (or value). What would change the computation
 * and is not computed here is GLLM_UNSUPPORTED, never ignored: another architecture, rope scaling, experts, value heads
 * of another length than keys, any tensor that is not in the lists above. Tensor types are not judged here. */
enum gllm_status gllm_llama_config(struct gllm_llama_config *c, const struct gllm_gguf *g, struct gllm_error *error);

/* A tensor's weights for use: shape checked, type F32, F16 or BF16 (*type says which; others are GLLM_UNSUPPORTED by
 * the tensor's name, with actual = the type's id), address aligned to its element (else GLLM_INVALID_ARGUMENT: the file
 * was placed at an odd address). `layer` is ignored for model tensors. OUTPUT gives TOKEN_EMBD when tied. */
enum gllm_status gllm_llama_weights(const struct gllm_gguf *g, const struct gllm_llama_config *c,
                                    enum gllm_llama_tensor which, uint32_t layer, const void **data,
                                    enum gllm_type *type, struct gllm_error *error);

/* ---- tokenizer: tokenizer.ggml.model "llama" (SentencePiece BPE with scores); others are GLLM_UNSUPPORTED ---- */

struct gllm_tokenizer {
	const unsigned char *strings;   /* the tokens array in the file */
	const uint32_t *text_at;        /* per token: offset of its length and bytes in `strings` */
	const uint32_t *slots;          /* hash table of texts: token + 1, or 0 */
	const uint32_t *byte_token;     /* 256 */
	const uint32_t *user_token;     /* user-defined tokens, longest first */
	struct gllm_gguf_value scores, types;
	uint32_t count, slot_mask, user_count;
	uint32_t longest;               /* bytes of the longest token, as gllm_tokenizer_decode gives it */
	int32_t bos, eos, unk;          /* -1: none */
	bool add_bos, add_eos, add_space_prefix;
};

/* Required: tokenizer.ggml.tokens (1 .. 2^24 strings) and .scores (no NaN). Absent token_type: all are normal, but
 * the special ids and texts such as <0x0A> mean what they say; absent ids: bos 1, eos 2, unk 0 where such tokens
 * exist; absent add_bos_token, add_eos_token, add_space_prefix: true, false, true. When texts repeat, the last token
 * is found. */
enum gllm_status gllm_tokenizer_workspace(const struct gllm_gguf *g, size_t *need, struct gllm_error *error);
enum gllm_status gllm_tokenizer_init(struct gllm_tokenizer *t, const struct gllm_gguf *g, void *workspace,
                                     size_t workspace_size, struct gllm_error *error);

/* Bytes of workspace for encoding n bytes of text; SIZE_MAX for n beyond the limit of 2^28. */
size_t gllm_tokenizer_encode_workspace(const struct gllm_tokenizer *t, size_t n);

/* Text, any bytes, to tokens. User-defined tokens are cut out first, longest first. The rest gets a space in front
 * where add_space_prefix says so (at the start and after a cut-out token), spaces become U+2581, and neighbours are
 * merged, the pair whose joint text has the best score first, the leftmost of equals, until no joint text is a token.
 * What is no token then becomes bytes <0xXX>, one by one (bytes that are not UTF-8 too); a byte without a byte token
 * becomes the token of that one byte, or unk, or GLLM_UNSUPPORTED if there is neither. Texts of control, unknown and byte
 * tokens are never recognised. With `special`, bos and eos are added where the model says so.
 * *count tells the tokens of the text even if they exceed `capacity` (GLLM_CONTEXT_FULL, expected: capacity, actual:
 * count); the first `capacity` are then stored. O(n log n) without user-defined tokens, O(n) more for each of them. */
enum gllm_status gllm_tokenizer_encode(const struct gllm_tokenizer *t, const char *text, size_t n, bool special,
                                       int32_t *tokens, size_t capacity, size_t *count, void *workspace,
                                       size_t workspace_size, struct gllm_error *error);

/* One token to bytes; a stream of tokens is decoded by calling this for each. U+2581 becomes a space (not in user-defined
 * tokens, which are given as they are); byte tokens give their byte, so a character may arrive over several calls;
 * control and unknown tokens give nothing. *start is true at the start of a text: with add_space_prefix one leading space
 * of the first visible token is dropped (what encoding added), and *start turns false. GLLM_INVALID_ARGUMENT if there is
 * no such token, GLLM_OUT_OF_MEMORY if `capacity` is too small (t->longest always suffices); nothing changes then. */
enum gllm_status gllm_tokenizer_decode(const struct gllm_tokenizer *t, int32_t token, bool *start, char *out,
                                       size_t capacity, size_t *n, struct gllm_error *error);

#ifdef __cplusplus
}
#endif
#endif
