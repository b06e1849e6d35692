/* SPDX-License-Identifier: MIT
 * jit/block_kernel.c - the traces of one product's parts: packing of either side, and the product of packed values. */
#include "core/bits.h"
#include "jit/block_behind.h"
#include "jit/block_hints.h"

enum { ALONE = 4 };      /* steps of k in a body of one row of a tile, at least */
enum { MOST_WIDE = 4 };  /* vectors of a tile's row */
enum { FETCH_ROWS = 8 }; /* a block's rows lie apart, too short for prefetchers */
enum { LEAST_PITCH = 256, MOST_PITCH = 4 * GLLM_BLOCK_MOST }; /* that a part says: below they are elements of several bytes */

struct made {
	enum kind kind;
	unsigned which;
	struct macro m;
	const struct kernel *kernel;
	struct made *next;
};

static struct kernel *new_kernel(struct blocker *x)
{
	struct kernel *k = gllm_block_take(x, 1, sizeof *k);
	if (k)
		k->count = k->rows = k->depth = k->begun = NO_NUMBER;
	return k;
}

/* Bytes from row to row of parameter q, if it has rows of which one is longer than any step within; else 0. */
static int64_t pitch_of(const struct product *p, unsigned q)
{
	int64_t size = gllm_type_bytes((enum gllm_type)p->c->trace.param[q].type), pitch = 0;
	for (unsigned l = 0; l < 3 && p->c->source[q].kind == GLLM_FROM_TENSOR; l++) {
		int64_t by = p->stride[q][l];
		if (by < 0 || (by > size && pitch) || by > MOST_PITCH)
			return 0;
		pitch = by > size ? by : pitch;
	}
	return pitch < LEAST_PITCH ? 0 : pitch;
}

/* Whether there was memory for all that a kernel begins with. */
static bool has_room(struct blocker *x, const struct gllm_strip *s)
{
	if (x->status == GLLM_OK)
		x->status = s->status;
	return x->status == GLLM_OK;
}

struct kernel *gllm_block_begin(struct blocker *x, struct gllm_strip *s)
{
	const struct product *p = x->p;
	struct kernel *k = new_kernel(x);
	gllm_strip_begin(s, p->c, p->affine, x->arena);
	for (unsigned q = 0; q < p->c->trace.nparams && x->apart && x->way != GLLM_BLOCK_TURNED; q++)
		s->pitch[q] = pitch_of(p, q);
	return has_room(x, s) ? k : NULL;
}

int8_t gllm_block_open_rows(struct gllm_strip *s, struct kernel *k, struct gllm_linear rows)
{
	return rows.per_row ? gllm_strip_open_counted(s, rows, &k->rows) : gllm_strip_open(s, rows);
}

int8_t gllm_block_open_panels(const struct blocker *x, struct gllm_strip *s, struct kernel *k, struct gllm_linear panels)
{
	return x->apart ? gllm_strip_open_counted(s, panels, &k->count) : gllm_strip_open(s, panels);
}

static int8_t open_depth(const struct blocker *x, struct gllm_strip *s, struct kernel *k, int64_t depth)
{
	return x->any_depth ? gllm_strip_open_counted(s, gllm_block_fixed(depth), &k->depth) : gllm_strip_open(s, gllm_block_fixed(depth));
}

/* What k is in the new loops: blocks, and steps of each. */
static void of_depth(const struct blocker *x, struct gllm_strip *s, int8_t kb, int8_t kk)
{
	s->sub[K][0].coef = x->spread ? x->spread : 1;
	s->sub[K][0].loop = kk;
	s->sub[K][1].coef = kb < 0 ? 0 : x->spread ? 1 : x->b.kc;
	s->sub[K][1].loop = kb;
}

struct kernel *gllm_block_finish(struct blocker *x, struct gllm_strip *s, struct kernel *k, enum gllm_pattern pattern)
{
	enum gllm_status st = gllm_strip_finish(s, pattern);
	if (st != GLLM_OK && x->status == GLLM_OK)
		x->status = st;
	k->c = s->to;
	for (unsigned q = 0; q < x->p->c->trace.nparams; q++) {
		if (s->param[q] == 0xff)
			continue;
		k->from[s->param[q]] = (uint8_t)(q + 1);
		for (unsigned l = 0; l < 3; l++)
			k->move[s->param[q]][l] = l == K ? gllm_block_step(x->p, q, x->lanes) : x->p->stride[q][l];
		s->to->source[s->param[q]].lanes = 0; /* it is read as it lies */
	}
	return x->status == GLLM_OK ? k : NULL;
}

