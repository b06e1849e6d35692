/* SPDX-License-Identifier: MIT
 * tests/check_user.c - operators that are in no table of the library, through the public API alone.
 *
 * Each row of fixtures/user_ops.def is registered, lifted once, must have the pattern, loops and reductions its row states,
 * and must give what its function gives, bit for bit. What a graph and the back end take is also compiled and compared;
 * what they do not take must be refused with a status. */
#include "check.h"
#include "check_trial.h"
#include "core/bits.h"
#include "fixtures/user_ops.h"
#include "gllm/graph.h"
#include "gllm/ops.h"
#include "core/target.h"
#include "jit/lower.h"
#include "jit/vir.h"

enum { ROUNDS = 24, ROOM = 64 << 10, COMPILED = 60 };

struct shop {
	struct check *t;
	struct gllm_arena arena;
	struct gllm_context *c;
	struct gllm_error e;
	unsigned number[USER_COUNT]; /* as registered */
	unsigned char *got[GLLM_MAX_PARAMS], *want[GLLM_MAX_PARAMS], *workspace;
	union gllm_arg arg[GLLM_MAX_PARAMS];
};

static bool open_shop(struct shop *s, struct check *t)
{
	size_t size;
	*s = (struct shop){ .t = t };
	unsigned char *all = check_memory(t, &size);
	gllm_arena_init(&s->arena, all, size);
	struct gllm_config config = { .target = check_target(t), .profile = *check_profile(t), .image = *check_image(t),
	                              .max_ops = USER_COUNT };
	if (check_exec(t))
		config.host.code = *check_exec(t);
	size_t need = gllm_context_quote(&config);
	void *memory = gllm_alloc(&s->arena, need, 64);
	if (!CHECK_STATUS(t, gllm_context_create(memory, need, &config, &s->c, &s->e), GLLM_OK))
		return false;
	for (unsigned i = 0; i < GLLM_MAX_PARAMS; i++) {
		s->got[i] = gllm_alloc(&s->arena, ROOM, 64);
		s->want[i] = gllm_alloc(&s->arena, ROOM, 64);
	}
	s->workspace = gllm_alloc(&s->arena, ROOM, 64);
	return CHECK(t, s->workspace != NULL);
}

static bool check_registration(struct shop *s)
{
	for (unsigned i = 0; i < USER_COUNT; i++) {
		const struct user_op *u = &user_op[i];
		if (!CHECK_STATUS(s->t, gllm_register(s->c, u->name, u->fn, u->param, u->nparams, u->call, &s->number[i], &s->e), GLLM_OK))
			return false;
		CHECK_EQ(s->t, gllm_op_find(s->c, u->name), s->number[i]);
	}
	unsigned none = 12345;
	CHECK_STATUS(s->t, gllm_register(s->c, user_op[0].name, user_op[0].fn, user_op[0].param, 3, NULL, &none, &s->e), GLLM_DUPLICATE);
	CHECK_STATUS(s->t, gllm_register(s->c, "one too many", user_op[0].fn, user_op[0].param, 3, NULL, &none, &s->e),
	             GLLM_OUT_OF_MEMORY);
	CHECK_EQ(s->t, none, 12345);
	return true;
}

static void check_traces(struct shop *s, struct trial *x)
{
	struct gllm_stats stats;
	unsigned lifted = 0;
	for (unsigned i = 0; i < USER_COUNT; i++) {
		const struct user_op *u = &user_op[i];
		const struct gllm_trace *t = NULL, *again = NULL;
		struct gllm_error e = { .status = GLLM_OK };
		if (!CHECK_STATUS(s->t, gllm_op_trace(s->c, s->number[i], &t, &e), GLLM_OK)) {
			check_print(s->t, "     %s: %s at %llu\n", u->name, e.what, (unsigned long long)e.where);
			continue;
		}
		lifted++;
		CHECK(s->t, gllm_op_trace(s->c, s->number[i], &again, &e) == GLLM_OK && again == t);
		bool fits = CHECK_TEXT(s->t, gllm_pattern_name(t->pattern), gllm_pattern_name(u->pattern));
		fits = CHECK_EQ(s->t, t->nloops, u->loops) && fits;
		fits = CHECK_EQ(s->t, t->nreductions, u->reductions) && fits;
		bool right = CHECK(s->t, trial_agrees(x, t, u->fn, u->call, ROUNDS));
		if (!fits || !right)
			check_print(s->t, "     %s%s%s\n", u->name, right ? "" : " differs from its function: ", right ? "" : x->why);
	}
	gllm_context_stats(s->c, &stats);
	CHECK_EQ(s->t, stats.lifted, lifted); /* each once, however often it was asked for */
	CHECK_EQ(s->t, stats.injected, 0);
}

