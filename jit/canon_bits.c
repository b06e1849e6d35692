/* SPDX-License-Identifier: MIT
 * jit/canon_bits.c - see canon_bits.h.
 *
 * What is exact: a sum modulo 2^w may be taken as a sum of whole numbers if these can only lie between 0 and 2^w - 1 (or
 * between the ends of signed numbers), whichever way its coefficients are read as signed or unsigned. Bits a .. b-1 of it
 * are then those of its terms that are multiples of 2^a, if the rest stays below 2^a. */
#include "core/bits.h"
#include "jit/canon_bits.h"

enum { FIELDS = 16 };

struct sum {
	uint64_t k;
	unsigned n, w;
	bool lost;                     /* more fields than there is room for */
	struct bit_field f[FIELDS];    /* of one atom disjoint; sorted once the sum is tidy */
};

static uint64_t low(uint64_t v, unsigned w)
{
	return w >= 64 ? v : v & ((UINT64_C(1) << w) - 1);
}

static uint64_t mix(uint64_t h, uint64_t x)
{
	h = (h ^ x) * UINT64_C(0x9e3779b97f4a7c15);
	return h ^ h >> 29;
}

static unsigned zeros_below(uint64_t x) /* 64 for 0 */
{
	return x ? (unsigned)__builtin_ctzll(x) : 64;
}

static unsigned length(uint64_t x)
{
	return x ? 64 - (unsigned)__builtin_clzll(x) : 0;
}

/* ---- sums ------------------------------------------------------------------------------------------------------ */

static void clear(struct sum *s, unsigned w)
{
	s->k = 0;
	s->n = 0;
	s->w = w;
	s->lost = false;
}

static void push(struct sum *s, struct bit_field f)
{
	if (s->n == FIELDS)
		s->lost = true;
	else
		s->f[s->n++] = f;
}

/* The part of a field from bit `at` of it on. */
static struct bit_field rest(struct bit_field f, unsigned at)
{
	return (struct bit_field){ .coef = at < 64 ? f.coef << at : 0, .atom = f.atom, .first = (uint8_t)(f.first + at),
	                           .count = (uint8_t)(f.count - at) };
}

/* Adds a field; where bits of it are there already, their coefficients add. */
static void add_field(struct sum *s, struct bit_field x)
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
			push(s, part);
			if (!gap)
				return;
			x = rest(x, gap);
			continue;
		}
		if (e->first < x.first) {
			unsigned below = (unsigned)(x.first - e->first);
			push(s, rest(*e, below));
			e->count = (uint8_t)below;
			continue;
		}
		if (e->count > x.count) {
			push(s, rest(*e, x.count));
			e->count = x.count;
		}
		e->coef += x.coef;
		x = rest(x, e->count);
	}
}

static void add_sum(struct sum *s, const struct sum *t, uint64_t factor)
{
	s->k += t->k * factor;
	s->lost = s->lost || t->lost;
	for (unsigned i = 0; i < t->n; i++) {
		struct bit_field f = t->f[i];
		f.coef *= factor;
		add_field(s, f);
	}
}

static uint64_t shape_of(const struct canon *c, uint16_t v)
{
	return c->bits[c->bits_of[v]].shape;
}

static bool before(const struct canon *c, const struct bit_field *a, const struct bit_field *b)
{
	if (a->atom == b->atom)
		return a->first < b->first;
	uint64_t x = shape_of(c, a->atom), y = shape_of(c, b->atom);
	return x != y ? x < y : a->atom < b->atom;
}

/* Reads the sum modulo 2^w: what vanishes goes, neighbours join, fields are in the order of their atoms' shapes. */
static void tidy(const struct canon *c, struct sum *s, unsigned w)
{
	unsigned n = 0;
	s->w = w;
	s->k = low(s->k, w);
	for (unsigned i = 0; i < s->n; i++) {
		struct bit_field f = s->f[i];
		f.coef = low(f.coef, w);
		if (!f.coef)
			continue;
		unsigned most = w - zeros_below(f.coef);
		if (f.count > most)
			f.count = (uint8_t)most;
		unsigned k = n++;
		for (; k > 0 && before(c, &f, &s->f[k - 1]); k--)
			s->f[k] = s->f[k - 1];
		s->f[k] = f;
	}
	s->n = 0;
	for (unsigned i = 0; i < n; i++) {
		struct bit_field *last = s->n ? &s->f[s->n - 1] : NULL;
		if (last && last->atom == s->f[i].atom && last->first + last->count == s->f[i].first &&
		    low(last->coef << last->count, w) == s->f[i].coef)
			last->count = (uint8_t)(last->count + s->f[i].count);
		else
			s->f[s->n++] = s->f[i];
	}
}

