/* SPDX-License-Identifier: MIT
 * jit/canon_int.c - arithmetic of integers and addresses: polynomials where they are, else sums of bits, else nodes. */
#include "core/bits.h"
#include "core/sem.h"
#include "jit/canon_bits.h"
#include "jit/canon_parts.h"

/* The value is below 2^bits: a widened narrow one, masked or shifted down. */
static bool narrow(const struct canon *c, uint16_t v, unsigned bits)
{
	const struct val *x = &c->v[v];
	if (x->op == GLLM_N_AND)
		return is_const(c, x->b) && low(c->v[x->b].imm, bits) == c->v[x->b].imm;
	if (x->op == GLLM_N_SHR)
		x = &c->v[x->a];
	return x->op == GLLM_N_CVT && bits_of(c->v[x->a].type) <= bits &&
	       (c->v[x->a].type == GLLM_U8 || c->v[x->a].type == GLLM_U16);
}

static uint16_t strip_bits(const struct canon *c, uint16_t v)
{
	return is(c, v, GLLM_N_BITS) ? c->v[v].a : v;
}

static uint64_t fold(unsigned op, unsigned w, uint64_t a, uint64_t b)
{
	unsigned k = (unsigned)(b & (w - 1));
	a = low(a, w);
	switch (op) {
	case GLLM_N_ADD: return a + b;
	case GLLM_N_SUB: return a - b;
	case GLLM_N_MUL: return a * b;
	case GLLM_N_AND: return a & b;
	case GLLM_N_OR:  return a | b;
	case GLLM_N_XOR: return a ^ b;
	case GLLM_N_SHL: return a << k;
	case GLLM_N_SHR: return a >> k;
	default:         return (uint64_t)((int64_t)(a << (64 - w)) >> (64 - w) >> k);
	}
}

/* Bitwise operations of a value that came from a comparison: all ones, or zeros. */
static uint16_t masked(struct canon *c, uint16_t mask, uint16_t v)
{
	const struct val *m = &c->v[mask];
	cond_t i = (cond_t)m->a << 1;
	uint64_t ones = low(~UINT64_C(0), 32), t = c->v[m->b].imm, f = c->v[m->c].imm;
	unsigned type = c->v[strip_bits(c, v)].type == GLLM_F32 ? GLLM_F32 : GLLM_I32;
	if (t == ones && f == 0)
		return gllm_canon_select(c, i, gllm_canon_as(c, v, type), gllm_canon_const(c, type, 0));
	if (t == 0 && f == ones)
		return gllm_canon_select(c, i, gllm_canon_const(c, type, 0), gllm_canon_as(c, v, type));
	return VAL_NONE;
}

/* (i ? x : 0) | (i ? 0 : y) */
static uint16_t blended(struct canon *c, uint16_t a, uint16_t b)
{
	uint16_t x = strip_bits(c, a), y = strip_bits(c, b);
	const struct val *s = &c->v[x], *t = &c->v[y];
	if (s->op != GLLM_N_SELECT || t->op != GLLM_N_SELECT || s->a != t->a)
		return VAL_NONE;
	if (zero_const(c, s->c) && zero_const(c, t->b))
		return gllm_canon_select(c, (cond_t)s->a << 1, s->b, t->c);
	if (zero_const(c, s->b) && zero_const(c, t->c))
		return gllm_canon_select(c, (cond_t)s->a << 1, t->b, s->c);
	return VAL_NONE;
}

