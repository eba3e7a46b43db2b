"""Knowledge transfer: when students learn, from what, and how they are measured."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

from leaps_core import runs
from leaps_core.config import SynthesisConfig
from leaps_core.errors import RunError
from leaps_core.studies import student, transfer
from leaps_core.studies.study import Asked
from tests import tiny

STUDY = transfer.STUDY
ASKED = Asked(("tiny",), ("bowling", "tai chi"), seeds=2)


def made(count: int) -> list[dict]:
    """Rows of the first clips."""
    trials = STUDY.trials(ASKED, ())
    return [{**trial.at, "status": "done", "run": trial.id, "folder": f"runs/{trial.id}"} for trial in trials[:count]]


def test_students_learn_when_all_clips_are_there() -> None:
    assert len(STUDY.trials(ASKED, ())) == 4 == len(STUDY.trials(ASKED, made(3)))
    assert not any(trial.config.stimuli for trial in STUDY.trials(ASKED, ())), "no real clip has a part in them"
    whole = STUDY.trials(ASKED, made(4))
    assert [trial.at["arm"] for trial in whole[4:7]] == list(transfer.ARMS) and len(whole) == 4 + 3 * transfer.STUDENTS
    assert all(pickle.loads(pickle.dumps(trial)).work for trial in whole[4:])  # noqa: S301
    assert len({trial.id for trial in whole}) == len(whole)
    one_failed = [{**row, "status": "done" if number else "failed"} for number, row in enumerate(made(4))]
    fewer = {trial.id for trial in STUDY.trials(ASKED, one_failed)[4:]}
    assert fewer and not fewer & {trial.id for trial in whole}, "once the fourth clip is made, students learn anew"
    failed = [{**row, "status": "failed"} for row in made(4)]
    assert len(STUDY.trials(ASKED, failed)) == 4, "nothing to learn from"


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (Asked(("i3d",), ("tai chi", "bowling")), "the bundled world alone can draw"),
        (Asked(("tiny",), ("tai chi",)), "tells 1 actions apart; expected 2 to 16"),
    ],
)
def test_what_no_student_can_be_is_told(asked: Asked, said: str) -> None:
    with pytest.raises(RunError, match=said):
        STUDY.trials(asked, ())


def test_it_is_told_how_far_a_student_came() -> None:
    reached = {"synthesized": 0.6, "real": 0.9, "noise": 0.5}
    rows = [
        {
            "model": "tiny",
            "arm": arm,
            "action": "",
            "seed": seed,
            "status": "done",
            "accuracy": reached[arm] + seed / 10,
            "clips": 4,
        }
        | {"held_out": 40, "run": ""}
        for seed in range(3)
        for arm in transfer.ARMS
    ]
    report = STUDY.read(ASKED, rows)
    assert [row["student learned from"] for row in report.table] == list(transfer.ARMS)
    assert "names 70% (60% to 80%) of real clips; one that saw as many real clips 100% (90% to 110%)" in report.claims[0]
    assert "40% (2" in report.claims[0] and "of the way from chance to real clips" in report.claims[0]
    assert not STUDY.read(ASKED, rows[:2]).claims


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"STEPS": 2, "BATCH": 2, "HELD_OUT": 1, "FRAMES": 4, "SIZE": 32}.items():
        monkeypatch.setattr(student, name, value)


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("arm", transfer.ARMS)
def test_a_student_learns_from_each_kind_of_clip(arm: str, tmp_path: Path) -> None:
    config = SynthesisConfig(model="tiny", action="bowling", **tiny.QUICK)
    *_, (run, _) = runs.perform(config, folder=tmp_path / "run")
    row = student.learn("tiny", arm, ("bowling", "tai chi"), [str(run.folder)] * 3, 1)
    assert row["clips"] == 3 and row["held_out"] == 2 and row["accuracy"] in (0.0, 0.5, 1.0) and np.isfinite(row["loss"])
    assert row == student.learn("tiny", arm, ("bowling", "tai chi"), [str(run.folder)] * 3, 1), (
        "the same seed, the same student"
    )


def test_held_out_clips_are_none_that_anybody_learned_from() -> None:
    from leaps_core.studies import stimuli
    from leaps_core.training import data

    taught = range(data.TRAIN_SEED, data.TRAIN_SEED + data.TRAIN_COUNT)
    learned = range(student.REAL_SEED, student.REAL_SEED + 100_000)
    measured = range(student.HELD_OUT_SEED, student.HELD_OUT_SEED + student.HELD_OUT)
    primed = range(7000 * stimuli.APART, 7100 * stimuli.APART)
    for one, other in ((taught, learned), (taught, measured), (learned, measured), (primed, learned), (primed, measured)):
        assert one.stop <= other.start or other.stop <= one.start
