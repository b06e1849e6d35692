/* SPDX-License-Identifier: MIT
 * jit/canon_bits.c - see canon_bits.h. */
#include "jit/canon_bits.h"
#include "jit/canon_parts.h"
#include "jit/canon_sum.h"

/* ---- sums and values ------------------------------------------------------------------------------------------- */

static uint64_t shape_of_sum(const struct canon *c, const struct sum *s)
{
	uint64_t h = bits_mix(s->w, s->k);
	for (unsigned i = 0; i < s->n; i++)
		h = bits_mix(bits_mix(bits_mix(h, shape_of(c, s->f[i].atom)), s->f[i].first | (uint64_t)s->f[i].count << 8), s->f[i].coef);
	return h;
}

static inline bool note(struct canon *c, uint16_t v, const struct sum *s, uint64_t shape)
{
	if (c->v[v].bits)
		return true;
	if (c->nbits == VAL_BITS || c->nfields + s->n > VAL_FIELDS) {
		c->full = true;
		return false;
	}
	c->bits[c->nbits] = (struct val_bits){ .k = s->k, .shape = shape, .first = (uint16_t)c->nfields, .n = (uint8_t)s->n,
	                                       .w = (uint8_t)s->w };
	for (unsigned i = 0; i < s->n; i++)
		c->field[c->nfields++] = s->f[i];
	c->v[v].bits = (uint16_t)c->nbits++;
	return true;
}

static bool note_atom(struct canon *c, uint16_t v, unsigned w, unsigned count, uint64_t shape)
{
	struct sum s;
	gllm_sum_clear(&s, w);
	gllm_sum_push(&s, (struct bit_field){ .coef = 1, .atom = v, .count = (uint8_t)count });
	return note(c, v, &s, shape);
}

static uint64_t poly_shape(const struct canon *c, uint16_t p)
{
	uint64_t h = 5;
	for (unsigned i = 0; i < c->p.poly[p].count; i++) {
		const struct poly_term *t = &c->p.term[c->p.poly[p].first + i];
		h = bits_mix(h, (uint64_t)t->coef);
		for (unsigned k = 0; k < GLLM_TERM_SYMS; k++)
			h = bits_mix(h, poly_sym(t->syms, k));
	}
	return h;
}

static uint64_t load_shape(const struct canon *c, uint16_t v)
{
	const struct val_access *a = &c->access[c->v[v].imm & 0xffff];
	uint64_t of = a->param < GLLM_TRACE_PARAMS ? a->param : c->table_hash[a->param - GLLM_TRACE_PARAMS];
	uint64_t h = bits_mix(bits_mix(bits_mix(1, of), a->type), poly_shape(c, a->poly));
	if (a->index == VAL_NONE)
		return h;
	uint16_t i = is(c, a->index, GLLM_N_CVT) ? c->v[a->index].a : a->index;
	return bits_mix(bits_mix(h, a->index_bytes), c->v[i].bits ? shape_of(c, i) : 0);
}

static bool loads_narrow(const struct val *x)
{
	return x->op == GLLM_N_LOAD && (x->type == GLLM_U8 || x->type == GLLM_U16 || x->type == GLLM_I8 || x->type == GLLM_I16);
}

/* The sum of v, which is of another width, modulo 2^w. */
__attribute__((noinline)) static bool resize(const struct canon *c, uint16_t v, unsigned w, bool sign, struct sum *s)
{
	struct sum narrow;
	if (w < s->w) {
		gllm_sum_tidy(c, s, w);
		return true;
	}
	if (!(sign ? gllm_sum_signed(c, s, 32, &narrow) : gllm_sum_unsigned(c, s, 32, &narrow))) {
		if (sign)
			return false;
		gllm_sum_clear(&narrow, 64);
		gllm_sum_push(&narrow, (struct bit_field){ .coef = 1, .atom = v, .count = 32 });
	}
	gllm_sum_tidied(c, &narrow, 64, s);
	return true;
}

static inline bool known_sum(const struct canon *c, uint16_t v, unsigned w, bool sign, struct sum *s)
{
	gllm_sum_recall(c, v, s);
	return s->w == w || resize(c, v, w, sign, s);
}

