/* SPDX-License-Identifier: MIT
 * arch/aarch64/select_neon.c - vectors of four lanes, or of eight halves.
 *
 * A mask is a vector of lanes that are all ones or all zeros. A broadcast that only multiplies stays in lane 0: products
 * take it from there (g->lane0). */
#include "arch/aarch64/gen.h"

typedef struct gllm_a64_gen gen;
typedef struct gllm_operand operand;

enum { LANES = 4 };

/* --- loads and stores ----------------------------------------------------------------------------------------------- */

static const struct gllm_a64_access loads[] = {
	A64_ACCESS(LDR_B, LDUR_B, 0), A64_ACCESS(LDR_H, LDUR_H, 1), A64_ACCESS(LDR_S, LDUR_S, 2),
	A64_ACCESS(LDR_D, LDUR_D, 3), A64_ACCESS(LDR_Q, LDUR_Q, 4),
};
static const struct gllm_a64_access stores[] = {
	A64_ACCESS(STR_B, STUR_B, 0), A64_ACCESS(STR_H, STUR_H, 1), A64_ACCESS(STR_S, STUR_S, 2),
	A64_ACCESS(STR_D, STUR_D, 3), A64_ACCESS(STR_Q, STUR_Q, 4),
};

/* A whole vector as the lanes of the instruction (F16: of a program of halves). */
static operand lanes(const struct gllm_vi *in, unsigned n)
{
	return in->type == GLLM_F16 ? h8(n) : s4(n);
}

static bool is_integer(unsigned mem)
{
	return mem != GLLM_F32 && mem != GLLM_F16 && mem != GLLM_BF16;
}

/* Elements of memory's type in the low part of s become lanes of d. */
static void widen(gen *g, const struct gllm_vi *in, unsigned d, unsigned s)
{
	bool is_signed = in->mem == GLLM_I8 || in->mem == GLLM_I16, to_float = in->type == GLLM_F32;
	operand zero = a64_imm(0);

	if (in->type == GLLM_F16) {
		gllm_a64_vmove(g, d, s);
		return;
	}
	if (in->type == GLLM_I16 || in->type == GLLM_U16) { /* all of the vector */
		i3(g, is_signed ? A64_SSHLL_V8B : A64_USHLL_V8B, a64_v(d, A64_8H), a64_v(s, A64_8B), zero);
		return;
	}
	switch (in->mem == GLLM_F16 && !to_float ? GLLM_U16 : (enum gllm_type)in->mem) {
	case GLLM_F16:
		i2(g, A64_FCVTL_V4S, s4(d), h4(s));
		return;
	case GLLM_I8: case GLLM_U8:
		i3(g, is_signed ? A64_SSHLL_V8B : A64_USHLL_V8B, a64_v(d, A64_8H), a64_v(s, A64_8B), zero);
		i3(g, is_signed ? A64_SSHLL_V4H : A64_USHLL_V4H, s4(d), h4(d), zero);
		break;
	case GLLM_I16: case GLLM_U16: case GLLM_BF16:
		i3(g, is_signed ? A64_SSHLL_V4H : A64_USHLL_V4H, s4(d), h4(s), zero);
		break;
	case GLLM_F32: case GLLM_I32: case GLLM_U32: case GLLM_MASK:
		gllm_a64_vmove(g, d, s);
		break;
	case GLLM_I64: case GLLM_TYPE_COUNT:
		break;
	}
	if (to_float && in->mem == GLLM_BF16)
		i3(g, A64_SHL_V4S, s4(d), s4(d), a64_imm(16));
	else if (to_float && is_integer(in->mem))
		i2(g, A64_SCVTF_V4S, s4(d), s4(d));
}

/* The same of one element, whose load cleared all above it: unsigned ones are words already. */
static void widen_one(gen *g, const struct gllm_vi *in, unsigned d)
{
	if (in->type == GLLM_F32 && in->mem == GLLM_BF16)
		i3(g, A64_SHL_V4S, s4(d), s4(d), a64_imm(16));
	else if (in->type == GLLM_F16 || (in->mem != GLLM_U8 && in->mem != GLLM_U16))
		widen(g, in, d, d);
	else if (in->type == GLLM_F32)
		i2(g, A64_SCVTF_V4S, s4(d), s4(d));
}

static operand scalar(unsigned n, unsigned log2)
{
	return a64_register(GLLM_R_VEC, n, 8u << log2, 0);
}

