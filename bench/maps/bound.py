#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Arithmetic bounds of elementwise operators and norms on x86-64, as llvm-mca states them for the code that is compiled here.

usage: bound.py LLVM_MCA GLLM MAPS_JSON     MAPS_JSON: what bench/maps has measured, the clock among it

Of each operator's code the innermost loops are taken, one for each pass over a row, and their cycles added up. A turn handles as
many vectors as it stores or, if it stores none, loads from where pointers move. The rate counts 8 bytes per element, as maps
does, at the clock that a chain of multiplications had in the same run; beside it what was measured from 64 KiB and 256 MiB."""
import json, os, re, subprocess, sys

OPERATORS = {name: "%s(x, 4096)" % name for name in ("exp", "tanh", "gelu", "silu", "softmax")}
OPERATORS |= {"rms_norm": "rms_norm(x, g, 4096, 0.00001)", "layer_norm": "layer_norm(x, g, b, 4096, 0.00001)"}
GRAPH = "graph bound rows 1\ninput x [2, 4096]\n%soutput y [2, 4096]\ny = %s per 2\n"
TURNS = 200


def model(tool):
    """The core that llvm-mca knows this machine's best by; what it says of an older one may be surpassed."""
    info = open("/proc/cpuinfo").read()
    flags = set(re.search(r"flags\s*: (.*)", info)[1].split())
    if "AuthenticAMD" in info:
        known = subprocess.run([tool, "-mtriple=x86_64", "-mcpu=help"], input="", capture_output=True, text=True).stderr
        zen5 = int(re.search(r"cpu family\s*: (\d+)", info)[1]) >= 26
        return "znver5" if zen5 and "znver5" in known else "znver4" if "avx512f" in flags else "znver3"
    return "sapphirerapids" if "avx512_fp16" in flags else "icelake-server" if "avx512f" in flags else "haswell"


def inner_loops(text):
    code = [(int(m[1], 16), m[2]) for m in re.finditer(r"^ +([0-9a-f]+)  (.*)$", text, re.M)]
    backs = [(int(t[1], 16), at) for at, i in code if (t := re.match(r"j\w+ 0x([0-9a-f]+)", i)) and int(t[1], 16) < at]
    for start, end in backs:
        if not any(start <= s and e < end for s, e in backs):
            yield [i for at, i in code if start <= at <= end]


def vectors(turn):
    """In units of 64 bytes."""
    moving = [i for i in turn if re.search(r"[yz]mmword ptr \[r(?!sp)", i)]
    stores = [i for i in moving if re.match(r"v\w+ [yz]mmword", i)]
    return sum(1 if "zmmword" in i else 0.5 for i in stores or moving)


def cycles(tool, cpu, turn):
    asm = ".intel_syntax noprefix\n1:\n" + "\n".join(turn[:-1]) + "\njne 1b\n"
    done = subprocess.run([tool, "-mtriple=x86_64", "-mcpu=" + cpu, "-iterations=%d" % TURNS], input=asm, capture_output=True, text=True)
    if done.returncode:
        sys.exit("llvm-mca: " + done.stderr)
    return float(re.search(r"Total Cycles:\s+(\d+)", done.stdout)[1]) / TURNS


def main():
    tool, gllm, measured = sys.argv[1:]
    rows = {r["row"]: r["rate"] for r in map(json.loads, open(measured)) if "rate" in r}
    cpu, clock = model(tool), rows["clock"]
    path = os.path.join(os.path.dirname(measured), "bound.graph")
    print("bounds by llvm-mca for %s, at %.2f GHz       64 KiB         256 MiB" % (cpu, clock))
    for name, call in OPERATORS.items():
        weights = "".join("weight %s [1, 4096]\n" % w for w in ("g", "b") if " %s," % w in call)
        open(path, "w").write(GRAPH % (weights, call))
        text = subprocess.run([gllm, "disasm", "--unmeasured", path], capture_output=True, text=True, check=True).stdout
        each = sum(cycles(tool, cpu, turn) / vectors(turn) for turn in inner_loops(text) if vectors(turn))
        bound = 128 * clock / each
        parts = ["%6.1f %3.0f %%" % (rows[k], 100 * rows[k] / bound) if k in rows else "" for k in (name + " 64 KiB", name + " 256 MiB")]
        print("%-11s %5.1f cycles per 16 elements %6.1f GB/s %s   %s" % (name, each, bound, *parts))


main()
