/* SPDX-License-Identifier: MIT
 * arch/aarch64/select.c - vector IR to NEON code.
 *
 * One row of `rules` per VIR operation: who emits it, the instruction per lane type, the temporaries it needs, its latency.
 * A result register may be that of an operand that dies here, so every rule reads all operands before it writes d, and
 * intermediate values lie in temporaries. A mask is a vector of lanes that are all ones or all zeros. x16 and x17 are
 * scratch within one operation. Constants are made by instructions: code has no data. */
#include "arch/aarch64/gen.h"

typedef struct gllm_a64_gen gen;
typedef struct gllm_operand operand;

enum { LANES = 4 };

struct rule {
	void (*emit)(gen *g, const struct gllm_vi *in);
	uint16_t row[3];  /* F32, I32, U32: A64 row + 1, 0 none */
	uint8_t v;        /* vector temporaries */
	uint8_t latency;
};
static const struct rule rules[GLLM_V_COUNT];

/* --- putting -------------------------------------------------------------------------------------------------------- */

void gllm_a64_put(gen *g, unsigned row, operand a, operand b, operand c, operand d)
{
	struct gllm_insn in = { .row = (uint16_t)row, .op = { a, b, c, d } };
	unsigned char bytes[4];

	while (in.n < 4 && in.op[in.n].kind != GLLM_O_NONE)
		in.n++;
	if (gllm_a64_encode(&in, bytes) != 4)
		gllm_a64_quit(g, GLLM_COMPILE_ERROR);
	else if (g->code->size - g->code->used < 4)
		gllm_a64_quit(g, GLLM_NO_SPACE);
	if (g->code->status != GLLM_OK)
		return;
	gllm_put_le32(g->code->base + g->code->used, gllm_le32(bytes));
	g->code->used += 4;
}

static unsigned at(const gen *g, gllm_vreg r) { return g->a->where[r]; }
static unsigned tv(const gen *g, unsigned k) { return g->a->temp[g->i][GLLM_CLASS_V][k]; }
static operand x(unsigned n) { return a64_x(n); }
static operand w(unsigned n) { return a64_w(n); }
static operand s4(unsigned n) { return a64_v(n, A64_4S); }
static operand h4(unsigned n) { return a64_v(n, A64_4H); }
static operand b16(unsigned n) { return a64_v(n, A64_16B); }

void gllm_a64_constant(gen *g, unsigned reg, uint64_t value)
{
	unsigned zeros = 0, ones = 0;
	bool first = true;

	for (unsigned k = 0; k < 64; k += 16) {
		zeros += (value >> k & 0xffff) == 0;
		ones += (value >> k & 0xffff) == 0xffff;
	}
	for (unsigned k = 0; k < 64; k += 16) {
		uint64_t part = value >> k & 0xffff, skip = ones > zeros ? 0xffff : 0;

		if (part == skip && !(first && k == 48))
			continue;
		if (!first)
			i2(g, A64_MOVK_X, x(reg), a64_imm_shifted((int64_t)part, k));
		else if (ones > zeros)
			i2(g, A64_MOVN_X, x(reg), a64_imm_shifted((int64_t)(part ^ 0xffff), k));
		else
			i2(g, A64_MOVZ_X, x(reg), a64_imm_shifted((int64_t)part, k));
		first = false;
	}
}

static void move(gen *g, unsigned d, unsigned s)
{
	if (d != s)
		i3(g, A64_ORR_X, x(d), x(A64_ZR), x(s));
}

static void vmove(gen *g, unsigned d, unsigned s)
{
	if (d != s)
		i3(g, A64_ORR_V16B, b16(d), b16(s), b16(s));
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
		gllm_a64_quit(g, GLLM_UNSUPPORTED);
		return 0;
	}
	return row - 1;
}

/* A branch over code that is emitted next: `hop` is what `used` was before the branch, `land` where it ends. */
static void land(gen *g, size_t hop)
{
	uint32_t word;

	if (g->code->status != GLLM_OK)
		return;
	word = gllm_le32(g->code->base + hop);
	gllm_put_le32(g->code->base + hop, word | (uint32_t)((g->code->used - hop) / 4) << (word >> 26 == 5 ? 0 : 5));
}

/* --- integers ------------------------------------------------------------------------------------------------------- */

static void gconst(gen *g, const struct gllm_vi *in)
{
	gllm_a64_constant(g, at(g, in->d), (uint64_t)in->imm);
}

static void gmov(gen *g, const struct gllm_vi *in)
{
	move(g, at(g, in->d), at(g, in->a));
}

static void gbinary(gen *g, const struct gllm_vi *in)
{
	i3(g, rules[in->op].row[0] - 1u, x(at(g, in->d)), x(at(g, in->a)), x(at(g, in->b)));
}

static void gmul(gen *g, const struct gllm_vi *in)
{
	i4(g, A64_MADD_X, x(at(g, in->d)), x(at(g, in->a)), x(at(g, in->b)), x(A64_ZR));
}

