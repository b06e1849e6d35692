/* SPDX-License-Identifier: MIT
 * tests/check_math.c - the scalar math functions and primitives: exact answers at special arguments, stated error at
 * others. Wanted values are correctly rounded, from 300-bit arithmetic. The greatest error over all arguments is
 * measured by tests/diff/math_ulp.c. */
#include "check.h"
#include <limits.h>
#include "core/bits.h"
#include "gllm/ops.h"

struct pair { uint32_t x, want; };

static const struct pair exp_[] = {
	{ 0x3f800000, 0x402df854 }, { 0xbf800000, 0x3ebc5ab2 }, { 0x3f000000, 0x3fd3094c },
	{ 0xbeae147b, 0x3f363694 }, { 0x40700000, 0x422a1597 }, { 0x41200000, 0x46ac14ee },
	{ 0xc1200000, 0x383e6bce }, { 0x42b00000, 0x7ef882b7 }, { 0x42b17213, 0x7f7ffd84 },
	{ 0xc2ae0000, 0x00b33687 }, { 0xc2af0000, 0x006cb2bc }, { 0xc2be0000, 0x00000f64 },
	{ 0xc2cf0000, 0x00000001 }, { 0x2edbe6ff, 0x3f800000 }, { 0xb727c5ac, 0x3f7fff58 },
};
static const struct pair log_[] = {
	{ 0x40000000, 0x3f317218 }, { 0x3f000000, 0xbf317218 }, { 0x3f350481, 0xbeb1735b },
	{ 0x3fb50481, 0x3eb170d5 }, { 0x3f800001, 0x33ffffff }, { 0x3f7ffffe, 0xb4000001 },
	{ 0x41200000, 0x40135d8e }, { 0x2edbe6ff, 0xc1b834f1 }, { 0x7f7fc99e, 0x42b171ab },
	{ 0x0082ab1e, 0xc2aea1bf }, { 0x000116c2, 0xc2b834f2 }, { 0x00000001, 0xc2ce8ed0 },
	{ 0x3f4ccccd, 0xbe647fbd }, { 0x3f99999a, 0x3e3ab283 },
};
static const struct pair tanh_[] = {
	{ 0x1e3ce508, 0x1e3ce508 }, { 0x3c23d70a, 0x3c23d5a4 }, { 0xbe99999a, 0xbe9526ee },
	{ 0x3f1eb852, 0x3f0d16ba }, { 0x3f204189, 0x3f0e279a }, { 0xbf333333, 0xbf1ab7d9 },
	{ 0x3f800000, 0x3f42f7d6 }, { 0x40000000, 0x3f76ca83 }, { 0xc0a00000, 0xbf7ffa0d },
	{ 0x41080000, 0x3f7fffff }, { 0x000116c2, 0x000116c2 },
};
static const struct pair sin_[] = {
	{ 0x1e3ce508, 0x1e3ce508 }, { 0x3dcccccd, 0x3dcc7577 }, { 0xbf48f5c3, 0xbf34f27f },
	{ 0x3f49374c, 0x3f3520d5 }, { 0x3fc90fdb, 0x3f800000 }, { 0x40490fdb, 0xb3bbbd2e },
	{ 0xc0800000, 0x3f41bdcf }, { 0x40c90fdb, 0x343bbd2e }, { 0x42c80000, 0xbf01a12e },
	{ 0xc47a0000, 0xbf53ae61 }, { 0x461c3c00, 0x3f22d698 },
};
static const struct pair cos_[] = {
	{ 0x1e3ce508, 0x3f800000 }, { 0x3dcccccd, 0x3f7eb898 }, { 0xbf48f5c3, 0x3f351765 },
	{ 0x3f49374c, 0x3f34e90d }, { 0x3fc90fdb, 0xb33bbd2e }, { 0x40490fdb, 0xbf800000 },
	{ 0xc0800000, 0xbf275530 }, { 0x40c90fdb, 0x3f800000 }, { 0x42c80000, 0x3f5cc0ee },
	{ 0xc47a0000, 0x3f0ff813 }, { 0x461c3c00, 0xbf4588b7 },
};

