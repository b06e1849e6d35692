/* SPDX-License-Identifier: MIT
 * jit/block_behind.c - see block_behind.h. */
#include "jit/block_behind.h"
#include "core/bits.h"
#include "jit/block_hints.h"

gllm_ref gllm_block_partial(struct blocker *x, struct gllm_strip *s, struct kernel *k, unsigned which, uint8_t *param,
                            gllm_ref value, bool paced)
{
	const struct product *p = x->p;
	bool turned = x->way == GLLM_BLOCK_TURNED;
	struct gllm_affine a = { .loop = { turned ? 4 : x->sum_pitch, turned ? x->sum_pitch : x->spread ? 4 * (int64_t)p->most : 4 }, .lane = 4 };
	struct gllm_term term[1 + GLLM_STRIP_LOOPS * GLLM_STRIP_PARTS];
	unsigned terms = 0;
	enum gllm_param_kind kind = value == GLLM_NO_NODE ? GLLM_IN : GLLM_OUT;
	enum gllm_type type = p->sum[which].type;
	if (p->result != GLLM_NO_NODE && !x->spread && (!x->apart || x->plain)) {
		const struct gllm_access *to = &p->c->trace.access[p->c->trace.node[p->result].imm];
		a = p->affine[p->c->trace.node[p->result].imm];
		a.loop[I] = a.loop[I] ? a.loop[I] : x->sum_pitch;
		if (*param == 0xff) {
			*param = s->param[to->param] = gllm_strip_param(s, "sums", kind, type, p->c->source[to->param]);
			if (paced)
				gllm_strip_pace(s, *param, a.loop[I]);
		}
	} else if (*param == 0xff) {
		*param = gllm_strip_param(s, "sums", kind, type, in_scratch(x->partial[which]));
		k->move[*param][I] = a.loop[I];
		k->move[*param][PANEL] = a.loop[J];
		if (paced && !turned)
			gllm_strip_pace(s, *param, x->sum_pitch);
	}
	if (s->to->param[*param].kind != kind)
		s->to->param[*param].kind = GLLM_INOUT;
	term[terms++] = (struct gllm_term){ .coef = a.base };
	for (unsigned l = 0; l < GLLM_STRIP_LOOPS; l++)
		for (unsigned i = 0; i < GLLM_STRIP_PARTS; i++)
			if (s->sub[l][i].coef)
				term[terms++] = along(s->sub[l][i].loop, (x->spread && s->sub[l][i].lane ? a.lane : a.loop[l]) * s->sub[l][i].coef);
	return gllm_strip_access(s, *param, type, term, terms, value);
}

/* Loads the sums that node `n` is the first to read: where they stand among what is loaded does not depend on whether a sum, or a
 * value that waits elsewhere, comes first. */
static void load_sums(struct blocker *x, struct gllm_strip *s, struct kernel *k, const struct gllm_node *n)
{
	for (unsigned i = 0; i < x->p->nsums; i++) {
		gllm_ref last = x->p->sum[i].last;
		uint8_t param = 0xff;
		if (s->map[last] == GLLM_NO_NODE && (n->a == last || n->b == last || n->c == last))
			s->map[last] = gllm_block_partial(x, s, k, i, &param, GLLM_NO_NODE, x->apart);
	}
}

struct kernel *gllm_block_join(struct blocker *x, unsigned which, int64_t columns)
{
	struct gllm_strip s;
	struct kernel *k = gllm_block_begin(x, &s);
	if (!k)
		return NULL;
	int8_t v = gllm_strip_open(&s, gllm_block_fixed(columns * x->b.nr / x->steps));
	uint8_t from = gllm_strip_param(&s, "sums", GLLM_IN, GLLM_F32, in_scratch(x->partial[which]));
	gllm_ref sum = GLLM_NO_NODE;
	for (unsigned i = 0; i < x->steps; i++) {
		const struct gllm_term offset[] = { { .coef = 4 * (int64_t)i }, along(v, 4 * (int64_t)x->steps) };
		gllm_ref one = gllm_strip_access(&s, from, GLLM_F32, offset, GLLM_COUNT(offset), GLLM_NO_NODE);
		sum = i ? node(&s, GLLM_N_ADD, GLLM_F32, sum, one, GLLM_NO_NODE) : one;
	}
	uint8_t to = gllm_strip_param(&s, "joined", GLLM_OUT, GLLM_F32, in_scratch(x->panel[which]));
	const struct gllm_term offset[] = { along(v, 4) };
	gllm_strip_access(&s, to, GLLM_F32, offset, 1, sum);
	gllm_strip_close(&s);
	return gllm_block_finish(x, &s, k, GLLM_PATTERN_INJECTIVE);
}

struct kernel *gllm_block_behind(struct blocker *x, const struct macro *m)
{
	const struct gllm_trace *t = &x->p->c->trace;
	uint8_t *needed = gllm_block_take(x, t->nnodes, 1);
	struct gllm_strip s;
	struct kernel *k = gllm_block_begin(x, &s);
	if (!k)
		return NULL;
	for (unsigned i = 0; i < t->nnodes; i++)
		needed[i] = t->node[i].op == GLLM_N_STORE;
	for (unsigned i = 0; i < x->p->nsums; i++)
		s.map[x->p->sum[i].last] = 0;
	gllm_strip_need(t, needed, s.map);
	for (unsigned i = 0; i < x->p->nsums; i++) {
		s.map[x->p->sum[i].last] = GLLM_NO_NODE;
		needed[x->p->sum[i].last] = 0;
	}
	gllm_strip_write(&s, needed, -1, 0, t->loop[I].first);
	bool turned = x->way == GLLM_BLOCK_TURNED; /* then the sums are, whose rows are next to the lanes */
	int8_t p = turned ? gllm_block_open_panels(x, &s, k, m->panels) : -1;
	int8_t r = (x->apart || x->later) && !turned ? gllm_strip_open_counted(&s, m->rows, &k->rows) : gllm_block_open_rows(&s, k, m->rows);
	s.sub[I][0].coef = 1;
	s.sub[I][0].loop = r;
	gllm_strip_write(&s, needed, I, t->loop[I].first, t->loop[J].first);
	p = turned ? p : gllm_block_open_panels(x, &s, k, m->panels);
	int8_t v = gllm_strip_open(&s, gllm_block_fixed(m->lanes));
	s.sub[J][0].coef = x->wide;
	s.sub[J][0].loop = p;
	s.sub[J][1].coef = 1;
	s.sub[J][1].loop = v;
	gllm_strip_write(&s, needed, J, t->loop[J].first, t->loop[K].first);
	for (unsigned i = t->loop[K].end; i < t->loop[J].end; i++)
		if (needed[i]) {
			load_sums(x, &s, k, &t->node[i]);
			gllm_strip_node(&s, (gllm_ref)i);
		}
	while (s.open >= 0 && s.status == GLLM_OK)
		gllm_strip_close(&s);
	k = gllm_block_finish(x, &s, k, GLLM_PATTERN_INJECTIVE);
	if (turned) {
		s.to->how.split = (int8_t)(p + 1);
		s.to->how.most = (uint32_t)gllm_ceil_div(x->p->n, x->wide);
	}
	return k;
}
