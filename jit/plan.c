/* SPDX-License-Identifier: MIT
 * jit/plan.c - from a graph to a plan: groups, buffers, steps. */
#include "jit/plan.h"
#include "core/bits.h"
#include "core/hash.h"
#include "core/fmt.h"
#include "core/target.h"
#include "jit/block.h"
#include "jit/buffers.h"
#include "jit/chunks.h"
#include "jit/context.h"
#include "jit/cost.h"
#include "jit/dot.h"
#include "jit/past.h"
#include "jit/pieces.h"
#include "jit/rows.h"

enum { STEP_NAME = 96 }; /* characters that are kept of a step's name, with the end */

struct used { /* a kernel, and where it and its constants lie in the plan */
	struct gllm_piece *piece;
	uint32_t code_at;
	size_t pool_at;
};

struct planner {
	struct gllm_context *c;
	const struct gllm_graph *g;
	const struct gllm_plan_options *o;
	struct gllm_arena arena;
	struct gllm_fusion f;
	struct used *kernel;        /* one for each code that differs from all before it */
	unsigned nkernels;
	uint32_t *which;            /* kernel of each part, all groups' in order */
	unsigned nparts;
	struct gllm_life *life;     /* by tensor, then by scratch */
	unsigned nlives;
	uint64_t workspace, worker_begin;
	unsigned workers;
	uint64_t graph_key, machine_key;
	unsigned stages; /* of loops' software pipelines; 0: chosen */
	uint64_t code_key; /* of what code depends on beside its trace */
	size_t code_begin;          /* executable memory used before this plan */
	struct gllm_error *e;
};

static const struct gllm_op_entry *op_of(const struct planner *x, unsigned node)
{
	return &x->c->op[x->g->node[node].op];
}

static bool pointer(const struct gllm_param *p)
{
	return p->kind < GLLM_DIM;
}

static enum gllm_status plan_buffers(struct planner *x)
{
	x->nlives = x->g->ntensors + x->f.nscratch;
	if (gllm_place_buffers(x->c, x->g, &x->f, &x->arena, &x->life, &x->workspace) != GLLM_OK)
		return gllm_fail(x->e, GLLM_OUT_OF_MEMORY, "compile scratch is too small for the graph", x->g->name, 0, 0, 0);
	x->worker_begin = x->workspace;
	x->workspace += x->workers * gllm_round_up(x->f.worker_bytes, 64);
	return GLLM_OK;
}

/* --- steps ---------------------------------------------------------------------------------------------------------- */

/* Of part `part` of a group, or of a scalar one: the operators' names with + between them, as many characters as fit. */
static void step_name(const struct planner *x, const struct gllm_group *group, unsigned part, char *out, size_t size)
{
	const uint16_t *node = group->nparts ? group->part[part].node : group->node;
	unsigned n = group->nparts ? group->part[part].n : group->n;
	size_t at = 0;
	for (unsigned i = 0; i < n; i++) {
		if (i && at + 1 < size)
			out[at++] = '+';
		for (const char *from = op_of(x, node[i])->name; *from && at + 1 < size; from++)
			out[at++] = *from;
	}
	out[at] = 0;
}

/* Parts of the same operators have one text. */
static bool named_like_last(const struct gllm_group *group, unsigned part)
{
	return part > 0 && part < group->nparts && group->part[part].node == group->part[part - 1].node &&
	       group->part[part].n == group->part[part - 1].n;
}

static struct gllm_slot tensor_slot(const struct planner *x, uint16_t tensor)
{
	if (x->g->tensor[tensor].kind == GLLM_TENSOR_VALUE)
		return (struct gllm_slot){ .kind = GLLM_SLOT_WORK, .value = x->life[tensor].offset };
	return (struct gllm_slot){ .kind = GLLM_SLOT_BIND, .value = tensor };
}