#define NAN_BITS 0x7fc00000u
#define INF_BITS 0x7f800000u
#define NEG 0x80000000u
static const struct pair exp_exact[] = {
	{ 0, 0x3f800000 }, { NEG, 0x3f800000 }, { INF_BITS, INF_BITS }, { NEG | INF_BITS, 0 }, { NAN_BITS, NAN_BITS },
	{ 0x42b17218, INF_BITS } /* the least argument that overflows */, { 0x7f7fffff, INF_BITS }, { 0xff7fffff, 0 },
	{ 1, 0x3f800000 }, { NEG | 1, 0x3f800000 }, { 0xc2cff1b5, 0 }, { 0xc2d20000, 0 },
};
static const struct pair log_exact[] = {
	{ 0, NEG | INF_BITS }, { NEG, NEG | INF_BITS }, { INF_BITS, INF_BITS }, { NEG | INF_BITS, NAN_BITS },
	{ NAN_BITS, NAN_BITS }, { 0x3f800000, 0 }, { NEG | 1, NAN_BITS }, { 0xbf800000, NAN_BITS },
};
static const struct pair tanh_exact[] = {
	{ 0, 0 }, { NEG, NEG }, { INF_BITS, 0x3f800000 }, { NEG | INF_BITS, 0xbf800000 }, { NAN_BITS, NAN_BITS },
	{ 1, 1 }, { NEG | 1, NEG | 1 }, { 0x7f7fffff, 0x3f800000 }, { 0x41200000, 0x3f800000 },
};
static const struct pair sin_exact[] = {
	{ 0, 0 }, { NEG, NEG }, { INF_BITS, NAN_BITS }, { NEG | INF_BITS, NAN_BITS }, { NAN_BITS, NAN_BITS }, { 1, 1 }, { NEG | 1, NEG | 1 },
};
static const struct pair cos_exact[] = {
	{ 0, 0x3f800000 }, { NEG, 0x3f800000 }, { INF_BITS, NAN_BITS }, { NAN_BITS, NAN_BITS }, { 1, 0x3f800000 },
};

static bool is_nan(uint32_t u)
{
	return (u & 0x7fffffff) > INF_BITS;
}

static void exact(struct check *t, float (*f)(float), const struct pair *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint32_t got = gllm_f32_bits(f(gllm_bits_f32(p[i].x)));
		CHECK_EQ(t, is_nan(got) ? NAN_BITS : got, p[i].want);
	}
}

static void near(struct check *t, float (*f)(float), const struct pair *p, size_t n, double ulp)
{
	for (size_t i = 0; i < n; i++) {
		float x = gllm_bits_f32(p[i].x), want = gllm_bits_f32(p[i].want), got = f(x);
		if (!CHECK(t, check_ulp(got, want) <= ulp))
			check_print(t, "     at 0x%x got 0x%x, want 0x%x\n", p[i].x, gllm_f32_bits(got), p[i].want);
	}
}

static const struct function {
	float (*f)(float);
	const struct pair *exact, *near;
	size_t nexact, nnear;
	double ulp;
} function[] = {
#define ROW(name, ulp) { gllm_##name##f, name##_exact, name##_, GLLM_COUNT(name##_exact), GLLM_COUNT(name##_), ulp }
	ROW(exp, 1), ROW(log, 1), ROW(tanh, 2), ROW(sin, 2), ROW(cos, 2),
#undef ROW
};

