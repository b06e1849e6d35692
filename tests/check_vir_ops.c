/* SPDX-License-Identifier: MIT
 * tests/check_vir_ops.c - each VIR operation alone, in a loop with every way the result can share an operand's register, and
 * once more among more live accumulators than there are registers, so that spill code runs too. */
#include "vir_bench.h"

#if GLLM_JIT

/* --- operations ----------------------------------------------------------------------------------------------------- */

enum domain { ANY, NUMBERS, TO_INT, POWERS, SCALES, NUMBERED, PAIRS, TAME };

struct one {
	const char *name;
	uint8_t op, type, mem;
	int32_t aux;
	int64_t imm;
	uint8_t domain;
};

#define FLOAT GLLM_F32, GLLM_F32
#define INT GLLM_I32, GLLM_I32
#define UINT GLLM_U32, GLLM_U32
static const struct one ops[] = {
	{ "vzero", GLLM_V_VZERO, FLOAT, 0, 0, ANY }, { "vmov", GLLM_V_VMOV, FLOAT, 0, 0, ANY },
	{ "vsplat", GLLM_V_VSPLAT, INT, 0, 0, ANY }, { "vindex", GLLM_V_VINDEX, INT, 0, 0, ANY },
	{ "vadd f32", GLLM_V_VADD, FLOAT, 0, 0, ANY }, { "vadd i32", GLLM_V_VADD, INT, 0, 0, ANY },
	{ "vsub f32", GLLM_V_VSUB, FLOAT, 0, 0, ANY }, { "vsub i32", GLLM_V_VSUB, INT, 0, 0, ANY },
	{ "vmul f32", GLLM_V_VMUL, FLOAT, 0, 0, ANY }, { "vmul i32", GLLM_V_VMUL, INT, 0, 0, ANY },
	{ "vdiv f32", GLLM_V_VDIV, FLOAT, 0, 0, ANY },
	{ "vmin f32", GLLM_V_VMIN, FLOAT, 0, 0, ANY }, { "vmin i32", GLLM_V_VMIN, INT, 0, 0, ANY },
	{ "vmin u32", GLLM_V_VMIN, UINT, 0, 0, ANY },
	{ "vmax f32", GLLM_V_VMAX, FLOAT, 0, 0, ANY }, { "vmax i32", GLLM_V_VMAX, INT, 0, 0, ANY },
	{ "vmax u32", GLLM_V_VMAX, UINT, 0, 0, ANY },
	{ "vsqrt", GLLM_V_VSQRT, FLOAT, 0, 0, ANY },
	{ "vneg f32", GLLM_V_VNEG, FLOAT, 0, 0, ANY }, { "vneg i32", GLLM_V_VNEG, INT, 0, 0, ANY },
	{ "vabs f32", GLLM_V_VABS, FLOAT, 0, 0, ANY }, { "vabs i32", GLLM_V_VABS, INT, 0, 0, ANY },
	{ "vcopysign", GLLM_V_VCOPYSIGN, FLOAT, 0, 0, ANY },
	{ "vrint", GLLM_V_VRINT, FLOAT, 0, 0, ANY },
	{ "vldexp", GLLM_V_VLDEXP, FLOAT, 0, 0, POWERS },
	{ "vscale", GLLM_V_VSCALE, FLOAT, 0, 0, SCALES },
	{ "vscalem", GLLM_V_VSCALEM, FLOAT, 0, 0, SCALES }, { "vscalem -0", GLLM_V_VSCALEM, FLOAT, 0, 1, SCALES },
	{ "vaddm", GLLM_V_VADDM, FLOAT, 0, 0, ANY },
	{ "vfma", GLLM_V_VFMA, FLOAT, 0, 0, ANY }, { "vfnma", GLLM_V_VFNMA, FLOAT, 0, 0, ANY },
	{ "vdot bf16", GLLM_V_VDOT, GLLM_F32, GLLM_BF16, GLLM_BF16, 0, PAIRS },
	{ "vdot i8", GLLM_V_VDOT, GLLM_I32, GLLM_I8, GLLM_I8, 0, ANY },
	{ "vdot u8", GLLM_V_VDOT, GLLM_I32, GLLM_U8, GLLM_U8, 0, ANY },
	{ "vdot u8 i8", GLLM_V_VDOT, GLLM_I32, GLLM_U8, GLLM_I8, 0, ANY },
	{ "vtile bf16", GLLM_V_VTILE, GLLM_F32, GLLM_BF16, GLLM_BF16, 0, PAIRS },
	{ "vtile i8", GLLM_V_VTILE, GLLM_I32, GLLM_I8, GLLM_I8, 0, ANY },
	{ "vtile u8", GLLM_V_VTILE, GLLM_I32, GLLM_U8, GLLM_U8, 0, ANY },
	{ "vtile u8 i8", GLLM_V_VTILE, GLLM_I32, GLLM_U8, GLLM_I8, 0, ANY },
	{ "vand f32", GLLM_V_VAND, FLOAT, 0, 0, ANY }, { "vand i32", GLLM_V_VAND, INT, 0, 0, ANY },
	{ "vor", GLLM_V_VOR, INT, 0, 0, ANY }, { "vxor", GLLM_V_VXOR, INT, 0, 0, ANY },
	{ "vxor f32", GLLM_V_VXOR, FLOAT, 0, 0, ANY },
	{ "vandn", GLLM_V_VANDN, INT, 0, 0, ANY },
	{ "vshli 0", GLLM_V_VSHLI, INT, 0, 0, ANY }, { "vshli 23", GLLM_V_VSHLI, INT, 0, 23, ANY },
	{ "vshli 40", GLLM_V_VSHLI, INT, 0, 40, ANY },
	{ "vshri 0", GLLM_V_VSHRI, INT, 0, 0, ANY }, { "vshri 9", GLLM_V_VSHRI, UINT, 0, 9, ANY },
	{ "vshri 32", GLLM_V_VSHRI, INT, 0, 32, ANY },
	{ "vsari 0", GLLM_V_VSARI, INT, 0, 0, ANY }, { "vsari 31", GLLM_V_VSARI, INT, 0, 31, ANY },
	{ "vsari 99", GLLM_V_VSARI, INT, 0, 99, ANY },
	{ "vcvt i32 f32", GLLM_V_VCVT, GLLM_F32, GLLM_I32, 0, 0, ANY },
	{ "vcvt u32 f32", GLLM_V_VCVT, GLLM_F32, GLLM_U32, 0, 0, ANY },
	{ "vcvt f32 i32", GLLM_V_VCVT, GLLM_I32, GLLM_F32, 0, 0, TO_INT },
	{ "vcvtn", GLLM_V_VCVTN, GLLM_I32, GLLM_F32, 0, 0, TO_INT },
	{ "vwiden f16", GLLM_V_VWIDEN, GLLM_F32, GLLM_F16, 0, 0, ANY },
	{ "vwiden upper f16", GLLM_V_VWIDEN, GLLM_F32, GLLM_F16, 0, 1, ANY },
	{ "vwiden bf16", GLLM_V_VWIDEN, GLLM_F32, GLLM_BF16, 0, 0, ANY },
	{ "vwiden upper bf16", GLLM_V_VWIDEN, GLLM_F32, GLLM_BF16, 0, 1, ANY },
	{ "vwiden i16", GLLM_V_VWIDEN, GLLM_I32, GLLM_I16, 0, 0, ANY },
	{ "vwiden upper i16", GLLM_V_VWIDEN, GLLM_I32, GLLM_I16, 0, 1, ANY },
	{ "vwiden u16", GLLM_V_VWIDEN, GLLM_I32, GLLM_U16, 0, 0, ANY },
	{ "vwiden upper u16", GLLM_V_VWIDEN, GLLM_I32, GLLM_U16, 0, 1, ANY },
	{ "vlt f32", GLLM_V_VLT, FLOAT, 0, 0, ANY }, { "vlt i32", GLLM_V_VLT, INT, 0, 0, ANY },
	{ "vlt u32", GLLM_V_VLT, UINT, 0, 0, ANY },
	{ "vle f32", GLLM_V_VLE, FLOAT, 0, 0, ANY }, { "vle i32", GLLM_V_VLE, INT, 0, 0, ANY },
	{ "vle u32", GLLM_V_VLE, UINT, 0, 0, ANY },
	{ "veq f32", GLLM_V_VEQ, FLOAT, 0, 0, ANY }, { "veq i32", GLLM_V_VEQ, INT, 0, 0, ANY },
	{ "vunord", GLLM_V_VUNORD, FLOAT, 0, 0, ANY },
	{ "not vlt f32", GLLM_V_VLT, FLOAT, GLLM_VIR_NOT, 0, ANY }, { "not vlt i32", GLLM_V_VLT, INT, GLLM_VIR_NOT, 0, ANY },
	{ "not vle f32", GLLM_V_VLE, FLOAT, GLLM_VIR_NOT, 0, ANY }, { "not vle u32", GLLM_V_VLE, UINT, GLLM_VIR_NOT, 0, ANY },
	{ "not veq f32", GLLM_V_VEQ, FLOAT, GLLM_VIR_NOT, 0, ANY }, { "not veq i32", GLLM_V_VEQ, INT, GLLM_VIR_NOT, 0, ANY },
	{ "not vunord", GLLM_V_VUNORD, FLOAT, GLLM_VIR_NOT, 0, ANY },
	{ "mand", GLLM_V_MAND, FLOAT, 0, 0, ANY }, { "mor", GLLM_V_MOR, FLOAT, 0, 0, ANY },
	{ "mxor", GLLM_V_MXOR, FLOAT, 0, 0, ANY }, { "mnot", GLLM_V_MNOT, FLOAT, 0, 0, ANY },
	{ "mtail", GLLM_V_MTAIL, FLOAT, 0, 0, ANY },
	{ "vsel", GLLM_V_VSEL, FLOAT, 0, 0, ANY },
	{ "vreduce add", GLLM_V_VREDUCE, FLOAT, GLLM_VRED_ADD, 0, ANY },
	{ "vreduce mul", GLLM_V_VREDUCE, FLOAT, GLLM_VRED_MUL, 0, ANY },
	{ "vreduce min", GLLM_V_VREDUCE, FLOAT, GLLM_VRED_MIN, 0, ANY },
	{ "vreduce max", GLLM_V_VREDUCE, FLOAT, GLLM_VRED_MAX, 0, ANY },
	{ "vreduce add i32", GLLM_V_VREDUCE, INT, GLLM_VRED_ADD, 0, ANY },
	{ "vreduce min i32", GLLM_V_VREDUCE, INT, GLLM_VRED_MIN, 0, ANY },
	{ "vreduce max u32", GLLM_V_VREDUCE, UINT, GLLM_VRED_MAX, 0, ANY },
	{ "vzip low", GLLM_V_VZIP, FLOAT, 0, 0, ANY }, { "vzip high", GLLM_V_VZIP, FLOAT, 0, 1, ANY },
	{ "vzip even", GLLM_V_VZIP, FLOAT, 0, 2, ANY }, { "vzip odd", GLLM_V_VZIP, FLOAT, 0, 3, ANY },
	{ "vzip lower half", GLLM_V_VZIP, FLOAT, 0, 4, ANY }, { "vzip upper half", GLLM_V_VZIP, FLOAT, 0, 5, ANY },
	{ "vzip even lanes", GLLM_V_VZIP, FLOAT, 0, 6, ANY }, { "vzip odd lanes", GLLM_V_VZIP, FLOAT, 0, 7, ANY },
	{ "vzip even words", GLLM_V_VZIP, FLOAT, 0, 8, ANY }, { "vzip odd words", GLLM_V_VZIP, FLOAT, 0, 9, ANY },
	{ "vpick", GLLM_V_VPICK, FLOAT, 0, 0, NUMBERED },
	{ "vlane0", GLLM_V_VLANE0, FLOAT, 0, 0, ANY },
	{ "gmov", GLLM_V_GMOV, 0, 0, 0, 0, ANY },
	{ "gadd", GLLM_V_GADD, 0, 0, 0, 0, ANY }, { "gsub", GLLM_V_GSUB, 0, 0, 0, 0, ANY },
	{ "gmul", GLLM_V_GMUL, 0, 0, 0, 0, ANY },
	{ "gmin", GLLM_V_GMIN, 0, 0, 0, 0, ANY }, { "gmax", GLLM_V_GMAX, 0, 0, 0, 0, ANY },
	{ "gaddi 0", GLLM_V_GADDI, 0, 0, 0, 0, ANY }, { "gaddi 1", GLLM_V_GADDI, 0, 0, 0, 1, ANY },
	{ "gaddi -5000", GLLM_V_GADDI, 0, 0, 0, -5000, ANY },
	{ "gaddi 4096", GLLM_V_GADDI, 0, 0, 0, 4096, ANY },
	{ "gaddi 2^40", GLLM_V_GADDI, 0, 0, 0, (INT64_C(1) << 40) + 3, ANY },
	{ "gmuli 1", GLLM_V_GMULI, 0, 0, 0, 1, ANY }, { "gmuli 64", GLLM_V_GMULI, 0, 0, 0, 64, ANY },
	{ "gmuli -7", GLLM_V_GMULI, 0, 0, 0, -7, ANY }, { "gmuli 0", GLLM_V_GMULI, 0, 0, 0, 0, ANY },
	{ "gmuli 2^33+1", GLLM_V_GMULI, 0, 0, 0, (INT64_C(1) << 33) + 1, ANY },
	{ "gshli", GLLM_V_GSHLI, 0, 0, 0, 5, ANY }, { "gshli 0", GLLM_V_GSHLI, 0, 0, 0, 0, ANY },
	{ "gshri", GLLM_V_GSHRI, 0, 0, 0, 9, ANY }, { "gshri 63", GLLM_V_GSHRI, 0, 0, 0, 63, ANY },
	{ "gandi 7", GLLM_V_GANDI, 0, 0, 0, 7, ANY }, { "gandi -16", GLLM_V_GANDI, 0, 0, 0, -16, ANY },
	{ "gandi 2^32-16", GLLM_V_GANDI, 0, 0, 0, INT64_C(0xfffffff0), ANY },
	{ "gandi odd", GLLM_V_GANDI, 0, 0, 0, INT64_C(0x123456789abcdef), ANY },
	{ "gdivi 1", GLLM_V_GDIVI, 0, 0, 0, 1, ANY }, { "gdivi 16", GLLM_V_GDIVI, 0, 0, 0, 16, ANY },
	{ "gdivi 7", GLLM_V_GDIVI, 0, 0, 0, 7, ANY }, { "gdivi 2^35+9", GLLM_V_GDIVI, 0, 0, 0, (INT64_C(1) << 35) + 9, ANY },
	{ "gconst -1", GLLM_V_GCONST, 0, 0, 0, -1, ANY }, { "gconst 0", GLLM_V_GCONST, 0, 0, 0, 0, ANY },
	{ "gconst 2^31", GLLM_V_GCONST, 0, 0, 0, INT64_C(0x80000000), ANY },
	{ "gconst big", GLLM_V_GCONST, 0, 0, 0, INT64_C(0x7ff0123400005678), ANY },
	{ "gconst low", GLLM_V_GCONST, 0, 0, 0, INT64_C(-0x123456789), ANY },
};

