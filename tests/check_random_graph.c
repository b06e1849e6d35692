/* SPDX-License-Identifier: MIT
 * tests/check_random_graph.c - what must hold for every graph, tried on many that nobody thought of.
 *
 * Each graph is evaluated by the scalar definitions with a bound of the error beside every number (check_bound.h). Its
 * scalar plan must give the same bits; its compiled plans, fused and not, for a made-up machine (vector width, caches,
 * cores), must stay within the bounds, give the same bits for one, two and three workers and for fewer rows than planned,
 * write nothing but their outputs and workspace, and keep the rules of check_plan_rules.h. A graph that fails is made
 * smaller as long as it fails, and printed. */
#include "check.h"
#include "check_bound.h"
#include "check_plan_rules.h"
#include "check_recipe.h"
#include "core/bits.h"
#include "core/fmt.h"
#include "jit/context.h"

enum { GRAPHS = 20000, GUARD = 64, WORKERS = 3 };
static const char not_a_graph[] = "the graph is refused";

struct suite {
	struct check *t;
	struct gllm_context *c;
	struct gllm_arena arena;   /* behind the context: empty between graphs */
	struct gllm_profile real;
	unsigned shares;           /* workers that parallel_for has */
	uint64_t at;               /* random state of the current graph's settings */
	uint64_t fewest;           /* bytes that its fused plan moves; 0: not known */
	struct gllm_error e;
	char detail[160];
	struct { uint64_t nodes, groups, numbers, loose, runs; } seen;
};

static uint64_t next(struct suite *s)
{
	uint64_t z = s->at += UINT64_C(0x9e3779b97f4a7c15); /* splitmix64 (Steele, Lea, Flood 2014) */
	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static uint32_t below(struct suite *s, uint32_t n)
{
	return (uint32_t)(next(s) >> 32) % n;
}

/* --- machines and workers -------------------------------------------------------------------------------------------- */

/* A machine whose code this one can run. */
static struct gllm_profile some_profile(struct suite *s)
{
	static const uint32_t l1[] = { 32 << 10, 48 << 10, 64 << 10, 2 << 10, 512 }, cores[] = { 0, 1, 2, 4, 8, 16, 64, 0, 0, 0 };
	struct gllm_profile p = s->real;
	if (p.vector_bytes == 64 && below(s, 2))
		gllm_profile_cap(&p, "avx2");
	uint32_t bytes = l1[below(s, GLLM_COUNT(l1))], times = below(s, 2) ? 2 : 16;
	for (unsigned i = 0; i < GLLM_CACHE_LEVELS; i++, bytes *= times)
		p.cache[i] = (struct gllm_cache){ bytes, i ? 16 : 8, 64, 0 };
	if (below(s, 16) == 0)
		for (unsigned i = 0; i < GLLM_CACHE_LEVELS; i++)
			p.cache[i] = (struct gllm_cache){ .bytes = 0 };
	p.cores = p.threads = cores[below(s, GLLM_COUNT(cores))];
	p.peak_gflops = below(s, 3) ? 8.0 * (p.cores + 1) : 0;
	p.bandwidth_gbs = below(s, 3) ? 4.0 + p.cores : 0;
	p.slow_fma = below(s, 4) == 0;
	return p;
}

/* Blocks so small that products of the sizes drawn here have several. */
static struct gllm_tuning some_tuning(struct suite *s)
{
	unsigned lanes = s->c->profile.vector_bytes / 4;
	return (struct gllm_tuning){ .mc = 1 + below(s, 20), .kc = 5 + below(s, 30), .nc = 8 + below(s, 60),
		.mr = (uint16_t)(1 + below(s, 6)), .nr = (uint16_t)(lanes * (1 + below(s, 2))), .unroll = (uint8_t)(1 + below(s, 4)),
		.stages = (uint8_t)below(s, 3) };
}

/* Hands uneven shares out in turn, last first. */
static void in_shares(void *user, gllm_task_fn *fn, void *task, uint64_t n, uint64_t grain)
{
	unsigned workers = *(const unsigned *)user;
	uint64_t units = (n + grain - 1) / grain;
	for (unsigned w = workers; w-- > 0;) {
		uint64_t begin = units * w * w / (workers * workers) * grain, end = units * (w + 1) * (w + 1) / (workers * workers) * grain;
		if (begin < n && begin < end)
			fn(task, begin, end < n ? end : n, w);
	}
}

/* --- running --------------------------------------------------------------------------------------------------------- */

struct memory { /* what one run is bound to */
	void *bind[RECIPE_TENSORS];
	unsigned char *workspace;
	size_t workspace_bytes;
	bool guarded;
};

static bool is_operand(const struct recipe *r, unsigned tensor)
{
	return r->tensor[tensor].kind == GLLM_TENSOR_INPUT || r->tensor[tensor].kind == GLLM_TENSOR_WEIGHT;
}

static void poison(unsigned char *p, size_t n, unsigned char with)
{
	for (size_t i = 0; i < n; i++)
		p[i] = with;
}

static bool poisoned(const unsigned char *p, size_t n, unsigned char with)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] != with)
			return false;
	return true;
}

