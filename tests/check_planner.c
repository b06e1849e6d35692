/* SPDX-License-Identifier: MIT
 * tests/check_planner.c - what the planner decides, on made-up machines: graphs as text, the groups and modes that are
 * expected of them, and that the compiled plan gives what the scalar definitions give. */
#include "check.h"

#if GLLM_JIT
#include "core/arena.h"
#include "core/bits.h"
#include "core/fmt.h"
#include "gllm/graph_text.h"
#include "gllm/layers.h"
#include "jit/graph.h"

enum { TENSORS = 32, TEXT = 512 };

struct machine {      /* what is made up; the rest is this CPU's */
	unsigned l1, regs, cores;
};

struct desk {
	struct check *t;
	struct gllm_arena arena;
	struct gllm_context *c;
	struct gllm_graph *g;
	struct gllm_error e;
	unsigned l2;          /* 0: this CPU's */
};

static const struct machine common = { 32 << 10, 0, 1 };

/* The context of a machine lies in the desk's arena until the caller puts that back. */
static bool sit_down(struct desk *d, const struct machine *m)
{
	struct gllm_config config = { .target = check_target(d->t), .profile = *check_profile(d->t) };
	config.image = *check_image(d->t);
	config.host.code = *check_exec_fresh(d->t);
	config.profile.cache[0].bytes = m->l1;
	config.profile.cache[1].bytes = d->l2 ? d->l2 : config.profile.cache[1].bytes;
	config.profile.vector_regs = m->regs ? m->regs : config.profile.vector_regs;
	config.profile.cores = m->cores;
	void *memory = gllm_alloc(&d->arena, gllm_context_quote(&config), 64);
	d->e = (struct gllm_error){ .status = GLLM_OK };
	return CHECK(d->t, memory != NULL) &&
	       CHECK_STATUS(d->t, gllm_context_create(memory, gllm_context_quote(&config), &config, &d->c, &d->e), GLLM_OK);
}

static size_t length(const char *s)
{
	size_t n = 0;
	while (s[n])
		n++;
	return n;
}

static bool read_graph(struct desk *d, const char *text)
{
	size_t n = length(text), need = gllm_graph_text_workspace(text, n);
	void *workspace = gllm_alloc(&d->arena, need, 64);
	if (CHECK(d->t, workspace != NULL) &&
	    CHECK_STATUS(d->t, gllm_graph_read(d->c, text, n, 0, workspace, need, &d->g, &d->e), GLLM_OK))
		return true;
	check_print(d->t, "     line %u: %s %s\n", (unsigned)d->e.where, d->e.what, d->e.name);
	return false;
}

/* "operators:Mode", a blank between the steps of a group, " | " between groups. */
static void describe(const struct gllm_plan *p, char *out)
{
	size_t at = 0;
	for (unsigned i = 0; i < gllm_plan_steps(p); i++) {
		struct gllm_step_info info, before = { .name = NULL };
		gllm_plan_step(p, i, &info);
		if (i)
			gllm_plan_step(p, i - 1, &before);
		const char *text[] = { i == 0 ? "" : before.group == info.group ? " " : " | ", info.name, ":", gllm_mode_name(info.mode) };
		for (unsigned k = 0; k < GLLM_COUNT(text); k++)
			for (const char *s = text[k]; *s && at < TEXT - 1; s++)
				out[at++] = *s;
	}
	out[at] = '\0';
}

/* --- results ---------------------------------------------------------------------------------------------------------- */

static float number(const struct gllm_tensor_info *x, const void *data, uint64_t i)
{
	return x->type == GLLM_F16 ? gllm_f16_to_f32(((const uint16_t *)data)[i]) : ((const float *)data)[i];
}

static uint64_t rows_of(const struct gllm_tensor_info *x, uint64_t rows)
{
	return x->rows == GLLM_ROWS ? rows : x->rows;
}

