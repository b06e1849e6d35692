/* SPDX-License-Identifier: MIT
 * tests/check_vir.c - the back ends on whole programs of vector IR: trees, branches, loops in loops, random programs, what
 * must be refused, and which width a profile gets. Operations and accesses one at a time: check_vir_ops.c, _access.c. */
#include "vir_bench.h"
#include "jit/readback.h"

#if GLLM_JIT

enum { PROGRAMS = 60 }; /* random ones */
#define AVX2 (GLLM_BIT(GLLM_X86_AVX) | GLLM_BIT(GLLM_X86_AVX2) | GLLM_BIT(GLLM_X86_FMA) | GLLM_BIT(GLLM_X86_F16C))
#define AVX512 (AVX2 | GLLM_BIT(GLLM_X86_BMI2) | GLLM_BIT(GLLM_X86_AVX512F) | GLLM_BIT(GLLM_X86_AVX512BW) | \
                GLLM_BIT(GLLM_X86_AVX512DQ) | GLLM_BIT(GLLM_X86_AVX512VL))

/* --- trees ---------------------------------------------------------------------------------------------------------- */

static void pairs(struct bench *b, unsigned type, int32_t how, const char *name)
{
	gllm_vreg v[GLLM_VIR_LANES], in, out;
	unsigned n = b->lanes;

	begin(b);
	in = load_slot(b, GLLM_VIR_ARGS, 0);
	out = load_slot(b, GLLM_VIR_ARGS, 40);
	for (unsigned k = 0; k < n; k++)
		v[k] = load(b, in, GLLM_NO_VREG, (int64_t)k * out_bytes(b));
	for (unsigned level = 0; n > 1; level++, n /= 2)
		for (unsigned k = 0; k < n / 2; k++) {
			struct gllm_vi i = op(GLLM_V_VHPAIR, type);

			i.a = v[2 * k];
			i.b = v[2 * k + 1];
			i.imm = level;
			i.aux = how;
			v[k] = emit(b, i);
		}
	store(b, out, GLLM_NO_VREG, 0, v[0]);
	end(b);
	vir_fill(b, 1.0f, 0.0f);
	vir_finish(b, name, 0, 0);
}

/* --- control -------------------------------------------------------------------------------------------------------- */

static void branches(struct bench *b, bool immediate)
{
	static const int32_t values[] = { 0, 1, -1, 100, -4000, 5000, INT32_MAX, INT32_MIN };
	gllm_vreg ints, out;
	unsigned at = 0;

	begin(b);
	ints = load_slot(b, GLLM_VIR_ARGS, 32);
	out = load_slot(b, GLLM_VIR_ARGS, 40);
	for (unsigned cc = GLLM_VCC_EQ; cc <= GLLM_VCC_GE; cc++)
		for (unsigned k = 0; k < GLLM_COUNT(values); k++) {
			struct gllm_vi i = op(immediate ? GLLM_V_BRANCHI : GLLM_V_BRANCH, 0), set = op(GLLM_V_GCONST, GLLM_I64);
			unsigned l = gllm_vir_label(&b->v);
			gllm_vreg r = constant(b, 7);

			i.a = load_slot(b, ints, 8 * (int64_t)(k % 3));
			if (!immediate)
				i.b = constant(b, values[k]);
			i.aux = immediate ? values[k] : 0;
			i.cc = (uint8_t)cc;
			i.imm = l;
			emit(b, i);
			set.d = r;
			set.imm = 3;
			emit(b, set);
			label(b, l);
			store_int(b, out, 8 * (int64_t)at++, r);
		}
	end(b);
	for (unsigned k = 0; k < 4; k++) {
		vir_fill(b, -1.0f, 1.0f);
		for (unsigned n = 0; n < 3; n++)
			b->data->ints[n] = values[check_below(b->t, GLLM_COUNT(values))] + (k == 3 ? INT64_C(1) << 32 : 0);
		if (!vir_finish(b, immediate ? "branchi" : "branch", 0, 0))
			break;
	}
}

