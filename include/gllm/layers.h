/* SPDX-License-Identifier: MIT
 * gllm/layers.h - builders of common layers: each appends the tensors and nodes of one layer to a graph.
 *
 * A layer is ordinary nodes of ordinary operators; what fuses is the planner's business. Every builder declares its own
 * inputs, weights and outputs and says their numbers, by which plans are bound; several layers may stand in one graph. The
 * graph must have room (the counts below). Matrices lie as in model files, [out][in], and are F32, F16 or BF16; everything else is
 * F32. `rows` are the tokens: GLLM_ROWS for plans of any number up to the graph's max_rows (decoding is such a graph with
 * max_rows 1), or a number. Returns what gllm_graph_status then says; errors name the node. Pointers must not be NULL. */
#ifndef GLLM_LAYERS_H
#define GLLM_LAYERS_H
#include "gllm/graph.h"
#include "gllm/model.h"

#ifdef __cplusplus
extern "C" {
#endif

/* --- Llama: RMSNorm -> q, k, v -> rotation -> (attention) -> projection + residual -> RMSNorm -> SwiGLU -> residual --- */

struct gllm_llama_shape {
	uint64_t rows, embedding, heads, kv_heads, head_dim, ffn, vocab;
	float rms_eps;
	bool halves;                                  /* rotated pairs are (i, i + head_dim/2), not neighbours */
	enum gllm_type type[GLLM_LLAMA_TENSOR_COUNT]; /* of the matrices; norms are F32 */
};

struct gllm_llama_layer { /* tensors of a graph; GLLM_NO_TENSOR where the builder declares none */
	gllm_tensor x, cos, sin, q, k, v; /* in: hidden state, tables [rows][head_dim / 2]; out: rotated queries and keys, values */
	gllm_tensor attended, y;          /* in: what attention makes of them, [rows][heads * head_dim]; out: hidden state */
	gllm_tensor weight[GLLM_LLAMA_TENSOR_COUNT];
};

enum { GLLM_LLAMA_LAYER_GRAPH_TENSORS = 28, GLLM_LLAMA_LAYER_GRAPH_NODES = 14 };

/* The part before attention, the part behind it, and both in one graph: attention itself, which walks a cache, runs
 * between them or, for both, is given from elsewhere. */
enum gllm_status gllm_llama_projections(struct gllm_graph *g, const struct gllm_llama_shape *s, struct gllm_llama_layer *out);
enum gllm_status gllm_llama_feed_forward(struct gllm_graph *g, const struct gllm_llama_shape *s, struct gllm_llama_layer *out);
enum gllm_status gllm_llama_layer(struct gllm_graph *g, const struct gllm_llama_shape *s, struct gllm_llama_layer *out);

/* What stands behind the last layer: RMSNorm and the output matrix. x, y (the logits, [rows][vocab]) and two weights. */
enum gllm_status gllm_llama_logits(struct gllm_graph *g, const struct gllm_llama_shape *s, struct gllm_llama_layer *out);

/* --- attention of one head and one query ------------------------------------------------------------------------------ */

struct gllm_attention { /* tensors */
	gllm_tensor q, k, v, out; /* [1][head_dim]; rows of k and v lie `stride` elements apart */
};
/* `rows` of the shape are the tokens attended to. */
enum gllm_status gllm_llama_attention(struct gllm_graph *g, const struct gllm_llama_shape *s, struct gllm_attention *out);

/* --- multi-layer perceptron ------------------------------------------------------------------------------------------- */

struct gllm_mlp_shape {
	uint64_t rows, in, hidden, out;
	unsigned activation;  /* operator: of one operand (gelu, relu, ..), or of two if gated (swiglu, geglu) */
	bool gated;           /* activation(x * gate, x * up) in place of activation(x * up) */
	bool bias;            /* both products add one; not with gated */
	bool residual;        /* x is added to the result; in == out */
	enum gllm_type type;  /* of the matrices; F32 with biases, unless the plan is compiled */
};

struct gllm_mlp { /* tensors; GLLM_NO_TENSOR where there is none */
	gllm_tensor x, gate, up, up_bias, down, down_bias, y;
};

enum { GLLM_MLP_GRAPH_TENSORS = 12, GLLM_MLP_GRAPH_NODES = 6 };
enum gllm_status gllm_mlp(struct gllm_graph *g, const struct gllm_mlp_shape *s, struct gllm_mlp *out);

/* --- encoder: attention + residual -> LayerNorm -> GELU perceptron + residual -> LayerNorm (Vaswani et al. 2017) -------- */

struct gllm_encoder_shape {
	uint64_t rows, embedding, ffn;
	float eps;
	bool attention; /* one head over all rows, in the graph; rows is then a number. Otherwise q, k, v leave it as outputs */
	enum gllm_type type;
};

struct gllm_encoder { /* tensors */
	gllm_tensor x, q, k, v, attended, y;                  /* q, k, v, attended: GLLM_NO_TENSOR with attention */
	gllm_tensor wq, wk, wv, wo, bq, bk, bv, bo;
	gllm_tensor gain1, shift1, up, up_bias, down, down_bias, gain2, shift2;
};

enum { GLLM_ENCODER_GRAPH_TENSORS = 36, GLLM_ENCODER_GRAPH_NODES = 16 };
enum gllm_status gllm_encoder(struct gllm_graph *g, const struct gllm_encoder_shape *s, struct gllm_encoder *out);

#ifdef __cplusplus
}
#endif
#endif
