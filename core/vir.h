/* SPDX-License-Identifier: MIT
 * core/vir.h - the vector IR: what jit/lower.c writes, jit/regalloc.c allocates and arch/<a>/select.c turns into code.
 *
 * A list of instructions over virtual registers of three classes: G (64-bit integers and addresses), V (vectors of the
 * machine's width, lanes typed by the instruction) and M (lane masks). A register may be written more than once (loop
 * counters, accumulators). Control flow is labels and branches; LOOP_BEGIN / LOOP_END bracket every loop body so that
 * live ranges are plain intervals: a register that is live into a loop lives to its end.
 *
 * One compiled function = kernel(args, shared, worker, begin, end): at entry the five arguments are in virtual registers
 * GLLM_VIR_ARGS .. GLLM_VIR_END. args points to 64-bit slots: the actual parameters in order, then the address of the
 * plan's constants. Nothing is called; nothing but the stack frame, args' buffers and the scratch areas is touched.
 *
 * Memory operands are [a + (b << scale) + imm] with a, b of class G (b may be NONE): any imm is accepted by select,
 * gllm_machine.disp_ok says which are cheap. The three access forms are the same on all machines:
 *   full    all lanes                       lanes == 0
 *   masked  lanes whose mask bit is set     m != NONE; untouched memory is never read; loaded lanes are 0 elsewhere
 *   single  lane 0 only (others become 0)   lanes == 1
 * `mem` is the type in memory; if it differs from `type` the access converts (F16, BF16, I8, U8, I16, U16 <-> F32/I32; where
 * machine.has_widen, a full VLOAD of type I16 or U16 fills the vector with twice as many elements, converted from I8 or U8).
 *
 * Lanes have 32 bits, in a program of halves 16, so there are twice as many; only where machine.halves. There arithmetic
 * and accesses have type F16 and convert nothing; these operations exist: accesses, VZERO, VMOV, VADD, VSUB, VMUL, VDIV,
 * VMIN, VMAX, VSQRT, VNEG, VABS, comparisons, VSEL and all of masks. Each result is rounded once, to the half itself. */
#ifndef GLLM_VIR_H
#define GLLM_VIR_H
#include "gllm/profile.h"
#include "gllm/status.h"
#include "gllm/types.h"

typedef uint16_t gllm_vreg;
#define GLLM_NO_VREG ((gllm_vreg)0xffff)
/* A register's number in a table whose first element stands for no register, so that nobody need ask, which costs more than to
 * read that element: what an instruction lacks no CPU can predict. */
static inline unsigned gllm_vreg_from_none(gllm_vreg r)
{
	return (uint16_t)(r + 1);
}
enum { GLLM_VIR_LANES = 64 }; /* most lanes of a machine */
enum { GLLM_VIR_ARGS, GLLM_VIR_SHARED, GLLM_VIR_WORKER, GLLM_VIR_BEGIN, GLLM_VIR_RANGE_END, GLLM_VIR_FIRST_FREE };

enum gllm_class { GLLM_CLASS_G, GLLM_CLASS_V, GLLM_CLASS_M, GLLM_CLASS_COUNT };

/* Operand letters: result class, then sources; lower case g v m = class, - none, i uses imm, @ memory operand.
 *        name      d  abc     what */
