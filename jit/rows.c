/* SPDX-License-Identifier: MIT
 * jit/rows.c - see rows.h. */
#include "jit/rows.h"
#include "jit/trace.h"

enum { UNKNOWN_L2 = 256 << 10 };

static uint64_t little_bytes(const struct gllm_profile *p)
{
	return (p->cache[1].bytes ? p->cache[1].bytes : UNKNOWN_L2) / 2;
}

/* Parameters of parts that are the tensor. */
static unsigned times_used(const struct gllm_fusion *f, unsigned tensor)
{
	unsigned n = 0;
	for (unsigned g = 0; g < f->ngroups; g++)
		for (unsigned i = 0; i < f->group[g].nparts; i++) {
			const struct gllm_part *part = &f->group[g].part[i];
			for (unsigned q = 0; q < part->code->trace.nparams; q++)
				n += part->source[q].kind == GLLM_FROM_TENSOR && part->source[q].tensor == tensor;
		}
	return n;
}

static bool moves_with_rows(const struct gllm_term *x)
{
	return x->sym[0] == GLLM_SYM_LOOP;
}

/* Whether all that an access reaches in one row lies within `row` bytes from where the row begins. */
static bool stays_in_row(const struct gllm_trace *t, const struct gllm_access *a, int64_t row)
{
	int64_t end = gllm_type_bytes((enum gllm_type)a->type);
	for (unsigned i = 0; i < a->offset.count; i++) {
		const struct gllm_term *x = &t->term[a->offset.first + i];
		if (moves_with_rows(x))
			continue;
		if (x->coef < 0 || x->sym[1] || (x->sym[0] && x->sym[0] < GLLM_SYM_LOOP))
			return false;
		int64_t most = 1;
		if (x->sym[0]) {
			const struct gllm_poly trip = t->loop[x->sym[0] - GLLM_SYM_LOOP].trip;
			if (trip.count != 1 || t->term[trip.first].sym[0])
				return false;
			most = t->term[trip.first].coef - 1;
		}
		int64_t reach;
		if (__builtin_mul_overflow(x->coef, most, &reach) || __builtin_add_overflow(end, reach, &end))
			return false;
	}
	return a->index == GLLM_NO_NODE && end <= row;
}

/* Bytes of a row of parameter `param`, if it can be kept; else 0. */
static int64_t row_of(const struct gllm_composed *c, unsigned param)
{
	const struct gllm_trace *t = &c->trace;
	int64_t row;
	if (c->how.own || c->how.split || gllm_no_row_loop(t) || !gllm_row_stride(c, param, &row))
		return 0;
	for (unsigned i = 0; i < t->naccesses; i++)
		if (t->access[i].param == param && !stays_in_row(t, &t->access[i], row))
			return 0;
	return row > 0 ? row : 0;
}

/* The same trace with what it reaches by `param` in the worker's memory, as parameter `to`. NULL: the arena is too
 * small. */
static struct gllm_composed *kept(const struct gllm_composed *c, unsigned param, unsigned to, struct gllm_arena *arena)
{
	const struct gllm_trace *t = &c->trace;
	struct gllm_composed *out = gllm_alloc(arena, sizeof *out, 8);
	struct gllm_access *access = gllm_alloc_array(arena, t->naccesses, sizeof *access, 8);
	struct gllm_term *term = gllm_alloc_array(arena, 2u * t->nterms + 1, sizeof *term, 8);
	if (!out || !access || !term)
		return NULL;
	unsigned nterms = t->nterms;
	for (unsigned i = 0; i < nterms; i++)
		term[i] = t->term[i];
	for (unsigned i = 0; i < t->naccesses; i++) {
		const struct gllm_poly at = t->access[i].offset;
		access[i] = t->access[i];
		if (access[i].param != param)
			continue;
		access[i].param = (uint8_t)to;
		access[i].offset = (struct gllm_poly){ .first = (uint16_t)nterms };
		for (unsigned k = 0; k < at.count; k++)
			if (!moves_with_rows(&t->term[at.first + k]))
				term[nterms + access[i].offset.count++] = t->term[at.first + k];
		nterms += access[i].offset.count;
	}
	*out = *c;
	out->source[to] = (struct gllm_source){ .kind = GLLM_FROM_WORKER };
	out->how.own = UINT32_C(1) << to;
	out->how.split = 1; /* the loop over the rows */
	out->trace.access = access;
	out->trace.term = term;
	out->trace.nterms = nterms;
	return out;
}

enum gllm_status gllm_keep_rows(const struct gllm_profile *p, const struct gllm_graph *g, struct gllm_fusion *f,
                                struct gllm_arena *arena)
{
	uint64_t little = little_bytes(p);
	for (unsigned k = 0; k < f->ngroups; k++)
		for (unsigned i = 0; i < f->group[k].nparts; i++) {
			struct gllm_part *part = &f->group[k].part[i];
			for (unsigned q = 0; q < part->code->trace.nparams; q++) {
				const struct gllm_source *s = &part->source[q];
				if (s->kind != GLLM_FROM_TENSOR || g->tensor[s->tensor].kind != GLLM_TENSOR_VALUE ||
				    part->code->trace.param[q].kind != GLLM_INOUT)
					continue;
				uint64_t bytes = gllm_tensor_bytes(g, s->tensor), row = (uint64_t)row_of(part->code, q);
				if (bytes <= little || row == 0 || times_used(f, s->tensor) != 1)
					continue;
				struct gllm_composed *c = kept(part->code, q, q, arena);
				if (!c)
					return GLLM_OUT_OF_MEMORY;
				c->trace.hash = gllm_trace_hash(&c->trace);
				part->code = c;
				part->source[q] = c->source[q];
				f->worker_bytes = row > f->worker_bytes ? row : f->worker_bytes;
				f->group[k].bytes_saved += bytes;
			}
		}
	return GLLM_OK;
}

