/* SPDX-License-Identifier: MIT
 * bench/maps/fused.c - what fusion costs: products with bias and activation beside the bare product and oneDNN's fused one, and a
 * chain of five maps beside one map of the same arithmetic. Interleaved as maps.c does it. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "bench/maps/fused.h"
#include "bench/stats.h"
#include "gllm/graph.h"
#include "gllm/ops.h"
#include "tools/host.h"

struct timed {
	struct gllm_plan *plan;
	void *bind[10], *workspace;
	long calls;
	double time[MAX_ROUNDS];
};

static bool finish(struct gllm_context *c, struct gllm_graph *g, struct timed *t)
{
	struct gllm_error e = { .status = GLLM_OK };
	enum gllm_status s = gllm_graph_status(g, &e);
	if (s == GLLM_OK)
		s = gllm_compile(c, g, NULL, &t->plan, &e);
	gllm_graph_free(c, g);
	if (s != GLLM_OK) {
		fprintf(stderr, "bench-peers: %s: %s %s\n", gllm_status_text(s), e.what, e.name);
		return false;
	}
	t->workspace = host_memory(gllm_plan_workspace(t->plan) + 64);
	return t->workspace != NULL;
}

static double time_plan(const struct timed *t, long n)
{
	double begin = thread_seconds();
	for (long i = 0; i < n; i++)
		gllm_plan_run(t->plan, t->bind, 1, t->workspace, NULL);
	return (thread_seconds() - begin) / (double)n;
}

static double ratio_of(const double *a, const double *b, unsigned rounds, double q)
{
	double ratio[MAX_ROUNDS];
	for (unsigned r = 0; r < rounds; r++)
		ratio[r] = a[r] / b[r];
	return quantile(ratio, rounds, q);
}

/* --- products -------------------------------------------------------------------------------------------------------- */

static const char *const kind_name[PRODUCTS] = { "bare", "bias + gelu", "bias + silu" };

static bool make_product(struct gllm_context *c, const struct product *q, struct timed *t)
{
	struct gllm_graph *g;
	bool fused = q->kind != PRODUCT_BARE;
	if (gllm_graph_create(c, kind_name[q->kind], 1, 6, 2, &g, NULL) != GLLM_OK)
		return false;
	gllm_tensor y = gllm_graph_tensor(g, GLLM_TENSOR_OUTPUT, GLLM_F32, q->m, q->n, "c"),
	            a = gllm_graph_tensor(g, GLLM_TENSOR_INPUT, GLLM_F32, q->m, q->k, "a"),
	            b = gllm_graph_tensor(g, GLLM_TENSOR_WEIGHT, GLLM_F32, q->k, q->n, "b");
	t->bind[0] = q->c;
	t->bind[1] = (void *)(uintptr_t)q->a;
	t->bind[2] = (void *)(uintptr_t)q->b;
	t->bind[3] = (void *)(uintptr_t)q->bias;
	if (fused) {
		gllm_tensor bias = gllm_graph_tensor(g, GLLM_TENSOR_WEIGHT, GLLM_F32, 1, q->n, "bias"),
		            v = gllm_graph_tensor(g, GLLM_TENSOR_VALUE, GLLM_F32, q->m, q->n, "v");
		gllm_graph_node(g, GLLM_OP_gemm_bias, 1, (struct gllm_actual[]){ GLLM_T(v), GLLM_T(a), GLLM_T(b), GLLM_T(bias),
		                GLLM_D(q->m), GLLM_D(q->n), GLLM_D(q->k) }, 7);
		gllm_graph_node(g, q->kind == PRODUCT_GELU ? GLLM_OP_gelu : GLLM_OP_silu, 1,
		                (struct gllm_actual[]){ GLLM_T(y), GLLM_T(v), GLLM_D(q->m * q->n) }, 3);
	} else {
		gllm_graph_node(g, GLLM_OP_gemm, 1, (struct gllm_actual[]){ GLLM_T(y), GLLM_T(a), GLLM_T(b), GLLM_D(q->m),
		                GLLM_D(q->n), GLLM_D(q->k) }, 6);
	}
	return finish(c, g, t);
}

