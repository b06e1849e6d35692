/* SPDX-License-Identifier: MIT
 * jit/pairs.c - see pairs.h. */
#include "jit/pairs.h"
#include "core/bits.h"
#include "jit/trace.h"

enum { BYTES = 2, MOST_PER_NODE = 8 }; /* of an element; new nodes for an old one */

struct pairer {
	const struct gllm_trace *t;
	uint32_t loops;            /* those that are rewritten */
	struct gllm_node *node;    unsigned nnodes;
	struct gllm_access *access; unsigned naccesses;
	struct gllm_term *term;    unsigned nterms;
	struct gllm_loop *loop;
	gllm_ref *map;
};

/* --- which loops ------------------------------------------------------------------------------------------------------ */

static const struct gllm_term *only_term(const struct gllm_trace *t, struct gllm_poly p)
{
	return p.count == 1 && t->term[p.first].sym[0] == 0 ? &t->term[p.first] : NULL;
}

/* Bytes that an access moves per iteration of `loop`; 0 if it does not, or not by a fixed number. */
static int64_t step_of(const struct gllm_trace *t, const struct gllm_access *a, int loop)
{
	int64_t step = 0;
	for (unsigned i = 0; i < a->offset.count; i++) {
		const struct gllm_term *x = &t->term[a->offset.first + i];
		for (unsigned k = 0; k < GLLM_TERM_SYMS; k++)
			if (x->sym[k] == GLLM_SYM_LOOP + loop) {
				if (k != 0 || x->sym[1] != 0)
					return 0;
				step = x->coef;
			}
	}
	return step;
}

/* A widened element of the loop. */
static bool is_half(const struct gllm_trace *t, gllm_ref n, int loop)
{
	const struct gllm_node *x = &t->node[n], *from = x->op == GLLM_N_CVT ? &t->node[x->a] : x;
	if (x->op != GLLM_N_CVT || x->type != GLLM_F32 || from->op != GLLM_N_LOAD || from->type != GLLM_BF16 || from->loop != loop)
		return false;
	const struct gllm_access *a = &t->access[from->imm];
	return a->param < t->nparams && a->index == GLLM_NO_NODE && step_of(t, a, loop) != 0;
}

/* Is node n of the loop part of a sum of products of halves? */
static bool serves_sum(const struct gllm_trace *t, gllm_ref n, int loop)
{
	const struct gllm_node *x = &t->node[n];
	for (unsigned i = 0; i < t->nreductions; i++) {
		const struct gllm_reduction *r = &t->reduction[i];
		if (r->loop != loop || r->kind != GLLM_REDUCE_SUM || r->value == GLLM_NO_NODE)
			continue;
		const struct gllm_node *v = &t->node[r->value], *sum = &t->node[t->node[r->carry].b];
		bool adds = sum->op == GLLM_N_ADD && sum->type == GLLM_F32 && (sum->a == r->value || sum->b == r->value);
		if (!adds || v->op != GLLM_N_MUL || v->loop != loop || !is_half(t, v->a, loop) || !is_half(t, v->b, loop))
			continue;
		if (n == r->carry || n == r->value || n == t->node[r->carry].b || n == v->a || n == v->b || n == t->node[v->a].a ||
		    n == t->node[v->b].a)
			return true;
	}
	return x->op == GLLM_N_CONST;
}

static bool fits(const struct gllm_trace *t, int loop)
{
	const struct gllm_term *trip = only_term(t, t->loop[loop].trip);
	bool sums = false;
	if (!trip || trip->coef < 2 || trip->coef % 2 != 0)
		return false;
	for (gllm_ref i = t->loop[loop].first; i < t->loop[loop].end; i++) {
		if (t->node[i].loop != loop || !serves_sum(t, i, loop))
			return false;
		sums = sums || t->node[i].op == GLLM_N_CARRY;
	}
	return sums;
}

/* --- writing ---------------------------------------------------------------------------------------------------------- */

