/* SPDX-License-Identifier: MIT
 * tests/check_recipe.c - see check_recipe.h. */
#include "check_recipe.h"
#include "check_bound.h"
#include "check_packed.h"
#include "core/bits.h"
#include "core/fmt.h"
#include "jit/context.h"

static const struct gllm_op_entry *op_of(const struct gllm_context *c, const struct recipe *r, unsigned node)
{
	return &c->op[r->node[node].op];
}

static uint64_t number(uint64_t dim, uint64_t rows)
{
	return dim == GLLM_ROWS ? rows : dim;
}

uint64_t recipe_elements(const struct recipe *r, unsigned tensor, uint64_t rows)
{
	return number(r->tensor[tensor].rows, rows) * r->tensor[tensor].cols;
}

uint64_t recipe_bytes(const struct recipe *r, unsigned tensor, uint64_t rows)
{
	return recipe_elements(r, tensor, rows) * gllm_type_bytes(r->tensor[tensor].type);
}

/* --- narrow and packed ----------------------------------------------------------------------------------------------- */

static bool narrow(enum gllm_type type)
{
	return type == GLLM_F16 || type == GLLM_BF16;
}

float recipe_float(enum gllm_type type, const void *data, uint64_t i)
{
	return type == GLLM_F16    ? gllm_f16_to_f32(((const uint16_t *)data)[i])
	       : type == GLLM_BF16 ? gllm_bf16_to_f32(((const uint16_t *)data)[i]) : ((const float *)data)[i];
}

static void put_float(enum gllm_type type, void *data, uint64_t i, float x)
{
	if (type == GLLM_F32)
		((float *)data)[i] = x;
	else
		((uint16_t *)data)[i] = type == GLLM_F16 ? gllm_f32_to_f16(x) : gllm_f32_to_bf16(x);
}

static void widen(const struct recipe *r, unsigned tensor, struct recipe_values *v)
{
	enum gllm_type type = (enum gllm_type)r->tensor[tensor].type;
	for (uint64_t i = recipe_elements(r, tensor, r->max_rows); narrow(type) && i-- > 0;)
		v->wide[tensor][i] = recipe_float(type, v->data[tensor], i);
}

/* Operands of the definition are floats, the tensor's elements are not. */
static bool widened(const struct gllm_context *c, const struct recipe *r, unsigned node, unsigned param)
{
	const struct gllm_param *p = &op_of(c, r, node)->param[param];
	return p->kind < GLLM_DIM && p->type == GLLM_F32 && narrow((enum gllm_type)r->tensor[r->node[node].actual[param].tensor].type);
}

bool recipe_plain(const struct gllm_context *c, const struct recipe *r)
{
	for (unsigned i = 0; i < r->ntensors; i++)
		if (r->tensor[i].lanes)
			return false;
	for (unsigned n = 0; n < r->nnodes; n++)
		for (unsigned p = 0; p < op_of(c, r, n)->nparams; p++)
			if (widened(c, r, n, p))
				return false;
	return true;
}

struct gllm_packing recipe_packing(const struct recipe *r, unsigned tensor)
{
	const struct recipe_tensor *x = &r->tensor[tensor];
	return (struct gllm_packing){ (enum gllm_type)x->type, x->lanes, x->turned ? x->rows : x->cols, x->turned ? x->cols : x->rows };
}

uint64_t recipe_bound(const struct recipe *r, unsigned tensor)
{
	return recipe_bytes(r, tensor, r->max_rows) + (r->tensor[tensor].lanes ? GLLM_PACKED_HEADER : 0);
}

/* As gllm/pack.h tells the layout. */
void recipe_pack(const struct recipe *r, unsigned tensor, const unsigned char *from, unsigned char *to)
{
	const struct gllm_packing p = recipe_packing(r, tensor);
	const char *magic = "GLLMPACK";
	for (unsigned i = 0; i < GLLM_PACKED_HEADER; i++)
		to[i] = i < 8 ? (unsigned char)magic[i] : 0;
	gllm_put_le32(to + 8, GLLM_PACKED_VERSION);
	gllm_put_le32(to + 12, (uint32_t)p.type);
	gllm_put_le32(to + 16, p.lanes);
	gllm_put_le64(to + 24, p.n);
	gllm_put_le64(to + 32, p.k);
	check_pack_plainly(&p, from, r->tensor[tensor].turned, to + GLLM_PACKED_HEADER);
}

