/* SPDX-License-Identifier: MIT
 * jit/lower_turn.c - loads that lie along another loop than the vectorised one: lines of a square, turned in registers.
 *
 * Where memory is contiguous along loop W but the lanes count loop V, W is copied as often as there are lanes, or a few
 * times as often (lower_plan.c): squares side by side. For each square one line is loaded for each lane's iteration of V, and log2(lanes)
 * levels of VZIP turn the lines into one register per copy of W. */
#include "core/bits.h"
#include "jit/cost.h"
#include "jit/lower_state.h"

static bool plain_loop(const struct lower *l, unsigned loop)
{
	return l->loop[loop].reorderable && !l->loop[loop].carries && l->ind[l->trip[loop].ind].loops == 0;
}

/* The loop along which node `n` lies in memory while loop `v` is in the lanes; -1 if the load cannot be turned. */
int gllm_lower_turns(const struct lower *l, gllm_ref n, unsigned v)
{
	const struct gllm_trace *t = l->t;
	const struct gllm_node *x = &t->node[n];
	const struct gllm_access *a = &t->access[x->imm];
	int w = l->loop[v].leaf ? t->loop[v].parent : l->loop[v].only_child;

	if (!l->m->zips || l->halves || l->lanes < 4 || x->op != GLLM_N_LOAD || a->index != GLLM_NO_NODE || w < 0)
		return -1;
	if (l->loop[v].trip < 0 && l->m->has_mask) /* the last lanes' lines may lie behind the memory that is granted */
		return -1;
	if (a->type != GLLM_F32 && a->type != GLLM_F16 && a->type != GLLM_BF16)
		return -1;
	unsigned inner = (int)v > w ? v : (unsigned)w;
	const struct induction *i = &l->ind[l->access[x->imm].ind];
	bool fits = l->loop[inner].leaf && l->loop[t->loop[inner].parent].only_child == (int)inner && x->loop == (int)inner;
	if (!fits || !plain_loop(l, v) || !plain_loop(l, (unsigned)w))
		return -1;
	return i->stride[w].sym == NO_SYM && i->stride[w].c == (int64_t)gllm_type_bytes((enum gllm_type)a->type) ? w : -1;
}

static gllm_vreg zip(struct lower *l, gllm_vreg a, gllm_vreg b, int64_t how)
{
	struct gllm_vi i = gllm_vi(GLLM_V_VZIP);
	i.d = gllm_vir_reg(l->v, GLLM_CLASS_V);
	i.type = i.mem = GLLM_F32;
	i.a = a;
	i.b = b;
	i.imm = how;
	return gllm_vir_emit(l->v, i);
}

/* line[] of `lanes` registers: element c of line i becomes element i of line c. */
static void turn(struct lower *l, gllm_vreg *line)
{
	static const uint8_t bit[] = { 2, 1, 4, 8, 16, 32 };
	for (unsigned level = 0; level < GLLM_COUNT(bit) && bit[level] < l->lanes; level++)
		for (unsigned i = 0; i < l->lanes; i++) {
			gllm_vreg a = line[i], b = line[i | bit[level]];
			if (i & bit[level])
				continue;
			line[i] = zip(l, a, b, level < 2 ? 0 : 2);
			line[i | bit[level]] = zip(l, a, b, level < 2 ? 1 : 3);
		}
}

/* Elements of iteration `lane` of the vectorised loop: those of as many copies of W as there are lanes, the first of them, or one alone. */
static gllm_vreg load_line(struct lower *l, gllm_ref node, struct lin stride, unsigned lane, gllm_vreg mask, bool single)
{
	const struct gllm_access *a = &l->t->access[l->t->node[node].imm];
	struct gllm_vi i = gllm_vi(GLLM_V_VLOAD);
	unsigned bytes = gllm_type_bytes((enum gllm_type)a->type);
	gllm_lower_address_by(l, l->access[l->t->node[node].imm], stride, lane, single ? bytes : bytes * l->lanes, &i);
	i.type = GLLM_F32;
	i.mem = a->type;
	i.m = mask;
	i.lanes = single;
	i.d = gllm_vir_reg(l->v, GLLM_CLASS_V);
	return gllm_vir_emit(l->v, i);
}

