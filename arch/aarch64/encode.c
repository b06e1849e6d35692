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

/* `value` as a signed number of `bits` bits, counted in units of 1 << scale. */
static bool put_signed(int64_t value, unsigned scale, unsigned bits, unsigned lsb, uint32_t *w)
{
	int64_t unit = INT64_C(1) << scale, limit = INT64_C(1) << (bits - 1);
	if (value % unit || value / unit < -limit || value / unit >= limit)
		return false;
	*w |= ((uint32_t)(value / unit) & ((bits < 32 ? 1u << bits : 0) - 1)) << lsb;
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

static bool put_extended(const struct gllm_operand *o, uint32_t fixed, uint32_t *w)
{
	uint32_t number = 0, option = (uint32_t)o->shift - A64_UXTB;
	struct gllm_a64_shape s = gllm_a64_shape(fixed >> 31 && (option & 3) == 3 ? A64_F_X : A64_F_W, 0);
	if (option > 7 || o->amount > 4 || !fits_reg(o, &s, &number))
		return false;
	*w |= number << 16 | option << 13 | (uint32_t)o->amount << 10;
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

static bool put_bylane(const struct gllm_operand *o, unsigned bits, unsigned element, uint32_t *w)
{
	unsigned hlm = (unsigned)o->lane_index << (3 - bits);
	if (!lane_of(o, element, 0) || (bits == 3 && o->reg > 15) || hlm > 7)
		return false;
	*w |= (uint32_t)o->reg << 16 | (hlm >> 2) << 11 | (hlm >> 1 & 1) << 21 | (hlm & 1) << 20;
	return true;
}

static bool put_bitmask(const struct gllm_operand *o, uint32_t fixed, uint32_t *w)
{
	uint32_t bits = 0;
	if (o->kind != GLLM_O_IMM || !gllm_a64_bitmask_put((uint64_t)o->imm, fixed >> 31 ? 64 : 32, &bits))
		return false;
	*w |= bits << 10;
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

static int64_t list_bytes(const struct gllm_operand *list, bool element) /* that a structure access moves */
{
	return (element || list->lane & A64_LANE ? 1 << (list->lane & 15) : list->size) / 8 * list->amount;
}

static unsigned width_of(uint64_t op) { return 32u - (unsigned)__builtin_clz(a64_field(op) >> a64_a(op)); }

static bool put(const struct gllm_insn *in, const struct gllm_operand *o, uint64_t op, uint32_t fixed, uint32_t *w)
{
	unsigned a = a64_a(op), b = a64_b_of(op);
	struct gllm_a64_shape s;
	uint32_t v = 0;
	unsigned imm8 = 0;
	switch (a64_kind(op)) {
	case A64_K_REG:
		s = gllm_a64_shape((enum a64_form)b, fixed);
		if (!plain_reg(o, &s, &v) || (v << a & ~a64_field(op)))
			return false;
		*w |= v << a;
		return true;
	case A64_K_SAME:
		s = gllm_a64_shape((enum a64_form)b, fixed);
		return plain_reg(o, &s, &v) && o->reg == in->op[0].reg;
	case A64_K_SHIFTED:
		s = gllm_a64_shape(A64_F_G, fixed);
		if (!fits_reg(o, &s, &v) || o->shift > A64_ROR || (o->shift == A64_ROR && !a) || o->amount >= s.size)
			return false;
		*w |= v << 16 | (uint32_t)o->shift << 22 | (uint32_t)o->amount << 10;
		return true;
	case A64_K_EXTENDED:
		return put_extended(o, fixed, w);
	case A64_K_LIST:
		s = gllm_a64_shape((enum a64_form)b, fixed);
		if (!fits_reg(o, &s, &v) || o->amount != a64_count(op) || o->shift)
			return false;
		*w |= v << a;
		return true;
	case A64_K_LANE5:
		*w |= (uint32_t)o->reg << a | (uint32_t)o->lane_index << (16 + b - 2);
		return lane_of(o, b, 0);
	case A64_K_LANE4:
		*w |= (uint32_t)o->reg << a | (uint32_t)o->lane_index << (11 + b - 3);
		return lane_of(o, b, 0);
	case A64_K_LISTLANE:
		v = (uint32_t)o->lane_index << (b - 3);
		*w |= (uint32_t)o->reg | (v >> 3 & 1) << 30 | (v & 7) << 10;
		return lane_of(o, b, a64_count(op));
	case A64_K_BYLANE:
		return put_bylane(o, a, b, w);
	case A64_K_UIMM:
		if (!is_imm(o, b, (int64_t)(a64_field(op) >> a) + b))
			return false;
		*w |= ((uint32_t)o->imm - b) << a;
		return true;
	case A64_K_SIMM:
		return o->kind == GLLM_O_IMM && put_signed(o->imm, 0, width_of(op), a, w);
	case A64_K_BIT6:
		if (!is_imm(o, 0, fixed >> 31 ? 63 : 31))
			return false;
		*w |= (uint32_t)o->imm << a;
		return true;
	case A64_K_FRACBITS:
		if (!is_imm(o, 1, fixed >> 31 ? 64 : 32))
			return false;
		*w |= (64 - (uint32_t)o->imm) << a;
		return true;
	case A64_K_BITNO:
		if (!is_imm(o, fixed >> 31 ? 32 : 0, fixed >> 31 ? 63 : 31))
			return false;
		*w |= ((uint32_t)o->imm & 31) << 19;
		return true;
	case A64_K_IMM12:
		if (!is_imm(o, 0, 0xfff) || (o->amount != 0 && o->amount != 12))
			return false;
		*w |= (uint32_t)o->imm << 10 | (o->amount ? 1u << 22 : 0);
		return true;
	case A64_K_IMM16:
		if (!is_imm(o, 0, 0xffff) || o->amount % 16 || o->amount >= (fixed >> 31 ? 64 : 32))
			return false;
		*w |= (uint32_t)o->imm << 5 | (uint32_t)o->amount / 16 << 21;
		return true;
	case A64_K_BITMASK:
		return put_bitmask(o, fixed, w);
	case A64_K_IMM8:
		return put_imm8(o, op, fixed, w);
	case A64_K_FLOATIMM:
		if (o->kind != GLLM_O_IMM ||
		    !gllm_a64_float_put((uint64_t)o->imm, gllm_a64_shape(A64_F_F, fixed).size, &imm8))
			return false;
		*w |= imm8 << a;
		return true;
	case A64_K_RIGHT:
		if (!is_imm(o, 1, INT64_C(1) << a))
			return false;
		*w |= ((1u << a) - (uint32_t)o->imm) << 16;
		return true;
	case A64_K_LEFT:
		if (!is_imm(o, 0, (INT64_C(1) << a) - 1))
			return false;
		*w |= (uint32_t)o->imm << 16;
		return true;
	case A64_K_ZERO:
		return is_imm(o, b, b);
	case A64_K_UPPER:
		*w |= (uint32_t)o->reg << a;
		return lane_of(o, b, 0) && o->lane_index == 1;
	case A64_K_REL:
		return o->kind == GLLM_O_REL && put_signed(o->imm - (int64_t)in->addr, 2, width_of(op), a, w);
	case A64_K_RELADR:
		return put_adr(in, o, a, w);
	case A64_K_COND:
		if (o->kind != GLLM_O_COND || o->imm < 0 || o->imm > 15)
			return false;
		*w |= (uint32_t)o->imm << a;
		return true;
	case A64_K_PRFOP:
		*w |= (uint32_t)o->imm & 31;
		return is_imm(o, 0, b);
	case A64_K_BARRIER:
	case A64_K_SYSREG:
	case A64_K_SYSOP:
	case A64_K_PATTERN:
		if (!is_imm(o, 0, a64_field(op) >> a))
			return false;
		*w |= (uint32_t)o->imm << a;
		return true;
	case A64_K_MEMU:
		if (o->imm < 0 || o->imm >> b > 0xfff || o->imm & ((1 << b) - 1))
			return false;
		*w |= (uint32_t)(o->imm >> b) << 10;
		return put_base(o, A64_OFFSET, w);
	case A64_K_MEMS:
		return put_base(o, a, w) && put_signed(o->imm, 0, 9, 12, w);
	case A64_K_MEMP:
		return put_base(o, a, w) && put_signed(o->imm, b, 7, 15, w);
	case A64_K_MEMR:
		return put_memr(o, b, w);
	case A64_K_MEMLIT:
		return o->kind == GLLM_O_MEM && o->base == GLLM_REG_PC && o->index == GLLM_NO_REG && o->amount == 0 &&
		       put_signed(o->imm - (int64_t)in->addr, 2, 19, 5, w);
	case A64_K_MEMBASE:
		return o->imm == 0 && put_base(o, A64_OFFSET, w);
	case A64_K_MEMNEXT:
		return o->imm == list_bytes(&in->op[0], b) && put_base(o, A64_POST, w);
	case A64_K_MEMSTEP:
		return o->index < 31 && o->lane == 0 && o->scale == 0 && put_mem(o, A64_POST, w) && put_index(o, w);
	case A64_K_MEMZR:
		return o->shift == A64_LSL && o->scale == b && o->index < 31 && o->lane == 0 &&
		       put_mem(o, A64_OFFSET, w) && put_index(o, w);
	case A64_K_MEMZI:
		return o->index == GLLM_NO_REG && o->lane == A64_MULVL && put_mem(o, A64_OFFSET, w) &&
		       put_signed(o->imm, 0, 4, 16, w);
	case A64_K_MEMZI9:
		*w |= ((uint32_t)o->imm & 0x1f8) << 13 | ((uint32_t)o->imm & 7) << 10;
		return o->imm >= -256 && o->imm < 256 && o->index == GLLM_NO_REG && o->lane == A64_MULVL && put_mem(o, A64_OFFSET, w);
	case A64_K_MEMZE:
		*w |= (uint32_t)(o->imm >> b & 63) << 16;
		return o->imm >= 0 && o->imm >> b < 64 && !(o->imm & ((1 << b) - 1)) && put_base(o, A64_OFFSET, w);
	case A64_K_MEMZQ:
		return put_base(o, A64_OFFSET, w) && put_signed(o->imm, b, 4, 16, w);
	case A64_K_BYTES8:
		*w |= ((uint32_t)o->imm & 0xf8) << 13 | ((uint32_t)o->imm & 7) << 10;
		return is_imm(o, 0, 255);
	case A64_K_NONE:
	case A64_K_COUNT:
		break;
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
