/* SPDX-License-Identifier: MIT
 * tests/check_chunks.c - one long reduction in chunks: what the scalar definition gives, and the same bits for any number of
 * workers; the plan says so; shorter ones stay whole. */
#include "check.h"
#include "core/arena.h"
#include "core/bits.h"
#include "gllm/graph.h"
#include "gllm/ops.h"

#if GLLM_JIT

enum { WORKERS = 4, MOST = 131072 + 24 };

struct lab {
	struct check *t;
	struct gllm_context *c;
	struct gllm_arena arena;
	struct gllm_error e;
	unsigned workers;
	float *x, *z, *got, *same, *want;
};

static const struct kind {
	unsigned op;
	uint8_t inputs;        /* x; x, z; x, z, z */
	bool scalar, map;      /* eps behind the length; as many results as elements, else one */
	bool exact;            /* sums of small integers: any order of adding gives the same bits */
} kind[] = {
	{ GLLM_OP_sum, 1, false, false, true },        { GLLM_OP_max, 1, false, false, true },
	{ GLLM_OP_sum_squares, 1, false, false, true }, { GLLM_OP_dot, 2, false, false, true },
	{ GLLM_OP_mean, 1, false, false, true },       { GLLM_OP_variance, 1, false, false, false },
	{ GLLM_OP_softmax, 1, false, true, false },    { GLLM_OP_rms_norm, 2, true, true, false },
	{ GLLM_OP_l2_norm, 1, true, true, false },     { GLLM_OP_layer_norm, 3, true, true, false },
};

static struct gllm_graph *graph_of(struct lab *l, const struct kind *k, uint64_t n)
{
	struct gllm_graph *g = NULL;
	CHECK_STATUS(l->t, gllm_graph_create(l->c, "row", 1, 3, 1, &g, &l->e), GLLM_OK);
	gllm_tensor x = gllm_graph_tensor(g, GLLM_TENSOR_INPUT, GLLM_F32, 1, n, "x"),
	            z = gllm_graph_tensor(g, GLLM_TENSOR_INPUT, GLLM_F32, 1, n, "z"),
	            y = gllm_graph_tensor(g, GLLM_TENSOR_OUTPUT, GLLM_F32, 1, k->map ? n : 1, "y");
	struct gllm_actual a[6] = { GLLM_T(y), GLLM_T(x) };
	unsigned m = 2;
	for (unsigned i = 1; i < k->inputs; i++)
		a[m++] = GLLM_T(z);
	a[m++] = GLLM_D(n);
	if (k->scalar)
		a[m++] = GLLM_S(0.125f);
	gllm_graph_node(g, k->op, 1, a, m);
	CHECK_STATUS(l->t, gllm_graph_status(g, &l->e), GLLM_OK);
	return g;
}

static bool says_chunks(const struct gllm_plan *p)
{
	for (unsigned i = 0; i < gllm_plan_steps(p); i++) {
		struct gllm_step_info s;
		gllm_plan_step(p, i, &s);
		if (s.strategy[0] == 'c' && s.strategy[1] == 'h')
			return true;
	}
	return false;
}

static void run(struct lab *l, const struct gllm_plan *p, float *y, uint64_t results)
{
	void *bind[] = { l->x, l->z, y };
	struct gllm_arena mark = l->arena;
	void *workspace = gllm_alloc(&l->arena, gllm_plan_workspace(p) + 64, 64);
	for (uint64_t i = 0; i <= results; i++)
		y[i] = -123.0f;
	CHECK_STATUS(l->t, gllm_plan_run(p, bind, 1, workspace, &l->e), GLLM_OK);
	CHECK(l->t, y[results] == -123.0f);
	l->arena = mark;
}

static unsigned differences(const float *a, const float *b, uint64_t n, float tolerance)
{
	float greatest = 0;
	unsigned bad = 0;
	for (uint64_t i = 0; i < n && tolerance > 0; i++) {
		float size = b[i] < 0 ? -b[i] : b[i];
		greatest = size > greatest ? size : greatest;
	}
	for (uint64_t i = 0; i < n; i++) {
		float d = a[i] < b[i] ? b[i] - a[i] : a[i] - b[i];
		bad += gllm_f32_bits(a[i]) != gllm_f32_bits(b[i]) && !(d <= tolerance * greatest);
	}
	return bad;
}

