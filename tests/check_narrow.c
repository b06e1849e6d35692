/* SPDX-License-Identifier: MIT
 * tests/check_narrow.c - every operator of fixtures/narrow_ops.h lifts, however its compiler puts integers of 8 and 16 bits into
 * registers, and gives what its function gives, bit for bit: as a trace, and compiled. Refused may be where the compiler has put a load
 * under a condition. */
#include "check.h"
#include "check_bound.h"
#include "check_trial.h"
#include "core/bits.h"
#include "fixtures/narrow_ops.h"
#include "gllm/graph.h"

enum { ROUNDS = 8, N = 333, ROOM = 4 * N + 64, PARAMS = 4, MOST_REFUSED = 30 };

static const struct narrow_op {
	const char *name;
	gllm_any_fn *fn;
	struct gllm_param param[PARAMS];
} narrow_op[] = {
#define NARROW(name, value, T, O, t, o)                                                                   \
	{ "narrow_" #name "_" #t "_" #o, (gllm_any_fn *)narrow_##name##_##t##_##o,                        \
	  { { "y", GLLM_OUT, GLLM_##o }, { "x", GLLM_IN, GLLM_##t }, { "z", GLLM_IN, GLLM_##t }, { "n", GLLM_DIM, GLLM_I64 } } },
	NARROW_OPS(NARROW)
#undef NARROW
};
enum { EACH = GLLM_COUNT(narrow_op) / 4 }; /* of one type of operands */

struct row {
	struct check *t;
	struct gllm_arena arena;
	struct gllm_context *c;
	struct trial trial;
	unsigned refused;
};

static void call(gllm_any_fn *fn, const union gllm_arg *a)
{
	((void (*)(void *, const void *, const void *, size_t))fn)(a[0].ptr, a[1].cptr, a[2].cptr, a[3].dim);
}

static const struct gllm_trace *lifted(struct row *r, const struct narrow_op *o, unsigned *op)
{
	static const char under[] = "a load that only sometimes runs";
	struct gllm_error e = { .status = GLLM_OK };
	const struct gllm_trace *t = NULL;
	if (!CHECK_STATUS(r->t, gllm_register(r->c, o->name, o->fn, o->param, PARAMS, call, op, &e), GLLM_OK))
		return NULL;
	if (gllm_op_trace(r->c, *op, &t, &e) == GLLM_OK)
		return t;
	r->refused++;
	if (!CHECK_EQ(r->t, e.status, GLLM_NOT_LIFTED) || !CHECK_TEXT(r->t, e.what, under))
		check_print(r->t, "     %s at %llu\n", o->name, (unsigned long long)e.where);
	return NULL;
}

/* Compiled, it gives the function's bytes. */
static bool compiled(struct row *r, const struct narrow_op *o, unsigned op)
{
	static unsigned char x[ROOM], z[ROOM], got[ROOM], want[ROOM];
	static const struct gllm_plan_options options = { .readback = true };
	struct gllm_error e = { .status = GLLM_OK };
	struct gllm_arena scratch = r->arena;
	struct gllm_graph *g;
	struct gllm_plan *p;
	bool same = true;
	if (!CHECK_STATUS(r->t, gllm_graph_create(r->c, o->name, 1, 3, 1, &g, &e), GLLM_OK))
		return false;
	gllm_tensor ty = gllm_graph_tensor(g, GLLM_TENSOR_OUTPUT, o->param[0].type, 1, N, "y"),
	            tx = gllm_graph_tensor(g, GLLM_TENSOR_INPUT, o->param[1].type, 1, N, "x"),
	            tz = gllm_graph_tensor(g, GLLM_TENSOR_INPUT, o->param[2].type, 1, N, "z");
	gllm_graph_node(g, op, 1, (struct gllm_actual[]){ GLLM_T(ty), GLLM_T(tx), GLLM_T(tz), GLLM_D(N) }, PARAMS);
	if (!CHECK_STATUS(r->t, gllm_compile(r->c, g, &options, &p, &e), GLLM_OK)) {
		check_print(r->t, "     %s\n", e.what);
		gllm_graph_free(r->c, g);
		return false;
	}
	for (unsigned i = 0; i < ROOM; i++) {
		x[i] = (unsigned char)check_random(r->t);
		z[i] = check_below(r->t, 3) ? (unsigned char)check_random(r->t) : x[i]; /* some are equal */
		got[i] = want[i] = 0x5a;
	}
	void *workspace = gllm_alloc(&scratch, gllm_plan_workspace(p) + 1, 64);
	CHECK_STATUS(r->t, gllm_plan_run(p, (void *[]){ got, x, z }, 1, workspace, &e), GLLM_OK);
	((void (*)(void *, const void *, const void *, size_t))o->fn)(want, x, z, N);
	for (unsigned i = 0; i < ROOM; i++)
		same = same && got[i] == want[i];
	gllm_graph_free(r->c, g);
	return same;
}

static void check_type(struct row *r, const struct narrow_op *first)
{
	struct gllm_config config = { .target = check_target(r->t), .profile = *check_profile(r->t), .image = *check_image(r->t),
	                              .max_ops = EACH, .heap_bytes = 4 << 20 };
	struct gllm_arena before = r->arena;
	struct gllm_error e = { .status = GLLM_OK };
	const struct gllm_exec_memory *code = check_exec_fresh(r->t);
	if (code)
		config.host.code = *code;
	void *memory = gllm_alloc(&r->arena, gllm_context_quote(&config), 64);
	if (!CHECK_STATUS(r->t, gllm_context_create(memory, gllm_context_quote(&config), &config, &r->c, &e), GLLM_OK))
		return;
	for (const struct narrow_op *o = first; o < first + EACH; o++) {
		unsigned op;
		const struct gllm_trace *trace = lifted(r, o, &op);
		bool right = !trace || (CHECK(r->t, trial_agrees(&r->trial, trace, o->fn, call, ROUNDS)) &&
		                        (!code || !check_profile(r->t)->vector_bytes || CHECK(r->t, compiled(r, o, op))));
		if (!right)
			check_print(r->t, "     %s\n", o->name);
	}
	r->arena = before;
}

void check_narrow(struct check *t)
{
	static struct row r;
	size_t size;
	unsigned char *memory = check_memory(t, &size);
	if (!check_image(t) || !check_target(t) || !bound_readable(check_image(t))) {
		check_skip(t, "operators that are not recorded need readable text");
		return;
	}
	r = (struct row){ .t = t };
	gllm_arena_init(&r.arena, memory, size);
	if (!CHECK(t, trial_init(&r.trial, &r.arena, check_random(t))))
		return;
	for (unsigned i = 0; i < 4; i++)
		check_type(&r, &narrow_op[i * EACH]);
	check_print(t, "     %u of %u operators are not lifted\n", r.refused, (unsigned)GLLM_COUNT(narrow_op));
	CHECK(t, r.refused <= MOST_REFUSED);
}
