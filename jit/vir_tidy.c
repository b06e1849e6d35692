/* SPDX-License-Identifier: MIT
 * jit/vir_tidy.c - what lowering leaves behind goes: results that nobody reads, moves that only rename, steps of a pointer
 * that another step follows.
 *
 * Instructions that are no more become GLLM_V_COUNT without registers, and are closed up once, at the end. */
#include "core/arena.h"
#include "jit/vir.h"

enum { OFTEN = 1u << 31, WRITTEN = 1u << 30, READS = WRITTEN - 1 }; /* of a register: written twice, once, and how often read */

struct tidy {
	struct gllm_vir *v;
	uint32_t *count;                    /* per register: reads elsewhere than by what writes it, and writes; before them, of none */
	uint16_t *move; unsigned nmoves;    /* instructions of these kinds, in their order */
	struct step { uint16_t at, line; } *step; unsigned nsteps; /* additions of constants, and in which straight line they are */
	uint64_t *gone;                     /* a bit per instruction */
};

static inline void drop(struct tidy *t, struct gllm_vi *i)
{
	size_t k = (size_t)(i - t->v->ins);

	*i = gllm_vi(GLLM_V_COUNT);
	t->gone[k / 64] |= UINT64_C(1) << k % 64;
}

static void look(struct tidy *t)
{
	const struct gllm_vi *ins = t->v->ins, *end = ins + t->v->n;
	uint32_t *count = t->count - 1; /* from none */
	unsigned line = 0;

	for (unsigned r = 0, n = t->v->nregs; r <= n; r++)
		count[r] = 0;
	for (const struct gllm_vi *i = ins; i < end; i++) {
		count[gllm_vreg_from_none(i->a)] += i->a != i->d;
		count[gllm_vreg_from_none(i->b)] += i->b != i->d;
		if ((i->c & i->m) != GLLM_NO_VREG) { /* most have neither */
			count[gllm_vreg_from_none(i->c)] += i->c != i->d;
			count[gllm_vreg_from_none(i->m)] += i->m != i->d;
		}
		uint32_t *d = &count[gllm_vreg_from_none(i->d)];
		*d |= (*d & WRITTEN) << 1 | WRITTEN;
		line += gllm_vi_is_flow(i);
		if (i->op == GLLM_V_GADDI)
			t->step[t->nsteps++] = (struct step){ (uint16_t)(i - ins), (uint16_t)line };
		else if (i->op == GLLM_V_VMOV || i->op == GLLM_V_GMOV)
			t->move[t->nmoves++] = (uint16_t)(i - ins);
	}
	count[gllm_vreg_from_none(GLLM_NO_VREG)] = 1;
}

/* Instructions without effect whose result nobody reads. Backwards, so that what only fed one of them goes in the same turn;
 * but not what is written again behind it. */
static void sweep(struct tidy *t)
{
	gllm_vreg use[4];

	for (bool again = true; again;) {
		again = false;
		for (struct gllm_vi *x = t->v->ins + t->v->n; x-- > t->v->ins;) {
			if ((t->count - 1)[gllm_vreg_from_none(x->d)] & READS)
				continue;
			for (unsigned n = gllm_vi_uses(x, use); n-- > 0;)
				if (use[n] != x->d)
					again = (--t->count[use[n]] & OFTEN) || again;
			drop(t, x);
		}
	}
}

static inline bool touches(const struct gllm_vi *i, gllm_vreg r)
{
	return i->a == r || i->d == r || i->b == r || i->c == r || i->m == r;
}

/* --- moves ---------------------------------------------------------------------------------------------------------- */

/* A move of what was written once to be read once, here. */
static bool may_go(const struct tidy *t, const struct gllm_vi *i)
{
	return i->op != GLLM_V_COUNT && i->a != i->d && i->a >= GLLM_VIR_FIRST_FREE && t->count[i->a] == (WRITTEN | 1);
}

/* The instruction of the same straight line that makes what the move reads, if d is touched nowhere between the two. */
static struct gllm_vi *maker(const struct tidy *t, const struct gllm_vi *move)
{
	gllm_vreg d = move->d;

	for (struct gllm_vi *i = t->v->ins + (move - t->v->ins); i-- > t->v->ins && !gllm_vi_is_flow(i);) {
		if (i->d == move->a)
			return i;
		if (touches(i, d))
			return NULL;
	}
	return NULL;
}

