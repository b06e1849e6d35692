/* SPDX-License-Identifier: MIT
 * jit/fuse.c - see fuse.h. */
#include "jit/fuse.h"
#include "core/bits.h"
#include "jit/context.h"
#include "jit/retype.h"

struct fuser {
	struct gllm_context *c;
	const struct gllm_graph *g;
	struct gllm_arena *arena;
	struct gllm_fusion *f;
	bool *reached; /* by node: workspace of depends() */
	struct gllm_error *e;
};

const char *gllm_mode_name(enum gllm_mode m)
{
	static const char *const name[] = {
#define M(id, words) [GLLM_MODE_##id] = words,
		GLLM_MODES(M)
#undef M
	};
	return (unsigned)m < GLLM_MODE_COUNT ? name[m] : "unknown mode";
}

static const struct gllm_op_entry *op_of(const struct fuser *x, unsigned node)
{
	return &x->c->op[x->g->node[node].op];
}

/* The symbolic row count is a plain number when a graph has at most one row. */
static bool symbolic(const struct gllm_graph *g, uint64_t dim)
{
	return dim == GLLM_ROWS && g->max_rows > 1;
}

static enum gllm_status apply(struct fuser *x, unsigned node, struct gllm_composed *out)
{
	const struct gllm_graph_node_entry *n = &x->g->node[node];
	const struct gllm_op_entry *o = op_of(x, node);
	struct gllm_applied a = { .batch = symbolic(x->g, n->batch) ? -1 : (int64_t)gllm_dim_value(n->batch, 1) };
	uint8_t type[GLLM_MAX_PARAMS];
	const char *why = NULL;
	enum gllm_status s = gllm_op_trace(x->c, n->op, &a.trace, x->e);
	if (s != GLLM_OK)
		return s;
	for (unsigned i = 0; i < o->nparams; i++)
		type[i] = (uint8_t)(o->param[i].kind < GLLM_DIM ? x->g->tensor[n->actual[i].tensor].type : o->param[i].type);
	s = gllm_retype(a.trace, type, x->arena, &a.trace, &why);
	if (s != GLLM_OK)
		return why ? gllm_fail(x->e, s, why, o->name, node, 0, 0) : s;
	for (unsigned i = 0; i < o->nparams; i++) {
		const struct gllm_actual *actual = &n->actual[i];
		switch (o->param[i].kind) {
		case GLLM_DIM:
			a.source[i].kind = symbolic(x->g, actual->dim) ? GLLM_FROM_ROWS : GLLM_FROM_SCALAR;
			a.source[i].at = GLLM_ALL_ROWS;
			a.dim[i] = (int64_t)gllm_dim_value(actual->dim, 1);
			break;
		case GLLM_SCALAR:
			a.source[i] = (struct gllm_source){ .kind = GLLM_FROM_SCALAR, .scalar = actual->scalar };
			break;
		case GLLM_IN: case GLLM_OUT: case GLLM_INOUT: case GLLM_WEIGHT: {
			const struct gllm_graph_tensor_entry *t = &x->g->tensor[actual->tensor];
			a.source[i] = (struct gllm_source){ .kind = GLLM_FROM_TENSOR, .tensor = actual->tensor };
			if (n->batch != 1 && t->rows == n->batch)
				a.stride[i] = t->cols * gllm_type_bytes(t->type);
			break;
		}
		}
	}
	s = gllm_compose_one(&a, x->arena, out);
	return s == GLLM_OK ? s : gllm_fail(x->e, s, "the operator's trace exceeds a limit of composition", o->name, node, 0, 0);
}

static void note(struct fuser *x, unsigned producer, unsigned consumer, uint16_t tensor, bool accepted, const char *why)
{
	struct gllm_fusion *f = x->f;
	if (f->nnotes < f->max_notes)
		f->note[f->nnotes++] = (struct gllm_note){ (uint16_t)producer, (uint16_t)consumer, tensor, accepted, why };
}

static bool reads(const struct fuser *x, unsigned node, unsigned param)
{
	enum gllm_param_kind k = op_of(x, node)->param[param].kind;
	return k == GLLM_IN || k == GLLM_WEIGHT;
}

/* Whether `node` needs, through any path, a value of group `g` other than by reading `tensor` itself. Nodes stand in an
 * order that can run, so one pass forward suffices. */
