/* SPDX-License-Identifier: MIT
 * tests/check_dequant.c - decoders of block formats, bit for bit.
 *
 * Against ggml's output for whole blocks (tests/golden/dequant.def; all golden blocks: tests/diff/dequant.c), and against
 * arithmetic of this file for what those blocks do not hold: every half-precision scale, every code of the 4-bit floats,
 * the formats ggml does not have. */
#include "check.h"
#include "core/bits.h"
#include "gllm/ops.h"

enum { MOST_ELEMENTS = 256 };

typedef gllm_blocks_fn decoder;

static const struct golden {
	const char *name;
	decoder *decode;
	unsigned elements, bytes;
	uint64_t hash;
	uint32_t some[3];
	const char *block;
} golden[] = {
#define GOLDEN(name, elements, bytes, hash, one, middle, end, block) \
	{ #name, gllm_ref_dequant_##name, elements, bytes, hash, { one, middle, end }, block },
#include "golden/dequant.def"
#undef GOLDEN
};

static unsigned nibble(char c)
{
	return (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10);
}

static uint64_t fnv(const float *y, unsigned n)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);
	for (unsigned i = 0; i < n; i++)
		for (unsigned k = 0; k < 32; k += 8)
			h = (h ^ (gllm_f32_bits(y[i]) >> k & 255)) * UINT64_C(0x100000001b3);
	return h;
}

/* The same block three times, at an odd address: every block is decoded alike and nothing else is written. */
static void check_golden(struct check *t, const struct golden *g, float *y, unsigned char *x)
{
	unsigned n = g->elements;
	for (unsigned i = 0; i < 3 * g->bytes; i++) {
		const char *hex = g->block + i % g->bytes * 2;
		x[1 + i] = (unsigned char)(nibble(hex[0]) * 16 + nibble(hex[1]));
	}
	for (unsigned i = 0; i < 4 * n; i++)
		y[i] = 77.0f;
	g->decode(y, x + 1, 0);
	CHECK(t, y[0] == 77.0f);
	g->decode(y, x + 1, 3);
	uint32_t got[3] = { gllm_f32_bits(y[1]), gllm_f32_bits(y[n / 2 + 5]), gllm_f32_bits(y[n - 2]) };
	bool good = fnv(y, n) == g->hash && fnv(y + n, n) == g->hash && fnv(y + 2 * n, n) == g->hash;
	if (!CHECK(t, good && y[3 * n] == 77.0f))
		check_print(t, "     %s: elements 1, middle, end: %08x %08x %08x, want %08x %08x %08x\n", g->name, got[0], got[1],
		            got[2], g->some[0], g->some[1], g->some[2]);
}

static bool same(float got, float want)
{
	return gllm_f32_bits(got) == gllm_f32_bits(want) || (got != got && want != want);
}

static void check_halves(struct check *t, float *y, unsigned char *x)
{
	unsigned wrong = 0;
	for (unsigned i = 2; i < 34; i++)
		x[i] = 1;
	for (unsigned h = 0; h < 65536; h++) {
		gllm_put_le16(x, (uint16_t)h);
		gllm_ref_dequant_q8_0(y, x, 1);
		wrong += !same(y[7], gllm_f16_to_f32((uint16_t)h));
	}
	CHECK_EQ(t, wrong, 0);
}

static void check_q8_1(struct check *t, float *y, unsigned char *x)
{
	bool good = true;
	gllm_put_le16(x, gllm_f32_to_f16(-0.375f));
	for (unsigned i = 2; i < 36; i++)
		x[i] = (unsigned char)(i * 37);
	gllm_ref_dequant_q8_1(y, x, 1);
	for (unsigned i = 0; i < 32; i++)
		good = good && same(y[i], -0.375f * (float)(int8_t)x[4 + i]);
	CHECK(t, good);
}

static void check_small_floats(struct check *t, float *y, unsigned char *x)
{
	static const float value[16] = { 0.0f, 0.5f, 1.0f, 1.5f, 2.0f, 3.0f, 4.0f, 6.0f,
	                                 0.0f, -0.5f, -1.0f, -1.5f, -2.0f, -3.0f, -4.0f, -6.0f };
	bool good = true;
	for (unsigned i = 0; i < 16; i++)
		x[1 + i] = (unsigned char)(i | (15 - i) << 4);
	for (unsigned e = 0; e < 256; e++) {
		x[0] = (unsigned char)e;
		gllm_ref_dequant_mxfp4(y, x, 1);
		/* Twice the value times half the scale, in this order: the scale alone may be denormal. */
		float half = gllm_ldexpf(1.0f, (int)e - 128);
		for (unsigned i = 0; i < 16; i++)
			good = good && same(y[i], value[i] * 2.0f * half) && same(y[16 + i], value[15 - i] * 2.0f * half);
	}
	CHECK(t, good);
	for (unsigned i = 0; i < 32; i++)
		x[4 + i] = (unsigned char)(i % 8 | 0xe0);
	for (unsigned u = 0; u < 256; u++) {
		unsigned e = u >> 3 & 15, m = u & 7;
		float scale = e ? gllm_ldexpf(1.0f + (float)m / 8.0f, (int)e - 7) : gllm_ldexpf((float)m, -9);
		scale = u == 0x7f ? 0.0f : scale;
		x[0] = x[1] = x[3] = 0;
		x[2] = (unsigned char)u;
		gllm_ref_dequant_nvfp4(y, x, 1);
		for (unsigned i = 0; i < 8; i++)
			good = good && same(y[32 + i], value[i] * scale) && same(y[40 + i], -4.0f * scale) && y[i] == 0.0f;
	}
	CHECK(t, good);
}

static void check_group4(struct check *t, float *y, unsigned char *x)
{
	bool good = true;
	for (unsigned i = 0; i < 72; i++)
		x[i] = (unsigned char)check_random(t);
	gllm_put_le16(x, gllm_f32_to_f16(0.1875f));
	gllm_put_le16(x + 4, gllm_f32_to_f16(7.5f));
	gllm_ref_dequant_group4(y, x, 1);
	for (unsigned i = 0; i < 128; i++)
		good = good && y[i] == ((float)(x[8 + i / 2] >> i % 2 * 4 & 15) - 7.5f) * 0.1875f;
	CHECK(t, good);
}

static void check_squeeze(struct check *t, float *y, unsigned char *x)
{
	bool good = true;
	for (unsigned round = 0; round < 2; round++) { /* the second with other bytes where none count */
		for (unsigned i = round ? 98 : 0; i < 130; i++)
			x[i] = (unsigned char)check_random(t);
		gllm_put_le16(x, gllm_f32_to_f16(-1.25f));
		gllm_ref_dequant_squeeze(y, x, 1);
		for (unsigned i = 0; i < 256; i++) {
			unsigned q = 0;
			for (unsigned k = 0; k < 3; k++)
				q |= (unsigned)(x[2 + (3 * i + k) / 8] >> (3 * i + k) % 8 & 1) << k;
			good = good && y[i] == -1.25f * (float)((int)q - 4);
		}
	}
	CHECK(t, good);
}

void check_dequant(struct check *t)
{
	size_t size;
	unsigned char *memory = check_memory(t, &size);
	float *y = (float *)(void *)memory;
	unsigned char *x = memory + 4 * MOST_ELEMENTS * sizeof *y;
	for (unsigned i = 0; i < GLLM_COUNT(golden); i++)
		check_golden(t, &golden[i], y, x);
	check_halves(t, y, x);
	check_q8_1(t, y, x);
	check_small_floats(t, y, x);
	check_group4(t, y, x);
	check_squeeze(t, y, x);
}
