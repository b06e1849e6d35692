/* SPDX-License-Identifier: MIT
 * jit/regalloc.c - linear scan over intervals, spilling by rewriting.
 *
 * Instruction i reads at position 2i+1 and writes at 2i+2; position 0 is the entry. An interval runs from the first write
 * to the last access; a read inside a loop of something written before the loop carries it to the loop's end, because the
 * value must survive the way back. An operand that dies at an instruction may lend its register to the result, so select
 * writes a result only after its last read of an operand; temporaries differ from both.
 *
 * A round either fits, or stops where it lacks a register, chooses those that are to live in the frame, rewrites every access to
 * them through a register that lives for one instruction only, and starts again. Such short registers are never chosen again, so
 * rounds end. */
#include "jit/regalloc.h"
#include "core/bits.h"
#include "jit/regalloc_state.h"
#include "jit/vir.h"

enum { MAX_DEPTH = 16 };

/* --- intervals ------------------------------------------------------------------------------------------------------ */

/* What is read in a loop and was written before it lives to its end, the end of the outermost such loop: it waits in the list of
 * that loop until this is met, and until then `end` is beyond all instructions. */
struct sweep {
	struct scan *s;
	uint32_t open[MAX_DEPTH + 1];    /* 2i + 1 of LOOP_BEGINs; the one behind the innermost is 0 */
	gllm_vreg waiting[MAX_DEPTH];
	unsigned depth, nregs;
	uint32_t inner;                  /* where the innermost open loop begins, 0 outside */
};
#define WAITS UINT32_MAX

/* Register r, read in a loop, was written before it: false if it was not written at all. */
static bool carry(struct sweep *w, gllm_vreg r)
{
	struct gllm_interval *x = &w->s->reg[r];
	unsigned k = 0;

	if (x->start == UINT32_MAX)
		return false;
	while (x->start >= w->open[k])
		k++;
	x->end = WAITS;
	x->next = w->waiting[k];
	w->waiting[k] = r;
	return true;
}

/* False if the register is none of the program's, or is read before it is written. */
static inline bool note_read(struct sweep *w, struct gllm_interval *reg, gllm_vreg r, uint32_t at)
{
	if (r == NONE)
		return true;
	if (r >= w->nregs)
		return false;
	struct gllm_interval *x = &reg[r];
	if (x->end >= at)
		return true;
	x->end = at;
	return x->start + 1 > w->inner || carry(w, r); /* start + 1: 0 of what was not written */
}

static inline bool note_write(const struct sweep *w, struct gllm_interval *reg, gllm_vreg r, uint32_t at)
{
	if (r == NONE)
		return true;
	if (r >= w->nregs || r == w->s->frame)
		return false;
	struct gllm_interval *d = &reg[r];
	d->once = d->start == UINT32_MAX;
	d->start = d->once ? at : d->start;
	d->end = d->end < at ? at : d->end;
	return true;
}

static bool note_flow(struct sweep *w, const struct gllm_vi *in, uint32_t i)
{
	uint64_t label = (uint64_t)in->imm;

	if (in->op == GLLM_V_LABEL && label < w->s->v->nlabels && w->s->label[label] == UINT32_MAX)
		w->s->label[label] = i;
	if (in->op == GLLM_V_LOOP_BEGIN) {
		if (w->depth == MAX_DEPTH)
			return false;
		w->waiting[w->depth] = NONE;
		w->open[w->depth++] = w->inner = 2 * i + 1;
	}
	if (in->op == GLLM_V_LOOP_END) {
		if (w->depth-- == 0)
			return false;
		for (gllm_vreg r = w->waiting[w->depth]; r != NONE; r = w->s->reg[r].next)
			w->s->reg[r].end = 2 * i + 1;
		w->inner = w->depth ? w->open[w->depth - 1] : 0;
	}
	return true;
}

static enum gllm_status intervals(struct scan *s)
{
	struct sweep w = { .s = s, .nregs = s->v->nregs };
	struct gllm_interval *reg = s->reg;
	const struct gllm_vi *in = s->v->ins;

