/* SPDX-License-Identifier: MIT
 * tests/check_dot.c - products of narrow elements by instructions that multiply several at a time, where the CPU has them, with
 * the instructions there exactly when the profile says so. BF16: against sums in double precision of the same elements; 8-bit
 * integers, in operators of a user: equal to what the function gives. */
#include "check.h"
#include "core/arena.h"
#include "core/bits.h"
#include "core/target.h"
#include "fixtures/user_ops.h"
#include "gllm/graph.h"

#if GLLM_JIT

enum { MOST = 128 * 384, BEHIND = 128 };

/* Products c[m][n] of a and b, whose element (i, k) or (k, j) lies at i * m_step + k, k * k_step + j * n_step. */
struct form {
	const char *op;
	bool along_rows, bias; /* b is [n][k]; one more operand, of n elements */
	unsigned dims;         /* m and n alone: a vector in place of b; n alone: two vectors */
};
static const struct form form[] = {
	{ "gemm_bt", true, false, 3 }, { "gemm", false, false, 3 }, { "gemm_bt_bias", true, true, 3 }, { "gemm_bias", false, true, 3 },
	{ "gemv", false, false, 2 }, { "dot", false, false, 1 },
};

/* Odd depths, tails of every loop, small ones, ones that are blocked and packed. */
static const struct { uint64_t m, n, k; } shape[] = {
	{ 1, 1, 2 }, { 3, 5, 7 }, { 2, 3, 8 }, { 5, 17, 34 }, { 4, 64, 258 }, { 31, 49, 98 }, { 64, 96, 128 }, { 50, 100, 384 }, { 33, 70, 131 },
};

/* Of fixed rows; the same in small blocks, several of them each way; of rows that are told when the plan runs. */
enum way { FIXED, BLOCKS, ROWS, WAYS };

struct lab {
	struct check *t;
	struct gllm_context *c;
	struct gllm_arena arena;
	struct gllm_machine machine;
	const struct form *f;
	enum way way;
	uint64_t m, n, k;
	uint16_t *a, *b, *bias;
	float *out;
};

static float element(uint16_t h)
{
	return gllm_bf16_to_f32(h);
}

static bool begins(const char *text, const char *with)
{
	while (*with && *text == *with) {
		text++;
		with++;
	}
	return *with == '\0';
}

/* Instructions among the plan's that multiply several elements at a time; those of tiles apart. */
struct found { unsigned dots, tiles; };

static struct found find(const struct lab *l, const struct gllm_plan *p)
{
	static const char *const name[] = { "bfdot", "sdot", "udot", "usdot", "sudot", "vdpbf16ps", "vpdpbusd",
	                                    "bfmmla", "smmla", "ummla", "usmmla" };
	enum { TILES = 7 };
	const struct gllm_target *target = check_target(l->t);
	const unsigned char *code = check_exec(l->t)->exec;
	struct found found = { 0, 0 };
	for (unsigned i = 0; i < gllm_plan_steps(p); i++) {
		struct gllm_step_info s;
		struct gllm_insn insn = { .length = 0 };
		char text[128];
		gllm_plan_step(p, i, &s);
		for (uint32_t at = 0; at < s.code_bytes; at += insn.length) {
			if (target->decode(code + s.code_offset + at, s.code_bytes - at, at, &insn) != GLLM_OK)
				return CHECK(l->t, false && "code is decoded"), found;
			target->text(&insn, text, sizeof text);
			for (unsigned k = 0; k < GLLM_COUNT(name); k++)
				*(k < TILES ? &found.dots : &found.tiles) += begins(text, name[k]);
		}
	}
	return found;
}

static const struct gllm_tuning small = { .mc = 16, .kc = 24, .nc = 32 };

