/* SPDX-License-Identifier: MIT
 * jit/flow_order.c - the blocks of flow.c in order: dominators, headers with two predecessors, loops, their exits. */
#include "jit/flow.h"

struct edge {
	uint16_t from, to;
	bool back;                    /* to a block not behind `from` in that order */
};

struct shape {
	uint16_t rpo[FLOW_BLOCKS];    /* blocks in reverse postorder */
	uint16_t rank[FLOW_BLOCKS];   /* position of a block there; FLOW_NONE if not reached */
	uint16_t idom[FLOW_BLOCKS];
	uint16_t latch[FLOW_BLOCKS];  /* of a header: the block whose edge leads back */
	uint16_t work[FLOW_BLOCKS];
	uint8_t state[FLOW_BLOCKS];
	uint16_t position[FLOW_BLOCKS];
	struct flow_block ordered[FLOW_BLOCKS]; /* which are the graph's in the end */
	struct edge edge[2 * FLOW_BLOCKS + 2]; /* by the rank of `from` */
	unsigned n, nedges;
};

/* Two a block, of which those that are not there are written over. */
static void list_edges(const struct flow *f, struct shape *g)
{
	g->nedges = 0;
	for (unsigned i = 0; i < g->n; i++) {
		const struct flow_block *b = &f->block[g->rpo[i]];
		for (unsigned k = 0; k < 2; k++) {
			g->edge[g->nedges] = (struct edge){ g->rpo[i], b->succ[k], g->rank[b->succ[k]] <= i };
			g->nedges += k < b->nsucc;
		}
	}
}

static void postorder(const struct flow *f, struct shape *g)
{
	unsigned depth = 0, post = 0;
	for (unsigned i = 0; i < f->nblocks; i++) {
		g->state[i] = 0;
		g->rank[i] = FLOW_NONE;
	}
	g->work[depth++] = 0;
	g->state[0] = 1;
	while (depth) {
		uint16_t b = g->work[depth - 1];
		unsigned next = g->state[b] - 1u;
		if (next < f->block[b].nsucc) {
			uint16_t s = f->block[b].succ[next];
			g->state[b]++;
			if (!g->state[s]) {
				g->state[s] = 1;
				g->work[depth++] = s;
			}
		} else {
			depth--;
			g->position[post++] = b;
		}
	}
	g->n = post;
	for (unsigned i = 0; i < post; i++) {
		g->rpo[i] = g->position[post - 1 - i];
		g->rank[g->rpo[i]] = (uint16_t)i;
	}
	list_edges(f, g);
}

static uint16_t meet(const struct shape *g, uint16_t a, uint16_t b)
{
	while (a != b) {
		while (g->rank[a] > g->rank[b])
			a = g->idom[a];
		while (g->rank[b] > g->rank[a])
			b = g->idom[b];
	}
	return a;
}

/* Along edges in order, so that what leads forward to a block is known when its turn comes; edges back cannot raise the
 * dominator of a loop with one entry. */
static void dominators(const struct flow *f, struct shape *g)
{
	for (unsigned i = 0; i < f->nblocks; i++)
		g->idom[i] = FLOW_NONE;
	g->idom[0] = 0;
	for (const struct edge *e = g->edge; e < g->edge + g->nedges; e++)
		if (!e->back)
			g->idom[e->to] = g->idom[e->to] == FLOW_NONE ? e->from : meet(g, g->idom[e->to], e->from);
}

static bool dominates(const struct shape *g, uint16_t a, uint16_t b)
{
	while (g->rank[b] > g->rank[a])
		b = g->idom[b];
	return a == b;
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
		struct flow_block *b = &f->block[g->rpo[i]];
		for (unsigned k = 0; k < b->nsucc; k++)
			if (b->succ[k] == header && dominates(g, header, g->rpo[i]) == back)
				b->succ[k] = made;
	}
	return GLLM_OK;
}

