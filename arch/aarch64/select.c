/* SPDX-License-Identifier: MIT
 * arch/aarch64/select.c - vector IR to AArch64 code: integers, addresses, control. select_neon.c and select_sve.c have the
 * vectors.
 *
 * One rule per VIR operation. A result register may be that of an operand that dies here, so every rule reads all operands
 * before it writes d, and intermediate values lie in temporaries. x16 and x17 are scratch within one operation. Constants
 * are made by instructions: code has no data. */
#include "arch/aarch64/gen.h"

typedef struct gllm_a64_gen gen;
typedef struct gllm_operand operand;

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

void gllm_a64_vmove(gen *g, unsigned d, unsigned s)
{
	if (d != s)
		i3(g, A64_ORR_V16B, b16(d), b16(s), b16(s));
}

unsigned gllm_a64_lane_type(unsigned type)
{
	return type == GLLM_F32 ? 0 : type == GLLM_I32 || type == GLLM_MASK ? 1 : type == GLLM_U32 ? 2 : type == GLLM_F16 ? 3 : 4;
}

unsigned gllm_a64_row_of(gen *g, const struct gllm_vi *in)
{
	unsigned t = gllm_a64_lane_type(in->type), row = t < 4 ? g->lanes[in->op].row[t] : 0;

	if (row == 0) {
		gllm_a64_quit(g, GLLM_UNSUPPORTED);
		return 0;
	}
	return row - 1;
}

void gllm_a64_land(gen *g, size_t hop)
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
	i3(g, gllm_a64_integer[in->op].row[0] - 1u, x(at(g, in->d)), x(at(g, in->a)), x(at(g, in->b)));
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
	if (n == 0)
		move(g, d, a);
	else
		i4(g, A64_UBFM_X, x(d), x(a), a64_imm((64 - n) % 64), a64_imm(63 - n));
}

static void shift_right(gen *g, unsigned d, unsigned a, unsigned n)
{
	if (n == 0)
		move(g, d, a);
	else
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

unsigned gllm_a64_address(gen *g, const struct gllm_vi *in)
{
	unsigned base = at(g, in->a);

	if (in->b != GLLM_NO_VREG) {
		i3(g, A64_ADD_X, x(A64_IP1), x(base), a64_shifted(x(at(g, in->b)), A64_LSL, in->scale));
		base = A64_IP1;
	}
	if (in->imm == 0)
		return base;
	add_constant(g, A64_IP1, base, in->imm, A64_IP0);
	return A64_IP1;
}

void gllm_a64_memory(gen *g, const struct gllm_a64_access *m, operand reg, const struct gllm_vi *in)
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
	static const struct gllm_a64_access row[GLLM_TYPE_COUNT] = {
		[GLLM_I8]   = A64_ACCESS(LDRSB_X, LDURSB_X, 0), [GLLM_U8]   = A64_ACCESS(LDRB_W, LDURB_W, 0),
		[GLLM_I16]  = A64_ACCESS(LDRSH_X, LDURSH_X, 1), [GLLM_U16]  = A64_ACCESS(LDRH_W, LDURH_W, 1),
		[GLLM_F16]  = A64_ACCESS(LDRH_W, LDURH_W, 1),   [GLLM_BF16] = A64_ACCESS(LDRH_W, LDURH_W, 1),
		[GLLM_I32]  = A64_ACCESS(LDRSW, LDURSW, 2),     [GLLM_U32]  = A64_ACCESS(LDR_W, LDUR_W, 2),
		[GLLM_F32]  = A64_ACCESS(LDR_W, LDUR_W, 2),     [GLLM_MASK] = A64_ACCESS(LDR_W, LDUR_W, 2),
		[GLLM_I64]  = A64_ACCESS(LDR_X, LDUR_X, 3),
	};
	bool wide = in->mem == GLLM_I8 || in->mem == GLLM_I16 || in->mem == GLLM_I32 || in->mem == GLLM_I64;

	if (in->mem < GLLM_TYPE_COUNT)
		gllm_a64_memory(g, &row[in->mem], wide ? x(at(g, in->d)) : w(at(g, in->d)), in);
	else
		gllm_a64_quit(g, GLLM_INVALID_ARGUMENT);
}

static void gstore(gen *g, const struct gllm_vi *in)
{
	static const struct gllm_a64_access row[9] = {
		[1] = A64_ACCESS(STRB_W, STURB_W, 0), [2] = A64_ACCESS(STRH_W, STURH_W, 1),
		[4] = A64_ACCESS(STR_W, STUR_W, 2), [8] = A64_ACCESS(STR_X, STUR_X, 3),
	};
	unsigned bytes = gllm_type_bytes((enum gllm_type)in->mem), c = at(g, in->c);

	gllm_a64_memory(g, &row[bytes], bytes == 8 ? x(c) : w(c), in);
}

