/* SPDX-License-Identifier: MIT
 * jit/canon_write.c - the sums of canon_bits.h as nodes. One sum is always written in one way: a field is its atom shifted down or up,
 * masked if bits of it are left out, times what its coefficient is beside a power of two; terms that are not negative come first. */
#include "jit/canon_parts.h"
#include "jit/canon_sum.h"

uint16_t gllm_sum_node(struct canon *c, unsigned op, unsigned type, uint16_t a, uint16_t b)
{
	if ((op == GLLM_N_ADD || op == GLLM_N_AND || op == GLLM_N_OR || op == GLLM_N_XOR || op == GLLM_N_MUL) && a > b &&
	    !is(c, b, GLLM_N_CONST)) {
		uint16_t t = a;
		a = b;
		b = t;
	}
	return gllm_canon_node(c, op, type, a, b, VAL_NONE, 0);
}

uint16_t gllm_sum_with(struct canon *c, unsigned op, unsigned type, uint16_t a, uint64_t k)
{
	return gllm_sum_node(c, op, type, a, gllm_canon_const(c, type, k));
}

/* How many bits of an atom may be 1. */
static unsigned atom_bits(struct canon *c, uint16_t atom)
{
	struct val_bits *b = &c->bits[c->v[atom].bits];
	if (!b->asked) {
		struct sum s;
		gllm_sum_recall(c, atom, &s);
		b->length = (uint8_t)bits_length(gllm_sum_ones(c, &s, 32));
		b->asked = true;
	}
	return b->length;
}

/* What a sum is written of: most often 32 bits, which are found again. */
static uint16_t atom_as(struct canon *c, uint16_t atom, unsigned type)
{
	if (c->v[atom].type == type)
		return atom;
	if (type != GLLM_I32)
		return gllm_canon_as(c, atom, type);
	uint16_t *const word = &c->bits[c->v[atom].bits].word;
	if (!*word)
		*word = gllm_canon_as(c, atom, type);
	return *word;
}

/* size * field, size below 2^(w-1). */
static uint16_t write_field(struct canon *c, const struct bit_field *f, uint64_t size, unsigned type, unsigned w)
{
	uint16_t v = atom_as(c, f->atom, type);
	bool power = !(size & (size - 1));
	unsigned to = power ? bits_zeros_below(size) : 0, top = f->first + f->count;
	bool masked = top < atom_bits(c, f->atom) && !(f->first <= to && f->count + to == w);
	uint64_t ones_there = bits_low(~UINT64_C(0), f->count) << to;
	if (f->first > to)
		v = gllm_sum_with(c, GLLM_N_SHR, type, v, f->first - to);
	else if (f->first < to)
		v = gllm_sum_with(c, GLLM_N_SHL, type, v, to - f->first);
	masked = masked || (f->first > 0 && to > 0);
	if (masked)
		v = gllm_sum_with(c, GLLM_N_AND, type, v, bits_low(ones_there, w));
	return power ? v : gllm_sum_with(c, GLLM_N_MUL, type, v, size);
}

/* Two fields that are one signed number: its lower bits, and its highest with the opposite sign. */
static bool is_signed_pair(const struct bit_field *f, const struct bit_field *g, unsigned w)
{
	return f->atom == g->atom && f->first + f->count == g->first && g->count == 1 &&
	       bits_low(f->coef << f->count, w) == bits_low(0 - g->coef, w);
}

/* The number that bits of an atom are, the highest of them its sign. */
static uint16_t signed_bits(struct canon *c, uint16_t atom, unsigned first, unsigned count, unsigned type, unsigned w)
{
	unsigned of = c->v[atom].type;
	if ((of != GLLM_I8 && of != GLLM_I16) || first + count != bits_of(of)) {
		uint16_t v = gllm_sum_with(c, GLLM_N_SHL, type, atom_as(c, atom, type), w - first - count);
		return gllm_sum_with(c, GLLM_N_SAR, type, v, w - count);
	}
	uint16_t v = gllm_canon_node(c, GLLM_N_CVT, GLLM_I32, atom, VAL_NONE, VAL_NONE, 0);
	v = first ? gllm_sum_with(c, GLLM_N_SAR, GLLM_I32, v, first) : v;
	return type == GLLM_I32 ? v : gllm_canon_node(c, GLLM_N_CVT, type, v, VAL_NONE, VAL_NONE, 0);
}

/* The signed number of a pair, times size. */
static uint16_t write_signed(struct canon *c, const struct bit_field *f, uint64_t size, unsigned type, unsigned w)
{
	bool power = !(size & (size - 1));
	unsigned to = power ? bits_zeros_below(size) : 0;
	uint16_t v = signed_bits(c, f->atom, f->first, f->count + 1u, type, w);
	if (!power)
		return gllm_sum_with(c, GLLM_N_MUL, type, v, size);
	return to ? gllm_sum_with(c, GLLM_N_SHL, type, v, to) : v;
}

/* Adds the terms of a sum that are not negative to *v, or takes the others from it, and from the constant if there is nothing else;
 * VAL_NONE: nothing yet. Returns whether there are terms of the other sort. */
static bool write_some(struct canon *c, const struct sum *s, unsigned type, bool minus, uint16_t *v, uint64_t *k)
{
	bool others = false;
	for (unsigned i = 0; i < s->n; i++) {
		const struct bit_field *f = &s->f[i];
		const bool pair = i + 1 < s->n && is_signed_pair(f, f + 1, s->w);
		const bool negative = f->coef >> (s->w - 1) & 1 && f->coef != UINT64_C(1) << (s->w - 1);
		i += pair;
		if (negative != minus) {
			others = true;
			continue;
		}
		const uint64_t size = negative ? bits_low(0 - f->coef, s->w) : f->coef;
		const uint16_t t = pair ? write_signed(c, f, size, type, s->w) : write_field(c, f, size, type, s->w);
		if (*v == VAL_NONE && minus) {
			*v = gllm_canon_const(c, type, *k);
			*k = 0;
		}
		*v = *v == VAL_NONE ? t : gllm_sum_node(c, minus ? GLLM_N_SUB : GLLM_N_ADD, type, *v, t);
	}
	return others;
}

uint16_t gllm_sum_write(struct canon *c, const struct sum *s, unsigned type)
{
	uint16_t v = VAL_NONE;
	uint64_t k = s->k;
	if (write_some(c, s, type, false, &v, &k))
		write_some(c, s, type, true, &v, &k);
	return k ? gllm_sum_with(c, GLLM_N_ADD, type, v, k) : v;
}
