/* SPDX-License-Identifier: MIT
 * arch/aarch64/entry.c - a C function in front of a kernel: its parameters, by the procedure call standard, become the
 * words of the kernel's argument block, which lies on the stack. */
#include "arch/aarch64/gen.h"

enum { INTEGERS = 8, FLOATS = 8, WORD = 8, FP = 29, LR = 30, PAIR = 16 };

/* Each parameter to its word. Beyond eight of a kind they come on the stack, in front of the saved pair. */
static void put_words(struct gllm_a64_gen *g, const struct gllm_entry *in, int64_t frame)
{
	unsigned integers = 0, floats = 0, stacked = 0;

	for (unsigned i = 0; i < in->nparams; i++) {
		struct gllm_operand to = a64_mem(A64_SP, WORD * i);

		if (in->param[i].kind == GLLM_SCALAR && floats < FLOATS) {
			i2(g, A64_FMOV_W_S, a64_w(A64_IP0), a64_s(floats++));
			i2(g, A64_STR_X, a64_x(A64_IP0), to);
		} else if (in->param[i].kind != GLLM_SCALAR && integers < INTEGERS) {
			i2(g, A64_STR_X, a64_x(integers++), to);
		} else {
			i2(g, A64_LDR_X, a64_x(A64_IP0), a64_mem(A64_SP, frame + PAIR + WORD * stacked++));
			i2(g, A64_STR_X, a64_x(A64_IP0), to);
		}
	}
}

void gllm_a64_entry(const struct gllm_entry *in, struct gllm_code *code)
{
	struct gllm_a64_gen g = { .code = code };
	size_t start = code->used;
	int64_t frame = (int64_t)gllm_round_up(WORD * (in->nparams + 1u), 16);

	i1(&g, A64_HINT, a64_imm(A64_HINT_BTI_C));
	i3(&g, A64_SUBI_X, a64_x(A64_SP), a64_x(A64_SP), a64_imm(frame + PAIR));
	i2(&g, A64_STR_X, a64_x(FP), a64_mem(A64_SP, frame));
	i2(&g, A64_STR_X, a64_x(LR), a64_mem(A64_SP, frame + WORD));
	put_words(&g, in, frame);
	gllm_a64_constant(&g, A64_IP0, in->pool);
	i2(&g, A64_STR_X, a64_x(A64_IP0), a64_mem(A64_SP, WORD * in->nparams));
	i3(&g, A64_ADDI_X, a64_x(0), a64_x(A64_SP), a64_imm(0));
	for (unsigned k = 1; k < 4; k++)
		gllm_a64_constant(&g, k, 0);
	gllm_a64_constant(&g, 4, in->units);
	i1(&g, A64_BL, (struct gllm_operand){ .kind = GLLM_O_REL, .imm = in->kernel - (int64_t)(code->used - start) });
	i2(&g, A64_LDR_X, a64_x(FP), a64_mem(A64_SP, frame));
	i2(&g, A64_LDR_X, a64_x(LR), a64_mem(A64_SP, frame + WORD));
	i3(&g, A64_ADDI_X, a64_x(A64_SP), a64_x(A64_SP), a64_imm(frame + PAIR));
	i1(&g, A64_RET, a64_x(LR));
}
