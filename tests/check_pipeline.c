/* SPDX-License-Identifier: MIT
 * tests/check_pipeline.c - software pipelining (jit/pipeline.h): loops of drawn shapes, counts and accesses leave the same bits
 * in memory as they were written, read nothing that they did not read, although operands end where pages fault, take no
 * registers that are not there, and load ahead only of stores that allow it. What machines make of such loops runs here, and
 * with every program of the vir suites and every operator. */
#include "vir_bench.h"

#if GLLM_JIT
#include "jit/pipeline.h"

enum { LOOPS = 160, INPUTS = 2, MOST_TURNS = 6, MOST_SUMS = 6, TILE = 24, MIDDLE = 8192 /* bytes */ };

struct program {
	struct bench *b;
	gllm_vreg in[INPUTS], out, count, sum[TILE];
	int64_t step[INPUTS], reach[INPUTS], count_step; /* bytes that a turn goes on by and reaches; what the counter loses */
	unsigned nsums, label, turns;
	bool any_order;
};

/* Counters run down to 0, or while as much as a turn takes is left; the number is seen in the code or comes from memory. */
static void open_loop(struct program *p, struct bench *b, unsigned turns, bool any_order)
{
	*p = (struct program){ .b = b, .turns = turns, .any_order = any_order, .count_step = 1 + check_below(b->t, 4) };
	gllm_vir_init(&b->v, b->ins, MAX_INS, b->reg_class, MAX_REGS);
	b->half = 0;
	for (unsigned k = 0; k < INPUTS; k++)
		p->in[k] = load_slot(b, GLLM_VIR_ARGS, 8 * (int64_t)k);
	p->out = load_slot(b, GLLM_VIR_ARGS, 40);
	add_to(b, p->out, MIDDLE);
	if (check_below(b->t, 2)) {
		b->data->ints[0] = b->want->ints[0] = turns * p->count_step;
		p->count = load_slot(b, load_slot(b, GLLM_VIR_ARGS, 32), 0);
	} else {
		p->count = constant(b, turns * p->count_step);
	}
	p->label = gllm_vir_label(&b->v);
}

static void add_sums(struct program *p, unsigned n)
{
	for (; p->nsums < n; p->nsums++)
		p->sum[p->nsums] = load(p->b, p->out, GLLM_NO_VREG, 4 * (int64_t)p->nsums);
}

static void begin_turn(struct program *p)
{
	struct gllm_vi begin = gllm_vi(GLLM_V_LOOP_BEGIN);

	begin.aux = p->any_order ? GLLM_VIR_ANY_ORDER : 0;
	gllm_vir_emit(&p->b->v, begin);
	label(p->b, p->label);
}

static void end_turn(struct program *p, int64_t out_step)
{
	struct gllm_vi back = gllm_vi(GLLM_V_BRANCHI);
	bool to_zero = check_below(p->b->t, 2);

	for (unsigned k = 0; k < INPUTS; k++)
		if (p->step[k])
			add_to(p->b, p->in[k], p->step[k]);
	if (out_step)
		add_to(p->b, p->out, out_step);
	add_to(p->b, p->count, -p->count_step);
	back.a = p->count;
	back.cc = to_zero ? GLLM_VCC_NE : GLLM_VCC_GE;
	back.aux = to_zero ? 0 : (int32_t)p->count_step;
	back.imm = p->label;
	gllm_vir_emit(&p->b->v, back);
	gllm_vir_emit(&p->b->v, gllm_vi(GLLM_V_LOOP_END));
	for (unsigned k = 0; k < p->nsums; k++)
		store(p->b, p->out, GLLM_NO_VREG, 4 * (OUT - 64 * (int64_t)(k + 1)) - MIDDLE - p->turns * out_step, p->sum[k]);
	store_int(p->b, p->out, 4 * (OUT - 64 * (int64_t)(TILE + 2)) - MIDDLE - p->turns * out_step, p->count);
	gllm_vir_emit(&p->b->v, gllm_vi(GLLM_V_RET));
}

