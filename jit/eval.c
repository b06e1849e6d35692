/* SPDX-License-Identifier: MIT
 * jit/eval.c - runs a trace on real buffers, one node after another: the meaning of a trace, and the oracle of what is
 * compiled from it. Values are bit patterns in 64 bits, zero above their type. */
#include "core/bits.h"
#include "gllm/ops.h"
#include "jit/eval.h"

enum { CARRIES = 32 };

struct run {
	const struct gllm_trace *t;
	const union gllm_arg *arg;
	uint64_t *value;
	int64_t sym[GLLM_SYM_LOOP + GLLM_TRACE_LOOPS];
	int64_t trip[GLLM_TRACE_LOOPS];
};

static uint64_t low(uint64_t v, unsigned type)
{
	unsigned w = 8 * gllm_type_bytes((enum gllm_type)type);
	return w >= 64 ? v : v & ((UINT64_C(1) << w) - 1);
}

static bool is_signed(unsigned type)
{
	return type == GLLM_I8 || type == GLLM_I16 || type == GLLM_I32 || type == GLLM_I64;
}

static int64_t widen(uint64_t v, unsigned type)
{
	unsigned w = 8 * gllm_type_bytes((enum gllm_type)type);
	return is_signed(type) && w < 64 ? (int64_t)(v << (64 - w)) >> (64 - w) : (int64_t)v;
}

static float as_float(uint64_t v)
{
	return gllm_bits_f32((uint32_t)v);
}

static int64_t offset_of(const struct run *r, const struct gllm_access *a)
{
	int64_t offset = gllm_poly_eval(r->t, a->offset, r->sym);
	if (a->index != GLLM_NO_NODE)
		offset += widen(r->value[a->index], r->t->node[a->index].type) * (int64_t)a->index_bytes;
	return offset;
}

static uint64_t load(const struct run *r, const struct gllm_access *a)
{
	const unsigned char *base = a->param < GLLM_TRACE_PARAMS ? r->arg[a->param].cptr : r->t->table[a->param - GLLM_TRACE_PARAMS].data;
	const unsigned char *p = base + offset_of(r, a);
	uint64_t v = 0;
	for (unsigned i = 0; i < gllm_type_bytes((enum gllm_type)a->type); i++)
		v |= (uint64_t)p[i] << (8 * i);
	return v;
}

static void store(const struct run *r, const struct gllm_access *a, uint64_t v)
{
	unsigned char *p = (unsigned char *)r->arg[a->param].ptr + offset_of(r, a);
	for (unsigned i = 0; i < gllm_type_bytes((enum gllm_type)a->type); i++)
		p[i] = (unsigned char)(v >> (8 * i));
}

/* Element k of a word of elements of `type`, as a double, which holds all of them. */
static double element(uint64_t word, unsigned type, unsigned k)
{
	unsigned bits = 8 * gllm_type_bytes((enum gllm_type)type);
	uint64_t x = word >> k * bits & ((UINT64_C(1) << bits) - 1);
	return type == GLLM_BF16 ? (double)gllm_bf16_to_f32((uint16_t)x) : (double)widen(x, type);
}

static uint64_t dot(const struct gllm_node *n, unsigned bytes, uint64_t a, uint64_t b)
{
	unsigned x = n->imm & 255, y = n->imm >> 8 & 255;
	double sum = 0;
	for (unsigned k = 0; k < bytes / gllm_type_bytes((enum gllm_type)x); k++)
		sum += element(a, x, k) * element(b, y, k);
	return n->type == GLLM_F32 ? gllm_f32_bits((float)sum) : (uint32_t)(int32_t)sum;
}

static bool float_op(const struct gllm_node *n, float a, float b, float c, float *out)
{
	switch (n->op) {
	case GLLM_N_ADD: *out = a + b; break;
	case GLLM_N_SUB: *out = a - b; break;
	case GLLM_N_MUL: *out = a * b; break;
	case GLLM_N_DIV: *out = a / b; break;
	case GLLM_N_FMA: *out = gllm_fmaf(a, b, c); break;
	case GLLM_N_SQRT: *out = gllm_sqrtf(a); break;
	case GLLM_N_RINT: *out = gllm_rintf(a); break;
	default: return false;
	}
	return true;
}

