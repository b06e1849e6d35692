/* SPDX-License-Identifier: MIT
 * arch/aarch64/decode.c - four bytes to an instruction: find the row, read its operands.
 *
 * A word that matches a row but holds a reserved field value is GLLM_BAD_INSN; so is every encoding that the encoder
 * would never write for the same operands, so that decoding and encoding stay inverse. */
#include "arch/aarch64/form.h"
#include "core/bits.h"

static int64_t sign_extend(uint32_t v, unsigned bits)
{
	uint32_t sign = 1u << (bits - 1);
	return (int64_t)(v ^ sign) - (int64_t)sign;
}

static bool set_reg(struct gllm_operand *o, const struct gllm_a64_shape *s, uint32_t number)
{
	o->kind = GLLM_O_REG;
	o->cls = s->cls;
	o->size = s->size;
	o->lane = s->lane;
	o->amount = s->amount;
	o->reg = number == 31 && s->r31 ? s->r31 : (uint8_t)number;
	return true;
}

static bool get_reg(struct gllm_operand *o, unsigned form, uint32_t w, uint32_t number)
{
	struct gllm_a64_shape s = gllm_a64_shape((enum a64_form)form, w);
	return set_reg(o, &s, number);
}

static bool get_shifted(struct gllm_operand *o, bool ror, uint32_t w)
{
	struct gllm_a64_shape s = gllm_a64_shape(A64_F_G, w);
	set_reg(o, &s, w >> 16 & 31);
	o->shift = w >> 22 & 3;
	o->amount = w >> 10 & 63;
	return o->amount < s.size && (o->shift != A64_ROR || ror);
}

static bool get_extended(struct gllm_operand *o, uint32_t w)
{
	unsigned option = w >> 13 & 7, amount = w >> 10 & 7;
	struct gllm_a64_shape s = gllm_a64_shape(w >> 31 && (option & 3) == 3 ? A64_F_X : A64_F_W, 0);
	set_reg(o, &s, w >> 16 & 31);
	o->shift = (uint8_t)(A64_UXTB + option);
	o->amount = (uint8_t)amount;
	return amount <= 4;
}

static bool get_list(struct gllm_operand *o, uint64_t op, uint32_t w, uint32_t number)
{
	get_reg(o, a64_b_of(op), w, number);
	o->amount = (uint8_t)a64_count(op);
	return true;
}

static bool set_lane(struct gllm_operand *o, unsigned reg, unsigned element, unsigned index)
{
	o->kind = GLLM_O_REG;
	o->cls = GLLM_R_VEC;
	o->size = 128;
	o->reg = (uint8_t)reg;
	o->lane = (uint8_t)(element | A64_LANE);
	o->lane_index = (uint8_t)index;
	return true;
}

static bool get_listlane(struct gllm_operand *o, uint64_t op, uint32_t w)
{
	unsigned q_s_size = (w >> 30 & 1) << 3 | (w >> 10 & 7);
	set_lane(o, w & 31, a64_b_of(op), q_s_size >> (a64_b_of(op) - 3));
	o->amount = (uint8_t)a64_count(op);
	return true;
}

static bool get_bylane(struct gllm_operand *o, unsigned bits, unsigned element, uint32_t w)
{
	unsigned hlm = (w >> 11 & 1) << 2 | (w >> 21 & 1) << 1 | (w >> 20 & 1);
	return set_lane(o, w >> 16 & (bits == 3 ? 15 : 31), element, hlm >> (3 - bits));
}

static bool set_value(struct gllm_operand *o, enum gllm_operand_kind kind, int64_t value)
{
	o->kind = (uint8_t)kind;
	o->imm = value;
	return true;
}

static bool set_imm(struct gllm_operand *o, int64_t value) { return set_value(o, GLLM_O_IMM, value); }

static bool get_imm12(struct gllm_operand *o, uint32_t w)
{
	o->amount = w >> 22 & 1 ? 12 : 0;
	return set_imm(o, w >> 10 & 0xfff);
}

static bool get_imm16(struct gllm_operand *o, unsigned size, uint32_t w)
{
	o->amount = (uint8_t)(16 * (w >> 21 & 3));
	return set_imm(o, w >> 5 & 0xffff) && o->amount < size;
}

