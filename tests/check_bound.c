/* SPDX-License-Identifier: MIT
 * tests/check_bound.c - see check_bound.h. */
#include "check_bound.h"
#include "check_plain.h"
#include "core/bits.h"

#define UNIT 0x1p-24            /* rounding to nearest: relative error at most this */
#define LEAST 0x1p-148          /* of denormals, where errors are absolute */
#define FLUSHED 0x1p-110         /* a BF16 denormal taken as zero, by a factor below 2^16 */
#define LOST 0x1p-126           /* a product of two BF16, or a sum of such, that would be a denormal becomes zero */
#define UNKNOWN ((double)__builtin_inff())

static double magnitude(double x)
{
	return x < 0 ? -x : x;
}

static double larger(double a, double b)
{
	return a > b ? a : b;
}

static double root(double x)
{
	return (double)gllm_sqrtf((float)x) * (1 + 4 * UNIT);
}

/* --- reading a call ------------------------------------------------------------------------------------------------- */

static double value(const struct bound_call *b, unsigned p, size_t i)
{
	return (double)((const float *)b->arg[p].cptr)[i];
}

static double error(const struct bound_call *b, unsigned p, size_t i)
{
	return b->error[p] ? b->error[p][i] : 0.0;
}

static size_t dim(const struct bound_call *b, unsigned p)
{
	return (size_t)b->arg[p].dim;
}

static struct gllm_tolerance tolerance(const struct bound_call *b)
{
	return b->op < GLLM_OP_COUNT ? gllm_op_info[b->op].tol : (struct gllm_tolerance){ .ulp = 0, .sum = 1 };
}

/* Half a step of a type around y: what a store rounds away. */
static double rounding(enum gllm_type type, double y)
{
	double unit = type == GLLM_F16 ? 0x1p-11 : type == GLLM_BF16 ? 0x1p-8 : 0;
	double least = type == GLLM_F16 ? 0x1p-25 : type == GLLM_BF16 ? 0x1p-134 : 0;
	return larger(unit * magnitude(y), least);
}

double bound_stored(enum gllm_type type, double y, double error)
{
	return error + rounding(type, y) + (error == 0 ? 0 : rounding(type, magnitude(y) + error));
}

static bool pairs(const struct bound_call *b, unsigned p, unsigned q)
{
	return b->type[p] == GLLM_BF16 && b->type[q] == GLLM_BF16;
}

/* The tolerance of a sum of n terms whose magnitudes add up to `terms`. */
static double of_sum(const struct bound_call *b, size_t n, double terms)
{
	return (double)tolerance(b).sum * (n < 4 ? 4.0 : (double)n) * UNIT * terms + LEAST;
}

/* Result i differs by at most e. Where it differs at all, it is rounded anew. */
static void settle(const struct bound_call *b, unsigned p, size_t i, double e)
{
	double y = magnitude(value(b, p, i)), own = 2 * (double)tolerance(b).ulp * UNIT * y;
	b->error[p][i] = e == 0 && own == 0 ? 0 : e + own + 2 * UNIT * y + LEAST; /* NaN, of infinity by zero: unknown, too */
}

/* Where parameter p is read again by the operator itself: what its element, y off by e, was stored as may lie this far off. */
static double reread(const struct bound_call *b, unsigned p, double y, double e)
{
	return rounding((enum gllm_type)b->type[p], magnitude(y) + e);
}

/* --- maps ----------------------------------------------------------------------------------------------------------- */

/* Smooth maps of one operand: no steeper than `slope`; `own`: their rounding beside the ulp of the tolerance column, of
 * the operand (a gelu has terms as large as that). */
struct smooth {
	unsigned op;
	double slope, own;
};
static const struct smooth smooth[] = {
	{ GLLM_OP_neg, 1, 0 }, { GLLM_OP_abs, 1, 0 }, { GLLM_OP_copy, 1, 0 }, { GLLM_OP_sigmoid, 0.25, 0 },
	{ GLLM_OP_silu, 1.1, 0 }, { GLLM_OP_gelu, 1.13, 16 * UNIT }, { GLLM_OP_gelu_erf, 1.13, 16 * UNIT }, { GLLM_OP_tanh, 1, 0 },
};

static const struct smooth *smooth_row(unsigned op)
{
	for (unsigned i = 0; i < GLLM_COUNT(smooth); i++)
		if (smooth[i].op == op)
			return &smooth[i];
	return NULL;
}

