/* SPDX-License-Identifier: MIT
 * jit/regalloc_spill.c - which registers live in the frame, and the program with accesses to it. */
#include "core/bits.h"
#include "jit/regalloc_state.h"
#include "jit/vir.h"

enum { DEPTH_BIT = 58, LENGTH_BITS = 18 }; /* of a price */

/* --- choosing ------------------------------------------------------------------------------------------------------- */

static inline void add_access(struct scan *s, gllm_vreg r, uint64_t cost, unsigned depth)
{
	if (r == NONE)
		return;
	struct weight *x = &s->weight[r];
	x->cost += cost;
	x->accesses++;
	x->depth = (uint8_t)(x->depth < depth ? depth : x->depth);
}

/* What deciding between registers of the file to spill takes: of others, not all accesses are counted. */
static bool weigh(struct scan *s, unsigned file)
{
	unsigned depth = 0;
	uint64_t cost = 1;

	s->others = file == s->m->class_file[GLLM_CLASS_G] ? GLLM_V_VZERO : GLLM_V_COUNT;
	s->weight = gllm_alloc_array(s->arena, s->v->nregs + 1u, sizeof *s->weight, 8);
	if (!s->weight)
		return false;
	for (unsigned r = 0; r <= s->v->nregs; r++)
		s->weight[r] = (struct weight){ .cost = 0 };
	for (uint32_t i = 0; i < s->v->n; i++) {
		const struct gllm_vi *in = &s->v->ins[i];
		if (in->op >= s->others)
			continue;
		if (in->op == GLLM_V_LOOP_BEGIN || in->op == GLLM_V_LOOP_END) {
			depth = in->op == GLLM_V_LOOP_BEGIN ? depth + 1 : depth - 1;
			cost = UINT64_C(1) << (depth < 8 ? 3 * depth : 24);
		}
		if ((in->op == GLLM_V_GCONST || in->op == GLLM_V_VZERO) && s->reg[in->d].once) {
			s->reg[in->d].flags |= CONSTANT;
			s->weight[in->d].def = i;
		}
		add_access(s, in->a, cost, depth);
		add_access(s, in->b, cost, depth);
		add_access(s, in->c, cost, depth);
		add_access(s, in->m, cost, depth);
		add_access(s, in->d, cost, depth);
	}
	return true;
}

/* What it costs to keep r in memory: an inner loop is the last place for spill code; within one depth, weighted accesses per length
 * of the interval. */
static uint64_t price_of(const struct scan *s, gllm_vreg r)
{
	const struct gllm_interval *x = &s->reg[r];
	uint64_t cost = s->weight[r].cost >> ((x->flags & CONSTANT) != 0), length = (uint64_t)x->end - x->start + 1;

	return (uint64_t)s->weight[r].depth << DEPTH_BIT | (cost << LENGTH_BITS) / length; /* costs < 2^38 */
}

struct held { /* registers that a file holds at one position, where each ends and its price: places do not matter */
	struct { uint64_t price; uint32_t end; gllm_vreg r; } of[REGS];
	unsigned n, room;
};

static void let_go(struct held *h, uint32_t before)
{
	unsigned n = 0;

	for (unsigned k = 0; k < h->n; k++)
		if (h->of[k].end >= before)
			h->of[n++] = h->of[k];
	h->n = n;
}

static unsigned cheapest(const struct held *h)
{
	unsigned best = 0;

	for (unsigned k = 1; k < h->n; k++)
		best = h->of[k].price < h->of[best].price ? k : best;
	return best;
}

