/* SPDX-License-Identifier: MIT
 * jit/block.c - see block.h.
 *
 * Words: the *lane side* is the one whose values are vectors (packed as panels), the *row side* the one whose values are
 * broadcast. Loop numbers 0, 1, 2 are i, j, k of the old trace. */
#include "jit/block.h"
#include "core/bits.h"
#include "jit/block_rows.h"
#include "jit/block_sizes.h"
#include "jit/block_stage.h"

enum { LINE = 64, FETCH_ROWS = 8 }; /* a block's rows lie apart, too short for prefetchers */

/* A composed trace of the new nest, and how far its parameters move per step of the old loops and of the panels. */
struct kernel {
	const struct gllm_composed *c;
	int64_t move[GLLM_TRACE_PARAMS][4];
};
enum { PANEL = 3 }; /* fourth column of move: lanes from the beginning of the block of j */

struct at { /* where a part begins */
	struct gllm_linear i;
	int64_t j, k, lane;
};

struct made;
struct blocker {
	const struct gllm_tuning *tuning;
	const struct gllm_profile *profile;
	uint64_t max_rows;
	unsigned workers;
	struct gllm_arena *arena;
	struct gllm_fusion *f;
	struct gllm_part *part;
	const struct gllm_part *old;        /* that is being replaced */
	unsigned nparts, max_parts, group;
	struct gllm_repeat *repeat;
	unsigned nrepeats, max_repeats, open; /* repeats around the next part: */
	struct at step[GLLM_REPEAT_LEVELS];   /* how far a trip moves it */
	uint16_t pool[3 * MAX_SUMS];        /* scratch of this group, used by one product after another */
	unsigned npool, used;
	struct gllm_packed_rows packed;     /* scratch of this group that later products may read */
	uint64_t limit;                     /* bytes of scratch of a group; 0: none */
	/* of the product at hand */
	const struct product *p;
	struct made *made;
	struct gllm_blocking b;
	uint8_t unroll, fetch;
	int64_t row_pitch;                  /* bytes of a packed row of the row side; 0: read where it lies */
	bool whole;                         /* packed rows hold all of k; else one block of it at a time */
	const struct kernel *pack[MAX_SUMS];/* the kernels of whole rows, by row side; NULL: packed already */
	int64_t panel_pitch;                /* one step of k more than a panel has: panels do not fall into the same sets */
	int64_t sum_pitch;                  /* of a row of partial sums; rows do not fall into the same sets of a cache */
	uint16_t panel[MAX_SUMS], rows[MAX_SUMS], partial[MAX_SUMS]; /* scratch */
	unsigned npanels, nrows;
	gllm_ref panel_of[MAX_SUMS], rows_of[MAX_SUMS]; /* the values that are packed */
	enum gllm_status status;
};

static void *take(struct blocker *x, size_t n, size_t size)
{
	unsigned char *p = gllm_alloc_array(x->arena, n ? n : 1, size, 8);
	if (!p && x->status == GLLM_OK)
		x->status = GLLM_OUT_OF_MEMORY;
	size_t bytes = p ? n * size : 0, i = 0;
	for (uint64_t *word = (uint64_t *)(void *)p; i + sizeof *word <= bytes; i += sizeof *word)
		*word++ = 0;
	for (; i < bytes; i++)
		p[i] = 0;
	return p;
}

/* --- memory --------------------------------------------------------------------------------------------------------- */

static uint16_t new_scratch(struct blocker *x, uint64_t bytes)
{
	struct gllm_scratch *more = take(x, x->f->nscratch + 1, sizeof *more);
	if (!more)
		return 0;
	for (unsigned i = 0; i < x->f->nscratch; i++)
		more[i] = x->f->scratch[i];
	more[x->f->nscratch] = (struct gllm_scratch){ .group = (uint16_t)x->group, .bytes = bytes };
	x->f->scratch = more;
	return (uint16_t)x->f->nscratch++;
}

/* Products of a group run one after another, so that they share its scratch: the next piece of it, made large enough. */
static uint16_t scratch(struct blocker *x, uint64_t bytes)
{
	if (x->used == x->npool)
		x->pool[x->npool++] = new_scratch(x, bytes);
	struct gllm_scratch *s = &x->f->scratch[x->pool[x->used]];
	s->bytes = s->bytes > bytes ? s->bytes : bytes;
	return x->pool[x->used++];
}

/* Whether so many pieces, and `more` bytes that nothing else shares, leave the group's scratch within its limit. */
static bool affordable(const struct blocker *x, const uint64_t *bytes, unsigned n, uint64_t more)
{
	uint64_t sum = x->packed.bytes + more;
	for (unsigned i = 0; i < n || i < x->npool; i++) {
		uint64_t have = i < x->npool ? x->f->scratch[x->pool[i]].bytes : 0, want = i < n ? bytes[i] : 0;
		sum += gllm_round_up(have > want ? have : want, LINE);
	}
	return x->limit == 0 || sum <= x->limit;
}

static struct gllm_source in_scratch(uint16_t number)
{
	return (struct gllm_source){ .kind = GLLM_FROM_SCRATCH, .tensor = number };
}

/* --- traces --------------------------------------------------------------------------------------------------------- */

static struct gllm_linear fixed(int64_t n)
{
	return (struct gllm_linear){ .fixed = n };
}

