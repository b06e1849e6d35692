/* SPDX-License-Identifier: MIT
 * tests/diff/a64_sem.c - hosted, AArch64 Linux (a CPU or qemu-aarch64): what lift.c says against what the machine does.
 *
 * Random instances of every row with a meaning run once on the machine, from random registers, flags and memory, and
 * once as micro-operations in the evaluator here. All registers, flags and the memory touched must agree.
 *   a64_sem N SEED      last line `N passed, N failed` */
#define _GNU_SOURCE
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include "arch/aarch64/form.h"
#include "core/bits.h"

struct machine { /* offsets are known to the assembly below */
	uint64_t x[32];              /* 31: sp */
	uint64_t nzcv, taken, host_sp, unused;
	uint64_t v[32][2];
};
_Static_assert(offsetof(struct machine, v) == 288, "assembly");

/* x26 returns, x27 is where the code lies, x28 the machine: instances never use these three. The code ends in a jump to
 * x26, or to x26 + 4 if it branched. */
void a64_run(struct machine *m, void *code);
__asm__(".text\n.globl a64_run\na64_run:\n"
	"stp x19, x20, [sp, #-176]!\n stp x21, x22, [sp, #16]\n stp x23, x24, [sp, #32]\n stp x25, x26, [sp, #48]\n"
	"stp x27, x28, [sp, #64]\n stp x29, x30, [sp, #80]\n"
	"stp d8, d9, [sp, #96]\n stp d10, d11, [sp, #112]\n stp d12, d13, [sp, #128]\n stp d14, d15, [sp, #144]\n"
	"mov x28, x0\n mov x27, x1\n adr x26, 1f\n"
	"mov x0, sp\n str x0, [x28, #272]\n ldr x0, [x28, #256]\n msr nzcv, x0\n ldr x0, [x28, #248]\n mov sp, x0\n"
	"add x0, x28, #288\n"
	".irp n, 0,2,4,6,8,10,12,14,16,18,20,22,24,26,28,30\n ldr q\\n, [x0, #16 * \\n]\n .endr\n"
	".irp n, 1,3,5,7,9,11,13,15,17,19,21,23,25,27,29,31\n ldr q\\n, [x0, #16 * \\n]\n .endr\n"
	".irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,29,30\n"
	" ldr x\\n, [x28, #8 * \\n]\n .endr\n"
	"br x27\n"
	"1: b 2f\n mov x27, #1\n b 3f\n2: mov x27, #0\n3: str x27, [x28, #264]\n"
	".irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,29,30\n"
	" str x\\n, [x28, #8 * \\n]\n .endr\n"
	"mov x0, sp\n str x0, [x28, #248]\n mrs x0, nzcv\n str x0, [x28, #256]\n ldr x0, [x28, #272]\n mov sp, x0\n"
	"add x0, x28, #288\n"
	".irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31\n"
	" str q\\n, [x0, #16 * \\n]\n .endr\n"
	"ldp d8, d9, [sp, #96]\n ldp d10, d11, [sp, #112]\n ldp d12, d13, [sp, #128]\n ldp d14, d15, [sp, #144]\n"
	"ldp x29, x30, [sp, #80]\n ldp x27, x28, [sp, #64]\n ldp x25, x26, [sp, #48]\n ldp x23, x24, [sp, #32]\n"
	"ldp x21, x22, [sp, #16]\n ldp x19, x20, [sp], #176\n ret\n");

enum { CODE = 4096, DATA = 1 << 18 };
static unsigned char *code, *data, *shadow; /* data follows code; shadow is the evaluator's copy of data */
static uint64_t state;

