/* SPDX-License-Identifier: MIT
 * tests/check_record.c - recorded traces: when one stands for lifting, when it does not, and that none is believed.
 *
 * Records are made here from what is lifted, and from the program's own table where it was linked with one. Shown the
 * text, a context must use a fitting record and lift past any other; not shown it, there is no trace without one. */
#include "check.h"
#include "core/arena.h"
#include "core/bits.h"
#include "fixtures/user_ops.h"
#include "jit/lift.h"
#include "jit/record.h"
#include "jit/trace.h"

enum { KEEP = 2 << 20, ROUNDS = 4000 };

_Static_assert(sizeof(struct user_op) == 48, "RECORD_OPS of the Makefile states the size of a row");

struct desk {
	struct check *t;
	struct gllm_config config;
	struct gllm_image image, withheld;
	void *memory;
	size_t size;
	struct gllm_arena keep, scratch, copies;
	struct gllm_reads *reads;
	const struct gllm_op_info *op;
	unsigned number;
	const struct gllm_trace *trace;
	struct gllm_trace_record record;
	struct gllm_error e;
	struct gllm_stats stats;
	const struct gllm_trace *got;
	unsigned lines;
};

static void count_line(void *user, const char *text, size_t n)
{
	struct desk *d = user;
	d->lines += n > 0 && text[n - 1] == '\n';
}

static bool text_readable(const struct desk *d)
{
	return gllm_image_at(&d->image, (uint64_t)(uintptr_t)gllm_op_info[0].ref, 1, false) != NULL;
}

static struct gllm_context *open(struct desk *d, const struct gllm_image *image, const struct gllm_trace_record *r, unsigned n)
{
	struct gllm_context *c = NULL;
	d->config.image = *image;
	d->config.recorded = r;
	d->config.nrecorded = n;
	d->e = (struct gllm_error){ .status = GLLM_OK };
	d->lines = 0;
	d->got = NULL;
	CHECK_STATUS(d->t, gllm_context_create(d->memory, d->size, &d->config, &c, &d->e), GLLM_OK);
	return c;
}

/* Asks a new context for the trace of the operator under test. */
static enum gllm_status ask(struct desk *d, const struct gllm_image *image, const struct gllm_trace_record *r)
{
	struct gllm_context *c = open(d, image, r, r ? 1 : 0);
	enum gllm_status s = gllm_op_trace(c, d->number, &d->got, &d->e);
	gllm_context_stats(c, &d->stats);
	return s;
}

static enum gllm_status lift(struct desk *d, gllm_any_fn *fn, const char *name, const struct gllm_param *param, unsigned n)
{
	d->keep.used = 0;
	return gllm_lift_reads(check_target(d->t), &d->image, (uint64_t)(uintptr_t)fn, name, param, n, &d->scratch, &d->keep,
	                       d->reads, &d->trace, &d->e);
}

/* Takes the first operator with loops and reductions that calls a primitive and is read from several places. */
static bool choose(struct desk *d)
{
	for (unsigned i = 0; i < GLLM_OP_COUNT; i++) {
		const struct gllm_op_info *o = &gllm_op_info[i];
		if (!CHECK_STATUS(d->t, lift(d, o->ref, o->name, o->param, o->nparams), GLLM_OK))
			return false;
		if (d->reads->ncalls == 0 || d->reads->nspans < 2 || d->trace->nloops < 2 || d->trace->nreductions == 0)
			continue;
		d->op = o;
		d->number = i;
		d->record = (struct gllm_trace_record){ o->name, (int64_t)((uintptr_t)o->ref - (uintptr_t)gllm_op_trace),
			d->reads->span, d->reads->nspans, d->reads->call, d->reads->ncalls, d->trace };
		return true;
	}
	return CHECK(d->t, d->op != NULL);
}

/* ---- use ----------------------------------------------------------------------------------------------------------- */