/* Of neighbours of a special value all lie where they should: exp and tanh grow, and never leave their range. */
static void check_shapes(struct check *t)
{
	bool grows = true, ranged = true;
	for (int i = 0; i < 4000; i++) {
		float x = check_float(t, -110.0f, 92.0f), y = x + 0.01f;
		grows &= gllm_expf(x) <= gllm_expf(y) && gllm_tanhf(x) <= gllm_tanhf(y);
		ranged &= gllm_expf(x) >= 0.0f && gllm_tanhf(x) >= -1.0f && gllm_tanhf(x) <= 1.0f;
		ranged &= gllm_bits_f32(gllm_f32_bits(gllm_tanhf(-x)) ^ NEG) == gllm_tanhf(x);
		float s = gllm_sinf(x), c = gllm_cosf(x), one = s * s + c * c;
		ranged &= one > 0.999999f && one < 1.000001f;
	}
	CHECK(t, grows);
	CHECK(t, ranged);
}

static const struct { uint32_t x; int n; uint32_t want; } ldexp_[] = {
	{ 0x3f800000, -149, 0x00000001 }, { 0x3f800000, -150, 0x00000000 }, { 0x3f800001, -150, 0x00000001 },
	{ 0x3fc00000, -149, 0x00000002 }, { 0x3fc00000, -150, 0x00000001 }, { 0x3f800003, -127, 0x00400002 },
	{ 0x3fffffff, -127, 0x00800000 }, { 0x3fffffff, -126, 0x00ffffff }, { 0x00000001, 149, 0x3f800000 },
	{ 0x00000001, 277, 0x7f800000 }, { 0x00000001, 276, 0x7f000000 }, { 0x3f800000, 128, 0x7f800000 },
	{ 0x3f800000, 127, 0x7f000000 }, { 0xbfe00000, -148, 0x80000004 }, { 0x7f7fffff, -276, 0x00000002 },
	{ 0x7f7fffff, -277, 0x00000001 }, { 0x7f7fffff, -278, 0x00000000 }, { 0x00ffffff, -1, 0x00800000 },
	{ 0x40400000, 2147483647, 0x7f800000 }, { 0x40400000, INT_MIN, 0x00000000 }, { 0x80000000, 5, 0x80000000 },
	{ INF_BITS, -1000, INF_BITS }, { NAN_BITS, 3, NAN_BITS },
};
static const struct { uint32_t a, b, c, want; } fma_[] = {
	{ 0x3f800001, 0x3f800001, 0x33000000, 0x3f800002 }, { 0x3f800001, 0x3f800001, 0x33800000, 0x3f800003 },
	{ 0x3f800001, 0x3f7fffff, 0xbf800000, 0x337ffffe }, { 0x3f800001, 0x3f800001, 0xbf800002, 0x28800000 },
	{ 0x00800001, 0x3f000000, 0x00000001, 0x00400002 }, { 0x3f800001, 0x00400001, 0x80000001, 0x00400001 },
	{ 0x60ad78ec, 0x60ad78ec, 0xff61b1e6, 0x7f800000 }, { 0x7f7fffff, 0x40000000, 0xff7fffff, 0x7f7fffff },
	{ 0x3f800000, 0x4b800000, 0x3f800001, 0x4b800001 }, { 0x1fc00000, 0x1fc00000, 0x3f800000, 0x3f800000 },
	{ 0x1fc00000, 0x9fc00000, 0x3f800000, 0x3f800000 }, { 0x1fc00000, 0x1fc00000, 0x00000003, 0x00480003 },
	{ 0x4b000001, 0x3f000000, 0x00000001, 0x4a800001 }, { 0x4b000001, 0x3f800001, 0x80000001, 0x4b000002 },
	{ 0x409735a1, 0x3f34f069, 0xaed5bf6b, 0x4055bf6b }, { 0x3e62e3fe, 0x3e945979, 0xbd037b1b, 0x3d037b1c },
	{ 0x3ec0c740, 0x40ecee4f, 0xbfb26b24, 0x3fb26b23 }, { 0x3e76c823, 0x3fb7b3ae, 0xbeb11647, 0xb21cfe6c },
	{ 0x3eb0051a, 0x41781b3a, 0xaf2a97aa, 0x40aa97aa }, { 0x3e8f105c, 0x3fece0b9, 0xbf0460ab, 0xb2f95b08 },
	{ 0x41656a51, 0x3e790eed, 0xbfdf31c9, 0x3fdf31c9 }, { 0x3efd8be1, 0x3fc93182, 0xbec743dc, 0x3ec743dc },
	{ 0x3e7eb187, 0x412c66d0, 0xc02b8590, 0x33c00f60 }, { 0x3fc4c68c, 0x3e5f66bd, 0xbe2bb7ec, 0x3e2bb7ed },
	{ 0x3f10bdf5, 0x40511eac, 0xae6c78d9, 0x3fec78d9 }, { 0x3f276f35, 0x3ef13d0e, 0xbe1dc7a0, 0x3e1dc79f },
	{ 0x4077c551, 0x3f7220ac, 0xc06a5826, 0xb3969b28 }, { 0x3f80c286, 0x40faab90, 0xc0fc2882, 0x3463b580 },
	/* the sum is next to a tie that double cannot tell from it */
	{ 0x46c2c200, 0x44284000, 0x21800000, 0x4b800001 }, { 0x46c2c200, 0x44284000, 0xa1800000, 0x4b800000 },
	{ 0x40400000, 0x4aaaaaae, 0x21800000, 0x4b800003 }, { 0x40400000, 0x4aaaaaae, 0xa1800000, 0x4b800002 },
	{ 0xc6c2c200, 0x44284000, 0xa1800000, 0xcb800001 }, { 0xc0400000, 0x4aaaaaae, 0x21800000, 0xcb800002 },
	{ INF_BITS, 0x3f800000, 0xff800000, NAN_BITS }, { INF_BITS, 0, 0x3f800000, NAN_BITS },
	{ 0x7f7fffff, 0x7f7fffff, NEG | INF_BITS, NEG | INF_BITS }, { 0, NEG, NEG, NEG }, { 0, NEG, 0, 0 },
};
static const struct pair rint_[] = {
	{ 0x3f000000, 0 }, { 0x3fc00000, 0x40000000 }, { 0x40200000, 0x40000000 }, { 0xbf000000, NEG }, { NEG, NEG },
	{ 0x3effffff, 0 }, { 0x3f000001, 0x3f800000 }, { 0xc0200000, 0xc0000000 }, { 0x4afffffd, 0x4afffffc },
	{ 0x4affffff, 0x4b000000 }, { 0x4b000001, 0x4b000001 }, { INF_BITS, INF_BITS }, { NAN_BITS, NAN_BITS },
	{ 0x7f800001, NAN_BITS }, { 1, 0 }, { NEG | 1, NEG }, { 0xff7fffff, 0xff7fffff },
};
static const struct pair sqrt_[] = {
	{ 0x40800000, 0x40000000 }, { NEG, NEG }, { 0, 0 }, { 0xbf800000, NAN_BITS }, { INF_BITS, INF_BITS },
	{ 0x40000000, 0x3fb504f3 }, { 1, 0x1a3504f3 }, { 0x7f7fffff, 0x5f7fffff },
};
static const struct { uint32_t x; uint16_t f16, bf16; } narrow[] = {
	{ 0x3f800000, 0x3c00, 0x3f80 }, { 0xbf801000, 0xbc00, 0xbf80 } /* tie in f16 */, { 0x3f803000, 0x3c02, 0x3f80 },
	{ 0x3f808000, 0x3c04, 0x3f80 } /* tie in bf16 */, { 0x3f818000, 0x3c0c, 0x3f82 }, { 0x477fefff, 0x7bff, 0x4780 },
	{ 0x477ff000, 0x7c00, 0x4780 }, { 0x7f7fffff, 0x7c00, 0x7f80 }, { 0xff800000, 0xfc00, 0xff80 },
	{ 0x33000000, 0x0000, 0x3300 } /* 2^-25: tie to zero */, { 0x33000001, 0x0001, 0x3300 }, { 0x33c00000, 0x0002, 0x33c0 },
	{ 0x387fe000, 0x0400, 0x3880 } /* up into the normals */, { 0x387fc000, 0x03ff, 0x3880 }, { NEG | 1, 0x8000, 0x8000 },
	{ 0x7f800001, 0x7e00, 0x7fc0 }, { 0xffc00000, 0xfe00, 0xffc0 },
};

