/* SPDX-License-Identifier: MIT
 * arch/x86_64/abi.c - what a compiled function may use and must give back: registers, stack, floating-point state.
 *
 * The frame, from rsp upwards: spill slots (64-byte aligned), then a block of 64 bytes with the caller's MXCSR, ours, the
 * caller's rsp, a word of only lanes' sign bits and one of all others, the bytes 0, 1 .. 15, and three words for rounding to
 * BF16. Without spill slots the rsp is not kept and needs no alignment. Nothing lies below rsp at any time. */
#include "arch/x86_64/gen.h"

enum {
	MXCSR_OURS = 0x1f80, MXCSR_FLAGS = 0x3f, /* round to nearest even, denormals kept, no exception trapped */
	OLD_MXCSR = 0, NEW_MXCSR = 4, OLD_RSP = 8, SIGN = 16, SIZE = 20, COUNT = 24, WORDS = 40, BLOCK = 64, SMALL_BLOCK = 56
};

static const uint8_t callee_saved[] = { X86_RBX, X86_RBP, X86_R12, X86_R13, X86_R14, X86_R15 };

static bool disp_ok(int64_t disp, unsigned bytes)
{
	(void)bytes;
	return disp >= INT32_MIN && disp <= INT32_MAX - 256;
}

/* 32 registers of 512 bits, and masks in k1..k6: k0 means no mask, k7 is select's. */
static void widen(struct gllm_machine *out)
{
	out->past = true; /* a line at once: in halves, with loads between them, silu of 64 MiB takes 2.5 times as long */
	out->vector_bytes = 64;
	out->loads_addends = true;
	out->has_scale = true;
	out->has_addm = true;
	out->has_unsigned = true;
	out->has_copysign = true;
	out->picks = true;
	out->halves = out->profile->have & GLLM_BIT(GLLM_X86_AVX512FP16);
	out->slow_half_div = true; /* 1.5 and 1.9 times on Sapphire Rapids */
	if ((out->profile->have & GLLM_BIT(GLLM_X86_AVX512BF16)) && !out->profile->slow_bf16)
		out->dots |= GLLM_DOT_BF16;
	if (out->profile->have & GLLM_BIT(GLLM_X86_AVX512VNNI))
		out->dots |= GLLM_DOT_U8_I8;
	out->class_file[GLLM_CLASS_M] = 2;
	out->need = gllm_x86_need_wide;
	out->takes = gllm_x86_takes_wide;
	for (uint8_t k = 0; k < 32; k++)
		out->order[1][k] = k;
	for (uint8_t k = 0; k < 6; k++)
		out->order[2][k] = (uint8_t)(k + 1);
	out->norder[1] = 32;
	out->norder[2] = 6;
	out->allocatable[1] = UINT32_MAX;
	out->allocatable[2] = 0x7e;
}

/* Operations that need temporaries at either width, whatever their operands. */
static const bool asks[GLLM_V_COUNT] = {
	[GLLM_V_GDIVI] = true, [GLLM_V_VINDEX] = true, [GLLM_V_VNEG] = true, [GLLM_V_VABS] = true, [GLLM_V_VLDEXP] = true,
	[GLLM_V_VDOT] = true, [GLLM_V_VLT] = true, [GLLM_V_VLE] = true, [GLLM_V_MNOT] = true, [GLLM_V_MTAIL] = true,
	[GLLM_V_VREDUCE] = true, [GLLM_V_VHPAIR] = true, [GLLM_V_VZIP] = true, [GLLM_V_VPICK] = true, [GLLM_V_VSCALEM] = true,
};

enum gllm_status gllm_x86_machine(const struct gllm_profile *p, struct gllm_machine *out)
{
	static const uint8_t gpr[] = { X86_RCX, X86_RDX, X86_RSI, X86_RDI, X86_R8, X86_R9, X86_R10, X86_R11,
	                               X86_RBX, X86_RBP, X86_R12, X86_R13, X86_R14, X86_R15 };
	static const uint8_t entry[] = { X86_RDI, X86_RSI, X86_RDX, X86_RCX, X86_R8 };
	const uint64_t need = GLLM_BIT(GLLM_X86_AVX) | GLLM_BIT(GLLM_X86_AVX2) | GLLM_BIT(GLLM_X86_FMA) |
	                      GLLM_BIT(GLLM_X86_F16C);
	const uint64_t wide = GLLM_BIT(GLLM_X86_AVX512F) | GLLM_BIT(GLLM_X86_AVX512BW) | GLLM_BIT(GLLM_X86_AVX512DQ) |
	                      GLLM_BIT(GLLM_X86_AVX512VL) | GLLM_BIT(GLLM_X86_BMI2);

