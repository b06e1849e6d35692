/* SPDX-License-Identifier: MIT
 * jit/vir_overlap.c - see vir_overlap.h.
 *
 * The last loop of a row joins the one before it of the next row; then this pair the one before, until there is one.
 *
 *     for each row: A; loop M; B; loop L; C      becomes      A; M; B; for each row but the first: { A; L with M; C; B }; L; C
 *
 * where of C what only the first part of a row uses goes with B: pointers that move on, the count of rows. What B computes for L
 * is still there when the next row's M runs; what A or M do is kept in a register of its own. In a turn L goes first, so that it
 * has read what M writes where the last row's was. */
#include "jit/vir_overlap.h"
#include "jit/vir.h"

enum { MOST_TIMES = 8 };

/* Who accesses a register: A and M; B; what of C goes with them; L and the rest of C; what stands before or behind the loop. */
enum {
	READ_EARLY = 1, WRITTEN_EARLY = 2, READ_B = 4, WRITTEN_B = 8, READ_C = 16, WRITTEN_C = 32, READ_LATE = 64, WRITTEN_LATE = 128,
	ELSEWHERE = 256, BY_LOOP = 512, CARRIED_EARLY = 1024, CARRIED_LATE = 2048, /* its part of a row reads it first */
	EARLY = READ_EARLY | WRITTEN_EARLY | READ_B | WRITTEN_B | READ_C | WRITTEN_C, LATE = READ_LATE | WRITTEN_LATE,
};

struct pass { /* LOOP_BEGIN, LABEL, what is done, from `steps` on pointers and the counter, the branch, LOOP_END */
	unsigned begin, body, steps, end;
	gllm_vreg counter;
	int64_t turns;
	unsigned copies;     /* the greatest number of a copy */
	bool stores;
};

struct overlap {
	struct gllm_vir *v;
	struct gllm_vi *out; unsigned n, max;
	unsigned nregs;      /* of the program as it was */
	uint16_t *uses;      /* per register */
	bool *fresh;         /* one turn of a pass writes it before it reads it */
	gllm_vreg *name, *late_name; /* in what is written now */
	unsigned rows, rows_end; /* the brackets of the loop over rows */
	struct pass m, l;
	bool fits;
};

struct turns { /* of one pass within one turn of both */
	const struct pass *p;
	gllm_vreg *name;
	unsigned times, done; /* instructions */
};

static const struct gllm_vi *at(const struct overlap *o, unsigned i)
{
	return &o->v->ins[i];
}

static bool is_step(const struct gllm_vi *i)
{
	return (i->op == GLLM_V_GADDI || i->op == GLLM_V_GADD) && i->d == i->a && i->b != i->d;
}

static bool has_address(const struct gllm_vi *i)
{
	return gllm_vi_accesses(i) || i->op == GLLM_V_PREFETCH;
}

/* --- the loops -------------------------------------------------------------------------------------------------------- */

static unsigned close_of(const struct gllm_vir *v, unsigned begin)
{
	unsigned depth = 0, i = begin;

	for (; i < v->n; i++) {
		depth += v->ins[i].op == GLLM_V_LOOP_BEGIN;
		depth -= v->ins[i].op == GLLM_V_LOOP_END;
		if (depth == 0)
			break;
	}
	return i;
}

static bool closes(const struct overlap *o, unsigned begin, unsigned end)
{
	return end >= begin + 4 && at(o, begin + 1)->op == GLLM_V_LABEL && at(o, end - 1)->op == GLLM_V_BRANCHI &&
	       at(o, end - 1)->imm == at(o, begin + 1)->imm;
}

