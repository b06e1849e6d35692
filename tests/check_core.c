/* SPDX-License-Identifier: MIT
 * tests/check_core.c - memory functions, arena, heap, status, types, formatting. */
#include "check.h"
#include "core/arena.h"
#include "core/bits.h"
#include "core/fmt.h"

void *memcpy(void *to, const void *from, size_t n);
void *memmove(void *to, const void *from, size_t n);
void *memset(void *to, int value, size_t n);
int memcmp(const void *a, const void *b, size_t n);

/* Calls go through pointers, so that no compiler answers in the functions' place. */
static void *(*volatile copy)(void *, const void *, size_t) = memcpy;
static void *(*volatile move)(void *, const void *, size_t) = memmove;
static void *(*volatile set)(void *, int, size_t) = memset;
static int (*volatile compare)(const void *, const void *, size_t) = memcmp;

enum { AREA = 160, GUARD = 0xa5 };

static unsigned char pattern(size_t i)
{
	return (unsigned char)(i * 7 + 1);
}

static void check_memory_functions(struct check *t)
{
	unsigned bad_copy = 0, bad_move = 0, bad_set = 0, bad_compare = 0;
	unsigned char a[AREA], b[AREA];
	for (size_t n = 0; n <= 67; n++)
		for (size_t da = 0; da < 9; da++)
			for (size_t sa = 0; sa < 9; sa++) {
				for (size_t i = 0; i < AREA; i++) {
					a[i] = GUARD;
					b[i] = pattern(i);
				}
				bad_copy += copy(a + 16 + da, b + sa, n) != a + 16 + da;
				for (size_t i = 0; i < AREA; i++)
					bad_copy += a[i] != (i - 16 - da < n ? pattern(i - 16 - da + sa) : GUARD);
				bad_compare += n && compare(a + 16 + da, b + sa, n) != 0;
				move(b + 16 + da, b + 16 + sa, n); /* overlapping both ways */
				for (size_t i = 0; i < AREA; i++)
					bad_move += b[i] != pattern(i - 16 - da < n ? i - da + sa : i);
				set(a + 16 + da, (int)(0x100 | sa), n);
				for (size_t i = 0; i < AREA; i++)
					bad_set += a[i] != (i - 16 - da < n ? sa : GUARD);
			}
	CHECK_EQ(t, bad_copy, 0);
	CHECK_EQ(t, bad_move, 0);
	CHECK_EQ(t, bad_set, 0);
	for (size_t n = 1; n <= 40; n++)
		for (size_t at = 0; at < n; at++) {
			for (size_t i = 0; i < n; i++)
				a[i] = b[i] = pattern(i);
			a[at] = 0x7f;
			b[at] = 0x80; /* bytes compare unsigned */
			if (at + 1 < n)
				a[n - 1] ^= 0xff; /* what differs later does not matter */
			bad_compare += !(compare(a, b, n) < 0 && compare(b, a, n) > 0 && compare(a, b, at) == 0);
		}
	CHECK_EQ(t, bad_compare, 0);
}

static void check_arena(struct check *t)
{
	static _Alignas(64) unsigned char memory[1024];
	struct gllm_arena a, count;
	gllm_arena_init(&a, memory, 300);
	gllm_arena_init(&count, NULL, 0);
	unsigned char *p = gllm_alloc(&a, 10, 1), *q = gllm_alloc(&a, 16, 64);
	CHECK(t, p == memory && q == memory + 64);
	CHECK(t, gllm_alloc(&count, 10, 1) == NULL && gllm_alloc(&count, 16, 64) == NULL);
	CHECK_EQ(t, count.used, a.used);
	struct gllm_arena saved = a;
	CHECK(t, gllm_alloc(&a, 300 - 80, 1) == memory + 80);
	CHECK(t, gllm_alloc(&a, 1, 1) == NULL);
	CHECK_EQ(t, a.used, 300);
	CHECK(t, gllm_alloc(&a, 0, 1) != NULL);
	saved.high = a.high;
	a = saved;
	CHECK(t, gllm_alloc(&a, 221, 1) == NULL);
	CHECK_EQ(t, a.used, 80);
	CHECK_EQ(t, a.high, 300);
	CHECK(t, gllm_alloc(&a, SIZE_MAX, 1) == NULL && gllm_alloc(&a, SIZE_MAX - 90, 64) == NULL);
	CHECK(t, gllm_alloc_array(&a, SIZE_MAX / 2, 3, 1) == NULL);
	CHECK_EQ(t, a.used, 80);
	gllm_alloc_array(&count, SIZE_MAX / 2, 3, 1);
	CHECK_EQ(t, count.used, SIZE_MAX);
	gllm_alloc(&count, 64, 64);
	CHECK_EQ(t, count.used, SIZE_MAX);
	gllm_arena_init(&a, memory + 1, 200); /* addresses are aligned, not offsets */
	CHECK(t, gllm_alloc(&a, 1, 32) == memory + 32);
}