/* For each lane whose mask bit is set: its element goes between memory and the same place of register t. */
static void elements(gen *g, const struct gllm_vi *in, unsigned log2, unsigned t, bool is_store)
{
	static const uint16_t row[2][3] = { { A64_LD1_B, A64_LD1_H, A64_LD1_S }, { A64_ST1_B, A64_ST1_H, A64_ST1_S } };
	unsigned base = gllm_a64_address(g, in);
	bool halves = g->v->halves && in->type == GLLM_F16;

	for (unsigned k = 0; k < (halves ? 2u * LANES : LANES); k++) {
		size_t hop;

		i2(g, halves ? A64_UMOV_H : A64_UMOV_S, w(A64_IP0), a64_lane(at(g, in->m), halves ? A64_EH : A64_ES, k));
		hop = g->code->used;
		i2(g, A64_CBZ_W, w(A64_IP0), a64_rel(0));
		i3(g, A64_ADDI_X, x(A64_IP0), x(base), a64_imm((int64_t)k << log2));
		i2(g, row[is_store][log2], a64_list_lane(t, A64_EB + log2, k), a64_mem(A64_IP0, 0));
		gllm_a64_land(g, hop);
	}
}

/* A full access where only elements are aligned: by bytes, which need no alignment. Spill slots are aligned anyway. */
static void byte_access(gen *g, const struct gllm_vi *in, unsigned log2, unsigned reg, bool is_store)
{
	unsigned base = gllm_a64_address(g, in);

	if (log2 == 4) {
		i2(g, is_store ? A64_ST1_V16B : A64_LD1_V16B, a64_list(reg, A64_16B, 1), a64_mem(base, 0));
	} else if (log2 == 3) {
		i2(g, is_store ? A64_ST1_V8B : A64_LD1_V8B, a64_list(reg, A64_8B, 1), a64_mem(base, 0));
	} else {
		if (base != A64_IP1)
			i3(g, A64_ADDI_X, x(A64_IP1), x(base), a64_imm(0));
		for (unsigned k = 0; k < 1u << log2; k++)
			i2(g, is_store ? A64_ST1_B_POST : A64_LD1_B_POST, a64_list_lane(reg, A64_EB, k), a64_mem_post(A64_IP1, 1));
	}
}

/* log2: of all bytes that go between memory and the register's low part. */
static void full_access(gen *g, const struct gllm_vi *in, unsigned log2, unsigned reg, bool is_store)
{
	if (g->strict && in->lanes != 1 && at(g, in->a) != A64_SP)
		byte_access(g, in, log2, reg, is_store);
	else
		gllm_a64_memory(g, is_store ? &stores[log2] : &loads[log2], scalar(reg, log2), in);
}

static unsigned whole_bytes(const gen *g, const struct gllm_vi *in, unsigned log2)
{
	if (in->lanes == 1)
		return log2;
	return g->v->halves && in->type == GLLM_F16 ? 4 : in->type == GLLM_I16 || in->type == GLLM_U16 ? log2 + 3 : log2 + 2;
}

static void vload(gen *g, const struct gllm_vi *in)
{
	unsigned log2 = gllm_a64_element(g, in), d = at(g, in->d), total;

	if (log2 > 2)
		return;
	if (in->m != GLLM_NO_VREG) {
		unsigned t = tv(g, 0);

		i2(g, A64_MOVI_V2D, a64_v(t, A64_2D), a64_imm(0));
		elements(g, in, log2, t, false);
		widen(g, in, d, t);
		return;
	}
	total = whole_bytes(g, in, log2);
	full_access(g, in, total, d, false);
	if (in->lanes == 1)
		widen_one(g, in, d);
	else
		widen(g, in, d, d);
}

static bool holds_lane0(const gen *g, gllm_vreg r)
{
	return r != GLLM_NO_VREG && g->v->reg_class[r] == GLLM_CLASS_V && at(g, r) < 32 && (g->lane0 >> at(g, r) & 1);
}

static bool is_fma(const struct gllm_vi *i)
{
	return (i->op == GLLM_V_VFMA || i->op == GLLM_V_VFNMA || i->op == GLLM_V_VDOT) &&
	       (i->type == GLLM_F32 || i->op == GLLM_V_VDOT);
}

/* Is the broadcast value only a factor of fused multiplications? They take it from lane 0 themselves, one factor each. */
static bool only_multiplies(const gen *g, const struct gllm_vi *in)
{
	gllm_vreg d = in->d;

	if (in->aux == GLLM_VIR_FACTOR)
		return true;
	if (!g->a->reg[d].once)
		return false;
	for (unsigned k = g->i + 1; k < g->v->n && 2 * k + 1 <= g->a->reg[d].end; k++) {
		const struct gllm_vi *use = &g->v->ins[k];

		if (use->a != d && use->b != d && use->c != d && use->m != d)
			continue;
		if (!is_fma(use) || use->c == d || use->a == use->b || holds_lane0(g, use->a == d ? use->b : use->a))
			return false;
	}
	return true;
}

