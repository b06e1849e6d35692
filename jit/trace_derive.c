/* SPDX-License-Identifier: MIT
 * jit/trace_derive.c - what follows from a trace alone: reductions, pattern, hash, extents, names. */
#include "core/bits.h"
#include "core/hash.h"
#include "jit/trace.h"

unsigned gllm_node_operands(enum gllm_node_op op)
{
	static const uint8_t count[] = {
#define N(name, operands) [GLLM_N_##name] = operands,
		GLLM_NODES(N)
#undef N
	};
	return (unsigned)op < GLLM_N_COUNT ? count[op] : 0;
}

const char *gllm_node_name(enum gllm_node_op op)
{
	static const char *const name[] = {
#define N(name, operands) [GLLM_N_##name] = #name,
		GLLM_NODES(N)
#undef N
	};
	return (unsigned)op < GLLM_N_COUNT ? name[op] : "?";
}

const char *gllm_pattern_name(enum gllm_pattern p)
{
	static const char *const name[] = {
		[GLLM_PATTERN_ELEMENTWISE] = "elementwise", [GLLM_PATTERN_BINARY] = "binary",
		[GLLM_PATTERN_INJECTIVE] = "injective", [GLLM_PATTERN_REDUCTION] = "reduction",
		[GLLM_PATTERN_NORM] = "norm", [GLLM_PATTERN_SOFTMAX] = "softmax", [GLLM_PATTERN_GEMM] = "gemm",
		[GLLM_PATTERN_QUANT_DECODE] = "quant decode", [GLLM_PATTERN_OPAQUE] = "opaque",
	};
	return (size_t)p < GLLM_COUNT(name) ? name[p] : "?";
}

/* ---- reductions ------------------------------------------------------------------------------------------------ */

static unsigned uses(const struct gllm_trace *t, gllm_ref r) /* LAST apart */
{
	unsigned n = 0;
	for (unsigned i = 0; i < t->nnodes; i++)
		if (t->node[i].op != GLLM_N_LAST)
			n += (unsigned)(t->node[i].a == r) + (unsigned)(t->node[i].b == r) + (unsigned)(t->node[i].c == r);
	for (unsigned i = 0; i < t->naccesses; i++)
		n += t->access[i].index == r;
	return n;
}

/* SELECT(LT(..), ..) that keeps the greater or lesser of carry and value. */
static bool extreme(const struct gllm_trace *t, gllm_ref carry, gllm_ref end, uint8_t *kind, gllm_ref *value)
{
	const struct gllm_node *s = &t->node[end];
	if (s->op != GLLM_N_SELECT || t->node[s->a].op != GLLM_N_LT || s->c != carry)
		return false;
	const struct gllm_node *lt = &t->node[s->a];
	*value = s->b;
	if (lt->a == carry && lt->b == s->b)
		*kind = GLLM_REDUCE_MAX;
	else if (lt->a == s->b && lt->b == carry)
		*kind = GLLM_REDUCE_MIN;
	else
		return false;
	return true;
}

static bool associative(const struct gllm_node *end, gllm_ref carry, uint8_t *kind, gllm_ref *value)
{
	static const struct { uint8_t op, kind; } row[] = {
		{ GLLM_N_ADD, GLLM_REDUCE_SUM }, { GLLM_N_MUL, GLLM_REDUCE_PRODUCT }, { GLLM_N_AND, GLLM_REDUCE_AND },
		{ GLLM_N_OR, GLLM_REDUCE_OR },
	};
	for (unsigned i = 0; i < GLLM_COUNT(row); i++) {
		if (end->op != row[i].op || (end->a == carry) == (end->b == carry))
			continue;
		*kind = row[i].kind;
		*value = end->a == carry ? end->b : end->a;
		return true;
	}
	return false;
}

