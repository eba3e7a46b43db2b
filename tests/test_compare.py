"""Comparisons: which runs they are, what sets them apart, the picture and the film."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from leaps_core import SynthesisConfig, compare, runs, video
from leaps_core.cli import main
from leaps_core.errors import ConfigError, LeapsError
from tests import tiny

tiny.register()
CONFIG = SynthesisConfig(model="tiny", action="bowling", steps=2, seed=3)


def entries(count: int) -> list[compare.Entry]:
    """Clips of one colour each, of several lengths and sizes."""
    return [
        compare.Entry(f"name {i}", "model 50%", np.full((4 + 2 * i, 16 + i, 16 + i, 3), 40 * i, np.uint8)) for i in range(count)
    ]


def test_models_and_values_are_multiplied() -> None:
    made = compare.variants(CONFIG, ["tiny", "tiny_verifier"], "r", [0.0, 0.01])
    assert [(one.model, one.r) for one in made] == [
        ("tiny", 0.0),
        ("tiny", 0.01),
        ("tiny_verifier", 0.0),
        ("tiny_verifier", 0.01),
    ]
    assert all(one.seed == 3 for one in made)
    assert compare.differences(made) == ["Tiny, r 0", "Tiny, r 0.01", "Tiny verifier, r 0", "Tiny verifier, r 0.01"]
    assert compare.differences(made[:2]) == ["r 0", "r 0.01"]


@pytest.mark.parametrize(
    ("keys", "field", "values", "sentence"),
    [
        (["tiny"], "", [], "comparison of 1"),
        (["tiny", "tiny"], "", [], "comparison of 1"),
        (["tiny"], "r", range(9), "“r” is"),
        (["tiny"], "seed", range(9), "comparison of 9"),
        (["tiny", "puppet_judge"], "", [], "is the judge"),
        (["tiny", "nobody"], "", [], "no model “nobody”"),
        (["tiny", "x3d_xs"], "", [], "knows no action|not on this machine"),
        (["tiny"], "action", ["a", "b"], "can't be varied"),
        (["tiny"], "speed", [1, 2], "no setting “speed”"),
    ],
)
def test_what_can_not_be_compared_is_refused(keys: list[str], field: str, values: list[float], sentence: str) -> None:
    with pytest.raises(LeapsError, match=sentence):
        compare.variants(CONFIG, keys, field, values)


def test_the_picture_has_a_row_each() -> None:
    page = np.asarray(compare.picture("bowling", entries(3)))
    for row in range(3):
        y = compare._top(row) + compare.CELL // 2
        assert (page[y, compare.SIDE + 10] == 40 * row).all() and (page[y, -20] == 40 * row).all()


def test_the_film_shows_all_in_step(tmp_path: Path) -> None:
    film = compare.film("bowling", entries(5))
    assert len(film) == 12, "as long as the longest"
    assert (film[:, 100, 100] == 0).all() and (film[:, 100, 330] == 40).all(), "side by side"
    assert (film[:, 300 + 100, 100] == 160).all(), "the fifth in a second row"
    video.write_mp4(film, tmp_path / "film.mp4")
    assert len(video.read(tmp_path / "film.mp4", 12, 64).frames) == 12


def test_a_long_name_is_cut() -> None:
    compare.picture("x", [compare.Entry("long " * 40, "", np.zeros((2, 8, 8, 3), np.uint8))])


def test_compare_on_the_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LEAPS_HOME", str(tmp_path))
    out = tmp_path / "out"
    assert (
        main(
            [
                "compare",
                "tiny",
                "tiny_verifier",
                "--action",
                "bowling",
                "--steps",
                "2",
                "--vary",
                "r=0,0.02",
                "--set",
                "judge=none",
                "--out",
                str(out),
            ]
        )
        == 0
    )
    said = capsys.readouterr().out.splitlines()
    assert said[-1] == str(out) and said[0].startswith("Tiny, r 0: model ") and len(runs.list_runs(demos=False)) == 4
    assert Image.open(out / "comparison.png").height == compare._top(5) and (out / "comparison.mp4").stat().st_size > 1000
    assert main(["compare", "tiny", "--action", "bowling", "--vary", "r"]) == 2
    assert "expected FIELD=VALUE" in capsys.readouterr().err


def test_errors_are_the_configs_own() -> None:
    with pytest.raises(ConfigError, match="expected a number from 0"):
        compare.variants(CONFIG, [], "r", [-1, 0])
