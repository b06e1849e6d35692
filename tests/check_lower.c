/* SPDX-License-Identifier: MIT
 * tests/check_lower.c - lowering, without any back end: every operator's trace is lowered for machines that differ in
 * lanes, registers, masks, ways to move lanes and fused multiply-add, the vector IR is checked and interpreted, and the memory it leaves is
 * compared with the trace's own evaluation. Guard bytes on both sides of every buffer must survive, the work is done in
 * two unequal parts, dims are fixed, open or mixed, and tuning is chosen or drawn. */
#include "check.h"
#include "check_reach.h"
#include "core/arena.h"
#include "core/bits.h"
#include "core/target.h"
#include "gllm/ops.h"
#include "gllm/trace.h"
#include "jit/lift.h"
#include "jit/lower.h"
#include "jit/schedule.h"
#include "jit/vir.h"

enum { GUARD = 64, MAX_INS = 40000, MAX_VREGS = 20000, CASES = 12 };

static bool any_disp(int64_t disp, unsigned bytes)
{
	(void)bytes;
	return disp >= INT32_MIN && disp <= INT32_MAX;
}

static bool short_disp(int64_t disp, unsigned bytes)
{
	return disp >= -64 && disp < 16 * (int64_t)bytes;
}

#define MACHINE(lanes, regs, mask, fma, zip, pick, disp)                                                            \
	{ .vector_bytes = 4 * (lanes), .has_mask = (mask), .has_fma = (fma), .disp_ok = (disp), .zips = (zip),       \
	  .picks = (pick), .loads_addends = (pick),                                                                  \
	  .class_file = { [GLLM_CLASS_V] = 1, [GLLM_CLASS_M] = 2 },                                                  \
	  .allocatable = { 0x7fff, (regs) == 32 ? UINT32_MAX : 0xffff, 0xff } }

static const struct gllm_machine machines[] = {
	MACHINE(8, 16, true, true, true, false, any_disp),  MACHINE(4, 32, false, true, true, false, short_disp),
	MACHINE(16, 32, true, true, true, true, any_disp),  MACHINE(8, 16, false, false, false, false, short_disp),
	MACHINE(4, 16, true, false, true, false, any_disp),
};

const struct gllm_profile *vir_width(const char *name); /* vir_bench.h */

struct buffer {
	unsigned char *got, *want, *scale; /* behind GUARD bytes */
	size_t bytes;
};

struct driver {
	struct check *t;
	const struct gllm_op_info *info;
	const struct gllm_trace *trace;
	struct gllm_arena arena;             /* what a case may use */
	union gllm_arg arg[GLLM_MAX_PARAMS];
	int64_t dim[GLLM_MAX_PARAMS];
	struct buffer buffer[GLLM_MAX_PARAMS];
	const struct gllm_machine *machine;
};

static bool is_output(const struct gllm_param *p)
{
	return p->kind == GLLM_OUT || p->kind == GLLM_INOUT;
}

static bool is_pointer(const struct gllm_param *p)
{
	return p->kind != GLLM_DIM && p->kind != GLLM_SCALAR;
}

static void fill_element(struct driver *d, const struct gllm_param *p, unsigned char *to)
{
	float x = check_float(d->t, -2.0f, 2.0f);

	if (p->type == GLLM_F16)
		gllm_put_le16(to, gllm_f32_to_f16(x));
	else if (p->type == GLLM_BF16)
		gllm_put_le16(to, gllm_f32_to_bf16(x));
	else if (p->type == GLLM_F32)
		gllm_put_le32(to, gllm_f32_bits(x));
	else if (p->type == GLLM_U32)
		gllm_put_le32(to, check_below(d->t, CHECK_ROWS));
	else
		to[0] = (unsigned char)check_random(d->t);
}

