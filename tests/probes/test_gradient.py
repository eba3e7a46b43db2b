"""Where a model looks, on a network whose answer depends on one place."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from leaps_core import models
from leaps_core.models.adapter import VideoModel
from leaps_core.probes import gradient


class Corner(nn.Module):
    """Sees the top left corner of the first four frames only; class 2 wants it bright."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Identity()
        self.scale = nn.Parameter(torch.ones(1))

    def forward(self, x: Tensor) -> Tensor:
        seen = self.stem(x)[:, :, :4, :8, :8].mean((1, 2, 3, 4)) * self.scale
        return torch.nn.functional.one_hot(torch.tensor([2]), 16) * seen[:, None]


@pytest.fixture
def corner(monkeypatch: pytest.MonkeyPatch) -> None:
    spec = replace(models.spec("tiny"), key="corner", taps="stem", embedding_layer="stem", weights=None)
    monkeypatch.setattr(models, "load", lambda *_: VideoModel(spec, Corner()))


@pytest.mark.usefixtures("corner")
def test_the_gradient_is_where_the_network_looks() -> None:
    clip = np.random.default_rng(0).integers(0, 255, (8, 32, 32, 3), np.uint8)
    found = gradient.sensitivity("corner", 2, clip)
    assert found.shape == (8, 32, 32) and found.dtype == np.float32
    assert (found[:4, :8, :8] > 0).all() and found[:4, :8, :8].sum() == pytest.approx(float(found.sum()))
    assert (gradient.sensitivity("corner", 2, clip) == found).all(), "the noise is drawn once"


def test_heat_is_over_the_grey_clip() -> None:
    clip = np.full((3, 40, 40, 3), (200, 60, 60), np.uint8)
    weights = np.zeros((3, 40, 40), np.float32)
    weights[1, 20, 20] = 5
    found = gradient.heat(clip, weights)
    assert found.shape == clip.shape and found.dtype == np.uint8
    assert found[1, 20, 20].sum() > 2 * found[0, 20, 20].sum()
    assert len(set(found[0, 20, 20].tolist())) <= 2, "where there is nothing, it is grey"
    assert (gradient.heat(clip, np.zeros_like(weights)) == found[0]).all()
