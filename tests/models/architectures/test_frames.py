"""Networks of single frames."""

from __future__ import annotations

import torch
from torch import nn

from leaps_core.models.architectures.frames import OfFrames


def test_a_clips_probabilities_are_the_mean_of_its_frames() -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Flatten(), nn.Linear(3 * 4 * 4, 5))
    clip = torch.randn(2, 3, 6, 4, 4)
    wanted = torch.stack([network(clip[:, :, i]).softmax(1) for i in range(6)]).mean(0)
    assert torch.allclose(OfFrames(network)(clip).softmax(1), wanted, atol=1e-6)