static struct gllm_term along(int8_t loop, int64_t coef)
{
	return (struct gllm_term){ .coef = coef, .sym = { (uint8_t)(GLLM_SYM_LOOP + loop) } };
}

static struct kernel *finish(struct blocker *x, struct gllm_strip *s, struct kernel *k, enum gllm_pattern pattern)
{
	enum gllm_status st = gllm_strip_finish(s, pattern);
	if (st != GLLM_OK && x->status == GLLM_OK)
		x->status = st;
	k->c = s->to;
	for (unsigned q = 0; q < x->p->c->trace.nparams; q++)
		for (unsigned l = 0; l < 3 && s->param[q] != 0xff; l++)
			k->move[s->param[q]][l] = x->p->stride[q][l];
	return x->status == GLLM_OK ? k : NULL;
}

/* Copies `value` to the panels: for p, for k, for v; or for k, for p, for v. */
static struct kernel *pack_panels(struct blocker *x, unsigned which, struct gllm_linear panels, int64_t lanes, int64_t depth)
{
	const struct gllm_trace *t = &x->p->c->trace;
	struct kernel *k = take(x, 1, sizeof *k);
	uint8_t *needed = take(x, t->nnodes, 1);
	struct gllm_strip s;
	gllm_strip_begin(&s, x->p->c, x->p->affine, x->arena);
	if (!k || !needed || s.status != GLLM_OK)
		return NULL;
	needed[x->panel_of[which]] = 1;
	gllm_strip_need(t, needed, s.map);
	gllm_strip_write(&s, needed, -1, 0, t->nnodes);
	bool lines = gllm_along_lanes(x->p, x->panel_of[which]);
	int8_t outer = gllm_strip_open(&s, lines ? fixed(depth) : panels), inner = gllm_strip_open(&s, lines ? panels : fixed(depth)),
	       v = gllm_strip_open(&s, fixed(lanes)), p = lines ? inner : outer, kk = lines ? outer : inner;
	int64_t nr = x->b.nr;
	s.sub[J][0].coef = nr;
	s.sub[J][0].loop = p;
	s.sub[J][1].coef = s.sub[K][0].coef = 1;
	s.sub[J][1].loop = v;
	s.sub[K][0].loop = kk;
	gllm_strip_write(&s, needed, -2, 0, t->nnodes);
	const struct gllm_term offset[] = { along(p, x->panel_pitch), along(kk, 4 * nr), along(v, 4) };
	uint8_t to = gllm_strip_param(&s, "panels", GLLM_OUT, GLLM_F32, in_scratch(x->panel[which]));
	gllm_strip_access(&s, to, GLLM_F32, offset, 3, s.map[x->panel_of[which]]);
	for (unsigned i = 0; i < 3; i++)
		gllm_strip_close(&s);
	k->move[to][PANEL] = x->panel_pitch / nr;
	k = finish(x, &s, k, GLLM_PATTERN_INJECTIVE);
	if (lines) {
		s.to->how.fetch = FETCH_ROWS;
		s.to->how.fetch_loop = (int8_t)(kk + 1);
	}
	return k;
}

/* Copies a row side's values to rows: for s, for k. */
static struct kernel *pack_rows(struct blocker *x, unsigned which, struct gllm_linear rows, int64_t depth)
{
	const struct gllm_trace *t = &x->p->c->trace;
	struct kernel *k = take(x, 1, sizeof *k);
	uint8_t *needed = take(x, t->nnodes, 1);
	struct gllm_strip s;
	gllm_strip_begin(&s, x->p->c, x->p->affine, x->arena);
	if (!k || !needed || s.status != GLLM_OK)
		return NULL;
	needed[x->rows_of[which]] = 1;
	gllm_strip_need(t, needed, s.map);
	gllm_strip_write(&s, needed, -1, 0, t->nnodes);
	int8_t r = gllm_strip_open(&s, rows), kk = gllm_strip_open(&s, fixed(depth));
	s.sub[I][0].coef = s.sub[K][0].coef = 1;
	s.sub[I][0].loop = r;
	s.sub[K][0].loop = kk;
	gllm_strip_write(&s, needed, -2, 0, t->nnodes);
	const struct gllm_term offset[] = { along(r, x->row_pitch), along(kk, 4) };
	uint8_t to = gllm_strip_param(&s, "rows", GLLM_OUT, GLLM_F32, in_scratch(x->rows[which]));
	gllm_strip_access(&s, to, GLLM_F32, offset, 2, s.map[x->rows_of[which]]);
	gllm_strip_close(&s);
	gllm_strip_close(&s);
	k->move[to][I] = x->row_pitch;
	return finish(x, &s, k, GLLM_PATTERN_INJECTIVE);
}

struct macro { /* one product part */
	struct gllm_linear panels, rows;
	int64_t lanes, depth;
	int64_t wide, deep;       /* STREAM: blocks of nc columns, and of kc within each; 0: no such loop */
	bool first, last;         /* block of k */
	enum gllm_block_way way;
};

