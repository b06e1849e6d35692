/* SPDX-License-Identifier: MIT
 * jit/loops_memory.c - loads and stores of parameters and tables, in program order. */
#include "jit/canon_bits.h"
#include "jit/loops_parts.h"

static bool writable(const struct lifting *l, unsigned p)
{
	return l->writable >> p & 1;
}

void gllm_loops_forget(struct lifting *l)
{
	for (unsigned set = l->writable; set; set &= set - 1) {
		const unsigned p = (unsigned)__builtin_ctz(set);
		l->version[p] = ++l->versions;
		l->forward[p].access = VAL_NONE;
	}
}

static bool accessed(struct lifting *l, uint16_t raw, int loop, uint16_t *access)
{
	const struct raw *x = &l->s->raw[raw];
	uint16_t at = get(l, x->a, loop);
	const struct val *v = &l->c.v[at];
	if (v->op != VAL_PTR)
		return false;
	static const uint8_t by_size[] = { [1] = GLLM_U8, [2] = GLLM_U16, [4] = GLLM_U32, [8] = GLLM_I64 };
	unsigned bytes = x->w / 8u, type = l->param[v->aux].type;
	if (bytes != 1 && bytes != 2 && bytes != 4 && bytes != 8)
		return false;
	if (gllm_type_bytes((enum gllm_type)type) != bytes)
		type = by_size[bytes];
	struct val_access a = { .param = v->aux, .type = (uint8_t)type, .index = v->a, .poly = (uint16_t)v->imm,
	                        .index_bytes = v->a == VAL_NONE ? 0 : val_index_bytes(v) };
	*access = gllm_canon_access(&l->c, &a);
	return *access != VAL_NONE;
}

/* A load from constants of the image at an index that cannot leave them. Safe at any time, it runs where its index is known. */
static uint16_t table_load(struct lifting *l, uint16_t raw, int loop)
{
	static const uint8_t by_size[] = { [1] = GLLM_U8, [2] = GLLM_U16, [4] = GLLM_U32, [8] = GLLM_I64 };
	unsigned bytes = l->s->raw[raw].w / 8u;
	uint64_t from, size;
	struct val_access a = { .poly = 0 };
	uint16_t at = get(l, l->s->raw[raw].a, loop);
	if (at == POISON || (bytes != 1 && bytes != 2 && bytes != 4 && bytes != 8) ||
	    !gllm_bits_place(&l->c, at, bytes, &from, &size, &a.index, &a.index_bytes) || size > GLLM_TABLE_BYTES - bytes)
		return POISON;
	const unsigned char *data = gllm_image_at(l->s->img, from, size + bytes, true);
	uint16_t table = data ? gllm_canon_table(&l->c, by_size[bytes], data, (uint32_t)(size + bytes)) : VAL_NONE;
	if (table == VAL_NONE)
		return POISON;
	gllm_sym_folded(l->s, from, (uint32_t)(size + bytes));
	a.param = (uint8_t)table;
	a.type = by_size[bytes];
	a.index = gllm_canon_as(&l->c, a.index, GLLM_I64);
	uint16_t access = a.index == POISON ? VAL_NONE : gllm_canon_access(&l->c, &a);
	return access == VAL_NONE ? POISON : gllm_canon_load(&l->c, access, 0, l->c.v[a.index].loop);
}

static inline uint16_t load_access(struct lifting *l, uint16_t access, uint16_t raw, int loop)
{
	unsigned p = l->c.access[access].param;
	uint16_t v = gllm_canon_load(&l->c, access, writable(l, p) ? l->version[p] : 0, loop);
	if (l->nloads == LOOPS_LOADS)
		return POISON;
	l->load[l->nloads++] = (struct effect){ .value = v, .access = access, .block = l->s->raw[raw].block, .raw = raw };
	return v;
}

/* Several bytes of a parameter of bytes are read one by one. */
static uint16_t load_bytes(struct lifting *l, struct val_access a, unsigned bytes, uint16_t raw, int loop)
{
	uint16_t byte[8];
	struct polys *p = &l->c.p;
	a.type = GLLM_U8;
	for (unsigned i = 0; i < bytes; i++) {
		struct val_access one = a;
		one.poly = gllm_poly_plus(p, a.poly, (int64_t)i);
		uint16_t access = one.poly == POLY_NONE ? VAL_NONE : gllm_canon_access(&l->c, &one);
		byte[i] = access == VAL_NONE ? POISON : load_access(l, access, raw, loop);
		if (byte[i] == POISON)
			return POISON;
	}
	return gllm_bits_join(&l->c, byte, bytes);
}

