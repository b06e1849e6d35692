/* SPDX-License-Identifier: MIT
 * tests/check_llama.c - the whole decoder: a known model against its published tokens and logits, a small model of our own
 * (odd sizes, F16 matrices) compiled against the scalar definitions, and every way creation and evaluation can fail. */
#include "check.h"
#include "core/arena.h"
#include "core/bits.h"
#include "gllm/speaker.h"
#include "jit/plan.h"
#include "tests/gguf_build.h"
#include "tests/stories260k.h"

struct bench {
	struct check *t;
	struct gllm_arena arena;
	struct gllm_config config;
	bool can_compile;
};

static bool start(struct bench *b, struct check *t)
{
	size_t size;
	*b = (struct bench){ .t = t };
	unsigned char *all = check_memory(t, &size);
	gllm_arena_init(&b->arena, all, size);
	b->config = (struct gllm_config){ .target = check_target(t), .profile = *check_profile(t) };
	if (check_image(t))
		b->config.image = *check_image(t);
	b->config.recorded = t->host->recorded;
	b->config.nrecorded = t->host->nrecorded;
	if (check_exec(t))
		b->config.host.code = *check_exec(t);
	b->can_compile = b->config.target && check_image(t) && check_exec(t) && b->config.profile.vector_bytes;
	return true;
}

static enum gllm_status open_speaker(struct bench *b, const unsigned char *model, size_t size,
                                     const struct gllm_speaker_options *o, struct gllm_speaker *s, struct gllm_error *e)
{
	struct gllm_arena mark = b->arena;
	size_t index, bytes;
	if (check_exec(b->t))
		b->config.host.code = *check_exec_fresh(b->t);
	enum gllm_status r = gllm_gguf_workspace(model, size, &index, e);
	if (r != GLLM_OK)
		return r;
	r = gllm_speaker_quote(&b->config, model, size, o, gllm_alloc(&mark, index, 64), index, &bytes, e);
	if (r != GLLM_OK)
		return r;
	void *memory = gllm_alloc(&b->arena, bytes, 64);
	return memory ? gllm_speaker_open(s, &b->config, model, size, o, memory, bytes, e) : GLLM_OUT_OF_MEMORY;
}

static double distance(const float *a, const float *b, unsigned n)
{
	double worst = 0;
	for (unsigned i = 0; i < n; i++) {
		double d = (double)a[i] - (double)b[i];
		d = d < 0 ? -d : d;
		worst = d > worst || d != d ? (d != d ? 1e30 : d) : worst;
	}
	return worst;
}

/* --- the known model ------------------------------------------------------------------------------------------------ */

struct listener {
	int32_t token[80];
	unsigned n;
};

static bool listen(void *user, int32_t token, const char *text, size_t bytes)
{
	struct listener *l = user;
	(void)text;
	(void)bytes;
	if (l->n < GLLM_COUNT(l->token))
		l->token[l->n++] = token;
	return true;
}

static bool is_stories(const struct gllm_gguf *g)
{
	static const char name[] = "stories260K";
	struct gllm_text text;
	if (gllm_gguf_string(g, "general.name", &text, NULL) != GLLM_OK || text.n != sizeof name - 1)
		return false;
	for (size_t i = 0; i < text.n; i++)
		if (text.at[i] != name[i])
			return false;
	return true;
}

