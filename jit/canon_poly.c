/* SPDX-License-Identifier: MIT
 * jit/canon_poly.c - arithmetic of polynomials, hash-consed. */
#include "core/bits.h"
#include "jit/canon_poly.h"

struct sum { /* terms under way, sorted, no two alike */
	struct gllm_term t[POLY_TERMS];
	unsigned n;
	bool lost;
};

static void begin(struct sum *s)
{
	s->n = 0;
	s->lost = false;
}

/* Terms ascend by this. */
static uint32_t symbols(const struct gllm_term *t)
{
	_Static_assert(GLLM_TERM_SYMS == 4, "one word holds them");
	return (uint32_t)t->sym[0] << 24 | (uint32_t)t->sym[1] << 16 | (uint32_t)t->sym[2] << 8 | t->sym[3];
}

static int64_t wrap_mul(int64_t a, int64_t b)
{
	return (int64_t)((uint64_t)a * (uint64_t)b);
}

static void add_term(struct sum *s, const struct gllm_term *t, int64_t factor)
{
	const uint32_t of = symbols(t);
	int64_t coef = wrap_mul(t->coef, factor);
	unsigned i = s->n; /* most come in order */
	while (i > 0 && symbols(&s->t[i - 1]) >= of)
		i--;
	if (i < s->n && symbols(&s->t[i]) == of) {
		s->t[i].coef = (int64_t)((uint64_t)s->t[i].coef + (uint64_t)coef);
		if (s->t[i].coef == 0) {
			for (s->n--; i < s->n; i++)
				s->t[i] = s->t[i + 1];
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
		s->t[k] = s->t[k - 1];
	s->t[i] = *t;
	s->t[i].coef = coef;
}

static bool same_terms(const struct gllm_term *a, const struct gllm_term *b, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (a[i].coef != b[i].coef || symbols(&a[i]) != symbols(&b[i]))
			return false;
	return true;
}

static uint16_t keep(struct polys *p, const struct sum *s)
{
	uint64_t h = 0;
	if (s->lost)
		return POLY_NONE;
	for (unsigned i = 0; i < s->n; i++)
		h = (h ^ h >> 32 ^ (uint64_t)s->t[i].coef ^ (uint64_t)symbols(&s->t[i]) * 25) * UINT64_C(0x9e3779b97f4a7c15);
	h >>= 56;
	for (uint16_t c = p->bucket[h]; c != POLY_NONE; c = p->next[c])
		if (p->poly[c].count == s->n && same_terms(&p->term[p->poly[c].first], s->t, s->n))
			return c;
	if (p->n == POLY_MAX || p->nterms + s->n > POLY_POOL)
		return POLY_NONE;
	p->poly[p->n] = (struct gllm_poly){ (uint16_t)p->nterms, (uint16_t)s->n };
	p->has[p->n] = (struct poly_symbols){ { 0 } };
	for (unsigned i = 0; i < s->n; i++) {
		for (unsigned k = 0; k < GLLM_TERM_SYMS; k++)
			p->has[p->n].bit[s->t[i].sym[k] >> 6] |= UINT64_C(1) << (s->t[i].sym[k] & 63);
		p->term[p->nterms++] = s->t[i];
	}
	p->next[p->n] = p->bucket[h];
	p->bucket[h] = (uint16_t)p->n;
	return (uint16_t)p->n++;
}

bool gllm_polys_init(struct polys *p, struct gllm_arena *a)
{
	p->term = gllm_alloc_array(a, POLY_POOL, sizeof *p->term, 8);
	p->poly = gllm_alloc_array(a, POLY_MAX, sizeof *p->poly, 8);
	p->next = gllm_alloc_array(a, POLY_MAX, sizeof *p->next, 8);
	p->has = gllm_alloc_array(a, POLY_MAX, sizeof *p->has, 8);
	p->n = p->nterms = 0;
	_Static_assert(POLY_NONE == 0xffff, "what the bytes make");
	__builtin_memset(p->bucket, 0xff, sizeof p->bucket);
	for (unsigned i = 0; i < GLLM_TRACE_LOOPS; i++)
		p->greatest[i] = INT64_MAX;
	if (!p->term || !p->poly || !p->next || !p->has)
		return false;
	struct sum zero;
	begin(&zero);
	keep(p, &zero);
	return true;
}

uint16_t gllm_poly_constant(struct polys *p, int64_t c)
{
	struct sum s;
	s.t[0] = (struct gllm_term){ .coef = c };
	s.n = c != 0;
	s.lost = false;
	return keep(p, &s);
}

uint16_t gllm_poly_symbol(struct polys *p, unsigned sym)
{
	struct sum s;
	s.t[0] = (struct gllm_term){ .coef = 1, .sym = { (uint8_t)sym } };
	s.n = 1;
	s.lost = false;
	return keep(p, &s);
}

uint16_t gllm_poly_add(struct polys *p, uint16_t a, uint16_t b, int64_t factor)
{
	struct sum s;
	begin(&s);
	if (a == POLY_NONE || b == POLY_NONE)
		return POLY_NONE;
	if (b == 0)
		return a;
	if (a == 0 && factor == 1)
		return b;
	for (; s.n < p->poly[a].count; s.n++)
		s.t[s.n] = p->term[p->poly[a].first + s.n];
	for (unsigned i = 0; i < p->poly[b].count; i++)
		add_term(&s, &p->term[p->poly[b].first + i], factor);
	return keep(p, &s);
}

/* Product of two terms' symbols; false if there are more than a term holds. */
static bool merge_symbols(const struct gllm_term *a, const struct gllm_term *b, struct gllm_term *r)
{
	unsigned i = 0, j = 0, n = 0;
	*r = (struct gllm_term){ .coef = wrap_mul(a->coef, b->coef) };
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
		if (!merge_symbols(t, &p->term[p->poly[b].first + i], &r))
			s->lost = true;
		else
			add_term(s, &r, 1);
	}
}

uint16_t gllm_poly_mul(struct polys *p, uint16_t a, uint16_t b)
{
	struct sum s;
	begin(&s);
	if (a == POLY_NONE || b == POLY_NONE)
		return POLY_NONE;
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

uint16_t gllm_poly_put(struct polys *p, uint16_t a, unsigned sym, uint16_t by)
{
	struct sum s;
	begin(&s);
	if (a == POLY_NONE || by == POLY_NONE)
		return POLY_NONE;
	if (!gllm_poly_has(p, a, sym))
		return a;
	for (unsigned i = 0; i < p->poly[a].count; i++) {
		struct gllm_term t = p->term[p->poly[a].first + i], rest;
		unsigned d = degree(&t, sym);
		rest = without(&t, sym, d);
		uint16_t power = by;
		for (unsigned k = 1; k < d; k++)
			power = gllm_poly_mul(p, power, by);
		if (d && power == POLY_NONE)
			s.lost = true;
		else if (d)
			add_product(p, &s, &rest, power);
		else
			add_term(&s, &rest, 1);
	}
	return keep(p, &s);
}

bool gllm_poly_has(const struct polys *p, uint16_t a, unsigned sym)
{
	return a != POLY_NONE && p->has[a].bit[sym >> 6] >> (sym & 63) & 1;
}

bool gllm_poly_is_constant(const struct polys *p, uint16_t a, int64_t *c)
{
	if (a == POLY_NONE || p->poly[a].count > 1)
		return false;
	const struct gllm_term *t = &p->term[p->poly[a].first];
	*c = p->poly[a].count ? t->coef : 0;
	return !p->poly[a].count || !t->sym[0];
}

bool gllm_poly_divide(struct polys *p, uint16_t a, uint16_t b, uint16_t *q)
{
	struct sum s;
	begin(&s);
	if (a == POLY_NONE || b == POLY_NONE || p->poly[b].count != 1)
		return false;
	const struct gllm_term d = p->term[p->poly[b].first];
	for (unsigned i = 0; i < p->poly[a].count; i++) {
		struct gllm_term t = p->term[p->poly[a].first + i];
		if (d.coef == 0 || d.coef == -1 ? d.coef == 0 : t.coef % d.coef)
			return false;
		for (unsigned k = 0; k < GLLM_TERM_SYMS && d.sym[k]; k++) {
			if (!degree(&t, d.sym[k]))
				return false;
			t = without(&t, d.sym[k], 1);
		}
		t.coef = d.coef == -1 ? wrap_mul(t.coef, -1) : t.coef / d.coef;
		add_term(&s, &t, 1);
	}
	*q = keep(p, &s);
	return *q != POLY_NONE;
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

struct poly_range gllm_poly_range(const struct polys *p, uint16_t a)
{
	struct poly_range r = { 0, 0 };
	if (a == POLY_NONE)
		return (struct poly_range){ INT64_MIN, INT64_MAX };
	for (unsigned i = 0; i < p->poly[a].count; i++) {
		const struct gllm_term *t = &p->term[p->poly[a].first + i];
		int64_t high = 1;
		for (unsigned k = 0; k < GLLM_TERM_SYMS && t->sym[k]; k++)
			high = clamp_mul(high, t->sym[k] < GLLM_SYM_LOOP ? INT64_C(1) << 40 : p->greatest[t->sym[k] - GLLM_SYM_LOOP]);
		int64_t low = t->sym[0] ? 0 : 1; /* symbols are never negative */
		int64_t x = clamp_mul(t->coef, low), y = clamp_mul(t->coef, high);
		int64_t least = x < y ? x : y, most = x < y ? y : x;
		r.low = r.low == INT64_MIN || least == INT64_MIN ? INT64_MIN : clamp_add(r.low, least);
		r.high = clamp_add(r.high, most);
	}
	return r;
}

int gllm_poly_loop(const struct polys *p, uint16_t a)
{
	_Static_assert(GLLM_SYM_LOOP == 64 && GLLM_TRACE_LOOPS <= 64, "the second word has the loops");
	uint64_t loops = a == POLY_NONE ? 0 : p->has[a].bit[1];
	return loops ? 63 - __builtin_clzll(loops) : -1;
}
