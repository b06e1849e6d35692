/* SPDX-License-Identifier: MIT
 * tests/diff/insn_long.h - what tests/diff/insn_long.c asks of its x86-64 half,
 * which stands apart because the two tables use the same words for different columns. */
#ifndef INSN_LONG_H
#define INSN_LONG_H
#include <stddef.h>
#include <stdint.h>

/* Length and text of what the table reads, 0 if it refuses; targets are distances from the end, as LLVM prints them. */
size_t insn_long_x86(const unsigned char *bytes, size_t size, char *text, size_t text_size);
/* Sixteen bytes that begin with a random instance of a random row; 0 if none was found. */
size_t insn_long_x86_instance(unsigned char *bytes, uint64_t *seed);
#endif
