/* SPDX-License-Identifier: MIT
 * arch/aarch64/text.c - an instruction in the assembler's spelling.
 *
 * The preferred alias is printed (mov, cmp, lsl, cset, ubfx, ...), as disassemblers do: an alias is a row, a condition on
 * its operands, another word and the operands that remain. Numbers are decimal, bit patterns and addresses hexadecimal. */
#include "arch/aarch64/form.h"
#include "core/bits.h"
#include "core/fmt.h"

static void put_address(struct gllm_line *t, uint64_t v)
{
	gllm_put_string(t, "0x");
	gllm_put_hex(t, v, 1);
}

static void put_imm(struct gllm_line *t, int64_t v)
{
	gllm_put_char(t, '#');
	gllm_put_signed(t, v);
}

static const char *const shift_name[] = { "lsl", "lsr", "asr", "ror",
	"uxtb", "uxth", "uxtw", "uxtx", "sxtb", "sxth", "sxtw", "sxtx" };
static const char *const cond_name[] = { "eq", "ne", "hs", "lo", "mi", "pl", "vs", "vc",
	"hi", "ls", "ge", "lt", "gt", "le", "al", "nv" };

static void put_general(struct gllm_line *t, unsigned reg, unsigned size)
{
	if (reg == A64_SP) {
		gllm_put_string(t, size == 64 ? "sp" : "wsp");
	} else {
		gllm_put_char(t, size == 64 ? 'x' : 'w');
		if (reg == A64_ZR)
			gllm_put_string(t, "zr");
		else
			gllm_put_signed(t, reg);
	}
}

static char element_letter(unsigned lane) { return "bhsdq"[lane - A64_EB]; }

static void put_vector(struct gllm_line *t, const struct gllm_operand *o, unsigned reg, unsigned group)
{
	unsigned lane = o->lane & 15;
	if (o->size && !lane) { /* a scalar */
		gllm_put_char(t, o->size == 8 ? 'b' : o->size == 16 ? 'h' : o->size == 32 ? 's' : o->size == 64 ? 'd' : 'q');
		gllm_put_signed(t, reg);
		return;
	}
	gllm_put_char(t, o->size ? 'v' : 'z');
	gllm_put_signed(t, reg);
	if (lane) {
		gllm_put_char(t, '.');
		if (group) { /* sdot: four bytes of a word; bfdot: two halves */
			gllm_put_signed(t, group);
			gllm_put_char(t, group == 4 ? 'b' : 'h');
		} else {
			if (o->size && !(o->lane & A64_LANE))
				gllm_put_signed(t, o->size >> lane);
			gllm_put_char(t, element_letter(lane));
		}
	}
}

static void put_lane_index(struct gllm_line *t, const struct gllm_operand *o)
{
	if (o->lane & A64_LANE) {
		gllm_put_char(t, '[');
		gllm_put_signed(t, o->lane_index);
		gllm_put_char(t, ']');
	}
}

static void put_list(struct gllm_line *t, const struct gllm_operand *o)
{
	gllm_put_string(t, "{ ");
	for (unsigned i = 0; i < o->amount; i++) {
		if (i)
			gllm_put_string(t, ", ");
		put_vector(t, o, (o->reg + i) & 31, 0);
	}
	gllm_put_string(t, " }");
	put_lane_index(t, o);
}

static void put_mask(struct gllm_line *t, const struct gllm_operand *o)
{
	gllm_put_char(t, 'p');
	gllm_put_signed(t, o->reg);
	if (o->lane) {
		gllm_put_char(t, '.');
		gllm_put_char(t, element_letter(o->lane));
	} else if (o->amount) {
		gllm_put_string(t, o->amount == A64_ZEROING ? "/z" : "/m");
	}
}

static void put_reg(struct gllm_line *t, const struct gllm_operand *o, uint64_t op)
{
	if (o->cls == GLLM_R_MASK) {
		put_mask(t, o);
	} else if (o->cls == GLLM_R_VEC) {
		put_vector(t, o, o->reg, a64_kind(op) == A64_K_BYLANE ? a64_count(op) : 0);
		put_lane_index(t, o);
	} else {
		put_general(t, o->reg, o->size);
		if (o->shift || o->amount) {
			gllm_put_string(t, ", ");
			gllm_put_string(t, shift_name[o->shift % GLLM_COUNT(shift_name)]);
			if (o->amount || o->shift < A64_UXTB) {
				gllm_put_string(t, " ");
				put_imm(t, o->amount);
			}
		}
	}
}