/* What a factor is packed as: words of elements (jit/dot.h) are F32. */
static enum gllm_type packed_type(const struct blocker *x, gllm_ref value)
{
	return x->p->c->trace.node[value].type == GLLM_I32 ? GLLM_I32 : GLLM_F32;
}

/* Begins a kernel that copies `value`: what it takes from outside all loops is written, its loops are the caller's. */
static struct kernel *begin_copy(struct blocker *x, gllm_ref value, struct gllm_strip *s, uint8_t **needed)
{
	const struct gllm_trace *t = &x->p->c->trace;
	*needed = gllm_block_take(x, t->nnodes, 1);
	struct kernel *k = gllm_block_begin(x, s);
	if (!k)
		return NULL;
	(*needed)[value] = 1;
	gllm_strip_need(t, *needed, s->map);
	gllm_strip_write(s, *needed, -1, 0, t->loop[I].first);
	return k;
}

/* Rows to come are fetched into the second cache, which costs the nearest no line before its time (128x4096x4096: 2 %); a core that
 * waits for each load has them nearer. */
static void fetch_rows(const struct blocker *x, struct gllm_lower_options *how, int8_t k)
{
	how->fetch = FETCH_ROWS;
	how->fetch_loop = (int8_t)(k + 1);
	how->fetch_far = !x->profile->in_order;
}

/* What lowering may know of numbers that parts say: there are never more. */
static void known(const struct blocker *x, struct gllm_lower_options *how, int8_t split, int8_t kk)
{
	if (x->apart) {
		how->split = (int8_t)(split + 1);
		how->most = split == kk ? x->b.kc : x->columns / x->b.nr;
	}
	if (x->any_depth) {
		how->whole = (int8_t)(kk + 1);
		how->bound = x->columns ? x->b.kc : GLLM_BLOCK_MOST;
		how->unit = (uint16_t)x->deep_unit;
	}
}

/* A load from the panels, or a store of `value` to them. */
static gllm_ref panel_access(struct blocker *x, struct gllm_strip *s, struct kernel *k, unsigned which, gllm_ref value, int8_t p, int8_t kk, int8_t v)
{
	int64_t nr = x->b.nr;
	const struct gllm_term offset[] = { along(p, x->panel_pitch), along(kk, 4 * nr), along(v, 4) };
	enum gllm_type type = packed_type(x, x->panel_of[which]);
	uint8_t q = gllm_strip_param(s, "panels", value == GLLM_NO_NODE ? GLLM_IN : GLLM_OUT, type, in_scratch(x->panel[which]));
	k->move[q][PANEL] = x->panel_pitch / nr;
	return gllm_strip_access(s, q, type, offset, GLLM_COUNT(offset), value);
}

/* Copies `value` to the panels: for p, for k, for v; or for k, for p, for v. */
static struct kernel *pack_panels(struct blocker *x, unsigned which, struct gllm_linear panels, int64_t lanes, int64_t depth)
{
	const struct gllm_trace *t = &x->p->c->trace;
	struct gllm_strip s;
	uint8_t *needed;
	struct kernel *k = begin_copy(x, x->panel_of[which], &s, &needed);
	if (!k)
		return NULL;
	bool lines = gllm_along_lanes(x->p, x->panel_of[which]);
	int8_t outer = lines ? open_depth(x, &s, k, depth) : gllm_block_open_panels(x, &s, k, panels),
	       inner = lines ? gllm_block_open_panels(x, &s, k, panels) : open_depth(x, &s, k, depth),
	       v = gllm_strip_open(&s, gllm_block_fixed(lanes)), p = lines ? inner : outer, kk = lines ? outer : inner;
	int64_t nr = x->b.nr;
	s.sub[J][0].coef = nr;
	s.sub[J][0].loop = p;
	s.sub[J][1].coef = s.sub[K][0].coef = 1;
	s.sub[J][1].loop = v;
	s.sub[J][1].lane = true;
	s.sub[K][0].loop = kk;
	gllm_strip_write(&s, needed, -2, 0, t->nnodes);
	panel_access(x, &s, k, which, s.map[x->panel_of[which]], p, kk, v);
	for (unsigned i = 0; i < 3; i++)
		gllm_strip_close(&s);
	k = gllm_block_finish(x, &s, k, GLLM_PATTERN_INJECTIVE);
	known(x, &s.to->how, outer, kk);
	if (lines)
		fetch_rows(x, &s.to->how, kk);
	return k;
}

