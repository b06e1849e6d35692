/* SPDX-License-Identifier: MIT
 * tests/check_unlifted.h - the operators of tests/unlifted.def. */
#ifndef CHECK_UNLIFTED_H
#define CHECK_UNLIFTED_H
#include "check.h"
#include "gllm/ops.h"

#ifdef __clang__
enum { UNLIFTED_CLANG = 1 };
#else
enum { UNLIFTED_CLANG = 0 };
#endif
#ifdef __aarch64__
enum { UNLIFTED_A64 = 1 };
#else
enum { UNLIFTED_A64 = 0 };
#endif
enum {
	UNLIFTED_ANY = 1,
	UNLIFTED_A64_GCC = UNLIFTED_A64 && !UNLIFTED_CLANG,
	UNLIFTED_A64_CLANG = UNLIFTED_A64 && UNLIFTED_CLANG,
	UNLIFTED_X86_CLANG = !UNLIFTED_A64 && UNLIFTED_CLANG,
};

/* Lifting or compiling operator `op` gave `s`: true, and counted as skipped, if that is a known refusal. */
static inline bool check_known_unlifted(struct check *t, unsigned op, enum gllm_status s)
{
	static const struct {
		enum gllm_op op;
		bool here;
		const char *reason;
	} row[] = {
#define UNLIFTED(name, where, text) { GLLM_OP_##name, UNLIFTED_##where, #name ": " text },
#include "unlifted.def"
#undef UNLIFTED
	};
	if (s != GLLM_NOT_LIFTED && s != GLLM_COMPILE_ERROR)
		return false;
	for (unsigned i = 0; i < sizeof row / sizeof row[0]; i++)
		if (row[i].op == op && row[i].here) {
			check_skip(t, row[i].reason);
			return true;
		}
	return false;
}
#endif
