"""Robustness transforms: each step looks at a slightly different view of the clip, so that no single pixel matters.

All random numbers come from the run's own CPU generator, so that every device draws the same ones.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from ..config import SynthesisConfig


def transform(clip: Tensor, config: SynthesisConfig, generator: torch.Generator, strength: float = 1.0) -> Tensor:
    """A random view of a clip (1, 3, T, H, W); same shape. Differentiable.

    In order: mirror, roll in time and space, zoom and rotation, contrast and colours, noise. The strengths are the
    config's fields of these names, for colours and noise times `strength` in [0, 1]; 0 leaves the clip as it is. The
    view may leave [0, 1], as training noise does.
    """
    draw = torch.rand(12, generator=generator).mul(2).sub(1).tolist()  # always as many: a slider shifts no other draw
    if config.flip and draw[0] < 0:
        clip = clip.flip(-1)
    clip = _roll(clip, config, draw)
    if config.zoom or config.zoom_in or config.rotate:
        zoom = config.zoom * draw[4] + config.zoom_in * abs(draw[4])
        clip = _zoom_rotate(clip, zoom, math.radians(config.rotate) * draw[5])
    colour, noise = strength * config.colour, strength * config.noise
    if config.colour:
        gain = torch.tensor(draw[6:9], device=clip.device).mul(colour).exp().view(1, 3, 1, 1, 1)
        offset = torch.tensor(draw[9:12], device=clip.device).mul(colour).view(1, 3, 1, 1, 1)
        clip = torch.addcmul(0.5 - 0.5 * gain + offset, clip, gain)
    if config.noise:
        clip = clip.add(torch.randn(clip.shape, generator=generator).to(clip.device), alpha=noise)
    return clip


def _roll(clip: Tensor, config: SynthesisConfig, draw: list[float]) -> Tensor:
    reach = config.jitter * clip.shape[-1]
    shifts = (round(config.jitter_time * draw[1]), round(reach * draw[2]), round(reach * draw[3]))
    return torch.roll(clip, shifts, (2, 3, 4)) if any(shifts) else clip


def _zoom_rotate(clip: Tensor, zoom: float, angle: float) -> Tensor:
    """Scale by 1 + zoom and rotate by `angle` (radians) about the centre, the same for all frames."""
    h, w = clip.shape[3:]
    cos, sin = math.cos(angle) / (1 + zoom), math.sin(angle) / (1 + zoom)
    theta = torch.tensor([[[cos, -sin * h / w, 0.0], [sin * w / h, cos, 0.0]]], device=clip.device, dtype=clip.dtype)
    many = math.prod(clip.shape[:3])  # PyTorch gives a processor's cores one picture each, of any number of channels
    pictures = clip.reshape(max(3, math.gcd(many, 2 * torch.get_num_threads())), -1, h, w)
    grid = F.affine_grid(theta, [1, 1, h, w], align_corners=False).expand(len(pictures), -1, -1, -1)
    return F.grid_sample(pictures, grid, padding_mode="reflection", align_corners=False).view(clip.shape)
