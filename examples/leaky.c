/* SPDX-License-Identifier: MIT
 * examples/leaky.c - an operator of one's own: a plain loop, compiled with the flags of ops/ (OPS_FLAGS in the Makefile). */
#include <stddef.h>

void my_leaky(float *restrict y, const float *restrict x, size_t n);

void my_leaky(float *restrict y, const float *restrict x, size_t n)
{
	for (size_t i = 0; i < n; i++)
		y[i] = x[i] > 0.0f ? x[i] : 0.01f * x[i];
}
