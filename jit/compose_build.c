/* SPDX-License-Identifier: MIT
 * jit/compose_build.c - see compose_build.h. */
#include "jit/compose_build.h"
#include "core/bits.h"

enum { MAX_ACCESSES = 192, MAX_POLYS = 192, MAX_TERMS = 1536, MAX_REDUCTIONS = 32 };

_Static_assert(GLLM_BUILD_NODES * (sizeof(struct gllm_node) + 2 * sizeof(gllm_ref)) + MAX_ACCESSES * sizeof(struct gllm_access) +
               MAX_POLYS * sizeof(struct gllm_poly) + MAX_TERMS * sizeof(struct gllm_term) + MAX_REDUCTIONS * sizeof(struct gllm_reduction) +
               GLLM_TRACE_LOOPS * sizeof(struct gllm_loop) + 2 * sizeof(struct gllm_composed) <= GLLM_COMPOSE_ROOM, "what is begun fits");

void gllm_build_fail(struct builder *b, enum gllm_status s)
{
	if (b->status == GLLM_OK)
		b->status = s;
}

void gllm_build_begin(struct builder *b, struct gllm_arena *arena, struct gllm_composed *out)
{
	*b = (struct builder){ .out = out, .arena = arena, .begin = arena->used };
	b->node = gllm_alloc_array(arena, GLLM_BUILD_NODES, sizeof *b->node, 8);
	b->loop = gllm_alloc_array(arena, GLLM_TRACE_LOOPS, sizeof *b->loop, 8);
	b->access = gllm_alloc_array(arena, MAX_ACCESSES, sizeof *b->access, 8);
	b->poly = gllm_alloc_array(arena, MAX_POLYS, sizeof *b->poly, 8);
	b->term = gllm_alloc_array(arena, MAX_TERMS, sizeof *b->term, 8);
	b->reduction = gllm_alloc_array(arena, MAX_REDUCTIONS, sizeof *b->reduction, 8);
	b->map[0] = gllm_alloc_array(arena, GLLM_BUILD_NODES, sizeof *b->map[0], 8);
	b->map[1] = gllm_alloc_array(arena, GLLM_BUILD_NODES, sizeof *b->map[1], 8);
	if (!b->node || !b->loop || !b->access || !b->poly || !b->term || !b->reduction || !b->map[0] || !b->map[1])
		gllm_build_fail(b, GLLM_OUT_OF_MEMORY);
}

struct mapping gllm_build_mapping(struct builder *b, const struct gllm_trace *from, unsigned which)
{
	if (from->nnodes > GLLM_BUILD_NODES)
		gllm_build_fail(b, GLLM_COMPILE_ERROR);
	return (struct mapping){ .from = from, .node = b->map[which], .batch_loop = -1, .tiled = -1 };
}

/* The array again at the end of what is kept, at its real size. Destinations never lie behind their sources. */
static void *keep(struct builder *b, void *from, size_t n, size_t size)
{
	void *to = gllm_alloc_array(b->arena, n, size, 8);
	return to ? __builtin_memmove(to, from, n * size) : from;
}

/* Like gllm_trace_hash, of another value, a word at a time: composed traces are made many times a plan. */
static uint64_t mix(uint64_t h, uint64_t v)
{
	h = (h ^ v) * UINT64_C(0x9e3779b97f4a7c15);
	return h ^ h >> 29;
}

static uint64_t mix_poly(const struct builder *b, uint64_t h, struct gllm_poly p)
{
	h = mix(h, p.count);
	for (unsigned i = 0; i < p.count; i++) {
		const struct gllm_term *t = &b->term[p.first + i];
		h = mix(mix(h, (uint64_t)t->coef), (uint64_t)t->sym[0] | (uint64_t)t->sym[1] << 8 | (uint64_t)t->sym[2] << 16 |
		                                       (uint64_t)t->sym[3] << 24);
	}
	return h;
}

