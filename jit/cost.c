/* SPDX-License-Identifier: MIT
 * jit/cost.c - see cost.h. */
#include "jit/cost.h"
#include "jit/plan.h"

enum { CHAINS = 4, OPERANDS = 2, UNKNOWN_L1 = 32 << 10 };
static const double unknown_ghz = 3.0, unknown_bytes = 8.0; /* per cycle */

/* --- the machine ----------------------------------------------------------------------------------------------------- */

static double flops_per_cycle(const struct gllm_profile *p)
{
	return 4.0 * (p->vector_bytes >= 4 ? p->vector_bytes / 4 : 1); /* two ports, two operations each */
}

static double ghz(const struct gllm_profile *p)
{
	return p->peak_gflops > 0 ? p->peak_gflops / ((p->cores ? p->cores : 1) * flops_per_cycle(p)) : unknown_ghz;
}

static double cycles_of_bytes(double bytes, const struct gllm_profile *p)
{
	return bytes / (p->bandwidth_gbs > 0 ? p->bandwidth_gbs / ghz(p) : unknown_bytes);
}

uint64_t gllm_l1_budget(const struct gllm_profile *p)
{
	return (uint64_t)(p->cache[0].bytes ? p->cache[0].bytes : UNKNOWN_L1) * GLLM_L1_PERCENT / 100;
}

bool gllm_l1_crowds(const struct gllm_profile *p, int64_t pitch)
{
	const struct gllm_cache *c = &p->cache[0];
	const unsigned quarter = c->ways ? c->bytes / c->ways / 4 : 0;
	return quarter && pitch % quarter == 0;
}

/* --- work ------------------------------------------------------------------------------------------------------------ */

static double flops_of(const struct gllm_node *n)
{
	static const uint8_t flops[GLLM_N_COUNT] = {
		[GLLM_N_DOT] = 7, [GLLM_N_FMA] = 2, [GLLM_N_SQRT] = 2, [GLLM_N_ADD] = 1, [GLLM_N_SUB] = 1, [GLLM_N_MUL] = 1,
		[GLLM_N_DIV] = 1, [GLLM_N_NEG] = 1, [GLLM_N_ABS] = 1, [GLLM_N_RINT] = 1, [GLLM_N_LDEXP] = 1, [GLLM_N_AND] = 1,
		[GLLM_N_OR] = 1, [GLLM_N_XOR] = 1, [GLLM_N_SHL] = 1, [GLLM_N_SHR] = 1, [GLLM_N_SAR] = 1, [GLLM_N_LT] = 1,
		[GLLM_N_LE] = 1, [GLLM_N_EQ] = 1, [GLLM_N_UNORD] = 1, [GLLM_N_SELECT] = 1, [GLLM_N_CVT] = 1, [GLLM_N_CVTN] = 1,
	};
	return n->op == GLLM_N_DOT && n->type == GLLM_F32 ? 3 : flops[n->op];
}

/* The loops that the address depends on: it moves along them, or the loaded index in it does. */
static uint32_t loops_of(const struct gllm_trace *t, const struct gllm_access *a)
{
	uint32_t loops = 0;
	for (unsigned i = 0; i < a->offset.count; i++)
		for (unsigned k = 0; k < GLLM_TERM_SYMS && t->term[a->offset.first + i].sym[k]; k++) {
			unsigned sym = t->term[a->offset.first + i].sym[k];
			loops |= (uint32_t)(sym >= GLLM_SYM_LOOP) << (sym - GLLM_SYM_LOOP) % 32u;
		}
	for (int8_t of = a->index == GLLM_NO_NODE ? -1 : t->node[a->index].loop; of >= 0; of = t->loop[of].parent)
		loops |= UINT32_C(1) << of;
	return loops;
}

/* Elements that an access reaches if each step of the loops it moves along is another one. */
static double elements_of(const struct gllm_trace *t, const struct gllm_access *a, const double *trip)
{
	double n = 1;
	for (uint32_t loops = loops_of(t, a); loops; loops &= loops - 1)
		n *= trip[__builtin_ctz(loops)];
	return n;
}

