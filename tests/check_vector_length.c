/* SPDX-License-Identifier: MIT
 * tests/check_vector_length.c - SVE plans while the system changes the length of vectors: refused with the status that
 * names it, never run; plans for vectors of one length are not concerned. */
#include "check.h"
#include "core/arena.h"
#include "core/profile.h"
#include "gllm/blob.h"
#include "gllm/calls.h"
#include "gllm/graph.h"
#include "gllm/native.h"

enum { N = 100 };

struct lab {
	struct check *t;
	struct gllm_arena arena;
	struct gllm_config config;
	struct gllm_error e;
	float x[N], y[N];
};

static struct gllm_context *context(struct lab *l, const struct gllm_config *config)
{
	struct gllm_context *c = NULL;
	size_t need = gllm_context_quote(config);
	CHECK_STATUS(l->t, gllm_context_create(gllm_alloc(&l->arena, need, 64), need, config, &c, &l->e), GLLM_OK);
	return c;
}

static struct gllm_plan *negated(struct lab *l, struct gllm_context *c)
{
	struct gllm_graph *g;
	struct gllm_plan *p = NULL;
	if (!CHECK_STATUS(l->t, gllm_graph_create(c, "negated", 1, 2, 1, &g, &l->e), GLLM_OK))
		return NULL;
	gllm_tensor x = gllm_graph_tensor(g, GLLM_TENSOR_INPUT, GLLM_F32, 1, N, "x");
	gllm_tensor y = gllm_graph_tensor(g, GLLM_TENSOR_OUTPUT, GLLM_F32, 1, N, "y");
	struct gllm_actual actual[] = { GLLM_T(y), GLLM_T(x), GLLM_D(N) };
	gllm_graph_node(g, GLLM_OP_neg, 1, actual, 3);
	CHECK_STATUS(l->t, gllm_compile(c, g, NULL, &p, &l->e), GLLM_OK);
	gllm_graph_free(c, g);
	return p;
}

/* Runs the plan; the output is written if and only if that succeeds. */
static void run(struct lab *l, const struct gllm_plan *p, enum gllm_status want)
{
	void *bind[] = { l->x, l->y };
	for (unsigned i = 0; i < N; i++) {
		l->x[i] = (float)i + 1.0f;
		l->y[i] = 0.5f;
	}
	CHECK_STATUS(l->t, gllm_plan_run(p, bind, 1, gllm_alloc(&l->arena, gllm_plan_workspace(p) + 64, 64), &l->e), want);
	unsigned right = 0;
	for (unsigned i = 0; i < N; i++)
		right += l->y[i] == (want == GLLM_OK ? -l->x[i] : 0.5f);
	CHECK_EQ(l->t, right, N);
}

static uint64_t nothing(void)
{
	return 0;
}

/* What a host says whose workers have vectors of another length than the thread that runs the plan. */
static uint64_t its_own, workers_own;
static bool on_worker;

static uint64_t of_this_thread(void)
{
	return on_worker ? workers_own : its_own;
}

static void one_worker(void *user, gllm_task_fn *fn, void *task, uint64_t n, uint64_t grain)
{
	(void)user, (void)grain;
	fn(task, 0, 1, 0);
	on_worker = true;
	fn(task, 1, n, 1);
	on_worker = false;
}

enum { LARGE = 1 << 16 };

/* A map that is shared by workers: run when all have the length, refused when one has not. */
static void check_workers(struct lab *l)
{
	struct gllm_config config = l->config;
	struct gllm_graph *g;
	struct gllm_plan *p = NULL;
	config.host.code = *check_exec_fresh(l->t);
	config.host.vector_bytes = of_this_thread;
	config.host.parallel_for = one_worker;
	config.host.workers = 2;
	its_own = workers_own = config.profile.vector_bytes;
	struct gllm_context *c = context(l, &config);
	if (!c || !CHECK_STATUS(l->t, gllm_graph_create(c, "shared", 1, 2, 1, &g, &l->e), GLLM_OK))
		return;
	gllm_tensor x = gllm_graph_tensor(g, GLLM_TENSOR_INPUT, GLLM_F32, 1, LARGE, "x");
	gllm_tensor y = gllm_graph_tensor(g, GLLM_TENSOR_OUTPUT, GLLM_F32, 1, LARGE, "y");
	gllm_graph_node(g, GLLM_OP_exp, 1, (struct gllm_actual[]){ GLLM_T(y), GLLM_T(x), GLLM_D(LARGE) }, 3);
	bool ok = CHECK_STATUS(l->t, gllm_compile(c, g, NULL, &p, &l->e), GLLM_OK);
	gllm_graph_free(c, g);
	float *in = gllm_alloc(&l->arena, LARGE * sizeof *in, 64), *out = gllm_alloc(&l->arena, LARGE * sizeof *out, 64);
	if (!ok || !CHECK(l->t, in && out))
		return;
	void *bind[] = { in, out }, *workspace = gllm_alloc(&l->arena, gllm_plan_workspace(p) + 64, 64);
	for (unsigned i = 0; i < LARGE; i++)
		in[i] = 0.0f;
	for (unsigned k = 0; k < 2; k++) {
		for (unsigned i = 0; i < LARGE; i++)
			out[i] = 0.5f;
		workers_own = its_own << k;
		CHECK_STATUS(l->t, gllm_plan_run(p, bind, 1, workspace, &l->e), k ? GLLM_VECTOR_LENGTH : GLLM_OK);
		unsigned done = 0;
		for (unsigned i = 0; i < LARGE; i++)
			done += out[i] == 1.0f;
		CHECK(l->t, k ? done < LARGE : done == LARGE); /* what the worker would have done is left alone */
	}
	gllm_plan_free(c, p);
}

