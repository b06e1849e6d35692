/* SPDX-License-Identifier: MIT
 * tools/cmd_show.c - commands that show what the library sees: probe, ops, trace, inspect, dequant. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tools/host.h"
#include "tools/tool.h"

static void print_features(const char *label, uint64_t bits, bool json)
{
	const char *separator = "";
	printf(json ? "\"%s\": [" : "%-10s", label);
	for (unsigned f = 0; f < GLLM_FEATURE_COUNT; f++) {
		if (!(bits >> f & 1))
			continue;
		printf(json ? "%s\"%s\"" : "%s%s", separator, gllm_feature_name((enum gllm_feature)f));
		separator = json ? ", " : " ";
	}
	printf(json ? "], " : "\n");
}

int tool_probe(const struct tool *t, int argc, char **argv)
{
	struct gllm_profile p;
	(void)argv;
	if (argc != 0)
		return tool_usage("probe [--json]");
	if (host_profile(t->isa, &p) != GLLM_OK)
		return tool_usage("probe [--isa scalar|avx2|avx512|neon|sve]");
	printf(t->json ? "{\"cpu\": \"%s\", " : "cpu       %s\n", p.cpu);
	print_features("hardware", p.hardware, t->json);
	print_features("enabled", p.enabled, t->json);
	print_features("usable", p.have, t->json);
	if (t->json)
		printf("\"vector_bytes\": %u, \"vector_registers\": %u, \"cores\": %u, \"threads\": %u, \"missing\": \"%s\", "
		       "\"caches\": [", p.vector_bytes, p.vector_regs, p.cores, p.threads, p.missing ? p.missing : "");
	else
		printf("vectors   %u bytes, %u registers\ncores     %u, threads %u\n%s%s%s", p.vector_bytes, p.vector_regs,
		       p.cores, p.threads, p.missing ? "missing   " : "", p.missing ? p.missing : "", p.missing ? "\n" : "");
	for (unsigned i = 0; i < GLLM_CACHE_LEVELS; i++)
		printf(t->json ? "%s{\"level\": %u, \"bytes\": %u, \"ways\": %u, \"line\": %u, \"shared\": %u}"
		               : "%sL%u        %u bytes, %u ways, line %u, shared by %u\n",
		       t->json && i ? ", " : "", i + 1, p.cache[i].bytes, p.cache[i].ways, p.cache[i].line, p.cache[i].shared);
	if (t->json)
		printf("]}\n");
	return 0;
}

int tool_ops(const struct tool *t, int argc, char **argv)
{
	struct gllm_error e = { .status = GLLM_OK };
	(void)argv;
	if (argc != 0)
		return tool_usage("ops [--json]");
	struct gllm_context *c = tool_context(t, &e);
	if (!c)
		return tool_failed(&e);
	for (unsigned i = 0; i < gllm_op_count(c); i++) {
		const struct gllm_trace *trace;
		struct gllm_error why = { .status = GLLM_OK };
		bool ok = gllm_op_trace(c, i, &trace, &why) == GLLM_OK;
		const char *pattern = ok ? gllm_pattern_name(trace->pattern) : gllm_status_text(why.status);
		printf(t->json ? "{\"op\": \"%s\", \"pattern\": \"%s\", \"nodes\": %u, \"hash\": \"%016" PRIx64 "\"}\n"
		               : "%-16s %-18s %4u nodes  %016" PRIx64 "\n",
		       gllm_op_name(c, i), pattern, ok ? trace->nnodes : 0, ok ? trace->hash : 0);
	}
	return 0;
}

int tool_trace(const struct tool *t, int argc, char **argv)
{
	struct gllm_error e = { .status = GLLM_OK };
	const struct gllm_trace *trace;
	if (argc != 1)
		return tool_usage("trace OP");
	struct gllm_context *c = tool_context(t, &e);
	if (!c)
		return tool_failed(&e);
	unsigned op = gllm_op_find(c, argv[0]);
	if (op == gllm_op_count(c)) {
		fprintf(stderr, "gllm: no such operator: %s (gllm ops lists them)\n", argv[0]);
		return 1;
	}
	if (gllm_op_trace(c, op, &trace, &e) != GLLM_OK)
		return tool_failed(&e);
	gllm_trace_print(trace, tool_put, NULL);
	return 0;
}

int tool_inspect(const struct tool *t, int argc, char **argv)
{
	struct gllm_error e = { .status = GLLM_OK };
	struct gllm_gguf g;
	struct gllm_llama_config c;
	size_t size, need;
	(void)t;
	if (argc > 1)
		return tool_usage("inspect [MODEL]");
	const unsigned char *file = tool_model(argc ? argv[0] : NULL, &size, &e);
	if (!file)
		return tool_failed(&e);
	if (gllm_gguf_workspace(file, size, &need, &e) != GLLM_OK ||
	    gllm_gguf_open(&g, file, size, malloc(need + 1), need, &e) != GLLM_OK)
		return tool_failed(&e);
	printf("GGUF version %u, %" PRIu64 " values, %" PRIu64 " tensors, data at %" PRIu64 "\n", g.version, g.value_count,
	       g.tensor_count, g.data_at);
	if (gllm_llama_config(&c, &g, &e) == GLLM_OK)
		printf("llama: %u layers, embedding %u, %u heads of %u, %u key/value heads, ffn %u, vocabulary %u, context %u\n",
		       c.layers, c.embedding, c.heads, c.head_dim, c.kv_heads, c.ffn, c.vocab, c.context);
	else
		printf("not a Llama that can be run: %s: %s\n", e.what, e.name);
	for (uint64_t i = 0; i < g.tensor_count; i++) {
		const struct gllm_gguf_tensor *x = &g.tensors[i];
		printf("%10" PRIu64 "  %-5s [", g.data_at ? (uint64_t)(x->data - file) : 0, gllm_ggml_type_info(x->type)->name);
		for (unsigned d = 0; d < x->ndims; d++)
			printf("%s%" PRIu64, d ? ", " : "", x->dims[d]);
		printf("] %.*s\n", (int)x->name.n, x->name.at);
	}
	return 0;
}

/* Blocks from standard input until it ends, a buffer of whole blocks at a time. */
static int dequantize(gllm_blocks_fn *decode, size_t block_bytes, size_t block_floats)
{
	static unsigned char in[1 << 14];
	static float out[1 << 17]; /* no format makes more than eight elements of a byte */
	size_t blocks = sizeof in / block_bytes, n;
	while ((n = fread(in, 1, blocks * block_bytes, stdin)) > 0) {
		if (n % block_bytes) {
			fprintf(stderr, "gllm: the input ends within a block of %zu bytes\n", block_bytes);
			return 1;
		}
		decode(out, in, n / block_bytes);
		if (fwrite(out, sizeof *out, n / block_bytes * block_floats, stdout) != n / block_bytes * block_floats)
			return 1;
	}
	return fflush(stdout) == 0 && !ferror(stdin) ? 0 : 1;
}

