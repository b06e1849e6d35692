#!/bin/sh
# SPDX-License-Identifier: MIT
# Boots an image in QEMU without KVM: run.sh ARCH IMAGE [option] [NAME=VALUE]...
#   ARCH                x86_64 or aarch64
#   --model FILE        the model, handed to the guest
#   --cpu CPU           as QEMU names it (max, without SVE); --machine M (microvm, virt); --memory SIZE (512M + the model); --smp N (1)
#   --budget SECONDS    time after which the guest ends itself with a report, or is ended 5 s later (60)
#   NAME=VALUE          an option of the guest's program, board_option("NAME")
# The guest's console is standard output. Exit code: the guest's own (0..126), among them 120 a fault, 121 the budget is
# used up; 124 it had to be ended; 125 it ended without giving a code, or QEMU failed; 2 wrong usage.
set -u

usage() {
	sed -n '3,11s/^# //p' "$0" >&2
	exit 2
}

say() {
	echo "run.sh: $*" >&2
}

# QEMU ends an option's value at a comma; two commas are one.
escape() {
	printf '%s' "$1" | sed 's/,/,,/g'
}

[ $# -ge 2 ] || usage
arch=$1 image=$2
shift 2
cpu=max machine= memory= budget=60 smp=1 model= own_budget=

case $arch in
x86_64) machine=microvm ;;
aarch64) machine=virt cpu=max,sve=off ;; # what QEMU does for SVE is a call per instruction, slower than NEON
*) say "no such architecture: $arch"; usage ;;
esac

# The guest's options are collected at the end of the argument list itself, so that no value is split or expanded.
n=$#
while [ "$n" -gt 0 ]; do
	case $1 in
	--model | --cpu | --machine | --memory | --smp | --budget)
		[ "$n" -ge 2 ] || usage
		case $1 in
		--model) model=$2 ;;
		--cpu) cpu=$2 ;;
		--machine) machine=$2 ;;
		--memory) memory=$2 ;;
		--smp) smp=$2 ;;
		--budget) budget=$2 ;;
		esac
		shift 2
		n=$((n - 2))
		;;
	[a-z]*=*)
		[ "${1%%=*}" != budget_ms ] || own_budget=1
		set -- "$@" -fw_cfg "name=opt/gllm/${1%%=*},string=$(escape "${1#*=}")"
		shift
		n=$((n - 1))
		;;
	*) say "not an option: $1"; usage ;;
	esac
done

[ -r "$image" ] || { say "cannot read $image"; exit 125; }
if [ -n "$model" ]; then
	[ -r "$model" ] || { say "cannot read $model"; exit 125; }
	set -- "$@" -fw_cfg "name=opt/gllm/model,file=$(escape "$model")"
fi
[ -n "$own_budget" ] || set -- "$@" -fw_cfg "name=opt/gllm/budget_ms,string=$((budget * 1000))"
if [ -z "$memory" ]; then # the model lies in RAM once
	memory=$((512 + $(wc -c <"${model:-/dev/null}") / 1048576))M
fi
case $arch in
x86_64) set -- "$@" -device isa-debug-exit,iobase=0xf4,iosize=4 ;;
aarch64) set -- "$@" -semihosting-config enable=on,target=native ;;
esac

command -v "qemu-system-$arch" >/dev/null || { say "no qemu-system-$arch: make deps installs it"; exit 125; }
timeout --foreground "$((budget + 5))" "qemu-system-$arch" -accel tcg -machine "$machine" -cpu "$cpu" -m "$memory" \
	-smp "$smp" -nodefaults -no-user-config -display none -no-reboot -serial stdio -kernel "$image" "$@" </dev/null
status=$?

# The guest's code c arrives as 2c + 3; see board_exit.
case $status in
124) say "ended 5 s after its budget of $budget s"; exit 124 ;;
0) say "the machine went off or was reset without an exit code"; exit 125 ;;
1) say "QEMU failed"; exit 125 ;;
esac
[ $((status % 2)) -eq 1 ] || { say "QEMU ended with status $status"; exit 125; }
exit $(((status - 3) / 2))