/* Every trace that is lifted obeys the rules that records are held to. */
static void check_lifted_flawless(struct desk *d)
{
	for (unsigned i = 0; i < GLLM_OP_COUNT + USER_COUNT; i++) {
		const struct gllm_op_info *o = &gllm_op_info[i < GLLM_OP_COUNT ? i : 0];
		const struct user_op *u = &user_op[i < GLLM_OP_COUNT ? 0 : i - GLLM_OP_COUNT];
		const char *name = i < GLLM_OP_COUNT ? o->name : u->name, *flaw;
		d->e = (struct gllm_error){ .status = GLLM_OK };
		if (i < GLLM_OP_COUNT ? lift(d, o->ref, name, o->param, o->nparams) : lift(d, u->fn, name, u->param, u->nparams)) {
			CHECK(d->t, i >= GLLM_OP_COUNT); /* which of the users' operators lift is check_user.c's matter */
			continue;
		}
		flaw = gllm_trace_flaw(d->trace);
		if (flaw)
			check_print(d->t, "     %s: %s\n", name, flaw);
		CHECK(d->t, !flaw && d->reads->nspans > 0);
	}
}

static void expect_recorded(struct desk *d, enum gllm_status s)
{
	if (!CHECK_STATUS(d->t, s, GLLM_OK))
		return;
	CHECK(d->t, d->stats.recorded == 1 && d->stats.lifted == 0 && d->stats.injected == 0 && d->lines == 0);
	CHECK(d->t, d->got->hash == d->trace->hash && d->got->name == d->op->name && d->got->param == d->op->param);
}

/* Lifted past a record that does not fit, with a line in the log; without text, `withheld` is the answer. */
static void expect_refused(struct desk *d, const struct gllm_trace_record *r, enum gllm_status withheld)
{
	if (CHECK_STATUS(d->t, ask(d, &d->image, r), GLLM_OK))
		CHECK(d->t, d->stats.recorded == 0 && d->stats.lifted == 1 && d->lines == 1 && d->got->hash == d->trace->hash);
	CHECK_STATUS(d->t, ask(d, &d->withheld, r), withheld);
	CHECK(d->t, d->got == NULL && d->stats.recorded == 0 && d->stats.lifted == 0 && d->e.what && d->e.name[0]);
}

static void check_use(struct desk *d)
{
	expect_recorded(d, ask(d, &d->image, &d->record));
	expect_recorded(d, ask(d, &d->withheld, &d->record));
	CHECK_STATUS(d->t, ask(d, &d->withheld, NULL), GLLM_NOT_LIFTED);
	CHECK_STATUS(d->t, ask(d, &d->image, NULL), GLLM_OK);
	CHECK(d->t, d->stats.lifted == 1 && d->stats.recorded == 0 && d->lines == 0);

	struct gllm_trace_record other = d->record;
	other.at += 4; /* of another function: as if there were none */
	CHECK_STATUS(d->t, ask(d, &d->withheld, &other), GLLM_NOT_LIFTED);
	CHECK_EQ(d->t, d->lines, 0);
	other = d->record;
	other.name = "another";
	CHECK_STATUS(d->t, ask(d, &d->withheld, &other), GLLM_NOT_LIFTED);
	d->config.recorded = NULL;
	d->config.nrecorded = 1;
	struct gllm_context *c;
	CHECK_STATUS(d->t, gllm_context_create(d->memory, d->size, &d->config, &c, NULL), GLLM_INVALID_ARGUMENT);
}

static void check_other_code(struct desk *d)
{
	const uint64_t fn = (uint64_t)(uintptr_t)d->op->ref;
	struct gllm_trace_record r = d->record;
	struct gllm_span span[GLLM_READ_SPANS];
	r.span = span;
	for (unsigned k = 0; k < r.nspans; k++) {
		for (unsigned i = 0; i < r.nspans; i++)
			span[i] = d->record.span[i];
		span[k].hash ^= UINT64_C(1) << check_below(d->t, 64);
		CHECK_STATUS(d->t, ask(d, &d->image, &r), GLLM_OK);
		CHECK(d->t, d->stats.lifted == 1 && d->stats.recorded == 0 && d->lines == 1);
		expect_recorded(d, ask(d, &d->withheld, &r)); /* nothing can be read, so nothing contradicts */
		if (span[k].at <= 0 && span[k].at + (int64_t)span[k].bytes > 0)
			continue;
		/* a span other than the entry's can be read, say constants beside execute-only text */
		const struct gllm_range range = { gllm_image_at(&d->image, fn + (uint64_t)span[k].at, span[k].bytes, false),
		                                  fn + (uint64_t)span[k].at, span[k].bytes, true };
		const struct gllm_image part = { &range, 1, d->image.known, d->image.nknown };
		CHECK_STATUS(d->t, ask(d, &part, &r), GLLM_NOT_LIFTED);
		expect_recorded(d, ask(d, &part, &d->record));
	}
	struct gllm_record_call call[GLLM_READ_CALLS];
	for (unsigned i = 0; i < r.ncalls; i++)
		call[i] = d->record.call[i];
	r = d->record;
	r.call = call;
	call[r.ncalls - 1].what = call[r.ncalls - 1].what == GLLM_PRIM_SQRTF ? GLLM_PRIM_RINTF : GLLM_PRIM_SQRTF;
	expect_refused(d, &r, GLLM_NOT_LIFTED);
}

