/* SPDX-License-Identifier: MIT
 * jit/trace_flaw.c - checks a trace that was not lifted here against every rule that its users rely on. */
#include "core/bits.h"
#include "jit/record.h"
#include "jit/trace.h"
#include "jit/trace_bounds.h"

enum { NODES = 4000, CARRIES = 64 };

static bool inside(const struct gllm_trace *t, int inner, int outer) /* parents have lower numbers than children */
{
	while (inner > outer)
		inner = t->loop[inner].parent;
	return inner == outer;
}

static bool is_integer(unsigned type)
{
	return type == GLLM_I8 || type == GLLM_U8 || type == GLLM_I16 || type == GLLM_U16 || type == GLLM_I32 ||
	       type == GLLM_U32 || type == GLLM_I64;
}

/* ---- tables -------------------------------------------------------------------------------------------------------- */

static const char *counts(const struct gllm_trace *t)
{
	if (!t->param || t->nparams == 0 || t->nparams > GLLM_MAX_PARAMS)
		return "number of parameters";
	if (!t->node || t->nnodes == 0 || t->nnodes > NODES)
		return "number of nodes";
	if (t->nloops > GLLM_TRACE_LOOPS || (t->nloops && !t->loop))
		return "number of loops";
	if (t->naccesses > t->nnodes || (t->naccesses && !t->access) || t->npolys > t->nnodes || (t->npolys && !t->poly))
		return "number of accesses or polynomials";
	if (t->nterms > UINT16_MAX || (t->nterms && !t->term) || t->nreductions > CARRIES || (t->nreductions && !t->reduction))
		return "number of terms or reductions";
	if (t->ntables > GLLM_TRACE_TABLES || (t->ntables && !t->table))
		return "number of tables";
	for (unsigned i = 0; i < t->ntables; i++)
		if (!t->table[i].data || !t->table[i].bytes || t->table[i].bytes > GLLM_TABLE_BYTES || t->table[i].type >= GLLM_MASK)
			return "a table";
	for (unsigned i = 0; i < t->nparams; i++)
		if ((unsigned)t->param[i].kind > GLLM_SCALAR || (unsigned)t->param[i].type >= GLLM_MASK)
			return "kind or type of a parameter";
	return NULL;
}

/* A polynomial over dims and the variables of `loop` and the loops around it. */
static bool good_poly(const struct gllm_trace *t, struct gllm_poly p, int loop)
{
	if (p.first + (unsigned)p.count > t->nterms)
		return false;
	for (unsigned i = 0; i < p.count; i++) {
		const uint8_t *sym = t->term[p.first + i].sym;
		for (unsigned k = 0; k < GLLM_TERM_SYMS; k++) {
			if (k && (sym[k - 1] ? sym[k] && sym[k] < sym[k - 1] : sym[k]))
				return false;
			if (!sym[k])
				continue;
			if (sym[k] < GLLM_SYM_LOOP) {
				if (sym[k] - GLLM_SYM_PARAM >= (int)t->nparams || t->param[sym[k] - GLLM_SYM_PARAM].kind != GLLM_DIM)
					return false;
			} else if (sym[k] - GLLM_SYM_LOOP >= (int)t->nloops || !inside(t, loop, sym[k] - GLLM_SYM_LOOP)) {
				return false;
			}
		}
	}
	return true;
}

/* Loops nest, and stand in the order in which they begin. */
static bool good_loop(const struct gllm_trace *t, int i)
{
	const struct gllm_loop *l = &t->loop[i];
	int before = i - 1;
	if (l->parent < -1 || l->parent >= i || l->first >= l->end || l->end > t->nnodes)
		return false;
	for (; before > l->parent; before = t->loop[before].parent)
		if (t->loop[before].end > l->first)
			return false;
	if (before != l->parent || (before >= 0 && (l->first < t->loop[before].first || l->end > t->loop[before].end)))
		return false;
	return good_poly(t, l->trip, l->parent);
}

/* ---- nodes --------------------------------------------------------------------------------------------------------- */

static unsigned type_of(const struct gllm_trace *t, gllm_ref r)
{
	return t->node[r].type;
}

/* Operands stand before their user, outside its loop or in it, and exactly as many as the operation has. */
static bool good_operands(const struct gllm_trace *t, unsigned i)
{
	const struct gllm_node *n = &t->node[i];
	const gllm_ref ref[3] = { n->a, n->b, n->c };
	unsigned used = gllm_node_operands((enum gllm_node_op)n->op);
	for (unsigned k = 0; k < 3; k++) {
		if (k >= used ? ref[k] != GLLM_NO_NODE : ref[k] >= t->nnodes)
			return false;
		if (k >= used || n->op == GLLM_N_CARRY || n->op == GLLM_N_LAST)
			continue;
		if (ref[k] >= i || !inside(t, n->loop, t->node[ref[k]].loop) || t->node[ref[k]].op == GLLM_N_STORE)
			return false;
	}
	return true;
}

