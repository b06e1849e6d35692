/* SPDX-License-Identifier: MIT
 * gllm/target.h - the two machines code can be read from and compiled for.
 * Both are portable C and present on any host; a context is created with one of them, or with none (scalar only). */
#ifndef GLLM_TARGET_H
#define GLLM_TARGET_H
struct gllm_target;
extern const struct gllm_target gllm_target_x86_64;
extern const struct gllm_target gllm_target_aarch64;
#endif
