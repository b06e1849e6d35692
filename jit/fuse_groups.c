/* SPDX-License-Identifier: MIT
 * jit/fuse_groups.c - the second step of fusion: units that run as one group, and the group's parts (fuse.h).
 *
 * A group is named by one of its units. Products that read one input stand side by side; a norm that feeds them goes first:
 * once for all rows (ComputeRoot), or for a tile of rows at a time into the worker's memory (TileLevelFusion). */
#include "core/bits.h"
#include "jit/context.h"
#include "jit/fuse_state.h"

static bool is_product(const struct fuser *x, unsigned unit)
{
	return x->unit[unit].code && x->dag->node[unit].class == GLLM_OPCLASS_GEMM;
}

static unsigned shared_tensor(const struct fuser *x, unsigned unit)
{
	const struct gllm_composed *c = x->unit[unit].code;
	unsigned p = gllm_shared_operand(&c->trace);
	return p < c->trace.nparams && c->source[p].kind == GLLM_FROM_TENSOR ? c->source[p].tensor : GLLM_NO_TENSOR;
}

static void join(struct fuser *x, uint16_t from, uint16_t to)
{
	for (unsigned i = 0; i < x->g->nnodes; i++)
		if (x->unit[i].group == from)
			x->unit[i].group = to;
}

/* --- products of one input -------------------------------------------------------------------------------------------- */

/* Whether unit `u` and any of group `group` read of each other. */
static bool related(const struct fuser *x, uint16_t group, uint16_t u)
{
	for (unsigned i = 0; i < x->g->nnodes; i++)
		if (x->unit[i].code && x->unit[i].group == group &&
		    (gllm_fuse_reads(x, (uint16_t)i, u) || gllm_fuse_reads(x, u, (uint16_t)i)))
			return true;
	return false;
}

static void gather_products(struct fuser *x)
{
	for (unsigned i = 0; i < x->g->nnodes; i++) {
		if (!is_product(x, i) || x->unit[i].group != i)
			continue;
		unsigned tensor = shared_tensor(x, i);
		for (unsigned k = i + 1; k < x->g->nnodes && tensor != GLLM_NO_TENSOR; k++) {
			if (!is_product(x, k) || x->unit[k].group != k || shared_tensor(x, k) != tensor)
				continue;
			struct offer o = { .anchor = (uint16_t)i, .other = (uint16_t)k, .third = GLLM_NO_PRODUCER,
				.tensor = (uint16_t)tensor, .reader = (uint16_t)k };
			const char *why = related(x, o.anchor, o.other) ? "one product needs the other"
			                  : gllm_fuse_circular(x, o.anchor, o.other, GLLM_NO_PRODUCER, true)
			                      ? "another operand needs the group's result first" : NULL;
			gllm_fuse_note(x, &o, !why, why ? why : "products of one input run side by side");
			if (why)
				continue;
			join(x, o.other, o.anchor);
			x->unit[i].saved += x->unit[k].saved;
			x->unit[i].mode = x->unit[k].mode = GLLM_MODE_QKV;
		}
	}
}

/* --- the norm before them --------------------------------------------------------------------------------------------- */

/* Units of group `name` in an order that can run: the norm, then the products. */
static unsigned members(const struct fuser *x, uint16_t name, const struct gllm_composed **code, uint16_t *unit)
{
	unsigned n = 0;
	for (unsigned first = 0; first < 2; first++)
		for (unsigned i = 0; i < x->g->nnodes && n < x->g->nnodes; i++)
			if (x->unit[i].code && x->unit[i].group == name && (x->unit[name].norm == i) == !first) {
				code[n] = x->unit[i].code;
				unit[n++] = (uint16_t)i;
			}
	return n;
}

