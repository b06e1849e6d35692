/* SPDX-License-Identifier: MIT
 * jit/past.c - see past.h.
 *
 * A store past the caches saves reading the line first and drives nothing out, but who reads it soon waits for memory. Caches
 * that all cores share are told as larger than what a core finds of its own in them, so L2 counts, too. Speed of
 * outputs of so many MiB stored past the caches over that through them, AVX-512, one thread: copy 1: 0.7, 4: 0.9, 16: 1.5, 64: 1.7; add
 * 16: 1.5, 64: 1.6; silu 4: 1.0, 16: 1.2, 64: 1.2. Softmax with its row apart, 128: 1.45.
 *
 * Their loops fetch ahead what they read, two pages: the longer an iteration takes, the fewer lines lie within the machine's window, and
 * prefetchers lose a stream at the end of each page. From 128 MiB, AVX-512, half a page: relu 1.04 times as fast, exp 1.15, silu 1.35,
 * tanh 2.2, gelu 2.4, RMSNorm 1.2; AVX2: exp 1.2, gelu 1.8; two pages over half a one: copy 1.09, exp 1.08, silu 1.05, tanh 1.03.
 * Reductions alone, which read several rows at a time, lost a twentieth, but one by one, from 2 KiB a row, AVX-512 and AVX2: dot 1.1 to
 * 1.45 and 1.0 to 1.25, sum 1.05 to 1.1 and 1.1 to 1.25, max 1.05 to 1.15 and 1.2 to 1.5, variance 1.15 to 1.35 and 1.0 to 1.35. The next row in place of the same one, from 128 MiB, AVX-512:
 * softmax 1.17, LayerNorm 1.12, RMSNorm 1.0; into the first cache and not the second (rows of 4 to 64 KiB): RMSNorm 1.04 to 1.1, LayerNorm
 * 1.0 to 1.04, softmax 1.01. Where each pass fetched its part of the next row, in one piece or every so many lines, all three lost: lines
 * come fastest one by one, each beside a store past the caches.
 *
 * All passes at once, each over another row, fetch and store evenly. From 128 MiB, AVX-512, 48 KiB of L1, over the next row in the last
 * pass, rows of 2 to 64 KiB: softmax 1.29 to 1.55; RMSNorm 1.12 up to 8 KiB, but 16 KiB 1.0, 32 KiB 0.9, 64 KiB 0.92; LayerNorm 4 KiB 1.07,
 * but 16 KiB 0.7; lines asked for twice: RMSNorm 1.02 to 1.04, LayerNorm 1.05 (4 KiB), softmax 0.97. What comes from the second cache takes the places of lines that are under way, and prefetches that find none are lost. */
#include "jit/past.h"
#include "core/bits.h"
#include "jit/compose_build.h"
#include "jit/rows.h"

enum { OF_SECOND = 8, OF_LAST = 2, LEAST = 8 << 20, FETCH = 8192 /* bytes */, ROW = 2048 /* bytes */, COPIES = 8, COMPUTES = 8 };

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

/* An output of `least` bytes that no node reads. */
static inline bool is_large(const struct gllm_part *part, unsigned q, const struct gllm_graph *g, uint64_t least)
{
	const struct gllm_trace *t = &part->code->trace;
	const struct gllm_source *s = &part->source[q];
	if (t->param[q].kind != GLLM_OUT || s->kind != GLLM_FROM_TENSOR)
		return false;
	const struct gllm_graph_tensor_entry *x = &g->tensor[s->tensor];
	return x->kind == GLLM_TENSOR_OUTPUT && x->consumers == 0 && bytes_of(g, x) >= least;
}

/* Nothing reads it, and all that is stored there one loop stores, whose stores reach different elements. */
static bool is_stored_once(const struct gllm_trace *t, unsigned param)
{
	int loop = -2;
	for (unsigned i = 0; i < t->nnodes; i++) {
		const struct gllm_node *x = &t->node[i];
		if ((x->op != GLLM_N_LOAD && x->op != GLLM_N_STORE) || t->access[x->imm].param != param)
			continue;
		if (x->op == GLLM_N_LOAD || (loop != -2 && x->loop != loop))
			return false;
		loop = x->loop;
	}
	return loop != -2;
}

