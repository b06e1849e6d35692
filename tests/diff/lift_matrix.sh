#!/bin/sh
# SPDX-License-Identifier: MIT
# Builds the operators with two compilers for both ISAs under many flags, lifts them all (lift_matrix.c) and prints what
# lifted and what was refused; also looks for packed arithmetic in the operators as shipped.
# [SEED=n] lift_matrix.sh MAKE BUILD_FOLDER [quick|mutants]
# Then changes the code of operators at random and lifts that (lift_mutants.c): `mutants` is the long run, and nothing else.
make=$1 b=$2 how=$3
cd "$(dirname "$0")/../.." || exit 1
root=$(pwd)
host=$(uname -m)
out=$root/$b/diff/matrix
mkdir -p "$out"
common="-std=c11 -ffreestanding -fno-stack-protector -fno-math-errno -I$root/include -I$root"
sources="$(ls "$root"/ops/*.c | grep -v /table.c) $root/tests/fixtures/user_ops.c"
bad=0 missing=0

flags_of() { # COMPILER ISA LEVEL VARIANT
	case $3 in
	ops) f="-O1 -fno-jump-tables -fno-lto"
		[ "$1" = gcc ] && f="$f -fno-tree-vectorize -fno-tree-slp-vectorize" || f="$f -fno-vectorize -fno-slp-vectorize -fno-unroll-loops"
		[ "$2" = aarch64 ] && f="$f -march=armv8-a+nosimd" ;;
	*) f=-$3 ;;
	esac
	case $4-$2 in
	fma-*) ;;
	*) f="$f -ffp-contract=off" ;;
	esac
	case $4-$2 in
	plain-*) f="$f -fno-pic" ;;
	protect-x86_64) f="$f -fno-pic -fcf-protection=full" ;;
	protect-aarch64) f="$f -fno-pic -mbranch-protection=standard" ;;
	pic-*) f="$f -fPIC" ;;
	fma-x86_64) f="$f -fno-pic -mfma -ffp-contract=fast" ;;
	fma-aarch64) f="$f -fno-pic -ffp-contract=fast" ;;
	v3-x86_64) f="$f -fno-pic -march=x86-64-v3" ;;
	v3-aarch64) f="$f -fno-pic -march=armv8.2-a+fp16" ;;
	esac
	[ "$3" = ops ] && [ "$2" = x86_64 ] && f="$f -mno-red-zone"
	[ "$2" = aarch64 ] && f="$f -mno-outline-atomics"
	echo "$f"
}

