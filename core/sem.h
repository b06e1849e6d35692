/* SPDX-License-Identifier: MIT
 * core/sem.h - the list of meanings: what an instruction of any ISA does, in micro-operations both ISAs share.
 *
 * arch/<a>/lift.c turns one decoded instruction into a short list of these; jit/lift.c executes them symbolically.
 * What cannot be said with this list is GLLM_NOT_LIFTED, never approximated.
 *
 * Locations hold values. Integer registers are 64 bits; a vector register is tracked as the low lane of scalar code (up
 * to 64 bits) and as an opaque whole for moves of 128 bits. Temporaries T0.. live for one instruction. */
#ifndef GLLM_SEM_H
#define GLLM_SEM_H
#include <stdint.h>

enum { /* locations */
	GLLM_LOC_R0 = 0,    /* x86: rax rcx rdx rbx rsp rbp rsi rdi r8..r15 by encoding; a64: x0..x30, 31 = SP */
	GLLM_LOC_V0 = 32,   /* 32 vector registers */
	GLLM_LOC_FLAGS = 64,
	GLLM_LOC_T0 = 65,   /* 16 temporaries */
	GLLM_LOC_COUNT = 81,
	GLLM_LOC_ZERO = 254, /* reads as integer 0 (xzr); writes vanish */
	GLLM_LOC_NONE = 255,
};

/* `w` is the operation's width in bits. Integer results are zero-extended from w to 64. If location b is NONE, the
 * operand is `imm` (sign-extended 64-bit). Addresses are [a + (b << scale) + imm], a == NONE: absolute imm. */
#define GLLM_SEMS(S)                                                                             \
	S(MOV)    /* d = a or imm, low w bits (w = 32, 64, 128; vector or integer, bit pattern kept) */ \
	S(ADD) S(SUB) S(MUL) S(AND) S(OR) S(XOR)   /* d = a op b */                               \
	S(SHL) S(SHR) S(SAR)                       /* count is b or imm, taken modulo w */        \
	S(NEG) S(NOT)                              /* d = op a */                                 \
	S(MULHU) S(MULHS) S(UDIV) S(SDIV)          /* high half of the product; quotient */       \
	S(SEXT) S(ZEXT)    /* d = extend low w bits of a to 64 (SEXT: then cut to `imm` bits if imm is 32) */ \
	S(INSERT)          /* d = b with its low w bits replaced by the low w bits of a (8/16-bit writes; movss r,r) */ \
	S(LOAD)            /* d = memory[w bits], zero-extended */                                \
	S(STORE)           /* memory[w bits] = c */                                               \
	S(ADDR)            /* d = the address itself (lea, adr, adrp) */                          \
	S(CMP)             /* FLAGS = compare integers a, b (as a - b) of width w */              \
	S(TEST)            /* FLAGS = compare (a & b) with 0, width w */                          \
	S(CMN)             /* FLAGS = flags of a + b, width w */                                  \
	S(FLAGSOF)         /* FLAGS = compare the result a with 0: only EQ NE SNEG SPOS are valid (inc, shl, and, ...) */ \
	S(FCMP)            /* FLAGS = compare floats a, b of width w (32, 64) */                  \
	S(CCMP)            /* FLAGS = cc(FLAGS) ? compare ints a, b : the literal NZCV in `scale` */ \
	S(FCCMP)           /* the same with floats */                                             \
	S(SELECT)          /* d = cc(FLAGS) ? a : b, width w (integer or float pattern) */        \
	S(SETCC)           /* d = cc(FLAGS) ? 1 : 0 */                                            \
	S(FADD) S(FSUB) S(FMUL) S(FDIV)            /* d = a op b, IEEE, width 32 or 64 */         \
	S(FMIN) S(FMAX)    /* x86 minss/maxss: a < b ? a : b,  a > b ? a : b */                   \
	S(FMINN) S(FMAXN)  /* a64 fmin/fmax: NaN if either is, -0 < +0 */                         \
	S(FMINNM) S(FMAXNM)/* a64 fminnm/fmaxnm: the number if one is a quiet NaN, -0 < +0 */     \
	S(FSQRT) S(FNEG) S(FABS)                                                                   \
	S(FRINT)           /* to nearest even (imm 0), down (1), up (2), toward zero (3), away at ties (4) */ \
	S(FMA)             /* d = a * b + c, one rounding */                                      \
	S(FMS)             /* d = a * b - c */                                                    \
	S(FNMA)            /* d = -(a * b) + c */                                                 \
	S(FNMS)            /* d = -(a * b) - c */                                                 \
	S(FMASK)           /* d = lane masks of scalar compare a, b by `cc` (cmpss): all ones or zeros, width w */ \
	S(BLEND)           /* d = the highest of the low w bits of c ? a : b (blendvps) */       \
	S(I2F) S(U2F)      /* d = float of width w from signed/unsigned integer a of width imm */ \
	S(F2I)             /* d = signed integer of width imm from float a of width w, toward zero */ \
	S(F2IN)            /* the same, to nearest even (cvtss2si, fcvtns) */                     \
	S(F2U)                                                                                     \
	S(F2F)             /* d = float of width w from float a of width imm (16, 32, 64) */      \
	/* what follows is the last operation of its instruction */                               \
	S(JUMP)            /* to absolute imm, or to location a if imm is 0 and a is not NONE */  \
	S(BRANCH)          /* to absolute imm if cc(FLAGS) */                                     \
	S(BRZ) S(BRNZ)     /* to absolute imm if low w bits of a are zero / not zero */           \
	S(BRBIT)           /* to absolute imm if bit b(as number) of a is `scale` (tbz 0, tbnz 1) */ \
	S(CALL)            /* like JUMP, and the return address is given in c's place: arch says where it lives (abi) */ \
	S(RET)                                                                                     \
	S(NOP)             /* endbr64, bti, nop, paciasp as hints */                              \
	S(TRAP)            /* ud2, brk: never reached in what is lifted */

