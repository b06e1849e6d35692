/* SPDX-License-Identifier: MIT
 * jit/canon_sum.h - the sums of canon_bits.h by themselves: k + sum of coef * field, modulo 2^w or as whole numbers. */
#ifndef GLLM_CANON_SUM_H
#define GLLM_CANON_SUM_H
#include "jit/canon.h"

enum { SUM_FIELDS = 16 };

struct sum {
	uint64_t k;
	unsigned n, w;
	bool lost;                     /* more fields than there is room for */
	struct bit_field f[SUM_FIELDS]; /* of one atom disjoint; sorted once the sum is tidy */
};

static inline uint64_t bits_low(uint64_t v, unsigned w) /* w from 1 to 64 */
{
	return v & UINT64_MAX >> (64 - w);
}

static inline uint64_t bits_mix(uint64_t h, uint64_t x)
{
	h = (h ^ x) * UINT64_C(0x9e3779b97f4a7c15);
	return h ^ h >> 29;
}

static inline unsigned bits_zeros_below(uint64_t x) /* 64 for 0 */
{
	return x ? (unsigned)__builtin_ctzll(x) : 64;
}

static inline unsigned bits_length(uint64_t x)
{
	return x ? 64 - (unsigned)__builtin_clzll(x) : 0;
}

static inline uint64_t shape_of(const struct canon *c, uint16_t v)
{
	return c->bits[c->v[v].bits].shape;
}

static inline void gllm_sum_clear(struct sum *s, unsigned w)
{
	s->k = 0;
	s->n = 0;
	s->w = w;
	s->lost = false;
}

static inline void gllm_sum_push(struct sum *s, struct bit_field f)
{
	if (s->n == SUM_FIELDS)
		s->lost = true;
	else
		s->f[s->n++] = f;
}

/* Of the fields that are there, not of all there is room for. */
static inline void gllm_sum_copy(struct sum *to, const struct sum *from)
{
	to->k = from->k;
	to->n = from->n;
	to->w = from->w;
	to->lost = from->lost;
	for (unsigned i = 0; i < from->n; i++)
		to->f[i] = from->f[i];
}

/* The sum of a value that has one, of the value's own width. */
static inline void gllm_sum_recall(const struct canon *c, uint16_t v, struct sum *s)
{
	const struct val_bits *b = &c->bits[c->v[v].bits];
	gllm_sum_clear(s, b->w);
	s->k = b->k;
	s->n = b->n;
	for (unsigned i = 0; i < b->n; i++)
		s->f[i] = c->field[b->first + i];
}

/* Adds a field; where bits of it are there already, their coefficients add. */
void gllm_sum_add_field(struct sum *s, struct bit_field x);
/* s + t * factor */
void gllm_sum_add(struct sum *s, const struct sum *t, uint64_t factor);
/* The sum read modulo 2^w: what vanishes goes, neighbours join, fields are in the order of their atoms' shapes. */
void gllm_sum_tidied(const struct canon *c, const struct sum *s, unsigned w, struct sum *out); /* out may be s */
static inline void gllm_sum_tidy(const struct canon *c, struct sum *s, unsigned w)
{
	gllm_sum_tidied(c, s, w, s);
}
/* Of a whole number; false if they do not fit. */
bool gllm_sum_limits(const struct sum *s, int64_t *least, int64_t *most);
uint64_t gllm_sum_as_signed(uint64_t x, unsigned w);
/* s modulo 2^w as a sum of whole numbers from `least` to `most`, a range of 2^w numbers or fewer. */
bool gllm_sum_whole(const struct canon *c, const struct sum *s, unsigned w, int64_t least, int64_t most, struct sum *out);
int64_t gllm_sum_greatest(unsigned w);
/* The same from 0 to 2^w - 1, and between the ends of signed numbers. */
bool gllm_sum_unsigned(const struct canon *c, const struct sum *s, unsigned w, struct sum *out);
bool gllm_sum_signed(const struct canon *c, const struct sum *s, unsigned w, struct sum *out);
/* A whole number divided by 2^a, rounded down; false if that is no sum. */
bool gllm_sum_shift_down(struct sum *s, unsigned a);
/* Bits a .. b-1, as a whole number. */
bool gllm_sum_extract(const struct canon *c, const struct sum *s, unsigned a, unsigned b, struct sum *out);
/* Bits that may be 1, of the sum modulo 2^w. */
uint64_t gllm_sum_ones(const struct canon *c, const struct sum *s, unsigned w);

/* A tidy sum as nodes of a type (canon_write.c); what it is written with: a op b, and a op k, operands in order. */
uint16_t gllm_sum_write(struct canon *c, const struct sum *s, unsigned type);
uint16_t gllm_sum_node(struct canon *c, unsigned op, unsigned type, uint16_t a, uint16_t b);
uint16_t gllm_sum_with(struct canon *c, unsigned op, unsigned type, uint16_t a, uint64_t k);
#endif
