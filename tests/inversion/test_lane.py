"""Runs that go through the loop side by side, in one batch."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from leaps_core import models
from leaps_core.errors import LeapsError, RunError
from leaps_core.inversion import lane, loop
from leaps_core.inversion.control import Control
from leaps_core.inversion.loop import synthesize, synthesize_together
from leaps_core.inversion.networks import Networks
from leaps_core.inversion.plan import Plan, make_plan
from leaps_core.inversion.step import Step
from leaps_core.inversion.terms import Term
from tests.inversion.helpers import config

SETTINGS: list[dict[str, Any]] = [
    {"seed": 1, "action": "tai chi", "views": 2},
    {"seed": 2, "priming_share": 40, "views": 2},
    {"seed": 3, "r": 0.05, "noise": 0.3, "stimuli": (), "views": 2},
]
"""They differ in whatever runs of one batch may differ in."""


def plans(settings: list[dict[str, Any]], **more: Any) -> list[Plan]:
    return [make_plan(config(**one, **more)).primed() for one in settings]


def together(settings: list[dict[str, Any]], **more: Any) -> list[list[Step]]:
    """The steps of each, a step of all at a time."""
    made = plans(settings, **more)
    return [list(steps) for steps in zip(*synthesize_together(made, [Control() for _ in made]), strict=True)]


def test_runs_in_one_batch_are_the_runs_that_they_would_be_alone() -> None:
    for number, steps in enumerate(zip(*together(SETTINGS), strict=True)):
        alone = list(synthesize(config(**SETTINGS[number])))
        assert [step.index for step in steps] == [step.index for step in alone]
        for one, other in zip(steps, alone, strict=True):
            assert one.weighted == pytest.approx(other.weighted, rel=1e-3, abs=1e-4)
            assert one.probabilities == pytest.approx(other.probabilities, rel=1e-3, abs=1e-4)
            assert torch.allclose(one.clip, other.clip, atol=1e-3) and one.top5[0][0] == other.top5[0][0]
        assert steps[-1].final and steps[-1].final["judge_top1"] == (alone[-1].final or {})["judge_top1"]


def test_in_bfloat16_they_are_so_bit_for_bit() -> None:
    quick = {"model": "puppet_csn", "verifier": "auto", "judge": "none", "frames": 8, "size": 64, "precision": "bfloat16"}
    settings = [{**quick, "seed": seed, "steps": 3} for seed in range(4)]
    for number, steps in enumerate(zip(*together(settings), strict=True)):
        *_, alone = synthesize(config(**settings[number]))
        assert torch.equal(steps[-1].clip, alone.clip)


def test_all_of_them_take_one_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    glance = Networks.glance

    def counted(self: Networks, views: Any, *rest: Any) -> Any:
        seen.append(len(views))
        return glance(self, views, *rest)

    monkeypatch.setattr(Networks, "glance", counted)
    steps = together(SETTINGS)
    assert seen == [3] * 6 and [step.seconds for step in steps[-1]] == pytest.approx([steps[-1][0].seconds] * 3, rel=0.5)


def test_one_that_ends_early_leaves_the_others_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    bad = Term("bad", lambda seen: seen.clip.sum() * (float("nan") if seen.settings.seed == 2 else 0.0))
    monkeypatch.setattr(loop, "TERMS", (*loop.TERMS, bad))
    made = plans(SETTINGS)
    first, second, third = synthesize_together(made, [Control() for _ in made])
    assert next(first).index == 1
    with pytest.raises(LeapsError, match="“bad” became nan at step 1"):
        next(second)
    third.close()  # type: ignore[attr-defined]
    assert [step.index for step in first] == [2, 3, 4, 5, 6]


def test_stopped_ones_end_with_their_scores() -> None:
    made, controls = plans(SETTINGS), [Control() for _ in SETTINGS]
    streams = synthesize_together(made, controls)
    steps = [next(stream) for stream in streams]
    controls[0].stop()
    assert [(step.index, step.final is None) for step in streams[0]] == [(1, False)]
    assert [step.index for step in streams[1]] == [2, 3, 4, 5, 6] and len(steps) == 3


def test_what_breaks_the_batch_breaks_all(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*rest: Any) -> Any:
        raise RunError("no")

    monkeypatch.setattr(lane.Networks, "glance", broken)
    first, second = synthesize_together(plans(SETTINGS[:2]), [Control(), Control()])
    with pytest.raises(RunError, match="^no$"):
        next(first)
    with pytest.raises(RunError, match="broke off, and this one with it"):
        next(second)


def test_who_can_keep_each_other_company() -> None:
    one, *others = plans(SETTINGS)
    assert all(other.company == one.company for other in others)
    apart = [
        {"views": 1},
        {"steps": 7},
        {"size": 64},
        {"verifier": "none"},
        {"precision": "bfloat16"},
        {"coarse": 0.0},
        {"verify_every": 2},
    ]
    for settings in apart:
        assert make_plan(config(**{"views": 2, **settings})).company != one.company, settings
    assert models.spec("tiny").key == one.company[0]
