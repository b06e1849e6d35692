/* SPDX-License-Identifier: MIT
 * jit/run.c - running a plan: check the bindings, fill the slots of each step, call it. */
#include "jit/plan.h"
#include "core/bits.h"
#include "core/profile.h"
#include "jit/context.h"
#include "jit/graph.h"

static bool bound(const struct gllm_plan_tensor *t)
{
	return t->info.kind != GLLM_TENSOR_VALUE;
}

static enum gllm_status check_overlap(const struct gllm_plan *p, void *const *bind, uint64_t rows, unsigned out,
                                      struct gllm_error *e)
{
	uint64_t a = (uint64_t)(uintptr_t)bind[out], a_end = a + gllm_at_rows(&p->tensor[out].bytes, rows);
	for (unsigned i = 0; i < p->ntensors; i++) {
		if (i == out || !bound(&p->tensor[i]))
			continue;
		uint64_t b = (uint64_t)(uintptr_t)bind[i], b_end = b + gllm_at_rows(&p->tensor[i].bytes, rows);
		if (a < b_end && b < a_end)
			return gllm_fail(e, GLLM_OVERLAP, "an output overlaps another bound tensor", p->tensor[out].info.name, out, i, 0);
	}
	return GLLM_OK;
}

static enum gllm_status check_bindings(const struct gllm_plan *p, void *const *bind, uint64_t rows, const void *workspace,
                                       struct gllm_error *e)
{
	enum gllm_status st;
	if (rows > p->max_rows || (p->max_rows == 1 && rows != 1))
		return gllm_fail(e, GLLM_INVALID_ARGUMENT, "row count out of range", p->name, 0, p->max_rows, rows);
	if (p->workspace && (!workspace || ((uintptr_t)workspace & 63)))
		return gllm_fail(e, GLLM_INVALID_ARGUMENT, "workspace is NULL or not aligned to 64 bytes", p->name, 0, 64, 0);
	for (unsigned i = 0; i < p->ntensors; i++) {
		const struct gllm_plan_tensor *t = &p->tensor[i];
		if (!bound(t))
			continue;
		if (!bind[i] || ((uintptr_t)bind[i] & (t->align - 1u)))
			return gllm_fail(e, GLLM_INVALID_ARGUMENT, "binding is NULL or misaligned for its element", t->info.name, i,
			                 t->align, (uint64_t)(uintptr_t)bind[i]);
		if (t->info.packing.lanes && (st = gllm_packed_named(&t->info.packing, bind[i], t->info.name, e)) != GLLM_OK)
			return st;
		if (t->info.kind == GLLM_TENSOR_OUTPUT && check_overlap(p, bind, rows, i, e) != GLLM_OK)
			return GLLM_OVERLAP;
	}
	return GLLM_OK;
}

/* The repeats around the step that runs. */
struct around {
	unsigned n, next;                       /* open ones; the first that has not begun */
	struct open { unsigned repeat; int64_t trip, trips; } open[GLLM_REPEAT_LEVELS];
};

static void fill(const struct gllm_plan *p, const struct gllm_step *s, void *const *bind, uint64_t rows,
                 unsigned char *workspace, const struct around *a, uint64_t *value)
{
	for (unsigned i = 0; i < s->nslots; i++) {
		const struct gllm_slot *slot = &p->slot[s->first_slot + i];
		switch ((enum gllm_slot_kind)slot->kind) {
		case GLLM_SLOT_BIND:   value[i] = (uint64_t)(uintptr_t)bind[slot->value] + gllm_at_rows(&slot->at, rows); break;
		case GLLM_SLOT_WORK:   value[i] = (uint64_t)(uintptr_t)(workspace + slot->value) + gllm_at_rows(&slot->at, rows); break;
		case GLLM_SLOT_CONST:  value[i] = slot->value; break;
		case GLLM_SLOT_ROWS:   value[i] = gllm_at_rows(&slot->at, rows); break;
		case GLLM_SLOT_POOL:   value[i] = (uint64_t)(uintptr_t)(p->pool + slot->value); break;
		case GLLM_SLOT_WORKER: value[i] = gllm_at_rows(&slot->at, rows); break; /* run_units adds the address */
		}
	}
	for (unsigned l = 0; l < a->n; l++)
		for (unsigned i = 0; i < s->nslots; i++)
			value[i] += (uint64_t)(p->slot[s->first_slot + i].move[l] * a->open[l].trip);
}

/* Steps that may run together: the units of all of them are one range, shared by the workers. */
enum { MAX_TOGETHER = 4 };

/* Other workers wait for every line of it that they read: what a small step needs lies side by side. */
struct task {
	const struct gllm_plan *plan;
	const struct gllm_step *step;
	unsigned char *worker;                  /* memory of worker 0 */
	uint64_t end[MAX_TOGETHER];             /* number of units of the steps up to this one */
	unsigned n;
	bool misfit;                            /* a worker's vectors have another length: its units did not run */
	uint64_t value[MAX_TOGETHER][GLLM_MAX_SLOTS];
};

/* Runs units [begin, end) of one step as `worker`. */
static void run_units(const struct task *t, unsigned i, uint64_t begin, uint64_t end, unsigned worker)
{
	const struct gllm_step *s = &t->step[i];
	const struct gllm_slot *slot = &t->plan->slot[s->first_slot];
	uint64_t own[GLLM_MAX_SLOTS];
	unsigned char *memory = t->worker + worker * t->plan->worker_bytes;
	if (t->plan->worker_bytes == 0) {
		s->kernel(t->value[i], NULL, NULL, begin, end);
		return;
	}
	for (unsigned k = 0; k < s->nslots; k++)
		own[k] = t->value[i][k] + (slot[k].kind == GLLM_SLOT_WORKER ? (uint64_t)(uintptr_t)memory : 0);
	s->kernel(own, NULL, NULL, begin, end);
}

