/* SPDX-License-Identifier: MIT
 * core/mem.c - the four functions every C compiler may call on its own.
 *
 * Integer registers only, so they run before vector units are enabled. The empty asm in each loop keeps the compiler
 * from recognising the loop and replacing it by a call to the very function it stands in, whatever the flags. Words are
 * stored to aligned addresses; loads may be unaligned and are byte loads where the target was told -mstrict-align. */
#include <stddef.h>
#include <stdint.h>

typedef struct { uint64_t v; } __attribute__((packed, may_alias)) word_any;
typedef uint64_t __attribute__((may_alias)) word;

#define OPAQUE(p) __asm__ volatile("" : "+r"(p))
enum { W = sizeof(word) };

void *memcpy(void *restrict to, const void *restrict from, size_t n);
void *memmove(void *to, const void *from, size_t n);
void *memset(void *to, int value, size_t n);
int memcmp(const void *a, const void *b, size_t n);

static inline size_t to_boundary(const void *p, size_t n)
{
	size_t head = (size_t)(-(uintptr_t)p & (W - 1));
	return head < n ? head : n;
}

static void copy_up(unsigned char *d, const unsigned char *s, size_t n)
{
	size_t head = to_boundary(d, n);
	for (n -= head; head; head--) {
		*d++ = *s++;
		OPAQUE(d);
	}
	for (; n >= 4 * W; n -= 4 * W, d += 4 * W, s += 4 * W) {
		uint64_t v0 = ((const word_any *)s)[0].v, v1 = ((const word_any *)s)[1].v;
		uint64_t v2 = ((const word_any *)s)[2].v, v3 = ((const word_any *)s)[3].v;
		((word *)(void *)d)[0] = v0;
		((word *)(void *)d)[1] = v1;
		((word *)(void *)d)[2] = v2;
		((word *)(void *)d)[3] = v3;
		OPAQUE(d);
	}
	for (; n >= W; n -= W, d += W, s += W) {
		*(word *)(void *)d = ((const word_any *)s)->v;
		OPAQUE(d);
	}
	for (; n; n--) {
		*d++ = *s++;
		OPAQUE(d);
	}
}

static void copy_down(unsigned char *d, const unsigned char *s, size_t n) /* d, s: one past the end */
{
	size_t tail = (size_t)((uintptr_t)d & (W - 1));
	if (tail > n)
		tail = n;
	for (n -= tail; tail; tail--) {
		*--d = *--s;
		OPAQUE(d);
	}
	for (; n >= W; n -= W) {
		d -= W;
		s -= W;
		*(word *)(void *)d = ((const word_any *)s)->v;
		OPAQUE(d);
	}
	for (; n; n--) {
		*--d = *--s;
		OPAQUE(d);
	}
}

void *memcpy(void *restrict to, const void *restrict from, size_t n)
{
	copy_up(to, from, n);
	return to;
}

void *memmove(void *to, const void *from, size_t n)
{
	unsigned char *d = to;
	const unsigned char *s = from;
	if ((uintptr_t)d - (uintptr_t)s >= n) /* also true when d lies before s */
		copy_up(d, s, n);
	else
		copy_down(d + n, s + n, n);
	return to;
}

void *memset(void *to, int value, size_t n)
{
	unsigned char *d = to;
	uint64_t v = (unsigned char)value * UINT64_C(0x0101010101010101);
	size_t head = to_boundary(d, n);
	for (n -= head; head; head--) {
		*d++ = (unsigned char)v;
		OPAQUE(d);
	}
	for (; n >= 4 * W; n -= 4 * W, d += 4 * W) {
		((word *)(void *)d)[0] = v;
		((word *)(void *)d)[1] = v;
		((word *)(void *)d)[2] = v;
		((word *)(void *)d)[3] = v;
		OPAQUE(d);
	}
	for (; n >= W; n -= W, d += W) {
		*(word *)(void *)d = v;
		OPAQUE(d);
	}
	for (; n; n--) {
		*d++ = (unsigned char)v;
		OPAQUE(d);
	}
	return to;
}

int memcmp(const void *a, const void *b, size_t n)
{
	const unsigned char *p = a, *q = b;
	for (; n >= W && ((const word_any *)p)->v == ((const word_any *)q)->v; n -= W, p += W, q += W)
		OPAQUE(p);
	for (; n; n--, p++, q++) {
		if (*p != *q)
			return *p < *q ? -1 : 1;
		OPAQUE(p);
	}
	return 0;
}