/* Of a value that has none yet: loads of narrow integers begin their own. */
__attribute__((noinline)) static bool begin_sum(struct canon *c, uint16_t v, unsigned w, bool sign, struct sum *s)
{
	const struct val *x = &c->v[v];
	uint16_t from = x->op == GLLM_N_CVT && x->type == GLLM_I32 ? x->a : v;
	const bool negative = from != v && (c->v[from].type == GLLM_I8 || c->v[from].type == GLLM_I16);
	if (from != v && is(c, from, GLLM_N_BITS))
		from = c->v[from].a;
	if (!loads_narrow(&c->v[from]))
		return false;
	const unsigned count = bits_of(c->v[from].type);
	if (!note_atom(c, from, 32, count, load_shape(c, from)))
		return false;
	gllm_sum_clear(s, 32);
	gllm_sum_push(s, (struct bit_field){ .coef = 1, .atom = from, .count = (uint8_t)(count - negative) });
	if (negative)
		gllm_sum_push(s, (struct bit_field){ .coef = ~UINT64_C(0) << (count - 1), .atom = from, .first = (uint8_t)(count - 1), .count = 1 });
	gllm_sum_tidy(c, s, 32);
	return note(c, v, s, negative ? shape_of_sum(c, s) : shape_of(c, from)) && known_sum(c, v, w, sign, s);
}

/* The value as a sum modulo 2^w, zeros above its type. */
static bool sum_of(struct canon *c, uint16_t v, unsigned w, struct sum *s)
{
	const struct val *x = &c->v[v];
	bool sign = false;
	if (x->op == GLLM_N_CONST && x->type != GLLM_F32) {
		gllm_sum_clear(s, w);
		s->k = bits_low(x->imm, w);
		return true;
	}
	if (x->op == GLLM_N_CVT && x->type == GLLM_I64 && !x->bits) {
		v = x->a;
		x = &c->v[v];
		sign = x->type == GLLM_I32;
	}
	if (x->op == GLLM_N_BITS)
		v = x->a;
	return c->v[v].bits ? known_sum(c, v, w, sign, s) : begin_sum(c, v, w, sign, s);
}

static bool unknown_bits(const struct canon *c, const struct sum *s)
{
	for (unsigned i = 0; i < s->n; i++)
		if (is(c, s->f[i].atom, VAL_POISON))
			return true;
	return false;
}

/* Of a sum of which only bits below `w` matter: what is not understood above them goes. */
static void forget_above(struct sum *s, unsigned w)
{
	unsigned n = 0;
	for (unsigned i = 0; i < s->n; i++) {
		struct bit_field f = s->f[i];
		f.coef = gllm_sum_as_signed(bits_low(f.coef, w), w);
		if (f.coef)
			s->f[n++] = f;
	}
	s->k = bits_low(s->k, w);
	s->n = n;
}

static inline uint16_t written(struct canon *c, const struct sum *s, unsigned type)
{
	uint16_t v = gllm_sum_write(c, s, type);
	return v != POISON && note(c, v, s, shape_of_sum(c, s)) ? v : POISON;
}

/* Of 64 bits: of 32 if these say all. */
__attribute__((noinline)) static uint16_t wide_value(struct canon *c, struct sum *s)
{
	struct sum number;
	if (gllm_sum_whole(c, s, 64, 0, gllm_sum_greatest(32), &number)) {
		gllm_sum_tidied(c, &number, 32, s);
		return written(c, s, GLLM_I32);
	}
	if (!gllm_sum_whole(c, s, 64, INT32_MIN, INT32_MAX, &number))
		return written(c, s, GLLM_I64);
	gllm_sum_tidy(c, &number, 32);
	uint16_t v = written(c, &number, GLLM_I32);
	if (v == POISON)
		return POISON;
	v = gllm_canon_node(c, GLLM_N_CVT, GLLM_I64, v, VAL_NONE, VAL_NONE, 0);
	return v != POISON && note(c, v, s, shape_of_sum(c, s)) ? v : POISON;
}

