/* SPDX-License-Identifier: MIT
 * tests/check_plan_rules.c - see check_plan_rules.h.
 *
 * Planning is repeated up to the groups, since a plan keeps steps and slots only: part k of the groups is step k of the plan
 * and its operand i is slot i of the step. So every buffer has a name, and who reads and writes it is known. */
#include "check_plan_rules.h"
#include "core/bits.h"
#include "core/target.h"
#include "jit/block.h"
#include "jit/chunks.h"
#include "jit/context.h"
#include "jit/dot.h"
#include "jit/pieces.h"
#include "jit/rows.h"

struct buffer { /* memory of the workspace */
	uint64_t begin, bytes;
	unsigned first, last; /* groups that touch it; first > last: none does */
};

struct rules {
	struct gllm_context *c;
	const struct gllm_graph *g;
	const struct gllm_plan *p;
	struct gllm_fusion f;
	struct buffer *buffer;     /* by tensor, then by scratch */
	unsigned nbuffers;
	bool *written, *read;      /* likewise */
};

static const struct gllm_op_entry *op_of(const struct rules *x, unsigned node)
{
	return &x->c->op[x->g->node[node].op];
}

static bool writes(enum gllm_param_kind k) { return k == GLLM_OUT || k == GLLM_INOUT; }
static bool reads(enum gllm_param_kind k)  { return k == GLLM_IN || k == GLLM_WEIGHT || k == GLLM_INOUT; }

static uint64_t tensor_bytes(const struct rules *x, unsigned tensor)
{
	const struct gllm_graph_tensor_entry *t = &x->g->tensor[tensor];
	if (t->packing.lanes)
		return gllm_packed_bytes(&t->packing);
	return gllm_dim_value(t->rows, x->g->max_rows) * t->cols * gllm_type_bytes(t->type);
}

/* --- groups ---------------------------------------------------------------------------------------------------------- */

/* Every node stands in exactly one group, behind whatever it reads. */
static const char *check_groups(const struct rules *x)
{
	unsigned nodes = 0;
	for (unsigned g = 0; g < x->f.ngroups; g++) {
		const struct gllm_group *group = &x->f.group[g];
		if (group->n == 0)
			return "a group is empty";
		for (unsigned i = 0; i < group->n; i++, nodes++) {
			unsigned node = group->node[i];
			if (node >= x->g->nnodes || x->f.group_of[node] != g)
				return "a node stands in another group than is recorded";
			for (unsigned k = 0; k < i; k++)
				if (group->node[k] == node)
					return "a node stands twice in a group";
			for (unsigned p = 0; p < op_of(x, node)->nparams; p++) {
				if (!(op_of(x, node)->param[p].kind < GLLM_DIM) || !reads(op_of(x, node)->param[p].kind))
					continue;
				unsigned from = x->g->tensor[x->g->node[node].actual[p].tensor].producer;
				if (from == 0xffff)
					continue;
				if (x->f.group_of[from] > g)
					return "a group stands before one whose value it reads";
			}
		}
	}
	return nodes == x->g->nnodes ? NULL : "not every node stands in exactly one group";
}

/* Readers of a value outside of the group that makes it, and in all. */
static unsigned readers(const struct rules *x, unsigned tensor, unsigned group, bool outside)
{
	unsigned n = 0;
	for (unsigned i = 0; i < x->g->nnodes; i++)
		for (unsigned p = 0; p < op_of(x, i)->nparams; p++)
			n += op_of(x, i)->param[p].kind < GLLM_DIM && reads(op_of(x, i)->param[p].kind) &&
			     x->g->node[i].actual[p].tensor == tensor && (!outside || x->f.group_of[i] != group);
	return n;
}

/* --- memory ---------------------------------------------------------------------------------------------------------- */

/* The buffer an operand lies in, or -1; scratch counts behind the tensors. */
static int buffer_of(const struct rules *x, const struct gllm_source *s)
{
	if (s->kind == GLLM_FROM_TENSOR)
		return s->tensor;
	return s->kind == GLLM_FROM_SCRATCH ? (int)(x->g->ntensors + s->tensor) : -1;
}

