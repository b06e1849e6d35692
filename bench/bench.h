/* SPDX-License-Identifier: MIT
 * bench/bench.h - what the files of the benchmark share. */
#ifndef BENCH_H
#define BENCH_H
#include "gllm/context.h"

enum { MAX_ROUNDS = 99 };

double seconds(void);
/* Of n figures: 0.5 the median, 0.25 the lower quartile. */
double quantile(const double *x, unsigned n, double q);

/* Layers of a Llama: how long planning and code generation take, class of rows by class, and what fusion saves, in bytes
 * that the plans count and in time. Fails as gllm_compile does. */
enum gllm_status bench_layers(const struct gllm_config *c, unsigned rounds, struct gllm_error *e);
#endif
