/* SPDX-License-Identifier: MIT
 * tests/check_layers.c - the layer builders: what they compute, written out here with the scalar definitions; scalar, unfused
 * and fused plans, for one row and for several; what fuses; which errors name which node; and operators with several outputs. */
#include "check.h"
#include "check_bound.h"
#include "core/arena.h"
#include "core/bits.h"
#include "gllm/layers.h"

enum { T = 5, D = 24, HEADS = 4, KV = 2, HEAD = 6, F = 40, VOCAB = 19, ROOM = 4096, MOST = 40 };

struct desk {
	struct check *t;
	struct gllm_context *c;
	struct gllm_arena arena;
	struct gllm_graph *g;
	struct gllm_error e;
	float *data[MOST], *got[MOST]; /* by tensor; outputs of plans go to `got` */
	unsigned user[BOUND_USERS];
};

static const struct gllm_llama_shape llama = { .rows = GLLM_ROWS, .embedding = D, .heads = HEADS, .kv_heads = KV, .head_dim = HEAD,
                                               .ffn = F, .vocab = VOCAB, .rms_eps = 1e-5f };

/* Text may be withheld (check -x): then operators are there if their traces were recorded. */
static bool has_trace(struct desk *d, unsigned op)
{
	const struct gllm_trace *trace;
	return gllm_op_trace(d->c, op, &trace, &d->e) == GLLM_OK;
}

static bool can_compile(struct desk *d)
{
	const struct check *t = d->t;
	return check_target(t) && check_image(t) && check_exec(t) && check_profile(t)->vector_bytes &&
	       (bound_readable(check_image(t)) || has_trace(d, GLLM_OP_gemm_bt));
}

static bool open_graph(struct desk *d, uint64_t max_rows, unsigned tensors, unsigned nodes)
{
	d->e = (struct gllm_error){ .status = GLLM_OK };
	return CHECK_STATUS(d->t, gllm_graph_create(d->c, "layer", max_rows, tensors, nodes, &d->g, &d->e), GLLM_OK);
}

/* Numbers for every input and weight; halves where the tensor has them. */
static void fill(struct desk *d)
{
	for (unsigned i = 0; i < gllm_graph_tensors(d->g); i++) {
		struct gllm_tensor_info x;
		gllm_graph_tensor_info(d->g, i, &x);
		for (unsigned k = 0; k < ROOM; k++) {
			float f = check_float(d->t, -0.5f, 0.5f);
			if (x.type == GLLM_F16)
				((uint16_t *)(void *)d->data[i])[k] = gllm_f32_to_f16(f);
			else
				d->data[i][k] = f;
		}
	}
}

/* Whether every plan gives what `want` holds, to within `close` of numbers about 1. */
static void compare(struct desk *d, const char *layer, gllm_tensor tensor, const float *want, unsigned n)
{
	double worst = 0;
	for (unsigned i = 0; i < n; i++) {
		double x = (double)d->got[tensor][i] - (double)want[i], size = want[i] < 0 ? -(double)want[i] : (double)want[i];
		x = (x < 0 ? -x : x) / (size > 1 ? size : 1);
		worst = x > worst || x != x ? x : worst;
	}
	if (!CHECK(d->t, worst <= 2e-5))
		check_print(d->t, "     %s, tensor %u: off by %f\n", layer, tensor, worst);
}

struct result {
	gllm_tensor tensor;
	unsigned cols;
	const float *want;
};

