/* SPDX-License-Identifier: MIT
 * bench/maps/maps.c - elementwise operators and norms beside SLEEF, gcc with libmvec, and oneDNN, in one process and thread.
 *
 * maps [-r ROUNDS] [-p PARTS]; parts: m maps, f products with an epilogue and chains of maps (fused.c). Each round times every
 * library once per operator, in rotated order, after twice that time of its own: clocks take 3 ms to settle behind another
 * library's instructions, and whoever followed the hottest one lost up to a seventh. Rates count 8 bytes per element, one read
 * and one written, and are medians over the rounds. Two working sets: 64 KiB and 256 MiB. The ratio to the best other library is
 * the median of the ratios within rounds, beside the goal. In memory the bound is the lower of what the machine copies, by a plain
 * loop in the same rounds or past the caches in this run, and of what the same code does from 64 KiB. Results are checked in
 * double precision. */
#define _GNU_SOURCE
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "bench/maps/fused.h"
#include "bench/maps/maps.h"
#include "bench/stats.h"
#include "gllm/graph.h"
#include "gllm/ops.h"
#include "tools/host.h"

enum { OWN, LOOPS, SLEEF, DNNL, PEERS };
static const char *const peer_name[PEERS] = { "gllm", "gcc -Ofast", "SLEEF", "oneDNN" };
static const char *const package[PEERS] = { NULL, NULL, "libsleef3", "libdnnl-dev, then make clean" };
static bool there[PEERS] = { true, true };

static const struct map_row {
	const char *name;
	unsigned op;
	bool rows;    /* one call per row */
	double goal;  /* of the ratio to the best other library, 64 KiB; 0 none */
} map_row[MAPS] = {
	[MAP_COPY] = { "copy", GLLM_OP_copy, false, 0 },
	[MAP_EXP] = { "exp", GLLM_OP_exp, false, 1.55 },
	[MAP_TANH] = { "tanh", GLLM_OP_tanh, false, 1.4 },
	[MAP_GELU] = { "gelu", GLLM_OP_gelu, false, 1.55 },
	[MAP_SILU] = { "silu", GLLM_OP_silu, false, 1.5 },
	[MAP_SOFTMAX] = { "softmax", GLLM_OP_softmax, true, 1.4 },
	[MAP_RMSNORM] = { "rms_norm", GLLM_OP_rms_norm, true, 1.03 },
	[MAP_LAYERNORM] = { "layer_norm", GLLM_OP_layer_norm, true, 1.15 },
};

static struct gllm_plan *plan[MAPS];
static double from_cache[MAPS]; /* own rate from 64 KiB */
static double own_copy;         /* from memory */

static bool make_plan(struct gllm_context *c, enum map m, size_t rows)
{
	const struct gllm_op_info *o = &gllm_op_info[map_row[m].op];
	struct gllm_error e = { .status = GLLM_OK };
	struct gllm_actual actual[GLLM_MAX_PARAMS];
	struct gllm_graph *g;
	uint64_t batch = map_row[m].rows ? rows : 1;
	if (gllm_graph_create(c, o->name, 1, GLLM_MAX_PARAMS, 1, &g, &e) != GLLM_OK)
		return false;
	for (unsigned i = 0; i < o->nparams; i++) {
		const struct gllm_param *p = &o->param[i];
		if (p->kind == GLLM_DIM)
			actual[i] = GLLM_D(map_row[m].rows ? COLUMNS : rows * COLUMNS);
		else if (p->kind == GLLM_SCALAR)
			actual[i] = GLLM_S(MAP_EPS);
		else
			actual[i] = GLLM_T(gllm_graph_tensor(g, p->kind == GLLM_OUT ? GLLM_TENSOR_OUTPUT : p->kind == GLLM_IN ?
			                                     GLLM_TENSOR_INPUT : GLLM_TENSOR_WEIGHT, GLLM_F32,
			                                     p->kind == GLLM_WEIGHT ? 1 : rows, COLUMNS, p->name));
	}
	gllm_graph_node(g, map_row[m].op, batch, actual, o->nparams);
	enum gllm_status s = gllm_graph_status(g, &e);
	if (s == GLLM_OK)
		s = gllm_compile(c, g, NULL, &plan[m], &e);
	gllm_graph_free(c, g);
	if (s != GLLM_OK)
		fprintf(stderr, "bench-peers: %s: %s %s\n", o->name, gllm_status_text(s), e.what);
	return s == GLLM_OK;
}

static void *workspace;

static bool run(unsigned peer, enum map m, const struct buffers *b)
{
	void *bind[] = { b->y, b->x, (void *)(uintptr_t)b->gain, (void *)(uintptr_t)b->bias };
	switch (peer) {
	case OWN: return gllm_plan_run(plan[m], bind, 1, workspace, NULL) == GLLM_OK;
	case LOOPS: return loops_run(m, b);
	case SLEEF: return sleef_run(m, b);
	default: return dnnl_run_map(m, b);
	}
}