static struct gllm_plan *compile(struct lab *l, void **bind)
{
	const struct form *f = l->f;
	struct gllm_graph *g;
	struct gllm_plan *p = NULL;
	struct gllm_error e = { .status = GLLM_OK };
	struct gllm_actual actual[8];
	unsigned n = 0;
	if (!CHECK_STATUS(l->t, gllm_graph_create(l->c, f->op, l->way == ROWS ? l->m : 1, 4, 1, &g, &e), GLLM_OK))
		return NULL;
	uint64_t rows = f->dims == 1 ? 1 : l->way == ROWS ? GLLM_ROWS : l->m, columns = f->dims == 3 ? l->n : 1;
	gllm_tensor out = gllm_graph_tensor(g, GLLM_TENSOR_OUTPUT, GLLM_F32, rows, columns, "c");
	gllm_tensor a = gllm_graph_tensor(g, GLLM_TENSOR_INPUT, GLLM_BF16, rows, l->k, "a");
	gllm_tensor b = gllm_graph_tensor(g, GLLM_TENSOR_INPUT, GLLM_BF16, l->k, columns, "b"), bias = GLLM_NO_TENSOR;
	bind[out] = l->out;
	bind[a] = l->a;
	bind[b] = l->b;
	actual[n++] = GLLM_T(out);
	actual[n++] = GLLM_T(a);
	actual[n++] = GLLM_T(b);
	if (f->bias) {
		bias = gllm_graph_tensor(g, GLLM_TENSOR_INPUT, GLLM_BF16, 1, columns, "bias");
		bind[bias] = l->bias;
		actual[n++] = GLLM_T(bias);
	}
	if (f->dims > 1)
		actual[n++] = GLLM_D(rows);
	if (f->dims > 2)
		actual[n++] = GLLM_D(l->n);
	actual[n++] = GLLM_D(l->k);
	gllm_graph_node(g, gllm_op_find(l->c, f->op), 1, actual, n);
	const struct gllm_plan_options options = { .readback = true, .tuning = l->way == BLOCKS ? &small : NULL };
	if (!CHECK_STATUS(l->t, gllm_compile(l->c, g, &options, &p, &e), GLLM_OK))
		check_print(l->t, "     %s %s\n", e.what, e.name);
	gllm_graph_free(l->c, g);
	return p;
}

/* An ulp per operation of the sum; denormals may be taken as zeros, by infinities too. */
static bool close_enough(const struct lab *l, uint64_t i, uint64_t j, float got)
{
	bool wild = false; /* infinite times what may be zero */
	double sum = l->f->bias ? (double)element(l->bias[j]) : 0, terms = sum < 0 ? -sum : sum, lost = 0;
	for (uint64_t k = 0; k < l->k; k++) {
		double x = (double)element(l->a[i * l->k + k]);
		double y = (double)element(l->b[l->f->dims < 3 ? k : l->f->along_rows ? j * l->k + k : k * l->n + j]), z = x * y;
		double ax = x < 0 ? -x : x, ay = y < 0 ? -y : y;
		sum += z;
		terms += ax * ay;
		wild = wild || (ax - ax != 0 && ay < 0x1p-126) || (ay - ay != 0 && ax < 0x1p-126);
		lost += (ax < 0x1p-126 || ay < 0x1p-126 ? ax * ay : 0) + 0x1p-125;
	}
	if (wild)
		return got - got != 0;
	if (sum != sum || terms - terms != 0) /* not a number, or infinite terms */
		return sum != sum ? got != got : got == (float)sum;
	double off = (double)got - sum;
	return (off < 0 ? -off : off) <= ((double)l->k + 2) * 0x1p-23 * terms + lost;
}

static uint16_t any_half(struct check *t, bool hostile)
{
	static const uint16_t special[] = { 0, 0x8000, 1, 0x8012, 0x7f, 0x0080, 0x7f80, 0xff80, 0x7fc0, 0x0300, 0x4e80 };
	if (hostile && check_below(t, 256) == 0)
		return special[check_below(t, GLLM_COUNT(special))];
	return gllm_f32_to_bf16(check_float(t, -2.0f, 2.0f));
}

static void check_run(struct lab *l, const struct gllm_plan *p, void *const *bind, uint64_t rows)
{
	struct gllm_arena mark = l->arena;
	uint64_t columns = l->f->dims == 3 ? l->n : 1, bad = 0;
	for (unsigned i = 0; i < rows * columns + BEHIND; i++)
		l->out[i] = 0.5f;
	CHECK_STATUS(l->t, gllm_plan_run(p, bind, l->way == ROWS ? rows : 1, gllm_alloc(&l->arena, gllm_plan_workspace(p) + 64, 64), NULL), GLLM_OK);
	unsigned step = l->way == FIXED ? 1 : 13; /* some elements of those that differ in their order alone */
	for (uint64_t i = 0; i < rows; i++)
		for (uint64_t j = check_below(l->t, step); j < columns; j += step)
			if (!close_enough(l, i, j, l->out[i * columns + j]) && bad++ == 0)
				check_print(l->t, "     %s %llux%llux%llu, way %u: c[%llu][%llu] is %08lx\n", l->f->op, (unsigned long long)rows,
				            (unsigned long long)l->n, (unsigned long long)l->k, (unsigned)l->way, (unsigned long long)i,
				            (unsigned long long)j, (unsigned long)gllm_f32_bits(l->out[i * columns + j]));
	for (uint64_t i = 0; i < BEHIND; i++)
		bad += l->out[rows * columns + i] != 0.5f;
	CHECK_EQ(l->t, bad, 0);
	l->arena = mark;
}

