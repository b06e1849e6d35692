/* SPDX-License-Identifier: MIT
 * jit/chunks.c - see chunks.h. */
#include "jit/chunks.h"
#include "jit/strip.h"

enum { LONG = 1 << 16, CHUNKS = 64, LEAST_CHUNK = 8192, UNIT = 1024, MOST_SUMS = 4 };

struct result { /* of a reduction */
	gllm_ref carry, last;
	uint8_t kind;
	int8_t loop;
	uint16_t scratch; /* where the partial ones are */
	int64_t parts;    /* how many */
};

struct splitter {
	struct gllm_arena *arena;
	struct gllm_fusion *f;
	unsigned group;
	const struct gllm_composed *c;
	struct gllm_affine *affine;
	int64_t trip[GLLM_STRIP_LOOPS];
	struct result result[MOST_SUMS];
	unsigned nresults;
	uint8_t *needed;
	struct gllm_part *part; /* what is made */
	unsigned nparts;
	enum gllm_status status;
};

/* Whole parts and rests of every loop, and what stands behind them. */
enum { MOST_PARTS = 2 * GLLM_STRIP_LOOPS + 1 };

static void *take(struct splitter *x, size_t n, size_t size)
{
	unsigned char *p = gllm_alloc_array(x->arena, n ? n : 1, size, 8);
	if (!p)
		x->status = GLLM_OUT_OF_MEMORY;
	for (size_t i = 0; p && i < n * size; i++)
		p[i] = 0;
	return p;
}

/* --- which traces ----------------------------------------------------------------------------------------------------- */

static bool combines(unsigned kind)
{
	return kind == GLLM_REDUCE_SUM || kind == GLLM_REDUCE_PRODUCT || kind == GLLM_REDUCE_MAX || kind == GLLM_REDUCE_MIN;
}

static bool find_results(struct splitter *x)
{
	const struct gllm_trace *t = &x->c->trace;
	unsigned carries = 0;
	if (t->nreductions == 0 || t->nreductions > MOST_SUMS)
		return false;
	x->nresults = t->nreductions;
	for (unsigned i = 0; i < t->nreductions; i++) {
		const struct gllm_reduction *r = &t->reduction[i];
		if (!combines(r->kind) || r->pair != GLLM_NO_NODE || t->node[r->carry].type != GLLM_F32 || x->trip[r->loop] < LONG)
			return false;
		x->result[i] = (struct result){ .carry = r->carry, .last = GLLM_NO_NODE, .kind = r->kind, .loop = r->loop };
		for (unsigned k = 0; k < t->nnodes; k++)
			if (t->node[k].op == GLLM_N_LAST && t->node[k].a == r->carry) {
				if (x->result[i].last != GLLM_NO_NODE)
					return false;
				x->result[i].last = (gllm_ref)k;
			}
		if (x->result[i].last == GLLM_NO_NODE)
			return false;
	}
	for (unsigned k = 0; k < t->nnodes; k++)
		carries += t->node[k].op == GLLM_N_CARRY;
	return carries == t->nreductions;
}

/* What stands outside of the loops is computed again wherever it is needed: it reads nothing that is written. */
static bool stands_still(const struct gllm_trace *t)
{
	for (unsigned i = 0; i < t->nnodes; i++) {
		const struct gllm_node *n = &t->node[i];
		if (n->loop >= 0 || (n->op != GLLM_N_LOAD && n->op != GLLM_N_STORE))
			continue;
		for (unsigned k = 0; k < t->nnodes; k++)
			if ((t->node[k].op == GLLM_N_STORE || n->op == GLLM_N_STORE) && k != i &&
			    (t->node[k].op == GLLM_N_LOAD || t->node[k].op == GLLM_N_STORE) &&
			    t->access[t->node[k].imm].param == t->access[n->imm].param)
				return false;
	}
	return true;
}

/* Numbers that nodes have as values are affine in the loops. */
static bool numbers_fit(const struct gllm_trace *t)
{
	for (unsigned i = 0; i < t->nnodes; i++)
		for (unsigned k = 0; t->node[i].op == GLLM_N_INDEX && k < t->poly[t->node[i].imm].count; k++) {
			const struct gllm_term *x = &t->term[t->poly[t->node[i].imm].first + k];
			if (x->sym[0] && (x->sym[0] < GLLM_SYM_LOOP || x->sym[1]))
				return false;
		}
	return true;
}

