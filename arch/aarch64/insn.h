/* SPDX-License-Identifier: MIT
 * arch/aarch64/insn.h - names for the rows of insn.def and constructors for their operands.
 *
 * In struct gllm_insn an operand of this ISA reads:
 *   REG  general: reg 0..30, A64_SP or A64_ZR (never 31 for zr), size 32 or 64; `shift` and `amount` of a shifted
 *        (A64_LSL..) or extended (A64_UXTB..) register. Vector scalar: size 8..128, lane 0. Vector: size 64 or 128 and
 *        lane = log2 of the element's bits; one lane of it: lane | A64_LANE, lane_index. SVE: size 0, lane likewise.
 *        Lists count their registers in `amount`. Predicate: cls MASK, lane of its elements or 0, amount A64_ZEROING or
 *        A64_MERGING when it governs.
 *   MEM  base (A64_SP allowed), disp in bytes or index with `shift` (A64_UXTW A64_LSL A64_SXTW A64_SXTX) and `scale`;
 *        amount = A64_PRE or A64_POST writes base + disp (or base + index) back. lane A64_MULVL: disp counts vector
 *        lengths; A64_LSL0: the index is written with a shift of nothing.
 *   IMM  the value an assembler would show; `amount` is its left shift where the form has one (add, movz, movi).
 *        Bitmasks and float constants are the bit pattern itself.
 *   REL and pc-relative MEM hold the target on decode; the encoder subtracts in->addr, so addr 0 means displacement. */
#ifndef GLLM_A64_INSN_H
#define GLLM_A64_INSN_H
#include <stdbool.h>
#include "core/insn.h"
#include "core/sem.h"
#include "gllm/profile.h"

enum gllm_a64_row {
#define X(id, ...) A64_##id,
#define GROUP(id) A64_GROUP_##id, A64_GROUP_##id##_BACK = A64_GROUP_##id - 1,
#include "arch/aarch64/insn.def"
#undef X
#undef GROUP
	A64_ROW_COUNT = A64_GROUP_END
};

enum { A64_SP = 31, A64_ZR = 32 };
enum { A64_OFFSET, A64_PRE, A64_POST };                    /* of a memory operand */
enum { A64_ZEROING = 1, A64_MERGING = 2 };                 /* of a governing predicate */
enum { A64_LANE = 0x80, A64_MULVL = 1, A64_LSL0 = 2 };
enum { A64_EB = 3, A64_EH, A64_ES, A64_ED };               /* log2 of an element's bits */
enum a64_shift { A64_LSL, A64_LSR, A64_ASR, A64_ROR,
	A64_UXTB, A64_UXTH, A64_UXTW, A64_UXTX, A64_SXTB, A64_SXTH, A64_SXTW, A64_SXTX };
enum a64_cond { A64_EQ, A64_NE, A64_HS, A64_LO, A64_MI, A64_PL, A64_VS, A64_VC,
	A64_HI, A64_LS, A64_GE, A64_LT, A64_GT, A64_LE, A64_AL, A64_NV };
/* Arrangements: element and whether the register is whole (128 bits). */
enum a64_arrangement { A64_8B = A64_EB, A64_4H = A64_EH, A64_2S = A64_ES, A64_1D = A64_ED,
	A64_16B = A64_EB | 16, A64_8H = A64_EH | 16, A64_4S = A64_ES | 16, A64_2D = A64_ED | 16 };
/* Values of the 15-bit system register operand (o0 op1 CRn CRm op2) and of the 14-bit operand of sys (op1 CRn CRm op2). */
enum { A64_FPCR = 0x5a20, A64_FPSR = 0x5a21, A64_CTR_EL0 = 0x5801, A64_NZCV = 0x5a10 };
enum { A64_DC_CVAU = 0x1bd9, A64_DC_CVAC = 0x1bd1, A64_DC_CIVAC = 0x1bf1, A64_IC_IVAU = 0x1ba9 };
enum { A64_HINT_NOP = 0, A64_HINT_PACIASP = 25, A64_HINT_AUTIASP = 29, A64_HINT_BTI_C = 34 };

