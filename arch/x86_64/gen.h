/* SPDX-License-Identifier: MIT
 * arch/x86_64/gen.h - shared by abi.c, entry.c and the select files: putting instructions into the code buffer.
 * Private to this folder.
 *
 * rax is never allocated: it carries constants, far addresses and lane bits within one VIR instruction. Nor is k7. */
#ifndef GLLM_X86_GEN_H
#define GLLM_X86_GEN_H
#include "arch/x86_64/bytes.h"
#include "core/bits.h"
#include "core/target.h"

struct gllm_x86_gen;
/* A VIR operation: who emits it, the instruction per lane type, the temporaries it needs. */
struct gllm_x86_rule {
	void (*emit)(struct gllm_x86_gen *g, const struct gllm_vi *in);
	uint16_t row[4];  /* F32, I32, U32, F16: X86 row + 1, 0 none */
	struct gllm_need need, wide; /* temporaries at 8 lanes, and at 16 */
};
#define TEMPS(g, v) { g, v, false }
extern const struct gllm_x86_rule gllm_x86_integer[GLLM_V_COUNT]; /* integers and control */
extern const struct gllm_x86_rule gllm_x86_vector[GLLM_V_COUNT];  /* all else */
static inline const struct gllm_x86_rule *gllm_x86_rule(unsigned op)
{
	return op < GLLM_V_VLOAD ? &gllm_x86_integer[op] : &gllm_x86_vector[op];
}

enum { SCRATCH_MASK = 7 };

struct gllm_x86_gen {
	const struct gllm_vir *v;
	const struct gllm_machine *m;
	const struct gllm_allocation *a;
	struct gllm_code *code;
	uint32_t *at;
	unsigned i;      /* VIR instruction being emitted */
	unsigned bits;   /* of a vector */
	unsigned vl;     /* the same as VEX.L and EVEX.L'L have it */
	unsigned lanes;  /* of 32 bits, or 16 */
	bool wide;       /* 512 bits: AVX-512 */
	uint32_t decoration; /* of the next instruction put, as bytes.h has it */
	uint32_t pending;    /* the last jump whose displacement is not known yet; UINT32_MAX: none. The displacement is the one before */
	const struct gllm_vi *folded; /* a load that is the memory operand of the instruction being emitted */
};

enum gllm_status gllm_x86_machine(const struct gllm_profile *p, struct gllm_machine *out);
struct gllm_need gllm_x86_need(const struct gllm_vi *i);
struct gllm_need gllm_x86_need_wide(const struct gllm_vi *i);
extern const struct gllm_timing gllm_x86_timing[GLLM_TIMINGS];
bool gllm_x86_takes(const struct gllm_vi *load, const struct gllm_vi *user);
bool gllm_x86_takes_wide(const struct gllm_vi *load, const struct gllm_vi *user);
void gllm_x86_select(const struct gllm_vir *v, const struct gllm_machine *m, const struct gllm_allocation *a,
                     struct gllm_code *code, uint32_t *at);
void gllm_x86_entry(const struct gllm_entry *in, struct gllm_code *code);
void gllm_x86_prologue(struct gllm_x86_gen *g);
void gllm_x86_epilogue(struct gllm_x86_gen *g);
/* Words in memory of only the lanes' sign bits and of all other bits; there where the program has VNEG or VABS and the width is
 * 512 bits. */
struct gllm_operand gllm_x86_sign(const struct gllm_x86_gen *g);
struct gllm_operand gllm_x86_size(const struct gllm_x86_gen *g);
/* Bytes in memory of which each is its own place; there where the program has VINDEX, or MTAIL at 8 lanes. */
struct gllm_operand gllm_x86_count(const struct gllm_x86_gen *g);
/* In the frame of programs that store floats as BF16. */
enum gllm_x86_word { X86_WORD_ONE, X86_WORD_BELOW_HALF, X86_WORD_QUIET };
struct gllm_operand gllm_x86_word(const struct gllm_x86_gen *g, enum gllm_x86_word k);

static inline void gllm_x86_quit(struct gllm_x86_gen *g, enum gllm_status s)
{
	if (g->code->status == GLLM_OK)
		g->code->status = s;
}

