/* SPDX-License-Identifier: MIT
 * jit/loops.c - walks the raw values once, in order, and gives each its canonical value. */
#include "core/bits.h"
#include "jit/canon_bits.h"
#include "jit/loops.h"

enum { ABSENT = VAL_NONE, STEPS = 24, UNASKED = 2 };

void gllm_lift_refuse(struct lifting *l, const char *what, uint16_t raw)
{
	if (l->status)
		return;
	uint64_t addr = l->f->op[l->s->raw[raw].at].addr;
	l->status = gllm_fail(l->error, GLLM_NOT_LIFTED, what, NULL, addr - l->f->entry, 0, 0);
}

static uint16_t block_raw(const struct lifting *l, uint16_t block) /* some raw value of a block, for messages */
{
	uint16_t first = l->s->first[block];
	return first < l->s->first[block + 1] ? first : 0;
}

static int block_loop(const struct lifting *l, uint16_t block)
{
	return l->f->block[block].loop;
}

static bool within(const struct lifting *l, int inner, int outer)
{
	return outer < 0 || flow_in_loop(l->f, inner, outer);
}

/* ---- values seen from outside their loop ----------------------------------------------------------------------- */

static uint16_t last_poly(struct lifting *l, uint16_t poly, int loop)
{
	const struct loop_facts *x = &l->loop[loop];
	uint16_t last = x->bottom ? gllm_poly_plus(&l->c.p, x->trip, -1) : x->trip;
	return gllm_poly_put(&l->c.p, poly, GLLM_SYM_LOOP + (unsigned)loop, last);
}

/* The value v, which varies in `loop`, after the loop has ended. */
static uint16_t leave(struct lifting *l, uint16_t v, int loop)
{
	struct canon *c = &l->c;
	const struct val *x = &c->v[v];
	const struct loop_facts *facts = &l->loop[loop];
	if (!facts->known || (facts->negative && x->op != GLLM_N_CARRY))
		return POISON;
	if (x->op == GLLM_N_INDEX)
		return gllm_canon_poly(c, last_poly(l, (uint16_t)x->imm, loop));
	if (x->op == VAL_PTR && (x->a == VAL_NONE || c->v[x->a].loop != loop))
		return gllm_canon_ptr(c, x->aux, last_poly(l, (uint16_t)x->imm, loop), x->a, val_index_bytes(x));
	if (x->op == GLLM_N_CVT && c->v[x->a].op == GLLM_N_INDEX)
		return gllm_canon_as(c, gllm_canon_poly(c, last_poly(l, (uint16_t)c->v[x->a].imm, loop)), x->type);
	for (unsigned i = 0; i < l->ncarries; i++) {
		const struct carry *k = &l->carry[i];
		if (k->loop == loop && (facts->bottom ? c->v[k->value].b == v : k->value == v))
			return gllm_canon_last(c, k->value, l->f->loop[loop].parent);
	}
	return POISON;
}

static uint16_t get_outside(struct lifting *l, uint16_t v, int loop)
{
	while (v != POISON && l->c.v[v].loop >= 0 && !within(l, loop, l->c.v[v].loop)) {
		int from = l->c.v[v].loop;
		v = leave(l, v, from);
		if (l->c.v[v].loop == from)
			return POISON;
	}
	return v;
}

/* The value of raw as it is seen in a loop. */
static inline uint16_t get(struct lifting *l, uint16_t raw, int loop)
{
	uint16_t v = l->value[l->s->same[raw]];
	if (v == VAL_NONE)
		return POISON;
	return l->around[loop + 1] >> (l->c.v[v].loop + 1) & 1 ? v : get_outside(l, v, loop);
}

/* ---- guards ---------------------------------------------------------------------------------------------------- */

/* p <= 0 makes t <= 0. */
static bool zero_makes_zero(struct lifting *l, uint16_t p, uint16_t t)
{
	struct polys *ps = &l->c.p;
	uint16_t q;
	if (p == t)
		return true;
	if (gllm_poly_range(ps, gllm_poly_add(ps, t, p, -1)).high <= 0)
		return true;
	if (ps->poly[p].count != 1 || ps->term[ps->poly[p].first].coef <= 0)
		return false;
	uint16_t one = gllm_poly_constant(ps, ps->term[ps->poly[p].first].coef), mono;
	if (!gllm_poly_divide(ps, p, one, &mono) || !gllm_poly_divide(ps, t, mono, &q))
		return false;
	return gllm_poly_range(ps, q).low >= 0;
}

/* The polynomials that are <= 0 when the branch condition has the given outcome; returns how many (0, 1, 2). */
static unsigned nonpositive_when(struct lifting *l, cond_t c, bool outcome, uint16_t p[2])
{
	struct polys *ps = &l->c.p;
	const struct val *v = &l->c.v[cond_value(c)];
	bool holds = outcome != (c & 1);
	if (v->op != VAL_PCOND || (!v->aux && !holds))
		return 0;
	p[0] = (uint16_t)v->imm;
	if (v->aux) {
		if (holds) /* P >= 1 is 1 - P <= 0 */
			p[0] = gllm_poly_plus(ps, gllm_poly_add(ps, 0, p[0], -1), 1);
		return 1;
	}
	p[1] = gllm_poly_add(ps, 0, p[0], -1);
	return 2;
}

static bool implies_no_iteration(struct lifting *l, cond_t c, bool outcome, uint16_t trip)
{
	uint16_t p[2];
	unsigned n = nonpositive_when(l, c, outcome, p);
	for (unsigned i = 0; i < n; i++)
		if (p[i] != POLY_NONE && zero_makes_zero(l, p[i], trip))
			return true;
	return false;
}

/* v if the condition has the given outcome: loops that then run 0 times yield what they began with. POISON if unclear. */
static uint16_t value_when(struct lifting *l, uint16_t v, cond_t cond, bool outcome)
{
	struct canon *c = &l->c;
	uint16_t *now = l->scratch, p[2];
	unsigned n = nonpositive_when(l, cond, outcome, p);
	if (!n || v == POISON)
		return v;
	const struct gllm_term *t = &c->p.term[c->p.poly[p[0]].first];
	unsigned zero_sym = c->p.poly[p[0]].count == 1 && t->sym[0] && !t->sym[1] ? t->sym[0] : 0;
	for (unsigned i = 0; i <= v; i++)
		now[i] = ABSENT;
	now[v] = v; /* wanted */
	for (unsigned i = v + 1u; i-- > 2; ) {
		const struct val *x = &c->v[i];
		if (now[i] == ABSENT || x->op == GLLM_N_CARRY)
			continue;
		if (x->op == GLLM_N_LAST) {
			uint16_t init = c->v[x->a].a;
			now[init] = init;
			continue;
		}
		if (x->op == VAL_FCMP || x->op == VAL_ICMP || x->op == VAL_PCOND || x->op == VAL_MSEL || x->op == GLLM_N_LOAD)
			continue;
		const uint16_t operand[3] = { x->a, x->b, x->c };
		for (unsigned k = 0; k < 3; k++)
			if (operand[k] != VAL_NONE)
				now[operand[k]] = operand[k];
	}
	for (unsigned i = 2; i <= v; i++) {
		const struct val *x = &c->v[i];
		uint16_t a = x->a != VAL_NONE && x->a < i ? now[x->a] : VAL_NONE, b = x->b != VAL_NONE && x->b < i ? now[x->b] : VAL_NONE;
		uint16_t d = x->c != VAL_NONE && x->c < i ? now[x->c] : VAL_NONE;
		if (now[i] == ABSENT)
			continue;
		switch (x->op) {
		case GLLM_N_LAST: {
			const struct val *k = &c->v[x->a];
			bool none = l->loop[k->loop].known && implies_no_iteration(l, cond, outcome, l->loop[k->loop].trip);
			now[i] = none ? now[k->a] : (uint16_t)i;
			break;
		}
		case GLLM_N_INDEX:
			if (zero_sym)
				now[i] = gllm_canon_poly(c, gllm_poly_put(&c->p, (uint16_t)x->imm, zero_sym, 0));
			break;
		case VAL_PTR:
			if (zero_sym && x->a == VAL_NONE)
				now[i] = gllm_canon_ptr(c, x->aux, gllm_poly_put(&c->p, (uint16_t)x->imm, zero_sym, 0), VAL_NONE, val_index_bytes(x));
			break;
		case GLLM_N_ADD: case GLLM_N_SUB: case GLLM_N_MUL: case GLLM_N_DIV: case GLLM_N_NEG: case GLLM_N_ABS:
		case GLLM_N_SQRT:
			if (x->type == GLLM_F32 && (a != x->a || b != x->b))
				now[i] = gllm_canon_float(c, x->op, a, b, d);
			break;
		case GLLM_N_CVT: case GLLM_N_BITS:
			if (a != x->a)
				now[i] = a == POISON ? POISON : gllm_canon_node(c, x->op, x->type, a, VAL_NONE, VAL_NONE, 0);
			break;
		default: break; /* the same value: nothing in it is known to change */
		}
	}
	return now[v];
}