/* Loops in loops, short and long ways back, and the arguments still there at the end. */
static void nested(struct bench *b, unsigned padding)
{
	gllm_vreg out = GLLM_NO_VREG, sum, i[3];
	unsigned top[3];

	begin(b);
	out = load_slot(b, GLLM_VIR_ARGS, 40);
	sum = constant(b, 0);
	for (unsigned d = 0; d < 3; d++) {
		i[d] = constant(b, 0);
		top[d] = gllm_vir_label(&b->v);
		emit(b, op(GLLM_V_LOOP_BEGIN, 0));
		label(b, top[d]);
	}
	for (unsigned k = 0; k < padding; k++) {
		struct gllm_vi m = op(GLLM_V_GMULI, GLLM_I64);

		m.d = m.a = sum;
		m.imm = 3 + 2 * (int64_t)k;
		emit(b, m);
		add_to(b, sum, k);
	}
	for (unsigned d = 3; d-- > 0;) {
		struct gllm_vi a = op(GLLM_V_GADD, GLLM_I64), again = op(GLLM_V_BRANCHI, 0);

		a.d = a.a = sum;
		a.b = i[d];
		emit(b, a);
		add_to(b, i[d], 1);
		again.a = i[d];
		again.aux = 3;
		again.cc = GLLM_VCC_LT;
		again.imm = top[d];
		emit(b, again);
		emit(b, op(GLLM_V_LOOP_END, 0));
		if (d) {
			struct gllm_vi zero = op(GLLM_V_GCONST, GLLM_I64);

			zero.d = i[d];
			emit(b, zero);
		}
	}
	store_int(b, out, 0, sum);
	store_int(b, out, 8, GLLM_VIR_BEGIN);
	store_int(b, out, 16, GLLM_VIR_RANGE_END);
	end(b);
	vir_fill(b, -1.0f, 1.0f);
	vir_finish(b, "nested loops", 12345, UINT64_C(0x8000000000000001));
}

/* Random programs over a pool of registers that are written again and again, in loops and behind branches: what interval,
 * spill, move and fold decisions have in common is that they must not change a bit. */
enum { POOL_V = 40, POOL_G = 28, POOL_M = 8, OPEN = 3 };

struct pool {
	gllm_vreg v[POOL_V], g[POOL_G], m[POOL_M], in, out;
	struct { bool loop; unsigned label; gllm_vreg counter; } open[OPEN];
	unsigned depth;
};

static gllm_vreg any(struct bench *b, const gllm_vreg *of, unsigned n)
{
	return of[check_below(b->t, n)];
}

static struct gllm_vi random_vector(struct bench *b, const struct pool *p)
{
	static const uint8_t choice[] = { GLLM_V_VADD, GLLM_V_VSUB, GLLM_V_VMUL, GLLM_V_VXOR, GLLM_V_VAND, GLLM_V_VMIN,
	                                  GLLM_V_VMAX, GLLM_V_VANDN, GLLM_V_VMOV, GLLM_V_VNEG, GLLM_V_VABS, GLLM_V_VREDUCE,
	                                  GLLM_V_VSEL, GLLM_V_VZERO, GLLM_V_VSPLAT };
	struct gllm_vi i = op((enum gllm_vir_op)choice[check_below(b->t, sizeof choice)], GLLM_I32);
	gllm_vreg *place[3] = { &i.a, &i.b, &i.c };
	unsigned k = 0;

	for (const char *s = gllm_vir_info[i.op].abc; *s; s++)
		if (*s != '-' && *s != 'i')
			*place[k++] = *s == 'v' ? any(b, p->v, POOL_V) : *s == 'g' ? any(b, p->g, POOL_G) : any(b, p->m, POOL_M);
	return i;
}

static void random_step(struct bench *b, struct pool *p)
{
	struct gllm_vi i = random_vector(b, p), j;

	switch (check_below(b->t, 8)) {
	case 0: /* through a move */
		j = op(GLLM_V_VMOV, GLLM_I32);
		j.a = emit(b, i);
		j.d = any(b, p->v, POOL_V);
		if (check_below(b->t, 2))
			store(b, p->out, GLLM_NO_VREG, 4 * (int64_t)check_below(b->t, 64), any(b, p->v, POOL_V));
		emit(b, j);
		return;
	case 1: /* a load just before its use */
		j = op(check_below(b->t, 2) ? GLLM_V_VADD : GLLM_V_VSUB, GLLM_I32);
		j.a = any(b, p->v, POOL_V);
		j.d = any(b, p->v, POOL_V);
		j.b = load(b, p->in, GLLM_NO_VREG, 4 * (int64_t)check_below(b->t, 256));
		if (check_below(b->t, 2))
			j.a = load(b, p->in, GLLM_NO_VREG, 4 * (int64_t)check_below(b->t, 256));
		if (check_below(b->t, 2)) {
			gllm_vreg swap = j.a;
			j.a = j.b;
			j.b = swap;
		}
		emit(b, j);
		if (check_below(b->t, 3) == 0) { /* and once more */
			j.d = any(b, p->v, POOL_V);
			emit(b, j);
		}
		return;
	case 2:
		j = op(check_below(b->t, 2) ? GLLM_V_VLT : GLLM_V_VEQ, GLLM_I32);
		j.a = any(b, p->v, POOL_V);
		j.b = any(b, p->v, POOL_V);
		j.d = any(b, p->m, POOL_M);
		emit(b, j);
		return;
	case 3:
		j = op(check_below(b->t, 2) ? GLLM_V_GADD : GLLM_V_GSUB, GLLM_I64);
		j.a = any(b, p->g, POOL_G);
		j.b = any(b, p->g, POOL_G);
		j.d = any(b, p->g, POOL_G);
		emit(b, j);
		return;
	default:
		i.d = any(b, p->v, POOL_V);
		emit(b, i);
	}
}