build() { # COMPILER ISA LEVEL VARIANT
	name=$2-$1-$3-$4 ld=ld cc=$1
	elf=$out/$name.elf
	[ "$2" = "$host" ] || ld=$2-linux-gnu-ld
	if [ "$1" = clang ]; then cc="clang --target=$2-linux-gnu"; elif [ "$2" != "$host" ]; then cc=$2-linux-gnu-gcc; fi
	if ! command -v ${cc%% *} >/dev/null || ! command -v $ld >/dev/null; then
		return 3
	fi
	[ -e "$elf" ] && [ -z "$(find include ops core tests/fixtures tests/diff/lift_matrix.sh -newer "$elf" -type f -print -quit)" ] && return 0
	mkdir -p "$out/$name" && cd "$out/$name" || return 1
	rm -f ./*.o
	f=$(flags_of "$@")
	# Primitives are defined without joined products and known by address; what the compiler calls on its own, too.
	$cc $common $f -c $sources && $cc $common $f -ffp-contract=off -c "$root/ops/prim.c" &&
		$cc $common -O2 -c "$root/core/mem.c" &&
		$ld -static -Ttext-segment=0x40000000 -z max-page-size=4096 -e 0 ./*.o -o "$elf"
}

files=
row() { # LEVEL VARIANT: both compilers, both ISAs
	for isa in x86_64 aarch64; do
		build gcc $isa "$1" "$2" & first=$!
		build clang $isa "$1" "$2" & second=$!
		for job in gcc:$first clang:$second; do
			wait "${job#*:}"
			case $? in
			0) files="$files $out/$isa-${job%:*}-$1-$2.elf" ;;
			3) echo "skip $isa-${job%:*}-$1-$2: no compiler or linker"; missing=$((missing + 1)) ;;
			*) echo "$isa-${job%:*}-$1-$2 does not build"; bad=$((bad + 1)) ;;
			esac
		done
	done
}

# Packed arithmetic: on x86-64 scalars are moved, cleared and combined bit by bit as whole xmm registers, for which there is
# no other way; on AArch64 no operand is a vector.
packed_x86='%[yz]mm|[[:space:]]v?[a-z0-9]+p[sd] |[[:space:]]v?p[a-z]+ .*%xmm'
allowed_x86='[[:space:]]v?(mov[au]p[sd]|andn?p[sd]|orp[sd]|xorp[sd]|pxor|por|pandn?) '
packed_a64='[[:space:],{][vz][0-9]+\.[0-9]*[bhsdq]'
allowed_a64='^$'
shipped() {
	seen=
	for isa in x86_64 aarch64; do
		$make -s "$b/$isa/libgllm.a" || exit 1
		dump=objdump packed=$packed_x86 allowed=$allowed_x86
		[ "$isa" = "$host" ] || dump=$isa-linux-gnu-objdump
		[ $isa = x86_64 ] || packed=$packed_a64 allowed=$allowed_a64
		for c in $sources $sources; do
			o=$b/$isa/ops/$(basename "$c" .c).o
			case " $seen " in *" $o "*) o=$out/$isa-clang-ops-plain/$(basename "$c" .c).o ;; esac
			seen="$seen $o"
			[ -e "$o" ] || continue
			found=$($dump -d --no-show-raw-insn "$o" | grep -E "^ +[0-9a-f]+:" | grep -E "$packed" | grep -vE "$allowed")
			if [ -z "$found" ]; then
				scanned=$((scanned + 1))
			else
				echo "packed arithmetic in $o:"; echo "$found" | head -5
				bad=$((bad + 1))
			fi
		done
	done
}

$make -s "$b/$host/libgllm.a" "$b/$host/tests/fixtures/user_ops.o" "$b/$host/hosted/tools/host.o" || exit 1
if [ "$how" = quick ]; then
	for v in plain protect fma; do row ops $v; done
else
	for level in ops O1 O2 Os; do
		for v in plain protect pic fma v3; do row $level $v; done
	done
fi
scanned=0
shipped
program() { # NAME ISA COMPILER
	name=$1 isa=$2
	shift 2
	$make -s "$b/$isa/libgllm.a" "$b/$isa/tests/fixtures/user_ops.o" &&
		"$@" -std=gnu11 -O2 -static -no-pie -DGLLM_JIT=1 -Iinclude -I. "tests/diff/$name.c" tests/diff/program.c tests/check_trial.c tests/fixtures/user_table.c \
		tools/host.c "$b/$isa/tests/fixtures/user_ops.o" "$b/$isa/libgllm.a" -lpthread -o "$out/$name-$isa"
}
emulated=
if [ "$host" = x86_64 ] && command -v qemu-aarch64 >/dev/null && command -v aarch64-linux-gnu-gcc >/dev/null; then emulated=aarch64; fi
some() { # PATTERN: files of that name
	echo "$files" | tr ' ' '\n' | grep "$1"
}
mutants() { # SEED COUNT, of this ISA and of the emulated one
	program lift_mutants "$host" gcc || exit 1
	"$out/lift_mutants-$host" "$1" "$2" $(some "/$host-$3") || bad=$((bad + 1))
	[ -n "$emulated" ] || return
	program lift_mutants aarch64 aarch64-linux-gnu-gcc || exit 1
	qemu-aarch64 "$out/lift_mutants-aarch64" "$1" $(($2 / 5 + 1)) $(some "/aarch64-$3") || bad=$((bad + 1))
}
if [ "$how" = mutants ]; then
	mutants "${SEED:-1}" 100 ''
	[ $bad = 0 ]
	exit
fi
program lift_matrix "$host" gcc || exit 1
"$out/lift_matrix-$host" $files || bad=$((bad + 1))
# Joined products and sums of AArch64, against the functions themselves under emulation.
if [ -n "$emulated" ] && some '/aarch64-.*-fma' >/dev/null; then
	program lift_matrix aarch64 aarch64-linux-gnu-gcc || exit 1
	qemu-aarch64 "$out/lift_matrix-aarch64" $(some '/aarch64-.*-fma') || bad=$((bad + 1))
fi
mutants 1 8 '.*-ops-plain'
echo "lift matrix, scans: $scanned passed, $bad failed, $missing skipped"
[ $bad = 0 ]
