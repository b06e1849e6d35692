/* SPDX-License-Identifier: MIT
 * jit/canon_sum.c - see canon_sum.h.
 *
 * What is exact: a sum modulo 2^w may be taken as a sum of whole numbers if these can only lie between 0 and 2^w - 1 (or
 * between the ends of signed numbers), whichever way its coefficients are read as signed or unsigned. Bits a .. b-1 of it
 * are then those of its terms that are multiples of 2^a, if the rest stays below 2^a. */
#include "core/bits.h"
#include "jit/canon_sum.h"

/* ---- sums ------------------------------------------------------------------------------------------------------ */

/* The part of a field from bit `at` of it on. */
static struct bit_field rest(struct bit_field f, unsigned at)
{
	return (struct bit_field){ .coef = at < 64 ? f.coef << at : 0, .atom = f.atom, .first = (uint8_t)(f.first + at),
	                           .count = (uint8_t)(f.count - at) };
}

/* Adds a field; where bits of it are there already, their coefficients add. */
void gllm_sum_add_field(struct sum *s, struct bit_field x)
{
	while (x.count && !s->lost) {
		struct bit_field *e = NULL;
		for (unsigned i = 0; i < s->n; i++)
			if (s->f[i].atom == x.atom && s->f[i].first < x.first + x.count && x.first < s->f[i].first + s->f[i].count &&
			    (!e || s->f[i].first < e->first))
				e = &s->f[i];
		unsigned gap = e && e->first > x.first ? (unsigned)(e->first - x.first) : 0;
		if (!e || gap) {
			struct bit_field part = x;
			if (gap)
				part.count = (uint8_t)gap;
			gllm_sum_push(s, part);
			if (!gap)
				return;
			x = rest(x, gap);
			continue;
		}
		if (e->first < x.first) {
			unsigned below = (unsigned)(x.first - e->first);
			gllm_sum_push(s, rest(*e, below));
			e->count = (uint8_t)below;
			continue;
		}
		if (e->count > x.count) {
			gllm_sum_push(s, rest(*e, x.count));
			e->count = x.count;
		}
		e->coef += x.coef;
		x = rest(x, e->count);
	}
}

void gllm_sum_add(struct sum *s, const struct sum *t, uint64_t factor)
{
	s->k += t->k * factor;
	s->lost = s->lost || t->lost;
	for (unsigned i = 0; i < t->n; i++) {
		struct bit_field f = t->f[i];
		f.coef *= factor;
		gllm_sum_add_field(s, f);
	}
}

static bool before(const struct canon *c, const struct bit_field *a, const struct bit_field *b)
{
	if (a->atom == b->atom)
		return a->first < b->first;
	uint64_t x = shape_of(c, a->atom), y = shape_of(c, b->atom);
	return x != y ? x < y : a->atom < b->atom;
}

/* f modulo 2^w; false if nothing is left of it. */
static inline bool cut_field(struct bit_field *f, unsigned w)
{
	f->coef = bits_low(f->coef, w);
	if (GLLM_RARELY(!f->coef))
		return false;
	const unsigned most = w - (unsigned)__builtin_ctzll(f->coef);
	if (GLLM_RARELY(f->count > most))
		f->count = (uint8_t)most;
	return true;
}

/* The same of several fields. */
__attribute__((noinline)) static unsigned sorted_fields(const struct canon *c, const struct bit_field *from, unsigned fields,
                                                        unsigned w, struct bit_field *to)
{
	unsigned n = 0;
	for (unsigned i = 0; i < fields; i++) {
		struct bit_field f = from[i];
		if (GLLM_RARELY(!cut_field(&f, w)))
			continue;
		unsigned k = n++;
		for (; k > 0 && before(c, &f, &to[k - 1]); k--)
			to[k] = to[k - 1];
		to[k] = f;
	}
	if (n < 2)
		return n;
	struct bit_field *last = to;
	for (const struct bit_field *f = to + 1, *end = to + n; f < end; f++)
		if (last->atom == f->atom && last->first + last->count == f->first && bits_low(last->coef << last->count, w) == f->coef)
			last->count = (uint8_t)(last->count + f->count);
		else
			*++last = *f;
	return (unsigned)(last - to) + 1;
}

void gllm_sum_tidied(const struct canon *c, const struct sum *s, unsigned w, struct sum *out)
{
	out->w = w;
	out->lost = s->lost;
	out->k = bits_low(s->k, w);
	out->n = s->n;
	if (s->n > 1) {
		out->n = sorted_fields(c, s->f, s->n, w, out->f);
	} else if (s->n) {
		out->f[0] = s->f[0];
		out->n = cut_field(&out->f[0], w);
	}
}

/* ---- sums as whole numbers ------------------------------------------------------------------------------------- */

bool gllm_sum_limits(const struct sum *s, int64_t *least, int64_t *most)
{
	*least = *most = (int64_t)s->k;
	for (unsigned i = 0; i < s->n; i++) {
		int64_t *end = (int64_t)s->f[i].coef < 0 ? least : most, span;
		if (s->f[i].count > 62 ||
		    __builtin_mul_overflow((int64_t)s->f[i].coef, (INT64_C(1) << s->f[i].count) - 1, &span) ||
		    __builtin_add_overflow(*end, span, end))
			return false;
	}
	return true;
}

