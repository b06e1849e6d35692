/* SPDX-License-Identifier: MIT
 * arch/x86_64/select_math.c - what is done with lanes: arithmetic, masks, across lanes. */
#include "arch/x86_64/gen.h"

typedef struct gllm_x86_gen gen;
typedef struct gllm_operand operand;

/* --- lanes ---------------------------------------------------------------------------------------------------------- */

static void vzero(gen *g, const struct gllm_vi *in)
{
	unsigned d = at(g, in->d);

	gllm_x86_v128(g, X86_VXORPS, d, d, d); /* clears the whole register */
}

static void vmov(gen *g, const struct gllm_vi *in)
{
	gllm_x86_vmove(g, at(g, in->d), at(g, in->a));
}

static void splat(gen *g, unsigned d, unsigned s)
{
	if (g->wide) {
		x2(g, X86_EVPBROADCASTD_G, y(g, d), e(s));
		return;
	}
	x2(g, X86_VMOVD_RM, x(d), e(s));
	x2(g, X86_VPBROADCASTD, y(g, d), x(d));
}

static void splat_constant(gen *g, unsigned d, int32_t v)
{
	x2(g, X86_MOV_RI, e(X86_RAX), x86_imm(v));
	splat(g, d, X86_RAX);
}

static void vsplat(gen *g, const struct gllm_vi *in)
{
	splat(g, at(g, in->d), at(g, in->a));
}

/* Lane i = i. */
static void iota(gen *g, operand d)
{
	x2(g, X86_VPMOVZXBD, d, gllm_x86_count(g));
}

static void vindex(gen *g, const struct gllm_vi *in)
{
	operand d = yr(g, in->d), t = ty(g, 0);

	iota(g, t);
	splat(g, d.reg, at(g, in->a));
	x3(g, X86_VPADDD, d, d, t);
}

static void mtail_wide(gen *g, const struct gllm_vi *in)
{
	const struct gllm_vi *before = g->i ? in - 1 : in;
	unsigned n = tg(g, 0);

	if (before->op == GLLM_V_GCONST && before->d == in->a) {
		gllm_x86_constant(g, X86_RAX, (INT64_C(1) << ((uint64_t)before->imm < g->lanes ? (unsigned)before->imm : g->lanes)) - 1);
	} else {
		gllm_x86_constant(g, n, g->lanes);
		x2(g, X86_CMP_RM, q(n), q(at(g, in->a)));
		x3(g, X86_CMOVCC, q(n), q(at(g, in->a)), x86_cond(X86_A));
		x2(g, X86_MOV_RI, e(X86_RAX), x86_imm(-1));
		x3(g, X86_BZHI, e(X86_RAX), e(X86_RAX), e(n));
	}
	x2(g, g->v->halves ? X86_KMOVD_KG : X86_KMOVW_KG, mr(g, in->d), e(X86_RAX));
}

static void mtail(gen *g, const struct gllm_vi *in)
{
	operand d, t;

	if (g->wide) {
		mtail_wide(g, in);
		return;
	}
	d = yr(g, in->d);
	t = ty(g, 0);
	iota(g, t);
	gllm_x86_constant(g, X86_RAX, g->lanes);
	x2(g, X86_CMP_RM, q(X86_RAX), q(at(g, in->a)));
	x3(g, X86_CMOVCC, q(X86_RAX), q(at(g, in->a)), x86_cond(X86_A));
	splat(g, d.reg, X86_RAX);
	x3(g, X86_VPCMPGTD, d, d, t);
}

void gllm_x86_binary(gen *g, const struct gllm_vi *in)
{
	gllm_x86_sources(g, gllm_x86_row_of(g, in), at(g, in->d), in);
}

static void unary(gen *g, const struct gllm_vi *in)
{
	gllm_x86_v(g, gllm_x86_row_of(g, in), at(g, in->d), 0, at(g, in->a));
}

