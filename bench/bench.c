/* SPDX-License-Identifier: MIT
 * bench/bench.c - compiled operators and the decoder, beside the machine's own limits measured in the same rounds.
 *
 * bench [-r ROUNDS] [-i ISA_CAP] [-m MODEL]. Each round measures the FMA peak, the read bandwidth from memory and every
 * row once, interleaved, because single runs on shared machines differ by a fifth; a row's figure is the median over the
 * rounds, its ratio the median of the ratios within rounds (lower quartile beside it). JSON lines go to standard output,
 * a table to standard error. One thread. */
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
	return (double)host_clock_ns(NULL) * 1e-9;
}

static const struct limits *limits;
static volatile float sink;

static double measure_bandwidth(const float *memory)
{
	double t = seconds();
	sink = limits->read(memory, STREAM / sizeof(float));
	return (double)STREAM / (seconds() - t) * 1e-9;
}

/* --- rows ----------------------------------------------------------------------------------------------------------- */

struct row {
	const char *op;
	uint64_t dim[3];    /* in the order of the operator's dims */
	double flops;       /* per call; 0: judged by bytes */
	const char *label;
	/* filled in */
	struct gllm_plan *plan;
	void *bind[8];
	double bytes;       /* touched per call */
	long calls;
	double rate[MAX_ROUNDS], ratio[MAX_ROUNDS];
};

static struct row row[] = {
	{ .op = "add",      .dim = { 5461 },           .label = "add 64 KiB" },
	{ .op = "mul",      .dim = { 5461 },           .label = "mul 64 KiB" },
	{ .op = "silu",     .dim = { 8192 },           .label = "silu 64 KiB" },
	{ .op = "swiglu",   .dim = { 5461 },           .label = "swiglu 64 KiB" },
	{ .op = "exp",      .dim = { 8192 },           .label = "exp 64 KiB" },
	{ .op = "tanh",     .dim = { 8192 },           .label = "tanh 64 KiB" },
	{ .op = "rms_norm", .dim = { 5461 },           .label = "rms_norm 64 KiB" },
	{ .op = "softmax",  .dim = { 8192 },           .label = "softmax 64 KiB" },
	{ .op = "rope_adjacent", .dim = { 32, 64 },    .label = "rope_adjacent 32x128" },
	{ .op = "rope_halves",   .dim = { 32, 64 },    .label = "rope_halves 32x128" },
	{ .op = "argmax",   .dim = { 16384 },          .label = "argmax 64 KiB" },
	{ .op = "gemv",     .dim = { 64, 64 },         .label = "gemv 64x64",       .flops = 2.0 * 64 * 64 },
	{ .op = "gemv",     .dim = { 512, 512 },       .label = "gemv 512x512",     .flops = 2.0 * 512 * 512 },
	{ .op = "gemv",     .dim = { 8192, 4096 },     .label = "gemv 8192x4096" },
	{ .op = "gemm_bt",  .dim = { 16, 64, 64 },     .label = "gemm_bt 16x64x64", .flops = 2.0 * 16 * 64 * 64 },
	{ .op = "gemm_bt",  .dim = { 256, 256, 256 },  .label = "gemm_bt 256^3",    .flops = 2.0 * 256 * 256 * 256 },
	{ .op = "gemm_bt_f16", .dim = { 16, 256, 256 }, .label = "gemm_bt_f16 16x256x256", .flops = 2.0 * 16 * 256 * 256 },
	{ .op = "gemm",     .dim = { 256, 256, 256 },  .label = "gemm 256^3",       .flops = 2.0 * 256 * 256 * 256 },
	{ .op = "attend",   .dim = { 256, 64, 64 },    .label = "attend 256 tokens of 64", .flops = 4.0 * 256 * 64 },
};
enum { ROWS = sizeof row / sizeof row[0] };

static int fail(const struct gllm_error *e)
{
	fprintf(stderr, "bench: %s: %s %s\n", gllm_status_text(e->status), e->what, e->name);
	return 1;
}