/* a op k, where a is I32 and k below 2^32. Masks move outside shifts; constants of one operation join. */
static uint16_t int32_const(struct canon *c, unsigned op, uint16_t a, uint64_t k)
{
	uint64_t mask = 0xffffffff;
	uint16_t x = strip_bits(c, a);
	k = low(k, 32);
	if (const_arms(c, x))
		return gllm_canon_select(c, (cond_t)c->v[x].a << 1, gllm_canon_const(c, GLLM_I32, fold(op, 32, c->v[c->v[x].b].imm, k)),
		                    gllm_canon_const(c, GLLM_I32, fold(op, 32, c->v[c->v[x].c].imm, k)));
	bool joins = op == GLLM_N_ADD || op == GLLM_N_AND || op == GLLM_N_OR || op == GLLM_N_XOR;
	while (is_const(c, c->v[a].op == op && joins ? c->v[a].b : POISON)) {
		k = low(fold(op, 32, c->v[c->v[a].b].imm, k), 32);
		a = c->v[a].a;
	}
	while (op == GLLM_N_SHL && is(c, a, GLLM_N_AND) && is_const(c, c->v[a].b)) {
		mask &= c->v[c->v[a].b].imm << k;
		a = c->v[a].a;
	}
	if (op == GLLM_N_SHL && (is(c, a, GLLM_N_SHR) || is(c, a, GLLM_N_SAR)) && c->v[c->v[a].b].imm == k) {
		op = GLLM_N_AND;
		k = 0xffffffff & 0xffffffff << k;
		a = c->v[a].a;
	}
	x = strip_bits(c, a);
	bool is_float = c->v[x].type == GLLM_F32;
	if (k == 0 && op == GLLM_N_AND)
		return gllm_canon_const(c, GLLM_I32, 0);
	if (is_float && op == GLLM_N_XOR && k == SIGN)
		return gllm_canon_float(c, GLLM_N_NEG, x, VAL_NONE, VAL_NONE);
	if (is_float && op == GLLM_N_OR && k == SIGN)
		return gllm_canon_negate(c, gllm_canon_float(c, GLLM_N_ABS, x, VAL_NONE, VAL_NONE));
	if (is_float && op == GLLM_N_AND && k == 0x7fffffff)
		return gllm_canon_float(c, GLLM_N_ABS, x, VAL_NONE, VAL_NONE);
	if (k != 0 && !(k == 0xffffffff && op == GLLM_N_AND))
		a = gllm_canon_node(c, op, GLLM_I32, a, gllm_canon_const(c, GLLM_I32, k), VAL_NONE, 0);
	mask = low(mask, 32);
	return mask == 0xffffffff ? a : gllm_canon_node(c, GLLM_N_AND, GLLM_I32, a, gllm_canon_const(c, GLLM_I32, mask), VAL_NONE, 0);
}

static bool commutes(unsigned op)
{
	return op == GLLM_N_ADD || op == GLLM_N_MUL || op == GLLM_N_AND || op == GLLM_N_OR || op == GLLM_N_XOR;
}

/* a op b, both I32. */
static uint16_t int32_plain(struct canon *c, unsigned op, uint16_t a, uint16_t b)
{
	uint16_t r;
	if (a == POISON || b == POISON)
		return POISON;
	if (is_const(c, a) && commutes(op)) {
		r = a;
		a = b;
		b = r;
	}
	if (is_const(c, b) && is_const(c, a))
		return gllm_canon_const(c, GLLM_I32, fold(op, 32, c->v[a].imm, c->v[b].imm));
	if (is_const(c, b) && op == GLLM_N_SUB)
		return int32_const(c, GLLM_N_ADD, a, 0 - c->v[b].imm);
	if (is_const(c, b) && op != GLLM_N_MUL)
		return int32_const(c, op, a, c->v[b].imm);
	if (op == GLLM_N_SHL || op == GLLM_N_SHR || op == GLLM_N_SAR)
		return is_const(c, b) ? gllm_canon_node(c, op, GLLM_I32, a, b, VAL_NONE, 0) : POISON;
	if (op == GLLM_N_AND && (r = const_arms(c, strip_bits(c, a)) ? masked(c, strip_bits(c, a), b) : VAL_NONE) != VAL_NONE)
		return r;
	if (op == GLLM_N_AND && (r = const_arms(c, strip_bits(c, b)) ? masked(c, strip_bits(c, b), a) : VAL_NONE) != VAL_NONE)
		return r;
	if (op == GLLM_N_OR && (r = blended(c, a, b)) != VAL_NONE)
		return r;
	for (unsigned i = 0; i < 2 && op == GLLM_N_XOR; i++) { /* x ^ (x & k) is x & ~k */
		uint16_t x = i ? b : a, y = i ? a : b;
		if (is(c, y, GLLM_N_AND) && c->v[y].a == x && is_const(c, c->v[y].b))
			return int32_const(c, GLLM_N_AND, x, ~c->v[c->v[y].b].imm);
	}
	if ((op == GLLM_N_AND || op == GLLM_N_OR) && a == b)
		return a;
	if (commutes(op))
		order(&a, &b);
	return gllm_canon_node(c, op, GLLM_I32, a, b, VAL_NONE, 0);
}

/* The low half of a value as I32; of 64-bit arithmetic on widened values, the arithmetic in 32 bits. */
static uint16_t low32(struct canon *c, uint16_t v)
{
	const struct val *x = &c->v[v];
	bool lower = x->type == GLLM_I64 && (commutes(x->op) || x->op == GLLM_N_SUB);
	for (unsigned i = 0; i < 2 && lower; i++) {
		uint16_t o = i ? x->b : x->a;
		lower = is_const(c, o) || (is(c, o, GLLM_N_CVT) && bits_of(c->v[c->v[o].a].type) == 32);
	}
	return lower ? int32_plain(c, x->op, gllm_canon_as(c, x->a, GLLM_I32), gllm_canon_as(c, x->b, GLLM_I32)) : gllm_canon_as(c, v, GLLM_I32);
}