static void shift(gen *g, const struct gllm_vi *in)
{
	int64_t most = in->op == GLLM_V_VSARI ? 31 : 32; /* 32 clears the lane */
	operand n = x86_imm((uint64_t)in->imm > 31 ? most : in->imm);

	if (gllm_x86_lane_type(in->type) > 2)
		gllm_x86_quit(g, GLLM_UNSUPPORTED);
	else
		x3(g, gllm_x86_rule(in->op)->row[1] - 1u, yr(g, in->d), yr(g, in->a), n);
}

static bool is_float(const struct gllm_vi *in)
{
	return in->type == GLLM_F32 || in->type == GLLM_F16;
}

static void vneg(gen *g, const struct gllm_vi *in)
{
	operand d = yr(g, in->d), a = yr(g, in->a), t = ty(g, 0);

	if (is_float(in) && g->wide) {
		t = gllm_x86_sign(g);
		from_one(g);
		gllm_x86_vm(g, X86_VXORPS, d.reg, a.reg, &t);
	} else if (in->type == GLLM_F32) {
		gllm_x86_ones(g, t);
		x3(g, X86_VPSLLD_I, t, t, x86_imm(31));
		x3(g, X86_VXORPS, d, a, t);
	} else {
		x3(g, X86_VPXOR, t, t, t);
		x3(g, X86_VPSUBD, d, t, a);
	}
}

/* 512 bits: chosen bit by bit, by the sign's. The result's register is one of the two. */
static void vcopysign(gen *g, const struct gllm_vi *in)
{
	unsigned d = at(g, in->d), a = at(g, in->a), b = at(g, in->b);
	bool over_sign = d == b && d != a;

	if (!over_sign && d != a)
		gllm_x86_vmove(g, d, a);
	from_one(g);
	x4(g, X86_EVPTERNLOGD, y(g, d), y(g, over_sign ? a : b), gllm_x86_sign(g), x86_imm(over_sign ? 0xe4 : 0xd8));
}

static void vabs(gen *g, const struct gllm_vi *in)
{
	operand d = yr(g, in->d), a = yr(g, in->a), t;

	if (!is_float(in)) {
		x2(g, X86_VPABSD, d, a);
	} else if (g->wide) {
		from_one(g);
		x3(g, X86_EVPANDD, d, a, gllm_x86_size(g)); /* one operation that waits for nothing but a */
	} else {
		t = ty(g, 0);
		gllm_x86_ones(g, t);
		x3(g, X86_VPSRLD_I, t, t, x86_imm(1));
		x3(g, X86_VANDPS, d, a, t);
	}
}

static void vrint(gen *g, const struct gllm_vi *in)
{
	gllm_x86_vi(g, gllm_x86_row_of(g, in), at(g, in->d), 0, at(g, in->a), 8); /* to nearest even, no inexact */
}

/* 2^n from an integer lane -126..127 plus 127. */
static void power(gen *g, operand t, operand bias)
{
	x3(g, X86_VPADDD, t, t, bias);
	x3(g, X86_VPSLLD_I, t, t, x86_imm(23));
}

/* a * 2^n with one rounding. The wide form is one instruction; n as a float is exact wherever the result is neither 0 nor
 * infinite. The other: if every |n| < 127 one multiplication does it. Else n = h + r + s with s in -126..127 and
 * multiplied last: if an earlier product is inexact it is below 2^-126, and then s is -126 and the result 0 anyway. */
