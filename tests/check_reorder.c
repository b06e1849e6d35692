/* SPDX-License-Identifier: MIT
 * tests/check_reorder.c - functions whose iterations depend on each other, lowered for machines that would like to
 * reorder them: what one iteration stores another one reads or stores again, loops whose length depends on another's
 * variable, values that need 64 bits. Each function is lifted from the running image, lowered, interpreted, and the
 * memory compared with what the function itself leaves. A refusal is an answer; another number is not. */
#include "check.h"
#include "check_plain.h"

#if GLLM_JIT
#include "core/arena.h"
#include "core/bits.h"
#include "core/target.h"
#include "gllm/context.h"
#include "jit/lower.h"
#include "jit/vir.h"

enum { ROOM = 16 << 10, GUARD = 1 << 10, ALL = ROOM + 2 * GUARD, MAX_INS = 40000, MAX_VREGS = 20000 };

/* --- the functions: y is read and written, n may be 0, elements a little behind y[n - 1] exist -------------------------- */

#define UNUSED __attribute__((unused))
#define MAP(name)   static PLAIN void name(float *restrict y, UNUSED const float *restrict x, size_t n)
#define GRID(name)  static PLAIN void name(float *restrict y, const float *restrict x, size_t m, size_t n)
#define INDEX(name) static PLAIN void name(float *restrict y, const float *restrict x, const uint32_t *restrict at, size_t n)
#define WORD(name)  static PLAIN void name(int32_t *restrict y, UNUSED const int32_t *restrict x, size_t n)
#define FOR(i, n)   LOOP for (size_t i = 0; i < (n); i++)

