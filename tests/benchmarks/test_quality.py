"""Time to quality: how curves are compared."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks import quality


def test_the_mean_is_of_what_was_last_known() -> None:
    curves = [[(1.0, 0.2), (3.0, 0.8)], [(2.0, 0.4)]]
    assert quality.mean(curves, np.array([0.5, 1.0, 2.0, 5.0])).tolist() == pytest.approx([0, 0.1, 0.3, 0.6])


def test_how_soon_ours_is_as_good() -> None:
    ours, paper = [[(0.5, 0.1), (2.0, 0.6), (10.0, 0.9)]], [[(50.0, 0.2), (100.0, 0.5)]]
    found = quality.compared(ours, paper)
    assert found["s until as good"] == pytest.approx(2.0, rel=0.05) and found["of the paper's time"] == pytest.approx(
        0.02, rel=0.05
    )
    assert found["judge, ours"].value == 0.9 and found["s, paper, mended"] == 100 and found["n"] == 1
    assert quality.compared([[(1.0, 0.1)]], paper)["s until as good"] is None


def test_a_run_is_made_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quality, "STEPS", 3)
    perform, configure, made = quality.runs.perform, quality.models.configure, []
    monkeypatch.setattr(
        quality.runs, "perform", lambda config, **rest: (made.append(config), perform(config.replace(steps=3), **rest))[1]
    )
    judged = {"judge": "tiny_judge"}
    monkeypatch.setattr(quality.models, "configure", lambda key, action, given: configure(key, action, {**given, **judged}))
    for _ in range(2):
        curves = [quality.curve(way, "tiny", "bowling", 7500, tmp_path) for way in quality.WAYS]
    assert [config.canvas for config in made] == ["fourier", "pixels"] and all(len(one) == 3 for one in curves)
    assert curves[0][-1][0] > 0 and len(list(tmp_path.iterdir())) == 2
    assert (
        json.loads(quality.figure({"tiny": dict(zip(quality.WAYS, ([one] for one in curves)))}).to_json())["data"][0]["name"]
        == "Tiny, ours"
    )
