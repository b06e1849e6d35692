/* SPDX-License-Identifier: MIT
 * arch/aarch64/form.c - the table of insn.def with its masks, and the readings of fields that need arithmetic.
 *
 * The two arrays are the same rows in the same order; the keys stand apart so that decoding walks eight bytes a row. */
#include "arch/aarch64/form.h"

#define GROUP(id)
#define P0 ~0u
#define P1(a) ~(uint32_t)((a) >> 32)
#define P2(a, b) ~(uint32_t)(((a) | (b)) >> 32)
#define P3(a, b, c) ~(uint32_t)(((a) | (b) | (c)) >> 32)
#define P4(a, b, c, d) ~(uint32_t)(((a) | (b) | (c) | (d)) >> 32)
const struct gllm_a64_key gllm_a64_key[A64_ROW_COUNT] = {
#define X(id, text, fixed, operands, isa, sem) { (uint32_t)(fixed), operands },
#include "arch/aarch64/insn.def"
#undef X
};
#undef P0
#undef P1
#undef P2
#undef P3
#undef P4

/* In parentheses a list passes through the family macros as one argument. */
#define P0 (0)
#define P1(a) (a)
#define P2(a, b) (a, b)
#define P3(a, b, c) (a, b, c)
#define P4(a, b, c, d) (a, b, c, d)
#define LIST(...) { __VA_ARGS__ }
#define BASE 0
#define FP GLLM_BIT(GLLM_A64_FP)
#define NEON (GLLM_BIT(GLLM_A64_FP) | GLLM_BIT(GLLM_A64_NEON))
#define FP16 (NEON | GLLM_BIT(GLLM_A64_FP16))
#define DOTPROD (NEON | GLLM_BIT(GLLM_A64_DOTPROD))
#define BF16 (NEON | GLLM_BIT(GLLM_A64_BF16))
#define I8MM (NEON | GLLM_BIT(GLLM_A64_I8MM))
#define FHM (NEON | GLLM_BIT(GLLM_A64_FHM))
#define SVE (NEON | GLLM_BIT(GLLM_A64_SVE))
#define SVE_BF16 (SVE | GLLM_BIT(GLLM_A64_BF16))
#define SVE2 (SVE | GLLM_BIT(GLLM_A64_SVE2))
#define SVE_I8MM (SVE | GLLM_BIT(GLLM_A64_I8MM))
const struct gllm_a64_info gllm_a64_info[A64_ROW_COUNT] = {
#define X(id, text, fixed, operands, isa, sem) { text, LIST operands, isa, sem },
#include "arch/aarch64/insn.def"
#undef X
};

uint64_t gllm_a64_features(const struct gllm_insn *in)
{
	return in->row < A64_ROW_COUNT ? gllm_a64_info[in->row].features : 0;
}

static struct gllm_a64_shape general(unsigned size, unsigned r31)
{
	return (struct gllm_a64_shape){ .cls = GLLM_R_GPR, .size = (uint16_t)size, .r31 = (uint8_t)r31 };
}
static struct gllm_a64_shape scalar(unsigned size)
{
	return (struct gllm_a64_shape){ .cls = GLLM_R_VEC, .size = (uint16_t)size };
}
static struct gllm_a64_shape vector(unsigned lane, bool whole)
{
	return (struct gllm_a64_shape){ .cls = GLLM_R_VEC, .size = whole ? 128 : 64, .lane = (uint8_t)lane };
}
static struct gllm_a64_shape scalable(unsigned lane)
{
	return (struct gllm_a64_shape){ .cls = GLLM_R_VEC, .lane = (uint8_t)lane };
}
static struct gllm_a64_shape predicate(unsigned lane, unsigned governs)
{
	return (struct gllm_a64_shape){ .cls = GLLM_R_MASK, .lane = (uint8_t)lane, .amount = (uint8_t)governs };
}

