/* SPDX-License-Identifier: MIT
 * jit/pack.c - weights packed once: sizes, the header, and packing by a plan of one node (gllm/pack.h). */
#include "gllm/pack.h"
#include "core/bits.h"
#include "gllm/graph.h"
#include "jit/context.h"
#include "jit/graph.h"

enum { MOST_LANES = 4096, AT_VERSION = 8, AT_TYPE = 12, AT_LANES = 16, AT_N = 24, AT_K = 32 }; /* bytes of the header */
static const uint64_t most_elements = UINT64_C(1) << 40;
static const char magic[AT_VERSION] = { 'G', 'L', 'L', 'M', 'P', 'A', 'C', 'K' };

static bool sound(const struct gllm_packing *p)
{
	uint64_t all;
	return (p->type == GLLM_F32 || p->type == GLLM_F16 || p->type == GLLM_BF16) && p->lanes && p->lanes <= MOST_LANES &&
	       p->n && p->k && gllm_mul_ok(p->n, p->k, &all) && all <= most_elements;
}

enum gllm_status gllm_packing_of(const struct gllm_profile *p, enum gllm_type type, uint64_t n, uint64_t k, uint32_t lanes,
                                 struct gllm_packing *out, struct gllm_error *e)
{
	struct gllm_packing made = { type, lanes ? lanes : gllm_blocking(p, 1, n, k, sizeof(float)).nr, n, k };
	if (!sound(&made))
		return gllm_fail(e, GLLM_INVALID_ARGUMENT, "packed are 1..2^40 elements of F32, F16 or BF16, at most 4096 columns a panel",
		                 "", 0, n, k);
	*out = made;
	return GLLM_OK;
}

size_t gllm_packed_bytes(const struct gllm_packing *p)
{
	return sound(p) ? GLLM_PACKED_HEADER + (size_t)(p->n * p->k * gllm_type_bytes(p->type)) : 0;
}

static void put_header(const struct gllm_packing *p, unsigned char *h)
{
	for (unsigned i = 0; i < GLLM_PACKED_HEADER; i++)
		h[i] = i < AT_VERSION ? (unsigned char)magic[i] : 0;
	gllm_put_le32(h + AT_VERSION, GLLM_PACKED_VERSION);
	gllm_put_le32(h + AT_TYPE, (uint32_t)p->type);
	gllm_put_le32(h + AT_LANES, p->lanes);
	gllm_put_le64(h + AT_N, p->n);
	gllm_put_le64(h + AT_K, p->k);
}

enum gllm_status gllm_packed_named(const struct gllm_packing *p, const void *packed, const char *name, struct gllm_error *e)
{
	const unsigned char *h = packed;
	if (!h || ((uintptr_t)h & (GLLM_PACKED_ALIGN - 1)))
		return gllm_fail(e, GLLM_INVALID_ARGUMENT, "packed weights are NULL or not aligned to 64 bytes", name, 0, GLLM_PACKED_ALIGN, 0);
	for (unsigned i = 0; i < AT_VERSION; i++)
		if (h[i] != (unsigned char)magic[i])
			return gllm_fail(e, GLLM_BAD_MAGIC, "these are no packed weights", name, i, (uint64_t)magic[i], h[i]);
	if (gllm_le32(h + AT_VERSION) != GLLM_PACKED_VERSION)
		return gllm_fail(e, GLLM_BAD_VERSION, "packed in another layout", name, AT_VERSION, GLLM_PACKED_VERSION, gllm_le32(h + AT_VERSION));
	if (gllm_le32(h + AT_TYPE) != (uint32_t)p->type)
		return gllm_fail(e, GLLM_FOREIGN, "packed from elements of another type", name, AT_TYPE, (uint64_t)p->type, gllm_le32(h + AT_TYPE));
	if (gllm_le32(h + AT_LANES) != p->lanes)
		return gllm_fail(e, GLLM_FOREIGN, "packed in panels of another width", name, AT_LANES, p->lanes, gllm_le32(h + AT_LANES));
	if (gllm_le64(h + AT_N) != p->n)
		return gllm_fail(e, GLLM_FOREIGN, "packed from a matrix of other columns", name, AT_N, p->n, gllm_le64(h + AT_N));
	if (gllm_le64(h + AT_K) != p->k)
		return gllm_fail(e, GLLM_FOREIGN, "packed from a matrix of other rows", name, AT_K, p->k, gllm_le64(h + AT_K));
	return GLLM_OK;
}

enum gllm_status gllm_packed_check(const struct gllm_packing *p, const void *packed, struct gllm_error *e)
{
	return gllm_packed_named(p, packed, "", e);
}

/* The plan of one node: tensor 0 is written, tensor 1 read. */
static enum gllm_status pack_plan(struct gllm_context *c, const struct gllm_packing *p, bool turned, struct gllm_plan **out,
                                  struct gllm_error *e)
{
	struct gllm_graph *g;
	enum gllm_status s = gllm_graph_create(c, "pack", 1, 2, 1, &g, e);
	if (s != GLLM_OK)
		return s;
	gllm_tensor to = gllm_graph_tensor(g, GLLM_TENSOR_OUTPUT, p->type, 1, p->n * p->k, "packed"),
	            from = gllm_graph_tensor(g, GLLM_TENSOR_WEIGHT, p->type, turned ? p->n : p->k, turned ? p->k : p->n, "weights");
	const struct gllm_actual actual[] = { GLLM_T(to), GLLM_T(from), GLLM_D(p->k), GLLM_D(p->n / p->lanes), GLLM_D(p->lanes),
	                                      GLLM_D(p->n % p->lanes) };
	gllm_graph_node(g, turned ? GLLM_OP_pack_bt : GLLM_OP_pack_b, 1, actual, GLLM_COUNT(actual));
	s = gllm_graph_status(g, e);
	if (s == GLLM_OK)
		s = gllm_compile(c, g, NULL, out, e);
	gllm_graph_free(c, g);
	return s;
}

enum gllm_status gllm_pack_b(struct gllm_context *c, const struct gllm_packing *p, const void *b, bool turned, void *out,
                             size_t bytes, struct gllm_error *e)
{
	unsigned char *to = out;
	struct gllm_plan *plan;
	if (!sound(p) || !b || !out || ((uintptr_t)out & (GLLM_PACKED_ALIGN - 1)))
		return gllm_fail(e, GLLM_INVALID_ARGUMENT, "packing needs a packing, weights, and memory aligned to 64 bytes", "", 0,
		                 GLLM_PACKED_ALIGN, 0);
	if (bytes < gllm_packed_bytes(p))
		return gllm_fail(e, GLLM_OUT_OF_MEMORY, "the packed weights do not fit", "", 0, gllm_packed_bytes(p), bytes);
	enum gllm_status s = pack_plan(c, p, turned, &plan, e);
	if (s != GLLM_OK)
		return s;
	size_t size = gllm_plan_workspace(plan);
	void *workspace = size ? gllm_heap_alloc(&c->heap, size) : NULL;
	union { const void *read; void *bind; } from = { b };
	void *bind[] = { to + GLLM_PACKED_HEADER, from.bind };
	if (size && !workspace)
		s = gllm_fail(e, GLLM_OUT_OF_MEMORY, "the context's heap cannot hold what packing needs", "", 0, size, 0);
	else
		s = gllm_plan_run(plan, bind, 1, workspace, e);
	if (s == GLLM_OK)
		put_header(p, to);
	if (workspace)
		gllm_heap_free(&c->heap, workspace);
	gllm_plan_free(c, plan);
	return s;
}