/* Copies a row side's values to rows: for s, for k; where blocks of k are spread, as they take them, one after another. */
static struct kernel *pack_rows(struct blocker *x, unsigned which, struct gllm_linear rows, int64_t depth)
{
	const struct gllm_trace *t = &x->p->c->trace;
	struct gllm_strip s;
	uint8_t *needed;
	struct kernel *k = begin_copy(x, x->rows_of[which], &s, &needed);
	if (!k)
		return NULL;
	for (unsigned q = 0; q < t->nparams; q++)
		s.pitch[q] = 0; /* a norm may store these rows itself: block_rows.c reads how they lie */
	int64_t kc = x->spread ? x->b.kc : depth;
	int8_t r = gllm_block_open_rows(&s, k, rows), kb = x->spread ? gllm_strip_open(&s, gllm_block_fixed(x->spread)) : -1,
	       kk = gllm_strip_open(&s, gllm_block_fixed(kc));
	s.sub[I][0].coef = 1;
	s.sub[I][0].loop = r;
	of_depth(x, &s, kb, kk);
	gllm_strip_write(&s, needed, -2, 0, t->nnodes);
	const struct gllm_term offset[] = { along(r, x->row_pitch), along(kb, 4 * kc), along(kk, 4) };
	enum gllm_type type = packed_type(x, x->rows_of[which]);
	uint8_t to = gllm_strip_param(&s, "rows", GLLM_OUT, type, in_scratch(x->rows[which]));
	gllm_strip_access(&s, to, type, offset, GLLM_COUNT(offset), s.map[x->rows_of[which]]);
	while (s.open >= 0 && s.status == GLLM_OK)
		gllm_strip_close(&s);
	k->move[to][I] = x->row_pitch;
	return gllm_block_finish(x, &s, k, GLLM_PATTERN_INJECTIVE);
}

/* Writes `value` and its like again, `by` steps of k further. */
static gllm_ref shifted(struct gllm_strip *s, const uint8_t *needed, gllm_ref value, int64_t by)
{
	const struct gllm_trace *t = &s->from->trace;
	for (unsigned i = 0; i < t->nnodes; i++)
		if (t->node[i].loop >= 0)
			s->map[i] = GLLM_NO_NODE;
	s->shift[K] = by;
	gllm_strip_write(s, needed, -2, 0, t->nnodes);
	return s->map[value];
}

/* The same to one panel, rows along the lanes, with some steps of k of each side by side: for k, for s. `fill`: zeros, to the lanes that no row has. */
static struct kernel *turn_rows(struct blocker *x, unsigned which, struct gllm_linear rows, int64_t depth, bool fill)
{
	struct gllm_strip s;
	uint8_t *needed;
	struct kernel *k = begin_copy(x, x->rows_of[which], &s, &needed);
	if (!k)
		return NULL;
	int64_t steps = x->steps;
	int8_t kk = gllm_strip_open(&s, gllm_block_fixed(depth / steps)),
	       r = gllm_strip_open(&s, fill ? gllm_block_fixed(x->b.nr / steps - rows.fixed) : rows);
	s.sub[I][0].coef = 1;
	s.sub[K][0].coef = steps;
	s.sub[I][0].loop = r;
	s.sub[K][0].loop = kk;
	uint8_t to = gllm_strip_param(&s, "panel", GLLM_OUT, GLLM_F32, in_scratch(x->rows[which]));
	for (int64_t i = 0; i < steps; i++) {
		gllm_ref value = fill ? node(&s, GLLM_N_CONST, GLLM_F32, GLLM_NO_NODE, GLLM_NO_NODE, GLLM_NO_NODE)
		                      : shifted(&s, needed, x->rows_of[which], i);
		const struct gllm_term offset[] = { { .coef = 4 * ((fill ? steps * rows.fixed : 0) + i) }, along(kk, steps * x->row_pitch),
		                                    along(r, 4 * steps) };
		gllm_strip_access(&s, to, GLLM_F32, offset, GLLM_COUNT(offset), value);
	}
	k->move[to][I] = x->panel_pitch / x->b.nr;
	gllm_strip_close(&s);
	gllm_strip_close(&s);
	return gllm_block_finish(x, &s, k, GLLM_PATTERN_INJECTIVE);
}

