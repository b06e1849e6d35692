/* SPDX-License-Identifier: MIT
 * tests/diff/insn_long_names.c - hosted: the mnemonics that the heads of both insn.def leave out. */
#include "tests/diff/insn_long.h"

const char *const insn_long_x86_excluded[] = { 0 };
const char *const insn_long_a64_excluded[] = { 0 };