/* Runs the graph with plans of all kinds, for 1 .. max_rows rows. */
static void try_plans(struct desk *d, const char *layer, uint64_t max_rows, const struct result *r, unsigned n)
{
	static const struct gllm_plan_options option[] = { { .scalar = true }, { .no_fusion = true, .readback = true }, { .readback = true } };
	void *bind[MOST];
	for (unsigned k = 0; k < (can_compile(d) ? 3u : 1u); k++) {
		struct gllm_plan *p;
		struct gllm_arena mark = d->arena;
		if (!CHECK_STATUS(d->t, gllm_compile(d->c, d->g, &option[k], &p, &d->e), GLLM_OK)) {
			check_print(d->t, "     %s: %s %s\n", layer, d->e.what, d->e.name);
			return;
		}
		void *workspace = gllm_alloc(&d->arena, gllm_plan_workspace(p) + 64, 64);
		for (uint64_t rows = 1; rows <= max_rows; rows += max_rows > 1 ? max_rows - 1 : 1) {
			for (unsigned i = 0; i < gllm_graph_tensors(d->g); i++) {
				struct gllm_tensor_info x;
				gllm_graph_tensor_info(d->g, i, &x);
				bind[i] = x.kind == GLLM_TENSOR_OUTPUT ? d->got[i] : d->data[i];
			}
			if (CHECK_STATUS(d->t, gllm_plan_run(p, bind, rows, workspace, &d->e), GLLM_OK))
				for (unsigned i = 0; i < n; i++)
					compare(d, layer, r[i].tensor, r[i].want, (unsigned)rows * r[i].cols);
		}
		gllm_plan_free(d->c, p);
		d->arena = mark;
	}
}

/* The steps of the fused plan, by name. */
static void expect_steps(struct desk *d, const char *want)
{
	struct gllm_plan *p;
	char got[512];
	size_t at = 0;
	if (!can_compile(d) || !CHECK_STATUS(d->t, gllm_compile(d->c, d->g, NULL, &p, &d->e), GLLM_OK))
		return;
	for (unsigned i = 0; i < gllm_plan_steps(p); i++) {
		struct gllm_step_info s;
		gllm_plan_step(p, i, &s);
		if (i && at < sizeof got - 1)
			got[at++] = ' ';
		for (const char *c = s.name; *c && at < sizeof got - 1; c++)
			got[at++] = *c;
	}
	got[at] = '\0';
	CHECK_TEXT(d->t, got, want);
	gllm_plan_free(d->c, p);
}

/* --- references -------------------------------------------------------------------------------------------------------- */

static float *room(struct desk *d)
{
	return gllm_alloc_array(&d->arena, ROOM, sizeof(float), 64);
}

static float *product(struct desk *d, const float *x, gllm_tensor w, unsigned n, unsigned k)
{
	float *y = room(d);
	struct gllm_tensor_info i;
	gllm_graph_tensor_info(d->g, w, &i);
	if (i.type == GLLM_F16)
		gllm_ref_gemm_bt_f16(y, x, (const uint16_t *)(const void *)d->data[w], T, n, k);
	else
		gllm_ref_gemm_bt(y, x, d->data[w], T, n, k);
	return y;
}

static float *biased(struct desk *d, const float *x, gllm_tensor w, gllm_tensor bias, unsigned n, unsigned k)
{
	float *y = room(d);
	gllm_ref_gemm_bt_bias(y, x, d->data[w], d->data[bias], T, n, k);
	return y;
}

static float *rms(struct desk *d, const float *x, gllm_tensor w)
{
	float *y = room(d);
	for (unsigned r = 0; r < T; r++)
		gllm_ref_rms_norm(y + r * D, x + r * D, d->data[w], D, llama.rms_eps);
	return y;
}

static float *sum(struct desk *d, const float *a, const float *b, unsigned n)
{
	float *y = room(d);
	gllm_ref_add(y, a, b, n);
	return y;
}

static float *rotated(struct desk *d, const struct gllm_llama_layer *l, const float *x, unsigned heads, bool halves)
{
	float *y = room(d);
	for (unsigned r = 0; r < T; r++)
		(halves ? gllm_ref_rope_halves : gllm_ref_rope_adjacent)(y + r * heads * HEAD, x + r * heads * HEAD,
			d->data[l->cos] + r * HEAD / 2, d->data[l->sin] + r * HEAD / 2, heads, HEAD / 2);
	return y;
}

/* --- layers ------------------------------------------------------------------------------------------------------------- */

typedef enum gllm_status llama_builder(struct gllm_graph *, const struct gllm_llama_shape *, struct gllm_llama_layer *);

