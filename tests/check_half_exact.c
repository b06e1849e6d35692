/* SPDX-License-Identifier: MIT
 * tests/check_half_exact.c - operators that round at most once between what they load and what they store: on F16 tensors
 * they give, bit for bit, what their definition gives on the widened elements, narrowed. Where the CPU has arithmetic of
 * halves it is used, and only in these.
 *
 * Operands are all 65,536 halves; of two, each of them with hostile and random ones. Results that are no numbers are equal
 * to each other: which one comes out is the machine's choice. */
#include "check.h"
#include "core/arena.h"
#include "core/bits.h"
#include "core/target.h"
#include "fixtures/user_ops.h"
#include "gllm/calls.h"
#include "gllm/graph.h"
#include "jit/context.h"

#if GLLM_JIT

enum { ALL = 65536, GUARD = 0xa5a5, MOST = 4 };

struct row {
	const char *name;
	unsigned in, out;  /* tensors */
	enum { NEVER, UNLESS_SLOW, ALWAYS } halves; /* computed as halves where the machine can */
};

static const struct row rows[] = {
	{ "copy", 1, 1, ALWAYS }, { "neg", 1, 1, ALWAYS }, { "abs", 1, 1, ALWAYS }, { "relu", 1, 1, ALWAYS },
	{ "add", 2, 1, ALWAYS }, { "sub", 2, 1, ALWAYS }, { "mul", 2, 1, ALWAYS }, { "div", 2, 1, UNLESS_SLOW },
	{ "user_quarter_below", 1, 1, ALWAYS }, { "user_root_of_size", 1, 1, UNLESS_SLOW }, { "user_max_of_two", 2, 1, ALWAYS },
	{ "user_sum_above_zero", 2, 1, ALWAYS }, { "user_gap_below_three", 2, 1, ALWAYS }, { "user_sum_and_gap", 2, 2, ALWAYS },
	{ "user_reversed", 1, 1, NEVER }, { "user_softsign", 1, 1, NEVER }, { "user_huber", 2, 1, NEVER },
};

struct lab {
	struct check *t;
	struct gllm_context *c;
	struct gllm_arena arena;
	uint16_t *half[MOST];  /* outputs first */
	float *wide[MOST];     /* of the definition */
	unsigned char *workspace;
};

static uint16_t hostile(struct lab *l)
{
	static const uint16_t special[] = { 0, 1, 2, 3, 0x1ff, 0x200, 0x3fe, 0x3ff, 0x400, 0x401, 0x07ff, 0x0800, 0x1400, 0x3555, 0x37ff,
	                                    0x3bff, 0x3c00, 0x3c01, 0x4000, 0x4200, 0x53ff, 0x77ff, 0x7800, 0x7bfe, 0x7bff, 0x7c00,
	                                    0x7c01, 0x7e00, 0x7fff };
	uint16_t h = (uint16_t)check_random(l->t);

	return check_below(l->t, 3) ? h : (uint16_t)(special[check_below(l->t, GLLM_COUNT(special))] | (h & 0x8000));
}

static bool equal(uint16_t a, uint16_t b)
{
	return a == b || ((a & 0x7fff) > 0x7c00 && (b & 0x7fff) > 0x7c00);
}

/* Runs the definition on the widened inputs and compares n elements of each output. */
static bool agrees(struct lab *l, const struct row *r, unsigned op, size_t n, const char *how)
{
	union gllm_arg arg[MOST + 1];
	const struct user_op *u = NULL;

	for (unsigned k = 0; k < r->out + r->in; k++) {
		arg[k].ptr = l->wide[k];
		for (size_t i = 0; i < n && k >= r->out; i++)
			l->wide[k][i] = gllm_f16_to_f32(l->half[k][i]);
	}
	arg[r->out + r->in].dim = n;
	for (unsigned k = 0; k < USER_COUNT && op >= GLLM_OP_COUNT; k++)
		if (gllm_op_find(l->c, user_op[k].name) == op)
			u = &user_op[k];
	if (u)
		u->call(u->fn, arg);
	else
		gllm_builtin_call(op)(gllm_op_info[op].ref, arg);
	for (unsigned k = 0; k < r->out; k++)
		for (size_t i = 0; i < n; i++) {
			uint16_t want = gllm_f32_to_f16(l->wide[k][i]), got = l->half[k][i];
			if (equal(got, want))
				continue;
			check_print(l->t, "     %s %s: element %zu of %zu is %04x, not %04x (%04x, %04x)\n", r->name, how, i, n, got, want,
			            l->half[r->out][i], l->half[r->out + r->in - 1][i]);
			return false;
		}
	return true;
}

