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

double gllm_cycles_of_bytes(double bytes, const struct gllm_profile *p)
{
	return bytes / (p->bandwidth_gbs > 0 ? p->bandwidth_gbs / ghz(p) : unknown_bytes);
}

uint64_t gllm_l1_budget(const struct gllm_profile *p)
{
	return (uint64_t)(p->cache[0].bytes ? p->cache[0].bytes : UNKNOWN_L1) * GLLM_L1_PERCENT / 100;
}

/* --- work ------------------------------------------------------------------------------------------------------------ */

static double flops_of(const struct gllm_node *n)
{
	switch ((enum gllm_node_op)n->op) {
	case GLLM_N_FMA: case GLLM_N_SQRT: return 2;
	case GLLM_N_ADD: case GLLM_N_SUB: case GLLM_N_MUL: case GLLM_N_DIV: case GLLM_N_NEG: case GLLM_N_ABS: case GLLM_N_RINT:
	case GLLM_N_LDEXP: case GLLM_N_AND: case GLLM_N_OR: case GLLM_N_XOR: case GLLM_N_SHL: case GLLM_N_SHR: case GLLM_N_SAR:
	case GLLM_N_LT: case GLLM_N_LE: case GLLM_N_EQ: case GLLM_N_UNORD: case GLLM_N_SELECT: case GLLM_N_CVT: case GLLM_N_CVTN:
		return 1;
	case GLLM_N_CONST: case GLLM_N_SCALAR: case GLLM_N_INDEX: case GLLM_N_LOAD: case GLLM_N_STORE: case GLLM_N_CARRY:
	case GLLM_N_LAST: case GLLM_N_BITS: case GLLM_N_COUNT:
		break;
	}
	return 0;
}

/* Whether the address depends on loop l: it moves along, or the loaded index in it does. */
static bool moves_along(const struct gllm_trace *t, const struct gllm_access *a, unsigned l)
{
	for (unsigned i = 0; i < a->offset.count; i++)
		for (unsigned k = 0; k < GLLM_TERM_SYMS; k++)
			if (t->term[a->offset.first + i].sym[k] == GLLM_SYM_LOOP + l)
				return true;
	for (int8_t of = a->index == GLLM_NO_NODE ? -1 : t->node[a->index].loop; of >= 0; of = t->loop[of].parent)
		if (of == (int8_t)l)
			return true;
	return false;
}

/* Bytes of parameter p that are reached, each once: every access reaches an element for each step of the loops it moves
 * along with, and all of them nothing beyond the parameter's extent. */
static double bytes_of(const struct gllm_trace *t, unsigned p, const union gllm_arg *arg, const double *trip)
{
	double all = (double)gllm_trace_extent(t, p, arg), sum = 0;
	for (unsigned i = 0; i < t->naccesses; i++) {
		double bytes = gllm_type_bytes(t->access[i].type);
		for (unsigned l = 0; l < t->nloops; l++)
			bytes *= moves_along(t, &t->access[i], l) ? trip[l] : 1;
		sum += t->access[i].param == p ? bytes : 0;
	}
	return sum < all ? sum : all;
}

