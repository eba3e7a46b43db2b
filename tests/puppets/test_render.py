"""The puppets' world: what a clip is, what it may depend on, and what must not give an action away."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from leaps_core.errors import LeapsError
from leaps_core.puppets import ACTIONS, render_clip
from leaps_core.puppets import render as stage
from leaps_core.puppets.actions import CATALOGUE
from leaps_core.puppets.scene import CameraPath, make_scene


@pytest.mark.parametrize("frames, size", [(1, 16), (5, 48), (16, 112)])
def test_shape_and_dtype(frames: int, size: int) -> None:
    clip = render_clip("tai chi", 3, frames, size)
    assert clip.shape == (frames, size, size, 3)
    assert clip.dtype == np.uint8


@pytest.mark.parametrize("action", ACTIONS)
def test_deterministic(action: str) -> None:
    assert np.array_equal(render_clip(action, 11, 3, 48), render_clip(action, 11, 3, 48))


@pytest.mark.parametrize("action", ACTIONS)
def test_seeds_differ(action: str) -> None:
    first, second = (render_clip(action, seed, 2, 48).astype(float) for seed in (1, 2))
    assert np.abs(first - second).mean() > 5


@pytest.mark.parametrize("action", ACTIONS)
def test_the_figure_itself_moves(action: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CameraPath, "at", lambda self, u: (0.0, 0.0, 1.0))
    clip = render_clip(action, 5, 8, 64).astype(float)
    changed = (np.abs(np.diff(clip, axis=0)).max(-1) > 25).mean((1, 2))
    assert changed.mean() > 0.006
    assert (changed > 0).all()


@pytest.mark.parametrize("action", ACTIONS)
def test_same_scene_at_another_size(action: str) -> None:
    large, small = render_clip(action, 8, 2, 112), render_clip(action, 8, 2, 64)
    for a, b in zip(large, small):
        a = cv2.resize(a, (64, 64), interpolation=cv2.INTER_AREA)
        assert np.corrcoef(a.ravel().astype(float), b.ravel().astype(float))[0, 1] > 0.9


def test_other_lengths_span_the_same_time() -> None:
    long, short = render_clip("side kick", 4, 9, 48), render_clip("side kick", 4, 5, 48)
    assert np.array_equal(long[::2], short)


def test_abseiling_is_climbing_played_backwards() -> None:
    for seed in range(3):
        up, down = (render_clip(action, seed, 6, 64) for action in ("climbing a rope", "abseiling"))
        assert np.array_equal(up, down[::-1])
        assert not np.array_equal(up, down)


@pytest.mark.parametrize("action", ACTIONS)
def test_the_figure_stays_in_frame(action: str) -> None:
    """Head, hands and hips project inside the picture at all times."""
    for seed in range(12):
        shoot = stage._plan(CATALOGUE[action], seed)
        for u in np.linspace(0, 1, 7):
            pose = shoot.moment(u).pose
            joints = shoot.view(u, 100).project(np.array([pose.head, pose.pelvis, *pose.hands]))
            assert joints.min() > -3 and joints.max() < 103, (seed, u)


def test_scene_is_blind_to_the_action(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without figure, props and shadow, and with nothing scrolling, all actions show the same pixels."""
    monkeypatch.setattr(stage, "paint", lambda canvas, parts, view: None)
    monkeypatch.setattr(stage, "_cast_shadow", lambda *args: None)
    scrolling = {"riding a bike", "climbing a rope", "abseiling"}
    clips = [render_clip(action, 21, 3, 48) for action in ACTIONS if action not in scrolling]
    assert all(np.array_equal(clips[0], clip) for clip in clips[1:])
    looks = {make_scene(seed).look for seed in range(6)}
    assert len(looks) == 6


def test_unknown_action_names_the_known_ones() -> None:
    with pytest.raises(LeapsError, match="juggling balls"):
        render_clip("juggling chainsaws", 0)


@pytest.mark.parametrize("frames, size", [(0, 112), (-3, 112), (16, 15)])
def test_too_few_frames_or_pixels(frames: int, size: int) -> None:
    with pytest.raises(LeapsError):
        render_clip("clapping", 0, frames, size)
