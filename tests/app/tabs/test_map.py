"""The fourth tab: what the tray is told of a bank that is opened."""

from __future__ import annotations

from pathlib import Path

import gradio as gr
import pytest

from app import map_data, session, tray, views
from app.tabs.map import MapTab


def test_the_tray_shows_a_bank_that_is_opened(monkeypatch: pytest.MonkeyPatch, runs_home: Path) -> None:
    with gr.Blocks():
        shared = session.build()
        with gr.Tabs(), gr.Tab("Map") as shown:
            tab = MapTab(shared, shown)
    seen = []

    def take(file: str) -> str:
        seen.append(tray.going(views.owner_of("me"))["items"])
        assert not tray.going(views.owner_of("somebody else"))["items"]
        return "key"

    monkeypatch.setattr(map_data, "take", take)
    assert tab.open_bank("me", "own.parquet")[tab.bank].value == "key"
    assert [item["title"] for item in seen[0]] == ["Your bank"] and not tray.going(views.owner_of("me"))["items"]
