"""Networks of single frames, taken to look at clips."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn


class OfFrames(nn.Module):
    """A network of pictures that looks at each frame of a clip by itself.

    Its logits are ln of the mean over the frames of their probabilities, so that softmax gives that mean back.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, clip: Tensor) -> Tensor:
        """(B, 3, T, H, W) to (B, classes)."""
        b, _, t, _, _ = clip.shape
        frames = clip.transpose(1, 2).flatten(0, 1)
        each = self.network(frames).log_softmax(1).unflatten(0, (b, t))
        return torch.logsumexp(each, 1) - math.log(t)


def efficientnet_lite(classes: int, number: int) -> nn.Module:
    """EfficientNet-Lite 0 to 4 (Tan and Le 2019, without squeeze-and-excitation, with ReLU6), by timm."""
    from timm.models import create_model

    return OfFrames(create_model(f"tf_efficientnet_lite{number}", pretrained=False, num_classes=classes))