/* ---- sums as whole numbers ------------------------------------------------------------------------------------- */

static bool limits(const struct sum *s, int64_t *least, int64_t *most)
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

static uint64_t as_signed(uint64_t x, unsigned w)
{
	return w < 64 && x >> (w - 1) & 1 ? x | ~UINT64_C(0) << w : x;
}

/* s modulo 2^w as a sum of whole numbers from `least` to `most`, a range of 2^w numbers or fewer. */
static bool whole(const struct canon *c, const struct sum *s, unsigned w, int64_t least, int64_t most, struct sum *out)
{
	struct sum cut = *s;
	tidy(c, &cut, w);
	for (unsigned attempt = 0; attempt < 3; attempt++) {
		int64_t low_end, high_end;
		clear(out, 64);
		out->k = attempt == 1 ? as_signed(cut.k, w) : cut.k;
		for (unsigned i = 0; i < cut.n; i++) {
			struct bit_field f = cut.f[i];
			unsigned top = f.count - 1u;
			if (attempt)
				f.coef = as_signed(f.coef, w);
			if (attempt && w < 64 && top && low(f.coef << top, w) == UINT64_C(1) << (w - 1)) { /* the bit of the sign */
				struct bit_field sign = rest(f, top);
				sign.coef = ~UINT64_C(0) << (w - 1);
				push(out, sign);
				f.count = (uint8_t)top;
			}
			push(out, f);
		}
		if (!out->lost && limits(out, &low_end, &high_end) && low_end >= least && high_end <= most)
			return true;
	}
	return false;
}

static int64_t greatest(unsigned w)
{
	return w >= 64 ? INT64_MAX : (int64_t)low(~UINT64_C(0), w);
}

static bool unsigned_whole(const struct canon *c, const struct sum *s, unsigned w, struct sum *out)
{
	return whole(c, s, w, 0, greatest(w), out);
}

static bool signed_whole(const struct canon *c, const struct sum *s, unsigned w, struct sum *out)
{
	int64_t half = w >= 64 ? INT64_MAX : greatest(w - 1);
	return whole(c, s, w, -half - 1, half, out);
}

/* A whole number divided by 2^a, rounded down. */
static bool shift_down(struct sum *s, unsigned a)
{
	struct sum below;
	unsigned n = s->n, kept = 0;
	int64_t least, most;
	clear(&below, 64);
	below.k = low(s->k, a);
	s->k = (uint64_t)((int64_t)(s->k - below.k) >> a);
	for (unsigned i = 0; i < n; i++) {
		struct bit_field f = s->f[i];
		unsigned z = zeros_below(f.coef), part = a > z ? a - z : 0;
		if (part) {
			struct bit_field lower = f;
			lower.count = (uint8_t)(part < f.count ? part : f.count);
			push(&below, lower);
			f = rest(f, lower.count);
		}
		f.coef = (uint64_t)((int64_t)f.coef >> a);
		if (f.count)
			s->f[kept++] = f;
	}
	s->n = kept;
	return !below.lost && limits(&below, &least, &most) && least >= 0 && most <= greatest(a);
}

/* Bits a .. b-1, as a whole number. */
static bool extract(const struct canon *c, const struct sum *s, unsigned a, unsigned b, struct sum *out)
{
	return unsigned_whole(c, s, b, out) && shift_down(out, a);
}

/* Bits that may be 1, of the sum modulo 2^w. */
static uint64_t ones(const struct canon *c, const struct sum *s, unsigned w)
{
	uint64_t m = 0, all = s->k;
	struct sum number;
	int64_t least, most;
	bool apart = true; /* each field has places of its own */
	for (unsigned i = 0; i < s->n; i++) {
		const struct bit_field *f = &s->f[i];
		uint64_t at = low(low(~UINT64_C(0), f->count) * f->coef, w);
		apart = apart && !(f->coef & (f->coef - 1)) && !(m & at);
		m |= at;
		all |= f->coef;
	}
	if (apart && !(m & s->k))
		return m | s->k;
	uint64_t above = low(~UINT64_C(0), w);
	if (unsigned_whole(c, s, w, &number) && limits(&number, &least, &most))
		above = low(~UINT64_C(0), length((uint64_t)most));
	return all ? above & (~UINT64_C(0) << zeros_below(all)) : 0;
}

