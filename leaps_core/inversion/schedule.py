"""What follows from the number of a step: its learning rate, whether it is kept as a snapshot, which frames are verified."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from ..config import SynthesisConfig

SNAPSHOTS = 60
"""A run keeps all steps up to so many, else so many, evenly spread."""


def learning_rate(config: SynthesisConfig, done: int) -> float:
    """The rate of the step after `done` ones: a linear rise over `warmup_steps`, then half a cosine down to
    `min_learning_rate`."""
    peak, low = config.learning_rate, min(config.min_learning_rate, config.learning_rate)
    warmup = min(config.warmup_steps, config.steps // 2)
    if done < warmup:
        return peak * (done + 1) / (warmup + 1)
    share = (done - warmup) / max(1, config.steps - warmup)
    return low + (peak - low) * 0.5 * (1 + math.cos(math.pi * share))


@lru_cache(maxsize=16)  # each step asks
def snapshot_steps(steps: int) -> frozenset[int]:
    """Which steps are snapshots: all up to `SNAPSHOTS`, else so many, evenly spread, the last one included."""
    if steps <= SNAPSHOTS:
        return frozenset(range(1, steps + 1))
    return frozenset(int(i) for i in np.linspace(1, steps, SNAPSHOTS).round())


def spread(frames: int, some: int, turn: int) -> list[int]:
    """`some` of so many frames (0: all), spread evenly; in as many turns as there are frames, each one has come up."""
    some = min(some, frames) or frames
    return sorted((turn + i * frames // some) % frames for i in range(some))
