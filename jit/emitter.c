/* SPDX-License-Identifier: MIT
 * jit/emitter.c - the version of the compiler that compiled plans carry. The build computes it from the sources that decide
 * what is emitted, so it changes whenever they do. */
#include "jit/plan.h"

#ifndef GLLM_EMITTER
#error "define GLLM_EMITTER: a number that is another one whenever include/, core/, jit/ or arch/ change (see Makefile)"
#endif

uint64_t gllm_emitter_key(void)
{
	return GLLM_EMITTER;
}