/* ---- compiled ------------------------------------------------------------------------------------------------------ */

static void draw(struct shop *s, const struct user_op *u, unsigned size)
{
	bool first = true;
	for (unsigned i = 0; i < u->nparams; i++) {
		const struct gllm_param *p = &u->param[i];
		s->arg[i].bits = 0;
		if (p->kind == GLLM_DIM) {
			s->arg[i].dim = p->name[0] == 's' ? 3 : size;
			continue;
		}
		if (p->kind == GLLM_SCALAR) {
			s->arg[i].scalar = p->name[0] == 'h' ? 1.25f : 0.375f; /* the upper bound of a clamp, anything else */
			continue;
		}
		/* The first operand takes both signs; the others are weights that nothing is divided by the vanishing sum of. */
		for (size_t k = 0; k < ROOM; k += 4) {
			float v = check_float(s->t, first ? -2.0f : 0.25f, 2.0f);
			if (p->type == GLLM_F16)
				gllm_put_le32(s->got[i] + k, (uint32_t)gllm_f32_to_f16(v) << 16 | gllm_f32_to_f16(-v));
			else
				gllm_put_le32(s->got[i] + k, p->type == GLLM_F32 ? gllm_f32_bits(v) : (uint32_t)check_random(s->t));
			gllm_put_le32(s->want[i] + k, gllm_le32(s->got[i] + k));
		}
		first = first && p->kind == GLLM_OUT;
		s->arg[i].ptr = s->want[i];
	}
}

static float magnitude(float x)
{
	return x < 0 ? -x : x;
}

/* Order of sums and joined products may differ; operands are tame, so errors stay near the rounding of the terms. */
static bool close(enum gllm_type type, const unsigned char *got, const unsigned char *want, size_t bytes)
{
	float bound = type == GLLM_F16 ? 1e-3f : 2e-5f;
	for (size_t k = 0; k < bytes; k += gllm_type_bytes(type)) {
		float g = type == GLLM_F16 ? gllm_f16_to_f32(gllm_le16(got + k)) : gllm_bits_f32(gllm_le32(got + k));
		float w = type == GLLM_F16 ? gllm_f16_to_f32(gllm_le16(want + k)) : gllm_bits_f32(gllm_le32(want + k));
		if (!(magnitude(g - w) <= bound * (1.0f + magnitude(w))))
			return false;
	}
	return true;
}

static enum gllm_status compile(struct shop *s, unsigned i, const struct gllm_trace *t, struct gllm_plan **plan,
                                struct gllm_error *e)
{
	static const struct gllm_plan_options options = { .readback = true };
	struct gllm_graph *g;
	struct gllm_actual actual[GLLM_MAX_PARAMS];
	const struct user_op *u = &user_op[i];
	enum gllm_status status = gllm_graph_create(s->c, u->name, 1, GLLM_MAX_PARAMS, 1, &g, e);
	if (status != GLLM_OK)
		return status;
	for (unsigned k = 0; k < u->nparams; k++) {
		const struct gllm_param *p = &u->param[k];
		if (p->kind == GLLM_DIM)
			actual[k] = GLLM_D(s->arg[k].dim);
		else if (p->kind == GLLM_SCALAR)
			actual[k] = GLLM_S(s->arg[k].scalar);
		else
			actual[k] = GLLM_T(gllm_graph_tensor(g, p->kind == GLLM_OUT ? GLLM_TENSOR_OUTPUT : GLLM_TENSOR_INPUT, p->type, 1,
			                                     gllm_trace_extent(t, k, s->arg) / gllm_type_bytes(p->type), p->name));
	}
	gllm_graph_node(g, s->number[i], 1, actual, u->nparams);
	status = gllm_graph_status(g, e);
	if (status == GLLM_OK)
		status = gllm_compile(s->c, g, &options, plan, e);
	gllm_graph_free(s->c, g);
	return status;
}