/* The one group of products that reads `tensor` as its shared input; the reason why there is none otherwise. */
static const char *readers_group(const struct fuser *x, uint16_t tensor, uint16_t *group)
{
	*group = GLLM_NO_PRODUCER;
	for (unsigned r = x->dag->first_reader[tensor]; r < x->dag->first_reader[tensor + 1]; r++) {
		uint16_t u = x->unit_of[x->dag->edge[x->dag->readers[r]].to];
		if (!is_product(x, u) || shared_tensor(x, u) != tensor)
			return "the norm has readers that are no products of it";
		if (*group != GLLM_NO_PRODUCER && x->unit[u].group != *group)
			return "the norm's readers are in different groups";
		*group = x->unit[u].group;
	}
	return *group == GLLM_NO_PRODUCER ? "nothing reads the norm" : NULL;
}

static bool reads_packed(const struct fuser *x, uint16_t group)
{
	for (unsigned i = 0; i < x->g->nnodes; i++)
		for (unsigned q = 0; x->unit[i].code && x->unit[i].group == group && q < x->unit[i].code->trace.nparams; q++)
			if (x->unit[i].code->source[q].lanes)
				return true;
	return false;
}

/* Rows of a tile, or 0 and why the norm is done for all rows first. */
static uint64_t choose_tile(struct fuser *x, uint16_t norm, uint16_t group, uint16_t tensor, const char **why)
{
	const struct gllm_graph_tensor_entry *t = &x->g->tensor[tensor];
	const struct gllm_profile *p = &x->c->profile;
	uint64_t rows = gllm_dim_value(t->rows, x->g->max_rows), cores = p->cores ? p->cores : 1;
	if (rows > GLLM_PACK_ROWS && t->kind == GLLM_TENSOR_VALUE) {
		*why = "the products are blocked over all rows: the norm goes before them";
		return 0;
	}
	if (reads_packed(x, group)) {
		*why = "the products read packed weights: the norm goes before them";
		return 0;
	}
	if (gllm_tensor_bytes(x->g, tensor) <= gllm_l1_budget(p)) {
		*why = "the norm's result fits 75 % of the L1 cache: all rows first";
		return 0;
	}
	unsigned columns = 1;
	for (unsigned i = 0; i < x->g->nnodes; i++) /* of the widest product */
		for (unsigned k = 0; x->unit[i].code && x->unit[i].group == group && i != norm && k < x->unit[i].code->trace.nloops; k++) {
			const struct gllm_poly trip = x->unit[i].code->trace.loop[k].trip;
			const struct gllm_term *term = &x->unit[i].code->trace.term[trip.first];
			if (k == 1 && trip.count == 1 && !term->sym[0] && term->coef > columns && term->coef < INT32_MAX)
				columns = (unsigned)term->coef;
		}
	struct gllm_blocking b = gllm_blocking(p, rows, columns, t->cols, gllm_type_bytes((enum gllm_type)t->type));
	if (t->kind != GLLM_TENSOR_VALUE)
		*why = "the norm's result leaves the graph: all rows first";
	else if (rows < 2 || b.mc == 0)
		*why = "a single row is no tile: it is done first";
	else if ((rows + b.mc - 1) / b.mc < cores)
		*why = "fewer tiles than cores: all rows first";
	else
		return b.mc;
	return 0;
}

static void add_norm(struct fuser *x, uint16_t norm)
{
	const struct gllm_composed *c = x->unit[norm].code;
	uint16_t tensor = GLLM_NO_TENSOR, group;
	unsigned outputs = 0;
	for (unsigned i = 0; i < c->trace.nparams; i++)
		if (c->trace.param[i].kind == GLLM_OUT || c->trace.param[i].kind == GLLM_INOUT) {
			tensor = c->source[i].tensor;
			outputs++;
		}
	struct offer o = { .anchor = norm, .third = GLLM_NO_PRODUCER, .tensor = tensor };
	if (outputs != 1 || x->dag->first_reader[tensor] == x->dag->first_reader[tensor + 1])
		return;
	o.reader = x->dag->edge[x->dag->readers[x->dag->first_reader[tensor]]].to;
	const char *why = readers_group(x, tensor, &group), *how = NULL;
	if (!why && gllm_fuse_circular(x, norm, group, GLLM_NO_PRODUCER, true))
		why = "another operand needs the group's result first";
	if (why) {
		gllm_fuse_note(x, &o, false, why);
		return;
	}
	join(x, norm, group);
	x->unit[group].norm = norm;
	x->unit[group].tile = choose_tile(x, norm, group, tensor, &how);
	x->unit[group].saved += x->unit[norm].saved;
	x->unit[norm].mode = GLLM_MODE_ROOT;
	if (x->unit[group].mode == GLLM_MODE_STANDALONE)
		x->unit[group].mode = GLLM_MODE_ROOT;
	gllm_fuse_note(x, &o, true, how ? how : "the norm's result exceeds 75 % of the L1 cache: a tile of rows at a time");
}