#define HALF_TYPE GLLM_F16, GLLM_F16
static const struct one half_ops[] = { /* in programs of halves */
	{ "half vzero", GLLM_V_VZERO, HALF_TYPE, 0, 0, ANY }, { "half vmov", GLLM_V_VMOV, HALF_TYPE, 0, 0, ANY },
	{ "half vadd", GLLM_V_VADD, HALF_TYPE, 0, 0, ANY }, { "half vsub", GLLM_V_VSUB, HALF_TYPE, 0, 0, ANY },
	{ "half vmul", GLLM_V_VMUL, HALF_TYPE, 0, 0, ANY }, { "half vdiv", GLLM_V_VDIV, HALF_TYPE, 0, 0, ANY },
	{ "half vmin", GLLM_V_VMIN, HALF_TYPE, 0, 0, ANY }, { "half vmax", GLLM_V_VMAX, HALF_TYPE, 0, 0, ANY },
	{ "half vsqrt", GLLM_V_VSQRT, HALF_TYPE, 0, 0, ANY }, { "half vneg", GLLM_V_VNEG, HALF_TYPE, 0, 0, ANY },
	{ "half vabs", GLLM_V_VABS, HALF_TYPE, 0, 0, ANY },
	{ "half vlt", GLLM_V_VLT, HALF_TYPE, 0, 0, ANY }, { "half vle", GLLM_V_VLE, HALF_TYPE, 0, 0, ANY },
	{ "half veq", GLLM_V_VEQ, HALF_TYPE, 0, 0, ANY }, { "half vunord", GLLM_V_VUNORD, HALF_TYPE, 0, 0, ANY },
	{ "half mand", GLLM_V_MAND, HALF_TYPE, 0, 0, ANY }, { "half mor", GLLM_V_MOR, HALF_TYPE, 0, 0, ANY },
	{ "half mxor", GLLM_V_MXOR, HALF_TYPE, 0, 0, ANY }, { "half mnot", GLLM_V_MNOT, HALF_TYPE, 0, 0, ANY },
	{ "half mtail", GLLM_V_MTAIL, HALF_TYPE, 0, 0, ANY }, { "half vsel", GLLM_V_VSEL, HALF_TYPE, 0, 0, ANY },
};