static void guard(struct lab *l, const struct row *r, size_t n)
{
	for (unsigned k = 0; k < r->out; k++)
		for (size_t i = 0; i < n + 64; i++)
			l->half[k][i] = GUARD;
}

static bool kept(const struct lab *l, const struct row *r, size_t n)
{
	bool ok = true;

	for (unsigned k = 0; k < r->out; k++)
		for (size_t i = n; i < n + 64; i++)
			ok = ok && l->half[k][i] == GUARD;
	return ok;
}

static struct gllm_plan *compile(struct lab *l, const struct row *r, unsigned op, size_t n)
{
	static const char *const name[MOST] = { "p", "q", "r", "s" };
	struct gllm_graph *g;
	struct gllm_plan *p = NULL;
	struct gllm_actual actual[MOST + 1];
	struct gllm_error e = { .status = GLLM_OK };

	if (!CHECK_STATUS(l->t, gllm_graph_create(l->c, r->name, 1, MOST, 1, &g, &e), GLLM_OK))
		return NULL;
	for (unsigned k = 0; k < r->out + r->in; k++)
		actual[k] = GLLM_T(gllm_graph_tensor(g, k < r->out ? GLLM_TENSOR_OUTPUT : GLLM_TENSOR_INPUT, GLLM_F16, 1, n, name[k]));
	actual[r->out + r->in] = GLLM_D(n);
	gllm_graph_node(g, op, 1, actual, r->out + r->in + 1);
	if (!CHECK_STATUS(l->t, gllm_compile(l->c, g, &(struct gllm_plan_options){ .readback = true }, &p, &e), GLLM_OK))
		check_print(l->t, "     %s: %s\n", r->name, e.what);
	gllm_graph_free(l->c, g);
	return p;
}

/* Does an instruction of the plan convert between F16 and F32? */
static bool converts(const struct lab *l, const struct gllm_plan *p)
{
	const struct gllm_target *target = check_target(l->t);
	const unsigned char *code = check_exec(l->t)->exec;
	bool found = false;

	for (unsigned i = 0; i < gllm_plan_steps(p); i++) {
		struct gllm_step_info s;
		struct gllm_insn insn = { .length = 0 };
		char text[128];
		gllm_plan_step(p, i, &s);
		for (uint32_t at = 0; at < s.code_bytes; at += insn.length) {
			if (target->decode(code + s.code_offset + at, s.code_bytes - at, at, &insn) != GLLM_OK)
				return !CHECK(l->t, false && "code is decoded");
			target->text(&insn, text, sizeof text);
			found |= text[0] == 'v' ? text[1] == 'c' && text[2] == 'v' : text[0] == 'f' && text[1] == 'c' && text[2] == 'v';
		}
	}
	return found;
}

static bool run(struct lab *l, const struct row *r, const struct gllm_plan *p)
{
	void *bind[MOST];

	for (unsigned k = 0; k < r->out + r->in; k++)
		bind[k] = l->half[k];
	return CHECK_STATUS(l->t, gllm_plan_run(p, bind, 1, l->workspace, NULL), GLLM_OK);
}

/* All halves; of two operands each with another of the second in every pass, as first and as second. */
static void check_all(struct lab *l, const struct row *r, unsigned op, const struct gllm_machine *m)
{
	struct gllm_plan *p = compile(l, r, op, ALL);
	unsigned passes = r->in == 1 ? 1 : 24;
	bool ok = p != NULL;

	if (!p)
		return;
	if (!CHECK_EQ(l->t, converts(l, p), !m->halves || r->halves < (m->slow_half_div ? ALWAYS : UNLESS_SLOW)))
		check_print(l->t, "     %s\n", r->name);
	for (unsigned pass = 0; pass < passes && ok; pass++) {
		unsigned swap = pass % 2, one = hostile(l);
		for (unsigned i = 0; i < ALL; i++) {
			uint16_t first = (uint16_t)i, second = pass < passes / 2 ? (uint16_t)one : hostile(l);
			l->half[r->out][i] = swap ? second : first;
			l->half[r->out + r->in - 1][i] = r->in == 1 || swap ? first : second;
		}
		guard(l, r, ALL);
		ok = run(l, r, p) && CHECK(l->t, agrees(l, r, op, ALL, "of all halves")) && CHECK(l->t, kept(l, r, ALL));
	}
	gllm_plan_free(l->c, p);
}

