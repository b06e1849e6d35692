/* SPDX-License-Identifier: MIT
 * tests/check_lift.c - lifting from the running image's own machine code.
 *
 * Every operator of ops.def and a few functions of this file must lift, and the trace, evaluated, must give what the
 * function gives, bit for bit (NaNs are equal to each other), on tame and hostile input and on sizes 0 and up. Functions
 * outside what a trace can say must be refused, whatever the compiler made of them. */
#include "check.h"
#include "check_plain.h"

#if GLLM_JIT
#include "core/arena.h"
#include "ops/block.h"
#include "core/bits.h"
#include "core/target.h"
#include "gllm/ops.h"
#include "jit/context.h"
#include "jit/lift.h"

enum { KEEP = 256 << 10, BUFFER = 64 << 10, ROUNDS = 24, LARGEST = 9 };

struct lab {
	struct check *t;
	struct gllm_arena scratch, keep;
	unsigned char *got[GLLM_MAX_PARAMS], *want[GLLM_MAX_PARAMS];
	uint64_t *value;
};

/* ---- functions that must lift: plain loops, kept so under the library's flags ------------------------------------ */

static OPTIMISED void gather(float *restrict y, const float *restrict x, const uint32_t *restrict index, size_t n)
{
	LOOP for (size_t i = 0; i < n; i++)
		y[i] = x[index[i] & 7];
}

static OPTIMISED void least(uint32_t *restrict y, const float *restrict x, size_t n)
{
	float min = 3.0f;
	uint32_t at = 7;
	LOOP for (size_t i = 0; i < n; i++) {
		if (x[i] < min) {
			min = x[i];
			at = (uint32_t)i;
		}
	}
	y[0] = at;
}

static OPTIMISED void running(float *restrict y, const float *restrict x, size_t n)
{
	float sum = 1.0f;
	LOOP for (size_t i = 0; i < n; i++) {
		sum += x[i];
		y[i] = sum;
	}
}

static OPTIMISED void decode(float *restrict y, const uint8_t *restrict q, size_t n, float scale)
{
	LOOP for (size_t i = 0; i < n; i++) {
		y[i] = (float)((int)(q[i] & 15) - 8) * scale;
		y[i + n] = (float)((int)(q[i] >> 4) - 8) * scale;
	}
}

static OPTIMISED void triangle(float *restrict y, const float *restrict x, size_t n)
{
	LOOP for (size_t i = 0; i < n; i++) {
		float sum = 0.0f;
		LOOP for (size_t j = 0; j <= i; j++)
			sum += x[j];
		y[i] = sum;
	}
}

static OPTIMISED void backwards(float *restrict y, const float *restrict x, size_t n)
{
	LOOP for (size_t i = 0; i < n; i++)
		y[i] = x[n - 1 - i] * 2.0f;
}

static OPTIMISED void in_place(float *restrict y, size_t n, float bound)
{
	LOOP for (size_t i = 0; i < n; i++)
		y[i] = y[i] > bound ? bound : -y[i];
}

/* ---- functions that must not --------------------------------------------------------------------------------------- */

static OPTIMISED void until_zero(float *restrict y, const float *restrict x, size_t n)
{
	size_t i = 0;
	LOOP while (i < n && x[i] != 0.0f)
		i++;
	y[0] = (float)i;
}

static OPTIMISED void sometimes(float *restrict y, const float *restrict x, size_t n)
{
	LOOP for (size_t i = 0; i < n; i++)
		if (x[i] > 0.0f)
			y[i] = x[i];
}

/* Of two stores on one path the second stays. */
static OPTIMISED void stored_again(float *restrict y, const float *restrict x, size_t n)
{
	if (n) {
		float sum = 0.0f;
		LOOP for (size_t i = 0; i < n; i++)
			sum += x[i];
		y[0] = sum;
		__asm__ volatile("" : : : "memory");
	}
	y[0] = 0.0f;
}

/* The same in one arm. */
static OPTIMISED void stored_twice(float *restrict y, const float *restrict x, size_t n)
{
	if (n) {
		float sum = 0.0f;
		LOOP for (size_t i = 0; i < n; i++)
			sum += x[i];
		y[0] = sum;
	} else {
		y[0] = 0.0f;
		__asm__ volatile("" : : : "memory");
		y[0] = 2.0f;
	}
}

