/* SPDX-License-Identifier: MIT
 * qemu/check_main.c - the test suites on bare metal; exits with 0 if nothing failed. Options: filter, seed, isa. */
#include "qemu/guest.h"
#include "tests/check.h"

/* A window of the board serves one buffer at a time. */
static bool taken[BOARD_GUARDED];

static void *guarded(void *user, size_t bytes, bool at_end)
{
	(void)user;
	for (unsigned i = 0; i < BOARD_GUARDED; i++) {
		size_t size;
		unsigned char *window = board_guarded(i, &size);

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
	                        .clock_ns = guest_clock_ns, .seed = board_option_number("seed", 1) };
	unsigned char *model;

	if (guest_profile(&profile) != GLLM_OK) {
		board_text("the CPU cannot be probed, or option isa names no ISA\n");
		return 2;
	}
	if (board_option("filter", filter, sizeof filter) != 0)
		h.filter = filter;
	if (board_model(&model, &h.model_size))
		h.model = model;
	board_exec(&exec);
	board_memory(&h.memory, &h.size);
	return check_main(&h) == 0 ? 0 : 1;
}
