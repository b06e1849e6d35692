/* SPDX-License-Identifier: MIT
 * jit/trace.c - writes the trace: what the stores need, in canonical order.
 *
 * Order: a loop's CARRYs first, by structural hash; then, for each store and inner loop in program order, what it needs,
 * operands before users, depth first, operands of commutative operations by structural hash; what the ends of CARRYs need
 * comes last. What does not vary in a loop stands before it. A load of a parameter that is also stored keeps its place
 * among that parameter's stores. */
#include "core/bits.h"
#include "jit/lift.h"
#include "jit/trace.h"
#include "jit/trace_emit.h"

/* ---- structural hash ------------------------------------------------------------------------------------------- */

static uint64_t mix(uint64_t h, uint64_t x)
{
	h = (h ^ x) * UINT64_C(0x9e3779b97f4a7c15);
	return h ^ h >> 29;
}

static uint8_t renamed(const struct emit *e, unsigned sym)
{
	return e->renamed[sym];
}

static inline uint64_t poly_hash(const struct emit *e, uint16_t p)
{
	uint64_t h = 7;
	const struct kept_poly *x = &e->c->p.poly[p];
	for (unsigned i = 0; i < x->count; i++) {
		const struct poly_term *t = &e->c->p.term[x->first + i];
		h = mix(h, (uint64_t)t->coef);
		for (unsigned k = 0; k < GLLM_TERM_SYMS; k++)
			h = mix(h, renamed(e, poly_sym(t->syms, k)));
	}
	return h;
}

/* What a hash must know of an operation: that the order of its first two operands does not matter, that it is a number and
 * nothing else, or that it has a way of its own. What comes next cannot be predicted: there is a branch for the last alone. */
enum { SYMMETRIC = 1, NUMBER = 2, UNCOMMON = 4 };
static const uint8_t kind[VAL_OPS] = {
	[GLLM_N_ADD] = SYMMETRIC, [GLLM_N_MUL] = SYMMETRIC, [GLLM_N_FMA] = SYMMETRIC, [GLLM_N_AND] = SYMMETRIC,
	[GLLM_N_OR] = SYMMETRIC, [GLLM_N_XOR] = SYMMETRIC, [GLLM_N_CONST] = NUMBER, [GLLM_N_SCALAR] = NUMBER,
	[GLLM_N_LOAD] = UNCOMMON, [GLLM_N_INDEX] = UNCOMMON, [GLLM_N_CARRY] = UNCOMMON, [VAL_FCMP] = UNCOMMON,
	[VAL_ICMP] = UNCOMMON,
};

static uint64_t load_hash(const struct emit *e, const struct val *x, uint64_t h)
{
	const struct val_access *s = &e->c->access[x->imm & 0xffff];
	uint64_t of = s->param < GLLM_TRACE_PARAMS ? s->param : e->c->table_hash[s->param - GLLM_TRACE_PARAMS];
	h = mix(mix(mix(h, of), s->type), poly_hash(e, s->poly));
	return mix(h, s->index == VAL_NONE ? 0 : mix(e->hash[at(s->index)], s->index_bytes));
}

static uint64_t uncommon_hash(const struct emit *e, const struct val *x, uint64_t a, uint64_t b, uint64_t c)
{
	const uint64_t h = mix(x->op, x->type);
	switch (x->op) {
	case GLLM_N_LOAD: return load_hash(e, x, h);
	case GLLM_N_INDEX: return mix(h, poly_hash(e, (uint16_t)x->imm));
	case GLLM_N_CARRY: return mix(x->type, (uint64_t)(uint8_t)e->now[x->loop]);
	case VAL_ICMP: return mix(x->aux ? mix(mix(h, x->aux), a + b) : mix(mix(mix(h, x->aux), a), b), c);
	default: break; /* a comparison of floats, the same however the pair is ordered */
	}
	const bool swap = a > b;
	return mix(mix(mix(h, swap ? swap_outcomes(x->aux) : x->aux), swap ? b : a), swap ? a : b);
}

static void swap_uncommon(struct val *x)
{
	if (x->op != VAL_FCMP && (x->op != VAL_ICMP || !x->aux))
		return;
	const uint16_t first = x->a;
	x->a = x->b;
	x->b = first;
	if (x->op == VAL_FCMP)
		x->aux = (uint8_t)swap_outcomes(x->aux);
}

