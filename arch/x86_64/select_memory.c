/* SPDX-License-Identifier: MIT
 * arch/x86_64/select_memory.c - vectors between memory and registers: conversions on the way, masks, and loads that become
 * the memory operand of what uses them. */
#include "arch/x86_64/gen.h"

typedef struct gllm_x86_gen gen;
typedef struct gllm_operand operand;

/* --- loads and stores ----------------------------------------------------------------------------------------------- */

static operand plus(operand m, unsigned bytes)
{
	m.imm += bytes;
	return m;
}

struct widen { /* how elements of a memory type become lanes */
	uint16_t load;    /* extension from xmm or memory, row + 1; 0: the element has 32 bits */
	uint16_t bcast;   /* one element to all places */
	uint16_t insert, extract;
};
static const struct widen widening[GLLM_TYPE_COUNT] = {
	[GLLM_F32]  = { 0, X86_VBROADCASTSS, 0, 0 },
	[GLLM_I32]  = { 0, X86_VBROADCASTSS, 0, 0 },
	[GLLM_U32]  = { 0, X86_VBROADCASTSS, 0, 0 },
	[GLLM_F16]  = { X86_VCVTPH2PS + 1, X86_VPBROADCASTW, X86_VPINSRW, X86_VPEXTRW },
	[GLLM_BF16] = { X86_VPMOVZXWD + 1, X86_VPBROADCASTW, X86_VPINSRW, X86_VPEXTRW },
	[GLLM_I8]   = { X86_VPMOVSXBD + 1, X86_VPBROADCASTB, X86_VPINSRB, X86_VPEXTRB },
	[GLLM_U8]   = { X86_VPMOVZXBD + 1, X86_VPBROADCASTB, X86_VPINSRB, X86_VPEXTRB },
	[GLLM_I16]  = { X86_VPMOVSXWD + 1, X86_VPBROADCASTW, X86_VPINSRW, X86_VPEXTRW },
	[GLLM_U16]  = { X86_VPMOVZXWD + 1, X86_VPBROADCASTW, X86_VPINSRW, X86_VPEXTRW },
};

bool gllm_x86_narrow(const struct gllm_vi *in)
{
	return in->mem < GLLM_TYPE_COUNT && widening[in->mem].load != 0 && in->type != GLLM_F16;
}

static bool is_integer(unsigned mem)
{
	return mem != GLLM_F32 && mem != GLLM_F16 && mem != GLLM_BF16;
}

/* The extension of `mem` for lanes of `type`: halves that are not to become floats are plain 16 bits. */
static unsigned extension(const struct gllm_vi *in)
{
	if (in->mem == GLLM_F16 && in->type != GLLM_F32)
		return X86_VPMOVZXWD;
	return widening[in->mem].load - 1u;
}

static inline bool accessible(gen *g, const struct gllm_vi *in)
{
	bool ok = gllm_x86_lane_type(in->type) < 4 && in->mem < GLLM_TYPE_COUNT && widening[in->mem].bcast != 0 &&
	          (in->type != GLLM_F16 || (in->mem == GLLM_F16 && g->v->halves));

	if (!ok)
		gllm_x86_quit(g, GLLM_UNSUPPORTED);
	return ok;
}

/* What the extension leaves to do on the way from memory's type to lanes in d. */
static void finish_load(gen *g, const struct gllm_vi *in, operand d)
{
	if (in->type != GLLM_F32)
		return;
	if (in->mem == GLLM_BF16)
		x3(g, X86_VPSLLD_I, d, d, x86_imm(16));
	else if (is_integer(in->mem))
		x2(g, X86_VCVTDQ2PS, d, d);
}

/* One bit per lane of the mask in a temporary; after each `next`, the code up to land is for a set bit only. */
static unsigned mask_bits(gen *g, const struct gllm_vi *in)
{
	unsigned bits = tg(g, in->b != GLLM_NO_VREG && in->scale > 3);

	x2(g, X86_VMOVMSKPS, e(bits), yr(g, in->m));
	return bits;
}

