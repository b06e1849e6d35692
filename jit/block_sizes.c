/* SPDX-License-Identifier: MIT
 * jit/block_sizes.c - see block_sizes.h. Every limit here was measured; what was seen stands beside it. */
#include "jit/block_sizes.h"
#include "jit/block_stage.h"
#include "jit/cost.h"

enum { LEAST_ROWS = 24, LEAST_COLUMNS = 48, LEAST_DEPTH = 48, LEAST_THIN = 256, DIRECT_ROWS = 8 };

/* Steps of k in a body; half of them where a tile's own are so many products that the loop itself is not seen (28 of AVX-512, two steps:
 * 1000^3 0.98, 128x4096x4096 1.00, 512x4096x11008 1.003 of four steps; one step: 1.003, 1.008, 1.023). */
enum { UNROLL = 4, WHOLE_TURN = 20 };

/* Dot products of a side from memory: rows of the other up to which they are faster than packing (N x K weights of 4096^2, Zen 5, of what packing
 * takes: 32 rows 0.79, 48 rows 0.88, 64 rows 1.05; AVX2: 32 rows 0.88, 48 rows 1.06), what blocks of k are multiples of, and the least columns at once. */
enum { DOTS_ROWS = 32, DOTS_DEPTH = 64, LEAST_TOGETHER = 4 };

/* A vector that is a line of memory: dot products of a side from memory take one step of k in a body (1x4096x4096 1.000 of two steps,
 * 8x4096x4096 1.005; from caches, where two are left, 1x512x512 1.03, 8x1000x1000 1.02). */
enum { LINE = 64, FAR = 8 };

/* Steps of k by which panels are fetched ahead, as long as the third cache takes to answer; prefetchers lose a panel at the end of
 * each page (1000^3: 2.5 % over none, 128x4096x4096 packed beforehand: 7 %). */
enum { FETCH = 24 };

/* Blocks of k are multiples of so many steps, and no smaller, however small caches are said to be. */
enum { STEPS = 8 };

/* Blocks of k: partial sums are loaded once less for each block that is not begun (2048^3: 1024 steps 4 % over 512), but a
 * lane side whose rows are cut short is packed slowly, which few rows do not make up for: half of 2 MiB then holds whole pages of 256 rows
 * (4096x4096, 256 steps over 512: 48 rows 5 %, 128 rows 2 %, 200 rows -1 %). A block too deep for its cache is better than two if it is the
 * only one (1 MiB of L2, one of k over two: 1000^3 4 %, 1024^3 3 %, 768^3 3 %, 1500^3 1 %, 2048^3 -1 %). */
enum { MOST_DEPTH = 1024, ONE_DEPTH = 1280, FEW_ROWS = 256, FEW_ROWS_DEPTH = 512, FEWER_ROWS = 128, FEWER_ROWS_DEPTH = 256 };

/* Panels of a block whose successor is fetched meanwhile, for each worker: both of them, and the rows, stay in L2, and what lies a power
 * of two apart falls into few of its sets (128x4096x4096 from N x K: 2 panels 4 % over 4, 8 % over 8). More rows pass through wider blocks: each
 * reads them anew (of what blocks so wide take: 192x4096x4096 0.98, 256x4096x4096 0.96, 512x4096x4096 0.99, 512x4096x11008 1.05). */
enum { PANELS_AHEAD = 2, ROWS_AHEAD = 256 };

/* A lane side that is read where it lies: blocks of a quarter of L2, each fetched row by row while the one before is read column by
 * column. Prefetchers follow some rows at once, each within a page: that does for the few rows of a product that wait for memory anyway
 * (Zen 5: 1x3000x1000 in blocks 1.20 of what rows of the matrix take, 2x4096x4096 1.03, 4x4096x4096 0.95, 8x4096x4096 0.57). Packing is worth
 * its time from more rows on (packed over read there, Zen 5: 48x4096x4096 1.26, 64 rows 1.22, 128 rows 0.98; 128x4160x4160 1.16, 256 rows 1.00). */
enum { STREAM_ROWS = 128, STREAM_DEPTH = 32, STREAM_COLUMNS = 256, STREAM_VECTORS = 4 };

/* Blocks of rows that lie far apart (block.c): so many, which prefetchers follow and L1 holds. They are for few rows of the product; where rows of the
 * matrix fall into the same sets anyway, or vectors are short, so that sums pass seldom, for twice as many, or any whose sums stay in L2 (of
 * what blocks of L2 take: 8x4160x4096 0.97, 12x11008x4096 1.09, 32x4160x4096 1.10; 16x4096x4096 0.80, 48 rows 0.89, 64 rows 1.00, 128 rows 1.05;
 * one row 1.3; AVX2 12x11008x4096 0.85, 32x4160x4096 0.90). Tiles of few rows: what one of them ends with passes while others compute
 * (32x4096x4096, 8 rows over 11: 6 %). */
enum { SPREAD_LEAST = 2, SPREAD_ROWS = 8, SPREAD_DEPTH = 8, SPREAD_TILE = 8 };

