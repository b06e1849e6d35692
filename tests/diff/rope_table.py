#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Prints tests/rope_table.def: cosines and sines of rotations, computed with 60 digits of the standard library's decimal."""
from decimal import Decimal, getcontext

getcontext().prec = 60
HALF_TURN = Decimal("3.14159265358979323846264338327950288419716939937510582097494459230781640628620899862803482534")


def sin_cos(x):
    x = x % (2 * HALF_TURN)
    if x > HALF_TURN:
        x -= 2 * HALF_TURN
    out = []
    for term, k in ((x, 1), (Decimal(1), 0)):
        total = Decimal(0)
        while abs(term) > Decimal("1e-55"):
            total += term
            k += 2
            term = -term * x * x / (k * (k - 1))
        out.append(total)
    return out


ROWS = [(10000, p, d, i) for p in (1, 2, 7, 63, 511, 2047) for d in (8, 64, 128) for i in (0, 1, d // 4, d // 2 - 1)]
ROWS += [(t, p, d, i) for t in (500000, 1000000) for p in (4095, 8191, 131071, 1048575, 1048576)
         for d in (64, 128) for i in (0, 1, 5, d // 4, d // 2 - 1)]
ROWS += [(t, p, 96, i) for t in (1, 2, 10**30) for p in (355, 103993, 833719) for i in (0, 1, 17, 47)]
ROWS += [(10000, p, 128, i) for p in (16777216, 2147483647) for i in (0, 1, 2, 40)]

print("/* SPDX-License-Identifier: MIT")
print(" * Printed by tests/diff/rope_table.py: theta, position, rotated dimensions, i, cosine, sine. */")
print("#define ROPE_ROWS(R) \\")
for n, (theta, position, dims, i) in enumerate(ROWS):
    angle = Decimal(position) * (Decimal(theta).ln() * Decimal(-2 * i) / dims).exp()
    s, c = sin_cos(angle)
    end = " \\" if n + 1 < len(ROWS) else ""
    print(f"\tR({float(theta)!r}, {position}u, {dims}, {i}, {float(c)!r}, {float(s)!r}){end}")
