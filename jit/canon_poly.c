/* SPDX-License-Identifier: MIT
 * jit/canon_poly.c - arithmetic of polynomials, hash-consed. */
#include "core/bits.h"
#include "jit/canon_poly.h"

struct sum { /* terms under way, sorted, no two alike: behind those that are kept */
	struct poly_term *t;
	unsigned n;
	bool lost;
};

static struct sum begin(struct polys *p)
{
	return (struct sum){ .t = &p->term[p->nterms] };
}

static inline void set(struct poly_term *t, int64_t coef, uint32_t syms)
{
	t->coef = coef;
	t->syms = syms;
}

static int64_t wrap_mul(int64_t a, int64_t b)
{
	return (int64_t)((uint64_t)a * (uint64_t)b);
}

static int64_t wrap_add(int64_t a, int64_t b)
{
	return (int64_t)((uint64_t)a + (uint64_t)b);
}

static void add_term(struct sum *s, int64_t coef, uint32_t syms)
{
	unsigned i = s->n; /* most come in order */
	while (i > 0 && s->t[i - 1].syms >= syms)
		i--;
	if (i < s->n && s->t[i].syms == syms) {
		s->t[i].coef = wrap_add(s->t[i].coef, coef);
		if (s->t[i].coef == 0) {
			for (s->n--; i < s->n; i++)
				set(&s->t[i], s->t[i + 1].coef, s->t[i + 1].syms);
		}
		return;
	}
	if (coef == 0)
		return;
	if (s->n == POLY_TERMS) {
		s->lost = true;
		return;
	}
	for (unsigned k = s->n++; k > i; k--)
		set(&s->t[k], s->t[k - 1].coef, s->t[k - 1].syms);
	set(&s->t[i], coef, syms);
}

static bool same_terms(const struct poly_term *a, const struct poly_term *b, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (a[i].coef != b[i].coef || a[i].syms != b[i].syms)
			return false;
	return true;
}

/* The greatest symbol of a term: its last. */
static unsigned greatest(uint32_t syms)
{
	return syms >> (__builtin_ctz(syms | UINT32_C(1) << 31) & 24) & 0xff;
}

/* Of n terms at t, behind those that are kept. */
static inline __attribute__((always_inline)) uint16_t keep_terms(struct polys *p, const struct poly_term *t, unsigned n)
{
	uint64_t h = 0;
	unsigned top = 0;
	for (unsigned i = 0; i < n; i++)
		h = (h + (uint64_t)t[i].coef) * UINT64_C(0x9e3779b97f4a7c15) + t[i].syms;
	h = (h ^ h >> 32) * UINT64_C(0x9e3779b97f4a7c15) >> 56;
	for (uint16_t c = p->bucket[h]; GLLM_RARELY(c != POLY_NONE); c = p->poly[c].next)
		if (p->poly[c].count == n && same_terms(&p->term[p->poly[c].first], t, n))
			return c;
	if (GLLM_RARELY(p->n == POLY_MAX || p->nterms + n > POLY_POOL))
		return POLY_NONE;
	for (unsigned i = 0; i < n; i++) {
		unsigned g = greatest(t[i].syms);
		top = g > top ? g : top;
	}
	p->poly[p->n] = (struct kept_poly){ .first = (uint16_t)p->nterms, .count = (uint16_t)n, .next = p->bucket[h], .top = (uint8_t)top };
	p->nterms += n;
	p->bucket[h] = (uint16_t)p->n;
	return (uint16_t)p->n++;
}

static uint16_t keep(struct polys *p, const struct sum *s)
{
	return GLLM_RARELY(s->lost) ? POLY_NONE : keep_terms(p, s->t, s->n);
}

void gllm_polys_init(struct polys *p)
{
	p->n = p->nterms = 0;
	_Static_assert(POLY_NONE == 0xffff, "what the bytes make");
	__builtin_memset(p->bucket, 0xff, sizeof p->bucket);
	__builtin_memset(p->symbol, 0, sizeof p->symbol);
	struct sum zero = begin(p);
	keep(p, &zero);
}

