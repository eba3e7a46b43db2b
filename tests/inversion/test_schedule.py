"""The learning rate, which steps are kept, and which frames are verified."""

from __future__ import annotations

import numpy as np
import pytest

from leaps_core.inversion.schedule import learning_rate, snapshot_steps, spread
from tests.inversion.helpers import config, run


def test_snapshots_carry_the_judge_and_are_spread() -> None:
    assert snapshot_steps(60) == frozenset(range(1, 61))
    spread = sorted(snapshot_steps(1000))
    assert len(spread) >= 60 and spread[-1] == 1000 and max(np.diff(spread)) <= 18
    assert all((step.probabilities["judge"] is not None) == step.snapshot for step in run(steps=70))


def test_the_learning_rate_warms_up_and_falls() -> None:
    rates = [
        learning_rate(config(steps=100, warmup_steps=10, learning_rate=0.2, min_learning_rate=0.01), i) for i in range(100)
    ]
    assert rates[:11] == sorted(rates[:11]) and max(rates) == pytest.approx(0.2) and rates[-1] == pytest.approx(0.01, abs=1e-3)
    assert learning_rate(config(learning_rate=0.0), 3) == 0


def test_frames_are_spread_evenly_and_each_has_its_turn() -> None:
    assert spread(16, 4, 0) == [0, 4, 8, 12] and spread(16, 4, 15) == [3, 7, 11, 15]
    assert spread(5, 0, 3) == spread(5, 9, 3) == list(range(5))
    assert spread(10, 4, 0) == [0, 2, 5, 7] and {i for turn in range(10) for i in spread(10, 4, turn)} == set(range(10))
    assert all(len(spread(7, some, turn)) == some for some in range(1, 8) for turn in range(9))