static OPTIMISED void into_input(float *restrict y, float *restrict x, size_t n)
{
	LOOP for (size_t i = 0; i < n; i++) {
		y[i] = x[i];
		x[i] = 0.0f;
	}
}

static OPTIMISED void unknown_call(float *restrict y, const float *restrict x, size_t n)
{
	union { const float *p; void (*call)(size_t); } u = { .p = x };
	u.call(n);
	y[0] = 1.0f;
}

static OPTIMISED void at_least_once(float *restrict y, const float *restrict x, size_t n)
{
	size_t i = 0;
	LOOP do
		y[i] = x[i] + 1.0f;
	while (++i < n);
}

static OPTIMISED void wide(float *restrict y, const float *restrict x, size_t n)
{
	double sum = 0.0;
	LOOP for (size_t i = 0; i < n; i++)
		sum += (double)x[i] * 1.1;
	y[0] = (float)sum;
}

static OPTIMISED void narrow_count(float *restrict y, const float *restrict x, size_t n)
{
	LOOP for (uint32_t i = 0; i != (uint32_t)n; i++)
		y[i] = x[i] * 3.0f;
}

static OPTIMISED void doubling(float *restrict y, const float *restrict x, size_t n)
{
	LOOP for (size_t i = 1; i < n; i *= 2)
		y[i] = x[i] * 3.0f;
}

extern float check_lift_changing[256];
float check_lift_changing[256];

/* A table that may be written, if not by this function. */
static OPTIMISED void from_changing(float *restrict y, const float *restrict x, size_t n)
{
	LOOP for (size_t i = 0; i < n; i++)
		y[i] = check_lift_changing[((const uint8_t *)x)[i]];
}

/* A table at an index that nothing bounds. */
static OPTIMISED void from_anywhere(float *restrict y, const float *restrict x, size_t n)
{
	LOOP for (size_t i = 0; i < n; i++)
		y[i] = gllm_iq4nl_values[((const uint32_t *)x)[i]];
}

/* ---- comparing a trace with a function ----------------------------------------------------------------------------- */

#define IN(name, type)     { name, GLLM_IN, GLLM_##type }
#define OUT(name, type)    { name, GLLM_OUT, GLLM_##type }
#define DIM(name)          { name, GLLM_DIM, GLLM_I64 }

static const struct gllm_param gather_param[] = { OUT("y", F32), IN("x", F32), IN("index", U32), DIM("n") };
static const struct gllm_param least_param[] = { OUT("y", U32), IN("x", F32), DIM("n") };
static const struct gllm_param map_param[] = { OUT("y", F32), IN("x", F32), DIM("n") };
static const struct gllm_param decode_param[] = { OUT("y", F32), IN("q", U8), DIM("n"), { "scale", GLLM_SCALAR, GLLM_F32 } };
static const struct gllm_param place_param[] = { { "y", GLLM_INOUT, GLLM_F32 }, DIM("n"), { "bound", GLLM_SCALAR, GLLM_F32 } };

static void call_gather(gllm_any_fn *f, const union gllm_arg *a)
{
	((void (*)(float *, const float *, const uint32_t *, size_t))f)(a[0].ptr, a[1].cptr, a[2].cptr, a[3].dim);
}
static void call_least(gllm_any_fn *f, const union gllm_arg *a)
{
	((void (*)(uint32_t *, const float *, size_t))f)(a[0].ptr, a[1].cptr, a[2].dim);
}
static void call_map(gllm_any_fn *f, const union gllm_arg *a)
{
	((void (*)(float *, const float *, size_t))f)(a[0].ptr, a[1].cptr, a[2].dim);
}
static void call_decode(gllm_any_fn *f, const union gllm_arg *a)
{
	((void (*)(float *, const uint8_t *, size_t, float))f)(a[0].ptr, a[1].cptr, a[2].dim, a[3].scalar);
}
static void call_in_place(gllm_any_fn *f, const union gllm_arg *a)
{
	((void (*)(float *, size_t, float))f)(a[0].ptr, a[1].dim, a[2].scalar);
}

