/* SPDX-License-Identifier: MIT
 * tests/check_prepacked.c - products by weights that were packed once (gllm/pack.h): the bytes are those of the layout whichever
 * way the matrix lies; results are those of the same plan without packing, bit for bit where sums have one order, for every
 * float type, panels of any width, rests of rows, columns and depth, few rows and many, maps and products beside, little
 * memory and any number of workers; plans that are saved keep it. What does not match is refused. */
#include "check.h"
#include "check_packed.h"
#include "core/arena.h"
#include "core/bits.h"
#include "gllm/blob.h"
#include "gllm/graph.h"
#include "gllm/ops.h"

enum { TENSORS = 8, MOST = 4096 }; /* 0 result, 1 a, 2 b, 3 bias, 4 b of a pair */

struct shape {
	unsigned op;
	enum gllm_type type;   /* of b */
	uint64_t m, n, k, max_rows; /* max_rows 0: rows are fixed */
	bool pair, map;        /* swiglu of two products; silu behind */
};

struct fixture {
	struct check *t;
	struct gllm_arena arena;
	struct gllm_context *c;
	struct gllm_error e;
	const struct gllm_profile *profile;
	unsigned workers;
};

static bool turned(unsigned op)
{
	return op == GLLM_OP_gemm_bt || op == GLLM_OP_gemm_bt_bias;
}

static bool biased(unsigned op)
{
	return op == GLLM_OP_gemm_bias || op == GLLM_OP_gemm_bt_bias;
}

/* `packing` NULL: weights as they are. */
static struct gllm_graph *graph_of(struct fixture *f, const struct shape *s, const struct gllm_packing *packing)
{
	struct gllm_graph *g = NULL;
	uint64_t rows = s->max_rows ? GLLM_ROWS : s->m, r = turned(s->op) ? s->n : s->k, c = turned(s->op) ? s->k : s->n;
	if (!CHECK_STATUS(f->t, gllm_graph_create(f->c, "product", s->max_rows ? s->max_rows : 1, TENSORS + 2, 5, &g, &f->e), GLLM_OK))
		return NULL;
	gllm_tensor y = gllm_graph_tensor(g, GLLM_TENSOR_OUTPUT, GLLM_F32, rows, s->n, "y"),
	            a = gllm_graph_tensor(g, GLLM_TENSOR_INPUT, GLLM_F32, rows, s->k, "a"),
	            b[2] = { gllm_graph_tensor(g, GLLM_TENSOR_WEIGHT, s->type, r, c, "b") },
	            bias = gllm_graph_tensor(g, GLLM_TENSOR_WEIGHT, GLLM_F32, 1, s->n, "bias"), part[2] = { y, y };
	b[1] = gllm_graph_tensor(g, GLLM_TENSOR_WEIGHT, s->type, r, c, "b2");
	for (unsigned i = 0; i < 2 && (s->pair || s->map); i++)
		part[i] = gllm_graph_tensor(g, GLLM_TENSOR_VALUE, GLLM_F32, rows, s->n, i ? "up" : "gate");
	for (unsigned i = 0; i < (s->pair ? 2u : 1u); i++) {
		struct gllm_actual actual[] = { GLLM_T(part[i]), GLLM_T(a), GLLM_T(b[i]), GLLM_T(bias), GLLM_D(rows), GLLM_D(s->n), GLLM_D(s->k) };
		for (unsigned k = 3; k < 6 && !biased(s->op); k++)
			actual[k] = actual[k + 1];
		gllm_graph_node(g, s->op, 1, actual, biased(s->op) ? 7 : 6);
		if (packing)
			gllm_graph_packed(g, b[i], packing);
	}
	if (s->pair)
		gllm_graph_node(g, GLLM_OP_swiglu, rows, (struct gllm_actual[]){ GLLM_T(y), GLLM_T(part[0]), GLLM_T(part[1]), GLLM_D(s->n) }, 4);
	else if (s->map)
		gllm_graph_node(g, GLLM_OP_silu, rows, (struct gllm_actual[]){ GLLM_T(y), GLLM_T(part[0]), GLLM_D(s->n) }, 3);
	CHECK_STATUS(f->t, gllm_graph_status(g, &f->e), GLLM_OK);
	return g;
}

