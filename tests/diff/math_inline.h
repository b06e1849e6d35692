/* SPDX-License-Identifier: MIT
 * tests/diff/math_inline.h - the primitives as what the host's compiler has for them, to the last bit the same, so that
 * definitions built with -include of this file run as fast as they can. */
#include "core/bits.h"
#include "gllm/ops.h"

static inline float inline_fmaf(float a, float b, float c)
{
	return __builtin_fmaf(a, b, c);
}

static inline float inline_ldexpf(float x, int n)
{
	int k = n < -400 ? -400 : n > 400 ? 400 : n;
	return (float)((double)x * gllm_bits_f64((uint64_t)(1023 + k) << 52));
}
#define gllm_fmaf inline_fmaf
#define gllm_ldexpf inline_ldexpf
