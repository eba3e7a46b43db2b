"""Intervals and the Inception Score, against values that are known."""

from __future__ import annotations

import numpy as np
import pytest

from leaps_core.studies import numbers


def test_intervals_are_the_known_ones() -> None:
    assert numbers.wilson(0, 12) == (pytest.approx(0, abs=1e-9), pytest.approx(0.2425, abs=1e-3))
    assert numbers.wilson(6, 12) == (pytest.approx(0.2538, abs=1e-3), pytest.approx(0.7462, abs=1e-3))
    assert numbers.bootstrap([1.0] * 5) == (1.0, 1.0)


def test_the_bootstrap_covers_the_mean_as_often_as_it_says() -> None:
    rng, hits = np.random.default_rng(3), 0
    for _ in range(100):
        low, high = numbers.bootstrap(rng.normal(2, 1, 40).tolist())
        hits += low <= 2 <= high
    assert 88 <= hits <= 99


def test_figures_are_told_with_their_intervals() -> None:
    assert str(numbers.share([True, False])) == "50% (9% to 91%)" and numbers.share([True, False]).n == 2
    assert str(numbers.mean([2.0, 2.0, 2.0])) == "2 (2 to 2)"
    assert str(numbers.mean([0.5, 0.5], percent=True)) == "50% (50% to 50%)"
    assert str(numbers.mean([0.5], percent=True)) == "50%" and str(numbers.mean([2.5])) == "2.5", "one is no interval"
    assert numbers.mean([0.25, 0.25]).change == "+0.250 (95 % interval +0.250 to +0.250, 2 pairs of clips)"
    assert numbers.mean([-0.25]).change == "-0.250 (one pair of clips: no interval)"
    assert str(numbers.share([])) == str(numbers.mean([])) == "–"


def test_a_change_is_clear_when_chance_would_seldom_make_it() -> None:
    assert numbers.clearly([0.1] * 6) == 1 and numbers.clearly([-0.1] * 6) == -1
    assert numbers.clearly([0.1] * 5) == 0, "one time in sixteen all five have the same sign"
    assert numbers.clearly([0.3, -0.1, 0.2, -0.2, 0.1, 0.05]) == numbers.clearly([0.0] * 9) == 0
    assert numbers.clearly([]) == numbers.clearly([0.4]) == 0
    rng = np.random.default_rng(1)
    false = sum(numbers.clearly(rng.normal(0, 1, 8).tolist()) != 0 for _ in range(200))
    assert false <= 20, "of nothing, it says something one time in twenty"


def test_the_inception_score_counts_clear_and_different_clips() -> None:
    assert numbers.inception_score(np.eye(5)) == pytest.approx(5), "each clip another class, and sure"
    assert numbers.inception_score(np.full((5, 4), 0.25)) == pytest.approx(1), "all unclear"
    assert numbers.inception_score(np.eye(4)[[2, 2, 2]]) == pytest.approx(1), "all the same class"
    p = np.array([[0.9, 0.1], [0.1, 0.9]])
    expected = np.exp(0.9 * np.log(0.9 / 0.5) + 0.1 * np.log(0.1 / 0.5))
    assert numbers.inception_score(p) == pytest.approx(expected)


def test_the_inception_score_is_told_with_its_spread_and_its_interval() -> None:
    assert numbers.inception([]) == "–"
    assert numbers.inception([np.eye(5)[[0, 0, 0]]]) == "1.00 (1.00 to 1.00)", "all alike, whichever are drawn"
    assert numbers.inception([np.eye(4), np.eye(4)[[0, 0, 1, 1]]]).startswith("3.00 ± 1.00 (")
    rng, held = np.random.default_rng(0), 0
    for _ in range(100):  # of clips of a world in which the score of many is known
        drawn = np.eye(3)[rng.choice(3, 60, p=[0.6, 0.3, 0.1])]
        low, high = map(float, numbers.inception([drawn]).partition("(")[2].rstrip(")").split(" to "))
        held += low <= np.exp(-(0.6 * np.log(0.6) + 0.3 * np.log(0.3) + 0.1 * np.log(0.1))) <= high
    assert held >= 88, "it holds in some 95 of 100"
