"""UniFormerV2 (Li et al. 2022) as published for Kinetics: a CLIP image transformer that looks at every frame on its
own, and four global blocks that read all frames. No library has it.

Modules are named as in the authors' checkpoint. No weight depends on the number of frames; height and width are those
of the position embedding.
"""

from __future__ import annotations

import torch
import torch.nn.functional as functional
from torch import Tensor, nn


def uniformerv2(
    classes: int, width: int = 768, heads: int = 12, depth: int = 12, patch: int = 16, size: int = 224, global_blocks: int = 4
) -> UniFormerV2:
    """B/16 by default; L/14 has width 1024, 16 heads, 24 blocks and patches of 14 px."""
    return UniFormerV2(classes, width, heads, depth, patch, size, global_blocks)


class UniFormerV2(nn.Module):
    """Maps normalised clips (B, 3, T, size, size) to logits (B, classes), for any T."""

    def __init__(self, classes: int, width: int, heads: int, depth: int, patch: int, size: int, global_blocks: int) -> None:
        super().__init__()
        self.backbone = Backbone(classes, width, heads, depth, patch, size, global_blocks)

    def forward(self, clip: Tensor) -> Tensor:
        """Logits (B, classes)."""
        return self.backbone(clip)


class Backbone(nn.Module):
    """Patches of each frame, with a class token and positions, then the transformer."""

    def __init__(self, classes: int, width: int, heads: int, depth: int, patch: int, size: int, global_blocks: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv3d(3, width, (1, patch, patch), (1, patch, patch), bias=False)
        self.class_embedding = nn.Parameter(width**-0.5 * torch.randn(width))
        self.positional_embedding = nn.Parameter(width**-0.5 * torch.randn(1 + (size // patch) ** 2, width))
        self.ln_pre = nn.LayerNorm(width)
        self.transformer = Transformer(classes, width, heads, depth, global_blocks)

    def forward(self, clip: Tensor) -> Tensor:
        """Logits (B, classes)."""
        volume = self.conv1(clip)
        patches = volume.permute(0, 2, 3, 4, 1).flatten(0, 1).flatten(1, 2)  # (B·T, H·W, C)
        tokens = torch.cat([self.class_embedding.expand(len(patches), 1, -1), patches], 1)
        return self.transformer(self.ln_pre(tokens + self.positional_embedding), volume.shape[2:])


class Transformer(nn.Module):
    """All blocks and the head. The global blocks follow the last blocks of the image transformer."""

    def __init__(self, classes: int, width: int, heads: int, depth: int, global_blocks: int) -> None:
        super().__init__()
        self.temporal_cls_token = nn.Parameter(torch.zeros(1, 1, width))
        self.balance = nn.Parameter(torch.zeros(width))
        self.resblocks = nn.ModuleList([Block(width, heads) for _ in range(depth)])
        self.dpe = nn.ModuleList([nn.Conv3d(width, width, 3, padding=1, groups=width) for _ in range(global_blocks)])
        self.dec = nn.ModuleList([Global(width, heads) for _ in range(global_blocks)])
        self.proj = nn.Sequential(nn.LayerNorm(width), nn.Dropout(0.5), nn.Linear(width, classes))

    def forward(self, x: Tensor, grid: tuple[int, int, int]) -> Tensor:
        """Logits (B, classes) of tokens (B·T, 1 + H·W, C)."""
        first = len(self.resblocks) - len(self.dec)
        video = self.temporal_cls_token.expand(len(x) // grid[0], -1, -1)
        for index, block in enumerate(self.resblocks):
            x = block(x)
            if index >= first:
                video = self.dec[index - first](video, self._placed(x, grid, index - first))
        mean = x[:, 0].unflatten(0, (-1, grid[0])).mean(1)
        share = self.balance.sigmoid()
        return self.proj((1 - share) * video[:, 0] + share * mean)

    def _placed(self, x: Tensor, grid: tuple[int, int, int], index: int) -> Tensor:
        """All tokens of a clip, (B, T·(1 + H·W), C), with the convolutional position added to its patches."""
        t, h, w = grid
        frames = x.unflatten(0, (-1, t))
        volume = frames[:, :, 1:].unflatten(2, (h, w)).permute(0, 4, 1, 2, 3)
        places = self.dpe[index](volume).permute(0, 2, 3, 4, 1).flatten(2, 3)
        return torch.cat([frames[:, :, :1], frames[:, :, 1:] + places], 2).flatten(1, 2)


class Block(nn.Module):
    """A block of CLIP's image transformer: each frame attends to itself."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.attn, self.mlp = Attention(width, heads), Perceptron(width)
        self.ln_1, self.ln_2 = nn.LayerNorm(width), nn.LayerNorm(width)

    def forward(self, x: Tensor) -> Tensor:
        """(B·T, 1 + H·W, C) of the same."""
        normed = self.ln_1(x)
        x = x + self.attn(normed, normed)
        return x + self.mlp(self.ln_2(x))


class Global(nn.Module):
    """One video token asks all tokens of all frames."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.attn, self.mlp = Attention(width, heads), Perceptron(width)
        self.ln_1, self.ln_2, self.ln_3 = nn.LayerNorm(width), nn.LayerNorm(width), nn.LayerNorm(width)

    def forward(self, video: Tensor, tokens: Tensor) -> Tensor:
        """The video token (B, 1, C) after it read `tokens` (B, N, C)."""
        video = video + self.attn(self.ln_1(video), self.ln_3(tokens))
        return video + self.mlp(self.ln_2(video))


class Attention(nn.Module):
    """Multi-head attention with the parameters' names of `nn.MultiheadAttention`, without its conditions."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.in_proj_weight = nn.Parameter(torch.empty(3 * width, width))
        self.in_proj_bias = nn.Parameter(torch.zeros(3 * width))
        self.out_proj = nn.Linear(width, width)
        nn.init.xavier_uniform_(self.in_proj_weight)

    def forward(self, asking: Tensor, asked: Tensor) -> Tensor:
        """(B, N, C) of queries from `asking` (B, N, C), keys and values from `asked` (B, M, C)."""
        weights, biases = self.in_proj_weight.chunk(3), self.in_proj_bias.chunk(3)
        q, k, v = (
            functional.linear(x, weight, bias).unflatten(2, (self.heads, -1)).transpose(1, 2)
            for x, weight, bias in zip((asking, asked, asked), weights, biases)
        )
        return self.out_proj(functional.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2))


class Perceptron(nn.Module):
    """Four times the width, with CLIP's QuickGELU."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.c_fc, self.c_proj = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        """(B, N, C) of the same."""
        x = self.c_fc(x)
        return self.c_proj(x * (1.702 * x).sigmoid())