static bool make_buffer(struct driver *d, unsigned i)
{
	const struct gllm_param *p = &d->info->param[i];
	struct buffer *b = &d->buffer[i];
	unsigned unit = gllm_type_bytes(p->type);
	unsigned char *all;

	b->bytes = (size_t)check_reach(d->trace, i, d->arg);
	all = gllm_alloc_array(&d->arena, 3, b->bytes + 2 * GUARD, 64);
	if (!all)
		return false;
	for (size_t k = 0; k < 3 * (b->bytes + 2 * GUARD); k++)
		all[k] = 0xa5;
	b->got = all + GUARD;
	b->want = b->got + b->bytes + 2 * GUARD;
	b->scale = b->want + b->bytes + 2 * GUARD;
	for (size_t k = 0; k + unit <= b->bytes && !is_output(p); k += unit) {
		fill_element(d, p, b->got + k);
		for (unsigned byte = 0; byte < unit; byte++) {
			b->want[k + byte] = b->got[k + byte];
			b->scale[k + byte] = byte == unit - 1 ? b->got[k + byte] & 0x7f : b->got[k + byte];
		}
	}
	return true;
}

static bool evaluate(struct driver *d, bool scale)
{
	union gllm_arg arg[GLLM_MAX_PARAMS];
	struct gllm_arena scratch = d->arena;
	uint64_t *value = gllm_alloc_array(&scratch, d->trace->nnodes + 1u, sizeof *value, 8);

	for (unsigned i = 0; i < d->info->nparams; i++) {
		arg[i] = d->arg[i];
		if (is_pointer(&d->info->param[i]))
			arg[i].ptr = scale ? d->buffer[i].scale : d->buffer[i].want;
	}
	return value && CHECK_STATUS(d->t, gllm_trace_eval(d->trace, arg, value), GLLM_OK);
}

static uint64_t units_of(const struct driver *d, const struct gllm_kernel_info *info)
{
	int64_t sym[GLLM_SYM_LOOP + GLLM_TRACE_LOOPS] = { 0 }, trip;

	for (unsigned i = 0; i < d->info->nparams; i++)
		sym[(unsigned)GLLM_SYM_PARAM + i] = (int64_t)d->arg[i].dim;
	trip = gllm_poly_eval(d->trace, info->trip, sym);
	return trip <= 0 ? 0 : ((uint64_t)trip + info->tile - 1) / info->tile;
}

static void describe(struct driver *d, const char *what)
{
	check_print(d->t, "     %s, %u lanes: %s; dims", d->info->name, (unsigned)d->machine->vector_bytes / 4, what);
	for (unsigned i = 0; i < d->info->nparams; i++)
		if (d->info->param[i].kind == GLLM_DIM)
			check_print(d->t, " %s=%llu%s", d->info->param[i].name, (unsigned long long)d->arg[i].dim,
			            d->dim[i] < 0 ? " (open)" : "");
	check_print(d->t, "\n");
}

/* A definition that fuses on its own account asks for a machine that can, unless its loop is known to be empty. */
static enum gllm_status status_wanted(const struct driver *d)
{
	bool fuses = false;
	for (unsigned i = 0; i < d->trace->nnodes; i++)
		fuses = fuses || d->trace->node[i].op == GLLM_N_FMA;
	for (unsigned i = 0; i < d->info->nparams; i++)
		fuses = fuses && !(d->info->param[i].kind == GLLM_DIM && d->dim[i] == 0);
	return fuses && !d->machine->has_fma ? GLLM_COMPILE_ERROR : GLLM_OK;
}

