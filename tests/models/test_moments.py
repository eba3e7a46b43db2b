"""Means and variances: right in every layout, as are their gradients."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from leaps_core.models.moments import Moments, OverPlaces


def test_the_gradient_of_mean_and_variance_is_exact() -> None:
    for shape in ((2, 3, 5), (2, 3, 4, 5), (1, 3, 2, 4, 5)):
        x = torch.randn(shape, dtype=torch.double, generator=torch.Generator().manual_seed(0)).requires_grad_(True)
        assert torch.autograd.gradcheck(Moments.apply, (x,))


LAID_OUT: dict[str, Callable[[Tensor], Tensor]] = {
    "channels first": lambda x: x,
    "channels last": lambda x: x.contiguous(memory_format=torch.channels_last_3d),
    "some channels of more": lambda x: torch.cat([x, x], 1).contiguous(memory_format=torch.channels_last_3d)[:, : x.shape[1]],
    "frames as a video": lambda x: (
        x.transpose(1, 2).flatten(0, 1).contiguous(memory_format=torch.channels_last).unflatten(0, (len(x), -1)).transpose(1, 2)
    ),
}


@pytest.mark.parametrize("layout", LAID_OUT)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_mean_and_variance_in_every_layout(layout: str, dtype: torch.dtype) -> None:
    generator = torch.Generator().manual_seed(0)
    for b, c, places in ((1, 3, (2, 3, 5)), (2, 24, (2, 4, 6)), (1, 32, (2, 4, 4)), (2, 54, (3, 5, 7)), (1, 40, (1, 1, 1))):
        x = (3 + torch.randn((b, c, *places), generator=generator)).to(dtype)
        laid = LAID_OUT[layout](x).detach().requires_grad_(True)
        exact = x.double().requires_grad_(True)
        expected = exact.mean((2, 3, 4)), exact.var((2, 3, 4), correction=0)
        found = Moments.apply(laid)
        for one, other in zip(found, expected, strict=True):
            assert one.dtype == torch.float32 and torch.allclose(one.double(), other, atol=1e-5)
        slopes = [torch.randn((b, c), generator=generator) for _ in found]
        torch.autograd.backward(found, slopes)
        torch.autograd.backward(expected, [slope.double() for slope in slopes])
        close = 1e-6 if dtype == torch.float32 else 0.03
        assert laid.grad is not None and exact.grad is not None
        assert torch.allclose(laid.grad.double(), exact.grad, atol=close * float(exact.grad.abs().max()))


@pytest.mark.parametrize("channels", [24, 32, 54])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_means_over_places_in_both_layouts(channels: int, dtype: torch.dtype) -> None:
    x = torch.randn((2, channels, 3, 20), generator=torch.Generator().manual_seed(0)).to(dtype)
    last = x.movedim(1, -1).contiguous().movedim(-1, 1)
    for laid in (x, last):
        laid = laid.detach().requires_grad_(True)
        found = OverPlaces.apply(laid)
        assert found.dtype == torch.float32 and torch.allclose(found.double(), x.double().mean(3), atol=1e-6)
        slope = torch.randn(found.shape)
        (2 * laid.float().sum() + (found * slope).sum()).backward()
        assert laid.grad is not None and torch.allclose(laid.grad.float(), 2 + slope[..., None] / 20, atol=0.02)