static void put_mem(struct gllm_line *t, const struct gllm_operand *o)
{
	if (o->base == GLLM_REG_PC) {
		put_address(t, (uint64_t)o->imm);
		return;
	}
	gllm_put_char(t, '[');
	put_general(t, o->base, 64);
	if (o->index != GLLM_NO_REG && o->amount == A64_POST) {
		gllm_put_string(t, "], ");
		put_general(t, o->index, 64);
		return;
	}
	if (o->index != GLLM_NO_REG) {
		bool word = o->shift == A64_UXTW || o->shift == A64_SXTW;
		gllm_put_string(t, ", ");
		put_general(t, o->index, word ? 32 : 64);
		if (o->shift != A64_LSL || o->scale || o->lane & A64_LSL0) {
			gllm_put_string(t, ", ");
			gllm_put_string(t, shift_name[o->shift % GLLM_COUNT(shift_name)]);
		}
		if (o->scale || o->lane & A64_LSL0) {
			gllm_put_char(t, ' ');
			put_imm(t, o->scale);
		}
	} else if (o->amount == A64_POST) {
		gllm_put_string(t, "], ");
		put_imm(t, o->imm);
		return;
	} else if (o->imm || o->amount == A64_PRE) {
		gllm_put_string(t, ", ");
		put_imm(t, o->imm);
	}
	if (o->lane & A64_MULVL && o->imm)
		gllm_put_string(t, ", mul vl");
	gllm_put_string(t, o->amount == A64_PRE ? "]!" : "]");
}

/* A float constant of eight bits is exact in a few decimal digits: n/16 * 2^e, 0.125 .. 31. */
static void put_float(struct gllm_line *t, uint64_t pattern, unsigned size)
{
	unsigned imm8 = 0;
	gllm_a64_float_put(pattern, size, &imm8);
	unsigned exponent = (imm8 >> 4 & 7) ^ 4;             /* 0..7 for 2^-3 .. 2^4 */
	uint64_t v = (uint64_t)(16 + (imm8 & 15)) << exponent; /* in units of 2^-7 */
	uint64_t fraction = (v & 127) * 100000000 / 128;
	gllm_put_string(t, imm8 & 0x80 ? "#-" : "#");
	gllm_put_unsigned(t, v >> 7);
	gllm_put_char(t, '.');
	for (uint64_t unit = 10000000; unit; unit /= 10)
		gllm_put_char(t, (char)('0' + fraction / unit % 10));
}

static void put_shifted_imm(struct gllm_line *t, const struct gllm_operand *o, const char *how)
{
	put_imm(t, o->imm);
	if (o->amount) {
		gllm_put_string(t, ", ");
		gllm_put_string(t, how);
		gllm_put_char(t, ' ');
		put_imm(t, o->amount);
	}
}

static void put_barrier(struct gllm_line *t, const struct gllm_operand *o)
{
	static const char *const name[16] = { [1] = "oshld", [2] = "oshst", [3] = "osh", [5] = "nshld", [6] = "nshst",
		[7] = "nsh", [9] = "ishld", [10] = "ishst", [11] = "ish", [13] = "ld", [14] = "st", [15] = "sy" };
	if (name[o->imm & 15])
		gllm_put_string(t, name[o->imm & 15]);
	else
		put_imm(t, o->imm);
}

static void put_prfop(struct gllm_line *t, const struct gllm_operand *o)
{
	unsigned v = (unsigned)o->imm & 31;
	static const char *const level[4] = { "l1", "l2", "l3", NULL };
	if (!level[v >> 1 & 3] || v >> 3 == 3) { /* newer than many assemblers */
		put_imm(t, v);
		return;
	}
	gllm_put_string(t, v >> 3 == 0 ? "pld" : v >> 3 == 1 ? "pli" : "pst");
	gllm_put_string(t, level[v >> 1 & 3]);
	gllm_put_string(t, v & 1 ? "strm" : "keep");
}