/* `who` from `at` to `end`; or it or another one, whichever is the best to spill, is in the frame. */
static void hold(struct scan *s, struct held *h, gllm_vreg who, uint32_t at, uint32_t end)
{
	uint64_t price = who == TEMP || (s->reg[who].flags & SHORT) ? UINT64_MAX : price_of(s, who);
	unsigned k = h->n;

	if (k == h->room) {
		let_go(h, at);
		k = h->n;
	}
	if (k == h->room) {
		k = cheapest(h);
		bool other = h->room && h->of[k].price < price;
		if (!other && price == UINT64_MAX)
			return;
		gllm_regalloc_spill(s, other ? h->of[k].r : who);
		if (!other)
			return;
	}
	h->of[k].r = who;
	h->of[k].end = end;
	h->of[k].price = price;
	h->n += k == h->n;
}

static unsigned temporaries(const struct scan *s, const struct gllm_vi *in, unsigned file)
{
	struct gllm_need need = s->m->need(in);
	unsigned n = file == s->m->class_file[GLLM_CLASS_G] ? need.g : file == s->m->class_file[GLLM_CLASS_V] ? need.v : 0;

	return n < GLLM_VIR_TEMPS ? n : GLLM_VIR_TEMPS;
}

enum gllm_status gllm_regalloc_choose(struct scan *s, unsigned file)
{
	struct held held = { .room = s->m->norder[file] };
	const struct gllm_interval *reg = s->reg;
	const struct gllm_vi *in = s->v->ins;

	if (!weigh(s, file))
		return GLLM_OUT_OF_MEMORY;
	for (gllm_vreg k = GLLM_VIR_ARGS; k < GLLM_VIR_FIRST_FREE; k++)
		if (reg[k].end > 0 && reg[k].file == file)
			hold(s, &held, k, 0, reg[k].end);
	for (uint32_t at = 1, end = 2 * s->v->n; at < end; at += 2, in++) {
		for (unsigned k = gllm_vi_asks(s->m, in) ? temporaries(s, in, file) : 0; k-- > 0;)
			hold(s, &held, TEMP, at, at + 1);
		if (in->op < s->others && gllm_vi_writes(in) && reg[in->d].file == file && reg[in->d].start == at + 1)
			hold(s, &held, in->d, at + 1, reg[in->d].end);
	}
	return s->nspilled ? GLLM_OK : GLLM_COMPILE_ERROR;
}

/* --- rewriting ------------------------------------------------------------------------------------------------------ */

/* Is the register a lane mask that is not a vector? */
static bool is_mask(const struct scan *s, unsigned cls)
{
	return cls == GLLM_CLASS_M && s->m->class_file[GLLM_CLASS_M] != s->m->class_file[GLLM_CLASS_V];
}

static uint32_t new_slot(struct scan *s, unsigned cls)
{
	uint32_t mask = s->m->vector_bytes > 64 ? s->m->vector_bytes / 8u : 8; /* a bit per byte at most */
	uint32_t bytes = cls == GLLM_CLASS_G ? 8 : is_mask(s, cls) ? mask : s->m->vector_bytes;
	uint32_t at = (uint32_t)gllm_round_up(s->frame_bytes, bytes);

	s->frame_bytes = at + bytes;
	return at;
}

static struct gllm_vi spill_access(const struct scan *s, gllm_vreg r, gllm_vreg reg, bool store)
{
	bool g = s->v->reg_class[r] == GLLM_CLASS_G;
	struct gllm_vi i = { 0 };

	i.op = (uint8_t)(store ? g ? GLLM_V_GSTORE : GLLM_V_VSTORE : g ? GLLM_V_GLOAD : GLLM_V_VLOAD);
	i.type = i.mem = g ? GLLM_I64 : is_mask(s, s->v->reg_class[r]) ? GLLM_MASK : GLLM_F32;
	i.a = s->frame;
	i.d = store ? NONE : reg;
	i.b = i.m = NONE;
	i.c = store ? reg : NONE;
	i.imm = s->weight[r].slot;
	return i;
}

struct rewrite { /* the new code as it grows */
	struct gllm_vi *ins;
	unsigned n;
	uint32_t *shift;           /* by old instruction plus one: how far it moves, modulo 2^32; 0 of the entry, which stays */
	uint8_t *reg_class;
	struct gllm_interval *reg;
	unsigned nregs;
};