static bool right_product(const struct product *q)
{
	for (size_t i = 0; i < q->m * q->n; i += q->m * q->n / 61 + 1) {
		double v = q->kind == PRODUCT_BARE ? 0 : q->bias[i % q->n], size = 1;
		for (size_t k = 0; k < q->k; k++) {
			double t = (double)q->a[i / q->n * q->k + k] * q->b[k * q->n + i % q->n];
			v += t;
			size += fabs(t);
		}
		if (q->kind == PRODUCT_GELU)
			v = 0.5 * v * (1 + tanh(0.7978845608028654 * (v + 0.044715 * v * v * v)));
		if (q->kind == PRODUCT_SILU)
			v = v / (1 + exp(-v));
		if (!(fabs(q->c[i] - v) <= 1e-5 * size))
			return false;
	}
	return true;
}

static bool bench_products(struct gllm_context *c, size_t m, size_t n, size_t k, double goal, unsigned rounds)
{
	static struct timed own[PRODUCTS];
	static double other[PRODUCTS][MAX_ROUNDS];
	float *memory = host_memory((m * k + k * n + n + m * n) * sizeof *memory);
	if (!memory)
		return false;
	for (size_t i = 0; i < m * k + k * n + n; i++)
		memory[i] = (float)((uint32_t)i * 2654435761u >> 8) * 0x1p-23f - 1.0f;
	struct product q = { PRODUCT_BARE, m, n, k, memory, memory + m * k, memory + m * k + k * n, memory + m * k + k * n + n };
	bool peer = true;
	for (q.kind = 0; q.kind < PRODUCTS; q.kind++) {
		own[q.kind] = (struct timed){ .calls = 0 };
		if (!make_product(c, &q, &own[q.kind]))
			return false;
		own[q.kind].calls = (long)(10e-3 / time_plan(&own[q.kind], 1)) + 1;
		if (!right_product(&q))
			fprintf(stderr, "bench-peers: %s is wrong\n", kind_name[q.kind]);
	}
	for (unsigned r = 0; r < rounds; r++)
		for (unsigned i = 0; i < PRODUCTS; i++) {
			q.kind = (enum product_kind)((i + r) % PRODUCTS);
			struct timed *t = &own[q.kind];
			t->time[r] = time_plan(t, t->calls);
			peer = peer && dnnl_prepare_product(&q) && dnnl_run_product(&q);
			double begin = thread_seconds();
			for (long k0 = 0; peer && k0 < t->calls; k0++)
				dnnl_run_product(&q);
			other[q.kind][r] = (thread_seconds() - begin) / (double)t->calls;
		}
	for (q.kind = 0; q.kind < PRODUCTS; q.kind++) {
		struct timed *t = &own[q.kind];
		double over = ratio_of(t->time, own[PRODUCT_BARE].time, rounds, 0.5), high = ratio_of(t->time, own[PRODUCT_BARE].time, rounds, 0.75);
		double faster = peer ? ratio_of(other[q.kind], t->time, rounds, 0.5) : 0;
		fprintf(stderr, "gemm %zux%zux%zu %-12s %9.1f GFLOP/s  %6.4f of the bare product's time (upper quartile %6.4f, goal %.2f)  "
		                "%5.2f times oneDNN's speed (goal %.2f)\n", m, n, k, kind_name[q.kind],
		        2e-9 * (double)(m * n * k) / quantile(t->time, rounds, 0.5), over, high, q.kind ? goal : 1.0, faster, q.kind ? 1.05 : 1.0);
		printf("{\"row\": \"gemm %zux%zux%zu %s\", \"of_bare\": %.4f, \"of_bare_q3\": %.4f, \"to_onednn\": %.4f}\n", m, n, k,
		       kind_name[q.kind], over, high, faster);
	}
	for (unsigned i = PRODUCTS; i-- > 0;)
		gllm_plan_free(c, own[i].plan);
	return true;
}

/* --- chains ---------------------------------------------------------------------------------------------------------- */

