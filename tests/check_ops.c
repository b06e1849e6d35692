/* SPDX-License-Identifier: MIT
 * tests/check_ops.c - every compiled operator against its scalar definition.
 *
 * One driver for all rows of ops.def: the trace says how far each operand reaches, so buffers have exactly that many
 * bytes and end (or begin) at a page that faults where the platform has such pages. Each size is compiled with fixed
 * dims; one kernel with an open dim then runs all sizes. Outputs are poisoned first. */
#include "check.h"
#include "check_reach.h"
#include "core/arena.h"
#include "core/bits.h"
#include "gllm/graph.h"
#include "jit/context.h"

enum { LARGEST = 80, ROOM = 4 << 20 };

struct operand {
	unsigned char *p, *guard; /* guard: the block as it was allocated */
	size_t bytes;
	bool at_end, owned;
};

struct driver {
	struct check *t;
	struct gllm_context *c;
	unsigned op;
	const struct gllm_op_info *info;
	const struct gllm_trace *trace;
	union gllm_arg arg[GLLM_MAX_PARAMS];   /* of the compiled run */
	union gllm_arg want[GLLM_MAX_PARAMS];  /* of the scalar run: outputs of its own */
	struct operand got_buffer[GLLM_MAX_PARAMS], want_buffer[GLLM_MAX_PARAMS], scale_buffer[GLLM_MAX_PARAMS];
	unsigned char *room;
	size_t room_used;
};

/* --- buffers -------------------------------------------------------------------------------------------------------- */

static void take(struct driver *d, struct operand *o, size_t bytes, bool guarded)
{
	const struct check_host *h = d->t->host;
	*o = (struct operand){ .bytes = bytes, .at_end = check_below(d->t, 2) };
	if (guarded && h->guarded) {
		o->p = h->guarded(h->user, bytes, o->at_end);
		o->owned = o->p != NULL;
	}
	if (!o->p) {
		o->p = d->room + d->room_used;
		d->room_used += (size_t)gllm_round_up(bytes, 64) + 64;
	}
}

static void give(struct driver *d, struct operand *o)
{
	if (o->owned)
		d->t->host->guarded_free(d->t->host->user, o->p, o->bytes, o->at_end);
	o->p = NULL;
}

static bool written(const struct gllm_param *p)
{
	return p->kind == GLLM_OUT || p->kind == GLLM_INOUT;
}

static void fill(struct driver *d, const struct gllm_param *p, unsigned char *to, size_t bytes, bool hostile)
{
	for (size_t i = 0; i + gllm_type_bytes(p->type) <= bytes; i += gllm_type_bytes(p->type)) {
		float x = hostile ? check_hostile(d->t) : check_float(d->t, -2.0f, 2.0f);
		if (p->type == GLLM_F16)
			gllm_put_le16(to + i, gllm_f32_to_f16(x));
		else if (p->type == GLLM_F32)
			gllm_put_le32(to + i, gllm_f32_bits(x));
		else if (p->type == GLLM_U32) /* a row's number */
			gllm_put_le32(to + i, check_below(d->t, CHECK_ROWS));
		else
			to[i] = (unsigned char)check_random(d->t);
	}
}

/* The operand with one sign everywhere. Packed codes stand for negative numbers below their middle: all ones or zeros. */
static void with_sign(const struct gllm_param *p, unsigned char *x, size_t bytes, bool negative)
{
	size_t step = gllm_type_bytes(p->type);
	for (size_t i = step - 1; i < bytes && p->type != GLLM_U32; i += step)
		if (p->type == GLLM_I8)
			x[i] = negative ? 0x80 : 0x7f;
		else if (p->type == GLLM_U8)
			x[i] = negative ? 0 : 0xff;
		else
			x[i] = (unsigned char)((x[i] & 0x7f) | (negative ? 0x80 : 0));
}

static void prepare(struct driver *d, bool hostile)
{
	d->room_used = 0;
	for (unsigned i = 0; i < d->info->nparams; i++) {
		const struct gllm_param *p = &d->info->param[i];
		if (p->kind == GLLM_DIM || p->kind == GLLM_SCALAR)
			continue;
		size_t bytes = (size_t)check_reach(d->trace, i, d->arg);
		take(d, &d->got_buffer[i], bytes, true);
		take(d, &d->want_buffer[i], bytes, false);
		take(d, &d->scale_buffer[i], bytes, false);
		if (!written(p)) {
			fill(d, p, d->got_buffer[i].p, bytes, hostile);
			for (size_t k = 0; k < bytes; k++)
				d->want_buffer[i].p[k] = d->got_buffer[i].p[k];
			for (size_t k = 0; k < bytes; k++)
				d->scale_buffer[i].p[k] = d->got_buffer[i].p[k];
		} else {
			for (size_t k = 0; k < bytes; k++)
				d->got_buffer[i].p[k] = 0xa5;
		}
	}
}