static void random_open(struct bench *b, struct pool *p, bool loop)
{
	unsigned l = gllm_vir_label(&b->v);

	p->open[p->depth].loop = loop;
	p->open[p->depth].label = l;
	if (loop) {
		p->open[p->depth].counter = constant(b, 0);
		emit(b, op(GLLM_V_LOOP_BEGIN, 0));
		label(b, l);
	} else {
		branch(b, (enum gllm_vcc)check_below(b->t, 6), any(b, p->g, POOL_G), any(b, p->g, POOL_G), l);
	}
	p->depth++;
}

static void random_close(struct bench *b, struct pool *p)
{
	struct gllm_vi again = op(GLLM_V_BRANCHI, 0);

	p->depth--;
	if (!p->open[p->depth].loop) {
		label(b, p->open[p->depth].label);
		return;
	}
	add_to(b, p->open[p->depth].counter, 1);
	again.a = p->open[p->depth].counter;
	again.aux = 3;
	again.cc = GLLM_VCC_LT;
	again.imm = p->open[p->depth].label;
	emit(b, again);
	emit(b, op(GLLM_V_LOOP_END, 0));
}

static bool random_program(struct bench *b)
{
	struct pool p = { .depth = 0 };
	gllm_vreg ints;

	begin(b);
	p.in = load_slot(b, GLLM_VIR_ARGS, 0);
	ints = load_slot(b, GLLM_VIR_ARGS, 32);
	p.out = load_slot(b, GLLM_VIR_ARGS, 40);
	for (unsigned k = 0; k < POOL_V; k++)
		p.v[k] = load(b, p.in, GLLM_NO_VREG, 12 * (int64_t)k);
	for (unsigned k = 0; k < POOL_G; k++)
		p.g[k] = load_slot(b, ints, 8 * (int64_t)k);
	for (unsigned k = 0; k < POOL_M; k++) {
		struct gllm_vi c = op(GLLM_V_VLT, GLLM_I32);

		c.a = p.v[k];
		c.b = p.v[k + 5];
		p.m[k] = emit(b, c);
	}
	for (unsigned k = 0; k < 120; k++) {
		unsigned what = check_below(b->t, 14);

		if (what == 0 && p.depth < OPEN)
			random_open(b, &p, true);
		else if (what == 1 && p.depth < OPEN)
			random_open(b, &p, false);
		else if (what == 2 && p.depth > 0)
			random_close(b, &p);
		else
			random_step(b, &p);
	}
	while (p.depth > 0)
		random_close(b, &p);
	for (unsigned k = 0; k < POOL_V; k++)
		store(b, p.out, GLLM_NO_VREG, AT_V + (int64_t)k * out_bytes(b), p.v[k]);
	for (unsigned k = 0; k < POOL_G; k++)
		store_int(b, p.out, AT_G + 8 * (int64_t)k, p.g[k]);
	for (unsigned k = 0; k < POOL_M; k++)
		store_chosen(b, p.out, AT_M + (int64_t)k * out_bytes(b), p.m[k], p.v[0], p.v[1]);
	end(b);
	vir_fill(b, 1.0f, 0.0f);
	b->half = GLLM_MASK; /* integers: every bit counts */
	if (!vir_finish(b, "random program", 0, 0))
		return false;
	CHECK(b->t, vir_same_again(b));
	return true;
}

static gllm_vreg broadcast(struct bench *b, gllm_vreg base, gllm_vreg to)
{
	struct gllm_vi i = op(GLLM_V_VBCAST, GLLM_F32);

	i.d = to;
	i.a = base;
	i.imm = 4 * (int64_t)check_below(b->t, 64);
	return emit(b, i);
}

