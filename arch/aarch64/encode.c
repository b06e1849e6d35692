/* SPDX-License-Identifier: MIT
 * arch/aarch64/encode.c - an instruction to four bytes: the row's fixed bits and what its operands say.
 *
 * Every writer checks that the operand is exactly what the row holds; nothing is rounded or cut. */
#include "arch/aarch64/form.h"
#include "core/bits.h"

static bool fits_reg(const struct gllm_operand *o, const struct gllm_a64_shape *s, uint32_t *number)
{
	if (o->kind != GLLM_O_REG || o->cls != s->cls || o->size != s->size || o->lane != s->lane)
		return false;
	*number = o->reg;
	if (!s->r31)
		return o->reg < 32;
	if (o->reg == s->r31)
		*number = 31;
	return o->reg < 31 || o->reg == s->r31;
}

static bool plain_reg(const struct gllm_operand *o, const struct gllm_a64_shape *s, uint32_t *number)
{
	return fits_reg(o, s, number) && o->shift == 0 && o->amount == s->amount;
}

static bool lane_of(const struct gllm_operand *o, unsigned element, unsigned list)
{
	return o->kind == GLLM_O_REG && o->cls == GLLM_R_VEC && o->lane == (element | A64_LANE) && o->reg < 32 &&
	       o->amount == list && o->lane_index < 128u >> element;
}

static bool is_imm(const struct gllm_operand *o, int64_t low, int64_t high)
{
	return o->kind == GLLM_O_IMM && o->imm >= low && o->imm <= high;
}

/* low .. high as 0 and upwards. */
static bool put_from(const struct gllm_operand *o, int64_t low, int64_t high, unsigned lsb, uint32_t *w)
{
	if (!is_imm(o, low, high))
		return false;
	*w |= (uint32_t)(o->imm - low) << lsb;
	return true;
}

/* 1 .. high as what is missing to `whole`. */
static bool put_below(const struct gllm_operand *o, int64_t whole, int64_t high, unsigned lsb, uint32_t *w)
{
	if (!is_imm(o, 1, high))
		return false;
	*w |= (uint32_t)(whole - o->imm) << lsb;
	return true;
}

/* `value` as a signed number of `bits` bits, counted in units of 1 << scale. */
static bool put_signed(int64_t value, unsigned scale, unsigned bits, unsigned lsb, uint32_t *w)
{
	int64_t unit = INT64_C(1) << scale, limit = INT64_C(1) << (bits - 1);
	if (value % unit || value / unit < -limit || value / unit >= limit)
		return false;
	*w |= ((uint32_t)(value / unit) & ((bits < 32 ? 1u << bits : 0) - 1)) << lsb;
	return true;
}

static bool put_reg(const struct gllm_operand *o, uint64_t op, uint32_t fixed, uint32_t *w)
{
	struct gllm_a64_shape s = gllm_a64_shape((enum a64_form)a64_b_of(op), fixed);
	uint32_t number = 0;
	if (!plain_reg(o, &s, &number) || (number << a64_a(op) & ~a64_field(op)))
		return false;
	*w |= number << a64_a(op);
	return true;
}

static bool is_same(const struct gllm_operand *o, const struct gllm_operand *first, unsigned form, uint32_t fixed)
{
	struct gllm_a64_shape s = gllm_a64_shape((enum a64_form)form, fixed);
	uint32_t number = 0;
	return plain_reg(o, &s, &number) && o->reg == first->reg;
}

static bool put_shifted(const struct gllm_operand *o, bool ror, uint32_t fixed, uint32_t *w)
{
	struct gllm_a64_shape s = gllm_a64_shape(A64_F_G, fixed);
	uint32_t number = 0;
	if (!fits_reg(o, &s, &number) || o->shift > A64_ROR || (o->shift == A64_ROR && !ror) || o->amount >= s.size)
		return false;
	*w |= number << 16 | (uint32_t)o->shift << 22 | (uint32_t)o->amount << 10;
	return true;
}

static bool put_extended(const struct gllm_operand *o, uint32_t fixed, uint32_t *w)
{
	uint32_t number = 0, option = (uint32_t)o->shift - A64_UXTB;
	struct gllm_a64_shape s = gllm_a64_shape(fixed >> 31 && (option & 3) == 3 ? A64_F_X : A64_F_W, 0);
	if (option > 7 || o->amount > 4 || !fits_reg(o, &s, &number))
		return false;
	*w |= number << 16 | option << 13 | (uint32_t)o->amount << 10;
	return true;
}

