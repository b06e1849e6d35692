/* SPDX-License-Identifier: MIT
 * jit/lower_value.c - what a node's value is while it is lowered: constants, and blocks of registers.
 *
 * A value lives in a block of registers with one place per copy of the loops it varies along, so what several copies
 * share is computed once. Lanes of a value that does not vary along the vectorised loop are all equal. */
#include "core/bits.h"
#include "gllm/ops.h"
#include "jit/lower_state.h"

gllm_vreg gllm_lower_emit(struct lower *l, enum gllm_vir_op op, enum gllm_type type, gllm_vreg a, gllm_vreg b, gllm_vreg c)
{
	struct gllm_vi i = gllm_vi(op);

	i.d = gllm_vir_reg(l->v, gllm_vir_info[op].d[0] == 'm' ? GLLM_CLASS_M : GLLM_CLASS_V);
	i.type = i.mem = (uint8_t)type;
	i.a = a;
	i.b = b;
	i.c = c;
	return gllm_vir_emit(l->v, i);
}

gllm_vreg gllm_lower_g(struct lower *l, enum gllm_vir_op op, gllm_vreg a, gllm_vreg b, int64_t imm)
{
	struct gllm_vi i = gllm_vi(op);

	i.d = gllm_vir_reg(l->v, GLLM_CLASS_G);
	i.type = i.mem = GLLM_I64;
	i.a = a;
	i.b = b;
	i.imm = imm;
	return gllm_vir_emit(l->v, i);
}

static bool all_are(const uint32_t *word, unsigned n, uint32_t bits)
{
	for (unsigned k = 0; k < n; k++)
		if (word[k] != bits)
			return false;
	return true;
}

/* Where n words of the pool, at a multiple of n, are `bits` or can be made so. */
static unsigned place_of(const struct lower *l, uint32_t bits, unsigned n)
{
	unsigned k = (unsigned)gllm_round_up(l->first_word, n);

	while (k + n <= l->npool && !all_are(&l->pool[k], n, bits))
		k += n;
	return k + n <= l->npool ? k : (unsigned)gllm_round_up(l->npool, n);
}

/* The first of n words of the pool, at a multiple of n, that all are `bits`. */
static unsigned words_of(struct lower *l, uint32_t bits, unsigned n)
{
	unsigned k = place_of(l, bits, n);

	if (k + n > l->first_word + MAX_POOL) {
		gllm_lower_fail(l, GLLM_COMPILE_ERROR, "too many constants", k);
		return l->first_word;
	}
	while (l->npool < k + n)
		l->pool[l->npool++] = bits;
	return k;
}

/* The word in all lanes of `into`, or of a new register if that is NO_VREG. A whole vector of them is loaded where a
 * broadcast is more than a load, as long as there is room. */
gllm_vreg gllm_lower_word(struct lower *l, uint32_t bits, gllm_vreg into)
{
	unsigned lanes = l->m->vector_bytes / 4u;
	bool whole = l->m->slow_bcast && !l->halves && place_of(l, bits, lanes) + lanes <= l->first_word + MAX_POOL / 2;
	struct gllm_vi i = gllm_vi(!bits ? GLLM_V_VZERO : whole ? GLLM_V_VLOAD : GLLM_V_VBCAST);

	i.d = into == GLLM_NO_VREG ? gllm_vir_reg(l->v, GLLM_CLASS_V) : into;
	i.type = i.mem = l->halves ? GLLM_F16 : GLLM_F32;
	if (bits) {
		i.a = l->pool_reg;
		i.imm = 4 * (int64_t)words_of(l, bits, whole ? lanes : 1);
		i.segment = GLLM_VIR_FIXED;
	}
	return gllm_vir_emit(l->v, i);
}

/* Constants have numbers: those of their nodes and, of F32 ones with the other sign, numbers behind all nodes. */
gllm_ref gllm_lower_negated(const struct lower *l, gllm_ref n)
{
	return (gllm_ref)(n + l->t->nnodes + 1);
}

bool gllm_lower_subtracts(const struct lower *l, gllm_ref n)
{
	return node(l, n)->op == GLLM_N_SUB && l->fused[n] == node(l, n)->a && l->fused[n] != n;
}

static bool is_const(const struct lower *l, gllm_ref n)
{
	return n != GLLM_NO_NODE && (n > l->t->nnodes || node(l, n)->op == GLLM_N_CONST);
}

static uint32_t const_bits(const struct lower *l, gllm_ref n)
{
	bool negated = n > l->t->nnodes;
	uint32_t bits = negated ? (uint32_t)node(l, (gllm_ref)(n - l->t->nnodes - 1))->imm ^ UINT32_C(0x80000000)
	                        : (uint32_t)node(l, n)->imm;
	return l->halves ? gllm_f32_to_f16(gllm_bits_f32(bits)) : bits;
}

static gllm_vreg load_constant(struct lower *l, gllm_ref n)
{
	struct gllm_vi i = gllm_vi(GLLM_V_VBCAST);

	if (is_const(l, n))
		return gllm_lower_word(l, const_bits(l, n), GLLM_NO_VREG);
	i.d = gllm_vir_reg(l->v, GLLM_CLASS_V);
	i.type = i.mem = GLLM_F32;
	i.a = GLLM_VIR_ARGS;
	i.imm = 8 * (int64_t)node(l, n)->imm;
	i.segment = GLLM_VIR_FIXED;
	return gllm_vir_emit(l->v, i);
}

/* What a product contracted into node n is added to or, negated, taken from; NO_NODE if none is. */
static gllm_ref addend(const struct lower *l, gllm_ref n)
{
	const struct gllm_node *x = node(l, n);
	gllm_ref f = l->fused[n];

	if (x->op == GLLM_N_FMA)
		return x->c;
	if (f == GLLM_NO_NODE || f == n || node(l, f)->op == GLLM_N_DOT)
		return GLLM_NO_NODE;
	return gllm_lower_subtracts(l, n) ? gllm_lower_negated(l, x->b) : f == x->a ? x->b : x->a;
}