static uint32_t outputs(const struct gllm_part *part, const struct gllm_graph *g, uint64_t least)
{
	uint32_t set = 0;
	for (unsigned q = 0; q < part->code->trace.nparams; q++)
		if (is_large(part, q, g, least) && is_stored_once(&part->code->trace, q))
			set |= UINT32_C(1) << q;
	return set;
}

/* Parameters that are tensors of `least` bytes. */
static uint32_t large_params(const struct gllm_part *part, const struct gllm_graph *g, uint64_t least)
{
	uint32_t set = 0;
	for (unsigned p = 0; p < part->code->trace.nparams; p++)
		if (part->source[p].kind == GLLM_FROM_TENSOR && bytes_of(g, &g->tensor[part->source[p].tensor]) >= least)
			set |= UINT32_C(1) << p;
	return set;
}

/* Node n is a load, in an innermost loop, from one of the parameters `large`. */
static bool reads_large(const struct gllm_trace *t, uint32_t large, uint32_t around, unsigned n)
{
	const struct gllm_node *x = &t->node[n];
	unsigned p = x->op == GLLM_N_LOAD ? t->access[x->imm].param : t->nparams;
	return p < t->nparams && (large >> p & 1) && x->loop >= 0 && !(around >> x->loop & 1);
}

/* Bytes by which load n moves on with its loop; 0 if that is not a number, or none. */
static int64_t step_of(const struct gllm_trace *t, const struct gllm_node *n)
{
	const struct gllm_poly at = t->access[n->imm].offset;
	int64_t step = 0;
	for (unsigned i = 0; i < at.count; i++) {
		const struct gllm_term *x = &t->term[at.first + i];
		bool moves = x->sym[0] == GLLM_SYM_LOOP + n->loop || x->sym[1] == GLLM_SYM_LOOP + n->loop;
		if (moves && x->sym[1])
			return 0;
		step = moves ? x->coef : step;
	}
	return step > 0 ? step : 0;
}

/* Rows of an input, each of which passes of its own, that are long and several within the second cache. */
static bool row_ahead(const struct gllm_profile *p, const struct gllm_composed *c, unsigned param)
{
	int64_t row;
	return c->trace.param[param].kind != GLLM_OUT && !gllm_no_row_loop(&c->trace) && gllm_row_stride(c, param, &row) && row >= ROW &&
	       (uint64_t)row <= p->cache[1].bytes / OF_SECOND;
}

/* Of each pass over rows as many turns, of whole bodies of as many copies as there may be: then each can run beside another. Their number; 0. */
static int64_t even_turns(const struct gllm_profile *p, const struct gllm_trace *t)
{
	int64_t body = COPIES * p->vector_bytes / 4, turns = 0;
	for (unsigned i = 1; i < t->nloops; i++) {
		const struct gllm_poly n = t->loop[i].trip;
		if (t->loop[i].parent != 0 || n.count != 1 || t->term[n.first].sym[0] || (i > 1 && t->term[n.first].coef != turns))
			return 0;
		turns = t->term[n.first].coef;
	}
	for (unsigned i = 0; i < t->naccesses; i++)
		if (gllm_type_bytes((enum gllm_type)t->access[i].type) != 4)
			return 0;
	return turns > body && turns % body == 0 ? turns : 0;
}

/* Passes over rows run at once, each over another row, while the first fetches, but not where what the others read would take the places
 * of lines that are fetched: it comes from the second cache, unless the rows at hand fit the first one, or arithmetic spreads it. Where
 * none does, lines are asked for once more. */
static void run_at_once(const struct gllm_profile *p, const struct gllm_composed *c, struct gllm_lower_options *how)
{
	const struct gllm_trace *t = &c->trace;
	int64_t turns = t->nloops > 2 && !gllm_no_row_loop(t) && gllm_passes_share_places(c) ? even_turns(p, t) : 0;
	unsigned reads = 0, computes = 0;
	for (unsigned i = 0; i < t->nnodes && turns; i++) {
		const struct gllm_node *n = &t->node[i];
		bool access = n->op == GLLM_N_LOAD || n->op == GLLM_N_STORE;
		reads += n->op == GLLM_N_LOAD && n->loop > 1 && step_of(t, n) != 0;
		computes += !access && n->loop > 0 && n->a != GLLM_NO_NODE && n->op != GLLM_N_CARRY;
	}
	bool fits = 4 * turns * (reads + 1) <= (int64_t)p->cache[0].bytes, spread = computes >= COMPUTES * reads;
	how->overlap = turns && (fits || spread);
	how->fetch_again = how->overlap && !spread;
}

