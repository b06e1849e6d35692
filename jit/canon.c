/* SPDX-License-Identifier: MIT
 * jit/canon.c - makes canonical values; every rewrite is exact for all bit patterns but the sign and payload of NaN. */
#include "core/bits.h"
#include "core/sem.h"
#include "jit/canon.h"
#include "jit/canon_bits.h"

#define SIGN 0x80000000u
#define QUIET_NAN 0x7fc00000u
#define ONE  0x3f800000u
#define TWO  0x40000000u

void gllm_canon_init(struct canon *c)
{
	c->n = c->naccesses = c->nduties = c->ntables = c->nfields = 0;
	c->nbits = 1;
	c->full = false;
	_Static_assert(VAL_NONE == 0xffff, "what the bytes make");
	__builtin_memset(c->bucket, 0xff, sizeof c->bucket);
	gllm_polys_init(&c->p);
	gllm_canon_fresh(c, VAL_POISON, GLLM_I64, -1);
	gllm_canon_fresh(c, VAL_TRUE, GLLM_MASK, -1);
}

/* ---- tables ---------------------------------------------------------------------------------------------------- */

/* val.head of what is to be a value. */
static inline uint64_t head(unsigned op, unsigned type, int loop, unsigned aux, uint16_t a, uint16_t b)
{
	_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the first field is lowest");
	return op | (uint64_t)type << 8 | (uint64_t)(uint8_t)loop << 16 | (uint64_t)aux << 24 | (uint64_t)a << 32 | (uint64_t)b << 48;
}

static inline uint16_t add(struct canon *c, uint64_t of, uint16_t third, uint64_t imm, uint16_t next)
{
	struct val *v = &c->v[c->n];
	if (c->n == VAL_MAX) {
		c->full = true;
		return POISON;
	}
	*v = (struct val){ .head = of, .c = third, .next = next, .imm = imm };
	return (uint16_t)c->n++;
}

static uint16_t intern(struct canon *c, uint64_t of, uint16_t third, uint64_t imm)
{
	const uint64_t one = UINT64_C(0x9e3779b97f4a7c15), two = UINT64_C(0xbf58476d1ce4e5b9);
	uint16_t *bucket = &c->bucket[((of ^ (uint64_t)third << 8) * one + imm * two) >> 55];
	_Static_assert(VAL_BUCKETS == 512, "nine bits");
	for (uint16_t i = *bucket; i != VAL_NONE; i = c->v[i].next)
		if (c->v[i].head == of && c->v[i].imm == imm && c->v[i].c == third)
			return i;
	uint16_t made = add(c, of, third, imm, *bucket);
	if (made != POISON)
		*bucket = made;
	return made;
}

uint16_t gllm_canon_fresh(struct canon *c, unsigned op, unsigned type, int loop)
{
	return add(c, head(op, type, loop, 0, VAL_NONE, VAL_NONE), VAL_NONE, 0, VAL_NONE);
}

static int innermost(const struct canon *c, uint16_t a, uint16_t b)
{
	int x = a != VAL_NONE ? c->v[a].loop : -1, y = b != VAL_NONE ? c->v[b].loop : -1;
	return x > y ? x : y;
}

static inline uint16_t node(struct canon *c, unsigned op, unsigned type, unsigned aux, uint16_t a, uint16_t b, uint16_t d, uint64_t imm)
{
	int loop = innermost(c, a, b);
	if (a == POISON || b == POISON || d == POISON)
		return POISON;
	if (d != VAL_NONE && c->v[d].loop > loop)
		loop = c->v[d].loop;
	return intern(c, head(op, type, loop, aux, a, b), d, imm);
}

uint16_t gllm_canon_node(struct canon *c, unsigned op, unsigned type, uint16_t a, uint16_t b, uint16_t d, uint64_t imm)
{
	return node(c, op, type, 0, a, b, d, imm);
}

static inline unsigned bits_of(unsigned type)
{
	static const uint8_t bits[] = {
#define T(name, bytes, ctype) 8 * (bytes),
		GLLM_TYPES(T)
#undef T
	};
	return bits[type];
}

static uint64_t low(uint64_t v, unsigned w)
{
	return w >= 64 ? v : v & ((UINT64_C(1) << w) - 1);
}

uint16_t gllm_canon_const(struct canon *c, unsigned type, uint64_t bits)
{
	return intern(c, head(GLLM_N_CONST, type, -1, 0, VAL_NONE, VAL_NONE), VAL_NONE, low(bits, bits_of(type)));
}

uint16_t gllm_canon_poly(struct canon *c, uint16_t poly)
{
	int64_t k;
	if (poly == POLY_NONE)
		return POISON;
	if (gllm_poly_is_constant(&c->p, poly, &k))
		return gllm_canon_const(c, GLLM_I64, (uint64_t)k);
	return intern(c, head(GLLM_N_INDEX, GLLM_I64, gllm_poly_loop(&c->p, poly), 0, VAL_NONE, VAL_NONE), VAL_NONE, poly);
}

uint16_t gllm_canon_ptr(struct canon *c, unsigned param, uint16_t poly, uint16_t index, uint32_t index_bytes)
{
	int loop = gllm_poly_loop(&c->p, poly), of = innermost(c, index, VAL_NONE);
	if (poly == POLY_NONE || index == POISON || index_bytes > 0x7fff)
		return POISON;
	return intern(c, head(VAL_PTR, GLLM_I64, loop > of ? loop : of, param, index, VAL_NONE), VAL_NONE,
	              poly | (uint64_t)index_bytes << 16);
}

uint16_t gllm_canon_access(struct canon *c, const struct val_access *a)
{
	for (unsigned i = 0; i < c->naccesses; i++) {
		const struct val_access *o = &c->access[i];
		if (o->param == a->param && o->type == a->type && o->index == a->index && o->poly == a->poly &&
		    o->index_bytes == a->index_bytes)
			return (uint16_t)i;
	}
	if (c->naccesses == VAL_ACCESSES)
		return VAL_NONE;
	c->access[c->naccesses] = *a;
	return (uint16_t)c->naccesses++;
}