void gllm_fuse_groups(struct fuser *x)
{
	gather_products(x);
	for (unsigned i = 0; i < x->g->nnodes; i++)
		if (x->unit[i].code && x->unit[i].code->trace.pattern == GLLM_PATTERN_NORM && x->unit[i].group == i)
			add_norm(x, (uint16_t)i);
}

/* --- parts ------------------------------------------------------------------------------------------------------------ */

struct emitter {
	struct fuser *x;
	struct gllm_group *g;
	uint16_t *unit;                    /* members */
	const struct gllm_composed **code;
	unsigned n;
};

/* The nodes of unit `u` among those of its group. */
static const uint16_t *nodes_of(struct emitter *m, uint16_t u, unsigned *n)
{
	uint16_t *node = gllm_alloc_array(m->x->arena, m->g->n, sizeof *node, 8);
	*n = 0;
	for (unsigned i = 0; node && i < m->g->n; i++)
		if (m->x->unit_of[m->g->node[i]] == u)
			node[(*n)++] = m->g->node[i];
	return node;
}

/* NULL: out of memory. */
static struct gllm_part *add_part(struct emitter *m, const struct gllm_composed *code, unsigned mode)
{
	struct gllm_part *p = &m->g->part[m->g->nparts];
	struct gllm_source *source = gllm_alloc_array(m->x->arena, code->trace.nparams + 1, sizeof *source, 8);
	if (!source)
		return NULL;
	m->g->nparts++;
	*p = (struct gllm_part){ .code = code, .source = source, .mode = (enum gllm_mode)mode, .node = m->g->node, .n = m->g->n };
	for (unsigned i = 0; i < code->trace.nparams; i++)
		p->source[i] = code->source[i];
	return p;
}

static enum gllm_status add_unit(struct emitter *m, unsigned i)
{
	const struct unit *u = &m->x->unit[m->unit[i]];
	struct gllm_part *p = add_part(m, m->code[i], u->mode);
	uint16_t norm = m->x->unit[m->unit[0]].group;
	if (!p)
		return GLLM_OUT_OF_MEMORY;
	norm = m->x->unit[norm].norm;
	p->node = nodes_of(m, m->unit[i], &p->n);
	p->beside = i > 0 && m->unit[i - 1] != norm;
	return p->node ? GLLM_OK : GLLM_OUT_OF_MEMORY;
}

/* The same part for the rows behind the last whole tile; `tensor` lies in the group's scratch `scratch`. */
static bool to_rest(struct gllm_part *p, uint64_t tile, uint16_t tensor, uint16_t scratch)
{
	for (unsigned i = 0; i < p->code->trace.nparams; i++) {
		struct gllm_source *s = &p->source[i];
		int64_t stride;
		if (s->kind == GLLM_FROM_ROWS) {
			if (s->at.fixed || s->at.per_row != 1 || s->at.block)
				return false;
			s->at.block = (uint32_t)tile;
			s->at.rest = true;
		} else if (s->kind == GLLM_FROM_TENSOR && s->tensor == tensor) {
			*s = (struct gllm_source){ .kind = GLLM_FROM_SCRATCH, .tensor = scratch };
		} else if (s->kind == GLLM_FROM_TENSOR) {
			if (!gllm_row_stride(p->code, i, &stride))
				return false;
			if (stride)
				s->at = (struct gllm_linear){ .per_row = stride * (int64_t)tile, .block = (uint32_t)tile };
		}
	}
	return true;
}

/* Whole tiles in one kernel, beside it the norm of the rows left over and then their products. Fails, and no part is added: OUT_OF_MEMORY;
 * otherwise not in tiles, and *why says why if it is not NULL. */
