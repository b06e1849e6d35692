/* SPDX-License-Identifier: MIT
 * jit/flow_order.c - the blocks of flow.c in order: dominators, headers with two predecessors, loops, their exits. */
#include "jit/flow.h"

/* Of a block that the walk has come to. Blocks whose visit ends later stand further in front. */
struct node {
	uint16_t post;                /* how many visits had ended before its own */
	uint16_t idom, latch;         /* latch of a header: the block whose edge leads back */
	uint16_t back, into;          /* edges that lead back to it, other ones */
	uint8_t next;                 /* successor to visit */
};

struct edge {
	uint16_t from, to;
};

struct shape {
	struct node node[FLOW_BLOCKS];
	uint16_t by_post[FLOW_BLOCKS], work[FLOW_BLOCKS];
	uint16_t header[FLOW_BLOCKS]; /* of loops, in order */
	uint64_t seen[FLOW_BLOCKS / 64];
	struct flow_block ordered[FLOW_BLOCKS]; /* which are the graph's in the end */
	struct edge edge[2 * FLOW_BLOCKS + 2]; /* in the order of `from` */
	unsigned n, nedges, nheaders;
};

/* Notes that the walk has come to b; false: it had before. */
static bool come_to(struct shape *g, uint16_t b)
{
	const uint64_t bit = UINT64_C(1) << b % 64;
	const bool seen = g->seen[b / 64] & bit;
	if (!seen) {
		g->seen[b / 64] |= bit;
		g->node[b] = (struct node){ .idom = FLOW_NONE, .latch = FLOW_NONE };
	}
	return !seen;
}

/* From the first block in depth: predecessors are in front of a block, but where an edge leads back. */
static void walk(const struct flow *f, struct shape *g)
{
	unsigned depth = 0, post = 0;
	for (unsigned i = 0; i < FLOW_BLOCKS / 64; i++)
		g->seen[i] = 0;
	uint16_t b = 0;
	come_to(g, b);
	for (;;) {
		if (g->node[b].next < f->block[b].nsucc) {
			uint16_t to = f->block[b].succ[g->node[b].next++];
			if (come_to(g, to)) {
				g->work[depth++] = b;
				b = to;
			}
			continue;
		}
		g->node[b].post = (uint16_t)post;
		g->by_post[post++] = b;
		if (!depth)
			break;
		b = g->work[--depth];
	}
	g->n = post;
}

static uint16_t meet(const struct shape *g, uint16_t a, uint16_t b)
{
	while (a != b) {
		while (g->node[a].post < g->node[b].post)
			a = g->node[a].idom;
		while (g->node[b].post < g->node[a].post)
			b = g->node[b].idom;
	}
	return a;
}

static bool dominates(const struct shape *g, uint16_t a, uint16_t b)
{
	while (g->node[b].post < g->node[a].post)
		b = g->node[b].idom;
	return a == b;
}

static void add_header(struct shape *g, uint16_t b)
{
	unsigned i = g->nheaders++;
	for (; i > 0 && g->node[g->header[i - 1]].post < g->node[b].post; i--)
		g->header[i] = g->header[i - 1];
	g->header[i] = b;
}

/* Edges in order, so that what leads forward to a block is known when its turn comes: dominators, and the headers of loops.
 * Edges back cannot raise the dominator of a loop with one entry. */
static enum gllm_status take_edges(struct flow *f, struct shape *g)
{
	g->nedges = g->nheaders = 0;
	g->node[0].idom = 0;
	for (unsigned i = g->n; i-- > 0; ) {
		const uint16_t from = g->by_post[i];
		for (unsigned k = 0; k < f->block[from].nsucc; k++) {
			const uint16_t to = f->block[from].succ[k];
			struct node *t = &g->node[to];
			g->edge[g->nedges++] = (struct edge){ from, to };
			if (t->post < i) {
				t->idom = t->into++ ? meet(g, t->idom, from) : from;
				continue;
			}
			if (!dominates(g, to, from))
				return gllm_flow_refuse(f, "a loop that is entered in two places", f->block[to].addr);
			if (!t->back++)
				add_header(g, to);
			t->latch = from;
		}
	}
	if (g->node[0].back)
		return gllm_flow_refuse(f, "a loop at the function's first instruction", f->block[0].addr);
	return GLLM_OK;
}

