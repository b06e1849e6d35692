#!/bin/sh
# SPDX-License-Identifier: MIT
# The suites on this machine's own CPU: everything it has, capped to AVX2 (or NEON), capped to scalar.
check=$1
cd "$(dirname "$0")/.." || exit 1
model=
[ -r ../shared/models/stories260K-f32.gguf ] && model="-m ../shared/models/stories260K-f32.gguf"
[ -r models/story.gguf ] && [ -z "$model" ] && model="-m models/story.gguf"
case $(uname -m) in x86_64) caps="avx512 avx2 scalar" ;; *) caps="sve neon scalar" ;; esac
bad=0
for cap in $caps; do
	echo "-- native, capped to $cap"
	$check $model -i $cap || bad=1
done
exit $bad
