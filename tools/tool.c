/* SPDX-License-Identifier: MIT
 * tools/tool.c - see tool.h. */
#include "tools/tool.h"
#include "gllm/measure.h"
#include "gllm/native.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "models/story.h"
#include "tools/host.h"
#include "tools/plan_dir.h"

int tool_failed(const struct gllm_error *e)
{
	fprintf(stderr, "gllm: %s: %s", gllm_status_text(e->status), e->what ? e->what : "no detail");
	if (e->name[0])
		fprintf(stderr, ": %s", e->name);
	if (e->where || e->expected || e->actual)
		fprintf(stderr, " (at %llu, expected %llu, actual %llu)", (unsigned long long)e->where,
		        (unsigned long long)e->expected, (unsigned long long)e->actual);
	fputc('\n', stderr);
	return 1;
}

int tool_usage(const char *text)
{
	fprintf(stderr, "usage: gllm %s\n", text);
	return 2;
}

bool tool_number(const char *text, uint64_t most, uint64_t *out)
{
	char *end;
	errno = 0;
	*out = strtoull(text, &end, 10);
	return text[0] >= '0' && text[0] <= '9' && !*end && !errno && *out <= most;
}

bool tool_real(const char *text, float *out)
{
	char *end;
	*out = strtof(text, &end);
	return end != text && !*end && isfinite(*out);
}

enum gllm_status tool_config(const struct tool *t, struct gllm_config *out, struct gllm_error *e)
{
	enum { CODE_BYTES = 4 << 20 };
	*out = (struct gllm_config){ .target = host_target(), .image = *host_image() };
	enum gllm_status s = host_profile(t->isa, &out->profile);
	if (s != GLLM_OK)
		return gllm_fail(e, s, "--isa takes scalar and what this machine may have: avx2, avx512 or neon, sve", t->isa, 0, 0, 0);
	if (out->target && out->profile.vector_bytes)
		host_exec(CODE_BYTES, &out->host.code); /* without it compiling says so */
	if (out->host.code.write && !t->unmeasured)
		gllm_measure(out->target, &out->profile, &out->host.code, host_clock_ns, NULL,
		             host_memory(gllm_measure_scratch()), gllm_measure_scratch(), NULL);
	out->host.clock_ns = host_clock_ns;
	out->host.vector_bytes = gllm_native_sve_bytes;
	if (t->cache)
		out->host.store = plan_dir(t->cache);
	out->host.workers = t->threads ? t->threads : 1;
	if (out->host.workers > 1) {
		out->host.user = host_pool(out->host.workers);
		out->host.parallel_for = host_parallel_for;
		if (!out->host.user)
			return gllm_fail(e, GLLM_INVALID_ARGUMENT, "cannot start that many threads", NULL, 0, 64, t->threads);
	}
	return GLLM_OK;
}

struct gllm_context *tool_context(const struct tool *t, struct gllm_error *e)
{
	struct gllm_config c;
	struct gllm_context *x = NULL;
	if (tool_config(t, &c, e) != GLLM_OK)
		return NULL;
	size_t size = gllm_context_quote(&c);
	void *memory = host_memory(size);
	if (!memory) {
		gllm_fail(e, GLLM_OUT_OF_MEMORY, "the system gave no memory", NULL, 0, size, 0);
		return NULL;
	}
	gllm_context_create(memory, size, &c, &x, e);
	return x;
}

/* Whether the reason is the machine's, so that the scalar definitions are the honest answer. */
static bool no_code_here(enum gllm_status s)
{
	return s == GLLM_NO_BACK_END || s == GLLM_NO_FEATURE || s == GLLM_NO_EXEC_MEMORY;
}

const unsigned char *tool_model(const char *path, size_t *size, struct gllm_error *e)
{
	if (!path) {
		*size = (size_t)(gllm_story_end - gllm_story);
		return gllm_story;
	}
	const unsigned char *file = host_file(path, size);
	if (!file)
		gllm_fail(e, GLLM_IO_ERROR, "cannot read the model file", path, 0, 0, 0);
	return file;
}

enum gllm_status tool_speaker(const struct tool *t, const char *model, const struct gllm_speaker_options *o,
                              struct gllm_speaker *out, bool *compiled, struct gllm_error *e)
{
	struct gllm_config c;
	struct gllm_speaker_options options = *o;
	size_t size, scratch_size, bytes;
	const unsigned char *file = tool_model(model, &size, e);
	if (!file)
		return GLLM_IO_ERROR;
	enum gllm_status s = tool_config(t, &c, e);
	if (s == GLLM_OK)
		s = gllm_gguf_workspace(file, size, &scratch_size, e);
	void *scratch = s == GLLM_OK ? malloc(scratch_size + 64) : NULL;
	if (scratch) {
		s = gllm_speaker_quote(&c, file, size, o, scratch, scratch_size, &bytes, e);
		free(scratch);
	}
	if (s != GLLM_OK)
		return s;
	void *memory = host_memory(bytes);
	if (!memory)
		return gllm_fail(e, GLLM_OUT_OF_MEMORY, "the system gave no memory", NULL, 0, bytes, 0);
	struct gllm_error first = { .status = GLLM_OK };
	s = gllm_speaker_open(out, &c, file, size, &options, memory, bytes, &first);
	*compiled = s == GLLM_OK && !options.llama.scalar;
	if (no_code_here(s)) {
		fprintf(stderr, "gllm: running the scalar definitions: %s\n", first.what);
		options.llama.scalar = true;
		first = (struct gllm_error){ .status = GLLM_OK };
		s = gllm_speaker_open(out, &c, file, size, &options, memory, bytes, &first);
	}
	if (s != GLLM_OK && e)
		*e = first;
	return s;
}

void tool_put(void *user, const char *text, size_t n)
{
	(void)user;
	fwrite(text, 1, n, stdout);
}

void tool_json_string(const char *text, size_t n)
{
	putchar('"');
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)text[i];
		if (c == '"' || c == '\\')
			printf("\\%c", c);
		else if (c < 0x20)
			printf("\\u%04x", c);
		else
			putchar(c);
	}
	putchar('"');
}
