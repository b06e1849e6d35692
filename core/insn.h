/* SPDX-License-Identifier: MIT
 * core/insn.h - one machine instruction, decoded: the same struct for both ISAs, both directions. */
#ifndef GLLM_INSN_H
#define GLLM_INSN_H
#include <stddef.h>
#include <stdint.h>
#include "gllm/status.h"

enum gllm_operand_kind {
	GLLM_O_NONE,
	GLLM_O_REG,   /* reg, size in bits, cls */
	GLLM_O_MEM,   /* [base + index << scale + disp] */
	GLLM_O_IMM,   /* imm */
	GLLM_O_REL,   /* imm = absolute target address (decode) or displacement from the instruction's start (encode) */
	GLLM_O_COND,  /* imm = the ISA's condition number */
};

enum gllm_reg_class { GLLM_R_GPR, GLLM_R_VEC, GLLM_R_MASK };

enum { GLLM_NO_REG = 255, GLLM_REG_PC = 254 };

struct gllm_operand {
	uint8_t kind, cls;
	uint8_t reg;          /* REG: number; x86 ah..bh are 16..19 with size 8 */
	uint8_t access;       /* 1 read, 2 written, 3 both */
	uint16_t size;        /* bits of the register or of the memory access; 0 if unsized (lea) */
	uint8_t base, index;  /* MEM: register numbers, GLLM_NO_REG if absent, base GLLM_REG_PC: relative to pc */
	uint8_t index_vec;    /* MEM: index is a vector register (VSIB) */
	uint8_t scale;        /* MEM: log2 */
	uint8_t shift, amount;/* a64 REG: LSL LSR ASR ROR, or extend UXTB.. as the ISA numbers them + 4; amount.
	                       * a64 MEM: extend of the index in `shift`, writeback in `amount` (0 none, 1 pre, 2 post) */
	uint8_t lane;         /* a64: element size log2 (bits 0..3) and, bit 7, whether `lane_index` is given */
	uint8_t lane_index;
	int64_t imm;          /* IMM/REL/COND value, MEM displacement (absolute address when base is PC, on decode) */
};

enum { GLLM_INSN_OPERANDS = 5 };

struct gllm_insn {
	uint64_t addr;
	uint16_t row;         /* of the ISA's insn.def */
	uint8_t length;       /* bytes */
	uint8_t n;            /* operands, destination first */
	uint8_t vl;           /* x86: 0 = 128, 1 = 256, 2 = 512 */
	uint8_t mask, zeroing, broadcast, rounding; /* EVEX: k register (0 none), {z}, {1toN}, 1 + rounding mode or 0 */
	uint8_t rep;          /* x86: 0, 0xf2 or 0xf3 where it is a plain prefix */
	struct gllm_operand op[GLLM_INSN_OPERANDS]; /* those beyond n say nothing */
};
#endif