/* Rows of the matrix a page's multiple apart fall into few sets and banks of both caches: tiles that read a line of each are then slow
 * (AVX2, 64x4096x4096 1.4 of what packed ones take, 32 rows 0.77; AVX-512, 64 rows 1.08, 48 rows 0.96). */
enum { STREAM_CROWDED = 32, STREAM_CROWDED_LINES = 48, PAGE = 4096 };

/* Rows by a lane side that lies along the lanes: the first tile packs what it reads for the others, beside its products. Up to so many rows by one
 * from memory (over packing before them: 160x4160x4160 1.10 times as fast, 256x4096x4096 1.06, 512x4096x4096 1.03; over a stream:
 * 128x4096x4096 1.13), which have even tiles and blocks of k that are not deep; any number where k is one block (512^3, 1000^3, 1024^3 1.01,
 * 300x1000x1000 1.05; AVX2 0.99 to 1.01; blocks of k, 2048^3 1.00, AVX2 0.98). */
enum { LEAST_BY_TILE = 28, MOST_BY_TILE = 512 };

/* Few rows by a side from memory that lies along k: as vectors of rows they meet every element of it once, broadcast; no sum is left in lanes,
 * and it is read from end to end (Zen 5, of what dot products take: 32x4096x4096 0.74, 28 rows 0.77, 16 rows 0.82, 12 rows 0.90; AVX2: 16 rows
 * 0.85, 14 rows 0.95, 8 rows 0.90). Rows at least, vectors of a tile at most, and rows of that side in it, which hide the latency of sums and are
 * less to load than to compute. So many eighths of the lanes are empty at most, of short vectors and of those that are a line (24 rows of 32 lanes: nothing
 * is gained nor lost; AVX2, 6 rows of 8: 1.05), and of several such panels of rows. These pay until packing is little beside the products (over packing:
 * 96 rows 1.10 times as fast, 128 rows 1.07, 128x4160x4160 1.10, 256 rows 1.02, 512 rows 1.00; AVX2: 32 rows 1.11 over dot products, 64 rows 1.07,
 * 128 rows 1.05). Half of a line filled takes two steps of k at once (AVX-512, times as fast as dot products: 8x4096x4096 1.26, 7 rows 1.4,
 * 8x11008x4096 1.47, 8x1000x11008 1.0 to 1.3); each column of a tile is a stream then, fetched twice a body, and prefetchers follow few. */
enum {
	TURNED_APART = 12, TURNED_LEAST = 7, EMPTY_SHORT = 1, EMPTY_LINE = 2, TURNED_MOST = 4, TURNED_MANY = 256, TURNED_ROWS = 4, TURNED_DEPTH = 64,
	TURNED_PARTS = 3
};

/* Rows from which on a product computes long enough to fetch the next block of what it reads where it lies, column by column or along k. */
enum { LEAST_AHEAD = 4 };

static int64_t cache_bytes(const struct gllm_profile *p, unsigned level, int64_t unknown)
{
	return p->cache[level].bytes ? p->cache[level].bytes : unknown;
}

static int64_t l2_bytes(const struct gllm_profile *p)
{
	return cache_bytes(p, 1, 256 << 10);
}

/* Whether the lane side comes from beyond all that is near. */
static bool from_afar(const struct gllm_profile *p, const struct product *q)
{
	return q->n * q->k * 4 > FAR * l2_bytes(p);
}

/* As few blocks of at most `most` as possible, of even size, in multiples of `unit`. */
static unsigned even(int64_t all, int64_t most, int64_t unit)
{
	if (most < unit)
		most = unit;
	if (all < 1)
		return (unsigned)unit;
	int64_t each = gllm_ceil_div(all, gllm_ceil_div(all, most));
	each = gllm_ceil_div(each, unit) * unit;
	return (unsigned)(each > most && most % unit == 0 ? most : each);
}

/* --- which way ------------------------------------------------------------------------------------------------------ */

/* Who names all blocks wants them. */
static bool all_named(const struct gllm_tuning *t)
{
	return t && t->mc && t->kc && t->nc;
}

bool gllm_along_lanes(const struct product *q, gllm_ref value)
{
	const struct gllm_trace *t = &q->c->trace;
	for (unsigned i = 0; i <= value; i++) {
		const struct gllm_node *n = &t->node[i];
		if (n->op == GLLM_N_LOAD && n->loop == K && q->affine[n->imm].loop[J] != 0 &&
		    q->affine[n->imm].loop[J] != (int64_t)gllm_type_bytes((enum gllm_type)t->access[n->imm].type))
			return false;
	}
	return true;
}

static bool all_along_lanes(const struct product *q)
{
	for (unsigned i = 0; i < q->nsums; i++)
		if (!gllm_along_lanes(q, q->sum[i].value[J]))
			return false;
	return true;
}

/* All of the lane side lies along the lanes and fits a part of L2: packing would not pay. */
static bool lies_small(const struct gllm_profile *p, const struct product *q)
{
	return all_along_lanes(q) && q->n * q->k * 4 <= l2_bytes(p) / 2;
}

