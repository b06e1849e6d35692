/* SPDX-License-Identifier: MIT
 * tools/cmd_run.c - commands that run a model: run, logits. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tools/tool.h"

static bool print_piece(void *user, int32_t token, const char *text, size_t bytes)
{
	const struct tool *t = user;
	if (t->json) {
		printf("{\"token\": %d, \"text\": ", token);
		tool_json_string(text, bytes);
		printf("}\n");
	} else {
		fwrite(text, 1, bytes, stdout);
	}
	fflush(stdout);
	return true;
}

static void report(const struct tool *t, const struct gllm_speaker *s, const struct gllm_speech *p, bool compiled)
{
	struct gllm_stats x;
	gllm_context_stats(s->context, &x);
	double first = p->tokens ? (double)(p->first_ns - p->start_ns) * 1e-6 : 0.0;
	double rate = p->tokens > 1 ? (double)(p->tokens - 1) * 1e9 / (double)(p->last_ns - p->first_ns) : 0.0;
	fprintf(stderr, t->json ? "{\"prompt_tokens\": %zu, \"tokens\": %zu, \"first_token_ms\": %.3f, \"tokens_per_s\": %.1f, "
	                          "\"lifted\": %u, \"injected\": %u, \"kernels\": %u, \"plans_loaded\": %u, \"code_bytes\": %zu, "
	                          "\"compile_ms\": %.3f, \"memory\": %zu, \"compiled\": %s}\n"
	                        : "%zu prompt tokens, %zu generated; first after %.3f ms, then %.1f tokens/s\n"
	                          "%u operators lifted, %u injected; %u kernels compiled, %u plans loaded, %zu bytes of code, in %.3f ms; "
	                          "%zu bytes of memory; compiled: %s\n",
	        p->prompt_tokens, p->tokens, first, rate, x.lifted, x.injected, x.kernels, x.loaded, x.code_bytes,
	        (double)x.compile_ns * 1e-6, s->used, compiled ? "true" : "false");
}

int tool_run(const struct tool *t, int argc, char **argv)
{
	static const char usage[] = "run [MODEL] -p TEXT -n N [-t THREADS] [--temp T] [--top-k K] [--top-p P] [--min-p P] [--seed S] [--json]";
	struct gllm_speaker_options o = { .temperature = 0.0f, .top_p = 1.0f };
	struct gllm_error e = { .status = GLLM_OK };
	struct gllm_speaker s;
	struct gllm_speech speech;
	struct tool copy = *t;
	const char *model = NULL, *prompt = "Once upon a time";
	uint64_t n = 64, top_k = 0;
	bool compiled;
	for (int i = 0; i < argc; i++) {
		const char *value = i + 1 < argc ? argv[i + 1] : NULL;
		if (argv[i][0] != '-') {
			if (model)
				return tool_usage(usage);
			model = argv[i];
			continue;
		}
		if (!value)
			return tool_usage(usage);
		bool ok = false;
		if (strcmp(argv[i], "-p") == 0)
			prompt = value, ok = true;
		else if (strcmp(argv[i], "-n") == 0)
			ok = tool_number(value, SIZE_MAX, &n);
		else if (strcmp(argv[i], "--temp") == 0)
			ok = tool_real(value, &o.temperature);
		else if (strcmp(argv[i], "--top-k") == 0)
			ok = tool_number(value, UINT32_MAX, &top_k);
		else if (strcmp(argv[i], "--top-p") == 0)
			ok = tool_real(value, &o.top_p);
		else if (strcmp(argv[i], "--min-p") == 0)
			ok = tool_real(value, &o.min_p);
		else if (strcmp(argv[i], "--seed") == 0)
			ok = tool_number(value, UINT64_MAX, &o.seed);
		if (!ok)
			return tool_usage(usage);
		i++;
	}
	o.top_k = (uint32_t)top_k;
	if (strlen(prompt) > 4096)
		o.prompt_bytes = strlen(prompt);
	if (tool_speaker(t, model, &o, &s, &compiled, &e) != GLLM_OK)
		return tool_failed(&e);
	if (!t->json)
		printf("%s", prompt);
	enum gllm_status r = gllm_speaker_say(&s, prompt, strlen(prompt), n, print_piece, &copy, &speech, &e);
	if (!t->json)
		printf("\n");
	fflush(stdout);
	if (r != GLLM_OK)
		return tool_failed(&e);
	report(t, &s, &speech, compiled);
	return 0;
}

int tool_logits(const struct tool *t, int argc, char **argv)
{
	enum { MOST_TOKENS = 512 };
	static const char usage[] = "logits [MODEL] --tokens 1,2,3 (at most 512)";
	struct gllm_speaker_options o = { .top_p = 1.0f };
	struct gllm_error e = { .status = GLLM_OK };
	struct gllm_speaker s;
	const float *logits;
	int32_t token[MOST_TOKENS];
	size_t n = 0;
	bool compiled;
	if (argc < 2 || argc > 3 || strcmp(argv[argc - 2], "--tokens") != 0)
		return tool_usage(usage);
	for (char *at = strtok(argv[argc - 1], ","); at; at = strtok(NULL, ",")) {
		uint64_t id;
		if (!tool_number(at, INT32_MAX, &id) || n == MOST_TOKENS)
			return tool_usage(usage);
		token[n++] = (int32_t)id;
	}
	if (tool_speaker(t, argc == 3 ? argv[0] : NULL, &o, &s, &compiled, &e) != GLLM_OK ||
	    gllm_llama_eval(s.llama, token, n, &logits, &e) != GLLM_OK)
		return tool_failed(&e);
	for (uint32_t i = 0; i < gllm_llama_parameters(s.llama)->vocab; i++)
		printf("%.9g\n", (double)logits[i]);
	return 0;
}
