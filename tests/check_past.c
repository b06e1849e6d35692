/* SPDX-License-Identifier: MIT
 * tests/check_past.c - outputs that are stored past the caches: the same bits as through them, from any address, for any rest and
 * number of workers; fenced; and only what leaves the graph, is large, and is not read again. What a kernel rereads and stores
 * again, as softmax does, goes past them once. What is read is fetched ahead, long rows that are read
 * again by a row, by code that is otherwise the same; or by passes over several rows at once. Lines that are turned come from several
 * neighbours of each row at a time; of rows that are named by indices the next one is fetched. */
#include "check.h"
#include "check_plain.h"
#include "core/arena.h"
#include "core/bits.h"
#include "core/target.h"
#include "gllm/graph.h"
#include "gllm/ops.h"

enum { MOST = 5000, ROOM = MOST + 64 };

struct fixture {
	struct check *t;
	struct gllm_arena arena;
	struct gllm_context *c;
	struct gllm_error e;
	const struct gllm_config *config;
	unsigned workers;
	float *x, *y, *want;
	unsigned op[8]; /* by kind, of those that are this file's own */
};

static bool begins(const char *text, const char *with)
{
	while (*with && *text == *with) {
		text++;
		with++;
	}
	return *with == '\0';
}

static bool contains(const char *text, const char *part)
{
	while (*text && !begins(text, part))
		text++;
	return begins(text, part);
}

/* Instructions of this name and with this part in steps from `first` on. */
static unsigned times_from(const struct fixture *f, const struct gllm_plan *p, unsigned first, const char *name, const char *part)
{
	unsigned found = 0;
	for (unsigned i = first; i < gllm_plan_steps(p); i++) {
		struct gllm_step_info s;
		struct gllm_insn in;
		char text[128];
		gllm_plan_step(p, i, &s);
		for (uint32_t at = 0; at < s.code_bytes; at += in.length) {
			const unsigned char *code = (const unsigned char *)f->config->host.code.write + s.code_offset + at;
			if (!CHECK_STATUS(f->t, f->config->target->decode(code, s.code_bytes - at, 0, &in), GLLM_OK) || in.length == 0)
				return 0;
			f->config->target->text(&in, text, sizeof text);
			found += begins(text, name) && contains(text, part);
		}
	}
	return found;
}

static unsigned times_with(const struct fixture *f, const struct gllm_plan *p, const char *name, const char *part)
{
	return times_from(f, p, 0, name, part);
}

static unsigned times_named(const struct fixture *f, const struct gllm_plan *p, const char *name)
{
	return times_with(f, p, name, "");
}

/* Stored twice, but what is stored last is not all (`shorter`), or is read where other elements are (`first`). */
static PLAIN void shorter(float *restrict y, const float *restrict x, size_t n)
{
	LOOP for (size_t i = 0; i < n; i++)
		y[i] = x[i];
	LOOP for (size_t i = 0; i + 1 < n; i++)
		y[i] = y[i] * 3.0f;
}
static PLAIN void first(float *restrict y, const float *restrict x, size_t n)
{
	LOOP for (size_t i = 0; i < n; i++)
		y[i] = x[i];
	LOOP for (size_t i = 0; i < n; i++)
		y[i] = y[i] + y[0];
}

/* What a row is in between goes through three passes (`thrice`); the last of three also reads what the first has summed up (`centre`). */
static PLAIN void thrice(float *restrict y, const float *restrict x, size_t n)
{
	LOOP for (size_t i = 0; i < n; i++)
		y[i] = x[i] * x[i];
	LOOP for (size_t i = 0; i < n; i++)
		y[i] = y[i] * 3.0f;
	LOOP for (size_t i = 0; i < n; i++)
		y[i] = y[i] + 1.0f;
}
static PLAIN void centre(float *restrict y, const float *restrict x, size_t n)
{
	float sum = 0.0f, squares = 0.0f;
	LOOP for (size_t i = 0; i < n; i++)
		sum += x[i];
	sum /= (float)n;
	LOOP for (size_t i = 0; i < n; i++)
		squares += (x[i] - sum) * (x[i] - sum);
	squares = 1.0f / squares;
	LOOP for (size_t i = 0; i < n; i++)
		y[i] = (x[i] - sum) * squares;
}

