/* SPDX-License-Identifier: MIT
 * jit/measure.c - see gllm/measure.h. Two kernels differ in nothing but what is asked: how they multiply and add, how
 * wide they are, or what they multiply. Both are run for longer and longer until the clock can tell. */
#include "gllm/measure.h"
#include "core/arena.h"
#include "core/bits.h"
#include "core/profile.h"
#include "core/target.h"
#include "jit/plan.h"
#include "jit/regalloc.h"
#include "jit/vir.h"

enum { CHAINS = 4, MANY_CHAINS = 12, WIDEST = 256, PAGE = 4096, PLACE = PAGE / 8, MAX_INS = 256, MAX_REGS = 64 };
enum { SCRATCH = 256 << 10, LONG_ENOUGH_NS = 20000, RUNS = 3 };

size_t gllm_measure_scratch(void)
{
	return SCRATCH;
}

static gllm_vreg op1(struct gllm_vir *v, enum gllm_vir_op op, gllm_vreg d, gllm_vreg a, gllm_vreg b, gllm_vreg c)
{
	struct gllm_vi i = gllm_vi(op);
	i.type = GLLM_F32;
	i.mem = op == GLLM_V_VDOT ? GLLM_BF16 : GLLM_F32;
	i.aux = op == GLLM_V_VDOT ? GLLM_BF16 : 0;
	i.d = d;
	i.a = a;
	i.b = b;
	i.c = c;
	return gllm_vir_emit(v, i);
}

/* 0.1: products and sums are inexact, as they are in practice. */
static gllm_vreg tenth(struct gllm_vir *v)
{
	struct gllm_vi i = gllm_vi(GLLM_V_GCONST);
	i.d = gllm_vir_reg(v, GLLM_CLASS_G);
	i.imm = 0x3dcccccd;
	gllm_vir_emit(v, i);
	return op1(v, GLLM_V_VSPLAT, gllm_vir_reg(v, GLLM_CLASS_V), i.d, GLLM_NO_VREG, GLLM_NO_VREG);
}

/* A vector of those that the arguments point to. */
static gllm_vreg load(struct gllm_vir *v, int64_t at)
{
	struct gllm_vi i = gllm_vi(GLLM_V_VLOAD);
	i.type = i.mem = GLLM_F32;
	i.d = gllm_vir_reg(v, GLLM_CLASS_V);
	i.a = GLLM_VIR_ARGS;
	i.imm = at;
	return gllm_vir_emit(v, i);
}

struct kind {
	enum gllm_vir_op op;  /* that multiplies: VMUL, an addition follows; VFMA; VDOT */
	unsigned chains;      /* few: how long one waits for the other; many: how many fit into a cycle. A sum alone may wait half as
	                       * long as a fused product for the one before, on CPUs that start as many of either */
	bool loads;
};

/* `end` times: every chain gains a product of a constant and the same or what is loaded. */
static void write_kernel(struct gllm_vir *v, const struct kind *kind, unsigned vector_bytes)
{
	gllm_vreg x = tenth(v), y = x, product = gllm_vir_reg(v, GLLM_CLASS_V), sum[MANY_CHAINS], count = GLLM_VIR_RANGE_END;
	for (unsigned i = 0; i < kind->chains; i++)
		sum[i] = op1(v, GLLM_V_VMOV, gllm_vir_reg(v, GLLM_CLASS_V), x, GLLM_NO_VREG, GLLM_NO_VREG);
	struct gllm_vi label = gllm_vi(GLLM_V_LABEL), down = gllm_vi(GLLM_V_GADDI), again = gllm_vi(GLLM_V_BRANCHI);
	label.imm = again.imm = gllm_vir_label(v);
	down.d = down.a = again.a = count;
	down.imm = -1;
	again.cc = GLLM_VCC_GT;
	gllm_vir_emit(v, gllm_vi(GLLM_V_LOOP_BEGIN));
	gllm_vir_emit(v, label);
	for (unsigned i = 0; i < kind->chains; i++) {
		if (kind->loads)
			y = load(v, (int64_t)i * vector_bytes);
		if (kind->op != GLLM_V_VMUL) {
			op1(v, kind->op, sum[i], x, y, sum[i]);
		} else {
			op1(v, GLLM_V_VMUL, product, x, y, GLLM_NO_VREG);
			op1(v, GLLM_V_VADD, sum[i], sum[i], product, GLLM_NO_VREG);
		}
	}
	gllm_vir_emit(v, down);
	gllm_vir_emit(v, again);
	gllm_vir_emit(v, gllm_vi(GLLM_V_LOOP_END));
	gllm_vir_emit(v, gllm_vi(GLLM_V_RET));
}

