/* SPDX-License-Identifier: MIT
 * tests/diff/math_wanted.c - what the functions of math_ulp.c should give, in double precision, as plain loops: gcc -ffast-math
 * turns them into calls of glibc's vector functions, whose errors glibc states as at most 4 ULP of a double. An error of v
 * becomes one of e^v that is |v| times as great: where a result is a float, |v| < 128. Hence all of these are right to 2^-43,
 * which is 2^-19 of a float's last place. */
#include <math.h>
#include "tests/diff/math_wanted.h"

#define WANTED(name, expression)                                     \
	void wanted_##name(double *y, const float *x, size_t n)       \
	{                                                             \
		for (size_t i = 0; i < n; i++) {                      \
			double v = x[i];                              \
			y[i] = expression;                            \
		}                                                     \
	}
/* Beyond these bounds results are as at them: 0, 1, x, or no float. */
#define CLAMP(v, low, high) ((v) < (low) ? (low) : (v) > (high) ? (high) : (v))

static inline double logistic(double v)
{
	return 1 / (1 + exp(CLAMP(-v, -700.0, 700.0)));
}

WANTED(exp, exp(CLAMP(v, -700.0, 700.0)))
WANTED(log, log(v > 0 ? v : 1.0))
WANTED(tanh, tanh(v))
WANTED(erf, erf(v))
WANTED(sin, sin(v))
WANTED(cos, cos(v))
WANTED(sigmoid, logistic(v))
WANTED(silu, v * logistic(v))
WANTED(gelu, v * logistic(2 * 0.79788456080286535587989211986876 * (v + 0.044715 * (v * v * v))))
WANTED(gelu_erf, 0.5 * v * erfc(CLAMP(v * -0.70710678118654752440084436210485, -26.0, 26.0)))
WANTED(sqrt, sqrt(v > 0 ? v : 0.0))
