/* SPDX-License-Identifier: MIT
 * jit/lower_node.c - one node for one tuple of copies, as instructions. */
#include "core/bits.h"
#include "jit/lower_state.h"
#include "jit/trace_bounds.h"

static bool is_float(unsigned type)
{
	return type == GLLM_F32 || type == GLLM_F16 || type == GLLM_BF16;
}

static gllm_vreg to_float(struct lower *l, gllm_vreg a, enum gllm_type from)
{
	struct gllm_vi i = gllm_vi(GLLM_V_VCVT);

	i.type = GLLM_F32;
	i.mem = (uint8_t)from;
	i.a = a;
	i.d = gllm_vir_reg(l->v, GLLM_CLASS_V);
	return gllm_vir_emit(l->v, i);
}

/* Where the result goes: the accumulator itself, or a new register. */
static gllm_vreg target(struct lower *l, gllm_ref n)
{
	const struct frame *top = &l->frame[l->depth - 1];
	gllm_ref carry = l->direct[n];

	if (carry != GLLM_NO_NODE && top->mask == GLLM_NO_VREG)
		return l->slot[gllm_lower_carry_index(l, carry, gllm_lower_own_copy(l, node(l, carry)->loop))];
	return gllm_vir_reg(l->v, node(l, n)->type == GLLM_MASK ? GLLM_CLASS_M : GLLM_CLASS_V);
}

static gllm_vreg put(struct lower *l, gllm_ref n, enum gllm_vir_op op, enum gllm_type type, gllm_vreg a, gllm_vreg b,
                     gllm_vreg c, int64_t imm)
{
	struct gllm_vi i = gllm_vi(op);

	i.type = i.mem = (uint8_t)type;
	i.a = a;
	i.b = b;
	i.c = c;
	i.imm = imm;
	i.d = target(l, n);
	return gllm_vir_emit(l->v, i);
}

static gllm_vreg splat(struct lower *l, gllm_vreg g)
{
	return gllm_lower_emit(l, GLLM_V_VSPLAT, GLLM_I32, g, GLLM_NO_VREG, GLLM_NO_VREG);
}

static gllm_vreg add_lanes(struct lower *l, gllm_vreg a, gllm_vreg b)
{
	return gllm_lower_emit(l, GLLM_V_VADD, GLLM_I32, a, b, GLLM_NO_VREG);
}

/* The induction's value plus the number of the lane, once for all copies in a body. */
static gllm_vreg counted(struct lower *l, struct frame *f, uint16_t ind)
{
	if (f->counted == GLLM_NO_VREG || f->counted_ind != ind) {
		f->counted = add_lanes(l, splat(l, l->ind[ind].reg), l->lane_numbers);
		f->counted_ind = ind;
	}
	return f->counted;
}

static gllm_vreg index_node(struct lower *l, gllm_ref n)
{
	struct place p = l->index[node(l, n)->imm];
	unsigned f = gllm_lower_lane_frame(l);
	int64_t stride = f ? l->ind[p.ind].stride[l->frame[f].loop].c : 0;
	struct gllm_vi i = gllm_vi(GLLM_V_VLOAD);
	gllm_vreg v;

	p.disp -= gllm_lower_later(l, n);
	if (stride == 1 && f == l->depth - 1) {
		gllm_lower_address(l, p, 0, 0, &i);
		if (i.b == GLLM_NO_VREG && i.imm == (int32_t)i.imm) {
			v = counted(l, &l->frame[f], p.ind);
			return i.imm ? add_lanes(l, v, gllm_lower_word(l, (uint32_t)i.imm, GLLM_NO_VREG)) : v;
		}
	}
	v = splat(l, gllm_lower_integer_at(l, p));
	if (stride == 0)
		return v;
	if (stride == 1)
		return add_lanes(l, v, l->lane_numbers);
	return add_lanes(l, v, gllm_lower_emit(l, GLLM_V_VMUL, GLLM_I32, l->lane_numbers,
	                                       gllm_lower_word(l, (uint32_t)stride, GLLM_NO_VREG), GLLM_NO_VREG));
}

/* Greatest value an index can take is known and below 2^31, or it counts one loop. */
static bool small_index(const struct lower *l, struct place p)
{
	const struct induction *x = &l->ind[p.ind];
	double most = (double)p.disp;
	bool single = x->loops != 0 && (x->loops & (x->loops - 1)) == 0 && x->base == NO_SYM && p.disp == 0;

	if (x->base != NO_SYM)
		return false;
	for (unsigned i = 0; i < l->t->nloops; i++) {
		if (!(x->loops >> i & 1))
			continue;
		if (x->stride[i].sym != NO_SYM)
			return false;
		if (single && x->stride[i].c == 1)
			return true;
		if (l->loop[i].trip < 0 || x->stride[i].c < 0)
			return false;
		most += (double)x->stride[i].c * (double)l->loop[i].trip;
	}
	return p.disp >= 0 && most < 2147483648.0;
}

