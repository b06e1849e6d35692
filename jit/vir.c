/* SPDX-License-Identifier: MIT
 * jit/vir.c - builder, printer and checker of vector IR. */
#include "jit/vir.h"
#include "core/bits.h"

const struct gllm_vir_info gllm_vir_info[GLLM_V_COUNT] = {
#define V(name, d, abc) [GLLM_V_##name] = { #name, #d, abc },
	GLLM_VIRS(V)
#undef V
};

void gllm_vir_init(struct gllm_vir *v, struct gllm_vi *ins, unsigned max, uint8_t *reg_class, unsigned max_regs)
{
	*v = (struct gllm_vir){ .ins = ins, .max = max, .reg_class = reg_class, .max_regs = max_regs };
	for (unsigned i = 0; i < GLLM_VIR_FIRST_FREE; i++)
		gllm_vir_reg(v, GLLM_CLASS_G);
}

unsigned gllm_vir_label(struct gllm_vir *v)
{
	return v->nlabels++;
}

/* Writes the operand fields in letter order with the class each must have; returns how many. */
static unsigned operands(const struct gllm_vi *i, gllm_vreg use[4], char letter[4])
{
	const gllm_vreg place[3] = { i->a, i->b, i->c };
	unsigned n = 0, k = 0;

	for (const char *s = gllm_vir_info[i->op].abc; *s; s++) {
		if (*s == '@') {
			letter[n] = 'g';
			use[n++] = i->a;
			if (i->b != GLLM_NO_VREG) {
				letter[n] = 'g';
				use[n++] = i->b;
			}
			k = 2;
		} else if (*s != 'i' && *s != '-') {
			letter[n] = *s;
			use[n++] = place[k++];
		}
	}
	if (i->m != GLLM_NO_VREG) {
		letter[n] = 'm';
		use[n++] = i->m;
	}
	return n;
}

/* --- text ------------------------------------------------------------------------------------------------------------ */

struct line {
	char text[160];
	unsigned n;
};

static void put(struct line *l, const char *s)
{
	while (*s && l->n < sizeof l->text)
		l->text[l->n++] = *s++;
}

static void put_int(struct line *l, int64_t x)
{
	char digit[24];
	unsigned n = sizeof digit;
	uint64_t u = x < 0 ? 0 - (uint64_t)x : (uint64_t)x;

	digit[--n] = 0;
	do
		digit[--n] = (char)('0' + u % 10);
	while (u /= 10);
	if (x < 0)
		digit[--n] = '-';
	put(l, digit + n);
}

static void put_reg(struct line *l, char letter, gllm_vreg r)
{
	put(l, (const char[]){ letter, 0 });
	put_int(l, r);
}

static void put_address(struct line *l, const struct gllm_vi *i)
{
	put(l, " [");
	put_reg(l, 'g', i->a);
	if (i->b != GLLM_NO_VREG) {
		put(l, " + ");
		put_reg(l, 'g', i->b);
		put(l, " << ");
		put_int(l, i->scale);
	}
	put(l, i->imm < 0 ? " " : " +");
	put_int(l, i->imm);
	put(l, "]");
	if (i->mem != i->type) {
		put(l, " as ");
		put(l, gllm_type_name((enum gllm_type)i->mem));
	}
	if (i->lanes == 1)
		put(l, " single");
}

static void put_instruction(struct line *l, const struct gllm_vi *i)
{
	const struct gllm_vir_info *info = &gllm_vir_info[i->op];
	const gllm_vreg place[3] = { i->a, i->b, i->c };
	unsigned k = 0;

	if (info->d[0] != '-') {
		put_reg(l, info->d[0], i->d);
		put(l, " = ");
	}
	put(l, info->name);
	if (info->d[0] == 'v' || info->d[0] == 'm' || i->op == GLLM_V_VSTORE) {
		put(l, ".");
		put(l, gllm_type_name((enum gllm_type)i->type));
	}
	if (i->op == GLLM_V_VSTORE && i->aux)
		put(l, ".past");
	for (const char *s = info->abc; *s; s++) {
		if (*s == '@') {
			put_address(l, i);
			k = 2;
		} else if (*s == 'i') {
			put(l, " #");
			put_int(l, i->imm);
		} else if (*s != '-') {
			put(l, " ");
			put_reg(l, *s, place[k++]);
		}
	}
	if (i->m != GLLM_NO_VREG) {
		put(l, " if ");
		put_reg(l, 'm', i->m);
	}
	if (i->op == GLLM_V_BRANCH || i->op == GLLM_V_BRANCHI) {
		static const char *const cc[] = { " eq", " ne", " lt", " le", " gt", " ge" };
		put(l, i->cc < GLLM_COUNT(cc) ? cc[i->cc] : " ?");
	}
	if (i->aux) {
		put(l, " aux ");
		put_int(l, i->aux);
	}
}

static void end_line(struct line *l, void (*out)(void *user, const char *text, size_t n), void *user)
{
	if (l->n == sizeof l->text)
		l->n--;
	l->text[l->n++] = '\n';
	out(user, l->text, l->n);
}

void gllm_vir_print(const struct gllm_vir *v, const char *name, void (*out)(void *user, const char *text, size_t n), void *user)
{
	struct line title = { .n = 0 };
	unsigned depth = 1;

	put(&title, name);
	put(&title, ":");
	end_line(&title, out, user);
	for (unsigned n = 0; n < v->n; n++) {
		struct line l = { .n = 0 };
		if (v->ins[n].op == GLLM_V_LOOP_END && depth > 1)
			depth--;
		for (unsigned i = 0; i < depth && i < 16; i++)
			put(&l, "  ");
		put_instruction(&l, &v->ins[n]);
		if (v->ins[n].op == GLLM_V_LOOP_BEGIN)
			depth++;
		end_line(&l, out, user);
	}
}