/* Through a general register, which is extended as it is loaded. */
static void signed_bcast(gen *g, const struct gllm_vi *in)
{
	static const struct gllm_a64_access bytes = A64_ACCESS(LDRSB_W, LDURSB_W, 0), words = A64_ACCESS(LDRSH_W, LDURSH_W, 1);
	unsigned d = at(g, in->d);

	gllm_a64_memory(g, in->mem == GLLM_I8 ? &bytes : &words, w(A64_IP0), in);
	i2(g, A64_DUPR_V4S, s4(d), w(A64_IP0));
	if (in->type == GLLM_F32)
		i2(g, A64_SCVTF_V4S, s4(d), s4(d));
}

static void vbcast(gen *g, const struct gllm_vi *in)
{
	unsigned log2 = gllm_a64_element(g, in), d = at(g, in->d);

	if (log2 > 2)
		return;
	if ((in->mem == GLLM_I8 || in->mem == GLLM_I16) && (in->type == GLLM_F32 || in->type == GLLM_I32)) {
		signed_bcast(g, in);
		return;
	}
	gllm_a64_memory(g, &loads[log2], scalar(d, log2), in);
	widen_one(g, in, d);
	g->makes_lane0 = only_multiplies(g, in) && (in->type != GLLM_F16 || d < 16); /* lanes of halves are of the first registers */
	if (!g->makes_lane0 && in->type == GLLM_F16)
		i2(g, A64_DUP_V8H, h8(d), a64_lane(d, A64_EH, 0));
	else if (!g->makes_lane0)
		i2(g, A64_DUP_V4S, s4(d), a64_lane(d, A64_ES, 0));
}

/* The 32-bit lanes become bf16 in the low half of u: to nearest even, NaN stays NaN. */
static void to_bf16(gen *g, unsigned c)
{
	unsigned t = tv(g, 0), u = tv(g, 1), n = tv(g, 2);

	if (g->m->profile->have & GLLM_BIT(GLLM_A64_BF16)) {
		i2(g, A64_BFCVTN_V4H, h4(u), s4(c));
		return;
	}
	i3(g, A64_SHL_V4S, s4(u), s4(c), a64_imm(15));
	i3(g, A64_USHR_V4S, s4(u), s4(u), a64_imm(31)); /* the bit that decides ties */
	i3(g, A64_ADD_V4S, s4(u), s4(u), s4(c));
	i2(g, A64_MOVIM_V4S, s4(t), a64_imm_shifted(0x7f, 8)); /* 0x7fff */
	i3(g, A64_ADD_V4S, s4(u), s4(u), s4(t));
	gllm_a64_vmove(g, n, c);
	i2(g, A64_ORRI_V4S, s4(n), a64_imm_shifted(0x40, 16)); /* a quiet NaN where c is one */
	i3(g, A64_FCMEQ_V4S, s4(t), s4(c), s4(c));
	i3(g, A64_BIF_V16B, b16(u), b16(n), b16(t));
	i3(g, A64_SHRN_V4H, h4(u), s4(u), a64_imm(16));
}

/* The lanes of c as elements of memory's type side by side; returns the register that holds them. */
static unsigned narrowed(gen *g, const struct gllm_vi *in, unsigned log2)
{
	unsigned c = at(g, in->c), u;

	if (in->mem == in->type || (log2 == 2 && (in->type != GLLM_F32 || in->mem == GLLM_F32)))
		return c;
	u = tv(g, 1);
	if (in->type == GLLM_F32 && in->mem == GLLM_F16) {
		i2(g, A64_FCVTN_V4H, h4(u), s4(c));
		return u;
	}
	if (in->type == GLLM_F32 && in->mem == GLLM_BF16) {
		to_bf16(g, c);
		return u;
	}
	if (in->type == GLLM_F32) {
		i2(g, A64_FCVTZS_V4S, s4(u), s4(c));
		c = u;
	}
	if (log2 < 2)
		i2(g, A64_XTN_V4H, h4(u), s4(c));
	if (log2 < 1)
		i2(g, A64_XTN_V8B, a64_v(u, A64_8B), a64_v(u, A64_8H));
	return u;
}

static void vstore(gen *g, const struct gllm_vi *in)
{
	unsigned log2 = gllm_a64_element(g, in), total = whole_bytes(g, in, log2), c;

	if (log2 > 2)
		return;
	c = narrowed(g, in, log2);
	if (in->m != GLLM_NO_VREG)
		elements(g, in, log2, c, true);
	else
		full_access(g, in, total, c, true);
}

/* --- lanes ---------------------------------------------------------------------------------------------------------- */

static void vzero(gen *g, const struct gllm_vi *in)
{
	i2(g, A64_MOVI_V2D, a64_v(at(g, in->d), A64_2D), a64_imm(0));
}

static void vmov(gen *g, const struct gllm_vi *in)
{
	gllm_a64_vmove(g, at(g, in->d), at(g, in->a));
}

static void vsplat(gen *g, const struct gllm_vi *in)
{
	i2(g, A64_DUPR_V4S, s4(at(g, in->d)), w(at(g, in->a)));
}