/* Eighths: exact in every type, and so are their sums. Otherwise anything, whose sums depend on their order. */
static void fill(struct fixture *f, void *to, enum gllm_type type, uint64_t n, bool exact)
{
	for (uint64_t i = 0; i < n; i++) {
		float v = exact ? (float)((int)check_below(f->t, 17) - 8) * 0.125f : check_float(f->t, -1.0f, 1.0f);
		if (type == GLLM_F32)
			((float *)to)[i] = v;
		else
			((uint16_t *)to)[i] = type == GLLM_F16 ? gllm_f32_to_f16(v) : gllm_f32_to_bf16(v);
	}
}

static void *packed(struct fixture *f, const struct gllm_packing *p, const void *b, bool turn)
{
	size_t bytes = gllm_packed_bytes(p);
	unsigned char *to = gllm_alloc(&f->arena, bytes + 64, 64), *want = gllm_alloc(&f->arena, bytes, 64);
	if (!CHECK(f->t, to && want))
		return NULL;
	for (size_t i = 0; i < bytes + 64; i++)
		to[i] = 0xa5;
	CHECK_STATUS(f->t, gllm_pack_b(f->c, p, b, turn, to, bytes - 1, NULL), GLLM_OUT_OF_MEMORY);
	bool ok = CHECK(f->t, to[0] == 0xa5 && to[bytes - 1] == 0xa5) &&
	          CHECK_STATUS(f->t, gllm_pack_b(f->c, p, b, turn, to, bytes, &f->e), GLLM_OK) &&
	          CHECK_STATUS(f->t, gllm_packed_check(p, to, &f->e), GLLM_OK);
	check_pack_plainly(p, b, turn, want);
	bool same = to[bytes] == 0xa5;
	for (size_t i = 0; i < bytes - GLLM_PACKED_HEADER; i++)
		same = same && to[GLLM_PACKED_HEADER + i] == want[i];
	ok = CHECK(f->t, same) && ok;
	struct gllm_stats first, now; /* packing leaves nothing behind */
	gllm_context_stats(f->c, &first);
	for (unsigned i = 0; i < 2; i++)
		CHECK_STATUS(f->t, gllm_pack_b(f->c, p, b, turn, to, bytes, &f->e), GLLM_OK);
	gllm_context_stats(f->c, &now);
	CHECK(f->t, now.heap_high == first.heap_high);
	if (!ok)
		check_print(f->t, "     packing %llu x %llu in %u: %s\n", (unsigned long long)p->n, (unsigned long long)p->k, p->lanes, f->e.what);
	return to;
}

static bool run(struct fixture *f, const struct gllm_plan *p, void *const *bind, uint64_t rows)
{
	struct gllm_arena mark = f->arena;
	void *workspace = gllm_alloc(&f->arena, gllm_plan_workspace(p) + 64, 64);
	bool ok = CHECK(f->t, workspace != NULL) && CHECK_STATUS(f->t, gllm_plan_run(p, bind, rows, workspace, &f->e), GLLM_OK);
	f->arena = mark;
	return ok;
}

static bool same_bits(struct fixture *f, const float *got, const float *want, uint64_t n, bool exact)
{
	for (uint64_t i = 0; i < n; i++) {
		float d = got[i] - want[i];
		if (gllm_f32_bits(got[i]) == gllm_f32_bits(want[i]) || (!exact && (d < 0 ? -d : d) <= 1e-5f))
			continue;
		check_print(f->t, "     element %llu\n", (unsigned long long)i);
		return false;
	}
	return true;
}

/* The plan once more, as its bytes say it. */
static struct gllm_plan *reloaded(struct fixture *f, const struct gllm_plan *p)
{
	struct gllm_plan *again = NULL;
	size_t bytes = gllm_plan_blob(p);
	void *blob = gllm_alloc(&f->arena, bytes, 64);
	if (CHECK(f->t, blob != NULL) && CHECK_STATUS(f->t, gllm_plan_save(p, blob, bytes, &f->e), GLLM_OK))
		CHECK_STATUS(f->t, gllm_plan_load(f->c, NULL, blob, bytes, &again, &f->e), GLLM_OK);
	return again;
}

