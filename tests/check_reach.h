/* SPDX-License-Identifier: MIT
 * tests/check_reach.h - how many bytes of a parameter an operator reaches when loaded indices are below CHECK_ROWS. */
#ifndef CHECK_REACH_H
#define CHECK_REACH_H
#include "gllm/trace.h"

enum { CHECK_ROWS = 6 };

static inline uint64_t check_reach(const struct gllm_trace *t, unsigned p, const union gllm_arg *arg)
{
	uint64_t rows = 1;
	for (unsigned i = 0; i < t->naccesses; i++)
		if (t->access[i].param == p && t->access[i].index != GLLM_NO_NODE)
			rows = CHECK_ROWS;
	return gllm_trace_extent(t, p, arg) * rows;
}
#endif