/* The value of a sum. */
static uint16_t value_of(struct canon *c, struct sum *s, unsigned w)
{
	if (GLLM_RARELY(s->lost))
		return VAL_NONE;
	gllm_sum_tidy(c, s, w);
	if (!s->n)
		return gllm_canon_const(c, w == 64 ? GLLM_I64 : GLLM_I32, s->k);
	if (GLLM_RARELY(unknown_bits(c, s))) {
		uint16_t v = gllm_canon_fresh(c, VAL_POISON, w == 64 ? GLLM_I64 : GLLM_I32, -1);
		return v != POISON && note(c, v, s, 0) ? v : POISON;
	}
	return w == 64 ? wide_value(c, s) : written(c, s, GLLM_I32);
}

/* ---- operations ------------------------------------------------------------------------------------------------ */

/* The sum as an atom: VAL_NONE if it is wider than 32 bits. *count: how many bits of it may be 1. */
static uint16_t atom_of(struct canon *c, struct sum *s, unsigned w, unsigned *count)
{
	uint16_t v = value_of(c, s, w);
	if (v == VAL_NONE || v == POISON || !c->v[v].bits || c->v[v].type == GLLM_I64)
		return VAL_NONE;
	*count = bits_length(gllm_sum_ones(c, s, s->w));
	return v;
}

/* Adds bits a .. b-1 of s, where they are, to out. */
static bool add_bits(struct canon *c, struct sum *s, unsigned w, unsigned a, unsigned b, struct sum *out)
{
	struct sum part;
	unsigned count;
	if (gllm_sum_extract(c, s, a, b, &part)) {
		gllm_sum_add(out, &part, UINT64_C(1) << a);
		return true;
	}
	gllm_sum_copy(&part, s);
	if (GLLM_RARELY(unknown_bits(c, &part)))
		forget_above(&part, b);
	uint16_t v = atom_of(c, &part, w, &count);
	if (v == VAL_NONE)
		return false;
	b = b < count ? b : count;
	if (a < b)
		gllm_sum_add_field(out, (struct bit_field){ .coef = UINT64_C(1) << a, .atom = v, .first = (uint8_t)a, .count = (uint8_t)(b - a) });
	return true;
}

/* s & mask */
static bool masked_sum(struct canon *c, struct sum *s, unsigned w, uint64_t mask, struct sum *out)
{
	bool inverted = mask >> (w - 1) & 1;
	uint64_t m = bits_low(inverted ? ~mask : mask, w);
	gllm_sum_clear(out, w);
	while (m) {
		unsigned a = bits_zeros_below(m), b = a + bits_zeros_below(~(m >> a));
		if (!add_bits(c, s, w, a, b, out))
			return false;
		m &= ~(bits_low(~UINT64_C(0), b - a) << a);
	}
	if (inverted) {
		struct sum without;
		gllm_sum_copy(&without, out);
		gllm_sum_copy(out, s);
		gllm_sum_add(out, &without, ~UINT64_C(0));
	}
	return !out->lost;
}

static bool bitwise_const(struct canon *c, unsigned op, unsigned w, struct sum *s, uint64_t k, struct sum *out)
{
	struct sum both;
	if (op == GLLM_N_AND)
		return masked_sum(c, s, w, k, out);
	if (!masked_sum(c, s, w, k, &both))
		return false;
	gllm_sum_copy(out, s); /* x | k is x + k - (x & k), and x ^ k is x + k - 2 (x & k) */
	out->k += k;
	gllm_sum_add(out, &both, op == GLLM_N_OR ? ~UINT64_C(0) : ~UINT64_C(0) - 1);
	return true;
}

