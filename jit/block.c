/* SPDX-License-Identifier: MIT
 * jit/block.c - see block.h. */
#include "jit/block.h"
#include "core/bits.h"
#include "jit/block_parts.h"
#include "jit/trace.h"

enum { LINE = 64, REPEATED = 64, WAITING = 256, DEEP_UNIT = 4, ALONE_DOTS = 4 };

/* --- memory --------------------------------------------------------------------------------------------------------- */

void *gllm_block_room(struct blocker *x, size_t n, size_t size)
{
	void *p = gllm_alloc_array(x->arena, n ? n : 1, size, 8);
	if (!p && x->status == GLLM_OK)
		x->status = GLLM_OUT_OF_MEMORY;
	return p;
}

void *gllm_block_take(struct blocker *x, size_t n, size_t size)
{
	void *p = gllm_block_room(x, n, size);

	if (p)
		__builtin_memset(p, 0, n * size);
	return p;
}

static uint16_t new_scratch(struct blocker *x, uint64_t bytes)
{
	uint16_t number = 0;
	enum gllm_status s = gllm_fusion_scratch(x->f, x->group, bytes, x->arena, &number);
	x->status = x->status == GLLM_OK ? s : x->status;
	return number;
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
 * more ways than half of the rows that costs less than packing (1024^3, 12 ways, 14 rows: 3 % less), but not where the first tile reads lines of
 * the lane side, which crowd as well (128x4096x4096, 12 ways, 13 rows: 2 % more). */
static bool lies_well(const struct blocker *x)
{
	const struct gllm_trace *t = &x->p->c->trace;
	const unsigned ways = x->profile->cache[0].ways;
	bool crowded = x->b.mr > (x->by_tile ? ways - (ways > 2 ? 2 : ways) : 2 * ways);
	for (unsigned i = 0; i < x->nrows; i++) {
		const struct gllm_node *n = &t->node[x->rows_of[i]];
		if (n->op != GLLM_N_LOAD || (n->type != GLLM_F32 && n->type != GLLM_I32) || x->p->affine[n->imm].loop[K] != 4)
			return false;
		if (crowded && x->p->most > 2 * x->b.mr && x->p->affine[n->imm].loop[I] % 2048 == 0)
			return false;
	}
	return true;
}

/* Whether what is read and what is stored lie apart: outputs do from everything, values that the plan places from what is bound. */
static bool apart(const struct blocker *x, const struct gllm_source *read, const struct gllm_source *stored)
{
	if (read->kind != GLLM_FROM_TENSOR || stored->kind != GLLM_FROM_TENSOR || read->tensor == stored->tensor)
		return false;
	return x->g->tensor[stored->tensor].kind == GLLM_TENSOR_OUTPUT || x->g->tensor[read->tensor].kind != GLLM_TENSOR_VALUE;
}

/* Whether columns may be written twice: nothing that is stored is read, but for what the sums are of, which never lies there. */
static bool may_repeat(const struct blocker *x, const struct product *p)
{
	const struct gllm_trace *t = &p->c->trace;
	for (unsigned i = 0; i < t->nnodes; i++) {
		unsigned stored = t->node[i].op == GLLM_N_STORE ? t->access[t->node[i].imm].param : t->nparams;
		for (unsigned k = 0; stored < t->nparams && k < t->nnodes; k++)
			if (t->param[stored].kind != GLLM_OUT || (t->node[k].op == GLLM_N_LOAD && t->node[k].loop != K &&
			    !apart(x, &p->c->source[t->access[t->node[k].imm].param], &p->c->source[stored])))
				return false;
	}
	return true;
}

/* The same with sums that wait apart, in blocks of k, where nothing that is read is written: columns that are left over run with some before
 * them once more, all of k. False, and nothing done, if they would take too much. */
static bool block_dots_apart(struct blocker *x, const struct product *p)
{
	uint64_t bytes[MAX_SUMS] = { 0 };
	int64_t nc = x->b.nc;
	x->sum_pitch = 4 * p->n + LINE;
	x->plain = gllm_block_sums_are_result(p);
	for (unsigned i = 0; i < p->nsums && !x->plain; i++)
		bytes[i] = p->most * (uint64_t)x->sum_pitch;
	if (!x->plain && !affordable(x, bytes, p->nsums, 0))
		return false;
	for (unsigned i = 0; i < p->nsums && !x->plain; i++)
		x->partial[i] = scratch(x, bytes[i]);
	struct macro m = { .panels = gllm_block_fixed(p->n / nc), .rows = p->m, .lanes = nc, .way = GLLM_BLOCK_DOTS,
	                   .first = x->b.kc >= p->k, .either = x->b.kc < p->k };
	gllm_block_add_depths(x, m, (struct at){ .j = 0 }, p->m);
	m.panels = gllm_block_fixed(1);
	m.depth = p->k;
	if (p->n % nc)
		gllm_block_add_product(x, &m, (struct at){ .j = p->n - nc, .lane = p->n - nc }, false, p->m);
	if (!x->plain)
		gllm_block_add_behind(x, p->m, (struct at){ .j = 0 }, p->n, p->m);
	return true;
}

/* All rows for a few columns at a time, so that the other side is read once from memory, however many passes its rows need
 * to fit the registers. */
static void block_dots(struct blocker *x, const struct product *p, enum gllm_block_way way)
{
	int64_t wide = way == GLLM_BLOCK_STAGED ? gllm_stage_width(x->b.nr, x->profile->vector_bytes / 4, p->n) : x->b.nr;
	int64_t panels = p->n / wide, rest = p->n % wide;
	struct macro m = { .panels = gllm_block_fixed(panels), .rows = p->m, .lanes = wide, .depth = p->k, .first = true,
	                   .last = true, .way = way };
	const struct kernel *k = panels ? gllm_block_kernel(x, MACRO, 0, m) : NULL;
	if (panels)
		gllm_block_add(x, k, (struct at){ .j = 0 }, false);
	gllm_block_numbers(x, k, &m, p->m);
	if (rest == 0)
		return;
	m.panels = gllm_block_fixed(1);
	bool again = panels && (wide - rest) * REPEATED <= p->n && may_repeat(x, p); /* one kernel less for a few columns more */
	m.lanes = again ? wide : rest;
	k = gllm_block_kernel(x, MACRO, 0, m);
	gllm_block_add(x, k, (struct at){ .j = p->n - m.lanes }, panels != 0);
	gllm_block_numbers(x, k, &m, p->m);
}

/* Tiles of rows, whose sums of some columns wait in the nearest cache for a long map: a loop of its own has all registers, and is
 * written once (512^3 with gelu, AVX-512: 9.3 -> 7.0 % over the product alone, 12.8 -> 5.1 KB; 256^3: 18.7 -> 14.6 %). */
static bool block_direct(struct blocker *x, const struct product *p)
{
	if (p->m.per_row || p->nsums > 1 || p->sum[0].type != GLLM_F32 || !gllm_stage_pays(p))
		return false;
	int64_t rows = (int64_t)p->most, each = gllm_block_direct_rows(p, x->workers, x->b.mr), wide = p->n;
	each = gllm_ceil_div(rows, gllm_ceil_div(rows, each));
	while (wide > WAITING && wide % (2 * x->b.nr) == 0)
		wide /= 2;
	x->b.mr = (unsigned)each;
	struct macro m = { .panels = gllm_block_fixed(p->n / wide), .rows = gllm_block_fixed(each), .lanes = wide, .depth = p->k,
	                   .deep = rows / each, .first = true, .last = true, .way = GLLM_BLOCK_DIRECT };
	gllm_block_add(x, gllm_block_kernel(x, MACRO, 0, m), (struct at){ .j = 0 }, false);
	m.rows = gllm_block_fixed(rows % each);
	m.deep = 1;
	if (rows % each)
		gllm_block_add(x, gllm_block_kernel(x, MACRO, 0, m), (struct at){ .i = gllm_block_fixed(rows - rows % each) }, true);
	return true;
}

/* Columns of `m`: whole blocks, if they are not `done`, what is left of panels, what is left of lanes. */
static void stream_columns(struct blocker *x, struct macro m, int64_t pc, bool done)
{
	int64_t nc = x->b.nc, nr = x->b.nr, n = x->p->n, whole = n / nc, left = n % nc;
	const struct {
		int64_t wide, panels, lanes, at;
	} piece[] = { { whole, nc / nr, nr, 0 }, { 1, left / nr, nr, whole * nc }, { 1, 1, left % nr, n - left % nr } };
	bool beside = false;
	for (unsigned i = done; i < GLLM_COUNT(piece); i++) {
		m.wide = piece[i].wide;
		m.panels = gllm_block_fixed(piece[i].panels);
		m.lanes = piece[i].lanes;
		if (m.wide == 0 || piece[i].panels == 0 || m.lanes == 0)
			continue;
		gllm_block_add(x, gllm_block_kernel(x, MACRO, 0, m), (struct at){ .j = piece[i].at, .k = pc, .lane = piece[i].at }, beside);
		beside = true;
	}
}

/* All tiles of the other side, each by one panel of rows or all of several. */
static void turned_tiles(struct blocker *x, struct macro m, int64_t panels)
{
	int64_t mr = x->b.mr, n = x->p->n;
	bool wide = panels > 1 || (x->steps > 1 && n >= mr);
	int64_t left = wide ? n % mr : 0;
	m.rows = gllm_block_fixed(wide ? mr : n);
	m.wide = wide ? n / mr : 0;
	m.deep = wide ? panels : 0;
	gllm_block_add_depths(x, m, (struct at){ .j = 0 }, x->p->m);
	m.rows = gllm_block_fixed(left);
	m.wide = 1;
	if (left)
		gllm_block_add_depths(x, m, (struct at){ .j = n - left, .lane = n - left }, x->p->m);
}

/* The sums of all steps become one, for what follows them. */
static void join_steps(struct blocker *x, const struct product *p)
{
	for (unsigned i = 0; i < p->nsums; i++) {
		gllm_block_add(x, gllm_block_kernel(x, JOIN, i, (struct macro){ .depth = p->n }), (struct at){ .j = 0 }, i > 0);
		x->partial[i] = x->panel[i];
	}
	x->sum_pitch /= x->steps;
	x->steps = 1;
}

/* Rows as panels, by tiles of the other side; what follows the sums has columns along the lanes again. False, and nothing done, if the
 * panels and the sums would take too much. */
static bool block_turned(struct blocker *x, const struct product *p)
{
	uint64_t bytes[3 * MAX_SUMS];
	unsigned n = 0;
	x->nrows = factors(p, I, x->rows_of);
	x->steps = gllm_turned_steps(x->profile, p);
	int64_t nr = x->b.nr / x->steps, whole = p->m.fixed / nr, left = p->m.fixed % nr, panels = whole + (left > 0);
	x->row_pitch = 4 * nr;
	x->panel_pitch = p->k * x->row_pitch;
	x->sum_pitch = panels * 4 * (int64_t)x->b.nr;
	for (unsigned i = 0; i < x->nrows; i++)
		bytes[n++] = (uint64_t)(panels * x->panel_pitch);
	for (unsigned i = 0; i < p->nsums; i++)
		bytes[n++] = (uint64_t)(p->n * x->sum_pitch);
	for (unsigned i = 0; i < p->nsums && x->steps > 1; i++)
		bytes[n++] = (uint64_t)(p->n * x->sum_pitch / x->steps);
	if (!x->apart || !affordable(x, bytes, n, 0))
		return false;
	for (unsigned i = 0; i < x->nrows; i++)
		x->rows[i] = scratch(x, bytes[x->used]);
	for (unsigned i = 0; i < p->nsums; i++)
		x->partial[i] = scratch(x, bytes[x->used]);
	for (unsigned i = 0; i < p->nsums && x->steps > 1; i++)
		x->panel[i] = scratch(x, bytes[x->used]);
	struct macro m = { .panels = gllm_block_fixed(1), .lanes = x->b.nr, .depth = p->k, .way = GLLM_BLOCK_TURNED };
	for (unsigned i = 0; i < x->nrows; i++) {
		m.rows = gllm_block_fixed(nr);
		bool repeats = gllm_block_open_repeat(x, gllm_block_fixed(whole), (struct at){ .i = m.rows });
		if (whole)
			gllm_block_add(x, gllm_block_kernel(x, PACK_ROWS, i, m), (struct at){ .j = 0 }, i > 0);
		gllm_block_close_repeat(x, repeats);
		m.rows = gllm_block_fixed(left);
		if (left) {
			const struct at last = { .i = gllm_block_fixed(whole * nr) };
			gllm_block_add(x, gllm_block_kernel(x, PACK_ROWS, i, m), last, true);
			gllm_block_add(x, gllm_block_kernel(x, FILL_ROWS, i, m), last, true);
		}
	}
	m.first = x->b.kc >= p->k;
	m.either = !m.first;
	turned_tiles(x, m, panels);
	if (x->steps > 1)
		join_steps(x, p);
	gllm_block_add_behind(x, p->m, (struct at){ .j = 0 }, p->n, p->m);
	return true;
}

/* Whole blocks of columns, one after another, all of k of each, so that what a block fetches ahead is what runs next (Zen 5, over all columns of
 * a block of k: 8x4096x4096 8 %, 16 rows 10 %, 32 rows 1 %, 32x4160x4096 11 %, 128 rows 2 %). Workers, who share columns, would wait for
 * each other behind every block. */
static bool stream_by_columns(struct blocker *x, const struct macro *piece, const int64_t *pc, unsigned n)
{
	int64_t nc = x->b.nc, whole = x->workers == 1 && x->ahead ? x->p->n / nc : 0;
	bool repeats = gllm_block_open_repeat(x, gllm_block_fixed(whole), (struct at){ .j = nc, .lane = nc });
	for (unsigned i = 0; i < n && repeats; i++) {
		struct macro m = piece[i];
		m.panels = gllm_block_fixed(nc / x->b.nr);
		m.lanes = x->b.nr;
		gllm_block_add(x, gllm_block_kernel(x, MACRO, 0, m), (struct at){ .k = pc[i] }, false);
	}
	gllm_block_close_repeat(x, repeats);
	return repeats;
}

/* Kernels for the row sides that no product of the group has packed yet, all rows of all k. Returns the bytes they fill. */
static uint64_t whole_rows(struct blocker *x, const struct product *p)
{
	uint64_t bytes = 0;
	for (unsigned i = 0; i < x->nrows; i++) {
		x->pack[i] = gllm_block_kernel(x, PACK_ROWS, i, (struct macro){ .rows = p->m, .depth = p->k });
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
		gllm_block_add(x, x->pack[i], (struct at){ .k = 0 }, i > 0);
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

/* What a streamed product needs besides its operands: partial sums, if they have no place in the result; of blocks that are spread, they wait tile by
 * tile in any case, and the row side is packed in the order of blocks: both are read from end to end. False, and nothing done, if that would
 * take too much. */
static bool stream_scratch(struct blocker *x, const struct product *p)
{
	uint64_t bytes = 0, rows = 0;
	if (x->spread) {
		x->nrows = factors(p, I, x->rows_of);
		x->row_pitch = 4 * p->k + LINE;
		x->whole = true;
		x->sum_pitch = 4 * (int64_t)x->b.nr;
		bytes = p->most * (uint64_t)(gllm_ceil_div(p->n, x->b.nr) * x->sum_pitch);
		rows = whole_rows(x, p);
	} else if (p->result == GLLM_NO_NODE) {
		x->sum_pitch = 4 * p->n + LINE;
		bytes = p->most * (uint64_t)x->sum_pitch;
	}
	if (!affordable(x, &bytes, 1, rows))
		return false;
	if (bytes)
		x->partial[0] = scratch(x, bytes);
	if (x->spread)
		add_whole_rows(x, p);
	return true;
}

/* The first block of k, all that are alike, the last. Rows of a block that is spread are followed, each, by a row of the next block: prefetchers find
 * a few rows that never end (Zen 5, of what blocks of L2 take, of which each fetches the next: 4x4096x4096 0.62, 8 rows 0.80, 16 rows 0.78,
 * 32 rows 0.80, 8x11008x4096 0.62; rows next to each other, fetched as far ahead: 8 rows 1.2, 32 rows 1.08 of them spread). */
static bool block_stream(struct blocker *x, const struct product *p)
{
	int64_t kc = x->b.kc, n = gllm_ceil_div(p->k, kc), apart = x->spread ? 1 : kc;
	if (!stream_scratch(x, p))
		return false;
	const struct macro m = { .rows = p->m, .depth = kc, .way = GLLM_BLOCK_STREAM };
	struct macro piece[] = { m, m, m };
	unsigned last = n > 2 ? 2 : 1;
	const int64_t pc[] = { 0, apart, (n - 1) * apart };
	piece[0].first = piece[last].last = true;
	piece[1].deep = n - 2;
	piece[last].depth = p->k - (n - 1) * kc;
	bool done = stream_by_columns(x, piece, pc, last + 1);
	for (unsigned i = 0; i <= last; i++)
		stream_columns(x, piece[i], pc[i], done);
	return true;
}

/* Bytes of the pieces that the next product may use again. */
static unsigned pieces(const struct blocker *x, const struct product *p, bool partials, uint64_t *bytes)
{
	unsigned n = 0;
	for (unsigned i = 0; i < x->npanels; i++)
		bytes[n++] = (uint64_t)(gllm_ceil_div(x->b.nc, x->b.nr) * x->panel_pitch);
	for (unsigned i = 0; i < x->nrows && x->row_pitch && !x->whole; i++)
		bytes[n++] = (x->tile ? x->b.kc / 2 : p->most) * (uint64_t)x->row_pitch;
	for (unsigned i = 0; i < p->nsums && partials; i++)
		bytes[n++] = p->most * (uint64_t)x->sum_pitch;
	return n;
}

/* Packed weights need no panels of a block: elements of F32, or few rows, for which they are widened as they come. Returns how
 * many values of panel_of are left. */
static unsigned without_packed(struct blocker *x, const struct product *p, unsigned n)
{
	unsigned left = 0;
	for (unsigned i = 0; i < n; i++) {
		const struct gllm_node *v = &p->c->trace.node[x->panel_of[i]];
		const struct gllm_node *from = v->op == GLLM_N_CVT ? &p->c->trace.node[v->a] : v;
		bool lies = from->op == GLLM_N_LOAD && p->packed[p->c->trace.access[from->imm].param];
		if (!lies || (from != v && p->most > 2 * x->b.mr))
			x->panel_of[left++] = x->panel_of[i];
	}
	return left;
}

/* Whether all its sums are of words that the machine multiplies in tiles, in pairs of words. */
static bool in_tiles(const struct blocker *x, const struct product *p)
{
	for (unsigned i = 0; i < p->nsums; i++) {
		const struct gllm_node *v = &p->c->trace.node[p->c->trace.reduction[i].value];
		if (v->op != GLLM_N_DOT || !(x->tiles & gllm_dot_of(v->imm & 255, v->imm >> 8 & 255)))
			return false;
	}
	return p->lanes == 0 && p->k % 2 == 0 && x->b.kc % 2 == 0 && x->b.mr % 2 == 0 && x->b.mc % 2 == 0;
}

/* False, and nothing done, if the scratch would be more than is allowed. */
static bool block_packed(struct blocker *x, const struct product *p)
{
	uint64_t bytes[3 * MAX_SUMS];
	x->npanels = without_packed(x, p, factors(p, J, x->panel_of));
	x->nrows = factors(p, I, x->rows_of);
	bool partials = (x->apart || p->result == GLLM_NO_NODE) && x->b.kc < p->k, well;
	x->tile = in_tiles(x, p);
	well = !x->tile && lies_well(x);
	x->panel_pitch = 4 * (int64_t)x->b.nr * (x->b.kc + (x->tile ? 2 : 1));
	x->sum_pitch = 4 * (int64_t)(x->apart ? x->columns : x->b.nc) + LINE; /* one block of j at a time */
	if (!well)
		x->made = NULL; /* kernels of other rows */
	for (x->whole = !well && !x->tile;; x->whole = false, x->made = NULL) { /* kernels of whole rows write to other scratch */
		x->row_pitch = well ? 0 : (x->tile ? 8 * (int64_t)x->b.mc : 4 * (x->whole ? p->k : x->b.kc)) + LINE;
		uint64_t rows = x->whole ? whole_rows(x, p) : 0;
		if (affordable(x, bytes, pieces(x, p, partials, bytes), rows))
			break;
		if (x->whole)
			continue;
		if (!p->lanes)
			return false;
		x->npanels = 0; /* sums to the end of k of what lies ready need no scratch */
		x->b.kc = (unsigned)p->k;
		x->row_pitch = 0;
		partials = false;
		break;
	}
	for (unsigned i = 0; i < x->npanels; i++)
		x->panel[i] = scratch(x, bytes[x->used]);
	for (unsigned i = 0; i < x->nrows && x->row_pitch && !x->whole; i++)
		x->rows[i] = scratch(x, bytes[x->used]);
	for (unsigned i = 0; i < p->nsums && partials; i++)
		x->partial[i] = scratch(x, bytes[x->used]);
	if (x->whole)
		add_whole_rows(x, p);
	gllm_block_nest(x);
	return true;
}

/* Whether all blocks of k are whole numbers of what lowering copies of its steps: then a part says how long they are. Dot products have
 * vectors of them, a row that is alone some more. */
static bool any_depth(struct blocker *x, const struct product *p, enum gllm_block_way way)
{
	int64_t unit = x->profile->vector_bytes / 4;
	x->deep_unit = way == GLLM_BLOCK_PACKED ? unit : ALONE_DOTS * unit;
	if (way != GLLM_BLOCK_PACKED)
		return unit > 0 && p->k % x->deep_unit == 0 && x->b.kc % x->deep_unit == 0;
	return unit >= DEEP_UNIT && unit % x->unroll == 0 && x->b.kc % unit == 0 && p->k % unit == 0 && !in_tiles(x, p);
}

/* Whether two parts do the same with other tensors, neither with packed ones. */
static bool parts_alike(const struct gllm_part *a, const struct gllm_part *b)
{
	const struct gllm_trace *t = &a->code->trace, *u = &b->code->trace;
	if (t->hash != u->hash || t->nnodes != u->nnodes || t->nterms != u->nterms || t->nparams != u->nparams)
		return false;
	for (unsigned q = 0; q < t->nparams; q++) {
		const struct gllm_source *s = &a->source[q], *r = &b->source[q];
		if (s->kind != r->kind || s->lanes || r->lanes || s->at.fixed != r->at.fixed || s->at.per_row != r->at.per_row ||
		    s->at.block != r->at.block || s->at.rest != r->at.rest)
			return false;
	}
	return true;
}

/* True if `p` has become parts of its own. */
static bool block_in(struct blocker *x, const struct product *p, enum gllm_block_way way, bool apart)
{
	x->p = p;
	x->used = x->npanels = x->nrows = 0;
	if (!x->alike || x->way != way || x->apart != apart)
		x->made = NULL;
	x->way = way;
	x->row_pitch = 0;
	x->whole = x->tile = false;
	x->apart = apart;
	x->plain = false;
	if (way != GLLM_BLOCK_NOT)
		x->b = gllm_block_sizes(x->profile, x->tuning, p, x->workers, way, apart);
	if (apart && way == GLLM_BLOCK_PACKED && x->b.kc >= p->k)
		return false;
	if (apart) {
		x->columns = way == GLLM_BLOCK_PACKED ? gllm_block_columns(x->profile, p, &x->b, x->workers) : 0;
		x->wide = gllm_block_wide(x->profile, x->tuning, p);
	}
	x->later = way == GLLM_BLOCK_PACKED && !apart && gllm_block_later(x->profile, p, &x->b, x->workers);
	if (x->later)
		x->wide = x->b.nc;
	x->ahead = (apart || way != GLLM_BLOCK_DOTS) && (x->b.nc < p->n || x->b.kc < p->k) && gllm_block_ahead(x->profile, x->tuning, p, way);
	x->idle = x->ahead && way == GLLM_BLOCK_PACKED && !gllm_block_narrow(p);
	x->ahead &= apart || !x->idle;
	x->by_tile = way == GLLM_BLOCK_PACKED && gllm_block_by_tile(x->profile, x->tuning, p);
	if (x->by_tile) {
		x->ahead = apart;
		x->idle = false;
	}
	x->spread = way == GLLM_BLOCK_STREAM && gllm_block_spread(x->profile, x->tuning, p, x->workers) ? p->k / x->b.kc : 0;
	x->ahead &= !x->spread;
	x->unroll = x->spread ? (uint8_t)x->b.kc : gllm_block_unroll(x->profile, x->tuning, p, &x->b, way, apart);
	x->any_depth = apart && way != GLLM_BLOCK_TURNED && any_depth(x, p, way);
	switch (way) {
	case GLLM_BLOCK_PACKED: return block_packed(x, p);
	case GLLM_BLOCK_STREAM: return block_stream(x, p);
	case GLLM_BLOCK_TURNED: return block_turned(x, p);
	case GLLM_BLOCK_DOTS: case GLLM_BLOCK_STAGED:
		if (apart)
			return block_dots_apart(x, p);
		block_dots(x, p, way);
		return true;
	case GLLM_BLOCK_DIRECT: return block_direct(x, p);
	case GLLM_BLOCK_NOT: break;
	}
	return false;
}

static bool block_product(struct blocker *x, const struct product *p, enum gllm_block_way way)
{
	bool apart = gllm_block_apart(x->profile, x->tuning, p, way);
	return block_in(x, p, apart && way == GLLM_BLOCK_STAGED ? GLLM_BLOCK_DOTS : way, apart) || (apart && block_in(x, p, way, false));
}

static void block_group(struct blocker *x, struct gllm_group *g)
{
	struct gllm_part *old = g->part;
	unsigned n = g->nparts;
	x->part = NULL;
	x->repeat = NULL;
	x->nparts = x->max_parts = x->nrepeats = x->max_repeats = x->npool = 0;
	x->packed = (struct gllm_packed_rows){ .n = 0 };
	x->last = NULL;
	for (unsigned i = 0; i < n && x->status == GLLM_OK; i++) {
		struct product *p = gllm_block_room(x, 1, sizeof *p);
		struct gllm_composed *c = gllm_block_room(x, 1, sizeof *c);
		if (!p || !c)
			return;
		x->old = &old[i];
		*c = *old[i].code;
		for (unsigned q = 0; q < c->trace.nparams; q++)
			c->source[q] = old[i].source[q];
		bool product = gllm_block_form(x->arena, c, x->g, p, &x->status);
		struct gllm_block_choice choice = { .way = GLLM_BLOCK_NOT };
		if (product)
			choice = gllm_block_choose(x->profile, x->tuning, p);
		x->fetch = choice.fetch;
		x->alike = product && x->last && parts_alike(x->last, x->old);
		x->last = product ? x->old : NULL;
		if (product && (block_product(x, p, choice.way) || (choice.other != choice.way && block_product(x, p, choice.other))))
			continue;
		if (choice.way == GLLM_BLOCK_DIRECT || choice.other == GLLM_BLOCK_DIRECT)
			c->how.rows = (uint8_t)gllm_block_direct_rows(p, x->workers, x->b.mr);
		if (product)
			c->how.depth = x->unroll;
		struct kernel k = { .c = product ? c : old[i].code, .count = NO_NUMBER, .rows = NO_NUMBER, .depth = NO_NUMBER, .begun = NO_NUMBER };
		gllm_block_add(x, &k, (struct at){ .j = 0 }, old[i].beside);
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

/* Nothing but a product knows how packed weights lie. */
static enum gllm_status check_readers(const struct gllm_fusion *f, const struct gllm_graph *g, struct gllm_error *e)
{
	for (unsigned i = 0; i < f->ngroups; i++)
		for (unsigned k = 0; k < f->group[i].nparts; k++)
			for (unsigned q = 0; q < f->group[i].part[k].code->trace.nparams; q++) {
				const struct gllm_source *s = &f->group[i].part[k].source[q];
				if (s->kind == GLLM_FROM_TENSOR && s->lanes)
					return gllm_fail(e, GLLM_UNSUPPORTED, "packed weights are read by products of their rows and columns alone",
					                 g->tensor[s->tensor].name, s->tensor, 0, 0);
			}
	return GLLM_OK;
}

enum gllm_status gllm_block(const struct gllm_profile *p, const struct gllm_tuning *tuning, const struct gllm_graph *g,
                            unsigned workers, unsigned tiles, uint64_t scratch_limit, struct gllm_arena *arena, struct gllm_fusion *f,
                            struct gllm_error *e)
{
	struct blocker x = { .tuning = tuning, .profile = p, .g = g, .workers = workers, .tiles = tiles, .limit = scratch_limit,
	                     .arena = arena, .f = f };
	for (unsigned i = 0; i < f->ngroups && x.status == GLLM_OK; i++) {
		x.group = i;
		if (f->group[i].nparts)
			block_group(&x, &f->group[i]);
	}
	return x.status == GLLM_OK ? check_readers(f, g, e) : x.status;
}
