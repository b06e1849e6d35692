/* SPDX-License-Identifier: MIT
 * arch/x86_64/select.c - vector IR to AVX2 + FMA + F16C code of 8 lanes, or AVX-512 code of 16: integers, addresses, control.
 * Loads and stores are in select_memory.c, what is done with lanes in select_math.c.
 *
 * One row of a table of rules per VIR operation: who emits it, the instruction per lane type, the temporaries it needs at either
 * width. Rules name VEX instructions; at 16 lanes put.c has the instruction that stands for each, and only
 * where the ISA offers something better does a rule look at g->wide.
 *
 * A result register may be that of an operand that dies here, so every rule reads all operands before it writes d, and
 * intermediate values lie in temporaries. At 8 lanes a mask is a vector of lanes that are all ones or all zeros, at 16 it
 * is a k register of which the low 16 bits count. rax, and k7 at 16 lanes, are scratch within one operation. Constants
 * are made by instructions: code has no data. */
#include "arch/x86_64/gen.h"

typedef struct gllm_x86_gen gen;
typedef struct gllm_operand operand;

/* --- moves ---------------------------------------------------------------------------------------------------------- */

void gllm_x86_constant(gen *g, unsigned reg, int64_t v)
{
	if (v == 0)
		gllm_x86_g(g, X86_XOR_RM, 32, reg, reg);
	else if (v > 0 && v <= UINT32_MAX)
		gllm_x86_word_constant(g, reg, (uint32_t)v);
	else if (fits32(v))
		gllm_x86_gi(g, X86_MOV_MI, 64, 0, reg, (int32_t)v);
	else
		x2(g, X86_MOV_RI64, q(reg), x86_imm(v));
}

static void move(gen *g, unsigned d, unsigned s)
{
	if (d != s)
		gllm_x86_g(g, X86_MOV_RM, 64, d, s);
}

void gllm_x86_vmove(gen *g, unsigned d, unsigned s)
{
	if (d != s)
		gllm_x86_v(g, X86_VMOVAPS_RM, d, 0, s);
}

unsigned gllm_x86_lane_type(unsigned type)
{
	return type == GLLM_F32 ? 0 : type == GLLM_I32 || type == GLLM_MASK ? 1 : type == GLLM_U32 ? 2 : type == GLLM_F16 ? 3 : 4;
}

/* The rule's instruction for the lane type. */
unsigned gllm_x86_row_of(gen *g, const struct gllm_vi *in)
{
	unsigned t = gllm_x86_lane_type(in->type), row = t < 4 ? gllm_x86_rule(in->op)->row[t] : 0;

	if (row == 0) {
		gllm_x86_quit(g, GLLM_UNSUPPORTED);
		return 0;
	}
	return row - 1;
}

/* A jump (X86_G + 1: always) over code that is emitted next: hop, then land where it ends. Less than 128 bytes lie between. */
size_t gllm_x86_hop(gen *g, unsigned cond)
{
	gllm_x86_jump(g, cond, false, 0);
	return g->code->used;
}

void gllm_x86_land(gen *g, size_t from)
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
	gllm_x86_constant(g, at(g, in->d), in->imm);
}

static void gmov(gen *g, const struct gllm_vi *in)
{
	move(g, at(g, in->d), at(g, in->a));
}

static void lea(gen *g, unsigned d, unsigned base, unsigned index, int64_t disp)
{
	const operand m = x86_mem(base, index, 0, disp, 0);

	gllm_x86_gm(g, X86_LEA, 64, d, &m);
}

static void gadd(gen *g, const struct gllm_vi *in)
{
	unsigned d = at(g, in->d), a = at(g, in->a), b = at(g, in->b);

	if (d == a || d == b)
		gllm_x86_g(g, X86_ADD_RM, 64, d, d == a ? b : a);
	else
		lea(g, d, a, b, 0);
}

