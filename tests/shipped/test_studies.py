"""Studies that come with the program."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from leaps_core import paths
from leaps_core.errors import RunError
from leaps_core.shipped.studies import ship, ship_picture


def test_what_is_looked_at_is_taken_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "FINDINGS", tmp_path / "findings")
    folder = tmp_path / "study"
    with pytest.raises(RunError, match="no finished study"):
        ship(folder, "one")
    (folder / "runs" / "a").mkdir(parents=True)
    for name in ("study.json", "progress.json", "loss.json", "table.md", "table.csv", "loss.svg", "runs/a/run.json"):
        (folder / name).write_text("{}")
    for name in ("loss.png", "bowling.png", "sheet.webp"):
        Image.new("RGB", (8, 8)).save(folder / name)
    for _ in range(2):
        found = {path.name for path in ship(folder, "one").iterdir()}
        assert found == {"study.json", "progress.json", "loss.json", "table.md", "sheet.webp", "bowling.webp"}


def test_a_picture_of_a_study_is_taken_into_the_docs(tmp_path: Path) -> None:
    folder, docs = tmp_path / "study", tmp_path / "docs"
    folder.mkdir()
    (folder / "study.json").write_text("{}")
    with pytest.raises(RunError, match="no finished study: sheet.webp is missing"):
        ship_picture(folder, "mine", "sheet.webp", docs)
    Image.new("RGB", (8, 8)).save(folder / "sheet.webp")
    assert ship_picture(folder, "mine", "sheet.webp", docs) == docs / "pictures" / "mine.webp"
    assert (docs / "pictures" / "mine.webp").read_bytes() == (folder / "sheet.webp").read_bytes()


def test_those_that_are_shipped_name_nobodys_folders() -> None:
    shipped = sorted(paths.FINDINGS.glob("*/study.json"))
    assert shipped
    for path in shipped:
        assert json.loads(path.read_text())["stimuli"] is None
        assert sum(file.stat().st_size for file in path.parent.iterdir()) < 3e6