static const struct {
	const char *name;
	gllm_any_fn *fn;
	gllm_call_fn *call;
	const struct gllm_param *param;
	unsigned nparams;
	enum gllm_pattern pattern;
} plain[] = {
#define ROW(fn, call, param, pattern) { #fn, (gllm_any_fn *)fn, call, param, GLLM_COUNT(param), GLLM_PATTERN_##pattern }
	ROW(gather, call_gather, gather_param, QUANT_DECODE),
	ROW(least, call_least, least_param, REDUCTION),
	ROW(running, call_map, map_param, OPAQUE),
	ROW(decode, call_decode, decode_param, QUANT_DECODE),
	ROW(triangle, call_map, map_param, REDUCTION),
	ROW(stored_again, call_map, map_param, OPAQUE),
	ROW(stored_twice, call_map, map_param, REDUCTION),
	ROW(backwards, call_map, map_param, INJECTIVE),
	ROW(in_place, call_in_place, place_param, ELEMENTWISE),
};

static const struct {
	enum gllm_op op;
	enum gllm_pattern pattern;
	unsigned loops, reductions;
} expected[] = {
	{ GLLM_OP_add, GLLM_PATTERN_BINARY, 1, 0 },
	{ GLLM_OP_mul, GLLM_PATTERN_BINARY, 1, 0 },
	{ GLLM_OP_silu, GLLM_PATTERN_ELEMENTWISE, 1, 0 },
	{ GLLM_OP_swiglu, GLLM_PATTERN_BINARY, 1, 0 },
	{ GLLM_OP_exp, GLLM_PATTERN_ELEMENTWISE, 1, 0 },
	{ GLLM_OP_tanh, GLLM_PATTERN_ELEMENTWISE, 1, 0 },
	{ GLLM_OP_rms_norm, GLLM_PATTERN_NORM, 2, 1 },
	{ GLLM_OP_softmax, GLLM_PATTERN_SOFTMAX, 3, 2 },
	{ GLLM_OP_rope_adjacent, GLLM_PATTERN_INJECTIVE, 2, 0 },
	{ GLLM_OP_rope_halves, GLLM_PATTERN_INJECTIVE, 2, 0 },
	{ GLLM_OP_gemv, GLLM_PATTERN_GEMM, 2, 1 },
	{ GLLM_OP_gemm, GLLM_PATTERN_GEMM, 3, 1 },
	{ GLLM_OP_gemm_bt, GLLM_PATTERN_GEMM, 3, 1 },
	{ GLLM_OP_gemm_bt_f16, GLLM_PATTERN_GEMM, 3, 1 },
	{ GLLM_OP_attend, GLLM_PATTERN_SOFTMAX, 6, 4 },
	{ GLLM_OP_argmax, GLLM_PATTERN_REDUCTION, 1, 1 },
};

static uint64_t address(gllm_any_fn *fn)
{
	return (uint64_t)(uintptr_t)fn;
}

static enum gllm_status lift(struct lab *b, gllm_any_fn *fn, const char *name, const struct gllm_param *param, unsigned n,
                             const struct gllm_trace **out, struct gllm_error *e)
{
	b->keep.used = 0;
	return gllm_lift(check_target(b->t), check_image(b->t), address(fn), name, param, n, &b->scratch, &b->keep, out, e);
}

static void fill(struct lab *b, const struct gllm_param *p, unsigned char *to, bool hostile)
{
	for (size_t i = 0; i < BUFFER; i += gllm_type_bytes(p->type)) {
		float x = hostile ? check_hostile(b->t) : check_float(b->t, -4.0f, 4.0f);
		if (p->type == GLLM_F16)
			gllm_put_le16(to + i, hostile ? (uint16_t)check_random(b->t) : gllm_f32_to_f16(x));
		else if (p->type == GLLM_F32)
			gllm_put_le32(to + i, gllm_f32_bits(x));
		else if (p->type == GLLM_U32) /* an index: its row is within the buffer */
			gllm_put_le32(to + i, check_below(b->t, BUFFER / 4 / LARGEST));
		else if (p->type == GLLM_U32) /* indices, where they are read */
			gllm_put_le32(to + i, check_below(b->t, LARGEST));
		else
			to[i] = (unsigned char)check_random(b->t);
	}
}

static bool same_bytes(const struct gllm_param *p, const unsigned char *got, const unsigned char *want)
{
	for (size_t i = 0; i < BUFFER; i += 4) {
		uint32_t g = gllm_le32(got + i), w = gllm_le32(want + i);
		bool nans = p->type == GLLM_F32 && (g & 0x7fffffff) > 0x7f800000 && (w & 0x7fffffff) > 0x7f800000;
		if (g != w && !nans)
			return false;
	}
	return true;
}