static struct gllm_slot source_slot(const struct planner *x, const struct gllm_source *s)
{
	union gllm_arg bits = { .bits = 0 };
	struct gllm_slot slot;
	switch ((enum gllm_operand_source)s->kind) {
	case GLLM_FROM_TENSOR:
		slot = tensor_slot(x, s->tensor);
		slot.at = s->at;
		return slot;
	case GLLM_FROM_SCALAR:
		bits.scalar = s->scalar;
		return (struct gllm_slot){ .kind = GLLM_SLOT_CONST, .value = bits.bits };
	case GLLM_FROM_SCRATCH:
		return (struct gllm_slot){ .kind = GLLM_SLOT_WORK, .value = x->life[x->g->ntensors + s->tensor].offset, .at = s->at };
	case GLLM_FROM_WORKER:
		return (struct gllm_slot){ .kind = GLLM_SLOT_WORKER, .at = s->at };
	case GLLM_FROM_ROWS:
		break;
	}
	return (struct gllm_slot){ .kind = GLLM_SLOT_ROWS, .at = s->at };
}

static struct gllm_linear linear_of(const struct gllm_graph *g, uint64_t dim)
{
	if (dim == GLLM_ROWS)
		return g->max_rows > 1 ? GLLM_ALL_ROWS : (struct gllm_linear){ .fixed = 1 };
	return (struct gllm_linear){ .fixed = (int64_t)dim };
}

static bool holds_loops(const struct gllm_trace *t, int8_t loop)
{
	for (unsigned i = 0; i < t->nloops; i++)
		if (t->loop[i].parent == loop)
			return true;
	return false;
}

/* What the iterations of the split loop are: rows if their number is that of rows or they hold loops of their own; columns
 * of a product right around its sums, or in panels. */
static const char *strategy_of(const struct gllm_part *part, const struct gllm_kernel *k)
{
	const struct gllm_composed *c = part->code;
	const struct gllm_trace *t = &c->trace;
	if (k->loop < 0)
		return "sequential";
	if (part->chunks)
		return "chunks";
	for (unsigned i = 0; i < k->trip.count; i++) {
		unsigned sym = t->term[k->trip.first + i].sym[0];
		if (sym >= GLLM_SYM_PARAM && sym < GLLM_SYM_LOOP && c->source[sym - GLLM_SYM_PARAM].at.per_row)
			return "rows";
	}
	if (!holds_loops(t, k->loop))
		return "elements";
	if (t->pattern == GLLM_PATTERN_GEMM && (c->how.split || t->loop[t->reduction[0].loop].parent == k->loop))
		return "columns";
	return "rows";
}

/* Below this many cycles for each core the workers would wait longer for each other than they work. */
enum { CYCLES_PER_CORE = 4096 };

/* How often part `part` of a group runs. */
static uint64_t times_of(const struct gllm_group *g, unsigned part, uint64_t rows)
{
	uint64_t n = 1;
	for (unsigned i = 0; i < g->nrepeats; i++)
		n *= part >= g->repeat[i].first && part < g->repeat[i].end ? gllm_at_rows(&g->repeat[i].trips, rows) : 1;
	return n;
}

/* What parts cost that were looked at last. */
enum { COSTS = 24 };
struct costs {
	unsigned n;
	struct { const struct used *kernel; const struct gllm_part *part; struct gllm_cost cost; } seen[COSTS];
};

/* Of parts of one kernel, whose traces are equal: whether their loops are as long. */
static bool same_trips(const struct gllm_part *a, const struct gllm_part *b, uint64_t rows)
{
	const struct gllm_trace *t = &a->code->trace;
	for (unsigned i = 0; i < t->nparams; i++)
		if (t->param[i].kind == GLLM_DIM && gllm_at_rows(&a->source[i].at, rows) != gllm_at_rows(&b->source[i].at, rows))
			return false;
	return true;
}

