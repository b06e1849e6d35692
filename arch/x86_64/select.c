/* SPDX-License-Identifier: MIT
 * arch/x86_64/select.c - vector IR to AVX2 + FMA + F16C code of 8 lanes, or AVX-512 code of 16.
 *
 * One row of `rules` per VIR operation: who emits it, the instruction per lane type, the temporaries it needs at either
 * width, its latency. Rules name VEX instructions; at 16 lanes `evex` has the instruction that stands for each, and only
 * where the ISA offers something better does a rule look at g->wide.
 *
 * A result register may be that of an operand that dies here, so every rule reads all operands before it writes d, and
 * intermediate values lie in temporaries. At 8 lanes a mask is a vector of lanes that are all ones or all zeros, at 16 it
 * is a k register of which the low 16 bits count. rax, and k7 at 16 lanes, are scratch within one operation. Constants
 * are made by instructions: code has no data. */
#include "arch/x86_64/gen.h"

typedef struct gllm_x86_gen gen;
typedef struct gllm_operand operand;

struct rule {
	void (*emit)(gen *g, const struct gllm_vi *in);
	uint16_t row[3];  /* F32, I32, U32: X86 row + 1, 0 none */
	uint8_t g, v;     /* temporaries at 8 lanes */
	uint8_t wg, wv;   /* and at 16 */
	uint8_t latency;
};
static const struct rule rules[GLLM_V_COUNT];

enum { SCRATCH_MASK = 7 };

/* What stands for a VEX instruction where registers are of 512 bits or numbered above 15; row + 1, 0: itself. */
#define SAME(row) [X86_V##row] = X86_EV##row + 1
#define AS(row, with) [X86_V##row] = X86_EV##with + 1
static const uint16_t evex[] = {
	SAME(ADDPS), SAME(SUBPS), SAME(MULPS), SAME(DIVPS), SAME(MINPS), SAME(MAXPS), SAME(SQRTPS),
	SAME(ANDPS), SAME(ANDNPS), SAME(ORPS), SAME(XORPS), AS(PAND, PANDD), AS(PANDN, PANDND), AS(POR, PORD),
	AS(PXOR, PXORD), SAME(PADDD), SAME(PSUBD), SAME(PMULLD), SAME(PMINSD), SAME(PMAXSD), SAME(PMINUD), SAME(PMAXUD),
	SAME(PABSD), SAME(PSLLD_I), SAME(PSRLD_I), SAME(PSRAD_I), AS(ROUNDPS, RNDSCALEPS),
	SAME(FMADD231PS), SAME(FMADD213PS), SAME(FNMADD231PS), SAME(FNMADD213PS),
	SAME(CVTDQ2PS), SAME(CVTPS2DQ), SAME(CVTTPS2DQ), SAME(CVTPH2PS), SAME(CVTPS2PH),
	SAME(PMOVZXWD), SAME(PMOVSXWD), SAME(PMOVZXBD), SAME(PMOVSXBD),
	SAME(MOVAPS_RM), SAME(MOVUPS_RM), SAME(MOVUPS_MR), SAME(MOVSS_RM), SAME(MOVSS_MR), SAME(MOVD_RM), SAME(MOVD_MR),
	SAME(PSHUFD), SAME(SHUFPS), SAME(UNPCKLPS), SAME(UNPCKHPS), AS(EXTRACTF128, EXTRACTF32X4),
	SAME(BROADCASTSS), AS(BROADCASTSS_R, BROADCASTSS), SAME(PBROADCASTB), SAME(PBROADCASTW), SAME(PBROADCASTD),
};

/* --- putting -------------------------------------------------------------------------------------------------------- */

void gllm_x86_put(gen *g, unsigned row, const operand *op, unsigned operands)
{
	struct gllm_insn in = { .row = (uint16_t)row, .n = (uint8_t)operands, .mask = g->mask, .zeroing = g->zeroing,
	                        .broadcast = g->broadcast };
	unsigned char bytes[16];
	bool new_form = false;
	size_t n;

	g->mask = g->zeroing = g->broadcast = 0;
	for (unsigned k = 0; k < operands; k++) {
		in.op[k] = op[k];
		if (in.op[k].kind != GLLM_O_REG || in.op[k].cls != GLLM_R_VEC)
			continue;
		if (in.op[k].size > 128u << in.vl)
			in.vl = in.op[k].size == 256 ? 1 : 2;
		new_form |= in.op[k].size == 512 || in.op[k].reg > 15;
	}
	if (new_form && row < GLLM_COUNT(evex) && evex[row])
		in.row = (uint16_t)(evex[row] - 1u);
	n = gllm_x86_encode(&in, bytes);
	if (n == 0)
		gllm_x86_quit(g, GLLM_COMPILE_ERROR);
	else if (n > g->code->size - g->code->used)
		gllm_x86_quit(g, GLLM_NO_SPACE);
	if (g->code->status != GLLM_OK)
		return;
	for (size_t k = 0; k < n; k++)
		g->code->base[g->code->used++] = bytes[k];
}

static operand q(unsigned n) { return x86_gpr(n, 64); }
static operand e(unsigned n) { return x86_gpr(n, 32); }
static operand x(unsigned n) { return x86_vec(n, 128); }
static operand y(const gen *g, unsigned n) { return x86_vec(n, g->bits); }
static unsigned at(const gen *g, gllm_vreg r) { return g->a->where[r]; }
static operand yr(const gen *g, gllm_vreg r) { return y(g, at(g, r)); }
static unsigned tg(const gen *g, unsigned k) { return g->a->temp[g->i][GLLM_CLASS_G][k]; }
static unsigned tv(const gen *g, unsigned k) { return g->a->temp[g->i][GLLM_CLASS_V][k]; }
static operand ty(const gen *g, unsigned k) { return y(g, tv(g, k)); }
static operand tx(const gen *g, unsigned k) { return x(tv(g, k)); }
static operand mr(const gen *g, gllm_vreg r) { return g->wide ? x86_mask(at(g, r)) : yr(g, r); }
/* The part of a register whose elements of so many bytes become a whole one of lanes. */
static operand part(const gen *g, unsigned n, unsigned bytes)
{
	unsigned bits = g->bits * bytes / 4;

	return x86_vec(n, bits < 128 ? 128 : bits);
}

