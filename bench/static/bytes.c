/* SPDX-License-Identifier: MIT
 * bench/static/bytes.c - the code of a product of 8-bit integers, 256 x 256 x K, as "gllm disasm" prints it: the operator is a
 * user's, so that no graph in a file can name it. bytes ISA K */
#include <stdio.h>
#include <stdlib.h>
#include "core/target.h"
#include "gllm/graph.h"
#include "tests/fixtures/user_ops.h"
#include "tools/host.h"

enum { N = 256 };

static struct gllm_plan *product(struct gllm_context *c, uint64_t k, struct gllm_error *e)
{
	const struct user_op *u = &user_op[USER_product_i8];
	struct gllm_graph *g;
	struct gllm_plan *p = NULL;
	unsigned op;
	if (gllm_register(c, u->name, u->fn, u->param, u->nparams, u->call, &op, e) != GLLM_OK ||
	    gllm_graph_create(c, "bytes", 1, 3, 1, &g, e) != GLLM_OK)
		return NULL;
	gllm_tensor y = gllm_graph_tensor(g, GLLM_TENSOR_OUTPUT, GLLM_F32, N, N, "c"), a = gllm_graph_tensor(g, GLLM_TENSOR_INPUT, GLLM_I8, N, k, "a"),
	            w = gllm_graph_tensor(g, GLLM_TENSOR_WEIGHT, GLLM_I8, N, k, "w");
	gllm_graph_node(g, op, 1, (struct gllm_actual[]){ GLLM_T(y), GLLM_T(a), GLLM_T(w), GLLM_D(N), GLLM_D(N), GLLM_D(k), GLLM_S(1) }, 7);
	gllm_compile(c, g, NULL, &p, e);
	return p;
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
		p = product(c, strtoull(argv[2], NULL, 10), &e);
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
		fprintf(stderr, "bytes: %s\n", e.what);
	return !p;
}