static bool depends(struct fuser *x, unsigned node, unsigned g, uint16_t tensor)
{
	for (unsigned i = 0; i <= node; i++) {
		x->reached[i] = x->f->group_of[i] == g;
		for (unsigned p = 0; p < op_of(x, i)->nparams && !x->reached[i]; p++) {
			if (!reads(x, i, p))
				continue;
			uint16_t id = x->g->node[i].actual[p].tensor, producer = x->g->tensor[id].producer;
			if (producer != 0xffff && !(i == node && id == tensor))
				x->reached[i] = x->reached[producer];
		}
	}
	return x->reached[node];
}

static const char *refuses(struct fuser *x, unsigned node, unsigned g, uint16_t tensor)
{
	const struct gllm_graph_tensor_entry *t = &x->g->tensor[tensor];
	const struct gllm_group *group = &x->f->group[g];
	if (t->kind == GLLM_TENSOR_OUTPUT)
		return "the value is an output of the graph";
	if (t->consumers != 1)
		return "the value has several readers";
	if (group->n > GLLM_GROUP_DEPTH)
		return "the group is as deep as is allowed";
	if (depends(x, node, g, tensor))
		return "another operand needs the group's result first";
	return NULL;
}

static bool has_carry(const struct gllm_trace *t)
{
	for (unsigned i = 0; i < t->nnodes; i++)
		if (t->node[i].op == GLLM_N_CARRY)
			return true;
	return false;
}

/* Joins `node`, a group of its own, to group `g`. True if it did. */
static bool join(struct fuser *x, unsigned node, unsigned g, uint16_t tensor)
{
	struct gllm_group *to = &x->f->group[g], *own = &x->f->group[x->f->group_of[node]];
	unsigned producer = x->g->tensor[tensor].producer;
	const char *why = refuses(x, node, g, tensor);
	struct gllm_arena mark = *x->arena;
	struct gllm_composed *fused = NULL;
	enum gllm_status s = GLLM_UNSUPPORTED;
	if (!why) {
		fused = gllm_alloc(x->arena, sizeof *fused, 8);
		s = fused ? gllm_compose_splice(to->composed, own->composed, tensor, false, x->arena, fused, &why)
		          : GLLM_OUT_OF_MEMORY;
	}
	if (s != GLLM_OK) {
		size_t high = x->arena->high;
		*x->arena = mark;
		x->arena->high = high;
		note(x, producer, node, tensor, false, why ? why : gllm_status_text(s));
		return false;
	}
	const struct gllm_graph_tensor_entry *t = &x->g->tensor[tensor];
	to->composed = fused;
	to->node[to->n++] = (uint16_t)node;
	to->mode = has_carry(&fused->trace) ? GLLM_MODE_EPILOGUE : GLLM_MODE_LOOP;
	to->bytes_saved += 2 * gllm_dim_value(t->rows, x->g->max_rows) * t->cols * gllm_type_bytes(t->type);
	own->n = 0;
	x->f->group_of[node] = (uint16_t)g;
	note(x, producer, node, tensor, true, to->mode == GLLM_MODE_EPILOGUE ? "a map over the elements being stored"
	                                                                      : "maps over one index space");
	return true;
}

/* Offers a node to the groups that produce its operands, the latest first: the others are then ready before it. */
static void offer(struct fuser *x, unsigned node)
{
	unsigned below = x->g->nnodes;
	for (;;) {
		unsigned best = below, tensor = 0;
		bool found = false;
		for (unsigned p = 0; p < op_of(x, node)->nparams; p++) {
			if (!reads(x, node, p))
				continue;
			uint16_t id = x->g->node[node].actual[p].tensor, producer = x->g->tensor[id].producer;
			if (producer != 0xffff && producer < below && (!found || producer > best)) {
				best = producer;
				tensor = id;
				found = true;
			}
		}
		if (!found || join(x, node, x->f->group_of[best], (uint16_t)tensor))
			return;
		below = best;
	}
}

