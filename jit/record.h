/* SPDX-License-Identifier: MIT
 * jit/record.h - what a trace was lifted from, and whether a recorded trace may stand for lifting. */
#ifndef GLLM_JIT_RECORD_H
#define GLLM_JIT_RECORD_H
#include "gllm/record.h"
#include "jit/context.h"
#include "jit/sym.h"

enum { GLLM_READ_SPANS = 256, GLLM_READ_CALLS = 64 };

struct gllm_reads {
	struct gllm_span span[GLLM_READ_SPANS]; unsigned nspans; /* ascending, disjoint, not adjacent */
	struct gllm_record_call call[GLLM_READ_CALLS]; unsigned ncalls;
};

/* Everything that flow and sym read of the image. GLLM_OUT_OF_MEMORY if it lies in more places than a gllm_reads holds. */
enum gllm_status gllm_reads_collect(struct gllm_reads *r, const struct flow *f, const struct sym *s,
                                    const struct gllm_image *img, struct gllm_error *e);

uint64_t gllm_span_hash(const unsigned char *bytes, size_t n);

/* NULL if every reference of the trace is in its bounds and scope, types fit, and reductions, pattern and hash are those
 * that follow from the rest; otherwise what is wrong. Reads nothing beyond the counts, whatever they refer to. */
const char *gllm_trace_flaw(const struct gllm_trace *t);

/* The record of an operator, NULL if there is none. */
const struct gllm_trace_record *gllm_record_find(const struct gllm_context *c, const struct gllm_op_entry *o);

/* Whether it may be used: GLLM_OK; GLLM_BAD_VALUE for a corrupt one; GLLM_NOT_LIFTED for one of other code than the
 * image holds. *why says what. */
enum gllm_status gllm_record_check(const struct gllm_trace_record *r, const struct gllm_image *img,
                                   const struct gllm_op_entry *o, const char **why);
#endif
