/* SPDX-License-Identifier: MIT
 * ops/block.h - for the decoders of block formats.
 *
 * Rules of these decoders: bytes are read one by one, since blocks are not aligned; shifts are by constants, so that they
 * lift (the places of a byte that hold several elements are written out, not counted); every product and sum rounds on
 * its own in the stated order. y[blocks * elements], x[blocks * bytes]. */
#ifndef GLLM_OPS_BLOCK_H
#define GLLM_OPS_BLOCK_H
#include "core/bits.h"
#include "gllm/ops.h"

/* Hidden: position independent code finds them where they are and asks no table of addresses, which may be written. */
#pragma GCC visibility push(hidden)
extern const int8_t gllm_iq4nl_values[16];
extern const uint16_t gllm_iq2xxs_grid[256], gllm_iq2xs_grid[512], gllm_iq2s_grid[1024], gllm_iq3xxs_grid[256],
	gllm_iq3s_grid[512], gllm_iq1s_grid[2048];
#pragma GCC visibility pop

/* Widens the half at x: its fields as those of a float are 2^112 too low; infinities and NaNs (to which alone the addition
 * gives a sign) need the greatest exponent. In integers and not by gllm_f16_to_f32, which compiled code knows only beside
 * a load of halves. */
static inline float gllm_block_f16(const uint8_t *x)
{
	uint32_t a = (uint32_t)x[0] << 13 | (uint32_t)(x[1] & 127) << 21;
	uint32_t special = (uint32_t)((int32_t)(a + 0x70800000u) >> 31) & 0x7f800000u;
	return gllm_bits_f32(gllm_f32_bits(gllm_bits_f32(a) * 0x1p112f) | special) * (float)(1 - (x[1] >> 7) * 2);
}

/* A signed byte. */
static inline int gllm_block_signed(uint8_t v)
{
	return v - (v & 128) * 2;
}

/* 0 .. 3 */
static inline int gllm_block_2(uint8_t v, unsigned shift)
{
	return v >> shift & 3;
}

static inline int gllm_block_low(uint8_t v)
{
	return v & 15;
}

static inline int gllm_block_high(uint8_t v)
{
	return v >> 4;
}
#endif