/* --------------------------------------------------------------------------------------------------------------------- */

unsigned recipe_producer(const struct gllm_context *c, const struct recipe *r, unsigned tensor)
{
	for (unsigned n = 0; n < r->nnodes; n++)
		for (unsigned p = 0; p < op_of(c, r, n)->nparams; p++)
			if (op_of(c, r, n)->param[p].kind == GLLM_OUT && r->node[n].actual[p].tensor == tensor)
				return n;
	return r->nnodes;
}

/* --- operands -------------------------------------------------------------------------------------------------------- */

static uint64_t mix(uint64_t z)
{
	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9); /* splitmix64 (Steele, Lea, Flood 2014) */
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

void recipe_fill_operand(const struct recipe *r, unsigned tensor, unsigned char *to)
{
	const struct recipe_tensor *x = &r->tensor[tensor];
	uint64_t n = recipe_elements(r, tensor, r->max_rows), state = mix(r->seed + x->salt * UINT64_C(0x9e3779b97f4a7c15));
	for (uint64_t i = 0; i < n; i++) {
		uint64_t z = mix(state += UINT64_C(0x9e3779b97f4a7c15));
		float unit = (float)(z >> 40) * 0x1p-24f; /* 0 .. 1 */
		float f = x->fill == FILL_POSITIVE ? x->range * (0.25f + 0.75f * unit) : x->range * (2.0f * unit - 1.0f);
		if (x->type == GLLM_F32 || narrow((enum gllm_type)x->type))
			put_float((enum gllm_type)x->type, to, i, f);
		else if (x->type == GLLM_U32)
			((uint32_t *)(void *)to)[i] = (uint32_t)((float)(uint32_t)x->range * unit * 0.999f);
		else
			to[i] = (unsigned char)(x->fill == FILL_BLOCKS ? z & 63 : z);
	}
}

bool recipe_allocate(const struct recipe *r, unsigned tensor, struct gllm_arena *arena, struct recipe_values *v)
{
	uint64_t n = recipe_elements(r, tensor, r->max_rows);
	v->data[tensor] = gllm_alloc(arena, (size_t)recipe_bytes(r, tensor, r->max_rows) + 1, 64);
	v->error[tensor] = gllm_alloc_array(arena, (size_t)n + 1, sizeof(double), 64);
	v->wide[tensor] = gllm_alloc_array(arena, narrow((enum gllm_type)r->tensor[tensor].type) ? (size_t)n + 1 : 1, sizeof(float), 64);
	return v->data[tensor] && v->error[tensor] && v->wide[tensor];
}

void recipe_give_operand(const struct recipe *r, unsigned tensor, struct recipe_values *v)
{
	v->error[tensor] = NULL;
	recipe_fill_operand(r, tensor, v->data[tensor]);
	widen(r, tensor, v);
}

/* --- evaluation ------------------------------------------------------------------------------------------------------ */

/* What the node computed is rounded to the type of its tensor, and read from there. */
static void store(const struct recipe *r, unsigned tensor, uint64_t rows, struct recipe_values *v)
{
	enum gllm_type type = (enum gllm_type)r->tensor[tensor].type;
	for (uint64_t i = recipe_elements(r, tensor, rows); narrow(type) && i-- > 0;) {
		float y = v->wide[tensor][i];
		put_float(type, v->data[tensor], i, y);
		v->wide[tensor][i] = recipe_float(type, v->data[tensor], i);
		v->error[tensor][i] = bound_stored(type, (double)y, v->error[tensor][i]);
	}
}