static bool packs(const struct gllm_tuning *t, const struct product *q, bool small)
{
	if (all_named(t))
		return q->most > 0 && q->n > 0 && q->k > 0;
	return !small && q->most >= LEAST_ROWS && q->n >= LEAST_COLUMNS && q->k >= LEAST_DEPTH;
}

/* Few rows, and both sides lie along k. */
static bool is_dots(const struct gllm_profile *p, const struct gllm_tuning *t, const struct product *q)
{
	const struct gllm_trace *c = &q->c->trace;
	if (all_named(t) || q->most > (from_afar(p, q) ? DOTS_ROWS : LEAST_ROWS - 1) || q->n < LEAST_COLUMNS || q->k < LEAST_THIN)
		return false;
	if (q->most < 2 && q->nsums < 2 && !gllm_block_apart(p, t, q, GLLM_BLOCK_DOTS)) /* one row of one product is well as it is */
		return false;
	for (unsigned i = 0; i < q->nsums; i++)
		if (q->sum[i].type != GLLM_F32) /* integers are not reduced together in their lanes */
			return false;
	for (unsigned i = 0; i < c->nnodes; i++)
		if (c->node[i].op == GLLM_N_LOAD && c->node[i].loop == K && q->affine[c->node[i].imm].loop[K] !=
		    (int64_t)gllm_type_bytes((enum gllm_type)c->access[c->node[i].imm].type))
			return false;
	return true;
}

/* Floats that lie along k, as vectors of it want them. */
static bool along_depth(const struct product *q)
{
	for (unsigned i = 0; i < q->nsums; i++) {
		const struct gllm_node *n = &q->c->trace.node[q->sum[i].value[J]];
		if (n->op != GLLM_N_LOAD || n->type != GLLM_F32 || q->affine[n->imm].loop[K] != 4 || q->lanes)
			return false;
	}
	return true;
}

unsigned gllm_turned_steps(const struct gllm_profile *p, const struct product *q)
{
	const uint64_t half = p->vector_bytes / 8;
	bool fills = p->vector_bytes >= LINE && q->most <= half && 8 * q->most >= (8 - EMPTY_SHORT) * half;
	return fills && q->k % 2 == 0 && q->n >= LEAST_COLUMNS ? 2 : 1;
}

/* Rows of the lane side in a tile with rows of so many vectors: they, and two lines of a panel, share a set of L1 where they lie a way apart;
 * as many as leave nothing over, if that is not much less. */
static unsigned turned_rows(const struct gllm_profile *p, const struct product *q, unsigned vectors)
{
	const struct gllm_cache *l1 = &p->cache[0];
	unsigned fit = p->vector_regs > vectors + 2 ? (p->vector_regs - vectors - 2) / vectors : 0, rows;
	fit = l1->ways > 2 && fit > l1->ways - 2 ? l1->ways - 2 : fit;
	fit = gllm_turned_steps(p, q) > 1 && fit > TURNED_APART ? TURNED_APART : fit;
	for (rows = fit; rows > 0 && 4 * rows >= 3 * fit; rows--)
		if (q->n % rows == 0)
			return rows;
	return fit;
}

/* Vectors of a panel of rows: those that leave the fewest lanes of all panels empty, the most of them; 0: none leaves few. */
static unsigned turned_vectors(const struct gllm_profile *p, const struct product *q)
{
	const uint64_t lanes = p->vector_bytes / 4;
	uint64_t least = UINT64_MAX;
	unsigned best = 0;
	if (gllm_turned_steps(p, q) > 1)
		return turned_rows(p, q, 1) >= TURNED_ROWS;
	for (unsigned vectors = TURNED_MOST; lanes && q->most <= TURNED_MANY && vectors > (q->most > lanes); vectors--) {
		uint64_t panel = vectors * lanes, filled = (q->most + panel - 1) / panel * panel;
		unsigned empty = filled > panel || p->vector_bytes < LINE ? EMPTY_SHORT : EMPTY_LINE;
		if (filled >= least || 8 * q->most < (8 - empty) * filled || turned_rows(p, q, vectors) < TURNED_ROWS)
			continue;
		least = filled;
		best = vectors;
	}
	return best;
}

/* Steps of k whose rows fit beside what passes through L2: all, or an even part, which leaves none over if there is one. */
static int64_t turned_depth(const struct gllm_profile *p, const struct product *q, unsigned vectors)
{
	int64_t panel = vectors * (p->vector_bytes / 4), filled = gllm_ceil_div((int64_t)q->most, panel) * panel;
	int64_t most = l2_bytes(p) * 5 / 8 / (4 * filled), parts = gllm_ceil_div(q->k, most > 0 ? most : 1);
	for (int64_t i = parts; i < parts + TURNED_PARTS; i++)
		if (q->k % (i * UNROLL) == 0)
			return q->k / i;
	int64_t depth = even(q->k, most, UNROLL);
	return depth < q->k ? depth : q->k;
}