static bool shifted(struct canon *c, unsigned op, unsigned w, struct sum *s, unsigned by, struct sum *out)
{
	unsigned count;
	if (op == GLLM_N_SHL) {
		gllm_sum_clear(out, w);
		gllm_sum_add(out, s, UINT64_C(1) << by);
		return true;
	}
	if (op == GLLM_N_SHR && gllm_sum_extract(c, s, by, w, out))
		return true;
	if (op == GLLM_N_SAR && gllm_sum_signed(c, s, w, out) && gllm_sum_shift_down(out, by))
		return true;
	struct sum copy;
	gllm_sum_copy(&copy, s);
	uint16_t v = atom_of(c, &copy, w, &count);
	if (v == VAL_NONE || w != 32)
		return false;
	gllm_sum_clear(out, w);
	if (op == GLLM_N_SHR) {
		if (count > by)
			gllm_sum_push(out, (struct bit_field){ .coef = 1, .atom = v, .first = (uint8_t)by, .count = (uint8_t)(count - by) });
		return true;
	}
	uint16_t r = gllm_sum_with(c, GLLM_N_SAR, GLLM_I32, v, by);
	if (r == POISON || !note_atom(c, r, 32, 32, bits_mix(bits_mix(GLLM_N_SAR, by), shape_of(c, v))))
		return false;
	gllm_sum_push(out, (struct bit_field){ .coef = 1, .atom = r, .count = 32 });
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
	const struct val_bits *b = &c->bits[c->v[x.v].bits];
	const struct bit_field f = b->n == 1 ? c->field[b->first] : (struct bit_field){ .coef = 0 };
	if (b->k || f.coef != 1 || x.first + x.count > f.count || !is(c, f.atom, GLLM_N_AND) ||
	    is(c, c->v[f.atom].b, GLLM_N_CONST))
		return false;
	for (unsigned i = 0; i < 2; i++)
		part[i] = (struct span){ i ? c->v[f.atom].b : c->v[f.atom].a, (uint8_t)(f.first + x.first), x.count };
	return c->v[part[0].v].bits && c->v[part[1].v].bits;
}

/* a & b & .., `count` bits of each from 0 on: operands that are ands themselves are taken apart, and all are cut to the bits that
 * count, in the order of their shapes and each once. */
