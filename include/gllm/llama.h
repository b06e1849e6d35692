/* SPDX-License-Identifier: MIT
 * gllm/llama.h - a Llama decoder over compiled plans.
 *
 * Graph of one layer: RMSNorm -> q, k, v -> RoPE on q and k -> attention over the cache -> output projection + residual
 * -> RMSNorm -> SwiGLU(gate, up) -> down projection + residual; after all layers RMSNorm and the output matrix. Weights
 * are used where they lie in the model's bytes. One sequence per session; keys and values are kept as f32,
 * [layer][token][kv_head][head_dim].
 *
 * Pointers other than `e` must not be NULL unless stated.
 * Ownership: the session lies in memory of the caller (gllm_llama_quote names the exact bytes) and its plans in the
 * context's heap; model bytes, gguf workspace and context must outlive it. One thread drives a session. */
#ifndef GLLM_LLAMA_H
#define GLLM_LLAMA_H
#include "gllm/context.h"
#include "gllm/graph.h"
#include "gllm/model.h"

#ifdef __cplusplus
extern "C" {
#endif

struct gllm_llama_options {
	uint32_t context; /* tokens the session can hold; 0: the model's own, which is also the greatest allowed */
	uint32_t chunk;   /* tokens evaluated together when a prompt is read; 0: 16, at most 512 */
	bool scalar;      /* run the scalar definitions, compile nothing */
	bool no_fusion, readback; /* see struct gllm_plan_options */
};

struct gllm_llama;

/* Exact bytes of session memory, 64-byte aligned. Fails as gllm_llama_config and gllm_llama_weights do. */
enum gllm_status gllm_llama_quote(const struct gllm_gguf *g, const struct gllm_llama_options *o, size_t *bytes,
                                  struct gllm_error *e);

/* Compiles the plans. With an error nothing of the context stays allocated. Errors: those of gllm_compile, of the model,
 * OUT_OF_MEMORY (memory below the quote), INVALID_ARGUMENT. */
enum gllm_status gllm_llama_create(struct gllm_context *c, const struct gllm_gguf *g, const struct gllm_llama_options *o,
                                   void *memory, size_t size, struct gllm_llama **out, struct gllm_error *e);
void gllm_llama_free(struct gllm_llama *m);

/* Appends n tokens and computes the logits after the last one: *logits points to `vocab` floats inside the session, valid
 * until the next call. The tokens of one call see each other and everything before. All or nothing: CONTEXT_FULL
 * (expected: room left, actual: n) and INVALID_ARGUMENT (n == 0, a token outside the vocabulary: where = its place)
 * leave the session as it was. */
enum gllm_status gllm_llama_eval(struct gllm_llama *m, const int32_t *tokens, size_t n, const float **logits,
                                 struct gllm_error *e);

uint32_t gllm_llama_position(const struct gllm_llama *m); /* tokens held */
/* Forgets all tokens from `position` on. INVALID_ARGUMENT beyond what is held. */
enum gllm_status gllm_llama_rewind(struct gllm_llama *m, uint32_t position);

const struct gllm_llama_config *gllm_llama_parameters(const struct gllm_llama *m);

/* The plans, for explanation: 0 projections, 1 feed-forward, 2 logits, 3 attention of one head; `rows` 1 for decoding,
 * otherwise those for chunks (the same as for 1 where there is only one). NULL beyond. */
const struct gllm_plan *gllm_llama_plan(const struct gllm_llama *m, unsigned which, bool chunk);

#ifdef __cplusplus
}
#endif
#endif
