/* SPDX-License-Identifier: MIT
 * gllm/pack.h - matrices of weights that are packed once, for products that then pack nothing.
 *
 *     gllm_packing_of(&profile, GLLM_F32, n, k, 0, &packing, &e);
 *     gllm_pack_b(context, &packing, w, true, memory, gllm_packed_bytes(&packing), &e);
 *     gllm_graph_packed(graph, weight, &packing);        bind `memory` in place of w when its plans run
 *
 * Layout, version 1. 64 bytes of header: "GLLMPACK", then little-endian version u32, type u32, lanes u32, zero u32, n u64,
 * k u64, and zeros. Behind it n * k elements of `type` as they were, in panels of `lanes` columns one after another: of each
 * panel row 0 of its columns, row 1, .., row k - 1; the n % lanes columns left over are one narrower panel at the end
 * (gllm_ref_pack_b in ops/pack.c is the definition). B is the matrix of k rows and n columns that a product multiplies by;
 * it may lie as k x n or, as model files have it, n x k: packed both are the same.
 * The layout depends on type, n, k and lanes alone, so bytes packed on one machine serve every machine and plan that asks for
 * those; lanes is what is best for the profile. */
#ifndef GLLM_PACK_H
#define GLLM_PACK_H
#include "gllm/context.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { GLLM_PACKED_VERSION = 1, GLLM_PACKED_ALIGN = 64, GLLM_PACKED_HEADER = 64 };

struct gllm_packing {
	enum gllm_type type; /* F32, F16, BF16 */
	uint32_t lanes;      /* columns of a panel; 0: nothing is packed */
	uint64_t n, k;       /* columns and rows of B */
};

/* The packing of a matrix; lanes 0: as many as the profile's register tile is wide, as tuning's nr says otherwise.
 * Fails: INVALID_ARGUMENT (another type, no elements or more than 2^40, lanes above 4096). */
enum gllm_status gllm_packing_of(const struct gllm_profile *p, enum gllm_type type, uint64_t n, uint64_t k, uint32_t lanes,
                                 struct gllm_packing *out, struct gllm_error *e);

/* Bytes that it fills, header included; 0 for what gllm_packing_of would refuse. */
size_t gllm_packed_bytes(const struct gllm_packing *p);

/* Packs `b`, which lies as k rows of n, or, if `turned`, as n rows of k, into `out`: aligned to 64 bytes, apart from b. All
 * bytes are written by compiled code, shared among the host's workers; the code is given back.
 * Fails: INVALID_ARGUMENT (packing, NULL, alignment), OUT_OF_MEMORY (`bytes` below gllm_packed_bytes: nothing is written),
 * and as gllm_compile. */
enum gllm_status gllm_pack_b(struct gllm_context *c, const struct gllm_packing *p, const void *b, bool turned, void *out,
                             size_t bytes, struct gllm_error *e);

/* Whether memory begins with this packing's header. INVALID_ARGUMENT (NULL, alignment), BAD_MAGIC (packed it is not),
 * BAD_VERSION, FOREIGN (of another type, shape or number of lanes). Plans ask this whenever they run. */
enum gllm_status gllm_packed_check(const struct gllm_packing *p, const void *packed, struct gllm_error *e);

#ifdef __cplusplus
}
#endif
#endif
