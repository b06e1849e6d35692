/* SPDX-License-Identifier: MIT
 * bench/sizes/sizes.c - bytes of code and time to make it, ISA beside ISA: every operator, and the plans of a model.
 *
 * sizes [MODEL]. Code is a function of trace and profile, whatever machine computes it, so this host compiles the same
 * traces for AVX2, AVX-512, NEON and SVE of 256 bits, one after another in every round: same machine, same clock. Times
 * are medians over the rounds. Standard output is the table. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "gllm/speaker.h"
#include "jit/context.h"
#include "jit/plan.h"
#include "models/story.h"
#include "tools/host.h"

enum { ROUNDS = 9, MACHINES = 4, CODE = 4 << 20 };

#define X86 (GLLM_BIT(GLLM_X86_SSE3) | GLLM_BIT(GLLM_X86_SSSE3) | GLLM_BIT(GLLM_X86_SSE41) | GLLM_BIT(GLLM_X86_SSE42) | \
	GLLM_BIT(GLLM_X86_POPCNT) | GLLM_BIT(GLLM_X86_AVX) | GLLM_BIT(GLLM_X86_F16C) | GLLM_BIT(GLLM_X86_FMA) | \
	GLLM_BIT(GLLM_X86_AVX2) | GLLM_BIT(GLLM_X86_BMI1) | GLLM_BIT(GLLM_X86_BMI2))
#define X86_WIDE (X86 | GLLM_BIT(GLLM_X86_AVX512F) | GLLM_BIT(GLLM_X86_AVX512BW) | GLLM_BIT(GLLM_X86_AVX512DQ) | \
	GLLM_BIT(GLLM_X86_AVX512VL))
#define A64 (GLLM_BIT(GLLM_A64_FP) | GLLM_BIT(GLLM_A64_NEON))
#define CACHES { { 32 << 10, 8, 64, 1 }, { 1 << 20, 16, 64, 1 }, { 32 << 20, 16, 64, 8 } }

static const struct machine {
	const char *name;
	const struct gllm_target *target;
	struct gllm_profile profile;
} machine[MACHINES] = {
	{ "AVX2", &gllm_target_x86_64, { .isa = GLLM_ISA_X86_64, .have = X86, .vector_bytes = 32, .vector_regs = 16, .cores = 8,
	  .threads = 8, .cache = CACHES } },
	{ "AVX-512", &gllm_target_x86_64, { .isa = GLLM_ISA_X86_64, .have = X86_WIDE, .vector_bytes = 64, .vector_regs = 32,
	  .cores = 8, .threads = 8, .cache = CACHES } },
	{ "NEON", &gllm_target_aarch64, { .isa = GLLM_ISA_AARCH64, .have = A64, .vector_bytes = 16, .vector_regs = 32, .cores = 8,
	  .threads = 8, .cache = CACHES } },
	{ "SVE-256", &gllm_target_aarch64, { .isa = GLLM_ISA_AARCH64, .have = A64 | GLLM_BIT(GLLM_A64_SVE), .vector_bytes = 32,
	  .vector_regs = 32, .cores = 8, .threads = 8, .cache = CACHES } },
};

struct result {
	size_t bytes;
	double us[ROUNDS];
};

static double now(void)
{
	return (double)host_clock_ns(NULL) * 1e-3;
}

static int failed(const struct gllm_error *e)
{
	fprintf(stderr, "sizes: %s: %s %s\n", gllm_status_text(e->status), e->what, e->name);
	return 1;
}

/* The traces of this program's operators, as records that a context of any ISA takes: its image has nothing to read. */
static struct gllm_trace_record record[GLLM_OP_COUNT];

static enum gllm_status take_traces(struct gllm_error *e)
{
	static const struct gllm_span entry = { .at = 0, .bytes = 1 };
	struct gllm_config config = { .target = host_target(), .image = *host_image() };
	struct gllm_context *c;
	enum gllm_status s = host_profile(NULL, &config.profile);
	size_t size = gllm_context_quote(&config);
	if (s == GLLM_OK)
		s = gllm_context_create(host_memory(size), size, &config, &c, e);
	for (unsigned i = 0; i < GLLM_OP_COUNT && s == GLLM_OK; i++) {
		record[i] = (struct gllm_trace_record){ .name = gllm_op_info[i].name, .span = &entry, .nspans = 1,
			.at = (int64_t)((uint64_t)(uintptr_t)gllm_op_info[i].ref - (uint64_t)(uintptr_t)gllm_op_trace) };
		s = gllm_op_trace(c, i, &record[i].trace, e);
	}
	return s;
}

static struct gllm_config config_of(const struct machine *m)
{
	static unsigned char *code;
	if (!code)
		code = host_memory(CODE);
	return (struct gllm_config){ .target = m->target, .profile = m->profile, .recorded = record, .nrecorded = GLLM_OP_COUNT,
		.host = { .code = { .write = code, .exec = code, .size = CODE }, .clock_ns = host_clock_ns } }; /* nothing runs */
}

