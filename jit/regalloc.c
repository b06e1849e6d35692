/* SPDX-License-Identifier: MIT
 * jit/regalloc.c - linear scan over intervals, spilling by rewriting.
 *
 * Instruction i reads at position 2i+1 and writes at 2i+2; position 0 is the entry. An interval runs from the first write
 * to the last access; a read inside a loop of something written before the loop carries it to the loop's end, because the
 * value must survive the way back. An operand that dies at an instruction may lend its register to the result, so select
 * writes a result only after its last read of an operand; temporaries differ from both.
 *
 * A round either fits, or chooses registers to live in the frame, rewrites every access to them through a register that
 * lives for one instruction only, and starts again. Such short registers are never chosen again, so rounds end. */
#include "jit/regalloc.h"
#include "core/bits.h"
#include "jit/regalloc_state.h"
#include "jit/vir.h"

enum { MAX_DEPTH = 16 };
_Static_assert(2 * GLLM_VIR_TEMPS == sizeof(uint64_t), "an instruction's temporaries are set to NOWHERE at once");

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

static void carry(struct sweep *w, gllm_vreg r)
{
	struct interval *x = &w->s->reg[r];
	unsigned k = 0;

	while (x->start >= w->open[k])
		k++;
	x->end = WAITS;
	x->next = w->waiting[k];
	w->waiting[k] = r;
}

/* False if the register is none of the program's, or is read before it is written. */
static inline bool note_read(struct sweep *w, struct interval *reg, gllm_vreg r, uint32_t at)
{
	if (r == NONE)
		return true;
	if (r >= w->nregs)
		return false;
	struct interval *x = &reg[r];
	if (x->end >= at)
		return true;
	x->end = at;
	if (x->start < w->inner)
		carry(w, r);
	return x->start != UINT32_MAX;
}

static inline bool note_write(const struct sweep *w, struct interval *reg, gllm_vreg r, uint32_t at)
{
	if (r == NONE)
		return true;
	if (r >= w->nregs || r == w->s->frame)
		return false;
	struct interval *d = &reg[r];
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
	const struct gllm_vi *ins = s->v->ins;
	struct interval *reg = s->reg;
	bool ok = true;

	for (unsigned l = 0; l < s->v->nlabels; l++)
		s->label[l] = UINT32_MAX;
	for (unsigned k = GLLM_VIR_ARGS; k < GLLM_VIR_FIRST_FREE; k++)
		reg[k].start = 0;
	if (s->frame != NONE)
		reg[s->frame].start = 0;
	for (uint32_t i = 0, n = s->v->n; i < n && ok; i++) {
		const struct gllm_vi *in = &ins[i];

		ok = in->op < GLLM_V_COUNT && (!gllm_vi_is_flow(in) || note_flow(&w, in, i)) && note_read(&w, reg, in->a, 2 * i + 1) &&
		     note_read(&w, reg, in->b, 2 * i + 1) && note_read(&w, reg, in->c, 2 * i + 1) && note_read(&w, reg, in->m, 2 * i + 1) &&
		     note_write(&w, reg, in->d, 2 * i + 2);
	}
	return ok && w.depth == 0 ? GLLM_OK : GLLM_INVALID_ARGUMENT;
}

/* --- one round ------------------------------------------------------------------------------------------------------ */

static inline uint32_t bit_of(unsigned rank)
{
	return (uint32_t)(UINT64_C(1) << rank); /* of NOWHERE: none */
}

/* A register that was spilled may have lost its place. */
static inline void release(struct scan *s, const struct interval *reg, gllm_vreg r)
{
	struct file *f = &s->file[reg[r].file];
	unsigned rank = reg[r].rank;

	f->vacant |= f->owner[rank] == r ? bit_of(rank) : 0;
}

static inline void release_dying(struct scan *s, const struct interval *reg, gllm_vreg r, uint32_t at)
{
	if (r != NONE && reg[r].end == at)
		release(s, reg, r);
}

/* Intervals end at a reader, at a write nobody reads, or at the end of a loop: nothing else need be looked at. */
static void release_all(struct scan *s, uint32_t before)
{
	for (unsigned f = 0; f < FILES; f++)
		for (uint32_t busy = ~s->file[f].vacant; busy; busy &= busy - 1) {
			gllm_vreg o = s->file[f].owner[__builtin_ctz(busy)];
			if (o != TEMP && s->reg[o].end < before)
				release(s, s->reg, o);
		}
}

/* A rank of the file for `who`: `hint` (a bit or none) if that is vacant, else rather none of `avoid`. NOWHERE if `who` itself is
 * the best to spill or nothing can be. */