/* Rows are known, and leave few lanes empty. */
static bool is_turned(const struct gllm_profile *p, const struct gllm_tuning *t, const struct product *q)
{
	unsigned vectors = turned_vectors(p, q);
	if (all_named(t) || q->m.per_row || q->most < TURNED_LEAST || vectors == 0 || !along_depth(q) || !from_afar(p, q) ||
	    turned_depth(p, q, vectors) < TURNED_DEPTH)
		return false;
	for (unsigned i = 0; i < q->nsums; i++) {
		const struct gllm_node *n = &q->c->trace.node[q->sum[i].value[J]];
		if (q->sum[i].type != GLLM_F32 || q->affine[n->imm].loop[J] != 4 * q->k)
			return false;
	}
	return true;
}

/* The lane side comes from beyond L2. */
static bool is_stream(const struct gllm_profile *p, const struct gllm_tuning *t, const struct product *q)
{
	return !all_named(t) && q->most >= 1 && q->n >= LEAST_COLUMNS && q->k >= 2 * STREAM_DEPTH && q->nsums == 1 &&
	       q->n * q->k * 4 > l2_bytes(p) / 2 && all_along_lanes(q);
}

static uint64_t stream_rows(const struct gllm_profile *p, const struct product *q)
{
	return q->n * 4 % PAGE != 0 ? STREAM_ROWS : p->vector_bytes < LINE ? STREAM_CROWDED : STREAM_CROWDED_LINES;
}

/* The lane side comes along k from beyond L2: of few rows, packing waits for memory as long as a part of the product takes (N x K weights
 * of 4096^2, AVX-512: 32 rows 11 % over packing what nothing has fetched, 128 rows 4 to 9 %; AVX2: 48 rows 16 %, 128 rows 6 %). */
bool gllm_block_ahead(const struct gllm_profile *p, const struct gllm_tuning *t, const struct product *q, enum gllm_block_way way)
{
	if (way != GLLM_BLOCK_PACKED)
		return (way == GLLM_BLOCK_DOTS || way == GLLM_BLOCK_STREAM) && q->most >= LEAST_AHEAD;
	if (all_named(t) || q->lanes || q->n * q->k * 4 <= l2_bytes(p))
		return false;
	for (unsigned i = 0; i < q->nsums; i++)
		if (q->sum[i].type != GLLM_F32 || q->c->trace.node[q->sum[i].value[J]].type != GLLM_F32 || gllm_along_lanes(q, q->sum[i].value[J]))
			return false;
	return true;
}

bool gllm_block_narrow(const struct product *q)
{
	return q->most <= ROWS_AHEAD;
}

struct gllm_block_choice gllm_block_choose(const struct gllm_profile *p, const struct gllm_tuning *t, const struct product *q)
{
	bool small = lies_small(p, q), stream = is_stream(p, t, q);
	enum gllm_block_way plain = small && q->most >= DIRECT_ROWS ? GLLM_BLOCK_DIRECT : GLLM_BLOCK_NOT;
	struct gllm_block_choice c = { .way = plain, .other = plain, .fetch = t && t->fetch ? t->fetch : FETCH };
	if (q->lanes)
		c.way = c.other = GLLM_BLOCK_PACKED;
	else if (stream && q->most <= stream_rows(p, q))
		c.way = GLLM_BLOCK_STREAM;
	else if (is_dots(p, t, q))
		c.way = gllm_stage_pays(q) ? GLLM_BLOCK_STAGED : GLLM_BLOCK_DOTS;
	else if (packs(t, q, small))
		c = (struct gllm_block_choice){ GLLM_BLOCK_PACKED, stream ? GLLM_BLOCK_STREAM : plain, c.fetch };
	if (is_turned(p, t, q))
		c = (struct gllm_block_choice){ GLLM_BLOCK_TURNED, c.way, c.fetch };
	return c;
}

/* --- which sizes ---------------------------------------------------------------------------------------------------- */

/* Products side by side share the tile's registers by columns: rows are as many as for one, and so is what is loaded. */
static unsigned columns_each(const struct gllm_profile *p, unsigned nr, unsigned sums)
{
	unsigned lanes = p->vector_bytes / 4, each = lanes ? nr / sums / lanes * lanes : nr;
	return each ? each : lanes;
}

/* Rows of a tile for which so many columns, of each sum, leave registers. */
static unsigned rows_beside(const struct gllm_profile *p, unsigned rows, unsigned columns, unsigned sums)
{
	unsigned lanes = p->vector_bytes / 4, wide = lanes ? (columns + lanes - 1) / lanes * sums : 1;
	unsigned fit = p->vector_regs > wide + 2 ? (p->vector_regs - wide - 2) / wide : 0;
	return fit == 0 ? 1 : fit < rows ? fit : rows;
}

/* Whether what load `n` reads along loop `l` falls into few sets of L1. Where it lies a quarter of it apart nothing is
 * lost by taking it so (512x4096x11008: 0 %), and products of one layer have kernels in common. */