/* Actual parameters of one round: small dims, 0 and 1 among them; "stride" is never less than another dim. */
static void actual(struct lab *b, const struct gllm_param *param, unsigned n, unsigned round, union gllm_arg *got,
                   union gllm_arg *want)
{
	uint64_t greatest = 0;
	bool hostile = round % 2;
	for (unsigned i = 0; i < n; i++) {
		got[i].bits = 0;
		if (param[i].kind == GLLM_DIM) {
			uint64_t d = round < 4 ? round / 2 : check_below(b->t, LARGEST);
			greatest = d > greatest ? d : greatest;
			got[i].dim = param[i].name[0] == 's' ? greatest : d;
		} else if (param[i].kind == GLLM_SCALAR) {
			got[i].scalar = hostile ? check_hostile(b->t) : 0.125f;
		} else {
			got[i].ptr = b->got[i];
			fill(b, &param[i], b->got[i], hostile);
			for (size_t k = 0; k < BUFFER; k++)
				b->want[i][k] = b->got[i][k];
		}
		want[i] = got[i];
		if (param[i].kind <= GLLM_WEIGHT)
			want[i].ptr = b->want[i];
	}
}

static bool agrees(struct lab *b, const struct gllm_trace *trace, gllm_any_fn *fn, gllm_call_fn *call)
{
	union gllm_arg got[GLLM_MAX_PARAMS], want[GLLM_MAX_PARAMS];
	for (unsigned round = 0; round < ROUNDS; round++) {
		actual(b, trace->param, trace->nparams, round, got, want);
		for (unsigned i = 0; i < trace->nparams; i++)
			if (trace->param[i].kind <= GLLM_WEIGHT && gllm_trace_extent(trace, i, got) > BUFFER)
				return false;
		if (gllm_trace_eval(trace, got, b->value) != GLLM_OK)
			return false;
		call(fn, want);
		for (unsigned i = 0; i < trace->nparams; i++)
			if (trace->param[i].kind <= GLLM_WEIGHT && !same_bytes(&trace->param[i], b->got[i], b->want[i]))
				return false;
	}
	return true;
}

/* The order that the header of gllm/trace.h states. */
static bool well_formed(const struct gllm_trace *t)
{
	for (unsigned i = 0; i < t->nnodes; i++) {
		const struct gllm_node *n = &t->node[i];
		int innermost = -1;
		for (unsigned l = 0; l < t->nloops; l++)
			if (i >= t->loop[l].first && i < t->loop[l].end)
				innermost = (int)l;
		if (n->loop != innermost || (n->a != GLLM_NO_NODE && n->a >= i) || (n->c != GLLM_NO_NODE && n->c >= i))
			return false;
		if (n->b != GLLM_NO_NODE && (n->op == GLLM_N_CARRY ? n->b >= t->loop[n->loop].end : n->b >= i))
			return false;
	}
	for (unsigned l = 1; l < t->nloops; l++)
		if (t->loop[l].parent >= (int)l || t->loop[l].first < t->loop[l - 1].first)
			return false;
	return true;
}

static void check_lifted(struct lab *b, gllm_any_fn *fn, gllm_call_fn *call, const char *name, const struct gllm_param *param,
                         unsigned n, const struct gllm_trace **out)
{
	struct gllm_error e = { 0 };
	const size_t before = b->scratch.used;
	enum gllm_status s = lift(b, fn, name, param, n, out, &e);
	if (s)
		check_print(b->t, "%s: %s at %lu\n", name, e.what ? e.what : "?", (unsigned long)e.where);
	CHECK_STATUS(b->t, s, GLLM_OK);
	CHECK_EQ(b->t, b->scratch.used, before);
	if (s)
		return;
	bool good = well_formed(*out) && (*out)->nnodes <= KEEP / 8 && agrees(b, *out, fn, call);
	if (!good)
		check_print(b->t, "%s: the trace gives something else than the function\n", name);
	CHECK(b->t, good);
}

