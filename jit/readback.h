/* SPDX-License-Identifier: MIT
 * jit/readback.h - emitted code, read again by our own decoder before anybody runs it.
 *
 * In:    `size` bytes of one compiled function, position independent; the features code may use (gllm_profile.have).
 * Holds afterwards: every byte belongs to an instruction of the table and needs no other feature; the entry is a landing
 *        pad; jumps and branches end at the start of an instruction inside, and control does not run out of the last one;
 *        nothing is called, no jump is indirect and the code is never read as data; nothing below the stack pointer is
 *        accessed; registers the ABI preserves are saved before they change and loaded again before each return;
 *        untouchable registers are not named.
 * Fails: GLLM_COMPILE_ERROR, `e` says what and the offset; GLLM_OUT_OF_MEMORY if scratch has less than size / 8 + 1 bytes. */
#ifndef GLLM_READBACK_H
#define GLLM_READBACK_H
#include "core/arena.h"
#include "core/target.h"

enum gllm_status gllm_readback(const struct gllm_target *t, uint64_t have, const unsigned char *code, size_t size,
                               struct gllm_arena scratch, struct gllm_error *e);
#endif
