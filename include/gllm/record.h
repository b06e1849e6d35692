/* SPDX-License-Identifier: MIT
 * gllm/record.h - traces recorded when an image is built, for images whose text cannot be read when they run.
 *
 * `gllm record IMAGE` lifts the operators of a linked image and writes C source that defines
 *     const struct gllm_trace_record gllm_recorded_traces[];  const unsigned gllm_recorded_count;
 * in the section .gllm_recorded. The image is then linked again with that object and handed the table in gllm_config. The
 * section must not move text or constants: recording the second image must give the same source (`gllm record --same`).
 *
 * A record is used when its address, parameters and primitives are those of the operator, the trace is well formed, and
 * every span that the running image can read has the recorded hash. Where the entry can be read and anything differs,
 * the operator is lifted anew; where it cannot, the operator has no trace. */
#ifndef GLLM_RECORD_H
#define GLLM_RECORD_H
#include "gllm/image.h"
#include "gllm/trace.h"

#ifdef __cplusplus
extern "C" {
#endif

struct gllm_span {            /* bytes that the trace depends on: code of the function and its callees, folded constants */
	int64_t at;           /* from the function's address */
	uint32_t bytes;
	uint64_t hash;        /* FNV-1a, 64 bits, over the bytes as they lie in the image */
};

struct gllm_record_call {     /* a primitive that the code calls */
	int64_t at;           /* from the function's address */
	enum gllm_primitive what;
};

struct gllm_trace_record {
	const char *name;     /* of the operator */
	int64_t at;           /* address of its function from that of gllm_op_trace */
	const struct gllm_span *span;        unsigned nspans;
	const struct gllm_record_call *call; unsigned ncalls;
	const struct gllm_trace *trace;
};

#ifdef __cplusplus
}
#endif
#endif
