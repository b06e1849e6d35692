/* SPDX-License-Identifier: MIT
 * tests/diff/insn_long_x86.c - hosted: the x86-64 half of insn_long.c. */
#include <string.h>
#include "tests/diff/insn_long.h"
#include "tests/diff/x86_random.h"

static uint64_t draw(void *user)
{
	uint64_t *state = user, z = *state += UINT64_C(0x9e3779b97f4a7c15);
	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

size_t insn_long_x86(const unsigned char *bytes, size_t size, char *text, size_t text_size)
{
	struct gllm_insn in;
	if (gllm_x86_decode(bytes, size, 0, &in) != GLLM_OK)
		return 0;
	for (unsigned j = 0; j < in.n; j++)
		if (in.op[j].kind == GLLM_O_REL)
			in.op[j].imm -= in.length;
	gllm_x86_text(&in, text, text_size);
	return in.length;
}

size_t insn_long_x86_instance(unsigned char *bytes, uint64_t *seed)
{
	const struct x86_draw r = { draw, seed };
	for (unsigned tries = 0; tries < 8; tries++) {
		struct gllm_insn in;
		x86_random_insn(&r, (unsigned)(draw(seed) >> 8) % X86_ROWS, &in);
		size_t n = gllm_x86_encode(&in, bytes);
		if (!n)
			continue;
		for (size_t i = n; i < 16; i++)
			bytes[i] = (unsigned char)draw(seed);
		if (draw(seed) % 4 == 0) /* one bit away from an instruction */
			bytes[draw(seed) % n] ^= (unsigned char)(1u << (draw(seed) & 7));
		return n;
	}
	return 0;
}