static void vldexp(gen *g, const struct gllm_vi *in)
{
	operand d = yr(g, in->d), a = yr(g, in->a), n = yr(g, in->b);
	operand bias = ty(g, 0), s = ty(g, 1), r = ty(g, 2), h = ty(g, 3);
	size_t fast, done;

	if (g->wide) {
		gllm_x86_v(g, X86_VCVTDQ2PS, bias.reg, 0, n.reg);
		gllm_x86_v(g, X86_EVSCALEFPS, d.reg, a.reg, bias.reg);
		return;
	}
	x3(g, X86_VPCMPEQD, bias, bias, bias);
	x3(g, X86_VPSRLD_I, bias, bias, x86_imm(25)); /* 127 */
	x2(g, X86_VPABSD, s, n);
	x3(g, X86_VPMINUD, s, s, bias);
	x3(g, X86_VPCMPEQD, s, s, bias);
	x2(g, X86_VPTEST, s, s);
	x3(g, X86_VPADDD, s, n, bias);
	fast = gllm_x86_hop(g, X86_E);
	splat_constant(g, h.reg, -126);
	x3(g, X86_VPMINSD, s, n, bias);
	x3(g, X86_VPMAXSD, s, s, h);
	x3(g, X86_VPSUBD, r, n, s);
	x3(g, X86_VPADDD, h, h, h);
	x3(g, X86_VPMAXSD, r, r, h);
	x3(g, X86_VPADDD, h, bias, bias);
	x3(g, X86_VPMINSD, r, r, h);
	x3(g, X86_VPSRAD_I, h, r, x86_imm(1));
	x3(g, X86_VPSUBD, r, r, h);
	power(g, h, bias);
	power(g, r, bias);
	x3(g, X86_VPADDD, s, s, bias);
	x3(g, X86_VMULPS, h, h, a);
	x3(g, X86_VMULPS, r, r, h);
	x1(g, X86_JMP_8, x86_rel(2));
	done = g->code->used;
	gllm_x86_land(g, fast);
	gllm_x86_vmove(g, r.reg, a.reg);
	gllm_x86_land(g, done);
	x3(g, X86_VPSLLD_I, s, s, x86_imm(23));
	x3(g, X86_VMULPS, d, r, s);
}

static void vscale(gen *g, const struct gllm_vi *in)
{
	if (g->wide)
		gllm_x86_v(g, X86_EVSCALEFPS, at(g, in->d), at(g, in->a), at(g, in->b));
	else
		gllm_x86_quit(g, GLLM_UNSUPPORTED);
}

/* -0 is there before the others are written, or comes where 0 was left. */
static void vscalem(gen *g, const struct gllm_vi *in)
{
	unsigned d = at(g, in->d), a = at(g, in->a), b = at(g, in->b), m = at(g, in->m);
	bool minus = in->imm, before = minus && d != a && d != b;
	operand sign;

	if (!g->wide) {
		gllm_x86_quit(g, GLLM_UNSUPPORTED);
		return;
	}
	if (minus)
		sign = gllm_x86_sign(g);
	if (before)
		gllm_x86_vm(g, X86_VBROADCASTSS, d, 0, &sign);
	under(g, m, !before);
	x3(g, X86_EVSCALEFPS, y(g, d), y(g, a), y(g, b));
	if (minus && !before) {
		x2(g, X86_KNOTW, x86_mask(SCRATCH_MASK), x86_mask(m));
		under(g, SCRATCH_MASK, false);
		gllm_x86_vm(g, X86_VBROADCASTSS, d, 0, &sign);
	}
}

/* a is there before the others are written, or comes where b was left. */
static void vaddm(gen *g, const struct gllm_vi *in)
{
	unsigned d = at(g, in->d), a = at(g, in->a), b = at(g, in->b), m = at(g, in->m);

	if (!g->wide || in->type != GLLM_F32) {
		gllm_x86_quit(g, GLLM_UNSUPPORTED);
	} else if (g->folded) {
		gllm_x86_vmove(g, d, a);
		under(g, m, false);
		gllm_x86_sources(g, X86_EVADDPS, d, in);
	} else if (d == b && d != a) {
		gllm_x86_vk(g, X86_EVADDPS, m, d, a, b);
		x2(g, X86_KNOTW, x86_mask(SCRATCH_MASK), x86_mask(m));
		gllm_x86_vk(g, X86_EVMOVAPS_RM, SCRATCH_MASK, d, 0, a);
	} else {
		gllm_x86_vmove(g, d, a);
		gllm_x86_vk(g, X86_EVADDPS, m, d, d, b);
	}
}