/* Where the partial sums of sum `which` are, as an access of the old loops' variables. */
static gllm_ref partial(struct blocker *x, struct gllm_strip *s, struct kernel *k, unsigned which, uint8_t *param,
                        gllm_ref value)
{
	const struct product *p = x->p;
	struct gllm_affine a = { .loop = { x->sum_pitch, 4 } };
	struct gllm_term term[1 + GLLM_STRIP_LOOPS * GLLM_STRIP_PARTS];
	unsigned terms = 0;
	enum gllm_param_kind kind = value == GLLM_NO_NODE ? GLLM_IN : GLLM_OUT;
	if (p->result != GLLM_NO_NODE) {
		const struct gllm_access *to = &p->c->trace.access[p->c->trace.node[p->result].imm];
		a = p->affine[p->c->trace.node[p->result].imm];
		if (*param == 0xff)
			*param = s->param[to->param] = gllm_strip_param(s, "sums", kind, GLLM_F32, p->c->source[to->param]);
	} else if (*param == 0xff) {
		*param = gllm_strip_param(s, "sums", kind, GLLM_F32, in_scratch(x->partial[which]));
		k->move[*param][I] = a.loop[I];
		k->move[*param][PANEL] = a.loop[J];
	}
	if (s->to->param[*param].kind != kind)
		s->to->param[*param].kind = GLLM_INOUT;
	term[terms++] = (struct gllm_term){ .coef = a.base };
	for (unsigned l = 0; l < GLLM_STRIP_LOOPS; l++)
		for (unsigned i = 0; i < GLLM_STRIP_PARTS; i++)
			if (s->sub[l][i].coef)
				term[terms++] = along(s->sub[l][i].loop, a.loop[l] * s->sub[l][i].coef);
	return gllm_strip_access(s, *param, GLLM_F32, term, terms, value);
}

/* What the blocks of k before this one have left is added last: it comes while the sums are computed. */
static void add_partial(struct blocker *x, struct gllm_strip *s, struct kernel *k, unsigned which, uint8_t *param)
{
	gllm_ref sum = gllm_strip_node(s, x->p->sum[which].last), before = partial(x, s, k, which, param, GLLM_NO_NODE);
	s->map[x->p->sum[which].last] = gllm_strip_append(s, (struct gllm_node){ .op = GLLM_N_ADD, .type = GLLM_F32, .a = sum,
		.b = before, .c = GLLM_NO_NODE });
}

/* Loads of packed values in place of the factors. */
static void packed_factors(struct blocker *x, struct gllm_strip *s, struct kernel *k, int8_t p, int8_t r,
                           int8_t v, int8_t kk)
{
	int64_t nr = x->b.nr;
	for (unsigned i = 0; i < x->npanels; i++) {
		const struct gllm_term offset[] = { along(p, x->panel_pitch), along(kk, 4 * nr), along(v, 4) };
		uint8_t from = gllm_strip_param(s, "panels", GLLM_IN, GLLM_F32, in_scratch(x->panel[i]));
		k->move[from][PANEL] = x->panel_pitch / nr;
		s->map[x->panel_of[i]] = gllm_strip_access(s, from, GLLM_F32, offset, 3, GLLM_NO_NODE);
	}
	for (unsigned i = 0; i < x->nrows && x->row_pitch; i++) {
		const struct gllm_term offset[] = { along(r, x->row_pitch), along(kk, 4) };
		uint8_t from = gllm_strip_param(s, "rows", GLLM_IN, GLLM_F32, in_scratch(x->rows[i]));
		k->move[from][I] = x->row_pitch;
		k->move[from][K] = x->whole ? 4 : 0;
		s->map[x->rows_of[i]] = gllm_strip_access(s, from, GLLM_F32, offset, 2, GLLM_NO_NODE);
	}
}

/* Marks what the product part computes; packed factors are there already. */
static void macro_needs(struct blocker *x, const struct macro *m, gllm_ref *map, uint8_t *needed)
{
	const struct gllm_trace *t = &x->p->c->trace;
	for (unsigned i = 0; i < x->npanels; i++)
		map[x->panel_of[i]] = 0;
	for (unsigned i = 0; i < x->nrows && x->row_pitch; i++)
		map[x->rows_of[i]] = 0;
	for (unsigned i = 0; i < x->p->nsums; i++)
		needed[x->p->sum[i].last] = 1;
	for (unsigned i = 0; i < t->nnodes && m->last; i++)
		needed[i] |= t->node[i].op == GLLM_N_STORE;
	gllm_strip_need(t, needed, map);
	for (unsigned i = 0; i < t->nnodes; i++)
		map[i] = GLLM_NO_NODE;
}