static void check_operators(struct lab *b)
{
	const struct gllm_trace *trace;
	for (unsigned i = 0; i < GLLM_OP_COUNT; i++) {
		const struct gllm_op_info *o = &gllm_op_info[i];
		trace = NULL;
		check_lifted(b, o->ref, gllm_builtin_call(i), o->name, o->param, o->nparams, &trace);
		for (unsigned k = 0; trace && k < GLLM_COUNT(expected); k++) {
			if (expected[k].op != (enum gllm_op)i)
				continue;
			CHECK_TEXT(b->t, gllm_pattern_name(trace->pattern), gllm_pattern_name(expected[k].pattern));
			CHECK_EQ(b->t, trace->nloops, expected[k].loops);
			CHECK_EQ(b->t, trace->nreductions, expected[k].reductions);
		}
		if (trace && i == GLLM_OP_argmax)
			CHECK_EQ(b->t, trace->reduction[0].kind, GLLM_REDUCE_ARGMAX);
	}
}

static void check_plain(struct lab *b)
{
	const struct gllm_trace *trace;
	for (unsigned i = 0; i < GLLM_COUNT(plain); i++) {
		trace = NULL;
		check_lifted(b, plain[i].fn, plain[i].call, plain[i].name, plain[i].param, plain[i].nparams, &trace);
		if (trace)
			CHECK_TEXT(b->t, gllm_pattern_name(trace->pattern), gllm_pattern_name(plain[i].pattern));
	}
}

static void check_refused(struct lab *b)
{
	static const struct { const char *name; gllm_any_fn *fn; } bad[] = {
#define BAD(fn) { #fn, (gllm_any_fn *)fn }
		BAD(until_zero), BAD(sometimes), BAD(into_input), BAD(unknown_call), BAD(at_least_once), BAD(wide),
		BAD(narrow_count), BAD(doubling), BAD(from_changing), BAD(from_anywhere),
	};
	const struct gllm_trace *trace;
	for (unsigned i = 0; i < GLLM_COUNT(bad); i++) {
		struct gllm_error e = { 0 };
		enum gllm_status s = lift(b, bad[i].fn, bad[i].name, map_param, GLLM_COUNT(map_param), &trace, &e);
		if (s != GLLM_NOT_LIFTED)
			check_print(b->t, "%s was not refused\n", bad[i].name);
		CHECK(b->t, s == GLLM_NOT_LIFTED || s == GLLM_BAD_INSN);
		CHECK(b->t, trace == NULL && e.what && e.where < 4096 && b->keep.used == 0);
	}
}

/* x86-64 code that no compiler made of these functions, each byte read on any machine and none executed. */
static void check_code(struct lab *b)
{
	/* cmp $5,%rdx; jb 1f; lea a(%rip),%rax; 0: call *%rax; ret; 1: lea b(%rip),%rax; jmp 0b; a: ret; b: movl $0,(%rdi); ret */
	static const unsigned char either_callee[] = {
		0x48, 0x83, 0xfa, 0x05, 0x72, 0x0a, 0x48, 0x8d, 0x05, 0x0c, 0, 0, 0, 0xff, 0xd0, 0xc3, 0x48, 0x8d, 0x05, 0x03, 0, 0, 0,
		0xeb, 0xf4, 0xc3, 0xc7, 0x07, 0, 0, 0, 0, 0xc3,
	};
	/* A constant in lane 0, a load in lane 1, and both stored: test %rdx,%rdx; je 1f; xor %eax,%eax; 0: movss c(%rip),%xmm1;
	 * movss (%rsi,%rax,4),%xmm2; unpcklps %xmm2,%xmm1; movsd %xmm1,(%rdi,%rax,8); inc %rax; cmp %rdx,%rax; jne 0b; 1: ret */
	static const unsigned char two_lanes[] = {
		0x48, 0x85, 0xd2, 0x74, 0x1f, 0x31, 0xc0, 0xf3, 0x0f, 0x10, 0x0d, 0x16, 0, 0, 0, 0xf3, 0x0f, 0x10, 0x14, 0x86,
		0x0f, 0x14, 0xca, 0xf2, 0x0f, 0x11, 0x0c, 0xc7, 0x48, 0xff, 0xc0, 0x48, 0x39, 0xd0, 0x75, 0xe3, 0xc3, 0, 0, 0xc0, 0x3f,
	};
	static const struct gllm_range range[] = {
		{ either_callee, 0x1000, sizeof either_callee, true }, { two_lanes, 0x2000, sizeof two_lanes, true },
	};
	const struct gllm_image image = { range, GLLM_COUNT(range), NULL, 0 };
	for (unsigned i = 0; i < GLLM_COUNT(range); i++) {
		const struct gllm_trace *trace;
		struct gllm_arena keep = b->keep;
		CHECK_STATUS(b->t, gllm_lift(&gllm_target_x86_64, &image, range[i].addr, "code", map_param, GLLM_COUNT(map_param), &b->scratch,
		                             &keep, &trace, NULL), GLLM_NOT_LIFTED);
	}
}

