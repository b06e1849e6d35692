/* SPDX-License-Identifier: MIT
 * jit/pieces.c - see pieces.h. */
#include "jit/pieces.h"
#include "jit/context.h"

static bool same_options(const struct gllm_lower_options *a, const struct gllm_lower_options *b)
{
	return a->unroll == b->unroll && a->rows == b->rows && a->columns == b->columns && a->depth == b->depth && a->deep == b->deep &&
	       a->split == b->split && a->most == b->most && a->whole == b->whole && a->bound == b->bound &&
	       a->unit == b->unit && a->pitches == b->pitches && a->tile == b->tile && a->own == b->own && a->past == b->past &&
	       a->fetch == b->fetch && a->fetch_loop == b->fetch_loop && a->fetch_in == b->fetch_in &&
	       a->fetch_far == b->fetch_far && a->fetch_again == b->fetch_again && a->fetch_stores == b->fetch_stores && a->hints == b->hints &&
	       a->overlap == b->overlap;
}

/* Code is not told whose memory it reaches. */
static uint8_t kind_of(const struct gllm_source *s)
{
	return s->kind == GLLM_FROM_SCRATCH || s->kind == GLLM_FROM_WORKER ? GLLM_FROM_TENSOR : s->kind;
}

/* Equal traces, to be lowered alike, whose parameters come from like sources, become the same bytes. */
static bool same_code(const struct gllm_piece *p, const struct gllm_composed *t)
{
	if (p->hash != t->trace.hash || p->nnodes != t->trace.nnodes || p->nterms != t->trace.nterms ||
	    p->nparams != t->trace.nparams || !same_options(&p->how, &t->how))
		return false;
	for (unsigned i = 0; i < p->nparams; i++)
		if (p->source[i] != kind_of(&t->source[i]))
			return false;
	return true;
}

struct gllm_piece *gllm_piece_find(const struct gllm_context *c, const struct gllm_composed *t, uint64_t machine, size_t from)
{
	for (struct gllm_piece *p = c->pieces; p && p->kernel.offset >= from; p = p->below)
		if (p->shared && p->machine == machine && same_code(p, t))
			return p;
	return NULL;
}

struct gllm_piece *gllm_piece_add(struct gllm_context *c, const struct gllm_composed *t, uint64_t machine,
                                  const struct gllm_kernel *k)
{
	struct gllm_piece *p = gllm_heap_alloc(&c->heap, sizeof *p + k->pool_bytes);
	if (!p)
		return NULL;
	unsigned char *pool = (unsigned char *)(p + 1);
	*p = (struct gllm_piece){ .below = c->pieces, .kernel = *k, .shared = t != NULL, .machine = machine };
	if (k->pool_bytes)
		__builtin_memcpy(pool, k->pool, k->pool_bytes);
	p->kernel.pool = pool;
	if (t) {
		p->hash = t->trace.hash;
		p->nnodes = t->trace.nnodes;
		p->nterms = t->trace.nterms;
		p->nparams = t->trace.nparams;
		p->how = t->how;
		for (unsigned i = 0; i < p->nparams; i++)
			p->source[i] = kind_of(&t->source[i]);
	}
	c->pieces = p;
	return p;
}

static void drop(struct gllm_context *c)
{
	while (c->pieces && c->pieces->users == 0) {
		struct gllm_piece *top = c->pieces;
		c->pieces = top->below;
		gllm_heap_free(&c->heap, top);
	}
}

static void use(struct gllm_context *c, size_t bytes)
{
	c->code_used = bytes;
	while (c->nkernels > 0 && c->kernel[c->nkernels - 1].offset >= bytes)
		c->nkernels--;
}

void gllm_pieces_drop(struct gllm_context *c)
{
	drop(c);
	if (!c->host.code.once)
		use(c, c->pieces ? c->pieces->kernel.offset + c->pieces->kernel.bytes : 0);
}

void gllm_pieces_undo(struct gllm_context *c, size_t used)
{
	gllm_pieces_drop(c);
	if (c->code_used > used)
		use(c, used);
}
