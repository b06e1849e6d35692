/* SPDX-License-Identifier: MIT
 * jit/block_hints.c - see block_hints.h. */
#include "jit/block_hints.h"
#include "core/bits.h"

/* Hints of a body of the product at most: lines of a panel, rows of memory, lines of one row. */
enum { LINE = 64, MOST_HINTS = 4, MOST_ROWS = 12, MOST_LINES = 16, STEPS_AHEAD = 8, BYTES_AHEAD = 2048 };

/* `coef` times the number that parameter `by` says, for each step of a loop; -1: once. */
static struct gllm_term times(uint8_t by, int64_t coef, int8_t loop)
{
	return (struct gllm_term){ .coef = coef, .sym = { (uint8_t)(GLLM_SYM_PARAM + by), loop < 0 ? 0 : (uint8_t)(GLLM_SYM_LOOP + loop) } };
}

/* The next panel's bytes of the side that was packed beforehand come from memory: while the tiles of a panel pass, each fetches its
 * part of them, a few lines a body (128x4096x4096: 14 % over what the first tile fetches alone). */
static void hint_panels(const struct blocker *x, struct gllm_strip *s, const struct macro *m, int8_t row, int8_t depth)
{
	const struct gllm_trace *t = &x->p->c->trace;
	int64_t rows = x->p->most < x->b.mc ? (int64_t)x->p->most : x->b.mc, tiles = rows / x->b.mr;
	for (unsigned i = m->sum; i < m->end && tiles > 1; i++) {
		gllm_ref v = x->p->sum[i].value[J];
		v = t->node[v].op == GLLM_N_CVT ? t->node[v].a : v;
		unsigned q = t->node[v].op == GLLM_N_LOAD ? t->access[t->node[v].imm].param : GLLM_TRACE_PARAMS;
		if (q >= GLLM_TRACE_PARAMS || !x->p->packed[q] || s->map[v] == GLLM_NO_NODE)
			continue;
		int64_t step = gllm_block_step(x->p, q, x->lanes), body = x->unroll * step, parts = 1;
		while (2 * parts <= tiles && LINE * 2 * parts <= body)
			parts *= 2;
		for (int64_t at = 0; at < body / parts && body / parts <= LINE * MOST_HINTS; at += LINE) {
			const struct gllm_term more[] = { { .coef = x->p->stride[q][J] * x->lanes + at },
			                                  along(row, m->depth * step / parts / x->b.mr), along(depth, step / parts - step) };
			gllm_strip_hint(s, s->map[v], more, GLLM_COUNT(more));
		}
	}
}

/* Rows that are read where they lie, from beyond L2 for each block of columns: while the tiles of a panel pass, each fetches those of its like in
 * the next block of rows that fall to the panel, from end to end where all of k is one block. The rows that are left over at the end
 * fetch the first ones of the next block of k. */
static void hint_blocks(const struct blocker *x, struct gllm_strip *s, const struct macro *m, const struct nest *n)
{
	const struct gllm_trace *t = &x->p->c->trace;
	int64_t each = gllm_ceil_div((int64_t)x->b.mr * x->workers, gllm_ceil_div(x->b.nc, x->b.nr));
	bool left = m->rows.fixed < x->b.mc;
	for (unsigned i = 0; i < x->nrows && !x->row_pitch && gllm_block_rows_afar(x->profile, x->p, &x->b); i++) {
		gllm_ref v = x->rows_of[i];
		if (s->map[v] == GLLM_NO_NODE || !takes(x, m, I, v))
			continue;
		const int64_t *by = x->p->affine[t->node[v].imm].loop, below = left ? m->rows.fixed - x->p->m.fixed : x->b.mc;
		bool run = by[I] == m->depth * by[K];
		for (int64_t row = 0; row < (run ? 1 : each < MOST_HINTS ? each : MOST_HINTS); row++) {
			const struct gllm_term more[] = { { .coef = (below + row) * by[I] }, { .coef = left ? m->depth * by[K] : 0 },
			                                  along(n->p, each * by[I]), along(n->kk, run ? (each - 1) * by[K] : 0) };
			gllm_strip_hint(s, s->map[v], more, GLLM_COUNT(more));
		}
	}
}

