/* SPDX-License-Identifier: MIT
 * arch/x86_64/entry.c - a C function in front of a kernel: its parameters, by the System V convention, become the words
 * of the kernel's argument block, which lies on the stack. */
#include "arch/x86_64/gen.h"

static const uint8_t integer[] = { X86_RDI, X86_RSI, X86_RDX, X86_RCX, X86_R8, X86_R9 };
enum { FLOATS = 8, WORD = 8 };

static struct gllm_operand word(int64_t offset) { return x86_mem(X86_RSP, GLLM_NO_REG, 0, offset, 0); }

/* Each parameter to its word. Beyond six integers they come on the stack, behind the return address. */
static void put_words(struct gllm_x86_gen *g, const struct gllm_entry *in, int64_t frame)
{
	unsigned integers = 0, floats = 0, stacked = 0;

	for (unsigned i = 0; i < in->nparams; i++) {
		if (in->param[i].kind == GLLM_SCALAR && floats < FLOATS) {
			x2(g, X86_VMOVD_MR, e(X86_RAX), x86_vec(floats++, 128));
			x2(g, X86_MOV_MR, word(WORD * i), q(X86_RAX));
		} else if (in->param[i].kind != GLLM_SCALAR && integers < sizeof integer) {
			x2(g, X86_MOV_MR, word(WORD * i), q(integer[integers++]));
		} else {
			x2(g, X86_MOV_RM, q(X86_RAX), word(frame + WORD * (1 + stacked++)));
			x2(g, X86_MOV_MR, word(WORD * i), q(X86_RAX));
		}
	}
}

void gllm_x86_entry(const struct gllm_entry *in, struct gllm_code *code)
{
	struct gllm_x86_gen g = { .code = code };
	size_t start = code->used;
	int64_t frame = (int64_t)gllm_round_up(WORD * (in->nparams + 1u), 16) + WORD; /* the call finds rsp a multiple of 16 */

	x0(&g, X86_ENDBR64);
	x2(&g, X86_SUB_MI, q(X86_RSP), x86_imm(frame));
	put_words(&g, in, frame);
	x2(&g, X86_MOV_RI64, q(X86_RAX), x86_imm((int64_t)in->pool));
	x2(&g, X86_MOV_MR, word(WORD * in->nparams), q(X86_RAX));
	x2(&g, X86_MOV_RM, q(X86_RDI), q(X86_RSP));
	x2(&g, X86_XOR_RM, e(X86_RSI), e(X86_RSI));
	x2(&g, X86_XOR_RM, e(X86_RDX), e(X86_RDX));
	x2(&g, X86_XOR_RM, e(X86_RCX), e(X86_RCX));
	x2(&g, X86_MOV_RI64, q(X86_R8), x86_imm((int64_t)in->units));
	x1(&g, X86_CALL, (struct gllm_operand){ .kind = GLLM_O_REL, .imm = in->kernel - (int64_t)(code->used - start) });
	x2(&g, X86_ADD_MI, q(X86_RSP), x86_imm(frame));
	x0(&g, X86_RET);
}
