/* SPDX-License-Identifier: MIT
 * tests/check_chains.c - fused chains by name, end to end: each is one group of a plan, at the width the CPU has and at the
 * narrower one of its ISA (SVE and NEON, AVX-512 and AVX2), and gives for any number of rows what its scalar plan gives; so
 * it does for three workers and caches that no value fits, where values may be kept a row at a time. */
#include "check.h"
#include "core/arena.h"
#include "core/bits.h"
#include "core/profile.h"
#include "gllm/graph_text.h"
#include "jit/plan.h"

#if GLLM_JIT

static const struct chain {
	const char *name, *text; /* widths that are no multiple of any vector's */
	const char *fused;       /* the steps' name */
	bool kept;               /* its value is kept a row at a time where it does not fit a cache */
} chain[] = {
	{ "SiLU -> Mul -> Add",
	  "graph silu_mul_add rows 40\n" "let n = 101\n"
	  "input x [rows, n]\n" "input g [rows, n]\n" "input r [rows, n]\n" "output y [rows, n]\n"
	  "value s [rows, n]\n" "value m [rows, n]\n"
	  "s = silu(x, n) per rows\n" "m = mul(s, g, n=n) per rows\n" "y = add(m, r, n=n) per rows\n", "silu+mul+add", false },
	{ "GEMM + bias + GELU",
	  "graph gemm_bias_gelu rows 40\n" "let n = 75\n" "let k = 69\n"
	  "input a [rows, k]\n" "weight w [n, k]\n" "weight b [1, n]\n" "output y [rows, n]\n" "value c [rows, n]\n"
	  "c = gemm_bt_bias(a, w, b, rows, n, k)\n" "y = gelu(c, n) per rows\n", "gemm_bt_bias+gelu", false },
	{ "GEMM + residual + ReLU",
	  "graph gemm_add_relu rows 40\n" "let n = 52\n" "let k = 83\n"
	  "input a [rows, k]\n" "weight b [k, n]\n" "input r [rows, n]\n" "output y [rows, n]\n" "value c [rows, n]\n"
	  "value d [rows, n]\n"
	  "c = gemm(a, b, rows, n, k)\n" "d = add(c, r, n=n) per rows\n" "y = relu(d, n) per rows\n", "gemm+add+relu", false },
	{ "RMSNorm -> GEMM",
	  "graph norm_gemm rows 40\n" "let n = 50\n" "let k = 67\n"
	  "input x [rows, k]\n" "weight g [1, k]\n" "weight w [n, k]\n" "output y [rows, n]\n" "value h [rows, k]\n"
	  "h = rms_norm(x, g, k, 1e-5) per rows\n" "y = gemm_bt(h, w, rows, n, k)\n", "rms_norm gemm_bt", false },
	{ "RMSNorm -> gate, up -> SwiGLU",
	  "graph norm_swiglu rows 40\n" "let n = 50\n" "let k = 67\n"
	  "input x [rows, k]\n" "weight q [1, k]\n" "weight wg [n, k]\n" "weight wu [n, k]\n" "output y [rows, n]\n"
	  "value h [rows, k]\n" "value g [rows, n]\n" "value u [rows, n]\n"
	  "h = rms_norm(x, q, k, 1e-5) per rows\n" "g = gemm_bt(h, wg, rows, n, k)\n" "u = gemm_bt(h, wu, rows, n, k)\n"
	  "y = swiglu(g, u, n) per rows\n", "rms_norm gemm_bt+gemm_bt+swiglu", false },
	{ "Add -> Scale -> Softmax",
	  "graph add_scale_softmax rows 40\n" "let n = 90\n"
	  "input x [rows, n]\n" "input z [rows, n]\n" "output y [rows, n]\n" "value s [rows, n]\n" "value p [rows, n]\n"
	  "s = add(x, z, n=n) per rows\n" "p = scale(s, n, 0.125) per rows\n" "y = softmax(p, n) per rows\n", "add+scale+softmax", false },
	{ "LayerNorm -> GEMM + bias -> GELU",
	  "graph layer_norm_gemm_gelu rows 40\n" "let n = 45\n" "let k = 70\n"
	  "input x [rows, k]\n" "weight g [1, k]\n" "weight z [1, k]\n" "weight w [n, k]\n" "weight b [1, n]\n" "output y [rows, n]\n"
	  "value h [rows, k]\n" "value c [rows, n]\n"
	  "h = layer_norm(x, g, z, k, 1e-5) per rows\n" "c = gemm_bt_bias(h, w, b, rows, n, k)\n" "y = gelu(c, n) per rows\n",
	  "layer_norm gemm_bt_bias+gelu", false },
	{ "Add -> RMSNorm",
	  "graph add_norm rows 40\n" "let n = 103\n"
	  "input x [rows, n]\n" "input r [rows, n]\n" "weight g [1, n]\n" "output y [rows, n]\n" "value s [rows, n]\n"
	  "s = add(x, r, n=n) per rows\n" "y = rms_norm(s, g, n, 1e-5) per rows\n", "add+rms_norm", true },
	{ "SiLU -> LayerNorm -> ReLU",
	  "graph silu_norm_relu rows 40\n" "let n = 96\n"
	  "input x [rows, n]\n" "weight g [1, n]\n" "weight z [1, n]\n" "output y [rows, n]\n" "value s [rows, n]\n" "value h [rows, n]\n"
	  "s = silu(x, n) per rows\n" "h = layer_norm(s, g, z, n, 1e-5) per rows\n" "y = relu(h, n) per rows\n",
	  "silu+layer_norm+relu", true },
};

