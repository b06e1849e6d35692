/* SPDX-License-Identifier: MIT
 * tests/check_recipe_draw.c - random graphs (check_recipe.h).
 *
 * Nodes are drawn one after another, each over a tensor that is there already (the newest, more often than not: chains) or
 * over a new operand, and evaluated at once: a node whose values overflow, or are no longer known to four digits, is drawn
 * anew. So every comparison of the suite means something. Half of the graphs have F16 or BF16 tensors among the F32 ones, and some
 * weights of products are packed; of what was rounded to such a type two digits must be left, and one to BF16. */
#include "check_bound.h"
#include "check_recipe.h"
#include "core/bits.h"
#include "gllm/model.h"
#include "jit/context.h"

struct draw {
	struct check *t;
	struct gllm_context *c;
	struct gllm_arena arena;
	struct recipe *r;
	struct recipe_values v;
	unsigned limit;          /* most elements of a tensor */
	unsigned ready;          /* tensors that were there before the node being drawn */
	unsigned narrow[GLLM_TENSOR_VALUE + 1]; /* percent of tensors of a kind that are F16 or BF16, */
	unsigned halves;         /* and of them F16 */
	unsigned packed;         /* percent of products' weights */
};

static bool chance(struct draw *d, unsigned percent)
{
	return check_below(d->t, 100) < percent;
}

static unsigned side(struct draw *d)
{
	static const uint8_t small[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 15, 16, 17, 24, 31, 32, 33, 40 };
	static const uint16_t large[] = { 47, 64, 65, 96, 130, 192, 260 };
	return d->limit > 2048 && chance(d, 40) ? large[check_below(d->t, GLLM_COUNT(large))] : small[check_below(d->t, sizeof small)];
}

static uint64_t count_of(const struct draw *d, uint64_t rows)
{
	return rows == GLLM_ROWS ? d->r->max_rows : rows;
}

/* --- tensors --------------------------------------------------------------------------------------------------------- */

static gllm_tensor add(struct draw *d, enum gllm_tensor_kind kind, enum gllm_type type, uint64_t rows, uint64_t cols,
                       enum recipe_fill fill, float range)
{
	struct recipe *r = d->r;
	if (r->ntensors == RECIPE_TENSORS || cols == 0 || count_of(d, rows) * cols > d->limit)
		return GLLM_NO_TENSOR;
	r->tensor[r->ntensors] = (struct recipe_tensor){ .kind = (uint8_t)kind, .type = (uint8_t)type, .fill = (uint8_t)fill,
		.salt = (uint16_t)check_random(d->t), .range = range, .rows = rows, .cols = cols };
	return (gllm_tensor)r->ntensors++;
}

/* Where the definition has F32. */
static gllm_tensor floats(struct draw *d, enum gllm_tensor_kind kind, uint64_t rows, uint64_t cols, enum recipe_fill fill, float range)
{
	enum gllm_type type = !chance(d, d->narrow[kind]) ? GLLM_F32 : chance(d, d->halves) ? GLLM_F16 : GLLM_BF16;
	return add(d, kind, type, rows, cols, fill, range);
}

static gllm_tensor value(struct draw *d, uint64_t rows, uint64_t cols)
{
	return floats(d, GLLM_TENSOR_VALUE, rows, cols, FILL_AROUND, 1);
}

static gllm_tensor operand(struct draw *d, uint64_t rows, uint64_t cols)
{
	return floats(d, GLLM_TENSOR_INPUT, rows, cols, FILL_AROUND, 2);
}

/* A matrix whose products with `k` numbers are about as large as they: their range. */
static float range_of(uint64_t k)
{
	return 2 / gllm_sqrtf((float)(k ? k : 1));
}

static gllm_tensor weights(struct draw *d, uint64_t rows, uint64_t cols, uint64_t k)
{
	return floats(d, GLLM_TENSOR_WEIGHT, rows, cols, FILL_AROUND, range_of(k));
}

static gllm_tensor gain(struct draw *d, uint64_t cols)
{
	return floats(d, GLLM_TENSOR_WEIGHT, 1, cols, chance(d, 50) ? FILL_POSITIVE : FILL_AROUND, 1.5f);
}

static bool matches(const struct draw *d, unsigned i, uint64_t rows, uint64_t cols)
{
	const struct recipe_tensor *x = &d->r->tensor[i];
	bool is_float = x->type == GLLM_F32 || x->type == GLLM_F16 || x->type == GLLM_BF16;
	return is_float && !x->lanes && (rows == 0 || x->rows == rows) && (cols == 0 || x->cols == cols);
}

