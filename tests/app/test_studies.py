"""Studies in the page: their processes, and their folders as they are shown."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import plotly.graph_objects as go
import pytest
from PIL import Image

from app import studies
from leaps_core import machine, models, paths
from leaps_core.cli import _parser
from leaps_core.cli.synth import setting
from leaps_core.errors import LeapsError, RunError
from leaps_core.studies import catalogue, kept
from leaps_core.studies.study import Asked

STUDY = catalogue.find("priming-share")
ASKED = Asked(("tiny",), ("bowling",), seeds=1)


class Processes:
    """Those that would have been begun: how, and how far each stands back. As subprocess and psutil
    know them; `alive`: those that go on."""

    STATUS_ZOMBIE, Error = "zombie", ProcessLookupError

    def __init__(self) -> None:
        self.begun: list[tuple[list[str], dict[str, Any]]] = []
        self.nice: list[int] = []
        self.alive: set[int] = set()

    def Popen(self, command: list[str], **options: Any) -> Any:  # noqa: N802
        self.begun.append((command, options))
        self.alive.add(len(self.begun))
        return SimpleNamespace(pid=len(self.begun))

    def Process(self, number: int) -> Any:  # noqa: N802
        return SimpleNamespace(
            nice=self.nice.append,
            create_time=lambda: 100.5 + number,
            status=lambda: "sleeping" if number in self.alive else self.STATUS_ZOMBIE,
            terminate=lambda: self.alive.remove(number),
        )


@pytest.fixture(autouse=True)
def processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Processes:
    """No process is begun."""
    found = Processes()
    monkeypatch.setenv("LEAPS_HOME", str(tmp_path))
    monkeypatch.setattr(paths, "FINDINGS", tmp_path / "shipped")
    monkeypatch.setattr(studies.subprocess, "Popen", found.Popen)
    monkeypatch.setattr(studies, "psutil", found)
    return found


def folder(name: str = "one") -> Path:
    """A study's folder with a table, a figure and a sheet."""
    place = kept.Kept(Path(kept.place(STUDY, ASKED)).with_name(name), STUDY, ASKED).path
    (place / "table.md").write_text("| a |\n| --- |\n| 1 |\n")
    (place / "loss.json").write_text(go.Figure(go.Scatter(x=[1], y=[2])).to_json())
    for picture in ("sheet.webp", "bowling.png", "loss.png"):
        Image.new("RGB", (8, 8)).save(place / picture)
    return place


def test_a_study_is_a_process_of_its_own_that_gives_way(processes: Processes) -> None:
    shown = studies.begin(STUDY, ASKED)
    ((command, options),) = processes.begun
    assert command[1:5] == ["-m", "leaps_core", "study", "priming-share"] and "--stimuli" not in command
    assert command[command.index("--actions") + 1] == "bowling" and "--bank" not in command
    assert processes.nice == [studies.NICE] and options["start_new_session"]
    assert int(options["env"]["OMP_NUM_THREADS"]) == max(1, machine.cores() // 2), "a visitor's run has the others"
    assert shown.running and shown.line == "It is beginning." and shown.folder == kept.place(STUDY, ASKED)
    with pytest.raises(RunError, match="This study is being carried out already"):
        studies.begin(STUDY, ASKED)
    studies.stop(shown)
    assert not processes.alive and not shown.running


def test_one_study_goes_on_at_a_time_also_one_that_an_earlier_page_began(processes: Processes) -> None:
    first = studies.begin(STUDY, ASKED)
    kept.Kept(first.folder, STUDY, ASKED)
    assert studies.going() == [first]
    with pytest.raises(RunError, match=r"“Share of primed layers: tiny \(.*\)” is being carried out already"):
        studies.begin(STUDY, replace(ASKED, seeds=2))
    number, begun = json.loads((first.folder / studies.PROCESS).read_text())
    (first.folder / studies.PROCESS).write_text(json.dumps([number, begun + 1]))
    assert not first.running and not studies.going(), "another process has its number by now"
    assert studies.begin(STUDY, replace(ASKED, seeds=2)).running


def test_settings_and_budget_travel_to_the_process(processes: Processes) -> None:
    asked = Asked(("tiny",), ("bowling",), seeds=1, settings={"steps": 3, "canvas": "pixels"}, budget=2)
    studies.begin(catalogue.find("grid"), asked)
    options = _parser(()).parse_args(processes.begun[0][0][3:])
    assert dict(map(setting, options.set)) == asked.settings and options.budget == 2 and options.model == ["tiny"]


def test_what_cant_be_asked_begins_no_process(processes: Processes, tmp_path: Path) -> None:
    with pytest.raises(RunError, match="no real clip of “juggling balls”"):
        studies.begin(STUDY, Asked(("i3d",)))
    lacking = next(spec.key for spec in models.specs() if models.state(spec) == "download" and spec.world == "kinetics400")
    (tmp_path / "bowling.mp4").write_bytes(b"")
    with pytest.raises(LeapsError, match="download"):
        studies.begin(STUDY, Asked((lacking,), ("bowling",), stimuli=tmp_path))
    assert not processes.begun


def test_it_is_told_how_far_a_study_is(processes: Processes) -> None:
    shown = studies.Shown(folder())
    assert shown.line == "Nothing has been made yet."
    progress = {"done": 3, "total": 40, "failed": 1, "left": 200.0}
    (shown.folder / "progress.json").write_text(json.dumps(progress))
    assert shown.line.startswith("3 of 40 runs, 1 failed · stopped, or carried out elsewhere")
    processes.alive.add(7)
    (shown.folder / studies.PROCESS).write_text("[7, 107.5]")
    assert shown.line == "3 of 40 runs, 1 failed, about 3 min left"
    processes.alive.clear()
    (shown.folder / "log.txt").write_text("3run\nleaps: stopped\n")
    assert shown.line.endswith("· stopped, or carried out elsewhere: Start goes on with it")
    (shown.folder / "log.txt").write_text("3run\nleaps: The disk is full.\n")
    assert shown.line == "3 of 40 runs, 1 failed · The disk is full: Start goes on with it"
    (shown.folder / "progress.json").write_text(json.dumps({**progress, "done": 40, "failed": 0}))
    assert shown.line == "40 of 40 runs · done"


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
