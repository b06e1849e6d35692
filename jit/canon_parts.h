/* SPDX-License-Identifier: MIT
 * jit/canon_parts.h - what the parts of canon.h share. */
#ifndef GLLM_CANON_PARTS_H
#define GLLM_CANON_PARTS_H
#include "core/bits.h"
#include "jit/canon.h"

#define SIGN 0x80000000u

static inline unsigned bits_of(unsigned type)
{
	static const uint8_t bits[] = {
#define T(name, bytes, ctype) 8 * (bytes),
		GLLM_TYPES(T)
#undef T
	};
	return bits[type];
}

static inline uint64_t low(uint64_t v, unsigned w)
{
	return w >= 64 ? v : v & ((UINT64_C(1) << w) - 1);
}

static inline bool is_const(const struct canon *c, uint16_t v)
{
	return c->v[v].op == GLLM_N_CONST;
}

static inline bool is(const struct canon *c, uint16_t v, unsigned op)
{
	return c->v[v].op == op;
}

static inline bool zero_const(const struct canon *c, uint16_t v)
{
	return is_const(c, v) && c->v[v].imm == 0;
}

static inline bool const_arms(const struct canon *c, uint16_t v)
{
	return is(c, v, GLLM_N_SELECT) && is_const(c, c->v[v].b) && is_const(c, c->v[v].c);
}

static inline bool plain_number(const struct canon *c, uint16_t v)
{
	return is_const(c, v) && (c->v[v].imm & 0x7fffffff) <= 0x7f800000;
}

static inline void order(uint16_t *a, uint16_t *b)
{
	if (*a > *b) {
		uint16_t t = *a;
		*a = *b;
		*b = t;
	}
}

/* A polynomial equal to the value's low 32 bits modulo 2^32. */
bool gllm_canon_poly32(struct canon *c, uint16_t v, uint16_t *poly);
uint16_t gllm_canon_negate(struct canon *c, uint16_t v); /* an F32 */
#endif
