/* SPDX-License-Identifier: MIT
 * jit/loops.c - walks the raw values once, in order, and gives each its canonical value. */
#include "core/bits.h"
#include "jit/loops_parts.h"

void gllm_lift_refuse(struct lifting *l, const char *what, uint16_t raw)
{
	if (l->status)
		return;
	uint64_t addr = l->f->place[l->s->raw[raw].at].addr;
	l->status = gllm_fail(l->error, GLLM_NOT_LIFTED, what, NULL, addr - l->f->entry, 0, 0);
}

static void settle_duties(struct lifting *l)
{
	for (unsigned i = 0; i < l->c.nduties && !l->status; i++) {
		const struct duty *d = &l->c.duty[i];
		struct poly_range r = gllm_poly_range(&l->c.p, d->poly);
		if (r.low < d->low || r.high > d->high)
			l->status = gllm_fail(l->error, GLLM_NOT_LIFTED, "32-bit arithmetic that may wrap", NULL, 0, 0, 0);
	}
}

/* What comes around a loop to a PHI, if not in the plain way in which it is asked for only if something else is made of it:
 * the PHI plus what there was before the loop. Then that. */
static uint16_t comes_around(const struct sym *s, uint16_t phi, uint16_t header)
{
	const struct raw *const x = &s->raw[phi];
	const uint16_t back = s->input[(size_t)x->imm + 1];
	const struct raw *const y = &s->raw[back];
	const bool steps = (y->op == GLLM_S_ADD || y->op == GLLM_S_SUB) && y->w == 64 && y->a == phi && y->b < s->first[header];
	return x->scale ? 0 : steps ? y->b : back;
}

static void mark_roots(const struct lifting *l, uint8_t *live)
{
	const struct sym *const s = l->s;
	for (unsigned i = 0; i < s->nstores; i++)
		live[s->store[i]] = 1;
	for (unsigned b = 0; b < l->f->nblocks; b++)
		live[s->cond[b]] = 1;
	for (unsigned k = 0; k < l->f->nloops; k++) {
		const uint16_t header = l->f->loop[k].header;
		for (uint16_t v = s->first[header]; sym_header_phi(s, v, header); v++)
			live[comes_around(s, v, header)] = 1;
	}
}

/* Marks what stores and branches need, gives constants of it their values, and lists the rest but comparisons, which are
 * looked at where they are asked for. Operands have lower numbers than what is made of them, but for what comes around a
 * loop to a PHI: that counts as needed. What is needed cannot be predicted, so the others mark too: number 0. */
static const uint16_t *list_live(struct lifting *l)
{
	enum { UNLISTED = 1, CONSTANT = 2, JOINS = 4 };
	static const uint8_t kind[] = {
		[RAW_CONST] = UNLISTED | CONSTANT, [RAW_PHI] = JOINS, [GLLM_S_CMP] = UNLISTED, [GLLM_S_TEST] = UNLISTED,
		[GLLM_S_CMN] = UNLISTED, [GLLM_S_FLAGSOF] = UNLISTED, [GLLM_S_FCMP] = UNLISTED, [GLLM_S_CCMP] = UNLISTED,
		[GLLM_S_FCCMP] = UNLISTED, [RAW_PRIM] = 0,
	};
	const struct sym *const s = l->s;
	const struct raw *const raw = s->raw;
	uint8_t *const live = l->live;
	uint16_t *first = l->ordered + s->n, *constant = l->ordered;
	__builtin_memset(live, 0, (s->n + 63) & ~63u);
	mark_roots(l, live);
	*first = RAW_VALUES;
	l->value[0] = POISON; /* the undefined one */
	l->condition[0] = COND_POISON;
	const struct raw *x = &raw[s->n];
	for (unsigned i = s->n; i-- > 1; ) {
		x--;
		const unsigned is_live = live[i], mask = 0u - is_live, of = kind[x->op];
		first[-1] = *constant = (uint16_t)i;
		first -= is_live & ~of;
		constant += is_live & of >> 1;
		live[x->a & mask] = 1;
		live[x->b & mask] = 1;
		live[x->c & mask] = 1;
		l->value[i] = VAL_NONE;
		l->condition[i] = COND_POISON;
		if (of >> 2 & x->fcc) /* a PHI of more than two, which is rare: one branch */
			for (unsigned p = 2; p < l->f->block[x->block].npreds; p++)
				live[s->input[(size_t)x->imm + p] & mask] = 1;
	}
	while (constant > l->ordered) {
		const uint16_t i = *--constant;
		l->value[i] = gllm_canon_const(&l->c, GLLM_I64, (uint64_t)raw[i].imm);
	}
	return first;
}

