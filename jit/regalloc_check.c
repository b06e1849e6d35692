/* SPDX-License-Identifier: MIT
 * jit/regalloc_check.c - replays an allocation over the flow graph (regalloc.h). It shares nothing with what found it. */
#include "jit/regalloc.h"
#include "jit/vir.h"

enum { FILES = 3, REGS = 32 };
#define NONE GLLM_NO_VREG

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
	if (in->d != NONE) {
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
