/* SPDX-License-Identifier: MIT
 * arch/aarch64/target.c - AArch64 as passes see it, with the AAPCS64 calling convention. */
#include "arch/aarch64/gen.h"

enum { R = GLLM_LOC_R0, V = GLLM_LOC_V0 };

static const uint8_t int_args[] = { R, R + 1, R + 2, R + 3, R + 4, R + 5, R + 6, R + 7 };
static const uint8_t float_args[] = { V, V + 1, V + 2, V + 3, V + 4, V + 5, V + 6, V + 7 };

const struct gllm_target gllm_target_aarch64 = {
	.isa = GLLM_ISA_AARCH64,
	.name = "aarch64",
	.abi = {
		.int_arg = int_args, .nint_args = sizeof int_args,
		.float_arg = float_args, .nfloat_args = sizeof float_args,
		.int_result = R, .float_result = V,
		.stack_pointer = R + A64_SP,
		.link = R + 30,
		.stack_args = 0,
		.preserved_int = UINT64_C(0xfff) << 19 | UINT64_C(1) << A64_SP, /* x19..x30 and sp */
		.preserved_vec = UINT32_C(0xff) << 8,
	},
	.landing = 0xd503245f,
	.untouchable = UINT64_C(1) << 18,
	.decode = gllm_a64_decode,
	.encode = gllm_a64_encode,
	.text = gllm_a64_text,
	.features = gllm_a64_features,
	.meaning = gllm_a64_meaning,
	.machine = gllm_a64_machine,
	.select = gllm_a64_select,
	.entry = gllm_a64_entry,
};