/* `times`: how often a row's operation `once` stands where passes over several rows run at once. */
enum kind { MAP, SUM, NORM, TWICE, SHORTER, FIRST, THRICE, CENTRE, KINDS };
static const struct { const char *name; gllm_any_fn *fn; bool goes; const char *once; unsigned times; } own[KINDS] = {
	[MAP] = { .goes = true }, [SUM] = { .goes = true }, [NORM] = { .goes = true, .once = "vsqrtps ", .times = 2 },
	[TWICE] = { .goes = true, .once = "vdivps ", .times = 3 },
	[SHORTER] = { "shorter", (gllm_any_fn *)shorter, false, NULL, 0 }, [FIRST] = { "first", (gllm_any_fn *)first, false, NULL, 0 },
	[THRICE] = { "thrice", (gllm_any_fn *)thrice, true, NULL, 0 }, [CENTRE] = { "centre", (gllm_any_fn *)centre, true, "vdivps ", 6 },
};
static const struct gllm_param own_param[] = { { "y", GLLM_OUT, GLLM_F32 }, { "x", GLLM_IN, GLLM_F32 }, { "n", GLLM_DIM, GLLM_I64 } };

/* Tensors: 0 y, 1 x, 2 another reader's output or nothing. */
static struct gllm_graph *graph_of(struct fixture *f, enum kind kind, uint64_t rows, uint64_t cols, bool read_again)
{
	struct gllm_graph *g = NULL;
	if (!CHECK_STATUS(f->t, gllm_graph_create(f->c, "past", 64, 4, 2, &g, &f->e), GLLM_OK))
		return NULL;
	gllm_tensor y = gllm_graph_tensor(g, GLLM_TENSOR_OUTPUT, GLLM_F32, rows, cols, "y"),
	            x = gllm_graph_tensor(g, GLLM_TENSOR_INPUT, GLLM_F32, rows, cols, "x"),
	            z = gllm_graph_tensor(g, read_again ? GLLM_TENSOR_OUTPUT : GLLM_TENSOR_INPUT, GLLM_F32, rows, 1, "z"),
	            w = gllm_graph_tensor(g, GLLM_TENSOR_WEIGHT, GLLM_F32, 1, cols, "w");
	switch (kind) {
	case MAP: gllm_graph_node(g, GLLM_OP_silu, rows, (struct gllm_actual[]){ GLLM_T(y), GLLM_T(x), GLLM_D(cols) }, 3); break;
	case SUM: gllm_graph_node(g, GLLM_OP_add, rows, (struct gllm_actual[]){ GLLM_T(y), GLLM_T(x), GLLM_T(x), GLLM_D(cols) }, 4); break;
	case NORM: gllm_graph_node(g, GLLM_OP_rms_norm, rows,
	                           (struct gllm_actual[]){ GLLM_T(y), GLLM_T(x), GLLM_T(w), GLLM_D(cols), GLLM_S(1e-5f) }, 5); break;
	case TWICE: gllm_graph_node(g, GLLM_OP_softmax, rows, (struct gllm_actual[]){ GLLM_T(y), GLLM_T(x), GLLM_D(cols) }, 3); break;
	case SHORTER: case FIRST: case THRICE: case CENTRE:
		gllm_graph_node(g, f->op[kind], rows, (struct gllm_actual[]){ GLLM_T(y), GLLM_T(x), GLLM_D(cols) }, 3);
		break;
	case KINDS: break;
	}
	if (read_again)
		gllm_graph_node(g, GLLM_OP_max, rows, (struct gllm_actual[]){ GLLM_T(z), GLLM_T(y), GLLM_D(cols) }, 3);
	CHECK_STATUS(f->t, gllm_graph_status(g, &f->e), GLLM_OK);
	return g;
}

