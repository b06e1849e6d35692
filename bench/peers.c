/* SPDX-License-Identifier: MIT
 * bench/peers.c - products of matrices: compiled plans beside OpenBLAS, BLIS, oneDNN and libxsmm, in one process.
 *
 * peers [-r ROUNDS] [-t THREADS] [MxNxK[T][P]]... Each round times the FMA peak, reading B, and every library once per shape, in
 * rotated order; a figure is the median over the rounds, its ratio the median of the ratios to the peak of the same round.
 * Libraries are opened while running, by the names Debian gives them; what is not installed is named and left out. All
 * results are checked against sums in double precision. JSON lines go to standard output, a table to standard error. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "bench/limits.h"
#include "bench/stats.h"
#include "gllm/graph.h"
#include "gllm/ops.h"
#include "tools/host.h"

enum { PEERS = 5, SAMPLES = 200, ROW_MAJOR = 101, PLAIN = 111, TURNED = 112 };

struct shape {
	int m, n, k;
	bool turned; /* B is stored N x K */
	bool packed; /* B is packed beforehand, for plans; the others pack it, or not, as ever */
};

struct problem {
	struct shape s;
	float *a, *b, *c;
	void *packed;
	struct gllm_plan *plan;
	void *workspace;
};

static unsigned threads = 1;

