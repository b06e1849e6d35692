/* SPDX-License-Identifier: MIT
 * arch/aarch64/form.h - what the operand words of insn.def mean, and the table built from them.
 *
 * An operand is 64 bits: the bits of the instruction it covers, its access, two small parameters and the kind, which
 * selects one reader (decode.c), one writer (encode.c) and one printer (text.c). The mask of a row is what no operand
 * covers; it is derived here and written nowhere. */
#ifndef GLLM_A64_FORM_H
#define GLLM_A64_FORM_H
#include "arch/aarch64/insn.h"

enum a64_kind {
	A64_K_NONE,
	A64_K_REG,      /* a = lowest bit, b = form; the field may be narrower than five bits */
	A64_K_SAME,     /* the register of bits 4..0 once more; b = form */
	A64_K_SHIFTED,  /* Rm, shift 23:22, amount 15:10; a = whether ror is allowed */
	A64_K_EXTENDED, /* Rm, extend 15:13, amount 12:10, at most 4 */
	A64_K_LIST,     /* a = lowest bit, b = form; consecutive registers, their number in c */
	A64_K_LANE5,    /* a = lowest bit of the register, b = log2 of the element's bits; index above the one of 20:16 */
	A64_K_LANE4,    /* the same, index in 14:11 above unused zeros */
	A64_K_LISTLANE, /* b = log2 of the element's bits; index in Q:S:size */
	A64_K_BYLANE,   /* Rm and index in H:L:M; b = log2 of the element's bits, a = bits of the index */
	A64_K_UIMM,     /* a = lowest bit; b is added */
	A64_K_SIMM,
	A64_K_BIT6,     /* six bits at a, below the register's width */
	A64_K_FRACBITS, /* 64 - 15:10: bits below the point, at most the register's width */
	A64_K_BITNO,    /* 23:19, and 32 more if bit 31 is set */
	A64_K_IMM12,    /* 21:10, shifted left by 12 if bit 22 is set */
	A64_K_IMM16,    /* 20:5, shifted left by 16 * 22:21 */
	A64_K_BITMASK,  /* N immr imms */
	A64_K_IMM8,     /* abc 18:16, defgh 9:5; a = kinds below */
	A64_K_FLOATIMM, /* eight bits at a, a float of the scalar's type */
	A64_K_RIGHT,    /* right shift of elements with log2 a bits, 1 .. size */
	A64_K_LEFT,     /* left shift, 0 .. size - 1 */
	A64_K_ZERO,     /* the constant b; a = 1: written #0.0 */
	A64_K_UPPER,    /* the upper of two doublewords of the register at a */
	A64_K_REL,      /* words from here; a = lowest bit */
	A64_K_RELADR,   /* bytes from here: immhi 23:5, immlo 30:29; a = 12: pages */
	A64_K_COND,     /* a = lowest bit */
	A64_K_BARRIER, A64_K_PRFOP, A64_K_SYSREG, A64_K_SYSOP, A64_K_PATTERN,
	A64_K_MEMU,     /* [Xn + uimm12 << b] */
	A64_K_MEMS,     /* [Xn + simm9]; a = writeback; b = log2 of the bytes accessed */
	A64_K_MEMP,     /* [Xn + simm7 << b]; a = writeback */
	A64_K_MEMR,     /* [Xn + Rm extended << (S ? b : 0)] */
	A64_K_MEMLIT,   /* [pc + simm19 << 2] */
	A64_K_MEMBASE,  /* [Xn] */
	A64_K_MEMNEXT,  /* [Xn], #bytes of the list; b = 1: of one element of each register */
	A64_K_MEMSTEP,  /* [Xn], Xm */
	A64_K_MEMZR,    /* SVE [Xn, Xm, lsl b] */
	A64_K_MEMZI,    /* SVE [Xn, simm4, mul vl] */
	A64_K_MEMZI9,   /* SVE [Xn, simm9 in 21:16 and 12:10, mul vl] */
	A64_K_MEMZE,    /* SVE [Xn, uimm6 of elements of 1 << b bytes] */
	A64_K_MEMZQ,    /* SVE [Xn, simm4 of 16 bytes] */
	A64_K_BYTES8,   /* SVE bytes in 20:16 and 12:10 */
	A64_K_COUNT
};

/* IMM8 variants, parameter a. */
enum { A64_I8_PLAIN, A64_I8_LSL, A64_I8_MSL, A64_I8_BYTES, A64_I8_FLOAT };