static struct gllm_cost cost_of(const struct planner *x, const struct gllm_part *part, const struct used *kernel, struct costs *c)
{
	unsigned i = 0, n = c->n < COSTS ? c->n : COSTS;
	while (i < n && !(c->seen[i].kernel == kernel && same_trips(part, c->seen[i].part, x->g->max_rows)))
		i++;
	if (i == n) {
		i = c->n++ % COSTS;
		c->seen[i].kernel = kernel;
		c->seen[i].part = part;
		c->seen[i].cost = gllm_cost_of(part->code, part->source, x->g->max_rows, &x->c->profile);
	}
	return c->seen[i].cost;
}

static void predict(const struct planner *x, const struct gllm_part *part, const struct used *used, struct costs *costs,
                    struct gllm_step *s)
{
	const struct gllm_profile *p = &x->c->profile;
	const struct gllm_kernel *k = &used->piece->kernel;
	struct gllm_cost cost = cost_of(x, part, used, costs);
	s->small = p->cores && gllm_cost_cycles(cost, p, false) < (double)CYCLES_PER_CORE * p->cores;
	s->info.strategy = s->small ? "sequential" : strategy_of(part, k);
	s->info.bytes_moved = (uint64_t)(cost.bytes * (double)s->info.times);
	s->info.cycles = (uint64_t)(gllm_cost_cycles(cost, p, k->loop >= 0 && !s->small) * (double)s->info.times);
}

static enum gllm_status compiled_step(const struct planner *x, struct gllm_plan *p, const struct gllm_part *part,
                                      const struct used *used, struct costs *costs, struct gllm_step *s)
{
	const struct gllm_composed *c = part->code;
	const struct gllm_kernel *k = &used->piece->kernel;
	for (unsigned i = 0; i < c->trace.nparams; i++) {
		struct gllm_slot *slot = &p->slot[p->nslots++];
		*slot = source_slot(x, &part->source[i]);
		for (unsigned l = 0; l < GLLM_REPEAT_LEVELS && part->move; l++)
			slot->move[l] = part->move[i][l];
	}
	p->slot[p->nslots++] = (struct gllm_slot){ .kind = GLLM_SLOT_POOL, .value = used->pool_at };
	union { const unsigned char *data; gllm_kernel_fn *code; } entry = { x->c->host.code.exec + k->offset };
	s->kernel = entry.code;
	s->piece = used->piece;
	s->tile = k->tile;
	s->beside = part->beside;
	s->info.pattern = c->trace.pattern;
	s->info.code_offset = used->code_at;
	s->info.code_bytes = k->bytes;
	predict(x, part, used, costs, s);
	return k->tile ? gllm_trip_of(c, part->source, k->trip, &s->trip) : GLLM_OK;
}

static void scalar_step(const struct planner *x, struct gllm_plan *p, unsigned g, struct gllm_step *s)
{
	unsigned node = x->f.group[g].node[0];
	const struct gllm_graph_node_entry *n = &x->g->node[node];
	const struct gllm_op_entry *o = op_of(x, node);
	for (unsigned i = 0; i < o->nparams; i++) {
		struct gllm_slot slot = { .kind = GLLM_SLOT_CONST };
		if (o->param[i].kind == GLLM_DIM) {
			slot.value = n->actual[i].dim;
			if (slot.value == GLLM_ROWS)
				slot = (struct gllm_slot){ .kind = GLLM_SLOT_ROWS, .at = GLLM_ALL_ROWS };
		} else if (o->param[i].kind == GLLM_SCALAR) {
			union gllm_arg a = { .bits = 0 };
			a.scalar = n->actual[i].scalar;
			slot.value = a.bits;
		} else {
			const struct gllm_graph_tensor_entry *t = &x->g->tensor[n->actual[i].tensor];
			slot = tensor_slot(x, n->actual[i].tensor);
			if (n->batch != 1 && t->rows == n->batch)
				slot.move[0] = (int64_t)(t->cols * gllm_type_bytes(t->type));
			s->info.bytes_moved += gllm_tensor_bytes(x->g, n->actual[i].tensor);
		}
		p->slot[p->nslots++] = slot;
	}
	s->scalar = o->fn;
	s->call = o->call;
	s->batch = linear_of(x->g, n->batch);
	s->info.pattern = GLLM_PATTERN_OPAQUE;
}

