#!/bin/sh
# SPDX-License-Identifier: MIT
# The suites under qemu-user as CPUs this machine is not. user.sh BUILD_FOLDER
b=$1
cd "$(dirname "$0")/.." || exit 1
model=
[ -r ../shared/models/stories260K-f32.gguf ] && model="-m ../shared/models/stories260K-f32.gguf"
bad=0
logs=$b/user
mkdir -p "$logs"
# One CPU a line: NUMBER ARCH CPU OPTIONS. As many at a time as there are cores; told in this order. 16 to 256 are bytes
# of SVE vectors, max stands for 64. A CPU without AVX runs them on bare metal (qemu/check.sh).
narrow="-f vir,lower,fusion,reorder,block"
cat >"$logs/list" <<LIST
01 x86_64 Haswell
02 x86_64 Haswell,-xsave
03 aarch64 cortex-a72
04 aarch64 neoverse-n1
05 aarch64 max
06 aarch64 a64fx
07 aarch64 max,sve-default-vector-length=16 $narrow
08 aarch64 max,sve-default-vector-length=32 $narrow
09 aarch64 max,sve-default-vector-length=128 $narrow
10 aarch64 max,sve-default-vector-length=256 $narrow
LIST
rm -f "$logs"/*.log
# shellcheck disable=SC2016
xargs -P "$(nproc)" -L 1 sh -c '
	b=$1 logs=$2 model=$3 number=$4 arch=$5 cpu=$6
	shift 6
	{
		echo "-- qemu-$arch $cpu"
		if command -v "qemu-$arch" >/dev/null; then
			"qemu-$arch" -cpu "$cpu" "$b/$arch/check" $model "$@"
		else
			echo "skip $cpu: no qemu-$arch"
			echo "0 passed, 0 failed, 1 skipped"
		fi
	} >"$logs/$number.log" 2>&1' user "$b" "$logs" "$model" <"$logs/list" || bad=1
cat "$logs"/*.log
# equal WHAT SUITE TEXT: the suite printed the same lines that begin so in both builds, whichever CPU they ran on.
equal() {
	for n in 01 05; do
		if ! grep -q "^ok *$2:" "$logs/$n.log"; then
			echo "$1: 0 passed, 0 failed, 1 skipped"
			return
		fi
		grep "^$3" "$logs/$n.log" >"$logs/$n.txt"
	done
	if [ -s "$logs/01.txt" ] && cmp "$logs/01.txt" "$logs/05.txt"; then
		echo "$1: $(grep -c . "$logs/01.txt") passed, 0 failed, 0 skipped"
	else
		echo "$1: 0 passed, 1 failed, 0 skipped"
		bad=1
	fi
}
# Plans for one machine are the same bytes whichever ISA computes them; code is a function of the program and the profile.
equal "plans of both builds" blob "same:"
equal "same code from both machines" vir_ops "code vir_ops,"
exit $bad