static struct gllm_plan *plan_of(struct fixture *f, const struct gllm_graph *g, uint32_t past)
{
	const struct gllm_tuning tuning = { .past = past };
	const struct gllm_plan_options o = { .tuning = &tuning, .readback = true };
	struct gllm_plan *p = NULL;
	CHECK_STATUS(f->t, gllm_compile(f->c, g, &o, &p, &f->e), GLLM_OK);
	return p;
}

static bool run(struct fixture *f, const struct gllm_plan *p, float *y, uint64_t rows)
{
	struct gllm_arena mark = f->arena;
	void *workspace = gllm_alloc(&f->arena, gllm_plan_workspace(p) + 64, 64);
	void *bind[] = { y, f->x, f->x + ROOM, f->x };
	bool ok = CHECK(f->t, workspace != NULL) && CHECK_STATUS(f->t, gllm_plan_run(p, bind, rows, workspace, &f->e), GLLM_OK);
	f->arena = mark;
	return ok;
}

/* Both plans leave the same `n` elements; they and their graph are done with. */
static void same_bits(struct fixture *f, struct gllm_graph *g, struct gllm_plan *through, struct gllm_plan *past, uint64_t n)
{
	run(f, through, f->want, 1);
	run(f, past, f->y, 1);
	for (uint64_t i = 0; i < n; i++)
		CHECK_EQ(f->t, gllm_f32_bits(f->y[i]), gllm_f32_bits(f->want[i]));
	gllm_plan_free(f->c, past);
	gllm_plan_free(f->c, through);
	gllm_graph_free(f->c, g);
}

static void same_results(struct fixture *f, enum kind kind, bool exists)
{
	static const uint64_t cols[] = { 1, 15, 64, 301, 1000, 1152, 640 };
	for (unsigned c = 0; c < GLLM_COUNT(cols); c++) {
		uint64_t rows = MOST / cols[c] < 5 ? MOST / cols[c] : 5, n = rows * cols[c];
		struct gllm_graph *g = graph_of(f, kind, c % 2 ? GLLM_ROWS : rows, cols[c], false);
		struct gllm_plan *through = g ? plan_of(f, g, UINT32_MAX) : NULL, *past = g ? plan_of(f, g, 1) : NULL;
		if (!through || !past)
			return;
		CHECK_EQ(f->t, times_named(f, through, "vmovnt") + times_named(f, through, "sfence") + times_named(f, through, "prefetch"), 0);
		if (cols[c] >= 64) {
			CHECK(f->t, (times_named(f, past, "vmovntps ") != 0) == exists);
			CHECK_EQ(f->t, times_named(f, past, "sfence"), exists);
			CHECK(f->t, !exists || times_named(f, past, "prefetch") != 0);
			bool several = cols[c] >= 512 && f->config->profile.cache[1].bytes >= 8 * 4 * cols[c] && own[kind].once;
			bool at_once = several && exists && cols[c] % 128 == 0, ahead = several && !at_once;
			CHECK(f->t, !at_once || times_named(f, past, own[kind].once) == own[kind].times);
			CHECK(f->t, !at_once || (times_with(f, past, "prefetch", "+ 4096]") != 0) == (kind != TWICE)); /* long arithmetic */
			unsigned fetched = times_named(f, past, "prefetch"); /* AArch64 has another name */
			if (!CHECK(f->t, fetched == 0 || (times_with(f, past, "prefetch", "+ 8192]") == 0) == ahead))
				check_print(f->t, "     kind %u, %llu columns\n", kind, (unsigned long long)cols[c]);
			CHECK_EQ(f->t, times_named(f, past, "prefetcht0 "), fetched);
		}
		/* as many copies whose chains run side by side, with a division each */
		CHECK(f->t, kind != MAP || times_named(f, past, "vdivps ") == times_named(f, through, "vdivps "));
		uint64_t all = c % 2 ? rows : 1;
		run(f, through, f->want, all);
		for (unsigned at = 0; at < 20; at += 1 + at % 3) {
			f->workers = 1 + at % 3;
			for (unsigned i = 0; i < ROOM; i++)
				f->y[i] = -5.0f;
			run(f, past, f->y + at, all);
			bool same = true;
			for (uint64_t i = 0; i < ROOM; i++)
				same = same && gllm_f32_bits(f->y[i]) == gllm_f32_bits(i < at || i >= at + n ? -5.0f : f->want[i - at]);
			if (!CHECK(f->t, same))
				check_print(f->t, "     kind %u, %llu columns, %u elements further\n", kind, (unsigned long long)cols[c], at);
		}
		f->workers = 1;
		gllm_plan_free(f->c, past);
		gllm_plan_free(f->c, through);
		gllm_graph_free(f->c, g);
	}
}

