/* SPDX-License-Identifier: MIT
 * jit/lower_plan.c - what is known of nodes and loops before any is emitted: which loop is vectorised, how many copies of each are made. */
#include "jit/lower_state.h"

unsigned gllm_lower_sources(const struct gllm_trace *t, gllm_ref n, gllm_ref out[4])
{
	const struct gllm_node *x = &t->node[n];
	unsigned k = 0;

	if (x->a != GLLM_NO_NODE)
		out[k++] = x->a;
	if (x->b != GLLM_NO_NODE)
		out[k++] = x->b;
	if (x->c != GLLM_NO_NODE)
		out[k++] = x->c;
	if (gllm_lower_is_access(x) && t->access[x->imm].index != GLLM_NO_NODE)
		out[k++] = t->access[x->imm].index;
	return k;
}

static void find_dependence(struct lower *l)
{
	const struct gllm_trace *t = l->t;
	bool again = true;

	while (again) {
		again = false;
		for (unsigned i = 0; i < t->nnodes; i++) {
			const struct gllm_node *n = &t->node[i];
			gllm_ref from[4];
			uint32_t d = l->dep[i];
			for (unsigned k = gllm_lower_sources(t, (gllm_ref)i, from); k-- > 0;)
				d |= l->dep[from[k]];
			if (gllm_lower_is_access(n))
				d |= l->ind[l->access[n->imm].ind].loops;
			else if (n->op == GLLM_N_INDEX)
				d |= l->ind[l->index[n->imm].ind].loops;
			else if (n->op == GLLM_N_CARRY)
				d |= UINT32_C(1) << n->loop;
			else if (n->op == GLLM_N_LAST)
				d &= ~(UINT32_C(1) << t->node[n->a].loop);
			again = again || d != l->dep[i];
			l->dep[i] = d;
		}
	}
}

static void count_uses(struct lower *l)
{
	for (unsigned i = 0; i < l->t->nnodes; i++) {
		gllm_ref from[4];
		for (unsigned k = gllm_lower_sources(l->t, (gllm_ref)i, from); k-- > 0;)
			l->uses[from[k]]++;
	}
}

static bool is_constant(const struct lower *l, gllm_ref n)
{
	return n != GLLM_NO_NODE && l->t->node[n].op == GLLM_N_CONST;
}

/* Is the node a product that one instruction computes and adds to something? */
static bool adds_on(const struct lower *l, const struct gllm_node *f)
{
	return (f->op == GLLM_N_MUL && f->type == GLLM_F32 && l->m->has_fma && !l->m->slow_fma) || f->op == GLLM_N_DOT;
}

/* mul feeding add with a single use becomes one fused instruction; so does mul less a constant, by adding its negation. */
static void contract(struct lower *l)
{
	for (unsigned i = 0; i < l->t->nnodes; i++) {
		const struct gllm_node *n = &l->t->node[i];
		gllm_ref from[2] = { n->b, n->op == GLLM_N_ADD || is_constant(l, n->b) ? n->a : GLLM_NO_NODE };
		if (n->op != GLLM_N_ADD && n->op != GLLM_N_SUB)
			continue;
		for (unsigned k = 0; k < 2 && l->fused[i] == GLLM_NO_NODE; k++) {
			const struct gllm_node *f = from[k] == GLLM_NO_NODE ? NULL : &l->t->node[from[k]];
			bool fits = f && adds_on(l, f) && l->half[from[k]] == GLLM_NO_NODE && (f->op == GLLM_N_MUL || n->op == GLLM_N_ADD);
			if (fits && f->loop == n->loop && l->uses[from[k]] == 1) {
				l->fused[i] = from[k];
				l->fused[from[k]] = from[k];
			}
		}
	}
}

/* --- lanes ----------------------------------------------------------------------------------------------------------- */