struct operands {
	gllm_vreg v[3], g[2], m[2];
};

/* The operation with operands of the classes its letters name. share: 0 a new result, 1..3 the result is operand a..c. */
static gllm_vreg apply(struct bench *b, const struct one *o, const struct operands *x, unsigned share)
{
	struct gllm_vi i = op((enum gllm_vir_op)o->op, o->type);
	gllm_vreg *place[3] = { &i.a, &i.b, &i.c };
	unsigned k = 0, v = 0, g = 0, m = 0;
	char d = gllm_vir_info[o->op].d[0], letter[3] = { 0, 0, 0 };

	i.mem = o->mem;
	i.aux = o->aux;
	i.imm = o->imm;
	for (const char *s = gllm_vir_info[o->op].abc; *s; s++) {
		if (*s == 'i' || *s == '-')
			continue;
		letter[k] = *s;
		*place[k++] = *s == 'v' ? x->v[v++] : *s == 'g' ? x->g[g++] : x->m[m++];
	}
	if (o->op == GLLM_V_VSCALEM || o->op == GLLM_V_VADDM)
		i.m = x->m[0];
	if (share && letter[share - 1] == d) { /* through a copy: the operand itself is needed again */
		if (d == 'm') {
			struct gllm_vi copy = op(GLLM_V_MOR, GLLM_F32);

			copy.a = copy.b = *place[share - 1];
			i.d = emit(b, copy);
		} else {
			struct gllm_vi copy = op(d == 'g' ? GLLM_V_GMOV : GLLM_V_VMOV, GLLM_F32);

			copy.a = *place[share - 1];
			i.d = emit(b, copy);
		}
		*place[share - 1] = i.d;
	}
	return emit(b, i);
}

