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
#include "jit/vir.h"

enum { MAX_DEPTH = 16, FILES = 3, REGS = 32 };
#define NONE GLLM_NO_VREG
#define TEMP ((gllm_vreg)0xfffe) /* owner of a register granted as temporary */
#define NOWHERE 0xff
_Static_assert(2 * GLLM_VIR_TEMPS == sizeof(uint64_t), "an instruction's temporaries are set to NOWHERE at once");

enum { SHORT = 1, SPILL = 2, CONSTANT = 4 }; /* what is known of a register */

struct interval { /* of a virtual register */
	uint32_t start, end;   /* start UINT32_MAX: never accessed */
	uint8_t flags, where, file;
	uint8_t once;          /* written by one instruction */
};

struct weight { /* of a virtual register, once it is asked which to spill */
	uint64_t cost;         /* accesses, weighted by loop depth */
	uint32_t def;          /* the writing instruction where CONSTANT */
	uint32_t slot;         /* frame offset where SPILL */
	uint8_t depth;         /* of the innermost loop with an access */
};

/* Physical registers. A rank is a place in the machine's order; those outside of it have the ranks behind. */
struct file {
	gllm_vreg owner[REGS]; /* by rank */
	uint8_t reg[REGS], rank[REGS];
	uint32_t vacant;       /* ranks that have no owner */
	uint32_t used;         /* registers */
	uint32_t ranks;        /* that may be handed out: the first n */
	unsigned n;
};

struct scan {
	struct gllm_vir *v;
	const struct gllm_machine *m;
	struct gllm_arena *arena;
	gllm_vreg frame;       /* NONE until something is spilled */
	uint32_t frame_bytes;
	struct interval *reg;  /* with one to spare */
	struct weight *weight; /* NULL until a register is to be spilled in this round */
	const uint8_t *flags;  /* of the registers as this round begins */
	uint8_t (*temp)[2][GLLM_VIR_TEMPS];
	gllm_vreg *next;       /* see struct sweep */
	uint32_t *offset;      /* room for select */
	uint32_t *label;       /* where labels stand */
	struct file file[FILES];
	unsigned nspilled;
	bool began;            /* not the first round */
	enum gllm_status status; /* of what is asked while spilling */
};

static bool writes(const struct gllm_vi *i)
{
	return i->d != NONE;
}

/* --- intervals ------------------------------------------------------------------------------------------------------ */

/* What is read in a loop and was written before it lives to its end, the end of the outermost such loop: it waits in the list of
 * that loop until this is met, and until then `end` is beyond all instructions. */
struct sweep {
	struct scan *s;
	uint32_t open[MAX_DEPTH + 1];    /* 2i + 1 of LOOP_BEGINs; the one behind the innermost is 0 */
	gllm_vreg waiting[MAX_DEPTH];
	unsigned depth;
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
	w->s->next[r] = w->waiting[k];
	w->waiting[k] = r;
}

/* False if the register is none, or is read before it is written. */
static inline bool note_read(struct sweep *w, gllm_vreg r, uint32_t at)
{
	if (r == NONE)
		return true;
	if (r >= w->s->v->nregs)
		return false;
	struct interval *x = &w->s->reg[r];
	if (x->end >= at)
		return true;
	if (x->start == UINT32_MAX && r != w->s->frame)
		return false;
	x->end = at;
	if (x->start < w->inner)
		carry(w, r);
	return true;
}

static inline bool note_write(struct scan *s, gllm_vreg r, uint32_t at)
{
	if (r == NONE)
		return true;
	if (r >= s->v->nregs || r == s->frame)
		return false;
	struct interval *d = &s->reg[r];
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
		for (gllm_vreg r = w->waiting[w->depth]; r != NONE; r = w->s->next[r])
			w->s->reg[r].end = 2 * i + 1;
		w->inner = w->depth ? w->open[w->depth - 1] : 0;
	}
	return true;
}

static enum gllm_status intervals(struct scan *s)
{
	struct sweep w = { .s = s };
	bool ok = true;