/* Register of factor f of a product in this loop cannot be its sum's. */
static bool outlives(const struct lower *l, gllm_ref f, int loop)
{
	return node(l, f)->loop != loop || l->uses[f] > 1;
}

/* What is added to node n's product is lost where the machine puts the sum over it, or no factor makes room for the sum. */
static bool is_lost(const struct lower *l, gllm_ref n)
{
	const struct gllm_node *x = node(l, n), *product = x->op == GLLM_N_FMA ? x : node(l, l->fused[n]);

	return l->m->adds_over || (l->m->loads_addends && outlives(l, product->a, x->loop) && outlives(l, product->b, x->loop));
}

gllm_ref gllm_lower_read_addend(const struct lower *l, gllm_ref n)
{
	gllm_ref c = addend(l, n);

	return is_const(l, c) && const_bits(l, c) && is_lost(l, n) ? l->same[c] : GLLM_NO_NODE;
}

gllm_vreg gllm_lower_addend(struct lower *l, gllm_ref n)
{
	struct gllm_vi i = gllm_vi(GLLM_V_VLOAD);
	gllm_ref c = addend(l, n), read = gllm_lower_read_addend(l, n);

	if (read == GLLM_NO_NODE)
		return c > l->t->nnodes ? gllm_lower_constant_value(l, c) : gllm_lower_value(l, c);
	if (!l->m->slow_bcast)
		return gllm_lower_word(l, const_bits(l, read), GLLM_NO_VREG);
	i.d = gllm_vir_reg(l->v, GLLM_CLASS_V);
	i.type = i.mem = GLLM_F32;
	i.a = l->pool_reg;
	i.imm = 4 * (int64_t)words_of(l, const_bits(l, read), l->m->vector_bytes / 4u);
	i.segment = GLLM_VIR_FIXED;
	return gllm_vir_emit(l->v, i);
}

/* A CONST or SCALAR in a register that stays until the caller's mark in const_list is dropped. */
gllm_vreg gllm_lower_constant(struct lower *l, gllm_ref n)
{
	n = l->same[n];
	if (l->constant[n] == GLLM_NO_VREG) {
		l->constant[n] = load_constant(l, n);
		l->const_list[l->nconst++] = n;
	}
	return l->constant[n];
}

/* --- blocks ---------------------------------------------------------------------------------------------------------- */

uint32_t gllm_lower_block(struct lower *l, uint32_t dep, int node_loop, bool split_form, unsigned extra)
{
	uint32_t n = extra * gllm_lower_places_of(l, dep, node_loop, split_form), base = l->nslots;

	if (n > l->max_slots - l->nslots) {
		gllm_lower_fail(l, GLLM_COMPILE_ERROR, "too many copies of values", n);
		return 0;
	}
	for (uint32_t i = 0; i < n; i++)
		l->slot[base + i] = GLLM_NO_VREG;
	l->nslots += n;
	return base;
}

uint32_t gllm_lower_carry_index(const struct lower *l, gllm_ref carry, unsigned copy)
{
	int loop = node(l, carry)->loop;
	uint32_t outer = l->dep[carry] & ~(UINT32_C(1) << loop);

	unsigned n = l->loop[loop].accumulators;

	return l->val[carry] + gllm_lower_index(l, outer, loop, false) * n + copy % n;
}

unsigned gllm_lower_own_copy(const struct lower *l, int loop)
{
	unsigned f = l->frame_of[loop];

	return f < l->depth && l->frame[f].loop == loop && !(l->paired >> loop & 1) ? l->tuple[f] : 0;
}

/* Which form of node `n` the nodes being emitted now see. */
static bool sees_split(const struct lower *l, gllm_ref n)
{
	int loop = node(l, n)->loop;

	return loop >= 0 && ((l->dep[n] & l->paired) >> loop & 1) &&
	       (l->split_form || l->frame[l->depth - 1].loop != loop);
}

gllm_vreg *gllm_lower_place(struct lower *l, gllm_ref n)
{
	bool s = sees_split(l, n);
	uint32_t base = s ? l->sval[n] : l->val[n];

	if (base == NO_BLOCK) {
		gllm_lower_fail(l, GLLM_COMPILE_ERROR, "a value is used where it was not computed", n);
		return l->slot;
	}
	return &l->slot[base + gllm_lower_index(l, l->dep[n], node(l, n)->loop, s)];
}

gllm_vreg gllm_lower_constant_value(struct lower *l, gllm_ref n)
{
	if (l->constant[l->same[n]] != GLLM_NO_VREG)
		return l->constant[l->same[n]];
	/* In an innermost loop a constant that found no room beforehand is read at each use. */
	return l->depth > 1 && l->loop[l->frame[l->depth - 1].loop].leaf ? load_constant(l, n) : gllm_lower_constant(l, n);
}

gllm_vreg gllm_lower_value(struct lower *l, gllm_ref n)
{
	gllm_vreg r;

	switch (node(l, n)->op) {
	case GLLM_N_CONST: case GLLM_N_SCALAR: return gllm_lower_constant_value(l, n);
	case GLLM_N_CARRY:
		return l->slot[gllm_lower_carry_index(l, n, gllm_lower_own_copy(l, node(l, n)->loop))];
	default: break;
	}
	r = *gllm_lower_place(l, n);
	if (r == GLLM_NO_VREG)
		gllm_lower_fail(l, GLLM_COMPILE_ERROR, "a value is used where it was not computed", n);
	return r;
}
