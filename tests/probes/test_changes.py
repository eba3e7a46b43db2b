"""The ten everyday changes."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from leaps_core.probes.changes import CHANGES, survived


@pytest.fixture
def clip() -> Tensor:
    """A soft moving picture, (1, 3, 16, 64, 64) in [0, 1]."""
    noise = torch.randn((1, 3, 16, 8, 8), generator=torch.Generator().manual_seed(0))
    return torch.nn.functional.interpolate(noise, (16, 64, 64), mode="trilinear", align_corners=False).sigmoid()


@pytest.mark.parametrize("name", CHANGES)
def test_each_change_keeps_the_shape_and_changes_the_clip(name: str, clip: Tensor) -> None:
    changed = CHANGES[name](clip)
    assert changed.shape == clip.shape
    assert 0 <= changed.min() and changed.max() <= 1
    assert 1e-4 < (changed - clip).abs().mean() < 0.3
    again = (changed - CHANGES[name](clip)).abs().mean()
    assert again < 0.03, "the same clip is changed in the same way (but for what the conversion of colours rounds)"


def test_there_are_ten() -> None:
    assert len(CHANGES) == 10


def test_changes_do_what_their_names_say(clip: Tensor) -> None:
    assert torch.equal(CHANGES["mirror"](clip).flip(-1), clip)
    grey = CHANGES["grey"](clip)
    assert torch.equal(grey[:, 0], grey[:, 2])
    still = clip[:, :, :1].expand_as(clip)
    for name in ("half speed", "other frame rate"):
        assert torch.allclose(CHANGES[name](still), still, atol=1e-5)
    moved = torch.arange(16.0).view(1, 1, 16, 1, 1).expand(1, 3, 16, 64, 64) / 16
    assert CHANGES["half speed"](moved).diff(dim=2).mean() == pytest.approx(0.5 / 16, rel=0.1)
    assert CHANGES["other frame rate"](moved).max() < moved.max()


def test_what_survives_is_told_by_change(clip: Tensor) -> None:
    def has_colour(seen: Tensor) -> Tensor:
        apart = (seen[:, 0] - seen[:, 2]).abs().mean()
        return torch.stack([apart, torch.tensor(0.01)])[None]

    told = survived(has_colour, clip, 0)
    assert [name for name, held in told.items() if not held] == ["grey"]
