/* SPDX-License-Identifier: MIT
 * bench/limits.c - see limits.h. */
#include "bench/limits.h"

/* One pair of loops per width of vectors. Twelve independent chains hide the latency of two FMA units; they begin with different
 * numbers, or a compiler may make one of them. */
#define LOOPS(name, vec, target, fma)                                                                  \
	target static float fma_##name(long n)                                                          \
	{                                                                                               \
		enum { LANES = sizeof(vec) / sizeof(float), CHAINS = 12 };                              \
		vec x[CHAINS], m = { 0 }, a = { 0 };                                                    \
		for (int i = 0; i < LANES; i++)                                                         \
			m[i] = 0.999f, a[i] = 0.001f;                                                   \
		for (int i = 0; i < CHAINS; i++)                                                        \
			x[i] = a, x[i][0] = (float)i;                                                   \
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
			_Pragma("GCC unroll 8") for (int k = 0; k < 8; k++)                             \
				s[k] += *(const vec *)(const void *)(p + i + (size_t)k * LANES);        \
		float sum = 0;                                                                          \
		for (int k = 0; k < 8; k++)                                                             \
			sum += s[k][0];                                                                 \
		return sum;                                                                             \
	}                                                                                               \
	target static void copy_##name(float *q, const float *p, size_t floats)                         \
	{                                                                                               \
		enum { LANES = sizeof(vec) / sizeof(float) };                                           \
		for (size_t i = 0; i < floats; i += 4 * LANES)                                          \
			_Pragma("GCC unroll 4") for (int k = 0; k < 4; k++)                             \
				*(vec *)(void *)(q + i + (size_t)k * LANES) =                           \
					*(const vec *)(const void *)(p + i + (size_t)k * LANES);        \
	}
#define STEP(fma, i) x[i] = fma(x[i], m, a);

/* The same chains of products of pairs. */
#define PAIRS(name, vec, halves, target, dot)                                                           \
	target static float pairs_##name(long n)                                                        \
	{                                                                                               \
		enum { CHAINS = 12 };                                                                   \
		vec x[CHAINS] = { { 0 } };                                                              \
		halves m;                                                                               \
		__builtin_memset(&m, 0x3f, sizeof m); /* 0.746 */                                       \
		for (int i = 0; i < CHAINS; i++)                                                        \
			x[i][0] = (float)i;                                                             \
		for (long k = 0; k < n; k++) {                                                          \
			DOT(dot, 0) DOT(dot, 1) DOT(dot, 2) DOT(dot, 3) DOT(dot, 4) DOT(dot, 5)         \
			DOT(dot, 6) DOT(dot, 7) DOT(dot, 8) DOT(dot, 9) DOT(dot, 10) DOT(dot, 11)       \
		}                                                                                       \
		float sum = 0;                                                                          \
		for (int i = 0; i < CHAINS; i++)                                                        \
			sum += x[i][0];                                                                 \
		return sum;                                                                             \
	}
#define DOT(dot, i) x[i] = dot(x[i], m, m);

#ifdef __x86_64__
#include <immintrin.h>
LOOPS(avx2, __m256, __attribute__((target("avx2,fma"), noinline)), _mm256_fmadd_ps)
LOOPS(avx512, __m512, __attribute__((target("avx512f"), noinline)), _mm512_fmadd_ps)
PAIRS(avx512, __m512, __m512bh, __attribute__((target("avx512f,avx512bf16"), noinline)), _mm512_dpbf16_ps)
static const struct limits widths[] = { { 64, fma_avx512, read_avx512, copy_avx512, pairs_avx512, GLLM_X86_AVX512BF16 },
	                                { 32, fma_avx2, read_avx2, copy_avx2, NULL, GLLM_FEATURE_COUNT } };
#else
#include <arm_neon.h>
#define MULTIPLY_ADD(a, b, c) vfmaq_f32(c, a, b)
LOOPS(neon, float32x4_t, __attribute__((noinline)), MULTIPLY_ADD)
PAIRS(neon, float32x4_t, bfloat16x8_t, __attribute__((target("arch=armv8.2-a+bf16"), noinline)), vbfdotq_f32)
static const struct limits widths[] = { { 16, fma_neon, read_neon, copy_neon, pairs_neon, GLLM_A64_BF16 } };
#endif

const struct limits *limits_of(const struct gllm_profile *p)
{
	for (size_t i = 0; i < sizeof widths / sizeof widths[0]; i++)
		if (widths[i].vector_bytes <= p->vector_bytes)
			return &widths[i];
	return NULL;
}

static volatile float sink;

static double burst(const struct limits *l, float (*f)(long n), unsigned flops, double (*now)(void))
{
	const long n = 2000000;
	double t = now();
	sink = f(n);
	return (double)n * 12 * (l->vector_bytes / 4) * flops / (now() - t) * 1e-9;
}

double limits_peak(const struct limits *l, double (*now)(void))
{
	return burst(l, l->fma, 2, now);
}

double limits_pairs(const struct limits *l, const struct gllm_profile *p, double (*now)(void))
{
	return l->pairs && (p->have & GLLM_BIT(l->feature)) ? burst(l, l->pairs, 4, now) : 0;
}