/* A tensor of floats that is there, of that shape (0: any); GLLM_NO_TENSOR if there is none. */
static gllm_tensor existing(struct draw *d, uint64_t rows, uint64_t cols)
{
	unsigned n = 0, first = check_below(d->t, d->ready + 1);
	for (unsigned i = 0; i < d->ready; i++) {
		n = (first + i) % d->ready;
		if (matches(d, n, rows, cols))
			return (gllm_tensor)n;
	}
	return GLLM_NO_TENSOR;
}

static gllm_tensor newest(const struct draw *d)
{
	for (unsigned i = d->ready; i-- > 0;)
		if (matches(d, i, 0, 0) && d->r->tensor[i].kind == GLLM_TENSOR_VALUE)
			return (gllm_tensor)i;
	return GLLM_NO_TENSOR;
}

static gllm_tensor source(struct draw *d)
{
	gllm_tensor x = chance(d, 55) ? newest(d) : chance(d, 75) ? existing(d, 0, 0) : GLLM_NO_TENSOR;
	if (x != GLLM_NO_TENSOR)
		return x;
	return operand(d, chance(d, 65) ? GLLM_ROWS : 1 + check_below(d->t, 9), side(d));
}

/* A second operand of that shape. */
static gllm_tensor partner(struct draw *d, uint64_t rows, uint64_t cols)
{
	gllm_tensor x = chance(d, 70) ? existing(d, rows, cols) : GLLM_NO_TENSOR;
	return x != GLLM_NO_TENSOR ? x : operand(d, rows, cols);
}

static uint64_t rows_of(const struct draw *d, gllm_tensor x) { return d->r->tensor[x].rows; }
static uint64_t cols_of(const struct draw *d, gllm_tensor x) { return d->r->tensor[x].cols; }

/* --- nodes ----------------------------------------------------------------------------------------------------------- */

static bool node(struct draw *d, unsigned op, uint64_t batch, const struct gllm_actual *actual, unsigned n)
{
	struct recipe_node *x = &d->r->node[d->r->nnodes];
	if (d->r->nnodes == RECIPE_NODES)
		return false;
	*x = (struct recipe_node){ .op = (uint16_t)op, .batch = batch };
	for (unsigned i = 0; i < n; i++) {
		if (d->c->op[op].param[i].kind < GLLM_DIM && actual[i].tensor == GLLM_NO_TENSOR)
			return false;
		x->actual[i] = actual[i];
	}
	d->r->nnodes++;
	return true;
}
#define NODE(d, op, batch, ...) node(d, op, batch, (struct gllm_actual[]){ __VA_ARGS__ }, \
                                     sizeof (struct gllm_actual[]){ __VA_ARGS__ } / sizeof(struct gllm_actual))

/* How the elements of a tensor are walked through: row by row, or all at once where one number says how many they are. */
struct walk {
	uint64_t batch, n;
};

static struct walk walk(struct draw *d, gllm_tensor x)
{
	uint64_t rows = rows_of(d, x), cols = cols_of(d, x);
	if (rows != GLLM_ROWS && chance(d, 40))
		return (struct walk){ 1, rows * cols };
	if (rows == GLLM_ROWS && cols == 1 && chance(d, 50))
		return (struct walk){ 1, GLLM_ROWS };
	return (struct walk){ rows, cols };
}

#define PICK(d, ...) ((const uint16_t[]){ __VA_ARGS__ }[check_below((d)->t, sizeof (uint16_t[]){ __VA_ARGS__ } / 2)])

static bool draw_map(struct draw *d)
{
	gllm_tensor x = source(d);
	if (x == GLLM_NO_TENSOR)
		return false;
	struct walk w = walk(d, x);
	gllm_tensor y = value(d, rows_of(d, x), cols_of(d, x));
	unsigned op = PICK(d, GLLM_OP_neg, GLLM_OP_abs, GLLM_OP_relu, GLLM_OP_sigmoid, GLLM_OP_silu, GLLM_OP_gelu, GLLM_OP_gelu_erf,
	                   GLLM_OP_exp, GLLM_OP_tanh, GLLM_OP_copy, GLLM_OP_scale, GLLM_OP_clamp);
	if (op == GLLM_OP_scale)
		return NODE(d, op, w.batch, GLLM_T(y), GLLM_T(x), GLLM_D(w.n), GLLM_S(check_float(d->t, -2, 2)));
	if (op == GLLM_OP_clamp)
		return NODE(d, op, w.batch, GLLM_T(y), GLLM_T(x), GLLM_D(w.n), GLLM_S(-0.5f), GLLM_S(1.25f));
	return NODE(d, op, w.batch, GLLM_T(y), GLLM_T(x), GLLM_D(w.n));
}

