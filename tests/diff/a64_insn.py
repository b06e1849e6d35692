#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compares the AArch64 table with LLVM's assembler and disassembler.

usage: a64_insn.py A64_INSN [--llvm-mc LLVM_MC] [--count N] [--words N] [--seed S]

1. Random instances of every row: LLVM assembles our text to our bytes, and disassembles our bytes to our text.
2. Random words: what the table accepts LLVM accepts too, and spells alike. How many words only LLVM knows is printed.
The last line is `N passed, N failed`; the exit code is 1 if anything failed."""
import argparse, random, re, subprocess, sys

# Named one by one: not every version knows +all.
ARGS = ["-triple=aarch64", "-mattr=+v8.6a,+sve2,+fullfp16,+dotprod,+bf16,+i8mm,+fp16fml,+spe,+tracev8.4"]


def run(command, text):
    return subprocess.run(command, input=text, capture_output=True, text=True)


def follower(text):
    """What may stand behind: after movprfx an instruction with the same destination, else nop."""
    m = re.match(r"movprfx z(\d+)", text)
    return "fsqrt z%s.s, p0/m, z%d.s" % (m[1], (int(m[1]) + 1) % 32) if m else "nop"


def assemble(llvm_mc, texts):
    """Bytes of each text as an int, or the error message."""
    done = run([llvm_mc, *ARGS, "-show-encoding"], "".join("%s\n%s\n" % (t, follower(t)) for t in texts))
    errors = {}
    for line in done.stderr.splitlines():
        m = re.match(r"<stdin>:(\d+):\d+: error: (.*)", line)
        if m:
            errors.setdefault((int(m[1]) - 1) // 2, m[2])
    words = [int.from_bytes(bytes(int(b, 16) for b in m[1].split(",")), "little")
             for m in re.finditer(r"encoding: \[([^\]]*)\]", done.stdout) if "A" not in m[1]]
    result = []
    words.reverse()
    for i in range(len(texts)):
        result.append(errors[i] if i in errors else words.pop() if words else "no bytes")
        if words:
            words.pop()
    return result


def disassemble(llvm_mc, words):
    """Text of each word, or None. An invalid word is skipped by the tool, so a known one is put behind each."""
    mark = 0xd4200000 | 0xabcd << 5
    lines = "".join(" ".join("0x%02x" % (w >> s & 255) for s in (0, 8, 16, 24)) + "\n"
                    for word in words for w in (word, mark))
    out, pending = [], None
    for line in run([llvm_mc, *ARGS, "-disassemble"], lines).stdout.splitlines():
        line = re.sub(r"//.*", "", line).strip()
        if not line or line.startswith("."):
            continue
        if re.fullmatch(r"brk\s+#(0xabcd|43981)", line):
            out.append(pending)
            pending = None
        else:
            pending = line
    return out


def number(m):
    v = int(m[1], 0) & (1 << 64) - 1
    return "#%d" % (v - (1 << 64) if v >> 63 else v)


def normal(text):
    """One spelling: no optional blanks, numbers decimal and signed, floats short, targets marked as numbers."""
    text = re.sub(r"\s+", " ", text.lower().replace("{ ", "{").replace(" }", "}"))
    text = re.sub(r"(?<![#\w.])(0x[0-9a-f]+)", r"#\1", text)
    text = re.sub(r"#(-?\d+\.\d+)", lambda m: "#%g" % float(m[1]), text)
    text = re.sub(r"#(-?(?:0x[0-9a-f]+|\d+))(?![\d.x])", number, text)
    return text


def alike(ours, theirs):
    """System registers and barriers have more names than the table knows; those are compared as numbers only."""
    if theirs is None:
        return False
    ours, theirs = normal(ours), normal(theirs)
    if re.search(r"\bs\d_\d_c\d+_c\d+_\d\b", ours):
        return ours.split(" ")[0] == theirs.split(" ")[0]
    return ours == theirs or (ours, theirs) == ("dsb #12", "dfb")


def main():
    p = argparse.ArgumentParser()
    p.add_argument("tool")
    p.add_argument("--llvm-mc", default="llvm-mc-16")
    p.add_argument("--count", type=int, default=16)
    p.add_argument("--words", type=int, default=20000)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--show", type=int, default=20)
    a = p.parse_args()
    passed, failures = 0, []

    rows = run([a.tool, "instances", str(a.count), str(a.seed)], "").stdout.splitlines()
    words, texts, numbers = [], [], []
    for line in rows:
        row, word, text = line.split(" ", 2)
        if word.startswith("-"):
            failures.append(line)
            continue
        numbers.append(row), words.append(int(word, 16)), texts.append(text)
    for row, word, text, got in zip(numbers, words, texts, assemble(a.llvm_mc, texts)):
        if got == word:
            passed += 1
        else:
            failures.append("assemble: row %s %08x %s: %s" % (row, word, text, got if isinstance(got, str) else "%08x" % got))
    for row, word, text, got in zip(numbers, words, texts, disassemble(a.llvm_mc, words)):
        if alike(text, got):
            passed += 1
        else:
            failures.append("disassemble: row %s %08x ours %s, LLVM %s" % (row, word, normal(text), got and normal(got)))

    rng = random.Random(a.seed)
    words = [rng.getrandbits(32) for _ in range(a.words)]
    ours = [line.split(" ", 1)[1] for line in run([a.tool, "decode"], "".join("%08x\n" % w for w in words)).stdout.splitlines()]
    unknown = 0
    for word, text, got in zip(words, ours, disassemble(a.llvm_mc, words)):
        if text == "-":
            unknown += got is not None
        elif alike(text, got):
            passed += 1
        else:
            failures.append("random word %08x: ours %s, LLVM %s" % (word, normal(text), got and normal(got)))

    for line in failures[:a.show]:
        print(line)
    print("%d random words of %d are instructions that only LLVM knows" % (unknown, len(words)))
    print("%d passed, %d failed" % (passed, len(failures)))
    return 1 if failures else 0


sys.exit(main())
