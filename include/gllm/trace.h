/* SPDX-License-Identifier: MIT
 * gllm/trace.h - OpTrace: what a scalar function computes, as recovered from its machine code.
 *
 * A trace is a tree of counted loops over a list of typed SSA nodes.
 *   - Every loop is normalised: its induction variable runs 0, 1, .. trip-1; trip is a polynomial over dims and the
 *     variables of enclosing loops.
 *   - Nodes stand in program order; a loop owns the half-open range [first, end) of node numbers, nested ranges nest.
 *     A node belongs to the innermost loop whose range holds it (`loop`, -1 for none) and runs once per iteration.
 *   - Memory is reached only through pointer parameters: LOAD and STORE name an access = parameter, byte offset as a
 *     polynomial, and at most one loaded index. Parameters are disjoint unless their registration says otherwise.
 *   - Constant tables of the function are part of the trace: a LOAD may name one in a parameter's place, at an index that
 *     is within the table whatever the inputs hold.
 *     Program order of LOAD and STORE on one parameter is meaning (softmax rereads what an earlier loop stored).
 *   - CARRY is a value carried around its loop: `a` is the value before the first iteration, `b` the one at the end of
 *     each (a node with a higher number). LAST, outside the loop, is the carry after the final iteration (== a when the
 *     loop runs 0 times).
 *   - Reductions are CARRYs whose update is an associative operation; only those may be reordered.
 *
 * Canonical form, so that equal functions have equal hashes whoever compiled them:
 *   - min and max are SELECT(LT(..), ..): LT(a,b) is false on NaN. Of the comparisons only LT, LE, EQ, UNORD exist;
 *     negations swap the arms of the select. x - y is not x + (-y). Operands of commutative operations are ordered.
 *   - no algebra that NaN, inf or -0 would break; constants are bit patterns.
 *   - dead nodes are gone, equal pure nodes of one loop are one node, loop-invariant nodes stand outside the loop.
 * A float that an integer cannot hold converts to whatever the machine gives (in C it is undefined as well): the evaluator,
 * the function and compiled code may then differ.
 * A trace lives in the memory of whoever lifted it and is immutable afterwards. */
#ifndef GLLM_TRACE_H
#define GLLM_TRACE_H
#include "gllm/status.h"
#include "gllm/types.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef uint16_t gllm_ref;            /* number of a node */
#define GLLM_NO_NODE ((gllm_ref)0xffff)

/*        name   operands  what                                                                     */
#define GLLM_NODES(N)                                                                               \
	N(CONST,  0) /* imm = bit pattern of `type` */                                             \
	N(SCALAR, 0) /* value of scalar parameter imm */                                           \
	N(INDEX,  0) /* value of polynomial imm as an I64 */                                       \
	N(LOAD,   0) /* imm = access; `type` is the access's type, or F32 of an I64 outside lanes: two floats, by turns in lanes */ \
	N(STORE,  1) /* imm = access, a = value */                                                 \
	N(CARRY,  2) N(LAST, 1)                                                                     \
	N(ADD,    2) N(SUB, 2) N(MUL, 2) N(DIV, 2)   /* F32: IEEE; integers: modulo 2^bits */       \
	N(FMA,    3) /* a * b + c, one rounding */                                                 \
	N(NEG,    1) N(ABS, 1) N(SQRT, 1) N(RINT, 1) /* F32; RINT to nearest even */                \
	N(LDEXP,  2) /* F32 a times two to the I32 b, rounded once */                              \
	N(AND,    2) N(OR, 2) N(XOR, 2)              /* integers and MASK */                        \
	N(SHL,    2) N(SHR, 2) N(SAR, 2)             /* integer a by CONST b < bits */              \
	N(LT,     2) N(LE, 2) N(EQ, 2) N(UNORD, 2)   /* of two F32 or two equal integer types (signedness of the type); MASK */ \
	N(SELECT, 3) /* a (MASK) ? b : c */                                                        \
	N(CVT,    1) /* a converted to `type`: int->F32 nearest, F32->I32 toward zero, F16/BF16<->F32, int resize */ \
	N(CVTN,   1) /* F32->I32 to nearest even */                                                \
	N(BITS,   1) /* bit pattern of a as `type` of the same size */                             \
	N(DOT,    2) /* of two words (F32 by type, bits by meaning) the sum of the products of their elements. imm: type of a's, \
	              * and 256 times that of b's. F32 of two BF16 each, as the machine's dot product rounds it, which takes \
	              * denormals as zeros; I32 of four 8-bit integers each. Words of type I64 have twice as many. Made by \
	              * jit/dot.c and jit/block_kernel.c alone */

enum gllm_node_op {
#define N(name, operands) GLLM_N_##name,
	GLLM_NODES(N)
#undef N
	GLLM_N_COUNT
};

struct gllm_node {
	uint8_t op;       /* enum gllm_node_op */
	uint8_t type;     /* enum gllm_type of the result (STORE: of the memory) */
	int8_t loop;      /* innermost loop, -1 outside all */
	uint8_t pad;
	gllm_ref a, b, c; /* GLLM_NO_NODE where unused */
	uint16_t pad2;
	uint64_t imm;
};