static struct kernel *macro(struct blocker *x, const struct macro *m)
{
	const struct gllm_trace *t = &x->p->c->trace;
	struct kernel *k = take(x, 1, sizeof *k);
	uint8_t *needed = take(x, t->nnodes, 1), sums[MAX_SUMS] = { 0xff, 0xff, 0xff, 0xff };
	struct gllm_strip s;
	gllm_strip_begin(&s, x->p->c, x->p->affine, x->arena);
	if (!k || !needed || s.status != GLLM_OK)
		return NULL;
	macro_needs(x, m, s.map, needed);
	gllm_strip_write(&s, needed, -1, 0, t->nnodes);
	gllm_ref zero = m->first ? GLLM_NO_NODE : gllm_strip_append(&s, (struct gllm_node){ .op = GLLM_N_CONST, .type = GLLM_F32,
		.a = GLLM_NO_NODE, .b = GLLM_NO_NODE, .c = GLLM_NO_NODE });
	int8_t jb = m->wide ? gllm_strip_open(&s, fixed(m->wide)) : -1, kb = m->deep ? gllm_strip_open(&s, fixed(m->deep)) : -1;
	int8_t p = gllm_strip_open(&s, m->panels), r = gllm_strip_open(&s, m->rows);
	s.sub[I][0].coef = s.sub[J][1].coef = s.sub[K][0].coef = 1;
	s.sub[I][0].loop = r;
	s.sub[J][0].coef = x->b.nr;
	s.sub[J][0].loop = p;
	if (jb >= 0) {
		s.sub[J][2].coef = x->b.nc;
		s.sub[J][2].loop = jb;
	}
	gllm_strip_write(&s, needed, I, 0, t->nnodes);
	int8_t v = gllm_strip_open(&s, fixed(m->lanes));
	s.sub[J][1].loop = v;
	gllm_strip_write(&s, needed, J, 0, t->loop[K].first);
	int8_t kk = gllm_strip_open(&s, fixed(m->depth));
	s.sub[K][0].loop = kk;
	if (kb >= 0) {
		s.sub[K][1].coef = x->b.kc;
		s.sub[K][1].loop = kb;
	}
	for (unsigned i = 0; i < x->p->nsums; i++) {
		gllm_ref *from = &s.map[t->node[x->p->sum[i].carry].a], kept = *from;
		*from = m->first ? kept : zero;
		gllm_strip_node(&s, x->p->sum[i].carry);
		*from = kept;
	}
	packed_factors(x, &s, k, p, r, v, kk);
	gllm_strip_write(&s, needed, K, 0, t->nnodes);
	gllm_strip_close(&s);
	s.sub[K][0].coef = s.sub[K][1].coef = 0;
	for (unsigned i = 0; i < x->p->nsums && !m->first; i++)
		add_partial(x, &s, k, i, &sums[i]);
	gllm_strip_write(&s, needed, J, t->loop[K].end, t->nnodes);
	for (unsigned i = 0; i < x->p->nsums && !m->last; i++)
		partial(x, &s, k, i, &sums[i], s.map[x->p->sum[i].last]);
	while (s.open >= 0 && s.status == GLLM_OK)
		gllm_strip_close(&s);
	k = finish(x, &s, k, GLLM_PATTERN_GEMM);
	s.to->how = (struct gllm_lower_options){ .rows = (uint8_t)x->b.mr, .depth = x->unroll, .split = (int8_t)((jb >= 0 ? jb : p) + 1) };
	if (m->way == GLLM_BLOCK_PACKED) {
		s.to->how.fetch_stores = true;
		s.to->how.fetch = x->fetch;
		s.to->how.fetch_loop = (int8_t)(kk + 1);
	} else if (m->way == GLLM_BLOCK_DOTS) {
		s.to->how.columns = (uint8_t)m->lanes;
		s.to->how.depth = 0;
	} else if (m->way == GLLM_BLOCK_STREAM) {
		s.to->how.unroll = (uint8_t)(x->b.nr * 4 / x->profile->vector_bytes);
	}
	return k;
}

/* The same with sums that wait in the worker's memory, `lanes` columns of them, for what follows. */
static struct kernel *staged(struct blocker *x, const struct macro *m)
{
	struct kernel *k = take(x, 1, sizeof *k);
	uint8_t *needed = take(x, x->p->c->trace.nnodes, 1);
	struct gllm_stage stage = { .panels = m->panels, .rows = m->rows, .most = x->p->most, .width = m->lanes, .tile = x->b.nr };
	struct gllm_strip s;
	gllm_strip_begin(&s, x->p->c, x->p->affine, x->arena);
	if (!k || !needed || s.status != GLLM_OK)
		return NULL;
	uint64_t bytes = gllm_stage_write(&s, x->p, &stage, needed);
	x->f->worker_bytes = bytes > x->f->worker_bytes ? bytes : x->f->worker_bytes;
	k = finish(x, &s, k, GLLM_PATTERN_GEMM);
	s.to->how = (struct gllm_lower_options){ .rows = (uint8_t)x->b.mr, .columns = (uint8_t)x->b.nr, .split = 1,
	                                         .own = UINT32_C(1) << stage.memory };
	return k;
}

/* --- the kernels of one product, each made once ------------------------------------------------------------------------ */

enum kind { PACK_PANELS, PACK_ROWS, MACRO };

struct made {
	enum kind kind;
	unsigned which;
	struct macro m;
	const struct kernel *kernel;
	struct made *next;
};

static bool same_linear(struct gllm_linear a, struct gllm_linear b)
{
	return a.fixed == b.fixed && a.per_row == b.per_row && a.block == b.block && a.rest == b.rest;
}

static bool same_macro(const struct macro *a, const struct macro *b)
{
	return same_linear(a->panels, b->panels) && same_linear(a->rows, b->rows) &&
	       a->lanes == b->lanes && a->depth == b->depth && a->wide == b->wide && a->deep == b->deep && a->first == b->first &&
	       a->last == b->last && a->way == b->way;
}