static bool run_lowered(struct driver *d)
{
	struct gllm_arena scratch = d->arena;
	struct gllm_vi *ins = gllm_alloc_array(&scratch, MAX_INS, sizeof *ins, 8);
	uint8_t *classes = gllm_alloc(&scratch, MAX_VREGS, 1);
	struct gllm_lower_options o = { .dim = d->dim };
	if (check_below(d->t, 2)) { /* tuned at random: slower perhaps, but right */
		o.unroll = (uint8_t)check_below(d->t, 5);
		o.rows = (uint8_t)check_below(d->t, 6);
		o.columns = (uint8_t)check_below(d->t, d->machine->vector_bytes / 4u + 1);
		o.tile = check_below(d->t, 40);
	}
	struct gllm_error e = { .status = GLLM_OK };
	struct gllm_kernel_info info;
	struct gllm_vir v;
	uint64_t slot[GLLM_MAX_PARAMS + 1] = { 0 };
	unsigned lanes = d->machine->vector_bytes / 4u;

	if (!ins || !classes)
		return CHECK(d->t, false);
	gllm_vir_init(&v, ins, MAX_INS, classes, MAX_VREGS);
	enum gllm_status s = gllm_lower(d->trace, &o, d->machine, &scratch, &v, &info, &e);
	if (!CHECK_STATUS(d->t, s, status_wanted(d)))
		describe(d, e.what);
	if (s != GLLM_OK)
		return false;
	if (check_below(d->t, 2)) { /* in the order in which a machine of these lanes would run it */
		const char *width = lanes == 16 ? "AVX-512" : lanes == 8 ? "AVX2" : check_below(d->t, 2) ? "NEON" : "SVE 128";
		const struct gllm_target *target = lanes > 4 ? &gllm_target_x86_64 : &gllm_target_aarch64;
		struct gllm_machine real;
		if (!CHECK_STATUS(d->t, target->machine(vir_width(width), &real), GLLM_OK))
			return false;
		real.window = 0; /* so that much is reordered */
		if (!CHECK_STATUS(d->t, gllm_schedule(&v, &real, &scratch), GLLM_OK))
			return false;
	}
	void *work = gllm_alloc(&scratch, gllm_vir_check_bytes(&v), 8);
	if (!CHECK(d->t, work != NULL) || !CHECK_STATUS(d->t, gllm_vir_check(&v, work, &e), GLLM_OK)) {
		describe(d, e.what);
		return false;
	}
	for (unsigned i = 0; i < d->info->nparams; i++) {
		slot[i] = d->arg[i].bits;
		if (is_pointer(&d->info->param[i]))
			slot[i] = (uint64_t)(uintptr_t)d->buffer[i].got;
		else if (d->info->param[i].kind == GLLM_DIM && d->dim[i] >= 0)
			slot[i] = UINT64_C(0x123456789a); /* fixed dims are not read */
	}
	slot[d->info->nparams] = (uint64_t)(uintptr_t)info.pool;
	uint64_t units = info.range >= 0 ? units_of(d, &info) : 1, cut = info.range >= 0 ? units / 3 : 0;
	work = gllm_alloc(&scratch, gllm_vir_run_bytes(&v, lanes), 8);
	return CHECK(d->t, work != NULL) &&
	       CHECK_STATUS(d->t, gllm_vir_run(&v, lanes, slot, NULL, NULL, cut, units, work), GLLM_OK) &&
	       (cut == 0 || CHECK_STATUS(d->t, gllm_vir_run(&v, lanes, slot, NULL, NULL, 0, cut, work), GLLM_OK));
}

static double size_of(float x)
{
	return (double)(x < 0 ? -x : x);
}

/* The greatest finite value among an output's, and among what it would be for positive inputs. */
static double scale_of(const struct buffer *b)
{
	double most = 0;

	for (size_t k = 0; k + 4 <= b->bytes; k += 4) {
		double x = size_of(gllm_bits_f32(gllm_le32(b->scale + k))), y = size_of(gllm_bits_f32(gllm_le32(b->want + k)));
		most = x > most && x < 1e30 ? x : most;
		most = y > most && y < 1e30 ? y : most;
	}
	return most;
}

static bool same(const struct driver *d, const struct gllm_param *p, const struct buffer *b, size_t k, double terms,
                 double scale)
{
	float got = gllm_bits_f32(gllm_le32(b->got + k)), want = gllm_bits_f32(gllm_le32(b->want + k));
	double bound;

	if (p->type != GLLM_F32)
		return gllm_le32(b->got + k) == gllm_le32(b->want + k);
	if (d->info->tol.sum == 0.0f)
		return check_ulp(got, want) <= (double)d->info->tol.ulp;
	if (got == want || (got != got && want != want))
		return true;
	bound = (double)d->info->tol.sum * terms * 0x1p-24 * scale;
	return size_of(got - want) <= (bound < 1e-4 * scale ? bound : 1e-4 * scale);
}

static bool guards_hold(const struct buffer *b)
{
	for (unsigned k = 1; k <= GUARD; k++)
		if (b->got[-(ptrdiff_t)k] != 0xa5 || b->got[b->bytes + k - 1] != 0xa5)
			return false;
	return true;
}

