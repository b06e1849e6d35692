/* SPDX-License-Identifier: MIT
 * bench/half.c - products of BF16 matrices beside those of F32: elements widened while they are packed, and pairs of elements
 * multiplied at once where the CPU can, whether or not that is faster on it (gllm/measure.h decides for programs). */
#include <stdio.h>
#include <string.h>
#include "bench/bench.h"
#include "bench/limits.h"
#include "core/target.h"
#include "gllm/graph.h"
#include "tools/host.h"

enum { N = 1024, WAYS = 3 };

static struct way {
	const char *label;
	enum gllm_type type;
	bool pairs;
	struct gllm_plan *plan;
	void *bind[3], *workspace;
	double rate[MAX_ROUNDS], ratio[MAX_ROUNDS], share[MAX_ROUNDS];
} way[WAYS] = { { .label = "f32", .type = GLLM_F32 }, { .label = "bf16, widened", .type = GLLM_BF16 },
	        { .label = "bf16, pairs", .type = GLLM_BF16, .pairs = true } };

static enum gllm_status prepare(struct way *w, struct gllm_config config, struct gllm_error *e)
{
	struct gllm_context *c;
	struct gllm_graph *g;
	config.profile.slow_bf16 = !w->pairs;
	host_exec(1 << 20, &config.host.code);
	size_t size = gllm_context_quote(&config), bytes = (size_t)N * N * gllm_type_bytes(w->type);
	enum gllm_status s = gllm_context_create(host_memory(size), size, &config, &c, e);
	if (s == GLLM_OK)
		s = gllm_graph_create(c, "product", 1, 3, 1, &g, e);
	if (s != GLLM_OK)
		return s;
	gllm_tensor y = gllm_graph_tensor(g, GLLM_TENSOR_OUTPUT, GLLM_F32, N, N, "c");
	gllm_tensor a = gllm_graph_tensor(g, GLLM_TENSOR_INPUT, w->type, N, N, "a"), b = gllm_graph_tensor(g, GLLM_TENSOR_WEIGHT, w->type, N, N, "w");
	const struct gllm_actual actual[] = { GLLM_T(y), GLLM_T(a), GLLM_T(b), GLLM_D(N), GLLM_D(N), GLLM_D(N) };
	gllm_graph_node(g, gllm_op_find(c, "gemm_bt"), 1, actual, 6);
	s = gllm_compile(c, g, NULL, &w->plan, e);
	w->bind[y] = host_memory((size_t)N * N * sizeof(float));
	w->bind[a] = host_memory(bytes);
	w->bind[b] = host_memory(bytes);
	for (size_t i = 0; i < bytes / 4; i++) { /* 1.0039 and 1 as halves; about 1 as floats */
		memcpy((unsigned char *)w->bind[a] + 4 * i, &(uint32_t){ 0x3f803f81 }, 4);
		memcpy((unsigned char *)w->bind[b] + 4 * i, &(uint32_t){ 0x3f803f81 }, 4);
	}
	if (s == GLLM_OK)
		w->workspace = host_memory(gllm_plan_workspace(w->plan) + 64);
	return s;
}

enum gllm_status bench_half(const struct gllm_config *c, unsigned rounds, struct gllm_error *e)
{
	const double flops = 2.0 * N * N * N;
	const struct limits *limits = limits_of(&c->profile);
	struct gllm_profile fast = c->profile;
	struct gllm_machine m;
	enum gllm_status s = GLLM_OK;
	fast.slow_bf16 = false;
	unsigned ways = c->target->machine(&fast, &m) == GLLM_OK && (m.dots & GLLM_DOT_BF16) ? WAYS : WAYS - 1;
	for (unsigned k = 0; k < ways && s == GLLM_OK; k++)
		s = prepare(&way[k], *c, e);
	for (unsigned r = 0; r < rounds && s == GLLM_OK; r++) {
		double peak = limits_peak(limits, seconds), pairs = limits_pairs(limits, &c->profile, seconds);
		for (unsigned k = 0; k < ways && s == GLLM_OK; k++) {
			double start = seconds();
			s = gllm_plan_run(way[k].plan, way[k].bind, 1, way[k].workspace, e);
			way[k].rate[r] = flops / (seconds() - start) * 1e-9;
			way[k].ratio[r] = way[k].rate[r] / way[0].rate[r];
			way[k].share[r] = way[k].rate[r] / (way[k].pairs ? pairs : peak);
		}
	}
	for (unsigned k = 0; k < ways && s == GLLM_OK; k++) {
		double rate = quantile(way[k].rate, rounds, 0.5), ratio = quantile(way[k].ratio, rounds, 0.5);
		double share = quantile(way[k].share, rounds, 0.5);
		fprintf(stderr, "gemm_bt 1024^3 %-14s %9.2f GFLOP/s, %.2f of f32's, %5.1f %% of the peak of %s\n", way[k].label, rate,
		        ratio, 100 * share, way[k].pairs ? "pairs" : "FMA");
		printf("{\"row\": \"gemm_bt 1024^3 %s\", \"rate\": %.4g, \"unit\": \"GFLOP/s\", \"of_f32\": %.4f, \"ratio\": %.4f}\n",
		       way[k].label, rate, ratio, share);
	}
	return s;
}
