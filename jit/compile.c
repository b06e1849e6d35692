/* SPDX-License-Identifier: MIT
 * jit/compile.c - one group's trace through the back half of the compiler: lower, schedule, pipeline, allocate, select, read
 * back, publish. */
#include "core/bits.h"
#include "core/target.h"
#include "jit/context.h"
#include "jit/lower.h"
#include "jit/pipeline.h"
#include "jit/plan.h"
#include "jit/readback.h"
#include "jit/regalloc.h"
#include "jit/schedule.h"
#include "jit/vir.h"

enum { MAX_VIR = 16384, MAX_REGS = MAX_VIR };

enum gllm_status gllm_trip_of(const struct gllm_composed *t, const struct gllm_source *source, struct gllm_poly trip,
                              struct gllm_linear *out)
{
	*out = (struct gllm_linear){ .fixed = 0 };
	for (unsigned i = 0; i < trip.count; i++) {
		const struct gllm_term *x = &t->trace.term[trip.first + i];
		if (x->sym[0] == 0) {
			out->fixed += x->coef;
		} else if (x->sym[0] < GLLM_SYM_LOOP && x->sym[1] == 0 &&
		           source[x->sym[0] - GLLM_SYM_PARAM].kind == GLLM_FROM_ROWS) {
			const struct gllm_linear *at = &source[x->sym[0] - GLLM_SYM_PARAM].at;
			if (out->per_row && (out->block != at->block || out->rest != at->rest))
				return GLLM_COMPILE_ERROR;
			out->fixed += x->coef * at->fixed;
			out->per_row += x->coef * at->per_row;
			out->block = at->block;
			out->rest = at->rest;
		} else {
			return GLLM_COMPILE_ERROR;
		}
	}
	return GLLM_OK;
}

void gllm_keep_range(struct gllm_context *c, uint32_t offset, uint32_t bytes, const char *name)
{
	if (c->nkernels == GLLM_KERNEL_RANGES)
		return; /* later kernels run all the same, only gllm_where does not know them */
	struct gllm_kernel_range *r = &c->kernel[c->nkernels++];
	*r = (struct gllm_kernel_range){ .offset = offset, .bytes = bytes };
	for (unsigned i = 0; i + 1 < sizeof r->name && name[i]; i++)
		r->name[i] = name[i];
}

static void list(const struct gllm_plan_options *o, const struct gllm_vir *v, const char *name)
{
	if (o && o->listing)
		gllm_vir_print(v, name, o->listing, o->listing_user);
}

static enum gllm_status emit(struct gllm_context *c, const struct gllm_machine *m, struct gllm_vir *v, const char *name,
                             unsigned stages, const struct gllm_plan_options *o, struct gllm_arena *scratch,
                             struct gllm_kernel *out, struct gllm_error *e)
{
	struct gllm_allocation a;
	const bool readback = o && o->readback;
	enum gllm_status s = gllm_schedule(v, m, scratch);
	list(o, v, name);
	if (s == GLLM_OK)
		s = gllm_pipeline(v, m, stages ? stages : gllm_pipeline_stages(m), scratch);
	if (s != GLLM_OK)
		return gllm_fail(e, s, "scheduling", name, 0, 0, v->n);
	s = gllm_regalloc(v, m, scratch, &a);
	if (s != GLLM_OK)
		return gllm_fail(e, s, "register allocation", name, 0, 0, v->n);
	unsigned reader = 0;
	if (readback && (s = gllm_regalloc_check(v, m, &a, *scratch, &reader)) != GLLM_OK)
		return gllm_fail(e, s, "replaying the register allocation", name, reader, 0, v->n);
	const struct gllm_exec_memory *x = &c->host.code;
	size_t offset = (size_t)gllm_round_up(c->code_used, GLLM_CODE_ALIGN);
	if (offset > x->size)
		offset = x->size;
	struct gllm_code code = { .base = x->write + offset, .size = x->size - offset };
	c->target->select(v, m, &a, &code, NULL);
	if (code.status != GLLM_OK)
		return gllm_fail(e, code.status, "selecting instructions", name, offset, x->size, offset + code.used);
	if (readback) {
		s = gllm_readback(c->target, c->profile.have, code.base, code.used, *scratch, e);
		if (s != GLLM_OK)
			return gllm_fail(e, s, "read-back of emitted code", name, 0, 0, 0);
	}
	if (x->publish) {
		s = x->publish(x->user, offset, code.used);
		if (s != GLLM_OK)
			return gllm_fail(e, s, "the host did not publish the code", name, offset, code.used, 0);
	}
	out->offset = (uint32_t)offset;
	out->bytes = (uint32_t)code.used;
	c->code_used = offset + code.used;
	return GLLM_OK;
}

enum gllm_status gllm_compile_trace(struct gllm_context *c, const struct gllm_composed *t, const char *name,
                                    unsigned stages, const struct gllm_plan_options *o, struct gllm_arena *arena,
                                    struct gllm_kernel *out, struct gllm_error *e)
{
	struct gllm_machine m;
	struct gllm_vir v;
	struct gllm_kernel_info info;
	enum gllm_status s = c->target->machine(&c->profile, &m);
	if (s != GLLM_OK)
		return gllm_fail(e, s, "the back end has no code for this profile", name, 0, 0, c->profile.have);

	/* The constants are kept in the arena until the plan copies them; everything else of this compile is dropped. */
	uint32_t *pool = gllm_alloc_array(arena, gllm_lower_pool_words(&t->trace), sizeof *pool, 64);
	struct gllm_arena scratch = *arena;
	struct gllm_vi *ins = gllm_alloc_array(&scratch, MAX_VIR, sizeof *ins, 8);
	uint8_t *classes = gllm_alloc(&scratch, MAX_REGS, 1);
	if (!pool || !ins || !classes)
		return gllm_fail(e, GLLM_OUT_OF_MEMORY, "compile scratch is too small", name, 0, 0, 0);
	gllm_vir_init(&v, ins, MAX_VIR, classes, MAX_REGS);
	*out = (struct gllm_kernel){ .loop = -1 };
	s = gllm_lower(&t->trace, &t->how, &m, &scratch, &v, &info, e);
	if (s == GLLM_OK && info.range >= 0) {
		out->tile = info.tile;
		out->trip = info.trip;
		out->loop = info.range;
	}
	if (s != GLLM_OK)
		return gllm_fail(e, s, "lowering", name, 0, 0, 0);
	for (unsigned i = 0; i < info.pool_bytes / 4; i++)
		pool[i] = info.pool[i];
	out->pool = (const unsigned char *)pool;
	out->pool_bytes = info.pool_bytes;
	s = emit(c, &m, &v, name, stages, o, &scratch, out, e);
	if (scratch.high > arena->high)
		arena->high = scratch.high;
	if (s != GLLM_OK)
		return s;
	c->stats.kernels++;
	gllm_keep_range(c, out->offset, out->bytes, name);
	return GLLM_OK;
}
