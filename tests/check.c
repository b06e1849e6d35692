/* SPDX-License-Identifier: MIT
 * tests/check.c - see check.h. Uses nothing but the library's own formatting. */
#include "check.h"
#include <stdarg.h>
#include "core/bits.h"
#include "core/fmt.h"

#define SUITE(name) void check_##name(struct check *t);
#include "suites.def"
#undef SUITE

static const struct suite {
	const char *name;
	void (*run)(struct check *t);
} suite[] = {
#define SUITE(name) { #name, check_##name },
#include "suites.def"
#undef SUITE
};

static size_t length(const char *s)
{
	size_t n = 0;
	while (s[n])
		n++;
	return n;
}

/* Does `s` contain one of the words, which commas part? */
static bool contains(const char *s, const char *words)
{
	for (const char *w = words, *end; ; w = end + 1) {
		for (end = w; *end && *end != ','; end++)
			;
		for (const char *from = s; *from || w == end; from++) {
			ptrdiff_t i = 0;
			while (i < end - w && from[i] == w[i])
				i++;
			if (i == end - w)
				return true;
		}
		if (!*end)
			return false;
	}
}

static void put(const struct check_host *h, const char *s)
{
	h->put(h->user, s, length(s));
}

void check_print(const struct check *t, const char *format, ...)
{
	char line[512];
	va_list args;
	va_start(args, format);
	gllm_format_args(line, sizeof line, format, args);
	va_end(args);
	put(t->host, line);
}

