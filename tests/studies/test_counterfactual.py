"""The study of counterfactuals: where runs begin, and what they say."""

from __future__ import annotations

from pathlib import Path

import pytest

from leaps_core.errors import RunError
from leaps_core.studies import counterfactual
from leaps_core.studies.study import Asked
from tests.studies.helpers import read

STUDY = counterfactual.STUDY
ASKED = Asked(("tiny",), ("bowling", "tai chi"), seeds=1)


def test_each_run_begins_at_a_real_clip_of_another_action(tmp_path: Path) -> None:
    trials = STUDY.trials(ASKED, ())
    assert len(trials) == 2 * len(counterfactual.NEARNESS)
    assert trials[0].at["from"] == "bowling" and trials[0].config.action == "tai chi"
    assert trials[0].config.stimuli == ("bundled:7000000/bowling",) and trials[0].config.begin_at == "stimulus"
    for name in ("bowling", "tai_chi"):
        (tmp_path / f"{name}.mp4").write_bytes(b"")
    own = STUDY.trials(Asked(("tiny",), ("bowling", "tai chi"), stimuli=tmp_path), ())
    assert Path(own[0].config.stimuli[0]).name == "bowling.mp4"
    (tmp_path / "tai_chi.mp4").unlink()
    asked = Asked(("tiny",), ("bowling", "tai chi"), stimuli=tmp_path)
    assert {trial.at["from"] for trial in STUDY.trials(asked, ())} == {"bowling"}, "only what it begins at has to be there"
    assert "No real clip to begin at was at hand of tai chi." in read(STUDY, asked, lambda at: 0.9).claims
    (tmp_path / "bowling.mp4").unlink()
    with pytest.raises(RunError, match="there is no real clip of “bowling”"):
        STUDY.trials(asked, ())


def test_one_action_leads_nowhere() -> None:
    with pytest.raises(RunError, match="from one action to another; 1 was named"):
        STUDY.trials(Asked(("tiny",), ("bowling",)), ())


def test_it_is_told_how_little_was_enough() -> None:
    report = read(STUDY, ASKED, lambda at: 0.9 if at["nearness"] < 1 else 0.2)
    assert [row["top-1, model"].value for row in report.table] == [1, 1, 0, 0]
    assert "took 2 of 2 clips" in report.claims[0] and "by 0.090 of the range" in report.claims[0]
    assert "sees the new action in 100%" in report.claims[0]
    assert set(report.changes) == {"bowling to tai chi", "tai chi to bowling"} and set(report.figures) == {"turned", "when"}
    assert "No clip could be turned" in read(STUDY, ASKED, lambda at: 0.1).claims[0]