/* From so many bytes on, not where a node reads what was stored, and by default not for what fits any cache. */
static void which_outputs(struct fixture *f, bool exists)
{
	const struct { uint32_t past; bool read_again, goes; } want[] = {
		{ 64 * 64 * 4, false, true }, { 64 * 64 * 4 + 1, false, false }, { 0, false, false }, { 64 * 4 + 1, true, false },
	};
	for (unsigned i = 0; i < GLLM_COUNT(want); i++) {
		struct gllm_graph *g = graph_of(f, NORM, 64, 64, want[i].read_again);
		struct gllm_plan *p = g ? plan_of(f, g, want[i].past) : NULL;
		if (!p)
			return;
		if (!CHECK(f->t, (times_named(f, p, "vmovntps ") != 0) == (exists && want[i].goes)))
			check_print(f->t, "     row %u\n", i);
		gllm_plan_free(f->c, p);
		gllm_graph_free(f->c, g);
	}
}

/* Several stores of one loop go past the caches as one does, side by side or by turns. */
static void several_stores(struct fixture *f, bool exists)
{
	enum { ROWS = 16, HALF = 64, ALL = ROWS * 2 * HALF };
	static const unsigned op[] = { GLLM_OP_rope_halves, GLLM_OP_rope_adjacent };
	for (unsigned k = 0; k < GLLM_COUNT(op); k++) {
		struct gllm_graph *g = NULL;
		if (!CHECK_STATUS(f->t, gllm_graph_create(f->c, "stores", 64, 4, 1, &g, &f->e), GLLM_OK))
			return;
		gllm_tensor y = gllm_graph_tensor(g, GLLM_TENSOR_OUTPUT, GLLM_F32, ROWS, 2 * HALF, "y"),
		            x = gllm_graph_tensor(g, GLLM_TENSOR_INPUT, GLLM_F32, ROWS, 2 * HALF, "x"),
		            cos = gllm_graph_tensor(g, GLLM_TENSOR_INPUT, GLLM_F32, ROWS, HALF, "cos"),
		            sin = gllm_graph_tensor(g, GLLM_TENSOR_INPUT, GLLM_F32, ROWS, HALF, "sin");
		gllm_graph_node(g, op[k], ROWS, (struct gllm_actual[]){ GLLM_T(y), GLLM_T(x), GLLM_T(cos), GLLM_T(sin), GLLM_D(1), GLLM_D(HALF) }, 6);
		struct gllm_plan *through = plan_of(f, g, UINT32_MAX), *past = plan_of(f, g, 1);
		if (!through || !past)
			return;
		CHECK(f->t, (times_named(f, past, "vmovntps ") != 0) == exists);
		same_bits(f, g, through, past, ALL);
	}
}

/* Lines that are turned come from several neighbours of each row at once where whole lines are stored, whatever is left over; the next
 * ones are fetched unless they lie a quarter of a way of L1 apart. */
