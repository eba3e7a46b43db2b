"""The tray: what goes on, for whom, and how far it is."""

from __future__ import annotations

import json
from pathlib import Path

import psutil
import pytest

from app import tray, views


def test_work_is_shown_while_it_goes_on_to_whom_it_belongs(monkeypatch: pytest.MonkeyPatch) -> None:
    assert tray.going("me") == {"items": []}
    with tray.working("Map", "me") as tell, tray.working("Download") as load:
        assert [(one["title"], one["share"], one["said"]) for one in tray.going("me")["items"]] == [
            ("Map", None, ""),
            ("Download", None, ""),
        ]
        assert [one["title"] for one in tray.going("other")["items"]] == ["Download"]
        now = tray.time.monotonic()
        monkeypatch.setattr(tray.time, "monotonic", lambda: now + 30)
        tell(1, 4)
        load(3, None)
        first, second = tray.going("me")["items"]
        assert first["share"] == 0.25 and first["said"] in ("25 % · about 90 s left", "25 % · about 2 min left")
        assert second["share"] is None and second["said"] == ""
    assert tray.going("me") == {"items": []}


def test_work_that_fails_is_gone_from_the_tray() -> None:
    with pytest.raises(RuntimeError), tray.working("Map", "me"):
        raise RuntimeError
    assert tray.going("me") == {"items": []}


def test_a_page_is_told_only_what_it_does_not_show() -> None:
    there = tray.build()
    assert tray.news(there, "me", {"items": []}) == {}
    with tray.working("Map", "me"):
        told = tray.news(there, "me", {"items": []})[there]
        assert tray.news(there, "me", told) == {}
        assert tray.news(there, "me", None) == {there: told}


def test_studies_are_in_the_tray_of_a_personal_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEAPS_HOME", str(tmp_path))
    place, this = tmp_path / "studies" / "one", psutil.Process()
    place.mkdir(parents=True)
    (place / "study.json").write_text('{"study": "models"}')
    (place / "progress.json").write_text('{"done": 1, "total": 4, "failed": 0, "left": 300.0}')
    (place / tray.studies.PROCESS).write_text(json.dumps([this.pid, this.create_time()]))
    assert tray.going("") == {"items": []}, "nobody's business but its owner's"
    monkeypatch.setattr(views, "PERSONAL", True)
    (item,) = tray.going("")["items"]
    assert item["share"] == 0.25 and item["said"] == "25 % · about 5 min left" and item["title"]
    (place / "progress.json").unlink()
    assert [item["said"] for item in tray.going("")["items"]] == [""]
    (place / "study.json").unlink()
    assert tray.going("") == {"items": []}, "its process has not written down yet which one it is"
