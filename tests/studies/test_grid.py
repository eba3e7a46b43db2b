"""Table S1's search: all points, or those that TPE asks for."""

from __future__ import annotations

import sys
from dataclasses import replace

import pytest

from leaps_core.errors import LeapsError
from leaps_core.studies import grid, search
from leaps_core.studies.study import Asked
from tests.studies.helpers import rows_of

pytest.importorskip("optuna")
STUDY = grid.STUDY
ASKED = Asked(("tiny",), ("bowling",), seeds=1)


def height(at: dict) -> float:
    """A hill with its top at λ_1 0.75, λ_L 0.2, r 0.005."""
    return 0.9 - abs(at["lambda_1"] - 0.75) - abs(at["lambda_L"] - 0.2) - 20 * abs(at["r"] - 5e-3)


def test_the_grid_is_the_papers() -> None:
    trials = STUDY.trials(ASKED, ())
    assert len(trials) == len(search.points()) == 125 and len({trial.id for trial in trials}) == 125
    config = trials[7].config
    assert (config.lambda_1, config.lambda_L, config.r) == search.points()[7]


def test_the_best_point_comes_first_and_tpe_is_compared_on_the_same_grid() -> None:
    report = STUDY.read(ASKED, rows_of(STUDY, ASKED, height))
    assert len(report.table) == 125
    assert [report.table[0][name] for name in ("λ_1", "λ_L", "r")] == [0.75, 0.2, 5e-3]
    assert "λ_1 0.75, λ_L 0.2, r 0.005; the judge gives its clips 90%" in report.claims[0]
    assert "With 13 points instead of 125, played 20 times" in report.claims[1] and "TPE" in report.claims[1]
    assert set(report.figures) == {"parallel-tiny", "slices-tiny"}
    assert report.table[0]["final loss"].value == 1.0, "of the paper's terms alone, each 0.25 in these rows"


def test_tpe_asks_for_a_point_when_it_knows_the_ones_before() -> None:
    asked, rows, seen = Asked(("tiny",), ("bowling",), seeds=1, budget=6), list[dict](), list[str]()
    for _ in range(10):
        trials = STUDY.trials(asked, rows)
        fresh = [trial for trial in trials if trial.id not in seen]
        if not fresh:
            break
        assert len(fresh) == 1, "one point at a time"
        seen.append(fresh[0].id)
        rows.append({**fresh[0].at, "status": "done", "p_judge": height(fresh[0].at), "loss": 1.0})
    assert len(seen) == 6 and [trial.id for trial in STUDY.trials(asked, rows)] == seen, "the same rows, the same points"
    assert len(STUDY.read(asked, rows).claims) == 1


def test_a_weight_that_is_set_is_not_searched_and_with_all_three_one_row_is_scored() -> None:
    asked = Asked(("tiny",), ("bowling",), seeds=1, settings={"r": 5e-4})
    trials = STUDY.trials(asked, ())
    assert len(trials) == 25 and {trial.config.r for trial in trials} == {5e-4}, "outside of the paper's values, too"
    report = STUDY.read(asked, rows_of(STUDY, asked, height))
    assert len(report.table) == 25 and len(report.claims) == 1, "TPE is compared on the whole grid only"
    some = STUDY.trials(replace(asked, budget=3), [])
    assert len(some) == 1 and some[0].config.r == 5e-4

    one = Asked(("tiny",), ("bowling",), seeds=2, settings={"r": "0.001", "lambda_1": 0.5, "lambda_L": 0.3})
    report = STUDY.read(one, rows_of(STUDY, one, height))
    assert [trial.config.seed for trial in STUDY.trials(one, ())] == [7000, 7001]
    assert report.claims == ["Tiny with λ_1 0.5, λ_L 0.3, r 0.001: the judge gives its clips 47% (47% to 47%)."]
    assert not report.figures, "a search of one point has no picture"


def test_tpe_comes_further_than_chance() -> None:
    hill = {point: height(dict(zip(search.SPACE, point, strict=True))) for point in search.points()}
    found = search.played(hill)
    assert 1 >= found["TPE"] > found["random search"] > 0.3


def test_the_points_that_may_be_as_good_are_others() -> None:
    asked = Asked(("tiny",), ("bowling",), seeds=2)
    rows = rows_of(STUDY, asked, lambda at: 0.9 if at["lambda_1"] == 1.0 and at["r"] == 1e-3 else 0.1 + at["seed"] % 2 / 50)
    assert "Other points whose interval reaches its value: 4." in STUDY.read(asked, rows).claims[0], "five are as good"


def test_a_point_whose_runs_failed_is_no_best_one() -> None:
    rows = rows_of(STUDY, ASKED, height)
    for row in rows:
        if (row["lambda_1"], row["lambda_L"], row["r"]) == (0.75, 0.2, 5e-3):
            row["status"] = "failed"
    report = STUDY.read(ASKED, rows)
    assert len(report.table) == 124 and "The best of 124 points" in report.claims[0]


def test_without_optuna_it_is_told_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(LeapsError, match="pip install -r requirements-studies.txt"):
        STUDY.trials(Asked(("tiny",), ("bowling",), seeds=1, budget=3), ())
    with pytest.raises(LeapsError, match="pip install -r requirements-studies.txt"):
        STUDY.trials(ASKED, ())