/* Lane i = i. */
static void iota(gen *g, unsigned d, bool halves)
{
	gllm_a64_constant(g, A64_IP0, halves ? UINT64_C(0x3000200010000) : UINT64_C(0x100000000));
	i2(g, A64_FMOV_D_X, a64_d(d), x(A64_IP0));
	gllm_a64_constant(g, A64_IP0, halves ? UINT64_C(0x7000600050004) : UINT64_C(0x300000002));
	i2(g, A64_INSR_D, a64_lane(d, A64_ED, 1), x(A64_IP0));
}

static void vindex(gen *g, const struct gllm_vi *in)
{
	unsigned d = at(g, in->d), t = tv(g, 0);

	iota(g, t, false);
	i2(g, A64_DUPR_V4S, s4(d), w(at(g, in->a)));
	i3(g, A64_ADD_V4S, s4(d), s4(d), s4(t));
}

static void mtail(gen *g, const struct gllm_vi *in)
{
	unsigned d = at(g, in->d), a = at(g, in->a), t = tv(g, 0);
	bool halves = g->v->halves;
	struct gllm_vi as = { .type = halves ? GLLM_F16 : GLLM_F32 };

	iota(g, t, halves);
	gllm_a64_constant(g, A64_IP0, halves ? 2 * LANES : LANES);
	i3(g, A64_SUBS_X, x(A64_ZR), x(a), x(A64_IP0));
	i4(g, A64_CSEL_X, x(A64_IP0), x(a), x(A64_IP0), a64_cond(A64_LO));
	i2(g, halves ? A64_DUPR_V8H : A64_DUPR_V4S, lanes(&as, d), w(A64_IP0));
	i3(g, halves ? A64_CMGT_V8H : A64_CMGT_V4S, lanes(&as, d), lanes(&as, d), lanes(&as, t));
}

static void binary(gen *g, const struct gllm_vi *in)
{
	i3(g, gllm_a64_row_of(g, in), lanes(in, at(g, in->d)), lanes(in, at(g, in->a)), lanes(in, at(g, in->b)));
}

static void unary(gen *g, const struct gllm_vi *in)
{
	i2(g, gllm_a64_row_of(g, in), lanes(in, at(g, in->d)), lanes(in, at(g, in->a)));
}

static void bitwise(gen *g, const struct gllm_vi *in)
{
	unsigned a = at(g, in->a), b = at(g, in->b);
	bool swap = in->op == GLLM_V_VANDN; /* bic complements its second source */

	i3(g, gllm_a64_neon[in->op].row[0] - 1u, b16(at(g, in->d)), b16(swap ? b : a), b16(swap ? a : b));
}

static void shift(gen *g, const struct gllm_vi *in)
{
	unsigned d = at(g, in->d), a = at(g, in->a);
	uint64_t n = (uint64_t)in->imm;

	if (in->op == GLLM_V_VSARI && n > 31)
		n = 31;
	if (gllm_a64_lane_type(in->type) > 2)
		gllm_a64_quit(g, GLLM_UNSUPPORTED);
	else if (n == 0)
		gllm_a64_vmove(g, d, a);
	else if (n > 31)
		i2(g, A64_MOVI_V2D, a64_v(d, A64_2D), a64_imm(0));
	else
		i3(g, gllm_a64_neon[in->op].row[1] - 1u, s4(d), s4(a), a64_imm((int64_t)n));
}

/* d = mask ? b : c, lane by lane, whichever of them d is. */
static void choose(gen *g, unsigned d, unsigned mask, unsigned b, unsigned c)
{
	if (d == b && d != c) {
		i3(g, A64_BIF_V16B, b16(d), b16(c), b16(mask));
	} else if (d == c) {
		i3(g, A64_BIT_V16B, b16(d), b16(b), b16(mask));
	} else {
		gllm_a64_vmove(g, d, mask);
		i3(g, A64_BSL_V16B, b16(d), b16(b), b16(c));
	}
}

/* d = a op b by how partial results join. Float minimum and maximum are a compare and a choice: b on NaN. */
static void join(gen *g, unsigned op, unsigned type, unsigned d, unsigned a, unsigned b, unsigned t)
{
	struct gllm_vi in = { .op = (uint8_t)op, .type = (uint8_t)type };

	if ((type == GLLM_F32 || type == GLLM_F16) && (op == GLLM_V_VMIN || op == GLLM_V_VMAX)) {
		i3(g, type == GLLM_F16 ? A64_FCMGT_V8H : A64_FCMGT_V4S, lanes(&in, t), lanes(&in, op == GLLM_V_VMIN ? b : a),
		   lanes(&in, op == GLLM_V_VMIN ? a : b));
		choose(g, d, t, a, b);
	} else {
		i3(g, gllm_a64_row_of(g, &in), s4(d), s4(a), s4(b));
	}
}

static void minmax(gen *g, const struct gllm_vi *in)
{
	join(g, in->op, in->type, at(g, in->d), at(g, in->a), at(g, in->b), tv(g, 0));
}