static void compare(struct driver *d)
{
	double terms = 4;
	bool values = true, guards = true, inputs = true;

	for (unsigned i = 0; i < d->info->nparams; i++)
		if (d->info->param[i].kind == GLLM_DIM && (double)d->arg[i].dim > terms)
			terms = (double)d->arg[i].dim;
	for (unsigned i = 0; i < d->info->nparams; i++) {
		const struct gllm_param *p = &d->info->param[i];
		const struct buffer *b = &d->buffer[i];
		if (!is_pointer(p))
			continue;
		guards = guards && guards_hold(b);
		double scale = is_output(p) ? scale_of(b) : 0;
		if (is_output(p))
			for (size_t k = 0; k + 4 <= b->bytes; k += 4)
				values = values && same(d, p, b, k, terms, scale);
		else
			for (size_t k = 0; k < b->bytes; k++)
				inputs = inputs && b->got[k] == b->want[k];
	}
	if (!CHECK(d->t, values))
		describe(d, "values differ from the trace's evaluation");
	if (!CHECK(d->t, guards))
		describe(d, "bytes beside a buffer were written");
	if (!CHECK(d->t, inputs))
		describe(d, "an input was written");
}

static void set_dims(struct driver *d, unsigned n)
{
	static const uint8_t size[] = { 0, 1, 2, 3, 4, 5, 7, 8, 9, 13, 15, 16, 17, 19, 31, 33, 40, 67 };
	unsigned seen = 0, last = 0;

	for (unsigned i = 0; i < d->info->nparams; i++) {
		if (d->info->param[i].kind == GLLM_SCALAR)
			d->arg[i].scalar = 0.125f;
		if (d->info->param[i].kind != GLLM_DIM)
			continue;
		/* Few dims: every size in turn; the further ones are drawn. */
		uint64_t x = size[seen == 0 ? n % sizeof size : check_below(d->t, sizeof size - 2)];
		if (d->info->param[i].name[0] == 's') /* a stride: rows do not overlap */
			x = d->arg[last].dim + check_below(d->t, 3);
		d->arg[i].dim = x;
		d->dim[i] = check_below(d->t, 3) ? (int64_t)x : -1;
		last = i;
		seen++;
	}
}

static void check_op(struct driver *d)
{
	const struct gllm_arena mark = d->arena;

	for (unsigned m = 0; m < GLLM_COUNT(machines); m++) {
		d->machine = &machines[m];
		for (unsigned n = 0; n < CASES; n++) {
			bool ok = true;
			set_dims(d, n + m * 7);
			for (unsigned i = 0; i < d->info->nparams && ok; i++)
				ok = !is_pointer(&d->info->param[i]) || make_buffer(d, i);
			if (CHECK(d->t, ok) && evaluate(d, false) && evaluate(d, true) && run_lowered(d))
				compare(d);
			d->arena = mark;
		}
	}
}

/* Integers narrower than a lane wrap where they are made, not only where they are stored, and where their bits are taken with a sign or
 * without. `neg` is its trace, of which the result becomes the float of the low bits of x. */
static void check_narrow(struct driver *d)
{
	static const uint8_t types[] = { GLLM_U8, GLLM_I8, GLLM_U16, GLLM_I16 }, turned[] = { GLLM_I8, GLLM_U8, GLLM_I16, GLLM_U16 };
	const struct gllm_trace *neg = d->trace;
	struct gllm_trace t = *neg;
	struct gllm_loop loop = *neg->loop;
	struct gllm_node node[6] = { [1] = { .op = GLLM_N_BITS, .type = GLLM_I32, .a = 0 }, [2] = { .op = GLLM_N_CVT, .a = 1 },
	                             [3] = { .op = GLLM_N_BITS, .a = 2 }, [4] = { .op = GLLM_N_CVT, .type = GLLM_F32 } };

	if (!CHECK(d->t, neg->nnodes == 3 && neg->nloops == 1 && neg->node[0].op == GLLM_N_LOAD && neg->node[2].op == GLLM_N_STORE))
		return;
	for (unsigned i = 1; i < 5; i++)
		node[i].b = node[i].c = GLLM_NO_NODE;
	node[0] = neg->node[0];
	node[5] = neg->node[2];
	node[5].a = 4;
	loop.end = GLLM_COUNT(node);
	t.nnodes = GLLM_COUNT(node);
	t.node = node;
	t.loop = &loop;
	d->trace = &t;
	for (unsigned k = 0; k < 2 * GLLM_COUNT(types); k++) {
		node[2].type = types[k / 2];
		node[3].type = turned[k / 2];
		node[4].a = (gllm_ref)(2 + k % 2);
		check_op(d);
	}
	d->trace = neg;
}

