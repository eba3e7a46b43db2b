"""The study of quality: its counting, and its way through a tiny network."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from leaps_core.studies import common, quality
from tests import tiny


def test_quality_counts_top1_shares(tmp_path: Path) -> None:
    frames = np.zeros((8, 32, 32, 3), np.uint8)
    scores = {
        "judge": 0.5,
        "judge_top1": "bowling",
        "verifier": None,
        "verifier_top1": None,
        "model": 1.0,
        "model_top1": "tai chi",
        "seconds": 2.0,
    }
    row = quality.summary(
        [("bowling", common.Inversion(frames, scores)), ("tai chi", common.Inversion(frames, scores | {"seconds": 4.0}))]
    )
    assert row == {
        "clips": 2,
        "judge_top1": 0.5,
        "judge": 0.5,
        "verifier_top1": None,
        "verifier": None,
        "model_top1": 0.5,
        "model": 1.0,
        "seconds": 3.0,
        "seconds_longest": 4.0,
    }
    assert "| all | 2 | 50% | 50% | – | – | 50% | 3.0 (4.0) |" in quality.markdown({"all": row})


def test_quality_runs_actions_on_models(tmp_path: Path) -> None:
    table = quality.study(tmp_path, tiny.QUICK, 3, ("bowling", "tai chi"), ["tiny"])
    assert table["tiny"]["clips"] == 2 and table["all"] == table["tiny"]