/* Broadcasts and loads as factors, as addends and alone: a back end may fold them into the multiplication. */
static bool random_products(struct bench *b)
{
	struct pool p = { .depth = 0 };
	gllm_vreg x[3], ints;

	begin(b);
	p.in = load_slot(b, GLLM_VIR_ARGS, 0);
	ints = load_slot(b, GLLM_VIR_ARGS, 32);
	p.out = load_slot(b, GLLM_VIR_ARGS, 40);
	for (unsigned k = 0; k < POOL_V; k++)
		p.v[k] = load(b, p.in, GLLM_NO_VREG, 12 * (int64_t)k);
	for (unsigned k = 0; k < POOL_G; k++)
		p.g[k] = load_slot(b, ints, 8 * (int64_t)k);
	for (unsigned k = 0; k < 40; k++) {
		unsigned what = check_below(b->t, 8), uses = 1 + check_below(b->t, 3);

		if (what < 2 && p.depth < OPEN)
			random_open(b, &p, what == 0);
		else if (what == 2 && p.depth > 0)
			random_close(b, &p);
		x[0] = broadcast(b, p.in, check_below(b->t, 4) ? GLLM_NO_VREG : any(b, p.v, POOL_V));
		x[1] = check_below(b->t, 4) ? load(b, p.in, GLLM_NO_VREG, 4 * (int64_t)check_below(b->t, 64))  :
		                             broadcast(b, p.in, GLLM_NO_VREG);
		x[2] = any(b, p.v, POOL_V);
		while (uses-- > 0) {
			unsigned turn = check_below(b->t, 8) ? check_below(b->t, 2) : 2;
			struct gllm_vi i = op(check_below(b->t, 4) ? GLLM_V_VFMA : GLLM_V_VFNMA, GLLM_F32);

			if (check_below(b->t, 10) == 0)
				i.op = GLLM_V_VMUL;
			i.a = x[turn & 1];
			i.b = x[check_below(b->t, 8) ? ~turn & 1 : turn & 1];
			i.d = any(b, p.v, POOL_V);
			if (i.op != GLLM_V_VMUL)
				i.c = turn == 2 ? x[0] : check_below(b->t, 2) ? i.d : x[2];
			emit(b, i);
		}
	}
	while (p.depth > 0)
		random_close(b, &p);
	for (unsigned k = 0; k < POOL_V; k += 1 + k % 2) /* some die before the end */
		store(b, p.out, GLLM_NO_VREG, (int64_t)k * out_bytes(b), p.v[k]);
	end(b);
	vir_fill(b, -1.0f, 1.0f);
	return vir_finish(b, "random products", 0, 0);
}

/* A loop that ends with a register at zero, right behind an addition to it or to another one. */
static void ends_at_zero(struct bench *b)
{
	for (unsigned how = 0; how < 3; how++) {
		struct gllm_vi again = op(GLLM_V_BRANCHI, 0);
		gllm_vreg out, count, other, turns;

		begin(b);
		out = load_slot(b, GLLM_VIR_ARGS, 40);
		count = constant(b, 3);
		other = constant(b, 5);
		turns = constant(b, 0);
		again.imm = gllm_vir_label(&b->v);
		emit(b, op(GLLM_V_LOOP_BEGIN, 0));
		label(b, (unsigned)again.imm);
		add_to(b, turns, 1);
		add_to(b, how == 1 ? count : other, -1);
		add_to(b, how == 1 ? other : count, -1);
		again.a = how == 2 ? other : count;
		again.cc = GLLM_VCC_NE;
		emit(b, again);
		emit(b, op(GLLM_V_LOOP_END, 0));
		store_int(b, out, 0, turns);
		store_int(b, out, 8, other);
		end(b);
		vir_fill(b, -1.0f, 1.0f);
		vir_finish(b, "loop to zero", 0, 0);
	}
}

/* A factor that is a loaded vector the first time round and a broadcast from then on. */
static void carried_factor(struct bench *b)
{
	struct pool p = { .depth = 0 };
	struct gllm_vi i = op(GLLM_V_VFMA, GLLM_F32);
	gllm_vreg d;

	begin(b);
	p.in = load_slot(b, GLLM_VIR_ARGS, 0);
	p.out = load_slot(b, GLLM_VIR_ARGS, 40);
	for (unsigned k = 0; k < 3; k++)
		p.v[k] = load(b, p.in, GLLM_NO_VREG, 64 * (int64_t)k);
	d = load(b, p.in, GLLM_NO_VREG, 256);
	random_open(b, &p, true);
	i.a = p.v[0];
	i.b = d;
	i.c = i.d = p.v[1];
	emit(b, i);
	broadcast(b, p.in, d);
	i.c = i.d = p.v[2];
	emit(b, i);
	random_close(b, &p);
	for (unsigned k = 0; k < 3; k++)
		store(b, p.out, GLLM_NO_VREG, (int64_t)k * out_bytes(b), p.v[k]);
	end(b);
	vir_fill(b, -1.0f, 1.0f);
	vir_finish(b, "carried factor", 0, 0);
}

