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

enum { NODES = 4000, ITEMS = LOOPS_STORES + 2 * FLOW_LOOPS };


struct uses { /* the operands of a value, in the order in which they are to be written */
	uint16_t o[3];
	uint8_t n;
	uint8_t mark;               /* list_value: 1 on the stack, 2 listed; 4 user_loop, need: passed */
};

struct emit {
	struct lifting *l;
	struct canon *c;
	struct gllm_node *node;     unsigned nnodes;
	struct gllm_access *access; unsigned naccesses;
	struct gllm_poly *poly;     unsigned npolys;
	struct gllm_term *term;     unsigned nterms;
	struct gllm_loop loop[FLOW_LOOPS]; unsigned nloops;
	int8_t now[FLOW_LOOPS];     /* new number of a loop, -1 if it is not kept */
	uint16_t *ref;              /* per value: node, VAL_NONE if not written */
	uint64_t *hash;             /* per value */
	struct uses *uses;          /* per value; operands of listed ones */
	uint16_t *stack, *list;     /* per value */
	unsigned nlist;             /* live values, operands first (CARRYs before their ends) */
	struct gllm_poly *placed;   /* per polynomial: where its terms are; count 0xffff if not yet */
	uint16_t *index_of;         /* per polynomial: number among those that INDEX nodes name */
	uint16_t *access_of;        /* per access */
	uint8_t table_of[GLLM_TRACE_TABLES]; /* new number of a table */
	struct gllm_table table[GLLM_TRACE_TABLES]; unsigned ntables;
	uint16_t carry_order[LOOPS_CARRIES];
	int current;                /* loop being written, old number */
};

/* ---- what is kept ---------------------------------------------------------------------------------------------- */

static bool is_carry(const struct emit *e, uint16_t v)
{
	return e->c->v[v].op == GLLM_N_CARRY;
}

/* Operands of a value, the index of a load included; a CARRY has none here, its ends are followed apart. */
static void find_operands(const struct emit *e, const struct val *x, struct uses *u)
{
	u->n = 0;
	if (x->op == GLLM_N_CARRY)
		return;
	if (x->op == GLLM_N_LOAD) {
		u->o[0] = e->c->access[x->imm & 0xffff].index;
		u->n = u->o[0] != VAL_NONE;
		return;
	}
	if (x->a != VAL_NONE)
		u->o[u->n++] = x->a;
	if (x->b != VAL_NONE)
		u->o[u->n++] = x->b;
	if (x->c != VAL_NONE)
		u->o[u->n++] = x->c;
}

/* Comparisons of polynomials are written as comparisons of integers: these are their operands. */
static void spell_out(struct emit *e)
{
	for (unsigned i = 0; i < e->c->n; i++) {
		if (e->c->v[i].op != VAL_PCOND)
			continue;
		uint16_t p = gllm_canon_poly(e->c, (uint16_t)e->c->v[i].imm), zero = gllm_canon_const(e->c, GLLM_I64, 0);
		e->c->v[i].a = e->c->v[i].aux ? zero : p;
		e->c->v[i].b = e->c->v[i].aux ? p : zero;
	}
}

static bool expressible(struct emit *e, uint16_t v)
{
	const struct val *x = &e->c->v[v];
	const char *what = NULL;
	if (x->op == VAL_POISON || x->op == VAL_PTR || x->op == VAL_MSEL || x->op == VAL_TRUE)
		what = "a value that is needed and not understood";
	if (what) {
		uint16_t raw = 0;
		for (unsigned i = 0; i < e->l->s->n && !raw; i++)
			if (e->l->live[i] && e->l->value[i] == v && e->l->s->raw[i].op != RAW_UNDEF)
				raw = (uint16_t)i;
		gllm_lift_refuse(e->l, what, raw);
	}
	return !e->l->status;
}

/* Adds v and all it needs to the list. */
static void list_value(struct emit *e, uint16_t v)
{
	unsigned depth = 0;
	if (e->uses[v].mark)
		return;
	e->stack[depth++] = v;
	while (depth) {
		uint16_t top = e->stack[depth - 1];
		struct uses *u = &e->uses[top];
		if (!u->mark) {
			if (!expressible(e, top))
				return;
			u->mark = 1;
			find_operands(e, &e->c->v[top], u);
			for (unsigned i = 0; i < u->n; i++)
				if (!e->uses[u->o[i]].mark && depth < VAL_MAX)
					e->stack[depth++] = u->o[i];
			if (e->stack[depth - 1] != top)
				continue;
		}
		if (u->mark == 1) {
			u->mark = 2;
			e->list[e->nlist++] = top;
		}
		depth--;
	}
}

