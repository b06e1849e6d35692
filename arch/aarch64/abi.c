/* SPDX-License-Identifier: MIT
 * arch/aarch64/abi.c - what a compiled function may use and must give back: registers, stack, floating-point state.
 *
 * The stack, from sp upwards: spill slots, the caller's FPCR, the saved x19..x28 and d8..d15 that are used. sp stays a
 * multiple of 16 and nothing lies below it at any time. Ours is FPCR 0: to nearest even, denormals kept, no traps. */
#include "arch/aarch64/gen.h"

static bool disp_ok(int64_t disp, unsigned bytes)
{
	return disp >= -256 && (disp < 256 || (disp % bytes == 0 && disp < (int64_t)4096 * bytes));
}

/* An addition makes any other address. */
static bool disp_ok_sve(int64_t disp, unsigned bytes)
{
	(void)bytes;
	return disp > -4096 && disp < 4096;
}

/* Operations that need temporaries, whatever their operands. */
static const bool asks_neon[GLLM_V_COUNT] = {
	[GLLM_V_VINDEX] = true, [GLLM_V_VMIN] = true, [GLLM_V_VMAX] = true, [GLLM_V_VLDEXP] = true, [GLLM_V_VFMA] = true,
	[GLLM_V_VFNMA] = true, [GLLM_V_VDOT] = true, [GLLM_V_VTILE] = true, [GLLM_V_VUNORD] = true, [GLLM_V_MTAIL] = true,
	[GLLM_V_VREDUCE] = true, [GLLM_V_VHPAIR] = true,
};
static const bool asks_sve[GLLM_V_COUNT] = {
	[GLLM_V_VLDEXP] = true, [GLLM_V_VDOT] = true, [GLLM_V_VTILE] = true, [GLLM_V_VREDUCE] = true, [GLLM_V_VHPAIR] = true,
	[GLLM_V_VZIP] = true,
};

/* 32 registers of the profile's length, and masks in p1..p6: p0 and p7 are select's. */
static void widen(struct gllm_machine *out, uint16_t bytes)
{
	out->vector_bytes = bytes;
	out->halves = bytes / 2 <= GLLM_VIR_LANES; /* SVE has them all */
	out->widens = out->profile->have & GLLM_BIT(GLLM_A64_SVE2);
	out->has_mask = true;
	out->adds_over = false; /* FMAD is put over a factor */
	out->slow_bcast = false;
	out->has_widen = false; /* loads widen */
	out->class_file[GLLM_CLASS_M] = 2;
	out->disp_ok = disp_ok_sve;
	out->need = gllm_a64_need_sve;
	out->asks = asks_sve;
	for (uint8_t k = 0; k < 6; k++)
		out->order[2][k] = (uint8_t)(k + 1);
	out->norder[2] = 6;
	out->allocatable[2] = 0x7e;
	out->timing = gllm_a64_timing_sve;
	out->units[GLLM_UNIT_LOAD] = out->units[GLLM_UNIT_STORE] = 2;
	out->width = 8;
	out->window = 120;
}

/* Trees over lanes want a power of two; a vector of another length serves as NEON's. */
static bool scalable(const struct gllm_profile *p)
{
	unsigned n = p->vector_bytes;

	return (p->have & GLLM_BIT(GLLM_A64_SVE)) && n >= 16 && n <= 256 && (n & (n - 1)) == 0;
}

/* Elements are read as words: none where that needs alignment. */
static uint8_t dots_of(const struct gllm_profile *p)
{
	unsigned bf16 = p->have & GLLM_BIT(GLLM_A64_BF16) && !p->slow_bf16 ? GLLM_DOT_BF16 : 0;
	unsigned same = p->have & GLLM_BIT(GLLM_A64_DOTPROD) ? GLLM_DOT_I8 | GLLM_DOT_U8 : 0;
	unsigned mixed = p->have & GLLM_BIT(GLLM_A64_I8MM) ? GLLM_DOT_U8_I8 : 0;

	return p->strict_align ? 0 : (uint8_t)(bf16 | same | mixed);
}

/* Twice as many products in an instruction of the same rate, as Arm's guides of the Neoverse V1 and N2 have it. */
static uint8_t tiles_of(const struct gllm_profile *p)
{
	unsigned bf16 = p->have & GLLM_BIT(GLLM_A64_BF16) && !p->slow_bf16 ? GLLM_DOT_BF16 : 0;
	unsigned bytes = p->have & GLLM_BIT(GLLM_A64_I8MM) ? GLLM_DOT_I8 | GLLM_DOT_U8 | GLLM_DOT_U8_I8 : 0;

	return p->strict_align ? 0 : (uint8_t)(bf16 | bytes);
}

enum gllm_status gllm_a64_machine(const struct gllm_profile *p, struct gllm_machine *out)
{
	const uint64_t need = GLLM_BIT(GLLM_A64_FP) | GLLM_BIT(GLLM_A64_NEON);
	unsigned n = 0;