/* 2^n from an integer lane -126..127 plus 127. */
static void power(gen *g, unsigned t, unsigned bias)
{
	i3(g, A64_ADD_V4S, s4(t), s4(t), s4(bias));
	i3(g, A64_SHL_V4S, s4(t), s4(t), a64_imm(23));
}

/* a * 2^n with one rounding. If every |n| < 127 one multiplication does it. Else n = h + r + s with s in -126..127 and
 * multiplied last: if an earlier product is inexact it is below 2^-126, and then s is -126 and the result 0 anyway. */
static void vldexp(gen *g, const struct gllm_vi *in)
{
	unsigned d = at(g, in->d), a = at(g, in->a), n = at(g, in->b);
	unsigned bias = tv(g, 0), s = tv(g, 1), r = tv(g, 2), h = tv(g, 3);
	size_t fast, done;

	i2(g, A64_MOVI_V4S, s4(bias), a64_imm(127));
	i2(g, A64_ABS_V4S, s4(s), s4(n));
	i2(g, A64_UMAXV_S4, a64_s(s), s4(s));
	i2(g, A64_FMOV_W_S, w(A64_IP0), a64_s(s));
	i3(g, A64_SUBSI_W, w(A64_ZR), w(A64_IP0), a64_imm(127));
	i3(g, A64_ADD_V4S, s4(s), s4(n), s4(bias));
	fast = g->code->used;
	i2(g, A64_BCOND, a64_cond(A64_LO), a64_rel(0));
	i2(g, A64_MVNI_V4S, s4(h), a64_imm(125)); /* -126 */
	i3(g, A64_SMIN_V4S, s4(s), s4(n), s4(bias));
	i3(g, A64_SMAX_V4S, s4(s), s4(s), s4(h));
	i3(g, A64_SUB_V4S, s4(r), s4(n), s4(s));
	i3(g, A64_ADD_V4S, s4(h), s4(h), s4(h));
	i3(g, A64_SMAX_V4S, s4(r), s4(r), s4(h));
	i3(g, A64_ADD_V4S, s4(h), s4(bias), s4(bias));
	i3(g, A64_SMIN_V4S, s4(r), s4(r), s4(h));
	i3(g, A64_SSHR_V4S, s4(h), s4(r), a64_imm(1));
	i3(g, A64_SUB_V4S, s4(r), s4(r), s4(h));
	power(g, h, bias);
	power(g, r, bias);
	i3(g, A64_ADD_V4S, s4(s), s4(s), s4(bias));
	i3(g, A64_FMUL_V4S, s4(h), s4(h), s4(a));
	i3(g, A64_FMUL_V4S, s4(r), s4(r), s4(h));
	done = g->code->used;
	i1(g, A64_B, a64_rel(0));
	gllm_a64_land(g, fast);
	gllm_a64_vmove(g, r, a);
	gllm_a64_land(g, done);
	i3(g, A64_SHL_V4S, s4(s), s4(s), a64_imm(23));
	i3(g, A64_FMUL_V4S, s4(d), s4(r), s4(s));
}

/* The sum of products of elements; `b` is a whole vector, or lane 0 of one: then `first` says it is the first factor. */
static void dot(gen *g, const struct gllm_vi *in, unsigned sum, unsigned a, unsigned b, bool by_element, bool first)
{
	static const struct { uint16_t whole, element, swapped; } row[] = {
		[GLLM_DOT_BF16] = { A64_BFDOT_V4S, A64_BFDOT_E_V4S, A64_BFDOT_E_V4S },
		[GLLM_DOT_I8] = { A64_SDOT_V4S, A64_SDOT_E_V4S, A64_SDOT_E_V4S },
		[GLLM_DOT_U8] = { A64_UDOT_V4S, A64_UDOT_E_V4S, A64_UDOT_E_V4S },
		[GLLM_DOT_U8_I8] = { A64_USDOT_V4S, A64_USDOT_E_V4S, A64_SUDOT_E_V4S },
	};
	unsigned kind = gllm_dot_of(in->mem, (unsigned)in->aux), parts = in->mem == GLLM_BF16 ? A64_8H : A64_16B;

	if (kind == 0)
		gllm_a64_quit(g, GLLM_UNSUPPORTED);
	else if (by_element)
		i3(g, first ? row[kind].swapped : row[kind].element, s4(sum), a64_v(a, parts), a64_lane(b, A64_ES, 0));
	else
		i3(g, row[kind].whole, s4(sum), a64_v(a, parts), a64_v(b, parts));
}