static bool good_carry(const struct gllm_trace *t, unsigned i)
{
	const struct gllm_node *n = &t->node[i];
	if (n->loop < 0)
		return false;
	const struct gllm_loop *l = &t->loop[n->loop];
	return n->a < i && inside(t, l->parent, t->node[n->a].loop) && n->b < l->end && inside(t, n->loop, t->node[n->b].loop) &&
	       t->node[n->a].op != GLLM_N_STORE && t->node[n->b].op != GLLM_N_STORE &&
	       type_of(t, n->a) == n->type && type_of(t, n->b) == n->type;
}

static bool good_last(const struct gllm_trace *t, unsigned i)
{
	const struct gllm_node *n = &t->node[i], *carry = &t->node[n->a];
	if (n->a >= i || carry->op != GLLM_N_CARRY || carry->loop < 0)
		return false;
	const struct gllm_loop *l = &t->loop[carry->loop];
	return i >= l->end && inside(t, n->loop, l->parent) && n->type == carry->type;
}

static bool good_access(const struct gllm_trace *t, unsigned i)
{
	const struct gllm_node *n = &t->node[i];
	if (n->imm >= t->naccesses)
		return false;
	const struct gllm_access *x = &t->access[n->imm];
	bool table = x->param >= GLLM_TRACE_PARAMS;
	if (table ? x->index >= i || n->op != GLLM_N_LOAD || !gllm_table_access(t, x)
	          : x->param >= t->nparams || t->param[x->param].kind > GLLM_WEIGHT)
		return false;
	bool pair = n->op == GLLM_N_LOAD && n->type == GLLM_F32 && x->type == GLLM_I64;
	if (x->type >= GLLM_MASK || (n->type != x->type && !pair) || !good_poly(t, x->offset, n->loop))
		return false;
	if (x->index != GLLM_NO_NODE &&
	    (x->index >= i || !inside(t, n->loop, t->node[x->index].loop) || !is_integer(type_of(t, x->index))))
		return false;
	if (n->op == GLLM_N_LOAD)
		return true;
	enum gllm_param_kind kind = t->param[x->param].kind;
	return (kind == GLLM_OUT || kind == GLLM_INOUT) &&
	       gllm_type_bytes((enum gllm_type)type_of(t, n->a)) == gllm_type_bytes((enum gllm_type)n->type);
}

static bool good_shift(const struct gllm_trace *t, const struct gllm_node *n)
{
	const struct gllm_node *by = &t->node[n->b];
	return is_integer(n->type) && type_of(t, n->a) == n->type && by->op == GLLM_N_CONST &&
	       by->imm < 8 * gllm_type_bytes((enum gllm_type)n->type);
}

static bool good_convert(const struct gllm_trace *t, const struct gllm_node *n)
{
	unsigned from = type_of(t, n->a);
	bool small = from == GLLM_F16 || from == GLLM_BF16;
	if (n->type == GLLM_F32)
		return small || is_integer(from);
	if (from == GLLM_F32)
		return n->type == GLLM_F16 || n->type == GLLM_BF16 || n->type == GLLM_I32;
	return is_integer(from) && is_integer(n->type);
}

