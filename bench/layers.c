/* SPDX-License-Identifier: MIT
 * bench/layers.c - plans of whole Llama layers: made, and run fused beside unfused.
 *
 * Compiling: one layer of Llama 7B's shape, for each class of rows alone, the plan made and given back, and for all classes
 * one after another, as a model keeps them: equal kernels are compiled once. Running: fused and unfused plans of one layer in turn, on the same operands; weights are halves, as models are
 * served, and lie in memory larger than caches where the layer is. */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include "bench/bench.h"
#include "gllm/layers.h"
#include "tools/host.h"

static const struct gllm_llama_shape seven = { .rows = GLLM_ROWS, .embedding = 4096, .heads = 32, .kv_heads = 32, .head_dim = 128,
                                               .ffn = 11008, .vocab = 32000, .rms_eps = 1e-5f };
static const struct gllm_llama_shape small = { .rows = GLLM_ROWS, .embedding = 288, .heads = 6, .kv_heads = 6, .head_dim = 48,
                                               .ffn = 768, .vocab = 32000, .rms_eps = 1e-5f };

static enum gllm_status layer_graph(struct gllm_context *c, const struct gllm_llama_shape *s, uint64_t rows, struct gllm_graph **g,
                                    struct gllm_llama_layer *l, struct gllm_error *e)
{
	enum gllm_status r = gllm_graph_create(c, "llama_layer", rows, GLLM_LLAMA_LAYER_GRAPH_TENSORS, GLLM_LLAMA_LAYER_GRAPH_NODES, g, e);
	if (r != GLLM_OK)
		return r;
	gllm_llama_layer(*g, s, l);
	return gllm_graph_status(*g, e);
}

/* --- compiling ------------------------------------------------------------------------------------------------------- */

static const uint64_t classes[] = { 1, 8, 32, 128, 512 };
enum { CLASSES = sizeof classes / sizeof classes[0] };

static enum gllm_status compiling(struct gllm_context *c, unsigned rounds, struct gllm_error *e)
{
	static double us[CLASSES + 1][MAX_ROUNDS];
	struct gllm_graph *g[CLASSES];
	struct gllm_llama_layer l;
	struct gllm_stats stats;
	unsigned groups[CLASSES] = { 0 }, steps[CLASSES] = { 0 };
	enum gllm_status s = GLLM_OK;
	for (unsigned k = 0; k < CLASSES && s == GLLM_OK; k++)
		s = layer_graph(c, &seven, classes[k], &g[k], &l, e);
	for (unsigned r = 0; r < rounds + 1 && s == GLLM_OK; r++) { /* the first warms up */
		struct gllm_plan *kept[CLASSES];
		for (unsigned k = 0; k < CLASSES && s == GLLM_OK; k++) {
			struct gllm_plan *p;
			double start = seconds();
			s = gllm_compile(c, g[k], NULL, &p, e);
			double t = (seconds() - start) * 1e6;
			if (s != GLLM_OK)
				break;
			groups[k] = gllm_plan_groups(p);
			steps[k] = gllm_plan_steps(p);
			gllm_plan_free(c, p);
			us[k][r ? r - 1 : 0] = t;
		}
		double start = seconds();
		unsigned n = 0;
		while (n < CLASSES && s == GLLM_OK && (s = gllm_compile(c, g[n], NULL, &kept[n], e)) == GLLM_OK)
			n++;
		us[CLASSES][r ? r - 1 : 0] = (seconds() - start) * 1e6;
		while (n > 0)
			gllm_plan_free(c, kept[--n]);
	}
	if (s != GLLM_OK)
		return s;
	gllm_context_stats(c, &stats);
	for (unsigned k = 0; k <= CLASSES; k++) {
		char name[32];
		double median = quantile(us[k], rounds, 0.5), low = quantile(us[k], rounds, 0.25);
		if (k < CLASSES)
			snprintf(name, sizeof name, "%llu rows", (unsigned long long)classes[k]);
		else
			snprintf(name, sizeof name, "all classes");
		fprintf(stderr, "plan and compile a 7B layer, %-12s %8.1f us (lower quartile %.1f)", name, median, low);
		if (k < CLASSES)
			fprintf(stderr, ", %u groups, %u steps\n", groups[k], steps[k]);
		else
			fprintf(stderr, "; greatest use: %zu bytes of scratch\n", stats.scratch_high);
		printf("{\"row\": \"compile 7B layer, %s\", \"rate\": %.2f, \"unit\": \"us\", \"q1\": %.2f}\n", name, median, low);
	}
	printf("{\"row\": \"compile 7B layer, scratch\", \"rate\": %zu, \"unit\": \"bytes\"}\n", stats.scratch_high);
	for (unsigned k = CLASSES; k-- > 0;)
		gllm_graph_free(c, g[k]);
	return GLLM_OK;
}

/* --- running --------------------------------------------------------------------------------------------------------- */

enum { OPERANDS = 512 << 20 };

/* Binds inputs and weights to places of one block, one behind the other and around again; outputs to places of another. */
static void bind_all(const struct gllm_graph *g, uint64_t rows, unsigned char *operands, unsigned char *results, void **bind)
{
	size_t at = 0, out = 0;
	for (unsigned i = 0; i < gllm_graph_tensors(g); i++) {
		struct gllm_tensor_info x;
		gllm_graph_tensor_info(g, i, &x);
		size_t bytes = (size_t)((x.rows == GLLM_ROWS ? rows : x.rows) * x.cols * gllm_type_bytes(x.type) + 4096) / 64 * 64;
		if (x.kind == GLLM_TENSOR_OUTPUT) {
			bind[i] = results + out;
			out += bytes;
			continue;
		}
		at = at + bytes > OPERANDS ? 0 : at;
		bind[i] = operands + at;
		at += bytes;
	}
}

