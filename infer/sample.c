/* SPDX-License-Identifier: MIT
 * infer/sample.c - greedy choice and sampling.
 *
 * What must stay true: sums run in one stated order and no statement holds both a product and a sum, so that no compiler
 * may fuse them and results are the same everywhere. Candidates are a binary heap whose front part [0, left) is still
 * unordered; taken ones stand behind it in reverse order. */
#include "infer/sample.h"
#include "gllm/ops.h"

struct candidates {
	const float *logits;
	uint32_t *id;
	uint32_t n, left; /* taken: n - left */
};

uint32_t gllm_sample_greedy(const float *logits, uint32_t n)
{
	uint32_t best = n;
	for (uint32_t i = 0; logits && i < n; i++)
		if (logits[i] == logits[i] && (best == n || logits[i] > logits[best]))
			best = i;
	return best;
}

size_t gllm_sample_workspace(uint32_t n)
{
	return (size_t)n * sizeof(uint32_t);
}

static bool before(const struct candidates *c, uint32_t a, uint32_t b)
{
	return c->logits[a] != c->logits[b] ? c->logits[a] > c->logits[b] : a < b;
}

static void sift(struct candidates *c, uint32_t at)
{
	uint32_t x = c->id[at];
	while (at < c->left / 2) {
		uint32_t child = 2 * at + 1;
		if (child + 1 < c->left && before(c, c->id[child + 1], c->id[child]))
			child++;
		if (!before(c, c->id[child], x))
			break;
		c->id[at] = c->id[child];
		at = child;
	}
	c->id[at] = x;
}

static void gather(struct candidates *c, const float *logits, uint32_t n, uint32_t *id)
{
	*c = (struct candidates){ .logits = logits, .id = id };
	for (uint32_t i = 0; i < n; i++)
		if (logits[i] == logits[i])
			id[c->n++] = i;
	c->left = c->n;
	for (uint32_t i = c->n / 2; i-- > 0;)
		sift(c, i);
}

/* The candidate of rank k, taken off the heap as far as needed; k < n. */
static uint32_t rank(struct candidates *c, uint32_t k)
{
	while (c->n - c->left <= k) {
		uint32_t top = c->id[0];
		c->id[0] = c->id[--c->left];
		c->id[c->left] = top;
		if (c->left)
			sift(c, 0);
	}
	return c->id[c->n - 1 - k];
}

static float weight(const struct candidates *c, uint32_t id, float greatest, float temperature)
{
	float below = c->logits[id] - greatest;
	return gllm_expf(below / temperature); /* a factor 1 / temperature could be infinite, and 0 times that is NaN */
}

/* Candidates that top-p leaves of the first n. */
static uint32_t nucleus(struct candidates *c, uint32_t n, float top_p, float greatest)
{
	if (top_p >= 1.0f)
		return n;
	double total = 0.0, sum = 0.0;
	for (uint32_t i = 0; n == c->n && i < n; i++) /* all of them: in no need of order */
		total += (double)weight(c, c->id[i], greatest, 1.0f);
	for (uint32_t i = 0; n != c->n && i < n; i++)
		total += (double)weight(c, rank(c, i), greatest, 1.0f);
	double enough = total * (double)top_p;
	uint32_t kept = 0;
	while (kept < n && (kept == 0 || sum < enough))
		sum += (double)weight(c, rank(c, kept++), greatest, 1.0f);
	return kept;
}

static uint32_t likely(struct candidates *c, uint32_t n, float min_p, float greatest)
{
	uint32_t kept = 1;
	if (min_p <= 0.0f)
		return n;
	while (kept < n && weight(c, rank(c, kept), greatest, 1.0f) >= min_p)
		kept++;
	return kept;
}

/* splitmix64; the upper 53 bits as a fraction in [0, 1) */
static double draw(struct gllm_sampler *s)
{
	uint64_t z = s->state += 0x9e3779b97f4a7c15;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	z ^= z >> 31;
	return (double)(z >> 11) * 0x1p-53;
}

static uint32_t choose(struct candidates *c, uint32_t n, float temperature, float greatest, double fraction)
{
	double total = 0.0, sum = 0.0;
	for (uint32_t i = 0; i < n; i++)
		total += (double)weight(c, rank(c, i), greatest, temperature);
	double at = total * fraction;
	for (uint32_t i = 0; i + 1 < n; i++) {
		sum += (double)weight(c, rank(c, i), greatest, temperature);
		if (at < sum)
			return rank(c, i);
	}
	return rank(c, n - 1);
}

enum gllm_status gllm_sample(struct gllm_sampler *s, const float *logits, uint32_t n, void *workspace,
                             size_t workspace_size, uint32_t *token, struct gllm_error *error)
{
	size_t need = gllm_sample_workspace(n);
	if (!s || !logits || !token || !workspace || (uintptr_t)workspace % sizeof(uint32_t))
		return gllm_fail(error, GLLM_INVALID_ARGUMENT, "null argument or workspace not aligned to 4", NULL, 0, 4,
		                 (uintptr_t)workspace % sizeof(uint32_t));
	if (s->temperature != s->temperature || s->top_p != s->top_p || s->min_p != s->min_p)
		return gllm_fail(error, GLLM_INVALID_ARGUMENT, "a sampling parameter is no number", NULL, 0, 0, 1);
	if (workspace_size < need)
		return gllm_fail(error, GLLM_OUT_OF_MEMORY, "workspace for sampling", NULL, 0, need, workspace_size);
	uint32_t best = gllm_sample_greedy(logits, n);
	if (best == n)
		return gllm_fail(error, GLLM_RUNTIME_ERROR, "no logit is a number", NULL, 0, 1, 0);
	double fraction = draw(s);
	*token = best;
	float greatest = logits[best];
	if (!(s->temperature > 0.0f) || greatest - greatest != 0.0f) /* infinite: the differences would be NaN */
		return GLLM_OK;
	struct candidates c;
	gather(&c, logits, n, workspace);
	uint32_t kept = s->top_k && s->top_k < c.n ? s->top_k : c.n;
	kept = nucleus(&c, kept, s->top_p, greatest);
	kept = likely(&c, kept, s->min_p, greatest);
	*token = choose(&c, kept, s->temperature, greatest, fraction);
	return GLLM_OK;
}