/* A kernel says nothing of where its block begins: blocks of one size share it. Packing reads of `m` what it needs. */
static const struct kernel *make(struct blocker *x, enum kind kind, unsigned which, struct macro m)
{
	struct made *d = x->made;
	while (d && !(d->kind == kind && d->which == which && same_macro(&d->m, &m)))
		d = d->next;
	if (d)
		return d->kernel;
	d = take(x, 1, sizeof *d);
	if (!d)
		return NULL;
	*d = (struct made){ .kind = kind, .which = which, .m = m, .next = x->made };
	x->made = d;
	switch (kind) {
	case PACK_PANELS: d->kernel = pack_panels(x, which, m.panels, m.lanes, m.depth); break;
	case PACK_ROWS:   d->kernel = pack_rows(x, which, m.rows, m.depth); break;
	case MACRO:       d->kernel = m.way == GLLM_BLOCK_STAGED ? staged(x, &m) : macro(x, &m); break;
	}
	return d->kernel;
}

/* --- parts ---------------------------------------------------------------------------------------------------------- */

/* Whether the next part stands first in a repeat or right behind one: then it runs beside nothing. */
static bool at_an_edge(const struct blocker *x)
{
	for (unsigned i = 0; i < x->nrepeats; i++)
		if (x->repeat[i].first == x->nparts || x->repeat[i].end == x->nparts)
			return true;
	return false;
}

/* What is added until the matching close runs `trips` times. Returns whether it is a repeat at all. */
static bool open_repeat(struct blocker *x, struct gllm_linear trips, struct at step)
{
	if (x->status != GLLM_OK || (trips.per_row == 0 && trips.fixed < 2))
		return false;
	if (x->nrepeats == x->max_repeats) {
		unsigned max = x->max_repeats ? 2 * x->max_repeats : 8;
		struct gllm_repeat *more = take(x, max, sizeof *more);
		for (unsigned i = 0; more && i < x->nrepeats; i++)
			more[i] = x->repeat[i];
		if (!more)
			return false;
		x->repeat = more;
		x->max_repeats = max;
	}
	x->repeat[x->nrepeats++] = (struct gllm_repeat){ .first = x->nparts, .trips = trips, .level = x->open };
	x->step[x->open++] = step;
	return true;
}

static void close_repeat(struct blocker *x, bool opened)
{
	if (!opened)
		return;
	x->open--;
	for (unsigned i = x->nrepeats; i-- > 0;)
		if (x->repeat[i].end == 0) {
			x->repeat[i].end = x->nparts;
			return;
		}
}

static int64_t bytes_between(const int64_t *move, const struct at *at)
{
	return move[I] * at->i.fixed + move[J] * at->j + move[K] * at->k + move[PANEL] * at->lane;
}

static void add_part(struct blocker *x, const struct kernel *k, struct at at, bool beside)
{
	if (x->status != GLLM_OK || !k)
		return;
	if (x->nparts == x->max_parts) {
		unsigned max = x->max_parts ? 2 * x->max_parts : 16;
		struct gllm_part *more = take(x, max, sizeof *more);
		for (unsigned i = 0; more && i < x->nparts; i++)
			more[i] = x->part[i];
		if (!more)
			return;
		x->part = more;
		x->max_parts = max;
	}
	struct gllm_part *part = &x->part[x->nparts];
	struct gllm_source *source = take(x, k->c->trace.nparams, sizeof *source);
	int64_t (*moved)[GLLM_REPEAT_LEVELS] = x->open ? take(x, k->c->trace.nparams, sizeof *moved) : NULL;
	if (!source || (x->open && !moved))
		return;
	*part = (struct gllm_part){ .code = k->c, .source = source, .node = x->old->node, .n = x->old->n, .mode = x->old->mode,
	                            .beside = beside && !at_an_edge(x), .move = (const int64_t (*)[GLLM_REPEAT_LEVELS])moved };
	x->nparts++;
	for (unsigned q = 0; q < k->c->trace.nparams; q++) {
		struct gllm_source *s = &part->source[q];
		*s = k->c->source[q];
		const int64_t *move = k->move[q];
		s->at.fixed += bytes_between(move, &at);
		for (unsigned l = 0; l < x->open; l++)
			moved[q][l] = bytes_between(move, &x->step[l]);
		if (move[I] * at.i.per_row != 0) {
			if (s->at.per_row != 0)
				x->status = GLLM_COMPILE_ERROR;
			s->at.per_row = move[I] * at.i.per_row;
			s->at.block = at.i.block;
			s->at.rest = at.i.rest;
		}
	}
}

/* The part that was added last is for so many rows, if its kernel asks how many. */
static void set_rows(struct blocker *x, struct gllm_linear rows)
{
	struct gllm_part *part = x->nparts ? &x->part[x->nparts - 1] : NULL;
	for (unsigned q = 0; x->status == GLLM_OK && part && q < part->code->trace.nparams; q++)
		if (part->source[q].kind == GLLM_FROM_ROWS)
			part->source[q].at = rows;
}

/* Blocks of rows: `trips` of `rows` from `at` on. */
struct rows {
	struct gllm_linear trips, rows, at;
};