/* Both plans on the same numbers, for the row counts that end tiles and those beside them. */
static void same_results(struct desk *d, const struct gllm_plan *scalar, const struct gllm_plan *fused, uint64_t max_rows)
{
	struct gllm_arena mark = d->arena;
	void *want[TENSORS], *got[TENSORS];
	struct gllm_tensor_info info[TENSORS];
	unsigned n = gllm_plan_tensors(fused);
	size_t room = gllm_plan_workspace(scalar) > gllm_plan_workspace(fused) ? gllm_plan_workspace(scalar) : gllm_plan_workspace(fused);
	void *workspace = gllm_alloc(&d->arena, room + 64, 64);
	for (unsigned i = 0; i < n; i++) {
		gllm_plan_tensor(fused, i, &info[i]);
		uint64_t count = rows_of(&info[i], max_rows) * info[i].cols;
		got[i] = want[i] = gllm_alloc(&d->arena, (size_t)(count * gllm_type_bytes(info[i].type)), 64);
		if (info[i].kind == GLLM_TENSOR_OUTPUT)
			got[i] = gllm_alloc(&d->arena, (size_t)(count * gllm_type_bytes(info[i].type)), 64);
		if (!CHECK(d->t, want[i] && got[i] && workspace))
			return;
		for (uint64_t k = 0; k < count; k++) {
			float x = check_float(d->t, -1.0f, 1.0f);
			if (info[i].type == GLLM_F16)
				((uint16_t *)want[i])[k] = gllm_f32_to_f16(x);
			else
				((float *)want[i])[k] = x;
		}
	}
	const uint64_t some[] = { 1, 2, 3, 7, max_rows / 2, max_rows - 1, max_rows };
	for (unsigned r = 0; r < GLLM_COUNT(some); r++) {
		uint64_t rows = max_rows == 1 ? 1 : some[r];
		double worst = 0;
		if (rows > max_rows || !CHECK_STATUS(d->t, gllm_plan_run(scalar, want, rows, workspace, &d->e), GLLM_OK) ||
		    !CHECK_STATUS(d->t, gllm_plan_run(fused, got, rows, workspace, &d->e), GLLM_OK))
			continue;
		for (unsigned i = 0; i < n; i++)
			for (uint64_t k = 0; info[i].kind == GLLM_TENSOR_OUTPUT && k < rows_of(&info[i], rows) * info[i].cols; k++) {
				double x = (double)number(&info[i], want[i], k), y = (double)number(&info[i], got[i], k);
				double off = (x > y ? x - y : y - x) / (x > 1 ? x : x < -1 ? -x : 1);
				worst = off > worst || off != off ? off : worst;
			}
		if (!CHECK(d->t, worst <= 1e-4))
			check_print(d->t, "     %u rows: off by %f\n", (unsigned)rows, worst);
	}
	d->arena = mark;
}

static void expect_plan(struct desk *d, const char *steps)
{
	static const struct gllm_plan_options scalar = { .scalar = true }, fused = { .readback = true };
	struct gllm_plan *p, *q;
	char got[TEXT];
	if (!CHECK_STATUS(d->t, gllm_compile(d->c, d->g, &fused, &p, &d->e), GLLM_OK)) {
		check_print(d->t, "     %s: %s %s\n", steps, d->e.what, d->e.name);
		return;
	}
	describe(p, got);
	CHECK_TEXT(d->t, got, steps);
	if (CHECK_STATUS(d->t, gllm_compile(d->c, d->g, &scalar, &q, &d->e), GLLM_OK)) {
		same_results(d, q, p, d->g->max_rows);
		gllm_plan_free(d->c, q);
	}
	gllm_plan_free(d->c, p);
}

static void expect(struct desk *d, const struct machine *m, const char *text, const char *steps)
{
	struct gllm_arena mark = d->arena;
	if (sit_down(d, m) && read_graph(d, text))
		expect_plan(d, steps);
	d->arena = mark;
}

/* --- traces ------------------------------------------------------------------------------------------------------------ */

/* x [rows, 24], two matrices of 40 rows, y */
#define TWO_PRODUCTS "graph g rows 9\ninput x [rows, 24]\nweight g [40, 24]\nweight u [40, 24]\noutput y [rows, 40]\n" \
	"value a [rows, 40]\nvalue b [rows, 40]\n"

static void pairs(struct desk *d)
{
	expect(d, &common, TWO_PRODUCTS "a = gemm_bt(x, g, rows, 40, 24)\nb = gemm_bt(x, u, rows, 40, 24)\n"
	       "y = swiglu(a, b, 40) per rows\n", "gemm_bt+gemm_bt+swiglu:EpilogueInjection");
	/* The activation is a node of its own before the second product: it must not read that before it is there. */
	expect(d, &common, TWO_PRODUCTS "value s [rows, 40]\na = gemm_bt(x, g, rows, 40, 24)\ns = silu(a, 40) per rows\n"
	       "b = gemm_bt(x, u, rows, 40, 24)\ny = mul(s, b, 40) per rows\n", "gemm_bt+silu+gemm_bt+mul:EpilogueInjection");
	/* It leaves the graph, too: the products do not meet in the multiplication alone. */
	expect(d, &common, TWO_PRODUCTS "output s [rows, 40]\na = gemm_bt(x, g, rows, 40, 24)\ns = silu(a, 40) per rows\n"
	       "b = gemm_bt(x, u, rows, 40, 24)\ny = mul(s, b, 40) per rows\n",
	       "gemm_bt+silu:EpilogueInjection | gemm_bt+mul:EpilogueInjection");
	/* Different inputs: one product at a time. */
	expect(d, &common, TWO_PRODUCTS "input z [rows, 24]\na = gemm_bt(x, g, rows, 40, 24)\nb = gemm_bt(z, u, rows, 40, 24)\n"
	       "y = swiglu(a, b, 40) per rows\n", "gemm_bt:Standalone | gemm_bt+swiglu:EpilogueInjection");
	/* Other shapes of one input: side by side, not in one loop. */
	expect(d, &common, TWO_PRODUCTS "weight w [8, 24]\noutput z [rows, 8]\na = gemm_bt(x, g, rows, 40, 24)\n"
	       "z = gemm_bt(x, w, rows, 8, 24)\ny = silu(a, 40) per rows\n", "gemm_bt+silu:QkvSharedInput gemm_bt:QkvSharedInput");
}

