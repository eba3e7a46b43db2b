"""What a public server allows."""

from __future__ import annotations

import pytest

from app import controls, start
from app.comparison import Comparison
from app.jobs import Busy
from app.limits import LimitError, Limits
from app.views import JOBS
from leaps_core.config import SynthesisConfig
from leaps_core.inversion.plan import make_plan


def plan(**settings: object) -> object:
    return make_plan(SynthesisConfig(model="tiny", action="bowling", **settings))  # type: ignore[arg-type]


def test_they_are_read_from_the_environment() -> None:
    assert Limits.of({"PATH": "/bin"}) == Limits()
    found = Limits.of({"LEAPS_LIMIT_STEPS": "200", "LEAPS_LIMIT_MINUTES": "2.5", "LEAPS_LIMIT_RUNS": "None"})
    assert (found.steps, found.minutes, found.runs, found.daily) == (200, 2.5, None, None)


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("STEPS", "many", "LEAPS_LIMIT_STEPS is “many”: input should be a valid integer.*how many steps of a run"),
        ("MINUTES", "0", "LEAPS_LIMIT_MINUTES is “0”: input should be greater than 0"),
        ("UPLOAD", "none", "LEAPS_LIMIT_UPLOAD is “none”"),
        ("STEP", "3", "no limit LEAPS_LIMIT_STEP. Known: .*LEAPS_LIMIT_STEPS"),
    ],
)
def test_what_is_no_limit_is_told(name: str, value: str, sentence: str) -> None:
    with pytest.raises(LimitError, match=sentence):
        Limits.of({f"LEAPS_LIMIT_{name}": value})


def test_runs_that_ask_for_more_are_refused_in_words() -> None:
    Limits.personal().check(plan(steps=10_000))  # type: ignore[arg-type]
    Limits(steps=20).check(plan(steps=20))  # type: ignore[arg-type]
    for limits, said in (
        (Limits(steps=20), "at most 20 steps; this one would have 21 steps. Choose fewer steps"),
        (Limits(pixels=10), "at most 10 pixels; this one would have .* pixels. Choose fewer frames"),
        (Limits(minutes=1e-6), "at most 1e-06 minutes; .* Choose fewer steps, a smaller size"),
    ):
        with pytest.raises(LimitError, match=said):
            limits.check(plan(steps=21))  # type: ignore[arg-type]


def test_a_visitor_is_told_before(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Limits().told() == Limits.personal().told() == ""
    told = Limits(steps=200, minutes=2, daily=20).told()
    assert told == (
        "On this server a run has at most 200 steps, 2 minutes. For each visitor, runs at once: 2, runs in 24 hours: 20."
    )
    assert Limits(daily=20, runs=None).told() == "For each visitor, runs in 24 hours: 20."
    config = SynthesisConfig(model="tiny", action="bowling", steps=30)
    assert "server" not in controls.estimate(config)
    monkeypatch.setattr(JOBS, "limits", Limits(steps=30))
    assert controls.estimate(config).endswith("On this server a run has at most 30 steps. For each visitor, runs at once: 2.")
    with pytest.raises(LimitError, match="at most 30 steps"):
        controls.estimate(config.replace(steps=31))


def test_no_way_of_starting_leads_around_them(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    from leaps_core import runs

    monkeypatch.setenv("LEAPS_HOME", str(tmp_path))
    *_, (run, _) = runs.perform(SynthesisConfig(model="tiny", action="bowling", steps=4), owner="ann")
    monkeypatch.setattr(JOBS, "limits", Limits(steps=3))
    for begin in (
        lambda: start.new("ann", plan(steps=4)),  # type: ignore[arg-type]
        lambda: start.replayed("ann", run),
        lambda: start.resumed("ann", run, 1),
    ):
        with pytest.raises(LimitError, match="at most 3 steps"):
            begin()


def test_a_comparison_is_refused_before_it_begins_and_ends_with_the_day(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(JOBS, "limits", Limits(steps=20))
    with pytest.raises(LimitError, match="at most 20 steps"):
        controls.checked(plan(steps=21))  # type: ignore[arg-type]
    monkeypatch.setattr(JOBS, "limits", Limits(runs=1))
    found = Comparison("eve", [plan(steps=1, seed=seed) for seed in range(2)], ["a", "b"])  # type: ignore[misc]
    monkeypatch.setattr(start, "new", lambda owner, plan: (_ for _ in ()).throw(Busy("1 run is going on")))
    found.advance("page")
    assert found.active and not found.stopped, "another run has to end first"
    monkeypatch.setattr(JOBS, "limits", Limits(daily=1))
    monkeypatch.setattr(JOBS, "left_today", lambda owner: 0)
    found.advance("page")
    assert found.stopped and not found.active, "what waits never begins today"
