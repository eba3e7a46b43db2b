"""The space of Table S1's search, and ways to search it: TPE (Optuna's) and at random."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import product
from typing import Any

import numpy as np

from .. import models
from ..errors import LeapsError
from .numbers import Interval

Space = dict[str, tuple[float, ...]]
SPACE: Space = {
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


def points(space: Space = SPACE) -> list[Point]:
    """All of a space, in the order of Table S1's columns: 125 of the paper's."""
    return list(product(*(space[name] for name in SPACE)))


def tpe(seed: int, value: Callable[[Point], float], known: Iterable[Point], budget: int, space: Space = SPACE) -> list[Point]:
    """Up to `budget` different points in the order in which TPE asks for them; the last may be one that isn't `known`."""
    tool = optuna()
    search = tool.create_study(direction="maximize", sampler=tool.samplers.TPESampler(seed=seed, n_startup_trials=STARTUP))
    choices = {name: tool.distributions.CategoricalDistribution(options) for name, options in space.items()}
    known, asked_for = set(known), dict.fromkeys(list[Point]())
    for _ in range(40 * min(budget, len(points(space)))):  # it may ask for the same point again
        trial = search.ask(choices)
        point = tuple(float(trial.params[name]) for name in SPACE)
        if point not in asked_for and len(asked_for) == budget:
            break
        asked_for[point] = None
        if point not in known:
            break
        search.tell(trial, value(point))
    return list(asked_for)


def played(grid: dict[Point, float]) -> dict[str, float]:
    """How far TPE and random search come with `TENTH` points, of the way from a whole grid's median point to its best."""
    best, middle = max(grid.values()), float(np.median(list(grid.values())))
    drawn = {
        "TPE": [tpe(seed, grid.__getitem__, grid, TENTH) for seed in range(REPEATS)],
        "random search": [_at_random(seed) for seed in range(REPEATS)],
    }
    reached = {kind: np.mean([max(grid[point] for point in some) for some in tries]) for kind, tries in drawn.items()}
    return {kind: float((value - middle) / max(best - middle, 1e-9)) for kind, value in reached.items()}


def _at_random(seed: int) -> list[Point]:
    chosen = np.random.default_rng(seed).choice(len(points()), TENTH, replace=False)
    return [points()[i] for i in chosen]


def figures(model: str, found: dict[Point, Interval], name: str) -> dict[str, Any]:
    """Optuna's own pictures of the search."""
    tool = optuna()
    search = tool.create_study(direction="maximize")
    space = {
        part: tool.distributions.CategoricalDistribution(sorted(set(tried)))
        for part, tried in zip(SPACE, zip(*found, strict=True), strict=True)
    }
    for point, one in found.items():
        params = dict(zip(SPACE, point, strict=True))
        search.add_trial(tool.trial.create_trial(params=params, distributions=space, value=one.value))
    show, target = tool.visualization, f"{name}'s probability of the action"
    figures = {
        f"parallel-{model}": show.plot_parallel_coordinate(search, target_name=target),
        f"slices-{model}": show.plot_slice(search, target_name=target),
    }
    for figure in figures.values():
        figure.update_layout(title=f"{models.spec(model).name}: {len(found)} points", template="plotly_white")
    return figures


def optuna() -> Any:
    """The module Optuna. Raises `LeapsError` where it isn't installed."""
    try:
        import optuna as tool
    except ImportError:
        raise LeapsError("Optuna is not installed: pip install -r requirements-studies.txt.") from None
    tool.logging.set_verbosity(tool.logging.WARNING)
    return tool