/* ---- sums and values ------------------------------------------------------------------------------------------- */

static bool is(const struct canon *c, uint16_t v, unsigned op)
{
	return c->v[v].op == op;
}

static uint64_t shape_of_sum(const struct canon *c, const struct sum *s)
{
	uint64_t h = mix(s->w, s->k);
	for (unsigned i = 0; i < s->n; i++)
		h = mix(mix(mix(h, shape_of(c, s->f[i].atom)), s->f[i].first | (uint64_t)s->f[i].count << 8), s->f[i].coef);
	return h;
}

static bool note(struct canon *c, uint16_t v, const struct sum *s, uint64_t shape)
{
	if (c->bits_of[v])
		return true;
	if (c->nbits == VAL_BITS || c->nfields + s->n > VAL_FIELDS) {
		c->full = true;
		return false;
	}
	c->bits[c->nbits] = (struct val_bits){ .k = s->k, .shape = shape, .first = (uint16_t)c->nfields, .n = (uint8_t)s->n,
	                                       .w = (uint8_t)s->w };
	for (unsigned i = 0; i < s->n; i++)
		c->field[c->nfields++] = s->f[i];
	c->bits_of[v] = (uint16_t)c->nbits++;
	return true;
}

static bool note_atom(struct canon *c, uint16_t v, unsigned w, unsigned count, uint64_t shape)
{
	struct sum s;
	clear(&s, w);
	push(&s, (struct bit_field){ .coef = 1, .atom = v, .count = (uint8_t)count });
	return note(c, v, &s, shape);
}

static uint64_t poly_shape(const struct canon *c, uint16_t p)
{
	uint64_t h = 5;
	for (unsigned i = 0; i < c->p.poly[p].count; i++) {
		const struct gllm_term *t = &c->p.term[c->p.poly[p].first + i];
		h = mix(h, (uint64_t)t->coef);
		for (unsigned k = 0; k < GLLM_TERM_SYMS; k++)
			h = mix(h, t->sym[k]);
	}
	return h;
}

static uint64_t load_shape(const struct canon *c, uint16_t v)
{
	const struct val_access *a = &c->access[c->v[v].imm & 0xffff];
	uint64_t of = a->param < GLLM_TRACE_PARAMS ? a->param : c->table_hash[a->param - GLLM_TRACE_PARAMS];
	uint64_t h = mix(mix(mix(1, of), a->type), poly_shape(c, a->poly));
	if (a->index == VAL_NONE)
		return h;
	uint16_t i = is(c, a->index, GLLM_N_CVT) ? c->v[a->index].a : a->index;
	return mix(mix(h, a->index_bytes), c->bits_of[i] ? shape_of(c, i) : 0);
}

/* The sum of a value, of the value's own width; loads of bytes begin their own. */
static bool has_sum(struct canon *c, uint16_t v)
{
	const struct val *x = &c->v[v];
	uint16_t from = x->op == GLLM_N_CVT && x->type == GLLM_I32 ? x->a : v;
	if (c->bits_of[v])
		return true;
	const struct val *y = &c->v[from];
	if (y->op != GLLM_N_LOAD || (y->type != GLLM_U8 && y->type != GLLM_U16))
		return false;
	unsigned count = y->type == GLLM_U8 ? 8 : 16;
	uint64_t shape = load_shape(c, from);
	if (!note_atom(c, from, 32, count, shape))
		return false;
	struct sum s;
	clear(&s, 32);
	push(&s, (struct bit_field){ .coef = 1, .atom = from, .count = (uint8_t)count });
	return note(c, v, &s, shape);
}

static void recall(const struct canon *c, uint16_t v, struct sum *s)
{
	const struct val_bits *b = &c->bits[c->bits_of[v]];
	clear(s, b->w);
	s->k = b->k;
	for (unsigned i = 0; i < b->n; i++)
		push(s, c->field[b->first + i]);
}