MAP(next_from_last)   { FOR(i, n) y[i + 1] = y[i] * x[i]; }
MAP(next_plus)        { FOR(i, n) y[i + 1] = y[i] + x[i]; }
MAP(third_from_first) { FOR(i, n) y[i + 3] = y[i] + x[i]; }
MAP(shift_down)       { FOR(i, n) y[i] = y[i + 1]; }
MAP(shift_down_add)   { FOR(i, n) y[i] = y[i + 1] + x[i]; }
MAP(shift_down_five)  { FOR(i, n) y[i] = y[i + 5] - x[i]; }
MAP(mirror)           { FOR(i, n) y[i] = y[n - 1 - i]; }
MAP(mirror_add)       { FOR(i, n) y[i] = y[n - 1 - i] + x[i]; }
MAP(swap_twice)       { FOR(i, n) { float t = y[i]; y[i] = y[n - 1 - i]; y[n - 1 - i] = t; } }
MAP(two_back)         { LOOP for (size_t i = 2; i < n; i++) y[i] = y[i - 1] + y[i - 2]; }
MAP(downwards)        { LOOP for (size_t i = n; i-- > 0;) y[i] = y[i + 1] + x[i]; }
MAP(prefix_sum)       { float s = 0; FOR(i, n) { s += x[i]; y[i] = s; } }
MAP(exclusive_sum)    { float s = 0; FOR(i, n) { y[i] = s; s += x[i]; } }
MAP(prefix_max)       { float s = -9; FOR(i, n) { s = x[i] > s ? x[i] : s; y[i] = s; } }
MAP(delayed)          { float p = 1; FOR(i, n) { y[i] = p; p = x[i]; } }
MAP(alternating)      { float a = 0, b = 1; FOR(i, n) { float t = a; a = b + x[i]; b = t; } y[0] = a; y[1] = b; }
MAP(differences)      { float s = 0; FOR(i, n) s = x[i] - s; y[0] = s; }
MAP(accumulator)      { FOR(i, n) y[0] += x[i]; }
MAP(accumulator_read) { FOR(i, n) { y[0] += x[i]; y[i] = y[0]; } }
MAP(first_in_all)     { FOR(i, n) y[i] = x[i] + y[0]; }
MAP(last_wins)        { FOR(i, n) y[0] = x[i]; }
MAP(overlapping)      { FOR(i, n) { y[i] = x[i]; y[i + 1] = -x[i]; } }
MAP(overlapping_back) { FOR(i, n) { y[i + 1] = -x[i]; y[i] = x[i]; } }
MAP(write_again)      { FOR(i, n) { y[i] = x[i]; y[0] = 1; y[i] = y[i] + 1; } }
MAP(other_stride)     { FOR(i, n) { y[i] = x[i]; y[2 * i] = x[i] + 8; } }
MAP(halves)           { FOR(i, n) y[i] = y[2 * i] + 1; }
MAP(across_arms)      { FOR(i, n) { if (x[i] > 0) { y[i] = 1; y[0] = 5; } else { y[0] = 6; y[i] = 2; } } }
MAP(arm_loads)        { FOR(i, n) { if (x[i] > 0) y[i] = 1; else y[i] = y[i + 1] + y[i]; } }
MAP(before_and_after) { FOR(i, n) { y[i] = 3; y[i] = x[i] > 0 ? y[i] + x[i] : y[i + 1]; y[i + 1] = x[i]; } }
MAP(store_test_store) { FOR(i, n) { y[i + 1] = x[i]; if (y[i] > 0) y[i] = 7; else y[i] = x[i] - 1; y[i] += 1; } }
MAP(first_end)        { if (x[0] > 0) { y[0] = 1; y[n] = 5; } else { y[n] = 6; y[0] = 2; } }
MAP(triangle)         { FOR(i, n) { float s = 0; LOOP for (size_t j = 0; j <= i; j++) s += x[j]; y[i] = s; } }
MAP(triangle_open)    { FOR(i, n) { float s = 0; LOOP for (size_t j = 0; j < i; j++) s += x[j]; y[i] = s; } }
MAP(triangle_rest)    { FOR(i, n) { float s = 0; LOOP for (size_t j = 0; j < n - i; j++) s += x[i + j]; y[i] = s; } }
MAP(triangle_store)   { FOR(i, n) LOOP for (size_t j = 0; j <= i; j++) y[i * n + j] = x[j]; }
MAP(triangle_add)     { FOR(i, n) LOOP for (size_t j = 0; j < i; j++) y[j] += x[i]; }
MAP(triangle_solve)   { FOR(i, n) { float s = x[i]; LOOP for (size_t j = 0; j < i; j++) s -= y[j]; y[i] = s; } }
MAP(triangle_column)  { FOR(j, n) { float s = 0; LOOP for (size_t i = 0; i <= j; i++) s += x[i * n + j]; y[j] = s; } }
GRID(causal)          { FOR(i, m) { float s = 0; LOOP for (size_t j = 0; j < n + i; j++) s += x[j]; y[i] = s; } }
GRID(row_rereads)     { FOR(i, m) { float s = y[i]; FOR(j, n) s += x[i * n + j]; y[i] = s; } }
GRID(row_scaled)      { FOR(i, m) { float a = y[i], s = 0; FOR(j, n) s += x[i * n + j] * a; y[i] = s + a; } }
GRID(row_stored_twice) { FOR(i, m) { y[i] = 2; float s = 0; FOR(j, n) s += x[i * n + j]; y[i] = y[i] + s; } }
GRID(row_two_loads)   { FOR(i, m) { float a = y[i], s = 0; y[i] = x[i]; FOR(j, n) s += x[j] * a; y[i] = s - y[i] * a; } }
GRID(row_before)      { FOR(i, m) { float a = y[i], s = 0; y[i] = a + 1; FOR(j, n) s += x[i * n + j] * a; y[i + m] = s + a; } }
GRID(row_above)       { FOR(i, m) FOR(j, n) y[(i + 1) * n + j] = y[i * n + j] + x[j]; }
GRID(row_below)       { FOR(i, m) FOR(j, n) y[i * n + j] = y[(i + 1) * n + j] - x[j]; }
GRID(row_shared)      { FOR(i, m) FOR(j, n) y[j] = y[j] + x[i * n + j]; }
GRID(row_skewed)      { FOR(i, m) FOR(j, n) y[i + j] = y[i + j] + x[j]; }
GRID(row_last)        { FOR(i, m) FOR(j, n) y[i] = x[j]; }
GRID(row_in_memory)   { FOR(i, m) { y[i] = 0; FOR(j, n) y[i] += x[i + j]; } }
GRID(row_sums_rows)   { FOR(i, m) { float s = y[i]; FOR(j, n) s += x[j] * y[j]; y[i] = s; } }
GRID(row_replaced)    { FOR(i, m) { float a = y[i]; FOR(j, n) y[j] = x[j] + a; } }
GRID(crossed)         { FOR(i, m) FOR(j, n) { y[i] = x[j]; y[j] = x[i]; } }
GRID(then_all)        { FOR(i, m) y[i] = x[i]; FOR(i, n) y[i] = y[i] + y[m]; }
GRID(carried_rows)    { float s = 0; FOR(i, m) { FOR(j, n) s += x[j]; y[i] = s; } }
INDEX(scatter)        { FOR(i, n) y[at[i] & 7] = x[i]; }
INDEX(histogram)      { FOR(i, n) y[at[i] & 7] = y[at[i] & 7] + x[i]; }
INDEX(reads_anywhere) { FOR(i, n) y[i] = y[at[i] & 7] + x[i]; }
WORD(word_saturates)
{
	FOR(i, n) {
		int64_t s = (int64_t)x[i] + y[i];
		y[i] = s > INT32_MAX ? INT32_MAX : s < INT32_MIN ? INT32_MIN : (int32_t)s;
	}
}
WORD(word_high)       { FOR(i, n) y[i] = (int32_t)((int64_t)x[i] * x[i] >> 16); }
WORD(word_high_half)  { FOR(i, n) y[i] = (int32_t)((uint64_t)(uint32_t)x[i] * (uint32_t)x[i] >> 32); }
WORD(word_average)    { FOR(i, n) y[i] = (int32_t)(((int64_t)x[i] + y[i]) >> 1); }
WORD(word_third)      { FOR(i, n) y[i] = x[i] / 3; }
WORD(word_select)     { FOR(i, n) y[i] = (int64_t)x[i] * 4 < (int64_t)y[i] * 3 ? x[i] : y[i]; }
WORD(word_far)        { y[0] = n << 30 > n ? 1 : 2; y[1] = n > 0x7fffffff ? 1 : 2; }
WORD(word_prefix)     { uint32_t s = 0; FOR(i, n) { s += (uint32_t)x[i]; y[i] = (int32_t)s; } }
WORD(word_next)       { FOR(i, n) y[i + 1] = (int32_t)((uint32_t)y[i] + (uint32_t)x[i]); }
WORD(word_wide_mul)   { FOR(i, n) y[i] = (int32_t)((uint64_t)(int64_t)x[i] * 0x180000001 >> 32); }
WORD(word_halved)     { FOR(i, n) y[i] = (int32_t)((int64_t)x[i] * 3 >> 1); }
WORD(word_of_index)   { FOR(i, n) y[i] = (int32_t)((uint64_t)i * 0x180000001 >> 32) + x[i]; }
WORD(word_wide_sum)   { int64_t s = 0; FOR(i, n) s += x[i]; y[0] = (int32_t)(s >> 8); }

