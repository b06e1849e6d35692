/* SPDX-License-Identifier: MIT
 * jit/strip.c - see strip.h. */
#include "jit/strip.h"
#include "jit/trace.h"

/* Nodes, accesses and loops beyond those of the old trace, each of which may be written twice; terms of an offset. */
enum { EXTRA = 32, TERMS = 6, NO_PARAM = GLLM_TRACE_PARAMS };

static bool affine_of(const struct gllm_trace *t, struct gllm_poly p, struct gllm_affine *out)
{
	*out = (struct gllm_affine){ .base = 0 };
	for (unsigned i = 0; i < p.count; i++) {
		const struct gllm_term *x = &t->term[p.first + i];
		if (x->sym[0] == 0)
			out->base += x->coef;
		else if (x->sym[0] >= GLLM_SYM_LOOP && x->sym[0] < GLLM_SYM_LOOP + GLLM_STRIP_LOOPS && x->sym[1] == 0)
			out->loop[x->sym[0] - GLLM_SYM_LOOP] += x->coef;
		else
			return false;
	}
	return true;
}

bool gllm_strip_affine(const struct gllm_trace *t, struct gllm_affine *out)
{
	for (unsigned i = 0; i < t->naccesses; i++)
		if (t->access[i].index != GLLM_NO_NODE || !affine_of(t, t->access[i].offset, &out[i]))
			return false;
	return true;
}

void gllm_strip_begin(struct gllm_strip *s, const struct gllm_composed *from, const struct gllm_affine *affine,
                      struct gllm_arena *arena)
{
	const struct gllm_trace *t = &from->trace;
	*s = (struct gllm_strip){ .from = from, .affine = affine, .open = -1, .max_nodes = 2 * t->nnodes + EXTRA,
	                          .max_accesses = 2 * t->naccesses + EXTRA, .max_polys = 2 * t->npolys };
	s->max_terms = TERMS * (s->max_accesses + s->max_polys) + GLLM_TRACE_LOOPS;
	s->to = gllm_alloc(arena, sizeof *s->to, 8);
	s->map = gllm_alloc_array(arena, t->nnodes + 1u, sizeof *s->map, 8);
	s->node = gllm_alloc_array(arena, s->max_nodes, sizeof *s->node, 8);
	s->loop = gllm_alloc_array(arena, EXTRA, sizeof *s->loop, 8);
	s->access = gllm_alloc_array(arena, s->max_accesses, sizeof *s->access, 8);
	s->poly = gllm_alloc_array(arena, s->max_polys + 1u, sizeof *s->poly, 8);
	s->term = gllm_alloc_array(arena, s->max_terms, sizeof *s->term, 8);
	s->reduction = gllm_alloc_array(arena, 2u * t->nreductions + 1, sizeof *s->reduction, 8);
	if (!s->to || !s->map || !s->node || !s->loop || !s->access || !s->poly || !s->term || !s->reduction) {
		s->status = GLLM_OUT_OF_MEMORY;
		return;
	}
	for (unsigned i = 0; i < t->nnodes; i++)
		s->map[i] = GLLM_NO_NODE;
	for (unsigned i = 0; i < GLLM_TRACE_PARAMS; i++)
		s->param[i] = 0xff;
	*s->to = (struct gllm_composed){ .depth = from->depth };
}

static bool room(struct gllm_strip *s, unsigned used, unsigned max)
{
	if (s->status == GLLM_OK && used >= max)
		s->status = GLLM_COMPILE_ERROR;
	return s->status == GLLM_OK;
}

uint8_t gllm_strip_param(struct gllm_strip *s, const char *name, enum gllm_param_kind kind, enum gllm_type type,
                         struct gllm_source source)
{
	if (!room(s, s->nparams, GLLM_TRACE_PARAMS))
		return 0;
	s->to->param[s->nparams] = (struct gllm_param){ name, kind, type };
	s->to->source[s->nparams] = source;
	return (uint8_t)s->nparams++;
}