/* The value as a sum modulo 2^w, zeros above its type. */
static bool sum_of(struct canon *c, uint16_t v, unsigned w, struct sum *s)
{
	struct sum narrow;
	bool sign = false;
	if (is(c, v, GLLM_N_CONST) && c->v[v].type != GLLM_F32) {
		clear(s, w);
		s->k = low(c->v[v].imm, w);
		return true;
	}
	if (is(c, v, GLLM_N_CVT) && c->v[v].type == GLLM_I64 && !c->bits_of[v]) {
		v = c->v[v].a;
		sign = c->v[v].type == GLLM_I32;
	}
	if (is(c, v, GLLM_N_BITS))
		v = c->v[v].a;
	if (!has_sum(c, v))
		return false;
	recall(c, v, s);
	if (s->w == w)
		return true;
	if (w < s->w) {
		tidy(c, s, w);
		return true;
	}
	if (!(sign ? signed_whole(c, s, 32, &narrow) : unsigned_whole(c, s, 32, &narrow))) {
		if (sign)
			return false;
		clear(&narrow, 64);
		push(&narrow, (struct bit_field){ .coef = 1, .atom = v, .count = 32 });
	}
	*s = narrow;
	tidy(c, s, 64);
	return true;
}

static uint16_t node(struct canon *c, unsigned op, unsigned type, uint16_t a, uint16_t b)
{
	if ((op == GLLM_N_ADD || op == GLLM_N_AND || op == GLLM_N_OR || op == GLLM_N_XOR || op == GLLM_N_MUL) && a > b &&
	    !is(c, b, GLLM_N_CONST)) {
		uint16_t t = a;
		a = b;
		b = t;
	}
	return gllm_canon_node(c, op, type, a, b, VAL_NONE, 0);
}

static uint16_t with_const(struct canon *c, unsigned op, unsigned type, uint16_t a, uint64_t k)
{
	return node(c, op, type, a, gllm_canon_const(c, type, k));
}

static unsigned atom_bits(const struct canon *c, uint16_t atom)
{
	struct sum s;
	recall(c, atom, &s);
	return length(ones(c, &s, 32));
}

/* size * field, size below 2^(w-1). */
static uint16_t write_field(struct canon *c, const struct bit_field *f, uint64_t size, unsigned type, unsigned w)
{
	uint16_t v = gllm_canon_as(c, f->atom, type);
	bool power = !(size & (size - 1));
	unsigned to = power ? zeros_below(size) : 0, top = f->first + f->count;
	bool masked = top < atom_bits(c, f->atom) && !(f->first <= to && f->count + to == w);
	uint64_t ones_there = low(~UINT64_C(0), f->count) << to;
	if (f->first > to)
		v = with_const(c, GLLM_N_SHR, type, v, f->first - to);
	else if (f->first < to)
		v = with_const(c, GLLM_N_SHL, type, v, to - f->first);
	masked = masked || (f->first > 0 && to > 0);
	if (masked)
		v = with_const(c, GLLM_N_AND, type, v, low(ones_there, w));
	return power ? v : with_const(c, GLLM_N_MUL, type, v, size);
}

/* Two fields that are one signed number: its lower bits, and its highest with the opposite sign. */
static bool is_signed_pair(const struct bit_field *f, const struct bit_field *g, unsigned w)
{
	return f->atom == g->atom && f->first + f->count == g->first && g->count == 1 &&
	       low(f->coef << f->count, w) == low(0 - g->coef, w);
}

/* The signed number of a pair, times size. */
static uint16_t write_signed(struct canon *c, const struct bit_field *f, uint64_t size, unsigned type, unsigned w)
{
	bool power = !(size & (size - 1));
	unsigned to = power ? zeros_below(size) : 0, count = f->count + 1u;
	uint16_t v = gllm_canon_as(c, f->atom, type);
	v = with_const(c, GLLM_N_SHL, type, v, w - f->first - count);
	v = with_const(c, GLLM_N_SAR, type, v, w - count);
	if (!power)
		return with_const(c, GLLM_N_MUL, type, v, size);
	return to ? with_const(c, GLLM_N_SHL, type, v, to) : v;
}

static uint16_t write_terms(struct canon *c, const struct sum *s, unsigned type)
{
	uint16_t v = VAL_NONE;
	uint64_t k = s->k;
	for (unsigned minus = 0; minus < 2; minus++) {
		for (unsigned i = 0; i < s->n; i++) {
			const struct bit_field *f = &s->f[i];
			bool pair = i + 1 < s->n && is_signed_pair(f, f + 1, s->w);
			bool negative = f->coef >> (s->w - 1) & 1 && f->coef != UINT64_C(1) << (s->w - 1);
			i += pair;
			if (negative != (minus == 1))
				continue;
			uint64_t size = negative ? low(0 - f->coef, s->w) : f->coef;
			uint16_t t = pair ? write_signed(c, f, size, type, s->w) : write_field(c, f, size, type, s->w);
			if (v == VAL_NONE && minus) { /* nothing to take it from but the constant */
				v = gllm_canon_const(c, type, k);
				k = 0;
			}
			v = v == VAL_NONE ? t : node(c, minus ? GLLM_N_SUB : GLLM_N_ADD, type, v, t);
		}
	}
	return k ? with_const(c, GLLM_N_ADD, type, v, k) : v;
}