/* F32 of an integer polynomial, rounded once. */
static gllm_vreg index_to_float(struct lower *l, gllm_ref n)
{
	struct place p = l->index[node(l, n)->imm];
	const struct induction *x = &l->ind[p.ind];
	gllm_vreg g, high, low;

	if (x->loops == 0 && x->base == NO_SYM)
		return gllm_lower_word(l, gllm_f32_bits((float)p.disp), GLLM_NO_VREG);
	if (x->loops != 0) {
		if (!small_index(l, p))
			gllm_lower_fail(l, GLLM_COMPILE_ERROR, "an index that becomes a float may not fit 32 bits", n);
		return to_float(l, gllm_lower_value(l, n), GLLM_I32);
	}
	/* For |x| < 2^47: x = high * 2^24 + low, both exact as floats; the sum rounds once. */
	g = gllm_lower_integer_at(l, p);
	high = gllm_lower_g(l, GLLM_V_GADDI, g, GLLM_NO_VREG, INT64_C(1) << 47);
	high = gllm_lower_g(l, GLLM_V_GSHRI, high, GLLM_NO_VREG, 24);
	high = gllm_lower_g(l, GLLM_V_GADDI, high, GLLM_NO_VREG, -(INT64_C(1) << 23));
	low = gllm_lower_g(l, GLLM_V_GANDI, g, GLLM_NO_VREG, 0xffffff);
	high = gllm_lower_emit(l, GLLM_V_VSPLAT, GLLM_I32, high, GLLM_NO_VREG, GLLM_NO_VREG);
	low = gllm_lower_emit(l, GLLM_V_VSPLAT, GLLM_I32, low, GLLM_NO_VREG, GLLM_NO_VREG);
	high = to_float(l, high, GLLM_I32);
	low = to_float(l, low, GLLM_I32);
	high = gllm_lower_emit(l, GLLM_V_VMUL, GLLM_F32, high, gllm_lower_word(l, gllm_f32_bits(0x1p24f), GLLM_NO_VREG), GLLM_NO_VREG);
	return gllm_lower_emit(l, GLLM_V_VADD, GLLM_F32, high, low, GLLM_NO_VREG);
}

/* Cuts an integer result of `type` to its width, extended again to the lane. */
static gllm_vreg wrap(struct lower *l, unsigned type, gllm_vreg r)
{
	unsigned bytes = gllm_type_bytes((enum gllm_type)type);
	bool is_signed = type == GLLM_I8 || type == GLLM_I16;
	struct gllm_vi i = gllm_vi(GLLM_V_VSHLI);

	if (bytes >= 4 || is_float(type))
		return r;
	i.type = i.mem = GLLM_I32;
	i.imm = 32 - 8 * (int64_t)bytes;
	i.a = r;
	i.d = gllm_vir_reg(l->v, GLLM_CLASS_V);
	i.a = gllm_vir_emit(l->v, i);
	i.op = is_signed ? GLLM_V_VSARI : GLLM_V_VSHRI;
	i.d = gllm_vir_reg(l->v, GLLM_CLASS_V);
	return gllm_vir_emit(l->v, i);
}

/* F32 of words without a sign, rounded once: 2^23 + the lower half and 2^39 + the upper one are floats as they stand. */
static gllm_vreg unsigned_to_float(struct lower *l, gllm_vreg x)
{
	if (l->m->has_unsigned)
		return to_float(l, x, GLLM_U32);
	struct gllm_vi upper = gllm_vi(GLLM_V_VSHRI);
	upper.type = upper.mem = GLLM_I32;
	upper.imm = 16;
	upper.a = x;
	upper.d = gllm_vir_reg(l->v, GLLM_CLASS_V);
	gllm_vreg low = gllm_lower_emit(l, GLLM_V_VAND, GLLM_I32, x, gllm_lower_word(l, 0xffff, GLLM_NO_VREG), GLLM_NO_VREG);
	gllm_vreg high = gllm_vir_emit(l->v, upper);
	low = gllm_lower_emit(l, GLLM_V_VOR, GLLM_I32, low, gllm_lower_word(l, gllm_f32_bits(0x1p23f), GLLM_NO_VREG), GLLM_NO_VREG);
	high = gllm_lower_emit(l, GLLM_V_VOR, GLLM_I32, high, gllm_lower_word(l, gllm_f32_bits(0x1p39f), GLLM_NO_VREG), GLLM_NO_VREG);
	high = gllm_lower_emit(l, GLLM_V_VSUB, GLLM_F32, high, gllm_lower_word(l, gllm_f32_bits(0x1p39f + 0x1p23f), GLLM_NO_VREG), GLLM_NO_VREG);
	return gllm_lower_emit(l, GLLM_V_VADD, GLLM_F32, high, low, GLLM_NO_VREG);
}

