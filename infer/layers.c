/* SPDX-License-Identifier: MIT
 * infer/layers.c - see gllm/layers.h. Builders rely on the graph to keep their first failure, so they check nothing twice:
 * what does not fit is refused by the node it reaches. */
#include "gllm/layers.h"
#include "core/bits.h"

struct maker {
	struct gllm_graph *g;
	uint64_t rows;
};

static gllm_tensor tensor(const struct maker *m, enum gllm_tensor_kind kind, uint64_t cols, const char *name)
{
	return gllm_graph_tensor(m->g, kind, GLLM_F32, m->rows, cols, name);
}

static gllm_tensor input(const struct maker *m, uint64_t cols, const char *name)
{
	return tensor(m, GLLM_TENSOR_INPUT, cols, name);
}

static gllm_tensor value(const struct maker *m, uint64_t cols, const char *name)
{
	return tensor(m, GLLM_TENSOR_VALUE, cols, name);
}

static gllm_tensor output(const struct maker *m, uint64_t cols, const char *name)
{
	return tensor(m, GLLM_TENSOR_OUTPUT, cols, name);
}

static gllm_tensor vector(const struct maker *m, uint64_t n, const char *name)
{
	return gllm_graph_tensor(m->g, GLLM_TENSOR_WEIGHT, GLLM_F32, 1, n, name);
}

static gllm_tensor matrix(const struct maker *m, enum gllm_type type, uint64_t rows, uint64_t cols, const char *name)
{
	return gllm_graph_tensor(m->g, GLLM_TENSOR_WEIGHT, type, rows, cols, name);
}

#define NODE(m, op, batch, ...) gllm_graph_node((m)->g, op, batch, (struct gllm_actual[]){ __VA_ARGS__ }, \
                                                sizeof (struct gllm_actual[]){ __VA_ARGS__ } / sizeof(struct gllm_actual))

/* y[rows][n] = x[rows][k] * transpose(w[n][k]). Half-precision weights have a definition of their own, so that scalar plans
 * can run them as well. */
static void multiply(const struct maker *m, gllm_tensor y, gllm_tensor x, gllm_tensor w, enum gllm_type type, uint64_t n, uint64_t k)
{
	NODE(m, type == GLLM_F16 ? GLLM_OP_gemm_bt_f16 : GLLM_OP_gemm_bt, 1, GLLM_T(y), GLLM_T(x), GLLM_T(w), GLLM_D(m->rows),
	     GLLM_D(n), GLLM_D(k));
}

static void multiply_biased(const struct maker *m, gllm_tensor y, gllm_tensor x, gllm_tensor w, gllm_tensor bias, uint64_t n, uint64_t k)
{
	NODE(m, GLLM_OP_gemm_bt_bias, 1, GLLM_T(y), GLLM_T(x), GLLM_T(w), GLLM_T(bias), GLLM_D(m->rows), GLLM_D(n), GLLM_D(k));
}

static void combine(const struct maker *m, unsigned op, gllm_tensor y, gllm_tensor a, gllm_tensor b, uint64_t n)
{
	NODE(m, op, m->rows, GLLM_T(y), GLLM_T(a), GLLM_T(b), GLLM_D(n));
}

static void map(const struct maker *m, unsigned op, gllm_tensor y, gllm_tensor x, uint64_t n)
{
	NODE(m, op, m->rows, GLLM_T(y), GLLM_T(x), GLLM_D(n));
}

static enum gllm_status finish(const struct maker *m)
{
	return gllm_graph_status(m->g, NULL);
}

/* --- Llama ------------------------------------------------------------------------------------------------------------ */

static uint64_t query_width(const struct gllm_llama_shape *s) { return s->heads * s->head_dim; }
static uint64_t key_width(const struct gllm_llama_shape *s)   { return s->kv_heads * s->head_dim; }

static void nothing(struct gllm_llama_layer *out)
{
	out->x = out->cos = out->sin = out->q = out->k = out->v = out->attended = out->y = GLLM_NO_TENSOR;
	for (unsigned i = 0; i < GLLM_LLAMA_TENSOR_COUNT; i++)
		out->weight[i] = GLLM_NO_TENSOR;
}

static void weight(const struct maker *m, const struct gllm_llama_shape *s, struct gllm_llama_layer *out,
                   enum gllm_llama_tensor which, uint64_t rows, uint64_t cols)
{
	static const char *const name[] = {
#define T(id, words, row, count) [GLLM_LLAMA_##id] = words,
		GLLM_LLAMA_MODEL_TENSORS(T)
		GLLM_LLAMA_LAYER_TENSORS(T)
#undef T
	};
	out->weight[which] = rows == 1 ? vector(m, cols, name[which]) : matrix(m, s->type[which], rows, cols, name[which]);
}