static bool get_bitmask(struct gllm_operand *o, unsigned size, uint32_t w)
{
	uint64_t pattern = 0;
	return gllm_a64_bitmask_get(w >> 10 & 0x1fff, size, &pattern) && set_imm(o, (int64_t)pattern);
}

static bool get_imm8(struct gllm_operand *o, uint64_t op, uint32_t w)
{
	unsigned v = (w >> 11 & 0xe0) | (w >> 5 & 31);
	uint64_t bytes = 0;
	set_imm(o, v);
	switch (a64_a(op)) {
	case A64_I8_LSL:
		o->amount = (uint8_t)(8 * (w >> 13 & ((1u << a64_b_of(op)) - 1)));
		break;
	case A64_I8_MSL:
		o->amount = w >> 12 & 1 ? 16 : 8;
		break;
	case A64_I8_BYTES:
		for (unsigned i = 0; i < 8; i++)
			bytes |= (v >> i & 1 ? UINT64_C(0xff) : 0) << 8 * i;
		o->imm = (int64_t)bytes;
		break;
	case A64_I8_FLOAT:
		o->imm = (int64_t)gllm_a64_float_get(v, gllm_a64_imm8_size(w));
		break;
	default:
		break;
	}
	return true;
}

/* An SVE instruction's eight bits, or nine: the lower three lie apart. */
static uint32_t split(uint32_t w) { return (w >> 13 & 0x1f8) | (w >> 10 & 7); }

static bool get_adr(struct gllm_operand *o, uint64_t addr, unsigned page, uint32_t w)
{
	int64_t pages = sign_extend((w >> 5 & 0x7ffff) << 2 | (w >> 29 & 3), 21);
	return set_value(o, GLLM_O_REL, pages * (INT64_C(1) << page) + (int64_t)(addr >> page << page));
}

static bool set_mem(struct gllm_operand *o, uint32_t w, int64_t disp, unsigned size)
{
	o->kind = GLLM_O_MEM;
	o->base = (uint8_t)(w >> 5 & 31);
	o->imm = disp;
	o->size = (uint16_t)size;
	return true;
}

static bool get_writeback(struct gllm_operand *o, unsigned how, uint32_t w, int64_t disp, unsigned size)
{
	o->amount = (uint8_t)how;
	return set_mem(o, w, disp, size);
}

static bool get_literal(struct gllm_operand *o, uint64_t target, unsigned size)
{
	set_mem(o, 0, (int64_t)target, size);
	o->base = GLLM_REG_PC;
	return true;
}

static bool get_mulvl(struct gllm_operand *o, uint32_t w, int64_t vectors)
{
	o->lane = A64_MULVL;
	return set_mem(o, w, vectors, 0);
}

/* A base and an index register; false where the index is the zero register, which most forms keep for another meaning. */
static bool get_index(struct gllm_operand *o, uint32_t w, unsigned size)
{
	unsigned index = w >> 16 & 31;
	set_mem(o, w, 0, size);
	o->index = index == 31 ? A64_ZR : (uint8_t)index;
	return index != 31;
}

static bool get_memr(struct gllm_operand *o, unsigned scale, uint32_t w)
{
	unsigned option = w >> 13 & 7;
	get_index(o, w, 8u << scale);
	o->shift = option == 3 ? A64_LSL : (uint8_t)(A64_UXTB + option);
	o->scale = w >> 12 & 1 ? (uint8_t)scale : 0;
	o->lane = w >> 12 & 1 && scale == 0 ? A64_LSL0 : 0;
	return option & 2;
}

static bool get_memzr(struct gllm_operand *o, unsigned scale, uint32_t w)
{
	o->scale = (uint8_t)scale;
	return get_index(o, w, 0);
}

static bool get_memstep(struct gllm_operand *o, uint32_t w, unsigned bytes)
{
	o->amount = A64_POST;
	return get_index(o, w, 8 * bytes);
}

static unsigned list_bytes(const struct gllm_operand *list, bool element) /* that a structure access moves */
{
	return (element || list->lane & A64_LANE ? 1u << (list->lane & 15) : list->size) / 8u * list->amount;
}

static unsigned width_of(uint64_t op) { return 32u - (unsigned)__builtin_clz(a64_field(op) >> a64_a(op)); }

