"""Time to quality: how curves are compared."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

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
    assert found["quality, ours"].value == 0.9 and found["s, paper, mended"] == 100 and found["n"] == 1
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
        some = {way: quality.curves(way, "tiny", [("bowling", 7500), ("tai chi", 7500)], kept)["judge"] for way in quality.WAYS}
        seconds = quality.clock("tiny", "bowling", kept)
    assert [config.canvas for config in made] == ["fourier", "fourier", "pixels", "pixels"]
    assert all([step for step, _ in one][-1] == 5 for curves in some.values() for one in curves)
    assert all(len(times) == 5 and times == sorted(times) for times in seconds.values()) and len(kept.known) == 5
    found = {way: quality.timed(curves, seconds[way]) for way, curves in some.items()}
    assert found["ours"][1][-1] == (seconds["ours"][4], some["ours"][1][-1][1])
    quality.reported({"tiny": found}).write(tmp_path, whole=False)
    assert quality.Kept(tmp_path).known.keys() == kept.known.keys(), "no figure lies in its place"
    assert [line["name"] for line in json.loads(quality.figure({"tiny": found}).to_json())["data"][1::2]] == list(quality.WAYS)


def test_networks_of_real_videos_are_judged_by_changes_and_objects(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Judges:
        objects = True

        def __init__(self, model: str) -> None:
            assert model == "tiny"

        def look(self, action: str, frames: np.ndarray) -> dict[str, Any]:
            assert action == "bowling" and frames.shape == (8, 32, 32, 3) and frames.dtype == np.uint8
            return {"survived": {"blur": True, "noise": True, "grey": False, "mirror": True}, "object_probability": 0.125}

    monkeypatch.setattr(quality, "STEPS", 3)
    monkeypatch.setattr(quality, "SOME", 2)
    monkeypatch.setattr(quality, "of_puppets", lambda model: False)
    monkeypatch.setattr(quality, "REAL", {"size": 32, "stimuli": (), "verifier": "none"})
    monkeypatch.setattr(quality.real, "Judges", Judges)
    kept, asked = quality.Kept(tmp_path), [("bowling", 7500)]
    found = quality.curves("paper, mended", "tiny", asked, kept)
    assert found == {"survival": [[(1, 0.75), (3, 0.75)]], "object judge": [[(1, 0.125), (3, 0.125)]]}
    monkeypatch.setattr(quality.runs, "perform_together", lambda *_: pytest.fail("it was made before"))
    assert quality.curves("paper, mended", "tiny", asked, quality.Kept(tmp_path)) == found
    assert quality.there("paper, mended", "tiny", asked[0], kept) and not quality.there("ours", "tiny", asked[0], kept)
    monkeypatch.setattr(Judges, "objects", None)
    with pytest.raises(SystemExit, match="download efficientnet"):
        quality.curves("ours", "tiny", asked, kept)


def test_a_model_without_a_row_is_made_the_papers_way_by_the_row_of_another() -> None:
    ours, paper = (quality.config(way, "i3d", "sailing", 7500) for way in quality.WAYS)
    assert (paper.canvas, paper.steps, paper.verifier, paper.r, paper.evidence) == ("pixels", 1500, "self", 0.005, 0)
    assert paper.frame_verifier == "none" and ours.frame_verifier != "none" and ours.canvas == "fourier"
    assert {one.size for one in (ours, paper)} == {128} and {one.stimuli for one in (ours, paper)} == {()}
    assert quality.actions("i3d") == quality.WITH_OBJECT and not set(quality.WITH_OBJECT) & set(quality.real.TUNED_ON)
    csn = quality.config("paper, mended", "puppet_csn", "bowling", 7500)
    assert csn.r == 0.001 and csn.stimuli and quality.measures("puppet_csn") == ("judge",)


def test_every_sample_of_a_loop_comes_to_its_own_end() -> None:
    drawn = np.random.default_rng(0)
    rising = [[(float(at), p) for at, p in enumerate(np.sort(drawn.random(6)).tolist(), 1)] for _ in range(24)]
    assert np.isfinite(quality.compared(rising, rising)["of that"].high)
