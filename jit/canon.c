/* SPDX-License-Identifier: MIT
 * jit/canon.c - makes canonical values, each once. */
#include "core/bits.h"
#include "core/hash.h"
#include "jit/canon_bits.h"
#include "jit/canon_parts.h"

void gllm_canon_init(struct canon *c)
{
	c->n = c->naccesses = c->nduties = c->ntables = c->nfields = 0;
	c->nbits = 1;
	c->accessed = 0;
	c->full = false;
	_Static_assert(VAL_NONE == 0xffff, "what the bytes make");
	__builtin_memset(c->bucket, 0xff, sizeof c->bucket);
	gllm_polys_init(&c->p);
	gllm_canon_fresh(c, VAL_POISON, GLLM_I64, -1);
	gllm_canon_fresh(c, VAL_TRUE, GLLM_MASK, -1);
}

/* ---- tables ---------------------------------------------------------------------------------------------------------- */

/* val.head of what is to be a value. */
static inline uint64_t head(unsigned op, unsigned type, int loop, unsigned aux, uint16_t a, uint16_t b)
{
	return val_head(op, type, aux, a, b) | (uint64_t)(uint8_t)loop << 16;
}

static inline uint16_t add(struct canon *c, uint64_t of, uint16_t third, uint64_t imm, uint16_t next)
{
	struct val *v = &c->v[c->n];
	if (GLLM_RARELY(c->n == VAL_MAX)) {
		c->full = true;
		return POISON;
	}
	*v = (struct val){ .head = of, .c = third, .next = next, .imm = imm };
	return (uint16_t)c->n++;
}

static uint16_t intern(struct canon *c, uint64_t of, uint16_t third, uint64_t imm)
{
	const uint64_t one = UINT64_C(0x9e3779b97f4a7c15), two = UINT64_C(0xbf58476d1ce4e5b9);
	uint16_t *bucket = &c->bucket[((of ^ (uint64_t)third << 8) * one + imm * two) >> 54];
	_Static_assert(VAL_BUCKETS == 1024, "ten bits"); /* more than most need: what shares a place cannot be predicted */
	if (GLLM_RARELY(*bucket != VAL_NONE)) {
		uint16_t i = *bucket;
		do {
			if (c->v[i].head == of && c->v[i].imm == imm && c->v[i].c == third)
				return i;
			i = c->v[i].next;
		} while (i != VAL_NONE);
	}
	uint16_t made = add(c, of, third, imm, *bucket);
	if (GLLM_MOSTLY(made != POISON))
		*bucket = made;
	return made;
}

uint16_t gllm_canon_fresh(struct canon *c, unsigned op, unsigned type, int loop)
{
	return add(c, head(op, type, loop, 0, VAL_NONE, VAL_NONE), VAL_NONE, 0, VAL_NONE);
}

uint16_t gllm_canon_of(struct canon *c, uint64_t of, uint16_t third, uint64_t imm)
{
	const uint16_t a = (uint16_t)(of >> 32), b = (uint16_t)(of >> 48);
	int loop = -1;
	if (GLLM_RARELY(a == POISON || b == POISON || third == POISON))
		return POISON;
	if (GLLM_MOSTLY(a != VAL_NONE))
		loop = c->v[a].loop;
	if (b != VAL_NONE && c->v[b].loop > loop)
		loop = c->v[b].loop;
	if (GLLM_RARELY(third != VAL_NONE) && c->v[third].loop > loop)
		loop = c->v[third].loop;
	return intern(c, of | (uint64_t)(uint8_t)loop << 16, third, imm);
}

uint16_t gllm_canon_const(struct canon *c, unsigned type, uint64_t bits)
{
	return intern(c, head(GLLM_N_CONST, type, -1, 0, VAL_NONE, VAL_NONE), VAL_NONE, low(bits, bits_of(type)));
}

/* Values of polynomials are found there. */
uint16_t gllm_canon_poly(struct canon *c, uint16_t poly)
{
	int64_t k;
	if (poly == POLY_NONE)
		return POISON;
	uint16_t *const made = &c->p.poly[poly].value;
	if (*made)
		return *made;
	*made = gllm_poly_is_constant(&c->p, poly, &k) ? gllm_canon_const(c, GLLM_I64, (uint64_t)k)
	        : add(c, head(GLLM_N_INDEX, GLLM_I64, gllm_poly_loop(&c->p, poly), 0, VAL_NONE, VAL_NONE), VAL_NONE, poly, VAL_NONE);
	return *made;
}

uint16_t gllm_canon_pcond(struct canon *c, uint16_t poly, bool positive)
{
	return intern(c, head(VAL_PCOND, GLLM_MASK, gllm_poly_loop(&c->p, poly), positive, VAL_NONE, VAL_NONE), VAL_NONE, poly);
}