/* With one thread, the time that this thread had a processor: what else the machine does counts less. */
static double seconds(void)
{
	struct timespec t;
	clock_gettime(threads == 1 ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* --- the libraries -------------------------------------------------------------------------------------------------- */

typedef void blas_fn(int, int, int, int, int, int, float, const float *, int, const float *, int, float, float *, int);
typedef int dnnl_fn(char, char, int64_t, int64_t, int64_t, float, const float *, int64_t, const float *, int64_t, float,
                    float *, int64_t);
typedef void xsmm_kernel(const float *, const float *, float *, ...);
extern xsmm_kernel *libxsmm_smmdispatch(int, int, int, const int *, const int *, const int *, const float *, const float *,
                                        const int *, const int *) __attribute__((weak)); /* NULL: not linked */
union symbol { void *data; blas_fn *blas; dnnl_fn *dnnl; };

struct peer {
	const char *name, *library, *package, *symbol;
	bool (*run)(const struct peer *p, const struct problem *q); /* false: not for this problem */
	union symbol fn;
	bool there;
};

static bool run_own(const struct peer *p, const struct problem *q)
{
	void *bind[] = { q->c, q->a, q->s.packed ? q->packed : q->b };
	(void)p;
	return gllm_plan_run(q->plan, bind, 1, q->workspace, NULL) == GLLM_OK;
}

static bool run_blas(const struct peer *p, const struct problem *q)
{
	const struct shape *s = &q->s;
	p->fn.blas(ROW_MAJOR, PLAIN, s->turned ? TURNED : PLAIN, s->m, s->n, s->k, 1.0f, q->a, s->k, q->b,
	           s->turned ? s->k : s->n, 0.0f, q->c, s->n);
	return true;
}

static bool run_dnnl(const struct peer *p, const struct problem *q)
{
	const struct shape *s = &q->s;
	return p->fn.dnnl('N', s->turned ? 'T' : 'N', s->m, s->n, s->k, 1.0f, q->a, s->k, q->b, s->turned ? s->k : s->n, 0.0f,
	                  q->c, s->n) == 0;
}

/* Column-major: C' = B' A'. Its kernels are meant for small products. */
static bool run_xsmm(const struct peer *p, const struct problem *q)
{
	const struct shape *s = &q->s;
	const float one = 1.0f, zero = 0.0f;
	const int none = 0;
	(void)p;
	if (s->turned || (double)s->m * s->n * s->k > 513.0 * 513 * 513)
		return false;
	xsmm_kernel *kernel = libxsmm_smmdispatch(s->n, s->m, s->k, &s->n, &s->k, &s->n, &one, &zero, &none, &none);
	if (!kernel)
		return false;
	kernel(q->b, q->a, q->c);
	return true;
}

static struct peer peer[PEERS] = {
	{ "gllm", NULL, NULL, NULL, run_own, { NULL }, true },
	{ "openblas", "libopenblas.so.0", "libopenblas0", "cblas_sgemm", run_blas, { NULL }, false },
	{ "blis", "libblis.so.4", "libblis4", "cblas_sgemm", run_blas, { NULL }, false },
	{ "onednn", "libdnnl.so.2", "libdnnl2", "dnnl_sgemm", run_dnnl, { NULL }, false },
	{ "libxsmm", NULL, "libxsmm-dev, then make clean", NULL, run_xsmm, { NULL }, false },
};

/* Opens what is there; returns how many others. */
static unsigned open_peers(const char *number)
{
	static const char *const variables[] = { "OPENBLAS_NUM_THREADS", "BLIS_NUM_THREADS", "OMP_NUM_THREADS" };
	unsigned found = 0;
	for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++)
		setenv(variables[i], number, 1);
	for (unsigned i = 1; i < PEERS; i++) {
		void *h = peer[i].library ? dlopen(peer[i].library, RTLD_NOW | RTLD_LOCAL) : NULL;
		peer[i].fn.data = h ? dlsym(h, peer[i].symbol) : NULL;
		peer[i].there = peer[i].fn.data || (peer[i].run == run_xsmm && libxsmm_smmdispatch);
		if (peer[i].there)
			found++;
		else
			fprintf(stderr, "bench-peers: %s is missing (apt-get install %s): its column is left out\n", peer[i].name,
			        peer[i].package);
	}
	return found;
}

/* --- a problem ------------------------------------------------------------------------------------------------------ */

static float *numbers(size_t n, uint32_t seed)
{
	float *x = host_memory(n * sizeof *x + 64);
	for (size_t i = 0; x && i < n; i++)
		x[i] = (float)((uint32_t)(i + seed) * 2654435761u >> 8) * 0x1p-23f - 1.0f;
	return x;
}

static const struct gllm_profile *profile;

static enum gllm_status pack(struct gllm_context *c, struct problem *q, struct gllm_graph *g, gllm_tensor b, struct gllm_error *e)
{
	struct gllm_packing p;
	enum gllm_status s = gllm_packing_of(profile, GLLM_F32, (uint64_t)q->s.n, (uint64_t)q->s.k, 0, &p, e);
	q->packed = s == GLLM_OK ? host_memory(gllm_packed_bytes(&p)) : NULL;
	if (s == GLLM_OK)
		s = q->packed ? gllm_pack_b(c, &p, q->b, q->s.turned, q->packed, gllm_packed_bytes(&p), e) : GLLM_OUT_OF_MEMORY;
	return s == GLLM_OK ? gllm_graph_packed(g, b, &p) : s;
}

static bool make_plan(struct gllm_context *c, struct problem *q)
{
	struct gllm_error e = { .status = GLLM_OK };
	struct gllm_graph *g;
	uint64_t m = (uint64_t)q->s.m, n = (uint64_t)q->s.n, k = (uint64_t)q->s.k;
	if (gllm_graph_create(c, "product", 1, 3, 1, &g, &e) != GLLM_OK)
		return false;
	gllm_tensor y = gllm_graph_tensor(g, GLLM_TENSOR_OUTPUT, GLLM_F32, m, n, "c"),
	            a = gllm_graph_tensor(g, GLLM_TENSOR_INPUT, GLLM_F32, m, k, "a"),
	            b = gllm_graph_tensor(g, GLLM_TENSOR_WEIGHT, GLLM_F32, q->s.turned ? n : k, q->s.turned ? k : n, "b");
	const struct gllm_actual actual[] = { GLLM_T(y), GLLM_T(a), GLLM_T(b), GLLM_D(m), GLLM_D(n), GLLM_D(k) };
	gllm_graph_node(g, q->s.turned ? GLLM_OP_gemm_bt : GLLM_OP_gemm, 1, actual, 6);
	enum gllm_status s = q->s.packed ? pack(c, q, g, b, &e) : GLLM_OK;
	if (s == GLLM_OK)
		s = gllm_compile(c, g, NULL, &q->plan, &e);
	gllm_graph_free(c, g);
	if (s != GLLM_OK)
		fprintf(stderr, "bench-peers: %s: %s %s\n", gllm_status_text(s), e.what, e.name);
	else
		q->workspace = host_memory(gllm_plan_workspace(q->plan) + 64);
	return s == GLLM_OK && q->workspace;
}

/* Greatest error of some elements, in units of the sum of the magnitudes of their terms. */
static double worst_error(const struct problem *q)
{
	const struct shape *s = &q->s;
	size_t all = (size_t)s->m * (size_t)s->n, step = all / SAMPLES + 1;
	double worst = 0.0;
	for (size_t i = 0; i < all; i += step) {
		size_t row = i / (size_t)s->n, column = i % (size_t)s->n;
		double sum = 0.0, size = 1e-30;
		for (size_t p = 0; p < (size_t)s->k; p++) {
			double t = (double)q->a[row * (size_t)s->k + p] *
			           q->b[s->turned ? column * (size_t)s->k + p : p * (size_t)s->n + column];
			sum += t;
			size += fabs(t);
		}
		double d = fabs(q->c[i] - sum) / size;
		worst = d > worst || isnan(d) ? d : worst;
	}
	return worst;
}

static double time_calls(const struct peer *p, const struct problem *q, long n)
{
	double t = seconds();
	for (long i = 0; i < n; i++)
		p->run(p, q);
	return (seconds() - t) / (double)n;
}

/* --- report --------------------------------------------------------------------------------------------------------- */

static volatile float unread; /* what bandwidth loops return */

static void measure(const struct limits *l, const struct problem *q, unsigned rounds)
{
	static double rate[PEERS][MAX_ROUNDS], ratio[PEERS][MAX_ROUNDS], peak[MAX_ROUNDS], read[MAX_ROUNDS];
	const struct shape *s = &q->s;
	double flops = 2.0 * s->m * s->n * s->k, error[PEERS];
	long calls[PEERS];
	for (unsigned p = 0; p < PEERS; p++) {
		calls[p] = 0;
		if (!peer[p].there)
			continue;
		memset(q->c, 0xff, (size_t)s->m * (size_t)s->n * sizeof(float));
		if (!peer[p].run(&peer[p], q))
			continue;
		error[p] = worst_error(q);
		calls[p] = (long)(20e-3 / time_calls(&peer[p], q, 1)) + 1;
	}
	for (unsigned r = 0; r < rounds; r++) {
		peak[r] = limits_peak(l, seconds) * threads;
		double t = seconds();
		unread += l->read(q->b, (size_t)s->n * (size_t)s->k / 512 * 512);
		read[r] = (double)s->n * s->k * 4e-9 / (seconds() - t);
		for (unsigned i = 0; i < PEERS; i++) {
			unsigned p = (i + r) % PEERS;
			if (!calls[p])
				continue;
			rate[p][r] = flops / time_calls(&peer[p], q, calls[p]) * 1e-9;
			ratio[p][r] = rate[p][r] / peak[r];
		}
	}
	char name[48];
	snprintf(name, sizeof name, "%dx%dx%d%s%s", s->m, s->n, s->k, s->turned ? "T" : "", s->packed ? "P" : "");
	fprintf(stderr, "%-18s %8.1f ", name, quantile(peak, rounds, 0.5));
	for (unsigned p = 0; p < PEERS; p++) {
		if (!calls[p]) {
			fprintf(stderr, "              - ");
			continue;
		}
		double median = quantile(rate[p], rounds, 0.5), part = quantile(ratio[p], rounds, 0.5);
		bool wrong = !(error[p] < 1e-5);
		fprintf(stderr, "%8.1f %4.0f%%%s ", median, 100 * part, wrong ? "!!" : "  ");
		printf("{\"row\": \"sgemm %s\", \"threads\": %u, \"library\": \"%s\", \"rate\": %.4g, \"unit\": \"GFLOP/s\", \"of\": "
		       "\"FMA peak\", \"ratio\": %.4f, \"ratio_q1\": %.4f, \"error\": %.2g%s}\n", name, threads, peer[p].name, median,
		       part, quantile(ratio[p], rounds, 0.25), error[p], wrong ? ", \"wrong\": true" : "");
	}
	fprintf(stderr, "%6.1f GB/s\n", quantile(read, rounds, 0.5));
	fflush(stdout);
}

static const char *const all_shapes[] = {
	"64x64x64", "128x128x128", "256x256x256", "512x512x512", "1000x1000x1000", "1024x1024x1024", "2048x2048x2048",
	"1x4096x4096", "8x4096x4096", "32x4096x4096", "128x4096x4096", "128x4096x11008",
	"1024x1024x1024P", "128x4096x4096P", "1x4096x4096T", "8x4096x4096T", "32x4096x4096T", "128x4096x4096T",
};

static bool parse(const char *text, struct shape *s)
{
	int used = 0;
	*s = (struct shape){ 0 };
	if (sscanf(text, "%dx%dx%d%n", &s->m, &s->n, &s->k, &used) != 3 || s->m < 1 || s->n < 1 || s->k < 1)
		return false;
	s->turned = text[used] == 'T';
	s->packed = text[used + s->turned] == 'P';
	return text[used + s->turned + s->packed] == '\0';
}

int main(int argc, char **argv)
{
	struct gllm_error e = { .status = GLLM_OK };
	struct gllm_config config = { .target = host_target(), .image = *host_image() };
	struct gllm_context *c;
	unsigned rounds = 9;
	int option;
	while ((option = getopt(argc, argv, "r:t:")) != -1) {
		switch (option) {
		case 'r': rounds = (unsigned)strtoul(optarg, NULL, 10); break;
		case 't': threads = (unsigned)strtoul(optarg, NULL, 10); break;
		default: fprintf(stderr, "usage: peers [-r ROUNDS] [-t THREADS] [MxNxK[T][P]]...\n"); return 2;
		}
	}
	if (rounds < 1 || rounds > MAX_ROUNDS || threads < 1 || threads > 64 || host_profile(NULL, &config.profile) != GLLM_OK)
		return 2;
	profile = &config.profile;
	const struct limits *l = limits_of(&config.profile);
	char number[8];
	snprintf(number, sizeof number, "%u", threads);
	if (!l || !open_peers(number)) {
		fprintf(stderr, "bench-peers: %s\n", l ? "none of the other libraries is installed" : "the CPU has no usable vector unit");
		return 1;
	}
	host_exec(8 << 20, &config.host.code);
	config.host.clock_ns = host_clock_ns;
	if (threads > 1) {
		config.host.user = host_pool(threads);
		config.host.parallel_for = host_parallel_for;
		config.host.workers = threads;
	}
	size_t size = gllm_context_quote(&config);
	if (gllm_context_create(host_memory(size), size, &config, &c, &e) != GLLM_OK)
		return 1;
	fprintf(stderr, "%s, %u threads, %u rounds: GFLOP/s and part of the FMA peak (T: weights stored N x K, P: ours packed beforehand)\n%-18s %8s ",
	        config.profile.cpu, threads, rounds, "MxNxK", "peak");
	for (unsigned p = 0; p < PEERS; p++)
		fprintf(stderr, "%15s ", peer[p].name);
	fprintf(stderr, "  reading B\n");
	const char *const *list = optind < argc ? (const char *const *)argv + optind : all_shapes;
	size_t n = optind < argc ? (size_t)(argc - optind) : sizeof all_shapes / sizeof all_shapes[0];
	for (size_t i = 0; i < n; i++) {
		struct problem q = { .plan = NULL };
		if (!parse(list[i], &q.s)) {
			fprintf(stderr, "bench-peers: not a shape: %s\n", list[i]);
			return 2;
		}
		q.a = numbers((size_t)q.s.m * (size_t)q.s.k, 1);
		q.b = numbers((size_t)q.s.n * (size_t)q.s.k, 7);
		q.c = host_memory((size_t)q.s.m * (size_t)q.s.n * sizeof(float) + 64);
		if (!q.a || !q.b || !q.c || !make_plan(c, &q))
			return 1;
		measure(l, &q, rounds);
		gllm_plan_free(c, q.plan);
	}
	return 0;
}
