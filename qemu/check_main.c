/* SPDX-License-Identifier: MIT
 * qemu/check_main.c - the test suites on bare metal; exits with 0 if nothing failed. Options: filter, seed, effort, isa. */
#include "qemu/guest.h"
#include "tests/check.h"

/* A window of the board serves one buffer at a time. */
static bool taken[BOARD_GUARDED];

/* Bytes that buffers stay away from the end of a window, for emulators that read lanes a mask turns off. */
static size_t slack;

#ifdef __x86_64__
/* One lane before the end of the window; the architecture reads no other. */
static void masked_load(void *last_lane)
{
	__asm__ volatile("movl $-1, %%eax\n vmovd %%eax, %%xmm1\n vmaskmovps (%0), %%ymm1, %%ymm0"
	                 : : "r"(last_lane) : "rax", "xmm0", "xmm1");
}

static bool reads_masked_lanes(const struct gllm_profile *p)
{
	size_t size;
	unsigned char *window = board_guarded(0, &size);

	return (p->have & GLLM_BIT(GLLM_X86_AVX)) != 0 && board_try(masked_load, window + size - 4, NULL);
}
#else
static bool reads_masked_lanes(const struct gllm_profile *p)
{
	(void)p;
	return false;
}
#endif

static void *guarded(void *user, size_t bytes, bool at_end)
{
	(void)user;
	for (unsigned i = 0; i < BOARD_GUARDED; i++) {
		size_t size;
		unsigned char *window = board_guarded(i, &size);

		size -= slack;
		if (taken[i] || bytes > size)
			continue;
		taken[i] = true;
		return window + (at_end ? size - bytes : 0);
	}
	return NULL;
}

static void guarded_free(void *user, void *p, size_t bytes, bool at_end)
{
	(void)user;
	for (unsigned i = 0; i < BOARD_GUARDED; i++) {
		size_t size;
		unsigned char *window = board_guarded(i, &size);

		size -= slack;
		if (p != NULL && p == window + (at_end ? size - bytes : 0))
			taken[i] = false;
	}
}

int board_main(void)
{
	static struct gllm_profile profile;
	static struct gllm_exec_memory exec;
	static char filter[64];
	struct check_host h = { .put = guest_write, .image = guest_image(), .target = guest_target(), .profile = &profile,
	                        .exec = &exec, .guarded = guarded, .guarded_free = guarded_free,
	                        .clock_ns = guest_clock_ns, .seed = board_option_number("seed", 1),
	                        .effort = (unsigned)board_option_number("effort", 2) };
	unsigned char *model;

	if (guest_profile(&profile) != GLLM_OK) {
		board_text("the CPU cannot be probed, or option isa names no ISA\n");
		return 2;
	}
	if (reads_masked_lanes(&profile)) {
		slack = 256; /* the most vectors that one access of every eighth element spans */
		board_text("this CPU (an emulator) reads lanes that a mask turns off: 256 bytes of slack at the end of guarded windows\n");
	}
	if (board_option("filter", filter, sizeof filter) != 0)
		h.filter = filter;
	if (board_model(&model, &h.model_size))
		h.model = model;
	board_exec(&exec);
	board_memory(&h.memory, &h.size);
	return check_main(&h) == 0 ? 0 : 1;
}
