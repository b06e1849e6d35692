/* SPDX-License-Identifier: MIT
 * bench/maps/dnnl.c - the maps of maps.h and products with an epilogue as primitives of oneDNN 2, if its headers are
 * installed. One primitive of each kind lives at a time. */
#include <string.h>
#include "bench/maps/maps.h"
#include "bench/maps/fused.h"

#if __has_include(<dnnl.h>)
#include <dnnl.h>

struct primitive {
	dnnl_primitive_t p;
	dnnl_exec_arg_t arg[5];
	int n;
};
static dnnl_engine_t engine;
static dnnl_stream_t stream;
static struct primitive map_primitive, product_primitive;
static float gain_bias[2 * COLUMNS];

extern void omp_set_num_threads(int n) __attribute__((weak)); /* of the runtime that the library brings */

bool dnnl_open(void)
{
	if (omp_set_num_threads)
		omp_set_num_threads(1);
	return dnnl_engine_create(&engine, dnnl_cpu, 0) == dnnl_success &&
	       dnnl_stream_create(&stream, engine, dnnl_stream_default_flags) == dnnl_success;
}

static void drop(struct primitive *p)
{
	for (int i = 0; i < p->n; i++)
		dnnl_memory_destroy(p->arg[i].memory);
	if (p->p)
		dnnl_primitive_destroy(p->p);
	memset(p, 0, sizeof *p);
}

static bool operand(struct primitive *p, int kind, const dnnl_memory_desc_t *md, const void *data)
{
	p->arg[p->n].arg = kind;
	return dnnl_memory_create(&p->arg[p->n++].memory, md, engine, (void *)(uintptr_t)data) == dnnl_success;
}

static bool make(struct primitive *p, const void *descriptor, dnnl_primitive_attr_t attributes)
{
	dnnl_primitive_desc_t d;
	if (dnnl_primitive_desc_create(&d, descriptor, attributes, engine, NULL) != dnnl_success)
		return false;
	bool ok = dnnl_primitive_create(&p->p, d) == dnnl_success;
	dnnl_primitive_desc_destroy(d);
	return ok;
}

static bool run(const struct primitive *p)
{
	return p->p && dnnl_primitive_execute(p->p, stream, p->n, p->arg) == dnnl_success && dnnl_stream_wait(stream) == dnnl_success;
}

static bool eltwise_kind(enum map m, dnnl_alg_kind_t *kind)
{
	switch (m) {
	case MAP_EXP: *kind = dnnl_eltwise_exp; return true;
	case MAP_TANH: *kind = dnnl_eltwise_tanh; return true;
	case MAP_GELU: *kind = dnnl_eltwise_gelu_tanh; return true;
	case MAP_SILU: *kind = dnnl_eltwise_swish; return true;
	case MAP_COPY: case MAP_SOFTMAX: case MAP_RMSNORM: case MAP_LAYERNORM: case MAPS: break;
	}
	return false;
}

static dnnl_memory_desc_t matrix(size_t rows, size_t columns, dnnl_format_tag_t tag)
{
	dnnl_memory_desc_t m;
	const dnnl_dims_t d = { (dnnl_dim_t)rows, (dnnl_dim_t)columns };
	dnnl_memory_desc_init_by_tag(&m, 2, d, dnnl_f32, tag);
	return m;
}

bool dnnl_prepare(enum map m, const struct buffers *b)
{
	dnnl_memory_desc_t md = matrix(b->rows, COLUMNS, dnnl_ab), scale = matrix(2, COLUMNS, dnnl_ab);
	struct primitive *p = &map_primitive;
	dnnl_alg_kind_t kind;
	drop(p);
	if (eltwise_kind(m, &kind)) {
		dnnl_eltwise_desc_t d;
		if (dnnl_eltwise_forward_desc_init(&d, dnnl_forward_inference, kind, &md, 1.0f, 0.0f) != dnnl_success || !make(p, &d, NULL))
			return false;
	} else if (m == MAP_SOFTMAX) {
		dnnl_softmax_desc_t d;
		if (dnnl_softmax_forward_desc_init(&d, dnnl_forward_inference, &md, 1) != dnnl_success || !make(p, &d, NULL))
			return false;
	} else if (m == MAP_LAYERNORM) {
		dnnl_layer_normalization_desc_t d;
		memcpy(gain_bias, b->gain, COLUMNS * sizeof *b->gain);
		memcpy(gain_bias + COLUMNS, b->bias, COLUMNS * sizeof *b->bias);
		if (dnnl_layer_normalization_forward_desc_init(&d, dnnl_forward_inference, &md, NULL, MAP_EPS,
		                                               dnnl_use_scaleshift) != dnnl_success || !make(p, &d, NULL) ||
		    !operand(p, DNNL_ARG_SCALE_SHIFT, &scale, gain_bias))
			return false;
	} else {
		return false;
	}
	return operand(p, DNNL_ARG_SRC, &md, b->x) && operand(p, DNNL_ARG_DST, &md, b->y);
}

bool dnnl_run_map(enum map m, const struct buffers *b)
{
	(void)m;
	(void)b;
	return run(&map_primitive);
}

bool dnnl_prepare_product(const struct product *q)
{
	const size_t m = q->m, n = q->n, k = q->k;
	dnnl_memory_desc_t a = matrix(m, k, dnnl_ab), b = matrix(k, n, dnnl_ab), c = matrix(m, n, dnnl_ab), bias = matrix(1, n, dnnl_ab);
	struct primitive *p = &product_primitive;
	dnnl_matmul_desc_t d;
	dnnl_primitive_attr_t attributes;
	dnnl_post_ops_t after;
	bool fused = q->kind != PRODUCT_BARE;
	drop(p);
	if (dnnl_matmul_desc_init(&d, &a, &b, fused ? &bias : NULL, &c) != dnnl_success ||
	    dnnl_primitive_attr_create(&attributes) != dnnl_success || dnnl_post_ops_create(&after) != dnnl_success)
		return false;
	if (fused)
		dnnl_post_ops_append_eltwise(after, 1.0f, q->kind == PRODUCT_GELU ? dnnl_eltwise_gelu_tanh : dnnl_eltwise_swish, 1.0f, 0.0f);
	dnnl_primitive_attr_set_post_ops(attributes, after);
	bool ok = make(p, &d, attributes);
	dnnl_post_ops_destroy(after);
	dnnl_primitive_attr_destroy(attributes);
	return ok && operand(p, DNNL_ARG_SRC, &a, q->a) && operand(p, DNNL_ARG_WEIGHTS, &b, q->b) &&
	       operand(p, DNNL_ARG_DST, &c, q->c) && (!fused || operand(p, DNNL_ARG_BIAS, &bias, q->bias));
}

bool dnnl_run_product(const struct product *q)
{
	(void)q;
	return run(&product_primitive);
}
#else
bool dnnl_open(void)
{
	return false;
}
bool dnnl_prepare(enum map m, const struct buffers *b)
{
	(void)m;
	(void)b;
	return false;
}
bool dnnl_run_map(enum map m, const struct buffers *b)
{
	(void)m;
	(void)b;
	return false;
}
bool dnnl_prepare_product(const struct product *q)
{
	(void)q;
	return false;
}
bool dnnl_run_product(const struct product *q)
{
	(void)q;
	return false;
}
#endif