static void known_model(struct bench *b, bool scalar)
{
	struct gllm_speaker_options o = { .top_p = 1.0f, .llama = { .scalar = scalar, .readback = true } };
	struct gllm_error e = { .status = GLLM_OK };
	struct gllm_arena mark = b->arena;
	struct gllm_speaker s;
	struct gllm_speech speech;
	struct listener l = { .n = 0 };
	const float *logits;
	const struct check_host *h = b->t->host;
	if (!CHECK_STATUS(b->t, open_speaker(b, h->model, h->model_size, &o, &s, &e), GLLM_OK)) {
		check_print(b->t, "     %s %s (%llu)\n", e.what, e.name, (unsigned long long)e.where);
		b->arena = mark;
		return;
	}
	CHECK_EQ(b->t, s.used, s.quote);
	if (!is_stories(&s.gguf)) {
		check_skip(b->t, "the model given is not the one whose tokens are known");
		b->arena = mark;
		return;
	}
	CHECK_STATUS(b->t, gllm_llama_eval(s.llama, stories_prompt, GLLM_COUNT(stories_prompt), &logits, &e), GLLM_OK);
	double d = distance(logits, stories_logits, GLLM_COUNT(stories_logits));
	if (!CHECK(b->t, d <= 1e-4))
		check_print(b->t, "     first logits differ by %f\n", d);
	/* One token at a time gives the same logits as the prompt at once. */
	gllm_llama_rewind(s.llama, 0);
	for (unsigned i = 0; i < GLLM_COUNT(stories_prompt); i++)
		gllm_llama_eval(s.llama, stories_prompt + i, 1, &logits, &e);
	CHECK(b->t, distance(logits, stories_logits, GLLM_COUNT(stories_logits)) <= 1e-4);
	CHECK_STATUS(b->t, gllm_speaker_say(&s, "Once upon a time", 16, 64, listen, &l, &speech, &e), GLLM_OK);
	CHECK_EQ(b->t, speech.prompt_tokens, GLLM_COUNT(stories_prompt));
	CHECK_EQ(b->t, l.n, GLLM_COUNT(stories_greedy));
	unsigned same = 0;
	while (same < l.n && same < GLLM_COUNT(stories_greedy) && l.token[same] == stories_greedy[same])
		same++;
	CHECK_EQ(b->t, same, GLLM_COUNT(stories_greedy));
	struct gllm_stats stats;
	gllm_context_stats(s.context, &stats);
	CHECK_EQ(b->t, stats.injected, 0);
	CHECK(b->t, scalar ? stats.kernels == 0 : stats.kernels > 0 && stats.lifted + stats.recorded > 0);
	b->arena = mark;
}

/* --- a model of our own --------------------------------------------------------------------------------------------- */

enum { OWN_TOKENS = 7, OWN_CONTEXT = 40, OWN_BYTES = 64 << 10 };

static void own_tensors(struct build *b, const char *layer, bool half)
{
	static const char *const name[] = { "attn_norm", "attn_q", "attn_k", "attn_v", "attn_output", "ffn_norm", "ffn_gate",
	                                    "ffn_up", "ffn_down" };
	static const unsigned char dims[][2] = { { 24, 0 }, { 24, 24 }, { 24, 8 }, { 24, 8 }, { 24, 24 }, { 24, 0 },
	                                         { 24, 21 }, { 24, 21 }, { 21, 24 } };
	for (unsigned i = 0; i < GLLM_COUNT(name); i++) {
		char full[64];
		unsigned n = 0;
		for (const char *s = layer; *s; s++)
			full[n++] = *s;
		for (const char *s = name[i]; *s; s++)
			full[n++] = *s;
		for (const char *s = ".weight"; *s; s++)
			full[n++] = *s;
		full[n] = 0;
		build_tensor(b, full, half && dims[i][1] ? GLLM_GGML_F16 : GLLM_GGML_F32, dims[i][0], dims[i][1]);
	}
}

/* Two layers: embedding 24, 6 heads of 4, 2 key/value heads, ffn 21. Matrices of the layers are halves or floats; those of
 * tokens come last. */