static bool same_result(const struct lifting *l, uint16_t a, uint16_t b)
{
	const struct val *x = &l->c.v[a], *y = &l->c.v[b];
	bool nans = x->op == GLLM_N_CONST && y->op == GLLM_N_CONST && x->type == GLLM_F32 && y->type == GLLM_F32 &&
	            (x->imm & 0x7fffffff) > 0x7f800000 && (y->imm & 0x7fffffff) > 0x7f800000;
	return a == b || nans;
}

/* i ? t : f, where a guard of loops that run 0 times when it fails is no select at all. */
static uint16_t choose(struct lifting *l, cond_t i, uint16_t t, uint16_t f)
{
	if (i == COND_TRUE || i == COND_FALSE || t == f)
		return i == COND_FALSE ? f : t;
	if (l->c.v[cond_value(i)].op == VAL_PCOND && t != POISON && f != POISON) {
		if (l->c.v[f].op == GLLM_N_CONST) /* constants come without a type */
			f = gllm_canon_as(&l->c, f, l->c.v[t].type);
		else if (l->c.v[t].op == GLLM_N_CONST)
			t = gllm_canon_as(&l->c, t, l->c.v[f].type);
		if (f != POISON && same_result(l, value_when(l, t, i, false), f))
			return t;
		if (t != POISON && same_result(l, value_when(l, f, i, true), t))
			return f;
	}
	return gllm_canon_select(&l->c, i, t, f);
}

/* p >= 1 is known where `block` is entered, from the branches that lead there. */
static bool known_positive(struct lifting *l, uint16_t block, uint16_t p)
{
	struct polys *ps = &l->c.p;
	struct gllm_term t = { 0 };
	bool monomial = ps->poly[p].count == 1;
	if (p == POLY_NONE)
		return false;
	if (gllm_poly_range(ps, p).low >= 1)
		return true;
	if (monomial)
		t = ps->term[ps->poly[p].first];
	for (uint16_t b = block; l->f->block[b].idom != FLOW_NONE; b = l->f->block[b].idom) {
		const struct flow_block *x = &l->f->block[b];
		uint16_t d = x->idom, np[2];
		/* the edge d -> b is the only way in (a header's first predecessor is the one from outside) */
		if ((x->npreds != 1 && !x->header) || l->f->pred[x->pred] != d || l->f->block[d].nsucc != 2)
			continue;
		cond_t c = l->branch[d];
		bool outcome = l->f->block[d].succ[1] == b;
		/* here the condition has this outcome: what is not positive under the other is positive under this one */
		if (nonpositive_when(l, c, !outcome, np) != 1)
			continue;
		uint16_t q = np[0];
		if (q == p || gllm_poly_range(ps, gllm_poly_add(ps, p, q, -1)).low >= 0)
			return true;
		if (!monomial || ps->poly[q].count != 1 || t.coef <= 0)
			continue;
		const struct gllm_term *u = &ps->term[ps->poly[q].first];
		for (unsigned i = 0; i < GLLM_TERM_SYMS && u->coef > 0; i++) /* a positive product has positive factors */
			for (unsigned k = 0; k < GLLM_TERM_SYMS; k++)
				if (u->sym[i] && t.sym[k] == u->sym[i])
					t.sym[k] = 0;
		if (!t.sym[0] && !t.sym[1] && !t.sym[2] && !t.sym[3])
			return true;
	}
	return false;
}

/* ---- joins ----------------------------------------------------------------------------------------------------- */

struct gate {
	int level;              /* the loop whose blocks are walked; loops inside are passed as a whole */
	uint16_t last;          /* an edge into this block ends the walk; those behind it do not count */
	uint16_t phi;           /* with its raw value of this PHI for the edge; 0: true */
	const uint16_t *target; /* or, if not NULL: blocks whose entry ends it with a value; ABSENT elsewhere */
	int around;             /* for guards: the innermost of the loops that may run 0 times */
	bool partial;           /* out: some path ends elsewhere, and not because of a guard */
};

static bool walked(const struct lifting *l, uint16_t b, int level)
{
	int loop = block_loop(l, b);
	return loop == level || (l->f->block[b].header && loop >= 0 && l->f->loop[loop].parent == level);
}

static uint16_t phi_input(struct lifting *l, uint16_t phi, uint16_t pred, int level)
{
	const struct raw *r = &l->s->raw[phi];
	const struct flow_block *b = &l->f->block[r->block];
	for (unsigned p = 0; p < b->npreds; p++)
		if (l->f->pred[b->pred + p] == pred)
			return get(l, l->s->input[(size_t)r->imm + p], level);
	return POISON;
}

static uint16_t along(struct lifting *l, const struct gate *g, const uint16_t *at, uint16_t from, uint16_t to)
{
	if (to == g->last)
		return g->phi ? phi_input(l, g->phi, from, g->level) : TRUE_VALUE;
	if (to <= from || to > g->last || !walked(l, to, g->level))
		return ABSENT;
	return at[to];
}

/* A branch avoids a target on one side: only a guard if some loop around the target then runs 0 times. */
static bool is_guard(struct lifting *l, const struct gate *g, cond_t c, bool avoiding)
{
	for (int k = g->around; k != g->level && k >= 0; k = l->f->loop[k].parent)
		if (l->loop[k].known && implies_no_iteration(l, c, avoiding, l->loop[k].trip))
			return true;
	return false;
}

/* The value where the walk from `start` ends, as selects over the conditions passed; ABSENT if it never does. */
static uint16_t walk(struct lifting *l, struct gate *g, uint16_t start)
{
	uint16_t at[FLOW_BLOCKS];
	g->partial = false;
	for (unsigned i = g->last; i-- > start; ) {
		uint16_t b = (uint16_t)i;
		const struct flow_block *x = &l->f->block[b];
		at[b] = ABSENT;
		if (!walked(l, b, g->level))
			continue;
		if (g->target && g->target[b] != ABSENT) {
			at[b] = g->target[b];
			continue;
		}
		if (x->loop != g->level) {
			const struct flow_loop *inner = &l->f->loop[x->loop];
			at[b] = along(l, g, at, inner->exit, inner->target);
			continue;
		}
		uint16_t f = x->nsucc ? along(l, g, at, b, x->succ[0]) : ABSENT;
		if (x->nsucc < 2) {
			at[b] = f;
			continue;
		}
		uint16_t t = along(l, g, at, b, x->succ[1]);
		cond_t c = l->branch[b];
		if (g->level >= 0 && b == l->f->loop[g->level].exit) { /* of an iteration that counts, this goes on */
			at[b] = x->succ[1] == l->f->loop[g->level].target ? f : t;
			continue;
		}
		if (c == COND_TRUE || c == COND_FALSE)
			at[b] = c == COND_TRUE ? t : f;
		else if (t == ABSENT || f == ABSENT) {
			at[b] = t == ABSENT ? f : t;
			if (t != f && !g->phi && !is_guard(l, g, c, t == ABSENT))
				g->partial = true;
		} else {
			at[b] = choose(l, c, t, f);
		}
	}
	return at[start];
}

