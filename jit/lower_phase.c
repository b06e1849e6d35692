/* SPDX-License-Identifier: MIT
 * jit/lower_phase.c - the phases of a loop that begins: as many copies as were planned, fewer, a tail; and how many accumulators
 * they share. */
#include "jit/lower_state.h"

static void add_phase(struct frame *f, struct phase p)
{
	if (p.count != 0 && f->nphases < MAX_PHASES)
		f->ph[f->nphases++] = p;
}

/* Whether bodies of so many steps leave nothing of the loop over. */
static bool divides(const struct lower *l, const struct frame *f, int64_t step)
{
	return f->loop == l->o->whole - 1 && l->o->unit % step == 0;
}

static void plan_vector_phases(const struct lower *l, struct frame *f, const struct loop_plan *p, uint8_t copies)
{
	int64_t lanes = (int64_t)l->lanes, u = copies, step = lanes * u, t = p->trip;
	bool fixed = t >= 0 && !f->ranged, mask = l->m->has_mask;

	if (fixed) {
		int64_t vectors = t / lanes;
		add_phase(f, (struct phase){ .vector = true, .copies = copies, .step = step, .count = vectors / u });
		if (vectors % u)
			add_phase(f, (struct phase){ .vector = true, .copies = (uint8_t)(vectors % u), .step = lanes * (vectors % u),
			                             .count = 1 });
		if (t % lanes)
			add_phase(f, (struct phase){ .vector = mask, .masked = mask, .copies = 1, .step = mask ? t % lanes : 1,
			                             .count = mask ? 1 : t % lanes });
		return;
	}
	add_phase(f, (struct phase){ .vector = true, .copies = copies, .step = step, .count = -1 });
	if (divides(l, f, step))
		return;
	if (copies > 1 && (t < 0 || t % step))
		add_phase(f, (struct phase){ .vector = true, .copies = 1, .step = lanes, .count = -1 });
	if (t < 0 ? !divides(l, f, lanes) : t % lanes)
		add_phase(f, (struct phase){ .vector = mask, .masked = mask, .copies = 1, .step = mask ? lanes : 1,
		                             .count = mask ? -2 : -1 });
}

static void plan_paired_phases(const struct lower *l, struct frame *f, const struct loop_plan *p, uint8_t columns)
{
	int64_t n = columns, t = p->trip;
	bool fixed = t >= 0 && !f->ranged, part = columns < l->lanes;

	add_phase(f, (struct phase){ .paired = true, .masked = part, .copies = columns, .step = n,
	                             .count = fixed ? t / n : -1 });
	if (divides(l, f, n))
		return;
	if (fixed && t % n > 1 && l->m->has_mask)
		add_phase(f, (struct phase){ .paired = true, .masked = true, .copies = (uint8_t)(t % n), .step = t % n, .count = 1 });
	else if (t < 0 || t % n)
		add_phase(f, (struct phase){ .copies = 1, .step = 1, .count = fixed ? t % n : -1 });
}

static void plan_plain_phases(const struct lower *l, struct frame *f, const struct loop_plan *p, uint8_t copies)
{
	int64_t u = copies, t = p->trip;

	if (t >= 0 && !f->ranged) {
		add_phase(f, (struct phase){ .copies = copies, .step = u, .count = t / u });
		if (t % u)
			add_phase(f, (struct phase){ .copies = (uint8_t)(t % u), .step = t % u, .count = 1 });
		return;
	}
	add_phase(f, (struct phase){ .copies = copies, .step = u, .count = -1 });
	if (divides(l, f, u))
		return;
	if (t >= 0 && l->info->tile % u == 0) { /* shares begin at whole bodies: only the last of them meets the rest */
		if (t % u)
			add_phase(f, (struct phase){ .copies = (uint8_t)(t % u), .step = t % u, .count = -1 });
		return;
	}
	if (u >= 4 && (t < 0 || t % u >= u / 2))
		add_phase(f, (struct phase){ .copies = copies / 2, .step = u / 2, .count = -1 });
	if (u > 1 && (t < 0 || t % u))
		add_phase(f, (struct phase){ .copies = 1, .step = 1, .count = -1 });
}

/* No enclosing loop is copied as rows now. */
static bool alone(const struct lower *l)
{
	for (unsigned f = 1; f < l->depth; f++) {
		const struct phase *p = &l->frame[f].ph[l->frame[f].phase];
		if (!p->vector && !p->paired && p->copies > 1)
			return false;
	}
	return true;
}

void gllm_lower_plan_phases(const struct lower *l, struct frame *f)
{
	const struct loop_plan *p = &l->loop[f->loop];

	if (p->paired)
		plan_paired_phases(l, f, p, alone(l) ? p->columns_alone : p->columns);
	else if (p->vector)
		plan_vector_phases(l, f, p, alone(l) ? p->copies_alone : p->copies);
	else
		plan_plain_phases(l, f, p, alone(l) ? p->copies_alone : p->copies);
}

/* Copies may take turns on one accumulator only if each update is written to it at once. */
static bool all_direct(const struct lower *l, unsigned loop)
{
	const struct gllm_trace *t = l->t;

	for (gllm_ref n = t->loop[loop].first; n < t->loop[loop].end; n++)
		if (t->node[n].op == GLLM_N_CARRY && t->node[n].loop == (int)loop && l->direct[t->node[n].b] != n)
			return false;
	return true;
}

static unsigned most_copies(const struct frame *f)
{
	unsigned n = 1;

	for (unsigned i = 0; i < f->nphases; i++)
		if (!f->ph[i].paired && f->ph[i].copies > n)
			n = f->ph[i].copies;
	return n;
}

unsigned gllm_lower_accumulators(const struct lower *l, const struct frame *f)
{
	const struct loop_plan *p = &l->loop[f->loop];
	unsigned most = most_copies(f), sums = alone(l) ? p->sums_alone : p->sums;

	if (p->tiled)
		return 2; /* of which only a row that is alone needs the second */
	return most > sums && all_direct(l, (unsigned)f->loop) ? sums : most;
}