enum { TENSORS = 12, WORKERS = 3, MOST_ROWS = 40, MOST = 128 * 128 }; /* elements of each: more than any has */

struct lab {
	struct check *t;
	struct gllm_context *c;
	struct gllm_arena arena;
	struct gllm_error e;
	void *bind[TENSORS], *want[TENSORS];
	float *data[TENSORS], *scalar[TENSORS];
	bool narrow;           /* caches are small */
	unsigned workers, owners; /* plans in which several wrote memory of their own */
};

static float magnitude(float x)
{
	return x < 0 ? -x : x;
}

static size_t length(const char *s)
{
	size_t n = 0;
	while (s[n])
		n++;
	return n;
}

static struct gllm_plan *compile(struct lab *l, const struct gllm_graph *g, bool scalar)
{
	struct gllm_plan *p = NULL;
	const struct gllm_plan_options o = { .scalar = scalar, .readback = true };
	if (!CHECK_STATUS(l->t, gllm_compile(l->c, g, &o, &p, &l->e), GLLM_OK))
		check_print(l->t, "     %s %s\n", l->e.what, l->e.name);
	return p;
}

/* Names of the steps that differ from the one before, by blanks. */
static void names(const struct gllm_plan *p, char *out, size_t size)
{
	const char *before = "";
	size_t at = 0;
	for (unsigned i = 0; i < gllm_plan_steps(p); i++) {
		struct gllm_step_info s;
		gllm_plan_step(p, i, &s);
		size_t k = 0;
		while (s.name[k] && s.name[k] == before[k])
			k++;
		if (s.name[k] == before[k])
			continue;
		for (k = at ? 0 : 1; at + 1 < size && (k == 0 || s.name[k - 1]); k++)
			out[at++] = k == 0 ? ' ' : s.name[k - 1];
		before = s.name;
	}
	out[at] = '\0';
}

enum { UNTOUCHED = 0xa5 };

/* Workers that wrote memory of their own. They share nothing there: here they run in turn, so what one overwrites of another's
 * would never be seen. */
static unsigned touched(const struct gllm_plan *p, const unsigned char *workspace)
{
	unsigned n = 0;
	for (unsigned w = 0; w < p->workers; w++) {
		size_t i = 0;
		while (i < p->worker_bytes && workspace[p->worker_begin + w * p->worker_bytes + i] == UNTOUCHED)
			i++;
		n += i < p->worker_bytes;
	}
	return n;
}

static void run_rows(struct lab *l, const struct chain *x, const struct gllm_plan *fused, const struct gllm_plan *scalar, uint64_t rows)
{
	struct gllm_arena mark = l->arena;
	size_t bytes = gllm_plan_workspace(fused) > gllm_plan_workspace(scalar) ? gllm_plan_workspace(fused) : gllm_plan_workspace(scalar);
	unsigned char *workspace = gllm_alloc(&l->arena, bytes + 64, 64);
	unsigned bad = 0;
	for (unsigned i = 0; i < TENSORS; i++)
		for (unsigned k = 0; k < MOST; k++)
			l->data[i][k] = l->scalar[i][k] = check_float(l->t, -2.0f, 2.0f);
	CHECK_STATUS(l->t, gllm_plan_run(scalar, l->want, rows, workspace, &l->e), GLLM_OK);
	for (size_t i = 0; i < bytes; i++)
		workspace[i] = UNTOUCHED;
	CHECK_STATUS(l->t, gllm_plan_run(fused, l->bind, rows, workspace, &l->e), GLLM_OK);
	if (fused->worker_bytes && fused->workers > 1 && rows == MOST_ROWS)
		l->owners += CHECK(l->t, touched(fused, workspace) > 1);
	for (unsigned i = 0; i < gllm_plan_tensors(fused); i++) {
		struct gllm_tensor_info info;
		float greatest = 0;
		gllm_plan_tensor(fused, i, &info);
		for (unsigned k = 0; k < MOST; k++)
			greatest = magnitude(l->scalar[i][k]) > greatest ? magnitude(l->scalar[i][k]) : greatest;
		for (unsigned k = 0; k < MOST && info.kind == GLLM_TENSOR_OUTPUT; k++) /* beyond the rows nothing is written */
			bad += !(magnitude(l->data[i][k] - l->scalar[i][k]) <= 1e-5f * greatest);
	}
	if (!CHECK_EQ(l->t, bad, 0))
		check_print(l->t, "     %s, %llu rows\n", x->name, (unsigned long long)rows);
	l->arena = mark;
}