uint64_t gllm_sum_as_signed(uint64_t x, unsigned w)
{
	return w < 64 && x >> (w - 1) & 1 ? x | ~UINT64_C(0) << w : x;
}

static inline bool lies_within(const struct sum *s, int64_t least, int64_t most)
{
	int64_t low_end, high_end;
	return !s->lost && gllm_sum_limits(s, &low_end, &high_end) && low_end >= least && high_end <= most;
}

/* A tidy sum modulo 2^w with coefficients read as signed. */
static void read_signed(const struct sum *cut, unsigned w, struct sum *out)
{
	gllm_sum_clear(out, 64);
	for (unsigned i = 0; i < cut->n; i++) {
		struct bit_field f = cut->f[i];
		const unsigned top = f.count - 1u;
		f.coef = gllm_sum_as_signed(f.coef, w);
		if (w < 64 && top && bits_low(f.coef << top, w) == UINT64_C(1) << (w - 1)) { /* the bit of the sign */
			struct bit_field sign = rest(f, top);
			sign.coef = ~UINT64_C(0) << (w - 1);
			gllm_sum_push(out, sign);
			f.count = (uint8_t)top;
		}
		gllm_sum_push(out, f);
	}
}

/* The same of a tidy sum modulo 2^w that is not so as it stands: then its coefficients are signed, and the constant perhaps. */
__attribute__((noinline)) static bool whole_if_signed(struct sum *s, unsigned w, int64_t least, int64_t most)
{
	struct sum cut;
	gllm_sum_copy(&cut, s);
	read_signed(&cut, w, s);
	s->k = gllm_sum_as_signed(cut.k, w);
	if (lies_within(s, least, most))
		return true;
	s->k = cut.k;
	return lies_within(s, least, most);
}

/* s modulo 2^w as a sum of whole numbers from `least` to `most`, a range of 2^w numbers or fewer. */
bool gllm_sum_whole(const struct canon *c, const struct sum *s, unsigned w, int64_t least, int64_t most, struct sum *out)
{
	gllm_sum_tidied(c, s, w, out);
	out->w = 64;
	return lies_within(out, least, most) || whole_if_signed(out, w, least, most);
}

int64_t gllm_sum_greatest(unsigned w)
{
	return w >= 64 ? INT64_MAX : (int64_t)bits_low(~UINT64_C(0), w);
}

bool gllm_sum_unsigned(const struct canon *c, const struct sum *s, unsigned w, struct sum *out)
{
	return gllm_sum_whole(c, s, w, 0, gllm_sum_greatest(w), out);
}

bool gllm_sum_signed(const struct canon *c, const struct sum *s, unsigned w, struct sum *out)
{
	int64_t half = w >= 64 ? INT64_MAX : gllm_sum_greatest(w - 1);
	return gllm_sum_whole(c, s, w, -half - 1, half, out);
}

/* A whole number divided by 2^a, rounded down. */
bool gllm_sum_shift_down(struct sum *s, unsigned a)
{
	struct sum below;
	if (!a)
		return true;
	unsigned n = s->n, kept = 0;
	int64_t least, most;
	gllm_sum_clear(&below, 64);
	below.k = bits_low(s->k, a);
	s->k = (uint64_t)((int64_t)(s->k - below.k) >> a);
	for (unsigned i = 0; i < n; i++) {
		struct bit_field f = s->f[i];
		unsigned z = bits_zeros_below(f.coef), part = a > z ? a - z : 0;
		if (part) {
			struct bit_field lower = f;
			lower.count = (uint8_t)(part < f.count ? part : f.count);
			gllm_sum_push(&below, lower);
			f = rest(f, lower.count);
		}
		f.coef = (uint64_t)((int64_t)f.coef >> a);
		if (f.count)
			s->f[kept++] = f;
	}
	s->n = kept;
	return !below.lost && gllm_sum_limits(&below, &least, &most) && least >= 0 && most <= gllm_sum_greatest(a);
}

/* Bits a .. b-1, as a whole number. */
bool gllm_sum_extract(const struct canon *c, const struct sum *s, unsigned a, unsigned b, struct sum *out)
{
	return a < b && gllm_sum_unsigned(c, s, b, out) && gllm_sum_shift_down(out, a);
}

/* Bits that may be 1, of the sum modulo 2^w. */
uint64_t gllm_sum_ones(const struct canon *c, const struct sum *s, unsigned w)
{
	uint64_t m = 0, all = s->k;
	struct sum number;
	int64_t least, most;
	bool apart = true; /* each field has places of its own */
	for (unsigned i = 0; i < s->n; i++) {
		const struct bit_field *f = &s->f[i];
		uint64_t at = bits_low(bits_low(~UINT64_C(0), f->count) * f->coef, w);
		apart = apart && !(f->coef & (f->coef - 1)) && !(m & at);
		m |= at;
		all |= f->coef;
	}
	if (apart && !(m & s->k))
		return m | s->k;
	uint64_t above = bits_low(~UINT64_C(0), w);
	if (gllm_sum_unsigned(c, s, w, &number) && gllm_sum_limits(&number, &least, &most))
		above = most ? bits_low(~UINT64_C(0), bits_length((uint64_t)most)) : 0;
	return all ? above & (~UINT64_C(0) << bits_zeros_below(all)) : 0;
}
