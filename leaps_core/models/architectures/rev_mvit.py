"""rev-MViT (Mangalam et al. 2022, "Reversible Vision Transformers"): MViT whose layers keep two streams, so that their
inputs can be computed back from their outputs. No library has it.

Modules are named as in the published checkpoint. Tokens are (B, T·H·W, C), time slowest; a clip of another size than
the weights' own gets its positions resized. Any even number of frames, and sides that are multiples of 32, work.

Where a frozen network passes a gradient on to its clip, runs of reversible layers keep nothing but their output: the
backward pass computes their inputs back from it (`Run`). Layers are then not called one by one, so hooks belong on
their `tap`s, which get each layer's output averaged over space.
"""

from __future__ import annotations

from itertools import groupby
from typing import Any

import torch
import torch.nn.functional as functional
from torch import Tensor, nn

Grid = tuple[int, int, int]
HEAD = 96
"""Channels of one attention head, in every layer."""
PLAN = (("rev", 8), ("down", 4), ("rev", 4), ("down", 2), *[("rev", 2)] * 10, ("down", 1), ("rev", 1))
"""Each layer of rev-MViT-B: reversible or a transition between stages, and the spatial stride of its keys and values."""


def rev_mvit(
    classes: int, width: int = HEAD, plan: tuple[tuple[str, int], ...] = PLAN, frames: int = 16, size: int = 224
) -> RevMViT:
    """rev-MViT-B 16×4 (conv), whose width (of the first stage, in channels) and plan may be smaller."""
    return RevMViT(classes, width, plan, (frames // 2, size // 4, size // 4))


class RevMViT(nn.Module):
    """Maps normalised clips (B, 3, T, H, W) to logits (B, classes). `grid`: tokens along time, height and width that
    the position embeddings are made for."""

    exact = True  # the backward pass reckons what went into a layer from what came out of it

    def __init__(self, classes: int, width: int, plan: tuple[tuple[str, int], ...], grid: Grid) -> None:
        super().__init__()
        self.patch_embed = PatchEmbed(width)
        self.pos_embed_spatial = nn.Parameter(torch.zeros(1, grid[1] * grid[2], width))
        self.pos_embed_temporal = nn.Parameter(torch.zeros(1, grid[0], width))
        self.rev_backbone = Backbone(width, plan)
        self.norm = nn.LayerNorm(2 * self.rev_backbone.width, eps=1e-6)
        self.head = nn.ModuleDict({"projection": nn.Linear(2 * self.rev_backbone.width, classes)})
        for table in (self.pos_embed_spatial, self.pos_embed_temporal):
            nn.init.trunc_normal_(table, std=0.02)

    def forward(self, clip: Tensor) -> Tensor:
        """Logits (B, classes)."""
        volume = self.patch_embed(clip)
        grid = volume.shape[2:]
        tokens = volume.flatten(2).transpose(1, 2) + self._positions(grid)
        return self.head["projection"](self.norm(self.rev_backbone(tokens, grid)).mean(1))

    def _positions(self, grid: Grid) -> Tensor:
        """(1, T·H·W, C): what the spatial position adds to what the temporal one adds; tables of another size are resized."""
        t, h, w = grid
        space, time = self.pos_embed_spatial.transpose(1, 2), self.pos_embed_temporal.transpose(1, 2)
        side = round(space.shape[2] ** 0.5)
        if (h, w) != (side, side):
            space = functional.interpolate(space.unflatten(2, (side, side)), (h, w), mode="bicubic").flatten(2)
        if t != time.shape[2]:
            time = functional.interpolate(time, t, mode="linear")
        return (time[..., None] + space[:, :, None]).flatten(2).transpose(1, 2)


class PatchEmbed(nn.Module):
    """Clip (B, 3, T, H, W) to a volume (B, C, T/2, H/4, W/4)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.proj = nn.Conv3d(3, width, (3, 7, 7), (2, 4, 4), (1, 3, 3))

    def forward(self, clip: Tensor) -> Tensor:
        """Overlapping patches of 3×7×7 pixels, each one token."""
        return self.proj(clip)


class Backbone(nn.Module):
    """All layers: tokens (B, N, C) in, both streams (B, N', 2C') out. `reversible`: whether runs of reversible layers
    may be computed back instead of kept."""

    reversible = True

    def __init__(self, width: int, plan: tuple[tuple[str, int], ...]) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for kind, stride in plan:
            layers.append(Transition(width, stride) if kind == "down" else Reversible(width, stride))
            width *= 2 if kind == "down" else 1
        self.layers, self.width = nn.ModuleList(layers), width

    def forward(self, x: Tensor, grid: Grid) -> Tensor:
        """Two streams begin as copies of one, and a transition averages them."""
        x = torch.cat([x, x], 2)
        back = (
            self.reversible
            and torch.is_grad_enabled()
            and x.requires_grad
            and not any(weight.requires_grad for weight in self.parameters())
        )
        for kind, group in groupby(self.layers, type):
            layers: list[Any] = list(group)
            if back and kind is Reversible:
                x, *seen = Run.apply(x, layers, grid)
                for layer, per_timestep in zip(layers, seen):
                    layer.tap(per_timestep)
                continue
            for layer in layers:
                if kind is Transition:
                    x = layer(x.unflatten(2, (2, -1)).mean(2), grid)
                    grid = (grid[0], grid[1] // 2, grid[2] // 2)
                    layer.tap(by_moment(x, grid))
                    x = torch.cat([x, x], 2)
                else:
                    x = layer(x, grid)
                    layer.tap(by_moment(x, grid))
        return x


def by_moment(x: Tensor, grid: Grid) -> Tensor:
    """(B, T, C): the mean of tokens (B, T·H·W, C) over space."""
    return x.unflatten(1, (grid[0], -1)).mean(2)


class Run(torch.autograd.Function):
    """Consecutive reversible layers as one operation that keeps its output only. Gives the output, and of each layer the
    mean over space, so that the taps' gradients come in here, too (Mangalam et al. 2022, section 3)."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, layers: list[Reversible], grid: Grid) -> tuple[Tensor, ...]:
        """([Y1, Y2], means over space of each layer)."""
        seen = []
        for layer in layers:
            x = layer(x, grid)
            seen.append(by_moment(x, grid))
        ctx.layers, ctx.grid = layers, grid
        ctx.save_for_backward(x)
        return x, *seen

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, grad: Tensor, *grads: Tensor) -> tuple[Tensor, None, None]:
        """The gradient of the input; each layer's branches run once more, under autograd."""
        y1, y2 = ctx.saved_tensors[0].chunk(2, 2)
        places = ctx.grid[1] * ctx.grid[2]
        for layer, by_tap in zip(reversed(ctx.layers), reversed(grads)):
            g1, g2 = (grad + by_tap.repeat_interleave(places, 1) / places).chunk(2, 2)
            with torch.enable_grad():
                y1 = y1.detach().requires_grad_()
                fed = layer.G(y1)
                g1 = g1 + torch.autograd.grad(fed, y1, g2)[0]
                y2 = (y2 - fed).detach().requires_grad_()  # X2
                seen = layer.F(y2, ctx.grid)
                g2 = g2 + torch.autograd.grad(seen, y2, g1)[0]
                y1 = y1 - seen  # X1
            grad = torch.cat([g1, g2], 2)
        return grad, None, None


class Reversible(nn.Module):
    """Y1 = X1 + F(X2), Y2 = X2 + G(Y1). Streams travel side by side, (B, N, 2C)."""

    def __init__(self, width: int, kv_stride: int) -> None:
        super().__init__()
        self.F, self.G, self.tap = Attention(width, width, kv_stride), Feed(width), nn.Identity()

    def forward(self, x: Tensor, grid: Grid) -> Tensor:
        """[Y1, Y2] of [X1, X2]."""
        x1, x2 = x.chunk(2, 2)
        y1 = x1 + self.F(x2, grid)
        return torch.cat([y1, x2 + self.G(y1)], 2)


class Transition(nn.Module):
    """Between two stages: half the height and width, twice the channels, one stream in and out."""

    def __init__(self, width: int, kv_stride: int) -> None:
        super().__init__()
        self.res_proj = nn.Linear(width, 2 * width)
        self.F, self.G, self.tap = Attention(width, 2 * width, kv_stride, q_stride=2), Feed(2 * width), nn.Identity()

    def forward(self, x: Tensor, grid: Grid) -> Tensor:
        """(B, N/4, 2C) of (B, N, C)."""
        attend = self.F.attn
        kept = attend.merge(attend.pool("q", attend.split(self.res_proj(x)), grid))
        u = kept + self.F(x, grid)
        return u + self.G(u)


class Attention(nn.Module):
    """F: layer norm, then pooling attention."""

    def __init__(self, width: int, out: int, kv_stride: int, q_stride: int = 1) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width, eps=1e-6)
        self.attn = PoolingAttention(width, out, kv_stride, q_stride)

    def forward(self, x: Tensor, grid: Grid) -> Tensor:
        """(B, N', C') of (B, N, C)."""
        return self.attn(self.norm(x), grid)