/* Bias, residual and gate in one epilogue; values that others read stay. */
static void epilogues(struct desk *d)
{
	expect(d, &common, TWO_PRODUCTS "input r [rows, 40]\ninput q [rows, 40]\nweight c [1, 40]\nvalue e [rows, 40]\n"
	       "a = gemm_bt(x, g, rows, 40, 24)\nb = gelu(a, 40) per rows\ne = mul(b, q, 40) per rows\ny = add(e, r, 40) per rows\n",
	       "gemm_bt+gelu+mul+add:EpilogueInjection");
	expect(d, &common, TWO_PRODUCTS "input r [rows, 40]\noutput z [rows, 40]\na = gemm_bt(x, g, rows, 40, 24)\n"
	       "b = add(a, r, 40) per rows\ny = silu(b, 40) per rows\nz = mul(b, y, 40) per rows\n",
	       "gemm_bt+add+silu+mul:EpilogueInjection");
	/* The residual is computed behind the product, from something else: its group goes first. */
	expect(d, &common, TWO_PRODUCTS "input r [rows, 40]\na = gemm_bt(x, g, rows, 40, 24)\nb = silu(r, 40) per rows\n"
	       "y = add(a, b, 40) per rows\n", "silu:Standalone | gemm_bt+add:EpilogueInjection");
}

static void reductions(struct desk *d)
{
#define NORM "graph g rows 9\ninput x [rows, 50]\ninput r [rows, 50]\nweight w [1, 50]\noutput y [rows, 50]\nvalue s [rows, 50]\n" \
	"value n [rows, 50]\n"
	expect(d, &common, NORM "s = add(x, r, 50) per rows\ny = rms_norm(s, w, 50, 0.001) per rows\n", "add+rms_norm:LoopFusion");
	expect(d, &common, NORM "s = add(x, r, 50) per rows\nn = rms_norm(s, w, 50, 0.001) per rows\n"
	       "y = add(n, s, 50) per rows\n", "add+rms_norm+add:EpilogueInjection");
	expect(d, &common, NORM "value v [rows, 50]\nvalue q [rows, 50]\nweight b [1, 50]\ns = mul(x, r, 50) per rows\nv = silu(s, 50) per rows\n"
	       "n = layer_norm(v, w, b, 50, 0.001) per rows\ny = add(n, v, 50) per rows\n", "mul+silu+layer_norm+add:EpilogueInjection");
	expect(d, &common, NORM "s = add(x, r, 50) per rows\ny = softmax(s, 50) per rows\n", "add+softmax:LoopFusion");
	/* The sum in the row is needed as an output: stored and still read from the register. */
	expect(d, &common, NORM "output o [rows, 50]\no = add(x, r, 50) per rows\ny = rms_norm(o, w, 50, 0.001) per rows\n",
	       "add+rms_norm:LoopFusion");
	/* Its weights are made of the same value: all of it must be there first. */
	expect(d, &common, "graph g\ninput x [1, 50]\noutput y [1, 50]\nvalue s [1, 50]\nvalue e [1, 50]\nvalue f [1, 50]\nweight w [1, 50]\n"
	       "s = add(x, x, 50)\ne = softmax(s, 50)\nf = exp(e, 50)\ny = rms_norm(s, f, 50, 0.001)\n",
	       "add+softmax:LoopFusion | exp+rms_norm:LoopFusion");
}

/* --- groups ------------------------------------------------------------------------------------------------------------ */