	for (unsigned l = 0; l < s->v->nlabels; l++)
		s->label[l] = UINT32_MAX;
	for (unsigned k = GLLM_VIR_ARGS; k < GLLM_VIR_FIRST_FREE; k++)
		reg[k].start = 0;
	if (s->frame != NONE)
		reg[s->frame].start = 0;
	for (uint32_t at = 1, end = 2 * s->v->n; at < end; at += 2, in++) {
		if (in->op >= GLLM_V_COUNT || (gllm_vi_is_flow(in) && !note_flow(&w, in, at / 2)))
			return GLLM_INVALID_ARGUMENT;
		if (!note_read(&w, reg, in->a, at) || !note_read(&w, reg, in->b, at) || !note_read(&w, reg, in->c, at) ||
		    !note_read(&w, reg, in->m, at) || !note_write(&w, reg, in->d, at + 1))
			return GLLM_INVALID_ARGUMENT;
	}
	return w.depth == 0 ? GLLM_OK : GLLM_INVALID_ARGUMENT;
}

/* --- one round ------------------------------------------------------------------------------------------------------ */

static inline void release(struct scan *s, unsigned place)
{
	s->vacant[place / REGS] |= gllm_place_bit(place);
}

/* Intervals end at a reader, at a write nobody reads, or at the end of a loop: nothing else need be looked at. */
static void release_all(struct scan *s, uint32_t before)
{
	for (unsigned f = 0; f < FILES; f++)
		for (uint32_t busy = ~s->vacant[f]; busy; busy &= busy - 1) {
			gllm_vreg o = s->owner[REGS * f + (unsigned)__builtin_ctz(busy)];
			if (o != TEMP && s->reg[o].end < before)
				release(s, s->reg[o].place);
		}
}

/* A place in the file for `who`: that of rank `hint` (a bit or none) if that is vacant, else rather none of `avoid`. NOWHERE: none is. */
static inline unsigned take(struct scan *s, unsigned file, gllm_vreg who, uint32_t hint, uint32_t avoid)
{
	uint32_t all = s->vacant[file], vacant = all & s->ranks[file], better = all & hint ? hint : vacant & ~avoid;
	unsigned place = REGS * file;

	if (better)
		place += (unsigned)__builtin_ctz(better);
	else if (vacant)
		place += 31u - (unsigned)__builtin_clz(vacant);
	else {
		s->lacks = file;
		return NOWHERE;
	}
	s->owner[place] = who;
	s->vacant[file] = all & ~gllm_place_bit(place);
	s->used[file] |= gllm_place_bit(place);
	return place;
}

/* An operand that dies here is released. If it was in this file, its rank, and rather none of `avoid`, is a hint before those
 * that others left. */
static inline void leave(struct scan *s, const struct gllm_interval *reg, gllm_vreg r, uint32_t at, unsigned file, uint32_t avoid,
                         uint32_t *hint)
{
	if (r == NONE || reg[r].end != at)
		return;
	unsigned place = reg[r].place;
	uint32_t bit = gllm_place_bit(place) & ~avoid;

	release(s, place);
	if (place / REGS == file && bit)
		*hint = bit;
}

_Static_assert(GLLM_V_VTILE - GLLM_V_VFMA == 3, "VFMA VFNMA VDOT VTILE stand together");
/* Operands that die leave the result their ranks; an addend, which is overwritten best, before others. */
static inline uint32_t leave_all(struct scan *s, const struct gllm_interval *reg, const struct gllm_vi *in, uint32_t at, uint32_t avoid)
{
	bool adds = in->op >= GLLM_V_VFMA && in->op <= GLLM_V_VTILE;
	unsigned file = in->d == NONE ? FILES + 1 : reg[in->d].file;
	uint32_t hint = 0;

	leave(s, reg, in->m, at, file, avoid, &hint);
	if (!adds)
		leave(s, reg, in->c, at, file, avoid, &hint);
	leave(s, reg, in->b, at, file, avoid, &hint);
	leave(s, reg, in->a, at, file, avoid, &hint);
	if (adds)
		leave(s, reg, in->c, at, file, avoid, &hint);
	return hint;
}

