/* SPDX-License-Identifier: MIT
 * jit/compose.c - see compose.h. */
#include "jit/compose.h"
#include "core/bits.h"
#include "jit/trace.h"

enum { MAX_NODES = 2048, MAX_ACCESSES = 192, MAX_POLYS = 192, MAX_TERMS = 1536, MAX_REDUCTIONS = 32 };

/* A trace under construction. Keeps its first failure; the arrays lie in the arena it was begun with. */
struct builder {
	struct gllm_composed *out;
	struct gllm_node *node;
	struct gllm_loop *loop;
	struct gllm_access *access;
	struct gllm_poly *poly;
	struct gllm_term *term;
	struct gllm_reduction *reduction;
	unsigned nnodes, nloops, naccesses, npolys, nterms, nreductions, nparams;
	gllm_ref *map;        /* node of the trace being imported -> node here */
	enum gllm_status status;
};

/* How one trace's symbols read in the trace under construction. */
struct mapping {
	const struct gllm_trace *from;
	uint8_t param[GLLM_TRACE_PARAMS];
	bool fixed[GLLM_TRACE_PARAMS];      /* a DIM with the value `value` */
	int64_t value[GLLM_TRACE_PARAMS];
	int8_t loop[GLLM_TRACE_LOOPS];      /* -1: removed, its variable is 0 */
	int batch_loop;                     /* loop whose variable times stride is added to offsets; -1 none */
	const uint64_t *stride;
};

static void fail(struct builder *b, enum gllm_status s)
{
	if (b->status == GLLM_OK)
		b->status = s;
}

static void begin(struct builder *b, struct gllm_arena *arena, struct gllm_composed *out)
{
	*b = (struct builder){ .out = out };
	b->node = gllm_alloc_array(arena, MAX_NODES, sizeof *b->node, 8);
	b->loop = gllm_alloc_array(arena, GLLM_TRACE_LOOPS, sizeof *b->loop, 8);
	b->access = gllm_alloc_array(arena, MAX_ACCESSES, sizeof *b->access, 8);
	b->poly = gllm_alloc_array(arena, MAX_POLYS, sizeof *b->poly, 8);
	b->term = gllm_alloc_array(arena, MAX_TERMS, sizeof *b->term, 8);
	b->reduction = gllm_alloc_array(arena, MAX_REDUCTIONS, sizeof *b->reduction, 8);
	b->map = gllm_alloc_array(arena, MAX_NODES, sizeof *b->map, 8);
	if (!b->node || !b->loop || !b->access || !b->poly || !b->term || !b->reduction || !b->map)
		fail(b, GLLM_OUT_OF_MEMORY);
}

static enum gllm_status finish(struct builder *b, const char *name, unsigned depth, enum gllm_pattern pattern)
{
	struct gllm_composed *out = b->out;
	if (b->status != GLLM_OK)
		return b->status;
	out->depth = depth;
	out->how = (struct gllm_lower_options){ .dim = NULL };
	out->trace = (struct gllm_trace){
		.name = name, .param = out->param, .nparams = b->nparams, .node = b->node, .nnodes = b->nnodes,
		.loop = b->loop, .nloops = b->nloops, .access = b->access, .naccesses = b->naccesses,
		.poly = b->poly, .npolys = b->npolys, .term = b->term, .nterms = b->nterms,
		.reduction = b->reduction, .nreductions = b->nreductions, .pattern = pattern,
	};
	out->trace.hash = gllm_trace_hash(&out->trace);
	return GLLM_OK;
}

/* --- parameters ----------------------------------------------------------------------------------------------------- */

static bool same_source(const struct gllm_source *a, const struct gllm_source *b)
{
	if (a->kind != b->kind)
		return false;
	bool at = a->at.fixed == b->at.fixed && a->at.per_row == b->at.per_row && a->at.block == b->at.block &&
	          a->at.rest == b->at.rest;
	switch ((enum gllm_operand_source)a->kind) {
	case GLLM_FROM_TENSOR: case GLLM_FROM_SCRATCH: return a->tensor == b->tensor && at;
	case GLLM_FROM_SCALAR: return gllm_f32_bits(a->scalar) == gllm_f32_bits(b->scalar);
	case GLLM_FROM_ROWS: case GLLM_FROM_WORKER: return at;
	}
	return false;
}