static size_t own_layers(struct check *t, unsigned char *memory, bool half, bool other_half)
{
	static const char *const token[OWN_TOKENS] = { "<unk>", "<s>", "</s>", "\xe2\x96\x81", "a", "c", "b" };
	struct build b;
	build_start(&b, memory, OWN_BYTES, (struct lie){ NULL, LIE_NONE, 0 });
	build_string(&b, "general.architecture", "llama");
	build_u32(&b, "llama.context_length", OWN_CONTEXT);
	build_u32(&b, "llama.embedding_length", 24);
	build_u32(&b, "llama.block_count", 2);
	build_u32(&b, "llama.feed_forward_length", 21);
	build_u32(&b, "llama.attention.head_count", 6);
	build_u32(&b, "llama.attention.head_count_kv", 2);
	build_f32(&b, "llama.attention.layer_norm_rms_epsilon", 1e-5f);
	build_u32(&b, "llama.vocab_size", OWN_TOKENS);
	build_string(&b, "tokenizer.ggml.model", "llama");
	build_array(&b, "tokenizer.ggml.tokens", GLLM_GGUF_STRING, OWN_TOKENS);
	for (unsigned i = 0; i < OWN_TOKENS; i++)
		build_bytes(&b, token[i], build_length(token[i]));
	build_array(&b, "tokenizer.ggml.scores", GLLM_GGUF_F32, OWN_TOKENS);
	for (unsigned i = 0; i < OWN_TOKENS; i++)
		build_number(&b, gllm_f32_bits(-(float)i), 4);
	build_tensor(&b, "output_norm.weight", GLLM_GGML_F32, 24, 0);
	own_tensors(&b, "blk.0.", half);
	own_tensors(&b, "blk.1.", other_half);
	build_tensor(&b, "token_embd.weight", half ? GLLM_GGML_F16 : GLLM_GGML_F32, 24, OWN_TOKENS);
	build_finish(&b);
	/* Weights of ordinary size in place of the builder's pattern. */
	size_t at = b.n - b.offset;
	for (size_t i = 0; i + 4 <= b.offset; i += 4) {
		if (half) {
			gllm_put_le16(memory + at + i, gllm_f32_to_f16(check_float(t, -0.5f, 0.5f)));
			gllm_put_le16(memory + at + i + 2, gllm_f32_to_f16(check_float(t, -0.5f, 0.5f)));
		} else {
			gllm_put_le32(memory + at + i, gllm_f32_bits(check_float(t, -0.5f, 0.5f)));
		}
	}
	return b.n;
}

static size_t own_model(struct check *t, unsigned char *memory, bool half)
{
	return own_layers(t, memory, half, half);
}

static void fill_norms(struct check *t, unsigned char *model, size_t size, void *workspace, size_t bytes)
{
	struct gllm_gguf g;
	if (gllm_gguf_open(&g, model, size, workspace, bytes, NULL) != GLLM_OK)
		return;
	for (uint64_t i = 0; i < g.tensor_count; i++)
		if (g.tensors[i].ndims == 1)
			for (uint64_t k = 0; k < g.tensors[i].dims[0]; k++)
				gllm_put_le32(model + (g.tensors[i].data - model) + 4 * k, gllm_f32_bits(check_float(t, 0.5f, 1.5f)));
}

/* A session that ends gives all of its plans back, those for one row and those for several, which may be the same. */
static void ends(struct bench *b, struct gllm_speaker *s)
{
	struct gllm_stats first, now;
	size_t bytes;

	gllm_context_stats(s->context, &first);
	if (!CHECK_STATUS(b->t, gllm_llama_quote(&s->gguf, &s->options.llama, &bytes, NULL), GLLM_OK))
		return;
	void *memory = gllm_alloc(&b->arena, bytes, 64);
	for (unsigned i = 0; i < 3 && CHECK(b->t, memory != NULL); i++) {
		gllm_llama_free(s->llama);
		gllm_context_stats(s->context, &now);
		CHECK(b->t, now.code_bytes == 0 || b->config.host.code.once);
		if (!CHECK_STATUS(b->t, gllm_llama_create(s->context, &s->gguf, &s->options.llama, memory, bytes, &s->llama, NULL), GLLM_OK))
			return;
	}
	gllm_context_stats(s->context, &now);
	CHECK(b->t, now.code_bytes == first.code_bytes || b->config.host.code.once);
	CHECK_EQ(b->t, now.heap_high, first.heap_high);

	struct gllm_config tight = b->config; /* one that cannot begin, too: the code of its last plan does not fit */
	struct gllm_context *c;
	struct gllm_llama *none;
	size_t quote = gllm_context_quote(&tight);
	tight.host.code.size = first.code_bytes - 1;
	if (!CHECK_STATUS(b->t, gllm_context_create(gllm_alloc(&b->arena, quote, 64), quote, &tight, &c, NULL), GLLM_OK))
		return;
	CHECK_STATUS(b->t, gllm_llama_create(c, &s->gguf, &s->options.llama, memory, bytes, &none, NULL), GLLM_NO_SPACE);
	gllm_context_stats(c, &now);
	CHECK(b->t, now.code_bytes == 0 || tight.host.code.once);
}