/* At most two kinds: whole blocks and the rest. */
static unsigned split_rows(const struct blocker *x, struct rows out[2])
{
	int64_t mc = x->b.mc;
	const struct gllm_linear m = x->p->m;
	unsigned n = 0;
	if (x->p->most <= (uint64_t)mc) {
		out[0] = (struct rows){ fixed(1), m, fixed(0) };
		return 1;
	}
	if (m.per_row) {
		out[0] = (struct rows){ { .per_row = 1, .block = (uint32_t)mc }, fixed(mc), fixed(0) };
		out[1] = (struct rows){ fixed(1), { .per_row = 1, .block = (uint32_t)mc, .rest = true },
		                        { .per_row = mc, .block = (uint32_t)mc } };
		return 2;
	}
	out[n++] = (struct rows){ fixed(m.fixed / mc), fixed(mc), fixed(0) };
	if (m.fixed % mc)
		out[n++] = (struct rows){ fixed(1), fixed(m.fixed % mc), fixed(m.fixed / mc * mc) };
	return n;
}

/* All parts of one block of j and k, or of all that differ from it in their place alone. */
static void one_block(struct blocker *x, int64_t jc, int64_t nc, int64_t pc, int64_t kc)
{
	const struct product *p = x->p;
	int64_t nr = x->b.nr, panels = nc / nr, rest = nc % nr;
	struct at at = { .j = jc, .k = pc }, last = { .j = jc + panels * nr, .k = pc, .lane = panels * nr };
	bool beside = false;
	for (unsigned i = 0; i < x->npanels; i++) {
		if (panels)
			add_part(x, make(x, PACK_PANELS, i, (struct macro){ .panels = fixed(panels), .lanes = nr, .depth = kc }), at, beside);
		beside |= panels != 0;
		if (rest)
			add_part(x, make(x, PACK_PANELS, i, (struct macro){ .panels = fixed(1), .lanes = rest, .depth = kc }), last, beside);
		beside = true;
	}
	for (unsigned i = 0; i < x->nrows && x->row_pitch && !x->whole; i++)
		add_part(x, make(x, PACK_ROWS, i, (struct macro){ .rows = p->m, .depth = kc }), (struct at){ .k = pc }, true);
	struct rows rows[2];
	unsigned n = split_rows(x, rows);
	beside = false;
	for (unsigned i = 0; i < n; i++) {
		struct macro m = { .rows = p->m.per_row ? p->m : rows[i].rows, .depth = kc, .first = pc == 0, .last = pc + kc == p->k,
		                   .way = GLLM_BLOCK_PACKED };
		bool repeats = open_repeat(x, rows[i].trips, (struct at){ .i = fixed(x->b.mc) });
		at.i = last.i = rows[i].at;
		m.panels = fixed(panels);
		m.lanes = nr;
		if (panels)
			add_part(x, make(x, MACRO, 0, m), at, beside);
		if (panels)
			set_rows(x, rows[i].rows);
		beside |= panels != 0;
		m.panels = fixed(1);
		m.lanes = rest;
		if (rest)
			add_part(x, make(x, MACRO, 0, m), last, beside);
		if (rest)
			set_rows(x, rows[i].rows);
		beside = true;
		close_repeat(x, repeats);
	}
}

/* One block of j: the first block of k begins sums, the last ends them. */
static void blocks_of_k(struct blocker *x, int64_t jc, int64_t nc)
{
	int64_t kc = x->b.kc, all = gllm_ceil_div(x->p->k, kc);
	if (all > 1)
		one_block(x, jc, nc, 0, kc);
	if (all > 2) {
		bool repeats = open_repeat(x, fixed(all - 2), (struct at){ .k = kc });
		one_block(x, jc, nc, kc, kc);
		close_repeat(x, repeats);
	}
	one_block(x, jc, nc, (all - 1) * kc, x->p->k - (all - 1) * kc);
}

static void blocks_of_j(struct blocker *x)
{
	int64_t nc = x->b.nc, n = x->p->n, whole = n / nc;
	bool repeats = open_repeat(x, fixed(whole), (struct at){ .j = nc });
	if (whole)
		blocks_of_k(x, 0, nc);
	close_repeat(x, repeats);
	if (n % nc)
		blocks_of_k(x, whole * nc, n % nc);
}

/* --- ways ----------------------------------------------------------------------------------------------------------- */

/* The factors of one side, each once. */
static unsigned factors(const struct product *p, unsigned side, gllm_ref *out)
{
	unsigned n = 0;
	for (unsigned i = 0; i < p->nsums; i++) {
		unsigned k = 0;
		while (k < n && out[k] != p->sum[i].value[side])
			k++;
		if (k == n)
			out[n++] = p->sum[i].value[side];
	}
	return n;
}

/* Whether the row side may be read where it lies: plain elements along k, and a tile's rows not all in a few lines' room. With
 * more ways than half of the rows that costs less than packing (1024^3, 12 ways, 14 rows: 3 % less). */
static bool lies_well(const struct blocker *x)
{
	const struct gllm_trace *t = &x->p->c->trace;
	bool crowded = x->b.mr > 2 * x->profile->cache[0].ways;
	for (unsigned i = 0; i < x->nrows; i++) {
		const struct gllm_node *n = &t->node[x->rows_of[i]];
		if (n->op != GLLM_N_LOAD || n->type != GLLM_F32 || x->p->affine[n->imm].loop[K] != 4)
			return false;
		if (crowded && x->p->most > 2 * x->b.mr && x->p->affine[n->imm].loop[I] % 2048 == 0)
			return false;
	}
	return true;
}

/* All rows for a few columns at a time, so that the other side is read once from memory, however many passes its rows need
 * to fit the registers. */