/* Functions say nothing themselves. */
static void check_functions(struct lab *l)
{
	struct gllm_config config = l->config;
	struct gllm_calls k;
	config.host.code = *check_exec_fresh(l->t);
	config.host.vector_bytes = of_this_thread;
	its_own = config.profile.vector_bytes;
	struct gllm_context *c = context(l, &config);
	if (!c)
		return;
	CHECK_STATUS(l->t, gllm_calls_check(c, &l->e), GLLM_OK);
	its_own *= 2;
	CHECK_STATUS(l->t, gllm_calls_check(c, &l->e), GLLM_VECTOR_LENGTH);
	CHECK_STATUS(l->t, gllm_calls_fill(c, GLLM_CALLS_BF16, &k, &l->e), GLLM_VECTOR_LENGTH);
	CHECK(l->t, k.bf16.silu == NULL);
}

static void check_changes(struct lab *l, uint64_t (*set)(uint64_t bytes))
{
	uint64_t mine = l->config.profile.vector_bytes, other = set(mine == 16 ? 32 : 16);
	set(mine);
	if (other == mine) {
		check_skip(l->t, "the CPU's vectors have one length only");
		return;
	}
	struct gllm_context *c = context(l, &l->config);
	struct gllm_plan *p = c ? negated(l, c) : NULL, *loaded = NULL;
	if (!p)
		return;
	size_t n = gllm_plan_blob(p);
	void *blob = gllm_alloc(&l->arena, n, 64);
	CHECK_STATUS(l->t, gllm_plan_save(p, blob, n, &l->e), GLLM_OK);
	run(l, p, GLLM_OK);
	set(other);
	run(l, p, GLLM_VECTOR_LENGTH);
	CHECK_STATUS(l->t, gllm_plan_load(c, NULL, blob, n, &loaded, &l->e), GLLM_VECTOR_LENGTH);
	struct gllm_config config = l->config; /* a context made now knows the length, and a plan from then is not its own */
	config.profile.vector_bytes = (unsigned)other;
	config.host.code = *check_exec_fresh(l->t);
	struct gllm_context *now = context(l, &config);
	struct gllm_plan *fit = now ? negated(l, now) : NULL;
	if (fit) {
		run(l, fit, GLLM_OK);
		CHECK_STATUS(l->t, gllm_plan_load(now, NULL, blob, n, &loaded, &l->e), GLLM_VECTOR_LENGTH);
	}
	set(mine);
	if (fit)
		run(l, fit, GLLM_VECTOR_LENGTH);
	run(l, p, GLLM_OK);
	CHECK(l->t, loaded == NULL);
	if (CHECK_STATUS(l->t, gllm_plan_load(c, NULL, blob, n, &loaded, &l->e), GLLM_OK))
		run(l, loaded, GLLM_OK);
}

void check_vector_length(struct check *t)
{
	struct lab l = { .t = t };
	size_t size;
	unsigned char *all = check_memory(t, &size);
	if (!check_target(t) || !check_image(t) || !check_exec(t) || !check_profile(t)->vector_bytes) {
		check_skip(t, "compiled plans need a back end, vector units and executable memory");
		return;
	}
	gllm_arena_init(&l.arena, all, size);
	l.config = (struct gllm_config){ .target = check_target(t), .profile = *check_profile(t), .image = *check_image(t),
		.recorded = t->host->recorded, .nrecorded = t->host->nrecorded,
		.host = { .code = *check_exec(t), .vector_bytes = gllm_native_sve_bytes } };
	if (gllm_profile_any_length(&l.config.profile)) {
		check_workers(&l);
		check_functions(&l);
		if (t->host->set_vector_bytes)
			check_changes(&l, t->host->set_vector_bytes);
		else
			check_skip(t, "the length of vectors cannot be changed here");
		return;
	}
	l.config.host.vector_bytes = nothing; /* is not asked */
	struct gllm_context *c = context(&l, &l.config);
	struct gllm_plan *p = c ? negated(&l, c) : NULL;
	if (p)
		run(&l, p, GLLM_OK);
}