static bool int_op(const struct gllm_node *n, uint64_t a, uint64_t b, uint64_t *out)
{
	switch (n->op) {
	case GLLM_N_ADD: *out = a + b; break;
	case GLLM_N_SUB: *out = a - b; break;
	case GLLM_N_MUL: *out = a * b; break;
	case GLLM_N_AND: *out = a & b; break;
	case GLLM_N_OR:  *out = a | b; break;
	case GLLM_N_XOR: *out = a ^ b; break;
	case GLLM_N_SHL: *out = a << (b & 63); break;
	case GLLM_N_SHR: *out = a >> (b & 63); break;
	case GLLM_N_SAR: *out = (uint64_t)(widen(a, n->type == GLLM_U32 ? GLLM_I32 : n->type) >> (b & 63)); break;
	default: return false;
	}
	return true;
}

static bool compare(unsigned op, unsigned type, uint64_t a, uint64_t b)
{
	if (type == GLLM_F32) {
		float x = as_float(a), y = as_float(b);
		return op == GLLM_N_LT ? x < y : op == GLLM_N_LE ? x <= y : op == GLLM_N_EQ ? x == y : x != x || y != y;
	}
	if (is_signed(type)) {
		int64_t x = widen(a, type), y = widen(b, type);
		return op == GLLM_N_LT ? x < y : op == GLLM_N_LE ? x <= y : op == GLLM_N_EQ && x == y;
	}
	return op == GLLM_N_LT ? a < b : op == GLLM_N_LE ? a <= b : op == GLLM_N_EQ && a == b;
}

/* Toward zero, or to nearest even; what does not fit (NaN too) is the least integer, as on x86. */
static uint64_t to_int(float x, bool nearest)
{
	if (nearest)
		x = gllm_rintf(x);
	return x >= -0x1p31f && x < 0x1p31f ? (uint32_t)(int32_t)x : UINT32_C(0x80000000);
}

static bool convert(unsigned to, unsigned from, uint64_t a, uint64_t *out)
{
	if (to == GLLM_F32) {
		if (from == GLLM_F16)
			*out = gllm_f32_bits(gllm_f16_to_f32((uint16_t)a));
		else if (from == GLLM_BF16)
			*out = gllm_f32_bits(gllm_bf16_to_f32((uint16_t)a));
		else
			*out = gllm_f32_bits((float)widen(a, from));
		return from != GLLM_F32;
	}
	if (from == GLLM_F32) {
		if (to == GLLM_F16)
			*out = gllm_f32_to_f16(as_float(a));
		else if (to == GLLM_BF16)
			*out = gllm_f32_to_bf16(as_float(a));
		else
			*out = to_int(as_float(a), false);
		return to == GLLM_F16 || to == GLLM_BF16 || to == GLLM_I32;
	}
	*out = (uint64_t)widen(a, from);
	return true;
}

static bool step(struct run *r, unsigned i)
{
	const struct gllm_node *n = &r->t->node[i];
	uint64_t a = n->a != GLLM_NO_NODE ? r->value[n->a] : 0, b = n->b != GLLM_NO_NODE ? r->value[n->b] : 0;
	uint64_t c = n->c != GLLM_NO_NODE ? r->value[n->c] : 0, v = 0;
	unsigned from = n->a != GLLM_NO_NODE ? r->t->node[n->a].type : n->type;
	float f = 0;
	bool ok = true;
	switch ((enum gllm_node_op)n->op) {
	case GLLM_N_CONST: v = n->imm; break;
	case GLLM_N_SCALAR: v = gllm_f32_bits(r->arg[n->imm].scalar); break;
	case GLLM_N_INDEX: v = (uint64_t)gllm_poly_eval(r->t, r->t->poly[n->imm], r->sym); break;
	case GLLM_N_LOAD: v = load(r, &r->t->access[n->imm]); break;
	case GLLM_N_STORE: store(r, &r->t->access[n->imm], a); return true;
	case GLLM_N_CARRY: return true;
	case GLLM_N_LAST: case GLLM_N_BITS: v = a; break;
	case GLLM_N_DOT: v = dot(n, gllm_type_bytes((enum gllm_type)from), a, b); break;
	case GLLM_N_ADD: case GLLM_N_SUB: case GLLM_N_MUL: case GLLM_N_DIV: case GLLM_N_FMA: case GLLM_N_SQRT: case GLLM_N_RINT:
	case GLLM_N_AND: case GLLM_N_OR: case GLLM_N_XOR: case GLLM_N_SHL: case GLLM_N_SHR: case GLLM_N_SAR:
		if (n->type == GLLM_F32) {
			ok = float_op(n, as_float(a), as_float(b), as_float(c), &f);
			v = gllm_f32_bits(f);
		} else {
			ok = int_op(n, a, b, &v);
		}
		break;
	case GLLM_N_NEG: v = a ^ 0x80000000u; ok = n->type == GLLM_F32; break;
	case GLLM_N_ABS: v = a & 0x7fffffffu; ok = n->type == GLLM_F32; break;
	case GLLM_N_LDEXP: v = gllm_f32_bits(gllm_ldexpf(as_float(a), (int32_t)(uint32_t)b)); break;
	case GLLM_N_LT: case GLLM_N_LE: case GLLM_N_EQ: case GLLM_N_UNORD:
		v = compare(n->op, from, a, b) ? 0xffffffffu : 0;
		break;
	case GLLM_N_SELECT: v = a ? b : c; break;
	case GLLM_N_CVT: ok = convert(n->type, from, a, &v); break;
	case GLLM_N_CVTN: v = to_int(as_float(a), true); ok = n->type == GLLM_I32; break;
	case GLLM_N_COUNT: ok = false; break;
	}
	r->value[i] = low(v, n->type);
	return ok;
}