static void put_sysreg(struct gllm_line *t, const struct gllm_operand *o)
{
	static const struct { uint16_t id; const char *name; } known[] = {
		{ A64_FPCR, "fpcr" }, { A64_FPSR, "fpsr" }, { A64_CTR_EL0, "ctr_el0" }, { A64_NZCV, "nzcv" },
	};
	unsigned v = (unsigned)o->imm;
	for (size_t i = 0; i < GLLM_COUNT(known); i++)
		if (known[i].id == v) {
			gllm_put_string(t, known[i].name);
			return;
		}
	gllm_put_char(t, 's');
	gllm_put_signed(t, 2 + (v >> 14 & 1));
	gllm_put_char(t, '_');
	gllm_put_signed(t, v >> 11 & 7);
	gllm_put_string(t, "_c");
	gllm_put_signed(t, v >> 7 & 15);
	gllm_put_string(t, "_c");
	gllm_put_signed(t, v >> 3 & 15);
	gllm_put_char(t, '_');
	gllm_put_signed(t, v & 7);
}

static void put_sysop(struct gllm_line *t, const struct gllm_operand *o)
{
	unsigned v = (unsigned)o->imm;
	put_imm(t, v >> 11 & 7);
	gllm_put_string(t, ", c");
	gllm_put_signed(t, v >> 7 & 15);
	gllm_put_string(t, ", c");
	gllm_put_signed(t, v >> 3 & 15);
	gllm_put_string(t, ", ");
	put_imm(t, v & 7);
}

static void put_pattern(struct gllm_line *t, const struct gllm_operand *o)
{
	static const char *const name[32] = { "pow2", "vl1", "vl2", "vl3", "vl4", "vl5", "vl6", "vl7", "vl8", "vl16",
		"vl32", "vl64", "vl128", "vl256", [29] = "mul4", [30] = "mul3", [31] = "all" };
	if (name[o->imm & 31])
		gllm_put_string(t, name[o->imm & 31]);
	else
		put_imm(t, o->imm);
}

static void put_operand(struct gllm_line *t, const struct gllm_insn *in, unsigned i)
{
	const struct gllm_operand *o = &in->op[i];
	uint64_t op = gllm_a64_info[in->row].op[i];
	switch (a64_kind(op)) {
	case A64_K_REG: case A64_K_SAME: case A64_K_SHIFTED: case A64_K_EXTENDED: case A64_K_LANE5: case A64_K_LANE4:
	case A64_K_BYLANE: case A64_K_UPPER:
		put_reg(t, o, op);
		break;
	case A64_K_LIST: case A64_K_LISTLANE:
		put_list(t, o);
		break;
	case A64_K_UIMM: case A64_K_SIMM: case A64_K_BIT6: case A64_K_FRACBITS: case A64_K_BITNO: case A64_K_RIGHT: case A64_K_LEFT:
	case A64_K_BYTES8:
		put_imm(t, o->imm);
		break;
	case A64_K_IMM12: case A64_K_IMM16:
		put_shifted_imm(t, o, "lsl");
		break;
	case A64_K_BITMASK:
		gllm_put_char(t, '#');
		put_address(t, (uint64_t)o->imm);
		break;
	case A64_K_IMM8:
		if (a64_a(op) == A64_I8_BYTES) {
			gllm_put_char(t, '#');
			put_address(t, (uint64_t)o->imm);
		} else if (a64_a(op) == A64_I8_FLOAT) {
			put_float(t, (uint64_t)o->imm, gllm_a64_imm8_size(gllm_a64_key[in->row].fixed));
		} else {
			put_shifted_imm(t, o, a64_a(op) == A64_I8_MSL ? "msl" : "lsl");
		}
		break;
	case A64_K_FLOATIMM:
		put_float(t, (uint64_t)o->imm, in->op[0].size);
		break;
	case A64_K_ZERO:
		if (a64_a(op))
			gllm_put_string(t, "#0.0");
		else
			put_imm(t, o->imm);
		break;
	case A64_K_REL: case A64_K_RELADR:
		put_address(t, (uint64_t)o->imm);
		break;
	case A64_K_COND: gllm_put_string(t, cond_name[o->imm & 15]); break;
	case A64_K_BARRIER: put_barrier(t, o); break;
	case A64_K_PRFOP: put_prfop(t, o); break;
	case A64_K_SYSREG: put_sysreg(t, o); break;
	case A64_K_SYSOP: put_sysop(t, o); break;
	case A64_K_PATTERN: put_pattern(t, o); break;
	case A64_K_MEMU: case A64_K_MEMS: case A64_K_MEMP: case A64_K_MEMR: case A64_K_MEMLIT: case A64_K_MEMBASE:
	case A64_K_MEMNEXT: case A64_K_MEMSTEP: case A64_K_MEMZR: case A64_K_MEMZI:
	case A64_K_MEMZI9: case A64_K_MEMZE: case A64_K_MEMZQ:
		put_mem(t, o);
		break;
	case A64_K_NONE: case A64_K_COUNT:
		break;
	}
}