static void norms(struct desk *d)
{
#define NORMED "graph g rows 9\ninput x [rows, 24]\nweight w [1, 24]\nweight a [40, 24]\nweight b [8, 24]\noutput y [rows, 40]\n" \
	"value n [rows, 24]\nvalue p [rows, 40]\nn = rms_norm(x, w, 24, 0.001) per rows\n"
	expect(d, &common, NORMED "y = gemm_bt(n, a, rows, 40, 24)\n", "rms_norm:ComputeRoot gemm_bt:ComputeRoot");
	/* The norm is not lost when there is an epilogue as well. */
	expect(d, &common, NORMED "p = gemm_bt(n, a, rows, 40, 24)\ny = silu(p, 40) per rows\n",
	       "rms_norm:ComputeRoot gemm_bt+silu:EpilogueInjection");
	expect(d, &common, NORMED "output z [rows, 8]\ny = gemm_bt(n, a, rows, 40, 24)\nz = gemm_bt(n, b, rows, 8, 24)\n",
	       "rms_norm:ComputeRoot gemm_bt:QkvSharedInput gemm_bt:QkvSharedInput");
	/* A reader that is no product; a value that leaves the graph; a norm that is an operand of the other side. */
	expect(d, &common, NORMED "output z [rows, 24]\ny = gemm_bt(n, a, rows, 40, 24)\nz = add(n, x, 24) per rows\n",
	       "rms_norm+add:EpilogueInjection | gemm_bt:Standalone");
	expect(d, &common, "graph g\ninput x [40, 24]\nweight w [1, 24]\ninput a [9, 24]\nvalue n [40, 24]\noutput y [9, 40]\n"
	       "n = rms_norm(x, w, 24, 0.001) per 40\ny = gemm_bt(a, n, 9, 40, 24)\n", "rms_norm:Standalone | gemm_bt:Standalone");
	/* One product reads what the other makes. */
	expect(d, &common, NORMED "value q [rows, 40]\np = gemm_bt(n, a, rows, 40, 24)\nq = gemm_bt(n, a, rows, 40, 24)\ny = add(q, p, 40) per rows\n",
	       "rms_norm:ComputeRoot gemm_bt+gemm_bt+add:EpilogueInjection");
}

/* A norm of 16 rows of 512: 32 KB. */
#define WIDE "graph g rows 16\ninput x [rows, 512]\nweight w [1, 512]\nweight a [24, 512]\nweight b [8, 512]\noutput y [rows, 24]\n" \
	"output z [rows, 8]\nvalue n [rows, 512]\nn = rms_norm(x, w, 512, 0.001) per rows\n"
#define THREE WIDE "weight c [16, 512]\ninput r [rows, 16]\noutput o [rows, 16]\nvalue q [rows, 16]\n" \
	"y = gemm_bt(n, a, rows, 24, 512)\nz = gemm_bt(n, b, rows, 8, 512)\nq = gemm_bt(n, c, rows, 16, 512)\no = add(q, r, 16) per rows\n"

static void profiles(struct desk *d)
{
	static const struct machine small = { 32 << 10, 0, 1 }, large = { 48 << 10, 0, 1 }, wide = { 32 << 10, 0, 64 };
	expect(d, &small, WIDE "y = gemm_bt(n, a, rows, 24, 512)\nz = gemm_bt(x, b, rows, 8, 512)\n",
	       "rms_norm+gemm_bt:TileLevelFusion rms_norm:TileLevelFusion gemm_bt:TileLevelFusion | gemm_bt:Standalone");
	expect(d, &large, WIDE "y = gemm_bt(n, a, rows, 24, 512)\nz = gemm_bt(x, b, rows, 8, 512)\n",
	       "rms_norm:ComputeRoot gemm_bt:ComputeRoot | gemm_bt:Standalone");
	expect(d, &wide, WIDE "y = gemm_bt(n, a, rows, 24, 512)\nz = gemm_bt(x, b, rows, 8, 512)\n",
	       "rms_norm:ComputeRoot gemm_bt:ComputeRoot | gemm_bt:Standalone");
	expect(d, &small, THREE, "rms_norm+gemm_bt+gemm_bt+gemm_bt+add:TileLevelFusion rms_norm:TileLevelFusion "
	       "gemm_bt:TileLevelFusion gemm_bt:TileLevelFusion gemm_bt+add:TileLevelFusion");
	expect(d, &large, THREE, "rms_norm:ComputeRoot gemm_bt:QkvSharedInput gemm_bt:QkvSharedInput gemm_bt+add:QkvSharedInput");
}

/* An L2 so small that a tile holds fewer rows than there are: whole tiles, and behind them the rows that are left. */
static void rest_of_rows(struct desk *d)
{
#define TALL "graph g rows 31\ninput x [rows, 512]\nweight w [1, 512]\nweight a [24, 512]\nweight b [8, 512]\noutput y [rows, 24]\n" \
	"output z [rows, 8]\ninput r [rows, 8]\nvalue q [rows, 8]\nvalue n [rows, 512]\nn = rms_norm(x, w, 512, 0.001) per rows\n"
	d->l2 = 8 << 10;
	expect(d, &common, TALL "y = gemm_bt(n, a, rows, 24, 512)\nq = gemm_bt(n, b, rows, 8, 512)\nz = add(q, r, 8) per rows\n",
	       "rms_norm+gemm_bt+gemm_bt+add:TileLevelFusion rms_norm:TileLevelFusion gemm_bt:TileLevelFusion gemm_bt+add:TileLevelFusion");
	d->l2 = 0;
}

