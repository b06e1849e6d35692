/* SPDX-License-Identifier: MIT
 * arch/aarch64/select_sve.c - vectors of as many lanes as the profile states: SVE, 128 to 2048 bits. In a program of halves
 * masks have an element of 16 bits for each.
 *
 * p0 has every lane set, p7 is scratch within one operation; masks live in p1..p6, because loads take no other. Lengths in
 * addresses are counted in vectors (mul vl), so code runs at the length it was made for and no other. Destructive forms
 * get their source by movprfx. A float minimum is a compare and a choice: b on NaN. */
#include "arch/aarch64/gen.h"

typedef struct gllm_a64_gen gen;
typedef struct gllm_operand operand;

enum { ALL = 0, SCRATCH = 7, PATTERN_VL1 = 1, PATTERN_ALL = 31 };

static operand zs(unsigned n) { return a64_z(n, A64_ES); }
static operand zd(unsigned n) { return a64_z(n, A64_ED); }
static operand zn(unsigned n) { return a64_z(n, 0); }
static operand pz(unsigned n) { return a64_pg(n, A64_ZEROING); }
static operand pm(unsigned n) { return a64_pg(n, A64_MERGING); }
static operand pb(unsigned n) { return a64_p(n, A64_EB); }
static operand ps(unsigned n) { return a64_p(n, A64_ES); }
/* The lanes of the instruction, and its masks. */
static unsigned element(unsigned type) { return type == GLLM_F16 ? A64_EH : A64_ES; }
static operand zl(const struct gllm_vi *in, unsigned n) { return a64_z(n, element(in->type)); }
static operand pl(const struct gllm_vi *in, unsigned n) { return a64_p(n, element(in->type)); }

void gllm_a64_sve_begin(gen *g)
{
	bool halves = g->v->halves;

	i2(g, halves ? A64_PTRUE_ZH : A64_PTRUE_ZS, a64_p(ALL, halves ? A64_EH : A64_ES), a64_imm(PATTERN_ALL));
}

static void move(gen *g, unsigned d, unsigned s)
{
	if (d != s)
		i3(g, A64_ORR_ZD, zd(d), zd(s), zd(s));
}

/* d = op a. Merging forms read d, although no lane of it stays: the prefix tells that nothing waits for it. */
static void merging(gen *g, unsigned row, operand d, operand a)
{
	if (d.reg != a.reg)
		i2(g, A64_MOVPRFX, zn(d.reg), zn(a.reg));
	i3(g, row, d, pm(ALL), a);
}

/* --- loads and stores ----------------------------------------------------------------------------------------------- */

