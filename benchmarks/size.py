"""How a step's cost grows with what it has to do: `python -m benchmarks.size [KEY]`

Seconds a step and the process's peak memory, over the frames and the size of the clip, the views a step, and the stimuli. Each
value is measured in a process of its own; *growth* is how many times the seconds grew for each doubling of the work (2: in
proportion; the pixels count for frames and size).
"""

from __future__ import annotations

import argparse
import math
import os
import resource
import statistics
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

import psutil

from .zoo import processor

ROOT = Path(__file__).parents[1]
VALUES = {"frames": (8, 16, 32, 64), "size": (64, 112, 224, 448), "views": (1, 2, 4, 8), "stimuli": (1, 10, 100)}
STEPS = 7


def measure(key: str, name: str, value: int) -> str:
    """Seconds a step, and GiB, here."""
    from leaps_core import models
    from leaps_core.config import bundled_stimulus
    from leaps_core.inversion.loop import synthesize

    settings: dict[str, object] = {"coarse": 0.0, "steps": STEPS, "judge": "none", "object_judge": "none"}
    settings |= {"stimuli": tuple(map(bundled_stimulus, range(value)))} if name == "stimuli" else {name: value}
    times = []
    begun = time.perf_counter()
    for step in synthesize(models.configure(key, "juggling balls", settings)):
        if step.final is None:
            times.append(step.seconds)
    whole = time.perf_counter() - begun
    steps = [later - earlier for earlier, later in pairwise(times)]
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return f"{statistics.median(steps[1:])} {memory} {whole - times[-1]}"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("key", nargs="?", default="puppet_r50", help="model to invert (default: puppet_r50)")
    parser.add_argument("--one", nargs=2, metavar=("NAME", "VALUE"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        print(measure(args.key, args.one[0], int(args.one[1])))
        return
    print(f"{args.key}, {processor()}, {os.cpu_count()} cores, {psutil.virtual_memory().total / 2**30:.0f} GiB\n")
    print("| of | value | s a step | growth | peak memory, GiB | before the first step, s |\n" + "| --- " * 6 + "|")
    for name, values in VALUES.items():
        before: tuple[int, float] | None = None
        for value in values:
            command = [sys.executable, "-m", "benchmarks.size", args.key, "--one", name, str(value)]
            done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
            if done.returncode:
                print(f"| {name} | {value} | {done.stderr.strip().splitlines()[-1]} | | | |", flush=True)
                continue
            seconds, memory, first = map(float, done.stdout.split())
            growth = "–"
            if before and name != "stimuli":
                work = (value / before[0]) ** (2 if name == "size" else 1)
                growth = f"{(seconds / before[1]) ** (1 / math.log2(work)):.2f}"
            print(f"| {name} | {value} | {seconds:.3f} | {growth} | {memory:.2f} | {first:.1f} |", flush=True)
            before = (value, seconds)


if __name__ == "__main__":
    main()
