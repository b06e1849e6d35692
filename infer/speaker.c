/* SPDX-License-Identifier: MIT
 * infer/speaker.c - see gllm/speaker.h. */
#include "gllm/speaker.h"
#include "core/arena.h"
#include "core/bits.h"
#include "infer/sample.h"

enum { DEFAULT_PROMPT = 4096 };

struct parts { /* bytes of each part, in the order they lie in memory */
	size_t gguf, context, session, tokenizer, encode, sample, tokens, piece, total;
};

static size_t padded(size_t n)
{
	return (size_t)gllm_round_up(n, 64);
}

static size_t prompt_limit(const struct gllm_speaker_options *o)
{
	return o->prompt_bytes ? o->prompt_bytes : DEFAULT_PROMPT;
}

/* Every byte may be a token of its own, and two special ones are added. */
static size_t token_limit(const struct gllm_speaker_options *o)
{
	return prompt_limit(o) + 3;
}

/* A token's bytes are never more than its text in the file. */
static enum gllm_status longest_piece(const struct gllm_gguf *g, size_t *bytes, struct gllm_error *e)
{
	const struct gllm_gguf_value *tokens;
	uint64_t at = 0;
	enum gllm_status s = gllm_gguf_array(g, "tokenizer.ggml.tokens", GLLM_GGUF_STRING, &tokens, e);
	*bytes = 1;
	for (uint64_t i = 0; s == GLLM_OK && i < tokens->count; i++) {
		struct gllm_text text = gllm_gguf_next_string(tokens, &at);
		*bytes = text.n > *bytes ? text.n : *bytes;
	}
	return s;
}

static enum gllm_status measure(const struct gllm_config *c, const struct gllm_gguf *g, size_t gguf_bytes,
                                const struct gllm_speaker_options *o, struct parts *p, struct gllm_error *e)
{
	/* Before the tokenizer exists, its workspace is that of the one which needs most: every option on. */
	static const struct gllm_tokenizer widest = { .add_space_prefix = true, .user_count = 1 };
	struct gllm_llama_config config;
	enum gllm_status s = gllm_llama_config(&config, g, e);
	*p = (struct parts){ .gguf = padded(gguf_bytes), .context = padded(gllm_context_quote(c)) };
	if (prompt_limit(o) > (size_t)1 << 27)
		return gllm_fail(e, GLLM_INVALID_ARGUMENT, "prompt_bytes is beyond 2^27", NULL, 0, (uint64_t)1 << 27, prompt_limit(o));
	if (s == GLLM_OK)
		s = gllm_llama_quote(g, &o->llama, &p->session, e);
	if (s == GLLM_OK)
		s = gllm_tokenizer_workspace(g, &p->tokenizer, e);
	if (s != GLLM_OK)
		return s;
	p->session = padded(p->session);
	p->tokenizer = padded(p->tokenizer);
	p->encode = padded(gllm_tokenizer_encode_workspace(&widest, prompt_limit(o)));
	p->sample = padded(gllm_sample_workspace(config.vocab));
	p->tokens = padded(token_limit(o) * sizeof(int32_t));
	s = longest_piece(g, &p->piece, e);
	p->piece = padded(p->piece);
	p->total = p->gguf + p->context + p->session + p->tokenizer + p->encode + p->sample + p->tokens + p->piece;
	return s;
}

enum gllm_status gllm_speaker_quote(const struct gllm_config *c, const void *model, size_t model_size,
                                    const struct gllm_speaker_options *o, void *scratch, size_t scratch_size,
                                    size_t *bytes, struct gllm_error *e)
{
	struct gllm_gguf g;
	struct parts p;
	size_t need;
	enum gllm_status s = gllm_gguf_workspace(model, model_size, &need, e);
	if (s == GLLM_OK)
		s = gllm_gguf_open(&g, model, model_size, scratch, scratch_size, e);
	if (s == GLLM_OK)
		s = measure(c, &g, need, o, &p, e);
	if (s == GLLM_OK)
		*bytes = p.total;
	return s;
}

static enum gllm_status make(struct gllm_speaker *s, const struct gllm_config *c, const struct parts *p,
                             struct gllm_arena *a, struct gllm_error *e)
{
	void *context = gllm_alloc(a, p->context, 64), *session = gllm_alloc(a, p->session, 64);
	void *tokenizer = gllm_alloc(a, p->tokenizer, 64);
	s->encode = gllm_alloc(a, p->encode, 64);
	s->sample = gllm_alloc(a, p->sample, 64);
	s->tokens = gllm_alloc(a, p->tokens, 64);
	s->piece = gllm_alloc(a, p->piece, 64);
	s->piece_size = p->piece;
	s->encode_size = p->encode;
	s->sample_size = p->sample;
	enum gllm_status r = gllm_tokenizer_init(&s->tokenizer, &s->gguf, tokenizer, p->tokenizer, e);
	if (r == GLLM_OK)
		r = gllm_context_create(context, p->context, c, &s->context, e);
	if (r == GLLM_OK)
		r = gllm_llama_create(s->context, &s->gguf, &s->options.llama, session, p->session, &s->llama, e);
	return r;
}