static void block_dots(struct blocker *x, const struct product *p, enum gllm_block_way way)
{
	int64_t wide = way == GLLM_BLOCK_STAGED ? gllm_stage_width(x->b.nr, x->profile->vector_bytes / 4, p->n) : x->b.nr;
	int64_t panels = p->n / wide, rest = p->n % wide;
	struct macro m = { .panels = fixed(panels), .rows = p->m, .lanes = wide, .depth = p->k, .first = true,
	                   .last = true, .way = way };
	if (panels)
		add_part(x, make(x, MACRO, 0, m), (struct at){ .j = 0 }, false);
	m.panels = fixed(1);
	m.lanes = rest;
	if (rest)
		add_part(x, make(x, MACRO, 0, m), (struct at){ .j = panels * wide }, panels != 0);
}

/* Columns of `m`: whole blocks, what is left of panels, what is left of lanes. Rows that fit one tile need no panels. */
static void stream_columns(struct blocker *x, struct macro m, int64_t pc)
{
	int64_t nc = x->b.nc, nr = x->p->most <= x->b.mr ? nc : x->b.nr, n = x->p->n, whole = n / nc, left = n % nc;
	const struct {
		int64_t wide, panels, lanes, at;
	} piece[] = { { whole, nc / nr, nr, 0 }, { 1, left / nr, nr, whole * nc }, { 1, 1, left % nr, n - left % nr } };
	bool beside = false;
	for (unsigned i = 0; i < GLLM_COUNT(piece); i++) {
		m.wide = piece[i].wide;
		m.panels = fixed(piece[i].panels);
		m.lanes = piece[i].lanes;
		if (m.wide == 0 || piece[i].panels == 0 || m.lanes == 0)
			continue;
		add_part(x, make(x, MACRO, 0, m), (struct at){ .j = piece[i].at, .k = pc, .lane = piece[i].at }, beside);
		beside = true;
	}
}

/* The first block of k, all that are alike, the last. False, and nothing done, if partial sums would take too much. */
static bool block_stream(struct blocker *x, const struct product *p)
{
	int64_t kc = x->b.kc, whole = (p->k - 1) / kc;
	if (p->result == GLLM_NO_NODE) {
		x->sum_pitch = 4 * p->n + LINE;
		uint64_t bytes = p->most * (uint64_t)x->sum_pitch;
		if (!affordable(x, &bytes, 1, 0))
			return false;
		x->partial[0] = scratch(x, bytes);
	}
	struct macro m = { .rows = p->m, .depth = kc, .first = true, .way = GLLM_BLOCK_STREAM };
	stream_columns(x, m, 0);
	m.first = false;
	m.deep = whole - 1;
	if (m.deep > 0)
		stream_columns(x, m, kc);
	m.deep = 0;
	m.last = true;
	m.depth = p->k - whole * kc;
	stream_columns(x, m, whole * kc);
	return true;
}

/* Kernels for the row sides that no product of the group has packed yet, all rows of all k. Returns the bytes they fill. */
static uint64_t whole_rows(struct blocker *x, const struct product *p)
{
	uint64_t bytes = 0;
	for (unsigned i = 0; i < x->nrows; i++) {
		x->pack[i] = pack_rows(x, i, p->m, p->k);
		unsigned at = x->pack[i] ? gllm_packed_find(&x->packed, x->pack[i]->c) : x->packed.n;
		if (at < x->packed.n) {
			x->rows[i] = x->packed.at[at].scratch;
			x->pack[i] = NULL;
		} else {
			bytes += gllm_round_up(p->most * (uint64_t)x->row_pitch, LINE);
		}
	}
	return bytes;
}

/* Packs what is not packed yet, and says what is. */
static void add_whole_rows(struct blocker *x, const struct product *p)
{
	uint64_t bytes = p->most * (uint64_t)x->row_pitch;
	for (unsigned i = 0; i < x->nrows && x->status == GLLM_OK; i++) {
		if (!x->pack[i]) {
			for (unsigned k = 0; k < x->packed.n; k++)
				if (x->packed.at[k].scratch == x->rows[i])
					gllm_packed_tell(&x->packed, k, x->old->node[0], 2 * bytes, x->f);
			continue;
		}
		x->rows[i] = new_scratch(x, bytes);
		x->packed.bytes += gllm_round_up(bytes, LINE);
		add_part(x, x->pack[i], (struct at){ .k = 0 }, i > 0);
		struct gllm_part *part = x->nparts ? &x->part[x->nparts - 1] : NULL;
		for (unsigned q = 0; x->status == GLLM_OK && q < part->code->trace.nparams; q++)
			if (part->source[q].kind == GLLM_FROM_SCRATCH)
				part->source[q].tensor = x->rows[i];
		if (x->packed.n < GLLM_PACKED_ROWS) {
			x->packed.at[x->packed.n].code = x->pack[i]->c;
			x->packed.at[x->packed.n].scratch = x->rows[i];
			x->packed.at[x->packed.n++].node = x->old->node[0];
		}
	}
}

/* Bytes of the pieces that the next product may use again. */
static unsigned pieces(const struct blocker *x, const struct product *p, bool partials, uint64_t *bytes)
{
	unsigned n = 0;
	for (unsigned i = 0; i < x->npanels; i++)
		bytes[n++] = (uint64_t)(gllm_ceil_div(x->b.nc, x->b.nr) * x->panel_pitch);
	for (unsigned i = 0; i < x->nrows && x->row_pitch && !x->whole; i++)
		bytes[n++] = p->most * (uint64_t)x->row_pitch;
	for (unsigned i = 0; i < p->nsums && partials; i++)
		bytes[n++] = p->most * (uint64_t)x->sum_pitch;
	return n;
}