/* Copies words of either side in pairs for products of tiles: those of k and of half of the depth more side by side, so that each
 * is read along k. For p, for k, for v (or for k, for p, for v) to panels; for k, for s to the rows of a block. */
static struct kernel *pack_pairs(struct blocker *x, enum kind kind, unsigned which, const struct macro *m)
{
	bool side = kind == PACK_PANELS;
	gllm_ref value = side ? x->panel_of[which] : x->rows_of[which];
	bool lines = side && gllm_along_lanes(x->p, value);
	int8_t p = -1, kk, v;
	struct gllm_strip s;
	uint8_t *needed;
	struct kernel *k = begin_copy(x, value, &s, &needed);
	if (!k)
		return NULL;
	if (side && !lines)
		p = gllm_block_open_panels(x, &s, k, m->panels);
	kk = gllm_strip_open(&s, gllm_block_fixed(m->depth / 2));
	if (lines)
		p = gllm_block_open_panels(x, &s, k, m->panels);
	v = side ? gllm_strip_open(&s, gllm_block_fixed(m->lanes)) : gllm_block_open_rows(&s, k, m->rows);
	s.sub[K][0].coef = s.sub[side ? J : I][0].coef = 1;
	s.sub[K][0].loop = kk;
	s.sub[side ? J : I][0].loop = v;
	if (side) {
		s.sub[J][1].coef = x->b.nr;
		s.sub[J][1].loop = p;
	}
	enum gllm_type type = packed_type(x, value);
	uint8_t to = gllm_strip_param(&s, side ? "panels" : "rows", GLLM_OUT, type, in_scratch(side ? x->panel[which] : x->rows[which]));
	for (int64_t half = 0; half < 2; half++) {
		gllm_ref word = shifted(&s, needed, value, half * (m->depth / 2));
		const struct gllm_term offset[] = { { .coef = 4 * half }, along(kk, side ? 8 * (int64_t)x->b.nr : x->row_pitch),
			                            along(v, 8), along(side ? p : 0, side ? x->panel_pitch : 0) };
		gllm_strip_access(&s, to, type, offset, GLLM_COUNT(offset), word);
	}
	while (s.open >= 0 && s.status == GLLM_OK)
		gllm_strip_close(&s);
	if (side)
		k->move[to][PANEL] = x->panel_pitch / x->b.nr;
	k = gllm_block_finish(x, &s, k, GLLM_PATTERN_INJECTIVE);
	if (lines)
		fetch_rows(x, &s.to->how, kk);
	return k;
}

/* What the blocks of k before this one have left is added last: it comes while the sums are computed. */
static void add_partial(struct blocker *x, struct gllm_strip *s, struct kernel *k, unsigned which, uint8_t *param, gllm_ref begun, bool paced)
{
	gllm_ref *last = &s->map[x->p->sum[which].last], sum = gllm_strip_node(s, x->p->sum[which].last);
	*last = node(s, GLLM_N_ADD, x->p->sum[which].type, sum, gllm_block_partial(x, s, k, which, param, GLLM_NO_NODE, paced), GLLM_NO_NODE);
	if (begun != GLLM_NO_NODE)
		*last = node(s, GLLM_N_SELECT, x->p->sum[which].type, begun, *last, sum);
}

/* Whether there are such sums, where the part says it: of the steps of k that it is told. */
static gllm_ref has_begun(struct gllm_strip *s, struct kernel *k, const struct macro *m)
{
	if (!m->either)
		return GLLM_NO_NODE;
	k->begun = gllm_strip_param(s, "begun", GLLM_SCALAR, GLLM_F32, (struct gllm_source){ .kind = GLLM_FROM_SCALAR });
	k->move[k->begun][K] = 1;
	gllm_ref none = node(s, GLLM_N_CONST, GLLM_I32, GLLM_NO_NODE, GLLM_NO_NODE, GLLM_NO_NODE);
	gllm_ref said = node(s, GLLM_N_SCALAR, GLLM_F32, GLLM_NO_NODE, GLLM_NO_NODE, GLLM_NO_NODE);
	if (s->status == GLLM_OK)
		s->node[said].imm = k->begun;
	return node(s, GLLM_N_LT, GLLM_MASK, none, node(s, GLLM_N_BITS, GLLM_I32, said, GLLM_NO_NODE, GLLM_NO_NODE), GLLM_NO_NODE);
}