/* Bytes of a bound tensor as a function of the rows: what must not overlap an output. */
static struct gllm_linear bound_bytes(const struct planner *x, unsigned tensor)
{
	const struct gllm_graph_tensor_entry *t = &x->g->tensor[tensor];
	int64_t row = (int64_t)(t->cols * gllm_type_bytes(t->type));
	if (t->packing.lanes)
		return (struct gllm_linear){ .fixed = (int64_t)gllm_packed_bytes(&t->packing) };
	if (t->rows == GLLM_ROWS && x->g->max_rows > 1)
		return (struct gllm_linear){ .per_row = row };
	return (struct gllm_linear){ .fixed = (int64_t)gllm_dim_value(t->rows, 1) * row };
}

static size_t text_length(const char *s)
{
	size_t n = 0;
	while (s[n])
		n++;
	return n;
}

static unsigned steps_of(const struct gllm_group *g)
{
	return g->nparts ? g->nparts : 1;
}

static unsigned edges_of(const struct planner *x, unsigned node)
{
	unsigned n = 0;
	for (unsigned p = 0; p < op_of(x, node)->nparams; p++)
		n += op_of(x, node)->param[p].kind == GLLM_IN || op_of(x, node)->param[p].kind == GLLM_WEIGHT;
	return n;
}

/* Numbers of everything a plan holds; and where each kernel and its constants go. */
static void count(const struct planner *x, struct gllm_plan *p)
{
	p->ntensors = x->g->ntensors;
	p->nnodes = x->g->nnodes;
	p->nnotes = x->f.nnotes;
	p->text_bytes = text_length(x->g->name) + 1;
	for (unsigned i = 0; i < x->g->ntensors; i++)
		p->text_bytes += text_length(x->g->tensor[i].name) + 1;
	for (unsigned g = 0; g < x->f.ngroups; g++) {
		const struct gllm_group *group = &x->f.group[g];
		for (unsigned i = 0; i < steps_of(group); i++) {
			char name[STEP_NAME];
			if (!named_like_last(group, i)) {
				step_name(x, group, i, name, sizeof name);
				p->text_bytes += text_length(name) + 1;
			}
			p->nslots += group->nparts ? group->part[i].code->trace.nparams + 1 : op_of(x, group->node[0])->nparams;
			p->nsteps++;
		}
		p->nrepeats += group->nrepeats;
	}
	for (unsigned i = 0; i < x->g->nnodes; i++)
		p->nedges += edges_of(x, i);
	for (unsigned i = 0; i < x->nlives; i++)
		p->nbuffers += x->life[i].placed;
	for (unsigned k = 0; k < x->nkernels; k++) {
		struct used *u = &x->kernel[k];
		u->pool_at = p->pool_bytes;
		p->pool_bytes += (size_t)gllm_round_up(u->piece->kernel.pool_bytes, 64);
		u->code_at = (uint32_t)gllm_round_up(p->code_bytes, GLLM_CODE_ALIGN);
		p->code_bytes = u->code_at + u->piece->kernel.bytes;
	}
}

/* A copy among the plan's own texts. */
static const char *own_text(struct gllm_plan *p, size_t *used, const char *s)
{
	char *to = p->text + *used;
	size_t n = 0;
	while ((to[n] = s[n]) != 0)
		n++;
	*used += n + 1;
	return to;
}