static void llama_layer(struct desk *d, const char *name, llama_builder *build, struct gllm_llama_shape s, const char *steps)
{
	struct gllm_arena mark = d->arena;
	struct gllm_llama_layer l;
	struct result r[4];
	unsigned n = 0;
	for (uint64_t rows = 1; rows <= T; rows += T - 1) {
		if (!open_graph(d, rows, GLLM_LLAMA_LAYER_GRAPH_TENSORS, GLLM_LLAMA_LAYER_GRAPH_NODES) ||
		    !CHECK_STATUS(d->t, build(d->g, &s, &l), GLLM_OK)) {
			gllm_graph_status(d->g, &d->e);
			check_print(d->t, "     %s: %s %s\n", name, d->e.what, d->e.name);
			return;
		}
		fill(d);
		n = 0;
		const float *x = d->data[l.x];
		const gllm_tensor *w = l.weight;
		if (l.q != GLLM_NO_TENSOR) {
			const float *normed = rms(d, x, w[GLLM_LLAMA_ATTN_NORM]);
			r[n++] = (struct result){ l.q, HEADS * HEAD, rotated(d, &l, product(d, normed, w[GLLM_LLAMA_ATTN_Q], HEADS * HEAD, D), HEADS, s.halves) };
			r[n++] = (struct result){ l.k, KV * HEAD, rotated(d, &l, product(d, normed, w[GLLM_LLAMA_ATTN_K], KV * HEAD, D), KV, s.halves) };
			r[n++] = (struct result){ l.v, KV * HEAD, product(d, normed, w[GLLM_LLAMA_ATTN_V], KV * HEAD, D) };
		}
		if (l.attended != GLLM_NO_TENSOR) {
			const float *x1 = sum(d, product(d, d->data[l.attended], w[GLLM_LLAMA_ATTN_OUTPUT], D, HEADS * HEAD), x, T * D);
			const float *normed = rms(d, x1, w[GLLM_LLAMA_FFN_NORM]);
			float *h = room(d);
			gllm_ref_swiglu(h, product(d, normed, w[GLLM_LLAMA_FFN_GATE], F, D), product(d, normed, w[GLLM_LLAMA_FFN_UP], F, D), T * F);
			r[n++] = (struct result){ l.y, D, sum(d, product(d, h, w[GLLM_LLAMA_FFN_DOWN], D, F), x1, T * D) };
		} else if (l.y != GLLM_NO_TENSOR) {
			r[n++] = (struct result){ l.y, VOCAB, product(d, rms(d, x, w[GLLM_LLAMA_OUTPUT_NORM]), w[GLLM_LLAMA_OUTPUT], VOCAB, D) };
		}
		try_plans(d, name, rows, r, n);
		if (steps && rows > 1)
			expect_steps(d, steps);
		gllm_graph_free(d->c, d->g);
		d->arena = mark;
	}
}

static void llama_attention(struct desk *d)
{
	struct gllm_arena mark = d->arena;
	struct gllm_attention a;
	if (!open_graph(d, T, 8, 1) || !CHECK_STATUS(d->t, gllm_llama_attention(d->g, &llama, &a), GLLM_OK))
		return;
	fill(d);
	float *out = room(d), *score = room(d);
	void *bind[MOST];
	for (unsigned i = 0; i < MOST; i++)
		bind[i] = d->data[i];
	bind[a.out] = d->got[a.out];
	for (unsigned k = 0; k < (can_compile(d) ? 2u : 1u); k++) {
		struct gllm_plan *p;
		if (!CHECK_STATUS(d->t, gllm_compile(d->c, d->g, &(struct gllm_plan_options){ .scalar = k == 0 }, &p, &d->e), GLLM_OK))
			return;
		void *workspace = gllm_alloc(&d->arena, gllm_plan_workspace(p) + 64, 64);
		for (uint64_t rows = 1; rows <= T; rows++) {
			gllm_ref_attend(out, score, d->data[a.q], d->data[a.k], d->data[a.v], rows, HEAD, KV * HEAD, 1 / gllm_sqrtf(HEAD));
			CHECK_STATUS(d->t, gllm_plan_run(p, bind, rows, workspace, &d->e), GLLM_OK);
			compare(d, "attention", a.out, out, HEAD);
		}
		gllm_plan_free(d->c, p);
	}
	gllm_graph_free(d->c, d->g);
	d->arena = mark;
}

