/* SPDX-License-Identifier: MIT
 * tests/check_publish.c - written code is published exactly: every kernel once, before it could run, nothing else; and what
 * AArch64 does for a range covers it line by line, whatever CTR_EL0 says. No emulator shows a missing flush, so caches
 * are played here: instruction fetch sees a copy that only maintenance brings up to date. */
#include "arch/aarch64/maintain.h"
#include "check.h"
#include "core/arena.h"
#include "gllm/graph.h"
#include "gllm/ops.h"

enum { CODE = 1 << 18, COLS = 37, RANGES = 64, PLANS = 5, FILL = 0xd4 };
#define LINES(data, insn) ((uint64_t)(data) << 16 | (insn)) /* log2 of words a line */
#define IDC (UINT64_C(1) << 28)
#define DIC (UINT64_C(1) << 29)
static const uint64_t ctrs[] = { LINES(4, 4), LINES(3, 5), LINES(6, 2), LINES(0, 0), LINES(4, 4) | IDC, LINES(4, 4) | DIC,
                                 LINES(6, 4) | IDC | DIC };

struct caches {
	uint64_t ctr, at;   /* at: address of the code */
	unsigned char *memory, *unified, *fetched; /* written; seen behind the data side; seen by instruction fetch */
	struct { size_t offset, size; } range[RANGES];
	unsigned n;
};

static void copy_lines(const struct caches *k, struct gllm_a64_lines l, const unsigned char *from, unsigned char *to)
{
	for (uint64_t line = l.first; line < l.end; line += l.step)
		for (uint64_t i = line; i < line + l.step; i++)
			if (i >= k->at && i < k->at + CODE)
				to[i - k->at] = from[i - k->at];
}

static enum gllm_status publish(void *user, size_t offset, size_t size)
{
	struct caches *k = user;
	uint64_t begin = k->at + offset;
	const struct gllm_a64_lines all = { k->at, k->at + CODE, 4 };

	if (k->n < RANGES)
		k->range[k->n].offset = offset, k->range[k->n].size = size;
	k->n++;
	copy_lines(k, k->ctr & IDC ? all : gllm_a64_clean_lines(k->ctr, begin, size), k->memory, k->unified);
	copy_lines(k, k->ctr & DIC ? all : gllm_a64_invalidate_lines(k->ctr, begin, size), k->unified, k->fetched);
	return GLLM_OK;
}

static bool published_once(const struct caches *k, size_t offset, size_t size)
{
	unsigned found = 0;

	for (unsigned i = 0; i < k->n && i < RANGES; i++)
		found += k->range[i].offset == offset && k->range[i].size == size;
	return found == 1;
}

/* No line too few, none too many, for ranges that begin and end anywhere. */
static void lines(struct check *t)
{
	unsigned wrong = 0;

	for (unsigned c = 0; c < sizeof ctrs / sizeof ctrs[0]; c++)
		for (unsigned n = 0; n < 200; n++) {
			uint64_t begin = 0x40000000 + check_below(t, 4096), bytes = n < 4 ? n : check_below(t, 3000);
			struct gllm_a64_lines l[2] = { gllm_a64_clean_lines(ctrs[c], begin, bytes),
			                               gllm_a64_invalidate_lines(ctrs[c], begin, bytes) };
			for (unsigned k = 0; k < 2; k++) {
				uint64_t step = UINT64_C(4) << (k ? ctrs[c] & 15 : ctrs[c] >> 16 & 15), count = 0, last = 0;
				bool none = bytes == 0 || (ctrs[c] & (k ? DIC : IDC));
				for (uint64_t p = l[k].first; p < l[k].end; p += l[k].step, count++)
					last = p;
				if (none ? count != 0 : l[k].first % step || l[k].step != step || l[k].first > begin ||
				    l[k].first + step <= begin || last >= begin + bytes || last + step < begin + bytes)
					wrong++;
			}
		}
	CHECK_EQ(t, wrong, 0);
}