static void keep_loop(struct emit *e, int loop)
{
	for (; loop >= 0; loop = e->l->f->loop[loop].parent)
		e->now[loop] = 0;
}

static void keep(struct emit *e)
{
	struct lifting *l = e->l;
	for (unsigned i = 0; i < l->nstores && !l->status; i++) {
		if (l->store[i].dead)
			continue;
		keep_loop(e, l->f->block[l->store[i].block].loop);
		list_value(e, l->store[i].value);
		if (e->c->access[l->store[i].access].index != VAL_NONE)
			list_value(e, e->c->access[l->store[i].access].index);
	}
	for (bool more = true; more && !l->status; ) { /* the ends of CARRYs that are needed */
		more = false;
		for (unsigned i = 0; i < l->ncarries && !l->status; i++) {
			struct val *v = &e->c->v[l->carry[i].value];
			if (e->uses[l->carry[i].value].mark != 2 || (e->uses[v->a].mark && v->b != VAL_NONE && e->uses[v->b].mark))
				continue;
			if (v->b == VAL_NONE || v->b == POISON) {
				gllm_lift_refuse(l, "a value carried around a loop in a way that is not understood", l->carry[i].back);
				return;
			}
			keep_loop(e, l->carry[i].loop);
			list_value(e, v->a);
			list_value(e, v->b);
			more = true;
		}
	}
	for (unsigned i = 0; i < e->nlist; i++)
		keep_loop(e, e->c->v[e->list[i]].loop);
	for (unsigned i = 0; i < l->f->nloops; i++)
		if (e->now[i] >= 0)
			e->now[i] = (int8_t)e->nloops++;
}

/* ---- loads under a guard --------------------------------------------------------------------------------------- */

/* What a load is for: the loop inside its own that holds every use of it. Marks (4) it and what is made of it outside that
 * loop. -1 if there is no such loop. */
static int user_loop(struct emit *e, uint16_t load)
{
	struct lifting *l = e->l;
	int own = e->c->v[load].loop, users = -1;
	bool fails = false;
	e->uses[load].mark = 4;
	for (unsigned i = 0; i < e->nlist + 2 * l->ncarries + 2 * l->nstores; i++) {
		int at = -1;
		bool uses = false;
		if (i < e->nlist) {
			uint16_t v = e->list[i];
			for (unsigned k = 0; k < e->uses[v].n; k++)
				uses = uses || e->uses[e->uses[v].o[k]].mark == 4;
			at = e->c->v[v].loop;
			if (uses && at == own && e->c->v[v].op != GLLM_N_LOAD && e->c->v[v].op != GLLM_N_LAST) {
				e->uses[v].mark = 4;
				continue;
			}
		} else if (i < e->nlist + 2 * l->ncarries) {
			unsigned k = i - e->nlist;
			const struct carry *c = &l->carry[k / 2];
			const struct val *v = &e->c->v[c->value];
			uint16_t end = k % 2 ? v->b : v->a;
			uses = e->uses[c->value].mark && end != VAL_NONE && e->uses[end].mark == 4;
			at = k % 2 ? c->loop : l->f->loop[c->loop].parent;
		} else {
			unsigned k = i - e->nlist - 2 * l->ncarries;
			const struct effect *s = &l->store[k / 2];
			uint16_t v = k % 2 ? e->c->access[s->access].index : s->value;
			uses = !s->dead && v != VAL_NONE && e->uses[v].mark == 4;
			at = l->f->block[s->block].loop;
		}
		if (!uses)
			continue;
		while (at > own && l->f->loop[at].parent != own)
			at = l->f->loop[at].parent;
		fails = fails || at <= own || (users >= 0 && users != at);
		users = at;
	}
	return fails ? -1 : users;
}

/* A load that runs only if an inner loop does, for which alone it is made, belongs into that loop; some compilers move it
 * out, before or behind the guard. */
