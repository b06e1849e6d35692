/* SPDX-License-Identifier: MIT
 * jit/block_parts.c - see block_parts.h. */
#include "jit/block_parts.h"
#include "core/bits.h"

/* Whether the next part stands first in a repeat or right behind one: then it runs beside nothing. */
static bool at_an_edge(const struct blocker *x)
{
	for (unsigned i = 0; i < x->nrepeats; i++)
		if (x->repeat[i].first == x->nparts || x->repeat[i].end == x->nparts)
			return true;
	return false;
}

/* `list` of `n` elements, with room for one more. Without memory it stays, and x->status says so. */
static void *with_room(struct blocker *x, void *list, unsigned n, unsigned *max, size_t size)
{
	unsigned more = *max ? 2 * *max : 16;
	void *longer = n == *max ? gllm_block_take(x, more, size) : NULL;
	if (!longer)
		return list;
	if (n)
		__builtin_memcpy(longer, list, n * size);
	*max = more;
	return longer;
}

bool gllm_block_open_repeat(struct blocker *x, struct gllm_linear trips, struct at step)
{
	if (x->status != GLLM_OK || (trips.per_row == 0 && trips.fixed < 2))
		return false;
	x->repeat = with_room(x, x->repeat, x->nrepeats, &x->max_repeats, sizeof *x->repeat);
	if (x->status != GLLM_OK)
		return false;
	x->repeat[x->nrepeats++] = (struct gllm_repeat){ .first = x->nparts, .trips = trips, .level = x->open };
	x->step[x->open++] = step;
	return true;
}

void gllm_block_close_repeat(struct blocker *x, bool opened)
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

void gllm_block_add(struct blocker *x, const struct kernel *k, struct at at, bool beside)
{
	if (x->status != GLLM_OK || !k)
		return;
	x->part = with_room(x, x->part, x->nparts, &x->max_parts, sizeof *x->part);
	if (x->status != GLLM_OK)
		return;
	struct gllm_part *part = &x->part[x->nparts];
	struct gllm_source *source = gllm_block_room(x, k->c->trace.nparams, sizeof *source);
	int64_t (*moved)[GLLM_REPEAT_LEVELS] = x->open ? gllm_block_take(x, k->c->trace.nparams, sizeof *moved) : NULL;
	if (!source || (x->open && !moved))
		return;
	*part = (struct gllm_part){ .code = k->c, .source = source, .node = x->old->node, .n = x->old->n, .mode = x->old->mode,
	                            .beside = beside && !at_an_edge(x), .move = (const int64_t (*)[GLLM_REPEAT_LEVELS])moved };
	x->nparts++;
	for (unsigned q = 0; q < k->c->trace.nparams; q++) {
		struct gllm_source *s = &part->source[q];
		*s = k->from[q] ? x->p->c->source[k->from[q] - 1] : k->c->source[q];
		s->lanes = k->c->source[q].lanes;
		const int64_t *move = k->move[q];
		if ((move[I] | move[J] | move[K] | move[PANEL]) == 0)
			continue;
		for (unsigned l = 0; l < x->open; l++)
			moved[q][l] = bytes_between(move, &x->step[l]);
		s->at.fixed += bytes_between(move, &at);
		if (move[I] * at.i.per_row != 0) {
			if (s->at.per_row != 0)
				x->status = GLLM_COMPILE_ERROR;
			s->at.per_row = move[I] * at.i.per_row;
			s->at.block = at.i.block;
			s->at.rest = at.i.rest;
		}
	}
}

/* Numbers that the kernel of the part that was added last asks for. */
static void set_number(struct blocker *x, uint8_t param, struct gllm_linear n)
{
	if (x->status == GLLM_OK && param != NO_NUMBER && x->nparts)
		x->part[x->nparts - 1].source[param].at = n;
}

