/* SPDX-License-Identifier: MIT
 * core/status.c - words of status codes, and the record that keeps the first failure. */
#include "gllm/status.h"
#include "core/bits.h"

static const char *const text[] = {
#define STATUS(code, words) [GLLM_ROW_##code] = words,
#include "gllm/status.def"
#undef STATUS
};

const char *gllm_status_text(enum gllm_status s)
{
	unsigned row = 0u - (unsigned)(int)s;
	return row < GLLM_COUNT(text) ? text[row] : "unknown status";
}

enum gllm_status gllm_fail(struct gllm_error *e, enum gllm_status s, const char *what, const char *name,
                           uint64_t where, uint64_t expected, uint64_t actual)
{
	if (!e || e->status != GLLM_OK || s == GLLM_OK)
		return s;
	e->status = s;
	e->what = what ? what : gllm_status_text(s);
	e->where = where;
	e->expected = expected;
	e->actual = actual;
	size_t n = 0;
	for (; name && name[n] && n + 1 < sizeof e->name; n++)
		e->name[n] = name[n];
	e->name[n] = 0;
	return s;
}