/* `exact`: values whose sums do not depend on their order; otherwise `tuning` must fix it for both plans. */
static void compare(struct fixture *f, const struct shape *s, uint32_t lanes, const struct gllm_tuning *tuning, uint64_t pack_bytes,
                    bool exact)
{
	struct gllm_arena mark = f->arena;
	struct gllm_packing packing;
	struct gllm_plan *want = NULL, *got = NULL, *again;
	const struct gllm_plan_options plain = { .tuning = tuning }, o = { .tuning = tuning, .readback = true, .pack_bytes = pack_bytes };
	const uint64_t rows = s->m, size[] = { rows * s->n, rows * s->k, s->n * s->k, s->n, s->n * s->k };
	void *bind[TENSORS + 2] = { NULL }, *memory[5];
	const bool large = rows * s->n * s->k > 1 << 22; /* seconds for an emulator: the reloaded plan only */
	float *result = gllm_alloc_array(&f->arena, size[0] + 1, sizeof *result, 64);
	for (unsigned i = 0; i < 5; i++) {
		memory[i] = gllm_alloc_array(&f->arena, size[i] + 1, sizeof(float), 64);
		if (!CHECK(f->t, memory[i] && result))
			return;
		fill(f, memory[i], i == 2 || i == 4 ? s->type : GLLM_F32, size[i], exact);
		bind[i] = memory[i];
	}
	if (!CHECK_STATUS(f->t, gllm_packing_of(f->profile, s->type, s->n, s->k, lanes, &packing, &f->e), GLLM_OK))
		return;
	struct gllm_graph *g = graph_of(f, s, NULL), *h = graph_of(f, s, &packing);
	bool ok = g && h && CHECK_STATUS(f->t, gllm_compile(f->c, g, &plain, &want, &f->e), GLLM_OK) &&
	          CHECK_STATUS(f->t, gllm_compile(f->c, h, &o, &got, &f->e), GLLM_OK) && run(f, want, bind, s->max_rows ? rows : 1);
	if (ok) {
		again = reloaded(f, got);
		bind[0] = result;
		bind[2] = packed(f, &packing, memory[2], turned(s->op));
		bind[4] = packed(f, &packing, memory[4], turned(s->op));
		for (f->workers = large ? 2 : 1; f->workers <= (large ? 2 : 3) && ok && again; f->workers++) {
			for (uint64_t i = 0; i <= size[0]; i++)
				result[i] = -123.0f;
			ok = run(f, f->workers == 2 ? again : got, bind, s->max_rows ? rows : 1) &&
			     CHECK(f->t, same_bits(f, result, memory[0], size[0], !exact || (!s->pair && !s->map))) &&
			     CHECK(f->t, result[size[0]] == -123.0f);
		}
		f->workers = 1;
		if (again)
			gllm_plan_free(f->c, again);
	}
	if (!ok)
		check_print(f->t, "     %s %s %llu x %llu x %llu, rows to %llu, %u lanes, pair %u, map %u, scratch %llu: %s %s\n",
		            gllm_op_info[s->op].name, gllm_type_name(s->type), (unsigned long long)s->m, (unsigned long long)s->n,
		            (unsigned long long)s->k, (unsigned long long)s->max_rows, lanes, s->pair, s->map,
		            (unsigned long long)pack_bytes, f->e.what ? f->e.what : "", f->e.name);
	if (got)
		gllm_plan_free(f->c, got);
	if (want)
		gllm_plan_free(f->c, want);
	if (h)
		gllm_graph_free(f->c, h);
	if (g)
		gllm_graph_free(f->c, g);
	f->arena = mark;
}

static const unsigned products[] = { GLLM_OP_gemm, GLLM_OP_gemm_bt, GLLM_OP_gemm_bias, GLLM_OP_gemm_bt_bias };
static const enum gllm_type types[] = { GLLM_F32, GLLM_F16, GLLM_BF16 };

static void random_shapes(struct fixture *f, uint32_t vector)
{
	unsigned rounds = vector > 16 ? 20 : 80; /* emulated */
	for (unsigned round = 0; round < rounds; round++) {
		const uint32_t width[] = { 0, vector, 3 * vector, 5, 2 * vector + 1 }, lanes = width[check_below(f->t, GLLM_COUNT(width))];
		struct gllm_tuning tuning = { .mc = 1 + check_below(f->t, 12), .kc = 1 + check_below(f->t, 12),
			.nc = vector * (1 + check_below(f->t, 3)), .mr = (uint16_t)(1 + check_below(f->t, 7)), .nr = (uint16_t)vector, .unroll = 2 };
		struct shape s = { products[check_below(f->t, 4)], types[check_below(f->t, 3)], 1 + check_below(f->t, 40),
			1 + check_below(f->t, 7 * vector), 1 + check_below(f->t, 40), 0, check_below(f->t, 4) == 0, check_below(f->t, 3) == 0 };
		if (check_below(f->t, 2))
			s.max_rows = s.m + check_below(f->t, 9) + 1;
		compare(f, &s, lanes, check_below(f->t, 2) ? &tuning : NULL, check_below(f->t, 3) ? 0 : 64, true);
	}
}