/* One past the greatest place that an access reaches: each variable at whichever end of its range makes a term greater. */
static int64_t reach(const struct gllm_trace *t, const struct gllm_access *a, const int64_t *top)
{
	int64_t end = gllm_type_bytes((enum gllm_type)a->type);
	for (unsigned i = 0; i < a->offset.count; i++) {
		const struct gllm_term *x = &t->term[a->offset.first + i];
		uint64_t v = (uint64_t)x->coef;
		bool loops = false;
		for (unsigned k = 0; k < GLLM_TERM_SYMS && x->sym[k]; k++) {
			v *= (uint64_t)top[x->sym[k]];
			loops = loops || x->sym[k] >= GLLM_SYM_LOOP;
		}
		if (!loops || (int64_t)v > 0)
			end += (int64_t)v;
	}
	return end;
}

struct gllm_cost gllm_cost_of(const struct gllm_composed *c, const struct gllm_source *source, uint64_t rows,
                              const struct gllm_profile *p)
{
	const struct gllm_trace *t = &c->trace;
	struct gllm_cost cost = { 0 };
	int64_t half[GLLM_SYM_LOOP + GLLM_TRACE_LOOPS], top[GLLM_SYM_LOOP + GLLM_TRACE_LOOPS], end[GLLM_TRACE_PARAMS];
	double times[GLLM_TRACE_LOOPS], trips[GLLM_TRACE_LOOPS], sum[GLLM_TRACE_PARAMS];
	for (unsigned i = 0; i < t->nparams; i++) {
		end[i] = 0;
		sum[i] = 0;
		if (t->param[i].kind == GLLM_DIM)
			half[GLLM_SYM_PARAM + i] = top[GLLM_SYM_PARAM + i] = (int64_t)gllm_at_rows(&source[i].at, rows);
	}
	/* Loops whose length depends on those around them: their mean length counts, their greatest reaches. */
	for (unsigned l = 0; l < t->nloops; l++) {
		int64_t trip = gllm_poly_eval(t, t->loop[l].trip, half), most = gllm_poly_eval(t, t->loop[l].trip, top);
		trip = trip > 0 ? trip : 0;
		half[GLLM_SYM_LOOP + l] = trip / 2;
		top[GLLM_SYM_LOOP + l] = most > 0 ? most - 1 : 0;
		trips[l] = (double)trip;
		times[l] = (double)trip * (t->loop[l].parent >= 0 ? times[t->loop[l].parent] : 1);
	}
	for (unsigned i = 0; i + c->how.hints < t->naccesses; i++) /* constant tables come from a cache */
		if (t->access[i].param < t->nparams)
			sum[t->access[i].param] += gllm_type_bytes(t->access[i].type) * elements_of(t, &t->access[i], trips);
	for (unsigned i = 0; i < t->nnodes; i++) {
		const struct gllm_node *n = &t->node[i];
		double runs = n->loop >= 0 ? times[n->loop] : 1;
		cost.flops += flops_of(n) * runs;
		if ((n->op == GLLM_N_LOAD || n->op == GLLM_N_STORE) && runs > 0) {
			const struct gllm_access *a = &t->access[n->imm];
			int64_t x = reach(t, a, top);
			if (a->param < t->nparams && x > end[a->param])
				end[a->param] = x;
		}
	}
	/* Each byte once: all accesses of a parameter reach nothing beyond its end, nor more than they have elements. */
	for (unsigned i = 0; i < t->nparams; i++)
		if (t->param[i].kind < GLLM_DIM && source[i].kind != GLLM_FROM_WORKER)
			cost.bytes += (t->param[i].kind == GLLM_INOUT ? 2.0 : 1.0) * (sum[i] < (double)end[i] ? sum[i] : (double)end[i]);
	cost.compute = cost.flops / flops_per_cycle(p);
	cost.memory = cycles_of_bytes(cost.bytes, p);
	return cost;
}

double gllm_cost_cycles(struct gllm_cost c, const struct gllm_profile *p, bool split)
{
	double compute = c.compute / (split && p->cores ? p->cores : 1);
	return compute > c.memory ? compute : c.memory;
}

/* --- limits ---------------------------------------------------------------------------------------------------------- */