void recipe_evaluate(const struct gllm_context *c, const struct recipe *r, unsigned node, uint64_t rows, struct recipe_values *v)
{
	const struct recipe_node *n = &r->node[node];
	const struct gllm_op_entry *o = op_of(c, r, node);
	union gllm_arg arg[GLLM_MAX_PARAMS];
	double *error[GLLM_MAX_PARAMS];
	uint8_t type[GLLM_MAX_PARAMS] = { 0 };
	uint64_t batch = number(n->batch, rows);
	for (unsigned p = 0; p < o->nparams; p++)
		if (o->param[p].kind == GLLM_OUT)
			for (uint64_t i = recipe_elements(r, n->actual[p].tensor, rows); i-- > 0;)
				v->error[n->actual[p].tensor][i] = 0;
	for (uint64_t step = 0; step < batch; step++) {
		for (unsigned p = 0; p < o->nparams; p++) {
			const struct gllm_actual *a = &n->actual[p];
			error[p] = NULL;
			arg[p].bits = 0;
			if (o->param[p].kind == GLLM_DIM) {
				arg[p].dim = number(a->dim, rows);
			} else if (o->param[p].kind == GLLM_SCALAR) {
				arg[p].scalar = a->scalar;
			} else {
				const struct recipe_tensor *x = &r->tensor[a->tensor];
				uint64_t at = n->batch != 1 && x->rows == n->batch ? step * x->cols : 0;
				type[p] = x->type;
				arg[p].ptr = v->data[a->tensor] + at * gllm_type_bytes((enum gllm_type)x->type);
				if (widened(c, r, node, p))
					arg[p].ptr = v->wide[a->tensor] + at;
				if (v->error[a->tensor])
					error[p] = v->error[a->tensor] + at;
			}
		}
		o->call(o->fn, arg);
		bound_apply(&(struct bound_call){ n->op, arg, error, type });
	}
	for (unsigned p = 0; p < o->nparams; p++)
		if (o->param[p].kind == GLLM_OUT)
			store(r, n->actual[p].tensor, rows, v);
}

bool recipe_run(const struct gllm_context *c, const struct recipe *r, uint64_t rows, struct gllm_arena *arena,
                struct recipe_values *v)
{
	for (unsigned i = 0; i < r->ntensors; i++) {
		if (!recipe_allocate(r, i, arena, v))
			return false;
		if (r->tensor[i].kind == GLLM_TENSOR_INPUT || r->tensor[i].kind == GLLM_TENSOR_WEIGHT)
			recipe_give_operand(r, i, v);
	}
	for (unsigned i = 0; i < r->nnodes; i++)
		recipe_evaluate(c, r, i, rows, v);
	return true;
}

/* --- as a graph ------------------------------------------------------------------------------------------------------ */

enum gllm_status recipe_build(struct gllm_context *c, const struct recipe *r, struct gllm_graph **out, struct gllm_error *e)
{
	static const char *const kind[] = { "input", "weight", "output", "value" };
	enum gllm_status s = gllm_graph_create(c, "random", r->max_rows, RECIPE_TENSORS, RECIPE_NODES, out, e);
	for (unsigned i = 0; i < r->ntensors && s == GLLM_OK; i++) {
		const struct recipe_tensor *x = &r->tensor[i];
		gllm_tensor made = gllm_graph_tensor(*out, x->kind, x->type, x->rows, x->cols, kind[x->kind]);
		const struct gllm_packing packing = recipe_packing(r, i);
		if (x->lanes)
			gllm_graph_packed(*out, made, &packing);
		s = gllm_graph_status(*out, e);
	}
	for (unsigned i = 0; i < r->nnodes && s == GLLM_OK; i++) {
		gllm_graph_node(*out, r->node[i].op, r->node[i].batch, r->node[i].actual, op_of(c, r, i)->nparams);
		s = gllm_graph_status(*out, e);
	}
	return s;
}

/* --- as text --------------------------------------------------------------------------------------------------------- */

static size_t put_dim(char *out, size_t size, uint64_t dim)
{
	return dim == GLLM_ROWS ? gllm_format(out, size, "R") : gllm_format(out, size, "%llu", (unsigned long long)dim);
}

static void print_tensor(const struct check *t, const struct recipe *r, unsigned i)
{
	static const char *const kind[] = { "input", "weight", "output", "value" };
	const struct recipe_tensor *x = &r->tensor[i];
	char rows[24];
	put_dim(rows, sizeof rows, x->rows);
	check_print(t, "       t%u: %s %s [%s][%llu] packed %u\n", i, kind[x->kind], gllm_type_name(x->type), rows,
	            (unsigned long long)x->cols, x->lanes);
}