/* Panels as wide as the plan's own: blocks and sums are those of the plan that packs by itself. */
static void same_order(struct fixture *f, uint16_t vector)
{
	for (unsigned round = 0; round < 24; round++) {
		struct gllm_tuning tuning = { .mc = 12, .kc = 8u * (1 + check_below(f->t, 4)), .nc = 4u * vector, .mr = 4, .nr = (uint16_t)(2 * vector),
			.unroll = 2 };
		struct shape s = { products[check_below(f->t, 4)], types[check_below(f->t, 3)], 1 + check_below(f->t, 40),
			2u * vector + check_below(f->t, 5 * vector), 1 + check_below(f->t, 90), 0, false, check_below(f->t, 2) };
		s.n += s.n % (2u * vector) == 1; /* one packed column lies along k, which lanes may then share */
		compare(f, &s, 2u * vector, &tuning, 0, false);
	}
}

static void own_sizes(struct fixture *f)
{
	const struct shape shape[] = {
		{ GLLM_OP_gemm_bt, GLLM_F32, 61, 201, 301, 0, false, true },   { GLLM_OP_gemm, GLLM_F16, 100, 201, 301, 0, false, false },
		{ GLLM_OP_gemm_bt, GLLM_BF16, 1, 131, 1100, 0, false, false }, { GLLM_OP_gemm_bt, GLLM_F32, 9, 67, 1100, 12, true, false },
		{ GLLM_OP_gemm_bt_bias, GLLM_F16, 1, 96, 500, 0, true, false }, { GLLM_OP_gemm, GLLM_F32, 200, 300, 1400, 230, false, false },
		{ GLLM_OP_gemm_bt, GLLM_BF16, 33, 70, 300, 50, true, false },  { GLLM_OP_gemm, GLLM_F32, 3, 2, 1, 0, false, false },
	};
	for (unsigned i = 0; i < GLLM_COUNT(shape); i++)
		compare(f, &shape[i], 0, NULL, 0, true);
}

/* --- what does not match ---------------------------------------------------------------------------------------------- */

static void refused_memory(struct fixture *f)
{
	static const unsigned at[] = { 0, 7, 8, 12, 16, 24, 32 };
	static const enum gllm_status want[] = { GLLM_BAD_MAGIC, GLLM_BAD_MAGIC, GLLM_BAD_VERSION, GLLM_FOREIGN, GLLM_FOREIGN,
	                                         GLLM_FOREIGN, GLLM_FOREIGN };
	const struct shape s = { GLLM_OP_gemm_bt, GLLM_F32, 3, 40, 24, 0, false, false };
	struct gllm_packing packing;
	struct gllm_plan *p;
	struct gllm_graph *g;
	float *x = gllm_alloc_array(&f->arena, MOST, sizeof *x, 64);
	if (!CHECK(f->t, x != NULL))
		return;
	fill(f, x, GLLM_F32, MOST, true);
	gllm_packing_of(f->profile, GLLM_F32, s.n, s.k, 0, &packing, &f->e);
	unsigned char *b = packed(f, &packing, x, true);
	void *bind[] = { x + 2048, x, b, x, x }, *workspace;
	g = graph_of(f, &s, &packing);
	if (!g || !CHECK_STATUS(f->t, gllm_compile(f->c, g, NULL, &p, &f->e), GLLM_OK))
		return;
	workspace = gllm_alloc(&f->arena, gllm_plan_workspace(p) + 64, 64);
	for (unsigned i = 0; i < GLLM_COUNT(at); i++) {
		struct gllm_error e = { .status = GLLM_OK };
		b[at[i]] ^= 1;
		CHECK_STATUS(f->t, gllm_plan_run(p, bind, 1, workspace, &e), want[i]);
		CHECK(f->t, e.name[0] == 'b' && e.name[1] == 0);
		b[at[i]] ^= 1;
	}
	CHECK_STATUS(f->t, gllm_plan_run(p, bind, 1, workspace, NULL), GLLM_OK);
	bind[2] = b + 32;
	CHECK_STATUS(f->t, gllm_plan_run(p, bind, 1, workspace, NULL), GLLM_INVALID_ARGUMENT);
	bind[2] = x; /* weights that nobody packed */
	CHECK_STATUS(f->t, gllm_plan_run(p, bind, 1, workspace, NULL), GLLM_BAD_MAGIC);
	bind[2] = b;
	bind[0] = b + gllm_packed_bytes(&packing) - 64;
	CHECK_STATUS(f->t, gllm_plan_run(p, bind, 1, workspace, NULL), GLLM_OVERLAP);
	gllm_plan_free(f->c, p);
	gllm_graph_free(f->c, g);
}