static struct gllm_reduction classify(const struct gllm_trace *t, gllm_ref carry)
{
	const struct gllm_node *c = &t->node[carry];
	struct gllm_reduction r = { .kind = GLLM_REDUCE_OTHER, .loop = c->loop, .carry = carry, .pair = GLLM_NO_NODE, .value = c->b };
	uint8_t kind;
	gllm_ref value;
	if (associative(&t->node[c->b], carry, &kind, &value)) {
		if (uses(t, carry) == 1 && uses(t, c->b) == 1) {
			r.kind = kind;
			r.value = value;
		}
		return r;
	}
	if (!extreme(t, carry, c->b, &kind, &value) || uses(t, carry) != 2 || uses(t, c->b) != 1)
		return r;
	r.value = value;
	r.kind = kind;
	gllm_ref test = t->node[c->b].a;
	unsigned mates = 0;
	for (gllm_ref i = 0; i < t->nnodes; i++) { /* another CARRY that changes when this one does */
		const struct gllm_node *o = &t->node[i];
		if (o->op != GLLM_N_CARRY || i == carry || o->loop != c->loop)
			continue;
		const struct gllm_node *s = &t->node[o->b];
		if (s->op != GLLM_N_SELECT || s->a != test)
			continue;
		mates++;
		if (s->c == i && s->b != i && uses(t, i) == 1 && uses(t, o->b) == 1)
			r.pair = i;
	}
	if (uses(t, test) != 1 + mates || mates > 1 || (mates == 1 && r.pair == GLLM_NO_NODE)) {
		r.kind = GLLM_REDUCE_OTHER;
		r.pair = GLLM_NO_NODE;
		r.value = c->b;
	} else if (mates) {
		r.kind = kind == GLLM_REDUCE_MAX ? GLLM_REDUCE_ARGMAX : GLLM_REDUCE_ARGMIN;
	}
	return r;
}

unsigned gllm_trace_reductions(const struct gllm_trace *t, struct gllm_reduction *reduction)
{
	unsigned n = 0, kept = 0;
	for (gllm_ref i = 0; i < t->nnodes; i++)
		if (t->node[i].op == GLLM_N_CARRY)
			reduction[n++] = classify(t, i);
	for (unsigned i = 0; i < n; i++) { /* the index of a pair is no reduction of its own */
		bool mate = false;
		for (unsigned k = 0; k < n; k++)
			mate = mate || reduction[k].pair == reduction[i].carry;
		if (!mate)
			reduction[kept++] = reduction[i];
	}
	return kept;
}

/* ---- pattern --------------------------------------------------------------------------------------------------- */

/* Some output is also read. */
static bool rereads(const struct gllm_trace *t)
{
	uint64_t reads = 0, writes = 0, outputs = 0;
	for (unsigned i = 0; i < t->nnodes; i++) {
		const struct gllm_node *n = &t->node[i];
		if (n->op == GLLM_N_LOAD)
			reads |= UINT64_C(1) << t->access[n->imm].param;
		else if (n->op == GLLM_N_STORE)
			writes |= UINT64_C(1) << t->access[n->imm].param;
	}
	for (unsigned p = 0; p < t->nparams; p++)
		outputs |= (uint64_t)(t->param[p].kind == GLLM_OUT) << p;
	return reads & writes & outputs;
}

static bool same_poly(const struct gllm_trace *t, struct gllm_poly a, struct gllm_poly b)
{
	if (a.count != b.count)
		return false;
	for (unsigned i = 0; i < a.count; i++) {
		const struct gllm_term *x = &t->term[a.first + i], *y = &t->term[b.first + i];
		bool equal = x->coef == y->coef;
		for (unsigned k = 0; k < GLLM_TERM_SYMS; k++)
			equal = equal && x->sym[k] == y->sym[k];
		if (!equal)
			return false;
	}
	return true;
}

static bool is_float(unsigned type)
{
	return type == GLLM_F32 || type == GLLM_F16 || type == GLLM_BF16;
}

/* Some load is of integers: where no access is, no node needs to be looked at. */
static bool decodes(const struct gllm_trace *t)
{
	bool some = false;
	for (unsigned i = 0; i < t->naccesses; i++)
		some = some || !is_float(t->access[i].type);
	for (unsigned i = 0; some && i < t->nnodes; i++)
		if (t->node[i].op == GLLM_N_LOAD && !is_float(t->access[t->node[i].imm].type))
			return true;
	return false;
}

static const struct gllm_access *last_stored(const struct gllm_trace *t)
{
	for (unsigned i = t->nnodes; i-- > 0; ) /* most often it is the last node */
		if (t->node[i].op == GLLM_N_STORE)
			return &t->access[t->node[i].imm];
	return NULL;
}

