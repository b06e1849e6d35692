/* SPDX-License-Identifier: MIT
 * gllm/speaker.h - everything from model bytes to text in one object: file, tokenizer, context, decoder, sampler.
 * Pointers other than `e` must not be NULL unless stated.
 * What an appliance needs that only wants to speak; each part can also be used alone. */
#ifndef GLLM_SPEAKER_H
#define GLLM_SPEAKER_H
#include "gllm/llama.h"

#ifdef __cplusplus
extern "C" {
#endif

struct gllm_speaker_options {
	struct gllm_llama_options llama;
	float temperature;  /* 0: greedy */
	float top_p, min_p; /* 1 and 0: off */
	uint32_t top_k;     /* 0: off */
	uint64_t seed;
	size_t prompt_bytes; /* longest prompt; 0: 4096 */
};

struct gllm_speaker {
	struct gllm_gguf gguf;
	struct gllm_tokenizer tokenizer;
	struct gllm_context *context;
	struct gllm_llama *llama;
	struct gllm_speaker_options options;
	int32_t *tokens;           /* of the prompt */
	void *encode, *sample;     /* workspaces */
	char *piece;               /* of the token that is handed out */
	size_t encode_size, sample_size, piece_size;
	uint64_t random;
	size_t quote, used;        /* bytes of `memory` that were asked for and handed out */
	struct gllm_host host;
};

/* Exact bytes gllm_speaker_open takes of `memory`. Reading a model's structure needs room itself: `scratch` is used for
 * that and free again afterwards; GLLM_OUT_OF_MEMORY with e->expected = bytes if it is too small (gllm_gguf_workspace). */
enum gllm_status gllm_speaker_quote(const struct gllm_config *c, const void *model, size_t model_size,
                                    const struct gllm_speaker_options *o, void *scratch, size_t scratch_size,
                                    size_t *bytes, struct gllm_error *e);

/* `memory` is 64-byte aligned. It, the model bytes and what `c` points to must outlive the speaker. With an error the
 * speaker holds nothing. */
enum gllm_status gllm_speaker_open(struct gllm_speaker *s, const struct gllm_config *c, const void *model, size_t model_size,
                                   const struct gllm_speaker_options *o, void *memory, size_t size, struct gllm_error *e);

struct gllm_speech {
	size_t prompt_tokens, tokens;       /* read; generated */
	uint64_t first_ns, last_ns;         /* host clock at the first and the last generated token; 0 without a clock */
	uint64_t start_ns;                  /* when the prompt was given */
	bool ended;                         /* the model said end of text */
};

/* Reads the prompt (from an empty context) and generates up to n tokens, each handed to `out` as its bytes as soon as it
 * is known (token bytes may split a character). Stops early at the end-of-text token or when the context is full.
 * `out` returns false to stop. Errors: those of the tokenizer and gllm_llama_eval. */
enum gllm_status gllm_speaker_say(struct gllm_speaker *s, const char *prompt, size_t prompt_bytes, size_t n,
                                  bool (*out)(void *user, int32_t token, const char *text, size_t bytes), void *user,
                                  struct gllm_speech *speech, struct gllm_error *e);

#ifdef __cplusplus
}
#endif
#endif