static void perceptrons(struct desk *d)
{
	static const struct { struct gllm_mlp_shape shape; const char *steps; } row[] = {
		{ { GLLM_ROWS, D, F, VOCAB, GLLM_OP_gelu, .bias = true }, "gemm_bt_bias+gelu gemm_bt_bias" },
		{ { GLLM_ROWS, D, F, VOCAB, GLLM_OP_relu, .bias = false }, "gemm_bt+relu gemm_bt" },
		{ { GLLM_ROWS, D, F, D, GLLM_OP_silu, .residual = true }, "gemm_bt+silu gemm_bt+add" },
		{ { GLLM_ROWS, D, F, D, GLLM_OP_geglu, .gated = true, .residual = true }, NULL },
		{ { GLLM_ROWS, D, F, VOCAB, GLLM_OP_swiglu, .gated = true, .type = GLLM_F16 }, NULL },
	};
	for (unsigned i = 0; i < GLLM_COUNT(row); i++) {
		struct gllm_arena mark = d->arena;
		const struct gllm_mlp_shape *s = &row[i].shape;
		struct gllm_mlp l;
		unsigned out = (unsigned)s->out;
		if (!open_graph(d, T, GLLM_MLP_GRAPH_TENSORS, GLLM_MLP_GRAPH_NODES) || !CHECK_STATUS(d->t, gllm_mlp(d->g, s, &l), GLLM_OK))
			return;
		fill(d);
		const float *x = d->data[l.x], *up = s->bias ? biased(d, x, l.up, l.up_bias, F, D) : product(d, x, l.up, F, D);
		float *h = room(d);
		if (s->activation == GLLM_OP_swiglu)
			gllm_ref_swiglu(h, product(d, x, l.gate, F, D), up, T * F);
		else if (s->activation == GLLM_OP_geglu)
			gllm_ref_geglu(h, product(d, x, l.gate, F, D), up, T * F);
		else
			(s->activation == GLLM_OP_gelu ? gllm_ref_gelu : s->activation == GLLM_OP_relu ? gllm_ref_relu : gllm_ref_silu)(h, up, T * F);
		const float *y = s->bias ? biased(d, h, l.down, l.down_bias, out, F) : product(d, h, l.down, out, F);
		struct result r = { l.y, out, s->residual ? sum(d, y, x, T * out) : y };
		CHECK_EQ(d->t, l.gate == GLLM_NO_TENSOR, !s->gated);
		CHECK_EQ(d->t, l.up_bias == GLLM_NO_TENSOR, !s->bias);
		try_plans(d, "perceptron", T, &r, 1);
		if (row[i].steps)
			expect_steps(d, row[i].steps);
		gllm_graph_free(d->c, d->g);
		d->arena = mark;
	}
}

/* Bytes that plans of x -> up -> relu -> down move: every operand of every step once; fusion saves writing and reading of
 * what up makes. */
static void bytes_moved(struct desk *d)
{
	static const struct gllm_mlp_shape s = { GLLM_ROWS, D, F, VOCAB, GLLM_OP_relu, .bias = false };
	const uint64_t saved = 2 * T * F * 4, all = 4 * (T * D + D * F + T * F + 2 * T * F + T * F + F * VOCAB + T * VOCAB);
	const uint64_t want[3] = { all, all, all - saved };
	struct gllm_mlp l;
	if (!open_graph(d, T, GLLM_MLP_GRAPH_TENSORS, GLLM_MLP_GRAPH_NODES) || !CHECK_STATUS(d->t, gllm_mlp(d->g, &s, &l), GLLM_OK))
		return;
	for (unsigned k = 0; k < (can_compile(d) ? 3u : 1u); k++) {
		struct gllm_plan *p;
		struct gllm_step_info first;
		if (!CHECK_STATUS(d->t, gllm_compile(d->c, d->g, &(struct gllm_plan_options){ .scalar = k == 0, .no_fusion = k == 1 }, &p, &d->e), GLLM_OK))
			return;
		CHECK_EQ(d->t, gllm_plan_bytes_moved(p), want[k]);
		CHECK_STATUS(d->t, gllm_plan_step(p, 0, &first), GLLM_OK);
		CHECK_EQ(d->t, first.bytes_saved, k == 2 ? saved : 0);
		gllm_plan_free(d->c, p);
	}
	gllm_graph_free(d->c, d->g);
}

static float *standardised(struct desk *d, const float *x, gllm_tensor gain, gllm_tensor shift, float eps)
{
	float *y = room(d);
	for (unsigned r = 0; r < T; r++)
		gllm_ref_layer_norm(y + r * D, x + r * D, d->data[gain], d->data[shift], D, eps);
	return y;
}

