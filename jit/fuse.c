/* SPDX-License-Identifier: MIT
 * jit/fuse.c - see fuse.h: nodes to units, the steps in turn, an order of groups that can run. */
#include "jit/fuse_state.h"
#include "core/bits.h"
#include "core/hash.h"
#include "jit/context.h"
#include "jit/retype.h"

enum { TILE_ELEMENTS = 256 }; /* least piece of a plain loop that a worker takes (jit/lower.c) */

const char *gllm_mode_name(enum gllm_mode m)
{
	static const char *const name[] = {
#define M(id, words) [GLLM_MODE_##id] = words,
		GLLM_MODES(M)
#undef M
	};
	return (unsigned)m < GLLM_MODE_COUNT ? name[m] : "unknown mode";
}

static const struct gllm_op_entry *op_of(const struct fuser *x, unsigned node)
{
	return &x->c->op[x->g->node[node].op];
}

/* The symbolic row count is a plain number when a graph has at most one row, but for what is composed in common. */
static bool symbolic(const struct fuser *x, uint64_t dim)
{
	return dim == GLLM_ROWS && (x->g->max_rows > 1 || x->common);
}

/* Of all that what node `node` applies is a function of. */
static uint64_t applied_key(const struct fuser *x, unsigned node)
{
	const struct gllm_graph_node_entry *n = &x->g->node[node];
	const struct gllm_op_entry *o = op_of(x, node);
	uint64_t h = gllm_hash_word(gllm_hash_word(GLLM_HASH_SEED, n->op), symbolic(x, n->batch) ? GLLM_ROWS : gllm_dim_value(n->batch, 1));
	for (unsigned i = 0; i < o->nparams; i++) {
		const struct gllm_actual *actual = &n->actual[i];
		const struct gllm_graph_tensor_entry *t;
		switch (o->param[i].kind) {
		case GLLM_DIM:
			h = gllm_hash_word(h, symbolic(x, actual->dim) ? GLLM_ROWS : gllm_dim_value(actual->dim, 1));
			break;
		case GLLM_SCALAR:
			h = gllm_hash_word(h, gllm_f32_bits(actual->scalar));
			break;
		case GLLM_IN: case GLLM_OUT: case GLLM_INOUT: case GLLM_WEIGHT:
			t = &x->g->tensor[actual->tensor];
			h = gllm_hash_word(h, actual->tensor | (uint64_t)t->type << 16 | (uint64_t)(n->batch != 1 && t->rows == n->batch) << 24 |
			                          (uint64_t)(t->packing.n > 1 && t->packing.k > 1) << 25 | (uint64_t)t->packing.lanes << 32);
			h = gllm_hash_word(h, t->cols);
			break;
		}
	}
	return h;
}

static enum gllm_status apply(struct fuser *x, unsigned node, struct gllm_arena *arena, struct gllm_composed *out)
{
	const struct gllm_graph_node_entry *n = &x->g->node[node];
	const struct gllm_op_entry *o = op_of(x, node);
	struct gllm_applied a = { .batch = symbolic(x, n->batch) ? -1 : (int64_t)gllm_dim_value(n->batch, 1) };
	uint8_t type[GLLM_MAX_PARAMS];
	const char *why = NULL;
	enum gllm_status s = gllm_op_trace(x->c, n->op, &a.trace, x->e);
	if (s != GLLM_OK)
		return s;
	for (unsigned i = 0; i < o->nparams; i++)
		type[i] = (uint8_t)(o->param[i].kind < GLLM_DIM ? x->g->tensor[n->actual[i].tensor].type : o->param[i].type);
	s = gllm_retype(a.trace, type, x->arena, &a.trace, &why);
	if (s != GLLM_OK)
		return why ? gllm_fail(x->e, s, why, o->name, node, 0, 0) : s;
	for (unsigned i = 0; i < o->nparams; i++) {
		const struct gllm_actual *actual = &n->actual[i];
		switch (o->param[i].kind) {
		case GLLM_DIM:
			a.source[i].kind = symbolic(x, actual->dim) ? GLLM_FROM_ROWS : GLLM_FROM_SCALAR;
			a.source[i].at = GLLM_ALL_ROWS;
			a.dim[i] = (int64_t)gllm_dim_value(actual->dim, 1);
			break;
		case GLLM_SCALAR:
			a.source[i] = (struct gllm_source){ .kind = GLLM_FROM_SCALAR, .scalar = actual->scalar };
			break;
		case GLLM_IN: case GLLM_OUT: case GLLM_INOUT: case GLLM_WEIGHT: {
			const struct gllm_graph_tensor_entry *t = &x->g->tensor[actual->tensor];
			a.source[i] = (struct gllm_source){ .kind = GLLM_FROM_TENSOR, .tensor = actual->tensor };
			if (t->packing.n > 1 && t->packing.k > 1)
				a.source[i].lanes = (uint16_t)t->packing.lanes;
			else if (t->packing.lanes) /* one row or column lies packed as it lies anyway */
				a.source[i].at.fixed = GLLM_PACKED_HEADER;
			if (n->batch != 1 && t->rows == n->batch)
				a.stride[i] = t->cols * gllm_type_bytes(t->type);
			break;
		}
		}
	}
	s = gllm_compose_one(&a, arena, out);
	return s == GLLM_OK ? s : gllm_fail(x->e, s, "the operator's trace exceeds a limit of composition", o->name, node, 0, 0);
}

