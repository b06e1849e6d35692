#!/bin/sh
# SPDX-License-Identifier: MIT
# Greatest errors over all 2^32 arguments, with and without fused multiply-add, side by side: a quarter of an hour of two cores.
# (The library's own objects, which are slower, "make check-diff" measures at every 1009-th argument.)
# math_long.sh MAKE BUILD_FOLDER
make=$1 b=$2
cd "$(dirname "$0")/../.." || exit 1
$make -s -j"$(nproc)" "$b/$(uname -m)/libgllm.a" && sh tests/diff/math_build.sh "$b" long || exit 1
bad=0
if [ -x "$b/diff/math_long_fma" ]; then
	"$b/diff/math_long_fma" -a >"$b/diff/math_long_fma.txt" &
	fused=$!
fi
echo "-- each product and sum rounded"
"$b/diff/math_long" -a || bad=1
if [ -n "$fused" ]; then
	wait "$fused" || bad=1
	echo "-- products and sums fused"
	cat "$b/diff/math_long_fma.txt"
fi
[ $bad = 0 ] && echo "math: 1 passed, 0 failed" || echo "math: 0 passed, 1 failed"
exit $bad