static gllm_vreg convert_node(struct lower *l, gllm_ref n)
{
	const struct gllm_node *x = node(l, n), *from = node(l, x->a);
	bool is_to = is_float(x->type), is_from = is_float(from->type);
	struct gllm_vi i = gllm_vi(x->op == GLLM_N_CVTN ? GLLM_V_VCVTN : GLLM_V_VCVT);

	if (is_to && is_from) {
		/* Half types are held as their F32 values, and the rounding happens in the store; or all are halves. */
		for (gllm_ref k = 0; x->type != GLLM_F32 && !l->halves && k < l->t->nnodes; k++)
			if (node(l, k)->op != GLLM_N_STORE && (node(l, k)->a == n || node(l, k)->b == n || node(l, k)->c == n))
				gllm_lower_fail(l, GLLM_COMPILE_ERROR, "a half-precision value is used other than by storing it", n);
		return gllm_lower_value(l, x->a);
	}
	if (is_to && from->type == GLLM_I64) {
		if (from->op == GLLM_N_INDEX)
			return index_to_float(l, x->a);
		gllm_lower_fail(l, GLLM_COMPILE_ERROR, "a 64-bit integer that is no index becomes a float", n);
	}
	if (!is_to && !is_from) /* lanes hold the extended value already */
		return wrap(l, x->type, gllm_lower_value(l, x->a));
	if (is_to && from->type == GLLM_U32)
		return unsigned_to_float(l, gllm_lower_value(l, x->a));
	if (x->type == GLLM_U32 || x->type == GLLM_I64)
		gllm_lower_fail(l, GLLM_COMPILE_ERROR, "no conversion between floats and this integer type", n);
	i.type = is_to ? GLLM_F32 : GLLM_I32;
	i.mem = is_to ? GLLM_I32 : GLLM_F32;
	i.a = gllm_lower_value(l, x->a);
	i.d = gllm_vir_reg(l->v, GLLM_CLASS_V);
	return wrap(l, x->type, gllm_vir_emit(l->v, i));
}

/* Lanes hold narrow integers extended by their own sign, halves as F32. */
static gllm_vreg bits_node(struct lower *l, gllm_ref n)
{
	const struct gllm_node *x = node(l, n), *from = node(l, x->a);
	unsigned bytes = gllm_type_bytes((enum gllm_type)x->type);

	if (bytes > 4 || (bytes < 4 && (is_float(x->type) || is_float(from->type))))
		gllm_lower_fail(l, GLLM_COMPILE_ERROR, "bit pattern of a half, or of 64 bits", n);
	return wrap(l, x->type, gllm_lower_value(l, x->a));
}

/* A 64-bit integer whose low half in a lane is its value: a small constant, or one dim or loop variable by itself. */
static bool narrow_index(const struct lower *l, gllm_ref r)
{
	const struct gllm_node *x = node(l, r);
	if (x->op == GLLM_N_CONST)
		return (int64_t)x->imm == (int32_t)x->imm;
	if (x->op != GLLM_N_INDEX)
		return false;
	struct gllm_poly p = l->t->poly[x->imm];
	const struct gllm_term *term = &l->t->term[p.first];
	if (p.count == 0 || (p.count == 1 && term->sym[0] == 0 && term->coef == (int32_t)term->coef))
		return true;
	if (p.count != 1 || term->coef != 1 || term->sym[1] != 0)
		return false;
	return term->sym[0] < GLLM_SYM_LOOP || l->loop[term->sym[0] - GLLM_SYM_LOOP].trip <= INT32_MAX;
}

/* The operands of a node, one after another: what they emit must come in the same order whatever compiler built this. */
struct operands {
	gllm_vreg a, b, c;
};

static struct operands values(struct lower *l, gllm_ref a, gllm_ref b, gllm_ref c)
{
	struct operands x = { GLLM_NO_VREG, GLLM_NO_VREG, GLLM_NO_VREG };
	if (a != GLLM_NO_NODE)
		x.a = gllm_lower_value(l, a);
	if (b != GLLM_NO_NODE)
		x.b = gllm_lower_value(l, b);
	if (c != GLLM_NO_NODE)
		x.c = gllm_lower_value(l, c);
	return x;
}