static enum gllm_status compile(struct gllm_context *c, unsigned op, struct gllm_plan **plan, struct gllm_error *e)
{
	struct gllm_graph *g = NULL;
	gllm_tensor x, y;
	enum gllm_status s = gllm_graph_create(c, "map", 8, 4, 2, &g, e);

	if (s != GLLM_OK)
		return s;
	x = gllm_graph_tensor(g, GLLM_TENSOR_INPUT, GLLM_F32, GLLM_ROWS, COLS, "x");
	y = gllm_graph_tensor(g, GLLM_TENSOR_OUTPUT, GLLM_F32, GLLM_ROWS, COLS, "y");
	gllm_graph_node(g, op, GLLM_ROWS, (struct gllm_actual[]){ GLLM_T(y), GLLM_T(x), GLLM_D(COLS) }, 3);
	s = gllm_compile(c, g, NULL, plan, e);
	gllm_graph_free(c, g);
	return s;
}

static void ranges(struct check *t, struct gllm_arena arena, uint64_t ctr)
{
	static const unsigned ops[PLANS] = { GLLM_OP_silu, GLLM_OP_softmax, GLLM_OP_relu, GLLM_OP_gelu, GLLM_OP_tanh };
	struct caches k = { .ctr = ctr, .at = 0x40000040 };
	struct gllm_config config = { .target = check_target(t), .profile = *check_profile(t), .image = *check_image(t) };
	struct gllm_context *c = NULL;
	struct gllm_plan *plan[PLANS] = { NULL };
	struct gllm_error e = { .status = GLLM_OK };

	k.memory = gllm_alloc(&arena, CODE, 64);
	k.unified = gllm_alloc(&arena, CODE, 64);
	k.fetched = gllm_alloc(&arena, CODE, 64);
	config.host.code = (struct gllm_exec_memory){ k.memory, k.memory, CODE, publish, &k, false };
	size_t need = gllm_context_quote(&config);
	void *memory = gllm_alloc(&arena, need, 64);
	if (!CHECK(t, memory != NULL) || !CHECK_STATUS(t, gllm_context_create(memory, need, &config, &c, &e), GLLM_OK))
		return;
	for (size_t i = 0; i < CODE; i++)
		k.memory[i] = k.unified[i] = k.fetched[i] = FILL;
	for (unsigned round = 0; round < 2 * PLANS; round++) { /* the second time where freed code lay */
		unsigned i = round % PLANS, other = (i + 2) % PLANS, wrong = 0;
		if (plan[i])
			gllm_plan_free(c, plan[i]);
		plan[i] = NULL;
		k.n = 0; /* a plan's code may be that of a plan that lives: that was published with it */
		if (!CHECK_STATUS(t, compile(c, ops[round < PLANS ? i : other], &plan[i], &e), GLLM_OK))
			return;
		CHECK(t, k.n <= gllm_plan_steps(plan[i]) && (k.n > 0 || round >= PLANS));
		for (unsigned n = 0; n < gllm_plan_steps(plan[i]); n++) {
			struct gllm_step_info step;
			gllm_plan_step(plan[i], n, &step);
			CHECK(t, published_once(&k, step.code_offset, step.code_bytes) || (k.n == 0 && round >= PLANS));
			for (size_t b = step.code_offset; b < step.code_offset + step.code_bytes; b++)
				wrong += k.fetched[b] != k.memory[b];
		}
		CHECK_EQ(t, wrong, 0);
	}
}

void check_publish(struct check *t)
{
	struct gllm_arena arena;
	size_t size;
	void *memory = check_memory(t, &size);

	lines(t);
	if (!check_target(t) || !check_image(t) || !check_profile(t)->vector_bytes) {
		check_skip(t, "compiling needs a back end, vectors and readable text");
		return;
	}
	gllm_arena_init(&arena, memory, size);
	for (unsigned c = 0; c < sizeof ctrs / sizeof ctrs[0]; c++)
		ranges(t, arena, ctrs[c]);
}
