/* SPDX-License-Identifier: MIT
 * jit/record.c - whether a trace recorded at build time may stand for lifting.
 *
 * A table is input like any other: pointers it holds are taken as the linker made them, but nothing it counts, numbers or
 * names is followed before it was checked. */
#include "jit/record.h"

static bool same_text(const char *a, const char *b)
{
	while (*a && *a == *b)
		a++, b++;
	return *a == *b;
}

const struct gllm_trace_record *gllm_record_find(const struct gllm_context *c, const struct gllm_op_entry *o)
{
	uint64_t from = (uint64_t)(uintptr_t)gllm_op_trace;
	for (unsigned i = 0; i < c->nrecorded; i++) {
		const struct gllm_trace_record *r = &c->recorded[i];
		if (from + (uint64_t)r->at == (uint64_t)(uintptr_t)o->fn && r->name && same_text(r->name, o->name))
			return r;
	}
	return NULL;
}

static bool same_params(const struct gllm_trace *t, const struct gllm_op_entry *o)
{
	bool same = t->nparams == o->nparams;
	for (unsigned i = 0; same && i < o->nparams; i++)
		same = t->param[i].kind == o->param[i].kind && t->param[i].type == o->param[i].type;
	return same;
}

static bool same_primitives(const struct gllm_trace_record *r, const struct gllm_image *img, uint64_t fn)
{
	for (unsigned i = 0; i < r->ncalls; i++) {
		bool found = false;
		for (unsigned k = 0; k < img->nknown && !found; k++)
			found = img->known[k].addr == fn + (uint64_t)r->call[i].at && img->known[k].what == r->call[i].what;
		if (!found)
			return false;
	}
	return true;
}

static bool same_bytes(const struct gllm_trace_record *r, const struct gllm_image *img, uint64_t fn)
{
	for (unsigned i = 0; i < r->nspans; i++) {
		const struct gllm_span *s = &r->span[i];
		const unsigned char *p = gllm_image_at(img, fn + (uint64_t)s->at, s->bytes, false);
		if (p && gllm_span_hash(p, s->bytes) != s->hash)
			return false;
	}
	return true;
}

enum gllm_status gllm_record_check(const struct gllm_trace_record *r, const struct gllm_image *img,
                                   const struct gllm_op_entry *o, const char **why)
{
	uint64_t fn = (uint64_t)(uintptr_t)o->fn;
	if (!r->trace || !r->span || r->nspans == 0 || r->nspans > GLLM_READ_SPANS || r->ncalls > GLLM_READ_CALLS ||
	    (r->ncalls && !r->call)) {
		*why = "the record itself is incomplete";
		return GLLM_BAD_VALUE;
	}
	*why = gllm_trace_flaw(r->trace);
	if (*why)
		return GLLM_BAD_VALUE;
	if (!same_params(r->trace, o))
		*why = "the recorded trace has other parameters";
	else if (!same_primitives(r, img, fn))
		*why = "the recorded trace calls other primitives";
	else if (!same_bytes(r, img, fn))
		*why = "the recorded trace is of other code";
	return *why ? GLLM_NOT_LIFTED : GLLM_OK;
}