/* The pass whose loop begins at `begin`; its number of turns is set in the straight line from `from` to there. */
static bool find_pass(const struct overlap *o, unsigned from, unsigned begin, struct pass *p)
{
	unsigned end = close_of(o->v, begin), counts = 0;

	if (!closes(o, begin, end) || at(o, end - 1)->cc != GLLM_VCC_NE || at(o, end - 1)->aux != 0)
		return false;
	*p = (struct pass){ .begin = begin, .body = begin + 2, .steps = end - 1, .end = end, .counter = at(o, end - 1)->a };
	while (p->steps > p->body && is_step(at(o, p->steps - 1)))
		p->steps--;
	for (unsigned i = p->body; i < p->steps; i++) {
		const struct gllm_vi *x = at(o, i);
		if (gllm_vi_is_flow(x) || x->d == p->counter || x->a == p->counter || x->b == p->counter || x->c == p->counter)
			return false;
		p->copies = x->copy > p->copies ? x->copy : p->copies;
		p->stores |= gllm_vi_stores(x);
	}
	for (unsigned i = p->steps; i + 1 < end; i++)
		if (at(o, i)->d == p->counter)
			counts += at(o, i)->op == GLLM_V_GADDI && at(o, i)->imm == -1 ? 1 : 2;
	for (unsigned i = from; i < begin; i++)
		if (at(o, i)->d == p->counter)
			p->turns = at(o, i)->op == GLLM_V_GCONST ? at(o, i)->imm : 0;
	return counts == 1 && p->turns > 0;
}

/* How often a pass of so many turns is made in one of both; 0: that is no small number. */
static unsigned times(int64_t turns, int64_t other)
{
	int64_t both = turns < other ? turns : other;

	return turns % both == 0 && turns / both <= MOST_TIMES ? (unsigned)(turns / both) : 0;
}

/* All passes within the loop over rows, and of them the last two. */
static bool find_passes(struct overlap *o)
{
	unsigned n = 0, from = o->rows + 2;

	o->rows_end = close_of(o->v, o->rows);
	if (!closes(o, o->rows, o->rows_end))
		return false;
	for (unsigned i = from; i + 1 < o->rows_end; i++) {
		if (at(o, i)->op == GLLM_V_LOOP_BEGIN) {
			o->m = o->l;
			if (!find_pass(o, from, i, &o->l))
				return false;
			from = i = o->l.end;
			n++;
		} else if (gllm_vi_is_flow(at(o, i))) {
			return false;
		}
	}
	uint8_t cc = at(o, o->rows_end - 1)->cc;
	return n >= 2 && (cc == GLLM_VCC_NE || cc == GLLM_VCC_GE) && times(o->m.turns, o->l.turns) && times(o->l.turns, o->m.turns);
}

/* --- registers -------------------------------------------------------------------------------------------------------- */

static void note(struct overlap *o, unsigned i, unsigned part, unsigned carried, unsigned reads, unsigned writes)
{
	const struct gllm_vi *x = at(o, i);
	gllm_vreg r[4];

	for (unsigned n = gllm_vi_uses(x, r); n-- > 0;)
		o->uses[r[n]] |= (uint16_t)(o->uses[r[n]] & part ? reads : reads | carried);
	if (x->d != GLLM_NO_VREG)
		o->uses[x->d] |= (uint16_t)writes;
}

/* Does instruction i behind L go on with what the first part of a row uses? */
static bool goes_early(const struct overlap *o, unsigned i)
{
	return is_step(at(o, i)) && !(o->uses[at(o, i)->d] & BY_LOOP);
}

static void note_uses(struct overlap *o)
{
	for (unsigned r = 0; r < o->nregs; r++)
		o->uses[r] = 0;
	for (unsigned i = o->l.begin; i < o->l.end; i++)
		note(o, i, 0, 0, BY_LOOP, BY_LOOP);
	for (unsigned i = 0; i < o->v->n; i++) {
		if (i < o->rows || i > o->rows_end)
			note(o, i, 0, 0, ELSEWHERE, ELSEWHERE);
		else if (i <= o->m.end)
			note(o, i, EARLY, CARRIED_EARLY, READ_EARLY, WRITTEN_EARLY);
		else if (i < o->l.begin)
			note(o, i, EARLY, CARRIED_EARLY, READ_B, WRITTEN_B);
		else if (i <= o->l.end || (i + 1 < o->rows_end && !goes_early(o, i)))
			note(o, i, LATE, CARRIED_LATE, READ_LATE, WRITTEN_LATE);
		else
			note(o, i, EARLY, CARRIED_EARLY, READ_C, WRITTEN_C);
	}
}

