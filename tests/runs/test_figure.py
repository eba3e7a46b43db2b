"""The figure of a comparison, as a picture and as a film."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import ImageFont

from leaps_core import runs, video
from leaps_core.runs import figure
from tests.runs.engine import config, made


def entries(count: int) -> list[figure.Entry]:
    """Clips of one colour each, of several lengths and sizes."""
    return [
        figure.Entry(f"name {i}", "model 50%", np.full((4 + 2 * i, 16 + i, 16 + i, 3), 40 * i, np.uint8)) for i in range(count)
    ]


def test_the_picture_has_a_row_each() -> None:
    page = np.asarray(figure.picture("bowling", entries(3)))
    for row in range(3):
        y = figure._top(row) + figure.CELL // 2
        assert (page[y, figure.SIDE + 10] == 40 * row).all() and (page[y, -20] == 40 * row).all()


def test_the_film_shows_all_in_step(tmp_path: Path) -> None:
    film = figure.film("bowling", entries(5))
    assert len(film) == 12, "as long as the longest"
    assert (film[:, 100, 100] == 0).all() and (film[:, 100, 330] == 40).all(), "side by side"
    assert (film[:, 300 + 100, 100] == 160).all(), "the fifth in a second row"
    video.write_mp4(film, tmp_path / "film.mp4")
    assert len(video.read(tmp_path / "film.mp4", 12, 64).frames) == 12


def test_a_long_name_is_cut() -> None:
    figure.picture("x", [figure.Entry("long " * 40, "", np.zeros((2, 8, 8, 3), np.uint8))])


@pytest.mark.usefixtures("home")
def test_the_stimulus_is_on_top_then_each_run_with_its_figures() -> None:
    first, second = made(runs.perform(config())), made(runs.perform(config(seed=4)))
    rows = figure.entries([("one", first), ("other", second)])
    assert [(row.name, row.note) for row in rows] == [
        ("stimulus", ""),
        *((name, "model 90% · judge 80%") for name in ("one", "other")),
    ]
    for row, clip in zip(rows, (first.stimulus[0], first.clip, second.clip), strict=True):
        assert np.array_equal(row.clip, clip)
    unprimed = made(runs.perform(config(stimuli=())))
    assert [row.name for row in figure.entries([("one", unprimed), ("other", second)])] == ["one", "other"]


def test_no_letter_is_an_empty_box() -> None:
    assert figure.plain("I3D 16×1 · “größer – Ärmel”… 跳") == "I3D 16x1 · “grosser - Armel”… ?"
    font = ImageFont.load_default(size=13)
    box = bytes(font.getmask("\u0bb8"))
    drawn = figure.plain("".join(map(chr, [*range(32, 127), *range(160, 0x250)])) + "·…“”×–—→λ")
    assert not [letter for letter in drawn if letter != " " and bytes(font.getmask(letter)) == box]
