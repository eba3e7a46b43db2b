"""The figures of studies: shares and means with their 95 % intervals, and the Inception Score."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

RESAMPLES = 2000
"""Samples of a bootstrap."""
CLEAR = 0.05
"""How seldom chance may make a change that is called clear."""


class Interval(NamedTuple):
    """A figure of `n` clips (or runs, or splits) with its 95 % interval; `percent`: a share of 1, told in percent. The mean of
    one has no interval: `low` and `high` are NaN."""

    value: float
    low: float
    high: float
    n: int
    percent: bool = False

    def __str__(self) -> str:
        if not self.n:
            return "–"
        form = ".0%" if self.percent else ".3g"
        if np.isnan(self.low):
            return f"{self.value:{form}}"
        return f"{self.value:{form}} ({self.low:{form}} to {self.high:{form}})"

    @property
    def change(self) -> str:
        """As a change from clip to clip, of pairs."""
        if np.isnan(self.low):
            return f"{self.value:+.3f} (one pair of clips: no interval)"
        return f"{self.value:+.3f} (95 % interval {self.low:+.3f} to {self.high:+.3f}, {self.n} pairs of clips)"


NONE = Interval(float("nan"), float("nan"), float("nan"), 0)
"""The figure of nothing."""


def share(hits: Sequence[bool]) -> Interval:
    """How many of them are true, of 1, with the interval by Wilson (1927)."""
    if not hits:
        return NONE
    low, high = wilson(sum(hits), len(hits))
    return Interval(sum(hits) / len(hits), low, high, len(hits), percent=True)


def mean(values: Sequence[float], percent: bool = False) -> Interval:
    """Their mean, with the interval by the bootstrap; of one value there is none."""
    if not values:
        return NONE
    low, high = bootstrap(values) if len(values) > 1 else (float("nan"), float("nan"))
    return Interval(float(np.mean(values)), low, high, len(values), percent)


def wilson(hits: int, n: int) -> tuple[float, float]:
    """The 95 % interval of a share of n (Wilson 1927)."""
    z, p = 1.96, hits / n
    middle, spread = p + z * z / (2 * n), z * np.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return float((middle - spread) / (1 + z * z / n)), float((middle + spread) / (1 + z * z / n))


def bootstrap(values: Sequence[float]) -> tuple[float, float]:
    """The 95 % interval of a mean: percentiles of the means of `RESAMPLES` samples of as many values, drawn with
    replacement."""
    low, high = np.percentile(resampled(values, np.random.default_rng(0)), (2.5, 97.5))
    return float(low), float(high)


def resampled(values: Sequence[float], rng: np.random.Generator) -> np.ndarray:
    """The means of these samples, (`RESAMPLES`,)."""
    return rng.choice(np.asarray(values, float), (RESAMPLES, len(values))).mean(1)


def clearly(changes: Sequence[float]) -> int:
    """Whether pairs of clips changed for sure: 1 they grew, -1 they fell, 0 neither can be told. By the exact test that gives
    each change its sign at random, two-sided (Fisher 1935): of less than six pairs nothing can be told, though a bootstrapped
    interval leaves out 0 whenever all have the same sign."""
    if len(changes) < 2 or not np.any(changes):
        return 0
    from scipy.stats import permutation_test

    found = permutation_test((np.asarray(changes, float),), np.mean, permutation_type="samples", vectorized=True, rng=0)
    return int(np.sign(np.mean(changes))) if found.pvalue < CLEAR else 0


def inception_score(probabilities: np.ndarray) -> float:
    """IS = exp(E_x KL(p(y|x) ‖ p(y))) of the probabilities (N, K) that a network gives N clips; p(y) is their mean (Salimans et
    al. 2016). From 1 (all clips alike to it, or all unclear) to min(N, K)."""
    return float(_inception(probabilities, np.full((1, len(probabilities)), 1 / len(probabilities)))[0])


def inception(splits: Sequence[np.ndarray]) -> str:
    """The Inception Scores of splits (N, K) in words: their mean ± standard deviation, as the paper's Table S2 has it (a single
    one has none), and the 95 % interval of the mean by the bootstrap of each split's clips. Samples in which clips are repeated
    show fewer classes, so their scores are lower as a whole; the interval is moved by as much."""
    if not len(splits):
        return "–"
    scores, rng = [inception_score(split) for split in splits], np.random.default_rng(0)
    drawn = [rng.multinomial(len(split), np.full(len(split), 1 / len(split)), RESAMPLES) / len(split) for split in splits]
    samples = np.mean([_inception(split, weights) for split, weights in zip(splits, drawn, strict=True)], 0)
    low, high = np.mean(scores) + np.percentile(samples - samples.mean(), (2.5, 97.5))
    most = min(splits[0].shape[1], max(map(len, splits)))
    deviation = f" ± {np.std(scores):.2f}" if len(scores) > 1 else ""
    return f"{np.mean(scores):.2f}{deviation} ({max(low, 1):.2f} to {min(high, most):.2f})"


def _inception(probabilities: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """IS of each sample, (B,), of clips with probabilities (N, K): how often it has each of them, as a share, (B, N)."""
    p = np.clip(np.asarray(probabilities, float), 1e-12, 1)
    p = p / p.sum(1, keepdims=True)
    mean = weights @ p
    return np.asarray(np.exp(weights @ (p * np.log(p)).sum(1) - (mean * np.log(mean)).sum(1)))
