/* SPDX-License-Identifier: MIT
 * bench/bench.c - compiled operators and the decoder, beside the machine's own limits measured in the same rounds.
 *
 * bench [-r ROUNDS] [-i ISA_CAP] [-m MODEL] [-f]. Each round measures the FMA peak, the read bandwidth from memory and every
 * row once, interleaved, because single runs on shared machines differ by a fifth; a row's figure is the median over the
 * rounds, its ratio the median of the ratios within rounds (lower quartile beside it). JSON lines go to standard output,
 * a table to standard error. One thread. -f: nothing but the rows that have a stored floor (floor.def), beside it. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "bench/bench.h"
#include "bench/limits.h"
#include "gllm/layers.h"
#include "gllm/ops.h"
#include "gllm/speaker.h"
#include "jit/lift.h"
#include "tools/host.h"

enum { STREAM = 256 << 20 };

double seconds(void)
{
	return thread_seconds();
}

static const struct limits *limits;
static volatile float sink;

/* GB/s read from memory, and from 64 KiB read and copied. */
static void measure_bounds(void *user, struct bounds *b)
{
	float *memory = user;
	enum { NEAR = 64 << 10, TIMES = 100, HALF = NEAR / 2 / sizeof(float) };
	double t = seconds();
	sink = limits->read(memory, STREAM / sizeof(float));
	b->far_read = (double)STREAM / (seconds() - t) * 1e-9;
	for (unsigned warm = 0; warm < 2; warm++) {
		t = seconds();
		for (unsigned i = 0; i < TIMES; i++)
			sink = limits->read(memory, NEAR / sizeof(float));
		b->near_read = (double)NEAR * TIMES / (seconds() - t) * 1e-9;
		t = seconds();
		for (unsigned i = 0; i < TIMES; i++)
			limits->copy(memory + HALF, memory, HALF);
		b->near_copy = (double)NEAR * TIMES / (seconds() - t) * 1e-9;
	}
	b->peak = limits_peak(limits, seconds);
}

static int fail(const struct gllm_error *e)
{
	fprintf(stderr, "bench: %s: %s %s\n", gllm_status_text(e->status), e->what, e->name);
	return 1;
}

/* The peak alone: all that floors are compared with. */
static void measure_peak(void *user, struct bounds *b)
{
	(void)user;
	*b = (struct bounds){ limits_peak(limits, seconds), 1, 1, 1 };
}

/* The row of FLOOR_CPUS that this is; -1: none. */
static int floor_cpu(const struct gllm_profile *p)
{
#define CPU(name, with, without) { with, without },
	static const struct { uint64_t with, without; } cpu[] = { FLOOR_CPUS(CPU) };
#undef CPU
	for (unsigned i = 0; i < sizeof cpu / sizeof cpu[0] && p->isa == GLLM_ISA_X86_64 && p->vector_bytes == 64; i++)
		if ((p->have & cpu[i].with) == cpu[i].with && !(p->have & cpu[i].without))
			return (int)i;
	return -1;
}

static int keep_floors(const struct gllm_profile *p, unsigned rounds)
{
#define CPU(name, with, without) " " name ","
	if (floor_cpu(p) < 0)
		fprintf(stderr, "bench-floor: floors are stored for" FLOOR_CPUS(CPU) " with AVX-512; on %s nothing is compared\n", p->cpu);
#undef CPU
	return rows_keep_floors(floor_cpu(p), rounds, measure_peak, NULL) ? 0 : 1;
}

/* --- the decoder ---------------------------------------------------------------------------------------------------- */

struct model {
	struct gllm_speaker speaker;
	double decode[MAX_ROUNDS], prefill[MAX_ROUNDS];
	struct gllm_stats stats;
};

static enum gllm_status load(struct model *m, const struct gllm_config *c, const char *path, struct gllm_error *e)
{
	struct gllm_speaker_options o = { .top_p = 1.0f, .llama = { .chunk = 64 } };
	size_t size, index, bytes;
	const unsigned char *file = host_file(path, &size);
	if (!file)
		return gllm_fail(e, GLLM_IO_ERROR, "cannot read the model file", path, 0, 0, 0);
	enum gllm_status s = gllm_gguf_workspace(file, size, &index, e);
	if (s == GLLM_OK)
		s = gllm_speaker_quote(c, file, size, &o, host_memory(index), index, &bytes, e);
	if (s == GLLM_OK)
		s = gllm_speaker_open(&m->speaker, c, file, size, &o, host_memory(bytes), bytes, e);
	if (s == GLLM_OK)
		gllm_context_stats(m->speaker.context, &m->stats);
	return s;
}