static void of_smooth(const struct bound_call *b)
{
	const struct smooth *s = smooth_row(b->op);
	for (size_t i = 0; i < dim(b, 2); i++)
		settle(b, 0, i, s->slope * error(b, 1, i) + s->own * magnitude(value(b, 1, i)));
}

static void of_exp(const struct bound_call *b)
{
	for (size_t i = 0; i < dim(b, 2); i++) {
		double e = error(b, 1, i);
		settle(b, 0, i, e < 1 ? value(b, 0, i) * (e + e * e) : UNKNOWN);
	}
}

/* Within [low, high] as it came; beyond, nothing is left of the error. */
static double clamped(double x, double e, double low, double high)
{
	return x + e <= low || x - e >= high ? 0 : e;
}

static void of_relu(const struct bound_call *b)
{
	for (size_t i = 0; i < dim(b, 2); i++)
		settle(b, 0, i, clamped(value(b, 1, i), error(b, 1, i), 0, UNKNOWN));
}

static void of_clamp(const struct bound_call *b)
{
	for (size_t i = 0; i < dim(b, 2); i++)
		settle(b, 0, i, clamped(value(b, 1, i), error(b, 1, i), (double)b->arg[3].scalar, (double)b->arg[4].scalar));
}

static void of_add(const struct bound_call *b)
{
	for (size_t i = 0; i < dim(b, 3); i++)
		settle(b, 0, i, error(b, 1, i) + error(b, 2, i));
}

/* Of x * y, which fused code may hand on unrounded. */
static double of_product(double x, double ex, double y, double ey)
{
	return magnitude(x) * ey + magnitude(y) * ex + ex * ey + UNIT * magnitude(x * y);
}

static void of_mul(const struct bound_call *b)
{
	for (size_t i = 0; i < dim(b, 3); i++)
		settle(b, 0, i, of_product(value(b, 1, i), error(b, 1, i), value(b, 2, i), error(b, 2, i)));
}

static void of_div(const struct bound_call *b)
{
	for (size_t i = 0; i < dim(b, 3); i++) {
		double left = magnitude(value(b, 2, i)) - error(b, 2, i), e = error(b, 1, i) + magnitude(value(b, 0, i)) * error(b, 2, i);
		settle(b, 0, i, e == 0 ? 0 : left > 0 ? e / left : UNKNOWN);
	}
}

static void of_scale(const struct bound_call *b)
{
	for (size_t i = 0; i < dim(b, 2); i++)
		settle(b, 0, i, of_product((double)b->arg[3].scalar, 0, value(b, 1, i), error(b, 1, i)));
}

static void of_axpy(const struct bound_call *b)
{
	for (size_t i = 0; i < dim(b, 3); i++)
		settle(b, 0, i, error(b, 1, i) + of_product((double)b->arg[4].scalar, 0, value(b, 2, i), error(b, 2, i)) +
		       of_sum(b, 2, magnitude(value(b, 1, i)) + magnitude((double)b->arg[4].scalar * value(b, 2, i))));
}

/* An activation no greater than its operand and no steeper than 1.13, times the other operand. */
static void of_gated(const struct bound_call *b)
{
	double own = b->op == GLLM_OP_geglu ? 16 * UNIT : 10 * UNIT;
	for (size_t i = 0; i < dim(b, 3); i++) {
		double a = value(b, 1, i), up = value(b, 2, i), gate = up != 0 ? value(b, 0, i) / up : a;
		settle(b, 0, i, of_product(gate, 1.13 * error(b, 1, i) + own * magnitude(a), up, error(b, 2, i)));
	}
}

/* --- reductions ------------------------------------------------------------------------------------------------------ */

struct moments { /* of n values of parameter p */
	double errors, terms;        /* sums of errors and of magnitudes */
	double mean, mean_error;
	double squares, square_errors; /* of the values less `from` */
};