uint16_t gllm_canon_table(struct canon *c, unsigned type, const unsigned char *data, uint32_t bytes)
{
	uint64_t h = type;
	for (uint32_t i = 0; i < bytes; i++)
		h = (h ^ data[i]) * UINT64_C(0x100000001b3);
	for (unsigned i = 0; i < c->ntables; i++) {
		bool same = c->table_hash[i] == h && c->table[i].type == type && c->table[i].bytes == bytes;
		for (uint32_t k = 0; same && c->table[i].data != data && k < bytes; k++)
			same = c->table[i].data[k] == data[k];
		if (same)
			return (uint16_t)(GLLM_TRACE_PARAMS + i);
	}
	if (c->ntables == GLLM_TRACE_TABLES)
		return VAL_NONE;
	c->table_hash[c->ntables] = h;
	c->table[c->ntables] = (struct gllm_table){ .type = (uint8_t)type, .bytes = bytes, .data = data };
	return (uint16_t)(GLLM_TRACE_PARAMS + c->ntables++);
}

uint16_t gllm_canon_load(struct canon *c, uint16_t access, unsigned version, int loop)
{
	return intern(c, head(GLLM_N_LOAD, c->access[access].type, loop, 0, c->access[access].index, VAL_NONE), VAL_NONE,
	              access | (uint64_t)version << 16);
}

uint16_t gllm_canon_last(struct canon *c, uint16_t carry, int loop)
{
	return intern(c, head(GLLM_N_LAST, c->v[carry].type, loop, 0, carry, VAL_NONE), VAL_NONE, 0);
}

void gllm_canon_duty(struct canon *c, uint16_t poly, int64_t least, int64_t most)
{
	if (c->nduties == VAL_DUTIES)
		c->full = true;
	else
		c->duty[c->nduties++] = (struct duty){ poly, least, most };
}

/* ---- types ----------------------------------------------------------------------------------------------------- */

static bool is_const(const struct canon *c, uint16_t v)
{
	return c->v[v].op == GLLM_N_CONST;
}

static bool is(const struct canon *c, uint16_t v, unsigned op)
{
	return c->v[v].op == op;
}

static unsigned unsigned_type(unsigned w)
{
	return w == 8 ? GLLM_U8 : w == 16 ? GLLM_U16 : w == 32 ? GLLM_U32 : GLLM_I64;
}

/* The same bits as another type of the same size. */
static uint16_t rename_bits(struct canon *c, uint16_t v, unsigned type)
{
	if (is(c, v, GLLM_N_BITS))
		v = c->v[v].a;
	return c->v[v].type == type ? v : gllm_canon_node(c, GLLM_N_BITS, type, v, VAL_NONE, VAL_NONE, 0);
}

uint16_t gllm_canon_convert(struct canon *c, uint16_t v, unsigned type)
{
	const struct val *x = &c->v[v];
	unsigned from = bits_of(x->type), to = bits_of(type);
	if (x->op == VAL_PTR || x->type == GLLM_MASK || type == GLLM_MASK)
		return POISON;
	if (x->op == GLLM_N_CONST)
		return gllm_canon_const(c, type, x->imm);
	if (from == to)
		return rename_bits(c, v, type);
	if (from < to) {
		unsigned wider = type == GLLM_F32 ? GLLM_I32 : type;
		if (from < 32 || !gllm_bits_below(c, v, INT32_MAX)) /* else its sign is known to be 0 */
			v = rename_bits(c, v, unsigned_type(from));
		v = gllm_canon_node(c, GLLM_N_CVT, wider, v, VAL_NONE, VAL_NONE, 0);
		return v == POISON ? POISON : rename_bits(c, v, type);
	}
	/* narrower: what was widened comes back as it was */
	if (x->op == GLLM_N_CVT && c->v[x->a].type != GLLM_F32 && bits_of(c->v[x->a].type) == to)
		return rename_bits(c, x->a, type);
	if (to == 32) {
		uint16_t cut = gllm_canon_node(c, GLLM_N_CVT, GLLM_I32, v, VAL_NONE, VAL_NONE, 0);
		return rename_bits(c, cut, type);
	}
	v = from == 32 ? rename_bits(c, v, GLLM_I32) : v;
	return rename_bits(c, gllm_canon_node(c, GLLM_N_CVT, unsigned_type(to), v, VAL_NONE, VAL_NONE, 0), type);
}

/* A polynomial equal to the value's low 32 bits modulo 2^32. */
static bool poly_mod32(struct canon *c, uint16_t v, uint16_t *poly)
{
	const struct val *x = &c->v[v];
	if (x->op == GLLM_N_BITS)
		x = &c->v[x->a];
	if (x->op == GLLM_N_CONST && x->type != GLLM_F32) {
		*poly = gllm_poly_constant(&c->p, (int32_t)(uint32_t)x->imm);
		return *poly != POLY_NONE;
	}
	if (x->op == GLLM_N_CVT && bits_of(x->type) == 32)
		x = &c->v[x->a];
	if (x->op != GLLM_N_INDEX)
		return false;
	*poly = (uint16_t)x->imm;
	return true;
}

bool gllm_canon_as_poly(struct canon *c, uint16_t v, uint16_t *poly)
{
	const struct val *x = &c->v[v];
	if (x->op == GLLM_N_CONST && x->type != GLLM_F32) {
		*poly = gllm_poly_constant(&c->p, (int64_t)x->imm);
		return *poly != POLY_NONE;
	}
	if (x->op == GLLM_N_INDEX) {
		*poly = (uint16_t)x->imm;
		return true;
	}
	bool sign = x->op == GLLM_N_CVT && x->type == GLLM_I64 && c->v[x->a].type == GLLM_I32;
	if (x->op == GLLM_N_CVT && x->type == GLLM_I64)
		x = &c->v[x->a];
	if (x->op == GLLM_N_BITS)
		x = &c->v[x->a];
	if (x->op != GLLM_N_CVT || bits_of(x->type) != 32 || !is(c, x->a, GLLM_N_INDEX))
		return false;
	*poly = (uint16_t)c->v[x->a].imm;
	gllm_canon_duty(c, *poly, sign ? INT32_MIN : 0, sign ? INT32_MAX : UINT32_MAX);
	return true;
}