/* What was built, again: for a pass to change. */
static bool copied(struct bench *b, struct gllm_arena *arena, struct gllm_vir *v)
{
	*v = b->v;
	v->ins = gllm_alloc_array(arena, MAX_INS, sizeof *v->ins, 8);
	v->reg_class = gllm_alloc(arena, MAX_REGS, 1);
	v->max = MAX_INS;
	if (!CHECK(b->t, v->ins && v->reg_class))
		return false;
	for (unsigned k = 0; k < v->n; k++)
		v->ins[k] = b->v.ins[k];
	for (unsigned k = 0; k < v->nregs; k++)
		v->reg_class[k] = b->v.reg_class[k];
	return true;
}

/* How many loads of what was built become half of another. */
static unsigned paired(struct bench *b)
{
	struct gllm_arena arena = b->arena;
	struct gllm_vir v;
	unsigned n = 0;

	if (!copied(b, &arena, &v))
		return 0;
	CHECK_STATUS(b->t, gllm_vir_pair_loads(&v, b->lanes, arena), GLLM_OK);
	for (unsigned k = 0; k < v.n; k++)
		n += v.ins[k].op == GLLM_V_VWIDEN && v.ins[k].imm == 1;
	return n;
}

/* Two loads of neighbours, and what between them keeps them apart or does not. */
enum between { NOTHING, OTHER_COPY, READ_ONLY, CHANGED_ADDRESS, STORED, STORED_SAME_COPY, WRITTEN, READ, BETWEEN };

static void side_by_side(struct bench *b, unsigned type, unsigned mem, enum between how)
{
	struct gllm_vi load1 = op(GLLM_V_VLOAD, type), load2, between;
	gllm_vreg base, out, x, first;

	begin(b);
	base = load_slot(b, GLLM_VIR_ARGS, 40); /* what is stored may be loaded */
	out = load_slot(b, GLLM_VIR_ARGS, 40);
	x = load(b, load_slot(b, GLLM_VIR_ARGS, 0), GLLM_NO_VREG, 0);
	store(b, out, GLLM_NO_VREG, 0, x);
	load1.mem = (uint8_t)mem;
	load1.a = base;
	load1.segment = how == OTHER_COPY || how == STORED_SAME_COPY ? 1 : how == READ_ONLY || how == READ ? GLLM_VIR_FIXED : 0;
	load2 = load1;
	load2.imm = (int64_t)(b->lanes * gllm_type_bytes((enum gllm_type)mem));
	load2.d = how == WRITTEN || how == READ ? x : GLLM_NO_VREG;
	first = emit(b, load1);
	if (how == CHANGED_ADDRESS) {
		between = op(GLLM_V_GADDI, GLLM_I64);
		between.a = between.d = base;
		between.imm = 8;
		emit(b, between);
	} else if (how == WRITTEN) {
		between = op(GLLM_V_VZERO, GLLM_F32);
		between.d = x;
		emit(b, between);
	} else if (how != NOTHING) { /* where the second load reads, but of a copy or segment that says it does not */
		between = op(GLLM_V_VSTORE, GLLM_F32);
		between.a = out;
		between.c = x;
		between.imm = how == STORED || how == STORED_SAME_COPY ? load2.imm : 2048;
		between.segment = how == OTHER_COPY || how == STORED_SAME_COPY;
		between.copy = how == OTHER_COPY;
		emit(b, between);
	}
	x = emit(b, load2);
	store(b, out, GLLM_NO_VREG, 1024, first);
	store(b, out, GLLM_NO_VREG, 1024 + out_bytes(b), x);
	end(b);
	CHECK_EQ(b->t, paired(b), how <= READ_ONLY);
	vir_fill(b, 1.0f, 2.0f);
	vir_finish(b, "loads side by side", 0, 0);
}

static void pairs_of_loads(struct bench *b)
{
	static const uint8_t types[][2] = {
		{ GLLM_F32, GLLM_I8 }, { GLLM_I32, GLLM_I8 }, { GLLM_I32, GLLM_U8 }, { GLLM_F32, GLLM_U16 }, { GLLM_I32, GLLM_I16 },
		{ GLLM_F32, GLLM_F16 }, { GLLM_F32, GLLM_BF16 },
	};

	for (unsigned k = 0; k < GLLM_COUNT(types) && b->machine.has_widen; k++)
		for (unsigned how = 0; how < BETWEEN; how++)
			side_by_side(b, types[k][0], types[k][1], (enum between)how);
}