/* What a second block adds to what the decoder's trace reaches; its last bytes may be padding that nothing reads. */
static size_t block_of(const struct gllm_trace *t, unsigned param)
{
	const union gllm_arg one[] = { { .bits = 0 }, { .bits = 0 }, { .dim = 1 } }, two[] = { one[0], one[1], { .dim = 2 } };
	return gllm_trace_extent(t, param, two) - gllm_trace_extent(t, param, one);
}

int tool_dequant(const struct tool *t, int argc, char **argv)
{
	struct gllm_error e = { .status = GLLM_OK };
	const struct gllm_trace *trace;
	char name[64];
	if (argc != 1)
		return tool_usage("dequant TYPE");
	struct gllm_context *c = tool_context(t, &e);
	if (!c)
		return tool_failed(&e);
	snprintf(name, sizeof name, "dequant_%s", argv[0]);
	unsigned op = gllm_op_find(c, name);
	if (op >= GLLM_OP_COUNT || gllm_op_info[op].sig != GLLM_SIG_blocks) {
		fprintf(stderr, "gllm: no such type: %s (gllm ops lists them as dequant_TYPE)\n", argv[0]);
		return 1;
	}
	if (gllm_op_trace(c, op, &trace, &e) != GLLM_OK)
		return tool_failed(&e);
	return dequantize((gllm_blocks_fn *)gllm_op_info[op].ref, block_of(trace, 1), block_of(trace, 0) / sizeof(float));
}