enum gllm_status gllm_speaker_open(struct gllm_speaker *s, const struct gllm_config *c, const void *model, size_t model_size,
                                   const struct gllm_speaker_options *o, void *memory, size_t size, struct gllm_error *e)
{
	struct gllm_arena a;
	struct parts p;
	size_t need;
	if (!memory || ((uintptr_t)memory & 63))
		return gllm_fail(e, GLLM_INVALID_ARGUMENT, "speaker memory is NULL or not aligned to 64 bytes", NULL, 0, 64, 0);
	gllm_arena_init(&a, memory, size);
	*s = (struct gllm_speaker){ .options = *o, .random = o->seed, .host = c->host };
	enum gllm_status r = gllm_gguf_workspace(model, model_size, &need, e);
	if (r != GLLM_OK)
		return r;
	void *index = gllm_alloc(&a, padded(need), 64);
	if (!index)
		return gllm_fail(e, GLLM_OUT_OF_MEMORY, "memory is too small for the model's index", NULL, 0, padded(need), size);
	r = gllm_gguf_open(&s->gguf, model, model_size, index, padded(need), e);
	if (r == GLLM_OK)
		r = measure(c, &s->gguf, need, o, &p, e);
	if (r != GLLM_OK)
		return r;
	s->quote = p.total;
	if (size < p.total)
		return gllm_fail(e, GLLM_OUT_OF_MEMORY, "memory is smaller than gllm_speaker_quote", NULL, 0, p.total, size);
	r = make(s, c, &p, &a, e);
	s->used = a.high;
	return r;
}

static uint64_t now(const struct gllm_speaker *s)
{
	return s->host.clock_ns ? s->host.clock_ns(s->host.user) : 0;
}

static enum gllm_status choose(struct gllm_speaker *s, const float *logits, int32_t *token, struct gllm_error *e)
{
	struct gllm_sampler sampler = { s->options.temperature, s->options.top_p, s->options.min_p, s->options.top_k, s->random };
	uint32_t chosen;
	enum gllm_status r = gllm_sample(&sampler, logits, gllm_llama_parameters(s->llama)->vocab, s->sample,
	                                 s->sample_size, &chosen, e);
	s->random = sampler.state;
	if (r == GLLM_OK)
		*token = (int32_t)chosen;
	return r;
}

/* Decodes one token to `out`; false if the listener wants no more. */
static enum gllm_status emit(const struct gllm_speaker *s, int32_t token, bool *start, bool *more,
                             bool (*out)(void *user, int32_t token, const char *text, size_t bytes), void *user,
                             struct gllm_error *e)
{
	size_t bytes;
	enum gllm_status r = gllm_tokenizer_decode(&s->tokenizer, token, start, s->piece, s->piece_size, &bytes, e);
	if (r == GLLM_OK)
		*more = out(user, token, s->piece, bytes);
	return r;
}

enum gllm_status gllm_speaker_say(struct gllm_speaker *s, const char *prompt, size_t prompt_bytes, size_t n,
                                  bool (*out)(void *user, int32_t token, const char *text, size_t bytes), void *user,
                                  struct gllm_speech *speech, struct gllm_error *e)
{
	const float *logits;
	bool start = false, more = true;
	*speech = (struct gllm_speech){ .start_ns = now(s) };
	if (prompt_bytes > prompt_limit(&s->options))
		return gllm_fail(e, GLLM_CONTEXT_FULL, "the prompt is longer than the speaker was made for", NULL, 0,
		                 prompt_limit(&s->options), prompt_bytes);
	enum gllm_status r = gllm_tokenizer_encode(&s->tokenizer, prompt, prompt_bytes, true, s->tokens,
	                                           token_limit(&s->options), &speech->prompt_tokens, s->encode,
	                                           s->encode_size, e);
	if (r == GLLM_OK)
		r = gllm_llama_rewind(s->llama, 0);
	if (r == GLLM_OK)
		r = gllm_llama_eval(s->llama, s->tokens, speech->prompt_tokens, &logits, e);
	while (r == GLLM_OK && more && speech->tokens < n) {
		int32_t token;
		r = choose(s, logits, &token, e);
		if (r != GLLM_OK)
			break;
		speech->last_ns = now(s);
		if (speech->tokens++ == 0)
			speech->first_ns = speech->last_ns;
		speech->ended = token == s->tokenizer.eos;
		if (speech->ended)
			break;
		r = emit(s, token, &start, &more, out, user, e);
		if (gllm_llama_position(s->llama) == s->options.llama.context ||
		    gllm_llama_position(s->llama) == gllm_llama_parameters(s->llama)->context)
			break;
		if (r == GLLM_OK && more && speech->tokens < n)
			r = gllm_llama_eval(s->llama, &token, 1, &logits, e);
	}
	return r;
}
