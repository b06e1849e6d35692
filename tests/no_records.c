/* SPDX-License-Identifier: MIT
 * tests/no_records.c - the empty table of recorded traces: what a program is linked with before its traces are recorded. */
#include "gllm/record.h"

#define IN __attribute__((section(".gllm_recorded"), used, aligned(8)))
extern const struct gllm_trace_record gllm_recorded_traces[1];
extern const unsigned gllm_recorded_count;
const struct gllm_trace_record gllm_recorded_traces[1] IN = { { 0 } };
const unsigned gllm_recorded_count IN = 0;