/* log2 of the bits of a shifted element: 3 + the position of the leading one of bits 22:19. */
static unsigned shift_element(uint32_t fixed)
{
	return fixed >> 22 & 1 ? 6 : fixed >> 21 & 1 ? 5 : fixed >> 20 & 1 ? 4 : 3;
}

struct gllm_a64_shape gllm_a64_shape(enum a64_form form, uint32_t fixed)
{
	bool q = fixed >> 30 & 1, sf = fixed >> 31, one = fixed >> 22 & 1;
	unsigned size = fixed >> 22 & 3;
	switch (form) {
	case A64_F_W: return general(32, A64_ZR);
	case A64_F_X: return general(64, A64_ZR);
	case A64_F_WSP: return general(32, A64_SP);
	case A64_F_XSP: return general(64, A64_SP);
	case A64_F_G: return general(sf ? 64 : 32, A64_ZR);
	case A64_F_GSP: return general(sf ? 64 : 32, A64_SP);
	case A64_F_B: return scalar(8);
	case A64_F_H: return scalar(16);
	case A64_F_S: return scalar(32);
	case A64_F_D: return scalar(64);
	case A64_F_Q: return scalar(128);
	case A64_F_F: return scalar(size == 3 ? 16 : 32u << size);
	case A64_F_F1: return scalar(one ? 64 : 32);
	case A64_F_V8B: return vector(A64_EB, false);
	case A64_F_V16B: return vector(A64_EB, true);
	case A64_F_V4H: return vector(A64_EH, false);
	case A64_F_V8H: return vector(A64_EH, true);
	case A64_F_V2S: return vector(A64_ES, false);
	case A64_F_V4S: return vector(A64_ES, true);
	case A64_F_V2D: return vector(A64_ED, true);
	case A64_F_VF: return vector(one ? A64_ED : A64_ES, q);
	case A64_F_VI: return vector(A64_EB + size, q);
	case A64_F_VIW: return vector(A64_EB + size + 1, true);
	case A64_F_VIP: return vector(A64_EB + size + 1, q);
	case A64_F_VB: return vector(A64_EB, q);
	case A64_F_VH: return vector(A64_EH, q);
	case A64_F_VS: return vector(A64_ES, q);
	case A64_F_V2H: return (struct gllm_a64_shape){ .cls = GLLM_R_VEC, .size = 32, .lane = A64_EH };
	case A64_F_VSH: return vector(shift_element(fixed), q);
	case A64_F_VSHW: return vector(shift_element(fixed) + 1, true);
	case A64_F_VLS: return vector(A64_EB + (fixed >> 10 & 3), q);
	case A64_F_ZB: return scalable(A64_EB);
	case A64_F_ZH: return scalable(A64_EH);
	case A64_F_ZS: return scalable(A64_ES);
	case A64_F_ZD: return scalable(A64_ED);
	case A64_F_ZT: return scalable(A64_EB + size);
	case A64_F_ZN: return scalable(0);
	case A64_F_PB: return predicate(A64_EB, 0);
	case A64_F_PT: return predicate(A64_EB + size, 0);
	case A64_F_PZ: return predicate(0, A64_ZEROING);
	case A64_F_PM: return predicate(0, A64_MERGING);
	case A64_F_PN: return predicate(0, 0);
	case A64_FORM_COUNT: break;
	}
	return (struct gllm_a64_shape){ 0 };
}

bool gllm_a64_unpredictable(const struct gllm_insn *in)
{
	if (in->n < 2 || in->op[in->n - 1].kind != GLLM_O_MEM || in->op[0].kind != GLLM_O_REG)
		return false;
	const struct gllm_operand *mem = &in->op[in->n - 1];
	bool pair = in->n == 3 && in->op[1].cls == in->op[0].cls;
	if (pair && gllm_a64_info[in->row].op[0] & WR && in->op[0].reg == in->op[1].reg)
		return true;
	if (mem->amount == A64_OFFSET || in->op[0].cls != GLLM_R_GPR || mem->base == A64_SP)
		return false;
	return mem->base == in->op[0].reg || (pair && mem->base == in->op[1].reg);
}

