/* SPDX-License-Identifier: MIT
 * tests/diff/x86_sem.c - hosted, x86-64 only: what arch/x86_64/lift.c says of an instruction against what the CPU does.
 *
 *   x86_sem [N [SEED]]          N random instances of every row that has a meaning and no control flow
 *
 * Each instance is run once by the CPU on random registers, after CMP rax, rbx, and its micro-operations are evaluated
 * on the same state. General registers, lane 0 of vector registers (as far as the last operation wrote it), memory and
 * every condition that the flags may be asked for must agree. Last line: N passed, N failed; exit code 1 if anything failed. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include "tests/diff/x86_random.h"

#ifndef __x86_64__
int main(void)
{
	puts("skip meanings: not an x86-64 CPU\n0 passed, 0 failed");
	return 0;
}
#else
enum { DATA = 512 };

struct state {
	uint64_t r[16], v[16][2], flags;
	_Alignas(64) unsigned char data[DATA]; /* legacy SSE insists */
};

struct flags {
	uint8_t op, w;
	uint64_t a, b;
};

struct model {
	uint64_t loc[GLLM_LOC_COUNT];
	uint8_t lane[16];              /* bits of the vector register that are known */
	struct flags flags;
	unsigned char *data;
	uint64_t base;                 /* address of the data the CPU sees */
	bool outside;                  /* an access or a value the list of meanings leaves open */
};

static uint64_t seed = 1;

