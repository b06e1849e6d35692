/* SPDX-License-Identifier: MIT
 * tests/check_rope_table.c - rotations against values computed with 60 digits (tests/diff/rope_table.py prints them). */
#include "infer/rope.h"
#include "tests/check.h"
#include "tests/rope_table.def"

static double apart(double a, double b)
{
	return a < b ? b - a : a - b;
}

void check_rope_table(struct check *t);
void check_rope_table(struct check *t)
{
	float cos[64], sin[64];
	double worst = 0.0, far = 0.0;
	static const struct {
		double theta;
		uint64_t position;
		unsigned dims, i;
		double cos, sin;
	} row[] = {
#define ROW(theta, position, dims, i, c, s) { theta, position, dims, i, c, s },
		ROPE_ROWS(ROW)
#undef ROW
	};
	for (unsigned k = 0; k < sizeof row / sizeof row[0]; k++) {
		gllm_rope_table(cos, sin, row[k].position, row[k].dims / 2, row[k].theta, row[k].dims);
		double c = apart((double)cos[row[k].i], row[k].cos), s = apart((double)sin[row[k].i], row[k].sin);
		double *most = row[k].position <= 1u << 20 ? &worst : &far;
		*most = c > *most ? c : s > *most ? s : *most;
	}
	CHECK(t, worst <= 1e-7);
	CHECK(t, worst <= 3.1e-8); /* nothing but the rounding to float */
	CHECK(t, far <= 1e-6);
	gllm_rope_table(cos, sin, 0, 64, 10000.0, 128);
	for (unsigned i = 0; i < 64; i += 21)
		CHECK(t, cos[i] == 1.0f && sin[i] == 0.0f);
	cos[2] = sin[2] = 7.0f;
	gllm_rope_table(cos, sin, 5, 2, 10000.0, 0);
	CHECK(t, cos[2] == 7.0f && sin[2] == 7.0f);
	float whole_cos = cos[1], whole_sin = sin[1];
	gllm_rope_table(cos, sin, 5, 2, 10000.0, 4);
	CHECK(t, cos[1] == whole_cos && sin[1] == whole_sin);
	gllm_rope_table(cos, sin, UINT64_MAX, 64, 1e300, 128);
	for (unsigned i = 0; i < 64; i++)
		if (!(cos[i] >= -1.0f && cos[i] <= 1.0f && sin[i] >= -1.0f && sin[i] <= 1.0f))
			CHECK(t, false);
	gllm_rope_table(cos, sin, UINT64_MAX, 64, __builtin_nan(""), 128);
	CHECK(t, cos[0] == 1.0f && sin[0] == 0.0f);
}
