/* SPDX-License-Identifier: MIT
 * tests/check_trial.h - a trace against the function it was lifted from, on the same random operands.
 *
 * Every pointer parameter has TRIAL_ROOM bytes, and as many before and behind them, in two copies: one for the trace, one
 * for the function. All bytes of both are compared, so what is written too much or in the wrong place shows. No
 * operating system is needed; the memory is an arena's. */
#ifndef CHECK_TRIAL_H
#define CHECK_TRIAL_H
#include "core/arena.h"
#include "gllm/context.h"

enum { TRIAL_ROOM = 16 << 10, TRIAL_BYTES = 3 * TRIAL_ROOM, TRIAL_NODES = 8192, TRIAL_LARGEST = 7 };

struct trial {
	uint64_t random;
	unsigned char *got[GLLM_MAX_PARAMS], *want[GLLM_MAX_PARAMS]; /* TRIAL_BYTES; the operand starts at TRIAL_ROOM */
	uint64_t *value;
	union gllm_arg got_arg[GLLM_MAX_PARAMS], want_arg[GLLM_MAX_PARAMS];
	const char *why; /* of the last failure */
	bool beyond;     /* it was that the trace reaches beyond the operands */
	unsigned round;
};

/* False if the arena is too small. */
bool trial_init(struct trial *x, struct gllm_arena *a, uint64_t seed);

/* Operands of one round: sizes 0 and 1 first, odd rounds hostile. */
void trial_prepare(struct trial *x, const struct gllm_param *param, unsigned n, unsigned round);

/* `bytes` (a multiple of 8) bytes of two copies of an operand are equal, or NaNs both. */
bool trial_same(const struct gllm_param *p, const unsigned char *a, const unsigned char *b, size_t bytes);

/* Nothing differs in any operand. */
bool trial_equal(struct trial *x, const struct gllm_param *param, unsigned n);

/* `rounds` rounds of trace and function give equal bytes. The trace reaches no byte beyond the room. */
bool trial_agrees(struct trial *x, const struct gllm_trace *trace, gllm_any_fn *fn, gllm_call_fn *call, unsigned rounds);
#endif