static bool makes(const struct one *o, char d)
{
	return gllm_vir_info[o->op].d[0] == d;
}

/* The result as words: masks choose between the first two operands. */
static void put_result(struct bench *b, const struct one *o, const struct operands *x, gllm_vreg r, gllm_vreg out,
                       gllm_vreg index, unsigned at)
{
	if (makes(o, 'm')) {
		struct gllm_vi s = op(GLLM_V_VSEL, lane_type(b));

		s.a = r;
		s.b = x->v[0];
		s.c = x->v[1];
		r = emit(b, s);
	}
	if (makes(o, 'g'))
		store_int(b, out, (int64_t)at * out_bytes(b) * STEPS, r);
	else
		store(b, out, index, (int64_t)at * out_bytes(b) * STEPS, r);
}

static struct operands fetch(struct bench *b, const gllm_vreg in[4], gllm_vreg ints, gllm_vreg index)
{
	struct operands x;

	for (unsigned k = 0; k < 3; k++)
		x.v[k] = load(b, in[k], index, 0);
	for (unsigned k = 0; k < 2; k++) {
		struct gllm_vi i = op(GLLM_V_GLOAD, GLLM_I64), c = op(GLLM_V_VLT, lane_type(b));

		i.a = ints;
		i.b = index;
		i.scale = b->halves ? 0 : 1; /* some bytes per lane: other numbers in each step */
		i.imm = 8 * (int64_t)k;
		x.g[k] = emit(b, i);
		c.a = x.v[2 * k];
		c.b = x.v[1];
		x.m[k] = emit(b, c);
	}
	return x;
}