#define GLLM_VIRS(V)                                                                                           \
	V(GCONST,   g, "i")    /* d = imm */                                                                    \
	V(GMOV,     g, "g")                                                                                     \
	V(GADD,     g, "gg") V(GSUB, g, "gg") V(GMUL, g, "gg")                                                  \
	V(GADDI,    g, "gi") V(GMULI, g, "gi") V(GSHLI, g, "gi") V(GSHRI, g, "gi") V(GANDI, g, "gi")            \
	V(GMIN,     g, "gg")   /* signed */                                                                     \
	V(GMAX,     g, "gg")                                                                                    \
	V(GLOAD,    g, "@")    /* d = integer of type `mem` at the address, extended as its type says */        \
	V(GSTORE,   -, "@g")   /* integer c stored as `mem` */                                                  \
	V(GDIVI,    g, "gi")   /* unsigned a / imm, imm a power of two or any constant > 0 */                   \
	V(LABEL,    -, "i")    /* label number imm */                                                           \
	V(JUMP,     -, "i")                                                                                     \
	V(BRANCH,   -, "ggi")  /* to label imm if a `cc` b, 64-bit signed (enum gllm_vcc) */                    \
	V(BRANCHI,  -, "gi")   /* to label imm if a `cc` immediate `aux` */                                     \
	V(LOOP_BEGIN, -, "-")  V(LOOP_END, -, "-")   /* brackets; no code. LOOP_BEGIN's aux: GLLM_VIR_ANY_ORDER */ \
	V(FENCE,    -, "-")    /* behind all stores past the caches: they are seen no later than what is stored next */ \
	V(RET,      -, "-")                                                                                     \
	V(PREFETCH, -, "@")    /* aux: 0 T0, 1 T1, 2 NTA */                                                     \
	V(VLOAD,    v, "@")    V(VSTORE, -, "@v")    /* c = value; aux 1, only where machine.past: nobody reads it soon. Full \
	                        * and unconverted, it goes past the caches if its address is a multiple of its bytes */ \
	V(VBCAST,   v, "@")    /* one element to all lanes; aux: GLLM_VIR_FACTOR */                             \
	V(VQUAD,    v, "@")    /* the 16 bytes there to every 128 bits; only where machine.tiles */             \
	V(VPAIR,    v, "@")    /* the 8 bytes there to every 64 bits */                                         \
	V(VSPLAT,   v, "g")    /* low bits of a to all lanes of `type` */                                       \
	V(VINDEX,   v, "g")    /* lane i = a + i, type I32 */                                                   \
	V(MTAIL,    m, "g")    /* the first min(a, lanes) lanes, a >= 0 */                                      \
	V(VZERO,    v, "-")    V(VMOV,   v, "v")     /* aux: GLLM_VIR_KEPT */                                   \
	V(VADD,     v, "vv")   V(VSUB, v, "vv") V(VMUL, v, "vv") V(VDIV, v, "vv")                               \
	V(VMIN,     v, "vv")   V(VMAX, v, "vv")      /* a < b ? a : b,  a > b ? a : b: b on NaN */              \
	V(VSQRT,    v, "v")    V(VNEG, v, "v") V(VABS, v, "v")                                                  \
	V(VCOPYSIGN, v, "vv")  /* F32 a with the sign of b; only where machine.has_copysign */                   \
	V(VRINT,    v, "v")    /* to nearest even */                                                            \
	V(VLDEXP,   v, "vv")   /* F32 a * 2^(I32 b), correctly rounded once (two exact steps or the ISA's scale) */ \
	V(VSCALE,   v, "vv")   /* F32 a * 2^b for an F32 b that is an integer or not below 2^22 in magnitude; only    \
	                        * where machine.has_scale */                                                      \
	V(VSCALEM,  v, "vvi")  /* the same in lanes of m, which it must have; in all others 0, or -0 if imm is 1 */ \
	V(VADDM,    v, "vv")   /* F32 a + b in lanes of m, which it must have; in all others a; only where machine.has_addm */ \
	V(VFMA,     v, "vvv")  /* a * b + c, one rounding if the machine has it. Where machine.widens, and mem is F16: of F16 a \
	                        * and b that VLOAD or VBCAST of type F16 left as they are, in a program of words */                              \
	V(VFNMA,    v, "vvv")  /* c - a * b */                                                                  \
	V(VDOT,     v, "vvv")  /* c + products of the elements in each lane of a (of type `mem`) and b (of type `aux`): \
	                        * F32 of two BF16, as the ISA rounds them, denormals as zeros; I32 of four I8 or U8. \
	                        * Only what machine.dots has */                                               \
	V(VTILE,    v, "vvv")  /* in every 128 bits c + the products of a matrix of two rows and one of two columns, all of 64 \
	                        * bits of elements (of types `mem` and `aux`, as VDOT's): a has the rows, b the columns, c and \
	                        * the result row by row the four sums. Only what machine.tiles has */             \
	V(VAND,     v, "vv")   V(VOR, v, "vv") V(VXOR, v, "vv") V(VANDN, v, "vv") /* ~a & b */                  \
	V(VSHLI,    v, "vi")   V(VSHRI, v, "vi") V(VSARI, v, "vi")                                              \
	V(VCVT,     v, "v")    /* lanes of type `mem` to `type`: I32->F32, F32->I32 toward zero, where machine.has_unsigned U32->F32 */ \
	V(VCVTN,    v, "v")    /* F32->I32 to nearest even */                                                   \
	V(VWIDEN,   v, "vi")   /* the lower (imm 0) or upper (1) half of the elements of type `mem`, 16 bits each, that fill a, \
	                        * as lanes: F16 and BF16 to F32, I16 and U16 to I32; only where machine.has_widen */  \
	V(VLT,      m, "vv")   V(VLE, m, "vv") V(VEQ, m, "vv") V(VUNORD, m, "vv")    /* aux: GLLM_VIR_NOT */    \
	V(MAND,     m, "mm")   V(MOR, m, "mm") V(MXOR, m, "mm") V(MNOT, m, "m")                                 \
	V(VSEL,     v, "mvv")  /* a ? b : c */                                                                  \
	V(VREDUCE,  v, "v")    /* every lane = a's lanes combined by `aux` (enum gllm_vred), fixed tree */      \
	V(VHPAIR,   v, "vv")   /* one level of the tree that combines `lanes` vectors into one whose lane i is the \
	                        * combination of vector i; imm = level, 0 first; aux = enum gllm_vred.             \
	                        * Level l joins neighbours (2i, 2i+1) of the previous level's results.            \
	                        * Intermediate layouts are the machine's own. */                                \
	V(VZIP,     v, "vv")   /* imm 0, 1: in every 128 bits the lower, upper halves of a and b by turns: a0 b0 a1 b1 or  \
	                        * a2 b2 a3 b3; 2, 3: the even, odd 128 bits of a, then those of b; where machine.picks \
	                        * is not set also 4, 5: the lower, upper halves of whole a and b by turns, 6, 7: the even,  \
	                        * odd lanes of a, then those of b; where machine.tiles 8, 9: the even, odd 64 bits so */  \
	V(VPICK,    v, "vvv")  /* lane i = lane number (I32) c[i] of a and b behind each other, below twice the lanes; only \
	                        * where machine.picks */                                                               \
	V(VLANE0,   v, "v")    /* all lanes = lane 0 of a */