static void settle_load(struct emit *e, const struct effect *load)
{
	struct lifting *l = e->l;
	struct val *v = &e->c->v[load->value];
	const unsigned kind = l->param[e->c->access[load->access].param].kind;
	while (!l->status && !gllm_runs_with(l, load->block, v->loop)) {
		int inner = kind == GLLM_IN || kind == GLLM_WEIGHT ? user_loop(e, load->value) : -1;
		for (unsigned i = 0; i < e->nlist; i++) {
			if (e->uses[e->list[i]].mark == 4 && inner >= 0)
				e->c->v[e->list[i]].loop = (int8_t)inner;
			e->uses[e->list[i]].mark = 2;
		}
		if (inner < 0)
			gllm_lift_refuse(l, "a load that only sometimes runs", load->raw);
	}
}

static void settle_loads(struct emit *e)
{
	struct lifting *l = e->l;
	for (unsigned i = 0; i < l->nloads && !l->status; i++) {
		const struct effect *first = &l->load[i];
		bool again = false, sure = false;
		for (unsigned k = 0; k < i; k++)
			again = again || l->load[k].value == first->value;
		for (unsigned k = i; k < l->nloads && !again && !sure && e->uses[first->value].mark; k++)
			sure = l->load[k].value == first->value && gllm_always_runs(l, l->load[k].block);
		if (!again && !sure && e->uses[first->value].mark)
			settle_load(e, first);
	}
}

/* ---- order of stores --------------------------------------------------------------------------------------------- */

static bool is_read(const struct emit *e, unsigned param)
{
	for (unsigned i = 0; i < e->l->nloads; i++)
		if (e->uses[e->l->load[i].value].mark && e->c->access[e->l->load[i].access].param == param)
			return true;
	return false;
}

/* b stands directly behind a in one block, at a lower place of one parameter that nothing reads, and the two are apart. */
static bool should_swap(struct emit *e, const struct effect *a, const struct effect *b)
{
	const struct val_access *x = &e->c->access[a->access], *y = &e->c->access[b->access];
	int64_t distance;
	if (a->dead || b->dead || a->block != b->block || x->param != y->param || x->index != VAL_NONE || y->index != VAL_NONE)
		return false;
	uint16_t d = gllm_poly_add(&e->c->p, x->poly, y->poly, -1);
	return d != POLY_NONE && gllm_poly_is_constant(&e->c->p, d, &distance) &&
	       distance >= (int64_t)gllm_type_bytes((enum gllm_type)y->type) && !is_read(e, x->param);
}

/* Neighbouring stores to places that are apart are written in ascending order, which compilers are free to change. */
static void order_stores(struct emit *e)
{
	struct effect *s = e->l->store;
	for (unsigned i = 1; i < e->l->nstores; i++)
		for (unsigned k = i; k > 0 && should_swap(e, &s[k - 1], &s[k]); k--) {
			struct effect t = s[k];
			uint16_t raw = t.raw; /* the place in program order stays */
			t.raw = s[k - 1].raw;
			s[k] = s[k - 1];
			s[k].raw = raw;
			s[k - 1] = t;
		}
}

/* ---- structural hash ------------------------------------------------------------------------------------------- */

static uint64_t mix(uint64_t h, uint64_t x)
{
	h = (h ^ x) * UINT64_C(0x9e3779b97f4a7c15);
	return h ^ h >> 29;
}

static uint8_t renamed(const struct emit *e, uint8_t sym)
{
	return sym < GLLM_SYM_LOOP ? sym : (uint8_t)(GLLM_SYM_LOOP + e->now[sym - GLLM_SYM_LOOP]);
}

static uint64_t poly_hash(const struct emit *e, uint16_t p)
{
	uint64_t h = 7;
	const struct gllm_poly *x = &e->c->p.poly[p];
	for (unsigned i = 0; i < x->count; i++) {
		const struct gllm_term *t = &e->c->p.term[x->first + i];
		h = mix(h, (uint64_t)t->coef);
		for (unsigned k = 0; k < GLLM_TERM_SYMS; k++)
			h = mix(h, renamed(e, t->sym[k]));
	}
	return h;
}

static bool symmetric(const struct val *x)
{
	return x->op == GLLM_N_ADD || x->op == GLLM_N_MUL || x->op == GLLM_N_AND || x->op == GLLM_N_OR || x->op == GLLM_N_XOR ||
	       x->op == GLLM_N_FMA || (x->op == VAL_ICMP && x->aux == 1);
}

