#!/bin/sh
# SPDX-License-Identifier: MIT
# The suites under qemu-user as CPUs this machine is not. user.sh BUILD_FOLDER
b=$1
cd "$(dirname "$0")/.." || exit 1
model=
[ -r ../shared/models/stories260K-f32.gguf ] && model="-m ../shared/models/stories260K-f32.gguf"
bad=0
run() {
	arch=$1 cpu=$2
	shift 2
	if ! command -v qemu-$arch >/dev/null; then
		echo "skip $cpu: no qemu-$arch"
		echo "0 passed, 0 failed, 1 skipped"
		return
	fi
	echo "-- qemu-$arch $cpu"
	qemu-$arch -cpu "$cpu" "$b/$arch/check" $model "$@" || bad=1
}
run x86_64 Haswell
run x86_64 Haswell,-xsave
run x86_64 Nehalem
run aarch64 cortex-a72
run aarch64 neoverse-n1
run aarch64 max
run aarch64 a64fx
for bytes in 16 32 128 256; do # of SVE vectors; max stands for 64
	run aarch64 max,sve-default-vector-length=$bytes -f vir,lower,fusion,reorder,block
done
# Plans for one machine are the same bytes whichever ISA computes them.
if command -v qemu-x86_64 >/dev/null && command -v qemu-aarch64 >/dev/null; then
	for arch in x86_64 aarch64; do
		qemu-$arch -cpu max "$b/$arch/check" -f blob 2>/dev/null | grep '^same:' >"$b/$arch/same.txt"
	done
	if [ -s "$b/x86_64/same.txt" ] && cmp "$b/x86_64/same.txt" "$b/aarch64/same.txt"; then
		echo "plans of both builds: 1 passed, 0 failed, 0 skipped"
	else
		echo "plans of both builds: 0 passed, 1 failed, 0 skipped"
		bad=1
	fi
fi
# Code is a function of the program and the profile: both builds make the same for every width of both ISAs.
if command -v qemu-x86_64 >/dev/null && command -v qemu-aarch64 >/dev/null; then
	for arch in x86_64 aarch64; do
		qemu-$arch -cpu max "$b/$arch/check" -f vir_ops 2>/dev/null | grep '^code' >"$b/code.$arch"
	done
	if [ -s "$b/code.x86_64" ] && cmp "$b/code.x86_64" "$b/code.aarch64"; then
		echo "same code from both machines: $(grep -c . "$b/code.x86_64") passed, 0 failed"
	else
		echo "same code from both machines: 0 passed, 1 failed"
		bad=1
	fi
fi
exit $bad