static gllm_vreg compare_node(struct lower *l, gllm_ref n, enum gllm_vir_op op)
{
	const struct gllm_node *x = node(l, n);
	if (node(l, x->a)->type == GLLM_I64 && !(narrow_index(l, x->a) && narrow_index(l, x->b)))
		gllm_lower_fail(l, GLLM_COMPILE_ERROR, "comparison of 64-bit integers", n);
	enum gllm_type type = gllm_lower_lane_type(l, node(l, x->a)->type);
	gllm_vreg a = gllm_lower_value(l, x->a), b = gllm_lower_value(l, x->b);

	if (node(l, x->a)->type == GLLM_MASK)
		gllm_lower_fail(l, GLLM_COMPILE_ERROR, "comparison of conditions", n);
	if (type == GLLM_U32 && (op == GLLM_V_VLT || op == GLLM_V_VLE)) {
		gllm_vreg sign = gllm_lower_word(l, UINT32_C(0x80000000), GLLM_NO_VREG);
		a = gllm_lower_emit(l, GLLM_V_VXOR, GLLM_I32, a, sign, GLLM_NO_VREG);
		b = gllm_lower_emit(l, GLLM_V_VXOR, GLLM_I32, b, sign, GLLM_NO_VREG);
	}
	const struct known *k = gllm_lower_known(l, n);
	struct gllm_vi i = gllm_vi(op);

	i.type = i.mem = (uint8_t)(type == GLLM_U32 ? GLLM_I32 : type);
	i.a = a;
	i.b = b;
	i.aux = k && k->negated ? GLLM_VIR_NOT : 0;
	i.d = target(l, n);
	return gllm_vir_emit(l->v, i);
}

/* a is -b, both F32. */
static bool negated(const struct lower *l, gllm_ref a, gllm_ref b)
{
	const struct gllm_node *x = node(l, a), *y = node(l, b);

	if (x->op == GLLM_N_CONST && y->op == GLLM_N_CONST)
		return (uint32_t)(x->imm ^ y->imm) == UINT32_C(0x80000000);
	return (x->op == GLLM_N_NEG && x->a == b) || (y->op == GLLM_N_NEG && y->a == a);
}

/* What has the sum of x and something in lanes of a condition, in all others x. */
static gllm_vreg sum_under(struct lower *l, gllm_ref n)
{
	const struct gllm_node *x = node(l, n), *sum = node(l, x->b);
	struct operands o = values(l, x->c, sum->a == x->c ? sum->b : sum->a, x->a);
	struct gllm_vi i = gllm_vi(GLLM_V_VADDM);

	i.type = i.mem = GLLM_F32;
	i.a = o.a;
	i.b = o.b;
	i.m = o.c;
	i.d = target(l, n);
	return gllm_vir_emit(l->v, i);
}

static gllm_vreg select_node(struct lower *l, gllm_ref n)
{
	const struct gllm_node *x = node(l, n), *c = node(l, x->a);
	enum gllm_type type = gllm_lower_lane_type(l, x->type);
	const struct known *k = gllm_lower_known(l, n);
	gllm_vreg m, not_m;
	struct operands o;

	if (k && k->choice == n)
		return gllm_lower_value(l, k->other);
	if (node(l, x->b)->op == GLLM_N_ADD && l->idle[x->b])
		return sum_under(l, n);
	if (c->op == GLLM_N_LT && x->type == GLLM_F32 && node(l, c->a)->type == GLLM_F32) {
		bool turned = negated(l, x->b, c->a) && negated(l, x->c, c->b); /* p < q ? -p : -q is the greater of these */
		bool less = (x->b == c->a && x->c == c->b) || (negated(l, x->b, c->b) && negated(l, x->c, c->a));
		if (less || turned || (x->b == c->b && x->c == c->a)) {
			o = values(l, x->b, x->c, GLLM_NO_NODE);
			return put(l, n, less ? GLLM_V_VMIN : GLLM_V_VMAX, type, o.a, o.b, GLLM_NO_VREG, 0);
		}
	}
	if (x->type != GLLM_MASK) {
		o = values(l, x->a, x->b, x->c);
		return put(l, n, GLLM_V_VSEL, type, o.a, o.b, o.c, 0);
	}
	m = gllm_lower_value(l, x->a);
	not_m = gllm_lower_emit(l, GLLM_V_MNOT, GLLM_F32, m, GLLM_NO_VREG, GLLM_NO_VREG);
	m = gllm_lower_emit(l, GLLM_V_MAND, GLLM_F32, m, gllm_lower_value(l, x->b), GLLM_NO_VREG);
	not_m = gllm_lower_emit(l, GLLM_V_MAND, GLLM_F32, not_m, gllm_lower_value(l, x->c), GLLM_NO_VREG);
	return put(l, n, GLLM_V_MOR, GLLM_F32, m, not_m, GLLM_NO_VREG, 0);
}