/* Once more with operands that end where memory does. */
static void run_at_the_end(struct shop *s, const struct user_op *u, const struct gllm_trace *t, const struct gllm_plan *plan)
{
	const struct check_host *h = s->t->host;
	void *bind[GLLM_MAX_PARAMS];
	size_t bytes[GLLM_MAX_PARAMS];
	unsigned n = 0;
	if (!h->guarded)
		return;
	for (unsigned k = 0; k < u->nparams; k++) {
		if (u->param[k].kind >= GLLM_DIM)
			continue;
		bytes[n] = (size_t)gllm_trace_extent(t, k, s->arg);
		unsigned char *p = bind[n] = h->guarded(h->user, bytes[n], true);
		for (size_t b = 0; p && b < bytes[n]; b++)
			p[b] = s->got[k][b];
		CHECK(s->t, p != NULL);
		n++;
	}
	CHECK_STATUS(s->t, gllm_plan_run(plan, bind, 1, s->workspace, NULL), GLLM_OK);
	while (n-- > 0)
		h->guarded_free(h->user, bind[n], bytes[n], true);
}

/* Graphs take no operators that do: all others compile. */
static bool updates(const struct user_op *u)
{
	bool any = false;
	for (unsigned k = 0; k < u->nparams; k++)
		any = any || u->param[k].kind == GLLM_INOUT;
	return any;
}

static bool check_one(struct shop *s, unsigned i, const struct gllm_trace *t, unsigned size)
{
	const struct user_op *u = &user_op[i];
	struct gllm_error e = { .status = GLLM_OK };
	struct gllm_plan *plan;
	void *bind[GLLM_MAX_PARAMS];
	unsigned n = 0;
	draw(s, u, size);
	enum gllm_status status = compile(s, i, t, &plan, &e);
	if (status != GLLM_OK) {
		CHECK(s->t, (status == GLLM_COMPILE_ERROR || status == GLLM_UNSUPPORTED) && e.what && updates(u));
		check_print(s->t, "not compiled: %s: %s\n", u->name, e.what ? e.what : "?");
		return false;
	}
	for (unsigned k = 0; k < u->nparams; k++)
		if (u->param[k].kind < GLLM_DIM)
			bind[n++] = s->got[k];
	CHECK(s->t, gllm_plan_workspace(plan) <= ROOM);
	CHECK_STATUS(s->t, gllm_plan_run(plan, bind, 1, s->workspace, &e), GLLM_OK);
	run_at_the_end(s, u, t, plan);
	u->call(u->fn, s->arg);
	for (unsigned k = 0; k < u->nparams; k++) {
		if (u->param[k].kind >= GLLM_DIM)
			continue;
		size_t bytes = u->param[k].kind == GLLM_OUT ? (size_t)gllm_trace_extent(t, k, s->arg) : 0;
		bool same = close(u->param[k].type, s->got[k], s->want[k], bytes);
		for (size_t b = bytes; b < ROOM; b++) /* inputs, and what lies behind an output */
			same = same && s->got[k][b] == s->want[k][b];
		if (!CHECK(s->t, same))
			check_print(s->t, "     %s, size %u: compiled code differs in %s: first %08x, want %08x\n", u->name, size,
			            u->param[k].name, gllm_le32(s->got[k]), gllm_le32(s->want[k]));
	}
	gllm_plan_free(s->c, plan);
	return true;
}

/* Words without a sign become floats by one rounding, on machines that have no such conversion, too. */
static void check_words(struct shop *s)
{
	enum { EACH = 8, ALL = 32 * EACH };
	const struct gllm_trace *t;
	struct gllm_error e = { .status = GLLM_OK };
	struct gllm_plan *plan;
	draw(s, &user_op[USER_words], ALL);
	uint32_t *q = (uint32_t *)(void *)s->got[1];
	for (unsigned i = 0; i < ALL; i++) {
		unsigned bit = i / EACH, half = bit < 24 ? 0 : UINT32_C(1) << (bit - 24); /* of the last place of a float */
		const uint32_t beside[EACH] = { 0, ~UINT32_C(0), 1, half, half - 1, half + 1, 3 * half, 3 * half + 1 };
		q[i] = (UINT32_C(1) << bit) + beside[i % EACH];
	}
	q[ALL - 1] = UINT32_MAX;
	if (!CHECK_STATUS(s->t, gllm_op_trace(s->c, s->number[USER_words], &t, &e), GLLM_OK) ||
	    !CHECK_STATUS(s->t, compile(s, USER_words, t, &plan, &e), GLLM_OK))
		return;
	CHECK_STATUS(s->t, gllm_plan_run(plan, (void *[]){ s->got[0], q }, 1, s->workspace, &e), GLLM_OK);
	bool right = true;
	for (unsigned i = 0; i < ALL; i++)
		right = right && gllm_le32(s->got[0] + 4 * i) == gllm_f32_bits((float)q[i]);
	CHECK(s->t, right);
	gllm_plan_free(s->c, plan);
}