static void measure_model(struct model *m, unsigned round)
{
	enum { PREFILL = 128, DECODE = 128 };
	static int32_t prompt[PREFILL];
	struct gllm_llama *l = m->speaker.llama;
	const float *logits;
	uint32_t vocab = gllm_llama_parameters(l)->vocab;
	for (unsigned i = 0; i < PREFILL; i++)
		prompt[i] = (int32_t)(i * 7 % vocab);
	gllm_llama_rewind(l, 0);
	double t = seconds();
	gllm_llama_eval(l, prompt, PREFILL, &logits, NULL);
	m->prefill[round] = PREFILL / (seconds() - t);
	gllm_llama_rewind(l, 1);
	t = seconds();
	for (unsigned i = 0; i < DECODE; i++)
		gllm_llama_eval(l, prompt + i, 1, &logits, NULL);
	m->decode[round] = DECODE / (seconds() - t);
}

/* --- lifting --------------------------------------------------------------------------------------------------------- */

struct lift_times {
	double round[GLLM_OP_COUNT]; /* microseconds, one operator after another; 0: not lifted */
	double again[GLLM_OP_COUNT]; /* the same one again and again, so that its branches are foreseen */
	struct gllm_arena scratch, keep;
};

/* By the clock that is read without a system call: that of a thread costs 0.4 us each time and leaves its mark on the caches
 * and predictors that are measured. A round in which something else ran in between is none that a median takes. */
static double lift_time(struct lift_times *l, const struct gllm_config *c, unsigned op)
{
	const struct gllm_op_info *o = &gllm_op_info[op];
	const struct gllm_trace *t;
	l->keep.used = 0;
	const uint64_t start = host_clock_ns(NULL);
	bool ok = gllm_lift(c->target, &c->image, (uint64_t)(uintptr_t)o->ref, o->name, o->param, o->nparams, &l->scratch, &l->keep,
	                    &t, NULL) == GLLM_OK;
	return ok ? (double)(host_clock_ns(NULL) - start) * 1e-3 : 0.0;
}

/* Every operator from machine code to trace, warm: one after another in every round, then each again and again. */
static void measure_lifting(struct lift_times *l, const struct gllm_config *c, unsigned rounds)
{
	enum { KEEP = 1 << 20, AGAIN = 33 };
	static double us[GLLM_OP_COUNT][MAX_ROUNDS];
	double again[AGAIN];
	gllm_arena_init(&l->scratch, host_memory(GLLM_LIFT_SCRATCH), GLLM_LIFT_SCRATCH);
	gllm_arena_init(&l->keep, host_memory(KEEP), KEEP);
	for (unsigned r = 0; r < rounds + 1; r++) /* the first warms up */
		for (unsigned i = 0; i < GLLM_OP_COUNT; i++)
			us[i][r ? r - 1 : 0] = lift_time(l, c, i);
	for (unsigned i = 0; i < GLLM_OP_COUNT; i++) {
		for (unsigned r = 0; r < AGAIN; r++)
			again[r] = lift_time(l, c, i);
		l->round[i] = quantile(us[i], rounds, 0.5);
		l->again[i] = quantile(again, AGAIN, 0.5);
	}
}

/* Sorts the times of what was lifted; returns how many there are. */
static unsigned sort_lifted(const double *us, double *out)
{
	unsigned n = 0;
	for (unsigned i = 0; i < GLLM_OP_COUNT; i++)
		if (us[i] > 0.0)
			out[n++] = us[i];
	qsort(out, n, sizeof *out, ascending);
	return n;
}

static void report_lifting(const struct lift_times *l)
{
	double round[GLLM_OP_COUNT], again[GLLM_OP_COUNT];
	unsigned n = sort_lifted(l->round, round), slowest = 0;
	for (unsigned i = 0; i < GLLM_OP_COUNT; i++) {
		slowest = l->round[i] > l->round[slowest] ? i : slowest;
		printf("{\"row\": \"lift %s\", \"rate\": %.2f, \"unit\": \"us\"}\n", gllm_op_info[i].name, l->round[i]);
	}
	if (!n)
		return;
	sort_lifted(l->again, again);
	fprintf(stderr, "lifting: %u of %u operators, one after another: median %.1f us, upper quartile %.1f us, slowest %s %.1f us; each again "
	                "and again: median %.1f us, upper quartile %.1f us; greatest use: %zu bytes of scratch, %zu of traces\n",
	        n, (unsigned)GLLM_OP_COUNT, round[n / 2], round[3 * n / 4], gllm_op_info[slowest].name, l->round[slowest],
	        again[n / 2], again[3 * n / 4], l->scratch.high, l->keep.high);
}