static bool in_workspace(const struct rules *x, int buffer)
{
	return buffer >= (int)x->g->ntensors || x->g->tensor[buffer].kind == GLLM_TENSOR_VALUE;
}

static const char *check_operand(struct rules *x, unsigned group, enum gllm_param_kind kind, const struct gllm_source *s,
                                 const struct gllm_slot *slot)
{
	int b = buffer_of(x, s);
	if (b < 0)
		return NULL;
	bool given = b < (int)x->g->ntensors && x->g->tensor[b].kind < GLLM_TENSOR_OUTPUT;
	if (writes(kind) && given)
		return "an input or a weight is written";
	if ((kind == GLLM_IN || kind == GLLM_WEIGHT) && !given && !x->written[b])
		return "a buffer is read before any step writes it";
	if (writes(kind))
		x->written[b] = true;
	if (reads(kind))
		x->read[b] = true;
	if (!in_workspace(x, b))
		return slot->kind == GLLM_SLOT_BIND && slot->value == (uint64_t)b ? NULL : "a bound tensor's slot is another's";
	struct buffer *to = &x->buffer[b];
	if (slot->kind != GLLM_SLOT_WORK || slot->value % 64)
		return "a buffer of the workspace is not there, or not aligned to 64 bytes";
	if (to->first <= to->last && to->begin != slot->value)
		return "a buffer lies in two places";
	if (slot->value + to->bytes > x->p->worker_begin)
		return "a buffer reaches beyond the workspace";
	to->begin = slot->value;
	to->first = group < to->first ? group : to->first;
	to->last = group > to->last ? group : to->last;
	return NULL;
}

/* `b` takes the place of `a`, which dies where b is born: exactly one kernel of that group touches either of them. */
static bool takes_place(const struct rules *x, unsigned a, unsigned b)
{
	const struct buffer *from = &x->buffer[a], *to = &x->buffer[b];
	unsigned both = 0;
	if (a >= x->g->ntensors || b >= x->g->ntensors || from->begin != to->begin || from->bytes != to->bytes ||
	    from->last != to->first || from->first >= from->last)
		return false;
	const struct gllm_group *group = &x->f.group[to->first];
	for (unsigned i = 0; i < group->nparts; i++) {
		bool old = false, new = false;
		for (unsigned p = 0; p < group->part[i].code->trace.nparams; p++) {
			int is = buffer_of(x, &group->part[i].source[p]);
			bool written = writes(group->part[i].code->param[p].kind);
			if ((is == (int)a && written) || (is == (int)b && !written))
				return false;
			old = old || is == (int)a;
			new = new || is == (int)b;
		}
		if (old != new)
			return false;
		both += old;
	}
	return both == 1;
}

static const char *check_overlap(const struct rules *x)
{
	for (unsigned i = 0; i < x->nbuffers; i++)
		for (unsigned k = 0; k < i; k++) {
			const struct buffer *a = &x->buffer[i], *b = &x->buffer[k];
			bool live = a->first <= b->last && b->first <= a->last && a->first <= a->last && b->first <= b->last;
			if (live && a->begin < b->begin + b->bytes && b->begin < a->begin + a->bytes && !takes_place(x, i, k) &&
			    !takes_place(x, k, i))
				return "two buffers overlap while both live";
		}
	return NULL;
}

static const char *check_workspace(const struct rules *x)
{
	uint64_t end = 0;
	for (unsigned i = 0; i < x->nbuffers; i++) {
		const struct buffer *b = &x->buffer[i];
		uint64_t to = b->first <= b->last ? b->begin + gllm_round_up(b->bytes, 64) : 0;
		end = to > end ? to : end;
	}
	if (x->p->worker_begin != end || x->p->workspace != end + x->p->workers * x->p->worker_bytes)
		return "the workspace is not exactly as large as its buffers need";
	return NULL;
}

/* Values that never leave their group have no memory, unless nobody reads them at all or a kernel of the group does read
 * them there; all others are written. */