static void project(const struct maker *m, const struct gllm_llama_shape *s, const struct gllm_llama_layer *l, gllm_tensor y,
                    gllm_tensor x, enum gllm_llama_tensor which, uint64_t n, uint64_t k)
{
	multiply(m, y, x, l->weight[which], s->type[which], n, k);
}

static gllm_tensor normalise(const struct maker *m, const struct gllm_llama_shape *s, gllm_tensor x, gllm_tensor w, const char *name)
{
	gllm_tensor y = value(m, s->embedding, name);
	NODE(m, GLLM_OP_rms_norm, m->rows, GLLM_T(y), GLLM_T(x), GLLM_T(w), GLLM_D(s->embedding), GLLM_S(s->rms_eps));
	return y;
}

static void rotate(const struct maker *m, const struct gllm_llama_shape *s, const struct gllm_llama_layer *l, gllm_tensor y,
                   gllm_tensor x, uint64_t heads)
{
	NODE(m, s->halves ? GLLM_OP_rope_halves : GLLM_OP_rope_adjacent, m->rows, GLLM_T(y), GLLM_T(x), GLLM_T(l->cos),
	     GLLM_T(l->sin), GLLM_D(heads), GLLM_D(s->head_dim / 2));
}

static void before_attention(const struct maker *m, const struct gllm_llama_shape *s, struct gllm_llama_layer *l)
{
	uint64_t d = s->embedding, qw = query_width(s), kw = key_width(s);
	weight(m, s, l, GLLM_LLAMA_ATTN_NORM, 1, d);
	weight(m, s, l, GLLM_LLAMA_ATTN_Q, qw, d);
	weight(m, s, l, GLLM_LLAMA_ATTN_K, kw, d);
	weight(m, s, l, GLLM_LLAMA_ATTN_V, kw, d);
	l->cos = input(m, s->head_dim / 2, "cos");
	l->sin = input(m, s->head_dim / 2, "sin");
	l->q = output(m, qw, "q");
	l->k = output(m, kw, "k");
	l->v = output(m, kw, "v");
	gllm_tensor q = value(m, qw, "q_plain"), k = value(m, kw, "k_plain");
	gllm_tensor n = normalise(m, s, l->x, l->weight[GLLM_LLAMA_ATTN_NORM], "attn_normed");
	project(m, s, l, q, n, GLLM_LLAMA_ATTN_Q, qw, d);
	project(m, s, l, k, n, GLLM_LLAMA_ATTN_K, kw, d);
	project(m, s, l, l->v, n, GLLM_LLAMA_ATTN_V, kw, d);
	rotate(m, s, l, l->q, q, s->heads);
	rotate(m, s, l, l->k, k, s->kv_heads);
}

static void behind_attention(const struct maker *m, const struct gllm_llama_shape *s, struct gllm_llama_layer *l)
{
	uint64_t d = s->embedding, qw = query_width(s), f = s->ffn;
	l->attended = input(m, qw, "attended");
	weight(m, s, l, GLLM_LLAMA_ATTN_OUTPUT, d, qw);
	weight(m, s, l, GLLM_LLAMA_FFN_NORM, 1, d);
	weight(m, s, l, GLLM_LLAMA_FFN_GATE, f, d);
	weight(m, s, l, GLLM_LLAMA_FFN_UP, f, d);
	weight(m, s, l, GLLM_LLAMA_FFN_DOWN, d, f);
	l->y = output(m, d, "y");
	gllm_tensor o = value(m, d, "o"), x = value(m, d, "x_attended");
	project(m, s, l, o, l->attended, GLLM_LLAMA_ATTN_OUTPUT, d, qw);
	combine(m, GLLM_OP_add, x, o, l->x, d);
	gllm_tensor n = normalise(m, s, x, l->weight[GLLM_LLAMA_FFN_NORM], "ffn_normed");
	gllm_tensor gate = value(m, f, "gate"), up = value(m, f, "up"), h = value(m, f, "h"), r = value(m, d, "r");
	project(m, s, l, gate, n, GLLM_LLAMA_FFN_GATE, f, d);
	project(m, s, l, up, n, GLLM_LLAMA_FFN_UP, f, d);
	combine(m, GLLM_OP_swiglu, h, gate, up, f);
	project(m, s, l, r, h, GLLM_LLAMA_FFN_DOWN, d, f);
	combine(m, GLLM_OP_add, l->y, r, x, d);
}

static struct maker begin(struct gllm_graph *g, const struct gllm_llama_shape *s, struct gllm_llama_layer *out)
{
	struct maker m = { g, s->rows };
	nothing(out);
	out->x = input(&m, s->embedding, "x");
	return m;
}