class PoolingAttention(nn.Module):
    """Attention whose keys and values (and queries, at transitions) are first pooled by a depthwise convolution over
    space-time that all heads share."""

    def __init__(self, width: int, out: int, kv_stride: int, q_stride: int) -> None:
        super().__init__()
        head = min(HEAD, out)
        self.heads, self.pooled = out // head, "kv" if q_stride == 1 else "qkv"
        self.qkv = nn.Linear(width, 3 * out, bias=False)
        self.proj = nn.Linear(out, out)
        for part in self.pooled:
            stride = q_stride if part == "q" else kv_stride
            self.add_module(f"pool_{part}", nn.Conv3d(head, head, 3, (1, stride, stride), 1, groups=head, bias=False))
            self.add_module(f"norm_{part}", nn.LayerNorm(head, eps=1e-6))

    def forward(self, x: Tensor, grid: Grid) -> Tensor:
        """(B, N', C') of (B, N, C)."""
        parts = [self.split(part) for part in self.qkv(x).chunk(3, 2)]
        q, k, v = (self.pool(name, part, grid) if name in self.pooled else part for name, part in zip("qkv", parts))
        return self.proj(self.merge(functional.scaled_dot_product_attention(q, k, v)))

    def pool(self, part: str, x: Tensor, grid: Grid) -> Tensor:
        """Convolve the tokens of each head, (B, heads, N, C), over their grid, then norm them."""
        volume = x.transpose(2, 3).flatten(0, 1).unflatten(2, grid)
        tokens = self.get_submodule(f"pool_{part}")(volume).flatten(2).transpose(1, 2)
        return self.get_submodule(f"norm_{part}")(tokens).unflatten(0, (-1, self.heads))

    def split(self, x: Tensor) -> Tensor:
        """(B, N, C) to (B, heads, N, C / heads)."""
        return x.unflatten(2, (self.heads, -1)).transpose(1, 2)

    def merge(self, x: Tensor) -> Tensor:
        """(B, heads, N, C / heads) to (B, N, C)."""
        return x.transpose(1, 2).flatten(2)


class Feed(nn.Module):
    """G: layer norm, then a perceptron of four times the width."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width, eps=1e-6)
        self.mlp = nn.ModuleDict({"fc1": nn.Linear(width, 4 * width), "fc2": nn.Linear(4 * width, width)})

    def forward(self, x: Tensor) -> Tensor:
        """(B, N, C) of (B, N, C)."""
        return self.mlp["fc2"](functional.gelu(self.mlp["fc1"](self.norm(x))))
