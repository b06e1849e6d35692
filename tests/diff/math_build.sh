#!/bin/sh
# SPDX-License-Identifier: MIT
# Builds math_ulp (definitions as the library compiles them) and, where the CPU has it, math_ulp_fma (with products and sums
# fused) in BUILD_FOLDER/diff. math_build.sh BUILD_FOLDER
b=$1 arch=$(uname -m) fma=-mfma objects=
[ "$arch" = aarch64 ] && fma=
mkdir -p "$b/diff"
rm -f "$b/diff/math_ulp_fma"
mpfr=
[ -e /usr/include/mpfr.h ] && mpfr="-DWITH_MPFR -lmpfr -lgmp"
cc="gcc -std=gnu11 -O2 -Iinclude -I."
for f in math erf map activation; do
	objects="$objects $b/$arch/ops/$f.o"
done
# shellcheck disable=SC2086
$cc -no-pie tests/diff/math_ulp.c $objects "$b/$arch/ops/prim.o" $mpfr -lm -o "$b/diff/math_ulp" || exit 1
[ "$arch" = aarch64 ] || grep -q ' fma ' /proc/cpuinfo || exit 0
objects=
for f in math erf map activation; do
	$cc -fno-tree-vectorize $fma -ffp-contract=fast -fno-math-errno -c "ops/$f.c" -o "$b/diff/${f}_fma.o" || exit 1
	objects="$objects $b/diff/${f}_fma.o"
done
# shellcheck disable=SC2086
$cc -no-pie tests/diff/math_ulp.c $objects "$b/$arch/ops/prim.o" $mpfr -lm -o "$b/diff/math_ulp_fma"