static enum gllm_pattern map_pattern(const struct gllm_trace *t)
{
	if (decodes(t))
		return GLLM_PATTERN_QUANT_DECODE;
	if (t->nloops != 1)
		return t->nloops ? GLLM_PATTERN_INJECTIVE : GLLM_PATTERN_OPAQUE;
	unsigned loads = 0, stores = 0;
	const struct gllm_access *const out = last_stored(t);
	bool aligned = true;
	for (unsigned i = 0; i < t->nnodes; i++) {
		const struct gllm_node *n = &t->node[i];
		stores += n->op == GLLM_N_STORE;
		if (GLLM_MOSTLY(n->op != GLLM_N_LOAD))
			continue;
		const struct gllm_access *a = &t->access[n->imm];
		loads++;
		aligned = aligned && out && a->type == out->type && a->index == GLLM_NO_NODE && same_poly(t, a->offset, out->offset);
	}
	return stores != 1 || !aligned || loads < 1 || loads > 2 ? GLLM_PATTERN_INJECTIVE
	       : loads == 1 ? GLLM_PATTERN_ELEMENTWISE : GLLM_PATTERN_BINARY;
}

static bool is_product_sum(const struct gllm_trace *t, const struct gllm_reduction *r)
{
	return r->kind == GLLM_REDUCE_SUM && t->node[r->value].op == GLLM_N_MUL && t->loop[r->loop].parent >= 0;
}

enum gllm_pattern gllm_trace_pattern(const struct gllm_trace *t)
{
	unsigned products = 0;
	bool other = false, map_after = false;
	if (!t->nreductions)
		return map_pattern(t);
	if (rereads(t))
		return GLLM_PATTERN_SOFTMAX;
	for (unsigned i = 0; i < t->nreductions; i++) {
		products += is_product_sum(t, &t->reduction[i]);
		other = other || t->reduction[i].kind == GLLM_REDUCE_OTHER;
	}
	for (unsigned i = 0; i < t->nloops; i++) {
		bool reduces = false;
		for (unsigned k = 0; k < t->nreductions; k++)
			reduces = reduces || t->reduction[k].loop == (int)i;
		bool around = false;
		for (unsigned k = i + 1; k < t->nloops; k++)
			around = around || t->loop[k].parent == (int)i;
		map_after = map_after || (!reduces && !around && i > (unsigned)t->reduction[0].loop);
	}
	if (other)
		return GLLM_PATTERN_OPAQUE;
	if (products == t->nreductions && products == 1)
		return GLLM_PATTERN_GEMM;
	return map_after ? GLLM_PATTERN_NORM : GLLM_PATTERN_REDUCTION;
}

/* ---- hash ------------------------------------------------------------------------------------------------------ */

static uint64_t mix(uint64_t h, uint64_t v)
{
	h = (h ^ v) * UINT64_C(0x9e3779b97f4a7c15);
	return h ^ h >> 32;
}

/* Three numbers in one step: only these wait for each other. */
static uint64_t mix3(uint64_t h, uint64_t x, uint64_t y, uint64_t z)
{
	return mix(h, x + y * UINT64_C(0xbf58476d1ce4e5b9) + z * UINT64_C(0x94d049bb133111eb));
}

static uint64_t join(uint64_t a, uint64_t b, uint64_t c, uint64_t d) /* four fields of up to 16 bits */
{
	return a | b << 16 | c << 32 | d << 48;
}

static inline uint64_t mix_poly(const struct gllm_trace *t, uint64_t h, struct gllm_poly p)
{
	h = mix(h, p.count);
	for (unsigned i = 0; i < p.count; i++) {
		const uint8_t *sym = t->term[p.first + i].sym;
		h = mix3(h, (uint64_t)t->term[p.first + i].coef, join(sym[0], sym[1], sym[2], sym[3]), 0);
	}
	return h;
}

