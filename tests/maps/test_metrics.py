"""The figures of sets of embeddings, against slow versions written straight from the equations."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.linalg

from leaps_core.errors import BankError
from leaps_core.maps import metrics

RNG = np.random.default_rng(0)
REAL = RNG.normal(0, 1, (40, 6)).astype(np.float32)
MADE = RNG.normal(0.5, 0.7, (25, 6)).astype(np.float32)
LABELS = np.asarray(["a", "b", "b", "c"] * 10)


def _distances(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.asarray([[np.sqrt(((x.astype(float) - y) ** 2).sum()) for y in b] for x in a])


def test_nearest() -> None:
    found, distances = metrics.nearest(MADE, REAL, 7)
    wanted = _distances(MADE, REAL)
    assert np.array_equal(found, wanted.argsort(1)[:, :7])
    assert np.allclose(distances, np.sort(wanted, 1)[:, :7], atol=1e-5)


def test_nearest_finds_a_point_itself_exactly() -> None:
    found, distances = metrics.nearest(REAL + 1000, REAL + 1000, 1)  # where squares lose digits
    assert (distances == 0).all() and np.array_equal(found[:, 0], np.arange(40))


def test_centroid_distance() -> None:
    centre = [sum(column) / 40 for column in REAL.T]
    usual = np.mean([np.sqrt(sum((x - centre) ** 2)) for x in REAL])
    wanted = [np.sqrt(sum((y - centre) ** 2)) / usual for y in MADE]
    assert np.allclose(metrics.centroid_distance(MADE, REAL), wanted, atol=1e-5)
    assert metrics.centroid_distance(REAL, REAL).mean() == pytest.approx(1, abs=1e-5)


def test_neighbour_share() -> None:
    wanted = [np.mean([LABELS[i] == "b" for i in row.argsort()[:9]]) for row in _distances(MADE, REAL)]
    assert np.allclose(metrics.neighbour_share(MADE, REAL, LABELS, "b", 9), wanted)


def test_spread() -> None:
    assert metrics.spread(MADE) == pytest.approx(np.sqrt(np.trace(np.cov(MADE.T))), abs=1e-5)
    assert metrics.spread(3 * MADE + 7) == pytest.approx(3 * metrics.spread(MADE), rel=1e-4)


def test_relative_spread() -> None:
    assert metrics.relative_spread(2 * REAL + 1, REAL) == pytest.approx(2, rel=1e-4)
    with pytest.raises(BankError, match="40 real clips of this class are all the same"):
        metrics.relative_spread(MADE, REAL * 0)


def test_density_and_coverage() -> None:
    radii = np.sort(_distances(REAL, REAL), 1)[:, 5]
    inside = [[np.linalg.norm(y - x) <= radius for x, radius in zip(REAL, radii, strict=True)] for y in MADE]
    density, coverage = metrics.density_coverage(MADE, REAL, 5)
    assert density == pytest.approx(np.sum(inside) / (5 * len(MADE)))
    assert coverage == pytest.approx(np.mean(np.any(inside, axis=0)))
    assert metrics.density_coverage(MADE + 100, REAL, 5) == (0, 0)


@pytest.mark.parametrize(("made", "real"), [(25, 40), (4, 40), (4, 5), (3, 3)])
def test_frechet(made: int, real: int) -> None:
    a, b = MADE[:made].astype(float), REAL[:real].astype(float)
    first, second = np.cov(a.T), np.cov(b.T)
    root = scipy.linalg.sqrtm(first @ second + 1e-12 * np.eye(6))
    wanted = ((a.mean(0) - b.mean(0)) ** 2).sum() + np.trace(first + second - 2 * np.real(root))
    value, warning = metrics.frechet(MADE[:made], REAL[:real])
    assert value == pytest.approx(wanted, abs=1e-3)
    assert bool(warning) == (min(made, real) <= 6)


def test_frechet_of_a_set_with_itself_is_nothing() -> None:
    assert metrics.frechet(REAL, REAL)[0] == pytest.approx(0, abs=1e-9)
    assert metrics.frechet(REAL + 2, REAL)[0] == pytest.approx(24, abs=1e-4)


def test_what_is_too_little_is_told() -> None:
    with pytest.raises(BankError, match="50 neighbours were asked for among 40"):
        metrics.nearest(MADE, REAL, 50)
    with pytest.raises(BankError, match="one class only \\(b\\)"):
        metrics.neighbour_share(MADE, REAL, np.full(40, "b"), "b")
    with pytest.raises(BankError, match="no real clip of “z”"):
        metrics.neighbour_share(MADE, REAL, LABELS, "z")
    with pytest.raises(BankError, match="too few for 40 neighbours"):
        metrics.density_coverage(MADE, REAL, 40)
    with pytest.raises(BankError, match="no spread"):
        metrics.centroid_distance(MADE, REAL[:1])
    with pytest.raises(BankError, match="no real clip of this class"):
        metrics.centroid_distance(MADE, REAL[:0])
    with pytest.raises(BankError, match="two or more"):
        metrics.spread(MADE[:1])
    with pytest.raises(BankError, match="two clips or more"):
        metrics.frechet(MADE[:1], REAL)