	for (unsigned l = 0; l < s->v->nlabels; l++)
		s->label[l] = UINT32_MAX;
	for (unsigned k = GLLM_VIR_ARGS; k < GLLM_VIR_FIRST_FREE; k++)
		s->reg[k].start = 0;
	for (uint32_t i = 0; i < s->v->n && ok; i++) {
		const struct gllm_vi *in = &s->v->ins[i];

		ok = in->op < GLLM_V_COUNT && (!gllm_vi_is_flow(in) || note_flow(&w, in, i)) && note_read(&w, in->a, 2 * i + 1) &&
		     note_read(&w, in->b, 2 * i + 1) && note_read(&w, in->c, 2 * i + 1) && note_read(&w, in->m, 2 * i + 1) &&
		     note_write(s, in->d, 2 * i + 2);
	}
	return ok && w.depth == 0 ? GLLM_OK : GLLM_INVALID_ARGUMENT;
}

/* What deciding between registers to spill takes. */
static bool weigh(struct scan *s)
{
	unsigned depth = 0;
	uint64_t cost = 1;

	s->weight = gllm_alloc_array(s->arena, s->v->nregs + 1u, sizeof *s->weight, 8);
	if (!s->weight)
		return false;
	for (unsigned r = 0; r <= s->v->nregs; r++)
		s->weight[r] = (struct weight){ .cost = 0 };
	for (unsigned i = 0; i < s->v->n; i++) {
		const struct gllm_vi *in = &s->v->ins[i];
		gllm_vreg r[5];
		unsigned n = gllm_vi_uses(in, r);

		if (in->op == GLLM_V_LOOP_BEGIN || in->op == GLLM_V_LOOP_END) {
			depth = in->op == GLLM_V_LOOP_BEGIN ? depth + 1 : depth - 1;
			cost = UINT64_C(1) << (depth < 8 ? 3 * depth : 24);
		}
		if (writes(in)) {
			struct interval *d = &s->reg[in->d];
			if (d->once && (in->op == GLLM_V_GCONST || in->op == GLLM_V_VZERO)) {
				d->flags |= CONSTANT;
				s->weight[in->d].def = i;
			}
			r[n++] = in->d;
		}
		for (; n-- > 0;) {
			struct weight *x = &s->weight[r[n]];
			x->cost += cost;
			x->depth = (uint8_t)(x->depth < depth ? depth : x->depth);
		}
	}
	return true;
}

/* --- one round ------------------------------------------------------------------------------------------------------ */

static void vacate(struct file *f, unsigned rank)
{
	f->owner[rank] = NONE;
	f->vacant |= UINT32_C(1) << rank;
}

static void release(struct scan *s, gllm_vreg r)
{
	struct file *f = &s->file[s->reg[r].file];

	if (s->reg[r].where == NOWHERE)
		return;
	unsigned rank = f->rank[s->reg[r].where];
	if (f->owner[rank] == r)
		vacate(f, rank);
}

static inline void release_dying(struct scan *s, gllm_vreg r, uint32_t at)
{
	if (r != NONE && s->reg[r].end == at)
		release(s, r);
}

/* Intervals end at a reader, at a write nobody reads, or at the end of a loop: nothing else need be looked at. */
static void release_all(struct scan *s, uint32_t before)
{
	for (unsigned f = 0; f < FILES; f++)
		for (uint32_t busy = ~s->file[f].vacant; busy; busy &= busy - 1) {
			gllm_vreg o = s->file[f].owner[__builtin_ctz(busy)];
			if (o != NONE && o != TEMP && s->reg[o].end < before)
				release(s, o);
		}
}

/* Is it better to keep `a` in memory than `b`: an inner loop is the last place for spill code; within one depth, fewer
 * weighted accesses per length of the interval. */
