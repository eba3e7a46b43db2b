"""Table S1: a search over λ_1, λ_L and r, all of the paper's 5×5×5 points or, by TPE, some of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import models
from . import numbers, search, stimuli
from .report import Report, Row, done, grouped, paper_loss, values
from .study import Asked, Study, Trial


def _trials(asked: Asked, rows: Sequence[Row]) -> list[Trial]:
    stimuli.need(asked, STUDY.name)
    search.optuna()  # its pictures need it, too: say so before any run
    found = []
    for model in asked.models:
        own = [row for row in rows if row["model"] == model]
        space = _space(asked, model)
        wanted = search.points(space) if not asked.budget else _suggested(own, asked, space)
        for point in wanted:
            found += _of_point(asked, model, point)
    return found


def _space(asked: Asked, model: str) -> search.Space:
    """What is searched: a weight among the settings of all runs stays as it is. With all three, one point is scored."""
    config = models.configure(model, asked.actions[0], asked.settings)
    return {name: (getattr(config, name),) if name in asked.settings else tried for name, tried in search.SPACE.items()}


def _of_point(asked: Asked, model: str, point: search.Point) -> list[Trial]:
    at: dict[str, Any] = dict(zip(search.SPACE, point, strict=True))
    return [
        Trial({"model": model, **at, "action": action, "seed": seed}, stimuli.config(asked, model, action, seed, **at))
        for seed in asked.range
        for action in asked.actions
    ]


def objective(rows: Sequence[Row]) -> dict[search.Point, numbers.Interval]:
    """What is maximised, by point: the mean probability of the action by the judge, else the verifier, else the model."""
    name = judging(rows)
    found = {
        point: numbers.mean(values(done(some), f"p_{name}"), percent=True)
        for point, some in grouped(rows, *search.SPACE).items()
    }
    return {point: one for point, one in found.items() if one.n}


def judging(rows: Sequence[Row]) -> str:
    """Whose opinion counts: of the judge where there is one, else the verifier's, else the model's own."""
    return next((name for name in ("judge", "verifier") if values(rows, f"p_{name}")), "model")


def _suggested(rows: Sequence[Row], asked: Asked, space: search.Space) -> list[search.Point]:
    """The points that TPE asks for, up to the first whose runs aren't all finished. The same rows, the same points: a search
    that was stopped goes on from its rows."""
    needed = len(asked.actions) * asked.seeds
    finished = {point: some for point, some in grouped(rows, *search.SPACE).items() if len(some) == needed}
    found = objective([row for some in finished.values() for row in some])
    return search.tpe(0, lambda point: found[point].value if point in found else 0.0, finished, asked.budget, space)


def _read(asked: Asked, rows: Sequence[Row]) -> Report:
    table, claims, figures = [], [], dict[str, Any]()
    for (model,), own in grouped(rows, "model").items():
        found, name = objective(own), judging(own)
        for point, one in sorted(found.items(), key=lambda item: -item[1].value):
            some = [row for row in done(own) if tuple(row[part] for part in search.SPACE) == point]
            row = {"model": model, **dict(zip(("λ_1", "λ_L", "r"), point, strict=True)), "n": len(some)}
            table.append(row | {"final loss": numbers.mean(list(map(paper_loss, some))), f"{name}'s p": one})
        if found:
            claims += _claims(model, found, name)
            figures |= search.figures(model, found, name) if len(found) > 1 else {}
    return Report(table, claims, figures)


def _claims(model: str, found: dict[search.Point, numbers.Interval], name: str) -> list[str]:
    best = max(found, key=lambda point: found[point].value)
    row = "λ_1 {:g}, λ_L {:g}, r {:g}".format(*best)
    if len(found) == 1:
        return [f"{models.spec(model).name} with {row}: the {name} gives its clips {found[best]}."]
    like = sum(one.high >= found[best].value for point, one in found.items() if point != best)
    said = [
        f"The best of {len(found)} points for {models.spec(model).name}: {row}; the {name} gives its clips {found[best]}. "
        + (
            "One clip a point: no interval, so a close second may be as good."
            if np.isnan(found[best].low)
            else f"Other points whose interval reaches its value: {like}."
        )
    ]
    if found.keys() == set(search.points()):
        values_of = {point: one.value for point, one in found.items()}
        told = " and ".join(f"{kind} {way:.0%}" for kind, way in search.played(values_of).items())
        said.append(
            f"With {search.TENTH} points instead of {len(found)}, played {search.REPEATS} times on this grid: of the way from "
            f"its median point to its best, {told}."
        )
    return said


STUDY = Study(
    "grid",
    "Search of λ_1, λ_L and r",
    "Which weights suit a model? The paper's S2 and Table S1: all 125 points of its grid; or, with --budget N, the N points "
    "that TPE asks for. A weight that is set is not searched; with all three, one row is scored.",
    _trials,
    _read,
    {models.PUPPETS: ("dribbling basketball", "making pizza"), "kinetics400": stimuli.FOUR[:1]},
    usual={"seeds": 1},
)
