/* SPDX-License-Identifier: MIT
 * tests/check_yardstick.c - the hand-written kernels that compiled code is measured against agree with the scalar
 * definitions. Nothing else calls them. */
#include "check.h"
#include "core/arena.h"
#include "core/bits.h"
#include "gllm/ops.h"

typedef void gemm_fn(float *c, size_t ldc, const float *a, const float *b, size_t k);

enum { MAX_MR = 14, MAX_NR = 32, MAX_K = 64, LDC = 39 };

struct product {
	float a[MAX_K * MAX_MR + 8], b[MAX_K * MAX_NR], rows[MAX_MR * MAX_K], c[MAX_MR * LDC], want[MAX_MR * MAX_NR];
};

/* Sums of products of small integers are exact in any order. */
static void gemm(struct check *t, struct product *r, gemm_fn *fn, size_t mr, size_t nr)
{
	for (size_t k = 2; k <= MAX_K; k += k < 8 ? 2 : 14) {
		unsigned wrong = 0;
		for (size_t i = 0; i < k * mr; i++)
			r->a[i] = (float)check_below(t, 17) - 8.0f;
		for (size_t i = 0; i < k * nr; i++)
			r->b[i] = (float)check_below(t, 17) - 8.0f;
		for (size_t p = 0; p < k; p++)
			for (size_t i = 0; i < mr; i++)
				r->rows[i * k + p] = r->a[p * mr + i];
		for (size_t i = 0; i < mr * LDC; i++)
			r->c[i] = (float)i;
		gllm_ref_gemm(r->want, r->rows, r->b, mr, nr, k);
		fn(r->c, LDC, r->a, r->b, k);
		for (size_t i = 0; i < mr * LDC; i++)
			wrong += r->c[i] != (float)i + (i % LDC < nr ? r->want[i / LDC * nr + i % LDC] : 0.0f);
		CHECK_EQ(t, wrong, 0);
	}
}

#if defined __aarch64__

gemm_fn gllm_yard_gemm_8x12;
void gllm_yard_gemv_q8_k(float *y, const uint8_t *w, const float *x, size_t rows, size_t blocks);
void gllm_yard_gemv_q4_k(float *y, const uint8_t *w, const float *x, size_t rows, size_t blocks);

enum { BLOCK = 256, MAX_ROWS = 5, MAX_BLOCKS = 3 };

struct room {
	struct product product;
	float x[MAX_BLOCKS * BLOCK], y[MAX_ROWS + 1], w[MAX_BLOCKS * BLOCK];
	uint8_t blocks[MAX_ROWS * MAX_BLOCKS * 292];
};

typedef void gemv_fn(float *y, const uint8_t *w, const float *x, size_t rows, size_t blocks);
typedef void dequant_fn(float *restrict y, const uint8_t *restrict x, size_t blocks);

/* Bytes of the blocks are random, halves and floats in them are moderate numbers. */
static void gemv(struct check *t, struct room *r, gemv_fn *fn, dequant_fn *dequant, size_t bytes)
{
	for (size_t blocks = 1; blocks <= MAX_BLOCKS; blocks++) {
		for (size_t i = 0; i < MAX_ROWS * blocks * bytes; i++)
			r->blocks[i] = (uint8_t)check_random(t);
		for (size_t i = 0; i < MAX_ROWS * blocks; i++) {
			uint8_t *p = &r->blocks[i * bytes];
			if (bytes == 292) {
				gllm_put_le32(p, gllm_f32_bits(check_float(t, -0.01f, 0.01f)));
			} else {
				p[1] = 0x2c | (p[1] & 0x83);
				p[3] = 0x2c | (p[3] & 0x83);
			}
		}
		for (size_t i = 0; i < blocks * BLOCK; i++)
			r->x[i] = check_float(t, -1.0f, 1.0f);
		r->y[MAX_ROWS] = 7.0f;
		fn(r->y, r->blocks, r->x, MAX_ROWS, blocks);
		CHECK(t, r->y[MAX_ROWS] == 7.0f);
		for (size_t row = 0; row < MAX_ROWS; row++) {
			double sum = 0, size = 0;
			dequant(r->w, &r->blocks[row * blocks * bytes], blocks);
			for (size_t i = 0; i < blocks * BLOCK; i++) {
				double p = (double)r->w[i] * (double)r->x[i];
				sum += p;
				size += p < 0 ? -p : p;
			}
			double d = (double)r->y[row] - sum;
			CHECK(t, (d < 0 ? -d : d) <= 4e-6 * size);
		}
	}
}

void check_yardstick(struct check *t)
{
	struct gllm_arena arena;
	size_t size;
	void *memory = check_memory(t, &size);
	const struct gllm_profile *p = check_profile(t);
	struct room *r;

	gllm_arena_init(&arena, memory, size);
	r = gllm_alloc(&arena, sizeof *r, 64);
	if (!p->vector_bytes || p->strict_align || !CHECK(t, r != NULL)) {
		check_skip(t, "no vectors, or alignment counts");
		return;
	}
	gemm(t, &r->product, gllm_yard_gemm_8x12, 8, 12);
	gemv(t, r, gllm_yard_gemv_q8_k, gllm_ref_dequant_q8_k, 292);
	gemv(t, r, gllm_yard_gemv_q4_k, gllm_ref_dequant_q4_k, 144);
}

#elif defined __x86_64__

gemm_fn gllm_yard_gemm_6x16, gllm_yard_gemm_14x32;

void check_yardstick(struct check *t)
{
	struct gllm_arena arena;
	size_t size;
	void *memory = check_memory(t, &size);
	uint64_t have = check_profile(t)->have;
	gllm_arena_init(&arena, memory, size);
	struct product *r = gllm_alloc(&arena, sizeof *r, 64);
	if (!CHECK(t, r != NULL))
		return;
	if (have >> GLLM_X86_AVX2 & have >> GLLM_X86_FMA & 1)
		gemm(t, r, gllm_yard_gemm_6x16, 6, 16);
	else
		check_skip(t, "no AVX2 with fused multiply-add");
	if (have >> GLLM_X86_AVX512F & 1)
		gemm(t, r, gllm_yard_gemm_14x32, 14, 32);
	else
		check_skip(t, "no AVX-512");
}

#else

void check_yardstick(struct check *t)
{
	check_skip(t, "this machine has no hand-written kernels");
}

#endif
