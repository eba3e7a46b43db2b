"""What can be downloaded of a run."""

from __future__ import annotations

import errno
import json
import shutil
from pathlib import Path

import pytest

from app import downloads
from leaps_core import models, runs, video
from leaps_core.config import SynthesisConfig
from leaps_core.errors import RunError
from leaps_core.runs import Run
from tests.tiny import QUICK


def test_a_downloaded_json_tells_neither_owner_nor_folders(tmp_path: Path) -> None:
    config = SynthesisConfig(model="any", action="bowling", stimuli=("bundled:3", "/srv/uploads/mine.mp4"))
    record = {"owner": "somebody", "config": config.model_dump(mode="json"), "changes": []}
    made = downloads.copies(Run(tmp_path, record, config))
    assert made["json"] is not None and made["mp4"] is None, "what isn't there can't be downloaded"
    shown = json.loads(made["json"].read_text("utf-8"))
    assert shown["owner"] == "" and shown["config"]["stimuli"] == ["bundled:3", "mine.mp4"]
    assert record["config"]["stimuli"][1].startswith("/srv"), "the run itself keeps them"


def test_each_kind_is_a_file_with_a_telling_name(tmp_path: Path) -> None:
    config = models.configure("tiny", "bowling", {**QUICK, "steps": 3})
    *_, (run, _) = runs.perform(config, folder=tmp_path / "run")
    for kind in downloads.KINDS:
        path = downloads.save(run, kind)
        assert path.name == f"leaps-bowling.{kind}" and path.stat().st_size > 100
    assert video.read(downloads.save(run, "film.mp4"), 8, 64).frames.shape == (8, 64, 64, 3)


def test_what_is_not_there_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = SynthesisConfig(model="any", action="bowling")
    run = Run(tmp_path, {"owner": "", "config": config.model_dump(mode="json"), "changes": []}, config)
    with pytest.raises(RunError, match="can't be saved as 'exe'. Known: mp4, webp"):
        downloads.save(run, "exe")
    with pytest.raises(RunError, match=r"has no clip.mp4 yet"):
        downloads.save(run, "mp4")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    (tmp_path / "clip.mp4").touch()
    monkeypatch.setattr(shutil, "copyfile", full)
    with pytest.raises(RunError, match="No space left on device. The server's disk may be full"):
        downloads.save(run, "mp4")
    assert downloads.copies(run)["mp4"] is None, "all else goes on"