/* --- aliases -------------------------------------------------------------------------------------------------------- */

static bool is_zr(const struct gllm_insn *in, unsigned i) { return in->op[i].reg == A64_ZR; }
static bool plain2(const struct gllm_insn *in) { return in->op[2].shift == A64_LSL && in->op[2].amount == 0; }
static bool same(const struct gllm_insn *in, unsigned i, unsigned k) { return in->op[i].reg == in->op[k].reg; }
static bool zr0(const struct gllm_insn *in) { return is_zr(in, 0); }
static bool zr1(const struct gllm_insn *in) { return is_zr(in, 1); }
static bool zr3(const struct gllm_insn *in) { return is_zr(in, 3); }
static bool zr1_plain(const struct gllm_insn *in) { return is_zr(in, 1) && plain2(in); }
static bool same12(const struct gllm_insn *in) { return same(in, 1, 2); }
static bool same13(const struct gllm_insn *in) { return same(in, 1, 3); }
static bool same23(const struct gllm_insn *in) { return same(in, 2, 3); }
static bool same123(const struct gllm_insn *in) { return same12(in) && same13(in); }
static bool same_cond(const struct gllm_insn *in) { return same(in, 1, 2) && in->op[3].imm < A64_AL; }
static bool zr_cond(const struct gllm_insn *in) { return same_cond(in) && is_zr(in, 1); }
static bool reg_cond(const struct gllm_insn *in) { return same_cond(in) && !is_zr(in, 1); }
static bool link(const struct gllm_insn *in) { return in->op[0].reg == 30; }
static bool imm0(const struct gllm_insn *in) { return in->op[0].imm == 0; }
static bool imm4(const struct gllm_insn *in) { return in->op[0].imm == 4; }
static bool always(const struct gllm_insn *in) { return in->n != 0; }
static bool all_once(const struct gllm_insn *in) { return in->op[1].imm == 31 && (in->n < 3 || in->op[2].imm == 1); }
static bool once(const struct gllm_insn *in) { return in->op[2].imm == 1 && !all_once(in); }
static bool merge03(const struct gllm_insn *in) { return same(in, 0, 3); }
static bool system_15(const struct gllm_insn *in) { return in->op[0].imm == 15; }
static bool sp_move(const struct gllm_insn *in)
{
	return in->op[2].imm == 0 && !in->op[2].amount && (in->op[0].reg == A64_SP || in->op[1].reg == A64_SP);
}

/* Can one movz or movn write this value? Then mov means that, not orr. */
static bool wide(uint64_t v, unsigned size)
{
	for (unsigned i = 0; i < size; i += 16)
		if ((v & ~(UINT64_C(0xffff) << i)) == 0)
			return true;
	return false;
}
static bool orr_move(const struct gllm_insn *in)
{
	unsigned size = in->op[0].size;
	uint64_t v = (uint64_t)in->op[2].imm, inverse = ~v & (size == 32 ? 0xffffffff : ~UINT64_C(0));
	return is_zr(in, 1) && !wide(v, size) && !wide(inverse, size);
}

/* Operands that remain: their digits, or a letter: c the inverse of condition 3, v the bitmask 2 as a signed number,
 * m the merging predicate 1. */
struct alias {
	uint16_t first, last; /* rows */
	bool (*when)(const struct gllm_insn *in);
	const char *text, *operands;
};