/* False, and nothing done, if the scratch would be more than is allowed. */
static bool block_packed(struct blocker *x, const struct product *p)
{
	uint64_t bytes[3 * MAX_SUMS];
	x->npanels = factors(p, J, x->panel_of);
	x->nrows = factors(p, I, x->rows_of);
	bool partials = p->result == GLLM_NO_NODE && x->b.kc < p->k, well = lies_well(x);
	x->panel_pitch = 4 * (int64_t)x->b.nr * (x->b.kc + 1);
	x->sum_pitch = 4 * (int64_t)x->b.nc + LINE; /* one block of j at a time */
	for (x->whole = !well;; x->whole = false) {
		x->row_pitch = well ? 0 : 4 * (x->whole ? p->k : x->b.kc) + LINE;
		uint64_t rows = x->whole ? whole_rows(x, p) : 0;
		if (affordable(x, bytes, pieces(x, p, partials, bytes), rows))
			break;
		if (!x->whole)
			return false;
	}
	for (unsigned i = 0; i < x->npanels; i++)
		x->panel[i] = scratch(x, bytes[x->used]);
	for (unsigned i = 0; i < x->nrows && x->row_pitch && !x->whole; i++)
		x->rows[i] = scratch(x, bytes[x->used]);
	for (unsigned i = 0; i < p->nsums && partials; i++)
		x->partial[i] = scratch(x, bytes[x->used]);
	if (x->whole)
		add_whole_rows(x, p);
	blocks_of_j(x);
	return true;
}

/* True if `p` has become parts of its own. */
static bool block_product(struct blocker *x, const struct product *p, enum gllm_block_way way)
{
	x->p = p;
	x->used = x->npanels = x->nrows = 0;
	x->made = NULL;
	x->row_pitch = 0;
	x->whole = false;
	if (way != GLLM_BLOCK_NOT)
		x->b = gllm_block_sizes(x->profile, x->tuning, p, x->workers, way);
	switch (way) {
	case GLLM_BLOCK_PACKED: return block_packed(x, p);
	case GLLM_BLOCK_STREAM: return block_stream(x, p);
	case GLLM_BLOCK_DOTS: case GLLM_BLOCK_STAGED: block_dots(x, p, way); return true;
	case GLLM_BLOCK_DIRECT: case GLLM_BLOCK_NOT: break;
	}
	return false;
}

static void block_group(struct blocker *x, struct gllm_group *g)
{
	struct gllm_part *old = g->part;
	unsigned n = g->nparts;
	x->part = NULL;
	x->repeat = NULL;
	x->nparts = x->max_parts = x->nrepeats = x->max_repeats = x->npool = 0;
	x->packed = (struct gllm_packed_rows){ .n = 0 };
	for (unsigned i = 0; i < n && x->status == GLLM_OK; i++) {
		struct product *p = take(x, 1, sizeof *p);
		struct gllm_composed *c = take(x, 1, sizeof *c);
		if (!p || !c)
			return;
		x->old = &old[i];
		*c = *old[i].code;
		for (unsigned q = 0; q < c->trace.nparams; q++)
			c->source[q] = old[i].source[q];
		bool product = gllm_block_form(x->arena, c, x->max_rows, p);
		struct gllm_block_choice choice = { .way = GLLM_BLOCK_NOT };
		if (product)
			choice = gllm_block_choose(x->profile, x->tuning, p);
		x->unroll = choice.unroll;
		x->fetch = choice.fetch;
		if (product && (block_product(x, p, choice.way) || (choice.other != choice.way && block_product(x, p, choice.other))))
			continue;
		if (choice.way == GLLM_BLOCK_DIRECT || choice.other == GLLM_BLOCK_DIRECT) {
			c->how.rows = (uint8_t)x->b.mr;
			c->how.depth = x->unroll;
		}
		struct kernel k = { .c = product ? c : old[i].code };
		add_part(x, &k, (struct at){ .j = 0 }, old[i].beside);
		if (x->status == GLLM_OK) {
			struct gllm_part *part = &x->part[x->nparts - 1];
			bool beside = part->beside;
			*part = old[i];
			part->code = k.c;
			part->beside = beside;
		}
	}
	g->part = x->part;
	g->nparts = x->nparts;
	g->repeat = x->repeat;
	g->nrepeats = x->nrepeats;
	if (x->status == GLLM_OK)
		x->status = gllm_packed_norm(g, x->arena, x->f);
}

enum gllm_status gllm_block(const struct gllm_profile *p, const struct gllm_tuning *tuning, uint64_t max_rows,
                            unsigned workers, uint64_t scratch_limit, struct gllm_arena *arena, struct gllm_fusion *f)
{
	struct blocker x = { .tuning = tuning, .profile = p, .max_rows = max_rows, .workers = workers, .limit = scratch_limit, .arena = arena, .f = f };
	for (unsigned g = 0; g < f->ngroups && x.status == GLLM_OK; g++) {
		x.group = g;
		if (f->group[g].nparts)
			block_group(&x, &f->group[g]);
	}
	return x.status;
}