/* The parameter that stands for `source`, added if there is none yet. Equal scalars and tensors share one. */
static uint8_t add_param(struct builder *b, const struct gllm_param *p, const struct gllm_source *source)
{
	struct gllm_composed *out = b->out;
	for (unsigned i = 0; i < b->nparams; i++) {
		if (same_source(&out->source[i], source) && out->param[i].type == p->type) {
			bool reads = out->param[i].kind == GLLM_IN || out->param[i].kind == GLLM_WEIGHT;
			if (reads && (p->kind == GLLM_OUT || p->kind == GLLM_INOUT))
				out->param[i].kind = GLLM_INOUT;
			return (uint8_t)i;
		}
	}
	if (b->nparams == GLLM_TRACE_PARAMS) {
		fail(b, GLLM_COMPILE_ERROR);
		return 0;
	}
	out->param[b->nparams] = *p;
	out->source[b->nparams] = *source;
	return (uint8_t)b->nparams++;
}

/* --- polynomials ---------------------------------------------------------------------------------------------------- */

static void sort_symbols(uint8_t sym[GLLM_TERM_SYMS])
{
	for (unsigned i = 1; i < GLLM_TERM_SYMS; i++)
		for (unsigned j = i; j > 0; j--) { /* ascending, unused zeros last */
			uint8_t a = sym[j - 1], c = sym[j];
			if (c == 0 || (a != 0 && a <= c))
				break;
			sym[j - 1] = c;
			sym[j] = a;
		}
}

static int compare_symbols(const uint8_t *a, const uint8_t *b)
{
	for (unsigned i = 0; i < GLLM_TERM_SYMS; i++)
		if (a[i] != b[i])
			return a[i] < b[i] ? -1 : 1;
	return 0;
}

/* Adds one term to the polynomial that is being built at the end of the term array, in order, merging equals. */
static void add_term(struct builder *b, struct gllm_poly *p, struct gllm_term t)
{
	sort_symbols(t.sym);
	unsigned at = 0;
	while (at < p->count && compare_symbols(b->term[p->first + at].sym, t.sym) < 0)
		at++;
	struct gllm_term *place = b->term + p->first + at;
	if (at < p->count && compare_symbols(place->sym, t.sym) == 0) {
		place->coef = (int64_t)((uint64_t)place->coef + (uint64_t)t.coef);
		if (place->coef == 0) {
			for (unsigned i = at; i + 1 < p->count; i++)
				b->term[p->first + i] = b->term[p->first + i + 1];
			p->count--;
			b->nterms--;
		}
		return;
	}
	if (t.coef == 0)
		return;
	if (b->nterms == MAX_TERMS) {
		fail(b, GLLM_COMPILE_ERROR);
		return;
	}
	for (unsigned i = p->count; i > at; i--)
		b->term[p->first + i] = b->term[p->first + i - 1];
	b->term[p->first + at] = t;
	p->count++;
	b->nterms++;
}

static struct gllm_poly import_poly(struct builder *b, const struct mapping *m, struct gllm_poly p)
{
	struct gllm_poly out = { .first = (uint16_t)b->nterms, .count = 0 };
	for (unsigned i = 0; i < p.count; i++) {
		const struct gllm_term *t = &m->from->term[p.first + i];
		struct gllm_term r = { .coef = t->coef };
		unsigned n = 0;
		for (unsigned j = 0; j < GLLM_TERM_SYMS && t->sym[j]; j++) {
			unsigned s = t->sym[j];
			if (s >= GLLM_SYM_LOOP) {
				int8_t loop = m->loop[s - GLLM_SYM_LOOP];
				if (loop < 0)
					r.coef = 0;
				else
					r.sym[n++] = (uint8_t)(GLLM_SYM_LOOP + loop);
			} else if (m->fixed[s - GLLM_SYM_PARAM]) {
				r.coef = (int64_t)((uint64_t)r.coef * (uint64_t)m->value[s - GLLM_SYM_PARAM]);
			} else {
				r.sym[n++] = (uint8_t)(GLLM_SYM_PARAM + m->param[s - GLLM_SYM_PARAM]);
			}
		}
		add_term(b, &out, r);
	}
	return out;
}

static bool equal_polys(const struct gllm_term *term, struct gllm_poly p, struct gllm_poly q)
{
	if (p.count != q.count)
		return false;
	for (unsigned i = 0; i < p.count; i++)
		if (term[p.first + i].coef != term[q.first + i].coef ||
		    compare_symbols(term[p.first + i].sym, term[q.first + i].sym) != 0)
			return false;
	return true;
}

