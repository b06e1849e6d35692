/* SPDX-License-Identifier: MIT
 * jit/canon_poly.h - polynomials over dims and induction variables, each kept once: equal numbers are equal polynomials.
 *
 * Coefficients are exact integers modulo 2^64; terms ascend by symbols. Number 0 is the polynomial 0. A polynomial that
 * would need more than POLY_TERMS terms or four symbols in one is POLY_NONE, and so is everything made from it. */
#ifndef GLLM_CANON_POLY_H
#define GLLM_CANON_POLY_H
#include "gllm/trace.h"

enum { POLY_MAX = 2000, POLY_POOL = 8000, POLY_TERMS = 24, POLY_NONE = 0xffff, POLY_BUCKETS = 256 };

/* A coefficient times symbols, of which a word has up to four: the least in its highest byte, zeros behind them. Terms are
 * ordered by that word. They are made and copied field by field: of what was stored in pieces nothing reads a whole without
 * waiting for the cache. */
struct poly_term {
	int64_t coef;
	uint32_t syms;
};

struct poly_range {
	int64_t low, high; /* INT64_MIN and INT64_MAX mean unbounded */
};

struct poly_linear {
	struct poly_term slope;
	bool plain;    /* rest is a number */
	int64_t rest;
};

struct kept_poly {
	uint16_t first, count;    /* its terms */
	uint16_t next;            /* chain of equal hash */
	uint16_t value;           /* its canonical value (canon.h), 0 if that is not made */
	uint8_t top;              /* its greatest symbol, 0 for none */
};

struct polys {
	struct poly_term term[POLY_POOL + 2 * POLY_TERMS]; unsigned nterms; /* behind them what is under way */
	struct kept_poly poly[POLY_MAX]; unsigned n;
	uint16_t bucket[POLY_BUCKETS];
	uint16_t symbol[GLLM_SYM_LOOP + GLLM_TRACE_LOOPS]; /* the polynomial that is this symbol, 0 if there is none yet */
	/* greatest value of each loop's variable; INT64_MAX until its trip count is known */
	int64_t greatest[GLLM_TRACE_LOOPS];
};

void gllm_polys_init(struct polys *p);
uint16_t gllm_poly_constant(struct polys *p, int64_t c);
uint16_t gllm_poly_symbol(struct polys *p, unsigned sym);
uint16_t gllm_poly_add(struct polys *p, uint16_t a, uint16_t b, int64_t factor); /* a + factor * b */
uint16_t gllm_poly_plus(struct polys *p, uint16_t a, int64_t k);                 /* a + k */
uint16_t gllm_poly_mul(struct polys *p, uint16_t a, uint16_t b);
uint16_t gllm_poly_put(struct polys *p, uint16_t a, unsigned sym, uint16_t by);  /* a with sym replaced */
uint16_t gllm_poly_along(struct polys *p, uint16_t a, uint16_t step, unsigned sym); /* a + step * sym */
/* slope * sym + rest, where slope is one term. */
bool gllm_poly_linear(const struct polys *p, uint16_t a, unsigned sym, struct poly_linear *of);
/* Where it is `value`, if that is a polynomial: (value - rest) / slope exactly. */
bool gllm_poly_root(struct polys *p, uint16_t a, unsigned sym, const struct poly_term *slope, int64_t value, uint16_t *root);
bool gllm_poly_is_constant(const struct polys *p, uint16_t a, int64_t *c);
bool gllm_poly_divide(struct polys *p, uint16_t a, uint16_t b, uint16_t *q);     /* b one term, a = q * b exactly */
struct poly_range gllm_poly_range(const struct polys *p, uint16_t a);
struct poly_range gllm_poly_range_of_difference(struct polys *p, uint16_t a, uint16_t b); /* a - b */

static inline unsigned poly_sym(uint32_t syms, unsigned i) /* symbol i of a term, 0 if it has none */
{
	_Static_assert(GLLM_TERM_SYMS == 4, "one word holds them");
	return syms >> (24 - 8 * i) & 0xff;
}

static inline int gllm_poly_loop(const struct polys *p, uint16_t a) /* greatest loop number in it, -1 for none */
{
	return a == POLY_NONE || p->poly[a].top < GLLM_SYM_LOOP ? -1 : p->poly[a].top - GLLM_SYM_LOOP;
}
#endif
