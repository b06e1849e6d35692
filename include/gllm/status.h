/* SPDX-License-Identifier: MIT
 * gllm/status.h - status codes and the sticky error record.
 *
 * Every call that can fail returns a gllm_status; nothing aborts or prints. A gllm_error keeps the FIRST failure that
 * was reported into it: the first failure is the cause, later ones are echoes. Callers may test the returned status
 * alone, or read the record for what, where, expected and actual. */
#ifndef GLLM_STATUS_H
#define GLLM_STATUS_H
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum gllm_status_row {
#define STATUS(code, words) GLLM_ROW_##code,
#include "gllm/status.def"
#undef STATUS
	GLLM_STATUS_COUNT
};

enum gllm_status {
#define STATUS(code, words) GLLM_##code = -(int)GLLM_ROW_##code,
#include "gllm/status.def"
#undef STATUS
	GLLM_STATUS_LEAST = -(int)GLLM_STATUS_COUNT /* below every code; fixes the type as signed */
};

struct gllm_error {
	enum gllm_status status; /* GLLM_OK while nothing failed */
	const char *what;        /* static text: which check failed; never NULL once status is set */
	uint64_t where;          /* offset, index or address that `what` speaks of */
	uint64_t expected, actual;
	char name[64];           /* the key, tensor or operator concerned; "" if none; always NUL-terminated */
};

/* Words for a status; "unknown status" outside the list. Never NULL. */
const char *gllm_status_text(enum gllm_status s);

/* Records a failure if `e` holds none yet and returns `s`. `e` may be NULL, `name` may be NULL. Cold: compilers keep what leads
 * here apart from what does not fail. */
__attribute__((cold)) enum gllm_status gllm_fail(struct gllm_error *e, enum gllm_status s, const char *what, const char *name,
                                                 uint64_t where, uint64_t expected, uint64_t actual);

#ifdef __cplusplus
}
#endif
#endif
