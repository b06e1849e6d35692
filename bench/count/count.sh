#!/bin/sh
# SPDX-License-Identifier: MIT
# Instructions executed per unit of work, counted by QEMU: compiled NEON and SVE code of 256 bits, what gcc -O3 makes of
# the scalar definitions for both, and compiled code for F16 tensors. count.sh BUILD_FOLDER
b=$1
cd "$(dirname "$0")/../.." || exit 1
command -v qemu-aarch64 >/dev/null || { echo "bench-count: no qemu-aarch64" >&2; exit 1; }
mark=4242 # a system call that Linux does not have
out=$b/count
neon="-cpu max,sve=off" sve="-cpu max,sve-default-vector-length=32"
count() { # NAME PROGRAM HOW CPU..: every second mark ends a call
	name=$1 program=$2 how=$3
	shift 3
	qemu-aarch64 "$@" -plugin "$out/qemu_plugin.so,out=$out/$name.marks,mark=$mark" "$out/$program" "$how" $mark >"$out/$name.rows" || exit 1
	awk 'NR % 2 == 0' "$out/$name.marks" | paste -d' ' "$out/$name.rows" - >"$out/$name.txt"
}
count neon compiled compiled $neon
count neon_gcc scalar_neon scalar $neon
count sve compiled compiled $sve
count sve_gcc scalar_sve scalar $sve
count neon_f16 compiled halves $neon
count sve_f16 compiled halves $sve
python3 bench/count/table.py "$out"