/* A vector or one element for all lanes, from a drawn place that the input's reach then covers. */
static gllm_vreg access(struct program *p, unsigned in, bool whole, unsigned place)
{
	struct gllm_vi i = op(whole ? GLLM_V_VLOAD : GLLM_V_VBCAST, GLLM_F32);
	int64_t bytes = whole ? 4 * p->b->lanes : 4;

	i.a = p->in[in];
	i.imm = place * bytes;
	if (p->reach[in] < i.imm + bytes)
		p->reach[in] = i.imm + bytes;
	return emit(p->b, i);
}

static gllm_vreg multiply(struct program *p, gllm_vreg a, gllm_vreg b, gllm_vreg sum)
{
	struct gllm_vi i = op(GLLM_V_VFMA, GLLM_F32);

	i.a = a;
	i.b = b;
	i.c = i.d = sum;
	return emit(p->b, i);
}

static void random_products(struct program *p)
{
	unsigned n = 2 + check_below(p->b->t, 24);
	gllm_vreg loaded[32];
	unsigned nloaded = 0;

	for (unsigned k = 0; k < n; k++) {
		while (nloaded < 2 || (nloaded < 31 && check_below(p->b->t, 2)))
			loaded[nloaded++] = access(p, check_below(p->b->t, INPUTS), check_below(p->b->t, 3), check_below(p->b->t, 5));
		gllm_vreg a = loaded[nloaded - 1 - check_below(p->b->t, nloaded < 6 ? nloaded : 6)];
		gllm_vreg b = loaded[nloaded - 1 - check_below(p->b->t, nloaded < 6 ? nloaded : 6)];
		gllm_vreg *sum = &p->sum[check_below(p->b->t, p->nsums)];
		struct gllm_vi other = op(check_below(p->b->t, 2) ? GLLM_V_VMAX : GLLM_V_VSUB, GLLM_F32);
		other.a = a;
		other.b = b;
		multiply(p, check_below(p->b->t, 4) ? a : emit(p->b, other), b, *sum);
	}
}

/* --- what a loop reads and writes ----------------------------------------------------------------------------------- */

/* Runs with inputs that end, or begin, at pages that fault where there are such. */
static bool run(struct program *p, const struct gllm_vir *v, struct area *to, void *work)
{
	const struct check_host *h = p->b->t->host;
	uint64_t args[8] = { 0 };
	unsigned char *in[INPUTS], *guard[INPUTS];
	size_t bytes[INPUTS];
	bool at_end = check_below(p->b->t, 4), ok;

	for (unsigned k = 0; k < INPUTS; k++) {
		bytes[k] = (size_t)((p->turns - 1) * p->step[k] + p->reach[k]);
		guard[k] = h->guarded && bytes[k] ? h->guarded(h->user, bytes[k], at_end) : NULL;
		in[k] = guard[k] ? guard[k] : (unsigned char *)p->b->data->in[k];
		for (size_t i = 0; i < bytes[k] && guard[k]; i++)
			in[k][i] = ((unsigned char *)p->b->data->in[k])[i];
		args[k] = (uint64_t)(uintptr_t)in[k];
	}
	args[4] = (uint64_t)(uintptr_t)to->ints;
	args[5] = (uint64_t)(uintptr_t)to->out;
	for (unsigned i = 0; i < OUT; i++)
		to->out[i] = gllm_f32_bits((float)(i % 97) - 48.0f);
	ok = CHECK_STATUS(p->b->t, gllm_vir_run(v, p->b->lanes, args, NULL, NULL, 0, 1, work), GLLM_OK);
	for (unsigned k = 0; k < INPUTS; k++)
		if (guard[k])
			h->guarded_free(h->user, guard[k], bytes[k], at_end);
	return ok;
}

