/* SPDX-License-Identifier: MIT
 * jit/lower_idiom.c - what a definition puts together from bytes with integer arithmetic, and the machine loads at once: halves of
 * blocks that are not aligned, and integers with a sign; and sums that are taken under a condition. */
#include "core/bits.h"
#include "jit/lower_state.h"

static bool is_op(const struct lower *l, gllm_ref n, enum gllm_node_op op, enum gllm_type type)
{
	return n != GLLM_NO_NODE && l->t->node[n].op == op && l->t->node[n].type == type;
}

static bool is_word(const struct lower *l, gllm_ref n, uint32_t bits)
{
	return n != GLLM_NO_NODE && l->t->node[n].op == GLLM_N_CONST && (uint32_t)l->t->node[n].imm == bits;
}

/* The operand of n = op(bits, operand), either way round unless it is a shift; NO_NODE if n is something else. */
static gllm_ref with_word(const struct lower *l, gllm_ref n, enum gllm_node_op op, enum gllm_type type, uint32_t bits)
{
	if (!is_op(l, n, op, type))
		return GLLM_NO_NODE;
	const struct gllm_node *x = &l->t->node[n];
	bool shift = op == GLLM_N_SHL || op == GLLM_N_SHR || op == GLLM_N_SAR;

	return is_word(l, x->b, bits) ? x->a : !shift && is_word(l, x->a, bits) ? x->b : GLLM_NO_NODE;
}

static gllm_ref under(const struct lower *l, gllm_ref n, enum gllm_node_op op, enum gllm_type type)
{
	return is_op(l, n, op, type) ? l->t->node[n].a : GLLM_NO_NODE;
}

/* --- halves ---------------------------------------------------------------------------------------------------------- */

/* 1 - (byte >> 6 & 2) as a float: the sign that the upper byte has. */
static gllm_ref upper_of_sign(const struct lower *l, gllm_ref n)
{
	gllm_ref x = under(l, n, GLLM_N_CVT, GLLM_F32);

	if (!is_op(l, x, GLLM_N_SUB, GLLM_I32) || !is_word(l, l->t->node[x].a, 1))
		return GLLM_NO_NODE;
	x = with_word(l, l->t->node[x].b, GLLM_N_AND, GLLM_I32, 2);
	return with_word(l, x, GLLM_N_SHR, GLLM_I32, 6);
}

/* The lower byte of a = lower << 13 | (upper & 127) << 21. */
static gllm_ref lower_of(const struct lower *l, gllm_ref a, gllm_ref upper)
{
	for (unsigned k = 0; k < 2 && is_op(l, a, GLLM_N_ADD, GLLM_I32); k++) {
		gllm_ref first = k ? l->t->node[a].b : l->t->node[a].a, second = k ? l->t->node[a].a : l->t->node[a].b;
		gllm_ref high = with_word(l, first, GLLM_N_AND, GLLM_I32, UINT32_C(0x0fe00000));
		if (high != GLLM_NO_NODE && with_word(l, high, GLLM_N_SHL, GLLM_I32, 21) == upper)
			return with_word(l, second, GLLM_N_SHL, GLLM_I32, 13);
	}
	return GLLM_NO_NODE;
}

/* The bits a of n = a * 2^112 as floats, with all bits of the exponent set where the half's are. */
static gllm_ref bits_of_size(const struct lower *l, gllm_ref n)
{
	gllm_ref either = under(l, n, GLLM_N_BITS, GLLM_F32);

	for (unsigned k = 0; k < 2 && is_op(l, either, GLLM_N_OR, GLLM_I32); k++) {
		gllm_ref first = k ? l->t->node[either].b : l->t->node[either].a, second = k ? l->t->node[either].a : l->t->node[either].b;
		gllm_ref special = with_word(l, first, GLLM_N_AND, GLLM_I32, UINT32_C(0x7f800000));
		special = with_word(l, special, GLLM_N_SAR, GLLM_I32, 31);
		special = with_word(l, special, GLLM_N_ADD, GLLM_I32, UINT32_C(0x70800000));
		gllm_ref scaled = with_word(l, under(l, second, GLLM_N_BITS, GLLM_I32), GLLM_N_MUL, GLLM_F32, UINT32_C(0x77800000));
		if (special != GLLM_NO_NODE && under(l, scaled, GLLM_N_BITS, GLLM_F32) == special)
			return special;
	}
	return GLLM_NO_NODE;
}

/* The load of byte n, taken as an integer, that no loop has in neighbouring lanes. */
static gllm_ref byte_load(const struct lower *l, gllm_ref n)
{
	gllm_ref load = under(l, n, GLLM_N_CVT, GLLM_I32);

	if (!is_op(l, load, GLLM_N_LOAD, GLLM_U8) || l->t->access[l->t->node[load].imm].index != GLLM_NO_NODE)
		return GLLM_NO_NODE;
	const struct induction *x = &l->ind[l->access[l->t->node[load].imm].ind];
	for (unsigned i = 0; i < l->t->nloops; i++)
		if ((x->loops >> i & 1) && x->stride[i].sym == NO_SYM && x->stride[i].c >= -8 && x->stride[i].c <= 8)
			return GLLM_NO_NODE;
	return load;
}