/* Loads of packed values in place of the factors. */
static void packed_factors(struct blocker *x, struct gllm_strip *s, struct kernel *k, const struct macro *m, const struct nest *n)
{
	for (unsigned i = 0; i < x->npanels && !m->packs; i++)
		if (takes(x, m, J, x->panel_of[i]))
			s->map[x->panel_of[i]] = panel_access(x, s, k, i, GLLM_NO_NODE, n->p, n->kk, n->v);
	for (unsigned i = 0; i < x->nrows && x->row_pitch; i++) {
		if (!takes(x, m, I, x->rows_of[i]))
			continue;
		bool turned = m->way == GLLM_BLOCK_TURNED;
		int64_t step = x->spread ? 4 * (int64_t)x->b.kc : 4; /* blocks that are spread begin one step of k after another */
		const struct gllm_term offset[] = { along(turned ? n->kk : n->r, x->row_pitch * (turned ? x->steps : 1)),
		                                    along(turned ? n->v : n->kk, 4),
		                                    along(turned ? n->jb < 0 ? -1 : n->p : x->spread ? n->kb : -1, turned ? x->panel_pitch : step) };
		enum gllm_type type = packed_type(x, x->rows_of[i]);
		uint8_t from = gllm_strip_param(s, "rows", GLLM_IN, type, in_scratch(x->rows[i]));
		k->move[from][I] = turned ? 4 : x->row_pitch;
		k->move[from][K] = turned ? x->row_pitch : x->whole ? step : 0;
		s->map[x->rows_of[i]] = gllm_strip_access(s, from, type, offset, GLLM_COUNT(offset), GLLM_NO_NODE);
	}
}

/* The same of pairs of words: two rows, or two columns, lie in 16 bytes. */
static void packed_pairs(struct blocker *x, struct gllm_strip *s, struct kernel *k, const struct macro *m, int8_t p, int8_t r, int8_t v,
                         int8_t kk)
{
	for (unsigned i = 0; i < x->npanels; i++) {
		if (!takes(x, m, J, x->panel_of[i]))
			continue;
		const struct gllm_term offset[] = { along(p, x->panel_pitch), along(kk, 8 * (int64_t)x->b.nr), along(v, 8) };
		uint8_t from = gllm_strip_param(s, "panels", GLLM_IN, GLLM_I64, in_scratch(x->panel[i]));
		k->move[from][PANEL] = x->panel_pitch / x->b.nr;
		s->map[x->panel_of[i]] = gllm_strip_access(s, from, GLLM_I64, offset, 3, GLLM_NO_NODE);
	}
	for (unsigned i = 0; i < x->nrows; i++) {
		if (!takes(x, m, I, x->rows_of[i]))
			continue;
		const struct gllm_term offset[] = { along(r, 8), along(kk, x->row_pitch) };
		uint8_t from = gllm_strip_param(s, "rows", GLLM_IN, GLLM_I64, in_scratch(x->rows[i]));
		s->map[x->rows_of[i]] = gllm_strip_access(s, from, GLLM_I64, offset, 2, GLLM_NO_NODE);
	}
}

/* Marks what the product part computes; packed factors are there already. */
static void macro_needs(struct blocker *x, const struct macro *m, gllm_ref *map, uint8_t *needed)
{
	const struct gllm_trace *t = &x->p->c->trace;
	for (unsigned i = 0; i < x->npanels && !m->packs; i++)
		map[x->panel_of[i]] = 0;
	for (unsigned i = 0; i < x->nrows && x->row_pitch; i++)
		map[x->rows_of[i]] = 0;
	for (unsigned i = m->sum; i < m->end; i++)
		needed[x->p->sum[i].last] = 1;
	for (unsigned i = 0; i < t->nnodes && m->last; i++)
		needed[i] |= t->node[i].op == GLLM_N_STORE;
	gllm_strip_need(t, needed, map);
	for (unsigned i = 0; i < t->nnodes; i++)
		map[i] = GLLM_NO_NODE;
}