enum gllm_vir_op {
#define V(name, d, abc) GLLM_V_##name,
	GLLM_VIRS(V)
#undef V
	GLLM_V_COUNT
};
_Static_assert(GLLM_V_RET - GLLM_V_LABEL == 7 && GLLM_V_PREFETCH == GLLM_V_RET + 1 && GLLM_V_VLOAD == GLLM_V_PREFETCH + 1 &&
               GLLM_V_VZERO == GLLM_V_MTAIL + 1,
               "integers, then flow from LABEL to RET, then PREFETCH, then vectors: first those that read integers, MTAIL the last");

/* aux of LOOP_BEGIN: accesses of one segment that turns of this loop make may change places, whatever their copies. */
enum { GLLM_VIR_ANY_ORDER = 1 };
enum { GLLM_VIR_FIXED = 0xffff }; /* a segment: of the arguments and of the plan's constants */
/* aux of VBCAST: whatever reads what it writes is a VFMA or VFNMA of F32 or a VDOT, which multiplies it by something that no
 * VBCAST wrote. Not said of a register that has one write: there it can be seen. */
enum { GLLM_VIR_FACTOR = 1 };
/* aux of comparisons, only where machine.has_scale: the lanes in which that is not so. */
enum { GLLM_VIR_NOT = 1 };
/* aux of VMOV, only where machine.adds_over: what it reads is kept in the frame, and nothing else reads it. */
enum { GLLM_VIR_KEPT = 1 };

enum gllm_vcc { GLLM_VCC_EQ, GLLM_VCC_NE, GLLM_VCC_LT, GLLM_VCC_LE, GLLM_VCC_GT, GLLM_VCC_GE };
enum gllm_vred { GLLM_VRED_ADD, GLLM_VRED_MIN, GLLM_VRED_MAX, GLLM_VRED_MUL };

