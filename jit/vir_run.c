/* SPDX-License-Identifier: MIT
 * jit/vir_run.c - the interpreter of vector IR.
 *
 * Every lane is 32 bits, of halves their lower ones; memory is touched for active lanes only, lane by lane. Integer arithmetic is modulo 2^32. */
#include "core/bits.h"
#include "gllm/ops.h"
#include "jit/vir.h"

enum { STEPS = 0x7fffffff };

struct vm {
	const struct gllm_vir *v;
	unsigned lanes;
	uint64_t *g;
	uint64_t *m;
	uint32_t *lane; /* nregs * lanes */
	uint32_t *label;
};

size_t gllm_vir_run_bytes(const struct gllm_vir *v, unsigned lanes)
{
	return v->nregs * (2 * sizeof(uint64_t) + ((size_t)lanes << v->halves) * sizeof(uint32_t)) + v->nlabels * sizeof(uint32_t);
}

static uint32_t *lanes_of(const struct vm *vm, gllm_vreg r)
{
	return vm->lane + (r == GLLM_NO_VREG ? 0 : (size_t)r * vm->lanes);
}

static float as_float(uint32_t u)
{
	return gllm_bits_f32(u);
}

static uint64_t all_lanes(const struct vm *vm)
{
	return vm->lanes == 64 ? ~UINT64_C(0) : (UINT64_C(1) << vm->lanes) - 1;
}

static uint64_t address_of(const struct vm *vm, const struct gllm_vi *i)
{
	uint64_t a = vm->g[i->a] + (uint64_t)i->imm;
	return i->b == GLLM_NO_VREG ? a : a + (vm->g[i->b] << i->scale);
}

static uint64_t read_bits(uint64_t address, unsigned bytes)
{
	const unsigned char *p = (const unsigned char *)(uintptr_t)address;
	uint64_t u = 0;

	for (unsigned i = 0; i < bytes; i++)
		u |= (uint64_t)p[i] << 8 * i;
	return u;
}

static void write_bits(uint64_t address, unsigned bytes, uint64_t u)
{
	unsigned char *p = (unsigned char *)(uintptr_t)address;

	for (unsigned i = 0; i < bytes; i++)
		p[i] = (unsigned char)(u >> 8 * i);
}

static uint64_t extend(uint64_t u, unsigned mem)
{
	switch ((enum gllm_type)mem) {
	case GLLM_I8:  return (uint64_t)(int64_t)(int8_t)u;
	case GLLM_I16: return (uint64_t)(int64_t)(int16_t)u;
	case GLLM_I32: return (uint64_t)(int64_t)(int32_t)u;
	case GLLM_F32: case GLLM_F16: case GLLM_BF16: case GLLM_U8: case GLLM_U16: case GLLM_U32: case GLLM_I64:
	case GLLM_MASK: case GLLM_TYPE_COUNT:
		break;
	}
	return u;
}

static uint32_t f32_to_i32(float x)
{
	return x >= -2147483648.0f && x < 2147483648.0f ? (uint32_t)(int32_t)x : UINT32_C(0x80000000);
}

static uint32_t load_lane(const struct gllm_vi *i, uint64_t address)
{
	uint64_t u = extend(read_bits(address, gllm_type_bytes((enum gllm_type)i->mem)), i->mem);

	if (i->mem == i->type || i->type != GLLM_F32)
		return (uint32_t)u;
	if (i->mem == GLLM_F16)
		return gllm_f32_bits(gllm_f16_to_f32((uint16_t)u));
	if (i->mem == GLLM_BF16)
		return gllm_f32_bits(gllm_bf16_to_f32((uint16_t)u));
	return gllm_f32_bits((float)(int32_t)u);
}

static void store_lane(const struct gllm_vi *i, uint64_t address, uint32_t u)
{
	if (i->type == GLLM_F32 && i->mem == GLLM_F16)
		u = gllm_f32_to_f16(as_float(u));
	else if (i->type == GLLM_F32 && i->mem == GLLM_BF16)
		u = gllm_f32_to_bf16(as_float(u));
	else if (i->type == GLLM_F32 && i->mem != GLLM_F32)
		u = f32_to_i32(as_float(u));
	write_bits(address, gllm_type_bytes((enum gllm_type)i->mem), u);
}

