/* SPDX-License-Identifier: MIT
 * jit/block_form.c - see block_form.h. */
#include "jit/block_form.h"

static bool fixed_trip(const struct gllm_trace *t, unsigned loop, int64_t *out)
{
	struct gllm_poly p = t->loop[loop].trip;
	*out = p.count ? t->term[p.first].coef : 0;
	return p.count == 0 || (p.count == 1 && t->term[p.first].sym[0] == 0);
}

/* Trip of the outer loop: fixed, or one number that depends on rows. */
static bool row_trip(const struct gllm_composed *c, uint64_t max_rows, struct product *p)
{
	const struct gllm_trace *t = &c->trace;
	struct gllm_poly trip = t->loop[I].trip;
	int64_t m;
	if (fixed_trip(t, I, &m)) {
		p->m = (struct gllm_linear){ .fixed = m };
		p->most = m > 0 ? (uint64_t)m : 0;
		return true;
	}
	const struct gllm_term *x = &t->term[trip.first];
	if (trip.count != 1 || x->coef != 1 || x->sym[1] != 0 || x->sym[0] >= GLLM_SYM_LOOP)
		return false;
	const struct gllm_source *s = &c->source[x->sym[0] - GLLM_SYM_PARAM];
	if (s->kind != GLLM_FROM_ROWS || s->at.fixed != 0 || s->at.per_row != 1 || s->at.block != 0)
		return false;
	p->m = s->at;
	p->most = max_rows;
	return true;
}

/* Loops along which each node's value varies. */
static void find_loops(const struct product *p, uint8_t *dep)
{
	const struct gllm_trace *t = &p->c->trace;
	for (unsigned i = 0; i < t->nnodes; i++) {
		const struct gllm_node *n = &t->node[i];
		uint8_t d = 0;
		if (n->a != GLLM_NO_NODE)
			d |= dep[n->a];
		if (n->b != GLLM_NO_NODE && n->op != GLLM_N_CARRY)
			d |= dep[n->b];
		if (n->c != GLLM_NO_NODE)
			d |= dep[n->c];
		for (unsigned l = 0; l < 3 && (n->op == GLLM_N_LOAD || n->op == GLLM_N_STORE); l++)
			d |= (uint8_t)((p->affine[n->imm].loop[l] != 0) << l);
		if (n->op == GLLM_N_CARRY)
			d |= 1 << I | 1 << J | 1 << K;
		if (n->op == GLLM_N_LAST)
			d &= (uint8_t)~(1u << K);
		dep[i] = d;
	}
}

/* Every access of a parameter moves alike; what is stored is not read. */
static bool plain_accesses(struct product *p)
{
	const struct gllm_trace *t = &p->c->trace;
	if (t->ntables)
		return false;
	bool seen[GLLM_TRACE_PARAMS] = { false }, stored[GLLM_TRACE_PARAMS] = { false }, loaded[GLLM_TRACE_PARAMS] = { false };
	for (unsigned i = 0; i < t->nnodes; i++) {
		const struct gllm_node *n = &t->node[i];
		if (n->op == GLLM_N_INDEX)
			return false;
		if (n->op != GLLM_N_LOAD && n->op != GLLM_N_STORE)
			continue;
		unsigned q = t->access[n->imm].param;
		for (unsigned l = 0; l < 3; l++) {
			if (seen[q] && p->stride[q][l] != p->affine[n->imm].loop[l])
				return false;
			p->stride[q][l] = p->affine[n->imm].loop[l];
		}
		seen[q] = true;
		*(n->op == GLLM_N_STORE ? &stored[q] : &loaded[q]) = true;
	}
	for (unsigned q = 0; q < t->nparams; q++)
		if (stored[q] && loaded[q])
			return false;
	return true;
}