/* A sum's last value is the register of the sum, which is counted as such. */
static bool in_register(const struct gllm_node *n)
{
	return n->op != GLLM_N_CONST && n->op != GLLM_N_SCALAR && n->op != GLLM_N_STORE && n->op != GLLM_N_INDEX &&
	       n->op != GLLM_N_CARRY && n->op != GLLM_N_LAST;
}

enum gllm_status gllm_registers_of(const struct gllm_composed *c, struct gllm_arena arena, unsigned *n)
{
	const struct gllm_trace *t = &c->trace;
	gllm_ref *last = gllm_alloc_array(&arena, t->nnodes + 1u, sizeof *last, 8);
	unsigned live[GLLM_TRACE_LOOPS + 1] = { 0 }, sums[GLLM_TRACE_LOOPS + 1] = { 0 }, most = 0;
	bool product = t->pattern == GLLM_PATTERN_GEMM;
	if (!last)
		return GLLM_OUT_OF_MEMORY;
	for (unsigned i = 0; i < t->nnodes; i++) {
		const struct gllm_node *x = &t->node[i];
		const gllm_ref from[] = { x->a, x->b, x->c };
		last[i] = (gllm_ref)i;
		for (unsigned k = 0; k < 3; k++)
			if (from[k] < i && x->op != GLLM_N_CARRY)
				last[from[k]] = (gllm_ref)i;
	}
	/* Sums are there in the loop around theirs; at least its own is running. */
	for (unsigned i = 0; i < t->nreductions; i++) {
		unsigned *around = &sums[t->loop[t->reduction[i].loop].parent + 1];
		*around += product ? CHAINS : 1;
		unsigned running = *around + (product ? OPERANDS : 0);
		most = running > most ? running : most;
	}
	/* A value lives in its own loop: until its last use there, or its end. */
	for (unsigned i = 0; i < t->nnodes; i++) {
		const struct gllm_node *x = &t->node[i];
		unsigned *now = &live[x->loop + 1];
		const gllm_ref from[] = { x->a, x->b, x->c };
		for (unsigned k = 0; k < 3; k++) {
			bool first = from[k] < i && (k < 1 || from[k] != from[0]) && (k < 2 || from[k] != from[1]);
			if (first && last[from[k]] == i && t->node[from[k]].loop == x->loop && in_register(&t->node[from[k]]))
				--*now;
		}
		if (in_register(x) && last[i] > i && ++*now + sums[x->loop + 1] > most)
			most = *now + sums[x->loop + 1];
	}
	*n = most;
	return GLLM_OK;
}

/* Values behind the sums of a product, once for each vector of the machine's tile. */
static unsigned tile_values(const struct gllm_composed *c, const struct gllm_profile *p)
{
	const struct gllm_trace *t = &c->trace;
	const struct gllm_blocking b = gllm_blocking(p, 1 << 10, 1 << 10, 1 << 10, sizeof(float));
	unsigned lanes = p->vector_bytes / sizeof(float), vectors = lanes ? b.mr * ((b.nr + lanes - 1) / lanes) : 1, behind = 0;
	if (t->pattern != GLLM_PATTERN_GEMM || t->nreductions == 0)
		return 0;
	for (unsigned i = 0; i < t->nnodes; i++)
		behind += t->node[i].loop == t->loop[t->reduction[0].loop].parent && in_register(&t->node[i]);
	return behind * vectors / t->nreductions; /* which share the tile */
}

enum gllm_status gllm_keeps_limits(const struct gllm_composed *c, const struct gllm_profile *p, unsigned registers,
                                   struct gllm_arena arena, const char **why)
{
	unsigned n;
	enum gllm_status s = gllm_registers_of(c, arena, &n);
	if (s != GLLM_OK)
		return s;
	*why = c->depth > GLLM_GROUP_DEPTH ? "the group is as deep as is allowed"
	       : tile_values(c, p) > GLLM_TILE_VALUES ? "what follows the sums of a tile would be more code than is allowed"
	       : n > (registers > p->vector_regs ? registers : p->vector_regs) ? "more values at once than there are vector registers" : NULL;
	return *why ? GLLM_UNSUPPORTED : GLLM_OK;
}