static uint64_t active(const struct vm *vm, const struct gllm_vi *i)
{
	uint64_t m = i->lanes == 1 ? 1 : all_lanes(vm);
	return i->m == GLLM_NO_VREG ? m : m & vm->m[i->m];
}

/* Bytes as 16-bit elements that fill the vector. */
static void run_load16(struct vm *vm, const struct gllm_vi *i)
{
	uint64_t at = address_of(vm, i);

	for (unsigned k = 0; k < vm->lanes; k++)
		lanes_of(vm, i->d)[k] = (load_lane(i, at + 2 * k) & 0xffff) | load_lane(i, at + 2 * k + 1) << 16;
}

static void run_memory(struct vm *vm, const struct gllm_vi *i)
{
	if (i->op == GLLM_V_VLOAD && (i->type == GLLM_I16 || i->type == GLLM_U16)) {
		run_load16(vm, i);
		return;
	}
	uint64_t at = address_of(vm, i), on = active(vm, i);
	uint32_t *d = lanes_of(vm, i->d), *c = lanes_of(vm, i->c);
	unsigned bytes = gllm_type_bytes((enum gllm_type)i->mem);

	for (unsigned k = 0; k < vm->lanes; k++) {
		if (i->op == GLLM_V_VBCAST)
			d[k] = load_lane(i, at);
		else if (i->op == GLLM_V_VLOAD)
			d[k] = on >> k & 1 ? load_lane(i, at + (uint64_t)k * bytes) : 0;
		else if (on >> k & 1)
			store_lane(i, at + (uint64_t)k * bytes, c[k]);
	}
}

static float from_half(uint32_t u)
{
	return gllm_f16_to_f32((uint16_t)u);
}

static bool less(unsigned type, uint32_t a, uint32_t b)
{
	if (type == GLLM_F32)
		return as_float(a) < as_float(b);
	if (type == GLLM_F16)
		return from_half(a) < from_half(b);
	if (type == GLLM_U32)
		return a < b;
	return (int32_t)a < (int32_t)b;
}

static bool equal(unsigned type, uint32_t a, uint32_t b)
{
	return type == GLLM_F32 ? as_float(a) == as_float(b) : type == GLLM_F16 ? from_half(a) == from_half(b) : a == b;
}

static bool is_nan(unsigned type, uint32_t a)
{
	return !equal(type, a, a);
}

static uint32_t reduce2(unsigned type, int32_t how, uint32_t a, uint32_t b)
{
	bool f = type == GLLM_F32;

	switch ((enum gllm_vred)how) {
	case GLLM_VRED_ADD: return f ? gllm_f32_bits(as_float(a) + as_float(b)) : a + b;
	case GLLM_VRED_MUL: return f ? gllm_f32_bits(as_float(a) * as_float(b)) : a * b;
	case GLLM_VRED_MIN: return less(type, a, b) ? a : b;
	case GLLM_VRED_MAX: return less(type, b, a) ? a : b;
	}
	return 0;
}

static uint32_t float2(unsigned op, float a, float b)
{
	switch (op) {
	case GLLM_V_VADD: case GLLM_V_VADDM: return gllm_f32_bits(a + b);
	case GLLM_V_VSUB: return gllm_f32_bits(a - b);
	case GLLM_V_VMUL: return gllm_f32_bits(a * b);
	case GLLM_V_VDIV: return gllm_f32_bits(a / b);
	case GLLM_V_VMIN: return gllm_f32_bits(a < b ? a : b);
	default:          return gllm_f32_bits(a > b ? a : b);
	}
}

static uint32_t shift_right(uint32_t a, unsigned n)
{
	return (uint32_t)((int64_t)(int32_t)a >> n);
}

/* Exponents beyond these give 0 or infinity all the same. */
static float scale(float a, float b)
{
	return b != b ? a + b : gllm_ldexpf(a, b > 1000.0f ? 1000 : b < -1000.0f ? -1000 : (int)b);
}


static int32_t byte_of(uint32_t word, unsigned type, unsigned k)
{
	return type == GLLM_I8 ? (int8_t)(word >> 8 * k) : (uint8_t)(word >> 8 * k);
}

static int32_t bytes_dot(const struct gllm_vi *i, uint32_t a, uint32_t b)
{
	int32_t sum = 0;
	for (unsigned k = 0; k < 4; k++)
		sum += byte_of(a, i->mem, k) * byte_of(b, (unsigned)i->aux, k);
	return sum;
}

