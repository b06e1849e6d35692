/* SPDX-License-Identifier: MIT
 * jit/trace_bounds.c - see trace_bounds.h. */
#include "jit/trace_bounds.h"
#include "core/bits.h"

static uint64_t within(uint64_t v, unsigned type)
{
	unsigned w = 8 * gllm_type_bytes((enum gllm_type)type);
	bool is_unsigned = type == GLLM_U8 || type == GLLM_U16 || type == GLLM_U32;
	return v <= (is_unsigned ? UINT64_MAX >> (64 - w) : UINT64_MAX >> (65 - w)) ? v : GLLM_UNBOUNDED;
}

/* From the bounds a and b of the operands. */
static uint64_t node_most(const struct gllm_trace *t, const struct gllm_node *n, uint64_t a, uint64_t b)
{
	unsigned w = 8 * gllm_type_bytes((enum gllm_type)n->type);
	unsigned k = n->b != GLLM_NO_NODE && t->node[n->b].op == GLLM_N_CONST ? (unsigned)t->node[n->b].imm & 63 : 0;
	uint64_t r;
	switch (n->op) {
	case GLLM_N_CONST: return within(n->imm, n->type);
	case GLLM_N_LOAD:
		return n->type == GLLM_U8 || n->type == GLLM_U16 || n->type == GLLM_U32 ? UINT64_MAX >> (64 - w) : GLLM_UNBOUNDED;
	case GLLM_N_CVT: case GLLM_N_BITS: return within(a, n->type);
	case GLLM_N_AND: return a < b ? a : b;
	case GLLM_N_SHR: return a != GLLM_UNBOUNDED ? a >> k : k ? UINT64_MAX >> (64 - w) >> k : GLLM_UNBOUNDED;
	case GLLM_N_SHL: return a <= UINT64_MAX >> k >> 1 ? within(a << k, n->type) : GLLM_UNBOUNDED;
	case GLLM_N_ADD: return gllm_add_ok(a, b, &r) ? within(r, n->type) : GLLM_UNBOUNDED;
	case GLLM_N_MUL: return gllm_mul_ok(a, b, &r) ? within(r, n->type) : GLLM_UNBOUNDED;
	default: return GLLM_UNBOUNDED;
	}
}

uint64_t gllm_trace_most(const struct gllm_trace *t, gllm_ref n)
{
	enum { DEPTH = 24, STEPS = 400 };
	struct { gllm_ref n; uint8_t have; uint64_t most[2]; } stack[DEPTH], *top = stack;
	*top = (__typeof__(*top)){ .n = n, .most = { GLLM_UNBOUNDED, GLLM_UNBOUNDED } };
	for (unsigned steps = 0; steps < STEPS; steps++) {
		const struct gllm_node *x = &t->node[top->n];
		bool integer = x->type != GLLM_F32 && x->type != GLLM_F16 && x->type != GLLM_BF16 && x->type != GLLM_MASK;
		bool leaf = x->op == GLLM_N_LOAD || x->op == GLLM_N_CARRY || x->op == GLLM_N_LAST || !integer;
		gllm_ref next = top->have == 0 ? x->a : top->have == 1 ? x->b : GLLM_NO_NODE;
		if (!leaf && next != GLLM_NO_NODE && top - stack + 1 < DEPTH) {
			*++top = (__typeof__(*top)){ .n = next, .most = { GLLM_UNBOUNDED, GLLM_UNBOUNDED } };
			continue;
		}
		uint64_t most = integer ? node_most(t, x, top->most[0], top->most[1]) : GLLM_UNBOUNDED;
		if (top == stack)
			return most;
		top--;
		top->most[top->have++] = most;
	}
	return GLLM_UNBOUNDED;
}

bool gllm_table_access(const struct gllm_trace *t, const struct gllm_access *a)
{
	unsigned i = a->param - GLLM_TRACE_PARAMS;
	uint64_t at;
	return a->param >= GLLM_TRACE_PARAMS && i < t->ntables && a->offset.count == 0 && a->index < t->nnodes &&
	       t->table[i].type == a->type && gllm_mul_ok(gllm_trace_most(t, a->index), a->index_bytes, &at) &&
	       gllm_add_ok(at, gllm_type_bytes((enum gllm_type)a->type), &at) && at <= t->table[i].bytes;
}