static bool draw_pair(struct draw *d)
{
	gllm_tensor x = source(d);
	if (x == GLLM_NO_TENSOR)
		return false;
	uint64_t rows = rows_of(d, x), cols = cols_of(d, x);
	unsigned op = PICK(d, GLLM_OP_add, GLLM_OP_mul, GLLM_OP_sub, GLLM_OP_div, GLLM_OP_swiglu, GLLM_OP_geglu, GLLM_OP_axpy,
	                   GLLM_OP_add, GLLM_OP_mul, GLLM_OP_swiglu);
	struct walk w = walk(d, x);
	gllm_tensor b;
	if (op == GLLM_OP_div)
		b = floats(d, GLLM_TENSOR_INPUT, rows, cols, FILL_POSITIVE, 2);
	else if (chance(d, 15)) /* one row for all of them: a bias, a gain */
		b = gain(d, cols), w = (struct walk){ rows, cols };
	else
		b = partner(d, rows, cols);
	if (op != GLLM_OP_div && chance(d, 50)) {
		gllm_tensor swap = x;
		x = b;
		b = swap;
	}
	gllm_tensor y = value(d, rows, cols);
	if (op == GLLM_OP_axpy)
		return NODE(d, op, w.batch, GLLM_T(y), GLLM_T(x), GLLM_T(b), GLLM_D(w.n), GLLM_S(check_float(d->t, -2, 2)));
	return NODE(d, op, w.batch, GLLM_T(y), GLLM_T(x), GLLM_T(b), GLLM_D(w.n));
}

static bool draw_reduction(struct draw *d)
{
	gllm_tensor x = source(d);
	if (x == GLLM_NO_TENSOR)
		return false;
	unsigned op = PICK(d, GLLM_OP_sum, GLLM_OP_mean, GLLM_OP_max, GLLM_OP_sum_squares, GLLM_OP_variance, GLLM_OP_argmax,
	                   GLLM_OP_dot);
	struct walk w = walk(d, x);
	if (op == GLLM_OP_argmax)
		return NODE(d, op, w.batch, GLLM_T(add(d, GLLM_TENSOR_VALUE, GLLM_U32, w.batch, 1, FILL_BELOW, (float)count_of(d, w.n))),
		            GLLM_T(x), GLLM_D(w.n));
	gllm_tensor b = op == GLLM_OP_dot ? partner(d, rows_of(d, x), cols_of(d, x)) : 0, y = value(d, w.batch, 1);
	if (op == GLLM_OP_dot)
		return NODE(d, op, w.batch, GLLM_T(y), GLLM_T(x), GLLM_T(b), GLLM_D(w.n));
	return NODE(d, op, w.batch, GLLM_T(y), GLLM_T(x), GLLM_D(w.n));
}

static bool draw_norm(struct draw *d)
{
	gllm_tensor x = source(d);
	if (x == GLLM_NO_TENSOR)
		return false;
	uint64_t rows = rows_of(d, x), cols = cols_of(d, x);
	gllm_tensor y = value(d, rows, cols);
	switch (check_below(d->t, 5)) {
	case 0: return NODE(d, GLLM_OP_layer_norm, rows, GLLM_T(y), GLLM_T(x), GLLM_T(gain(d, cols)), GLLM_T(gain(d, cols)),
		            GLLM_D(cols), GLLM_S(1e-3f));
	case 1: return NODE(d, GLLM_OP_l2_norm, rows, GLLM_T(y), GLLM_T(x), GLLM_D(cols), GLLM_S(1e-3f));
	case 2: return NODE(d, GLLM_OP_softmax, rows, GLLM_T(y), GLLM_T(x), GLLM_D(cols));
	default: return NODE(d, GLLM_OP_rms_norm, rows, GLLM_T(y), GLLM_T(x), GLLM_T(gain(d, cols)), GLLM_D(cols), GLLM_S(1e-3f));
	}
}

/* A weight of n rows of k, or, not `turned`, of k rows of n; packed, maybe. */
static gllm_tensor product_weights(struct draw *d, uint64_t n, uint64_t k, bool turned)
{
	static const uint8_t lanes[] = { 8, 16, 16, 32, 48, 4, 5 };
	gllm_tensor w = weights(d, turned ? n : k, turned ? k : n, k);
	if (w != GLLM_NO_TENSOR && n > 1 && k > 1 && chance(d, d->packed)) {
		d->r->tensor[w].lanes = lanes[check_below(d->t, sizeof lanes)];
		d->r->tensor[w].turned = turned;
	}
	return w;
}

