"""What an action is: a function from a moment of the clip to a pose and the props around it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from ..figure import Part, Pose, Vec, vec
from ..scene import Style

TAU = math.tau


@dataclass(frozen=True)
class Beat:
    """A moment: ``phase`` in cycles of the action, ``u`` the clip's time in 0..1.

    ``cycles`` is the phase that the whole clip spans.
    """

    phase: float
    u: float
    cycles: float
    style: Style

    def swing(self, per_cycle: float = 1.0, shift: float = 0.0) -> float:
        """A sine of the phase in -1..1; ``shift`` in cycles."""
        return math.sin(TAU * (self.phase * per_cycle + shift))


@dataclass
class Moment:
    """What there is to see at one moment, in body units.

    ``scroll`` is how far the world behind has moved; ``ground`` is the spot under which the shadow lies.
    """

    pose: Pose
    props: list[Part] = field(default_factory=list)
    scroll: Vec = field(default_factory=lambda: vec(0, 0, 0))
    ground: Vec | None = field(default_factory=lambda: vec(0, 0, 0))


@dataclass(frozen=True)
class Action:
    """How an action is played and filmed.

    ``yaws`` are the ranges of camera angles in degrees (0 sees the front, 90 the side), ``cycles`` the range
    of repetitions in a clip, ``box`` the half width, bottom and top, in body units, that must stay in frame.
    ``backwards`` plays the motion, and the camera, from end to start.
    """

    motion: Callable[[Beat], Moment]
    yaws: tuple[tuple[float, float], ...]
    cycles: tuple[float, float]
    box: tuple[float, float, float]
    pitch: tuple[float, float] = (4.0, 14.0)
    baby: bool = False
    backwards: bool = False


def smooth(x: float) -> float:
    """The smoothstep of ``x`` clipped to 0..1."""
    x = min(max(x, 0.0), 1.0)
    return x * x * (3 - 2 * x)


def through(t: float, *keys: tuple[float, Any]) -> Any:
    """The value at time ``t`` of an eased path through ``(time, value)`` keys (floats or vectors)."""
    if t <= keys[0][0]:
        return keys[0][1]
    for (start, before), (stop, after) in pairwise(keys):
        if t <= stop:
            return before + (after - before) * smooth((t - start) / (stop - start))
    return keys[-1][1]


def bob(beat: Beat, amount: float = 0.012) -> Vec:
    """The pelvis of a standing figure that bobs twice a cycle."""
    return vec(0, 0.488 + amount * beat.swing(2), 0)