/* A product of one row has lost its loop of rows (jit/compose.c): the same trace with that loop around it. NULL: out of memory. */
static const struct gllm_composed *one_row(struct gllm_arena *arena, const struct gllm_composed *c)
{
	const struct gllm_trace *t = &c->trace;
	struct gllm_composed *to = gllm_alloc(arena, sizeof *to, 8);
	struct gllm_node *node = gllm_alloc_array(arena, t->nnodes + 1u, sizeof *node, 8);
	struct gllm_term *term = gllm_alloc_array(arena, t->nterms + 1u, sizeof *term, 8);
	struct gllm_loop *loop = gllm_alloc_array(arena, 3, sizeof *loop, 8);
	struct gllm_reduction *reduction = gllm_alloc_array(arena, t->nreductions + 1u, sizeof *reduction, 8);
	if (!to || !node || !term || !loop || !reduction)
		return NULL;
	for (unsigned i = 0; i < t->nnodes; i++) {
		node[i] = t->node[i];
		node[i].loop = (int8_t)(node[i].loop < 0 ? node[i].loop : node[i].loop + 1);
	}
	for (unsigned i = 0; i < t->nterms; i++) {
		term[i] = t->term[i];
		for (unsigned k = 0; k < GLLM_TERM_SYMS; k++)
			term[i].sym[k] = (uint8_t)(term[i].sym[k] + (term[i].sym[k] >= GLLM_SYM_LOOP));
	}
	term[t->nterms] = (struct gllm_term){ .coef = 1 };
	for (unsigned i = 0; i < 2; i++) {
		loop[i + 1] = t->loop[i];
		loop[i + 1].parent++;
	}
	loop[I] = (struct gllm_loop){ .parent = -1, .first = loop[J].first, .end = loop[J].end,
	                              .trip = { .first = (uint16_t)t->nterms, .count = 1 } };
	for (unsigned i = 0; i < t->nreductions; i++) {
		reduction[i] = t->reduction[i];
		reduction[i].loop++;
	}
	*to = *c;
	to->trace.node = node;
	to->trace.term = term;
	to->trace.nterms++;
	to->trace.loop = loop;
	to->trace.nloops = 3;
	to->trace.reduction = reduction;
	return to;
}

/* What stands beside the sums of one row lies as if more followed: kernels of any number of rows take it. */
static void row_pitches(struct product *p)
{
	for (unsigned i = 0; i < p->c->trace.naccesses; i++) {
		int64_t *by = p->affine[i].loop;
		if (by[K] == 0 && by[J] >= 0 && by[J] <= INT32_MAX)
			by[I] = p->n * by[J];
	}
}

static bool one_sum(const struct product *p, const uint8_t *dep, const struct gllm_reduction *r, struct sum *s)
{
	const struct gllm_trace *t = &p->c->trace;
	const struct gllm_node *n = &t->node[r->carry], *v = r->value == GLLM_NO_NODE ? NULL : &t->node[r->value];
	const uint8_t along[2] = { 1 << I | 1 << K, 1 << J | 1 << K }, one = p->most == 1 ? 1 << I : 0;
	if (r->kind != GLLM_REDUCE_SUM || r->loop != K || (n->type != GLLM_F32 && n->type != GLLM_I32) || !v ||
	    v->type != n->type || v->loop != K || (v->op != GLLM_N_MUL && v->op != GLLM_N_DOT))
		return false;
	s->type = (enum gllm_type)n->type;
	s->carry = r->carry;
	s->last = GLLM_NO_NODE;
	unsigned swap = dep[v->a] == along[J];
	s->value[swap] = v->a;
	s->value[1 - swap] = v->b;
	for (unsigned i = t->loop[K].end; i < t->nnodes; i++)
		if (t->node[i].op == GLLM_N_LAST && t->node[i].a == r->carry)
			s->last = (gllm_ref)i;
	return (dep[s->value[I]] | one) == along[I] && dep[s->value[J]] == along[J] && s->last != GLLM_NO_NODE;
}

/* Nodes of i stand before j, nothing but sums stands in k, nothing follows j. */
static bool plain_nest(const struct gllm_trace *t)
{
	if (t->nloops != 3 || t->loop[I].parent != -1 || t->loop[J].parent != I || t->loop[K].parent != J)
		return false;
	for (unsigned i = 0; i < t->nnodes; i++) {
		const struct gllm_node *n = &t->node[i];
		bool acts = n->op == GLLM_N_STORE || n->op == GLLM_N_CARRY || n->op == GLLM_N_LAST;
		if (n->loop < J && (acts || i >= t->loop[J].end || (n->loop == I && i >= t->loop[J].first)))
			return false;
		if ((n->op == GLLM_N_CARRY && n->loop != K) || (n->op == GLLM_N_STORE && n->loop != J))
			return false;
	}
	return true;
}