/* d = a + v. The scratch register may be d or a only if it is not needed for v. */
static void add_constant(gen *g, unsigned d, unsigned a, int64_t v, unsigned scratch)
{
	unsigned row = v < 0 ? A64_SUBI_X : A64_ADDI_X;
	uint64_t u = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;

	if (u == 0 && a != A64_SP) {
		move(g, d, a);
	} else if (u < 4096) {
		i3(g, row, x(d), x(a), a64_imm((int64_t)u));
	} else if ((u & 4095) == 0 && u >> 24 == 0) {
		i3(g, row, x(d), x(a), a64_imm_shifted((int64_t)(u >> 12), 12));
	} else {
		gllm_a64_constant(g, scratch, (uint64_t)v);
		i3(g, A64_ADDE_X, x(d), x(a), a64_shifted(x(scratch), A64_UXTX, 0));
	}
}

static void gaddi(gen *g, const struct gllm_vi *in)
{
	add_constant(g, at(g, in->d), at(g, in->a), in->imm, A64_IP0);
}

static void shift_left(gen *g, unsigned d, unsigned a, unsigned n)
{
	i4(g, A64_UBFM_X, x(d), x(a), a64_imm((64 - n) % 64), a64_imm(63 - n));
}

static void shift_right(gen *g, unsigned d, unsigned a, unsigned n)
{
	i4(g, A64_UBFM_X, x(d), x(a), a64_imm(n), a64_imm(63));
}

static bool power_of_two(int64_t v)
{
	return v != 0 && ((uint64_t)v & ((uint64_t)v - 1)) == 0;
}

static void gmuli(gen *g, const struct gllm_vi *in)
{
	unsigned d = at(g, in->d), a = at(g, in->a);

	if (power_of_two(in->imm)) {
		shift_left(g, d, a, (unsigned)__builtin_ctzll((uint64_t)in->imm));
	} else {
		gllm_a64_constant(g, A64_IP0, (uint64_t)in->imm);
		i4(g, A64_MADD_X, x(d), x(a), x(A64_IP0), x(A64_ZR));
	}
}

static void gdivi(gen *g, const struct gllm_vi *in) /* unsigned; by 0 is 0 */
{
	unsigned d = at(g, in->d), a = at(g, in->a);

	if (power_of_two(in->imm)) {
		shift_right(g, d, a, (unsigned)__builtin_ctzll((uint64_t)in->imm));
	} else {
		gllm_a64_constant(g, A64_IP0, (uint64_t)in->imm);
		i3(g, A64_UDIV_X, x(d), x(a), x(A64_IP0));
	}
}

static void gshift(gen *g, const struct gllm_vi *in)
{
	unsigned n = (unsigned)(in->imm & 63);

	if (in->op == GLLM_V_GSHLI)
		shift_left(g, at(g, in->d), at(g, in->a), n);
	else
		shift_right(g, at(g, in->d), at(g, in->a), n);
}

static void gandi(gen *g, const struct gllm_vi *in)
{
	unsigned d = at(g, in->d), a = at(g, in->a);

	if (gllm_a64_is_bitmask((uint64_t)in->imm, 64)) {
		i3(g, A64_ANDI_X, x(d), x(a), a64_imm(in->imm));
	} else {
		gllm_a64_constant(g, A64_IP0, (uint64_t)in->imm);
		i3(g, A64_AND_X, x(d), x(a), x(A64_IP0));
	}
}

static void gminmax(gen *g, const struct gllm_vi *in)
{
	operand a = x(at(g, in->a)), b = x(at(g, in->b));

	i3(g, A64_SUBS_X, x(A64_ZR), a, b);
	i4(g, A64_CSEL_X, x(at(g, in->d)), a, b, a64_cond(in->op == GLLM_V_GMIN ? A64_LT : A64_GT));
}

/* --- addresses ------------------------------------------------------------------------------------------------------ */

struct access { /* the three address forms of one load or store, and log2 of its bytes */
	uint16_t scaled, unscaled, indexed;
	uint8_t log2;
};
#define ACCESS_ROWS(s, u, log2) { A64_##s, A64_##u, A64_##s##_REG, log2 }

/* The whole address in x17. */
static void address(gen *g, const struct gllm_vi *in)
{
	unsigned base = at(g, in->a);

	if (in->b != GLLM_NO_VREG) {
		i3(g, A64_ADD_X, x(A64_IP1), x(base), a64_shifted(x(at(g, in->b)), A64_LSL, in->scale));
		base = A64_IP1;
	}
	if (base != A64_IP1 || in->imm != 0)
		add_constant(g, A64_IP1, base, in->imm, A64_IP0);
}

static void memory(gen *g, const struct access *m, operand reg, const struct gllm_vi *in)
{
	unsigned base = at(g, in->a);
	int64_t imm = in->imm, bytes = INT64_C(1) << m->log2;

	if (in->b != GLLM_NO_VREG && imm == 0 && (in->scale == 0 || in->scale == m->log2)) {
		i2(g, m->indexed, reg, a64_mem_index(base, at(g, in->b), A64_LSL, in->scale));
		return;
	}
	if (in->b != GLLM_NO_VREG) {
		i3(g, A64_ADD_X, x(A64_IP1), x(base), a64_shifted(x(at(g, in->b)), A64_LSL, in->scale));
		base = A64_IP1;
	}
	if (imm >= 0 && imm % bytes == 0 && imm < 4096 * bytes) {
		i2(g, m->scaled, reg, a64_mem(base, imm));
	} else if (imm >= -256 && imm < 256) {
		i2(g, m->unscaled, reg, a64_mem(base, imm));
	} else {
		add_constant(g, A64_IP1, base, imm, A64_IP0);
		i2(g, m->scaled, reg, a64_mem(A64_IP1, 0));
	}
}