static void release(struct driver *d)
{
	for (unsigned i = 0; i < d->info->nparams; i++)
		give(d, &d->got_buffer[i]);
}

static void run_scalar(struct driver *d, struct operand *buffer)
{
	union gllm_arg arg[GLLM_MAX_PARAMS];
	for (unsigned i = 0; i < d->info->nparams; i++) {
		arg[i] = d->arg[i];
		if (d->info->param[i].kind < GLLM_DIM)
			arg[i].ptr = buffer[i].p;
	}
	gllm_builtin_call(d->op)(d->info->ref, arg);
}

static float magnitude(float x)
{
	return x < 0 ? -x : x;
}

/* Sum of |terms| of every output element, left in `scale`: the greatest result among runs on operands without signs, all
 * positive or one of them negative (so that differences become sums). */
static void find_scale(struct driver *d)
{
	struct operand best[GLLM_MAX_PARAMS];
	for (unsigned i = 0; i < d->info->nparams; i++) {
		best[i] = d->scale_buffer[i];
		if (d->info->param[i].kind >= GLLM_DIM)
			continue;
		if (!written(&d->info->param[i]))
			with_sign(&d->info->param[i], best[i].p, best[i].bytes, false);
		else
			d->scale_buffer[i].p = d->room + d->room_used, d->room_used += (size_t)gllm_round_up(best[i].bytes, 64);
	}
	run_scalar(d, best);
	for (unsigned turn = 0; turn < d->info->nparams; turn++) {
		const struct gllm_param *p = &d->info->param[turn];
		if (p->kind >= GLLM_DIM || written(p))
			continue;
		with_sign(p, best[turn].p, best[turn].bytes, true);
		run_scalar(d, d->scale_buffer);
		with_sign(p, best[turn].p, best[turn].bytes, false);
		for (unsigned i = 0; i < d->info->nparams; i++)
			for (size_t k = 0; written(&d->info->param[i]) && k + 4 <= best[i].bytes; k += 4) {
				float x = magnitude(gllm_bits_f32(gllm_le32(d->scale_buffer[i].p + k)));
				if (x > magnitude(gllm_bits_f32(gllm_le32(best[i].p + k))))
					gllm_put_le32(best[i].p + k, gllm_f32_bits(x));
			}
	}
	for (unsigned i = 0; i < d->info->nparams; i++)
		d->scale_buffer[i] = best[i];
}

/* --- comparison ----------------------------------------------------------------------------------------------------- */

static bool close_enough(const struct driver *d, float got, float want, float scale, double n)
{
	if (d->info->tol.sum == 0.0f)
		return check_ulp(got, want) <= (double)d->info->tol.ulp;
	if (got != got || want != want)
		return got != got && want != want;
	if (got == want)
		return true;
	double terms = (double)(magnitude(scale) > magnitude(want) ? magnitude(scale) : magnitude(want));
	double bound = (double)d->info->tol.sum * n * 0x1p-24 * terms;
	if (bound > 1e-4 * terms)
		bound = 1e-4 * terms;
	return (double)magnitude(got - want) <= bound;
}

static void compare(struct driver *d, const char *how)
{
	double n = 4;
	for (unsigned i = 0; i < d->info->nparams; i++)
		if (d->info->param[i].kind == GLLM_DIM && (double)d->arg[i].dim > n)
			n = (double)d->arg[i].dim;
	for (unsigned i = 0; i < d->info->nparams; i++) {
		const struct gllm_param *p = &d->info->param[i];
		size_t bad = SIZE_MAX;
		if (!written(p))
			continue;
		for (size_t k = 0; k + 4 <= d->got_buffer[i].bytes && bad == SIZE_MAX; k += 4) {
			uint32_t got = gllm_le32(d->got_buffer[i].p + k), want = gllm_le32(d->want_buffer[i].p + k);
			float scale = gllm_bits_f32(gllm_le32(d->scale_buffer[i].p + k));
			if (p->type == GLLM_F32 ? !close_enough(d, gllm_bits_f32(got), gllm_bits_f32(want), scale, n) : got != want)
				bad = k;
		}
		if (!CHECK(d->t, bad == SIZE_MAX)) {
			check_print(d->t, "     %s %s, output %s byte %zu: got %08x, want %08x; dims", d->info->name, how, p->name, bad,
			            gllm_le32(d->got_buffer[i].p + bad), gllm_le32(d->want_buffer[i].p + bad));
			for (unsigned k = 0; k < d->info->nparams; k++)
				if (d->info->param[k].kind == GLLM_DIM)
					check_print(d->t, " %s=%llu", d->info->param[k].name, (unsigned long long)d->arg[k].dim);
			check_print(d->t, "\n");
		}
	}
}