struct loop {
	gllm_vreg in[4], ints, out, index;
	unsigned top, done;
};

static struct loop open_loop(struct bench *b)
{
	struct loop l;
	struct gllm_vi i = op(GLLM_V_GMOV, GLLM_I64);

	for (unsigned k = 0; k < 4; k++)
		l.in[k] = load_slot(b, GLLM_VIR_ARGS, 8 * (int64_t)k);
	l.ints = load_slot(b, GLLM_VIR_ARGS, 32);
	l.out = load_slot(b, GLLM_VIR_ARGS, 40);
	i.a = GLLM_VIR_BEGIN;
	l.index = emit(b, i);
	l.top = gllm_vir_label(&b->v);
	l.done = gllm_vir_label(&b->v);
	return l;
}

static void enter(struct bench *b, const struct loop *l)
{
	emit(b, op(GLLM_V_LOOP_BEGIN, 0));
	label(b, l->top);
	branch(b, GLLM_VCC_GE, l->index, GLLM_VIR_RANGE_END, l->done);
}

static void leave(struct bench *b, const struct loop *l)
{
	struct gllm_vi i = op(GLLM_V_JUMP, 0);

	add_to(b, l->index, b->lanes);
	i.imm = l->top;
	emit(b, i);
	emit(b, op(GLLM_V_LOOP_END, 0));
	label(b, l->done);
}

/* Integers below 8 in magnitude, two halves to a word in what is multiplied: sums of products are exact whatever is
 * rounded in between. */
static void fill_pairs(struct bench *b)
{
	for (unsigned k = 0; k < 4; k++)
		for (unsigned i = 0; i < WORDS; i++) {
			float x = (float)((int)check_below(b->t, 15) - 7), y = (float)((int)check_below(b->t, 15) - 7);

			b->data->in[k][i] = gllm_f32_bits(x) | (k < 2 ? gllm_f32_bits(y) >> 16 : 0);
		}
}

