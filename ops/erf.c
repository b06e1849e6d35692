/* SPDX-License-Identifier: MIT
 * ops/erf.c - the error function, by the rules at the head of ops/math.c.
 *
 * Greatest error in units in the last place over all arguments (tests/diff/math_ulp.c -a erf): 1.55, with
 * products and sums fused 1.36; bound 2.
 * Zeros keep their sign, infinities give +-1, NaN gives NaN. */
#include "gllm/ops.h"

/* erf a = a + a * q(a^2) below 0.9, from there 1 - e^r(a), r a fit of log erfc; blended by weights 1 and 0. */
float gllm_erff(float x)
{
	float a = x < 0.0f ? -x : x; /* -0 stays and comes out again */
	a = a > 4.0f ? 4.0f : a; /* 1 from 3.92 on; NaN passes */
	float z = a * a;
	float q = 0x1.65bfc0p-14f;
	q = q * z + -0x1.acd92ap-11f;
	q = q * z + 0x1.551070p-8f;
	q = q * z + -0x1.b815ccp-6f;
	q = q * z + 0x1.ce2e5cp-4f;
	q = q * z + -0x1.812744p-2f;
	q = q * z + 0x1.06eba8p-3f;
	float near = q * a + a;
	float r = 0x1.bd4ee2p-20f;
	r = r * a + -0x1.85b1dcp-15f;
	r = r * a + 0x1.3a7fcep-11f;
	r = r * a + -0x1.38c42ap-8f;
	r = r * a + 0x1.b16896p-6f;
	r = r * a + -0x1.c315aep-4f;
	r = r * a + -0x1.437940p-1f;
	r = r * a + -0x1.215830p+0f;
	r = r * a + 0x1.52e27cp-12f;
	float far = 1.0f - gllm_expf(r);
	float is_near = a < 0.9f ? 1.0f : 0.0f;
	float y = near * is_near + far * (1.0f - is_near); /* far < 0 at 0: the product is -0 and leaves -0 alone */
	return x < 0.0f ? -y : y;
}
