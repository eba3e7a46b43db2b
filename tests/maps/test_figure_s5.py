"""The two arms of Figure S5, and whether its verdict follows the points."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from leaps_core import banks
from leaps_core.config import SynthesisConfig
from leaps_core.errors import BankError
from leaps_core.maps import figure_s5
from leaps_core.maps.figure_s5 import ARMS, COLOURS, LEAPS, STIMULI, WITHOUT, arm

CONFIG = SynthesisConfig(model="m", action="a")


def test_a_run_belongs_to_the_arm_of_its_settings() -> None:
    assert list(ARMS) == [WITHOUT, LEAPS] and set(ARMS) < set(COLOURS)
    for name, share in ARMS.items():
        assert arm(CONFIG.replace(diversity=share)) == name
    assert arm(CONFIG.replace(verifier="none")) == arm(CONFIG.replace(r=0.0)) == WITHOUT


@pytest.mark.parametrize(
    ("leaps", "without", "shift", "verdict"),
    [
        (0.8, 0.2, 0.0, "holds"),
        (0.2, 0.8, 0.0, "holds in part: inside, but not clearly wider"),
        (0.8, 0.2, 30.0, "holds in part: wider, but not inside"),
        (0.2, 0.8, 30.0, "does not hold"),
    ],
)
def test_the_verdict_follows_the_points(leaps: float, without: float, shift: float, verdict: str) -> None:
    rng = np.random.default_rng(0)
    real = np.concatenate([rng.normal(0, 1, (60, 8)), rng.normal(9, 1, (60, 8))])
    bank: Any = SimpleNamespace(embeddings=real, labels=np.asarray(["a"] * 60 + ["b"] * 60), rows=real.__getitem__)
    sets = {
        STIMULI: rng.normal(0, 1, (20, 8)),
        WITHOUT: shift + rng.normal(0, without, (20, 8)),
        LEAPS: shift + rng.normal(0, leaps, (20, 8)),
    }
    found = figure_s5.measure(bank, "a", sets)
    assert found.verdict == verdict and found.real == 60
    assert found.interval[0] < found.ratio < found.interval[1]
    usual = found.sets[STIMULI]
    assert usual["inside"].mean() > 0.7 and usual["neighbours"].mean() == 1 and 0.6 < usual["spread"] < 1.4
    assert (found.sets[LEAPS]["density"] == 0) == (shift > 0)


@pytest.mark.parametrize(
    ("clips", "sentence"),
    [
        ([("tai chi", 12)], "12 real clips of “tai chi” among those of 1 classes"),
        ([("tai chi", 9), ("bowling", 9)], "9 real clips of “tai chi” among those of 2 classes"),
        ([("bowling", 12), ("juggling balls", 2)], "has 0 real clips of “tai chi”"),
        ([("tai chi", None), ("bowling", 3)], "are all the same"),
    ],
)
def test_banks_that_are_too_small_are_told(clips: list[tuple[str, int | None]], sentence: str, tmp_path: Path) -> None:
    plan = banks.Plan(
        tuple(banks.Clip(label, str(i), seed=7 if count is None else i) for label, count in clips for i in range(count or 12))
    )
    with pytest.raises(BankError, match=sentence):
        figure_s5.check(banks.build(plan, "tiny", tmp_path / "tiny.parquet"), "tai chi")