static void gload(gen *g, const struct gllm_vi *in)
{
	static const struct access row[GLLM_TYPE_COUNT] = {
		[GLLM_I8]   = ACCESS_ROWS(LDRSB_X, LDURSB_X, 0), [GLLM_U8]   = ACCESS_ROWS(LDRB_W, LDURB_W, 0),
		[GLLM_I16]  = ACCESS_ROWS(LDRSH_X, LDURSH_X, 1), [GLLM_U16]  = ACCESS_ROWS(LDRH_W, LDURH_W, 1),
		[GLLM_F16]  = ACCESS_ROWS(LDRH_W, LDURH_W, 1),   [GLLM_BF16] = ACCESS_ROWS(LDRH_W, LDURH_W, 1),
		[GLLM_I32]  = ACCESS_ROWS(LDRSW, LDURSW, 2),     [GLLM_U32]  = ACCESS_ROWS(LDR_W, LDUR_W, 2),
		[GLLM_F32]  = ACCESS_ROWS(LDR_W, LDUR_W, 2),     [GLLM_MASK] = ACCESS_ROWS(LDR_W, LDUR_W, 2),
		[GLLM_I64]  = ACCESS_ROWS(LDR_X, LDUR_X, 3),
	};
	bool wide = in->mem == GLLM_I8 || in->mem == GLLM_I16 || in->mem == GLLM_I32 || in->mem == GLLM_I64;

	if (in->mem < GLLM_TYPE_COUNT)
		memory(g, &row[in->mem], wide ? x(at(g, in->d)) : w(at(g, in->d)), in);
	else
		gllm_a64_quit(g, GLLM_INVALID_ARGUMENT);
}

static void gstore(gen *g, const struct gllm_vi *in)
{
	static const struct access row[9] = {
		[1] = ACCESS_ROWS(STRB_W, STURB_W, 0), [2] = ACCESS_ROWS(STRH_W, STURH_W, 1),
		[4] = ACCESS_ROWS(STR_W, STUR_W, 2), [8] = ACCESS_ROWS(STR_X, STUR_X, 3),
	};
	unsigned bytes = gllm_type_bytes((enum gllm_type)in->mem), c = at(g, in->c);

	memory(g, &row[bytes], bytes == 8 ? x(c) : w(c), in);
}

static void prefetch(gen *g, const struct gllm_vi *in)
{
	static const uint8_t how[] = { 0, 2, 1 }; /* keep in L1, keep in L2, stream through L1 */

	address(g, in);
	i2(g, A64_PRFM, a64_imm(how[in->aux >= 0 && in->aux < 3 ? in->aux : 0]), a64_mem(A64_IP1, 0));
}

/* --- control -------------------------------------------------------------------------------------------------------- */

static void jump(gen *g, const struct gllm_vi *in)
{
	(void)in;
	i1(g, A64_B, a64_rel(0));
}

static const uint8_t conds[] = {
	[GLLM_VCC_EQ] = A64_EQ, [GLLM_VCC_NE] = A64_NE, [GLLM_VCC_LT] = A64_LT,
	[GLLM_VCC_LE] = A64_LE, [GLLM_VCC_GT] = A64_GT, [GLLM_VCC_GE] = A64_GE,
};

static void jump_if(gen *g, const struct gllm_vi *in)
{
	i2(g, A64_BCOND, a64_cond((enum a64_cond)conds[in->cc % GLLM_COUNT(conds)]), a64_rel(0));
}

static void branch(gen *g, const struct gllm_vi *in)
{
	i3(g, A64_SUBS_X, x(A64_ZR), x(at(g, in->a)), x(at(g, in->b)));
	jump_if(g, in);
}

static void branchi(gen *g, const struct gllm_vi *in)
{
	operand a = x(at(g, in->a));

	if (in->aux == 0 && (in->cc == GLLM_VCC_EQ || in->cc == GLLM_VCC_NE)) {
		i2(g, in->cc == GLLM_VCC_EQ ? A64_CBZ_X : A64_CBNZ_X, a, a64_rel(0));
		return;
	}
	if (in->aux >= 0 && in->aux < 4096) {
		i3(g, A64_SUBSI_X, x(A64_ZR), a, a64_imm(in->aux));
	} else if (in->aux < 0 && in->aux > -4096) {
		i3(g, A64_ADDSI_X, x(A64_ZR), a, a64_imm(-(int64_t)in->aux));
	} else {
		gllm_a64_constant(g, A64_IP0, (uint64_t)(int64_t)in->aux);
		i3(g, A64_SUBS_X, x(A64_ZR), a, x(A64_IP0));
	}
	jump_if(g, in);
}