static void check_chain(struct lab *l, const struct chain *x, const char *width)
{
	static const uint64_t rows[] = { 0, 1, 2, 7, 16, MOST_ROWS };
	struct gllm_arena mark = l->arena;
	struct gllm_graph *g = NULL;
	char got[128];
	size_t n = length(x->text), room = gllm_graph_text_workspace(x->text, n);
	if (!CHECK_STATUS(l->t, gllm_graph_read(l->c, x->text, n, 0, gllm_alloc(&l->arena, room, 8), room, &g, &l->e), GLLM_OK)) {
		check_print(l->t, "     %s: line %llu: %s %s\n", x->name, (unsigned long long)l->e.where, l->e.what, l->e.name);
		return;
	}
	struct gllm_plan *scalar = compile(l, g, true), *fused = compile(l, g, false);
	if (scalar && fused) {
		names(fused, got, sizeof got);
		if (CHECK_TEXT(l->t, got, x->fused))
			check_print(l->t, "chain: %s: %s: %s\n", width, x->name, got);
		if (x->kept)
			CHECK_EQ(l->t, gllm_plan_buffers(fused), l->narrow ? 0 : 1);
		for (unsigned i = 0; i < GLLM_COUNT(rows); i++)
			run_rows(l, x, fused, scalar, rows[i]);
	}
	if (fused)
		gllm_plan_free(l->c, fused);
	if (scalar)
		gllm_plan_free(l->c, scalar);
	gllm_graph_free(l->c, g);
	l->arena = mark;
}

static void check_width(struct check *t, const struct gllm_profile *p, const char *width, bool narrow)
{
	struct lab l = { .t = t, .narrow = narrow, .workers = WORKERS };
	size_t size;
	unsigned char *memory = check_memory(t, &size);
	gllm_arena_init(&l.arena, memory, size);
	struct gllm_config config = { .target = check_target(t), .profile = *p, .image = *check_image(t),
		.recorded = t->host->recorded, .nrecorded = t->host->nrecorded, .host.code = *check_exec_fresh(t) };
	config.profile.cache[0] = (struct gllm_cache){ .bytes = 32 << 10, .ways = 8, .line = 64 }; /* what fuses depends on it */
	config.profile.cache[1] = (struct gllm_cache){ .bytes = narrow ? 16 << 10 : 1 << 20, .ways = 16, .line = 64 };
	if (narrow) {
		config.host.parallel_for = check_in_shares;
		config.host.user = &l.workers;
		config.host.workers = WORKERS;
		config.profile.cores = 0; /* no step is too small to share */
	}
	size_t need = gllm_context_quote(&config);
	CHECK_STATUS(t, gllm_context_create(gllm_alloc(&l.arena, need, 64), need, &config, &l.c, &l.e), GLLM_OK);
	for (unsigned i = 0; i < TENSORS; i++) {
		l.bind[i] = l.data[i] = gllm_alloc(&l.arena, MOST * sizeof(float), 64);
		l.want[i] = l.scalar[i] = gllm_alloc(&l.arena, MOST * sizeof(float), 64);
	}
	if (!CHECK(t, l.c && l.scalar[TENSORS - 1]))
		return;
	for (unsigned i = 0; i < GLLM_COUNT(chain); i++)
		check_chain(&l, &chain[i], width);
	CHECK(t, !narrow || l.owners > 0);
}

void check_chains(struct check *t)
{
	if (!check_target(t) || !check_image(t) || !check_exec(t) || !check_profile(t)->vector_bytes) {
		check_skip(t, "compiled plans need a back end, vector units and executable memory");
		return;
	}
	struct gllm_profile p = *check_profile(t);
	bool a64 = p.isa == GLLM_ISA_AARCH64, wide = a64 ? gllm_profile_any_length(&p) : p.vector_bytes == 64;
	check_width(t, &p, a64 ? wide ? "SVE" : "NEON" : wide ? "AVX-512" : "AVX2", false);
	check_width(t, &p, "small caches", true);
	if (wide && gllm_profile_narrow(&p))
		check_width(t, &p, a64 ? "NEON" : "AVX2", false);
}

#else

void check_chains(struct check *t)
{
	check_skip(t, "built without back ends");
}

#endif
