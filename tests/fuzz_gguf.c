/* SPDX-License-Identifier: MIT
 * tests/fuzz_gguf.c - reading models from any bytes: hosted, for libFuzzer or alone.
 *
 * clang -g -O1 -fsanitize=fuzzer,address,undefined -DGLLM_LIBFUZZER -Iinclude -I. tests/fuzz_gguf.c infer/gguf.c \
 *       infer/config.c infer/tokenizer.c core/status.c -o fuzz_gguf && ./fuzz_gguf -max_total_time=60
 * Without a fuzzer's runtime leave out fuzzer and -DGLLM_LIBFUZZER: the program then mutates files of
 * tests/gguf_build.h itself (arguments: rounds, seed). A wrong answer ends in abort, a wrong access in the sanitiser. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "gllm/model.h"
#include "tests/gguf_build.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static volatile uint64_t sink; /* so that reading is not optimised away */

static void require(bool holds, const char *what)
{
	if (!holds) {
		fprintf(stderr, "does not hold: %s\n", what);
		abort();
	}
}

static void agree(enum gllm_status s, const struct gllm_error *e, size_t size)
{
	require(s == e->status, "status is that of the record");
	require((s == GLLM_OK) == !e->what, "a failure has words");
	require(s == GLLM_OK || e->where <= size || s == GLLM_INVALID_ARGUMENT, "the place lies in the file");
}

static void read_values(const struct gllm_gguf *g)
{
	for (uint64_t i = 0; i < g->value_count; i++) {
		const struct gllm_gguf_value *v = &g->values[i];
		uint64_t at = 0, sum = 0;
		for (uint64_t k = 0; v->type == GLLM_GGUF_STRING && k < v->count; k++) {
			struct gllm_text s = gllm_gguf_next_string(v, &at);
			for (size_t n = 0; n < s.n; n++)
				sum += (unsigned char)s.at[n];
		}
		for (uint64_t k = 0; v->type != GLLM_GGUF_STRING && k < v->count; k++)
			sum += (uint64_t)gllm_gguf_integer_at(v, k) + (gllm_gguf_float_at(v, k) > 0.0f);
		char key[32];
		size_t n = v->key.n < sizeof key ? v->key.n : 0;
		memcpy(key, v->key.at, n);
		key[n] = 0;
		if (n && strlen(key) == n)
			require(gllm_gguf_value(g, key) == v, "a key is found by its text");
		sink = sum;
	}
}

static void read_tensors(const struct gllm_gguf *g)
{
	for (uint64_t i = 0; i < g->tensor_count; i++) {
		const struct gllm_gguf_tensor *t = &g->tensors[i];
		require(t->data >= g->bytes && t->bytes <= (uint64_t)(g->bytes + g->size - t->data), "a tensor lies in the file");
		require(t->bytes > 0, "a tensor is not empty");
		sink = (uint64_t)(t->data[0] + t->data[t->bytes - 1]);
	}
}

static void use_tokenizer(const struct gllm_gguf *g, const uint8_t *text, size_t n)
{
	struct gllm_error e = { 0 };
	struct gllm_tokenizer t;
	size_t need = 0, count = 0;
	enum gllm_status s = gllm_tokenizer_workspace(g, &need, &e);
	agree(s, &e, g->size);
	if (s != GLLM_OK)
		return;
	void *table = malloc(need);
	s = gllm_tokenizer_init(&t, g, table, need, &e);
	agree(s, &e, g->size);
	size_t space = s == GLLM_OK ? gllm_tokenizer_encode_workspace(&t, n) : 0;
	void *work = malloc(space);
	int32_t *ids = malloc((3 * n + 8) * sizeof *ids);
	char *out = s == GLLM_OK ? malloc(t.longest + 1) : NULL;
	bool start = true;
	if (s == GLLM_OK)
		s = gllm_tokenizer_encode(&t, (const char *)text, n, true, ids, 3 * n + 8, &count, work, space, &e);
	for (size_t i = 0; s == GLLM_OK && i < count; i++) {
		size_t bytes = 0;
		require(gllm_tokenizer_decode(&t, ids[i], &start, out, t.longest, &bytes, NULL) == GLLM_OK, "a token can be decoded");
	}
	free(out);
	free(ids);
	free(work);
	free(table);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct gllm_error e = { 0 };
	struct gllm_gguf g;
	struct gllm_llama_config c;
	size_t need = 0;
	enum gllm_status s = gllm_gguf_workspace(data, size, &need, &e);
	agree(s, &e, size);
	if (s != GLLM_OK)
		return 0;
	require(need <= 4 * size + 64, "the index is bounded by the file");
	void *index = malloc(need);
	s = gllm_gguf_open(&g, data, size, index, need, &e);
	agree(s, &e, size);
	if (s == GLLM_OK) {
		read_values(&g);
		read_tensors(&g);
		use_tokenizer(&g, data + size - size % 61, size % 61);
		s = gllm_llama_config(&c, &g, &e);
		agree(s, &e, size);
	}
	for (unsigned w = 0; s == GLLM_OK && w < GLLM_LLAMA_TENSOR_COUNT; w++) {
		const void *weights;
		enum gllm_type type;
		gllm_llama_weights(&g, &c, (enum gllm_llama_tensor)w, 0, &weights, &type, NULL);
	}
	free(index);
	return 0;
}

#ifndef GLLM_LIBFUZZER
static uint64_t state;

static uint64_t next(uint64_t below)
{
	state = state * 6364136223846793005 + 1442695040888963407;
	return (state >> 33) % below;
}

static const uint64_t telling[] = { 0, 1, 2, 4, 8, 9, 12, 13, 31, 32, 63, 64, 65, 255, 256, 65535, 65536, INT32_MAX, UINT32_MAX,
	1ull << 32, INT64_MAX, 1ull << 63, UINT64_MAX, UINT64_MAX - 31, UINT64_MAX / 4 + 1, UINT64_MAX / 8 + 2 };

/* One change to a file: bits, bytes, a telling number in place of another, a move, a cut. Returns the new size. */
static size_t mutate(uint8_t *p, size_t n, size_t described)
{
	size_t at = next(described), from = next(described), width = (size_t)1 << next(4);
	switch (next(6)) {
	case 0: p[at] ^= (uint8_t)(1u << next(8)); break;
	case 1: p[at] = (uint8_t)next(256); break;
	case 2: case 3:
		for (size_t i = 0, k = next(sizeof telling / sizeof *telling); i < width && at + i < n; i++)
			p[at + i] = (uint8_t)(telling[k] >> 8 * i);
		break;
	case 4:
		width = next(64);
		if (at + width <= n && from + width <= n)
			memmove(p + at, p + from, width);
		break;
	default:
		if (next(8) == 0)
			return next(n) + 1;
	}
	return n;
}

int main(int argc, char **argv)
{
	unsigned long rounds = argc > 1 ? strtoul(argv[1], NULL, 0) : 100000;
	state = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;
	static unsigned char file[8192];
	struct build b;
	build_llama(&b, file, sizeof file, (struct lie){ 0 });
	for (unsigned long i = 0; i < rounds; i++) {
		size_t n = b.n, described = n - (size_t)b.offset;
		uint8_t *copy = malloc(n);
		memcpy(copy, file, n);
		for (uint64_t k = 1 + next(4); k--;)
			n = mutate(copy, n, described < n ? described : n);
		uint8_t *exact = malloc(n);
		memcpy(exact, copy, n);
		LLVMFuzzerTestOneInput(exact, n);
		free(exact);
		free(copy);
	}
	printf("%lu files read, none read wrongly\n", rounds);
	return 0;
}
#endif
