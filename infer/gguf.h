/* SPDX-License-Identifier: MIT
 * infer/gguf.h - what the readers of a model share. */
#ifndef GLLM_INFER_GGUF_H
#define GLLM_INFER_GGUF_H
#include "gllm/model.h"

/* A name of the file in the form an error record takes; what is not printable ASCII becomes '?'. */
struct gllm_name {
	char text[64];
};
struct gllm_name gllm_name(struct gllm_text t);

bool gllm_text_equal(struct gllm_text a, struct gllm_text b);
struct gllm_text gllm_text(const char *s); /* up to its NUL */

/* Hands out parts of a workspace: sizes are added up first, without memory, then the same code runs with it. */
struct gllm_carve {
	unsigned char *base; /* NULL: count only */
	uint64_t used;
};
void *gllm_carve(struct gllm_carve *c, uint64_t n, uint64_t size); /* n <= 2^32, size <= 2^16; 8-byte aligned */

/* GLLM_INVALID_ARGUMENT or GLLM_OUT_OF_MEMORY unless `workspace` is aligned and holds `need` bytes. */
enum gllm_status gllm_workspace_check(const void *workspace, size_t size, uint64_t need, const char *what,
                                      struct gllm_error *e);

/* Sorts indices by `less` (a strict order), in place, O(n log n) for any input, without recursion. */
typedef bool gllm_less_fn(const void *user, uint32_t a, uint32_t b);
void gllm_sort(uint32_t *v, uint32_t n, gllm_less_fn *less, const void *user);
#endif
