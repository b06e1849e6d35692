/* SPDX-License-Identifier: MIT
 * jit/vir_span.c - see vir_span.h. */
#include "jit/vir_span.h"
#include "jit/vir.h"

enum { MAX_DEPTH = 16 };

static void match_loops(const struct gllm_vir *v, uint32_t *close)
{
	uint32_t open[MAX_DEPTH];
	unsigned depth = 0;

	for (unsigned i = 0; i < v->n; i++) {
		if (v->ins[i].op == GLLM_V_LOOP_BEGIN && depth < MAX_DEPTH)
			open[depth++] = i;
		if (v->ins[i].op == GLLM_V_LOOP_END && depth > 0)
			close[open[--depth]] = i;
	}
}

static void touch(struct gllm_vir_span *x, unsigned i)
{
	if (x->first == UINT32_MAX)
		x->first = i;
	if (x->last < i)
		x->last = i;
}

void gllm_vir_spans(const struct gllm_vir *v, struct gllm_vir_span *span, uint32_t *close)
{
	uint32_t open[MAX_DEPTH];
	unsigned depth = 0;
	gllm_vreg r[4];

	match_loops(v, close);
	for (unsigned k = 0; k < v->nregs; k++)
		span[k] = (struct gllm_vir_span){ .first = k < GLLM_VIR_FIRST_FREE ? 0 : UINT32_MAX };
	for (unsigned i = 0; i < v->n; i++) {
		const struct gllm_vi *in = &v->ins[i];
		if (in->op == GLLM_V_LOOP_BEGIN && depth < MAX_DEPTH)
			open[depth++] = i;
		if (in->op == GLLM_V_LOOP_END && depth > 0)
			depth--;
		for (unsigned n = gllm_vi_uses(in, r); n-- > 0;) {
			touch(&span[r[n]], i);
			for (unsigned l = 0; l < depth; l++)
				if (span[r[n]].first < open[l]) {
					touch(&span[r[n]], close[open[l]]);
					break;
				}
		}
		if (in->d != GLLM_NO_VREG)
			touch(&span[in->d], i);
	}
}