/* --- compiled plans from a store ------------------------------------------------------------------------------------ */

/* One layer of the shape of Llama 7B, decoding and reading a prompt: compiled, and found in the cache in memory. */
struct stored {
	const char *label;
	uint64_t rows;
	double compile[MAX_ROUNDS], load[MAX_ROUNDS], ratio[MAX_ROUNDS]; /* us */
};
static struct stored stored[] = { { .label = "7B layer, 1 row", .rows = 1 }, { .label = "7B layer, 16 rows", .rows = 16 } };

static struct gllm_context *store_context(struct gllm_config c, struct gllm_store store)
{
	struct gllm_context *x = NULL;
	c.scratch_bytes = 64 << 20;
	size_t size = gllm_context_quote(&c);
	host_exec(1 << 20, &c.host.code);
	c.host.store = store;
	gllm_context_create(host_memory(size), size, &c, &x, NULL);
	return x;
}

static double time_compile(struct gllm_context *c, uint64_t rows)
{
	const struct gllm_llama_shape shape = { .rows = rows, .embedding = 4096, .heads = 32, .kv_heads = 32, .head_dim = 128,
		.ffn = 11008, .vocab = 32000, .rms_eps = 1e-5f };
	struct gllm_llama_layer layer;
	struct gllm_graph *g;
	struct gllm_plan *p;
	double t = -1.0;
	if (gllm_graph_create(c, "layer", rows, GLLM_LLAMA_LAYER_GRAPH_TENSORS, GLLM_LLAMA_LAYER_GRAPH_NODES, &g, NULL) != GLLM_OK)
		return t;
	if (gllm_llama_layer(g, &shape, &layer) == GLLM_OK) {
		const uint64_t begin = host_clock_ns(NULL); /* as in lift_time */
		if (gllm_compile(c, g, NULL, &p, NULL) == GLLM_OK) {
			t = (double)(host_clock_ns(NULL) - begin) * 1e-3;
			gllm_plan_free(c, p);
		}
	}
	gllm_graph_free(c, g);
	return t;
}

static void measure_stored(const struct gllm_config *config, unsigned rounds)
{
	struct gllm_plan_cache *cache = NULL;
	gllm_plan_cache_create(host_memory(1 << 20), 1 << 20, NULL, &cache, NULL);
	struct gllm_context *plain = store_context(*config, (struct gllm_store){ .find = NULL });
	struct gllm_context *caching = store_context(*config, gllm_plan_cache_store(cache));
	for (unsigned i = 0; i < sizeof stored / sizeof stored[0]; i++) {
		struct stored *x = &stored[i];
		time_compile(plain, x->rows); /* traces are lifted */
		time_compile(caching, x->rows);
		for (unsigned r = 0; r < rounds; r++) {
			x->compile[r] = time_compile(plain, x->rows);
			x->load[r] = time_compile(caching, x->rows);
			x->ratio[r] = x->compile[r] / x->load[r];
		}
		double ratio = quantile(x->ratio, rounds, 0.5), low = quantile(x->ratio, rounds, 0.25);
		fprintf(stderr, "%s: compiled in %.1f us, from the cache in %.2f us: %.0f times faster (lower quartile %.0f)\n",
		        x->label, quantile(x->compile, rounds, 0.5), quantile(x->load, rounds, 0.5), ratio, low);
		printf("{\"row\": \"stored %s\", \"compile_us\": %.2f, \"load_us\": %.3f, \"ratio\": %.1f, \"ratio_q1\": %.1f}\n",
		       x->label, quantile(x->compile, rounds, 0.5), quantile(x->load, rounds, 0.5), ratio, low);
	}
}

/* --- report --------------------------------------------------------------------------------------------------------- */