/* a * b + c or c - a * b; the rule's rows are the 231 form and the 213 form. */
static void vfma(gen *g, const struct gllm_vi *in)
{
	unsigned d = at(g, in->d), a = at(g, in->a), b = at(g, in->b), c = at(g, in->c);
	unsigned r231 = gllm_x86_rule(in->op)->row[0] - 1u, r213 = gllm_x86_rule(in->op)->row[1] - 1u;

	if (in->type != GLLM_F32) {
		gllm_x86_quit(g, GLLM_UNSUPPORTED);
	} else if (d == c) {
		gllm_x86_sources(g, r231, d, in);
	} else if (d == a) {
		gllm_x86_v(g, r213, d, b, c);
	} else if (d == b) {
		gllm_x86_v(g, r213, d, a, c);
	} else {
		gllm_x86_vmove(g, d, c);
		gllm_x86_v(g, r231, d, a, b);
	}
}

static void vdot(gen *g, const struct gllm_vi *in)
{
	unsigned d = at(g, in->d), a = at(g, in->a), b = at(g, in->b), c = at(g, in->c), sum = d;
	unsigned kind = gllm_dot_of(in->mem, (unsigned)in->aux);

	if (!g->wide || (kind != GLLM_DOT_BF16 && kind != GLLM_DOT_U8_I8)) {
		gllm_x86_quit(g, GLLM_UNSUPPORTED);
		return;
	}
	if (d != c && (d == a || d == b))
		sum = tv(g, 0);
	gllm_x86_vmove(g, sum, c);
	gllm_x86_sources(g, kind == GLLM_DOT_BF16 ? X86_EVDPBF16PS : X86_EVPDPBUSD, sum, in);
	gllm_x86_vmove(g, d, sum);
}

static void vcvt(gen *g, const struct gllm_vi *in)
{
	bool to_float = in->type == GLLM_F32 && in->mem == GLLM_I32, to_int = in->type == GLLM_I32 && in->mem == GLLM_F32;

	if (in->op == GLLM_V_VCVT && to_float)
		gllm_x86_v(g, X86_VCVTDQ2PS, at(g, in->d), 0, at(g, in->a));
	else if (in->op == GLLM_V_VCVT && g->wide && in->type == GLLM_F32 && in->mem == GLLM_U32)
		gllm_x86_v(g, X86_EVCVTUDQ2PS, at(g, in->d), 0, at(g, in->a));
	else if (in->op == GLLM_V_VCVT && to_int)
		gllm_x86_v(g, X86_VCVTTPS2DQ, at(g, in->d), 0, at(g, in->a));
	else if (in->op == GLLM_V_VCVTN && in->type == GLLM_I32)
		gllm_x86_v(g, X86_VCVTPS2DQ, at(g, in->d), 0, at(g, in->a));
	else
		gllm_x86_quit(g, GLLM_UNSUPPORTED);
}

static void invert(gen *g, operand d, operand s, operand t)
{
	x3(g, X86_VPCMPEQD, t, t, t);
	x3(g, X86_VPXOR, d, s, t);
}

/* The bit by which predicates that are each other's opposites differ. */
static uint8_t opposite(const struct gllm_vi *in)
{
	return in->aux == GLLM_VIR_NOT ? 4 : 0;
}

static void fcompare(gen *g, const struct gllm_vi *in)
{
	static const uint8_t predicate[GLLM_V_COUNT] = {
		[GLLM_V_VLT] = 0x11, [GLLM_V_VLE] = 0x12, [GLLM_V_VEQ] = 0x00, [GLLM_V_VUNORD] = 0x03,
	};

	x4(g, in->type == GLLM_F16 ? X86_EVCMPPH : g->wide ? X86_EVCMPPS : X86_VCMPPS, mr(g, in->d), yr(g, in->a), yr(g, in->b),
	   x86_imm(predicate[in->op] ^ opposite(in)));
}

static void icompare_wide(gen *g, const struct gllm_vi *in)
{
	static const uint8_t predicate[GLLM_V_COUNT] = { [GLLM_V_VEQ] = 0, [GLLM_V_VLT] = 1, [GLLM_V_VLE] = 2 };

	if (in->op == GLLM_V_VUNORD)
		gllm_x86_quit(g, GLLM_UNSUPPORTED);
	else
		x4(g, in->type == GLLM_U32 ? X86_EVPCMPUD : X86_EVPCMPD, mr(g, in->d), yr(g, in->a), yr(g, in->b),
		   x86_imm(predicate[in->op] ^ opposite(in)));
}