static bool put_list(const struct gllm_operand *o, uint64_t op, uint32_t fixed, uint32_t *w)
{
	struct gllm_a64_shape s = gllm_a64_shape((enum a64_form)a64_b_of(op), fixed);
	uint32_t number = 0;
	if (!fits_reg(o, &s, &number) || o->amount != a64_count(op) || o->shift)
		return false;
	*w |= number << a64_a(op);
	return true;
}

/* A register at `reg` and the index of one of its elements at `index`. */
static bool put_lane(const struct gllm_operand *o, unsigned element, unsigned reg, unsigned index, uint32_t *w)
{
	*w |= (uint32_t)o->reg << reg | (uint32_t)o->lane_index << index;
	return lane_of(o, element, 0);
}

static bool put_upper(const struct gllm_operand *o, unsigned element, unsigned reg, uint32_t *w)
{
	*w |= (uint32_t)o->reg << reg;
	return lane_of(o, element, 0) && o->lane_index == 1;
}

static bool put_listlane(const struct gllm_operand *o, unsigned element, unsigned list, uint32_t *w)
{
	uint32_t q_s_size = (uint32_t)o->lane_index << (element - 3);
	*w |= (uint32_t)o->reg | (q_s_size >> 3 & 1) << 30 | (q_s_size & 7) << 10;
	return lane_of(o, element, list);
}

static bool put_bylane(const struct gllm_operand *o, unsigned bits, unsigned element, uint32_t *w)
{
	unsigned hlm = (unsigned)o->lane_index << (3 - bits);
	if (!lane_of(o, element, 0) || (bits == 3 && o->reg > 15) || hlm > 7)
		return false;
	*w |= (uint32_t)o->reg << 16 | (hlm >> 2) << 11 | (hlm >> 1 & 1) << 21 | (hlm & 1) << 20;
	return true;
}

static bool bytes_of(uint64_t pattern, unsigned *imm8)
{
	*imm8 = 0;
	for (unsigned i = 0; i < 8; i++) {
		unsigned byte = pattern >> 8 * i & 0xff;
		if (byte != 0 && byte != 0xff)
			return false;
		*imm8 |= (byte & 1) << i;
	}
	return true;
}

static bool put_imm8(const struct gllm_operand *o, uint64_t op, uint32_t fixed, uint32_t *w)
{
	unsigned v = (unsigned)o->imm & 0xff;
	unsigned how = a64_a(op), steps = o->amount / 8u;
	if (o->kind != GLLM_O_IMM || o->amount % 8)
		return false;
	if (how == A64_I8_BYTES || how == A64_I8_FLOAT) {
		bool ok = how == A64_I8_BYTES ? bytes_of((uint64_t)o->imm, &v)
		                              : gllm_a64_float_put((uint64_t)o->imm, gllm_a64_imm8_size(fixed), &v);
		if (!ok || steps)
			return false;
	} else if (o->imm < 0 || o->imm > 255) {
		return false;
	} else if (how == A64_I8_LSL) {
		if (steps >= 1u << a64_b_of(op))
			return false;
		*w |= steps << 13;
	} else if (how == A64_I8_MSL) {
		if (steps != 1 && steps != 2)
			return false;
		*w |= (steps - 1) << 12;
	} else if (steps) {
		return false;
	}
	*w |= (v >> 5) << 16 | (v & 31) << 5;
	return true;
}

static bool put_imm12(const struct gllm_operand *o, uint32_t *w)
{
	if (o->amount != 0 && o->amount != 12)
		return false;
	*w |= o->amount ? 1u << 22 : 0;
	return put_from(o, 0, 0xfff, 10, w);
}

static bool put_imm16(const struct gllm_operand *o, unsigned size, uint32_t *w)
{
	if (o->amount % 16 || o->amount >= size)
		return false;
	*w |= (uint32_t)o->amount / 16 << 21;
	return put_from(o, 0, 0xffff, 5, w);
}

static bool put_bitmask(const struct gllm_operand *o, unsigned size, uint32_t *w)
{
	uint32_t bits = 0;
	if (o->kind != GLLM_O_IMM || !gllm_a64_bitmask_put((uint64_t)o->imm, size, &bits))
		return false;
	*w |= bits << 10;
	return true;
}

static bool put_float(const struct gllm_operand *o, unsigned size, unsigned lsb, uint32_t *w)
{
	unsigned imm8 = 0;
	if (o->kind != GLLM_O_IMM || !gllm_a64_float_put((uint64_t)o->imm, size, &imm8))
		return false;
	*w |= imm8 << lsb;
	return true;
}

