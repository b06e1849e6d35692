/* SPDX-License-Identifier: MIT
 * jit/canon_poly.c - arithmetic of polynomials, hash-consed. */
#include "core/bits.h"
#include "jit/canon_poly.h"

struct sum { /* terms under way, sorted, no two alike: behind those that are kept */
	struct gllm_term *t;
	unsigned n;
	bool lost;
};

static struct sum begin(struct polys *p)
{
	return (struct sum){ .t = &p->term[p->nterms] };
}

/* Terms ascend by this. */
static inline uint32_t symbols(const struct gllm_term *t)
{
	_Static_assert(GLLM_TERM_SYMS == 4, "one word holds them");
	return (uint32_t)t->sym[0] << 24 | (uint32_t)t->sym[1] << 16 | (uint32_t)t->sym[2] << 8 | t->sym[3];
}

static int64_t wrap_mul(int64_t a, int64_t b)
{
	return (int64_t)((uint64_t)a * (uint64_t)b);
}

static int64_t wrap_add(int64_t a, int64_t b)
{
	return (int64_t)((uint64_t)a + (uint64_t)b);
}

static void add_term(struct sum *s, const struct gllm_term *t)
{
	const uint32_t of = symbols(t);
	unsigned i = s->n; /* most come in order */
	while (i > 0 && symbols(&s->t[i - 1]) >= of)
		i--;
	if (i < s->n && symbols(&s->t[i]) == of) {
		s->t[i].coef = wrap_add(s->t[i].coef, t->coef);
		if (s->t[i].coef == 0) {
			for (s->n--; i < s->n; i++)
				s->t[i] = s->t[i + 1];
		}
		return;
	}
	if (t->coef == 0)
		return;
	if (s->n == POLY_TERMS) {
		s->lost = true;
		return;
	}
	for (unsigned k = s->n++; k > i; k--)
		s->t[k] = s->t[k - 1];
	s->t[i] = *t;
}

static bool same_terms(const struct gllm_term *a, const struct gllm_term *b, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (a[i].coef != b[i].coef || symbols(&a[i]) != symbols(&b[i]))
			return false;
	return true;
}

/* The greatest symbol of a term: its last. */
static unsigned greatest(uint32_t syms)
{
	return syms >> (__builtin_ctz(syms | UINT32_C(1) << 31) & 24) & 0xff;
}