/* Lengths around one vector and several, known to the code. */
static void check_lengths(struct lab *l, const struct row *r, unsigned op)
{
	static const uint8_t length[] = { 1, 5, 8, 13, 31, 32, 33, 47, 64, 100, 159 };

	for (unsigned k = 0; k < GLLM_COUNT(length); k++) {
		struct gllm_plan *p = compile(l, r, op, length[k]);
		for (unsigned i = 0; i < 256; i++)
			for (unsigned in = r->out; in < r->out + r->in; in++)
				l->half[in][i] = hostile(l);
		guard(l, r, length[k]);
		if (p && run(l, r, p)) {
			CHECK(l->t, agrees(l, r, op, length[k], "of a known length"));
			CHECK(l->t, kept(l, r, length[k]));
		}
		gllm_plan_free(l->c, p);
	}
}

/* One function for all lengths, on elements that are not aligned to vectors. */
static void check_function(struct lab *l, const struct row *r, unsigned op, gllm_any_fn *fn)
{
	bool ok = true;

	for (unsigned i = 0; i < 512; i++)
		for (unsigned in = r->out; in < r->out + r->in; in++)
			l->half[in][i] = hostile(l);
	for (unsigned n = 0; n < 200 && ok; n++) {
		struct lab at = *l;
		union gllm_arg arg[MOST + 1];
		for (unsigned k = 0; k < r->out + r->in; k++)
			arg[k].ptr = at.half[k] += n % 5;
		arg[r->out + r->in].dim = n;
		guard(&at, r, n);
		gllm_builtin_call(op)(fn, arg);
		ok = CHECK(l->t, agrees(&at, r, op, n, "as a function")) && CHECK(l->t, kept(&at, r, n));
	}
}

/* --- products of halves added to words ------------------------------------------------------------------------------------ */

enum { M = 5, N = 37, K = 70 };

static bool product(struct lab *l, struct gllm_context *c, const char *name, unsigned dims, uint16_t *out)
{
	const uint64_t size[3][3] = { { 1, K, K }, { M, M * K, K }, { M * N, M * K, N * K } }; /* of output and inputs */
	struct gllm_graph *g;
	struct gllm_plan *p;
	struct gllm_actual actual[6];
	const uint64_t dim[3][3] = { { K, 0, 0 }, { M, K, 0 }, { M, N, K } };
	void *bind[3] = { out, l->half[1], l->half[2] };

	if (!CHECK_STATUS(l->t, gllm_graph_create(c, name, 1, 3, 1, &g, NULL), GLLM_OK))
		return false;
	for (unsigned k = 0; k < 3; k++)
		actual[k] = GLLM_T(gllm_graph_tensor(g, k ? GLLM_TENSOR_INPUT : GLLM_TENSOR_OUTPUT, GLLM_F16, 1, size[dims - 1][k],
		                                     k == 0 ? "c" : k == 1 ? "a" : "b"));
	for (unsigned k = 0; k < dims; k++)
		actual[3 + k] = GLLM_D(dim[dims - 1][k]);
	gllm_graph_node(g, gllm_op_find(c, name), 1, actual, 3 + dims);
	bool ok = CHECK_STATUS(l->t, gllm_compile(c, g, &(struct gllm_plan_options){ .readback = true }, &p, NULL), GLLM_OK);
	gllm_graph_free(c, g);
	if (!ok)
		return false;
	ok = CHECK_STATUS(l->t, gllm_plan_run(p, bind, 1, l->workspace, NULL), GLLM_OK);
	gllm_plan_free(c, p);
	return ok;
}

static const struct { const char *name; uint8_t dims; } form[] = { { "dot", 1 }, { "gemv", 2 }, { "gemm", 3 }, { "gemm_bt", 3 } };
enum { PASSES = 8 };

/* All products of the same operands whenever it is called, behind each other in `out`. */
static bool products(struct lab *l, struct gllm_context *c, uint16_t *out)
{
	uint64_t mark = l->t->random;
	bool ok = true;

	for (unsigned k = 0; k < GLLM_COUNT(form) * PASSES && ok; k++) {
		unsigned pass = k % PASSES;
		for (unsigned i = 0; i < 4096; i++)
			for (unsigned in = 1; in < 3; in++)
				l->half[in][i] = pass < 2 ? hostile(l) : (uint16_t)(check_random(l->t) & (pass & 1 ? 0xbbff : 0xafff));
		ok = product(l, c, form[k / PASSES].name, form[k / PASSES].dims, out + k * M * N);
	}
	l->t->random = mark;
	return ok;
}