/* Gives the values list[i], list[i + step] .. their hashes, operands before what is made of them. Those that are made of
 * CARRYs are listed in `again` and come back, their CARRYs being hashed by what they end as; of the others, and of all when
 * it is `final`, operands whose order does not matter are put in the order of their hashes. Returns how many come back. Most traces
 * have no `carries`, and nothing is asked about them then. */
static inline __attribute__((always_inline)) unsigned hash_list(struct emit *e, const uint16_t *list, unsigned i, unsigned step,
                                                                unsigned count, uint16_t *again, bool final, bool carries)
{
	uint64_t *const hash = e->hash;
	uint8_t *const mark = e->mark;
	unsigned n = 0;
	for (; count; count--, i += step) {
		const uint16_t v = list[i];
		struct val *const x = &e->v[v];
		const unsigned p = at(x->a), q = at(x->b), r = at(x->c), of = kind[x->op], is_carry = carries && x->op == GLLM_N_CARRY;
		const unsigned made_of = carries ? (mark[p] | mark[q] | mark[r]) & CARRIED & (is_carry - 1u) : 0;
		/* no value hashes to 0; which of its operands one lacks is said here */
		const uint64_t a = hash[p] + !p, b = hash[q] + 2u * !q, c = hash[r] + 3u * !r, h = mix(x->op, x->type);
		const bool swap = (final | !(made_of | is_carry)) & (a > b);
		if (carries)
			mark[at(v)] |= (uint8_t)(made_of | is_carry * CARRIED);
		e->ref[at(v)] = UNWRITTEN;
		again[n] = v;
		n += made_of != 0;
		if (GLLM_RARELY(of & UNCOMMON)) {
			hash[at(v)] = uncommon_hash(e, x, a, b, c);
			if (swap)
				swap_uncommon(x);
			continue;
		}
		const uint64_t symmetric = 0u - (uint64_t)(of & SYMMETRIC), number = 0u - (uint64_t)(of >> 1);
		const uint64_t first = mix(mix(h, x->aux), a + (b & symmetric)), both = mix(first, b);
		const uint64_t made = mix(both ^ ((both ^ first) & symmetric), c), plain = mix(h, x->imm);
		hash[at(v)] = made ^ ((made ^ plain) & number);
		const uint16_t differ = (uint16_t)((x->a ^ x->b) & (0u - (of & SYMMETRIC & swap)));
		x->a ^= differ;
		x->b ^= differ;
	}
	return n;
}

__attribute__((noinline)) static unsigned hash_carried(struct emit *e, const uint16_t *list, unsigned i, unsigned step,
                                                       unsigned count, uint16_t *again, bool final)
{
	return hash_list(e, list, i, step, count, again, final, true);
}

/* What is made of CARRYs is hashed again, twice, when their ends have hashes. */
static void hash_values(struct emit *e)
{
	uint16_t *const again = e->stack;
	if (!e->l->ncarries) {
		hash_list(e, e->list, e->nlist - 1u, ~0u, e->nlist, again, true, false);
		return;
	}
	const unsigned n = hash_carried(e, e->list, e->nlist - 1u, ~0u, e->nlist, again, false);
	for (unsigned round = 0; round < 2; round++) {
		for (unsigned i = 0; i < e->l->ncarries; i++) {
			uint16_t v = e->l->carry[i].value;
			if (is_live(e, v))
				e->hash[at(v)] = mix(mix(e->hash[at(v)], e->hash[at(e->v[v].a)]), e->hash[at(e->v[v].b)]);
		}
		hash_carried(e, again, 0, 1, n, again, round == 1);
	}
}

/* ---- writing --------------------------------------------------------------------------------------------------- */

static struct gllm_poly place(struct emit *e, uint16_t p)
{
	const struct kept_poly *x = &e->c->p.poly[p];
	struct placed *to = &e->placed[p];
	if (to->done)
		return to->at;
	to->done = true;
	to->at = (struct gllm_poly){ (uint16_t)(x->count ? e->nterms : 0), x->count };
	for (unsigned i = 0; i < x->count; i++) {
		const struct poly_term *from = &e->c->p.term[x->first + i];
		struct gllm_term *const t = &e->term[e->nterms++];
		t->coef = from->coef;
		for (unsigned k = 0; k < GLLM_TERM_SYMS; k++)
			t->sym[k] = renamed(e, poly_sym(from->syms, k));
	}
	return to->at;
}

