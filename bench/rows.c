/* SPDX-License-Identifier: MIT
 * bench/rows.c - single operators: plans of one node, timed beside the bounds of the same rounds.
 *
 * Operators that multiply matrices are judged by the FMA peak, all others by what plain loops move in the same time: read
 * from memory if their operands are large, else from 64 KiB, copied, or only read where the result is small. */
#include <stdio.h>
#include <string.h>
#include "bench/bench.h"
#include "gllm/graph.h"
#include "gllm/ops.h"
#include "tools/host.h"

enum { TABLE = 64 }; /* rows of what is gathered */
enum { NEAR = 512 << 10 }; /* bytes of a row that lies in the nearest caches */

struct row {
	const char *op;
	uint64_t dim[5];    /* in the order of the operator's dims */
	double flops;       /* per call; 0: judged by bytes */
	const char *label;
	bool masked;        /* of each 32 elements of an input 16 are -inf */
	uint8_t from, to;   /* element types in place of F32, of inputs and outputs; 0: F32 */
	/* filled in */
	struct gllm_plan *plan;
	void *bind[8];
	double bytes, written; /* touched per call */
	long calls;
	double rate[MAX_ROUNDS], ratio[MAX_ROUNDS], part[MAX_ROUNDS]; /* part: of the FMA peak, whatever the unit */
};

static struct row row[] = {
	{ .op = "add",      .dim = { 5461 },           .label = "add 64 KiB" },
	{ .op = "mul",      .dim = { 5461 },           .label = "mul 64 KiB" },
	{ .op = "silu",     .dim = { 8192 },           .label = "silu 64 KiB" },
	{ .op = "swiglu",   .dim = { 5461 },           .label = "swiglu 64 KiB" },
	{ .op = "exp",      .dim = { 8192 },           .label = "exp 64 KiB" },
	{ .op = "tanh",     .dim = { 8192 },           .label = "tanh 64 KiB" },
	{ .op = "rms_norm", .dim = { 5461 },           .label = "rms_norm 64 KiB" },
	{ .op = "softmax",  .dim = { 8192 },           .label = "softmax 64 KiB" },
	{ .op = "softmax",  .dim = { 8192 },           .label = "softmax 64 KiB masked", .masked = true },
	{ .op = "rope_adjacent", .dim = { 32, 64 },    .label = "rope_adjacent 32x128" },
	{ .op = "rope_halves",   .dim = { 32, 64 },    .label = "rope_halves 32x128" },
	{ .op = "argmax",   .dim = { 16384 },          .label = "argmax 64 KiB" },
	{ .op = "gemv",     .dim = { 64, 64 },         .label = "gemv 64x64",       .flops = 2.0 * 64 * 64 },
	{ .op = "gemv",     .dim = { 512, 512 },       .label = "gemv 512x512",     .flops = 2.0 * 512 * 512 },
	{ .op = "gemv",     .dim = { 8192, 4096 },     .label = "gemv 8192x4096" },
	{ .op = "gemm_bt",  .dim = { 16, 64, 64 },     .label = "gemm_bt 16x64x64", .flops = 2.0 * 16 * 64 * 64 },
	{ .op = "gemm_bt",  .dim = { 256, 256, 256 },  .label = "gemm_bt 256^3",    .flops = 2.0 * 256 * 256 * 256 },
	{ .op = "gemm_bt_f16", .dim = { 16, 256, 256 }, .label = "gemm_bt_f16 16x256x256", .flops = 2.0 * 16 * 256 * 256 },
	{ .op = "gemm",     .dim = { 256, 256, 256 },  .label = "gemm 256^3",       .flops = 2.0 * 256 * 256 * 256 },
	{ .op = "attend",   .dim = { 256, 64, 64 },    .label = "attend 256 tokens of 64", .flops = 4.0 * 256 * 64 },
	{ .op = "copy",     .dim = { 8192 },           .label = "copy 64 KiB" },
	{ .op = "relu",     .dim = { 8192 },           .label = "relu 64 KiB" },
	{ .op = "axpy",     .dim = { 5461 },           .label = "axpy 64 KiB" },
	{ .op = "dot",      .dim = { 8192 },           .label = "dot 64 KiB" },
	{ .op = "sum",      .dim = { 16384 },          .label = "sum 64 KiB" },
	{ .op = "max",      .dim = { 16384 },          .label = "max 64 KiB" },
	{ .op = "gelu",     .dim = { 8192 },           .label = "gelu 64 KiB" },
	{ .op = "layer_norm", .dim = { 4096 },         .label = "layer_norm 64 KiB" },
	{ .op = "transpose", .dim = { 96, 80 },        .label = "transpose 96x80" },
	{ .op = "pack_b",   .dim = { 128, 2, 32 },     .label = "pack_b 128x64" },
	{ .op = "pack_bt",  .dim = { 128, 2, 32 },     .label = "pack_bt 64x128" },
	{ .op = "gather",   .dim = { 64, 128 },        .label = "gather 64x128" },
	{ .op = "copy",     .dim = { 8192 },           .label = "f16 to f32",       .from = GLLM_F16 },
	{ .op = "copy",     .dim = { 8192 },           .label = "f32 to f16",       .to = GLLM_F16 },
	{ .op = "copy",     .dim = { 8192 },           .label = "bf16 to f32",      .from = GLLM_BF16 },
	{ .op = "copy",     .dim = { 8192 },           .label = "f32 to bf16",      .to = GLLM_BF16 },
	{ .op = "gemv_q8",  .dim = { 512, 512 },       .label = "gemv_q8 512x512" },
	{ .op = "gemv_q4",  .dim = { 512, 256 },       .label = "gemv_q4 512x512" },
};
enum { ROWS = sizeof row / sizeof row[0] };

