"""From videos to a bank, and from a bank to a map."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from leaps_core import banks, maps, video
from leaps_core.cli import main
from leaps_core.puppets import render_clip
from tests.banks.helpers import write_videos
from tests.maps.helpers import CLASSES, EACH, clusters, make_bank


def test_from_a_folder_of_videos_to_a_map_by_two_commands(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for label in ("bowling", "tai chi"):
        (tmp_path / "videos" / label).mkdir(parents=True)
        for i in range(3):
            video.write_mp4(render_clip(label, i, 8, 64), tmp_path / "videos" / label / f"{i}.mp4")
    bank, table = tmp_path / "mine.parquet", tmp_path / "map.csv"
    assert main(["embed", "--videos", str(tmp_path / "videos"), "--model", "tiny", "--out", str(bank)]) == 0
    assert main(["map", str(bank), "--neighbours", "3", "--csv", str(table)]) == 0
    assert capsys.readouterr().out.splitlines() == [str(bank), str(table)]
    rows = list(csv.DictReader(table.open(encoding="utf-8")))
    assert [(row["kind"], row["label"], row["source"]) for row in rows] == [
        ("real", label, f"{label}/{i}.mp4") for label in ("bowling", "tai chi") for i in range(3)
    ]
    assert len({(row["x"], row["y"]) for row in rows}) == 6 and np.isfinite([float(row["x"]) for row in rows]).all()
    fitted = maps.stored(banks.Bank.open(bank), maps.Recipe(neighbours=3))
    assert fitted is not None and np.allclose(fitted.positions[:, 0], [float(row["x"]) for row in rows], rtol=1e-3)


def test_embed_on_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    videos, out = write_videos(tmp_path), tmp_path / "bank.parquet"
    assert main(["embed", "--videos", str(videos), "--model", "tiny", "--out", str(out)]) == 0
    said = capsys.readouterr()
    assert said.out.strip() == str(out) and "skipped bowling/broken.mp4" in said.err and "6 clips of 2 classes" in said.err
    assert main(["embed", "--puppets", "5", "--model", "tiny", "--out", str(tmp_path / "p.parquet")]) == 0
    assert main(["embed", "--videos", str(tmp_path / "no"), "--model", "tiny", "--out", str(out)]) == 2
    assert "is no folder" in capsys.readouterr().err


def test_map_on_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bank = make_bank(tmp_path / "bank.parquet", clusters(CLASSES * EACH, 0))
    assert main(["map", str(bank.path), "--method", "pca", "--dims", "3", "--csv", str(tmp_path / "map.csv")]) == 0
    lines = (tmp_path / "map.csv").read_text("utf-8").splitlines()
    assert lines[0] == "kind,number,label,source,x,y,z" and lines[8].startswith("real,7,class 3,7.mp4,") and len(lines) == 241
    assert "240 of 240 clips" in capsys.readouterr().err
    assert main(["map", str(tmp_path / "none.parquet")]) == 2
    capsys.readouterr()
    for out in (tmp_path / "no" / "map.csv", tmp_path):
        assert main(["map", str(bank.path), "--method", "pca", "--csv", str(out)]) == 2
        said = capsys.readouterr().err.splitlines()[-1]
        assert said.startswith("leaps: ") and "can't be used" in said
    assert {path.suffix for path in tmp_path.iterdir()} == {".parquet", ".npz", ".csv"}, "nothing half-written is left"


def test_a_tilde_is_the_home_folder_after_an_equals_sign_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    make_bank(tmp_path / "bank.parquet", clusters(CLASSES * EACH, 0))
    assert main(["map", "~/bank.parquet", "--method=pca", "--csv=~/map.csv"]) == 0
    assert (tmp_path / "map.csv").is_file()
    write_videos(tmp_path)
    assert main(["embed", "--videos=~", "--model=tiny", "--out=~/b.parquet"]) == 0 and (tmp_path / "b.parquet").is_file()
