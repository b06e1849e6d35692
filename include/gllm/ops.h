/* SPDX-License-Identifier: MIT
 * gllm/ops.h - the scalar definitions of all operators.
 *
 * Each is an ordinary function with a plain loop nest: it is the documentation, the input of the compiler and the oracle
 * of the tests. Buffers of one call must not overlap unless stated. Shapes: gllm/signatures.def. They never fail; with a
 * zero dimension nothing is read, and only what the shapes leave is written. Non-finite values follow IEEE 754. */
#ifndef GLLM_OPS_H
#define GLLM_OPS_H
#include "gllm/types.h"

#ifdef __cplusplus
extern "C" {
#define GLLM_RESTRICT
#else
#define GLLM_RESTRICT restrict
#endif

#define GLLM_C_OUT(type)    type *GLLM_RESTRICT
#define GLLM_C_INOUT(type)  type *GLLM_RESTRICT
#define GLLM_C_IN(type)     const type *GLLM_RESTRICT
#define GLLM_C_WEIGHT(type) const type *GLLM_RESTRICT
#define GLLM_C_DIM(type)    size_t
#define GLLM_C_SCALAR(type) float
#define GLLM_C_F32  float
#define GLLM_C_F16  uint16_t
#define GLLM_C_BF16 uint16_t
#define GLLM_C_I8   int8_t
#define GLLM_C_U8   uint8_t
#define GLLM_C_U16  uint16_t
#define GLLM_C_U32  uint32_t
#define GLLM_C_I32  int32_t
#define GLLM_C_I64  int64_t

#define F(kind, type, name) GLLM_C_##kind(GLLM_C_##type) name
#define P(kind, type, name) , GLLM_C_##kind(GLLM_C_##type) name
#define SIGNATURE(sig, params) typedef void gllm_##sig##_fn(params);
#include "gllm/signatures.def"
#undef SIGNATURE
#undef P
#undef F

enum gllm_sig {
#define SIGNATURE(sig, params) GLLM_SIG_##sig,
#include "gllm/signatures.def"
#undef SIGNATURE
	GLLM_SIG_COUNT
};

enum gllm_op {
#define OP(name, sig, tol) GLLM_OP_##name,
#include "gllm/ops.def"
#undef OP
	GLLM_OP_COUNT
};

#define OP(name, sig, tol) gllm_##sig##_fn gllm_ref_##name;
#include "gllm/ops.def"
#undef OP

typedef void gllm_any_fn(void);

struct gllm_tolerance {
	float ulp; /* for maps: units in the last place; 0 when `sum` is set */
	float sum; /* multiple of n * eps * sum of |terms|; 0 when `ulp` decides */
};

struct gllm_op_info {
	const char *name;
	gllm_any_fn *ref;               /* the scalar definition; cast to gllm_<signature>_fn before calling */
	enum gllm_sig sig;
	const struct gllm_param *param; /* nparams of them */
	unsigned nparams;
	struct gllm_tolerance tol;
};

extern const struct gllm_op_info gllm_op_info[GLLM_OP_COUNT];

/* Scalar math, lifted like operators and inlined where called. Errors stated and measured in ops/math.c and ops/erf.c.
 * All follow IEEE 754 at +-0, +-inf, NaN and denormals. */
float gllm_expf(float x);
float gllm_logf(float x);
float gllm_tanhf(float x);
float gllm_erff(float x);
float gllm_sinf(float x);
float gllm_cosf(float x);

/* Primitives, known to the lifter by address (gllm/image.h). */
float gllm_sqrtf(float x);
float gllm_rintf(float x);
float gllm_ldexpf(float x, int n); /* x * 2^n, correctly rounded once; n of any size */
float gllm_fmaf(float a, float b, float c);
float gllm_f16_to_f32(uint16_t h);
uint16_t gllm_f32_to_f16(float x);  /* to nearest even; NaN stays NaN */
float gllm_bf16_to_f32(uint16_t h);
uint16_t gllm_f32_to_bf16(float x);

#ifdef __cplusplus
}
#endif
#endif