void gllm_strip_pace(struct gllm_strip *s, uint8_t param, int64_t bytes)
{
	uint8_t number = gllm_strip_param(s, "pitch", GLLM_DIM, GLLM_I64,
	                                  (struct gllm_source){ .kind = GLLM_FROM_ROWS, .at = { .fixed = bytes } });
	if (s->status != GLLM_OK)
		return;
	s->paced[param].bytes = bytes;
	s->paced[param].param = number;
	s->pitches |= UINT32_C(1) << number;
}

/* The new number of an old parameter; what is only read here is an input, whatever it was. */
static uint8_t keep_param(struct gllm_strip *s, unsigned old, bool store)
{
	const struct gllm_param *p = &s->from->param[old];
	if (s->param[old] == 0xff) {
		s->param[old] = gllm_strip_param(s, p->name, p->kind == GLLM_OUT || p->kind == GLLM_INOUT
		                                 ? store ? GLLM_OUT : GLLM_IN : p->kind, p->type, s->from->source[old]);
		if (s->pitch[old])
			gllm_strip_pace(s, s->param[old], s->pitch[old]);
	} else if (p->kind == GLLM_OUT || p->kind == GLLM_INOUT)
		s->to->param[s->param[old]].kind = s->to->param[s->param[old]].kind == (store ? GLLM_OUT : GLLM_IN)
		                                   ? (store ? GLLM_OUT : GLLM_IN) : GLLM_INOUT;
	return s->param[old];
}

static int8_t open_loop(struct gllm_strip *s, struct gllm_term t)
{
	if (!room(s, s->nloops, EXTRA) || !room(s, s->nterms, s->max_terms))
		return 0;
	s->loop[s->nloops] = (struct gllm_loop){ .parent = s->open, .first = (gllm_ref)s->nnodes,
	                                         .trip = { .first = (uint16_t)s->nterms, .count = t.coef != 0 } };
	if (t.coef)
		s->term[s->nterms++] = t;
	return s->open = (int8_t)s->nloops++;
}

int8_t gllm_strip_open_counted(struct gllm_strip *s, struct gllm_linear trip, uint8_t *param)
{
	*param = gllm_strip_param(s, "count", GLLM_DIM, GLLM_I64, (struct gllm_source){ .kind = GLLM_FROM_ROWS, .at = trip });
	return open_loop(s, (struct gllm_term){ .coef = 1, .sym = { (uint8_t)(GLLM_SYM_PARAM + *param) } });
}

int8_t gllm_strip_open(struct gllm_strip *s, struct gllm_linear trip)
{
	uint8_t param;
	return trip.per_row ? gllm_strip_open_counted(s, trip, &param) : open_loop(s, (struct gllm_term){ .coef = trip.fixed });
}

void gllm_strip_close(struct gllm_strip *s)
{
	if (s->status != GLLM_OK)
		return;
	s->loop[s->open].end = (gllm_ref)s->nnodes;
	s->open = s->loop[s->open].parent;
}

gllm_ref gllm_strip_append(struct gllm_strip *s, struct gllm_node n)
{
	if (!room(s, s->nnodes, s->max_nodes))
		return 0;
	n.loop = s->open;
	s->node[s->nnodes] = n;
	return (gllm_ref)s->nnodes++;
}

/* A term of an offset of `param` with its pitch taken out. */
static struct gllm_term in_pitches(const struct gllm_strip *s, uint8_t param, struct gllm_term x)
{
	int64_t bytes = s->paced[param].bytes;
	if (bytes == 0 || x.coef % bytes != 0 || (x.sym[0] && x.sym[0] < GLLM_SYM_LOOP))
		return x;
	return (struct gllm_term){ .coef = x.coef / bytes, .sym = { (uint8_t)(GLLM_SYM_PARAM + s->paced[param].param), x.sym[0] } };
}

static bool is_behind(struct gllm_term a, struct gllm_term b)
{
	return a.sym[0] > b.sym[0] || (a.sym[0] == b.sym[0] && a.sym[1] > b.sym[1]);
}