/* --- nodes ---------------------------------------------------------------------------------------------------------- */

static gllm_ref mapped(const struct builder *b, gllm_ref r)
{
	return r == GLLM_NO_NODE ? GLLM_NO_NODE : b->map[r];
}

static uint64_t import_access(struct builder *b, const struct mapping *m, uint64_t index)
{
	const struct gllm_access *a = &m->from->access[index];
	struct gllm_access r = *a;
	r.param = m->param[a->param];
	r.index = mapped(b, a->index);
	r.offset = import_poly(b, m, a->offset);
	if (m->batch_loop >= 0 && m->stride[a->param])
		add_term(b, &r.offset, (struct gllm_term){ .coef = (int64_t)m->stride[a->param],
		                                           .sym = { (uint8_t)(GLLM_SYM_LOOP + m->batch_loop) } });
	for (unsigned i = 0; i < b->naccesses; i++) {
		const struct gllm_access *o = &b->access[i];
		if (o->param == r.param && o->type == r.type && o->index == r.index && o->index_bytes == r.index_bytes &&
		    equal_polys(b->term, o->offset, r.offset)) {
			b->nterms = r.offset.first;
			return i;
		}
	}
	if (b->naccesses == MAX_ACCESSES) {
		fail(b, GLLM_COMPILE_ERROR);
		return 0;
	}
	b->access[b->naccesses] = r;
	return b->naccesses++;
}

static gllm_ref append(struct builder *b, struct gllm_node n)
{
	if (b->nnodes == MAX_NODES) {
		fail(b, GLLM_COMPILE_ERROR);
		return 0;
	}
	b->node[b->nnodes] = n;
	return (gllm_ref)b->nnodes++;
}

/* Node `index` of m->from, its operands mapped, put into loop `loop`. The `b` of a CARRY is mapped by close_carries. */
static struct gllm_node translate(struct builder *b, const struct mapping *m, unsigned index, int8_t loop)
{
	struct gllm_node n = m->from->node[index];
	n.loop = loop;
	n.a = mapped(b, n.a);
	if (n.op != GLLM_N_CARRY)
		n.b = mapped(b, n.b);
	n.c = mapped(b, n.c);
	if (n.op == GLLM_N_LOAD || n.op == GLLM_N_STORE) {
		n.imm = import_access(b, m, n.imm);
	} else if (n.op == GLLM_N_SCALAR) {
		n.imm = m->param[n.imm];
	} else if (n.op == GLLM_N_INDEX) {
		struct gllm_poly p = import_poly(b, m, m->from->poly[n.imm]);
		if (b->npolys == MAX_POLYS)
			fail(b, GLLM_COMPILE_ERROR);
		else
			b->poly[b->npolys] = p, n.imm = b->npolys++;
	}
	return n;
}

static void import_reductions(struct builder *b, const struct mapping *m)
{
	for (unsigned i = 0; i < m->from->nreductions; i++) {
		struct gllm_reduction r = m->from->reduction[i];
		r.loop = m->loop[r.loop];
		r.carry = mapped(b, r.carry);
		r.pair = mapped(b, r.pair);
		r.value = mapped(b, r.value);
		if (b->nreductions == MAX_REDUCTIONS)
			fail(b, GLLM_COMPILE_ERROR);
		else
			b->reduction[b->nreductions++] = r;
	}
}

static void close_carries(struct builder *b, const struct mapping *m)
{
	for (unsigned i = 0; i < m->from->nnodes; i++)
		if (m->from->node[i].op == GLLM_N_CARRY)
			b->node[b->map[i]].b = mapped(b, m->from->node[i].b);
}

/* --- one operator --------------------------------------------------------------------------------------------------- */

static bool carries(const struct gllm_trace *t, unsigned loop)
{
	for (unsigned i = 0; i < t->nnodes; i++)
		if (t->node[i].op == GLLM_N_CARRY && t->node[i].loop == (int8_t)loop)
			return true;
	return false;
}

static bool is_one(const struct gllm_term *term, struct gllm_poly p)
{
	return p.count == 1 && term[p.first].coef == 1 && term[p.first].sym[0] == 0;
}

