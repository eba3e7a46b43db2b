"""Figures of clips."""

from __future__ import annotations

import numpy as np


def motion(frames: np.ndarray) -> float:
    """Mean absolute difference of neighbouring frames, in [0, 1], of uint8 (T, H, W, 3); 0 for a single frame."""
    return float(np.abs(np.diff(frames.astype(np.float32), axis=0)).mean() / 255) if len(frames) > 1 else 0.0


def saturation(frames: np.ndarray) -> float:
    """Share of colour values within 2 % of black or white, of uint8 frames: speckles show here."""
    return float(((frames < 6) | (frames > 249)).mean())