/* Does L read what A or M will have written again, for the next row? */
static bool is_kept(const struct overlap *o, unsigned r)
{
	return (o->uses[r] & READ_LATE) && (o->uses[r] & WRITTEN_EARLY);
}

/* One part of a row alone accesses it, and writes it first. */
static bool is_local(const struct overlap *o, unsigned r)
{
	unsigned u = o->uses[r];

	return !(u & (ELSEWHERE | CARRIED_EARLY | CARRIED_LATE)) && !((u & EARLY) && (u & LATE));
}

/* What L and the rest of C write nobody else reads, and what they read of the rest is written in B alone, or in A and M. */
static bool may_part(const struct overlap *o)
{
	for (unsigned r = 0; r < o->nregs; r++) {
		unsigned u = o->uses[r], written = u & (WRITTEN_EARLY | WRITTEN_B | WRITTEN_C);
		if (r == o->l.counter || !(u & LATE) || !(u & EARLY))
			continue;
		if ((u & WRITTEN_LATE) && (u & EARLY) != WRITTEN_B)
			return false;
		if (written && written != WRITTEN_B && (written != WRITTEN_EARLY || o->v->reg_class[r] == GLLM_CLASS_M))
			return false;
	}
	return (o->uses[o->l.counter] & (EARLY | ELSEWHERE)) == WRITTEN_B;
}

/* Values of one turn of a pass. */
static void find_fresh(struct overlap *o, const struct pass *p, bool *seen)
{
	gllm_vreg r[4];

	for (unsigned i = p->body; i < p->steps; i++) {
		for (unsigned n = gllm_vi_uses(at(o, i), r); n-- > 0;)
			seen[r[n]] = true;
		if (at(o, i)->d != GLLM_NO_VREG) {
			o->fresh[at(o, i)->d] |= !seen[at(o, i)->d];
			seen[at(o, i)->d] = true;
		}
	}
}

static int64_t step_of(const struct overlap *o, const struct pass *p, gllm_vreg r)
{
	for (unsigned i = p->steps; i + 1 < p->end; i++)
		if (at(o, i)->d == r)
			return at(o, i)->op == GLLM_V_GADDI ? at(o, i)->imm : 0;
	return 0;
}

/* Can several turns of a pass be one, by displacements? */
static bool may_repeat(const struct overlap *o, const struct pass *p)
{
	gllm_vreg r[4];

	for (unsigned i = p->steps; i + 1 < p->end; i++)
		if (at(o, i)->op != GLLM_V_GADDI)
			return false;
	for (unsigned i = p->body; i < p->steps; i++)
		for (unsigned n = gllm_vi_uses(at(o, i), r); n-- > 0;)
			if (step_of(o, p, r[n]) != 0 && !(has_address(at(o, i)) && r[n] == at(o, i)->a && r[n] != at(o, i)->b && r[n] != at(o, i)->c))
				return false;
	return true;
}

/* --- writing ---------------------------------------------------------------------------------------------------------- */

static void put(struct overlap *o, struct gllm_vi i)
{
	o->fits = o->fits && o->n < o->max;
	if (o->fits)
		o->out[o->n++] = i;
}

static void put_named(struct overlap *o, const gllm_vreg *name, struct gllm_vi i)
{
	gllm_vreg *r[] = { &i.d, &i.a, &i.b, &i.c, &i.m };

	for (unsigned k = 0; k < sizeof r / sizeof r[0]; k++)
		*r[k] = *r[k] == GLLM_NO_VREG ? GLLM_NO_VREG : name[*r[k]];
	put(o, i);
}

static gllm_vreg another(struct overlap *o, unsigned r)
{
	o->fits = o->fits && o->v->nregs < o->v->max_regs && o->v->nregs < GLLM_NO_VREG;
	return o->fits ? gllm_vir_reg(o->v, (enum gllm_class)o->v->reg_class[r]) : 0;
}

/* What is local to `part` gets other names, nothing does if that is 0. */
static void rename_local(struct overlap *o, gllm_vreg *name, unsigned part)
{
	for (unsigned r = 0; r < o->nregs; r++)
		name[r] = (o->uses[r] & part) && is_local(o, r) ? another(o, r) : (gllm_vreg)r;
}

