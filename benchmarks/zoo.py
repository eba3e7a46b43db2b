"""What a step of each published model costs at its own size: `python -m benchmarks.zoo [KEY ...]`

Each model is built with random weights (they cost as much as trained ones) in a process of its own, and makes two steps of
`synthesize`, primed by one clip of noise, without verifier and judge; those that compute their blocks again, which takes
minutes, one. Prints the seconds of the last step and the process's peak memory.
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import psutil

from leaps_core import models

ROOT = Path(__file__).parents[1]


def processor() -> str:
    """The processor's name."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
        return next(line.partition(": ")[2] for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):  # not Linux
        return platform.processor() or platform.machine()


def measure(key: str) -> str:
    """One model, here: its row of the table."""
    import numpy as np
    import torch

    from leaps_core.config import SynthesisConfig
    from leaps_core.inversion.loop import synthesize

    spec = replace(models.spec(key), key="random", sources=())
    torch.manual_seed(0)
    models.register(spec, lambda: models.network(key))
    stimulus = np.random.default_rng(0).integers(0, 256, (1, spec.frames, spec.size, spec.size, 3), np.uint8)
    config = SynthesisConfig(
        model="random",
        action=models.labels(spec.world)[0],
        verifier="none",
        judge="none",
        steps=1 if spec.recompute else 2,
        coarse=0.0,
        device="cpu",
    )
    seconds = [0.0, *(step.seconds for step in synthesize(config, stimulus=stimulus))]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return (
        f"| `{key}` | {(spec.params or 0) / 1e6:.1f} | {spec.frames}×{spec.size}² | {seconds[-1] - seconds[-2]:.1f} "
        f"| {peak:.1f} | {'yes' if spec.recompute or spec.family == 'rev-MViT' else 'no'} |"
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("keys", nargs="*", metavar="KEY", help="models to measure; none: all published ones")
    parser.add_argument("--one", metavar="KEY", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        print(measure(args.one))
        return
    print(f"{processor()}, {os.cpu_count()} cores, {psutil.virtual_memory().total / 2**30:.0f} GiB\n")
    print("| model | M parameters | clip | s per step | peak memory, GiB | recomputes |\n| --- | --- | --- | --- | --- | --- |")
    for spec in models.specs():
        if spec.sources if not args.keys else spec.key in args.keys:
            done = subprocess.run(
                [sys.executable, "-m", "benchmarks.zoo", "--one", spec.key], cwd=ROOT, capture_output=True, text=True
            )
            print(done.stdout.strip() or f"| `{spec.key}` | failed: {done.stderr.strip().splitlines()[-1:]} |", flush=True)


if __name__ == "__main__":
    main()