	if (p->isa != GLLM_ISA_X86_64 || (p->have & need) != need)
		return GLLM_NO_FEATURE;
	*out = (struct gllm_machine){
		.profile = p, .vector_bytes = 32, .has_mask = true, .has_fma = true, .zips = true, .slow_fma = p->slow_fma,
		.class_file = { [GLLM_CLASS_G] = 0, [GLLM_CLASS_V] = 1, [GLLM_CLASS_M] = 1 },
		.norder = { sizeof gpr, 16, 0 },
		.timing = gllm_x86_timing, .width = 6, .window = 240, .takes = gllm_x86_takes,
		.waiting = 48, /* half of Golden Cove's scheduler, most of what Zen's for vectors hold */
		.units = { [GLLM_UNIT_G] = 4, [GLLM_UNIT_LOAD] = 2, [GLLM_UNIT_STORE] = 1, [GLLM_UNIT_V] = 2 },
		.stack = X86_RSP, .disp_ok = disp_ok, .disp_reach = INT32_MAX - 256, .need = gllm_x86_need, .asks = asks,
	};
	for (unsigned k = 0; k < sizeof gpr; k++) {
		out->order[0][k] = gpr[k];
		out->allocatable[0] |= UINT32_C(1) << gpr[k];
	}
	for (unsigned k = 0; k < sizeof callee_saved; k++)
		out->preserved[0] |= UINT32_C(1) << callee_saved[k];
	for (uint8_t k = 0; k < 16; k++)
		out->order[1][k] = k;
	out->allocatable[1] = 0xffff;
	for (unsigned k = 0; k < sizeof entry; k++)
		out->entry[k] = entry[k];
	if (p->vector_bytes == 64 && (p->have & wide) == wide)
		widen(out);
	return GLLM_OK;
}

static struct gllm_operand slot(const struct gllm_x86_gen *g, unsigned at)
{
	return x86_mem(X86_RSP, GLLM_NO_REG, 0, (int64_t)g->a->frame_bytes + at, 0);
}

static bool saved(const struct gllm_x86_gen *g, unsigned k)
{
	return g->a->used[0] >> callee_saved[k] & 1;
}

enum { NEEDS_SIGN = 1, NEEDS_COUNT = 2, NEEDS_WORDS = 4 };

/* The constants in the frame that operations ask for, narrow and wide; a store does where it rounds to BF16. */
static const uint8_t constants[2][GLLM_V_COUNT] = {
	{ [GLLM_V_VINDEX] = NEEDS_COUNT, [GLLM_V_MTAIL] = NEEDS_COUNT, [GLLM_V_VSTORE] = NEEDS_WORDS },
	{ [GLLM_V_VINDEX] = NEEDS_COUNT, [GLLM_V_VNEG] = NEEDS_SIGN, [GLLM_V_VABS] = NEEDS_SIGN, [GLLM_V_VCOPYSIGN] = NEEDS_SIGN,
	  [GLLM_V_VSCALEM] = NEEDS_SIGN,
	  [GLLM_V_VSTORE] = NEEDS_WORDS },
};

static unsigned constants_of(const struct gllm_x86_gen *g)
{
	const uint8_t *of = constants[g->wide];
	unsigned needs = 0;

	for (const struct gllm_vi *i = g->v->ins, *end = i + g->v->n; i < end; i++)
		if (of[i->op] && (i->op != GLLM_V_VSCALEM || i->imm) && (i->op != GLLM_V_VSTORE || (i->type == GLLM_F32 && i->mem == GLLM_BF16)))
			needs |= of[i->op];
	return needs;
}

static void put_constants(struct gllm_x86_gen *g)
{
	const struct gllm_operand rax = x86_gpr(X86_RAX, 64);
	static const int32_t word[] = { [X86_WORD_ONE] = 1, [X86_WORD_BELOW_HALF] = 0x7fff, [X86_WORD_QUIET] = 0x400000 };
	unsigned needs = constants_of(g);

	for (unsigned k = 0; k < GLLM_COUNT(word) && (needs & NEEDS_WORDS); k++) {
		x2(g, X86_MOV_RI, x86_gpr(X86_RAX, 32), x86_imm(word[k]));
		x2(g, X86_MOV_MR, slot(g, WORDS + 4 * k), x86_gpr(X86_RAX, 32));
	}
	if (needs & NEEDS_SIGN) {
		const int32_t sign = g->v->halves ? (int32_t)0x80008000 : INT32_MIN;

		x2(g, X86_MOV_RI, x86_gpr(X86_RAX, 32), x86_imm(sign));
		x2(g, X86_MOV_MR, slot(g, SIGN), x86_gpr(X86_RAX, 32));
		x2(g, X86_MOV_RI, x86_gpr(X86_RAX, 32), x86_imm(~sign));
		x2(g, X86_MOV_MR, slot(g, SIZE), x86_gpr(X86_RAX, 32));
	}
	if (!(needs & NEEDS_COUNT))
		return;
	x2(g, X86_MOV_RI64, rax, x86_imm(INT64_C(0x0706050403020100)));
	x2(g, X86_MOV_MR, slot(g, COUNT), rax);
	if (!g->wide)
		return;
	x2(g, X86_MOV_RI64, rax, x86_imm(INT64_C(0x0f0e0d0c0b0a0908)));
	x2(g, X86_MOV_MR, slot(g, COUNT + 8), rax);
}