/* Integers of 64 bits are only indices: their low halves fit lanes. */
static bool fits_lane(const struct gllm_node *n)
{
	if (n->type != GLLM_I64)
		return true;
	return n->op != GLLM_N_LOAD && n->op != GLLM_N_STORE && n->op != GLLM_N_SHR && n->op != GLLM_N_SAR &&
	       n->op != GLLM_N_DIV && n->op != GLLM_N_BITS;
}

/* Nodes [first, end) of loop `only` (-1: of any) can have consecutive iterations of `loop` in their lanes. */
static bool lanes_fit(const struct lower *l, unsigned loop, int only)
{
	const struct gllm_trace *t = l->t;
	unsigned unit = 0;

	for (gllm_ref i = t->loop[loop].first; i < t->loop[loop].end; i++) {
		const struct gllm_node *n = &t->node[i];
		if (only >= 0 && n->loop != only)
			continue;
		bool tile = n->op == GLLM_N_LOAD && l->fused[i] == i;
		if (tile && t->loop[n->loop].parent != (int)loop)
			return false;
		if ((l->dep[i] >> loop & 1) && !tile && !fits_lane(n))
			return false;
		if (n->op == GLLM_N_INDEX && l->ind[l->index[n->imm].ind].stride[loop].sym != NO_SYM)
			return false;
		if (!gllm_lower_is_access(n))
			continue;
		const struct gllm_access *a = &t->access[n->imm];
		struct lin stride = l->ind[l->access[n->imm].ind].stride[loop];
		if (a->index != GLLM_NO_NODE && (l->dep[a->index] >> loop & 1))
			return false;
		bool other = stride.sym != NO_SYM || (stride.c != 0 && stride.c != (int64_t)gllm_type_bytes((enum gllm_type)a->type));
		bool spread = other && only < 0 && gllm_lower_spreads(l, i, loop);
		if (other && !spread && (only >= 0 || gllm_lower_turns(l, i, loop) < 0))
			return false;
		unit += stride.c != 0 && (!other || spread);
	}
	return unit > 0;
}

static bool under_vector(const struct lower *l, unsigned loop)
{
	for (unsigned i = 0; i < loop; i++)
		if (l->loop[i].vector && (l->loop[loop].inside >> i & 1))
			return true;
	return false;
}

/* Every carry of `loop` is one that VHPAIR can combine. */
static bool pairs(const struct lower *l, unsigned loop)
{
	for (gllm_ref i = l->t->loop[loop].first; i < l->t->loop[loop].end; i++) {
		if (l->t->node[i].op != GLLM_N_CARRY)
			continue;
		uint8_t kind = l->t->reduction[l->reduction[i]].kind;
		if (l->t->node[i].type != GLLM_F32 || kind == GLLM_REDUCE_ARGMAX || kind == GLLM_REDUCE_ARGMIN)
			return false;
	}
	return l->loop[loop].carries;
}

/* What the paired loop itself loads before or in the reduction `inner` must not be stored by it: it is read in two forms. */
static bool rereads(const struct lower *l, unsigned loop, unsigned inner)
{
	const struct gllm_trace *t = l->t;

	for (gllm_ref i = t->loop[loop].first; i < t->loop[inner].end; i++)
		for (gllm_ref s = t->loop[loop].first; s < t->loop[loop].end && t->node[i].op == GLLM_N_LOAD; s++)
			if (t->node[s].op == GLLM_N_STORE &&
			    t->access[t->node[s].imm].param == t->access[t->node[i].imm].param)
				return true;
	return false;
}

static unsigned carries_of(const struct lower *l, unsigned loop)
{
	unsigned n = gllm_lower_carries(l, loop);
	return n ? n : 1;
}

static unsigned own_nodes(const struct lower *l, unsigned loop)
{
	unsigned n = 0;

	for (gllm_ref i = l->t->loop[loop].first; i < l->t->loop[loop].end; i++)
		n += l->t->node[i].loop == (int)loop;
	return n;
}