void gllm_block_numbers(struct blocker *x, const struct kernel *k, const struct macro *m, struct gllm_linear rows)
{
	if (!k)
		return;
	set_number(x, k->rows, rows);
	set_number(x, k->count, m->panels);
	set_number(x, k->depth, gllm_block_fixed(m->depth));
}

/* The part that was added last has sums of so many steps of k to add to, if its kernel asks. */
static void set_begun(struct blocker *x, const struct kernel *k, int64_t steps)
{
	if (x->status == GLLM_OK && k && k->begun != NO_NUMBER && x->nparts)
		x->part[x->nparts - 1].source[k->begun].scalar = gllm_bits_f32((uint32_t)steps);
}

/* What its kernel fetches for the next block of k begins `depth` behind the part that was added last. The last one's next is the first
 * of the next block of j: so far before it the matrix reaches, too. A tile goes on by a column for all of its rows. */
static void set_next(struct blocker *x, const struct kernel *k, const struct at *at, int64_t depth)
{
	bool dots = x->way == GLLM_BLOCK_DOTS;
	bool last = !dots && at->k + depth >= x->p->k && at->j + x->b.nc <= x->p->n;
	int64_t each = x->any_depth ? x->b.kc : depth; /* its trace says */
	int64_t rows = (int64_t)(x->p->most < x->b.mc ? x->p->most : x->b.mc), tile = gllm_ceil_div(rows, gllm_ceil_div(rows, x->b.mr));
	tile = x->p->m.per_row || tile < 1 ? x->b.mr : tile;
	for (unsigned i = 0; k && i < k->nnext; i++) {
		const int64_t *move = k->move[k->next[i].at];
		struct gllm_source *s = x->status == GLLM_OK && x->nparts ? &x->part[x->nparts - 1].source[k->next[i].at] : NULL;
		if (s && dots && at->j + 2 * (int64_t)x->b.nc <= x->p->n) /* within the matrix */
			s->at.fixed += move[J] * x->b.nc;
		if (s && last)
			s->at.fixed += move[J] * x->b.nc - move[K] * (at->k + each);
		set_number(x, k->next[i].pitch, gllm_block_fixed(x->idle ? 0 : x->by_tile ? move[K] : move[J]));
		set_number(x, k->next[i].row, gllm_block_fixed(x->idle ? 0 : (move[J] * k->next[i].columns + tile / 2) / tile));
	}
}

/* Blocks of rows: `trips` of `rows` from `at` on. */
struct rows {
	struct gllm_linear trips, rows, at;
};

/* At most two kinds: whole blocks and the rest, of the rows from `done` on, which is 0 unless rows are known. */
static unsigned split_rows(const struct blocker *x, int64_t done, struct rows out[2])
{
	int64_t mc = x->b.mc;
	struct gllm_linear m = x->p->m;
	unsigned n = 0;
	m.fixed -= done;
	if (!m.per_row) {
		if (m.fixed / mc)
			out[n++] = (struct rows){ gllm_block_fixed(m.fixed / mc), gllm_block_fixed(mc), gllm_block_fixed(done) };
		if (m.fixed % mc)
			out[n++] = (struct rows){ gllm_block_fixed(1), gllm_block_fixed(m.fixed % mc), gllm_block_fixed(done + m.fixed / mc * mc) };
		return n;
	}
	if (x->p->most <= (uint64_t)mc) {
		out[0] = (struct rows){ gllm_block_fixed(1), m, gllm_block_fixed(0) };
		return 1;
	}
	out[0] = (struct rows){ { .per_row = 1, .block = (uint32_t)mc }, gllm_block_fixed(mc), gllm_block_fixed(0) };
	out[1] = (struct rows){ gllm_block_fixed(1), { .per_row = 1, .block = (uint32_t)mc, .rest = true },
	                        { .per_row = mc, .block = (uint32_t)mc } };
	return 2;
}

/* Whether the sums are what the product stores. */
bool gllm_block_sums_are_result(const struct product *p)
{
	return p->result != GLLM_NO_NODE && p->c->trace.node[p->result].a == p->sum[0].last;
}