/* What fusion saved is told once per group. */
static struct gllm_step *begin_step(const struct planner *x, struct gllm_plan *p, unsigned group, unsigned part,
                                    const char *name)
{
	const struct gllm_group *g = &x->f.group[group];
	struct gllm_step *s = &p->step[p->nsteps++];
	*s = (struct gllm_step){ .first_slot = p->nslots, .info = { .name = name, .group = group, .mode = g->nparts ? g->part[part].mode : g->mode,
		.bytes_saved = part ? 0 : g->bytes_saved, .times = times_of(g, part, x->g->max_rows) } };
	return s;
}

static enum gllm_status add_steps(const struct planner *x, struct gllm_plan *p, size_t *text)
{
	enum gllm_status status = GLLM_OK;
	struct costs costs = { .n = 0 };
	const char *name = p->name;
	unsigned k = 0;
	p->nsteps = p->nslots = p->nrepeats = 0;
	for (unsigned g = 0; g < x->f.ngroups; g++) {
		const struct gllm_group *group = &x->f.group[g];
		for (unsigned i = 0; i < group->nrepeats; i++) {
			struct gllm_repeat r = group->repeat[i];
			p->repeat[p->nrepeats++] = (struct gllm_repeat){ r.first + p->nsteps, r.end + p->nsteps, r.level, r.trips };
		}
		for (unsigned i = 0; i < steps_of(group); i++) {
			char words[STEP_NAME];
			if (!named_like_last(group, i)) {
				step_name(x, group, i, words, sizeof words);
				name = own_text(p, text, words);
			}
			struct gllm_step *s = begin_step(x, p, g, i, name);
			if (!group->nparts)
				scalar_step(x, p, g, s);
			else if (status == GLLM_OK)
				status = compiled_step(x, p, &group->part[i], &x->kernel[x->which[k]], &costs, s);
			k += group->nparts != 0;
			s->info.strategy = s->kernel ? s->info.strategy : "sequential";
			s->nslots = p->nslots - s->first_slot;
		}
	}
	return status;
}

/* What the plan says of itself: nodes, what they read of whom, and where values lie when. */
static void describe(const struct planner *x, struct gllm_plan *p)
{
	unsigned edges = 0, buffers = 0;
	for (unsigned i = 0; i < p->nnodes; i++) {
		const struct gllm_op_entry *o = op_of(x, i);
		p->node[i] = (struct gllm_node_info){ o->name, x->f.group_of[i] };
		for (unsigned k = 0; k < o->nparams; k++) {
			if (o->param[k].kind != GLLM_IN && o->param[k].kind != GLLM_WEIGHT)
				continue;
			uint16_t id = x->g->node[i].actual[k].tensor;
			const struct gllm_graph_tensor_entry *t = &x->g->tensor[id];
			p->edge[edges++] = (struct gllm_edge_info){ .producer = t->producer, .consumer = (uint16_t)i, .tensor = id,
				.bytes = gllm_dim_value(t->rows, x->g->max_rows) * t->cols * gllm_type_bytes(t->type) };
		}
	}
	for (unsigned i = 0; i < x->nlives; i++) {
		const struct gllm_life *l = &x->life[i];
		if (l->placed)
			p->buffer[buffers++] = (struct gllm_buffer_info){
				.tensor = i < x->g->ntensors ? (gllm_tensor)i : GLLM_NO_TENSOR, .first_group = (uint16_t)l->first,
				.last_group = (uint16_t)l->last, .offset = l->offset, .bytes = l->bytes };
	}
}

