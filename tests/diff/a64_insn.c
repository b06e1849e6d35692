/* SPDX-License-Identifier: MIT
 * tests/diff/a64_insn.c - hosted: prints instances of the AArch64 table for a64_insn.py to compare with an assembler.
 *
 *   a64_insn instances N SEED   N random instances of every row: "row word text"
 *   a64_insn decode < words     for each hexadecimal word: "word text", or "word -" if the table refuses it */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "arch/aarch64/form.h"
#include "core/bits.h"

static uint64_t state;

static uint32_t random32(void)
{
	state += UINT64_C(0x9e3779b97f4a7c15);
	uint64_t z = state;
	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return (uint32_t)(z >> 32);
}

static int text_of(uint32_t word, struct gllm_insn *in, char *text, size_t size)
{
	unsigned char bytes[4];
	gllm_put_le32(bytes, word);
	if (gllm_a64_decode(bytes, 4, 0, in) != GLLM_OK)
		return 0;
	gllm_a64_text(in, text, size);
	return 1;
}

static void instances(unsigned count)
{
	struct gllm_insn in;
	char text[128];
	for (unsigned row = 0; row < A64_ROW_COUNT; row++) {
		struct gllm_a64_key key = gllm_a64_key[row];
		unsigned printed = 0;
		for (unsigned i = 0; i < 64 * count && printed < count; i++) {
			uint32_t r = random32();
			switch (i & 3) { /* registers 31 and equal registers are where spellings change */
			case 1: r |= 31u << 5; break;
			case 2: r = (r & ~0x3e0u) | (r >> 16 & 31) << 5; break;
			default: break;
			}
			uint32_t word = key.fixed | (r & ~key.mask);
			if (text_of(word, &in, text, sizeof text)) {
				printf("%u %08x %s\n", row, (unsigned)word, text);
				printed++;
			}
		}
		if (!printed)
			printf("%u -------- no instance decodes: %s\n", row, gllm_a64_info[row].text);
	}
}

int main(int argc, char **argv)
{
	struct gllm_insn in;
	char text[128];
	unsigned word;
	if (argc == 4 && !strcmp(argv[1], "instances")) {
		state = strtoull(argv[3], NULL, 0);
		instances((unsigned)strtoul(argv[2], NULL, 0));
		return 0;
	}
	if (argc == 2 && !strcmp(argv[1], "decode")) {
		while (scanf("%x", &word) == 1)
			printf("%08x %s\n", word, text_of(word, &in, text, sizeof text) ? text : "-");
		return 0;
	}
	fprintf(stderr, "usage: a64_insn instances N SEED | a64_insn decode\n");
	return 2;
}
