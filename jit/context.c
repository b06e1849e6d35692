/* SPDX-License-Identifier: MIT
 * jit/context.c - contexts, the operator table, lifting on first use. */
#include "jit/context.h"
#include "core/bits.h"
#include "core/fmt.h"
#include "core/target.h"
#include "jit/lift.h"
#include "jit/record.h"

struct sizes {
	size_t ops, traces, heap, scratch, total;
	unsigned max_ops;
};

static struct sizes sizes_of(const struct gllm_config *c)
{
	struct sizes s;
	s.max_ops = GLLM_OP_COUNT + (c->max_ops ? c->max_ops : 32);
	s.ops = (size_t)gllm_round_up(s.max_ops * sizeof(struct gllm_op_entry), 64);
	s.traces = (size_t)gllm_round_up(c->trace_bytes ? c->trace_bytes : 1u << 20, 64);
	s.heap = (size_t)gllm_round_up(c->heap_bytes ? c->heap_bytes : 1u << 20, 64);
	s.scratch = (size_t)gllm_round_up(c->scratch_bytes ? c->scratch_bytes : 12u << 20, 64);
	s.total = (size_t)gllm_round_up(sizeof(struct gllm_context), 64) + s.ops + s.traces + s.heap + s.scratch;
	return s;
}

static const size_t size_limit = (size_t)1 << 40;

static bool absurd(const struct gllm_config *c)
{
	return c->max_ops > 4096 || c->trace_bytes > size_limit || c->heap_bytes > size_limit || c->scratch_bytes > size_limit;
}

size_t gllm_context_quote(const struct gllm_config *c)
{
	return absurd(c) ? SIZE_MAX : sizes_of(c).total;
}

static enum gllm_status check_config(const void *memory, const struct gllm_config *c, struct gllm_error *e)
{
	if (!memory || !c || ((uintptr_t)memory & 63))
		return gllm_fail(e, GLLM_INVALID_ARGUMENT, "context memory is NULL or not aligned to 64 bytes", NULL,
		                 (uint64_t)(uintptr_t)memory, 64, 0);
	if (absurd(c))
		return gllm_fail(e, GLLM_INVALID_ARGUMENT, "a size of the configuration is absurd", NULL, 0, size_limit, 0);
	if (c->nrecorded && !c->recorded)
		return gllm_fail(e, GLLM_INVALID_ARGUMENT, "a table of recorded traces is NULL", NULL, 0, 0, c->nrecorded);
	if (c->target && c->profile.isa != c->target->isa)
		return gllm_fail(e, GLLM_INVALID_ARGUMENT, "the profile is of another ISA than the target", NULL, 0,
		                 c->target->isa, c->profile.isa);
	return GLLM_OK;
}

enum gllm_status gllm_context_create(void *memory, size_t size, const struct gllm_config *c,
                                     struct gllm_context **out, struct gllm_error *e)
{
	enum gllm_status s = check_config(memory, c, e);
	if (s != GLLM_OK)
		return s;
	struct sizes z = sizes_of(c);
	if (size < z.total)
		return gllm_fail(e, GLLM_OUT_OF_MEMORY, "the memory is smaller than gllm_context_quote", NULL, 0, z.total, size);

	unsigned char *at = memory;
	struct gllm_context *x = memory;
	at += gllm_round_up(sizeof *x, 64);
	*x = (struct gllm_context){ .target = c->target, .profile = c->profile, .host = c->host, .image = c->image,
	                            .max_ops = z.max_ops, .recorded = c->recorded, .nrecorded = c->nrecorded };
	x->op = (struct gllm_op_entry *)(void *)at;
	at += z.ops;
	gllm_arena_init(&x->traces, at, z.traces);
	at += z.traces;
	s = gllm_heap_init(&x->heap, at, z.heap);
	if (s != GLLM_OK)
		return gllm_fail(e, s, "the heap of the context is too small", NULL, 0, 0, z.heap);
	at += z.heap;
	gllm_arena_init(&x->scratch, at, z.scratch);
	for (unsigned i = 0; i < GLLM_OP_COUNT; i++) {
		const struct gllm_op_info *o = &gllm_op_info[i];
		x->op[x->nops++] = (struct gllm_op_entry){ o->name, o->ref, o->param, o->nparams, gllm_builtin_call(i), NULL };
	}
	*out = x;
	return GLLM_OK;
}

static bool same_name(const char *a, const char *b)
{
	while (*a && *a == *b)
		a++, b++;
	return *a == *b;
}

unsigned gllm_op_count(const struct gllm_context *c)
{
	return c->nops;
}

const char *gllm_op_name(const struct gllm_context *c, unsigned op)
{
	return op < c->nops ? c->op[op].name : NULL;
}

unsigned gllm_op_find(const struct gllm_context *c, const char *name)
{
	unsigned i = 0;
	while (i < c->nops && !same_name(c->op[i].name, name))
		i++;
	return i;
}

