/* SPDX-License-Identifier: MIT
 * jit/buffers.c - see buffers.h. */
#include "jit/buffers.h"
#include "core/bits.h"
#include "jit/compose_build.h"
#include "jit/context.h"

struct placer {
	const struct gllm_context *c;
	const struct gllm_graph *g;
	const struct gllm_fusion *f;
	struct gllm_life *life;
	unsigned n;
	uint16_t *needed; unsigned nneeded, nvalues; /* numbers of the lives that anything touches, values before scratch */
	uint64_t bytes;
};

/* --- lives ------------------------------------------------------------------------------------------------------------ */

static void touch(struct placer *x, unsigned life, unsigned group)
{
	struct gllm_life *l = &x->life[life];
	if (life < x->g->ntensors && x->g->tensor[life].kind != GLLM_TENSOR_VALUE)
		return;
	if (!l->needed || group < l->first)
		l->first = group;
	if (!l->needed || group > l->last)
		l->last = group;
	l->needed = true;
}

static void touch_part(struct placer *x, const struct gllm_part *part, unsigned group)
{
	for (unsigned p = 0; p < part->code->trace.nparams; p++) {
		if (part->source[p].kind == GLLM_FROM_TENSOR)
			touch(x, part->source[p].tensor, group);
		else if (part->source[p].kind == GLLM_FROM_SCRATCH)
			touch(x, x->g->ntensors + part->source[p].tensor, group);
	}
}

/* Most tensors are no values of a plan: what follows looks at the others only. */
static void list_needed(struct placer *x)
{
	for (unsigned i = 0; i < x->n; i++) {
		x->needed[x->nneeded] = (uint16_t)i;
		x->nneeded += x->life[i].needed;
		x->nvalues += x->life[i].needed && i < x->g->ntensors;
	}
}

/* Compiled groups touch the operands of their kernels, scalar ones those of their node. */
static void find_lives(struct placer *x)
{
	for (unsigned g = 0; g < x->f->ngroups; g++) {
		const struct gllm_group *group = &x->f->group[g];
		const struct gllm_graph_node_entry *n = &x->g->node[group->node[0]];
		const struct gllm_op_entry *o = &x->c->op[n->op];
		for (unsigned i = 0; i < group->nparts; i++)
			touch_part(x, &group->part[i], g);
		for (unsigned p = 0; !group->nparts && p < o->nparams; p++)
			if (o->param[p].kind < GLLM_DIM)
				touch(x, n->actual[p].tensor, g);
	}
}

/* --- in place --------------------------------------------------------------------------------------------------------- */

/* The parameter of `part` that is `tensor`, from its beginning; nparams if none is; nparams + 1 if one is part of it, or a
 * part with each trip of a repeat. */
static unsigned whole(const struct gllm_part *part, unsigned tensor)
{
	unsigned n = part->code->trace.nparams, found = n;
	for (unsigned i = 0; i < n; i++) {
		const struct gllm_source *s = &part->source[i];
		if (s->kind != GLLM_FROM_TENSOR || s->tensor != tensor)
			continue;
		if (found != n || s->at.fixed || s->at.per_row || part->move)
			return n + 1;
		found = i;
	}
	return found;
}

static bool same_place(const struct gllm_trace *t, const struct gllm_access *a, const struct gllm_access *b)
{
	bool same = a->type == b->type && a->index == GLLM_NO_NODE && b->index == GLLM_NO_NODE &&
	            a->offset.count == b->offset.count;
	for (unsigned i = 0; same && i < a->offset.count; i++) {
		const struct gllm_term *x = &t->term[a->offset.first + i], *y = &t->term[b->offset.first + i];
		same = x->coef == y->coef;
		for (unsigned s = 0; s < GLLM_TERM_SYMS; s++)
			same = same && x->sym[s] == y->sym[s];
	}
	return same;
}

/* Each element of `from` is read, if at all, in the iteration that stores that element of `to`, and before that. */
static bool reads_as_it_stores(const struct gllm_trace *t, unsigned from, unsigned to)
{
	gllm_ref store = gllm_only_store(t, to);
	if (store == GLLM_NO_NODE)
		return false;
	for (unsigned i = 0; i < t->nnodes; i++) {
		const struct gllm_node *n = &t->node[i];
		if ((n->op != GLLM_N_LOAD && n->op != GLLM_N_STORE) || t->access[n->imm].param != from)
			continue;
		if (n->op == GLLM_N_STORE || i > store || n->loop != t->node[store].loop ||
		    !same_place(t, &t->access[n->imm], &t->access[t->node[store].imm]))
			return false;
	}
	return true;
}

/* Whether value `to`, born in group `g`, may lie where `from`, which dies there, has lain. */
static bool in_place(const struct placer *x, unsigned g, unsigned from, unsigned to)
{
	const struct gllm_group *group = &x->f->group[g];
	bool found = false;
	for (unsigned i = 0; i < group->nparts; i++) {
		const struct gllm_part *part = &group->part[i];
		unsigned n = part->code->trace.nparams, p = whole(part, from), q = whole(part, to);
		if (p == n && q == n)
			continue;
		if (found || p >= n || q >= n || !reads_as_it_stores(&part->code->trace, p, q))
			return false;
		found = true;
	}
	return found;
}