static bool is_long(struct splitter *x)
{
	const struct gllm_trace *t = &x->c->trace;
	if (t->nloops == 0 || t->nloops > GLLM_STRIP_LOOPS || t->ntables || x->c->how.own || x->c->how.split)
		return false;
	for (unsigned l = 0; l < t->nloops; l++) {
		const struct gllm_poly trip = t->loop[l].trip;
		if (t->loop[l].parent >= 0 || trip.count != 1 || t->term[trip.first].sym[0])
			return false;
		x->trip[l] = t->term[trip.first].coef;
	}
	if (!find_results(x) || !stands_still(t) || !numbers_fit(t))
		return false;
	x->affine = take(x, t->naccesses, sizeof *x->affine);
	return x->affine && gllm_strip_affine(t, x->affine);
}

/* --- nests ------------------------------------------------------------------------------------------------------------ */

static gllm_ref constant(struct gllm_strip *s, uint32_t bits)
{
	return gllm_strip_append(s, (struct gllm_node){ .op = GLLM_N_CONST, .type = GLLM_F32, .a = GLLM_NO_NODE, .b = GLLM_NO_NODE,
		.c = GLLM_NO_NODE, .imm = bits });
}

static uint32_t identity(unsigned kind)
{
	return kind == GLLM_REDUCE_PRODUCT ? UINT32_C(0x3f800000) : kind == GLLM_REDUCE_MAX ? UINT32_C(0xff800000) :
	       kind == GLLM_REDUCE_MIN ? UINT32_C(0x7f800000) : 0;
}

static gllm_ref partial(struct gllm_strip *s, const struct result *r, int8_t chunk, gllm_ref value)
{
	const struct gllm_source place = { .kind = GLLM_FROM_SCRATCH, .tensor = r->scratch };
	const struct gllm_term at = { .coef = 4, .sym = { (uint8_t)(GLLM_SYM_LOOP + chunk) } };
	uint8_t param = gllm_strip_param(s, "partial", value == GLLM_NO_NODE ? GLLM_IN : GLLM_OUT, GLLM_F32, place);
	return gllm_strip_access(s, param, GLLM_F32, &at, 1, value);
}

static gllm_ref operation(struct gllm_strip *s, enum gllm_node_op op, enum gllm_type type, gllm_ref a, gllm_ref b, gllm_ref c)
{
	return gllm_strip_append(s, (struct gllm_node){ .op = (uint8_t)op, .type = (uint8_t)type, .a = a, .b = b, .c = c });
}

/* One step of the reduction, as canonical traces have it. */
static gllm_ref step(struct gllm_strip *s, unsigned kind, gllm_ref carry, gllm_ref value)
{
	if (kind == GLLM_REDUCE_SUM || kind == GLLM_REDUCE_PRODUCT)
		return operation(s, kind == GLLM_REDUCE_SUM ? GLLM_N_ADD : GLLM_N_MUL, GLLM_F32, carry, value, GLLM_NO_NODE);
	bool max = kind == GLLM_REDUCE_MAX;
	gllm_ref better = operation(s, GLLM_N_LT, GLLM_MASK, max ? carry : value, max ? value : carry, GLLM_NO_NODE);
	return operation(s, GLLM_N_SELECT, GLLM_F32, better, value, carry);
}

/* The result out of the partial ones, from the value that the reduction begins with. */
static void combine(struct splitter *x, struct gllm_strip *s, const struct result *r)
{
	int8_t loop = gllm_strip_open(s, (struct gllm_linear){ .fixed = r->parts });
	gllm_ref carry = operation(s, GLLM_N_CARRY, GLLM_F32, s->map[x->c->trace.node[r->carry].a], GLLM_NO_NODE, GLLM_NO_NODE);
	gllm_ref value = partial(s, r, loop, GLLM_NO_NODE), next = step(s, r->kind, carry, value);
	gllm_strip_close(s);
	if (s->status != GLLM_OK)
		return;
	s->node[carry].b = next;
	s->reduction[s->nreductions++] = (struct gllm_reduction){ r->kind, loop, carry, GLLM_NO_NODE, value };
	s->map[r->last] = operation(s, GLLM_N_LAST, GLLM_F32, carry, GLLM_NO_NODE, GLLM_NO_NODE);
}