static void check_other_parameters(struct desk *d)
{
	struct gllm_param param[GLLM_MAX_PARAMS];
	struct gllm_trace_record r = d->record;
	unsigned op;
	r.name = "other parameters";
	for (unsigned i = 0; i < d->op->nparams; i++)
		param[i] = d->op->param[i];
	for (unsigned kind = 0; kind < 2; kind++) {
		if (kind)
			param[0].kind = GLLM_INOUT;
		struct gllm_context *c = open(d, &d->withheld, &r, 1);
		CHECK_STATUS(d->t, gllm_register(c, r.name, d->op->ref, param, d->op->nparams, NULL, &op, NULL), GLLM_OK);
		CHECK_STATUS(d->t, gllm_op_trace(c, op, &d->got, &d->e), kind ? GLLM_NOT_LIFTED : GLLM_OK);
	}
}

/* ---- corrupt tables ------------------------------------------------------------------------------------------------ */

struct copy { /* of a trace, to be spoiled */
	struct gllm_trace t;
	struct gllm_param *param;
	struct gllm_node *node;
	struct gllm_loop *loop;
	struct gllm_access *access;
	struct gllm_poly *poly;
	struct gllm_term *term;
	struct gllm_reduction *reduction;
	unsigned char *bytes; /* of everything from node on */
	size_t size;
};

static void *again(struct desk *d, const void *from, size_t n, size_t size)
{
	unsigned char *to = gllm_alloc(&d->copies, n * size + 8, 8);
	for (size_t i = 0; i < n * size; i++)
		to[i] = ((const unsigned char *)from)[i];
	return to;
}

static void make_copy(struct desk *d, struct copy *c)
{
	const struct gllm_trace *t = d->trace;
	d->copies.used = 0;
	c->t = *t;
	c->t.param = c->param = again(d, t->param, t->nparams, sizeof *t->param);
	c->bytes = d->copies.base + d->copies.used;
	c->t.node = c->node = again(d, t->node, t->nnodes, sizeof *t->node);
	c->t.loop = c->loop = again(d, t->loop, t->nloops, sizeof *t->loop);
	c->t.access = c->access = again(d, t->access, t->naccesses, sizeof *t->access);
	c->t.poly = c->poly = again(d, t->poly, t->npolys, sizeof *t->poly);
	c->t.term = c->term = again(d, t->term, t->nterms, sizeof *t->term);
	gllm_alloc(&d->copies, sizeof *t->term, 8);
	c->term[t->nterms] = /* behind the end lies a good one */ t->term[t->loop[0].trip.first];
	c->t.reduction = c->reduction = again(d, t->reduction, t->nreductions, sizeof *t->reduction);
	c->size = (size_t)(d->copies.base + d->copies.used - c->bytes);
}

static unsigned first_of(const struct copy *c, unsigned op)
{
	unsigned i = 0;
	while (i + 1 < c->t.nnodes && c->node[i].op != op)
		i++;
	return i;
}

static unsigned last_of(const struct copy *c, unsigned op)
{
	unsigned i = c->t.nnodes - 1;
	while (i && c->node[i].op != op)
		i--;
	return i;
}