static inline unsigned take(struct scan *s, struct file *f, gllm_vreg who, uint32_t hint, uint32_t avoid)
{
	uint32_t vacant = f->vacant & f->ranks, better = f->vacant & hint ? hint : vacant & ~avoid;
	unsigned rank;

	if (better)
		rank = (unsigned)__builtin_ctz(better);
	else if (vacant)
		rank = 31u - (unsigned)__builtin_clz(vacant);
	else if ((rank = gllm_regalloc_evict(s, f, who)) == NOWHERE)
		return NOWHERE;
	f->owner[rank] = who;
	f->vacant &= ~bit_of(rank);
	f->used |= bit_of(rank);
	return rank;
}

/* The rank of register r if it dies here in this file. */
static inline uint32_t left_by(const struct interval *reg, gllm_vreg r, unsigned file, uint32_t at)
{
	return r != NONE && reg[r].end == at && reg[r].file == file ? bit_of(reg[r].rank) : 0;
}

_Static_assert(GLLM_V_VTILE - GLLM_V_VFMA == 3, "VFMA VFNMA VDOT VTILE stand together");
/* The rank of an operand that dies here; of an addend, which is overwritten best, before others. */
static inline uint32_t hint_for(const struct interval *reg, const struct gllm_vi *in, uint32_t at, uint32_t avoid)
{
	bool adds = in->op >= GLLM_V_VFMA && in->op <= GLLM_V_VTILE;
	unsigned file = reg[in->d].file;
	uint32_t hint = adds ? left_by(reg, in->c, file, at) & ~avoid : 0;

	hint = hint ? hint : left_by(reg, in->a, file, at) & ~avoid;
	hint = hint ? hint : left_by(reg, in->b, file, at) & ~avoid;
	hint = hint || adds ? hint : left_by(reg, in->c, file, at) & ~avoid;
	return hint ? hint : left_by(reg, in->m, file, at) & ~avoid;
}

static enum gllm_status grant_temps(struct scan *s, unsigned i, struct gllm_need need)
{
	const unsigned count[2] = { need.g, need.v };

	for (unsigned c = 0; c < 2; c++)
		for (unsigned k = 0; k < count[c] && k < GLLM_VIR_TEMPS; k++) {
			struct file *f = &s->file[s->m->class_file[c]];
			unsigned rank = take(s, f, TEMP, 0, 0);

			if (rank == NOWHERE)
				return GLLM_COMPILE_ERROR;
			s->temp[i][c][k] = f->reg[rank];
		}
	return GLLM_OK;
}

static void release_temps(struct scan *s, unsigned i)
{
	for (unsigned c = 0; c < 2; c++)
		for (unsigned k = 0; k < GLLM_VIR_TEMPS && s->temp[i][c][k] < REGS; k++) {
			struct file *f = &s->file[s->m->class_file[c]];
			f->vacant |= bit_of(f->rank[s->temp[i][c][k]]);
		}
}

static inline enum gllm_status place(struct scan *s, struct interval *reg, const struct gllm_vi *in, uint32_t at, bool apart)
{
	struct interval *d = &reg[in->d];
	struct file *f = &s->file[d->file];
	uint32_t avoid = 0;

	if (apart)
		avoid = (in->a == NONE ? 0 : bit_of(reg[in->a].rank)) | (in->b == NONE ? 0 : bit_of(reg[in->b].rank));
	d->rank = (uint8_t)take(s, f, in->d, hint_for(reg, in, at, avoid), avoid);
	return d->rank == NOWHERE && !(d->flags & SPILL) ? GLLM_COMPILE_ERROR : GLLM_OK;
}

static void open_files(struct scan *s)
{
	for (unsigned c = 0; c < FILES; c++) {
		struct file *f = &s->file[c];
		unsigned n = 0;
		uint32_t ranked = 0;

		*f = (struct file){ .n = s->m->norder[c], .vacant = UINT32_MAX };
		f->ranks = f->n < REGS ? (UINT32_C(1) << f->n) - 1 : UINT32_MAX;
		for (; n < f->n; n++) {
			f->reg[n] = s->m->order[c][n];
			ranked |= UINT32_C(1) << f->reg[n];
		}
		for (unsigned k = 0; k < REGS; k++)
			if (!(ranked >> k & 1))
				f->reg[n++] = (uint8_t)k;
		for (unsigned k = 0; k < REGS; k++)
			f->rank[f->reg[k]] = (uint8_t)k;
		f->reg[NOWHERE] = 0xff;
		f->owner[NOWHERE] = NONE;
	}
}

static enum gllm_status walk(struct scan *s)
{
	struct file *g = &s->file[s->m->class_file[GLLM_CLASS_G]];
	struct gllm_need (*const need_of)(const struct gllm_vi *) = s->m->need;
	const struct gllm_vi *ins = s->v->ins;
	struct interval *reg = s->reg;