/* An operator with all sizes read at run time, as a function of gllm/calls.h is. */
static enum gllm_status compile_op(struct gllm_context *c, unsigned op, struct result *out, unsigned round, struct gllm_error *e)
{
	struct gllm_arena arena = c->scratch;
	struct gllm_composed *t = gllm_alloc(&arena, sizeof *t, 8);
	struct gllm_kernel k;
	const struct gllm_trace *trace;
	enum gllm_status s = gllm_op_trace(c, op, &trace, e);
	if (s != GLLM_OK || !t)
		return s;
	*t = (struct gllm_composed){ .trace = *trace };
	c->code_used = c->nkernels = 0;
	double start = now();
	s = gllm_compile_trace(c, t, gllm_op_info[op].name, 0, NULL, &arena, &k, e);
	out->us[round] = now() - start;
	out->bytes = k.bytes;
	return s;
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static double median(struct result *r)
{
	qsort(r->us, ROUNDS, sizeof r->us[0], ascending);
	return r->us[ROUNDS / 2];
}

static void print(const char *name, struct result *r)
{
	printf("%-24s", name);
	for (unsigned m = 0; m < MACHINES; m++)
		printf(" %8zu", r[m].bytes);
	printf("  ");
	for (unsigned m = 0; m < MACHINES; m++)
		printf(" %8.1f", median(&r[m]));
	printf("\n");
}

static int operators(struct gllm_error *e)
{
	static struct result result[GLLM_OP_COUNT][MACHINES], all[MACHINES];
	struct gllm_context *c[MACHINES];
	for (unsigned m = 0; m < MACHINES; m++) {
		struct gllm_config config = config_of(&machine[m]);
		size_t size = gllm_context_quote(&config);
		if (gllm_context_create(host_memory(size), size, &config, &c[m], e) != GLLM_OK)
			return failed(e);
	}
	for (unsigned round = 0; round < ROUNDS; round++)
		for (unsigned op = 0; op < GLLM_OP_COUNT; op++)
			for (unsigned m = 0; m < MACHINES; m++)
				if (compile_op(c[m], op, &result[op][m], round, e) != GLLM_OK)
					return failed(e);
	for (unsigned op = 0; op < GLLM_OP_COUNT; op++) {
		for (unsigned m = 0; m < MACHINES; m++) {
			all[m].bytes += result[op][m].bytes;
			for (unsigned round = 0; round < ROUNDS; round++)
				all[m].us[round] += result[op][m].us[round];
		}
		print(gllm_op_info[op].name, result[op]);
	}
	print("all operators", all);
	return 0;
}

/* All plans of a model, one row and many, as gllm_speaker_open makes them. */
static int model(const unsigned char *file, size_t n, struct gllm_error *e)
{
	static struct result result[MACHINES];
	struct gllm_speaker_options o = { .top_p = 1.0f, .llama = { .chunk = 64 } };
	size_t index, bytes;
	if (gllm_gguf_workspace(file, n, &index, e) != GLLM_OK)
		return failed(e);
	void *scratch = host_memory(index);
	for (unsigned m = 0; m < MACHINES; m++) {
		struct gllm_config config = config_of(&machine[m]);
		if (gllm_speaker_quote(&config, file, n, &o, scratch, index, &bytes, e) != GLLM_OK)
			return failed(e);
		void *memory = host_memory(bytes);
		for (unsigned round = 0; round < ROUNDS; round++) {
			struct gllm_speaker s;
			struct gllm_stats stats;
			if (gllm_speaker_open(&s, &config, file, n, &o, memory, bytes, e) != GLLM_OK)
				return failed(e);
			gllm_context_stats(s.context, &stats);
			result[m].bytes = stats.code_bytes;
			result[m].us[round] = (double)stats.compile_ns * 1e-3;
		}
	}
	print("plans of the model", result);
	return 0;
}

int main(int argc, char **argv)
{
	struct gllm_error e = { .status = GLLM_OK };
	size_t n = (size_t)(gllm_story_end - gllm_story);
	const unsigned char *file = argc > 1 ? host_file(argv[1], &n) : gllm_story;
	if (argc > 2 || !file) {
		fprintf(stderr, "usage: sizes [MODEL]\n");
		return 2;
	}
	if (take_traces(&e) != GLLM_OK)
		return failed(&e);
	printf("%-24s %35s    %35s\n%-24s", "", "bytes of code", "microseconds to compile", "");
	for (unsigned m = 0; m < 2 * MACHINES; m++)
		printf("%s %8s", m == MACHINES ? "  " : "", machine[m % MACHINES].name);
	printf("\n");
	return operators(&e) || model(file, n, &e);
}
