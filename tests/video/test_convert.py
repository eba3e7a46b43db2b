"""Frames and tensors, other lengths and sizes, and how much moves."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from leaps_core import video
from tests.video.helpers import BLUE, GREEN, RED, YELLOW, assert_colours, levels, quarters


def test_tensors_and_frames_are_inverse():
    frames = np.random.default_rng(0).integers(0, 256, (5, 6, 7, 3), dtype=np.uint8)
    tensor = video.to_tensor(frames)
    assert tensor.shape == (1, 3, 5, 6, 7) and tensor.dtype == torch.float32
    assert tensor[0, 2, 4, 3, 1] == pytest.approx(frames[4, 3, 1, 2] / 255)
    for back in (video.to_frames(tensor), video.to_frames(tensor[0].requires_grad_().half())):
        np.testing.assert_array_equal(back, frames)


def test_frames_are_rounded_and_clipped():
    values = torch.tensor([-1.0, 0.0019, 0.0020, 0.5, 2.0])
    frames = video.to_frames(values.expand(3, 1, 1, 5))
    assert frames[0, 0, :, 0].tolist() == [0, 0, 1, 128, 255]
    for shape in ((2, 3, 4, 5, 5), (4, 3, 5, 5), (3, 5, 5)):
        with pytest.raises(ValueError, match="a clip is"):
            video.to_frames(torch.zeros(shape))


def test_resample():
    frames = np.stack(levels(4, size=8, step=50))
    assert video.resample(frames, 8, 8)[:, 0, 0, 0].tolist() == [0, 0, 50, 50, 100, 100, 150, 150]
    assert video.resample(frames, 2, 4)[:, 0, 0, 0].tolist() == [50, 150]
    np.testing.assert_array_equal(video.resample(frames, 4, 8), frames)
    assert_colours(video.resample(quarters(8, 12)[None], 1, 30)[0], RED, GREEN, BLUE, YELLOW)
    checks = np.repeat((np.indices((8, 8)).sum(0) % 2 * 254)[None, ..., None], 3, 3).astype(np.uint8)
    assert (video.resample(checks, 1, 4) == 127).all()
    for n, size in ((0, 8), (2, 0)):
        with pytest.raises(ValueError, match="1 or more"):
            video.resample(frames, n, size)


def test_resize_is_linear_in_time_and_space_and_leaves_alone_what_fits():
    clip = torch.rand(2, 3, 4, 6, 8)
    assert video.resize(clip, (4, 6, 8)) is clip
    ramp = torch.arange(4.0).view(1, 1, 4, 1, 1).expand(1, 3, 4, 8, 8)
    grown = video.resize(ramp, (8, 4, 16))
    assert grown.shape == (1, 3, 8, 4, 16)
    assert grown[0, 0, :, 0, 0].tolist() == [0, 0.25, 0.75, 1.25, 1.75, 2.25, 2.75, 3]


def test_motion_is_the_mean_difference_of_neighbouring_frames():
    frames = np.stack(levels(4, size=8, step=51))
    assert video.motion(frames) == pytest.approx(0.2)
    frames[3] = frames[2]
    assert video.motion(frames) == pytest.approx(0.2 * 2 / 3)
    assert video.motion(frames[:1]) == 0