/* Eight bits of an SVE instruction, or nine with their sign: the lower three lie apart. */
static bool put_split(int64_t value, int64_t low, int64_t high, uint32_t *w)
{
	*w |= ((uint32_t)value & 0x1f8) << 13 | ((uint32_t)value & 7) << 10;
	return value >= low && value <= high;
}

static bool put_cond(const struct gllm_operand *o, unsigned lsb, uint32_t *w)
{
	if (o->kind != GLLM_O_COND || o->imm < 0 || o->imm > 15)
		return false;
	*w |= (uint32_t)o->imm << lsb;
	return true;
}

static bool put_adr(const struct gllm_insn *in, const struct gllm_operand *o, unsigned page, uint32_t *w)
{
	uint32_t bits = 0;
	int64_t from = (int64_t)(in->addr >> page << page);
	if (o->kind != GLLM_O_REL || !put_signed(o->imm - from, page, 21, 0, &bits))
		return false;
	*w |= (bits & 3) << 29 | (bits >> 2) << 5;
	return true;
}

static bool put_mem(const struct gllm_operand *o, unsigned writeback, uint32_t *w)
{
	if (o->kind != GLLM_O_MEM || o->base > A64_SP || o->index_vec || o->amount != writeback)
		return false;
	*w |= (uint32_t)o->base << 5;
	return true;
}

static bool put_base(const struct gllm_operand *o, unsigned writeback, uint32_t *w)
{
	return o->index == GLLM_NO_REG && o->lane == 0 && put_mem(o, writeback, w);
}

static bool put_index(const struct gllm_operand *o, uint32_t *w)
{
	if (o->index > A64_ZR || o->index == A64_SP || o->imm != 0)
		return false;
	*w |= (uint32_t)(o->index == A64_ZR ? 31 : o->index) << 16;
	return true;
}

/* A displacement of 0 .. `last` units of 1 << scale bytes. */
static bool put_unsigned(const struct gllm_operand *o, unsigned scale, int64_t last, unsigned lsb, uint32_t *w)
{
	if (o->imm < 0 || o->imm >> scale > last || o->imm & ((1 << scale) - 1))
		return false;
	*w |= (uint32_t)(o->imm >> scale) << lsb;
	return put_base(o, A64_OFFSET, w);
}

static bool put_memr(const struct gllm_operand *o, unsigned scale, uint32_t *w)
{
	unsigned option = o->shift == A64_LSL ? 3 : o->shift - (unsigned)A64_UXTB;
	if (option > 7 || !(option & 2) || (o->shift == A64_UXTX) || (o->scale != 0 && o->scale != scale))
		return false;
	if (o->lane != 0 && (o->lane != A64_LSL0 || scale != 0))
		return false;
	*w |= option << 13 | (o->scale || o->lane ? 0x1000u : 0);
	return put_mem(o, A64_OFFSET, w) && put_index(o, w);
}

static bool put_literal(const struct gllm_insn *in, const struct gllm_operand *o, uint32_t *w)
{
	return o->kind == GLLM_O_MEM && o->base == GLLM_REG_PC && o->index == GLLM_NO_REG && o->amount == 0 &&
	       put_signed(o->imm - (int64_t)in->addr, 2, 19, 5, w);
}

/* An SVE base and index register, the index not the zero register. */
static bool put_memzr(const struct gllm_operand *o, unsigned scale, uint32_t *w)
{
	return o->shift == A64_LSL && o->scale == scale && o->index < 31 && o->lane == 0 && put_mem(o, A64_OFFSET, w) &&
	       put_index(o, w);
}

static bool put_memstep(const struct gllm_operand *o, uint32_t *w)
{
	return o->index < 31 && o->lane == 0 && o->scale == 0 && put_mem(o, A64_POST, w) && put_index(o, w);
}

static bool put_mulvl(const struct gllm_operand *o, uint32_t *w)
{
	return o->index == GLLM_NO_REG && o->lane == A64_MULVL && put_mem(o, A64_OFFSET, w);
}

static int64_t list_bytes(const struct gllm_operand *list, bool element) /* that a structure access moves */
{
	return (element || list->lane & A64_LANE ? 1 << (list->lane & 15) : list->size) / 8 * list->amount;
}

static unsigned width_of(uint64_t op) { return 32u - (unsigned)__builtin_clz(a64_field(op) >> a64_a(op)); }

