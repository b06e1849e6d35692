/* SPDX-License-Identifier: MIT
 * bench/maps/fused_map.c - what the chain of maps in fused.c does, as one operator; compiled as ops/ is. */
#include "bench/maps/fused.h"
#include "gllm/ops.h"

void bench_one_map(float *restrict y, const float *restrict a, const float *restrict b, const float *restrict c, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		float v = (a[i] + b[i]) * c[i];
		v = (v <= 0.0f ? 0.0f : v) - a[i];
		y[i] = gllm_expf(v);
	}
}