static void check_compiled(struct shop *s)
{
	static const unsigned size[] = { 1, 7, 33 };
	const struct gllm_trace *t;
	unsigned compiled = 0;
	for (unsigned i = 0; i < USER_COUNT; i++) {
		if (gllm_op_trace(s->c, s->number[i], &t, NULL) != GLLM_OK)
			continue;
		bool all = true;
		for (unsigned k = 0; all && k < GLLM_COUNT(size); k++)
			all = check_one(s, i, t, size[k]);
		compiled += all;
	}
	check_print(s->t, "user operators: %u of %u compiled\n", compiled, (unsigned)USER_COUNT);
	CHECK(s->t, compiled >= COMPILED);
}

/* An operator of the user between two of the library is one kernel with them. */
static void check_fusion(struct shop *s)
{
	enum { N = 37 };
	struct gllm_graph *g;
	struct gllm_plan *plan;
	struct gllm_step_info info;
	struct gllm_error e = { .status = GLLM_OK };
	float *a = (float *)(void *)s->got[0], *b = (float *)(void *)s->got[1], *y = (float *)(void *)s->got[2];
	unsigned leaky = s->number[USER_leaky_relu], soft = s->number[USER_softsign];
	if (!CHECK_STATUS(s->t, gllm_graph_create(s->c, "chain", 1, 8, 4, &g, &e), GLLM_OK))
		return;
	gllm_tensor ta = gllm_graph_tensor(g, GLLM_TENSOR_INPUT, GLLM_F32, 1, N, "a");
	gllm_tensor tb = gllm_graph_tensor(g, GLLM_TENSOR_INPUT, GLLM_F32, 1, N, "b");
	gllm_tensor ty = gllm_graph_tensor(g, GLLM_TENSOR_OUTPUT, GLLM_F32, 1, N, "y");
	gllm_tensor t1 = gllm_graph_tensor(g, GLLM_TENSOR_VALUE, GLLM_F32, 1, N, "sum");
	gllm_tensor t2 = gllm_graph_tensor(g, GLLM_TENSOR_VALUE, GLLM_F32, 1, N, "leaky");
	gllm_tensor t3 = gllm_graph_tensor(g, GLLM_TENSOR_VALUE, GLLM_F32, 1, N, "soft");
	gllm_graph_node(g, GLLM_OP_add, 1, (struct gllm_actual[]){ GLLM_T(t1), GLLM_T(ta), GLLM_T(tb), GLLM_D(N) }, 4);
	gllm_graph_node(g, leaky, 1, (struct gllm_actual[]){ GLLM_T(t2), GLLM_T(t1), GLLM_D(N), GLLM_S(0.125f) }, 4);
	gllm_graph_node(g, soft, 1, (struct gllm_actual[]){ GLLM_T(t3), GLLM_T(t2), GLLM_D(N) }, 3);
	gllm_graph_node(g, GLLM_OP_mul, 1, (struct gllm_actual[]){ GLLM_T(ty), GLLM_T(t3), GLLM_T(tb), GLLM_D(N) }, 4);
	CHECK_STATUS(s->t, gllm_graph_status(g, &e), GLLM_OK);
	if (!CHECK_STATUS(s->t, gllm_compile(s->c, g, NULL, &plan, &e), GLLM_OK))
		return;
	CHECK_EQ(s->t, gllm_plan_steps(plan), 1);
	CHECK_STATUS(s->t, gllm_plan_step(plan, 0, &info), GLLM_OK);
	CHECK_TEXT(s->t, info.name, "add+user_leaky_relu+user_softsign+mul");
	for (unsigned i = 0; i < N; i++) {
		a[i] = check_float(s->t, -2.0f, 2.0f);
		b[i] = check_float(s->t, -2.0f, 2.0f);
	}
	CHECK_STATUS(s->t, gllm_plan_run(plan, (void *[]){ a, b, y, NULL, NULL, NULL }, 1, s->workspace, &e), GLLM_OK);
	bool right = true;
	for (unsigned i = 0; i < N; i++) {
		float v = a[i] + b[i];
		v = v > 0.0f ? v : 0.125f * v;
		v = v / (1.0f + magnitude(v)) * b[i];
		right = right && magnitude(y[i] - v) <= 1e-6f;
	}
	CHECK(s->t, right);
	gllm_plan_free(s->c, plan);
	gllm_graph_free(s->c, g);
}