static void vtile(gen *g, const struct gllm_vi *in)
{
	static const uint16_t row[] = { [GLLM_DOT_BF16] = A64_BFMMLA_V4S, [GLLM_DOT_I8] = A64_SMMLA_V4S, [GLLM_DOT_U8] = A64_UMMLA_V4S,
	                                [GLLM_DOT_U8_I8] = A64_USMMLA_V4S };
	unsigned kind = gllm_dot_of(in->mem, (unsigned)in->aux), parts = in->mem == GLLM_BF16 ? A64_8H : A64_16B;
	unsigned d = at(g, in->d), a = at(g, in->a), b = at(g, in->b), sum = d;

	if (in->c != in->d && (d == a || d == b))
		sum = tv(g, 0);
	gllm_a64_vmove(g, sum, at(g, in->c));
	if (kind == 0)
		gllm_a64_quit(g, GLLM_UNSUPPORTED);
	else
		i3(g, row[kind], s4(sum), a64_v(a, parts), a64_v(b, parts));
	gllm_a64_vmove(g, d, sum);
}

/* All there is of 128 bits. */
static void vquad(gen *g, const struct gllm_vi *in)
{
	full_access(g, in, 4, at(g, in->d), false);
}

static void vpair(gen *g, const struct gllm_vi *in)
{
	unsigned d = at(g, in->d);

	full_access(g, in, 3, d, false);
	i2(g, A64_DUP_V2D, a64_v(d, A64_2D), a64_lane(d, A64_ED, 0));
}

static void vfma(gen *g, const struct gllm_vi *in)
{
	unsigned d = at(g, in->d), a = at(g, in->a), b = at(g, in->b), c = at(g, in->c), sum = d, row;
	bool first = holds_lane0(g, in->a), by_element = first || holds_lane0(g, in->b);

	if (in->c != in->d && (d == a || d == b))
		sum = tv(g, 0);
	gllm_a64_vmove(g, sum, c);
	if (first) {
		b = a;
		a = at(g, in->b);
	}
	if (in->op == GLLM_V_VDOT) {
		dot(g, in, sum, a, b, by_element, first);
	} else {
		row = gllm_a64_row_of(g, in);
		if (in->mem == GLLM_F16)
			i3(g, row == A64_FMLA_V4S ? (by_element ? A64_FMLAL_E_V4S : A64_FMLAL_V4S) : by_element ? A64_FMLSL_E_V4S : A64_FMLSL_V4S,
			   s4(sum), h4(a), by_element ? a64_lane(b, A64_EH, 0) : h4(b));
		else if (by_element)
			i3(g, row == A64_FMLA_V4S ? A64_FMLA_V4S_E : A64_FMLS_V4S_E, s4(sum), s4(a), a64_lane(b, A64_ES, 0));
		else
			i3(g, row, s4(sum), s4(a), s4(b));
	}
	gllm_a64_vmove(g, d, sum);
}

static void vcvt(gen *g, const struct gllm_vi *in)
{
	operand d = s4(at(g, in->d)), a = s4(at(g, in->a));

	if (in->op == GLLM_V_VCVT && in->type == GLLM_F32 && in->mem == GLLM_I32)
		i2(g, A64_SCVTF_V4S, d, a);
	else if (in->op == GLLM_V_VCVT && in->type == GLLM_F32 && in->mem == GLLM_U32)
		i2(g, A64_UCVTF_V4S, d, a);
	else if (in->op == GLLM_V_VCVT && in->type == GLLM_I32 && in->mem == GLLM_F32)
		i2(g, A64_FCVTZS_V4S, d, a);
	else if (in->op == GLLM_V_VCVTN && in->type == GLLM_I32)
		i2(g, A64_FCVTNS_V4S, d, a);
	else
		gllm_a64_quit(g, GLLM_UNSUPPORTED);
}

static void vwiden(gen *g, const struct gllm_vi *in)
{
	unsigned d = at(g, in->d), a = at(g, in->a);
	operand half = in->imm ? h8(a) : h4(a);

	if (in->mem == GLLM_F16)
		i2(g, in->imm ? A64_FCVTL2_V4S : A64_FCVTL_V4S, s4(d), half);
	else if (in->mem == GLLM_BF16)
		i3(g, in->imm ? A64_SHLL2_V8H : A64_SHLL_V4H, s4(d), half, a64_imm(16));
	else if (in->mem == GLLM_I16)
		i3(g, in->imm ? A64_SSHLL2_V8H : A64_SSHLL_V4H, s4(d), half, a64_imm(0));
	else
		i3(g, in->imm ? A64_USHLL2_V8H : A64_USHLL_V4H, s4(d), half, a64_imm(0));
}

static void compare(gen *g, const struct gllm_vi *in)
{
	bool swap = in->op != GLLM_V_VEQ; /* a < b is b > a */

	i3(g, gllm_a64_row_of(g, in), lanes(in, at(g, in->d)), lanes(in, at(g, swap ? in->b : in->a)),
	   lanes(in, at(g, swap ? in->a : in->b)));
}