#define CHAIN "graph g rows 3\ninput x [rows, 2048]\noutput y [rows, 2048]\nvalue a [rows, 2048]\nvalue b [rows, 2048]\n" \
	"value c [rows, 2048]\nvalue e [rows, 2048]\nvalue f [rows, 2048]\na = silu(x, 2048) per rows\nb = add(a, x, 2048) per rows\n" \
	"c = mul(b, x, 2048) per rows\ne = silu(c, 2048) per rows\nf = add(e, x, 2048) per rows\ny = mul(f, x, 2048) per rows\n"

/* Rows of 8 KiB: three fill 75 % of 32 KiB, the fifth map stands behind four of them. Plain loops go by tiles. */
static void chains(struct desk *d)
{
	static const struct machine small = { 32 << 10, 0, 1 }, large = { 48 << 10, 0, 1 }, larger = { 64 << 10, 0, 1 };
	expect(d, &small, CHAIN, "silu+add+mul+silu:LoopFusion | add+mul:LoopFusion");
	expect(d, &large, CHAIN, "silu+add+mul+silu+add:LoopFusion | mul:Standalone");
	expect(d, &larger, CHAIN, "silu+add+mul+silu+add+mul:LoopFusion");
	expect(d, &small, "graph g\ninput x [1, 100000]\noutput y [1, 100000]\nvalue a [1, 100000]\nvalue b [1, 100000]\na = silu(x, 100000)\n"
	       "b = add(a, x, 100000)\ny = mul(b, x, 100000)\n", "silu+add+mul:LoopFusion");
	/* Depth: an anchor and sixteen maps. */
	expect(d, &small, "graph g\ninput x [1, 16]\noutput y [1, 16]\nvalue a0 [1, 16]\nvalue a1 [1, 16]\nvalue a2 [1, 16]\nvalue a3 [1, 16]\n"
	       "value a4 [1, 16]\nvalue a5 [1, 16]\nvalue a6 [1, 16]\nvalue a7 [1, 16]\nvalue a8 [1, 16]\nvalue a9 [1, 16]\nvalue b0 [1, 16]\n"
	       "value b1 [1, 16]\nvalue b2 [1, 16]\nvalue b3 [1, 16]\nvalue b4 [1, 16]\nvalue b5 [1, 16]\nvalue b6 [1, 16]\na0 = neg(x, 16)\n"
	       "a1 = relu(a0, 16)\na2 = abs(a1, 16)\na3 = relu(a2, 16)\na4 = abs(a3, 16)\na5 = relu(a4, 16)\na6 = abs(a5, 16)\na7 = relu(a6, 16)\n"
	       "a8 = abs(a7, 16)\na9 = relu(a8, 16)\nb0 = abs(a9, 16)\nb1 = relu(b0, 16)\nb2 = abs(b1, 16)\nb3 = relu(b2, 16)\nb4 = abs(b3, 16)\n"
	       "b5 = relu(b4, 16)\nb6 = abs(b5, 16)\ny = neg(b6, 16)\n",
	       "neg+relu+abs+relu+abs+relu+abs+relu+abs+relu+abs+relu+abs+relu+abs+relu+abs:LoopFusion | neg:Standalone");
}

/* Eight activations of one product, added up: all are there at once. */
#define MANY "graph g rows 9\ninput x [rows, 24]\nweight w [40, 24]\noutput y [rows, 40]\nvalue a [rows, 40]\n" \
	"value b0 [rows, 40]\nvalue b1 [rows, 40]\nvalue b2 [rows, 40]\nvalue b3 [rows, 40]\nvalue b4 [rows, 40]\nvalue b5 [rows, 40]\n" \
	"value b6 [rows, 40]\nvalue b7 [rows, 40]\nvalue c1 [rows, 40]\nvalue c2 [rows, 40]\nvalue c3 [rows, 40]\nvalue c4 [rows, 40]\n" \
	"value c5 [rows, 40]\nvalue c6 [rows, 40]\na = gemm_bt(x, w, rows, 40, 24)\nb0 = silu(a, 40) per rows\nb1 = exp(a, 40) per rows\n" \
	"b2 = relu(a, 40) per rows\nb3 = abs(a, 40) per rows\nb4 = neg(a, 40) per rows\nb5 = sigmoid(a, 40) per rows\n" \
	"b6 = tanh(a, 40) per rows\nb7 = gelu(a, 40) per rows\nc1 = add(b0, b1, 40) per rows\nc2 = add(c1, b2, 40) per rows\n" \
	"c3 = add(c2, b3, 40) per rows\nc4 = add(c3, b4, 40) per rows\nc5 = add(c4, b5, 40) per rows\nc6 = add(c5, b6, 40) per rows\n" \
	"y = add(c6, b7, 40) per rows\n"