/* Whether two nodes apply an operator alike, but for which tensors they take, of which none twice. */
static bool applied_alike(const struct fuser *x, unsigned a, unsigned b)
{
	const struct gllm_graph_node_entry *n = &x->g->node[a], *m = &x->g->node[b];
	if (n->op != m->op || n->batch != m->batch)
		return false;
	for (unsigned i = 0; i < op_of(x, a)->nparams; i++) {
		const struct gllm_actual *p = &n->actual[i], *q = &m->actual[i];
		const struct gllm_graph_tensor_entry *t, *u;
		switch (op_of(x, a)->param[i].kind) {
		case GLLM_DIM:
			if (p->dim != q->dim)
				return false;
			break;
		case GLLM_SCALAR:
			if (gllm_f32_bits(p->scalar) != gllm_f32_bits(q->scalar))
				return false;
			break;
		case GLLM_IN: case GLLM_OUT: case GLLM_INOUT: case GLLM_WEIGHT:
			t = &x->g->tensor[p->tensor];
			u = &x->g->tensor[q->tensor];
			if (t->type != u->type || t->rows != u->rows || t->cols != u->cols || t->packing.lanes || u->packing.lanes)
				return false;
			for (unsigned k = 0; k < i; k++)
				if (op_of(x, a)->param[k].kind < GLLM_DIM && (n->actual[k].tensor == p->tensor || m->actual[k].tensor == q->tensor))
					return false;
			break;
		}
	}
	return true;
}

/* What node `a` applies, `code`, with the tensors of node `b`; NULL: out of memory. */
static const struct gllm_composed *apply_again(const struct fuser *x, unsigned a, const struct gllm_composed *code, unsigned b)
{
	const struct gllm_graph_node_entry *n = &x->g->node[a], *m = &x->g->node[b];
	struct gllm_composed *out = gllm_alloc(x->arena, sizeof *out, 8);
	if (!out)
		return NULL;
	*out = *code;
	for (unsigned q = 0; q < code->trace.nparams; q++)
		for (unsigned i = 0; i < op_of(x, a)->nparams && code->source[q].kind == GLLM_FROM_TENSOR; i++)
			if (op_of(x, a)->param[i].kind < GLLM_DIM && n->actual[i].tensor == code->source[q].tensor)
				out->source[q].tensor = m->actual[i].tensor;
	return out;
}

/* What node `i` applies, as the code of its unit. */
static enum gllm_status apply_or_find(struct fuser *x, unsigned i)
{
	struct unit *u = &x->unit[i];
	struct gllm_memo *memo = &x->c->memo;
	u->key = applied_key(x, i);
	const struct gllm_composition *kept = gllm_memo_find(memo, u->key);
	if (kept) {
		u->code = kept->code;
		return GLLM_OK;
	}
	struct gllm_arena *arena = gllm_memo_room(memo, x->arena);
	struct gllm_composed *code = gllm_alloc(arena, sizeof *code, 8);
	enum gllm_status s = code ? apply(x, i, arena, code) : GLLM_OUT_OF_MEMORY;
	if (s == GLLM_OK)
		gllm_memo_keep(memo, arena, (struct gllm_composition){ .key = u->key, .code = code });
	u->code = code;
	return s;
}

