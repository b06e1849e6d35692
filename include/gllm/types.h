/* SPDX-License-Identifier: MIT
 * gllm/types.h - element types and parameter kinds, one list each. */
#ifndef GLLM_TYPES_H
#define GLLM_TYPES_H
#include <stddef.h>
#include <stdint.h>
#include <stdbool.h>

/*        name  bytes  C type */
#define GLLM_TYPES(T)          \
	T(F32,  4, float)      \
	T(F16,  2, uint16_t)   \
	T(BF16, 2, uint16_t)   \
	T(I8,   1, int8_t)     \
	T(U8,   1, uint8_t)    \
	T(I16,  2, int16_t)    \
	T(U16,  2, uint16_t)   \
	T(I32,  4, int32_t)    \
	T(U32,  4, uint32_t)   \
	T(I64,  8, int64_t)    \
	T(MASK, 4, uint32_t) /* the result of a comparison; never in memory */

enum gllm_type {
#define T(name, bytes, ctype) GLLM_##name,
	GLLM_TYPES(T)
#undef T
	GLLM_TYPE_COUNT
};

unsigned gllm_type_bytes(enum gllm_type t);
const char *gllm_type_name(enum gllm_type t); /* "f32" */

enum gllm_param_kind { /* what a parameter of a scalar definition is */
	GLLM_IN,     /* pointer, read only; an activation */
	GLLM_OUT,    /* pointer, written; contents before the call do not matter */
	GLLM_INOUT,  /* pointer, read and written */
	GLLM_WEIGHT, /* pointer, read only, constant while a plan lives (norm gains, matrices of a model) */
	GLLM_DIM,    /* size_t, a number of elements, 0 .. 2^40 */
	GLLM_SCALAR, /* float passed by value */
};

struct gllm_param {
	const char *name;          /* static */
	enum gllm_param_kind kind;
	enum gllm_type type;       /* of the elements; F32 for GLLM_SCALAR, I64 for GLLM_DIM */
};

enum { GLLM_MAX_PARAMS = 16 };
#endif