static void turned_lines(struct fixture *f, bool exists)
{
	enum { MOST_TURNED = 16 * 1052, AT = 20 };
	static const struct { uint64_t rows, cols; unsigned squares; } shape[] = {
		{ 16, 256, 2 }, { 16, 300, 2 }, { 32, 139, 2 }, { 16, 1052, 4 }, { 48, 100, 1 }, { 17, 256, 1 }, { 10, 300, 1 },
	};
	const struct gllm_cache *l1 = &f->config->profile.cache[0];
	struct gllm_arena mark = f->arena;
	float *x = gllm_alloc_array(&f->arena, MOST_TURNED, sizeof *x, 64), *y = gllm_alloc_array(&f->arena, MOST_TURNED + AT + 1, sizeof *y, 64);
	if (!CHECK(f->t, x && y))
		return;
	for (unsigned i = 0; i < MOST_TURNED; i++)
		x[i] = (float)i;
	for (unsigned k = 0; k < GLLM_COUNT(shape); k++) {
		uint64_t rows = shape[k].rows, cols = shape[k].cols, n = rows * cols;
		struct gllm_graph *g = NULL;
		if (!CHECK_STATUS(f->t, gllm_graph_create(f->c, "turned", 64, 2, 1, &g, &f->e), GLLM_OK))
			return;
		gllm_tensor to = gllm_graph_tensor(g, GLLM_TENSOR_OUTPUT, GLLM_F32, cols, rows, "y"),
		            from = gllm_graph_tensor(g, GLLM_TENSOR_INPUT, GLLM_F32, rows, cols, "x");
		gllm_graph_node(g, GLLM_OP_transpose, 1, (struct gllm_actual[]){ GLLM_T(to), GLLM_T(from), GLLM_D(rows), GLLM_D(cols) }, 4);
		struct gllm_plan *past = plan_of(f, g, 1);
		if (!past)
			return;
		unsigned stores = times_named(f, past, "vmovntps "), several = 16 * shape[k].squares, crowds = l1->ways ? l1->bytes / l1->ways / 4 : 0;
		CHECK(f->t, !exists || rows % 16 != 0 || (stores >= several && stores < 2 * several));
		CHECK(f->t, (times_named(f, past, "prefetch") + times_named(f, past, "prfm") != 0) ==
		            (exists && shape[k].squares > 1 && (crowds == 0 || 4 * cols % crowds != 0)));
		for (unsigned at = 0; at <= AT; at += 1 + at % 7) {
			f->workers = 1 + at % 3;
			for (unsigned i = 0; i < MOST_TURNED + AT + 1; i++)
				y[i] = -5.0f;
			void *bind[] = { y + at, x };
			bool same = CHECK_STATUS(f->t, gllm_plan_run(past, bind, 1, NULL, &f->e), GLLM_OK);
			for (uint64_t i = 0; i < MOST_TURNED + AT + 1; i++)
				same = same && y[i] == (i < at || i >= at + n ? -5.0f : x[(i - at) % rows * cols + (i - at) / rows]);
			if (!CHECK(f->t, same))
				check_print(f->t, "     %llu rows, %llu columns, %u elements further\n", (unsigned long long)rows, (unsigned long long)cols, at);
		}
		f->workers = 1;
		gllm_plan_free(f->c, past);
		gllm_graph_free(f->c, g);
	}
	f->arena = mark;
}