/* coef times the product of the symbols; unused places are 0; symbols ascend. Arithmetic is modulo 2^64. */
enum { GLLM_SYM_PARAM = 1, GLLM_SYM_LOOP = 64, GLLM_TERM_SYMS = 4 };
struct gllm_term {
	int64_t coef;
	uint8_t sym[GLLM_TERM_SYMS]; /* GLLM_SYM_PARAM + parameter (a dim), or GLLM_SYM_LOOP + loop */
};

struct gllm_poly { /* the sum of `count` terms from `first`; 0 terms are 0; terms in ascending order of symbols */
	uint16_t first, count;
};

enum { GLLM_TRACE_PARAMS = 32, GLLM_TRACE_LOOPS = 32, GLLM_TRACE_TABLES = 8, GLLM_TABLE_BYTES = 16384 };

struct gllm_table { /* constants that are read at computed places */
	uint8_t type;              /* of the elements */
	uint32_t bytes;
	const unsigned char *data; /* immutable: in the image the trace was lifted from, or recorded */
};

struct gllm_access {
	uint8_t param;        /* or GLLM_TRACE_PARAMS + number of a table */
	uint8_t type;         /* of the element in memory */
	gllm_ref index;       /* integer node added to the offset times index_bytes, or GLLM_NO_NODE */
	uint32_t index_bytes;
	struct gllm_poly offset; /* bytes from the parameter's pointer */
};

struct gllm_loop {
	int8_t parent;        /* -1 for a top-level loop */
	gllm_ref first, end;  /* node range */
	struct gllm_poly trip;/* number of iterations; a negative value means 0 */
};

enum gllm_reduce_kind {
	GLLM_REDUCE_SUM, GLLM_REDUCE_PRODUCT, GLLM_REDUCE_MAX, GLLM_REDUCE_MIN, GLLM_REDUCE_AND, GLLM_REDUCE_OR,
	GLLM_REDUCE_ARGMAX, GLLM_REDUCE_ARGMIN, /* pair: `carry` the value, `pair` the index; the first extreme wins */
	GLLM_REDUCE_OTHER,                      /* a recurrence: order is meaning */
};

struct gllm_reduction {
	uint8_t kind;
	int8_t loop;
	gllm_ref carry, pair; /* CARRY nodes; pair is GLLM_NO_NODE except for ARGMAX and ARGMIN */
	gllm_ref value;       /* what is combined each iteration; SUM: carry + value */
};

enum gllm_pattern {
	GLLM_PATTERN_ELEMENTWISE,  /* one loop, one input element per output element */
	GLLM_PATTERN_BINARY,       /* the same with two */
	GLLM_PATTERN_INJECTIVE,    /* loops without reductions: three or more inputs, several outputs, moved elements */
	GLLM_PATTERN_REDUCTION,    /* one reduction, no loop after it */
	GLLM_PATTERN_NORM,         /* reductions, then a map over the same range */
	GLLM_PATTERN_SOFTMAX,      /* several passes in which one rereads what another stored */
	GLLM_PATTERN_GEMM,         /* parallel loops around a sum of products; GEMV is its degenerate form */
	GLLM_PATTERN_QUANT_DECODE, /* integer loads with shifts, masks or conversions become floats */
	GLLM_PATTERN_OPAQUE,       /* none of these: runs, does not fuse */
};


struct gllm_trace {
	const char *name;
	const struct gllm_param *param;   unsigned nparams;
	const struct gllm_node *node;     unsigned nnodes;
	const struct gllm_loop *loop;     unsigned nloops;   /* parents before children, in program order */
	const struct gllm_access *access; unsigned naccesses;
	const struct gllm_poly *poly;     unsigned npolys;   /* those that INDEX nodes name */
	const struct gllm_term *term;     unsigned nterms;
	const struct gllm_reduction *reduction; unsigned nreductions;
	const struct gllm_table *table;   unsigned ntables;
	enum gllm_pattern pattern;
	uint64_t hash;                    /* over everything above except names; of tables over their contents */
};

union gllm_arg { /* one actual parameter */
	void *ptr;
	const void *cptr;
	uint64_t dim;
	float scalar;
	uint64_t bits;
};

const char *gllm_pattern_name(enum gllm_pattern p);
const char *gllm_node_name(enum gllm_node_op op);

/* Value of a polynomial; `sym` is indexed by symbol number. */
int64_t gllm_poly_eval(const struct gllm_trace *t, struct gllm_poly p, const int64_t *sym);

/* Evaluates the trace on real buffers, in the trace's own order, with one rounding per node: bit-equal to the scalar
 * function. `value` is workspace of t->nnodes elements. Fails: GLLM_UNSUPPORTED for a node the evaluator lacks. */
enum gllm_status gllm_trace_eval(const struct gllm_trace *t, const union gllm_arg *arg, uint64_t *value);

/* Readable text, a line at a time, through `out`. */
void gllm_trace_print(const struct gllm_trace *t, void (*out)(void *user, const char *text, size_t n), void *user);

/* Bytes of parameter `p` reached, for dims given in `arg`: one past the greatest offset; 0 if never reached.
 * Loaded indices are taken as 0. */
uint64_t gllm_trace_extent(const struct gllm_trace *t, unsigned p, const union gllm_arg *arg);

#ifdef __cplusplus
}
#endif
#endif