#define LONG(name)    static PLAIN void name(int64_t *restrict y, const int64_t *restrict x, size_t n)
#define LONG_LOW(name) static PLAIN void name(int32_t *restrict y, const int64_t *restrict x, size_t n)
LONG(long_copy)       { FOR(i, n) y[i] = x[i]; }
LONG(long_sum)        { FOR(i, n) y[i] = (int64_t)((uint64_t)y[i] + (uint64_t)x[i]); }
LONG_LOW(long_low)    { FOR(i, n) y[i] = (int32_t)(uint32_t)(uint64_t)x[i]; }
LONG_LOW(long_high)   { FOR(i, n) y[i] = (int32_t)(uint32_t)((uint64_t)x[i] >> 32); }

#define P(name, kind, type) { name, GLLM_##kind, GLLM_##type }
static const struct gllm_param map[] = { P("y", INOUT, F32), P("x", IN, F32), P("n", DIM, I64) };
static const struct gllm_param grid[] = { P("y", INOUT, F32), P("x", IN, F32), P("m", DIM, I64), P("n", DIM, I64) };
static const struct gllm_param index[] = { P("y", INOUT, F32), P("x", IN, F32), P("at", IN, U32), P("n", DIM, I64) };
static const struct gllm_param word[] = { P("y", INOUT, I32), P("x", IN, I32), P("n", DIM, I64) };