static uint64_t hash(const struct builder *b)
{
	uint64_t h = mix(b->nparams, (uint64_t)b->nnodes << 32 | b->nloops);
	for (unsigned i = 0; i < b->nparams; i++)
		h = mix(h, (uint64_t)b->out->param[i].kind << 8 | b->out->param[i].type);
	for (unsigned i = 0; i < b->nnodes; i++) {
		const struct gllm_node *n = &b->node[i];
		h = mix(h, (uint64_t)n->op | (uint64_t)n->type << 8 | (uint64_t)(uint8_t)n->loop << 16 | (uint64_t)n->a << 32 |
		               (uint64_t)n->b << 48);
		h = mix(mix(h, n->c), n->imm);
	}
	for (unsigned i = 0; i < b->nloops; i++) {
		const struct gllm_loop *l = &b->loop[i];
		h = mix_poly(b, mix(h, (uint64_t)(uint8_t)l->parent | (uint64_t)l->first << 16 | (uint64_t)l->end << 32), l->trip);
	}
	for (unsigned i = 0; i < b->naccesses; i++) {
		const struct gllm_access *a = &b->access[i];
		h = mix_poly(b, mix(h, (uint64_t)a->param | (uint64_t)a->type << 8 | (uint64_t)a->index << 16 |
		                       (uint64_t)a->index_bytes << 32), a->offset);
	}
	for (unsigned i = 0; i < b->npolys; i++)
		h = mix_poly(b, h, b->poly[i]);
	for (unsigned i = 0; i < b->nreductions; i++) {
		const struct gllm_reduction *r = &b->reduction[i];
		h = mix(h, (uint64_t)r->kind | (uint64_t)(uint8_t)r->loop << 8 | (uint64_t)r->carry << 16 |
		               (uint64_t)r->pair << 32 | (uint64_t)r->value << 48);
	}
	for (unsigned i = 0; i < b->ntables; i++) {
		const struct gllm_table *x = &b->out->table[i];
		h = mix(h, (uint64_t)x->type << 32 | x->bytes);
		for (uint32_t k = 0; k < x->bytes; k++)
			h = mix(h, x->data[k]);
	}
	return h;
}

enum gllm_status gllm_build_finish(struct builder *b, const char *name, unsigned depth, enum gllm_pattern pattern)
{
	struct gllm_composed *out = b->out;
	if (b->status != GLLM_OK)
		return b->status;
	out->depth = depth;
	out->how = (struct gllm_lower_options){ .dim = NULL };
	out->trace = (struct gllm_trace){
		.name = name, .param = out->param, .nparams = b->nparams, .nnodes = b->nnodes, .nloops = b->nloops,
		.naccesses = b->naccesses, .npolys = b->npolys, .nterms = b->nterms, .nreductions = b->nreductions,
		.table = out->table, .ntables = b->ntables,
		.pattern = pattern, .hash = hash(b),
	};
	b->arena->used = b->begin;
	out->trace.node = keep(b, b->node, b->nnodes, sizeof *b->node);
	out->trace.loop = keep(b, b->loop, b->nloops, sizeof *b->loop);
	out->trace.access = keep(b, b->access, b->naccesses, sizeof *b->access);
	out->trace.poly = keep(b, b->poly, b->npolys, sizeof *b->poly);
	out->trace.term = keep(b, b->term, b->nterms, sizeof *b->term);
	out->trace.reduction = keep(b, b->reduction, b->nreductions, sizeof *b->reduction);
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

static bool written(enum gllm_param_kind k)
{
	return k == GLLM_OUT || k == GLLM_INOUT;
}

uint8_t gllm_build_param(struct builder *b, const struct gllm_param *p, const struct gllm_source *source)
{
	struct gllm_composed *out = b->out;
	for (unsigned i = 0; i < b->nparams; i++) {
		if (same_source(&out->source[i], source) && out->param[i].type == p->type) {
			if (p->kind < GLLM_DIM && written(out->param[i].kind) != written(p->kind))
				out->param[i].kind = GLLM_INOUT;
			return (uint8_t)i;
		}
	}
	if (b->nparams == GLLM_TRACE_PARAMS) {
		gllm_build_fail(b, GLLM_COMPILE_ERROR);
		return 0;
	}
	out->param[b->nparams] = *p;
	out->source[b->nparams] = *source;
	return (uint8_t)b->nparams++;
}

void gllm_build_params(struct builder *b, struct mapping *m, const struct gllm_composed *from, uint32_t except)
{
	for (unsigned i = 0; i < from->trace.nparams; i++)
		if (!(except >> i & 1))
			m->param[i] = gllm_build_param(b, &from->param[i], &from->source[i]);
}

unsigned gllm_param_of(const struct gllm_composed *c, uint16_t tensor)
{
	unsigned i = 0;
	while (i < c->trace.nparams && !(c->source[i].kind == GLLM_FROM_TENSOR && c->source[i].tensor == tensor))
		i++;
	return i;
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
void gllm_build_term(struct builder *b, struct gllm_poly *p, struct gllm_term t)
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
		gllm_build_fail(b, GLLM_COMPILE_ERROR);
		return;
	}
	for (unsigned i = p->count; i > at; i--)
		b->term[p->first + i] = b->term[p->first + i - 1];
	b->term[p->first + at] = t;
	p->count++;
	b->nterms++;
}

