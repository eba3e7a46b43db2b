"""Table S2's study: which runs, and what they say."""

from __future__ import annotations

from dataclasses import replace

import pytest

from leaps_core.studies import priming_share
from leaps_core.studies.numbers import inception_score
from leaps_core.studies.study import Asked
from tests.studies.helpers import CLASSES, read, rows_of

STUDY = priming_share.STUDY
ASKED = Asked(("tiny",), ("bowling", "tai chi"), seeds=3)


def test_each_share_is_run_with_the_same_seeds_and_stimuli() -> None:
    trials = STUDY.trials(ASKED, ())
    assert len(trials) == 5 * 2 * 3 and {trial.config.priming_share for trial in trials} == set(priming_share.SHARES)
    one, *_, other = [trial.config for trial in trials if (trial.at["seed"], trial.at["action"]) == (7000, "bowling")]
    assert one.replace(priming_share=100) == other


def test_what_grows_with_the_share_is_said_to() -> None:
    report = read(STUDY, ASKED, lambda at: 0.2 + at["share"] / 200 + 0.001 * at["seed"] % 0.01)
    assert [row["primed"] for row in report.table] == ["20 %", "40 %", "60 %", "80 %", "100 %"]
    assert report.table[0]["top-1, judge"].value == 0 and report.table[-1]["top-1, judge"].value == 1
    assert (
        "From 20 % to 100 %" in report.claims[0] and "the judge's probability of the action grows: by +0.4" in report.claims[0]
    )
    assert set(report.figures) == {"top1-model", "top1-verifier", "top1-judge"}
    assert list(report.sheet["bowling"]) == ["20", "40", "60", "80", "100"]
    assert "; its Inception Score goes from " in report.claims[0]
    (alone,) = read(STUDY, replace(ASKED, actions=("bowling",)), lambda at: 0.2 + at["share"] / 200).claims
    assert "Inception" not in alone, "a score of clips of one action says nothing"


def test_what_does_not_change_is_said_not_to() -> None:
    assert "does not clearly change" in read(STUDY, ASKED, lambda at: 0.4).claims[0]
    few = read(STUDY, replace(ASKED, seeds=2), lambda at: 0.9 - at["share"] / 200).claims[0]
    assert "does not clearly change: by -0.4" in few, "four pairs of the same sign happen by chance"
    assert "falls: by -0.4" in read(STUDY, ASKED, lambda at: 0.9 - at["share"] / 200).claims[0]


def test_the_inception_score_is_of_each_seeds_clips() -> None:
    rows = rows_of(STUDY, ASKED, lambda at: 1.0)
    rows[0]["classes_judge"] = [0.0, 1.0, *[0.0] * (CLASSES - 2)]
    some = [row for row in rows if row["share"] == rows[0]["share"]]
    assert [inception_score(split) for split in priming_share.splits(some, "judge")] == pytest.approx([2, 1, 1])


def test_without_rows_there_is_nothing_to_say() -> None:
    assert STUDY.read(ASKED, ()).markdown.startswith("Nothing is finished")
    few = [row for row in rows_of(STUDY, ASKED, lambda at: 0.5) if row["share"] == 20]
    assert len(STUDY.read(ASKED, few).table) == 1 and not STUDY.read(ASKED, few).claims
