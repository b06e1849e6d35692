#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs every part of the tests and adds up their closing lines ("... N passed, N failed, N skipped").
make=${1:-make} jit=${2:-1}
cd "$(dirname "$0")/.." || exit 1
mkdir -p build
log=build/check.log
: >$log
parts="check-deps check-symbols check-host check-recorded check-user check-system check-diff check-sanitize"
[ "$jit" = 1 ] || parts="check-deps check-host check-user"
broken=0
for part in $parts; do
	echo "== $part" | tee -a $log
	# The exit status of make, not of tee.
	{ $make -s -j"$(nproc)" "$part" JIT="$jit" 2>&1; echo "status $part $?"; } | tee -a $log | grep -v '^status '
	grep -q "^status $part 0\$" $log || broken=$((broken + 1))
done
# A part that ended badly without counting a failure of its own counts as one.
awk -v broken=$broken '
	/[0-9]+ passed, [0-9]+ failed/ {
		for (i = 1; i < NF; i++) {
			if ($(i + 1) ~ /^passed/) p += $i
			if ($(i + 1) ~ /^failed/) f += $i
			if ($(i + 1) ~ /^skipped/) s += $i
		}
	}
	END { if (broken > 0 && f == 0) f = broken; printf "%d passed, %d failed, %d skipped\n", p, f, s; exit f > 0 }' $log