/* The next instruction works on the lanes of k register `mask` only; the others stay, or become 0. */
static void under(gen *g, unsigned mask, bool zeroing)
{
	g->mask = (uint8_t)mask;
	g->zeroing = zeroing;
}

static bool fits32(int64_t v) { return v >= INT32_MIN && v <= INT32_MAX; }

static void constant(gen *g, unsigned reg, int64_t v)
{
	if (v == 0)
		x2(g, X86_XOR_RM, e(reg), e(reg));
	else if (v > 0 && v <= UINT32_MAX)
		x2(g, X86_MOV_RI, e(reg), x86_imm((int64_t)(int32_t)(uint32_t)v));
	else if (fits32(v))
		x2(g, X86_MOV_MI, q(reg), x86_imm(v));
	else
		x2(g, X86_MOV_RI64, q(reg), x86_imm(v));
}

static void move(gen *g, unsigned d, unsigned s)
{
	if (d != s)
		x2(g, X86_MOV_RM, q(d), q(s));
}

static void vmove(gen *g, unsigned d, unsigned s)
{
	if (d != s)
		x2(g, X86_VMOVAPS_RM, y(g, d), y(g, s));
}

static unsigned lane_type(unsigned type)
{
	return type == GLLM_F32 ? 0 : type == GLLM_I32 || type == GLLM_MASK ? 1 : type == GLLM_U32 ? 2 : 3;
}

/* The rule's instruction for the lane type. */
static unsigned row_of(gen *g, const struct gllm_vi *in)
{
	unsigned t = lane_type(in->type), row = t < 3 ? rules[in->op].row[t] : 0;

	if (row == 0) {
		gllm_x86_quit(g, GLLM_UNSUPPORTED);
		return 0;
	}
	return row - 1;
}

/* A jump over code that is emitted next: hop, then land where it ends. Less than 128 bytes lie between. */
static size_t hop(gen *g, unsigned cond)
{
	x2(g, X86_JCC_8, x86_cond(cond), x86_rel(2));
	return g->code->used;
}

static void land(gen *g, size_t from)
{
	if (g->code->status != GLLM_OK)
		return;
	if (g->code->used - from > 127)
		gllm_x86_quit(g, GLLM_COMPILE_ERROR);
	else
		g->code->base[from - 1] = (unsigned char)(g->code->used - from);
}

/* --- integers ------------------------------------------------------------------------------------------------------- */

static void gconst(gen *g, const struct gllm_vi *in)
{
	constant(g, at(g, in->d), in->imm);
}

static void gmov(gen *g, const struct gllm_vi *in)
{
	move(g, at(g, in->d), at(g, in->a));
}

static void gadd(gen *g, const struct gllm_vi *in)
{
	unsigned d = at(g, in->d), a = at(g, in->a), b = at(g, in->b);

	if (d == a || d == b)
		x2(g, X86_ADD_RM, q(d), q(d == a ? b : a));
	else
		x2(g, X86_LEA, q(d), x86_mem(a, b, 0, 0, 0));
}

static void gsub(gen *g, const struct gllm_vi *in)
{
	unsigned d = at(g, in->d), a = at(g, in->a), b = at(g, in->b);

	if (d == b && d != a) {
		x1(g, X86_NEG, q(d));
		x2(g, X86_ADD_RM, q(d), q(a));
	} else {
		move(g, d, a);
		x2(g, X86_SUB_RM, q(d), q(b));
	}
}

static void gmul(gen *g, const struct gllm_vi *in)
{
	unsigned d = at(g, in->d), a = at(g, in->a), b = at(g, in->b);

	if (d != b)
		move(g, d, a);
	x2(g, X86_IMUL_RM, q(d), q(d == b ? a : b));
}

/* d = a op imm where the instruction takes 32 bits only. */
static void with_immediate(gen *g, unsigned d, unsigned a, int64_t imm, unsigned rmi8, unsigned rmi, unsigned rm)
{
	if (!fits32(imm)) {
		constant(g, X86_RAX, imm);
		move(g, d, a);
		x2(g, rm, q(d), q(X86_RAX));
		return;
	}
	move(g, d, a);
	x2(g, imm >= -128 && imm < 128 ? rmi8 : rmi, q(d), x86_imm(imm));
}

static void gaddi(gen *g, const struct gllm_vi *in)
{
	unsigned d = at(g, in->d), a = at(g, in->a);

	if (d != a && fits32(in->imm) && in->imm != 0)
		x2(g, X86_LEA, q(d), x86_mem(a, GLLM_NO_REG, 0, in->imm, 0));
	else if (in->imm != 0)
		with_immediate(g, d, a, in->imm, X86_ADD_MI8, X86_ADD_MI, X86_ADD_RM);
	else
		move(g, d, a);
}

static void gmuli(gen *g, const struct gllm_vi *in)
{
	unsigned d = at(g, in->d), a = at(g, in->a);

	if (in->imm > 0 && (in->imm & (in->imm - 1)) == 0) {
		move(g, d, a);
		if (in->imm > 1)
			x2(g, X86_SHL_MI, q(d), x86_imm(__builtin_ctzll((uint64_t)in->imm)));
	} else if (fits32(in->imm)) {
		x3(g, X86_IMUL_RMI, q(d), q(a), x86_imm(in->imm));
	} else {
		constant(g, X86_RAX, in->imm);
		x2(g, X86_IMUL_RM, q(X86_RAX), q(a));
		move(g, d, X86_RAX);
	}
}

static void gshift(gen *g, const struct gllm_vi *in)
{
	move(g, at(g, in->d), at(g, in->a));
	if (in->imm & 63)
		x2(g, in->op == GLLM_V_GSHLI ? X86_SHL_MI : X86_SHR_MI, q(at(g, in->d)), x86_imm(in->imm & 63));
}

static void gandi(gen *g, const struct gllm_vi *in)
{
	unsigned d = at(g, in->d), a = at(g, in->a);

	if (in->imm > INT32_MAX && in->imm <= UINT32_MAX) {
		x2(g, X86_MOV_RM, e(d), e(a));
		x2(g, X86_AND_MI, e(d), x86_imm((int64_t)(int32_t)(uint32_t)in->imm));
	} else {
		with_immediate(g, d, a, in->imm, X86_AND_MI8, X86_AND_MI, X86_AND_RM);
	}
}

