#!/bin/sh
# SPDX-License-Identifier: MIT
# Against independent implementations: instruction tables against LLVM, math against double precision, decoders against ggml. diff.sh MAKE BUILD_FOLDER
make=$1 b=$2
cd "$(dirname "$0")/.." || exit 1
mkdir -p "$b/diff"
arch=$(uname -m)
$make -s -j"$(nproc)" "$b/$arch/libgllm.a" || exit 1
bad=0
mc=$(command -v llvm-mc-16 || command -v llvm-mc)
if [ -n "$mc" ]; then
	for isa in x86 a64; do
		gcc -std=gnu11 -O2 -Iinclude -I. -no-pie tests/diff/${isa}_insn.c "$b/$arch/libgllm.a" -o "$b/diff/${isa}_insn" || exit 1
		python3 tests/diff/${isa}_insn.py "$b/diff/${isa}_insn" --llvm-mc "$mc" || bad=1
	done
else
	echo "skip instruction tables: no llvm-mc"
	echo "0 passed, 0 failed, 1 skipped"
fi

# What an instruction means, against the CPU itself.
if [ $arch = x86_64 ]; then
	gcc -std=gnu11 -O1 -ffp-contract=off -Iinclude -I. -no-pie tests/diff/x86_sem.c "$b/$arch/libgllm.a" -lm -o "$b/diff/x86_sem" || exit 1
	"$b/diff/x86_sem" 200 || bad=1
fi
if command -v qemu-aarch64 >/dev/null && command -v aarch64-linux-gnu-gcc >/dev/null; then
	$make -s -j"$(nproc)" "$b/aarch64/libgllm.a" || exit 1
	aarch64-linux-gnu-gcc -std=gnu11 -O2 -ffp-contract=off -static -Iinclude -I. tests/diff/a64_sem.c "$b/aarch64/libgllm.a" \
		-lm -o "$b/diff/a64_sem" || exit 1
	qemu-aarch64 "$b/diff/a64_sem" 20 1 || bad=1
fi

# The operators as two compilers make them for both ISAs, lifted here (the whole matrix: make check-matrix).
sh tests/diff/lift_matrix.sh "$make" "$b" quick || bad=1

# Stated errors hold with and without fused multiply-add.
math() {
	if "$b/diff/$1" >"$b/diff/$1.txt"; then
		echo "$1: 1 passed, 0 failed"
	else
		cat "$b/diff/$1.txt"
		echo "$1: 0 passed, 1 failed"
		bad=1
	fi
}
sh tests/diff/math_build.sh "$b" || exit 1
math math_ulp
if [ -x "$b/diff/math_ulp_fma" ]; then
	math math_ulp_fma
else
	echo "skip math with fused multiply-add: this CPU has none"
	echo "0 passed, 0 failed, 1 skipped"
fi

# Decoders of block formats against golden blocks, where these are.
if [ -f ../shared/golden/index.txt ]; then
	gcc -std=gnu11 -O2 -Iinclude -I. -no-pie tests/diff/dequant.c "$b/$arch/libgllm.a" -o "$b/diff/dequant" || exit 1
	"$b/diff/dequant" ../shared/golden || bad=1
else
	echo "skip golden blocks: no ../shared/golden"
	echo "0 passed, 0 failed, 1 skipped"
fi
exit $bad