static void fill(const struct gllm_param *p, enum gllm_type type, bool masked, unsigned char *to, uint64_t bytes)
{
	for (uint64_t k = 0; k + 4 <= bytes; k += 4) {
		float x = (float)((k / 4 * 2654435761u) % 2000) * 0.001f - 1.0f;
		if (masked && k / 64 % 2)
			x = -__builtin_inff();
		uint32_t half = 0x3c003800, index = (uint32_t)(k / 4 * 7 % TABLE); /* 1 and 0.5; rows of a table */
		memcpy(to + k, type == GLLM_F16 || type == GLLM_BF16 ? (void *)&half : p->type == GLLM_U32 ? (void *)&index : (void *)&x, 4);
	}
}

static enum gllm_status prepare(struct gllm_context *c, struct row *r, struct gllm_error *e)
{
	unsigned op = gllm_op_find(c, r->op), dims = 0, pointers = 0;
	const struct gllm_op_info *info = &gllm_op_info[op];
	const struct gllm_trace *trace;
	struct gllm_graph *g;
	struct gllm_actual actual[GLLM_MAX_PARAMS];
	union gllm_arg arg[GLLM_MAX_PARAMS] = { { .bits = 0 } };
	enum gllm_status s = gllm_op_trace(c, op, &trace, e);
	if (s == GLLM_OK)
		s = gllm_graph_create(c, r->label, 1, GLLM_MAX_PARAMS, 1, &g, e);
	if (s != GLLM_OK)
		return s;
	for (unsigned i = 0; i < info->nparams; i++)
		if (info->param[i].kind == GLLM_DIM)
			arg[i].dim = r->dim[dims++];
	for (unsigned i = 0; i < info->nparams; i++) {
		const struct gllm_param *p = &info->param[i];
		if (p->kind == GLLM_DIM) {
			actual[i] = GLLM_D(arg[i].dim);
			continue;
		}
		if (p->kind == GLLM_SCALAR) {
			actual[i] = GLLM_S(0.125f);
			continue;
		}
		uint8_t other = p->type != GLLM_F32 ? 0 : p->kind == GLLM_OUT ? r->to : r->from;
		enum gllm_type type = other ? (enum gllm_type)other : p->type;
		uint64_t elements = gllm_trace_extent(trace, i, arg) / gllm_type_bytes(p->type), bytes = elements * gllm_type_bytes(type);
		actual[i] = GLLM_T(gllm_graph_tensor(g, p->kind == GLLM_OUT ? GLLM_TENSOR_OUTPUT : GLLM_TENSOR_INPUT, type, 1, elements,
		                                     p->name));
		/* What indices reach is no part of a trace, whose extent is one row of the table. */
		uint64_t room = op == GLLM_OP_gather && p->kind == GLLM_WEIGHT ? TABLE * bytes : bytes;
		unsigned char *memory = host_memory(room + 4096);
		if (p->kind != GLLM_OUT)
			fill(p, type, r->masked, memory, room);
		r->bind[pointers++] = memory;
		r->bytes += (double)bytes;
		r->written += p->kind == GLLM_OUT ? (double)bytes : 0.0;
	}
	gllm_graph_node(g, op, 1, actual, info->nparams);
	s = gllm_graph_status(g, e);
	if (s == GLLM_OK)
		s = gllm_compile(c, g, NULL, &r->plan, e);
	gllm_graph_free(c, g);
	return s;
}

static void *workspace;

