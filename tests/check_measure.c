/* SPDX-License-Identifier: MIT
 * tests/check_measure.c - measuring: what is missing is a status, and an answer follows the clock. */
#include "check.h"
#include "core/arena.h"
#include "core/profile.h"
#include "core/target.h"
#include "gllm/measure.h"

/* Clocks of machines that do not exist: of products and sums the fused kernel seems `ns` long, of two widths the wide one,
 * the other 100000. */
struct fake {
	uint64_t now, ns;
	unsigned calls;
};

static uint64_t fake_clock(void *user)
{
	struct fake *f = user;
	unsigned call = f->calls++; /* of each comparison the first two find the length, then pairs for either kernel in turn */
	if (call % 2 == 1)
		f->now += (call / 2) % 2 == 0 && call > 1 ? f->ns : 100000;
	return f->now;
}

/* Vector registers that the kernel there writes. */
static unsigned written(const struct gllm_target *target, const unsigned char *code)
{
	uint32_t changed = 0;
	struct gllm_sem_op_rec op[GLLM_SEM_MAX];
	struct gllm_sem meaning = { .op = op };
	struct gllm_insn in;
	for (bool ends = false; !ends && target->decode(code, 16, 0, &in) == GLLM_OK; code += in.length) {
		for (unsigned i = 0; i < in.n; i++)
			if (in.op[i].cls == GLLM_R_VEC && in.op[i].access & 2)
				changed |= UINT32_C(1) << in.op[i].reg;
		ends = target->meaning(&in, &meaning) == GLLM_OK && meaning.n && op[meaning.n - 1].op == GLLM_S_RET;
	}
	unsigned n = 0;
	for (; changed; changed &= changed - 1)
		n++;
	return n;
}

void check_measure(struct check *t)
{
	size_t size;
	unsigned char *memory = check_memory(t, &size);
	struct gllm_profile p = *check_profile(t);
	struct gllm_exec_memory none = { .write = NULL };
	struct fake fast = { .ns = 90000 }, slow = { .ns = 200000 };
	CHECK_STATUS(t, gllm_measure(NULL, &p, &none, fake_clock, &fast, memory, size, NULL), GLLM_NO_BACK_END);
	const struct gllm_target *target = check_target(t);
	if (!target)
		return;
	CHECK_STATUS(t, gllm_measure(target, &p, &none, NULL, NULL, memory, size, NULL), GLLM_INVALID_ARGUMENT);
	if (!p.vector_bytes) {
		CHECK_STATUS(t, gllm_measure(target, &p, &none, fake_clock, &fast, memory, size, NULL), GLLM_NO_FEATURE);
		return;
	}
	CHECK_STATUS(t, gllm_measure(target, &p, &none, fake_clock, &fast, memory, size, NULL), GLLM_NO_EXEC_MEMORY);
	if (!check_exec(t)) {
		check_skip(t, "measuring needs executable memory");
		return;
	}
	struct gllm_exec_memory code = *check_exec(t);
	size_t before = code.size;
	CHECK_STATUS(t, gllm_measure(target, &p, &code, fake_clock, &fast, memory, 64, NULL), GLLM_OUT_OF_MEMORY);
	CHECK_EQ(t, code.size, before);
	CHECK_STATUS(t, gllm_measure(target, &p, &code, fake_clock, &fast, memory, size, NULL), GLLM_OK);
	CHECK_EQ(t, code.size, before - 4096);
	CHECK(t, !p.slow_fma && !p.slow_bf16);
	for (size_t k = 0; k < 2; k++) /* both ways to multiply and add are asked how many fit into a cycle: two units, four cycles each */
		CHECK(t, written(target, code.write + (code.size & ~(size_t)63) + k * 512) >= 8);
	code = *check_exec_fresh(t);
	CHECK_STATUS(t, gllm_measure(target, &p, &code, fake_clock, &slow, memory, size, NULL), GLLM_OK);
	CHECK(t, p.slow_fma);
	CHECK_EQ(t, p.vector_bytes, check_profile(t)->vector_bytes);
	struct gllm_profile other = p;
	struct gllm_machine m;
	other.slow_bf16 = false;
	bool pairs = target->machine(&other, &m) == GLLM_OK && (m.dots & GLLM_DOT_BF16);
	CHECK(t, !pairs || !gllm_profile_narrow(&other) || p.slow_bf16); /* the same clock for them as for fused ones */
	CHECK(t, pairs || !p.slow_bf16);

	struct fake wide_is_slow = { .ns = 100 * 100000 };
	struct gllm_profile narrow = *check_profile(t);
	bool has_narrow = gllm_profile_narrow(&narrow);
	code = *check_exec_fresh(t);
	CHECK_STATUS(t, gllm_measure(target, &p, &code, fake_clock, &wide_is_slow, memory, size, NULL), GLLM_OK);
	CHECK_EQ(t, p.vector_bytes, narrow.vector_bytes);
	CHECK_EQ(t, p.have, narrow.have);
	CHECK(t, !has_narrow || (narrow.vector_bytes && narrow.have != check_profile(t)->have));
}
