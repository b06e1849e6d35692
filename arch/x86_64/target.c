/* SPDX-License-Identifier: MIT
 * arch/x86_64/target.c - x86-64 as passes see it, with the System V calling convention. */
#include "arch/x86_64/gen.h"

enum { R = GLLM_LOC_R0, V = GLLM_LOC_V0 };
#define SAVED(r) (UINT64_C(1) << (r))

static const uint8_t int_args[] = { R + X86_RDI, R + X86_RSI, R + X86_RDX, R + X86_RCX, R + X86_R8, R + X86_R9 };
static const uint8_t float_args[] = { V, V + 1, V + 2, V + 3, V + 4, V + 5, V + 6, V + 7 };

const struct gllm_target gllm_target_x86_64 = {
	.isa = GLLM_ISA_X86_64,
	.name = "x86_64",
	.abi = {
		.int_arg = int_args, .nint_args = sizeof int_args,
		.float_arg = float_args, .nfloat_args = sizeof float_args,
		.int_result = R + X86_RAX, .float_result = V,
		.stack_pointer = R + X86_RSP,
		.link = GLLM_LOC_NONE,
		.stack_args = 8,
		.preserved_int = SAVED(X86_RBX) | SAVED(X86_RBP) | SAVED(X86_RSP) | SAVED(X86_R12) | SAVED(X86_R13) |
		                 SAVED(X86_R14) | SAVED(X86_R15),
		.preserved_vec = 0,
	},
	.landing = 0xfa1e0ff3,
	.decode = gllm_x86_decode,
	.encode = gllm_x86_encode,
	.text = gllm_x86_text,
	.features = gllm_x86_features,
	.meaning = gllm_x86_meaning,
	.machine = gllm_x86_machine,
	.select = gllm_x86_select,
	.entry = gllm_x86_entry,
};
