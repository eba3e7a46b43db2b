"""Table S1: a search over λ_1, λ_L and r, all of the paper's 5×5×5 points or, by TPE, some of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from .. import models
from ..errors import LeapsError
from . import numbers, stimuli
from .report import Report, Row, done, grouped, values
from .study import Asked, Study, Trial

SPACE: dict[str, tuple[float, ...]] = {
    "lambda_1": (0.5, 0.625, 0.75, 0.875, 1.0),
    "lambda_L": (0.1, 0.2, 0.3, 0.4, 0.5),
    "r": (1e-3, 2.5e-3, 5e-3, 7.5e-3, 1e-2),
}
"""The values of S2."""
TENTH = 13
"""About a tenth of the 125 points."""
REPEATS = 20
"""Seeds of TPE and of random search, when both are played on a whole grid."""
STARTUP = 5
"""Points that TPE draws at random first."""
Point = tuple[float, ...]


def points() -> list[Point]:
    """All 125, in the order of Table S1's columns."""
    first, second, third = SPACE.values()
    return [(a, b, c) for a in first for b in second for c in third]


def _trials(asked: Asked, rows: Sequence[Row]) -> list[Trial]:
    stimuli.need(asked, STUDY.name)
    found = []
    for model in asked.models:
        own = [row for row in rows if row["model"] == model]
        wanted = points() if not asked.budget else _suggested(own, asked)
        for point in wanted:
            found += _of_point(asked, model, point)
    return found


def _of_point(asked: Asked, model: str, point: Point) -> list[Trial]:
    at: dict[str, Any] = dict(zip(SPACE, point, strict=True))
    return [
        Trial({"model": model, **at, "action": action, "seed": seed}, stimuli.config(asked, model, action, seed, **at))
        for seed in asked.range
        for action in asked.actions
    ]


def objective(rows: Sequence[Row]) -> dict[Point, numbers.Interval]:
    """What is maximised, by point: the mean probability of the action by the judge, else the verifier, else the model."""
    name = judging(rows)
    found = {point: numbers.mean(values(done(some), f"p_{name}")) for point, some in grouped(rows, *SPACE).items()}
    return {point: one for point, one in found.items() if one.n}


def judging(rows: Sequence[Row]) -> str:
    """Whose opinion counts: of the judge where there is one, else the verifier's, else the model's own."""
    return next((name for name in ("judge", "verifier") if values(rows, f"p_{name}")), "model")


def _suggested(rows: Sequence[Row], asked: Asked) -> list[Point]:
    """The points that TPE asks for, up to the first whose runs aren't all finished. The same rows, the same points: a search
    that was stopped goes on from its rows."""
    needed = len(asked.actions) * asked.seeds
    finished = {point: some for point, some in grouped(rows, *SPACE).items() if len(some) == needed}
    found = objective([row for some in finished.values() for row in some])
    return _tpe(0, lambda point: found[point].value if point in found else 0.0, finished, asked.budget)


def _tpe(seed: int, value: Any, known: Iterable[Point], budget: int) -> list[Point]:
    """Up to `budget` different points in the order in which TPE asks for them; the last may be one that isn't `known`."""
    optuna = _optuna()
    search = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=seed, n_startup_trials=STARTUP))
    space = {name: optuna.distributions.CategoricalDistribution(options) for name, options in SPACE.items()}
    known, asked_for = set(known), dict.fromkeys(list[Point]())
    for _ in range(40 * budget):  # it may ask for the same point again
        trial = search.ask(space)
        point = tuple(float(trial.params[name]) for name in SPACE)
        if point not in asked_for and len(asked_for) == budget:
            break
        asked_for[point] = None
        if point not in known:
            break
        search.tell(trial, value(point))
    return list(asked_for)


def _read(asked: Asked, rows: Sequence[Row]) -> Report:
    table, claims, figures = [], [], dict[str, Any]()
    for (model,), own in grouped(rows, "model").items():
        found, name = objective(own), judging(own)
        for point, one in sorted(found.items(), key=lambda item: -item[1].value):
            some = [row for row in done(own) if tuple(row[part] for part in SPACE) == point]
            row = {"model": model, **dict(zip(("λ_1", "λ_L", "r"), point, strict=True)), "n": len(some)}
            table.append(row | {"final loss": numbers.mean(values(some, "loss")), f"{name}'s p": one})
        if found:
            claims += _claims(model, found, name)
            figures |= _figures(model, found, name)
    return Report(table, claims, figures)


def _claims(model: str, found: dict[Point, numbers.Interval], name: str) -> list[str]:
    best = max(found, key=lambda point: found[point].value)
    row = "λ_1 {:g}, λ_L {:g}, r {:g}".format(*best)
    said = [
        f"The best of {len(found)} points for {models.spec(model).name}: {row}; the {name} gives its clips {found[best]}. "
        f"Points whose interval reaches its value: {sum(one.high >= found[best].value for one in found.values())}."
    ]
    if len(found) == len(points()):
        values_of = {point: one.value for point, one in found.items()}
        told = " and ".join(f"{kind} {way:.0%}" for kind, way in _played(values_of).items())
        said.append(
            f"With {TENTH} points instead of {len(found)}, played {REPEATS} times on this grid: of the way from its median "
            f"point to its best, {told}."
        )
    return said


def _played(grid: dict[Point, float]) -> dict[str, float]:
    """How far TPE and random search come with `TENTH` points, of the way from a whole grid's median point to its best."""
    best, middle = max(grid.values()), float(np.median(list(grid.values())))
    drawn = {
        "TPE": [_tpe(seed, grid.__getitem__, grid, TENTH) for seed in range(REPEATS)],
        "random search": [_at_random(seed) for seed in range(REPEATS)],
    }
    reached = {kind: np.mean([max(grid[point] for point in some) for some in tries]) for kind, tries in drawn.items()}
    return {kind: float((value - middle) / max(best - middle, 1e-9)) for kind, value in reached.items()}


def _at_random(seed: int) -> list[Point]:
    chosen = np.random.default_rng(seed).choice(len(points()), TENTH, replace=False)
    return [points()[i] for i in chosen]


def _figures(model: str, found: dict[Point, numbers.Interval], name: str) -> dict[str, Any]:
    """Optuna's own pictures of the search."""
    optuna = _optuna()
    search = optuna.create_study(direction="maximize")
    space = {part: optuna.distributions.CategoricalDistribution(options) for part, options in SPACE.items()}
    for point, one in found.items():
        params = dict(zip(SPACE, point, strict=True))
        search.add_trial(optuna.trial.create_trial(params=params, distributions=space, value=one.value))
    show, target = optuna.visualization, f"{name}'s probability of the action"
    figures = {
        f"parallel-{model}": show.plot_parallel_coordinate(search, target_name=target),
        f"slices-{model}": show.plot_slice(search, target_name=target),
    }
    for figure in figures.values():
        figure.update_layout(title=f"{models.spec(model).name}: {len(found)} points", template="plotly_white")
    return figures


def _optuna() -> Any:
    try:
        import optuna
    except ImportError:
        raise LeapsError("Optuna is not installed: pip install -r requirements-studies.txt.") from None
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna


STUDY = Study(
    "grid",
    "Search of λ_1, λ_L and r",
    "Which weights suit a model? The paper's S2 and Table S1: all 125 points of its grid; or, with --budget N, the N points "
    "that TPE asks for.",
    _trials,
    _read,
    {models.PUPPETS: ("dribbling basketball", "making pizza"), "kinetics400": stimuli.FOUR[:1]},
    usual={"seeds": 1},
)
