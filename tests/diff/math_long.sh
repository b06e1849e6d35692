#!/bin/sh
# SPDX-License-Identifier: MIT
# Greatest errors over all 2^32 arguments, with and without fused multiply-add, and what they are measured with against MPFR. An
# hour of one core. math_long.sh MAKE BUILD_FOLDER
make=$1 b=$2
cd "$(dirname "$0")/../.." || exit 1
$make -s -j"$(nproc)" "$b/$(uname -m)/libgllm.a" && sh tests/diff/math_build.sh "$b" || exit 1
bad=0
"$b/diff/math_ulp" -o || bad=1
for program in math_ulp math_ulp_fma; do
	[ -x "$b/diff/$program" ] || continue
	echo "-- $program"
	"$b/diff/$program" -a || bad=1
done
[ $bad = 0 ] && echo "math: 1 passed, 0 failed" || echo "math: 0 passed, 1 failed"
exit $bad
