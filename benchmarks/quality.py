"""Time to quality: how soon is a clip as good as the paper's loop makes it? `python -m benchmarks.quality [--models KEY ...]`

Two ways, one run after the other, with the same actions, seeds and stimuli:

- *ours*: the settings that suit the model;
- *paper, mended*: the paper's preset (plain pixels, its optimiser and views, its row of Table S1, 1,500 steps), without the
  mistakes of the published code.

Quality is what the judge, which takes no part, gives the action, at each snapshot, over the seconds that the run has taken.
Each run is kept as soon as it is done; the same command goes on. Prints a table, and writes it and a figure.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from leaps_core import files, models, runs
from leaps_core.config import bundled_stimulus
from leaps_core.studies import numbers, pictures
from leaps_core.studies.report import Report

ACTIONS = (
    "juggling balls",
    "dribbling basketball",
    "playing trumpet",
    "making pizza",
    "tai chi",
    "bowling",
    "side kick",
    "clapping",
)
MODELS = ("puppet_csn", "puppet_r50", "puppet_x3d")
SEED = 7500
"""First seed; settings were chosen on others."""
STEPS = 1500
"""Of the paper's loop."""
WAYS = ("ours", "paper, mended")
GRID = 200
"""Moments at which the curves are compared."""
Curve = list[tuple[float, float]]
"""(seconds, judge's probability) at each snapshot."""


def curve(way: str, model: str, action: str, seed: int, folder: Path) -> Curve:
    """What the judge says over the time of a run; made once."""
    path = folder / f"{way.split(',')[0]}-{model}-{action.replace(' ', '-')}-{seed}.json"
    if not path.exists():
        changes = {"seed": seed, "stimuli": (bundled_stimulus(seed),)}
        settings = models.preset(models.spec(model), "paper") | {"steps": STEPS} if way != "ours" else {}
        with tempfile.TemporaryDirectory() as place:
            *_, (run, _) = runs.perform(models.configure(model, action, settings | changes), folder=Path(place) / "run")
            said = [(row["seconds"], row["probabilities"].get("judge")) for row in run.metrics]
        folder.mkdir(parents=True, exist_ok=True)
        files.write(path, json.dumps([point for point in said if point[1] is not None]))
    return [(float(seconds), float(p)) for seconds, p in json.loads(path.read_text("utf-8"))]


def mean(curves: Sequence[Curve], moments: np.ndarray) -> np.ndarray:
    """The mean of some curves at some moments, in s: each as it was last known; before its first point 0."""
    found = np.zeros((len(curves), len(moments)))
    for row, one in zip(found, curves, strict=True):
        seconds, p = np.array(one).T
        at = np.searchsorted(seconds, moments, side="right") - 1
        row[:] = np.where(at >= 0, p[at.clip(0)], 0)
    return found.mean(0)


def compared(ours: Sequence[Curve], paper: Sequence[Curve]) -> dict[str, Any]:
    """Where both ways end, and how soon ours is as good as the paper's end, on average over the runs (None: never)."""
    ends = {way: [one[-1] for one in curves] for way, curves in zip(WAYS, (ours, paper), strict=True)}
    level = float(np.mean([p for _, p in ends[WAYS[1]]]))
    moments = np.geomspace(0.2, max(seconds for seconds, _ in ends[WAYS[0]]), GRID)
    reached = np.flatnonzero(mean(ours, moments) >= level)
    whole = float(np.mean([seconds for seconds, _ in ends[WAYS[1]]]))
    soon = float(moments[reached[0]]) if len(reached) else None
    return {
        "n": len(ours),
        **{f"judge, {way}": numbers.mean([p for _, p in points], percent=True) for way, points in ends.items()},
        **{f"s, {way}": float(np.mean([seconds for seconds, _ in points])) for way, points in ends.items()},
        "s until as good": soon,
        "of the paper's time": None if soon is None else soon / whole,
    }


def figure(curves: dict[str, dict[str, list[Curve]]]) -> Any:
    """The judge's opinion over time, on average, by model and way."""
    lines = {}
    for model, ways in curves.items():
        for way, some in ways.items():
            moments = np.geomspace(0.5, max(one[-1][0] for one in some), 40)
            points = [numbers.Interval(p, p, p, len(some)) for p in mean(some, moments).tolist()]
            lines[f"{models.spec(model).name}, {way}"] = list(zip(moments.tolist(), points, strict=True))
    return pictures.curves("The judge's probability of the action over time", "seconds", "probability", lines, log=True)


def main() -> None:
    """Run it all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", nargs="+", default=list(MODELS))
    parser.add_argument("--actions", nargs="+", default=list(ACTIONS))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path("quality-over-time"))
    options = parser.parse_args()
    found: dict[str, dict[str, list[Curve]]] = {}
    for model in options.models:
        for seed in range(SEED, SEED + options.seeds):
            for action in options.actions:
                for way in WAYS:
                    one = curve(way, model, action, seed, options.out)
                    found.setdefault(model, {}).setdefault(way, []).append(one)
                    print(f"{model} {action}, seed {seed}, {way}: judge {one[-1][1]:.2f} after {one[-1][0]:.0f} s", flush=True)
    table = [{"model": model, **compared(*(ways[way] for way in WAYS))} for model, ways in found.items()]
    report = Report(table, figures={"judge": figure(found)})
    print("\n".join([report.markdown, *report.write(options.out, whole=True)]))


if __name__ == "__main__":
    main()
