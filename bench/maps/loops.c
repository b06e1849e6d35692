/* SPDX-License-Identifier: MIT
 * bench/maps/loops.c - the formulas as plain loops, for gcc -Ofast -march=native -mprefer-vector-width=512, which calls
 * libmvec; and loops around SLEEF's functions, opened while running. See maps.h. */
#include <dlfcn.h>
#include <immintrin.h>
#include <math.h>
#include "bench/maps/maps.h"

#define PER_ELEMENT(name, expression)                                              \
	static void name(const float *restrict x, float *restrict y, size_t n)      \
	{                                                                           \
		for (size_t i = 0; i < n; i++) {                                    \
			float v = x[i];                                             \
			y[i] = expression;                                          \
		}                                                                   \
	}
#define TANH_ARGUMENT(v) (0.7978845608f * ((v) + 0.044715f * (v) * (v) * (v)))
PER_ELEMENT(copy_row, v)
PER_ELEMENT(exp_row, expf(v))
PER_ELEMENT(tanh_row, tanhf(v))
PER_ELEMENT(gelu_row, 0.5f * v * (1.0f + tanhf(TANH_ARGUMENT(v))))
PER_ELEMENT(silu_row, v / (1.0f + expf(-v)))

static void softmax_row(const float *restrict x, float *restrict y, size_t n)
{
	float most = x[0], sum = 0.0f;
	for (size_t i = 0; i < n; i++)
		most = x[i] > most ? x[i] : most;
	for (size_t i = 0; i < n; i++) {
		float e = expf(x[i] - most);
		y[i] = e;
		sum += e;
	}
	float scale = 1.0f / sum;
	for (size_t i = 0; i < n; i++)
		y[i] *= scale;
}

static void rmsnorm_row(const float *restrict x, float *restrict y, const float *restrict gain, size_t n)
{
	float sum = 0.0f;
	for (size_t i = 0; i < n; i++)
		sum += x[i] * x[i];
	float scale = 1.0f / sqrtf(sum / (float)n + MAP_EPS);
	for (size_t i = 0; i < n; i++)
		y[i] = gain[i] * (x[i] * scale);
}

static void layernorm_row(const float *restrict x, float *restrict y, const float *restrict gain,
                          const float *restrict bias, size_t n)
{
	float sum = 0.0f, squares = 0.0f;
	for (size_t i = 0; i < n; i++)
		sum += x[i];
	float mean = sum / (float)n;
	for (size_t i = 0; i < n; i++)
		squares += (x[i] - mean) * (x[i] - mean);
	float scale = 1.0f / sqrtf(squares / (float)n + MAP_EPS);
	for (size_t i = 0; i < n; i++)
		y[i] = gain[i] * ((x[i] - mean) * scale) + bias[i];
}

bool loops_run(enum map m, const struct buffers *b)
{
	for (size_t r = 0; r < b->rows; r++) {
		const float *x = b->x + r * COLUMNS;
		float *y = b->y + r * COLUMNS;
		switch (m) {
		case MAP_COPY: copy_row(x, y, COLUMNS); break;
		case MAP_EXP: exp_row(x, y, COLUMNS); break;
		case MAP_TANH: tanh_row(x, y, COLUMNS); break;
		case MAP_GELU: gelu_row(x, y, COLUMNS); break;
		case MAP_SILU: silu_row(x, y, COLUMNS); break;
		case MAP_SOFTMAX: softmax_row(x, y, COLUMNS); break;
		case MAP_RMSNORM: rmsnorm_row(x, y, b->gain, COLUMNS); break;
		case MAP_LAYERNORM: layernorm_row(x, y, b->gain, b->bias, COLUMNS); break;
		case MAPS: break;
		}
	}
	return true;
}

/* --- SLEEF ---------------------------------------------------------------------------------------------------------- */

#if defined __AVX512F__
typedef __m512 vec;
#define V(name) _mm512_##name##_ps
#define SLEEF(f) "Sleef_" f "f16_u10"
#define ADD_LANES(v) _mm512_reduce_add_ps(v)
#define MAX_LANES(v) _mm512_reduce_max_ps(v)
#elif defined __AVX2__
typedef __m256 vec;
#define V(name) _mm256_##name##_ps
#define SLEEF(f) "Sleef_" f "f8_u10"
static float add_lanes(vec v)
{
	float s = 0;
	for (int i = 0; i < 8; i++)
		s += v[i];
	return s;
}
static float max_lanes(vec v)
{
	float s = v[0];
	for (int i = 1; i < 8; i++)
		s = v[i] > s ? v[i] : s;
	return s;
}
#define ADD_LANES(v) add_lanes(v)
#define MAX_LANES(v) max_lanes(v)
#endif

#ifdef V
enum { LANES = sizeof(vec) / sizeof(float) };
typedef vec sleef_fn(vec);
static sleef_fn *sleef_exp, *sleef_tanh;