static unsigned label_at(const gen *g, int64_t label)
{
	for (unsigned k = 0; k < g->v->n; k++)
		if (g->v->ins[k].op == GLLM_V_LABEL && g->v->ins[k].imm == label)
			return k;
	return UINT32_MAX;
}

/* Fills in the displacements of branches; each is the last word of its VIR instruction. */
static void patch(gen *g)
{
	for (unsigned k = 0; k < g->v->n && g->code->status == GLLM_OK; k++) {
		const struct gllm_vi *in = &g->v->ins[k];
		unsigned char *p;
		unsigned target;
		int64_t words;
		uint32_t word;

		if (in->op != GLLM_V_JUMP && in->op != GLLM_V_BRANCH && in->op != GLLM_V_BRANCHI)
			continue;
		target = label_at(g, in->imm);
		if (target == UINT32_MAX) {
			gllm_a64_quit(g, GLLM_INVALID_ARGUMENT);
			return;
		}
		p = g->code->base + (k + 1 < g->v->n ? g->at[k + 1] : g->code->used) - 4;
		words = ((int64_t)g->at[target] - (p - g->code->base)) / 4;
		word = gllm_le32(p);
		if (word >> 26 == 5 ? words < -(1 << 25) || words >= 1 << 25 : words < -(1 << 18) || words >= 1 << 18)
			gllm_a64_quit(g, GLLM_COMPILE_ERROR);
		else if (word >> 26 == 5)
			gllm_put_le32(p, word | ((uint32_t)words & 0x3ffffff));
		else
			gllm_put_le32(p, word | ((uint32_t)words & 0x7ffff) << 5);
	}
}

static void nothing(gen *g, const struct gllm_vi *in)
{
	(void)g, (void)in;
}

static void ret(gen *g, const struct gllm_vi *in)
{
	(void)in;
	gllm_a64_epilogue(g);
}

/* --- loads and stores ----------------------------------------------------------------------------------------------- */

static const struct access loads[] = {
	ACCESS_ROWS(LDR_B, LDUR_B, 0), ACCESS_ROWS(LDR_H, LDUR_H, 1), ACCESS_ROWS(LDR_S, LDUR_S, 2),
	ACCESS_ROWS(LDR_D, LDUR_D, 3), ACCESS_ROWS(LDR_Q, LDUR_Q, 4),
};
static const struct access stores[] = {
	ACCESS_ROWS(STR_B, STUR_B, 0), ACCESS_ROWS(STR_H, STUR_H, 1), ACCESS_ROWS(STR_S, STUR_S, 2),
	ACCESS_ROWS(STR_D, STUR_D, 3), ACCESS_ROWS(STR_Q, STUR_Q, 4),
};

static bool is_integer(unsigned mem)
{
	return mem != GLLM_F32 && mem != GLLM_F16 && mem != GLLM_BF16;
}

/* log2 of an element's bytes; UINT32_MAX and a failure if the access is not one of 32-bit lanes. */
static unsigned element(gen *g, const struct gllm_vi *in)
{
	unsigned bytes = in->mem < GLLM_TYPE_COUNT ? gllm_type_bytes((enum gllm_type)in->mem) : 8;

	if (lane_type(in->type) < 3 && bytes < 8)
		return bytes == 1 ? 0 : bytes == 2 ? 1 : 2;
	gllm_a64_quit(g, GLLM_UNSUPPORTED);
	return UINT32_MAX;
}

/* Elements of memory's type in the low part of s become lanes of d. */
static void widen(gen *g, const struct gllm_vi *in, unsigned d, unsigned s)
{
	bool is_signed = in->mem == GLLM_I8 || in->mem == GLLM_I16, to_float = in->type == GLLM_F32;
	operand zero = a64_imm(0);

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
		vmove(g, d, s);
		break;
	case GLLM_I64: case GLLM_TYPE_COUNT:
		break;
	}
	if (to_float && in->mem == GLLM_BF16)
		i3(g, A64_SHL_V4S, s4(d), s4(d), a64_imm(16));
	else if (to_float && is_integer(in->mem))
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

	address(g, in);
	for (unsigned k = 0; k < LANES; k++) {
		size_t hop;

		i2(g, A64_UMOV_S, w(A64_IP0), a64_lane(at(g, in->m), A64_ES, k));
		hop = g->code->used;
		i2(g, A64_CBZ_W, w(A64_IP0), a64_rel(0));
		i3(g, A64_ADDI_X, x(A64_IP0), x(A64_IP1), a64_imm((int64_t)k << log2));
		i2(g, row[is_store][log2], a64_list_lane(t, A64_EB + log2, k), a64_mem(A64_IP0, 0));
		land(g, hop);
	}
}

static void vload(gen *g, const struct gllm_vi *in)
{
	unsigned log2 = element(g, in), d = at(g, in->d), total;

	if (log2 > 2)
		return;
	if (in->m != GLLM_NO_VREG) {
		unsigned t = tv(g, 0);

		i2(g, A64_MOVI_V2D, a64_v(t, A64_2D), a64_imm(0));
		elements(g, in, log2, t, false);
		widen(g, in, d, t);
		return;
	}
	total = in->lanes == 1 ? log2 : log2 + 2;
	memory(g, &loads[total], scalar(d, total), in);
	widen(g, in, d, d);
}