static void check_narrow(struct check *t)
{
	unsigned f16 = 0, bf16 = 0;
	for (size_t i = 0; i < GLLM_COUNT(narrow); i++) {
		CHECK_EQ(t, gllm_f32_to_f16(gllm_bits_f32(narrow[i].x)), narrow[i].f16);
		CHECK_EQ(t, gllm_f32_to_bf16(gllm_bits_f32(narrow[i].x)), narrow[i].bf16);
	}
	for (unsigned h = 0; h < 65536; h++) { /* every value comes back; NaN comes back quiet */
		unsigned quiet16 = (h & 0x7fff) > 0x7c00 ? 0x200 : 0, quiet_b = (h & 0x7fff) > 0x7f80 ? 0x40 : 0;
		f16 += gllm_f32_to_f16(gllm_f16_to_f32((uint16_t)h)) != (h | quiet16);
		bf16 += gllm_f32_to_bf16(gllm_bf16_to_f32((uint16_t)h)) != (h | quiet_b);
	}
	CHECK_EQ(t, f16, 0);
	CHECK_EQ(t, bf16, 0);
	CHECK_EQ(t, gllm_f32_bits(gllm_f16_to_f32(1)), 0x33800000);
	CHECK_EQ(t, gllm_f32_bits(gllm_f16_to_f32(0x83ff)), 0xb87fc000);
	CHECK_EQ(t, gllm_f32_bits(gllm_f16_to_f32(0x7bff)), 0x477fe000);
}

