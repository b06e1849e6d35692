#!/bin/sh
# SPDX-License-Identifier: MIT
# Products of matrices beside OpenBLAS, BLIS, oneDNN and libxsmm in one process; JSON lines go to build/bench/, the table to the
# screen. ROUNDS, THREADS, and SHAPES (a list like "128x4096x4096T 64x64x64", T: weights stored N x K) may be given.
peers=$1
cd "$(dirname "$0")/.." || exit 1
mkdir -p build/bench
"$peers" -r "${ROUNDS:-9}" -t "${THREADS:-1}" ${SHAPES:-} >build/bench/peers.json