/* The matrix of a product: new, or a value of that shape (a decoded one, keys). */
static gllm_tensor matrix(struct draw *d, uint64_t n, uint64_t k, bool turned)
{
	gllm_tensor w = chance(d, 50) ? existing(d, turned ? n : k, turned ? k : n) : GLLM_NO_TENSOR;
	return w != GLLM_NO_TENSOR ? w : product_weights(d, n, k, turned);
}

static bool draw_product(struct draw *d)
{
	gllm_tensor a = source(d);
	if (a == GLLM_NO_TENSOR)
		return false;
	uint64_t m = rows_of(d, a), k = cols_of(d, a), n = side(d);
	if (chance(d, 25)) { /* as wide as something that is there: a residual may follow */
		gllm_tensor like = existing(d, m, 0);
		n = like == GLLM_NO_TENSOR ? n : cols_of(d, like);
	}
	gllm_tensor y = value(d, m, n);
	unsigned op = PICK(d, GLLM_OP_gemm_bt, GLLM_OP_gemm_bt, GLLM_OP_gemm_bt, GLLM_OP_gemm, GLLM_OP_gemm, GLLM_OP_gemv, GLLM_OP_gemm_bt_f16,
	                   GLLM_OP_gemm_bias, GLLM_OP_gemm_bt_bias, GLLM_OP_gemm_acc, GLLM_OP_quant_gemm, GLLM_OP_gemv_q8, GLLM_OP_gemm_q8,
	                   GLLM_OP_gemv_q4, GLLM_OP_gemv_q2, GLLM_OP_gemv_q1, GLLM_OP_gemm_q4);
	uint64_t block = k % 8 == 0 ? 8 : k % 3 == 0 ? 3 : 1;
	float scale = 0.125f / gllm_sqrtf((float)k);
#define MNK GLLM_D(m), GLLM_D(n), GLLM_D(k)
	uint64_t packed = op == GLLM_OP_gemv_q8 || op == GLLM_OP_gemm_q8 ? 1 : op == GLLM_OP_gemv_q2 ? 4 : op == GLLM_OP_gemv_q1 ? 8 : 2;
	enum gllm_type type = packed == 1 ? GLLM_I8 : GLLM_U8;
	scale = packed == 1 ? scale / 16 : scale;
	if (op == GLLM_OP_gemv)
		return NODE(d, op, m, GLLM_T(y), GLLM_T(weights(d, 1, n * k, k)), GLLM_T(a), GLLM_D(n), GLLM_D(k));
	if (op == GLLM_OP_gemm || op == GLLM_OP_gemm_bt)
		return NODE(d, op, 1, GLLM_T(y), GLLM_T(a),
		            GLLM_T(matrix(d, n, k, op == GLLM_OP_gemm_bt)), MNK);
	if (op == GLLM_OP_gemm_bt_f16)
		return NODE(d, op, 1, GLLM_T(y), GLLM_T(a), GLLM_T(add(d, GLLM_TENSOR_WEIGHT, GLLM_F16, n, k, FILL_AROUND, range_of(k))), MNK);
	if (op == GLLM_OP_gemm_bias || op == GLLM_OP_gemm_bt_bias)
		return NODE(d, op, 1, GLLM_T(y), GLLM_T(a),
		            GLLM_T(matrix(d, n, k, op == GLLM_OP_gemm_bt_bias)), GLLM_T(gain(d, n)), MNK);
	if (op == GLLM_OP_gemm_acc) { /* what reads one tensor in two ways is no product that knows packed weights */
		gllm_tensor c0 = partner(d, m, n);
		return NODE(d, op, 1, GLLM_T(y), GLLM_T(c0), GLLM_T(a), GLLM_T(c0 == a ? weights(d, k, n, k) : matrix(d, n, k, false)), MNK);
	}
	if (op == GLLM_OP_quant_gemm)
		return NODE(d, op, 1, GLLM_T(y), GLLM_T(a), GLLM_T(weights(d, n, k, k)),
		            GLLM_T(floats(d, GLLM_TENSOR_WEIGHT, n, k / block, FILL_POSITIVE, 1)), GLLM_D(m), GLLM_D(n),
		            GLLM_D(k / block), GLLM_D(block));
	if (k % packed)
		return false;
	if (op == GLLM_OP_gemm_q8 || op == GLLM_OP_gemm_q4)
		return NODE(d, op, 1, GLLM_T(y), GLLM_T(a), GLLM_T(add(d, GLLM_TENSOR_WEIGHT, type, n, k / packed, FILL_BYTES, 0)),
		            GLLM_T(floats(d, GLLM_TENSOR_WEIGHT, 1, n, FILL_POSITIVE, scale)), GLLM_D(m), GLLM_D(n), GLLM_D(k / packed));
	return NODE(d, op, m, GLLM_T(y), GLLM_T(add(d, GLLM_TENSOR_WEIGHT, type, 1, n * (k / packed), FILL_BYTES, 0)), GLLM_T(a),
	            GLLM_D(n), GLLM_D(k / packed), GLLM_S(scale));
#undef MNK
}