static bool crowds(const struct gllm_profile *p, const struct product *q, const struct gllm_node *n, unsigned l)
{
	return n->op == GLLM_N_LOAD && gllm_l1_crowds(p, q->affine[n->imm].loop[l]);
}

bool gllm_block_rows_afar(const struct gllm_profile *p, const struct product *q, const struct gllm_blocking *b)
{
	return !q->m.per_row && q->most > b->mc && (int64_t)q->most > l2_bytes(p) / 4 / b->kc;
}

/* Rows of a tile that are read where they lie, if they crowd: they share a set with two lines of the other side (12 ways, 10 rows over 14:
 * 1024^3 5 %, 2048^3 6 %, 512x4096x4096 from N x K 5 %). A tile of half as many rows would read that too often. */
static unsigned rows_of_a_set(const struct gllm_profile *p, const struct product *q, unsigned mr)
{
	const unsigned ways = p->cache[0].ways, left = ways > 2 ? ways - 2 : 0;
	bool crowded = false;
	for (unsigned i = 0; i < q->nsums; i++) {
		const struct gllm_node *n = &q->c->trace.node[q->sum[i].value[I]];
		crowded |= crowds(p, q, n, I) && q->affine[n->imm].loop[K] == 4;
	}
	return crowded && left < mr && left > mr / 2 ? left : mr;
}

/* Panels take half of L2, which holds so many rows of k. Rows of a block have what is left beside them if that holds all; otherwise few
 * go first through the first panel and then through the others, and do not drive panels out (2048^3: 56 rows 2 % over 210).
 * Workers wait for each other behind every block. */
static int64_t rows_of_block(int64_t held, const struct product *q, int64_t nc, unsigned workers, int64_t mr)
{
	int64_t all = (int64_t)q->most, columns = q->n < nc ? q->n : nc, most = workers > 1 ? held / 4 : held / 8;
	if (all + columns / workers * q->nsums <= held * 3 / 4)
		return all;
	return most > mr ? most / mr * mr : mr;
}

/* Columns of a panel of one sum. */
static unsigned panel_columns(const struct gllm_profile *p, const struct gllm_tuning *t, const struct product *q)
{
	return t && t->nr ? t->nr : columns_each(p, gllm_blocking(p, q->most, (uint64_t)q->n, (uint64_t)q->k, 4).nr, 1);
}

/* What follows sums takes as long vector by vector, half of the code and of the time to compile it; a core that does not look ahead has
 * several side by side (of two vectors at once, 8x11008x256 and 32x11008x256 with SwiGLU 1.00, AVX2 1.00). */
unsigned gllm_block_wide(const struct gllm_profile *p, const struct gllm_tuning *t, const struct product *q)
{
	return p->in_order ? panel_columns(p, t, q) : p->vector_bytes / 4;
}

/* Whether the first tile may pack: known rows by elements from beyond L2 that lie along the lanes. */
static bool may_by_tile(const struct gllm_profile *p, const struct gllm_tuning *t, const struct product *q)
{
	const struct gllm_node *node = q->c->trace.node;
	if (all_named(t) || q->lanes || q->m.per_row || q->most < LEAST_BY_TILE || !all_along_lanes(q) || lies_small(p, q) ||
	    4 * panel_columns(p, t, q) % LINE != 0) /* two panels would share lines */
		return false;
	for (unsigned i = 0; i < q->nsums; i++)
		if (q->sum[i].type != GLLM_F32 || node[q->sum[i].value[J]].op != GLLM_N_LOAD || node[q->sum[i].value[J]].type != GLLM_F32)
			return false;
	return true;
}

/* Rows so few that memory takes as long as they do. */
static bool few_by_tile(const struct gllm_profile *p, const struct gllm_tuning *t, const struct product *q)
{
	return q->most <= MOST_BY_TILE && from_afar(p, q) && may_by_tile(p, t, q);
}

/* Steps of k in a block of panels so wide, before blocks are made even. Larger blocks of k than gllm_blocking's pay: a panel passes
 * through L1 while the rows of a tile stay there. */
static int64_t depth(const struct gllm_profile *p, const struct gllm_tuning *t, const struct product *q, unsigned nr)
{
	int64_t l1 = cache_bytes(p, 0, 32 << 10), l2 = l2_bytes(p), kc;
	int64_t most = q->most >= FEW_ROWS || !all_along_lanes(q) ? MOST_DEPTH : q->most > FEWER_ROWS ? FEW_ROWS_DEPTH : FEWER_ROWS_DEPTH;
	if (most > FEW_ROWS_DEPTH && few_by_tile(p, t, q))
		most = FEW_ROWS_DEPTH;
	kc = l2 / (64 * nr) > l1 / (6 * nr) ? l2 / (64 * nr) : l1 / (6 * nr);
	kc = kc > STEPS ? kc : STEPS;
	if (!(t && t->kc) && most == MOST_DEPTH && q->k <= 2 * kc && q->k <= ONE_DEPTH)
		return q->k;
	return t && t->kc ? t->kc : kc < most ? kc : most;
}