enum gllm_status gllm_llama_projections(struct gllm_graph *g, const struct gllm_llama_shape *s, struct gllm_llama_layer *out)
{
	struct maker m = begin(g, s, out);
	before_attention(&m, s, out);
	return finish(&m);
}

enum gllm_status gllm_llama_feed_forward(struct gllm_graph *g, const struct gllm_llama_shape *s, struct gllm_llama_layer *out)
{
	struct maker m = begin(g, s, out);
	behind_attention(&m, s, out);
	return finish(&m);
}

enum gllm_status gllm_llama_layer(struct gllm_graph *g, const struct gllm_llama_shape *s, struct gllm_llama_layer *out)
{
	struct maker m = begin(g, s, out);
	before_attention(&m, s, out);
	behind_attention(&m, s, out);
	return finish(&m);
}

enum gllm_status gllm_llama_logits(struct gllm_graph *g, const struct gllm_llama_shape *s, struct gllm_llama_layer *out)
{
	struct maker m = begin(g, s, out);
	weight(&m, s, out, GLLM_LLAMA_OUTPUT_NORM, 1, s->embedding);
	weight(&m, s, out, GLLM_LLAMA_OUTPUT, s->vocab, s->embedding);
	out->y = output(&m, s->vocab, "logits");
	project(&m, s, out, out->y, normalise(&m, s, out->x, out->weight[GLLM_LLAMA_OUTPUT_NORM], "normed"), GLLM_LLAMA_OUTPUT,
	        s->vocab, s->embedding);
	return finish(&m);
}

enum gllm_status gllm_llama_attention(struct gllm_graph *g, const struct gllm_llama_shape *s, struct gllm_attention *out)
{
	struct maker m = { g, s->rows };
	uint64_t d = s->head_dim, stride = key_width(s);
	out->q = gllm_graph_tensor(g, GLLM_TENSOR_INPUT, GLLM_F32, 1, d, "q");
	out->k = input(&m, stride, "k");
	out->v = input(&m, stride, "v");
	out->out = gllm_graph_tensor(g, GLLM_TENSOR_OUTPUT, GLLM_F32, 1, d, "out");
	gllm_tensor score = value(&m, 1, "score");
	NODE(&m, GLLM_OP_attend, 1, GLLM_T(out->out), GLLM_T(score), GLLM_T(out->q), GLLM_T(out->k), GLLM_T(out->v),
	     GLLM_D(s->rows), GLLM_D(d), GLLM_D(stride), GLLM_S(1.0f / gllm_sqrtf((float)d)));
	return finish(&m);
}

/* --- multi-layer perceptron -------------------------------------------------------------------------------------------- */

/* x * up (+ bias) through the activation, times down (+ bias). */
static void perceptron(const struct maker *m, const struct gllm_mlp_shape *s, const struct gllm_mlp *l, gllm_tensor y)
{
	gllm_tensor up = value(m, s->hidden, "up"), h = value(m, s->hidden, "h");
	if (s->bias)
		multiply_biased(m, up, l->x, l->up, l->up_bias, s->hidden, s->in);
	else
		multiply(m, up, l->x, l->up, s->type, s->hidden, s->in);
	if (s->gated) {
		gllm_tensor gate = value(m, s->hidden, "gate");
		multiply(m, gate, l->x, l->gate, s->type, s->hidden, s->in);
		combine(m, s->activation, h, gate, up, s->hidden);
	} else {
		map(m, s->activation, h, up, s->hidden);
	}
	if (s->bias)
		multiply_biased(m, y, h, l->down, l->down_bias, s->out, s->hidden);
	else
		multiply(m, y, h, l->down, s->type, s->out, s->hidden);
}

static void perceptron_weights(const struct maker *m, const struct gllm_mlp_shape *s, struct gllm_mlp *l)
{
	l->gate = s->gated ? matrix(m, s->type, s->hidden, s->in, "gate_weight") : GLLM_NO_TENSOR;
	l->up = matrix(m, s->type, s->hidden, s->in, "up_weight");
	l->up_bias = s->bias ? vector(m, s->hidden, "up_bias") : GLLM_NO_TENSOR;
	l->down = matrix(m, s->type, s->out, s->hidden, "down_weight");
	l->down_bias = s->bias ? vector(m, s->out, "down_bias") : GLLM_NO_TENSOR;
}

enum gllm_status gllm_mlp(struct gllm_graph *g, const struct gllm_mlp_shape *s, struct gllm_mlp *out)
{
	struct maker m = { g, s->rows };
	out->x = input(&m, s->in, "x");
	perceptron_weights(&m, s, out);
	out->y = output(&m, s->out, "y");
	gllm_tensor r = s->residual ? value(&m, s->out, "r") : out->y;
	perceptron(&m, s, out, r);
	if (s->residual)
		combine(&m, GLLM_OP_add, out->y, r, out->x, s->out);
	return finish(&m);
}