/* These have their argument's sign, zeros included: those that were too small, too. */
static void check_signs(struct check *t)
{
	static void (*const activation[])(float *restrict, const float *restrict, size_t) = {
		gllm_ref_silu, gllm_ref_gelu, gllm_ref_gelu_erf,
	};
	static const uint32_t x[] = { 0, 1, 2, 3, 0x00800000, INF_BITS, NEG, NEG | 1, NEG | 2, NEG | 3, 0x80800000, 0xc2f00000,
	                              0xff7fffff, NEG | INF_BITS };
	for (size_t i = 0; i < GLLM_COUNT(activation); i++)
		for (size_t k = 0; k < GLLM_COUNT(x); k++) {
			float from = gllm_bits_f32(x[k]), y;
			activation[i](&y, &from, 1);
			CHECK_EQ(t, gllm_f32_bits(y) & NEG, x[k] & NEG);
		}
}

void check_math(struct check *t)
{
	for (size_t i = 0; i < GLLM_COUNT(function); i++) {
		const struct function *f = &function[i];
		exact(t, f->f, f->exact, f->nexact);
		near(t, f->f, f->near, f->nnear, f->ulp);
	}
	check_shapes(t);
	exact(t, gllm_rintf, rint_, GLLM_COUNT(rint_));
	exact(t, gllm_sqrtf, sqrt_, GLLM_COUNT(sqrt_));
	for (size_t i = 0; i < GLLM_COUNT(ldexp_); i++) {
		uint32_t got = gllm_f32_bits(gllm_ldexpf(gllm_bits_f32(ldexp_[i].x), ldexp_[i].n));
		CHECK_EQ(t, is_nan(got) ? NAN_BITS : got, ldexp_[i].want);
	}
	for (size_t i = 0; i < GLLM_COUNT(fma_); i++) {
		uint32_t got = gllm_f32_bits(
			gllm_fmaf(gllm_bits_f32(fma_[i].a), gllm_bits_f32(fma_[i].b), gllm_bits_f32(fma_[i].c)));
		CHECK_EQ(t, is_nan(got) ? NAN_BITS : got, fma_[i].want);
	}
	check_narrow(t);
	check_signs(t);
}