bool gllm_block_by_tile(const struct gllm_profile *p, const struct gllm_tuning *t, const struct product *q)
{
	return few_by_tile(p, t, q) || (may_by_tile(p, t, q) && q->k <= depth(p, t, q, panel_columns(p, t, q)));
}

bool gllm_block_apart(const struct gllm_profile *p, const struct gllm_tuning *t, const struct product *q, enum gllm_block_way way)
{
	const struct gllm_node *node = q->c->trace.node;
	for (unsigned i = 0; i < q->nsums; i++) {
		const struct gllm_node *begin = &node[node[q->sum[i].carry].a];
		if (begin->op != GLLM_N_CONST || begin->imm != 0)
			return false;
	}
	if (way == GLLM_BLOCK_DOTS || way == GLLM_BLOCK_STAGED || way == GLLM_BLOCK_TURNED)
		return from_afar(p, q);
	return way == GLLM_BLOCK_PACKED && !q->lanes && q->k > depth(p, t, q, panel_columns(p, t, q));
}

/* A loop of the map's own has all registers, runs several vectors side by side and is written once; behind a tile it would have few and be
 * written for each of its vectors, one after another (512^3 with gelu: 5.3 -> 3.9 % over the product alone, silu 3.5 -> 3.0 %; 1024x1024x256
 * 11.7 -> 8.1 %, 8.3 -> 6.1 %). A block of results has a quarter of L2. Workers would wait for each other behind every block. */
bool gllm_block_later(const struct gllm_profile *p, const struct product *q, const struct gllm_blocking *b, unsigned workers)
{
	uint64_t rows = q->most < b->mc ? q->most : b->mc, columns = (uint64_t)q->n < b->nc ? (uint64_t)q->n : b->nc;
	return workers == 1 && gllm_stage_maps(q) && q->result != GLLM_NO_NODE && rows * columns * 4 <= (uint64_t)l2_bytes(p) / 4;
}

/* A panel is a part of L2; the panels of each worker and the rows of a block share it. */
static void packed(const struct gllm_profile *p, const struct gllm_tuning *t, const struct product *q, unsigned workers, bool apart,
                   struct gllm_blocking *b)
{
	int64_t l2 = l2_bytes(p), kc, nc;
	b->mr = t && t->mr ? t->mr : few_by_tile(p, t, q) ? even((int64_t)q->most, b->mr, 1) : rows_of_a_set(p, q, b->mr);
	b->nr = q->lanes ? q->lanes : t && t->nr ? t->nr : columns_each(p, b->nr, apart ? 1 : q->nsums);
	if (q->lanes && !(t && t->mr))
		b->mr = rows_beside(p, b->mr, b->nr, q->nsums);
	kc = depth(p, t, q, b->nr);
	/* Products of one layer have more kernels in common where all have blocks of the same size. */
	b->kc = kc % STEPS || q->k % kc < kc / 2 ? even(q->k, kc, STEPS) : (unsigned)kc;
	if (b->kc > q->k)
		b->kc = (unsigned)q->k;
	int64_t ahead = (apart && q->nsums > 1 ? 1 : PANELS_AHEAD) * b->nr; /* of each sum: products side by side share L2 */
	int64_t held = l2 / 4 / b->kc;
	nc = gllm_block_narrow(q) && gllm_block_ahead(p, t, q, GLLM_BLOCK_PACKED) ? ahead * workers : held / 2 / q->nsums * workers;
	b->mc = even((int64_t)q->most, t && t->mc ? t->mc : rows_of_block(held, q, nc, workers, b->mr), b->mr);
	nc = few_by_tile(p, t, q) ? UNROLL * b->nr * workers : nc; /* as many panels as a body has steps: block_hints.c */
	b->nc = even(q->n, t && t->nc ? t->nc : nc, b->nr);
	if (q->lanes && q->most <= b->mr && !all_named(t)) { /* one tile of rows reads every panel once */
		b->kc = (unsigned)q->k;
		b->nc = even(q->n, q->n, b->nr);
	}
}

/* Columns from memory, each read along k, that crowd: two thirds of the ways, or lines that were fetched ahead are driven out before they are
 * read (12 ways, 8 columns over 16: 1x4096x4096 from N x K 1.13 times as fast, 1x2048x4096 1.3, 2x4096x4096 over 12 1.04, 1x4096x11008 1.00).
 * A few are needed for loads of the row to be shared. */
static unsigned columns_of_a_set(const struct gllm_profile *p, const struct product *q, unsigned columns)
{
	const struct gllm_node *n = &q->c->trace.node[q->sum[0].value[J]];
	const unsigned fit = p->cache[0].ways * 2 / 3;
	n = n->op == GLLM_N_CVT ? &q->c->trace.node[n->a] : n;
	return crowds(p, q, n, J) && fit < columns && fit >= LEAST_TOGETHER ? fit : columns;
}

/* All rows for a few columns at a time, however many passes its rows need to fit the registers, which `together` sums share. From afar, in
 * blocks of k: a tile's rows stay in L1 while columns pass, and what one tile reads of those in L2 for the others. */