static uint32_t spilled(struct bench *b, struct gllm_vir v, struct gllm_arena arena)
{
	struct gllm_allocation a = { .frame_bytes = 0 };

	CHECK_STATUS(b->t, gllm_regalloc(&v, &b->machine, &arena, &a), GLLM_OK);
	return a.frame_bytes;
}

/* Pipelines what was built and compares; returns how many loads run ahead. */
static unsigned pipelined(struct program *p)
{
	struct bench *b = p->b;
	struct gllm_arena arena = b->arena;
	struct gllm_vir v = b->v;
	struct gllm_error e = { 0 };
	unsigned same = 0, ahead = 0, loop = 0;

	v.ins = gllm_alloc_array(&arena, MAX_INS, sizeof *v.ins, 8);
	v.reg_class = gllm_alloc(&arena, MAX_REGS, 1);
	void *work = gllm_alloc(&arena, gllm_vir_run_bytes(&b->v, b->lanes) + (1 << 20), 64);
	if (!CHECK(b->t, v.ins && v.reg_class && work))
		return 0;
	for (unsigned i = 0; i < v.n; i++)
		v.ins[i] = b->v.ins[i];
	for (unsigned i = 0; i < v.nregs; i++)
		v.reg_class[i] = b->v.reg_class[i];
	size_t used = arena.used;
	CHECK_STATUS(b->t, gllm_pipeline(&v, &b->machine, 2, &arena), GLLM_OK);
	CHECK_EQ(b->t, arena.used, used);
	CHECK(b->t, gllm_vir_run_bytes(&v, b->lanes) <= gllm_vir_run_bytes(&b->v, b->lanes) + (1 << 20));
	CHECK_STATUS(b->t, gllm_vir_check(&v, work, &e), GLLM_OK);
	if (!run(p, &b->v, b->want, work) || !run(p, &v, b->data, work))
		return 0;
	while (same < OUT && b->data->out[same] == b->want->out[same])
		same++;
	CHECK_EQ(b->t, same, OUT);
	if (spilled(b, b->v, arena) == 0)
		CHECK_EQ(b->t, spilled(b, v, arena), 0);
	while (b->v.ins[loop].op != GLLM_V_LOOP_BEGIN)
		loop++;
	for (; v.n != b->v.n && v.ins[loop].op != GLLM_V_LOOP_BEGIN; loop++)
		ahead += v.ins[loop].op == GLLM_V_VLOAD || v.ins[loop].op == GLLM_V_VBCAST;
	CHECK(b->t, vir_finish(b, "loop", 0, 1));
	return ahead;
}

static void random_loops(struct bench *b)
{
	unsigned changed = 0;

	for (unsigned k = 0; k < LOOPS; k++) {
		struct program p;
		vir_fill(b, -4.0f, 4.0f);
		open_loop(&p, b, 1 + check_below(b->t, MOST_TURNS), check_below(b->t, 2));
		add_sums(&p, 1 + check_below(b->t, MOST_SUMS));
		begin_turn(&p);
		random_products(&p);
		for (unsigned i = 0; i < INPUTS; i++)
			p.step[i] = check_below(b->t, 4) ? 4 * (int64_t)check_below(b->t, 2 * b->lanes) : 0;
		end_turn(&p, 0);
		changed += pipelined(&p) != 0;
	}
	CHECK(b->t, changed > LOOPS / 4);
}

/* A tile of products, as many sums as leave few registers: every loop of `unroll` steps loads ahead. */
static void tiles(struct bench *b)
{
	unsigned regs = b->machine.norder[b->machine.class_file[GLLM_CLASS_V]], columns = 2, rows = regs >= 32 ? 10 : 5;

	for (unsigned unroll = 1; unroll <= 4; unroll++) {
		struct program p;
		vir_fill(b, -4.0f, 4.0f);
		open_loop(&p, b, 1 + check_below(b->t, MOST_TURNS), false);
		add_sums(&p, rows * columns);
		begin_turn(&p);
		for (unsigned u = 0; u < unroll; u++) {
			gllm_vreg x[2];
			for (unsigned c = 0; c < columns; c++)
				x[c] = access(&p, 0, true, u * columns + c);
			for (unsigned r = 0; r < rows; r++) {
				gllm_vreg a = access(&p, 1, false, u * rows + r);
				for (unsigned c = 0; c < columns; c++)
					multiply(&p, x[c], a, p.sum[r * columns + c]);
			}
		}
		for (unsigned i = 0; i < INPUTS; i++)
			p.step[i] = p.reach[i];
		end_turn(&p, 0);
		CHECK(b->t, pipelined(&p) > 0);
	}
}