static uint32_t word_dot(const struct gllm_vi *i, uint32_t a, uint32_t b, uint32_t c)
{
	if (i->type != GLLM_F32)
		return c + (uint32_t)bytes_dot(i, a, b);
	return gllm_f32_bits(as_float(c) + (as_float(a << 16) * as_float(b << 16) +
	                                    as_float(a & 0xffff0000) * as_float(b & 0xffff0000)));
}

/* Of halves: through F32, which rounds no tie of theirs away. */
static uint32_t run_half(const struct gllm_vi *i, uint32_t a, uint32_t b)
{
	switch (i->op) {
	case GLLM_V_VMIN: return less(GLLM_F16, a, b) ? a : b;
	case GLLM_V_VMAX: return less(GLLM_F16, b, a) ? a : b;
	case GLLM_V_VNEG: return a ^ 0x8000;
	case GLLM_V_VABS: return a & 0x7fff;
	case GLLM_V_VSQRT: return gllm_f32_to_f16(gllm_sqrtf(from_half(a)));
	default: return gllm_f32_to_f16(as_float(float2(i->op, from_half(a), from_half(b))));
	}
}

/* One lane of everything whose lanes do not look at each other. */
static uint32_t run_lane(const struct gllm_vi *i, uint32_t a, uint32_t b, uint32_t c)
{
	bool f = i->type == GLLM_F32;

	if (i->type == GLLM_F16 && i->op != GLLM_V_VMOV)
		return run_half(i, a, b);
	if ((i->op == GLLM_V_VFMA || i->op == GLLM_V_VFNMA) && i->mem == GLLM_F16) {
		a = gllm_f32_bits(from_half(a));
		b = gllm_f32_bits(from_half(b));
	}
	switch (i->op) {
	case GLLM_V_VMOV: return a;
	case GLLM_V_VADD: case GLLM_V_VADDM: return f ? float2(i->op, as_float(a), as_float(b)) : a + b;
	case GLLM_V_VSUB: return f ? float2(i->op, as_float(a), as_float(b)) : a - b;
	case GLLM_V_VMUL: return f ? float2(i->op, as_float(a), as_float(b)) : a * b;
	case GLLM_V_VDIV: return float2(i->op, as_float(a), as_float(b));
	case GLLM_V_VMIN: return f ? float2(i->op, as_float(a), as_float(b)) : less(i->type, a, b) ? a : b;
	case GLLM_V_VMAX: return f ? float2(i->op, as_float(a), as_float(b)) : less(i->type, b, a) ? a : b;
	case GLLM_V_VSQRT: return gllm_f32_bits(gllm_sqrtf(as_float(a)));
	case GLLM_V_VNEG: return f ? a ^ UINT32_C(0x80000000) : 0 - a;
	case GLLM_V_VABS: return f ? a & 0x7fffffff : (int32_t)a < 0 ? 0 - a : a;
	case GLLM_V_VRINT: return gllm_f32_bits(gllm_rintf(as_float(a)));
	case GLLM_V_VLDEXP: return gllm_f32_bits(gllm_ldexpf(as_float(a), (int)(int32_t)b));
	case GLLM_V_VSCALE: case GLLM_V_VSCALEM: return gllm_f32_bits(scale(as_float(a), as_float(b)));
	case GLLM_V_VFMA: return gllm_f32_bits(gllm_fmaf(as_float(a), as_float(b), as_float(c)));
	case GLLM_V_VFNMA: return gllm_f32_bits(gllm_fmaf(-as_float(a), as_float(b), as_float(c)));
	case GLLM_V_VDOT: return word_dot(i, a, b, c);
	case GLLM_V_VCOPYSIGN: return (a & UINT32_C(0x7fffffff)) | (b & UINT32_C(0x80000000));
	case GLLM_V_VAND: return a & b;
	case GLLM_V_VOR: return a | b;
	case GLLM_V_VXOR: return a ^ b;
	case GLLM_V_VANDN: return ~a & b;
	case GLLM_V_VSHLI: return i->imm > 31 ? 0 : a << i->imm;
	case GLLM_V_VSHRI: return i->imm > 31 ? 0 : a >> i->imm;
	case GLLM_V_VSARI: return shift_right(a, i->imm > 31 ? 31u : (unsigned)i->imm);
	case GLLM_V_VCVT: return !f ? f32_to_i32(as_float(a)) : gllm_f32_bits(i->mem == GLLM_U32 ? (float)a : (float)(int32_t)a);
	case GLLM_V_VCVTN: return f32_to_i32(gllm_rintf(as_float(a)));
	default: return 0;
	}
}