static gllm_ref append(struct pairer *r, enum gllm_node_op op, enum gllm_type type, int8_t loop, gllm_ref a, gllm_ref b, uint64_t imm)
{
	r->node[r->nnodes] = (struct gllm_node){ .op = (uint8_t)op, .type = (uint8_t)type, .loop = loop, .a = a, .b = b,
	                                         .c = GLLM_NO_NODE, .imm = imm };
	return (gllm_ref)r->nnodes++;
}

/* A load of `type` at the first or second element of each pair. */
static gllm_ref load(struct pairer *r, const struct gllm_node *old, enum gllm_type type, bool second)
{
	const struct gllm_access *from = &r->t->access[old->imm];
	struct gllm_access *a = &r->access[r->naccesses];
	int64_t step = step_of(r->t, from, old->loop);
	unsigned first = r->nterms;
	*a = *from;
	a->type = (uint8_t)type;
	r->term[r->nterms++] = (struct gllm_term){ .coef = second ? step : 0 };
	for (unsigned i = 0; i < from->offset.count; i++) {
		struct gllm_term x = r->t->term[from->offset.first + i];
		if (x.sym[0] == 0) {
			r->term[first].coef += x.coef;
			continue;
		}
		if (x.sym[0] == GLLM_SYM_LOOP + old->loop)
			x.coef *= 2;
		r->term[r->nterms++] = x;
	}
	bool zero = r->term[first].coef == 0; /* no term of a polynomial is */
	a->offset = (struct gllm_poly){ (uint16_t)(first + zero), (uint16_t)(r->nterms - first - zero) };
	return append(r, GLLM_N_LOAD, type, old->loop, GLLM_NO_NODE, GLLM_NO_NODE, r->naccesses++);
}

static gllm_ref pair(struct pairer *r, const struct gllm_node *old)
{
	int8_t loop = old->loop;
	if (step_of(r->t, &r->t->access[old->imm], loop) == BYTES)
		return load(r, old, GLLM_F32, false);
	gllm_ref low = load(r, old, GLLM_U16, false), high = load(r, old, GLLM_U16, true);
	low = append(r, GLLM_N_CVT, GLLM_I32, loop, low, GLLM_NO_NODE, 0);
	high = append(r, GLLM_N_CVT, GLLM_I32, loop, high, GLLM_NO_NODE, 0);
	gllm_ref by = append(r, GLLM_N_CONST, GLLM_I32, loop, GLLM_NO_NODE, GLLM_NO_NODE, 8 * BYTES);
	high = append(r, GLLM_N_SHL, GLLM_I32, loop, high, by, 0);
	gllm_ref both = append(r, GLLM_N_OR, GLLM_I32, loop, low, high, 0);
	return append(r, GLLM_N_BITS, GLLM_F32, loop, both, GLLM_NO_NODE, 0);
}

static gllm_ref mapped(const struct pairer *r, gllm_ref n)
{
	return n == GLLM_NO_NODE ? n : r->map[n];
}

/* CARRY's second operand is a later node: mapped when all are there. */
static gllm_ref copy_node(struct pairer *r, unsigned i)
{
	struct gllm_node n = r->t->node[i];
	bool rewritten = n.loop >= 0 && (r->loops >> n.loop & 1);
	if (rewritten && n.op == GLLM_N_LOAD)
		return pair(r, &n);
	if (rewritten && n.op == GLLM_N_CVT)
		return mapped(r, n.a);
	if (rewritten && n.op == GLLM_N_MUL)
		n.op = GLLM_N_DOT2;
	n.a = mapped(r, n.a);
	n.b = n.op == GLLM_N_CARRY ? n.b : mapped(r, n.b);
	n.c = mapped(r, n.c);
	r->node[r->nnodes] = n;
	return (gllm_ref)r->nnodes++;
}

static void copy_nodes(struct pairer *r)
{
	const struct gllm_trace *t = r->t;
	for (unsigned i = 0; i <= t->nnodes; i++) {
		for (unsigned l = 0; l < t->nloops; l++) {
			if (t->loop[l].first == i)
				r->loop[l].first = (gllm_ref)r->nnodes;
			if (t->loop[l].end == i)
				r->loop[l].end = (gllm_ref)r->nnodes;
		}
		if (i < t->nnodes)
			r->map[i] = copy_node(r, i);
	}
	for (unsigned i = 0; i < r->nnodes; i++)
		if (r->node[i].op == GLLM_N_CARRY)
			r->node[i].b = r->map[r->node[i].b];
	for (unsigned i = 0; i < t->naccesses; i++)
		r->access[i].index = mapped(r, r->access[i].index);
}