/* Products of elements, node `f`, and c, which may be NO_NODE, as the value of node n. */
static gllm_vreg dot(struct lower *l, gllm_ref n, const struct gllm_node *f, gllm_ref c)
{
	struct gllm_vi i = gllm_vi(GLLM_V_VDOT);
	struct operands o = values(l, f->a, f->b, c);

	i.type = (uint8_t)gllm_lower_lane_type(l, f->type);
	i.mem = f->imm & 255;
	i.aux = f->imm >> 8 & 255;
	if (!(l->m->dots & gllm_dot_of(i.mem, (unsigned)i.aux)))
		gllm_lower_fail(l, GLLM_COMPILE_ERROR, "a dot product that the machine lacks", n);
	i.a = o.a;
	i.b = o.b;
	i.c = c == GLLM_NO_NODE ? gllm_lower_word(l, 0, GLLM_NO_VREG) : o.c;
	i.d = target(l, n);
	return gllm_vir_emit(l->v, i);
}

static gllm_vreg sum_node(struct lower *l, gllm_ref n)
{
	const struct gllm_node *x = node(l, n), *f;
	bool add = x->op == GLLM_N_ADD;
	struct operands o;

	if (l->fused[n] == GLLM_NO_NODE || l->fused[n] == n) {
		o = values(l, x->a, x->b, GLLM_NO_NODE);
		return put(l, n, add ? GLLM_V_VADD : GLLM_V_VSUB, gllm_lower_lane_type(l, x->type), o.a, o.b, GLLM_NO_VREG, 0);
	}
	f = node(l, l->fused[n]);
	if (f->op == GLLM_N_DOT && node(l, f->a)->type == GLLM_I64)
		return gllm_lower_tile(l, n, f);
	if (f->op == GLLM_N_DOT)
		return dot(l, n, f, l->fused[n] == x->a ? x->b : x->a);
	o = values(l, f->a, f->b, GLLM_NO_NODE);
	o.c = gllm_lower_addend(l, n);
	return put(l, n, add || gllm_lower_subtracts(l, n) ? GLLM_V_VFMA : GLLM_V_VFNMA, GLLM_F32, o.a, o.b, o.c, 0);
}

struct simple { /* node operations that are one instruction; `mask`: the one for conditions */
	uint8_t op, mask, operands;
	bool is_float;
};

static const struct simple simple[GLLM_N_COUNT] = {
	[GLLM_N_MUL]   = { GLLM_V_VMUL, 0, 2, false },
	[GLLM_N_DIV]   = { GLLM_V_VDIV, 0, 2, true },
	[GLLM_N_FMA]   = { GLLM_V_VFMA, 0, 3, true },
	[GLLM_N_NEG]   = { GLLM_V_VNEG, 0, 1, true },
	[GLLM_N_ABS]   = { GLLM_V_VABS, 0, 1, true },
	[GLLM_N_SQRT]  = { GLLM_V_VSQRT, 0, 1, true },
	[GLLM_N_RINT]  = { GLLM_V_VRINT, 0, 1, true },
	[GLLM_N_LDEXP] = { GLLM_V_VLDEXP, 0, 2, true },
	[GLLM_N_AND]   = { GLLM_V_VAND, GLLM_V_MAND, 2, false },
	[GLLM_N_OR]    = { GLLM_V_VOR, GLLM_V_MOR, 2, false },
	[GLLM_N_XOR]   = { GLLM_V_VXOR, GLLM_V_MXOR, 2, false },
};

/* Vector registers that the machine wants while it computes node `n`. */
unsigned gllm_lower_temporaries(const struct lower *l, gllm_ref n)
{
	struct gllm_vi i = gllm_vi((enum gllm_vir_op)simple[node(l, n)->op].op);

	i.type = i.mem = GLLM_F32;
	return simple[node(l, n)->op].operands && l->m->need ? l->m->need(&i).v : 0;
}

/* (x & sign) | bits of |y|: y with the sign of x. */
static bool copies_sign(const struct lower *l, const struct gllm_node *or, gllm_ref *y, gllm_ref *x)
{
	for (unsigned k = 0; k < 2 && or->op == GLLM_N_OR && l->m->has_copysign; k++) {
		const struct gllm_node *and = node(l, k ? or->b : or->a), *bits = node(l, k ? or->a : or->b);
		if (and->op != GLLM_N_AND || bits->op != GLLM_N_BITS || node(l, bits->a)->op != GLLM_N_ABS)
			continue;
		bool first = node(l, and->a)->op == GLLM_N_CONST;
		const struct gllm_node *mask = node(l, first ? and->a : and->b);
		*x = first ? and->b : and->a;
		*y = node(l, bits->a)->a;
		if (mask->op == GLLM_N_CONST && (uint32_t)mask->imm == UINT32_C(0x80000000) && gllm_type_bytes((enum gllm_type)or->type) == 4)
			return true;
	}
	return false;
}

