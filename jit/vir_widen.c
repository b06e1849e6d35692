/* SPDX-License-Identifier: MIT
 * jit/vir_widen.c - products of halves that are added to words widen their factors themselves.
 *
 * The product of two halves is exact in F32, so that widening before it or in it is the same. */
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
static bool rejects(const struct gllm_vi *i, uint32_t *is)
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

void gllm_vir_widen_late(struct gllm_vir *v, uint32_t *is)
{
	bool any = false, again = true;

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
}