static void unordered(gen *g, const struct gllm_vi *in)
{
	unsigned d = at(g, in->d), s = tv(g, 0), t = tv(g, 1);

	unsigned row = gllm_a64_row_of(g, in);

	i3(g, row, lanes(in, s), lanes(in, at(g, in->a)), lanes(in, at(g, in->a)));
	i3(g, row, lanes(in, t), lanes(in, at(g, in->b)), lanes(in, at(g, in->b)));
	i3(g, A64_AND_V16B, b16(s), b16(s), b16(t));
	i2(g, A64_NOT_V16B, b16(d), b16(s));
}

static void mnot(gen *g, const struct gllm_vi *in)
{
	i2(g, A64_NOT_V16B, b16(at(g, in->d)), b16(at(g, in->a)));
}

static void vsel(gen *g, const struct gllm_vi *in)
{
	choose(g, at(g, in->d), at(g, in->a), at(g, in->b), at(g, in->c));
}

/* --- across lanes --------------------------------------------------------------------------------------------------- */

/* Upper half with lower half, down to one lane: the same tree as the interpreter's. */
static void vreduce(gen *g, const struct gllm_vi *in)
{
	unsigned a = at(g, in->a), s = tv(g, 0), t = tv(g, 1), u = tv(g, 2), op = gllm_a64_joiner(in);

	i4(g, A64_EXT_V16B, b16(t), b16(a), b16(a), a64_imm(8));
	join(g, op, in->type, s, a, t, u);
	i2(g, A64_DUP_V4S, s4(t), a64_lane(s, A64_ES, 1));
	join(g, op, in->type, s, s, t, u);
	i2(g, A64_DUP_V4S, s4(at(g, in->d)), a64_lane(s, A64_ES, 0));
}

static void vhpair(gen *g, const struct gllm_vi *in)
{
	unsigned d = at(g, in->d), a = at(g, in->a), b = at(g, in->b), s = tv(g, 0), t = tv(g, 1);

	if (in->aux == GLLM_VRED_ADD && in->type == GLLM_F32) {
		i3(g, A64_FADDP_V4S, s4(d), s4(a), s4(b));
		return;
	}
	i3(g, A64_UZP1_V4S, s4(s), s4(a), s4(b));
	i3(g, A64_UZP2_V4S, s4(t), s4(a), s4(b));
	join(g, gllm_a64_joiner(in), in->type, d, s, t, tv(g, 2));
}

static void vzip(gen *g, const struct gllm_vi *in)
{
	unsigned d = at(g, in->d), a = at(g, in->a), b = at(g, in->b);

	if (in->imm >= 8)
		i3(g, in->imm == 8 ? A64_UZP1_V2D : A64_UZP2_V2D, a64_v(d, A64_2D), a64_v(a, A64_2D), a64_v(b, A64_2D));
	else if (in->imm >= 6)
		i3(g, in->imm == 6 ? A64_UZP1_V4S : A64_UZP2_V4S, s4(d), s4(a), s4(b));
	else if (in->imm < 2 || in->imm >= 4)
		i3(g, in->imm & 1 ? A64_ZIP2_V4S : A64_ZIP1_V4S, s4(d), s4(a), s4(b));
	else /* a register is one part: a has the even ones, b the odd */
		gllm_a64_vmove(g, d, in->imm == 2 ? a : b);
}

static void vlane0(gen *g, const struct gllm_vi *in)
{
	i2(g, A64_DUP_V4S, s4(at(g, in->d)), a64_lane(at(g, in->a), A64_ES, 0));
}

/* --- the table ------------------------------------------------------------------------------------------------------ */