/* The side along k is the outer one, and each of its rows a step; each tile of it passes all panels of rows, if there are several. */
static void open_turned(const struct blocker *x, struct gllm_strip *s, const struct macro *m, struct nest *n)
{
	n->kb = -1;
	n->jb = m->wide ? gllm_strip_open(s, gllm_block_fixed(m->wide)) : -1;
	n->p = m->wide ? gllm_strip_open(s, gllm_block_fixed(m->deep)) : -1;
	n->r = gllm_strip_open(s, m->rows);
	bool apart = m->wide && x->steps > 1; /* rows of a tile: prefetchers find a few that never end */
	s->sub[J][0].coef = apart ? m->wide : 1;
	s->sub[I][0].coef = s->sub[K][0].coef = 1;
	s->sub[J][0].loop = n->r;
	s->sub[J][1].coef = apart ? 1 : m->wide ? x->b.mr : 0;
	s->sub[J][1].loop = n->jb;
	s->sub[I][1].coef = m->wide ? x->b.nr : 0;
	s->sub[I][1].loop = n->p;
	n->p = m->wide ? n->p : n->r;
}

static void open_outer(struct blocker *x, struct gllm_strip *s, struct kernel *k, const struct macro *m, struct nest *n)
{
	if (m->way == GLLM_BLOCK_TURNED) {
		open_turned(x, s, m, n);
		return;
	}
	n->jb = m->wide ? gllm_strip_open(s, gllm_block_fixed(m->wide)) : -1;
	n->kb = m->deep ? gllm_strip_open(s, gllm_block_fixed(m->deep)) : -1;
	n->p = m->way == GLLM_BLOCK_DOTS ? gllm_strip_open_counted(s, m->panels, &k->count) : gllm_block_open_panels(x, s, k, m->panels);
	n->r = gllm_block_open_rows(s, k, m->rows);
	s->sub[I][0].coef = s->sub[J][1].coef = s->sub[K][0].coef = 1;
	s->sub[I][0].loop = n->r;
	s->sub[J][0].coef = m->way == GLLM_BLOCK_DOTS ? m->lanes : x->b.nr;
	s->sub[J][0].loop = n->p;
	if (n->jb >= 0) {
		s->sub[J][2].coef = x->b.nc;
		s->sub[J][2].loop = n->jb;
	}
}

/* Writes a factor before all else of its loop: products of one operand, and those of operands of their own, are written alike. */
static void write_factor(struct blocker *x, struct gllm_strip *s, gllm_ref value)
{
	const struct gllm_trace *t = &x->p->c->trace;
	uint8_t *needed = gllm_block_take(x, t->nnodes, 1);
	if (!needed)
		return;
	needed[value] = 1;
	gllm_strip_need(t, needed, s->map);
	gllm_strip_write(s, needed, K, t->loop[K].first, t->loop[K].end);
}

/* What lies along k, two steps at once (a load of F32 by an access of I64): the lanes of a row take them by turns. */
static void pair_factor(struct blocker *x, struct gllm_strip *s, gllm_ref value)
{
	write_factor(x, s, value);
	if (s->status != GLLM_OK)
		return;
	struct gllm_node *n = &s->node[s->map[value]];
	s->access[n->imm].type = GLLM_I64;
	n->type = GLLM_F32;
}

/* The loop over k. Sums of any but the first block begin with `zero`, and are added behind it to what there is. */
static void sum_up(struct blocker *x, struct gllm_strip *s, struct kernel *k, const struct macro *m, struct nest *n, const gllm_ref *zero,
                   const uint8_t *needed)
{
	const struct gllm_trace *t = &x->p->c->trace;
	int64_t steps = m->way == GLLM_BLOCK_TURNED ? x->steps : 1;
	n->kk = open_depth(x, s, k, x->tile ? m->depth / 2 : m->depth / steps);
	of_depth(x, s, n->kb, n->kk);
	s->sub[K][0].coef *= steps;
	for (unsigned i = m->sum; i < m->end; i++) {
		gllm_ref *from = &s->map[t->node[x->p->sum[i].carry].a], kept = *from;
		if (!m->first)
			*from = zero[i];
		gllm_strip_node(s, x->p->sum[i].carry);
		*from = kept;
	}
	if (x->tile)
		packed_pairs(x, s, k, m, n->p, n->r, n->v, n->kk);
	else
		packed_factors(x, s, k, m, n);
	if (steps > 1)
		pair_factor(x, s, x->p->sum[m->sum].value[J]);
	for (unsigned side = 0; side < 2 && x->apart; side++)
		write_factor(x, s, x->p->sum[m->sum].value[side]);
	gllm_strip_write(s, needed, K, t->loop[K].first, t->loop[K].end);
	for (unsigned i = 0; i < x->npanels && m->packs; i++)
		if (takes(x, m, J, x->panel_of[i]))
			panel_access(x, s, k, i, s->map[x->panel_of[i]], n->p, n->kk, n->v);
	gllm_strip_close(s);
	s->sub[K][0].coef = s->sub[K][1].coef = 0;
}

