/* SPDX-License-Identifier: MIT
 * bench/stages.c - loops of products that load what a turn needs in that turn, and in the turn before (struct gllm_tuning:
 * stages), by turns, with operands that lie in L1 and in L2. */
#include <stdio.h>
#include "bench/bench.h"
#include "bench/limits.h"
#include "gllm/graph.h"
#include "tools/host.h"

enum { WAYS = 2, BURSTS = 24 }; /* the best of several bursts by turns */

static struct product {
	const char *label, *op;
	uint64_t m, n, k;
	unsigned times; /* in a burst */
	struct gllm_plan *plan[WAYS];
	void *bind[3], *workspace;
	double share[MAX_ROUNDS], gain[MAX_ROUNDS];
} product[] = {
	{ .label = "gemm 28x32x128, L1",     .op = "gemm",    .m = 28,  .n = 32,  .k = 128, .times = 200 },
	{ .label = "gemm 256^3, L2",         .op = "gemm",    .m = 256, .n = 256, .k = 256, .times = 2 },
	{ .label = "gemm_bt 1x64x128, L1",   .op = "gemm_bt", .m = 1,   .n = 64,  .k = 128, .times = 2000 },
	{ .label = "gemm_bt 1x512x512, L2",  .op = "gemm_bt", .m = 1,   .n = 512, .k = 512, .times = 60 },
};

static enum gllm_status prepare(struct product *p, struct gllm_context *c, struct gllm_error *e)
{
	struct gllm_graph *g;
	enum gllm_status s = gllm_graph_create(c, "product", 1, 3, 1, &g, e);
	if (s != GLLM_OK)
		return s;
	const uint64_t size[3] = { p->m * p->n, p->m * p->k, p->n * p->k };
	gllm_tensor y = gllm_graph_tensor(g, GLLM_TENSOR_OUTPUT, GLLM_F32, 1, size[0], "c");
	gllm_tensor a = gllm_graph_tensor(g, GLLM_TENSOR_INPUT, GLLM_F32, 1, size[1], "a");
	gllm_tensor b = gllm_graph_tensor(g, GLLM_TENSOR_WEIGHT, GLLM_F32, 1, size[2], "b");
	const struct gllm_actual actual[] = { GLLM_T(y), GLLM_T(a), GLLM_T(b), GLLM_D(p->m), GLLM_D(p->n), GLLM_D(p->k) };
	gllm_graph_node(g, gllm_op_find(c, p->op), 1, actual, 6);
	size_t most = 0;
	for (unsigned w = 0; w < WAYS && s == GLLM_OK; w++) {
		const struct gllm_tuning tuning = { .stages = (uint8_t)(1 + w) };
		s = gllm_compile(c, g, &(struct gllm_plan_options){ .tuning = &tuning }, &p->plan[w], e);
		if (s == GLLM_OK && gllm_plan_workspace(p->plan[w]) > most)
			most = gllm_plan_workspace(p->plan[w]);
	}
	p->workspace = host_memory(most + 64);
	for (unsigned k = 0; k < 3; k++) {
		p->bind[k] = host_memory(size[k] * sizeof(float));
		for (uint64_t i = 0; i < size[k]; i++)
			((float *)p->bind[k])[i] = 1.0f + (float)(i % 7) / 64.0f;
	}
	return s;
}

static enum gllm_status measure(struct product *p, unsigned round, double peak, struct gllm_error *e)
{
	double least[WAYS] = { 1e9, 1e9 };
	enum gllm_status s = GLLM_OK;
	for (unsigned i = 0; i < BURSTS * WAYS && s == GLLM_OK; i++) {
		double start = seconds();
		for (unsigned k = 0; k < p->times && s == GLLM_OK; k++)
			s = gllm_plan_run(p->plan[i % WAYS], p->bind, 1, p->workspace, e);
		double took = seconds() - start;
		if (took < least[i % WAYS])
			least[i % WAYS] = took;
	}
	p->share[round] = 2e-9 * (double)(p->m * p->n * p->k) * p->times / least[0] / peak;
	p->gain[round] = least[0] / least[1];
	return s;
}

static uint64_t code_bytes(const struct gllm_plan *p)
{
	uint64_t sum = 0;
	for (unsigned i = 0; i < gllm_plan_steps(p); i++) {
		struct gllm_step_info info;
		gllm_plan_step(p, i, &info);
		sum += info.code_bytes;
	}
	return sum;
}

enum gllm_status bench_stages(const struct gllm_config *config, unsigned rounds, struct gllm_error *e)
{
	const struct limits *limits = limits_of(&config->profile);
	struct gllm_config own = *config;
	struct gllm_context *c;
	host_exec(1 << 20, &own.host.code);
	size_t size = gllm_context_quote(&own);
	enum gllm_status s = gllm_context_create(host_memory(size), size, &own, &c, e);
	for (unsigned k = 0; k < sizeof product / sizeof *product && s == GLLM_OK; k++)
		s = prepare(&product[k], c, e);
	for (unsigned r = 0; r < rounds && s == GLLM_OK; r++) {
		double peak = limits_peak(limits, seconds);
		for (unsigned k = 0; k < sizeof product / sizeof *product && s == GLLM_OK; k++)
			s = measure(&product[k], r, peak, e);
	}
	for (unsigned k = 0; k < sizeof product / sizeof *product && s == GLLM_OK; k++) {
		double share = quantile(product[k].share, rounds, 0.5), gain = quantile(product[k].gain, rounds, 0.5);
		bool same = code_bytes(product[k].plan[0]) == code_bytes(product[k].plan[1]);
		fprintf(stderr, "%-22s %5.1f %% of the peak; with loads a turn ahead %.3f times as fast%s\n", product[k].label,
		        100 * share, gain, same ? ": all loads are operands of what computes, the code is the same" : "");
		printf("{\"row\": \"%s, pipelined\", \"rate\": %.4f, \"unit\": \"of one stage\", \"ratio\": %.4f}\n", product[k].label,
		       gain, share);
	}
	return s;
}