/* ---- floats ---------------------------------------------------------------------------------------------------- */

static void order(uint16_t *a, uint16_t *b)
{
	if (*a > *b) {
		uint16_t t = *a;
		*a = *b;
		*b = t;
	}
}

static uint16_t negate(struct canon *c, uint16_t v)
{
	if (is(c, v, GLLM_N_NEG))
		return c->v[v].a;
	if (is_const(c, v))
		return gllm_canon_const(c, GLLM_F32, c->v[v].imm ^ SIGN);
	return gllm_canon_node(c, GLLM_N_NEG, GLLM_F32, v, VAL_NONE, VAL_NONE, 0);
}

/* Takes the sign off a factor: a negation or a negative constant. */
static uint16_t factor(struct canon *c, uint16_t v, bool *negative)
{
	bool minus = is(c, v, GLLM_N_NEG) || (is_const(c, v) && c->v[v].imm & SIGN);
	*negative = *negative != minus;
	return minus ? negate(c, v) : v;
}

/* The power of two whose product is the quotient by k, if there is one and both are normal; 0 otherwise. */
static uint32_t reciprocal(uint64_t k)
{
	uint32_t exponent = (uint32_t)k >> 23 & 0xff;
	return k & 0x7fffff || exponent < 1 || exponent > 253 ? 0 : (254 - exponent) << 23;
}

/* a, which is not negative, times or by a constant: 1 and 2 need none, and powers of two multiply. */
static uint16_t scaled(struct canon *c, unsigned *op, uint16_t a, uint16_t *b)
{
	uint32_t inverse = *op == GLLM_N_DIV ? reciprocal(c->v[*b].imm) : 0;
	if (inverse) {
		*op = GLLM_N_MUL;
		*b = gllm_canon_const(c, GLLM_F32, inverse);
	}
	if (c->v[*b].imm == ONE)
		return a;
	return *op == GLLM_N_MUL && c->v[*b].imm == TWO ? gllm_canon_node(c, GLLM_N_ADD, GLLM_F32, a, a, VAL_NONE, 0) : VAL_NONE;
}

/* (i ? 1 : s) * x  is  i ? x : s * x */
static uint16_t distributed(struct canon *c, uint16_t pick, uint16_t x)
{
	const struct val *s = &c->v[pick];
	bool first = s->op == GLLM_N_SELECT && is_const(c, s->b) && c->v[s->b].imm == ONE;
	bool second = s->op == GLLM_N_SELECT && is_const(c, s->c) && c->v[s->c].imm == ONE;
	if (first == second)
		return VAL_NONE;
	uint16_t p = first ? s->c : s->b, q = x;
	if (is_const(c, p) || is(c, p, GLLM_N_NEG))
		return VAL_NONE;
	order(&p, &q);
	uint16_t v = gllm_canon_node(c, GLLM_N_MUL, GLLM_F32, p, q, VAL_NONE, 0);
	return gllm_canon_select(c, (cond_t)s->a << 1, first ? x : v, first ? v : x);
}

uint16_t gllm_canon_product(struct canon *c, unsigned op, uint16_t a, uint16_t b)
{
	a = gllm_canon_as(c, a, GLLM_F32);
	b = gllm_canon_as(c, b, GLLM_F32);
	if (a == POISON || b == POISON)
		return POISON;
	if (op == GLLM_N_DIV && is_const(c, a) && is_const(c, b) && !(c->v[a].imm << 33) && !(c->v[b].imm << 33))
		return gllm_canon_const(c, GLLM_F32, QUIET_NAN);
	uint16_t picked = op == GLLM_N_MUL ? distributed(c, a, b) : VAL_NONE;
	if (op == GLLM_N_MUL && picked == VAL_NONE)
		picked = distributed(c, b, a);
	if (picked != VAL_NONE)
		return picked;
	bool negative = false;
	a = factor(c, a, &negative);
	b = factor(c, b, &negative);
	if (op == GLLM_N_MUL && is_const(c, a)) {
		uint16_t t = a;
		a = b;
		b = t;
	}
	uint16_t v = is_const(c, b) ? scaled(c, &op, a, &b) : VAL_NONE;
	if (op == GLLM_N_MUL)
		order(&a, &b);
	if (v == VAL_NONE)
		v = gllm_canon_node(c, op, GLLM_F32, a, b, VAL_NONE, 0);
	return negative ? negate(c, v) : v;
}

/* k + (i ? v : 0)  is  i ? k + v : k  for a constant k other than 0, and so for a difference. */
static uint16_t shared(struct canon *c, bool minus, uint16_t k, uint16_t pick)
{
	const struct val *s = &c->v[pick];
	if (!is_const(c, k) || !(c->v[k].imm << 33) || s->op != GLLM_N_SELECT || is_const(c, s->b) == is_const(c, s->c))
		return VAL_NONE;
	bool first = is_const(c, s->c); /* the arm that is not constant */
	uint16_t v = first ? s->b : s->c, p = k;
	if (c->v[first ? s->c : s->b].imm << 33 || is(c, v, GLLM_N_NEG))
		return VAL_NONE;
	if (!minus && c->v[k].imm & SIGN) { /* as a sum with -k is written */
		v = gllm_canon_node(c, GLLM_N_SUB, GLLM_F32, v, negate(c, k), VAL_NONE, 0);
	} else {
		if (!minus)
			order(&p, &v);
		v = gllm_canon_node(c, minus ? GLLM_N_SUB : GLLM_N_ADD, GLLM_F32, p, v, VAL_NONE, 0);
	}
	return gllm_canon_select(c, (cond_t)s->a << 1, first ? v : k, first ? k : v);
}

