#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Predicted speed of inner loops: what llvm-mca says of compiled code, beside the hand-written yardstick's.

usage: static.py LLVM_MCA NAME=TEXT ...     TEXT: "gllm disasm" output, or objdump -d of a yardstick

The innermost loop with the most vector arithmetic of each text is taken, or a turn of the loop around it. Forward branches inside it count as taken: they
go around what exceptional lanes need. Columns: instructions and cycles of one turn; cycles that the busiest resource
needs (port bound) and what part of the cycles that is; fused products, and what part of the model's own throughput for
independent ones they reach (one of BF16 pairs counts as one and does the work of two, one of tiles that of four; of 8-bit
integers twice as much again). A model is what this LLVM takes
for the core: 16 knows neither the N1 nor the V1 and takes the A57 and the N2. The last line counts, for each core, whether
compiled code reaches 95 % of the yardstick's rate, and whether exp and silu need at most a ninth more cycles than their
port bound. Below: loops of products that load what a turn needs in that turn, and in the turn before (software pipelining);
one that was below 97 % of its port bound must gain a tenth in instructions a cycle. Last: code for a core that starts
instructions in order, on such a model, beside the order that other cores get."""
import re, subprocess, sys

CPUS = ["cortex-a72", "neoverse-n1", "neoverse-v1"]
LATER = ["neoverse-v1"] # cores that have SVE and BF16
PAIRS = [("gemm", "yard_gemm_8x12"), ("gemv_q8", "yard_gemv_q8_k"), ("gemv_q4_k", "yard_gemv_q4_k")]
NESTED = ["gemv_q4_k"] # whose innermost loop is short: a turn of that around it
MAPS = ["exp", "silu"]
IN_ORDER = "cortex-a55"
STAGED = [("cortex-a72", "n1"), ("neoverse-n1", "n1"), ("neoverse-v1", "n1"), ("neoverse-v1", "sve"), ("cortex-a55", "a53")]
TURNS = 200


def instructions(text):
    """[(offset, text, target or None)] per function."""
    functions, current = [], []
    for line in text.splitlines():
        m = re.match(r"\s*([0-9a-f]+):?\s+(?:[0-9a-f]{8}\s+)?(\S.*)", line)
        if not m or re.match(r"\S+: \d+ bytes", line) or line.endswith(">:") or "file format" in line:
            if current:
                functions.append(current)
            current = []
            continue
        body = re.sub(r"\s*(//|<).*", "", m[2]).strip()
        b = re.match(r"((?:b|b\.\w+|cbn?z\s+\w+,|tbn?z\s+\w+,\s*#\d+,)\s*)(?:0x)?([0-9a-f]+)$", body)
        current.append((int(m[1], 16), body, int(b[2], 16) if b else None))
    return functions + [current]


def inner_loops(function):
    backs = [(t, o) for o, _, t in function if t is not None and t <= o]
    for start, end in backs:
        if any(start <= s and e < end for s, e in backs):
            continue
        yield [i for i in function if start <= i[0] <= end]


def taken(loop):
    """One turn: forward branches skip what they go around; the last goes back."""
    turn, skip = [], -1
    for offset, body, target in loop[:-1]:
        if offset < skip:
            continue
        if target is not None:
            skip = target
            body = re.sub(r"(0x)?[0-9a-f]+$", "1f", body)
        turn.append(body)
    return turn + [re.sub(r"(0x)?[0-9a-f]+$", "1b", loop[-1][1])]


def vector_work(turn):
    return sum(bool(re.match(r"(f?(ml[as]|mul|add|sub|div|m?max|min)|(bf|s|u|us|su)(dot|mmla))\S*\s+[vz]", i)) for i in turn)


def busiest(text):
    turns = [taken(l) for f in instructions(text) for l in inner_loops(f)]
    return max(turns, key=vector_work)


def around(text):
    """One turn of the loop around the busiest one, and how many turns of that one are in it."""
    inner, function = max(((l, f) for f in instructions(text) for l in inner_loops(f)), key=lambda x: vector_work(taken(x[0])))
    start, end = inner[0][0], inner[-1][0]
    outer = min(((t, o) for o, _, t in function if t is not None and t <= start and o > end), key=lambda x: x[1] - x[0])
    before = [i for i in function if outer[0] <= i[0] < start]
    after = [i for i in function if end < i[0] <= outer[1]]
    counter = re.match(r"cbnz\s+(\w+)", inner[-1][1])[1]
    times = [int(m[1]) for _, body, _ in before for m in [re.match(r"mov\s+%s, #(\d+)$" % counter, body)] if m][-1]
    once = taken(inner)
    return [body for _, body, _ in before] + times * (once[:-1] + [re.sub("1b$", "1f", once[-1])]) + taken(after), times


def whole(instruction):
    """A load of part of a vector clears the rest, so that it waits for no earlier write; the tool takes it to wait."""
    return re.sub(r"^(ldr\s+)[bhsd](\d+,)", r"\1q\2", instruction)


def mca(tool, cpu, turn):
    asm = "1:\n" + "\n".join(map(whole, turn)) + "\n1:\n"
    done = subprocess.run([tool, "-mtriple=aarch64", "-mcpu=" + cpu, "-iterations=%d" % TURNS], input=asm,
                          capture_output=True, text=True)
    if done.returncode:
        sys.exit("llvm-mca: " + done.stderr)
    value = lambda name: float(re.search(name + r":\s+([\d.]+)", done.stdout)[1])
    return len(turn), value("Total Cycles") / TURNS, max(value("Block RThroughput"), busiest_units(done.stdout))


def busiest_units(text):
    """Cycles per turn for which each unit of a kind is busy on the average, of the kind where that is most. The tool's own
    figure leaves out of a kind's sum what only one of its units can do."""
    names = re.findall(r"^\[([\d.]+)\]\s+- (\S+)", text, re.M)
    busy = re.search(r"Resource pressure per iteration:\n.*\n(.*)", text)[1].split()
    kinds = {}
    for (_, name), cycles in zip(names, busy):
        kind = re.sub(r"^(A57Unit)[WX]$", r"\1V", re.sub(r"(?<=Unit[A-Z])\d$", "", name))
        kinds.setdefault(kind, []).append(0 if cycles == "-" else float(cycles))
    return max(sum(k) / len(k) for k in kinds.values())