static bool get(const struct gllm_insn *in, struct gllm_operand *o, uint64_t op, uint32_t w)
{
	unsigned a = a64_a(op), b = a64_b_of(op), size = w >> 31 ? 64 : 32;
	uint32_t field = (w & a64_field(op)) >> (a & 31);
	switch (a64_kind(op)) {
	case A64_K_REG: return get_reg(o, b, w, field);
	case A64_K_SAME: return get_reg(o, b, w, w & 31);
	case A64_K_SHIFTED: return get_shifted(o, a, w);
	case A64_K_EXTENDED: return get_extended(o, w);
	case A64_K_LIST: return get_list(o, op, w, field);
	case A64_K_LANE5: return set_lane(o, w >> a & 31, b, (w >> 16 & 31) >> (b - 2));
	case A64_K_LANE4: return set_lane(o, w >> a & 31, b, (w >> 11 & 15) >> (b - 3));
	case A64_K_LISTLANE: return get_listlane(o, op, w);
	case A64_K_BYLANE: return get_bylane(o, a, b, w);
	case A64_K_UPPER: return set_lane(o, w >> a & 31, b, 1);
	case A64_K_UIMM: return set_imm(o, (int64_t)field + b);
	case A64_K_SIMM: return set_imm(o, sign_extend(field, width_of(op)));
	case A64_K_BIT6: return set_imm(o, field) && field < size;
	case A64_K_FRACBITS: return set_imm(o, 64 - (int64_t)field) && field >= 64 - size;
	case A64_K_BITNO: return set_imm(o, (int64_t)(field | (w >> 31) << 5));
	case A64_K_IMM12: return get_imm12(o, w);
	case A64_K_IMM16: return get_imm16(o, size, w);
	case A64_K_BITMASK: return get_bitmask(o, size, w);
	case A64_K_IMM8: return get_imm8(o, op, w);
	case A64_K_FLOATIMM: return set_imm(o, (int64_t)gllm_a64_float_get(field, gllm_a64_shape(A64_F_F, w).size));
	case A64_K_RIGHT: return set_imm(o, (int64_t)(1u << a) - ((w & a64_field(op)) >> 16));
	case A64_K_LEFT: return set_imm(o, (w & a64_field(op)) >> 16);
	case A64_K_ZERO: return set_imm(o, b);
	case A64_K_BYTES8: return set_imm(o, split(w) & 0xff);
	case A64_K_PRFOP: return set_imm(o, field) && field <= b;
	case A64_K_BARRIER:
	case A64_K_SYSREG:
	case A64_K_SYSOP:
	case A64_K_PATTERN: return set_imm(o, field);
	case A64_K_REL: return set_value(o, GLLM_O_REL, (int64_t)in->addr + 4 * sign_extend(field, width_of(op)));
	case A64_K_RELADR: return get_adr(o, in->addr, a, w);
	case A64_K_COND: return set_value(o, GLLM_O_COND, field);
	case A64_K_MEMU: return set_mem(o, w, (int64_t)(w >> 10 & 0xfff) << b, 8u << b);
	case A64_K_MEMS: return get_writeback(o, a, w, sign_extend(w >> 12 & 0x1ff, 9), 8u << b);
	case A64_K_MEMP: return get_writeback(o, a, w, sign_extend(w >> 15 & 0x7f, 7) * (1 << b), 16u << b);
	case A64_K_MEMR: return get_memr(o, b, w);
	case A64_K_MEMLIT: return get_literal(o, in->addr + (uint64_t)(4 * sign_extend(field, 19)), 8u << b);
	case A64_K_MEMBASE: return set_mem(o, w, 0, 8 * list_bytes(&in->op[0], b));
	case A64_K_MEMNEXT: return get_writeback(o, A64_POST, w, list_bytes(&in->op[0], b), 8 * list_bytes(&in->op[0], b));
	case A64_K_MEMSTEP: return get_memstep(o, w, list_bytes(&in->op[0], b)); /* Xm 31: by the bytes accessed */
	case A64_K_MEMZR: return get_memzr(o, b, w);
	case A64_K_MEMZI: return get_mulvl(o, w, sign_extend(w >> 16 & 15, 4));
	case A64_K_MEMZI9: return get_mulvl(o, w, sign_extend(split(w), 9));
	case A64_K_MEMZE: return set_mem(o, w, (int64_t)(w >> 16 & 63) << b, 8u << b);
	case A64_K_MEMZQ: return set_mem(o, w, sign_extend(w >> 16 & 15, 4) * 16, 128);
	case A64_K_NONE:
	case A64_K_COUNT: break;
	}
	return false;
}