static bool cheaper(const struct scan *s, gllm_vreg x, gllm_vreg y)
{
	const struct interval *a = &s->reg[x], *b = &s->reg[y];
	uint64_t la = (uint64_t)a->end - a->start + 1, lb = (uint64_t)b->end - b->start + 1;
	uint64_t ca = s->weight[x].cost >> ((a->flags & CONSTANT) != 0), cb = s->weight[y].cost >> ((b->flags & CONSTANT) != 0);

	if (s->weight[x].depth != s->weight[y].depth)
		return s->weight[x].depth < s->weight[y].depth;
	return ca * lb < cb * la; /* costs < 2^40, lengths < 2^18 for the sizes compiled here; a wrap only costs speed */
}

/* The rank whose owner is the best to spill, `who` among them; NOWHERE if that is `who` or nothing can be. */
static unsigned evict(struct scan *s, struct file *f, gllm_vreg who)
{
	gllm_vreg victim = who != TEMP && !(s->reg[who].flags & SHORT) ? who : NONE;

	if (!s->weight && !weigh(s)) {
		s->status = GLLM_OUT_OF_MEMORY;
		return NOWHERE;
	}
	for (unsigned k = 0; k < f->n; k++) {
		gllm_vreg o = f->owner[k];

		if (o != TEMP && !(s->reg[o].flags & SHORT) && (victim == NONE || cheaper(s, o, victim)))
			victim = o;
	}
	if (victim == NONE)
		return NOWHERE;
	s->reg[victim].flags |= SPILL;
	s->nspilled++;
	return victim == who ? NOWHERE : f->rank[s->reg[victim].where];
}

/* A register of the file for `who`: the hint if it is free, else rather none of `avoid`. NOWHERE if `who` itself is the
 * best to spill or nothing can be. */
static unsigned take(struct scan *s, struct file *f, gllm_vreg who, unsigned hint, uint32_t avoid)
{
	uint32_t vacant = f->vacant & f->ranks, better = vacant & ~avoid;
	unsigned rank;

	if (hint != NOWHERE && f->owner[hint] == NONE && !(avoid >> hint & 1))
		rank = hint;
	else if (better)
		rank = (unsigned)__builtin_ctz(better);
	else if (vacant)
		rank = 31u - (unsigned)__builtin_clz(vacant);
	else if ((rank = evict(s, f, who)) == NOWHERE)
		return NOWHERE;
	f->owner[rank] = who;
	f->vacant &= ~(UINT32_C(1) << rank);
	f->used |= UINT32_C(1) << f->reg[rank];
	return f->reg[rank];
}

static uint32_t bit_of(const struct scan *s, const struct file *f, gllm_vreg r)
{
	return r == NONE || s->reg[r].where == NOWHERE ? 0 : UINT32_C(1) << f->rank[s->reg[r].where];
}

/* The rank of an operand that dies here; of an addend, which is overwritten best, before others. */
static unsigned hint_for(const struct scan *s, const struct gllm_vi *in, uint32_t at, uint32_t avoid)
{
	bool adds = in->op == GLLM_V_VFMA || in->op == GLLM_V_VFNMA || in->op == GLLM_V_VDOT || in->op == GLLM_V_VTILE;
	const gllm_vreg by[4] = { adds ? in->c : in->a, adds ? in->a : in->b, adds ? in->b : in->c, in->m };
	unsigned file = s->reg[in->d].file;
	const struct file *f = &s->file[file];

	for (unsigned k = 0; k < 4; k++) {
		if (by[k] == NONE)
			continue;
		const struct interval *o = &s->reg[by[k]];
		if (o->end == at && o->file == file && bit_of(s, f, by[k]) & ~avoid)
			return f->rank[o->where];
	}
	return NOWHERE;
}

static enum gllm_status grant_temps(struct scan *s, unsigned i, struct gllm_need need)
{
	const unsigned count[2] = { need.g, need.v };

	for (unsigned c = 0; c < 2; c++)
		for (unsigned k = 0; k < count[c] && k < GLLM_VIR_TEMPS; k++) {
			unsigned reg = take(s, &s->file[s->m->class_file[c]], TEMP, NOWHERE, 0);

			if (reg == NOWHERE)
				return GLLM_COMPILE_ERROR;
			s->temp[i][c][k] = (uint8_t)reg;
		}
	return GLLM_OK;
}

