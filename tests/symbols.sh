#!/bin/sh
# SPDX-License-Identifier: MIT
# The archives of every profile (two compilers, both ISAs, with and without back ends) need no symbol from outside.
make=${1:-make}
cd "$(dirname "$0")/.." || exit 1
passed=0 failed=0
for jit in 1 0; do
	for compiler in gcc clang; do
		b=build/symbols/$compiler$jit
		[ $compiler$jit = gcc1 ] && b=build # as every other part builds it
		$make -s -j"$(nproc)" lib B=$b JIT=$jit COMPILER=$compiler || exit 1
		for arch in x86_64 aarch64; do
			lib=$b/$arch/libgllm.a
			nm -g --defined-only "$lib" 2>/dev/null | awk 'NF==3 {print $3}' | sort -u >"$lib.defined"
			nm -g --undefined-only "$lib" 2>/dev/null | awk '$1=="U" || $1=="w" {print $2}' | sort -u >"$lib.wanted"
			left=$(comm -13 "$lib.defined" "$lib.wanted")
			prefix=$(grep -vE '^(gllm_|memcpy$|memset$|memmove$|memcmp$)' "$lib.defined")
			writable=$(nm "$lib" 2>/dev/null | awk '$2 ~ /^[bBdDC]$/ {print $3}')
			if [ -z "$left$prefix$writable" ]; then
				passed=$((passed + 1))
			else
				failed=$((failed + 1))
				echo "$lib: undefined: $left; outside the gllm_ prefix: $prefix; writable data: $writable"
			fi
		done
	done
done
echo "symbols: $passed passed, $failed failed"
[ $failed = 0 ]
