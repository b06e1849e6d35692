/* SPDX-License-Identifier: MIT
 * jit/canon_bits.h - integers made of narrow ones by shifts, masks, sums and products with constants, in one form.
 *
 * Such an integer is k + sum of coef * field modulo 2^32 or 2^64, where a field is some neighbouring bits of a value that is
 * taken as it is (an atom). The coefficient of every single bit is unique, so integers that are equal for all contents of
 * their atoms have equal sums, however a compiler wrote them: bit fields, shifts and masks in any order, sums for disjoint
 * joins, sign extensions, strength-reduced products, bytes read one by one or together. Where bits are needed of a sum that
 * carries from one bit to the next, and for operations of two such integers that are not sums, the node itself is an atom.
 *
 * Atoms are loads of 8 and 16 bits, such nodes, and whatever gllm_bits_any was asked for; a sum is kept beside the node that
 * it is written as (always the same). A field of a VAL_POISON is bits that are not understood: they matter only if they
 * are left in the end. */
#ifndef GLLM_CANON_BITS_H
#define GLLM_CANON_BITS_H
#include "jit/canon.h"

/* a op b of width w (32, 64), op one of GLLM_N_ADD .. SAR; b is ignored where there is one operand. VAL_NONE if an operand is
 * not such an integer, or the result cannot be said. */
uint16_t gllm_bits_op(struct canon *c, unsigned op, unsigned w, uint16_t a, uint16_t b);

/* The low `from` bits, extended by zeros or by their sign to 32 or 64 bits. VAL_NONE as above. */
uint16_t gllm_bits_zext(struct canon *c, uint16_t v, unsigned from);
uint16_t gllm_bits_sext(struct canon *c, uint16_t v, unsigned from, unsigned to);

/* Bytes side by side, the first lowest. */
uint16_t gllm_bits_join(struct canon *c, const uint16_t *byte, unsigned n);

/* A value as an atom, if it is no sum; in the place of one that is not understood, bits that are not. */
uint16_t gllm_bits_any(struct canon *c, uint16_t v);

/* How many of its bits are understood, from the lowest on: of what is, 64. And v modulo 2^n, with bits above that are not, below 2^w;
 * n < w. */
unsigned gllm_bits_known(struct canon *c, uint16_t v);
uint16_t gllm_bits_vague(struct canon *c, uint16_t v, unsigned n, unsigned w);
/* What is equal to v modulo 2^w, of whose bits some above these may not be understood; POISON if others are not. */
uint16_t gllm_bits_understood(struct canon *c, uint16_t v, unsigned w);

/* The value, zeros above its type, is `most` at most. */
bool gllm_bits_below(struct canon *c, uint16_t v, uint64_t most);

/* v as an address in [from, from + bytes): from + index * scale, the index not negative; `unit` is a factor to take out. */
bool gllm_bits_place(struct canon *c, uint16_t v, unsigned unit, uint64_t *from, uint64_t *bytes, uint16_t *index, uint32_t *scale);
#endif