static uint16_t term(struct polys *p, int64_t coef, uint32_t syms)
{
	struct poly_term *t = begin(p).t;
	set(t, coef, syms);
	return keep_terms(p, t, 1);
}

uint16_t gllm_poly_constant(struct polys *p, int64_t c)
{
	return c ? term(p, c, 0) : 0;
}

uint16_t gllm_poly_symbol(struct polys *p, unsigned sym)
{
	if (!p->symbol[sym])
		p->symbol[sym] = term(p, 1, sym << 24);
	return p->symbol[sym];
}

/* a + factor * (y[0] + .. y[n - 1]), which are sorted */
static inline struct sum merged(struct polys *p, uint16_t a, const struct poly_term *y, unsigned n, int64_t factor)
{
	struct sum s = begin(p);
	const struct poly_term *x = &p->term[p->poly[a].first], *x_end = x + p->poly[a].count, *y_end = y + n;
	struct poly_term *t = s.t;
	for (; y < y_end; y++) {
		const uint32_t syms = y->syms;
		int64_t coef = wrap_mul(y->coef, factor);
		for (; x < x_end && x->syms < syms; x++, t++)
			set(t, x->coef, x->syms);
		if (x < x_end && x->syms == syms)
			coef = wrap_add(x++->coef, coef);
		set(t, coef, syms);
		t += coef != 0;
	}
	for (; x < x_end; x++, t++)
		set(t, x->coef, x->syms);
	s.n = (unsigned)(t - s.t);
	s.lost = s.n > POLY_TERMS;
	return s;
}

static uint16_t merge(struct polys *p, uint16_t a, const struct poly_term *y, unsigned n, int64_t factor)
{
	const struct sum s = merged(p, a, y, n, factor);
	return GLLM_RARELY(s.lost) ? POLY_NONE : keep_terms(p, s.t, s.n);
}

uint16_t gllm_poly_add(struct polys *p, uint16_t a, uint16_t b, int64_t factor)
{
	if (a == POLY_NONE || b == POLY_NONE)
		return POLY_NONE;
	if (b == 0)
		return a;
	if (a == 0 && factor == 1)
		return b;
	return merge(p, a, &p->term[p->poly[b].first], p->poly[b].count, factor);
}

uint16_t gllm_poly_plus(struct polys *p, uint16_t a, int64_t k)
{
	const struct poly_term one = { .coef = k };
	return a == POLY_NONE || k == 0 ? a : merge(p, a, &one, 1, 1);
}

/* Symbols of the product of two terms; false if there are more than one holds. */
static inline bool multiply(uint32_t a, uint32_t b, uint32_t *syms)
{
	unsigned room = GLLM_TERM_SYMS;
	*syms = a | b;
	if (!a || !b)
		return true;
	for (*syms = 0; a | b; room--) {
		const uint32_t x = a >> 24, y = b >> 24;
		if (!room)
			return false;
		if (x && (!y || x <= y)) {
			*syms |= x << (8 * room - 8);
			a <<= 8;
		} else {
			*syms |= y << (8 * room - 8);
			b <<= 8;
		}
	}
	return true;
}

static void add_product(struct polys *p, struct sum *s, int64_t coef, uint32_t syms, uint16_t b)
{
	for (unsigned i = 0; i < p->poly[b].count; i++) {
		const struct poly_term *t = &p->term[p->poly[b].first + i];
		uint32_t both;
		if (!multiply(syms, t->syms, &both))
			s->lost = true;
		else
			add_term(s, wrap_mul(coef, t->coef), both);
	}
}

uint16_t gllm_poly_mul(struct polys *p, uint16_t a, uint16_t b)
{
	if (a == POLY_NONE || b == POLY_NONE)
		return POLY_NONE;
	struct sum s = begin(p);
	for (unsigned i = 0; i < p->poly[a].count; i++)
		add_product(p, &s, p->term[p->poly[a].first + i].coef, p->term[p->poly[a].first + i].syms, b);
	return keep(p, &s);
}