static bool take(struct suite *s, const struct recipe *r, const struct recipe_values *v, struct memory *m)
{
	const struct check_host *h = s->t->host;
	*m = (struct memory){ .workspace = NULL };
	for (unsigned i = 0; i < r->ntensors; i++) {
		if (is_operand(r, i)) {
			m->bind[i] = v->data[i];
		} else if (r->tensor[i].kind == GLLM_TENSOR_OUTPUT) {
			unsigned char *p = gllm_alloc(&s->arena, (size_t)recipe_bytes(r, i, r->max_rows) + 2 * GUARD, 64);
			if (!p)
				return false;
			m->bind[i] = p + GUARD;
		}
	}
	return h != NULL;
}

/* The workspace is exactly as large as the plan says: pages that fault, or bytes that must stay, lie around it. */
static bool take_workspace(struct suite *s, const struct gllm_plan *p, struct memory *m)
{
	const struct check_host *h = s->t->host;
	m->workspace_bytes = gllm_plan_workspace(p);
	m->guarded = false;
	if (h->guarded && m->workspace_bytes && below(s, 16) == 0) {
		m->workspace = h->guarded(h->user, m->workspace_bytes, true);
		m->guarded = m->workspace != NULL && ((uintptr_t)m->workspace & 63) == 0;
		if (m->workspace && !m->guarded)
			h->guarded_free(h->user, m->workspace, m->workspace_bytes, true);
	}
	if (!m->guarded) {
		m->workspace = gllm_alloc(&s->arena, m->workspace_bytes + 2 * GUARD, 64);
		if (!m->workspace)
			return false;
		poison(m->workspace, GUARD, 0x5a);
		poison(m->workspace + GUARD + m->workspace_bytes, GUARD, 0x5a);
		m->workspace += GUARD;
	}
	return true;
}

static bool give_workspace(struct suite *s, struct memory *m)
{
	const struct check_host *h = s->t->host;
	if (m->guarded) {
		h->guarded_free(h->user, m->workspace, m->workspace_bytes, true);
		return true;
	}
	return poisoned(m->workspace - GUARD, GUARD, 0x5a) && poisoned(m->workspace + m->workspace_bytes, GUARD, 0x5a);
}

/* Runs once, everything poisoned before; NULL if nothing but the outputs was written. */
static const char *run_once(struct suite *s, const struct recipe *r, const struct gllm_plan *p, uint64_t rows, struct memory *m)
{
	poison(m->workspace, m->workspace_bytes, 0xff);
	for (unsigned i = 0; i < r->ntensors; i++)
		if (r->tensor[i].kind == GLLM_TENSOR_OUTPUT)
			poison((unsigned char *)m->bind[i] - GUARD, (size_t)recipe_bytes(r, i, r->max_rows) + 2 * GUARD, 0xff);
	s->e = (struct gllm_error){ .status = GLLM_OK };
	s->seen.runs++;
	if (gllm_plan_run(p, m->bind, rows, m->workspace, &s->e) != GLLM_OK)
		return s->e.what;
	for (unsigned i = 0; i < r->ntensors; i++) {
		if (r->tensor[i].kind != GLLM_TENSOR_OUTPUT)
			continue;
		size_t used = (size_t)recipe_bytes(r, i, rows), all = (size_t)recipe_bytes(r, i, r->max_rows);
		if (!poisoned((unsigned char *)m->bind[i] - GUARD, GUARD, 0xff) ||
		    !poisoned((unsigned char *)m->bind[i] + used, all - used + GUARD, 0xff))
			return "bytes around an output were written";
	}
	return NULL;
}

