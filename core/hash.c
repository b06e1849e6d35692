/* SPDX-License-Identifier: MIT
 * core/hash.c - see hash.h. */
#include "core/hash.h"
#include "core/bits.h"

uint64_t gllm_hash_text(uint64_t h, const char *s)
{
	uint64_t word = 0;
	unsigned n = 0;
	for (; *s; s++) {
		word = word << 8 | (unsigned char)*s;
		if (++n % 8 == 0)
			h = gllm_hash_word(h, word);
	}
	return gllm_hash_word(gllm_hash_word(h, word), n);
}

/* Eight chains, so that the latency of one product hides behind the others. */
uint64_t gllm_hash_block(const unsigned char *p, size_t n)
{
	const uint64_t s = GLLM_HASH_SEED;
	uint64_t a = s, b = s + 1, c = s + 2, d = s + 3, e = s + 4, f = s + 5, g = s + 6, h = s + 7, length = n;
	for (; n >= 64; n -= 64, p += 64) {
		a = gllm_hash_word(a, gllm_le64(p));
		b = gllm_hash_word(b, gllm_le64(p + 8));
		c = gllm_hash_word(c, gllm_le64(p + 16));
		d = gllm_hash_word(d, gllm_le64(p + 24));
		e = gllm_hash_word(e, gllm_le64(p + 32));
		f = gllm_hash_word(f, gllm_le64(p + 40));
		g = gllm_hash_word(g, gllm_le64(p + 48));
		h = gllm_hash_word(h, gllm_le64(p + 56));
	}
	for (; n >= 8; n -= 8, p += 8)
		a = gllm_hash_word(a, gllm_le64(p));
	uint64_t rest = 0;
	for (size_t i = 0; i < n; i++)
		rest |= (uint64_t)p[i] << 8 * i;
	if (n)
		b = gllm_hash_word(b, rest);
	const uint64_t all[] = { a, b, c, d, e, f, g, h };
	for (unsigned i = 0; i < GLLM_COUNT(all); i++)
		length = gllm_hash_word(length, all[i]);
	return length;
}
