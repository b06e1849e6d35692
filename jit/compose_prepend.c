/* SPDX-License-Identifier: MIT
 * jit/compose_prepend.c - a map before the place where its consumer first loads what it stores (compose.h).
 *
 * The map's loops become loops of the consumer: those around the first load. A later loop over the same elements reads
 * them from memory again, where the first has stored them: it begins after the first has ended, for each iteration of the
 * loops around both. */
#include "jit/compose_build.h"

struct value { /* that the consumer reads of the producer */
	unsigned from, to; /* parameters of producer and consumer */
	gllm_ref store;    /* of the producer */
	bool again;        /* loops behind the first read it */
	bool keep;
};

struct prepend {
	const struct gllm_composed *producer, *consumer;
	struct value value[GLLM_TRACE_PARAMS];
	unsigned n;
	gllm_ref first;    /* the first load of any value */
	int8_t loop;       /* around it */
};

static unsigned value_of(const struct prepend *x, unsigned node)
{
	const struct gllm_trace *c = &x->consumer->trace;
	unsigned k = 0;
	while (k < x->n && !(c->node[node].op == GLLM_N_LOAD && c->access[c->node[node].imm].param == x->value[k].to))
		k++;
	return k;
}

static const char *find_values(struct prepend *x, const bool *keep)
{
	const struct gllm_trace *p = &x->producer->trace, *c = &x->consumer->trace;
	for (unsigned i = 0; i < c->nparams; i++) {
		const struct gllm_source *s = &x->consumer->source[i];
		unsigned from = s->kind == GLLM_FROM_TENSOR ? gllm_param_of(x->producer, s->tensor) : p->nparams;
		if (from == p->nparams || (p->param[from].kind != GLLM_OUT && p->param[from].kind != GLLM_INOUT))
			continue;
		gllm_ref store = gllm_only_store(p, from);
		if (store == GLLM_NO_NODE || c->param[i].kind == GLLM_INOUT)
			return "the value is stored in several places or read back";
		if (p->access[p->node[store].imm].index != GLLM_NO_NODE)
			return "the producer stores at loaded indices";
		x->value[x->n++] = (struct value){ .from = from, .to = i, .store = store, .keep = keep[s->tensor] };
	}
	unsigned i = 0;
	while (i < c->nnodes && value_of(x, i) == x->n)
		i++;
	if (i == c->nnodes)
		return "the consumer reads nothing of the producer";
	x->first = (gllm_ref)i;
	x->loop = c->node[i].loop;
	return NULL;
}

/* Whether loop `late` runs only when loop `early`, as deep, is done, in each iteration of the loops around both. */
static bool ends_before(const struct gllm_trace *t, int8_t early, int8_t late)
{
	while (early >= 0 && late >= 0 && t->loop[early].parent != t->loop[late].parent) {
		early = t->loop[early].parent;
		late = t->loop[late].parent;
	}
	return early >= 0 && late >= 0 && t->loop[early].end <= t->loop[late].first;
}

/* Every load of a value is of the element its loop's iteration stands for in the map. `mp` names the loops around the
 * first load in the end. */
static const char *fits(struct builder *b, struct prepend *x, struct mapping *mp, const struct mapping *mc)
{
	const struct gllm_trace *p = mp->from, *c = mc->from;
	const char *why = NULL;
	for (unsigned i = c->nnodes; i-- > x->first && !why;) {
		const struct gllm_node *n = &c->node[i];
		unsigned k = value_of(x, i);
		if (k == x->n)
			continue;
		const struct gllm_node *store = &p->node[x->value[k].store];
		const struct gllm_access *from = &c->access[n->imm], *to = &p->access[store->imm];
		if (n->loop != x->loop && !ends_before(c, x->loop, n->loop))
			return "the consumer reads the value before all of it is there";
		if (!gllm_match_loops(b, mp, mc, n->loop, &why))
			return why;
		if (p->node[store->a].type != n->type || from->type != to->type)
			return "the value is stored as another type than it is read as";
		if (from->index != GLLM_NO_NODE || !gllm_build_same(b, mc, from->offset, mp, to->offset))
			return "the consumer reads other elements than the one being stored";
		x->value[k].again = x->value[k].again || n->loop != x->loop;
	}
	return why;
}

/* Parameters that nothing needs any more. */
static uint32_t gone(const struct prepend *x, bool of_producer)
{
	uint32_t set = 0;
	for (unsigned k = 0; k < x->n; k++)
		if (!x->value[k].again && !(of_producer && x->value[k].keep))
			set |= UINT32_C(1) << (of_producer ? x->value[k].from : x->value[k].to);
	return set;
}

static void place_map(struct builder *b, const struct prepend *x, struct mapping *mp)
{
	for (unsigned i = 0; i < mp->from->nnodes; i++) {
		const struct gllm_node *n = &mp->from->node[i];
		unsigned k = 0;
		while (k < x->n && x->value[k].store != i)
			k++;
		bool stored = k == x->n || x->value[k].keep || x->value[k].again;
		if (!(n->loop < 0 && gllm_build_constant(n)) && stored)
			gllm_build_node(b, mp, i, x->loop);
	}
}

enum gllm_status gllm_compose_prepend(const struct gllm_composed *producer, const struct gllm_composed *consumer,
                                      const bool *keep, struct gllm_arena *arena, struct gllm_composed *out,
                                      const char **why)
{
	struct prepend x = { .producer = producer, .consumer = consumer };
	const struct gllm_trace *c = &consumer->trace;
	struct builder b;
	*why = gllm_is_map(&producer->trace) ? find_values(&x, keep) : "the producer is no map";
	if (*why)
		return GLLM_UNSUPPORTED;
	gllm_build_begin(&b, arena, out);
	struct mapping mp = gllm_build_mapping(&b, &producer->trace, 0), mc = gllm_build_mapping(&b, c, 1);
	if (b.status != GLLM_OK)
		return b.status;
	/* Parameters are numbered before it is known which of them vanish: decide it with all of them, then begin again. */
	gllm_build_params(&b, &mp, producer, 0);
	gllm_build_params(&b, &mc, consumer, 0);
	gllm_build_loops(&b, &mc);
	*why = fits(&b, &x, &mp, &mc);
	if (*why)
		return GLLM_UNSUPPORTED;
	b.nparams = b.nloops = b.nterms = 0;
	gllm_build_params(&b, &mp, producer, gone(&x, true));
	gllm_build_params(&b, &mc, consumer, gone(&x, false));
	gllm_build_loops(&b, &mc);

	gllm_build_constants(&b, &mp);
	for (unsigned i = 0; i < c->nnodes && b.status == GLLM_OK; i++) {
		gllm_build_bounds(&b, &mc, i);
		if (i == x.first)
			place_map(&b, &x, &mp);
		unsigned k = value_of(&x, i);
		if (k < x.n && c->node[i].loop == x.loop)
			mc.node[i] = mp.node[mp.from->node[x.value[k].store].a];
		else
			gllm_build_value(&b, &mc, i, c->node[i].loop);
	}
	gllm_build_bounds(&b, &mc, c->nnodes);
	gllm_build_close(&b, &mc);
	return gllm_build_finish(&b, c->name, producer->depth + consumer->depth + 1, c->pattern);
}