#define PAIR_OF(id) A64_##id##_W, A64_##id##_X
static const struct alias alias[] = {
	{ PAIR_OF(ADDI), sp_move, "mov", "01" },
	{ PAIR_OF(ADDSI), zr0, "cmn", "12" },      { PAIR_OF(SUBSI), zr0, "cmp", "12" },
	{ PAIR_OF(ANDSI), zr0, "tst", "12" },      { PAIR_OF(ORRI), orr_move, "mov", "0v" },
	{ PAIR_OF(ADDS), zr0, "cmn", "12" },       { PAIR_OF(SUBS), zr0, "cmp", "12" },
	{ PAIR_OF(ADDSE), zr0, "cmn", "12" },      { PAIR_OF(SUBSE), zr0, "cmp", "12" },
	{ PAIR_OF(ANDS), zr0, "tst", "12" },       { PAIR_OF(SUB), zr1, "neg", "02" },
	{ PAIR_OF(SUBS), zr1, "negs", "02" },      { PAIR_OF(ORR), zr1_plain, "mov", "02" },
	{ PAIR_OF(ORN), zr1, "mvn", "02" },        { PAIR_OF(SBC), zr1, "ngc", "02" },
	{ PAIR_OF(SBCS), zr1, "ngcs", "02" },      { PAIR_OF(EXTR), same12, "ror", "013" },
	{ PAIR_OF(MADD), zr3, "mul", "012" },      { PAIR_OF(MSUB), zr3, "mneg", "012" },
	{ A64_SMADDL, A64_SMADDL, zr3, "smull", "012" }, { A64_SMSUBL, A64_SMSUBL, zr3, "smnegl", "012" },
	{ A64_UMADDL, A64_UMADDL, zr3, "umull", "012" }, { A64_UMSUBL, A64_UMSUBL, zr3, "umnegl", "012" },
	{ PAIR_OF(CSINC), zr_cond, "cset", "0c" }, { PAIR_OF(CSINV), zr_cond, "csetm", "0c" },
	{ PAIR_OF(CSINC), reg_cond, "cinc", "01c" }, { PAIR_OF(CSINV), reg_cond, "cinv", "01c" },
	{ PAIR_OF(CSNEG), same_cond, "cneg", "01c" },
	{ A64_RET, A64_RET, link, "ret", "" },     { A64_ISB, A64_ISB, system_15, "isb", "" },
	{ A64_DSB, A64_DSB, imm0, "ssbb", "" },    { A64_DSB, A64_DSB, imm4, "pssbb", "" },
	{ A64_SYS, A64_SYS, zr1, "sys", "0" },
	{ A64_ORR_V8B, A64_ORR_V16B, same12, "mov", "01" },
	{ A64_DUPR_ZB, A64_DUPR_ZD, always, "mov", "01" }, { A64_ORR_ZD, A64_ORR_ZD, same12, "mov", "01" },
	{ A64_SEL_ZB, A64_SEL_ZD, merge03, "mov", "0m2" },
	{ A64_ORR_PB, A64_ORR_PB, same123, "mov", "02" }, { A64_AND_PB, A64_AND_PB, same23, "mov", "012" },
	{ A64_EOR_PB, A64_EOR_PB, same13, "not", "012" },
};

static void put_computed(struct gllm_line *t, const struct gllm_insn *in, char what)
{
	switch (what) {
	case 'c': gllm_put_string(t, cond_name[(in->op[3].imm & 15) ^ 1]); break;
	case 'v': put_imm(t, in->op[0].size == 32 ? (int32_t)(uint32_t)in->op[2].imm : in->op[2].imm); break;
	case 'm': put_mask(t, &in->op[1]); gllm_put_string(t, "/m"); break;
	default: put_operand(t, in, (unsigned)(what - '0')); break;
	}
}

static void put_line(struct gllm_line *t, const struct gllm_insn *in, const char *word, const char *operands)
{
	gllm_put_string(t, word);
	for (unsigned i = 0; operands[i]; i++) {
		gllm_put_string(t, i ? ", " : " ");
		put_computed(t, in, operands[i]);
	}
}