static void dots(const struct gllm_profile *p, const struct product *q, unsigned together, bool far, struct gllm_blocking *b)
{
	unsigned lanes = p->vector_bytes / 4, sums = 3 * p->vector_regs / 4 / together;
	unsigned most = lanes <= 4 ? sums / lanes : sums / 3, rows = even((int64_t)q->most, most ? most : 1, 1);
	unsigned columns = lanes <= 4 ? lanes : sums / rows < lanes ? sums / rows : lanes;
	columns = columns ? columns : 1;
	columns = far ? columns_of_a_set(p, q, columns) : columns;
	*b = (struct gllm_blocking){ .mr = rows, .nr = columns, .kc = (unsigned)q->k, .mc = (unsigned)q->most, .nc = columns };
	if (!far)
		return;
	int64_t depth = cache_bytes(p, 0, 32 << 10) * 2 / 3 / (4 * rows) / DOTS_DEPTH * DOTS_DEPTH;
	depth = depth < DOTS_DEPTH ? DOTS_DEPTH : depth;
	if (depth < q->k && q->most > 1)
		b->kc = (unsigned)depth;
	int64_t panels = q->most > rows ? l2_bytes(p) / 8 / 4 / b->kc / columns : 1;
	if (panels > 1)
		b->nc = (unsigned)panels * columns;
	if (b->nc > q->n)
		b->nc = columns;
}

/* Steps of k that a lane side is read at once by, where it lies: of rows that fall into the same sets of L1, no more than two thirds of its
 * ways, or lines that were fetched ahead are driven out before they are read (12 ways, 8 rows over 32: 1x4096x4096 1.64 times as fast,
 * 1x2048x2048 1.59, 1x8192x1024 1.77, 2x4096x4096 1.42, 3x4096x4096 1.14). */
static int64_t stream_depth(const struct gllm_profile *p, const struct product *q)
{
	const struct gllm_cache *l1 = &p->cache[0];
	const struct gllm_trace *t = &q->c->trace;
	int64_t most = STREAM_DEPTH, way = l1->ways ? l1->bytes / l1->ways : 0;
	for (unsigned i = 0; i <= q->sum[0].value[J]; i++) {
		const struct gllm_node *n = &t->node[i];
		const struct gllm_affine *a = n->op == GLLM_N_LOAD && n->loop == K ? &q->affine[n->imm] : NULL;
		if (!a || a->loop[J] == 0 || a->loop[K] == 0)
			continue;
		int64_t apart = a->loop[K] & -a->loop[K], fit = (apart < way ? way / apart : 1) * l1->ways * 2 / 3;
		most = way && fit < most ? fit : most;
	}
	return most > UNROLL ? most : UNROLL;
}

/* Rows of a block that is spread, which fall into the same sets of L1 as those do that lie so far apart: what leaves nothing over. 0: none does. */
static unsigned spread_depth(const struct gllm_profile *p, const struct product *q)
{
	unsigned fit = p->cache[0].ways * 2 / 3;
	fit = fit < UNROLL ? UNROLL : fit > SPREAD_DEPTH ? SPREAD_DEPTH : fit;
	while (fit >= UNROLL && q->k % fit != 0)
		fit--;
	return fit < UNROLL ? 0 : fit;
}

bool gllm_block_spread(const struct gllm_profile *p, const struct gllm_tuning *t, const struct product *q, unsigned workers)
{
	if (!is_stream(p, t, q) || q->most < SPREAD_LEAST || spread_depth(p, q) == 0)
		return false;
	int64_t sums = (int64_t)q->most * gllm_ceil_div(q->n, workers) * 4;
	bool pays = p->vector_bytes < LINE || stream_depth(p, q) <= SPREAD_DEPTH;
	return q->most <= SPREAD_ROWS || (pays && (q->most <= 2 * SPREAD_ROWS || sums <= l2_bytes(p) * 3 / 4));
}

/* Columns of tiles as wide as the registers allow beside the sums, less where that leaves none over. */
static unsigned stream_columns(const struct gllm_profile *p, const struct product *q, unsigned rows)
{
	unsigned lanes = p->vector_bytes / 4, wide = (p->vector_regs - 1) / (rows + 1), fits;
	wide = wide > STREAM_VECTORS ? STREAM_VECTORS : wide ? wide : 1;
	for (fits = wide; fits > 1 && q->n % (fits * lanes) != 0;)
		fits--;
	return (fits > 1 ? fits : wide) * lanes;
}

