#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Lists the instructions that LLVM knows and a table refuses, and fails if one is not excluded by name.

usage: insn_long x86|a64 gaps | insn_gaps.py x86|a64 [--llvm-mc LLVM_MC]

LLVM reads many strings that no assembler writes (ignored bits, idle prefixes): only what it assembles back to the same
bytes counts. The lists below are the exclusions that the heads of both insn.def name. The last line is `N passed, N
failed`; the exit code is 1 if anything failed."""
import argparse, re, subprocess, sys

X86 = ["-triple=x86_64", "-mcpu=sapphirerapids", "-x86-asm-syntax=intel", "--output-asm-variant=1", "-show-encoding"]
A64 = ["-triple=aarch64", "-mattr=+neon,+fp-armv8,+fullfp16,+dotprod,+bf16,+i8mm,+fp16fml", "-show-encoding"]
EXCLUDED = {
    "x86": [
        r".*\bmm[0-7]\b|cvtpi2p", "emms$", r"f\w+", "wait$",                                            # MMX, 3DNow, x87, fxsave
        r"(extrq|insertq|movnts[sd]|vpermil2p[sd]|vfn?m(add|sub)(add|sub)?[ps][sd]) ",            # SSE4a, XOP, FMA4
        r"(clts|cli|sti|hlt|invd|wbinvd|wbnoinvd|rsm|getsec|xsetbv|mwait|rdmsr|wrmsr|rdpmc|rdtscp)$",
        r"(sysenter|sysexitq?|sysretq?|syscall|iret[dq]?|retfq?|xlatb|xresldtrk|vmcall|vmmcall|cldemote|rdpid|invlpg)\b",
        r"(in|out|ins[bwd]|outs[bwd]|int|lar|lsl|l[gil]dt|ltr|str|s[gil]dt|smsw|lmsw|verr|verw|ljmp|lcall|l[sfg]s) ",
        r"mov .*\b(cr\d+|dr\d+|[c-gs]s)$", r"mov (cr|dr|[c-gs]s\b)", r"mov \w+ ptr \[.*\], [c-gs]s$",
        r"(vmread|vmwrite|vmclear|vmptrld|vmptrst|vmxon|invept|invvpid|invpcid|umonitor|umwait|tpause|senduipi) ",
        r"(rdssp[dq]|incssp[dq]|wrss[dq]|wruss[dq]|rstorssp|clrssbsy|rd[fg]sbase|wr[fg]sbase|ptwrite|rdrand|rdseed) ",
        r"(xsave\w*|xrstor\w*|clwb|clflushopt|prefetchw?(t1)?|prefetchit[01]|enqcmds?|movdir(i|64b)|enter|ud1) ",
        r"(lock|xacquire|xrelease|rep|repne)\b", r"(cmpxchg(8b|16b)?|xadd|a(add|and|or|xor)|cmpn?(o|b|z|be|s|p|l|le)xadd) ",
        r"(lods|scas|cmps)[bdqw] [^x]", r"(push|pop) ([c-gs]s|[a-d]x|[sd]i|[sb]p|r\d+w|word ptr .*)$",
        r"movabs \w+, \w* ?\w* ?\[", r"movabs \w* ?\w* ?\[", r"ad[co]x ", r"(v?aes|sha|encodekey|loadiwkey|v?gf2p8|v?pclmulqdq)",
        r"(td[pb]|tile|ldtilecfg|sttilecfg)",                                                     # AMX
        r"v(exp2|rcp28|rsqrt28)[ps][sd] ", r"v4fn?m|vp4dp", r"vp(conflict|lzcnt)[dq] |vpbroadcastm",        # ER, 4FMAPS, CD
        r"vpmadd52|vpmultishift|vperm([it]2)?b |vp(compress|expand)[bw] |vpsh[lr]dv?[dqw] |vpshufbitqmb|vpopcnt",
        r"vmovw (xmm\d+, )?r([a-d]x|[sd]i|[sb]p|\d+)\b",         # a word in 64 bits: W is ignored, and no assembler sets it
        r"vp2intersect|vfc?(madd|mul)c[ps]h |vpdpb(ss|su|uu)ds? |\{vex\} (vcvtneps2bf16|vpmadd52)|vbcstne|vcvtne[eo]",
    ],
    "a64": [
        r"(st|ld)l?a?x[rp][bh]? ", r"(stlr|ldar|stllr|ldlar)[bh]? ", r"(ldtr|sttr)(s?[bhw])? ", r"dcps\d", r"rprfm ", r"sysl ",
        r"(mrs \w+, s[01]_|msr s[01]_)",
    ],
}


def assemble(llvm_mc, isa, rows):
    """Bytes of each text in hexadecimal; what does not assemble is no gap."""
    lines = []
    for code, text in rows:
        prefix = "{evex} " if isa == "x86" and code.startswith("62") and not text.startswith("{") else ""
        lines.append(prefix + text + "\n")
    mark = "movabs rax, 0x5aa5c33c5aa5c33c" if isa == "x86" else "brk #0xabcd"
    seen = "48,b8,3c,c3,a5,5a,3c,c3,a5,5a" if isa == "x86" else "a0,79,35,d4"
    source = "".join(line + mark + "\n" for line in lines)
    done = subprocess.run([llvm_mc, *(X86 if isa == "x86" else A64)], input=source, capture_output=True, text=True)
    result, current = [], None
    for m in re.finditer(r"encoding: \[([^\]]*)\]", done.stdout):
        code = m[1].replace("0x", "")
        if code == seen:
            result.append(current)
            current = None
        else:
            current = code.replace(",", "")
    if len(result) != len(rows):
        sys.exit("insn_gaps.py: the assembler lost a landmark (%d of %d)" % (len(result), len(rows)))
    return result


def excluded(text, patterns):
    return any(re.match(n, text, re.I) for n in patterns)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("isa", choices=["x86", "a64"])
    p.add_argument("--llvm-mc", default="llvm-mc-16")
    o = p.parse_args()
    rows = []
    for line in sys.stdin:
        code, text = line.rstrip("\n").split("\t", 1)
        text = re.sub(r"\s+", " ", text.split("\t#")[0]).strip()
        if not excluded(text, EXCLUDED[o.isa]) and "riz" not in text:
            rows.append((code, text))
    found = {}
    for (code, text), again in zip(rows, assemble(o.llvm_mc, o.isa, rows)):
        if again == code:
            found.setdefault(text.split(" ")[0], []).append((code, text))
    for word, cases in sorted(found.items()):
        print("refused %-20s %6d  %s  %s" % (word, len(cases), cases[0][0], cases[0][1]))
    print("gaps %s: %d candidates, %d mnemonics refused" % (o.isa, len(rows), len(found)))
    print("%d passed, %d failed" % (len(rows) - sum(map(len, found.values())), len(found)))
    return 1 if found else 0


sys.exit(main())
