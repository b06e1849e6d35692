/* SPDX-License-Identifier: MIT
 * jit/run.c - running a plan: check the bindings, fill the slots of each step, call it. */
#include "jit/plan.h"
#include "core/bits.h"
#include "jit/context.h"

enum { MAX_SLOTS = GLLM_TRACE_PARAMS + 1 };

static uint64_t at_rows(struct gllm_linear l, uint64_t rows)
{
	int64_t v = l.fixed + l.per_row * (int64_t)rows;
	return v > 0 ? (uint64_t)v : 0;
}

static bool bound(const struct gllm_plan_tensor *t)
{
	return t->kind != GLLM_TENSOR_VALUE;
}

static enum gllm_status check_overlap(const struct gllm_plan *p, void *const *bind, uint64_t rows, unsigned out,
                                      struct gllm_error *e)
{
	uint64_t a = (uint64_t)(uintptr_t)bind[out], a_end = a + at_rows(p->tensor[out].bytes, rows);
	for (unsigned i = 0; i < p->ntensors; i++) {
		if (i == out || !bound(&p->tensor[i]))
			continue;
		uint64_t b = (uint64_t)(uintptr_t)bind[i], b_end = b + at_rows(p->tensor[i].bytes, rows);
		if (a < b_end && b < a_end)
			return gllm_fail(e, GLLM_OVERLAP, "an output overlaps another bound tensor", p->tensor[out].name, out, i, 0);
	}
	return GLLM_OK;
}

static enum gllm_status check_bindings(const struct gllm_plan *p, void *const *bind, uint64_t rows, const void *workspace,
                                       struct gllm_error *e)
{
	if (rows > p->max_rows || (p->max_rows == 1 && rows != 1))
		return gllm_fail(e, GLLM_INVALID_ARGUMENT, "row count out of range", p->name, 0, p->max_rows, rows);
	if (p->workspace && (!workspace || ((uintptr_t)workspace & 63)))
		return gllm_fail(e, GLLM_INVALID_ARGUMENT, "workspace is NULL or not aligned to 64 bytes", p->name, 0, 64, 0);
	for (unsigned i = 0; i < p->ntensors; i++) {
		const struct gllm_plan_tensor *t = &p->tensor[i];
		if (!bound(t))
			continue;
		if (!bind[i] || ((uintptr_t)bind[i] & (t->align - 1u)))
			return gllm_fail(e, GLLM_INVALID_ARGUMENT, "binding is NULL or misaligned for its element", t->name, i,
			                 t->align, (uint64_t)(uintptr_t)bind[i]);
		if (t->kind == GLLM_TENSOR_OUTPUT && check_overlap(p, bind, rows, i, e) != GLLM_OK)
			return GLLM_OVERLAP;
	}
	return GLLM_OK;
}

static void fill(const struct gllm_plan *p, const struct gllm_step *s, void *const *bind, uint64_t rows,
                 unsigned char *workspace, uint64_t *value)
{
	for (unsigned i = 0; i < s->nslots; i++) {
		const struct gllm_slot *slot = &p->slot[s->first_slot + i];
		switch ((enum gllm_slot_kind)slot->kind) {
		case GLLM_SLOT_BIND:  value[i] = (uint64_t)(uintptr_t)bind[slot->value]; break;
		case GLLM_SLOT_WORK:  value[i] = (uint64_t)(uintptr_t)(workspace + slot->value); break;
		case GLLM_SLOT_CONST: value[i] = slot->value; break;
		case GLLM_SLOT_ROWS:  value[i] = rows; break;
		case GLLM_SLOT_POOL:  value[i] = (uint64_t)(uintptr_t)(p->pool + slot->value); break;
		}
	}
}

struct task {
	const struct gllm_step *step;
	const uint64_t *value;
};

static void run_tiles(void *user, uint64_t begin, uint64_t end, unsigned worker)
{
	const struct task *t = user;
	(void)worker;
	t->step->kernel(t->value, NULL, NULL, begin, end);
}

static void run_kernel(const struct gllm_plan *p, const struct gllm_step *s, const uint64_t *value, uint64_t rows)
{
	const struct gllm_host *h = &p->context->host;
	uint64_t units = s->tile ? (at_rows(s->trip, rows) + s->tile - 1) / s->tile : 1;
	struct task task = { s, value };
	if (units > 1 && h->parallel_for && h->workers > 1)
		h->parallel_for(h->user, run_tiles, &task, units, 1);
	else
		s->kernel(value, NULL, NULL, 0, units);
}

static void run_scalar(const struct gllm_plan *p, const struct gllm_step *s, const uint64_t *value, uint64_t rows)
{
	union gllm_arg arg[GLLM_MAX_PARAMS];
	uint64_t n = at_rows(s->batch, rows);
	for (uint64_t b = 0; b < n; b++) {
		for (unsigned i = 0; i < s->nslots; i++)
			arg[i].bits = value[i] + b * p->slot[s->first_slot + i].stride;
		s->call(s->scalar, arg);
	}
}

enum gllm_status gllm_plan_run(const struct gllm_plan *p, void *const *bind, uint64_t rows, void *workspace,
                               struct gllm_error *e)
{
	enum gllm_status st = check_bindings(p, bind, rows, workspace, e);
	if (st != GLLM_OK)
		return st;
	for (unsigned i = 0; i < p->nsteps; i++) {
		const struct gllm_step *s = &p->step[i];
		uint64_t value[MAX_SLOTS];
		fill(p, s, bind, rows, workspace, value);
		if (s->kernel)
			run_kernel(p, s, value, rows);
		else
			run_scalar(p, s, value, rows);
	}
	return GLLM_OK;
}