static enum gllm_status prepare(struct gllm_context *c, struct row *r, struct gllm_error *e)
{
	unsigned op = gllm_op_find(c, r->op), dims = 0, pointers = 0;
	const struct gllm_op_info *info = &gllm_op_info[op];
	const struct gllm_trace *trace;
	struct gllm_graph *g;
	struct gllm_actual actual[GLLM_MAX_PARAMS];
	union gllm_arg arg[GLLM_MAX_PARAMS] = { { .bits = 0 } };
	enum gllm_status s = gllm_op_trace(c, op, &trace, e);
	if (s == GLLM_OK)
		s = gllm_graph_create(c, r->label, 1, GLLM_MAX_PARAMS, 1, &g, e);
	if (s != GLLM_OK)
		return s;
	for (unsigned i = 0; i < info->nparams; i++)
		if (info->param[i].kind == GLLM_DIM)
			arg[i].dim = r->dim[dims++];
	for (unsigned i = 0; i < info->nparams; i++) {
		const struct gllm_param *p = &info->param[i];
		if (p->kind == GLLM_DIM) {
			actual[i] = GLLM_D(arg[i].dim);
			continue;
		}
		if (p->kind == GLLM_SCALAR) {
			actual[i] = GLLM_S(0.125f);
			continue;
		}
		uint64_t bytes = gllm_trace_extent(trace, i, arg);
		actual[i] = GLLM_T(gllm_graph_tensor(g, p->kind == GLLM_OUT ? GLLM_TENSOR_OUTPUT : GLLM_TENSOR_INPUT, p->type, 1,
		                                     bytes / gllm_type_bytes(p->type), p->name));
		unsigned char *memory = host_memory(bytes + 4096);
		for (uint64_t k = 0; p->kind != GLLM_OUT && k + 4 <= bytes; k += 4) {
			float x = p->type == GLLM_F16 ? 0.0f : (float)((k / 4 * 2654435761u) % 2000) * 0.001f - 1.0f;
			uint32_t half = 0x3c003800; /* 1 and 0.5 */
			memcpy(memory + k, p->type == GLLM_F16 ? (void *)&half : (void *)&x, 4);
		}
		r->bind[pointers++] = memory;
		r->bytes += (double)bytes;
	}
	gllm_graph_node(g, op, 1, actual, info->nparams);
	s = gllm_graph_status(g, e);
	if (s == GLLM_OK)
		s = gllm_compile(c, g, NULL, &r->plan, e);
	gllm_graph_free(c, g);
	return s;
}

static double time_calls(const struct row *r, long n, void *workspace)
{
	double t = seconds();
	for (long i = 0; i < n; i++)
		gllm_plan_run(r->plan, r->bind, 1, workspace, NULL);
	return seconds() - t;
}

static void measure(struct row *r, unsigned round, double peak, double bandwidth, void *workspace)
{
	if (!r->calls) {
		double once = time_calls(r, 3, workspace) / 3;
		r->calls = (long)(5e-3 / once) + 1;
	}
	double t = time_calls(r, r->calls, workspace) / (double)r->calls;
	r->rate[round] = (r->flops > 0 ? r->flops : r->bytes) / t * 1e-9;
	r->ratio[round] = r->rate[round] / (r->flops > 0 ? peak : bandwidth);
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
	double median[GLLM_OP_COUNT]; /* microseconds; 0: not lifted */
	size_t scratch, keep;         /* greatest use of memory */
	unsigned lifted;
};

/* Every operator from machine code to trace, warm, one after another in every round. */
static void measure_lifting(struct lift_times *l, const struct gllm_config *c, unsigned rounds)
{
	static double us[GLLM_OP_COUNT][MAX_ROUNDS];
	enum { KEEP = 1 << 20 };
	struct gllm_arena scratch, keep;
	const struct gllm_trace *t;
	gllm_arena_init(&scratch, host_memory(GLLM_LIFT_SCRATCH), GLLM_LIFT_SCRATCH);
	gllm_arena_init(&keep, host_memory(KEEP), KEEP);
	for (unsigned r = 0; r < rounds + 1; r++) { /* the first warms up */
		for (unsigned i = 0; i < GLLM_OP_COUNT; i++) {
			const struct gllm_op_info *o = &gllm_op_info[i];
			keep.used = 0;
			double start = seconds();
			bool ok = gllm_lift(c->target, &c->image, (uint64_t)(uintptr_t)o->ref, o->name, o->param, o->nparams, &scratch,
			                    &keep, &t, NULL) == GLLM_OK;
			us[i][r ? r - 1 : 0] = ok ? (seconds() - start) * 1e6 : 0.0;
		}
	}
	for (unsigned i = 0; i < GLLM_OP_COUNT; i++) {
		l->median[i] = quantile(us[i], rounds, 0.5);
		l->lifted += l->median[i] > 0.0;
	}
	l->scratch = scratch.high;
	l->keep = keep.high;
}

