"""Whose runs a page shows."""

from __future__ import annotations

from pathlib import Path

import pytest

from app import views
from leaps_core import SynthesisConfig, runs


def test_visitors_have_names_that_tell_nothing_of_their_secret() -> None:
    name = views.owner_of("secret")
    assert name and "secret" not in name and name == views.owner_of("secret") != views.owner_of("other")
    assert views.owner_of(None) != views.owner_of(None), "without a secret, nobody's runs are found"


def test_a_personal_page_shares_its_runs_with_the_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEAPS_HOME", str(tmp_path))
    config = SynthesisConfig(model="tiny", action="bowling", steps=1, judge="none", verifier="none")
    run = [run for run, _ in runs.perform(config)][-1]
    assert views.find(run.id, views.owner_of("me")) is None
    monkeypatch.setattr(views, "PERSONAL", True)
    view = views.find(run.id, views.owner_of("me"))
    assert view is not None and view.steps == [1]