static bool compare_lane(const struct gllm_vi *i, uint32_t a, uint32_t b)
{
	switch (i->op) {
	case GLLM_V_VLT: return less(i->type, a, b);
	case GLLM_V_VLE: return less(i->type, a, b) || equal(i->type, a, b);
	case GLLM_V_VEQ: return equal(i->type, a, b);
	default:         return is_nan(i->type, a) || is_nan(i->type, b);
	}
}

static void run_reduce(struct vm *vm, const struct gllm_vi *i)
{
	uint32_t *d = lanes_of(vm, i->d), *a = lanes_of(vm, i->a);
	uint32_t t[GLLM_VIR_LANES];

	for (unsigned k = 0; k < vm->lanes; k++)
		t[k] = a[k];
	for (unsigned n = vm->lanes / 2; n > 0; n /= 2)
		for (unsigned k = 0; k < n; k++)
			t[k] = reduce2(i->type, i->aux, t[k], t[k + n]);
	for (unsigned k = 0; k < vm->lanes; k++)
		d[k] = t[0];
}

/* Level l: each source holds 2^l vectors in order, lanes >> l partial results of each; the result holds both sources'. */
static void run_pair(struct vm *vm, const struct gllm_vi *i)
{
	uint32_t *d = lanes_of(vm, i->d);
	const uint32_t *source[2] = { lanes_of(vm, i->a), lanes_of(vm, i->b) };
	uint32_t t[GLLM_VIR_LANES];
	unsigned half = vm->lanes / 2;

	for (unsigned s = 0; s < 2; s++)
		for (unsigned k = 0; k < half; k++)
			t[s * half + k] = reduce2(i->type, i->aux, source[s][2 * k], source[s][2 * k + 1]);
	for (unsigned k = 0; k < vm->lanes; k++)
		d[k] = t[k];
}

static void run_vector(struct vm *vm, const struct gllm_vi *i)
{
	uint32_t *d = lanes_of(vm, i->d);
	const uint32_t *a = lanes_of(vm, i->a), *b = lanes_of(vm, i->b),
	               *c = lanes_of(vm, i->c);

	for (unsigned k = 0; k < vm->lanes; k++) {
		switch (gllm_vir_info[i->op].abc[0]) {
		case '-': d[k] = 0; break;
		case 'g': d[k] = (uint32_t)vm->g[i->a] + (i->op == GLLM_V_VINDEX ? k : 0); break;
		case 'm': d[k] = vm->m[i->a] >> k & 1 ? b[k] : c[k]; break;
		default:
			if (i->op == GLLM_V_VADDM && !(vm->m[i->m] >> k & 1)) {
				d[k] = a[k];
				break;
			}
			d[k] = run_lane(i, a[k], i->b == GLLM_NO_VREG ? 0 : b[k], i->c == GLLM_NO_VREG ? 0 : c[k]);
			if (i->op == GLLM_V_VSCALEM && !(vm->m[i->m] >> k & 1))
				d[k] = i->imm ? UINT32_C(0x80000000) : 0;
		}
	}
}

static void run_mask(struct vm *vm, const struct gllm_vi *i)
{
	uint64_t *m = vm->m, r = 0;
	const uint32_t *a = lanes_of(vm, i->a), *b = lanes_of(vm, i->b);

	switch (i->op) {
	case GLLM_V_MAND: r = m[i->a] & m[i->b]; break;
	case GLLM_V_MOR:  r = m[i->a] | m[i->b]; break;
	case GLLM_V_MXOR: r = m[i->a] ^ m[i->b]; break;
	case GLLM_V_MNOT: r = ~m[i->a]; break;
	case GLLM_V_MTAIL:
		r = vm->g[i->a] >= vm->lanes ? all_lanes(vm) : (UINT64_C(1) << vm->g[i->a]) - 1;
		break;
	default:
		for (unsigned k = 0; k < vm->lanes; k++)
			r |= (uint64_t)(compare_lane(i, a[k], b[k]) != (i->aux == GLLM_VIR_NOT)) << k;
	}
	m[i->d] = r & all_lanes(vm);
}

