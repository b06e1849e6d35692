/* SPDX-License-Identifier: MIT
 * ops/table.c - gllm_op_info, expanded from ops.def and signatures.def. */
#include "gllm/ops.h"
#include "core/bits.h"

#define F(kind, type, name) { #name, GLLM_##kind, GLLM_##type },
#define P(kind, type, name) { #name, GLLM_##kind, GLLM_##type },
#define SIGNATURE(sig, params) static const struct gllm_param param_##sig[] = { params };
#include "gllm/signatures.def"
#undef SIGNATURE
#undef P
#undef F

#define ULP(n) { (n), 0.0f }
#define SUM(n) { 0.0f, (n) }
const struct gllm_op_info gllm_op_info[GLLM_OP_COUNT] = {
#define OP(name, sig, tol) \
	{ #name, (gllm_any_fn *)gllm_ref_##name, GLLM_SIG_##sig, param_##sig, GLLM_COUNT(param_##sig), tol },
#include "gllm/ops.def"
#undef OP
};