static size_t next_bit(gen *g, unsigned bits)
{
	x2(g, X86_SHR_MI, e(bits), x86_imm(1));
	return gllm_x86_hop(g, X86_AE);
}

static void load_elements(gen *g, const struct gllm_vi *in, operand m)
{
	const struct widen *w = &widening[in->mem];
	unsigned bytes = gllm_type_bytes((enum gllm_type)in->mem), bits = mask_bits(g, in);
	operand t = tx(g, 0);

	x3(g, X86_VPXOR, t, t, t);
	for (unsigned k = 0; k < g->lanes; k++) {
		size_t from = next_bit(g, bits);

		x4(g, w->insert, t, t, plus(m, k * bytes), x86_imm(k));
		gllm_x86_land(g, from);
	}
	x2(g, extension(in), yr(g, in->d), t);
}

static void load_narrow(gen *g, const struct gllm_vi *in, operand m)
{
	unsigned bytes = gllm_type_bytes((enum gllm_type)in->mem);
	operand d = yr(g, in->d);

	if (in->lanes == 1) {
		x2(g, bytes == 1 ? X86_MOVZX8 : X86_MOVZX16, e(X86_RAX), m);
		x2(g, X86_VMOVD_RM, x(d.reg), e(X86_RAX));
		x2(g, extension(in), d, part(g, d.reg, bytes));
	} else if (in->m != GLLM_NO_VREG && !g->wide) {
		load_elements(g, in, m);
	} else {
		if (in->m != GLLM_NO_VREG)
			under(g, at(g, in->m), true);
		gllm_x86_vm(g, extension(in), d.reg, 0, &m);
	}
}

/* A full load or broadcast of 32-bit elements that is one instruction and needs no scratch. */
static inline bool plain(const struct gllm_vi *in)
{
	return (in->op == GLLM_V_VLOAD || in->op == GLLM_V_VBCAST) && !gllm_x86_narrow(in) &&
	       is_integer(in->mem) == is_integer(in->type) && in->m == GLLM_NO_VREG && in->lanes == 0 &&
	       in->imm >= INT32_MIN && in->imm <= INT32_MAX - 256 && (in->b == GLLM_NO_VREG || in->scale <= 3);
}

static bool adds_up(const struct gllm_vi *in)
{
	return in->op == GLLM_V_VFMA || in->op == GLLM_V_VFNMA || in->op == GLLM_V_VDOT;
}

/* Can the instruction have `r` in memory? */
static bool takes(const struct gllm_vi *in, gllm_vreg r)
{
	switch (in->op) {
	case GLLM_V_VADD: case GLLM_V_VMUL: case GLLM_V_VAND: case GLLM_V_VOR: case GLLM_V_VXOR: case GLLM_V_VFMA:
	case GLLM_V_VFNMA:
		return (in->a == r) != (in->b == r) && in->c != r;
	case GLLM_V_VDOT: /* factors of different types do not change places */
		return (in->a == r) != (in->b == r) && in->c != r && (in->b == r || in->mem == (unsigned)in->aux);
	case GLLM_V_VSUB: case GLLM_V_VDIV: case GLLM_V_VMIN: case GLLM_V_VMAX: case GLLM_V_VANDN: case GLLM_V_VADDM:
		return in->b == r && in->a != r;
	default:
		return false;
	}
}

/* A broadcast in memory has the width of the instruction's lanes. */
static bool same_lanes(const struct gllm_vi *load, const struct gllm_vi *user)
{
	return load->op != GLLM_V_VBCAST || (load->type == GLLM_F16) == (user->type == GLLM_F16);
}

bool gllm_x86_takes_wide(const struct gllm_vi *load, const struct gllm_vi *user)
{
	return plain(load) && takes(user, load->d) && same_lanes(load, user);
}

bool gllm_x86_takes(const struct gllm_vi *load, const struct gllm_vi *user)
{
	return load->op == GLLM_V_VLOAD && gllm_x86_takes_wide(load, user);
}

