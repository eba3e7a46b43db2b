"""The tab of studies: what it offers, begins and shows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr
import pytest

from app import studies, views
from app.tabs.studies import StudiesTab
from leaps_core import banks, paths
from leaps_core.errors import ConfigError, RunError
from leaps_core.studies import catalogue, kept
from leaps_core.studies.study import Asked


@pytest.fixture
def tab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StudiesTab:
    monkeypatch.setenv("LEAPS_HOME", str(tmp_path))
    monkeypatch.setattr(paths, "FINDINGS", tmp_path / "shipped")
    monkeypatch.setattr(views, "PERSONAL", True)
    with gr.Blocks(), gr.Tab("Studies") as made:
        return StudiesTab(made)


def finished(name: str) -> Path:
    """The folder of a study that has a table."""
    study, asked = catalogue.find("priming-share"), Asked(("tiny",), ("bowling",))
    place = kept.Kept(kept.place(study, asked).with_name(name), study, asked).path
    (place / "table.md").write_text(f"| {name} |\n| --- |\n")
    return place


def test_it_opens_on_the_newest_study_or_says_that_there_is_none(tab: StudiesTab) -> None:
    empty: Any = tab.fill(None, None, None)
    assert empty[tab.line] == "No study was begun yet." and empty[tab.models].value == ["puppet_r50"]
    finished("one")
    shown: Any = tab.fill(None, ["puppet_csn", "gone"], None)
    assert shown[tab.table].startswith("| one |") and shown[tab.models].value == ["puppet_csn"]
    assert "juggling balls" in dict(shown[tab.actions].choices)


def test_another_study_is_shown_and_no_other_folder_ever(tab: StudiesTab) -> None:
    finished("one"), finished("two")
    one: Any = tab.show("one")
    assert one[tab.table].startswith("| one |") and one[tab.results].value == "one"
    outside: Any = tab.show("../../etc")
    assert outside[tab.results].value in ("one", "two")


def test_why_a_study_ended_at_once_is_shown_and_another_may_begin(tab: StudiesTab) -> None:
    place = paths.studies() / "short"
    place.mkdir(parents=True)
    (place / studies.PROCESS).write_text("[1, 0]")
    (place / "log.txt").write_text("leaps: There is no room.\n")
    shown: Any = tab.follow("short", [True, 0])
    assert shown[tab.line] == "There is no room." and shown[tab.start].interactive and not shown[tab.timer].active


def test_news_come_when_there_are_some(tab: StudiesTab) -> None:
    place = finished("one")
    shown: Any = tab.show("one")
    told = shown[tab.told]
    assert set(tab.follow("one", told)) == {tab.line}
    (place / "table.md").write_text("| more |\n| --- |\n")
    again: Any = tab.follow("one", [False, 0])
    assert again[tab.table].startswith("| more |")
    assert tab.follow("gone", None)[tab.timer].active is False


def test_a_study_begins_with_what_was_chosen(tab: StudiesTab, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Asked] = []

    def begin(study: Any, one: Asked) -> studies.Shown:
        asked.append(one)
        return studies.Shown(finished("one"))

    monkeypatch.setattr(studies, "begin", begin)
    shown: Any = tab.begin("grid", ["puppet_csn"], [], 3, " ~/clips ", "steps=60  canvas=pixels", 13)
    given = Asked(("puppet_csn",), (), 3, stimuli=Path.home() / "clips", settings={"steps": 60, "canvas": "pixels"}, budget=13)
    assert asked.pop() == given and shown[tab.results].value == "one"
    tab.begin("priming-share", ["puppet_csn"], [], 1, "", "", 13)
    assert asked.pop() == Asked(("puppet_csn",), (), 1), "others are no search"
    with pytest.raises(ConfigError, match="Choose a model first"):
        tab.begin("grid", [], [], 1, "", "", 0)
    for words, sentence in (("steps", "expected FIELD=VALUE"), ("stops=3", "no setting"), ('canvas="pixels', "can't be read")):
        with pytest.raises(ConfigError, match=sentence):
            tab.begin("grid", ["puppet_csn"], [], 1, "", words, 0)
    told: Any = tab.explain("grid")
    assert told[tab.seeds] == 1 and "125 points" in told[tab.about] and told[tab.budget].visible
    assert not tab.explain("models")[tab.budget].visible
    known = [str(path) for path in banks.found()]
    tab.begin("embedding", ["puppet_csn"], [], 32, "", "", 0, known[:2])
    assert asked.pop() == Asked(("puppet_csn",), (), 32, banks=tuple(map(Path, known[:2])))
    told = tab.explain("embedding")
    assert told[tab.banks].visible and not told[tab.budget].visible and not tab.explain("grid")[tab.banks].visible
    assert known and [path for _, path in tab.fill("grid", None, None)[tab.banks].choices] == known


def test_a_public_page_begins_and_stops_none(tab: StudiesTab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views, "PERSONAL", False)
    monkeypatch.setattr(studies, "stop", lambda shown: pytest.fail("it was stopped"))
    finished("one")
    with pytest.raises(RunError, match="a public page shows them only"):
        tab.begin("grid", ["puppet_csn"], [], 1, "", "", 0)
    tab.end("one")


def test_where_nobody_made_one_it_opens_on_one_that_is_shipped(tab: StudiesTab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    shown: Any = tab.show("priming-share")
    assert "| puppet_r50 | 20 % |" in shown[tab.table] and "an example" in shown[tab.line]
    assert shown[tab.figures[0]].visible and "<img" in shown[tab.pictures]
    opened: Any = tab.show(None)
    assert opened[tab.results].value == "counterfactual" and "<img" in opened[tab.pictures], "by name: one with pictures"
