#!/bin/sh
# SPDX-License-Identifier: MIT
# Beside other libraries, each part in one process: products of matrices (OpenBLAS, BLIS, oneDNN, libxsmm) and elementwise operators,
# norms, products with epilogues (SLEEF, gcc with libmvec, oneDNN). peers.sh FOLDER; JSON lines go to build/bench/, tables to the
# screen. ROUNDS, THREADS, SHAPES (a list like "128x4096x4096T 64x64x64", T: weights stored N x K) and PARTS (p products, m maps,
# f fusion) may be given.
b=$1
cd "$(dirname "$0")/.." || exit 1
mkdir -p build/bench
parts=${PARTS:-pmf}
bad=0
case $parts in *p*) "$b/peers" -r "${ROUNDS:-9}" -t "${THREADS:-1}" ${SHAPES:-} >build/bench/peers.json || bad=1 ;; esac
case $parts in *[mf]*) "$b/maps" -r "${ROUNDS:-9}" -p "$parts" >build/bench/maps.json || bad=1 ;; esac
# What the arithmetic allows, beside what was measured.
mca=$(command -v llvm-mca-16 || command -v llvm-mca)
case $parts$(uname -m) in
*m*x86_64)
	if [ -n "$mca" ]; then
		python3 bench/maps/bound.py "$mca" "$b/gllm" build/bench/maps.json >&2 || bad=1
	else
		echo "bench-peers: llvm-mca is missing (apt-get install llvm): arithmetic bounds are left out" >&2
	fi
	;;
esac
exit $bad
