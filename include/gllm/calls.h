/* SPDX-License-Identifier: MIT
 * gllm/calls.h - every operator as a plain C function of compiled code, for F32, F16 and BF16 tensors.
 *
 *     struct gllm_calls *k = ...;
 *     gllm_calls_fill(context, GLLM_CALLS_F32 | GLLM_CALLS_F16, k, &e);
 *     k->f32.silu(y, x, n);        the prototype of gllm_ref_silu
 *     k->f16.silu(y, x, n);        uint16_t where it has float
 *
 * The functions are those of gllm/ops.h, made for the profile of the context: no feature is tested when they are called.
 * They run on the calling thread, any number of threads at a time, and take every size below 2^31. What the definitions
 * say of shapes and overlap holds. Half types: elements are widened when read and rounded to nearest even when written,
 * arithmetic is F32; scalars and parameters of other types stay as they are.
 * SVE code counts on the length that vectors had when it was made; gllm_calls_check tells, on any thread, whether they have it.
 * A context that cannot compile (no target, no usable vectors, no executable memory) gives the scalar definitions as
 * F32 functions. */
#ifndef GLLM_CALLS_H
#define GLLM_CALLS_H
#include "gllm/context.h"

#ifdef __cplusplus
extern "C" {
#endif

#define GLLM_HALF_F32  uint16_t
#define GLLM_HALF_F16  uint16_t
#define GLLM_HALF_I8   int8_t
#define GLLM_HALF_U8   uint8_t
#define GLLM_HALF_U32  uint32_t
#define GLLM_HALF_I64  int64_t

#define F(kind, type, name) GLLM_C_##kind(GLLM_HALF_##type) name
#define P(kind, type, name) , GLLM_C_##kind(GLLM_HALF_##type) name
#define SIGNATURE(sig, params) typedef void gllm_##sig##_half_fn(params);
#include "gllm/signatures.def"
#undef SIGNATURE
#undef P
#undef F

union gllm_calls_f32 {
	struct {
#define OP(name, sig, tol) gllm_##sig##_fn *name;
#include "gllm/ops.def"
#undef OP
	};
	gllm_any_fn *any[GLLM_OP_COUNT]; /* by enum gllm_op */
};

union gllm_calls_half {
	struct {
#define OP(name, sig, tol) gllm_##sig##_half_fn *name;
#include "gllm/ops.def"
#undef OP
	};
	gllm_any_fn *any[GLLM_OP_COUNT];
};

struct gllm_calls {
	union gllm_calls_f32 f32;
	union gllm_calls_half f16, bf16;
};

enum { GLLM_CALLS_F32 = 1, GLLM_CALLS_F16 = 2, GLLM_CALLS_BF16 = 4 };

/* Fills the tables named by `types`; the others stay NULL. The functions live in the context's executable memory and
 * their constants in its heap as long as the context. Fails: INVALID_ARGUMENT (types), NO_BACK_END, NO_FEATURE or
 * NO_EXEC_MEMORY (half types where nothing can be compiled), NO_SPACE, OUT_OF_MEMORY, VECTOR_LENGTH (nothing
 * is made for vectors that the CPU has no more), and what compiling fails with: the
 * first failure is told, functions that could not be made are NULL, the others can be called. */
enum gllm_status gllm_calls_fill(struct gllm_context *c, unsigned types, struct gllm_calls *out, struct gllm_error *e);

/* Whether the context's compiled functions run right on the calling thread as the host's vector_bytes sees it now. A function
 * has no status to say so itself: who changes the length, or lets another do so, asks before it calls. Fails: VECTOR_LENGTH. */
enum gllm_status gllm_calls_check(const struct gllm_context *c, struct gllm_error *e);

#ifdef __cplusplus
}
#endif
#endif