static void check_heap(struct check *t)
{
	static unsigned char memory[64 * 64 + 63];
	enum { N = 24 };
	struct gllm_heap h;
	unsigned char *p[N] = { NULL };
	size_t size[N] = { 0 };
	unsigned bad = 0;
	CHECK_STATUS(t, gllm_heap_init(&h, NULL, 4096), GLLM_INVALID_ARGUMENT);
	CHECK_STATUS(t, gllm_heap_init(&h, memory, 100), GLLM_OUT_OF_MEMORY);
	CHECK(t, gllm_heap_alloc(&h, 1) == NULL);
	CHECK_STATUS(t, gllm_heap_init(&h, memory, sizeof memory), GLLM_OK);
	size_t whole = h.size - gllm_heap_overhead();
	CHECK(t, gllm_heap_alloc(&h, whole + 1) == NULL && gllm_heap_alloc(&h, SIZE_MAX) == NULL);
	for (int round = 0; round < 10000; round++) {
		unsigned i = check_below(t, N);
		for (size_t k = 0; p[i] && k < size[i]; k++)
			bad += p[i][k] != (unsigned char)i;
		if (p[i]) {
			bad += gllm_heap_free(&h, p[i]) != GLLM_OK;
			bad += gllm_heap_free(&h, p[i]) != GLLM_INVALID_ARGUMENT; /* twice */
			p[i] = NULL;
		} else if ((p[i] = gllm_heap_alloc(&h, size[i] = check_below(t, 500))) != NULL) {
			bad += ((uintptr_t)p[i] & 63) != 0;
			for (size_t k = 0; k < size[i]; k++)
				p[i][k] = (unsigned char)i;
		}
	}
	CHECK_EQ(t, bad, 0);
	CHECK_STATUS(t, gllm_heap_free(&h, memory + 65), GLLM_INVALID_ARGUMENT);
	CHECK_STATUS(t, gllm_heap_free(&h, &h), GLLM_INVALID_ARGUMENT);
	CHECK_STATUS(t, gllm_heap_free(&h, NULL), GLLM_OK);
	for (unsigned i = 0; i < N; i++)
		gllm_heap_free(&h, p[i]);
	CHECK_EQ(t, h.used, 0);
	CHECK(t, h.high > 0 && h.high <= h.size);
	CHECK(t, gllm_heap_alloc(&h, whole) != NULL); /* all pieces are one again */
}

static void check_status(struct check *t)
{
	struct gllm_error e = { .status = GLLM_OK };
	CHECK_TEXT(t, gllm_status_text(GLLM_OK), "ok");
	CHECK_TEXT(t, gllm_status_text(GLLM_CYCLE), "the graph has a cycle");
	CHECK_TEXT(t, gllm_status_text((enum gllm_status)1), "unknown status");
	CHECK_TEXT(t, gllm_status_text(GLLM_STATUS_LEAST), "unknown status");
	CHECK_EQ(t, -GLLM_IO_ERROR, 6); /* fixed for the C interface */
	for (unsigned i = 0; i < sizeof e.name; i++)
		e.name[i] = '?'; /* only the status says whether there is an error */
	CHECK_STATUS(t, gllm_fail(&e, GLLM_BAD_VALUE, "first", "a.key", 1, 2, 3), GLLM_BAD_VALUE);
	CHECK_STATUS(t, gllm_fail(&e, GLLM_TRUNCATED, "second", "b", 4, 5, 6), GLLM_TRUNCATED);
	CHECK_STATUS(t, e.status, GLLM_BAD_VALUE);
	CHECK_TEXT(t, e.what, "first");
	CHECK_TEXT(t, e.name, "a.key");
	CHECK(t, e.where == 1 && e.expected == 2 && e.actual == 3);
	CHECK_STATUS(t, gllm_fail(NULL, GLLM_OVERLAP, NULL, NULL, 0, 0, 0), GLLM_OVERLAP);
	char name[100];
	set(name, 'x', sizeof name);
	name[99] = 0;
	e.status = GLLM_OK;
	gllm_fail(&e, GLLM_OVERLAP, NULL, name, 0, 0, 0);
	CHECK(t, e.name[62] == 'x' && e.name[63] == 0 && e.what != NULL);
}