static const float *attended(struct desk *d, const float *q, const float *k, const float *v)
{
	float *score = room(d), *scaled = room(d), *p = room(d), *y = room(d);
	gllm_ref_gemm_bt(score, q, k, T, T, D);
	gllm_ref_scale(scaled, score, T * T, 1 / gllm_sqrtf(D));
	for (unsigned r = 0; r < T; r++)
		gllm_ref_softmax(p + r * T, scaled + r * T, T);
	gllm_ref_gemm(y, p, v, T, D, T);
	return y;
}

static void encoders(struct desk *d)
{
	for (unsigned inside = 0; inside < 2; inside++) {
		struct gllm_arena mark = d->arena;
		struct gllm_encoder_shape s = { inside ? T : GLLM_ROWS, D, F, 1e-5f, inside, GLLM_F32 };
		struct gllm_encoder l;
		struct result r[4];
		unsigned n = 0;
		if (!open_graph(d, inside ? 1 : T, GLLM_ENCODER_GRAPH_TENSORS, GLLM_ENCODER_GRAPH_NODES) ||
		    !CHECK_STATUS(d->t, gllm_encoder(d->g, &s, &l), GLLM_OK)) {
			gllm_graph_status(d->g, &d->e);
			check_print(d->t, "     encoder: %s %s\n", d->e.what, d->e.name);
			return;
		}
		fill(d);
		const float *x = d->data[l.x], *q = biased(d, x, l.wq, l.bq, D, D), *k = biased(d, x, l.wk, l.bk, D, D),
		            *v = biased(d, x, l.wv, l.bv, D, D);
		const float *o = biased(d, inside ? attended(d, q, k, v) : d->data[l.attended], l.wo, l.bo, D, D);
		const float *x1 = standardised(d, sum(d, o, x, T * D), l.gain1, l.shift1, s.eps);
		float *h = room(d);
		gllm_ref_gelu_erf(h, biased(d, x1, l.up, l.up_bias, F, D), T * F);
		const float *y = standardised(d, sum(d, biased(d, h, l.down, l.down_bias, D, F), x1, T * D), l.gain2, l.shift2, s.eps);
		r[n++] = (struct result){ l.y, inside ? T * D : D, y };
		CHECK_EQ(d->t, l.q == GLLM_NO_TENSOR, inside);
		if (!inside) {
			r[n++] = (struct result){ l.q, D, q };
			r[n++] = (struct result){ l.k, D, k };
			r[n++] = (struct result){ l.v, D, v };
		}
		try_plans(d, "encoder", inside ? 1 : T, r, n);
		gllm_graph_free(d->c, d->g);
		d->arena = mark;
	}
}

/* --- errors ------------------------------------------------------------------------------------------------------------ */

/* Every builder in a graph with too little room says so, at whatever place it ends; what the header states is enough. */
static void too_small(struct desk *d)
{
	static const unsigned most[3][2] = { { GLLM_LLAMA_LAYER_GRAPH_TENSORS, GLLM_LLAMA_LAYER_GRAPH_NODES },
		{ GLLM_MLP_GRAPH_TENSORS, GLLM_MLP_GRAPH_NODES }, { GLLM_ENCODER_GRAPH_TENSORS, GLLM_ENCODER_GRAPH_NODES } };
	static const struct gllm_encoder_shape encoder = { T, D, F, 1e-5f, true, GLLM_F32 };
	static const struct gllm_mlp_shape mlp = { GLLM_ROWS, D, F, D, GLLM_OP_swiglu, .gated = true, .residual = true };
	for (unsigned which = 0; which < 3; which++) {
		unsigned enough[2] = { MOST, MOST }; /* least number of tensors, and of nodes, that suffices */
		for (unsigned of = 0; of < 2; of++) {
			for (unsigned n = MOST; n-- > 0;) {
				struct gllm_llama_layer l;
				struct gllm_mlp m;
				struct gllm_encoder x;
				if (!open_graph(d, T, of ? MOST : n, of ? n : MOST))
					return;
				enum gllm_status s = which == 0 ? gllm_llama_layer(d->g, &llama, &l) : which == 1 ? gllm_mlp(d->g, &mlp, &m)
				                                                                    : gllm_encoder(d->g, &encoder, &x);
				CHECK(d->t, s == GLLM_OUT_OF_MEMORY || (s == GLLM_OK && n + 1 == enough[of]));
				CHECK_STATUS(d->t, gllm_graph_status(d->g, NULL), s);
				enough[of] = s == GLLM_OK ? n : enough[of];
				gllm_graph_free(d->c, d->g);
			}
		}
		CHECK(d->t, enough[0] <= most[which][0] && enough[1] <= most[which][1]);
	}
}

