/* SPDX-License-Identifier: MIT
 * core/types.c - sizes and names of element types. */
#include "gllm/types.h"
#include "core/bits.h"

static const uint8_t bytes[] = {
#define T(id, size, ctype) [GLLM_##id] = (size),
	GLLM_TYPES(T)
#undef T
};

#define T(id, size, ctype) _Static_assert(sizeof(ctype) == (size), #id);
GLLM_TYPES(T)
#undef T

/* The list spells names as identifiers; texts are in lower case. */
static const char *const name[] = {
	[GLLM_F32] = "f32", [GLLM_F16] = "f16", [GLLM_BF16] = "bf16", [GLLM_I8] = "i8",   [GLLM_U8] = "u8",   [GLLM_I16] = "i16",
	[GLLM_U16] = "u16", [GLLM_I32] = "i32", [GLLM_U32] = "u32",   [GLLM_I64] = "i64", [GLLM_MASK] = "mask",
};
_Static_assert(GLLM_COUNT(name) == GLLM_TYPE_COUNT, "every type has a text");

unsigned gllm_type_bytes(enum gllm_type t)
{
	return (unsigned)t < GLLM_COUNT(bytes) ? bytes[t] : 0;
}

const char *gllm_type_name(enum gllm_type t)
{
	return (unsigned)t < GLLM_COUNT(name) ? name[t] : "unknown type";
}