static void compare(gen *g, const struct gllm_vi *in)
{
	operand d = yr(g, in->d), a = yr(g, in->a), b = yr(g, in->b), t = ty(g, 0);
	bool is_unsigned = in->type == GLLM_U32;

	if (is_float(in)) {
		fcompare(g, in);
	} else if (g->wide) {
		icompare_wide(g, in);
	} else if (in->op == GLLM_V_VEQ) {
		x3(g, X86_VPCMPEQD, d, a, b);
	} else if (in->op == GLLM_V_VLE) { /* a is the lesser of both */
		x3(g, is_unsigned ? X86_VPMINUD : X86_VPMINSD, t, a, b);
		x3(g, X86_VPCMPEQD, d, t, a);
	} else if (in->op == GLLM_V_VLT && !is_unsigned) {
		x3(g, X86_VPCMPGTD, d, b, a);
	} else if (in->op == GLLM_V_VLT) { /* b is not the lesser of both */
		x3(g, X86_VPMINUD, t, a, b);
		x3(g, X86_VPCMPEQD, d, t, b);
		invert(g, d, d, t);
	} else {
		gllm_x86_quit(g, GLLM_UNSUPPORTED);
	}
}

static void mbinary(gen *g, const struct gllm_vi *in)
{
	x3(g, gllm_x86_rule(in->op)->row[g->v->halves ? 3 : g->wide] - 1u, mr(g, in->d), mr(g, in->a), mr(g, in->b));
}

static void mnot(gen *g, const struct gllm_vi *in)
{
	if (g->wide)
		x2(g, g->v->halves ? X86_KNOTD : X86_KNOTW, mr(g, in->d), mr(g, in->a));
	else
		invert(g, yr(g, in->d), yr(g, in->a), ty(g, 0));
}

static void vsel(gen *g, const struct gllm_vi *in)
{
	if (g->wide) {
		gllm_x86_vk(g, in->type == GLLM_F16 ? X86_EVPBLENDMW : X86_EVBLENDMPS, at(g, in->a), at(g, in->d), at(g, in->c), at(g, in->b));
		return;
	}
	x4(g, X86_VBLENDVPS, yr(g, in->d), yr(g, in->c), yr(g, in->b), yr(g, in->a));
}

/* --- across lanes --------------------------------------------------------------------------------------------------- */

/* The instruction that joins two partial results. */
static unsigned joiner(gen *g, const struct gllm_vi *in)
{
	static const uint8_t op[] = {
		[GLLM_VRED_ADD] = GLLM_V_VADD, [GLLM_VRED_MIN] = GLLM_V_VMIN,
		[GLLM_VRED_MAX] = GLLM_V_VMAX, [GLLM_VRED_MUL] = GLLM_V_VMUL,
	};
	struct gllm_vi j = { .op = op[(unsigned)in->aux % GLLM_COUNT(op)], .type = in->type };

	return gllm_x86_row_of(g, &j);
}

/* Upper half with lower half, down to one lane: the same tree as the interpreter's. */
static void vreduce(gen *g, const struct gllm_vi *in)
{
	unsigned row = joiner(g, in), s = tv(g, 0), t = tv(g, 1), a = at(g, in->a);

	for (unsigned bits = g->bits, half; bits > 128; bits = half) {
		half = bits / 2;
		x3(g, bits == 512 ? X86_EVEXTRACTF64X4 : X86_VEXTRACTF128, x86_vec(t, half), x86_vec(a, bits), x86_imm(1));
		x3(g, row, x86_vec(s, half), x86_vec(a, half), x86_vec(t, half));
		a = s;
	}
	x3(g, X86_VPSHUFD, x(t), x(a), x86_imm(0xee));
	x3(g, row, x(s), x(a), x(t));
	x3(g, X86_VPSHUFD, x(t), x(s), x86_imm(0x55));
	x3(g, row, x(s), x(s), x(t));
	x2(g, X86_VBROADCASTSS_R, yr(g, in->d), x(s));
}

