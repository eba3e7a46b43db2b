"""Studies in the page: their processes, and their folders as they are shown."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
import pytest
from PIL import Image

from app import studies
from leaps_core import machine, models, paths
from leaps_core.cli import _parser
from leaps_core.cli.synth import setting
from leaps_core.errors import RunError
from leaps_core.studies import catalogue, kept
from leaps_core.studies.study import Asked

STUDY = catalogue.find("priming-share")
ASKED = Asked(("tiny",), ("bowling",), seeds=1)


class Process:
    """A process that runs until it is told to stop."""

    def __init__(self, command: list[str], **options: Any) -> None:
        self.command, self.options, self.pid, self.signals = command, options, 4, list[int]()

    def poll(self) -> int | None:
        return 130 if self.signals else None

    def send_signal(self, number: int) -> None:
        self.signals.append(number)


@pytest.fixture(autouse=True)
def begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """No process is begun; how far each would stand back."""
    nice: list[int] = []
    monkeypatch.setenv("LEAPS_HOME", str(tmp_path))
    monkeypatch.setattr(paths, "FINDINGS", tmp_path / "shipped")
    monkeypatch.setattr(studies.subprocess, "Popen", Process)
    monkeypatch.setattr(
        studies.psutil, "Process", lambda pid: type("P", (), {"nice": lambda self, value: nice.append(value)})()
    )
    monkeypatch.setattr(studies, "_begun", {})
    return nice


def folder(name: str = "one") -> Path:
    """A study's folder with a table, a figure and a sheet."""
    place = kept.Kept(Path(kept.place(STUDY, ASKED)).with_name(name), STUDY, ASKED).path
    (place / "table.md").write_text("| a |\n| --- |\n| 1 |\n")
    (place / "loss.json").write_text(go.Figure(go.Scatter(x=[1], y=[2])).to_json())
    for picture in ("sheet.webp", "bowling.png", "loss.png"):
        Image.new("RGB", (8, 8)).save(place / picture)
    return place


def test_a_study_is_a_process_of_its_own_that_gives_way(begun: list[int]) -> None:
    shown = studies.begin(STUDY, ASKED)
    process: Any = studies._begun[shown.folder]
    assert process.command[1:5] == ["-m", "leaps_core", "study", "priming-share"] and "--stimuli" not in process.command
    assert process.command[process.command.index("--actions") + 1] == "bowling"
    assert begun == [studies.NICE] and process.options["start_new_session"]
    assert int(process.options["env"]["OMP_NUM_THREADS"]) == max(1, machine.cores() // 2), "a visitor's run has the others"
    assert shown.running and shown.line == "It is beginning." and shown.folder == kept.place(STUDY, ASKED)
    with pytest.raises(RunError, match="carried out already"):
        studies.begin(STUDY, ASKED)
    studies.stop(shown)
    assert process.signals == [signal.SIGINT] and not shown.running


def test_settings_and_budget_travel_to_the_process() -> None:
    asked = Asked(("tiny",), ("bowling",), seeds=1, settings={"steps": 3, "canvas": "pixels"}, budget=2)
    process: Any = studies._begun[studies.begin(catalogue.find("grid"), asked).folder]
    options = _parser(()).parse_args(process.command[3:])
    assert dict(map(setting, options.set)) == asked.settings and options.budget == 2 and options.model == ["tiny"]


def test_what_cant_be_asked_begins_no_process() -> None:
    with pytest.raises(RunError, match="no real clip of “juggling balls”"):
        studies.begin(STUDY, Asked(("i3d",)))
    assert not studies._begun


def test_it_is_told_how_far_a_study_is() -> None:
    shown = studies.Shown(folder())
    assert shown.line == "Nothing has been made yet."
    progress = {"done": 3, "total": 40, "failed": 1, "left": 200.0}
    (shown.folder / "progress.json").write_text(json.dumps(progress))
    assert shown.line.startswith("3 of 40 runs, 1 failed · stopped, or carried out elsewhere")
    studies._begun[shown.folder] = Process([])  # type: ignore[assignment]
    assert shown.line == "3 of 40 runs, 1 failed, about 3 min left"
    studies._begun.clear()
    (shown.folder / "progress.json").write_text(json.dumps({**progress, "done": 40, "failed": 0}))
    assert shown.line == "Done: 40 runs."


def test_why_a_study_did_not_begin_is_told_without_folders(tmp_path: Path) -> None:
    place = tmp_path / "studies" / "s"
    place.mkdir(parents=True)
    (place / "log.txt").write_text(f"0run\nleaps: {tmp_path}/x can't be used.\n")
    assert studies.Shown(place).line == "…/x can't be used."


def test_a_folder_is_shown_with_its_table_figures_and_pictures() -> None:
    shown = studies.Shown(folder())
    assert shown.name == "Share of primed layers: tiny (one)" and shown.table.startswith("| a |")
    (figure,) = shown.figures
    drawn = json.loads(figure.plot)
    assert drawn["data"][0]["y"] == [2] and drawn["layout"]["paper_bgcolor"] == "rgba(0,0,0,0)"
    assert [path.name for path in shown.pictures] == ["bowling.png", "sheet.webp"], "no picture of a figure"


def test_studies_are_listed_the_newest_first_and_strange_folders_left_out(tmp_path: Path) -> None:
    import os

    old, new = folder("old"), folder("new")
    os.utime(old / "study.json", (1, 1))
    for name, text in (("broken", "{"), ("other", '{"study": "another"}')):
        (tmp_path / "studies" / name).mkdir()
        (tmp_path / "studies" / name / "study.json").write_text(text)
    assert [shown.folder for shown in studies.all_shown()] == [new, old]
    assert models.spec("tiny")