bool sleef_open(void)
{
	union { void *data; sleef_fn *fn; } e, t;
	void *h = dlopen("libsleef.so.3", RTLD_NOW | RTLD_LOCAL);
	e.data = h ? dlsym(h, SLEEF("exp")) : NULL;
	t.data = h ? dlsym(h, SLEEF("tanh")) : NULL;
	sleef_exp = e.fn;
	sleef_tanh = t.fn;
	return e.data && t.data;
}

#define EACH(expression)                                     \
	for (size_t i = 0; i < n; i += LANES) {              \
		vec v = V(loadu)(x + i);                     \
		V(storeu)(y + i, expression);                \
	}

static void sleef_softmax(const float *x, float *y)
{
	vec most[4], sum[2] = { V(setzero)(), V(setzero)() };
	for (int k = 0; k < 4; k++)
		most[k] = V(set1)(-INFINITY);
	for (size_t i = 0; i < COLUMNS; i += 4 * LANES)
		for (int k = 0; k < 4; k++)
			most[k] = V(max)(most[k], V(loadu)(x + i + (size_t)(k * LANES)));
	vec m = V(set1)(MAX_LANES(V(max)(V(max)(most[0], most[1]), V(max)(most[2], most[3]))));
	for (size_t i = 0; i < COLUMNS; i += 2 * LANES)
		for (int k = 0; k < 2; k++) {
			vec e = sleef_exp(V(sub)(V(loadu)(x + i + (size_t)(k * LANES)), m));
			sum[k] = V(add)(sum[k], e);
			V(storeu)(y + i + (size_t)(k * LANES), e);
		}
	vec scale = V(set1)(1.0f / ADD_LANES(V(add)(sum[0], sum[1])));
	for (size_t i = 0; i < COLUMNS; i += LANES)
		V(storeu)(y + i, V(mul)(V(loadu)(y + i), scale));
}

/* Sums of x, or of (x - mean)^2. */
static float row_sum(const float *x, bool squares, float mean)
{
	vec s[4], m = V(set1)(mean);
	for (int k = 0; k < 4; k++)
		s[k] = V(setzero)();
	for (size_t i = 0; i < COLUMNS; i += 4 * LANES)
		for (int k = 0; k < 4; k++) {
			vec v = V(sub)(V(loadu)(x + i + (size_t)(k * LANES)), m);
			s[k] = squares ? V(fmadd)(v, v, s[k]) : V(add)(s[k], v);
		}
	return ADD_LANES(V(add)(V(add)(s[0], s[1]), V(add)(s[2], s[3])));
}

/* SLEEF has no norms: intrinsics, as a specialist writes them. */
static void intrinsic_norm(const float *x, float *y, const float *gain, const float *bias)
{
	float mean = bias ? row_sum(x, false, 0.0f) / COLUMNS : 0.0f;
	vec scale = V(set1)(1.0f / sqrtf(row_sum(x, true, mean) / COLUMNS + MAP_EPS)), m = V(set1)(mean);
	for (size_t i = 0; i < COLUMNS; i += LANES) {
		vec v = V(mul)(V(sub)(V(loadu)(x + i), m), scale), g = V(loadu)(gain + i);
		V(storeu)(y + i, bias ? V(fmadd)(v, g, V(loadu)(bias + i)) : V(mul)(v, g));
	}
}

bool sleef_run(enum map m, const struct buffers *b)
{
	const vec one = V(set1)(1.0f), half = V(set1)(0.5f), c0 = V(set1)(0.7978845608f), c1 = V(set1)(0.044715f);
	const float *x = b->x;
	float *y = b->y;
	size_t n = b->rows * COLUMNS;
	switch (m) {
	case MAP_COPY: EACH(v) break;
	case MAP_EXP: EACH(sleef_exp(v)) break;
	case MAP_TANH: EACH(sleef_tanh(v)) break;
	case MAP_GELU:
		EACH(V(mul)(V(mul)(half, v), V(add)(one, sleef_tanh(V(mul)(c0, V(mul)(v, V(fmadd)(c1, V(mul)(v, v), one)))))))
		break;
	case MAP_SILU: EACH(V(div)(v, V(add)(one, sleef_exp(V(sub)(V(setzero)(), v))))) break;
	case MAP_SOFTMAX: case MAP_RMSNORM: case MAP_LAYERNORM:
		for (size_t r = 0; r < n; r += COLUMNS)
			if (m == MAP_SOFTMAX)
				sleef_softmax(x + r, y + r);
			else
				intrinsic_norm(x + r, y + r, b->gain, m == MAP_LAYERNORM ? b->bias : NULL);
		break;
	case MAPS: break;
	}
	return true;
}
#else
bool sleef_open(void)
{
	return false;
}
bool sleef_run(enum map m, const struct buffers *b)
{
	(void)m;
	(void)b;
	return false;
}
#endif