static inline gllm_ref write_op(struct emit *e, unsigned op, unsigned type, gllm_ref a, gllm_ref b, gllm_ref c, uint64_t imm)
{
	if (GLLM_RARELY(e->nnodes == NODES)) {
		gllm_lift_refuse(e->l, "too many nodes", 0);
		return 0;
	}
	e->node[e->nnodes] = (struct gllm_node){ .op = (uint8_t)op, .type = (uint8_t)type, .a = a, .b = b, .c = c, .imm = imm,
	                                         .loop = e->current < 0 ? (int8_t)-1 : e->now[e->current] };
	return (gllm_ref)e->nnodes++;
}

static uint8_t write_param(struct emit *e, unsigned param)
{
	if (param < GLLM_TRACE_PARAMS)
		return (uint8_t)param;
	unsigned i = param - GLLM_TRACE_PARAMS;
	if (e->table_of[i] == 0) {
		e->table[e->ntables] = e->c->table[i];
		e->table_of[i] = (uint8_t)(GLLM_TRACE_PARAMS + e->ntables++);
	}
	return e->table_of[i];
}

static uint16_t write_access(struct emit *e, uint16_t access)
{
	const struct val_access *x = &e->c->access[access];
	if (e->access_of[access] == VAL_NONE) {
		e->access_of[access] = (uint16_t)e->naccesses;
		e->access[e->naccesses++] = (struct gllm_access){ .param = write_param(e, x->param), .type = x->type,
			.index = e->ref[at(x->index)], .index_bytes = x->index_bytes,
			.offset = place(e, x->poly) };
	}
	return e->access_of[access];
}

static gllm_ref write_compare(struct emit *e, const struct val *x, gllm_ref a, gllm_ref b)
{
	const gllm_ref no = GLLM_NO_NODE;
	switch (x->aux) {
	case OUT_LESS: return write_op(e, GLLM_N_LT, GLLM_MASK, a, b, no, 0);
	case OUT_GREATER: return write_op(e, GLLM_N_LT, GLLM_MASK, b, a, no, 0);
	case OUT_LESS | OUT_EQUAL: return write_op(e, GLLM_N_LE, GLLM_MASK, a, b, no, 0);
	case OUT_GREATER | OUT_EQUAL: return write_op(e, GLLM_N_LE, GLLM_MASK, b, a, no, 0);
	case OUT_EQUAL: return write_op(e, GLLM_N_EQ, GLLM_MASK, a, b, no, 0);
	case OUT_UNORDERED: return write_op(e, GLLM_N_UNORD, GLLM_MASK, a, b, no, 0);
	default: { /* less or greater */
		gllm_ref s = write_op(e, GLLM_N_LT, GLLM_MASK, a, b, no, 0);
		return write_op(e, GLLM_N_OR, GLLM_MASK, s, write_op(e, GLLM_N_LT, GLLM_MASK, b, a, no, 0), no, 0);
	}
	}
}

static gllm_ref write_value(struct emit *e, const struct val *x)
{
	const gllm_ref no = GLLM_NO_NODE;
	gllm_ref a = e->ref[at(x->a)], b = e->ref[at(x->b)];
	uint16_t p = (uint16_t)x->imm;
	switch (x->op) {
	case GLLM_N_INDEX:
		if (!e->placed[p].index) {
			e->poly[e->npolys] = place(e, p);
			e->placed[p].index = (uint16_t)++e->npolys;
		}
		return write_op(e, x->op, x->type, no, no, no, e->placed[p].index - 1u);
	case GLLM_N_LOAD: return write_op(e, x->op, x->type, no, no, no, write_access(e, p));
	case GLLM_N_CARRY: gllm_lift_refuse(e->l, "a value carried around a loop that has not begun", 0); return no;
	case VAL_FCMP: return write_compare(e, x, a, b);
	case VAL_PCOND: return write_op(e, x->aux ? GLLM_N_LT : GLLM_N_EQ, GLLM_MASK, a, b, no, 0);
	case VAL_ICMP: return write_op(e, x->aux ? GLLM_N_EQ : GLLM_N_LT, GLLM_MASK, a, b, no, 0);
	default: return write_op(e, x->op, x->type, a, b, e->ref[at(x->c)], x->imm);
	}
}

static bool unwritten(const struct emit *e, uint16_t v)
{
	return e->ref[at(v)] == UNWRITTEN;
}