/* Can the next instruction, or the one after another plain load, take this load's memory as its last source? The loaded
 * value must die there, and up to there nothing may need temporaries, which could be the address registers. */
static bool foldable(const gen *g, const struct gllm_vi *in)
{
	unsigned k = g->i + 1;
	const struct gllm_vi *next;

	if (g->folded || !plain(in) || k + 1 >= g->v->n)
		return false;
	k += plain(&g->v->ins[k]) && g->v->ins[k].d != in->d;
	next = &g->v->ins[k];
	if (g->a->reg[in->d].end != 2 * k + 1)
		return false;
	return takes(next, in->d) && same_lanes(in, next) && (!adds_up(next) || at(g, next->d) == at(g, next->c));
}

void gllm_x86_sources(gen *g, unsigned row, unsigned d, const struct gllm_vi *in)
{
	const struct gllm_vi *load = g->folded;
	operand m;

	if (!load) {
		gllm_x86_v(g, row, d, at(g, in->a), at(g, in->b));
		return;
	}
	m = gllm_x86_address(g, load);
	if (load->op == GLLM_V_VBCAST)
		from_one(g);
	g->folded = NULL;
	gllm_x86_vm(g, row, d, at(g, load->d == in->a ? in->b : in->a), &m);
}

void gllm_x86_vload(gen *g, const struct gllm_vi *in)
{
	operand m, d = yr(g, in->d);

	if (in->mem == GLLM_MASK && g->wide) {
		x2(g, g->v->halves ? X86_KMOVD_RM : X86_KMOVW_RM, mr(g, in->d), gllm_x86_address(g, in));
		return;
	}
	if (!accessible(g, in))
		return;
	if (foldable(g, in)) {
		g->folded = in;
		return;
	}
	m = gllm_x86_address(g, in);
	if (gllm_x86_narrow(in)) {
		load_narrow(g, in, m);
	} else if (in->lanes == 1) {
		x2(g, in->type == GLLM_F16 ? X86_EVMOVSH_RM : X86_VMOVSS_RM, x(at(g, in->d)), m);
	} else if (in->m != GLLM_NO_VREG && !g->wide) {
		x3(g, X86_VMASKMOVPS_RM, d, mr(g, in->m), m);
	} else {
		if (in->m != GLLM_NO_VREG)
			under(g, at(g, in->m), true);
		gllm_x86_vm(g, in->m != GLLM_NO_VREG && in->type == GLLM_F16 ? X86_EVMOVDQU16_RM : X86_VMOVUPS_RM, d.reg, 0, &m);
	}
	finish_load(g, in, d);
}

void gllm_x86_vbcast(gen *g, const struct gllm_vi *in)
{
	unsigned d = at(g, in->d);
	operand m;

	if (!accessible(g, in))
		return;
	if (g->wide && foldable(g, in)) {
		g->folded = in;
		return;
	}
	m = gllm_x86_address(g, in);
	if (!gllm_x86_narrow(in)) {
		gllm_x86_vm(g, widening[in->mem].bcast, d, 0, &m);
	} else {
		operand few = part(g, d, gllm_type_bytes((enum gllm_type)in->mem));

		x2(g, widening[in->mem].bcast, few, m);
		x2(g, extension(in), y(g, d), few);
	}
	finish_load(g, in, y(g, d));
}

void gllm_x86_vpair(gen *g, const struct gllm_vi *in)
{
	operand m = gllm_x86_address(g, in);

	gllm_x86_vm(g, X86_VBROADCASTSD, at(g, in->d), 0, &m);
}

void gllm_x86_ones(gen *g, operand t)
{
	if (g->wide)
		x4(g, X86_EVPTERNLOGD, t, t, t, x86_imm(0xff));
	else
		x3(g, X86_VPCMPEQD, t, t, t);
}

