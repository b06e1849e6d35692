/* SPDX-License-Identifier: MIT
 * jit/lift.c - the passes in order. */
#include "jit/lift.h"
#include "jit/record.h"
#include "jit/trace.h"

enum gllm_status gllm_lift_reads(const struct gllm_target *t, const struct gllm_image *img, uint64_t addr, const char *name,
                                 const struct gllm_param *param, unsigned nparams, struct gllm_arena *scratch,
                                 struct gllm_arena *keep, struct gllm_reads *reads, const struct gllm_trace **out,
                                 struct gllm_error *e)
{
	struct gllm_arena a = *scratch;
	struct flow flow;
	struct sym sym;
	enum gllm_status s;
	*out = NULL;
	if (!t)
		return gllm_fail(e, GLLM_NO_BACK_END, "lifting without a target", name, 0, 0, 0);
	if (!img || nparams > GLLM_MAX_PARAMS || (nparams && !param))
		return gllm_fail(e, GLLM_INVALID_ARGUMENT, "lifting needs an image and at most 16 parameters", name, nparams,
		                 GLLM_MAX_PARAMS, nparams);
	struct lifting *l = gllm_alloc(&a, sizeof *l, 8);
	s = l ? gllm_flow_build(&flow, t, img, addr, &a, e)
	      : gllm_fail(e, GLLM_OUT_OF_MEMORY, "scratch for lifting", name, 0, 0, 0);
	if (!s)
		s = gllm_sym_build(&sym, &flow, &t->abi, img, param, nparams, &a, e);
	if (!s)
		s = gllm_loops_run(l, &sym, param, nparams, e);
	if (!s && reads)
		s = gllm_reads_collect(reads, &flow, &sym, img, e);
	if (!s)
		s = gllm_trace_build(l, name, &a, keep, out);
	if (a.high > scratch->high)
		scratch->high = a.high;
	return s;
}

enum gllm_status gllm_lift(const struct gllm_target *t, const struct gllm_image *img, uint64_t addr, const char *name,
                           const struct gllm_param *param, unsigned nparams, struct gllm_arena *scratch,
                           struct gllm_arena *keep, const struct gllm_trace **out, struct gllm_error *e)
{
	return gllm_lift_reads(t, img, addr, name, param, nparams, scratch, keep, NULL, out, e);
}