static struct moments moments(const struct bound_call *b, unsigned p, size_t n, bool centred)
{
	struct moments m = { .errors = 0 };
	double sum = 0, from, off;
	for (size_t i = 0; i < n; i++) {
		m.errors += error(b, p, i);
		m.terms += magnitude(value(b, p, i));
		sum += value(b, p, i);
	}
	m.mean = n ? sum / (double)n : 0;
	m.mean_error = n ? (m.errors + of_sum(b, n, m.terms)) / (double)n + 2 * UNIT * magnitude(m.mean) : 0;
	from = centred ? m.mean : 0;
	off = centred ? m.mean_error : 0;
	for (size_t i = 0; i < n; i++) {
		double x = value(b, p, i) - from, e = error(b, p, i) + off + (centred ? 2 * UNIT * magnitude(x) : 0);
		m.squares += x * x;
		m.square_errors += 2 * magnitude(x) * e + e * e;
	}
	m.square_errors += of_sum(b, n, m.squares + m.square_errors) + (!centred && pairs(b, p, p) ? LOST * (double)n : 0);
	return m;
}

static void of_total(const struct bound_call *b)
{
	struct moments m = moments(b, 1, dim(b, 2), b->op == GLLM_OP_variance);
	double n = (double)dim(b, 2);
	settle(b, 0, 0, b->op == GLLM_OP_sum ? m.errors + of_sum(b, dim(b, 2), m.terms) : b->op == GLLM_OP_mean ? m.mean_error :
	                b->op == GLLM_OP_variance ? m.square_errors / n : m.square_errors);
}

static void of_max(const struct bound_call *b)
{
	double e = 0;
	for (size_t i = 0; i < dim(b, 2); i++)
		e = larger(e, error(b, 1, i));
	settle(b, 0, 0, e);
}

static void of_dot(const struct bound_call *b)
{
	double e = 0, terms = 0;
	for (size_t i = 0; i < dim(b, 3); i++) {
		e += of_product(value(b, 1, i), error(b, 1, i), value(b, 2, i), error(b, 2, i));
		terms += magnitude(value(b, 1, i) * value(b, 2, i));
	}
	settle(b, 0, 0, e + of_sum(b, dim(b, 3), terms) + (pairs(b, 1, 2) ? FLUSHED * (double)dim(b, 3) : 0));
}

/* The place of the greatest is certain if none comes near it. */
static void of_argmax(const struct bound_call *b)
{
	size_t best = ((const uint32_t *)b->arg[0].cptr)[0], n = dim(b, 2);
	b->error[0][0] = 0;
	for (size_t i = 0; i < n; i++) {
		double near = error(b, 1, i) + error(b, 1, best);
		if (i != best && near != 0 && !(value(b, 1, best) - value(b, 1, i) > near))
			b->error[0][0] = UNKNOWN;
	}
}

/* --- norms ---------------------------------------------------------------------------------------------------------- */

/* y = w * (x - mean) / sqrt(s + eps) + b, where s is the sum of squares, over n if `averaged`. */
static void of_norm(const struct bound_call *b, unsigned w, unsigned bias, unsigned dims, bool centred, bool averaged)
{
	size_t n = dim(b, dims);
	struct moments m = moments(b, 1, n, centred);
	double count = averaged ? (double)n : 1, s = m.squares / count + (double)b->arg[dims + 1].scalar;
	double es = m.square_errors / count + 4 * UNIT * s, scale = 1 / root(s > 0 ? s : LEAST);
	double ratio = es / s, escale = ratio < 0.5 ? scale * (ratio / 2 + ratio * ratio + 8 * UNIT) : UNKNOWN;
	for (size_t i = 0; i < n; i++) {
		double x = value(b, 1, i) - (centred ? m.mean : 0);
		double ex = error(b, 1, i) + (centred ? m.mean_error + 2 * UNIT * magnitude(x) : 0);
		double e = of_product(x, ex, scale, escale) + 2 * UNIT * magnitude(x * scale);
		if (w)
			e = of_product(value(b, w, i), error(b, w, i), x * scale, e);
		settle(b, 0, i, e + (bias ? error(b, bias, i) : 0));
	}
}

static void of_rms_norm(const struct bound_call *b)   { of_norm(b, 2, 0, 3, false, true); }
static void of_layer_norm(const struct bound_call *b) { of_norm(b, 2, 3, 4, true, true); }
static void of_l2_norm(const struct bound_call *b)    { of_norm(b, 0, 0, 2, false, false); }

/* Relative error of each exponential and so of their quotients: what the exponent is off by, twice (the term and the sum of
 * all), with the roundings of the difference, the exponential, the sum and the quotient. */
static double of_exponents(const struct bound_call *b, size_t n, double exponent_error, double widest)
{
	double e = 2 * (2 * exponent_error + UNIT * widest + 8 * UNIT);
	return e < 0.5 ? e + e * e + of_sum(b, n, 1) : UNKNOWN;
}