enum gllm_status rows_prepare(struct gllm_context *c, struct gllm_error *e)
{
	workspace = host_memory(1 << 20);
	for (unsigned i = 0; i < ROWS; i++) {
		enum gllm_status s = prepare(c, &row[i], e);
		if (s != GLLM_OK)
			return s;
	}
	return GLLM_OK;
}

static double time_calls(const struct row *r, long n)
{
	double t = seconds();
	for (long i = 0; i < n; i++)
		gllm_plan_run(r->plan, r->bind, 1, workspace, NULL);
	return seconds() - t;
}

static void measure(struct row *r, unsigned round, const struct bounds *b)
{
	double near = r->written * 8 < r->bytes ? b->near_read : b->near_copy;
	if (!r->calls)
		r->calls = (long)(5e-3 / (time_calls(r, 3) / 3)) + 1;
	double t = time_calls(r, r->calls) / (double)r->calls;
	r->rate[round] = (r->flops > 0 ? r->flops : r->bytes) / t * 1e-9;
	r->part[round] = r->rate[round] / b->peak;
	r->ratio[round] = r->rate[round] / (r->flops > 0 ? b->peak : r->bytes > NEAR ? b->far_read : near);
}

void rows_measure(unsigned round, const struct bounds *b)
{
	for (unsigned i = 0; i < ROWS; i++)
		measure(&row[i], round, b);
}

static const char *bound_name(const struct row *r)
{
	return r->flops > 0 ? "FMA peak" : r->bytes > NEAR ? "reading memory" : r->written * 8 < r->bytes ? "reading 64 KiB" : "copying 64 KiB";
}

void rows_report(unsigned rounds)
{
	for (unsigned i = 0; i < ROWS; i++) {
		struct row *r = &row[i];
		double rate = quantile(r->rate, rounds, 0.5), ratio = quantile(r->ratio, rounds, 0.5);
		double low = quantile(r->ratio, rounds, 0.25);
		const char *unit = r->flops > 0 ? "GFLOP/s" : "GB/s";
		fprintf(stderr, "%-26s %9.2f %-8s %6.1f %% of %s (lower quartile %.1f %%)\n", r->label, rate, unit, 100 * ratio,
		        bound_name(r), 100 * low);
		printf("{\"row\": \"%s\", \"rate\": %.4g, \"unit\": \"%s\", \"of\": \"%s\", \"ratio\": %.4f, \"ratio_q1\": %.4f}\n",
		       r->label, rate, unit, bound_name(r), ratio, low);
	}
}

/* --- floors ---------------------------------------------------------------------------------------------------------- */

#define CPU(name, with, without) +1
enum { CPUS = 0 FLOOR_CPUS(CPU) };
#undef CPU
static const struct { const char *label; double on[CPUS * 2]; } floors[] = { /* of each CPU: ratio, noise */
#define FLOOR(label, ...) { label, { __VA_ARGS__ } },
#include "bench/floor.def"
#undef FLOOR
};
enum { FLOORS = sizeof floors / sizeof floors[0] };

static struct row *row_of(const char *label)
{
	for (unsigned i = 0; i < ROWS; i++)
		if (!strcmp(row[i].label, label))
			return &row[i];
	return NULL;
}

/* A row that seems too slow is measured again: what else the machine does only slows down. */
bool rows_keep_floors(int cpu, unsigned rounds, void (*bounds)(void *user, struct bounds *b), void *user)
{
	enum { TRIES = 3 };
	bool kept = true;
	for (unsigned i = 0; i < FLOORS; i++) {
		struct row *r = row_of(floors[i].label);
		double stored = cpu < 0 ? 0 : floors[i].on[cpu * 2], noise = cpu < 0 ? 0 : floors[i].on[cpu * 2 + 1];
		double best = -1, least = stored * (1 - noise);
		for (unsigned try = 0; r && try < TRIES && best < least; try++) {
			for (unsigned n = 0; n < rounds; n++) {
				struct bounds b;
				bounds(user, &b);
				measure(r, n, &b);
			}
			double now = quantile(r->part, rounds, 0.5);
			best = now > best ? now : best;
		}
		bool ok = r && best >= least;
		fprintf(stderr, "%-26s %.4f, stored %.4f, noise %.2f: %s\n", floors[i].label, best, stored, noise,
		        !r ? "no such row" : cpu < 0 ? "not compared" : ok ? "kept" : "UNDERCUT");
		printf("{\"floor\": \"%s\", \"ratio\": %.4f, \"stored\": %.4f, \"noise\": %.2f, \"kept\": %s}\n", floors[i].label, best,
		       stored, noise, ok ? "true" : "false");
		kept = kept && ok;
	}
	return kept;
}
