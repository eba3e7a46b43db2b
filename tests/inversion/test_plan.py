"""What a run will do, decided once; and what is refused before anything is done."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from leaps_core import machine, models, runs
from leaps_core.config import SynthesisConfig
from leaps_core.errors import ConfigError, LeapsError, ModelError, RunError
from leaps_core.inversion import plan as planning
from leaps_core.inversion.loop import synthesize
from leaps_core.inversion.plan import make_plan
from tests.inversion.helpers import config


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"model": "tinny"}, "Did you mean “tiny”"),
        ({"action": "bowlin"}, "Did you mean “bowling”"),
        ({"model": "tiny_judge"}, "judge"),
        ({"verifier": "tiny_judge"}, "judge"),
        ({"verifier": "tiny_tokens"}, "no batch norm"),
        ({"verifier": "x3d_xs"}, "verifier of the same world"),
        ({"model": "x3d_xs", "action": "zumba", "verifier": "tiny_verifier"}, "verifier of the same world"),
        ({"model": "x3d_xs", "action": "zumba", "verifier": "s3d", "judge": "none"}, "4 frames; “s3d” needs 8"),
        ({"judge": "tiny_verifier"}, "takes part"),
        ({"size": 33}, "multiples of 8"),
        ({"frames": 2}, "4 or more"),
        ({"stimuli": ("bundled:x",)}, "bundled:SEED"),
        ({"stimuli": ("missing.mp4",)}, "missing.mp4"),
    ],
)
def test_bad_configs_are_refused_with_a_sentence(settings: dict, sentence: str) -> None:
    with pytest.raises(LeapsError, match=sentence):
        synthesize(config(**settings))


@pytest.mark.parametrize(
    "settings", [{"steps": 0}, {"r": float("nan")}, {"learning_rate": -1}, {"colour": 2.0}, {"canvas": "oil"}, {"unknown": 1}]
)
def test_values_out_of_range_are_refused(settings: dict) -> None:
    with pytest.raises(ConfigError):
        config(**settings)


def test_a_run_without_weights_is_refused_before_it_begins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEAPS_HOME", str(tmp_path / "leaps"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    config = SynthesisConfig(model="x3d_xs", action="zumba", stimuli=())
    with pytest.raises(ModelError, match="download x3d_xs"):
        synthesize(config)
    with pytest.raises(ModelError, match="download x3d_xs"):
        next(runs.perform(config))
    assert not list((tmp_path / "leaps").rglob("run.json")), "no run is left behind"


def counting(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, calls: list[str]) -> None:
    """Note each call of a function, which still does its work."""
    real: Callable[..., Any] = getattr(owner, name)

    def counted(*values: Any, **options: Any) -> Any:
        calls.append(name)
        return real(*values, **options)

    monkeypatch.setattr(owner, name, counted)


def test_one_start_resolves_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEAPS_HOME", str(tmp_path))
    calls: list[str] = []
    for owner, name in ((models, "resolve"), (models, "require_weights"), (planning, "stimulus_clips")):
        counting(monkeypatch, owner, name, calls)
    plan = make_plan(config(steps=2))
    *_, (run, step) = list(runs.perform(plan))
    assert sorted(calls) == ["require_weights", "resolve", "stimulus_clips"]
    assert step.final is not None and run.status == "done" and run.config == plan.config


def test_a_plan_has_all_that_follows_from_a_config() -> None:
    plan = make_plan(config(steps=20, coarse=0.3))
    assert plan.shape == (8, 32, 32) and plan.stages == ((6, (8, 16, 16)), (14, (8, 32, 32)))
    assert [plan.shape_at(done)[1] for done in (0, 5, 6, 19, 20, 99)] == [16, 16, 32, 32, 32, 32]
    assert plan.cast == models.resolve(plan.config) and plan.notices == () and plan.stimulus is None
    whole = make_plan(config(coarse=0.0))
    assert whole.stages == ((whole.config.steps, whole.shape),)
    small = make_plan(config(size=16, coarse=0.5))  # there is nothing smaller
    assert small.stages == ((small.config.steps, (8, 16, 16)),)
    three = make_plan(config(size=64, steps=20, coarse=0.35, sizes=3))  # the odd step goes to the smallest
    assert three.stages == ((4, (8, 24, 24)), (3, (8, 48, 48)), (13, (8, 64, 64)))
    longer = plan.with_steps(40)
    assert (longer.config.steps, longer.cast, longer.stages[0][0]) == (40, plan.cast, 12)
    assert longer.estimate.seconds > 1.5 * plan.estimate.seconds and plan.config.steps == 20


def test_a_plan_reads_its_stimulus_when_it_is_asked_to(tmp_path: Path) -> None:
    plan = make_plan(config(stimuli=("bundled:3", "bundled:4"), verifier="none"))
    primed = plan.primed()
    assert primed.stimulus is not None and primed.stimulus.shape == (2, 8, 32, 32, 3) and plan.stimulus is None
    assert primed.primed() is primed and primed.notices == plan.notices and len(plan.notices) == 1
    mine = np.zeros((1, 4, 4, 4, 3), np.uint8)
    assert plan.with_stimulus(mine).primed().stimulus is mine and make_plan(plan.config, mine).primed().stimulus is mine
    lost = make_plan(config(stimuli=(str(tmp_path / "lost.mp4"),)))
    with pytest.raises(LeapsError, match="lost.mp4"):
        lost.primed()


def test_weights_may_be_left_out_of_a_plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEAPS_HOME", str(tmp_path))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    asked = SynthesisConfig(model="x3d_xs", action="zumba")
    with pytest.raises(ModelError, match="download x3d_xs"):
        make_plan(asked)
    assert make_plan(asked, weights=False).estimate.seconds > 0


def test_too_little_memory_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = make_plan(config())
    plan.check_memory()
    monkeypatch.setattr(machine, "free_memory", lambda device: plan.estimate.memory - 1)
    with pytest.raises(RunError, match="needs about 0.5 GiB of memory, 0.5 GiB are free. 8 frames of 24×24 would fit"):
        plan.check_memory()
    smallest = make_plan(config(size=16)).estimate.memory
    assert plan.advice(smallest) == "8 frames of 16×16 would fit."
    assert make_plan(config(size=16)).advice(smallest - 1) == "7 frames of 16×16 would fit."
    assert plan.advice(1.0).startswith("Choose a smaller model")


def test_a_given_stimulus_takes_the_place_of_the_plans_own() -> None:
    plan = make_plan(config())
    given = np.random.default_rng(1).integers(0, 256, (1, *plan.shape, 3), np.uint8)
    assert np.array_equal(planning.as_plan(plan, given).stimulus, given)
    by_plan, by_config = ([*synthesize(asked, stimulus=given)][-1].losses for asked in (plan, plan.config))
    assert by_plan == by_config != [*synthesize(plan)][-1].losses