static bool unknown_bits(const struct canon *c, const struct sum *s)
{
	for (unsigned i = 0; i < s->n; i++)
		if (is(c, s->f[i].atom, VAL_POISON))
			return true;
	return false;
}

/* The value of a sum: of 32 bits if these say all. */
static uint16_t value_of(struct canon *c, struct sum *s, unsigned w)
{
	struct sum number;
	uint16_t v;
	if (s->lost)
		return VAL_NONE;
	tidy(c, s, w);
	if (!s->n)
		return gllm_canon_const(c, w == 64 ? GLLM_I64 : GLLM_I32, s->k);
	if (unknown_bits(c, s)) {
		v = gllm_canon_fresh(c, VAL_POISON, w == 64 ? GLLM_I64 : GLLM_I32, -1);
		return v != POISON && note(c, v, s, 0) ? v : POISON;
	}
	if (w == 64 && whole(c, s, 64, 0, greatest(32), &number)) {
		*s = number;
		tidy(c, s, 32);
	} else if (w == 64 && whole(c, s, 64, INT32_MIN, INT32_MAX, &number)) {
		tidy(c, &number, 32);
		v = write_terms(c, &number, GLLM_I32);
		if (v == POISON || !note(c, v, &number, shape_of_sum(c, &number)))
			return POISON;
		v = gllm_canon_node(c, GLLM_N_CVT, GLLM_I64, v, VAL_NONE, VAL_NONE, 0);
		return v != POISON && note(c, v, s, shape_of_sum(c, s)) ? v : POISON;
	}
	v = write_terms(c, s, s->w == 64 ? GLLM_I64 : GLLM_I32);
	return v != POISON && note(c, v, s, shape_of_sum(c, s)) ? v : POISON;
}

/* ---- operations ------------------------------------------------------------------------------------------------ */

/* The sum as an atom: VAL_NONE if it is wider than 32 bits. *count: how many bits of it may be 1. */
static uint16_t atom_of(struct canon *c, struct sum *s, unsigned w, unsigned *count)
{
	uint16_t v = value_of(c, s, w);
	if (v == VAL_NONE || v == POISON || !c->bits_of[v] || c->v[v].type == GLLM_I64)
		return VAL_NONE;
	*count = length(ones(c, s, s->w));
	return v;
}

/* Adds bits a .. b-1 of s, where they are, to out. */
static bool add_bits(struct canon *c, struct sum *s, unsigned w, unsigned a, unsigned b, struct sum *out)
{
	struct sum part;
	unsigned count;
	if (extract(c, s, a, b, &part)) {
		add_sum(out, &part, UINT64_C(1) << a);
		return true;
	}
	part = *s;
	uint16_t v = atom_of(c, &part, w, &count);
	if (v == VAL_NONE)
		return false;
	b = b < count ? b : count;
	if (a < b)
		add_field(out, (struct bit_field){ .coef = UINT64_C(1) << a, .atom = v, .first = (uint8_t)a, .count = (uint8_t)(b - a) });
	return true;
}

/* s & mask */
static bool masked_sum(struct canon *c, struct sum *s, unsigned w, uint64_t mask, struct sum *out)
{
	bool inverted = mask >> (w - 1) & 1;
	uint64_t m = low(inverted ? ~mask : mask, w);
	clear(out, w);
	while (m) {
		unsigned a = zeros_below(m), b = a + zeros_below(~(m >> a));
		if (!add_bits(c, s, w, a, b, out))
			return false;
		m &= ~(low(~UINT64_C(0), b - a) << a);
	}
	if (inverted) {
		struct sum without = *out;
		*out = *s;
		add_sum(out, &without, ~UINT64_C(0));
	}
	return !out->lost;
}