/* --- comparing ------------------------------------------------------------------------------------------------------- */

static bool near(struct suite *s, float got, float want, double error)
{
	double d = (double)got - (double)want;
	s->seen.numbers++;
	if (gllm_f32_bits(got) == gllm_f32_bits(want) || got == want || (got != got && want != want))
		return true;
	if (want == want && !(error < (double)__builtin_inff())) {
		s->seen.loose++;
		return true;
	}
	return (d < 0 ? -d : d) <= error;
}

static const char *compare(struct suite *s, const struct recipe *r, uint64_t rows, const struct recipe_values *v,
                           const struct memory *m, bool exact)
{
	for (unsigned i = 0; i < r->ntensors; i++) {
		uint64_t n = recipe_elements(r, i, rows);
		if (r->tensor[i].kind != GLLM_TENSOR_OUTPUT)
			continue;
		for (uint64_t k = 0; k < n; k++) {
			uint32_t got = ((const uint32_t *)m->bind[i])[k], want = ((const uint32_t *)(const void *)v->data[i])[k];
			double e = exact || !v->error[i] ? 0 : v->error[i][k];
			float x = gllm_bits_f32(got), y = gllm_bits_f32(want);
			if (r->tensor[i].type == GLLM_F32 && !exact ? near(s, x, y, e) : got == want || e > 0 || (x != x && y != y))
				continue;
			gllm_format(s->detail, sizeof s->detail, "t%u[%llu] of %llu rows: got %f (%08x), want %f (%08x) +- %f millionths", i,
			            (unsigned long long)k, (unsigned long long)rows, (double)x, got, (double)y, want, e * 1e6);
			return exact ? "the scalar plan gives other bits than its definitions" : "a result is farther off than its bound";
		}
	}
	return NULL;
}

static uint64_t hash_outputs(const struct recipe *r, uint64_t rows, const struct memory *m)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);
	for (unsigned i = 0; i < r->ntensors; i++)
		for (uint64_t k = 0; r->tensor[i].kind == GLLM_TENSOR_OUTPUT && k < recipe_elements(r, i, rows); k++)
			h = (h ^ ((const uint32_t *)m->bind[i])[k]) * UINT64_C(0x100000001b3);
	return h;
}

static uint64_t hash_operands(const struct recipe *r, const struct memory *m)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);
	for (unsigned i = 0; i < r->ntensors; i++)
		for (uint64_t k = 0; is_operand(r, i) && k < recipe_bytes(r, i, r->max_rows); k++)
			h = (h ^ ((const unsigned char *)m->bind[i])[k]) * UINT64_C(0x100000001b3);
	return h;
}

/* One plan at one number of rows: what it must give, for any number of workers. */
static const char *try_rows(struct suite *s, const struct recipe *r, const struct gllm_plan *p, uint64_t rows,
                            const struct recipe_values *v, struct memory *m)
{
	uint64_t first = 0, operands = hash_operands(r, m);
	const char *why = NULL;
	for (s->shares = 1; s->shares <= (p->scalar ? 1 : WORKERS) && !why; s->shares++) {
		why = run_once(s, r, p, rows, m);
		if (!why && s->shares == 1)
			why = compare(s, r, rows, v, m, p->scalar);
		uint64_t h = hash_outputs(r, rows, m);
		if (!why && s->shares > 1 && h != first)
			why = "another number of workers gives other bits";
		first = s->shares == 1 ? h : first;
	}
	return !why && hash_operands(r, m) != operands ? "an operand was written" : why;
}

