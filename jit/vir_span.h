/* SPDX-License-Identifier: MIT
 * jit/vir_span.h - from where to where a virtual register is held, as linear scan has it (regalloc.c): from the first write
 * to the last access; what is written before a loop and read inside it is held to the loop's end. */
#ifndef GLLM_VIR_SPAN_H
#define GLLM_VIR_SPAN_H
#include "core/vir.h"

struct gllm_vir_span {
	uint32_t first, last; /* instructions; first UINT32_MAX: never accessed. Arguments are held from instruction 0 */
};

/* `span` has v->nregs elements, `close` v->n: for a LOOP_BEGIN the number of its LOOP_END. */
void gllm_vir_spans(const struct gllm_vir *v, struct gllm_vir_span *span, uint32_t *close);
#endif
