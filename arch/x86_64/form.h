/* SPDX-License-Identifier: MIT
 * arch/x86_64/form.h - what the columns of insn.def mean. Private to this folder and to its tests.
 *
 * A form is read in two directions by encode.c and decode.c. Everything variable about a form is one of two numbers:
 *   os   16, 32, 64: chosen by prefix 66 and REX.W / VEX.W / EVEX.W; column `w` is the set of allowed values
 *   vl   0, 1, 2 (128, 256, 512 bits): VEX.L / EVEX.L'L; column `l` is the set of allowed values
 * and every operand size is a function of them (gllm_x86_bits). EVEX's disp8 is scaled by the bytes of the memory access,
 * which is the operand's memory size, or the broadcast element: so no tuple column is needed beyond those two. */
#ifndef GLLM_X86_FORM_H
#define GLLM_X86_FORM_H
#include "arch/x86_64/insn.h"
#include "core/target.h"

enum { LEG, VEX, EVEX };                                   /* enc */
enum { MAP_1B, MAP_0F, MAP_0F38, MAP_0F3A, MAP_5 = 5, MAP_6 = 6 };
enum { W16 = 1, W0 = 2, W1 = 4, WN = 3, WY = 6, WX = 7, WIG = 8 }; /* w: WN 16/32, WY 32/64, WX all, WIG ignored */
enum { L128 = 1, L256 = 2, L512 = 4, LXY = 3, LXYZ = 7, LYZ = 6, LIG = 8, LZ = 1 }; /* l: LIG ignored, vl reads as 0 */
enum { NR = 8, NM, PR, PC, CM, FIX = 0x100 }; /* n: 0..7 is /n; NR /r; NM no ModRM; PR opcode + register; PC opcode +
                                               * condition; CM the same and /r; FIX | byte: ModRM is that byte */

/* dec: what may decorate the instruction */
enum {
	K = 1, Z = 2,                 /* {k} merging mask, {z} */
	B2 = 4, B4 = 8, B8 = 16,      /* memory may be one element broadcast to all lanes */
	ER = 32, SAE = 64,            /* register form may state a rounding mode / suppress exceptions; implies 512 bits or scalar */
	KREQ = 128,                   /* a mask other than k0 is required, and is written (gather) */
	REP = 256,                    /* f3 is a plain prefix (rep ret) */
	PAD = 512,                    /* 2e and any number of 66: what assemblers pad with */
	NOTRACK = 1024,               /* 3e */
	E4 = 2048, E8 = 4096,         /* disp8 counts elements of 4, 8 bytes though the access is a whole vector */
	MODRM = 8192,                 /* has one; said by n */
	BYTES = 16384,                /* has registers of 8 bits; said by the operands */
};

enum gllm_x86_place {
	P_NONE,
	P_REG,   /* ModRM.reg */
	P_RM,    /* ModRM.rm: register or memory */
	P_RMR,   /* ModRM.rm: register only */
	P_MEM,   /* ModRM.rm: memory only */
	P_VSIB,  /* ModRM.rm: memory with a vector index, whose size is the operand's register size */
	P_VVV,   /* VEX.vvvv */
	P_IS4,   /* imm8[7:4] */
	P_OPR,   /* low three bits of the opcode */
	P_ACC,   /* al, ax, eax, rax */
	P_CL,
	P_X0,    /* xmm0 */
	P_ONE,   /* the constant 1; from here on no register */
	P_IB,    /* imm8, unsigned */
	P_IS,    /* imm8, sign-extended */
	P_IW,    /* imm16, unsigned */
	P_IZ,    /* imm16 if os is 16, else imm32; sign-extended */
	P_IQ,    /* imm64 */
	P_JB, P_JZ, /* rel8, rel32 */
	P_CC,    /* condition in the low four bits of the opcode */
};
enum { P_COUNT = P_CC + 1 };

/* sizes */
enum {
	S0, S8, S16, S32, S64, S128, S256, S512,
	SV,        /* os */
	SX,        /* vl */
	SXH, SXQ, SXE, /* a half, a quarter, an eighth of vl */
	SDUP,      /* movddup: 64 at 128, else vl */
};