/* Appends one instruction; `in` has its `n` operands and nothing else yet. */
void gllm_x86_put(struct gllm_x86_gen *g, unsigned row, struct gllm_insn *in, unsigned n);

static inline void x0(struct gllm_x86_gen *g, unsigned row)
{
	struct gllm_insn in;
	gllm_x86_put(g, row, &in, 0);
}
static inline void x1(struct gllm_x86_gen *g, unsigned row, struct gllm_operand a)
{
	struct gllm_insn in;
	in.op[0] = a;
	gllm_x86_put(g, row, &in, 1);
}
static inline void x2(struct gllm_x86_gen *g, unsigned row, struct gllm_operand a, struct gllm_operand b)
{
	struct gllm_insn in;
	in.op[0] = a;
	in.op[1] = b;
	gllm_x86_put(g, row, &in, 2);
}
static inline void x3(struct gllm_x86_gen *g, unsigned row, struct gllm_operand a, struct gllm_operand b,
                      struct gllm_operand c)
{
	struct gllm_insn in;
	in.op[0] = a;
	in.op[1] = b;
	in.op[2] = c;
	gllm_x86_put(g, row, &in, 3);
}
static inline void x4(struct gllm_x86_gen *g, unsigned row, struct gllm_operand a, struct gllm_operand b,
                      struct gllm_operand c, struct gllm_operand d)
{
	struct gllm_insn in;
	in.op[0] = a;
	in.op[1] = b;
	in.op[2] = c;
	in.op[3] = d;
	gllm_x86_put(g, row, &in, 4);
}

/* put.c: of whole vectors of the machine's width, or of 128 bits; ModRM.reg, vvvv (0 where the row has none), ModRM.rm; a memory
 * operand, which `under` and `from_one` decorate; under k register `mask`. */
void gllm_x86_v(struct gllm_x86_gen *g, unsigned row, unsigned reg, unsigned vvv, unsigned rm);
void gllm_x86_vi(struct gllm_x86_gen *g, unsigned row, unsigned reg, unsigned vvv, unsigned rm, uint8_t imm);
void gllm_x86_vk(struct gllm_x86_gen *g, unsigned row, unsigned mask, unsigned reg, unsigned vvv, unsigned rm);
void gllm_x86_v128(struct gllm_x86_gen *g, unsigned row, unsigned reg, unsigned vvv, unsigned rm);
void gllm_x86_vm(struct gllm_x86_gen *g, unsigned row, unsigned reg, unsigned vvv, const struct gllm_operand *m);
/* Of general registers of 32 or 64 bits; `reg` says nothing where the row has a digit. An immediate must fit the row. */
void gllm_x86_g(struct gllm_x86_gen *g, unsigned row, unsigned bits, unsigned reg, unsigned rm);
void gllm_x86_gm(struct gllm_x86_gen *g, unsigned row, unsigned bits, unsigned reg, const struct gllm_operand *m);
void gllm_x86_gi(struct gllm_x86_gen *g, unsigned row, unsigned bits, unsigned reg, unsigned rm, int32_t imm);

void gllm_x86_state(struct gllm_x86_gen *g, unsigned row, const struct gllm_operand *m); /* loads or stores MXCSR */
void gllm_x86_stack(struct gllm_x86_gen *g, unsigned row, unsigned reg);                 /* pushes or pops */
void gllm_x86_word_constant(struct gllm_x86_gen *g, unsigned reg, uint32_t v);           /* in 64 bits, the upper half 0 */
/* `by` bytes on from the jump's end, on a condition or, if that is above X86_G, always. */
void gllm_x86_jump(struct gllm_x86_gen *g, unsigned cond, bool near, int32_t by);