static void bad_shapes(struct desk *d)
{
	static const struct { enum gllm_llama_tensor which; enum gllm_type type; const char *name; } wrong[] = {
		{ GLLM_LLAMA_ATTN_Q, GLLM_U8, "q_plain = gemm_bt: attn_q.weight" }, { GLLM_LLAMA_ATTN_V, GLLM_I32, "v = gemm_bt: attn_v.weight" },
		{ GLLM_LLAMA_FFN_DOWN, GLLM_I8, "r = gemm_bt: ffn_down.weight" },
	};
	struct gllm_llama_layer l;
	for (unsigned i = 0; i < GLLM_COUNT(wrong); i++) {
		struct gllm_llama_shape s = llama;
		s.type[wrong[i].which] = wrong[i].type;
		if (!open_graph(d, T, GLLM_LLAMA_LAYER_GRAPH_TENSORS, GLLM_LLAMA_LAYER_GRAPH_NODES))
			return;
		CHECK_STATUS(d->t, gllm_llama_layer(d->g, &s, &l), GLLM_WRONG_TYPE);
		gllm_graph_status(d->g, &d->e);
		CHECK_TEXT(d->t, d->e.name, wrong[i].name);
		gllm_graph_free(d->c, d->g);
	}
	if (!check_target(d->t) || !check_image(d->t) || (!bound_readable(check_image(d->t)) && !has_trace(d, GLLM_OP_rope_adjacent)) ||
	    !open_graph(d, T, GLLM_LLAMA_LAYER_GRAPH_TENSORS, GLLM_LLAMA_LAYER_GRAPH_NODES))
		return; /* without traces, extents are not known */
	struct gllm_llama_shape odd = llama;
	odd.head_dim = HEAD - 1;
	CHECK_STATUS(d->t, gllm_llama_layer(d->g, &odd, &l), GLLM_SHAPE_MISMATCH);
	gllm_graph_status(d->g, &d->e);
	CHECK_TEXT(d->t, d->e.name, "q = rope_adjacent: q");
	gllm_graph_free(d->c, d->g);
	struct gllm_encoder_shape open = { GLLM_ROWS, D, F, 1e-5f, true, GLLM_F32 };
	struct gllm_encoder x;
	if (!open_graph(d, T, GLLM_ENCODER_GRAPH_TENSORS, GLLM_ENCODER_GRAPH_NODES))
		return;
	CHECK_STATUS(d->t, gllm_encoder(d->g, &open, &x), GLLM_INVALID_ARGUMENT); /* a score for every pair of an open number of rows */
	gllm_graph_status(d->g, &d->e);
	CHECK_TEXT(d->t, d->e.name, "score");
	gllm_graph_free(d->c, d->g);
}

/* --- several outputs --------------------------------------------------------------------------------------------------- */

/* above, below = split(x + x); y = above * below; z = silu(above): all of it in few steps, both outputs used. */
static void several_outputs(struct desk *d)
{
	enum { N = 37 };
	struct gllm_arena mark = d->arena;
	if (can_compile(d) && !bound_readable(check_image(d->t)) &&
	    (!has_trace(d, d->user[BOUND_SPLIT]) || !has_trace(d, d->user[BOUND_TURN]))) {
		check_skip(d->t, "the text of operators that were not recorded cannot be read");
		return;
	}
	if (!open_graph(d, T, 8, 6))
		return;
#define NODE(op, ...) gllm_graph_node(d->g, op, GLLM_ROWS, (struct gllm_actual[]){ __VA_ARGS__ }, \
                                      sizeof (struct gllm_actual[]){ __VA_ARGS__ } / sizeof(struct gllm_actual))
