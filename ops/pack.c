/* SPDX-License-Identifier: MIT
 * ops/pack.c - matrices of weights in panels, and products that read them so: THE layout of gllm/pack.h.
 *
 * Panels of `lanes` columns one after another, in each the k rows of its columns; the columns left over are one panel of
 * `rest` columns. n = panels * lanes + rest, and n * k elements in all. */
#include "gllm/ops.h"

void gllm_ref_pack_b(float *restrict p, const float *restrict b, size_t k, size_t panels, size_t lanes, size_t rest)
{
	for (size_t i = 0; i < panels; i++)
		for (size_t j = 0; j < k; j++)
			for (size_t v = 0; v < lanes; v++)
				p[i * lanes * k + j * lanes + v] = b[j * (panels * lanes + rest) + i * lanes + v];
	for (size_t j = 0; j < k; j++)
		for (size_t v = 0; v < rest; v++)
			p[panels * lanes * k + j * rest + v] = b[j * (panels * lanes + rest) + panels * lanes + v];
}

void gllm_ref_pack_bt(float *restrict p, const float *restrict w, size_t k, size_t panels, size_t lanes, size_t rest)
{
	for (size_t i = 0; i < panels; i++)
		for (size_t j = 0; j < k; j++)
			for (size_t v = 0; v < lanes; v++)
				p[i * lanes * k + j * lanes + v] = w[(i * lanes + v) * k + j];
	for (size_t j = 0; j < k; j++)
		for (size_t v = 0; v < rest; v++)
			p[panels * lanes * k + j * rest + v] = w[(panels * lanes + v) * k + j];
}

void gllm_ref_gemm_prepacked(float *restrict c, const float *restrict a, const float *restrict p, size_t m, size_t panels,
                             size_t lanes, size_t rest, size_t k)
{
	for (size_t i = 0; i < m; i++) {
		for (size_t q = 0; q < panels; q++) {
			for (size_t v = 0; v < lanes; v++) {
				float sum = 0.0f;
				for (size_t j = 0; j < k; j++)
					sum += a[i * k + j] * p[q * lanes * k + j * lanes + v];
				c[i * (panels * lanes + rest) + q * lanes + v] = sum;
			}
		}
		for (size_t v = 0; v < rest; v++) {
			float sum = 0.0f;
			for (size_t j = 0; j < k; j++)
				sum += a[i * k + j] * p[panels * lanes * k + j * rest + v];
			c[i * (panels * lanes + rest) + panels * lanes + v] = sum;
		}
	}
}
