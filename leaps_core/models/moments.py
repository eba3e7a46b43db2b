"""Means and variances of what layers give, in as few passes over the memory as their layout allows, and their gradients."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

WIDTH = 32
"""Numbers in bfloat16 that a processor takes at once."""


class Moments(torch.autograd.Function):
    """Mean and biased variance (B, C), float32 at least, of (B, C, ...). Autograd alone would go over each layer's tensor eight
    times for them in its backward pass and keep a copy of it; their gradient is a · x + b, with two numbers per channel."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> tuple[Tensor, Tensor]:
        """(B, C, ...) to two of (B, C)."""
        found = [_moments(clip) for clip in (x.split(1) if len(x) > 1 else [x])]
        mean, variance = found[0] if len(found) == 1 else (torch.cat(part) for part in zip(*found, strict=True))
        ctx.save_for_backward(x, mean)
        return mean, variance

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Tensor:
        """d mean / dx = 1 / n, d variance / dx = 2 (x − mean) / n."""
        x, mean = ctx.saved_tensors
        rows, n = _rows(x), x[0, 0].numel()
        slope = grads[1] * (2 / n)
        offset = torch.addcmul(grads[0] / n, slope, mean, value=-1)
        shape = (len(x), -1, *[1] * (rows.ndim - 2))
        factor, offset = (
            (part.repeat(1, rows.shape[1] // x.shape[1]) if rows.shape[1] > x.shape[1] else part).to(x.dtype).view(shape)
            for part in (slope, offset)
        )
        found = torch.addcmul(offset, rows, factor)
        return found if rows is x else found.as_strided(x.shape, x.stride())


def _moments(x: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and biased variance (1, C) of one clip's (1, C, ...)."""
    axes = tuple(range(2, x.ndim))
    full = x.dtype in (torch.float32, torch.float64)
    if x.ndim < 4 or full and (x.is_contiguous() or x.dtype == torch.float64):
        x = x if full else x.float()
        mean = x.mean(axes, keepdim=True) if axes else x
        return mean.flatten(1), (x - mean).square_().mean(axes) if axes else torch.zeros_like(mean)  # faster than Tensor.var
    # A batch norm that learns takes both in the fewest passes over the memory. That it has weights keeps them float32.
    rows, c = _rows(x), x.shape[1]
    weight = _ones(rows.shape[1], x.device)
    _, mean, spread = torch.native_batch_norm(rows, weight, weight, None, None, True, 0.0, 1e-30)
    means, variances = mean.view(-1, c), spread.pow(-2).view(-1, c)
    if len(means) == 1:
        return means, variances
    return means.mean(0, keepdim=True), (variances + (means - means.mean(0)).square()).mean(0, keepdim=True)


@lru_cache
def _ones(many: int, device: torch.device) -> Tensor:
    return torch.ones(many, device=device)


def _rows(x: Tensor) -> Tensor:
    """Clips (B, C, ...) whose channels lie side by side in memory as (B, C · n, places / n, 1), so many neighbouring places in
    a row that it fills registers: of 24 channels batch norm takes a third of the time so. Others as they are, and those in
    float32, which go on being rounded as they were when earlier runs were made."""
    c = x.shape[1]
    if x.ndim < 4 or not _narrow(x.dtype, c) or x.stride(1) != 1 or not x.movedim(1, -1).is_contiguous():
        return x
    places = x[0, 0].numel()
    row = c * _side_by_side(c, places)
    return x.as_strided((len(x), row, places * c // row, 1), (places * c, 1, row, row))


def _narrow(dtype: torch.dtype, channels: int) -> bool:
    """Whether a place's channels don't fill registers."""
    return dtype == torch.bfloat16 and channels % WIDTH != 0


def _side_by_side(channels: int, places: int) -> int:
    """So many places do, as far as their number allows."""
    return math.gcd(WIDTH // math.gcd(channels, WIDTH), places)


class OverPlaces(torch.autograd.Function):
    """The mean of (B, C, T, places) over its places, float32. Where channels lie side by side in memory PyTorch is 10 to 18
    times as fast if they are named last, and adds a gradient that lies as they do in a tenth of the time, too; of few channels
    in bfloat16 only one that is written out."""

    @staticmethod
    def forward(ctx: Any, grid: Tensor) -> Tensor:
        """(B, C, T)."""
        ctx.shape, ctx.dtype, ctx.last = grid.shape, grid.dtype, grid.stride(1) == 1
        if ctx.last:
            return grid.movedim(1, -1).mean(2, dtype=torch.float32).movedim(-1, 1)
        return grid.mean(3, dtype=torch.float32)

    @staticmethod
    def backward(ctx: Any, *slopes: Tensor) -> Tensor:
        """The same for all places of a moment, so kept once where that pays."""
        b, c, t, places = ctx.shape
        slope = (slopes[0] / places).to(ctx.dtype)
        if not ctx.last:
            return slope[..., None].expand(ctx.shape)
        slope = slope.movedim(1, -1).contiguous()  # (B, T, C)
        if not _narrow(ctx.dtype, c):
            return slope.movedim(-1, 1)[..., None].expand(ctx.shape)
        row = slope.repeat(1, 1, _side_by_side(c, places))
        return row.unsqueeze(2).expand(b, t, places * c // row.shape[2], -1).reshape(b, t, places, c).movedim(-1, 1)