/* Temporaries; `lent` gets their ranks. */
static bool grant_temps(struct scan *s, unsigned i, struct gllm_need need, uint32_t lent[FILES])
{
	const unsigned count[2] = { need.g, need.v };

	for (unsigned c = 0; c < 2; c++)
		for (unsigned k = 0; k < count[c] && k < GLLM_VIR_TEMPS; k++) {
			unsigned file = s->m->class_file[c], place = take(s, file, TEMP, 0, 0);

			if (place == NOWHERE)
				return false;
			lent[file] |= gllm_place_bit(place);
			s->temp[i][c][k] = s->phys[place];
		}
	return true;
}

static inline bool place(struct scan *s, struct gllm_interval *d, gllm_vreg r, uint32_t hint, uint32_t avoid)
{
	unsigned at = take(s, d->file, r, hint, avoid);

	d->place = (uint8_t)at;
	s->where[r] = s->phys[at];
	return at != NOWHERE;
}

/* The result's place, which ends here if nobody reads it. */
static inline bool write(struct scan *s, gllm_vreg r, uint32_t at, uint32_t hint, uint32_t avoid)
{
	struct gllm_interval *d = &s->reg[r];
	bool fits = d->start != at || place(s, d, r, hint, avoid);

	if (d->end == at)
		release(s, d->place);
	return fits;
}

/* Ranks of the machine's registers. */
static void rank_files(struct scan *s)
{
	__builtin_memcpy(s->phys, s->m->order, sizeof s->m->order);
	for (unsigned f = 0; f < FILES; f++)
		s->ranks[f] = s->m->norder[f] < REGS ? (UINT32_C(1) << s->m->norder[f]) - 1 : UINT32_MAX;
	s->phys[NOWHERE] = 0xff;
	s->owner[NOWHERE] = NONE;
}

/* Of a physical register in which an argument arrives: one that the order does not have gets one behind. */
static unsigned rank_of(struct scan *s, unsigned file, uint8_t reg)
{
	uint8_t *phys = &s->phys[REGS * file];
	unsigned n = s->m->norder[file], rank = 0;

	while (rank < n && phys[rank] != reg)
		rank++;
	while (rank >= n && (s->vacant[file] >> rank & 1) == 0)
		rank++;
	phys[rank] = reg;
	return rank;
}

static void open_files(struct scan *s)
{
	unsigned g = s->m->class_file[GLLM_CLASS_G];

	for (unsigned f = 0; f < FILES; f++) {
		s->vacant[f] = UINT32_MAX;
		s->used[f] = 0;
	}
	for (gllm_vreg k = GLLM_VIR_ARGS; k < GLLM_VIR_FIRST_FREE; k++)
		if (s->reg[k].end > 0)
			place(s, &s->reg[k], k, UINT32_C(1) << rank_of(s, g, s->m->entry[k]), 0);
}

/* Ranks of the operands that the result is rather not to share. */
static uint32_t apart_from(const struct scan *s, const struct gllm_vi *in)
{
	return (in->a == NONE ? 0 : gllm_place_bit(s->reg[in->a].place)) | (in->b == NONE ? 0 : gllm_place_bit(s->reg[in->b].place));
}

/* False: a file does not suffice. */
static bool walk(struct scan *s)
{
	const struct gllm_machine *m = s->m;
	const struct gllm_vi *in = s->v->ins;
	bool fits = true;

	open_files(s);
	for (uint32_t i = 0, n = s->v->n; i < n && fits; i++, in++) {
		uint32_t lent[FILES], avoid = 0;
		struct gllm_need need = { 0, 0, false };

		if (gllm_vi_asks(m, in))
			need = m->need(in);
		bool lends = need.g | need.v;
		if (lends) {
			for (unsigned f = 0; f < FILES; f++)
				lent[f] = 0;
			fits = grant_temps(s, i, need, lent);
		}
		if (need.apart)
			avoid = apart_from(s, in);
		uint32_t hint = leave_all(s, s->reg, in, 2 * i + 1, avoid);
		if (in->op == GLLM_V_LOOP_END)
			release_all(s, 2 * i + 2);
		if (gllm_vi_writes(in))
			fits = write(s, in->d, 2 * i + 2, hint, avoid) && fits;
		for (unsigned f = 0; f < FILES && lends; f++)
			s->vacant[f] |= lent[f];
	}
	return fits;
}

/* --- rounds --------------------------------------------------------------------------------------------------------- */