/* One pass that makes headers regular; *again if it changed the graph. */
static enum gllm_status regular_headers(struct flow *f, struct shape *g, bool *again)
{
	uint8_t back[FLOW_BLOCKS], into[FLOW_BLOCKS];
	for (unsigned i = 0; i < f->nblocks; i++) {
		back[i] = into[i] = 0;
		g->latch[i] = FLOW_NONE;
	}
	for (const struct edge *e = g->edge; e < g->edge + g->nedges; e++) {
		back[e->to] = (uint8_t)(back[e->to] + e->back);
		into[e->to] = (uint8_t)(into[e->to] + !e->back);
		g->latch[e->to] = e->back ? e->from : g->latch[e->to];
		if (e->back && !dominates(g, e->to, e->from))
			return gllm_flow_refuse(f, "a loop that is entered in two places", f->block[e->to].addr);
	}
	*again = false;
	if (back[0])
		return gllm_flow_refuse(f, "a loop at the function's first instruction", f->block[0].addr);
	for (unsigned i = 0; i < g->n; i++) {
		uint16_t b = g->rpo[i];
		bool two_back = back[b] > 1, two_in = (back[b] != 0) & (into[b] > 1);
		if (two_in | two_back) {
			enum gllm_status s = funnel(f, g, b, two_back);
			if (s)
				return s;
			*again = true;
		}
	}
	return GLLM_OK;
}

/* Marks the loop of `header` in block[].loop: what reaches its latch without passing the header. Backwards once, and again
 * when a header inside was found after its own latch had been passed. */
static void mark_loop(struct flow *f, const struct shape *g, uint16_t header, int8_t id)
{
	f->block[header].loop = id;
	f->block[g->latch[header]].loop = id;
	for (bool again = true; again; ) {
		again = false;
		for (const struct edge *e = g->edge + g->nedges; e-- > g->edge && g->rank[e->from] > g->rank[header]; ) {
			if (f->block[e->to].loop != id || e->to == header || f->block[e->from].loop == id)
				continue;
			f->block[e->from].loop = id;
			uint16_t inner = g->latch[e->from];
			again = again || (inner != FLOW_NONE && f->block[inner].loop != id);
		}
	}
}

static enum gllm_status find_loops(struct flow *f, struct shape *g)
{
	for (unsigned i = 0; i < f->nblocks; i++) {
		f->block[i].loop = -1;
		f->block[i].header = false;
	}
	for (unsigned i = 0; i < g->n; i++) {
		uint16_t header = g->rpo[i], latch = g->latch[header];
		if (latch == FLOW_NONE)
			continue;
		if (f->nloops == FLOW_LOOPS)
			return gllm_flow_refuse(f, "too many loops", f->block[header].addr);
		struct flow_loop *l = &f->loop[f->nloops];
		*l = (struct flow_loop){ .header = header, .latch = latch, .parent = f->block[header].loop };
		f->block[header].header = true;
		mark_loop(f, g, header, (int8_t)f->nloops++);
	}
	return GLLM_OK;
}

/* Does the order keep every loop's blocks together already? A block is in the loop of the one before it, or of one around
 * that; or it is the header of a loop in such a one. */
static bool contiguous(const struct flow *f, const struct shape *g)
{
	bool is = true;
	int before = -1;
	for (unsigned i = 0; i < g->n; i++) {
		const struct flow_block *b = &f->block[g->rpo[i]];
		is = is && flow_in_loop(f, before, b->header ? f->loop[b->loop].parent : b->loop);
		before = b->loop;
	}
	return is;
}

/* Topological order in which loops are contiguous: among the blocks whose predecessors are done, one of the loop
 * in progress is taken first. */
