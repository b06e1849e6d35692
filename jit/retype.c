/* SPDX-License-Identifier: MIT
 * jit/retype.c - see retype.h. */
#include "jit/retype.h"
#include "core/bits.h"
#include "jit/trace.h"

struct retyper {
	const struct gllm_trace *t;
	const uint8_t *type;
	struct gllm_node *node;
	struct gllm_access *access;
	struct gllm_term *term;
	gllm_ref *map;   /* node of t -> the F32 or other value that stands for it */
	unsigned nnodes, nterms;
};

static bool changes(const struct retyper *r, unsigned param)
{
	return param < GLLM_TRACE_PARAMS && r->type[param] != r->t->param[param].type;
}

static const char *refuses(const struct retyper *r)
{
	const struct gllm_trace *t = r->t;
	for (unsigned p = 0; p < t->nparams; p++)
		if (t->param[p].kind < GLLM_DIM && changes(r, p) &&
		    (t->param[p].type != GLLM_F32 || (r->type[p] != GLLM_F16 && r->type[p] != GLLM_BF16)))
			return "only F32 elements can become F16 or BF16 ones";
	for (unsigned i = 0; i < t->naccesses; i++) {
		const struct gllm_access *a = &t->access[i];
		if (!changes(r, a->param))
			continue;
		if (a->type != GLLM_F32 || a->index_bytes % 4 != 0)
			return "the operator reads parts of its elements";
		for (unsigned k = 0; k < a->offset.count; k++)
			if (t->term[a->offset.first + k].coef % 4 != 0)
				return "the operator reads parts of its elements";
	}
	return NULL;
}

/* Accesses of changed parameters with their offsets in smaller elements, on terms of their own. */
static void shrink_accesses(struct retyper *r)
{
	const struct gllm_trace *t = r->t;
	for (unsigned i = 0; i < t->nterms; i++)
		r->term[r->nterms++] = t->term[i];
	for (unsigned i = 0; i < t->naccesses; i++) {
		struct gllm_access *a = &r->access[i];
		*a = t->access[i];
		if (!changes(r, a->param))
			continue;
		unsigned bytes = gllm_type_bytes((enum gllm_type)r->type[a->param]);
		a->type = r->type[a->param];
		a->index_bytes = a->index_bytes / 4 * bytes;
		a->offset.first = (uint16_t)r->nterms;
		for (unsigned k = 0; k < a->offset.count; k++) {
			struct gllm_term x = t->term[t->access[i].offset.first + k];
			x.coef = x.coef / 4 * (int64_t)bytes;
			r->term[r->nterms++] = x;
		}
	}
}

static gllm_ref append(struct retyper *r, struct gllm_node n)
{
	r->node[r->nnodes] = n;
	return (gllm_ref)r->nnodes++;
}

static gllm_ref mapped(const struct retyper *r, gllm_ref n)
{
	return n == GLLM_NO_NODE ? GLLM_NO_NODE : r->map[n];
}

static struct gllm_node convert(const struct gllm_node *beside, gllm_ref value, unsigned type)
{
	return (struct gllm_node){ .op = GLLM_N_CVT, .type = (uint8_t)type, .loop = beside->loop, .a = value,
	                           .b = GLLM_NO_NODE, .c = GLLM_NO_NODE };
}

/* CARRY's second operand is a later node: mapped when all are there. */
static void copy_node(struct retyper *r, unsigned i)
{
	const struct gllm_trace *t = r->t;
	struct gllm_node n = t->node[i];
	bool access = n.op == GLLM_N_LOAD || n.op == GLLM_N_STORE;
	bool half = access && changes(r, t->access[n.imm].param);
	n.a = mapped(r, n.a);
	n.b = n.op == GLLM_N_CARRY ? n.b : mapped(r, n.b);
	n.c = mapped(r, n.c);
	if (half) {
		n.type = r->type[t->access[n.imm].param];
		if (n.op == GLLM_N_STORE)
			n.a = append(r, convert(&n, n.a, n.type));
	}
	r->map[i] = append(r, n);
	if (half && n.op == GLLM_N_LOAD)
		r->map[i] = append(r, convert(&n, r->map[i], GLLM_F32));
}

static void copy_nodes(struct retyper *r, struct gllm_loop *loop)
{
	const struct gllm_trace *t = r->t;
	for (unsigned i = 0; i <= t->nnodes; i++) {
		for (unsigned l = 0; l < t->nloops; l++) {
			if (t->loop[l].first == i)
				loop[l].first = (gllm_ref)r->nnodes;
			if (t->loop[l].end == i)
				loop[l].end = (gllm_ref)r->nnodes;
		}
		if (i < t->nnodes)
			copy_node(r, i);
	}
	for (unsigned i = 0; i < r->nnodes; i++)
		if (r->node[i].op == GLLM_N_CARRY)
			r->node[i].b = r->map[r->node[i].b];
	for (unsigned i = 0; i < t->naccesses; i++)
		r->access[i].index = mapped(r, r->access[i].index);
}

enum gllm_status gllm_retype(const struct gllm_trace *t, const uint8_t *type, struct gllm_arena *arena,
                             const struct gllm_trace **out, const char **why)
{
	struct retyper r = { .t = t, .type = type };
	unsigned changed = 0, terms = t->nterms;
	for (unsigned p = 0; p < t->nparams; p++)
		changed += t->param[p].kind < GLLM_DIM && changes(&r, p);
	*out = t;
	if (changed == 0)
		return GLLM_OK;
	*why = refuses(&r);
	if (*why)
		return GLLM_UNSUPPORTED;
	for (unsigned i = 0; i < t->naccesses; i++)
		terms += t->access[i].offset.count;
	struct gllm_trace *made = gllm_alloc(arena, sizeof *made, 8);
	struct gllm_param *param = gllm_alloc_array(arena, t->nparams, sizeof *param, 8);
	struct gllm_loop *loop = gllm_alloc_array(arena, t->nloops + 1, sizeof *loop, 8);
	struct gllm_reduction *reduction = gllm_alloc_array(arena, t->nreductions + 1, sizeof *reduction, 8);
	r.node = gllm_alloc_array(arena, 2 * t->nnodes + 1, sizeof *r.node, 8);
	r.access = gllm_alloc_array(arena, t->naccesses + 1, sizeof *r.access, 8);
	r.term = gllm_alloc_array(arena, terms + 1, sizeof *r.term, 8);
	r.map = gllm_alloc_array(arena, t->nnodes + 1, sizeof *r.map, 8);
	if (!made || !param || !loop || !reduction || !r.node || !r.access || !r.term || !r.map)
		return GLLM_OUT_OF_MEMORY;
	for (unsigned p = 0; p < t->nparams; p++) {
		param[p] = t->param[p];
		if (param[p].kind < GLLM_DIM)
			param[p].type = (enum gllm_type)type[p];
	}
	for (unsigned i = 0; i < t->nloops; i++)
		loop[i] = t->loop[i];
	shrink_accesses(&r);
	copy_nodes(&r, loop);
	for (unsigned i = 0; i < t->nreductions; i++) {
		reduction[i] = t->reduction[i];
		reduction[i].carry = mapped(&r, reduction[i].carry);
		reduction[i].pair = mapped(&r, reduction[i].pair);
		reduction[i].value = mapped(&r, reduction[i].value);
	}
	*made = *t;
	made->param = param;
	made->loop = loop;
	made->reduction = reduction;
	made->node = r.node;
	made->nnodes = r.nnodes;
	made->access = r.access;
	made->term = r.term;
	made->nterms = r.nterms;
	made->hash = gllm_trace_hash(made);
	*out = made;
	return GLLM_OK;
}