static void registers(struct desk *d)
{
	static const struct machine few = { 32 << 10, 14, 1 }, many = { 32 << 10, 32, 1 };
	expect(d, &many, MANY, "gemm_bt+silu+exp+relu+abs+neg+sigmoid+tanh+gelu+add+add+add+add+add+add+add:EpilogueInjection");
	expect(d, &few, MANY, "gemm_bt+silu+exp+relu+abs+neg+sigmoid+tanh+gelu+add+add+add+add+add:EpilogueInjection | add+add:LoopFusion");
}

/* Gate and up for one row: side by side, unless weights come from beyond L2; then the map goes behind the second. For two rows
 * always side by side. */
static void pair_for_one_row(struct desk *d)
{
#define PAIR(rows) "graph g\ninput x [" rows ", 96]\nweight g [128, 96]\nweight u [128, 96]\noutput y [" rows ", 128]\n" \
	"value a [" rows ", 128]\nvalue b [" rows ", 128]\na = gemm_bt(x, g, " rows ", 128, 96)\nb = gemm_bt(x, u, " rows ", 128, 96)\n" \
	"y = swiglu(a, b, 128) per " rows "\n"
	static const struct machine m = { 32 << 10, 0, 1 };
	const uint32_t weights = 2 * 128 * 96 * 4;
	static const char both[] = "gemm_bt+gemm_bt+swiglu:EpilogueInjection", apart[] = "gemm_bt:Standalone | gemm_bt+swiglu:EpilogueInjection";
	d->l2 = 2 * weights;
	expect(d, &m, PAIR("1"), both);
	d->l2 = 2 * weights - 64;
	expect(d, &m, PAIR("1"), apart);
	expect(d, &m, PAIR("2"), both);
	d->l2 = 0;
#undef PAIR
}

static bool begins(const char *text, const char *with)
{
	while (*with && *text == *with)
		text++, with++;
	return *with == '\0';
}

/* Behind a product more maps than a kernel has room for in a tile: they become a group of their own, or several. */
static void long_epilogue(struct desk *d)
{
	static const struct machine m = { 32 << 10, 0, 1 };
	enum { MAPS = 16 };
	struct gllm_arena mark = d->arena;
	char text[2048];
	size_t at = gllm_format(text, sizeof text, "graph g rows 40\ninput x [rows, 64]\nweight w [64, 64]\noutput m%u [rows, 64]\n", MAPS);
	for (unsigned i = 0; i < MAPS; i++)
		at += gllm_format(text + at, sizeof text - at, "value m%u [rows, 64]\n", i);
	at += gllm_format(text + at, sizeof text - at, "m0 = gemm_bt(x, w, rows, 64, 64)\n");
	for (unsigned i = 0; i < MAPS; i++)
		at += gllm_format(text + at, sizeof text - at, "m%u = gelu_erf(m%u, 64) per rows\n", i + 1, i);
	struct gllm_plan *p, *q;
	static const struct gllm_plan_options scalar = { .scalar = true };
	if (sit_down(d, &m) && read_graph(d, text) && CHECK_STATUS(d->t, gllm_compile(d->c, d->g, NULL, &p, &d->e), GLLM_OK) &&
	    CHECK_STATUS(d->t, gllm_compile(d->c, d->g, &scalar, &q, &d->e), GLLM_OK)) {
		unsigned refused = 0;
		for (unsigned i = 0; i < gllm_plan_edges(p); i++) {
			struct gllm_edge_info edge;
			gllm_plan_edge(p, i, &edge);
			refused += !edge.fused && edge.why && begins(edge.why, "what follows the sums of a tile");
		}
		CHECK_EQ(d->t, refused, 1);
		CHECK(d->t, gllm_plan_groups(p) > 1);
		same_results(d, q, p, 40);
	}
	d->arena = mark;
}

/* --- places ------------------------------------------------------------------------------------------------------------ */

static void expect_workspace(struct desk *d, const char *text, const char *steps, size_t bytes)
{
	struct gllm_arena mark = d->arena;
	struct gllm_plan *p;
	if (sit_down(d, &common) && read_graph(d, text)) {
		expect_plan(d, steps);
		if (CHECK_STATUS(d->t, gllm_compile(d->c, d->g, NULL, &p, &d->e), GLLM_OK)) {
			CHECK_EQ(d->t, gllm_plan_workspace(p), bytes);
			gllm_plan_free(d->c, p);
		}
	}
	d->arena = mark;
}

