/* SPDX-License-Identifier: MIT
 * infer/sample.h - choosing the next token from logits. Nothing here is compiled at run time.
 *
 * Greedy: the first of the greatest logits. NaN is never chosen, -0 and +0 are equal. If there is no number at all
 * (n is 0, or all are NaN) the answer is n, which is no token.
 *
 * Sampling, in this order, each step working on what the one before left (a step that is off leaves all):
 *   1. candidates are the logits that are not NaN, ordered by logit, greatest first, the lower token first among equals;
 *   2. top-k: the first top_k of them (0: off);
 *   3. top-p: as few from the front as have at least top_p of the probability of step 2's (>= 1: off, <= 0: one);
 *   4. min-p: those with at least min_p times the first one's probability (<= 0: off);
 *   5. probabilities of the rest, now with the temperature, and one draw.
 * Probabilities of steps 3 and 4 are at temperature 1. The first candidate always survives. A temperature <= 0 is greedy,
 * so is a first logit that is infinite. NaN among the parameters is GLLM_INVALID_ARGUMENT. The generator is splitmix64:
 * the same seed, parameters and logits give the same tokens on every machine. One number is drawn per token, also by
 * a greedy choice, so settings can change in mid-stream without shifting what comes later. */
#ifndef GLLM_INFER_SAMPLE_H
#define GLLM_INFER_SAMPLE_H
#include "gllm/status.h"
#include <stddef.h>
#include <stdint.h>

struct gllm_sampler {
	float temperature, top_p, min_p;
	uint32_t top_k;
	uint64_t state; /* the seed at first */
};

uint32_t gllm_sample_greedy(const float *logits, uint32_t n);

/* Exact bytes of workspace for n logits; aligned to 4. */
size_t gllm_sample_workspace(uint32_t n);

/* *token is written on success only. GLLM_RUNTIME_ERROR if no logit is a number, GLLM_OUT_OF_MEMORY. */
enum gllm_status gllm_sample(struct gllm_sampler *s, const float *logits, uint32_t n, void *workspace,
                             size_t workspace_size, uint32_t *token, struct gllm_error *error);
#endif