/* Of these, those that every copy has of its own. */
static unsigned nodes_along(const struct lower *l, unsigned loop)
{
	unsigned n = 0;

	for (gllm_ref i = l->t->loop[loop].first; i < l->t->loop[loop].end; i++)
		n += l->t->node[i].loop == (int)loop && l->dep[i] != 0;
	return n;
}

static unsigned clamp(int64_t x, unsigned low, unsigned high)
{
	return x < (int64_t)low ? low : x > (int64_t)high ? high : (unsigned)x;
}

/* At most `most` rows at a time: as few passes as possible, of even height. */
static unsigned even_rows(int64_t trip, unsigned most)
{
	if (trip < 0)
		return most;
	if (trip <= 1)
		return 1;
	int64_t passes = (trip + most - 1) / most;
	return (unsigned)((trip + passes - 1) / passes);
}

/* The loop around `top` that can share its loads: copied as rows. */
static int row_loop(const struct lower *l, unsigned top)
{
	int q = l->t->loop[top].parent;

	while (q >= 0 && l->loop[q].only_child >= 0 && l->loop[q].trip == 1)
		q = l->t->loop[q].parent;
	if (q < 0 || l->loop[q].only_child < 0 || !l->loop[q].together || !gllm_lower_rectangular(l, (unsigned)q))
		return -1;
	return q;
}

/* Copies of the vectorised loop that its number of iterations can fill. */
static unsigned fill(const struct lower *l, unsigned loop, unsigned copies)
{
	if (l->loop[loop].trip < 0)
		return copies;
	return clamp(l->loop[loop].trip / (int64_t)l->lanes, 1, copies);
}

static void set_copies(struct lower *l, unsigned loop, unsigned copies, unsigned alone)
{
	l->loop[loop].copies = (uint8_t)copies;
	l->loop[loop].copies_alone = (uint8_t)alone;
}

/* Enough independent sums to hide the latency of an addition. */
static unsigned chains(const struct lower *l, unsigned loop, unsigned sums, unsigned most)
{
	return fill(l, loop, clamp(8 / (int64_t)sums, 1, most));
}

/* Two copies at least, or as the options say, if `most` allows them, so that the loop's own cost is shared and whole cache lines
 * are used, but only as many sums as hide the latency. */
static void set_chains(struct lower *l, unsigned k, unsigned sums, unsigned sums_alone, unsigned most)
{
	unsigned least = l->o->depth ? l->o->depth : 2;

	least = most < least ? most : least;

	l->loop[k].sums = (uint8_t)chains(l, k, sums, most);
	l->loop[k].sums_alone = (uint8_t)chains(l, k, sums_alone, most);
	set_copies(l, k, fill(l, k, clamp(l->loop[k].sums, least, most)), fill(l, k, clamp(l->loop[k].sums_alone, least, most)));
}

/* Copies of a reduction's body beyond which they cost more code than its latency hides: a sum behind a long map. */
static unsigned bodies(const struct lower *l, unsigned k)
{
	return clamp(MAX_BODY / (int64_t)(own_nodes(l, k) + 1), 1, MAX_BODY);
}