static uint16_t int32(struct canon *c, unsigned op, uint16_t a, uint16_t b)
{
	uint16_t p, q, r;
	if (gllm_canon_poly32(c, a, &p) && gllm_canon_poly32(c, b, &q)) {
		int64_t k;
		r = POLY_NONE;
		if (op == GLLM_N_ADD || op == GLLM_N_SUB)
			r = gllm_poly_add(&c->p, p, q, op == GLLM_N_ADD ? 1 : -1);
		else if (op == GLLM_N_MUL)
			r = gllm_poly_mul(&c->p, p, q);
		else if (op == GLLM_N_SHL && gllm_poly_is_constant(&c->p, q, &k))
			r = gllm_poly_add(&c->p, 0, p, INT64_C(1) << (k & 31));
		if (r != POLY_NONE)
			return gllm_canon_as(c, gllm_canon_poly(c, r), GLLM_I32);
	}
	r = gllm_bits_op(c, op, 32, a, b);
	return r != VAL_NONE ? r : int32_plain(c, op, low32(c, a), low32(c, b));
}

/* The greatest power of two up to 2^12 that divides all coefficients. */
static uint32_t content(const struct canon *c, uint16_t poly)
{
	uint64_t all = UINT64_C(1) << 12;
	for (unsigned i = 0; i < c->p.poly[poly].count; i++)
		all |= (uint64_t)c->p.term[c->p.poly[poly].first + i].coef;
	return (uint32_t)(all & (0 - all));
}

/* Splits what is added to a pointer, a loaded index with factors and polynomials around it: scales go to *bytes, added
 * polynomials to *offset. */
static uint16_t indexed(struct canon *c, uint16_t x, uint16_t *offset, uint32_t *bytes)
{
	uint16_t p;
	while (*bytes < 1 << 12) {
		const struct val *v = &c->v[x];
		if (v->op == GLLM_N_SHL && is_const(c, v->b) && c->v[v->b].imm < 12) {
			*bytes <<= c->v[v->b].imm;
			x = v->a;
		} else if ((v->op == GLLM_N_ADD || v->op == GLLM_N_SUB) && gllm_canon_as_poly(c, v->b, &p)) {
			*offset = gllm_poly_add(&c->p, *offset, p, v->op == GLLM_N_ADD ? (int64_t)*bytes : -(int64_t)*bytes);
			x = v->a;
		} else if (v->op == GLLM_N_ADD && gllm_canon_as_poly(c, v->a, &p)) {
			*offset = gllm_poly_add(&c->p, *offset, p, (int64_t)*bytes);
			x = v->b;
		} else {
			break;
		}
	}
	const struct val *v = &c->v[x];
	if (v->op != GLLM_N_MUL)
		return x;
	uint16_t factor = gllm_canon_as_poly(c, v->b, &p) ? v->b : gllm_canon_as_poly(c, v->a, &p) ? v->a : VAL_NONE, q;
	uint32_t k = factor == VAL_NONE ? 1 : content(c, p);
	if (k == 1 || !gllm_poly_divide(&c->p, p, gllm_poly_constant(&c->p, k), &q))
		return x;
	uint16_t a = factor == v->b ? v->a : v->b, b = gllm_canon_poly(c, q);
	int64_t one;
	*bytes *= k;
	if (gllm_poly_is_constant(&c->p, q, &one) && one == 1)
		return a;
	order(&a, &b);
	return gllm_canon_node(c, GLLM_N_MUL, GLLM_I64, a, b, VAL_NONE, 0);
}

/* base + index, where base points into a parameter */
static uint16_t point(struct canon *c, uint16_t base, uint16_t index, bool minus)
{
	const struct val *b = &c->v[base];
	uint16_t p;
	if (is_const(c, index) && c->v[index].type != GLLM_F32) {
		p = gllm_poly_plus(&c->p, (uint16_t)b->imm, (int64_t)(minus ? 0 - c->v[index].imm : c->v[index].imm));
		return gllm_canon_ptr(c, b->aux, p, b->a, val_index_bytes(b));
	}
	if (gllm_canon_as_poly(c, index, &p))
		return gllm_canon_ptr(c, b->aux, gllm_poly_add(&c->p, (uint16_t)b->imm, p, minus ? -1 : 1), b->a, val_index_bytes(b));
	if (minus || b->a != VAL_NONE || c->v[index].type != GLLM_I64 || is(c, index, VAL_PTR))
		return POISON;
	uint16_t offset = (uint16_t)b->imm;
	uint32_t bytes = 1;
	index = indexed(c, index, &offset, &bytes);
	return gllm_canon_ptr(c, b->aux, offset, index, bytes);
}