static void places(struct desk *d)
{
#define KIB8 "graph g rows 2\ninput x [rows, 2048]\noutput y [rows, 2048]\nweight w [1, 2048]\nvalue a [rows, 2048]\n" \
	"value b [rows, 2048]\nvalue c [rows, 2048]\nvalue e [rows, 2048]\nvalue f [rows, 2048]\nvalue h [rows, 2048]\n" \
	"value k [rows, 2048]\nvalue m [rows, 2048]\n"
#define FIRST_EIGHT KIB8 "a = silu(x, 2048) per rows\nb = add(a, x, 2048) per rows\nc = mul(b, x, 2048) per rows\n" \
	"e = silu(c, 2048) per rows\nf = neg(e, 2048) per rows\nh = abs(f, 2048) per rows\nk = neg(h, 2048) per rows\n" \
	"m = silu(k, 2048) per rows\n"
	/* Three loops: what flows from the second to the third lies where the first's value lay. */
	expect_workspace(d, FIRST_EIGHT "y = neg(m, 2048) per rows\n",
	                 "silu+add+mul+silu:LoopFusion | neg+abs+neg+silu:LoopFusion | neg:Standalone", 2 * 8192);
	/* It is read again later: then it must stay. */
	expect_workspace(d, FIRST_EIGHT "y = add(m, e, 2048) per rows\n",
	                 "silu+add+mul+silu:LoopFusion | neg+abs+neg+silu:LoopFusion | add:Standalone", 4 * 8192);
	/* The second kernel reads its operand twice, in loops of its own. */
	expect_workspace(d, KIB8 "a = rms_norm(x, w, 2048, 0.001) per rows\nb = rms_norm(a, w, 2048, 0.001) per rows\n"
	                 "y = rms_norm(b, w, 2048, 0.001) per rows\n",
	                 "rms_norm:Standalone | rms_norm:Standalone | rms_norm:Standalone", 4 * 8192);
	/* A residual dies in the epilogue that adds it; the other operand of the product must not be overwritten. */
	expect_workspace(d, "graph g\ninput x [1, 64]\nweight w [64, 64]\nweight n [1, 64]\nvalue a [1, 64]\nvalue b [1, 64]\nvalue c [1, 64]\n"
	                 "output y [1, 64]\na = softmax(x, 64)\nb = gemm_bt(x, w, 1, 64, 64)\nc = add(b, a, 64)\ny = softmax(c, 64)\n",
	                 "softmax:Standalone | gemm_bt+add:EpilogueInjection | softmax:Standalone", 256);
	expect_workspace(d, "graph g\ninput x [1, 64]\nweight w [64, 64]\nvalue a [1, 64]\nvalue b [1, 64]\noutput y [1, 64]\n"
	                 "a = softmax(x, 64)\nb = gemm_bt(a, w, 1, 64, 64)\ny = softmax(b, 64)\n",
	                 "softmax:Standalone | gemm_bt:Standalone | softmax:Standalone", 512);
}

/* --- strategies ---------------------------------------------------------------------------------------------------------- */

static bool equal(const char *a, const char *b)
{
	while (*a && *a == *b)
		a++, b++;
	return *a == *b;
}

/* Strategies of the steps, with blanks between them. */
static void expect_strategies(struct desk *d, const struct machine *m, const char *text, const char *strategies)
{
	struct gllm_arena mark = d->arena;
	struct gllm_plan *p;
	char got[TEXT];
	size_t at = 0;
	if (sit_down(d, m) && read_graph(d, text) && CHECK_STATUS(d->t, gllm_compile(d->c, d->g, NULL, &p, &d->e), GLLM_OK)) {
		for (unsigned i = 0; i < gllm_plan_steps(p); i++) {
			struct gllm_step_info info;
			gllm_plan_step(p, i, &info);
			CHECK(d->t, info.cycles > 0 && info.bytes_moved > 0);
			if (i && at < TEXT - 1)
				got[at++] = ' ';
			for (const char *s = info.strategy; *s && at < TEXT - 1; s++)
				got[at++] = *s;
		}
		got[at] = '\0';
		CHECK_TEXT(d->t, got, strategies);
		gllm_plan_free(d->c, p);
	}
	d->arena = mark;
}