static const char *check_values(const struct rules *x)
{
	for (unsigned i = 0; i < x->g->ntensors; i++) {
		const struct gllm_graph_tensor_entry *t = &x->g->tensor[i];
		if (t->producer == 0xffff || t->kind < GLLM_TENSOR_OUTPUT)
			continue;
		unsigned group = x->f.group_of[t->producer];
		bool internal = t->kind == GLLM_TENSOR_VALUE && readers(x, i, group, true) == 0 && readers(x, i, group, false) > 0;
		if (internal && x->buffer[i].first <= x->buffer[i].last && !x->read[i])
			return "a value that never leaves its group has memory that nothing reads";
		if (!internal && !x->written[i])
			return "a value that others read, or an output, is never written";
	}
	return NULL;
}

/* --- steps ----------------------------------------------------------------------------------------------------------- */

static const char *check_code(const struct rules *x, const struct gllm_step *s)
{
	const struct gllm_exec_memory *m = &x->c->host.code;
	union { gllm_kernel_fn *fn; const unsigned char *data; } entry = { s->kernel };
	uint64_t begin = (uint64_t)(entry.data - m->exec), end = begin + s->info.code_bytes;
	if (s->info.code_bytes == 0 || end > m->size || end > x->c->code_used)
		return "code lies outside of the memory that was granted";
	if (!s->piece || s->piece->kernel.offset != begin || s->piece->kernel.bytes != s->info.code_bytes || s->piece->users == 0)
		return "code lies where nobody keeps it";
	if ((uint64_t)s->info.code_offset + s->info.code_bytes > x->p->code_bytes)
		return "code lies outside of the plan's own range";
	for (const struct gllm_step *o = x->p->step; o < s; o++)
		if (o->kernel != s->kernel && o->info.code_offset < s->info.code_offset + s->info.code_bytes &&
		    s->info.code_offset < (uint64_t)o->info.code_offset + o->info.code_bytes)
			return "the code of two kernels overlaps";
	return NULL;
}

/* What fusion may have saved: each value that its group makes, written once and read by each reader in the group; all reads
 * but one of what others make. */
static const char *check_saved(const struct rules *x, unsigned g, uint64_t saved)
{
	uint64_t most = 0;
	for (unsigned i = 0; i < x->g->ntensors; i++) {
		unsigned inside = readers(x, i, g, false) - readers(x, i, g, true);
		bool own = x->g->tensor[i].producer != 0xffff && x->f.group_of[x->g->tensor[i].producer] == g;
		most += (own ? 1 + inside : inside ? inside - 1 : 0) * tensor_bytes(x, i);
	}
	if (x->f.group[g].n == 1 && saved)
		return "a single node saved bytes";
	return saved <= most ? NULL : "more bytes are saved than the group's values have";
}

static bool touches_same(const struct rules *x, const struct gllm_part *a, const struct gllm_part *b)
{
	for (unsigned i = 0; i < a->code->trace.nparams; i++)
		for (unsigned k = 0; k < b->code->trace.nparams; k++)
			if (buffer_of(x, &a->source[i]) >= 0 && buffer_of(x, &a->source[i]) == buffer_of(x, &b->source[k]) &&
			    (writes(a->code->param[i].kind) || writes(b->code->param[k].kind)) &&
			    a->source[i].at.per_row == b->source[k].at.per_row && a->source[i].at.fixed == b->source[k].at.fixed)
				return true;
	return false;
}

/* Operands move with the repeats around their step as the part's do, from its first trip to its last within their buffer. */
static const char *check_moves(const struct rules *x, unsigned step, const struct gllm_part *part, unsigned operand)
{
	const struct gllm_slot *slot = &x->p->slot[x->p->step[step].first_slot + operand];
	const struct gllm_source *s = &part->source[operand];
	int b = buffer_of(x, s);
	int64_t reach = s->at.fixed, move[GLLM_REPEAT_LEVELS] = { 0 };
	bool same = true, none = true, back = false;
	for (unsigned i = 0; i < x->p->nrepeats; i++) {
		const struct gllm_repeat *r = &x->p->repeat[i];
		if (step < r->first || step >= r->end)
			continue;
		move[r->level] = part->move ? part->move[operand][r->level] : 0;
		reach += move[r->level] * ((int64_t)gllm_at_rows(&r->trips, x->g->max_rows) - 1);
	}
	for (unsigned l = 0; l < GLLM_REPEAT_LEVELS; l++) {
		same = same && slot->move[l] == move[l];
		none = none && move[l] == 0;
		back = back || move[l] < 0;
	}
	if (!same)
		return "an operand does not move with the repeats around its step";
	/* Of numbers those move that count steps of k before a block (jit/block.c): floats by their bits. */
	if (back || (b < 0 && s->kind != GLLM_FROM_WORKER && s->kind != GLLM_FROM_SCALAR && !none))
		return "what is no place in memory moves";
	return b < 0 || (uint64_t)reach < x->buffer[b].bytes || x->buffer[b].bytes == 0 ? NULL : "a repeat leaves its buffer";
}