/* A parameter that is where the next block of what access `a` reads begins, and the numbers that go with it. */
static uint8_t next_block(const struct blocker *x, struct gllm_strip *s, struct kernel *k, uint64_t a, unsigned columns, uint8_t *pitch, uint8_t *row)
{
	const struct gllm_access *from = &x->p->c->trace.access[a];
	const struct gllm_source number = { .kind = GLLM_FROM_ROWS };
	uint8_t q = gllm_strip_param(s, "next", GLLM_IN, (enum gllm_type)from->type, x->p->c->source[from->param]);
	*pitch = gllm_strip_param(s, "pitch", GLLM_DIM, GLLM_I64, number);
	*row = gllm_strip_param(s, "row", GLLM_DIM, GLLM_I64, number);
	for (unsigned l = 0; l < GLLM_STRIP_LOOPS; l++)
		k->move[q][l] = x->p->affine[a].loop[l];
	k->from[q] = (uint8_t)(from->param + 1);
	k->next[k->nnext].at = q;
	k->next[k->nnext].pitch = *pitch;
	k->next[k->nnext].columns = (uint8_t)columns;
	k->next[k->nnext++].row = *row;
	return q;
}

/* What the next block is packed from comes from memory, each column's part of k in one piece: while the tiles of a panel pass, each
 * fetches some columns of the panel that will stand there, k going along with the product's. Few tiles fetch no more than many, and
 * not all of it: memory has no more to give (4096x4096 by 32 rows 0.94 of what all take, two products 0.90). Where that
 * is parts say. */
enum { PASSES = 10, ADDRESSED = 4 }; /* columns at once: 1, 2 and 4 distances from the first, which one register says on all machines */
static void hint_sources(struct blocker *x, struct gllm_strip *s, struct kernel *k, const struct macro *m, int8_t panel, int8_t row,
                         int8_t depth)
{
	const struct gllm_trace *t = &x->p->c->trace;
	int64_t nr = x->b.nr, each = gllm_ceil_div(nr, PASSES);
	unsigned panels = x->apart ? 1 : x->npanels;
	each = each * panels < MOST_ROWS ? each : gllm_ceil_div(MOST_ROWS, panels);
	each = each < ADDRESSED ? each : ADDRESSED;
	int64_t apart = nr / (each == ADDRESSED ? each + 1 : each);
	for (unsigned i = 0; i < x->npanels && s->nparams + 3 <= GLLM_TRACE_PARAMS; i++) {
		const struct gllm_node *n = &t->node[x->panel_of[i]];
		n = n->op == GLLM_N_CVT ? &t->node[n->a] : n;
		if (n->op != GLLM_N_LOAD || !takes(x, m, J, x->panel_of[i]))
			continue;
		const struct gllm_affine *a = &x->p->affine[n->imm];
		uint8_t pitch, by, q = next_block(x, s, k, n->imm, 1, &pitch, &by);
		for (int64_t c = 0; c < each; c++) {
			const struct gllm_term offset[] = { { .coef = a->base + m->depth * a->loop[K] },
			                                    times(pitch, (c < 3 ? c : 4) * apart, -1), times(pitch, nr, panel), times(by, 1, row),
			                                    along(depth, a->loop[K]) };
			gllm_strip_hint_at(s, q, offset, GLLM_COUNT(offset));
		}
	}
}

/* What the next block's first tiles read and pack, of which each row of the matrix is some lines: a panel fetches as many of these rows as a body
 * has steps of k, and each of its tiles some of their lines. */
