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

/* Four chains, so that the latency of one product hides behind the others. */
uint64_t gllm_hash_block(const unsigned char *p, size_t n)
{
	uint64_t a = GLLM_HASH_SEED, b = a + 1, c = a + 2, d = a + 3, length = n;
	for (; n >= 32; n -= 32, p += 32) {
		a = gllm_hash_word(a, gllm_le64(p));
		b = gllm_hash_word(b, gllm_le64(p + 8));
		c = gllm_hash_word(c, gllm_le64(p + 16));
		d = gllm_hash_word(d, gllm_le64(p + 24));
	}
	for (; n >= 8; n -= 8, p += 8)
		a = gllm_hash_word(a, gllm_le64(p));
	uint64_t rest = 0;
	for (size_t i = 0; i < n; i++)
		rest |= (uint64_t)p[i] << 8 * i;
	if (n)
		b = gllm_hash_word(b, rest);
	return gllm_hash_word(gllm_hash_word(gllm_hash_word(gllm_hash_word(length, a), b), c), d);
}