static void gminmax(gen *g, const struct gllm_vi *in)
{
	unsigned d = at(g, in->d), a = at(g, in->a), b = at(g, in->b), other = d == b ? a : b;

	if (d != b)
		move(g, d, a);
	x2(g, X86_CMP_RM, q(d), q(other));
	x3(g, X86_CMOVCC, q(d), q(other), x86_cond(in->op == GLLM_V_GMIN ? X86_G : X86_L));
}

/* Unsigned d = a / imm. div takes rdx:rax, so rdx is kept aside. */
static void gdivi(gen *g, const struct gllm_vi *in)
{
	unsigned d = at(g, in->d), a = at(g, in->a), keep = tg(g, 0), by = tg(g, 1);
	uint64_t imm = (uint64_t)in->imm;

	if (imm == 0) {
		constant(g, d, 0);
	} else if ((imm & (imm - 1)) == 0) {
		move(g, d, a);
		if (imm > 1)
			x2(g, X86_SHR_MI, q(d), x86_imm(__builtin_ctzll(imm)));
	} else {
		if (by == X86_RDX) {
			by = keep;
			keep = X86_RDX; /* rdx is free: nothing to keep */
		}
		move(g, X86_RAX, a);
		move(g, keep, X86_RDX);
		constant(g, by, in->imm);
		x2(g, X86_XOR_RM, e(X86_RDX), e(X86_RDX));
		x1(g, X86_DIV, q(by));
		move(g, X86_RDX, keep);
		move(g, d, X86_RAX);
	}
}

/* --- addresses ------------------------------------------------------------------------------------------------------ */

/* The memory operand; far displacements go through rax, large scales through the first temporary. */
static operand address(gen *g, const struct gllm_vi *in)
{
	unsigned base = at(g, in->a), index = in->b == GLLM_NO_VREG ? GLLM_NO_REG : at(g, in->b), scale = in->scale;
	int64_t disp = in->imm;

	if (index != GLLM_NO_REG && scale > 3) {
		move(g, tg(g, 0), index);
		index = tg(g, 0);
		x2(g, X86_SHL_MI, q(index), x86_imm(scale));
		scale = 0;
	}
	if (disp < INT32_MIN || disp > INT32_MAX - 256) {
		constant(g, X86_RAX, disp);
		x2(g, X86_ADD_RM, q(X86_RAX), q(base));
		base = X86_RAX;
		disp = 0;
	}
	return x86_mem(base, index, index == GLLM_NO_REG ? 0 : scale, disp, 0);
}

static operand plus(operand m, unsigned bytes)
{
	m.imm += bytes;
	return m;
}

static void gload(gen *g, const struct gllm_vi *in)
{
	unsigned d = at(g, in->d);
	operand m = address(g, in);

	switch ((enum gllm_type)in->mem) {
	case GLLM_I8:  x2(g, X86_MOVSX8, q(d), m); break;
	case GLLM_U8:  x2(g, X86_MOVZX8, e(d), m); break;
	case GLLM_I16: x2(g, X86_MOVSX16, q(d), m); break;
	case GLLM_U16: case GLLM_F16: case GLLM_BF16: x2(g, X86_MOVZX16, e(d), m); break;
	case GLLM_I32: x2(g, X86_MOVSXD, q(d), m); break;
	case GLLM_U32: case GLLM_F32: case GLLM_MASK: x2(g, X86_MOV_RM, e(d), m); break;
	case GLLM_I64: x2(g, X86_MOV_RM, q(d), m); break;
	case GLLM_TYPE_COUNT: gllm_x86_quit(g, GLLM_INVALID_ARGUMENT); break;
	}
}

static void gstore(gen *g, const struct gllm_vi *in)
{
	unsigned c = at(g, in->c), bytes = gllm_type_bytes((enum gllm_type)in->mem);
	operand m = address(g, in);

	x2(g, bytes == 1 ? X86_MOV8_MR : X86_MOV_MR, m, x86_gpr(c, 8 * bytes));
}

static void prefetch(gen *g, const struct gllm_vi *in)
{
	static const uint16_t row[] = { X86_PREFETCHT0, X86_PREFETCHT1, X86_PREFETCHNTA };

	x1(g, row[in->aux >= 0 && in->aux < 3 ? in->aux : 0], address(g, in));
}

/* --- control -------------------------------------------------------------------------------------------------------- */

static unsigned label_at(const gen *g, int64_t label)
{
	for (unsigned k = 0; k < g->v->n; k++)
		if (g->v->ins[k].op == GLLM_V_LABEL && g->v->ins[k].imm == label)
			return k;
	return UINT32_MAX;
}

/* Bytes back to which a jump is short: such a one ends within 2 bytes more, a near one after 5. */
enum { SHORT_REACH = 120 };

/* A jump to a label: short if it lies behind and near, else with a displacement that `patch` fills in. */
static void jump(gen *g, int64_t label, unsigned cond)
{
	unsigned target = label_at(g, label);
	bool always = cond > X86_G;
	operand cc = x86_cond(cond);

	if (target < g->i && g->code->used - g->at[target] < SHORT_REACH) {
		operand rel = x86_rel((int64_t)g->at[target] - (int64_t)g->code->used);

		if (always)
			x1(g, X86_JMP_8, rel);
		else
			x2(g, X86_JCC_8, cc, rel);
	} else if (always) {
		x1(g, X86_JMP, x86_rel(0x1000));
	} else {
		x2(g, X86_JCC, cc, x86_rel(0x1000));
	}
}

static void jump_always(gen *g, const struct gllm_vi *in)
{
	jump(g, in->imm, X86_G + 1);
}

static const uint8_t conds[] = {
	[GLLM_VCC_EQ] = X86_E, [GLLM_VCC_NE] = X86_NE, [GLLM_VCC_LT] = X86_L,
	[GLLM_VCC_LE] = X86_LE, [GLLM_VCC_GT] = X86_G, [GLLM_VCC_GE] = X86_GE,
};

static void branch(gen *g, const struct gllm_vi *in)
{
	x2(g, X86_CMP_RM, q(at(g, in->a)), q(at(g, in->b)));
	jump(g, in->imm, conds[in->cc % GLLM_COUNT(conds)]);
}