static uint16_t join_value(struct lifting *l, uint16_t phi)
{
	uint16_t b = l->s->raw[phi].block;
	struct gate g = { .level = block_loop(l, b), .last = b, .phi = phi, .around = -1 };
	uint16_t start = l->f->block[b].idom;
	while (!walked(l, start, g.level)) { /* the exit of an inner loop: walk from that loop's header */
		int inner = block_loop(l, start);
		while (inner >= 0 && l->f->loop[inner].parent != g.level)
			inner = l->f->loop[inner].parent;
		if (inner < 0)
			return POISON;
		start = l->f->loop[inner].header;
	}
	uint16_t v = walk(l, &g, start);
	return v == ABSENT ? POISON : v;
}

/* Every path through loop `level` (or the function) from its beginning meets a block of target[], but for guards of
 * that loop. */
static bool covers(struct lifting *l, int level, const uint16_t *target, uint16_t *value)
{
	struct gate g = { .level = level, .last = level < 0 ? (uint16_t)l->f->nblocks : l->f->loop[level].end, .target = target,
	                  .around = level };
	*value = walk(l, &g, level < 0 ? 0 : l->f->loop[level].header);
	return *value != ABSENT && !g.partial;
}

/* The same of one block, but for guards of the loops from `around` out to that one. */
static bool runs_in(struct lifting *l, int around, uint16_t at, int level)
{
	struct gate g = { .level = level, .last = at, .around = around };
	uint16_t start = level < 0 ? 0 : l->f->loop[level].header;
	return at == start || (walk(l, &g, start) != ABSENT && !g.partial);
}

bool gllm_always_runs(struct lifting *l, uint16_t block)
{
	if (l->runs[block] == UNASKED)
		l->runs[block] = gllm_runs_with(l, block, block_loop(l, block));
	return l->runs[block];
}

bool gllm_runs_with(struct lifting *l, uint16_t block, int around)
{
	uint16_t at = block;
	for (int level = block_loop(l, block); ; level = l->f->loop[level].parent) {
		if (!runs_in(l, around, at, level))
			return false;
		if (level < 0)
			return true;
		at = l->f->loop[level].header;
	}
}

/* ---- induction variables and carries --------------------------------------------------------------------------- */

static bool integer_op(unsigned op)
{
	return op == GLLM_S_ADD || op == GLLM_S_SUB || op == GLLM_S_SHL || op == GLLM_S_MUL || op == GLLM_S_NEG ||
	       op == GLLM_S_ZEXT || op == GLLM_S_SEXT;
}

static uint16_t evaluate(struct lifting *l, uint16_t raw, int loop);

/* Gives `raw` its value ahead of its turn if it is made of known ones; how an invariant step inside a loop is seen. */
static bool known_early(struct lifting *l, uint16_t raw)
{
	uint16_t stack[STEPS];
	unsigned depth = 0;
	raw = l->s->same[raw];
	stack[depth++] = raw;
	while (depth) {
		uint16_t r = stack[depth - 1];
		const struct raw *x = &l->s->raw[r];
		if (l->value[r] != VAL_NONE) {
			depth--;
			continue;
		}
		if (x->op == RAW_CONST) {
			l->value[r] = gllm_canon_const(&l->c, GLLM_I64, (uint64_t)x->imm);
			continue;
		}
		if (!integer_op(x->op))
			return false;
		uint16_t a = l->s->same[x->a], b = l->s->same[x->b];
		uint16_t missing = l->value[a] == VAL_NONE ? a : l->value[b] == VAL_NONE ? b : VAL_NONE;
		if (missing == VAL_NONE) {
			l->value[r] = evaluate(l, r, block_loop(l, x->block));
			continue;
		}
		if (depth == STEPS)
			return false;
		stack[depth++] = missing;
	}
	return true;
}

/* The value of raw if it does not vary in `loop`. */
static bool invariant_poly(struct lifting *l, uint16_t raw, int loop, uint16_t *poly)
{
	if (!known_early(l, raw))
		return false;
	uint16_t v = get(l, raw, loop);
	if (v == POISON || (l->c.v[v].loop >= 0 && within(l, l->c.v[v].loop, loop)))
		return false;
	return gllm_canon_as_poly(&l->c, v, poly);
}

/* back = phi + step, the step unchanging: collects the step. */
static bool find_step(struct lifting *l, uint16_t phi, uint16_t back, int loop, uint16_t *step, bool *narrow)
{
	uint16_t r = back, p;
	*step = 0;
	*narrow = false;
	for (unsigned i = 0; i < STEPS; i++) {
		const struct raw *x = &l->s->raw[r];
		if (r == phi)
			return true;
		uint16_t a = l->s->same[x->a], b = l->s->same[x->b];
		*narrow = *narrow || x->w == 32;
		if (x->op == GLLM_S_ZEXT && x->w == 32) {
			r = a;
		} else if ((x->op == GLLM_S_ADD || x->op == GLLM_S_SUB) && invariant_poly(l, b, loop, &p)) {
			*step = gllm_poly_add(&l->c.p, *step, p, x->op == GLLM_S_ADD ? 1 : -1);
			r = a;
		} else if (x->op == GLLM_S_ADD && invariant_poly(l, a, loop, &p)) {
			*step = gllm_poly_add(&l->c.p, *step, p, 1);
			r = b;
		} else {
			return false;
		}
	}
	return false;
}

static uint16_t induction(struct lifting *l, uint16_t init, uint16_t step, bool narrow, int loop)
{
	struct canon *c = &l->c;
	uint16_t p, iv = gllm_poly_symbol(&c->p, GLLM_SYM_LOOP + (unsigned)loop);
	uint16_t moved = gllm_poly_mul(&c->p, step, iv);
	const struct val *x = &c->v[init];
	if (x->op == VAL_PTR)
		return narrow ? POISON : gllm_canon_ptr(c, x->aux, gllm_poly_add(&c->p, (uint16_t)x->imm, moved, 1), x->a, val_index_bytes(x));
	if (!narrow)
		return gllm_canon_as_poly(c, init, &p) ? gllm_canon_poly(c, gllm_poly_add(&c->p, p, moved, 1)) : POISON;
	init = gllm_canon_as(c, init, GLLM_I32);
	return gllm_canon_int(c, GLLM_N_ADD, 32, init, gllm_canon_as(c, gllm_canon_poly(c, moved), GLLM_I32));
}

/* The parameter an address is made from, GLLM_MAX_PARAMS if that is not plain to see. */
static unsigned root_param(const struct lifting *l, uint16_t raw)
{
	for (unsigned i = 0; i < STEPS; i++) {
		raw = l->s->same[raw];
		const struct raw *x = &l->s->raw[raw];
		if (x->op == RAW_PARAM)
			return l->param[x->imm].kind <= GLLM_WEIGHT ? (unsigned)x->imm : GLLM_MAX_PARAMS;
		if (x->op == RAW_PHI) {
			raw = l->s->input[x->imm];
			continue;
		}
		if (x->op != GLLM_S_ADD && x->op != GLLM_S_SUB)
			break;
		uint16_t a = l->s->same[x->a], v = l->value[a];
		bool plain = l->s->raw[a].op == RAW_CONST || l->s->raw[a].op == GLLM_S_SHL || l->s->raw[a].op == GLLM_S_MUL ||
		             (v != VAL_NONE && l->c.v[v].op != VAL_PTR && v != POISON);
		raw = plain ? x->b : x->a;
	}
	return GLLM_MAX_PARAMS;
}

