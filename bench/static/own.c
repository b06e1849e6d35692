/* SPDX-License-Identifier: MIT
 * bench/static/own.c - the code of operators of users, which no graph in a file can name, as "gllm disasm" prints it.
 * own ISA K: a product of 8-bit integers, 256 x 256 x K; own ISA q4_k: rows of Q4_K blocks times a vector (examples/gemv_q4_k.c) */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "core/target.h"
#include "gllm/graph.h"
#include "tests/fixtures/user_ops.h"
#include "tools/host.h"

enum { N = 256, BLOCKS = 8, BLOCK_BYTES = 144, BLOCK = 256 };

void my_gemv_q4_k(float *restrict y, const uint8_t *restrict w, const float *restrict x, size_t rows, size_t blocks);

static struct gllm_plan *product(struct gllm_context *c, uint64_t k, struct gllm_error *e)
{
	const struct user_op *u = &user_op[USER_product_i8];
	struct gllm_graph *g;
	struct gllm_plan *p = NULL;
	unsigned op;
	if (gllm_register(c, u->name, u->fn, u->param, u->nparams, u->call, &op, e) != GLLM_OK ||
	    gllm_graph_create(c, "product", 1, 3, 1, &g, e) != GLLM_OK)
		return NULL;
	gllm_tensor y = gllm_graph_tensor(g, GLLM_TENSOR_OUTPUT, GLLM_F32, N, N, "c"), a = gllm_graph_tensor(g, GLLM_TENSOR_INPUT, GLLM_I8, N, k, "a"),
	            w = gllm_graph_tensor(g, GLLM_TENSOR_WEIGHT, GLLM_I8, N, k, "w");
	gllm_graph_node(g, op, 1, (struct gllm_actual[]){ GLLM_T(y), GLLM_T(a), GLLM_T(w), GLLM_D(N), GLLM_D(N), GLLM_D(k), GLLM_S(1) }, 7);
	gllm_compile(c, g, NULL, &p, e);
	return p;
}

static struct gllm_plan *blocks(struct gllm_context *c, struct gllm_error *e)
{
	static const struct gllm_param param[] = {
		{ "y", GLLM_OUT, GLLM_F32 }, { "w", GLLM_WEIGHT, GLLM_U8 }, { "x", GLLM_IN, GLLM_F32 }, { "rows", GLLM_DIM, GLLM_I64 },
		{ "blocks", GLLM_DIM, GLLM_I64 },
	};
	struct gllm_graph *g;
	struct gllm_plan *p = NULL;
	unsigned op;
	if (gllm_register(c, "gemv_q4_k", (gllm_any_fn *)my_gemv_q4_k, param, 5, NULL, &op, e) != GLLM_OK ||
	    gllm_graph_create(c, "blocks", 1, 3, 1, &g, e) != GLLM_OK)
		return NULL;
	gllm_tensor y = gllm_graph_tensor(g, GLLM_TENSOR_OUTPUT, GLLM_F32, 1, N, "y"),
	            w = gllm_graph_tensor(g, GLLM_TENSOR_WEIGHT, GLLM_U8, N, BLOCKS * BLOCK_BYTES, "w"),
	            x = gllm_graph_tensor(g, GLLM_TENSOR_INPUT, GLLM_F32, 1, BLOCKS * BLOCK, "x");
	gllm_graph_node(g, op, 1, (struct gllm_actual[]){ GLLM_T(y), GLLM_T(w), GLLM_T(x), GLLM_D(N), GLLM_D(BLOCKS) }, 5);
	gllm_compile(c, g, NULL, &p, e);
	return p;
}

/* The plan against the function; sums in another order may differ by the rounding of their terms. */
static int blocks_agree(const struct gllm_plan *p)
{
	static uint8_t w[N * BLOCKS * BLOCK_BYTES];
	static float x[BLOCKS * BLOCK], y[N], want[N];
	static _Alignas(64) unsigned char workspace[1 << 16];
	void *bind[] = { y, w, x };
	struct gllm_error e;
	uint32_t state = 1;
	for (size_t i = 0; i < sizeof w; i++) {
		state = state * 1664525u + 1013904223u;
		w[i] = (uint8_t)(state >> 24);
		if (i % BLOCK_BYTES == 1 || i % BLOCK_BYTES == 3)
			w[i] = 0x2c | (w[i] & 0x83); /* moderate halves */
	}
	for (size_t i = 0; i < BLOCKS * BLOCK; i++)
		x[i] = (float)(i % 19) * 0.1f - 0.9f;
	if (gllm_plan_workspace(p) > sizeof workspace || gllm_plan_run(p, bind, 1, workspace, &e) != GLLM_OK)
		return 0;
	my_gemv_q4_k(want, w, x, N, BLOCKS);
	for (size_t i = 0; i < N; i++)
		if (!(y[i] - want[i] < 0.05f && want[i] - y[i] < 0.05f))
			return 0;
	return 1;
}

int main(int argc, char **argv)
{
	struct gllm_config config = { .target = host_target(), .image = *host_image() };
	struct gllm_error e = { .status = GLLM_OK };
	struct gllm_context *c;
	if (argc != 3 || host_profile(argv[1], &config.profile) != GLLM_OK || host_exec(1 << 20, &config.host.code) != GLLM_OK)
		return 2;
	size_t bytes = gllm_context_quote(&config);
	struct gllm_plan *p = NULL;
	if (gllm_context_create(host_memory(bytes), bytes, &config, &c, &e) == GLLM_OK)
		p = strcmp(argv[2], "q4_k") ? product(c, strtoull(argv[2], NULL, 10), &e) : blocks(c, &e);
	if (p && !strcmp(argv[2], "q4_k") && !blocks_agree(p)) {
		fprintf(stderr, "own: the plan differs from the function\n");
		return 1;
	}
	for (unsigned i = 0; p && i < gllm_plan_steps(p); i++) {
		struct gllm_step_info s;
		struct gllm_insn insn = { .length = 0 };
		char text[128];
		gllm_plan_step(p, i, &s);
		printf("%s: %u bytes\n", s.name, s.code_bytes);
		for (uint32_t at = 0; at < s.code_bytes; at += insn.length) {
			if (config.target->decode(config.host.code.exec + s.code_offset + at, s.code_bytes - at, at, &insn) != GLLM_OK)
				return 1;
			config.target->text(&insn, text, sizeof text);
			printf("  %6x  %s\n", at, text);
		}
	}
	if (!p)
		fprintf(stderr, "own: %s\n", e.what);
	return !p;
}
