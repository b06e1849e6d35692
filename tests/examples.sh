#!/bin/sh
# SPDX-License-Identifier: MIT
# What README.md shows works as written: the embedding whose operator fuses, the graph as text, the hosted tool's decoder of
# blocks. examples.sh EMBED GLLM
embed=$1 gllm=$2 passed=0 failed=0
cd "$(dirname "$0")/.." || exit 1
is() { # words, got, want
	if [ "$2" = "$3" ]; then passed=$((passed + 1)); else failed=$((failed + 1)); echo "FAIL examples: $1: got $2, want $3"; fi
}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
ones='\001\001\001\001\001\001\001\001'
is "two blocks of q8_0, scale 1" "$(printf "\\000\\074$ones$ones$ones$ones\\000\\074$ones$ones$ones$ones" | $gllm dequant q8_0 |
	od -v -An -tfF | tr -s ' ' '\n' | grep -c '^1$')" 64
$gllm dequant q8_0 </dev/zero 2>&1 | head -c 128 | od -v -An -tx1 | tr -d ' 0\n' >"$dir/zeros"
is "zeros of q8_0" "$(cat "$dir/zeros")" ""
is "half a block" "$(printf '\000\074\001' | $gllm dequant q8_0 2>&1)" "gllm: the input ends within a block of 34 bytes"
for compiler in gcc clang; do
	command -v $compiler >/dev/null || continue
	for f in examples/*.c; do
		is "$f, by $compiler and the public headers alone" "$($compiler -std=c11 -Wall -Wextra -Wconversion -Wshadow -pedantic -Iinclude -fsyntax-only "$f" 2>&1)" ""
	done
done
sed -n '/^graph swiglu /,/^```/p' README.md | sed '$d' >"$dir/readme.graph"
said=$($embed 2>&1)
case $said in
*"no usable vector unit"*) echo "skip examples: nothing is compiled here"; echo "$passed passed, $failed failed, 1 skipped"; [ $failed = 0 ]; exit ;;
esac
is "the example's operator" "$(echo "$said" | grep -c ' gemm_bt+leaky: EpilogueInjection')" 1
is "the example's result" "$(echo "$said" | tail -n 1)" "greatest difference from the scalar definitions: 0"
is "README's graph" "$($gllm explain "$dir/readme.graph" | grep -c ' silu+mul: LoopFusion')" 1
echo "$passed passed, $failed failed, 0 skipped"
[ $failed = 0 ]
