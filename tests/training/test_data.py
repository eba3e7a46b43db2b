"""The clips that networks are trained and measured on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from leaps_core.puppets import ACTIONS, render_clip
from leaps_core.training import data


def test_clips_are_rendered_once_in_turn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clips = data.clips(tmp_path, 100, 4, 2, 32, workers=1)
    assert clips.shape == (4, 2, 32, 32, 3) and list(data.labels(4)) == [0, 1, 2, 3]
    assert np.array_equal(clips[3], render_clip(ACTIONS[3], 103, 2, 32))
    monkeypatch.setattr(data, "ProcessPoolExecutor", lambda *_: pytest.fail("rendered twice"))
    assert np.array_equal(data.clips(tmp_path, 100, 4, 2, 32), clips)


def test_training_and_held_out_clips_share_no_seed() -> None:
    assert data.TRAIN_SEED + data.TRAIN_COUNT < data.HELD_OUT_SEED and data.TRAIN_SEED > 100_000