static void of_softmax(const struct bound_call *b)
{
	size_t n = dim(b, 2);
	double worst = 0, least = UNKNOWN, most = -UNKNOWN;
	for (size_t i = 0; i < n; i++) {
		worst = larger(worst, error(b, 1, i));
		least = value(b, 1, i) < least ? value(b, 1, i) : least;
		most = larger(most, value(b, 1, i));
	}
	double relative = of_exponents(b, n, worst, most - least);
	for (size_t i = 0; i < n; i++) { /* what is stored is first the exponential, no less than the result */
		double y = value(b, 0, i), e = relative * y;
		settle(b, 0, i, e + reread(b, 0, y, e));
	}
}

/* --- products of matrices -------------------------------------------------------------------------------------------- */

/* c[i][j] = (sum over p of a[i][p] * w(j, p) + c0[i][j]) * scale + bias[j]. Places of parameters; 0: there is none. */
struct product {
	unsigned op;
	uint8_t a, w, c0, bias, scales, scale, m, n, k;
	uint8_t form, block;    /* how w lies; elements a k stands for, or the parameter that says so */
};
enum form { W_KN, W_NK, W_HALF, W_BLOCKS, W_I8, W_U4, W_U2, W_U1 };
static const struct product product[] = {
	/*                          a  w c0 bias scales scale m  n  k  form      block */
	{ GLLM_OP_gemv,            2, 1, 0, 0,   0,     0,    0, 3, 4, W_NK,     1 },
	{ GLLM_OP_gemm,            1, 2, 0, 0,   0,     0,    3, 4, 5, W_KN,     1 },
	{ GLLM_OP_gemm_bt,         1, 2, 0, 0,   0,     0,    3, 4, 5, W_NK,     1 },
	{ GLLM_OP_gemm_bt_f16,     1, 2, 0, 0,   0,     0,    3, 4, 5, W_HALF,   1 },
	{ GLLM_OP_gemm_bias,       1, 2, 0, 3,   0,     0,    4, 5, 6, W_KN,     1 },
	{ GLLM_OP_gemm_bt_bias,    1, 2, 0, 3,   0,     0,    4, 5, 6, W_NK,     1 },
	{ GLLM_OP_gemm_acc,        2, 3, 1, 0,   0,     0,    4, 5, 6, W_KN,     1 },
	{ GLLM_OP_quant_gemm,      1, 2, 0, 0,   3,     0,    4, 5, 6, W_BLOCKS, 7 },
	{ GLLM_OP_gemv_q8,         2, 1, 0, 0,   0,     5,    0, 3, 4, W_I8,     1 },
	{ GLLM_OP_gemm_q8,         1, 2, 0, 0,   3,     0,    4, 5, 6, W_I8,     1 },
	{ GLLM_OP_gemv_q4,         2, 1, 0, 0,   0,     5,    0, 3, 4, W_U4,     2 },
	{ GLLM_OP_gemv_q2,         2, 1, 0, 0,   0,     5,    0, 3, 4, W_U2,     4 },
	{ GLLM_OP_gemv_q1,         2, 1, 0, 0,   0,     5,    0, 3, 4, W_U1,     8 },
	{ GLLM_OP_gemm_q4,         1, 2, 0, 0,   3,     0,    4, 5, 6, W_U4,     2 },
};

static const struct product *product_row(unsigned op)
{
	for (unsigned i = 0; i < GLLM_COUNT(product); i++)
		if (product[i].op == op)
			return &product[i];
	return NULL;
}

/* w(j, p), scales apart. */
static double weight(const struct bound_call *b, const struct product *r, size_t n, size_t k, size_t j, size_t p)
{
	const uint8_t *bytes = b->arg[r->w].cptr;
	unsigned v;
	switch ((enum form)r->form) {
	case W_KN: return value(b, r->w, p * n + j);
	case W_NK: case W_BLOCKS: return value(b, r->w, j * k + p);
	case W_HALF: return (double)gllm_f16_to_f32(((const uint16_t *)b->arg[r->w].cptr)[j * k + p]);
	case W_I8: return ((const int8_t *)bytes)[j * k + p];
	case W_U4: v = bytes[(j * k + p) / 2]; return (double)(v >> p % 2 * 4 & 15) - 8;
	case W_U2: v = bytes[(j * k + p) / 4]; return (double)(v >> p % 4 * 2 & 3) - 2;
	case W_U1: v = bytes[(j * k + p) / 8]; return (double)(v >> p % 8 & 1) * 2 - 1;
	}
	return 0;
}