/* Terms in ascending order. */
static struct gllm_poly polynomial(struct gllm_strip *s, uint8_t param, const struct gllm_term *term, unsigned terms)
{
	struct gllm_poly p = { .first = (uint16_t)s->nterms };
	for (unsigned i = 0; i < terms; i++) {
		unsigned at = s->nterms;
		if (term[i].coef == 0)
			continue;
		struct gllm_term x = in_pitches(s, param, term[i]);
		while (at > p.first && is_behind(s->term[at - 1], x)) {
			s->term[at] = s->term[at - 1];
			at--;
		}
		s->term[at] = x;
		s->nterms++;
		p.count++;
	}
	return p;
}

/* `x` with the new loops put in; returns how many terms. */
static unsigned substitute(const struct gllm_strip *s, const struct gllm_affine *x,
                           struct gllm_term term[1 + GLLM_STRIP_LOOPS * GLLM_STRIP_PARTS])
{
	unsigned terms = 0;
	term[terms++] = (struct gllm_term){ .coef = x->base };
	for (unsigned l = 0; l < GLLM_STRIP_LOOPS; l++) {
		term[0].coef += x->loop[l] * s->shift[l];
		for (unsigned k = 0; k < GLLM_STRIP_PARTS; k++)
			if (s->sub[l][k].coef)
				term[terms++] = (struct gllm_term){
					.coef = (s->sub[l][k].lane && x->lane ? x->lane : x->loop[l]) * s->sub[l][k].coef,
					.sym = { (uint8_t)(GLLM_SYM_LOOP + s->sub[l][k].loop) } };
	}
	return terms;
}

gllm_ref gllm_strip_access(struct gllm_strip *s, uint8_t param, enum gllm_type type, const struct gllm_term *offset,
                           unsigned terms, gllm_ref value)
{
	if (!room(s, s->naccesses, s->max_accesses) || !room(s, s->nterms + terms, s->max_terms))
		return 0;
	s->access[s->naccesses] = (struct gllm_access){ .param = param, .type = (uint8_t)type, .index = GLLM_NO_NODE,
	                                                .offset = polynomial(s, param, offset, terms) };
	struct gllm_node n = { .op = value == GLLM_NO_NODE ? GLLM_N_LOAD : GLLM_N_STORE, .type = (uint8_t)type, .a = value,
	                       .b = GLLM_NO_NODE, .c = GLLM_NO_NODE, .imm = s->naccesses++ };
	return gllm_strip_append(s, n);
}

void gllm_strip_hint(struct gllm_strip *s, gllm_ref of, const struct gllm_term *more, unsigned terms)
{
	struct gllm_term sum[2 * TERMS];
	if (s->status != GLLM_OK)
		return;
	struct gllm_access a = s->access[s->node[of].imm];
	unsigned n = a.offset.count;
	if (!room(s, n + terms, 2 * TERMS + 1) || !room(s, s->naccesses, s->max_accesses) || !room(s, s->nterms + n + terms, s->max_terms))
		return;
	for (unsigned i = 0; i < n; i++)
		sum[i] = s->term[a.offset.first + i];
	for (unsigned i = 0; i < terms; i++)
		sum[n + i] = more[i];
	a.offset = polynomial(s, a.param, sum, n + terms);
	s->access[s->naccesses++] = a;
}

void gllm_strip_hint_at(struct gllm_strip *s, uint8_t param, const struct gllm_term *offset, unsigned terms)
{
	if (!room(s, s->naccesses, s->max_accesses) || !room(s, s->nterms + terms, s->max_terms))
		return;
	struct gllm_access *a = &s->access[s->naccesses++];
	*a = (struct gllm_access){ .param = param, .type = (uint8_t)s->to->param[param].type, .index = GLLM_NO_NODE,
	                           .offset = polynomial(s, param, offset, terms) };
}

static gllm_ref mapped(const struct gllm_strip *s, gllm_ref r)
{
	return r == GLLM_NO_NODE ? r : s->map[r];
}