static void compare_own(struct bench *b, bool half)
{
	static const int32_t token[] = { 1, 3, 4, 5, 6, 4, 3, 2, 0, 6, 5, 5, 4, 1, 3, 6, 6, 2, 4, 5, 3, 1 };
	struct gllm_speaker_options plain = { .top_p = 1.0f, .llama = { .scalar = true, .chunk = 5 } };
	struct gllm_speaker_options compiled = { .top_p = 1.0f, .llama = { .chunk = 5, .readback = true } };
	struct gllm_error e = { .status = GLLM_OK };
	struct gllm_arena mark = b->arena;
	struct gllm_speaker x, y;
	const float *want, *got;
	unsigned char *model = gllm_alloc(&b->arena, OWN_BYTES, 64);
	void *workspace = gllm_alloc(&b->arena, 16 << 10, 64);
	if (!CHECK(b->t, model && workspace))
		return;
	b->config.profile.slow_fma = half; /* both ways to multiply and add */
	size_t size = own_model(b->t, model, half);
	fill_norms(b->t, model, size, workspace, 16 << 10);
	if (!CHECK_STATUS(b->t, open_speaker(b, model, size, &plain, &x, &e), GLLM_OK))
		check_print(b->t, "     %s %s\n", e.what, e.name);
	else if (!b->can_compile)
		check_skip(b->t, "comparison with compiled plans needs a back end, vector units and executable memory");
	else if (!CHECK_STATUS(b->t, open_speaker(b, model, size, &compiled, &y, &e), GLLM_OK))
		check_print(b->t, "     %s %s\n", e.what, e.name);
	else {
		/* 22 tokens are more than four chunks; then one at a time. */
		CHECK_STATUS(b->t, gllm_llama_eval(x.llama, token, GLLM_COUNT(token), &want, &e), GLLM_OK);
		CHECK_STATUS(b->t, gllm_llama_eval(y.llama, token, GLLM_COUNT(token), &got, &e), GLLM_OK);
		CHECK(b->t, distance(got, want, OWN_TOKENS) <= 1e-4);
		for (unsigned i = 0; i < 6; i++) {
			gllm_llama_eval(x.llama, token + i, 1, &want, &e);
			gllm_llama_eval(y.llama, token + i, 1, &got, &e);
			CHECK(b->t, distance(got, want, OWN_TOKENS) <= 1e-4);
		}
		/* Going back and on again is as if nothing had been there. */
		float before[OWN_TOKENS];
		for (unsigned i = 0; i < OWN_TOKENS; i++)
			before[i] = got[i];
		CHECK_STATUS(b->t, gllm_llama_rewind(y.llama, 27), GLLM_OK);
		gllm_llama_eval(y.llama, token + 5, 1, &got, &e);
		CHECK(b->t, distance(got, before, OWN_TOKENS) == 0.0);
		ends(b, &y);
	}
	b->arena = mark;
}

/* --- what must fail ------------------------------------------------------------------------------------------------- */

