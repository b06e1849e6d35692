/* SPDX-License-Identifier: MIT
 * jit/canon.h - canonical values: what raw values mean, written in one way whoever compiled them.
 *
 * A value is a node of gllm/trace.h (op < GLLM_N_COUNT) or one of enum val_op, which never reach a trace. Values are
 * hash-consed: equal values of one loop are one number. Where a raw value is 64 bits and the type of its canonical value
 * is narrower, the bits above the type are zero.
 *   - Integers that are polynomials are INDEX (I64) or, cut to 32 bits, CVT(I32, INDEX); pointers are VAL_PTR.
 *   - `loop` is the innermost loop the value varies in; loads stay in the loop they were read in.
 *   - Conditions are a value and a negation (cond_t); comparisons of floats are a truth table over the four outcomes
 *     less, equal, greater, unordered, always one whose complement is not in use.
 *   - VAL_POISON is what is not understood: harmless until something that is kept needs it.
 * Values are made in canon.c, what they mean is decided in canon_float.c, canon_int.c, canon_cond.c and canon_select.c. */
#ifndef GLLM_CANON_H
#define GLLM_CANON_H
#include "gllm/trace.h"
#include "jit/canon_poly.h"

enum {
	VAL_MAX = 6000, VAL_NONE = 0xffff, VAL_BUCKETS = 1024, VAL_ACCESSES = 512, VAL_DUTIES = 64, VAL_BITS = 3000, VAL_FIELDS = 8000,
};

enum val_op {
	VAL_POISON = GLLM_N_COUNT,
	VAL_TRUE,
	VAL_PTR,    /* parameter aux + polynomial in the low half of imm + val_index_bytes() * integer a */
	VAL_FCMP,   /* a, b, truth table aux */
	VAL_ICMP,   /* a < b (aux 0) or a == b (aux 1); the operands' type decides the sign */
	VAL_PCOND,  /* polynomial imm is 0 (aux 0) or is at least 1 (aux 1); a == b or a < b as integers if it chooses values */
	VAL_MSEL,   /* condition a ? condition b : condition c, each with its negation in a bit of aux */
	VAL_OPS,
};

enum { OUT_LESS = 1, OUT_EQUAL = 2, OUT_GREATER = 4, OUT_UNORDERED = 8, OUT_ALL = 15 };

/* Of the comparison of the same two the other way round. */
static inline unsigned swap_outcomes(unsigned truth)
{
	return (truth & (OUT_EQUAL | OUT_UNORDERED)) | (truth & OUT_LESS ? OUT_GREATER : 0u) | (truth & OUT_GREATER ? OUT_LESS : 0u);
}

struct val {
	union {
		struct {
			uint8_t op, type;
			int8_t loop;
			uint8_t aux;
			uint16_t a, b;
		};
		uint64_t head; /* all of that */
	};
	uint16_t c;
	uint16_t next;    /* chain of equal hash */
	uint16_t bits;    /* its sum in canon.bits[], 0 if it has none */
	uint8_t passed;   /* trace.c's */
	uint64_t imm;
};

typedef uint32_t cond_t; /* value << 1 | negated */

struct val_access {
	uint8_t param, type;
	uint16_t index, poly;
	uint32_t index_bytes;
};

struct bit_field { /* coef times the number that `count` bits of a value from `first` on are; see canon_bits.h */
	uint64_t coef;
	uint16_t atom;
	uint8_t first, count;
};

struct val_bits { /* a value as a sum of fields */
	uint64_t k, shape; /* shape: a hash that does not depend on the numbers of values */
	uint16_t first;
	uint16_t word; /* an atom as I32, once asked */
	uint8_t n, w;
	uint8_t length; /* how many bits of it may be 1, once asked */
	bool asked;
};

struct duty { /* a polynomial that must stay within bounds for what was derived to hold; checked when all trips are known */
	uint16_t poly;
	int64_t low, high;
};

struct canon {
	struct polys p;
	struct val v[VAL_MAX];  unsigned n;
	uint16_t bucket[VAL_BUCKETS];
	struct val_access access[VAL_ACCESSES]; unsigned naccesses;
	uint64_t accessed;      /* at which polynomials, modulo 64 */
	struct duty duty[VAL_DUTIES]; unsigned nduties;
	struct gllm_table table[GLLM_TRACE_TABLES]; unsigned ntables; /* accesses: parameter GLLM_TRACE_PARAMS + number */
	uint64_t table_hash[GLLM_TRACE_TABLES];
	struct val_bits bits[VAL_BITS]; unsigned nbits;
	struct bit_field field[VAL_FIELDS]; unsigned nfields;
	bool full;              /* a table overflowed; everything since is poison */
};

enum { POISON = 0, TRUE_VALUE = 1 };
#define COND_TRUE   ((cond_t)TRUE_VALUE << 1)
#define COND_FALSE  (COND_TRUE | 1)
#define COND_POISON ((cond_t)POISON << 1)
static inline uint16_t cond_value(cond_t c) { return (uint16_t)(c >> 1); }