/* Gives `header` a single predecessor of one sort (back edges or entering edges) by an empty block in between. */
static enum gllm_status funnel(struct flow *f, struct shape *g, uint16_t header, bool back)
{
	if (f->nblocks == FLOW_BLOCKS)
		return gllm_flow_refuse(f, "too many blocks", f->block[header].addr);
	uint16_t made = (uint16_t)f->nblocks++;
	f->block[made] = (struct flow_block){ .addr = f->block[header].addr, .context = f->block[header].context,
		.first = f->block[header].first, .nsucc = 1, .succ = { header, 0 }, .loop = -1, .idom = FLOW_NONE };
	for (unsigned i = 0; i < g->n; i++) {
		struct flow_block *b = &f->block[g->by_post[i]];
		for (unsigned k = 0; k < b->nsucc; k++)
			if (b->succ[k] == header && dominates(g, header, g->by_post[i]) == back)
				b->succ[k] = made;
	}
	return GLLM_OK;
}

/* One pass that makes headers regular; *again if it changed the graph. */
static enum gllm_status regular_headers(struct flow *f, struct shape *g, bool *again)
{
	*again = false;
	for (unsigned i = 0; i < g->nheaders; i++) {
		const struct node *h = &g->node[g->header[i]];
		if (h->back == 1 && h->into == 1)
			continue;
		enum gllm_status s = funnel(f, g, g->header[i], h->back > 1);
		if (s)
			return s;
		*again = true;
	}
	return GLLM_OK;
}

/* Marks the loop of `header` in block[].loop: what reaches its latch without passing the header. Backwards once, and again
 * when a header inside was found after its own latch had been passed. */
static void mark_loop(struct flow *f, const struct shape *g, uint16_t header, int8_t id)
{
	const unsigned post = g->node[header].post;
	f->block[header].loop = id;
	f->block[g->node[header].latch].loop = id;
	for (bool again = true; again; ) {
		again = false;
		for (const struct edge *e = g->edge + g->nedges; e-- > g->edge && g->node[e->from].post < post; ) {
			if (f->block[e->to].loop != id || e->to == header || f->block[e->from].loop == id)
				continue;
			f->block[e->from].loop = id;
			uint16_t inner = g->node[e->from].latch;
			again = again || (inner != FLOW_NONE && f->block[inner].loop != id);
		}
	}
}

static enum gllm_status find_loops(struct flow *f, struct shape *g)
{
	for (unsigned i = 0; i < g->nheaders; i++) {
		uint16_t header = g->header[i];
		if (f->nloops == FLOW_LOOPS)
			return gllm_flow_refuse(f, "too many loops", f->block[header].addr);
		f->loop[f->nloops] = (struct flow_loop){ .header = header, .latch = g->node[header].latch, .parent = f->block[header].loop };
		f->block[header].header = true;
		mark_loop(f, g, header, (int8_t)f->nloops++);
	}
	return GLLM_OK;
}

/* Topological order in which loops are contiguous: among the blocks whose predecessors are done, one of the loop
 * in progress is taken first. */
static void order(const struct flow *f, struct shape *g)
{
	uint16_t ready[FLOW_BLOCKS], *const ordered = g->work;
	unsigned nready = 0, done = 0;
	int current = -1;
	ready[nready++] = 0;
	while (nready) {
		unsigned pick = FLOW_NONE;
		while (pick == FLOW_NONE) {
			for (unsigned i = 0; i < nready; i++)
				if (flow_in_loop(f, f->block[ready[i]].loop, current) &&
				    (pick == FLOW_NONE || g->node[ready[i]].post > g->node[ready[pick]].post))
					pick = i;
			if (pick == FLOW_NONE)
				current = f->loop[current].parent;
		}
		uint16_t b = ready[pick];
		ready[pick] = ready[--nready];
		current = f->block[b].loop;
		ordered[done++] = b;
		for (unsigned k = 0; k < f->block[b].nsucc; k++) {
			uint16_t to = f->block[b].succ[k];
			if (g->node[to].post < g->node[b].post && --g->node[to].into == 0)
				ready[nready++] = to;
		}
	}
	for (unsigned i = 0; i < done; i++) {
		g->by_post[done - 1 - i] = ordered[i];
		g->node[ordered[i]].post = (uint16_t)(done - 1 - i);
	}
	for (const struct edge *e = g->edge; e < g->edge + g->nedges; e++)
		g->node[e->to].into = (uint16_t)(g->node[e->to].into + (g->node[e->from].post > g->node[e->to].post));
}

