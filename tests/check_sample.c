/* SPDX-License-Identifier: MIT
 * tests/check_sample.c - the order of sampling, its limits, and that it draws what the probabilities say. */
#include "infer/sample.h"
#include "gllm/ops.h"
#include "tests/check.h"

enum { N = 8 };

static const float logits[N] = { 1.0f, 3.0f, 2.0f, 3.0f, -1.0f, 0.0f, 2.5f, -5.0f };

static uint32_t draw(struct check *t, struct gllm_sampler *s, const float *l, uint32_t n)
{
	uint32_t work[N], token = 99;
	CHECK_STATUS(t, gllm_sample(s, l, n, work, sizeof work, &token, NULL), GLLM_OK);
	return token;
}

/* Tokens that come up in many draws, as bits. */
static uint32_t seen(struct check *t, struct gllm_sampler s, const float *l, uint32_t n)
{
	uint32_t work[N], token = 0, bits = 0, wrong = 0;
	for (unsigned i = 0; i < 3000; i++) {
		wrong += gllm_sample(&s, l, n, work, n * sizeof work[0], &token, NULL) != GLLM_OK || token >= n;
		bits |= 1u << token;
	}
	CHECK_EQ(t, wrong, 0);
	return bits;
}

static void greedy(struct check *t)
{
	float nan = __builtin_nanf(""), inf = __builtin_inff();
	CHECK_EQ(t, gllm_sample_greedy(logits, N), 1);
	CHECK_EQ(t, gllm_sample_greedy((const float[]){ nan, -inf, nan, -2.0f }, 4), 3);
	CHECK_EQ(t, gllm_sample_greedy((const float[]){ nan, -inf, -inf }, 3), 1);
	CHECK_EQ(t, gllm_sample_greedy((const float[]){ -0.0f, 0.0f }, 2), 0);
	CHECK_EQ(t, gllm_sample_greedy((const float[]){ 1.0f, inf, inf }, 3), 1);
	CHECK_EQ(t, gllm_sample_greedy((const float[]){ nan, nan }, 2), 2);
	CHECK_EQ(t, gllm_sample_greedy(logits, 0), 0);
	struct gllm_sampler s = { .temperature = 0.0f, .top_p = 1.0f, .state = 5 };
	CHECK_EQ(t, draw(t, &s, logits, N), 1);
	s.temperature = 1e-40f; /* a denormal: only the two greatest are left, with equal weight */
	CHECK_EQ(t, seen(t, s, logits, N), 1u << 1 | 1u << 3);
	s.temperature = 1.0f;
	CHECK_EQ(t, draw(t, &s, (const float[]){ 1.0f, inf, inf, nan }, 4), 1);
}

static void steps(struct check *t)
{
	float nan = __builtin_nanf("");
	/* the order of the candidates is 1 3 6 2 0 5 4 7 */
	struct gllm_sampler all = { .temperature = 1.0f, .top_p = 1.0f, .state = 1 }, s;
	CHECK_EQ(t, seen(t, all, logits, N - 1), 0x7f);
	s = all, s.top_k = 1;
	CHECK_EQ(t, seen(t, s, logits, N), 1u << 1);
	s = all, s.top_k = 3;
	CHECK_EQ(t, seen(t, s, logits, N), 1u << 1 | 1u << 3 | 1u << 6);
	s = all, s.top_k = 100;
	CHECK_EQ(t, seen(t, s, logits, N - 1), 0x7f);
	s = all, s.top_p = 0.0f;
	CHECK_EQ(t, seen(t, s, logits, N), 1u << 1);
	s = all, s.top_p = 0.5f; /* .318 + .318 of the whole */
	CHECK_EQ(t, seen(t, s, logits, N), 1u << 1 | 1u << 3);
	s.top_p = 0.7f;
	CHECK_EQ(t, seen(t, s, logits, N), 1u << 1 | 1u << 3 | 1u << 6);
	s.top_k = 3, s.top_p = 0.75f; /* of three: .384 .384 .232, so two are enough, though not of the whole */
	CHECK_EQ(t, seen(t, s, logits, N), 1u << 1 | 1u << 3);
	s = all, s.min_p = 0.5f; /* e^-.5 = .61, e^-1 = .37 */
	CHECK_EQ(t, seen(t, s, logits, N), 1u << 1 | 1u << 3 | 1u << 6);
	s.min_p = 2.0f;
	CHECK_EQ(t, seen(t, s, logits, N), 1u << 1);
	s = all, s.temperature = 1e30f; /* as good as equal */
	CHECK_EQ(t, seen(t, s, logits, N), 0xff);
	CHECK_EQ(t, seen(t, all, (const float[]){ nan, 1.0f, nan, 1.0f }, 4), 1u << 1 | 1u << 3);
}