/* Levels 0 and 1 join neighbours within each 128 bits, the others such parts. */
static void vhpair(gen *g, const struct gllm_vi *in)
{
	unsigned row = joiner(g, in), a = at(g, in->a), b = at(g, in->b), s = tv(g, 0), t = tv(g, 1);

	if (in->imm < 2) {
		gllm_x86_vi(g, X86_VSHUFPS, s, a, b, 0x88);
		gllm_x86_vi(g, X86_VSHUFPS, t, a, b, 0xdd);
	} else if (g->wide) {
		gllm_x86_vi(g, X86_EVSHUFF32X4, s, a, b, 0x88);
		gllm_x86_vi(g, X86_EVSHUFF32X4, t, a, b, 0xdd);
	} else {
		x4(g, X86_VPERM2F128, y(g, s), y(g, a), y(g, b), x86_imm(0x20));
		x4(g, X86_VPERM2F128, y(g, t), y(g, a), y(g, b), x86_imm(0x31));
	}
	gllm_x86_v(g, row, at(g, in->d), s, t);
}

/* 256 bits: whole halves and lanes by turns, from what moves within 128 bits and from moves of pairs. */
static void zip_whole(gen *g, const struct gllm_vi *in)
{
	const operand pairs = x86_imm(0xd8); /* 0 2 1 3 */
	operand d = yr(g, in->d), s = ty(g, 0), t = ty(g, 1);

	if (in->imm >= 6) {
		x4(g, X86_VSHUFPS, d, yr(g, in->a), yr(g, in->b), x86_imm(in->imm == 6 ? 0x88 : 0xdd));
		x3(g, X86_VPERMPD_I, d, d, pairs);
		return;
	}
	x3(g, X86_VPERMPD_I, s, yr(g, in->a), pairs);
	x3(g, X86_VPERMPD_I, t, yr(g, in->b), pairs);
	x3(g, in->imm == 5 ? X86_VUNPCKHPS : X86_VUNPCKLPS, d, s, t);
}

static void vzip(gen *g, const struct gllm_vi *in)
{
	unsigned d = at(g, in->d), a = at(g, in->a), b = at(g, in->b);

	if (in->imm < 2)
		gllm_x86_v(g, in->imm ? X86_VUNPCKHPS : X86_VUNPCKLPS, d, a, b);
	else if (in->imm >= 4)
		zip_whole(g, in);
	else if (g->wide)
		gllm_x86_vi(g, X86_EVSHUFF32X4, d, a, b, in->imm == 2 ? 0x88 : 0xdd);
	else
		x4(g, X86_VPERM2F128, y(g, d), y(g, a), y(g, b), x86_imm(in->imm == 2 ? 0x20 : 0x31));
}

/* Either a table is overwritten by the result, or the numbers are. */
static void vpick(gen *g, const struct gllm_vi *in)
{
	unsigned d = at(g, in->d), a = at(g, in->a), c = at(g, in->c), over = d == at(g, in->b) && d != a ? tv(g, 0) : d;

	if (d == c && d != a) {
		gllm_x86_v(g, X86_EVPERMI2PS, d, a, at(g, in->b));
		return;
	}
	if (over != a)
		gllm_x86_vmove(g, over, a);
	gllm_x86_v(g, X86_EVPERMT2PS, over, c, at(g, in->b));
	if (over != d)
		gllm_x86_vmove(g, d, over);
}

static void vlane0(gen *g, const struct gllm_vi *in)
{
	x2(g, X86_VBROADCASTSS_R, yr(g, in->d), x(at(g, in->a)));
}

/* --- the table ------------------------------------------------------------------------------------------------------ */

