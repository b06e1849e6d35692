/* SPDX-License-Identifier: MIT
 * tests/diff/x86_insn.c - hosted: prints instances of the x86-64 table for x86_insn.py to compare with an assembler.
 *
 *   x86_insn instances N SEED   N random instances of every row: "row encoding bytes text", tab-separated
 *   x86_insn decode < strings   for each line of hexadecimal bytes: "length text", or "-" if the table refuses them */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tests/diff/x86_random.h"

static const char *const row_name[X86_ROWS] = {
#define X(id, text, enc, pp, map, w, l, opc, n, ops, dec, isa, sem, arg, width) #id,
#include "arch/x86_64/insn.def"
#undef X
};

static uint64_t draw(void *user)
{
	uint64_t *state = user, z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static void instances(unsigned count, uint64_t seed)
{
	const struct x86_draw r = { draw, &seed };

	for (unsigned row = 0; row < X86_ROWS; row++) {
		for (unsigned i = 0; i < count; i++) {
			struct gllm_insn in;
			unsigned char bytes[16];
			char text[128];
			size_t n;
			do {
				x86_random_insn(&r, row, &in);
				n = gllm_x86_encode(&in, bytes);
			} while (n == 0);
			in.length = (uint8_t)n;
			for (unsigned j = 0; j < in.n; j++) /* targets as distances from the end, as the assembler spells them */
				if (in.op[j].kind == GLLM_O_REL)
					in.op[j].imm -= (int64_t)in.addr + (int64_t)n;
			gllm_x86_text(&in, text, sizeof text);
			printf("%s\t%u\t", row_name[row], (unsigned)gllm_x86_forms[row].enc);
			for (size_t j = 0; j < n; j++)
				printf("%02x", (unsigned)bytes[j]);
			printf("\t%s\n", text);
		}
	}
}

static void decode(void)
{
	char line[64];

	while (fgets(line, sizeof line, stdin)) {
		unsigned char bytes[16];
		unsigned byte;
		size_t n = 0;
		struct gllm_insn in;
		char text[128];
		while (n < sizeof bytes && sscanf(line + 2 * n, "%2x", &byte) == 1)
			bytes[n++] = (unsigned char)byte;
		if (gllm_x86_decode(bytes, n, 0, &in) != GLLM_OK) {
			puts("-");
			continue;
		}
		for (unsigned j = 0; j < in.n; j++)
			if (in.op[j].kind == GLLM_O_REL)
				in.op[j].imm -= in.length;
		gllm_x86_text(&in, text, sizeof text);
		printf("%u %s\n", (unsigned)in.length, text);
	}
}

int main(int argc, char **argv)
{
	if (argc == 4 && strcmp(argv[1], "instances") == 0)
		instances((unsigned)strtoul(argv[2], NULL, 0), strtoull(argv[3], NULL, 0));
	else if (argc == 2 && strcmp(argv[1], "decode") == 0)
		decode();
	else
		return fputs("usage: x86_insn instances N SEED | x86_insn decode\n", stderr), 2;
	return 0;
}