static enum gllm_status build(struct planner *x, struct gllm_plan **out)
{
	struct gllm_plan like = { .context = x->c, .max_rows = x->g->max_rows, .workspace = (size_t)x->workspace,
		.worker_begin = (size_t)x->worker_begin, .worker_bytes = (size_t)gllm_round_up(x->f.worker_bytes, 64),
		.workers = x->workers, .vector_bytes = x->o->scalar ? 0 : gllm_vector_bytes(x->c),
		.graph_key = x->graph_key, .scalar = x->o->scalar };
	size_t text = 0;
	count(x, &like);
	struct gllm_plan *p = gllm_plan_new(x->c, &like);
	if (!p)
		return gllm_fail(x->e, GLLM_OUT_OF_MEMORY, "the context's heap cannot hold the plan", x->g->name, 0, 0, 0);
	p->name = own_text(p, &text, x->g->name);
	for (unsigned i = 0; i < x->nkernels; i++)
		if (x->kernel[i].piece->kernel.pool_bytes)
			__builtin_memcpy(p->pool + x->kernel[i].pool_at, x->kernel[i].piece->kernel.pool, x->kernel[i].piece->kernel.pool_bytes);
	for (unsigned i = 0; i < p->ntensors; i++) {
		struct gllm_tensor_info info;
		gllm_graph_tensor_info(x->g, i, &info);
		info.name = own_text(p, &text, info.name);
		p->tensor[i] = (struct gllm_plan_tensor){ info, (uint8_t)gllm_type_bytes(info.type), bound_bytes(x, i) };
	}
	for (unsigned i = 0; i < p->nnotes; i++)
		p->note[i] = x->f.note[i];
	describe(x, p);
	enum gllm_status status = add_steps(x, p, &text);
	if (status != GLLM_OK) {
		gllm_heap_free(&x->c->heap, p);
		return gllm_fail(x->e, status, "the work of a kernel is no number of rows", x->g->name, 0, 0, 0);
	}
	*out = p;
	return GLLM_OK;
}

/* What is to be read back or listed is compiled. */
static bool anew(const struct gllm_plan_options *o)
{
	return o->readback || o->listing;
}

/* The kernel with the code of a part: the plan's, another plan's, or compiled now. */
static enum gllm_status kernel_for(struct planner *x, const struct gllm_composed *code, const struct gllm_group *group,
                                   unsigned part, uint32_t *which)
{
	struct gllm_piece *piece = gllm_piece_find(x->c, code, x->code_key, anew(x->o) ? x->code_begin : 0);
	uint32_t k = 0;
	if (!piece) {
		char name[STEP_NAME];
		struct gllm_kernel kernel;
		step_name(x, group, part, name, sizeof name);
		enum gllm_status s = gllm_compile_trace(x->c, code, name, x->stages, x->o, &x->arena, &kernel, x->e);
		if (s != GLLM_OK)
			return s;
		piece = gllm_piece_add(x->c, code, x->code_key, &kernel);
		if (!piece)
			return gllm_fail(x->e, GLLM_OUT_OF_MEMORY, "the context's heap cannot hold what is known of a kernel", name, 0, 0, 0);
	}
	while (k < x->nkernels && x->kernel[k].piece != piece)
		k++;
	if (k == x->nkernels)
		x->kernel[x->nkernels++].piece = piece;
	*which = k;
	return GLLM_OK;
}

static enum gllm_status compile_groups(struct planner *x)
{
	unsigned k = 0;
	for (unsigned g = 0; g < x->f.ngroups; g++)
		x->nparts += x->f.group[g].nparts;
	x->kernel = gllm_alloc_array(&x->arena, x->nparts + 1, sizeof *x->kernel, 8);
	x->which = gllm_alloc_array(&x->arena, x->nparts + 1, sizeof *x->which, 8);
	if (!x->kernel || !x->which)
		return gllm_fail(x->e, GLLM_OUT_OF_MEMORY, "compile scratch is too small for the graph", x->g->name, 0, 0, 0);
	for (unsigned g = 0; g < x->f.ngroups; g++) {
		const struct gllm_group *group = &x->f.group[g];
		for (unsigned i = 0; i < group->nparts; i++, k++) {
			enum gllm_status s = kernel_for(x, group->part[i].code, group, i, &x->which[k]);
			if (s != GLLM_OK)
				return s;
		}
	}
	return GLLM_OK;
}

