"""Time to quality: how curves are compared."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks import quality


def test_a_curve_is_as_it_was_last_known() -> None:
    curves = [[(1.0, 0.2), (3.0, 0.8)], [(2.0, 0.4)]]
    assert quality.known(curves, np.array([0.5, 1.0, 2.0, 5.0])).tolist() == [[0, 0.2, 0.2, 0.8], [0, 0, 0.4, 0.4]]


def test_how_soon_ours_is_as_good() -> None:
    ours, paper = [[(0.5, 0.1), (2.0, 0.6), (10.0, 0.9)]], [[(50.0, 0.2), (80.0, 0.5), (100.0, 0.5)]]
    found = quality.compared(ours, paper)
    assert found["as good after s, ours"] == pytest.approx(2.0, rel=0.02)
    assert found["as good after s, paper, mended"] == pytest.approx(80, rel=0.02), "it was so before its end"
    assert found["of that"].value == pytest.approx(0.025, rel=0.03) and np.isnan(found["of that"].low), "one clip: no interval"
    assert found["of all"].value == pytest.approx(0.02, rel=0.03)
    assert found["judge, ours"].value == 0.9 and found["s, paper, mended"] == 100 and found["n"] == 1
    assert np.isnan(quality.compared([[(1.0, 0.1)]], paper)["of that"].value)


def test_the_ratio_has_an_interval_over_the_clips() -> None:
    paper = [[(50.0, 0.2), (100.0, 0.5)]] * 4
    soon, late, never = [(1.0, 0.6)], [(4.0, 0.6)], [(1.0, 0.1)]
    found = quality.compared([soon, soon, late, late], paper)["of that"]
    assert found.low == pytest.approx(0.01, rel=0.03) and found.high == pytest.approx(0.04, rel=0.03)
    assert quality.compared([soon, soon, soon, never], paper)["of that"].high == np.inf, "some samples never come so far"


def test_a_run_is_made_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quality, "STEPS", 5)
    monkeypatch.setattr(quality, "PACED", 3)
    together, configure, made = quality.runs.perform_together, quality.models.configure, []
    monkeypatch.setattr(
        quality.runs, "perform_together", lambda configs, *rest: (made.extend(configs), together(configs, *rest))[1]
    )
    short = {"judge": "tiny_judge", "steps": 5}
    monkeypatch.setattr(quality.models, "configure", lambda key, action, given: configure(key, action, {**given, **short}))
    for _ in range(2):
        kept = quality.Kept(tmp_path)
        some = {way: quality.curves(way, "tiny", [("bowling", 7500), ("tai chi", 7500)], kept) for way in quality.WAYS}
        seconds = quality.clock("tiny", "bowling", kept)
    assert [config.canvas for config in made] == ["fourier", "fourier", "pixels", "pixels"]
    assert all([step for step, _ in one][-1] == 5 for curves in some.values() for one in curves)
    assert all(len(times) == 5 and times == sorted(times) for times in seconds.values()) and len(kept.known) == 5
    found = {way: quality.timed(curves, seconds[way]) for way, curves in some.items()}
    assert found["ours"][1][-1] == (seconds["ours"][4], some["ours"][1][-1][1])
    quality.reported({"tiny": found}).write(tmp_path, whole=False)
    assert quality.Kept(tmp_path).known.keys() == kept.known.keys(), "no figure lies in its place"
    assert [line["name"] for line in json.loads(quality.figure({"tiny": found}).to_json())["data"][1::2]] == list(quality.WAYS)