/* Two halves to a word, a quarter of them special: zeros, subnormals, the least and greatest, infinities, not a number. */
static void fill_halves(struct bench *b)
{
	static const uint16_t special[] = { 0, 1, 2, 0x3ff, 0x400, 0x401, 0x3bff, 0x3c00, 0x3c01, 0x7bff, 0x7c00, 0x7c01, 0x7e00 };

	for (unsigned k = 0; k < 4; k++)
		for (unsigned i = 0; i < 2 * WORDS; i++) {
			uint32_t h = (uint32_t)check_random(b->t) & 0xffff;

			if (check_below(b->t, 4) == 0)
				h = special[check_below(b->t, GLLM_COUNT(special))] | (h & 0x8000);
			else if (check_below(b->t, 4) == 0) /* near the previous one */
				h = (b->data->in[0][i / 2] >> i % 2 * 16 & 0xffff) ^ (h & 3);
			b->data->in[k][i / 2] = i % 2 ? (b->data->in[k][i / 2] & 0xffff) | h << 16 : h;
		}
}

static void data_for(struct bench *b, const struct one *o)
{
	switch ((enum domain)o->domain) {
	case ANY:     vir_fill(b, 1.0f, 0.0f); break;
	case TO_INT:  vir_fill(b, -2.0e9f, 2.0e9f); break;
	case NUMBERS: case TAME: vir_fill(b, -4.0f, 4.0f); break;
	case SCALES:  vir_fill(b, 1.0f, 0.0f); break;
	case PAIRS:   vir_fill(b, -1.0f, 1.0f); fill_pairs(b); break;
	case NUMBERED:
		vir_fill(b, 1.0f, 0.0f);
		for (unsigned i = 0; i < WORDS; i++)
			b->data->in[2][i] = (uint32_t)check_below(b->t, 2 * b->lanes);
		break;
	case POWERS:
		vir_fill(b, 1.0f, 0.0f);
		for (unsigned i = 0; i < WORDS; i++) {
			uint32_t n = (uint32_t)check_random(b->t);

			b->data->in[1][i] = check_below(b->t, 4) ? (uint32_t)((int32_t)check_below(b->t, 620) - 310) :
			                    check_below(b->t, 2) ? n : (uint32_t)((int32_t)(n & 127) - 63);
		}
		break;
	}
	if (b->halves)
		fill_halves(b);
	for (unsigned i = 0; i < WORDS && o->domain == SCALES; i++) {
		static const float far[] = { 0x1p22f, -0x1p22f, 0x1p23f, -0x1.8p30f, 1e38f, -1e38f };
		float n = (float)((int)check_below(b->t, 620) - 310);

		b->data->in[1][i] = gllm_f32_bits(check_below(b->t, 8) ? n : far[check_below(b->t, GLLM_COUNT(far))]);
	}
	for (unsigned i = 0; i < 16; i++) /* small counts too, for tails */
		b->data->ints[i] = check_below(b->t, 2) ? (int64_t)check_below(b->t, 2 * b->lanes + 4) : b->data->ints[i] & INT64_MAX;
	if (o->op != GLLM_V_MTAIL)
		for (unsigned i = 0; i < 16; i += 3)
			b->data->ints[i] = ~b->data->ints[i];
}

static void op_in_loop(struct bench *b, const struct one *o)
{
	struct loop l;
	struct operands x;

	begin(b);
	l = open_loop(b);
	enter(b, &l);
	for (unsigned share = 0; share < 4; share++) {
		x = fetch(b, l.in, l.ints, l.index);
		put_result(b, o, &x, apply(b, o, &x, share), l.out, l.index, share);
		if (makes(o, 'g'))
			add_to(b, l.out, 8);
	}
	leave(b, &l);
	end(b);
	for (unsigned k = 0; k < (b->runs ? 6u : 1u); k++) {
		data_for(b, o);
		if (!vir_finish(b, o->name, 0, (uint64_t)b->lanes * STEPS))
			break;
	}
}

/* Operands that die at the operation, so that the result may take their registers. */
static void op_alone(struct bench *b, const struct one *o)
{
	struct loop l;
	struct operands x;

	begin(b);
	l = open_loop(b);
	x = fetch(b, l.in, l.ints, l.index);
	if (makes(o, 'm')) {
		put_result(b, o, &x, apply(b, o, &x, 0), l.out, l.index, 0);
	} else {
		gllm_vreg r = apply(b, o, &x, 0);

		put_result(b, o, &x, r, l.out, l.index, 0);
	}
	end(b);
	for (unsigned k = 0; k < (b->runs ? 2u : 1u); k++) {
		data_for(b, o);
		if (!vir_finish(b, o->name, b->lanes, 0))
			break;
	}
}

