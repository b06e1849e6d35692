/* SPDX-License-Identifier: MIT
 * jit/call.c - calling scalar definitions with a list of actual parameters: one thunk per signature, from the list.
 * The list of actual parameters is read as a struct whose members are the parameters, all of one union type. */
#include "jit/context.h"

#define MEMBER_OUT    ptr
#define MEMBER_INOUT  ptr
#define MEMBER_IN     cptr
#define MEMBER_WEIGHT cptr
#define MEMBER_DIM    dim
#define MEMBER_SCALAR scalar

#define F(kind, type, name) union gllm_arg name;
#define P(kind, type, name) union gllm_arg name;
#define SIGNATURE(sig, params) struct actual_##sig { params };
#include "gllm/signatures.def"
#undef SIGNATURE
#undef P
#undef F

#define F(kind, type, name) a->name.MEMBER_##kind
#define P(kind, type, name) , a->name.MEMBER_##kind
#define SIGNATURE(sig, params)                                                    \
	static void call_##sig(gllm_any_fn *fn, const union gllm_arg *arg)        \
	{                                                                         \
		const struct actual_##sig *a = (const struct actual_##sig *)arg;  \
		((gllm_##sig##_fn *)fn)(params);                                  \
	}
#include "gllm/signatures.def"
#undef SIGNATURE
#undef P
#undef F

gllm_call_fn *gllm_builtin_call(unsigned op)
{
	static gllm_call_fn *const call[] = {
#define OP(name, sig, tol) call_##sig,
#include "gllm/ops.def"
#undef OP
	};
	return call[op];
}
