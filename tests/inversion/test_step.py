"""What a run shows after each step."""

from __future__ import annotations

import json

import numpy as np
import pytest

from leaps_core.video import to_frames
from tests.inversion.helpers import run


def test_a_step_has_its_loss_its_row_and_its_frames() -> None:
    step = run()[-1]
    assert step.loss == pytest.approx(sum(step.weighted.values())) and step.loss > 0
    assert set(step.row) == {"step", "seconds", "losses", "weighted", "probabilities", "top5"}
    assert (step.row["step"], step.row["losses"], step.row["probabilities"]) == (6, step.losses, step.probabilities)
    assert json.loads(json.dumps(step.row))["top5"] == [list(pair) for pair in step.top5]
    assert step.frames.dtype == np.uint8 and np.array_equal(step.frames, to_frames(step.clip))