/* What must be refused or noticed. */
static void check_refusals(struct driver *d)
{
	struct gllm_arena scratch = d->arena;
	struct gllm_vi ins[8];
	uint8_t classes[16];
	unsigned char work[64];
	struct gllm_kernel_info info;
	struct gllm_vir v;
	struct gllm_error e = { .status = GLLM_OK };
	struct gllm_vi add = gllm_vi(GLLM_V_VADD);

	gllm_vir_init(&v, ins, GLLM_COUNT(ins), classes, GLLM_COUNT(classes));
	CHECK_STATUS(d->t, gllm_lower(d->trace, NULL, &machines[0], &scratch, &v, &info, &e), GLLM_COMPILE_ERROR);
	scratch = d->arena;
	scratch.size = scratch.used + 4096;
	e.status = GLLM_OK;
	gllm_vir_init(&v, ins, GLLM_COUNT(ins), classes, GLLM_COUNT(classes));
	CHECK_STATUS(d->t, gllm_lower(d->trace, NULL, &machines[0], &scratch, &v, &info, &e), GLLM_OUT_OF_MEMORY);

	gllm_vir_init(&v, ins, GLLM_COUNT(ins), classes, GLLM_COUNT(classes));
	add.a = add.b = gllm_vir_reg(&v, GLLM_CLASS_V);
	add.d = gllm_vir_reg(&v, GLLM_CLASS_V);
	gllm_vir_emit(&v, add);
	CHECK_STATUS(d->t, gllm_vir_check(&v, work, NULL), GLLM_COMPILE_ERROR); /* read before written */
	v.n = 0;
	add.a = add.b = GLLM_VIR_ARGS;
	gllm_vir_emit(&v, add);
	CHECK_STATUS(d->t, gllm_vir_check(&v, work, NULL), GLLM_COMPILE_ERROR); /* wrong class */
	v.n = 0;
	gllm_vir_emit(&v, gllm_vi(GLLM_V_LOOP_BEGIN));
	CHECK_STATUS(d->t, gllm_vir_check(&v, work, NULL), GLLM_COMPILE_ERROR); /* never ends */
	v.n = 0;
	struct gllm_vi jump = gllm_vi(GLLM_V_JUMP);
	jump.imm = gllm_vir_label(&v);
	gllm_vir_emit(&v, jump);
	CHECK_STATUS(d->t, gllm_vir_check(&v, work, NULL), GLLM_COMPILE_ERROR); /* to nowhere */
}

/* Broadcasts within loops. */
static unsigned read_in_loops(const struct gllm_vir *v)
{
	unsigned depth = 0, found = 0;

	for (unsigned i = 0; i < v->n; i++) {
		depth += v->ins[i].op == GLLM_V_LOOP_BEGIN;
		depth -= v->ins[i].op == GLLM_V_LOOP_END;
		found += depth && v->ins[i].op == GLLM_V_VBCAST;
	}
	return found;
}

/* Constants that gelu adds to products of what it needs again are read each time where that is asked for, and none beside them. */
static void check_addends(struct driver *d)
{
	unsigned found[2];

	for (unsigned asked = 0; asked < 2; asked++) {
		struct gllm_arena scratch = d->arena;
		struct gllm_machine m = machines[2];
		struct gllm_vi *ins = gllm_alloc_array(&scratch, MAX_INS, sizeof *ins, 8);
		uint8_t *classes = gllm_alloc(&scratch, MAX_VREGS, 1);
		const struct gllm_lower_options o = { .unroll = 1 };
		struct gllm_kernel_info info;
		struct gllm_vir v;
		struct gllm_error e = { .status = GLLM_OK };
		m.loads_addends = asked;
		gllm_vir_init(&v, ins, MAX_INS, classes, MAX_VREGS);
		CHECK_STATUS(d->t, gllm_lower(d->trace, &o, &m, &scratch, &v, &info, &e), GLLM_OK);
		found[asked] = read_in_loops(&v);
	}
	CHECK_EQ(d->t, found[0], 0);
	CHECK(d->t, found[1] >= 5);
}