/* Nearest enclosing loop that survived, in the new numbering; `outer` if none did. */
static int8_t surviving(const struct mapping *m, int8_t loop, int8_t outer)
{
	while (loop >= 0 && m->loop[loop] < 0)
		loop = m->from->loop[loop].parent;
	return loop < 0 ? outer : m->loop[loop];
}

static void map_params(struct builder *b, struct mapping *m, const struct gllm_applied *a)
{
	for (unsigned i = 0; i < a->trace->nparams; i++) {
		const struct gllm_param *p = &a->trace->param[i];
		if (p->kind == GLLM_DIM && a->source[i].kind != GLLM_FROM_ROWS) {
			m->fixed[i] = true;
			m->value[i] = a->dim[i];
		} else {
			m->param[i] = add_param(b, p, &a->source[i]);
		}
	}
}

static int8_t add_batch_loop(struct builder *b, int64_t batch)
{
	static const struct gllm_param rows = { "rows", GLLM_DIM, GLLM_I64 };
	struct gllm_term trip = { .coef = batch };
	if (batch == 1)
		return -1;
	if (batch < 0) {
		struct gllm_source source = { .kind = GLLM_FROM_ROWS, .at = GLLM_ALL_ROWS };
		trip = (struct gllm_term){ .coef = 1, .sym = { (uint8_t)(GLLM_SYM_PARAM + add_param(b, &rows, &source)) } };
	}
	struct gllm_loop *l = &b->loop[b->nloops];
	*l = (struct gllm_loop){ .parent = -1, .trip = { .first = (uint16_t)b->nterms } };
	add_term(b, &l->trip, trip);
	return (int8_t)b->nloops++;
}

/* Loops of constant trip 1 without carries vanish, so that a GEMM of one row is a GEMV whoever wrote it. */
static void map_loops(struct builder *b, struct mapping *m, int8_t outer)
{
	for (unsigned i = 0; i < m->from->nloops; i++) {
		const struct gllm_loop *l = &m->from->loop[i];
		if (b->nloops == GLLM_TRACE_LOOPS) {
			fail(b, GLLM_COMPILE_ERROR);
			return;
		}
		struct gllm_poly trip = import_poly(b, m, l->trip);
		m->loop[i] = -1;
		if (is_one(b->term, trip) && !carries(m->from, i)) {
			b->nterms = trip.first;
			continue;
		}
		int8_t parent = surviving(m, l->parent, outer);
		m->loop[i] = (int8_t)b->nloops;
		b->loop[b->nloops++] = (struct gllm_loop){ .parent = parent, .trip = trip };
	}
}

/* Loop-independent pure nodes stay outside the batch loop, as the canonical form wants. */
static bool constant_node(const struct gllm_node *n)
{
	return n->op == GLLM_N_CONST || n->op == GLLM_N_SCALAR;
}

enum gllm_status gllm_compose_one(const struct gllm_applied *a, struct gllm_arena *arena, struct gllm_composed *out)
{
	struct builder b;
	struct mapping m = { .from = a->trace, .stride = a->stride };
	begin(&b, arena, out);
	if (b.status != GLLM_OK || a->trace->nnodes > MAX_NODES)
		return b.status != GLLM_OK ? b.status : GLLM_COMPILE_ERROR;
	map_params(&b, &m, a);
	int8_t outer = add_batch_loop(&b, a->batch);
	m.batch_loop = outer;
	map_loops(&b, &m, outer);
	for (unsigned i = 0; outer >= 0 && i < m.from->nnodes; i++)
		if (m.from->node[i].loop < 0 && constant_node(&m.from->node[i]))
			b.map[i] = append(&b, translate(&b, &m, i, -1));
	if (outer >= 0)
		b.loop[outer].first = (gllm_ref)b.nnodes;
	for (unsigned i = 0; i <= m.from->nnodes && b.status == GLLM_OK; i++) {
		for (unsigned l = 0; l < m.from->nloops; l++) {
			if (m.loop[l] >= 0 && m.from->loop[l].first == i)
				b.loop[m.loop[l]].first = (gllm_ref)b.nnodes;
			if (m.loop[l] >= 0 && m.from->loop[l].end == i)
				b.loop[m.loop[l]].end = (gllm_ref)b.nnodes;
		}
		if (i == m.from->nnodes)
			break;
		const struct gllm_node *n = &m.from->node[i];
		if (outer >= 0 && n->loop < 0 && constant_node(n))
			continue;
		b.map[i] = append(&b, translate(&b, &m, i, surviving(&m, n->loop, outer)));
	}
	if (outer >= 0)
		b.loop[outer].end = (gllm_ref)b.nnodes;
	close_carries(&b, &m);
	import_reductions(&b, &m);
	return finish(&b, a->trace->name, 0, a->trace->pattern);
}

