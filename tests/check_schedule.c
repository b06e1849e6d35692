/* SPDX-License-Identifier: MIT
 * tests/check_schedule.c - the scheduler (jit/schedule.h): a reordered program leaves the same bits in memory, takes no
 * registers that it did not take before, and copies of a chain run side by side. What machines make of reordered code is
 * tested with every program of the vir suites. */
#include "vir_bench.h"

#if GLLM_JIT
#include "jit/schedule.h"

enum { COPIES = 6, REGION = 512, PROGRAMS = 60, LINE = 90 };

struct program {
	struct bench *b;
	gllm_vreg in, out, count, v[12];
	unsigned nv, label;
};

static void open_loop(struct program *p, struct bench *b, unsigned accumulators)
{
	struct gllm_vi label = gllm_vi(GLLM_V_LABEL);

	*p = (struct program){ .b = b };
	gllm_vir_init(&b->v, b->ins, MAX_INS, b->reg_class, MAX_REGS);
	p->in = load_slot(b, GLLM_VIR_ARGS, 0);
	p->out = load_slot(b, GLLM_VIR_ARGS, 40);
	p->count = constant(b, STEPS);
	for (; p->nv < accumulators; p->nv++)
		p->v[p->nv] = load(b, p->in, GLLM_NO_VREG, 4 * (int64_t)p->nv);
	gllm_vir_emit(&b->v, gllm_vi(GLLM_V_LOOP_BEGIN));
	label.imm = p->label = gllm_vir_label(&b->v);
	gllm_vir_emit(&b->v, label);
}

static void close_loop(struct program *p)
{
	struct gllm_vi back = gllm_vi(GLLM_V_BRANCHI);

	add_to(p->b, p->in, 64);
	add_to(p->b, p->count, -1);
	back.a = p->count;
	back.cc = GLLM_VCC_GT;
	back.imm = p->label;
	gllm_vir_emit(&p->b->v, back);
	gllm_vir_emit(&p->b->v, gllm_vi(GLLM_V_LOOP_END));
	for (unsigned k = 0; k < p->nv; k++)
		store(p->b, p->out, GLLM_NO_VREG, 4 * (OUT - 64 * (int64_t)(k + 1)), p->v[k]);
	gllm_vir_emit(&p->b->v, gllm_vi(GLLM_V_RET));
}

/* One access: of copy `c` within its own region where it may change places with others, anywhere if c is 0. */
static gllm_vreg access(struct program *p, unsigned c, gllm_vreg value)
{
	struct gllm_vi i = op(value == GLLM_NO_VREG ? GLLM_V_VLOAD : GLLM_V_VSTORE, GLLM_I32);

	i.a = p->out;
	i.c = value;
	i.imm = c ? (int64_t)(c * REGION + 4 * check_below(p->b->t, 16)) : (int64_t)(4 * check_below(p->b->t, COPIES * REGION / 4));
	i.segment = c != 0;
	i.copy = (uint16_t)c;
	return emit(p->b, i);
}

/* What nobody writes, whatever is stored meanwhile. */
static gllm_vreg fixed(struct program *p)
{
	struct gllm_vi i = op(GLLM_V_VLOAD, GLLM_I32);

	i.a = p->in;
	i.imm = 4 * (int64_t)check_below(p->b->t, 64);
	i.segment = GLLM_VIR_FIXED;
	return emit(p->b, i);
}

/* A value of a copy: of those made so far, or an accumulator. */
static gllm_vreg some(struct program *p, const gllm_vreg *made, unsigned n)
{
	return n && check_below(p->b->t, 3) ? made[n - 1 - check_below(p->b->t, n < 6 ? n : 6)] : p->v[check_below(p->b->t, p->nv)];
}

static void random_line(struct program *p)
{
	static const uint8_t choice[] = { GLLM_V_VADD, GLLM_V_VSUB, GLLM_V_VXOR, GLLM_V_VAND, GLLM_V_VMUL, GLLM_V_VMIN };
	gllm_vreg made[LINE];
	unsigned n = 0;

	for (unsigned k = 0; k < LINE; k++) {
		unsigned c = check_below(p->b->t, 8) ? 1 + check_below(p->b->t, COPIES - 1) : 0;
		struct gllm_vi i = op((enum gllm_vir_op)choice[check_below(p->b->t, sizeof choice)], GLLM_I32);
		switch (check_below(p->b->t, 4)) {
		case 0: made[n++] = check_below(p->b->t, 3) ? access(p, c, GLLM_NO_VREG) : fixed(p); continue;
		case 1: access(p, c, some(p, made, n)); continue;
		default: break;
		}
		i.a = some(p, made, n);
		i.b = some(p, made, n);
		if (check_below(p->b->t, 4) == 0)
			i.d = p->v[check_below(p->b->t, p->nv)];
		i.d = emit(p->b, i);
		made[n++] = i.d;
	}
}

static bool run(struct bench *b, const struct gllm_vir *v, struct area *to, void *work)
{
	uint64_t args[8] = { (uint64_t)(uintptr_t)b->data->in[0], 0, 0, 0, 0, (uint64_t)(uintptr_t)to->out, 0, 0 };

	for (unsigned i = 0; i < OUT; i++)
		to->out[i] = i * 2654435761u;
	return CHECK_STATUS(b->t, gllm_vir_run(v, b->lanes, args, NULL, NULL, 0, 1, work), GLLM_OK);
}

