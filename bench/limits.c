/* SPDX-License-Identifier: MIT
 * bench/limits.c - see limits.h. */
#include "bench/limits.h"

/* One pair of loops per width of vectors. Twelve independent chains hide the latency of two FMA units. */
#define LOOPS(name, vec, target, fma)                                                                  \
	target static float fma_##name(long n)                                                          \
	{                                                                                               \
		enum { LANES = sizeof(vec) / sizeof(float), CHAINS = 12 };                              \
		vec x[CHAINS], m = { 0 }, a = { 0 };                                                    \
		for (int i = 0; i < LANES; i++)                                                         \
			m[i] = 0.999f, a[i] = 0.001f;                                                   \
		for (int i = 0; i < CHAINS; i++)                                                        \
			x[i] = a;                                                                       \
		for (long k = 0; k < n; k++) {                                                          \
			STEP(fma, 0) STEP(fma, 1) STEP(fma, 2) STEP(fma, 3) STEP(fma, 4) STEP(fma, 5)   \
			STEP(fma, 6) STEP(fma, 7) STEP(fma, 8) STEP(fma, 9) STEP(fma, 10) STEP(fma, 11) \
		}                                                                                       \
		float sum = 0;                                                                          \
		for (int i = 0; i < CHAINS; i++)                                                        \
			sum += x[i][0];                                                                 \
		return sum;                                                                             \
	}                                                                                               \
	target static float read_##name(const float *p, size_t floats)                                  \
	{                                                                                               \
		enum { LANES = sizeof(vec) / sizeof(float) };                                           \
		vec s[8] = { { 0 } };                                                                   \
		for (size_t i = 0; i < floats; i += 8 * LANES)                                          \
			for (int k = 0; k < 8; k++)                                                     \
				s[k] += *(const vec *)(const void *)(p + i + (size_t)k * LANES);        \
		float sum = 0;                                                                          \
		for (int k = 0; k < 8; k++)                                                             \
			sum += s[k][0];                                                                 \
		return sum;                                                                             \
	}
#define STEP(fma, i) x[i] = fma(x[i], m, a);

#ifdef __x86_64__
#include <immintrin.h>
LOOPS(avx2, __m256, __attribute__((target("avx2,fma"), noinline)), _mm256_fmadd_ps)
LOOPS(avx512, __m512, __attribute__((target("avx512f"), noinline)), _mm512_fmadd_ps)
static const struct limits widths[] = { { 64, fma_avx512, read_avx512 }, { 32, fma_avx2, read_avx2 } };
#else
#include <arm_neon.h>
#define MULTIPLY_ADD(a, b, c) vfmaq_f32(c, a, b)
LOOPS(neon, float32x4_t, __attribute__((noinline)), MULTIPLY_ADD)
static const struct limits widths[] = { { 16, fma_neon, read_neon } };
#endif

const struct limits *limits_of(const struct gllm_profile *p)
{
	for (size_t i = 0; i < sizeof widths / sizeof widths[0]; i++)
		if (widths[i].vector_bytes <= p->vector_bytes)
			return &widths[i];
	return NULL;
}

static volatile float sink;

double limits_peak(const struct limits *l, double (*now)(void))
{
	const long n = 2000000;
	double t = now();
	sink = l->fma(n);
	return (double)n * 12 * (l->vector_bytes / 4) * 2 / (now() - t) * 1e-9;
}
