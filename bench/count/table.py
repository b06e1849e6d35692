#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The table of bench-count: instructions per unit of work, compiled code beside gcc's, and that for F16 tensors, which the
definitions do not have. usage: table.py FOLDER"""
import sys

COLUMNS = ["neon", "neon_gcc", "sve", "sve_gcc", "neon_f16", "sve_f16"]


def rows(path):
    """{operator: (work, unit, instructions)}, the cost of the marks taken off."""
    lines = [l.split() for l in open(path)]
    cost = int(lines[0][3])
    return {op: (int(work), unit, int(n) - cost) for op, work, unit, n in lines[1:]}


def main():
    table = {c: rows("%s/%s.txt" % (sys.argv[1], c)) for c in COLUMNS}
    print("instructions per unit    %9s %9s %8s   %9s %9s %8s   %9s %9s" % (
        "NEON", "gcc -O3", "gcc/ours", "SVE-256", "gcc -O3", "gcc/ours", "NEON F16", "SVE F16"))
    fewer = 0
    for op, (_, unit, _) in table["neon"].items():
        n = {c: table[c][op][2] / table[c][op][0] for c in COLUMNS}
        ratio = [n[c + "_gcc"] / n[c] for c in ("neon", "sve")]
        fewer += min(ratio) >= 1
        print("%-16s %-7s %9.3f %9.3f %8.2f   %9.3f %9.3f %8.2f   %9.3f %9.3f" % (
            op, unit, n["neon"], n["neon_gcc"], ratio[0], n["sve"], n["sve_gcc"], ratio[1], n["neon_f16"], n["sve_f16"]))
    print("%d of %d operators execute no more instructions than gcc's on both" % (fewer, len(table["neon"])))


if __name__ == "__main__":
    main()
