/* SPDX-License-Identifier: MIT
 * bench/limits.h - what the machine can do at most: multiply-adds and reading, measured by plain loops beside the kernels. */
#ifndef BENCH_LIMITS_H
#define BENCH_LIMITS_H
#include <stddef.h>
#include "gllm/profile.h"

struct limits {
	unsigned vector_bytes;
	float (*fma)(long n);                           /* 12 vector operations per step */
	float (*read)(const float *p, size_t floats);
};

/* The widest loops that the profile's code may use; of the compiled kernels' width, so that ratios are honest. NULL: none. */
const struct limits *limits_of(const struct gllm_profile *p);

/* GFLOP/s of one thread, from a burst of a few milliseconds by the clock `now`, in seconds. */
double limits_peak(const struct limits *l, double (*now)(void));
#endif