static enum gllm_status emit_tiles(struct emitter *m, uint16_t tensor, uint64_t tile, const char **why)
{
	struct fuser *x = m->x;
	struct gllm_fusion *f = x->f;
	struct gllm_composed *all = gllm_alloc(x->arena, sizeof *all, 8);
	uint64_t row = x->g->tensor[tensor].cols * gllm_type_bytes((enum gllm_type)x->g->tensor[tensor].type);
	bool rest = x->g->tensor[tensor].rows == GLLM_ROWS;
	enum gllm_status s = all ? gllm_compose_rows(m->code[0], m->code + 1, m->n - 1, tensor, tile, x->arena, all, why) : GLLM_OUT_OF_MEMORY;
	if (s == GLLM_OK)
		s = gllm_keeps_limits(all, &x->c->profile, 0, *x->arena, why);
	if (s == GLLM_OK && !add_part(m, all, GLLM_MODE_TILE))
		s = GLLM_OUT_OF_MEMORY;
	for (unsigned i = 0; i < m->n && rest && s == GLLM_OK; i++) {
		struct gllm_part *p = &m->g->part[m->g->nparts];
		s = add_unit(m, i);
		if (s == GLLM_OK && !to_rest(p, tile, tensor, (uint16_t)f->nscratch)) {
			*why = "the rows behind the last tile cannot be told apart";
			s = GLLM_UNSUPPORTED;
		}
		p->beside = p->beside || i == 0;
		p->mode = GLLM_MODE_TILE;
	}
	if (s != GLLM_OK) {
		m->g->nparts = 0;
		return s;
	}
	if (rest)
		f->scratch[f->nscratch++] = (struct gllm_scratch){ .group = (uint16_t)(m->g - f->group), .bytes = (tile - 1) * row };
	if (tile * row > f->worker_bytes)
		f->worker_bytes = tile * row;
	m->g->bytes_saved += 2 * gllm_tensor_bytes(x->g, tensor);
	m->g->mode = GLLM_MODE_TILE;
	return GLLM_OK;
}

enum gllm_status gllm_fuse_parts(struct fuser *x, unsigned group)
{
	struct gllm_group *g = &x->f->group[group];
	uint16_t name = x->unit[x->unit_of[g->node[0]]].group;
	struct emitter m = { .x = x, .g = g };
	const char *why = NULL;
	m.unit = gllm_alloc_array(x->arena, g->n, sizeof *m.unit, 8);
	m.code = gllm_alloc_array(x->arena, g->n, sizeof *m.code, 8);
	g->part = gllm_alloc_array(x->arena, g->n + 1u, sizeof *g->part, 8);
	if (!m.unit || !m.code || !g->part)
		return GLLM_OUT_OF_MEMORY;
	m.n = members(x, name, m.code, m.unit);
	g->mode = (enum gllm_mode)x->unit[name].mode;
	g->bytes_saved = x->unit[name].saved;
	uint16_t norm = x->unit[name].norm, tensor = GLLM_NO_TENSOR;
	for (unsigned i = 0; i < x->dag->nedges && norm != GLLM_NO_PRODUCER; i++)
		if (x->unit_of[x->dag->edge[i].from] == norm && x->unit_of[x->dag->edge[i].to] != norm)
			tensor = x->dag->edge[i].tensor;
	if (x->unit[name].tile) {
		enum gllm_status s = emit_tiles(&m, tensor, x->unit[name].tile, &why);
		if (s == GLLM_OK || s == GLLM_OUT_OF_MEMORY)
			return s;
		struct offer o = { .tensor = tensor, .reader = m.unit[1] };
		gllm_fuse_note(x, &o, false, why ? why : "no tile of rows: all rows first");
	}
	for (unsigned i = 0; i < m.n; i++)
		if (add_unit(&m, i) != GLLM_OK)
			return GLLM_OUT_OF_MEMORY;
	if (tensor != GLLM_NO_TENSOR && x->g->tensor[tensor].kind == GLLM_TENSOR_VALUE)
		g->rooted = tensor;
	return GLLM_OK;
}