static void release_temps(struct scan *s, unsigned i)
{
	for (unsigned c = 0; c < 2; c++)
		for (unsigned k = 0; k < GLLM_VIR_TEMPS && s->temp[i][c][k] != NOWHERE; k++) {
			struct file *f = &s->file[s->m->class_file[c]];
			vacate(f, f->rank[s->temp[i][c][k]]);
		}
}

static enum gllm_status place(struct scan *s, const struct gllm_vi *in, uint32_t at, bool apart)
{
	struct interval *d = &s->reg[in->d];
	struct file *f = &s->file[d->file];
	uint32_t avoid = apart ? bit_of(s, f, in->a) | bit_of(s, f, in->b) : 0;
	unsigned reg = take(s, f, in->d, hint_for(s, in, at, avoid), avoid);

	d->where = (uint8_t)reg;
	return reg == NOWHERE && !(d->flags & SPILL) ? GLLM_COMPILE_ERROR : GLLM_OK;
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
		for (unsigned k = 0; k < REGS; k++) {
			f->rank[f->reg[k]] = (uint8_t)k;
			f->owner[k] = NONE;
		}
	}
}

static enum gllm_status walk(struct scan *s)
{
	struct file *g = &s->file[s->m->class_file[GLLM_CLASS_G]];

	open_files(s);
	for (gllm_vreg k = GLLM_VIR_ARGS; k < GLLM_VIR_FIRST_FREE; k++)
		if (s->reg[k].end > 0)
			s->reg[k].where = (uint8_t)take(s, g, k, g->rank[s->m->entry[k]], 0);
	for (uint32_t i = 0; i < s->v->n; i++) {
		const struct gllm_vi *in = &s->v->ins[i];
		struct gllm_need need = s->m->need(in);
		enum gllm_status st = need.g | need.v ? grant_temps(s, i, need) : GLLM_OK;

		release_dying(s, in->a, 2 * i + 1);
		release_dying(s, in->b, 2 * i + 1);
		release_dying(s, in->c, 2 * i + 1);
		release_dying(s, in->m, 2 * i + 1);
		if (in->op == GLLM_V_LOOP_END)
			release_all(s, 2 * i + 2);
		if (st == GLLM_OK && writes(in)) {
			if (s->reg[in->d].start == 2 * i + 2)
				st = place(s, in, 2 * i + 1, need.apart);
			release_dying(s, in->d, 2 * i + 2);
		}
		if (st != GLLM_OK)
			return st;
		if (need.g | need.v)
			release_temps(s, i);
	}
	return GLLM_OK;
}

/* --- rewriting ------------------------------------------------------------------------------------------------------ */

/* Is the register a lane mask that is not a vector? */
static bool is_mask(const struct scan *s, unsigned cls)
{
	return cls == GLLM_CLASS_M && s->m->class_file[GLLM_CLASS_M] != s->m->class_file[GLLM_CLASS_V];
}

static uint32_t new_slot(struct scan *s, unsigned cls)
{
	uint32_t mask = s->m->vector_bytes > 64 ? s->m->vector_bytes / 8u : 8; /* a bit per byte at most */
	uint32_t bytes = cls == GLLM_CLASS_G ? 8 : is_mask(s, cls) ? mask : s->m->vector_bytes;
	uint32_t at = (uint32_t)gllm_round_up(s->frame_bytes, bytes);

	s->frame_bytes = at + bytes;
	return at;
}

static struct gllm_vi spill_access(const struct scan *s, gllm_vreg r, gllm_vreg reg, bool store)
{
	bool g = s->v->reg_class[r] == GLLM_CLASS_G;
	struct gllm_vi i = { 0 };

	i.op = (uint8_t)(store ? g ? GLLM_V_GSTORE : GLLM_V_VSTORE : g ? GLLM_V_GLOAD : GLLM_V_VLOAD);
	i.type = i.mem = g ? GLLM_I64 : is_mask(s, s->v->reg_class[r]) ? GLLM_MASK : GLLM_F32;
	i.a = s->frame;
	i.d = store ? NONE : reg;
	i.b = i.m = NONE;
	i.c = store ? reg : NONE;
	i.imm = s->weight[r].slot;
	return i;
}