/* What a product is made of: tiles where it is packed and pairs of words are whole. */
static void check_found(struct lab *l, struct found found, enum gllm_dot dot, unsigned word, bool packs)
{
	bool has = l->machine.dots & dot && l->k % word == 0;
	CHECK(l->t, (found.dots + found.tiles != 0) == has);
	CHECK(l->t, (found.tiles != 0) == (has && packs && l->machine.tiles & dot && l->k % (2 * word) == 0));
	CHECK(l->t, found.tiles == 0 || found.dots == 0);
}

static void check_one(struct lab *l, bool hostile)
{
	void *bind[4] = { NULL };
	for (unsigned i = 0; i < l->m * l->k; i++)
		l->a[i] = any_half(l->t, hostile);
	for (unsigned i = 0; i < l->n * l->k; i++)
		l->b[i] = any_half(l->t, hostile);
	for (unsigned i = 0; i < l->n; i++)
		l->bias[i] = any_half(l->t, false);
	struct gllm_plan *p = compile(l, bind);
	if (!p)
		return;
	bool large = l->f->along_rows && l->m >= 32 && l->n >= 64 && l->k >= 128; /* the others lie well */
	check_found(l, find(l, p), GLLM_DOT_BF16, 2, l->f->dims == 3 && l->m > 1 && (l->way == BLOCKS || large));
	if (l->way == ROWS)
		for (uint64_t rows = 1; rows < l->m; rows = 3 * rows + 2)
			check_run(l, p, bind, rows);
	check_run(l, p, bind, l->way == ROWS ? l->m : l->f->dims == 1 ? 1 : l->m);
	gllm_plan_free(l->c, p);
}

static void check_bytes(struct lab *l);

/* Forms [first, end), in code memory of their own: it serves once where it is emulated. */
static void check_profile_of(struct check *t, struct gllm_profile profile, unsigned first, unsigned end)
{
	size_t size;
	struct lab l = { .t = t };
	unsigned char *memory = check_memory(t, &size);
	gllm_arena_init(&l.arena, memory, size);
	struct gllm_config config = { .target = check_target(t), .profile = profile, .image = *check_image(t),
		.recorded = t->host->recorded, .nrecorded = t->host->nrecorded, .host.code = *check_exec_fresh(t) };
	size_t need = gllm_context_quote(&config);
	CHECK_STATUS(t, gllm_context_create(gllm_alloc(&l.arena, need, 64), need, &config, &l.c, NULL), GLLM_OK);
	l.a = gllm_alloc(&l.arena, MOST * sizeof *l.a, 64);
	l.b = gllm_alloc(&l.arena, MOST * sizeof *l.b, 64);
	l.bias = gllm_alloc(&l.arena, 256 * sizeof *l.bias, 64);
	l.out = gllm_alloc(&l.arena, MOST * sizeof *l.out, 64);
	if (!CHECK(t, l.c && l.out))
		return;
	CHECK_STATUS(t, config.target->machine(&profile, &l.machine), GLLM_OK);
	for (unsigned i = first; i < end; i++)
		for (unsigned k = 0; k < 2 * WAYS * GLLM_COUNT(shape); k++) {
			l.f = &form[i];
			l.m = shape[k / (2 * WAYS)].m;
			l.n = shape[k / (2 * WAYS)].n;
			l.k = shape[k / (2 * WAYS)].k;
			l.way = (enum way)(k / 2 % WAYS);
			bool other = l.f->dims == 3 && k % 2 == 0 && l.machine.dots & GLLM_DOT_BF16 && (i == 0 || l.k == 384);
			if (l.way == FIXED || other)
				check_one(&l, k % 2);
		}
	if (profile.slow_bf16)
		check_bytes(&l);
}

/* --- 8-bit integers -------------------------------------------------------------------------------------------------- */

static const struct { enum user_number op; enum gllm_dot dot; } byte_form[] = {
	{ USER_product_i8, GLLM_DOT_I8 },
	{ USER_product_u8, GLLM_DOT_U8 },
	{ USER_product_mixed, GLLM_DOT_U8_I8 },
};