static inline struct gllm_operand q(unsigned n) { return x86_gpr(n, 64); }
static inline struct gllm_operand e(unsigned n) { return x86_gpr(n, 32); }
static inline struct gllm_operand x(unsigned n) { return x86_vec(n, 128); }
static inline struct gllm_operand y(const struct gllm_x86_gen *g, unsigned n) { return x86_vec(n, g->bits); }
static inline unsigned at(const struct gllm_x86_gen *g, gllm_vreg r) { return g->a->where[r]; }
static inline struct gllm_operand yr(const struct gllm_x86_gen *g, gllm_vreg r) { return y(g, at(g, r)); }
static inline unsigned tg(const struct gllm_x86_gen *g, unsigned k) { return g->a->temp[g->i][GLLM_CLASS_G][k]; }
static inline unsigned tv(const struct gllm_x86_gen *g, unsigned k) { return g->a->temp[g->i][GLLM_CLASS_V][k]; }
static inline struct gllm_operand ty(const struct gllm_x86_gen *g, unsigned k) { return y(g, tv(g, k)); }
static inline struct gllm_operand tx(const struct gllm_x86_gen *g, unsigned k) { return x(tv(g, k)); }
static inline struct gllm_operand mr(const struct gllm_x86_gen *g, gllm_vreg r) { return g->wide ? x86_mask(at(g, r)) : yr(g, r); }
/* The part of a register whose elements of so many bytes become a whole one of lanes. */
static inline struct gllm_operand part(const struct gllm_x86_gen *g, unsigned n, unsigned bytes)
{
	unsigned bits = g->bits * bytes / 4;

	return x86_vec(n, bits < 128 ? 128 : bits);
}

/* The next instruction works on the lanes of k register `mask` only; the others stay, or become 0. */
static inline void under(struct gllm_x86_gen *g, unsigned mask, bool zeroing)
{
	g->decoration = gllm_x86_decoration(mask, zeroing, false);
}

/* The next instruction's memory operand is one element for all lanes. */
static inline void from_one(struct gllm_x86_gen *g)
{
	g->decoration |= UINT32_C(1) << X86_DECORATION_B;
}

static inline bool fits32(int64_t v) { return v >= INT32_MIN && v <= INT32_MAX; }
void gllm_x86_constant(struct gllm_x86_gen *g, unsigned reg, int64_t v);
void gllm_x86_vmove(struct gllm_x86_gen *g, unsigned d, unsigned s);
/* 0 F32, 1 I32 and masks, 2 U32, 3 F16; 4 none of these. */
unsigned gllm_x86_lane_type(unsigned type);
/* The rule's instruction for the lane type; GLLM_UNSUPPORTED if it has none. */
unsigned gllm_x86_row_of(struct gllm_x86_gen *g, const struct gllm_vi *in);
/* A jump over code that is emitted next: hop, then land where it ends. Less than 128 bytes lie between. */
size_t gllm_x86_hop(struct gllm_x86_gen *g, unsigned cond);
void gllm_x86_land(struct gllm_x86_gen *g, size_t from);
/* The memory operand; far displacements go through rax, large scales through the first temporary. */
struct gllm_operand gllm_x86_far_address(struct gllm_x86_gen *g, const struct gllm_vi *in);
static inline struct gllm_operand gllm_x86_address(struct gllm_x86_gen *g, const struct gllm_vi *in)
{
	if (in->scale > 3 || in->imm < INT32_MIN || in->imm > INT32_MAX - 256)
		return gllm_x86_far_address(g, in);
	bool indexed = in->b != GLLM_NO_VREG;
	return x86_mem(at(g, in->a), indexed ? at(g, in->b) : GLLM_NO_REG, indexed ? in->scale : 0, in->imm, 0);
}
/* The row with d in ModRM.reg, and of operands a and b of `in` the folded load, if there is one, last. */
void gllm_x86_sources(struct gllm_x86_gen *g, unsigned row, unsigned d, const struct gllm_vi *in);
void gllm_x86_vload(struct gllm_x86_gen *g, const struct gllm_vi *in);
void gllm_x86_vstore(struct gllm_x86_gen *g, const struct gllm_vi *in);
void gllm_x86_vbcast(struct gllm_x86_gen *g, const struct gllm_vi *in);
void gllm_x86_vpair(struct gllm_x86_gen *g, const struct gllm_vi *in);
/* Elements of fewer bits than a lane has: they are extended. */
bool gllm_x86_narrow(const struct gllm_vi *in);
void gllm_x86_ones(struct gllm_x86_gen *g, struct gllm_operand t); /* all bits */
void gllm_x86_binary(struct gllm_x86_gen *g, const struct gllm_vi *in); /* the rule whose last source may be a folded load */
#endif
