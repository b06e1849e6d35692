/* SPDX-License-Identifier: MIT
 * bench/limits.h - what the machine can do at most: multiply-adds and reading, measured by plain loops beside the kernels. */
#ifndef BENCH_LIMITS_H
#define BENCH_LIMITS_H
#include <stddef.h>
#include "gllm/profile.h"

struct limits {
	unsigned vector_bytes;
	float (*fma)(long n);                           /* 12 vector operations per step */
	float (*read)(const float *p, size_t floats);   /* multiples of 512 */
	void (*copy)(float *q, const float *p, size_t floats);
	float (*pairs)(long n);                         /* the same of products of two pairs of BF16; NULL: none at this width */
	enum gllm_feature feature;                      /* that they need */
};

/* The widest loops that the profile's code may use; of the compiled kernels' width, so that ratios are honest. NULL: none. */
const struct limits *limits_of(const struct gllm_profile *p);

/* GFLOP/s of one thread, from a burst of a few milliseconds by the clock `now`, in seconds. */
double limits_peak(const struct limits *l, double (*now)(void));
/* The same of products of pairs of BF16; 0 where the profile has none. */
double limits_pairs(const struct limits *l, const struct gllm_profile *p, double (*now)(void));
#endif