static uint16_t position(const struct shape *g, uint16_t b)
{
	return (uint16_t)(g->n - 1 - g->node[b].post);
}

/* Copies the blocks in order and by their new numbers. False if a loop's are not together: a block is in the loop of the one
 * before it, or of one around that; or it is the header of a loop in such a one. */
static bool renumber(const struct flow *f, struct shape *g)
{
	unsigned npreds = 0;
	int before = -1;
	struct flow_block *b = g->ordered;
	for (unsigned i = g->n; i-- > 0; b++) {
		const uint16_t old = g->by_post[i];
		*b = f->block[old];
		if (!flow_in_loop(f, before, b->header ? f->loop[b->loop].parent : b->loop))
			return false;
		before = b->loop;
		b->succ[0] = position(g, b->succ[0]); /* one that is not there is any block */
		b->succ[1] = position(g, b->succ[1]);
		b->idom = old ? position(g, g->node[old].idom) : FLOW_NONE;
		b->pred = (uint16_t)npreds;
		npreds += g->node[old].into + (unsigned)g->node[old].back;
	}
	return true;
}

/* Loops are numbered by their headers in the final order. */
static void renumber_loops(struct flow *f)
{
	int8_t now[FLOW_LOOPS];
	struct flow_loop old[FLOW_LOOPS];
	unsigned n = 0;
	for (unsigned i = 0; i < f->nloops; i++)
		old[i] = f->loop[i];
	for (unsigned b = 0; b < f->nblocks; b++)
		if (f->block[b].header)
			now[f->block[b].loop] = (int8_t)n++;
	for (unsigned i = 0; i < n; i++) {
		f->loop[now[i]] = old[i];
		f->loop[now[i]].parent = old[i].parent < 0 ? -1 : now[old[i].parent];
	}
	for (unsigned b = 0; b < f->nblocks; b++)
		if (f->block[b].loop >= 0)
			f->block[b].loop = now[f->block[b].loop];
}

/* Predecessors; where loops end, and the edges that leave them: each leaves the innermost one first. */
static enum gllm_status find_exits(struct flow *f)
{
	uint16_t exits[FLOW_LOOPS] = { 0 };
	for (unsigned b = 0; b < f->nblocks; b++) {
		const struct flow_block *at = &f->block[b];
		const int behind = b + 1 < f->nblocks ? f->block[b + 1].loop : -1;
		for (int l = at->loop; !flow_in_loop(f, behind, l); l = f->loop[l].parent)
			f->loop[l].end = (uint16_t)(b + 1);
		for (unsigned k = 0; k < at->nsucc; k++) {
			struct flow_block *to = &f->block[at->succ[k]];
			f->pred[to->pred + to->npreds++] = (uint16_t)b;
			for (int l = at->loop; !flow_in_loop(f, to->loop, l); l = f->loop[l].parent) {
				f->loop[l].exit = (uint16_t)b;
				f->loop[l].target = at->succ[k];
				exits[l]++;
			}
		}
	}
	for (unsigned l = 0; l < f->nloops; l++) {
		struct flow_loop *loop = &f->loop[l];
		loop->before = f->pred[f->block[loop->header].pred];
		if (exits[l] != 1 || f->block[loop->exit].loop != (int)l)
			return gllm_flow_refuse(f, "a loop without a single counted exit", f->block[loop->header].addr);
	}
	return GLLM_OK;
}

enum gllm_status gllm_flow_arrange(struct flow *f, struct gllm_arena *a)
{
	struct shape *g = gllm_alloc(a, sizeof *g, 8);
	enum gllm_status s;
	if (!g)
		return gllm_fail(f->error, GLLM_OUT_OF_MEMORY, "scratch for the flow graph", NULL, 0, 0, 0);
	for (bool again = true; again; ) {
		walk(f, g);
		if ((s = take_edges(f, g)) || (s = regular_headers(f, g, &again)))
			return s;
	}
	if ((s = find_loops(f, g)))
		return s;
	const bool together = renumber(f, g);
	if (!together) {
		order(f, g);
		renumber(f, g);
	}
	for (unsigned l = 0; l < f->nloops; l++) {
		f->loop[l].header = position(g, f->loop[l].header);
		f->loop[l].latch = position(g, f->loop[l].latch);
	}
	f->block = g->ordered;
	f->nblocks = g->n;
	if (!together)
		renumber_loops(f);
	return find_exits(f);
}