#define N(row) (A64_##row + 1)
const struct gllm_a64_rule gllm_a64_neon[GLLM_V_COUNT] = {
	/* op                  emit       f32               i32               u32              v */
	[GLLM_V_VLOAD]      = { vload,     { 0 },                                               0 },
	[GLLM_V_VSTORE]     = { vstore,    { 0 },                                               0 },
	[GLLM_V_VBCAST]     = { vbcast,    { 0 },                                               0 },
	[GLLM_V_VQUAD]      = { vquad,     { 0 },                                               0 },
	[GLLM_V_VPAIR]      = { vpair,     { 0 },                                               0 },
	[GLLM_V_VZERO]      = { vzero,     { 0 },                                               0 },
	[GLLM_V_VMOV]       = { vmov,      { 0 },                                               0 },
	[GLLM_V_VSPLAT]     = { vsplat,    { 0 },                                               0 },
	[GLLM_V_VINDEX]     = { vindex,    { 0 },                                               1 },
	[GLLM_V_VADD]       = { binary,    { N(FADD_V4S), N(ADD_V4S), N(ADD_V4S), N(FADD_V8H) }, 0 },
	[GLLM_V_VSUB]       = { binary,    { N(FSUB_V4S), N(SUB_V4S), N(SUB_V4S), N(FSUB_V8H) }, 0 },
	[GLLM_V_VMUL]       = { binary,    { N(FMUL_V4S), N(MUL_V4S), N(MUL_V4S), N(FMUL_V8H) }, 0 },
	[GLLM_V_VDIV]       = { binary,    { N(FDIV_V4S), 0, 0, N(FDIV_V8H) },                  0 },
	[GLLM_V_VMIN]       = { minmax,    { 0, N(SMIN_V4S), N(UMIN_V4S) },                     1 },
	[GLLM_V_VMAX]       = { minmax,    { 0, N(SMAX_V4S), N(UMAX_V4S) },                     1 },
	[GLLM_V_VSQRT]      = { unary,     { N(FSQRT_V4S), 0, 0, N(FSQRT_V8H) },                0 },
	[GLLM_V_VNEG]       = { unary,     { N(FNEG_V4S), N(NEG_V4S), N(NEG_V4S), N(FNEG_V8H) }, 0 },
	[GLLM_V_VABS]       = { unary,     { N(FABS_V4S), N(ABS_V4S), N(ABS_V4S), N(FABS_V8H) }, 0 },
	[GLLM_V_VRINT]      = { unary,     { N(FRINTN_V4S), 0, 0 },                             0 },
	[GLLM_V_VLDEXP]     = { vldexp,    { 0 },                                               4 },
	[GLLM_V_VFMA]       = { vfma,      { N(FMLA_V4S), 0, 0 },                               1 },
	[GLLM_V_VFNMA]      = { vfma,      { N(FMLS_V4S), 0, 0 },                               1 },
	[GLLM_V_VDOT]       = { vfma,      { 0 },                                               1 },
	[GLLM_V_VTILE]      = { vtile,     { 0 },                                               1 },
	[GLLM_V_VAND]       = { bitwise,   { N(AND_V16B) },                                     0 },
	[GLLM_V_VOR]        = { bitwise,   { N(ORR_V16B) },                                     0 },
	[GLLM_V_VXOR]       = { bitwise,   { N(EOR_V16B) },                                     0 },
	[GLLM_V_VANDN]      = { bitwise,   { N(BIC_V16B) },                                     0 },
	[GLLM_V_VSHLI]      = { shift,     { 0, N(SHL_V4S), 0 },                                0 },
	[GLLM_V_VSHRI]      = { shift,     { 0, N(USHR_V4S), 0 },                               0 },
	[GLLM_V_VSARI]      = { shift,     { 0, N(SSHR_V4S), 0 },                               0 },
	[GLLM_V_VCVT]       = { vcvt,      { 0 },                                               0 },
	[GLLM_V_VCVTN]      = { vcvt,      { 0 },                                               0 },
	[GLLM_V_VWIDEN]     = { vwiden,    { 0 },                                               0 },
	[GLLM_V_VLT]        = { compare,   { N(FCMGT_V4S), N(CMGT_V4S), N(CMHI_V4S), N(FCMGT_V8H) }, 0 },
	[GLLM_V_VLE]        = { compare,   { N(FCMGE_V4S), N(CMGE_V4S), N(CMHS_V4S), N(FCMGE_V8H) }, 0 },
	[GLLM_V_VEQ]        = { compare,   { N(FCMEQ_V4S), N(CMEQ_V4S), N(CMEQ_V4S), N(FCMEQ_V8H) }, 0 },
	[GLLM_V_VUNORD]     = { unordered, { N(FCMEQ_V4S), 0, 0, N(FCMEQ_V8H) },                2 },
	[GLLM_V_MAND]       = { bitwise,   { N(AND_V16B) },                                     0 },
	[GLLM_V_MOR]        = { bitwise,   { N(ORR_V16B) },                                     0 },
	[GLLM_V_MXOR]       = { bitwise,   { N(EOR_V16B) },                                     0 },
	[GLLM_V_MNOT]       = { mnot,      { 0 },                                               0 },
	[GLLM_V_MTAIL]      = { mtail,     { 0 },                                               1 },
	[GLLM_V_VSEL]       = { vsel,      { 0 },                                               0 },
	[GLLM_V_VREDUCE]    = { vreduce,   { 0 },                                               3 },
	[GLLM_V_VHPAIR]     = { vhpair,    { 0 },                                               3 },
	[GLLM_V_VZIP]       = { vzip,      { 0 },                                               0 },
	[GLLM_V_VLANE0]     = { vlane0,    { 0 },                                               0 },
};

struct gllm_need gllm_a64_need_neon(const struct gllm_vi *i)
{
	bool fma = is_fma(i) || i->op == GLLM_V_VTILE;
	struct gllm_need n = { 0, gllm_a64_neon[i->op].v, fma && i->c != i->d };

	if (fma && !n.apart)
		n.v = 0;
	if (i->op == GLLM_V_VLOAD && i->m != GLLM_NO_VREG)
		n.v = 1;
	if (i->op == GLLM_V_VSTORE && i->mem != i->type)
		n.v = i->mem == GLLM_BF16 ? 3 : 2;
	return n;
}