static void frequencies(struct check *t)
{
	enum { DRAWS = 20000 };
	struct gllm_sampler s = { .temperature = 0.7f, .top_p = 1.0f, .state = 42 };
	uint32_t work[N], token = 0, count[N] = { 0 };
	double total = 0.0;
	for (unsigned i = 0; i < N; i++)
		total += (double)gllm_expf(logits[i] / 0.7f);
	for (unsigned i = 0; i < DRAWS; i++)
		if (gllm_sample(&s, logits, N, work, sizeof work, &token, NULL) == GLLM_OK)
			count[token]++;
	for (unsigned i = 0; i < N; i++) {
		double want = (double)gllm_expf(logits[i] / 0.7f) / total * DRAWS, off = (double)count[i] - want;
		CHECK(t, off * off < 25.0 * (want + 1.0)); /* five standard deviations */
	}
}

static void stream(struct check *t)
{
	struct gllm_sampler a = { .temperature = 1.0f, .top_p = 0.9f, .state = 7 }, b = a, c = a;
	unsigned same = 0, other = 0;
	c.state = 8;
	for (unsigned i = 0; i < 64; i++) {
		uint32_t x = draw(t, &a, logits, N);
		b.temperature = 1.0f;
		same += x == draw(t, &b, logits, N);
		other += x == draw(t, &c, logits, N);
		b.temperature = 0.0f; /* a greedy choice draws too */
		draw(t, &b, logits, N);
		draw(t, &a, logits, N);
	}
	CHECK_EQ(t, same, 64);
	CHECK(t, other < 64);
	CHECK_EQ(t, a.state, b.state);
	struct gllm_sampler first = { .temperature = 1.0f, .top_p = 1.0f };
	draw(t, &first, logits, N);
	CHECK_EQ(t, first.state, 0x9e3779b97f4a7c15);
}

static void refused(struct check *t)
{
	float nan = __builtin_nanf("");
	uint32_t work[N], token = 77;
	struct gllm_sampler s = { .temperature = 1.0f, .top_p = 1.0f, .state = 3 };
	CHECK_EQ(t, gllm_sample_workspace(N), 32);
	CHECK_STATUS(t, gllm_sample(&s, logits, N, work, 31, &token, NULL), GLLM_OUT_OF_MEMORY);
	CHECK_STATUS(t, gllm_sample(&s, logits, 0, work, 32, &token, NULL), GLLM_RUNTIME_ERROR);
	CHECK_STATUS(t, gllm_sample(&s, (const float[]){ nan, nan }, 2, work, 32, &token, NULL), GLLM_RUNTIME_ERROR);
	CHECK_STATUS(t, gllm_sample(&s, NULL, N, work, 32, &token, NULL), GLLM_INVALID_ARGUMENT);
	CHECK_STATUS(t, gllm_sample(&s, logits, N, NULL, 32, &token, NULL), GLLM_INVALID_ARGUMENT);
	CHECK_STATUS(t, gllm_sample(NULL, logits, N, work, 32, &token, NULL), GLLM_INVALID_ARGUMENT);
	s.top_p = nan;
	CHECK_STATUS(t, gllm_sample(&s, logits, N, work, 32, &token, NULL), GLLM_INVALID_ARGUMENT);
	CHECK(t, token == 77 && s.state == 3);
}

void check_sample(struct check *t);
void check_sample(struct check *t)
{
	greedy(t);
	steps(t);
	frequencies(t);
	stream(t);
	refused(t);
}
