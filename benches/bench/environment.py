"""Where the benches run: a pinned Python environment, the build, and what is to be told of the machine.

Nothing here knows a model or a runtime.
"""

import hashlib
import os
import pathlib
import platform
import subprocess
import sys
import time

BENCHES = pathlib.Path(__file__).resolve().parent.parent
ROOT = BENCHES.parent
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
WORK = TARGET / "benches"


def enter():
    """Goes on in the pinned environment; makes it where it is missing or was pinned otherwise."""
    venv, requirements = WORK / "venv", BENCHES / "requirements.txt"
    pinned = hashlib.sha256(requirements.read_bytes()).hexdigest()
    stamp = venv / "pinned"
    if pathlib.Path(sys.prefix) == venv:
        return
    if not stamp.exists() or stamp.read_text() != pinned:
        say(f"making the environment {venv}")
        subprocess.run([sys.executable, "-m", "venv", "--clear", venv], check=True)
        pip = [venv / "bin" / "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "-r", requirements], check=True)
        stamp.write_text(pinned)
    # Before any library starts its threads.
    one = {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}
    python = venv / "bin" / "python"
    os.execve(python, [python, *sys.argv], dict(os.environ, PYTHONDONTWRITEBYTECODE="1", PYTHONWARNINGS="ignore", **one))


def say(*what):
    print(*what, file=sys.stderr, flush=True)


def build():
    """The binary, built as it is released."""
    subprocess.run(["cargo", "build", "--release", "--quiet", "-p", "fretsaw-cli"], cwd=ROOT, check=True)
    return TARGET / "release" / "fretsaw"


def cpu():
    try:
        lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or "unknown"
    known = {}
    for line in lines:
        name, _, value = line.partition(":")
        known.setdefault(name.strip(), value.strip())
    family = f"family {known['cpu family']}, model {known['model']}" if "cpu family" in known else "family unknown"
    return f"{known.get('model name', 'unknown')} ({family})"


def commit():
    git = ["git", "-C", str(ROOT)]
    head = subprocess.run([*git, "rev-parse", "--short=12", "HEAD"], capture_output=True, text=True).stdout.strip()
    changed = subprocess.run([*git, "status", "--porcelain", "--", "crates"], capture_output=True, text=True).stdout
    return (head or "unknown") + (" and changes" if changed else "")


def machine():
    return {
        "cpu": cpu(), "cores": os.cpu_count(), "system": platform.platform(), "commit": commit(),
        "date": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
    }


def interrupted(seconds=0.2):
    """The share of a moment in which this core did something else, by the gaps in a loop that only reads a clock."""
    clock = time.perf_counter_ns
    start = before = clock()
    end, lost = start + int(seconds * 1e9), 0
    while before < end:
        now = clock()
        if now - before > 20_000:
            lost += now - before
        before = now
    return lost / (before - start)


class Quiet:
    """Whether the machine was left alone: asked before every round, told at the end."""

    # A call longer than a slice of time pays for the others on a busy machine, a short one does not: ratios lie.
    LIMIT = 0.02

    def __init__(self):
        self.shares = []

    def ask(self):
        self.shares.append(interrupted())

    def told(self):
        shares = sorted(self.shares)
        return {"median": shares[len(shares) // 2], "max": shares[-1]}

    def warning(self):
        told = self.told()
        if told["median"] <= self.LIMIT:
            return ""
        return (f"NOT TO BE TRUSTED: others took {100 * told['median']:.0f}% of this core "
                f"(at worst {100 * told['max']:.0f}%) while this ran\n")