/* A panel is as many tiles as a body has steps of k: while each body of a tile passes, a row of a panel to come is fetched in one piece. */
static void stream(const struct gllm_profile *p, const struct product *q, unsigned workers, struct gllm_blocking *b)
{
	b->mr = even((int64_t)q->most, b->mr, 1);
	b->nr = stream_columns(p, q, b->mr) * UNROLL;
	b->mc = (unsigned)q->most;
	bool ahead = gllm_block_ahead(p, NULL, q, GLLM_BLOCK_STREAM);
	int64_t share = gllm_ceil_div(q->n, workers), depth = stream_depth(p, q), again = cache_bytes(p, 0, 32 << 10) * 2 / 3 * UNROLL / (4 * b->nr);
	b->nc = even(q->n, ahead && share > STREAM_COLUMNS ? STREAM_COLUMNS : share, b->nr);
	if (ahead)
		depth = l2_bytes(p) / 4 / 4 / b->nc;
	if (q->most > b->mr && depth > again)
		depth = again; /* what one tile of rows reads stays in L1 for the others */
	b->kc = even(q->k, depth < q->k / 2 ? depth : q->k / 2, UNROLL);
}

static void spread(const struct gllm_profile *p, const struct product *q, unsigned workers, struct gllm_blocking *b)
{
	b->kc = spread_depth(p, q);
	b->mr = even((int64_t)q->most, b->mr < SPREAD_TILE ? b->mr : SPREAD_TILE, 1);
	b->nr = stream_columns(p, q, b->mr);
	b->mc = (unsigned)q->most;
	b->nc = even(q->n, gllm_ceil_div(q->n, workers), b->nr);
}

unsigned gllm_spread_fetch(const struct gllm_profile *p, const struct gllm_blocking *b)
{
	unsigned panels = (unsigned)(cache_bytes(p, 0, 32 << 10) / 6 / b->kc / (4 * b->nr));
	return panels > 1 ? panels < UINT16_MAX ? panels : UINT16_MAX : 2;
}

/* All rows are one block, of all of k or a part of it. */
static void turned(const struct gllm_profile *p, const struct product *q, struct gllm_blocking *b)
{
	unsigned vectors = turned_vectors(p, q);
	b->mr = turned_rows(p, q, vectors);
	b->nr = vectors * (p->vector_bytes / 4);
	b->kc = (unsigned)turned_depth(p, q, vectors);
	b->mc = b->nc = (unsigned)q->n;
}

uint8_t gllm_block_unroll(const struct gllm_profile *p, const struct gllm_tuning *t, const struct product *q,
                          const struct gllm_blocking *b, enum gllm_block_way way, bool apart)
{
	if (way == GLLM_BLOCK_NOT || way == GLLM_BLOCK_DOTS || way == GLLM_BLOCK_STAGED)
		return p->vector_bytes >= LINE && along_depth(q) && from_afar(p, q);
	if (t && t->unroll)
		return t->unroll;
	if (way == GLLM_BLOCK_TURNED)
		return (uint8_t)(UNROLL * gllm_turned_steps(p, q));
	if (way == GLLM_BLOCK_PACKED && gllm_block_by_tile(p, t, q))
		return UNROLL;
	bool whole = b->mr * b->nr * (apart ? 1 : q->nsums) * 4 >= WHOLE_TURN * p->vector_bytes;
	return way == GLLM_BLOCK_PACKED && whole && !p->in_order ? UNROLL / 2 : UNROLL;
}

struct gllm_blocking gllm_block_sizes(const struct gllm_profile *p, const struct gllm_tuning *t, const struct product *q,
                                      unsigned workers, enum gllm_block_way way, bool apart)
{
	struct gllm_blocking b = gllm_blocking(p, q->most, (uint64_t)q->n, (uint64_t)q->k, 4);
	if (way == GLLM_BLOCK_DOTS || way == GLLM_BLOCK_STAGED)
		dots(p, q, apart || way == GLLM_BLOCK_STAGED ? 1 : q->nsums, apart, &b);
	else if (way == GLLM_BLOCK_STREAM)
		(gllm_block_spread(p, t, q, workers) ? spread : stream)(p, q, workers, &b);
	else if (way == GLLM_BLOCK_TURNED)
		turned(p, q, &b);
	else
		packed(p, t, q, workers, apart, &b);
	return b;
}

unsigned gllm_block_columns(const struct gllm_profile *p, const struct product *q, const struct gllm_blocking *b, unsigned workers)
{
	int64_t most = l2_bytes(p) / 2 / 4 / b->kc * workers, all = gllm_ceil_div(q->n, b->nr) * b->nr;
	most = most < all ? most : all;
	most = most < INT32_MAX ? most : INT32_MAX;
	return most > b->nc ? (unsigned)(most / b->nr * b->nr) : b->nc;
}

unsigned gllm_block_direct_rows(const struct product *q, unsigned workers, unsigned mr)
{
	int64_t rows = (int64_t)q->most, best = mr, least = INT64_MAX;
	for (int64_t r = mr; workers > 1 && !q->m.per_row && 2 * r > mr; r--) {
		int64_t each = gllm_ceil_div(rows, gllm_ceil_div(rows, r)); /* as lowering makes them even */
		int64_t time = gllm_ceil_div(gllm_ceil_div(rows, each), workers) * (each + 1); /* what a tile's rows share takes as long as one */
		if (time < least) {
			least = time;
			best = r;
		}
	}
	return (unsigned)best;
}