static inline struct gllm_operand a64_register(unsigned cls, unsigned reg, unsigned size, unsigned lane)
{
	struct gllm_operand o = { .kind = GLLM_O_REG, .cls = (uint8_t)cls, .reg = (uint8_t)reg, .size = (uint16_t)size,
	                          .lane = (uint8_t)lane, .base = GLLM_NO_REG, .index = GLLM_NO_REG };
	return o;
}
static inline struct gllm_operand a64_w(unsigned n) { return a64_register(GLLM_R_GPR, n, 32, 0); }
static inline struct gllm_operand a64_x(unsigned n) { return a64_register(GLLM_R_GPR, n, 64, 0); }
static inline struct gllm_operand a64_b(unsigned n) { return a64_register(GLLM_R_VEC, n, 8, 0); }
static inline struct gllm_operand a64_h(unsigned n) { return a64_register(GLLM_R_VEC, n, 16, 0); }
static inline struct gllm_operand a64_s(unsigned n) { return a64_register(GLLM_R_VEC, n, 32, 0); }
static inline struct gllm_operand a64_d(unsigned n) { return a64_register(GLLM_R_VEC, n, 64, 0); }
static inline struct gllm_operand a64_q(unsigned n) { return a64_register(GLLM_R_VEC, n, 128, 0); }
static inline struct gllm_operand a64_v(unsigned n, enum a64_arrangement a)
{
	return a64_register(GLLM_R_VEC, n, a & 16 ? 128 : 64, a & 15);
}
/* {v<n>.<a>, ...} of `count` registers: loads, stores and tables. */
static inline struct gllm_operand a64_list(unsigned n, enum a64_arrangement a, unsigned count)
{
	struct gllm_operand o = a64_v(n, a);
	o.amount = (uint8_t)count;
	return o;
}
static inline struct gllm_operand a64_lane(unsigned n, unsigned element, unsigned index) /* element A64_EB.. */
{
	struct gllm_operand o = a64_register(GLLM_R_VEC, n, 128, element | A64_LANE);
	o.lane_index = (uint8_t)index;
	return o;
}
static inline struct gllm_operand a64_list_lane(unsigned n, unsigned element, unsigned index)
{
	struct gllm_operand o = a64_lane(n, element, index);
	o.amount = 1;
	return o;
}
static inline struct gllm_operand a64_z(unsigned n, unsigned element) { return a64_register(GLLM_R_VEC, n, 0, element); }
static inline struct gllm_operand a64_list_z(unsigned n, unsigned element)
{
	struct gllm_operand o = a64_z(n, element);
	o.amount = 1;
	return o;
}
static inline struct gllm_operand a64_p(unsigned n, unsigned element) { return a64_register(GLLM_R_MASK, n, 0, element); }
static inline struct gllm_operand a64_pg(unsigned n, unsigned governs) /* A64_ZEROING, A64_MERGING or 0 */
{
	struct gllm_operand o = a64_register(GLLM_R_MASK, n, 0, 0);
	o.amount = (uint8_t)governs;
	return o;
}
static inline struct gllm_operand a64_shifted(struct gllm_operand reg, enum a64_shift how, unsigned amount)
{
	reg.shift = (uint8_t)how;
	reg.amount = (uint8_t)amount;
	return reg;
}
static inline struct gllm_operand a64_operand(unsigned kind, int64_t imm)
{
	struct gllm_operand o = { .kind = (uint8_t)kind, .base = GLLM_NO_REG, .index = GLLM_NO_REG, .imm = imm };
	return o;
}
static inline struct gllm_operand a64_imm(int64_t imm) { return a64_operand(GLLM_O_IMM, imm); }
static inline struct gllm_operand a64_rel(int64_t displacement) { return a64_operand(GLLM_O_REL, displacement); }
static inline struct gllm_operand a64_cond(enum a64_cond c) { return a64_operand(GLLM_O_COND, (int64_t)c); }
static inline struct gllm_operand a64_imm_shifted(int64_t imm, unsigned amount)
{
	struct gllm_operand o = a64_imm(imm);
	o.amount = (uint8_t)amount;
	return o;
}
static inline struct gllm_operand a64_mem(unsigned base, int64_t disp)
{
	struct gllm_operand o = a64_operand(GLLM_O_MEM, disp);
	o.base = (uint8_t)base;
	return o;
}
static inline struct gllm_operand a64_mem_pre(unsigned base, int64_t disp)
{
	struct gllm_operand o = a64_mem(base, disp);
	o.amount = A64_PRE;
	return o;
}
static inline struct gllm_operand a64_mem_post(unsigned base, int64_t disp)
{
	struct gllm_operand o = a64_mem(base, disp);
	o.amount = A64_POST;
	return o;
}
static inline struct gllm_operand a64_mem_index(unsigned base, unsigned index, enum a64_shift extend, unsigned amount)
{
	struct gllm_operand o = a64_mem(base, 0);
	o.index = (uint8_t)index;
	o.shift = (uint8_t)extend;
	o.scale = (uint8_t)amount;
	return o;
}
static inline struct gllm_operand a64_mem_vl(unsigned base, int64_t vectors) /* SVE: disp counts vector lengths */
{
	struct gllm_operand o = a64_mem(base, vectors);
	o.lane = A64_MULVL;
	return o;
}

enum gllm_status gllm_a64_decode(const unsigned char *bytes, size_t size, uint64_t addr, struct gllm_insn *out);
/* Operands must have exactly the row's form; 0 if one does not fit (range, class, size, zr for sp). Writes 4 bytes.
 * Uses in->row, in->addr and in->op; in->n must be the row's count. */
size_t gllm_a64_encode(const struct gllm_insn *in, unsigned char *out);
size_t gllm_a64_text(const struct gllm_insn *in, char *out, size_t size);
uint64_t gllm_a64_features(const struct gllm_insn *in);
enum gllm_status gllm_a64_meaning(const struct gllm_insn *in, struct gllm_sem *out);

/* Whether `pattern` is a bitmask immediate for a register of `size` 32 or 64 bits (and, orr, eor, ands). */
bool gllm_a64_is_bitmask(uint64_t pattern, unsigned size);
#endif