static uint64_t value_hash(const struct emit *e, uint16_t v)
{
	const struct val *x = &e->c->v[v];
	uint64_t h = mix(x->op, x->type);
	uint64_t a = x->a != VAL_NONE ? e->hash[x->a] : 1, b = x->b != VAL_NONE ? e->hash[x->b] : 2;
	switch (x->op) {
	case GLLM_N_CONST: case GLLM_N_SCALAR: return mix(h, x->imm);
	case GLLM_N_INDEX: return mix(h, poly_hash(e, (uint16_t)x->imm));
	case GLLM_N_LOAD: {
		const struct val_access *s = &e->c->access[x->imm & 0xffff];
		uint64_t of = s->param < GLLM_TRACE_PARAMS ? s->param : e->c->table_hash[s->param - GLLM_TRACE_PARAMS];
		h = mix(mix(mix(h, of), s->type), poly_hash(e, s->poly));
		return mix(h, s->index == VAL_NONE ? 0 : mix(e->hash[s->index], s->index_bytes));
	}
	case VAL_FCMP: { /* the same however the pair is ordered */
		unsigned truth = x->aux;
		bool swap = a > b;
		if (swap)
			truth = (truth & 10) | (truth & 1) << 2 | (truth >> 2 & 1);
		return mix(mix(mix(h, truth), swap ? b : a), swap ? a : b);
	}
	default: break;
	}
	h = mix(h, x->aux);
	h = symmetric(x) ? mix(h, a + b) : mix(mix(h, a), b);
	return mix(h, x->c != VAL_NONE ? e->hash[x->c] : 3);
}

static void sort_operands(struct emit *e, uint16_t v)
{
	const struct val *x = &e->c->v[v];
	uint16_t *o = e->uses[v].o;
	if (e->uses[v].n >= 2 && (symmetric(x) || x->op == VAL_FCMP) && e->hash[o[0]] > e->hash[o[1]]) {
		uint16_t t = o[0];
		o[0] = o[1];
		o[1] = t;
	}
}

static void hash_values(struct emit *e)
{
	for (unsigned i = 0; i < e->l->ncarries; i++) {
		const struct val *x = &e->c->v[e->l->carry[i].value];
		e->hash[e->l->carry[i].value] = mix(x->type, (uint64_t)(uint8_t)e->now[x->loop]);
	}
	unsigned rounds = 0;
	for (unsigned i = 0; i < e->l->ncarries; i++)
		if (e->uses[e->l->carry[i].value].mark == 2)
			rounds = 2;
	for (unsigned round = 0; round < rounds; round++) {
		for (unsigned i = 0; i < e->nlist; i++)
			if (!is_carry(e, e->list[i]))
				e->hash[e->list[i]] = value_hash(e, e->list[i]);
		for (unsigned i = 0; i < e->l->ncarries; i++) {
			uint16_t v = e->l->carry[i].value;
			if (e->uses[v].mark == 2)
				e->hash[v] = mix(mix(e->hash[v], e->hash[e->c->v[v].a]), e->hash[e->c->v[v].b]);
		}
	}
	for (unsigned i = 0; i < e->nlist; i++) {
		uint16_t v = e->list[i];
		if (is_carry(e, v))
			continue;
		e->hash[v] = value_hash(e, v);
		sort_operands(e, v);
	}
}

/* ---- writing --------------------------------------------------------------------------------------------------- */

static struct gllm_poly place(struct emit *e, uint16_t p)
{
	const struct gllm_poly *x = &e->c->p.poly[p];
	if (e->placed[p].count == 0xffff) {
		e->placed[p] = (struct gllm_poly){ (uint16_t)(x->count ? e->nterms : 0), x->count };
		for (unsigned i = 0; i < x->count; i++) {
			struct gllm_term t = e->c->p.term[x->first + i];
			for (unsigned k = 0; k < GLLM_TERM_SYMS; k++)
				t.sym[k] = renamed(e, t.sym[k]);
			e->term[e->nterms++] = t;
		}
	}
	return e->placed[p];
}

static gllm_ref write_node(struct emit *e, struct gllm_node n)
{
	if (e->nnodes == NODES) {
		gllm_lift_refuse(e->l, "too many nodes", 0);
		return 0;
	}
	n.loop = e->current < 0 ? -1 : e->now[e->current];
	e->node[e->nnodes] = n;
	return (gllm_ref)e->nnodes++;
}