/* Once more; loops have labels of their own. */
static void put_range(struct overlap *o, const gllm_vreg *name, unsigned begin, unsigned end)
{
	unsigned label = 0;

	for (unsigned i = begin; i < end; i++) {
		struct gllm_vi x = *at(o, i);
		if (x.op == GLLM_V_LABEL)
			label = gllm_vir_label(o->v);
		if (x.op == GLLM_V_LABEL || x.op == GLLM_V_BRANCHI)
			x.imm = label;
		put_named(o, name, x);
	}
}

/* B without the counter of L; or that alone. */
static void put_between(struct overlap *o, const gllm_vreg *name, bool counter)
{
	for (unsigned i = o->m.end + 1; i < o->l.begin; i++)
		if ((at(o, i)->d == o->l.counter) == counter)
			put_named(o, name, *at(o, i));
}

/* Of C what goes early, or the rest. */
static void put_behind(struct overlap *o, const gllm_vreg *name, bool early)
{
	for (unsigned i = o->l.end + 1; i + 1 < o->rows_end; i++)
		if (goes_early(o, i) == early)
			put_named(o, name, *at(o, i));
}

static unsigned length(const struct turns *t)
{
	return t->times * (t->p->steps - t->p->body);
}

/* The next instruction. What each turn has of its own is another register in all but the last. */
static void put_next(struct overlap *o, struct turns *t)
{
	unsigned n = t->p->steps - t->p->body, k = t->done / n, i = t->p->body + t->done % n;
	struct gllm_vi x = *at(o, i);

	for (unsigned j = t->p->body; t->done % n == 0 && j < t->p->steps; j++)
		if (at(o, j)->d != GLLM_NO_VREG && o->fresh[at(o, j)->d])
			t->name[at(o, j)->d] = k + 1 < t->times ? another(o, at(o, j)->d) : at(o, j)->d;
	if (has_address(&x)) {
		x.imm += (int64_t)k * step_of(o, t->p, x.a);
		x.copy = (uint16_t)(x.copy ? x.copy + k * t->p->copies : 0);
	}
	put_named(o, t->name, x);
	t->done++;
}

static void put_steps(struct overlap *o, const struct turns *t)
{
	for (unsigned i = t->p->steps; i + 1 < t->p->end; i++) {
		struct gllm_vi x = *at(o, i);
		if (x.d == t->p->counter)
			continue;
		x.imm *= x.op == GLLM_V_GADDI ? (int64_t)t->times : 1;
		put_named(o, t->name, x);
	}
}

/* L with M. Where M leaves nothing for the next row to overwrite, both go on evenly, so that what one stores and what the other fetches
 * come by turns. */
static void put_both(struct overlap *o)
{
	struct turns l = { .p = &o->l, .name = o->late_name, .times = times(o->l.turns, o->m.turns) },
	             m = { .p = &o->m, .name = o->name, .times = times(o->m.turns, o->l.turns) };
	struct gllm_vi begin = *at(o, o->m.begin), count = gllm_vi(GLLM_V_GADDI);

	begin.aux &= at(o, o->l.begin)->aux;
	put(o, begin);
	put(o, *at(o, o->m.begin + 1));
	while (l.done < length(&l) || m.done < length(&m)) {
		bool late = o->m.stores ? l.done < length(&l) : l.done * length(&m) <= m.done * length(&l) && l.done < length(&l);
		put_next(o, late ? &l : &m);
	}
	put_steps(o, &l);
	put_steps(o, &m);
	count.d = count.a = o->m.counter;
	count.imm = -1;
	put(o, count);
	put(o, *at(o, o->m.end - 1));
	put(o, *at(o, o->m.end));
}