static void check_inputs(struct driver *d)
{
	bool same = true;
	for (unsigned i = 0; i < d->info->nparams; i++)
		if (d->info->param[i].kind < GLLM_DIM && !written(&d->info->param[i]))
			for (size_t k = 0; k < d->got_buffer[i].bytes; k++)
				same = same && d->got_buffer[i].p[k] == d->want_buffer[i].p[k];
	CHECK(d->t, same);
}

/* --- one graph of one node ------------------------------------------------------------------------------------------ */

/* `open`: the parameter (a DIM) left symbolic, or nparams for none. */
static enum gllm_status compile_one(struct driver *d, unsigned open, uint64_t max_rows, struct gllm_plan **plan,
                                    struct gllm_error *e)
{
	/* Loops load a turn ahead, or not, where they reach just as far. */
	const struct gllm_tuning tuning = { .stages = (uint8_t)check_below(d->t, 3) };
	const struct gllm_plan_options options = { .readback = true, .tuning = &tuning };
	struct gllm_graph *g;
	struct gllm_actual actual[GLLM_MAX_PARAMS];
	union gllm_arg one[GLLM_MAX_PARAMS], two[GLLM_MAX_PARAMS];
	enum gllm_status s = gllm_graph_create(d->c, d->info->name, max_rows, GLLM_MAX_PARAMS, 1, &g, e);
	if (s != GLLM_OK)
		return s;
	for (unsigned i = 0; i < d->info->nparams; i++) {
		one[i] = two[i] = d->arg[i];
		if (i == open)
			one[i].dim = 1, two[i].dim = 2;
	}
	for (unsigned i = 0; i < d->info->nparams; i++) {
		const struct gllm_param *p = &d->info->param[i];
		if (p->kind == GLLM_DIM) {
			actual[i] = GLLM_D(i == open ? GLLM_ROWS : d->arg[i].dim);
		} else if (p->kind == GLLM_SCALAR) {
			actual[i] = GLLM_S(d->arg[i].scalar);
		} else {
			uint64_t a = check_reach(d->trace, i, one), b = check_reach(d->trace, i, two);
			enum gllm_tensor_kind kind = written(p) ? GLLM_TENSOR_OUTPUT :
			                             p->kind == GLLM_WEIGHT ? GLLM_TENSOR_WEIGHT : GLLM_TENSOR_INPUT;
			uint64_t unit = gllm_type_bytes(p->type);
			actual[i] = GLLM_T(gllm_graph_tensor(g, kind, p->type, a == b ? 1 : GLLM_ROWS,
			                                     (a == b ? a : b - a) / unit, p->name));
		}
	}
	gllm_graph_node(g, d->op, 1, actual, d->info->nparams);
	s = gllm_graph_status(g, e);
	if (s == GLLM_OK)
		s = gllm_compile(d->c, g, &options, plan, e);
	gllm_graph_free(d->c, g);
	return s;
}

static bool run_plan(struct driver *d, const struct gllm_plan *plan, uint64_t rows)
{
	struct gllm_error e = { .status = GLLM_OK };
	void *bind[GLLM_MAX_PARAMS];
	unsigned n = 0;
	for (unsigned i = 0; i < d->info->nparams; i++)
		if (d->info->param[i].kind < GLLM_DIM)
			bind[n++] = d->got_buffer[i].p;
	bool ok = CHECK_STATUS(d->t, gllm_plan_run(plan, bind, rows, d->room + ROOM - 64, &e), GLLM_OK);
	if (!ok)
		check_print(d->t, "     %s: %s %s\n", d->info->name, e.what, e.name);
	return ok;
}

static void report(struct driver *d, const struct gllm_error *e)
{
	check_print(d->t, "     %s: %s: %s %s\n", d->info->name, gllm_status_text(e->status), e->what, e->name);
}