static bool bitwise_const(struct canon *c, unsigned op, unsigned w, struct sum *s, uint64_t k, struct sum *out)
{
	struct sum both;
	if (!masked_sum(c, s, w, k, &both))
		return false;
	if (op == GLLM_N_AND) {
		*out = both;
		return true;
	}
	*out = *s; /* x | k is x + k - (x & k), and x ^ k is x + k - 2 (x & k) */
	out->k += k;
	add_sum(out, &both, op == GLLM_N_OR ? ~UINT64_C(0) : ~UINT64_C(0) - 1);
	return true;
}

static bool shifted(struct canon *c, unsigned op, unsigned w, struct sum *s, unsigned by, struct sum *out)
{
	unsigned count;
	if (op == GLLM_N_SHL) {
		clear(out, w);
		add_sum(out, s, UINT64_C(1) << by);
		return true;
	}
	if (op == GLLM_N_SHR && extract(c, s, by, w, out))
		return true;
	if (op == GLLM_N_SAR && signed_whole(c, s, w, out) && shift_down(out, by))
		return true;
	struct sum copy = *s;
	uint16_t v = atom_of(c, &copy, w, &count);
	if (v == VAL_NONE || w != 32)
		return false;
	clear(out, w);
	if (op == GLLM_N_SHR) {
		if (count > by)
			push(out, (struct bit_field){ .coef = 1, .atom = v, .first = (uint8_t)by, .count = (uint8_t)(count - by) });
		return true;
	}
	uint16_t r = with_const(c, GLLM_N_SAR, GLLM_I32, v, by);
	if (r == POISON || !note_atom(c, r, 32, 32, mix(mix(GLLM_N_SAR, by), shape_of(c, v))))
		return false;
	push(out, (struct bit_field){ .coef = 1, .atom = r, .count = 32 });
	return true;
}

/* Bits of a value, from `first` on. */
struct span {
	uint16_t v;
	uint8_t first, count;
};

/* If the span is one of an AND, its two operands' spans. */
static bool splits(const struct canon *c, struct span x, struct span part[2])
{
	const struct val_bits *b = &c->bits[c->bits_of[x.v]];
	const struct bit_field f = b->n == 1 ? c->field[b->first] : (struct bit_field){ .coef = 0 };
	if (b->k || f.coef != 1 || x.first + x.count > f.count || !is(c, f.atom, GLLM_N_AND) ||
	    is(c, c->v[f.atom].b, GLLM_N_CONST))
		return false;
	for (unsigned i = 0; i < 2; i++)
		part[i] = (struct span){ i ? c->v[f.atom].b : c->v[f.atom].a, (uint8_t)(f.first + x.first), x.count };
	return c->bits_of[part[0].v] && c->bits_of[part[1].v];
}

/* a & b & .., `count` bits of each from 0 on: operands that are ands themselves are taken apart, and all are cut to the bits that
 * count, in the order of their shapes and each once. */
static uint16_t conjunction(struct canon *c, uint16_t a, uint16_t b, unsigned count)
{
	struct span todo[FIELDS] = { { a, 0, (uint8_t)count }, { b, 0, (uint8_t)count } }, part[2];
	uint16_t operand[FIELDS], v;
	unsigned n = 0, left = 2;
	struct sum s, r;
	while (left) {
		struct span x = todo[--left];
		if (left + 2 <= FIELDS && splits(c, x, part)) {
			todo[left++] = part[0];
			todo[left++] = part[1];
			continue;
		}
		recall(c, x.v, &s);
		if (n == FIELDS || !extract(c, &s, x.first, x.first + x.count, &r))
			return VAL_NONE;
		v = value_of(c, &r, 32);
		if (v == VAL_NONE || v == POISON || !c->bits_of[v])
			return VAL_NONE;
		unsigned k = n;
		while (k > 0 && operand[k - 1] != v && shape_of(c, v) < shape_of(c, operand[k - 1]))
			k--;
		if (k > 0 && operand[k - 1] == v)
			continue;
		for (unsigned i = n++; i > k; i--)
			operand[i] = operand[i - 1];
		operand[k] = v;
	}
	v = operand[0];
	for (unsigned i = 1; i < n; i++) {
		uint64_t p = shape_of(c, v), q = shape_of(c, operand[i]);
		v = node(c, GLLM_N_AND, GLLM_I32, v, operand[i]);
		if (v == POISON || !note_atom(c, v, 32, count, mix(mix(GLLM_N_AND, p + q), p ^ q)))
			return POISON;
	}
	return v;
}