/* One rule broken by each row. */
#define SPOILS(S)                                                                                             \
	S(no_nodes, c->t.node = NULL)                                                                         \
	S(many_nodes, c->t.nnodes = 65536)                                                                    \
	S(no_params, c->t.nparams = 0)                                                                        \
	S(many_params, c->t.nparams = GLLM_MAX_PARAMS + 1)                                                    \
	S(param_kind, c->param[0].kind = (enum gllm_param_kind)(GLLM_SCALAR + 1))                             \
	S(param_type, c->param[0].type = GLLM_MASK)                                                           \
	S(output_is_input, c->param[c->access[c->node[last_of(c, GLLM_N_STORE)].imm].param].kind = GLLM_IN)   \
	S(many_loops, c->t.nloops = GLLM_TRACE_LOOPS + 1)                                                     \
	S(no_loops, c->t.loop = NULL)                                                                         \
	S(many_accesses, c->t.naccesses = c->t.nnodes + 1)                                                    \
	S(fewer_accesses, c->t.naccesses--)                                                                   \
	S(fewer_terms, c->t.nterms--)                                                                         \
	S(many_reductions, c->t.nreductions = 1000)                                                           \
	S(fewer_reductions, c->t.nreductions--)                                                               \
	S(op, c->node[0].op = GLLM_N_COUNT)                                                                   \
	S(type, c->node[0].type = GLLM_TYPE_COUNT)                                                            \
	S(other_type, c->node[last_of(c, GLLM_N_MUL)].type = GLLM_I32)                                        \
	S(node_loop, c->node[last_of(c, GLLM_N_LOAD)].loop = GLLM_TRACE_LOOPS)                                \
	S(outside_all, c->node[last_of(c, GLLM_N_LOAD)].loop = -1)                                            \
	S(operand_out_of_bounds, c->node[last_of(c, GLLM_N_MUL)].a = (gllm_ref)c->t.nnodes)                   \
	S(operand_absent, c->node[last_of(c, GLLM_N_MUL)].b = GLLM_NO_NODE)                                   \
	S(operand_is_itself, c->node[last_of(c, GLLM_N_MUL)].a = (gllm_ref)last_of(c, GLLM_N_MUL))            \
	S(operand_too_many, c->node[last_of(c, GLLM_N_MUL)].c = 0)                                            \
	S(operand_is_a_store, c->node[c->t.nnodes - 1].a = (gllm_ref)first_of(c, GLLM_N_STORE))               \
	S(access_out_of_bounds, c->node[last_of(c, GLLM_N_LOAD)].imm = c->t.naccesses)                        \
	S(access_param, c->access[0].param = (uint8_t)c->t.nparams)                                           \
	S(access_of_a_dim, c->access[0].param = (uint8_t)(c->t.nparams - 1))                                  \
	S(access_type, c->access[0].type = GLLM_MASK)                                                         \
	S(access_index, c->access[0].index = (gllm_ref)c->t.nnodes)                                           \
	S(access_poly, c->access[0].offset.first = 0xfff0)                                                    \
	S(access_poly_count, c->access[0].offset.count = 0xffff)                                              \
	S(trip_poly, c->loop[0].trip.count = 0x7fff)                                                          \
	S(trip_behind_the_end, c->loop[0].trip.first = (uint16_t)c->t.nterms)                                 \
	S(trip_of_its_own_variable, c->term[c->loop[0].trip.first].sym[0] = GLLM_SYM_LOOP)                    \
	S(symbol_of_a_pointer, c->term[c->loop[0].trip.first].sym[0] = GLLM_SYM_PARAM)                        \
	S(symbol_out_of_bounds, c->term[c->loop[0].trip.first].sym[0] = 255)                                  \
	S(symbol_of_no_param, c->term[c->loop[0].trip.first].sym[0] = GLLM_SYM_LOOP - 1)                      \
	S(symbols_with_a_gap, (c->term[0].sym[1] = 0, c->term[0].sym[2] = GLLM_SYM_LOOP))                     \
	S(loop_parent, c->loop[0].parent = 0)                                                                 \
	S(loop_parent_below, c->loop[0].parent = -2)                                                          \
	S(loop_end, c->loop[0].end = (gllm_ref)(c->t.nnodes + 1))                                             \
	S(loop_behind_the_end, c->loop[c->t.nloops - 1].end = (gllm_ref)(c->t.nnodes + 1))                    \
	S(loop_empty, c->loop[0].end = c->loop[0].first)                                                      \
	S(loops_cross, c->loop[c->t.nloops - 1].first = (gllm_ref)(c->loop[0].first + 1))                     \
	S(carry_end, c->node[first_of(c, GLLM_N_CARRY)].b = (gllm_ref)(c->t.nnodes - 1))                      \
	S(carry_start, c->node[first_of(c, GLLM_N_CARRY)].a = (gllm_ref)first_of(c, GLLM_N_CARRY))            \
	S(last_of_no_carry, c->node[first_of(c, GLLM_N_LAST)].a = 0)                                          \
	S(constant_too_wide, c->node[first_of(c, GLLM_N_CONST)].imm = UINT64_C(1) << 32)                      \
	S(reduction_kind, c->reduction[0].kind = GLLM_REDUCE_PRODUCT)                                         \
	S(reduction_carry, c->reduction[0].carry = GLLM_NO_NODE)                                              \
	S(pattern, c->t.pattern = GLLM_PATTERN_GEMM)                                                          \
	S(pattern_out_of_bounds, c->t.pattern = (enum gllm_pattern)200)

