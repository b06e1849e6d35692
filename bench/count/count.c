/* SPDX-License-Identifier: MIT
 * bench/count/count.c - calls every operator once between two marks, for instructions to be counted from outside.
 *
 * count compiled|halves|scalar MARK: compiled code for this CPU (gllm/calls.h), that of F16 tensors, or the scalar definitions as
 * this program was linked with them. A mark is the system call MARK; qemu_plugin.c counts between them. Standard output has a line per pair
 * of marks: the operator, units of work and what a unit is. The first pair holds nothing: it is the marks' own cost. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "core/bits.h"
#include "gllm/calls.h"
#include "jit/context.h"
#include "tools/host.h"

enum { ROOM = 1 << 20, SHAPES = 9, MOST_DIMS = 5 };

/* Sizes of the operators that have not 4096 elements in one dim, 64 x 64 in two, or 256 in each of three. */
static const struct shape {
	const char *op;
	uint64_t dim[MOST_DIMS];
	uint64_t flops; /* 0: judged by elements, or a product's own */
} shape[SHAPES] = {
	{ .op = "rope_adjacent_part", .dim = { 32, 32, 64 } }, { .op = "rope_halves_part", .dim = { 32, 32, 64 } },
	{ .op = "quant_gemm", .dim = { 64, 64, 8, 32 } },      { .op = "gemm_q4", .dim = { 256, 256, 128 } },
	{ .op = "attend", .dim = { 256, 64, 64 }, .flops = 4 * 256 * 64 }, { .op = "gather", .dim = { 64, 64 } },
	{ .op = "gemm_prepacked", .dim = { 64, 5, 12, 4, 64 }, .flops = 2 * 64 * 64 * 64 },
	{ .op = "pack_b", .dim = { 64, 5, 12, 4 } }, { .op = "pack_bt", .dim = { 64, 5, 12, 4 } },
};

static long mark_number;

static void mark(void)
{
	syscall(mark_number);
}

static const struct shape *shape_of(const char *op)
{
	for (unsigned k = 0; k < SHAPES; k++)
		if (strcmp(shape[k].op, op) == 0)
			return &shape[k];
	return NULL;
}

static uint64_t dim_of(const char *op, unsigned i, unsigned ndims)
{
	static const uint64_t usual[MOST_DIMS + 1] = { 0, 4096, 64, 256 };
	const struct shape *s = shape_of(op);
	if (!s && usual[ndims] == 0) {
		fprintf(stderr, "count: no sizes are stated for %s\n", op);
		exit(1);
	}
	return s ? s->dim[i] : strncmp(op, "dequant_", 8) == 0 ? 16 : usual[ndims];
}

/* 0 if it is no product. `turns` of the innermost loop; packed weights hold several elements a byte. */
static uint64_t flops_of(const char *op, uint64_t turns)
{
	const struct shape *s = shape_of(op);
	unsigned packed = strstr(op, "_q4") ? 2 : strstr(op, "_q2") ? 4 : strstr(op, "_q1") ? 8 : 1;
	if (s && s->flops)
		return s->flops;
	return strstr(op, "gemm") || strstr(op, "gemv") ? 2 * turns * packed : 0;
}

/* Elements that the operator writes: those of the first output that no longer are as they were poisoned. */
static uint64_t written(const unsigned char *y, unsigned bytes)
{
	static const unsigned char poison[4] = { 0xa5, 0xa5, 0xa5, 0xa5 };
	uint64_t n = ROOM / bytes;
	while (n > 0 && memcmp(y + (n - 1) * bytes, poison, bytes) == 0)
		n--;
	return n;
}

/* Numbers of both signs, or what no product overflows with. */
static void fill(unsigned char *to, const struct gllm_param *p, bool halves)
{
	for (size_t k = 0; k < ROOM / 4; k++) {
		float x = (float)((k * 2654435761u) % 2000) * 0.001f - 1.0f;
		uint32_t word = p->type == GLLM_U32 ? (uint32_t)(k % 64) : 0x01020304;
		if (p->kind == GLLM_OUT)
			word = 0xa5a5a5a5;
		else if (p->type == GLLM_F32)
			word = halves ? gllm_f32_to_f16(x) * UINT32_C(0x10001) : gllm_f32_bits(x);
		memcpy(to + 4 * k, &word, 4);
	}
}

static void run(unsigned op, gllm_any_fn *fn, bool halves)
{
	static unsigned char *room[GLLM_MAX_PARAMS];
	const struct gllm_op_info *info = &gllm_op_info[op];
	union gllm_arg arg[GLLM_MAX_PARAMS];
	uint64_t turns = 1;
	unsigned ndims = 0, dims = 0;
	for (unsigned i = 0; i < info->nparams; i++)
		ndims += info->param[i].kind == GLLM_DIM;
	for (unsigned i = 0; i < info->nparams; i++) {
		const struct gllm_param *p = &info->param[i];
		if (p->kind == GLLM_DIM) {
			arg[i].dim = dim_of(info->name, dims++, ndims);
			turns *= arg[i].dim;
			continue;
		}
		if (p->kind == GLLM_SCALAR) {
			arg[i].scalar = 0.125f;
			continue;
		}
		if (!room[i])
			room[i] = host_memory(ROOM);
		arg[i].ptr = room[i];
		fill(room[i], p, halves);
	}
	gllm_call_fn *call = gllm_builtin_call(op);
	mark();
	call(fn, arg);
	mark();
	uint64_t elements = written(room[0], halves && info->param[0].type == GLLM_F32 ? 2 : 4), flops = flops_of(info->name, turns);
	if (elements <= 1) /* a reduction: those it reads */
		elements = turns;
	printf("%s %llu %s\n", info->name, (unsigned long long)(flops ? flops : elements), flops ? "flop" : "element");
}

int main(int argc, char **argv)
{
	struct gllm_error e = { .status = GLLM_OK };
	struct gllm_config c = { .target = host_target(), .image = *host_image() };
	struct gllm_context *x = NULL;
	static struct gllm_calls calls;
	bool halves = argc == 3 && strcmp(argv[1], "halves") == 0, compiled = halves || (argc == 3 && strcmp(argv[1], "compiled") == 0);
	if (argc != 3 || (!compiled && strcmp(argv[1], "scalar") != 0)) {
		fprintf(stderr, "usage: count compiled|halves|scalar MARK\n");
		return 2;
	}
	mark_number = strtol(argv[2], NULL, 10);
	if (compiled) {
		if (host_profile(NULL, &c.profile) != GLLM_OK || host_exec(4 << 20, &c.host.code) != GLLM_OK)
			return 1;
		size_t size = gllm_context_quote(&c);
		if (gllm_context_create(host_memory(size), size, &c, &x, &e) != GLLM_OK ||
		    gllm_calls_fill(x, halves ? GLLM_CALLS_F16 : GLLM_CALLS_F32, &calls, &e) != GLLM_OK) {
			fprintf(stderr, "count: %s: %s %s\n", gllm_status_text(e.status), e.what, e.name);
			return 1;
		}
	}
	mark();
	mark();
	printf("nothing 1 mark\n");
	for (unsigned op = 0; op < GLLM_OP_COUNT; op++)
		run(op, halves ? calls.f16.any[op] : compiled ? calls.f32.any[op] : gllm_op_info[op].ref, halves);
	return 0;
}