/* A bit for every symbol of a term that is `sym`, the highest one of its byte. */
static uint32_t places(uint32_t syms, unsigned sym)
{
	const uint32_t all = 0x7f7f7f7f, x = syms ^ sym * UINT32_C(0x01010101);
	return ~(((x & all) + all) | x | all);
}

static unsigned degree(uint32_t syms, unsigned sym)
{
	return (places(syms, sym) >> 7) * UINT32_C(0x01010101) >> 24;
}

static uint32_t without(uint32_t syms, unsigned sym, unsigned times)
{
	for (; times; times--) {
		const uint32_t behind = UINT32_MAX >> __builtin_clz(places(syms, sym));
		syms = (syms & ~behind) | (syms << 8 & behind);
	}
	return syms;
}

uint16_t gllm_poly_along(struct polys *p, uint16_t a, uint16_t step, unsigned sym)
{
	struct poly_term t;
	if (a == POLY_NONE || step == POLY_NONE)
		return POLY_NONE;
	t.coef = p->term[p->poly[step].first].coef;
	if (p->poly[step].count == 1 && multiply(p->term[p->poly[step].first].syms, sym << 24, &t.syms))
		return merge(p, a, &t, 1, 1);
	return gllm_poly_add(p, a, gllm_poly_mul(p, step, gllm_poly_symbol(p, sym)), 1);
}

uint16_t gllm_poly_put(struct polys *p, uint16_t a, unsigned sym, uint16_t by)
{
	uint16_t power[GLLM_TERM_SYMS + 1] = { 0, by };
	unsigned most = 0;
	if (a == POLY_NONE || by == POLY_NONE)
		return POLY_NONE;
	const struct poly_term *t = &p->term[p->poly[a].first];
	for (unsigned i = 0; i < p->poly[a].count && sym <= p->poly[a].top; i++) {
		unsigned d = degree(t[i].syms, sym);
		most = d > most ? d : most;
	}
	if (!most)
		return a;
	for (unsigned d = 2; d <= most; d++)
		power[d] = gllm_poly_mul(p, power[d - 1], by);
	struct sum s = begin(p);
	for (unsigned i = 0; i < p->poly[a].count; i++) {
		unsigned d = degree(t[i].syms, sym);
		if (!d)
			add_term(&s, t[i].coef, t[i].syms);
		else if (power[d] == POLY_NONE)
			s.lost = true;
		else
			add_product(p, &s, t[i].coef, without(t[i].syms, sym, d), power[d]);
	}
	return keep(p, &s);
}

bool gllm_poly_is_constant(const struct polys *p, uint16_t a, int64_t *c)
{
	if (a == POLY_NONE || p->poly[a].count > 1)
		return false;
	const struct poly_term *t = &p->term[p->poly[a].first];
	*c = p->poly[a].count ? t->coef : 0;
	return !p->poly[a].count || !t->syms;
}

/* *t = q * d exactly; then it is q. */
static inline bool divide(struct poly_term *t, const struct poly_term *d)
{
	const int64_t coef = d->coef == -1 ? wrap_mul(t->coef, -1) : t->coef / d->coef;
	if (wrap_mul(coef, d->coef) != t->coef)
		return false;
	for (uint32_t left = d->syms; left; left <<= 8) {
		if (!places(t->syms, left >> 24))
			return false;
		t->syms = without(t->syms, left >> 24, 1);
	}
	t->coef = coef;
	return true;
}

