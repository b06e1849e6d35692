/* SPDX-License-Identifier: MIT
 * jit/reads.c - the parts of an image that a lifted function was read from. */
#include "jit/record.h"

uint64_t gllm_span_hash(const unsigned char *bytes, size_t n)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);
	for (size_t i = 0; i < n; i++)
		h = (h ^ bytes[i]) * UINT64_C(0x100000001b3);
	return h;
}

static int64_t span_end(const struct gllm_span *s)
{
	return s->at + (int64_t)s->bytes;
}

/* Adds [at, end); spans stay ascending, and those that touch become one. */
static bool add(struct gllm_reads *r, int64_t at, int64_t end)
{
	unsigned first = 0, last;
	while (first < r->nspans && span_end(&r->span[first]) < at)
		first++;
	for (last = first; last < r->nspans && r->span[last].at <= end; last++) {
		at = r->span[last].at < at ? r->span[last].at : at;
		end = span_end(&r->span[last]) > end ? span_end(&r->span[last]) : end;
	}
	unsigned gone = last - first;
	if (!gone && r->nspans == GLLM_READ_SPANS)
		return false;
	if (!gone)
		for (unsigned i = r->nspans; i > first; i--)
			r->span[i] = r->span[i - 1];
	for (unsigned i = last; gone > 1 && i < r->nspans; i++)
		r->span[i - gone + 1] = r->span[i];
	r->nspans = r->nspans + 1 - gone;
	r->span[first] = (struct gllm_span){ .at = at, .bytes = (uint32_t)(end - at) };
	return true;
}

static bool add_call(struct gllm_reads *r, int64_t at, enum gllm_primitive what)
{
	for (unsigned i = 0; i < r->ncalls; i++)
		if (r->call[i].at == at)
			return true;
	if (r->ncalls == GLLM_READ_CALLS)
		return false;
	r->call[r->ncalls++] = (struct gllm_record_call){ at, what };
	return true;
}

enum gllm_status gllm_reads_collect(struct gllm_reads *r, const struct flow *f, const struct sym *s,
                                    const struct gllm_image *img, struct gllm_error *e)
{
	bool room = true;
	r->nspans = r->ncalls = 0;
	for (unsigned i = 0; i < f->nops && room; i++) {
		const struct flow_place *at = &f->place[i];
		room = add(r, (int64_t)(at->addr - f->entry), (int64_t)(at->next - f->entry));
		if (room && flow_primitive(&f->op[i]))
			room = add_call(r, (int64_t)((uint64_t)f->op[i].imm - f->entry), (enum gllm_primitive)f->op[i].scale);
	}
	for (unsigned i = 0; i < s->nfolded && room; i++) {
		int64_t at = (int64_t)(s->folded[i].addr - f->entry);
		room = add(r, at, at + (int64_t)s->folded[i].bytes);
	}
	if (!room || s->nfolded == RAW_FOLDED)
		return gllm_fail(e, GLLM_OUT_OF_MEMORY, "the function is read from too many places to be recorded", NULL, 0,
		                 GLLM_READ_SPANS, r->nspans);
	for (unsigned i = 0; i < r->nspans; i++) {
		struct gllm_span *x = &r->span[i];
		const unsigned char *p = gllm_image_at(img, f->entry + (uint64_t)x->at, x->bytes, false);
		if (!p) /* one span over two adjoining ranges */
			return gllm_fail(e, GLLM_NOT_LIFTED, "the function lies in two ranges of the image", NULL,
			                 (uint64_t)x->at, x->bytes, 0);
		x->hash = gllm_span_hash(p, x->bytes);
	}
	return GLLM_OK;
}