/* Class and access stand where the first word of a struct gllm_operand has them (decode.c). */
#define O_(place, cls, rsize, msize) \
	((uint32_t)(place) | (uint32_t)(cls) << 8 | (uint32_t)(rsize) << 11 | (uint32_t)(msize) << 16)
#define G_(place, size) O_(place, GLLM_R_GPR, size, size)
#define V_(place, rsize, msize) O_(place, GLLM_R_VEC, rsize, msize)
#define K_(place, msize) O_(place, GLLM_R_MASK, S64, msize)
enum { RD = 0, WR = 3 << 24, RW = 2 << 24 };  /* access, kept so that nothing means read */

/* Operands: the letters of the Intel opcode maps. b w d q = 8 16 32 64 bits, v = os, o = 128, x = vl, h = half of x. */
#define Gb G_(P_REG, S8)
#define Gd G_(P_REG, S32)
#define Gq G_(P_REG, S64)
#define Gv G_(P_REG, SV)
#define Eb G_(P_RM, S8)
#define Ew G_(P_RM, S16)
#define Ed G_(P_RM, S32)
#define Eq G_(P_RM, S64)
#define Ev G_(P_RM, SV)
#define Rd G_(P_RMR, S32)
#define Rq G_(P_RMR, S64)
#define Rv G_(P_RMR, SV)
#define Bv G_(P_VVV, SV)
#define Zb G_(P_OPR, S8)
#define Zq G_(P_OPR, S64)
#define Zv G_(P_OPR, SV)
#define M0 G_(P_MEM, S0)
#define Mb G_(P_MEM, S8)
#define Md G_(P_MEM, S32)
#define Mw G_(P_MEM, S16)
#define Mq G_(P_MEM, S64)
#define Mv G_(P_MEM, SV)
#define Mo G_(P_MEM, S128)
#define My G_(P_MEM, S256)
#define Mx G_(P_MEM, SX)
#define RbMb O_(P_RM, GLLM_R_GPR, S32, S8)   /* 32-bit register or byte in memory (pextrb) */
#define RwMw O_(P_RM, GLLM_R_GPR, S32, S16)
#define AL G_(P_ACC, S8)
#define Av G_(P_ACC, SV)
#define CL G_(P_CL, S8)
#define ONE O_(P_ONE, 0, S8, S8)
#define Ib O_(P_IB, 0, S8, S8)
#define Is O_(P_IS, 0, S8, S8)
#define Iw O_(P_IW, 0, S16, S16)
#define Iz O_(P_IZ, 0, SV, SV)
#define Iq O_(P_IQ, 0, S64, S64)
#define Jb O_(P_JB, 0, S0, S0)
#define Jz O_(P_JZ, 0, S0, S0)
#define Cc O_(P_CC, 0, S0, S0)
#define Vo V_(P_REG, S128, S128)
#define Vy V_(P_REG, S256, S256)
#define Vx V_(P_REG, SX, SX)
#define Vh V_(P_REG, SXH, SXH)
#define Vq V_(P_REG, SXQ, SXQ)
#define Ho V_(P_VVV, S128, S128)
#define Hy V_(P_VVV, S256, S256)
#define Hx V_(P_VVV, SX, SX)
#define Hh V_(P_VVV, SXH, SXH)
#define Wo V_(P_RM, S128, S128)
#define Wy V_(P_RM, S256, S256)
#define Wx V_(P_RM, SX, SX)
#define Ws V_(P_RM, S128, S32)    /* scalars: an xmm register or so many bits in memory */
#define Wd V_(P_RM, S128, S64)
#define Ww V_(P_RM, S128, S16)
#define Wb V_(P_RM, S128, S8)
#define Wdup V_(P_RM, SX, SDUP)
#define WmH V_(P_RM, SXH, SXH)    /* half, quarter, eighth of vl; registers are never below 128 bits */
#define WmQ V_(P_RM, SXQ, SXQ)
#define WmE V_(P_RM, SXE, SXE)
#define Uo V_(P_RMR, S128, S128)
#define Ux V_(P_RMR, SX, SX)
#define Lx V_(P_IS4, SX, SX)
#define XMd O_(P_VSIB, GLLM_R_VEC, SX, S32) /* gather: index vector of vl or half of it, elements of 32 or 64 bits */
#define XMq O_(P_VSIB, GLLM_R_VEC, SX, S64)
#define XhMq O_(P_VSIB, GLLM_R_VEC, SXH, S64)
#define X0 V_(P_X0, S128, S128)
#define Kreg K_(P_REG, S64)
#define Kvvv K_(P_VVV, S64)
#define Krm K_(P_RMR, S64)
#define Kb K_(P_RM, S8)
#define Kw K_(P_RM, S16)
#define Kd K_(P_RM, S32)
#define Kq K_(P_RM, S64)