struct rewrite { /* the new code as it grows */
	struct gllm_vi *ins;
	unsigned n;
	uint8_t *reg_class, *flags;
	unsigned nregs;
};

static gllm_vreg short_reg(struct rewrite *w, uint8_t cls)
{
	w->reg_class[w->nregs] = cls;
	w->flags[w->nregs] = SHORT;
	return (gllm_vreg)w->nregs++;
}

/* The value of a spilled register in a new one. */
static gllm_vreg reload(struct scan *s, struct rewrite *w, gllm_vreg r)
{
	gllm_vreg t = short_reg(w, s->v->reg_class[r]);

	if (s->reg[r].flags & CONSTANT) {
		w->ins[w->n] = s->v->ins[s->weight[r].def];
		w->ins[w->n++].d = t;
	} else {
		w->ins[w->n++] = spill_access(s, r, t, false);
	}
	return t;
}

static void rename(struct gllm_vi *i, gllm_vreg from, gllm_vreg to)
{
	i->a = i->a == from ? to : i->a;
	i->b = i->b == from ? to : i->b;
	i->c = i->c == from ? to : i->c;
	i->m = i->m == from ? to : i->m;
}

static bool in_frame(const struct scan *s, gllm_vreg r)
{
	return r != s->frame && (s->reg[r].flags & SPILL) && !(s->reg[r].flags & CONSTANT);
}

static void rewrite_one(struct scan *s, struct rewrite *w, struct gllm_vi in)
{
	gllm_vreg use[4], d = in.d;
	unsigned n = gllm_vi_uses(&in, use);

	if ((in.op == GLLM_V_VMOV || in.op == GLLM_V_GMOV) && in_frame(s, in.a) != in_frame(s, d) &&
	    !((s->reg[in.a].flags | s->reg[d].flags) & CONSTANT)) { /* a load or a store */
		w->ins[w->n++] = in_frame(s, d) ? spill_access(s, d, in.a, true) : spill_access(s, in.a, d, false);
		return;
	}
	for (unsigned k = 0; k < n; k++)
		if (use[k] != s->frame && (s->reg[use[k]].flags & SPILL)) {
			gllm_vreg t = reload(s, w, use[k]);

			for (unsigned j = k + 1; j < n; j++)
				if (use[j] == use[k])
					use[j] = s->frame; /* done with it */
			in.d = use[k] == d ? t : in.d;
			rename(&in, use[k], t);
		}
	if (!writes(&in) || !(s->reg[d].flags & SPILL)) {
		w->ins[w->n++] = in;
		return;
	}
	if (s->reg[d].flags & CONSTANT)
		return; /* made again at each use */
	if (in.d == d)
		in.d = short_reg(w, s->v->reg_class[d]);
	w->ins[w->n++] = in;
	w->ins[w->n++] = spill_access(s, d, in.d, true);
}

/* Room that the rewritten code needs: instructions more and registers more. */
static unsigned spill_accesses(const struct scan *s)
{
	unsigned more = GLLM_VIR_FIRST_FREE;

	for (unsigned i = 0; i < s->v->n; i++) {
		gllm_vreg r[4];
		unsigned n = gllm_vi_uses(&s->v->ins[i], r);

		for (unsigned k = 0; k < n; k++)
			more += r[k] != s->frame && (s->reg[r[k]].flags & SPILL);
		more += writes(&s->v->ins[i]) && (s->reg[s->v->ins[i].d].flags & SPILL);
	}
	return more;
}

static enum gllm_status rewrite(struct scan *s)
{
	struct gllm_vir *v = s->v;
	unsigned more = spill_accesses(s);
	struct rewrite w = { .n = 0 };

