#!/bin/bash
# SPDX-License-Identifier: MIT
# Boots the images of both machines: what the board promises, how each kind of death is reported, then the test suites.
b=${1:-build}
cd "$(dirname "$0")/.." || exit 1
logs=$b/system
story='^Once upon a time, there was a little girl named Lily. She loved to play outside in the park. One day, she saw a '
story=$story'big, red ball. She wanted to play with it, but it was too high.$'
boots=0
rm -rf "$logs"
mkdir -p "$logs"

# try LOG CODE TEXT ARCH IMAGE [option]...: the image must end with CODE and print TEXT (a basic regular expression).
try() {
	local log=$1 code=$2 text=$3
	shift 3
	qemu/run.sh "$@" >"$log" 2>&1
	local got=$?
	if [ $got = "$code" ] && grep -q "$text" "$log"; then
		touch "$log.passed"
	else
		echo "system: $*: code $got, expected $code and a line with: $text"
		tail -n 30 "$log"
	fi
}

# in_turn COMMAND LOG ARGUMENT...: COMMAND in the background, as many at a time as there are CPUs.
in_turn() {
	while [ "$(jobs -rp | wc -l)" -ge "$(nproc)" ]; do
		wait -n
	done
	boots=$((boots + 1))
	local command=$1
	shift
	$command "$logs/$boots" "$@" &
}

# boot CODE TEXT ARCH IMAGE [option]...
boot() {
	in_turn try "$@"
}

hello() {
	arch=$1
	shift
	boot 0 'hello: 0 broken' "$arch" "$b/$arch/hello.elf" --budget 20 "$@"
}

# The suites, the longest first. The strict image is compiled for, and run with, faults at every unaligned access; code
# compiled there keeps to its elements' alignment.
model=
for m in models/story.gguf ../shared/models/stories260K-f32.gguf; do
	[ -r $m ] && model=$m
done
try_suites() {
	local log=$1
	shift
	try "$log" 0 ' passed, 0 failed' "$@" --budget 900 ${model:+--model "$model"} >"$log.told"
	echo "-- bare metal: $*"
	cat "$log.told"
	grep -E '^skip|passed' "$log"
}
suites() {
	in_turn try_suites "$@"
}
suites aarch64 "$b/aarch64/check.elf" --cpu neoverse-n1
suites x86_64 "$b/x86_64/check.elf" --cpu max
suites aarch64 "$b/strict/aarch64/check.elf" --cpu cortex-a72 align=1
suites aarch64 "$b/strict/aarch64/check.elf" --cpu cortex-a72 align=1 isa=scalar
suites x86_64 "$b/x86_64/check.elf" --cpu Nehalem
suites aarch64 "$b/strict/aarch64/check.elf" --cpu max,sve-max-vq=2 align=1 filter=vir,lower,fusion,reorder

truncate -s 64M "$b/large.bin"
for machine in microvm pc q35; do
	for cpu in max Haswell Haswell,-xsave Nehalem; do
		hello x86_64 --machine $machine --cpu $cpu
	done
done
for cpu in max cortex-a72 neoverse-n1 max,sve-max-vq=2; do
	for align in 0 1; do
		hello aarch64 --cpu $cpu align=$align
	done
done
boot 124 'ended 5 s after its budget' aarch64 "$b/aarch64/hello.elf" --budget 1 hang=2 budget_ms=0
hello aarch64 --machine virt,virtualization=on --cpu max
boot 122 'board: started at EL3' aarch64 "$b/aarch64/hello.elf" --machine virt,secure=on --budget 20
boot 122 'board: the CPU has no NX' x86_64 "$b/x86_64/hello.elf" --cpu qemu64,-nx --budget 20
for arch in x86_64 aarch64; do
	image=$b/$arch/hello.elf
	hello $arch --memory 5G
	hello $arch "text=a, b, \"c\" \$d"
	boot 122 'board: too little RAM' $arch "$image" --memory 16M --budget 20
	boot 122 'board: the model does not fit' $arch "$image" --memory 64M --model "$b/large.bin" --budget 20
	for how in write exec null stack insn code; do
		boot 120 '^fault: ' $arch "$image" --budget 20 crash=$how
	done
	boot 120 'in the hello kernel' $arch "$image" --budget 20 crash=code
	boot 121 'fault: budget_ms is used up' $arch "$image" --budget 20 hang=1 budget_ms=200
	boot 121 'in the hello kernel' $arch "$image" --budget 20 hang=2 budget_ms=200
	boot 125 'cannot read' $arch "$b/no such image"
	boot 125 'QEMU failed' $arch "$image" --cpu nosuchcpu
done

# The main program: the story word for word, and what it says when it cannot tell one.
head -c 100000 ${model:-/dev/null} >"$b/short.bin"
for arch in x86_64 aarch64; do
	image=$b/$arch/image.elf
	boot 0 '^Once upon a time.* named ' $arch "$image" --budget 60 "prompt=Once upon a time" n=40
	boot 0 '^One day, a little fox named Ruby' $arch "$image" --budget 60 "prompt=One day, a little fox named Ruby" n=8 temp=0.8 seed=7
	boot 1 '^error: ' $arch "$image" --budget 20 --model "$b/short.bin"
	boot 1 '^error: .*magic' $arch "$image" --budget 20 --model "$image"
	case $model in
	*stories260K*)
		for isa in "" isa=scalar; do
			boot 0 "$story" $arch "$image" --budget 60 --model "$model" "prompt=Once upon a time" n=64 $isa
			boot 0 "^Lily's mom said$" $arch "$image" --budget 60 --model "$model" "prompt=Once upon a time" n=64 $isa
		done
		boot 0 '[1-9] lifted, 0 injected' $arch "$image" --budget 60 --model "$model" "prompt=Lily" n=4
		;;
	esac
done
wait
rm -f "$b/large.bin" "$b/short.bin"
passed=$(find "$logs" -name '*.passed' | wc -l) failed=$((boots - passed))
echo "system: $passed passed, $failed failed"
[ $failed = 0 ]