/* Types as the list of gllm/trace.h states them, and what imm names. */
static bool good_types(const struct gllm_trace *t, unsigned i)
{
	const struct gllm_node *n = &t->node[i];
	unsigned used = gllm_node_operands((enum gllm_node_op)n->op);
	unsigned a = used > 0 ? type_of(t, n->a) : n->type, b = used > 1 ? type_of(t, n->b) : n->type;
	unsigned c = used > 2 ? type_of(t, n->c) : n->type;
	bool equal = a == n->type && b == n->type && c == n->type;
	switch ((enum gllm_node_op)n->op) {
	case GLLM_N_CONST: return n->type == GLLM_I64 || n->imm >> 8 * gllm_type_bytes((enum gllm_type)n->type) == 0;
	case GLLM_N_SCALAR: return n->type == GLLM_F32 && n->imm < t->nparams && t->param[n->imm].kind == GLLM_SCALAR;
	case GLLM_N_INDEX: return n->type == GLLM_I64 && n->imm < t->npolys && good_poly(t, t->poly[n->imm], n->loop);
	case GLLM_N_LOAD: case GLLM_N_STORE: return good_access(t, i);
	case GLLM_N_CARRY: return good_carry(t, i);
	case GLLM_N_LAST: return good_last(t, i);
	case GLLM_N_ADD: case GLLM_N_SUB: case GLLM_N_MUL: return equal && (n->type == GLLM_F32 || is_integer(n->type));
	case GLLM_N_DOT:
		return a == b && (a == GLLM_F32 || a == GLLM_I64) && n->type == (n->imm == (GLLM_BF16 | GLLM_BF16 << 8) ? GLLM_F32 : GLLM_I32);
	case GLLM_N_DIV: case GLLM_N_FMA: case GLLM_N_NEG: case GLLM_N_ABS: case GLLM_N_SQRT: case GLLM_N_RINT:
		return equal && n->type == GLLM_F32;
	case GLLM_N_LDEXP: return n->type == GLLM_F32 && a == GLLM_F32 && b == GLLM_I32;
	case GLLM_N_AND: case GLLM_N_OR: case GLLM_N_XOR: return equal && (n->type == GLLM_MASK || is_integer(n->type));
	case GLLM_N_SHL: case GLLM_N_SHR: case GLLM_N_SAR: return good_shift(t, n);
	case GLLM_N_LT: case GLLM_N_LE: case GLLM_N_EQ:
		return n->type == GLLM_MASK && a == b && (a == GLLM_F32 || is_integer(a));
	case GLLM_N_UNORD: return n->type == GLLM_MASK && a == GLLM_F32 && b == GLLM_F32;
	case GLLM_N_SELECT: return a == GLLM_MASK && b == n->type && c == n->type;
	case GLLM_N_CVT: return good_convert(t, n);
	case GLLM_N_CVTN: return n->type == GLLM_I32 && a == GLLM_F32;
	case GLLM_N_BITS: return gllm_type_bytes((enum gllm_type)a) == gllm_type_bytes((enum gllm_type)n->type);
	case GLLM_N_COUNT: return false;
	}
	return false;
}

static const char *good_nodes(const struct gllm_trace *t)
{
	unsigned carries = 0;
	for (unsigned i = 0; i < t->nnodes; i++) { /* loops and types first: the rest relies on those of later nodes too */
		const struct gllm_node *n = &t->node[i];
		int innermost = -1;
		for (unsigned l = 0; l < t->nloops; l++)
			if (i >= t->loop[l].first && i < t->loop[l].end)
				innermost = (int)l;
		if (n->op >= GLLM_N_COUNT || n->type >= GLLM_TYPE_COUNT || n->loop != innermost)
			return "operation, type or loop of a node";
		carries += n->op == GLLM_N_CARRY;
	}
	for (unsigned i = 0; i < t->nnodes; i++) {
		if (!good_operands(t, i))
			return "operands of a node";
		if (!good_types(t, i))
			return "types or meaning of a node";
	}
	return carries <= CARRIES ? NULL : "number of carried values";
}

/* ---- what follows from the rest ------------------------------------------------------------------------------------ */

static const char *derived(const struct gllm_trace *t)
{
	struct gllm_reduction want[CARRIES];
	unsigned n = gllm_trace_reductions(t, want);
	bool same = n == t->nreductions;
	for (unsigned i = 0; same && i < n; i++) {
		const struct gllm_reduction *r = &t->reduction[i];
		same = r->kind == want[i].kind && r->loop == want[i].loop && r->carry == want[i].carry && r->pair == want[i].pair &&
		       r->value == want[i].value;
	}
	if (!same)
		return "reductions of a trace";
	if (t->pattern != gllm_trace_pattern(t))
		return "pattern of a trace";
	return t->hash == gllm_trace_hash(t) ? NULL : "hash of a trace";
}

const char *gllm_trace_flaw(const struct gllm_trace *t)
{
	const char *flaw = counts(t);
	for (unsigned i = 0; !flaw && i < t->nloops; i++)
		if (!good_loop(t, (int)i))
			flaw = "loops of a trace";
	if (!flaw)
		flaw = good_nodes(t);
	/* Tables that no node names are read as well. */
	for (unsigned i = 0; !flaw && i < t->naccesses; i++)
		if (t->access[i].offset.first + (unsigned)t->access[i].offset.count > t->nterms ||
		    (t->access[i].param >= t->nparams && !gllm_table_access(t, &t->access[i])) ||
		    (t->access[i].index != GLLM_NO_NODE && t->access[i].index >= t->nnodes))
			flaw = "an access that nothing uses";
	for (unsigned i = 0; !flaw && i < t->npolys; i++)
		if (t->poly[i].first + (unsigned)t->poly[i].count > t->nterms)
			flaw = "a polynomial that nothing uses";
	return flaw ? flaw : derived(t);
}