static void strategies(struct desk *d)
{
	static const struct machine one = { 32 << 10, 0, 1 }, several = { 32 << 10, 0, 16 }, unknown = { 32 << 10, 0, 0 };
	static const char decode[] = "graph g\ninput x [1, 512]\nweight w [512, 512]\noutput y [1, 512]\noutput z [1, 512]\noutput s [1, 1]\n"
		"y = gemm_bt(x, w, 1, 512, 512)\nz = silu(x, 512)\ns = sum(x, 512)\n";
	static const char batch[] = "graph g rows 64\ninput x [rows, 512]\nweight w [1, 512]\noutput y [rows, 512]\n"
		"y = rms_norm(x, w, 512, 0.001) per rows\n";
	expect_strategies(d, &unknown, decode, "columns elements sequential");
	expect_strategies(d, &one, decode, "columns sequential sequential");      /* too little of the others */
	expect_strategies(d, &several, decode, "columns sequential sequential");
	expect_strategies(d, &one, batch, "rows");
	expect_strategies(d, &several, batch, "sequential");
}

/* The prediction follows the machine: as many cycles as bytes or operations take, whichever is more. */
static void predictions(struct desk *d)
{
	static const char text[] = "graph g\ninput x [1, 1048576]\noutput y [1, 1048576]\ny = neg(x, 1048576)\n";
	uint64_t cycles[2], lanes = check_profile(d->t)->vector_bytes / 4;
	for (unsigned i = 0; i < 2; i++) {
		struct gllm_arena mark = d->arena;
		struct gllm_config config = { .target = check_target(d->t), .profile = *check_profile(d->t) };
		struct gllm_step_info info;
		struct gllm_plan *p;
		config.image = *check_image(d->t);
		config.host.code = *check_exec_fresh(d->t);
		config.profile.cores = 1;
		config.profile.peak_gflops = 4.0 * (double)lanes * 2.0; /* 2 GHz */
		config.profile.bandwidth_gbs = i ? 8.0 : 4.0;           /* bytes a cycle: 4, 2 */
		void *memory = gllm_alloc(&d->arena, gllm_context_quote(&config), 64);
		if (CHECK_STATUS(d->t, gllm_context_create(memory, gllm_context_quote(&config), &config, &d->c, &d->e), GLLM_OK) &&
		    read_graph(d, text) && CHECK_STATUS(d->t, gllm_compile(d->c, d->g, NULL, &p, &d->e), GLLM_OK)) {
			gllm_plan_step(p, 0, &info);
			cycles[i] = info.cycles;
			CHECK_EQ(d->t, info.bytes_moved, 8u << 20);
			CHECK_EQ(d->t, cycles[i], (8u << 20) / (i ? 4 : 2));
			CHECK(d->t, equal(info.strategy, "elements"));
			gllm_plan_free(d->c, p);
		}
		d->arena = mark;
	}
}

/* --- the layer --------------------------------------------------------------------------------------------------------- */

static void llama(struct desk *d)
{
	enum { D = 64, F = 96, HEADS = 4, KV = 2, HEAD = 16 };
	static const uint64_t most[] = { 1, 16 };
	for (unsigned i = 0; i < GLLM_COUNT(most); i++) {
		struct gllm_arena mark = d->arena;
		struct gllm_llama_shape shape = { .rows = GLLM_ROWS, .embedding = D, .heads = HEADS, .kv_heads = KV, .head_dim = HEAD,
		                                  .ffn = F, .vocab = D, .rms_eps = 1e-5f };
		struct gllm_llama_layer layer;
		if (sit_down(d, &common) && CHECK_STATUS(d->t, gllm_graph_create(d->c, "layer", most[i], GLLM_LLAMA_LAYER_GRAPH_TENSORS,
		                                                               GLLM_LLAMA_LAYER_GRAPH_NODES, &d->g, &d->e), GLLM_OK) &&
		    CHECK_STATUS(d->t, gllm_llama_layer(d->g, &shape, &layer), GLLM_OK))
			expect_plan(d, "rms_norm:ComputeRoot gemm_bt:QkvSharedInput gemm_bt:QkvSharedInput gemm_bt:QkvSharedInput | "
			            "rope_adjacent:Standalone | rope_adjacent:Standalone | gemm_bt+add:EpilogueInjection | "
			            "rms_norm:ComputeRoot gemm_bt+gemm_bt+swiglu:EpilogueInjection | gemm_bt+add:EpilogueInjection");
		d->arena = mark;
	}
}

void check_planner(struct check *t)
{
	struct desk d = { .t = t };
	size_t size;
	unsigned char *memory = check_memory(t, &size);
	if (!check_target(t) || !check_image(t) || !check_exec(t) || !check_profile(t)->vector_bytes) {
		check_skip(t, "planning needs a back end, vector units and executable memory");
		return;
	}
	gllm_arena_init(&d.arena, memory, size);
	pairs(&d);
	epilogues(&d);
	reductions(&d);
	norms(&d);
	profiles(&d);
	rest_of_rows(&d);
	chains(&d);
	long_epilogue(&d);
	pair_for_one_row(&d);
	registers(&d);
	places(&d);
	strategies(&d);
	predictions(&d);
	llama(&d);
}
#endif
