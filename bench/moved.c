/* SPDX-License-Identifier: MIT
 * bench/moved.c - what fusion saves where memory is the bound: bytes that the plan counts, confirmed by time.
 *
 * Graphs of maps and norms over tensors far beyond the caches nearest to a core, fused and unfused in turn. A value that
 * fusion keeps in registers is neither written nor read again, so the time saved must be that of copying it: the bytes
 * saved by the rate at which a plain copy between the same places moves bytes, read and written ones counted, in the same round. */
#include <stdio.h>
#include "bench/bench.h"
#include "bench/limits.h"
#include "gllm/graph.h"
#include "gllm/ops.h"
#include "tools/host.h"

enum { ROWS = 2048, COLS = 4096, TENSORS = 8 }; /* 32 MiB each */

static gllm_tensor tensor(struct gllm_graph *g, enum gllm_tensor_kind kind, uint64_t rows, const char *name)
{
	return gllm_graph_tensor(g, kind, GLLM_F32, rows, COLS, name);
}

static void apply(struct gllm_graph *g, unsigned op, gllm_tensor y, gllm_tensor a, gllm_tensor b)
{
	const struct gllm_actual two[] = { GLLM_T(y), GLLM_T(a), GLLM_T(b), GLLM_D(COLS) }, one[] = { GLLM_T(y), GLLM_T(a), GLLM_D(COLS) };
	gllm_graph_node(g, op, ROWS, b == GLLM_NO_TENSOR ? one : two, b == GLLM_NO_TENSOR ? 3 : 4);
}

/* y = silu(a + b) * c: two values between three maps. */
static void chain(struct gllm_graph *g)
{
	gllm_tensor a = tensor(g, GLLM_TENSOR_INPUT, ROWS, "a"), b = tensor(g, GLLM_TENSOR_INPUT, ROWS, "b"),
	            c = tensor(g, GLLM_TENSOR_INPUT, ROWS, "c"), sum = tensor(g, GLLM_TENSOR_VALUE, ROWS, "sum"),
	            gate = tensor(g, GLLM_TENSOR_VALUE, ROWS, "gate"), y = tensor(g, GLLM_TENSOR_OUTPUT, ROWS, "y");
	apply(g, GLLM_OP_add, sum, a, b);
	apply(g, GLLM_OP_silu, gate, sum, GLLM_NO_TENSOR);
	apply(g, GLLM_OP_mul, y, gate, c);
}

/* y = a + swiglu(b, c), as behind a mixture's products. */
static void gated(struct gllm_graph *g)
{
	gllm_tensor a = tensor(g, GLLM_TENSOR_INPUT, ROWS, "a"), b = tensor(g, GLLM_TENSOR_INPUT, ROWS, "b"),
	            c = tensor(g, GLLM_TENSOR_INPUT, ROWS, "c"), h = tensor(g, GLLM_TENSOR_VALUE, ROWS, "h"),
	            y = tensor(g, GLLM_TENSOR_OUTPUT, ROWS, "y");
	apply(g, GLLM_OP_swiglu, h, b, c);
	apply(g, GLLM_OP_add, y, a, h);
}

/* y = rms_norm(a + b): a norm behind a residual that nobody else reads. */
static void normed(struct gllm_graph *g)
{
	gllm_tensor a = tensor(g, GLLM_TENSOR_INPUT, ROWS, "a"), b = tensor(g, GLLM_TENSOR_INPUT, ROWS, "b"),
	            w = tensor(g, GLLM_TENSOR_WEIGHT, 1, "w"), sum = tensor(g, GLLM_TENSOR_VALUE, ROWS, "sum"),
	            y = tensor(g, GLLM_TENSOR_OUTPUT, ROWS, "y");
	apply(g, GLLM_OP_add, sum, a, b);
	const struct gllm_actual norm[] = { GLLM_T(y), GLLM_T(sum), GLLM_T(w), GLLM_D(COLS), GLLM_S(1e-5f) };
	gllm_graph_node(g, GLLM_OP_rms_norm, ROWS, norm, 5);
}

static const struct {
	const char *name;
	void (*build)(struct gllm_graph *g);
} graphs[] = { { "silu(a + b) * c", chain }, { "a + swiglu(b, c)", gated }, { "rms_norm(a + b)", normed } };