/* `k` is a vectorised reduction, `p` the loop around it. */
static void shape_paired(struct lower *l, unsigned p, unsigned k)
{
	unsigned nred = carries_of(l, k), rows = 1, most = l->vregs * 3 / 4, body = bodies(l, k);
	unsigned single = l->lanes <= l->vregs / 2 ? l->lanes : l->vregs / 2, columns;
	int q = row_loop(l, p);

	if (l->o->columns && (l->m->has_mask || l->o->columns == l->lanes || l->o->columns == 1))
		single = clamp(l->o->columns, 1, l->lanes);
	if (l->loop[p].trip >= 0 && l->loop[p].trip < (int64_t)single && l->m->has_mask)
		single = (unsigned)l->loop[p].trip;
	while (single > 2 && single * nred > most && l->m->has_mask) /* several sums in each column */
		single /= 2;
	/* Without masked stores a partly filled vector of results has nowhere to go. */
	if (single < 2 || single * nred > most || single > body || (!l->m->has_mask && single != l->lanes)) {
		set_chains(l, k, nred, nred, body < 8 ? body : 8);
		return;
	}
	columns = single;
	if (q >= 0 && l->loop[q].trip != 1) {
		unsigned tall = l->vregs >= 32 ? (l->lanes > 8 ? 3 : 4) : 3;
		rows = even_rows(l->loop[q].trip, l->o->rows ? clamp(l->o->rows, 1, MAX_COPIES) : tall);
		if (rows > 1 && l->m->has_mask && !l->o->columns)
			columns = clamp(single, 1, l->vregs >= 32 && l->lanes > 8 ? 8 : 4);
		while (rows > 1 && (rows * columns * nred > most || rows * columns > body)) {
			if (nred > 1 && columns > 2 && l->m->has_mask && !l->o->columns)
				columns /= 2;
			else
				rows--;
		}
		set_copies(l, (unsigned)q, rows, rows);
	}
	l->loop[p].paired = true;
	l->loop[p].columns = (uint8_t)columns;
	l->loop[p].columns_alone = (uint8_t)single;
	set_chains(l, k, rows * columns * nred, single * nred, clamp(body / single, 1, 4));
}

/* Vectorised along outputs (`v`) around a reduction over `k`. */
static void shape_columns(struct lower *l, unsigned v, unsigned k)
{
	unsigned nred = carries_of(l, k), rows = 1, body = bodies(l, k);
	unsigned wide = fill(l, v, l->o->unroll ? clamp(l->o->unroll, 1, MAX_COPIES) : l->vregs >= 32 && l->lanes <= 4 ? 3 : 2);
	unsigned single = l->o->unroll ? wide : fill(l, v, clamp(4 / (int64_t)nred, 1, 4));
	int q = row_loop(l, v);

	if (q >= 0 && l->loop[q].trip != 1) {
		unsigned most = (l->vregs * 3 / 4) / (wide * nred);
		if (l->o->rows && nodes_along(l, v) <= 5 * nred) /* nothing but sums: they may fill the registers */
			most = (l->vregs - wide - 2) / (wide * nred);
		if (most > body / wide)
			most = body / wide;
		if (l->loop[k].tiled && most > 1)
			most &= ~1u;
		rows = even_rows(l->loop[q].trip, clamp(most, 1, l->o->rows ? l->o->rows : 12));
		if (l->loop[k].tiled && rows > 1)
			rows += rows & 1; /* by pairs */
		set_copies(l, (unsigned)q, rows, rows);
	}
	set_copies(l, v, wide, single);
	if (l->o->depth && l->loop[k].reorderable) {
		set_copies(l, k, l->o->depth, l->o->deep ? l->o->deep : l->o->depth);
		l->loop[k].sums = l->loop[k].sums_alone = 1;
	} else if (l->loop[k].reorderable && l->loop[k].trip != 1) {
		unsigned most = l->loop[k].trip < 0 ? 4 : clamp(l->loop[k].trip / 2, 1, 4);
		most = clamp(body / (rows * wide), 1, most);
		set_copies(l, k, clamp(8 / (int64_t)(rows * wide * nred), 1, most),
		           clamp(8 / (int64_t)(single * nred), 1, most));
	}
}

static void shape_leaf(struct lower *l, unsigned v)
{
	unsigned nodes = own_nodes(l, v), copies = nodes < 16 ? 4 : nodes < 64 ? 2 : 1, hide = gllm_lower_copies(l, v);

	if (l->loop[v].carries)
		copies = clamp(8 / (int64_t)carries_of(l, v), 1, nodes < 16 ? 8 : 2);
	else if (copies < hide)
		copies = hide;
	copies = fill(l, v, l->o->unroll ? clamp(l->o->unroll, 1, MAX_COPIES) : copies);
	set_copies(l, v, copies, copies);
	if (l->loop[v].carries && l->loop[v].trip >= 0) /* adding two vectors takes no longer than adding one and a sum more */
		l->loop[v].sums = l->loop[v].sums_alone = (uint8_t)clamp(l->loop[v].trip / (int64_t)l->lanes / 2, 1, copies);
}