#define N(row) (X86_##row + 1)
const struct gllm_x86_rule gllm_x86_vector[GLLM_V_COUNT] = {
	/* op                  emit          f32             i32             u32       f16     temporaries of g, v; and wide; of masks: words, halves */
	[GLLM_V_VLOAD]      = { gllm_x86_vload,       { 0 },                                   TEMPS(0, 0), TEMPS(0, 0) },
	[GLLM_V_VSTORE]     = { gllm_x86_vstore,      { 0 },                                   TEMPS(0, 0), TEMPS(0, 0) },
	[GLLM_V_VBCAST]     = { gllm_x86_vbcast,      { 0 },                                   TEMPS(0, 0), TEMPS(0, 0) },
	[GLLM_V_VPAIR]      = { gllm_x86_vpair,       { 0 },                                   TEMPS(0, 0), TEMPS(0, 0) },
	[GLLM_V_VZERO]      = { vzero,       { 0 },                                            TEMPS(0, 0), TEMPS(0, 0) },
	[GLLM_V_VMOV]       = { vmov,        { 0 },                                            TEMPS(0, 0), TEMPS(0, 0) },
	[GLLM_V_VSPLAT]     = { vsplat,      { 0 },                                            TEMPS(0, 0), TEMPS(0, 0) },
	[GLLM_V_VINDEX]     = { vindex,      { 0 },                                            TEMPS(0, 1), TEMPS(0, 1) },
	[GLLM_V_VADD]       = { gllm_x86_binary,      { N(VADDPS), N(VPADDD), N(VPADDD), N(EVADDPH) },  TEMPS(0, 0), TEMPS(0, 0) },
	[GLLM_V_VSUB]       = { gllm_x86_binary,      { N(VSUBPS), N(VPSUBD), N(VPSUBD), N(EVSUBPH) },  TEMPS(0, 0), TEMPS(0, 0) },
	[GLLM_V_VMUL]       = { gllm_x86_binary,      { N(VMULPS), N(VPMULLD), N(VPMULLD), N(EVMULPH) }, TEMPS(0, 0), TEMPS(0, 0) },
	[GLLM_V_VDIV]       = { gllm_x86_binary,      { N(VDIVPS), 0, 0, N(EVDIVPH) },                  TEMPS(0, 0), TEMPS(0, 0) },
	[GLLM_V_VMIN]       = { gllm_x86_binary,      { N(VMINPS), N(VPMINSD), N(VPMINUD), N(EVMINPH) }, TEMPS(0, 0), TEMPS(0, 0) },
	[GLLM_V_VMAX]       = { gllm_x86_binary,      { N(VMAXPS), N(VPMAXSD), N(VPMAXUD), N(EVMAXPH) }, TEMPS(0, 0), TEMPS(0, 0) },
	[GLLM_V_VSQRT]      = { unary,       { N(VSQRTPS), 0, 0, N(EVSQRTPH) },                TEMPS(0, 0), TEMPS(0, 0) },
	[GLLM_V_VNEG]       = { vneg,        { 0 },                                            TEMPS(0, 1), TEMPS(0, 1) },
	[GLLM_V_VABS]       = { vabs,        { 0 },                                            TEMPS(0, 1), TEMPS(0, 0) },
	[GLLM_V_VCOPYSIGN]  = { vcopysign,   { 0 },                                            TEMPS(0, 0), TEMPS(0, 0) },
	[GLLM_V_VRINT]      = { vrint,       { N(VROUNDPS), 0, 0 },                            TEMPS(0, 0), TEMPS(0, 0) },
	[GLLM_V_VLDEXP]     = { vldexp,      { 0 },                                            TEMPS(0, 4), TEMPS(0, 1) },
	[GLLM_V_VSCALE]     = { vscale,      { 0 },                                            TEMPS(0, 0), TEMPS(0, 0) },
	[GLLM_V_VSCALEM]    = { vscalem,     { 0 },                                            TEMPS(0, 0), TEMPS(0, 0) },
	[GLLM_V_VADDM]      = { vaddm,       { N(VADDPS), 0 },                                 TEMPS(0, 0), TEMPS(0, 0) },
	[GLLM_V_VFMA]       = { vfma,        { N(VFMADD231PS), N(VFMADD213PS), 0 },            TEMPS(0, 0), TEMPS(0, 0) },
	[GLLM_V_VFNMA]      = { vfma,        { N(VFNMADD231PS), N(VFNMADD213PS), 0 },          TEMPS(0, 0), TEMPS(0, 0) },
	[GLLM_V_VDOT]       = { vdot,        { 0 },                                            TEMPS(0, 0), TEMPS(0, 1) },
	[GLLM_V_VAND]       = { gllm_x86_binary,      { N(VANDPS), N(VPAND), N(VPAND) },                TEMPS(0, 0), TEMPS(0, 0) },
	[GLLM_V_VOR]        = { gllm_x86_binary,      { N(VORPS), N(VPOR), N(VPOR) },                   TEMPS(0, 0), TEMPS(0, 0) },
	[GLLM_V_VXOR]       = { gllm_x86_binary,      { N(VXORPS), N(VPXOR), N(VPXOR) },                TEMPS(0, 0), TEMPS(0, 0) },
	[GLLM_V_VANDN]      = { gllm_x86_binary,      { N(VANDNPS), N(VPANDN), N(VPANDN) },             TEMPS(0, 0), TEMPS(0, 0) },
	[GLLM_V_VSHLI]      = { shift,       { 0, N(VPSLLD_I), N(VPSLLD_I) },                  TEMPS(0, 0), TEMPS(0, 0) },
	[GLLM_V_VSHRI]      = { shift,       { 0, N(VPSRLD_I), N(VPSRLD_I) },                  TEMPS(0, 0), TEMPS(0, 0) },
	[GLLM_V_VSARI]      = { shift,       { 0, N(VPSRAD_I), N(VPSRAD_I) },                  TEMPS(0, 0), TEMPS(0, 0) },
	[GLLM_V_VCVT]       = { vcvt,        { 0 },                                            TEMPS(0, 0), TEMPS(0, 0) },
	[GLLM_V_VCVTN]      = { vcvt,        { 0 },                                            TEMPS(0, 0), TEMPS(0, 0) },
	[GLLM_V_VLT]        = { compare,     { 0 },                                            TEMPS(0, 1), TEMPS(0, 0) },
	[GLLM_V_VLE]        = { compare,     { 0 },                                            TEMPS(0, 1), TEMPS(0, 0) },
	[GLLM_V_VEQ]        = { compare,     { 0 },                                            TEMPS(0, 0), TEMPS(0, 0) },
	[GLLM_V_VUNORD]     = { compare,     { 0 },                                            TEMPS(0, 0), TEMPS(0, 0) },
	[GLLM_V_MAND]       = { mbinary,     { N(VANDPS), N(KANDW), 0, N(KANDD) },             TEMPS(0, 0), TEMPS(0, 0) },
	[GLLM_V_MOR]        = { mbinary,     { N(VORPS), N(KORW), 0, N(KORD) },                TEMPS(0, 0), TEMPS(0, 0) },
	[GLLM_V_MXOR]       = { mbinary,     { N(VXORPS), N(KXORW), 0, N(KXORD) },             TEMPS(0, 0), TEMPS(0, 0) },
	[GLLM_V_MNOT]       = { mnot,        { 0 },                                            TEMPS(0, 1), TEMPS(0, 0) },
	[GLLM_V_MTAIL]      = { mtail,       { 0 },                                            TEMPS(0, 1), TEMPS(1, 0) },
	[GLLM_V_VSEL]       = { vsel,        { 0 },                                            TEMPS(0, 0), TEMPS(0, 0) },
	[GLLM_V_VREDUCE]    = { vreduce,     { 0 },                                            TEMPS(0, 2), TEMPS(0, 2) },
	[GLLM_V_VHPAIR]     = { vhpair,      { 0 },                                            TEMPS(0, 2), TEMPS(0, 2) },
	[GLLM_V_VZIP]       = { vzip,        { 0 },                                            TEMPS(0, 0), TEMPS(0, 0) },
	[GLLM_V_VPICK]      = { vpick,       { 0 },                                            TEMPS(0, 0), TEMPS(0, 1) },
	[GLLM_V_VLANE0]     = { vlane0,      { 0 },                                            TEMPS(0, 0), TEMPS(0, 0) },
};