/* One negated factor is a product that is subtracted. */
static gllm_vreg fma_node(struct lower *l, gllm_ref n)
{
	const struct gllm_node *x = node(l, n);
	bool minus_a = node(l, x->a)->op == GLLM_N_NEG, minus_b = !minus_a && node(l, x->b)->op == GLLM_N_NEG;

	if (!l->m->has_fma)
		gllm_lower_fail(l, GLLM_COMPILE_ERROR, "a fused multiply-add on a machine that has none", n);
	struct operands o = values(l, minus_a ? node(l, x->a)->a : x->a, minus_b ? node(l, x->b)->a : x->b, GLLM_NO_NODE);
	o.c = gllm_lower_addend(l, n);
	return put(l, n, minus_a || minus_b ? GLLM_V_VFNMA : GLLM_V_VFMA, GLLM_F32, o.a, o.b, o.c, 0);
}

/* Lanes whose choice was made by a constant have the result that it leads to. */
static gllm_vreg scale_node(struct lower *l, gllm_ref n, gllm_ref exponent)
{
	const struct known *k = gllm_lower_known(l, n);
	struct operands o = values(l, node(l, n)->a, exponent, GLLM_NO_NODE);
	struct gllm_vi i = gllm_vi(k ? GLLM_V_VSCALEM : GLLM_V_VSCALE);

	i.type = i.mem = GLLM_F32;
	i.a = o.a;
	i.b = o.b;
	if (k) {
		i.m = gllm_lower_value(l, k->condition);
		i.imm = k->bits != 0;
	}
	i.d = target(l, n);
	return gllm_vir_emit(l->v, i);
}

static gllm_vreg simple_node(struct lower *l, gllm_ref n)
{
	const struct gllm_node *x = node(l, n);
	if (l->half[n] != GLLM_NO_NODE)
		return gllm_lower_half_node(l, l->half[n]);
	gllm_ref size, sign;
	const struct simple *s = &simple[x->op];
	bool mask = x->type == GLLM_MASK;
	gllm_ref exponent = gllm_lower_float_exponent(l, n);

	if (exponent != GLLM_NO_NODE)
		return scale_node(l, n, exponent);
	if (copies_sign(l, x, &size, &sign)) {
		struct operands o = values(l, size, sign, GLLM_NO_NODE);
		return put(l, n, GLLM_V_VCOPYSIGN, GLLM_F32, o.a, o.b, GLLM_NO_VREG, 0);
	}
	if ((s->is_float && x->type != GLLM_F32) || (mask && !s->mask))
		gllm_lower_fail(l, GLLM_COMPILE_ERROR, "an operation on a type that has no lanes for it", n);
	if (x->op == GLLM_N_FMA)
		return fma_node(l, n);
	if (x->op == GLLM_N_NEG && node(l, x->a)->op == GLLM_N_ABS) { /* the sign is set */
		struct operands o = values(l, node(l, x->a)->a, GLLM_NO_NODE, GLLM_NO_NODE);
		gllm_vreg sign_bit = gllm_lower_word(l, l->halves ? UINT32_C(0x8000) : UINT32_C(0x80000000), GLLM_NO_VREG);
		return put(l, n, GLLM_V_VOR, GLLM_I32, o.a, sign_bit, GLLM_NO_VREG, 0);
	}
	struct operands o = values(l, x->a, s->operands > 1 ? x->b : GLLM_NO_NODE, GLLM_NO_NODE);
	return wrap(l, x->type, put(l, n, mask ? (enum gllm_vir_op)s->mask : (enum gllm_vir_op)s->op, gllm_lower_lane_type(l, x->type), o.a,
	                            o.b, GLLM_NO_VREG, 0));
}

static gllm_vreg shift_node(struct lower *l, gllm_ref n, enum gllm_vir_op op)
{
	const struct gllm_node *x = node(l, n);

	if (l->signed_load[n] != GLLM_NO_NODE)
		return gllm_lower_value(l, l->signed_load[n]);
	if (node(l, x->b)->op != GLLM_N_CONST || (x->type == GLLM_I64 && op != GLLM_V_VSHLI))
		gllm_lower_fail(l, GLLM_COMPILE_ERROR, "a shift by a variable, or of 64 bits", n);
	return wrap(l, x->type, put(l, n, op, GLLM_I32, gllm_lower_value(l, x->a), GLLM_NO_VREG, GLLM_NO_VREG,
	                            (int64_t)node(l, x->b)->imm));
}

