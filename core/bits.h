/* SPDX-License-Identifier: MIT
 * core/bits.h - bit patterns, unaligned little-endian reads, checked arithmetic. */
#ifndef GLLM_BITS_H
#define GLLM_BITS_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline uint32_t gllm_f32_bits(float x) { union { float f; uint32_t u; } v = { .f = x }; return v.u; }
static inline float gllm_bits_f32(uint32_t u) { union { uint32_t u; float f; } v = { .u = u }; return v.f; }
static inline uint64_t gllm_f64_bits(double x) { union { double f; uint64_t u; } v = { .f = x }; return v.u; }
static inline double gllm_bits_f64(uint64_t u) { union { uint64_t u; double f; } v = { .u = u }; return v.f; }

static inline uint16_t gllm_le16(const unsigned char *p) { return (uint16_t)(p[0] | p[1] << 8); }
static inline uint32_t gllm_le32(const unsigned char *p) { return (uint32_t)gllm_le16(p) | (uint32_t)gllm_le16(p + 2) << 16; }
static inline uint64_t gllm_le64(const unsigned char *p) { return (uint64_t)gllm_le32(p) | (uint64_t)gllm_le32(p + 4) << 32; }
static inline void gllm_put_le16(unsigned char *p, uint16_t v) { p[0] = (unsigned char)v; p[1] = (unsigned char)(v >> 8); }
static inline void gllm_put_le32(unsigned char *p, uint32_t v) { gllm_put_le16(p, (uint16_t)v); gllm_put_le16(p + 2, (uint16_t)(v >> 16)); }
static inline void gllm_put_le64(unsigned char *p, uint64_t v) { gllm_put_le32(p, (uint32_t)v); gllm_put_le32(p + 4, (uint32_t)(v >> 32)); }

static inline bool gllm_add_ok(uint64_t a, uint64_t b, uint64_t *r) { return !__builtin_add_overflow(a, b, r); }
static inline bool gllm_mul_ok(uint64_t a, uint64_t b, uint64_t *r) { return !__builtin_mul_overflow(a, b, r); }

static inline uint64_t gllm_round_up(uint64_t x, uint64_t align) { return (x + align - 1) & ~(align - 1); }

/* What seldom or nearly always holds, where much runs through: what follows most often then stands behind without a jump. */
#define GLLM_RARELY(x) __builtin_expect(!!(x), 0)
#define GLLM_MOSTLY(x) __builtin_expect(!!(x), 1)

#define GLLM_COUNT(array) (sizeof(array) / sizeof((array)[0]))
#endif
