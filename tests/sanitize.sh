#!/bin/sh
# SPDX-License-Identifier: MIT
# The suites with AddressSanitizer and UndefinedBehaviorSanitizer. Scalar definitions, those of check_lift.c and of fixtures/user_ops.c included, are
# never sanitised (they are the compiler's input); memcpy and its kin are the system's, whose accesses the sanitisers check.
# sanitize.sh MAKE BUILD_FOLDER
make=$1 b=$2/sanitize
cd "$(dirname "$0")/.." || exit 1
mkdir -p "$b"
# -w: a plain build is the one that has no warnings.
flags="-g -O1 -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer -w"
if ! echo 'int main(void) { return 0; }' | gcc $flags -no-pie -x c - -o "$b/try" 2>/dev/null; then
	echo "skip: the compiler has no sanitisers here"
	echo "0 passed, 0 failed, 1 skipped"
	exit 0
fi
check=$b/$(uname -m)/check
$make -s -j"$(nproc)" B="$b" SANITIZE="$flags" "$check" || exit 1
# Else the sanitisers would not see what the library copies.
if nm "$check" | grep -q ' T memcpy'; then
	echo "sanitize: the library's own memcpy is linked"
	exit 1
fi
model=
[ -r ../shared/models/stories260K-f32.gguf ] && model="-m ../shared/models/stories260K-f32.gguf"
ASAN_OPTIONS=detect_leaks=0 "$check" $model