static uint16_t keep(struct polys *p, const struct sum *s)
{
	uint64_t h = 0;
	unsigned top = 0;
	if (s->lost)
		return POLY_NONE;
	for (unsigned i = 0; i < s->n; i++)
		h = (h + (uint64_t)s->t[i].coef) * UINT64_C(0x9e3779b97f4a7c15) + symbols(&s->t[i]);
	h = (h ^ h >> 32) * UINT64_C(0x9e3779b97f4a7c15) >> 56;
	for (uint16_t c = p->bucket[h]; c != POLY_NONE; c = p->poly[c].next)
		if (p->poly[c].count == s->n && same_terms(&p->term[p->poly[c].first], s->t, s->n))
			return c;
	if (p->n == POLY_MAX || p->nterms + s->n > POLY_POOL)
		return POLY_NONE;
	for (unsigned i = 0; i < s->n; i++) {
		unsigned g = greatest(symbols(&s->t[i]));
		top = g > top ? g : top;
	}
	p->poly[p->n] = (struct kept_poly){ .first = (uint16_t)p->nterms, .count = (uint16_t)s->n, .next = p->bucket[h], .top = (uint8_t)top };
	p->nterms += s->n;
	p->bucket[h] = (uint16_t)p->n;
	return (uint16_t)p->n++;
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

static uint16_t term(struct polys *p, struct gllm_term t)
{
	struct sum s = begin(p);
	s.t[0] = t;
	s.n = 1;
	return keep(p, &s);
}

uint16_t gllm_poly_constant(struct polys *p, int64_t c)
{
	return c ? term(p, (struct gllm_term){ .coef = c }) : 0;
}

uint16_t gllm_poly_symbol(struct polys *p, unsigned sym)
{
	if (!p->symbol[sym])
		p->symbol[sym] = term(p, (struct gllm_term){ .coef = 1, .sym = { (uint8_t)sym } });
	return p->symbol[sym];
}

/* a + factor * (y[0] + .. y[n - 1]), which are sorted */
static struct sum merged(struct polys *p, uint16_t a, const struct gllm_term *y, unsigned n, int64_t factor)
{
	struct sum s = begin(p);
	const struct gllm_term *x = &p->term[p->poly[a].first], *x_end = x + p->poly[a].count, *y_end = y + n;
	struct gllm_term *t = s.t;
	while (y < y_end) {
		uint32_t of = symbols(y);
		int64_t coef = wrap_mul(y->coef, factor);
		while (x < x_end && symbols(x) < of)
			*t++ = *x++;
		if (x < x_end && symbols(x) == of)
			coef = wrap_add(x++->coef, coef);
		*t = *y++;
		t->coef = coef;
		t += coef != 0;
	}
	while (x < x_end)
		*t++ = *x++;
	s.n = (unsigned)(t - s.t);
	s.lost = s.n > POLY_TERMS;
	return s;
}

static uint16_t merge(struct polys *p, uint16_t a, const struct gllm_term *y, unsigned n, int64_t factor)
{
	const struct sum s = merged(p, a, y, n, factor);
	return keep(p, &s);
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
	const struct gllm_term one = { .coef = k };
	return a == POLY_NONE || k == 0 ? a : merge(p, a, &one, 1, 1);
}

/* Product of two terms; false if there are more symbols than one holds. */
static bool multiply(const struct gllm_term *a, const struct gllm_term *b, struct gllm_term *r)
{
	unsigned i = 0, j = 0, n = 0;
	*r = a->sym[0] ? *a : *b;
	r->coef = wrap_mul(a->coef, b->coef);
	if (!a->sym[0] || !b->sym[0])
		return true;
	for (;;) {
		uint8_t x = i < GLLM_TERM_SYMS ? a->sym[i] : 0, y = j < GLLM_TERM_SYMS ? b->sym[j] : 0;
		if (!x && !y)
			return true;
		if (n == GLLM_TERM_SYMS)
			return false;
		if (x && (!y || x <= y)) {
			r->sym[n++] = x;
			i++;
		} else {
			r->sym[n++] = y;
			j++;
		}
	}
}

static void add_product(struct polys *p, struct sum *s, const struct gllm_term *t, uint16_t b)
{
	for (unsigned i = 0; i < p->poly[b].count; i++) {
		struct gllm_term r;
		if (!multiply(t, &p->term[p->poly[b].first + i], &r))
			s->lost = true;
		else
			add_term(s, &r);
	}
}

uint16_t gllm_poly_mul(struct polys *p, uint16_t a, uint16_t b)
{
	if (a == POLY_NONE || b == POLY_NONE)
		return POLY_NONE;
	struct sum s = begin(p);
	for (unsigned i = 0; i < p->poly[a].count; i++)
		add_product(p, &s, &p->term[p->poly[a].first + i], b);
	return keep(p, &s);
}

static unsigned degree(const struct gllm_term *t, unsigned sym)
{
	unsigned n = 0;
	for (unsigned i = 0; i < GLLM_TERM_SYMS; i++)
		n += t->sym[i] == sym;
	return n;
}

static struct gllm_term without(const struct gllm_term *t, unsigned sym, unsigned times)
{
	struct gllm_term r = { .coef = t->coef };
	unsigned n = 0;
	for (unsigned i = 0; i < GLLM_TERM_SYMS; i++) {
		if (t->sym[i] == sym && times)
			times--;
		else if (t->sym[i])
			r.sym[n++] = t->sym[i];
	}
	return r;
}

uint16_t gllm_poly_along(struct polys *p, uint16_t a, uint16_t step, unsigned sym)
{
	const struct gllm_term by = { .coef = 1, .sym = { (uint8_t)sym } };
	struct gllm_term t;
	if (a == POLY_NONE || step == POLY_NONE)
		return POLY_NONE;
	if (p->poly[step].count == 1 && multiply(&p->term[p->poly[step].first], &by, &t))
		return merge(p, a, &t, 1, 1);
	return gllm_poly_add(p, a, gllm_poly_mul(p, step, gllm_poly_symbol(p, sym)), 1);
}

uint16_t gllm_poly_put(struct polys *p, uint16_t a, unsigned sym, uint16_t by)
{
	uint16_t power[GLLM_TERM_SYMS + 1] = { 0, by };
	unsigned most = 0;
	if (a == POLY_NONE || by == POLY_NONE)
		return POLY_NONE;
	const struct gllm_term *t = &p->term[p->poly[a].first];
	for (unsigned i = 0; i < p->poly[a].count && sym <= p->poly[a].top; i++) {
		unsigned d = degree(&t[i], sym);
		most = d > most ? d : most;
	}
	if (!most)
		return a;
	for (unsigned d = 2; d <= most; d++)
		power[d] = gllm_poly_mul(p, power[d - 1], by);
	struct sum s = begin(p);
	for (unsigned i = 0; i < p->poly[a].count; i++) {
		unsigned d = degree(&t[i], sym);
		struct gllm_term rest = without(&t[i], sym, d);
		if (!d)
			add_term(&s, &t[i]);
		else if (power[d] == POLY_NONE)
			s.lost = true;
		else
			add_product(p, &s, &rest, power[d]);
	}
	return keep(p, &s);
}

bool gllm_poly_is_constant(const struct polys *p, uint16_t a, int64_t *c)
{
	if (a == POLY_NONE || p->poly[a].count > 1)
		return false;
	const struct gllm_term *t = &p->term[p->poly[a].first];
	*c = p->poly[a].count ? t->coef : 0;
	return !p->poly[a].count || !t->sym[0];
}

/* t = q * d exactly */
static bool quotient(const struct gllm_term *t, const struct gllm_term *d, struct gllm_term *q)
{
	const int64_t coef = d->coef == -1 ? wrap_mul(t->coef, -1) : t->coef / d->coef;
	if (wrap_mul(coef, d->coef) != t->coef)
		return false;
	*q = *t;
	for (unsigned k = 0; k < GLLM_TERM_SYMS && d->sym[k]; k++) {
		if (!degree(q, d->sym[k]))
			return false;
		*q = without(q, d->sym[k], 1);
	}
	q->coef = coef;
	return true;
}

bool gllm_poly_divide(struct polys *p, uint16_t a, uint16_t b, uint16_t *q)
{
	if (a == POLY_NONE || b == POLY_NONE || p->poly[b].count != 1)
		return false;
	struct sum s = begin(p);
	for (unsigned i = 0; i < p->poly[a].count; i++) {
		struct gllm_term t;
		if (!quotient(&p->term[p->poly[a].first + i], &p->term[p->poly[b].first], &t))
			return false;
		add_term(&s, &t);
	}
	*q = keep(p, &s);
	return *q != POLY_NONE;
}

bool gllm_poly_linear(const struct polys *p, uint16_t a, unsigned sym, struct poly_linear *of)
{
	unsigned with = 0;
	*of = (struct poly_linear){ .plain = true };
	for (unsigned i = 0; a != POLY_NONE && i < p->poly[a].count; i++) {
		const struct gllm_term *t = &p->term[p->poly[a].first + i];
		const unsigned d = degree(t, sym);
		with += d;
		if (d)
			of->slope = without(t, sym, d);
		else if (t->sym[0])
			of->plain = false;
		else
			of->rest = t->coef;
	}
	return with == 1;
}

bool gllm_poly_root(struct polys *p, uint16_t a, unsigned sym, const struct gllm_term *slope, int64_t value, uint16_t *root)
{
	struct sum s = begin(p);
	const struct gllm_term *x = &p->term[p->poly[a].first], *end = x + p->poly[a].count;
	struct gllm_term t = { .coef = value };
	if (x < end && !x->sym[0])
		t.coef = wrap_add(t.coef, wrap_mul(x++->coef, -1));
	for (;; x++) {
		if (t.coef && !quotient(&t, slope, &t))
			return false;
		add_term(&s, &t);
		while (x < end && degree(x, sym))
			x++;
		if (x == end)
			break;
		t = *x;
		t.coef = wrap_mul(x->coef, -1);
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
static struct poly_range range(const struct polys *p, const struct gllm_term *t, unsigned n)
{
	struct poly_range r = { 0, 0 };
	for (const struct gllm_term *end_of = t + n; t < end_of; t++) {
		int64_t end = t->coef;
		for (unsigned k = 0; k < GLLM_TERM_SYMS && t->sym[k]; k++)
			end = clamp_mul(end, t->sym[k] < GLLM_SYM_LOOP ? INT64_C(1) << 40 : p->greatest[t->sym[k] - GLLM_SYM_LOOP]);
		if (end < 0 || !t->sym[0])
			r.low = r.low == INT64_MIN || end == INT64_MIN ? INT64_MIN : clamp_add(r.low, end);
		if (end > 0 || !t->sym[0])
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