/* How many copies of addends would come from the frame. */
static unsigned kept(struct bench *b)
{
	struct gllm_arena arena = b->arena;
	struct gllm_vir v;
	unsigned n = 0;

	if (!copied(b, &arena, &v))
		return 0;
	CHECK_STATUS(b->t, gllm_vir_keep_addends(&v, &b->machine, arena), GLLM_OK);
	for (unsigned k = 0; k < v.n; k++)
		n += v.ins[k].op == GLLM_V_VMOV && v.ins[k].aux == GLLM_VIR_KEPT;
	v = b->v;
	v.max = v.n; /* no room: nothing changes */
	CHECK_STATUS(b->t, gllm_vir_keep_addends(&v, &b->machine, arena), GLLM_OK);
	CHECK_EQ(b->t, v.n, b->v.n);
	return n;
}

/* Two loops, one in the other; products are added to two values from outside, one of which the outer loop changes, and to a
 * third that the inner one changes if `changes`. With many loads a turn there is nothing to gain. */
static void addends_that_stay(struct bench *b, bool changes, unsigned loads)
{
	enum { PRODUCTS = 6 };
	struct pool p = { .depth = 0 };
	struct gllm_vi i = op(GLLM_V_VFMA, GLLM_F32), add = op(GLLM_V_VADD, GLLM_F32);
	gllm_vreg c[3], sum, x;

	begin(b);
	p.in = load_slot(b, GLLM_VIR_ARGS, 0);
	p.out = load_slot(b, GLLM_VIR_ARGS, 40);
	for (unsigned k = 0; k < 3; k++)
		c[k] = load(b, p.in, GLLM_NO_VREG, 64 * (int64_t)k);
	sum = load(b, p.in, GLLM_NO_VREG, 256);
	i.b = load(b, p.in, GLLM_NO_VREG, 320);
	random_open(b, &p, true);
	random_open(b, &p, true);
	x = load(b, p.in, GLLM_NO_VREG, 384);
	for (unsigned k = 0; k < loads; k++)
		x = load(b, p.in, GLLM_NO_VREG, 32 * (int64_t)k);
	for (unsigned k = 0; k < PRODUCTS; k++) {
		i.op = k == 4 ? GLLM_V_VFNMA : GLLM_V_VFMA;
		i.a = k & 1 ? x : sum;
		i.c = c[k % 3];
		i.d = GLLM_NO_VREG;
		add.a = add.d = sum;
		add.b = emit(b, i);
		emit(b, add);
	}
	if (changes) {
		add.a = add.d = c[2];
		emit(b, add);
	}
	random_close(b, &p);
	add.a = add.d = c[1];
	emit(b, add);
	random_close(b, &p);
	for (unsigned k = 0; k < 3; k++)
		store(b, p.out, GLLM_NO_VREG, (int64_t)k * out_bytes(b), c[k]);
	store(b, p.out, GLLM_NO_VREG, 3 * (int64_t)out_bytes(b), sum);
	end(b);
	bool neon = b->machine.adds_over && !b->halves;
	CHECK_EQ(b->t, kept(b), !neon || loads > PRODUCTS ? 0 : changes ? 4 : PRODUCTS);
	vir_fill(b, 0.0f, 0.25f);
	vir_finish(b, "addends that stay", 0, 0);
}

/* The replay must notice a wrong allocation: any two registers exchanged, or one register for two. */
static void wrong_allocations(struct bench *b)
{
	struct gllm_arena arena = b->arena;
	struct gllm_allocation a;
	struct gllm_vir v;
	unsigned bad;
	uint8_t *where;
	gllm_vreg r[4];

	begin(b);
	r[3] = load_slot(b, GLLM_VIR_ARGS, 0);
	for (unsigned k = 0; k < 3; k++)
		r[k] = load(b, r[3], GLLM_NO_VREG, 64 * (int64_t)k);
	for (unsigned k = 0; k < 3; k++)
		store(b, r[3], GLLM_NO_VREG, 0, r[k]);
	end(b);
	v = b->v;
	CHECK_STATUS(b->t, gllm_regalloc(&v, &b->machine, &arena, &a), GLLM_OK);
	CHECK_STATUS(b->t, gllm_regalloc_check(&v, &b->machine, &a, arena, &bad), GLLM_OK);
	where = gllm_alloc(&arena, v.nregs, 1);
	for (unsigned k = 0; k < v.nregs; k++)
		where[k] = a.where[k];
	where[r[1]] = where[r[0]];
	a.where = where;
	CHECK_STATUS(b->t, gllm_regalloc_check(&v, &b->machine, &a, arena, &bad), GLLM_COMPILE_ERROR);
	CHECK_EQ(b->t, bad, 4);
	where[r[1]] = 0xff;
	CHECK_STATUS(b->t, gllm_regalloc_check(&v, &b->machine, &a, arena, &bad), GLLM_COMPILE_ERROR);
}

