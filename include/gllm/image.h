/* SPDX-License-Identifier: MIT
 * gllm/image.h - where the lifter may read machine code and constants.
 *
 * The lifter reads bytes only through a gllm_image, never through a pointer of its own. `addr` is the address the code
 * believes to be at; `bytes` is where the bytes lie for the reader. For the running image both are the same number; for
 * a fixture (an object file of any ISA, loaded as data) they differ. Ranges and names are the caller's and must outlive
 * every context that was given them. Loads of constants are folded only from ranges marked immutable. */
#ifndef GLLM_IMAGE_H
#define GLLM_IMAGE_H
#include <stdbool.h>
#include <stdint.h>

struct gllm_range {
	const unsigned char *bytes;
	uint64_t addr, size;
	bool immutable;
};

/* Primitives: functions the lifter does not read but knows by address (their scalar definitions are in ops/prim.c). gllm/ops.h declares
 * them, but for memset and memcpy: whoever lists those includes <string.h> or declares them. */
#define GLLM_PRIMITIVES(P)                                                         \
	P(SQRTF,      gllm_sqrtf)       /* float (float) */                        \
	P(RINTF,      gllm_rintf)       /* float (float), to nearest even */       \
	P(LDEXPF,     gllm_ldexpf)      /* float (float, int) */                   \
	P(FMAF,       gllm_fmaf)        /* float (float, float, float) */          \
	P(F16_TO_F32, gllm_f16_to_f32)  /* float (uint16_t) */                     \
	P(F32_TO_F16, gllm_f32_to_f16)  /* uint16_t (float), to nearest even */    \
	P(BF16_TO_F32, gllm_bf16_to_f32)                                           \
	P(F32_TO_BF16, gllm_f32_to_bf16)                                           \
	P(MEMSET,     memset)                                                      \
	P(MEMCPY,     memcpy)

enum gllm_primitive {
	GLLM_PRIM_NONE,
#define P(id, fn) GLLM_PRIM_##id,
	GLLM_PRIMITIVES(P)
#undef P
	GLLM_PRIM_COUNT
};

struct gllm_known {
	uint64_t addr;
	enum gllm_primitive what;
};

struct gllm_image {
	const struct gllm_range *range;
	unsigned nranges;
	const struct gllm_known *known;
	unsigned nknown;
};
#endif
