"""S6, "knowledge transfer": can a student that has never seen a real clip learn from synthesized ones? DeepInversion's headline
(Yin et al., CVPR 2020), for video."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np

from .. import models
from ..errors import RunError
from . import numbers, pictures, stimuli
from .report import Report, Row, done, first_clips, grouped, values
from .study import Asked, Study, Trial

ARMS = ("synthesized", "real", "noise")
"""What a student learns from: as many clips each, with the teacher's opinion of them."""
MOST = 16
"""Actions that a student can tell apart."""
STUDENTS = 3
"""Students for each of them."""
SYNTHESIS = "clips"
"""The arm of the runs that make the synthesized clips."""


def _trials(asked: Asked, rows: Sequence[Row]) -> list[Trial]:
    if asked.world != models.PUPPETS:
        raise RunError("Students are measured on real clips that nobody learned from, which the bundled world alone can draw.")
    if not 2 <= len(asked.actions) <= MOST:
        raise RunError(f"A student tells {len(asked.actions)} actions apart; expected 2 to {MOST}.")
    found = []
    for model in asked.models:
        synthesis = [
            Trial(
                {"model": model, "arm": SYNTHESIS, "action": action, "seed": seed},
                stimuli.config(
                    asked, model, action, seed, stimuli=()
                ),  # not even coherence may take its measure from a real clip
            )
            for seed in asked.range
            for action in asked.actions
        ]
        made = [row for row in rows if row["model"] == model and row["arm"] == SYNTHESIS]
        found += synthesis + (_students(asked, model, done(made)) if len(made) == len(synthesis) else [])
    return found


def _students(asked: Asked, model: str, clips: Sequence[Row]) -> list[Trial]:
    """Nobody learns before all clips are there; no more real ones, or noise, than were made."""
    from . import student  # torch

    folders = tuple(str(Path(row["folder"]).absolute()) for row in clips)
    if not folders:
        return []
    return [
        Trial(
            # the number of clips, as one that had failed may be made later
            {"model": model, "arm": arm, "action": "", "seed": seed, "clips": len(folders)},
            stimuli.config(asked, model, asked.actions[0], seed),
            partial(student.learn, model, arm, asked.actions, folders, seed),
        )
        for seed in range(STUDENTS)
        for arm in ARMS
    ]


def _read(asked: Asked, rows: Sequence[Row]) -> Report:
    table, claims, points = [], [], dict[str, list[tuple[str, numbers.Interval]]]()
    for (model,), own in grouped(done(rows), "model").items():
        students = {arm: some for (arm,), some in grouped(own, "arm").items() if arm in ARMS}
        for arm in (arm for arm in ARMS if arm in students):
            some = students[arm]
            row = {"model": model, "student learned from": arm, "clips": some[0]["clips"], "students": len(some)}
            row["top-1 on real clips"] = numbers.mean(values(some, "accuracy"), percent=True)
            row["real clips"] = some[0]["held_out"]
            table.append(row)
            points.setdefault(models.spec(model).name, []).append((arm, row["top-1 on real clips"]))
        claims += _claims(asked, model, students)
    figures = {"accuracy": pictures.bars("Students' accuracy on real clips", "top-1", points)} if points else {}
    return Report(table, claims, figures, first_clips([row for row in rows if row["arm"] == SYNTHESIS], "seed"))


def _claims(asked: Asked, model: str, students: dict[str, list[Row]]) -> list[str]:
    if any(arm not in students for arm in ARMS):
        return []
    found = {arm: values(some, "accuracy") for arm, some in students.items()}
    reached, chance = {arm: numbers.mean(some, percent=True) for arm, some in found.items()}, 1 / len(asked.actions)
    rng = np.random.default_rng(0)
    samples = {arm: numbers.resampled(found[arm], rng) - chance for arm in ("synthesized", "real")}
    way = (reached["synthesized"].value - chance) / max(reached["real"].value - chance, 1e-9)
    low, high = np.percentile(samples["synthesized"] / np.maximum(samples["real"], 1e-9), (2.5, 97.5))
    return [
        f"A student that saw only {students['synthesized'][0]['clips']} synthesized clips of {models.spec(model).name} names "
        f"{reached['synthesized']} of real clips; one that saw as many real clips {reached['real']}, one that saw "
        f"noise {reached['noise']}, chance {chance:.0%}: {numbers.Interval(way, low, high, STUDENTS, True)} of the way from "
        "chance to real clips."
    ]


STUDY = Study(
    "transfer",
    "Knowledge transfer",
    "Can a student that has never seen a real clip learn from synthesized ones? A small network is trained from scratch on the "
    "model's opinion of its own clips, and measured on real clips, beside one that learned from as many real clips and one "
    "that learned from noise. The paper names knowledge transfer as a use of its method (S6).",
    _trials,
    _read,
    {models.PUPPETS: stimuli.EIGHT},
    usual={"seeds": 8},
    own=frozenset({"stimuli"}),
)