/* Whether products are blocked: their packing moves bytes too. */
static bool has_scratch(const struct gllm_plan *p)
{
	for (unsigned i = 0; i < gllm_plan_buffers(p); i++) {
		struct gllm_buffer_info b;
		if (gllm_plan_buffer(p, i, &b) == GLLM_OK && b.tensor == GLLM_NO_TENSOR)
			return true;
	}
	return false;
}

/* --- one graph ------------------------------------------------------------------------------------------------------- */

static const char *try_plan(struct suite *s, const struct recipe *r, const struct gllm_graph *g,
                            const struct gllm_plan_options *o, unsigned workers)
{
	struct gllm_plan *p;
	struct memory m;
	struct gllm_arena mark = s->arena;
	s->c->host.workers = workers;
	s->e = (struct gllm_error){ .status = GLLM_OK };
	if (gllm_compile(s->c, g, o, &p, &s->e) != GLLM_OK) {
		gllm_format(s->detail, sizeof s->detail, "%s: %s", s->e.name, s->e.what);
		return "the graph does not compile";
	}
	const char *why = o->scalar ? NULL : plan_breaks(s->c, g, o, p, s->arena);
	uint64_t moved = has_scratch(p) ? 0 : gllm_plan_bytes_moved(p);
	if (!why && o->no_fusion && moved && moved < s->fewest)
		why = "fusion moves more bytes than it would without";
	if (!o->scalar)
		s->fewest = moved;
	if (!o->scalar && !o->no_fusion)
		s->seen.groups += gllm_plan_groups(p), s->seen.nodes += r->nnodes;
	for (unsigned i = 0; i < 3 && !why && (i == 0 || r->max_rows > 1); i++) {
		struct recipe_values v;
		uint64_t rows = i == 0 ? r->max_rows : below(s, (uint32_t)r->max_rows + 1);
		struct gllm_arena before = s->arena;
		if (!recipe_run(s->c, r, rows, &s->arena, &v) || !take(s, r, &v, &m) || !take_workspace(s, p, &m))
			why = "the suite's memory is too small";
		else
			why = try_rows(s, r, p, rows, &v, &m);
		if (m.workspace && !give_workspace(s, &m) && !why)
			why = "bytes around the workspace were written";
		s->arena = before;
	}
	gllm_plan_free(s->c, p);
	s->arena = mark;
	return why;
}

/* Code memory that never serves twice runs out: the next part of it is taken. */
static void renew_code(struct suite *s)
{
	if (s->c->host.code.size - s->c->code_used < (512u << 10)) {
		s->c->host.code = *check_exec_fresh(s->t);
		s->c->code_used = 0;
	}
}

/* NULL, or what is wrong with the graph. Everything but the graph is drawn from its seed. */
static const char *examine(struct suite *s, const struct recipe *r)
{
	struct gllm_graph *g = NULL;
	s->at = r->seed;
	s->detail[0] = '\0';
	s->c->profile = some_profile(s);
	bool readback = below(s, 8) == 0, unfused = below(s, 3) == 0;
	const struct gllm_tuning blocks = some_tuning(s), *tuning = below(s, 3) == 0 ? &blocks : NULL;
	struct gllm_plan_options option[] = { { .readback = readback, .tuning = tuning }, { .scalar = true },
	                                      { .no_fusion = true, .tuning = tuning } };
	renew_code(s);
	s->e = (struct gllm_error){ .status = GLLM_OK };
	const char *why = NULL;
	if (recipe_build(s->c, r, &g, &s->e) != GLLM_OK) {
		gllm_format(s->detail, sizeof s->detail, "%s: %s", s->e.name, s->e.what);
		why = not_a_graph;
	}
	for (unsigned i = 0; i < (unfused ? 3u : 2u) && !why; i++)
		why = try_plan(s, r, g, &option[i], below(s, 4) ? WORKERS : 1 + below(s, 2) * (WORKERS - 1));
	if (g)
		gllm_graph_free(s->c, g);
	return why;
}