static bool put_alias(struct gllm_line *t, const struct gllm_insn *in)
{
	for (size_t i = 0; i < GLLM_COUNT(alias); i++)
		if (in->row >= alias[i].first && in->row <= alias[i].last && alias[i].when(in)) {
			put_line(t, in, alias[i].text, alias[i].operands);
			return true;
		}
	return false;
}

static void put_word_reg_imm(struct gllm_line *t, const struct gllm_insn *in, const char *word, int64_t a, int64_t b)
{
	put_line(t, in, word, "01");
	gllm_put_string(t, ", ");
	put_imm(t, a);
	if (b >= 0) {
		gllm_put_string(t, ", ");
		put_imm(t, b);
	}
}

/* sxtb w0, w1 and the like: the source is a word whatever the destination. */
static void put_extend(struct gllm_line *t, const struct gllm_insn *in, const char *word)
{
	put_line(t, in, word, "0");
	gllm_put_string(t, ", ");
	put_general(t, in->op[1].reg, 32);
}

/* ubfm, sbfm, bfm always read better as what they were written for. r, s: immr and imms. */
static void put_bitfield(struct gllm_line *t, const struct gllm_insn *in, unsigned how)
{
	int64_t r = in->op[2].imm, s = in->op[3].imm, size = in->op[0].size;
	bool u = how == A64_UBFM, insert = s < r;
	if (how == A64_BFM) {
		if (is_zr(in, 1) && (insert || r == 0)) {
			put_line(t, in, "bfc", "0");
			gllm_put_string(t, ", ");
			put_imm(t, (size - r) & (size - 1));
			gllm_put_string(t, ", ");
			put_imm(t, s + 1);
		} else if (insert) {
			put_word_reg_imm(t, in, "bfi", size - r, s + 1);
		} else {
			put_word_reg_imm(t, in, "bfxil", r, s - r + 1);
		}
	} else if (s == size - 1) {
		put_word_reg_imm(t, in, u ? "lsr" : "asr", r, -1);
	} else if (u && s + 1 == r) {
		put_word_reg_imm(t, in, "lsl", size - r, -1);
	} else if (r == 0 && (s == 7 || s == 15 || (s == 31 && !u)) && (!u || size == 32)) {
		put_extend(t, in, s == 7 ? (u ? "uxtb" : "sxtb") : s == 15 ? (u ? "uxth" : "sxth") : "sxtw");
	} else if (insert) {
		put_word_reg_imm(t, in, u ? "ubfiz" : "sbfiz", size - r, s + 1);
	} else {
		put_word_reg_imm(t, in, u ? "ubfx" : "sbfx", r, s - r + 1);
	}
}

static bool put_movewide(struct gllm_line *t, const struct gllm_insn *in, unsigned how)
{
	const struct gllm_operand *o = &in->op[1];
	uint64_t v = (uint64_t)o->imm << o->amount;
	if (how == A64_MOVK || (o->imm == 0 && o->amount) || (how == A64_MOVN && in->op[0].size == 32 && o->imm == 0xffff))
		return false;
	if (how == A64_MOVN) {
		v = ~v;
		if (in->op[0].size == 32)
			v = (uint64_t)(int64_t)(int32_t)v;
		/* A value that movz can write means movz. */
		uint64_t plain = in->op[0].size == 32 ? v & 0xffffffff : v;
		if (wide(plain, in->op[0].size))
			return false;
	} else if (in->op[0].size == 32) {
		v = (uint64_t)(int64_t)(int32_t)v;
	}
	put_line(t, in, "mov", "0");
	gllm_put_string(t, ", ");
	put_imm(t, (int64_t)v);
	return true;
}

static bool put_hint(struct gllm_line *t, const struct gllm_insn *in)
{
	static const char *const name[] = { "nop", "yield", "wfe", "wfi", "sev", "sevl", "dgh", "xpaclri", "pacia1716",
		[10] = "pacib1716", [12] = "autia1716", [14] = "autib1716", [16] = "esb", "psb csync", "tsb csync",
		[20] = "csdb", [24] = "paciaz", "paciasp", "pacibz", "pacibsp", "autiaz", "autiasp", "autibz", "autibsp",
		"bti", [34] = "bti c", [36] = "bti j", [38] = "bti jc" };
	uint64_t v = (uint64_t)in->op[0].imm;
	if (v >= GLLM_COUNT(name) || !name[v])
		return false;
	gllm_put_string(t, name[v]);
	return true;
}