/* The definition adds so many terms one after another that its sum is off; the shares of one are not. */
static void normalise(float *x, uint64_t n)
{
	double sum = 0;
	for (uint64_t i = 0; i < n; i++)
		sum += (double)x[i];
	for (uint64_t i = 0; i < n; i++)
		x[i] = (float)((double)x[i] / sum);
}

static void check_one(struct lab *l, const struct kind *k, uint64_t n, bool chunks)
{
	const struct gllm_plan_options scalar = { .scalar = true }, options = { .readback = true };
	const uint64_t results = k->map ? n : 1;
	struct gllm_graph *g = graph_of(l, k, n);
	struct gllm_plan *want = NULL, *got = NULL;
	bool ok = CHECK_STATUS(l->t, gllm_compile(l->c, g, &scalar, &want, &l->e), GLLM_OK) &&
	          CHECK_STATUS(l->t, gllm_compile(l->c, g, &options, &got, &l->e), GLLM_OK);
	if (ok) {
		ok = CHECK_EQ(l->t, says_chunks(got), chunks);
		run(l, want, l->want, results);
		if (k->op == GLLM_OP_softmax)
			normalise(l->want, n);
		for (l->workers = 1; l->workers <= WORKERS; l->workers++) {
			run(l, got, l->workers == 1 ? l->got : l->same, results);
			ok = CHECK_EQ(l->t, l->workers == 1 ? 0 : differences(l->same, l->got, results, 0), 0) && ok;
		}
		ok = CHECK_EQ(l->t, differences(l->got, l->want, results, k->exact ? 0 : 1e-5f), 0) && ok;
	}
	if (!ok)
		check_print(l->t, "     %s of %llu: %s\n", gllm_op_info[k->op].name, (unsigned long long)n, l->e.what ? l->e.what : "");
	if (got)
		gllm_plan_free(l->c, got);
	if (want)
		gllm_plan_free(l->c, want);
	gllm_graph_free(l->c, g);
}

void check_chunks(struct check *t)
{
	struct lab l = { .t = t };
	size_t size;
	unsigned char *memory = check_memory(t, &size);
	if (!check_target(t) || !check_image(t) || !check_exec(t) || !check_profile(t)->vector_bytes) {
		check_skip(t, "compiled plans need a back end, vector units and executable memory");
		return;
	}
	gllm_arena_init(&l.arena, memory, size);
	struct gllm_config config = { .target = check_target(t), .profile = *check_profile(t), .image = *check_image(t),
		.recorded = t->host->recorded, .nrecorded = t->host->nrecorded, .host.code = *check_exec_fresh(t) };
	config.host.parallel_for = check_in_shares;
	config.host.user = &l.workers;
	config.host.workers = WORKERS;
	config.profile.cores = 0; /* no step is too small to share */
	size_t need = gllm_context_quote(&config);
	CHECK_STATUS(t, gllm_context_create(gllm_alloc(&l.arena, need, 64), need, &config, &l.c, &l.e), GLLM_OK);
	float **array[] = { &l.x, &l.z, &l.got, &l.same, &l.want };
	for (unsigned i = 0; i < GLLM_COUNT(array); i++)
		*array[i] = gllm_alloc(&l.arena, (MOST + 1) * sizeof(float), 64);
	if (!CHECK(t, l.c && l.want))
		return;
	for (unsigned i = 0; i < MOST; i++) {
		l.x[i] = (float)(int)check_below(t, 9) * 0.5f - 2.0f;
		l.z[i] = (float)(int)check_below(t, 5) - 2.0f;
	}
	for (unsigned i = 0; i < GLLM_COUNT(kind); i++) {
		check_one(&l, &kind[i], 65535 - 8, false);
		check_one(&l, &kind[i], 65536 + 3, true); /* less than a vector is left over */
		check_one(&l, &kind[i], MOST, true);
	}
	l.x[MOST - 2] = __builtin_nanf(""); /* no element is greater than it: the greatest of the others */
	check_one(&l, &kind[1], MOST, true);
	l.x[0] = l.x[MOST - 2];
	check_one(&l, &kind[1], MOST, true);
}

#else

void check_chunks(struct check *t)
{
	check_skip(t, "built without back ends");
}

#endif