static void gsub(gen *g, const struct gllm_vi *in)
{
	unsigned d = at(g, in->d), a = at(g, in->a), b = at(g, in->b);

	if (d == b && d != a) {
		x1(g, X86_NEG, q(d));
		gllm_x86_g(g, X86_ADD_RM, 64, d, a);
	} else {
		move(g, d, a);
		gllm_x86_g(g, X86_SUB_RM, 64, d, b);
	}
}

static void gmul(gen *g, const struct gllm_vi *in)
{
	unsigned d = at(g, in->d), a = at(g, in->a), b = at(g, in->b);

	if (d != b)
		move(g, d, a);
	gllm_x86_g(g, X86_IMUL_RM, 64, d, d == b ? a : b);
}

/* d = a op imm where the instruction takes 32 bits only. */
static void with_immediate(gen *g, unsigned d, unsigned a, int64_t imm, unsigned rmi8, unsigned rmi, unsigned rm)
{
	if (!fits32(imm)) {
		gllm_x86_constant(g, X86_RAX, imm);
		move(g, d, a);
		gllm_x86_g(g, rm, 64, d, X86_RAX);
		return;
	}
	move(g, d, a);
	gllm_x86_gi(g, imm >= -128 && imm < 128 ? rmi8 : rmi, 64, 0, d, (int32_t)imm);
}

static void gaddi(gen *g, const struct gllm_vi *in)
{
	unsigned d = at(g, in->d), a = at(g, in->a);

	if (d != a && fits32(in->imm) && in->imm != 0)
		lea(g, d, a, GLLM_NO_REG, in->imm);
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
			gllm_x86_gi(g, X86_SHL_MI, 64, 0, d, __builtin_ctzll((uint64_t)in->imm));
	} else if (fits32(in->imm)) {
		gllm_x86_gi(g, X86_IMUL_RMI, 64, d, a, (int32_t)in->imm);
	} else {
		gllm_x86_constant(g, X86_RAX, in->imm);
		gllm_x86_g(g, X86_IMUL_RM, 64, X86_RAX, a);
		move(g, d, X86_RAX);
	}
}

static void gshift(gen *g, const struct gllm_vi *in)
{
	move(g, at(g, in->d), at(g, in->a));
	if (in->imm & 63)
		gllm_x86_gi(g, in->op == GLLM_V_GSHLI ? X86_SHL_MI : X86_SHR_MI, 64, 0, at(g, in->d), (int32_t)in->imm & 63);
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
	gllm_x86_g(g, X86_CMP_RM, 64, d, other);
	x3(g, X86_CMOVCC, q(d), q(other), x86_cond(in->op == GLLM_V_GMIN ? X86_G : X86_L));
}

/* Unsigned d = a / imm. div takes rdx:rax, so rdx is kept aside. */
static void gdivi(gen *g, const struct gllm_vi *in)
{
	unsigned d = at(g, in->d), a = at(g, in->a), keep = tg(g, 0), by = tg(g, 1);
	uint64_t imm = (uint64_t)in->imm;

	if (imm == 0) {
		gllm_x86_constant(g, d, 0);
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
		gllm_x86_constant(g, by, in->imm);
		x2(g, X86_XOR_RM, e(X86_RDX), e(X86_RDX));
		x1(g, X86_DIV, q(by));
		move(g, X86_RDX, keep);
		move(g, d, X86_RAX);
	}
}

/* --- addresses ------------------------------------------------------------------------------------------------------ */

/* Displacements that no access has go through rax, scales through the first temporary. */
operand gllm_x86_far_address(gen *g, const struct gllm_vi *in)
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
		gllm_x86_constant(g, X86_RAX, disp);
		x2(g, X86_ADD_RM, q(X86_RAX), q(base));
		base = X86_RAX;
		disp = 0;
	}
	return x86_mem(base, index, index == GLLM_NO_REG ? 0 : scale, disp, 0);
}