void gllm_canon_init(struct canon *c);

/* `of`: val.head but for the loop, which follows from the operands; POISON if one of them is. */
uint16_t gllm_canon_of(struct canon *c, uint64_t of, uint16_t third, uint64_t imm);
static inline uint64_t val_head(unsigned op, unsigned type, unsigned aux, uint16_t a, uint16_t b)
{
	_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the first field is lowest");
	return op | (uint64_t)type << 8 | (uint64_t)aux << 24 | (uint64_t)a << 32 | (uint64_t)b << 48;
}
static inline uint16_t gllm_canon_make(struct canon *c, unsigned op, unsigned type, unsigned aux, uint16_t a, uint16_t b,
                                       uint16_t d, uint64_t imm)
{
	return gllm_canon_of(c, val_head(op, type, aux, a, b), d, imm);
}
static inline uint16_t gllm_canon_node(struct canon *c, unsigned op, unsigned type, uint16_t a, uint16_t b, uint16_t d,
                                       uint64_t imm)
{
	return gllm_canon_of(c, val_head(op, type, 0, a, b), d, imm);
}
uint16_t gllm_canon_fresh(struct canon *c, unsigned op, unsigned type, int loop); /* never merged with another */
uint16_t gllm_canon_const(struct canon *c, unsigned type, uint64_t bits);
uint16_t gllm_canon_poly(struct canon *c, uint16_t poly);
uint16_t gllm_canon_pcond(struct canon *c, uint16_t poly, bool positive); /* VAL_PCOND without operands */
cond_t gllm_canon_chooses(struct canon *c, cond_t i); /* the same, with operands if it is one */
uint16_t gllm_canon_ptr(struct canon *c, unsigned param, uint16_t poly, uint16_t index, uint32_t index_bytes);
uint16_t gllm_canon_load(struct canon *c, uint16_t access, unsigned version, int loop);
uint16_t gllm_canon_last(struct canon *c, uint16_t carry, int loop); /* in the loop around the carry's */
uint16_t gllm_canon_access(struct canon *c, const struct val_access *a); /* VAL_NONE when full */
/* The parameter number of a table with these contents; VAL_NONE when full. */
uint16_t gllm_canon_table(struct canon *c, unsigned type, const unsigned char *data, uint32_t bytes);

/* The value as another type: the low bits, or zeros above. POISON if that has no meaning. */
uint16_t gllm_canon_convert(struct canon *c, uint16_t v, unsigned type);
static inline uint16_t gllm_canon_as(struct canon *c, uint16_t v, unsigned type)
{
	return v == POISON || c->v[v].type == type ? v : gllm_canon_convert(c, v, type);
}
bool gllm_canon_as_poly(struct canon *c, uint16_t v, uint16_t *poly);
void gllm_canon_duty(struct canon *c, uint16_t poly, int64_t low, int64_t high);

static inline uint32_t val_index_bytes(const struct val *ptr)
{
	return (uint32_t)(ptr->imm >> 16);
}

/* Both are VAL_PTR, and differ by a polynomial. */
static inline bool val_same_base(const struct val *x, const struct val *y)
{
	return x->op == VAL_PTR && y->op == VAL_PTR && x->aux == y->aux && x->a == y->a && val_index_bytes(x) == val_index_bytes(y);
}

/* Of F32; operands may be bit patterns. */
uint16_t gllm_canon_float(struct canon *c, unsigned op, uint16_t a, uint16_t b, uint16_t d); /* NEG ABS SQRT RINT LDEXP FMA, and: */
uint16_t gllm_canon_sum(struct canon *c, bool minus, uint16_t a, uint16_t b);
uint16_t gllm_canon_product(struct canon *c, unsigned op, uint16_t a, uint16_t b); /* MUL or DIV */
uint16_t gllm_canon_int(struct canon *c, unsigned op, unsigned w, uint16_t a, uint16_t b);   /* GLLM_N_ADD .. SAR */
uint16_t gllm_canon_sext(struct canon *c, uint16_t v, unsigned from, unsigned to);
uint16_t gllm_canon_zext(struct canon *c, uint16_t v, unsigned from);
uint16_t gllm_canon_int_to_float(struct canon *c, uint16_t v, unsigned w, bool is_signed);

cond_t gllm_canon_fcmp(struct canon *c, uint16_t a, uint16_t b, unsigned truth);
cond_t gllm_canon_icmp(struct canon *c, uint16_t a, uint16_t b, unsigned w, unsigned cc); /* enum gllm_cc, integer reading */
cond_t gllm_canon_cond_select(struct canon *c, cond_t i, cond_t t, cond_t f);
uint16_t gllm_canon_select(struct canon *c, cond_t i, uint16_t t, uint16_t f);
unsigned gllm_canon_truth(unsigned fcc); /* enum gllm_cc, float reading */
#endif