/* d = a `row` the frame's word in all lanes: an operand of memory, or, narrow, first in t. */
static void with_word(gen *g, unsigned wide, unsigned row, operand d, operand a, enum gllm_x86_word word, operand t)
{
	const operand m = gllm_x86_word(g, word);

	if (g->wide) {
		from_one(g);
		gllm_x86_vm(g, wide, d.reg, a.reg, &m);
	} else {
		x2(g, X86_VBROADCASTSS, t, m);
		x3(g, row, d, a, t);
	}
}

/* u = bf16 of the float lanes in c, to nearest even, as 32-bit integers of either sign; NaN stays NaN. c + 0x7fff + the bit that
 * decides ties, of which the upper half is kept; a quiet NaN where c is one. Wide, t and w are not used. */
static void to_bf16(gen *g, operand c, operand u, operand t, operand w)
{
	const operand quiet = gllm_x86_word(g, X86_WORD_QUIET);

	x3(g, X86_VPSRLD_I, u, c, x86_imm(16));
	with_word(g, X86_EVPANDD, X86_VPAND, u, u, X86_WORD_ONE, t);
	x3(g, X86_VPADDD, u, u, c);
	with_word(g, X86_VPADDD, X86_VPADDD, u, u, X86_WORD_BELOW_HALF, t);
	if (g->wide) {
		x4(g, X86_EVCMPPS, x86_mask(SCRATCH_MASK), c, c, x86_imm(3));
		under(g, SCRATCH_MASK, false);
		from_one(g);
		gllm_x86_vm(g, X86_VPOR, u.reg, c.reg, &quiet);
	} else {
		with_word(g, X86_VPOR, X86_VPOR, w, c, X86_WORD_QUIET, t);
		x4(g, X86_VCMPPS, t, c, c, x86_imm(3));
		x4(g, X86_VBLENDVPS, u, u, w, t);
	}
	x3(g, X86_VPSRAD_I, u, u, x86_imm(16));
}

/* The 32-bit lanes of u, cut to 16 or 8 bits unless they are `fit` to that, side by side in its lowest part. t is a temporary. */
static void pack(gen *g, unsigned bytes, bool fit, operand u, operand t)
{
	unsigned cut = 32 - 8 * bytes;

	if (!fit) {
		x3(g, X86_VPSLLD_I, u, u, x86_imm(cut));
		x3(g, X86_VPSRAD_I, u, u, x86_imm(cut));
	}
	x3(g, X86_VPACKSSDW, u, u, u);
	if (bytes == 1)
		x3(g, X86_VPACKSSWB, u, u, u);
	x3(g, X86_VEXTRACTI128, x(t.reg), u, x86_imm(1));
	x3(g, bytes == 1 ? X86_VPUNPCKLDQ : X86_VPUNPCKLQDQ, x(u.reg), x(u.reg), x(t.reg));
}

/* The lanes of c as elements of memory's type, in the returned xmm temporary. */
static operand narrowed(gen *g, const struct gllm_vi *in)
{
	operand c = yr(g, in->c), t = ty(g, 0), u = ty(g, 1);
	unsigned bytes = gllm_type_bytes((enum gllm_type)in->mem);

	if (in->type == GLLM_F32 && in->mem == GLLM_F16) {
		x3(g, X86_VCVTPS2PH, x(u.reg), c, x86_imm(0));
		return x(u.reg);
	}
	bool bf16 = in->type == GLLM_F32 && in->mem == GLLM_BF16;
	if (bf16)
		to_bf16(g, c, u, t, ty(g, 2));
	else if (in->type == GLLM_F32)
		x2(g, X86_VCVTTPS2DQ, u, c);
	else
		gllm_x86_vmove(g, u.reg, c.reg);
	pack(g, bytes, bf16, u, t);
	return x(u.reg);
}

static void store_narrow(gen *g, const struct gllm_vi *in, operand m)
{
	unsigned bytes = gllm_type_bytes((enum gllm_type)in->mem), count = in->lanes == 1 ? 1 : g->lanes, bits = 0;
	operand s = narrowed(g, in);

	if (in->m == GLLM_NO_VREG && in->lanes != 1) {
		x2(g, bytes == 2 ? X86_VMOVUPS_MR : X86_VMOVQ_MR, m, s);
		return;
	}
	if (count > 1)
		bits = mask_bits(g, in);
	for (unsigned k = 0; k < count; k++) {
		size_t from = count > 1 ? next_bit(g, bits) : 0;

		x3(g, widening[in->mem].extract, plus(m, k * bytes), s, x86_imm(k));
		if (count > 1)
			gllm_x86_land(g, from);
	}
}

