/* SPDX-License-Identifier: MIT
 * bench/maps/fused.h - products of matrices with bias and activation, compiled here and by oneDNN; chains of maps. */
#ifndef BENCH_FUSED_H
#define BENCH_FUSED_H
#include <stdbool.h>
#include <stddef.h>

enum product_kind { PRODUCT_BARE, PRODUCT_GELU, PRODUCT_SILU, PRODUCTS };

struct product { /* c[m*n] = activation(a[m*k] * b[k*n] + bias[n]); bare: only the product */
	enum product_kind kind;
	size_t m, n, k;
	const float *a, *b, *bias;
	float *c;
};

bool dnnl_prepare_product(const struct product *q); /* false: built without oneDNN's headers */
bool dnnl_run_product(const struct product *q);

struct gllm_context;
/* Products fused with bias and activation beside bare ones and oneDNN's; a chain of five maps beside one map. */
bool bench_fused(struct gllm_context *c, unsigned rounds);

/* y[n], a[n], b[n], c[n] */
void bench_one_map(float *restrict y, const float *restrict a, const float *restrict b, const float *restrict c, size_t n);
#endif