/* All outside of the loops that the marked nodes need, results of loops before `loop` combined. */
static void outside(struct splitter *x, struct gllm_strip *s, int loop)
{
	const struct gllm_trace *t = &x->c->trace;
	gllm_strip_need(t, x->needed, s->map);
	for (unsigned i = 0; i < t->nnodes; i++) {
		if (!x->needed[i] || t->node[i].loop >= 0 || s->map[i] != GLLM_NO_NODE)
			continue;
		if (t->node[i].op != GLLM_N_LAST) {
			gllm_strip_node(s, (gllm_ref)i);
			continue;
		}
		for (unsigned k = 0; k < x->nresults; k++)
			if (x->result[k].last == i)
				combine(x, s, &x->result[k]);
	}
	/* What those loops compute is not needed any more. */
	for (unsigned i = 0; i < t->nnodes; i++)
		x->needed[i] = x->needed[i] && t->node[i].loop == loop;
}

static void begin(struct splitter *x, struct gllm_strip *s)
{
	gllm_strip_begin(s, x->c, x->affine, x->arena);
	for (unsigned i = 0; i < x->c->trace.nnodes; i++)
		x->needed[i] = 0;
}

static void add_part(struct splitter *x, struct gllm_strip *s, const struct gllm_part *old, struct gllm_lower_options how)
{
	enum gllm_status st = gllm_strip_finish(s, x->c->trace.pattern);
	struct gllm_source *source = take(x, s->nparams, sizeof *source);
	x->status = x->status == GLLM_OK ? st : x->status;
	if (x->status != GLLM_OK)
		return;
	for (unsigned i = 0; i < s->nparams; i++)
		source[i] = s->to->source[i];
	s->to->how = how;
	struct gllm_part *p = &x->part[x->nparts++];
	*p = *old;
	p->code = s->to;
	p->source = source;
	p->beside = x->nparts == 1 && old->beside;
	p->chunks = how.columns != 0;
}

/* `count` chunks of `length` of loop `l`, from iteration `from` on; partial results go to places from `place` on. */
static void reduce_chunks(struct splitter *x, unsigned l, int64_t from, int64_t count, int64_t length, const struct gllm_part *old)
{
	const struct gllm_trace *t = &x->c->trace;
	struct gllm_strip s;
	begin(x, &s);
	if (s.status != GLLM_OK) {
		x->status = s.status;
		return;
	}
	for (unsigned i = 0; i < t->nnodes; i++)
		x->needed[i] = t->node[i].loop == (int)l && (t->node[i].op == GLLM_N_CARRY || t->node[i].op == GLLM_N_STORE);
	outside(x, &s, (int)l);
	gllm_ref neutral[MOST_SUMS] = { 0 };
	for (unsigned k = 0; k < x->nresults; k++)
		if (x->result[k].loop == (int)l)
			neutral[k] = constant(&s, identity(x->result[k].kind));
	int8_t chunk = gllm_strip_open(&s, (struct gllm_linear){ .fixed = count });
	int8_t in = gllm_strip_open(&s, (struct gllm_linear){ .fixed = length });
	s.shift[l] = from;
	s.sub[l][0].coef = length;
	s.sub[l][0].loop = chunk;
	s.sub[l][1].coef = 1;
	s.sub[l][1].loop = in;
	for (unsigned k = 0; k < x->nresults; k++) {
		gllm_ref *start = &s.map[t->node[x->result[k].carry].a], kept = *start;
		if (x->result[k].loop != (int)l)
			continue;
		*start = neutral[k];
		gllm_strip_node(&s, x->result[k].carry);
		*start = kept;
	}
	gllm_strip_write(&s, x->needed, (int)l, 0, t->nnodes);
	gllm_strip_close(&s);
	for (unsigned k = 0; k < x->nresults; k++) {
		struct result r = x->result[k];
		if (r.loop == (int)l)
			partial(&s, &r, chunk, operation(&s, GLLM_N_LAST, GLLM_F32, s.map[r.carry], GLLM_NO_NODE, GLLM_NO_NODE));
	}
	gllm_strip_close(&s);
	add_part(x, &s, old, (struct gllm_lower_options){ .split = (int8_t)(chunk + 1), .columns = 1 });
}

