/* SPDX-License-Identifier: MIT
 * jit/lower_half.c - whether a trace over F16 tensors comes out bit for bit the same, and no later, if all its arithmetic is
 * of halves.
 *
 * A trace widens what it loads and narrows what it stores; in between is F32. A sum, difference, product, quotient or
 * square root of halves, rounded to F32 and then to F16, is what rounding once to F16 gives: F32 has 24 >= 2 * 11 + 2 bits,
 * so its result is on no tie between halves unless the exact one is (so also among subnormal halves, whose ties have fewer
 * bits). A second rounding, or one of a product and a sum at once, has no such proof: what is made of a rounded value may
 * only be stored. Signs, comparisons and choices of halves round nothing.
 *
 * The lesser or greater of a sum and a half is the same before and after rounding the sum: rounding keeps order, and a sum
 * of halves that is not 0 does not become 0. Products do, and their order with 0 would change. */
#include "core/bits.h"
#include "gllm/ops.h"
#include "jit/lower_state.h"

enum kind {
	OTHER,     /* not known to be any of these; nothing that is stored may depend on it */
	HALF,      /* its values are halves */
	ROUNDED,   /* rounded once from what halves make; narrowed it is the half itself */
	SUM,       /* the same, of a sum or difference */
	CONDITION, /* of halves */
	ORDER,     /* of a sum and a half */
};

static bool is_half(uint32_t bits)
{
	return gllm_f32_bits(gllm_f16_to_f32(gllm_f32_to_f16(gllm_bits_f32(bits)))) == bits;
}

static bool is_value(enum kind k)
{
	return k == HALF || k == ROUNDED || k == SUM;
}

/* One of both values is made of the other kind only if each is a value. */
static enum kind either(enum kind a, enum kind b)
{
	return !is_value(a) || !is_value(b) ? OTHER : a == HALF && b == HALF ? HALF : ROUNDED;
}

static enum kind chosen(const struct lower *l, const struct gllm_node *x, const uint8_t *kind)
{
	const struct gllm_node *c = &l->t->node[x->a];

	if (kind[x->a] == CONDITION)
		return either(kind[x->b], kind[x->c]);
	bool one_of_both = (x->b == c->a && x->c == c->b) || (x->b == c->b && x->c == c->a);
	return kind[x->a] == ORDER && one_of_both ? SUM : OTHER;
}

static enum kind kind_of(const struct lower *l, const struct gllm_node *x, const uint8_t *kind)
{
	enum kind a = x->a == GLLM_NO_NODE ? OTHER : kind[x->a], b = x->b == GLLM_NO_NODE ? OTHER : kind[x->b];
	bool both = a == HALF && b == HALF;

	switch ((enum gllm_node_op)x->op) {
	case GLLM_N_CONST: return x->type == GLLM_F32 && is_half((uint32_t)x->imm) ? HALF : OTHER;
	case GLLM_N_LOAD: return x->type == GLLM_F16 ? HALF : OTHER;
	case GLLM_N_CVT: return (x->type == GLLM_F16 && is_value(a)) || (x->type == GLLM_F32 && a == HALF) ? HALF : OTHER;
	case GLLM_N_STORE: return x->type == GLLM_F16 && a == HALF ? HALF : OTHER;
	case GLLM_N_ADD: case GLLM_N_SUB: return both ? SUM : OTHER;
	case GLLM_N_MUL: return both ? ROUNDED : OTHER;
	case GLLM_N_DIV: return both && !l->m->slow_half_div ? ROUNDED : OTHER;
	case GLLM_N_SQRT: return a == HALF && !l->m->slow_half_div ? ROUNDED : OTHER;
	case GLLM_N_NEG: case GLLM_N_ABS: return is_value(a) ? a : OTHER;
	case GLLM_N_LT: case GLLM_N_LE:
		return both ? CONDITION : (a == SUM && b == HALF) || (a == HALF && b == SUM) ? ORDER : OTHER;
	case GLLM_N_EQ: case GLLM_N_UNORD: return both ? CONDITION : OTHER;
	case GLLM_N_AND: case GLLM_N_OR: case GLLM_N_XOR: return a == CONDITION && b == CONDITION ? CONDITION : OTHER;
	case GLLM_N_SELECT:
		return x->type == GLLM_MASK ? (a == CONDITION && b == CONDITION && kind[x->c] == CONDITION ? CONDITION : OTHER)
		                            : chosen(l, x, kind);
	case GLLM_N_SCALAR: case GLLM_N_INDEX: case GLLM_N_CARRY: case GLLM_N_LAST: case GLLM_N_FMA: case GLLM_N_RINT:
	case GLLM_N_LDEXP: case GLLM_N_SHL: case GLLM_N_SHR: case GLLM_N_SAR: case GLLM_N_CVTN: case GLLM_N_BITS: case GLLM_N_DOT:
	case GLLM_N_COUNT: break;
	}
	return OTHER;
}

/* True only of traces that store nothing but halves. Nothing is carried around a loop. */
bool gllm_lower_fits_halves(struct lower *l)
{
	const struct gllm_trace *t = l->t;
	bool fits = l->m->halves, first = false;

	for (unsigned i = 0; i < t->nnodes && fits; i++) {
		fits = t->node[i].op != GLLM_N_CARRY && (t->node[i].op != GLLM_N_STORE || t->node[i].type == GLLM_F16);
		first |= t->node[i].op == GLLM_N_STORE;
	}
	if (!fits || !first)
		return false;
	uint8_t *kind = gllm_lower_alloc(l, t->nnodes, 1);
	for (unsigned i = 0; i < t->nnodes && kind && fits; i++) {
		kind[i] = (uint8_t)kind_of(l, &t->node[i], kind);
		fits = t->node[i].op != GLLM_N_STORE || kind[i] == HALF;
	}
	return kind && fits;
}
