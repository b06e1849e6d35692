/* SPDX-License-Identifier: MIT
 * jit/trace_keep.c - what a trace keeps of the canonical values, and where. */
#include "core/bits.h"
#include "jit/trace_emit.h"

/* ---- what is kept ---------------------------------------------------------------------------------------------- */

/* Operations of values that no trace has, a bit each. */
static const uint64_t inexpressible = UINT64_C(1) << VAL_POISON | UINT64_C(1) << VAL_TRUE | UINT64_C(1) << VAL_PTR |
                                      UINT64_C(1) << VAL_MSEL;
_Static_assert(VAL_OPS <= 64, "one word holds them");

static void refuse_value(struct emit *e, uint16_t v)
{
	uint16_t raw = 0;
	for (unsigned i = 0; i < e->l->s->n && !raw; i++)
		if (e->l->live[i] && e->l->value[i] == v && e->l->s->raw[i].op != RAW_UNDEF)
			raw = (uint16_t)i;
	gllm_lift_refuse(e->l, "a value that is needed and not understood", raw);
}

static void check_ends(struct emit *e, const struct carry *k)
{
	const uint16_t end = e->v[k->value].b;
	if (is_live(e, k->value) && (end == VAL_NONE || end == POISON))
		gllm_lift_refuse(e->l, "a value carried around a loop in a way that is not understood", k->back);
}

/* Marks and lists what the marked values need. Operands have lower numbers than what is made of them, but for the ends
 * of CARRYs, which their LASTs ask for as well: where one is found late, it goes back up. What is needed cannot be
 * predicted, so the others mark too: no value. Returns the loops they are in, a bit of number + 1 each; *ops: what they are. */
static uint64_t list_live(struct emit *e, uint64_t *ops)
{
	const bool carries = e->l->ncarries; /* else there are no LASTs either */
	uint8_t *const mark = e->mark;
	uint16_t *last = e->list;
	uint64_t loops = 0, are = 0;
	const struct val *x = &e->v[e->c->n];
	for (unsigned i = e->c->n; i-- > 0; ) {
		x--;
		const unsigned live = mark[i + 1], mask = 0u - live;
		*last = (uint16_t)i;
		last += live;
		loops |= (uint64_t)live << (x->loop + 1);
		are |= (uint64_t)live << x->op;
		if (GLLM_RARELY(carries) && x->op == GLLM_N_LAST && e->v[x->a].b < i)
			mark[at(e->v[x->a].b) & mask] = LIVE;
		if (GLLM_RARELY(carries) && x->op == GLLM_N_CARRY && live && x->b > i && !mark[at(x->b)]) {
			mark[at(x->b)] = LIVE;
			i = x->b + 1u;
			x = &e->v[i];
			while (last > e->list && last[-1] < i)
				last--;
			continue;
		}
		mark[at(x->a) & mask] = LIVE;
		mark[at(x->b) & mask] = LIVE;
		mark[at(x->c) & mask] = LIVE;
	}
	e->nlist = (unsigned)(last - e->list);
	*ops = are;
	return loops;
}

void gllm_emit_keep(struct emit *e)
{
	struct lifting *l = e->l;
	uint64_t loops = 0, ops;
	e->mark[at(VAL_NONE)] = LIVE;
	for (unsigned i = 0; i < l->nstores; i++) {
		const struct effect *s = &l->store[i];
		if (s->dead)
			continue;
		e->mark[at(s->value)] = e->mark[at(e->c->access[s->access].index)] = LIVE;
		loops |= UINT64_C(1) << (l->f->block[s->block].loop + 1);
	}
	loops |= list_live(e, &ops);
	for (unsigned i = l->ncarries; i-- > 0 && !l->status; )
		check_ends(e, &l->carry[i]);
	for (unsigned i = 0; i < e->nlist && ops & inexpressible && !l->status; i++)
		if (inexpressible >> e->v[e->list[i]].op & 1)
			refuse_value(e, e->list[i]);
	for (unsigned i = l->f->nloops; i-- > 0; )
		loops |= (loops >> (i + 1) & 1) << (l->f->loop[i].parent + 1);
	for (unsigned i = 0; i < GLLM_SYM_PARAM + l->nparams; i++)
		e->renamed[i] = (uint8_t)i;
	for (unsigned i = 0; i < l->f->nloops; i++) {
		e->now[i] = loops >> (i + 1) & 1 ? (int8_t)e->nloops++ : (int8_t)-1;
		e->renamed[GLLM_SYM_LOOP + i] = (uint8_t)(GLLM_SYM_LOOP + e->now[i]);
	}
}

/* ---- loads under a guard --------------------------------------------------------------------------------------- */

static bool of_load(const struct emit *e, uint16_t v)
{
	return v != VAL_NONE && e->v[v].passed == MADE_OF_LOAD;
}

