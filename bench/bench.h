/* SPDX-License-Identifier: MIT
 * bench/bench.h - what the files of the benchmark share. */
#ifndef BENCH_H
#define BENCH_H
#include "bench/stats.h"
#include "gllm/context.h"

double seconds(void);

/* Layers of a Llama: how long planning and code generation take, class of rows by class, and what fusion saves, in bytes
 * that the plans count and in time. Fails as gllm_compile does. */
enum gllm_status bench_layers(const struct gllm_config *c, unsigned rounds, struct gllm_error *e);
/* A product of BF16 matrices beside the F32 one. */
enum gllm_status bench_half(const struct gllm_config *c, unsigned rounds, struct gllm_error *e);
#endif
