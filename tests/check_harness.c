/* SPDX-License-Identifier: MIT
 * tests/check_harness.c - the harness itself must notice what is wrong. */
#include "check.h"

static void swallow(void *user, const char *text, size_t n)
{
	(void)text;
	*(size_t *)user += n;
}

void check_harness(struct check *t)
{
	size_t written = 0;
	struct check_host quiet = *t->host;
	quiet.put = swallow;
	quiet.user = &written;
	struct check inner = { .host = &quiet, .suite = "inner" };
	CHECK(&inner, 1 + 1 == 3);
	CHECK_EQ(&inner, 4, 5);
	CHECK_TEXT(&inner, "ab", "abc");
	CHECK(&inner, true);
	check_skip(&inner, "on purpose");
	CHECK_EQ(t, inner.failed, 3);
	CHECK_EQ(t, inner.passed, 1);
	CHECK_EQ(t, inner.skipped, 1);
	CHECK(t, written > 0);

	float nan = __builtin_nanf("");
	CHECK(t, check_ulp(1.0f, 1.0f) == 0.0);
	CHECK(t, check_ulp(1.0f, 0x1.000002p0f) == 1.0);
	CHECK(t, check_ulp(-0.0f, 0.0f) == 0.0);
	CHECK(t, check_ulp(-0x1p-149f, 0x1p-149f) == 2.0);
	CHECK(t, check_ulp(nan, nan) == 0.0);
	CHECK(t, check_ulp(nan, 1.0f) > 1e29);
}