/* `whole`: variables of tiled loops are read as places in all rows, not in the tile. */
static struct gllm_poly import_poly(struct builder *b, const struct mapping *m, struct gllm_poly p, bool whole)
{
	struct gllm_poly out = { .first = (uint16_t)b->nterms, .count = 0 };
	for (unsigned i = 0; i < p.count; i++) {
		const struct gllm_term *t = &m->from->term[p.first + i];
		struct gllm_term r = { .coef = t->coef }, of_tile;
		unsigned n = 0, tiled = 0, place = 0;
		for (unsigned j = 0; j < GLLM_TERM_SYMS && t->sym[j]; j++) {
			unsigned s = t->sym[j];
			if (s >= GLLM_SYM_LOOP) {
				int8_t loop = m->loop[s - GLLM_SYM_LOOP];
				if (m->tiled == (int)(s - GLLM_SYM_LOOP) && whole)
					tiled++, place = n;
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
		of_tile = r;
		gllm_build_term(b, &out, r);
		if (tiled > 1)
			gllm_build_fail(b, GLLM_COMPILE_ERROR);
		if (tiled == 1) {
			of_tile.coef = (int64_t)((uint64_t)of_tile.coef * (uint64_t)m->tile);
			of_tile.sym[place] = (uint8_t)(GLLM_SYM_LOOP + m->tile_loop);
			gllm_build_term(b, &out, of_tile);
		}
	}
	return out;
}

struct gllm_poly gllm_build_poly(struct builder *b, const struct mapping *m, struct gllm_poly p)
{
	return import_poly(b, m, p, true);
}

static bool equal(const struct builder *b, struct gllm_poly p, struct gllm_poly q)
{
	if (p.count != q.count)
		return false;
	for (unsigned i = 0; i < p.count; i++)
		if (b->term[p.first + i].coef != b->term[q.first + i].coef ||
		    compare_symbols(b->term[p.first + i].sym, b->term[q.first + i].sym) != 0)
			return false;
	return true;
}

bool gllm_build_same(struct builder *b, const struct mapping *m, struct gllm_poly p, const struct mapping *n, struct gllm_poly q)
{
	unsigned mark = b->nterms;
	struct gllm_poly x = gllm_build_poly(b, m, p), y = gllm_build_poly(b, n, q);
	b->nterms = mark;
	return equal(b, x, y);
}

/* --- nodes ---------------------------------------------------------------------------------------------------------- */

static gllm_ref mapped(const struct mapping *m, gllm_ref r)
{
	return r == GLLM_NO_NODE ? GLLM_NO_NODE : m->node[r];
}

/* The number here of a table of another trace. */
static uint8_t import_table(struct builder *b, const struct gllm_table *x)
{
	struct gllm_table *here = b->out->table;
	unsigned i = 0;
	while (i < b->ntables && (here[i].data != x->data || here[i].bytes != x->bytes || here[i].type != x->type))
		i++;
	if (i == GLLM_TRACE_TABLES) {
		gllm_build_fail(b, GLLM_COMPILE_ERROR);
		return GLLM_TRACE_PARAMS;
	}
	if (i == b->ntables)
		here[b->ntables++] = *x;
	return (uint8_t)(GLLM_TRACE_PARAMS + i);
}

static uint64_t import_access(struct builder *b, const struct mapping *m, uint64_t index)
{
	const struct gllm_access *a = &m->from->access[index];
	struct gllm_access r = *a;
	bool table = a->param >= GLLM_TRACE_PARAMS;
	r.param = table ? import_table(b, &m->from->table[a->param - GLLM_TRACE_PARAMS]) : m->param[a->param];
	r.index = mapped(m, a->index);
	r.offset = import_poly(b, m, a->offset, table || !(m->untiled >> a->param & 1));
	if (!table && m->batch_loop >= 0 && m->stride[a->param])
		gllm_build_term(b, &r.offset, (struct gllm_term){ .coef = (int64_t)m->stride[a->param],
		                                                  .sym = { (uint8_t)(GLLM_SYM_LOOP + m->batch_loop) } });
	for (unsigned i = 0; i < b->naccesses; i++) {
		const struct gllm_access *o = &b->access[i];
		if (o->param == r.param && o->type == r.type && o->index == r.index && o->index_bytes == r.index_bytes &&
		    equal(b, o->offset, r.offset)) {
			b->nterms = r.offset.first;
			return i;
		}
	}
	if (b->naccesses == MAX_ACCESSES) {
		gllm_build_fail(b, GLLM_COMPILE_ERROR);
		return 0;
	}
	b->access[b->naccesses] = r;
	return b->naccesses++;
}

static gllm_ref append(struct builder *b, struct gllm_node n)
{
	if (b->nnodes == GLLM_BUILD_NODES) {
		gllm_build_fail(b, GLLM_COMPILE_ERROR);
		return 0;
	}
	b->node[b->nnodes] = n;
	return (gllm_ref)b->nnodes++;
}

gllm_ref gllm_build_node(struct builder *b, struct mapping *m, unsigned index, int8_t loop)
{
	struct gllm_node n = m->from->node[index];
	n.loop = loop;
	n.a = mapped(m, n.a);
	if (n.op != GLLM_N_CARRY)
		n.b = mapped(m, n.b);
	n.c = mapped(m, n.c);
	if (n.op == GLLM_N_LOAD || n.op == GLLM_N_STORE) {
		n.imm = import_access(b, m, n.imm);
	} else if (n.op == GLLM_N_SCALAR) {
		n.imm = m->param[n.imm];
	} else if (n.op == GLLM_N_INDEX) {
		struct gllm_poly p = gllm_build_poly(b, m, m->from->poly[n.imm]);
		if (b->npolys == MAX_POLYS)
			gllm_build_fail(b, GLLM_COMPILE_ERROR);
		else
			b->poly[b->npolys] = p, n.imm = b->npolys++;
	}
	m->node[index] = append(b, n);
	return m->node[index];
}

static bool widens_back(const struct builder *b, const struct mapping *m, const struct gllm_node *n)
{
	if (n->op != GLLM_N_CVT || n->type != GLLM_F32)
		return false;
	const struct gllm_node *from = &b->node[mapped(m, n->a)];
	return from->op == GLLM_N_CVT && (from->type == GLLM_F16 || from->type == GLLM_BF16) &&
	       b->node[from->a].type == GLLM_F32;
}

void gllm_build_value(struct builder *b, struct mapping *m, unsigned index, int8_t loop)
{
	const struct gllm_node *n = &m->from->node[index];
	if (widens_back(b, m, n))
		m->node[index] = b->node[mapped(m, n->a)].a;
	else
		gllm_build_node(b, m, index, loop);
}

void gllm_build_close(struct builder *b, const struct mapping *m)
{
	for (unsigned i = 0; i < m->from->nnodes; i++)
		if (m->from->node[i].op == GLLM_N_CARRY)
			b->node[m->node[i]].b = mapped(m, m->from->node[i].b);
	for (unsigned i = 0; i < m->from->nreductions; i++) {
		struct gllm_reduction r = m->from->reduction[i];
		r.loop = m->loop[r.loop];
		r.carry = mapped(m, r.carry);
		r.pair = mapped(m, r.pair);
		r.value = mapped(m, r.value);
		if (b->nreductions == MAX_REDUCTIONS)
			gllm_build_fail(b, GLLM_COMPILE_ERROR);
		else
			b->reduction[b->nreductions++] = r;
	}
}

bool gllm_build_constant(const struct gllm_node *n)
{
	return n->op == GLLM_N_CONST || n->op == GLLM_N_SCALAR;
}

void gllm_build_constants(struct builder *b, struct mapping *m)
{
	for (unsigned i = 0; i < m->from->nnodes; i++)
		if (m->from->node[i].loop < 0 && gllm_build_constant(&m->from->node[i]))
			gllm_build_node(b, m, i, -1);
}

/* --- loops ---------------------------------------------------------------------------------------------------------- */

void gllm_build_loops(struct builder *b, struct mapping *m)
{
	unsigned first = b->nloops;
	if (first + m->from->nloops > GLLM_TRACE_LOOPS) {
		gllm_build_fail(b, GLLM_COMPILE_ERROR);
		return;
	}
	for (unsigned i = 0; i < m->from->nloops; i++) {
		struct gllm_loop l = m->from->loop[i];
		m->loop[i] = (int8_t)(first + i);
		l.parent = l.parent < 0 ? -1 : m->loop[l.parent];
		l.trip = gllm_build_poly(b, m, l.trip);
		b->loop[b->nloops++] = l;
	}
}

void gllm_build_bounds(struct builder *b, const struct mapping *m, unsigned at)
{
	for (unsigned l = 0; l < m->from->nloops; l++) {
		if (m->loop[l] < 0)
			continue;
		if (m->from->loop[l].first == at)
			b->loop[m->loop[l]].first = (gllm_ref)b->nnodes;
		if (m->from->loop[l].end == at)
			b->loop[m->loop[l]].end = (gllm_ref)b->nnodes;
	}
}

bool gllm_is_chain(const struct gllm_trace *t)
{
	for (unsigned i = 0; i < t->nloops; i++)
		if (t->loop[i].parent != (int8_t)i - 1)
			return false;
	return true;
}

bool gllm_is_map(const struct gllm_trace *t)
{
	if (!gllm_is_chain(t))
		return false;
	for (unsigned i = 0; i < t->nnodes; i++) {
		const struct gllm_node *n = &t->node[i];
		if (n->op == GLLM_N_CARRY || (n->op == GLLM_N_STORE && n->loop != (int8_t)t->nloops - 1))
			return false;
	}
	return true;
}

gllm_ref gllm_only_store(const struct gllm_trace *t, unsigned param)
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

bool gllm_match_loops(struct builder *b, struct mapping *m, const struct mapping *n, int8_t loop, const char **why)
{
	const struct gllm_loop *around = n->from->loop;
	unsigned i = m->from->nloops;
	int8_t l = loop;
	for (; i > 0 && l >= 0; l = around[l].parent)
		m->loop[--i] = n->loop[l];
	if (i > 0 || l >= 0) {
		*why = "the loop nests differ in depth";
		return false;
	}
	l = loop;
	for (i = m->from->nloops; i-- > 0; l = around[l].parent) {
		if (!gllm_build_same(b, m, m->from->loop[i].trip, n, around[l].trip)) {
			*why = "the loop nests differ in length";
			return false;
		}
	}
	return true;
}
