/* SPDX-License-Identifier: MIT
 * infer/rope.h - the rotations of one position. */
#ifndef GLLM_INFER_ROPE_H
#define GLLM_INFER_ROPE_H
#include <stdint.h>

/* cos[i], sin[i] of the angle position * theta_base^(-2i / rope_dims), for i < half. Computed in double precision by
 * functions of its own and rounded once: absolute error at most 1e-7 for positions up to 2^20 (measured 3.0e-8, that is
 * the rounding to float; tests/check_rope_table.c) and, because the angle's own rounding grows with it, at most 1e-6 up
 * to 2^31. An angle of 2^31 or more is taken as 0, a theta_base outside [1, 1e30] as 1. rope_dims 0 is
 * taken as 2 * half. The arrays must not overlap; positions and results are the same on every machine. */
void gllm_rope_table(float *cos, float *sin, uint64_t position, unsigned half, double theta_base, unsigned rope_dims);
#endif
