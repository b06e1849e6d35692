/* SPDX-License-Identifier: MIT
 * jit/compose_rows.c - several traces one after the other for each tile of rows (compose.h).
 *
 * Loop 0 counts tiles; the traces' own loops over the rows run within it, over the rows of a tile. Places in tensors are
 * those of all rows, places in the worker's memory those of a tile, so that each tile writes the same memory before it reads
 * it: tiles of different workers are independent. */
#include "jit/compose_build.h"

/* So that the first tile's rows are the first iterations. */
const char *gllm_no_row_loop(const struct gllm_trace *t)
{
	if (t->nloops == 0)
		return "there is no loop over rows";
	for (unsigned i = 1; i < t->nloops; i++)
		if (t->loop[i].parent < 0)
			return "the loop over rows is not around everything";
	for (unsigned i = 0; i < t->nnodes; i++)
		if (t->node[i].loop < 0 && (t->node[i].op == GLLM_N_LOAD || t->node[i].op == GLLM_N_STORE))
			return "the loop over rows is not around everything";
		else if (t->node[i].op == GLLM_N_CARRY && t->node[i].loop == 0)
			return "rows depend on each other";
	return NULL;
}

/* The number of whole tiles, as a polynomial; false if the rows are a number that tiles do not divide. */
static bool count_tiles(struct builder *b, const struct gllm_composed *c, uint64_t tile, struct gllm_poly *out)
{
	static const struct gllm_param tiles = { "tiles", GLLM_DIM, GLLM_I64 };
	const struct gllm_poly trip = c->trace.loop[0].trip;
	const struct gllm_term *t = &c->trace.term[trip.first];
	struct gllm_term r = { .coef = 1 };
	if (trip.count != 1 || t->sym[1] || t->coef < 1)
		return false;
	if (t->sym[0] == 0) {
		r.coef = t->coef / (int64_t)tile;
		if (t->coef % (int64_t)tile)
			return false;
	} else {
		const struct gllm_source *rows = &c->source[t->sym[0] - GLLM_SYM_PARAM];
		if (t->coef != 1 || rows->kind != GLLM_FROM_ROWS || rows->at.fixed || rows->at.per_row != 1 || rows->at.block)
			return false;
		struct gllm_source s = { .kind = GLLM_FROM_ROWS, .at = { .per_row = 1, .block = (uint32_t)tile } };
		r.sym[0] = (uint8_t)(GLLM_SYM_PARAM + gllm_build_param(b, &tiles, &s));
	}
	*out = (struct gllm_poly){ .first = (uint16_t)b->nterms };
	gllm_build_term(b, out, r);
	return true;
}

static struct gllm_poly constant(struct builder *b, uint64_t x)
{
	struct gllm_poly p = { .first = (uint16_t)b->nterms };
	gllm_build_term(b, &p, (struct gllm_term){ .coef = (int64_t)x });
	return p;
}

/* The nodes of one trace, within the tile loop. */
static void add(struct builder *b, struct mapping *m, const struct gllm_composed *c, uint16_t tensor, uint8_t worker,
                uint64_t tile)
{
	unsigned of = gllm_param_of(c, tensor), first = b->nloops;
	gllm_build_params(b, m, c, UINT32_C(1) << of);
	m->param[of] = worker;
	m->untiled = UINT32_C(1) << of;
	gllm_build_loops(b, m);
	if (b->status != GLLM_OK)
		return;
	b->loop[first].parent = 0;
	b->loop[first].trip = constant(b, tile);
	m->tiled = 0;
	m->tile_loop = 0;
	m->tile = (int64_t)tile;
	for (unsigned i = 0; i < m->from->nnodes && b->status == GLLM_OK; i++) {
		int8_t loop = m->from->node[i].loop;
		gllm_build_bounds(b, m, i);
		gllm_build_node(b, m, i, loop < 0 ? 0 : m->loop[loop]);
	}
	gllm_build_bounds(b, m, m->from->nnodes);
	gllm_build_close(b, m);
}

enum gllm_status gllm_compose_rows(const struct gllm_composed *first, const struct gllm_composed *const *then, unsigned n,
                                   uint16_t tensor, uint64_t tile, struct gllm_arena *arena, struct gllm_composed *out,
                                   const char **why)
{
	struct builder b;
	unsigned of = gllm_param_of(first, tensor), depth = first->depth;
	*why = gllm_no_row_loop(&first->trace);
	for (unsigned i = 0; i < n && !*why; i++)
		*why = gllm_no_row_loop(&then[i]->trace);
	if (*why)
		return GLLM_UNSUPPORTED;
	gllm_build_begin(&b, arena, out);
	if (b.status != GLLM_OK)
		return b.status;
	struct gllm_param memory = first->trace.param[of];
	struct gllm_source own = { .kind = GLLM_FROM_WORKER };
	memory.kind = GLLM_INOUT;
	uint8_t worker = gllm_build_param(&b, &memory, &own);
	b.nloops = 1;
	b.loop[0] = (struct gllm_loop){ .parent = -1 };
	if (!count_tiles(&b, first, tile, &b.loop[0].trip)) {
		*why = "the rows are no whole number of tiles";
		return GLLM_UNSUPPORTED;
	}
	struct mapping m = gllm_build_mapping(&b, &first->trace, 0);
	add(&b, &m, first, tensor, worker, tile);
	for (unsigned i = 0; i < n && b.status == GLLM_OK; i++) {
		m = gllm_build_mapping(&b, &then[i]->trace, 0);
		add(&b, &m, then[i], tensor, worker, tile);
		depth += then[i]->depth + 1;
	}
	b.loop[0].end = (gllm_ref)b.nnodes;
	enum gllm_status s = gllm_build_finish(&b, first->trace.name, depth, n ? then[0]->trace.pattern : first->trace.pattern);
	out->how.own = UINT32_C(1) << worker;
	return s;
}

bool gllm_row_stride(const struct gllm_composed *c, unsigned param, int64_t *bytes)
{
	const struct gllm_trace *t = &c->trace;
	bool any = false;
	*bytes = 0;
	for (unsigned i = 0; i < t->naccesses; i++) {
		int64_t stride = 0;
		if (t->access[i].param != param)
			continue;
		for (unsigned k = 0; k < t->access[i].offset.count; k++) {
			const struct gllm_term *x = &t->term[t->access[i].offset.first + k];
			bool moves = false;
			for (unsigned s = 0; s < GLLM_TERM_SYMS; s++)
				moves = moves || x->sym[s] == GLLM_SYM_LOOP;
			if (moves && (x->sym[0] != GLLM_SYM_LOOP || x->sym[1]))
				return false;
			stride = moves ? x->coef : stride;
		}
		if (any && stride != *bytes)
			return false;
		*bytes = stride;
		any = true;
	}
	return true;
}
