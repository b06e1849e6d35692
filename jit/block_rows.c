/* SPDX-License-Identifier: MIT
 * jit/block_rows.c - see block_rows.h. */
#include "jit/block_rows.h"
#include "core/bits.h"

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
