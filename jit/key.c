/* SPDX-License-Identifier: MIT
 * jit/key.c - what a compiled plan is a function of, as numbers. Everything that planning or the back end looks at must be
 * in here; what is not (an address, a clock, reading back, listing) must not matter to them. */
#include "core/bits.h"
#include "core/hash.h"
#include "gllm/blob.h"
#include "jit/context.h"
#include "jit/graph.h"
#include "jit/plan.h"

unsigned gllm_workers(const struct gllm_context *c)
{
	return c->host.parallel_for && c->host.workers > 1 ? c->host.workers : 1;
}

/* A member that is added to the profile belongs below. */
_Static_assert(sizeof(struct gllm_profile) == 192, "struct gllm_profile has changed: gllm_machine_key must know");

uint64_t gllm_machine_key(const struct gllm_context *c)
{
	const struct gllm_profile *p = &c->profile;
	uint64_t h = GLLM_HASH_SEED;
	const uint64_t word[] = { p->isa, p->have, p->vector_bytes, p->vector_regs, p->cores, p->threads,
		gllm_f64_bits(p->peak_gflops), gllm_f64_bits(p->bandwidth_gbs), p->slow_fma, p->slow_bf16, p->strict_align,
		p->in_order, gllm_workers(c) };
	for (unsigned i = 0; i < GLLM_COUNT(word); i++)
		h = gllm_hash_word(h, word[i]);
	for (unsigned i = 0; i < GLLM_CACHE_LEVELS; i++) {
		const struct gllm_cache *l = &p->cache[i];
		h = gllm_hash_word(h, (uint64_t)l->bytes << 32 | l->line);
		h = gllm_hash_word(h, (uint64_t)l->ways << 32 | l->shared);
	}
	return h;
}

static uint64_t hash_node(const struct gllm_op_entry *o, const struct gllm_graph_node_entry *n, uint64_t h)
{
	h = gllm_hash_text(h, o->name);
	h = gllm_hash_word(h, o->trace->hash);
	h = gllm_hash_word(h, n->batch);
	for (unsigned i = 0; i < o->nparams; i++) {
		uint64_t x = n->actual[i].tensor;
		if (o->param[i].kind == GLLM_DIM)
			x = n->actual[i].dim;
		else if (o->param[i].kind == GLLM_SCALAR)
			x = gllm_f32_bits(n->actual[i].scalar);
		h = gllm_hash_word(h, x);
	}
	return h;
}

_Static_assert(sizeof(struct gllm_tuning) == 24 && sizeof(struct gllm_plan_options) == 40, "options have changed");

static uint64_t hash_options(uint64_t h, const struct gllm_plan_options *o)
{
	const struct gllm_tuning none = { 0 }, *t = o && o->tuning ? o->tuning : &none;
	const uint64_t word[] = { o && o->no_fusion, t->mc, t->kc, t->nc, t->mr, t->nr, t->unroll, t->fetch, t->stages, t->past, o ? o->pack_bytes : 0 };
	for (unsigned i = 0; i < GLLM_COUNT(word); i++)
		h = gllm_hash_word(h, word[i]);
	return h;
}

enum gllm_status gllm_graph_key(struct gllm_context *c, const struct gllm_graph *g, const struct gllm_plan_options *o,
                                uint64_t *key, struct gllm_error *e)
{
	uint64_t h = gllm_hash_text(GLLM_HASH_SEED, g->name);
	h = gllm_hash_word(h, g->max_rows);
	h = gllm_hash_word(h, (uint64_t)g->ntensors << 32 | g->nnodes);
	h = hash_options(h, o);
	for (unsigned i = 0; i < g->ntensors; i++) {
		const struct gllm_graph_tensor_entry *t = &g->tensor[i];
		h = gllm_hash_text(h, t->name);
		h = gllm_hash_word(h, (uint64_t)t->kind << 8 | t->type);
		h = gllm_hash_word(gllm_hash_word(h, t->rows), t->cols);
		h = gllm_hash_word(gllm_hash_word(h, t->packing.lanes), t->packing.lanes ? t->packing.n : 0);
	}
	for (unsigned i = 0; i < g->nnodes; i++) {
		const struct gllm_trace *t;
		enum gllm_status s = gllm_op_trace(c, g->node[i].op, &t, e);
		if (s != GLLM_OK)
			return s;
		h = hash_node(&c->op[g->node[i].op], &g->node[i], h);
	}
	*key = h;
	return GLLM_OK;
}

enum gllm_status gllm_plan_key(struct gllm_context *c, const struct gllm_graph *g, const struct gllm_plan_options *o,
                               struct gllm_plan_key *out, struct gllm_error *e)
{
	uint64_t graph;
	enum gllm_status s = gllm_graph_status(g, e);
	if (s == GLLM_OK && o && o->scalar)
		s = gllm_fail(e, GLLM_UNSUPPORTED, "a scalar plan holds no code", g->name, 0, 0, 0);
	if (s == GLLM_OK)
		s = gllm_graph_key(c, g, o, &graph, e);
	if (s == GLLM_OK)
		*out = (struct gllm_plan_key){ graph, gllm_machine_key(c), gllm_emitter_key() };
	return s;
}