uint16_t gllm_loops_load(struct lifting *l, uint16_t raw, int loop)
{
	uint16_t access;
	if (!accessed(l, raw, loop, &access))
		return table_load(l, raw, loop);
	unsigned p = l->c.access[access].param, bytes = l->s->raw[raw].w / 8u;
	if (writable(l, p) && l->forward[p].access == access && l->forward[p].loop == loop)
		return l->forward[p].value;
	if (bytes > 1 && l->param[p].type == GLLM_U8 && !writable(l, p))
		return load_bytes(l, l->c.access[access], bytes, raw, loop);
	return load_access(l, access, raw, loop);
}

void gllm_loops_store(struct lifting *l, uint16_t raw, int loop)
{
	uint16_t access;
	if (!accessed(l, raw, loop, &access)) {
		gllm_lift_refuse(l, "a store to an address that is not a parameter plus a polynomial", raw);
		return;
	}
	unsigned p = l->c.access[access].param, type = l->c.access[access].type;
	if (!writable(l, p)) {
		gllm_lift_refuse(l, "a store to a parameter that is only read", raw);
		return;
	}
	if (l->nstores == LOOPS_STORES) {
		gllm_lift_refuse(l, "too many stores", raw);
		return;
	}
	uint16_t v = gllm_canon_as(&l->c, get(l, l->s->raw[raw].c, loop), type == GLLM_U32 ? GLLM_I32 : type);
	l->store[l->nstores++] = (struct effect){ .value = v, .access = access, .block = l->s->raw[raw].block, .raw = raw };
	l->version[p] = ++l->versions;
	l->forward[p].access = access;
	l->forward[p].value = gllm_canon_as(&l->c, v, type);
	l->forward[p].loop = (int8_t)loop;
}

/* ---- stores in both arms --------------------------------------------------------------------------------------------- */

/* Compilers copy a store into each arm of a branch. Stores of one access that together run always become one, of the
 * selected value, at the place of the last. */
static void merge_stores(struct lifting *l, unsigned first)
{
	uint16_t target[FLOW_BLOCKS], v;
	const struct effect s = l->store[first];
	int level = block_loop(l, s.block);
	unsigned last = first, n = 0;
	for (unsigned i = 0; i < l->f->nblocks; i++)
		target[i] = ABSENT;
	for (unsigned i = first; i < l->nstores; i++) {
		const struct effect *o = &l->store[i];
		bool same = !o->dead && o->access == s.access && block_loop(l, o->block) == level;
		if (same) {
			n += target[o->block] == ABSENT;
			target[o->block] = o->value; /* of several in one block the last stays */
			last = i;
		}
	}
	for (unsigned i = first; i < last; i++)
		if (!l->store[i].dead && l->store[i].access != s.access &&
		    l->c.access[l->store[i].access].param == l->c.access[s.access].param)
			return;
	if (n < 2 || !gllm_loops_covers(l, level, target, &v) || v == POISON)
		return;
	for (unsigned i = 0; i < l->nloads; i++)
		if (l->c.access[l->load[i].access].param == l->c.access[s.access].param && l->load[i].raw > s.raw &&
		    l->load[i].raw < l->store[last].raw)
			return;
	int outer = level < 0 ? -1 : level;
	if (outer >= 0 && !gllm_always_runs(l, l->f->loop[outer].header))
		return;
	for (unsigned i = first; i < last; i++)
		if (l->store[i].access == s.access && block_loop(l, l->store[i].block) == level)
			l->store[i].dead = true;
	l->store[last].value = v;
	l->store[last].block = level < 0 ? 0 : l->f->loop[level].header;
}

void gllm_loops_settle_stores(struct lifting *l)
{
	for (unsigned i = 0; i < l->nstores && !l->status; i++) {
		struct effect *s = &l->store[i];
		if (!s->dead && !gllm_always_runs(l, s->block))
			merge_stores(l, i);
		if (!s->dead && !gllm_always_runs(l, s->block))
			gllm_lift_refuse(l, "a store that only sometimes runs", s->raw);
		if (!s->dead && s->value == POISON)
			gllm_lift_refuse(l, "a store of a value that is not understood", s->raw);
	}
}
