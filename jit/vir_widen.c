/* SPDX-License-Identifier: MIT
 * jit/vir_widen.c - widening apart from loads: products of halves that are added to words widen their factors themselves
 * (the product of two halves is exact in F32, so that widening before it or in it is the same); two vectors' narrow elements
 * that lie side by side come by one load. */
#include "core/arena.h"
#include "jit/vir.h"

enum { NEVER_WRITTEN, HALVES, WORDS };

static bool multiplies(const struct gllm_vi *i)
{
	return (i->op == GLLM_V_VFMA || i->op == GLLM_V_VFNMA) && i->type == GLLM_F32;
}

static bool loads_halves(const struct gllm_vi *i)
{
	return (i->op == GLLM_V_VLOAD || i->op == GLLM_V_VBCAST) && i->type == GLLM_F32 && i->mem == GLLM_F16;
}

/* Takes from the set what instruction i reads otherwise; true if that was anything. */
static bool rejects(const struct gllm_vi *i, uint8_t *is)
{
	gllm_vreg use[4];
	bool both = multiplies(i) && is[i->a] == HALVES && is[i->b] == HALVES, any = false;

	for (unsigned n = gllm_vi_uses(i, use); n-- > 0;)
		if (is[use[n]] == HALVES && !(both && use[n] != i->c)) {
			is[use[n]] = WORDS;
			any = true;
		}
	return any;
}

enum gllm_status gllm_vir_widen_late(struct gllm_vir *v, struct gllm_arena scratch)
{
	uint8_t *is = gllm_alloc(&scratch, v->nregs + 1u, 1);
	bool any = false, again = true;

	if (!is)
		return GLLM_OUT_OF_MEMORY;
	for (unsigned r = 0; r < v->nregs; r++)
		is[r] = NEVER_WRITTEN;
	for (unsigned k = 0; k < v->n; k++) {
		const struct gllm_vi *i = &v->ins[k];
		if (i->d == GLLM_NO_VREG)
			continue;
		is[i->d] = loads_halves(i) && is[i->d] != WORDS ? HALVES : WORDS;
		any |= is[i->d] == HALVES;
	}
	while (any && again) {
		again = false;
		for (unsigned k = 0; k < v->n; k++)
			again |= rejects(&v->ins[k], is);
	}
	for (unsigned k = 0; k < v->n && any; k++) {
		struct gllm_vi *i = &v->ins[k];
		if (loads_halves(i) && is[i->d] == HALVES)
			i->type = GLLM_F16;
		else if (multiplies(i) && is[i->a] == HALVES && is[i->b] == HALVES)
			i->mem = GLLM_F16;
	}
	return GLLM_OK;
}

/* --- pairs of loads --------------------------------------------------------------------------------------------------- */

enum { OPEN = 8, ALONE = 0, TAKEN = UINT32_MAX };

struct pairing {
	const struct gllm_vir *v;
	unsigned lanes;
	uint32_t *mate;             /* per instruction: what the load writes that it does as well, TAKEN if it is that, or ALONE */
	unsigned open[OPEN], nopen; /* loads that the next may still join: their addresses are as they were */
};

/* Into 32 bits, and from fewer. */
static bool widens_all(const struct gllm_vi *i)
{
	bool to_float = i->type == GLLM_F32 && i->mem != GLLM_F32;
	bool narrow = i->mem == GLLM_I8 || i->mem == GLLM_U8 || i->mem == GLLM_I16 || i->mem == GLLM_U16;
	bool half = i->mem == GLLM_F16 || i->mem == GLLM_BF16;

	return i->op == GLLM_V_VLOAD && i->lanes == 0 && i->m == GLLM_NO_VREG && i->aux == 0 &&
	       (to_float ? narrow || half : (i->type == GLLM_I32 || i->type == GLLM_U32) && narrow);
}

static void forget(struct pairing *p, unsigned k)
{
	p->open[k] = p->open[--p->nopen];
}

/* What instruction i makes of the loads before it: none goes past a change of its address. */
static void forget_by(struct pairing *p, const struct gllm_vi *i)
{
	if (gllm_vi_is_flow(i))
		p->nopen = 0;
	for (unsigned k = p->nopen; k-- > 0;) {
		const struct gllm_vi *o = &p->v->ins[p->open[k]];
		if (i->d != GLLM_NO_VREG && (i->d == o->a || i->d == o->b))
			forget(p, k);
	}
}

/* May the second load be where the first one is? Nothing between them accesses what it writes, or stores what it may not
 * change places with. */
