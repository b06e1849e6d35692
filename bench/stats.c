/* SPDX-License-Identifier: MIT
 * bench/stats.c - see stats.h. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "bench/stats.h"

int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

double quantile(const double *x, unsigned n, double q)
{
	double copy[MAX_ROUNDS];
	memcpy(copy, x, n * sizeof *x);
	qsort(copy, n, sizeof *copy, ascending);
	return copy[(unsigned)(q * (n - 1) + 0.5)];
}

double thread_seconds(void)
{
	struct timespec t;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}
