"""S6, "counterfactual explanations": what has to change in a real clip until the model sees another action in it?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import models
from ..config import bundled_stimulus
from ..errors import RunError
from . import numbers, pictures, stimuli
from .report import Report, Row, done, grouped, values
from .study import Asked, Study, Trial

NEARNESS = (0.1, 0.3, 1.0, 3.0)
"""How strongly the clip is held where it was: the more, the less changes, until the model no longer follows."""
SETTINGS: dict[str, Any] = {"begin_at": "stimulus", "steps": 80, "priming_share": 0, "smoothness": 0.0, **stimuli.UNREGULARIZED}
"""Nothing but the model's own opinion and the start: cross entropy, which ends when the model is sure, and nearness."""
SHOWN = 0.3
"""The nearness whose clips are shown."""


def pairs(asked: Asked) -> list[tuple[str, str]]:
    """From which action to which: each action of the study of which there are real clips to the next one."""
    found = zip(asked.actions, (*asked.actions[1:], asked.actions[0]), strict=True)
    return [(source, action) for source, action in found if stimuli.most(asked, source)]


def _trials(asked: Asked, rows: Sequence[Row]) -> list[Trial]:
    if not pairs(asked):
        stimuli.need(asked, STUDY.name)
    if len(asked.actions) < 2:
        raise RunError(f"A counterfactual leads from one action to another; {len(asked.actions)} was named. Name two or more.")
    return [
        Trial(
            {"model": model, "from": source, "action": action, "nearness": nearness, "seed": seed},
            stimuli.config(asked, model, action, seed, stimuli=_start(asked, source, seed), nearness=nearness, **SETTINGS),
        )
        for model in asked.models
        for seed in asked.range
        for source, action in pairs(asked)
        for nearness in NEARNESS
    ]


def _start(asked: Asked, source: str, seed: int) -> tuple[str, ...]:
    """The real clip at which a run begins."""
    if asked.stimuli is None:
        return (bundled_stimulus(seed * stimuli.APART, source),)
    return stimuli.stimuli(asked, source, seed)


def _read(asked: Asked, rows: Sequence[Row]) -> Report:
    table, claims, turned, frames = [], [], dict[str, list[Any]](), dict[str, list[Any]]()
    for (model,), own in grouped(done(rows), "model").items():
        for (nearness,), some in sorted(grouped(own, "nearness").items()):
            row: dict[str, Any] = {"model": model, "nearness": nearness, "n": len(some)}
            row |= {f"top-1, {name}": numbers.share(values(some, f"top1_{name}")) for name in ("model", "verifier", "judge")}
            row["model's p before"] = numbers.mean(values(some, "before"), percent=True)
            row["model's p"] = numbers.mean(values(some, "p_model"), percent=True)
            row["change"] = numbers.mean(values(some, "change"))
            row["changed pixels"] = numbers.mean(values(some, "changed"), percent=True)
            row["in the tenth that changed most"] = numbers.mean(values(some, "concentrated"), percent=True)
            table.append(row)
            turned.setdefault(models.spec(model).name, []).append((nearness, row["top-1, model"]))
            times = [numbers.mean(list(at)) for at in zip(*values(some, "when"), strict=False)]
            frames[f"{models.spec(model).name}, nearness {nearness:g}"] = list(enumerate(times, 1))
        claims += _claims(model, own)
    if lacking := [action for action in asked.actions if not stimuli.most(asked, action)]:
        claims.append(f"No real clip to begin at was at hand of {', '.join(lacking)}.")
    figures = {
        "turned": pictures.curves(
            "How many clips the model takes for the new action", "nearness", "top-1 by the model", turned, log=True
        ),
        "when": pictures.curves("Where in time the clips changed", "frame", "mean change of a pixel", frames),
    }
    shown = {f"{row['from']} to {row['action']}": row["run"] for row in done(rows) if _is_shown(asked, row)}
    return Report(table, claims, figures if table else {}, changes=shown)


def _is_shown(asked: Asked, row: Row) -> bool:
    return bool(row["nearness"] == SHOWN and row["seed"] == asked.first_seed and row["model"] == asked.models[0])


def _claims(model: str, rows: Sequence[Row]) -> list[str]:
    """How little is enough for each clip: the strongest nearness at which the model still turned."""
    least = []
    for some in grouped([row for row in rows if row["top1_model"]], "from", "action", "seed").values():
        least.append(max(some, key=lambda row: row["nearness"]))
    asked_of = len(grouped(rows, "from", "action", "seed"))
    if not least:
        return [f"No clip could be turned: {models.spec(model).name} took none of {asked_of} for another action."]
    seen = values(least, "top1_judge")
    told = f" The judge, which took no part, sees the new action in {numbers.share(seen)} of these." if seen else ""
    return [
        f"{models.spec(model).name} took {len(least)} of {asked_of} clips for another action. With as little change as was "
        f"enough, a pixel changed by {np.mean(values(least, 'change')):.3f} of the range in the mean, "
        f"{np.mean(values(least, 'changed')):.0%} of all by more than a twentieth.{told}"
    ]


STUDY = Study(
    "counterfactual",
    "What would have to change",
    "Which change of a real clip makes the model see another action in it? The clip begins at a real one and may change as "
    "little as possible. The paper names counterfactual explanations as a use of its method (S6).",
    _trials,
    _read,
    {models.PUPPETS: stimuli.EIGHT, "kinetics400": stimuli.FOUR},
    usual={"seeds": 1},
    own=frozenset({"nearness", "begin_at", "stimuli"}),
)