#define S(name, what) static void spoil_##name(struct copy *c) { what; }
SPOILS(S)
#undef S

static void check_corrupt(struct desk *d)
{
	static const struct { const char *name; void (*spoil)(struct copy *c); } row[] = {
#define S(name, what) { #name, spoil_##name },
		SPOILS(S)
#undef S
	};
	struct copy c;
	struct gllm_trace_record r = d->record;
	make_copy(d, &c);
	CHECK(d->t, gllm_trace_flaw(&c.t) == NULL);
	r.trace = &c.t;
	for (unsigned i = 0; i < GLLM_COUNT(row); i++) {
		make_copy(d, &c);
		row[i].spoil(&c);
		const char *flaw = gllm_trace_flaw(&c.t);
		bool found = flaw && flaw[0] != 'h'; /* before the hash of the trace gives it away */
		if (!found)
			check_print(d->t, "     %s: %s\n", row[i].name, flaw ? flaw : "not seen");
		CHECK(d->t, found);
		expect_refused(d, &r, GLLM_BAD_VALUE);
	}
	make_copy(d, &c);
	c.t.hash ^= 1;
	expect_refused(d, &r, GLLM_BAD_VALUE);
	r = d->record;
	r.trace = NULL;
	expect_refused(d, &r, GLLM_BAD_VALUE);
	r = d->record;
	r.nspans = 0;
	expect_refused(d, &r, GLLM_BAD_VALUE);
	r = d->record;
	r.ncalls = 100000;
	expect_refused(d, &r, GLLM_BAD_VALUE);
}

/* Tables of a trace: each row breaks what keeps its index inside. */
static void check_corrupt_tables(struct desk *d)
{
	const struct gllm_op_info *o = &gllm_op_info[GLLM_OP_dequant_iq4_nl];
	struct gllm_table table;
	struct copy c;
	if (!CHECK_STATUS(d->t, lift(d, o->ref, o->name, o->param, o->nparams), GLLM_OK) || !CHECK_EQ(d->t, d->trace->ntables, 1))
		return;
	for (unsigned row = 0; row < 10; row++) {
		make_copy(d, &c);
		c.t.table = &table;
		table = d->trace->table[0];
		unsigned load = last_of(&c, GLLM_N_LOAD), mask = 0;
		while (mask < c.t.nnodes && !(c.node[mask].op == GLLM_N_CONST && c.node[mask].imm == 15))
			mask++;
		if (!CHECK(d->t, c.access[c.node[load].imm].param == GLLM_TRACE_PARAMS && mask < c.t.nnodes && table.bytes == 16))
			return;
		switch (row) {
		case 0: break;
		case 1: c.t.table = NULL; break;
		case 2: c.t.ntables = GLLM_TRACE_TABLES + 1; break;
		case 3: c.t.ntables = 0; break;
		case 4: table.data = NULL; break;
		case 5: table.bytes = 15; break;
		case 6: table.bytes = GLLM_TABLE_BYTES + 1; break;
		case 7: c.access[c.node[load].imm].param++; break;
		case 8: c.access[c.node[load].imm].index_bytes = 2; break;
		case 9: c.node[mask].imm = 31; break;
		}
		const char *flaw = gllm_trace_flaw(&c.t);
		if (!CHECK(d->t, row ? flaw && flaw[0] != 'h' : !flaw))
			check_print(d->t, "     spoilt table %u: %s\n", row, flaw ? flaw : "not seen");
	}
}