static double run_ms(const struct gllm_plan *p, void *const *bind, void *workspace, enum gllm_status *s, struct gllm_error *e)
{
	double start = seconds();
	if (*s == GLLM_OK)
		*s = gllm_plan_run(p, bind, 1, workspace, e);
	return (seconds() - start) * 1e3;
}

/* By round: milliseconds fused and unfused, GB/s of the copy, and the time saved over that of copying what was saved. */
static void report(const char *name, const double x[4][MAX_ROUNDS], unsigned rounds, const uint64_t moved[2])
{
	double fused = quantile(x[0], rounds, 0.5), plain = quantile(x[1], rounds, 0.5), rate = quantile(x[2], rounds, 0.5);
	double saved = (double)(moved[1] - moved[0]);
	fprintf(stderr, "%-17s from memory: fused %.0f MB, %.2f ms; unfused %.0f MB, %.2f ms; saved %.2f ms, a copy of the bytes saved "
	        "at %.1f GB/s %.2f: %.3f (lower quartile %.3f)\n", name, (double)moved[0] * 1e-6, fused, (double)moved[1] * 1e-6, plain,
	        plain - fused, rate, saved / rate * 1e-6, quantile(x[3], rounds, 0.5), quantile(x[3], rounds, 0.25));
	printf("{\"row\": \"moved %s\", \"rate\": %.4f, \"unit\": \"ms\", \"unfused\": %.4f, \"bytes\": %llu, \"bytes_unfused\": %llu, "
	       "\"copy\": %.2f, \"saved\": %.4f}\n", name, fused, plain, (unsigned long long)moved[0], (unsigned long long)moved[1], rate,
	       quantile(x[3], rounds, 0.5));
}

static enum gllm_status measure(struct gllm_context *c, const struct limits *l, unsigned which, float *memory, unsigned rounds,
                                struct gllm_error *e)
{
	static double x[4][MAX_ROUNDS];
	const size_t floats = (size_t)ROWS * COLS;
	struct gllm_graph *g;
	struct gllm_plan *plan[2] = { NULL, NULL };
	uint64_t moved[2];
	void *bind[TENSORS], *workspace = memory + TENSORS * floats;
	enum gllm_status s = gllm_graph_create(c, graphs[which].name, 1, TENSORS, 4, &g, e);
	if (s != GLLM_OK)
		return s;
	graphs[which].build(g);
	s = gllm_graph_status(g, e);
	for (unsigned k = 0; k < 2 && s == GLLM_OK; k++) {
		s = gllm_compile(c, g, &(struct gllm_plan_options){ .no_fusion = k }, &plan[k], e);
		moved[k] = s == GLLM_OK ? gllm_plan_bytes_moved(plan[k]) : 0;
	}
	for (unsigned i = 0; i < TENSORS; i++)
		bind[i] = memory + i * floats;
	for (unsigned r = 0; r < rounds + 1 && s == GLLM_OK; r++) { /* the first warms up */
		unsigned at = r ? r - 1 : 0;
		double start = seconds();
		l->copy(memory, memory + floats, floats);
		double rate = 2 * 4 * (double)floats / (seconds() - start) * 1e-9;
		for (unsigned k = 0; k < 2; k++)
			x[k][at] = run_ms(plan[k], bind, workspace, &s, e);
		x[2][at] = rate;
		x[3][at] = (x[1][at] - x[0][at]) / ((double)(moved[1] - moved[0]) / rate * 1e-6);
	}
	if (s == GLLM_OK)
		report(graphs[which].name, x, rounds, moved);
	for (unsigned k = 2; k-- > 0;)
		if (plan[k])
			gllm_plan_free(c, plan[k]);
	gllm_graph_free(c, g);
	return s;
}

enum gllm_status bench_moved(const struct gllm_config *config, unsigned rounds, struct gllm_error *e)
{
	const struct limits *l = limits_of(&config->profile);
	struct gllm_context *c;
	size_t size = gllm_context_quote(config), floats = (size_t)ROWS * COLS * (TENSORS + 2);
	enum gllm_status s = gllm_context_create(host_memory(size), size, config, &c, e);
	float *memory = host_memory(floats * sizeof *memory + 4096);
	for (size_t i = 0; memory && i < floats; i++)
		memory[i] = (float)(i % 61) * 0.05f - 1.5f;
	for (unsigned i = 0; i < sizeof graphs / sizeof graphs[0] && s == GLLM_OK && l && memory; i++)
		s = measure(c, l, i, memory, rounds, e);
	return s;
}