/* The type of a value carried around a loop, from the operations that make it. */
static unsigned carried_type(struct lifting *l, uint16_t phi, uint16_t back)
{
	uint16_t stack[STEPS], seen[STEPS];
	unsigned depth = 0, nseen = 0, type = GLLM_TYPE_COUNT;
	stack[depth++] = back;
	while (depth) {
		uint16_t r = l->s->same[stack[--depth]];
		const struct raw *x = &l->s->raw[r];
		bool again = r == phi;
		for (unsigned i = 0; i < nseen; i++)
			again = again || seen[i] == r;
		if (again || nseen == STEPS)
			continue;
		seen[nseen++] = r;
		if (l->value[r] != VAL_NONE && l->value[r] != POISON && l->c.v[l->value[r]].op != GLLM_N_CONST) {
			type = l->c.v[l->value[r]].type;
			if (type == GLLM_F32)
				return type;
			continue;
		}
		unsigned inputs = x->op == RAW_PHI ? l->f->block[x->block].npreds : x->op == GLLM_S_SELECT ? 2 : 0;
		for (unsigned i = 0; i < inputs && depth < STEPS; i++)
			stack[depth++] = x->op == RAW_PHI ? l->s->input[(size_t)x->imm + i] : i ? x->b : x->a;
		if (inputs || x->op == RAW_CONST || x->op == RAW_UNDEF)
			continue;
		unsigned p = x->op == GLLM_S_LOAD ? root_param(l, x->a) : GLLM_MAX_PARAMS;
		if ((x->op >= GLLM_S_FADD && x->op <= GLLM_S_FNMS) || x->op == GLLM_S_I2F || x->op == GLLM_S_U2F ||
		    x->op == GLLM_S_F2F || (x->op == RAW_PRIM && x->w == 32) ||
		    (p < GLLM_MAX_PARAMS && l->param[p].type == GLLM_F32))
			return GLLM_F32;
		type = x->w <= 32 ? GLLM_I32 : GLLM_I64;
	}
	bool narrow = l->s->raw[back].op != RAW_PHI && l->s->raw[back].w <= 32;
	return type == GLLM_TYPE_COUNT || (type == GLLM_I64 && narrow) ? GLLM_I32 : type;
}

static uint16_t header_phi(struct lifting *l, uint16_t phi)
{
	const struct raw *x = &l->s->raw[phi];
	int loop = block_loop(l, x->block);
	uint16_t init = get(l, l->s->input[x->imm], l->f->loop[loop].parent);
	uint16_t back = l->s->same[l->s->input[(size_t)x->imm + 1]], step;
	bool narrow;
	if (init == POISON || l->s->raw[back].op == RAW_UNDEF)
		return POISON;
	if (find_step(l, phi, back, loop, &step, &narrow)) {
		uint16_t v = induction(l, init, step, narrow, loop);
		if (v != POISON)
			return v;
	}
	unsigned type = carried_type(l, phi, back);
	uint16_t a = gllm_canon_as(&l->c, init, type);
	if (a == POISON || l->ncarries == LOOPS_CARRIES)
		return POISON;
	uint16_t v = gllm_canon_fresh(&l->c, GLLM_N_CARRY, type, loop);
	l->c.v[v].a = a;
	l->carry[l->ncarries++] = (struct carry){ v, back, (int8_t)loop };
	return v;
}

/* ---- memory ---------------------------------------------------------------------------------------------------- */

static bool writable(const struct lifting *l, unsigned p)
{
	return l->param[p].kind == GLLM_OUT || l->param[p].kind == GLLM_INOUT;
}

static void forget_memory(struct lifting *l)
{
	for (unsigned p = 0; p < l->nparams; p++) {
		if (writable(l, p))
			l->version[p] = ++l->versions;
		l->forward[p].access = VAL_NONE;
	}
}

static bool accessed(struct lifting *l, uint16_t raw, int loop, uint16_t *access)
{
	const struct raw *x = &l->s->raw[raw];
	uint16_t at = get(l, x->a, loop);
	const struct val *v = &l->c.v[at];
	if (v->op != VAL_PTR)
		return false;
	static const uint8_t by_size[] = { [1] = GLLM_U8, [2] = GLLM_U16, [4] = GLLM_U32, [8] = GLLM_I64 };
	unsigned bytes = x->w / 8u, type = l->param[v->aux].type;
	if (bytes != 1 && bytes != 2 && bytes != 4 && bytes != 8)
		return false;
	if (gllm_type_bytes((enum gllm_type)type) != bytes)
		type = by_size[bytes];
	struct val_access a = { .param = v->aux, .type = (uint8_t)type, .index = v->a, .poly = (uint16_t)v->imm,
	                        .index_bytes = v->a == VAL_NONE ? 0 : val_index_bytes(v) };
	*access = gllm_canon_access(&l->c, &a);
	return *access != VAL_NONE;
}

/* A load from constants of the image at an index that cannot leave them. Safe at any time, it runs where its index is known. */
static uint16_t table_load(struct lifting *l, uint16_t raw, int loop)
{
	static const uint8_t by_size[] = { [1] = GLLM_U8, [2] = GLLM_U16, [4] = GLLM_U32, [8] = GLLM_I64 };
	unsigned bytes = l->s->raw[raw].w / 8u;
	uint64_t from, size;
	struct val_access a = { .poly = 0 };
	uint16_t at = get(l, l->s->raw[raw].a, loop);
	if (at == POISON || (bytes != 1 && bytes != 2 && bytes != 4 && bytes != 8) ||
	    !gllm_bits_place(&l->c, at, bytes, &from, &size, &a.index, &a.index_bytes) || size > GLLM_TABLE_BYTES - bytes)
		return POISON;
	const unsigned char *data = gllm_image_at(l->s->img, from, size + bytes, true);
	uint16_t table = data ? gllm_canon_table(&l->c, by_size[bytes], data, (uint32_t)(size + bytes)) : VAL_NONE;
	if (table == VAL_NONE)
		return POISON;
	gllm_sym_folded(l->s, from, (uint32_t)(size + bytes));
	a.param = (uint8_t)table;
	a.type = by_size[bytes];
	a.index = gllm_canon_as(&l->c, a.index, GLLM_I64);
	uint16_t access = a.index == POISON ? VAL_NONE : gllm_canon_access(&l->c, &a);
	return access == VAL_NONE ? POISON : gllm_canon_load(&l->c, access, 0, l->c.v[a.index].loop);
}

static uint16_t load_access(struct lifting *l, uint16_t access, uint16_t raw, int loop)
{
	unsigned p = l->c.access[access].param;
	uint16_t v = gllm_canon_load(&l->c, access, writable(l, p) ? l->version[p] : 0, loop);
	if (l->nloads == LOOPS_LOADS)
		return POISON;
	l->load[l->nloads++] = (struct effect){ .value = v, .access = access, .block = l->s->raw[raw].block, .raw = raw };
	return v;
}

/* Several bytes of a parameter of bytes are read one by one. */
static uint16_t load_bytes(struct lifting *l, struct val_access a, unsigned bytes, uint16_t raw, int loop)
{
	uint16_t byte[8];
	struct polys *p = &l->c.p;
	a.type = GLLM_U8;
	for (unsigned i = 0; i < bytes; i++) {
		struct val_access one = a;
		one.poly = gllm_poly_plus(p, a.poly, (int64_t)i);
		uint16_t access = one.poly == POLY_NONE ? VAL_NONE : gllm_canon_access(&l->c, &one);
		byte[i] = access == VAL_NONE ? POISON : load_access(l, access, raw, loop);
		if (byte[i] == POISON)
			return POISON;
	}
	return gllm_bits_join(&l->c, byte, bytes);
}