static void prefetch(gen *g, const struct gllm_vi *in)
{
	static const uint8_t how[] = { 0, 2, 1 }; /* keep in L1, keep in L2, stream through L1 */
	static const struct gllm_a64_access row = { A64_PRFM, A64_PRFUM, A64_PRFM_REG, 3 };

	gllm_a64_memory(g, &row, a64_imm(how[in->aux >= 0 && in->aux < 3 ? in->aux : 0]), in);
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
	return (uint64_t)label < g->v->nlabels ? g->a->label[label] : UINT32_MAX;
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

/* --- what both widths ask -------------------------------------------------------------------------------------------- */

unsigned gllm_a64_element(gen *g, const struct gllm_vi *in)
{
	unsigned bytes = in->mem < GLLM_TYPE_COUNT ? gllm_type_bytes((enum gllm_type)in->mem) : 8;
	bool widens_to_16 = in->type == GLLM_I16 || in->type == GLLM_U16;

	if (widens_to_16 && g->m->has_widen && in->op == GLLM_V_VLOAD && bytes == 1)
		return 0;
	if (gllm_a64_lane_type(in->type) < 4 && bytes < 8 && (in->type != GLLM_F16 || in->mem == GLLM_F16))
		return bytes == 1 ? 0 : bytes == 2 ? 1 : 2;
	gllm_a64_quit(g, GLLM_UNSUPPORTED);
	return UINT32_MAX;
}

unsigned gllm_a64_joiner(const struct gllm_vi *in)
{
	static const uint8_t op[] = {
		[GLLM_VRED_ADD] = GLLM_V_VADD, [GLLM_VRED_MIN] = GLLM_V_VMIN,
		[GLLM_VRED_MAX] = GLLM_V_VMAX, [GLLM_VRED_MUL] = GLLM_V_VMUL,
	};

	return op[(unsigned)in->aux % GLLM_COUNT(op)];
}

/* --- the table ------------------------------------------------------------------------------------------------------ */

#define N(row) (A64_##row + 1)
const struct gllm_a64_rule gllm_a64_integer[GLLM_V_COUNT] = {
	/* op                  emit       row           v */
	[GLLM_V_GCONST]     = { gconst,    { 0 },        0 },
	[GLLM_V_GMOV]       = { gmov,      { 0 },        0 },
	[GLLM_V_GADD]       = { gbinary,   { N(ADD_X) }, 0 },
	[GLLM_V_GSUB]       = { gbinary,   { N(SUB_X) }, 0 },
	[GLLM_V_GMUL]       = { gmul,      { 0 },        0 },
	[GLLM_V_GADDI]      = { gaddi,     { 0 },        0 },
	[GLLM_V_GMULI]      = { gmuli,     { 0 },        0 },
	[GLLM_V_GSHLI]      = { gshift,    { 0 },        0 },
	[GLLM_V_GSHRI]      = { gshift,    { 0 },        0 },
	[GLLM_V_GANDI]      = { gandi,     { 0 },        0 },
	[GLLM_V_GMIN]       = { gminmax,   { 0 },        0 },
	[GLLM_V_GMAX]       = { gminmax,   { 0 },        0 },
	[GLLM_V_GLOAD]      = { gload,     { 0 },        0 },
	[GLLM_V_GSTORE]     = { gstore,    { 0 },        0 },
	[GLLM_V_GDIVI]      = { gdivi,     { 0 },        0 },
	[GLLM_V_LABEL]      = { nothing,   { 0 },        0 },
	[GLLM_V_JUMP]       = { jump,      { 0 },        0 },
	[GLLM_V_BRANCH]     = { branch,    { 0 },        0 },
	[GLLM_V_BRANCHI]    = { branchi,   { 0 },        0 },
	[GLLM_V_LOOP_BEGIN] = { nothing,   { 0 },        0 },
	[GLLM_V_LOOP_END]   = { nothing,   { 0 },        0 },
	[GLLM_V_PREFETCH]   = { prefetch,  { 0 },        0 },
	[GLLM_V_FENCE]      = { nothing,   { 0 },        0 },
	[GLLM_V_RET]        = { ret,       { 0 },        0 },
};

void gllm_a64_select(const struct gllm_vir *v, const struct gllm_machine *m, const struct gllm_allocation *a,
                     struct gllm_code *code, uint32_t *offsets)
{
	gen g = { .v = v, .m = m, .a = a, .code = code, .at = offsets ? offsets : a->offset,
	          .lanes = gllm_a64_is_sve(m) ? gllm_a64_sve : gllm_a64_neon, .strict = m->profile->strict_align };

	if (v->status != GLLM_OK)
		gllm_a64_quit(&g, v->status);
	if (code->status != GLLM_OK)
		return;
	gllm_a64_prologue(&g);
	for (g.i = 0; g.i < v->n && code->status == GLLM_OK; g.i++) {
		const struct gllm_vi *in = &v->ins[g.i];
		const struct gllm_a64_rule *rule = &gllm_a64_integer[in->op];

		g.at[g.i] = (uint32_t)code->used;
		g.makes_lane0 = false;
		if (!rule->emit)
			rule = &g.lanes[in->op];
		if (rule->emit)
			rule->emit(&g, in);
		else /* an operation that the machine does not claim to have */
			gllm_a64_quit(&g, GLLM_UNSUPPORTED);
		if (in->d != GLLM_NO_VREG && v->reg_class[in->d] != GLLM_CLASS_G) {
			g.lane0 &= ~(UINT32_C(1) << (at(&g, in->d) & 31));
			g.lane0 |= (uint32_t)g.makes_lane0 << (at(&g, in->d) & 31);
		}
	}
	patch(&g);
}