	open_files(s);
	for (gllm_vreg k = GLLM_VIR_ARGS; k < GLLM_VIR_FIRST_FREE; k++)
		if (reg[k].end > 0)
			reg[k].rank = (uint8_t)take(s, g, k, bit_of(g->rank[s->m->entry[k]]), 0);
	for (uint32_t i = 0, n = s->v->n; i < n; i++) {
		const struct gllm_vi *in = &ins[i];
		struct gllm_need need = need_of(in);
		enum gllm_status st = need.g | need.v ? grant_temps(s, i, need) : GLLM_OK;

		release_dying(s, reg, in->a, 2 * i + 1);
		release_dying(s, reg, in->b, 2 * i + 1);
		release_dying(s, reg, in->c, 2 * i + 1);
		release_dying(s, reg, in->m, 2 * i + 1);
		if (in->op == GLLM_V_LOOP_END)
			release_all(s, 2 * i + 2);
		if (st == GLLM_OK && gllm_vi_writes(in)) {
			if (reg[in->d].start == 2 * i + 2)
				st = place(s, reg, in, 2 * i + 1, need.apart);
			release_dying(s, reg, in->d, 2 * i + 2);
		}
		if (st != GLLM_OK)
			return st;
		if (need.g | need.v)
			release_temps(s, i);
	}
	return GLLM_OK;
}

/* --- rounds --------------------------------------------------------------------------------------------------------- */

static enum gllm_status prepare(struct scan *s)
{
	size_t nregs = s->v->nregs, n = s->v->n + 1u;

	s->reg = gllm_alloc_array(s->arena, nregs + 1, sizeof *s->reg, 8);
	s->offset = gllm_alloc_array(s->arena, n, sizeof *s->offset, 4);
	s->label = gllm_alloc_array(s->arena, s->v->nlabels + 1u, sizeof *s->label, 4);
	s->temp = gllm_alloc_array(s->arena, n, sizeof *s->temp, 8);
	if (!s->reg || !s->offset || !s->label || !s->temp)
		return GLLM_OUT_OF_MEMORY;
	for (size_t r = 0; r < nregs; r++)
		s->reg[r] = (struct interval){ .start = UINT32_MAX, .rank = NOWHERE, .flags = s->flags ? s->flags[r] : 0,
		                               .file = s->m->class_file[s->v->reg_class[r]] };
	s->reg[nregs] = (struct interval){ .start = UINT32_MAX, .rank = NOWHERE };
	unsigned char *temp = (unsigned char *)s->temp;
	for (size_t i = 0; i < n * sizeof *s->temp; i += sizeof(uint64_t))
		gllm_put_le64(temp + i, UINT64_MAX);
	s->weight = NULL;
	s->nspilled = 0;
	return GLLM_OK;
}

/* What select is told. */
static enum gllm_status hand_on(struct scan *s, struct gllm_allocation *out)
{
	unsigned nregs = s->v->nregs;
	uint8_t *where = gllm_alloc(s->arena, nregs, 1), *once = gllm_alloc(s->arena, nregs, 1);
	uint32_t *last = gllm_alloc_array(s->arena, nregs, sizeof *last, 4);

	if (!where || !once || !last)
		return GLLM_OUT_OF_MEMORY;
	for (unsigned r = 0; r < nregs; r++) {
		where[r] = s->file[s->reg[r].file].reg[s->reg[r].rank];
		once[r] = s->reg[r].once;
		last[r] = s->reg[r].end;
	}
	if (s->frame != NONE)
		where[s->frame] = s->m->stack;
	*out = (struct gllm_allocation){ .where = where, .temp = (const uint8_t (*)[2][GLLM_VIR_TEMPS])s->temp,
		.frame_bytes = (uint32_t)gllm_round_up(s->frame_bytes, 64), .frame = s->frame, .offset = s->offset, .label = s->label, .last = last,
		.once = once };
	for (unsigned f = 0; f < FILES; f++)
		for (uint32_t used = s->file[f].used; used; used &= used - 1)
			out->used[f] |= UINT32_C(1) << s->file[f].reg[__builtin_ctz(used)];
	return GLLM_OK;
}

static enum gllm_status allocate(struct scan *s)
{
	enum gllm_status st = intervals(s);

	return st == GLLM_OK ? walk(s) : st;
}

/* What is in the frame from the beginning (core/vir.h: GLLM_VIR_KEPT). */
static void keep(struct scan *s)
{
	for (unsigned i = 0; i < s->v->n && !s->began && s->m->adds_over; i++) {
		const struct gllm_vi *in = &s->v->ins[i];
		if (in->op == GLLM_V_VMOV && in->aux == GLLM_VIR_KEPT && !(s->reg[in->a].flags & SPILL)) {
			s->reg[in->a].flags |= SPILL;
			s->nspilled++;
		}
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
	while (st == GLLM_OK) {
		st = prepare(&s);
		if (st == GLLM_OK)
			keep(&s);
		if (st == GLLM_OK && s.nspilled == 0)
			st = allocate(&s);
		st = s.status != GLLM_OK ? s.status : st;
		if (st != GLLM_OK || s.nspilled == 0)
			break;
		st = gllm_regalloc_rewrite(&s);
	}
	return st == GLLM_OK ? hand_on(&s, out) : st;
}