static struct gllm_lower_options how_to_lower(const struct blocker *x, const struct macro *m, const struct nest *n)
{
	unsigned wide = (unsigned)gllm_ceil_div(4 * (int64_t)x->b.nr, x->profile->vector_bytes);
	struct gllm_lower_options how = { .rows = (uint8_t)x->b.mr, .depth = x->unroll, .split = (int8_t)((n->jb >= 0 ? n->jb : n->p) + 1) };
	known(x, &how, n->p, n->kk);
	if (m->way == GLLM_BLOCK_TURNED) {
		how.unroll = (uint8_t)wide;
		how.fetch_stores = m->wide > 0; /* a tile's sums for one panel lie apart (128x4096x4096: 2 %, 128x4160x4160 3 %) */
	}
	if (m->way == GLLM_BLOCK_PACKED) {
		how.deep = x->unroll < ALONE ? ALONE : 0;
		how.unroll = (uint8_t)(wide <= MOST_WIDE ? wide : 0);
		how.fetch_stores = true;
		how.fetch = x->fetch;
		how.fetch_loop = (int8_t)(n->kk + 1);
	} else if (m->way == GLLM_BLOCK_DOTS) {
		how.columns = (uint8_t)(x->apart ? x->b.nr : m->lanes);
		how.most = x->apart ? how.most : (uint32_t)m->panels.fixed;
	} else if (x->spread) {
		how.unroll = (uint8_t)wide;
		how.fetch = (uint16_t)gllm_spread_fetch(x->profile, &x->b);
		how.fetch_loop = (int8_t)(n->p + 1);
		how.fetch_again = x->p->most <= x->b.mr; /* several tiles of rows do, one after another */
	} else if (m->way == GLLM_BLOCK_STREAM) {
		how.unroll = (uint8_t)(x->b.nr * 4 / x->unroll / x->profile->vector_bytes);
	}
	return how;
}

static struct kernel *macro(struct blocker *x, const struct macro *m)
{
	const struct gllm_trace *t = &x->p->c->trace;
	uint8_t *needed = gllm_block_take(x, t->nnodes, 1), sums[MAX_SUMS] = { 0xff, 0xff, 0xff, 0xff };
	struct gllm_strip s;
	struct kernel *k = gllm_block_begin(x, &s);
	if (!k)
		return NULL;
	macro_needs(x, m, s.map, needed);
	gllm_strip_write(&s, needed, -1, 0, t->loop[I].first);
	gllm_ref zero[MAX_SUMS] = { 0 };
	for (unsigned i = m->sum; i < m->end && !m->first; i++)
		zero[i] = node(&s, GLLM_N_CONST, x->p->sum[i].type, GLLM_NO_NODE, GLLM_NO_NODE, GLLM_NO_NODE);
	struct nest n;
	open_outer(x, &s, k, m, &n);
	gllm_strip_write(&s, needed, I, t->loop[I].first, t->loop[J].first);
	n.v = gllm_strip_open(&s, gllm_block_fixed(m->lanes));
	if (m->way == GLLM_BLOCK_TURNED) {
		s.sub[I][0].loop = n.v;
	} else {
		s.sub[J][1].loop = n.v;
		s.sub[J][1].lane = true;
	}
	gllm_strip_write(&s, needed, J, t->loop[J].first, t->loop[K].first);
	sum_up(x, &s, k, m, &n, zero, needed);
	gllm_ref begun = has_begun(&s, k, m);
	for (unsigned i = m->sum; i < m->end && !m->first; i++)
		add_partial(x, &s, k, i, &sums[i], begun, m->way == GLLM_BLOCK_DOTS);
	gllm_strip_write(&s, needed, J, t->loop[K].end, t->nnodes);
	for (unsigned i = m->sum; i < m->end && !m->last; i++)
		gllm_block_partial(x, &s, k, i, &sums[i], s.map[x->p->sum[i].last], m->way == GLLM_BLOCK_DOTS);
	while (s.open >= 0 && s.status == GLLM_OK)
		gllm_strip_close(&s);
	unsigned made = s.naccesses;
	gllm_block_hints(x, &s, k, m, &n);
	k = gllm_block_finish(x, &s, k, GLLM_PATTERN_GEMM);
	s.to->how = how_to_lower(x, m, &n);
	s.to->how.hints = (uint8_t)(s.naccesses - made);
	s.to->how.pitches = s.pitches;
	return k;
}

