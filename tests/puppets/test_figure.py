"""The figure: its bones."""

from __future__ import annotations

import numpy as np
import pytest

from leaps_core.puppets.figure import ADULT, BABY, two_bones, vec


@pytest.mark.parametrize("build", [ADULT, BABY])
@pytest.mark.parametrize("target", [vec(0.1, -0.2, 0.1), vec(0, -0.05, 0.01), vec(3, 1, 0), vec(0, 0, 0)])
def test_bones_keep_their_lengths(build, target) -> None:
    middle, end = two_bones(vec(0, 0, 0), target, build.thigh, build.shin, vec(0, 0.1, 1))
    if np.any(target):
        assert np.linalg.norm(middle) == pytest.approx(build.thigh, rel=1e-6)
        assert np.linalg.norm(end - middle) == pytest.approx(build.shin, rel=1e-6)
    assert np.isfinite(middle).all() and np.isfinite(end).all()