/* --- checker --------------------------------------------------------------------------------------------------------- */

enum { MAX_DEPTH = 64 };

struct checker {
	const struct gllm_vir *v;
	uint8_t *defined;      /* per register */
	uint32_t *label;       /* position + 1 of each label */
	uint32_t open[MAX_DEPTH];
	unsigned depth;
	struct gllm_error *e;
};

size_t gllm_vir_check_bytes(const struct gllm_vir *v)
{
	return (v->nregs + 7u) / 8 * 8 + v->nlabels * sizeof(uint32_t);
}

static enum gllm_status wrong(struct checker *c, const char *what, unsigned at, uint64_t want, uint64_t got)
{
	return gllm_fail(c->e, GLLM_COMPILE_ERROR, what, NULL, at, want, got);
}

static bool class_is(const struct gllm_vir *v, gllm_vreg r, char letter)
{
	static const char of[GLLM_CLASS_COUNT] = { [GLLM_CLASS_G] = 'g', [GLLM_CLASS_V] = 'v', [GLLM_CLASS_M] = 'm' };
	return r < v->nregs && v->reg_class[r] < GLLM_CLASS_COUNT && of[v->reg_class[r]] == letter;
}

static enum gllm_status check_operands(struct checker *c, unsigned at)
{
	const struct gllm_vi *i = &c->v->ins[at];
	gllm_vreg use[4];
	char letter[4];
	unsigned all = gllm_vi_uses(i, use), n = operands(i, use, letter);

	if (all != n)
		return wrong(c, "an instruction names registers that it does not read", at, n, all);
	for (unsigned k = 0; k < n; k++) {
		if (!class_is(c->v, use[k], letter[k]))
			return wrong(c, "an operand is of another class than its instruction needs", at, (uint64_t)letter[k], use[k]);
		if (!c->defined[use[k]])
			return wrong(c, "a register is read before it is written", at, 0, use[k]);
	}
	if ((i->op == GLLM_V_VSCALEM || i->op == GLLM_V_VADDM) && i->m == GLLM_NO_VREG)
		return wrong(c, "an instruction lacks its mask", at, 0, 0);
	if (gllm_vir_info[i->op].d[0] == '-')
		return i->d == GLLM_NO_VREG ? GLLM_OK : wrong(c, "an instruction without result names one", at, 0, i->d);
	if (!class_is(c->v, i->d, gllm_vir_info[i->op].d[0]))
		return wrong(c, "a result is of another class than its instruction makes", at, 0, i->d);
	c->defined[i->d] = 1;
	return GLLM_OK;
}

static bool is_branch(const struct gllm_vi *i)
{
	return i->op == GLLM_V_JUMP || i->op == GLLM_V_BRANCH || i->op == GLLM_V_BRANCHI;
}

static enum gllm_status check_flow(struct checker *c, unsigned at)
{
	const struct gllm_vi *i = &c->v->ins[at];

	if (i->op == GLLM_V_LOOP_BEGIN) {
		if (c->depth == MAX_DEPTH)
			return wrong(c, "loops nest too deep", at, MAX_DEPTH, c->depth);
		c->open[c->depth++] = at;
	} else if (i->op == GLLM_V_LOOP_END) {
		if (c->depth-- == 0)
			return wrong(c, "a loop ends that did not begin", at, 0, 0);
	} else if (is_branch(i)) {
		if ((uint64_t)i->imm >= c->v->nlabels || c->label[i->imm] == 0)
			return wrong(c, "a branch to a label that does not stand anywhere", at, 0, (uint64_t)i->imm);
		if (c->label[i->imm] - 1 < at && (c->depth == 0 || c->open[c->depth - 1] > c->label[i->imm] - 1))
			return wrong(c, "a backward branch leaves its loop's brackets", at, 0, (uint64_t)i->imm);
	}
	return GLLM_OK;
}

enum gllm_status gllm_vir_check(const struct gllm_vir *v, void *work, struct gllm_error *e)
{
	struct checker c = { .v = v, .defined = work, .e = e };

	c.label = (uint32_t *)(void *)(c.defined + (v->nregs + 7u) / 8 * 8);
	if (v->status != GLLM_OK)
		return wrong(&c, "the instruction list is incomplete", v->n, v->max, v->nregs);
	for (unsigned i = 0; i < v->nregs; i++)
		c.defined[i] = i < GLLM_VIR_FIRST_FREE;
	for (unsigned i = 0; i < v->nlabels; i++)
		c.label[i] = 0;
	for (unsigned i = 0; i < v->n; i++) {
		if (v->ins[i].op >= GLLM_V_COUNT)
			return wrong(&c, "not an instruction", i, GLLM_V_COUNT, v->ins[i].op);
		if (v->ins[i].op != GLLM_V_LABEL)
			continue;
		if ((uint64_t)v->ins[i].imm >= v->nlabels || c.label[v->ins[i].imm])
			return wrong(&c, "a label stands twice or was never made", i, v->nlabels, (uint64_t)v->ins[i].imm);
		c.label[v->ins[i].imm] = i + 1;
	}
	for (unsigned i = 0; i < v->n; i++) {
		enum gllm_status s = check_operands(&c, i);
		if (s == GLLM_OK)
			s = check_flow(&c, i);
		if (s != GLLM_OK)
			return s;
	}
	return c.depth == 0 ? GLLM_OK : wrong(&c, "a loop begins that does not end", v->n, 0, c.depth);
}
