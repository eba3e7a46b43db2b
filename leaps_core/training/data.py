"""The puppet world as a data set: clips rendered once into memory-mapped arrays, label = index in `ACTIONS`."""

from __future__ import annotations

import hashlib
import multiprocessing
import signal
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import cv2
import numpy as np

from .. import files
from ..puppets import ACTIONS, render_clip

TRAIN_SEED, HELD_OUT_SEED = 1_000_000, 9_000_000
"""First seeds of the training and of the held-out clips; stimuli and studies use small seeds, so no clip is seen twice."""
TRAIN_COUNT, HELD_OUT_COUNT = 9600, 480
"""How many clips there are of each."""


def clips(folder: Path, first_seed: int, count: int, frames: int, size: int, workers: int = 2) -> np.ndarray:
    """`count` clips, uint8 (N, T, H, W, 3), of all actions in turn (clip i shows ``ACTIONS[i % len(ACTIONS)]``).

    Rendered with seeds ``first_seed + i`` into `folder` at the first call, memory-mapped afterwards.
    """
    # named by how its first clips look, so that a change of the drawing is not missed
    sample = b"".join(_render((first_seed, i, frames, size)).tobytes() for i in range(min(count, len(ACTIONS))))
    path = folder / f"puppets-{first_seed}-{count}-{frames}x{size}-{hashlib.sha256(sample).hexdigest()[:8]}.npy"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        with files.replacing(path) as part:
            store = np.lib.format.open_memmap(part, "w+", np.uint8, (count, frames, size, size, 3))
            jobs = [(first_seed, i, frames, size) for i in range(count)]
            fresh = multiprocessing.get_context("spawn")  # a fork would inherit locks that another thread holds, and may hang
            with ProcessPoolExecutor(workers, fresh, initializer=_quietly) as pool:
                for i, clip in enumerate(pool.map(_render, jobs, chunksize=32)):
                    store[i] = clip
            store.flush()
    return np.load(path, mmap_mode="r")


def labels(count: int) -> np.ndarray:
    """Class indices int64 (N,) of the clips that `clips` returns."""
    return np.arange(count) % len(ACTIONS)


def _quietly() -> None:
    """In a process that draws: one core, and Ctrl-C is for the one that waits for it."""
    cv2.setNumThreads(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _render(job: tuple[int, int, int, int]) -> np.ndarray:
    first_seed, i, frames, size = job
    return render_clip(ACTIONS[i % len(ACTIONS)], first_seed + i, frames, size)