	if (v->nregs + more + 1 >= TEMP)
		return GLLM_COMPILE_ERROR;
	if (!s->weight && !weigh(s))
		return GLLM_OUT_OF_MEMORY;
	w.ins = gllm_alloc_array(s->arena, v->n + more, sizeof *w.ins, 8);
	w.reg_class = gllm_alloc_array(s->arena, v->nregs + more + 1, 1, 1);
	w.flags = gllm_alloc_array(s->arena, v->nregs + more + 1, 1, 1);
	if (!w.ins || !w.reg_class || !w.flags)
		return GLLM_OUT_OF_MEMORY;
	for (unsigned r = 0; r < v->nregs; r++) {
		w.reg_class[r] = v->reg_class[r];
		w.flags[r] = s->reg[r].flags & SHORT;
	}
	w.nregs = v->nregs;
	if (s->frame == NONE) {
		s->frame = short_reg(&w, GLLM_CLASS_G);
		s->reg[s->frame].flags = 0;
	}
	for (unsigned r = 0; r < v->nregs; r++)
		if (r != s->frame && (s->reg[r].flags & SPILL) && !(s->reg[r].flags & CONSTANT))
			s->weight[r].slot = new_slot(s, v->reg_class[r]);
	for (gllm_vreg k = GLLM_VIR_ARGS; k < GLLM_VIR_FIRST_FREE; k++)
		if (s->reg[k].flags & SPILL) { /* an argument arrives in its register and is stored at once */
			w.ins[w.n++] = spill_access(s, k, k, true);
			w.flags[k] = SHORT;
		}
	for (unsigned i = 0; i < v->n; i++)
		rewrite_one(s, &w, v->ins[i]);
	v->ins = w.ins;
	v->n = w.n;
	v->max = v->n;
	v->reg_class = w.reg_class;
	v->nregs = v->max_regs = w.nregs;
	s->flags = w.flags;
	return GLLM_OK;
}

/* --- rounds --------------------------------------------------------------------------------------------------------- */

static enum gllm_status prepare(struct scan *s)
{
	size_t nregs = s->v->nregs, n = s->v->n + 1u;

	s->reg = gllm_alloc_array(s->arena, nregs + 1, sizeof *s->reg, 8);
	s->next = gllm_alloc_array(s->arena, nregs + 1, sizeof *s->next, 2);
	s->offset = gllm_alloc_array(s->arena, n, sizeof *s->offset, 4);
	s->label = gllm_alloc_array(s->arena, s->v->nlabels + 1u, sizeof *s->label, 4);
	s->temp = gllm_alloc_array(s->arena, n, sizeof *s->temp, 8);
	if (!s->reg || !s->next || !s->offset || !s->label || !s->temp)
		return GLLM_OUT_OF_MEMORY;
	for (size_t r = 0; r < nregs; r++)
		s->reg[r] = (struct interval){ .start = UINT32_MAX, .where = NOWHERE, .flags = s->flags ? s->flags[r] : 0,
		                               .file = s->m->class_file[s->v->reg_class[r]] };
	s->reg[nregs] = (struct interval){ .start = UINT32_MAX, .where = NOWHERE };
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
		where[r] = s->reg[r].where;
		once[r] = s->reg[r].once;
		last[r] = s->reg[r].end;
	}
	if (s->frame != NONE)
		where[s->frame] = s->m->stack;
	*out = (struct gllm_allocation){ .where = where, .temp = (const uint8_t (*)[2][GLLM_VIR_TEMPS])s->temp,
		.frame_bytes = (uint32_t)gllm_round_up(s->frame_bytes, 64), .frame = s->frame, .offset = s->offset, .label = s->label, .last = last,
		.once = once };
	for (unsigned f = 0; f < FILES; f++)
		out->used[f] = s->file[f].used;
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
		st = rewrite(&s);
	}
	return st == GLLM_OK ? hand_on(&s, out) : st;
}

/* --- the check ------------------------------------------------------------------------------------------------------ */

struct holds { /* which virtual register each physical one holds */
	gllm_vreg reg[FILES][REGS];
	bool known;
};

struct replay {
	const struct gllm_vir *v;
	const struct gllm_machine *m;
	const struct gllm_allocation *a;
	struct holds *label, now;
	bool changed;
};

