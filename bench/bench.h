/* SPDX-License-Identifier: MIT
 * bench/bench.h - what the files of the benchmark share. */
#ifndef BENCH_H
#define BENCH_H
#include "bench/stats.h"
#include "gllm/context.h"

double seconds(void);

struct bounds { double peak, far_read, near_read, near_copy; }; /* GFLOP/s; GB/s from memory and from 64 KiB */

/* Single operators (rows.c). A round measures each once. */
enum gllm_status rows_prepare(struct gllm_context *c, struct gllm_error *e);
void rows_measure(unsigned round, const struct bounds *b);
void rows_report(unsigned rounds);
/* THE list of CPUs that floors are stored for: name, features that it has, features that it lacks. */
#define FLOOR_CPUS(CPU)                                                          \
	CPU("Sapphire Rapids", GLLM_BIT(GLLM_X86_AVX512FP16), 0)                 \
	CPU("Zen 5", GLLM_BIT(GLLM_X86_AVXVNNI) | GLLM_BIT(GLLM_X86_AVX512BF16), GLLM_BIT(GLLM_X86_AVX512FP16))

/* False if a row stays below its stored floor (floor.def) of FLOOR_CPUS[cpu]; below 0: only says what it reaches. */
bool rows_keep_floors(int cpu, unsigned rounds, void (*bounds)(void *user, struct bounds *b), void *user);

/* Layers of a Llama: how long planning and code generation take, class of rows by class, and what fusion saves, in bytes
 * that the plans count and in time. Fails as gllm_compile does. */
enum gllm_status bench_layers(const struct gllm_config *c, unsigned rounds, struct gllm_error *e);
/* Maps and norms over tensors in memory: what fusion saves, in bytes and in time, beside a copy of as many bytes. */
enum gllm_status bench_moved(const struct gllm_config *c, unsigned rounds, struct gllm_error *e);
/* A product of BF16 matrices beside the F32 one. */
enum gllm_status bench_half(const struct gllm_config *c, unsigned rounds, struct gllm_error *e);
/* Loops of products with and without software pipelining. */
enum gllm_status bench_stages(const struct gllm_config *c, unsigned rounds, struct gllm_error *e);
#endif
