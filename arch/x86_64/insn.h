/* SPDX-License-Identifier: MIT
 * arch/x86_64/insn.h - the rows of insn.def by name, and operands to build instructions with.
 *
 * Row names: the mnemonic, then where the form's operands are if there are several. For integer instructions R is ModRM.reg,
 * M ModRM.rm (register or memory), I an immediate, I8 a sign-extended byte, A the accumulator, C cl, 1 the constant; a
 * mnemonic with 8 works on bytes. Loads and stores of vectors are _RM (into the register) and _MR. A row that begins with
 * EV is the EVEX form of the VEX row without the E. */
#ifndef GLLM_X86_INSN_H
#define GLLM_X86_INSN_H
#include "core/insn.h"
#include "core/target.h"

enum gllm_x86_row {
#define X(id, text, enc, pp, map, w, l, opc, n, ops, dec, isa, sem, arg, width) X86_##id,
#include "arch/x86_64/insn.def"
#undef X
	X86_ROWS
};

enum { X86_RAX, X86_RCX, X86_RDX, X86_RBX, X86_RSP, X86_RBP, X86_RSI, X86_RDI,
       X86_R8, X86_R9, X86_R10, X86_R11, X86_R12, X86_R13, X86_R14, X86_R15,
       X86_AH, X86_CH, X86_DH, X86_BH };

enum { X86_O, X86_NO, X86_B, X86_AE, X86_E, X86_NE, X86_BE, X86_A,
       X86_S, X86_NS, X86_P, X86_NP, X86_L, X86_GE, X86_LE, X86_G };

static inline struct gllm_operand x86_gpr(unsigned n, unsigned bits)
{
	return (struct gllm_operand){ .kind = GLLM_O_REG, .cls = GLLM_R_GPR, .reg = (uint8_t)n, .size = (uint16_t)bits };
}
static inline struct gllm_operand x86_vec(unsigned n, unsigned bits)
{
	return (struct gllm_operand){ .kind = GLLM_O_REG, .cls = GLLM_R_VEC, .reg = (uint8_t)n, .size = (uint16_t)bits };
}
static inline struct gllm_operand x86_mask(unsigned n)
{
	return (struct gllm_operand){ .kind = GLLM_O_REG, .cls = GLLM_R_MASK, .reg = (uint8_t)n, .size = 64 };
}
/* [base + (index << scale) + disp]; base or index may be GLLM_NO_REG. bits 0: the size the row says. */
static inline struct gllm_operand x86_mem(unsigned base, unsigned index, unsigned scale, int64_t disp, unsigned bits)
{
	return (struct gllm_operand){ .kind = GLLM_O_MEM, .size = (uint16_t)bits, .base = (uint8_t)base,
	                              .index = (uint8_t)index, .scale = (uint8_t)scale, .imm = disp };
}
static inline struct gllm_operand x86_imm(int64_t v)
{
	return (struct gllm_operand){ .kind = GLLM_O_IMM, .imm = v };
}
/* Target of a jump. The encoder subtracts insn.addr, so with addr 0 this is the distance from the instruction's start. */
static inline struct gllm_operand x86_rel(int64_t target)
{
	return (struct gllm_operand){ .kind = GLLM_O_REL, .imm = target };
}
static inline struct gllm_operand x86_cond(unsigned cc)
{
	return (struct gllm_operand){ .kind = GLLM_O_COND, .imm = (int64_t)cc };
}

/* The functions of struct gllm_target (core/target.h says what they promise). */
enum gllm_status gllm_x86_decode(const unsigned char *bytes, size_t size, uint64_t addr, struct gllm_insn *out);
size_t gllm_x86_encode(const struct gllm_insn *in, unsigned char *out); /* out has room for 16 bytes */
enum { X86_ROOM = 24 };
size_t gllm_x86_encode_into(const struct gllm_insn *in, unsigned char out[X86_ROOM]); /* bytes behind what is returned, and all
                                                                                        * if that is 0, may be anything */
size_t gllm_x86_text(const struct gllm_insn *in, char *out, size_t size);
uint64_t gllm_x86_features(const struct gllm_insn *in);
enum gllm_status gllm_x86_meaning(const struct gllm_insn *in, struct gllm_sem *out);
#endif