/* Node `i` as a unit of its own. */
static enum gllm_status begin_unit(struct fuser *x, unsigned i)
{
	struct unit *u = &x->unit[i];
	unsigned like = 0;
	while (like < i && !applied_alike(x, like, i))
		like++;
	if (like == i)
		return apply_or_find(x, i);
	u->key = applied_key(x, i);
	u->code = apply_again(x, like, x->unit[like].code, i);
	return u->code ? GLLM_OK : GLLM_OUT_OF_MEMORY;
}

/* --- what the steps ask ----------------------------------------------------------------------------------------------- */

void gllm_fuse_note(struct fuser *x, const struct offer *o, bool accepted, const char *why)
{
	struct gllm_fusion *f = x->f;
	uint16_t producer = x->g->tensor[o->tensor].producer, from = producer == GLLM_NO_PRODUCER ? o->anchor : producer;
	if (f->nnotes < f->max_notes)
		f->note[f->nnotes++] = (struct gllm_note){ from, o->reader, o->tensor, accepted, why, o->bytes };
}

static uint16_t label(const struct fuser *x, uint16_t node, bool groups)
{
	return groups ? x->unit[x->unit_of[node]].group : x->unit_of[node];
}

bool gllm_fuse_circular(struct fuser *x, uint16_t a, uint16_t b, uint16_t c, bool groups)
{
	bool again = true;
	for (unsigned i = 0; i < x->g->nnodes; i++)
		x->reached[i] = false;
	while (again) { /* once more if a unit of early and late nodes was reached late */
		again = false;
		for (unsigned i = 0; i < x->dag->nedges; i++) {
			uint16_t from = label(x, x->dag->edge[i].from, groups), to = label(x, x->dag->edge[i].to, groups);
			bool in = to == a || to == b || to == c;
			if (from == to || (!x->reached[from] && from != a && from != b && from != c))
				continue;
			if (in && x->reached[from])
				return true;
			if (!in && !x->reached[to])
				x->reached[to] = again = true;
		}
	}
	return false;
}

bool gllm_fuse_reads(const struct fuser *x, uint16_t a, uint16_t b)
{
	for (unsigned i = 0; i < x->dag->nedges; i++)
		if (x->unit_of[x->dag->edge[i].from] == a && x->unit_of[x->dag->edge[i].to] == b)
			return true;
	return false;
}

/* --- order ------------------------------------------------------------------------------------------------------------ */

static bool reads(const struct fuser *x, unsigned node, unsigned param)
{
	enum gllm_param_kind k = op_of(x, node)->param[param].kind;
	return k == GLLM_IN || k == GLLM_WEIGHT;
}

/* Whether all that group `g` needs of others is placed. */
static bool ready(const struct fuser *x, unsigned g, const bool *placed)
{
	for (unsigned i = 0; i < x->g->nnodes; i++) {
		for (unsigned p = 0; x->f->group_of[i] == g && p < op_of(x, i)->nparams; p++) {
			if (!reads(x, i, p))
				continue;
			uint16_t from = x->g->tensor[x->g->node[i].actual[p].tensor].producer;
			if (from != GLLM_NO_PRODUCER && x->f->group_of[from] != g && !placed[x->f->group_of[from]])
				return false;
		}
	}
	return true;
}