static bool put(const struct gllm_insn *in, const struct gllm_operand *o, uint64_t op, uint32_t fixed, uint32_t *w)
{
	unsigned a = a64_a(op), b = a64_b_of(op), size = fixed >> 31 ? 64 : 32;
	switch (a64_kind(op)) {
	case A64_K_REG: return put_reg(o, op, fixed, w);
	case A64_K_SAME: return is_same(o, &in->op[0], b, fixed);
	case A64_K_SHIFTED: return put_shifted(o, a, fixed, w);
	case A64_K_EXTENDED: return put_extended(o, fixed, w);
	case A64_K_LIST: return put_list(o, op, fixed, w);
	case A64_K_LANE5: return put_lane(o, b, a, 16 + b - 2, w);
	case A64_K_LANE4: return put_lane(o, b, a, 11 + b - 3, w);
	case A64_K_LISTLANE: return put_listlane(o, b, a64_count(op), w);
	case A64_K_BYLANE: return put_bylane(o, a, b, w);
	case A64_K_UPPER: return put_upper(o, b, a, w);
	case A64_K_UIMM: return put_from(o, b, (int64_t)(a64_field(op) >> a) + b, a, w);
	case A64_K_SIMM: return o->kind == GLLM_O_IMM && put_signed(o->imm, 0, width_of(op), a, w);
	case A64_K_BIT6: return put_from(o, 0, size - 1, a, w);
	case A64_K_FRACBITS: return put_below(o, 64, size, a, w);
	case A64_K_BITNO: return put_from(o, size - 32, size - 1, 19, w);
	case A64_K_IMM12: return put_imm12(o, w);
	case A64_K_IMM16: return put_imm16(o, size, w);
	case A64_K_BITMASK: return put_bitmask(o, size, w);
	case A64_K_IMM8: return put_imm8(o, op, fixed, w);
	case A64_K_FLOATIMM: return put_float(o, gllm_a64_shape(A64_F_F, fixed).size, a, w);
	case A64_K_RIGHT: return put_below(o, INT64_C(1) << a, INT64_C(1) << a, 16, w);
	case A64_K_LEFT: return put_from(o, 0, (INT64_C(1) << a) - 1, 16, w);
	case A64_K_ZERO: return is_imm(o, b, b);
	case A64_K_BYTES8: return o->kind == GLLM_O_IMM && put_split(o->imm, 0, 255, w);
	case A64_K_PRFOP: return put_from(o, 0, b, 0, w);
	case A64_K_BARRIER:
	case A64_K_SYSREG:
	case A64_K_SYSOP:
	case A64_K_PATTERN: return put_from(o, 0, a64_field(op) >> a, a, w);
	case A64_K_REL: return o->kind == GLLM_O_REL && put_signed(o->imm - (int64_t)in->addr, 2, width_of(op), a, w);
	case A64_K_RELADR: return put_adr(in, o, a, w);
	case A64_K_COND: return put_cond(o, a, w);
	case A64_K_MEMU: return put_unsigned(o, b, 0xfff, 10, w);
	case A64_K_MEMS: return put_base(o, a, w) && put_signed(o->imm, 0, 9, 12, w);
	case A64_K_MEMP: return put_base(o, a, w) && put_signed(o->imm, b, 7, 15, w);
	case A64_K_MEMR: return put_memr(o, b, w);
	case A64_K_MEMLIT: return put_literal(in, o, w);
	case A64_K_MEMBASE: return o->imm == 0 && put_base(o, A64_OFFSET, w);
	case A64_K_MEMNEXT: return o->imm == list_bytes(&in->op[0], b) && put_base(o, A64_POST, w);
	case A64_K_MEMSTEP: return put_memstep(o, w);
	case A64_K_MEMZR: return put_memzr(o, b, w);
	case A64_K_MEMZI: return put_mulvl(o, w) && put_signed(o->imm, 0, 4, 16, w);
	case A64_K_MEMZI9: return put_mulvl(o, w) && put_split(o->imm, -256, 255, w);
	case A64_K_MEMZE: return put_unsigned(o, b, 63, 16, w);
	case A64_K_MEMZQ: return put_base(o, A64_OFFSET, w) && put_signed(o->imm, b, 4, 16, w);
	case A64_K_NONE:
	case A64_K_COUNT: break;
	}
	return false;
}

size_t gllm_a64_encode(const struct gllm_insn *in, unsigned char *out)
{
	if (in->row >= A64_ROW_COUNT)
		return 0;
	const struct gllm_a64_info *info = &gllm_a64_info[in->row];
	uint32_t fixed = gllm_a64_key[in->row].fixed, w = fixed;
	unsigned n = 0;
	for (; n < GLLM_INSN_OPERANDS && info->op[n]; n++)
		if (n >= in->n || !put(in, &in->op[n], info->op[n], fixed, &w))
			return 0;
	if (n != in->n || gllm_a64_unpredictable(in))
		return 0;
	gllm_put_le32(out, w);
	return 4;
}
