/* SPDX-License-Identifier: MIT
 * arch/aarch64/gen.h - shared by abi.c and select.c: putting instructions into the code buffer. Private to this folder.
 *
 * x16 and x17 are never allocated: constants, far addresses and lanes pass through them within one VIR instruction. x18
 * belongs to the platform and x29, x30 to the caller; none of them is touched. */
#ifndef GLLM_A64_GEN_H
#define GLLM_A64_GEN_H
#include "arch/aarch64/insn.h"
#include "core/bits.h"
#include "core/target.h"

enum { A64_IP0 = 16, A64_IP1 = 17 };

struct gllm_a64_gen {
	const struct gllm_vir *v;
	const struct gllm_machine *m;
	const struct gllm_allocation *a;
	struct gllm_code *code;
	uint32_t *at;
	unsigned i;      /* VIR instruction being emitted */
	uint32_t lane0;  /* vector registers of which only lane 0 holds what VIR has in all lanes */
	bool makes_lane0; /* the instruction being emitted makes its result one of them */
};

enum gllm_status gllm_a64_machine(const struct gllm_profile *p, struct gllm_machine *out);
struct gllm_need gllm_a64_need(const struct gllm_vi *i);
uint8_t gllm_a64_latency(enum gllm_vir_op op);
void gllm_a64_select(const struct gllm_vir *v, const struct gllm_machine *m, const struct gllm_allocation *a,
                     struct gllm_code *code, uint32_t *at);
void gllm_a64_prologue(struct gllm_a64_gen *g);
void gllm_a64_epilogue(struct gllm_a64_gen *g);
void gllm_a64_constant(struct gllm_a64_gen *g, unsigned reg, uint64_t value);

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
#endif