static uint16_t load(struct lifting *l, uint16_t raw, int loop)
{
	uint16_t access;
	if (!accessed(l, raw, loop, &access))
		return table_load(l, raw, loop);
	unsigned p = l->c.access[access].param, bytes = l->s->raw[raw].w / 8u;
	if (writable(l, p) && l->forward[p].access == access && l->forward[p].loop == loop)
		return l->forward[p].value;
	if (bytes > 1 && l->param[p].type == GLLM_U8 && !writable(l, p))
		return load_bytes(l, l->c.access[access], bytes, raw, loop);
	return load_access(l, access, raw, loop);
}

static void store(struct lifting *l, uint16_t raw, int loop)
{
	uint16_t access;
	if (!accessed(l, raw, loop, &access)) {
		gllm_lift_refuse(l, "a store to an address that is not a parameter plus a polynomial", raw);
		return;
	}
	unsigned p = l->c.access[access].param, type = l->c.access[access].type;
	if (!writable(l, p)) {
		gllm_lift_refuse(l, "a store to a parameter that is only read", raw);
		return;
	}
	if (l->nstores == LOOPS_STORES) {
		gllm_lift_refuse(l, "too many stores", raw);
		return;
	}
	uint16_t v = gllm_canon_as(&l->c, get(l, l->s->raw[raw].c, loop), type == GLLM_U32 ? GLLM_I32 : type);
	l->store[l->nstores++] = (struct effect){ .value = v, .access = access, .block = l->s->raw[raw].block, .raw = raw };
	l->version[p] = ++l->versions;
	l->forward[p].access = access;
	l->forward[p].value = gllm_canon_as(&l->c, v, type);
	l->forward[p].loop = (int8_t)loop;
}

/* ---- operations ------------------------------------------------------------------------------------------------ */

static cond_t literal(unsigned cc, unsigned nzcv)
{
	bool n = nzcv >> 3 & 1, z = nzcv >> 2 & 1, c = nzcv >> 1 & 1, v = nzcv & 1, r;
	switch (cc) {
	case GLLM_CC_EQ: r = z; break;
	case GLLM_CC_NE: r = !z; break;
	case GLLM_CC_ULT: r = !c; break;
	case GLLM_CC_ULE: r = !c || z; break;
	case GLLM_CC_UGT: r = c && !z; break;
	case GLLM_CC_UGE: r = c; break;
	case GLLM_CC_SLT: r = n != v; break;
	case GLLM_CC_SLE: r = z || n != v; break;
	case GLLM_CC_SGT: r = !z && n == v; break;
	case GLLM_CC_SGE: r = n == v; break;
	case GLLM_CC_SNEG: r = n; break;
	case GLLM_CC_SPOS: r = !n; break;
	case GLLM_CC_OVF: r = v; break;
	case GLLM_CC_NOVF: r = !v; break;
	default: return COND_POISON;
	}
	return r ? COND_TRUE : COND_FALSE;
}

static cond_t test_bits(struct lifting *l, const struct raw *flags, unsigned cc, int loop)
{
	struct canon *c = &l->c;
	uint16_t a = get(l, flags->a, loop), b = get(l, flags->b, loop), zero = gllm_canon_const(c, GLLM_I64, 0);
	unsigned w = flags->w;
	if (cc == GLLM_CC_ULT || cc == GLLM_CC_UGE) /* no carry comes of an and */
		return cc == GLLM_CC_UGE ? COND_TRUE : COND_FALSE;
	cc = cc == GLLM_CC_ULE ? GLLM_CC_EQ : cc == GLLM_CC_UGT ? GLLM_CC_NE : cc;
	if (a == POISON || b == POISON)
		return COND_POISON;
	if (a == b)
		return gllm_canon_icmp(c, a, zero, w, cc);
	bool bit = c->v[b].op == GLLM_N_CONST && (cc == GLLM_CC_EQ || cc == GLLM_CC_NE);
	unsigned sign = bit && c->v[b].imm == UINT64_C(1) << 63 ? 64 : bit && c->v[b].imm == UINT64_C(1) << 31 ? 32 : 0;
	if (sign && (sign == 64 || gllm_type_bytes((enum gllm_type)c->v[a].type) == 4))
		return gllm_canon_icmp(c, a, zero, sign, cc == GLLM_CC_EQ ? GLLM_CC_SPOS : GLLM_CC_SNEG);
	if (bit && !(c->v[b].imm >> 32) && w == 64)
		w = 32;
	if (w < 32 && cc != GLLM_CC_EQ && cc != GLLM_CC_NE)
		return COND_POISON;
	return gllm_canon_icmp(c, gllm_canon_int(c, GLLM_N_AND, w, a, b), zero, w < 32 ? 32 : w, cc);
}

static cond_t flags_condition(struct lifting *l, const struct raw *flags, unsigned cc, unsigned fcc, int loop)
{
	struct canon *c = &l->c;
	uint16_t a = get(l, flags->a, loop), b = get(l, flags->b, loop);
	switch (flags->op) {
	case GLLM_S_FCMP: case GLLM_S_FCCMP: return flags->w == 32 ? gllm_canon_fcmp(c, a, b, gllm_canon_truth(fcc)) : COND_POISON;
	case GLLM_S_CMP: case GLLM_S_CCMP: return gllm_canon_icmp(c, a, b, flags->w, cc);
	case GLLM_S_TEST: return test_bits(l, flags, cc, loop);
	case GLLM_S_CMN:
		if ((cc == GLLM_CC_UGE || cc == GLLM_CC_ULT) && c->v[b].op == GLLM_N_CONST && c->v[b].imm == 1)
			cc = cc == GLLM_CC_UGE ? GLLM_CC_EQ : GLLM_CC_NE; /* adding 1 carries when the sum is 0 */
		if (cc != GLLM_CC_EQ && cc != GLLM_CC_NE)
			return COND_POISON;
		return gllm_canon_icmp(c, gllm_canon_int(c, GLLM_N_ADD, flags->w, a, b), gllm_canon_const(c, GLLM_I64, 0), flags->w, cc);
	case GLLM_S_FLAGSOF:
		if (cc != GLLM_CC_EQ && cc != GLLM_CC_NE && cc != GLLM_CC_SNEG && cc != GLLM_CC_SPOS)
			return COND_POISON;
		return gllm_canon_icmp(c, a, gllm_canon_const(c, GLLM_I64, 0), flags->w, cc);
	default: return COND_POISON;
	}
}

static cond_t condition(struct lifting *l, uint16_t raw, int loop)
{
	const struct raw *x = &l->s->raw[raw], *flags = &l->s->raw[l->s->same[x->a]];
	cond_t now = flags_condition(l, flags, x->cc, x->fcc, loop);
	if (flags->op != GLLM_S_CCMP && flags->op != GLLM_S_FCCMP)
		return now;
	return gllm_canon_cond_select(&l->c, l->condition[flags->c], now, literal(x->cc, flags->scale));
}

static uint16_t primitive(struct lifting *l, const struct raw *x, uint16_t a, uint16_t b, uint16_t d)
{
	struct canon *c = &l->c;
	unsigned from = x->imm == GLLM_PRIM_F16_TO_F32 ? GLLM_F16 : GLLM_BF16;
	unsigned to = x->imm == GLLM_PRIM_F32_TO_F16 ? GLLM_F16 : GLLM_BF16;
	switch (x->imm) {
	case GLLM_PRIM_SQRTF: return gllm_canon_float(c, GLLM_N_SQRT, a, VAL_NONE, VAL_NONE);
	case GLLM_PRIM_RINTF: return gllm_canon_float(c, GLLM_N_RINT, a, VAL_NONE, VAL_NONE);
	case GLLM_PRIM_LDEXPF: return gllm_canon_float(c, GLLM_N_LDEXP, a, gllm_canon_as(c, b, GLLM_I32), VAL_NONE);
	case GLLM_PRIM_FMAF: return gllm_canon_float(c, GLLM_N_FMA, a, b, d);
	case GLLM_PRIM_F16_TO_F32: case GLLM_PRIM_BF16_TO_F32:
		return gllm_canon_node(c, GLLM_N_CVT, GLLM_F32, gllm_canon_as(c, a, from), VAL_NONE, VAL_NONE, 0);
	case GLLM_PRIM_F32_TO_F16: case GLLM_PRIM_F32_TO_BF16:
		return gllm_canon_node(c, GLLM_N_CVT, to, gllm_canon_as(c, a, GLLM_F32), VAL_NONE, VAL_NONE, 0);
	default: return POISON;
	}
}