/* A polynomial that is a multiple of a power of two: below that it has no bits to clear, and to set them is to add. */
static uint16_t multiple_bits(struct canon *c, unsigned op, uint16_t a, uint16_t b)
{
	uint16_t p, x = is_const(c, a) ? b : a, k = is_const(c, a) ? a : b;
	if ((op != GLLM_N_AND && op != GLLM_N_OR) || !is(c, x, GLLM_N_INDEX) || !is_const(c, k))
		return VAL_NONE;
	p = (uint16_t)c->v[x].imm;
	uint64_t below = content(c, p) - 1u, bits = c->v[k].imm;
	if (op == GLLM_N_AND)
		return (bits | below) == ~UINT64_C(0) ? x : VAL_NONE;
	return bits & ~below ? VAL_NONE : gllm_canon_poly(c, gllm_poly_plus(&c->p, p, (int64_t)bits));
}

static uint16_t int64_const(struct canon *c, unsigned op, uint16_t p, uint64_t k)
{
	switch (op) {
	case GLLM_N_ADD: return gllm_poly_plus(&c->p, p, (int64_t)k);
	case GLLM_N_SUB: return gllm_poly_plus(&c->p, p, (int64_t)(0 - k));
	case GLLM_N_MUL: return gllm_poly_add(&c->p, 0, p, (int64_t)k);
	default:         return gllm_poly_add(&c->p, 0, p, (int64_t)(UINT64_C(1) << (k & 63)));
	}
}

static uint16_t address(struct canon *c, unsigned op, uint16_t a, uint16_t b)
{
	const struct val *x = &c->v[a], *y = &c->v[b];
	if (GLLM_RARELY(op == GLLM_N_SUB) && val_same_base(x, y))
		return gllm_canon_poly(c, gllm_poly_add(&c->p, (uint16_t)x->imm, (uint16_t)y->imm, -1));
	if (x->op == VAL_PTR)
		return op == GLLM_N_ADD || op == GLLM_N_SUB ? point(c, a, gllm_canon_as(c, b, GLLM_I64), op == GLLM_N_SUB) : POISON;
	return op == GLLM_N_ADD ? point(c, b, gllm_canon_as(c, a, GLLM_I64), false) : POISON;
}

static uint16_t int64(struct canon *c, unsigned op, uint16_t a, uint16_t b)
{
	uint16_t p, q, r = POLY_NONE;
	if (GLLM_MOSTLY(is(c, a, VAL_PTR)) || is(c, b, VAL_PTR))
		return address(c, op, a, b);
	if ((op == GLLM_N_ADD || op == GLLM_N_SUB || op == GLLM_N_MUL || op == GLLM_N_SHL) && gllm_canon_as_poly(c, a, &p)) {
		if (is_const(c, b) && c->v[b].type != GLLM_F32)
			r = int64_const(c, op, p, c->v[b].imm);
		else if (op != GLLM_N_SHL && gllm_canon_as_poly(c, b, &q))
			r = op == GLLM_N_MUL ? gllm_poly_mul(&c->p, p, q) : gllm_poly_add(&c->p, p, q, op == GLLM_N_ADD ? 1 : -1);
		if (r != POLY_NONE)
			return gllm_canon_poly(c, r);
	}
	r = gllm_bits_op(c, op, 64, a, b);
	if (r == VAL_NONE)
		r = multiple_bits(c, op, a, b);
	if (r != VAL_NONE)
		return r;
	a = gllm_canon_as(c, a, GLLM_I64);
	b = gllm_canon_as(c, b, GLLM_I64);
	if (a == POISON || b == POISON)
		return POISON;
	if (is_const(c, a) && is_const(c, b))
		return gllm_canon_const(c, GLLM_I64, fold(op, 64, c->v[a].imm, c->v[b].imm));
	if ((op == GLLM_N_SHL || op == GLLM_N_SHR || op == GLLM_N_SAR) && !is_const(c, b))
		return POISON;
	if (commutes(op))
		order(&a, &b);
	return gllm_canon_node(c, op, GLLM_I64, a, b, VAL_NONE, 0);
}

