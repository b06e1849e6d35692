/* SPDX-License-Identifier: MIT
 * qemu/guest.c - see guest.h. */
#include "qemu/guest.h"
#include "core/fmt.h"
#include "gllm/native.h"
#include "gllm/ops.h"

void *memset(void *to, int value, size_t n);
void *memcpy(void *restrict to, const void *restrict from, size_t n);

const struct gllm_image *guest_image(void)
{
	static const struct gllm_known known[] = {
#define P(id, fn) { (uint64_t)(uintptr_t)fn, GLLM_PRIM_##id },
		GLLM_PRIMITIVES(P)
#undef P
	};
	static struct gllm_image image = { .known = known, .nknown = sizeof known / sizeof known[0] };

	image.nranges = board_image(&image.range);
	return &image;
}

const struct gllm_target *guest_target(void)
{
#if !GLLM_JIT
	return NULL;
#elif defined __x86_64__
	return &gllm_target_x86_64;
#else
	return &gllm_target_aarch64;
#endif
}

enum gllm_status guest_profile(struct gllm_profile *out)
{
	char cap[16];
	enum gllm_status s = gllm_native_probe_privileged(out);

	if (s == GLLM_OK && board_option("isa", cap, sizeof cap) != 0)
		s = gllm_profile_cap(out, cap);
	return s;
}

uint64_t guest_clock_ns(void *user)
{
	(void)user;
	return board_clock_ns();
}

void guest_write(void *user, const char *text, size_t n)
{
	(void)user;
	board_write(text, n);
}

void guest_print(const char *format, ...)
{
	char line[512];
	va_list args;
	size_t n;

	va_start(args, format);
	n = gllm_format_args(line, sizeof line, format, args);
	va_end(args);
	board_write(line, n < sizeof line ? n : sizeof line - 1);
}

void guest_print_error(const struct gllm_error *e)
{
	guest_print("error: %s", gllm_status_text(e->status));
	if (e->what != NULL)
		guest_print(": %s", e->what);
	if (e->name[0] != 0)
		guest_print(" (%s)", e->name);
	guest_print("; at %lu, expected %lu, got %lu\n", (unsigned long)e->where, (unsigned long)e->expected,
	            (unsigned long)e->actual);
}
