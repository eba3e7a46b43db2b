"""The study of a real network: its counting, and its way through tiny networks."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from leaps_core import models, video
from leaps_core.errors import RunError
from leaps_core.probes.changes import CHANGES
from leaps_core.studies import real


def scored(action: str, named: bool, lasting: int, rank: int | None) -> real.Scored:
    """A clip that survives so many changes, with its object at a rank."""
    row = {
        "action": action,
        "model": 0.9,
        "model_top1": action if named else "another",
        "survived": {name: i < lasting for i, name in enumerate(CHANGES)},
        "seconds": 10.0 * lasting,
    }
    if rank is not None:
        row |= {"object_rank": rank, "object_seen": rank <= 5, "objects": ["a", "b", "c"]}
    return real.Scored(action, np.zeros((16, 8, 8, 3), np.uint8), row)


def test_shares_are_told_with_their_numbers_and_intervals() -> None:
    made = scored("sailing", True, 10, 1), scored("ironing", False, 5, 30), scored("tai chi", True, 6, None)
    row = real.summary([one.row for one in made])
    whole = real.summary([one.row | {"survived": dict.fromkeys(one.row["survived"], True)} for one in made])
    assert whole["survival"] == 1 and whole["survival_interval"][0] < 0.8, "so few clips make nobody sure"
    assert (row["clips"], row["object_clips"]) == (3, 2)
    assert row["survival"] == pytest.approx(0.7) and row["model_top1"] == pytest.approx(2 / 3)
    assert row["object_seen"] == 0.5 and row["object_ranks"] == [1, 30]
    low, high = row["survival_interval"]
    assert 0.5 <= low < 0.7 < high <= 1
    assert row["fails"][next(iter(CHANGES))] == 0 and row["fails"][list(CHANGES)[-1]] == 2
    assert "| a | 3 | 67% | 70% (" in real.markdown({"a": row}) and "of 2 |" in real.markdown({"a": row})


def test_scored_actions_are_known_and_none_was_tuned_on() -> None:
    known, objects = models.labels("kinetics400"), models.spec("efficientnet_lite1")
    assert len(set(real.ACTIONS)) == 24 and set(real.ACTIONS) <= set(known)
    assert not set(real.ACTIONS) & set(real.TUNED_ON) and set(real.ABLATED) <= set(real.ACTIONS)
    assert all(models.objects(action, "kinetics400", objects) for action in real.WITH_OBJECT)
    assert not any(models.objects(action, "kinetics400", objects) for action in real.WITHOUT_OBJECT)
    assert {"juggling balls", "crawling baby", "dribbling basketball", "playing trumpet"} <= set(real.ACTIONS)


def test_videos_are_found_by_their_actions_names(tmp_path: Path) -> None:
    for name in ("tai_chi.mp4", "tai_chi.txt", "sailing.gif", "else.mp4"):
        (tmp_path / name).write_bytes(b"")
    found = real.clips_in(tmp_path, ("tai chi", "sailing", "ironing"))
    assert {action: path.name for action, path in found.items()} == {"tai chi": "tai_chi.mp4", "sailing": "sailing.gif"}


def test_the_study_goes_its_whole_way_on_a_tiny_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    actions = ("juggling balls", "tai chi")
    monkeypatch.setattr(real, "ABLATED", ("tai chi",))
    monkeypatch.setattr(real, "ABLATIONS", {"without evidence": {"evidence": 0.0}})
    clips = tmp_path / "clips"
    clips.mkdir()
    video.write_mp4(np.random.default_rng(0).integers(0, 256, (16, 64, 64, 3), np.uint8), clips / "juggling_balls.mp4")
    settings = {"steps": 2, "coarse": 0.0, "frame_verifier": "none"}
    table = real.study("tiny", tmp_path / "cache", tmp_path / "docs", clips, settings, actions=actions)
    assert {name: row["clips"] for name, row in table.items()} == {
        "real clips": 1,
        "recommended, unprimed": 2,
        "recommended, primed": 1,
        "defaults of before, without evidence": 1,
        "without evidence": 1,
    }
    written = json.loads((tmp_path / "docs" / "kinetics.json").read_text("utf-8"))
    assert written["settings"]["model"] == "tiny" and set(written["clips"]) == set(table)
    assert (tmp_path / "docs" / "pictures" / "kinetics_recommended_unprimed_with_object.webp").is_file()
    assert not list((tmp_path / "docs" / "pictures").glob("*real*")), "others' videos are not shown"
    # a setting that there wasn't yet when this was written
    del written["settings"]["nearness"]
    (tmp_path / "docs" / "kinetics.json").write_text(json.dumps(written), "utf-8")
    monkeypatch.setattr(real, "BEST", ("tai chi",))
    again = real.study("tiny", tmp_path / "cache", tmp_path / "docs", None, settings, ("unprimed",), ("tai chi",))
    assert again == table, "what was made before stays"
    assert video.probe(tmp_path / "docs" / "pictures" / "kinetics_best.webp").width == 32


def test_other_video_networks_judge_but_none_that_verifies() -> None:
    judges = real.Judges("tiny")
    said = judges.look("tai chi", np.random.default_rng(0).integers(0, 256, (8, 32, 32, 3), np.uint8))
    assert "tiny" not in judges.others and set(said["others"]) == set(judges.others) and len(judges.others) > 1
    for one in said["others"].values():
        assert one["top5"] or not one["top1"]
    verifier = next(iter(judges.others))
    assert set(real.Judges("tiny", (verifier, "none")).others) == set(judges.others) - {verifier}


def test_actions_and_parts_outside_of_the_study_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="none of the study's parts. Did you mean “primed”"):
        real.study("tiny", tmp_path, tmp_path, parts=("prime",))
    with pytest.raises(RunError, match="“primed” takes real videos. Give --stimuli DIR"):
        real.study("tiny", tmp_path, tmp_path, parts=("unprimed", "primed"))
    with pytest.raises(RunError, match="none of the study's actions. Did you mean “sailing”"):
        real.study("tiny", tmp_path, tmp_path, actions=("sailin",))