/* The single innermost loop of the chain below `v`, or -1. */
static int chain_leaf(const struct lower *l, unsigned v)
{
	int c = (int)v;

	while (!l->loop[c].leaf) {
		c = l->loop[c].only_child;
		if (c < 0)
			return -1;
	}
	return c;
}

static void choose_shape(struct lower *l, unsigned v)
{
	int p = l->t->loop[v].parent, k = chain_leaf(l, v);

	if (!l->loop[v].leaf) {
		if (k >= 0 && l->loop[k].carries && l->t->loop[k].parent == (int)v)
			shape_columns(l, v, (unsigned)k);
		return;
	}
	if (p >= 0 && l->loop[p].trip != 1 && l->loop[p].trip != 0 && l->loop[p].only_child == (int)v &&
	    l->loop[p].reorderable && gllm_lower_rectangular(l, (unsigned)p) && pairs(l, v) && lanes_fit(l, (unsigned)p, p) &&
	    !rereads(l, (unsigned)p, v)) {
		shape_paired(l, (unsigned)p, v);
		return;
	}
	shape_leaf(l, v);
}

/* What is stored past the caches in loop `v`, whose iterations lie in lanes, is whole lines in every iteration of loop `w`. */
static bool stores_lines(const struct lower *l, unsigned v, unsigned w)
{
	const struct gllm_trace *t = l->t;
	bool any = false;

	for (gllm_ref i = t->loop[v].first; i < t->loop[v].end; i++) {
		if (t->node[i].op != GLLM_N_STORE || !(l->o->past >> t->access[t->node[i].imm].param & 1))
			continue;
		struct lin stride = l->ind[l->access[t->node[i].imm].ind].stride[w];
		if (stride.sym != NO_SYM || stride.c % l->m->vector_bytes != 0)
			return false;
		any = true;
	}
	return any;
}

/* Squares of the load `n`, turned in loop `v`, that lie side by side along loop `w`. Where lines are stored past the caches, reads wait
 * for memory: several neighbours of each row come faster than one line alone, from rows within a page two. What is stored through the
 * caches in as many streams crowds them. From 128 MiB, AVX-512, two and four squares over one: rows of 2 KiB 1.2 and 0.9, 4 KiB 1.6 and
 * 1.0, 8 KiB 1.5 and 1.7, 16 KiB 1.45 and 1.7 (eight 1.4), 8000 bytes 1.15 and 1.05, 16000 1.15 and 1.25; through the caches four 0.75
 * to 1.04. Few columns are left for shares. */
static unsigned squares(const struct lower *l, gllm_ref n, unsigned v, unsigned w)
{
	enum { MOST_SQUARES = 4, IN_PAGE = 2, PAGE = 4096, NODES = 256, SHARES = 4 };
	int64_t pitch = l->ind[l->access[l->t->node[n].imm].ind].stride[v].c, nodes = own_nodes(l, (unsigned)l->t->node[n].loop);
	unsigned most = clamp(NODES / (l->lanes * nodes), 1, pitch > PAGE ? MOST_SQUARES : IN_PAGE);

	return l->loop[w].trip > 0 && stores_lines(l, v, w) ? clamp(l->loop[w].trip / l->lanes / SHARES, 1, most) : 1;
}