/* One row in double precision. */
static void exact(enum map m, const struct buffers *b, double *y)
{
	double most = -INFINITY, sum = 0, squares = 0, exps = 0, variance = 0;
	for (int i = 0; i < COLUMNS; i++) {
		most = b->x[i] > most ? b->x[i] : most;
		sum += b->x[i];
		squares += (double)b->x[i] * b->x[i];
	}
	for (int i = 0; i < COLUMNS; i++) {
		exps += exp(b->x[i] - most);
		variance += (b->x[i] - sum / COLUMNS) * (b->x[i] - sum / COLUMNS) / COLUMNS;
	}
	for (int i = 0; i < COLUMNS; i++) {
		double v = b->x[i];
		switch (m) {
		case MAP_COPY: y[i] = v; break;
		case MAP_EXP: y[i] = exp(v); break;
		case MAP_TANH: y[i] = tanh(v); break;
		case MAP_GELU: y[i] = 0.5 * v * (1 + tanh(0.7978845608028654 * (v + 0.044715 * v * v * v))); break;
		case MAP_SILU: y[i] = v / (1 + exp(-v)); break;
		case MAP_SOFTMAX: y[i] = exp(v - most) / exps; break;
		case MAP_RMSNORM: y[i] = v / sqrt(squares / COLUMNS + (double)MAP_EPS) * b->gain[i]; break;
		case MAP_LAYERNORM: y[i] = (v - sum / COLUMNS) / sqrt(variance + (double)MAP_EPS) * b->gain[i] + b->bias[i]; break;
		case MAPS: break;
		}
	}
}

static bool right(unsigned peer, enum map m, const struct buffers *b)
{
	static double want[COLUMNS];
	exact(m, b, want);
	memset(b->y, 0xff, COLUMNS * sizeof *b->y);
	if (!run(peer, m, b))
		return false;
	for (int i = 0; i < COLUMNS; i++) {
		double size = m == MAP_SOFTMAX || fabs(want[i]) > 1e-2 ? fabs(want[i]) : 1e-2;
		if (!(fabs(b->y[i] - want[i]) <= 1e-4 * size))
			return false;
	}
	return true;
}

static double time_calls(unsigned peer, enum map m, const struct buffers *b, long n)
{
	double t = thread_seconds();
	for (long i = 0; i < n; i++)
		run(peer, m, b);
	return (thread_seconds() - t) / (double)n;
}

static void report(enum map m, const char *set, bool memory, unsigned rounds, double (*rate)[MAX_ROUNDS], const long *calls,
                   const double *bound)
{
	double ratio[MAX_ROUNDS], part[MAX_ROUNDS], own = quantile(rate[OWN], rounds, 0.5);
	for (unsigned r = 0; r < rounds; r++) {
		double best = 0;
		for (unsigned p = LOOPS; p < PEERS; p++)
			best = calls[p] && rate[p][r] > best ? rate[p][r] : best;
		ratio[r] = rate[OWN][r] / best;
		part[r] = rate[OWN][r] / bound[r];
	}
	double middle = quantile(ratio, rounds, 0.5), low = quantile(ratio, rounds, 0.25), of = quantile(part, rounds, 0.5);
	fprintf(stderr, "%-11s %-7s", map_row[m].name, set);
	for (unsigned p = 0; p < PEERS; p++) {
		if (calls[p])
			fprintf(stderr, " %10.1f", quantile(rate[p], rounds, 0.5));
		else
			fprintf(stderr, " %10s", "-");
	}
	fprintf(stderr, "   %5.2f (%4.2f)", middle, low);
	if (memory)
		fprintf(stderr, "  %3.0f %% of the bound %.1f", 100 * of, quantile(bound, rounds, 0.5));
	else if (map_row[m].goal > 0)
		fprintf(stderr, "  goal %.2f", map_row[m].goal);
	fprintf(stderr, "\n");
	printf("{\"row\": \"%s %s\", \"rate\": %.4g, \"unit\": \"GB/s\", \"of\": \"best other library\", \"ratio\": %.4f, "
	       "\"ratio_q1\": %.4f%s", map_row[m].name, set, own, middle, low, memory ? "" : "}\n");
	if (memory)
		printf(", \"bound\": %.4g, \"of_bound\": %.4f}\n", quantile(bound, rounds, 0.5), of);
}

