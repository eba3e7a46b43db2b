"""A run as a film: from noise to clip."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from .. import video
from ..errors import RunError
from .record import Run

LENGTH, ENDINGS = 48, 2
"""Frames from noise to clip, and how often the finished clip is played then."""
WRITERS = {".mp4": video.write_mp4, ".webp": video.write_webp, ".gif": video.write_gif}
"""How a film is written, by the ending of its file."""


def out_of_noise(clips: Sequence[np.ndarray], length: int) -> np.ndarray:
    """Snapshots of a run, uint8 (T, H, W, 3) each, as one clip of so many frames, of the last one's size: it plays, and each
    frame is of a later snapshot, as many times later as the one before: most is seen to happen in the first steps."""
    frames, size = clips[-1].shape[:2]
    at = np.geomspace(1, len(clips), length).round().astype(int) - 1
    return np.concatenate([video.resample(clips[k][i % frames][None], 1, size) for i, k in enumerate(at)])


def film(run: Run) -> np.ndarray:
    """From noise to clip, then the clip itself: uint8 (T, H, W, 3). Raises `RunError` where the run has no snapshots."""
    return np.concatenate([out_of_noise(list(run.snapshots.clips), LENGTH), *[run.clip] * ENDINGS])


def write_film(run: Run, path: Path) -> None:
    """Write the film of a run as MP4, animated WebP or GIF, by the file's ending. Raises `LeapsError`."""
    writer = WRITERS.get(path.suffix.lower())
    if writer is None:
        raise RunError(f"A film can't be written as “{path.name}”. Give a name that ends in {', '.join(WRITERS)}.")
    writer(film(run), path)
