/* SPDX-License-Identifier: MIT
 * jit/past.c - see past.h.
 *
 * A store past the caches saves reading the line first and drives nothing out, but who reads it soon waits for memory. Caches
 * that all cores share are told as larger than what a core finds of its own in them, so L2 counts, too. Speed of
 * outputs of so many MiB stored past the caches over that through them, AVX-512, one thread: copy 1: 0.7, 4: 0.9, 16: 1.5, 64: 1.7; add
 * 16: 1.5, 64: 1.6; silu 4: 1.0, 16: 1.2, 64: 1.2. Softmax with its row apart, 128: 1.45.
 *
 * Their loops fetch ahead what they read: the longer an iteration takes, the fewer lines lie within the machine's window, and
 * prefetchers lose a stream at the end of each page. From 128 MiB, AVX-512: relu 1.04 times as fast, exp 1.15, silu 1.35, tanh 2.2,
 * gelu 2.4, RMSNorm 1.2; AVX2: exp 1.2, gelu 1.8. Reductions alone, which read several rows at a time, lost a twentieth. */
#include "jit/past.h"
#include "core/bits.h"
#include "jit/compose_build.h"
#include "jit/rows.h"

enum { OF_SECOND = 8, OF_LAST = 2, LEAST = 8 << 20, FETCH = 512 };

static uint64_t least_bytes(const struct gllm_profile *p, const struct gllm_tuning *t)
{
	uint64_t second = (uint64_t)p->cache[1].bytes * OF_SECOND, last = p->cache[2].bytes / OF_LAST;
	if (t && t->past)
		return t->past == UINT32_MAX ? UINT64_MAX : t->past;
	if (last && last < second)
		second = last;
	return second > LEAST ? second : LEAST;
}

static uint64_t bytes_of(const struct gllm_graph *g, const struct gllm_graph_tensor_entry *x)
{
	return gllm_dim_value(x->rows, g->max_rows) * x->cols * gllm_type_bytes((enum gllm_type)x->type);
}

/* An output of `least` bytes that no node reads, of a kernel that is no product of matrices. */
static bool is_large(const struct gllm_part *part, unsigned q, const struct gllm_graph *g, uint64_t least)
{
	const struct gllm_trace *t = &part->code->trace;
	const struct gllm_source *s = &part->source[q];
	if (t->pattern == GLLM_PATTERN_GEMM || t->param[q].kind != GLLM_OUT || s->kind != GLLM_FROM_TENSOR)
		return false;
	const struct gllm_graph_tensor_entry *x = &g->tensor[s->tensor];
	return x->kind == GLLM_TENSOR_OUTPUT && x->consumers == 0 && bytes_of(g, x) >= least;
}

static uint32_t outputs(const struct gllm_part *part, const struct gllm_graph *g, uint64_t least)
{
	uint32_t set = 0;
	for (unsigned q = 0; q < part->code->trace.nparams; q++)
		if (is_large(part, q, g, least) && gllm_only_store(&part->code->trace, q) != GLLM_NO_NODE)
			set |= UINT32_C(1) << q;
	return set;
}

/* The first innermost loop that reads a tensor of `least` bytes, plus one; 0: none. What later ones read, it has brought. */
static int8_t reading_loop(const struct gllm_part *part, const struct gllm_graph *g, uint64_t least)
{
	const struct gllm_trace *t = &part->code->trace;
	bool streams = t->pattern == GLLM_PATTERN_GEMM || t->pattern == GLLM_PATTERN_REDUCTION;
	uint32_t around = 0;
	for (unsigned i = 0; i < t->nloops; i++)
		around |= t->loop[i].parent < 0 ? 0 : UINT32_C(1) << t->loop[i].parent;
	for (unsigned i = 0; i < t->nnodes && !streams; i++) {
		const struct gllm_node *n = &t->node[i];
		unsigned p = n->op == GLLM_N_LOAD ? t->access[n->imm].param : t->nparams;
		if (p < t->nparams && part->source[p].kind == GLLM_FROM_TENSOR && n->loop >= 0 && !(around >> n->loop & 1) &&
		    bytes_of(g, &g->tensor[part->source[p].tensor]) >= least)
			return (int8_t)(n->loop + 1);
	}
	return 0;
}

enum gllm_status gllm_store_past(const struct gllm_profile *p, bool past, const struct gllm_tuning *tuning,
                                 const struct gllm_graph *g, struct gllm_arena *arena, struct gllm_fusion *f)
{
	uint64_t least = least_bytes(p, tuning);
	for (unsigned i = 0; i < f->ngroups; i++)
		for (unsigned k = 0; k < f->group[i].nparts; k++) {
			struct gllm_part *part = &f->group[i].part[k];
			enum gllm_status s = GLLM_OK;
			for (unsigned q = part->code->trace.nparams; past && q-- > 0 && s == GLLM_OK;)
				if (is_large(part, q, g, least))
					s = gllm_row_apart(p, part, q, f, arena);
			if (s != GLLM_OK)
				return s;
			uint32_t set = outputs(part, g, least);
			int8_t reading = part->code->how.fetch_loop ? 0 : reading_loop(part, g, least);
			if (!set && !reading)
				continue;
			struct gllm_composed *c = gllm_alloc(arena, sizeof *c, 8);
			if (!c)
				return GLLM_OUT_OF_MEMORY;
			*c = *part->code;
			c->how.past = set;
			if (reading) {
				c->how.fetch = FETCH;
				c->how.fetch_loop = reading;
			}
			part->code = c;
		}
	return GLLM_OK;
}
