#!/bin/sh
# SPDX-License-Identifier: MIT
# Inner loops of NEON code, and of SVE code for 256 bits, as llvm-mca predicts them. static.sh BUILD_FOLDER
b=$1
cd "$(dirname "$0")/../.." || exit 1
mca=$(command -v llvm-mca-16 || command -v llvm-mca) || { echo "bench-static: no llvm-mca" >&2; exit 1; }
run= halves=
if [ "$(uname -m)" != aarch64 ]; then # SVE of a stated length, and products of BF16 pairs, only where they are emulated
	run="qemu-aarch64 -cpu neoverse-n1"
	halves="qemu-aarch64 -cpu max"
fi
mkdir -p "$b/static"
set --
for graph in bench/static/*.graph; do
	name=$(basename "$graph" .graph) cpu=$run
	case $name in bf16*) cpu=$halves ;; esac
	$cpu "$b/aarch64/gllm" disasm --isa neon --unmeasured --rows 256 "$graph" >"$b/static/$name.s" || exit 1
	set -- "$@" "$name=$b/static/$name.s"
	[ -n "$run" ] || continue
	case $name in gemm | gemv) # both ways to load what a turn needs
		for stages in 1 2; do
			for of in n1=neon:neoverse-n1 a53=neon:cortex-a53 sve=sve:max,sve-default-vector-length=32; do
				to=$b/static/${name}_${of%%=*}_$stages.s isa=${of#*=}
				qemu-aarch64 -cpu "${isa#*:}" "$b/aarch64/gllm" disasm --isa "${isa%%:*}" --unmeasured --rows 256 --stages $stages "$graph" >"$to" || exit 1
				set -- "$@" "${name}_${of%%=*}_$stages=$to"
			done
		done
	esac
	if [ "${name#bf16}" = "$name" ]; then # which the core has not
		qemu-aarch64 -cpu cortex-a53 "$b/aarch64/gllm" disasm --isa neon --unmeasured --rows 256 "$graph" >"$b/static/${name}_ordered.s" || exit 1
		set -- "$@" "${name}_ordered=$b/static/${name}_ordered.s"
	fi
	qemu-aarch64 -cpu max,sve-default-vector-length=32 "$b/aarch64/gllm" disasm --isa sve --unmeasured --rows 256 "$graph" >"$b/static/${name}_sve.s" || exit 1
	set -- "$@" "${name}_sve=$b/static/${name}_sve.s"
done
for form in i8=256 i8_dot=252; do # words of four elements that come in pairs, and that do not
	to=$b/static/${form%=*}
	$halves "$b/aarch64/static_own" neon ${form#*=} >"$to.s" || exit 1
	set -- "$@" "${form%=*}=$to.s"
	[ -n "$run" ] || continue
	qemu-aarch64 -cpu max,sve-default-vector-length=32 "$b/aarch64/static_own" sve ${form#*=} >"${to}_sve.s" || exit 1
	set -- "$@" "${form%=*}_sve=${to}_sve.s"
done
$run "$b/aarch64/static_own" neon q4_k >"$b/static/gemv_q4_k.s" || exit 1
set -- "$@" "gemv_q4_k=$b/static/gemv_q4_k.s"
objdump=$(command -v aarch64-linux-gnu-objdump || command -v objdump)
for yard in gemm_8x12 gemv_q8_k gemv_q4_k; do
	"$objdump" -d "$b/aarch64/arch/aarch64/native/$yard.o" >"$b/static/yard_$yard.s" || exit 1
	set -- "$@" "yard_$yard=$b/static/yard_$yard.s"
done
python3 bench/static/static.py "$mca" "$@"