/* How many instructions of this operation the operator becomes. */
static unsigned lowered(struct shop *s, const struct gllm_machine *m, unsigned op, const struct gllm_lower_options *o, enum gllm_vir_op what)
{
	enum { MAX_INS = 4000 };
	struct gllm_arena scratch = s->arena;
	struct gllm_vi *ins = gllm_alloc_array(&scratch, MAX_INS, sizeof *ins, 8);
	uint8_t *classes = gllm_alloc(&scratch, MAX_INS, 1);
	const struct gllm_trace *t;
	struct gllm_kernel_info info;
	struct gllm_vir v;
	unsigned n = 0;
	if (!CHECK(s->t, ins && classes) || !CHECK_STATUS(s->t, gllm_op_trace(s->c, s->number[op], &t, NULL), GLLM_OK))
		return 0;
	gllm_vir_init(&v, ins, MAX_INS, classes, MAX_INS);
	CHECK_STATUS(s->t, gllm_lower(t, o, m, &scratch, &v, &info, NULL), GLLM_OK);
	for (unsigned i = 0; i < v.n; i++)
		n += v.ins[i].op == what;
	return n;
}

/* Divisions are made one after another: where they alone take the time, more copies of an iteration beside each other gain
 * nothing. The two copies of any body of that size, one iteration and the tail hold four each. */
static void check_copies(struct shop *s)
{
	struct gllm_machine m;
	if (!CHECK_STATUS(s->t, check_target(s->t)->machine(check_profile(s->t), &m), GLLM_OK))
		return;
	unsigned n = lowered(s, &m, USER_four_quotients, NULL, GLLM_V_VDIV);
	CHECK(s->t, n >= 8 && n <= 16);
}

/* Displacements as NEON has them, on any host. Numbers of rows are no addresses, so it is not asked whether they are in reach; an
 * element that all lanes read is at a multiple of its own size, whatever the length of rows is, and needs no offset in a register. */
static void check_reach(struct shop *s)
{
	static const struct gllm_profile neon = { .isa = GLLM_ISA_AARCH64, .have = GLLM_BIT(GLLM_A64_FP) | GLLM_BIT(GLLM_A64_NEON),
		.vector_bytes = 16, .vector_regs = 32, .cores = 1, .threads = 1, .cache = { { 32 << 10, 4, 64, 1 } } };
	unsigned constants[2];
	struct gllm_machine m;
	if (!CHECK_STATUS(s->t, gllm_target_aarch64.machine(&neon, &m), GLLM_OK))
		return;
	for (unsigned k = 0; k < 2; k++) {
		const int64_t dim[] = { -1, -1, -1, 12, 64, 64 + k };
		const struct gllm_lower_options o = { .dim = dim, .rows = 4 };
		constants[k] = lowered(s, &m, USER_numbered_rows, &o, GLLM_V_GCONST);
	}
	CHECK_EQ(s->t, constants[0], constants[1]);
}

void check_user(struct check *t)
{
	static struct trial x;
	struct shop s;
	if (!check_image(t) || !check_target(t)) {
		check_skip(t, "the platform gives no image to lift from");
		return;
	}
	if (!open_shop(&s, t) || !CHECK(t, trial_init(&x, &s.arena, check_random(t))))
		return;
	if (!check_registration(&s))
		return;
	check_traces(&s, &x);
	check_reach(&s);
	if (check_exec(t) && check_profile(t)->vector_bytes) {
		check_compiled(&s);
		check_words(&s);
		check_fusion(&s);
		check_copies(&s);
	} else {
		check_skip(t, "compiled code does not run here: user operators are only lifted and evaluated");
	}
}
