/* SPDX-License-Identifier: MIT
 * qemu/guest.h - what a program on bare metal gives the library: the board's services in the library's own types. */
#ifndef GLLM_GUEST_H
#define GLLM_GUEST_H
#include "gllm/host.h"
#include "gllm/image.h"
#include "gllm/profile.h"
#include "gllm/target.h"
#include "qemu/board.h"

/* Text and read-only data of this image, and the addresses of the primitives. Static. */
const struct gllm_image *guest_image(void);

/* The target of this image's own ISA; NULL when built with JIT=0. */
const struct gllm_target *guest_target(void);

/* Probes the boot core; option isa caps what it may use. Fails: INVALID_ARGUMENT (option isa names none). */
enum gllm_status guest_profile(struct gllm_profile *out);

uint64_t guest_clock_ns(void *user);
void guest_write(void *user, const char *text, size_t n);
void guest_print(const char *format, ...) __attribute__((format(printf, 1, 2))); /* as core/fmt.h; lines up to 511 bytes */
void guest_print_error(const struct gllm_error *e);
#endif