struct forms { /* of an element type in memory, for 32-bit lanes */
	uint16_t load, load_imm, store, store_imm, bcast;
	bool extends; /* a load extends the sign */
};
#define FORMS(e, s, sign) \
	{ A64_LD1##s##_ZS, A64_LD1##s##_ZS_I, A64_ST1##e##_ZS, A64_ST1##e##_ZS_I, A64_LD1R##s##_ZS, sign }
static const struct forms forms[GLLM_TYPE_COUNT] = {
	[GLLM_I8] = FORMS(B, SB, true),     [GLLM_U8] = FORMS(B, B, false),
	[GLLM_I16] = FORMS(H, SH, true),    [GLLM_U16] = FORMS(H, H, false),
	[GLLM_F16] = FORMS(H, H, false),    [GLLM_BF16] = FORMS(H, H, false),
	[GLLM_F32] = FORMS(W, W, false),    [GLLM_I32] = FORMS(W, W, false),
	[GLLM_U32] = FORMS(W, W, false),    [GLLM_MASK] = FORMS(W, W, false),
};
static const struct forms as_halves = { A64_LD1H_ZH, A64_LD1H_ZH_I, A64_ST1H_ZH, A64_ST1H_ZH_I, A64_LD1RH_ZH, false };

/* In programs of words, halves as they are lie in the lower parts of lanes. */
static bool of_halves(const gen *g, const struct gllm_vi *in)
{
	return g->v->halves && in->type == GLLM_F16;
}

static const struct forms *forms_of(const gen *g, const struct gllm_vi *in)
{
	return of_halves(g, in) ? &as_halves : &forms[in->mem];
}

/* A vector or mask register as it is, to or from [a + imm] in units of `unit` bytes. */
static void whole(gen *g, const struct gllm_vi *in, unsigned row, operand reg, int64_t unit)
{
	if (in->b == GLLM_NO_VREG && in->imm % unit == 0 && in->imm / unit >= -256 && in->imm / unit < 256)
		i2(g, row, reg, a64_mem_vl(at(g, in->a), in->imm / unit));
	else
		i2(g, row, reg, a64_mem_vl(gllm_a64_address(g, in), 0));
}

/* Elements of 1 << log2 bytes of the lanes that `mask` has. */
static void lanes(gen *g, const struct gllm_vi *in, unsigned row, unsigned row_imm, unsigned log2, unsigned reg, operand mask)
{
	int64_t bytes = (int64_t)g->m->vector_bytes >> (of_halves(g, in) ? 0 : 2 - log2);
	operand list = a64_list_z(reg, of_halves(g, in) ? A64_EH : A64_ES);

	if (in->b == GLLM_NO_VREG && in->imm % bytes == 0 && in->imm / bytes >= -8 && in->imm / bytes < 8)
		i3(g, row_imm, list, mask, a64_mem_vl(at(g, in->a), in->imm / bytes));
	else if (in->b != GLLM_NO_VREG && in->imm == 0 && in->scale == log2)
		i3(g, row, list, mask, a64_mem_index(at(g, in->a), at(g, in->b), A64_LSL, log2));
	else
		i3(g, row_imm, list, mask, a64_mem_vl(gllm_a64_address(g, in), 0));
}

/* Lane 0 alone, as a scalar: the other lanes become 0. */
static void single(gen *g, const struct gllm_vi *in, unsigned log2, unsigned reg, bool is_store)
{
	static const struct gllm_a64_access access[2][3] = {
		{ A64_ACCESS(LDR_B, LDUR_B, 0), A64_ACCESS(LDR_H, LDUR_H, 1), A64_ACCESS(LDR_S, LDUR_S, 2) },
		{ A64_ACCESS(STR_B, STUR_B, 0), A64_ACCESS(STR_H, STUR_H, 1), A64_ACCESS(STR_S, STUR_S, 2) },
	};

	gllm_a64_memory(g, &access[is_store][log2], a64_register(GLLM_R_VEC, reg, 8u << log2, 0), in);
}

/* The lanes that an access touches. */
static unsigned touched(gen *g, const struct gllm_vi *in)
{
	if (in->m != GLLM_NO_VREG)
		return at(g, in->m);
	if (in->lanes != 1)
		return ALL;
	i2(g, of_halves(g, in) ? A64_PTRUE_ZH : A64_PTRUE_ZS, a64_p(SCRATCH, of_halves(g, in) ? A64_EH : A64_ES), a64_imm(PATTERN_VL1));
	return SCRATCH;
}

/* Elements extended to lanes become what the lanes hold. */
static void widen(gen *g, const struct gllm_vi *in, unsigned d)
{
	if (in->type != GLLM_F32 || in->mem == GLLM_F32)
		return;
	if (in->mem == GLLM_F16)
		i3(g, A64_FCVT_ZS_ZH, zs(d), pm(ALL), a64_z(d, A64_EH));
	else if (in->mem == GLLM_BF16)
		i3(g, A64_LSL_ZS, zs(d), zs(d), a64_imm(16));
	else
		i3(g, A64_SCVTF_ZS, zs(d), pm(ALL), zs(d));
}

/* Is the address a register that is aligned to the vector whatever else is not? Spill slots are. */
static bool on_stack(const gen *g, const struct gllm_vi *in)
{
	return at(g, in->a) == A64_SP && in->m == GLLM_NO_VREG && in->lanes != 1 && in->mem == in->type;
}

static void vload(gen *g, const struct gllm_vi *in)
{
	unsigned log2, d = at(g, in->d);
	const struct forms *f;

	if (in->mem == GLLM_MASK && g->v->reg_class[in->d] == GLLM_CLASS_M) {
		whole(g, in, A64_LDR_P, a64_pg(d, 0), g->m->vector_bytes / 8);
		return;
	}
	log2 = gllm_a64_element(g, in);
	if (log2 > 2)
		return;
	f = forms_of(g, in);
	if (on_stack(g, in))
		whole(g, in, A64_LDR_Z, zn(d), g->m->vector_bytes);
	else if (in->lanes == 1 && in->m == GLLM_NO_VREG && !f->extends)
		single(g, in, log2, d, false);
	else
		lanes(g, in, f->load, f->load_imm, log2, d, pz(touched(g, in)));
	widen(g, in, d);
}

static void vbcast(gen *g, const struct gllm_vi *in)
{
	unsigned log2 = gllm_a64_element(g, in), d = at(g, in->d);
	operand list = a64_list_z(d, of_halves(g, in) ? A64_EH : A64_ES);

	if (log2 > 2)
		return;
	if (in->b == GLLM_NO_VREG && in->imm >= 0 && in->imm >> log2 < 64 && (in->imm & ((1 << log2) - 1)) == 0)
		i3(g, forms_of(g, in)->bcast, list, pz(ALL), a64_mem(at(g, in->a), in->imm));
	else
		i3(g, forms_of(g, in)->bcast, list, pz(ALL), a64_mem(gllm_a64_address(g, in), 0));
	widen(g, in, d);
}

static void vquad(gen *g, const struct gllm_vi *in)
{
	bool near = in->b == GLLM_NO_VREG && in->imm >= -128 && in->imm < 128 && in->imm % 16 == 0;

	i3(g, A64_LD1RQW_ZS, a64_list_z(at(g, in->d), A64_ES), pz(ALL),
	   near ? a64_mem(at(g, in->a), in->imm) : a64_mem(gllm_a64_address(g, in), 0));
}

static void vpair(gen *g, const struct gllm_vi *in)
{
	bool near = in->b == GLLM_NO_VREG && in->imm >= 0 && in->imm < 512 && in->imm % 8 == 0;

	i3(g, A64_LD1RD_ZD, a64_list_z(at(g, in->d), A64_ED), pz(ALL),
	   near ? a64_mem(at(g, in->a), in->imm) : a64_mem(gllm_a64_address(g, in), 0));
}

/* The low halves of u become bf16 of the float lanes of c: to nearest even, NaN stays NaN. */
static void to_bf16(gen *g, unsigned c)
{
	unsigned u = tv(g, 0), t = tv(g, 1);

	if (g->m->profile->have & GLLM_BIT(GLLM_A64_BF16)) {
		merging(g, A64_BFCVT_ZH_ZS, a64_z(u, A64_EH), zs(c));
		return;
	}
	i3(g, A64_LSL_ZS, zs(u), zs(c), a64_imm(15));
	i3(g, A64_LSR_ZS, zs(u), zs(u), a64_imm(31)); /* the bit that decides ties */
	i3(g, A64_ADDU_ZS, zs(u), zs(u), zs(c));
	gllm_a64_constant(g, A64_IP0, 0x7fff);
	i2(g, A64_DUPR_ZS, zs(t), w(A64_IP0));
	i3(g, A64_ADDU_ZS, zs(u), zs(u), zs(t));
	gllm_a64_constant(g, A64_IP0, 0x400000);
	i2(g, A64_DUPR_ZS, zs(t), w(A64_IP0));
	i3(g, A64_ORR_ZD, zd(t), zd(t), zd(c)); /* a quiet NaN where c is one */
	i4(g, A64_FCMUO_ZS, ps(SCRATCH), pz(ALL), zs(c), zs(c));
	i4(g, A64_SEL_ZS, zs(u), a64_pg(SCRATCH, 0), zs(t), zs(u));
	i3(g, A64_LSR_ZS, zs(u), zs(u), a64_imm(16));
}

/* The register whose lanes hold the elements in their low bits. */
static unsigned narrowed(gen *g, const struct gllm_vi *in)
{
	unsigned c = at(g, in->c), u;

	if (in->type != GLLM_F32 || in->mem == GLLM_F32)
		return c;
	u = tv(g, 0);
	if (in->mem == GLLM_F16)
		merging(g, A64_FCVT_ZH_ZS, a64_z(u, A64_EH), zs(c));
	else if (in->mem == GLLM_BF16)
		to_bf16(g, c);
	else
		merging(g, A64_FCVTZS_ZS, zs(u), zs(c));
	return u;
}

static void vstore(gen *g, const struct gllm_vi *in)
{
	unsigned log2, c;
	const struct forms *f;

	if (in->mem == GLLM_MASK && g->v->reg_class[in->c] == GLLM_CLASS_M) {
		whole(g, in, A64_STR_P, a64_pg(at(g, in->c), 0), g->m->vector_bytes / 8);
		return;
	}
	log2 = gllm_a64_element(g, in);
	if (log2 > 2)
		return;
	f = forms_of(g, in);
	c = narrowed(g, in);
	if (on_stack(g, in))
		whole(g, in, A64_STR_Z, zn(c), g->m->vector_bytes);
	else if (in->lanes == 1 && in->m == GLLM_NO_VREG)
		single(g, in, log2, c, true);
	else
		lanes(g, in, f->store, f->store_imm, log2, c, a64_pg(touched(g, in), 0));
}

/* --- lanes ---------------------------------------------------------------------------------------------------------- */

static void vzero(gen *g, const struct gllm_vi *in)
{
	i2(g, A64_MOVI_V2D, a64_v(at(g, in->d), A64_2D), a64_imm(0)); /* clears all of the register */
}

static void vmov(gen *g, const struct gllm_vi *in)
{
	move(g, at(g, in->d), at(g, in->a));
}

static void vsplat(gen *g, const struct gllm_vi *in)
{
	i2(g, A64_DUPR_ZS, zs(at(g, in->d)), w(at(g, in->a)));
}

static void vindex(gen *g, const struct gllm_vi *in)
{
	i3(g, A64_INDEX_ZS, zs(at(g, in->d)), w(at(g, in->a)), a64_imm(1));
}

static void mtail(gen *g, const struct gllm_vi *in)
{
	bool halves = g->v->halves;

	i3(g, halves ? A64_WHILELO_X_ZH : A64_WHILELO_X_ZS, a64_p(at(g, in->d), halves ? A64_EH : A64_ES), x(A64_ZR),
	   x(at(g, in->a)));
}

static void binary(gen *g, const struct gllm_vi *in)
{
	i3(g, gllm_a64_row_of(g, in), zl(in, at(g, in->d)), zl(in, at(g, in->a)), zl(in, at(g, in->b)));
}

static void unary(gen *g, const struct gllm_vi *in)
{
	merging(g, gllm_a64_row_of(g, in), zl(in, at(g, in->d)), zl(in, at(g, in->a)));
}

static void bitwise(gen *g, const struct gllm_vi *in)
{
	unsigned a = at(g, in->a), b = at(g, in->b);
	bool swap = in->op == GLLM_V_VANDN; /* bic complements its second source */

	i3(g, gllm_a64_sve[in->op].row[0] - 1u, zd(at(g, in->d)), zd(swap ? b : a), zd(swap ? a : b));
}

/* d = a op b where the instruction's destination is its first source; `reverse` has the sources exchanged. */
static void destructive(gen *g, unsigned row, unsigned reverse, unsigned d, unsigned a, unsigned b, unsigned e)
{
	if (d == b && d != a) {
		i4(g, reverse, a64_z(d, e), pm(ALL), a64_z(d, e), a64_z(a, e));
		return;
	}
	if (d != a)
		i2(g, A64_MOVPRFX, zn(d), zn(a));
	i4(g, row, a64_z(d, e), pm(ALL), a64_z(d, e), a64_z(b, e));
}

static void vdiv(gen *g, const struct gllm_vi *in)
{
	destructive(g, gllm_a64_row_of(g, in), in->type == GLLM_F16 ? A64_FDIVR_ZH : A64_FDIVR_ZS, at(g, in->d), at(g, in->a),
	            at(g, in->b), element(in->type));
}

static void vldexp(gen *g, const struct gllm_vi *in)
{
	unsigned d = at(g, in->d), a = at(g, in->a), b = at(g, in->b), s = d == b ? tv(g, 0) : d;

	destructive(g, A64_FSCALE_ZS, A64_FSCALE_ZS, s, a, b, A64_ES);
	move(g, d, s);
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
		move(g, d, a);
	else if (n > 31)
		vzero(g, in);
	else
		i3(g, gllm_a64_sve[in->op].row[1] - 1u, zs(d), zs(a), a64_imm((int64_t)n));
}

/* d = a op b by how partial results join. */
static void join(gen *g, unsigned op, unsigned type, unsigned d, unsigned a, unsigned b)
{
	struct gllm_vi in = { .op = (uint8_t)op, .type = (uint8_t)type };
	unsigned row;

	if ((type == GLLM_F32 || type == GLLM_F16) && (op == GLLM_V_VMIN || op == GLLM_V_VMAX)) {
		bool min = op == GLLM_V_VMIN, half = type == GLLM_F16;

		i4(g, half ? A64_FCMGT_ZH : A64_FCMGT_ZS, pl(&in, SCRATCH), pz(ALL), zl(&in, min ? b : a), zl(&in, min ? a : b));
		i4(g, half ? A64_SEL_ZH : A64_SEL_ZS, zl(&in, d), a64_pg(SCRATCH, 0), zl(&in, a), zl(&in, b));
		return;
	}
	row = gllm_a64_row_of(g, &in);
	if (gllm_a64_sve[op].emit == binary || type == GLLM_F32 || type == GLLM_F16)
		i3(g, row, zl(&in, d), zl(&in, a), zl(&in, b));
	else
		destructive(g, row, row, d, a, b, A64_ES);
}

static void joined(gen *g, const struct gllm_vi *in)
{
	join(g, in->op, in->type, at(g, in->d), at(g, in->a), at(g, in->b));
}

/* An instruction that overwrites its addend only; `part`: of its factors. */
static void over_addend(gen *g, const struct gllm_vi *in, unsigned row, unsigned part)
{
	unsigned d = at(g, in->d), a = at(g, in->a), b = at(g, in->b), c = at(g, in->c), sum = d;

	if (d != c && (d == a || d == b))
		sum = tv(g, 0);
	if (sum != c)
		i2(g, A64_MOVPRFX, zn(sum), zn(c));
	i3(g, row, zs(sum), a64_z(a, part), a64_z(b, part));
	move(g, d, sum);
}

/* a * b + c or c - a * b; the rule's rows are the form whose destination is the sum, and the one where it is a factor. */
static void vfma(gen *g, const struct gllm_vi *in)
{
	unsigned d = at(g, in->d), a = at(g, in->a), b = at(g, in->b), c = at(g, in->c);
	unsigned sum = gllm_a64_sve[in->op].row[0] - 1u, factor = gllm_a64_sve[in->op].row[1] - 1u;

	if (in->type != GLLM_F32) {
		gllm_a64_quit(g, GLLM_UNSUPPORTED);
	} else if (in->mem == GLLM_F16) {
		over_addend(g, in, in->op == GLLM_V_VFMA ? A64_FMLALB_ZS : A64_FMLSLB_ZS, A64_EH);
	} else if (d == c) {
		i4(g, sum, zs(d), pm(ALL), zs(a), zs(b));
	} else if (d == a || d == b) {
		i4(g, factor, zs(d), pm(ALL), zs(d == a ? b : a), zs(c));
	} else {
		i2(g, A64_MOVPRFX, zn(d), zn(c));
		i4(g, sum, zs(d), pm(ALL), zs(a), zs(b));
	}
}

/* VDOT and VTILE. */
static void vdot(gen *g, const struct gllm_vi *in)
{
	static const uint16_t row[2][9] = {
		{ [GLLM_DOT_BF16] = A64_BFDOT_ZS, [GLLM_DOT_I8] = A64_SDOT_ZS, [GLLM_DOT_U8] = A64_UDOT_ZS, [GLLM_DOT_U8_I8] = A64_USDOT_ZS },
		{ [GLLM_DOT_BF16] = A64_BFMMLA_ZS, [GLLM_DOT_I8] = A64_SMMLA_ZS, [GLLM_DOT_U8] = A64_UMMLA_ZS,
		  [GLLM_DOT_U8_I8] = A64_USMMLA_ZS },
	};
	unsigned kind = gllm_dot_of(in->mem, (unsigned)in->aux);

	if (kind == 0)
		gllm_a64_quit(g, GLLM_UNSUPPORTED);
	else
		over_addend(g, in, row[in->op == GLLM_V_VTILE][kind], in->mem == GLLM_BF16 ? A64_EH : A64_EB);
}

static void vcvt(gen *g, const struct gllm_vi *in)
{
	operand d = zs(at(g, in->d)), a = zs(at(g, in->a));

	if (in->op == GLLM_V_VCVT && in->type == GLLM_F32 && in->mem == GLLM_I32) {
		merging(g, A64_SCVTF_ZS, d, a);
	} else if (in->op == GLLM_V_VCVT && in->type == GLLM_F32 && in->mem == GLLM_U32) {
		merging(g, A64_UCVTF_ZS, d, a);
	} else if (in->op == GLLM_V_VCVT && in->type == GLLM_I32 && in->mem == GLLM_F32) {
		merging(g, A64_FCVTZS_ZS, d, a);
	} else if (in->op == GLLM_V_VCVTN && in->type == GLLM_I32) {
		merging(g, A64_FRINTN_ZS, d, a);
		i3(g, A64_FCVTZS_ZS, d, pm(ALL), d);
	} else {
		gllm_a64_quit(g, GLLM_UNSUPPORTED);
	}
}

/* --- masks ---------------------------------------------------------------------------------------------------------- */

static void compare(gen *g, const struct gllm_vi *in)
{
	bool swap = in->op == GLLM_V_VLT || in->op == GLLM_V_VLE; /* a < b is b > a */

	i4(g, gllm_a64_row_of(g, in), pl(in, at(g, in->d)), pz(ALL), zl(in, at(g, swap ? in->b : in->a)),
	   zl(in, at(g, swap ? in->a : in->b)));
}

static void mbinary(gen *g, const struct gllm_vi *in)
{
	i4(g, gllm_a64_sve[in->op].row[0] - 1u, pb(at(g, in->d)), pz(ALL), pb(at(g, in->a)), pb(at(g, in->b)));
}

static void mnot(gen *g, const struct gllm_vi *in)
{
	i4(g, A64_EOR_PB, pb(at(g, in->d)), pz(ALL), pb(at(g, in->a)), pb(ALL));
}

static void vsel(gen *g, const struct gllm_vi *in)
{
	i4(g, in->type == GLLM_F16 ? A64_SEL_ZH : A64_SEL_ZS, zl(in, at(g, in->d)), a64_pg(at(g, in->a), 0), zl(in, at(g, in->b)),
	   zl(in, at(g, in->c)));
}

/* --- across lanes --------------------------------------------------------------------------------------------------- */

/* Upper half with lower half, down to one lane: the same tree as the interpreter's. */
static void vreduce(gen *g, const struct gllm_vi *in)
{
	unsigned a = at(g, in->a), s = tv(g, 0), t = tv(g, 1), op = gllm_a64_joiner(in);

	for (unsigned half = g->m->vector_bytes / 2u; half >= 4; half /= 2) {
		i2(g, A64_MOVPRFX, zn(t), zn(a));
		i4(g, A64_EXT_ZB, a64_z(t, A64_EB), a64_z(t, A64_EB), a64_z(a, A64_EB), a64_imm(half));
		join(g, op, in->type, s, a, t);
		a = s;
	}
	i2(g, A64_DUP_ZS_0, zs(at(g, in->d)), a64_s(s));
}

static void vhpair(gen *g, const struct gllm_vi *in)
{
	unsigned a = at(g, in->a), b = at(g, in->b), s = tv(g, 0), t = tv(g, 1);

	i3(g, A64_UZP1_ZS, zs(s), zs(a), zs(b));
	i3(g, A64_UZP2_ZS, zs(t), zs(a), zs(b));
	join(g, gllm_a64_joiner(in), in->type, at(g, in->d), s, t);
}

/* Within every 128 bits by two transpositions; whole 128 bits as the doublewords they are made of. */
static void vzip(gen *g, const struct gllm_vi *in)
{
	static const uint16_t whole[] = { A64_ZIP1_ZS, A64_ZIP2_ZS, A64_UZP1_ZS, A64_UZP2_ZS };
	unsigned s = tv(g, 0), t = tv(g, 1);
	operand a = zs(at(g, in->a)), b = zs(at(g, in->b));

	if (in->imm >= 8) {
		i3(g, in->imm == 8 ? A64_UZP1_ZD : A64_UZP2_ZD, zd(at(g, in->d)), zd(a.reg), zd(b.reg));
		return;
	}
	if (in->imm >= 4) {
		i3(g, whole[in->imm - 4], zs(at(g, in->d)), a, b);
		return;
	}
	if (in->imm < 2) {
		i3(g, A64_TRN1_ZS, zs(s), a, b); /* a0 b0 a2 b2 */
		i3(g, A64_TRN2_ZS, zs(t), a, b); /* a1 b1 a3 b3 */
		i3(g, in->imm ? A64_TRN2_ZD : A64_TRN1_ZD, zd(at(g, in->d)), zd(s), zd(t));
		return;
	}
	a.lane = b.lane = A64_ED;
	i3(g, A64_UZP1_ZD, zd(s), a, b); /* lower halves of all parts */
	i3(g, A64_UZP2_ZD, zd(t), a, b); /* upper halves */
	i3(g, in->imm == 2 ? A64_UZP1_ZD : A64_UZP2_ZD, zd(s), zd(s), zd(s));
	i3(g, in->imm == 2 ? A64_UZP1_ZD : A64_UZP2_ZD, zd(t), zd(t), zd(t));
	i3(g, A64_ZIP1_ZD, zd(at(g, in->d)), zd(s), zd(t));
}

static void vlane0(gen *g, const struct gllm_vi *in)
{
	i2(g, A64_DUP_ZS_0, zs(at(g, in->d)), a64_s(at(g, in->a)));
}

/* --- the table ------------------------------------------------------------------------------------------------------ */

#define N(row) (A64_##row + 1)
const struct gllm_a64_rule gllm_a64_sve[GLLM_V_COUNT] = {
	/* op                  emit         f32               i32               u32              v */
	[GLLM_V_VLOAD]      = { vload,       { 0 },                                               0 },
	[GLLM_V_VSTORE]     = { vstore,      { 0 },                                               0 },
	[GLLM_V_VBCAST]     = { vbcast,      { 0 },                                               0 },
	[GLLM_V_VQUAD]      = { vquad,       { 0 },                                               0 },
	[GLLM_V_VPAIR]      = { vpair,       { 0 },                                               0 },
	[GLLM_V_VZERO]      = { vzero,       { 0 },                                               0 },
	[GLLM_V_VMOV]       = { vmov,        { 0 },                                               0 },
	[GLLM_V_VSPLAT]     = { vsplat,      { 0 },                                               0 },
	[GLLM_V_VINDEX]     = { vindex,      { 0 },                                               0 },
	[GLLM_V_VADD]       = { binary,      { N(FADDU_ZS), N(ADDU_ZS), N(ADDU_ZS), N(FADDU_ZH) }, 0 },
	[GLLM_V_VSUB]       = { binary,      { N(FSUBU_ZS), N(SUBU_ZS), N(SUBU_ZS), N(FSUBU_ZH) }, 0 },
	[GLLM_V_VMUL]       = { joined,      { N(FMULU_ZS), N(MUL_ZS), N(MUL_ZS), N(FMULU_ZH) },  0 },
	[GLLM_V_VDIV]       = { vdiv,        { N(FDIV_ZS), 0, 0, N(FDIV_ZH) },                    0 },
	[GLLM_V_VMIN]       = { joined,      { 0, N(SMIN_ZS), N(UMIN_ZS) },                       0 },
	[GLLM_V_VMAX]       = { joined,      { 0, N(SMAX_ZS), N(UMAX_ZS) },                       0 },
	[GLLM_V_VSQRT]      = { unary,       { N(FSQRT_ZS), 0, 0, N(FSQRT_ZH) },                  0 },
	[GLLM_V_VNEG]       = { unary,       { N(FNEG_ZS), N(NEG_ZS), N(NEG_ZS), N(FNEG_ZH) },    0 },
	[GLLM_V_VABS]       = { unary,       { N(FABS_ZS), N(ABS_ZS), N(ABS_ZS), N(FABS_ZH) },    0 },
	[GLLM_V_VRINT]      = { unary,       { N(FRINTN_ZS), 0, 0 },                              0 },
	[GLLM_V_VLDEXP]     = { vldexp,      { 0 },                                               1 },
	[GLLM_V_VFMA]       = { vfma,        { N(FMLA_ZS), N(FMAD_ZS), 0 },                       0 },
	[GLLM_V_VFNMA]      = { vfma,        { N(FMLS_ZS), N(FMSB_ZS), 0 },                       0 },
	[GLLM_V_VDOT]       = { vdot,        { 0 },                                               1 },
	[GLLM_V_VTILE]      = { vdot,        { 0 },                                               1 },
	[GLLM_V_VAND]       = { bitwise,     { N(AND_ZD) },                                       0 },
	[GLLM_V_VOR]        = { bitwise,     { N(ORR_ZD) },                                       0 },
	[GLLM_V_VXOR]       = { bitwise,     { N(EOR_ZD) },                                       0 },
	[GLLM_V_VANDN]      = { bitwise,     { N(BIC_ZD) },                                       0 },
	[GLLM_V_VSHLI]      = { shift,       { 0, N(LSL_ZS), 0 },                                 0 },
	[GLLM_V_VSHRI]      = { shift,       { 0, N(LSR_ZS), 0 },                                 0 },
	[GLLM_V_VSARI]      = { shift,       { 0, N(ASR_ZS), 0 },                                 0 },
	[GLLM_V_VCVT]       = { vcvt,        { 0 },                                               0 },
	[GLLM_V_VCVTN]      = { vcvt,        { 0 },                                               0 },
	[GLLM_V_VLT]        = { compare,     { N(FCMGT_ZS), N(CMPGT_ZS), N(CMPHI_ZS), N(FCMGT_ZH) }, 0 },
	[GLLM_V_VLE]        = { compare,     { N(FCMGE_ZS), N(CMPGE_ZS), N(CMPHS_ZS), N(FCMGE_ZH) }, 0 },
	[GLLM_V_VEQ]        = { compare,     { N(FCMEQ_ZS), N(CMPEQ_ZS), N(CMPEQ_ZS), N(FCMEQ_ZH) }, 0 },
	[GLLM_V_VUNORD]     = { compare,     { N(FCMUO_ZS), 0, 0, N(FCMUO_ZH) },                  0 },
	[GLLM_V_MAND]       = { mbinary,     { N(AND_PB) },                                       0 },
	[GLLM_V_MOR]        = { mbinary,     { N(ORR_PB) },                                       0 },
	[GLLM_V_MXOR]       = { mbinary,     { N(EOR_PB) },                                       0 },
	[GLLM_V_MNOT]       = { mnot,        { 0 },                                               0 },
	[GLLM_V_MTAIL]      = { mtail,       { 0 },                                               0 },
	[GLLM_V_VSEL]       = { vsel,        { 0 },                                               0 },
	[GLLM_V_VREDUCE]    = { vreduce,     { 0 },                                               2 },
	[GLLM_V_VHPAIR]     = { vhpair,      { 0 },                                               2 },
	[GLLM_V_VZIP]       = { vzip,        { 0 },                                               2 },
	[GLLM_V_VLANE0]     = { vlane0,      { 0 },                                               0 },
};

struct gllm_need gllm_a64_need_sve(const struct gllm_vi *i)
{
	struct gllm_need n = { 0, gllm_a64_sve[i->op].v, false };

	if (i->op == GLLM_V_VZIP && i->imm >= 4)
		n.v = 0;
	if ((i->op == GLLM_V_VFMA || i->op == GLLM_V_VFNMA) && i->type == GLLM_F32 && i->mem == GLLM_F16)
		n.v = 1;
	if (i->op == GLLM_V_VSTORE && i->type == GLLM_F32 && i->mem != GLLM_F32)
		n.v = i->mem == GLLM_BF16 ? 2 : 1;
	return n;
}
