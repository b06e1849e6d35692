#!/bin/sh
# SPDX-License-Identifier: MIT
# The hosted tool's arguments: what is no number, is out of its range or means nothing to a command ends in exit code 2 before
# anything is done. arguments.sh GLLM
gllm=$1
cd "$(dirname "$0")/.." || exit 1
passed=0 failed=0
is() { # words, got, want
	if [ "$2" = "$3" ]; then passed=$((passed + 1)); else failed=$((failed + 1)); echo "FAIL arguments: $1: got $2, want $3"; fi
}
refused() {
	out=$($gllm "$@" 2>/dev/null)
	is "$* ends with" "$?" 2
	is "$* prints" "$out" ""
}
for n in -1 x 3x '' ' 3' 99999999999999999999; do refused run -n "$n"; done
refused run -n 3 --seed abc
refused run -n 3 --top-k 4294967296
refused run -n 3 --temp warm
refused run -n 3 --top-p nan
refused run -n 3 -t two
refused run -n 3 -t
refused logits --tokens 1,2x
refused logits --tokens -1
refused logits --tokens "$(seq -s , 513)"
refused explain --rows 0
refused explain --rows many
refused disasm --stages 3 examples/mlp.graph
for c in "trace silu" inspect disasm "logits --tokens 1" "dequant q8_0" "record $gllm"; do refused $c --json; done
is "nothing generated is first after" "$($gllm run -n 0 --json 2>&1 | sed -n 's/.*"first_token_ms": \([0-9.]*\),.*/\1/p')" 0.000
is "three tokens" "$($gllm run -n 3 --seed 18446744073709551615 --temp 0.5 --top-k 4 --json 2>/dev/null | wc -l)" 3
is "logits of two tokens" "$($gllm logits --tokens 1,2 | wc -l)" 1024
echo "$passed passed, $failed failed, 0 skipped"
[ $failed = 0 ]
