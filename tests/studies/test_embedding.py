"""Figure S5: whether its verdict follows the points."""

from __future__ import annotations

import numpy as np
import pytest

from leaps_core.studies import embedding


def space(leaps: float, without: float, shift: float = 0.0) -> embedding.Space:
    """Made-up embeddings: real clips of two classes, and arms of given spreads around the first one's centre."""
    rng = np.random.default_rng(0)
    real = np.concatenate([rng.normal(0, 1, (60, 8)), rng.normal(9, 1, (60, 8))])
    sets = {
        "stimuli": rng.normal(0, 1, (20, 8)),
        "without R_feat": shift + rng.normal(0, without, (20, 8)),
        "LEAPS": shift + rng.normal(0, leaps, (20, 8)),
    }
    return embedding.Space("made up", real, np.asarray(["a"] * 60 + ["b"] * 60), sets)


@pytest.mark.parametrize(
    ("leaps", "without", "shift", "verdict"),
    [
        (0.8, 0.2, 0.0, "claim holds here"),
        (0.2, 0.8, 0.0, "inside, but not clearly wider"),
        (0.8, 0.2, 30.0, "wider, but not inside"),
        (0.2, 0.8, 30.0, "does not hold"),
    ],
)
def test_the_verdict_follows_the_points(leaps: float, without: float, shift: float, verdict: str) -> None:
    found = embedding.measure(space(leaps, without, shift), "a")
    assert verdict in found["sentence"] and found["holds"] == (verdict == "claim holds here")
    low, high = found["interval"]
    assert low < found["ratio_of_spreads"] < high
    rows = found["sets"]
    assert rows["stimuli"]["inside"] > 0.7 and rows["stimuli"]["neighbour_share"] == 1 and 0.6 < rows["stimuli"]["spread"] < 1.4
    assert (rows["LEAPS"]["density"] == 0) == (shift > 0)