/* Sums of rows that are so short that several are summed up at once: as many streams, which fetching ahead makes no faster. */
static bool sums_short_rows(const struct gllm_composed *c, unsigned param)
{
	int64_t row;
	return c->trace.pattern == GLLM_PATTERN_REDUCTION && !gllm_no_row_loop(&c->trace) && (!gllm_row_stride(c, param, &row) || row < ROW);
}

/* Whether what another part has left in scratch is read: a block of it, and what lies further along a row is not read next. */
static bool goes_by_blocks(const struct gllm_part *part)
{
	const struct gllm_trace *t = &part->code->trace;
	for (unsigned p = 0; p < t->nparams; p++)
		if (part->source[p].kind == GLLM_FROM_SCRATCH && t->param[p].kind == GLLM_IN)
			return true;
	return false;
}

/* Loads of large tensors are fetched ahead by the first loop that reads them, and what later ones read is there. Where there are
 * later ones that do not run at once with the first, the last fetches the next row's instead: the passes between read from caches and
 * would leave memory idle. */
static void fetch_ahead(const struct gllm_profile *p, const struct gllm_part *part, const struct gllm_graph *g, uint64_t least,
                        struct gllm_lower_options *how)
{
	const struct gllm_trace *t = &part->code->trace;
	bool streams = how->fetch_loop || goes_by_blocks(part);
	uint32_t around = 0, large = streams ? 0 : large_params(part, g, least);
	for (unsigned i = 0; i < t->nloops; i++)
		around |= t->loop[i].parent < 0 ? 0 : UINT32_C(1) << t->loop[i].parent;
	for (unsigned i = 0; i < t->nnodes && large; i++) {
		int64_t step = reads_large(t, large, around, i) ? step_of(t, &t->node[i]) : 0;
		if (step == 0 || sums_short_rows(part->code, t->access[t->node[i].imm].param))
			continue;
		if (!how->fetch_loop) {
			how->fetch = (uint16_t)(step < FETCH ? FETCH / step : 1);
			how->fetch_loop = (int8_t)(t->node[i].loop + 1);
			how->columns = t->pattern == GLLM_PATTERN_REDUCTION ? 1 : how->columns;
			if (how->past && row_ahead(p, part->code, t->access[t->node[i].imm].param))
				run_at_once(p, part->code, how);
		} else if (!how->overlap && t->node[i].loop + 1 > how->fetch_loop && row_ahead(p, part->code, t->access[t->node[i].imm].param)) {
			how->fetch_in = (int8_t)(t->node[i].loop + 1);
		}
	}
	if (how->fetch_in) {
		how->fetch = 1;
		how->fetch_loop = 1;
	}
}

enum gllm_status gllm_store_past(const struct gllm_profile *p, bool past, const struct gllm_tuning *tuning,
                                 const struct gllm_graph *g, struct gllm_arena *arena, struct gllm_fusion *f)
{
	uint64_t least = least_bytes(p, tuning);
	for (unsigned i = 0; i < f->ngroups; i++)
		for (unsigned k = 0; k < f->group[i].nparts; k++) {
			struct gllm_part *part = &f->group[i].part[k];
			enum gllm_status s = GLLM_OK;
			if (part->code->trace.pattern == GLLM_PATTERN_GEMM) /* products of matrices stream as they are */
				continue;
			for (unsigned q = part->code->trace.nparams; past && q-- > 0 && s == GLLM_OK;)
				if (is_large(part, q, g, least))
					s = gllm_row_apart(p, part, q, f, arena);
			if (s != GLLM_OK)
				return s;
			uint32_t set = past ? outputs(part, g, least) : 0;
			struct gllm_lower_options how = part->code->how;
			how.past = set;
			fetch_ahead(p, part, g, least, &how);
			if (!set && how.fetch_loop == part->code->how.fetch_loop)
				continue;
			struct gllm_composed *c = gllm_alloc(arena, sizeof *c, 8);
			if (!c)
				return GLLM_OUT_OF_MEMORY;
			*c = *part->code;
			c->how = how;
			part->code = c;
		}
	return GLLM_OK;
}