/* The same with sums that wait in the worker's memory, `lanes` columns of them, for what follows. */
static struct kernel *staged(struct blocker *x, const struct macro *m)
{
	struct kernel *k = new_kernel(x);
	uint8_t *needed = gllm_block_take(x, x->p->c->trace.nnodes, 1);
	bool direct = m->way == GLLM_BLOCK_DIRECT;
	struct gllm_stage stage = { .tiles = m->deep, .panels = m->panels, .rows = m->rows, .most = direct ? (uint64_t)m->rows.fixed : x->p->most,
	                            .width = m->lanes, .tile = direct ? m->lanes : x->b.nr, .count = NO_NUMBER };
	struct gllm_strip s;
	gllm_strip_begin(&s, x->p->c, x->p->affine, x->arena);
	if (!has_room(x, &s))
		return NULL;
	uint64_t bytes = gllm_stage_write(&s, x->p, &stage, needed);
	x->f->worker_bytes = bytes > x->f->worker_bytes ? bytes : x->f->worker_bytes;
	k->count = stage.count;
	k = gllm_block_finish(x, &s, k, GLLM_PATTERN_GEMM);
	s.to->how = (struct gllm_lower_options){ .rows = (uint8_t)x->b.mr, .depth = x->unroll, .own = UINT32_C(1) << stage.memory };
	if (!direct) {
		s.to->how.split = 1;
		s.to->how.columns = (uint8_t)x->b.nr;
		s.to->how.most = (uint32_t)m->panels.fixed;
	}
	return k;
}

static bool same_linear(struct gllm_linear a, struct gllm_linear b)
{
	return a.fixed == b.fixed && a.per_row == b.per_row && a.block == b.block && a.rest == b.rest;
}

/* Whether a's kernel is b's: one that has the number of panels as a parameter takes fewer as well. */
static bool same_macro(const struct macro *a, const struct macro *b)
{
	bool counted = a->way == GLLM_BLOCK_DOTS || a->way == GLLM_BLOCK_STAGED;
	return (counted ? a->panels.fixed >= b->panels.fixed : same_linear(a->panels, b->panels)) && same_linear(a->rows, b->rows) &&
	       a->lanes == b->lanes && a->depth == b->depth && a->wide == b->wide && a->deep == b->deep && a->first == b->first &&
	       a->last == b->last && a->packs == b->packs && a->either == b->either && a->way == b->way && a->sum == b->sum && a->end == b->end;
}

/* A kernel says nothing of where its block begins: blocks of one size share it. */
const struct kernel *gllm_block_kernel(struct blocker *x, enum kind kind, unsigned which, struct macro m)
{
	struct made *d = x->made;
	m.end = m.end ? m.end : x->p->nsums;
	if (x->apart && kind != PACK_ROWS) /* it takes any number of them */
		m.panels = gllm_block_fixed(1);
	if (x->any_depth && kind != PACK_ROWS)
		m.depth = x->b.kc;
	while (d && !(d->kind == kind && d->which == which && same_macro(&d->m, &m)))
		d = d->next;
	if (d)
		return d->kernel;
	d = gllm_block_take(x, 1, sizeof *d);
	if (!d)
		return NULL;
	*d = (struct made){ .kind = kind, .which = which, .m = m, .next = x->made };
	x->made = d;
	x->lanes = m.lanes;
	gllm_block_lanes(x->p, m.lanes);
	switch (kind) {
	case PACK_PANELS: d->kernel = x->tile ? pack_pairs(x, kind, which, &m) : pack_panels(x, which, m.panels, m.lanes, m.depth); break;
	case PACK_ROWS:
		d->kernel = x->tile ? pack_pairs(x, kind, which, &m) : m.way == GLLM_BLOCK_TURNED ? turn_rows(x, which, m.rows, m.depth, false)
		                                                                                  : pack_rows(x, which, m.rows, m.depth);
		break;
	case FILL_ROWS:   d->kernel = turn_rows(x, which, m.rows, m.depth, true); break;
	case JOIN:        d->kernel = gllm_block_join(x, which, m.depth); break;
	case BEHIND:      d->kernel = gllm_block_behind(x, &m); break;
	case MACRO:       d->kernel = m.way == GLLM_BLOCK_STAGED || m.way == GLLM_BLOCK_DIRECT ? staged(x, &m) : macro(x, &m); break;
	}
	return d->kernel;
}