def stages(tool, loops):
    """Prints each loop of products in one and in two stages on each core; how many do what they must, and how many do not."""
    failed = 0
    print("loops of products: loads in their own turn, and in the turn before")
    for cpu, code in STAGED:
        for name in ["gemm", "gemv"]:
            one, two = (mca(tool, cpu, loops["%s_%s_%d" % (name, code, s)]) for s in (1, 2))
            ipc, bound = [n / cycles for n, cycles, _ in (one, two)], [port / cycles for _, cycles, port in (one, two)]
            at_bound, gains = bound[0] >= 0.97, ipc[1] >= 1.1 * ipc[0]
            failed += not (at_bound or gains)
            print("  %-12s %-10s %5.2f IPC, port bound %4.0f %%  %5.2f IPC, port bound %4.0f %%  %+4.0f %% IPC%s" % (
                cpu, name + "_sve" * (code == "sve"), ipc[0], 100 * bound[0], ipc[1], 100 * bound[1],
                100 * (ipc[1] / ipc[0] - 1), ", was at its bound" if at_bound else ""))
    return 2 * len(STAGED) - failed, failed


def main():
    tool, passed, failed = sys.argv[1], 0, 0
    text = {name: open(path).read() for name, path in (a.split("=", 1) for a in sys.argv[2:])}
    loops = {name: (around(t) if name in NESTED else (busiest(t), 1)) for name, t in text.items()}
    codes = {name: times * sum(bool(re.match(r"[us]cvtf\s+v\d+\.4s", i)) for i in busiest(text[name])) for name, (_, times) in loops.items()}
    loops = {name: turn for name, (turn, _) in loops.items()}
    free = ["fmla v%d.4s, v0.4s, v1.s[0]" % i for i in range(2, 32)]
    print(subprocess.run([tool, "--version"], capture_output=True, text=True).stdout.splitlines()[0].strip())
    staged = {name: loops.pop(name) for name in list(loops) if name[-2:] in ("_1", "_2")}
    ordered = {name.removesuffix("_ordered"): loops.pop(name) for name in list(loops) if name.endswith("_ordered")}
    for cpu in CPUS:
        rate = 30 / mca(tool, cpu, free)[1]
        print("%-12s %.2f fused products a cycle" % (cpu, rate))
        products = {}
        for name, turn in loops.items():
            if (name.endswith("_sve") or name.startswith(("bf16", "i8"))) and cpu not in LATER:
                continue
            n, cycles, port = mca(tool, cpu, turn)
            fmas = sum(i.startswith(("fmla", "fmls", "fmad", "fmsb", "bfdot", "sdot", "bfmmla", "smmla")) for i in turn)
            print("  %-14s %4d instructions %7.2f cycles  %5.2f IPC  port bound %7.2f %4.0f %%  %3d products %4.0f %%" % (
                name, n, cycles, n / cycles, port, 100 * port / cycles, fmas, 100 * fmas / rate / cycles))
            products[name] = (codes[name] or fmas) / cycles # of codes each is converted once, however it is multiplied
            if name.removesuffix("_sve") in MAPS:
                passed += port >= 0.9 * cycles
                failed += port < 0.9 * cycles
        for ours, yard in PAIRS:
            print("  %s: %.0f %% of %s" % (ours, 100 * products[ours] / products[yard], yard))
            passed += products[ours] >= 0.95 * products[yard]
            failed += products[ours] < 0.95 * products[yard]
    if staged:
        ok, bad = stages(tool, staged)
        passed, failed = passed + ok, failed + bad
    print("%-12s in order: in the order for cores that look ahead, and in its own" % IN_ORDER)
    for name, turn in ordered.items():
        n, cycles, port = mca(tool, IN_ORDER, loops[name])
        own_n, own, own_port = mca(tool, IN_ORDER, turn)
        work = vector_work(loops[name]) / vector_work(turn)  # turns may have more copies
        print("  %-14s %5.2f IPC, port bound %4.0f %%  %5.2f IPC, port bound %4.0f %%  speed %.2f" % (
            name, n / cycles, 100 * port / cycles, own_n / own, 100 * own_port / own, cycles / own / work))
    print("static: %d passed, %d failed" % (passed, failed))
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
