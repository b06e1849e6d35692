/* SPDX-License-Identifier: MIT
 * arch/aarch64/maintain.h - which cache lines make written code visible: a pure function of CTR_EL0.
 *
 * Lines of the data side are cleaned to the point of unification unless the hardware does it (IDC), those of the
 * instruction side are invalidated unless it does that (DIC). Exactly the lines that hold a byte of the range. */
#ifndef GLLM_A64_MAINTAIN_H
#define GLLM_A64_MAINTAIN_H
#include <stddef.h>
#include <stdint.h>

struct gllm_a64_lines { /* first, first + step .. below end; none if first == end */
	uint64_t first, end, step;
};

static inline struct gllm_a64_lines gllm_a64_lines(uint64_t begin, uint64_t bytes, unsigned log2_words, uint64_t coherent)
{
	uint64_t step = UINT64_C(4) << log2_words;

	if (bytes == 0 || coherent)
		return (struct gllm_a64_lines){ begin, begin, step };
	return (struct gllm_a64_lines){ begin & ~(step - 1), begin + bytes, step };
}

static inline struct gllm_a64_lines gllm_a64_clean_lines(uint64_t ctr, uint64_t begin, uint64_t bytes)
{
	return gllm_a64_lines(begin, bytes, ctr >> 16 & 15, ctr >> 28 & 1);
}

static inline struct gllm_a64_lines gllm_a64_invalidate_lines(uint64_t ctr, uint64_t begin, uint64_t bytes)
{
	return gllm_a64_lines(begin, bytes, ctr & 15, ctr >> 29 & 1);
}
#endif
