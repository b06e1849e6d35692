/* SPDX-License-Identifier: MIT
 * jit/readback.c - one walk over the bytes for instructions, a second one for where branches end. */
#include "jit/readback.h"
#include "core/bits.h"

struct reader {
	const struct gllm_target *t;
	uint64_t have;
	const unsigned char *code;
	size_t size, at;
	unsigned char *starts; /* bit per byte: an instruction begins here */
	uint64_t saved, changed, loaded;             /* preserved general registers */
	uint32_t vsaved, vchanged, vloaded;          /* preserved vector registers */
	bool ends;                                   /* control does not go on after the last instruction read */
	struct gllm_error *e;
};

static enum gllm_status wrong(struct reader *r, const char *what, uint64_t want, uint64_t got)
{
	return gllm_fail(r->e, GLLM_COMPILE_ERROR, what, NULL, r->at, want, got);
}

static enum gllm_status memory_is_fine(struct reader *r, const struct gllm_operand *o)
{
	if (o->base == GLLM_REG_PC)
		return wrong(r, "code is read as data", 0, (uint64_t)o->imm);
	if (o->base == r->t->abi.stack_pointer - GLLM_LOC_R0 && o->imm < 0)
		return wrong(r, "memory below the stack pointer is accessed", 0, (uint64_t)o->imm);
	return GLLM_OK;
}

static enum gllm_status register_is_fine(struct reader *r, const struct gllm_operand *o)
{
	if (o->cls == GLLM_R_GPR && o->reg < 32) {
		if (r->t->untouchable >> o->reg & 1)
			return wrong(r, "a register is named that code must not touch", 0, o->reg);
		if (o->access & 2 && o->reg != r->t->abi.stack_pointer - GLLM_LOC_R0)
			r->changed |= r->t->abi.preserved_int & UINT64_C(1) << o->reg;
	}
	if (o->cls == GLLM_R_VEC && o->reg < 32 && o->access & 2)
		r->vchanged |= r->t->abi.preserved_vec & UINT32_C(1) << o->reg;
	return GLLM_OK;
}

/* What goes between registers and the stack, as far as the meaning of the instruction says it. */
static void follow_stack(struct reader *r, const struct gllm_sem_op_rec *s)
{
	bool stack = s->a == r->t->abi.stack_pointer && s->b == GLLM_LOC_NONE;

	if (!stack || (s->op != GLLM_S_LOAD && s->op != GLLM_S_STORE))
		return;
	if (s->op == GLLM_S_LOAD && s->d < GLLM_LOC_V0)
		r->loaded |= UINT64_C(1) << s->d;
	else if (s->op == GLLM_S_LOAD && s->d < GLLM_LOC_FLAGS)
		r->vloaded |= UINT32_C(1) << (s->d - GLLM_LOC_V0);
	else if (s->op == GLLM_S_STORE && s->c < GLLM_LOC_V0)
		r->saved |= UINT64_C(1) << s->c & ~r->changed;
	else if (s->op == GLLM_S_STORE && s->c < GLLM_LOC_FLAGS)
		r->vsaved |= UINT32_C(1) << (s->c - GLLM_LOC_V0) & ~r->vchanged;
}

static enum gllm_status meaning_is_fine(struct reader *r, const struct gllm_insn *in)
{
	struct gllm_sem_op_rec meaning[GLLM_SEM_MAX];
	struct gllm_sem sem = { .op = meaning };

	r->ends = false;
	if (r->t->meaning(in, &sem) != GLLM_OK)
		return GLLM_OK; /* most vector instructions; they neither jump nor push */
	for (unsigned k = 0; k < sem.n; k++) {
		const struct gllm_sem_op_rec *s = &sem.op[k];

		follow_stack(r, s);
		if (s->op == GLLM_S_CALL || s->op == GLLM_S_TRAP || (s->op == GLLM_S_JUMP && s->a != GLLM_LOC_NONE))
			return wrong(r, "a call, trap or indirect jump", 0, s->op);
		r->ends = s->op == GLLM_S_RET || s->op == GLLM_S_JUMP;
		if (s->op != GLLM_S_RET)
			continue;
		if (r->changed & ~r->saved || r->vchanged & ~r->vsaved)
			return wrong(r, "a preserved register changes unsaved", r->saved, r->changed);
		if (r->changed & ~r->loaded || r->vchanged & ~r->vloaded)
			return wrong(r, "a preserved register is not restored", r->changed, r->loaded);
		r->loaded = 0;
		r->vloaded = 0;
	}
	return GLLM_OK;
}

static enum gllm_status instruction_is_fine(struct reader *r, const struct gllm_insn *in)
{
	uint64_t features = r->t->features(in);
	enum gllm_status st;

	if (features & ~r->have)
		return wrong(r, "an instruction needs a feature the profile lacks", r->have, features);
	st = meaning_is_fine(r, in);
	for (unsigned k = 0; st == GLLM_OK && k < in->n; k++) {
		if (in->op[k].kind == GLLM_O_MEM)
			st = memory_is_fine(r, &in->op[k]);
		if (in->op[k].kind == GLLM_O_REG)
			st = register_is_fine(r, &in->op[k]);
	}
	return st;
}

static enum gllm_status branches_are_fine(struct reader *r)
{
	struct gllm_insn in;

	for (r->at = 0; r->at < r->size; r->at += in.length) {
		if (r->t->decode(r->code + r->at, r->size - r->at, r->at, &in) != GLLM_OK)
			return wrong(r, "bytes changed while they were read", 0, 0);
		for (unsigned k = 0; k < in.n; k++) {
			uint64_t to = (uint64_t)in.op[k].imm;

			if (in.op[k].kind == GLLM_O_REL && (to >= r->size || !(r->starts[to / 8] >> to % 8 & 1)))
				return wrong(r, "a branch does not end at an instruction inside", r->size, to);
		}
	}
	return GLLM_OK;
}

enum gllm_status gllm_readback(const struct gllm_target *t, uint64_t have, const unsigned char *code, size_t size,
                               struct gllm_arena scratch, struct gllm_error *e)
{
	struct reader r = { .t = t, .have = have, .code = code, .size = size, .e = e };
	struct gllm_insn in;

	r.starts = gllm_alloc(&scratch, size / 8 + 1, 1);
	if (!r.starts)
		return gllm_fail(e, GLLM_OUT_OF_MEMORY, "no scratch memory to read code back", NULL, 0, size / 8 + 1, 0);
	for (size_t k = 0; k <= size / 8; k++)
		r.starts[k] = 0;
	if (size < 4 || gllm_le32(code) != t->landing)
		return wrong(&r, "the entry is no landing pad", t->landing, size < 4 ? 0 : gllm_le32(code));
	for (; r.at < size; r.at += in.length) {
		enum gllm_status st;

		if (t->decode(code + r.at, size - r.at, r.at, &in) != GLLM_OK || in.length == 0)
			return wrong(&r, "bytes are not an instruction of the table", 0, code[r.at]);
		r.starts[r.at / 8] |= (unsigned char)(1u << r.at % 8);
		st = instruction_is_fine(&r, &in);
		if (st != GLLM_OK)
			return st;
	}
	if (!r.ends)
		return wrong(&r, "control leaves the code at its end", 0, 0);
	return branches_are_fine(&r);
}
