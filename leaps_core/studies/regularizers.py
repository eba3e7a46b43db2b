"""Table 3 and Figure S7: what does each part of the loss do? From cross entropy alone to the full loss, and evidence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .. import models
from ..config import NETWORKS
from . import numbers, pictures, stimuli
from .priming_share import splits
from .report import Report, Row, differences, done, first_clips, grouped, values
from .study import Asked, Study, Trial

_BARE = {"priming_share": 0, **stimuli.UNREGULARIZED}
FULL = "full"
ARMS = ("cross entropy", "priming", "priming, coherence", "priming, diversity", FULL, "full, evidence")
"""What the loss has, from left to right; smoothness and the canvas are the same in all."""


def settings(arm: str) -> dict[str, Any]:
    """What an arm takes away from the settings that suit a model."""
    kept = {
        "cross entropy": (),
        "priming": ("priming_share",),
        "priming, coherence": ("priming_share", "coherence"),
        "priming, diversity": ("priming_share", "diversity"),
        FULL: ("priming_share", "coherence", "diversity"),
        "full, evidence": ("priming_share", "coherence", "diversity", "evidence", "frame_verifier"),
    }[arm]
    return {name: value for name, value in _BARE.items() if name not in kept}


def _trials(asked: Asked, rows: Sequence[Row]) -> list[Trial]:
    stimuli.need(asked, STUDY.name)
    return stimuli.varied(asked, "arm", lambda model: {arm: settings(arm) for arm in _arms(asked, model)})


def _arms(asked: Asked, model: str) -> list[str]:
    """Those that differ: with nobody to verify, there is no diversity."""
    verified = models.resolve(models.configure(model, asked.actions[0], asked.settings)).verifier is not None
    return [arm for arm in ARMS if verified or arm not in ("priming, coherence", "priming, diversity")]


def _read(asked: Asked, rows: Sequence[Row]) -> Report:
    table, claims, points = [], [], dict[str, dict[str, list[tuple[str, numbers.Interval]]]]()
    for (model,), own in grouped(done(rows), "model").items():
        arms = {arm: some for (arm,), some in grouped(own, "arm").items()}
        for arm in (arm for arm in ARMS if arm in arms):
            some = arms[arm]
            row = {"model": model, "loss has": arm, "n": len(some)}
            row |= {f"top-1, {name}": numbers.share(values(some, f"top1_{name}")) for name in NETWORKS}
            row |= {f"{name}'s p": numbers.mean(values(some, f"p_{name}"), percent=True) for name in NETWORKS}
            row |= {f"IS, {name}": numbers.inception(splits(some, name)) for name in NETWORKS}
            row["motion"] = numbers.mean(values(some, "motion"))
            table.append(row)
            for name in NETWORKS:
                points.setdefault(name, {}).setdefault(model, []).append((arm, row[f"{name}'s p"]))
        claims += _claims(model, arms)
    figures = {
        f"p-{name}": pictures.bars(
            f"What the {name} thinks of clips, by what the loss has", "probability of the action", series
        )
        for name, series in points.items()
        if any(one.n for some in series.values() for _, one in some)
    }
    return Report(table, claims, figures, first_clips([row for row in rows if row["model"] == asked.models[0]], "arm"))


_WORDS = {
    "judge": tuple(
        f"{verdict} on {{}}, in the eyes of the judge" for verdict in ("helps", "harms", "changes nothing that can be told")
    ),
    "model": tuple(
        f"{verdict} {{}}'s own opinion of its clips, which nobody else has judged"
        for verdict in ("raises", "lowers", "does not clearly change")
    ),
}
"""What a part does, by who says so: for the better, for the worse, nothing."""


def _claims(model: str, arms: dict[str, list[Row]]) -> list[str]:
    """What diversity, coherence and evidence change, clip by clip, in the eyes of the judge, which had no part; where there is
    none, the model's own opinion, which is no measure of what others see."""
    found, name = [], models.spec(model).name
    for part, without, with_it in (
        ("Feature diversity (R_feat)", "priming, coherence", FULL),
        ("Temporal coherence (R_coh)", "priming, diversity", FULL),
        ("Evidence (and the frame verifier, where the model's settings have one)", FULL, "full, evidence"),
    ):
        for judge in ("judge", "model"):
            if changes := differences(arms.get(without, ()), arms.get(with_it, ()), judge):
                up, down, same = _WORDS[judge]
                verdict = {1: up, -1: down, 0: same}[numbers.clearly(changes)]
                found.append(f"{part} {verdict.format(name)}: {numbers.mean(changes).change}.")
                break
    return found


STUDY = Study(
    "regularizers",
    "Parts of the loss",
    "What does each part of the loss do? Cross entropy only; with priming; with temporal coherence or feature diversity; all "
    "of LEAPS; and with evidence. The paper's Table 3 and Figure S7: with each part, other networks see more of the action.",
    _trials,
    _read,
    {models.PUPPETS: stimuli.EIGHT, "kinetics400": stimuli.FOUR},
    own=frozenset(_BARE),
)
