/* SPDX-License-Identifier: MIT
 * jit/rows.c - see rows.h. */
#include "jit/rows.h"
#include "jit/trace.h"

enum { UNKNOWN_L2 = 256 << 10 };

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
	if (t->param[param].kind != GLLM_INOUT || c->how.own || c->how.split || gllm_no_row_loop(t) ||
	    !gllm_row_stride(c, param, &row))
		return 0;
	for (unsigned i = 0; i < t->naccesses; i++)
		if (t->access[i].param == param && !stays_in_row(t, &t->access[i], row))
			return 0;
	return row > 0 ? row : 0;
}

/* The same trace with that parameter in the worker's memory. NULL: the arena is too small. */
static const struct gllm_composed *kept(const struct gllm_composed *c, unsigned param, struct gllm_arena *arena)
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
		access[i].offset = (struct gllm_poly){ .first = (uint16_t)nterms };
		for (unsigned k = 0; k < at.count; k++)
			if (!moves_with_rows(&t->term[at.first + k]))
				term[nterms + access[i].offset.count++] = t->term[at.first + k];
		nterms += access[i].offset.count;
	}
	*out = *c;
	out->source[param] = (struct gllm_source){ .kind = GLLM_FROM_WORKER };
	out->how.own = UINT32_C(1) << param;
	out->how.split = 1; /* the loop over the rows */
	out->trace.access = access;
	out->trace.term = term;
	out->trace.nterms = nterms;
	out->trace.hash = gllm_trace_hash(&out->trace);
	return out;
}

enum gllm_status gllm_keep_rows(const struct gllm_profile *p, const struct gllm_graph *g, struct gllm_fusion *f,
                                struct gllm_arena *arena)
{
	uint64_t little = (p->cache[1].bytes ? p->cache[1].bytes : UNKNOWN_L2) / 2;
	for (unsigned k = 0; k < f->ngroups; k++)
		for (unsigned i = 0; i < f->group[k].nparts; i++) {
			struct gllm_part *part = &f->group[k].part[i];
			for (unsigned q = 0; q < part->code->trace.nparams; q++) {
				const struct gllm_source *s = &part->source[q];
				if (s->kind != GLLM_FROM_TENSOR || g->tensor[s->tensor].kind != GLLM_TENSOR_VALUE)
					continue;
				uint64_t bytes = gllm_tensor_bytes(g, s->tensor), row = (uint64_t)row_of(part->code, q);
				if (bytes <= little || row == 0 || times_used(f, s->tensor) != 1)
					continue;
				part->code = kept(part->code, q, arena);
				if (!part->code)
					return GLLM_OUT_OF_MEMORY;
				part->source[q] = part->code->source[q];
				f->worker_bytes = row > f->worker_bytes ? row : f->worker_bytes;
				f->group[k].bytes_saved += bytes;
			}
		}
	return GLLM_OK;
}
