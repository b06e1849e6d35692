/* SPDX-License-Identifier: MIT
 * jit/block_stage.c - see block_stage.h. */
#include "jit/block_stage.h"
#include "jit/trace.h"

/* Wide panels read weights in longer runs (16 x 4096 x 2048: 48 columns 1.012 of what products apart take, 240: 1.000), many
 * panels are shared evenly. What panels leave over is a kernel of its own: a width that leaves nothing is better. */
enum { LEAST_WIDTH = 48, MOST_WIDTH = 256, PANELS = 16, LEAST_BEHIND = 8, ROUND = 64 };

static bool computes(const struct gllm_node *n)
{
	return n->op != GLLM_N_CONST && n->op != GLLM_N_SCALAR && n->op != GLLM_N_LOAD && n->op != GLLM_N_STORE && n->op != GLLM_N_LAST;
}

bool gllm_stage_maps(const struct product *p)
{
	const struct gllm_trace *t = &p->c->trace;
	unsigned behind = 0;
	for (unsigned i = t->loop[K].end; i < t->nnodes; i++)
		behind += t->node[i].loop == J && computes(&t->node[i]);
	return p->nsums == 1 && behind >= LEAST_BEHIND;
}

bool gllm_stage_pays(const struct product *p)
{
	return p->nsums == 2 || gllm_stage_maps(p);
}

int64_t gllm_stage_width(int64_t tile, int64_t lanes, int64_t n)
{
	int64_t both = tile, want = n / PANELS;
	while (both % lanes)
		both += tile;
	want = want < LEAST_WIDTH ? LEAST_WIDTH : want > MOST_WIDTH ? MOST_WIDTH : want;
	want = want < both ? both : want / both * both;
	for (int64_t fits = want; 2 * fits > want && fits >= LEAST_WIDTH; fits -= both)
		if (n % fits == 0)
			return fits;
	return want;
}

static struct gllm_term along(int8_t loop, int64_t coef)
{
	return (struct gllm_term){ .coef = loop < 0 ? 0 : coef, .sym = { (uint8_t)(GLLM_SYM_LOOP + loop) } };
}

static void substitute(struct gllm_strip *s, unsigned old, unsigned part, int64_t coef, int8_t loop)
{
	s->sub[old][part].coef = loop < 0 ? 0 : coef;
	s->sub[old][part].loop = loop;
}

/* Load (value NO_NODE) or store of sum `which`. */
static gllm_ref waiting(struct gllm_strip *s, const struct gllm_stage *g, unsigned which, int8_t q, int8_t r, int8_t v, gllm_ref value)
{
	const struct gllm_term offset[] = { { .coef = (int64_t)(which * g->most) * g->width * 4 }, along(r, g->width * 4),
		                            along(q, g->tile * 4), along(v, 4) };
	return gllm_strip_access(s, g->memory, GLLM_F32, offset, 4, value);
}

/* All that one sum and the memory behind it need; nothing else of it is written again. */
static void sum(struct gllm_strip *s, const struct product *p, const struct gllm_stage *g, unsigned which, uint8_t *needed)
{
	const struct gllm_trace *t = &p->c->trace;
	bool tiles = g->tile < g->width && g->width % g->tile == 0;
	for (unsigned i = 0; i < t->nnodes; i++)
		needed[i] = i == p->sum[which].last;
	gllm_strip_need(t, needed, s->map);
	int8_t q = tiles ? gllm_strip_open(s, (struct gllm_linear){ .fixed = g->width / g->tile }) : -1;
	substitute(s, J, 1, g->tile, q);
	int8_t r = gllm_strip_open(s, g->rows);
	substitute(s, I, 0, 1, r);
	gllm_strip_write(s, needed, I, 0, t->nnodes);
	int8_t v = gllm_strip_open(s, (struct gllm_linear){ .fixed = tiles ? g->tile : g->width });
	substitute(s, J, 2, 1, v);
	gllm_strip_write(s, needed, J, 0, t->loop[K].first);
	int8_t k = gllm_strip_open(s, (struct gllm_linear){ .fixed = p->k });
	substitute(s, K, 0, 1, k);
	gllm_strip_write(s, needed, K, 0, t->nnodes);
	gllm_strip_close(s);
	substitute(s, K, 0, 0, -1);
	waiting(s, g, which, q, r, v, gllm_strip_node(s, p->sum[which].last));
	for (unsigned n = tiles ? 3 : 2; n-- > 0;)
		gllm_strip_close(s);
	substitute(s, J, 1, 0, -1);
}

/* What other nests need too is written there again; of sums, which are needed once, the places are kept. */
static void forget(struct gllm_strip *s, const struct product *p)
{
	const struct gllm_trace *t = &p->c->trace;
	for (unsigned i = 0; i < t->nnodes; i++) {
		bool kept = t->node[i].loop < 0;
		for (unsigned k = 0; k < p->nsums; k++)
			kept = kept || i == p->sum[k].last || i == p->sum[k].carry || i == t->node[p->sum[k].carry].b;
		for (unsigned k = 0; k < t->nreductions; k++)
			kept = kept || i == t->reduction[k].value;
		if (!kept)
			s->map[i] = GLLM_NO_NODE;
	}
}

static void behind(struct gllm_strip *s, const struct product *p, const struct gllm_stage *g, uint8_t *needed)
{
	const struct gllm_trace *t = &p->c->trace;
	for (unsigned i = 0; i < t->nnodes; i++)
		needed[i] = t->node[i].op == GLLM_N_STORE;
	gllm_strip_need(t, needed, s->map);
	int8_t r = gllm_strip_open(s, g->rows);
	substitute(s, I, 0, 1, r);
	gllm_strip_write(s, needed, I, 0, t->nnodes);
	int8_t v = gllm_strip_open(s, (struct gllm_linear){ .fixed = g->width });
	substitute(s, J, 2, 1, v);
	gllm_strip_write(s, needed, J, 0, t->loop[K].first);
	for (unsigned i = 0; i < p->nsums; i++)
		s->map[p->sum[i].last] = waiting(s, g, i, -1, r, v, GLLM_NO_NODE);
	gllm_strip_write(s, needed, J, t->loop[K].end, t->nnodes);
	gllm_strip_close(s);
	gllm_strip_close(s);
}

uint64_t gllm_stage_write(struct gllm_strip *s, const struct product *p, struct gllm_stage *g, uint8_t *needed)
{
	const struct gllm_trace *t = &p->c->trace;
	g->memory = gllm_strip_param(s, "sums", GLLM_INOUT, GLLM_F32, (struct gllm_source){ .kind = GLLM_FROM_WORKER });
	for (unsigned i = 0; i < t->nnodes; i++)
		needed[i] = t->node[i].op == GLLM_N_STORE;
	gllm_strip_need(t, needed, s->map);
	gllm_strip_write(s, needed, -1, 0, t->nnodes);
	int8_t tile = g->tiles ? gllm_strip_open(s, (struct gllm_linear){ .fixed = g->tiles }) : -1;
	substitute(s, I, 1, (int64_t)g->most, tile);
	int8_t panel = g->tiles ? gllm_strip_open(s, g->panels) : gllm_strip_open_counted(s, g->panels, &g->count);
	substitute(s, J, 0, g->width, panel);
	for (unsigned i = 0; i < p->nsums; i++) {
		sum(s, p, g, i, needed);
		forget(s, p);
	}
	behind(s, p, g, needed);
	while (s->open >= 0 && s->status == GLLM_OK)
		gllm_strip_close(s);
	return (p->nsums * g->most * (uint64_t)g->width * 4 + ROUND - 1) / ROUND * ROUND;
}