/* What an inserted byte or half keeps of a register. */
static bool keeps_upper(const struct canon *c, uint16_t b)
{
	return is_const(c, b) && (c->v[b].imm == ~UINT64_C(0xff) || c->v[b].imm == ~UINT64_C(0xffff));
}

uint16_t gllm_canon_int(struct canon *c, unsigned op, unsigned w, uint16_t a, uint16_t b)
{
	if (GLLM_RARELY(op == GLLM_N_AND && w == 64) && keeps_upper(c, b)) /* that may be cut off again */
		a = gllm_bits_any(c, a);
	if (GLLM_RARELY(a == POISON || b == POISON))
		return POISON;
	if (GLLM_RARELY(w == 8 || w == 16)) { /* in 32 bits, and cut back */
		a = op == GLLM_N_SAR ? gllm_canon_sext(c, a, w, 32) : gllm_canon_zext(c, a, w);
		b = op == GLLM_N_SHL || op == GLLM_N_SHR || op == GLLM_N_SAR ? b : gllm_canon_zext(c, b, w);
		if (a == POISON || b == POISON)
			return POISON;
		return gllm_canon_zext(c, int32(c, op, a, b), w);
	}
	if (GLLM_MOSTLY(w == 64))
		return int64(c, op, a, b);
	return w == 32 ? int32(c, op, a, b) : POISON;
}

uint16_t gllm_canon_zext(struct canon *c, uint16_t v, unsigned from)
{
	if (v == POISON || is(c, v, VAL_PTR))
		return POISON;
	if (bits_of(c->v[v].type) <= from)
		return v;
	if (is_const(c, v))
		return gllm_canon_const(c, GLLM_I64, low(c->v[v].imm, from));
	uint16_t r = gllm_bits_zext(c, v, from);
	if (r != VAL_NONE)
		return r;
	if (const_arms(c, v) && low(c->v[c->v[v].b].imm, from) == c->v[c->v[v].b].imm &&
	    low(c->v[c->v[v].c].imm, from) == c->v[c->v[v].c].imm)
		return v;
	if (from == 32)
		return low32(c, v);
	if (narrow(c, v, from))
		return v;
	return from == 8 || from == 16 ? int32(c, GLLM_N_AND, v, gllm_canon_const(c, GLLM_I32, low(~UINT64_C(0), from))) : POISON;
}

uint16_t gllm_canon_sext(struct canon *c, uint16_t v, unsigned from, unsigned to)
{
	if (v == POISON || (from != 8 && from != 16 && from != 32))
		return POISON;
	if (is_const(c, v))
		return gllm_canon_const(c, to == 32 ? GLLM_I32 : GLLM_I64,
		                   (uint64_t)((int64_t)(c->v[v].imm << (64 - from)) >> (64 - from)));
	uint16_t r = gllm_bits_sext(c, v, from, to);
	if (r != VAL_NONE)
		return r;
	if (from != 32) {
		unsigned small = from == 8 ? GLLM_I8 : GLLM_I16;
		v = gllm_canon_node(c, GLLM_N_CVT, GLLM_I32, gllm_canon_as(c, v, small), VAL_NONE, VAL_NONE, 0);
	}
	v = gllm_canon_as(c, v, GLLM_I32);
	return to == 32 ? v : gllm_canon_node(c, GLLM_N_CVT, GLLM_I64, v, VAL_NONE, VAL_NONE, 0);
}

uint16_t gllm_canon_int_to_float(struct canon *c, uint16_t v, unsigned w, bool is_signed)
{
	uint16_t p;
	if (v != POISON && c->v[v].type != GLLM_I64 && gllm_bits_below(c, v, INT32_MAX)) {
		v = gllm_canon_as(c, v, GLLM_I32);
	} else if (w == 64 && gllm_canon_as_poly(c, v, &p)) {
		if (!is_signed && gllm_poly_range(&c->p, p).low < 0)
			return POISON;
		v = gllm_canon_poly(c, p);
	} else if (w == 64) {
		v = gllm_canon_as(c, v, GLLM_I64);
		if (!is_signed)
			return POISON;
		if (is(c, v, GLLM_N_CVT) && bits_of(c->v[c->v[v].a].type) == 32)
			v = c->v[v].a;
	} else {
		v = gllm_canon_as(c, v, is_signed || bits_of(c->v[v].type) < 32 || narrow(c, v, 31) ? GLLM_I32 : GLLM_U32);
	}
	return gllm_canon_node(c, GLLM_N_CVT, GLLM_F32, v, VAL_NONE, VAL_NONE, 0);
}