static bool draw_rope(struct draw *d)
{
	gllm_tensor x = source(d);
	if (x == GLLM_NO_TENSOR)
		return false;
	uint64_t rows = rows_of(d, x), cols = cols_of(d, x), heads = 1 + check_below(d->t, 4);
	if (cols % heads)
		return false;
	uint64_t head = cols / heads, half = head / 2, rest = head % 2;
	bool part = rest != 0 || chance(d, 30);
	if (part && half > 1 && chance(d, 50))
		half--, rest += 2;
	if (half == 0)
		return false;
	uint64_t angles = chance(d, 70) ? rows : 1;
	gllm_tensor cos = floats(d, GLLM_TENSOR_INPUT, angles, half, FILL_AROUND, 1),
	            sin = floats(d, GLLM_TENSOR_INPUT, angles, half, FILL_AROUND, 1), y = value(d, rows, cols);
	if (part)
		return NODE(d, PICK(d, GLLM_OP_rope_adjacent_part, GLLM_OP_rope_halves_part), rows, GLLM_T(y), GLLM_T(x), GLLM_T(cos),
		            GLLM_T(sin), GLLM_D(heads), GLLM_D(half), GLLM_D(rest));
	return NODE(d, PICK(d, GLLM_OP_rope_adjacent, GLLM_OP_rope_halves), rows, GLLM_T(y), GLLM_T(x), GLLM_T(cos), GLLM_T(sin),
	            GLLM_D(heads), GLLM_D(half));
}

static bool draw_transpose(struct draw *d)
{
	gllm_tensor x = source(d);
	if (x == GLLM_NO_TENSOR)
		return false;
	uint64_t rows = rows_of(d, x), cols = cols_of(d, x), part = 1 + check_below(d->t, 6);
	if (rows != GLLM_ROWS && chance(d, 50))
		return NODE(d, GLLM_OP_transpose, 1, GLLM_T(value(d, cols, rows)), GLLM_T(x), GLLM_D(rows), GLLM_D(cols));
	if (chance(d, 50)) /* as many elements, in another order */
		return NODE(d, GLLM_OP_transpose, 1, GLLM_T(value(d, rows, cols)), GLLM_T(x), GLLM_D(rows), GLLM_D(cols));
	if (cols % part)
		return false;
	return NODE(d, GLLM_OP_transpose, rows, GLLM_T(value(d, rows, cols)), GLLM_T(x), GLLM_D(part), GLLM_D(cols / part));
}

/* A vector of row numbers that is there and below `limit`. */
static gllm_tensor numbers(struct draw *d, uint64_t limit)
{
	for (unsigned i = d->ready; i-- > 0;)
		if (d->r->tensor[i].type == GLLM_U32 && d->r->tensor[i].range <= (float)limit && d->r->tensor[i].cols == 1)
			return (gllm_tensor)i;
	return GLLM_NO_TENSOR;
}

static bool draw_gather(struct draw *d)
{
	gllm_tensor table = source(d);
	if (table == GLLM_NO_TENSOR || rows_of(d, table) == GLLM_ROWS)
		return false;
	uint64_t rows = rows_of(d, table), cols = cols_of(d, table);
	gllm_tensor index = chance(d, 60) ? numbers(d, rows) : GLLM_NO_TENSOR;
	if (index == GLLM_NO_TENSOR)
		index = add(d, GLLM_TENSOR_INPUT, GLLM_U32, chance(d, 60) ? GLLM_ROWS : 1 + check_below(d->t, 7), 1, FILL_BELOW, (float)rows);
	if (index == GLLM_NO_TENSOR)
		return false;
	return NODE(d, GLLM_OP_gather, 1, GLLM_T(value(d, rows_of(d, index), cols)), GLLM_T(table), GLLM_T(index),
	            GLLM_D(rows_of(d, index)), GLLM_D(cols));
}