uint64_t gllm_trace_hash(const struct gllm_trace *t)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);
	_Static_assert(GLLM_TERM_SYMS == 4, "mix_poly joins so many");
	for (unsigned i = 0; i < t->nparams; i++)
		h = mix(h, join(t->param[i].kind, t->param[i].type, 0, 0));
	for (unsigned i = 0; i < t->nnodes; i++) {
		const struct gllm_node *n = &t->node[i];
		h = mix3(h, join(n->op, n->type, (uint8_t)n->loop, n->a), join(n->b, n->c, 0, 0), n->imm);
	}
	for (unsigned i = 0; i < t->nloops; i++) {
		const struct gllm_loop *l = &t->loop[i];
		h = mix_poly(t, mix(h, join((uint8_t)l->parent, l->first, l->end, 0)), l->trip);
	}
	for (unsigned i = 0; i < t->naccesses; i++) {
		const struct gllm_access *a = &t->access[i];
		h = mix_poly(t, mix3(h, join(a->param, a->type, a->index, 0), a->index_bytes, 0), a->offset);
	}
	for (unsigned i = 0; i < t->npolys; i++)
		h = mix_poly(t, h, t->poly[i]);
	for (unsigned i = 0; i < t->ntables; i++)
		h = mix3(h, t->table[i].type, t->table[i].bytes, gllm_hash_block(t->table[i].data, t->table[i].bytes));
	for (unsigned i = 0; i < t->nreductions; i++) {
		const struct gllm_reduction *r = &t->reduction[i];
		h = mix(mix(h, join(r->kind, (uint8_t)r->loop, r->carry, r->pair)), r->value);
	}
	return mix(h, t->pattern);
}

/* ---- numbers --------------------------------------------------------------------------------------------------- */

int64_t gllm_poly_eval(const struct gllm_trace *t, struct gllm_poly p, const int64_t *sym)
{
	uint64_t sum = 0;
	for (unsigned i = 0; i < p.count; i++) {
		const struct gllm_term *x = &t->term[p.first + i];
		uint64_t v = (uint64_t)x->coef;
		for (unsigned k = 0; k < GLLM_TERM_SYMS && x->sym[k]; k++)
			v *= (uint64_t)sym[x->sym[k]];
		sum += v;
	}
	return (int64_t)sum;
}

/* Greatest value of an access's offset over its loops, which reach from outside in: a variable takes whichever end of
 * its range makes the offset greater, given the ones outside it at their last value. False if a loop runs 0 times. */
static bool greatest_offset(const struct gllm_trace *t, const struct gllm_node *n, int64_t *sym, int64_t *greatest)
{
	int8_t chain[GLLM_TRACE_LOOPS];
	unsigned depth = 0;
	for (int8_t l = n->loop; l >= 0; l = t->loop[l].parent)
		chain[depth++] = l;
	for (unsigned i = depth; i-- > 0; ) {
		int64_t trip = gllm_poly_eval(t, t->loop[chain[i]].trip, sym);
		if (trip <= 0)
			return false;
		sym[GLLM_SYM_LOOP + chain[i]] = trip - 1;
	}
	struct gllm_poly p = t->access[n->imm].offset;
	*greatest = gllm_poly_eval(t, p, sym);
	for (unsigned i = 0; i < depth; i++) {
		int64_t keep = sym[GLLM_SYM_LOOP + chain[i]], v;
		sym[GLLM_SYM_LOOP + chain[i]] = 0;
		v = gllm_poly_eval(t, p, sym);
		if (v > *greatest)
			*greatest = v;
		else
			sym[GLLM_SYM_LOOP + chain[i]] = keep;
	}
	return true;
}

uint64_t gllm_trace_extent(const struct gllm_trace *t, unsigned p, const union gllm_arg *arg)
{
	int64_t sym[GLLM_SYM_LOOP + GLLM_TRACE_LOOPS] = { 0 }, v;
	uint64_t extent = 0;
	for (unsigned i = 0; i < t->nparams; i++)
		if (t->param[i].kind == GLLM_DIM)
			sym[GLLM_SYM_PARAM + i] = (int64_t)arg[i].dim;
	for (unsigned i = 0; i < t->nnodes; i++) {
		const struct gllm_node *n = &t->node[i];
		if ((n->op != GLLM_N_LOAD && n->op != GLLM_N_STORE) || t->access[n->imm].param != p)
			continue;
		if (!greatest_offset(t, n, sym, &v))
			continue;
		uint64_t end = (uint64_t)v + gllm_type_bytes((enum gllm_type)t->access[n->imm].type);
		extent = end > extent ? end : extent;
	}
	return extent;
}