static void refusals(struct bench *b)
{
	struct gllm_speaker_options o = { .top_p = 1.0f, .llama = { .scalar = !b->can_compile } };
	struct gllm_arena mark = b->arena;
	struct gllm_error e = { .status = GLLM_OK };
	struct gllm_speaker s;
	struct gllm_speech speech;
	struct listener l = { .n = 0 };
	size_t index, bytes;
	int32_t many[OWN_CONTEXT + 1] = { 1 }, bad[] = { 1, OWN_TOKENS };
	unsigned char *model = gllm_alloc(&b->arena, OWN_BYTES, 64);
	void *scratch = gllm_alloc(&b->arena, 16 << 10, 64);
	if (!CHECK(b->t, model && scratch))
		return;
	size_t size = own_model(b->t, model, false);
	CHECK_STATUS(b->t, gllm_gguf_workspace(model, size, &index, &e), GLLM_OK);
	if (!CHECK_STATUS(b->t, gllm_speaker_quote(&b->config, model, size, &o, scratch, index, &bytes, &e), GLLM_OK))
		return;
	unsigned char *memory = gllm_alloc(&b->arena, bytes, 64);
	if (!CHECK(b->t, memory != NULL))
		return;

	CHECK_STATUS(b->t, gllm_speaker_open(&s, &b->config, model, size, &o, memory, bytes - 1, &e), GLLM_OUT_OF_MEMORY);
	CHECK_EQ(b->t, e.expected, bytes);
	CHECK_EQ(b->t, e.actual, bytes - 1);
	CHECK_STATUS(b->t, gllm_speaker_open(&s, &b->config, model, size, &o, memory + 1, bytes, NULL), GLLM_INVALID_ARGUMENT);
	CHECK_STATUS(b->t, gllm_speaker_open(&s, &b->config, model, size - 1, &o, memory, bytes, NULL), GLLM_TRUNCATED);

	struct gllm_config bare = b->config;
	struct gllm_speaker_options compile = o;
	compile.llama.scalar = false;
	bare.host.code = (struct gllm_exec_memory){ .write = NULL };
	e = (struct gllm_error){ .status = GLLM_OK };
	enum gllm_status without = gllm_speaker_open(&s, &bare, model, size, &compile, memory, bytes, &e);
	CHECK_STATUS(b->t, without, !bare.target ? GLLM_NO_BACK_END : !bare.profile.vector_bytes ? GLLM_NO_FEATURE
	                                                                                       : GLLM_NO_EXEC_MEMORY);
	CHECK_STATUS(b->t, e.status, without);

	e = (struct gllm_error){ .status = GLLM_OK };
	if (check_exec(b->t))
		b->config.host.code = *check_exec_fresh(b->t);
	if (!CHECK_STATUS(b->t, gllm_speaker_open(&s, &b->config, model, size, &o, memory, bytes, &e), GLLM_OK)) {
		check_print(b->t, "     %s %s\n", e.what, e.name);
		return;
	}
	CHECK_STATUS(b->t, gllm_llama_eval(s.llama, many, OWN_CONTEXT + 1, NULL, &e), GLLM_CONTEXT_FULL);
	CHECK_EQ(b->t, e.expected, OWN_CONTEXT);
	CHECK_STATUS(b->t, gllm_llama_eval(s.llama, bad, 2, NULL, NULL), GLLM_INVALID_ARGUMENT);
	CHECK_STATUS(b->t, gllm_llama_eval(s.llama, many, 0, NULL, NULL), GLLM_INVALID_ARGUMENT);
	CHECK_EQ(b->t, gllm_llama_position(s.llama), 0);
	CHECK_STATUS(b->t, gllm_llama_rewind(s.llama, 1), GLLM_INVALID_ARGUMENT);
	CHECK_STATUS(b->t, gllm_llama_eval(s.llama, many, OWN_CONTEXT, NULL, NULL), GLLM_OK);
	CHECK_STATUS(b->t, gllm_llama_eval(s.llama, many, 1, NULL, NULL), GLLM_CONTEXT_FULL);
	char prompt[200];
	for (unsigned i = 0; i < sizeof prompt; i++)
		prompt[i] = 'a';
	CHECK_STATUS(b->t, gllm_speaker_say(&s, prompt, sizeof prompt, 1, listen, &l, &speech, NULL), GLLM_CONTEXT_FULL);
	b->arena = mark;
}