int main(int argc, char **argv)
{
	static struct model model;
	static double peak[MAX_ROUNDS], bandwidth[MAX_ROUNDS];
	struct gllm_error e = { .status = GLLM_OK };
	struct gllm_config config = { .target = host_target(), .image = *host_image() };
	struct gllm_context *c;
	struct bounds bound;
	const char *path = NULL, *cap = NULL;
	unsigned rounds = 9;
	bool floors = false;
	int option;
	while ((option = getopt(argc, argv, "r:i:m:f")) != -1) {
		switch (option) {
		case 'r': rounds = (unsigned)strtoul(optarg, NULL, 10); break;
		case 'i': cap = optarg; break;
		case 'm': path = optarg; break;
		case 'f': floors = true; break;
		default: fprintf(stderr, "usage: bench [-r ROUNDS] [-i ISA_CAP] [-m MODEL] [-f]\n"); return 2;
		}
	}
	if (rounds < 1 || rounds > MAX_ROUNDS || host_profile(cap, &config.profile) != GLLM_OK)
		return 2;
	limits = limits_of(&config.profile);
	if (!limits) {
		fprintf(stderr, "bench: the CPU has no usable vector unit\n");
		return 2;
	}
	host_exec(8 << 20, &config.host.code);
	config.host.clock_ns = host_clock_ns;
	float *memory = host_memory(STREAM);
	memset(memory, 1, STREAM);
	size_t size = gllm_context_quote(&config);
	if (gllm_context_create(host_memory(size), size, &config, &c, &e) != GLLM_OK)
		return fail(&e);
	if (rows_prepare(c, &e) != GLLM_OK)
		return fail(&e);
	if (floors)
		return keep_floors(&config.profile, rounds);
	struct gllm_config second = config; /* its kernels follow the first context's in the same executable memory */
	second.host.code.write += 4 << 20;
	second.host.code.exec += 4 << 20;
	second.host.code.size = 4 << 20;
	second.host.code.publish = config.host.code.publish;
	second.host.code.user = (void *)(uintptr_t)second.host.code.exec;
	if (path && load(&model, &second, path, &e) != GLLM_OK)
		return fail(&e);
	for (unsigned r = 0; r < rounds; r++) {
		measure_bounds(memory, &bound);
		peak[r] = bound.peak;
		bandwidth[r] = bound.far_read;
		rows_measure(r, &bound);
		if (path)
			measure_model(&model, r);
	}
	static struct lift_times lifting;
	measure_lifting(&lifting, &config, rounds);
	fprintf(stderr, "%s, %u rounds, one thread: FMA peak %.1f GFLOP/s of %u-byte vectors, read bandwidth %.1f GB/s\n",
	        config.profile.cpu, rounds, quantile(peak, rounds, 0.5), limits->vector_bytes,
	        quantile(bandwidth, rounds, 0.5));
	rows_report(rounds);
	report_lifting(&lifting);
	measure_stored(&config, rounds);
	if (bench_half(&config, rounds, &e) != GLLM_OK || bench_stages(&config, rounds, &e) != GLLM_OK)
		return fail(&e);
	if (bench_layers(&second, rounds, &e) != GLLM_OK || bench_moved(&second, rounds, &e) != GLLM_OK)
		return fail(&e);
	if (path) {
		fprintf(stderr, "decode  %8.0f tokens/s (lower quartile %.0f)\nprefill %8.0f tokens/s (lower quartile %.0f)\n"
		                "%u operators lifted in %.3f ms, %u kernels, %zu bytes of code, plans made in %.3f ms\n",
		        quantile(model.decode, rounds, 0.5), quantile(model.decode, rounds, 0.25),
		        quantile(model.prefill, rounds, 0.5), quantile(model.prefill, rounds, 0.25), model.stats.lifted,
		        (double)model.stats.lift_ns * 1e-6, model.stats.kernels, model.stats.code_bytes,
		        (double)model.stats.compile_ns * 1e-6);
		printf("{\"row\": \"decode\", \"rate\": %.0f, \"unit\": \"tokens/s\"}\n{\"row\": \"prefill\", \"rate\": %.0f, "
		       "\"unit\": \"tokens/s\"}\n{\"row\": \"compile\", \"rate\": %.4f, \"unit\": \"ms\"}\n",
		       quantile(model.decode, rounds, 0.5), quantile(model.prefill, rounds, 0.5),
		       (double)model.stats.compile_ns * 1e-6);
	}
	return 0;
}
