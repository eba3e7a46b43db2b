"""Figures S6 and S7: are many stimuli worth as much as the regularizers?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .. import models
from ..config import NETWORKS
from . import numbers, pictures, stimuli
from .report import Report, Row, differences, done, grouped, values
from .study import Asked, Study, Trial

COUNTS = (1, 2, 5, 10, 20, 50, 100)
"""How many stimuli prime a run without regularizers."""
LEAPS = "LEAPS, 1"
"""The arm with one stimulus and both regularizers, as the paper has them: no evidence, no frame verifier."""


def _trials(asked: Asked, rows: Sequence[Row]) -> list[Trial]:
    stimuli.need(asked, STUDY.name)
    found = []
    for model in asked.models:
        for seed in asked.range:
            for action in asked.actions:
                at = {"model": model, "action": action, "seed": seed}
                leaps = stimuli.config(asked, model, action, seed, **stimuli.THE_PAPERS)
                found.append(Trial({**at, "stimuli": LEAPS}, leaps))
                for count in (count for count in COUNTS if count <= stimuli.most(asked, action)):
                    config = stimuli.config(asked, model, action, seed, count, **stimuli.UNREGULARIZED)
                    found.append(Trial({**at, "stimuli": str(count)}, config))
    return found


def _read(asked: Asked, rows: Sequence[Row]) -> Report:
    table, claims = [], []
    for (model,), own in grouped(done(rows), "model").items():
        by = {key: some for (key,), some in grouped(own, "stimuli").items()}
        order = [key for key in (*map(str, COUNTS), LEAPS) if key in by]
        for key in order:
            some = by[key]
            row = {"model": model, "stimuli": key, "n": len(some), "actions": len(grouped(some, "action"))}
            row |= {f"top-1, {name}": numbers.share(values(some, f"top1_{name}")) for name in NETWORKS}
            row |= {f"{name}'s p": numbers.mean(values(some, f"p_{name}"), percent=True) for name in NETWORKS}
            table.append(row)
        claims += _claims(f"{models.spec(model).name}'s clips", by)
    several, whole = len(asked.models) > 1, {key: some for (key,), some in grouped(done(rows), "stimuli").items()}
    figures = _figures(*(("all", "all models") if several else (asked.models[0], models.spec(asked.models[0]).name)), whole)
    if several:  # few clips of one model tell little
        claims += _claims("the clips of all these models", whole)
    lacking = {action: stimuli.most(asked, action) for action in asked.actions if stimuli.most(asked, action) < COUNTS[-1]}
    if lacking:
        few = ", ".join(f"{action}: {count}" for action, count in lacking.items())
        claims.append(f"Fewer than {COUNTS[-1]} stimuli were at hand ({few}); larger numbers are left out.")
    return Report(table, claims, figures, _sheet(asked, rows))


def _figures(key: str, whose: str, by: dict[str, list[Row]]) -> dict[str, Any]:
    """Figure S6 by each network that was asked, of one model's clips or all models'."""
    found, counts = {}, [count for count in COUNTS if str(count) in by]
    for name in NETWORKS:
        points = [(count, numbers.share(values(by[str(count)], f"top1_{name}"))) for count in counts]
        if any(one.n for _, one in points):
            found[f"top1-{key}-{name}"] = pictures.curves(
                f"Top-1 by the {name} over the number of stimuli, {whose}",
                "stimuli, without regularizers",
                "top-1",
                {"priming by several stimuli": points},
                log=True,
                band=_band(by.get(LEAPS, ()), name),
            )
    return found


def _band(rows: Sequence[Row], name: str) -> tuple[float, float, str] | None:
    """What LEAPS reaches with one stimulus, from its worst action to its best, by a network's top-1."""
    shares = [numbers.share(values(some, f"top1_{name}")) for some in grouped(rows, "action").values()]
    reached = [one.value for one in shares if one.n]
    return (min(reached), max(reached), "LEAPS, one stimulus: worst to best action") if reached else None


def _claims(whose: str, by: dict[str, list[Row]]) -> list[str]:
    """From how many stimuli on priming alone can't be told from LEAPS with one, by the judge (else the model): clip by clip of
    the same model, action and seed."""
    leaps = by.get(LEAPS, [])
    name = next((name for name in ("judge", "model") if values(leaps, f"p_{name}")), "")
    if not name:
        return []
    one = numbers.mean(values(leaps, f"p_{name}"), percent=True)
    counts = [count for count in COUNTS if str(count) in by]
    behind = {count: differences(leaps, by[str(count)], name) for count in counts}
    known = {count: changes for count, changes in behind.items() if len(changes) > 1}
    level = [count for count, changes in known.items() if numbers.clearly(changes) >= 0]
    if not known:
        worth = "can't be compared with it by so few clips"
    elif level:
        worth = f"is not clearly behind with {level[0]}: by {numbers.mean(known[level[0]]).change}"
    else:
        worth = f"is behind with up to {max(known)}: by {numbers.mean(known[max(known)]).change}"
    return [f"LEAPS with one stimulus: the {name} gives {whose} {one}; priming without regularizers {worth}."]


def _sheet(asked: Asked, rows: Sequence[Row]) -> dict[str, dict[str, str]]:
    shown = {LEAPS, "1", "10", "100"}
    found: dict[str, dict[str, str]] = {}
    for row in done(rows):
        if row["model"] == asked.models[0] and row["stimuli"] in shown:
            found.setdefault(row["action"], {}).setdefault(row["stimuli"], row["run"])
    return found


STUDY = Study(
    "multi-stimuli",
    "Several stimuli",
    "Are several stimuli worth as much as the regularizers? The paper's Figures S6 and S7: with one stimulus, LEAPS does "
    "better than priming by a few without regularizers; by many, priming alone comes up to it.",
    _trials,
    _read,
    {models.PUPPETS: stimuli.FOUR, "kinetics400": stimuli.FOUR},
    own=frozenset({"stimuli", *stimuli.UNREGULARIZED}),
)