static void order(const struct flow *f, struct shape *g)
{
	uint16_t *waiting = g->work;
	uint16_t ready[FLOW_BLOCKS];
	unsigned nready = 0, done = 0;
	int current = -1;
	for (unsigned i = 0; i < f->nblocks; i++)
		waiting[i] = 0;
	for (const struct edge *e = g->edge; e < g->edge + g->nedges; e++)
		waiting[e->to] = (uint16_t)(waiting[e->to] + !e->back);
	ready[nready++] = 0;
	while (nready) {
		unsigned pick = FLOW_NONE;
		while (pick == FLOW_NONE) {
			for (unsigned i = 0; i < nready; i++)
				if (flow_in_loop(f, f->block[ready[i]].loop, current) &&
				    (pick == FLOW_NONE || g->rank[ready[i]] < g->rank[ready[pick]]))
					pick = i;
			if (pick == FLOW_NONE)
				current = f->loop[current].parent;
		}
		uint16_t b = ready[pick];
		ready[pick] = ready[--nready];
		current = f->block[b].loop;
		g->position[b] = (uint16_t)done++;
		for (unsigned k = 0; k < f->block[b].nsucc; k++) {
			uint16_t s = f->block[b].succ[k];
			if (g->rank[s] > g->rank[b] && --waiting[s] == 0)
				ready[nready++] = s;
		}
	}
}

/* Renumbers blocks into that order. */
static void renumber(struct flow *f, struct shape *g)
{
	for (const struct edge *e = g->edge; e < g->edge + g->nedges; e++)
		f->block[e->to].npreds++;
	for (unsigned i = 0; i < g->n; i++) {
		uint16_t old = g->rpo[i], now = g->position[old];
		struct flow_block *b = &g->ordered[now];
		*b = f->block[old];
		b->succ[0] = g->position[b->succ[0]]; /* one that is not there is any block */
		b->succ[1] = g->position[b->succ[1]];
		b->idom = now ? g->position[g->idom[old]] : FLOW_NONE;
	}
	for (unsigned l = 0; l < f->nloops; l++) {
		f->loop[l].header = g->position[f->loop[l].header];
		f->loop[l].latch = g->position[f->loop[l].latch];
	}
	f->block = g->ordered;
	f->nblocks = g->n;
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

static void list_preds(struct flow *f)
{
	uint16_t n = 0;
	for (unsigned b = 0; b < f->nblocks; b++) {
		f->block[b].pred = n;
		n = (uint16_t)(n + f->block[b].npreds);
		f->block[b].npreds = 0;
	}
	for (unsigned p = 0; p < f->nblocks; p++) {
		for (unsigned k = 0; k < f->block[p].nsucc; k++) {
			struct flow_block *b = &f->block[f->block[p].succ[k]];
			f->pred[b->pred + b->npreds++] = (uint16_t)p;
		}
	}
}

/* Where loops end, and the edges that leave them: each leaves the innermost one first. */
static enum gllm_status find_exits(struct flow *f)
{
	uint16_t exits[FLOW_LOOPS] = { 0 };
	for (unsigned b = 0; b < f->nblocks; b++) {
		const struct flow_block *at = &f->block[b];
		const int behind = b + 1 < f->nblocks ? f->block[b + 1].loop : -1;
		for (int l = at->loop; !flow_in_loop(f, behind, l); l = f->loop[l].parent)
			f->loop[l].end = (uint16_t)(b + 1);
		for (unsigned k = 0; k < at->nsucc; k++) {
			for (int l = at->loop; !flow_in_loop(f, f->block[at->succ[k]].loop, l); l = f->loop[l].parent) {
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
		postorder(f, g);
		dominators(f, g);
		if ((s = regular_headers(f, g, &again)))
			return s;
	}
	if ((s = find_loops(f, g)))
		return s;
	for (unsigned i = 0; i < g->n; i++)
		g->position[g->rpo[i]] = (uint16_t)i;
	const bool ordered = contiguous(f, g);
	if (!ordered)
		order(f, g);
	renumber(f, g);
	if (!ordered)
		renumber_loops(f);
	list_preds(f);
	return find_exits(f);
}