static gllm_ref write_op(struct emit *e, unsigned op, unsigned type, gllm_ref a, gllm_ref b, gllm_ref c, uint64_t imm)
{
	return write_node(e, (struct gllm_node){ .op = (uint8_t)op, .type = (uint8_t)type, .a = a, .b = b, .c = c, .imm = imm });
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
			.index = x->index == VAL_NONE ? GLLM_NO_NODE : e->ref[x->index], .index_bytes = x->index_bytes,
			.offset = place(e, x->poly) };
	}
	return e->access_of[access];
}

static gllm_ref write_compare(struct emit *e, const struct val *x, gllm_ref a, gllm_ref b)
{
	const gllm_ref no = GLLM_NO_NODE;
	bool sorted = e->hash[x->a] <= e->hash[x->b];
	gllm_ref p = sorted ? a : b, q = sorted ? b : a;
	switch (x->aux) {
	case OUT_LESS: return write_op(e, GLLM_N_LT, GLLM_MASK, a, b, no, 0);
	case OUT_GREATER: return write_op(e, GLLM_N_LT, GLLM_MASK, b, a, no, 0);
	case OUT_LESS | OUT_EQUAL: return write_op(e, GLLM_N_LE, GLLM_MASK, a, b, no, 0);
	case OUT_GREATER | OUT_EQUAL: return write_op(e, GLLM_N_LE, GLLM_MASK, b, a, no, 0);
	case OUT_EQUAL: return write_op(e, GLLM_N_EQ, GLLM_MASK, p, q, no, 0);
	case OUT_UNORDERED: return write_op(e, GLLM_N_UNORD, GLLM_MASK, p, q, no, 0);
	default: { /* less or greater */
		gllm_ref s = write_op(e, GLLM_N_LT, GLLM_MASK, p, q, no, 0);
		return write_op(e, GLLM_N_OR, GLLM_MASK, s, write_op(e, GLLM_N_LT, GLLM_MASK, q, p, no, 0), no, 0);
	}
	}
}

static void write_value(struct emit *e, uint16_t v)
{
	const struct val *x = &e->c->v[v];
	const gllm_ref no = GLLM_NO_NODE;
	gllm_ref a = x->a != VAL_NONE ? e->ref[x->a] : no, b = x->b != VAL_NONE ? e->ref[x->b] : no;
	gllm_ref c = x->c != VAL_NONE ? e->ref[x->c] : no;
	if (symmetric(x) && e->hash[x->a] > e->hash[x->b]) {
		gllm_ref t = a;
		a = b;
		b = t;
	}
	uint16_t p = (uint16_t)x->imm;
	switch (x->op) {
	case GLLM_N_INDEX:
		if (e->index_of[p] == VAL_NONE) {
			e->index_of[p] = (uint16_t)e->npolys;
			e->poly[e->npolys++] = place(e, p);
		}
		e->ref[v] = write_op(e, x->op, x->type, no, no, no, e->index_of[p]);
		break;
	case GLLM_N_LOAD: e->ref[v] = write_op(e, x->op, x->type, no, no, no, write_access(e, p)); break;
	case VAL_FCMP: e->ref[v] = write_compare(e, x, a, b); break;
	case VAL_PCOND: e->ref[v] = write_op(e, x->aux ? GLLM_N_LT : GLLM_N_EQ, GLLM_MASK, a, b, no, 0); break;
	case VAL_ICMP: e->ref[v] = write_op(e, x->aux ? GLLM_N_EQ : GLLM_N_LT, GLLM_MASK, a, b, no, 0); break;
	default: e->ref[v] = write_op(e, x->op, x->type, a, b, c, x->imm); break;
	}
}

/* Writes what v needs: all of it, or, with `inside` given, only what varies outside that loop (v itself being in it). */
static void need(struct emit *e, uint16_t v, int inside)
{
	unsigned depth = 0;
	e->stack[depth++] = v;
	while (depth) {
		uint16_t top = e->stack[depth - 1];
		const struct val *x = &e->c->v[top];
		struct uses *u = &e->uses[top];
		bool in = inside >= 0 && x->loop >= 0 && flow_in_loop(e->l->f, x->loop, inside);
		if (e->ref[top] != VAL_NONE || (in && u->mark == 4)) {
			depth--;
			continue;
		}
		const uint16_t ends[2] = { x->a, x->b }, *o = u->o;
		unsigned n = u->n, pending = depth;
		if (in && x->op == GLLM_N_CARRY) {
			o = ends;
			n = 2;
		}
		if (in) /* passed once; cycles end here */
			u->mark = 4;
		for (unsigned i = n; i-- > 0; )
			if (e->ref[o[i]] == VAL_NONE && e->uses[o[i]].mark != 4 && depth + 3 < VAL_MAX)
				e->stack[depth++] = o[i];
		if (pending != depth)
			continue;
		if (!in)
			write_value(e, top);
		depth--;
	}
}