static double weight_error(const struct bound_call *b, const struct product *r, size_t n, size_t k, size_t j, size_t p)
{
	return b->error[r->w] ? error(b, r->w, r->form == W_KN ? p * n + j : j * k + p) : 0;
}

static void of_matrices(const struct bound_call *b)
{
	const struct product *r = product_row(b->op);
	size_t m = r->m ? dim(b, r->m) : 1, n = dim(b, r->n), block = r->form == W_BLOCKS ? dim(b, r->block) : r->block;
	size_t k = dim(b, r->k) * block;
	double all = r->scale ? magnitude((double)b->arg[r->scale].scalar) : 1;
	for (size_t i = 0; i < m; i++) {
		for (size_t j = 0; j < n; j++) {
			double e = r->c0 ? error(b, r->c0, i * n + j) : 0, terms = r->c0 ? magnitude(value(b, r->c0, i * n + j)) : 0;
			double row = r->scales && r->form != W_BLOCKS ? value(b, r->scales, j) : 1;
			double erow = r->scales && r->form != W_BLOCKS ? error(b, r->scales, j) : 0;
			for (size_t p = 0; p < k; p++) {
				double w = weight(b, r, n, k, j, p), ew = weight_error(b, r, n, k, j, p);
				double a = value(b, r->a, i * k + p), ea = error(b, r->a, i * k + p);
				if (r->form == W_BLOCKS) { /* the scale belongs to the block */
					size_t at = j * (k / block) + p / block;
					ew = of_product(w, ew, value(b, r->scales, at), error(b, r->scales, at));
					w *= value(b, r->scales, at);
				}
				e += magnitude(a) * ew + magnitude(w) * ea + ea * ew;
				terms += magnitude(a * w);
			}
			e = of_product(terms, e + of_sum(b, k, terms), row * all, erow * all);
			if (r->bias)
				e += error(b, r->bias, j);
			if (pairs(b, r->a, r->w))
				e += FLUSHED * (double)k;
			settle(b, 0, i * n + j, e);
		}
	}
}

/* --- the others ------------------------------------------------------------------------------------------------------- */

static void of_rope(const struct bound_call *b)
{
	bool part = b->op == GLLM_OP_rope_adjacent_part || b->op == GLLM_OP_rope_halves_part;
	bool adjacent = b->op == GLLM_OP_rope_adjacent || b->op == GLLM_OP_rope_adjacent_part;
	size_t half = dim(b, 5), head = 2 * half + (part ? dim(b, 6) : 0);
	for (size_t i = 0; i < dim(b, 4) * head; i++) {
		size_t at = i % head, base = i - at, angle = adjacent ? at / 2 : at % (half ? half : 1);
		size_t one = base + (adjacent ? angle * 2 : angle), two = one + (adjacent ? 1 : half);
		if (at >= 2 * half) {
			settle(b, 0, i, error(b, 1, i));
			continue;
		}
		double e = 0, terms = 0;
		bool first = i == one;
		for (unsigned side = 0; side < 2; side++) { /* the first takes the cosine of itself, the second the sine of the first */
			unsigned table = (side == 0) == first ? 2 : 3;
			size_t x = side ? two : one;
			e += of_product(value(b, 1, x), error(b, 1, x), value(b, table, angle), error(b, table, angle));
			terms += magnitude(value(b, 1, x) * value(b, table, angle));
		}
		settle(b, 0, i, e + of_sum(b, 2, terms));
	}
}

static void of_transpose(const struct bound_call *b)
{
	size_t rows = dim(b, 2), cols = dim(b, 3);
	for (size_t j = 0; j < cols; j++)
		for (size_t i = 0; i < rows; i++)
			settle(b, 0, j * rows + i, error(b, 1, i * cols + j));
}

static void of_gather(const struct bound_call *b)
{
	const uint32_t *index = b->arg[2].cptr;
	size_t d = dim(b, 4);
	for (size_t i = 0; i < dim(b, 3); i++)
		for (size_t j = 0; j < d; j++)
			settle(b, 0, i * d + j, error(b, 2, i) + error(b, 1, index[i] * d + j));
}