/* Of rows that are named by indices the next one is fetched, if they are long; behind the last index nothing is read. */
static void named_rows(struct fixture *f)
{
	enum { TABLE = 24, N = 7, MOST_COLS = 640 };
	static const uint64_t cols[] = { 100, 512, 631, MOST_COLS };
	const struct check_host *h = f->t->host;
	struct gllm_arena mark = f->arena;
	float *table = gllm_alloc_array(&f->arena, TABLE * MOST_COLS, sizeof *table, 64);
	uint32_t *index = h->guarded ? h->guarded(h->user, N * sizeof *index, true) : gllm_alloc(&f->arena, N * sizeof *index, 4);
	for (unsigned i = 0; table && i < TABLE * MOST_COLS; i++)
		table[i] = (float)i;
	for (unsigned i = 0; index && i < N; i++)
		index[i] = check_below(f->t, TABLE);
	for (unsigned c = 0; c < GLLM_COUNT(cols) && CHECK(f->t, table && index); c++) {
		uint64_t d = cols[c];
		struct gllm_graph *g = NULL;
		if (!CHECK_STATUS(f->t, gllm_graph_create(f->c, "named", 64, 3, 1, &g, &f->e), GLLM_OK))
			return;
		gllm_tensor y = gllm_graph_tensor(g, GLLM_TENSOR_OUTPUT, GLLM_F32, N, d, "y"),
		            x = gllm_graph_tensor(g, GLLM_TENSOR_WEIGHT, GLLM_F32, TABLE, d, "x"),
		            i = gllm_graph_tensor(g, GLLM_TENSOR_INPUT, GLLM_U32, 1, N, "i");
		gllm_graph_node(g, GLLM_OP_gather, 1, (struct gllm_actual[]){ GLLM_T(y), GLLM_T(x), GLLM_T(i), GLLM_D(N), GLLM_D(d) }, 5);
		struct gllm_plan *past = plan_of(f, g, 1);
		if (!past)
			return;
		bool fetched = times_named(f, past, "prefetch") + times_named(f, past, "prfm") != 0;
		CHECK_EQ(f->t, fetched, f->config->profile.vector_bytes != 0 && d * 4 >= 2048);
		for (f->workers = 1; f->workers < 4; f->workers++) {
			void *bind[] = { f->y, table, index };
			bool same = CHECK_STATUS(f->t, gllm_plan_run(past, bind, 1, NULL, &f->e), GLLM_OK);
			for (uint64_t k = 0; k < N * d; k++)
				same = same && f->y[k] == table[index[k / d] * d + k % d];
			if (!CHECK(f->t, same))
				check_print(f->t, "     %llu columns\n", (unsigned long long)d);
		}
		f->workers = 1;
		gllm_plan_free(f->c, past);
		gllm_graph_free(f->c, g);
	}
	if (h->guarded && index)
		h->guarded_free(h->user, index, N * sizeof *index, true);
	f->arena = mark;
}

/* Mere sums go over long rows one by one, and fetch ahead; over short ones several at a time, and do not. */
static void mere_sums(struct fixture *f)
{
	static const uint64_t cols[] = { 64, 500, 1000 };
	for (unsigned c = 0; c < GLLM_COUNT(cols); c++) {
		uint64_t rows = MOST / cols[c];
		struct gllm_graph *g = NULL;
		if (!CHECK_STATUS(f->t, gllm_graph_create(f->c, "sums", 64, 2, 1, &g, &f->e), GLLM_OK))
			return;
		gllm_tensor y = gllm_graph_tensor(g, GLLM_TENSOR_OUTPUT, GLLM_F32, rows, 1, "y"),
		            x = gllm_graph_tensor(g, GLLM_TENSOR_INPUT, GLLM_F32, rows, cols[c], "x");
		gllm_graph_node(g, GLLM_OP_max, rows, (struct gllm_actual[]){ GLLM_T(y), GLLM_T(x), GLLM_D(cols[c]) }, 3);
		struct gllm_plan *through = plan_of(f, g, UINT32_MAX), *past = plan_of(f, g, 1);
		if (!through || !past)
			return;
		unsigned fetched = times_named(f, past, "prefetch") + times_named(f, past, "prfm"), vectors = f->config->profile.vector_bytes;
		CHECK_EQ(f->t, times_named(f, through, "prefetch") + times_named(f, through, "prfm"), 0);
		CHECK(f->t, (fetched != 0) == (vectors != 0 && cols[c] * 4 >= 2048));
		same_bits(f, g, through, past, rows);
	}
}

