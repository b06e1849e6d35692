#!/bin/sh
# SPDX-License-Identifier: MIT
# The instruction tables against LLVM and Capstone, in one process: COUNT strings an ISA, and nothing that LLVM knows is
# missing but what insn_gaps.py names. insn_long.sh MAKE BUILD_FOLDER [COUNT]
make=$1 b=$2 count=${3:-8000000}
cd "$(dirname "$0")/../.." || exit 1
mkdir -p "$b/diff"
arch=$(uname -m)
$make -s -j"$(nproc)" "$b/$arch/libgllm.a" || exit 1
bad=0
capstone=
echo '#include <capstone/capstone.h>' | gcc -E - >/dev/null 2>&1 && capstone=-lcapstone
gcc -std=gnu11 -O2 -Iinclude -I. -no-pie tests/diff/insn_long.c tests/diff/insn_long_x86.c "$b/$arch/libgllm.a" $capstone -ldl \
	-o "$b/diff/insn_long" || exit 1
for isa in x86 a64; do
	"$b/diff/insn_long" $isa "$count" 1 || bad=1
done
if command -v llvm-mc-16 >/dev/null; then
	for isa in x86 a64; do
		"$b/diff/insn_long" $isa gaps >"$b/diff/gaps_$isa.txt"
		python3 tests/diff/insn_gaps.py $isa <"$b/diff/gaps_$isa.txt" || bad=1
	done
	# Every row many times over: our bytes and the assembler's are the same.
	for isa in x86 a64; do
		gcc -std=gnu11 -O2 -Iinclude -I. -no-pie tests/diff/${isa}_insn.c "$b/$arch/libgllm.a" -o "$b/diff/${isa}_insn" || exit 1
		python3 tests/diff/${isa}_insn.py "$b/diff/${isa}_insn" --llvm-mc llvm-mc-16 --count 40 --seed 2 || bad=1
	done
else
	echo "skip gaps and encoders: no llvm-mc-16 (package llvm-16)"
	echo "0 passed, 0 failed, 1 skipped"
fi
exit $bad