/* Blocks of k from the first one on that do the same but for what they add to: those before the last, and it as well if it is whole and
 * nothing follows the sums. One at most if sums do not begin with zero. */
static int64_t blocks_alike(const struct blocker *x)
{
	const struct product *p = x->p;
	const struct gllm_node *node = p->c->trace.node;
	for (unsigned i = 0; i < p->nsums; i++) {
		const struct gllm_node *begin = &node[node[p->sum[i].carry].a];
		if (begin->op != GLLM_N_CONST || begin->imm != 0)
			return 1;
	}
	return (p->k - !gllm_block_sums_are_result(p)) / x->b.kc;
}

static void add_pack(struct blocker *x, enum kind kind, unsigned which, const struct macro *m, struct at at, bool beside,
                     struct gllm_linear rows)
{
	const struct kernel *k = gllm_block_kernel(x, kind, which, *m);
	gllm_block_add(x, k, at, beside);
	gllm_block_numbers(x, k, m, rows);
}

void gllm_block_add_product(struct blocker *x, const struct macro *m, struct at at, bool beside, struct gllm_linear rows)
{
	struct macro each = *m;
	each.sum = 0;
	each.end = x->apart ? 1 : x->p->nsums;
	for (; each.sum < x->p->nsums; each.sum = each.end++) {
		const struct kernel *k = gllm_block_kernel(x, MACRO, 0, each);
		gllm_block_add(x, k, at, beside || each.sum > 0);
		gllm_block_numbers(x, k, m, rows);
		set_begun(x, k, at.k);
		set_next(x, k, &at, m->depth);
	}
}

void gllm_block_add_depths(struct blocker *x, struct macro m, struct at at, struct gllm_linear rows)
{
	int64_t kc = x->b.kc, whole = x->p->k / kc, rest = x->p->k % kc;
	bool repeats = gllm_block_open_repeat(x, gllm_block_fixed(whole), (struct at){ .k = kc });
	m.depth = kc;
	gllm_block_add_product(x, &m, at, false, rows);
	gllm_block_close_repeat(x, repeats);
	m.depth = rest;
	at.k = whole * kc;
	if (rest)
		gllm_block_add_product(x, &m, at, false, rows);
}

/* What follows sums, of a block of rows: in panels, and of the columns that are left over. */
void gllm_block_add_behind(struct blocker *x, struct gllm_linear of, struct at at, int64_t columns, struct gllm_linear rows)
{
	const int64_t wide = x->wide, whole = columns / wide;
	struct macro m = { .rows = of, .panels = gllm_block_fixed(whole), .lanes = wide };
	for (unsigned i = 0; i < 2; i++) {
		const struct kernel *k = m.panels.fixed && m.lanes ? gllm_block_kernel(x, BEHIND, 0, m) : NULL;
		if (k) {
			gllm_block_add(x, k, at, i && whole);
			gllm_block_numbers(x, k, &m, rows);
		}
		m.panels = gllm_block_fixed(1);
		m.lanes = columns % wide;
		at.j += whole * wide;
		at.lane += whole * wide;
	}
}