struct gllm_vi {
	uint8_t op;
	uint8_t type;     /* of the lanes */
	uint8_t mem;      /* of the element in memory (accesses), or the source type (VCVT) */
	uint8_t scale;    /* of b in a memory operand, log2 */
	uint8_t lanes;    /* 0 full, 1 single */
	uint8_t cc;
	gllm_vreg d, a, b, c, m;
	uint16_t segment, copy; /* of an access: two of the same segment, not 0, and of different copies may change places,
	                         * and one of GLLM_VIR_FIXED with all others: what it reads nobody writes */
	int32_t aux;
	int64_t imm;
};

struct gllm_vir {
	struct gllm_vi *ins;   unsigned n, max;
	uint8_t *reg_class;    unsigned nregs, max_regs; /* class of each virtual register */
	unsigned nlabels;
	bool halves;                                     /* lanes of 16 bits */
	enum gllm_status status;                         /* the first failure; later emits are no-ops */
};

/* Temporaries that select needs while it emits one instruction: free registers that are none of its operands. */
enum { GLLM_VIR_TEMPS = 4 };
struct gllm_need {
	uint8_t g, v;
	uint16_t apart; /* true: better if the result is in no register of operand a or b (not required) */
};

/* What instructions compete for. */
enum gllm_unit { GLLM_UNIT_G, GLLM_UNIT_LOAD, GLLM_UNIT_STORE, GLLM_UNIT_V, GLLM_UNITS };
struct gllm_timing { /* of an operation as select writes it: cycles to its result, and those for which it has one unit */
	uint8_t latency, unit, slots;
};
/* Rows of a table of timings behind those of the operations: VZIP's modes from 2 on, two by two. */
enum { GLLM_TIMING_ZIP_PARTS = GLLM_V_COUNT, GLLM_TIMING_ZIP_WHOLE, GLLM_TIMING_UNZIP, GLLM_TIMING_UNZIP_64, GLLM_TIMINGS };

/* Element types that VDOT and VTILE multiply: of a, of b. */
enum gllm_dot { GLLM_DOT_BF16 = 1, GLLM_DOT_I8 = 2, GLLM_DOT_U8 = 4, GLLM_DOT_U8_I8 = 8 };
static inline unsigned gllm_dot_of(unsigned a, unsigned b) /* 0: none */
{
	if (a == GLLM_U8 && b == GLLM_I8)
		return GLLM_DOT_U8_I8;
	return a != b ? 0 : a == GLLM_BF16 ? GLLM_DOT_BF16 : a == GLLM_I8 ? GLLM_DOT_I8 : a == GLLM_U8 ? GLLM_DOT_U8 : 0;
}