/* Decoded weights: rows of whole blocks, which a product may take as its matrix. */
static bool draw_decoder(struct draw *d)
{
	static const struct { uint16_t op, elements, bytes; } format[] = {
		{ GLLM_OP_dequant_q4_0, 32, 18 }, { GLLM_OP_dequant_q4_1, 32, 20 }, { GLLM_OP_dequant_q5_0, 32, 22 },
		{ GLLM_OP_dequant_q5_1, 32, 24 }, { GLLM_OP_dequant_q8_0, 32, 34 }, { GLLM_OP_dequant_q2_k, 256, 84 },
		{ GLLM_OP_dequant_q4_k, 256, 144 }, { GLLM_OP_dequant_q6_k, 256, 210 }, { GLLM_OP_dequant_tq2_0, 256, 66 },
		{ GLLM_OP_dequant_mxfp4, 32, 17 },
	};
	if (chance(d, 30)) {
		uint64_t rows = 1 + check_below(d->t, 8), block = 1 + check_below(d->t, 9), blocks = 1 + check_below(d->t, 4);
		gllm_tensor y = value(d, rows, blocks * block);
		return NODE(d, GLLM_OP_dequantize, 1, GLLM_T(y), GLLM_T(weights(d, rows, blocks * block, 1)),
		            GLLM_T(floats(d, GLLM_TENSOR_WEIGHT, rows, blocks, FILL_POSITIVE, 1)), GLLM_D(rows * blocks), GLLM_D(block));
	}
	unsigned i = check_below(d->t, GLLM_COUNT(format));
	uint64_t rows = 1 + check_below(d->t, format[i].elements > 32 ? 2 : 8);
	gllm_tensor y = value(d, rows, format[i].elements);
	return NODE(d, format[i].op, 1, GLLM_T(y), GLLM_T(add(d, GLLM_TENSOR_WEIGHT, GLLM_U8, rows, format[i].bytes, FILL_BLOCKS, 0)),
	            GLLM_D(rows));
}

static bool draw_attention(struct draw *d)
{
	gllm_tensor q = source(d);
	if (q == GLLM_NO_TENSOR || rows_of(d, q) != 1)
		return false;
	uint64_t size = cols_of(d, q), stride = size + (chance(d, 40) ? 1 + check_below(d->t, 9) : 0);
	uint64_t tokens = chance(d, 60) ? GLLM_ROWS : 1 + check_below(d->t, 12);
	gllm_tensor k = partner(d, tokens, stride), v = partner(d, tokens, stride);
	return NODE(d, GLLM_OP_attend, 1, GLLM_T(value(d, 1, size)), GLLM_T(value(d, tokens, 1)), GLLM_T(q), GLLM_T(k), GLLM_T(v),
	            GLLM_D(tokens), GLLM_D(size), GLLM_D(stride), GLLM_S(1 / gllm_sqrtf((float)size)));
}

static bool draw_several(struct draw *d)
{
	gllm_tensor x = source(d);
	if (x == GLLM_NO_TENSOR)
		return false;
	uint64_t rows = rows_of(d, x), cols = cols_of(d, x);
	struct walk w = walk(d, x);
	unsigned which = check_below(d->t, BOUND_USERS);
	gllm_tensor y = value(d, rows, cols);
	if (which == BOUND_CENTRE)
		return NODE(d, GLLM_OP_COUNT + which, w.batch, GLLM_T(y), GLLM_T(value(d, w.batch, 1)), GLLM_T(x), GLLM_D(w.n));
	gllm_tensor z = value(d, rows, cols);
	if (which == BOUND_TURN)
		return NODE(d, GLLM_OP_COUNT + which, w.batch, GLLM_T(y), GLLM_T(z), GLLM_T(x), GLLM_T(partner(d, rows, cols)), GLLM_D(w.n));
	return NODE(d, GLLM_OP_COUNT + which, w.batch, GLLM_T(y), GLLM_T(z), GLLM_T(x), GLLM_D(w.n));
}

/* The row of an operator whose operand is longer than it reads. */
static bool draw_part(struct draw *d)
{
	gllm_tensor x = source(d);
	if (x == GLLM_NO_TENSOR || rows_of(d, x) == GLLM_ROWS || rows_of(d, x) * cols_of(d, x) < 2)
		return false;
	uint64_t n = 1 + check_below(d->t, (uint32_t)(rows_of(d, x) * cols_of(d, x) - 1));
	return NODE(d, PICK(d, GLLM_OP_silu, GLLM_OP_neg, GLLM_OP_softmax), 1, GLLM_T(value(d, 1, n)), GLLM_T(x), GLLM_D(n));
}

