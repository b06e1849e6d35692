/* SPDX-License-Identifier: MIT
 * jit/lower_copies.c - how many copies of an innermost map run side by side.
 *
 * One iteration is a chain of dependent instructions: `longest` cycles, while its instructions keep the busiest unit for
 * `bound` cycles only. The chains of interleaved copies (jit/schedule.c) run side by side, except that what is not pipelined,
 * divisions and roots, is one unit that takes them one after another for `alone` cycles each: a body of c copies lasts
 * longest + (c - 1) * alone cycles, and the machine begins the next one sooner by the time it needs for a window of
 * instructions, window / size * bound. c is the least for which that is c * bound, and a tenth more. A window in which only
 * instructions wait that are no loads is shorter, and the chain then, too.
 *
 * Copies that start one after another do not want most registers at one time, but half as many on the average. With more
 * copies than registers hold so, some would wait for others to end. */
#include "jit/lower_state.h"

enum { MOST = 8, MOST_NODES = 320 };

static const uint8_t op_of[GLLM_N_COUNT] = {
	[GLLM_N_INDEX] = GLLM_V_VINDEX, [GLLM_N_LOAD] = GLLM_V_VLOAD, [GLLM_N_STORE] = GLLM_V_VSTORE,
	[GLLM_N_ADD] = GLLM_V_VADD, [GLLM_N_SUB] = GLLM_V_VSUB, [GLLM_N_MUL] = GLLM_V_VMUL, [GLLM_N_DIV] = GLLM_V_VDIV,
	[GLLM_N_FMA] = GLLM_V_VFMA, [GLLM_N_NEG] = GLLM_V_VNEG, [GLLM_N_ABS] = GLLM_V_VABS, [GLLM_N_SQRT] = GLLM_V_VSQRT,
	[GLLM_N_RINT] = GLLM_V_VRINT, [GLLM_N_LDEXP] = GLLM_V_VLDEXP, [GLLM_N_AND] = GLLM_V_VAND, [GLLM_N_OR] = GLLM_V_VOR,
	[GLLM_N_XOR] = GLLM_V_VXOR, [GLLM_N_SHL] = GLLM_V_VSHLI, [GLLM_N_SHR] = GLLM_V_VSHRI, [GLLM_N_SAR] = GLLM_V_VSARI,
	[GLLM_N_LT] = GLLM_V_VLT, [GLLM_N_LE] = GLLM_V_VLE, [GLLM_N_EQ] = GLLM_V_VEQ, [GLLM_N_UNORD] = GLLM_V_VUNORD,
	[GLLM_N_SELECT] = GLLM_V_VSEL, [GLLM_N_CVT] = GLLM_V_VCVT, [GLLM_N_CVTN] = GLLM_V_VCVTN,
};

struct estimate {
	unsigned size, longest, alone, used[GLLM_UNITS];
	unsigned reads; /* of constants in memory */
	unsigned live, temps, constants;
};

/* The operation that a node becomes; false: none of its own. */
static bool operation(const struct lower *l, gllm_ref n, struct gllm_vi *i)
{
	const struct gllm_node *x = &l->t->node[n];
	bool fused = l->fused[n] != GLLM_NO_NODE && l->fused[n] != n;

	*i = gllm_vi((enum gllm_vir_op)op_of[x->op]);
	if (fused)
		i->op = x->op == GLLM_N_SUB && l->fused[n] == x->b ? GLLM_V_VFNMA : GLLM_V_VFMA;
	if (i->op == GLLM_V_VLDEXP && l->m->has_scale)
		i->op = GLLM_V_VSCALE;
	i->type = i->mem = GLLM_F32;
	return l->fused[n] != n && (op_of[x->op] || fused);
}

static void add_node(const struct lower *l, gllm_ref n, uint16_t *ready, struct estimate *e)
{
	const struct gllm_node *x = &l->t->node[n];
	const gllm_ref from[3] = { x->a, x->b, x->c };
	struct gllm_vi i;
	unsigned start = 0;

	for (unsigned k = 0; k < 3; k++)
		if (from[k] != GLLM_NO_NODE && from[k] < n)
			start = ready[from[k]] > start ? ready[from[k]] : start;
	ready[n] = (uint16_t)start;
	if (!operation(l, n, &i))
		return;
	const struct gllm_timing *t = gllm_timing_of(l->m, &i);
	struct gllm_need need = l->m->need(&i);
	ready[n] = (uint16_t)(start + t->latency);
	e->longest = ready[n] > e->longest ? ready[n] : e->longest;
	e->used[t->unit] += t->slots + (t->unit == GLLM_UNIT_V && need.apart ? 1u : 0u);
	e->temps = need.v > e->temps ? need.v : e->temps;
	e->alone += t->slots < t->latency ? 0 : t->slots;
	e->reads += gllm_lower_read_addend(l, n) != GLLM_NO_NODE;
	e->size += (t->slots < t->latency ? t->slots : 2u) + (need.apart ? 1u : 0u); /* one that is not pipelined is short */
}