/* From here on the suite's own context is not used: both may have the same memory for code. */
static struct gllm_context *without_widening(struct lab *l)
{
	struct gllm_config config = { .target = check_target(l->t), .profile = *check_profile(l->t), .image = *check_image(l->t),
		.recorded = l->t->host->recorded, .nrecorded = l->t->host->nrecorded, .host.code = *check_exec_fresh(l->t) };
	size_t need = gllm_context_quote(&config);
	void *memory = gllm_alloc(&l->arena, need, 64);
	struct gllm_context *c = NULL;

	config.profile.have &= ~(GLLM_BIT(GLLM_A64_FHM) | GLLM_BIT(GLLM_A64_SVE2));
	CHECK(l->t, memory && gllm_context_create(memory, need, &config, &c, NULL) == GLLM_OK);
	return c;
}

/* The same bits as of a CPU that widens first. */
static void check_products(struct lab *l)
{
	uint16_t *got = (uint16_t *)(void *)l->wide[0], *want = (uint16_t *)(void *)l->wide[1];
	struct gllm_context *without;
	unsigned bad = 0;

	for (unsigned i = 0; i < GLLM_COUNT(form) * PASSES * M * N; i++)
		got[i] = want[i] = 0;
	if (!products(l, l->c, got))
		return;
	without = without_widening(l);
	if (!without || !products(l, without, want))
		return;
	for (unsigned i = 0; i < GLLM_COUNT(form) * PASSES * M * N; i++)
		bad += !equal(got[i], want[i]);
	CHECK_EQ(l->t, bad, 0);
}

static bool register_users(struct lab *l)
{
	bool ok = true;

	for (unsigned i = 0; i < USER_COUNT; i++) {
		unsigned op;
		ok = ok && CHECK_STATUS(l->t, gllm_register(l->c, user_op[i].name, user_op[i].fn, user_op[i].param, user_op[i].nparams,
		                                            user_op[i].call, &op, NULL), GLLM_OK);
	}
	return ok;
}

static bool open(struct lab *l)
{
	struct gllm_config config = { .target = check_target(l->t), .profile = *check_profile(l->t), .image = *check_image(l->t),
		.recorded = l->t->host->recorded, .nrecorded = l->t->host->nrecorded, .host.code = *check_exec(l->t), .max_ops = USER_COUNT };
	struct gllm_error e = { .status = GLLM_OK };
	size_t size, need = gllm_context_quote(&config);
	unsigned char *all = check_memory(l->t, &size);

	gllm_arena_init(&l->arena, all, size);
	void *memory = gllm_alloc(&l->arena, need, 64);
	for (unsigned k = 0; k < MOST; k++) {
		l->half[k] = gllm_alloc_array(&l->arena, ALL + 128, sizeof *l->half[k], 64);
		l->wide[k] = gllm_alloc_array(&l->arena, ALL + 128, sizeof *l->wide[k], 64);
	}
	l->workspace = gllm_alloc(&l->arena, 1 << 20, 64);
	return CHECK(l->t, memory && l->workspace) &&
	       CHECK_STATUS(l->t, gllm_context_create(memory, need, &config, &l->c, &e), GLLM_OK) && register_users(l);
}

void check_half_exact(struct check *t)
{
	struct lab l = { .t = t };
	struct gllm_machine machine;
	struct gllm_calls calls;

	if (!check_target(t) || !check_image(t) || !check_exec(t) || !check_profile(t)->vector_bytes) {
		check_skip(t, "compiled plans need a back end, vector units and executable memory");
		return;
	}
	if (check_target(t)->machine(check_profile(t), &machine) != GLLM_OK || !machine.halves)
		check_skip(t, "this CPU has no vectors of halves: what it computes in F32 is checked");
	if (!open(&l))
		return;
	for (unsigned k = 0; k < GLLM_COUNT(rows); k++) {
		unsigned op = gllm_op_find(l.c, rows[k].name);
		if (!CHECK(t, op < GLLM_OP_COUNT + USER_COUNT))
			continue;
		check_all(&l, &rows[k], op, &machine);
		check_lengths(&l, &rows[k], op);
	}
	CHECK_STATUS(t, gllm_calls_fill(l.c, GLLM_CALLS_F16, &calls, NULL), GLLM_OK);
	for (unsigned k = 0; k < GLLM_COUNT(rows); k++) {
		unsigned op = gllm_op_find(l.c, rows[k].name);
		if (op < GLLM_OP_COUNT && calls.f16.any[op])
			check_function(&l, &rows[k], op, calls.f16.any[op]);
	}
	if (machine.widens)
		check_products(&l);
}

#else

void check_half_exact(struct check *t)
{
	check_skip(t, "built without back ends");
}

#endif
