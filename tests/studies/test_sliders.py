"""The study of the sliders, on a tiny network."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from leaps_core.studies import sliders
from tests import tiny


def test_sliders_move_from_minimum_to_maximum(tmp_path: Path) -> None:
    table = sliders.study(tmp_path, "tiny", ("bowling",), tiny.QUICK, ("learning_rate", "smoothness"))
    assert len(list(tmp_path.iterdir())) == 5, "the usual clip is made once"
    lines = sliders.markdown(table, "tiny").splitlines()
    assert lines[2].startswith("| learning_rate | 0.0 |") and not lines[2].endswith("0.000 / 0.000 |")
    sliders.write_previews(table, tmp_path / "previews")
    with Image.open(tmp_path / "previews" / "smoothness.webp") as picture:
        assert picture.size == (588, 96)
