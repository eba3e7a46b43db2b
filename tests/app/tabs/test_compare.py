"""The tab that compares: what a page that was reloaded finds again."""

from __future__ import annotations

import json
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest

from app import comparison, session, views
from app.settings_panel import FIRST
from app.tabs.compare import CompareTab

REQUEST: Any = SimpleNamespace(session_hash="page")


@pytest.fixture
def tab(runs_home: Path) -> CompareTab:
    with gr.Blocks(), gr.Tab("Compare") as place:
        return CompareTab(session.build(), place)


def test_a_reloaded_page_goes_on_with_the_comparison_that_its_browser_remembers(tab: CompareTab) -> None:
    begun = tab.begin("me", ["tiny"], "bowling", "seed", "0, 1", 5, "none", 0, None, 0)
    assert isinstance(tab.key, gr.BrowserState)
    key, end = begun[tab.key], time.monotonic() + 60
    found = comparison.find(key, views.owner_of("me"))
    assert found is not None and not found.jobs
    assert tab.before("me", key) == gr.skip(), "it is not covered by an example"
    assert tab.follow("somebody", key, None, REQUEST) == gr.skip()
    while found.active and time.monotonic() < end:
        tab.follow("me", key, None, REQUEST)
        time.sleep(0.05)
    told = tab.follow("me", key, None, REQUEST)
    assert told[tab.line].startswith("2 of 2 runs have ended") and told[tab.picture].interactive


def test_where_the_comparison_is_forgotten_an_example_is_shown(tab: CompareTab) -> None:
    assert tab.follow("me", "of the server before", None, REQUEST) == gr.skip()
    example = tab.before("me", "of the server before")
    assert len(example[tab.table].splitlines()) == 4 and "done" in example[tab.table], "two clips, their figures"
    assert example[tab.plot].visible and len(json.loads(example[tab.plot].value["plot"])["data"]) == 2


def test_an_action_is_there_from_the_beginning(tab: CompareTab) -> None:
    common = tab.choose(["tiny", "tiny_verifier"], None, "none")[tab.action]
    assert common.value == FIRST and dict(common.choices)[FIRST]
    assert tab.choose(["tiny"], "bowling", "none")[tab.action].value == "bowling"