static uint64_t random64(void)
{
	uint64_t z = state += UINT64_C(0x9e3779b97f4a7c15);
	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

/* --- the evaluator -------------------------------------------------------------------------------------------------- */

struct eval {
	uint64_t lo[GLLM_LOC_COUNT], hi[GLLM_LOC_COUNT];
	unsigned nzcv;         /* N 8, Z 4, C 2, V 1 */
	bool taken;
	uint64_t target;
	const char *error;
	uint64_t touched[2];
	unsigned ntouched;
};

static uint64_t ones(unsigned n) { return n >= 64 ? ~UINT64_C(0) : (UINT64_C(1) << n) - 1; }

static int64_t sext(uint64_t v, unsigned w)
{
	return (int64_t)(v << (64 - w)) >> (64 - w);
}

static uint64_t read_loc(const struct eval *e, unsigned loc, int64_t imm)
{
	return loc == GLLM_LOC_NONE ? (uint64_t)imm : loc == GLLM_LOC_ZERO ? 0 : e->lo[loc];
}

static unsigned flags_add(uint64_t a, uint64_t b, unsigned carry, unsigned w)
{
	unsigned __int128 wide = (unsigned __int128)(a & ones(w)) + (b & ones(w)) + carry;
	uint64_t r = (uint64_t)wide & ones(w);
	__int128 s = (__int128)sext(a, w) + sext(b, w) + (int)carry;
	return (unsigned)(r >> (w - 1)) << 3 | (r == 0) << 2 | (unsigned)(wide >> w & 1) << 1 | (s != sext(r, w));
}

static double float_of(uint64_t v, unsigned w) { return w == 32 ? (double)gllm_bits_f32((uint32_t)v) : gllm_bits_f64(v); }
static uint64_t bits_of(double v, unsigned w) { return w == 32 ? gllm_f32_bits((float)v) : gllm_f64_bits(v); }

static unsigned flags_float(double a, double b)
{
	return a < b ? 8 : a == b ? 6 : a > b ? 2 : 3;
}

static bool holds_int(unsigned cc, unsigned f)
{
	bool n = f & 8, z = f & 4, c = f & 2, v = f & 1;
	switch (cc) {
	case GLLM_CC_EQ: return z;
	case GLLM_CC_NE: return !z;
	case GLLM_CC_ULT: return !c;
	case GLLM_CC_ULE: return !c || z;
	case GLLM_CC_UGT: return c && !z;
	case GLLM_CC_UGE: return c;
	case GLLM_CC_SLT: return n != v;
	case GLLM_CC_SLE: return z || n != v;
	case GLLM_CC_SGT: return !z && n == v;
	case GLLM_CC_SGE: return n == v;
	case GLLM_CC_SNEG: return n;
	case GLLM_CC_SPOS: return !n;
	case GLLM_CC_OVF: return v;
	case GLLM_CC_NOVF: return !v;
	default: return true;
	}
}

static bool holds_float(unsigned cc, bool lt, bool eq, bool gt)
{
	bool un = !lt && !eq && !gt;
	switch (cc) {
	case GLLM_CC_FOEQ: return eq;
	case GLLM_CC_FUEQ: return eq || un;
	case GLLM_CC_FONE: return lt || gt;
	case GLLM_CC_FUNE: return !eq;
	case GLLM_CC_FOLT: return lt;
	case GLLM_CC_FULT: return lt || un;
	case GLLM_CC_FOLE: return lt || eq;
	case GLLM_CC_FULE: return !gt;
	case GLLM_CC_FOGT: return gt;
	case GLLM_CC_FUGT: return gt || un;
	case GLLM_CC_FOGE: return gt || eq;
	case GLLM_CC_FUGE: return !lt;
	case GLLM_CC_FORD: return !un;
	case GLLM_CC_FUNO: return un;
	default: return true;
	}
}

/* Both readings of a condition must agree on flags that a float comparison can leave. */
static bool holds(struct eval *e, const struct gllm_sem_op_rec *m)
{
	bool as_int = holds_int(m->cc, e->nzcv);
	bool lt = e->nzcv == 8, eq = e->nzcv == 6, gt = e->nzcv == 2, un = e->nzcv == 3;
	if ((lt || eq || gt || un) && holds_float(m->fcc, lt, eq, gt) != as_int)
		e->error = "the two readings of the condition differ";
	return as_int;
}

static double rounded(double v, int64_t mode)
{
	switch (mode) {
	case 1: return floor(v);
	case 2: return ceil(v);
	case 3: return trunc(v);
	case 4: return round(v);
	default: return rint(v);
	}
}

static bool signaling(uint64_t v, unsigned w)
{
	return isnan(float_of(v, w)) && !(v >> (w == 32 ? 22 : 51) & 1);
}

static double min_of(double a, double b, bool max, bool number)
{
	if (isnan(a) || isnan(b))
		return number && !(isnan(a) && isnan(b)) ? (isnan(a) ? b : a) : NAN;
	if (a == 0 && b == 0)
		return max ? (signbit(a) ? b : a) : (signbit(a) ? a : b);
	return (a < b) != max ? a : b;
}

static uint64_t float2(unsigned op, unsigned w, uint64_t a, uint64_t b)
{
	float x = gllm_bits_f32((uint32_t)a), y = gllm_bits_f32((uint32_t)b);
	double p = gllm_bits_f64(a), q = gllm_bits_f64(b);
	switch (op) {
	case GLLM_S_FADD: return w == 32 ? gllm_f32_bits(x + y) : gllm_f64_bits(p + q);
	case GLLM_S_FSUB: return w == 32 ? gllm_f32_bits(x - y) : gllm_f64_bits(p - q);
	case GLLM_S_FMUL: return w == 32 ? gllm_f32_bits(x * y) : gllm_f64_bits(p * q);
	default: return w == 32 ? gllm_f32_bits(x / y) : gllm_f64_bits(p / q);
	}
}

static uint64_t fused(unsigned op, unsigned w, uint64_t a, uint64_t b, uint64_t c)
{
	bool negate_product = op == GLLM_S_FNMA || op == GLLM_S_FNMS, subtract = op == GLLM_S_FMS || op == GLLM_S_FNMS;
	uint64_t sign = UINT64_C(1) << (w - 1);
	a ^= negate_product ? sign : 0;
	c ^= subtract ? sign : 0;
	if (w == 32)
		return gllm_f32_bits(fmaf(gllm_bits_f32((uint32_t)a), gllm_bits_f32((uint32_t)b), gllm_bits_f32((uint32_t)c)));
	return gllm_f64_bits(fma(gllm_bits_f64(a), gllm_bits_f64(b), gllm_bits_f64(c)));
}

static uint64_t to_integer(double v, unsigned w, bool is_signed)
{
	if (isnan(v))
		return 0;
	double limit = ldexp(1.0, (int)(is_signed ? w - 1 : w));
	if (v >= limit)
		return is_signed ? ones(w - 1) : ones(w);
	if (is_signed)
		return v <= -limit ? UINT64_C(1) << (w - 1) : (uint64_t)(int64_t)v & ones(w);
	return v <= 0 ? 0 : (uint64_t)v;
}

static uint64_t half_to(uint64_t a, unsigned w)
{
	__fp16 h;
	uint16_t v = (uint16_t)a;
	memcpy(&h, &v, 2);
	return bits_of((double)h, w);
}

static uint64_t to_half(uint64_t a, unsigned from)
{
	__fp16 h = from == 32 ? (__fp16)gllm_bits_f32((uint32_t)a) : (__fp16)gllm_bits_f64(a);
	uint16_t v;
	memcpy(&v, &h, 2);
	return v;
}

static uint64_t convert(unsigned w, unsigned from, uint64_t a)
{
	if (from == 16)
		return half_to(a, w);
	if (w == 16)
		return to_half(a, from);
	return bits_of(float_of(a, from), w);
}

static uint64_t from_integer(unsigned w, unsigned bits, uint64_t a, bool is_signed)
{
	if (is_signed)
		return w == 32 ? gllm_f32_bits((float)sext(a, bits)) : gllm_f64_bits((double)sext(a, bits));
	return w == 32 ? gllm_f32_bits((float)(a & ones(bits))) : gllm_f64_bits((double)(a & ones(bits)));
}

static unsigned char *memory_at(struct eval *e, uint64_t addr, unsigned bytes)
{
	if (addr < (uintptr_t)data || addr + bytes > (uintptr_t)data + DATA) {
		e->error = "address outside the test's memory";
		return shadow;
	}
	if (e->ntouched < 2)
		e->touched[e->ntouched++] = addr - (uintptr_t)data;
	return shadow + (addr - (uintptr_t)data);
}

static void step(struct eval *e, const struct gllm_sem_op_rec *m)
{
	unsigned w = m->w == 128 ? 64 : m->w;
	bool imm_b = m->b == GLLM_LOC_NONE;
	uint64_t a = read_loc(e, m->a, m->imm), b = read_loc(e, m->b, m->imm), r = 0, hi = 0;
	uint64_t ahi = m->a < GLLM_LOC_COUNT ? e->hi[m->a] : m->a == GLLM_LOC_NONE ? (uint64_t)m->imm : 0;
	uint64_t bhi = m->b < GLLM_LOC_COUNT ? e->hi[m->b] : imm_b ? (uint64_t)m->imm : 0;
	uint64_t c = m->c < GLLM_LOC_COUNT ? e->lo[m->c] : 0, chi = m->c < GLLM_LOC_COUNT ? e->hi[m->c] : 0;
	uint64_t addr = (m->a == GLLM_LOC_NONE ? 0 : a) + (imm_b ? 0 : b << m->scale) + (uint64_t)m->imm;
	unsigned count = (unsigned)b & (w - 1);
	bool wide = m->w == 128, extended = false;
	double x = float_of(a, w), y = float_of(b, w);
	bool number = !signaling(a, w) && !signaling(b, w); /* fminnm passes over quiet NaNs only */
	switch ((enum gllm_sem_op)m->op) {
	case GLLM_S_MOV: r = a; hi = ahi; break;
	case GLLM_S_ADD: r = a + b; break;
	case GLLM_S_SUB: r = a - b; break;
	case GLLM_S_MUL: r = a * b; break;
	case GLLM_S_AND: r = a & b; hi = ahi & bhi; break;
	case GLLM_S_OR: r = a | b; hi = ahi | bhi; break;
	case GLLM_S_XOR: r = a ^ b; hi = ahi ^ bhi; break;
	case GLLM_S_NOT: r = ~a; hi = ~ahi; break;
	case GLLM_S_NEG: r = 0 - a; break;
	case GLLM_S_SHL: r = a << count; break;
	case GLLM_S_SHR: r = (a & ones(w)) >> count; break;
	case GLLM_S_SAR: r = (uint64_t)(sext(a, w) >> count); break;
	case GLLM_S_MULHU: r = (uint64_t)((unsigned __int128)a * b >> 64); break;
	case GLLM_S_MULHS: r = (uint64_t)((__int128)(int64_t)a * (int64_t)b >> 64); break;
	case GLLM_S_UDIV: r = b & ones(w) ? (a & ones(w)) / (b & ones(w)) : 0; break;
	case GLLM_S_SDIV:
		r = !(b & ones(w)) ? 0 : sext(b, w) == -1 ? 0 - a : (uint64_t)(sext(a, w) / sext(b, w));
		break;
	case GLLM_S_SEXT: r = (uint64_t)sext(a, w) & (m->imm == 32 ? ones(32) : ~UINT64_C(0)); extended = true; break;
	case GLLM_S_ZEXT: r = a & ones(w); break;
	case GLLM_S_LOAD:
		memcpy(&r, memory_at(e, addr, m->w / 8), m->w > 64 ? 8 : m->w / 8);
		if (wide)
			memcpy(&hi, memory_at(e, addr, 16) + 8, 8);
		break;
	case GLLM_S_STORE:
		memcpy(memory_at(e, addr, m->w / 8), &c, m->w > 64 ? 8 : m->w / 8);
		if (wide)
			memcpy(memory_at(e, addr, 16) + 8, &chi, 8);
		return;
	case GLLM_S_ADDR: r = addr; break;
	case GLLM_S_CMP: e->nzcv = flags_add(a, ~b, 1, w); return;
	case GLLM_S_CMN: e->nzcv = flags_add(a, b, 0, w); return;
	case GLLM_S_TEST: e->nzcv = flags_add(a & b, 0, 0, w) & 12; return;
	case GLLM_S_FCMP: e->nzcv = flags_float(x, y); return;
	case GLLM_S_CCMP: e->nzcv = holds(e, m) ? flags_add(a, ~b, 1, w) : m->scale; return;
	case GLLM_S_FCCMP: e->nzcv = holds(e, m) ? flags_float(x, y) : m->scale; return;
	case GLLM_S_SELECT: r = holds(e, m) ? a : b; break;
	case GLLM_S_SETCC: r = holds(e, m); break;
	case GLLM_S_FADD: case GLLM_S_FSUB: case GLLM_S_FMUL: case GLLM_S_FDIV: r = float2(m->op, w, a, b); break;
	case GLLM_S_FMINN: r = bits_of(min_of(x, y, false, false), w); break;
	case GLLM_S_FMAXN: r = bits_of(min_of(x, y, true, false), w); break;
	case GLLM_S_FMINNM: r = bits_of(min_of(x, y, false, number), w); break;
	case GLLM_S_FMAXNM: r = bits_of(min_of(x, y, true, number), w); break;
	case GLLM_S_FSQRT: r = w == 32 ? gllm_f32_bits(sqrtf((float)x)) : gllm_f64_bits(sqrt(x)); break;
	case GLLM_S_FNEG: r = a ^ UINT64_C(1) << (w - 1); break;
	case GLLM_S_FABS: r = a & ones(w - 1); break;
	case GLLM_S_FRINT: r = bits_of(rounded(x, m->imm), w); break;
	case GLLM_S_FMA: case GLLM_S_FMS: case GLLM_S_FNMA: case GLLM_S_FNMS: r = fused(m->op, w, a, b, c); break;
	case GLLM_S_FMASK: r = holds_float(m->cc, x < y, x == y, x > y) ? ~UINT64_C(0) : 0; break;
	case GLLM_S_I2F: case GLLM_S_U2F: r = from_integer(w, (unsigned)m->imm, a, m->op == GLLM_S_I2F); break;
	case GLLM_S_F2I: r = to_integer(trunc(x), (unsigned)m->imm, true); extended = true; break;
	case GLLM_S_F2IN: r = to_integer(rint(x), (unsigned)m->imm, true); extended = true; break;
	case GLLM_S_F2U: r = to_integer(trunc(x), (unsigned)m->imm, false); extended = true; break;
	case GLLM_S_F2F: r = convert(m->w, (unsigned)m->imm, a); break;
	case GLLM_S_JUMP: e->taken = true; e->target = (uint64_t)m->imm; return;
	case GLLM_S_BRANCH: e->taken = holds(e, m); e->target = (uint64_t)m->imm; return;
	case GLLM_S_BRZ: e->taken = !(a & ones(w)); e->target = (uint64_t)m->imm; return;
	case GLLM_S_BRNZ: e->taken = a & ones(w); e->target = (uint64_t)m->imm; return;
	case GLLM_S_BRBIT: e->taken = (a >> m->b & 1) == m->scale; e->target = (uint64_t)m->imm; return;
	case GLLM_S_NOP: return;
	case GLLM_S_INSERT: case GLLM_S_FLAGSOF: case GLLM_S_FMIN: case GLLM_S_FMAX: case GLLM_S_CALL: case GLLM_S_RET:
	case GLLM_S_TRAP: case GLLM_S_COUNT:
	default:
		e->error = "a micro-operation this machine has no use for";
		return;
	}
	if (m->d == GLLM_LOC_ZERO)
		return;
	e->lo[m->d] = extended ? r : r & ones(w);
	e->hi[m->d] = wide ? hi : 0;
}

/* --- one instance --------------------------------------------------------------------------------------------------- */

static uint8_t elsewhere(uint8_t reg) { return reg >= 26 && reg <= 28 ? (uint8_t)(reg - 10) : reg; }

/* Off the three registers of the harness, and near its memory. */
static void tame(struct gllm_insn *in)
{
	for (unsigned i = 0; i < in->n; i++) {
		struct gllm_operand *o = &in->op[i];
		if (o->kind == GLLM_O_REG && o->cls == GLLM_R_GPR)
			o->reg = elsewhere(o->reg);
		if (o->kind == GLLM_O_MEM && o->base == GLLM_REG_PC) {
			o->imm = (int64_t)((uintptr_t)data + (random64() & 0xfff0));
		} else if (o->kind == GLLM_O_MEM) {
			o->base = elsewhere(o->base);
			if (o->index != GLLM_NO_REG)
				o->index = elsewhere(o->index);
		}
		if (o->kind == GLLM_O_REL && in->row != A64_ADR && in->row != A64_ADRP)
			o->imm = (int64_t)in->addr + 8;
	}
}

static uint64_t random_value(void)
{
	static const uint64_t odd[] = { 0, 1, 31, 63, 0x7fffffff, 0x80000000, 0xffffffff, UINT64_C(0x8000000000000000),
		UINT64_C(0x7ff0000000000000), UINT64_C(0x7ff8000000000000), UINT64_C(0x3ff0000000000000), 0x3f800000, 0x7f800000,
		0x7fc00000, UINT64_C(0xbf8000003f000000), 0x00400000, 0xc0200000, 0x40600000, 0x3c00 };
	uint64_t r = random64();
	switch (r & 7) {
	case 0: return odd[(r >> 8) % GLLM_COUNT(odd)];
	case 1: return r >> 32;
	case 2: return gllm_f32_bits((float)(int64_t)(r >> 8) * 0x1p-40f);
	case 3: return gllm_f64_bits((double)(int64_t)(r >> 8) * 0x1p-40);
	case 4: return 0 - (r >> 40);
	default: return r;
	}
}

static void prepare(struct machine *m, const struct gllm_insn *in)
{
	for (unsigned i = 0; i < 31; i++)
		m->x[i] = random_value();
	for (unsigned i = 0; i < 32; i++) {
		m->v[i][0] = random_value();
		m->v[i][1] = random64() & 1 ? random_value() : m->v[i][0];
	}
	m->x[31] = (uintptr_t)data + DATA / 2;
	m->nzcv = (random64() & 15) << 28;
	for (unsigned i = 0; i < in->n; i++) {
		const struct gllm_operand *o = &in->op[i];
		if (o->kind != GLLM_O_MEM || o->base == GLLM_REG_PC)
			continue;
		if (o->index < 31)
			m->x[o->index] = o->shift == A64_UXTW || o->shift == A64_SXTW
				? (random64() & ~UINT64_C(0xffffffff)) | (o->shift == A64_UXTW ? random64() & 0xfff
				                                             : (uint32_t)(int32_t)((int64_t)(random64() & 0xfff) - 0x800))
				: (random64() & 0x7ff) - 0x400;
		if (o->base != A64_SP)
			m->x[o->base] = (uintptr_t)data + DATA / 2 + (o->base == o->index ? 0 : random64() & 15);
	}
}

static bool both_nan(uint64_t a, uint64_t b)
{
	if (isnan(gllm_bits_f64(a)) && isnan(gllm_bits_f64(b)))
		return true;
	return a >> 32 == b >> 32 && isnan(gllm_bits_f32((uint32_t)a)) && isnan(gllm_bits_f32((uint32_t)b));
}

static const char *compare(const struct machine *m, const struct eval *e)
{
	for (unsigned i = 0; i < 32; i++)
		if ((i < 26 || i > 28) && m->x[i] != e->lo[GLLM_LOC_R0 + i])
			return "a general register differs";
	for (unsigned i = 0; i < 32; i++)
		if ((m->v[i][0] != e->lo[GLLM_LOC_V0 + i] && !both_nan(m->v[i][0], e->lo[GLLM_LOC_V0 + i])) ||
		    (m->v[i][1] != e->hi[GLLM_LOC_V0 + i]))
			return "a vector register differs";
	if (m->nzcv >> 28 != e->nzcv)
		return "flags differ";
	if ((m->taken != 0) != e->taken)
		return "the branch went the other way";
	if (e->taken && e->target != (uintptr_t)code + 8)
		return "the branch's target differs";
	for (unsigned i = 0; i < e->ntouched; i++) {
		uint64_t from = e->touched[i] < 32 ? 0 : e->touched[i] - 32;
		if (memcmp(data + from, shadow + from, 80))
			return "memory differs";
	}
	return NULL;
}

static const char *try_word(uint32_t word, char *text, size_t size, bool *ran)
{
	struct gllm_insn in;
	struct gllm_sem_op_rec meaning[GLLM_SEM_MAX];
	struct gllm_sem sem = { .op = meaning };
	unsigned char bytes[4];
	*ran = false;
	gllm_put_le32(bytes, word);
	if (gllm_a64_decode(bytes, 4, (uintptr_t)code, &in) != GLLM_OK)
		return NULL;
	tame(&in);
	if (gllm_a64_encode(&in, code) != 4 || gllm_a64_decode(code, 4, (uintptr_t)code, &in) != GLLM_OK ||
	    gllm_a64_meaning(&in, &sem) != GLLM_OK)
		return NULL;
	gllm_a64_text(&in, text, size);
	gllm_put_le32(code + 4, 0xd61f0340);  /* br x26 */
	gllm_put_le32(code + 8, 0x9100135a);  /* add x26, x26, #4 */
	gllm_put_le32(code + 12, 0xd61f0340);
	__builtin___clear_cache((char *)code, (char *)code + 16);
	struct machine m = { 0 };
	prepare(&m, &in);
	struct eval e = { .nzcv = (unsigned)(m.nzcv >> 28) };
	for (unsigned i = 0; i < 32; i++) {
		e.lo[GLLM_LOC_R0 + i] = m.x[i];
		e.lo[GLLM_LOC_V0 + i] = m.v[i][0];
		e.hi[GLLM_LOC_V0 + i] = m.v[i][1];
	}
	for (unsigned i = 0; i < sem.n; i++)
		step(&e, &sem.op[i]);
	if (e.error && !strcmp(e.error, "address outside the test's memory")) { /* sp and a large index: not a matter of meaning */
		memcpy(shadow, data, DATA);
		return NULL;
	}
	*ran = true;
	a64_run(&m, code);
	if ((gllm_a64_info[in.row].sem & 0xff) == A64_SEM_LANE0) { /* nothing is said of the lanes above */
		unsigned d = in.op[0].reg;
		e.lo[GLLM_LOC_V0 + d] = (m.v[d][0] & ~UINT64_C(0xffffffff)) | (uint32_t)e.lo[GLLM_LOC_V0 + d];
		e.hi[GLLM_LOC_V0 + d] = m.v[d][1];
	}
	const char *error = e.error ? e.error : compare(&m, &e);
	if (error)
		memcpy(shadow, data, DATA);
	return error;
}

int main(int argc, char **argv)
{
	unsigned count = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 0) : 20, passed = 0, failed = 0, rows = 0;
	state = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;
	code = mmap(NULL, CODE + DATA, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	shadow = malloc(DATA);
	if (code == MAP_FAILED || !shadow)
		return 2;
	data = code + CODE;
	for (unsigned i = 0; i < DATA; i += 8) {
		uint64_t v = random64();
		memcpy(data + i, &v, 8);
	}
	memcpy(shadow, data, DATA);
	for (unsigned row = 0; row < A64_ROW_COUNT; row++) {
		unsigned shape = gllm_a64_info[row].sem & 0xff, ran = 0;
		if (shape == A64_SEM_NONE || shape == A64_SEM_CALL || shape == A64_SEM_JUMPREG || shape == A64_SEM_RET ||
		    shape == A64_SEM_TRAP || shape == A64_SEM_HINT)
			continue;
		for (unsigned i = 0; i < 20 * count && ran < count; i++) {
			char text[128];
			bool did;
			uint32_t word = gllm_a64_key[row].fixed | ((uint32_t)random64() & ~gllm_a64_key[row].mask);
			const char *error = try_word(word, text, sizeof text, &did);
			ran += did;
			passed += did && !error;
			if (error && failed++ < 40)
				printf("%s: %s\n", text, error);
		}
		rows += ran != 0;
	}
	printf("%u rows with a meaning ran\n%u passed, %u failed\n", rows, passed, failed);
	return failed != 0;
}
