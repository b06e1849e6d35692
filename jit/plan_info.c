/* SPDX-License-Identifier: MIT
 * jit/plan_info.c - the block a plan lies in, and what a plan tells of itself. */
#include "core/bits.h"
#include "core/fmt.h"
#include "jit/context.h"
#include "jit/pieces.h"

struct gllm_plan *gllm_plan_new(struct gllm_context *c, const struct gllm_plan *like)
{
	size_t head = (size_t)gllm_round_up(sizeof *like, 64), pool = (size_t)gllm_round_up(like->pool_bytes, 64);
	size_t arrays = 0;
#define A(member, count, type, fields) arrays += (size_t)gllm_round_up(like->count * sizeof(type), 8);
	GLLM_PLAN_ARRAYS(A)
#undef A
	unsigned char *at = gllm_heap_alloc(&c->heap, head + pool + arrays + like->text_bytes);
	if (!at)
		return NULL;
	__builtin_memset(at + head, 0, pool); /* constants have gaps between them, which blobs hold */
	struct gllm_plan *p = (struct gllm_plan *)(void *)at;
	*p = *like;
	at += head;
	p->pool = at;
	at += pool;
#define A(member, count, type, fields) \
	p->member = (type *)(void *)at; \
	at += gllm_round_up(p->count * sizeof(type), 8);
	GLLM_PLAN_ARRAYS(A)
#undef A
	p->text = (char *)at;
	return p;
}

/* The heap leaves what it takes back as it is: only then is it known that this was a plan. */
enum gllm_status gllm_plan_free(struct gllm_context *c, struct gllm_plan *p)
{
	enum gllm_status s = gllm_heap_free(&c->heap, p);
	if (s != GLLM_OK || !p)
		return s;
	for (unsigned i = 0; i < p->nsteps; i++)
		if (p->step[i].piece)
			p->step[i].piece->users--;
	gllm_pieces_drop(c);
	return GLLM_OK;
}

size_t gllm_plan_workspace(const struct gllm_plan *p)
{
	return p->workspace;
}

const char *gllm_plan_name(const struct gllm_plan *p)
{
	return p->name;
}

unsigned gllm_plan_steps(const struct gllm_plan *p)
{
	return p->nsteps;
}

unsigned gllm_plan_groups(const struct gllm_plan *p)
{
	return p->nsteps ? p->step[p->nsteps - 1].info.group + 1 : 0;
}

enum gllm_status gllm_plan_step(const struct gllm_plan *p, unsigned i, struct gllm_step_info *out)
{
	if (i >= p->nsteps)
		return GLLM_INVALID_ARGUMENT;
	*out = p->step[i].info;
	union { gllm_kernel_fn *code; const unsigned char *data; } entry = { p->step[i].kernel };
	if (p->step[i].kernel)
		out->code_offset = (uint32_t)(entry.data - p->context->host.code.exec);
	return GLLM_OK;
}

uint64_t gllm_plan_bytes_moved(const struct gllm_plan *p)
{
	uint64_t bytes = 0;
	for (unsigned i = 0; i < p->nsteps; i++)
		bytes += p->step[i].info.bytes_moved;
	return bytes;
}

unsigned gllm_plan_nodes(const struct gllm_plan *p)
{
	return p->nnodes;
}

enum gllm_status gllm_plan_node(const struct gllm_plan *p, unsigned i, struct gllm_node_info *out)
{
	if (i >= p->nnodes)
		return GLLM_INVALID_ARGUMENT;
	*out = p->node[i];
	return GLLM_OK;
}

unsigned gllm_plan_tensors(const struct gllm_plan *p)
{
	return p->ntensors;
}

enum gllm_status gllm_plan_tensor(const struct gllm_plan *p, unsigned i, struct gllm_tensor_info *out)
{
	if (i >= p->ntensors)
		return GLLM_INVALID_ARGUMENT;
	*out = p->tensor[i].info;
	return GLLM_OK;
}

unsigned gllm_plan_edges(const struct gllm_plan *p)
{
	return p->nedges;
}

/* The last note over an edge is the decision that stands. */
enum gllm_status gllm_plan_edge(const struct gllm_plan *p, unsigned i, struct gllm_edge_info *out)
{
	if (i >= p->nedges)
		return GLLM_INVALID_ARGUMENT;
	*out = p->edge[i];
	for (unsigned k = 0; k < p->nnotes; k++) {
		const struct gllm_note *n = &p->note[k];
		if (n->producer == out->producer && n->consumer == out->consumer && n->tensor == out->tensor) {
			out->fused = n->accepted;
			out->why = n->why;
		}
	}
	return GLLM_OK;
}

unsigned gllm_plan_buffers(const struct gllm_plan *p)
{
	return p->nbuffers;
}

enum gllm_status gllm_plan_buffer(const struct gllm_plan *p, unsigned i, struct gllm_buffer_info *out)
{
	if (i >= p->nbuffers)
		return GLLM_INVALID_ARGUMENT;
	*out = p->buffer[i];
	return GLLM_OK;
}

static void say(void (*out)(void *user, const char *text, size_t n), void *user, const char *line)
{
	size_t n = 0;
	while (line[n])
		n++;
	out(user, line, n);
}

void gllm_plan_explain(const struct gllm_plan *p, void (*out)(void *user, const char *text, size_t n), void *user)
{
	char line[320];
	gllm_format(line, sizeof line, "plan %s: up to %llu rows, %u groups, %u steps, %llu bytes of workspace\n", p->name,
	            (unsigned long long)p->max_rows, gllm_plan_groups(p), p->nsteps, (unsigned long long)p->workspace);
	say(out, user, line);
	for (unsigned i = 0; i < p->nsteps; i++) {
		const struct gllm_step_info *s = &p->step[i].info;
		size_t n = gllm_format(line, sizeof line, "  %u.%u %s: %s, %s, %s, ", s->group, i, s->name, gllm_mode_name(s->mode),
		                       p->scalar ? "scalar" : gllm_pattern_name(s->pattern), s->strategy);
		if (s->times > 1)
			n += gllm_format(line + n, sizeof line - n, "%llu times, ", (unsigned long long)s->times);
		gllm_format(line + n, sizeof line - n, "%u bytes of code, saves %llu bytes, moves %llu, %llu cycles\n", s->code_bytes,
		            (unsigned long long)s->bytes_saved, (unsigned long long)s->bytes_moved, (unsigned long long)s->cycles);
		say(out, user, line);
	}
	for (unsigned i = 0; i < p->nnotes; i++) {
		const struct gllm_note *n = &p->note[i];
		gllm_format(line, sizeof line, "  %s %u %s -> %u %s over %s: %s (%llu bytes)\n", n->accepted ? "fused" : "kept apart",
		            n->producer, p->node[n->producer].name, n->consumer, p->node[n->consumer].name,
		            p->tensor[n->tensor].info.name, n->why, (unsigned long long)n->bytes);
		say(out, user, line);
	}
}