#define GLLM_A64_FORMS(F)                                                                        \
	F(W) F(X) F(WSP) F(XSP) F(G) F(GSP) F(B) F(H) F(S) F(D) F(Q) F(F) F(F1)                       \
	F(V8B) F(V16B) F(V4H) F(V8H) F(V2S) F(V4S) F(V2D) F(VF) F(VI) F(VIW) F(VIP) F(VB) F(VH) F(VS) F(V2H) \
	F(VSH) F(VSHW) F(VLS) F(ZB) F(ZH) F(ZS) F(ZD) F(ZT) F(ZN) F(PB) F(PT) F(PZ) F(PM) F(PN)
enum a64_form {
#define F(id) A64_F_##id,
	GLLM_A64_FORMS(F)
#undef F
	A64_FORM_COUNT
};

#define A64_OPERAND(kind, a, b, mask) \
	((uint64_t)(mask) << 32 | (uint64_t)(b) << 16 | (uint64_t)(a) << 8 | (uint64_t)A64_K_##kind)
#define RD (UINT64_C(1) << 24)
#define WR (UINT64_C(2) << 24)
#define RW (UINT64_C(3) << 24)
#define AT(lsb, f) A64_OPERAND(REG, lsb, A64_F_##f, 31u << (lsb))
#define Rd(f) AT(0, f)
#define Rn(f) AT(5, f)
#define Rm(f) AT(16, f)
#define Ra(f) AT(10, f)
#define Same(f) A64_OPERAND(SAME, 0, A64_F_##f, 0)
#define Pd(f) A64_OPERAND(REG, 0, A64_F_##f, 0xf)
#define Pn(f) A64_OPERAND(REG, 5, A64_F_##f, 0xf << 5)
#define Pm(f) A64_OPERAND(REG, 16, A64_F_##f, 0xf << 16)
#define Pg3(f) A64_OPERAND(REG, 10, A64_F_##f, 7u << 10)
#define Pg4(f) A64_OPERAND(REG, 10, A64_F_##f, 15u << 10)
#define RmShiftA A64_OPERAND(SHIFTED, 0, A64_F_G, 0x00dffc00 & ~0x200000)
#define RmShift A64_OPERAND(SHIFTED, 1, A64_F_G, 0x00dffc00)
#define RmExtend A64_OPERAND(EXTENDED, 0, 0, 0x001ffc00)
#define ListOf(n, f) (A64_OPERAND(LIST, 0, A64_F_##f, 31) | UINT64_C(n) << 28)
#define ListN(n) (A64_OPERAND(LIST, 5, A64_F_V16B, 31u << 5) | UINT64_C(n) << 28)
#define ListZ(f) (A64_OPERAND(LIST, 0, A64_F_##f, 31) | UINT64_C(1) << 28)
#define A64_LANE5(lsb, e) A64_OPERAND(LANE5, lsb, e, 31u << (lsb) | (0x1f0000u & ~((2u << ((e) - 3)) - 1) << 16))
#define RdLane5(e) A64_LANE5(0, e)
#define RnLane5(e) A64_LANE5(5, e)
#define RnLane4(e) A64_OPERAND(LANE4, 5, e, 0x3e0 | (0x7800 & ~(((1 << ((e) - 3)) - 1) << 11)))
#define ListLane(n, e) (A64_OPERAND(LISTLANE, 0, e, 31 | 0x40000000 | ((e) < 6 ? 0x1000 : 0) | ((e) < 5 ? 0x800 : 0) | \
                                    ((e) < 4 ? 0x400 : 0)) | UINT64_C(n) << 28)
