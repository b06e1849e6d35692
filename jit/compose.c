/* SPDX-License-Identifier: MIT
 * jit/compose.c - see compose.h: one operator as a trace of its own, and a map behind the place that stores its operands. */
#include "jit/compose_build.h"
#include "jit/strip.h"

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
			m->param[i] = gllm_build_param(b, p, &a->source[i]);
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
		trip = (struct gllm_term){ .coef = 1, .sym = { (uint8_t)(GLLM_SYM_PARAM + gllm_build_param(b, &rows, &source)) } };
	}
	struct gllm_loop *l = &b->loop[b->nloops];
	*l = (struct gllm_loop){ .parent = -1, .trip = { .first = (uint16_t)b->nterms } };
	gllm_build_term(b, &l->trip, trip);
	return (int8_t)b->nloops++;
}

/* Loops of constant trip 1 without carries vanish, so that a GEMM of one row is a GEMV whoever wrote it. */
static void map_loops(struct builder *b, struct mapping *m, int8_t outer)
{
	for (unsigned i = 0; i < m->from->nloops; i++) {
		const struct gllm_loop *l = &m->from->loop[i];
		if (b->nloops == GLLM_TRACE_LOOPS) {
			gllm_build_fail(b, GLLM_COMPILE_ERROR);
			return;
		}
		struct gllm_poly trip = gllm_build_poly(b, m, l->trip);
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

enum gllm_status gllm_compose_one(const struct gllm_applied *a, struct gllm_arena *arena, struct gllm_composed *out)
{
	struct builder b;
	gllm_build_begin(&b, arena, out);
	struct mapping m = gllm_build_mapping(&b, a->trace, 0);
	if (b.status != GLLM_OK)
		return b.status;
	m.stride = a->stride;
	map_params(&b, &m, a);
	int8_t outer = add_batch_loop(&b, a->batch);
	m.batch_loop = outer;
	map_loops(&b, &m, outer);
	if (outer >= 0) {
		gllm_build_constants(&b, &m);
		b.loop[outer].first = (gllm_ref)b.nnodes;
	}
	for (unsigned i = 0; i < m.from->nnodes && b.status == GLLM_OK; i++) {
		const struct gllm_node *n = &m.from->node[i];
		gllm_build_bounds(&b, &m, i);
		if (outer < 0 || n->loop >= 0 || !gllm_build_constant(n))
			gllm_build_node(&b, &m, i, surviving(&m, n->loop, outer));
	}
	gllm_build_bounds(&b, &m, m.from->nnodes);
	if (outer >= 0)
		b.loop[outer].end = (gllm_ref)b.nnodes;
	gllm_build_close(&b, &m);
	return gllm_build_finish(&b, a->trace->name, 0, a->trace->pattern);
}

/* --- splice --------------------------------------------------------------------------------------------------------- */

static bool stores(const struct gllm_trace *t, unsigned param)
{
	return t->param[param].kind == GLLM_OUT || t->param[param].kind == GLLM_INOUT;
}

/* The values of `producer` that `consumer` reads. */
struct via {
	unsigned n;
	unsigned to[GLLM_TRACE_PARAMS]; /* parameters of the consumer */
	gllm_ref store[GLLM_TRACE_PARAMS];
	bool keep[GLLM_TRACE_PARAMS];
	uint32_t gone, read;  /* parameters: of the producer that vanish, of the consumer that are values here */
};

static const char *find_values(const struct gllm_composed *producer, const struct gllm_composed *consumer, const bool *keep,
                               struct via *v)
{
	*v = (struct via){ .n = 0 };
	for (unsigned i = 0; i < consumer->trace.nparams; i++) {
		unsigned from = consumer->source[i].kind == GLLM_FROM_TENSOR
		                    ? gllm_param_of(producer, consumer->source[i].tensor) : producer->trace.nparams;
		if (from == producer->trace.nparams || !stores(&producer->trace, from))
			continue;
		gllm_ref store = gllm_only_store(&producer->trace, from);
		if (store == GLLM_NO_NODE)
			return "the producer stores the value in several places or reads it back";
		if (v->n && producer->trace.node[store].loop != producer->trace.node[v->store[0]].loop)
			return "the producer stores the values in different loops";
		v->to[v->n] = i;
		v->store[v->n] = store;
		v->keep[v->n] = keep[consumer->source[i].tensor];
		v->gone |= v->keep[v->n] ? 0 : UINT32_C(1) << from;
		v->read |= UINT32_C(1) << i;
		v->n++;
	}
	return v->n ? NULL : "the consumer reads nothing of the producer";
}

static gllm_ref last_store(const struct via *v)
{
	gllm_ref last = 0;
	for (unsigned i = 0; i < v->n; i++)
		last = v->store[i] > last ? v->store[i] : last;
	return last;
}

/* Why a load of the consumer's is not the element that the producer stores; NULL if it is. Polynomials are compared as the
 * trace under construction reads them, where both traces' parameters have the same numbers. */
static const char *other_element(struct builder *b, const struct mapping *mp, gllm_ref store, const struct mapping *mc,
                                 gllm_ref load)
{
	const struct gllm_node *s = &mp->from->node[store], *n = &mc->from->node[load];
	const struct gllm_access *to = &mp->from->access[s->imm], *from = &mc->from->access[n->imm];
	if (mp->from->node[s->a].type != n->type) /* memory would read the same bits as another type */
		return "the value is stored as another type than it is read as";
	if (from->index != GLLM_NO_NODE || from->type != to->type || !gllm_build_same(b, mc, from->offset, mp, to->offset))
		return "the consumer reads other elements than the one being stored";
	return NULL;
}

static const char *fits(struct builder *b, const struct mapping *mp, struct mapping *mc, const struct via *v)
{
	const struct gllm_trace *p = mp->from, *c = mc->from;
	const char *why = NULL;
	for (unsigned k = 0; k < v->n; k++)
		if (p->access[p->node[v->store[k]].imm].index != GLLM_NO_NODE)
			return "the producer stores at loaded indices";
	if (!gllm_match_loops(b, mc, mp, p->node[v->store[0]].loop, &why))
		return why;
	for (unsigned i = 0; i < c->nnodes; i++)
		for (unsigned k = 0; k < v->n && c->node[i].op == GLLM_N_LOAD && !why; k++)
			if (c->access[c->node[i].imm].param == v->to[k])
				why = other_element(b, mp, v->store[k], mc, (gllm_ref)i);
	return why;
}

/* The consumer's nodes behind the last store; loads of the values are what was to be stored. */
static void splice_nodes(struct builder *b, const struct mapping *mp, struct mapping *mc, const struct via *v, int8_t loop)
{
	for (unsigned i = 0; i < mc->from->nnodes; i++) {
		const struct gllm_node *n = &mc->from->node[i];
		unsigned k = 0;
		if (n->loop < 0 && gllm_build_constant(n))
			continue;
		while (k < v->n && !(n->op == GLLM_N_LOAD && mc->from->access[n->imm].param == v->to[k]))
			k++;
		if (k < v->n)
			mc->node[i] = mp->node[mp->from->node[v->store[k]].a];
		else
			gllm_build_value(b, mc, i, loop);
	}
}

static bool vanishes(const struct via *v, unsigned node)
{
	for (unsigned k = 0; k < v->n; k++)
		if (v->store[k] == node && !v->keep[k])
			return true;
	return false;
}

static bool fixed_trip(const struct gllm_trace *t, int8_t loop, int64_t *out)
{
	struct gllm_poly p = t->loop[loop].trip;
	*out = p.count ? t->term[p.first].coef : 0;
	return p.count == 0 || (p.count == 1 && t->term[p.first].sym[0] == 0);
}

/* A map of all elements in one loop, for a producer that stores them by rows and columns: the same map in two such loops. What is
 * no such map is left as it is. */
static enum gllm_status by_rows(const struct gllm_trace *p, gllm_ref store, struct gllm_arena *arena, const struct gllm_composed **map)
{
	const struct gllm_trace *t = &(*map)->trace;
	int8_t column = p->node[store].loop, row = column < 0 ? -1 : p->loop[column].parent;
	int64_t all, rows, columns;
	if (row < 0 || p->loop[row].parent >= 0 || t->nloops != 1 || t->ntables || !fixed_trip(t, 0, &all) || !fixed_trip(p, row, &rows) ||
	    !fixed_trip(p, column, &columns) || columns <= 0 || all % columns || all / columns != rows)
		return GLLM_OK;
	struct gllm_affine *affine = gllm_alloc_array(arena, t->naccesses + 1u, sizeof *affine, 8);
	uint8_t *needed = gllm_alloc(arena, t->nnodes + 1u, 1);
	if (!affine || !needed)
		return GLLM_OUT_OF_MEMORY;
	if (!gllm_strip_affine(t, affine))
		return GLLM_OK;
	for (unsigned i = 0; i < t->nnodes; i++)
		needed[i] = 1;
	struct gllm_strip s;
	gllm_strip_begin(&s, *map, affine, arena);
	if (s.status != GLLM_OK)
		return s.status;
	gllm_strip_write(&s, needed, -1, 0, t->nnodes);
	for (unsigned i = 0; i < 2; i++) {
		s.sub[0][i].loop = gllm_strip_open(&s, (struct gllm_linear){ .fixed = i ? columns : rows });
		s.sub[0][i].coef = i ? 1 : columns;
	}
	gllm_strip_write(&s, needed, 0, 0, t->nnodes);
	gllm_strip_close(&s);
	gllm_strip_close(&s);
	s.to->depth = (*map)->depth;
	enum gllm_status st = gllm_strip_finish(&s, t->pattern);
	*map = s.to;
	return st;
}

enum gllm_status gllm_compose_splice(const struct gllm_composed *producer, const struct gllm_composed *consumer,
                                     const bool *keep, struct gllm_arena *arena, struct gllm_composed *out, const char **why)
{
	const struct gllm_trace *p = &producer->trace;
	struct builder b;
	struct via v;
	*why = gllm_is_map(&consumer->trace) ? find_values(producer, consumer, keep, &v) : "the consumer is no map";
	if (*why)
		return GLLM_UNSUPPORTED;
	enum gllm_status s = by_rows(p, v.store[0], arena, &consumer);
	if (s == GLLM_OK)
		*why = find_values(producer, consumer, keep, &v); /* its parameters may have other numbers */
	if (s != GLLM_OK || *why)
		return s != GLLM_OK ? s : GLLM_UNSUPPORTED;
	gllm_build_begin(&b, arena, out);
	struct mapping mp = gllm_build_mapping(&b, p, 0), mc = gllm_build_mapping(&b, &consumer->trace, 1);
	if (b.status != GLLM_OK)
		return b.status;
	gllm_build_params(&b, &mp, producer, v.gone);
	gllm_build_params(&b, &mc, consumer, v.read);
	gllm_build_loops(&b, &mp);
	*why = fits(&b, &mp, &mc, &v);
	if (*why)
		return GLLM_UNSUPPORTED;

	gllm_ref last = last_store(&v);
	gllm_build_constants(&b, &mc);
	for (unsigned i = 0; i < p->nnodes && b.status == GLLM_OK; i++) {
		gllm_build_bounds(&b, &mp, i);
		if (!vanishes(&v, i))
			gllm_build_node(&b, &mp, i, p->node[i].loop);
		if (i == last)
			splice_nodes(&b, &mp, &mc, &v, p->node[i].loop);
	}
	gllm_build_bounds(&b, &mp, p->nnodes);
	gllm_build_close(&b, &mp);
	return gllm_build_finish(&b, p->name, producer->depth + consumer->depth + 1, p->pattern);
}