/* Outputs that no node writes would be read as garbage. */
static enum gllm_status check_graph(const struct gllm_graph *g, struct gllm_error *e)
{
	enum gllm_status s = gllm_graph_status(g, e);
	if (s != GLLM_OK)
		return s;
	for (unsigned i = 0; i < g->ntensors; i++)
		if (g->tensor[i].kind == GLLM_TENSOR_OUTPUT && g->tensor[i].producer == 0xffff)
			return gllm_fail(e, GLLM_INVALID_ARGUMENT, "an output that no node produces", g->tensor[i].name, i, 0, 0);
	return GLLM_OK;
}

static enum gllm_status check_scalar(const struct planner *x)
{
	for (unsigned i = 0; x->o->scalar && i < x->g->nnodes; i++)
		if (!op_of(x, i)->call)
			return gllm_fail(x->e, GLLM_UNSUPPORTED, "the operator was registered without a way to call it",
			                 op_of(x, i)->name, i, 0, 0);
	for (unsigned i = 0; x->o->scalar && i < x->g->ntensors; i++)
		if (x->g->tensor[i].packing.lanes)
			return gllm_fail(x->e, GLLM_UNSUPPORTED, "scalar definitions take no packed weights", x->g->tensor[i].name, i, 0, 0);
	for (unsigned i = 0; x->o->scalar && i < x->g->nnodes; i++)
		for (unsigned p = 0; p < op_of(x, i)->nparams; p++)
			if (pointer(&op_of(x, i)->param[p]) &&
			    x->g->tensor[x->g->node[i].actual[p].tensor].type != op_of(x, i)->param[p].type)
				return gllm_fail(x->e, GLLM_UNSUPPORTED, "scalar definitions take no half-precision elements",
				                 op_of(x, i)->name, i, 0, 0);
	return GLLM_OK;
}

/* One line for the embedder's log. */
static void announce(const struct gllm_context *c, const struct gllm_plan *p, bool recalled, uint64_t ns)
{
	char line[160];
	if (!c->host.log)
		return;
	size_t bytes = 0;
	for (unsigned i = 0; i < p->nsteps; i++)
		bytes += p->step[i].info.code_bytes;
	size_t n = gllm_format(line, sizeof line, "gllm: plan %s%s: %u steps, %zu bytes of code, %llu ns\n", p->name,
	                       recalled ? " (stored)" : "", p->nsteps, bytes, (unsigned long long)ns);
	c->host.log(c->host.user, line, n < sizeof line ? n : sizeof line - 1);
}

static enum gllm_status check_host(struct planner *x)
{
	struct gllm_context *c = x->c;
	if (x->o->scalar)
		return check_scalar(x);
	if (!c->target)
		return gllm_fail(x->e, GLLM_NO_BACK_END, "compiling needs a target", x->g->name, 0, 0, 0);
	if (!c->profile.vector_bytes)
		return gllm_fail(x->e, GLLM_NO_FEATURE, c->profile.missing ? c->profile.missing : "the CPU has no usable vector unit",
		                 x->g->name, 0, 0, c->profile.have);
	if (!c->host.code.write || !c->host.code.exec)
		return gllm_fail(x->e, GLLM_NO_EXEC_MEMORY, "the host granted no executable memory", x->g->name, 0, 0, 0);
	return gllm_graph_key(c, x->g, x->o, &x->graph_key, x->e);
}

/* Narrow elements are multiplied several at once where the machine does that well; large products are blocked. */
static enum gllm_status products(struct planner *x)
{
	struct gllm_context *c = x->c;
	struct gllm_machine m;
	enum gllm_status s = c->target->machine(&c->profile, &m);
	if (s == GLLM_OK && m.dots)
		s = gllm_dot_products(&x->f, m.dots, &x->arena);
	if (s != GLLM_OK)
		return gllm_fail(x->e, s, "products of narrow elements", x->g->name, 0, 0, 0);
	s = gllm_chunks(&x->arena, &x->f);
	if (s != GLLM_OK)
		return gllm_fail(x->e, s, "chunks of a reduction", x->g->name, 0, 0, 0);
	s = gllm_block(&c->profile, x->o->tuning, x->g, gllm_workers(c), m.tiles, x->o->pack_bytes, &x->arena, &x->f, x->e);
	return s == GLLM_OK ? s : gllm_fail(x->e, s, "blocking a product of matrices", x->g->name, 0, 0, 0);
}

