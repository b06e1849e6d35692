/* SPDX-License-Identifier: MIT
 * ops/activation.c - smooth activations. Each goes to its limit at +inf; where the limit at -inf is 0 times infinity
 * (gelu), -inf gives NaN as the formula says.
 *
 * Greatest errors in units in the last place (tests/diff/math_ulp.c), with and without fused multiply-add: sigmoid and silu 2.5
 * from -88 on; below, e^-x is infinite and the result 0. gelu 2.1 to |x| = 1; its negative tail is small and worse, to 200. */
#include "gllm/ops.h"

void gllm_ref_sigmoid(float *restrict y, const float *restrict x, size_t n)
{
	for (size_t i = 0; i < n; i++)
		y[i] = 1.0f / (1.0f + gllm_expf(-x[i]));
}

/* x/2 * (1 + tanh u), u = sqrt(2/pi) * (x + 0.044715 x^3)   (Hendrycks, Gimpel 2016), written as x / (1 + e^-2u): the same
 * value without the difference 1 - tanh |u| for negative x. */
static inline float gelu(float x)
{
	float v = x * (0x1.988454p+0f + 0x1.2444f2p-4f * (x * x));
	return x / (1.0f + gllm_expf(-v));
}

void gllm_ref_gelu(float *restrict y, const float *restrict x, size_t n)
{
	for (size_t i = 0; i < n; i++)
		y[i] = gelu(x[i]);
}

/* gelu(a) * b: a is the gate, b the up projection */
void gllm_ref_geglu(float *restrict y, const float *restrict a, const float *restrict b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		y[i] = gelu(a[i]) * b[i];
}

/* x/2 * (1 + erf(x / sqrt 2)) */
void gllm_ref_gelu_erf(float *restrict y, const float *restrict x, size_t n)
{
	for (size_t i = 0; i < n; i++)
		y[i] = 0.5f * x[i] * (1.0f + gllm_erff(x[i] * 0x1.6a09e6p-1f));
}