/* What layers of models are made of: a norm (or not), two or three products of one input, which meet in a map or leave, and
 * sometimes a product back with what was there before. */
static bool draw_layer(struct draw *d)
{
	bool wide = d->limit > 2048 && chance(d, 50); /* rows that begin in the same sets of a cache: they are packed */
	gllm_tensor x = wide ? add(d, GLLM_TENSOR_INPUT, GLLM_F32, GLLM_ROWS, 512, FILL_AROUND, 2) : source(d), in = x, y[3];
	if (x == GLLM_NO_TENSOR)
		return false;
	uint64_t m = rows_of(d, x), k = cols_of(d, x), n = wide ? 48 : side(d);
	unsigned products = 2 + check_below(d->t, 2);
	bool meet = chance(d, 60);
	if (chance(d, 75)) {
		in = wide ? add(d, GLLM_TENSOR_VALUE, GLLM_F32, m, k, FILL_AROUND, 1) : value(d, m, k);
		if (!NODE(d, GLLM_OP_rms_norm, m, GLLM_T(in), GLLM_T(x), GLLM_T(gain(d, k)), GLLM_D(k), GLLM_S(1e-3f)))
			return false;
	}
	for (unsigned i = 0; i < products; i++) {
		y[i] = value(d, m, n);
		gllm_tensor w = product_weights(d, n, k, true);
		/* a product may also read the one before it, as its bias */
		bool chained = i == 1 && m == 1 && cols_of(d, y[0]) == n && chance(d, 20);
		if (chained ? !NODE(d, GLLM_OP_gemm_bt_bias, 1, GLLM_T(y[i]), GLLM_T(in), GLLM_T(w), GLLM_T(y[0]), GLLM_D(m), GLLM_D(n), GLLM_D(k))
		            : !NODE(d, GLLM_OP_gemm_bt, 1, GLLM_T(y[i]), GLLM_T(in), GLLM_T(w), GLLM_D(m), GLLM_D(n), GLLM_D(k)))
			return false;
		n = meet || chance(d, 50) ? n : side(d);
	}
	if (!meet)
		return true;
	gllm_tensor h = value(d, m, n);
	if (!NODE(d, PICK(d, GLLM_OP_swiglu, GLLM_OP_geglu, GLLM_OP_mul, GLLM_OP_add), m, GLLM_T(h), GLLM_T(y[0]), GLLM_T(y[1]), GLLM_D(n)))
		return false;
	if (chance(d, 50))
		return true;
	gllm_tensor r = value(d, m, k), z = value(d, m, k);
	return NODE(d, GLLM_OP_gemm_bt, 1, GLLM_T(r), GLLM_T(h), GLLM_T(product_weights(d, k, n, true)), GLLM_D(m), GLLM_D(k), GLLM_D(n)) &&
	       NODE(d, GLLM_OP_add, m, GLLM_T(z), GLLM_T(r), GLLM_T(x), GLLM_D(k));
}

/* --- graphs ---------------------------------------------------------------------------------------------------------- */

/* What may be unknown of the greatest result of a node: the fifth digit, or what roundings to a narrow type leave. */
static double unknown_part(const struct draw *d)
{
	double most = 1e-4;
	for (unsigned i = 0; i < d->r->ntensors; i++)
		if (d->r->tensor[i].kind == GLLM_TENSOR_VALUE && d->r->tensor[i].type == GLLM_F16)
			most = most > 1e-2 ? most : 1e-2;
		else if (d->r->tensor[i].kind == GLLM_TENSOR_VALUE && d->r->tensor[i].type == GLLM_BF16)
			most = 6e-2;
	return most;
}

/* The node's results are finite and well enough known. */
static bool sound(const struct draw *d, unsigned node)
{
	const struct recipe_node *n = &d->r->node[node];
	const struct gllm_op_entry *o = &d->c->op[n->op];
	for (unsigned p = 0; p < o->nparams; p++) {
		unsigned tensor = n->actual[p].tensor;
		double greatest = 0, worst = 0;
		if (o->param[p].kind != GLLM_OUT)
			continue;
		for (uint64_t i = recipe_elements(d->r, tensor, d->r->max_rows); i-- > 0;) {
			enum gllm_type type = (enum gllm_type)d->r->tensor[tensor].type;
			float y = type == GLLM_U32 ? 0 : recipe_float(type, d->v.data[tensor], i);
			double size = y < 0 ? -(double)y : (double)y, e = d->v.error[tensor][i];
			if (!(size + e < 65504)) /* the greatest F16 */
				return false;
			greatest = size > greatest ? size : greatest;
			worst = e > worst ? e : worst;
		}
		if (worst > unknown_part(d) * (greatest > 1e-2 ? greatest : 1e-2))
			return false;
	}
	return true;
}