/* Accesses whose lanes are no neighbours in memory. Those that lie along another loop: that one is copied once per lane. */
static void mark_moved(struct lower *l, unsigned v)
{
	const struct gllm_trace *t = l->t;

	for (gllm_ref i = t->loop[v].first; i < t->loop[v].end; i++) {
		if (!gllm_lower_is_access(&t->node[i]))
			continue;
		struct lin stride = l->ind[l->access[t->node[i].imm].ind].stride[v];
		int64_t bytes = gllm_type_bytes((enum gllm_type)t->access[t->node[i].imm].type);
		if (stride.sym == NO_SYM && (stride.c == 0 || stride.c == bytes))
			continue;
		l->spread[i] = (uint8_t)gllm_lower_spreads(l, i, v);
		if (l->spread[i])
			continue;
		int w = gllm_lower_turns(l, i, v);
		l->turned[i] = (uint8_t)(w + 1);
		unsigned copies = l->lanes * squares(l, i, v, (unsigned)w);
		set_copies(l, (unsigned)w, copies, copies);
		set_copies(l, v, 1, 1);
	}
}

/* Rows side by side share the copies of a map; sums are each row's own, and the same as of a row that is alone. */
static void shape_rows(struct lower *l, unsigned rows)
{
	unsigned n = gllm_lower_rectangular(l, rows) ? even_rows(l->loop[rows].trip, gllm_lower_side_by_side(l, rows)) : 1;

	for (unsigned i = rows + 1; i < l->t->nloops && n > 1; i++)
		if ((l->loop[i].inside >> rows & 1) && !l->loop[i].carries)
			l->loop[i].copies = (uint8_t)((l->loop[i].copies_alone + n - 1) / n);
	if (n > 1)
		set_copies(l, rows, n, n);
}

static void choose_vector_loops(struct lower *l)
{
	for (unsigned i = 0; i < l->t->nloops; i++) {
		struct loop_plan *p = &l->loop[i];
		if (under_vector(l, i) || p->trip == 0 || p->trip == 1 || !p->reorderable || !gllm_lower_rectangular(l, i))
			continue;
		if (p->trip > 0 && p->trip < (int64_t)l->lanes && !l->m->has_mask)
			continue;
		p->vector = lanes_fit(l, i, -1);
	}
	for (unsigned i = 0; i < l->t->nloops; i++)
		if (l->loop[i].vector) {
			choose_shape(l, i);
			mark_moved(l, i);
		}
	for (unsigned i = 0; i < l->t->nloops; i++)
		shape_rows(l, i);
	for (unsigned i = 0; i < l->t->nloops; i++)
		l->loop[i].partial = l->loop[i].vector || l->loop[i].paired;
}

/* Nodes of a paired loop that the reduction inside reads copy by copy. */
static void mark_split(struct lower *l, unsigned p)
{
	const struct gllm_trace *t = l->t;
	gllm_ref from[4];

	for (gllm_ref i = t->loop[p].end; i-- > t->loop[p].first;) {
		bool inner = t->node[i].loop != (int)p;
		if (!inner && !l->split[i])
			continue;
		unsigned n = gllm_lower_sources(t, i, from);
		if (inner && t->node[i].op == GLLM_N_CARRY)
			continue; /* its initial value is combined with the reduced result */
		while (n-- > 0)
			if (t->node[from[n]].loop == (int)p && (l->dep[from[n]] >> p & 1) && gllm_lower_in_loop(l, from[n], p))
				l->split[from[n]] = 1;
	}
}

static void mark_integers(struct lower *l)
{
	const struct gllm_trace *t = l->t;
	gllm_ref from[4];

	for (unsigned i = t->nnodes; i-- > 0;) {
		const struct gllm_node *n = &t->node[i];
		if (gllm_lower_is_access(n) && t->access[n->imm].index != GLLM_NO_NODE)
			l->integer[t->access[n->imm].index] = 1;
		if (l->integer[i] && n->op != GLLM_N_LOAD && n->op != GLLM_N_CARRY)
			for (unsigned k = gllm_lower_sources(t, (gllm_ref)i, from); k-- > 0;)
				l->integer[from[k]] = 1;
	}
}