enum gllm_sem_op {
#define S(name) GLLM_S_##name,
	GLLM_SEMS(S)
#undef S
	GLLM_S_COUNT
};

/* A condition has one reading after an integer compare and another after a float compare; the arch gives both because
 * only the flow knows which compare came before. Float: O.. ordered, U.. true also when unordered. */
enum gllm_cc {
	GLLM_CC_NEVER, GLLM_CC_ALWAYS,
	GLLM_CC_EQ, GLLM_CC_NE, GLLM_CC_ULT, GLLM_CC_ULE, GLLM_CC_UGT, GLLM_CC_UGE,
	GLLM_CC_SLT, GLLM_CC_SLE, GLLM_CC_SGT, GLLM_CC_SGE, GLLM_CC_SNEG, GLLM_CC_SPOS, GLLM_CC_OVF, GLLM_CC_NOVF,
	GLLM_CC_FOEQ, GLLM_CC_FUEQ, GLLM_CC_FONE, GLLM_CC_FUNE, GLLM_CC_FOLT, GLLM_CC_FULT, GLLM_CC_FOLE, GLLM_CC_FULE,
	GLLM_CC_FOGT, GLLM_CC_FUGT, GLLM_CC_FOGE, GLLM_CC_FUGE, GLLM_CC_FORD, GLLM_CC_FUNO,
};

struct gllm_sem_op_rec { /* one micro-operation */
	uint8_t op;          /* enum gllm_sem_op */
	uint8_t w;
	uint8_t cc, fcc;     /* integer and float reading of the condition */
	uint8_t d, a, b, c;  /* locations */
	uint8_t scale;
	int64_t imm;
};

enum { GLLM_SEM_MAX = 16 };
struct gllm_sem {
	struct gllm_sem_op_rec *op; /* room for GLLM_SEM_MAX, where they are to stay */
	unsigned n;
};
#endif