/* What a load is for: the loop inside its own that holds every use of it. Marks it and what is made of it outside that
 * loop. -1 if there is no such loop. */
static int user_loop(struct emit *e, uint16_t load)
{
	struct lifting *l = e->l;
	int own = e->v[load].loop, users = -1;
	bool fails = false;
	e->v[load].passed = MADE_OF_LOAD;
	for (unsigned i = 0; i < e->nlist + 2 * l->ncarries + 2 * l->nstores; i++) {
		int at = -1;
		bool uses = false;
		if (i < e->nlist) {
			struct val *v = &e->v[e->list[e->nlist - 1 - i]]; /* operands first */
			uses = v->op != GLLM_N_CARRY && (of_load(e, v->a) || of_load(e, v->b) || of_load(e, v->c));
			at = v->loop;
			if (uses && at == own && v->op != GLLM_N_LOAD && v->op != GLLM_N_LAST) {
				v->passed = MADE_OF_LOAD;
				continue;
			}
		} else if (i < e->nlist + 2 * l->ncarries) {
			unsigned k = i - e->nlist;
			const struct carry *c = &l->carry[k / 2];
			const struct val *v = &e->v[c->value];
			uses = is_live(e, c->value) && of_load(e, k % 2 ? v->b : v->a);
			at = k % 2 ? c->loop : l->f->loop[c->loop].parent;
		} else {
			unsigned k = i - e->nlist - 2 * l->ncarries;
			const struct effect *s = &l->store[k / 2];
			uses = !s->dead && of_load(e, k % 2 ? e->c->access[s->access].index : s->value);
			at = l->f->block[s->block].loop;
		}
		if (!uses)
			continue;
		while (at > own && l->f->loop[at].parent != own)
			at = l->f->loop[at].parent;
		fails = fails || at <= own || (users >= 0 && users != at);
		users = at;
	}
	return fails ? -1 : users;
}

/* A load that runs only if an inner loop does, for which alone it is made, belongs into that loop; some compilers move it
 * out, before or behind the guard. */
static void settle_load(struct emit *e, const struct effect *load)
{
	struct lifting *l = e->l;
	const struct val *v = &e->v[load->value];
	const unsigned kind = l->param[e->c->access[load->access].param].kind;
	while (!l->status && !gllm_runs_with(l, load->block, v->loop)) {
		int inner = kind == GLLM_IN || kind == GLLM_WEIGHT ? user_loop(e, load->value) : -1;
		for (unsigned i = 0; i < e->nlist; i++) {
			struct val *x = &e->v[e->list[i]];
			if (x->passed == MADE_OF_LOAD && inner >= 0)
				x->loop = (int8_t)inner;
			x->passed = 0;
		}
		if (inner < 0)
			gllm_lift_refuse(l, "a load that only sometimes runs", load->raw);
	}
}

void gllm_emit_settle_loads(struct emit *e)
{
	struct lifting *l = e->l;
	for (unsigned i = 0; i < l->nloads; i++) {
		uint8_t *mark = &e->mark[at(l->load[i].value)];
		if (*mark == LIVE && gllm_always_runs(l, l->load[i].block))
			*mark |= SURE;
	}
	for (unsigned i = 0; i < l->nloads && !l->status; i++) {
		uint8_t *mark = &e->mark[at(l->load[i].value)];
		if (*mark == LIVE)
			settle_load(e, &l->load[i]);
		*mark |= *mark ? SURE : 0;
		e->reads |= (uint64_t)(*mark != 0) << e->c->access[l->load[i].access].param;
	}
}

/* ---- order of stores --------------------------------------------------------------------------------------------- */

/* b stands directly behind a in one block, at a lower place of one parameter that nothing reads, and the two are apart. */
static bool should_swap(struct emit *e, const struct effect *a, const struct effect *b)
{
	const struct val_access *x = &e->c->access[a->access], *y = &e->c->access[b->access];
	int64_t distance;
	if (a->dead || b->dead || a->block != b->block || x->param != y->param || x->index != VAL_NONE || y->index != VAL_NONE)
		return false;
	uint16_t d = gllm_poly_add(&e->c->p, x->poly, y->poly, -1);
	return d != POLY_NONE && gllm_poly_is_constant(&e->c->p, d, &distance) &&
	       distance >= (int64_t)gllm_type_bytes((enum gllm_type)y->type) && !(e->reads >> x->param & 1);
}

void gllm_emit_order_stores(struct emit *e)
{
	struct effect *s = e->l->store;
	for (unsigned i = 1; i < e->l->nstores; i++)
		for (unsigned k = i; k > 0 && should_swap(e, &s[k - 1], &s[k]); k--) {
			struct effect t = s[k];
			uint16_t raw = t.raw; /* the place in program order stays */
			t.raw = s[k - 1].raw;
			s[k] = s[k - 1];
			s[k].raw = raw;
			s[k - 1] = t;
		}
}
