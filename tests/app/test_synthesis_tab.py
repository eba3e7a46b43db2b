"""The first tab's news: what the page is told, and that answers which overtake each other do no harm."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest

from app import session, views
from app.jobs import LIVE
from app.synthesis_tab import SynthesisTab
from leaps_core import SynthesisConfig, runs
from tests import tiny

tiny.register()
REQUEST: Any = SimpleNamespace(session_hash="page")
CONFIG = SynthesisConfig(model="tiny", action="bowling", steps=3, judge="none", verifier="none")


@pytest.fixture
def tab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SynthesisTab]:
    monkeypatch.setenv("LEAPS_HOME", str(tmp_path))
    with gr.Blocks():
        yield SynthesisTab(session.build())


def launch(tab: SynthesisTab, config: SynthesisConfig = CONFIG) -> tuple[str, dict[str, Any]]:
    """Starts a run; its key and what the page has seen of it."""
    told = tab.launch("me", config, lambda control, owner: runs.perform(config, control, owner=owner))
    return told[tab.session.key], told[tab.session.seen]


def ended(tab: SynthesisTab, key: str, seen: dict[str, Any]) -> dict[Any, Any]:
    """Asks for news until the run has ended; the last answer."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        told = tab.poll("me", key, None, seen, REQUEST)
        seen = told.get(tab.session.seen, seen)
        if seen["status"] not in LIVE:
            return told
        time.sleep(0.02)
    raise AssertionError("the run did not end within a minute")


def test_the_end_of_a_run_is_told_with_its_files_and_its_key_still_finds_it(tab: SynthesisTab) -> None:
    key, seen = launch(tab)
    told = ended(tab, key, seen)
    assert told[tab.stage.status]["state"] == "done" and told[tab.stage.json].interactive
    views.JOBS._jobs.pop(key)                         # as when it is forgotten
    view = views.find(key, views.owner_of("me"))
    assert view is not None and view.steps[-1] == 3 and views.find(key, views.owner_of("you")) is None


def test_an_answer_about_the_run_before_is_made_good(tab: SynthesisTab) -> None:
    first, seen = launch(tab)
    late = ended(tab, first, seen)                    # arrives after that of the second start
    second, _ = launch(tab, CONFIG.but(action="clapping", steps=2000))
    told = tab.poll("me", second, None, late[tab.session.seen], REQUEST)
    assert told[tab.session.seen]["key"] == second and told[tab.session.seen]["status"] in LIVE
    assert told[tab.stage.stop].interactive and not told[tab.stage.json].interactive
    assert told[tab.stage.timeline].maximum == 2000

    running = tab.poll("me", second, None, told[tab.session.seen], REQUEST)
    run = views.JOBS.run_of(first)
    told = tab.poll("me", run, None, running[tab.session.seen], REQUEST)  # an ended run was opened meanwhile
    assert told[tab.stage.status] == {"state": "done", "text": told[tab.stage.status]["text"]}
    assert told[tab.stage.json].interactive and not told[tab.stage.stop].interactive
    job = views.JOBS.get(second, views.owner_of("me"))
    assert job is not None
    views.JOBS.stop(job)
    ended(tab, second, running[tab.session.seen])
