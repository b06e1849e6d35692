/* SPDX-License-Identifier: MIT
 * tests/diff/dequant.c - hosted: every decoder against all golden blocks, bit for bit. dequant FOLDER
 * FOLDER holds index.txt (a line a type: name, number, elements and bytes of a block, two counts, number of blocks) and, for
 * each type, NAME.blocks.bin and NAME.f32.bin. Types without a decoder count as failures. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "gllm/ops.h"

static void *load(const char *folder, const char *name, const char *ending, size_t bytes)
{
	char path[1024];
	snprintf(path, sizeof path, "%s/%s%s", folder, name, ending);
	FILE *f = fopen(path, "rb");
	unsigned char *p = malloc(bytes);
	if (!f || !p || fread(p, 1, bytes, f) != bytes) {
		fprintf(stderr, "dequant: cannot read %zu bytes of %s\n", bytes, path);
		exit(1);
	}
	fclose(f);
	return p;
}

static gllm_blocks_fn *decoder(const char *name)
{
	char op[64] = "dequant_";
	for (size_t i = 0; name[i] && i < 40; i++)
		op[8 + i] = (char)tolower((unsigned char)name[i]);
	for (unsigned i = 0; i < GLLM_OP_COUNT; i++)
		if (!strcmp(gllm_op_info[i].name, op) && gllm_op_info[i].sig == GLLM_SIG_blocks)
			return (gllm_blocks_fn *)gllm_op_info[i].ref;
	return NULL;
}

int main(int argc, char **argv)
{
	char line[256], name[32];
	size_t elements, bytes, blocks;
	unsigned passed = 0, failed = 0;
	if (argc != 2)
		return fprintf(stderr, "usage: dequant FOLDER\n"), 2;
	snprintf(line, sizeof line, "%s/index.txt", argv[1]);
	FILE *index = fopen(line, "r");
	if (!index)
		return fprintf(stderr, "dequant: no %s\n", line), 1;
	while (fgets(line, sizeof line, index)) {
		if (line[0] == '#' || sscanf(line, "%31s %*d %zu %zu %*d %*d %zu", name, &elements, &bytes, &blocks) != 4)
			continue;
		gllm_blocks_fn *decode = decoder(name);
		size_t out = blocks * elements * sizeof(float), differ = blocks * elements;
		uint8_t *x = load(argv[1], name, ".blocks.bin", blocks * bytes);
		float *want = load(argv[1], name, ".f32.bin", out), *got = malloc(out);
		if (decode && got) {
			decode(got, x, blocks);
			differ = 0;
			for (size_t i = 0; i < blocks * elements; i++)
				differ += memcmp(&got[i], &want[i], sizeof(float)) != 0;
		}
		if (differ)
			printf("%s: %zu of %zu elements differ\n", name, differ, blocks * elements);
		passed += differ == 0;
		failed += differ != 0;
		free(x), free(want), free(got);
	}
	fclose(index);
	printf("dequant: %u passed, %u failed\n", passed, failed);
	return failed != 0 || passed == 0;
}