#define TENSOR(kind, name) gllm_graph_tensor(d->g, GLLM_TENSOR_##kind, GLLM_F32, GLLM_ROWS, N, name)
	gllm_tensor x = TENSOR(INPUT, "x"), s = TENSOR(VALUE, "s"), above = TENSOR(VALUE, "above"), below = TENSOR(OUTPUT, "below"),
	            y = TENSOR(OUTPUT, "y"), z = TENSOR(VALUE, "z"), w = TENSOR(OUTPUT, "w");
	NODE(GLLM_OP_add, GLLM_T(s), GLLM_T(x), GLLM_T(x), GLLM_D(N));
	NODE(d->user[BOUND_SPLIT], GLLM_T(above), GLLM_T(below), GLLM_T(s), GLLM_D(N));
	NODE(GLLM_OP_silu, GLLM_T(y), GLLM_T(above), GLLM_D(N));
	NODE(d->user[BOUND_TURN], GLLM_T(z), GLLM_T(w), GLLM_T(y), GLLM_T(below), GLLM_D(N));
	CHECK_STATUS(d->t, gllm_graph_status(d->g, &d->e), GLLM_OK);
	fill(d);
	float *want[4] = { room(d), room(d), room(d), room(d) };
	for (unsigned i = 0; i < T * N; i++) {
		float v = d->data[x][i] + d->data[x][i] - 0.5f, up = v > 0 ? v : 0;
		want[0][i] = v > 0 ? 0 : v;
		want[1][i] = up / (1 + gllm_expf(-up));
		want[2][i] = want[1][i] * 0.6f + want[0][i] * 0.8f;
	}
	struct result r[] = { { below, N, want[0] }, { y, N, want[1] }, { w, N, want[2] } };
	try_plans(d, "several outputs", T, r, 3);
	expect_steps(d, "add+split+silu+turn");
#undef NODE
#undef TENSOR
	gllm_graph_free(d->c, d->g);
	d->arena = mark;
}

void check_layers(struct check *t)
{
	struct desk d = { .t = t };
	size_t size;
	unsigned char *all = check_memory(t, &size);
	gllm_arena_init(&d.arena, all, size);
	struct gllm_config config = { .target = check_target(t), .profile = *check_profile(t), .recorded = t->host->recorded,
	                              .nrecorded = t->host->nrecorded };
	if (check_image(t))
		config.image = *check_image(t);
	if (check_exec(t))
		config.host.code = *check_exec(t);
	size_t need = gllm_context_quote(&config);
	void *memory = gllm_alloc(&d.arena, need, 64);
	for (unsigned i = 0; i < MOST; i++) {
		d.data[i] = room(&d);
		d.got[i] = room(&d);
	}
	if (!CHECK(t, d.got[MOST - 1]) || !CHECK_STATUS(t, gllm_context_create(memory, need, &config, &d.c, &d.e), GLLM_OK))
		return;
	for (unsigned i = 0; i < BOUND_USERS; i++)
		if (!CHECK_STATUS(t, gllm_register(d.c, bound_user[i].name, bound_user[i].fn, bound_user[i].param, bound_user[i].nparams,
		                                   bound_user[i].call, &d.user[i], &d.e), GLLM_OK))
			return;
	if (check_target(t) && check_image(t) && !bound_readable(check_image(t)) && !has_trace(&d, GLLM_OP_gemm_bt))
		check_skip(t, "the text of operators cannot be read, and none was recorded: scalar plans only");
	struct gllm_llama_shape halves = llama;
	halves.halves = true;
	for (unsigned i = GLLM_LLAMA_ATTN_Q; i < GLLM_LLAMA_TENSOR_COUNT; i++)
		halves.type[i] = GLLM_F16;
	llama_layer(&d, "llama projections", gllm_llama_projections, llama, NULL);
	llama_layer(&d, "llama feed forward", gllm_llama_feed_forward, llama, NULL);
	llama_layer(&d, "llama layer", gllm_llama_layer, llama, NULL);
	llama_layer(&d, "llama layer of halves", gllm_llama_layer, halves, NULL);
	llama_layer(&d, "llama logits", gllm_llama_logits, llama, NULL);
	llama_attention(&d);
	perceptrons(&d);
	bytes_moved(&d);
	encoders(&d);
	too_small(&d);
	bad_shapes(&d);
	several_outputs(&d);
}
