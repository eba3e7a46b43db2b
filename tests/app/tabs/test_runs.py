"""The third tab: which runs it shows and lets one do something with, and what it says of two."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest

from app import session, views
from app.tabs import runs as runs_tab
from app.tabs.runs import RunsTab
from app.tabs.synthesis import SynthesisTab
from leaps_core import SynthesisConfig, runs
from leaps_core.errors import RunError
from leaps_core.inversion.control import Control

CONFIG = SynthesisConfig(model="tiny", action="bowling", steps=2, judge="none", verifier="none")
ME, OWNER = "me", views.owner_of("me")


@pytest.fixture
def tab(runs_home: Path) -> Iterator[RunsTab]:
    with gr.Blocks():
        shared = session.build()
        with gr.Tabs() as tabs:
            with gr.Tab("Synthesis", id="synthesis"):
                synthesis = SynthesisTab(shared)
            with gr.Tab("Runs", id="runs") as own:
                yield RunsTab(shared, synthesis, tabs, own)


def perform(control: Control | None = None, owner: str = OWNER, **settings: Any) -> runs.Run:
    return [run for run, _ in runs.perform(CONFIG.replace(**settings), control, owner=owner)][-1]


def picked(*found: runs.Run) -> Any:
    return SimpleNamespace(ids=[run.id for run in found])


def test_own_runs_and_demos_are_shown_and_nobody_elses(tab: RunsTab) -> None:
    mine, other = perform(), perform(owner="somebody")
    shown = [card["id"] for card in tab.show_all(ME)[tab.gallery]["cards"]]
    assert mine.id in shown and other.id not in shown and len(shown) == 1 + len(runs.list_runs(owner="nobody"))
    with pytest.raises(RunError):
        tab.choose(ME, picked(other))
    with pytest.raises(RunError):
        tab.delete_run(ME, [other.id])
    assert other.folder.exists()


def test_only_what_can_be_done_with_the_chosen_runs_is_offered(tab: RunsTab) -> None:
    mine, (demo, *others) = perform(), runs.list_runs(owner="nobody")
    assert [run.id for run in others] == sorted(run.id for run in others) and demo.id < others[0].id, "the best first"

    def offered(*found: runs.Run) -> list[bool]:
        told = tab.choose(ME, picked(*found))
        return [told[part].interactive for part in (tab.open, tab.replay, tab.resume, tab.delete)] + [
            told[tab.more].visible,
            told[tab.comparison].visible,
        ]

    assert offered() == [False] * 6
    assert offered(mine) == [True, True, True, True, True, False]
    assert offered(demo) == [True, True, False, False, False, False], "a demo stays what it is"
    assert offered(mine, demo) == [False, False, False, False, False, True]
    seen = tab.choose(ME, picked(mine, demo))[tab.table]
    assert "| objects | – | sea snake 4" in seen.replace("\N{NO-BREAK SPACE}", " "), "what an object judge saw, too"


def test_a_note_is_kept_shown_and_found_again(tab: RunsTab) -> None:
    mine, demo = perform(), runs.list_runs(owner="nobody")[0]
    told = tab.choose(ME, picked(mine))[tab.note]
    assert told.visible and told.value == "" and not tab.choose(ME, picked(demo))[tab.note].visible
    tab.annotate(ME, mine.id, "a trunk, " * 20)
    assert tab.choose(ME, picked(mine))[tab.note].value == ("a trunk, " * 20).strip()
    card = tab.show_all(ME)[tab.gallery]["cards"][0]
    assert card["id"] == mine.id and card["lines"][-1].startswith("“a trunk, a trunk") and len(card["lines"][-1]) < 90
    with pytest.raises(RunError):
        tab.annotate("somebody else", mine.id, "mine")
    assert tab.choose(ME, picked(mine))[tab.noted] == mine.id
    assert tab.choose(ME, picked(demo))[tab.noted] == tab.choose(ME, picked(mine, demo))[tab.noted] == ""
    tab.annotate(ME, "", "of no run")
    tab.annotate(ME, mine.id, None)
    assert len(tab.show_all(ME)[tab.gallery]["cards"][0]["lines"]) == len(card["lines"]) - 1


def test_a_deleted_run_is_gone_and_what_was_chosen_stays_chosen(tab: RunsTab) -> None:
    first, second = perform(seed=1), perform(seed=2)
    told = tab.show_all(ME, [first.id, "gone"])
    assert told[tab.chosen] == [first.id] == told[tab.gallery]["chosen"]
    told = tab.delete_run(ME, [first.id])
    assert not first.folder.exists() and second.folder.exists() and told[tab.chosen] == []
    with pytest.raises(RunError, match="Choose one run first"):
        tab.delete_run(ME, [])


def test_a_run_goes_on_in_its_folder_and_is_replayed_in_another(tab: RunsTab) -> None:
    run = perform()
    told = tab.resume_run(ME, [run.id], 3)
    job = views.JOBS.get(told[tab.session.key], OWNER)
    job.worker.join(60)
    assert runs.find(run.id).done == 5 and job.config.steps == 5 and told[tab.tabs].selected == "synthesis"
    told = tab.replay_run(ME, [run.id])
    views.JOBS.get(told[tab.session.key], OWNER).worker.join(60)
    assert len(runs.list_runs(demos=False, owner=OWNER)) == 2


def test_the_steps_that_a_stopped_run_has_left_are_suggested(tab: RunsTab) -> None:
    control = Control()
    for run, step in runs.perform(CONFIG.replace(steps=9), control, owner=OWNER):  # noqa: B007
        if step.index == 4:
            control.stop()
    assert tab.choose(ME, picked(run))[tab.more].value == 5
    assert tab.choose(ME, picked(perform()))[tab.more].value == runs_tab.MORE_STEPS


def test_two_runs_are_set_side_by_side(tab: RunsTab) -> None:
    control = Control([{"step": 2, "field": "coherence", "value": 0.0}])
    a, b = perform(control), perform(seed=3, stimuli=("bundled:4",))
    text = tab.choose(ME, picked(a, b))[tab.table]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("|")]
    rows = {name: pair for name, *pair in cells}
    assert rows["Seed"] == ["0", "3"] and rows["Stimuli"] == ["bundled:0", "bundled:4"]
    assert rows["changed while running"] == ["Coherence: 0 from step 2 on", "–"]
    assert rows["judge's opinion"] == ["–", "–"] and rows["model's opinion"][0].endswith("%")
    assert "Model" not in rows, "equal settings are left out"
    assert "Mean difference of the pixels:" in text
    assert runs_tab._cell(["/somewhere/a.mp4"]) == "a.mp4", "folders of the server stay its own"
