"""Table 3's study: what each arm's loss has, and what the differences say."""

from __future__ import annotations

import pytest

from leaps_core import models
from leaps_core.inversion.plan import make_plan
from leaps_core.studies import regularizers, report
from leaps_core.studies.study import Asked
from tests.studies.helpers import read, rows_of

STUDY = regularizers.STUDY
ASKED = Asked(("tiny",), ("bowling", "tai chi"), seeds=3)


def test_each_arm_has_one_thing_more_than_the_one_before() -> None:
    arms = {arm: regularizers.settings(arm) for arm in regularizers.ARMS}
    assert arms["cross entropy"] == {**regularizers._BARE}
    assert set(arms["priming"]) == set(arms["cross entropy"]) - {"priming_share"}
    assert set(arms["full"]) == {"evidence", "frame_verifier"} and arms["full"]["evidence"] == 0
    assert not arms["full, evidence"]
    assert all(models.preset(spec)["evidence"] > 0 for spec in models.specs())


def test_all_arms_can_be_run() -> None:
    trials = STUDY.trials(ASKED, ())
    assert len(trials) == 6 * 2 * 3 and all(make_plan(trial.config) for trial in trials)


def test_where_nobody_verifies_there_is_no_diversity_to_add() -> None:
    arms = [
        trial.at["arm"] for trial in STUDY.trials(Asked(("tiny",), ("bowling",), seeds=1, settings={"verifier": "none"}), ())
    ]
    assert arms == ["cross entropy", "priming", "full", "full, evidence"]
    report = read(STUDY, Asked(("tiny",), ("bowling",), settings={"verifier": "none"}), lambda at: 0.5)
    assert not any("R_feat" in claim for claim in report.claims)


def test_parts_help_harm_or_change_nothing() -> None:
    p = {"cross entropy": 0.1, "priming": 0.2, "priming, coherence": 0.3, "priming, diversity": 0.6, "full": 0.6}
    report = read(STUDY, ASKED, lambda at: p.get(at["arm"], 0.4))
    assert [row["loss has"] for row in report.table] == list(regularizers.ARMS)
    diversity, coherence, evidence = report.claims
    assert "R_feat) helps on Tiny, in the eyes of the judge: +0.300" in diversity
    assert "R_coh) changes nothing that can be told" in coherence and "harms on Tiny" in evidence
    assert list(report.sheet["tai chi"]) == list(regularizers.ARMS)
    assert set(report.figures) == {"p-model", "p-verifier", "p-judge"}


def test_the_models_own_opinion_is_called_so() -> None:
    rows = [row | {"p_judge": None} for row in rows_of(STUDY, ASKED, lambda at: 0.9 if at["arm"] == "full" else 0.2)]
    diversity, _, evidence = STUDY.read(ASKED, rows).claims
    assert diversity.startswith(
        "Feature diversity (R_feat) raises Tiny's own opinion of its clips, which nobody else has judged: +0.7"
    )
    assert evidence.startswith("Evidence (and the frame verifier") and "lowers Tiny's own opinion" in evidence


def test_clips_are_compared_with_those_of_their_own_action_and_seed() -> None:
    before = [{"action": "a", "seed": 1, "p_judge": 0.1}, {"action": "b", "seed": 1, "p_judge": 0.9}]
    after = [{"action": "b", "seed": 1, "p_judge": 1.0}, {"action": "c", "seed": 1, "p_judge": 0.0}]
    assert report.differences(before, after, "judge") == pytest.approx([0.1])
