#!/bin/sh
# SPDX-License-Identifier: MIT
# The suites with AddressSanitizer and UndefinedBehaviorSanitizer. Scalar definitions, those of check_lift.c and of fixtures/user_ops.c included, are
# never sanitised (they are the compiler's input); memcpy and its kin are the system's, whose accesses the sanitisers check.
b=${1:-build}
cd "$(dirname "$0")/.." || exit 1
out=$b/sanitize
mkdir -p "$out"
arch=$(uname -m)
flags="-g -O1 -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer -fno-pic -fno-pie -Iinclude -I. -DGLLM_JIT=1"
if ! echo 'int main(void) { return 0; }' | gcc $flags -no-pie -x c - -o "$out/try" 2>/dev/null; then
	echo "skip: the compiler has no sanitisers here"
	echo "0 passed, 0 failed, 1 skipped"
	exit 0
fi
objects=
compile() {
	o=$out/$(echo "$1" | tr / _).o
	objects="$objects $o"
	[ "$o" -nt "$1" ] && [ -z "$(find include core jit arch infer tests tools -name '*.[hd]*' -newer "$o" -print -quit)" ] && return
	case $1 in *.S) gcc -Iinclude -I. -c "$1" -o "$o" || exit 1; return ;; esac
	gcc -std=gnu11 $flags -c "$1" -o "$o" || exit 1
}
for f in core/*.c jit/*.c infer/*.c arch/*/*.c arch/$arch/native/*.[cS] tests/check*.c tests/fixtures/user_table.c tests/hosted.c tests/no_records.c tools/host.c; do
	case $f in core/mem.c | jit/emitter.c | tests/check_lift.c) continue ;; esac
	compile "$f"
done
make -s -j"$(nproc)" "$b/$arch/libgllm.a" "$b/$arch/tests/check_lift.o" "$b/$arch/tests/fixtures/user_ops.o" "$b/$arch/models/story.o" "$b/$arch/examples/examples.o" || exit 1
ops=$(ls "$b/$arch"/ops/*.o "$b/$arch/tests/check_lift.o" "$b/$arch/tests/fixtures/user_ops.o" "$b/$arch/models/story.o" \
	"$b/$arch/examples/examples.o" "$b/$arch/jit/emitter.o")
gcc $flags -no-pie $objects $ops -lpthread -o "$out/check" || exit 1
model=
[ -r ../shared/models/stories260K-f32.gguf ] && model="-m ../shared/models/stories260K-f32.gguf"
ASAN_OPTIONS=detect_leaks=0 "$out/check" $model
