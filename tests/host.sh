#!/bin/sh
# SPDX-License-Identifier: MIT
# The suites on this machine's own CPU: everything it has, capped to AVX2 (or NEON), capped to scalar. host.sh BUILD_FOLDER
b=$1/$(uname -m)
cd "$(dirname "$0")/.." || exit 1
model=
[ -r ../shared/models/stories260K-f32.gguf ] && model="-m ../shared/models/stories260K-f32.gguf"
[ -r models/story.gguf ] && [ -z "$model" ] && model="-m models/story.gguf"
case $(uname -m) in x86_64) caps="avx512 avx2 scalar" ;; *) caps="sve neon scalar" ;; esac
bad=0
# As many at a time as there are cores; told in order.
echo $caps | tr ' ' '\n' | xargs -P "$(nproc)" -I CAP sh -c "$b/check $model -i CAP >$b/host-CAP.log 2>&1" || bad=1
for cap in $caps; do
	echo "-- native, capped to $cap"
	cat "$b/host-$cap.log"
done
exit $bad