static enum gllm_status stores(struct planner *x)
{
	struct gllm_context *c = x->c;
	struct gllm_machine m;
	enum gllm_status s = c->target->machine(&c->profile, &m);
	if (s == GLLM_OK)
		s = gllm_store_past(&c->profile, m.past, x->o->tuning, x->g, &x->arena, &x->f);
	return s == GLLM_OK ? s : gllm_fail(x->e, s, "stores past the caches", x->g->name, 0, 0, 0);
}

/* Groups, buffers, code, steps; on failure the context is as before. */
static enum gllm_status make(struct planner *x, struct gllm_plan **out)
{
	struct gllm_context *c = x->c;
	unsigned counted = c->stats.kernels;
	enum gllm_status s = gllm_fuse(c, x->g, !x->o->no_fusion, x->o->scalar, &x->arena, &x->f, x->e);
	if (s == GLLM_OK && !x->o->scalar && (s = gllm_keep_rows(&c->profile, x->g, &x->f, &x->arena)) != GLLM_OK)
		gllm_fail(x->e, s, "values of a row", x->g->name, 0, 0, 0);
	if (s == GLLM_OK && !x->o->scalar)
		s = products(x);
	if (s == GLLM_OK && !x->o->scalar)
		s = stores(x);
	if (s == GLLM_OK)
		s = plan_buffers(x);
	if (s == GLLM_OK && !x->o->scalar)
		s = compile_groups(x);
	if (s == GLLM_OK)
		s = build(x, out);
	if (x->arena.high > c->scratch.high)
		c->scratch.high = x->arena.high;
	if (s != GLLM_OK) {
		gllm_pieces_undo(c, x->code_begin);
		c->stats.kernels = counted;
		return s;
	}
	for (unsigned i = 0; i < (*out)->nsteps; i++)
		if ((*out)->step[i].piece)
			(*out)->step[i].piece->users++;
	return GLLM_OK;
}

enum gllm_status gllm_compile(struct gllm_context *c, const struct gllm_graph *g, const struct gllm_plan_options *o,
                              struct gllm_plan **out, struct gllm_error *e)
{
	static const struct gllm_plan_options defaults = { .scalar = false };
	struct planner x = { .c = c, .g = g, .o = o ? o : &defaults, .arena = c->scratch,
		.workers = gllm_workers(c), .code_begin = c->code_used, .e = e };
	uint64_t start = gllm_now(c);
	struct gllm_plan *p = NULL;
	enum gllm_status s = check_graph(g, e);
	if (s == GLLM_OK)
		s = check_host(&x);
	x.machine_key = gllm_machine_key(c);
	x.stages = x.o->tuning ? x.o->tuning->stages : 0;
	x.code_key = gllm_hash_word(x.machine_key, x.stages);
	struct gllm_plan_key key = { x.graph_key, x.machine_key, gllm_emitter_key() };
	if (s == GLLM_OK && !x.o->scalar && !anew(x.o))
		p = gllm_plan_recall(c, &key);
	bool recalled = p != NULL;
	if (s == GLLM_OK && !recalled)
		s = make(&x, &p);
	uint64_t ns = gllm_now(c) - start;
	c->stats.compile_ns += ns;
	if (s == GLLM_OK && !recalled && !x.o->scalar)
		gllm_plan_remember(c, &key, p, c->scratch);
	if (s == GLLM_OK) {
		*out = p;
		announce(c, p, recalled, ns);
	}
	return s;
}