/* Instructions that the machine need not be asked about need nothing. */
static void asks(struct bench *b)
{
	static const uint8_t types[] = { GLLM_F32, GLLM_I32, GLLM_U32, GLLM_F16, GLLM_BF16, GLLM_I8, GLLM_U8, GLLM_I16, GLLM_U16, GLLM_I64 };
	unsigned wrong = 0;

	for (unsigned o = 0; o < GLLM_V_COUNT; o++)
		for (unsigned t = 0; t < GLLM_COUNT(types); t++)
			for (unsigned k = 0; k < 16; k++) {
				struct gllm_vi i = op((enum gllm_vir_op)o, types[t]);

				i.mem = i.type;
				i.a = i.b = i.c = 7;
				i.d = (gllm_vreg)(7 + (k & 1));
				i.imm = k;
				struct gllm_need need = b->machine.need(&i);
				bool told = gllm_vi_asks(&b->machine, &i) || (need.g == 0 && need.v == 0 && !need.apart);
				if (!told)
					check_print(b->t, "     %s of type %u needs something\n", gllm_vir_info[o].name, types[t]);
				wrong += !told;
			}
	CHECK_EQ(b->t, wrong, 0);
}

/* What must be refused: code that does not fit, operations a type does not have. */
static void refusals(struct bench *b)
{
	struct gllm_arena arena = b->arena;
	struct gllm_allocation a;
	struct gllm_code code = { .base = b->code, .size = CODE };
	struct gllm_vi i = op(GLLM_V_VDIV, GLLM_I32);
	struct gllm_error e = { 0 };
	struct gllm_vir v;
	uint32_t at[2];
	size_t size;

	begin(b);
	emit(b, op(GLLM_V_VZERO, GLLM_F32));
	end(b);
	v = b->v;
	CHECK_STATUS(b->t, gllm_regalloc(&v, &b->machine, &arena, &a), GLLM_OK);
	b->target->select(&v, &b->machine, &a, &code, at);
	CHECK_STATUS(b->t, code.status, GLLM_OK);
	CHECK(b->t, at[0] >= 4 && at[1] > at[0] && at[1] < code.used);
	size = code.used;
	CHECK_STATUS(b->t, gllm_readback(b->target, b->machine.profile->have, b->code, size, arena, &e), GLLM_OK);
	CHECK_STATUS(b->t, gllm_readback(b->target, 0, b->code, size, arena, NULL), GLLM_COMPILE_ERROR);
	CHECK_STATUS(b->t, gllm_readback(b->target, ~UINT64_C(0), b->code + 4, size - 4, arena, NULL), GLLM_COMPILE_ERROR);
	CHECK_STATUS(b->t, gllm_readback(b->target, ~UINT64_C(0), b->code, size - 1, arena, NULL), GLLM_COMPILE_ERROR);
	if (b->target == &gllm_target_aarch64) { /* the platform's register */
		gllm_put_le32(b->code + at[0], 0xaa0003f2); /* mov x18, x0 */
		CHECK_STATUS(b->t, gllm_readback(b->target, ~UINT64_C(0), b->code, size, arena, NULL), GLLM_COMPILE_ERROR);
		gllm_put_le32(b->code + at[0], 0xaa0003f1); /* mov x17, x0 */
		CHECK_STATUS(b->t, gllm_readback(b->target, ~UINT64_C(0), b->code, size, arena, NULL), GLLM_OK);
	}
	for (size_t n = 0; n < size; n++) {
		struct gllm_code small = { .base = b->code, .size = n };

		b->code[n] = 0x5a;
		b->target->select(&v, &b->machine, &a, &small, NULL);
		if (small.status != GLLM_NO_SPACE || b->code[n] != 0x5a) {
			CHECK_STATUS(b->t, small.status, GLLM_NO_SPACE);
			break;
		}
	}
	for (unsigned k = 0; k < 2; k++) { /* a loop that does not end, one that does not begin */
		begin(b);
		emit(b, op(k ? GLLM_V_LOOP_END : GLLM_V_LOOP_BEGIN, 0));
		end(b);
		v = b->v;
		arena = b->arena;
		CHECK_STATUS(b->t, gllm_regalloc(&v, &b->machine, &arena, &a), GLLM_INVALID_ARGUMENT);
	}
	begin(b);
	i.a = i.b = emit(b, op(GLLM_V_VZERO, GLLM_I32));
	emit(b, i);
	end(b);
	v = b->v;
	arena = b->arena;
	CHECK_STATUS(b->t, gllm_regalloc(&v, &b->machine, &arena, &a), GLLM_OK);
	code = (struct gllm_code){ .base = b->code, .size = CODE };
	b->target->select(&v, &b->machine, &a, &code, NULL);
	CHECK_STATUS(b->t, code.status, GLLM_UNSUPPORTED);
}

