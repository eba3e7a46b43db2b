"""Time to quality: how soon is a clip as good as the paper's loop makes it? `python -m benchmarks.quality [--models KEY ...]`

Two ways, with the same actions, seeds and stimuli:

- *ours*: the settings that suit the model;
- *paper, mended*: the paper's preset (plain pixels, its optimiser and views, its row of Table S1, 1,500 steps), without the
  mistakes of the published code, and in the number format that is fastest here, as ours.

Quality is what the judge, which takes no part, gives the action, at each snapshot. A network of real videos has no such judge:
there it is of how many of ten everyday changes its own guess survives, and what the object judge gives the action's object
(docs/real.md). Runs are made several in a batch, at any load of the machine; when a run alone takes which step is measured at
the end, the two ways in turns, on a quiet machine (`--clock` measures it again). What is done is kept, in one file; the same
command goes on. Prints a table, and writes it and a figure.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Sequence
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from leaps_core import files, models, runs
from leaps_core.config import SynthesisConfig, bundled_stimulus
from leaps_core.errors import LeapsError
from leaps_core.models.presets import PAPER, plain
from leaps_core.models.worlds import PUPPETS
from leaps_core.runs import Run
from leaps_core.studies import numbers, pictures, real
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
WITH_OBJECT = real.WITH_OBJECT[3:11]
"""The same for networks of real videos: ImageNet knows an object of these, and settings were chosen on others."""
MODELS = ("puppet_csn", "puppet_r50", "puppet_x3d", "i3d")
SEED = 7500
"""First seed; settings were chosen on others."""
STEPS = 1500
"""Of the paper's loop."""
WAYS = ("ours", "paper, mended")
FILE = "time-to-quality.json"
"""What was found out: curves by way, model, action and seed; and when a run alone has done its steps."""
GRID, DRAWN = 400, 40
"""Moments at which the curves are compared, and drawn."""
ROUNDS, PACED = 3, 100
"""How often the clock is taken, of which the median counts; steps of the paper's loop for that, all of which take the same."""
BATCH = 8
"""Runs at once, at the cost of memory: what their networks gain by it is in docs/speed.md."""
REAL: dict[str, Any] = {"size": 128, "stimuli": ()}
"""Of networks of real videos: small, as 1,500 steps take an hour at full size; no video is at hand to prime them."""
SOME = 3
"""Of their snapshots each so many-th is judged, and the last: that takes eleven passes and an object judge."""
NO_ROW: dict[str, Any] = {"verifier": "self", "r": 0.005, "lambda_1": 1.0, "lambda_L": 0.2}
"""For a model that Table S1 does not have: the row of its CSN, verified by the model itself."""
SURVIVAL, OBJECTS = "survival", "object judge"
"""What quality is there."""
Curve = list[tuple[float, float]]
"""(step, or when it is done in seconds, quality) at each snapshot."""


def of_puppets(model: str) -> bool:
    """Whether it knows the bundled world, which has a judge."""
    return models.spec(model).world == PUPPETS


def actions(model: str) -> tuple[str, ...]:
    """Eight of the model's world."""
    return ACTIONS if of_puppets(model) else WITH_OBJECT


def measures(model: str) -> tuple[str, ...]:
    """What quality is, from 0 to 1; the first is drawn."""
    return ("judge",) if of_puppets(model) else (SURVIVAL, OBJECTS)


def config(way: str, model: str, action: str, seed: int) -> SynthesisConfig:
    """A run of one of the ways."""
    spec = models.spec(model)
    settings: dict[str, Any] = {}
    if way != WAYS[0]:
        paper = models.preset(spec, "paper") if spec.paper else plain() | PAPER | NO_ROW
        settings = paper | {"steps": STEPS, "precision": "auto"}
    world = {"stimuli": (bundled_stimulus(seed),)} if of_puppets(model) else REAL
    return models.configure(model, action, settings | world | {"seed": seed})


def judged(model: str, action: str, run: Run, judges: real.Judges | None) -> dict[str, Curve]:
    """Each measure of a run's snapshots over its steps."""
    if judges is None:
        said = [(row["step"], row["probabilities"].get("judge")) for row in run.metrics]
        return {"judge": [(step, p) for step, p in said if p is not None]}
    found: dict[str, Curve] = {SURVIVAL: [], OBJECTS: []}
    shots = run.snapshots
    for at in sorted({*range(0, len(shots.steps), SOME), len(shots.steps) - 1}):
        step, row = int(shots.steps[at]), judges.look(action, shots.clips[at])
        found[SURVIVAL].append((step, sum(row["survived"].values()) / len(row["survived"])))
        found[OBJECTS].append((step, row["object_probability"]))
    return found