static bool holds_lane0(const gen *g, gllm_vreg r)
{
	return r != GLLM_NO_VREG && g->v->reg_class[r] == GLLM_CLASS_V && at(g, r) < 32 && (g->lane0 >> at(g, r) & 1);
}

static bool is_fma(const struct gllm_vi *i)
{
	return (i->op == GLLM_V_VFMA || i->op == GLLM_V_VFNMA) && i->type == GLLM_F32;
}

/* Is the broadcast value only a factor of fused multiplications? They take it from lane 0 themselves, one factor each. */
static bool only_multiplies(const gen *g, const struct gllm_vi *in)
{
	gllm_vreg d = in->d;

	if (!g->a->once[d])
		return false;
	for (unsigned k = g->i + 1; k < g->v->n && 2 * k + 1 <= g->a->last[d]; k++) {
		const struct gllm_vi *use = &g->v->ins[k];

		if (use->a != d && use->b != d && use->c != d && use->m != d)
			continue;
		if (!is_fma(use) || use->c == d || use->a == use->b || holds_lane0(g, use->a == d ? use->b : use->a))
			return false;
	}
	return true;
}

static void vbcast(gen *g, const struct gllm_vi *in)
{
	unsigned log2 = element(g, in), d = at(g, in->d);

	if (log2 > 2)
		return;
	memory(g, &loads[log2], scalar(d, log2), in);
	widen(g, in, d, d);
	g->makes_lane0 = only_multiplies(g, in);
	if (!g->makes_lane0)
		i2(g, A64_DUP_V4S, s4(d), a64_lane(d, A64_ES, 0));
}

/* The 32-bit lanes become bf16 in the low half of u: to nearest even, NaN stays NaN. */
static void to_bf16(gen *g, unsigned c)
{
	unsigned t = tv(g, 0), u = tv(g, 1), n = tv(g, 2);

	i3(g, A64_SHL_V4S, s4(u), s4(c), a64_imm(15));
	i3(g, A64_USHR_V4S, s4(u), s4(u), a64_imm(31)); /* the bit that decides ties */
	i3(g, A64_ADD_V4S, s4(u), s4(u), s4(c));
	i2(g, A64_MOVIM_V4S, s4(t), a64_imm_shifted(0x7f, 8)); /* 0x7fff */
	i3(g, A64_ADD_V4S, s4(u), s4(u), s4(t));
	vmove(g, n, c);
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
	unsigned log2 = element(g, in), total = in->lanes == 1 ? log2 : log2 + 2, c;

	if (log2 > 2)
		return;
	c = narrowed(g, in, log2);
	if (in->m != GLLM_NO_VREG)
		elements(g, in, log2, c, true);
	else
		memory(g, &stores[total], scalar(c, total), in);
}

/* --- lanes ---------------------------------------------------------------------------------------------------------- */

static void vzero(gen *g, const struct gllm_vi *in)
{
	i2(g, A64_MOVI_V2D, a64_v(at(g, in->d), A64_2D), a64_imm(0));
}

static void vmov(gen *g, const struct gllm_vi *in)
{
	vmove(g, at(g, in->d), at(g, in->a));
}

static void vsplat(gen *g, const struct gllm_vi *in)
{
	i2(g, A64_DUPR_V4S, s4(at(g, in->d)), w(at(g, in->a)));
}

/* Lane i = i. */
static void iota(gen *g, unsigned d)
{
	gllm_a64_constant(g, A64_IP0, UINT64_C(0x100000000));
	i2(g, A64_FMOV_D_X, a64_d(d), x(A64_IP0));
	gllm_a64_constant(g, A64_IP0, UINT64_C(0x300000002));
	i2(g, A64_INSR_D, a64_lane(d, A64_ED, 1), x(A64_IP0));
}

static void vindex(gen *g, const struct gllm_vi *in)
{
	unsigned d = at(g, in->d), t = tv(g, 0);

	iota(g, t);
	i2(g, A64_DUPR_V4S, s4(d), w(at(g, in->a)));
	i3(g, A64_ADD_V4S, s4(d), s4(d), s4(t));
}

static void mtail(gen *g, const struct gllm_vi *in)
{
	unsigned d = at(g, in->d), a = at(g, in->a), t = tv(g, 0);

	iota(g, t);
	gllm_a64_constant(g, A64_IP0, LANES);
	i3(g, A64_SUBS_X, x(A64_ZR), x(a), x(A64_IP0));
	i4(g, A64_CSEL_X, x(A64_IP0), x(a), x(A64_IP0), a64_cond(A64_LO));
	i2(g, A64_DUPR_V4S, s4(d), w(A64_IP0));
	i3(g, A64_CMGT_V4S, s4(d), s4(d), s4(t));
}

static void binary(gen *g, const struct gllm_vi *in)
{
	i3(g, row_of(g, in), s4(at(g, in->d)), s4(at(g, in->a)), s4(at(g, in->b)));
}

