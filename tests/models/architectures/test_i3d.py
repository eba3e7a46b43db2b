"""I3D: padding as TensorFlow's, any size, no scales."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from leaps_core.models.architectures.i3d import I3D, pad_same


@pytest.mark.parametrize(("length", "kernel", "stride"), [(16, 7, 2), (15, 7, 2), (7, 3, 2), (5, 3, 1), (4, 2, 2), (5, 2, 2)])
def test_padding_gives_a_place_for_every_stride_and_more_at_the_end(length: int, kernel: int, stride: int) -> None:
    x = torch.ones(1, 1, length, 1, 1)
    padded = pad_same(x, (kernel, 1, 1), (stride, 1, 1))[0, 0, :, 0, 0]
    places = -(-length // stride)
    assert (len(padded) - kernel) // stride + 1 == places
    before, after = int((padded.cumsum(0) == 0).sum()), int((padded.flip(0).cumsum(0) == 0).sum())
    assert before + after == max((places - 1) * stride + kernel - length, 0) and after - before in (0, 1)


@pytest.mark.parametrize(("frames", "size"), [(8, 64), (10, 96)])
def test_small_clips_pass_and_units_have_no_scale(frames: int, size: int) -> None:
    torch.manual_seed(0)
    network = I3D(7).eval()
    with torch.no_grad():
        assert network(torch.rand(2, 3, frames, size, size)).shape == (2, 7)
    norms = [layer for layer in network.modules() if isinstance(layer, nn.BatchNorm3d)]
    assert len(norms) == 57 and all(layer.weight is None and layer.eps == 1e-3 for layer in norms)
