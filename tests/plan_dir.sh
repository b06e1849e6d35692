#!/bin/sh
# SPDX-License-Identifier: MIT
# Compiled plans as files: loaded when whole, replaced when cut, damaged or foreign, sound with many writers at once.
# plan_dir.sh GLLM
gllm=$1
cd "$(dirname "$0")/.." || exit 1
dir=$(mktemp -d) passed=0 failed=0
trap 'rm -rf "$dir"' EXIT
is() { # words, got, want
	if [ "$2" = "$3" ]; then passed=$((passed + 1)); else failed=$((failed + 1)); echo "FAIL plan_dir: $1: got $2, want $3"; fi
}
counts() { # "kernels compiled, plans loaded" of a run
	$gllm run --unmeasured -p Once -n 4 --cache "$dir" --json 2>&1 >/dev/null | tr ',' '\n' | sed -n 's/.*"kernels": //p; s/.*"plans_loaded": //p' | tr '\n' ' '
}
first=$(counts) files=$(ls "$dir" | wc -l)
case $first in
"0 0 ") echo "skip plan_dir: nothing is compiled here"; echo "0 passed, 0 failed, 1 skipped"; exit 0 ;;
esac
is "plans loaded from an empty folder" "${first#* }" "0 "
is "a second run" "$(counts)" "0 $files "
for f in "$dir"/*.plan; do
	truncate -s -8 "$f"
	break
done
again=$(counts)
is "plans loaded beside one that is cut" "${again#* }" "$((files - 1)) "
is "after it was replaced" "$(counts)" "0 $files "
for f in "$dir"/*.plan; do printf 'x' | dd of="$f" bs=1 seek=200 conv=notrunc 2>/dev/null; done
is "all damaged" "$(counts)" "$first"
for f in "$dir"/*.plan; do : >"$f"; done
is "all empty" "$(counts)" "$first"
want=$($gllm run --unmeasured -p Once -n 12 2>/dev/null)
rm -f "$dir"/*
for i in 1 2 3 4 5 6 7 8; do
	{ [ $((i % 3)) = 0 ] && for f in "$dir"/*.plan; do printf '\377' | dd of="$f" bs=1 seek=$((i * 50)) conv=notrunc 2>/dev/null; done
	$gllm run --unmeasured -p Once -n 12 --cache "$dir" >"$dir/out$i" 2>/dev/null; } &
done
wait
for i in 1 2 3 4 5 6 7 8; do is "writer $i of eight" "$(cat "$dir/out$i")" "$want"; done
is "files left half written" "$(ls "$dir" | grep -c 'plan\.')" 0
$gllm run --unmeasured -p Once -n 4 --cache /nonexistent/folder >/dev/null 2>&1
is "a folder that is not there" $? 0
echo "$passed passed, $failed failed, 0 skipped"
[ $failed = 0 ]