static uint64_t key_of(struct fixture *f, const struct shape *s, const struct gllm_packing *packing)
{
	struct gllm_plan_key key = { 0 };
	struct gllm_graph *g = graph_of(f, s, packing);
	if (g && CHECK_STATUS(f->t, gllm_plan_key(f->c, g, NULL, &key, &f->e), GLLM_OK))
		gllm_graph_free(f->c, g);
	return key.graph;
}

static void keys(struct fixture *f)
{
	const struct shape s = { GLLM_OP_gemm_bt, GLLM_F32, 3, 40, 24, 0, false, false };
	struct gllm_packing a = { GLLM_F32, 16, 40, 24 }, b = { GLLM_F32, 8, 40, 24 };
	CHECK(f->t, key_of(f, &s, NULL) != key_of(f, &s, &a) && key_of(f, &s, &a) != key_of(f, &s, &b));
	CHECK_EQ(f->t, key_of(f, &s, &a), key_of(f, &s, &a));
}

/* Compiling a graph in which tensor w, 24 x 24, is packed, fails: read by what is no product of it. */
static void refused_graphs(struct fixture *f)
{
	enum { N = 24, READERS = 4 };
	const struct gllm_packing packing = { GLLM_F32, 16, N, N };
	struct gllm_plan *p;
	for (unsigned i = 0; i <= READERS; i++) {
		struct gllm_error e = { .status = GLLM_OK };
		struct gllm_graph *g;
		const struct gllm_plan_options o = { .scalar = i == READERS };
		if (!CHECK_STATUS(f->t, gllm_graph_create(f->c, "refused", 1, 4, 1, &g, &f->e), GLLM_OK))
			return;
		gllm_tensor y = gllm_graph_tensor(g, GLLM_TENSOR_OUTPUT, GLLM_F32, N, N, "y"), x = gllm_graph_tensor(g, GLLM_TENSOR_INPUT, GLLM_F32, N, N, "x"),
		            w = gllm_graph_tensor(g, GLLM_TENSOR_WEIGHT, GLLM_F32, N, N, "w");
		const struct gllm_actual map[] = { GLLM_T(y), GLLM_T(w), GLLM_D(N * N) }, sum[] = { GLLM_T(y), GLLM_T(x), GLLM_T(w), GLLM_D(N * N) },
			left[] = { GLLM_T(y), GLLM_T(w), GLLM_T(x), GLLM_D(N), GLLM_D(N), GLLM_D(N) },
			part[] = { GLLM_T(y), GLLM_T(x), GLLM_T(w), GLLM_D(N), GLLM_D(N), GLLM_D(N / 2) },
			right[] = { GLLM_T(y), GLLM_T(x), GLLM_T(w), GLLM_D(N), GLLM_D(N), GLLM_D(N) };
		switch (i) {
		case 0: gllm_graph_node(g, GLLM_OP_relu, 1, map, 3); break;
		case 1: gllm_graph_node(g, GLLM_OP_add, 1, sum, 4); break;
		case 2: gllm_graph_node(g, GLLM_OP_gemm, 1, left, 6); break;
		case 3: gllm_graph_node(g, GLLM_OP_gemm, 1, part, 6); break;
		default: gllm_graph_node(g, GLLM_OP_gemm, 1, right, 6); break;
		}
		CHECK_STATUS(f->t, gllm_graph_packed(g, w, &packing), GLLM_OK);
		CHECK_STATUS(f->t, gllm_graph_status(g, &f->e), GLLM_OK);
		CHECK_STATUS(f->t, gllm_compile(f->c, g, &o, &p, &e), GLLM_UNSUPPORTED);
		if (!CHECK(f->t, e.name[0] == 'w' && e.name[1] == 0))
			check_print(f->t, "     reader %u: %s %s\n", i, e.what ? e.what : "", e.name);
		gllm_graph_free(f->c, g);
	}
}