/* d = s moves to where s is made if s has no other use and d none in between: x = f(d); ... d = x becomes d = f(d). */
static void drop_moves(struct tidy *t)
{
	for (unsigned k = 0; k < t->nmoves; k++) {
		struct gllm_vi *move = &t->v->ins[t->move[k]], *made = may_go(t, move) ? maker(t, move) : NULL;
		if (!made)
			continue;
		made->d = move->d;
		drop(t, move);
	}
}

/* --- steps ---------------------------------------------------------------------------------------------------------- */

static bool is_step(const struct gllm_vi *i)
{
	return i->op == GLLM_V_GADDI && i->d == i->a;
}

/* The next step of the same register in the same straight line if nothing touches it in between. */
static struct gllm_vi *next_step(const struct tidy *t, unsigned k)
{
	const struct step *s = &t->step[k], *end = t->step + t->nsteps;
	struct gllm_vi *ins = t->v->ins, *to = NULL;
	gllm_vreg r = ins[s->at].d;

	for (const struct step *next = s + 1; next < end && next->line == s->line && !to; next++)
		if (ins[next->at].d == r && is_step(&ins[next->at]))
			to = &ins[next->at];
	for (const struct gllm_vi *i = &ins[s->at + 1]; to && i < to; i++)
		if (touches(i, r))
			return NULL;
	return to;
}

/* Additions of constants to one register where nothing reads it between them. */
static void join_steps(struct tidy *t)
{
	for (unsigned k = 0; k < t->nsteps; k++) {
		struct gllm_vi *i = &t->v->ins[t->step[k].at], *next = is_step(i) ? next_step(t, k) : NULL;
		if (next)
			next->imm += i->imm;
		if (next || (is_step(i) && i->imm == 0))
			drop(t, i);
	}
}

/* --- gaps ----------------------------------------------------------------------------------------------------------- */

/* The longest run stays where it is: what is before it moves up to it, so that the list begins later, what is behind it down. */
static void close_gaps(struct tidy *t)
{
	struct gllm_vi *ins = t->v->ins;
	uint16_t *gap = t->move; /* moves are done with */
	unsigned ngaps = 0, longest = 0, after = 0, low, high;

	for (unsigned w = 0; w <= t->v->n / 64; w++)
		for (uint64_t bits = t->gone[w]; bits; bits &= bits - 1)
			gap[ngaps++] = (uint16_t)(64 * w + (unsigned)__builtin_ctzll(bits));
	gap[ngaps] = (uint16_t)t->v->n;
	for (unsigned k = 0, from = 0; k <= ngaps; from = gap[k] + 1u, k++)
		if (gap[k] - from > longest) { /* of instructions before gap `after` */
			longest = gap[k] - from;
			after = k;
		}
	low = high = gap[after];
	low -= longest;
	for (unsigned k = after; k-- > 0;)
		for (unsigned i = gap[k]; i-- > (k ? gap[k - 1] + 1u : 0);)
			ins[--low] = ins[i];
	for (unsigned k = after; k < ngaps; k++)
		for (unsigned i = gap[k] + 1u; i < gap[k + 1]; i++)
			ins[high++] = ins[i];
	t->v->ins += low;
	t->v->max -= low;
	t->v->n = high - low;
}

enum gllm_status gllm_vir_tidy(struct gllm_vir *v, struct gllm_arena scratch)
{
	struct tidy t = { .v = v };

	uint32_t *count = gllm_alloc_array(&scratch, v->nregs + 1u, sizeof *t.count, 4);
	t.move = gllm_alloc_array(&scratch, v->n + 1u, sizeof *t.move, 2);
	t.step = gllm_alloc_array(&scratch, v->n + 1u, sizeof *t.step, 2);
	t.gone = gllm_alloc_array(&scratch, v->n / 64 + 1u, sizeof *t.gone, 8);
	if (!count || !t.move || !t.step || !t.gone)
		return GLLM_OUT_OF_MEMORY;
	t.count = count + 1;
	for (unsigned w = 0; w <= v->n / 64; w++)
		t.gone[w] = 0;
	look(&t);
	sweep(&t);
	drop_moves(&t);
	join_steps(&t);
	close_gaps(&t);
	return GLLM_OK;
}