static int store_loop(const struct emit *e, const struct effect *s)
{
	return e->l->f->block[s->block].loop;
}

/* Loads of parameter p that stand before raw value `end` in the loop being written come before what is stored next. */
static void flush_loads(struct emit *e, unsigned p, uint16_t end)
{
	for (unsigned i = 0; i < e->l->nloads; i++) {
		const struct effect *x = &e->l->load[i];
		if (e->c->access[x->access].param == p && x->raw < end && e->uses[x->value].mark && e->c->v[x->value].loop == e->current)
			need(e, x->value, -1);
	}
}

static void write_store(struct emit *e, const struct effect *s)
{
	const struct val_access *x = &e->c->access[s->access];
	flush_loads(e, x->param, s->raw);
	need(e, s->value, -1);
	if (x->index != VAL_NONE)
		need(e, x->index, -1);
	write_op(e, GLLM_N_STORE, x->type, e->ref[s->value], GLLM_NO_NODE, GLLM_NO_NODE, write_access(e, s->access));
}

/* The kept CARRYs of a loop, by hash. */
static unsigned sort_carries(struct emit *e, int loop)
{
	unsigned n = 0;
	for (unsigned i = 0; i < e->l->ncarries; i++) {
		uint16_t v = e->l->carry[i].value;
		if (e->l->carry[i].loop != loop || !e->uses[v].mark)
			continue;
		unsigned k = n++;
		for (; k > 0 && e->hash[e->carry_order[k - 1]] > e->hash[v]; k--)
			e->carry_order[k] = e->carry_order[k - 1];
		e->carry_order[k] = v;
	}
	return n;
}

static void begin_loop(struct emit *e, int loop)
{
	struct lifting *l = e->l;
	const struct flow_loop *x = &l->f->loop[loop];
	const uint16_t first_raw = l->s->first[x->header];
	for (unsigned i = 0; i < e->nlist; i++)
		e->uses[e->list[i]].mark = 2;
	unsigned n = sort_carries(e, loop);
	for (unsigned i = 0; i < n; i++)
		need(e, e->c->v[e->carry_order[i]].a, -1);
	for (unsigned i = 0; i < l->nstores; i++) {
		const struct effect *s = &l->store[i];
		if (s->dead || !flow_in_loop(l->f, store_loop(e, s), loop))
			continue;
		flush_loads(e, e->c->access[s->access].param, first_raw);
		need(e, s->value, loop);
		if (e->c->access[s->access].index != VAL_NONE)
			need(e, e->c->access[s->access].index, loop);
	}
	for (unsigned i = 0; i < l->ncarries; i++)
		if (e->uses[l->carry[i].value].mark && flow_in_loop(l->f, l->carry[i].loop, loop))
			need(e, l->carry[i].value, loop);
	for (unsigned i = 0; i < e->nlist; i++)
		e->uses[e->list[i]].mark = 2;
	int8_t now = e->now[loop];
	e->loop[now] = (struct gllm_loop){ .parent = x->parent < 0 ? (int8_t)-1 : e->now[x->parent],
		.first = (gllm_ref)e->nnodes, .trip = place(e, l->loop[loop].trip) };
	e->current = loop;
	for (unsigned i = 0; i < n; i++) {
		uint16_t v = e->carry_order[i];
		e->ref[v] = write_op(e, GLLM_N_CARRY, e->c->v[v].type, e->ref[e->c->v[v].a], GLLM_NO_NODE, GLLM_NO_NODE, 0);
	}
}

