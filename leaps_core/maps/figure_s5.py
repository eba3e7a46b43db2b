"""The paper's Figure S5: do LEAPS's clips lie among the real ones, and wider than those without feature diversity (R_feat)?

Both halves of the claim are checked in the original space of a network's embeddings, beside real clips that are not in the
bank: the stimuli.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..banks.bank import Bank
from ..config import SynthesisConfig
from ..errors import BankError
from ..inversion.terms import has_diversity
from . import metrics

LEAPS, WITHOUT, STIMULI = "LEAPS", "without R_feat", "stimuli"
ARMS = {WITHOUT: 0.0, LEAPS: 1.0}
"""The two arms, and the share that each has of the config's feature diversity."""
COLOURS = {"real": "#4c78c8", STIMULI: "#8a94a6", WITHOUT: "#f58518", LEAPS: "#d62728"}
"""As in the paper's figure: real clips blue, LEAPS without R_feat orange, LEAPS red."""
FEWEST = 10
"""Real clips of the action that measuring takes."""
QUANTILE = 0.95
"""A clip is inside where it is no farther from the class's centre than this share of the real clips."""
RESAMPLES = 2000
"""Of the bootstrap of a ratio of spreads."""


def arm(config: SynthesisConfig) -> str:
    """Which arm a run belongs to, by the settings that it began with."""
    return LEAPS if has_diversity(config) else WITHOUT


def check(bank: Bank, action: str) -> None:
    """Raises `BankError` unless a bank has all that `measure` needs, so that nothing is inverted in vain."""
    mine, classes = np.flatnonzero(bank.labels == action), len(set(bank.labels.tolist()))
    if len(mine) < FEWEST or classes < 2:
        raise BankError(
            f"The bank {bank.name} of “{bank.facts['model']}” has {len(mine)} real clips of “{action}” among those "
            f"of {classes} classes; the study needs {FEWEST} or more, and two classes or more. Add clips."
        )
    vectors = bank.rows(mine)
    metrics.centroid_distance(vectors, vectors)


@dataclass(frozen=True)
class Measured:
    """What one space says. `sets`: by the name of each set of clips its figures: those of each clip, (M,) arrays (`distance`,
    `inside`, `neighbours`), and those of the set (`spread`, `density`, `coverage`, `frechet`, `warning`). `ratio`: of LEAPS's
    spread by that without R_feat, with its 95 % `interval`."""

    real: int
    sets: dict[str, dict[str, Any]] = field(repr=False)
    ratio: float
    interval: tuple[float, float]

    @property
    def inside(self) -> bool:
        """Whether half of LEAPS's clips or more lie inside."""
        return float(self.sets[LEAPS]["inside"].mean()) >= 0.5

    @property
    def wider(self) -> bool:
        """Whether LEAPS's clips clearly spread wider."""
        return self.interval[0] > 1

    @property
    def verdict(self) -> str:
        """Whether the paper's claim holds."""
        if self.inside:
            return "holds" if self.wider else "holds in part: inside, but not clearly wider"
        return "holds in part: wider, but not inside" if self.wider else "does not hold"


def measure(bank: Bank, action: str, sets: Mapping[str, np.ndarray]) -> Measured:
    """Measure sets of embeddings (M, D), which are both arms (M ≥ 2) and any others, against a bank's real clips of the action.
    Raises `BankError` for a bank that `check` refuses."""
    real, found = bank.rows(np.flatnonzero(bank.labels == action)), dict[str, dict[str, Any]]()
    limit = float(np.quantile(metrics.centroid_distance(real, real), QUANTILE))
    for name, points in sets.items():
        distance = metrics.centroid_distance(points, real)
        density, coverage = metrics.density_coverage(points, real)
        frechet, warning = metrics.frechet(points, real)
        found[name] = {
            "distance": distance,
            "inside": distance <= limit,
            "neighbours": metrics.neighbour_share(points, bank.embeddings, bank.labels, action),
            "spread": metrics.relative_spread(points, real),
            "density": density,
            "coverage": coverage,
            "frechet": frechet,
            "warning": warning,
        }
    ratio = found[LEAPS]["spread"] / max(found[WITHOUT]["spread"], 1e-12)
    return Measured(len(real), found, ratio, _interval(sets[LEAPS], sets[WITHOUT]))


def _interval(a: np.ndarray, b: np.ndarray) -> tuple[float, float]:
    """The 95 % bootstrap interval of spread(a) / spread(b), the seeds being drawn for both at once."""
    rng = np.random.default_rng(0)
    ratios = []
    for _ in range(RESAMPLES):
        drawn = rng.integers(0, len(a), len(a))
        if len(set(drawn.tolist())) > 1:
            ratios.append(metrics.spread(a[drawn]) / max(metrics.spread(b[drawn]), 1e-12))
    low, high = np.quantile(ratios, [0.025, 0.975])
    return float(low), float(high)