/* Kahn's algorithm over groups, which are named by a node of theirs, lowest name first. */
static enum gllm_status order(struct fuser *x)
{
	struct gllm_fusion *f = x->f;
	unsigned n = x->g->nnodes, live = 0, at = 0;
	uint16_t *place = gllm_alloc_array(x->arena, n + 1u, sizeof *place, 8), *node = gllm_alloc_array(x->arena, n + 1u, sizeof *node, 8);
	bool *placed = gllm_alloc_array(x->arena, n + 1u, sizeof *placed, 1), *named = gllm_alloc_array(x->arena, n + 1u, sizeof *named, 1);
	f->group = gllm_alloc_array(x->arena, n + 1u, sizeof *f->group, 8);
	if (!place || !placed || !named || !f->group || !node)
		return GLLM_OUT_OF_MEMORY;
	for (unsigned i = 0; i < n; i++)
		placed[i] = named[i] = false;
	for (unsigned i = 0; i < n; i++) {
		live += !named[f->group_of[i]];
		named[f->group_of[i]] = true;
	}
	while (f->ngroups < live) {
		unsigned next = 0;
		while (next < n && (!named[next] || placed[next] || !ready(x, next, placed)))
			next++;
		if (next == n)
			return gllm_fail(x->e, GLLM_CYCLE, "fused groups depend on each other in a circle", x->g->name, f->ngroups, live,
			                 f->ngroups);
		struct gllm_group *g = &f->group[f->ngroups];
		*g = (struct gllm_group){ .node = node + at, .mode = GLLM_MODE_STANDALONE, .rooted = GLLM_NO_TENSOR };
		for (unsigned i = 0; i < n; i++)
			if (f->group_of[i] == next)
				node[at++] = (uint16_t)i, g->n++;
		placed[next] = true;
		place[next] = (uint16_t)f->ngroups++;
	}
	for (unsigned i = 0; i < n; i++)
		f->group_of[i] = place[f->group_of[i]];
	return GLLM_OK;
}

/* --- driver ----------------------------------------------------------------------------------------------------------- */

/* Of what a node computes, what one step of its outermost loop leaves behind: a row; of a plain loop, a tile of elements. */
static uint64_t bytes_at_a_time(const struct fuser *x, unsigned node)
{
	const struct gllm_graph_node_entry *n = &x->g->node[node];
	uint64_t bytes = 0;
	for (unsigned p = 0; p < op_of(x, node)->nparams; p++) {
		if (op_of(x, node)->param[p].kind != GLLM_OUT)
			continue;
		const struct gllm_graph_tensor_entry *t = &x->g->tensor[n->actual[p].tensor];
		uint64_t all = gllm_tensor_bytes(x->g, n->actual[p].tensor), row = t->cols * gllm_type_bytes(t->type);
		uint64_t tile = (uint64_t)TILE_ELEMENTS * gllm_type_bytes(t->type);
		bool plain = x->unit[node].code->trace.nloops <= 1;
		bytes += n->batch != 1 && !plain && t->rows == n->batch ? row : plain && tile < all ? tile : all;
	}
	return bytes;
}

static enum gllm_status begin(struct fuser *x, bool scalar)
{
	unsigned n = x->g->nnodes, t = x->g->ntensors;
	struct gllm_fusion *f = x->f;
	f->max_notes = 8 * n;
	f->group_of = gllm_alloc_array(x->arena, n + 1u, sizeof *f->group_of, 8);
	f->note = gllm_alloc_array(x->arena, f->max_notes + 1u, sizeof *f->note, 8);
	f->scratch = gllm_alloc_array(x->arena, n + 1u, sizeof *f->scratch, 8);
	x->unit = gllm_alloc_array(x->arena, n + 1u, sizeof *x->unit, 8);
	x->unit_of = gllm_alloc_array(x->arena, n + 1u, sizeof *x->unit_of, 8);
	x->reached = gllm_alloc_array(x->arena, n + 1u, sizeof *x->reached, 8);
	x->keep = gllm_alloc_array(x->arena, t + 1u, sizeof *x->keep, 8);
	const struct gllm_composed **own = gllm_alloc_array(x->arena, n + 1u, sizeof *own, 8);
	if (!f->group_of || !f->note || !f->scratch || !x->unit || !x->unit_of || !x->reached || !x->keep || !own)
		return GLLM_OUT_OF_MEMORY;
	if (!scalar)
		gllm_memo_begin(x->c);
	for (unsigned i = 0; i < n; i++) {
		f->group_of[i] = x->unit_of[i] = (uint16_t)i;
		x->unit[i] = (struct unit){ .mode = GLLM_MODE_STANDALONE, .group = (uint16_t)i, .norm = GLLM_NO_PRODUCER };
		if (scalar)
			continue;
		enum gllm_status s = begin_unit(x, i);
		if (s != GLLM_OK)
			return s;
		own[i] = x->unit[i].code;
		x->unit[i].chain_bytes = bytes_at_a_time(x, i);
	}
	return scalar ? GLLM_OK : gllm_dag_build(x->c, x->g, own, x->arena, x->dag);
}