/* All parts of one block of j and k, or of all that differ from it in their place alone. */
static void one_block(struct blocker *x, int64_t jc, int64_t nc, int64_t pc, int64_t kc, bool alike)
{
	const struct product *p = x->p;
	int64_t nr = x->b.nr, panels = nc / nr, rest = nc % nr;
	struct at at = { .j = jc, .k = pc }, last = { .j = jc + panels * nr, .k = pc, .lane = panels * nr };
	bool beside = false;
	for (unsigned i = 0; i < x->npanels && !x->by_tile; i++) {
		if (panels)
			add_pack(x, PACK_PANELS, i, &(struct macro){ .panels = gllm_block_fixed(panels), .lanes = nr, .depth = kc }, at, beside, p->m);
		beside |= panels != 0;
		if (rest)
			add_pack(x, PACK_PANELS, i, &(struct macro){ .panels = gllm_block_fixed(1), .lanes = rest, .depth = kc }, last, beside, p->m);
		beside = true;
	}
	for (unsigned i = 0; i < x->nrows && x->row_pitch && !x->whole && !x->tile; i++)
		add_pack(x, PACK_ROWS, i, &(struct macro){ .rows = p->m, .depth = kc }, (struct at){ .k = pc }, true, p->m);
	struct rows rows[3], *left = rows;
	unsigned n = x->by_tile;
	if (x->by_tile)
		*left++ = (struct rows){ gllm_block_fixed(1), gllm_block_fixed(x->b.mr), gllm_block_fixed(0) };
	n += split_rows(x, x->by_tile ? x->b.mr : 0, left);
	beside = false;
	for (unsigned i = 0; i < n; i++) {
		struct macro m = { .rows = p->m.per_row ? p->m : rows[i].rows, .depth = kc, .first = pc == 0 && !alike,
		                   .last = pc + kc == p->k && !alike && !x->later, .either = alike, .way = GLLM_BLOCK_PACKED,
		                   .packs = i < x->by_tile };
		bool repeats = gllm_block_open_repeat(x, rows[i].trips, (struct at){ .i = gllm_block_fixed(x->b.mc) });
		at.i = last.i = rows[i].at;
		for (unsigned k = 0; k < x->nrows && x->tile; k++) {
			add_pack(x, PACK_ROWS, k, &(struct macro){ .rows = m.rows, .depth = kc }, (struct at){ .i = rows[i].at, .k = pc }, k > 0,
			         rows[i].rows);
		}
		beside = beside && !x->tile;
		m.panels = gllm_block_fixed(panels);
		m.lanes = nr;
		if (panels)
			gllm_block_add_product(x, &m, at, beside, rows[i].rows);
		beside |= panels != 0;
		m.panels = gllm_block_fixed(1);
		m.lanes = rest;
		if (rest)
			gllm_block_add_product(x, &m, last, beside, rows[i].rows);
		if ((x->apart || x->later) && pc + kc == p->k)
			gllm_block_add_behind(x, m.rows, at, nc, rows[i].rows);
		beside = !m.packs;
		gllm_block_close_repeat(x, repeats);
	}
}

/* One block of j: the first block of k begins sums, the last ends them. */
static void blocks_of_k(struct blocker *x, int64_t jc, int64_t nc)
{
	int64_t kc = x->b.kc, all = gllm_ceil_div(x->p->k, kc), alike = blocks_alike(x);
	int64_t first = alike > 1 ? 0 : 1, end = alike > 1 ? alike : all - 1;
	if (x->apart) {
		first = 0;
		end = alike = all;
	}
	end -= end == all && (x->ahead || x->apart); /* the last one fetches from elsewhere, and what follows the sums stands behind it */
	if (all > 1 && first)
		one_block(x, jc, nc, 0, kc, false);
	if (end > first) {
		bool repeats = gllm_block_open_repeat(x, gllm_block_fixed(end - first), (struct at){ .k = kc });
		one_block(x, jc, nc, first * kc, kc, alike > 1);
		gllm_block_close_repeat(x, repeats);
	}
	if (end < all)
		one_block(x, jc, nc, (all - 1) * kc, x->p->k - (all - 1) * kc, alike == all && all > 1);
}

void gllm_block_nest(struct blocker *x)
{
	int64_t nc = x->b.nc, n = x->p->n, whole = n / nc;
	bool repeats = gllm_block_open_repeat(x, gllm_block_fixed(whole), (struct at){ .j = nc });
	if (whole)
		blocks_of_k(x, 0, nc);
	gllm_block_close_repeat(x, repeats);
	if (n % nc)
		blocks_of_k(x, whole * nc, n % nc);
}