/* Nothing is known of the registers but that some are short. */
static bool begin_intervals(struct scan *s)
{
	size_t nregs = s->v->nregs;
	const struct gllm_interval *had = s->reg;

	s->reg = gllm_alloc_array(s->arena, nregs + 1, sizeof *s->reg, 8);
	s->label = gllm_alloc_array(s->arena, s->v->nlabels + 1u, sizeof *s->label, 4);
	if (!s->reg || !s->label)
		return false;
	for (size_t r = 0; r < nregs; r++)
		s->reg[r] = (struct gllm_interval){ .start = UINT32_MAX, .place = NOWHERE, .file = s->m->class_file[s->v->reg_class[r]] };
	s->reg[nregs] = (struct gllm_interval){ .start = UINT32_MAX, .place = NOWHERE };
	for (size_t r = 0; r < nregs && had; r++)
		s->reg[r].flags = had[r].flags;
	return true;
}

static enum gllm_status prepare(struct scan *s)
{
	size_t nregs = s->v->nregs, n = s->v->n + 1u;

	if (!s->known && !begin_intervals(s))
		return GLLM_OUT_OF_MEMORY;
	s->where = gllm_alloc_array(s->arena, nregs + 1, 1, 8);
	s->offset = gllm_alloc_array(s->arena, n, sizeof *s->offset, 4);
	s->temp = gllm_alloc_array(s->arena, n, sizeof *s->temp, 8);
	s->spilled = gllm_alloc_array(s->arena, nregs, sizeof *s->spilled, 2);
	if (!s->where || !s->offset || !s->temp || !s->spilled)
		return GLLM_OUT_OF_MEMORY;
	__builtin_memset(s->where, 0xff, nregs + 1);
	__builtin_memset(s->temp, 0xff, n * sizeof *s->temp);
	s->weight = NULL;
	s->nspilled = 0;
	return GLLM_OK;
}

/* What select is told. */
static void hand_on(struct scan *s, struct gllm_allocation *out)
{
	if (s->frame != NONE)
		s->where[s->frame] = s->m->stack;
	*out = (struct gllm_allocation){ .where = s->where, .temp = (const uint8_t (*)[2][GLLM_VIR_TEMPS])s->temp,
		.frame_bytes = (uint32_t)gllm_round_up(s->frame_bytes, 64), .frame = s->frame, .offset = s->offset, .label = s->label,
		.reg = s->reg };
	for (unsigned f = 0; f < FILES; f++)
		for (uint32_t used = s->used[f]; used; used &= used - 1)
			out->used[f] |= UINT32_C(1) << s->phys[REGS * f + (unsigned)__builtin_ctz(used)];
}

static enum gllm_status allocate(struct scan *s)
{
	enum gllm_status st = s->known ? GLLM_OK : intervals(s);

	s->known = st == GLLM_OK;
	return st != GLLM_OK || walk(s) ? st : gllm_regalloc_choose(s, s->lacks);
}

/* What is in the frame from the beginning (core/vir.h: GLLM_VIR_KEPT). */
static void keep(struct scan *s)
{
	for (unsigned i = 0; i < s->v->n && !s->began && s->m->adds_over; i++) {
		const struct gllm_vi *in = &s->v->ins[i];
		if (in->op == GLLM_V_VMOV && in->aux == GLLM_VIR_KEPT && !(s->reg[in->a].flags & SPILL))
			gllm_regalloc_spill(s, in->a);
	}
	s->began = true;
}

enum gllm_status gllm_regalloc(struct gllm_vir *v, const struct gllm_machine *m, struct gllm_arena *arena,
                               struct gllm_allocation *out)
{
	struct scan s = { .v = v, .m = m, .arena = arena, .frame = NONE };
	enum gllm_status st = v->status;

	if (st == GLLM_OK && v->nregs < GLLM_VIR_FIRST_FREE)
		st = GLLM_INVALID_ARGUMENT;
	rank_files(&s);
	while (st == GLLM_OK) {
		st = prepare(&s);
		if (st == GLLM_OK)
			keep(&s);
		if (st == GLLM_OK && s.nspilled == 0)
			st = allocate(&s);
		if (st != GLLM_OK || s.nspilled == 0)
			break;
		st = gllm_regalloc_rewrite(&s);
	}
	if (st == GLLM_OK)
		hand_on(&s, out);
	return st;
}
