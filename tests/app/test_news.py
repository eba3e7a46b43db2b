"""How soon a page asks again."""

from __future__ import annotations

from typing import Any

import pytest

from app import news
from app.jobs import Job
from app.session import LATER, SOON
from leaps_core.inversion.control import Control
from tests.inversion.helpers import config


def job(*seconds: float) -> Job:
    metrics: list[dict[str, Any]] = [{"step": step, "seconds": at} for step, at in enumerate(seconds, 1)]
    return Job("somebody", config(), Control(), lambda control: iter(()), metrics)


@pytest.mark.parametrize(
    ("seconds", "place", "expected"),
    [((), 0, SOON), ((0.1, 0.2), 0, SOON), ((1.0, 3.5), 0, news.STEADY), ((), 2, SOON + 1.0), ((), 50, LATER)],
)
def test_it_asks_often_while_something_should_stir(
    monkeypatch: pytest.MonkeyPatch, seconds: tuple[float, ...], place: int, expected: float
) -> None:
    monkeypatch.setattr(news.JOBS, "place", lambda job: place)
    assert news.pause(job(*seconds)) == expected


@pytest.mark.parametrize(("ready", "moving", "expected"), [(True, False, LATER), (True, True, SOON), (False, False, SOON)])
def test_a_page_on_which_no_run_goes_on_rests_unless_something_else_does(
    monkeypatch: pytest.MonkeyPatch, ready: bool, moving: bool, expected: float
) -> None:
    monkeypatch.setattr(news.preload, "ready", lambda: ready)
    assert news.rest(moving) == expected