/* Node n's operand c is a constant that it reads from memory. */
static bool reads(const struct lower *l, gllm_ref n, gllm_ref c)
{
	gllm_ref read = gllm_lower_read_addend(l, n);

	return read != GLLM_NO_NODE && (read == l->same[c] || read == gllm_lower_negated(l, l->same[c]));
}

/* Most values of one iteration, and constants, that are wanted at one time. `last` by node: its last reader. */
static void count_registers(const struct lower *l, unsigned loop, uint16_t *last, struct estimate *e)
{
	const struct gllm_trace *t = l->t;
	gllm_ref first = t->loop[loop].first, end = t->loop[loop].end;
	unsigned live = 0;

	for (gllm_ref n = end; n-- > first;) {
		const gllm_ref from[3] = { t->node[n].a, t->node[n].b, t->node[n].c };
		if (last[n])
			live--; /* its own result is not there yet */
		for (unsigned k = 0; k < 3; k++) {
			if (from[k] == GLLM_NO_NODE || from[k] >= n || last[from[k]] || reads(l, n, from[k]))
				continue;
			last[from[k]] = n;
			if (from[k] >= first && t->node[from[k]].op != GLLM_N_CONST && t->node[from[k]].op != GLLM_N_SCALAR)
				live++;
			else
				e->constants++;
		}
		e->live = live > e->live ? live : e->live;
	}
}

static unsigned bound_of(const struct gllm_machine *m, const struct estimate *e)
{
	unsigned bound = (e->size + e->reads + m->width - 1u) / m->width;

	bound = bound < e->alone ? e->alone : bound;
	for (unsigned u = 0; u < GLLM_UNITS; u++)
		bound = bound * m->units[u] < e->used[u] ? (e->used[u] + m->units[u] - 1) / m->units[u] : bound;
	return bound;
}

/* What is not pipelined may take longer than any chain, where chains with one each stand side by side. */
static unsigned copies_of(const struct estimate *e, unsigned bound, unsigned longest, unsigned window)
{
	unsigned size = e->size + e->reads, chains = longest > e->alone ? (longest - e->alone) * size : 0;
	unsigned held = window * bound, each = (bound * 11 - e->alone * 10) * size;

	return chains > held ? ((chains - held) * 10 + each - 1) / each : 1;
}

unsigned gllm_lower_copies(struct lower *l, unsigned loop)
{
	const struct gllm_trace *t = l->t;
	struct gllm_arena kept = *l->arena;
	uint16_t *work = gllm_lower_alloc(l, t->nnodes + 1u, sizeof *work);
	struct estimate e = { .size = 0 };
	unsigned bound, copies, room;

	if (!work || !l->m->timing)
		return 1;
	for (gllm_ref n = t->loop[loop].first; n < t->loop[loop].end; n++)
		add_node(l, n, work, &e);
	for (unsigned n = 0; n < t->nnodes; n++)
		work[n] = 0;
	count_registers(l, loop, work, &e);
	l->arena->used = kept.used;
	e.used[GLLM_UNIT_LOAD] += e.reads * l->m->timing[GLLM_V_VLOAD].slots;
	bound = bound_of(l->m, &e);
	if (e.size == 0 || bound == 0)
		return 1;
	unsigned load = l->m->timing[GLLM_V_VLOAD].latency;
	unsigned waiting = l->m->waiting && e.longest > load ? copies_of(&e, bound, e.longest - load, l->m->waiting) : 1;
	copies = copies_of(&e, bound, e.longest, l->m->window);
	copies = copies < waiting ? waiting : copies;
	room = l->vregs > e.constants + e.temps ? (l->vregs - e.constants - e.temps) * 2 / (e.live ? e.live : 1) + 1 : 1;
	copies = copies > room ? room : copies;
	copies = copies > MOST_NODES / e.size ? MOST_NODES / e.size : copies;
	return copies > MOST ? MOST : copies < 1 ? 1 : copies;
}