/* Repeats stand in order, nested, and apart from steps that run together. */
static const char *check_repeats(const struct rules *x)
{
	const struct gllm_repeat *open[GLLM_REPEAT_LEVELS] = { NULL };
	for (unsigned i = 0; i < x->p->nrepeats; i++) {
		const struct gllm_repeat *r = &x->p->repeat[i];
		if ((!r->trips.per_row && r->trips.fixed < 2) || r->first >= r->end || r->end > x->p->nsteps || r->level >= GLLM_REPEAT_LEVELS)
			return "a repeat repeats nothing";
		if (r->level > 0 && (!open[r->level - 1] || r->first < open[r->level - 1]->first || r->end > open[r->level - 1]->end))
			return "a repeat of an inner level lies outside of one of the level below";
		if (open[r->level] && r->first < open[r->level]->end)
			return "two repeats of a level meet";
		if (x->p->step[r->first].beside || (r->end < x->p->nsteps && x->p->step[r->end].beside))
			return "steps run together over the edge of a repeat";
		open[r->level] = r;
	}
	return NULL;
}

static const char *check_times(const struct rules *x)
{
	for (unsigned k = 0; k < x->p->nsteps; k++) {
		uint64_t times = 1;
		for (unsigned i = 0; i < x->p->nrepeats; i++)
			times *= k >= x->p->repeat[i].first && k < x->p->repeat[i].end ? gllm_at_rows(&x->p->repeat[i].trips, x->g->max_rows) : 1;
		if (x->p->step[k].info.times != times)
			return "a step does not run as often as it says";
	}
	return NULL;
}

/* Groups may be parts that run side by side: then none touches what another writes. */
static const char *check_beside(const struct rules *x, const struct gllm_part *const *part, unsigned k)
{
	for (unsigned i = k; part[i]->beside; i--) {
		if (i == 0)
			return "the first step runs beside one before it";
		if (touches_same(x, part[k], part[i - 1]))
			return "steps that may run together touch what one of them writes";
	}
	return NULL;
}

/* A kernel that copies whole rows into scratch: no repeats around it, two loops, one store. (Two at a time are pairs of words
 * for tiles, which are packed for each block of columns.) */
static bool packs_rows(const struct gllm_part *p)
{
	const struct gllm_trace *t = &p->code->trace;
	bool scratch = false;
	unsigned stores = 0;
	for (unsigned i = 0; i < t->nnodes; i++)
		stores += t->node[i].op == GLLM_N_STORE;
	for (unsigned i = 0; i < t->nparams; i++)
		scratch = scratch || (p->source[i].kind == GLLM_FROM_SCRATCH && writes(p->code->param[i].kind));
	return scratch && stores == 1 && !p->move && t->nloops == 2 && t->pattern == GLLM_PATTERN_INJECTIVE;
}

/* Products of a group share what is packed of one value. */
static const char *check_packs(const struct gllm_group *group, unsigned k)
{
	const struct gllm_part *a = &group->part[k];
	for (unsigned i = 0; i < k && packs_rows(a); i++) {
		const struct gllm_part *b = &group->part[i];
		bool same = packs_rows(b) && a->code->trace.hash == b->code->trace.hash && a->code->trace.nparams == b->code->trace.nparams;
		for (unsigned p = 0; p < a->code->trace.nparams && same; p++)
			same = a->source[p].kind == b->source[p].kind &&
			       (a->source[p].kind != GLLM_FROM_TENSOR || a->source[p].tensor == b->source[p].tensor) &&
			       (a->source[p].kind == GLLM_FROM_SCRATCH || a->source[p].at.fixed == b->source[p].at.fixed);
		if (same)
			return "a value is packed twice in one group";
	}
	return NULL;
}