static gllm_ref result_of(const struct product *p)
{
	const struct gllm_trace *t = &p->c->trace;
	gllm_ref found = GLLM_NO_NODE;
	for (unsigned i = 0; i < t->nnodes; i++) {
		if (t->node[i].op != GLLM_N_STORE)
			continue;
		if (found != GLLM_NO_NODE)
			return GLLM_NO_NODE;
		found = (gllm_ref)i;
	}
	bool fits = found != GLLM_NO_NODE && p->nsums == 1 && t->access[t->node[found].imm].type == p->sum[0].type &&
	            p->affine[t->node[found].imm].loop[J] == 4 &&
	            (p->most == 1 || p->affine[t->node[found].imm].loop[I] != 0);
	return fits ? found : GLLM_NO_NODE;
}

/* --- weights that are packed ------------------------------------------------------------------------------------------ */

int64_t gllm_block_step(const struct product *p, unsigned q, int64_t lanes)
{
	return p->packed[q] ? lanes * gllm_type_bytes(p->c->param[q].type) : p->stride[q][K];
}

void gllm_block_lanes(const struct product *p, int64_t lanes)
{
	const struct gllm_trace *t = &p->c->trace;
	for (unsigned i = 0; i < t->naccesses; i++)
		if (p->packed[t->access[i].param])
			p->affine[i].loop[K] = gllm_block_step(p, t->access[i].param, lanes);
}

/* Each is B of this product, whichever way its operator takes it to lie; all in panels of one width. */
static bool packed_weights(const struct gllm_graph *g, struct product *p)
{
	const struct gllm_trace *t = &p->c->trace;
	for (unsigned q = 0; q < t->nparams; q++) {
		const struct gllm_source *s = &p->c->source[q];
		if (!s->lanes)
			continue;
		const struct gllm_packing *packing = &g->tensor[s->tensor].packing;
		int64_t size = gllm_type_bytes(packing->type), j = p->stride[q][J], k = p->stride[q][K];
		bool lies = (j == size && k == p->n * size) || (j == p->k * size && k == size);
		if (!lies || p->stride[q][I] != 0 || packing->n != (uint64_t)p->n || packing->k != (uint64_t)p->k || s->at.fixed ||
		    s->at.per_row || (p->lanes && p->lanes != s->lanes))
			return false;
		p->lanes = s->lanes;
		p->packed[q] = true;
		p->stride[q][J] = p->k * size;
		for (unsigned i = 0; i < t->naccesses; i++) {
			if (t->access[i].param != q)
				continue;
			if (p->affine[i].base != 0)
				return false;
			p->affine[i] = (struct gllm_affine){ .base = GLLM_PACKED_HEADER, .loop = { [J] = p->k * size }, .lane = size };
		}
	}
	gllm_block_lanes(p, p->lanes);
	return true;
}

bool gllm_block_form(struct gllm_arena *arena, const struct gllm_composed *c, const struct gllm_graph *g, struct product *p,
                     enum gllm_status *s)
{
	if (c->trace.nreductions < 1 || c->trace.nreductions > MAX_SUMS)
		return false;
	bool alone = c->trace.nloops == 2 && c->trace.loop[0].parent == -1 && c->trace.loop[1].parent == 0;
	if (alone)
		c = one_row(arena, c);
	if (!c) {
		*s = GLLM_OUT_OF_MEMORY;
		return false;
	}
	const struct gllm_trace *t = &c->trace;
	*p = (struct product){ .c = c };
	if (c->how.own || !plain_nest(t) || !row_trip(c, g->max_rows, p) || !fixed_trip(t, J, &p->n) || !fixed_trip(t, K, &p->k))
		return false;
	if (p->most > INT32_MAX || p->n > INT32_MAX || p->k > INT32_MAX) /* blocks are counted in 32 bits */
		return false;
	p->affine = gllm_alloc_array(arena, t->naccesses + 1u, sizeof *p->affine, 8);
	uint8_t *dep = gllm_alloc(arena, t->nnodes + 1u, 1);
	if (!p->affine || !dep)
		*s = GLLM_OUT_OF_MEMORY;
	if (!p->affine || !dep || !gllm_strip_affine(t, p->affine))
		return false;
	if (alone)
		row_pitches(p);
	if (!plain_accesses(p))
		return false;
	find_loops(p, dep);
	for (unsigned i = 0; i < t->nreductions; i++)
		if (!one_sum(p, dep, &t->reduction[i], &p->sum[p->nsums++]))
			return false;
	for (unsigned i = 0; i < t->nnodes; i++)
		if (t->node[i].op == GLLM_N_CARRY) {
			unsigned k = 0;
			while (k < p->nsums && p->sum[k].carry != i)
				k++;
			if (k == p->nsums)
				return false;
		}
	p->result = result_of(p);
	return packed_weights(g, p);
}