/* The store converts on its way, under a mask where not all lanes go. */
static void store_narrow_wide(gen *g, const struct gllm_vi *in, operand m)
{
	const operand first = x86_mask(SCRATCH_MASK);
	bool half = in->type == GLLM_F32 && in->mem == GLLM_F16;
	operand c = yr(g, in->c);

	if (in->type == GLLM_F32 && in->mem == GLLM_BF16) {
		to_bf16(g, c, ty(g, 0), ty(g, 0), ty(g, 0));
		c = ty(g, 0);
	} else if (in->type == GLLM_F32 && !half) {
		x2(g, X86_VCVTTPS2DQ, ty(g, 0), c);
		c = ty(g, 0);
	}
	if (in->lanes == 1) {
		x3(g, X86_KXNORW, first, first, first);
		x3(g, X86_KSHIFTRW, first, first, x86_imm(15));
		under(g, SCRATCH_MASK, false);
	} else if (in->m != GLLM_NO_VREG) {
		under(g, at(g, in->m), false);
	}
	if (half)
		x3(g, X86_VCVTPS2PH, m, c, x86_imm(0));
	else
		x2(g, gllm_type_bytes((enum gllm_type)in->mem) == 1 ? X86_EVPMOVDB : X86_EVPMOVDW, m, c);
}

/* Such stores fault unless aligned, and lines that are written in parts cost more than through the caches. */
static void store_past(gen *g, operand m, operand c)
{
	size_t from, end;

	x2(g, X86_LEA, q(X86_RAX), m);
	x2(g, X86_TEST8_AI, x86_gpr(X86_RAX, 8), x86_imm((int64_t)g->bits / 8 - 1));
	from = gllm_x86_hop(g, X86_NE);
	x2(g, g->wide ? X86_EVMOVNTPS : X86_VMOVNTPS, m, c);
	end = gllm_x86_hop(g, X86_G + 1);
	gllm_x86_land(g, from);
	x2(g, X86_VMOVUPS_MR, m, c);
	gllm_x86_land(g, end);
}

void gllm_x86_vstore(gen *g, const struct gllm_vi *in)
{
	operand m, c = yr(g, in->c);

	if (in->mem == GLLM_MASK && g->wide) {
		x2(g, g->v->halves ? X86_KMOVD_MR : X86_KMOVW_MR, gllm_x86_address(g, in), mr(g, in->c));
		return;
	}
	if (!accessible(g, in))
		return;
	m = gllm_x86_address(g, in);
	if (gllm_x86_narrow(in)) {
		if (g->wide)
			store_narrow_wide(g, in, m);
		else
			store_narrow(g, in, m);
		return;
	}
	if (in->type == GLLM_F32 && is_integer(in->mem)) {
		x2(g, X86_VCVTTPS2DQ, ty(g, 0), c);
		c = ty(g, 0);
	}
	if (in->lanes == 1) {
		x2(g, in->type == GLLM_F16 ? X86_EVMOVSH_MR : X86_VMOVSS_MR, m, x(c.reg));
	} else if (in->aux && in->m == GLLM_NO_VREG) {
		store_past(g, m, c);
	} else if (in->m != GLLM_NO_VREG && !g->wide) {
		x3(g, X86_VMASKMOVPS_MR, m, mr(g, in->m), c);
	} else {
		if (in->m != GLLM_NO_VREG)
			under(g, at(g, in->m), false);
		gllm_x86_vm(g, in->m != GLLM_NO_VREG && in->type == GLLM_F16 ? X86_EVMOVDQU16_MR : X86_VMOVUPS_MR, c.reg, 0, &m);
	}
}
