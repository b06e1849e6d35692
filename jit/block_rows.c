/* SPDX-License-Identifier: MIT
 * jit/block_rows.c - see block_rows.h. */
#include "jit/block_rows.h"
#include "core/bits.h"
#include "jit/trace.h"

static bool same_linear(struct gllm_linear a, struct gllm_linear b)
{
	return a.fixed == b.fixed && a.per_row == b.per_row && a.block == b.block && a.rest == b.rest;
}

/* The value of a source is the same, or both are where the rows go. */
static bool same_source(const struct gllm_source *a, const struct gllm_source *b)
{
	if (a->kind != b->kind)
		return false;
	switch ((enum gllm_operand_source)a->kind) {
	case GLLM_FROM_TENSOR:  return a->tensor == b->tensor && same_linear(a->at, b->at);
	case GLLM_FROM_SCALAR:  return gllm_f32_bits(a->scalar) == gllm_f32_bits(b->scalar);
	case GLLM_FROM_ROWS:    return same_linear(a->at, b->at);
	case GLLM_FROM_SCRATCH: return true;
	case GLLM_FROM_WORKER:  break;
	}
	return false;
}

static bool same_work(const struct gllm_composed *a, const struct gllm_composed *b)
{
	if (a->trace.hash != b->trace.hash || a->trace.nnodes != b->trace.nnodes || a->trace.nterms != b->trace.nterms ||
	    a->trace.nparams != b->trace.nparams)
		return false;
	for (unsigned i = 0; i < a->trace.nparams; i++)
		if (!same_source(&a->source[i], &b->source[i]))
			return false;
	return true;
}

unsigned gllm_packed_find(const struct gllm_packed_rows *p, const struct gllm_composed *code)
{
	unsigned i = 0;
	while (i < p->n && !same_work(p->at[i].code, code))
		i++;
	return i;
}

void gllm_packed_tell(const struct gllm_packed_rows *p, unsigned at, uint16_t node, uint64_t bytes, struct gllm_fusion *f)
{
	const struct gllm_composed *c = p->at[at].code;
	for (unsigned i = 0; i < c->trace.nparams && f->nnotes < f->max_notes; i++)
		if (c->source[i].kind == GLLM_FROM_TENSOR) {
			f->note[f->nnotes++] = (struct gllm_note){ p->at[at].node, node, c->source[i].tensor, true,
				"the products share one pack of its rows", bytes };
			return;
		}
}

/* --- a norm that packs what it makes ---------------------------------------------------------------------------------- */

/* The parameter of a part that comes from there; nparams if none does or several do. */
static unsigned param_from(const struct gllm_part *p, enum gllm_operand_source kind, uint16_t tensor)
{
	unsigned n = p->code->trace.nparams, found = n;
	for (unsigned i = 0; i < n; i++)
		if (p->source[i].kind == kind && (kind == GLLM_FROM_SCRATCH || p->source[i].tensor == tensor)) {
			if (found != n)
				return n;
			found = i;
		}
	return found;
}

static bool reads_tensor(const struct gllm_part *p, uint16_t tensor)
{
	for (unsigned i = 0; i < p->code->trace.nparams; i++)
		if (p->source[i].kind == GLLM_FROM_TENSOR && p->source[i].tensor == tensor)
			return true;
	return false;
}

/* One element after another of one row after another, from the beginning, is stored as it was loaded. */
static bool copies(const struct gllm_part *p, unsigned from, unsigned to, int64_t *row, int64_t *pitch)
{
	const struct gllm_trace *t = &p->code->trace;
	if (t->nnodes != 2 || t->nloops != 2 || t->naccesses != 2 || p->move || p->source[from].at.fixed || p->source[to].at.fixed ||
	    p->source[from].at.per_row || p->source[to].at.per_row)
		return false;
	for (unsigned i = 0; i < 2; i++) {
		const struct gllm_access *a = &t->access[i];
		const struct gllm_term *x = &t->term[a->offset.first];
		if (a->type != GLLM_F32 || a->offset.count != 2 || x[0].sym[0] != GLLM_SYM_LOOP || x[0].sym[1] ||
		    x[1].sym[0] != GLLM_SYM_LOOP + 1 || x[1].sym[1] || x[1].coef != 4)
			return false;
		*(a->param == to ? pitch : row) = x[0].coef;
	}
	return true;
}