static void unary(gen *g, const struct gllm_vi *in)
{
	i2(g, row_of(g, in), s4(at(g, in->d)), s4(at(g, in->a)));
}

static void bitwise(gen *g, const struct gllm_vi *in)
{
	unsigned a = at(g, in->a), b = at(g, in->b);
	bool swap = in->op == GLLM_V_VANDN; /* bic complements its second source */

	i3(g, rules[in->op].row[0] - 1u, b16(at(g, in->d)), b16(swap ? b : a), b16(swap ? a : b));
}

static void shift(gen *g, const struct gllm_vi *in)
{
	unsigned d = at(g, in->d), a = at(g, in->a);
	uint64_t n = (uint64_t)in->imm;

	if (in->op == GLLM_V_VSARI && n > 31)
		n = 31;
	if (lane_type(in->type) > 2)
		gllm_a64_quit(g, GLLM_UNSUPPORTED);
	else if (n == 0)
		vmove(g, d, a);
	else if (n > 31)
		i2(g, A64_MOVI_V2D, a64_v(d, A64_2D), a64_imm(0));
	else
		i3(g, rules[in->op].row[1] - 1u, s4(d), s4(a), a64_imm((int64_t)n));
}

/* d = mask ? b : c, lane by lane, whichever of them d is. */
static void choose(gen *g, unsigned d, unsigned mask, unsigned b, unsigned c)
{
	if (d == b && d != c) {
		i3(g, A64_BIF_V16B, b16(d), b16(c), b16(mask));
	} else if (d == c) {
		i3(g, A64_BIT_V16B, b16(d), b16(b), b16(mask));
	} else {
		vmove(g, d, mask);
		i3(g, A64_BSL_V16B, b16(d), b16(b), b16(c));
	}
}