/* A sum with a constant other than 0 is -0 for no operand, and an absolute value is not either. */
static bool never_minus_zero(const struct canon *c, uint16_t v)
{
	const struct val *x = &c->v[v];
	if (x->op == GLLM_N_ADD || x->op == GLLM_N_SUB)
		return (c->v[x->a].op == GLLM_N_CONST && c->v[x->a].imm << 33) || (c->v[x->b].op == GLLM_N_CONST && c->v[x->b].imm << 33);
	return x->op == GLLM_N_ABS;
}

/* fmin and fmax of AArch64 against a constant number k: -0 is below +0; a NaN gives a NaN, or with `number` gives k. */
static uint16_t min_max(struct lifting *l, bool max, bool number, uint16_t a, uint16_t b)
{
	struct canon *c = &l->c;
	a = gllm_canon_as(c, a, GLLM_F32);
	b = gllm_canon_as(c, b, GLLM_F32);
	if (c->v[a].op == GLLM_N_CONST) {
		uint16_t t = a;
		a = b;
		b = t;
	}
	uint64_t k = c->v[b].imm;
	if (a == POISON || b == POISON || c->v[b].op != GLLM_N_CONST || (k & 0x7fffffff) > 0x7f800000)
		return POISON;
	/* Where both are zeros, k must be taken only if it is the zero that is asked for. Other equals have equal bits: taken
	 * as a < k ? a : k says it, which gives k for NaN as well. */
	bool equal = k << 33 ? number : (k == 0) == max && !never_minus_zero(c, a);
	unsigned truth = (max ? OUT_LESS : OUT_GREATER) | (number ? OUT_UNORDERED : 0u) | (equal ? OUT_EQUAL : 0u);
	return gllm_canon_select(c, gllm_canon_fcmp(c, a, b, truth), b, a);
}

/* a * b + d, of which the product and the sum may be negated. */
static uint16_t fused(struct canon *c, const struct raw *x, uint16_t a, uint16_t b, uint16_t d)
{
	if (x->op == GLLM_S_FNMA || x->op == GLLM_S_FNMS)
		a = gllm_canon_float(c, GLLM_N_NEG, a, VAL_NONE, VAL_NONE);
	if (x->op == GLLM_S_FMS || x->op == GLLM_S_FNMS)
		d = gllm_canon_float(c, GLLM_N_NEG, d, VAL_NONE, VAL_NONE);
	return gllm_canon_float(c, GLLM_N_FMA, a, b, d);
}

static uint16_t convert(struct lifting *l, const struct raw *x, uint16_t a)
{
	struct canon *c = &l->c;
	switch (x->op) {
	case GLLM_S_I2F: case GLLM_S_U2F:
		if (x->w != 32 || (x->imm != 32 && x->imm != 64))
			return POISON;
		return gllm_canon_int_to_float(c, a, (unsigned)x->imm, x->op == GLLM_S_I2F);
	case GLLM_S_F2I: case GLLM_S_F2IN:
		if (x->scale != 32 || x->w != 32)
			return POISON;
		return gllm_canon_node(c, x->op == GLLM_S_F2I ? GLLM_N_CVT : GLLM_N_CVTN, GLLM_I32, gllm_canon_as(c, a, GLLM_F32), VAL_NONE, VAL_NONE, 0);
	case GLLM_S_F2F:
		if (x->w == 32 && x->imm == 16)
			return gllm_canon_node(c, GLLM_N_CVT, GLLM_F32, gllm_canon_as(c, a, GLLM_F16), VAL_NONE, VAL_NONE, 0);
		if (x->w == 16 && x->imm == 32)
			return gllm_canon_node(c, GLLM_N_CVT, GLLM_F16, gllm_canon_as(c, a, GLLM_F32), VAL_NONE, VAL_NONE, 0);
		return POISON;
	default: return POISON;
	}
}

static uint16_t parameter(struct lifting *l, const struct raw *x)
{
	struct canon *c = &l->c;
	unsigned p = (unsigned)x->imm;
	switch (l->param[p].kind) {
	case GLLM_DIM: return gllm_canon_poly(c, gllm_poly_symbol(&c->p, GLLM_SYM_PARAM + p));
	case GLLM_SCALAR: return gllm_canon_node(c, GLLM_N_SCALAR, GLLM_F32, VAL_NONE, VAL_NONE, VAL_NONE, p);
	case GLLM_IN: case GLLM_OUT: case GLLM_INOUT: case GLLM_WEIGHT: return gllm_canon_ptr(c, p, 0, VAL_NONE, 0);
	default: return POISON;
	}
}

static uint16_t phi_value(struct lifting *l, uint16_t raw)
{
	const struct flow_block *b = &l->f->block[l->s->raw[raw].block];
	return b->header ? header_phi(l, raw) : join_value(l, raw);
}

