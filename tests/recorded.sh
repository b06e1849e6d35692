#!/bin/sh
# SPDX-License-Identifier: MIT
# The suites with traces recorded at build time: with text that can be read, where hashes must agree, and with text
# withheld, where nothing can be lifted. recorded.sh BUILD_FOLDER
b=$1
cd "$(dirname "$0")/.." || exit 1
model=
[ -r ../shared/models/stories260K-f32.gguf ] && model="-m ../shared/models/stories260K-f32.gguf"
bad=0
# A program whose operators lie elsewhere than recorded must not pass for the one that was recorded.
if "$b/gllm" record --same "$b/x86_64/recorded.c" "$b/aarch64/check-recorded" 2>/dev/null; then
	echo "FAIL: operators that moved were not noticed"
	echo "0 passed, 1 failed, 0 skipped"
	bad=1
else
	echo "1 passed, 0 failed, 0 skipped"
fi
# told ARCH: the suites of that build.
told() {
	arch=$1 worst=0 run=
	if [ "$arch" != "$(uname -m)" ]; then
		run="qemu-$arch -cpu max"
		command -v "qemu-$arch" >/dev/null || { echo "skip $arch: no qemu-$arch"; echo "0 passed, 0 failed, 1 skipped"; return 0; }
	fi
	for suite in record ops layers random_graph llama story; do
		echo "-- $arch, $suite, text withheld"
		$run "$b/$arch/check-recorded" $model -x -f $suite || worst=1
	done
	echo "-- $arch, text readable"
	$run "$b/$arch/check-recorded" -f record || worst=1
	return $worst
}
told x86_64 >"$b/recorded-x86_64.log" 2>&1 & first=$!
told aarch64 >"$b/recorded-aarch64.log" 2>&1 || bad=1
wait $first || bad=1
cat "$b/recorded-x86_64.log" "$b/recorded-aarch64.log"
exit $bad