static void report_lifting(const struct lift_times *l)
{
	double lifted[GLLM_OP_COUNT];
	unsigned n = 0, slowest = 0;
	for (unsigned i = 0; i < GLLM_OP_COUNT; i++) {
		if (l->median[i] > 0.0)
			lifted[n++] = l->median[i];
		if (l->median[i] > l->median[slowest])
			slowest = i;
		printf("{\"row\": \"lift %s\", \"rate\": %.2f, \"unit\": \"us\"}\n", gllm_op_info[i].name, l->median[i]);
	}
	if (!n)
		return;
	qsort(lifted, n, sizeof *lifted, ascending);
	fprintf(stderr, "lifting: %u of %u operators, median %.1f us, upper quartile %.1f us, slowest %s %.1f us; greatest use: "
	                "%zu bytes of scratch, %zu of traces\n", n, (unsigned)GLLM_OP_COUNT, lifted[n / 2], lifted[3 * n / 4],
	        gllm_op_info[slowest].name, l->median[slowest], l->scratch, l->keep);
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
		double begin = seconds();
		if (gllm_compile(c, g, NULL, &p, NULL) == GLLM_OK) {
			t = (seconds() - begin) * 1e6;
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
	const char *path = NULL, *cap = NULL;
	unsigned rounds = 9;
	int option;
	while ((option = getopt(argc, argv, "r:i:m:")) != -1) {
		switch (option) {
		case 'r': rounds = (unsigned)strtoul(optarg, NULL, 10); break;
		case 'i': cap = optarg; break;
		case 'm': path = optarg; break;
		default: fprintf(stderr, "usage: bench [-r ROUNDS] [-i ISA_CAP] [-m MODEL]\n"); return 2;
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
	for (unsigned i = 0; i < ROWS; i++)
		if (prepare(c, &row[i], &e) != GLLM_OK)
			return fail(&e);
	struct gllm_config second = config; /* its kernels follow the first context's in the same executable memory */
	second.host.code.write += 4 << 20;
	second.host.code.exec += 4 << 20;
	second.host.code.size = 4 << 20;
	second.host.code.publish = config.host.code.publish;
	second.host.code.user = (void *)(uintptr_t)second.host.code.exec;
	if (path && load(&model, &second, path, &e) != GLLM_OK)
		return fail(&e);
	void *workspace = host_memory(1 << 20);
	for (unsigned r = 0; r < rounds; r++) {
		peak[r] = limits_peak(limits, seconds);
		bandwidth[r] = measure_bandwidth(memory);
		for (unsigned i = 0; i < ROWS; i++)
			measure(&row[i], r, peak[r], bandwidth[r], workspace);
		if (path)
			measure_model(&model, r);
	}
	struct lift_times lifting = { .lifted = 0 };
	measure_lifting(&lifting, &config, rounds);
	fprintf(stderr, "%s, %u rounds, one thread: FMA peak %.1f GFLOP/s of %u-byte vectors, read bandwidth %.1f GB/s\n",
	        config.profile.cpu, rounds, quantile(peak, rounds, 0.5), limits->vector_bytes,
	        quantile(bandwidth, rounds, 0.5));
	for (unsigned i = 0; i < ROWS; i++) {
		struct row *r = &row[i];
		double rate = quantile(r->rate, rounds, 0.5), ratio = quantile(r->ratio, rounds, 0.5);
		double low = quantile(r->ratio, rounds, 0.25);
		const char *unit = r->flops > 0 ? "GFLOP/s" : "GB/s", *of = r->flops > 0 ? "FMA peak" : "bandwidth";
		fprintf(stderr, "%-26s %9.2f %-8s %6.1f %% of %s (lower quartile %.1f %%)\n", r->label, rate, unit, 100 * ratio,
		        of, 100 * low);
		printf("{\"row\": \"%s\", \"rate\": %.4g, \"unit\": \"%s\", \"of\": \"%s\", \"ratio\": %.4f, \"ratio_q1\": %.4f}\n",
		       r->label, rate, unit, of, ratio, low);
	}
	report_lifting(&lifting);
	measure_stored(&config, rounds);
	if (bench_half(&config, rounds, &e) != GLLM_OK)
		return fail(&e);
	if (bench_layers(&second, rounds, &e) != GLLM_OK)
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