/* A jump, taken where the caller's MXCSR controls what ours does: then it is not loaded. Loading it takes as long as a short
 * kernel, and 70 ns where that clears flags which the kernel has raised; those the ABI leaves to callers. */
static size_t unless_other(struct gllm_x86_gen *g)
{
	const struct gllm_operand old = slot(g, OLD_MXCSR);

	gllm_x86_gm(g, X86_MOV_RM, 32, X86_RAX, &old);
	gllm_x86_gi(g, X86_AND_MI8, 32, 0, X86_RAX, -MXCSR_FLAGS - 1);
	gllm_x86_gi(g, X86_CMP_MI, 32, 0, X86_RAX, MXCSR_OURS);
	return gllm_x86_hop(g, X86_E);
}

void gllm_x86_prologue(struct gllm_x86_gen *g)
{
	const struct gllm_operand old_rsp = slot(g, OLD_RSP), old = slot(g, OLD_MXCSR), new = slot(g, NEW_MXCSR);

	x0(g, X86_ENDBR64);
	for (unsigned k = 0; k < sizeof callee_saved; k++)
		if (saved(g, k))
			gllm_x86_stack(g, X86_PUSH_R, callee_saved[k]);
	if (g->a->frame_bytes) {
		gllm_x86_g(g, X86_MOV_RM, 64, X86_RAX, X86_RSP);
		gllm_x86_gi(g, X86_SUB_MI, 64, 0, X86_RSP, (int32_t)(g->a->frame_bytes + BLOCK));
		gllm_x86_gi(g, X86_AND_MI8, 64, 0, X86_RSP, -64);
		gllm_x86_gm(g, X86_MOV_MR, 64, X86_RAX, &old_rsp);
	} else {
		gllm_x86_gi(g, X86_SUB_MI8, 64, 0, X86_RSP, SMALL_BLOCK);
	}
	gllm_x86_state(g, X86_VSTMXCSR, &old);
	size_t ours = unless_other(g);
	gllm_x86_word_constant(g, X86_RAX, MXCSR_OURS);
	gllm_x86_gm(g, X86_MOV_MR, 32, X86_RAX, &new);
	gllm_x86_state(g, X86_VLDMXCSR, &new);
	gllm_x86_land(g, ours);
	put_constants(g);
}

struct gllm_operand gllm_x86_sign(const struct gllm_x86_gen *g)
{
	return slot(g, SIGN);
}

struct gllm_operand gllm_x86_size(const struct gllm_x86_gen *g)
{
	return slot(g, SIZE);
}

struct gllm_operand gllm_x86_word(const struct gllm_x86_gen *g, enum gllm_x86_word k)
{
	return slot(g, WORDS + 4 * (unsigned)k);
}

struct gllm_operand gllm_x86_count(const struct gllm_x86_gen *g)
{
	return slot(g, COUNT);
}

void gllm_x86_epilogue(struct gllm_x86_gen *g)
{
	const struct gllm_operand old_rsp = slot(g, OLD_RSP), old = slot(g, OLD_MXCSR);

	size_t ours = unless_other(g);
	gllm_x86_state(g, X86_VLDMXCSR, &old);
	gllm_x86_land(g, ours);
	x0(g, X86_VZEROUPPER);
	if (g->a->frame_bytes)
		gllm_x86_gm(g, X86_MOV_RM, 64, X86_RSP, &old_rsp);
	else
		gllm_x86_gi(g, X86_ADD_MI8, 64, 0, X86_RSP, SMALL_BLOCK);
	for (unsigned k = sizeof callee_saved; k-- > 0;)
		if (saved(g, k))
			gllm_x86_stack(g, X86_POP_R, callee_saved[k]);
	x0(g, X86_RET);
}