static void check_types(struct check *t)
{
	CHECK_EQ(t, gllm_type_bytes(GLLM_BF16), 2);
	CHECK_EQ(t, gllm_type_bytes(GLLM_I64), 8);
	CHECK_EQ(t, gllm_type_bytes(GLLM_TYPE_COUNT), 0);
	CHECK_TEXT(t, gllm_type_name(GLLM_F32), "f32");
	CHECK_TEXT(t, gllm_type_name(GLLM_MASK), "mask");
	CHECK_TEXT(t, gllm_type_name(GLLM_TYPE_COUNT), "unknown type");
}

#define FORMATS(t, want, ...)                                                    \
	do {                                                                     \
		size_t n_ = gllm_format(line, sizeof line, __VA_ARGS__);         \
		CHECK_TEXT(t, line, want);                                       \
		CHECK_EQ(t, n_, sizeof want - 1);                                \
	} while (0)

static void check_format(struct check *t)
{
	char line[400];
	FORMATS(t, "a 7 -7 ff c %", "a %u %d %x %c %%", 7u, -7, 255u, 'c');
	FORMATS(t, "18446744073709551615 -9223372036854775808 5", "%llu %lld %zu", ~0ull, -0x7fffffffffffffffll - 1,
	        (size_t)5);
	FORMATS(t, "[   42] [42   ] [00042] [-0042] [  ab]", "[%5d] [%-5d] [%05d] [%05d] [%4s]", 42, 42, 42, -42, "ab");
	FORMATS(t, "[abc] [ab ] [  7]", "[%.3s] [%-3.*s] [%*d]", "abcdef", 2, "abcdef", 3, 7);
	FORMATS(t, "1.500000 2 2 4 -0.0 0.13", "%f %.0f %.0f %.0f %.1f %.2f", 1.5, 1.5, 2.5, 3.5, -0.04, 0.125000001);
	FORMATS(t, "0.12 0.38 9.99 10.0 1000", "%.2f %.2f %.2f %.1f %.0f", 0.125, 0.375, 9.99, 9.96, 999.5);
	FORMATS(t, "inf -inf nan", "%f %f %.1f", __builtin_inf(), -__builtin_inf(), __builtin_nan(""));
	FORMATS(t, "0.1000000000000000055511151231257827021182", "%.40f", 0.1);
	FORMATS(t,
	        "179769313486231570814527423731704356798070567525844996598917476803157260780028538760589558632766878171540"
	        "458953514382464234321326889464182768467546703537516986049910576551282076245490090389328944075868508455133"
	        "942304583236903222948165808559332123348274797826204144723168738177180919299881250404026184124858368",
	        "%.0f", 0x1.fffffffffffffp1023);
	FORMATS(t, "4294967295.5 4294967296.0 18446744073709551616", "%.1f %.1f %.0f", 4294967295.5, 4294967296.0, 0x1p64);
	FORMATS(t, "[42   ] [-0042]", "[%0*d] [%0*d]", -5, 42, 5, -42); /* at the left edge no zeros */
	FORMATS(t, "%q 1", "%%q %d", 1);
	char small[6] = { 1, 1, 1, 1, 1, 1 };
	CHECK_EQ(t, gllm_format(small, 5, "%s", "abcdefgh"), 8);
	CHECK_TEXT(t, small, "abcd");
	CHECK_EQ(t, small[5], 1);
	CHECK_EQ(t, gllm_format(NULL, 0, "%d", 12345), 5);
	struct gllm_line l = gllm_line(line, sizeof line);
	gllm_put_hex(&l, 0xbeef, 8);
	gllm_put_char(&l, ' ');
	gllm_put_string(&l, NULL);
	CHECK_TEXT(t, line, "0000beef (null)");
}

void check_core(struct check *t)
{
	check_memory_functions(t);
	check_arena(t);
	check_heap(t);
	check_status(t);
	check_types(t);
	check_format(t);
}