static void branchi(gen *g, const struct gllm_vi *in)
{
	unsigned a = at(g, in->a);

	if (in->aux == 0)
		x2(g, X86_TEST_MR, q(a), q(a));
	else
		x2(g, in->aux >= -128 && in->aux < 128 ? X86_CMP_MI8 : X86_CMP_MI, q(a), x86_imm(in->aux));
	jump(g, in->imm, conds[in->cc % GLLM_COUNT(conds)]);
}

/* Fills in the displacements of forward and far jumps; each ends its VIR instruction. */
static void patch(gen *g)
{
	for (unsigned k = 0; k < g->v->n && g->code->status == GLLM_OK; k++) {
		const struct gllm_vi *in = &g->v->ins[k];
		size_t end = k + 1 < g->v->n ? g->at[k + 1] : g->code->used;
		unsigned target;

		if (in->op != GLLM_V_JUMP && in->op != GLLM_V_BRANCH && in->op != GLLM_V_BRANCHI)
			continue;
		target = label_at(g, in->imm);
		if (target == UINT32_MAX)
			gllm_x86_quit(g, GLLM_INVALID_ARGUMENT);
		else if (target > k || end - g->at[target] > SHORT_REACH + 2)
			gllm_put_le32(g->code->base + end - 4, (uint32_t)(g->at[target] - end));
	}
}

static void nothing(gen *g, const struct gllm_vi *in)
{
	(void)g, (void)in;
}

static void ret(gen *g, const struct gllm_vi *in)
{
	(void)in;
	gllm_x86_epilogue(g);
}

/* --- loads and stores ----------------------------------------------------------------------------------------------- */

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

static bool narrow(unsigned mem)
{
	return mem < GLLM_TYPE_COUNT && widening[mem].load != 0;
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

static bool accessible(gen *g, const struct gllm_vi *in)
{
	bool ok = lane_type(in->type) < 3 && in->mem < GLLM_TYPE_COUNT && widening[in->mem].bcast != 0;

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
	return hop(g, X86_AE);
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
		land(g, from);
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
		x2(g, extension(in), d, m);
	}
}

static void binary(gen *g, const struct gllm_vi *in);

/* A full load or broadcast of 32-bit elements that is one instruction and needs no scratch. */
static bool plain(const struct gllm_vi *in)
{
	return (in->op == GLLM_V_VLOAD || in->op == GLLM_V_VBCAST) && !narrow(in->mem) &&
	       is_integer(in->mem) == is_integer(in->type) && in->m == GLLM_NO_VREG && in->lanes == 0 &&
	       in->imm >= INT32_MIN && in->imm <= INT32_MAX - 256 && (in->b == GLLM_NO_VREG || in->scale <= 3);
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
	if (g->a->last[in->d] != 2 * k + 1)
		return false;
	if ((next->a == in->d) == (next->b == in->d) || next->c == in->d)
		return false;
	if (next->op == GLLM_V_VFMA || next->op == GLLM_V_VFNMA)
		return at(g, next->d) == at(g, next->c);
	return rules[next->op].emit == binary &&
	       (next->b == in->d || next->op == GLLM_V_VADD || next->op == GLLM_V_VMUL || next->op == GLLM_V_VAND ||
	        next->op == GLLM_V_VOR || next->op == GLLM_V_VXOR);
}

/* Operands a and b, the folded load last. */
static void sources(gen *g, const struct gllm_vi *in, operand *a, operand *b)
{
	const struct gllm_vi *load = g->folded;

	*a = yr(g, in->a);
	*b = yr(g, in->b);
	if (!load)
		return;
	if (load->d == in->a)
		*a = *b;
	*b = address(g, load);
	g->broadcast = load->op == GLLM_V_VBCAST;
	g->folded = NULL;
}

static void vload(gen *g, const struct gllm_vi *in)
{
	operand m, d = yr(g, in->d);

	if (in->mem == GLLM_MASK && g->wide) {
		x2(g, X86_KMOVW_RM, mr(g, in->d), address(g, in));
		return;
	}
	if (!accessible(g, in))
		return;
	if (foldable(g, in)) {
		g->folded = in;
		return;
	}
	m = address(g, in);
	if (narrow(in->mem)) {
		load_narrow(g, in, m);
	} else if (in->lanes == 1) {
		x2(g, X86_VMOVSS_RM, x(at(g, in->d)), m);
	} else if (in->m != GLLM_NO_VREG && !g->wide) {
		x3(g, X86_VMASKMOVPS_RM, d, mr(g, in->m), m);
	} else {
		if (in->m != GLLM_NO_VREG)
			under(g, at(g, in->m), true);
		x2(g, X86_VMOVUPS_RM, d, m);
	}
	finish_load(g, in, d);
}

static void vbcast(gen *g, const struct gllm_vi *in)
{
	unsigned d = at(g, in->d);
	operand m;

	if (!accessible(g, in))
		return;
	if (g->wide && foldable(g, in)) {
		g->folded = in;
		return;
	}
	m = address(g, in);
	if (!narrow(in->mem)) {
		x2(g, widening[in->mem].bcast, y(g, d), m);
	} else {
		operand few = part(g, d, gllm_type_bytes((enum gllm_type)in->mem));

		x2(g, widening[in->mem].bcast, few, m);
		x2(g, extension(in), y(g, d), few);
	}
	finish_load(g, in, y(g, d));
}

static void ones(gen *g, operand t)
{
	if (g->wide)
		x4(g, X86_EVPTERNLOGD, t, t, t, x86_imm(0xff));
	else
		x3(g, X86_VPCMPEQD, t, t, t);
}