static const struct gllm_param wide[] = { P("y", INOUT, I64), P("x", IN, I64), P("n", DIM, I64) };
static const struct gllm_param low[] = { P("y", INOUT, I32), P("x", IN, I64), P("n", DIM, I64) };

static void call_wide(gllm_any_fn *f, const union gllm_arg *a)
{
	((void (*)(int64_t *, const int64_t *, size_t))f)(a[0].ptr, a[1].cptr, a[2].dim);
}
static void call_low(gllm_any_fn *f, const union gllm_arg *a)
{
	((void (*)(int32_t *, const int64_t *, size_t))f)(a[0].ptr, a[1].cptr, a[2].dim);
}
static void call_map(gllm_any_fn *f, const union gllm_arg *a)
{
	((void (*)(float *, const float *, size_t))f)(a[0].ptr, a[1].cptr, a[2].dim);
}
static void call_grid(gllm_any_fn *f, const union gllm_arg *a)
{
	((void (*)(float *, const float *, size_t, size_t))f)(a[0].ptr, a[1].cptr, a[2].dim, a[3].dim);
}
static void call_index(gllm_any_fn *f, const union gllm_arg *a)
{
	((void (*)(float *, const float *, const uint32_t *, size_t))f)(a[0].ptr, a[1].cptr, a[2].cptr, a[3].dim);
}
static void call_word(gllm_any_fn *f, const union gllm_arg *a)
{
	((void (*)(int32_t *, const int32_t *, size_t))f)(a[0].ptr, a[1].cptr, a[2].dim);
}

static const struct row {
	const char *name;
	gllm_any_fn *fn;
	gllm_call_fn *call;
	const struct gllm_param *param;
	unsigned nparams;
} rows[] = {
#define ROW(sig, fn) { #fn, (gllm_any_fn *)fn, call_##sig, sig, GLLM_COUNT(sig) }
	ROW(map, next_from_last), ROW(map, next_plus), ROW(map, third_from_first), ROW(map, shift_down),
	ROW(map, shift_down_add), ROW(map, shift_down_five), ROW(map, mirror), ROW(map, mirror_add), ROW(map, swap_twice),
	ROW(map, two_back), ROW(map, downwards), ROW(map, prefix_sum), ROW(map, exclusive_sum), ROW(map, prefix_max),
	ROW(map, delayed), ROW(map, alternating), ROW(map, differences), ROW(map, accumulator), ROW(map, accumulator_read),
	ROW(map, first_in_all), ROW(map, last_wins), ROW(map, overlapping), ROW(map, overlapping_back), ROW(map, write_again),
	ROW(map, other_stride), ROW(map, halves), ROW(map, across_arms), ROW(map, arm_loads), ROW(map, before_and_after),
	ROW(map, store_test_store), ROW(map, first_end), ROW(map, triangle), ROW(map, triangle_open), ROW(map, triangle_rest),
	ROW(map, triangle_store), ROW(map, triangle_add), ROW(map, triangle_solve), ROW(map, triangle_column),
	ROW(grid, causal), ROW(grid, row_rereads), ROW(grid, row_scaled), ROW(grid, row_stored_twice),
	ROW(grid, row_two_loads), ROW(grid, row_before), ROW(grid, row_above), ROW(grid, row_below), ROW(grid, row_shared),
	ROW(grid, row_skewed), ROW(grid, row_last), ROW(grid, row_in_memory), ROW(grid, row_sums_rows), ROW(grid, row_replaced),
	ROW(grid, crossed), ROW(grid, then_all), ROW(grid, carried_rows),
	ROW(index, scatter), ROW(index, histogram), ROW(index, reads_anywhere),
	ROW(word, word_saturates), ROW(word, word_high), ROW(word, word_high_half), ROW(word, word_average),
	ROW(word, word_third), ROW(word, word_select), ROW(word, word_far), ROW(word, word_prefix), ROW(word, word_next),
	ROW(word, word_wide_sum), ROW(word, word_wide_mul),
	ROW(word, word_halved), ROW(word, word_of_index),
	ROW(wide, long_copy), ROW(wide, long_sum), ROW(low, long_low), ROW(low, long_high),
};