/* `blocks`: small ones. */
static void check_bytes_of(struct lab *l, unsigned which, unsigned shape_number, bool blocks)
{
	const struct gllm_plan_options options = { .readback = true, .tuning = blocks ? &small : NULL };
	const struct user_op *u = &user_op[byte_form[which].op];
	const uint64_t m = shape[shape_number].m, n = shape[shape_number].n, k = shape[shape_number].k;
	unsigned char *a = (unsigned char *)l->a, *w = (unsigned char *)l->b;
	struct gllm_arena mark = l->arena;
	struct gllm_graph *g;
	struct gllm_plan *p;
	float *want = gllm_alloc(&l->arena, MOST * sizeof *want, 64);
	for (unsigned i = 0; i < m * k || i < n * k; i++) { /* extremes often: no sum may saturate on its way */
		a[i] = (unsigned char)(check_below(l->t, 4) ? check_random(l->t) : check_below(l->t, 2) ? 0x80 : 0xff);
		w[i] = (unsigned char)(check_below(l->t, 4) ? check_random(l->t) : check_below(l->t, 2) ? 0x80 : 0x7f);
	}
	if (!CHECK(l->t, want != NULL) || !CHECK_STATUS(l->t, gllm_graph_create(l->c, u->name, 1, 3, 1, &g, NULL), GLLM_OK))
		return;
	gllm_tensor y = gllm_graph_tensor(g, GLLM_TENSOR_OUTPUT, GLLM_F32, m, n, "c");
	gllm_tensor x = gllm_graph_tensor(g, GLLM_TENSOR_INPUT, u->param[1].type, m, k, "a");
	gllm_tensor z = gllm_graph_tensor(g, GLLM_TENSOR_WEIGHT, u->param[2].type, n, k, "w");
	const struct gllm_actual actual[] = { GLLM_T(y), GLLM_T(x), GLLM_T(z), GLLM_D(m), GLLM_D(n), GLLM_D(k), GLLM_S(0.125f) };
	gllm_graph_node(g, gllm_op_find(l->c, u->name), 1, actual, 7);
	bool ok = CHECK_STATUS(l->t, gllm_compile(l->c, g, &options, &p, NULL), GLLM_OK);
	gllm_graph_free(l->c, g);
	if (!ok)
		return;
	bool packs = blocks ? m > 1 : byte_form[which].op != USER_product_u8 && m >= 32 && n >= 64 && k >= 256; /* U8: lies well */
	CHECK(l->t, gllm_plan_steps(p) > 1 || !packs);
	l->k = k;
	check_found(l, find(l, p), byte_form[which].dot, 4, packs);
	void *bind[] = { l->out, a, w };
	const union gllm_arg arg[] = { { .ptr = want }, { .cptr = a }, { .cptr = w }, { .dim = m }, { .dim = n }, { .dim = k },
	                               { .scalar = 0.125f } };
	CHECK_STATUS(l->t, gllm_plan_run(p, bind, 1, gllm_alloc(&l->arena, gllm_plan_workspace(p) + 64, 64), NULL), GLLM_OK);
	u->call(u->fn, arg);
	unsigned bad = 0;
	for (uint64_t i = 0; i < m * n; i++)
		bad += l->out[i] != want[i];
	if (!CHECK_EQ(l->t, bad, 0))
		check_print(l->t, "     %s %llux%llux%llu\n", u->name, (unsigned long long)m, (unsigned long long)n, (unsigned long long)k);
	gllm_plan_free(l->c, p);
	l->arena = mark;
}

static void check_bytes(struct lab *l)
{
	for (unsigned i = 0; i < GLLM_COUNT(byte_form); i++) {
		const struct user_op *u = &user_op[byte_form[i].op];
		unsigned op;
		if (!CHECK_STATUS(l->t, gllm_register(l->c, u->name, u->fn, u->param, u->nparams, u->call, &op, NULL), GLLM_OK))
			return;
		for (unsigned k = 0; k < GLLM_COUNT(shape); k++)
			for (unsigned blocks = 0; blocks < 2; blocks++)
				check_bytes_of(l, i, k, blocks);
	}
}

void check_dot(struct check *t)
{
	if (!check_target(t) || !check_image(t) || !check_exec(t) || !check_profile(t)->vector_bytes) {
		check_skip(t, "compiled plans need a back end, vector units and executable memory");
		return;
	}
	struct gllm_profile p = *check_profile(t);
	struct gllm_machine m;
	p.slow_bf16 = false;
	if (check_target(t)->machine(&p, &m) != GLLM_OK || !(m.dots & GLLM_DOT_BF16))
		check_skip(t, "this CPU has no products of pairs");
	else
		for (unsigned i = 0; i < GLLM_COUNT(form); i += 2)
			check_profile_of(t, p, i, i + 2);
	p.slow_bf16 = true;
	check_profile_of(t, p, 0, GLLM_COUNT(form));
}

#else

void check_dot(struct check *t)
{
	check_skip(t, "built without back ends");
}

#endif