/* Written by the next instruction. */
static gllm_vreg short_reg(struct scan *s, struct rewrite *w, uint8_t cls)
{
	w->reg_class[w->nregs] = cls;
	w->reg[w->nregs] = (struct gllm_interval){ .start = 2 * w->n + 2, .end = 2 * w->n + 2, .place = NOWHERE,
	                                           .file = s->m->class_file[cls], .flags = SHORT };
	return (gllm_vreg)w->nregs++;
}

/* The value of a spilled register in a new one. */
static gllm_vreg reload(struct scan *s, struct rewrite *w, gllm_vreg r)
{
	gllm_vreg t = short_reg(s, w, s->v->reg_class[r]);

	if (s->reg[r].flags & CONSTANT) {
		w->ins[w->n] = s->v->ins[s->weight[r].def];
		w->ins[w->n++].d = t;
	} else {
		w->ins[w->n++] = spill_access(s, r, t, false);
	}
	return t;
}

static void rename(struct gllm_vi *i, gllm_vreg from, gllm_vreg to)
{
	i->a = i->a == from ? to : i->a;
	i->b = i->b == from ? to : i->b;
	i->c = i->c == from ? to : i->c;
	i->m = i->m == from ? to : i->m;
}

static inline bool is_spilled(const struct scan *s, gllm_vreg r)
{
	return r != NONE && (s->reg[r].flags & SPILL);
}

static inline bool has_spilled(const struct scan *s, const struct gllm_vi *i)
{
	return i->op < s->others && (is_spilled(s, i->a) || is_spilled(s, i->b) || is_spilled(s, i->c) || is_spilled(s, i->m) || is_spilled(s, i->d));
}

static bool in_frame(const struct scan *s, gllm_vreg r)
{
	return is_spilled(s, r) && !(s->reg[r].flags & CONSTANT);
}

static void put(struct rewrite *w, struct gllm_vi in)
{
	w->ins[w->n++] = in;
}

/* Instruction `i`, which accesses registers that are spilled. */
static void rewrite_one(struct scan *s, struct rewrite *w, uint32_t i)
{
	struct gllm_vi in = s->v->ins[i];
	gllm_vreg use[4], d = in.d;
	unsigned n = gllm_vi_uses(&in, use), first = w->nregs;

	w->shift[i + 1] = w->n - i;
	if ((in.op == GLLM_V_VMOV || in.op == GLLM_V_GMOV) && in_frame(s, in.a) != in_frame(s, d) &&
	    !((s->reg[in.a].flags | s->reg[d].flags) & CONSTANT)) { /* a load or a store */
		put(w, in_frame(s, d) ? spill_access(s, d, in.a, true) : spill_access(s, in.a, d, false));
		return;
	}
	for (unsigned k = 0; k < n; k++)
		if (is_spilled(s, use[k])) {
			gllm_vreg t = reload(s, w, use[k]);

			for (unsigned j = k + 1; j < n; j++)
				if (use[j] == use[k])
					use[j] = s->frame; /* done with it */
			in.d = use[k] == d ? t : in.d;
			rename(&in, use[k], t);
		}
	w->shift[i + 1] = w->n - i;
	for (unsigned t = first; t < w->nregs; t++)
		w->reg[t].end = 2 * w->n + 1;
	if (!is_spilled(s, d)) {
		put(w, in);
		return;
	}
	if (s->reg[d].flags & CONSTANT)
		return; /* made again at each use */
	if (in.d == d)
		in.d = short_reg(s, w, s->v->reg_class[d]);
	put(w, in);
	w->reg[in.d].end = 2 * w->n + 1;
	put(w, spill_access(s, d, in.d, true));
}

/* --- intervals of the new program: those of the old, which keep their instructions ------------------------------------ */