/* The load of the lower byte of a half that lies in two bytes side by side and is node n's value; NO_NODE if n is none. */
static gllm_ref half_at(const struct lower *l, gllm_ref n)
{
	for (unsigned k = 0; k < 2 && is_op(l, n, GLLM_N_MUL, GLLM_F32); k++) {
		gllm_ref sign = k ? l->t->node[n].b : l->t->node[n].a, size = k ? l->t->node[n].a : l->t->node[n].b;
		gllm_ref upper = upper_of_sign(l, sign), a = upper == GLLM_NO_NODE ? GLLM_NO_NODE : bits_of_size(l, size);
		gllm_ref low = byte_load(l, lower_of(l, a, upper)), high = byte_load(l, upper);
		if (low == GLLM_NO_NODE || high == GLLM_NO_NODE)
			continue;
		struct place p = l->access[l->t->node[low].imm], q = l->access[l->t->node[high].imm];
		if (p.ind == q.ind && p.disp + 1 == q.disp)
			return low;
	}
	return GLLM_NO_NODE;
}

/* Nodes that only those halves were made of are not emitted. */
static void drop(struct lower *l, gllm_ref n)
{
	const struct gllm_node *x = &l->t->node[n];
	const gllm_ref from[3] = { x->a, x->b, x->c };

	for (unsigned k = 0; k < 3; k++)
		if (from[k] != GLLM_NO_NODE && --l->uses[from[k]] == 0)
			l->idle[from[k]] = 1;
}

void gllm_lower_mark_halves(struct lower *l)
{
	bool any = false;

	for (gllm_ref n = 0; n < l->t->nnodes; n++) {
		bool may = !l->halves && !(l->m->profile && l->m->profile->strict_align) && l->t->node[n].op == GLLM_N_MUL;
		l->half[n] = may ? half_at(l, n) : GLLM_NO_NODE;
		any = any || l->half[n] != GLLM_NO_NODE;
	}
	for (gllm_ref n = (gllm_ref)l->t->nnodes; any && n-- > 0;)
		if (l->half[n] != GLLM_NO_NODE || (l->idle[n] && l->t->node[n].op != GLLM_N_CARRY && l->t->node[n].op != GLLM_N_LAST))
			drop(l, n);
}

/* --- sums under a condition ------------------------------------------------------------------------------------------ */

/* c ? a + b : a is one instruction, and the sum none of its own. */
void gllm_lower_mark_sums_under(struct lower *l)
{
	const struct gllm_trace *t = l->t;

	for (gllm_ref n = 0; n < t->nnodes && l->m->has_addm && !l->halves; n++) {
		const struct gllm_node *x = &t->node[n], *sum = x->b == GLLM_NO_NODE ? NULL : &t->node[x->b];
		if (is_op(l, n, GLLM_N_SELECT, GLLM_F32) && is_op(l, x->b, GLLM_N_ADD, GLLM_F32) && l->fused[x->b] == GLLM_NO_NODE &&
		    l->uses[x->b] == 1 && sum->loop == x->loop && (sum->a == x->c || sum->b == x->c))
			l->idle[x->b] = 1;
	}
}

/* --- signs ----------------------------------------------------------------------------------------------------------- */

/* The load whose integer, taken with its sign, is node n's value: x << 24 >> 24 of a byte x. NO_NODE if n is none. */
static gllm_ref signed_load(const struct lower *l, gllm_ref n)
{
	const struct gllm_trace *t = l->t;
	unsigned by = is_op(l, n, GLLM_N_SAR, GLLM_I32) && is_word(l, t->node[n].b, 16) ? 16 : 24;
	gllm_ref up = with_word(l, n, GLLM_N_SAR, GLLM_I32, by), from = with_word(l, up, GLLM_N_SHL, GLLM_I32, by);

	if (from == GLLM_NO_NODE || l->uses[up] != 1)
		return GLLM_NO_NODE;
	if (t->node[from].op == GLLM_N_CVT && l->uses[from] == 1)
		from = t->node[from].a;
	return is_op(l, from, GLLM_N_LOAD, by == 24 ? GLLM_U8 : GLLM_U16) ? from : GLLM_NO_NODE;
}

/* Integers that are read with their sign alone are loaded with it. */
void gllm_lower_mark_loaded(struct lower *l)
{
	const struct gllm_trace *t = l->t;

	for (gllm_ref n = 0; n < t->nnodes; n++) {
		gllm_ref from = signed_load(l, n);
		l->loaded[n] = t->node[n].op == GLLM_N_LOAD ? t->access[t->node[n].imm].type : 0;
		l->signed_load[n] = GLLM_NO_NODE;
		if (from == GLLM_NO_NODE || l->uses[from] != 1 || l->integer[from] || l->spread[from] || l->turned[from] || l->integer[n])
			continue;
		l->loaded[from] = t->node[from].type == GLLM_U8 ? GLLM_I8 : GLLM_I16;
		l->signed_load[n] = from;
	}
}