/* What passes must know of the machine code is generated for. */
struct gllm_machine {
	const struct gllm_profile *profile;
	uint16_t vector_bytes;
	bool has_mask;                       /* masked accesses exist; else tails run one lane at a time */
	bool has_fma;
	bool adds_over;                      /* VFMA and VFNMA leave the sum where the addend was: one that must survive is copied */
	bool loads_addends;                  /* a constant that would be copied, to put a sum over the copy, is better loaded each time */
	bool slow_bcast;                     /* VBCAST is a load and an operation of a vector unit */
	bool halves;                         /* lanes of 16 bits, as F16 */
	bool widens;                         /* VFMA, VFNMA of halves and words */
	bool slow_half_div;                  /* quotients and roots of as many halves take longer than those of floats */
	bool zips;                           /* VZIP exists */
	bool has_widen;                      /* VWIDEN and VLOAD of 16-bit integers: a load widens what one vector takes, no more */
	bool one_converts;                   /* of several units one does VCVT and VCVTN */
	bool past;                           /* stores past the caches exist, and a vector is a whole line */
	bool picks;                          /* VPICK exists */
	bool has_scale;                      /* VSCALE, VSCALEM, and comparisons have their opposites */
	uint8_t dots;                        /* VDOT of these (enum gllm_dot) exists and is faster than separate products */
	uint8_t tiles;                       /* VTILE of these exists and is faster than VDOT; so do VQUAD and VZIP 8, 9 */
	bool has_addm;                       /* VADDM exists */
	bool has_unsigned;                   /* VCVT of U32 to F32 */
	bool has_copysign;                   /* VCOPYSIGN: in fewer instructions than three */
	bool slow_fma;                       /* products and sums are kept apart: see gllm_profile */
	uint8_t class_file[GLLM_CLASS_COUNT]; /* register file of a class: M may live in V's file */
	uint32_t allocatable[3];             /* per file, bit per physical register, in the order given below */
	uint8_t order[3][32], norder[3];     /* allocation order: cheap (not preserved) ones first */
	uint32_t preserved[3];               /* must be saved if used */
	uint8_t entry[GLLM_VIR_FIRST_FREE];  /* physical registers of the five arguments */
	const struct gllm_timing *timing;    /* see gllm_timing_of; NULL: nothing is reordered */
	uint8_t units[GLLM_UNITS], width;    /* how many of each, and instructions of any kind a cycle */
	uint16_t window;                     /* slots among which the machine itself finds what can start: of its reorder
	                                      * buffer three quarters, since it is seldom full of what helps; 0: in order */
	uint16_t waiting;                    /* in how many of those instructions other than loads wait for what they read; 0: all */
	/* Is this load the instruction's memory operand if it stands before it? NULL: never. */
	bool (*takes)(const struct gllm_vi *load, const struct gllm_vi *user);
	bool (*disp_ok)(int64_t disp, unsigned bytes); /* cheap as an immediate of an access of this size, which is not 0 */
	int64_t disp_reach;                  /* up to this in magnitude all are, of accesses of any size */
	uint8_t stack;                       /* physical number of the stack pointer, as base of spill accesses */
	struct gllm_need (*need)(const struct gllm_vi *i);
	const bool *asks;                    /* per operation: see gllm_vi_asks */
};

/* False: need says nothing of the instruction, so it need not be asked. */
static inline bool gllm_vi_asks(const struct gllm_machine *m, const struct gllm_vi *i)
{
	return m->asks[i->op] || i->mem != i->type || i->m != GLLM_NO_VREG || i->scale > 3;
}

static inline const struct gllm_timing *gllm_timing_of(const struct gllm_machine *m, const struct gllm_vi *i)
{
	if (i->op == GLLM_V_VMOV && i->aux == GLLM_VIR_KEPT)
		return &m->timing[GLLM_V_VLOAD];
	if (i->op == GLLM_V_VZIP && i->imm >= 2 && i->imm < 10)
		return &m->timing[GLLM_TIMING_ZIP_PARTS + (i->imm - 2) / 2];
	return &m->timing[i->op];
}

/* Of a virtual register: from its first to its last access, 2i+1 a read or 2i+2 a write of instruction i; loops that need it count as
 * reads at their end. What is not said of is the allocation's own. */
struct gllm_interval {
	uint32_t start, end;   /* start UINT32_MAX: never accessed */
	uint8_t flags, file;
	uint8_t place;
	uint8_t once;          /* written by one instruction */
	gllm_vreg next;
};

struct gllm_allocation {
	/* Spilling is done by rewriting the VIR before this point (regalloc inserts reloads as VLOAD/VSTORE/GLOAD/GSTORE
	 * relative to the frame register), so every register here is physical. */
	const uint8_t *where;       /* physical register of each virtual one; 0xff if never live */
	uint32_t used[3];           /* per file: physical registers written */
	uint32_t frame_bytes;       /* of spill slots, a multiple of 64 */
	gllm_vreg frame;            /* G register that holds the frame's address in inserted spill code: the stack pointer */
	const struct gllm_interval *reg; /* per register */
	uint32_t *offset;           /* room for select: a code offset per instruction */
	const uint32_t *label;      /* per label: the instruction where it stands; UINT32_MAX: nowhere */
	const uint8_t (*temp)[2][GLLM_VIR_TEMPS]; /* per instruction: G and V registers granted for machine.need */
};
#endif