static void check_limits(struct lab *b)
{
	const struct gllm_op_info *o = &gllm_op_info[GLLM_OP_softmax];
	const struct gllm_target *target = check_target(b->t);
	const struct gllm_image *image = check_image(b->t);
	const struct gllm_trace *trace;
	struct gllm_arena small, keep = b->keep;
	struct gllm_error e = { 0 };
	unsigned char bytes[64] = { 0 };
	for (unsigned i = 0; i < sizeof bytes; i++)
		bytes[i] = 0xff;
	const struct gllm_range range = { bytes, 0x1000, sizeof bytes, true };
	const struct gllm_image junk = { &range, 1, NULL, 0 };

	CHECK_STATUS(b->t, gllm_lift(NULL, image, address(o->ref), o->name, o->param, o->nparams, &b->scratch, &keep, &trace, NULL),
	             GLLM_NO_BACK_END);
	CHECK_STATUS(b->t, gllm_lift(target, NULL, address(o->ref), o->name, o->param, o->nparams, &b->scratch, &keep, &trace, NULL),
	             GLLM_INVALID_ARGUMENT);
	CHECK_STATUS(b->t, gllm_lift(target, image, 16, o->name, o->param, o->nparams, &b->scratch, &keep, &trace, NULL),
	             GLLM_NOT_LIFTED);
	CHECK_STATUS(b->t, gllm_lift(target, &junk, 0x1000, o->name, o->param, o->nparams, &b->scratch, &keep, &trace, &e),
	             GLLM_BAD_INSN);
	/* every size of memory either suffices or is refused; what was in the arenas before stays */
	bool clean = true, enough = false;
	for (size_t size = 0; size <= GLLM_LIFT_SCRATCH && !enough; size += 4096 * 5 + 8) {
		gllm_arena_init(&small, b->scratch.base, size);
		keep.used = 0;
		enum gllm_status s = gllm_lift(target, image, address(o->ref), o->name, o->param, o->nparams, &small, &keep, &trace, NULL);
		clean = clean && (s == GLLM_OK || s == GLLM_OUT_OF_MEMORY) && small.used == 0 && (s == GLLM_OK) == (trace != NULL);
		enough = s == GLLM_OK;
	}
	CHECK(b->t, clean && enough);
	size_t need = keep.used;
	for (size_t size = need < 64 ? 0 : need - 64; size <= need; size += 8) {
		gllm_arena_init(&small, b->got[0], size);
		enum gllm_status s = gllm_lift(target, image, address(o->ref), o->name, o->param, o->nparams, &b->scratch, &small, &trace, NULL);
		clean = clean && (size == need ? s == GLLM_OK : s == GLLM_OUT_OF_MEMORY && small.used == 0);
	}
	CHECK(b->t, clean);
}

void check_lift(struct check *t)
{
	struct lab b = { .t = t };
	struct gllm_arena a;
	size_t size;
	void *memory = check_memory(t, &size);
	if (!check_image(t) || !check_target(t)) {
		check_skip(t, "the platform gives no image to lift from");
		return;
	}
	gllm_arena_init(&a, memory, size);
	void *scratch = gllm_alloc(&a, GLLM_LIFT_SCRATCH, 64), *keep = gllm_alloc(&a, KEEP, 64);
	gllm_arena_init(&b.scratch, scratch, GLLM_LIFT_SCRATCH);
	gllm_arena_init(&b.keep, keep, KEEP);
	b.value = gllm_alloc(&a, KEEP, 64);
	for (unsigned i = 0; i < GLLM_MAX_PARAMS; i++) {
		b.got[i] = gllm_alloc(&a, BUFFER, 64);
		b.want[i] = gllm_alloc(&a, BUFFER, 64);
	}
	CHECK(t, scratch && keep && b.value && b.want[GLLM_MAX_PARAMS - 1]);
	if (!b.want[GLLM_MAX_PARAMS - 1])
		return;
	check_operators(&b);
	check_plain(&b);
	check_refused(&b);
	check_code(&b);
	check_limits(&b);
}

#else

void check_lift(struct check *t)
{
	check_skip(t, "built without back ends");
}

#endif
