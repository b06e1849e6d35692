/* SPDX-License-Identifier: MIT
 * bench/maps/maps.h - elementwise operators and norms as others make them, all of one form: y = f(x) over `rows` rows. */
#ifndef BENCH_MAPS_H
#define BENCH_MAPS_H
#include <stdbool.h>
#include <stddef.h>

enum { COLUMNS = 4096 };
enum map { MAP_COPY, MAP_EXP, MAP_TANH, MAP_GELU, MAP_SILU, MAP_SOFTMAX, MAP_RMSNORM, MAP_LAYERNORM, MAPS };

struct buffers {
	float *x, *y;
	const float *gain, *bias; /* COLUMNS each */
	size_t rows;
};
#define MAP_EPS 1e-5f

/* Each runs `m` over the buffers; false: it has none. */
bool loops_run(enum map m, const struct buffers *b);      /* gcc -Ofast with 512-bit vectors: libmvec's functions */
bool sleef_open(void);                                    /* false: not installed, or no vectors of its width */
bool sleef_run(enum map m, const struct buffers *b);
bool dnnl_open(void);                                     /* false: built without its headers */
bool dnnl_prepare(enum map m, const struct buffers *b);   /* a primitive for the next runs */
bool dnnl_run_map(enum map m, const struct buffers *b);
#endif