static void of_dequantize(const struct bound_call *b)
{
	for (size_t i = 0; i < dim(b, 3); i++)
		for (size_t k = i * dim(b, 4); k < (i + 1) * dim(b, 4); k++)
			settle(b, 0, k, of_product(value(b, 1, k), error(b, 1, k), value(b, 2, i), error(b, 2, i)));
}

static void of_attend(const struct bound_call *b)
{
	size_t t = dim(b, 5), d = dim(b, 6), stride = dim(b, 7);
	double worst = 0, widest = 0, sum = 0, scale = (double)b->arg[8].scalar;
	for (size_t i = 0; i < t; i++) {
		double e = 0, terms = 0, dot = 0;
		for (size_t j = 0; j < d; j++) {
			double q = value(b, 2, j), k = value(b, 3, i * stride + j);
			e += of_product(q, error(b, 2, j), k, error(b, 3, i * stride + j));
			terms += magnitude(q * k);
			dot += q * k;
		}
		if (pairs(b, 2, 3))
			e += FLUSHED * (double)d;
		e = magnitude(scale) * (e + of_sum(b, d, terms)) + 2 * UNIT * magnitude(scale * dot);
		worst = larger(worst, e + reread(b, 1, scale * dot, e));
		widest = larger(widest, 2 * magnitude(scale) * terms);
		sum += value(b, 1, i);
	}
	double relative = of_exponents(b, t, worst, widest);
	for (size_t i = 0; i < t; i++)
		settle(b, 1, i, relative * value(b, 1, i));
	for (size_t j = 0; j < d; j++) {
		double e = 0, terms = 0;
		for (size_t i = 0; i < t; i++) {
			double share = value(b, 1, i) / sum, v = magnitude(value(b, 4, i * stride + j)) + error(b, 4, i * stride + j);
			e += share * error(b, 4, i * stride + j) + 2 * reread(b, 1, value(b, 1, i), relative) / sum * v;
			terms += share * magnitude(value(b, 4, i * stride + j));
		}
		settle(b, 0, j, e + terms * relative + of_sum(b, t, terms));
	}
}

/* Decoders are exact: their products of short numbers are. */
static void of_blocks(const struct bound_call *b)
{
	(void)b;
}

/* --- operators with several outputs ----------------------------------------------------------------------------------- */

/* What is above and what is below a half. */
static PLAIN void split(float *restrict above, float *restrict below, const float *restrict x, size_t n)
{
	LOOP for (size_t i = 0; i < n; i++) {
		float y = x[i] - 0.5f;
		above[i] = y > 0.0f ? y : 0.0f;
		below[i] = y > 0.0f ? 0.0f : y;
	}
}

static PLAIN void turn(float *restrict y, float *restrict z, const float *restrict a, const float *restrict b, size_t n)
{
	LOOP for (size_t i = 0; i < n; i++) {
		y[i] = a[i] * 0.8f - b[i] * 0.6f;
		z[i] = a[i] * 0.6f + b[i] * 0.8f;
	}
}

/* A map and the number it was made with. */
static PLAIN void centre(float *restrict y, float *restrict total, const float *restrict x, size_t n)
{
	float sum = 0.0f;
	LOOP for (size_t i = 0; i < n; i++)
		sum += x[i];
	total[0] = sum;
	LOOP for (size_t i = 0; i < n; i++)
		y[i] = x[i] - sum;
}

static void call_split(gllm_any_fn *fn, const union gllm_arg *a)
{
	((void (*)(float *, float *, const float *, size_t))fn)(a[0].ptr, a[1].ptr, a[2].cptr, a[3].dim);
}

static void call_turn(gllm_any_fn *fn, const union gllm_arg *a)
{
	((void (*)(float *, float *, const float *, const float *, size_t))fn)(a[0].ptr, a[1].ptr, a[2].cptr, a[3].cptr, a[4].dim);
}

#define P(kind, name) { name, GLLM_##kind, GLLM_F32 }
static const struct gllm_param split_params[] = { P(OUT, "above"), P(OUT, "below"), P(IN, "x"), { "n", GLLM_DIM, GLLM_I64 } };
static const struct gllm_param turn_params[] = { P(OUT, "y"), P(OUT, "z"), P(IN, "a"), P(IN, "b"), { "n", GLLM_DIM, GLLM_I64 } };
static const struct gllm_param centre_params[] = { P(OUT, "y"), P(OUT, "total"), P(IN, "x"), { "n", GLLM_DIM, GLLM_I64 } };
#undef P

