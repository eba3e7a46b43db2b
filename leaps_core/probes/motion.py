"""What changes in a clip, where and when: pictures made of frames alone, without a network.

Clips are uint8 (T, H, W, 3), RGB.
"""

from __future__ import annotations

import numpy as np

FULL = 0.25
"""A change that is drawn white, as a share of the range."""
SLOWEST = 1.0
"""px per frame that are drawn in full colour at least, so that a still clip's noise stays pale."""
TALL = 10
"""px of the picture of a slice for each frame."""


def changes(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """How far pixels of two clips lie apart, the mean of |a − b| over the channels: float32 (T, H, W) in [0, 1]."""
    return np.abs(a.astype(np.float32) - b).mean(-1) / 255


def drawn(apart: np.ndarray) -> np.ndarray:
    """Changes (T, H, W) as a clip: black where nothing changed, white from `FULL` of the range on."""
    return np.repeat((255 * (apart / FULL).clip(0, 1)).astype(np.uint8)[..., None], 3, -1)


def differences(clip: np.ndarray) -> np.ndarray:
    """What changed since the frame before, float32 (T, H, W) in [0, 1]; nothing in the first frame."""
    return np.concatenate([np.zeros_like(clip[:1, ..., 0], np.float32), changes(clip[1:], clip[:-1])])


def flow(clip: np.ndarray) -> np.ndarray:
    """The optical flow from the frame before, float32 (T, H, W, 2): px to the right and down (Farnebäck, *Two-Frame Motion
    Estimation Based on Polynomial Expansion*, SCIA 2003); nothing in the first frame."""
    import cv2

    grey = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in clip]
    moved = [np.zeros((*grey[0].shape, 2), np.float32)]
    for before, after in zip(grey, grey[1:], strict=False):
        found = cv2.calcOpticalFlowFarneback(before, after, np.zeros_like(moved[0]), 0.5, 3, 15, 3, 5, 1.2, 0)
        moved.append(np.asarray(found, np.float32))
    return np.stack(moved)


def coloured(moved: np.ndarray) -> tuple[np.ndarray, float]:
    """A flow as a clip, and the speed (px per frame) of its full colours: white where nothing moves; red to the right,
    yellow-green down, cyan to the left, violet up."""
    import cv2

    speed = np.linalg.norm(moved, axis=-1)
    fastest = max(float(np.quantile(speed, 0.98)), SLOWEST)
    hue = (np.degrees(np.arctan2(moved[..., 1], moved[..., 0])) % 360) / 2
    saturation = 255 * (speed / fastest).clip(0, 1)
    hsv = np.stack([hue, saturation, np.full_like(hue, 255)], -1).astype(np.uint8)
    return np.stack([cv2.cvtColor(frame, cv2.COLOR_HSV2RGB) for frame in hsv]), fastest


def through_time(clip: np.ndarray) -> tuple[np.ndarray, int]:
    """One row of pixels over time, uint8 (T · `TALL`, W, 3), the first frame on top, and which row: the one that changes
    most. What stands still is a vertical line there, what moves a slanted one."""
    row = int(clip.astype(np.float32).std(0).mean((1, 2)).argmax())
    return np.repeat(clip[:, row], TALL, 0), row