static void gload(gen *g, const struct gllm_vi *in)
{
	unsigned d = at(g, in->d);
	operand m = gllm_x86_address(g, in);

	switch ((enum gllm_type)in->mem) {
	case GLLM_I8:  x2(g, X86_MOVSX8, q(d), m); break;
	case GLLM_U8:  x2(g, X86_MOVZX8, e(d), m); break;
	case GLLM_I16: x2(g, X86_MOVSX16, q(d), m); break;
	case GLLM_U16: case GLLM_F16: case GLLM_BF16: x2(g, X86_MOVZX16, e(d), m); break;
	case GLLM_I32: gllm_x86_gm(g, X86_MOVSXD, 64, d, &m); break;
	case GLLM_U32: case GLLM_F32: case GLLM_MASK: gllm_x86_gm(g, X86_MOV_RM, 32, d, &m); break;
	case GLLM_I64: gllm_x86_gm(g, X86_MOV_RM, 64, d, &m); break;
	case GLLM_TYPE_COUNT: gllm_x86_quit(g, GLLM_INVALID_ARGUMENT); break;
	}
}

static void gstore(gen *g, const struct gllm_vi *in)
{
	unsigned c = at(g, in->c), bytes = gllm_type_bytes((enum gllm_type)in->mem);
	operand m = gllm_x86_address(g, in);

	if (bytes >= 4)
		gllm_x86_gm(g, X86_MOV_MR, 8 * bytes, c, &m);
	else
		x2(g, bytes == 1 ? X86_MOV8_MR : X86_MOV_MR, m, x86_gpr(c, 8 * bytes));
}

static void prefetch(gen *g, const struct gllm_vi *in)
{
	static const uint16_t row[] = { X86_PREFETCHT0, X86_PREFETCHT1, X86_PREFETCHNTA };

	operand m = gllm_x86_address(g, in);

	gllm_x86_gm(g, row[in->aux >= 0 && in->aux < 3 ? in->aux : 0], 32, 0, &m);
}

/* --- control -------------------------------------------------------------------------------------------------------- */

static unsigned label_at(const gen *g, int64_t label)
{
	return (uint64_t)label < g->v->nlabels ? g->a->label[label] : UINT32_MAX;
}

/* Bytes back to which a jump is short: such a one ends within 2 bytes more. */
enum { SHORT_REACH = 120 };

/* A jump to a label: short if it lies behind and near, else with a displacement of 4 bytes, which of forward jumps `patch` fills in;
 * until then it holds the jump that waits before this one. */
static void jump(gen *g, int64_t label, unsigned cond)
{
	unsigned target = label_at(g, label);

	if (target < g->i) {
		int64_t back = (int64_t)g->at[target] - (int64_t)g->code->used;
		bool near = back <= -SHORT_REACH;
		gllm_x86_jump(g, cond, near, (int32_t)(back - (!near ? 2 : cond > X86_G ? 5 : 6)));
		return;
	}
	gllm_x86_jump(g, cond, true, (int32_t)g->pending);
	g->pending = g->i;
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
	gllm_x86_g(g, X86_CMP_RM, 64, at(g, in->a), at(g, in->b));
	jump(g, in->imm, conds[in->cc % GLLM_COUNT(conds)]);
}

/* The addition right before has set the flags that a comparison with zero would set. */
static bool flags_tell(const gen *g, const struct gllm_vi *in)
{
	const struct gllm_vi *sum = in - 1;

	return in > g->v->ins && in->aux == 0 && (in->cc == GLLM_VCC_EQ || in->cc == GLLM_VCC_NE) && sum->op == GLLM_V_GADDI &&
	       sum->d == in->a && sum->imm != 0 && at(g, sum->a) == at(g, sum->d);
}

static void branchi(gen *g, const struct gllm_vi *in)
{
	unsigned a = at(g, in->a);

	if (flags_tell(g, in))
		;
	else if (in->aux == 0)
		gllm_x86_g(g, X86_TEST_MR, 64, a, a);
	else
		gllm_x86_gi(g, in->aux >= -128 && in->aux < 128 ? X86_CMP_MI8 : X86_CMP_MI, 64, 0, a, in->aux);
	jump(g, in->imm, conds[in->cc % GLLM_COUNT(conds)]);
}