/* More live values than registers, all changed in the loop by what the operation made. */
static void op_pressed(struct bench *b, const struct one *o)
{
	struct one tame = *o;
	struct loop l;
	struct operands x;
	gllm_vreg v[PRESSURE_V], g[PRESSURE_G], m[PRESSURE_M], r = 0;

	begin(b);
	l = open_loop(b);
	for (unsigned k = 0; k < PRESSURE_V; k++)
		v[k] = load(b, l.in[3], GLLM_NO_VREG, 4 * (int64_t)k);
	for (unsigned k = 0; k < PRESSURE_G; k++)
		g[k] = load_slot(b, l.ints, 8 * (int64_t)k);
	for (unsigned k = 0; k < PRESSURE_M; k++) {
		struct gllm_vi c = op(GLLM_V_VLT, b->halves ? GLLM_F16 : GLLM_I32);

		c.a = v[k];
		c.b = v[k + 7];
		m[k] = emit(b, c);
	}
	enter(b, &l);
	x = fetch(b, l.in, l.ints, l.index);
	for (unsigned k = 0; k < PRESSURE_V; k++) {
		struct gllm_vi j = b->halves ? op(GLLM_V_VMIN, GLLM_F16) : op(GLLM_V_VXOR, GLLM_I32);

		if (k % 8 == 0) {
			r = apply(b, o, &x, 0);
			put_result(b, o, &x, r, l.out, l.index, 0);
		}
		if (o->op == GLLM_V_VFMA || o->op == GLLM_V_VFNMA || o->op == GLLM_V_VDOT || o->op == GLLM_V_VTILE) {
			j = op((enum gllm_vir_op)o->op, o->type);
			j.mem = o->mem;
			j.aux = o->aux;
			j.c = v[k];
			j.b = x.v[1];
		} else {
			j.b = v[k];
		}
		j.a = makes(o, 'v') ? r : x.v[k % 3];
		j.d = v[k];
		emit(b, j);
	}
	for (unsigned k = 0; k < PRESSURE_G; k++) {
		struct gllm_vi j = op(GLLM_V_GADD, GLLM_I64);

		j.d = j.a = g[k];
		j.b = makes(o, 'g') ? r : x.g[k % 2];
		emit(b, j);
	}
	for (unsigned k = 0; k < PRESSURE_M; k++) {
		struct gllm_vi j = op(GLLM_V_MXOR, GLLM_I32);

		j.d = j.a = m[k];
		j.b = makes(o, 'm') ? r : x.m[k % 2];
		emit(b, j);
	}
	leave(b, &l);
	for (unsigned k = 0; k < PRESSURE_V; k++)
		store(b, l.out, GLLM_NO_VREG, AT_V + (int64_t)k * out_bytes(b), v[k]);
	for (unsigned k = 0; k < PRESSURE_G; k++)
		store_int(b, l.out, AT_G + 8 * (int64_t)k, g[k]);
	for (unsigned k = 0; k < PRESSURE_M; k++)
		store_chosen(b, l.out, AT_M + (int64_t)k * out_bytes(b), m[k], v[0], v[1]);
	end(b);
	tame.domain = o->domain >= TO_INT && o->domain < TAME ? o->domain : TAME;
	data_for(b, &tame);
	if (o->domain == POWERS || o->domain == SCALES)
		for (unsigned i = 0; i < WORDS; i++)
			b->data->in[0][i] = gllm_f32_bits(check_float(b->t, -4.0f, 4.0f));
	vir_finish(b, o->name, 0, (uint64_t)b->lanes * STEPS);
	CHECK(b->t, b->frame > 0);
}

/* Tails whose count the program states. */
static void known_tails(struct bench *b)
{
	gllm_vreg in, out;

	begin(b);
	in = load_slot(b, GLLM_VIR_ARGS, 0);
	out = load_slot(b, GLLM_VIR_ARGS, 40);
	for (unsigned k = 0; k < 2 * b->lanes; k++) {
		struct gllm_vi i = op(GLLM_V_MTAIL, lane_type(b));
		gllm_vreg x = load(b, in, GLLM_NO_VREG, 0), y = load(b, in, GLLM_NO_VREG, 256);

		i.a = constant(b, k < 2 * b->lanes - 1 ? k : INT64_MAX);
		store_chosen(b, out, (int64_t)k * out_bytes(b), emit(b, i), x, y);
	}
	end(b);
	vir_fill(b, -1.0f, 1.0f);
	vir_finish(b, "mtail of a constant", 0, 0);
}

