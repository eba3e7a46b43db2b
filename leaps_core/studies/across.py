"""Figures S1 to S4, and the last column of Table S1: the same action and stimulus through many models."""

from __future__ import annotations

from collections.abc import Sequence

from .. import models
from . import numbers, pictures, stimuli
from .report import TERMS, Report, Row, done, first_clips, grouped, paper_loss, values
from .study import Asked, Study, Trial

FEWEST = 6
"""Models from which on a correlation is told."""


def _trials(asked: Asked, rows: Sequence[Row]) -> list[Trial]:
    stimuli.need(asked, STUDY.name)
    return [
        Trial({"model": model, "action": action, "seed": seed}, stimuli.config(asked, model, action, seed))
        for seed in asked.range
        for action in asked.actions
        for model in asked.models
    ]


def _read(asked: Asked, rows: Sequence[Row]) -> Report:
    table, points = [], []
    for (model,), some in grouped(done(rows), "model").items():
        row = {"model": model, "primed layers": some[0]["primed"], "n": len(some)}
        row["final loss"] = numbers.mean(list(map(paper_loss, some)))
        row |= {name.replace("_", " "): numbers.mean(values(some, f"loss_{name}")) for name in TERMS}
        row |= {f"top-1, {name}": numbers.share(values(some, f"top1_{name}")) for name in ("model", "judge")}
        table.append(row)
        points.append((some[0]["primed"], row["final loss"], model))
    figures = {"loss": pictures.scatter("Final loss over the number of primed layers", "primed layers", "final loss", points)}
    layouts = {
        action: [(models.spec(row["model"]).name, row["run"]) for row in some if row["seed"] == asked.first_seed]
        for (action,), some in grouped(done(rows), "action").items()
    }
    return Report(table, _claims(points), figures if points else {}, first_clips(rows, "model"), layouts=layouts)


def _claims(points: Sequence[tuple[int, numbers.Interval, str]]) -> list[str]:
    """Whether the loss grows with the number of layers, by Spearman's rank correlation over the models; how often chance would
    have it by exchanging the models' losses."""
    from scipy.stats import permutation_test, rankdata, spearmanr

    if len(points) < FEWEST or len({layers for layers, _, _ in points}) < 2:
        return [f"{len(points)} models are too few to say whether the loss grows with the number of primed layers."]
    layers, losses = (rankdata(values) for values in zip(*((layers, one.value) for layers, one, _ in points), strict=True))
    rho = spearmanr(layers, losses).statistic
    chance = permutation_test(
        (losses,), lambda ranks, axis=-1: (ranks * layers).sum(axis), permutation_type="pairings", vectorized=True, rng=0
    )
    word = "grows with" if chance.pvalue < 0.05 and rho > 0 else "does not clearly grow with"
    return [
        f"Over {len(points)} models, the final loss {word} the number of primed layers (Spearman's ρ {rho:.2f}, "
        f"p {chance.pvalue:.2f}); the paper notes that it grows."
    ]


STUDY = Study(
    "models",
    "Many models",
    "What do other networks make of the same action and stimulus? The paper's Figures S1 to S4, and the last column of its "
    "Table S1, the average final loss, which it notes to grow with the number of primed layers.",
    _trials,
    _read,
    {models.PUPPETS: stimuli.FOUR, "kinetics400": stimuli.FOUR},
    usual={"seeds": 1},
    fewest=2,
)
