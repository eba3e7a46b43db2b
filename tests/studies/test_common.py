"""Inversions are made once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from leaps_core import SynthesisConfig
from leaps_core.studies import common
from tests import tiny


def test_an_inversion_is_computed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = SynthesisConfig(model="tiny", action="bowling", **tiny.QUICK)
    first = common.invert(config, tmp_path)
    monkeypatch.setattr(common, "synthesize", lambda config: pytest.fail("it was to come from the cache"))
    again = common.invert(config, tmp_path)
    assert np.array_equal(first.frames, again.frames) and first.scores == again.scores
    with pytest.raises(pytest.fail.Exception):
        common.invert(config.replace(seed=1), tmp_path)


def test_a_sheet_has_a_cell_for_every_moment() -> None:
    red, blue = (np.full((4, 16, 16, 3), colour, np.uint8) for colour in ((255, 0, 0), (0, 0, 255)))
    picture = common.sheet([("one", [red, blue]), ("two", [blue, red])], ["a", "b"], cell=10)
    assert picture.size == (150 + 2 * 26, common.LABEL + 2 * 14)
    assert picture.getpixel((155, common.LABEL + 5)) == (255, 0, 0)
    assert picture.getpixel((150 + 26 + 15, common.LABEL + 5)) == (0, 0, 255)
    assert picture.getpixel((155, common.LABEL + 14 + 5)) == (0, 0, 255)