static const char *check_steps(struct rules *x, const struct gllm_part **part)
{
	unsigned k = 0;
	const char *why = NULL;
	for (unsigned g = 0; g < x->f.ngroups; g++) {
		const struct gllm_group *group = &x->f.group[g];
		uint64_t saved = 0;
		if (group->nparts == 0)
			return "a group of a compiled plan has no kernel";
		for (unsigned i = 0; i < group->nparts && !why; i++, k++) {
			if (k >= x->p->nsteps)
				return "there are fewer steps than kernels";
			const struct gllm_step *s = &x->p->step[k];
			part[k] = &group->part[i];
			saved += s->info.bytes_saved;
			if (s->nslots != part[k]->code->trace.nparams + 1 || s->first_slot + s->nslots > x->p->nslots)
				return "a step has not one slot for each operand and its constants";
			for (unsigned p = 0; p + 1 < s->nslots && !why; p++)
				if (!(why = check_operand(x, g, part[k]->code->param[p].kind, &part[k]->source[p], &x->p->slot[s->first_slot + p])))
					why = check_moves(x, k, part[k], p);
			if (!why)
				why = check_code(x, s);
			if (!why)
				why = check_beside(x, part, k);
			if (!why)
				why = check_packs(group, i);
		}
		if (!why)
			why = check_saved(x, g, saved);
		if (why)
			return why;
	}
	return k == x->p->nsteps ? NULL : "there are more steps than kernels";
}

const char *plan_breaks(struct gllm_context *c, const struct gllm_graph *g, const struct gllm_plan_options *o,
                        const struct gllm_plan *p, struct gllm_arena arena)
{
	struct rules x = { .c = c, .g = g, .p = p };
	struct gllm_machine m;
	if (c->target->machine(&c->profile, &m) != GLLM_OK || gllm_fuse(c, g, !o->no_fusion, false, &arena, &x.f, NULL) != GLLM_OK ||
	    gllm_keep_rows(&c->profile, g, &x.f, &arena) != GLLM_OK || (m.dots && gllm_dot_products(&x.f, m.dots, &arena) != GLLM_OK) ||
	    gllm_chunks(&arena, &x.f) != GLLM_OK ||
	    gllm_block(&c->profile, o->tuning, g, gllm_workers(c), m.tiles, o->pack_bytes, &arena, &x.f, NULL) != GLLM_OK)
		return "planning again fails";
	x.nbuffers = g->ntensors + x.f.nscratch;
	x.buffer = gllm_alloc_array(&arena, x.nbuffers + 1, sizeof *x.buffer, 8);
	x.written = gllm_alloc_array(&arena, x.nbuffers + 1, sizeof *x.written, 1);
	x.read = gllm_alloc_array(&arena, x.nbuffers + 1, sizeof *x.read, 1);
	const struct gllm_part **part = gllm_alloc_array(&arena, p->nsteps + 1, sizeof *part, 8);
	if (!x.buffer || !x.written || !x.read || !part)
		return "the suite's memory is too small";
	for (unsigned i = 0; i < x.nbuffers; i++) {
		uint64_t bytes = i < g->ntensors ? tensor_bytes(&x, i) : x.f.scratch[i - g->ntensors].bytes;
		x.buffer[i] = (struct buffer){ .bytes = bytes, .first = 1u << 20 };
		x.written[i] = x.read[i] = false;
	}
	const char *why = check_groups(&x);
	if (!why)
		why = check_steps(&x, part);
	if (!why)
		why = check_repeats(&x);
	if (!why)
		why = check_times(&x);
	if (!why)
		why = check_overlap(&x);
	if (!why)
		why = check_values(&x);
	return why ? why : check_workspace(&x);
}
