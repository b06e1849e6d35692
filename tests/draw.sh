#!/bin/sh
# SPDX-License-Identifier: MIT
# What explain draws is well formed and complete: JSON that parses, every group in each picture. draw.sh GLLM
gllm=$1
cd "$(dirname "$0")/.." || exit 1
passed=0 failed=0
is() { # words, got, want
	if [ "$2" = "$3" ]; then passed=$((passed + 1)); else failed=$((failed + 1)); echo "FAIL draw: $1: got $2, want $3"; fi
}
for f in examples/*.graph; do
	steps=$($gllm explain "$f" | sed -n 's/.* rows, .* \([0-9]*\) steps.*/\1/p')
	is "$f --json steps" "$($gllm explain "$f" --json | python3 -c 'import json, sys; print(len(json.load(sys.stdin)["steps"]))')" "$steps"
	groups=$($gllm explain "$f" --json | python3 -c 'import json, sys; print(len({s["group"] for s in json.load(sys.stdin)["steps"]}))')
	is "$f --dot groups" "$($gllm explain "$f" --dot | grep -c 'subgraph cluster_p0g')" "$groups"
	is "$f --dot brackets" "$($gllm explain "$f" --dot | tr -cd '{' | wc -c)" "$($gllm explain "$f" --dot | tr -cd '}' | wc -c)"
	is "$f --svg groups" "$($gllm explain "$f" --svg | python3 -c '
import sys, xml.etree.ElementTree as x
print(sum(e.get("rx") == "4" for e in x.parse(sys.stdin).iter()))')" "$groups"
done
echo "$passed passed, $failed failed, 0 skipped"
[ $failed = 0 ]
