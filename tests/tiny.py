"""Networks of a few thousand parameters, registered for tests that need no trained model."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from leaps_core import models
from leaps_core.models.spec import ModelSpec, PaperRow

QUICK = {"steps": 3, "verifier": "tiny_verifier", "judge": "tiny_judge"}
"""Settings of a run that takes no time."""


class TinyNet(nn.Module):
    """Stem and two blocks of convolution, batch norm, ReLU; a linear head over 16 classes."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        torch.manual_seed(seed)
        self.stem = nn.Conv3d(3, 6, 3, (1, 2, 2), 1)
        self.block1 = nn.Sequential(nn.BatchNorm3d(6), nn.ReLU(), nn.Conv3d(6, 8, 3, (2, 2, 2), 1))
        self.block2 = nn.Sequential(nn.BatchNorm3d(8), nn.ReLU(), nn.Conv3d(8, 10, 3, 1, 1))
        self.head = nn.Linear(10, 16)
        self.head.weight.data *= 30  # random features hardly differ between clips
        for layer in (self.block1[0], self.block2[0]):
            layer.running_mean.uniform_(-1, 1)
            layer.running_var.uniform_(0.5, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.block2(self.block1(self.stem(x))).mean((2, 3, 4)))


class TinyTokens(nn.Module):
    """An attention-like model: tokens with a class token, space-major, LayerNorm only."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        torch.manual_seed(seed)
        self.stem = _Tokens(8)
        self.block1 = nn.Sequential(nn.LayerNorm(8), nn.Linear(8, 8), nn.GELU())
        self.head = nn.Linear(8, 16)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.block1(self.stem(x))[:, 0])


class _Tokens(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.embed = nn.Conv3d(3, width, (1, 8, 8), (1, 8, 8))
        self.token = nn.Parameter(torch.full((1, 1, width), 100.0))

    def forward(self, x: Tensor) -> Tensor:
        patches = self.embed(x).flatten(3).transpose(2, 3).flatten(2).transpose(1, 2)  # (B, places · T, C)
        return torch.cat([self.token + patches.mean(1, keepdim=True), patches], 1)


def register() -> None:
    """Make `tiny`, `tiny_verifier`, `tiny_tokens` and `tiny_judge` choosable, in the world of the puppets."""
    models.specs()  # the bundled, published and custom models come before them
    convolutional = {
        "family": "tiny",
        "world": "puppets",
        "frames": 8,
        "size": 32,
        "taps": r"stem|block\d",
        "embedding_layer": "block2",
        "size_step": 8,
        "step_ms": 5.0,
    }
    paper = PaperRow(0.75, 0.1, 1e-3)
    models.register(ModelSpec(key="tiny", name="Tiny", paper=paper, **convolutional), lambda: TinyNet(1))
    models.register(
        ModelSpec(key="tiny_verifier", name="Tiny verifier", mean=(0.5,) * 3, std=(0.25,) * 3, **convolutional),
        lambda: TinyNet(2),
    )
    models.register(
        ModelSpec(
            key="tiny_tokens",
            name="Tiny tokens",
            batch_norm=False,
            layout="space_major",
            **convolutional | {"taps": r"stem|block1", "embedding_layer": "block1"},
        ),
        lambda: TinyTokens(3),
    )
    models.register(ModelSpec(key="tiny_judge", name="Tiny judge", role="judge", **convolutional), lambda: TinyNet(4))
