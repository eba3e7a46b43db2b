"""Runs in one batch against runs one by one: `python -m benchmarks.batch [KEY ...] [--rounds N]`

Seconds that a step of one run takes, with 1, 2, 4 and 8 runs in one batch. They take turns in one process, so that a busy
moment of the machine hits all; medians. *times faster* is the median of the turns' ratios to runs that are alone.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time

import psutil

from leaps_core import models
from leaps_core.inversion.control import Control
from leaps_core.inversion.loop import synthesize_together
from leaps_core.inversion.plan import make_plan

from .zoo import processor

SIZES = (1, 2, 4, 8)
KEYS = ("puppet_csn", "puppet_r50", "puppet_r2plus1d", "puppet_x3d", "puppet_mvit", "i3d")
WARM = 3
"""Steps before any are timed."""


def measure(key: str, rounds: int, device: str) -> str:
    """The model's rows."""
    steps = WARM + rounds * max(SIZES) + 1
    settings = {"coarse": 0.0, "steps": steps, "device": device}
    streams = {}
    for size in SIZES:
        plans = [make_plan(models.configure(key, "juggling balls", settings | {"seed": seed})).primed() for seed in range(size)]
        streams[size] = synthesize_together([plan.settled() for plan in plans], [Control() for _ in plans])
    taken: dict[int, list[float]] = {size: [] for size in SIZES}
    for turn in range(WARM + rounds):
        for size, together in streams.items():
            begun = time.perf_counter()
            for _ in range(max(SIZES) // size if turn >= WARM else 1):
                for one in together:
                    next(one)
            if turn >= WARM:
                taken[size].append((time.perf_counter() - begun) / max(SIZES))
    faster = {size: statistics.median(one / many for one, many in zip(taken[1], taken[size], strict=True)) for size in SIZES}
    seconds = " | ".join(f"{statistics.median(taken[size]):.3f}" for size in SIZES)
    return f"| {key} | {seconds} | " + " | ".join(f"{faster[size]:.2f}" for size in SIZES[1:]) + " |"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("keys", nargs="*", metavar="KEY", help=f"models (default: {' '.join(KEYS)})")
    parser.add_argument("--rounds", type=int, default=7, help="turns of each (default: 7)")
    parser.add_argument("--device", default="auto")
    args = parser.parse_args()
    print(f"{processor()}, {os.cpu_count()} cores, {psutil.virtual_memory().total / 2**30:.0f} GiB\n")
    heads = [f"s a step, {size} in a batch" for size in SIZES] + [f"times faster, {size}" for size in SIZES[1:]]
    print(f"| model | {' | '.join(heads)} |\n" + "| --- " * (len(heads) + 1) + "|")
    for key in args.keys or KEYS:
        print(measure(key, args.rounds, args.device), flush=True)


if __name__ == "__main__":
    main()
