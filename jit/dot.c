/* SPDX-License-Identifier: MIT
 * jit/dot.c - see dot.h. */
#include "jit/dot.h"
#include "core/bits.h"
#include "core/vir.h"
#include "jit/trace.h"

enum { WORD = 4, MOST_PER_NODE = 20 }; /* bytes; new nodes for an old one */

struct writer {
	const struct gllm_trace *t;
	unsigned dots;
	uint8_t elements[GLLM_TRACE_LOOPS]; /* in a word of each loop that is rewritten, else 0 */
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

/* Type of the elements if node n is a widened one of the loop, else TYPE_COUNT. */
static enum gllm_type element_of(const struct gllm_trace *t, gllm_ref n, int loop)
{
	const struct gllm_node *x = &t->node[n], *from = x->op == GLLM_N_CVT ? &t->node[x->a] : x;
	bool widened = x->op == GLLM_N_CVT && from->op == GLLM_N_LOAD && from->loop == loop;
	bool half = from->type == GLLM_BF16 && x->type == GLLM_F32;
	bool byte = (from->type == GLLM_I8 || from->type == GLLM_U8) && x->type == GLLM_I32;
	if (!widened || (!half && !byte))
		return GLLM_TYPE_COUNT;
	const struct gllm_access *a = &t->access[from->imm];
	bool plain = a->param < t->nparams && a->index == GLLM_NO_NODE && step_of(t, a, loop) != 0;
	return plain ? (enum gllm_type)from->type : GLLM_TYPE_COUNT;
}

/* Element types of a product's factors as DOT names them; 0 if it is none that the machine multiplies. */
static unsigned types_of(const struct gllm_trace *t, gllm_ref n, int loop, unsigned dots)
{
	const struct gllm_node *v = &t->node[n];
	if (v->op != GLLM_N_MUL || v->loop != loop)
		return 0;
	unsigned a = element_of(t, v->a, loop), b = element_of(t, v->b, loop);
	if (a == GLLM_I8 && b == GLLM_U8)
		a = GLLM_U8, b = GLLM_I8;
	return a < GLLM_TYPE_COUNT && b < GLLM_TYPE_COUNT && (dots & gllm_dot_of(a, b)) ? a | b << 8 : 0;
}

/* Elements in the words of a sum whose part node n of the loop is; 0: of none that the machine makes at once. */
static unsigned serves_sum(const struct gllm_trace *t, gllm_ref n, int loop, unsigned dots)
{
	for (unsigned i = 0; i < t->nreductions; i++) {
		const struct gllm_reduction *r = &t->reduction[i];
		if (r->loop != loop || r->kind != GLLM_REDUCE_SUM || r->value == GLLM_NO_NODE)
			continue;
		unsigned types = types_of(t, r->value, loop, dots);
		const struct gllm_node *v = &t->node[r->value], *sum = &t->node[t->node[r->carry].b];
		if (!types || sum->op != GLLM_N_ADD || sum->type != v->type || (sum->a != r->value && sum->b != r->value))
			continue;
		if (n == r->carry || n == r->value || n == t->node[r->carry].b || n == v->a || n == v->b || n == t->node[v->a].a ||
		    n == t->node[v->b].a)
			return WORD / gllm_type_bytes((enum gllm_type)(types & 255));
	}
	return 0;
}

/* Elements in the words that the loop may go by; 0: it stays as it is. */
static unsigned elements_of(const struct gllm_trace *t, int loop, unsigned dots)
{
	const struct gllm_term *trip = only_term(t, t->loop[loop].trip);
	unsigned most = 0;
	for (gllm_ref i = t->loop[loop].first; trip && i < t->loop[loop].end; i++) {
		unsigned n = t->node[i].loop == loop ? serves_sum(t, i, loop, dots) : 0;
		if (n == 0 || (most && n != most))
			return 0;
		most = n;
	}
	return most && trip->coef > 0 && trip->coef % most == 0 ? most : 0;
}

/* --- writing ---------------------------------------------------------------------------------------------------------- */

static gllm_ref append(struct writer *r, enum gllm_node_op op, enum gllm_type type, int8_t loop, gllm_ref a, gllm_ref b, uint64_t imm)
{
	r->node[r->nnodes] = (struct gllm_node){ .op = (uint8_t)op, .type = (uint8_t)type, .loop = loop, .a = a, .b = b,
	                                         .c = GLLM_NO_NODE, .imm = imm };
	return (gllm_ref)r->nnodes++;
}

/* A load of `type` at element `k` of each word. */
static gllm_ref load(struct writer *r, const struct gllm_node *old, enum gllm_type type, unsigned k)
{
	const struct gllm_access *from = &r->t->access[old->imm];
	struct gllm_access *a = &r->access[r->naccesses];
	unsigned first = r->nterms;
	*a = *from;
	a->type = (uint8_t)type;
	r->term[r->nterms++] = (struct gllm_term){ .coef = k * step_of(r->t, from, old->loop) };
	for (unsigned i = 0; i < from->offset.count; i++) {
		struct gllm_term x = r->t->term[from->offset.first + i];
		if (x.sym[0] == 0) {
			r->term[first].coef += x.coef;
			continue;
		}
		if (x.sym[0] == GLLM_SYM_LOOP + old->loop)
			x.coef *= r->elements[old->loop];
		r->term[r->nterms++] = x;
	}
	bool zero = r->term[first].coef == 0; /* no term of a polynomial is */
	a->offset = (struct gllm_poly){ (uint16_t)(first + zero), (uint16_t)(r->nterms - first - zero) };
	return append(r, GLLM_N_LOAD, type, old->loop, GLLM_NO_NODE, GLLM_NO_NODE, r->naccesses++);
}

/* The word of elements that begins with what `old` loads, the first one lowest. */
static gllm_ref word(struct writer *r, const struct gllm_node *old)
{
	int8_t loop = old->loop;
	unsigned bytes = WORD / r->elements[loop];
	if (step_of(r->t, &r->t->access[old->imm], loop) == bytes)
		return load(r, old, GLLM_F32, 0);
	gllm_ref all = GLLM_NO_NODE;
	for (unsigned k = 0; k < r->elements[loop]; k++) {
		gllm_ref x = load(r, old, bytes == 1 ? GLLM_U8 : GLLM_U16, k);
		x = append(r, GLLM_N_CVT, GLLM_I32, loop, x, GLLM_NO_NODE, 0);
		if (k) {
			gllm_ref by = append(r, GLLM_N_CONST, GLLM_I32, loop, GLLM_NO_NODE, GLLM_NO_NODE, 8 * bytes * k);
			x = append(r, GLLM_N_SHL, GLLM_I32, loop, x, by, 0);
		}
		all = k ? append(r, GLLM_N_OR, GLLM_I32, loop, all, x, 0) : x;
	}
	return append(r, GLLM_N_BITS, GLLM_F32, loop, all, GLLM_NO_NODE, 0);
}

static gllm_ref mapped(const struct writer *r, gllm_ref n)
{
	return n == GLLM_NO_NODE ? n : r->map[n];
}

/* CARRY's second operand is a later node: mapped when all are there. */
static gllm_ref copy_node(struct writer *r, unsigned i)
{
	struct gllm_node n = r->t->node[i];
	bool rewritten = n.loop >= 0 && r->elements[n.loop];
	if (rewritten && n.op == GLLM_N_LOAD)
		return word(r, &n);
	if (rewritten && n.op == GLLM_N_CVT)
		return mapped(r, n.a);
	n.a = mapped(r, n.a);
	n.b = n.op == GLLM_N_CARRY ? n.b : mapped(r, n.b);
	n.c = mapped(r, n.c);
	if (rewritten && n.op == GLLM_N_MUL) {
		n.op = GLLM_N_DOT;
		n.imm = types_of(r->t, (gllm_ref)i, n.loop, r->dots);
		if ((n.imm & 255) != (unsigned)element_of(r->t, r->t->node[i].a, n.loop)) { /* DOT names the unsigned one first */
			gllm_ref a = n.a;
			n.a = n.b;
			n.b = a;
		}
	}
	r->node[r->nnodes] = n;
	return (gllm_ref)r->nnodes++;
}

static void copy_nodes(struct writer *r)
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

static void copy_loops(struct writer *r)
{
	const struct gllm_trace *t = r->t;
	for (unsigned l = 0; l < t->nloops; l++) {
		r->loop[l] = t->loop[l];
		if (!r->elements[l])
			continue;
		r->loop[l].trip.first = (uint16_t)r->nterms;
		r->term[r->nterms] = t->term[t->loop[l].trip.first];
		r->term[r->nterms++].coef /= r->elements[l];
	}
}

static bool allocate(struct writer *r, struct gllm_arena *arena)
{
	const struct gllm_trace *t = r->t;
	unsigned terms = t->nterms + t->nloops;
	for (unsigned i = 0; i < t->naccesses; i++)
		terms += WORD * (t->access[i].offset.count + 1u);
	r->node = gllm_alloc_array(arena, MOST_PER_NODE * t->nnodes + 1u, sizeof *r->node, 8);
	r->access = gllm_alloc_array(arena, t->naccesses + WORD * t->nnodes, sizeof *r->access, 8);
	r->term = gllm_alloc_array(arena, terms + WORD * t->nnodes * (GLLM_TRACE_LOOPS + 1), sizeof *r->term, 8);
	r->loop = gllm_alloc_array(arena, t->nloops, sizeof *r->loop, 8);
	r->map = gllm_alloc_array(arena, t->nnodes + 1u, sizeof *r->map, 8);
	return r->node && r->access && r->term && r->loop && r->map;
}

/* The trace with all such loops rewritten, or `c` itself if it has none. NULL: the arena is too small. */
static const struct gllm_composed *rewritten(const struct gllm_composed *c, unsigned dots, struct gllm_arena *arena)
{
	const struct gllm_trace *t = &c->trace;
	struct writer r = { .t = t, .dots = dots };
	bool any = false;
	for (unsigned l = 0; l < t->nloops; l++)
		any |= (r.elements[l] = (uint8_t)elements_of(t, (int)l, dots)) != 0;
	if (!any)
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

static bool reads_packed(const struct gllm_composed *c)
{
	for (unsigned i = 0; i < c->trace.nparams; i++)
		if (c->source[i].lanes)
			return true;
	return false;
}

enum gllm_status gllm_dot_products(struct gllm_fusion *f, unsigned dots, struct gllm_arena *arena)
{
	for (unsigned g = 0; g < f->ngroups; g++)
		for (unsigned i = 0; i < f->group[g].nparts; i++) {
			struct gllm_part *part = &f->group[g].part[i];
			if (reads_packed(part->code)) /* in panels k does not lie together */
				continue;
			part->code = rewritten(part->code, dots, arena);
			if (!part->code)
				return GLLM_OUT_OF_MEMORY;
		}
	return GLLM_OK;
}