static bool draw_node(struct draw *d)
{
	static const struct { bool (*draw)(struct draw *d); unsigned weight; } kind[] = {
		{ draw_map, 24 }, { draw_pair, 24 }, { draw_reduction, 6 }, { draw_norm, 10 }, { draw_product, 22 }, { draw_rope, 4 },
		{ draw_transpose, 3 }, { draw_gather, 3 }, { draw_decoder, 4 }, { draw_attention, 2 }, { draw_several, 5 }, { draw_part, 2 },
		{ draw_layer, 10 },
	};
	unsigned total = 0, i = 0, tensors = d->r->ntensors, nodes = d->r->nnodes;
	struct gllm_arena mark = d->arena;
	d->ready = tensors;
	for (unsigned k = 0; k < GLLM_COUNT(kind); k++)
		total += kind[k].weight;
	unsigned at = check_below(d->t, total);
	while (at >= kind[i].weight)
		at -= kind[i++].weight;
	bool good = d->limit > 2048 && chance(d, 12) ? draw_layer(d) : kind[i].draw(d);
	for (unsigned k = tensors; good && k < d->r->ntensors; k++) {
		good = recipe_allocate(d->r, k, &d->arena, &d->v);
		if (good && d->r->tensor[k].kind != GLLM_TENSOR_VALUE)
			recipe_give_operand(d->r, k, &d->v);
	}
	for (unsigned k = nodes; good && k < d->r->nnodes; k++) {
		recipe_evaluate(d->c, d->r, k, d->r->max_rows, &d->v);
		good = sound(d, k);
	}
	if (good)
		return true;
	d->r->ntensors = tensors;
	d->r->nnodes = nodes;
	d->arena = mark;
	return false;
}

static bool read_by_any(const struct draw *d, unsigned tensor)
{
	for (unsigned n = 0; n < d->r->nnodes; n++) {
		const struct gllm_op_entry *o = &d->c->op[d->r->node[n].op];
		for (unsigned p = 0; p < o->nparams; p++)
			if ((o->param[p].kind == GLLM_IN || o->param[p].kind == GLLM_WEIGHT) && d->r->node[n].actual[p].tensor == tensor)
				return true;
	}
	return false;
}

void recipe_draw(struct check *t, struct gllm_context *c, struct gllm_arena arena, struct recipe *out)
{
	static const uint8_t rows[] = { 1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 17, 23, 31 }, percent[] = { 0, 30, 60, 100 };
	struct draw d = { .t = t, .c = c, .arena = arena, .r = out };
	bool large = check_below(t, 128) == 0, tall = check_below(t, 16) == 0, narrow = chance(&d, 50);
	*out = (struct recipe){ .seed = check_random(t) >> 16 };
	out->max_rows = large ? 20 + check_below(t, 60) : tall ? 33 + check_below(t, 12) : rows[check_below(t, sizeof rows)];
	for (unsigned i = 0; i <= GLLM_TENSOR_VALUE && narrow; i++)
		d.narrow[i] = percent[check_below(t, sizeof percent)];
	d.halves = check_below(t, 3) * 50;
	d.packed = chance(&d, 15) ? 60 : 0;
	d.limit = large ? 80 * 512 : 2048;
	unsigned nodes = 1 + check_below(t, check_below(t, 8) ? 8 : RECIPE_NODES);
	for (unsigned tries = 0; out->nnodes < nodes && tries < 8 * nodes; tries++)
		draw_node(&d);
	bool any = false;
	for (unsigned i = 0; i < out->ntensors; i++) {
		struct recipe_tensor *x = &out->tensor[i];
		if (x->kind == GLLM_TENSOR_VALUE && chance(&d, read_by_any(&d, i) ? 10 : 94))
			x->kind = GLLM_TENSOR_OUTPUT;
		any = any || x->kind == GLLM_TENSOR_OUTPUT;
	}
	for (unsigned i = out->ntensors; i-- > 0 && !any;)
		if (out->tensor[i].kind == GLLM_TENSOR_VALUE) {
			out->tensor[i].kind = GLLM_TENSOR_OUTPUT;
			any = true;
		}
}