/* Fills in the displacements of forward jumps; each ends its VIR instruction. */
static void patch(gen *g)
{
	while (g->pending != UINT32_MAX && g->code->status == GLLM_OK) {
		unsigned k = g->pending, target = label_at(g, g->v->ins[k].imm);
		size_t end = k + 1 < g->v->n ? g->at[k + 1] : g->code->used;
		unsigned char *by = g->code->base + end - 4;

		if (target == UINT32_MAX) {
			gllm_x86_quit(g, GLLM_INVALID_ARGUMENT);
			return;
		}
		g->pending = gllm_le32(by);
		gllm_put_le32(by, (uint32_t)(g->at[target] - end));
	}
}

static void fence(gen *g, const struct gllm_vi *in)
{
	(void)in;
	x0(g, X86_SFENCE);
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

/* --- the table ------------------------------------------------------------------------------------------------------ */

const struct gllm_x86_rule gllm_x86_integer[GLLM_V_COUNT] = {
	/* op                  emit          f32             i32             u32               temporaries of g, v; and wide */
	[GLLM_V_GCONST]     = { gconst,      { 0 },                                            TEMPS(0, 0), TEMPS(0, 0) },
	[GLLM_V_GMOV]       = { gmov,        { 0 },                                            TEMPS(0, 0), TEMPS(0, 0) },
	[GLLM_V_GADD]       = { gadd,        { 0 },                                            TEMPS(0, 0), TEMPS(0, 0) },
	[GLLM_V_GSUB]       = { gsub,        { 0 },                                            TEMPS(0, 0), TEMPS(0, 0) },
	[GLLM_V_GMUL]       = { gmul,        { 0 },                                            TEMPS(0, 0), TEMPS(0, 0) },
	[GLLM_V_GADDI]      = { gaddi,       { 0 },                                            TEMPS(0, 0), TEMPS(0, 0) },
	[GLLM_V_GMULI]      = { gmuli,       { 0 },                                            TEMPS(0, 0), TEMPS(0, 0) },
	[GLLM_V_GSHLI]      = { gshift,      { 0 },                                            TEMPS(0, 0), TEMPS(0, 0) },
	[GLLM_V_GSHRI]      = { gshift,      { 0 },                                            TEMPS(0, 0), TEMPS(0, 0) },
	[GLLM_V_GANDI]      = { gandi,       { 0 },                                            TEMPS(0, 0), TEMPS(0, 0) },
	[GLLM_V_GMIN]       = { gminmax,     { 0 },                                            TEMPS(0, 0), TEMPS(0, 0) },
	[GLLM_V_GMAX]       = { gminmax,     { 0 },                                            TEMPS(0, 0), TEMPS(0, 0) },
	[GLLM_V_GLOAD]      = { gload,       { 0 },                                            TEMPS(0, 0), TEMPS(0, 0) },
	[GLLM_V_GSTORE]     = { gstore,      { 0 },                                            TEMPS(0, 0), TEMPS(0, 0) },
	[GLLM_V_GDIVI]      = { gdivi,       { 0 },                                            TEMPS(2, 0), TEMPS(2, 0) },
	[GLLM_V_LABEL]      = { nothing,     { 0 },                                            TEMPS(0, 0), TEMPS(0, 0) },
	[GLLM_V_JUMP]       = { jump_always, { 0 },                                            TEMPS(0, 0), TEMPS(0, 0) },
	[GLLM_V_BRANCH]     = { branch,      { 0 },                                            TEMPS(0, 0), TEMPS(0, 0) },
	[GLLM_V_BRANCHI]    = { branchi,     { 0 },                                            TEMPS(0, 0), TEMPS(0, 0) },
	[GLLM_V_LOOP_BEGIN] = { nothing,     { 0 },                                            TEMPS(0, 0), TEMPS(0, 0) },
	[GLLM_V_LOOP_END]   = { nothing,     { 0 },                                            TEMPS(0, 0), TEMPS(0, 0) },
	[GLLM_V_PREFETCH]   = { prefetch,    { 0 },                                            TEMPS(0, 0), TEMPS(0, 0) },
	[GLLM_V_FENCE]      = { fence,       { 0 },                                            TEMPS(0, 0), TEMPS(0, 0) },
	[GLLM_V_RET]        = { ret,         { 0 },                                            TEMPS(0, 0), TEMPS(0, 0) },
};

static bool accesses(const struct gllm_vi *i)
{
	return i->op == GLLM_V_GLOAD || i->op == GLLM_V_GSTORE || i->op == GLLM_V_PREFETCH || i->op == GLLM_V_VLOAD ||
	       i->op == GLLM_V_VSTORE || i->op == GLLM_V_VBCAST || i->op == GLLM_V_VPAIR;
}

static bool far_index(const struct gllm_vi *i) /* its scale is more than the ISA's */
{
	return i->b != GLLM_NO_VREG && accesses(i);
}

struct gllm_need gllm_x86_need(const struct gllm_vi *i)
{
	struct gllm_need n = gllm_x86_rule(i->op)->need;

	if (i->scale > 3)
		n.g = (uint8_t)(n.g + far_index(i));
	if (i->op == GLLM_V_VZIP && i->imm >= 4)
		n.v = 2;
	if (i->op == GLLM_V_VSTORE && i->mem != i->type)
		n.v = i->mem == GLLM_BF16 ? 3 : 2;
	if (i->m != GLLM_NO_VREG && (i->op == GLLM_V_VLOAD || i->op == GLLM_V_VSTORE) && gllm_x86_narrow(i)) {
		n.g++;
		if (i->op == GLLM_V_VLOAD && i->lanes != 1)
			n.v = 1;
	}
	return n;
}

struct gllm_need gllm_x86_need_wide(const struct gllm_vi *i)
{
	const struct gllm_x86_rule *rule = gllm_x86_rule(i->op);

	if (i->scale <= 3 && i->op != GLLM_V_VNEG && i->op != GLLM_V_VSTORE && i->op != GLLM_V_VSCALEM)
		return rule->wide;
	struct gllm_need n = rule->wide;
	if (i->scale > 3)
		n.g = (uint8_t)(n.g + far_index(i));
	if (i->op == GLLM_V_VSCALEM)
		n.apart = i->imm != 0;
	else if (i->op == GLLM_V_VNEG && i->type == GLLM_F32)
		n.v = 0;
	else if (i->op == GLLM_V_VSTORE && i->type == GLLM_F32 && i->mem != GLLM_F32 && i->mem != GLLM_F16)
		n.v = 1;
	return n;
}

void gllm_x86_select(const struct gllm_vir *v, const struct gllm_machine *m, const struct gllm_allocation *a,
                     struct gllm_code *code, uint32_t *offsets)
{
	gen g = { .v = v, .m = m, .a = a, .code = code, .at = offsets ? offsets : a->offset, .bits = 8u * m->vector_bytes,
	          .vl = m->vector_bytes == 64 ? 2 : 1, .pending = UINT32_MAX,
	          .lanes = m->vector_bytes / (v->halves ? 2u : 4u), .wide = m->vector_bytes == 64 };

	if (v->status != GLLM_OK)
		gllm_x86_quit(&g, v->status);
	if (code->status != GLLM_OK)
		return;
	gllm_x86_prologue(&g);
	for (g.i = 0; g.i < v->n && code->status == GLLM_OK; g.i++) {
		g.at[g.i] = (uint32_t)code->used;
		gllm_x86_rule(v->ins[g.i].op)->emit(&g, &v->ins[g.i]);
	}
	patch(&g);
}