static bool may_go_up(const struct gllm_vir *v, unsigned first, unsigned second)
{
	const struct gllm_vi *load = &v->ins[second];
	gllm_vreg use[4];

	for (unsigned i = first; i < second; i++) {
		const struct gllm_vi *in = &v->ins[i];
		for (unsigned n = gllm_vi_uses(in, use); n-- > 0;)
			if (use[n] == load->d)
				return false;
		if (in->d == load->d || (gllm_vi_stores(in) && !gllm_vi_independent(load, in)))
			return false;
	}
	return true;
}

static void join(struct pairing *p, unsigned at)
{
	const struct gllm_vi *i = &p->v->ins[at];
	int64_t bytes = p->lanes * gllm_type_bytes((enum gllm_type)i->mem);

	for (unsigned k = p->nopen; k-- > 0;) {
		const struct gllm_vi *o = &p->v->ins[p->open[k]];
		if (o->a != i->a || o->b != i->b || o->scale != i->scale || o->mem != i->mem || o->imm + bytes != i->imm ||
		    !may_go_up(p->v, p->open[k], at))
			continue;
		p->mate[p->open[k]] = i->d;
		p->mate[at] = TAKEN;
		forget(p, k);
		return;
	}
	if (p->nopen == OPEN)
		forget(p, 0);
	p->open[p->nopen++] = at;
}

static bool converts_integers(const struct gllm_vi *i)
{
	return i->type == GLLM_F32 && i->mem != GLLM_F16 && i->mem != GLLM_BF16;
}

/* Writes before `at` how d comes from a half of `raw`, as load i would have given it; returns where that begins. */
static unsigned widen_half(struct gllm_vir *v, unsigned at, const struct gllm_vi *i, gllm_vreg d, gllm_vreg raw, bool upper)
{
	struct gllm_vi half = gllm_vi(GLLM_V_VWIDEN), convert = gllm_vi(GLLM_V_VCVT);

	half.d = convert.a = convert.d = d;
	half.a = raw;
	half.imm = upper;
	half.type = converts_integers(i) ? GLLM_I32 : i->type;
	half.mem = i->mem == GLLM_I8 ? GLLM_I16 : i->mem == GLLM_U8 ? GLLM_U16 : i->mem;
	convert.type = GLLM_F32;
	convert.mem = GLLM_I32;
	if (converts_integers(i))
		v->ins[--at] = convert;
	v->ins[--at] = half;
	return at;
}

/* Both's elements, 16 bits each. What the load may change places with is no longer known of both. */
static struct gllm_vi load_both(const struct gllm_vi *i, gllm_vreg raw)
{
	struct gllm_vi both = *i;

	both.d = raw;
	both.type = both.mem = GLLM_I32;
	if (i->mem == GLLM_I8 || i->mem == GLLM_U8) {
		both.mem = i->mem;
		both.type = i->mem == GLLM_I8 ? GLLM_I16 : GLLM_U16;
	}
	if (both.segment != GLLM_VIR_FIXED)
		both.segment = both.copy = 0;
	return both;
}

enum gllm_status gllm_vir_pair_loads(struct gllm_vir *v, unsigned lanes, struct gllm_arena scratch)
{
	struct pairing p = { .v = v, .lanes = lanes };
	unsigned pairs = 0, more = 0, at;

	p.mate = gllm_alloc_array(&scratch, v->n + 1u, sizeof *p.mate, 4);
	if (!p.mate)
		return GLLM_OUT_OF_MEMORY;
	for (unsigned i = 0; i < v->n; i++) {
		p.mate[i] = ALONE;
		forget_by(&p, &v->ins[i]);
		if (widens_all(&v->ins[i]))
			join(&p, i);
		if (p.mate[i] == TAKEN) {
			pairs++;
			more += converts_integers(&v->ins[i]) ? 3 : 1;
		}
	}
	if (pairs == 0 || v->n + more > v->max || v->nregs + pairs > v->max_regs)
		return GLLM_OK;
	at = v->n + more;
	for (unsigned i = v->n; i-- > 0;) {
		struct gllm_vi in = v->ins[i];
		if (p.mate[i] == ALONE) {
			v->ins[--at] = in;
		} else if (p.mate[i] != TAKEN) {
			gllm_vreg raw = gllm_vir_reg(v, GLLM_CLASS_V);
			at = widen_half(v, at, &in, (gllm_vreg)p.mate[i], raw, true);
			at = widen_half(v, at, &in, in.d, raw, false);
			v->ins[--at] = load_both(&in, raw);
		}
	}
	v->n += more;
	return GLLM_OK;
}
