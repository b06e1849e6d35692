#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs the benchmark; JSON lines go to build/bench/, the table to the screen. MODEL names another model.
bench=$1
cd "$(dirname "$0")/.." || exit 1
mkdir -p build/bench
model=${MODEL:-}
for m in ../shared/models/stories260K-f32.gguf models/story.gguf; do
	[ -z "$model" ] && [ -r $m ] && model=$m
done
"$bench" ${model:+-m "$model"} -r "${ROUNDS:-9}" >build/bench/bench.json
