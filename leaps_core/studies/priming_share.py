"""Table S2: how much do the primed layers matter? The first 20, 40, 60, 80 and 100 % of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .. import models
from ..config import NETWORKS
from . import numbers, pictures, stimuli
from .report import Report, Row, differences, done, first_clips, grouped, values
from .study import Asked, Study, Trial

SHARES = (20, 40, 60, 80, 100)
"""In percent, as in the paper."""


def _trials(asked: Asked, rows: Sequence[Row]) -> list[Trial]:
    stimuli.need(asked, STUDY.name)
    return stimuli.varied(asked, "share", lambda _: {share: {"priming_share": share} for share in SHARES})


def _read(asked: Asked, rows: Sequence[Row]) -> Report:
    table, claims, lines = [], [], dict[str, dict[str, list[tuple[int, numbers.Interval]]]]()
    for (model,), own in grouped(done(rows), "model").items():
        for (share,), some in sorted(grouped(own, "share").items()):
            row = {"model": model, "primed": f"{share} %", "layers": some[0]["primed"], "n": len(some)}
            for name in NETWORKS:
                row[f"top-1, {name}"] = numbers.share(values(some, f"top1_{name}"))
                lines.setdefault(f"top-1, {name}", {}).setdefault(model, []).append((share, row[f"top-1, {name}"]))
            for name in NETWORKS:
                row[f"IS, {name}"] = numbers.inception(splits(some, name))
            table.append(row)
        claims += _claims(model, own)
    figures = {
        f"top1-{name}": pictures.curves(
            f"Top-1 by the {name} over the share of primed layers", "primed layers, %", "top-1", lines[f"top-1, {name}"]
        )
        for name in NETWORKS
        if any(one.n for points in lines.get(f"top-1, {name}", {}).values() for _, one in points)
    }
    return Report(table, claims, figures, first_clips([row for row in rows if row["model"] == asked.models[0]], "share"))


def splits(rows: Sequence[Row], name: str) -> list[np.ndarray]:
    """What a network says of each seed's clips, of all actions that the seed has, (N, K): as many splits as seeds."""
    seen = [values(some, f"classes_{name}") for some in grouped(rows, "seed").values()]
    return [np.array(some) for some in seen if len(some) > 1]


def _claims(model: str, rows: Sequence[Row]) -> list[str]:
    """Whether accuracy and Inception Score grow with the share, by the network that had no part."""
    name = next((name for name in ("judge", "verifier", "model") if values(rows, f"p_{name}")), "")
    shares = {share: some for (share,), some in grouped(rows, "share").items()}
    if not name or len(shares) < 2:
        return []
    low, high = min(shares), max(shares)
    changes = differences(shares[low], shares[high], name)
    seen = [found for share in (low, high) if (found := splits(shares[share], name))]
    scores = [np.mean([numbers.inception_score(split) for split in found]) for found in seen]
    also = f"; its Inception Score goes from {scores[0]:.2f} to {scores[1]:.2f}" if len(scores) == 2 else ""
    verdict = {1: "grows", -1: "falls", 0: "does not clearly change"}[numbers.clearly(changes)]
    return [
        f"From {low} % to {high} % of {models.spec(model).name}'s layers, the {name}'s probability of the action {verdict}: by "
        f"{numbers.mean(changes).change}{also}."
    ]


STUDY = Study(
    "priming-share",
    "Share of primed layers",
    "Do clips get better the more of the network's layers are primed, from the first on? The paper's Table S2 says so: "
    "accuracy and Inception Score grow with the share, by the model itself and by another network.",
    _trials,
    _read,
    {models.PUPPETS: stimuli.EIGHT, "kinetics400": stimuli.FOUR},
    usual={"seeds": 2},
    own=frozenset({"priming_share"}),
)