class Kept:
    """What is known so far, in a file of a folder."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE
        self.known: dict[str, Any] = json.loads(self.path.read_text("utf-8")) if self.path.exists() else {}

    def keep(self, **found: Any) -> None:
        """Write down some more."""
        self.known |= found
        files.write(self.path, "{\n" + ",\n".join(f"{json.dumps(k)}: {json.dumps(v)}" for k, v in self.known.items()) + "\n}\n")


def named(way: str, model: str, one: tuple[str, int], measure: str = "judge") -> str:
    """What a curve is kept as, of an action and a seed."""
    return f"{way}: {model}, {one[0]}, {one[1]}" + (f", {measure}" if measure != "judge" else "")


def there(way: str, model: str, one: tuple[str, int], kept: Kept) -> bool:
    """Whether such a run was made and judged."""
    return all(named(way, model, one, measure) in kept.known for measure in measures(model))


def curves(way: str, model: str, asked: Sequence[tuple[str, int]], kept: Kept) -> dict[str, list[Curve]]:
    """Quality over the steps of runs, one of each action and seed, by measure; made once."""
    todo = [one for one in asked if not there(way, model, one, kept)]
    judges = None if of_puppets(model) or not todo else real.Judges(model)
    if judges and not judges.objects:
        raise SystemExit("There is no object judge on this machine. Get one: python -m leaps_core download efficientnet_lite1")
    for batch in (todo[at : at + BATCH] for at in range(0, len(todo), BATCH)):
        with tempfile.TemporaryDirectory() as place:
            places = [Path(place) / str(number) for number in range(len(batch))]
            made = runs.perform_together([config(way, model, *one) for one in batch], places)
            for one, run in zip(batch, made, strict=True):
                if isinstance(run, LeapsError):
                    raise run
                for measure, curve in judged(model, one[0], run, judges).items():
                    kept.keep(**{named(way, model, one, measure): [(step, round(p, 4)) for step, p in curve]})
                    print(f"{named(way, model, one)}: {measure} {curve[-1][1]:.3f}", flush=True)
    return {
        measure: [[(float(step), float(p)) for step, p in kept.known[named(way, model, one, measure)]] for one in asked]
        for measure in measures(model)
    }


def clock(model: str, action: str, kept: Kept, anew: bool = False) -> dict[str, list[float]]:
    """When a run alone has done each of its steps, in s, by way; measured once, unless `anew`."""
    name = f"clock: {model}"
    if anew or name not in kept.known:
        taken: dict[str, list[list[float]]] = {way: [] for way in WAYS}
        for _ in range(ROUNDS):
            for way, some in taken.items():
                with (
                    tempfile.TemporaryDirectory() as place,
                    closing(runs.perform(config(way, model, action, SEED), folder=Path(place) / "run")) as making,
                ):
                    some.append([step.seconds for _, step in islice(making, None if way == WAYS[0] else PACED)])
        ours, steady = (np.median(some, 0) for some in taken.values())
        each = float(steady[-1] - steady[0]) / (len(steady) - 1)
        kept.keep(**{name: {"ours": ours.round(3).tolist(), "the paper's first, and each": [float(steady[0]), each]}})
    found = kept.known[name]
    first, each = found["the paper's first, and each"]
    return {WAYS[0]: found["ours"], WAYS[1]: [first + each * step for step in range(STEPS)]}


def timed(some: Sequence[Curve], seconds: Sequence[float]) -> list[Curve]:
    """Curves over steps as curves over the time of a run alone."""
    return [[(seconds[int(step) - 1], p) for step, p in one] for one in some]


def known(curves: Sequence[Curve], moments: np.ndarray) -> np.ndarray:
    """Curves at some moments, in s, (curves, moments): each as it was last known; before its first point 0."""
    found = np.zeros((len(curves), len(moments)))
    for row, one in zip(found, curves, strict=True):
        seconds, p = np.array(one).T
        at = np.searchsorted(seconds, moments, side="right") - 1
        row[:] = np.where(at >= 0, p[at.clip(0)], 0)
    return found


def compared(ours: Sequence[Curve], paper: Sequence[Curve]) -> dict[str, Any]:
    """Where both ways end, when the mean of each first is as good as the paper's end (NaN: never), and ours as a share of the
    paper's and of its whole time, with intervals by the bootstrap of the clips. What the paper's loop does not improve
    is as good as its end early."""
    ends = {way: [one[-1] for one in curves] for way, curves in zip(WAYS, (ours, paper), strict=True)}
    moments = np.geomspace(0.2, max(seconds for points in ends.values() for seconds, _ in points), GRID)
    clips = {way: known(curves, moments) for way, curves in zip(WAYS, (ours, paper), strict=True)}
    drawn = np.random.default_rng(0).integers(len(ours), size=(numbers.RESAMPLES, len(ours)))
    soon, samples = {}, {}
    for way, rows in clips.items():
        soon[way] = _first(rows.mean(0), clips[WAYS[1]][:, -1].mean(), moments)
        samples[way] = np.array([_first(rows[some].mean(0), clips[WAYS[1]][some, -1].mean(), moments) for some in drawn])
    whole = float(np.mean([seconds for seconds, _ in ends[WAYS[1]]]))
    return {
        "n": len(ours),
        **{f"quality, {way}": numbers.mean([p for _, p in points], percent=True) for way, points in ends.items()},
        **{f"s, {way}": float(np.mean([seconds for seconds, _ in points])) for way, points in ends.items()},
        **{f"as good after s, {way}": one for way, one in soon.items()},
        "of that": _share(soon[WAYS[0]] / soon[WAYS[1]], samples[WAYS[0]] / samples[WAYS[1]], len(ours)),
        "of all": _share(soon[WAYS[0]] / whole, samples[WAYS[0]] / whole, len(ours)),
    }


def _share(value: float, samples: np.ndarray, n: int) -> numbers.Interval:
    """A share of a time with its interval, in which never is endless."""
    samples = np.nan_to_num(samples, nan=np.inf)
    low, high = np.percentile(samples, (2.5, 97.5), method="nearest") if n > 1 else (np.nan, np.nan)
    return numbers.Interval(value, float(low), float(high), n)


def _first(curve: np.ndarray, level: float, moments: np.ndarray) -> float:
    """When a curve first is at a level; NaN: never."""
    reached = np.flatnonzero(curve >= level - 1e-9)  # a mean of rows and one of a column are rounded apart
    return float(moments[reached[0]]) if len(reached) else float("nan")


def figure(curves: dict[str, dict[str, list[Curve]]]) -> Any:
    """Quality over time, its mean and 95 % interval, a panel per model and measure, by way."""
    from plotly.subplots import make_subplots

    drawn = make_subplots(1, len(curves), shared_yaxes=True, subplot_titles=list(curves))
    for column, ways in enumerate(curves.values(), 1):
        for (way, some), colour in zip(ways.items(), pictures.COLOURS, strict=False):
            moments = np.geomspace(0.5, max(one[-1][0] for one in some), DRAWN)
            means = [numbers.mean(p) for p in known(some, moments).T.tolist()]
            where: dict[str, Any] = {"row": 1, "col": column, "line_color": colour, "legendgroup": way}
            around = [one.high for one in means] + [one.low for one in means[::-1]]
            band = {"fill": "toself", "opacity": 0.25, "line_width": 0, "mode": "lines", "hoverinfo": "skip"}
            drawn.add_scatter(x=[*moments, *moments[::-1]], y=around, showlegend=False, **band, **where)
            drawn.add_scatter(
                x=moments, y=[one.value for one in means], name=way, showlegend=column == 1, mode="lines", **where
            )
    drawn.update_xaxes(type="log", title="seconds", tickvals=[1, 3, 10, 30, 100, 300])
    drawn.update_yaxes(range=[0, 1]).update_yaxes(title="quality", col=1)
    title = "Time to quality: means and 95 % intervals"
    return drawn.update_layout(template="plotly_white", title=title, legend={"orientation": "h", "y": -0.2})


def reported(found: dict[str, dict[str, list[Curve]]]) -> Report:
    """The table of curves over time, by model with its measure, and way, and the figure of those of each model's first one."""
    table = [{"model": name, **compared(*(ways[way] for way in WAYS))} for name, ways in found.items()]
    first = {name: ways for name, ways in found.items() if not name.endswith(OBJECTS)}
    return Report(table, figures={"curves": figure(first)})  # of another name than `FILE`, as its numbers are written, too


def main() -> None:
    """Run it all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", nargs="+", default=list(MODELS))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path("quality-over-time"))
    parser.add_argument("--clock", action="store_true", help="take the time again")
    parser.add_argument("--kept", action="store_true", help="make no more runs: only what is there for both ways")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    kept = Kept(options.out)
    made = {}
    for model in options.models:
        asked = [(action, seed) for seed in range(SEED, SEED + options.seeds) for action in actions(model)]
        some = [one for one in asked if not options.kept or all(there(way, model, one, kept) for way in WAYS)]
        if some:
            made[model] = {way: curves(way, model, some, kept) for way in WAYS}
    found = {}
    for model, ways in made.items():
        seconds = clock(model, actions(model)[0], kept, options.clock)
        for measure in measures(model):
            by_way = {way: timed(some[measure], seconds[way]) for way, some in ways.items()}
            found[f"{models.spec(model).name}: {measure}"] = by_way
    report = reported(found)
    print("\n".join([report.markdown, *report.write(options.out, whole=True)]))


if __name__ == "__main__":
    main()