/* --- machines ------------------------------------------------------------------------------------------------------- */

static bool any_disp(int64_t disp, unsigned bytes)
{
	(void)bytes;
	return disp >= INT32_MIN && disp <= INT32_MAX;
}

static bool short_disp(int64_t disp, unsigned bytes)
{
	return disp >= -64 && disp < 16 * (int64_t)bytes;
}

#define MACHINE(lanes, regs, mask, fma, disp)                                                                       \
	{ .vector_bytes = 4 * (lanes), .has_mask = (mask), .has_fma = (fma), .disp_ok = (disp),                      \
	  .class_file = { [GLLM_CLASS_V] = 1, [GLLM_CLASS_M] = 2 },                                                  \
	  .allocatable = { 0x7fff, (regs) == 32 ? UINT32_MAX : 0xffff, 0xff } }

static const struct gllm_machine machines[] = {
	MACHINE(8, 16, true, true, any_disp), MACHINE(4, 32, false, true, short_disp), MACHINE(16, 32, true, false, any_disp),
};

/* --- one function on one machine ------------------------------------------------------------------------------------ */

struct bench {
	struct check *t;
	struct gllm_arena arena;
	const struct row *row;
	const struct gllm_trace *trace;
	const struct gllm_machine *machine;
	union gllm_arg arg[GLLM_MAX_PARAMS];  /* dims; pointers are those of the lowered kernel */
	int64_t dim[GLLM_MAX_PARAMS];
	unsigned char *got[GLLM_MAX_PARAMS], *want[GLLM_MAX_PARAMS]; /* ALL bytes, the operand starts at GUARD */
	unsigned lowered;                     /* runs that gave numbers */
};

static bool pointer(const struct gllm_param *p)
{
	return p->kind < GLLM_DIM;
}

/* Powers of two of both signs: products stay exact, and so do sums of not too many, in any order. */
static uint32_t element(struct check *t, enum gllm_type type)
{
	static const uint32_t extreme[] = { 0x7fffffff, 0x80000000, 0xffffffff, 0, 1, 0x40000000, 0x80000001, 0x7ffffffe };
	if (type == GLLM_F32)
		return 0x3f000000 + (check_below(t, 3) << 23) + (check_below(t, 2) << 31);
	return check_below(t, 2) ? extreme[check_below(t, GLLM_COUNT(extreme))] : (uint32_t)check_random(t);
}

static bool prepare(struct bench *b, unsigned round)
{
	static const uint8_t size[] = { 0, 1, 2, 3, 5, 8, 9, 16, 17, 23, 33, 40 };
	unsigned dims = 0;
	for (unsigned i = 0; i < b->row->nparams; i++) {
		if (pointer(&b->row->param[i]))
			continue;
		b->arg[i].dim = size[(dims++ ? check_below(b->t, 10) : round) % GLLM_COUNT(size)];
		b->dim[i] = check_below(b->t, 2) ? (int64_t)b->arg[i].dim : -1;
	}
	for (unsigned i = 0; i < b->row->nparams; i++) {
		if (!pointer(&b->row->param[i]))
			continue;
		for (unsigned k = 0; k < ALL; k += 4) {
			uint32_t x = element(b->t, b->row->param[i].type);
			gllm_put_le32(b->got[i] + k, x);
			gllm_put_le32(b->want[i] + k, x);
		}
		b->arg[i].ptr = b->got[i] + GUARD;
		if (gllm_trace_extent(b->trace, i, b->arg) > ROOM)
			return false;
	}
	return true;
}