static bool is_leaf(const struct emit *e, uint16_t v)
{
	return e->v[v].a == VAL_NONE || e->v[v].op == GLLM_N_CARRY;
}

/* ---- lists ----------------------------------------------------------------------------------------------------- */

/* For the loop it varies in. */
static gllm_ref list(struct emit *e, uint16_t v)
{
	uint16_t *const last = &e->last[e->v[v].loop + 1];
	e->then[*last] = v;
	*last = v;
	return LISTED;
}

/* Writes the values of a list up to one. */
static void write_until(struct emit *e, int loop, uint16_t until)
{
	uint16_t v = e->done[loop + 1];
	while (v != until) {
		v = e->then[v];
		e->ref[at(v)] = write_value(e, &e->v[v]);
	}
	e->done[loop + 1] = v;
}

/* Writes v and what it needs, or lists it so, operands first; `stack` has room for as many as there are. */
static void write_all_of(struct emit *e, uint16_t v, uint16_t *stack)
{
	unsigned depth = 0;
	stack[depth++] = v;
	while (depth) {
		const uint16_t top = stack[depth - 1];
		const struct val *x = &e->v[top];
		uint16_t next = top;
		if (!is_leaf(e, top))
			next = unwritten(e, x->a) ? x->a : unwritten(e, x->b) ? x->b : unwritten(e, x->c) ? x->c : top;
		if (next != top && !is_leaf(e, next)) {
			stack[depth++] = next;
			continue;
		}
		e->ref[at(next)] = GLLM_MOSTLY(e->listed) ? list(e, next) : write_value(e, &e->v[next]);
		depth -= next == top;
	}
}

static void need(struct emit *e, uint16_t v)
{
	if (unwritten(e, v))
		write_all_of(e, v, e->stack);
}

/* Writes what v needs of what does not vary in the loop that begins, which is e->inside. */
static void need_outside(struct emit *e, uint16_t v, uint8_t pass)
{
	unsigned depth = 0;
	e->stack[depth++] = VAL_NONE;
	for (uint16_t top = v; top != VAL_NONE; ) {
		struct val *x = &e->v[top];
		const bool in = e->inside & loop_bit(x->loop);
		if (in && unwritten(e, top) && x->passed != pass) { /* once; cycles end here */
			x->passed = pass;
			e->stack[depth] = x->c;
			depth += unwritten(e, x->c);
			e->stack[depth] = x->b;
			depth += unwritten(e, x->b);
			if (unwritten(e, x->a)) {
				top = x->a;
				continue;
			}
		} else if (!in && unwritten(e, top)) {
			write_all_of(e, top, &e->stack[depth]);
		}
		top = e->stack[--depth];
	}
}

static int store_loop(const struct emit *e, const struct effect *s)
{
	return e->l->f->block[s->block].loop;
}

/* Loads of parameter p that stand before raw value `end` in the loop being written come before what is stored next. */
static void flush_loads(struct emit *e, unsigned p, uint16_t end)
{
	for (unsigned i = 0; e->reads >> p & 1 && i < e->l->nloads; i++) {
		const struct effect *x = &e->l->load[i];
		if (x->raw < end && is_live(e, x->value) && e->v[x->value].loop == e->current && e->c->access[x->access].param == p)
			need(e, x->value);
	}
}

static void write_store(struct emit *e, const struct effect *s)
{
	const struct val_access *x = &e->c->access[s->access];
	if (e->listed) {
		write_until(e, e->current, e->until_store[s - e->l->store]);
	} else {
		flush_loads(e, x->param, s->raw);
		need(e, s->value);
		need(e, x->index);
	}
	write_op(e, GLLM_N_STORE, x->type, e->ref[at(s->value)], GLLM_NO_NODE, GLLM_NO_NODE, write_access(e, s->access));
}

/* The kept CARRYs of a loop, by hash. */
static unsigned sort_carries(struct emit *e, int loop)
{
	unsigned n = 0;
	for (unsigned i = 0; i < e->l->ncarries; i++) {
		uint16_t v = e->l->carry[i].value;
		if (e->l->carry[i].loop != loop || !is_live(e, v))
			continue;
		unsigned k = n++;
		for (; k > 0 && e->hash[at(e->carry_order[k - 1])] > e->hash[at(v)]; k--)
			e->carry_order[k] = e->carry_order[k - 1];
		e->carry_order[k] = v;
	}
	return n;
}