const struct bound_user bound_user[BOUND_USERS] = {
	[BOUND_SPLIT] = { "split", (gllm_any_fn *)split, call_split, split_params, GLLM_COUNT(split_params) },
	[BOUND_TURN] = { "turn", (gllm_any_fn *)turn, call_turn, turn_params, GLLM_COUNT(turn_params) },
	[BOUND_CENTRE] = { "centre", (gllm_any_fn *)centre, call_split, centre_params, GLLM_COUNT(centre_params) },
};

bool bound_readable(const struct gllm_image *image)
{
	uint64_t at = (uint64_t)(uintptr_t)bound_user[0].fn;
	for (unsigned i = 0; i < image->nranges; i++)
		if (at >= image->range[i].addr && at - image->range[i].addr < image->range[i].size)
			return true;
	return false;
}

static void of_split(const struct bound_call *b)
{
	for (size_t i = 0; i < dim(b, 3); i++) {
		double e = error(b, 2, i), x = value(b, 2, i) - 0.5;
		settle(b, 0, i, clamped(x, e, 0, UNKNOWN));
		settle(b, 1, i, clamped(x, e, -UNKNOWN, 0));
	}
}

static void of_turn(const struct bound_call *b)
{
	for (size_t i = 0; i < dim(b, 4); i++) {
		double e = error(b, 2, i) + error(b, 3, i), terms = magnitude(value(b, 2, i)) + magnitude(value(b, 3, i));
		settle(b, 0, i, e + of_sum(b, 2, terms));
		settle(b, 1, i, e + of_sum(b, 2, terms));
	}
}

static void of_centre(const struct bound_call *b)
{
	struct moments m = moments(b, 2, dim(b, 3), false);
	double e = m.errors + of_sum(b, dim(b, 3), m.terms);
	settle(b, 1, 0, e);
	for (size_t i = 0; i < dim(b, 3); i++)
		settle(b, 0, i, error(b, 2, i) + b->error[1][0]);
}

/* --- the table -------------------------------------------------------------------------------------------------------- */

typedef void rule(const struct bound_call *b);

static rule *rule_of(unsigned op)
{
	static rule *const user[BOUND_USERS] = { of_split, of_turn, of_centre };
	static const struct { unsigned op; rule *apply; } row[] = {
		{ GLLM_OP_exp, of_exp }, { GLLM_OP_relu, of_relu }, { GLLM_OP_clamp, of_clamp }, { GLLM_OP_add, of_add },
		{ GLLM_OP_sub, of_add }, { GLLM_OP_mul, of_mul }, { GLLM_OP_div, of_div }, { GLLM_OP_scale, of_scale },
		{ GLLM_OP_axpy, of_axpy }, { GLLM_OP_swiglu, of_gated }, { GLLM_OP_geglu, of_gated }, { GLLM_OP_sum, of_total },
		{ GLLM_OP_mean, of_total }, { GLLM_OP_sum_squares, of_total }, { GLLM_OP_variance, of_total }, { GLLM_OP_max, of_max },
		{ GLLM_OP_dot, of_dot }, { GLLM_OP_argmax, of_argmax }, { GLLM_OP_rms_norm, of_rms_norm },
		{ GLLM_OP_layer_norm, of_layer_norm }, { GLLM_OP_l2_norm, of_l2_norm }, { GLLM_OP_softmax, of_softmax },
		{ GLLM_OP_rope_adjacent, of_rope }, { GLLM_OP_rope_halves, of_rope }, { GLLM_OP_rope_adjacent_part, of_rope },
		{ GLLM_OP_rope_halves_part, of_rope }, { GLLM_OP_transpose, of_transpose }, { GLLM_OP_gather, of_gather },
		{ GLLM_OP_dequantize, of_dequantize }, { GLLM_OP_attend, of_attend },
	};
	if (op >= GLLM_OP_COUNT)
		return op - GLLM_OP_COUNT < BOUND_USERS ? user[op - GLLM_OP_COUNT] : NULL;
	for (unsigned i = 0; i < GLLM_COUNT(row); i++)
		if (row[i].op == op)
			return row[i].apply;
	return product_row(op) ? of_matrices : smooth_row(op) ? of_smooth :
	       gllm_op_info[op].sig == GLLM_SIG_blocks ? of_blocks : NULL;
}

bool bound_known(unsigned op)
{
	return rule_of(op) != NULL;
}

void bound_apply(const struct bound_call *b)
{
	rule_of(b->op)(b);
}