bool gllm_trace_value(const struct gllm_trace *t, gllm_ref n, uint64_t *value)
{
	struct run r = { .t = t, .value = value };

	switch (t->node[n].op) {
	case GLLM_N_SCALAR: case GLLM_N_INDEX: case GLLM_N_LOAD: case GLLM_N_STORE: case GLLM_N_CARRY: case GLLM_N_LAST:
		return false;
	default:
		return step(&r, n);
	}
}

/* Sets the CARRYs of a loop: before the first iteration to a, after each to b, all at once. */
static bool set_carries(struct run *r, int loop, bool first)
{
	uint64_t now[CARRIES];
	unsigned n = 0;
	const struct gllm_loop *l = &r->t->loop[loop];
	for (unsigned i = l->first; i < l->end; i++) {
		const struct gllm_node *x = &r->t->node[i];
		if (x->op != GLLM_N_CARRY || x->loop != loop)
			continue;
		if (n == CARRIES)
			return false;
		now[n++] = r->value[first ? x->a : x->b];
	}
	n = 0;
	for (unsigned i = l->first; i < l->end; i++)
		if (r->t->node[i].op == GLLM_N_CARRY && r->t->node[i].loop == loop)
			r->value[i] = now[n++];
	return true;
}

enum gllm_status gllm_trace_eval(const struct gllm_trace *t, const union gllm_arg *arg, uint64_t *value)
{
	struct run r = { .t = t, .arg = arg, .value = value };
	int current = -1;
	unsigned i = 0, next = 0;
	for (unsigned p = 0; p < t->nparams; p++)
		if (t->param[p].kind == GLLM_DIM)
			r.sym[GLLM_SYM_PARAM + p] = (int64_t)arg[p].dim;
	for (;;) {
		while (next < t->nloops && t->loop[next].first == i && t->loop[next].parent == current) {
			r.trip[next] = gllm_poly_eval(t, t->loop[next].trip, r.sym);
			if (!set_carries(&r, (int)next, true))
				return GLLM_UNSUPPORTED;
			if (r.trip[next] > 0) {
				r.sym[GLLM_SYM_LOOP + next] = 0;
				current = (int)next++;
				continue;
			}
			i = t->loop[next].end;
			int over = (int)next++;
			while (next < t->nloops && t->loop[next].parent >= over)
				next++;
		}
		if (current >= 0 && i == t->loop[current].end) {
			if (!set_carries(&r, current, false))
				return GLLM_UNSUPPORTED;
			if (++r.sym[GLLM_SYM_LOOP + current] < r.trip[current]) {
				i = t->loop[current].first;
				next = (unsigned)current + 1;
			} else {
				current = t->loop[current].parent;
			}
			continue;
		}
		if (i >= t->nnodes)
			return GLLM_OK;
		if (!step(&r, i++))
			return GLLM_UNSUPPORTED;
	}
}