#define P0 0
#define P1(a) a
#define P2(a, b) a, b
#define P3(a, b, c) a, b, c
#define P4(a, b, c, d) a, b, c, d

/* isa: feature bits; two marks say what the vector length adds */
#define F_(f) ((uint32_t)1 << GLLM_X86_##f)
#define NEEDS_AVX2_AT_256 ((uint32_t)1 << 31)
#define NEEDS_VL_BELOW_512 ((uint32_t)1 << 30)
#define BASE 0
#define SSE3 F_(SSE3)
#define SSSE3 F_(SSSE3)
#define SSE41 F_(SSE41)
#define SSE42 F_(SSE42)
#define POPCNT F_(POPCNT)
#define BMI1 F_(BMI1)
#define BMI2 F_(BMI2)
#define AVX F_(AVX)
#define AVX2 F_(AVX2)
#define AVX12 (F_(AVX) | NEEDS_AVX2_AT_256)
#define FMA F_(FMA)
#define F16C F_(F16C)
#define AVXVNNI F_(AVXVNNI)
#define A512S F_(AVX512F)                         /* scalar: no length mark */
#define A512F (F_(AVX512F) | NEEDS_VL_BELOW_512)
#define A512BW (F_(AVX512BW) | NEEDS_VL_BELOW_512)
#define A512DQ (F_(AVX512DQ) | NEEDS_VL_BELOW_512)
#define A512BWS F_(AVX512BW)
#define A512DQS F_(AVX512DQ)
#define A512VNNI (F_(AVX512VNNI) | NEEDS_VL_BELOW_512)
#define A512FP16S F_(AVX512FP16)
#define A512FP16 (F_(AVX512FP16) | NEEDS_VL_BELOW_512)
#define LZCNT F_(BMI1)  /* not asked of a CPU one by one: they came with these */
#define MOVBE F_(AVX2)
#define A512BF16 (F_(AVX512BF16) | NEEDS_VL_BELOW_512)

/* sem: the evaluator in lift.c; `arg` is its parameter */
enum gllm_x86_sem {
	SEM_NONE,     /* not said: GLLM_NOT_LIFTED */
	SEM_NOP, SEM_TRAP,
	SEM_MOVE,     /* any move of general registers and memory, immediate included */
	SEM_ZX, SEM_SX, SEM_SXACC, SEM_SIGN, SEM_LEA, SEM_XCHG,
	SEM_ALU, SEM_CARRY, SEM_CMP, SEM_TEST, SEM_NOT, SEM_NEG, SEM_STEP, SEM_IMUL, SEM_MULHI, SEM_DIV,
	SEM_SHIFT, SEM_SHIFTX, SEM_SHIFT2, SEM_ROTATE, SEM_RORX, SEM_BT, SEM_ANDN, SEM_LOWBIT, SEM_MULX,
	SEM_SETCC, SEM_CMOV, SEM_JCC, SEM_JMP, SEM_CALL, SEM_RET, SEM_PUSH, SEM_POP, SEM_LEAVE,
	SEM_VMOVE,    /* whole vector or scalar between vector register and memory, general register */
	SEM_VMOVES,   /* movss, movsd: register form inserts */
	SEM_VLOGIC, SEM_VANDN,
	SEM_VINT,     /* low lane of a packed integer operation; arg is the operation, width in bits 7:6 */
	SEM_FBIN, SEM_FSQRT, SEM_FRINT, SEM_FCMP, SEM_FMASK, SEM_BLEND, SEM_FMA,
	SEM_I2F, SEM_F2I, SEM_F2IN, SEM_F2F,
	SEM_BCAST,    /* one element to all lanes */
	SEM_LANE0,    /* shuffles that keep lane 0 (pshufd, shufps) when the immediate says so */
	SEM_UNPCK,
	SEM_COUNT,
};