static void set_dims(struct driver *d, unsigned k)
{
	static const unsigned char size[] = { 0, 1, 2, 3, 4, 5, 7, 8, 9, 12, 15, 16, 17, 24, 31, 32, 33, 47, 64, 65, LARGEST };
	unsigned dims = 0;
	for (unsigned i = 0; i < d->info->nparams; i++) {
		if (d->info->param[i].kind == GLLM_SCALAR)
			d->arg[i].scalar = 0.125f;
		if (d->info->param[i].kind != GLLM_DIM)
			continue;
		/* The first dim walks through all sizes; the others are drawn, small enough for the room. */
		uint64_t n = size[k % sizeof size];
		if (dims > 0)
			n = size[check_below(d->t, sizeof size - 4)];
		if (dims > 2)
			n = size[check_below(d->t, 8)];
		if (dims > 0 && d->info->sig == GLLM_SIG_attend && d->info->param[i].name[0] == 's')
			n = d->arg[i - 1].dim + (k & 1) * 3;
		d->arg[i].dim = n;
		dims++;
	}
}

enum { SIZES = 21 };

/* Sums in another order, or products joined with sums, may overflow where the definition does not. */
static bool takes_hostile(const struct driver *d)
{
	return d->info->tol.sum == 0.0f || d->trace->pattern == GLLM_PATTERN_ELEMENTWISE;
}

/* False: not compiled, and said so. */
static bool fixed_dims(struct driver *d)
{
	for (unsigned k = 0; k < SIZES; k++) {
		struct gllm_error e = { .status = GLLM_OK };
		struct gllm_plan *plan;
		set_dims(d, k);
		enum gllm_status s = compile_one(d, d->info->nparams, 1, &plan, &e);
		if (!CHECK_STATUS(d->t, s, GLLM_OK)) {
			report(d, &e);
			return false;
		}
		for (unsigned hostile = 0; hostile < (takes_hostile(d) ? 2u : 1u); hostile++) {
			prepare(d, hostile);
			run_scalar(d, d->want_buffer);
			find_scale(d);
			if (run_plan(d, plan, 1)) {
				compare(d, "with fixed dims");
				check_inputs(d);
			}
			release(d);
		}
		gllm_plan_free(d->c, plan);
	}
	return true;
}

static void open_dim(struct driver *d, unsigned open)
{
	struct gllm_error e = { .status = GLLM_OK };
	struct gllm_plan *plan;
	for (unsigned i = 0; i < d->info->nparams; i++) {
		if (d->info->param[i].kind == GLLM_DIM)
			d->arg[i].dim = i == open ? LARGEST : 11;
		if (d->info->param[i].kind == GLLM_SCALAR)
			d->arg[i].scalar = 0.125f;
	}
	if (!CHECK_STATUS(d->t, compile_one(d, open, LARGEST, &plan, &e), GLLM_OK)) {
		report(d, &e);
		return;
	}
	for (uint64_t rows = 0; rows <= LARGEST; rows += rows < 20 ? 1 : 7) {
		d->arg[open].dim = rows;
		prepare(d, false);
		run_scalar(d, d->want_buffer);
		find_scale(d);
		if (run_plan(d, plan, rows))
			compare(d, "with an open dim");
		release(d);
	}
	gllm_plan_free(d->c, plan);
}

void check_ops(struct check *t)
{
	size_t size;
	struct gllm_arena a;
	unsigned char *all = check_memory(t, &size);
	gllm_arena_init(&a, all, size);
	struct gllm_config config = { .target = check_target(t), .profile = *check_profile(t) };
	if (check_image(t))
		config.image = *check_image(t);
	config.recorded = t->host->recorded;
	config.nrecorded = t->host->nrecorded;
	if (check_exec(t))
		config.host.code = *check_exec(t);
	if (!config.target || !check_image(t) || !check_exec(t) || !config.profile.vector_bytes) {
		check_skip(t, "compiled operators need a back end, vector units and executable memory");
		return;
	}
	struct gllm_error e = { .status = GLLM_OK };
	size_t need = gllm_context_quote(&config);
	struct driver d = { .t = t };
	void *memory = gllm_alloc(&a, need, 64);
	d.room = gllm_alloc(&a, ROOM, 4096);
	if (!CHECK(t, memory && d.room) || !CHECK_STATUS(t, gllm_context_create(memory, need, &config, &d.c, &e), GLLM_OK))
		return;
	for (d.op = 0; d.op < GLLM_OP_COUNT; d.op++) {
		d.info = &gllm_op_info[d.op];
		e = (struct gllm_error){ .status = GLLM_OK };
		enum gllm_status s = gllm_op_trace(d.c, d.op, &d.trace, &e);
		if (!CHECK_STATUS(t, s, GLLM_OK)) {
			check_print(t, "     %s at +0x%llx: %s\n", d.info->name, (unsigned long long)e.where, e.what);
			continue;
		}
		if (!fixed_dims(&d))
			continue;
		unsigned first = 0;
		while (d.info->param[first].kind != GLLM_DIM)
			first++;
		open_dim(&d, first);
	}
}
