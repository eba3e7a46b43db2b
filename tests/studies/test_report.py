"""Reports, as tables to paste and as files."""

from __future__ import annotations

import json
import re
from pathlib import Path

import plotly.graph_objects as go
import pytest
from pyarrow import csv, parquet

from leaps_core.studies import numbers, report
from leaps_core.studies.report import Report


def figure() -> go.Figure:
    return go.Figure(go.Scatter(x=[1, 2], y=[3, 4]))


def test_a_table_is_markdown_and_its_intervals_are_columns_of_files(tmp_path: Path) -> None:
    made = Report([{"model": "a", "n": 2, "top-1": numbers.share([True, False]), "loss": 0.12345, "none": None}], ["It holds."])
    assert made.markdown.splitlines()[2] == "| a | 2 | 50% (9% to 91%) | 0.123 | – |" and made.markdown.endswith("It holds.\n")
    made.write(tmp_path, whole=False)
    assert (tmp_path / "table.md").read_text("utf-8") == made.markdown
    (row,) = parquet.read_table(tmp_path / "table.parquet").to_pylist()
    assert row["top-1"] == 0.5 and row["top-1 n"] == 2 and row["top-1 low"] < 0.1
    assert csv.read_csv(tmp_path / "table.csv").to_pylist()[0]["top-1 high"] == pytest.approx(row["top-1 high"])
    assert Report([]).markdown == "Nothing is finished yet.\n"


def test_clips_keep_what_networks_say_of_each_class(tmp_path: Path) -> None:
    report.write_clips(tmp_path, [{"seed": 1, "classes_model": [0.1, 0.9]}, {"seed": 2, "error": "broke"}])
    whole = parquet.read_table(tmp_path / "clips.parquet").to_pylist()
    assert whole[0]["classes_model"] == [0.1, 0.9] and whole[1] == {"seed": 2, "classes_model": None, "error": "broke"}
    assert csv.read_csv(tmp_path / "clips.csv").column_names == ["seed", "error"]


@pytest.mark.parametrize(
    ("package", "source", "sentence"),
    [
        ("kaleido", "raise ImportError('Kaleido requires Google Chrome to be installed.')", "[Kk]aleido"),
        ("plotly", "import time; time.sleep(60)", "it took more than 1 s a figure"),
        ("plotly", "import os; os.abort()", "it was ended"),
    ],
    ids=["not there", "hangs", "dies"],
)
def test_figures_that_cant_be_drawn_stay_json_and_that_is_told(
    package: str, source: str, sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "packages").mkdir()
    (tmp_path / "packages" / f"{package}.py").write_text(source)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "packages"))
    monkeypatch.setattr(report, "DRAWING", 1.0 if "sleep" in source else 60.0)
    folder = tmp_path / "study"
    folder.mkdir()
    (note,) = Report([{"a": 1}], figures={"loss": figure()}).write(folder, whole=True)
    assert re.search(rf"kaleido and a Chrome or Chromium \(.*{sentence}", note), note
    assert json.loads((folder / "loss.json").read_text("utf-8"))["data"][0]["y"] == [3, 4]
    assert sorted(path.name for path in folder.iterdir()) == ["loss.json", "table.csv", "table.md", "table.parquet"]


def test_figures_become_pictures(tmp_path: Path) -> None:
    pytest.importorskip("kaleido")
    notes = Report([{"a": 1}], figures={"loss": figure()}).write(tmp_path, whole=True)
    if notes:
        pytest.skip(notes[0])
    assert (tmp_path / "loss.svg").read_bytes().startswith(b"<svg") and (tmp_path / "loss.png").read_bytes()[1:4] == b"PNG"


def test_rows_are_grouped_in_their_order_and_failed_ones_left_out() -> None:
    rows = [
        {"arm": "b", "seed": 1, "status": "done", "p": 1.0, "action": "x", "run": "r1"},
        {"arm": "a", "seed": 1, "status": "failed", "action": "x"},
        {"arm": "b", "seed": 2, "status": "done", "p": None, "action": "x", "run": "r3"},
    ]
    assert list(report.grouped(rows, "arm")) == [("b",), ("a",)]
    assert report.done(rows) == [rows[0], rows[2]] and report.values(rows, "p") == [1.0]
    assert report.first_clips(rows, "arm") == {"x": {"b": "r1"}}