/* An operation of two sums that is none itself. */
static uint16_t opaque(struct canon *c, unsigned op, unsigned w, struct sum *x, struct sum *y)
{
	struct sum number;
	int64_t least, most, other;
	unsigned count = 32, m, n;
	if (op == GLLM_N_MUL && unsigned_whole(c, x, w, &number) && limits(&number, &least, &most) &&
	    unsigned_whole(c, y, w, &number) && limits(&number, &least, &other) && !__builtin_mul_overflow(most, other, &most) &&
	    most <= greatest(32))
		count = length((uint64_t)most);
	else if (op == GLLM_N_MUL && w != 32)
		return VAL_NONE;
	uint16_t a = atom_of(c, x, w, &m), b = atom_of(c, y, w, &n);
	if (a == VAL_NONE || b == VAL_NONE)
		return VAL_NONE;
	if (op == GLLM_N_AND) {
		count = m < n ? m : n;
		uint16_t all = conjunction(c, a, b, count);
		if (all != VAL_NONE)
			return all;
	} else if (op != GLLM_N_MUL)
		count = m > n ? m : n;
	uint16_t v = node(c, op, GLLM_I32, a, b);
	uint64_t p = shape_of(c, a), q = shape_of(c, b);
	return v != POISON && note_atom(c, v, 32, count, mix(mix(op, p + q), p ^ q)) ? v : POISON;
}

/* Divides by the sign of the first term and by what powers of two all share; returns their product. */
static uint64_t primitive(struct sum *s)
{
	uint64_t all = 0, sign = 1;
	for (unsigned i = 0; i < s->n; i++) {
		s->f[i].coef = as_signed(s->f[i].coef, s->w);
		all |= s->f[i].coef;
	}
	if ((int64_t)s->f[0].coef < 0)
		sign = ~UINT64_C(0);
	for (unsigned i = 0; i < s->n; i++)
		s->f[i].coef = (uint64_t)((int64_t)(s->f[i].coef * sign) >> zeros_below(all));
	return sign << zeros_below(all);
}

/* (k + s) * (m + t) is k * m + m * s + k * t + s * t. */
static uint16_t multiplied(struct canon *c, unsigned w, struct sum *x, struct sum *y)
{
	struct sum r, product;
	uint64_t k = x->k, m = y->k;
	clear(&r, w);
	x->k = y->k = 0;
	r.k = k * m;
	add_sum(&r, x, m);
	add_sum(&r, y, k);
	uint64_t factor = primitive(x);
	factor *= primitive(y);
	uint16_t v = opaque(c, GLLM_N_MUL, w, x, y);
	if (v == VAL_NONE || v == POISON)
		return v;
	if (!sum_of(c, v, w, &product))
		return VAL_NONE;
	add_sum(&r, &product, factor);
	return value_of(c, &r, w);
}

static uint16_t joined(struct canon *c, unsigned op, unsigned w, struct sum *x, struct sum *y)
{
	bool equal = x->k == y->k && x->n == y->n;
	for (unsigned i = 0; equal && i < x->n; i++)
		equal = x->f[i].coef == y->f[i].coef && x->f[i].atom == y->f[i].atom && x->f[i].first == y->f[i].first &&
		        x->f[i].count == y->f[i].count;
	if (equal && op != GLLM_N_XOR)
		return value_of(c, x, w);
	if (equal || !(ones(c, x, w) & ones(c, y, w))) {
		struct sum s;
		clear(&s, w);
		if (!equal && op != GLLM_N_AND) {
			s = *x;
			add_sum(&s, y, 1);
		}
		return value_of(c, &s, w);
	}
	return opaque(c, op, w, x, y);
}

