/* SPDX-License-Identifier: MIT
 * jit/lower.h - from a trace to vector IR, for any trace and any machine; no operator is known here.
 *
 * In:    a trace, the values of those dims that are fixed, the machine.
 * Out:   vector IR in `out` (gllm_vir_init'ed by the caller), the constants it reads, and how its work may be split.
 * The caller places the constants' bytes (4-byte aligned) and passes their address in the args slot after the last
 * parameter. Dims read at run time must be below 2^31.
 *
 * If info->range >= 0, begin and end count units of info->tile iterations of that loop; there are
 * ceil(trip / tile) units and any partition of them gives the same bits. Otherwise begin and end are ignored and the
 * kernel does all of its work.
 *
 * Fails: COMPILE_ERROR (something the IR cannot say, or more instructions than `out` holds: e says which), OUT_OF_MEMORY.
 * `arena` holds the constants afterwards and nothing else that matters. */
#ifndef GLLM_JIT_LOWER_H
#define GLLM_JIT_LOWER_H
#include "core/arena.h"
#include "core/vir.h"
#include "gllm/trace.h"

struct gllm_lower_options {
	const int64_t *dim; /* by parameter: the fixed value of a DIM, negative: read at run time. NULL: all at run time */
	uint8_t unroll;     /* copies of the vectorised loop; 0: chosen, as the next two */
	uint8_t rows;       /* outer iterations that share what the inner loops load */
	uint8_t columns;    /* dot products that are reduced together, at most the number of lanes */
	uint8_t depth;      /* copies of a reduction inside the vectorised loop */
	uint8_t deep;       /* the same for a row that is alone; 0: as many */
	uint16_t fetch;     /* iterations of a loop by which the innermost one's loads along the lanes are fetched ahead: */
	int8_t fetch_loop;  /* its number plus one */
	int8_t fetch_in;    /* the innermost loop that does so, plus one; 0: each that is that loop or within it */
	bool fetch_far;     /* into the second cache */
	bool fetch_again;   /* once more half as far ahead: machines drop what they have no room to wait for */
	uint8_t hints;      /* so many accesses, the trace's last, which no node makes: each body of a reduction fetches them into the
	                     * second cache, for what runs next */
	bool overlap;       /* passes over rows of the outermost loop run at once, each over another row: jit/vir_overlap.h */
	bool fetch_stores;  /* what is stored behind such a reduction is fetched before it */
	int8_t split;       /* number of the split loop plus one; 0: chosen */
	uint32_t most;      /* its trips at most, where a parameter says how many; 0: unknown */
	int8_t whole;       /* number plus one of a loop of which a parameter says how many trips it has: */
	uint32_t bound;     /* at most so many, */
	uint16_t unit;      /* a multiple of this, so that bodies which divide it leave nothing over */
	uint32_t pitches;   /* set of parameters: steps of so many bytes are larger than what all loops of fixed steps reach together */
	uint32_t tile;      /* least iterations per unit of the split loop; 0: chosen */
	uint32_t past;      /* set of parameters: whole vectors are stored to them past the caches where machine.past */
	uint32_t own;       /* set of parameters: memory of the worker, which every iteration of the split loop writes first */
};

struct gllm_kernel_info {
	const uint32_t *pool;   /* constants */
	unsigned pool_bytes;
	int8_t range;           /* loop that is split, -1 none */
	uint32_t tile;
	struct gllm_poly trip;  /* of the split loop, a polynomial of the trace */
};

/* Most words of constants that lowering a trace needs: its tables first. */
unsigned gllm_lower_pool_words(const struct gllm_trace *t);

enum gllm_status gllm_lower(const struct gllm_trace *t, const struct gllm_lower_options *o, const struct gllm_machine *m,
                            struct gllm_arena *arena, struct gllm_vir *out, struct gllm_kernel_info *info,
                            struct gllm_error *e);
#endif