#define RmLaneH A64_OPERAND(BYLANE, 3, 4, 0x003f0800)
#define RmLaneS A64_OPERAND(BYLANE, 2, 5, 0x003f0800)
#define RmLaneD A64_OPERAND(BYLANE, 1, 6, 0x001f0800)
#define RmLane4B (A64_OPERAND(BYLANE, 2, 5, 0x003f0800) | UINT64_C(4) << 28) /* groups of four bytes, two halves */
#define RmLane2H (A64_OPERAND(BYLANE, 2, 5, 0x003f0800) | UINT64_C(2) << 28)
#define Uimm(lsb, width) A64_OPERAND(UIMM, lsb, 0, ((1u << (width)) - 1) << (lsb))
#define Simm(lsb, width) A64_OPERAND(SIMM, lsb, 0, ((1u << (width)) - 1) << (lsb))
#define Times A64_OPERAND(UIMM, 16, 1, 0x000f0000)
#define Bit6(lsb) A64_OPERAND(BIT6, lsb, 0, 63u << (lsb))
#define FracBits A64_OPERAND(FRACBITS, 10, 0, 0xfc00)
#define BitNo A64_OPERAND(BITNO, 19, 0, 31u << 19)
#define Imm12 A64_OPERAND(IMM12, 0, 0, 0x007ffc00)
#define Imm16 A64_OPERAND(IMM16, 0, 0, 0x007fffe0)
#define Bitmask A64_OPERAND(BITMASK, 0, 0, 0x007ffc00)
#define A64_IMM8(how, b, more) A64_OPERAND(IMM8, A64_I8_##how, b, 0x000703e0 | (more))
#define Imm8 A64_IMM8(PLAIN, 0, 0)
#define Imm8Lsl(bits) A64_IMM8(LSL, bits, ((1 << (bits)) - 1) << 13)
#define Imm8Msl A64_IMM8(MSL, 1, 0x1000)
#define Imm8Bytes A64_IMM8(BYTES, 0, 0)
#define FloatImm8 A64_IMM8(FLOAT, 0, 0)
#define FloatImm A64_OPERAND(FLOATIMM, 13, 0, 0x001fe000)
#define Right(e) A64_OPERAND(RIGHT, e, 0, ((1u << (e)) - 1) << 16)
#define Left(e) A64_OPERAND(LEFT, e, 0, ((1u << (e)) - 1) << 16)
#define Zero A64_OPERAND(ZERO, 0, 0, 0)
#define Const(v) A64_OPERAND(ZERO, 0, v, 0)
#define Upper(lsb) A64_OPERAND(UPPER, lsb, 6, 31u << (lsb))
#define FloatZero A64_OPERAND(ZERO, 1, 0, 0)
#define Rel(lsb, width) A64_OPERAND(REL, lsb, 0, ((1u << (width)) - 1) << (lsb))
#define RelAdr A64_OPERAND(RELADR, 0, 0, 0x60ffffe0)
#define RelPage A64_OPERAND(RELADR, 12, 0, 0x60ffffe0)
#define Cond(lsb) A64_OPERAND(COND, lsb, 0, 15u << (lsb))
#define Barrier A64_OPERAND(BARRIER, 8, 0, 0xf00)
#define Prfop A64_OPERAND(PRFOP, 0, 31, 31)
#define PrfopReg A64_OPERAND(PRFOP, 0, 23, 31) /* above: other instructions */
#define SysReg A64_OPERAND(SYSREG, 5, 0, 0x000fffe0)
#define SysOp A64_OPERAND(SYSOP, 5, 0, 0x0007ffe0)
#define Pattern A64_OPERAND(PATTERN, 5, 0, 0x3e0)
#define MemU(sc) A64_OPERAND(MEMU, 0, sc, 0x003fffe0)
#define MemS(sc, wb) A64_OPERAND(MEMS, wb, sc, 0x001ff3e0)
#define MemP(sc, wb) A64_OPERAND(MEMP, wb, sc, 0x003f83e0)
/* A byte access has no shift to select: with S set it is written lsl #0, which the operand's lane remembers. */
#define MemR0 A64_OPERAND(MEMR, 0, 0, 0x001ff3e0)
#define MemR1 A64_OPERAND(MEMR, 0, 1, 0x001ff3e0)
#define MemR2 A64_OPERAND(MEMR, 0, 2, 0x001ff3e0)
#define MemR3 A64_OPERAND(MEMR, 0, 3, 0x001ff3e0)
#define MemR4 A64_OPERAND(MEMR, 0, 4, 0x001ff3e0)
#define MemLit(sc) A64_OPERAND(MEMLIT, 5, sc, 0x00ffffe0)
#define MemBase A64_OPERAND(MEMBASE, 5, 0, 0x3e0)
#define MemElement A64_OPERAND(MEMBASE, 5, 1, 0x3e0) /* one element, whatever the list */
#define MemNext A64_OPERAND(MEMNEXT, 5, 0, 0x3e0)
#define MemNextElement A64_OPERAND(MEMNEXT, 5, 1, 0x3e0)
#define MemStep A64_OPERAND(MEMSTEP, 0, 0, 0x001f03e0)
#define MemZR(sc) A64_OPERAND(MEMZR, 0, sc, 0x001f03e0)
#define MemZI A64_OPERAND(MEMZI, 0, 0, 0x000f03e0)
#define MemZI9 A64_OPERAND(MEMZI9, 0, 0, 0x003f1fe0)
#define MemZE(sc) A64_OPERAND(MEMZE, 0, sc, 0x003f03e0)
#define MemZQ A64_OPERAND(MEMZQ, 0, 4, 0x000f03e0)
#define Bytes8 A64_OPERAND(BYTES8, 0, 0, 0x001f1c00)

