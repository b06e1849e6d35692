/* SPDX-License-Identifier: MIT
 * tests/check_plain.h - scalar functions among the tests that are to be lifted: compiled as ops/ is (README, "Your own
 * operators"), whatever flags the tests have, and never sanitised; OPTIMISED: as the tests are, but without vectors. LOOP
 * stands before each of their loops. */
#ifndef CHECK_PLAIN_H
#define CHECK_PLAIN_H

#ifdef __clang__
#define PLAIN __attribute__((noinline, no_sanitize("address", "undefined")))
#define OPTIMISED PLAIN
#define LOOP _Pragma("clang loop vectorize(disable) interleave(disable) unroll(disable)")
#else
#define PLAIN __attribute__((noinline, optimize("O1", "no-tree-vectorize", "no-tree-slp-vectorize", \
                                                "no-tree-loop-distribute-patterns"), no_sanitize("address", "undefined")))
#define OPTIMISED __attribute__((noinline, optimize("no-tree-vectorize", "no-tree-slp-vectorize"), no_sanitize("address", "undefined")))
#define LOOP
#endif
#endif