static void report(struct suite *s, struct recipe *r, unsigned number, const char *why)
{
	struct recipe less;
	check_print(s->t, "     graph %u of %u nodes: %s\n     %s\n", number, r->nnodes, why, s->detail);
	for (unsigned i = 0; recipe_reduce(s->c, r, i, &less);) {
		bool smaller = less.nnodes < r->nnodes || less.ntensors < r->ntensors || less.max_rows < r->max_rows;
		for (unsigned k = 0; k < r->ntensors && k < less.ntensors; k++)
			smaller = smaller || less.tensor[k].kind != r->tensor[k].kind;
		const char *still = smaller ? examine(s, &less) : NULL;
		if (still && still != not_a_graph) {
			*r = less;
			i = 0;
		} else {
			i++;
		}
	}
	why = examine(s, r);
	check_print(s->t, "     made smaller: %s\n     %s\n", why ? why : "nothing is wrong", s->detail);
	recipe_print(s->t, s->c, r);
	const struct gllm_profile *p = &s->c->profile;
	check_print(s->t, "     vectors of %u bytes, L1 %u, %u cores\n", p->vector_bytes, p->cache[0].bytes, p->cores);
}

static bool open_suite(struct suite *s, struct check *t)
{
	size_t size;
	*s = (struct suite){ .t = t, .shares = 1, .real = *check_profile(t) };
	unsigned char *all = check_memory(t, &size);
	gllm_arena_init(&s->arena, all, size);
	struct gllm_config config = { .target = check_target(t), .profile = s->real, .image = *check_image(t), .heap_bytes = 4 << 20,
		.host = { .code = *check_exec(t), .parallel_for = in_shares, .workers = WORKERS, .user = &s->shares } };
	config.recorded = t->host->recorded;
	config.nrecorded = t->host->nrecorded;
	size_t need = gllm_context_quote(&config);
	void *memory = gllm_alloc(&s->arena, need, 64);
	if (!CHECK_STATUS(t, gllm_context_create(memory, need, &config, &s->c, &s->e), GLLM_OK))
		return false;
	for (unsigned i = 0; i < BOUND_USERS; i++) {
		const struct bound_user *u = &bound_user[i];
		unsigned op;
		if (!CHECK_STATUS(t, gllm_register(s->c, u->name, u->fn, u->param, u->nparams, u->call, &op, &s->e), GLLM_OK) ||
		    !CHECK_EQ(t, op, GLLM_OP_COUNT + i))
			return false;
	}
	return true;
}

/* Text may be withheld (check -x), and then not all that is drawn has been recorded. */
static bool all_readable(struct suite *s)
{
	const struct gllm_trace *trace;
	for (unsigned i = 0; i < GLLM_OP_COUNT + BOUND_USERS && !bound_readable(check_image(s->t)); i++)
		if (gllm_op_trace(s->c, i, &trace, &s->e) == GLLM_NOT_LIFTED)
			return false;
	return true;
}

void check_random_graph(struct check *t)
{
	struct suite s;
	struct recipe r;
	if (!check_target(t) || !check_image(t) || !check_exec(t) || !check_profile(t)->vector_bytes) {
		check_skip(t, "random graphs need a back end, vector units and executable memory");
		return;
	}
	if (!open_suite(&s, t))
		return;
	if (!all_readable(&s)) {
		check_skip(t, "the text of operators that were not recorded cannot be read");
		return;
	}
	unsigned graphs = (unsigned)((uint64_t)GRAPHS * (t->host->effort ? t->host->effort : 100) / 100), failed = 0;
	for (unsigned i = 0; i < graphs && failed < 5; i++) {
		recipe_draw(t, s.c, s.arena, &r);
		const char *why = examine(&s, &r);
		if (!CHECK(t, why == NULL)) {
			report(&s, &r, i, why);
			failed++;
		}
	}
	check_print(t, "     %u graphs, %llu nodes in %llu groups, %llu runs; of %llu numbers %llu had no bound\n", graphs,
	            (unsigned long long)s.seen.nodes, (unsigned long long)s.seen.groups, (unsigned long long)s.seen.runs,
	            (unsigned long long)s.seen.numbers, (unsigned long long)s.seen.loose);
}
