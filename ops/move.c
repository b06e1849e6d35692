/* SPDX-License-Identifier: MIT
 * ops/move.c - elements change their place, not their value. */
#include "gllm/ops.h"

/* Also a change of shape: dense tensors of equal size differ in nothing else. */
void gllm_ref_copy(float *restrict y, const float *restrict x, size_t n)
{
	for (size_t i = 0; i < n; i++)
		y[i] = x[i];
}

void gllm_ref_transpose(float *restrict y, const float *restrict x, size_t rows, size_t cols)
{
	for (size_t j = 0; j < cols; j++)
		for (size_t i = 0; i < rows; i++)
			y[j * rows + i] = x[i * cols + j];
}

/* Rows of a table by number (embeddings). Every index is below the table's number of rows. */
void gllm_ref_gather(float *restrict y, const float *restrict table, const uint32_t *restrict index, size_t n, size_t d)
{
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < d; j++)
			y[i * d + j] = table[index[i] * d + j];
}