/* A carry's update may be written straight into the accumulator if nobody reads the old value afterwards. */
static void mark_direct(struct lower *l)
{
	const struct gllm_trace *t = l->t;

	for (unsigned i = 0; i < t->nnodes; i++) {
		const struct gllm_node *n = &t->node[i];
		bool ok = n->op == GLLM_N_CARRY && n->b > i && n->b < t->nnodes && t->node[n->b].loop == n->loop;
		if (!ok || l->direct[n->b] != GLLM_NO_NODE || l->dep[n->b] != l->dep[i])
			continue;
		for (gllm_ref k = t->loop[n->loop].first; k < t->loop[n->loop].end; k++) {
			gllm_ref from[4];
			for (unsigned s = gllm_lower_sources(t, k, from); s-- > 0;)
				ok = ok && (from[s] != i || (k <= n->b && t->node[k].loop == n->loop && t->node[k].op != GLLM_N_CARRY));
		}
		uint8_t op = t->node[n->b].op;
		if (ok && (op == GLLM_N_ADD || op == GLLM_N_SUB || op == GLLM_N_MUL || op == GLLM_N_SELECT || op == GLLM_N_FMA))
			l->direct[n->b] = (gllm_ref)i;
	}
}

/* Which loops sum up; and which have nothing to do, as all that they store or sum up is within loops of no turns, such as those over
 * what is left of panels that leave nothing: they have no turns, too. */
static void find_idle(struct lower *l)
{
	const struct gllm_trace *t = l->t;
	uint32_t none = 0, busy = 0;

	for (unsigned i = 0; i < t->nloops; i++)
		none |= l->loop[i].trip == 0 ? UINT32_C(1) << i : 0;
	for (unsigned i = 0; i < t->nnodes; i++) {
		bool sums = t->node[i].op == GLLM_N_CARRY;
		if (t->node[i].loop < 0 || (!sums && t->node[i].op != GLLM_N_STORE))
			continue;
		struct loop_plan *p = &l->loop[t->node[i].loop];
		p->carries |= sums;
		busy |= p->inside & none ? 0 : p->inside;
	}
	for (unsigned i = 0; i < t->nloops; i++)
		l->loop[i].trip = busy >> i & 1 ? l->loop[i].trip : 0;
}

bool gllm_lower_plan(struct lower *l)
{
	const struct gllm_trace *t = l->t;

	find_dependence(l);
	count_uses(l);
	gllm_lower_mark_halves(l);
	contract(l);
	gllm_lower_mark_sums_under(l);
	for (unsigned i = 0; i < t->nreductions; i++) {
		l->reduction[t->reduction[i].carry] = (uint16_t)i;
		if (t->reduction[i].pair != GLLM_NO_NODE)
			l->reduction[t->reduction[i].pair] = (uint16_t)i;
	}
	for (unsigned i = 0; i < t->nloops; i++) {
		struct loop_plan *p = &l->loop[i];
		struct poly trip;
		int parent = t->loop[i].parent;
		*p = (struct loop_plan){ .only_child = -1, .leaf = true, .copies = 1, .copies_alone = 1, .sums = MAX_COPIES,
		                          .sums_alone = MAX_COPIES, .trip = -1 };
		p->inside = UINT32_C(1) << i | (parent >= 0 ? l->loop[parent].inside : 0);
		if (!gllm_lower_poly(l, t->loop[i].trip, &trip))
			return false;
		if (gllm_terms_fixed(&trip, &p->trip))
			p->trip = p->trip < 0 ? 0 : p->trip;
		else
			p->trip = -1;
		if (parent >= 0) {
			l->loop[parent].only_child = (int8_t)(l->loop[parent].leaf ? (int)i : -1);
			l->loop[parent].leaf = false;
		}
	}
	find_idle(l);
	gllm_lower_mark_order(l);
	gllm_lower_mark_tiles(l);
	choose_vector_loops(l);
	for (unsigned i = 0; i < t->nloops; i++)
		if (l->loop[i].paired)
			mark_split(l, i);
	mark_integers(l);
	gllm_lower_mark_loaded(l);
	gllm_lower_mark_known(l);
	mark_direct(l);
	gllm_lower_mark_through(l);
	return l->status == GLLM_OK;
}
