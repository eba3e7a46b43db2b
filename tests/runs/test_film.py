"""A run as a film."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from leaps_core import models, runs, video
from leaps_core.cli import main
from leaps_core.runs.film import ENDINGS, LENGTH
from tests.tiny import QUICK


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> runs.Run:
    config = models.configure("tiny", "bowling", QUICK)
    *_, (found, _) = runs.perform(config, folder=tmp_path_factory.mktemp("film") / "run")
    return found


def test_each_frame_is_of_a_later_snapshot_and_the_clip_plays() -> None:
    clips = [
        (np.arange(4, dtype=np.uint8)[:, None, None, None] + level) * np.ones((1, size, size, 3), np.uint8)
        for size, level in ((4, 10), (8, 20), (8, 30))
    ]
    film = runs.out_of_noise(clips, 6)
    assert film.shape == (6, 8, 8, 3) and film[:, 0, 0, 0].tolist() == [10, 11, 22, 23, 20, 31]
    assert runs.out_of_noise(clips[-1:], 2)[:, 0, 0, 0].tolist() == [30, 31]
    many = [np.full((1, 4, 4, 3), level, np.uint8) for level in range(60)]
    shown = runs.out_of_noise(many, 16)[:, 0, 0, 0]
    assert shown[0] == 0 and shown[-1] == 59 and np.median(shown) < 10, "half of it is how it began"


@pytest.mark.parametrize("ending", [".mp4", ".webp", ".gif"])
def test_a_film_is_written(run: runs.Run, ending: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / f"film{ending}"
    assert main(["runs", "film", str(run.folder), str(path)]) == 0 and str(path) in capsys.readouterr().out
    length = LENGTH + ENDINGS * len(run.clip)
    frames = video.read(path, length, run.clip.shape[1]).frames
    assert frames.shape == (length, *run.clip.shape[1:])
    assert np.abs(frames[-1].astype(int) - run.clip[-1]).mean() < 30, "it ends with the clip"
    if ending == ".gif":
        with Image.open(path) as gif:
            assert gif.info["loop"] == 0 and gif.info["duration"] in (120, 130)


def test_other_endings_are_told(run: runs.Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["runs", "film", str(run.folder), str(tmp_path / "film.txt")]) == 2
    assert "ends in .mp4, .webp, .gif" in capsys.readouterr().err and not list(tmp_path.iterdir())