static void hint_lines(struct blocker *x, struct gllm_strip *s, struct kernel *k, const struct macro *m, const struct nest *n)
{
	const struct gllm_trace *t = &x->p->c->trace;
	int64_t lines = gllm_ceil_div(4 * (int64_t)x->b.nc, (int64_t)x->p->most);
	for (unsigned i = 0; i < x->npanels && s->nparams + 3 <= GLLM_TRACE_PARAMS; i++) {
		const struct gllm_node *v = &t->node[x->panel_of[i]];
		if (v->op != GLLM_N_LOAD || !takes(x, m, J, x->panel_of[i]))
			continue;
		uint8_t pitch, by, q = next_block(x, s, k, v->imm, 0, &pitch, &by);
		const struct gllm_term offset[] = { { .coef = x->p->affine[v->imm].base }, times(pitch, m->depth, -1), times(pitch, 1, n->kk),
		                                    times(pitch, 1, n->p), along(n->r, lines) };
		gllm_strip_hint_at(s, q, offset, GLLM_COUNT(offset));
	}
}

/* What this tile reads some steps later where it lies: rows of the matrix, which no prefetcher follows. They begin anywhere if they are no whole
 * lines (1000^3: 5 %). */
static void hint_steps(const struct blocker *x, struct gllm_strip *s, const struct macro *m)
{
	const struct gllm_trace *t = &x->p->c->trace;
	for (unsigned i = 0; i < x->npanels; i++) {
		gllm_ref v = x->panel_of[i];
		if (t->node[v].op != GLLM_N_LOAD || !takes(x, m, J, v) || s->map[v] == GLLM_NO_NODE)
			continue;
		const int64_t row = x->p->affine[t->node[v].imm].loop[K], lines = gllm_ceil_div(4 * m->lanes, LINE) + (row % LINE != 0);
		for (int64_t at = 0; at < x->unroll * lines && lines <= MOST_HINTS; at++) {
			int64_t step = STEPS_AHEAD + at / lines;
			const struct gllm_term more[] = { { .coef = at % lines * LINE }, { .coef = step * row } };
			gllm_strip_hint(s, s->map[v], more, GLLM_COUNT(more));
		}
	}
}

/* The next panel of dot products, whose columns are read along k: while the tiles of a panel pass, each fetches some of the columns that will
 * stand there. */
static void hint_columns(const struct blocker *x, struct gllm_strip *s, struct kernel *k, const struct macro *m, const struct nest *n)
{
	const struct gllm_node *v = &x->p->c->trace.node[x->p->sum[m->sum].value[J]];
	v = v->op == GLLM_N_CVT ? &x->p->c->trace.node[v->a] : v;
	if (v->op != GLLM_N_LOAD || s->nparams + 3 > GLLM_TRACE_PARAMS)
		return;
	int64_t each = gllm_ceil_div(x->b.nr, gllm_ceil_div((int64_t)x->p->most, x->b.mr));
	uint8_t pitch, by, q = next_block(x, s, k, v->imm, (unsigned)each, &pitch, &by);
	for (int64_t c = 0; c < each; c++) {
		const struct gllm_term offset[] = { { .coef = x->p->affine[v->imm].base }, times(pitch, c, -1), times(pitch, m->lanes, n->p),
		                                    times(pitch, 1, n->v), times(by, 1, n->r), along(n->kk, x->p->affine[v->imm].loop[K]) };
		gllm_strip_hint_at(s, q, offset, GLLM_COUNT(offset));
	}
}

/* The next block of a side that is read where it lies: of k, or behind the last one the first of the next columns; where a kernel has one block
 * of k of all columns, of columns. While the tiles of a panel pass, each fetches every so many rows of the panel that will stand there, whole
 * runs of lines. */