static void run_integer(struct vm *vm, const struct gllm_vi *i)
{
	uint64_t *g = vm->g;
	uint64_t a = i->a < vm->v->nregs ? g[i->a] : 0, b = i->b < vm->v->nregs ? g[i->b] : 0, imm = (uint64_t)i->imm, r = 0;

	switch (i->op) {
	case GLLM_V_GCONST: r = imm; break;
	case GLLM_V_GMOV: r = a; break;
	case GLLM_V_GADD: r = a + b; break;
	case GLLM_V_GSUB: r = a - b; break;
	case GLLM_V_GMUL: r = a * b; break;
	case GLLM_V_GADDI: r = a + imm; break;
	case GLLM_V_GMULI: r = a * imm; break;
	case GLLM_V_GSHLI: r = a << (imm & 63); break;
	case GLLM_V_GSHRI: r = a >> (imm & 63); break;
	case GLLM_V_GANDI: r = a & imm; break;
	case GLLM_V_GMIN: r = (int64_t)a < (int64_t)b ? a : b; break;
	case GLLM_V_GMAX: r = (int64_t)a > (int64_t)b ? a : b; break;
	case GLLM_V_GDIVI: r = imm ? a / imm : 0; break;
	case GLLM_V_GLOAD: r = extend(read_bits(address_of(vm, i), gllm_type_bytes((enum gllm_type)i->mem)), i->mem); break;
	default: break;
	}
	g[i->d] = r;
}

static bool taken(const struct vm *vm, const struct gllm_vi *i)
{
	int64_t a, b;

	if (i->op == GLLM_V_JUMP)
		return true;
	a = (int64_t)vm->g[i->a];
	b = i->op == GLLM_V_BRANCH ? (int64_t)vm->g[i->b] : i->aux;
	switch ((enum gllm_vcc)i->cc) {
	case GLLM_VCC_EQ: return a == b;
	case GLLM_VCC_NE: return a != b;
	case GLLM_VCC_LT: return a < b;
	case GLLM_VCC_LE: return a <= b;
	case GLLM_VCC_GT: return a > b;
	case GLLM_VCC_GE: return a >= b;
	}
	return false;
}

/* The lane of a and b behind each other that VZIP puts into lane k. */
static unsigned zipped(const struct gllm_vi *i, unsigned k, unsigned lanes)
{
	unsigned second = i->imm & 1, of = k & 1 ? lanes : 0;

	switch (i->imm / 2) {
	case 0: return of + (k & ~3u) + k % 4 / 2 + 2 * second;
	case 1: return (k / 4 * 2 + second) * 4 + k % 4;
	case 2: return of + k / 2 + second * lanes / 2;
	case 3: return 2 * k + second;
	default: return (k / 2 * 2 + second) * 2 + k % 2;
	}
}

static void run_move(struct vm *vm, const struct gllm_vi *i)
{
	const uint32_t *a = vm->lane + (size_t)i->a * vm->lanes, *b = vm->lane + (size_t)i->b * vm->lanes;
	uint32_t r[GLLM_VIR_LANES];

	for (unsigned k = 0; k < vm->lanes; k++) {
		unsigned from = i->op == GLLM_V_VZIP ? zipped(i, k, vm->lanes) : vm->lane[(size_t)i->c * vm->lanes + k];
		r[k] = from < vm->lanes ? a[from] : b[from % vm->lanes];
	}
	for (unsigned k = 0; k < vm->lanes; k++)
		vm->lane[(size_t)i->d * vm->lanes + k] = r[k];
}

static void run_tile(struct vm *vm, const struct gllm_vi *i)
{
	const uint32_t *a = lanes_of(vm, i->a), *b = lanes_of(vm, i->b), *c = lanes_of(vm, i->c);
	uint32_t r[GLLM_VIR_LANES];

	for (unsigned k = 0; k < vm->lanes; k++) {
		const uint32_t *row = a + k / 4 * 4 + (k & 2), *column = b + k / 4 * 4 + (k & 1) * 2;
		r[k] = word_dot(i, row[1], column[1], word_dot(i, row[0], column[0], c[k]));
	}
	for (unsigned k = 0; k < vm->lanes; k++)
		lanes_of(vm, i->d)[k] = r[k];
}

