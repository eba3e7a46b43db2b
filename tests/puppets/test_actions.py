"""The sixteen actions: their names, and how they move."""

from __future__ import annotations

import numpy as np
import pytest

from leaps_core import models
from leaps_core.puppets import ACTIONS
from leaps_core.puppets.actions import CATALOGUE, Beat
from leaps_core.puppets.scene import make_scene

PAPER = {
    "juggling balls",
    "dribbling basketball",
    "crawling baby",
    "playing trumpet",
    "tai chi",
    "making pizza",
    "bowling",
    "side kick",
    "eating watermelon",
}


def test_sixteen_sorted_actions_of_kinetics_the_papers_among_them() -> None:
    assert len(ACTIONS) == 16
    assert list(ACTIONS) == sorted(set(ACTIONS))
    assert PAPER < set(ACTIONS) < set(models.labels("kinetics400"))


def test_climbing_rises_against_the_world() -> None:
    """Relative to the backdrop the body goes up by the same way in every scene."""
    for seed in range(5):
        style = make_scene(seed).style
        start, end = (CATALOGUE["climbing a rope"].motion(Beat(2 * u, u, 2.0, style)) for u in (0.0, 1.0))
        rise = (end.pose.pelvis - end.scroll)[1] - (start.pose.pelvis - start.scroll)[1]
        assert rise == pytest.approx(0.6)


def test_clapping_is_level_and_drumming_is_not() -> None:
    """The two share a pose; what differs is the direction in which the hands move."""
    style = make_scene(0).style

    def hand_travel(action: str) -> np.ndarray:
        poses = [CATALOGUE[action].motion(Beat(t, t, 1.0, style)).pose for t in np.linspace(0, 1, 9)]
        left = np.array([pose.hands[0] for pose in poses])
        return np.ptp(left, axis=0)

    clap, drum = hand_travel("clapping"), hand_travel("air drumming")
    assert clap[0] > 0.15 and clap[1] == 0
    assert drum[1] > 0.15 and drum[0] == 0