static void meet(struct replay *p, uint64_t label)
{
	struct holds *l = &p->label[label];

	if (!l->known) {
		*l = p->now;
		p->changed = true;
		return;
	}
	for (unsigned f = 0; f < FILES; f++)
		for (unsigned k = 0; k < REGS; k++)
			if (l->reg[f][k] != NONE && l->reg[f][k] != p->now.reg[f][k]) {
				l->reg[f][k] = NONE;
				p->changed = true;
			}
}

static bool replay_one(struct replay *p, unsigned i)
{
	const struct gllm_vi *in = &p->v->ins[i];
	gllm_vreg r[4];
	unsigned n = gllm_vi_uses(in, r);

	for (unsigned k = 0; k < n; k++) {
		unsigned f = p->m->class_file[p->v->reg_class[r[k]]], reg = p->a->where[r[k]];

		if (r[k] == p->a->frame ? reg != p->m->stack : reg >= REGS || p->now.reg[f][reg] != r[k])
			return false;
		for (unsigned t = 0; t < 2 * GLLM_VIR_TEMPS; t++)
			if (p->m->class_file[t & 1] == f && p->a->temp[i][t & 1][t >> 1] == reg)
				return false;
	}
	for (unsigned t = 0; t < 2 * GLLM_VIR_TEMPS; t++) {
		unsigned reg = p->a->temp[i][t & 1][t >> 1];

		if (reg < REGS)
			p->now.reg[p->m->class_file[t & 1]][reg] = NONE;
	}
	if (writes(in)) {
		unsigned f = p->m->class_file[p->v->reg_class[in->d]], reg = p->a->where[in->d];

		if (reg >= REGS || !(p->m->allocatable[f] >> reg & 1))
			return false;
		for (unsigned t = 0; t < 2 * GLLM_VIR_TEMPS; t++)
			if (p->m->class_file[t & 1] == f && p->a->temp[i][t & 1][t >> 1] == reg)
				return false;
		p->now.reg[f][reg] = in->d;
	}
	return true;
}

static bool replay_flow(struct replay *p, const struct gllm_vi *in)
{
	bool branch = in->op == GLLM_V_JUMP || in->op == GLLM_V_BRANCH || in->op == GLLM_V_BRANCHI;

	if ((branch || in->op == GLLM_V_LABEL) && (in->imm < 0 || in->imm >= p->v->nlabels))
		return false;
	if (in->op == GLLM_V_LABEL) {
		if (p->now.known)
			meet(p, (uint64_t)in->imm);
		p->now = p->label[in->imm];
	}
	if (branch && p->now.known)
		meet(p, (uint64_t)in->imm);
	if (in->op == GLLM_V_JUMP || in->op == GLLM_V_RET)
		p->now.known = false;
	return true;
}

enum gllm_status gllm_regalloc_check(const struct gllm_vir *v, const struct gllm_machine *m,
                                     const struct gllm_allocation *a, struct gllm_arena scratch, unsigned *at)
{
	struct replay p = { .v = v, .m = m, .a = a, .changed = true };

	p.label = gllm_alloc_array(&scratch, v->nlabels + 1u, sizeof *p.label, 8);
	if (!p.label)
		return GLLM_OUT_OF_MEMORY;
	for (unsigned l = 0; l <= v->nlabels; l++)
		p.label[l].known = false;
	while (p.changed) { /* states only lose entries, so this ends; the last pass sees the final states everywhere */
		p.changed = false;
		for (unsigned f = 0; f < FILES; f++)
			for (unsigned k = 0; k < REGS; k++)
				p.now.reg[f][k] = NONE;
		for (gllm_vreg k = GLLM_VIR_ARGS; k < GLLM_VIR_FIRST_FREE; k++)
			p.now.reg[m->class_file[GLLM_CLASS_G]][m->entry[k]] = k;
		p.now.known = true;
		for (unsigned i = 0; i < v->n; i++)
			if (!replay_flow(&p, &v->ins[i]) || (p.now.known && !replay_one(&p, i))) {
				*at = i;
				return GLLM_COMPILE_ERROR;
			}
	}
	return GLLM_OK;
}