/* All layers run by the same plans, so their types must agree. */
static void mixed_layers(struct bench *b)
{
	struct gllm_speaker_options o = { .top_p = 1.0f, .llama = { .scalar = true } };
	struct gllm_arena mark = b->arena;
	unsigned char *model = gllm_alloc(&b->arena, OWN_BYTES, 64);
	for (unsigned half = 0; half < 2 && CHECK(b->t, model != NULL); half++) {
		struct gllm_error e = { .status = GLLM_OK };
		struct gllm_speaker s;
		size_t size = own_layers(b->t, model, half, !half);
		CHECK_STATUS(b->t, open_speaker(b, model, size, &o, &s, &e), GLLM_UNSUPPORTED);
		CHECK_TEXT(b->t, e.what ? e.what : "", "layers with different weight types");
		CHECK_EQ(b->t, e.where, 1); /* the layer */
		CHECK_EQ(b->t, e.expected, half ? GLLM_F16 : GLLM_F32);
		CHECK_EQ(b->t, e.actual, half ? GLLM_F32 : GLLM_F16);
	}
	b->arena = mark;
}

/* A plan that cannot run leaves the session as it was, however many chunks ran before. */
static void failed_eval(struct bench *b)
{
	static const int32_t token[] = { 1, 3, 4, 5, 6, 4, 3, 6, 5, 4, 3 };
	struct gllm_speaker_options o = { .top_p = 1.0f, .llama = { .scalar = true, .chunk = 4 } };
	struct gllm_arena mark = b->arena;
	struct gllm_error e = { .status = GLLM_OK };
	struct gllm_speaker s;
	const float *logits;
	float want[OWN_TOKENS];
	unsigned char *model = gllm_alloc(&b->arena, OWN_BYTES, 64);
	size_t size = model ? own_model(b->t, model, false) : 0;
	if (!CHECK(b->t, model) || !CHECK_STATUS(b->t, open_speaker(b, model, size, &o, &s, &e), GLLM_OK))
		return;
	CHECK_STATUS(b->t, gllm_llama_eval(s.llama, token, GLLM_COUNT(token), &logits, &e), GLLM_OK);
	for (unsigned i = 0; i < OWN_TOKENS; i++)
		want[i] = logits[i];
	for (unsigned which = 0; which < 4; which++) { /* a plan that takes no rows stands for anything that can go wrong */
		union { const struct gllm_plan *read; struct gllm_plan *change; } p = { gllm_llama_plan(s.llama, which, false) };
		gllm_llama_rewind(s.llama, 0);
		CHECK_STATUS(b->t, gllm_llama_eval(s.llama, token, 2, NULL, &e), GLLM_OK);
		uint64_t rows = p.read->max_rows;
		p.change->max_rows = 0;
		e = (struct gllm_error){ .status = GLLM_OK };
		CHECK_STATUS(b->t, gllm_llama_eval(s.llama, token + 2, GLLM_COUNT(token) - 2, NULL, &e), GLLM_INVALID_ARGUMENT);
		CHECK_EQ(b->t, gllm_llama_position(s.llama), 2);
		p.change->max_rows = rows;
		e = (struct gllm_error){ .status = GLLM_OK };
		CHECK_STATUS(b->t, gllm_llama_eval(s.llama, token + 2, GLLM_COUNT(token) - 2, &logits, &e), GLLM_OK);
		CHECK_EQ(b->t, gllm_llama_position(s.llama), GLLM_COUNT(token));
		CHECK(b->t, distance(logits, want, OWN_TOKENS) == 0.0);
	}
	b->arena = mark;
}

