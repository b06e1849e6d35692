/* SPDX-License-Identifier: MIT
 * bench/stats.h - time and order statistics of repeated measurements. */
#ifndef BENCH_STATS_H
#define BENCH_STATS_H

enum { MAX_ROUNDS = 99 };

/* Of n figures, at most MAX_ROUNDS: 0.5 the median, 0.25 the lower quartile. */
int ascending(const void *a, const void *b); /* for qsort */
double quantile(const double *x, unsigned n, double q);

/* The time that this thread had a processor: what else the machine does counts less. */
double thread_seconds(void);
#endif