/* Writes what the loop needs of what does not vary in it; returns how many CARRYs it has. */
static unsigned write_before(struct emit *e, int loop)
{
	struct lifting *l = e->l;
	const uint16_t first_raw = l->s->first[l->f->loop[loop].header];
	const uint8_t pass = (uint8_t)(loop + 1);
	unsigned n = sort_carries(e, loop);
	for (unsigned i = 0; i < n; i++)
		need(e, e->v[e->carry_order[i]].a);
	e->inside = loop_bit(loop);
	for (unsigned i = (unsigned)loop + 1; i < l->f->nloops; i++) /* parents have lower numbers */
		e->inside |= e->inside & loop_bit(l->f->loop[i].parent) ? loop_bit((int)i) : 0;
	for (unsigned i = 0; i < l->nstores; i++) {
		const struct effect *s = &l->store[i];
		const struct val_access *to = &e->c->access[s->access];
		if (s->dead || !(e->inside & loop_bit(store_loop(e, s))))
			continue;
		flush_loads(e, to->param, first_raw);
		need_outside(e, s->value, pass);
		need_outside(e, to->index, pass);
	}
	for (unsigned i = 0; i < l->ncarries; i++)
		if (is_live(e, l->carry[i].value) && e->inside & loop_bit(l->carry[i].loop))
			need_outside(e, l->carry[i].value, pass);
	return n;
}

static void begin_loop(struct emit *e, int loop)
{
	struct lifting *l = e->l;
	const struct flow_loop *x = &l->f->loop[loop];
	unsigned n = 0;
	if (e->listed)
		write_until(e, x->parent, e->until_loop[loop]);
	else
		n = write_before(e, loop);
	int8_t now = e->now[loop];
	e->loop[now] = (struct gllm_loop){ .parent = x->parent < 0 ? (int8_t)-1 : e->now[x->parent],
		.first = (gllm_ref)e->nnodes, .trip = place(e, l->loop[loop].trip) };
	e->current = loop;
	for (unsigned i = 0; i < n; i++) {
		uint16_t v = e->carry_order[i];
		e->ref[at(v)] = write_op(e, GLLM_N_CARRY, e->v[v].type, e->ref[at(e->v[v].a)], GLLM_NO_NODE, GLLM_NO_NODE, 0);
	}
}

static void end_loop(struct emit *e, int loop)
{
	unsigned n = e->listed ? 0 : sort_carries(e, loop);
	for (unsigned i = 0; i < n; i++)
		need(e, e->v[e->carry_order[i]].b);
	for (unsigned i = 0; i < n; i++) {
		uint16_t v = e->carry_order[i];
		e->node[e->ref[at(v)]].b = e->ref[at(e->v[v].b)];
	}
	e->loop[e->now[loop]].end = (gllm_ref)e->nnodes;
	e->current = e->l->f->loop[loop].parent;
}

/* What begins a loop stands before what is in it, but is found by the same walk, and each list is in the order of that: so
 * one walk finds all, unless CARRYs make cycles or loads have places of their own. */
static void list_all(struct emit *e)
{
	const struct lifting *l = e->l;
	uint64_t stored = 0;
	bool carries = false;
	for (unsigned i = 0; i < l->ncarries; i++)
		carries = carries || is_live(e, l->carry[i].value);
	for (unsigned i = 0; i < l->nstores; i++)
		stored |= (uint64_t)!l->store[i].dead << e->c->access[l->store[i].access].param;
	e->listed = !carries && !(stored & e->reads);
	if (!e->listed)
		return;
	for (unsigned i = 0; i <= l->f->nloops; i++)
		e->last[i] = e->done[i] = (uint16_t)(VAL_MAX + i);
	for (unsigned i = 0; i < l->f->nloops; i++)
		e->until_loop[i] = e->done[l->f->loop[i].parent + 1];
	for (unsigned i = 0; i < l->nstores; i++) {
		const struct effect *s = &l->store[i];
		if (s->dead)
			continue;
		need(e, s->value);
		need(e, e->c->access[s->access].index);
		e->until_store[i] = e->last[store_loop(e, s) + 1];
		for (int k = store_loop(e, s); k >= 0; k = l->f->loop[k].parent)
			e->until_loop[k] = e->last[l->f->loop[k].parent + 1];
	}
}

