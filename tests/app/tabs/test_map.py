"""The fourth tab: what is drawn, and what the tray is told of a bank that is opened."""

from __future__ import annotations

from pathlib import Path

import gradio as gr
import pytest

from app import map_data, session, tray, views
from app.map_query import Query
from app.tabs.map import MapTab


@pytest.fixture
def tab(runs_home: Path) -> MapTab:
    with gr.Blocks():
        shared = session.build()
        with gr.Tabs(), gr.Tab("Map") as shown:
            return MapTab(shared, shown)


def test_what_is_drawn_leaves_the_bank_alone_that_is_chosen_meanwhile(tab: MapTab) -> None:
    key = map_data.choices()[0][1]
    for chosen in (None, key):
        *_, drawn = tab.draw(Query(chosen, "umap", "cosine", 2, "me"))
        assert drawn[tab.map]["bank"] == key
        assert ("value" in drawn[tab.bank].constructor_args) == (chosen is None)
    before, *_, fitted = tab.draw(Query(key, "pca", "euclidean", 2, "me"))
    assert "value" not in before[tab.bank].constructor_args, "its list is there at once"
    assert fitted[tab.map]["bank"] == key and tab.bank not in fitted


def test_the_tray_shows_a_bank_that_is_opened(monkeypatch: pytest.MonkeyPatch, tab: MapTab) -> None:
    seen = []

    def take(file: str) -> str:
        seen.append(tray.going(views.owner_of("me"))["items"])
        assert not tray.going(views.owner_of("somebody else"))["items"]
        return "key"

    monkeypatch.setattr(map_data, "take", take)
    assert tab.open_bank("me", "own.parquet")[tab.bank].value == "key"
    assert [item["title"] for item in seen[0]] == ["Your bank"] and not tray.going(views.owner_of("me"))["items"]
