"""How a step's cost grows with what it has to do: `python -m benchmarks.size [KEY]`

Seconds a step and the process's peak memory, over the frames and the size of the clip, the views a step, and the stimuli. Each
value is measured in a process of its own; *growth* is how many times the seconds grew for each doubling of the work (2: in
proportion; the pixels count for frames and size). `--picture FILE` draws them.
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
NAMES = {"frames": "frames", "size": "size, pixels", "views": "views a step", "stimuli": "stimuli"}
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


def draw(title: str, found: dict[str, list[tuple[int, float, float]]], path: Path) -> None:
    """Seconds a step (above) and memory (below) over each value, on logarithmic axes. What is in proportion rises like the
    dashed line."""
    from plotly.subplots import make_subplots

    figure = make_subplots(2, len(found), horizontal_spacing=0.05, vertical_spacing=0.1, shared_xaxes=True, shared_yaxes=True)
    for column, (name, points) in enumerate(found.items(), 1):
        values, *shown = zip(*points, strict=True)
        work = [(value / values[0]) ** (2 if name == "size" else 1) for value in values]
        for row, (numbers, colour) in enumerate(zip(shown, ("#0f766e", "#b45309"), strict=True), 1):
            where, told = {"row": row, "col": column}, {"showlegend": column == 1, "mode": "lines+markers"}
            measured = ("seconds a step", "peak memory")[row - 1]
            figure.add_scatter(x=values, y=numbers, name=measured, line_color=colour, **told, **where)
            if row == 1 and name != "stimuli":
                level = {"dash": "dash", "color": "#94a3b8", "width": 1}
                told = {"showlegend": column == 1, "mode": "lines"}
                figure.add_scatter(
                    x=values, y=[numbers[-1] / work[-1] * w for w in work], name="in proportion", line=level, **told, **where
                )
        figure.update_xaxes(type="log", tickvals=values, ticktext=list(map(str, values)), col=column)
        figure.update_xaxes(title=NAMES[name], row=2, col=column)
    ticks = [0.01, 0.03, 0.1, 0.3, 1, 3, 10]
    figure.update_yaxes(type="log", row=1, tickvals=ticks, ticktext=list(map(str, ticks))).update_yaxes(
        rangemode="tozero", row=2
    )
    figure.update_yaxes(title="s a step", row=1, col=1).update_yaxes(title="peak memory, GiB", row=2, col=1)
    figure.update_layout(template="plotly_white", title=title, margin={"t": 70, "b": 60, "l": 70, "r": 20})
    figure.write_image(path, width=1200, height=560)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("key", nargs="?", default="puppet_r50", help="model to invert (default: puppet_r50)")
    parser.add_argument("--picture", type=Path, metavar="FILE", help="draw it (needs kaleido and Chrome or Chromium)")
    parser.add_argument("--one", nargs=2, metavar=("NAME", "VALUE"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        print(measure(args.key, args.one[0], int(args.one[1])))
        return
    title = f"{args.key}, {processor()}, {os.cpu_count()} cores, {psutil.virtual_memory().total / 2**30:.0f} GiB"
    print(title + "\n")
    found: dict[str, list[tuple[int, float, float]]] = {}
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
            found.setdefault(name, []).append((value, seconds, memory))
    if args.picture:
        draw(title, found, args.picture)


if __name__ == "__main__":
    main()
