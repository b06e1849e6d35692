/* SPDX-License-Identifier: MIT
 * core/hash.h - 64-bit hashes of words, texts and blocks, eight bytes at a time. The same on every machine: blobs and keys
 * hold them. They find damage and tell things apart; they are no defence against a forger. */
#ifndef GLLM_HASH_H
#define GLLM_HASH_H
#include <stddef.h>
#include <stdint.h>

#define GLLM_HASH_SEED UINT64_C(0x9e3779b97f4a7c15)

/* For a given h every x gives another result, so that no change of a single word is lost. */
static inline uint64_t gllm_hash_word(uint64_t h, uint64_t x)
{
	h = (h ^ x) * UINT64_C(0xff51afd7ed558ccd);
	return h << 31 | h >> 33;
}

uint64_t gllm_hash_text(uint64_t h, const char *s);

/* `n` bytes at any address. */
uint64_t gllm_hash_block(const unsigned char *p, size_t n);
#endif