/* What follows the sums of a product, block by block, fetches nothing ahead, but stores past the caches. */
static void behind_products(struct fixture *f, bool exists)
{
	const uint64_t l2 = f->config->profile.cache[1].bytes, k = 1024, n = (l2 ? l2 : 256 << 10) * 8 / 4 / k + 64;
	struct gllm_graph *g = NULL;
	if (!CHECK_STATUS(f->t, gllm_graph_create(f->c, "behind", 1, 5, 2, &g, &f->e), GLLM_OK))
		return;
	gllm_tensor y = gllm_graph_tensor(g, GLLM_TENSOR_OUTPUT, GLLM_F32, 8, n, "y"), p = gllm_graph_tensor(g, GLLM_TENSOR_VALUE, GLLM_F32, 8, n, "p"),
	            x = gllm_graph_tensor(g, GLLM_TENSOR_INPUT, GLLM_F32, 8, k, "x"), w = gllm_graph_tensor(g, GLLM_TENSOR_WEIGHT, GLLM_F32, n, k, "w"),
	            more = gllm_graph_tensor(g, GLLM_TENSOR_INPUT, GLLM_F32, 8, n, "more");
	gllm_graph_node(g, GLLM_OP_gemm_bt, 1, (struct gllm_actual[]){ GLLM_T(p), GLLM_T(x), GLLM_T(w), GLLM_D(8), GLLM_D(n), GLLM_D(k) }, 6);
	gllm_graph_node(g, GLLM_OP_add, 8, (struct gllm_actual[]){ GLLM_T(y), GLLM_T(p), GLLM_T(more), GLLM_D(n) }, 4);
	struct gllm_plan *plan = plan_of(f, g, 1);
	if (plan && CHECK(f->t, gllm_plan_steps(plan) > 1)) {
		unsigned last = gllm_plan_steps(plan) - 1;
		CHECK_EQ(f->t, times_from(f, plan, last, "prefetch", "") + times_from(f, plan, last, "prfm", ""), 0);
		CHECK_EQ(f->t, times_from(f, plan, last, "vmovntps ", "") != 0, exists);
		gllm_plan_free(f->c, plan);
	}
	gllm_graph_free(f->c, g);
}

void check_past(struct check *t)
{
	struct fixture f = { .t = t, .workers = 1 };
	struct gllm_config config;
	size_t size;
	unsigned char *memory = check_memory(t, &size);
	if (!check_compiler(t, &f.workers, &config))
		return;
	config.profile.cores = 0; /* what is small is shared, too */
	f.config = &config;
	gllm_arena_init(&f.arena, memory, size);
	void *p = gllm_alloc(&f.arena, gllm_context_quote(&config), 64);
	if (!CHECK_STATUS(t, gllm_context_create(p, gllm_context_quote(&config), &config, &f.c, &f.e), GLLM_OK))
		return;
	f.x = gllm_alloc_array(&f.arena, 2 * ROOM, sizeof(float), 64);
	f.y = gllm_alloc_array(&f.arena, ROOM, sizeof(float), 64);
	f.want = gllm_alloc_array(&f.arena, ROOM, sizeof(float), 64);
	if (!CHECK(t, f.x && f.y && f.want))
		return;
	for (unsigned i = 0; i < 2 * ROOM; i++)
		f.x[i] = check_float(t, -3.0f, 3.0f);
	struct gllm_machine m;
	bool exists = CHECK_STATUS(t, config.target->machine(&config.profile, &m), GLLM_OK) && m.past;
	for (unsigned k = 0; k < KINDS; k++)
		if (own[k].fn && !CHECK_STATUS(t, gllm_register(f.c, own[k].name, own[k].fn, own_param, 3, NULL, &f.op[k], &f.e), GLLM_OK))
			return;
	for (unsigned k = 0; k < KINDS; k++)
		same_results(&f, (enum kind)k, exists && own[k].goes);
	which_outputs(&f, exists);
	mere_sums(&f);
	several_stores(&f, exists);
	turned_lines(&f, exists);
	named_rows(&f);
	behind_products(&f, exists);
}