static uint64_t draw(void *user)
{
	uint64_t z = seed += UINT64_C(0x9e3779b97f4a7c15);

	(void)user;
	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static uint64_t low(uint64_t v, unsigned w)
{
	return w >= 64 ? v : v & ((UINT64_C(1) << w) - 1);
}

static int64_t sign(uint64_t v, unsigned w)
{
	return w >= 64 ? (int64_t)v : (int64_t)(v << (64 - w)) >> (64 - w);
}

static double as_float(uint64_t v, unsigned w)
{
	float f;
	double d;
	uint32_t u = (uint32_t)v;

	if (w == 32)
		return memcpy(&f, &u, 4), f;
	return memcpy(&d, &v, 8), d;
}

static uint64_t of_float(double x, unsigned w)
{
	float f = (float)x;
	uint32_t u;
	uint64_t v;

	if (w == 32)
		return memcpy(&u, &f, 4), u;
	return memcpy(&v, &x, 8), v;
}

/* Widths of 32 are exact in double but for fma, whose product and sum are not: fmaf. */
static double fused(double a, double b, double c, unsigned w)
{
	return w == 32 ? fmaf((float)a, (float)b, (float)c) : fma(a, b, c);
}

static bool float_condition(unsigned cc, double a, double b)
{
	bool u = isnan(a) || isnan(b), lt = a < b, gt = a > b, eq = a == b;

	switch (cc) {
	case GLLM_CC_NEVER: return false;
	case GLLM_CC_ALWAYS: return true;
	case GLLM_CC_FOEQ: return eq;
	case GLLM_CC_FUEQ: return eq || u;
	case GLLM_CC_FONE: return lt || gt;
	case GLLM_CC_FUNE: return lt || gt || u;
	case GLLM_CC_FOLT: return lt;
	case GLLM_CC_FULT: return lt || u;
	case GLLM_CC_FOLE: return lt || eq;
	case GLLM_CC_FULE: return lt || eq || u;
	case GLLM_CC_FOGT: return gt;
	case GLLM_CC_FUGT: return gt || u;
	case GLLM_CC_FOGE: return gt || eq;
	case GLLM_CC_FUGE: return gt || eq || u;
	case GLLM_CC_FORD: return !u;
	default: return u;
	}
}

/* -1: the flags cannot be asked for this condition. */
static int condition(const struct flags *f, unsigned cc, unsigned fcc)
{
	uint64_t a = low(f->a, f->w), b = low(f->b, f->w), d = low(a - b, f->w);
	int64_t sa = sign(a, f->w), sb = sign(b, f->w);
	bool only_result = f->op == GLLM_S_FLAGSOF;

	if (f->op == GLLM_S_FCMP)
		return float_condition(fcc, as_float(f->a, f->w), as_float(f->b, f->w));
	if (f->op == GLLM_S_MOV)
		return -1;
	switch (cc) {
	case GLLM_CC_EQ: return d == 0;
	case GLLM_CC_NE: return d != 0;
	case GLLM_CC_SNEG: return sign(d, f->w) < 0;
	case GLLM_CC_SPOS: return sign(d, f->w) >= 0;
	case GLLM_CC_ULT: return only_result ? -1 : a < b;
	case GLLM_CC_ULE: return only_result ? -1 : a <= b;
	case GLLM_CC_UGT: return only_result ? -1 : a > b;
	case GLLM_CC_UGE: return only_result ? -1 : a >= b;
	case GLLM_CC_SLT: return only_result ? -1 : sa < sb;
	case GLLM_CC_SLE: return only_result ? -1 : sa <= sb;
	case GLLM_CC_SGT: return only_result ? -1 : sa > sb;
	case GLLM_CC_SGE: return only_result ? -1 : sa >= sb;
	case GLLM_CC_OVF: return only_result ? -1 : (sa < sb) != (sign(d, f->w) < 0);
	case GLLM_CC_NOVF: return only_result ? -1 : (sa < sb) == (sign(d, f->w) < 0);
	default: return -1;
	}
}

static bool cpu_condition(uint64_t flags, unsigned cc)
{
	bool c = flags & 1, p = flags >> 2 & 1, z = flags >> 6 & 1, s = flags >> 7 & 1, o = flags >> 11 & 1;
	const bool value[8] = { o, c, z, c || z, s, p, s != o, z || s != o };

	return value[cc >> 1] != (cc & 1);
}

static uint64_t get(const struct model *m, unsigned loc)
{
	return loc < GLLM_LOC_COUNT ? m->loc[loc] : 0;
}

static void set(struct model *m, unsigned loc, uint64_t v, unsigned known)
{
	m->loc[loc] = v;
	if (loc >= GLLM_LOC_V0 && loc < GLLM_LOC_V0 + 16)
		m->lane[loc - GLLM_LOC_V0] = (uint8_t)(known > 64 ? 64 : known);
}

static uint64_t address(const struct model *m, const struct gllm_sem_op_rec *r)
{
	return get(m, r->a) + (r->b == GLLM_LOC_NONE ? 0 : get(m, r->b) << r->scale) + (uint64_t)r->imm;
}

static uint64_t divide(struct model *m, const struct gllm_sem_op_rec *r, uint64_t a, uint64_t b)
{
	if (low(b, r->w) == 0 || (r->op == GLLM_S_SDIV && sign(b, r->w) == -1)) {
		m->outside = true;
		return 0;
	}
	return r->op == GLLM_S_UDIV ? low(a, r->w) / low(b, r->w) : (uint64_t)(sign(a, r->w) / sign(b, r->w));
}

static uint64_t to_integer(double x, unsigned bits)
{
	double limit = ldexp(1.0, (int)bits - 1);

	return x >= -limit && x < limit ? low((uint64_t)(int64_t)x, bits) : UINT64_C(1) << (bits - 1);
}

static uint64_t high_product(uint64_t a, uint64_t b, unsigned w, bool is_signed)
{
	unsigned __int128 p = is_signed ? (unsigned __int128)((__int128)sign(a, w) * sign(b, w))
	                                : (unsigned __int128)low(a, w) * low(b, w);
	return (uint64_t)(p >> w);
}

static double rounded(double x, int64_t mode)
{
	return mode == 0 ? rint(x) : mode == 1 ? floor(x) : mode == 2 ? ceil(x) : trunc(x);
}

static void memory(struct model *m, const struct gllm_sem_op_rec *r)
{
	uint64_t at = address(m, r) - m->base, n = r->w / 8u, v = 0;

	if (at > DATA - n) {
		m->outside = true;
		return;
	}
	if (r->op == GLLM_S_LOAD) {
		memcpy(&v, m->data + at, n > 8 ? 8 : n);
		set(m, r->d, v, 64);
	} else {
		if (n > 8)
			m->outside = true; /* the upper lanes are not modelled */
		if (r->c >= GLLM_LOC_V0 && r->c < GLLM_LOC_V0 + 16 && m->lane[r->c - GLLM_LOC_V0] < r->w)
			m->outside = true;
		v = get(m, r->c);
		memcpy(m->data + at, &v, n > 8 ? 8 : n);
	}
}

static void evaluate(struct model *m, const struct gllm_sem_op_rec *r)
{
	unsigned w = r->w > 64 ? 64 : r->w, k;
	uint64_t a = get(m, r->a), b = r->b == GLLM_LOC_NONE ? (uint64_t)r->imm : get(m, r->b), v = 0;
	double x = as_float(a, w), y = as_float(b, w), z = as_float(get(m, r->c), w);
	int c;

	k = (unsigned)(b & (w - 1));
	switch ((enum gllm_sem_op)r->op) {
	case GLLM_S_MOV: v = low(r->a == GLLM_LOC_NONE ? (uint64_t)r->imm : a, w); break;
	case GLLM_S_ADD: v = low(a + b, w); break;
	case GLLM_S_SUB: v = low(a - b, w); break;
	case GLLM_S_MUL: v = low(a * b, w); break;
	case GLLM_S_AND: v = low(a & b, w); break;
	case GLLM_S_OR: v = low(a | b, w); break;
	case GLLM_S_XOR: v = low(a ^ b, w); break;
	case GLLM_S_SHL: v = low(a << k, w); break;
	case GLLM_S_SHR: v = low(a, w) >> k; break;
	case GLLM_S_SAR: v = low((uint64_t)(sign(a, w) >> k), w); break;
	case GLLM_S_NEG: v = low(0 - a, w); break;
	case GLLM_S_NOT: v = low(~a, w); break;
	case GLLM_S_MULHU: case GLLM_S_MULHS: v = low(high_product(a, b, w, r->op == GLLM_S_MULHS), w); break;
	case GLLM_S_UDIV: case GLLM_S_SDIV: v = low(divide(m, r, a, b), w); break;
	case GLLM_S_SEXT: v = low((uint64_t)sign(a, w), r->imm == 32 ? 32 : 64); break;
	case GLLM_S_ZEXT: v = low(a, w); break;
	case GLLM_S_INSERT: v = (b & ~low(~UINT64_C(0), w)) | low(a, w); break;
	case GLLM_S_LOAD: case GLLM_S_STORE: memory(m, r); return;
	case GLLM_S_ADDR: v = low(address(m, r), w); break;
	case GLLM_S_CMP: case GLLM_S_FCMP: m->flags = (struct flags){ r->op, r->w, a, b }; return;
	case GLLM_S_TEST: m->flags = (struct flags){ r->op, r->w, a & b, 0 }; return;
	case GLLM_S_FLAGSOF: m->flags = (struct flags){ r->op, r->w, a, 0 }; return;
	case GLLM_S_SELECT: case GLLM_S_SETCC:
		c = condition(&m->flags, r->cc, r->fcc);
		if (c < 0)
			m->outside = true;
		v = r->op == GLLM_S_SETCC ? (uint64_t)(c > 0) : low(c > 0 ? a : b, w);
		break;
	case GLLM_S_FADD: v = of_float(w == 32 ? (float)x + (float)y : x + y, w); break;
	case GLLM_S_FSUB: v = of_float(w == 32 ? (float)x - (float)y : x - y, w); break;
	case GLLM_S_FMUL: v = of_float(w == 32 ? (float)x * (float)y : x * y, w); break;
	case GLLM_S_FDIV: v = of_float(w == 32 ? (float)x / (float)y : x / y, w); break;
	case GLLM_S_FMIN: v = low(x < y ? a : b, w); break;
	case GLLM_S_FMAX: v = low(x > y ? a : b, w); break;
	case GLLM_S_FSQRT: v = of_float(w == 32 ? sqrtf((float)x) : sqrt(x), w); break;
	case GLLM_S_FRINT: v = of_float(rounded(x, r->imm), w); break;
	case GLLM_S_FMA: v = of_float(fused(x, y, z, w), w); break;
	case GLLM_S_FMS: v = of_float(fused(x, y, -z, w), w); break;
	case GLLM_S_FNMA: v = of_float(fused(-x, y, z, w), w); break;
	case GLLM_S_FNMS: v = of_float(fused(-x, y, -z, w), w); break;
	case GLLM_S_FMASK: v = float_condition(r->cc, x, y) ? low(~UINT64_C(0), w) : 0; break;
	case GLLM_S_BLEND: v = low(get(m, r->c) >> (w - 1) & 1 ? a : b, w); break;
	case GLLM_S_I2F: v = of_float(w == 32 ? (float)sign(a, (unsigned)r->imm) : (double)sign(a, (unsigned)r->imm), w); break;
	case GLLM_S_F2I: v = to_integer(trunc(x), (unsigned)r->imm); break;
	case GLLM_S_F2IN: v = to_integer(rint(x), (unsigned)r->imm); break;
	case GLLM_S_F2F: v = of_float(as_float(a, (unsigned)r->imm), w); break;
	case GLLM_S_NOP: return;
	default: m->outside = true; return;
	}
	if (r->d == GLLM_LOC_FLAGS)
		m->flags = (struct flags){ .op = GLLM_S_MOV };
	else if (r->d < GLLM_LOC_COUNT)
		set(m, r->d, v, r->op == GLLM_S_F2I || r->op == GLLM_S_F2IN ? (unsigned)r->imm : r->w);
}

/* --- the CPU's side ------------------------------------------------------------------------------------------------- */

static unsigned char *code;

static size_t emit(size_t at, unsigned row, struct gllm_operand a, struct gllm_operand b)
{
	struct gllm_insn in = { .row = (uint16_t)row, .n = 2, .op = { a, b } };

	return at + gllm_x86_encode(&in, code + at);
}

static size_t emit1(size_t at, unsigned row, struct gllm_operand a, unsigned n)
{
	struct gllm_insn in = { .row = (uint16_t)row, .n = (uint8_t)n, .op = { a } };

	return at + gllm_x86_encode(&in, code + at);
}

static struct gllm_operand field(unsigned base, size_t offset, unsigned bits)
{
	return x86_mem(base, GLLM_NO_REG, 0, (int64_t)offset, bits);
}

/* f(struct state *): loads registers, compares rax with rbx, runs the instruction, stores registers and flags. r15 holds the
 * state throughout; rsp is the caller's. */
static void build(const unsigned char *insn, size_t n)
{
	static const unsigned char saved[6] = { X86_RBX, X86_RBP, X86_R12, X86_R13, X86_R14, X86_R15 };
	static const unsigned char flags[2] = { 0x9c, 0x58 }; /* pushfq; pop rax */
	size_t at = 0;

	for (unsigned i = 0; i < 6; i++)
		at = emit1(at, X86_PUSH_R, x86_gpr(saved[i], 64), 1);
	at = emit(at, X86_MOV_RM, x86_gpr(X86_R15, 64), x86_gpr(X86_RDI, 64));
	for (unsigned i = 0; i < 16; i++)
		at = emit(at, X86_MOVUPS_RM, x86_vec(i, 128), field(X86_R15, offsetof(struct state, v[i]), 128));
	for (unsigned i = 0; i < 15; i++)
		if (i != X86_RSP)
			at = emit(at, X86_MOV_RM, x86_gpr(i, 64), field(X86_R15, offsetof(struct state, r[i]), 64));
	at = emit(at, X86_CMP_MR, x86_gpr(X86_RAX, 64), x86_gpr(X86_RBX, 64));
	memcpy(code + at, insn, n);
	at += n;
	for (unsigned i = 0; i < 15; i++)
		if (i != X86_RSP)
			at = emit(at, X86_MOV_MR, field(X86_R15, offsetof(struct state, r[i]), 64), x86_gpr(i, 64));
	memcpy(code + at, flags, 2);
	at = emit(at + 2, X86_MOV_MR, field(X86_R15, offsetof(struct state, flags), 64), x86_gpr(X86_RAX, 64));
	for (unsigned i = 0; i < 16; i++)
		at = emit(at, X86_MOVUPS_MR, field(X86_R15, offsetof(struct state, v[i]), 128), x86_vec(i, 128));
	for (unsigned i = 6; i-- > 0;)
		at = emit1(at, X86_POP_R, x86_gpr(saved[i], 64), 1);
	emit1(at, X86_RET, x86_gpr(0, 64), 0);
}

static uint64_t have(void)
{
	uint64_t f = 0;

	__builtin_cpu_init();
	f |= __builtin_cpu_supports("sse4.1") ? GLLM_BIT(GLLM_X86_SSE41) | GLLM_BIT(GLLM_X86_SSSE3) | GLLM_BIT(GLLM_X86_SSE3) : 0;
	f |= __builtin_cpu_supports("avx") ? GLLM_BIT(GLLM_X86_AVX) : 0;
	f |= __builtin_cpu_supports("avx2") ? GLLM_BIT(GLLM_X86_AVX2) : 0;
	f |= __builtin_cpu_supports("fma") ? GLLM_BIT(GLLM_X86_FMA) : 0;
	f |= __builtin_cpu_supports("bmi") ? GLLM_BIT(GLLM_X86_BMI1) : 0;
	f |= __builtin_cpu_supports("bmi2") ? GLLM_BIT(GLLM_X86_BMI2) : 0;
	return f;
}

static uint64_t hostile(void)
{
	static const float f[] = { 0.0f, -0.0f, 1.0f, -1.0f, 0.5f, 2.5f, -1.5f, 1e30f, -1e-40f, 3e9f, INFINITY, -INFINITY, NAN };
	static const double d[] = { 0.0, -0.0, 1.0, -2.5, 0.5, 1e300, 5e-324, 3e9, -1e19, INFINITY, NAN };
	uint64_t x = draw(NULL), v = x;

	switch (x >> 8 & 7) {
	case 0: return x & 0x1f;
	case 1: return (uint64_t)-(int64_t)(x & 0x1f);
	case 2: case 3: return of_float(f[(x >> 16) % (sizeof f / sizeof f[0])], 32) | x >> 32 << 32;
	case 4: return of_float(d[(x >> 16) % (sizeof d / sizeof d[0])], 64);
	case 5: return of_float((double)(int64_t)x / 1099511627776.0, 32);
	case 6: return of_float((double)(int64_t)x / 1099511627776.0, 64);
	default: return v;
	}
}

/* Registers the frame needs are not the instruction's; memory is [rsi + d] within the data. */
static bool tame(struct gllm_insn *in)
{
	for (unsigned i = 0; i < in->n; i++) {
		struct gllm_operand *o = &in->op[i];
		if (o->kind == GLLM_O_REL)
			return false;
		if (o->kind == GLLM_O_REG && o->cls == GLLM_R_GPR && (o->reg == X86_RSP || o->reg == X86_R15))
			return false;
		if (o->kind == GLLM_O_REG && o->cls == GLLM_R_GPR && o->reg == X86_RSI && (o->access == 0 || i == 0))
			return false;
		if (o->kind == GLLM_O_MEM && gllm_x86_forms[in->row].sem != SEM_LEA)
			*o = x86_mem(X86_RSI, GLLM_NO_REG, 0, (int64_t)(draw(NULL) % 8) * 32, o->size);
		if (o->kind == GLLM_O_MEM && (o->base == GLLM_REG_PC || o->base == X86_RSP || o->base == X86_R15 ||
		                              o->index == X86_R15))
			return false;
	}
	return true;
}

static bool floats_agree(uint64_t a, uint64_t b, unsigned w)
{
	return low(a, w) == low(b, w) || (w >= 32 && isnan(as_float(a, w)) && isnan(as_float(b, w)));
}

static bool agree(const struct gllm_insn *in, const struct model *m, const struct state *s)
{
	for (unsigned i = 0; i < 15; i++)
		if (i != X86_RSP && m->loc[GLLM_LOC_R0 + i] != s->r[i])
			return printf("register %u: said %llx, is %llx: ", i, (unsigned long long)m->loc[i], (unsigned long long)s->r[i]), false;
	for (unsigned i = 0; i < 16; i++)
		if (!floats_agree(m->loc[GLLM_LOC_V0 + i], s->v[i][0], m->lane[i] < 64 ? 32 : 64))
			return printf("xmm%u: said %llx, is %llx (%u bits): ", i, (unsigned long long)m->loc[GLLM_LOC_V0 + i],
			              (unsigned long long)s->v[i][0], (unsigned)m->lane[i]), false;
	if (memcmp(m->data, s->data, DATA))
		return printf("memory: "), false;
	for (unsigned cc = 0; cc < 16; cc++) {
		struct gllm_insn jump = { .row = X86_JCC, .n = 2, .op = { x86_cond(cc), x86_rel(0) } };
		struct gllm_sem_op_rec meaning[GLLM_SEM_MAX];
		struct gllm_sem sem = { .op = meaning };
		int said;
		gllm_x86_meaning(&jump, &sem);
		said = condition(&m->flags, sem.op[0].cc, sem.op[0].fcc);
		if (gllm_x86_forms[in->row].sem == SEM_BT && cc != X86_B && cc != X86_AE)
			continue; /* it leaves the carry, and compilers ask for nothing else */
		if (said >= 0 && said != cpu_condition(s->flags, cc))
			return printf("condition %u: said %d: ", cc, said), false;
	}
	return true;
}

/* 1 agreed, 0 not, -1 not tried */
static int instance(unsigned row, uint64_t features)
{
	const struct x86_draw r = { draw, NULL };
	static struct state s;
	static unsigned char data[DATA];
	struct model m = { .data = data, .base = (uint64_t)(uintptr_t)s.data };
	struct gllm_insn in;
	struct gllm_sem_op_rec meaning[GLLM_SEM_MAX];
	struct gllm_sem sem = { .op = meaning };
	unsigned char bytes[16];
	char text[128];
	size_t n;

	x86_random_insn(&r, row, &in);
	in.addr = 0;
	if (!tame(&in) || gllm_x86_meaning(&in, &sem) != GLLM_OK || (gllm_x86_features(&in) & ~features))
		return -1;
	n = gllm_x86_encode(&in, bytes);
	if (n == 0)
		return -1;
	for (unsigned i = 0; i < 16; i++) {
		m.loc[i] = s.r[i] = hostile();
		m.loc[GLLM_LOC_V0 + i] = s.v[i][0] = hostile();
		s.v[i][1] = hostile();
		m.lane[i] = 64;
	}
	s.r[X86_RSI] = m.loc[X86_RSI] = m.base;
	if (gllm_x86_forms[row].sem == SEM_DIV) /* a quotient that does not fit traps */
		s.r[X86_RDX] = m.loc[X86_RDX] = row == X86_IDIV && s.r[X86_RAX] >> 31 & 1 ? UINT32_MAX : 0;
	for (unsigned i = 0; i < DATA; i += 8) {
		uint64_t v = hostile();
		memcpy(s.data + i, &v, 8);
	}
	memcpy(data, s.data, DATA);
	m.flags = (struct flags){ GLLM_S_CMP, 64, m.loc[X86_RAX], m.loc[X86_RBX] };
	for (unsigned i = 0; i < sem.n; i++)
		evaluate(&m, &sem.op[i]);
	if (m.outside)
		return -1;
	build(bytes, n);
	{
		union { unsigned char *bytes; void (*run)(struct state *); } f = { code };
		f.run(&s);
	}
	if (agree(&in, &m, &s))
		return 1;
	gllm_x86_text(&in, text, sizeof text);
	printf("%s\n", text);
	return 0;
}

int main(int argc, char **argv)
{
	unsigned count = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 0) : 200, passed = 0, failed = 0, rows = 0;
	uint64_t features = have();

	seed = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;
	code = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (code == MAP_FAILED)
		return perror("mmap"), 1;
	for (unsigned row = 0; row < X86_ROWS; row++) {
		unsigned sem = gllm_x86_forms[row].sem, before = passed;
		if (sem == SEM_NONE || sem == SEM_TRAP || sem == SEM_JMP || sem == SEM_CALL || sem == SEM_RET || sem == SEM_PUSH ||
		    sem == SEM_POP || sem == SEM_LEAVE || sem == SEM_JCC)
			continue;
		for (unsigned i = 0; i < count; i++) {
			int ok = instance(row, features);
			passed += ok > 0;
			failed += ok == 0;
		}
		rows += passed > before;
	}
	printf("meanings of %u rows against the CPU\n%u passed, %u failed\n", rows, passed, failed);
	return failed != 0;
}
#endif
