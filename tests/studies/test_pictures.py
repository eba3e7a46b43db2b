"""Figures, contact sheets and layouts of studies."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from leaps_core import runs
from leaps_core.config import SynthesisConfig
from leaps_core.studies import numbers, pictures, scores
from tests import tiny


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> runs.Run:
    """A run that began at its stimulus."""
    settings = {**tiny.QUICK, "begin_at": "stimulus", "stimuli": ("bundled:3/tai chi",), "nearness": 1.0, "learning_rate": 0.2}
    folder = tmp_path_factory.mktemp("runs") / "run"
    *_, (made, _) = runs.perform(SynthesisConfig(model="tiny", action="bowling", **settings), folder=folder)
    return made


def test_a_sheet_has_a_cell_for_every_moment() -> None:
    red, blue = (np.full((4, 16, 16, 3), colour, np.uint8) for colour in ((255, 0, 0), (0, 0, 255)))
    picture = pictures.sheet([("one", [red, blue]), ("two", [blue, red])], ["a", "b"], cell=10)
    assert picture.size == (150 + 2 * 26, pictures.LABEL + 2 * 14)
    assert picture.getpixel((155, pictures.LABEL + 5)) == (255, 0, 0)
    assert picture.getpixel((150 + 26 + 15, pictures.LABEL + 5)) == (0, 0, 255)
    assert picture.getpixel((155, pictures.LABEL + 14 + 5)) == (0, 0, 255)


def test_curves_have_their_intervals_a_band_and_a_name_for_each_axis() -> None:
    points = [(1, numbers.share([True, False])), (10, numbers.share([True] * 4)), (100, numbers.NONE)]
    figure = pictures.curves("Title", "stimuli", "top-1", {"a": points}, log=True, band=(0.2, 0.6, "LEAPS"))
    line = figure.data[-1]
    assert list(line.x) == [1, 10] and list(line.y) == [0.5, 1.0], "nothing where there is nothing"
    assert line.error_y.arrayminus[0] == pytest.approx(0.5 - points[0][1].low)
    assert [trace.name for trace in figure.data if trace.fill] == ["LEAPS"] and figure.layout.xaxis.type == "log"
    assert [trace.mode for trace in figure.data[:2]] == ["lines"] * 2 and list(figure.layout.xaxis.tickvals) == [1, 10, 100]
    assert (figure.layout.title.text, figure.layout.xaxis.title.text) == ("Title", "stimuli")


def test_bars_and_points_are_named() -> None:
    one = numbers.share([True])
    assert list(pictures.bars("T", "p", {"m": [("full", one), ("none", numbers.NONE)]}).data[0].x) == ["full"]
    assert list(pictures.scatter("T", "x", "y", [(3, one, "Tiny")]).data[0].text) == ["Tiny"]


def test_sheets_show_runs_side_by_side_and_leave_out_what_there_is_not(run: runs.Run) -> None:
    picture = pictures.side_by_side({"bowling": {"a": run.folder, "b": run.folder}, "tai chi": {"b": run.folder}})
    assert picture is not None and picture.width > picture.height
    row = pictures.LABEL + pictures.CELL + 4 + pictures.CELL // 2
    assert picture.getpixel((150 + 10, row)) == (255, 255, 255)
    assert pictures.side_by_side({}) is None
    many = {"bowling": {str(i): run.folder for i in range(pictures.MOST_COLUMNS + 1)}}
    assert pictures.side_by_side(many) is None


def test_a_change_is_drawn_where_it_is(run: runs.Run) -> None:
    picture = pictures.change("title", run.folder)
    assert picture.height > 3 * 112 and pictures.layout("bowling", [("Tiny", run.folder)]).height < picture.height


def test_a_packed_run_draws_the_stimulus_of_another_action_anew(run: runs.Run, tmp_path: Path) -> None:
    before = run.stimulus
    shutil.copytree(run.folder, tmp_path / "run")
    packed = runs.Run.open(tmp_path / "run")
    runs.pack(packed)
    assert not packed.has("stimulus.npz") and np.array_equal(packed.stimulus, before)
    assert pictures.change("title", packed.folder).height > 3 * 112


def test_a_row_says_what_changed_and_what_all_networks_see(run: runs.Run) -> None:
    row = scores.of(run)
    start, after = run.stimulus[0].astype(float) / 255, np.moveaxis(run.tensor, 0, -1)
    assert row["change"] == pytest.approx(np.abs(after - start).mean(), rel=1e-3)
    assert len(row["when"]) == 8 and np.mean(row["when"]) == pytest.approx(row["change"], rel=1e-3)
    assert 0.1 <= row["concentrated"] <= 1 and 0 <= row["changed"] <= 1
    assert row["loss"] == pytest.approx(sum(row[f"loss_{name}"] for name in run.metrics[-1]["weighted"]))
    assert row["p_model"] == pytest.approx(run.final["model"], abs=1e-4) and row["primed"] == 3  # type: ignore[index]
    assert row["p_judge"] == pytest.approx(row["classes_judge"][_index()], abs=1e-5)


def _index() -> int:
    from leaps_core import models

    return models.labels("puppets").index("bowling")