/* Whether accesses of two loops within the rows' reach the same elements of each row in the same order. */
static bool same_places(const struct gllm_trace *t, const struct gllm_node *a, const struct gllm_node *b)
{
	const struct gllm_poly p = t->access[a->imm].offset, q = t->access[b->imm].offset;
	const struct gllm_poly m = t->loop[a->loop].trip, n = t->loop[b->loop].trip;
	if (p.count != q.count || m.count != 1 || n.count != 1 || t->access[a->imm].type != t->access[b->imm].type ||
	    t->term[m.first].sym[0] || t->term[n.first].sym[0] || t->term[m.first].coef != t->term[n.first].coef)
		return false;
	for (unsigned i = 0; i < p.count; i++) {
		const struct gllm_term *x = &t->term[p.first + i], *y = &t->term[q.first + i];
		bool inner = x->sym[0] == GLLM_SYM_LOOP + a->loop && y->sym[0] == GLLM_SYM_LOOP + b->loop;
		if (x->coef != y->coef || x->sym[1] || y->sym[1] || (x->sym[0] != y->sym[0] && !inner))
			return false;
	}
	return true;
}

/* The store by which `param` gets what it holds in the end: the last, which writes all that others wrote, and nothing reads it. */
static gllm_ref last_store(const struct gllm_trace *t, unsigned param)
{
	gllm_ref last = GLLM_NO_NODE;
	unsigned n = 0;
	for (unsigned i = 0; i < t->nnodes; i++) {
		const struct gllm_node *x = &t->node[i];
		bool load = x->op == GLLM_N_LOAD;
		if ((!load && x->op != GLLM_N_STORE) || t->access[x->imm].param != param)
			continue;
		if (x->loop < 0 || t->loop[x->loop].parent != 0)
			return GLLM_NO_NODE;
		last = load ? last : (gllm_ref)i;
		n++;
	}
	for (unsigned i = 0; i < t->nnodes && last != GLLM_NO_NODE; i++) {
		const struct gllm_node *x = &t->node[i], *y = &t->node[last];
		bool load = x->op == GLLM_N_LOAD;
		if ((!load && x->op != GLLM_N_STORE) || t->access[x->imm].param != param)
			continue;
		if ((load && i > last) || ((!load || x->loop == y->loop) && !same_places(t, x, y)))
			return GLLM_NO_NODE;
	}
	return n > 1 ? last : GLLM_NO_NODE;
}

bool gllm_passes_share_places(const struct gllm_composed *c)
{
	const struct gllm_trace *t = &c->trace;
	for (unsigned p = 0; p < t->nparams; p++) {
		const struct gllm_node *one = NULL;
		int first = GLLM_TRACE_LOOPS, last = 0;
		for (unsigned i = 0; (c->how.own >> p & 1) && i < t->nnodes; i++) {
			const struct gllm_node *x = &t->node[i];
			if ((x->op != GLLM_N_LOAD && x->op != GLLM_N_STORE) || t->access[x->imm].param != p)
				continue;
			one = one ? one : x;
			if (x->loop < 0 || t->loop[x->loop].parent != 0 || !same_places(t, one, x))
				return false;
			first = x->loop < first ? x->loop : first;
			last = x->loop > last ? x->loop : last;
		}
		if (last > first + 1)
			return false;
	}
	return true;
}

enum gllm_status gllm_row_apart(const struct gllm_profile *p, struct gllm_part *part, unsigned param, struct gllm_fusion *f,
                                struct gllm_arena *arena)
{
	const struct gllm_composed *c = part->code;
	const struct gllm_trace *t = &c->trace;
	gllm_ref last = last_store(t, param);
	uint64_t row = last == GLLM_NO_NODE ? 0 : (uint64_t)row_of(c, param);
	unsigned to = t->nparams;
	if (row == 0 || row > little_bytes(p) || part->move || t->param[param].kind != GLLM_OUT || to == GLLM_TRACE_PARAMS)
		return GLLM_OK;
	struct gllm_composed *out = kept(c, param, to, arena);
	struct gllm_node *node = gllm_alloc_array(arena, t->nnodes, sizeof *node, 8);
	struct gllm_access *access = out ? gllm_alloc_array(arena, t->naccesses + 1, sizeof *access, 8) : NULL;
	struct gllm_source *source = gllm_alloc_array(arena, to + 1, sizeof *source, 8);
	if (!node || !access || !source)
		return GLLM_OUT_OF_MEMORY;
	for (unsigned i = 0; i < t->naccesses; i++)
		access[i] = out->trace.access[i];
	access[t->naccesses] = t->access[t->node[last].imm];
	for (unsigned i = 0; i < t->nnodes; i++)
		node[i] = t->node[i];
	node[last].imm = t->naccesses;
	for (unsigned i = 0; i < to; i++) {
		out->param[i] = t->param[i];
		source[i] = part->source[i];
	}
	out->param[to] = (struct gllm_param){ "row", GLLM_INOUT, t->param[param].type };
	source[to] = out->source[to];
	out->trace.param = out->param;
	out->trace.nparams = to + 1;
	out->trace.node = node;
	out->trace.access = access;
	out->trace.naccesses = t->naccesses + 1;
	out->trace.hash = gllm_trace_hash(&out->trace);
	part->code = out;
	part->source = source;
	f->worker_bytes = row > f->worker_bytes ? row : f->worker_bytes;
	return GLLM_OK;
}