uint64_t check_random(struct check *t)
{
	uint64_t z = t->random += UINT64_C(0x9e3779b97f4a7c15); /* splitmix64 (Steele, Lea, Flood 2014) */
	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

uint32_t check_below(struct check *t, uint32_t n)
{
	return (uint32_t)(check_random(t) >> 32) % n;
}

float check_float(struct check *t, float low, float high)
{
	return low + (high - low) * ((float)(check_random(t) >> 40) * 0x1p-24f);
}

float check_hostile(struct check *t)
{
	static const uint32_t special[] = {
		0x00000000, 0x80000000, 0x7f800000, 0xff800000, 0x7fc00000, 0x00000001, 0x80000001, 0x007fffff,
		0x00800000, 0x7f7fffff, 0xff7fffff, 0x3f800000, 0xbf800000, 0x42b17218, 0xc2d00000, 0x33800000,
	};
	uint64_t r = check_random(t);
	return gllm_bits_f32(r & 1 ? special[r >> 1 & 15] : (uint32_t)(r >> 32));
}

void check_skip(struct check *t, const char *reason)
{
	t->skipped++;
	check_print(t, "skip %s: %s\n", t->suite, reason);
}

bool check_true(struct check *t, bool ok, const char *file, int line, const char *expression)
{
	if (ok) {
		t->passed++;
	} else {
		t->failed++;
		check_print(t, "FAIL %s %s:%d: %s\n", t->suite, file, line, expression);
	}
	return ok;
}

bool check_equal(struct check *t, uint64_t got, uint64_t want, const char *file, int line, const char *expression)
{
	bool ok = check_true(t, got == want, file, line, expression);
	if (!ok)
		check_print(t, "     got %lld (0x%llx), want %lld (0x%llx)\n", (long long)got, (unsigned long long)got,
		            (long long)want, (unsigned long long)want);
	return ok;
}

bool check_text(struct check *t, const char *got, const char *want, const char *file, int line)
{
	size_t i = 0;
	while (got[i] && got[i] == want[i])
		i++;
	bool ok = check_true(t, got[i] == want[i], file, line, "texts are equal");
	if (!ok)
		check_print(t, "     got \"%s\"\n     want \"%s\"\n", got, want);
	return ok;
}

double check_ulp(float got, float want)
{
	bool nan_got = got != got, nan_want = want != want;
	if (nan_got || nan_want)
		return nan_got && nan_want ? 0.0 : 1e30;
	int64_t g = (int32_t)gllm_f32_bits(got), w = (int32_t)gllm_f32_bits(want);
	if (g < 0)
		g = -(g & 0x7fffffff);
	if (w < 0)
		w = -(w & 0x7fffffff);
	return (double)(g > w ? g - w : w - g);
}

const struct gllm_image *check_image(const struct check *t) { return t->host->image; }
const struct gllm_target *check_target(const struct check *t) { return t->host->target; }
const struct gllm_profile *check_profile(const struct check *t) { return t->host->profile; }
const struct gllm_exec_memory *check_exec(const struct check *t) { return t->exec.size ? &t->exec : NULL; }
void *check_memory(const struct check *t, size_t *size)
{
	*size = t->host->size;
	return t->host->memory;
}

bool check_compiler(struct check *t, unsigned *workers, struct gllm_config *c)
{
	if (!check_target(t) || !check_image(t) || !check_exec(t) || !check_profile(t)->vector_bytes) {
		check_skip(t, "compiled plans need a back end, vector units and executable memory");
		return false;
	}
	*c = (struct gllm_config){ .target = check_target(t), .profile = *check_profile(t), .image = *check_image(t) };
	c->host.code = *check_exec(t);
	c->host.parallel_for = check_in_shares;
	c->host.user = workers;
	c->host.workers = 3;
	return true;
}

void check_in_shares(void *user, gllm_task_fn *fn, void *task, uint64_t n, uint64_t grain)
{
	unsigned workers = *(const unsigned *)user;
	uint64_t units = (n + grain - 1) / grain;
	for (unsigned w = workers; w-- > 0;) {
		uint64_t begin = units * w / workers * grain, end = units * (w + 1) / workers * grain;
		if (begin < n && begin < end)
			fn(task, begin, end < n ? end : n, w);
	}
}

static enum gllm_status publish_part(void *user, size_t offset, size_t size)
{
	const struct check *t = user;
	const struct gllm_exec_memory *x = t->host->exec;
	return x->publish ? x->publish(x->user, t->exec_offset + offset, size) : GLLM_OK;
}

const struct gllm_exec_memory *check_exec_fresh(struct check *t)
{
	const struct gllm_exec_memory *x = t->host->exec;
	if (!x)
		return NULL;
	size_t part = x->size;
	if (t->host->exec_parts) {
		part = x->size / t->host->exec_parts / 65536 * 65536;
		if (t->exec_part == t->host->exec_parts) /* old code would run from here on */
			check_true(t, false, __FILE__, __LINE__, "no part of the code memory is used twice");
		t->exec_offset = t->exec_part++ % t->host->exec_parts * part;
	}
	t->exec = (struct gllm_exec_memory){ x->write + t->exec_offset, x->exec + t->exec_offset, part, publish_part, t,
	                                     t->host->exec_parts != 0 };
	return &t->exec;
}

unsigned check_main(const struct check_host *h)
{
	struct check t = { .host = h };
	if (h->memory)
		__builtin_memset(h->memory, 0xa5, h->size); /* whatever is granted may hold anything */
	check_print(&t, "seed %llu\n", (unsigned long long)h->seed);
	for (size_t i = 0; i < GLLM_COUNT(suite); i++) {
		if (h->filter && !contains(suite[i].name, h->filter))
			continue;
		unsigned passed = t.passed, failed = t.failed;
		t.suite = suite[i].name;
		check_exec_fresh(&t);
		t.random = h->seed;
		for (const char *s = t.suite; *s; s++)
			t.random = t.random * 31 + (unsigned char)*s;
		suite[i].run(&t);
		check_print(&t, "%s %s: %u\n", t.failed == failed ? "ok  " : "FAIL", t.suite, t.passed - passed);
	}
	check_print(&t, "%u passed, %u failed, %u skipped\n", t.passed, t.failed, t.skipped);
	return t.failed;
}