/* Kahn's algorithm over groups, lowest first node first; empty groups vanish. */
static enum gllm_status order(struct fuser *x)
{
	struct gllm_fusion *f = x->f;
	unsigned n = x->g->nnodes, done = 0, live = 0;
	struct gllm_group *sorted = gllm_alloc_array(x->arena, n ? n : 1, sizeof *sorted, 8);
	bool *placed = gllm_alloc_array(x->arena, n ? n : 1, sizeof *placed, 1);
	if (!sorted || !placed)
		return GLLM_OUT_OF_MEMORY;
	for (unsigned i = 0; i < n; i++) {
		placed[i] = f->group[i].n == 0;
		live += f->group[i].n != 0;
	}
	while (done < live) {
		unsigned next = n;
		for (unsigned g = 0; g < n && next == n; g++) {
			bool ready = !placed[g];
			for (unsigned i = 0; ready && i < f->group[g].n; i++) {
				unsigned node = f->group[g].node[i];
				for (unsigned p = 0; ready && p < op_of(x, node)->nparams; p++) {
					if (!reads(x, node, p))
						continue;
					uint16_t from = x->g->tensor[x->g->node[node].actual[p].tensor].producer;
					ready = from == 0xffff || f->group_of[from] == g || placed[f->group_of[from]];
				}
			}
			if (ready)
				next = g;
		}
		if (next == n)
			return gllm_fail(x->e, GLLM_CYCLE, "fused groups depend on each other in a circle", x->g->name, done, live, done);
		placed[next] = true;
		sorted[done++] = f->group[next];
	}
	f->group = sorted;
	f->ngroups = done;
	for (unsigned g = 0; g < done; g++)
		for (unsigned i = 0; i < sorted[g].n; i++)
			f->group_of[sorted[g].node[i]] = (uint16_t)g;
	return GLLM_OK;
}

/* A group whose trace is one kernel. */
static enum gllm_status one_part(struct fuser *x, struct gllm_group *g)
{
	if (!g->composed)
		return GLLM_OK;
	g->part = gllm_alloc(x->arena, sizeof *g->part, 8);
	if (!g->part)
		return GLLM_OUT_OF_MEMORY;
	g->nparts = 1;
	*g->part = (struct gllm_part){ .code = g->composed };
	for (unsigned i = 0; i < g->composed->trace.nparams; i++)
		g->part->source[i] = g->composed->source[i];
	return GLLM_OK;
}

enum gllm_status gllm_fuse(struct gllm_context *c, const struct gllm_graph *g, bool fuse, bool scalar,
                           struct gllm_arena *arena, struct gllm_fusion *out, struct gllm_error *e)
{
	struct fuser x = { c, g, arena, out, NULL, e };
	unsigned n = g->nnodes, least = n ? n : 1;
	*out = (struct gllm_fusion){ .max_notes = 4 * n };
	out->group = gllm_alloc_array(arena, least, sizeof *out->group, 8);
	out->group_of = gllm_alloc_array(arena, least, sizeof *out->group_of, 8);
	out->note = gllm_alloc_array(arena, 4 * least, sizeof *out->note, 8);
	x.reached = gllm_alloc_array(arena, least, sizeof *x.reached, 8);
	if (!out->group || !out->group_of || !out->note || !x.reached)
		return gllm_fail(e, GLLM_OUT_OF_MEMORY, "compile scratch is too small for the graph", g->name, 0, 0, 0);
	for (unsigned i = 0; i < n; i++) {
		out->group[i] = (struct gllm_group){ .node = { (uint16_t)i }, .n = 1, .mode = GLLM_MODE_STANDALONE };
		out->group_of[i] = (uint16_t)i;
		if (scalar)
			continue;
		struct gllm_composed *own = gllm_alloc(arena, sizeof *own, 8);
		out->group[i].composed = own;
		enum gllm_status s = own ? apply(&x, i, own) : GLLM_OUT_OF_MEMORY;
		if (s != GLLM_OK)
			return gllm_fail(e, s, "compile scratch is too small for the graph", g->name, i, 0, 0);
	}
	if (fuse && !scalar)
		for (unsigned i = 0; i < n; i++)
			offer(&x, i);
	enum gllm_status s = order(&x);
	for (unsigned i = 0; s == GLLM_OK && i < out->ngroups; i++)
		s = one_part(&x, &out->group[i]);
	return s == GLLM_OK ? s : gllm_fail(e, s, "compile scratch is too small for the graph", g->name, 0, 0, 0);
}