static void measure(enum map m, const char *set, bool memory, const struct buffers *b, unsigned rounds)
{
	static double rate[PEERS][MAX_ROUNDS], bound[MAX_ROUNDS];
	double bytes = 8.0 * (double)b->rows * COLUMNS;
	long calls[PEERS] = { 0 };
	for (unsigned p = 0; p < PEERS; p++) {
		if (!there[p] || (p == DNNL && !dnnl_prepare(m, b)))
			continue;
		if (!right(p, m, b))
			fprintf(stderr, "bench-peers: %s: %s is wrong\n", map_row[m].name, peer_name[p]);
		else
			calls[p] = memory ? 1 : (long)(2e-3 / time_calls(p, m, b, 4)) + 1;
	}
	if (!calls[OWN])
		return;
	for (unsigned r = 0; r < rounds; r++) {
		double copied = memory ? bytes / time_calls(LOOPS, MAP_COPY, b, 1) * 1e-9 : 0;
		for (unsigned i = 0; i < PEERS; i++) {
			unsigned p = (i + r) % PEERS;
			if (!calls[p])
				continue;
			time_calls(p, m, b, memory ? 0 : 2 * calls[p]);
			rate[p][r] = bytes / time_calls(p, m, b, calls[p]) * 1e-9;
		}
		bound[r] = memory ? fmin(fmax(copied, m == MAP_COPY ? rate[OWN][r] : own_copy), from_cache[m]) : rate[OWN][r];
	}
	if (memory && m == MAP_COPY)
		own_copy = quantile(rate[OWN], rounds, 0.5);
	if (!memory)
		from_cache[m] = quantile(rate[OWN], rounds, 0.5);
	report(m, set, memory, rounds, rate, calls, bound);
}

/* Cycles a nanosecond, for bound.py: on x86-64, Intel's cores and AMD's since Zen, a multiplication takes three cycles. */
static double clock_ghz(void)
{
	enum { STEPS = 100000, TRIES = 50 };
	double best = INFINITY;
	for (int k = 0; k < TRIES; k++) {
		uint64_t x = 3;
		double t = thread_seconds();
		for (int i = 0; i < STEPS; i++) {
			x *= x;
			__asm__ volatile("" : "+r"(x));
		}
		best = fmin(best, thread_seconds() - t);
	}
	return 3e-9 * STEPS / best;
}

static bool bench_maps(struct gllm_context *c, unsigned rounds)
{
	static const struct { const char *name; size_t rows; bool memory; } set[] = { { "64 KiB", 2, false }, { "256 MiB", 8192, true } };
	printf("{\"row\": \"clock\", \"rate\": %.4g, \"unit\": \"GHz\"}\n", clock_ghz());
	fprintf(stderr, "GB/s, 8 bytes each  %10s %10s %10s %10s   to the best other (lower quartile)\n", peer_name[0], peer_name[1],
	        peer_name[2], peer_name[3]);
	for (size_t s = 0; s < sizeof set / sizeof set[0]; s++) {
		size_t n = set[s].rows * COLUMNS;
		float *gain = host_memory(2 * COLUMNS * sizeof *gain);
		struct buffers b = { host_memory(n * sizeof(float)), host_memory(n * sizeof(float)), gain, gain ? gain + COLUMNS : NULL,
		                     set[s].rows };
		workspace = host_memory(1 << 20);
		if (!b.x || !b.y || !gain || !workspace)
			return false;
		for (size_t i = 0; i < n; i++)
			b.x[i] = 5.0f * ((float)((uint32_t)i * 2654435761u >> 8) * 0x1p-23f - 1.0f);
		for (int i = 0; i < 2 * COLUMNS; i++)
			gain[i] = 1.0f + 0.1f * b.x[i % COLUMNS];
		for (enum map m = 0; m < MAPS; m++) {
			if (!make_plan(c, m, set[s].rows) || gllm_plan_workspace(plan[m]) > 1 << 20)
				return false;
			measure(m, set[s].name, set[s].memory, &b, rounds);
			gllm_plan_free(c, plan[m]);
		}
	}
	return true;
}

int main(int argc, char **argv)
{
	struct gllm_error e = { .status = GLLM_OK };
	struct gllm_config config = { .target = host_target(), .image = *host_image() };
	struct gllm_context *c;
	const char *parts = "mf";
	unsigned rounds = 9;
	int option;
	while ((option = getopt(argc, argv, "r:p:")) != -1) {
		switch (option) {
		case 'r': rounds = (unsigned)strtoul(optarg, NULL, 10); break;
		case 'p': parts = optarg; break;
		default: fprintf(stderr, "usage: maps [-r ROUNDS] [-p PARTS]\n"); return 2;
		}
	}
	if (rounds < 1 || rounds > MAX_ROUNDS || host_profile(NULL, &config.profile) != GLLM_OK)
		return 2;
	there[SLEEF] = sleef_open();
	there[DNNL] = dnnl_open();
	for (unsigned p = 0; p < PEERS; p++)
		if (!there[p])
			fprintf(stderr, "bench-peers: %s is missing (apt-get install %s): its column is left out\n", peer_name[p], package[p]);
	host_exec(8 << 20, &config.host.code);
	config.host.clock_ns = host_clock_ns;
	size_t size = gllm_context_quote(&config);
	if (gllm_context_create(host_memory(size), size, &config, &c, &e) != GLLM_OK)
		return 1;
	bool ok = (!strchr(parts, 'm') || bench_maps(c, rounds)) && (!strchr(parts, 'f') || bench_fused(c, rounds));
	return ok ? 0 : 1;
}