static void hint_rows(const struct blocker *x, struct gllm_strip *s, const struct macro *m, const struct nest *n)
{
	gllm_ref v = x->p->sum[0].value[J];
	v = x->p->c->trace.node[v].op == GLLM_N_CVT ? x->p->c->trace.node[v].a : v;
	if (x->p->c->trace.node[v].op != GLLM_N_LOAD || s->map[v] == GLLM_NO_NODE)
		return;
	const struct gllm_affine *a = &x->p->affine[x->p->c->trace.node[v].imm];
	int64_t lines = gllm_ceil_div(x->b.nr * a->loop[J], LINE), mr = x->b.mr;
	int64_t each = gllm_ceil_div(lines, gllm_ceil_div((int64_t)x->p->most, mr)), next = x->b.kc * a->loop[K];
	if (!m->wide ? m->last : !m->deep)
		next = x->b.nc * a->loop[J] - (m->wide ? 0 : x->p->k - m->depth) * a->loop[K];
	each = each < MOST_LINES ? each : MOST_LINES;
	for (int64_t at = 0; at < each; at++) {
		const struct gllm_term more[] = { { .coef = next + at * LINE }, along(n->v, a->loop[K] * x->unroll / x->b.nr - a->loop[J]),
		                                  along(n->r, gllm_ceil_div(each * LINE, mr)) };
		gllm_strip_hint(s, s->map[v], more, GLLM_COUNT(more));
	}
}

/* Rows that lie far apart, each of them as far ahead, and again when half of the way is gone: machines drop what they have no room to wait for. */
static void hint_apart(const struct blocker *x, struct gllm_strip *s, const struct macro *m, const struct nest *n, gllm_ref v)
{
	int64_t apart = m->wide * x->p->affine[x->p->c->trace.node[v].imm].loop[J];
	for (int64_t i = 0; i < 2 * (int64_t)x->b.mr; i++) {
		const struct gllm_term more[] = { { .coef = i / 2 * apart + BYTES_AHEAD / (1 + i % 2) }, along(n->r, -apart) };
		gllm_strip_hint(s, s->map[v], more, GLLM_COUNT(more));
	}
}

/* The side that is broadcast where it lies: while a tile of it passes, the next is fetched, from end to end where all of k is one block and so
 * each row lies behind the one before, which prefetchers take up (32x4096x4096: 8 % over two blocks of k); else row beside row. */
static void hint_tiles(const struct blocker *x, struct gllm_strip *s, const struct macro *m, const struct nest *n)
{
	gllm_ref v = x->p->sum[m->sum].value[J];
	int64_t row = x->p->affine[x->p->c->trace.node[v].imm].loop[J], mr = x->b.mr;
	bool whole = x->b.kc >= x->p->k;
	if (s->map[v] == GLLM_NO_NODE)
		return;
	if (m->wide && x->steps > 1) {
		hint_apart(x, s, m, n, v);
		return;
	}
	int64_t rows = gllm_ceil_div(mr, m->wide ? m->deep : 1); /* while one of the panels passes */
	int64_t each = 4 * (int64_t)x->steps, lines = whole ? gllm_ceil_div(each * rows * x->unroll, LINE) : rows, step = whole ? each * rows - each : 0;
	for (int64_t i = 0; i < lines; i++) {
		const struct gllm_term more[] = { { .coef = mr * row + i * (whole ? LINE : row) }, along(n->kk, step), along(n->p, rows * row) };
		gllm_strip_hint(s, s->map[v], more, m->wide ? 3 : 2);
	}
}

void gllm_block_hints(struct blocker *x, struct gllm_strip *s, struct kernel *k, const struct macro *m, const struct nest *n)
{
	if (m->way == GLLM_BLOCK_PACKED && !x->tile) {
		hint_panels(x, s, m, n->r, n->kk);
		if (!m->packs)
			hint_blocks(x, s, m, n);
	}
	if (m->packs)
		hint_steps(x, s, m);
	else if (m->way == GLLM_BLOCK_PACKED && x->by_tile && x->ahead)
		hint_lines(x, s, k, m, n);
	else if (m->way == GLLM_BLOCK_PACKED && x->ahead)
		hint_sources(x, s, k, m, n->p, n->r, n->kk);
	if (m->way == GLLM_BLOCK_STREAM && x->ahead)
		hint_rows(x, s, m, n);
	if (m->way == GLLM_BLOCK_DOTS && x->ahead)
		hint_columns(x, s, k, m, n);
	if (m->way == GLLM_BLOCK_TURNED)
		hint_tiles(x, s, m, n);
}