/* The sem column: a shape, which selects one function of lift.c, and three small parameters. */
#define GLLM_A64_SHAPES(S)                                                                          \
	S(NONE) S(ALU) S(ALUN) S(ALUS) S(ALUNS) S(MOVWIDE) S(BITFIELD) S(EXTRACT) S(ROTATE) S(ADDRESS)    \
	S(JUMP) S(CALL) S(BRANCH) S(BRZERO) S(BRBIT) S(JUMPREG) S(RET) S(TRAP) S(HINT) S(LOAD) S(STORE)   \
	S(LOADPAIR) S(STOREPAIR) S(MULADD) S(MULLONG) S(CSEL) S(CCMP) S(CCMN) S(FLT1) S(FLT2) S(FLT3)      \
	S(FLTNEG) S(FLTMOV) S(FLTCMP) S(FLTSEL) S(FLTABD) S(FLTMASK) S(FLTLANE) S(FLTVEC) S(CONVERT)       \
	S(ROUNDED) S(FIXED) S(VECALU) S(VECALUN) S(VECALU1) S(LANE0) S(VECSEL) S(VECIMM) S(LANEOUT)
enum a64_sem_shape {
#define S(id) A64_SEM_##id,
	GLLM_A64_SHAPES(S)
#undef S
	A64_SEM_COUNT
};
enum { A64_MOVN, A64_MOVZ, A64_MOVK };
enum { A64_SBFM, A64_BFM, A64_UBFM };
#define A64_SEM(shape, p, q, r) \
	((uint32_t)A64_SEM_##shape | (uint32_t)(p) << 8 | (uint32_t)(q) << 16 | (uint32_t)(r) << 24)
#define NONE A64_SEM(NONE, 0, 0, 0)
#define ALU(op) A64_SEM(ALU, GLLM_S_##op, 0, 0)
#define ALUN(op) A64_SEM(ALUN, GLLM_S_##op, 0, 0)
#define ALUS(op, flags) A64_SEM(ALUS, GLLM_S_##op, GLLM_S_##flags, 0)
#define ALUNS(op, flags) A64_SEM(ALUNS, GLLM_S_##op, GLLM_S_##flags, 0)
#define MOVWIDE(how) A64_SEM(MOVWIDE, A64_##how, 0, 0)
#define BITFIELD(how) A64_SEM(BITFIELD, A64_##how, 0, 0)
#define EXTRACT() A64_SEM(EXTRACT, 0, 0, 0)
#define ROTATE() A64_SEM(ROTATE, 0, 0, 0)
#define ADDRESS() A64_SEM(ADDRESS, 0, 0, 0)
#define JUMP() A64_SEM(JUMP, 0, 0, 0)
#define CALL() A64_SEM(CALL, 0, 0, 0)
#define BRANCH() A64_SEM(BRANCH, 0, 0, 0)
#define BRZERO(op) A64_SEM(BRZERO, GLLM_S_##op, 0, 0)
#define BRBIT(value) A64_SEM(BRBIT, value, 0, 0)
#define JUMPREG(op) A64_SEM(JUMPREG, GLLM_S_##op, 0, 0)
#define RET() A64_SEM(RET, 0, 0, 0)
#define TRAP() A64_SEM(TRAP, 0, 0, 0)
#define HINT() A64_SEM(HINT, 0, 0, 0)
#define LOAD(bits, extend) A64_SEM(LOAD, bits, extend, 0) /* extend: 0 zero, 32 or 64 sign-extend to that */
#define STORE(bits) A64_SEM(STORE, bits, 0, 0)
#define LOADPAIR(bits, extend) A64_SEM(LOADPAIR, bits, extend, 0)
#define STOREPAIR(bits) A64_SEM(STOREPAIR, bits, 0, 0)
#define MULADD(op) A64_SEM(MULADD, GLLM_S_##op, 0, 0)
#define MULLONG(extend, op) A64_SEM(MULLONG, GLLM_S_##op, GLLM_S_##extend, 0)
#define CSEL(op) A64_SEM(CSEL, GLLM_S_##op, 0, 0)
#define CCMP(op) A64_SEM(CCMP, GLLM_S_##op, 0, 0)
#define CCMN() A64_SEM(CCMN, 0, 0, 0)
#define FLT1(op, imm) A64_SEM(FLT1, GLLM_S_##op, imm, 0)
#define FLT2(op) A64_SEM(FLT2, GLLM_S_##op, 0, 0)
#define FLT3(op) A64_SEM(FLT3, GLLM_S_##op, 0, 0)
#define FLTNEG(op) A64_SEM(FLTNEG, GLLM_S_##op, 0, 0)
#define FLTMOV() A64_SEM(FLTMOV, 0, 0, 0)
#define FLTCMP() A64_SEM(FLTCMP, 0, 0, 0)
#define FLTSEL() A64_SEM(FLTSEL, 0, 0, 0)
#define FLTABD() A64_SEM(FLTABD, 0, 0, 0)
#define FLTMASK(cc) A64_SEM(FLTMASK, GLLM_CC_##cc, 0, 0)
#define FLTABSMASK(cc) A64_SEM(FLTMASK, GLLM_CC_##cc, 1, 0) /* of the magnitudes */
#define FLTLANE(op) A64_SEM(FLTLANE, GLLM_S_##op, 0, 0)
#define FLTVEC(op) A64_SEM(FLTVEC, GLLM_S_##op, 0, 0)
#define CONVERT(op) A64_SEM(CONVERT, GLLM_S_##op, 0, 0)
#define ROUNDED(op, mode) A64_SEM(ROUNDED, GLLM_S_##op, mode, 0)
#define FIXED(op) A64_SEM(FIXED, GLLM_S_##op, 0, 0)
#define VECALU(op) A64_SEM(VECALU, GLLM_S_##op, 0, 0)
#define VECALUN(op) A64_SEM(VECALUN, GLLM_S_##op, 0, 0)
#define VECALU1(op) A64_SEM(VECALU1, GLLM_S_##op, 0, 0)
#define LANE0(op) A64_SEM(LANE0, GLLM_S_##op, 0, 0) /* on 32 bits; the other lanes of the result are not told */
#define VECSEL(selector, ones, zeros) A64_SEM(VECSEL, selector, ones, zeros) /* which operand picks, and between which */
#define VECIMM(op) A64_SEM(VECIMM, GLLM_S_##op, 0, 0) /* MOV NOT, or OR and AND (of the complement) into d */
#define LANEOUT() A64_SEM(LANEOUT, 0, 0, 0)

struct gllm_a64_key { uint32_t fixed, mask; };
struct gllm_a64_info {
	const char *text;
	uint64_t op[GLLM_INSN_OPERANDS]; /* 0 after the last */
	uint64_t features;
	uint32_t sem;
};
extern const struct gllm_a64_key gllm_a64_key[A64_ROW_COUNT];
extern const struct gllm_a64_info gllm_a64_info[A64_ROW_COUNT];

static inline enum a64_kind a64_kind(uint64_t op) { return (enum a64_kind)(op & 0xff); }
static inline unsigned a64_a(uint64_t op) { return op >> 8 & 0xff; }
static inline unsigned a64_b_of(uint64_t op) { return op >> 16 & 0xff; }
static inline uint32_t a64_field(uint64_t op) { return (uint32_t)(op >> 32); }
static inline unsigned a64_count(uint64_t op) { return op >> 28 & 15; }
static inline uint8_t a64_access(uint64_t op) { return op >> 24 & 3 ? op >> 24 & 3 : 1; }

/* What a register form is in a row: class, size, lane, and which register 31 is. */
struct gllm_a64_shape {
	uint8_t cls, lane, amount;
	uint8_t r31;   /* A64_SP, A64_ZR, or 0 where 31 is a register like any other */
	uint16_t size;
};
struct gllm_a64_shape gllm_a64_shape(enum a64_form form, uint32_t fixed);

/* Bits of the type of an eight-bit float constant of a vector: half if bit 11, double if bit 29. */
static inline unsigned gllm_a64_imm8_size(uint32_t fixed) { return fixed >> 11 & 1 ? 16 : fixed >> 29 & 1 ? 64 : 32; }

/* Combinations the architecture leaves unpredictable: two loads into one register, a base that is written back and also
 * loaded or stored. Neither read nor written by this library. */
bool gllm_a64_unpredictable(const struct gllm_insn *in);

/* Bitmask immediates: N:immr:imms to the pattern; false if reserved. The inverse finds the one encoding. */
bool gllm_a64_bitmask_get(uint32_t n_immr_imms, unsigned size, uint64_t *pattern);
bool gllm_a64_bitmask_put(uint64_t pattern, unsigned size, uint32_t *n_immr_imms);
/* The eight-bit float constant, expanded to a float of 16, 32 or 64 bits, and back; false if it is none. */
uint64_t gllm_a64_float_get(unsigned imm8, unsigned size);
bool gllm_a64_float_put(uint64_t pattern, unsigned size, unsigned *imm8);
#endif