/* The value of raw; of a condition, beside it. */
static uint16_t evaluate(struct lifting *l, uint16_t raw, int loop)
{
	static const uint8_t node[] = {
		[GLLM_S_ADD] = GLLM_N_ADD, [GLLM_S_SUB] = GLLM_N_SUB, [GLLM_S_MUL] = GLLM_N_MUL, [GLLM_S_AND] = GLLM_N_AND,
		[GLLM_S_OR] = GLLM_N_OR, [GLLM_S_XOR] = GLLM_N_XOR, [GLLM_S_SHL] = GLLM_N_SHL, [GLLM_S_SHR] = GLLM_N_SHR,
		[GLLM_S_SAR] = GLLM_N_SAR, [GLLM_S_FMUL] = GLLM_N_MUL, [GLLM_S_FDIV] = GLLM_N_DIV, [GLLM_S_FSQRT] = GLLM_N_SQRT,
		[GLLM_S_FNEG] = GLLM_N_NEG, [GLLM_S_FABS] = GLLM_N_ABS, [GLLM_S_FRINT] = GLLM_N_RINT,
	};
	struct canon *c = &l->c;
	const struct raw *x = &l->s->raw[raw];
	const uint16_t a = get(l, x->a, loop), b = get(l, x->b, loop);
	if (x->op >= GLLM_S_FADD && x->op <= GLLM_S_FNMS && x->w != 32)
		return POISON;
	switch (x->op) {
	case RAW_CONST: return gllm_canon_const(c, GLLM_I64, (uint64_t)x->imm);
	case RAW_PARAM: return parameter(l, x);
	case RAW_PHI: return phi_value(l, raw);
	case RAW_COND: l->condition[raw] = condition(l, raw, loop); return POISON;
	case GLLM_S_LOAD: return load(l, raw, loop);
	case GLLM_S_STORE: store(l, raw, loop); return POISON;
	case GLLM_S_ADD: case GLLM_S_SUB: case GLLM_S_MUL: case GLLM_S_AND: case GLLM_S_OR: case GLLM_S_XOR: case GLLM_S_SHL:
	case GLLM_S_SHR: case GLLM_S_SAR:
		return gllm_canon_int(c, node[x->op], x->w, a, b);
	case GLLM_S_NEG: return gllm_canon_int(c, GLLM_N_SUB, x->w, gllm_canon_const(c, GLLM_I64, 0), a);
	case GLLM_S_NOT: return gllm_canon_int(c, GLLM_N_XOR, x->w, a, gllm_canon_const(c, GLLM_I64, ~UINT64_C(0)));
	case GLLM_S_ZEXT: return gllm_canon_zext(c, a, x->w);
	case GLLM_S_SEXT: return gllm_canon_sext(c, a, x->scale, x->w);
	case GLLM_S_FADD: case GLLM_S_FSUB: return gllm_canon_sum(c, x->op == GLLM_S_FSUB, a, b);
	case GLLM_S_FMUL: case GLLM_S_FDIV: return gllm_canon_product(c, node[x->op], a, b);
	case GLLM_S_FMIN: case GLLM_S_FMAX:
		return gllm_canon_select(c, gllm_canon_fcmp(c, a, b, x->op == GLLM_S_FMIN ? OUT_LESS : OUT_GREATER),
		                         gllm_canon_as(c, a, GLLM_F32), gllm_canon_as(c, b, GLLM_F32));
	case GLLM_S_FMINN: case GLLM_S_FMINNM: return min_max(l, false, x->op == GLLM_S_FMINNM, a, b);
	case GLLM_S_FMAXN: case GLLM_S_FMAXNM: return min_max(l, true, x->op == GLLM_S_FMAXNM, a, b);
	case GLLM_S_FRINT:
		if (x->imm != 0)
			return POISON;
		/* fall through */
	case GLLM_S_FSQRT: case GLLM_S_FNEG: case GLLM_S_FABS: return gllm_canon_float(c, node[x->op], a, VAL_NONE, VAL_NONE);
	case GLLM_S_FMA: case GLLM_S_FMS: case GLLM_S_FNMA: case GLLM_S_FNMS: return fused(c, x, a, b, get(l, x->c, loop));
	case GLLM_S_I2F: case GLLM_S_U2F: case GLLM_S_F2I: case GLLM_S_F2IN: case GLLM_S_F2F: return convert(l, x, a);
	case RAW_PRIM: return primitive(l, x, a, b, get(l, x->c, loop));
	case GLLM_S_SELECT: {
		bool whole = x->w == 64;
		return choose(l, l->condition[x->c], whole ? a : gllm_canon_zext(c, a, x->w), whole ? b : gllm_canon_zext(c, b, x->w));
	}
	case GLLM_S_BLEND: {
		uint16_t sign = x->w == 32 ? gllm_canon_zext(c, get(l, x->c, loop), 32) : POISON, zero = gllm_canon_const(c, GLLM_I64, 0);
		if (sign == POISON)
			return POISON;
		return choose(l, gllm_canon_icmp(c, sign, zero, 32, GLLM_CC_SNEG), gllm_canon_zext(c, a, 32), gllm_canon_zext(c, b, 32));
	}
	case GLLM_S_SETCC:
		return gllm_canon_select(c, l->condition[x->c], gllm_canon_const(c, GLLM_I32, 1), gllm_canon_const(c, GLLM_I32, 0));
	case GLLM_S_FMASK:
		if (x->w != 32)
			return POISON;
		return gllm_canon_select(c, gllm_canon_fcmp(c, a, b, gllm_canon_truth(x->fcc)), gllm_canon_const(c, GLLM_I32, 0xffffffff),
		                         gllm_canon_const(c, GLLM_I32, 0));
	default: return POISON;
	}
}

/* ---- trip counts ----------------------------------------------------------------------------------------------- */

static bool has_store(const struct lifting *l, uint16_t from, uint16_t to) /* blocks [from, to) */
{
	for (unsigned i = 0; i < l->nstores; i++)
		if (l->store[i].block >= from && l->store[i].block < to)
			return true;
	return false;
}

/* The first iteration at whose test the loop is left. */
static bool first_exit(struct lifting *l, int loop, uint16_t *first, bool *exact)
{
	struct polys *ps = &l->c.p;
	const struct flow_loop *x = &l->f->loop[loop];
	const struct flow_block *e = &l->f->block[x->exit];
	unsigned iv = GLLM_SYM_LOOP + (unsigned)loop;
	cond_t c = l->branch[x->exit];
	const struct val *v = &l->c.v[cond_value(c)];
	if (v->op != VAL_PCOND || e->nsucc != 2)
		return false;
	bool stays = (e->succ[1] != x->target) != (c & 1); /* the loop goes on when the condition on v->imm has this outcome */
	uint16_t slope, rest;
	if (!gllm_poly_linear(ps, (uint16_t)v->imm, iv, &slope, &rest))
		return false;
	uint16_t minus = gllm_poly_add(ps, 0, rest, -1);
	*exact = v->aux == 0;
	if (*exact) /* leaves when slope * iv + rest is 0 */
		return !stays && gllm_poly_divide(ps, minus, slope, first);
	int64_t k;
	if (!gllm_poly_is_constant(ps, slope, &k))
		return false;
	if (!stays) { /* goes on while p <= 0, that is 1 - p >= 1 */
		rest = gllm_poly_plus(ps, gllm_poly_add(ps, 0, rest, -1), 1);
		k = -k;
	}
	/* goes on while rest + k * iv >= 1, k < 0: leaves at ceil(rest / -k) */
	int64_t r;
	if (k >= 0 || k == INT64_MIN)
		return false;
	if (gllm_poly_is_constant(ps, rest, &r)) {
		*first = gllm_poly_constant(ps, r <= 0 ? 0 : (r - k - 1) / -k);
		return true;
	}
	return gllm_poly_divide(ps, rest, gllm_poly_constant(ps, -k), first);
}

static bool is_last_work(const struct lifting *l, const struct flow_loop *x)
{
	for (unsigned b = x->exit + 1u; b < x->end; b++)
		if (l->f->block[b].n)
			return false;
	return true;
}

static void finish_loop(struct lifting *l, int loop)
{
	const struct flow_loop *x = &l->f->loop[loop];
	struct loop_facts *facts = &l->loop[loop];
	struct polys *ps = &l->c.p;
	uint16_t first, at = block_raw(l, x->exit);
	bool exact, before = has_store(l, x->header, (uint16_t)(x->exit + 1)), after = has_store(l, (uint16_t)(x->exit + 1), x->end);
	if (!facts->alive)
		return;
	if (before && after) {
		gllm_lift_refuse(l, "a loop that stores both before and after its test", at);
		return;
	}
	facts->bottom = before || (!after && is_last_work(l, x));
	if (!runs_in(l, loop, x->exit, loop) || !first_exit(l, loop, &first, &exact)) {
		gllm_lift_refuse(l, "a loop whose number of iterations is not a polynomial of dims", at);
		return;
	}
	facts->trip = facts->bottom ? gllm_poly_plus(ps, first, 1) : first;
	bool sound = !facts->bottom && !exact ? true : facts->bottom ? known_positive(l, x->header, facts->trip)
	             : gllm_poly_range(ps, first).low >= 0 || known_positive(l, x->header, gllm_poly_plus(ps, first, 1));
	if (!sound) {
		gllm_lift_refuse(l, "a loop that may run once where its count says 0 times", at);
		return;
	}
	facts->known = true;
	facts->negative = gllm_poly_range(ps, facts->trip).low < 0 &&
	                  !known_positive(l, x->header, gllm_poly_plus(ps, facts->trip, 1));
	struct poly_range r = gllm_poly_range(ps, facts->trip);
	ps->greatest[loop] = r.high == INT64_MAX ? INT64_MAX : r.high > 0 ? r.high - 1 : 0;
	for (unsigned i = 0; i < l->ncarries; i++)
		if (l->carry[i].loop == loop)
			l->c.v[l->carry[i].value].b = gllm_canon_as(&l->c, get(l, l->carry[i].back, loop), l->c.v[l->carry[i].value].type);
	forget_memory(l);
}

/* ---- stores in both arms --------------------------------------------------------------------------------------- */

/* Compilers copy a store into each arm of a branch. Stores of one access that together run always become one, of the
 * selected value, at the place of the last. */
