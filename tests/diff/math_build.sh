#!/bin/sh
# SPDX-License-Identifier: MIT
# Builds math_ulp (definitions as the library compiles them) and, where the CPU has it, math_ulp_fma (with products and sums
# fused) in BUILD_FOLDER/diff; with "long" math_long and math_long_fma, whose definitions are the same, built to run fast.
# math_build.sh BUILD_FOLDER [long]
b=$1 kind=${2:-ulp} arch=$(uname -m) fma=-mfma native=-march=native
vectors=-lmvec
[ "$arch" = aarch64 ] && fma='' native=-mcpu=native vectors=
mkdir -p "$b/diff"
rm -f "$b/diff/math_${kind}_fma"
mpfr=
[ -e /usr/include/mpfr.h ] && mpfr="-DWITH_MPFR -lmpfr -lgmp"
cc="gcc -std=gnu11 -O2 -Wall -Wextra -Iinclude -I."
fast="$cc -O3 $native -fno-math-errno"
$fast -ffast-math -c tests/diff/math_wanted.c -o "$b/diff/math_wanted.o" || exit 1

definitions() { # NAME FLAGS..: objects of ops
	name=$1
	shift
	objects=
	for f in math erf map activation; do
		$cc "$@" -fno-math-errno -c "ops/$f.c" -o "$b/diff/$f$name.o" || exit 1
		objects="$objects $b/diff/$f$name.o"
	done
}
program() { # NAME
	# shellcheck disable=SC2086
	$fast -no-pie tests/diff/math_ulp.c $objects "$b/diff/math_wanted.o" "$b/$arch/ops/prim.o" $mpfr $vectors -lm -o "$b/diff/$1"
}

if [ "$kind" = long ]; then
	definitions _long -O3 $native -ffp-contract=off -include tests/diff/math_inline.h
	program math_long || exit 1
else
	objects=
	for f in math erf map activation; do
		objects="$objects $b/$arch/ops/$f.o"
	done
	program math_ulp || exit 1
fi
[ "$arch" = aarch64 ] || grep -q ' fma ' /proc/cpuinfo || exit 0
if [ "$kind" = long ]; then
	definitions _long_fma -O3 $native -ffp-contract=fast -include tests/diff/math_inline.h
else
	# shellcheck disable=SC2086
	definitions _fma -fno-tree-vectorize $fma -ffp-contract=fast
fi
program "math_${kind}_fma"