/* d = a op b by how partial results join. Float minimum and maximum are a compare and a choice: b on NaN. */
static void join(gen *g, unsigned op, unsigned type, unsigned d, unsigned a, unsigned b, unsigned t)
{
	struct gllm_vi in = { .op = (uint8_t)op, .type = (uint8_t)type };

	if (type == GLLM_F32 && (op == GLLM_V_VMIN || op == GLLM_V_VMAX)) {
		i3(g, A64_FCMGT_V4S, s4(t), s4(op == GLLM_V_VMIN ? b : a), s4(op == GLLM_V_VMIN ? a : b));
		choose(g, d, t, a, b);
	} else {
		i3(g, row_of(g, &in), s4(d), s4(a), s4(b));
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
	land(g, fast);
	vmove(g, r, a);
	land(g, done);
	i3(g, A64_SHL_V4S, s4(s), s4(s), a64_imm(23));
	i3(g, A64_FMUL_V4S, s4(d), s4(r), s4(s));
}

static void vfma(gen *g, const struct gllm_vi *in)
{
	unsigned d = at(g, in->d), a = at(g, in->a), b = at(g, in->b), c = at(g, in->c), sum = d;
	unsigned row = row_of(g, in);

	if (in->c != in->d && (d == a || d == b))
		sum = tv(g, 0);
	vmove(g, sum, c);
	if (holds_lane0(g, in->a) || holds_lane0(g, in->b))
		i3(g, row == A64_FMLA_V4S ? A64_FMLA_V4S_E : A64_FMLS_V4S_E, s4(sum), s4(holds_lane0(g, in->a) ? b : a),
		   a64_lane(holds_lane0(g, in->a) ? a : b, A64_ES, 0));
	else
		i3(g, row, s4(sum), s4(a), s4(b));
	vmove(g, d, sum);
}

static void vcvt(gen *g, const struct gllm_vi *in)
{
	operand d = s4(at(g, in->d)), a = s4(at(g, in->a));

	if (in->op == GLLM_V_VCVT && in->type == GLLM_F32 && in->mem == GLLM_I32)
		i2(g, A64_SCVTF_V4S, d, a);
	else if (in->op == GLLM_V_VCVT && in->type == GLLM_I32 && in->mem == GLLM_F32)
		i2(g, A64_FCVTZS_V4S, d, a);
	else if (in->op == GLLM_V_VCVTN && in->type == GLLM_I32)
		i2(g, A64_FCVTNS_V4S, d, a);
	else
		gllm_a64_quit(g, GLLM_UNSUPPORTED);
}

static void compare(gen *g, const struct gllm_vi *in)
{
	bool swap = in->op != GLLM_V_VEQ; /* a < b is b > a */

	i3(g, row_of(g, in), s4(at(g, in->d)), s4(at(g, swap ? in->b : in->a)), s4(at(g, swap ? in->a : in->b)));
}

static void unordered(gen *g, const struct gllm_vi *in)
{
	unsigned d = at(g, in->d), s = tv(g, 0), t = tv(g, 1);

	if (in->type != GLLM_F32)
		gllm_a64_quit(g, GLLM_UNSUPPORTED);
	i3(g, A64_FCMEQ_V4S, s4(s), s4(at(g, in->a)), s4(at(g, in->a)));
	i3(g, A64_FCMEQ_V4S, s4(t), s4(at(g, in->b)), s4(at(g, in->b)));
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

static unsigned joiner(const struct gllm_vi *in)
{
	static const uint8_t op[] = {
		[GLLM_VRED_ADD] = GLLM_V_VADD, [GLLM_VRED_MIN] = GLLM_V_VMIN,
		[GLLM_VRED_MAX] = GLLM_V_VMAX, [GLLM_VRED_MUL] = GLLM_V_VMUL,
	};

	return op[(unsigned)in->aux % GLLM_COUNT(op)];
}

/* Upper half with lower half, down to one lane: the same tree as the interpreter's. */
static void vreduce(gen *g, const struct gllm_vi *in)
{
	unsigned a = at(g, in->a), s = tv(g, 0), t = tv(g, 1), u = tv(g, 2), op = joiner(in);

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
	join(g, joiner(in), in->type, d, s, t, tv(g, 2));
}

static void vlane0(gen *g, const struct gllm_vi *in)
{
	i2(g, A64_DUP_V4S, s4(at(g, in->d)), a64_lane(at(g, in->a), A64_ES, 0));
}

/* --- the table ------------------------------------------------------------------------------------------------------ */

#define N(row) (A64_##row + 1)
static const struct rule rules[GLLM_V_COUNT] = {
	/* op                  emit       f32               i32               u32              v  latency */
	[GLLM_V_GCONST]     = { gconst,    { 0 },                                               0, 1 },
	[GLLM_V_GMOV]       = { gmov,      { 0 },                                               0, 1 },
	[GLLM_V_GADD]       = { gbinary,   { N(ADD_X) },                                        0, 1 },
	[GLLM_V_GSUB]       = { gbinary,   { N(SUB_X) },                                        0, 1 },
	[GLLM_V_GMUL]       = { gmul,      { 0 },                                               0, 3 },
	[GLLM_V_GADDI]      = { gaddi,     { 0 },                                               0, 1 },
	[GLLM_V_GMULI]      = { gmuli,     { 0 },                                               0, 3 },
	[GLLM_V_GSHLI]      = { gshift,    { 0 },                                               0, 1 },
	[GLLM_V_GSHRI]      = { gshift,    { 0 },                                               0, 1 },
	[GLLM_V_GANDI]      = { gandi,     { 0 },                                               0, 1 },
	[GLLM_V_GMIN]       = { gminmax,   { 0 },                                               0, 2 },
	[GLLM_V_GMAX]       = { gminmax,   { 0 },                                               0, 2 },
	[GLLM_V_GLOAD]      = { gload,     { 0 },                                               0, 4 },
	[GLLM_V_GSTORE]     = { gstore,    { 0 },                                               0, 1 },
	[GLLM_V_GDIVI]      = { gdivi,     { 0 },                                               0, 12 },
	[GLLM_V_LABEL]      = { nothing,   { 0 },                                               0, 0 },
	[GLLM_V_JUMP]       = { jump,      { 0 },                                               0, 1 },
	[GLLM_V_BRANCH]     = { branch,    { 0 },                                               0, 1 },
	[GLLM_V_BRANCHI]    = { branchi,   { 0 },                                               0, 1 },
	[GLLM_V_LOOP_BEGIN] = { nothing,   { 0 },                                               0, 0 },
	[GLLM_V_LOOP_END]   = { nothing,   { 0 },                                               0, 0 },
	[GLLM_V_PREFETCH]   = { prefetch,  { 0 },                                               0, 1 },
	[GLLM_V_VLOAD]      = { vload,     { 0 },                                               0, 5 },
	[GLLM_V_VSTORE]     = { vstore,    { 0 },                                               0, 1 },
	[GLLM_V_VBCAST]     = { vbcast,    { 0 },                                               0, 7 },
	[GLLM_V_VZERO]      = { vzero,     { 0 },                                               0, 0 },
	[GLLM_V_VMOV]       = { vmov,      { 0 },                                               0, 1 },
	[GLLM_V_VSPLAT]     = { vsplat,    { 0 },                                               0, 3 },
	[GLLM_V_VINDEX]     = { vindex,    { 0 },                                               1, 5 },
	[GLLM_V_VADD]       = { binary,    { N(FADD_V4S), N(ADD_V4S), N(ADD_V4S) },             0, 2 },
	[GLLM_V_VSUB]       = { binary,    { N(FSUB_V4S), N(SUB_V4S), N(SUB_V4S) },             0, 2 },
	[GLLM_V_VMUL]       = { binary,    { N(FMUL_V4S), N(MUL_V4S), N(MUL_V4S) },             0, 3 },
	[GLLM_V_VDIV]       = { binary,    { N(FDIV_V4S), 0, 0 },                               0, 10 },
	[GLLM_V_VMIN]       = { minmax,    { 0, N(SMIN_V4S), N(UMIN_V4S) },                     1, 4 },
	[GLLM_V_VMAX]       = { minmax,    { 0, N(SMAX_V4S), N(UMAX_V4S) },                     1, 4 },
	[GLLM_V_VSQRT]      = { unary,     { N(FSQRT_V4S), 0, 0 },                              0, 12 },
	[GLLM_V_VNEG]       = { unary,     { N(FNEG_V4S), N(NEG_V4S), N(NEG_V4S) },             0, 2 },
	[GLLM_V_VABS]       = { unary,     { N(FABS_V4S), N(ABS_V4S), N(ABS_V4S) },             0, 2 },
	[GLLM_V_VRINT]      = { unary,     { N(FRINTN_V4S), 0, 0 },                             0, 3 },
	[GLLM_V_VLDEXP]     = { vldexp,    { 0 },                                               4, 12 },
	[GLLM_V_VFMA]       = { vfma,      { N(FMLA_V4S), 0, 0 },                               1, 4 },
	[GLLM_V_VFNMA]      = { vfma,      { N(FMLS_V4S), 0, 0 },                               1, 4 },
	[GLLM_V_VAND]       = { bitwise,   { N(AND_V16B) },                                     0, 1 },
	[GLLM_V_VOR]        = { bitwise,   { N(ORR_V16B) },                                     0, 1 },
	[GLLM_V_VXOR]       = { bitwise,   { N(EOR_V16B) },                                     0, 1 },
	[GLLM_V_VANDN]      = { bitwise,   { N(BIC_V16B) },                                     0, 1 },
	[GLLM_V_VSHLI]      = { shift,     { 0, N(SHL_V4S), 0 },                                0, 2 },
	[GLLM_V_VSHRI]      = { shift,     { 0, N(USHR_V4S), 0 },                               0, 2 },
	[GLLM_V_VSARI]      = { shift,     { 0, N(SSHR_V4S), 0 },                               0, 2 },
	[GLLM_V_VCVT]       = { vcvt,      { 0 },                                               0, 3 },
	[GLLM_V_VCVTN]      = { vcvt,      { 0 },                                               0, 3 },
	[GLLM_V_VLT]        = { compare,   { N(FCMGT_V4S), N(CMGT_V4S), N(CMHI_V4S) },          0, 2 },
	[GLLM_V_VLE]        = { compare,   { N(FCMGE_V4S), N(CMGE_V4S), N(CMHS_V4S) },          0, 2 },
	[GLLM_V_VEQ]        = { compare,   { N(FCMEQ_V4S), N(CMEQ_V4S), N(CMEQ_V4S) },          0, 2 },
	[GLLM_V_VUNORD]     = { unordered, { 0 },                                               2, 4 },
	[GLLM_V_MAND]       = { bitwise,   { N(AND_V16B) },                                     0, 1 },
	[GLLM_V_MOR]        = { bitwise,   { N(ORR_V16B) },                                     0, 1 },
	[GLLM_V_MXOR]       = { bitwise,   { N(EOR_V16B) },                                     0, 1 },
	[GLLM_V_MNOT]       = { mnot,      { 0 },                                               0, 1 },
	[GLLM_V_MTAIL]      = { mtail,     { 0 },                                               1, 6 },
	[GLLM_V_VSEL]       = { vsel,      { 0 },                                               0, 2 },
	[GLLM_V_VREDUCE]    = { vreduce,   { 0 },                                               3, 10 },
	[GLLM_V_VHPAIR]     = { vhpair,    { 0 },                                               3, 4 },
	[GLLM_V_VLANE0]     = { vlane0,    { 0 },                                               0, 2 },
	[GLLM_V_RET]        = { ret,       { 0 },                                               0, 1 },
};

struct gllm_need gllm_a64_need(const struct gllm_vi *i)
{
	bool fma = i->op == GLLM_V_VFMA || i->op == GLLM_V_VFNMA;
	struct gllm_need n = { 0, rules[i->op].v, fma && i->c != i->d };

	if (fma && !n.apart)
		n.v = 0;
	if (i->op == GLLM_V_VLOAD && i->m != GLLM_NO_VREG)
		n.v = 1;
	if (i->op == GLLM_V_VSTORE && i->mem != i->type)
		n.v = i->mem == GLLM_BF16 ? 3 : 2;
	return n;
}

uint8_t gllm_a64_latency(enum gllm_vir_op op)
{
	return rules[op].latency;
}

void gllm_a64_select(const struct gllm_vir *v, const struct gllm_machine *m, const struct gllm_allocation *a,
                     struct gllm_code *code, uint32_t *offsets)
{
	gen g = { .v = v, .m = m, .a = a, .code = code, .at = offsets ? offsets : a->offset };

	if (v->status != GLLM_OK)
		gllm_a64_quit(&g, v->status);
	if (code->status != GLLM_OK)
		return;
	gllm_a64_prologue(&g);
	for (g.i = 0; g.i < v->n && code->status == GLLM_OK; g.i++) {
		const struct gllm_vi *in = &v->ins[g.i];

		g.at[g.i] = (uint32_t)code->used;
		g.makes_lane0 = false;
		rules[in->op].emit(&g, in);
		if (in->d != GLLM_NO_VREG && v->reg_class[in->d] != GLLM_CLASS_G) {
			g.lane0 &= ~(UINT32_C(1) << (at(&g, in->d) & 31));
			g.lane0 |= (uint32_t)g.makes_lane0 << (at(&g, in->d) & 31);
		}
	}
	patch(&g);
}