/* Any byte of the tables changed: refused, unless it was one without meaning. */
static void check_random_bytes(struct desk *d)
{
	struct copy c;
	unsigned refused = 0;
	bool sound = true;
	for (unsigned i = 0; i < ROUNDS; i++) {
		make_copy(d, &c);
		c.bytes[check_random(d->t) % c.size] ^= (unsigned char)(1 + check_below(d->t, 255));
		if (gllm_trace_flaw(&c.t))
			refused++;
		else
			sound = sound && gllm_trace_hash(&c.t) == d->trace->hash;
	}
	CHECK(d->t, sound && refused > ROUNDS / 2);
}

/* ---- the program's own table --------------------------------------------------------------------------------------- */

static void check_own_table(struct desk *d)
{
	const struct check_host *h = d->t->host;
	struct gllm_context *c = open(d, &d->image, h->recorded, h->nrecorded);
	unsigned op, left_out = 0;
	for (unsigned i = 0; i < USER_COUNT; i++)
		CHECK_STATUS(d->t, gllm_register(c, user_op[i].name, user_op[i].fn, user_op[i].param, user_op[i].nparams, NULL, &op,
		                                 &d->e), GLLM_OK);
	for (unsigned i = 0; i < gllm_op_count(c); i++) {
		d->e = (struct gllm_error){ .status = GLLM_OK };
		enum gllm_status s = gllm_op_trace(c, i, &d->got, &d->e);
		left_out += s != GLLM_OK;
		if (!CHECK(d->t, s == GLLM_OK || (i >= GLLM_OP_COUNT && s == GLLM_NOT_LIFTED)))
			check_print(d->t, "     %s: %s\n", gllm_op_name(c, i), d->e.what);
	}
	gllm_context_stats(c, &d->stats);
	CHECK_EQ(d->t, d->stats.recorded, h->nrecorded);
	CHECK_EQ(d->t, h->nrecorded + left_out, GLLM_OP_COUNT + USER_COUNT);
	CHECK(d->t, left_out < USER_COUNT);
	CHECK(d->t, d->stats.lifted == 0 && d->stats.injected == 0 && d->lines == 0);
}

void check_record(struct check *t)
{
	struct desk d = { .t = t };
	struct gllm_arena a;
	size_t size;
	void *memory = check_memory(t, &size);
	if (!check_image(t) || !check_target(t)) {
		check_skip(t, "the platform gives no image");
		return;
	}
	gllm_arena_init(&a, memory, size);
	d.image = *check_image(t);
	d.withheld = d.image;
	d.withheld.nranges = 0;
	d.config = (struct gllm_config){ .target = check_target(t), .profile = *check_profile(t), .max_ops = USER_COUNT + 1,
		.scratch_bytes = GLLM_LIFT_SCRATCH, .heap_bytes = 1 << 16, .host = { .log = count_line, .user = &d } };
	d.size = gllm_context_quote(&d.config);
	d.memory = gllm_alloc(&a, d.size, 64);
	d.reads = gllm_alloc(&a, sizeof *d.reads, 64);
	void *keep = gllm_alloc(&a, KEEP, 64), *scratch = gllm_alloc(&a, GLLM_LIFT_SCRATCH, 64), *copies = gllm_alloc(&a, KEEP, 64);
	if (!CHECK(t, d.memory && d.reads && keep && scratch && copies))
		return;
	gllm_arena_init(&d.keep, keep, KEEP);
	gllm_arena_init(&d.scratch, scratch, GLLM_LIFT_SCRATCH);
	gllm_arena_init(&d.copies, copies, KEEP);
	if (t->host->nrecorded)
		check_own_table(&d);
	if (!text_readable(&d)) {
		CHECK(t, t->host->nrecorded > 0);
		return;
	}
	check_lifted_flawless(&d);
	if (!choose(&d))
		return;
	check_use(&d);
	check_other_code(&d);
	check_other_parameters(&d);
	check_corrupt(&d);
	check_corrupt_tables(&d);
	check_random_bytes(&d);
}
