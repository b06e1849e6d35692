/* SPDX-License-Identifier: MIT
 * tests/check_random_graph.c - what must hold for every graph, tried on many that nobody thought of.
 *
 * Each graph, some with F16 and BF16 tensors and packed weights, is evaluated by the scalar definitions with a bound of the
 * error beside every number (check_bound.h). Its scalar plan must give the same bits, or be refused where it has what the
 * definitions have not; its compiled plans, fused and not, for a made-up machine (vector width, caches,
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

/*          id            what graphs must have had */
#define REACHES(R)                                                    \
	R(NARROW,         "F16 or BF16 tensors")                      \
	R(PACKED,         "packed weights")                           \
	R(SHARED_PACK,    "blocked products of one packed input")     \
	R(ROOT,           "a norm before its products")               \
	R(TILE,           "a norm by tiles of rows")                  \
	R(NORM_INTO_GEMM, "a norm stored as products pack it")        \
	R(PAIR,           "two products under one map")

enum {
#define R(id, words) REACHED_##id,
	REACHES(R)
#undef R
	REACHED
};
static const char *const reach_words[] = {
#define R(id, words) words,
	REACHES(R)
#undef R
};
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
	unsigned reached[REACHED];   /* graphs with it */
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
	uint16_t ways = below(s, 2) ? 8 : (uint16_t)(1 + below(s, 2)); /* with few, rows do not lie well and are packed */
	for (unsigned i = 0; i < GLLM_CACHE_LEVELS; i++, bytes *= times)
		p.cache[i] = (struct gllm_cache){ bytes, i ? 16 : ways, 64, 0 };
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
			unsigned char *packed = r->tensor[i].lanes ? gllm_alloc(&s->arena, (size_t)recipe_bound(r, i), 64) : v->data[i];
			if (!packed)
				return false;
			if (r->tensor[i].lanes)
				recipe_pack(r, i, v->data[i], packed);
			m->bind[i] = packed;
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
	if (gllm_f32_bits(got) == gllm_f32_bits(want) || got == want || (got != got && want != want))
		return true;
	if (want == want && !(error < (double)__builtin_inff())) {
		s->seen.loose++;
		return true;
	}
	return (d < 0 ? -d : d) <= error;
}

static uint32_t element(enum gllm_type type, const void *data, uint64_t i)
{
	return gllm_type_bytes(type) == 4 ? ((const uint32_t *)data)[i] : ((const uint16_t *)data)[i];
}

