"""Figure S6's study: which runs there are stimuli for, and what LEAPS's band is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from leaps_core.studies import multi_stimuli
from leaps_core.studies.study import Asked
from tests.studies.helpers import read

STUDY = multi_stimuli.STUDY
ASKED = Asked(("tiny",), ("bowling", "tai chi"), seeds=3)


def test_runs_by_several_stimuli_have_no_regularizers_and_the_band_has_them() -> None:
    trials = STUDY.trials(ASKED, ())
    assert len(trials) == (len(multi_stimuli.COUNTS) + 1) * 2 * 3
    for trial in trials:
        leaps = trial.at["stimuli"] == multi_stimuli.LEAPS
        assert len(trial.config.stimuli) == (1 if leaps else int(trial.at["stimuli"]))
        assert bool(trial.config.diversity and trial.config.coherence) == leaps
        assert (trial.config.evidence, trial.config.frame_verifier) == (0, "none")


def test_numbers_that_there_are_too_few_videos_for_are_left_out_and_told(tmp_path: Path) -> None:
    for name in ("bowling", "bowling_2", "tai_chi"):
        (tmp_path / f"{name}.mp4").write_bytes(b"")
    asked = Asked(("tiny",), ("bowling", "tai chi"), seeds=1, stimuli=tmp_path)
    trials = STUDY.trials(asked, ())
    assert [trial.at["stimuli"] for trial in trials] == [multi_stimuli.LEAPS, "1", "2", multi_stimuli.LEAPS, "1"]
    assert "(bowling: 2, tai chi: 1); larger numbers are left out" in read(STUDY, asked, lambda at: 0.4).claims[-1]


def test_it_is_told_how_many_stimuli_are_worth_the_regularizers() -> None:
    def p(at: dict) -> float:
        return 0.62 if at["stimuli"] == multi_stimuli.LEAPS else min(0.3 + int(at["stimuli"]) / 50, 0.9)

    report = read(STUDY, ASKED, p)
    assert "62% (62% to 62%)" in report.claims[0] and "is not clearly behind with 20: by +0.0" in report.claims[0]
    assert len(report.claims) == 1 and report.table[-1]["stimuli"] == multi_stimuli.LEAPS
    (curve,) = [trace for trace in report.figures["top1-tiny-judge"].data if trace.mode == "lines+markers"]
    assert list(curve.x) == list(multi_stimuli.COUNTS) and curve.y[0] == 0 and curve.y[-1] == 1
    never = read(STUDY, ASKED, lambda at: 0.9 if at["stimuli"] == multi_stimuli.LEAPS else 0.1)
    assert "is behind with up to 100: by -0.8" in never.claims[0]
    both = read(STUDY, replace(ASKED, models=("tiny", "tiny_verifier")), lambda at: p(at) + (at["model"] == "tiny") / 10)
    assert len(both.claims) == 3 and "all these models 67% " in both.claims[2] and "12 pairs" in both.claims[2]
    assert "Top-1 by the judge over the number of stimuli, all models" in both.figures["top1-all-judge"].layout.title.text
    assert set(both.figures) == {f"top1-all-{name}" for name in ("model", "verifier", "judge")}, "one clip a point says nothing"
    few = read(STUDY, replace(ASKED, actions=ASKED.actions[:1], seeds=1), lambda at: 0.5)
    assert "can't be compared with it by so few clips" in few.claims[0]
