"""Pictures of motion, on clips whose motion is known."""

from __future__ import annotations

import numpy as np
import pytest

from leaps_core.probes import motion


def moving(dx: float, dy: float, frames: int = 6, size: int = 64) -> np.ndarray:
    """A soft bright spot on a textured ground that stands still; the spot moves by (dx, dy) px per frame."""
    y, x = np.mgrid[:size, :size].astype(np.float32)
    clips = []
    for t in range(frames):
        spot = np.exp(-((x - 32 - dx * (t - frames / 2)) ** 2 + (y - 32 - dy * (t - frames / 2)) ** 2) / 60)
        clips.append(np.repeat((40 + 180 * spot)[..., None], 3, -1).astype(np.uint8))
    return np.stack(clips)


def test_differences_are_where_something_changes() -> None:
    clip = np.zeros((3, 8, 8, 3), np.uint8)
    clip[1, 2, 5] = 255
    found = motion.differences(clip)
    assert found.shape == (3, 8, 8) and not found[0].any()
    assert found[1, 2, 5] == found[2, 2, 5] == 1 and found[1].sum() == 1
    drawn = motion.drawn(found)
    assert drawn.dtype == np.uint8 and drawn[1, 2, 5].tolist() == [255] * 3 and drawn.sum() == 2 * 3 * 255
    assert motion.drawn(np.full((1, 1, 1), motion.FULL / 2, np.float32))[0, 0, 0, 0] == 127


@pytest.mark.parametrize(
    ("dx", "dy", "strongest"),
    [(2, 0, (0,)), (-2, 0, (1, 2)), (0, 2, (1,)), (0, -2, (2,))],
    ids=["right: red", "left: cyan", "down: green", "up: blue"],
)
def test_the_colour_of_a_flow_says_where_to(dx: int, dy: int, strongest: tuple[int, ...]) -> None:
    clip = moving(dx, dy)
    moved = motion.flow(clip)
    assert moved.shape == (6, 64, 64, 2) and not moved[0].any()
    middle = moved[2:5, 28:36, 28:36].mean((0, 1, 2))
    assert middle == pytest.approx([dx, dy], abs=0.7)
    coloured, fastest = motion.coloured(moved)
    assert coloured.shape == clip.shape and (coloured[0] == 255).all() and 1 < fastest < 4
    colour = coloured[3, 30:34, 30:34].mean((0, 1))
    assert min(colour[i] for i in strongest) > max(colour[i] for i in set(range(3)) - set(strongest))


def test_a_still_clip_stays_white() -> None:
    clip = np.repeat(np.random.default_rng(0).integers(0, 255, (1, 32, 32, 3), np.uint8), 4, 0)
    coloured, fastest = motion.coloured(motion.flow(clip))
    assert coloured.min() > 230 and fastest == motion.SLOWEST


def test_the_slice_is_the_row_that_changes_most() -> None:
    clip = np.full((4, 16, 16, 3), 50, np.uint8)
    for t in range(4):
        clip[t, 11, 3 * t] = 255
    picture, row = motion.through_time(clip)
    assert row == 11 and picture.shape == (4 * motion.TALL, 16, 3)
    assert (picture[:: motion.TALL] == clip[:, 11]).all() and (picture[0] == picture[motion.TALL - 1]).all()