static void move_intervals(const struct scan *s, struct rewrite *w)
{
	for (unsigned r = 0; r < s->v->nregs; r++) {
		struct gllm_interval *x = &w->reg[r];
		if (s->reg[r].flags & SPILL)
			continue;
		x->start += 2 * w->shift[(x->start + 1) / 2]; /* UINT32_MAX stays */
		x->end += 2 * w->shift[(x->end + 1) / 2];
	}
	for (unsigned l = 0; l < s->v->nlabels; l++)
		if (s->label[l] != UINT32_MAX)
			s->label[l] += w->shift[s->label[l] + 1];
}

/* Room that the rewritten code needs: instructions more and registers more. */
static unsigned spill_accesses(const struct scan *s)
{
	unsigned more = GLLM_VIR_FIRST_FREE;

	for (unsigned k = 0; k < s->nspilled; k++)
		more += s->weight[s->spilled[k]].accesses;
	return more;
}

/* The registers there are, but for those that are spilled. */
static void begin_registers(struct scan *s, struct rewrite *w)
{
	w->nregs = s->v->nregs;
	__builtin_memcpy(w->reg_class, s->v->reg_class, w->nregs);
	__builtin_memcpy(w->reg, s->reg, w->nregs * sizeof *w->reg);
	for (unsigned k = 0; k < s->nspilled; k++) {
		gllm_vreg r = s->spilled[k];
		w->reg[r] = (struct gllm_interval){ .start = UINT32_MAX, .place = NOWHERE, .file = s->reg[r].file };
		if (in_frame(s, r))
			s->weight[r].slot = new_slot(s, s->v->reg_class[r]);
	}
	if (s->frame == NONE) {
		s->frame = short_reg(s, w, GLLM_CLASS_G);
		w->reg[s->frame].start = 0;
		w->reg[s->frame].end = UINT32_MAX; /* it has no place that could end */
		s->reg[s->frame].flags = 0;
	}
}

enum gllm_status gllm_regalloc_rewrite(struct scan *s)
{
	struct gllm_vir *v = s->v;
	struct rewrite w = { .n = 0 };

	if (!s->weight && !weigh(s, s->m->class_file[GLLM_CLASS_V])) /* nothing was chosen: addends are kept */
		return GLLM_OUT_OF_MEMORY;
	unsigned more = spill_accesses(s);
	if (v->nregs + more + 1 >= TEMP)
		return GLLM_COMPILE_ERROR;
	w.ins = gllm_alloc_array(s->arena, v->n + more, sizeof *w.ins, 8);
	w.shift = gllm_alloc_array(s->arena, v->n + 1u, sizeof *w.shift, 4);
	w.reg_class = gllm_alloc_array(s->arena, v->nregs + more + 1, 1, 1);
	w.reg = gllm_alloc_array(s->arena, v->nregs + more + 2, sizeof *w.reg, 8);
	if (!w.ins || !w.shift || !w.reg_class || !w.reg)
		return GLLM_OUT_OF_MEMORY;
	begin_registers(s, &w);
	for (gllm_vreg k = GLLM_VIR_ARGS; k < GLLM_VIR_FIRST_FREE; k++)
		if (s->reg[k].flags & SPILL) { /* an argument arrives in its register and is stored at once */
			w.reg[k] = (struct gllm_interval){ .end = 2 * w.n + 1, .place = NOWHERE, .file = s->reg[k].file, .flags = SHORT };
			put(&w, spill_access(s, k, k, true));
		}
	w.shift[0] = 0;
	for (uint32_t i = 0; i < v->n; i++) {
		if (has_spilled(s, &v->ins[i])) {
			rewrite_one(s, &w, i);
			continue;
		}
		w.shift[i + 1] = w.n - i;
		w.ins[w.n++] = v->ins[i];
	}
	if (s->known)
		move_intervals(s, &w);
	v->ins = w.ins;
	v->n = w.n;
	v->max = v->n;
	v->reg_class = w.reg_class;
	v->nregs = v->max_regs = w.nregs;
	s->reg = w.reg;
	return GLLM_OK;
}