/* --- the suite ------------------------------------------------------------------------------------------------------ */

static void for_width(struct bench *b)
{
	static const struct { uint8_t type; int32_t how; const char *name; } trees[] = {
		{ GLLM_F32, GLLM_VRED_ADD, "vhpair add" }, { GLLM_F32, GLLM_VRED_MUL, "vhpair mul" },
		{ GLLM_F32, GLLM_VRED_MIN, "vhpair min" }, { GLLM_F32, GLLM_VRED_MAX, "vhpair max" },
		{ GLLM_I32, GLLM_VRED_ADD, "vhpair add i32" }, { GLLM_I32, GLLM_VRED_MAX, "vhpair max i32" },
	};

	for (unsigned k = 0; k < GLLM_COUNT(trees); k++)
		pairs(b, trees[k].type, trees[k].how, trees[k].name);
	branches(b, false);
	branches(b, true);
	nested(b, 0);
	nested(b, 40);
	for (unsigned k = 0; k < PROGRAMS && random_program(b); k++)
		;
	for (unsigned k = 0; k < PROGRAMS && random_products(b); k++)
		;
	carried_factor(b);
	ends_at_zero(b);
	pairs_of_loads(b);
	for (unsigned k = 0; k < 4; k++)
		addends_that_stay(b, k & 1, k & 2 ? 20 : 0);
	wrong_allocations(b);
	asks(b);
	refusals(b);
}

/* SVE where its length is a power of two, else NEON. */
static void choices_a64(struct check *t)
{
	struct gllm_machine m;
	struct gllm_profile p = *vir_width("SVE 512");

	CHECK_STATUS(t, gllm_target_aarch64.machine(&p, &m), GLLM_OK);
	CHECK(t, m.vector_bytes == 64 && m.has_mask);
	for (unsigned bytes = 0; bytes <= 272; bytes += 16) {
		bool fits = bytes != 0 && bytes <= 256 && (bytes & (bytes - 1)) == 0;

		p.vector_bytes = bytes;
		CHECK_STATUS(t, gllm_target_aarch64.machine(&p, &m), GLLM_OK);
		CHECK_EQ(t, m.vector_bytes, fits ? bytes : 16);
		CHECK_EQ(t, m.has_mask, fits);
	}
	p = *vir_width("SVE 512");
	p.have &= ~GLLM_BIT(GLLM_A64_SVE);
	CHECK_STATUS(t, gllm_target_aarch64.machine(&p, &m), GLLM_OK);
	CHECK(t, m.vector_bytes == 16 && !m.has_mask);
	p.have &= ~GLLM_BIT(GLLM_A64_NEON);
	CHECK_STATUS(t, gllm_target_aarch64.machine(&p, &m), GLLM_NO_FEATURE);
}

/* A width needs every one of its features, and the profile's leave. */
static void choices(struct check *t)
{
	struct gllm_machine m;
	struct gllm_profile p = *vir_width("AVX-512");
	const uint64_t more = AVX512 & ~AVX2;

	for (unsigned f = 0; f < GLLM_FEATURE_COUNT; f++) {
		p.have = AVX512 & ~GLLM_BIT(f);
		if (!(AVX2 >> f & 1)) {
			CHECK_STATUS(t, gllm_target_x86_64.machine(&p, &m), GLLM_OK);
			CHECK_EQ(t, m.vector_bytes, more >> f & 1 ? 32 : 64);
		} else {
			CHECK_STATUS(t, gllm_target_x86_64.machine(&p, &m), GLLM_NO_FEATURE);
		}
	}
	p.have = AVX512;
	p.vector_bytes = 32;
	CHECK_STATUS(t, gllm_target_x86_64.machine(&p, &m), GLLM_OK);
	CHECK_EQ(t, m.vector_bytes, 32);
	CHECK_STATUS(t, gllm_target_x86_64.machine(vir_width("NEON"), &m), GLLM_NO_FEATURE);
	CHECK_STATUS(t, gllm_target_aarch64.machine(vir_width("AVX2"), &m), GLLM_NO_FEATURE);
}

void check_vir(struct check *t)
{
	choices(t);
	choices_a64(t);
	vir_each_width(t, for_width);
}

#else

void check_vir(struct check *t)
{
	check_skip(t, "built without back ends");
}

#endif
