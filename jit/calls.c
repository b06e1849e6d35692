/* SPDX-License-Identifier: MIT
 * jit/calls.c - operators as C functions: a kernel with all dims read at run time, and an entry of C convention. */
#include "gllm/calls.h"
#include "core/bits.h"
#include "core/target.h"
#include "jit/context.h"
#include "jit/pieces.h"
#include "jit/retype.h"

enum { LIMIT_BITS = 31 }; /* sizes are below 2^31 */

struct filler {
	struct gllm_context *c;
	const struct gllm_op_entry *op;
	enum gllm_type type;
	struct gllm_error *e;
};

/* The operator's trace for elements of the type, as what gllm_compile_trace takes. */
static enum gllm_status typed_trace(struct filler *f, unsigned op, struct gllm_arena *arena, struct gllm_composed **out)
{
	uint8_t type[GLLM_MAX_PARAMS];
	const struct gllm_trace *t;
	const char *why = NULL;
	struct gllm_composed *made = gllm_alloc(arena, sizeof *made, 8);
	enum gllm_status s = gllm_op_trace(f->c, op, &t, f->e);
	if (s != GLLM_OK)
		return s;
	if (!made)
		return gllm_fail(f->e, GLLM_OUT_OF_MEMORY, "compile scratch is too small", f->op->name, 0, 0, 0);
	for (unsigned i = 0; i < f->op->nparams; i++) {
		const struct gllm_param *p = &f->op->param[i];
		type[i] = (uint8_t)(p->kind < GLLM_DIM && p->type == GLLM_F32 ? f->type : p->type);
	}
	s = gllm_retype(t, type, arena, &t, &why);
	if (s != GLLM_OK)
		return gllm_fail(f->e, s, why ? why : "compile scratch is too small", f->op->name, 0, 0, 0);
	*made = (struct gllm_composed){ .trace = *t };
	*out = made;
	return GLLM_OK;
}

/* Copies the constants to memory that stays. */
static enum gllm_status keep_pool(struct filler *f, const struct gllm_kernel *k, uint64_t *address)
{
	unsigned char *pool = gllm_heap_alloc(&f->c->heap, k->pool_bytes ? k->pool_bytes : 1);
	if (!pool)
		return gllm_fail(f->e, GLLM_OUT_OF_MEMORY, "the context's heap cannot hold the constants", f->op->name, 0, 0,
		                 k->pool_bytes);
	for (size_t i = 0; i < k->pool_bytes; i++)
		pool[i] = k->pool[i];
	*address = (uint64_t)(uintptr_t)pool;
	return GLLM_OK;
}

static enum gllm_status emit_entry(struct filler *f, const struct gllm_kernel *k, uint64_t pool, gllm_any_fn **out)
{
	const struct gllm_exec_memory *x = &f->c->host.code;
	size_t offset = (size_t)gllm_round_up(f->c->code_used, 16);
	if (offset > x->size)
		offset = x->size;
	struct gllm_code code = { .base = x->write + offset, .size = x->size - offset };
	struct gllm_entry entry = { f->op->param, f->op->nparams, pool, 0, (int64_t)k->offset - (int64_t)offset };
	if (k->tile)
		entry.units = ((UINT64_C(1) << LIMIT_BITS) + k->tile - 1) / k->tile;
	f->c->target->entry(&entry, &code);
	enum gllm_status s = code.status;
	if (s == GLLM_OK && x->publish)
		s = x->publish(x->user, offset, code.used);
	if (s != GLLM_OK)
		return gllm_fail(f->e, s, "the entry of a compiled operator", f->op->name, offset, x->size, offset + code.used);
	f->c->code_used = offset + code.used;
	union { const unsigned char *data; gllm_any_fn *fn; } at = { x->exec + offset };
	*out = at.fn;
	return GLLM_OK;
}

/* For good: kernel and entry. */
static enum gllm_status keep_code(struct filler *f, const struct gllm_kernel *k)
{
	struct gllm_kernel both = { .offset = k->offset, .bytes = (uint32_t)(f->c->code_used - k->offset) };
	struct gllm_piece *piece = gllm_piece_add(f->c, NULL, 0, &both);
	if (!piece)
		return gllm_fail(f->e, GLLM_OUT_OF_MEMORY, "the context's heap cannot hold what is known of a function", f->op->name, 0, 0, 0);
	piece->users = 1;
	return GLLM_OK;
}

static enum gllm_status fill_one(struct filler *f, unsigned op, gllm_any_fn **out)
{
	struct gllm_arena arena = f->c->scratch;
	struct gllm_composed *t = NULL;
	struct gllm_kernel k;
	uint64_t pool = 0;
	f->op = &f->c->op[op];
	enum gllm_status s = typed_trace(f, op, &arena, &t);
	if (s == GLLM_OK)
		s = gllm_compile_trace(f->c, t, f->op->name, 0, NULL, &arena, &k, f->e);
	if (arena.high > f->c->scratch.high)
		f->c->scratch.high = arena.high;
	if (s == GLLM_OK)
		s = keep_pool(f, &k, &pool);
	if (s == GLLM_OK)
		s = emit_entry(f, &k, pool, out);
	return s == GLLM_OK ? keep_code(f, &k) : s;
}

static enum gllm_status cannot_compile(const struct gllm_context *c)
{
	if (!c->target)
		return GLLM_NO_BACK_END;
	if (!c->profile.vector_bytes)
		return GLLM_NO_FEATURE;
	return c->host.code.write && c->host.code.exec ? GLLM_OK : GLLM_NO_EXEC_MEMORY;
}

enum gllm_status gllm_calls_check(const struct gllm_context *c, struct gllm_error *e)
{
	return gllm_check_vectors(c, gllm_vector_bytes(c), "compiled functions", e);
}

enum gllm_status gllm_calls_fill(struct gllm_context *c, unsigned types, struct gllm_calls *out, struct gllm_error *e)
{
	static const enum gllm_type type[] = { GLLM_F32, GLLM_F16, GLLM_BF16 };
	gllm_any_fn **table[] = { out->f32.any, out->f16.any, out->bf16.any };
	struct filler f = { .c = c, .e = e };
	enum gllm_status s = GLLM_OK, cannot = cannot_compile(c);
	uint64_t start = gllm_now(c);
	if (cannot == GLLM_OK)
		cannot = gllm_calls_check(c, NULL);
	if (types == 0 || types >> 3)
		return gllm_fail(e, GLLM_INVALID_ARGUMENT, "types are GLLM_CALLS_F32, _F16 and _BF16", "", 0, 7, types);
	for (unsigned k = 0; k < 3; k++)
		for (unsigned i = 0; i < GLLM_OP_COUNT; i++)
			table[k][i] = NULL;
	for (unsigned k = 0; k < 3; k++) {
		f.type = type[k];
		for (unsigned i = 0; i < GLLM_OP_COUNT && (types >> k & 1); i++) {
			enum gllm_status one = GLLM_OK;
			if (cannot == GLLM_OK)
				one = fill_one(&f, i, &table[k][i]);
			else if (f.type == GLLM_F32)
				table[k][i] = gllm_op_info[i].ref;
			else
				one = gllm_fail(f.e, cannot, "functions of half types need compiled code", gllm_op_info[i].name, 0, 0, 0);
			if (s == GLLM_OK && one != GLLM_OK) {
				s = one;
				f.e = NULL; /* the first failure is told */
			}
		}
	}
	c->stats.compile_ns += gllm_now(c) - start;
	return s;
}