static uint32_t spilled(struct bench *b, struct gllm_vir v, struct gllm_arena arena)
{
	struct gllm_allocation a = { .frame_bytes = 0 };

	CHECK_STATUS(b->t, gllm_regalloc(&v, &b->machine, &arena, &a), GLLM_OK);
	return a.frame_bytes;
}

static unsigned moved(const struct gllm_vir *a, const struct gllm_vir *b)
{
	unsigned n = 0;

	for (unsigned i = 0; i < a->n; i++)
		n += a->ins[i].op != b->ins[i].op || a->ins[i].d != b->ins[i].d || a->ins[i].imm != b->ins[i].imm;
	return n;
}

/* Schedules what was built, compares with the order it was built in; returns how many places changed. */
static unsigned reorder(struct bench *b)
{
	struct gllm_arena arena = b->arena;
	struct gllm_vir twice[2];
	struct gllm_error e = { 0 };
	void *work = gllm_alloc(&arena, gllm_vir_run_bytes(&b->v, b->lanes) + gllm_vir_check_bytes(&b->v), 8);

	for (unsigned k = 0; k < 2; k++) {
		twice[k] = b->v;
		twice[k].ins = gllm_alloc_array(&arena, b->v.n, sizeof *b->v.ins, 8);
		if (!CHECK(b->t, work && twice[k].ins))
			return 0;
		for (unsigned i = 0; i < b->v.n; i++)
			twice[k].ins[i] = b->v.ins[i];
		size_t used = arena.used;
		CHECK_STATUS(b->t, gllm_schedule(&twice[k], &b->machine, &arena), GLLM_OK);
		CHECK_EQ(b->t, arena.used, used);
	}
	CHECK_STATUS(b->t, gllm_vir_check(&twice[0], work, &e), GLLM_OK);
	CHECK_EQ(b->t, moved(&twice[0], &twice[1]), 0);
	CHECK_EQ(b->t, twice[0].n, b->v.n);
	if (!run(b, &b->v, b->want, work) || !run(b, &twice[0], b->data, work))
		return 0;
	unsigned same = 0;
	while (same < OUT && b->data->out[same] == b->want->out[same])
		same++;
	CHECK_EQ(b->t, same, OUT);
	if (spilled(b, b->v, arena) == 0)
		CHECK_EQ(b->t, spilled(b, twice[0], arena), 0);
	unsigned n = moved(&twice[0], &b->v);
	b->v.ins = twice[0].ins; /* stays until the next program is built: nothing else allocates before */
	return n;
}

static void random_lines(struct bench *b)
{
	unsigned changed = 0;

	for (unsigned k = 0; k < PROGRAMS; k++) {
		struct program p;
		vir_fill(b, -4.0f, 4.0f);
		open_loop(&p, b, 1 + check_below(b->t, 12));
		random_line(&p);
		close_loop(&p);
		changed += reorder(b) != 0;
	}
	CHECK(b->t, changed > PROGRAMS / 2);
}

/* Fetches ahead what is read later. */
static void fetch(struct program *p)
{
	struct gllm_vi i = op(GLLM_V_PREFETCH, GLLM_I32);

	i.a = p->out;
	emit(p->b, i);
}

/* Chains that stand one after another, each from a load to a store: all have begun before the first ends, unless a store
 * might change what another one loads. What they add may be constants, more than there are registers: each is read late.
 * Of what they fetch ahead no two lines are asked for between stores. */
static void chains(struct bench *b, bool independent, bool constants)
{
	struct program p;
	unsigned loads = 0, fetched = 0, i = 0;

	vir_fill(b, -4.0f, 4.0f);
	open_loop(&p, b, 1);
	for (unsigned c = 1; c <= 4; c++) {
		gllm_vreg x = access(&p, c, GLLM_NO_VREG);
		if (independent)
			fetch(&p);
		for (unsigned k = 0; k < 20; k++) {
			struct gllm_vi add = op(GLLM_V_VADD, GLLM_I32);
			add.a = x;
			add.b = constants ? fixed(&p) : p.v[0];
			x = emit(b, add);
		}
		access(&p, c, x);
	}
	for (unsigned k = 0; k < b->v.n && !independent; k++)
		b->v.ins[k].segment = b->v.ins[k].segment == GLLM_VIR_FIXED ? GLLM_VIR_FIXED : 0;
	close_loop(&p);
	CHECK(b->t, (reorder(b) != 0) == independent);
	while (b->v.ins[i].op != GLLM_V_LOOP_BEGIN)
		i++;
	for (unsigned k = i; b->v.ins[k].op != GLLM_V_LOOP_END; k++) {
		fetched = b->v.ins[k].op == GLLM_V_VSTORE ? 0 : fetched + (b->v.ins[k].op == GLLM_V_PREFETCH);
		CHECK(b->t, fetched <= 1);
	}
	for (; b->v.ins[i].op != GLLM_V_VSTORE; i++)
		loads += b->v.ins[i].op == GLLM_V_VLOAD && b->v.ins[i].segment != GLLM_VIR_FIXED;
	CHECK_EQ(b->t, loads, independent ? 4 : 1);
}

static void suite(struct bench *b)
{
	b->machine.window = 0; /* in order: whatever gains by it is reordered */
	random_lines(b);
	for (unsigned constants = 0; constants < 2; constants++) {
		chains(b, true, constants);
		chains(b, false, constants);
	}
}

void check_schedule(struct check *t);
void check_schedule(struct check *t)
{
	vir_each_width(t, suite);
}
#endif