/* --- encoder ---------------------------------------------------------------------------------------------------------- */

static void standardise(const struct maker *m, const struct gllm_encoder_shape *s, gllm_tensor y, gllm_tensor x, gllm_tensor gain,
                        gllm_tensor shift)
{
	NODE(m, GLLM_OP_layer_norm, m->rows, GLLM_T(y), GLLM_T(x), GLLM_T(gain), GLLM_T(shift), GLLM_D(s->embedding), GLLM_S(s->eps));
}

/* softmax(q k^T / sqrt(d)) v over all rows. */
static gllm_tensor attend(const struct maker *m, const struct gllm_encoder_shape *s, gllm_tensor q, gllm_tensor k, gllm_tensor v)
{
	uint64_t t = s->rows, d = s->embedding;
	gllm_tensor score = value(m, t, "score"), scaled = value(m, t, "scaled"), p = value(m, t, "p"), y = value(m, d, "a");
	NODE(m, GLLM_OP_gemm_bt, 1, GLLM_T(score), GLLM_T(q), GLLM_T(k), GLLM_D(t), GLLM_D(t), GLLM_D(d));
	NODE(m, GLLM_OP_scale, t, GLLM_T(scaled), GLLM_T(score), GLLM_D(t), GLLM_S(1.0f / gllm_sqrtf((float)d)));
	map(m, GLLM_OP_softmax, p, scaled, t);
	NODE(m, GLLM_OP_gemm, 1, GLLM_T(y), GLLM_T(p), GLLM_T(v), GLLM_D(t), GLLM_D(d), GLLM_D(t));
	return y;
}

static gllm_tensor projection(const struct maker *m, const struct gllm_encoder_shape *s, gllm_tensor y, gllm_tensor x, gllm_tensor *w,
                              gllm_tensor *bias, const char *name, const char *bias_name)
{
	*w = matrix(m, s->type, s->embedding, s->embedding, name);
	*bias = vector(m, s->embedding, bias_name);
	multiply_biased(m, y, x, *w, *bias, s->embedding, s->embedding);
	return y;
}

enum gllm_status gllm_encoder(struct gllm_graph *g, const struct gllm_encoder_shape *s, struct gllm_encoder *out)
{
	struct maker m = { g, s->rows };
	uint64_t d = s->embedding;
	enum gllm_tensor_kind kind = s->attention ? GLLM_TENSOR_VALUE : GLLM_TENSOR_OUTPUT;
	struct gllm_mlp_shape inner = { s->rows, d, s->ffn, d, GLLM_OP_gelu_erf, .bias = true, .type = s->type };
	struct gllm_mlp mlp;
	out->x = input(&m, d, "x");
	gllm_tensor q = projection(&m, s, tensor(&m, kind, d, "q"), out->x, &out->wq, &out->bq, "q_weight", "q_bias");
	gllm_tensor k = projection(&m, s, tensor(&m, kind, d, "k"), out->x, &out->wk, &out->bk, "k_weight", "k_bias");
	gllm_tensor v = projection(&m, s, tensor(&m, kind, d, "v"), out->x, &out->wv, &out->bv, "v_weight", "v_bias");
	out->q = s->attention ? GLLM_NO_TENSOR : q;
	out->k = s->attention ? GLLM_NO_TENSOR : k;
	out->v = s->attention ? GLLM_NO_TENSOR : v;
	out->attended = s->attention ? GLLM_NO_TENSOR : input(&m, d, "attended");
	gllm_tensor a = s->attention ? attend(&m, s, q, k, v) : out->attended;
	gllm_tensor o = projection(&m, s, value(&m, d, "o"), a, &out->wo, &out->bo, "o_weight", "o_bias");

	gllm_tensor r = value(&m, d, "x_attended"), n = value(&m, d, "normed");
	combine(&m, GLLM_OP_add, r, o, out->x, d);
	out->gain1 = vector(&m, d, "gain1");
	out->shift1 = vector(&m, d, "shift1");
	standardise(&m, s, n, r, out->gain1, out->shift1);
	mlp.x = n;
	perceptron_weights(&m, &inner, &mlp);
	gllm_tensor f = value(&m, d, "f"), z = value(&m, d, "x_fed");
	perceptron(&m, &inner, &mlp, f);
	out->up = mlp.up;
	out->up_bias = mlp.up_bias;
	out->down = mlp.down;
	out->down_bias = mlp.down_bias;
	combine(&m, GLLM_OP_add, z, f, n, d);
	out->gain2 = vector(&m, d, "gain2");
	out->shift2 = vector(&m, d, "shift2");
	out->y = output(&m, d, "y");
	standardise(&m, s, out->y, z, out->gain2, out->shift2);
	return finish(&m);
}