void recipe_print(const struct check *t, const struct gllm_context *c, const struct recipe *r)
{
	check_print(t, "     graph of seed %llu, R up to %llu\n", (unsigned long long)r->seed, (unsigned long long)r->max_rows);
	for (unsigned i = 0; i < r->ntensors; i++)
		print_tensor(t, r, i);
	for (unsigned i = 0; i < r->nnodes; i++) {
		const struct recipe_node *n = &r->node[i];
		const struct gllm_op_entry *o = op_of(c, r, i);
		char line[400];
		size_t at = gllm_format(line, sizeof line, "       %u: %s, batch ", i, o->name);
		at += put_dim(line + at, sizeof line - at, n->batch);
		for (unsigned p = 0; p < o->nparams; p++) {
			at += gllm_format(line + at, sizeof line - at, " %s=", o->param[p].name);
			if (o->param[p].kind == GLLM_DIM)
				at += put_dim(line + at, sizeof line - at, n->actual[p].dim);
			else if (o->param[p].kind == GLLM_SCALAR)
				at += gllm_format(line + at, sizeof line - at, "%f", (double)n->actual[p].scalar);
			else
				at += gllm_format(line + at, sizeof line - at, "t%u", n->actual[p].tensor);
		}
		check_print(t, "%s\n", line);
	}
}

/* --- smaller --------------------------------------------------------------------------------------------------------- */

/* Tensors that no node touches vanish, and the numbers behind them move up. */
static void compact(const struct gllm_context *c, struct recipe *r)
{
	gllm_tensor place[RECIPE_TENSORS];
	bool used[RECIPE_TENSORS] = { false };
	unsigned n = 0;
	for (unsigned i = 0; i < r->nnodes; i++)
		for (unsigned p = 0; p < op_of(c, r, i)->nparams; p++)
			if (op_of(c, r, i)->param[p].kind < GLLM_DIM)
				used[r->node[i].actual[p].tensor] = true;
	for (unsigned i = 0; i < r->ntensors; i++) {
		place[i] = (gllm_tensor)n;
		if (used[i])
			r->tensor[n++] = r->tensor[i];
	}
	r->ntensors = n;
	for (unsigned i = 0; i < r->nnodes; i++)
		for (unsigned p = 0; p < op_of(c, r, i)->nparams; p++)
			if (op_of(c, r, i)->param[p].kind < GLLM_DIM)
				r->node[i].actual[p].tensor = place[r->node[i].actual[p].tensor];
}

/* What the node made is given from now on. */
static void remove_node(const struct gllm_context *c, struct recipe *r, unsigned node)
{
	const struct gllm_op_entry *o = op_of(c, r, node);
	for (unsigned p = 0; p < o->nparams; p++)
		if (o->param[p].kind == GLLM_OUT) {
			struct recipe_tensor *x = &r->tensor[r->node[node].actual[p].tensor];
			x->kind = GLLM_TENSOR_INPUT;
			x->fill = x->type == GLLM_F32 || narrow((enum gllm_type)x->type) ? FILL_AROUND : FILL_BELOW;
			x->range = 1.0f;
		}
	r->nnodes--;
	for (unsigned i = node; i < r->nnodes; i++)
		r->node[i] = r->node[i + 1];
	compact(c, r);
}

bool recipe_reduce(const struct gllm_context *c, const struct recipe *r, unsigned i, struct recipe *out)
{
	*out = *r;
	if (i < r->nnodes) {
		if (r->nnodes > 1)
			remove_node(c, out, r->nnodes - 1 - i);
	} else if (i - r->nnodes < r->ntensors) {
		struct recipe_tensor *x = &out->tensor[i - r->nnodes];
		if (x->kind == GLLM_TENSOR_OUTPUT)
			x->kind = GLLM_TENSOR_VALUE;
	} else if (i == r->nnodes + r->ntensors) {
		out->max_rows = (r->max_rows + 1) / 2;
	} else {
		return false;
	}
	return true;
}
