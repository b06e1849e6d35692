/* SPDX-License-Identifier: MIT
 * jit/vir_keep.c - addends that stay, on machines that put a sum over its addend.
 *
 * Where an innermost loop adds products to a value from outside of it, that value is copied for each. Copied from memory it
 * takes a load instead of a vector unit that only can do the rest: such values are kept in the frame, as long as the loop's
 * loads take less time than its arithmetic. */
#include "core/arena.h"
#include "jit/vir.h"

struct home {
	uint32_t loop;        /* its LOOP_BEGIN */
	gllm_vreg from, kept; /* the value, and what stands for it in that loop */
};

struct keep {
	struct gllm_vir *v;
	const struct gllm_machine *m;
	uint32_t *written;    /* per register: the last loop that writes it, as its LOOP_BEGIN plus one */
	gllm_vreg *addend;    /* per instruction: what it adds to from the frame, or NONE */
	struct home *home;
	unsigned nhomes, more; /* of instructions that this takes */
};

#define NONE GLLM_NO_VREG

static bool stays(const struct keep *k, const struct gllm_vi *i, unsigned begin)
{
	bool adds = i->op == GLLM_V_VFMA || i->op == GLLM_V_VFNMA || i->op == GLLM_V_VDOT || i->op == GLLM_V_VTILE;

	return adds && i->d != i->a && i->d != i->b && k->written[i->c] != begin + 1;
}

static unsigned slots(const struct keep *k, enum gllm_vir_op op)
{
	return k->m->timing[op].slots;
}

/* Does the loop take as long for loads alone if it has one more of them and a move less? */
static bool loads_most(const struct keep *k, const unsigned used[GLLM_UNITS])
{
	return (used[GLLM_UNIT_LOAD] + slots(k, GLLM_V_VLOAD)) * k->m->units[GLLM_UNIT_V] >=
	       (used[GLLM_UNIT_V] - slots(k, GLLM_V_VMOV)) * k->m->units[GLLM_UNIT_LOAD];
}

static gllm_vreg home_of(struct keep *k, gllm_vreg from, unsigned begin)
{
	for (unsigned h = k->nhomes; h-- > 0 && k->home[h].loop == begin;)
		if (k->home[h].from == from)
			return k->home[h].kept;
	if (k->v->nregs >= k->v->max_regs || k->v->n + k->more + 2 > k->v->max)
		return NONE;
	k->home[k->nhomes] = (struct home){ .loop = begin, .from = from, .kept = gllm_vir_reg(k->v, GLLM_CLASS_V) };
	k->more++;
	return k->home[k->nhomes++].kept;
}

/* The innermost loop whose brackets are these. */
static void look_at(struct keep *k, unsigned begin, unsigned end)
{
	unsigned used[GLLM_UNITS] = { 0 };

	for (unsigned i = begin + 1; i < end; i++)
		if (k->v->ins[i].d != NONE)
			k->written[k->v->ins[i].d] = begin + 1;
	for (unsigned i = begin + 1; i < end; i++) {
		const struct gllm_timing *t = gllm_timing_of(k->m, &k->v->ins[i]);
		used[t->unit] += t->slots;
		used[GLLM_UNIT_V] += stays(k, &k->v->ins[i], begin) ? slots(k, GLLM_V_VMOV) : 0;
	}
	for (unsigned i = begin + 1; i < end && k->v->n + k->more < k->v->max; i++) {
		if (!stays(k, &k->v->ins[i], begin) || loads_most(k, used))
			continue;
		k->addend[i] = home_of(k, k->v->ins[i].c, begin);
		if (k->addend[i] == NONE)
			return;
		k->more++;
		used[GLLM_UNIT_LOAD] += slots(k, GLLM_V_VLOAD);
		used[GLLM_UNIT_V] -= slots(k, GLLM_V_VMOV);
	}
}

static struct gllm_vi move(gllm_vreg d, gllm_vreg a, int32_t aux)
{
	struct gllm_vi i = gllm_vi(GLLM_V_VMOV);

	i.type = i.mem = GLLM_F32;
	i.d = d;
	i.a = a;
	i.aux = aux;
	i.segment = aux ? GLLM_VIR_FIXED : 0;
	return i;
}

static void insert(struct keep *k)
{
	struct gllm_vi *ins = k->v->ins;
	unsigned at = k->v->n + k->more;

	for (unsigned i = k->v->n; i-- > 0;) {
		ins[--at] = ins[i];
		if (k->addend[i] != NONE) {
			ins[at].c = ins[at].d;
			at--;
			ins[at] = move(ins[at + 1].d, k->addend[i], GLLM_VIR_KEPT);
		}
		for (; k->nhomes && k->home[k->nhomes - 1].loop == i; k->nhomes--)
			ins[--at] = move(k->home[k->nhomes - 1].kept, k->home[k->nhomes - 1].from, 0);
	}
	k->v->n += k->more;
}

enum gllm_status gllm_vir_keep_addends(struct gllm_vir *v, const struct gllm_machine *m, struct gllm_arena scratch)
{
	struct keep k = { .v = v, .m = m };
	unsigned begin = 0;

	if (!m->adds_over || !m->timing || m->window == 0)
		return GLLM_OK;
	k.written = gllm_alloc_array(&scratch, v->nregs + 1u, sizeof *k.written, 4);
	k.addend = gllm_alloc_array(&scratch, v->n + 1u, sizeof *k.addend, 2);
	k.home = gllm_alloc_array(&scratch, v->n + 1u, sizeof *k.home, 4);
	if (!k.written || !k.addend || !k.home)
		return GLLM_OUT_OF_MEMORY;
	for (unsigned r = 0; r < v->nregs; r++)
		k.written[r] = 0;
	for (unsigned i = 0; i < v->n; i++) {
		k.addend[i] = NONE;
		if (v->ins[i].op == GLLM_V_LOOP_BEGIN)
			begin = i + 1;
		if (v->ins[i].op == GLLM_V_LOOP_END && begin) {
			look_at(&k, begin - 1, i);
			begin = 0;
		}
	}
	if (k.more)
		insert(&k);
	return GLLM_OK;
}