/* u = bf16 of the float lanes in c, as 32-bit integers: to nearest even, NaN stays NaN. */
static void to_bf16(gen *g, operand c)
{
	operand t = ty(g, 0), u = ty(g, 1), w = ty(g, 2);

	x3(g, X86_VPSLLD_I, u, c, x86_imm(15));
	x3(g, X86_VPSRLD_I, u, u, x86_imm(31));  /* the bit that decides ties */
	x3(g, X86_VPADDD, u, u, c);
	ones(g, w);
	x3(g, X86_VPSRLD_I, t, w, x86_imm(17));  /* 0x7fff */
	x3(g, X86_VPADDD, u, u, t);
	x3(g, X86_VPSRLD_I, w, w, x86_imm(31));
	x3(g, X86_VPSLLD_I, w, w, x86_imm(22));
	if (g->wide) {                           /* a quiet NaN where c is one */
		x4(g, X86_EVCMPPS, x86_mask(SCRATCH_MASK), c, c, x86_imm(3));
		under(g, SCRATCH_MASK, false);
		x3(g, X86_VPOR, u, w, c);
	} else {
		x3(g, X86_VPOR, w, w, c);
		x4(g, X86_VCMPPS, t, c, c, x86_imm(3));
		x4(g, X86_VBLENDVPS, u, u, w, t);
	}
	x3(g, X86_VPSRLD_I, u, u, x86_imm(16));
}

/* The 32-bit lanes of u, cut to 16 or 8 bits, side by side in its lowest part. t is a temporary. */
static void pack(gen *g, unsigned bytes, operand u, operand t)
{
	unsigned cut = 32 - 8 * bytes;

	x3(g, X86_VPSLLD_I, u, u, x86_imm(cut));
	x3(g, X86_VPSRAD_I, u, u, x86_imm(cut));
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
	if (in->type == GLLM_F32 && in->mem == GLLM_BF16)
		to_bf16(g, c);
	else if (in->type == GLLM_F32)
		x2(g, X86_VCVTTPS2DQ, u, c);
	else
		vmove(g, u.reg, c.reg);
	pack(g, bytes, u, t);
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
			land(g, from);
	}
}

/* The store converts on its way, under a mask where not all lanes go. */
static void store_narrow_wide(gen *g, const struct gllm_vi *in, operand m)
{
	const operand first = x86_mask(SCRATCH_MASK);
	bool half = in->type == GLLM_F32 && in->mem == GLLM_F16;
	operand c = yr(g, in->c);

	if (in->type == GLLM_F32 && in->mem == GLLM_BF16) {
		to_bf16(g, c);
		c = ty(g, 1);
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

static void vstore(gen *g, const struct gllm_vi *in)
{
	operand m, c = yr(g, in->c);

	if (in->mem == GLLM_MASK && g->wide) {
		x2(g, X86_KMOVW_MR, address(g, in), mr(g, in->c));
		return;
	}
	if (!accessible(g, in))
		return;
	m = address(g, in);
	if (narrow(in->mem)) {
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
		x2(g, X86_VMOVSS_MR, m, x(c.reg));
	} else if (in->m != GLLM_NO_VREG && !g->wide) {
		x3(g, X86_VMASKMOVPS_MR, m, mr(g, in->m), c);
	} else {
		if (in->m != GLLM_NO_VREG)
			under(g, at(g, in->m), false);
		x2(g, X86_VMOVUPS_MR, m, c);
	}
}

/* --- lanes ---------------------------------------------------------------------------------------------------------- */

static void vzero(gen *g, const struct gllm_vi *in)
{
	operand d = x(at(g, in->d)); /* clears the whole register */

	x3(g, X86_VXORPS, d, d, d);
}

static void vmov(gen *g, const struct gllm_vi *in)
{
	vmove(g, at(g, in->d), at(g, in->a));
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
		constant(g, X86_RAX, (INT64_C(1) << (before->imm < 16 ? before->imm & 15 : 16)) - 1);
	} else {
		constant(g, n, g->lanes);
		x2(g, X86_CMP_RM, q(n), q(at(g, in->a)));
		x3(g, X86_CMOVCC, q(n), q(at(g, in->a)), x86_cond(X86_A));
		x2(g, X86_MOV_RI, e(X86_RAX), x86_imm(-1));
		x3(g, X86_BZHI, e(X86_RAX), e(X86_RAX), e(n));
	}
	x2(g, X86_KMOVW_KG, mr(g, in->d), e(X86_RAX));
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
	constant(g, X86_RAX, g->lanes);
	x2(g, X86_CMP_RM, q(X86_RAX), q(at(g, in->a)));
	x3(g, X86_CMOVCC, q(X86_RAX), q(at(g, in->a)), x86_cond(X86_A));
	splat(g, d.reg, X86_RAX);
	x3(g, X86_VPCMPGTD, d, d, t);
}

static void binary(gen *g, const struct gllm_vi *in)
{
	operand a, b;

	sources(g, in, &a, &b);
	x3(g, row_of(g, in), yr(g, in->d), a, b);
}

static void unary(gen *g, const struct gllm_vi *in)
{
	x2(g, row_of(g, in), yr(g, in->d), yr(g, in->a));
}

static void shift(gen *g, const struct gllm_vi *in)
{
	int64_t most = in->op == GLLM_V_VSARI ? 31 : 32; /* 32 clears the lane */
	operand n = x86_imm((uint64_t)in->imm > 31 ? most : in->imm);

	if (lane_type(in->type) > 2)
		gllm_x86_quit(g, GLLM_UNSUPPORTED);
	else
		x3(g, rules[in->op].row[1] - 1u, yr(g, in->d), yr(g, in->a), n);
}

static void vneg(gen *g, const struct gllm_vi *in)
{
	operand d = yr(g, in->d), a = yr(g, in->a), t = ty(g, 0);

	if (in->type == GLLM_F32 && g->wide) {
		g->broadcast = true;
		x3(g, X86_VXORPS, d, a, gllm_x86_sign(g));
	} else if (in->type == GLLM_F32) {
		ones(g, t);
		x3(g, X86_VPSLLD_I, t, t, x86_imm(31));
		x3(g, X86_VXORPS, d, a, t);
	} else {
		x3(g, X86_VPXOR, t, t, t);
		x3(g, X86_VPSUBD, d, t, a);
	}
}

static void vabs(gen *g, const struct gllm_vi *in)
{
	operand d = yr(g, in->d), a = yr(g, in->a), t;

	if (in->type != GLLM_F32) {
		x2(g, X86_VPABSD, d, a);
	} else if (g->wide) {
		g->broadcast = true;
		x3(g, X86_EVPANDD, d, a, gllm_x86_size(g)); /* one operation that waits for nothing but a */
	} else {
		t = ty(g, 0);
		ones(g, t);
		x3(g, X86_VPSRLD_I, t, t, x86_imm(1));
		x3(g, X86_VANDPS, d, a, t);
	}
}

static void vrint(gen *g, const struct gllm_vi *in)
{
	x3(g, row_of(g, in), yr(g, in->d), yr(g, in->a), x86_imm(8)); /* to nearest even, no inexact */
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
		x2(g, X86_VCVTDQ2PS, bias, n);
		x3(g, X86_EVSCALEFPS, d, a, bias);
		return;
	}
	x3(g, X86_VPCMPEQD, bias, bias, bias);
	x3(g, X86_VPSRLD_I, bias, bias, x86_imm(25)); /* 127 */
	x2(g, X86_VPABSD, s, n);
	x3(g, X86_VPMINUD, s, s, bias);
	x3(g, X86_VPCMPEQD, s, s, bias);
	x2(g, X86_VPTEST, s, s);
	x3(g, X86_VPADDD, s, n, bias);
	fast = hop(g, X86_E);
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
	land(g, fast);
	vmove(g, r.reg, a.reg);
	land(g, done);
	x3(g, X86_VPSLLD_I, s, s, x86_imm(23));
	x3(g, X86_VMULPS, d, r, s);
}

