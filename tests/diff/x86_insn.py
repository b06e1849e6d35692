#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compares the x86-64 table with LLVM's assembler and disassembler.

usage: x86_insn.py X86_INSN [--llvm-mc LLVM_MC] [--count N] [--strings N] [--seed S]

1. Random instances of every row: LLVM disassembles our bytes to our text, and assembles our text to our bytes. Where it
   prefers another form, its bytes must decode to the same text in our table, and not be longer.
2. Random bytes: what the table accepts LLVM accepts too, with the same length and spelling.
The last line is `N passed, N failed`; the exit code is 1 if anything failed."""
import argparse, random, re, subprocess, sys

ARGS = ["-triple=x86_64", "-mcpu=sapphirerapids", "--output-asm-variant=1"]
PREDICATE = dict(zip("eq lt le unord neq nlt nle ord eq_uq nge ngt false neq_oq ge gt true eq_os lt_oq le_oq unord_s neq_us "
                     "nlt_uq nle_uq ord_s eq_us nge_uq ngt_uq false_os neq_os ge_oq gt_oq true_us".split(), range(32)))
INTEGER = dict(eq=0, lt=1, le=2, neq=4, nlt=5, nle=6)


def run(command, text):
    done = subprocess.run(command, input=text, capture_output=True, text=True)
    return done.stdout, done.stderr


def hex_lines(strings):
    return "".join(" ".join("0x" + s[i:i + 2] for i in range(0, len(s), 2)) + "\n" for s in strings)


def listing(llvm_mc, strings):
    """Text of the first instruction of each string, one invocation; strings are apart by a landmark they cannot hold."""
    mark = "48b8" + "5aa5c33c" * 2          # movabs rax, constant
    out, err = run([llvm_mc, *ARGS, "-disassemble"], hex_lines(x for s in strings for x in (s, "90" * 16, mark)))
    refused = set()
    for m in re.finditer(r"<stdin>:(\d+):\d+: warning: (invalid|potentially undefined)", err):
        refused.add((int(m[1]) - 1) // 3)
    texts, current = [], []
    for line in out.splitlines():
        line = line.split("#")[0].strip()
        if re.match(r"movabs\s+rax, 4378\d+$", line):
            texts.append(current)
            current = []
        elif line and not line.startswith("."):
            current.append(line)
    return texts, refused


def assemble(llvm_mc, texts):
    """Bytes of each text, or the error message."""
    source = "".join("%s\nhlt\n" % t for t in texts)
    out, err = run([llvm_mc, *ARGS, "-x86-asm-syntax=intel", "-show-encoding"], source)
    errors = {}
    for m in re.finditer(r"<stdin>:(\d+):\d+: error: (.*)", err):
        errors.setdefault((int(m[1]) - 1) // 2, m[2])
    codes = []
    current = None
    for m in re.finditer(r"(\S+).*encoding: \[([^\]]*)\]", out):
        if m[1] == "hlt":
            codes.append(current)
            current = None
        else:
            current = m[2].replace("0x", "").replace(",", "")
    return [errors.get(i, c) for i, c in enumerate(codes)]


def predicate(m):
    """Comparisons whose predicate is in the mnemonic."""
    word, kind, rest = m[2], m[3], m[4]
    if m[1].startswith("vpcmp"):
        value = INTEGER.get(word)
    else:
        value = PREDICATE.get(word)
    return m[0] if value is None else "%s%s %s, %d" % (m[1], kind, rest, value)


def plain(text):
    """One spelling: prefixes and spaces, predicates, shifts by one, an index alone or empty, exchanges."""
    text = re.sub(r"\{evex\}\s*|\{vex\}\s*", "", text.replace("\t", " "))
    text = re.sub(r" +", " ", text).strip()
    text = re.sub(r"^(v?cmp|vpcmp)([a-z]+(?:_[a-z]+)?)(p[sdh]|s[sdh]) (.*)$", predicate, text)
    text = re.sub(r"^(vpcmp)(eq|lt|le|neq|nlt|nle)(u?[bwdq]) ((?:k).*)$", predicate, text)
    text = re.sub(r"0x([0-9a-f]+)", lambda m: str(int(m[1], 16)), text)
    text = re.sub(r"^((?:ro|rc|sh|sa)[lr] .*), 1$", r"\1", text)
    text = re.sub(r"^xchg (.*), (.*)$", lambda m: "xchg %s, %s" % tuple(sorted(m.groups())), text)
    text = re.sub(r" \+ (\d\*)?riz", "", re.sub(r"\[(\d\*)?riz( \+ | )?(- )?", lambda m: "[" + ("-" if m[3] else ""), text))
    text = text.replace("[1*", "[").replace("xchg ax, ax", "nop").replace("xchg rax, rax", "nop")
    return re.sub(r"^notrack (.* ptr )\[", r"\1ds:[", text)     # LLVM sees the segment in that prefix


def length_matters(code, text):
    """The manual ignores the length of these scalars; LLVM wants it 0."""
    return re.match("v(getexp|scalef|rndscale|fpclass)sh ", text) and code.startswith("62") and int(code[6:8], 16) & 0x60


def same(a, b):
    """Equal, but for the sign an immediate of 8, 16, 32 or 64 bits is printed with."""
    a, b = plain(a), plain(b)
    if a == b:
        return True
    immediate = re.compile(r"(, |^[a-z0-9]+ )(-?\d+)(?=$|,)")
    if immediate.sub(r"\1", a) != immediate.sub(r"\1", b):
        return False
    pairs = zip(immediate.findall(a), immediate.findall(b))
    return all(abs(int(x[1]) - int(y[1])) in (0, 2**8, 2**16, 2**32, 2**64) for x, y in pairs)


def read_decoder(binary, strings):
    out, _ = run([binary, "decode"], "\n".join(strings) + "\n")
    result = []
    for line in out.splitlines():
        length, _, text = line.partition(" ")
        result.append(None if length == "-" else (int(length), text))
    return result


class Count:
    def __init__(self):
        self.passed = self.failed = 0

    def add(self, ok, message):
        if ok:
            self.passed += 1
        else:
            self.failed += 1
            if self.failed <= 40:
                print(message)


def compare_instances(options, count):
    out, _ = run([options.binary, "instances", str(options.count), str(options.seed)], "")
    rows = [line.split("\t") for line in out.splitlines()]
    strings, texts = [r[2] for r in rows], [r[3] for r in rows]
    listed, refused = listing(options.llvm_mc, strings)
    if len(listed) != len(rows):
        sys.exit("x86_insn.py: the disassembler lost a landmark (%d of %d)" % (len(listed), len(rows)))
    for i, (row, lines) in enumerate(zip(rows, listed)):
        got = plain(lines[0]) if lines and i not in refused else "refused"
        count.add(same(got, row[3]) and len(lines) == 17, "%s %s: ours `%s`, LLVM `%s`" % (row[0], row[2], row[3], got))
    spelt = [("{evex} " if r[1] == "2" else "") + r[3] for r in rows]
    near = [i for i, r in enumerate(rows) if not re.match(r"(j\w+|call) (qword ptr \[)?-?(0x)?[0-9a-f]+\]?$", r[3])]  # LLVM wants a symbol
    codes = assemble(options.llvm_mc, [spelt[i] for i in near])
    if len(codes) != len(near):
        sys.exit("x86_insn.py: the assembler lost a landmark")
    again = read_decoder(options.binary, [c if c and re.fullmatch("[0-9a-f]+", c) else "" for c in codes])
    other = 0
    for i, code, dec in zip(near, codes, again):
        if code == strings[i]:
            count.add(True, "")
            continue
        ok = dec is not None and same(dec[1], texts[i]) and dec[0] * 2 == len(code) <= len(strings[i])
        other += ok
        count.add(ok, "%s `%s`: ours %s, LLVM %s" % (rows[i][0], texts[i], strings[i], code))
    print("%d instances of %d rows; LLVM prefers another form of %d" % (len(rows), len({r[0] for r in rows}), other))


def random_string(r):
    b = [r.randrange(256) for _ in range(15)]
    kind = r.randrange(8)
    if kind < 2:
        b[0], b[1] = 0x62, b[1] & 0xf0 | r.choice((1, 2, 3, 5, 6))
        b[2] |= 4
        if r.randrange(2):
            b[3] &= 0x6f
    elif kind == 2:
        b[0], b[1] = 0xc4, b[1] & 0xe0 | r.choice((1, 2, 3))
    elif kind == 3:
        b[0] = 0xc5
    elif kind == 4:
        b[0] = 0x0f
    elif kind == 5:
        b[0], b[1] = r.choice((0x66, 0xf2, 0xf3)), 0x0f
    elif kind == 6:
        b[0], b[1] = 0x40 | b[0] & 15, r.choice((0x0f, b[1]))
    return "".join("%02x" % x for x in b)


def compare_strings(options, count):
    r = random.Random(options.seed)
    strings = [random_string(r) for _ in range(options.strings)]
    ours = read_decoder(options.binary, strings)
    known = [(s[:2 * d[0]], d) for s, d in zip(strings, ours) if d is not None]
    listed, refused = listing(options.llvm_mc, [s for s, _ in known])
    if len(listed) != len(known):
        sys.exit("x86_insn.py: the disassembler lost a landmark")
    for i, ((s, d), lines) in enumerate(zip(known, listed)):
        got = plain(lines[0]) if lines and i not in refused else "refused"
        if lines and lines[0] in ("bnd", "notrack", "repne", "rep"):
            got = plain(lines[0] + " " + lines[1])
            lines = lines[1:]
        if got == "refused" and length_matters(s, d[1]):
            continue
        count.add(same(got, d[1]) and len(lines) == 17, "%s: ours `%s`, LLVM `%s`" % (s, d[1], got))
    print("%d random strings, %d in the table" % (len(strings), len(known)))


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("binary")
    p.add_argument("--llvm-mc", default="llvm-mc-16")
    p.add_argument("--count", type=int, default=8)
    p.add_argument("--strings", type=int, default=20000)
    p.add_argument("--seed", type=int, default=1)
    options = p.parse_args()
    count = Count()
    compare_instances(options, count)
    compare_strings(options, count)
    print("%d passed, %d failed" % (count.passed, count.failed))
    return 1 if count.failed else 0


if __name__ == "__main__":
    sys.exit(main())