static void run_function(struct bench *b)
{
	union gllm_arg arg[GLLM_MAX_PARAMS];
	for (unsigned i = 0; i < b->row->nparams; i++) {
		arg[i] = b->arg[i];
		if (pointer(&b->row->param[i]))
			arg[i].ptr = b->want[i] + GUARD;
	}
	b->row->call(b->row->fn, arg);
}

static uint64_t units_of(const struct bench *b, const struct gllm_kernel_info *info)
{
	int64_t sym[GLLM_SYM_LOOP + GLLM_TRACE_LOOPS] = { 0 };
	for (unsigned i = 0; i < b->row->nparams; i++)
		sym[(unsigned)GLLM_SYM_PARAM + i] = (int64_t)b->arg[i].dim;
	int64_t trip = gllm_poly_eval(b->trace, info->trip, sym);
	return trip <= 0 ? 0 : ((uint64_t)trip + info->tile - 1) / info->tile;
}

/* OK: it ran, the upper part of its range first. COMPILE_ERROR: refused. */
static enum gllm_status run_lowered(struct bench *b)
{
	struct gllm_arena scratch = b->arena;
	struct gllm_vi *ins = gllm_alloc_array(&scratch, MAX_INS, sizeof *ins, 8);
	uint8_t *classes = gllm_alloc(&scratch, MAX_VREGS, 1);
	struct gllm_lower_options o = { .dim = b->dim, .unroll = (uint8_t)check_below(b->t, 5),
	                                .rows = (uint8_t)check_below(b->t, 5), .tile = check_below(b->t, 20) };
	struct gllm_kernel_info info;
	struct gllm_vir v;
	uint64_t slot[GLLM_MAX_PARAMS + 1] = { 0 };
	if (!ins || !classes)
		return GLLM_OUT_OF_MEMORY;
	gllm_vir_init(&v, ins, MAX_INS, classes, MAX_VREGS);
	enum gllm_status s = gllm_lower(b->trace, &o, b->machine, &scratch, &v, &info, NULL);
	if (s != GLLM_OK)
		return s;
	void *work = gllm_alloc(&scratch, gllm_vir_check_bytes(&v), 8);
	s = work ? gllm_vir_check(&v, work, NULL) : GLLM_OUT_OF_MEMORY;
	if (s != GLLM_OK)
		return s == GLLM_COMPILE_ERROR ? GLLM_BAD_VALUE : s; /* lowered to what is no program */
	for (unsigned i = 0; i < b->row->nparams; i++)
		slot[i] = !pointer(&b->row->param[i]) && b->dim[i] >= 0 ? 0x12345 : b->arg[i].bits;
	slot[b->row->nparams] = (uint64_t)(uintptr_t)info.pool;
	unsigned lanes = b->machine->vector_bytes / 4u;
	uint64_t units = info.range >= 0 ? units_of(b, &info) : 1, cut = info.range >= 0 ? units / 3 : 0;
	work = gllm_alloc(&scratch, gllm_vir_run_bytes(&v, lanes), 8);
	if (!work)
		return GLLM_OUT_OF_MEMORY;
	s = gllm_vir_run(&v, lanes, slot, NULL, NULL, cut, units, work);
	if (s == GLLM_OK && cut)
		s = gllm_vir_run(&v, lanes, slot, NULL, NULL, 0, cut, work);
	return s;
}

/* Floats may differ by roundings where values grow beyond what is exact. */
static bool close_to(float got, float want)
{
	float d = got - want, bound = want < 0 ? -want : want;
	return (d < 0 ? -d : d) <= 1e-4f * (bound > 1 ? bound : 1);
}