static gllm_vreg vector_node(struct lower *l, gllm_ref n)
{
	const struct gllm_node *x = node(l, n);

	switch ((enum gllm_node_op)x->op) {
	case GLLM_N_INDEX: return index_node(l, n);
	case GLLM_N_LOAD: case GLLM_N_STORE: return gllm_lower_memory_node(l, n);
	case GLLM_N_LAST:
		return l->slot[l->result[x->a] + gllm_lower_index(l, l->dep[n], x->loop, false)];
	case GLLM_N_ADD: case GLLM_N_SUB: return wrap(l, x->type, sum_node(l, n));
	case GLLM_N_MUL: case GLLM_N_DIV: case GLLM_N_FMA: case GLLM_N_NEG: case GLLM_N_ABS: case GLLM_N_SQRT:
	case GLLM_N_RINT: case GLLM_N_LDEXP: case GLLM_N_AND: case GLLM_N_OR: case GLLM_N_XOR:
		return simple_node(l, n);
	case GLLM_N_DOT: return dot(l, n, x, GLLM_NO_NODE);
	case GLLM_N_SHL: return shift_node(l, n, GLLM_V_VSHLI);
	case GLLM_N_SHR: return shift_node(l, n, GLLM_V_VSHRI);
	case GLLM_N_SAR: return shift_node(l, n, GLLM_V_VSARI);
	case GLLM_N_LT: return compare_node(l, n, GLLM_V_VLT);
	case GLLM_N_LE: return compare_node(l, n, GLLM_V_VLE);
	case GLLM_N_EQ: return compare_node(l, n, GLLM_V_VEQ);
	case GLLM_N_UNORD: return compare_node(l, n, GLLM_V_VUNORD);
	case GLLM_N_SELECT: return select_node(l, n);
	case GLLM_N_CVT: case GLLM_N_CVTN: return convert_node(l, n);
	case GLLM_N_BITS: return bits_node(l, n);
	case GLLM_N_CONST: case GLLM_N_SCALAR: case GLLM_N_CARRY: case GLLM_N_COUNT: break;
	}
	gllm_lower_fail(l, GLLM_COMPILE_ERROR, "not a node", n);
	return 0;
}

/* An operation of 32 bits with a constant, or a sum, whose result and operands are known to be small enough not to wrap. */
static gllm_vreg small_integer(struct lower *l, gllm_ref n)
{
	static const uint8_t with_const[GLLM_N_COUNT] = {
		[GLLM_N_AND] = GLLM_V_GANDI, [GLLM_N_ADD] = GLLM_V_GADDI, [GLLM_N_MUL] = GLLM_V_GMULI,
		[GLLM_N_SHL] = GLLM_V_GSHLI, [GLLM_N_SHR] = GLLM_V_GSHRI,
	};
	const struct gllm_node *x = node(l, n);
	bool first = node(l, x->a)->op == GLLM_N_CONST;
	gllm_ref k = first ? x->a : x->b, a = first ? x->b : x->a;

	if (x->type != GLLM_I32 || gllm_trace_most(l->t, n) == GLLM_UNBOUNDED || gllm_trace_most(l->t, a) == GLLM_UNBOUNDED)
		return GLLM_NO_VREG;
	if (node(l, k)->op == GLLM_N_CONST && with_const[x->op] && !(first && (x->op == GLLM_N_SHL || x->op == GLLM_N_SHR)))
		return gllm_lower_g(l, (enum gllm_vir_op)with_const[x->op], gllm_lower_integer_value(l, a), GLLM_NO_VREG, (int64_t)node(l, k)->imm);
	if (x->op != GLLM_N_ADD || gllm_trace_most(l->t, k) == GLLM_UNBOUNDED)
		return GLLM_NO_VREG;
	gllm_vreg left = gllm_lower_integer_value(l, x->a);
	return gllm_lower_g(l, GLLM_V_GADD, left, gllm_lower_integer_value(l, x->b), 0);
}