static bool edge_open(const struct lifting *l, uint16_t from, uint16_t to)
{
	const struct flow_block *b = &l->f->block[from];
	cond_t c = l->branch[from];
	if (GLLM_RARELY(!l->alive[from]))
		return false;
	if (b->nsucc != 2 || (c != COND_TRUE && c != COND_FALSE))
		return true;
	return b->succ[c == COND_TRUE ? 1 : 0] == to;
}

static void enter_block(struct lifting *l, uint16_t b)
{
	const struct flow_block *x = &l->f->block[b];
	unsigned preds = x->header ? 1 : x->npreds;
	l->alive[b] = b == 0;
	for (unsigned p = 0; p < preds; p++)
		l->alive[b] = l->alive[b] || edge_open(l, l->f->pred[x->pred + p], b);
	l->branch[b] = COND_POISON;
	if (x->header) {
		l->loop[x->loop] = (struct loop_facts){ .alive = l->alive[b] };
		l->c.p.greatest[x->loop] = INT64_MAX;
		gllm_loops_forget(l);
	} else if (x->npreds != 1 || l->f->pred[x->pred] + 1 != b) { /* another arm's stores lie in between */
		for (unsigned set = l->writable; set; set &= set - 1)
			l->forward[__builtin_ctz(set)].access = VAL_NONE;
	}
}

/* Evaluates the live values of a block; returns the first behind it. */
static const uint16_t *walk_block(struct lifting *l, uint16_t b, const uint16_t *raw)
{
	const int loop = block_loop(l, b);
	const uint16_t end = l->s->first[b + 1];
	if (GLLM_RARELY(!l->alive[b])) {
		while (*raw < end)
			raw++;
		return raw;
	}
	for (uint16_t v; (v = *raw) < end && !l->status; raw++)
		if (GLLM_MOSTLY(l->value[v] == VAL_NONE))
			l->value[v] = gllm_loops_evaluate(l, v, loop);
	if (l->s->cond[b])
		l->branch[b] = l->condition[l->s->cond[b]];
	return raw;
}

static void walk_blocks(struct lifting *l)
{
	const uint16_t *raw = list_live(l);
	for (uint16_t b = 0; b < l->f->nblocks && !l->status; b++) {
		enter_block(l, b);
		raw = walk_block(l, b, raw);
		for (int k = block_loop(l, b); k >= 0 && l->f->loop[k].end == b + 1 && !l->status; k = l->f->loop[k].parent)
			gllm_loops_finish(l, k);
	}
}

enum gllm_status gllm_loops_run(struct lifting *l, struct sym *s, const struct gllm_param *param, unsigned nparams,
                                struct gllm_error *e)
{
	l->f = s->f;
	l->s = s;
	l->param = param;
	l->nparams = nparams;
	l->error = e;
	l->status = GLLM_OK;
	l->ncarries = l->nstores = l->nloads = 0;
	l->versions = 0;
	gllm_canon_init(&l->c);
	__builtin_memset(l->runs, UNASKED, s->f->nblocks);
	l->around[0] = 1;
	for (unsigned i = 0; i < s->f->nloops; i++)
		l->around[i + 1] = l->around[s->f->loop[i].parent + 1] | UINT64_C(2) << i;
	l->writable = 0;
	for (unsigned i = 0; i < nparams; i++)
		l->writable |= (unsigned)(param[i].kind == GLLM_OUT || param[i].kind == GLLM_INOUT) << i;
	gllm_loops_forget(l);
	walk_blocks(l);
	if (!l->status)
		gllm_loops_settle_stores(l);
	if (!l->status)
		settle_duties(l);
	if (!l->status && l->c.full)
		l->status = gllm_fail(e, GLLM_NOT_LIFTED, "too many values", NULL, 0, 0, 0);
	return l->status;
}