static bool equal(const struct bench *b)
{
	for (unsigned i = 0; i < b->row->nparams; i++) {
		bool writes = b->row->param[i].kind == GLLM_INOUT && b->row->param[i].type == GLLM_F32;
		if (!pointer(&b->row->param[i]))
			continue;
		for (unsigned k = 0; k < ALL; k += 4) {
			uint32_t g = gllm_le32(b->got[i] + k), w = gllm_le32(b->want[i] + k);
			if (g != w && !(writes && close_to(gllm_bits_f32(g), gllm_bits_f32(w))))
				return false;
		}
	}
	return true;
}

static void check_function(struct bench *b)
{
	for (unsigned m = 0; m < GLLM_COUNT(machines); m++) {
		b->machine = &machines[m];
		for (unsigned round = 0; round < 24; round++) {
			if (!CHECK(b->t, prepare(b, round))) {
				check_print(b->t, "     %s reaches beyond its operands\n", b->row->name);
				return;
			}
			enum gllm_status s = run_lowered(b);
			if (s == GLLM_COMPILE_ERROR)
				continue;
			if (!CHECK_STATUS(b->t, s, GLLM_OK)) {
				check_print(b->t, "     %s\n", b->row->name);
				return;
			}
			run_function(b);
			b->lowered++;
			if (!CHECK(b->t, equal(b))) {
				check_print(b->t, "     %s, %u lanes, n=%llu%s: not what the function gives\n", b->row->name,
				            (unsigned)b->machine->vector_bytes / 4, (unsigned long long)b->arg[b->row->nparams - 1].dim,
				            b->dim[b->row->nparams - 1] < 0 ? " (open)" : "");
				return;
			}
		}
	}
}

void check_reorder(struct check *t)
{
	size_t size;
	unsigned char *memory = check_memory(t, &size);
	struct bench b = { .t = t };
	struct gllm_config config = { .target = check_target(t), .profile = *check_profile(t), .max_ops = GLLM_COUNT(rows) };
	struct gllm_context *c;
	unsigned lifted = 0, before;
	if (!check_target(t) || !check_image(t)) {
		check_skip(t, "nothing to lift");
		return;
	}
	config.image = *check_image(t);
	gllm_arena_init(&b.arena, memory, size);
	void *p = gllm_alloc(&b.arena, gllm_context_quote(&config), 64);
	if (!CHECK_STATUS(t, gllm_context_create(p, gllm_context_quote(&config), &config, &c, NULL), GLLM_OK))
		return;
	for (unsigned i = 0; i < 3; i++) {
		b.got[i] = gllm_alloc(&b.arena, ALL, 64);
		b.want[i] = gllm_alloc(&b.arena, ALL, 64);
	}
	if (!CHECK(t, b.want[2] != NULL))
		return;
	unsigned numbers = 0;
	for (unsigned i = 0; i < GLLM_COUNT(rows); i++) {
		unsigned op;
		b.row = &rows[i];
		if (!CHECK_STATUS(t, gllm_register(c, b.row->name, b.row->fn, b.row->param, b.row->nparams, b.row->call, &op, NULL),
		                  GLLM_OK))
			return;
		enum gllm_status s = gllm_op_trace(c, op, &b.trace, NULL);
		if (s == GLLM_NOT_LIFTED)
			continue;
		if (!CHECK_STATUS(t, s, GLLM_OK))
			continue;
		lifted++;
		before = b.lowered;
		check_function(&b);
		numbers += b.lowered > before;
	}
	/* Whatever the compiler made of them: most can be said, so the suite does not pass by refusing everything. */
	if (!CHECK(t, lifted >= GLLM_COUNT(rows) / 2) || !CHECK(t, numbers >= GLLM_COUNT(rows) / 3))
		check_print(t, "     %u lifted, %u gave numbers\n", lifted, numbers);
}
#endif