static bool put_system(struct gllm_line *t, const struct gllm_insn *in)
{
	static const struct { uint16_t id; const char *name; } known[] = {
		{ A64_DC_CVAU, "dc cvau" }, { A64_DC_CVAC, "dc cvac" }, { A64_DC_CIVAC, "dc civac" }, { A64_IC_IVAU, "ic ivau" },
	};
	for (size_t i = 0; i < GLLM_COUNT(known); i++)
		if (known[i].id == in->op[0].imm) {
			gllm_put_string(t, known[i].name);
			gllm_put_string(t, ", ");
			put_operand(t, in, 1);
			return true;
		}
	return false;
}

/* With the stack pointer the neutral extension (uxtx, for words uxtw) is written as the shift it is. */
static bool put_stack_extend(struct gllm_line *t, const struct gllm_insn *in)
{
	const struct gllm_operand *o = &in->op[2];
	bool flags = in->row == A64_ADDSE_W || in->row == A64_ADDSE_X || in->row == A64_SUBSE_W || in->row == A64_SUBSE_X;
	if (!(in->op[1].reg == A64_SP || (!flags && in->op[0].reg == A64_SP)) ||
	    o->shift != (in->op[0].size == 64 ? A64_UXTX : A64_UXTW))
		return false;
	struct gllm_insn spelled = *in;
	spelled.op[2].shift = A64_LSL;
	if (flags && is_zr(in, 0))
		put_line(t, &spelled, in->row == A64_ADDSE_W || in->row == A64_ADDSE_X ? "cmn" : "cmp", "12");
	else
		put_line(t, &spelled, gllm_a64_info[in->row].text, "012");
	return true;
}

/* cntw x0; incw x0, vl4; cntw x0, all, mul #2; ptrue p0.s: the pattern all and the factor 1 go without saying. */
static bool put_counting(struct gllm_line *t, const struct gllm_insn *in)
{
	if (all_once(in)) {
		put_line(t, in, gllm_a64_info[in->row].text, "0");
	} else if (in->n < 3 || once(in)) {
		put_line(t, in, gllm_a64_info[in->row].text, "01");
	} else {
		put_line(t, in, gllm_a64_info[in->row].text, "01");
		gllm_put_string(t, ", mul ");
		put_imm(t, in->op[2].imm);
	}
	return true;
}

static bool put_special(struct gllm_line *t, const struct gllm_insn *in)
{
	uint32_t sem = gllm_a64_info[in->row].sem;
	if ((sem & 0xff) == A64_SEM_BITFIELD) {
		put_bitfield(t, in, sem >> 8 & 0xff);
		return true;
	}
	if ((sem & 0xff) == A64_SEM_MOVWIDE)
		return put_movewide(t, in, sem >> 8 & 0xff);
	if (in->row == A64_BCOND) {
		gllm_put_string(t, "b.");
		gllm_put_string(t, cond_name[in->op[0].imm & 15]);
		gllm_put_char(t, ' ');
		put_operand(t, in, 1);
		return true;
	}
	if (in->row == A64_HINT)
		return put_hint(t, in);
	if (in->row == A64_SYS)
		return put_system(t, in);
	if (in->n > 1 && a64_kind(gllm_a64_info[in->row].op[1]) == A64_K_PATTERN)
		return put_counting(t, in);
	return in->n > 2 && a64_kind(gllm_a64_info[in->row].op[2]) == A64_K_EXTENDED && put_stack_extend(t, in);
}

size_t gllm_a64_text(const struct gllm_insn *in, char *out, size_t size)
{
	static const char operands[GLLM_INSN_OPERANDS + 1][GLLM_INSN_OPERANDS + 1] = { "", "0", "01", "012", "0123", "01234" };
	struct gllm_line t = gllm_line(out, size);
	if (in->row >= A64_ROW_COUNT || in->n > GLLM_INSN_OPERANDS)
		gllm_put_string(&t, "?");
	else if (!put_special(&t, in) && !put_alias(&t, in))
		put_line(&t, in, gllm_a64_info[in->row].text, operands[in->n]);
	return t.length < size ? t.length : size ? size - 1 : 0;
}