/* Speaking ends where the context does, the session's own or the model's: no error, every token that had room. */
static void full_context(struct bench *b)
{
	static const uint32_t context[] = { 0, 12, 1 };
	struct gllm_arena mark = b->arena;
	unsigned char *model = gllm_alloc(&b->arena, OWN_BYTES, 64);
	void *workspace = gllm_alloc(&b->arena, 16 << 10, 64);
	if (!CHECK(b->t, model && workspace))
		return;
	size_t size = own_model(b->t, model, false);
	fill_norms(b->t, model, size, workspace, 16 << 10);
	struct gllm_gguf g;
	CHECK_STATUS(b->t, gllm_gguf_open(&g, model, size, workspace, 16 << 10, NULL), GLLM_OK);
	/* The end of text (2) scores the mean of two other tokens and so is never the greatest. */
	unsigned char *row = model + (gllm_gguf_tensor(&g, "token_embd.weight")->data - model);
	for (unsigned i = 0; i < 24; i++)
		gllm_put_le32(row + (2 * 24 + i) * 4, gllm_f32_bits((gllm_bits_f32(gllm_le32(row + (3 * 24 + i) * 4)) +
		                                                    gllm_bits_f32(gllm_le32(row + (4 * 24 + i) * 4))) / 2));
	for (unsigned i = 0; i < GLLM_COUNT(context); i++) {
		struct gllm_speaker_options o = { .top_p = 1.0f, .llama = { .scalar = true, .context = context[i] } };
		uint32_t room = context[i] ? context[i] : OWN_CONTEXT;
		struct gllm_arena before = b->arena;
		struct gllm_error e = { .status = GLLM_OK };
		struct gllm_speaker s;
		struct gllm_speech speech;
		struct listener l = { .n = 0 };
		if (!CHECK_STATUS(b->t, open_speaker(b, model, size, &o, &s, &e), GLLM_OK))
			break;
		CHECK_STATUS(b->t, gllm_speaker_say(&s, "", 0, 10 * OWN_CONTEXT, listen, &l, &speech, &e), GLLM_OK);
		CHECK_EQ(b->t, gllm_llama_position(s.llama), room);
		CHECK_EQ(b->t, speech.tokens, room - speech.prompt_tokens + 1); /* the last one is said and not read again */
		CHECK_EQ(b->t, l.n, speech.tokens);
		CHECK(b->t, !speech.ended);
		b->arena = before;
	}
	b->arena = mark;
}

/* Of a file that ends with the last token's row, at the end of memory, nothing further is read. */
static void last_token(struct bench *b, bool half)
{
	const struct check_host *h = b->t->host;
	struct gllm_arena mark = b->arena;
	unsigned char *model = gllm_alloc(&b->arena, OWN_BYTES, 64);
	void *workspace = gllm_alloc(&b->arena, 16 << 10, 64);
	struct gllm_speaker_options o = { .top_p = 1.0f, .llama.scalar = !b->can_compile };
	struct gllm_error e = { .status = GLLM_OK };
	struct gllm_speaker s;
	struct gllm_gguf g;
	const float *logits;
	const int32_t last = OWN_TOKENS - 1;
	if (!h->guarded) {
		check_skip(b->t, "no guard pages behind a model");
		return;
	}
	if (!CHECK(b->t, model && workspace))
		return;
	size_t size = own_model(b->t, model, half);
	CHECK_STATUS(b->t, gllm_gguf_open(&g, model, size, workspace, 16 << 10, NULL), GLLM_OK);
	size = (size_t)(gllm_gguf_tensor(&g, "token_embd.weight")->data - model) + 24 * OWN_TOKENS * (half ? 2u : 4u);
	unsigned char *file = h->guarded(h->user, size, true);
	for (size_t i = 0; file && i < size; i++)
		file[i] = model[i];
	if (CHECK(b->t, file != NULL) && CHECK_STATUS(b->t, open_speaker(b, file, size, &o, &s, &e), GLLM_OK))
		CHECK_STATUS(b->t, gllm_llama_eval(s.llama, &last, 1, &logits, &e), GLLM_OK);
	if (file)
		h->guarded_free(h->user, file, size, true);
	b->arena = mark;
}

void check_llama(struct check *t)
{
	struct bench b;
	start(&b, t);
	if (!t->host->model)
		check_skip(t, "no model file was given: the known model's tokens are not compared");
	else if (b.can_compile)
		known_model(&b, false);
	if (t->host->model)
		known_model(&b, true);
	compare_own(&b, false);
	compare_own(&b, true);
	refusals(&b);
	mixed_layers(&b);
	failed_eval(&b);
	full_context(&b);
	last_token(&b, false);
	last_token(&b, true);
}