/* Beside the bits of ModRM: a register is in ModRM.rm. */
enum { X86_REGISTER = 0x100 };

struct gllm_x86_form {
	char text[16];
	uint8_t enc, pp, map, opcode; /* together the key of a run of rows */
	uint8_t w, l;
	uint16_t n, dec;
	uint16_t modrm, modrm_mask;  /* what /digit, FIX and operands make of ModRM */
	uint8_t sem, arg;
	uint32_t op[4];
	uint32_t isa;
	uint32_t prefix;  /* VEX, EVEX: what they have whatever the operands are; see bytes.h */
	uint8_t width;    /* of the float or lane the meaning is about; 0: from the operands */
	uint8_t shape;    /* enum gllm_x86_shape */
	uint8_t access;   /* size of a memory operand: what its letter says */
	uint8_t n_ops;    /* operands */
	uint8_t rm;       /* which of them is in ModRM.rm; */
	uint8_t below;    /* it is memory where ModRM is below this: c0, or 0 where there is none */
	uint8_t number;   /* 1 + which of them is in bytes of its own; 0 none is */
	uint8_t fixed;    /* 1 + which of them is the condition or 1; 0 none is */
};

/* Forms of which an instruction is put from its registers' numbers without asking whether they fit (bytes.h). */
enum gllm_x86_shape {
	X86_OTHER,
	X86_VECTORS, /* VEX, EVEX: whole vectors in ModRM.reg and maybe vvvv; ModRM.rm a whole vector or memory; maybe a byte */
	X86_VECTORS_AT, /* the same where only memory may be in ModRM.rm, or a register is narrower there */
	X86_GENERAL, /* no mandatory prefix: general registers of 32 or 64 bits in ModRM.reg, unless that is a digit, and ModRM.rm, which
	              * may be memory; maybe an immediate of 1 or 4 bytes */
	X86_GENERAL_AT, /* the same where only memory may be in ModRM.rm */
};

extern const struct gllm_x86_form gllm_x86_forms[X86_ROWS];

static inline unsigned gllm_x86_place(uint32_t op) { return op & 31; }
static inline unsigned gllm_x86_class(uint32_t op) { return op >> 8 & 7; }
static inline unsigned gllm_x86_rsize(uint32_t op) { return op >> 11 & 31; }
static inline unsigned gllm_x86_msize(uint32_t op) { return op >> 16 & 31; }
static inline unsigned gllm_x86_access(uint32_t op) { return (op >> 24 & 3) ^ 1; }
static inline bool gllm_x86_has_modrm(const struct gllm_x86_form *f) { return f->dec & MODRM; }

/* 90+r exchanges with the accumulator, but 90 itself is NOP. */
static inline bool gllm_x86_is_nop(const struct gllm_x86_form *f, unsigned r)
{
	return f->n == PR && f->opcode == 0x90 && r == 0;
}

/* Bits of each size by os / 32 and vl, of registers (those of vectors are never below 128) and of memory. */
extern const uint16_t gllm_x86_register_sizes[3][3][16], gllm_x86_memory_sizes[3][3][16];
static inline unsigned gllm_x86_bits(unsigned size, unsigned os, unsigned vl, bool reg)
{
	return (reg ? gllm_x86_register_sizes : gllm_x86_memory_sizes)[os >> 5][vl][size];
}

/* Bytes of a broadcast element, 0 if the form has none. */
static inline unsigned gllm_x86_element(const struct gllm_x86_form *f)
{
	return f->dec & B4 ? 4 : f->dec & B8 ? 8 : f->dec & B2 ? 2 : 0;
}
#endif