static void vscale(gen *g, const struct gllm_vi *in)
{
	if (g->wide)
		x3(g, X86_EVSCALEFPS, yr(g, in->d), yr(g, in->a), yr(g, in->b));
	else
		gllm_x86_quit(g, GLLM_UNSUPPORTED);
}

/* a * b + c or c - a * b; the rule's rows are the 231 form and the 213 form. */
static void vfma(gen *g, const struct gllm_vi *in)
{
	unsigned d = at(g, in->d), a = at(g, in->a), b = at(g, in->b), c = at(g, in->c);
	unsigned r231 = rules[in->op].row[0] - 1u, r213 = rules[in->op].row[1] - 1u;
	operand s, t;

	if (in->type != GLLM_F32) {
		gllm_x86_quit(g, GLLM_UNSUPPORTED);
	} else if (d == c) {
		sources(g, in, &s, &t);
		x3(g, r231, y(g, d), s, t);
	} else if (d == a) {
		x3(g, r213, y(g, d), y(g, b), y(g, c));
	} else if (d == b) {
		x3(g, r213, y(g, d), y(g, a), y(g, c));
	} else {
		vmove(g, d, c);
		x3(g, r231, y(g, d), y(g, a), y(g, b));
	}
}

static void vcvt(gen *g, const struct gllm_vi *in)
{
	bool to_float = in->type == GLLM_F32 && in->mem == GLLM_I32, to_int = in->type == GLLM_I32 && in->mem == GLLM_F32;

	if (in->op == GLLM_V_VCVT && to_float)
		x2(g, X86_VCVTDQ2PS, yr(g, in->d), yr(g, in->a));
	else if (in->op == GLLM_V_VCVT && to_int)
		x2(g, X86_VCVTTPS2DQ, yr(g, in->d), yr(g, in->a));
	else if (in->op == GLLM_V_VCVTN && in->type == GLLM_I32)
		x2(g, X86_VCVTPS2DQ, yr(g, in->d), yr(g, in->a));
	else
		gllm_x86_quit(g, GLLM_UNSUPPORTED);
}

static void invert(gen *g, operand d, operand s, operand t)
{
	x3(g, X86_VPCMPEQD, t, t, t);
	x3(g, X86_VPXOR, d, s, t);
}

static void fcompare(gen *g, const struct gllm_vi *in)
{
	static const uint8_t predicate[GLLM_V_COUNT] = {
		[GLLM_V_VLT] = 0x11, [GLLM_V_VLE] = 0x12, [GLLM_V_VEQ] = 0x00, [GLLM_V_VUNORD] = 0x03,
	};

	x4(g, g->wide ? X86_EVCMPPS : X86_VCMPPS, mr(g, in->d), yr(g, in->a), yr(g, in->b), x86_imm(predicate[in->op]));
}

static void icompare_wide(gen *g, const struct gllm_vi *in)
{
	static const uint8_t predicate[GLLM_V_COUNT] = { [GLLM_V_VEQ] = 0, [GLLM_V_VLT] = 1, [GLLM_V_VLE] = 2 };

	if (in->op == GLLM_V_VUNORD)
		gllm_x86_quit(g, GLLM_UNSUPPORTED);
	else
		x4(g, in->type == GLLM_U32 ? X86_EVPCMPUD : X86_EVPCMPD, mr(g, in->d), yr(g, in->a), yr(g, in->b),
		   x86_imm(predicate[in->op]));
}