/* Lines of the next iterations of the innermost loop `v` are fetched while these are turned, if the options say so, where squares lie side
 * by side: else each row's lines are its own stream already. From 128 MiB, AVX-512, rows of 1920, 8000 and 16000 bytes: 1.25 times as
 * fast; but of 4, 8 and 16 KiB, whose lines drive out one another, 0.6 to 0.95. */
static bool fetches(const struct lower *l, unsigned v, unsigned fw, struct lin stride)
{
	return l->o->fetch_loop - 1 == (int)v && l->loop[v].leaf && l->loop[l->frame[fw].loop].copies > l->lanes && stride.sym == NO_SYM &&
	       !gllm_l1_crowds(l->m->profile, stride.c);
}

static void fetch_line(struct lower *l, gllm_ref node, struct lin stride, unsigned lane)
{
	const struct gllm_access *a = &l->t->access[l->t->node[node].imm];
	struct gllm_vi i = gllm_vi(GLLM_V_PREFETCH);
	gllm_lower_address_by(l, l->access[l->t->node[node].imm], stride, lane, l->lanes * gllm_type_bytes((enum gllm_type)a->type), &i);
	i.type = i.mem = a->type;
	gllm_vir_emit(l->v, i);
}

static gllm_vreg first_lanes(struct lower *l, int64_t n)
{
	struct gllm_vi i = gllm_vi(GLLM_V_MTAIL);
	i.type = i.mem = GLLM_F32;
	i.a = gllm_lower_g(l, GLLM_V_GCONST, GLLM_NO_VREG, GLLM_NO_VREG, n);
	i.d = gllm_vir_reg(l->v, GLLM_CLASS_M);
	return gllm_vir_emit(l->v, i);
}

/* Of how many lanes there are lines. Shares of a range begin at whole vectors, so that what is left at its end is known. */
static unsigned lines_of(const struct lower *l, const struct frame *f)
{
	const struct phase *p = &f->ph[f->phase];
	return !p->masked ? l->lanes : p->count == -2 ? (unsigned)l->loop[f->loop].trip % l->lanes : (unsigned)p->step;
}

/* The lines of all lanes; lanes that the mask leaves out repeat the first. */
static void load_lines(struct lower *l, gllm_ref n, unsigned fv, unsigned fw, gllm_vreg mask, bool single, gllm_vreg *line)
{
	struct lin stride = l->ind[l->access[l->t->node[n].imm].ind].stride[l->frame[fv].loop];
	for (unsigned i = 0; i < l->lanes; i++)
		line[i] = i >= lines_of(l, &l->frame[fv]) ? line[0] : load_line(l, n, stride, i, mask, single);
	for (unsigned i = 0; i < l->lanes && !single && fetches(l, (unsigned)l->frame[fv].loop, fw, stride); i++)
		fetch_line(l, n, stride, l->lanes + i);
}

/* The square of copies of loop `w` in which the current one lies: fills out[c] for each of them, the first of which is `*first`; how many. */
unsigned gllm_lower_turned(struct lower *l, gllm_ref n, unsigned fv, unsigned fw, unsigned *first, gllm_vreg *out)
{
	unsigned kept = l->tuple[fw], from = kept / l->lanes * l->lanes, copies = gllm_lower_phase(&l->frame[fw])->copies - from;
	gllm_vreg line[GLLM_VIR_LANES];
	copies = copies < l->lanes ? copies : l->lanes;
	*first = l->tuple[fw] = from;
	if (copies == l->lanes || l->m->has_mask) {
		load_lines(l, n, fv, fw, copies < l->lanes ? first_lanes(l, copies) : GLLM_NO_VREG, false, line);
		turn(l, line);
		for (unsigned c = 0; c < copies; c++)
			out[c] = line[c];
	} else {
		for (unsigned c = 0; c < copies; c++) {
			l->tuple[fw] = from + c;
			load_lines(l, n, fv, fw, GLLM_NO_VREG, true, line);
			turn(l, line);
			out[c] = line[0];
		}
	}
	l->tuple[fw] = kept;
	return copies;
}
