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
