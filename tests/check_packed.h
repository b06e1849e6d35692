/* SPDX-License-Identifier: MIT
 * tests/check_packed.h - the layout of packed weights (gllm/pack.h) as it is told in words, behind the header. */
#ifndef CHECK_PACKED_H
#define CHECK_PACKED_H
#include "gllm/pack.h"

/* `b` lies as k rows of n, or, if `turned`, as n rows of k. */
static inline void check_pack_plainly(const struct gllm_packing *p, const unsigned char *b, bool turned, unsigned char *to)
{
	uint64_t size = gllm_type_bytes(p->type), at = 0;
	for (uint64_t j = 0; j < p->n; j += p->lanes)
		for (uint64_t i = 0; i < p->k; i++)
			for (uint64_t v = j; v < j + p->lanes && v < p->n; v++, at++)
				for (uint64_t byte = 0; byte < size; byte++)
					to[at * size + byte] = b[(turned ? v * p->k + i : i * p->n + v) * size + byte];
}
#endif