static bool make_chain(struct gllm_context *c, unsigned one, bool chain, size_t n, float *memory, struct timed *t)
{
	struct gllm_graph *g;
	gllm_tensor v[4];
	if (gllm_graph_create(c, chain ? "chain" : "one map", 1, 8, 5, &g, NULL) != GLLM_OK)
		return false;
	gllm_tensor y = gllm_graph_tensor(g, GLLM_TENSOR_OUTPUT, GLLM_F32, 1, n, "y"), in[3];
	for (unsigned i = 0; i < 3; i++)
		in[i] = gllm_graph_tensor(g, GLLM_TENSOR_INPUT, GLLM_F32, 1, n, &"a\0b\0c"[2 * i]);
	for (unsigned i = 0; i < 4; i++) {
		v[i] = chain ? gllm_graph_tensor(g, GLLM_TENSOR_VALUE, GLLM_F32, 1, n, &"v\0w\0r\0d"[2 * i]) : y;
		t->bind[i] = memory + i * n;
	}
	if (chain) {
		gllm_graph_node(g, GLLM_OP_add, 1, (struct gllm_actual[]){ GLLM_T(v[0]), GLLM_T(in[0]), GLLM_T(in[1]), GLLM_D(n) }, 4);
		gllm_graph_node(g, GLLM_OP_mul, 1, (struct gllm_actual[]){ GLLM_T(v[1]), GLLM_T(v[0]), GLLM_T(in[2]), GLLM_D(n) }, 4);
		gllm_graph_node(g, GLLM_OP_relu, 1, (struct gllm_actual[]){ GLLM_T(v[2]), GLLM_T(v[1]), GLLM_D(n) }, 3);
		gllm_graph_node(g, GLLM_OP_sub, 1, (struct gllm_actual[]){ GLLM_T(v[3]), GLLM_T(v[2]), GLLM_T(in[0]), GLLM_D(n) }, 4);
		gllm_graph_node(g, GLLM_OP_exp, 1, (struct gllm_actual[]){ GLLM_T(y), GLLM_T(v[3]), GLLM_D(n) }, 3);
	} else {
		gllm_graph_node(g, one, 1, (struct gllm_actual[]){ GLLM_T(y), GLLM_T(in[0]), GLLM_T(in[1]), GLLM_T(in[2]), GLLM_D(n) }, 5);
	}
	return finish(c, g, t);
}

static bool bench_chain(struct gllm_context *c, unsigned rounds)
{
	static const struct gllm_param param[] = { { "y", GLLM_OUT, GLLM_F32 }, { "a", GLLM_IN, GLLM_F32 }, { "b", GLLM_IN, GLLM_F32 },
		{ "c", GLLM_IN, GLLM_F32 }, { "n", GLLM_DIM, GLLM_I64 } };
	enum { N = 4096 };
	static struct timed t[2];
	unsigned one;
	float *memory = host_memory(4 * N * sizeof *memory), first[N];
	if (!memory || gllm_register(c, "one_map", (gllm_any_fn *)bench_one_map, param, 5, NULL, &one, NULL) != GLLM_OK)
		return false;
	for (size_t i = 0; i < 4 * N; i++)
		memory[i] = (float)((uint32_t)i * 2654435761u >> 8) * 0x1p-23f - 1.0f;
	for (unsigned chain = 0; chain < 2; chain++) {
		if (!make_chain(c, one, chain, N, memory, &t[chain]))
			return false;
		t[chain].calls = (long)(2e-3 / time_plan(&t[chain], 9)) + 1;
		if (!chain)
			memcpy(first, memory, sizeof first);
	}
	if (memcmp(first, memory, sizeof first) != 0)
		fprintf(stderr, "bench-peers: the chain of maps and the one map differ\n");
	for (unsigned r = 0; r < rounds; r++)
		for (unsigned i = 0; i < 2; i++) {
			struct timed *x = &t[(i + r) % 2];
			x->time[r] = time_plan(x, x->calls);
		}
	double ratio = ratio_of(t[1].time, t[0].time, rounds, 0.5), high = ratio_of(t[1].time, t[0].time, rounds, 0.75);
	fprintf(stderr, "five maps of %d elements, %u steps: %.3f of the time of one map of the same arithmetic (upper quartile %.3f, goal 1.15)\n",
	        N, gllm_plan_steps(t[1].plan), ratio, high);
	printf("{\"row\": \"chain of five maps\", \"of_one\": %.4f, \"of_one_q3\": %.4f}\n", ratio, high);
	return true;
}

bool bench_fused(struct gllm_context *c, unsigned rounds)
{
	return bench_chain(c, rounds) && bench_products(c, 128, 4096, 4096, 1.01, rounds) && bench_products(c, 512, 512, 512, 1.04, rounds);
}