/* --- splice --------------------------------------------------------------------------------------------------------- */

/* A map: one perfect nest without carries whose stores all stand in the innermost loop. */
static bool is_map(const struct gllm_trace *t)
{
	for (unsigned i = 0; i < t->nloops; i++)
		if (t->loop[i].parent != (int8_t)i - 1)
			return false;
	for (unsigned i = 0; i < t->nnodes; i++) {
		const struct gllm_node *n = &t->node[i];
		if (n->op == GLLM_N_CARRY || (n->op == GLLM_N_STORE && n->loop != (int8_t)t->nloops - 1))
			return false;
	}
	return true;
}

static unsigned param_of(const struct gllm_composed *c, uint16_t tensor)
{
	unsigned i = 0;
	while (i < c->trace.nparams && !(c->source[i].kind == GLLM_FROM_TENSOR && c->source[i].tensor == tensor))
		i++;
	return i;
}

/* The one node that stores to `param`; GLLM_NO_NODE if several do or something reads it back. */
static gllm_ref only_store(const struct gllm_trace *t, unsigned param)
{
	gllm_ref found = GLLM_NO_NODE;
	for (unsigned i = 0; i < t->nnodes; i++) {
		const struct gllm_node *n = &t->node[i];
		if ((n->op != GLLM_N_LOAD && n->op != GLLM_N_STORE) || t->access[n->imm].param != param)
			continue;
		if (n->op == GLLM_N_LOAD || found != GLLM_NO_NODE)
			return GLLM_NO_NODE;
		found = (gllm_ref)i;
	}
	return found;
}

/* Maps the consumer's nest onto the loops around the store, outermost first. */
static bool match_loops(const struct gllm_trace *p, gllm_ref store, const struct gllm_trace *c, struct mapping *m)
{
	int8_t l = p->node[store].loop;
	for (unsigned i = c->nloops; i-- > 0; l = p->loop[l].parent) {
		if (l < 0)
			return false;
		m->loop[i] = l;
	}
	return l < 0;
}

static bool same_poly(struct builder *b, const struct mapping *m, struct gllm_poly p, const struct mapping *n,
                      struct gllm_poly q)
{
	struct gllm_poly x = import_poly(b, m, p), y = import_poly(b, n, q);
	return equal_polys(b->term, x, y);
}

/* Why the consumer's map cannot stand where the producer stores; NULL if it can. Polynomials are compared as the trace
 * under construction reads them, where both traces' parameters have the same numbers. */
static const char *fits(struct builder *b, const struct mapping *mp, struct mapping *mc, gllm_ref store, unsigned param)
{
	const struct gllm_trace *p = mp->from, *c = mc->from;
	const struct gllm_access *to = &p->access[p->node[store].imm];
	if (!is_map(c))
		return "the consumer is no map";
	if (to->index != GLLM_NO_NODE)
		return "the producer stores at loaded indices";
	if (!match_loops(p, store, c, mc))
		return "the loop nests differ in depth";
	unsigned mark = b->nterms;
	const char *why = NULL;
	for (unsigned i = 0; i < c->nloops && !why; i++)
		if (!same_poly(b, mc, c->loop[i].trip, mp, p->loop[mc->loop[i]].trip))
			why = "the loop nests differ in length";
	for (unsigned i = 0; i < c->nnodes && !why; i++) {
		const struct gllm_node *n = &c->node[i];
		if (n->op != GLLM_N_LOAD || c->access[n->imm].param != param)
			continue;
		const struct gllm_access *from = &c->access[n->imm];
		if (p->node[p->node[store].a].type != n->type) /* memory would read the same bits as another type */
			why = "the value is stored as another type than it is read as";
		else if (from->index != GLLM_NO_NODE || from->type != to->type ||
		    !same_poly(b, mc, from->offset, mp, to->offset))
			why = "the consumer reads other elements than the one being stored";
	}
	b->nterms = mark;
	return why;
}