cond_t gllm_canon_chooses(struct canon *c, cond_t i)
{
	const struct val *v = &c->v[cond_value(i)];
	if (v->op != VAL_PCOND || v->a != VAL_NONE)
		return i;
	uint16_t p = gllm_canon_poly(c, (uint16_t)v->imm), zero = gllm_canon_const(c, GLLM_I64, 0);
	return (cond_t)gllm_canon_make(c, VAL_PCOND, GLLM_MASK, v->aux, v->aux ? zero : p, v->aux ? p : zero, VAL_NONE, v->imm) << 1 | (i & 1);
}

uint16_t gllm_canon_ptr(struct canon *c, unsigned param, uint16_t poly, uint16_t index, uint32_t index_bytes)
{
	int loop = gllm_poly_loop(&c->p, poly), of = index != VAL_NONE ? c->v[index].loop : -1;
	if (GLLM_RARELY(poly == POLY_NONE || index == POISON || index_bytes > 0x7fff))
		return POISON;
	return intern(c, head(VAL_PTR, GLLM_I64, loop > of ? loop : of, param, index, VAL_NONE), VAL_NONE,
	              poly | (uint64_t)index_bytes << 16);
}

uint16_t gllm_canon_access(struct canon *c, const struct val_access *a)
{
	const uint64_t place = UINT64_C(1) << (a->poly & 63); /* most are new, which shows here */
	for (unsigned i = c->accessed & place ? 0 : c->naccesses; i < c->naccesses; i++) {
		const struct val_access *o = &c->access[i];
		if (o->param == a->param && o->type == a->type && o->index == a->index && o->poly == a->poly &&
		    o->index_bytes == a->index_bytes)
			return (uint16_t)i;
	}
	if (GLLM_RARELY(c->naccesses == VAL_ACCESSES))
		return VAL_NONE;
	c->access[c->naccesses] = *a;
	c->accessed |= place;
	return (uint16_t)c->naccesses++;
}

uint16_t gllm_canon_table(struct canon *c, unsigned type, const unsigned char *data, uint32_t bytes)
{
	for (unsigned i = 0; i < c->ntables; i++)
		if (c->table[i].data == data && c->table[i].type == type && c->table[i].bytes == bytes)
			return (uint16_t)(GLLM_TRACE_PARAMS + i);
	uint64_t h = gllm_hash_word(gllm_hash_block(data, bytes), type);
	for (unsigned i = 0; i < c->ntables; i++) { /* the same contents at another place */
		bool same = c->table_hash[i] == h && c->table[i].type == type && c->table[i].bytes == bytes;
		for (uint32_t k = 0; same && k < bytes; k++)
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

/* ---- types ----------------------------------------------------------------------------------------------------------- */

static unsigned unsigned_type(unsigned w)
{
	return w == 8 ? GLLM_U8 : w == 16 ? GLLM_U16 : w == 32 ? GLLM_U32 : GLLM_I64;
}

/* The same bits as another type of the same size. */
static inline uint16_t rename_bits(struct canon *c, uint16_t v, unsigned type)
{
	if (is(c, v, GLLM_N_BITS))
		v = c->v[v].a;
	return c->v[v].type == type ? v : gllm_canon_node(c, GLLM_N_BITS, type, v, VAL_NONE, VAL_NONE, 0);
}

uint16_t gllm_canon_convert(struct canon *c, uint16_t v, unsigned type)
{
	const struct val *x = &c->v[v];
	if (x->op == GLLM_N_CONST && type != GLLM_MASK)
		return gllm_canon_const(c, type, x->imm);
	unsigned from = bits_of(x->type), to = bits_of(type);
	if (x->op == VAL_PTR || x->type == GLLM_MASK || type == GLLM_MASK)
		return POISON;
	if (from == to)
		return rename_bits(c, v, type);
	if (from < to) {
		unsigned wider = type == GLLM_F32 ? GLLM_I32 : type;
		if (from < 32 || !gllm_bits_below(c, v, INT32_MAX)) /* else its sign is known to be 0 */
			v = rename_bits(c, v, unsigned_type(from));
		v = gllm_canon_node(c, GLLM_N_CVT, wider, v, VAL_NONE, VAL_NONE, 0);
		return v == POISON ? POISON : rename_bits(c, v, type);
	}
	if (GLLM_RARELY(x->op == VAL_POISON)) {
		v = gllm_bits_understood(c, v, to);
		return v == POISON ? POISON : gllm_canon_as(c, v, type);
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
bool gllm_canon_poly32(struct canon *c, uint16_t v, uint16_t *poly)
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