static void write_all(struct emit *e)
{
	struct lifting *l = e->l;
	unsigned i = 0;
	e->current = -1;
	for (unsigned b = 0; b < l->f->nblocks && !l->status; b++) {
		int loop = l->f->block[b].loop;
		if (l->f->block[b].header && e->now[loop] >= 0)
			begin_loop(e, loop);
		for (; i < l->nstores && l->store[i].raw < l->s->first[b + 1]; i++)
			if (!l->store[i].dead)
				write_store(e, &l->store[i]);
		while (e->current >= 0 && l->f->loop[e->current].end == b + 1)
			end_loop(e, e->current);
	}
}

/* ---- the result ------------------------------------------------------------------------------------------------ */

static void *copy(struct gllm_arena *a, const void *from, size_t n, size_t size)
{
	void *to = gllm_alloc_array(a, n ? n : 1, size, 8);
	return to ? __builtin_memcpy(to, from, n * size) : NULL;
}

static enum gllm_status finish(struct emit *e, const char *name, struct gllm_arena *keep_in, const struct gllm_trace **out)
{
	struct gllm_arena before = *keep_in;
	struct gllm_trace *t = gllm_alloc(keep_in, sizeof *t, 8);
	const struct gllm_node *node = copy(keep_in, e->node, e->nnodes, sizeof *node);
	const struct gllm_loop *loop = copy(keep_in, e->loop, e->nloops, sizeof *loop);
	const struct gllm_access *access = copy(keep_in, e->access, e->naccesses, sizeof *access);
	const struct gllm_poly *poly = copy(keep_in, e->poly, e->npolys, sizeof *poly);
	const struct gllm_term *term = copy(keep_in, e->term, e->nterms, sizeof *term);
	const struct gllm_table *table = copy(keep_in, e->table, e->ntables, sizeof *table);
	struct gllm_trace made = { .name = name, .param = e->l->param, .nparams = e->l->nparams, .node = e->node,
		.nnodes = e->nnodes, .loop = e->loop, .nloops = e->nloops, .access = e->access, .naccesses = e->naccesses,
		.poly = e->poly, .npolys = e->npolys, .term = e->term, .nterms = e->nterms,
		.table = e->table, .ntables = e->ntables };
	made.nreductions = e->l->ncarries ? gllm_trace_reductions(&made, e->reduction) : 0;
	made.reduction = copy(keep_in, e->reduction, made.nreductions, sizeof *e->reduction);
	if (!t || !node || !loop || !access || !poly || !term || !table || !made.reduction) {
		before.high = keep_in->high;
		*keep_in = before;
		return gllm_fail(e->l->error, GLLM_OUT_OF_MEMORY, "memory for a trace", name, 0, 0, 0);
	}
	made.node = node;
	made.loop = loop;
	made.access = access;
	made.poly = poly;
	made.term = term;
	made.table = table;
	made.pattern = gllm_trace_pattern(&made);
	made.hash = gllm_trace_hash(&made);
	*t = made;
	*out = t;
	return GLLM_OK;
}

enum gllm_status gllm_trace_build(struct lifting *l, const char *name, struct gllm_arena *scratch, struct gllm_arena *keep_in,
                                  const struct gllm_trace **out)
{
	struct emit *e = gllm_alloc(scratch, sizeof *e, 8);
	if (!e)
		return gllm_fail(l->error, GLLM_OUT_OF_MEMORY, "scratch for the trace", name, 0, 0, 0);
	e->l = l;
	e->c = &l->c;
	e->v = l->c.v;
	e->nnodes = e->naccesses = e->npolys = e->nterms = e->nloops = e->nlist = e->ntables = 0;
	_Static_assert(VAL_NONE == 0xffff, "what the bytes make");
	__builtin_memset(e->mark, 0, WHOLE(l->c.n + 1));
	e->reads = 0;
	e->ref[at(VAL_NONE)] = GLLM_NO_NODE;
	e->hash[at(VAL_NONE)] = 0;
	__builtin_memset(e->placed, 0, WHOLE(l->c.p.n * sizeof *e->placed));
	__builtin_memset(e->access_of, 0xff, WHOLE(l->c.naccesses * sizeof *e->access_of));
	__builtin_memset(e->table_of, 0, sizeof e->table_of);
	gllm_emit_keep(e);
	if (!l->status)
		gllm_emit_settle_loads(e);
	if (l->status)
		return l->status;
	gllm_emit_order_stores(e);
	hash_values(e);
	list_all(e);
	write_all(e);
	return l->status ? l->status : finish(e, name, keep_in, out);
}