static void copy_loops(struct pairer *r)
{
	const struct gllm_trace *t = r->t;
	for (unsigned l = 0; l < t->nloops; l++) {
		r->loop[l] = t->loop[l];
		if (!(r->loops >> l & 1))
			continue;
		r->loop[l].trip.first = (uint16_t)r->nterms;
		r->term[r->nterms] = t->term[t->loop[l].trip.first];
		r->term[r->nterms++].coef /= 2;
	}
}

static bool allocate(struct pairer *r, struct gllm_arena *arena)
{
	const struct gllm_trace *t = r->t;
	unsigned terms = t->nterms + t->nloops;
	for (unsigned i = 0; i < t->naccesses; i++)
		terms += 2 * (t->access[i].offset.count + 1u);
	r->node = gllm_alloc_array(arena, MOST_PER_NODE * t->nnodes + 1u, sizeof *r->node, 8);
	r->access = gllm_alloc_array(arena, t->naccesses + 2u * t->nnodes, sizeof *r->access, 8);
	r->term = gllm_alloc_array(arena, terms + 2u * t->nnodes * (GLLM_TRACE_LOOPS + 1), sizeof *r->term, 8);
	r->loop = gllm_alloc_array(arena, t->nloops, sizeof *r->loop, 8);
	r->map = gllm_alloc_array(arena, t->nnodes + 1u, sizeof *r->map, 8);
	return r->node && r->access && r->term && r->loop && r->map;
}

/* The trace with all such loops rewritten, or `c` itself if it has none. NULL: the arena is too small. */
static const struct gllm_composed *paired(const struct gllm_composed *c, struct gllm_arena *arena)
{
	const struct gllm_trace *t = &c->trace;
	struct pairer r = { .t = t };
	for (unsigned l = 0; l < t->nloops; l++)
		r.loops |= (uint32_t)fits(t, (int)l) << l;
	if (!r.loops)
		return c;
	struct gllm_composed *out = gllm_alloc(arena, sizeof *out, 8);
	struct gllm_reduction *reduction = gllm_alloc_array(arena, t->nreductions, sizeof *reduction, 8);
	if (!out || !reduction || !allocate(&r, arena))
		return NULL;
	for (unsigned i = 0; i < t->nterms; i++)
		r.term[r.nterms++] = t->term[i];
	for (unsigned i = 0; i < t->naccesses; i++)
		r.access[r.naccesses++] = t->access[i];
	copy_loops(&r);
	copy_nodes(&r);
	for (unsigned i = 0; i < t->nreductions; i++) {
		reduction[i] = t->reduction[i];
		reduction[i].carry = mapped(&r, reduction[i].carry);
		reduction[i].pair = mapped(&r, reduction[i].pair);
		reduction[i].value = mapped(&r, reduction[i].value);
	}
	*out = *c;
	out->trace.node = r.node;
	out->trace.nnodes = r.nnodes;
	out->trace.access = r.access;
	out->trace.naccesses = r.naccesses;
	out->trace.term = r.term;
	out->trace.nterms = r.nterms;
	out->trace.loop = r.loop;
	out->trace.reduction = reduction;
	out->trace.hash = gllm_trace_hash(&out->trace);
	return out;
}

enum gllm_status gllm_pair_products(struct gllm_fusion *f, struct gllm_arena *arena)
{
	for (unsigned g = 0; g < f->ngroups; g++)
		for (unsigned i = 0; i < f->group[g].nparts; i++) {
			struct gllm_part *part = &f->group[g].part[i];
			part->code = paired(part->code, arena);
			if (!part->code)
				return GLLM_OUT_OF_MEMORY;
		}
	return GLLM_OK;
}