/* The loop over all rows but the first. */
static void put_rows(struct overlap *o)
{
	int64_t turns = o->l.turns < o->m.turns ? o->l.turns : o->m.turns;

	rename_local(o, o->name, 0);
	rename_local(o, o->late_name, 0);
	put(o, *at(o, o->rows));
	put(o, *at(o, o->rows + 1));
	for (unsigned r = 0; r < o->nregs; r++)
		if (is_kept(o, r)) {
			struct gllm_vi move = gllm_vi(o->v->reg_class[r] == GLLM_CLASS_G ? GLLM_V_GMOV : GLLM_V_VMOV);
			move.type = move.mem = GLLM_F32;
			move.a = (gllm_vreg)r;
			move.d = o->late_name[r] = another(o, r);
			put(o, move);
		}
	for (unsigned i = o->rows + 2; i < o->m.begin; i++) {
		struct gllm_vi x = *at(o, i);
		x.imm = x.d == o->m.counter ? turns : x.imm;
		put(o, x);
	}
	put_both(o);
	put_behind(o, o->late_name, false);
	put_between(o, o->name, false);
	put_behind(o, o->name, true);
	put(o, *at(o, o->rows_end - 1));
	put(o, *at(o, o->rows_end));
}

static void put_all(struct overlap *o)
{
	struct gllm_vi over = *at(o, o->rows_end - 1), end = gllm_vi(GLLM_V_LABEL);

	for (unsigned i = 0; i < o->rows; i++)
		put(o, *at(o, i));
	rename_local(o, o->name, EARLY);
	put_range(o, o->name, o->rows + 2, o->m.end + 1);
	put_between(o, o->name, false);
	put_behind(o, o->name, true);
	over.cc = over.cc == GLLM_VCC_NE ? GLLM_VCC_EQ : GLLM_VCC_LT;
	over.imm = end.imm = gllm_vir_label(o->v);
	put(o, over);
	put_rows(o);
	put(o, end);
	rename_local(o, o->name, LATE);
	put_between(o, o->name, true);
	put_range(o, o->name, o->l.begin, o->l.end + 1);
	put_behind(o, o->name, false);
	for (unsigned i = o->rows_end + 1; i < o->v->n; i++)
		put(o, *at(o, i));
}

/* Whether two loops within that over rows became one. */
static bool join(struct overlap *o, unsigned rows, bool *seen)
{
	unsigned nlabels = o->v->nlabels;

	o->rows = rows;
	o->nregs = o->v->nregs;
	o->n = 0;
	o->fits = true;
	if (!find_passes(o))
		return false;
	note_uses(o);
	if (!may_part(o) || (o->l.turns != o->m.turns && !(may_repeat(o, &o->m) && may_repeat(o, &o->l))))
		return false;
	for (unsigned r = 0; r < o->nregs; r++)
		o->fresh[r] = seen[r] = false;
	find_fresh(o, &o->m, seen);
	find_fresh(o, &o->l, seen);
	put_all(o);
	if (!o->fits) {
		o->v->nregs = o->nregs;
		o->v->nlabels = nlabels;
		return false;
	}
	for (unsigned i = 0; i < o->n; i++)
		o->v->ins[i] = o->out[i];
	o->v->n = o->n;
	return true;
}

enum gllm_status gllm_vir_overlap(struct gllm_vir *v, struct gllm_arena scratch)
{
	struct overlap o = { .v = v, .max = v->max };
	bool *seen = gllm_alloc_array(&scratch, v->max_regs, sizeof *seen, 1);

	o.out = gllm_alloc_array(&scratch, v->max, sizeof *o.out, 8);
	o.uses = gllm_alloc_array(&scratch, v->max_regs, sizeof *o.uses, 2);
	o.fresh = gllm_alloc_array(&scratch, v->max_regs, sizeof *o.fresh, 1);
	o.name = gllm_alloc_array(&scratch, v->max_regs, sizeof *o.name, 2);
	o.late_name = gllm_alloc_array(&scratch, v->max_regs, sizeof *o.late_name, 2);
	if (!seen || !o.out || !o.uses || !o.fresh || !o.name || !o.late_name)
		return GLLM_OUT_OF_MEMORY;
	for (unsigned i = 0; i < v->n; i++)
		if (v->ins[i].op == GLLM_V_LOOP_BEGIN)
			i = join(&o, i, seen) ? i - 1 : close_of(v, i); /* another loop stands there now */
	return GLLM_OK;
}
