/* SPDX-License-Identifier: MIT
 * tools/tool.h - what the commands of the hosted tool share. */
#ifndef TOOL_H
#define TOOL_H
#include "gllm/context.h"
#include "gllm/speaker.h"

struct tool { /* options every command understands */
	const char *isa;      /* --isa; NULL: all the CPU has */
	bool json;
	unsigned threads;     /* -t */
	bool unmeasured;      /* --unmeasured: the CPU is taken as it says it is, nothing is timed (gllm/measure.h) */
	const char *cache;    /* --cache: folder of compiled plans; NULL: none */
};

/* A command gets the arguments after its name and returns the exit code: 0, 1 failed, 2 usage. */
typedef int tool_command(const struct tool *t, int argc, char **argv);
tool_command tool_probe, tool_ops, tool_trace, tool_explain, tool_disasm, tool_run, tool_logits, tool_inspect, tool_dequant, tool_record;

/* Prints "gllm: status: what: name (numbers)" on standard error; returns 1. */
int tool_failed(const struct gllm_error *e);
int tool_usage(const char *text); /* on standard error; returns 2 */

/* An argument that is a number, all of it; false if it is none, is negative or exceeds `most`. */
bool tool_number(const char *text, uint64_t most, uint64_t *out);
bool tool_real(const char *text, float *out); /* of any finite value */

/* Configuration of this machine: target, profile, 4 MiB of executable memory, threads, clock. */
enum gllm_status tool_config(const struct tool *t, struct gllm_config *out, struct gllm_error *e);
struct gllm_context *tool_context(const struct tool *t, struct gllm_error *e); /* NULL on failure */

/* The bytes of a model file, or of the default model if `path` is NULL; NULL on failure. */
const unsigned char *tool_model(const char *path, size_t *size, struct gllm_error *e);

/* A speaker over a model (tool_model), in memory of exactly the quoted size. Scalar definitions run where nothing can be compiled;
 * *compiled tells which. */
enum gllm_status tool_speaker(const struct tool *t, const char *model, const struct gllm_speaker_options *o,
                              struct gllm_speaker *out, bool *compiled, struct gllm_error *e);

void tool_put(void *user, const char *text, size_t n); /* to standard output */
void tool_json_string(const char *text, size_t n);     /* quoted and escaped, to standard output */
#endif
