/* SPDX-License-Identifier: MIT
 * jit/compose_join.c - two chains of equal loops as one (compose.h).
 *
 * A chain is cut at the beginnings and ends of its loops; the two chains' pieces between the same cuts stand side by side.
 * Loads of the same element and equal pure nodes of one piece are one. */
#include "jit/compose_build.h"

/* Node number at cut `i` of a chain: its loops' beginnings from outside in, their ends from inside out, its end. */
static gllm_ref cut(const struct gllm_trace *t, unsigned i)
{
	if (i < t->nloops)
		return t->loop[i].first;
	return i < 2 * t->nloops ? t->loop[2 * t->nloops - 1 - i].end : (gllm_ref)t->nnodes;
}

static bool once(const struct builder *b, const struct gllm_node *n)
{
	if (n->op == GLLM_N_LOAD) {
		unsigned param = b->access[n->imm].param;
		enum gllm_param_kind kind = param < GLLM_TRACE_PARAMS ? b->out->param[param].kind : GLLM_WEIGHT;
		return kind == GLLM_IN || kind == GLLM_WEIGHT; /* what nobody stores meanwhile */
	}
	return n->op != GLLM_N_STORE && n->op != GLLM_N_CARRY && n->op != GLLM_N_LAST && n->op != GLLM_N_INDEX;
}

/* The node appended last is dropped if one since `first` in its loop is equal to it. */
static void merge(struct builder *b, struct mapping *m, unsigned index, unsigned first)
{
	const struct gllm_node *n = &b->node[b->nnodes - 1];
	if (!once(b, n))
		return;
	for (unsigned i = first; i + 1 < b->nnodes; i++) {
		const struct gllm_node *o = &b->node[i];
		if (o->op == n->op && o->type == n->type && o->a == n->a && o->b == n->b && o->c == n->c && o->imm == n->imm &&
		    o->loop == n->loop) {
			m->node[index] = (gllm_ref)i;
			b->nnodes--;
			return;
		}
	}
}

enum gllm_status gllm_compose_join(const struct gllm_composed *first, const struct gllm_composed *second,
                                   struct gllm_arena *arena, struct gllm_composed *out, const char **why)
{
	const struct gllm_trace *t[2] = { &first->trace, &second->trace };
	struct builder b;
	*why = NULL;
	if (!gllm_is_chain(t[0]) || !gllm_is_chain(t[1]) || t[0]->nloops == 0)
		*why = "the loops are no chain";
	else if (t[0]->nloops != t[1]->nloops)
		*why = "the loop nests differ in depth";
	if (*why)
		return GLLM_UNSUPPORTED;
	gllm_build_begin(&b, arena, out);
	struct mapping m[2] = { gllm_build_mapping(&b, t[0], 0), gllm_build_mapping(&b, t[1], 1) };
	if (b.status != GLLM_OK)
		return b.status;
	gllm_build_params(&b, &m[0], first, 0);
	gllm_build_params(&b, &m[1], second, 0);
	gllm_build_loops(&b, &m[0]);
	if (!gllm_match_loops(&b, &m[1], &m[0], (int8_t)t[0]->nloops - 1, why))
		return GLLM_UNSUPPORTED;
	unsigned cuts = 2 * t[0]->nloops, done[2] = { 0, 0 };
	for (unsigned piece = 0; piece <= cuts && b.status == GLLM_OK; piece++) {
		unsigned begin = b.nnodes;
		for (unsigned k = 0; k < 2; k++) {
			unsigned end = cut(t[k], piece);
			for (; done[k] < end && b.status == GLLM_OK; done[k]++) {
				int8_t loop = t[k]->node[done[k]].loop;
				gllm_build_node(&b, &m[k], done[k], loop < 0 ? -1 : m[k].loop[loop]);
				if (b.status == GLLM_OK && k)
					merge(&b, &m[k], done[k], begin);
			}
		}
		if (piece < t[0]->nloops)
			b.loop[piece].first = (gllm_ref)b.nnodes;
		else if (piece < cuts)
			b.loop[cuts - 1 - piece].end = (gllm_ref)b.nnodes;
	}
	gllm_build_close(&b, &m[0]);
	gllm_build_close(&b, &m[1]);
	return gllm_build_finish(&b, t[0]->name, first->depth + second->depth + 1, t[0]->pattern);
}