/* The kernel's place in the code: the next of eight. */
static enum gllm_status make(const struct gllm_target *t, const struct gllm_machine *m, const struct kind *kind,
                             struct gllm_arena arena, const struct gllm_exec_memory *x, size_t offset, gllm_kernel_fn **out,
                             struct gllm_error *e)
{
	struct gllm_vir v;
	struct gllm_allocation a;
	struct gllm_code code = { .base = x->write + offset, .size = PLACE };
	struct gllm_vi *ins = gllm_alloc_array(&arena, MAX_INS, sizeof *ins, 8);
	uint8_t *classes = gllm_alloc(&arena, MAX_REGS, 1);
	if (!ins || !classes)
		return gllm_fail(e, GLLM_OUT_OF_MEMORY, "scratch is smaller than gllm_measure_scratch", NULL, 0, SCRATCH, 0);
	gllm_vir_init(&v, ins, MAX_INS, classes, MAX_REGS);
	write_kernel(&v, kind, m->vector_bytes);
	enum gllm_status s = v.status;
	if (s == GLLM_OK)
		s = gllm_regalloc(&v, m, &arena, &a);
	if (s == GLLM_OK) {
		t->select(&v, m, &a, &code, NULL);
		s = code.status;
	}
	if (s == GLLM_OK && x->publish)
		s = x->publish(x->user, offset, code.used);
	union { const unsigned char *data; gllm_kernel_fn *code; } entry = { x->exec + offset };
	*out = entry.code;
	return s == GLLM_OK ? s : gllm_fail(e, s, "generating code to measure", NULL, 0, 0, 0);
}

struct watch {
	uint64_t (*clock_ns)(void *user);
	void *user;
	const uint64_t *data; /* what kernels load: 0.1 in every lane */
};

static uint64_t time_once(const struct watch *w, gllm_kernel_fn *k, uint64_t n)
{
	uint64_t start = w->clock_ns(w->user);
	k(w->data, NULL, NULL, 0, n);
	return w->clock_ns(w->user) - start;
}

/* The least time that each of two kernels takes for as many rounds. */
static void compare(const struct watch *w, gllm_kernel_fn *const kernel[2], uint64_t best[2])
{
	uint64_t n = 16;
	while (time_once(w, kernel[0], n) < LONG_ENOUGH_NS && n < UINT64_C(1) << 20)
		n *= 2;
	best[0] = best[1] = UINT64_MAX;
	for (unsigned run = 0; run < RUNS; run++)
		for (unsigned k = 0; k < 2; k++) {
			uint64_t ns = time_once(w, kernel[k], n);
			best[k] = ns < best[k] ? ns : best[k];
		}
}

/* Are the profile's vectors worth less than narrower ones, lane by lane, by more than a quarter? Then takes them away. */
static enum gllm_status choose_width(const struct gllm_target *t, struct gllm_profile *p, struct gllm_arena arena,
                                     const struct watch *w, const struct gllm_exec_memory *x, size_t at, struct gllm_error *e)
{
	struct gllm_profile narrow = *p;
	struct gllm_machine wide_m, narrow_m;
	gllm_kernel_fn *kernel[2];
	uint64_t best[2];
	enum gllm_status s;
	if (!gllm_profile_narrow(&narrow) || t->machine(p, &wide_m) != GLLM_OK || t->machine(&narrow, &narrow_m) != GLLM_OK)
		return GLLM_OK;
	const struct kind kind = { p->slow_fma ? GLLM_V_VMUL : GLLM_V_VFMA, CHAINS, true };
	s = make(t, &wide_m, &kind, arena, x, at, &kernel[0], e);
	if (s == GLLM_OK)
		s = make(t, &narrow_m, &kind, arena, x, at + PLACE, &kernel[1], e);
	if (s != GLLM_OK)
		return s;
	compare(w, kernel, best);
	if (best[0] * 4 * narrow_m.vector_bytes > best[1] * 5 * wide_m.vector_bytes)
		*p = narrow;
	return GLLM_OK;
}