static void end_loop(struct emit *e, int loop)
{
	unsigned n = sort_carries(e, loop);
	for (unsigned i = 0; i < n; i++)
		need(e, e->c->v[e->carry_order[i]].b, -1);
	for (unsigned i = 0; i < n; i++) {
		uint16_t v = e->carry_order[i];
		e->node[e->ref[v]].b = e->ref[e->c->v[v].b];
	}
	e->loop[e->now[loop]].end = (gllm_ref)e->nnodes;
	e->current = e->l->f->loop[loop].parent;
}

static void write_all(struct emit *e)
{
	struct lifting *l = e->l;
	e->current = -1;
	for (unsigned b = 0; b < l->f->nblocks && !l->status; b++) {
		int loop = l->f->block[b].loop;
		if (l->f->block[b].header && e->now[loop] >= 0)
			begin_loop(e, loop);
		for (unsigned i = 0; i < l->nstores; i++)
			if (!l->store[i].dead && l->s->raw[l->store[i].raw].block == b)
				write_store(e, &l->store[i]);
		for (unsigned k = l->f->nloops; k-- > 0; )
			if (l->f->loop[k].end == b + 1 && e->now[k] >= 0)
				end_loop(e, (int)k);
	}
}

/* ---- the result ------------------------------------------------------------------------------------------------ */

static void *copy(struct gllm_arena *a, const void *from, size_t n, size_t size)
{
	void *to = gllm_alloc_array(a, n ? n : 1, size, 8);
	return to ? __builtin_memcpy(to, from, n * size) : NULL;
}

static enum gllm_status finish(struct emit *e, const char *name, struct gllm_reduction *reduction, struct gllm_arena *keep_in,
                               const struct gllm_trace **out)
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
	made.nreductions = gllm_trace_reductions(&made, reduction);
	made.reduction = copy(keep_in, reduction, made.nreductions, sizeof *reduction);
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
	*e = (struct emit){ .l = l, .c = &l->c };
	spell_out(e);
	unsigned n = l->c.n, np = l->c.p.n;
	e->node = gllm_alloc_array(scratch, NODES, sizeof *e->node, 8);
	e->access = gllm_alloc_array(scratch, VAL_ACCESSES, sizeof *e->access, 8);
	e->poly = gllm_alloc_array(scratch, np, sizeof *e->poly, 8);
	e->term = gllm_alloc_array(scratch, l->c.p.nterms + 1, sizeof *e->term, 8);
	e->ref = gllm_alloc_array(scratch, n, sizeof *e->ref, 8);
	e->hash = gllm_alloc_array(scratch, n, sizeof *e->hash, 8);
	e->uses = gllm_alloc_array(scratch, n, sizeof *e->uses, 8);
	e->stack = gllm_alloc_array(scratch, VAL_MAX + 8, sizeof *e->stack, 8);
	e->list = gllm_alloc_array(scratch, n, sizeof *e->list, 8);
	e->placed = gllm_alloc_array(scratch, np, sizeof *e->placed, 8);
	e->index_of = gllm_alloc_array(scratch, np, sizeof *e->index_of, 8);
	e->access_of = gllm_alloc_array(scratch, VAL_ACCESSES, sizeof *e->access_of, 8);
	struct gllm_reduction *reduction = gllm_alloc_array(scratch, LOOPS_CARRIES, sizeof *reduction, 8);
	if (!e->node || !e->access || !e->poly || !e->term || !e->ref || !e->hash || !e->uses || !e->stack || !e->list ||
	    !e->placed || !e->index_of || !e->access_of || !reduction)
		return gllm_fail(l->error, GLLM_OUT_OF_MEMORY, "scratch for the trace", name, 0, 0, 0);
	_Static_assert(VAL_NONE == 0xffff, "what the bytes make");
	__builtin_memset(e->ref, 0xff, n * sizeof *e->ref);
	__builtin_memset(e->uses, 0, n * sizeof *e->uses);
	__builtin_memset(e->hash, 0, n * sizeof *e->hash);
	for (unsigned i = 0; i < np; i++) {
		e->placed[i].count = 0xffff;
		e->index_of[i] = VAL_NONE;
	}
	__builtin_memset(e->access_of, 0xff, l->c.naccesses * sizeof *e->access_of);
	for (unsigned i = 0; i < FLOW_LOOPS; i++)
		e->now[i] = -1;
	keep(e);
	if (!l->status)
		settle_loads(e);
	if (l->status)
		return l->status;
	order_stores(e);
	hash_values(e);
	write_all(e);
	return l->status ? l->status : finish(e, name, reduction, keep_in, out);
}