/* --- stores --------------------------------------------------------------------------------------------------------- */

/* Each copy loads from `out`, where this turn and others store: `apart` says what the accesses are told to be. */
static unsigned in_place(struct bench *b, bool segments, bool any_order, int64_t behind)
{
	struct program p;
	enum { COPIES = 3 };

	vir_fill(b, -4.0f, 4.0f);
	open_loop(&p, b, MOST_TURNS, any_order);
	add_sums(&p, 1);
	begin_turn(&p);
	for (unsigned c = 1; c <= COPIES; c++) {
		struct gllm_vi in = op(GLLM_V_VLOAD, GLLM_F32), out = op(GLLM_V_VSTORE, GLLM_F32);
		in.a = out.a = p.out;
		out.imm = (int64_t)(c - 1) * 4 * b->lanes;
		in.imm = out.imm + behind;
		in.segment = out.segment = segments;
		in.copy = out.copy = (uint16_t)c;
		gllm_vreg x = emit(b, in);
		for (unsigned k = 0; k < 4; k++) {
			struct gllm_vi add = op(GLLM_V_VADD, GLLM_F32);
			add.a = x;
			add.b = k ? p.sum[0] : x; /* twice: no memory operand */
			x = emit(b, add);
		}
		out.c = x;
		emit(b, out);
	}
	end_turn(&p, COPIES * 4 * b->lanes);
	return pipelined(&p);
}

/* Each copy loads again what it has stored, far behind. */
static unsigned read_back(struct bench *b)
{
	struct program p;

	vir_fill(b, -4.0f, 4.0f);
	open_loop(&p, b, MOST_TURNS, true);
	add_sums(&p, 8);
	begin_turn(&p);
	for (unsigned c = 1; c <= 2; c++) {
		struct gllm_vi out = op(GLLM_V_VSTORE, GLLM_F32), in = op(GLLM_V_VLOAD, GLLM_F32);
		in.a = out.a = p.out;
		in.imm = out.imm = (int64_t)(c - 1) * 4 * b->lanes;
		in.segment = out.segment = 1;
		in.copy = out.copy = (uint16_t)c;
		out.c = p.sum[c - 1];
		emit(b, out);
		for (unsigned k = 2; k < 8; k++)
			multiply(&p, p.sum[0], p.sum[1], p.sum[k]);
		gllm_vreg x = emit(b, in);
		multiply(&p, x, x, p.sum[c - 1]);
	}
	end_turn(&p, 2 * 4 * b->lanes);
	return pipelined(&p);
}

static void stores(struct bench *b)
{
	int64_t turn = 3 * 4 * b->lanes;

	CHECK(b->t, in_place(b, true, true, 0) > 0);   /* turns that do not touch each other */
	CHECK_EQ(b->t, in_place(b, true, false, -turn), 0); /* what the turn before stored */
	CHECK_EQ(b->t, in_place(b, false, true, -turn), 0);
	CHECK_EQ(b->t, in_place(b, false, false, turn), 0);
	CHECK_EQ(b->t, in_place(b, false, false, -4 * (int64_t)b->lanes), 0); /* what the copy before stored */
	CHECK_EQ(b->t, read_back(b), 0);
}

static void suite(struct bench *b)
{
	random_loops(b);
	tiles(b);
	stores(b);
}

void check_pipeline(struct check *t);
void check_pipeline(struct check *t)
{
	vir_each_width(t, suite);
}
#endif