/* A short sum adds two vectors to each of its accumulators at least. */
static void check_short_sum(struct driver *d)
{
	static const struct { int64_t n; unsigned sums; } want[] = { { 16, 1 }, { 32, 1 }, { 64, 2 }, { 128, 4 }, { 256, 8 }, { 4096, 8 } };

	for (unsigned k = 0; k < GLLM_COUNT(want); k++) {
		struct gllm_arena scratch = d->arena;
		struct gllm_vi *ins = gllm_alloc_array(&scratch, MAX_INS, sizeof *ins, 8);
		uint8_t *classes = gllm_alloc(&scratch, MAX_VREGS, 1);
		int64_t dim[GLLM_MAX_PARAMS] = { 0 };
		const struct gllm_lower_options o = { .dim = dim };
		struct gllm_kernel_info info;
		struct gllm_vir v;
		struct gllm_error e = { .status = GLLM_OK };
		unsigned zeros = 0;
		for (unsigned i = 0; i < d->info->nparams; i++)
			dim[i] = want[k].n;
		gllm_vir_init(&v, ins, MAX_INS, classes, MAX_VREGS);
		CHECK_STATUS(d->t, gllm_lower(d->trace, &o, &machines[2], &scratch, &v, &info, &e), GLLM_OK);
		for (unsigned i = 0; i < v.n; i++)
			zeros += v.ins[i].op == GLLM_V_VZERO;
		CHECK_EQ(d->t, zeros, want[k].sums);
	}
}

/* Innermost loops that store nothing. */
static unsigned idle_loops(const struct gllm_vir *v)
{
	unsigned found = 0;
	bool inner = false, stores = false;

	for (unsigned i = 0; i < v->n; i++) {
		uint8_t op = v->ins[i].op;
		stores = op != GLLM_V_LOOP_BEGIN && (stores || op == GLLM_V_VSTORE);
		found += op == GLLM_V_LOOP_END && inner && !stores;
		inner = op == GLLM_V_LOOP_BEGIN || (inner && op != GLLM_V_LOOP_END);
	}
	return found;
}

/* Where panels leave no columns over, no loop runs over the rows of what is left. */
static void check_nothing_left(struct driver *d)
{
	for (unsigned k = 0; k < GLLM_COUNT(machines); k++) {
		struct gllm_arena scratch = d->arena;
		struct gllm_vi *ins = gllm_alloc_array(&scratch, MAX_INS, sizeof *ins, 8);
		uint8_t *classes = gllm_alloc(&scratch, MAX_VREGS, 1);
		const int64_t dim[GLLM_MAX_PARAMS] = { 0, 0, 64, 8, 2 * machines[k].vector_bytes / 4, 0 };
		const struct gllm_lower_options o = { .dim = dim };
		struct gllm_kernel_info info;
		struct gllm_vir v;
		struct gllm_error e = { .status = GLLM_OK };
		gllm_vir_init(&v, ins, MAX_INS, classes, MAX_VREGS);
		CHECK_STATUS(d->t, gllm_lower(d->trace, &o, &machines[k], &scratch, &v, &info, &e), GLLM_OK);
		CHECK_EQ(d->t, idle_loops(&v), 0);
	}
}