static void merge_stores(struct lifting *l, unsigned first)
{
	uint16_t target[FLOW_BLOCKS], v;
	const struct effect s = l->store[first];
	int level = block_loop(l, s.block);
	unsigned last = first, n = 0;
	for (unsigned i = 0; i < l->f->nblocks; i++)
		target[i] = ABSENT;
	for (unsigned i = first; i < l->nstores; i++) {
		const struct effect *o = &l->store[i];
		bool same = !o->dead && o->access == s.access && block_loop(l, o->block) == level;
		if (same && target[o->block] == ABSENT) {
			target[o->block] = o->value;
			last = i;
			n++;
		}
	}
	for (unsigned i = first; i < last; i++)
		if (!l->store[i].dead && l->store[i].access != s.access &&
		    l->c.access[l->store[i].access].param == l->c.access[s.access].param)
			return;
	if (n < 2 || !covers(l, level, target, &v) || v == POISON)
		return;
	for (unsigned i = 0; i < l->nloads; i++)
		if (l->c.access[l->load[i].access].param == l->c.access[s.access].param && l->load[i].raw > s.raw &&
		    l->load[i].raw < l->store[last].raw)
			return;
	int outer = level < 0 ? -1 : level;
	if (outer >= 0 && !gllm_always_runs(l, l->f->loop[outer].header))
		return;
	for (unsigned i = first; i < last; i++)
		if (l->store[i].access == s.access && block_loop(l, l->store[i].block) == level)
			l->store[i].dead = true;
	l->store[last].value = v;
	l->store[last].block = level < 0 ? 0 : l->f->loop[level].header;
}

static void settle_stores(struct lifting *l)
{
	for (unsigned i = 0; i < l->nstores && !l->status; i++) {
		struct effect *s = &l->store[i];
		if (!s->dead && !gllm_always_runs(l, s->block))
			merge_stores(l, i);
		if (!s->dead && !gllm_always_runs(l, s->block))
			gllm_lift_refuse(l, "a store that only sometimes runs", s->raw);
		if (!s->dead && s->value == POISON)
			gllm_lift_refuse(l, "a store of a value that is not understood", s->raw);
	}
}

static void settle_duties(struct lifting *l)
{
	for (unsigned i = 0; i < l->c.nduties && !l->status; i++) {
		const struct duty *d = &l->c.duty[i];
		struct poly_range r = gllm_poly_range(&l->c.p, d->poly);
		if (r.low < d->low || r.high > d->high)
			l->status = gllm_fail(l->error, GLLM_NOT_LIFTED, "32-bit arithmetic that may wrap", NULL, 0, 0, 0);
	}
}

/* ---- the walk -------------------------------------------------------------------------------------------------- */

/* Marks and lists what stores and branches need. Operands have lower numbers than what is made of them, but for what comes
 * around a loop to a PHI: from there it goes back up, once for all PHIs of a header. Returns where the list begins. Many
 * constants are dead, little else is: what has no operands is passed without asking, so that it can be predicted. */
static const uint16_t *list_live(struct lifting *l)
{
	const struct sym *s = l->s;
	const uint16_t *const same = s->same;
	uint8_t *const live = l->live;
	uint16_t *first = l->ordered + s->n;
	unsigned up = 0;
	__builtin_memset(live, 0, s->n);
	for (unsigned i = 0; i < s->nstores; i++)
		live[s->store[i]] = 1;
	for (unsigned b = 0; b < l->f->nblocks; b++)
		live[same[s->cond[b]]] = 1;
	*first = RAW_VALUES;
	for (unsigned i = s->n; i-- > 1; ) {
		const struct raw *x = &s->raw[i];
		const bool yes = live[i];
		first[-1] = (uint16_t)i;
		first -= yes;
		if (yes | !x->a)
			live[same[x->a]] = live[same[x->b]] = live[same[x->c]] = 1;
		if (x->op != RAW_PHI)
			continue;
		const uint16_t *input = &s->input[x->imm], *end = input + (yes ? l->f->block[x->block].npreds : 0);
		for (; input < end; input++) {
			uint16_t v = same[*input];
			up = v > i && v > up && !live[v] ? v : up;
			live[v] = 1;
		}
		if (up && s->raw[i - 1].op != RAW_PHI) {
			while (*first <= up)
				first++;
			i = up + 1;
			up = 0;
		}
	}
	return first;
}

static bool edge_open(const struct lifting *l, uint16_t from, uint16_t to)
{
	const struct flow_block *b = &l->f->block[from];
	cond_t c = l->branch[from];
	if (!l->alive[from])
		return false;
	if (b->nsucc != 2 || (c != COND_TRUE && c != COND_FALSE))
		return true;
	return b->succ[c == COND_TRUE ? 1 : 0] == to;
}

static void enter_block(struct lifting *l, uint16_t b)
{
	const struct flow_block *x = &l->f->block[b];
	unsigned preds = x->header ? 1 : x->npreds;
	l->alive[b] = b == 0;
	for (unsigned p = 0; p < preds; p++)
		l->alive[b] = l->alive[b] || edge_open(l, l->f->pred[x->pred + p], b);
	l->branch[b] = COND_POISON;
	if (x->header) {
		l->loop[x->loop] = (struct loop_facts){ .alive = l->alive[b] };
		l->c.p.greatest[x->loop] = INT64_MAX;
		forget_memory(l);
	} else if (x->npreds != 1 || l->f->pred[x->pred] + 1 != b) { /* another arm's stores lie in between */
		for (unsigned p = 0; p < l->nparams; p++)
			l->forward[p].access = VAL_NONE;
	}
}

/* Evaluates the live values of a block; returns the first behind it. */
static const uint16_t *walk_block(struct lifting *l, uint16_t b, const uint16_t *raw)
{
	const int loop = block_loop(l, b);
	const uint16_t end = l->s->first[b + 1];
	for (; *raw < end; raw++) {
		if (!l->alive[b] || l->value[*raw] != VAL_NONE)
			continue;
		l->value[*raw] = evaluate(l, *raw, loop);
		if (l->status)
			break;
	}
	if (l->s->cond[b] && l->alive[b])
		l->branch[b] = l->condition[l->s->cond[b]];
	return raw;
}

static void walk_blocks(struct lifting *l)
{
	const uint16_t *raw = list_live(l);
	for (uint16_t b = 0; b < l->f->nblocks && !l->status; b++) {
		enter_block(l, b);
		raw = walk_block(l, b, raw);
		for (int k = block_loop(l, b); k >= 0 && l->f->loop[k].end == b + 1 && !l->status; k = l->f->loop[k].parent)
			finish_loop(l, k);
	}
}

enum gllm_status gllm_loops_run(struct lifting *l, struct sym *s, const struct gllm_param *param, unsigned nparams,
                                struct gllm_error *e)
{
	l->f = s->f;
	l->s = s;
	l->param = param;
	l->nparams = nparams;
	l->error = e;
	l->status = GLLM_OK;
	l->ncarries = l->nstores = l->nloads = 0;
	l->versions = 0;
	gllm_canon_init(&l->c);
	_Static_assert(VAL_NONE == 0xffff && COND_POISON == 0, "what the bytes make");
	__builtin_memset(l->runs, UNASKED, s->f->nblocks);
	__builtin_memset(l->value, 0xff, s->n * sizeof *l->value);
	__builtin_memset(l->condition, 0, s->n * sizeof *l->condition);
	l->value[0] = POISON; /* the undefined one */
	l->around[0] = 1;
	for (unsigned i = 0; i < s->f->nloops; i++)
		l->around[i + 1] = l->around[s->f->loop[i].parent + 1] | UINT64_C(2) << i;
	for (unsigned i = 0; i < nparams; i++)
		l->version[i] = 0;
	forget_memory(l);
	walk_blocks(l);
	if (!l->status)
		settle_stores(l);
	if (!l->status)
		settle_duties(l);
	if (!l->status && l->c.full)
		l->status = gllm_fail(e, GLLM_NOT_LIFTED, "too many values", NULL, 0, 0, 0);
	return l->status;
}