static void reduction_loop(struct splitter *x, unsigned l, const struct gllm_part *old)
{
	int64_t n = x->trip[l], length = (n / CHUNKS + UNIT - 1) / UNIT * UNIT;
	length = length < LEAST_CHUNK ? LEAST_CHUNK : length;
	int64_t whole = n / length, rest = n % length;
	for (unsigned k = 0; k < x->nresults && x->status == GLLM_OK; k++)
		if (x->result[k].loop == (int)l) {
			x->result[k].parts = whole + (rest != 0);
			x->status = gllm_fusion_scratch(x->f, x->group, 4 * (uint64_t)(whole + 1), x->arena, &x->result[k].scratch);
		}
	if (x->status == GLLM_OK)
		reduce_chunks(x, l, 0, whole, length, old);
	unsigned main = x->nparts;
	if (x->status == GLLM_OK && rest)
		reduce_chunks(x, l, whole * length, 1, rest, old);
	for (unsigned q = 0; x->nparts > main && q < x->part[main].code->trace.nparams; q++) /* behind the others' */
		if (x->part[main].source[q].kind == GLLM_FROM_SCRATCH && x->part[main].code->param[q].kind == GLLM_OUT)
			x->part[main].source[q].at.fixed = 4 * whole;
}

/* A loop without reductions, or (nloops) what stands behind all loops. */
static void plain_loop(struct splitter *x, unsigned l, const struct gllm_part *old)
{
	const struct gllm_trace *t = &x->c->trace;
	int loop = l < t->nloops ? (int)l : -1;
	bool any = false;
	struct gllm_strip s;
	begin(x, &s);
	if (s.status != GLLM_OK) {
		x->status = s.status;
		return;
	}
	for (unsigned i = 0; i < t->nnodes; i++)
		any |= x->needed[i] = t->node[i].loop == loop && t->node[i].op == GLLM_N_STORE;
	if (!any)
		return;
	outside(x, &s, loop);
	struct gllm_lower_options how = { 0 };
	if (loop >= 0) {
		int8_t in = gllm_strip_open(&s, (struct gllm_linear){ .fixed = x->trip[l] });
		s.sub[l][0].coef = 1;
		s.sub[l][0].loop = in;
		gllm_strip_write(&s, x->needed, loop, 0, t->nnodes);
		gllm_strip_close(&s);
		how.split = (int8_t)(in + 1);
	}
	add_part(x, &s, old, how);
}

/* Parts in place of `old`, if it is what is taken. */
static void split(struct splitter *x, const struct gllm_part *old)
{
	const struct gllm_trace *t = &old->code->trace;
	x->c = old->code;
	if (old->move || !is_long(x))
		return;
	x->needed = take(x, t->nnodes, 1);
	x->part = take(x, MOST_PARTS, sizeof *x->part);
	for (unsigned l = 0; l <= t->nloops && x->status == GLLM_OK; l++) {
		bool reduces = false;
		for (unsigned k = 0; k < x->nresults; k++)
			reduces = reduces || x->result[k].loop == (int)l;
		if (reduces)
			reduction_loop(x, l, old);
		else
			plain_loop(x, l, old);
	}
}

enum gllm_status gllm_chunks(struct gllm_arena *arena, struct gllm_fusion *f)
{
	struct splitter x = { .arena = arena, .f = f };
	for (unsigned g = 0; g < f->ngroups; g++) {
		struct gllm_group *group = &f->group[g];
		if (group->nparts != 1 || group->nrepeats) /* a row of its own, not one before products */
			continue;
		x.group = g;
		x.nparts = 0;
		split(&x, &group->part[0]);
		if (x.status != GLLM_OK)
			return x.status;
		if (x.nparts) {
			group->part = x.part;
			group->nparts = x.nparts;
		}
	}
	return GLLM_OK;
}
