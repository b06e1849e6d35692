#!/bin/sh
# SPDX-License-Identifier: MIT
# The include rule of the folders, and words that mean unfinished work. Prints each offence; "1 passed" or "1 failed".
cd "$(dirname "$0")/.." || exit 1
bad=0
# folder: what its files may include, as an extended regular expression over the quoted path
rule() {
	dir=$1 allowed=$2
	[ -d "$dir" ] || return 0
	out=$(grep -rnE '^[[:space:]]*#[[:space:]]*include[[:space:]]*"' "$dir" --include='*.[chS]' --include='*.def' |
		grep -vE "\"($allowed)" || true)
	system=$(grep -rnE '^[[:space:]]*#[[:space:]]*include[[:space:]]*<' "$dir" --include='*.[chS]' |
		grep -vE '<(stddef|stdint|stdbool|stdarg|limits|float)\.h>' || true)
	[ -z "$out$system" ] || { printf '%s\n' "$out" "$system" | sed '/^$/d; s/^/forbidden include: /'; bad=1; }
}
rule include 'gllm/'
rule core 'gllm/|core/'
rule ops 'gllm/|core/|ops/'
rule jit 'gllm/|core/|jit/'
rule arch/x86_64 'gllm/|core/|arch/x86_64/'
rule arch/aarch64 'gllm/|core/|arch/aarch64/'
rule infer 'gllm/|core/|ops/|infer/'
words=$(grep -rniE 'placeholder|stub for now|hardcoded fallback' include core ops jit arch infer tools qemu tests bench ldscripts \
	--include='*.[chS]' --include='*.def' --include='*.ld' --include='*.py' | grep -v '^tests/deps.sh' || true)
[ -z "$words" ] || { printf '%s\n' "$words" | sed 's/^/forbidden word: /'; bad=1; }
spdx=$(git ls-files '*.c' '*.h' '*.S' '*.def' '*.sh' '*.py' '*.ld' '*.mk' Makefile 2>/dev/null | while read -r f; do
	[ -e "$f" ] && ! head -3 "$f" | grep -q 'SPDX-License-Identifier: MIT' && echo "no SPDX line: $f"; done)
[ -z "$spdx" ] || { echo "$spdx"; bad=1; }
isa=$(grep -rnE '^[[:space:]]*#[[:space:]]*if.*(__x86_64__|__aarch64__|__AVX|__ARM)' jit ops || true)
[ -z "$isa" ] || { echo "$isa" | sed 's/^/ISA knowledge outside arch: /'; bad=1; }
echo "deps: $((1 - bad)) passed, $bad failed"
exit $bad
