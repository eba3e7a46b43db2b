"""The scene around the figure."""

from __future__ import annotations

from leaps_core.puppets.scene import BACKDROPS, make_scene


def test_every_backdrop_occurs() -> None:
    assert {make_scene(seed).kind for seed in range(60)} == set(BACKDROPS)