/* Blocks are not counted beyond 2^31 - 1: such a product is compiled without any, unless its weights are packed. */
static void too_deep(struct fixture *f)
{
	const struct shape s = { GLLM_OP_gemm_bt, GLLM_F32, 1, 32, UINT64_C(1) << 32, 0, false, false };
	const struct gllm_packing packing = { GLLM_F32, 16, s.n, s.k };
	for (unsigned packed = 0; packed < 2; packed++) {
		struct gllm_error e = { .status = GLLM_OK };
		struct gllm_graph *g = graph_of(f, &s, packed ? &packing : NULL);
		struct gllm_plan *p;
		if (!g)
			return;
		if (CHECK_STATUS(f->t, gllm_compile(f->c, g, NULL, &p, &e), packed ? GLLM_UNSUPPORTED : GLLM_OK) && !packed) {
			CHECK_EQ(f->t, gllm_plan_steps(p), 1);
			gllm_plan_free(f->c, p);
		}
		gllm_graph_free(f->c, g);
	}
}

static void refused_packings(struct fixture *f)
{
	const struct gllm_packing good = { GLLM_F32, 16, 40, 24 }, bad[] = { { GLLM_F16, 16, 40, 24 }, { GLLM_F32, 16, 40, 25 },
		{ GLLM_F32, 16, 24, 41 }, { GLLM_F32, 0, 40, 24 }, { GLLM_F32, 5000, 40, 24 }, { GLLM_F32, 16, 0, 24 } };
	struct gllm_packing p = good;
	struct gllm_graph *g;
	for (unsigned i = 0; i <= GLLM_COUNT(bad); i++) {
		if (!CHECK_STATUS(f->t, gllm_graph_create(f->c, "refused", 4, 3, 1, &g, &f->e), GLLM_OK))
			return;
		gllm_tensor w = gllm_graph_tensor(g, GLLM_TENSOR_WEIGHT, GLLM_F32, 40, 24, "w");
		CHECK_STATUS(f->t, gllm_graph_packed(g, w, &good), GLLM_OK);
		if (i < GLLM_COUNT(bad))
			CHECK_STATUS(f->t, gllm_graph_packed(g, w, &bad[i]), GLLM_INVALID_ARGUMENT);
		else
			CHECK_STATUS(f->t, gllm_graph_packed(g, (gllm_tensor)(w + 1), &good), GLLM_INVALID_ARGUMENT);
		CHECK_STATUS(f->t, gllm_graph_status(g, NULL), GLLM_INVALID_ARGUMENT);
		gllm_graph_free(f->c, g);
	}
	CHECK_STATUS(f->t, gllm_packing_of(f->profile, GLLM_I8, 4, 4, 0, &p, NULL), GLLM_INVALID_ARGUMENT);
	CHECK_STATUS(f->t, gllm_packing_of(f->profile, GLLM_F32, UINT64_C(1) << 33, UINT64_C(1) << 33, 0, &p, NULL), GLLM_INVALID_ARGUMENT);
	CHECK_STATUS(f->t, gllm_packing_of(f->profile, GLLM_F32, 4, 0, 0, &p, NULL), GLLM_INVALID_ARGUMENT);
	CHECK_EQ(f->t, p.n, good.n); /* left as it was */
	CHECK_EQ(f->t, gllm_packed_bytes(&good), 64 + 4 * 40 * 24);
	CHECK_EQ(f->t, gllm_packed_bytes(&bad[3]), 0);
	CHECK_STATUS(f->t, gllm_pack_b(f->c, &good, NULL, false, &p, 1 << 20, NULL), GLLM_INVALID_ARGUMENT);
}

void check_prepacked(struct check *t)
{
	struct fixture f = { .t = t, .workers = 1 };
	struct gllm_config config;
	size_t size;
	unsigned char *memory = check_memory(t, &size);
	if (!check_compiler(t, &f.workers, &config))
		return;
	f.profile = &config.profile;
	gllm_arena_init(&f.arena, memory, size);
	void *p = gllm_alloc(&f.arena, gllm_context_quote(&config), 64);
	if (!CHECK_STATUS(t, gllm_context_create(p, gllm_context_quote(&config), &config, &f.c, &f.e), GLLM_OK))
		return;
	uint32_t vector = config.profile.vector_bytes / 4;
	refused_packings(&f);
	refused_graphs(&f);
	too_deep(&f);
	refused_memory(&f);
	keys(&f);
	own_sizes(&f);
	same_order(&f, (uint16_t)vector);
	random_shapes(&f, vector);
}