/* Lives of equal size that meet in one group and may share a place, each with at most one before and one behind it. */
static void share_places(struct placer *x)
{
	for (unsigned i = 0; i < x->nvalues; i++) {
		const unsigned to = x->needed[i];
		struct gllm_life *l = &x->life[to];
		const struct gllm_graph_tensor_entry *t = &x->g->tensor[to];
		for (unsigned j = 0; j < x->nvalues && l->from == to; j++) {
			const unsigned from = x->needed[j];
			struct gllm_life *o = &x->life[from];
			const struct gllm_graph_tensor_entry *u = &x->g->tensor[from];
			bool fits = o->last == l->first && o->first < o->last && u->type == t->type && u->rows == t->rows && u->cols == t->cols;
			for (unsigned k = 0; k < x->nvalues && fits; k++)
				fits = x->needed[k] == to || x->needed[k] == from || x->life[x->needed[k]].from != from;
			if (fits && in_place(x, l->first, from, to))
				l->from = from;
		}
	}
}

/* --- places ----------------------------------------------------------------------------------------------------------- */

static unsigned root_of(const struct placer *x, unsigned life)
{
	while (x->life[life].from != life)
		life = x->life[life].from;
	return life;
}

/* What is placed next of the `n` lives at `list`: the earliest born, of these the largest. */
static unsigned choose(const struct placer *x, const uint16_t *list, unsigned n)
{
	unsigned best = 0;
	for (unsigned k = 1; k < n; k++) {
		const struct gllm_life *l = &x->life[list[k]], *b = &x->life[list[best]];
		if (l->first < b->first || (l->first == b->first && l->bytes > b->bytes))
			best = k;
	}
	return best;
}

/* The lowest gap that is free for its whole life among the `n` that are placed. */
static void find_gap(const struct placer *x, struct gllm_life *next, const uint16_t *placed, unsigned n)
{
	for (bool moved = true; moved;) {
		moved = false;
		for (unsigned k = 0; k < n; k++) {
			const struct gllm_life *o = &x->life[placed[k]];
			if (o->first <= next->until && next->first <= o->until && o->offset < next->offset + next->bytes &&
			    next->offset < o->offset + o->bytes) {
				next->offset = o->offset + o->bytes;
				moved = true;
			}
		}
	}
}

/* Interval colouring: by birth, then size. A group's inputs and outputs never share memory otherwise, since their lives meet
 * in the group. The list of needed lives becomes that of roots, in the order in which they are placed. */
static void place(struct placer *x)
{
	unsigned roots = 0;
	for (unsigned k = 0; k < x->nneeded; k++) {
		struct gllm_life *l = &x->life[x->needed[k]], *root = &x->life[root_of(x, x->needed[k])];
		root->until = l->last > root->until ? l->last : root->until;
		x->needed[roots] = x->needed[k];
		roots += l == root;
	}
	for (unsigned k = 0; k < roots; k++) {
		unsigned at = k + choose(x, x->needed + k, roots - k);
		const uint16_t chosen = x->needed[at];
		struct gllm_life *next = &x->life[chosen];
		for (; at > k; at--) /* equal ones stay in their order */
			x->needed[at] = x->needed[at - 1];
		x->needed[k] = chosen;
		find_gap(x, next, x->needed, k);
		if (next->offset + next->bytes > x->bytes)
			x->bytes = next->offset + next->bytes;
	}
	for (unsigned i = 0; i < x->n; i++) {
		x->life[i].offset = x->life[root_of(x, i)].offset;
		x->life[i].placed = x->life[i].needed;
	}
}

enum gllm_status gllm_place_buffers(const struct gllm_context *c, const struct gllm_graph *g, const struct gllm_fusion *f,
                                    struct gllm_arena *arena, struct gllm_life **life, uint64_t *bytes)
{
	struct placer x = { .c = c, .g = g, .f = f, .n = g->ntensors + f->nscratch };
	x.life = gllm_alloc_array(arena, x.n + 1u, sizeof *x.life, 8);
	x.needed = gllm_alloc_array(arena, x.n + 1u, sizeof *x.needed, 2);
	if (!x.life || !x.needed)
		return GLLM_OUT_OF_MEMORY;
	for (unsigned i = 0; i < x.n; i++) {
		uint64_t size = i < g->ntensors ? gllm_tensor_bytes(g, i) : f->scratch[i - g->ntensors].bytes;
		x.life[i] = (struct gllm_life){ .bytes = gllm_round_up(size, 64), .from = i };
	}
	find_lives(&x);
	list_needed(&x);
	share_places(&x);
	place(&x);
	*life = x.life;
	*bytes = x.bytes;
	return GLLM_OK;
}