struct range { uint16_t first, last; };
static const struct range other = { A64_UDF, A64_GROUP_IMM };
#define RANGE(id, next) { A64_GROUP_##id, A64_GROUP_##next }

/* The rows that could match, by bits 28:25 as the architecture divides its space, then by what parts a large room. */
static struct range loads(uint32_t w)
{
	static const struct range single[2][4] = {
		{ RANGE(LOAD8, LOAD16), RANGE(LOAD16, LOAD32), RANGE(LOAD32, LOAD64), RANGE(LOAD64, PAIR) },
		{ RANGE(VLOAD8, VLOAD16), RANGE(VLOAD16, VLOAD32), RANGE(VLOAD32, VLOAD64), RANGE(VLOAD64, VPAIR) },
	};
	static const struct range pair[2] = { RANGE(PAIR, LITERAL), RANGE(VPAIR, VLITERAL) };
	static const struct range literal[2] = { RANGE(LITERAL, VLOAD8), RANGE(VLITERAL, STRUCTURE) };
	static const struct range structure = RANGE(STRUCTURE, ADD);
	unsigned v = w >> 26 & 1;
	switch (w >> 28 & 3) {
	case 0: return v ? structure : other;
	case 1: return literal[v];
	case 2: return pair[v];
	default: return single[v][w >> 30];
	}
}

static struct range floats(uint32_t w)
{
	static const struct range fused = RANGE(FUSED, FIXED), fixed = RANGE(FIXED, TWO);
	static const struct range by_10[4] = { RANGE(FLOAT, SCALAR), RANGE(FCCMP, FLOAT), RANGE(TWO, FSELECT), RANGE(FSELECT, FCCMP) };
	return w >> 24 & 1 ? fused : w >> 21 & 1 ? by_10[w >> 10 & 3] : fixed;
}

static struct range rows_of(uint32_t w)
{
	static const struct range imm = RANGE(IMM, BRANCH), branch = RANGE(BRANCH, LOAD8), one = RANGE(SCALAR, VSAME),
		same = RANGE(VSAME, VMISC), misc = RANGE(VMISC, VIMM), vimm = RANGE(VIMM, SVE), sve = RANGE(SVE, END);
	static const struct range reg[2][2] = {
		{ RANGE(LOGIC, MULTIPLY), RANGE(ADD, LOGIC) }, { RANGE(SELECT, FUSED), RANGE(MULTIPLY, SELECT) },
	};
	unsigned op0 = w >> 25 & 15;
	if ((op0 & 5) == 4)
		return loads(w);
	switch (op0) {
	case 2: return sve;
	case 5: case 13: return reg[w >> 28 & 1][w >> 24 & 1];
	case 8: case 9: return imm;
	case 10: case 11: return branch;
	case 7: return w >> 24 & 1 ? vimm : w >> 10 & 1 ? same : misc;
	case 15: return w >> 30 & 1 ? one : floats(w);
	default: return other;
	}
}

enum gllm_status gllm_a64_decode(const unsigned char *bytes, size_t size, uint64_t addr, struct gllm_insn *out)
{
	if (size < 4)
		return GLLM_TRUNCATED;
	uint32_t w = gllm_le32(bytes);
	struct range r = rows_of(w);
	unsigned row = r.first;
	while (row < r.last && (w & gllm_a64_key[row].mask) != gllm_a64_key[row].fixed)
		row++;
	if (row == r.last)
		return GLLM_BAD_INSN;
	const struct gllm_a64_info *info = &gllm_a64_info[row];
	*out = (struct gllm_insn){ .addr = addr, .row = (uint16_t)row, .length = 4 };
	unsigned n = 0;
	for (; n < GLLM_INSN_OPERANDS && info->op[n]; n++) {
		struct gllm_operand *o = &out->op[n];
		o->base = o->index = GLLM_NO_REG;
		o->access = a64_access(info->op[n]);
		if (!get(out, o, info->op[n], w))
			return GLLM_BAD_INSN;
		if (o->kind == GLLM_O_MEM) /* what reads its registers writes the memory */
			o->access = out->op[0].kind == GLLM_O_REG && out->op[0].access == 1 ? 2 : 1;
	}
	out->n = (uint8_t)n;
	return gllm_a64_unpredictable(out) ? GLLM_BAD_INSN : GLLM_OK;
}