struct gllm_cost gllm_cost_of(const struct gllm_composed *c, const struct gllm_source *source, uint64_t rows,
                              const struct gllm_profile *p)
{
	const struct gllm_trace *t = &c->trace;
	struct gllm_cost cost = { 0 };
	int64_t sym[GLLM_SYM_LOOP + GLLM_TRACE_LOOPS] = { 0 };
	union gllm_arg arg[GLLM_TRACE_PARAMS] = { { .bits = 0 } };
	double times[GLLM_TRACE_LOOPS], trips[GLLM_TRACE_LOOPS];
	for (unsigned i = 0; i < t->nparams; i++)
		if (t->param[i].kind == GLLM_DIM) {
			arg[i].dim = gllm_at_rows(source[i].at, rows);
			sym[GLLM_SYM_PARAM + i] = (int64_t)arg[i].dim;
		}
	for (unsigned l = 0; l < t->nloops; l++) {
		int64_t trip = gllm_poly_eval(t, t->loop[l].trip, sym);
		trip = trip > 0 ? trip : 0;
		sym[GLLM_SYM_LOOP + l] = trip / 2;
		trips[l] = (double)trip;
		times[l] = (double)trip * (t->loop[l].parent >= 0 ? times[t->loop[l].parent] : 1);
	}
	for (unsigned i = 0; i < t->nnodes; i++)
		cost.flops += flops_of(&t->node[i]) * (t->node[i].loop >= 0 ? times[t->node[i].loop] : 1);
	for (unsigned i = 0; i < t->nparams; i++)
		if (t->param[i].kind < GLLM_DIM && source[i].kind != GLLM_FROM_WORKER)
			cost.bytes += (t->param[i].kind == GLLM_INOUT ? 2.0 : 1.0) * bytes_of(t, i, arg, trips);
	cost.compute = cost.flops / flops_per_cycle(p);
	cost.memory = gllm_cycles_of_bytes(cost.bytes, p);
	return cost;
}

double gllm_cost_cycles(struct gllm_cost c, const struct gllm_profile *p, bool split)
{
	double compute = c.compute / (split && p->cores ? p->cores : 1);
	return compute > c.memory ? compute : c.memory;
}

/* --- limits ---------------------------------------------------------------------------------------------------------- */

static bool in_register(const struct gllm_node *n)
{
	return n->op != GLLM_N_CONST && n->op != GLLM_N_SCALAR && n->op != GLLM_N_STORE && n->op != GLLM_N_INDEX &&
	       n->op != GLLM_N_CARRY;
}

unsigned gllm_registers_of(const struct gllm_composed *c, struct gllm_arena arena)
{
	const struct gllm_trace *t = &c->trace;
	gllm_ref *last = gllm_alloc_array(&arena, t->nnodes + 1u, sizeof *last, 8);
	unsigned live[GLLM_TRACE_LOOPS + 1] = { 0 }, sums[GLLM_TRACE_LOOPS + 1] = { 0 }, most = 0;
	bool product = t->pattern == GLLM_PATTERN_GEMM;
	if (!last)
		return 0;
	for (unsigned i = 0; i < t->nnodes; i++) {
		const struct gllm_node *n = &t->node[i];
		const gllm_ref from[] = { n->a, n->b, n->c };
		last[i] = (gllm_ref)i;
		for (unsigned k = 0; k < 3; k++)
			if (from[k] < i && n->op != GLLM_N_CARRY)
				last[from[k]] = (gllm_ref)i;
	}
	/* Sums are there in the loop around theirs; at least its own is running. */
	for (unsigned i = 0; i < t->nreductions; i++) {
		unsigned *around = &sums[t->loop[t->reduction[i].loop].parent + 1];
		*around += product ? CHAINS : 1;
		most = *around > most ? *around : most;
	}
	/* A value lives in its own loop: until its last use there, or its end. */
	for (unsigned i = 0; i < t->nnodes; i++) {
		const struct gllm_node *n = &t->node[i];
		unsigned *now = &live[n->loop + 1];
		const gllm_ref from[] = { n->a, n->b, n->c };
		for (unsigned k = 0; k < 3; k++) {
			bool first = from[k] < i && (k < 1 || from[k] != from[0]) && (k < 2 || from[k] != from[1]);
			if (first && last[from[k]] == i && t->node[from[k]].loop == n->loop && in_register(&t->node[from[k]]))
				--*now;
		}
		if (in_register(n) && last[i] > i && ++*now + sums[n->loop + 1] > most)
			most = *now + sums[n->loop + 1];
	}
	return most + (product ? OPERANDS : 0);
}

const char *gllm_breaks_limit(const struct gllm_composed *c, const struct gllm_profile *p, struct gllm_arena arena)
{
	if (c->depth > GLLM_GROUP_DEPTH)
		return "the group is as deep as is allowed";
	if (gllm_registers_of(c, arena) > p->vector_regs)
		return "more values at once than there are vector registers";
	return NULL;
}