/* Before the loops each word is loaded once, and each product made once: none by 1. */
static void check_prologue(struct driver *d)
{
	struct gllm_arena scratch = d->arena;
	struct gllm_vi *ins = gllm_alloc_array(&scratch, MAX_INS, sizeof *ins, 8);
	uint8_t *classes = gllm_alloc(&scratch, MAX_VREGS, 1);
	const struct gllm_lower_options o = { .rows = 1, .tile = 1 };
	struct gllm_kernel_info info;
	struct gllm_vir v;
	struct gllm_error e = { .status = GLLM_OK };
	unsigned again = 0, loads = 0, ones = 0;

	gllm_vir_init(&v, ins, MAX_INS, classes, MAX_VREGS);
	CHECK_STATUS(d->t, gllm_lower(d->trace, &o, &machines[2], &scratch, &v, &info, &e), GLLM_OK);
	for (const struct gllm_vi *i = v.ins; i < v.ins + v.n && i->op != GLLM_V_LOOP_BEGIN; i++) {
		loads += i->op == GLLM_V_GLOAD;
		ones += i->op == GLLM_V_GMULI && i->imm == 1;
		for (const struct gllm_vi *k = v.ins; k < i; k++)
			again += (i->op == GLLM_V_GLOAD || i->op == GLLM_V_GMULI || i->op == GLLM_V_GMUL) && k->op == i->op &&
			         k->a == i->a && k->b == i->b && k->imm == i->imm;
	}
	CHECK_EQ(d->t, info.tile, 1);
	CHECK_EQ(d->t, info.range >= 0, 1);
	CHECK(d->t, loads >= 6); /* three matrices and three sizes */
	CHECK_EQ(d->t, ones, 0);
	CHECK_EQ(d->t, again, 0);
}

/* Copies of an access to what an index says share its address. */
static void check_indexed(struct driver *d)
{
	unsigned found[2] = { 0 };

	for (unsigned k = 0; k < 2; k++) {
		struct gllm_arena scratch = d->arena;
		struct gllm_vi *ins = gllm_alloc_array(&scratch, MAX_INS, sizeof *ins, 8);
		uint8_t *classes = gllm_alloc(&scratch, MAX_VREGS, 1);
		const int64_t dim[GLLM_MAX_PARAMS] = { 0, 0, 0, 8, 256 };
		const struct gllm_lower_options o = { .dim = dim, .unroll = k ? 4 : 1 };
		struct gllm_kernel_info info;
		struct gllm_vir v;
		struct gllm_error e = { .status = GLLM_OK };
		gllm_vir_init(&v, ins, MAX_INS, classes, MAX_VREGS);
		CHECK_STATUS(d->t, gllm_lower(d->trace, &o, &machines[2], &scratch, &v, &info, &e), GLLM_OK);
		for (unsigned i = 0; i < v.n; i++)
			found[k] += v.ins[i].op == GLLM_V_GMULI || v.ins[i].op == GLLM_V_GSHLI || v.ins[i].op == GLLM_V_GADD;
	}
	CHECK_EQ(d->t, found[1], found[0]);
}

void check_lower(struct check *t)
{
	size_t size;
	unsigned char *memory = check_memory(t, &size);
	const struct gllm_image *image = check_image(t);
	struct gllm_arena scratch, keep, all;
	struct driver *d;
	void *p;

	if (!check_target(t) || !image) {
		check_skip(t, "nothing to lift");
		return;
	}
	gllm_arena_init(&all, memory, size);
	d = gllm_alloc(&all, sizeof *d, 64);
	*d = (struct driver){ .t = t };
	p = gllm_alloc(&all, GLLM_LIFT_SCRATCH, 64);
	gllm_arena_init(&scratch, p, GLLM_LIFT_SCRATCH);
	p = gllm_alloc(&all, 1 << 20, 64);
	gllm_arena_init(&keep, p, 1 << 20);
	for (unsigned i = 0; i < GLLM_OP_COUNT; i++) {
		struct gllm_error e = { .status = GLLM_OK };
		struct gllm_arena s = scratch;
		d->info = &gllm_op_info[i];
		enum gllm_status got = gllm_lift(check_target(t), image, (uint64_t)(uintptr_t)d->info->ref, d->info->name,
		                                 d->info->param, d->info->nparams, &s, &keep, &d->trace, &e);
		if (!CHECK_STATUS(t, got, GLLM_OK)) {
			check_print(t, "     %s: %s at %llu\n", d->info->name, e.what, (unsigned long long)e.where);
			continue;
		}
		d->arena = all;
		check_op(d);
		if (i == GLLM_OP_softmax)
			check_refusals(d);
		if (i == GLLM_OP_gelu)
			check_addends(d);
		if (i == GLLM_OP_sum)
			check_short_sum(d);
		if (i == GLLM_OP_gather)
			check_indexed(d);
		if (i == GLLM_OP_pack_b)
			check_nothing_left(d);
		if (i == GLLM_OP_gemm_bt)
			check_prologue(d);
		if (i == GLLM_OP_neg)
			check_narrow(d);
	}
}