static void run_widen(struct vm *vm, const struct gllm_vi *i)
{
	const uint32_t *a = lanes_of(vm, i->a);
	uint32_t r[GLLM_VIR_LANES];

	for (unsigned k = 0; k < vm->lanes; k++) {
		unsigned e = k + (unsigned)i->imm * vm->lanes;
		uint16_t u = (uint16_t)(a[e / 2] >> 16 * (e % 2));
		r[k] = i->mem == GLLM_F16 ? gllm_f32_bits(gllm_f16_to_f32(u)) : i->mem == GLLM_BF16 ? (uint32_t)u << 16 :
		       (uint32_t)extend(u, i->mem);
	}
	for (unsigned k = 0; k < vm->lanes; k++)
		lanes_of(vm, i->d)[k] = r[k];
}

static void run_quad(struct vm *vm, const struct gllm_vi *i)
{
	for (unsigned k = 0; k < vm->lanes; k++)
		lanes_of(vm, i->d)[k] = (uint32_t)read_bits(address_of(vm, i) + k % (i->op == GLLM_V_VQUAD ? 4 : 2) * 4, 4);
}

static void run_other(struct vm *vm, const struct gllm_vi *i)
{
	switch (gllm_vir_info[i->op].d[0]) {
	case 'g': run_integer(vm, i); break;
	case 'm': run_mask(vm, i); break;
	case 'v':
		if (i->op == GLLM_V_VREDUCE)
			run_reduce(vm, i);
		else if (i->op == GLLM_V_VHPAIR)
			run_pair(vm, i);
		else if (i->op == GLLM_V_VZIP || i->op == GLLM_V_VPICK)
			run_move(vm, i);
		else if (i->op == GLLM_V_VTILE)
			run_tile(vm, i);
		else if (i->op == GLLM_V_VQUAD || i->op == GLLM_V_VPAIR)
			run_quad(vm, i);
		else if (i->op == GLLM_V_VWIDEN)
			run_widen(vm, i);
		else if (i->op == GLLM_V_VLANE0)
			for (unsigned k = vm->lanes; k-- > 0;)
				vm->lane[(size_t)i->d * vm->lanes + k] = vm->lane[(size_t)i->a * vm->lanes];
		else
			run_vector(vm, i);
		break;
	default: break;
	}
}

enum gllm_status gllm_vir_run(const struct gllm_vir *v, unsigned lanes, const void *args, void *shared, void *worker,
                              uint64_t begin, uint64_t end, void *workspace)
{
	struct vm vm = { .v = v, .lanes = lanes << v->halves, .g = workspace };
	unsigned pc = 0;

	if (lanes == 0 || vm.lanes > GLLM_VIR_LANES || (lanes & (lanes - 1)) || v->status != GLLM_OK)
		return GLLM_INVALID_ARGUMENT;
	vm.m = vm.g + v->nregs;
	vm.lane = (uint32_t *)(void *)(vm.m + v->nregs);
	vm.label = vm.lane + (size_t)v->nregs * vm.lanes;
	for (unsigned i = 0; i < v->n; i++)
		if (v->ins[i].op == GLLM_V_LABEL)
			vm.label[v->ins[i].imm] = i;
	vm.g[GLLM_VIR_ARGS] = (uint64_t)(uintptr_t)args;
	vm.g[GLLM_VIR_SHARED] = (uint64_t)(uintptr_t)shared;
	vm.g[GLLM_VIR_WORKER] = (uint64_t)(uintptr_t)worker;
	vm.g[GLLM_VIR_BEGIN] = begin;
	vm.g[GLLM_VIR_RANGE_END] = end;
	for (uint32_t step = 0; pc < v->n; step++) {
		const struct gllm_vi *i = &v->ins[pc++];
		if (step == STEPS)
			return GLLM_RUNTIME_ERROR;
		switch (i->op) {
		case GLLM_V_RET: return GLLM_OK;
		case GLLM_V_JUMP: case GLLM_V_BRANCH: case GLLM_V_BRANCHI:
			if (taken(&vm, i))
				pc = vm.label[i->imm];
			break;
		case GLLM_V_VLOAD: case GLLM_V_VSTORE: case GLLM_V_VBCAST: run_memory(&vm, i); break;
		case GLLM_V_GSTORE:
			write_bits(address_of(&vm, i), gllm_type_bytes((enum gllm_type)i->mem), vm.g[i->c]);
			break;
		default: run_other(&vm, i); break;
		}
	}
	return GLLM_RUNTIME_ERROR;
}