/* The producer's own parts, unchanged but for node numbers. */
static void copy_loops(struct builder *b, struct mapping *m)
{
	for (unsigned i = 0; i < m->from->nloops; i++) {
		m->loop[i] = (int8_t)i;
		b->loop[i] = m->from->loop[i];
		b->loop[i].trip = import_poly(b, m, m->from->loop[i].trip);
	}
	b->nloops = m->from->nloops;
}

static void copy_params(struct builder *b, struct mapping *m, const struct gllm_composed *from, unsigned except)
{
	for (unsigned i = 0; i < from->trace.nparams; i++)
		if (i != except)
			m->param[i] = add_param(b, &from->param[i], &from->source[i]);
}

/* F32 rounded to half precision and widened again: in registers it stays what it was. */
static bool widens_back(const struct builder *b, const struct gllm_node *n)
{
	if (n->op != GLLM_N_CVT || n->type != GLLM_F32)
		return false;
	const struct gllm_node *from = &b->node[mapped(b, n->a)];
	return from->op == GLLM_N_CVT && (from->type == GLLM_F16 || from->type == GLLM_BF16) &&
	       b->node[from->a].type == GLLM_F32;
}

/* The consumer's nodes at the place of the store; loads of the intermediate are the stored value itself. `map` of the
 * consumer lies behind the producer's. */
static void splice_nodes(struct builder *b, const struct mapping *m, unsigned param, gllm_ref value, int8_t loop, bool top)
{
	for (unsigned i = 0; i < m->from->nnodes; i++) {
		const struct gllm_node *n = &m->from->node[i];
		bool constant = n->loop < 0 && constant_node(n);
		if (constant != top)
			continue;
		if (n->op == GLLM_N_LOAD && m->from->access[n->imm].param == param)
			b->map[i] = value;
		else if (widens_back(b, n))
			b->map[i] = b->node[mapped(b, n->a)].a;
		else
			b->map[i] = append(b, translate(b, m, i, top ? -1 : loop));
	}
}

enum gllm_status gllm_compose_splice(const struct gllm_composed *producer, const struct gllm_composed *consumer,
                                     uint16_t tensor, bool keep, struct gllm_arena *arena, struct gllm_composed *out,
                                     const char **why)
{
	const struct gllm_trace *p = &producer->trace;
	unsigned from = param_of(producer, tensor), to = param_of(consumer, tensor);
	struct mapping mp = { .from = p, .batch_loop = -1 }, mc = { .from = &consumer->trace, .batch_loop = -1 };
	struct builder b;
	begin(&b, arena, out);
	gllm_ref *map_p = b.map, *map_c = gllm_alloc_array(arena, MAX_NODES, sizeof *map_c, 8);
	if (b.status != GLLM_OK || !map_c)
		return GLLM_OUT_OF_MEMORY;
	if (from == p->nparams || to == consumer->trace.nparams)
		return GLLM_INVALID_ARGUMENT;
	gllm_ref store = only_store(p, from);
	if (store == GLLM_NO_NODE) {
		*why = "the producer stores the value in several places or reads it back";
		return GLLM_UNSUPPORTED;
	}
	copy_params(&b, &mp, producer, keep ? p->nparams : from);
	copy_params(&b, &mc, consumer, to);
	copy_loops(&b, &mp);
	*why = fits(&b, &mp, &mc, store, to);
	if (*why)
		return GLLM_UNSUPPORTED;

	b.map = map_c;
	splice_nodes(&b, &mc, to, GLLM_NO_NODE, -1, true);
	for (unsigned i = 0; i <= p->nnodes && b.status == GLLM_OK; i++) {
		for (unsigned l = 0; l < p->nloops; l++) {
			if (p->loop[l].first == i)
				b.loop[l].first = (gllm_ref)b.nnodes;
			if (p->loop[l].end == i)
				b.loop[l].end = (gllm_ref)b.nnodes;
		}
		if (i == p->nnodes)
			break;
		b.map = map_p;
		if (i != store || keep)
			map_p[i] = append(&b, translate(&b, &mp, i, p->node[i].loop));
		if (i == store) {
			gllm_ref value = map_p[p->node[i].a];
			b.map = map_c;
			splice_nodes(&b, &mc, to, value, p->node[i].loop, false);
		}
	}
	b.map = map_p;
	close_carries(&b, &mp);
	import_reductions(&b, &mp);
	return finish(&b, p->name, producer->depth + 1, p->pattern);
}