static void compare(gen *g, const struct gllm_vi *in)
{
	operand d = yr(g, in->d), a = yr(g, in->a), b = yr(g, in->b), t = ty(g, 0);
	bool is_unsigned = in->type == GLLM_U32;

	if (in->type == GLLM_F32) {
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
	x3(g, rules[in->op].row[g->wide] - 1u, mr(g, in->d), mr(g, in->a), mr(g, in->b));
}

static void mnot(gen *g, const struct gllm_vi *in)
{
	if (g->wide)
		x2(g, X86_KNOTW, mr(g, in->d), mr(g, in->a));
	else
		invert(g, yr(g, in->d), yr(g, in->a), ty(g, 0));
}

static void vsel(gen *g, const struct gllm_vi *in)
{
	if (g->wide) {
		under(g, at(g, in->a), false);
		x3(g, X86_EVBLENDMPS, yr(g, in->d), yr(g, in->c), yr(g, in->b));
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

	return row_of(g, &j);
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
	unsigned row = joiner(g, in);
	operand a = yr(g, in->a), b = yr(g, in->b), s = ty(g, 0), t = ty(g, 1);

	if (in->imm < 2) {
		x4(g, X86_VSHUFPS, s, a, b, x86_imm(0x88));
		x4(g, X86_VSHUFPS, t, a, b, x86_imm(0xdd));
	} else if (g->wide) {
		x4(g, X86_EVSHUFF32X4, s, a, b, x86_imm(0x88));
		x4(g, X86_EVSHUFF32X4, t, a, b, x86_imm(0xdd));
	} else {
		x4(g, X86_VPERM2F128, s, a, b, x86_imm(0x20));
		x4(g, X86_VPERM2F128, t, a, b, x86_imm(0x31));
	}
	x3(g, row, yr(g, in->d), s, t);
}

static void vzip(gen *g, const struct gllm_vi *in)
{
	operand d = yr(g, in->d), a = yr(g, in->a), b = yr(g, in->b);

	if (in->imm < 2)
		x3(g, in->imm ? X86_VUNPCKHPS : X86_VUNPCKLPS, d, a, b);
	else if (g->wide)
		x4(g, X86_EVSHUFF32X4, d, a, b, x86_imm(in->imm == 2 ? 0x88 : 0xdd));
	else
		x4(g, X86_VPERM2F128, d, a, b, x86_imm(in->imm == 2 ? 0x20 : 0x31));
}

static void vlane0(gen *g, const struct gllm_vi *in)
{
	x2(g, X86_VBROADCASTSS_R, yr(g, in->d), x(at(g, in->a)));
}

/* --- the table ------------------------------------------------------------------------------------------------------ */

#define N(row) (X86_##row + 1)
static const struct rule rules[GLLM_V_COUNT] = {
	/* op                  emit          f32             i32             u32               g  v  wg wv latency */
	[GLLM_V_GCONST]     = { gconst,      { 0 },                                            0, 0,  0, 0,  1 },
	[GLLM_V_GMOV]       = { gmov,        { 0 },                                            0, 0,  0, 0,  1 },
	[GLLM_V_GADD]       = { gadd,        { 0 },                                            0, 0,  0, 0,  1 },
	[GLLM_V_GSUB]       = { gsub,        { 0 },                                            0, 0,  0, 0,  1 },
	[GLLM_V_GMUL]       = { gmul,        { 0 },                                            0, 0,  0, 0,  3 },
	[GLLM_V_GADDI]      = { gaddi,       { 0 },                                            0, 0,  0, 0,  1 },
	[GLLM_V_GMULI]      = { gmuli,       { 0 },                                            0, 0,  0, 0,  3 },
	[GLLM_V_GSHLI]      = { gshift,      { 0 },                                            0, 0,  0, 0,  1 },
	[GLLM_V_GSHRI]      = { gshift,      { 0 },                                            0, 0,  0, 0,  1 },
	[GLLM_V_GANDI]      = { gandi,       { 0 },                                            0, 0,  0, 0,  1 },
	[GLLM_V_GMIN]       = { gminmax,     { 0 },                                            0, 0,  0, 0,  2 },
	[GLLM_V_GMAX]       = { gminmax,     { 0 },                                            0, 0,  0, 0,  2 },
	[GLLM_V_GLOAD]      = { gload,       { 0 },                                            0, 0,  0, 0,  5 },
	[GLLM_V_GSTORE]     = { gstore,      { 0 },                                            0, 0,  0, 0,  1 },
	[GLLM_V_GDIVI]      = { gdivi,       { 0 },                                            2, 0,  2, 0,  18 },
	[GLLM_V_LABEL]      = { nothing,     { 0 },                                            0, 0,  0, 0,  0 },
	[GLLM_V_JUMP]       = { jump_always, { 0 },                                            0, 0,  0, 0,  1 },
	[GLLM_V_BRANCH]     = { branch,      { 0 },                                            0, 0,  0, 0,  1 },
	[GLLM_V_BRANCHI]    = { branchi,     { 0 },                                            0, 0,  0, 0,  1 },
	[GLLM_V_LOOP_BEGIN] = { nothing,     { 0 },                                            0, 0,  0, 0,  0 },
	[GLLM_V_LOOP_END]   = { nothing,     { 0 },                                            0, 0,  0, 0,  0 },
	[GLLM_V_PREFETCH]   = { prefetch,    { 0 },                                            0, 0,  0, 0,  1 },
	[GLLM_V_VLOAD]      = { vload,       { 0 },                                            0, 0,  0, 0,  7 },
	[GLLM_V_VSTORE]     = { vstore,      { 0 },                                            0, 0,  0, 0,  1 },
	[GLLM_V_VBCAST]     = { vbcast,      { 0 },                                            0, 0,  0, 0,  7 },
	[GLLM_V_VZERO]      = { vzero,       { 0 },                                            0, 0,  0, 0,  0 },
	[GLLM_V_VMOV]       = { vmov,        { 0 },                                            0, 0,  0, 0,  0 },
	[GLLM_V_VSPLAT]     = { vsplat,      { 0 },                                            0, 0,  0, 0,  5 },
	[GLLM_V_VINDEX]     = { vindex,      { 0 },                                            0, 1,  0, 1,  6 },
	[GLLM_V_VADD]       = { binary,      { N(VADDPS), N(VPADDD), N(VPADDD) },              0, 0,  0, 0,  4 },
	[GLLM_V_VSUB]       = { binary,      { N(VSUBPS), N(VPSUBD), N(VPSUBD) },              0, 0,  0, 0,  4 },
	[GLLM_V_VMUL]       = { binary,      { N(VMULPS), N(VPMULLD), N(VPMULLD) },            0, 0,  0, 0,  4 },
	[GLLM_V_VDIV]       = { binary,      { N(VDIVPS), 0, 0 },                              0, 0,  0, 0,  11 },
	[GLLM_V_VMIN]       = { binary,      { N(VMINPS), N(VPMINSD), N(VPMINUD) },            0, 0,  0, 0,  4 },
	[GLLM_V_VMAX]       = { binary,      { N(VMAXPS), N(VPMAXSD), N(VPMAXUD) },            0, 0,  0, 0,  4 },
	[GLLM_V_VSQRT]      = { unary,       { N(VSQRTPS), 0, 0 },                             0, 0,  0, 0,  12 },
	[GLLM_V_VNEG]       = { vneg,        { 0 },                                            0, 1,  0, 1,  1 },
	[GLLM_V_VABS]       = { vabs,        { 0 },                                            0, 1,  0, 0,  1 },
	[GLLM_V_VRINT]      = { vrint,       { N(VROUNDPS), 0, 0 },                            0, 0,  0, 0,  8 },
	[GLLM_V_VLDEXP]     = { vldexp,      { 0 },                                            0, 4,  0, 1,  6 },
	[GLLM_V_VSCALE]     = { vscale,      { 0 },                                            0, 0,  0, 0,  6 },
	[GLLM_V_VFMA]       = { vfma,        { N(VFMADD231PS), N(VFMADD213PS), 0 },            0, 0,  0, 0,  4 },
	[GLLM_V_VFNMA]      = { vfma,        { N(VFNMADD231PS), N(VFNMADD213PS), 0 },          0, 0,  0, 0,  4 },
	[GLLM_V_VAND]       = { binary,      { N(VANDPS), N(VPAND), N(VPAND) },                0, 0,  0, 0,  1 },
	[GLLM_V_VOR]        = { binary,      { N(VORPS), N(VPOR), N(VPOR) },                   0, 0,  0, 0,  1 },
	[GLLM_V_VXOR]       = { binary,      { N(VXORPS), N(VPXOR), N(VPXOR) },                0, 0,  0, 0,  1 },
	[GLLM_V_VANDN]      = { binary,      { N(VANDNPS), N(VPANDN), N(VPANDN) },             0, 0,  0, 0,  1 },
	[GLLM_V_VSHLI]      = { shift,       { 0, N(VPSLLD_I), N(VPSLLD_I) },                  0, 0,  0, 0,  1 },
	[GLLM_V_VSHRI]      = { shift,       { 0, N(VPSRLD_I), N(VPSRLD_I) },                  0, 0,  0, 0,  1 },
	[GLLM_V_VSARI]      = { shift,       { 0, N(VPSRAD_I), N(VPSRAD_I) },                  0, 0,  0, 0,  1 },
	[GLLM_V_VCVT]       = { vcvt,        { 0 },                                            0, 0,  0, 0,  4 },
	[GLLM_V_VCVTN]      = { vcvt,        { 0 },                                            0, 0,  0, 0,  4 },
	[GLLM_V_VLT]        = { compare,     { 0 },                                            0, 1,  0, 0,  4 },
	[GLLM_V_VLE]        = { compare,     { 0 },                                            0, 1,  0, 0,  4 },
	[GLLM_V_VEQ]        = { compare,     { 0 },                                            0, 0,  0, 0,  4 },
	[GLLM_V_VUNORD]     = { compare,     { 0 },                                            0, 0,  0, 0,  4 },
	[GLLM_V_MAND]       = { mbinary,     { N(VANDPS), N(KANDW) },                          0, 0,  0, 0,  1 },
	[GLLM_V_MOR]        = { mbinary,     { N(VORPS), N(KORW) },                            0, 0,  0, 0,  1 },
	[GLLM_V_MXOR]       = { mbinary,     { N(VXORPS), N(KXORW) },                          0, 0,  0, 0,  1 },
	[GLLM_V_MNOT]       = { mnot,        { 0 },                                            0, 1,  0, 0,  1 },
	[GLLM_V_MTAIL]      = { mtail,       { 0 },                                            0, 1,  1, 0,  7 },
	[GLLM_V_VSEL]       = { vsel,        { 0 },                                            0, 0,  0, 0,  2 },
	[GLLM_V_VREDUCE]    = { vreduce,     { 0 },                                            0, 2,  0, 2,  20 },
	[GLLM_V_VHPAIR]     = { vhpair,      { 0 },                                            0, 2,  0, 2,  6 },
	[GLLM_V_VZIP]       = { vzip,        { 0 },                                            0, 0,  0, 0,  3 },
	[GLLM_V_VLANE0]     = { vlane0,      { 0 },                                            0, 0,  0, 0,  3 },
	[GLLM_V_RET]        = { ret,         { 0 },                                            0, 0,  0, 0,  1 },
};

static struct gllm_need address_need(const struct gllm_vi *i, struct gllm_need n)
{
	bool memory = i->op == GLLM_V_GLOAD || i->op == GLLM_V_GSTORE || i->op == GLLM_V_PREFETCH ||
	              i->op == GLLM_V_VLOAD || i->op == GLLM_V_VSTORE || i->op == GLLM_V_VBCAST;

	if (memory && i->b != GLLM_NO_VREG && i->scale > 3)
		n.g++;
	return n;
}

struct gllm_need gllm_x86_need(const struct gllm_vi *i)
{
	struct gllm_need n = address_need(i, (struct gllm_need){ rules[i->op].g, rules[i->op].v, false });

	if (i->op == GLLM_V_VLOAD && narrow(i->mem) && i->m != GLLM_NO_VREG && i->lanes != 1)
		n.v = 1;
	if (i->op == GLLM_V_VSTORE && i->mem != i->type)
		n.v = i->mem == GLLM_BF16 ? 3 : 2;
	if ((i->op == GLLM_V_VLOAD || i->op == GLLM_V_VSTORE) && narrow(i->mem) && i->m != GLLM_NO_VREG)
		n.g++;
	return n;
}

struct gllm_need gllm_x86_need_wide(const struct gllm_vi *i)
{
	struct gllm_need n = address_need(i, (struct gllm_need){ rules[i->op].wg, rules[i->op].wv, false });

	if (i->op == GLLM_V_VNEG && i->type == GLLM_F32)
		n.v = 0;
	if (i->op == GLLM_V_VSTORE && i->type == GLLM_F32 && i->mem != GLLM_F32 && i->mem != GLLM_F16)
		n.v = i->mem == GLLM_BF16 ? 3 : 1;
	return n;
}

uint8_t gllm_x86_latency(enum gllm_vir_op op)
{
	return rules[op].latency;
}

void gllm_x86_select(const struct gllm_vir *v, const struct gllm_machine *m, const struct gllm_allocation *a,
                     struct gllm_code *code, uint32_t *offsets)
{
	gen g = { .v = v, .m = m, .a = a, .code = code, .at = offsets ? offsets : a->offset, .bits = 8u * m->vector_bytes,
	          .lanes = m->vector_bytes / 4u, .wide = m->vector_bytes == 64 };

	if (v->status != GLLM_OK)
		gllm_x86_quit(&g, v->status);
	if (code->status != GLLM_OK)
		return;
	gllm_x86_prologue(&g);
	for (g.i = 0; g.i < v->n && code->status == GLLM_OK; g.i++) {
		g.at[g.i] = (uint32_t)code->used;
		rules[v->ins[g.i].op].emit(&g, &v->ins[g.i]);
	}
	patch(&g);
}