uint16_t gllm_canon_sum(struct canon *c, bool minus, uint16_t a, uint16_t b)
{
	a = gllm_canon_as(c, a, GLLM_F32);
	b = gllm_canon_as(c, b, GLLM_F32);
	if (a == POISON || b == POISON)
		return POISON;
	uint16_t split = shared(c, minus, a, b);
	if (split == VAL_NONE && !minus)
		split = shared(c, false, b, a);
	if (split != VAL_NONE)
		return split;
	if (is_const(c, a) && !minus) {
		uint16_t t = a;
		a = b;
		b = t;
	}
	if (is_const(c, b) && c->v[b].imm & SIGN) { /* x - -k is x + k, and x + -k is x - k */
		b = negate(c, b);
		minus = !minus;
	}
	if (is(c, b, GLLM_N_NEG)) {
		b = c->v[b].a;
		minus = !minus;
	}
	if (is(c, a, GLLM_N_NEG) && !minus) { /* -a + b is b - a */
		uint16_t t = c->v[a].a;
		a = b;
		b = t;
		minus = true;
	} else if (is(c, a, GLLM_N_NEG)) {    /* -a - b is -b - a */
		uint16_t t = c->v[a].a;
		order(&t, &b);
		if (is_const(c, b)) { /* -x - k is -k - x */
			uint16_t k = b;
			b = t;
			t = k;
		}
		a = negate(c, t);
	}
	if (!minus)
		order(&a, &b);
	return gllm_canon_node(c, minus ? GLLM_N_SUB : GLLM_N_ADD, GLLM_F32, a, b, VAL_NONE, 0);
}

uint16_t gllm_canon_float(struct canon *c, unsigned op, uint16_t a, uint16_t b, uint16_t d)
{
	a = gllm_canon_as(c, a, GLLM_F32);
	b = b == VAL_NONE || op == GLLM_N_LDEXP ? b : gllm_canon_as(c, b, GLLM_F32);
	d = d == VAL_NONE ? d : gllm_canon_as(c, d, GLLM_F32);
	if (a == POISON || b == POISON || d == POISON)
		return POISON;
	switch (op) {
	case GLLM_N_ADD: case GLLM_N_SUB: return gllm_canon_sum(c, op == GLLM_N_SUB, a, b);
	case GLLM_N_MUL: case GLLM_N_DIV: return gllm_canon_product(c, op, a, b);
	case GLLM_N_NEG: return negate(c, a);
	case GLLM_N_ABS:
		if (is(c, a, GLLM_N_NEG) || is(c, a, GLLM_N_ABS))
			a = c->v[a].a;
		if (is_const(c, a))
			return gllm_canon_const(c, GLLM_F32, c->v[a].imm & ~(uint64_t)SIGN);
		break;
	case GLLM_N_FMA: order(&a, &b); break;
	default: break;
	}
	return gllm_canon_node(c, op, GLLM_F32, a, b, d, 0);
}

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

/* ---- integers -------------------------------------------------------------------------------------------------- */

static uint16_t strip_bits(const struct canon *c, uint16_t v)
{
	return is(c, v, GLLM_N_BITS) ? c->v[v].a : v;
}