static const char *compare(struct suite *s, const struct recipe *r, uint64_t rows, const struct recipe_values *v,
                           const struct memory *m, bool exact)
{
	for (unsigned i = 0; i < r->ntensors; i++) {
		uint64_t n = recipe_elements(r, i, rows);
		if (r->tensor[i].kind != GLLM_TENSOR_OUTPUT)
			continue;
		enum gllm_type type = (enum gllm_type)r->tensor[i].type;
		for (uint64_t k = 0; k < n; k++) {
			double e = exact || !v->error[i] ? 0 : v->error[i][k];
			s->seen.numbers++;
			uint32_t got = element(type, m->bind[i], k), want = element(type, v->data[i], k);
			float x = type == GLLM_U32 ? 0 : recipe_float(type, m->bind[i], k), y = type == GLLM_U32 ? 0 : recipe_float(type, v->data[i], k);
			if (got == want || (type == GLLM_U32 ? e > 0 : exact ? x != x && y != y : near(s, x, y, e)))
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
			h = (h ^ element((enum gllm_type)r->tensor[i].type, m->bind[i], k)) * UINT64_C(0x100000001b3);
	return h;
}

static uint64_t hash_operands(const struct recipe *r, const struct memory *m)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);
	for (unsigned i = 0; i < r->ntensors; i++)
		for (uint64_t k = 0; is_operand(r, i) && k < recipe_bound(r, i); k++)
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

/* Whether products are blocked, for which there is memory of no tensor, or of each worker's behind all buffers: packing moves bytes, too,
 * and each tile of rows reads the weights again. */
static bool has_scratch(const struct gllm_plan *p)
{
	uint64_t end = 0;
	for (unsigned i = 0; i < gllm_plan_buffers(p); i++) {
		struct gllm_buffer_info b;
		if (gllm_plan_buffer(p, i, &b) != GLLM_OK || b.tensor == GLLM_NO_TENSOR)
			return true;
		end = end < b.offset + b.bytes ? b.offset + b.bytes : end;
	}
	return gllm_plan_workspace(p) > gllm_round_up(end, 64);
}

/* Which of the planner's ways the graph has gone. */
static void find_reached(const struct recipe *r, const struct gllm_plan *p, bool *reached)
{
	bool shared[RECIPE_NODES] = { false };
	for (unsigned i = 0; i < r->ntensors; i++) {
		reached[REACHED_NARROW] = reached[REACHED_NARROW] || r->tensor[i].type == GLLM_F16 || r->tensor[i].type == GLLM_BF16;
		reached[REACHED_PACKED] = reached[REACHED_PACKED] || r->tensor[i].lanes;
	}
	for (unsigned i = 0; i < gllm_plan_steps(p); i++) {
		struct gllm_step_info step;
		gllm_plan_step(p, i, &step);
		shared[step.group] = shared[step.group] || step.mode == GLLM_MODE_QKV;
		reached[REACHED_ROOT] = reached[REACHED_ROOT] || step.mode == GLLM_MODE_ROOT;
		reached[REACHED_TILE] = reached[REACHED_TILE] || step.mode == GLLM_MODE_TILE;
		reached[REACHED_NORM_INTO_GEMM] = reached[REACHED_NORM_INTO_GEMM] || step.mode == GLLM_MODE_NORM_INTO_GEMM;
	}
	for (unsigned i = 0; i < gllm_plan_buffers(p); i++) {
		struct gllm_buffer_info b;
		gllm_plan_buffer(p, i, &b);
		reached[REACHED_SHARED_PACK] = reached[REACHED_SHARED_PACK] || (b.tensor == GLLM_NO_TENSOR && shared[b.first_group]);
	}
	for (unsigned i = 0; i < p->nnotes; i++)
		reached[REACHED_PAIR] = reached[REACHED_PAIR] || (p->note[i].accepted && p->note[i].why[0] == 't' && p->note[i].why[1] == 'w');
}

/* --- one graph ------------------------------------------------------------------------------------------------------- */

/* Evaluating it takes long. */
static bool large(const struct recipe *r)
{
	uint64_t all = 0;
	for (unsigned i = 0; i < r->ntensors; i++)
		all += recipe_elements(r, i, r->max_rows);
	return all > 1 << 16;
}

static const char *try_plan(struct suite *s, const struct recipe *r, const struct gllm_graph *g,
                            const struct gllm_plan_options *o, unsigned workers)
{
	struct gllm_plan *p;
	struct memory m;
	struct gllm_arena mark = s->arena;
	s->c->host.workers = workers;
	s->e = (struct gllm_error){ .status = GLLM_OK };
	enum gllm_status status = gllm_compile(s->c, g, o, &p, &s->e);
	if (o->scalar && !recipe_plain(s->c, r)) {
		if (status == GLLM_OK)
			gllm_plan_free(s->c, p);
		return status == GLLM_UNSUPPORTED ? NULL : "a scalar plan of what the definitions do not take";
	}
	if (status != GLLM_OK) {
		gllm_format(s->detail, sizeof s->detail, "%s: %s", s->e.name, s->e.what);
		return "the graph does not compile";
	}
	const char *why = o->scalar ? NULL : plan_breaks(s->c, g, o, p, s->arena);
	uint64_t moved = has_scratch(p) ? 0 : gllm_plan_bytes_moved(p);
	if (!why && o->no_fusion && moved && moved < s->fewest)
		why = "fusion moves more bytes than it would without";
	s->fewest = o->scalar ? s->fewest : moved;
	if (!o->scalar && !o->no_fusion) {
		bool reached[REACHED] = { false };
		s->seen.groups += gllm_plan_groups(p), s->seen.nodes += r->nnodes;
		find_reached(r, p, reached);
		for (unsigned i = 0; i < REACHED; i++)
			s->reached[i] += reached[i];
	}
	unsigned tries = r->max_rows == 1 || large(r) ? 1 : 3;
	for (unsigned i = 0; i < tries && !why; i++) {
		struct recipe_values v;
		uint64_t rows = i + 1 == tries ? r->max_rows : below(s, (uint32_t)r->max_rows + 1);
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
	unsigned workers = below(s, 4) ? WORKERS : 1 + below(s, 2) * (WORKERS - 1);
	for (unsigned i = 0; i < (unfused ? 3u : 2u) && !why; i++)
		why = try_plan(s, r, g, &option[i], workers);
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
	for (unsigned i = 0; i < REACHED && failed == 0; i++) {
		check_print(t, "     %u graphs had %s\n", s.reached[i], reach_words[i]);
		CHECK(t, s.reached[i] > 0 || graphs < GRAPHS);
	}
}