uint16_t gllm_bits_op(struct canon *c, unsigned op, unsigned w, uint16_t a, uint16_t b)
{
	struct sum x, y, r;
	bool done;
	if ((w != 32 && w != 64) || (is(c, a, GLLM_N_CONST) && is(c, b, GLLM_N_CONST)) || !sum_of(c, a, w, &x) ||
	    !sum_of(c, b, w, &y))
		return VAL_NONE;
	if (!x.n && op != GLLM_N_SUB && op != GLLM_N_SHL && op != GLLM_N_SHR && op != GLLM_N_SAR) {
		r = x;
		x = y;
		y = r;
	}
	switch (op) {
	case GLLM_N_ADD: case GLLM_N_SUB:
		add_sum(&x, &y, op == GLLM_N_ADD ? 1 : ~UINT64_C(0));
		return value_of(c, &x, w);
	case GLLM_N_MUL:
		if (y.n)
			return multiplied(c, w, &x, &y);
		clear(&r, w);
		add_sum(&r, &x, y.k);
		return value_of(c, &r, w);
	case GLLM_N_AND: case GLLM_N_OR: case GLLM_N_XOR:
		if (y.n)
			return joined(c, op, w, &x, &y);
		done = bitwise_const(c, op, w, &x, y.k, &r);
		break;
	case GLLM_N_SHL: case GLLM_N_SHR: case GLLM_N_SAR:
		done = !y.n && shifted(c, op, w, &x, (unsigned)(y.k & (w - 1)), &r);
		break;
	default: return VAL_NONE;
	}
	return done ? value_of(c, &r, w) : VAL_NONE;
}

uint16_t gllm_bits_zext(struct canon *c, uint16_t v, unsigned from)
{
	struct sum s, r;
	unsigned w = c->v[v].type == GLLM_I64 ? 64 : 32;
	if (from != 8 && from != 16 && from != 32)
		return VAL_NONE;
	if (from == 32 ? !sum_of(c, v, 32, &r) : !sum_of(c, v, w, &s) || !masked_sum(c, &s, w, low(~UINT64_C(0), from), &r))
		return VAL_NONE;
	return value_of(c, &r, 32);
}

uint16_t gllm_bits_sext(struct canon *c, uint16_t v, unsigned from, unsigned to)
{
	struct sum s, r;
	if (!sum_of(c, v, c->v[v].type == GLLM_I64 ? 64 : 32, &s) || !signed_whole(c, &s, from, &r))
		return VAL_NONE;
	return value_of(c, &r, to);
}

uint16_t gllm_bits_join(struct canon *c, const uint16_t *byte, unsigned n)
{
	struct sum s, r;
	unsigned w = n > 4 ? 64 : 32;
	clear(&r, w);
	for (unsigned i = 0; i < n; i++) {
		if (!sum_of(c, byte[i], w, &s))
			return POISON;
		add_sum(&r, &s, UINT64_C(1) << (8 * i));
	}
	uint16_t v = value_of(c, &r, w);
	return v == VAL_NONE ? POISON : v;
}

uint16_t gllm_bits_any(struct canon *c, uint16_t v)
{
	struct sum s;
	if (v != POISON && sum_of(c, v, 64, &s))
		return v;
	if (v == POISON || (c->v[v].type != GLLM_I64 && c->v[v].type != GLLM_I32) || is(c, v, VAL_PTR))
		v = gllm_canon_fresh(c, VAL_POISON, GLLM_I64, -1);
	unsigned w = c->v[v].type == GLLM_I64 ? 64 : 32;
	return v != POISON && note_atom(c, v, w, w, mix(c->v[v].op, c->v[v].type)) ? v : POISON;
}

bool gllm_bits_below(struct canon *c, uint16_t v, uint64_t bound)
{
	struct sum s, number;
	int64_t least, most;
	unsigned w = c->v[v].type == GLLM_I64 ? 64 : 32;
	return sum_of(c, v, w, &s) && unsigned_whole(c, &s, w, &number) && limits(&number, &least, &most) &&
	       (uint64_t)most <= bound;
}

bool gllm_bits_place(struct canon *c, uint16_t v, unsigned unit, uint64_t *from, uint64_t *bytes, uint16_t *index, uint32_t *scale)
{
	struct sum s, number;
	int64_t least, most;
	if (!sum_of(c, v, 64, &s) || !s.n || !whole(c, &s, 64, 0, INT64_MAX, &number) || !limits(&number, &least, &most))
		return false;
	*from = (uint64_t)least;
	*bytes = (uint64_t)(most - least);
	number.k -= (uint64_t)least;
	*scale = 1;
	bool divides = number.k % unit == 0;
	for (unsigned i = 0; i < number.n; i++)
		divides = divides && (int64_t)number.f[i].coef % (int64_t)unit == 0;
	if (divides) {
		*scale = unit;
		number.k /= unit;
		for (unsigned i = 0; i < number.n; i++)
			number.f[i].coef = (uint64_t)((int64_t)number.f[i].coef / (int64_t)unit);
	}
	if (!whole(c, &number, 64, 0, INT32_MAX, &s))
		return false;
	*index = value_of(c, &s, 64);
	return *index != VAL_NONE && *index != POISON;
}