	if (p->isa != GLLM_ISA_AARCH64 || (p->have & need) != need)
		return GLLM_NO_FEATURE;
	*out = (struct gllm_machine){
		.profile = p, .vector_bytes = 16, .has_mask = false, .has_fma = true, .adds_over = true, .slow_bcast = true, .zips = true,
		.has_widen = true, .has_unsigned = true, .one_converts = true, .slow_fma = p->slow_fma,
		.class_file = { [GLLM_CLASS_G] = 0, [GLLM_CLASS_V] = 1, [GLLM_CLASS_M] = 1 },
		.norder = { 26, 32, 0 },
		.preserved = { UINT32_C(0x3ff) << 19, UINT32_C(0xff) << 8, 0 },
		.allocatable = { 0, UINT32_MAX, 0 },
		.timing = gllm_a64_timing_neon, .width = 3, .window = 96,
		.units = { [GLLM_UNIT_G] = 2, [GLLM_UNIT_LOAD] = 1, [GLLM_UNIT_STORE] = 1, [GLLM_UNIT_V] = 2 },
		.stack = A64_SP, .disp_ok = disp_ok, .need = gllm_a64_need_neon, .asks = asks_neon,
		.dots = dots_of(p), .tiles = tiles_of(p),
		.halves = p->have & GLLM_BIT(GLLM_A64_FP16), .widens = p->have & GLLM_BIT(GLLM_A64_FHM),
	};
	for (uint8_t k = 0; k < 29; k++)
		if (k < A64_IP0 || k > 18) {
			out->order[0][n++] = k;
			out->allocatable[0] |= UINT32_C(1) << k;
		}
	for (uint8_t k = 0; k < 32; k++) /* v0..v7, v16..v31, v8..v15 */
		out->order[1][k] = k < 8 ? k : k < 24 ? (uint8_t)(k + 8) : (uint8_t)(k - 16);
	for (uint8_t k = 0; k < GLLM_VIR_FIRST_FREE; k++)
		out->entry[k] = k;
	if (scalable(p))
		widen(out, (uint16_t)p->vector_bytes);
	if (p->in_order)
		out->window = 0;
	return GLLM_OK;
}

enum { FPCR_SLOT = 0, SAVE_SLOTS = 8 };

/* Stores or loads what is saved; returns the bytes of the area, a multiple of 16. */
static uint32_t save_area(struct gllm_a64_gen *g, bool emit, bool restore)
{
	const struct gllm_machine *m = g->m;
	int64_t at = SAVE_SLOTS;

	for (unsigned k = 0; k < 32; k++)
		if (m->preserved[0] & g->a->used[0] & UINT32_C(1) << k) {
			if (emit)
				i2(g, restore ? A64_LDR_X : A64_STR_X, a64_x(k), a64_mem(A64_SP, at));
			at += 8;
		}
	for (unsigned k = 0; k < 32; k++)
		if (m->preserved[1] & g->a->used[1] & UINT32_C(1) << k) {
			if (emit)
				i2(g, restore ? A64_LDR_D : A64_STR_D, a64_d(k), a64_mem(A64_SP, at));
			at += 8;
		}
	return (uint32_t)gllm_round_up((uint64_t)at, 16);
}

static void move_sp(struct gllm_a64_gen *g, unsigned row, uint32_t bytes)
{
	if (bytes >> 12)
		i3(g, row, a64_x(A64_SP), a64_x(A64_SP), a64_imm_shifted(bytes >> 12, 12));
	if (bytes & 4095)
		i3(g, row, a64_x(A64_SP), a64_x(A64_SP), a64_imm(bytes & 4095));
}

void gllm_a64_prologue(struct gllm_a64_gen *g)
{
	i1(g, A64_HINT, a64_imm(A64_HINT_BTI_C));
	if (g->a->frame_bytes >= UINT32_C(1) << 24)
		gllm_a64_quit(g, GLLM_COMPILE_ERROR);
	move_sp(g, A64_SUBI_X, save_area(g, false, false));
	save_area(g, true, false);
	i2(g, A64_MRS, a64_x(A64_IP0), a64_imm(A64_FPCR));
	i2(g, A64_STR_X, a64_x(A64_IP0), a64_mem(A64_SP, FPCR_SLOT));
	i2(g, A64_MSR, a64_imm(A64_FPCR), a64_x(A64_ZR));
	move_sp(g, A64_SUBI_X, g->a->frame_bytes);
	if (gllm_a64_is_sve(g->m))
		gllm_a64_sve_begin(g);
}

void gllm_a64_epilogue(struct gllm_a64_gen *g)
{
	move_sp(g, A64_ADDI_X, g->a->frame_bytes);
	i2(g, A64_LDR_X, a64_x(A64_IP0), a64_mem(A64_SP, FPCR_SLOT));
	i2(g, A64_MSR, a64_imm(A64_FPCR), a64_x(A64_IP0));
	save_area(g, true, true);
	move_sp(g, A64_ADDI_X, save_area(g, false, false));
	i1(g, A64_RET, a64_x(30));
}
