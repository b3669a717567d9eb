#!/usr/bin/env python3
"""What the engine's inner loops cost at best on a processor, counted by llvm-mca from the compiled code.

    python3 benches/loops.py                             the AVX-512 kernels, on znver4
    python3 benches/loops.py --only 'leaves' --show      some of them, with their instructions

Needs llvm-mca of LLVM 16 or later. A pass of a loop is counted as if no branch were guessed wrong and every load hit the
first cache: a bound, which measured times are held against. LLVM's description of the processor knows the pipes that
work but is generous about memory, so what a pass loads and stores is counted here, by the widths of its operands.
"""

import argparse
import collections
import pathlib
import re
import shutil
import subprocess

from bench.environment import ROOT, TARGET
from bench.tables import aligned, digits

VECTOR = re.compile(r"%[xyz]mm|%k[0-7]")
JUMP = re.compile(r"^j[a-z]+\s")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cpu", default="znver4", help="LLVM's name of the processor [default: %(default)s]")
    parser.add_argument("--only", default="kernel::avx512", help="functions whose path this finds [default: %(default)s]")
    parser.add_argument("--but", default="add_terms|sums", help="and this does not [default: %(default)s]")
    parser.add_argument("--least", type=int, default=8, help="fewest vector instructions of a loop [default: %(default)s]")
    parser.add_argument("--asm", type=pathlib.Path, help="assembly to read [default: what cargo makes of the engine]")
    parser.add_argument("--show", action="store_true", help="print the instructions too")
    return parser.parse_args()


def assembly():
    """The engine as it is released, as assembly."""
    build = ["cargo", "rustc", "--release", "--quiet", "-p", "fretsaw-engine", "--lib", "--", "--emit", "asm"]
    subprocess.run(build, cwd=ROOT, check=True)
    return max((TARGET / "release" / "deps").glob("fretsaw_engine-*.s"), key=lambda path: path.stat().st_mtime)


def mca():
    """The newest llvm-mca there is."""
    versions = [f"llvm-mca-{v}" for v in range(30, 15, -1)]
    found = next((name for name in [*versions, "llvm-mca"] if shutil.which(name)), None)
    return found or exit("error: no llvm-mca; Debian has it in llvm-19 and the like")


def readable(symbol):
    """`kernel::avx512::leaves::add_bytes` of a mangled name."""
    parts, rest = [], symbol.removeprefix("_ZN")
    while match := re.match(r"(\d+)", rest):
        n = int(match[1])
        parts.append(rest[len(match[1]):][:n])
        rest = rest[len(match[1]) + n:]
    return "::".join(p for p in parts[1:] if not re.fullmatch(r"h[0-9a-f]{16}", p)) or symbol


def functions(path, only, but):
    """Name -> lines, without directives and comments."""
    out, name = collections.OrderedDict(), None
    for line in path.read_text().splitlines():
        line = line.split("#", 1)[0].strip()
        if re.match(r"^_[ZR]\w+:$", line):
            name = readable(line[:-1])
            name = name if re.search(only, name) and not re.search(but, name) else None
            if name:
                out[name] = []
        elif name and line.startswith(".Lfunc_end"):
            name = None
        elif name and line and (not line.startswith(".") or line.endswith(":")):
            out[name].append(line)
    return out


def loops(lines):
    """Innermost loops, as instructions without jumps; one with a call in it is none."""
    at = {line[:-1]: i for i, line in enumerate(lines) if line.endswith(":")}
    ranges = set()
    for i, line in enumerate(lines):
        target = line.split()[-1]
        if JUMP.match(line) and at.get(target, i) < i:
            ranges.add((at[target], i))
    inner = [r for r in ranges if not any(o != r and r[0] <= o[0] and o[1] <= r[1] for o in ranges)]
    for first, last in sorted(inner):
        body = [line for line in lines[first:last + 1] if not line.endswith(":")]
        if not any(line.startswith("call") for line in body):
            yield [line for line in body if not JUMP.match(line)]


def blocks(lines):
    """Straight pieces of code, for shapes that are unrolled whole."""
    piece = []
    for line in lines:
        if line.endswith(":") or JUMP.match(line) or line.startswith(("call", "ret")):
            yield piece
            piece = []
        else:
            piece.append(line)
    yield piece


# What Zen 4 moves between its first cache and registers in a cycle: three loads, of which two of 32 bytes or one of 64;
# two stores, of which one of 32 bytes or half of one of 64.
WIDE_LOADS = {64: 1.0, 32: 0.5}
WIDE_STORES = {64: 2.0, 32: 1.0}
NO_ACCESS = ("lea", "prefetch", "nop")


def moved(body):
    """Bytes that a pass loads and stores, and the cycles they take at least."""
    loads, stores = [], []
    for line in body:
        if "(" not in line or line.startswith(NO_ACCESS):
            continue
        width = next((w for r, w in (("%zmm", 64), ("%ymm", 32), ("%xmm", 16)) if r in line), 8)
        if "{1to" in line or "ss" in line.split()[0] or "broadcast" in line.split()[0]:
            width = 8
        if line.rstrip().endswith(")") and line.startswith(("mov", "vmov", "kmov", "vpmov", "vpextr")):
            stores.append(width)
        else:
            loads.append(width)
    cycles = max(
        len(loads) / 3, len(stores) / 2, sum(WIDE_LOADS.get(w, 0) for w in loads), sum(WIDE_STORES.get(w, 0) for w in stores)
    )
    return {"loaded": sum(loads), "stored": sum(stores), "memory": cycles}


def cost(tool, cpu, body):
    """What a pass takes: if nothing waits for anything (`ports`), and with what waits for what (`cycles`)."""
    n = 200
    ran = subprocess.run(
        [tool, f"-mcpu={cpu}", f"-iterations={n}", "-"], input="\n".join(body), capture_output=True, text=True
    )
    if ran.returncode != 0:
        return None
    figure = lambda name: float(re.search(rf"{name}:\s+([\d.]+)", ran.stdout)[1])  # noqa: E731
    return {
        **moved(body), "instructions": len(body), "uops": figure("Total uOps") / n, "ports": figure("Block RThroughput"),
        "cycles": figure("Total Cycles") / n,
    }


def main():
    args = arguments()
    tool, found = mca(), []
    for name, lines in functions(args.asm or assembly(), args.only, args.but).items():
        pieces = [("loop", body) for body in loops(lines)]
        looped = {tuple(body) for _, body in pieces}
        pieces += [("piece", b) for b in blocks(lines) if len(b) > 60 and tuple(b) not in looped]
        for kind, body in pieces:
            vector = sum(1 for line in body if VECTOR.search(line))
            counted = cost(tool, args.cpu, body) if vector >= args.least else None
            if counted:
                common = collections.Counter(line.split()[0] for line in body if VECTOR.search(line)).most_common(3)
                found.append((name, kind, counted, ", ".join(f"{n} {op}" for op, n in common), body))
    lines = [["", "", "instructions", "bytes in", "out", "cycles: memory", "pipes", "with waits", "mostly"]]
    for name, kind, c, mostly, body in found:
        line = [name, kind, str(c["instructions"]), str(c["loaded"]), str(c["stored"]),
                *(digits(c[what]) for what in ("memory", "ports", "cycles")), mostly]
        # One source line compiled many times over is told once.
        if line not in lines:
            lines.append(line)
        if args.show:
            print(f"{name} ({kind})", *body, "", sep="\n  ")
    print(f"{args.cpu}, a pass of each loop")
    print(aligned(lines))


if __name__ == "__main__":
    main()
