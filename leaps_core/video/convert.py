"""Frames to tensors, and to other lengths and sizes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import torch


def to_tensor(frames: np.ndarray) -> torch.Tensor:
    """Frames, uint8 (T, H, W, 3), as a clip: float32 (1, 3, T, H, W) in [0, 1]. Raises `ValueError`."""
    import torch

    check_frames(frames)
    return torch.tensor(frames).permute(3, 0, 1, 2)[None].float().div(255)


def to_frames(clip: torch.Tensor) -> np.ndarray:
    """A clip, (1, 3, T, H, W) or (3, T, H, W) in [0, 1], as frames: uint8 (T, H, W, 3), rounded and clipped.

    NumPy does it, because the page asks for it while a run is going on: a thread that lets PyTorch compute gets a team of
    OpenMP threads of its own, and as soon as there are more of them than cores, all sleep after each operation instead of
    waiting for the next, which took a run a tenth of its steps. Raises `ValueError` for another shape.
    """
    shape = tuple(clip.shape)
    if clip.ndim == 5 and len(clip) == 1:
        clip = clip[0]
    if clip.ndim != 4 or len(clip) != 3:
        raise ValueError(f"a clip is (1, 3, T, H, W) or (3, T, H, W), not {shape}")
    levels = clip.detach().cpu().numpy().astype(np.float32).clip(0, 1)
    return np.ascontiguousarray((levels * 255).round().astype(np.uint8).transpose(1, 2, 3, 0))


def resize(clip: torch.Tensor, shape: tuple[int, ...]) -> torch.Tensor:
    """A clip (B, 3, T, H, W) at another (T, H, W), linearly in time and space; itself where it has that already."""
    import torch.nn.functional as F

    if tuple(clip.shape[2:]) == shape:
        return clip
    return F.interpolate(clip, size=shape, mode="trilinear", align_corners=False)


def resample(frames: np.ndarray, n: int, size: int) -> np.ndarray:
    """Frames, uint8 (T, H, W, 3), as uint8 (n, size, size, 3): nearest in time; in space the mean over an
    area where they shrink and linear where they grow. Raises `ValueError` for wrong frames, n or size."""
    check_frames(frames)
    if n < 1 or size < 1:
        raise ValueError(f"n and size must be 1 or more, not {n} and {size}")
    nearest = ((np.arange(n) + 0.5) * len(frames) / n).astype(int)
    return np.stack([square(frames[i], size, "stretch") for i in nearest])


def square(image: np.ndarray, size: int, fit: str, aspect: float = 1.0) -> np.ndarray:
    """uint8 (H, W, 3) as (size, size, 3); aspect: width of a pixel by its height."""
    import cv2

    height, width = image.shape[:2]
    if fit == "crop":
        side = min(width * aspect, height)
        left, top = round((width - side / aspect) / 2), round((height - side) / 2)
        image = image[top : max(top + 1, height - top), left : max(left + 1, width - left)]
    height, width = image.shape[:2]
    # Two steps, as OpenCV averages over areas only where both sides shrink.
    small = cv2.resize(image, (min(size, width), min(size, height)), interpolation=cv2.INTER_AREA)
    return cv2.resize(small, (size, size), interpolation=cv2.INTER_LINEAR)


def check_frames(frames: np.ndarray, fps: float = 1) -> None:
    """Raises `ValueError` unless frames are uint8 (T, H, W, 3), none of it 0, and fps above 0."""
    if frames.dtype != np.uint8 or frames.ndim != 4 or frames.shape[3] != 3 or 0 in frames.shape:
        raise ValueError(f"frames must be uint8 (T, H, W, 3), not {frames.dtype} {frames.shape}")
    if not (math.isfinite(fps) and fps > 0):
        raise ValueError(f"fps must be above 0, not {fps}")


def motion(frames: np.ndarray) -> float:
    """Mean absolute difference of neighbouring frames, in [0, 1], of uint8 (T, H, W, 3); 0 for a single frame."""
    return float(np.abs(np.diff(frames.astype(np.float32), axis=0)).mean() / 255) if len(frames) > 1 else 0.0