static enum gllm_status running(struct gllm_context *c, const char *name, struct gllm_llama_shape shape, uint64_t rows,
                                unsigned char *operands, unsigned rounds, struct gllm_error *e)
{
	static double ms[2][MAX_ROUNDS], ratio[MAX_ROUNDS];
	static void *bind[GLLM_LLAMA_LAYER_GRAPH_TENSORS];
	struct gllm_graph *g;
	struct gllm_llama_layer l;
	struct gllm_plan *plan[2];
	uint64_t moved[2], groups[2];
	void *workspace[2];
	for (unsigned i = GLLM_LLAMA_ATTN_Q; i < GLLM_LLAMA_TENSOR_COUNT; i++)
		shape.type[i] = i == GLLM_LLAMA_FFN_NORM ? GLLM_F32 : GLLM_F16;
	enum gllm_status s = layer_graph(c, &shape, rows, &g, &l, e);
	for (unsigned k = 0; k < 2 && s == GLLM_OK; k++) {
		s = gllm_compile(c, g, &(struct gllm_plan_options){ .no_fusion = k }, &plan[k], e);
		if (s != GLLM_OK)
			return s;
		moved[k] = gllm_plan_bytes_moved(plan[k]);
		groups[k] = gllm_plan_groups(plan[k]);
		workspace[k] = host_memory(gllm_plan_workspace(plan[k]) + 4096);
	}
	unsigned char *results = host_memory((size_t)(rows * shape.embedding * 4 + 8192) * 4);
	if (s == GLLM_OK)
		bind_all(g, rows, operands, results, bind);
	long calls = 1;
	for (unsigned r = 0; r < rounds + 1 && s == GLLM_OK; r++) { /* the first warms up and says how often 20 ms hold a run */
		for (unsigned k = 0; k < 2 && s == GLLM_OK; k++) {
			double start = seconds();
			for (long i = 0; i < calls && s == GLLM_OK; i++)
				s = gllm_plan_run(plan[k], bind, rows, workspace[k], e);
			ms[k][r ? r - 1 : 0] = (seconds() - start) * 1e3 / (double)calls;
		}
		if (r == 0)
			calls = (long)(20 / ms[1][0]) + 1;
		else
			ratio[r - 1] = ms[0][r - 1] / ms[1][r - 1];
	}
	if (s != GLLM_OK)
		return s;
	double fused = quantile(ms[0], rounds, 0.5), plain = quantile(ms[1], rounds, 0.5), of = quantile(ratio, rounds, 0.5);
	fprintf(stderr, "%s layer, %3llu rows: fused %llu groups, %.3f MB moved, %.3f ms; unfused %llu, %.3f MB, %.3f ms; bytes %.4f, time %.4f "
	                "(lower quartile %.4f)\n", name, (unsigned long long)rows, (unsigned long long)groups[0], (double)moved[0] * 1e-6, fused,
	        (unsigned long long)groups[1], (double)moved[1] * 1e-6, plain, (double)moved[0] / (double)moved[1], of, quantile(ratio, rounds, 0.25));
	printf("{\"row\": \"%s layer, %llu rows\", \"rate\": %.4f, \"unit\": \"ms\", \"unfused\": %.4f, \"bytes\": %llu, \"bytes_unfused\": %llu, "
	       "\"ratio\": %.4f}\n", name, (unsigned long long)rows, fused, plain, (unsigned long long)moved[0], (unsigned long long)moved[1], of);
	gllm_plan_free(c, plan[1]);
	gllm_plan_free(c, plan[0]);
	return gllm_graph_free(c, g);
}

/* Halves and floats of ordinary size, whichever way the bytes are read. */
static unsigned char *ordinary_numbers(void)
{
	unsigned char *p = host_memory(OPERANDS);
	static const uint32_t word[] = { 0x3c003800, 0xbc00b800, 0x38003c00, 0xb800bc00 }; /* about 0.01 as floats */
	for (size_t i = 0; i < OPERANDS / 4 && p; i++)
		memcpy(p + 4 * i, &word[i % 7 % 4], 4);
	return p;
}

enum gllm_status bench_layers(const struct gllm_config *config, unsigned rounds, struct gllm_error *e)
{
	static const uint64_t small_rows[] = { 1, 16, 128 }, seven_rows[] = { 1, 16 };
	struct gllm_context *c;
	size_t size = gllm_context_quote(config);
	enum gllm_status s = gllm_context_create(host_memory(size), size, config, &c, e);
	unsigned char *operands = ordinary_numbers();
	if (s == GLLM_OK)
		s = compiling(c, rounds, e);
	for (unsigned i = 0; i < sizeof small_rows / sizeof small_rows[0] && s == GLLM_OK; i++)
		s = running(c, "small", small, small_rows[i], operands, rounds, e);
	for (unsigned i = 0; i < sizeof seven_rows / sizeof seven_rows[0] && s == GLLM_OK; i++)
		s = running(c, "7B", seven, seven_rows[i], operands, rounds < 9 ? rounds : 9, e);
	return s;
}