static void run_tiles(void *user, uint64_t begin, uint64_t end, unsigned worker)
{
	struct task *t = user;
	uint64_t first = 0;
	if (gllm_check_vectors(t->plan->context, t->plan->vector_bytes, NULL, NULL) != GLLM_OK) {
		__atomic_store_n(&t->misfit, true, __ATOMIC_RELAXED);
		return;
	}
	for (unsigned i = 0; i < t->n; first = t->end[i++]) {
		uint64_t from = begin > first ? begin : first, to = end < t->end[i] ? end : t->end[i];
		if (from < to)
			run_units(t, i, from - first, to - first, worker);
	}
}

static uint64_t units_of(const struct gllm_step *s, uint64_t rows)
{
	return s->tile ? (gllm_at_rows(&s->trip, rows) + s->tile - 1) / s->tile : 1;
}

/* Runs step `i` and those behind it that may run beside it; returns how many, or 0 if a worker cannot. */
static unsigned run_together(const struct gllm_plan *p, unsigned i, void *const *bind, uint64_t rows,
                             unsigned char *workspace, const struct around *a)
{
	const struct gllm_host *h = &p->context->host;
	struct task t; /* its values are filled as far as they are used */
	uint64_t units = 0;
	bool share = false;
	t.plan = p;
	t.step = &p->step[i];
	t.n = 0;
	t.misfit = false;
	t.worker = workspace + p->worker_begin;
	do {
		share = share || !t.step[t.n].small;
		fill(p, &t.step[t.n], bind, rows, workspace, a, t.value[t.n]);
		units += units_of(&t.step[t.n], rows);
		t.end[t.n++] = units;
	} while (t.n < MAX_TOGETHER && i + t.n < p->nsteps && t.step[t.n].beside);
	if (units > 1 && p->workers > 1 && share)
		h->parallel_for(h->user, run_tiles, &t, units, 1);
	else
		run_tiles(&t, 0, units, 0);
	return __atomic_load_n(&t.misfit, __ATOMIC_RELAXED) ? 0 : t.n;
}

static void run_scalar(const struct gllm_plan *p, const struct gllm_step *s, const uint64_t *value, uint64_t rows)
{
	union gllm_arg arg[GLLM_MAX_PARAMS];
	uint64_t n = gllm_at_rows(&s->batch, rows);
	for (uint64_t b = 0; b < n; b++) {
		for (unsigned i = 0; i < s->nslots; i++)
			arg[i].bits = value[i] + b * (uint64_t)p->slot[s->first_slot + i].move[0];
		s->call(s->scalar, arg);
	}
}

/* Where to go on behind the steps before `i`: there, or at the beginning of a repeat that has trips left. */
static inline unsigned behind(const struct gllm_plan *p, unsigned i, struct around *a)
{
	for (; a->n > 0; a->n--) {
		struct open *o = &a->open[a->n - 1];
		const struct gllm_repeat *r = &p->repeat[o->repeat];
		if (r->end != i)
			break;
		if (++o->trip < o->trips) {
			a->next = o->repeat + 1;
			return r->first;
		}
	}
	return i;
}

/* Begins the repeats that begin with step `i`; those that have no trip are left out. The step that runs next. */
static inline unsigned begin(const struct gllm_plan *p, unsigned i, uint64_t rows, struct around *a)
{
	while (a->next < p->nrepeats && p->repeat[a->next].first == i) {
		const struct gllm_repeat *r = &p->repeat[a->next];
		int64_t trips = (int64_t)gllm_at_rows(&r->trips, rows);
		if (trips > 0) {
			a->open[a->n++] = (struct open){ a->next++, 0, trips };
			continue;
		}
		while (a->next < p->nrepeats && p->repeat[a->next].first < r->end)
			a->next++;
		i = behind(p, r->end, a);
	}
	return i;
}

unsigned gllm_vector_bytes(const struct gllm_context *c)
{
	return gllm_profile_any_length(&c->profile) ? c->profile.vector_bytes : 0;
}

enum gllm_status gllm_check_vectors(const struct gllm_context *c, unsigned bytes, const char *name, struct gllm_error *e)
{
	uint64_t now = bytes && c->host.vector_bytes ? c->host.vector_bytes() : bytes;
	if (now == bytes)
		return GLLM_OK;
	return gllm_fail(e, GLLM_VECTOR_LENGTH, "compiled for vectors of another length", name, 0, bytes, now);
}

enum gllm_status gllm_plan_run(const struct gllm_plan *p, void *const *bind, uint64_t rows, void *workspace,
                               struct gllm_error *e)
{
	enum gllm_status st = check_bindings(p, bind, rows, workspace, e);
	if (st == GLLM_OK)
		st = gllm_check_vectors(p->context, p->vector_bytes, p->name, e);
	if (st != GLLM_OK)
		return st;
	struct around a = { .n = 0 };
	for (unsigned i = 0; (i = begin(p, i, rows, &a)) < p->nsteps; i = behind(p, i, &a)) {
		const struct gllm_step *s = &p->step[i];
		if (s->kernel) {
			unsigned ran = run_together(p, i, bind, rows, workspace, &a);
			if (!ran)
				return gllm_fail(e, GLLM_VECTOR_LENGTH, "a worker's vectors have another length", p->name, i, p->vector_bytes, 0);
			i += ran;
			continue;
		}
		uint64_t value[GLLM_MAX_SLOTS];
		fill(p, s, bind, rows, workspace, &a, value);
		run_scalar(p, s, value, rows);
		i++;
	}
	return GLLM_OK;
}