/* `c` with rows of parameter `param` that lie `pitch` bytes apart; *out is NULL if its rows do not lie evenly. */
static enum gllm_status with_pitch(const struct gllm_composed *c, unsigned param, int64_t row, int64_t pitch,
                                   struct gllm_arena *arena, struct gllm_composed **out)
{
	const struct gllm_trace *t = &c->trace;
	int64_t stride;
	unsigned more = 0;
	*out = NULL;
	if (!gllm_row_stride(c, param, &stride) || stride != row)
		return GLLM_OK;
	for (unsigned i = 0; i < t->naccesses; i++)
		more += t->access[i].param == param ? t->access[i].offset.count : 0;
	if (t->nterms + more > UINT16_MAX)
		return GLLM_OK;
	struct gllm_composed *to = gllm_alloc(arena, sizeof *to, 8);
	struct gllm_term *term = gllm_alloc_array(arena, t->nterms + more, sizeof *term, 8);
	struct gllm_access *access = gllm_alloc_array(arena, t->naccesses, sizeof *access, 8);
	if (!to || !term || !access)
		return GLLM_OUT_OF_MEMORY;
	unsigned n = t->nterms;
	for (unsigned i = 0; i < n; i++)
		term[i] = t->term[i];
	for (unsigned i = 0; i < t->naccesses; i++) { /* accesses may share terms: those of the parameter get their own */
		access[i] = t->access[i];
		if (access[i].param != param)
			continue;
		access[i].offset.first = (uint16_t)n;
		for (unsigned k = 0; k < t->access[i].offset.count; k++, n++) {
			term[n] = t->term[t->access[i].offset.first + k];
			term[n].coef = term[n].sym[0] == GLLM_SYM_LOOP ? pitch : term[n].coef;
		}
	}
	*to = *c;
	to->trace.term = term;
	to->trace.nterms = (uint16_t)n;
	to->trace.access = access;
	to->trace.param = to->param;
	to->trace.hash = gllm_trace_hash(&to->trace);
	*out = to;
	return GLLM_OK;
}

static void remove_part(struct gllm_group *g, unsigned k)
{
	g->nparts--;
	for (unsigned i = k; i < g->nparts; i++)
		g->part[i] = g->part[i + 1];
	for (unsigned i = 0; i < g->nrepeats; i++) {
		g->repeat[i].first -= g->repeat[i].first > k;
		g->repeat[i].end -= g->repeat[i].end > k;
	}
}

/* Told of the edge that the norm was rooted for. */
static void tell_norm(struct gllm_fusion *f, uint16_t tensor, uint64_t bytes)
{
	for (unsigned i = f->nnotes; i-- > 0;)
		if (f->note[i].tensor == tensor && f->note[i].accepted && f->nnotes < f->max_notes) {
			struct gllm_note n = f->note[i];
			n.why = "the norm stores the rows that the products would pack of its value";
			n.bytes = bytes;
			f->note[f->nnotes++] = n;
			return;
		}
}

enum gllm_status gllm_packed_norm(struct gllm_group *g, struct gllm_arena *arena, struct gllm_fusion *f)
{
	unsigned pack = 0, readers = 0;
	int64_t row = 0, pitch = 0;
	struct gllm_composed *code;
	for (unsigned i = 1; i < g->nparts && g->rooted != GLLM_NO_TENSOR; i++)
		if (reads_tensor(&g->part[i], g->rooted)) {
			pack = i;
			readers++;
		}
	if (readers != 1)
		return GLLM_OK;
	struct gllm_part *norm = &g->part[0], *p = &g->part[pack];
	unsigned from = param_from(p, GLLM_FROM_TENSOR, g->rooted), to = param_from(p, GLLM_FROM_SCRATCH, 0);
	unsigned made = param_from(norm, GLLM_FROM_TENSOR, g->rooted);
	if (from == p->code->trace.nparams || to == p->code->trace.nparams || made == norm->code->trace.nparams ||
	    !copies(p, from, to, &row, &pitch))
		return GLLM_OK;
	enum gllm_status s = with_pitch(norm->code, made, row, pitch, arena, &code);
	struct gllm_source *source = gllm_alloc_array(arena, norm->code->trace.nparams, sizeof *source, 8);
	if (s != GLLM_OK || !source)
		return GLLM_OUT_OF_MEMORY;
	if (!code)
		return GLLM_OK;
	for (unsigned i = 0; i < norm->code->trace.nparams; i++)
		source[i] = norm->source[i];
	source[made] = p->source[to];
	code->source[made] = p->source[to];
	norm->code = code;
	norm->source = source;
	norm->mode = GLLM_MODE_NORM_INTO_GEMM;
	uint64_t bytes = 2 * (f->scratch[p->source[to].tensor].bytes / (uint64_t)pitch * (uint64_t)row);
	g->bytes_saved += bytes;
	tell_norm(f, g->rooted, bytes);
	remove_part(g, pack);
	return GLLM_OK;
}