static uint16_t conjunction(struct canon *c, uint16_t a, uint16_t b, unsigned count)
{
	struct span todo[SUM_FIELDS] = { { a, 0, (uint8_t)count }, { b, 0, (uint8_t)count } }, part[2];
	uint16_t operand[SUM_FIELDS], v;
	unsigned n = 0, left = 2;
	struct sum s, r;
	while (left) {
		struct span x = todo[--left];
		if (left + 2 <= SUM_FIELDS && splits(c, x, part)) {
			todo[left++] = part[0];
			todo[left++] = part[1];
			continue;
		}
		gllm_sum_recall(c, x.v, &s);
		if (n == SUM_FIELDS || !gllm_sum_extract(c, &s, x.first, x.first + x.count, &r))
			return VAL_NONE;
		v = value_of(c, &r, 32);
		if (v == VAL_NONE || v == POISON || !c->v[v].bits)
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
		v = gllm_sum_node(c, GLLM_N_AND, GLLM_I32, v, operand[i]);
		if (v == POISON || !note_atom(c, v, 32, count, bits_mix(bits_mix(GLLM_N_AND, p + q), p ^ q)))
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
	if (op == GLLM_N_MUL && gllm_sum_unsigned(c, x, w, &number) && gllm_sum_limits(&number, &least, &most) &&
	    gllm_sum_unsigned(c, y, w, &number) && gllm_sum_limits(&number, &least, &other) && !__builtin_mul_overflow(most, other, &most) &&
	    most <= gllm_sum_greatest(32))
		count = bits_length((uint64_t)most);
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
	uint16_t v = gllm_sum_node(c, op, GLLM_I32, a, b);
	uint64_t p = shape_of(c, a), q = shape_of(c, b);
	return v != POISON && note_atom(c, v, 32, count, bits_mix(bits_mix(op, p + q), p ^ q)) ? v : POISON;
}

/* Divides by the sign of the first term and by what powers of two all share; returns their product. */
static uint64_t primitive(struct sum *s)
{
	uint64_t all = 0, sign = 1;
	for (unsigned i = 0; i < s->n; i++) {
		s->f[i].coef = gllm_sum_as_signed(s->f[i].coef, s->w);
		all |= s->f[i].coef;
	}
	if ((int64_t)s->f[0].coef < 0)
		sign = ~UINT64_C(0);
	for (unsigned i = 0; i < s->n; i++)
		s->f[i].coef = (uint64_t)((int64_t)(s->f[i].coef * sign) >> bits_zeros_below(all));
	return sign << bits_zeros_below(all);
}

/* (k + s) * (m + t) is k * m + m * s + k * t + s * t. */
static uint16_t multiplied(struct canon *c, unsigned w, struct sum *x, struct sum *y)
{
	struct sum r, product;
	uint64_t k = x->k, m = y->k;
	gllm_sum_clear(&r, w);
	x->k = y->k = 0;
	r.k = k * m;
	gllm_sum_add(&r, x, m);
	gllm_sum_add(&r, y, k);
	uint64_t factor = primitive(x);
	factor *= primitive(y);
	uint16_t v = opaque(c, GLLM_N_MUL, w, x, y);
	if (v == VAL_NONE || v == POISON)
		return v;
	if (!sum_of(c, v, w, &product))
		return VAL_NONE;
	gllm_sum_add(&r, &product, factor);
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
	if (equal || !(gllm_sum_ones(c, x, w) & gllm_sum_ones(c, y, w))) {
		struct sum s;
		gllm_sum_clear(&s, w);
		if (!equal && op != GLLM_N_AND) {
			gllm_sum_copy(&s, x);
			gllm_sum_add(&s, y, 1);
		}
		return value_of(c, &s, w);
	}
	return opaque(c, op, w, x, y);
}

/* How many bits are understood, from the lowest on. */
static unsigned understood(const struct canon *c, const struct sum *s)
{
	unsigned n = s->w;
	for (unsigned i = 0; i < s->n; i++)
		if (is(c, s->f[i].atom, VAL_POISON) && bits_zeros_below(s->f[i].coef) < n)
			n = bits_zeros_below(s->f[i].coef);
	return n;
}

/* Of each bit of the result none above it in x and y matters: those from the first on that is not understood go. */
static uint16_t vaguely(struct canon *c, unsigned op, unsigned w, struct sum *x, struct sum *y)
{
	unsigned m = understood(c, x), n = understood(c, y);
	n = n < m ? n : m;
	if (!n)
		return POISON;
	forget_above(x, n);
	forget_above(y, n);
	uint16_t v = op == GLLM_N_MUL ? multiplied(c, w, x, y) : joined(c, op, w, x, y);
	return n < w ? gllm_bits_vague(c, v, n, w) : v;
}

static bool vague(const struct canon *c, uint16_t a, uint16_t b)
{
	return is(c, a, VAL_POISON) || is(c, b, VAL_POISON);
}

uint16_t gllm_bits_op(struct canon *c, unsigned op, unsigned w, uint16_t a, uint16_t b)
{
	struct sum of_a, of_b, r, *x = &of_a, *y = &of_b;
	bool done;
	if ((w != 32 && w != 64) || (is(c, a, GLLM_N_CONST) && is(c, b, GLLM_N_CONST)))
		return VAL_NONE;
	if ((!sum_of(c, a, w, x) || !sum_of(c, b, w, y)) &&
	    (!vague(c, a, b) || !sum_of(c, gllm_bits_any(c, a), w, x) || !sum_of(c, gllm_bits_any(c, b), w, y)))
		return VAL_NONE;
	if (!x->n && op != GLLM_N_SUB && op != GLLM_N_SHL && op != GLLM_N_SHR && op != GLLM_N_SAR) {
		x = &of_b;
		y = &of_a;
	}
	switch (op) {
	case GLLM_N_ADD: case GLLM_N_SUB:
		gllm_sum_add(x, y, op == GLLM_N_ADD ? 1 : ~UINT64_C(0));
		return value_of(c, x, w);
	case GLLM_N_MUL:
		if (y->n)
			return GLLM_RARELY(vague(c, a, b)) ? vaguely(c, op, w, x, y) : multiplied(c, w, x, y);
		gllm_sum_clear(&r, w);
		gllm_sum_add(&r, x, y->k);
		return value_of(c, &r, w);
	case GLLM_N_AND: case GLLM_N_OR: case GLLM_N_XOR:
		if (y->n)
			return GLLM_RARELY(vague(c, a, b)) ? vaguely(c, op, w, x, y) : joined(c, op, w, x, y);
		done = bitwise_const(c, op, w, x, y->k, &r);
		break;
	case GLLM_N_SHL: case GLLM_N_SHR: case GLLM_N_SAR:
		done = !y->n && shifted(c, op, w, x, (unsigned)(y->k & (w - 1)), &r);
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
	if (from == 32 ? !sum_of(c, v, 32, &r) : !sum_of(c, v, w, &s) || !masked_sum(c, &s, w, bits_low(~UINT64_C(0), from), &r))
		return VAL_NONE;
	return value_of(c, &r, 32);
}

uint16_t gllm_bits_sext(struct canon *c, uint16_t v, unsigned from, unsigned to)
{
	struct sum s, r;
	if (!sum_of(c, v, c->v[v].type == GLLM_I64 ? 64 : 32, &s) || !gllm_sum_signed(c, &s, from, &r))
		return VAL_NONE;
	return value_of(c, &r, to);
}

uint16_t gllm_bits_join(struct canon *c, const uint16_t *byte, unsigned n)
{
	struct sum s, r;
	unsigned w = n > 4 ? 64 : 32;
	gllm_sum_clear(&r, w);
	for (unsigned i = 0; i < n; i++) {
		if (!sum_of(c, byte[i], w, &s))
			return POISON;
		gllm_sum_add(&r, &s, UINT64_C(1) << (8 * i));
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
	return v != POISON && note_atom(c, v, w, w, bits_mix(c->v[v].op, c->v[v].type)) ? v : POISON;
}

unsigned gllm_bits_known(struct canon *c, uint16_t v)
{
	struct sum s;
	return !is(c, v, VAL_POISON) ? 64 : sum_of(c, v, c->v[v].type == GLLM_I64 ? 64 : 32, &s) ? understood(c, &s) : 0;
}

uint16_t gllm_bits_vague(struct canon *c, uint16_t v, unsigned n, unsigned w)
{
	struct sum s;
	uint16_t above = gllm_bits_any(c, POISON);
	if (v == VAL_NONE || v == POISON || above == POISON || !sum_of(c, gllm_bits_any(c, v), w, &s))
		return POISON;
	gllm_sum_push(&s, (struct bit_field){ .coef = UINT64_C(1) << n, .atom = above, .count = (uint8_t)(w - n) });
	v = value_of(c, &s, w);
	return v == VAL_NONE ? POISON : v;
}

uint16_t gllm_bits_understood(struct canon *c, uint16_t v, unsigned w)
{
	struct sum s;
	if (!sum_of(c, v, 32, &s))
		return POISON;
	forget_above(&s, w);
	v = value_of(c, &s, 32);
	return v == VAL_NONE || is(c, v, VAL_POISON) ? POISON : v;
}

bool gllm_bits_below(struct canon *c, uint16_t v, uint64_t bound)
{
	struct sum s, number;
	int64_t least, most;
	unsigned w = c->v[v].type == GLLM_I64 ? 64 : 32;
	return sum_of(c, v, w, &s) && gllm_sum_unsigned(c, &s, w, &number) && gllm_sum_limits(&number, &least, &most) &&
	       (uint64_t)most <= bound;
}

bool gllm_bits_place(struct canon *c, uint16_t v, unsigned unit, uint64_t *from, uint64_t *bytes, uint16_t *index, uint32_t *scale)
{
	struct sum s, number;
	int64_t least, most;
	if (!sum_of(c, v, 64, &s) || !s.n || !gllm_sum_whole(c, &s, 64, 0, INT64_MAX, &number) || !gllm_sum_limits(&number, &least, &most))
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
	if (!gllm_sum_whole(c, &number, 64, 0, INT32_MAX, &s))
		return false;
	*index = value_of(c, &s, 64);
	return *index != VAL_NONE && *index != POISON;
}