/* The same value as an integer in class G, for addresses. */
gllm_vreg gllm_lower_integer_node(struct lower *l, gllm_ref n)
{
	const struct gllm_node *x = node(l, n);
	struct gllm_vi i = gllm_vi(GLLM_V_GLOAD);
	bool wide = x->type == GLLM_I64;
	gllm_vreg a;

	switch ((enum gllm_node_op)x->op) {
	case GLLM_N_LOAD:
		gllm_lower_access_address(l, &l->t->access[x->imm], l->access[x->imm], &i);
		if (l->ahead != GLLM_NO_VREG) {
			int64_t stride = l->ind[l->access[x->imm].ind].stride[l->ahead_loop].c;
			i.a = gllm_lower_g(l, GLLM_V_GADD, i.a, gllm_lower_g(l, GLLM_V_GMULI, l->ahead, GLLM_NO_VREG, stride), 0);
		}
		i.d = gllm_vir_reg(l->v, GLLM_CLASS_G);
		i.type = i.mem = l->t->access[x->imm].type;
		gllm_lower_note_copy(l, n, &i);
		return is_float(x->type) ? GLLM_NO_VREG : gllm_vir_emit(l->v, i);
	case GLLM_N_INDEX: return gllm_lower_integer_at(l, l->index[x->imm]);
	case GLLM_N_CVT:
		if (is_float(node(l, x->a)->type) || gllm_type_bytes((enum gllm_type)x->type) <
		    gllm_type_bytes((enum gllm_type)node(l, x->a)->type))
			break;
		return gllm_lower_integer_value(l, x->a);
	case GLLM_N_ADD: case GLLM_N_SUB: case GLLM_N_MUL:
		if (!wide)
			return x->op == GLLM_N_SUB ? GLLM_NO_VREG : small_integer(l, n);
		a = gllm_lower_integer_value(l, x->a);
		return gllm_lower_g(l, x->op == GLLM_N_ADD ? GLLM_V_GADD : x->op == GLLM_N_SUB ? GLLM_V_GSUB : GLLM_V_GMUL, a,
		                    gllm_lower_integer_value(l, x->b), 0);
	case GLLM_N_AND: case GLLM_N_SHR: return wide ? GLLM_NO_VREG : small_integer(l, n);
	case GLLM_N_SHL:
		if (!wide)
			return small_integer(l, n);
		if (node(l, x->b)->op != GLLM_N_CONST)
			break;
		return gllm_lower_g(l, GLLM_V_GSHLI, gllm_lower_integer_value(l, x->a), GLLM_NO_VREG, (int64_t)node(l, x->b)->imm);
	case GLLM_N_CONST: case GLLM_N_SCALAR: case GLLM_N_STORE: case GLLM_N_CARRY: case GLLM_N_LAST: case GLLM_N_DIV:
	case GLLM_N_FMA: case GLLM_N_NEG: case GLLM_N_ABS: case GLLM_N_SQRT: case GLLM_N_RINT: case GLLM_N_LDEXP:
	case GLLM_N_OR: case GLLM_N_XOR: case GLLM_N_SAR: case GLLM_N_LT: case GLLM_N_LE:
	case GLLM_N_EQ: case GLLM_N_UNORD: case GLLM_N_SELECT: case GLLM_N_CVTN: case GLLM_N_BITS: case GLLM_N_DOT:
	case GLLM_N_COUNT: break;
	}
	return GLLM_NO_VREG;
}

void gllm_lower_node(struct lower *l, gllm_ref n)
{
	const struct gllm_node *x = node(l, n);
	gllm_vreg *at;

	if (x->op == GLLM_N_CONST || x->op == GLLM_N_SCALAR || x->op == GLLM_N_CARRY || l->fused[n] == n ||
	    l->status != GLLM_OK)
		return;
	if (l->integer[n]) {
		at = gllm_lower_integer_place(l, n);
		if (*at == GLLM_NO_VREG)
			*at = gllm_lower_integer_node(l, n);
	}
	at = gllm_lower_place(l, n);
	if (*at != GLLM_NO_VREG)
		return;
	gllm_vreg r = vector_node(l, n);
	*at = x->op == GLLM_N_STORE ? GLLM_VIR_ARGS : r; /* stores only note that they are done */
}

/* One step of carry's reduction: `part` combined into `into`, as the scalar code would. */
gllm_vreg gllm_lower_combine(struct lower *l, gllm_ref carry, gllm_vreg part, gllm_vreg into, gllm_vreg d)
{
	static const uint8_t op[] = {
		[GLLM_REDUCE_SUM] = GLLM_V_VADD, [GLLM_REDUCE_PRODUCT] = GLLM_V_VMUL,
		[GLLM_REDUCE_MAX] = GLLM_V_VMAX, [GLLM_REDUCE_MIN] = GLLM_V_VMIN,
		[GLLM_REDUCE_ARGMAX] = GLLM_V_VMAX, [GLLM_REDUCE_ARGMIN] = GLLM_V_VMIN,
	};
	struct gllm_vi i = gllm_vi((enum gllm_vir_op)op[l->t->reduction[l->reduction[carry]].kind]);

	i.type = i.mem = (uint8_t)gllm_lower_lane_type(l, node(l, carry)->type);
	i.a = part;
	i.b = into;
	i.d = d == GLLM_NO_VREG ? gllm_vir_reg(l->v, GLLM_CLASS_V) : d;
	return gllm_vir_emit(l->v, i);
}