gllm_ref gllm_strip_node(struct gllm_strip *s, gllm_ref old)
{
	const struct gllm_trace *t = &s->from->trace;
	struct gllm_node n = t->node[old];
	struct gllm_term term[1 + GLLM_STRIP_LOOPS * GLLM_STRIP_PARTS];
	if (s->status != GLLM_OK)
		return 0;
	if (n.op == GLLM_N_LOAD || n.op == GLLM_N_STORE) {
		const struct gllm_access *a = &t->access[n.imm];
		unsigned terms = substitute(s, &s->affine[n.imm], term);
		return s->map[old] = gllm_strip_access(s, keep_param(s, a->param, n.op == GLLM_N_STORE),
		                                       (enum gllm_type)a->type, term, terms, mapped(s, n.a));
	}
	if (n.op == GLLM_N_INDEX) {
		struct gllm_affine x;
		unsigned terms = affine_of(t, t->poly[n.imm], &x) ? substitute(s, &x, term) : s->max_terms;
		if (!room(s, s->npolys, s->max_polys) || !room(s, s->nterms + terms, s->max_terms))
			return 0;
		s->poly[s->npolys] = polynomial(s, NO_PARAM, term, terms);
		n.imm = s->npolys++;
	}
	if (n.op == GLLM_N_SCALAR)
		n.imm = keep_param(s, (unsigned)n.imm, false);
	n.a = mapped(s, n.a);
	if (n.op != GLLM_N_CARRY)
		n.b = mapped(s, n.b);
	n.c = mapped(s, n.c);
	return s->map[old] = gllm_strip_append(s, n);
}

void gllm_strip_need(const struct gllm_trace *t, uint8_t *needed, const gllm_ref *map)
{
	bool again = true;
	while (again) { /* once more until carries are closed */
		again = false;
		for (unsigned i = t->nnodes; i-- > 0;) {
			if (!needed[i] || map[i] != GLLM_NO_NODE)
				continue;
			const gllm_ref from[3] = { t->node[i].a, t->node[i].b, t->node[i].c };
			for (unsigned k = 0; k < 3; k++)
				if (from[k] != GLLM_NO_NODE && !needed[from[k]]) {
					needed[from[k]] = 1;
					again = again || from[k] > i;
				}
		}
	}
}

void gllm_strip_write(struct gllm_strip *s, const uint8_t *needed, int loop, unsigned first, unsigned end)
{
	const struct gllm_node *node = s->from->trace.node;
	const gllm_ref *map = s->map;
	for (unsigned i = first; i < end; i++)
		if (needed[i] && map[i] == GLLM_NO_NODE && (loop == -2 || node[i].loop == loop))
			gllm_strip_node(s, (gllm_ref)i);
}

static void close_carries(struct gllm_strip *s)
{
	const struct gllm_trace *t = &s->from->trace;
	for (unsigned i = 0; i < t->nnodes; i++)
		if (t->node[i].op == GLLM_N_CARRY && s->map[i] != GLLM_NO_NODE)
			s->node[s->map[i]].b = mapped(s, t->node[i].b);
	for (unsigned i = 0; i < t->nreductions; i++) {
		struct gllm_reduction r = t->reduction[i];
		if (s->map[r.carry] == GLLM_NO_NODE)
			continue;
		r.loop = s->node[s->map[r.carry]].loop;
		r.carry = mapped(s, r.carry);
		r.pair = mapped(s, r.pair);
		r.value = mapped(s, r.value);
		s->reduction[s->nreductions++] = r;
	}
}

enum gllm_status gllm_strip_finish(struct gllm_strip *s, enum gllm_pattern pattern)
{
	if (s->status != GLLM_OK)
		return s->status;
	close_carries(s);
	s->to->trace = (struct gllm_trace){
		.name = s->from->trace.name, .param = s->to->param, .nparams = s->nparams, .node = s->node, .nnodes = s->nnodes,
		.loop = s->loop, .nloops = s->nloops, .access = s->access, .naccesses = s->naccesses, .poly = s->poly, .npolys = s->npolys,
		.term = s->term, .nterms = s->nterms, .reduction = s->reduction, .nreductions = s->nreductions,
		.pattern = pattern,
	};
	s->to->how.pitches = s->pitches;
	s->to->trace.hash = gllm_trace_hash(&s->to->trace);
	return GLLM_OK;
}