static bool const_arms(const struct canon *c, uint16_t v)
{
	return is(c, v, GLLM_N_SELECT) && is_const(c, c->v[v].b) && is_const(c, c->v[v].c);
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

static bool zero_const(const struct canon *c, uint16_t v)
{
	return is_const(c, v) && c->v[v].imm == 0;
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
		return negate(c, gllm_canon_float(c, GLLM_N_ABS, x, VAL_NONE, VAL_NONE));
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
	if (poly_mod32(c, a, &p) && poly_mod32(c, b, &q)) {
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

static uint16_t int64(struct canon *c, unsigned op, uint16_t a, uint16_t b)
{
	uint16_t p, q, r = POLY_NONE;
	if (is(c, a, VAL_PTR) && is(c, b, VAL_PTR) && op == GLLM_N_SUB && c->v[a].aux == c->v[b].aux && c->v[a].a == c->v[b].a &&
	    val_index_bytes(&c->v[a]) == val_index_bytes(&c->v[b]))
		return gllm_canon_poly(c, gllm_poly_add(&c->p, (uint16_t)c->v[a].imm, (uint16_t)c->v[b].imm, -1));
	if (is(c, a, VAL_PTR))
		return op == GLLM_N_ADD || op == GLLM_N_SUB ? point(c, a, gllm_canon_as(c, b, GLLM_I64), op == GLLM_N_SUB) : POISON;
	if (is(c, b, VAL_PTR))
		return op == GLLM_N_ADD ? point(c, b, gllm_canon_as(c, a, GLLM_I64), false) : POISON;
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
static bool keeps_upper(const struct canon *c, unsigned op, unsigned w, uint16_t b)
{
	return op == GLLM_N_AND && w == 64 && is_const(c, b) && (c->v[b].imm == ~UINT64_C(0xff) || c->v[b].imm == ~UINT64_C(0xffff));
}

uint16_t gllm_canon_int(struct canon *c, unsigned op, unsigned w, uint16_t a, uint16_t b)
{
	if (keeps_upper(c, op, w, b)) /* that may be cut off again */
		a = gllm_bits_any(c, a);
	if (a == POISON || b == POISON)
		return POISON;
	if (w == 8 || w == 16) { /* in 32 bits, and cut back */
		a = op == GLLM_N_SAR ? gllm_canon_sext(c, a, w, 32) : gllm_canon_zext(c, a, w);
		b = op == GLLM_N_SHL || op == GLLM_N_SHR || op == GLLM_N_SAR ? b : gllm_canon_zext(c, b, w);
		if (a == POISON || b == POISON)
			return POISON;
		return gllm_canon_zext(c, int32(c, op, a, b), w);
	}
	if (w == 32)
		return int32(c, op, a, b);
	return w == 64 ? int64(c, op, a, b) : POISON;
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

/* ---- conditions ------------------------------------------------------------------------------------------------ */

unsigned gllm_canon_truth(unsigned fcc)
{
	static const uint8_t truth[] = {
		[GLLM_CC_NEVER] = 0, [GLLM_CC_ALWAYS] = 15,
		[GLLM_CC_FOEQ] = 2, [GLLM_CC_FUEQ] = 10, [GLLM_CC_FONE] = 5, [GLLM_CC_FUNE] = 13,
		[GLLM_CC_FOLT] = 1, [GLLM_CC_FULT] = 9, [GLLM_CC_FOLE] = 3, [GLLM_CC_FULE] = 11,
		[GLLM_CC_FOGT] = 4, [GLLM_CC_FUGT] = 12, [GLLM_CC_FOGE] = 6, [GLLM_CC_FUGE] = 14,
		[GLLM_CC_FORD] = 7, [GLLM_CC_FUNO] = 8,
	};
	return fcc < sizeof truth && (fcc <= GLLM_CC_ALWAYS || fcc >= GLLM_CC_FOEQ) ? truth[fcc] : 255;
}

static unsigned swap_outcomes(unsigned truth)
{
	return (truth & (OUT_EQUAL | OUT_UNORDERED)) | (truth & OUT_LESS ? OUT_GREATER : 0u) | (truth & OUT_GREATER ? OUT_LESS : 0u);
}

static bool plain_number(const struct canon *c, uint16_t v)
{
	return is_const(c, v) && (c->v[v].imm & 0x7fffffff) <= 0x7f800000;
}

static uint16_t strip_sign(const struct canon *c, uint16_t v)
{
	while (is(c, v, GLLM_N_NEG) || is(c, v, GLLM_N_ABS))
		v = c->v[v].a;
	return v;
}

/* Of two float patterns, compared without a floating-point unit. */
static unsigned outcome(uint64_t a, uint64_t b)
{
	int64_t x = (int64_t)(a & 0x7fffffff), y = (int64_t)(b & 0x7fffffff);
	if (x > 0x7f800000 || y > 0x7f800000)
		return OUT_UNORDERED;
	x = a & SIGN ? -x : x;
	y = b & SIGN ? -y : y;
	return x < y ? OUT_LESS : x == y ? OUT_EQUAL : OUT_GREATER;
}

/* x <= greatest finite number is x < inf, and so for the least; what is beyond inf counts as equal to it. */
static void edge(struct canon *c, uint16_t x, uint16_t *k, unsigned *truth)
{
	uint64_t bits = is_const(c, *k) && !is_const(c, x) ? c->v[*k].imm : 0, size = bits & 0x7fffffff;
	unsigned inner = bits & SIGN ? OUT_GREATER : OUT_LESS, outer = bits & SIGN ? OUT_LESS : OUT_GREATER;
	if (size == 0x7f7fffff && !(*truth & inner) == !(*truth & OUT_EQUAL)) {
		*k = gllm_canon_const(c, GLLM_F32, bits + 1);
		*truth = (*truth & (inner | outer | OUT_UNORDERED)) | (*truth & outer ? OUT_EQUAL : 0u);
	} else if (size == 0x7f800000) {
		*truth = (*truth & ~outer) | (*truth & OUT_EQUAL ? outer : 0u);
	}
}

cond_t gllm_canon_fcmp(struct canon *c, uint16_t a, uint16_t b, unsigned truth)
{
	a = gllm_canon_as(c, a, GLLM_F32);
	b = gllm_canon_as(c, b, GLLM_F32);
	if (a == POISON || b == POISON || truth > OUT_ALL)
		return COND_POISON;
	bool neg = is(c, a, GLLM_N_NEG) && (is(c, b, GLLM_N_NEG) || is_const(c, b));
	neg = neg || (is_const(c, a) && is(c, b, GLLM_N_NEG));
	if (neg) {
		a = negate(c, a);
		b = negate(c, b);
		truth = swap_outcomes(truth);
	}
	if (truth == OUT_UNORDERED || truth == (OUT_ALL & ~OUT_UNORDERED)) {
		a = strip_sign(c, a);
		b = strip_sign(c, b);
		a = plain_number(c, a) ? b : a;
		b = plain_number(c, b) ? a : b;
	}
	if (a == b)
		truth = (truth & OUT_EQUAL ? OUT_EQUAL | OUT_LESS | OUT_GREATER : 0u) | (truth & OUT_UNORDERED);
	edge(c, a, &b, &truth);
	truth = swap_outcomes(truth);
	edge(c, b, &a, &truth);
	truth = swap_outcomes(truth);
	if (is_const(c, a) && is_const(c, b))
		truth = truth & outcome(c->v[a].imm, c->v[b].imm) ? OUT_ALL : 0;
	if (truth == 0 || truth == OUT_ALL)
		return truth ? COND_TRUE : COND_FALSE;
	if (a > b) {
		order(&a, &b);
		truth = swap_outcomes(truth);
	}
	/* of each table and its complement, the one that is a comparison */
	const unsigned direct = 1u << 1 | 1u << 4 | 1u << 3 | 1u << 6 | 1u << 2 | 1u << 8 | 1u << 5;
	bool inverted = !(direct >> truth & 1);
	uint16_t v = node(c, VAL_FCMP, GLLM_MASK, inverted ? OUT_ALL & ~truth : truth, a, b, VAL_NONE, 0);
	return (cond_t)v << 1 | inverted;
}

static cond_t pcond(struct canon *c, uint16_t poly, bool positive)
{
	if (poly == POLY_NONE)
		return COND_POISON;
	bool inverted = false;
	struct poly_range r = gllm_poly_range(&c->p, poly);
	if (!positive && (r.low == 0 || r.high == 0)) { /* p == 0 is not p >= 1, or not -p >= 1 */
		poly = r.low == 0 ? poly : gllm_poly_add(&c->p, 0, poly, -1);
		r = gllm_poly_range(&c->p, poly);
		positive = inverted = true;
	}
	bool always = positive ? r.low >= 1 : r.low == 0 && r.high == 0;
	bool never = positive ? r.high <= 0 : r.low >= 1 || r.high < 0;
	if (always || never)
		return (always ? COND_TRUE : COND_FALSE) ^ inverted;
	uint16_t p = gllm_canon_poly(c, poly), zero = gllm_canon_const(c, GLLM_I64, 0);
	uint16_t v = node(c, VAL_PCOND, GLLM_MASK, positive, positive ? zero : p, positive ? p : zero, VAL_NONE, poly);
	return (cond_t)v << 1 | inverted;
}

static cond_t differ(struct canon *c, uint16_t x, uint16_t y)
{
	cond_t same = pcond(c, gllm_poly_add(&c->p, x, y, -1), false);
	return same == COND_POISON ? same : same ^ 1;
}

/* x > y */
static cond_t more(struct canon *c, uint16_t x, uint16_t y)
{
	return pcond(c, gllm_poly_add(&c->p, x, y, -1), true);
}

/* x <= y */
static cond_t not_more(struct canon *c, uint16_t x, uint16_t y)
{
	cond_t r = more(c, x, y);
	return r == COND_POISON ? r : r ^ 1;
}

/* Compares polynomials x and y, as numbers. Unsigned comparisons need both to be non-negative. */
static cond_t poly_compare(struct canon *c, uint16_t x, uint16_t y, unsigned cc)
{
	switch (cc) {
	case GLLM_CC_ULT: case GLLM_CC_ULE: case GLLM_CC_UGT: case GLLM_CC_UGE:
		if (gllm_poly_range(&c->p, x).low < 0 || gllm_poly_range(&c->p, y).low < 0)
			return COND_POISON;
		break;
	default: break;
	}
	switch (cc) {
	case GLLM_CC_NEVER: return COND_FALSE;
	case GLLM_CC_ALWAYS: return COND_TRUE;
	case GLLM_CC_EQ: return pcond(c, gllm_poly_add(&c->p, x, y, -1), false);
	case GLLM_CC_NE: return differ(c, x, y);
	case GLLM_CC_ULT: case GLLM_CC_SLT: case GLLM_CC_SNEG: return more(c, y, x);
	case GLLM_CC_UGT: case GLLM_CC_SGT: return more(c, x, y);
	case GLLM_CC_UGE: case GLLM_CC_SGE: case GLLM_CC_SPOS: return not_more(c, y, x);
	case GLLM_CC_ULE: case GLLM_CC_SLE: return not_more(c, x, y);
	case GLLM_CC_NOVF: return COND_TRUE;
	case GLLM_CC_OVF: return COND_FALSE;
	default: return COND_POISON;
	}
}

static cond_t data_compare(struct canon *c, uint16_t a, uint16_t b, unsigned w, unsigned cc)
{
	bool is_unsigned = cc == GLLM_CC_ULT || cc == GLLM_CC_ULE || cc == GLLM_CC_UGT || cc == GLLM_CC_UGE;
	unsigned type = w == 64 ? GLLM_I64 : is_unsigned ? GLLM_U32 : GLLM_I32;
	if ((w != 32 && w != 64) || (w == 64 && is_unsigned))
		return COND_POISON;
	a = gllm_canon_as(c, a, type);
	b = gllm_canon_as(c, b, type);
	bool less = true, swap = false, inverted = false;
	switch (cc) {
	case GLLM_CC_EQ: less = false; break;
	case GLLM_CC_NE: less = false; inverted = true; break;
	case GLLM_CC_ULT: case GLLM_CC_SLT: case GLLM_CC_SNEG: break;
	case GLLM_CC_UGE: case GLLM_CC_SGE: case GLLM_CC_SPOS: inverted = true; break;
	case GLLM_CC_UGT: case GLLM_CC_SGT: swap = true; break;
	case GLLM_CC_ULE: case GLLM_CC_SLE: swap = inverted = true; break;
	default: return COND_POISON;
	}
	if ((swap && less) || (!less && a > b)) {
		uint16_t t = a;
		a = b;
		b = t;
	}
	uint16_t r = node(c, VAL_ICMP, GLLM_MASK, less ? 0 : 1, a, b, VAL_NONE, 0);
	return (cond_t)r << 1 | (r != POISON && inverted);
}

static bool const_compare(const struct canon *c, uint16_t a, uint16_t b, unsigned w, unsigned cc, cond_t *r)
{
	if (!is_const(c, a) || !is_const(c, b) || w > 64)
		return false;
	uint64_t x = low(c->v[a].imm, w), y = low(c->v[b].imm, w), flip = UINT64_C(1) << (w - 1);
	bool ult = x < y, slt = (x ^ flip) < (y ^ flip), eq = x == y, truth;
	switch (cc) {
	case GLLM_CC_EQ: truth = eq; break;
	case GLLM_CC_NE: truth = !eq; break;
	case GLLM_CC_ULT: truth = ult; break;
	case GLLM_CC_ULE: truth = ult || eq; break;
	case GLLM_CC_UGT: truth = !ult && !eq; break;
	case GLLM_CC_UGE: truth = !ult; break;
	case GLLM_CC_SLT: truth = slt; break;
	case GLLM_CC_SLE: truth = slt || eq; break;
	case GLLM_CC_SGT: truth = !slt && !eq; break;
	case GLLM_CC_SGE: truth = !slt; break;
	case GLLM_CC_SNEG: truth = (low(x - y, w) & flip) != 0; break;
	case GLLM_CC_SPOS: truth = (low(x - y, w) & flip) == 0; break;
	default: return false;
	}
	*r = truth ? COND_TRUE : COND_FALSE;
	return true;
}

/* (i ? k : l) compared with a constant: decided per arm. */
static cond_t arms_compare(struct canon *c, uint16_t a, uint16_t b, unsigned w, unsigned cc)
{
	const struct val *s = &c->v[a];
	cond_t t, f;
	if (!const_compare(c, s->b, b, w, cc, &t) || !const_compare(c, s->c, b, w, cc, &f))
		return COND_POISON;
	return gllm_canon_cond_select(c, (cond_t)s->a << 1, t, f);
}

cond_t gllm_canon_icmp(struct canon *c, uint16_t a, uint16_t b, unsigned w, unsigned cc)
{
	uint16_t p, q;
	cond_t r;
	if (a == POISON || b == POISON)
		return COND_POISON;
	if (cc == GLLM_CC_NEVER || cc == GLLM_CC_ALWAYS)
		return cc == GLLM_CC_ALWAYS ? COND_TRUE : COND_FALSE;
	if (const_compare(c, a, b, w, cc, &r))
		return r;
	if (w == 8 || w == 16) { /* as unsigned numbers; equality and order only */
		a = gllm_canon_zext(c, a, w);
		b = gllm_canon_zext(c, b, w);
		w = 32;
		if (cc > GLLM_CC_UGE || a == POISON || b == POISON)
			return COND_POISON;
	}
	if (const_arms(c, a) && is_const(c, b))
		return arms_compare(c, a, b, w, cc);
	if ((cc == GLLM_CC_SNEG || cc == GLLM_CC_SPOS) && !zero_const(c, b)) { /* the sign of a - b */
		a = gllm_canon_int(c, GLLM_N_SUB, w, a, b);
		b = gllm_canon_const(c, GLLM_I64, 0);
		if (a == POISON)
			return COND_POISON;
	}
	if (w == 64 && is(c, a, VAL_PTR) && is(c, b, VAL_PTR)) {
		uint16_t d = gllm_canon_int(c, GLLM_N_SUB, 64, a, b);
		if (d == POISON || !gllm_canon_as_poly(c, d, &p))
			return COND_POISON;
		/* addresses of one buffer compare as offsets do */
		return poly_compare(c, (uint16_t)c->v[a].imm, (uint16_t)c->v[b].imm, cc);
	}
	if (is(c, a, VAL_PTR) || is(c, b, VAL_PTR))
		return COND_POISON;
	if (w == 64 && gllm_canon_as_poly(c, a, &p) && gllm_canon_as_poly(c, b, &q))
		return poly_compare(c, p, q, cc);
	if (w == 32 && poly_mod32(c, a, &p) && poly_mod32(c, b, &q)) {
		bool is_signed = cc >= GLLM_CC_SLT && cc <= GLLM_CC_SPOS;
		gllm_canon_duty(c, p, is_signed ? INT32_MIN : 0, is_signed ? INT32_MAX : UINT32_MAX);
		gllm_canon_duty(c, q, is_signed ? INT32_MIN : 0, is_signed ? INT32_MAX : UINT32_MAX);
		return poly_compare(c, p, q, cc);
	}
	return data_compare(c, a, b, w, cc);
}

cond_t gllm_canon_cond_select(struct canon *c, cond_t i, cond_t t, cond_t f)
{
	if (i == COND_TRUE || i == COND_FALSE)
		return i == COND_TRUE ? t : f;
	if (t == f)
		return t;
	if (i == COND_POISON || t == COND_POISON || f == COND_POISON)
		return COND_POISON;
	if (i & 1) {
		cond_t swap = t;
		t = f;
		f = swap;
		i ^= 1;
	}
	if (t == COND_TRUE && f == COND_FALSE)
		return i;
	if (t == COND_FALSE && f == COND_TRUE)
		return i ^ 1;
	uint16_t v = node(c, VAL_MSEL, GLLM_MASK, (t & 1) << 1 | (f & 1) << 2, cond_value(i), cond_value(t), cond_value(f), 0);
	return (cond_t)v << 1;
}

/* ---- selects --------------------------------------------------------------------------------------------------- */

/* The type both arms of a select can have. */
static unsigned common_type(const struct canon *c, uint16_t t, uint16_t f)
{
	unsigned x = c->v[t].type, y = c->v[f].type;
	if (is_const(c, t) && is_const(c, f))
		return x == GLLM_F32 || y == GLLM_F32 ? GLLM_F32 : c->v[t].imm >> 32 || c->v[f].imm >> 32 ? GLLM_I64 : GLLM_I32;
	if (is_const(c, f) && x != GLLM_I64)
		return c->v[f].imm >> 32 ? GLLM_I64 : x;
	if (is_const(c, t) && y != GLLM_I64)
		return c->v[t].imm >> 32 ? GLLM_I64 : y;
	if (x == y)
		return x;
	if (x == GLLM_F32 || y == GLLM_F32)
		return GLLM_F32;
	return x == GLLM_I64 || y == GLLM_I64 ? GLLM_I64 : GLLM_I32;
}

/* What a tree of selects over one pair of floats yields for one outcome of comparing them. */
static uint16_t leaf(const struct canon *c, uint16_t v, const struct val *pair, unsigned outcome)
{
	while (is(c, v, GLLM_N_SELECT)) {
		const struct val *i = &c->v[c->v[v].a];
		if (i->op != VAL_FCMP || i->a != pair->a || i->b != pair->b)
			break;
		v = i->aux & outcome ? c->v[v].b : c->v[v].c;
	}
	return v;
}

/* Joins nested selects over one pair into one select if two values remain. */
static bool flatten(struct canon *c, const struct val *pair, uint16_t t, uint16_t f, cond_t *i, uint16_t *rt, uint16_t *rf)
{
	uint16_t v[4], other = VAL_NONE;
	unsigned truth = 0;
	for (unsigned k = 0; k < 4; k++) {
		v[k] = leaf(c, pair->aux >> k & 1 ? t : f, pair, 1u << k);
		if (pair->a == pair->b && (k == 0 || k == 2))
			v[k] = leaf(c, pair->aux >> 1 & 1 ? t : f, pair, OUT_EQUAL); /* x compared with itself */
		if (v[k] == v[0])
			truth |= 1u << k;
		else if (other == VAL_NONE || other == v[k])
			other = v[k];
		else
			return false;
	}
	*rt = v[0];
	*rf = other == VAL_NONE ? v[0] : other;
	*i = gllm_canon_fcmp(c, pair->a, pair->b, truth);
	return true;
}

static void turn(cond_t *i, uint16_t *t, uint16_t *f)
{
	if (*i & 1) {
		uint16_t swap = *t;
		*t = *f;
		*f = swap;
		*i ^= 1;
	}
}

/* i(x) ? k : j(x) ? m : x  becomes  j(y) ? m : y  with y = i(x) ? k : x, where j(k) is false: the form of nested min
 * and max, which some compilers take apart. i is not negated. */
static void clamp(struct canon *c, cond_t *i, uint16_t *t, uint16_t *f)
{
	const struct val *p = &c->v[cond_value(*i)], *s = &c->v[*f];
	if (p->op != VAL_FCMP || !is_const(c, *t) || s->op != GLLM_N_SELECT || c->v[s->a].op != VAL_FCMP)
		return;
	const struct val *q = &c->v[s->a];
	bool inner_true = is_const(c, s->b);          /* which arm of the inner select is m */
	uint16_t m = inner_true ? s->b : s->c, x = inner_true ? s->c : s->b;
	if (!is_const(c, m) || is_const(c, x))
		return;
	unsigned truth = inner_true ? q->aux : OUT_ALL & ~(unsigned)q->aux;
	uint16_t of = x, with = m; /* the comparison of x and m may be written as one of -x and -m */
	if (is(c, x, GLLM_N_NEG) && q->a != x && q->b != x) {
		of = c->v[x].a;
		with = negate(c, m);
		truth = swap_outcomes(truth);
	}
	if (p->a != of && p->b != of)
		return;
	if (q->a == with && q->b == of)
		truth = swap_outcomes(truth);
	else if (q->a != of || q->b != with)
		return;
	if (gllm_canon_fcmp(c, *t, m, truth) != COND_FALSE)
		return;
	uint16_t y = gllm_canon_node(c, GLLM_N_SELECT, GLLM_F32, cond_value(*i), *t, x, 0);
	*i = gllm_canon_fcmp(c, y, m, truth);
	*t = m;
	*f = y;
	turn(i, t, f);
}

/* v where condition i has the given outcome, one select deep. */
static uint16_t given(struct canon *c, uint16_t v, uint16_t i, bool outcome)
{
	if (!is(c, v, GLLM_N_SELECT))
		return v;
	if (c->v[v].a == i)
		return outcome ? c->v[v].b : c->v[v].c;
	uint16_t arm[2] = { c->v[v].b, c->v[v].c };
	bool changed = false;
	for (unsigned k = 0; k < 2; k++) {
		if (!is(c, arm[k], GLLM_N_SELECT) || c->v[arm[k]].a != i)
			continue;
		arm[k] = outcome ? c->v[arm[k]].b : c->v[arm[k]].c;
		changed = true;
	}
	if (!changed)
		return v;
	return arm[0] == arm[1] ? arm[0] : gllm_canon_node(c, GLLM_N_SELECT, c->v[v].type, c->v[v].a, arm[0], arm[1], 0);
}

/* Of x and a number other than 0, where both are equal it does not matter which is chosen. */
static void choose_on_equality(struct canon *c, cond_t *i, uint16_t *t, uint16_t *f)
{
	const struct val *pair = &c->v[cond_value(*i)];
	uint16_t k = is_const(c, *t) ? *t : *f;
	bool arms = pair->op == VAL_FCMP && ((pair->a == *t && pair->b == *f) || (pair->a == *f && pair->b == *t));
	if (!arms || !(pair->aux & OUT_EQUAL) || !plain_number(c, k) || !(c->v[k].imm << 33))
		return;
	*i = gllm_canon_fcmp(c, pair->a, pair->b, pair->aux & ~(unsigned)OUT_EQUAL);
	turn(i, t, f);
}

/* A select of a condition that is a value; t and f have one type. */
static uint16_t plain_select(struct canon *c, cond_t i, uint16_t t, uint16_t f)
{
	unsigned type = c->v[t].type;
	turn(&i, &t, &f);
	if (c->v[cond_value(i)].op == VAL_FCMP) {
		const struct val *pair = &c->v[cond_value(i)];
		if (flatten(c, pair, t, f, &i, &t, &f))
			turn(&i, &t, &f);
	}
	choose_on_equality(c, &i, &t, &f);
	t = given(c, t, cond_value(i), true);
	f = given(c, f, cond_value(i), false);
	if (t == f || i == COND_TRUE || i == COND_FALSE)
		return i == COND_FALSE ? f : t;
	clamp(c, &i, &t, &f);
	return gllm_canon_node(c, GLLM_N_SELECT, type, cond_value(i), t, f, 0);
}

static uint16_t any_select(struct canon *c, cond_t i, uint16_t t, uint16_t f)
{
	if (t == f || i == COND_TRUE || i == COND_FALSE)
		return i == COND_FALSE ? f : t;
	if (i == COND_POISON || t == POISON || f == POISON)
		return POISON;
	return plain_select(c, i, t, f);
}

uint16_t gllm_canon_select(struct canon *c, cond_t i, uint16_t t, uint16_t f)
{
	if (t == f || i == COND_TRUE || i == COND_FALSE)
		return i == COND_FALSE ? f : t;
	if (i == COND_POISON || t == POISON || f == POISON)
		return POISON;
	unsigned type = common_type(c, t, f);
	t = gllm_canon_as(c, t, type);
	f = gllm_canon_as(c, f, type);
	const struct val *m = &c->v[cond_value(i)];
	if (m->op != VAL_MSEL)
		return any_select(c, i, t, f);
	turn(&i, &t, &f);
	cond_t x = (cond_t)m->b << 1 | (m->aux >> 1 & 1), y = (cond_t)m->c << 1 | (m->aux >> 2 & 1);
	if (c->v[m->b].op == VAL_MSEL || c->v[m->c].op == VAL_MSEL || c->v[m->a].op == VAL_MSEL)
		return POISON;
	return any_select(c, (cond_t)m->a << 1, any_select(c, x, t, f), any_select(c, y, t, f));
}
