"""The studies' bookkeeping, on tiny networks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from leaps_core.config import SynthesisConfig
from leaps_core.studies import common, quality, sliders
from tests import tiny

tiny.register()
QUICK = {"steps": 3, "verifier": "tiny_verifier", "judge": "tiny_judge"}


def test_an_inversion_is_computed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = SynthesisConfig(model="tiny", action="bowling", **QUICK)
    first = common.invert(config, tmp_path)
    monkeypatch.setattr(common, "synthesize", lambda config: pytest.fail("it was to come from the cache"))
    again = common.invert(config, tmp_path)
    assert np.array_equal(first.frames, again.frames) and first.figures == again.figures
    with pytest.raises(pytest.fail.Exception):
        common.invert(config.but(seed=1), tmp_path)


def test_quality_counts_top1_shares(tmp_path: Path) -> None:
    frames = np.zeros((8, 32, 32, 3), np.uint8)
    figures = {"judge": 0.5, "judge_top1": "bowling", "verifier": None, "verifier_top1": None, "model": 1.0,
               "model_top1": "tai chi", "seconds": 2.0}
    row = quality.summary([("bowling", common.Inversion(frames, figures)),
                           ("tai chi", common.Inversion(frames, figures | {"seconds": 4.0}))])
    assert row == {"clips": 2, "judge_top1": 0.5, "judge": 0.5, "verifier_top1": None, "verifier": None,
                   "model_top1": 0.5, "model": 1.0, "seconds": 3.0, "seconds_longest": 4.0}
    assert "| all | 2 | 50% | 50% | – | – | 50% | 3.0 (4.0) |" in quality.markdown({"all": row})


def test_quality_runs_actions_on_models(tmp_path: Path) -> None:
    table = quality.study(tmp_path, QUICK, 3, ("bowling", "tai chi"), ["tiny"])
    assert table["tiny"]["clips"] == 2 and table["all"] == table["tiny"]


def test_sliders_move_from_minimum_to_maximum(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sliders, "SLIDERS", ("learning_rate", "smoothness"))
    table = sliders.study(tmp_path, "tiny", ("bowling",), QUICK)
    assert len(list(tmp_path.iterdir())) == 5, "the default is run once"
    lines = sliders.markdown(table).splitlines()
    assert lines[2].startswith("| learning_rate | 0.0 |") and not lines[2].endswith("0.000 / 0.000 |")


def test_a_sheet_has_a_cell_for_every_moment() -> None:
    red, blue = (np.full((4, 16, 16, 3), colour, np.uint8) for colour in ((255, 0, 0), (0, 0, 255)))
    picture = common.sheet([("one", [red, blue]), ("two", [blue, red])], ["a", "b"], cell=10)
    assert picture.size == (150 + 2 * 26, common.LABEL + 2 * 14)
    assert picture.getpixel((155, common.LABEL + 5)) == (255, 0, 0)
    assert picture.getpixel((150 + 26 + 15, common.LABEL + 5)) == (0, 0, 255)
    assert picture.getpixel((155, common.LABEL + 14 + 5)) == (0, 0, 255)
