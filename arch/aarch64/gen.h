/* SPDX-License-Identifier: MIT
 * arch/aarch64/gen.h - shared by abi.c and the select files: putting instructions into the code buffer. Private to this
 * folder. select.c has what both widths share, select_neon.c and select_sve.c the vectors of each.
 *
 * x16 and x17 are never allocated: constants, far addresses and lanes pass through them within one VIR instruction. x18
 * belongs to the platform and x29, x30 to the caller; none of them is touched. */
#ifndef GLLM_A64_GEN_H
#define GLLM_A64_GEN_H
#include "arch/aarch64/insn.h"
#include "core/bits.h"
#include "core/target.h"

enum { A64_IP0 = 16, A64_IP1 = 17 };

struct gllm_a64_gen;
/* A VIR operation: who emits it, the instruction per lane type, the vector temporaries it needs. */
struct gllm_a64_rule {
	void (*emit)(struct gllm_a64_gen *g, const struct gllm_vi *in);
	uint16_t row[4];  /* F32, I32, U32, F16: A64 row + 1, 0 none */
	uint8_t v;
};
extern const struct gllm_a64_rule gllm_a64_integer[GLLM_V_COUNT]; /* integers and control; emit NULL: ask the width */
extern const struct gllm_a64_rule gllm_a64_neon[GLLM_V_COUNT];
extern const struct gllm_a64_rule gllm_a64_sve[GLLM_V_COUNT];

extern const struct gllm_timing gllm_a64_timing_neon[GLLM_TIMINGS];
extern const struct gllm_timing gllm_a64_timing_sve[GLLM_TIMINGS];

struct gllm_a64_gen {
	const struct gllm_vir *v;
	const struct gllm_machine *m;
	const struct gllm_allocation *a;
	struct gllm_code *code;
	uint32_t *at;
	const struct gllm_a64_rule *lanes; /* the width's rules */
	bool strict;     /* no access may cover more than its elements' alignment allows */
	unsigned i;      /* VIR instruction being emitted */
	uint32_t lane0;  /* vector registers of which only lane 0 holds what VIR has in all lanes */
	bool makes_lane0; /* the instruction being emitted makes its result one of them */
};

enum gllm_status gllm_a64_machine(const struct gllm_profile *p, struct gllm_machine *out);
struct gllm_need gllm_a64_need_neon(const struct gllm_vi *i);
struct gllm_need gllm_a64_need_sve(const struct gllm_vi *i);
/* Code for SVE, whose masks are predicates? */
static inline bool gllm_a64_is_sve(const struct gllm_machine *m)
{
	return m->class_file[GLLM_CLASS_M] == 2;
}
void gllm_a64_sve_begin(struct gllm_a64_gen *g); /* what all SVE code relies on; ends the prologue */
void gllm_a64_select(const struct gllm_vir *v, const struct gllm_machine *m, const struct gllm_allocation *a,
                     struct gllm_code *code, uint32_t *at);
void gllm_a64_entry(const struct gllm_entry *in, struct gllm_code *code);
void gllm_a64_prologue(struct gllm_a64_gen *g);
void gllm_a64_epilogue(struct gllm_a64_gen *g);
void gllm_a64_constant(struct gllm_a64_gen *g, unsigned reg, uint64_t value);

/* The three address forms of one load or store, and log2 of its bytes. */
struct gllm_a64_access {
	uint16_t scaled, unscaled, indexed;
	uint8_t log2;
};
#define A64_ACCESS(s, u, log2) { A64_##s, A64_##u, A64_##s##_REG, log2 }
void gllm_a64_memory(struct gllm_a64_gen *g, const struct gllm_a64_access *m, struct gllm_operand reg, const struct gllm_vi *in);
/* The register that holds the whole address: x17 unless it is the base alone. */
unsigned gllm_a64_address(struct gllm_a64_gen *g, const struct gllm_vi *in);
/* A branch over code that is emitted next: `hop` is what `used` was before the branch, which ends here. */
void gllm_a64_land(struct gllm_a64_gen *g, size_t hop);
void gllm_a64_vmove(struct gllm_a64_gen *g, unsigned d, unsigned s); /* 128 bits */
/* 0 F32, 1 I32 and masks, 2 U32, 3 F16; 4 none of these. */
unsigned gllm_a64_lane_type(unsigned type);
/* The width's instruction for the lane type; GLLM_UNSUPPORTED if it has none. */
unsigned gllm_a64_row_of(struct gllm_a64_gen *g, const struct gllm_vi *in);
/* log2 of an element's bytes; UINT32_MAX and a failure if the access is not one of 32-bit lanes, or of halves as they are. */
unsigned gllm_a64_element(struct gllm_a64_gen *g, const struct gllm_vi *in);
/* The VIR operation that joins two partial results of a reduction. */
unsigned gllm_a64_joiner(const struct gllm_vi *in);

static inline void gllm_a64_quit(struct gllm_a64_gen *g, enum gllm_status s)
{
	if (g->code->status == GLLM_OK)
		g->code->status = s;
}

/* Appends one instruction of up to four operands; absent ones are a64_none. */
void gllm_a64_put(struct gllm_a64_gen *g, unsigned row, struct gllm_operand a, struct gllm_operand b,
                  struct gllm_operand c, struct gllm_operand d);
static const struct gllm_operand a64_none = { .kind = GLLM_O_NONE };

static inline void i1(struct gllm_a64_gen *g, unsigned row, struct gllm_operand a)
{
	gllm_a64_put(g, row, a, a64_none, a64_none, a64_none);
}
static inline void i2(struct gllm_a64_gen *g, unsigned row, struct gllm_operand a, struct gllm_operand b)
{
	gllm_a64_put(g, row, a, b, a64_none, a64_none);
}
static inline void i3(struct gllm_a64_gen *g, unsigned row, struct gllm_operand a, struct gllm_operand b,
                      struct gllm_operand c)
{
	gllm_a64_put(g, row, a, b, c, a64_none);
}
static inline void i4(struct gllm_a64_gen *g, unsigned row, struct gllm_operand a, struct gllm_operand b,
                      struct gllm_operand c, struct gllm_operand d)
{
	gllm_a64_put(g, row, a, b, c, d);
}

static inline unsigned at(const struct gllm_a64_gen *g, gllm_vreg r) { return g->a->where[r]; }
static inline unsigned tv(const struct gllm_a64_gen *g, unsigned k) { return g->a->temp[g->i][GLLM_CLASS_V][k]; }
static inline struct gllm_operand x(unsigned n) { return a64_x(n); }
static inline struct gllm_operand w(unsigned n) { return a64_w(n); }
static inline struct gllm_operand s4(unsigned n) { return a64_v(n, A64_4S); }
static inline struct gllm_operand h4(unsigned n) { return a64_v(n, A64_4H); }
static inline struct gllm_operand h8(unsigned n) { return a64_v(n, A64_8H); }
static inline struct gllm_operand b16(unsigned n) { return a64_v(n, A64_16B); }
#endif