/* Sums of products of halves that are left as they are: whole vectors of them and one for all lanes, as either factor, added to
 * a new register or to the sum, and to more sums than there are registers. */
static void late_widening(struct bench *b, enum gllm_vir_op fma, const char *name)
{
	gllm_vreg in[2], out, sum[PRESSURE_V], x[4];

	begin(b);
	for (unsigned k = 0; k < 2; k++)
		in[k] = load_slot(b, GLLM_VIR_ARGS, 8 * (int64_t)k);
	out = load_slot(b, GLLM_VIR_ARGS, 40);
	for (unsigned k = 0; k < PRESSURE_V; k++)
		sum[k] = load(b, in[1], GLLM_NO_VREG, 1024 + 4 * (int64_t)k);
	for (unsigned k = 0; k < 4; k++) {
		struct gllm_vi i = op(k < 2 ? GLLM_V_VLOAD : GLLM_V_VBCAST, GLLM_F16);

		i.a = in[k % 2];
		i.imm = 2 + 6 * (int64_t)k;
		x[k] = emit(b, i);
	}
	for (unsigned k = 0; k < 3 * PRESSURE_V; k++) {
		struct gllm_vi i = op(fma, GLLM_F32);

		i.mem = GLLM_F16;
		i.a = x[k % 4];
		i.b = x[k / 4 % 4];
		i.c = sum[k % PRESSURE_V];
		i.d = k % 5 ? i.c : GLLM_NO_VREG;
		sum[k % PRESSURE_V] = emit(b, i);
	}
	for (unsigned k = 0; k < PRESSURE_V; k++)
		store(b, out, GLLM_NO_VREG, AT_V + (int64_t)k * out_bytes(b), sum[k]);
	end(b);
	for (unsigned k = 0; k < (b->runs ? 20u : 1u); k++) {
		vir_fill(b, 1.0f, 0.0f);
		fill_halves(b);
		if (k & 1)
			for (unsigned i = 0; i < WORDS; i++) /* numbers alone */
				b->data->in[k / 2 % 2][i] &= 0xbfffbfff;
		if (!vir_finish(b, name, 0, 0))
			break;
	}
}

static bool exists(const struct gllm_machine *m, const struct one *o)
{
	switch (o->op) {
	case GLLM_V_VSCALE: case GLLM_V_VSCALEM: return m->has_scale;
	case GLLM_V_VLT: case GLLM_V_VLE: case GLLM_V_VEQ: case GLLM_V_VUNORD: return !o->aux || m->has_scale;
	case GLLM_V_VADDM: return m->has_addm;
	case GLLM_V_VCVT: return o->mem != GLLM_U32 || m->has_unsigned;
	case GLLM_V_VCOPYSIGN: return m->has_copysign;
	case GLLM_V_VZIP: return o->imm >= 8 ? m->tiles : m->zips && (o->imm < 4 || !m->picks);
	case GLLM_V_VPICK: return m->picks;
	case GLLM_V_VWIDEN: return m->has_widen;
	case GLLM_V_VDOT: return m->dots & gllm_dot_of(o->mem, (unsigned)o->aux);
	case GLLM_V_VTILE: return m->tiles & gllm_dot_of(o->mem, (unsigned)o->aux);
	default: return true;
	}
}

static void for_width(struct bench *b)
{
	for (unsigned k = 0; k < GLLM_COUNT(ops); k++) {
		if (!exists(&b->machine, &ops[k]))
			continue;
		op_alone(b, &ops[k]);
		op_in_loop(b, &ops[k]);
		op_pressed(b, &ops[k]);
	}
	known_tails(b);
	if (b->machine.widens) {
		late_widening(b, GLLM_V_VFMA, "vfma of halves");
		late_widening(b, GLLM_V_VFNMA, "vfnma of halves");
	}
	if (!b->machine.halves)
		return;
	b->halves = true;
	b->lanes *= 2;
	for (unsigned k = 0; k < GLLM_COUNT(half_ops); k++) {
		op_alone(b, &half_ops[k]);
		op_in_loop(b, &half_ops[k]);
		op_pressed(b, &half_ops[k]);
	}
	known_tails(b);
	b->lanes /= 2;
	b->halves = false;
}

void check_vir_ops(struct check *t)
{
	vir_each_width(t, for_width);
}

#else

void check_vir_ops(struct check *t)
{
	check_skip(t, "built without back ends");
}

#endif