enum gllm_status gllm_register(struct gllm_context *c, const char *name, gllm_any_fn *fn, const struct gllm_param *param,
                               unsigned nparams, gllm_call_fn *call, unsigned *op, struct gllm_error *e)
{
	bool sound = name && fn && param && nparams > 0 && nparams <= GLLM_MAX_PARAMS;
	for (unsigned i = 0; sound && i < nparams; i++)
		sound = param[i].name && param[i].kind <= GLLM_SCALAR && param[i].type < GLLM_MASK &&
		        (param[i].kind != GLLM_DIM || param[i].type == GLLM_I64) &&
		        (param[i].kind != GLLM_SCALAR || param[i].type == GLLM_F32);
	if (!sound)
		return gllm_fail(e, GLLM_INVALID_ARGUMENT, "an operator needs a name, a function and 1..16 named parameters of known kind and type", name,
		                 0, GLLM_MAX_PARAMS, nparams);
	if (gllm_op_find(c, name) < c->nops)
		return gllm_fail(e, GLLM_DUPLICATE, "an operator of this name is registered", name, 0, 0, 0);
	if (c->nops == c->max_ops)
		return gllm_fail(e, GLLM_OUT_OF_MEMORY, "the operator table is full", name, 0, c->max_ops, c->nops + 1);
	c->op[c->nops] = (struct gllm_op_entry){ name, fn, param, nparams, call, NULL };
	*op = c->nops++;
	return GLLM_OK;
}

/* A trace of the context's own, with name and parameters as they were registered; the rest stays in the table. */
static enum gllm_status adopt(struct gllm_context *c, struct gllm_op_entry *o, const struct gllm_trace *recorded,
                              struct gllm_error *e)
{
	struct gllm_trace *t = gllm_alloc(&c->traces, sizeof *t, 8);
	if (!t)
		return gllm_fail(e, GLLM_OUT_OF_MEMORY, "memory for a trace", o->name, 0, sizeof *t, 0);
	*t = *recorded;
	t->name = o->name;
	t->param = o->param;
	o->trace = t;
	c->stats.recorded++;
	return GLLM_OK;
}

static void log_refused(const struct gllm_context *c, const struct gllm_op_entry *o, const char *why)
{
	char line[160];
	if (!c->host.log)
		return;
	size_t n = gllm_format(line, sizeof line, "%s: recorded trace not used: %s\n", o->name, why);
	c->host.log(c->host.user, line, n < sizeof line ? n : sizeof line - 1);
}

static enum gllm_status lift(struct gllm_context *c, struct gllm_op_entry *o, struct gllm_error *e)
{
	uint64_t start = gllm_now(c);
	struct gllm_arena scratch = c->scratch;
	enum gllm_status s = gllm_lift(c->target, &c->image, (uint64_t)(uintptr_t)o->fn, o->name, o->param, o->nparams,
	                               &scratch, &c->traces, &o->trace, e);
	if (scratch.high > c->scratch.high)
		c->scratch.high = scratch.high;
	c->stats.lift_ns += gllm_now(c) - start;
	if (s == GLLM_OK)
		c->stats.lifted++;
	return s;
}

/* From the table where it can be trusted, else from the text where it can be read. */
static enum gllm_status find_trace(struct gllm_context *c, struct gllm_op_entry *o, struct gllm_error *e)
{
	const struct gllm_trace_record *r = gllm_record_find(c, o);
	const char *why = "the function's text cannot be read, and no trace of it was recorded";
	gllm_memo_drop(&c->memo);
	enum gllm_status s = r ? gllm_record_check(r, &c->image, o, &why) : GLLM_NOT_LIFTED;
	if (s == GLLM_OK)
		return adopt(c, o, r->trace, e);
	if (r)
		log_refused(c, o, why);
	if (!gllm_image_at(&c->image, (uint64_t)(uintptr_t)o->fn, 1, false))
		return gllm_fail(e, s, why, o->name, 0, 0, 0);
	return lift(c, o, e);
}

enum gllm_status gllm_op_trace(struct gllm_context *c, unsigned op, const struct gllm_trace **out, struct gllm_error *e)
{
	if (op >= c->nops)
		return gllm_fail(e, GLLM_INVALID_ARGUMENT, "no such operator", NULL, op, c->nops, op);
	struct gllm_op_entry *o = &c->op[op];
	if (!o->trace) {
		if (!c->target)
			return gllm_fail(e, GLLM_NO_BACK_END, "lifting needs a target", o->name, 0, 0, 0);
		enum gllm_status s = find_trace(c, o, e);
		if (s != GLLM_OK)
			return s;
	}
	*out = o->trace;
	return GLLM_OK;
}

void gllm_context_stats(const struct gllm_context *c, struct gllm_stats *out)
{
	*out = c->stats;
	out->code_bytes = c->code_used;
	out->trace_high = c->traces.high;
	out->heap_high = c->heap.high;
	out->scratch_high = c->scratch.high;
}

const char *gllm_where(const struct gllm_context *c, uint64_t address)
{
	uint64_t at = address - (uint64_t)(uintptr_t)c->host.code.exec;
	for (unsigned i = 0; i < c->nkernels; i++)
		if (at >= c->kernel[i].offset && at - c->kernel[i].offset < c->kernel[i].bytes)
			return c->kernel[i].name;
	return NULL;
}
