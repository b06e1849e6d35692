/* SPDX-License-Identifier: MIT
 * tests/diff/math_wanted.h - functions of arrays in double precision: math_wanted.c. */
#ifndef GLLM_TESTS_DIFF_MATH_WANTED_H
#define GLLM_TESTS_DIFF_MATH_WANTED_H
#include <stddef.h>

typedef void wanted_fn(double *y, const float *x, size_t n);
extern wanted_fn wanted_exp, wanted_log, wanted_tanh, wanted_erf, wanted_sin, wanted_cos, wanted_sigmoid, wanted_silu, wanted_gelu,
                 wanted_gelu_erf, wanted_sqrt;
#endif