/* Are products of two pairs of BF16 at a time, where there are such, no faster than those of floats, by an eighth at least? */
static enum gllm_status compare_pairs(const struct gllm_target *t, struct gllm_profile *p, struct gllm_arena arena,
                                      const struct watch *w, const struct gllm_exec_memory *x, size_t at, struct gllm_error *e)
{
	const struct kind kind[2] = { { p->slow_fma ? GLLM_V_VMUL : GLLM_V_VFMA, MANY_CHAINS, false },
	                              { GLLM_V_VDOT, MANY_CHAINS, false } };
	struct gllm_machine m;
	gllm_kernel_fn *kernel[2];
	uint64_t best[2];
	enum gllm_status s = GLLM_OK;
	p->slow_bf16 = false;
	if (t->machine(p, &m) != GLLM_OK || !(m.dots & GLLM_DOT_BF16))
		return GLLM_OK;
	for (unsigned k = 0; k < 2 && s == GLLM_OK; k++)
		s = make(t, &m, &kind[k], arena, x, at + k * PLACE, &kernel[k], e);
	if (s != GLLM_OK)
		return s;
	compare(w, kernel, best);
	p->slow_bf16 = best[1] * 8 > best[0] * 2 * 7;
	return GLLM_OK;
}

enum gllm_status gllm_measure(const struct gllm_target *t, struct gllm_profile *p, struct gllm_exec_memory *code,
                              uint64_t (*clock_ns)(void *user), void *user, void *scratch, size_t scratch_size,
                              struct gllm_error *e)
{
	struct gllm_machine m;
	struct gllm_arena arena;
	struct watch w = { clock_ns, user, NULL };
	gllm_kernel_fn *kernel[2];
	uint64_t best[2];
	if (!t)
		return gllm_fail(e, GLLM_NO_BACK_END, "measuring needs a target", NULL, 0, 0, 0);
	if (!clock_ns || !scratch)
		return gllm_fail(e, GLLM_INVALID_ARGUMENT, "measuring needs a clock and scratch", NULL, 0, SCRATCH, 0);
	enum gllm_status s = t->machine(p, &m);
	if (s != GLLM_OK || !m.has_fma)
		return gllm_fail(e, GLLM_NO_FEATURE, "no vector unit with fused multiply-add to measure", NULL, 0, 0, p->have);
	if (!code->write || code->size < PAGE)
		return gllm_fail(e, GLLM_NO_EXEC_MEMORY, "the host granted no executable memory", NULL, 0, PAGE, code->size);
	gllm_arena_init(&arena, scratch, scratch_size);
	size_t at = (code->size - PAGE) & ~(size_t)63;
	uint64_t *data = gllm_alloc(&arena, CHAINS * WIDEST, WIDEST);
	if (!data)
		return gllm_fail(e, GLLM_OUT_OF_MEMORY, "scratch is smaller than gllm_measure_scratch", NULL, 0, SCRATCH, scratch_size);
	for (unsigned i = 0; i < CHAINS * WIDEST / sizeof *data; i++)
		data[i] = UINT64_C(0x3dcccccd3dcccccd);
	w.data = data;
	static const struct kind kind[2] = { { GLLM_V_VMUL, MANY_CHAINS, false }, { GLLM_V_VFMA, MANY_CHAINS, false } };
	for (unsigned fused = 0; fused < 2 && s == GLLM_OK; fused++)
		s = make(t, &m, &kind[fused], arena, code, at + fused * PLACE, &kernel[fused], e);
	if (s != GLLM_OK)
		return s;
	compare(&w, kernel, best);
	struct gllm_profile found = *p;
	found.slow_fma = best[1] > best[0] + best[0] / 2;
	s = choose_width(t, &found, arena, &w, code, at + 2 * PLACE, e);
	if (s == GLLM_OK)
		s = compare_pairs(t, &found, arena, &w, code, at + 4 * PLACE, e);
	if (s != GLLM_OK)
		return s;
	code->size = at;
	*p = found;
	return GLLM_OK;
}