static uint64_t ones(unsigned n) { return n >= 64 ? ~UINT64_C(0) : (UINT64_C(1) << n) - 1; }

/* The element is a run of imms + 1 ones, rotated right by immr, repeated. Its size is told by N and the leading ones of
 * imms. */
bool gllm_a64_bitmask_get(uint32_t n_immr_imms, unsigned size, uint64_t *pattern)
{
	uint32_t n = n_immr_imms >> 12 & 1, immr = n_immr_imms >> 6 & 63, imms = n_immr_imms & 63;
	uint32_t key = n << 6 | (~imms & 63);
	unsigned log = 0;
	while (key >> (log + 1))
		log++;
	unsigned width = 1u << log;
	if (key < 2 || width > size)
		return false;
	unsigned run = (imms & (width - 1)) + 1, rotate = immr & (width - 1);
	if (run == width)
		return false;
	uint64_t element = ones(run);
	if (rotate)
		element = (element >> rotate | element << (width - rotate)) & ones(width);
	for (unsigned w = width; w < size; w *= 2)
		element |= element << w;
	*pattern = element;
	/* Bits of immr above the element are ignored by the hardware but never written by us: such words are refused. */
	return immr == rotate;
}

bool gllm_a64_bitmask_put(uint64_t pattern, unsigned size, uint32_t *n_immr_imms)
{
	if (size == 32) {
		if (pattern >> 32)
			return false;
		pattern |= pattern << 32;
	}
	if (pattern == 0 || pattern == ~UINT64_C(0))
		return false;
	unsigned width = 64;
	while (width > 2 && (pattern & ones(width / 2)) == (pattern >> (width / 2) & ones(width / 2)))
		width /= 2;
	uint64_t element = pattern & ones(width);
	unsigned run = 0, rotate = 0;
	for (unsigned i = 0; i < width; i++)
		run += element >> i & 1;
	while (rotate < width) { /* rotate left until the ones lie at the bottom */
		uint64_t turned = rotate ? (element << rotate | element >> (width - rotate)) & ones(width) : element;
		if (turned == ones(run))
			break;
		rotate++;
	}
	if (rotate == width)
		return false;
	uint32_t imms = ((~(width - 1) << 1) & 63) | (run - 1);
	*n_immr_imms = (uint32_t)(width == 64) << 12 | rotate << 6 | imms;
	return true;
}

bool gllm_a64_is_bitmask(uint64_t pattern, unsigned size)
{
	uint32_t unused;
	return gllm_a64_bitmask_put(pattern, size, &unused);
}

/* abcdefgh: sign a, exponent NOT(b) then b repeated then cd, fraction efgh. */
uint64_t gllm_a64_float_get(unsigned imm8, unsigned size)
{
	unsigned exponent = size == 16 ? 5 : size == 32 ? 8 : 11, fraction = size - 1 - exponent;
	uint64_t b = imm8 >> 6 & 1;
	uint64_t e = (b ^ 1) << (exponent - 1) | (b ? ones(exponent - 3) : 0) << 2 | (imm8 >> 4 & 3);
	return (uint64_t)(imm8 >> 7 & 1) << (size - 1) | e << fraction | (uint64_t)(imm8 & 15) << (fraction - 4);
}

bool gllm_a64_float_put(uint64_t pattern, unsigned size, unsigned *imm8)
{
	unsigned exponent = size == 16 ? 5 : size == 32 ? 8 : 11, fraction = size - 1 - exponent;
	*imm8 = (unsigned)(pattern >> (size - 1) & 1) << 7 | (unsigned)(pattern >> (fraction + 2) & 1) << 6 |
	        (unsigned)(pattern >> fraction & 3) << 4 | (unsigned)(pattern >> (fraction - 4) & 15);
	return gllm_a64_float_get(*imm8, size) == pattern;
}