/* Bytes of a row beside which the loop around it is not seen. */
enum { LEAST_COMMON = 4096 };

/* Whether node `i` stands alone in its unit and is a map or a norm of a row, too short for workers to share. */
static bool stands_alone(const struct fuser *x, unsigned i)
{
	const unsigned which = 1u << GLLM_PATTERN_ELEMENTWISE | 1u << GLLM_PATTERN_BINARY | 1u << GLLM_PATTERN_INJECTIVE |
	                       1u << GLLM_PATTERN_NORM | 1u << GLLM_PATTERN_SOFTMAX;
	uint64_t bytes = 0;
	if (x->unit_of[i] != i || x->g->node[i].batch != GLLM_ROWS || !(which >> x->unit[i].code->trace.pattern & 1))
		return false;
	for (unsigned k = 0; k < x->g->nnodes; k++)
		if (k != i && x->unit_of[k] == i)
			return false;
	for (unsigned p = 0; p < op_of(x, i)->nparams; p++)
		bytes += op_of(x, i)->param[p].kind == GLLM_OUT ? gllm_tensor_bytes(x->g, x->g->node[i].actual[p].tensor) : 0;
	return bytes >= LEAST_COMMON && bytes <= gllm_l1_budget(&x->c->profile);
}

/* In a graph of one row such nodes are composed as for any number of rows: kernels of graphs for one row and for more are the same. */
static enum gllm_status compose_in_common(struct fuser *x)
{
	enum gllm_status s = GLLM_OK;
	x->common = true;
	for (unsigned i = 0; i < x->g->nnodes && x->g->max_rows == 1 && s == GLLM_OK; i++)
		if (stands_alone(x, i))
			s = apply_or_find(x, i);
	return s;
}

enum gllm_status gllm_fuse(struct gllm_context *c, const struct gllm_graph *g, bool fuse, bool scalar,
                           struct gllm_arena *arena, struct gllm_fusion *out, struct gllm_error *e)
{
	struct fuser x = { .c = c, .g = g, .arena = arena, .f = out, .dag = &out->dag, .e = e };
	*out = (struct gllm_fusion){ .ngroups = 0 };
	enum gllm_status s = begin(&x, scalar);
	if (s == GLLM_OK && fuse && !scalar) {
		gllm_fuse_traces(&x);
		gllm_fuse_groups(&x);
		s = x.status;
		for (unsigned i = 0; i < g->nnodes; i++)
			out->group_of[i] = x.unit[x.unit_of[i]].group;
	}
	if (s == GLLM_OK && !scalar)
		s = compose_in_common(&x);
	if (s == GLLM_OK)
		s = order(&x);
	for (unsigned i = 0; s == GLLM_OK && !scalar && i < out->ngroups; i++)
		s = gllm_fuse_parts(&x, i);
	return s == GLLM_OK ? s : gllm_fail(e, s, "compile scratch is too small for the graph", g->name, 0, 0, 0);
}

enum gllm_status gllm_fusion_scratch(struct gllm_fusion *f, unsigned group, uint64_t bytes, struct gllm_arena *arena,
                                     uint16_t *number)
{
	struct gllm_scratch *more = gllm_alloc_array(arena, f->nscratch + 1, sizeof *more, 8);
	if (!more)
		return GLLM_OUT_OF_MEMORY;
	for (unsigned i = 0; i < f->nscratch; i++)
		more[i] = f->scratch[i];
	more[f->nscratch] = (struct gllm_scratch){ .group = (uint16_t)group, .bytes = bytes };
	f->scratch = more;
	*number = (uint16_t)f->nscratch++;
	return GLLM_OK;
}