bool gllm_poly_divide(struct polys *p, uint16_t a, uint16_t b, uint16_t *q)
{
	if (a == POLY_NONE || b == POLY_NONE || p->poly[b].count != 1)
		return false;
	struct sum s = begin(p);
	for (unsigned i = 0; i < p->poly[a].count; i++) {
		struct poly_term t;
		set(&t, p->term[p->poly[a].first + i].coef, p->term[p->poly[a].first + i].syms);
		if (!divide(&t, &p->term[p->poly[b].first]))
			return false;
		add_term(&s, t.coef, t.syms);
	}
	*q = keep(p, &s);
	return *q != POLY_NONE;
}

bool gllm_poly_linear(const struct polys *p, uint16_t a, unsigned sym, struct poly_linear *of)
{
	unsigned with = 0;
	*of = (struct poly_linear){ .plain = true };
	for (unsigned i = 0; a != POLY_NONE && i < p->poly[a].count; i++) {
		const struct poly_term *t = &p->term[p->poly[a].first + i];
		const unsigned d = degree(t->syms, sym);
		with += d;
		if (d)
			set(&of->slope, t->coef, without(t->syms, sym, d));
		else if (t->syms)
			of->plain = false;
		else
			of->rest = t->coef;
	}
	return with == 1;
}

bool gllm_poly_root(struct polys *p, uint16_t a, unsigned sym, const struct poly_term *slope, int64_t value, uint16_t *root)
{
	struct sum s = begin(p);
	const struct poly_term *x = &p->term[p->poly[a].first], *end = x + p->poly[a].count;
	struct poly_term t = { .coef = value };
	if (x < end && !x->syms)
		t.coef = wrap_add(t.coef, wrap_mul(x++->coef, -1));
	for (;; x++) {
		if (t.coef && !divide(&t, slope))
			return false;
		add_term(&s, t.coef, t.syms);
		while (x < end && places(x->syms, sym))
			x++;
		if (x == end)
			break;
		set(&t, wrap_mul(x->coef, -1), x->syms);
	}
	*root = keep(p, &s);
	return *root != POLY_NONE;
}

static int64_t clamp_mul(int64_t a, int64_t b)
{
	int64_t r;
	if (__builtin_mul_overflow(a, b, &r))
		return (a < 0) == (b < 0) ? INT64_MAX : INT64_MIN;
	return r;
}

static int64_t clamp_add(int64_t a, int64_t b)
{
	int64_t r;
	if (a == INT64_MAX || b == INT64_MAX)
		return INT64_MAX;
	if (__builtin_add_overflow(a, b, &r))
		return a < 0 ? INT64_MIN : INT64_MAX;
	return r;
}

/* Symbols are never negative: of a term that has some, one end is 0. */
static struct poly_range range(const struct polys *p, const struct poly_term *t, unsigned n)
{
	struct poly_range r = { 0, 0 };
	for (const struct poly_term *end_of = t + n; t < end_of; t++) {
		int64_t end = t->coef;
		for (uint32_t left = t->syms; left; left <<= 8)
			end = clamp_mul(end, left >> 24 < GLLM_SYM_LOOP ? INT64_C(1) << 40 : p->greatest[(left >> 24) - GLLM_SYM_LOOP]);
		if (end < 0 || !t->syms)
			r.low = r.low == INT64_MIN || end == INT64_MIN ? INT64_MIN : clamp_add(r.low, end);
		if (end > 0 || !t->syms)
			r.high = clamp_add(r.high, end);
	}
	return r;
}

struct poly_range gllm_poly_range(const struct polys *p, uint16_t a)
{
	if (a == POLY_NONE)
		return (struct poly_range){ INT64_MIN, INT64_MAX };
	return range(p, &p->term[p->poly[a].first], p->poly[a].count);
}

struct poly_range gllm_poly_range_of_difference(struct polys *p, uint16_t a, uint16_t b)
{
	if (a == POLY_NONE || b == POLY_NONE)
		return (struct poly_range){ INT64_MIN, INT64_MAX };
	const struct sum s = merged(p, a, &p->term[p->poly[b].first], p->poly[b].count, -1);
	return s.lost ? (struct poly_range){ INT64_MIN, INT64_MAX } : range(p, s.t, s.n);
}
